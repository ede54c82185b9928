"""Pages on the course of a competition: its calendar with deadlines, its phases, and reasoned decisions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from examsvc.base import access, language, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import options
from examsvc.base.pages import current_language, in_reader_language
from examsvc.competitions import course, decisions, notice_document, oracles, phases, preparing, queries
from examsvc.competitions.blueprint import DECIDERS, READERS, SETTERS, bp, may_set, require_setter
from examsvc.competitions.calendar import Deadline
from examsvc.competitions.decisions import DONE, LEVELS, TITLES, Subject
from examsvc.competitions.forms import (
    ConfirmForm,
    HolidaysForm,
    calendar_form,
    decision_form,
    text_fields,
    texts_of,
)
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation_reading import MAX_BYTES
from examsvc.competitions.wording import Words
from examsvc.competitions.wording_procedure import DATA

STATES = {
    "waiting-for-base": N_("waits for a date"),
    "waiting-for-applicants": N_("waits for the number of applicants"),
    "open": N_("ahead"),
    "overdue": N_("overdue"),
    "kept": N_("kept"),
    "broken": N_("broken"),
}
STATE_TAGS = {"overdue": "danger", "broken": "danger", "kept": "safe"}
STEPS = {
    "base": N_("%(event)s: %(day)s. This day does not count."),
    "forecast-base": N_("%(event)s, as foreseen: %(day)s. This day does not count."),
    "size": N_("%(applicants)s applicants, therefore %(length)s."),
    "roll": N_("Moved to a working day: %(day)s."),
    "at-latest": N_("It must happen before the end of this day."),
    "at-earliest": N_("It must not happen before this day."),
    "after": N_("%(length)s later: %(day)s."),
    "before": N_("%(length)s earlier: %(day)s."),
}


# ---------------------------------------------------------------- calendar


@bp.route("/competitions/<slug>/calendar", methods=["GET", "POST"])
@access.roles(*READERS)
def calendar(slug: str) -> str | Response:
    session, now, zone = web.session(), web.now(), web.settings().zone
    competition = queries.competition(session, slug)
    words = preparing.words(competition, current_language())
    events = {event: words.event(event) for event in preparing.event_names(competition) if event != "notice-published"}
    dates = queries.events(competition)
    data: dict[str, Any] = {
        preparing.field_of(event): at.astimezone(zone).replace(tzinfo=None) for event, at in dates.items() if event in events
    }
    form = calendar_form(events, data={**data, "holidays": competition.holidays})
    form["holidays"].choices = options(
        [("", gettext("none: weekends only")), *((name, _table_title(name)) for name in queries.holiday_names(session))]
    )
    if request.method == "POST" and form.validate_on_submit():
        try:
            require_setter(slug)
            with web.writing() as writing:
                found = queries.competition(writing, slug)
                if (form["holidays"].data or "") != found.holidays:
                    preparing.choose_holidays(writing, found, form["holidays"].data or "")
                preparing.plan_dates(
                    writing,
                    found,
                    _entered(form, events, dates),
                    zone=zone,
                    by=access.actor().account_id,
                    now=now,
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The calendar is kept."))
            return redirect(url_for("competitions.calendar", slug=slug))
    frozen = preparing.is_frozen(competition, now)
    fixed = set(preparing.announced_events(competition)) if frozen else set()
    return render_template(
        "competitions/calendar.html",
        competition=competition,
        form=form,
        fields=[form[preparing.field_of(event)] for event in events if event not in fixed],
        fixed=[(events[event], dates.get(event)) for event in events if event in fixed],
        groups=_groups([row(one, words) for one in queries.deadlines(session, competition, zone=zone, now=now)]),
        states=STATES,
        state_tags=STATE_TAGS,
        may_set=may_set(slug),
    )


def _table_title(name: str) -> str:
    table = queries.holiday_table(web.session(), name)
    return in_reader_language(table.title.model_dump()) if table is not None else name


def _entered(form: Any, events: dict[str, str], dates: dict[str, datetime]) -> dict[str, datetime | None]:
    """The moments of the form in UTC; one that shows the same minute as before is left as it is, seconds and all."""
    zone = web.settings().zone
    found: dict[str, datetime | None] = {}
    for event in events:
        name = preparing.field_of(event)
        if name not in request.form:
            continue
        entered = form[name].data
        before = dates.get(event)
        if entered is None:
            found[event] = None
            continue
        at = entered.replace(tzinfo=zone).astimezone(UTC)
        same = before is not None and before.replace(second=0, microsecond=0) == at.replace(second=0, microsecond=0)
        found[event] = before if same else at
    return {event: at for event, at in found.items() if at is not None or event in dates}


def _groups(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The course itself first, then appeals, then how long data is kept."""
    titles = {
        "course": N_("Deadlines of the regulation"),
        "appeals": N_("Times to contest"),
        "retention": N_("How long data is kept"),
    }
    return [(title, found) for name, title in titles.items() if (found := [one for one in rows if one["group"] == name])]


def row(deadline: Deadline, words: Words) -> dict[str, Any]:
    """A deadline as the page shows it: what, until when, how it came about."""
    explained = []
    for step in deadline.steps:
        params: dict[str, object] = dict(step.params)
        code = step.code
        if "event" in params:
            params["event"] = words.event(str(params["event"]))
        if "day" in params:
            params["day"] = language.day(date.fromisoformat(str(params["day"])))
        if code == "offset":
            code = params["direction"]  # type: ignore[assignment]
            params["length"] = words.length(int(str(params["length"])), str(params["unit"]))
        elif code == "size":
            params["length"] = words.length(int(str(params["length"])), deadline.rule.unit)
        elif code == "bound":
            code = params["bound"]  # type: ignore[assignment]
        explained.append(words.say(STEPS[code], **params))
    if deadline.years_without_holidays:
        years = ", ".join(str(year) for year in deadline.years_without_holidays)
        explained.append(words.say(N_("No holidays are entered for %(years)s; only weekends were left out."), years=years))
    kept = deadline.rule.event.startswith("kept-until:")
    rule = next((one for one in words.regulation.retention if deadline.rule.event == f"kept-until:{one.id}"), None)
    return {
        "id": deadline.rule.id,
        "group": "retention" if kept else "appeals" if deadline.rule.event.startswith("appeals-") else "course",
        "label": words.say(DATA[rule.data]) if rule is not None else words.label(deadline.rule.label),
        "event": words.say(N_("kept until then")) if kept else words.event(deadline.rule.event),
        "latest": deadline.rule.bound == "at-latest",
        "day": deadline.day,
        "state": deadline.state,
        "forecast": deadline.forecast,
        "steps": explained,
    }


@bp.route("/competitions/holidays", methods=["GET", "POST"])
@access.roles("hr-officer", "system-administrator")
def holidays() -> str | Response:
    """Tables of holidays of the institution."""
    form = HolidaysForm()
    if form.validate_on_submit():
        upload = request.files.get("file")
        data = upload.read(MAX_BYTES + 1) if upload is not None else b""
        try:
            if not data:
                raise Refused(N_("Choose the file."), field="file")
            with web.writing() as session:
                preparing.add_holidays(
                    session, name=form.name.data or "", toml=data, by=access.actor().account_id, now=web.now()
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The table is kept."))
            return redirect(url_for("competitions.holidays"))
    tables = [(name, queries.holiday_table(web.session(), name)) for name in queries.holiday_names(web.session())]
    return render_template("competitions/holidays.html", form=form, tables=tables)


# ---------------------------------------------------------------- phases


@bp.get("/competitions/<slug>/course")
@access.roles(*READERS)
def course_page(slug: str) -> str:
    return _course(slug, ConfirmForm(formdata=None))


@bp.post("/competitions/<slug>/course")
@access.roles(*SETTERS)
def advance(slug: str) -> str | Response:
    form = ConfirmForm()
    try:
        with web.writing() as session:
            course.advance(
                session,
                queries.competition(session, slug),
                zone=web.settings().zone,
                by=access.actor().account_id,
                now=web.now(),
            )
    except Refused as refusal:
        form.refuse(refusal)
        return _course(slug, form)
    web.say(N_("The next phase has begun."))
    return redirect(url_for("competitions.course_page", slug=slug))


def _course(slug: str, form: ConfirmForm) -> str:
    session, now, zone = web.session(), web.now(), web.settings().zone
    competition = queries.competition(session, slug)
    words = preparing.words(competition, current_language())
    step = course.next_step(competition)
    needs = course.needs(session, competition, step, zone=zone, now=now) if step is not None else []
    stopped = any(one.standing in ("postponed", "suspended") for one in competition.standings)
    pointless = {kind for kind, sense in (("resume", stopped), ("correct", preparing.is_frozen(competition, now))) if not sense}
    allowed = [kind for kind in decisions.KINDS if decisions.levels(competition, kind) and kind not in pointless]
    return render_template(
        "competitions/course.html",
        competition=competition,
        form=form,
        position=queries.present(competition),
        step=step,
        needs=[(one, words.named("stage", one.stage) if one.stage else "") for one in needs],
        stage_of=lambda phase: words.named("stage", phase.stage) if phase.stage else "",
        history=[(record, _phase_name(competition, record.phase)) for record in reversed(competition.phases)],
        decisions=list(reversed(competition.decisions)),
        allowed=allowed if queries.phase_kind(competition) not in ("draft", "final") else [],
        titles=TITLES,
        done=DONE,
        may_lead=may_set(slug),
        may_decide=any(access.actor().holds(role, slug) for role in DECIDERS),
        clocked=course.BY_CLOCK.get(queries.phase(competition)),
    )


def _phase_name(competition: Competition, name: str) -> phases.Phase:
    return phases.phase(queries.regulation(competition), name)


# ---------------------------------------------------------------- decisions


@bp.route("/competitions/<slug>/decisions/new/<kind>", methods=["GET", "POST"])
@access.roles(*DECIDERS)
def decide(slug: str, kind: str) -> str | Response:
    session, now, zone = web.session(), web.now(), web.settings().zone
    competition = queries.competition(session, slug)
    chosen = next((one for one in decisions.KINDS if one == kind), None)
    if chosen is None or not decisions.levels(competition, chosen):
        raise NotFound()
    words = preparing.words(competition, current_language())
    dated = [] if chosen in ("suspend", "annul", "continue") else preparing.announced_events(competition)
    events = {event: words.event(event) for event in dated}
    names = tuple(notice_document.TEXTS) if chosen == "correct" else ()
    form = decision_form(events, names)
    form["level"].choices = options([(level, gettext(LEVELS[level])) for level in decisions.levels(competition, chosen)])
    form["posts"].choices = options(
        [(post.code, f"{post.code} – {in_reader_language(post.title)}") for post in competition.posts]
    )
    form["part"].choices = options(
        [("", gettext("none")), *((part.id, words.label(part.label)) for part in queries.regulation(competition).parts)]
    )
    if request.method == "GET":
        form["level"].data = decisions.levels(competition, chosen)[0]
        for event in events:
            at = queries.date_of(competition, event)
            form[preparing.field_of(event)].data = at.astimezone(zone).replace(tzinfo=None) if at is not None else None
        present = queries.notice_texts(session, competition.id)
        for name in names:
            for field, one in zip(text_fields(form, name), language.LANGUAGES, strict=True):
                field.data = present.get(name, {}).get(one, "")
    if form.validate_on_submit():
        try:
            with web.writing() as writing:
                found = queries.competition(writing, slug)
                number = decisions.propose_decision(
                    writing,
                    found,
                    chosen,
                    _subject(form, found, events, names, queries.notice_texts(writing, found.id)),
                    number=form["number"].data or "",
                    decided_on=form["decided_on"].data,
                    reason=form["reason"].data or "",
                    announcement={"vi": form["announcement_vi"].data or "", "en": form["announcement_en"].data or ""},
                    zone=zone,
                    by=access.actor().account_id,
                    now=now,
                    language=current_language(),
                ).id
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The decision is proposed. It is carried out when another person has approved it."))
            return redirect(url_for("accounts.approval", number=number))
    terms = decisions.terms(competition, chosen)
    return render_template(
        "competitions/decide.html",
        competition=competition,
        kind=chosen,
        form=form,
        title=TITLES[chosen],
        dates=[form[preparing.field_of(event)] for event in events],
        texts=[(notice_document.TEXTS[name], text_fields(form, name)) for name in names],
        levels=decisions.levels(competition, chosen),
        decider=words.named("role", decisions.decider(competition, chosen)),
        approvers=words.names("role", terms.roles),
        people=terms.people,
        affected=len(oracles.affected(session, competition, [post.code for post in competition.posts])),
    )


def _subject(
    form: Any, competition: Competition, events: dict[str, str], names: tuple[str, ...], texts: dict[str, dict[str, str]]
) -> Subject:
    """What was entered, without what stayed as it was."""
    level = form["level"].data
    moved = {
        event: at
        for event, at in _entered(form, events, queries.events(competition)).items()
        if at is not None and at != queries.date_of(competition, event)
    }
    changed = {
        name: text for name, text in texts_of(form, names).items() if text != {"vi": "", "en": "", **texts.get(name, {})}
    }
    return Subject(
        level=level,
        posts=tuple(form["posts"].data or ()) if level == "post" else (),
        part=(form["part"].data or None) if level in ("part", "sitting") else None,
        sitting=(form["sitting"].data or None) if level == "sitting" else None,
        dates=moved,
        texts=changed,
        repeat=bool(form["repeat"].data) and level in ("part", "sitting"),
    )
