"""Pages on which a competition is set up, step by step: regulation, clauses, posts, council, calendar, notice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.accounts import queries as accounts
from examsvc.base import access, language, web
from examsvc.base.errors import N_, Refused
from examsvc.base.forms import options
from examsvc.base.pages import current_language, in_reader_language
from examsvc.careers import queries as careers
from examsvc.competitions import (
    announcing,
    notice_document,
    operations,
    preparing,
    problem_words,
    queries,
)
from examsvc.competitions.blueprint import READERS, SETTERS, bp, may_set, require_setter
from examsvc.competitions.confirmations import clauses_to_confirm
from examsvc.competitions.forms import (
    NewForm,
    PostForm,
    RegulationForm,
)
from examsvc.competitions.lint_findings import CATALOGUE
from examsvc.competitions.models import Competition, RegulationDocument
from examsvc.competitions.regulation import (
    Problem,
    Regulation,
    RegulationError,
    preset_bytes,
    preset_names,
    read_preset,
    read_toml,
)
from examsvc.competitions.regulation_reading import MAX_BYTES
from examsvc.competitions.regulation_text import clause_text
from examsvc.ledger import keys
from examsvc.ledger.operations import REGISTRY

SEVERITIES = {"error": N_("must be mended"), "warning": N_("to be looked at"), "note": N_("for information")}


# ---------------------------------------------------------------- the steps


@dataclass(frozen=True)
class SetupStep:
    """One step of the set-up: ``state`` is done, open or waiting; ``ready`` when nothing before it is missing."""

    label: str
    address: str
    state: str
    detail: str = ""
    ready: bool = True


def steps(session: Session, competition: Competition, now: datetime) -> list[SetupStep]:
    """The steps in their order, each with what is still missing."""
    slug, zone = competition.slug, web.settings().zone
    day = now.astimezone(zone).date()
    pinned = competition.pinned_at is not None
    rules = queries.regulation(competition)
    counts = Counter(one.severity for one in announcing.findings(competition, day))
    waiting = () if pinned else queries.open_clauses(session, competition, day)
    requests = {one.kind for one in announcing.waiting(session, competition, _KINDS, now)}
    council = preparing.council_stands(session, competition, now)
    broken = [one for one in queries.deadlines(session, competition, zone=zone, now=now) if one.state == "broken"]
    dated = all(event in queries.events(competition) for event in preparing.announced_events(competition) if event in _needed(rules))
    gaps = notice_document.gaps(announcing.source_of(session, competition))
    witnesses = rules.witnesses

    def step(label: str, endpoint: str, done: bool, detail: str = "", request_kind: str = "", ready: bool = True) -> SetupStep:
        state = "waiting" if request_kind in requests else "done" if done else "open"
        return SetupStep(label, url_for(f"competitions.{endpoint}", slug=slug), state, detail, ready)

    found = [
        step(
            N_("Choose the regulation and look at what lint finds"),
            "setup_regulation",
            pinned or not counts["error"],
            gettext("%(errors)d errors, %(warnings)d warnings") % {"errors": counts["error"], "warnings": counts["warning"]},
        ),
        step(
            N_("Confirm the clauses that nobody has read in their source"),
            "clauses",
            not waiting,
            gettext("%(count)d clauses left") % {"count": len(waiting)} if waiting else "",
        ),
        step(N_("Posts and vacancies"), "posts", len(competition.posts) in rules.posts.posts_per_competition, _posts(competition)),
        step(N_("People and roles"), "staffing", _staffed(session, competition, now), ""),
        step(N_("Council"), "council", not council, gettext(council[0]) if council else "", preparing.ESTABLISH),
        step(N_("Calendar"), "calendar", dated and not broken, gettext("%(count)d deadlines are broken") % {"count": len(broken)} if broken else ""),
    ]
    if witnesses is not None:
        found.append(
            step(N_("Keys of the witnesses"), "witnesses", pinned or set(competition.witness_keys) == set(witnesses.names))
        )
    before = all(one.state == "done" for one in found[:3]) and (witnesses is None or found[-1].state == "done")
    found.append(step(N_("Pin the regulation"), "pinning", pinned, "", announcing.PIN, before))
    found.append(
        step(
            N_("Write and publish the notice"),
            "notice_setup",
            bool(competition.notices),
            gettext("%(count)d things are missing") % {"count": len(gaps)} if gaps else "",
            announcing.PUBLISH,
            all(one.state == "done" for one in found),
        )
    )
    return found


_KINDS = (preparing.ESTABLISH, announcing.PIN, announcing.PUBLISH)


def _needed(rules: Regulation) -> set[str]:
    return {
        "applications-opened",
        "applications-closed",
        *(f"exam-started:{stage}" for stage in notice_document.examined(rules)),
    }


def _posts(competition: Competition) -> str:
    number = len(competition.posts)
    return gettext("%(count)d posts") % {"count": number} if number else ""


def _staffed(session: Session, competition: Competition, now: datetime) -> bool:
    return all(
        len(accounts.holders(session, role.id, competition.slug, now)) >= role.people
        for role in queries.regulation(competition).roles
        if role.people
    )


def next_open(session: Session, competition: Competition, now: datetime) -> SetupStep | None:
    """The first step that is open and can be done."""
    return next((one for one in steps(session, competition, now) if one.state == "open" and one.ready), None)


@bp.get("/competitions/<slug>/setup")
@access.roles(*READERS)
def setup(slug: str) -> str:
    competition = queries.competition(web.session(), slug)
    return render_template(
        "competitions/setup.html",
        competition=competition,
        steps=steps(web.session(), competition, web.now()),
        waiting=announcing.waiting(web.session(), competition, (*_KINDS, announcing.RELEASE), web.now()),
        may_set=may_set(slug),
    )


# ---------------------------------------------------------------- a new competition


@bp.route("/competitions/new", methods=["GET", "POST"])
@access.roles("hr-officer", "system-administrator")
def new() -> str | Response:
    form = NewForm()
    form.preset.choices = _presets()
    problems: tuple[Problem, ...] = ()
    if form.validate_on_submit():
        try:
            rules, toml = _uploaded(form)
            settings, slug = web.settings(), form.slug.data or ""
            with web.writing() as session:
                by = access.actor().account_id
                document = operations.add_regulation(session, rules, by=by, now=web.now(), toml=toml)
                number = operations.propose_competition(
                    session,
                    slug=slug,
                    title={"vi": form.title_vi.data or "", "en": form.title_en.data or ""},
                    regulation=document,
                    identity=keys.identity(settings.log_key(), settings.host, slug),
                    registry=keys.identity(settings.log_key(), settings.host, REGISTRY),
                    by=by,
                    now=web.now(),
                    classified=bool(form.classified.data),
                    language=current_language(),
                ).id
        except RegulationError as error:
            problems = error.problems
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The competition is proposed. It exists once another officer has approved."))
            return redirect(url_for("accounts.approval", number=number))
    return render_template("competitions/new.html", form=form, problems=_spoken(problems), presets=_preset_rows())


def _presets() -> list[Any]:
    return options([("", gettext("Choose")), *((name, in_reader_language(read_preset(name).title.model_dump())) for name in preset_names())])


def _preset_rows() -> list[dict[str, Any]]:
    today = web.now().astimezone(web.settings().zone).date()
    rows = []
    for name in preset_names():
        rules = read_preset(name)
        rows.append(
            {
                "name": name,
                "title": in_reader_language(rules.title.model_dump()),
                "summary": in_reader_language(rules.summary.model_dump()),
                "example": rules.example,
                "in_force": rules.in_force.on(today),
                "open": len(clauses_to_confirm(rules, today)),
            }
        )
    return rows


def _uploaded(form: Any) -> tuple[Regulation, str]:
    """The regulation chosen or handed in, with its TOML; RegulationError with everything that is wrong."""
    upload = request.files.get("file")
    data = upload.read(MAX_BYTES + 1) if upload is not None and upload.filename else b""
    if data:
        return read_toml(data), data.decode("utf-8")
    if form.preset.data:
        return read_preset(form.preset.data), preset_bytes(form.preset.data).decode("utf-8")
    raise Refused(N_("Choose one of the regulations, or hand in your own."), field="preset")


def _spoken(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    """Place and sentence of each problem."""
    return [(one.path, problem_words.sentence(one, lambda text: str(gettext(text)))) for one in problems]


# ---------------------------------------------------------------- regulation, clauses


@bp.route("/competitions/<slug>/setup/regulation", methods=["GET", "POST"])
@access.roles(*READERS)
def setup_regulation(slug: str) -> str | Response:
    competition = queries.competition(web.session(), slug)
    form = RegulationForm()
    form.preset.choices = _presets()
    problems: tuple[Problem, ...] = ()
    if request.method == "POST" and form.validate_on_submit():
        try:
            require_setter(slug)
            rules, toml = _uploaded(form)
            with web.writing() as session:
                by = access.actor().account_id
                document: RegulationDocument = operations.add_regulation(session, rules, by=by, now=web.now(), toml=toml)
                operations.change_regulation(session, queries.competition(session, slug), document, now=web.now())
        except RegulationError as error:
            problems = error.problems
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The competition stands under this regulation now."))
            return redirect(url_for("competitions.setup_regulation", slug=slug))
    day = web.now().astimezone(web.settings().zone).date()
    return render_template(
        "competitions/setup_regulation.html",
        competition=competition,
        regulation=queries.regulation(competition),
        form=form,
        problems=_spoken(problems),
        findings=[
            {
                "path": one.path,
                "severity": one.severity,
                "sentence": gettext(CATALOGUE[one.code][1]) % one.params if one.params else gettext(CATALOGUE[one.code][1]),
            }
            for one in announcing.findings(competition, day)
            if one.code not in ("unverified-clause", "unverified-fields")
        ],
        severities=SEVERITIES,
        left=len(queries.open_clauses(web.session(), competition, day)) if competition.pinned_at is None else 0,
        may_set=may_set(slug),
    )


@bp.get("/competitions/<slug>/setup/clauses")
@access.roles(*READERS)
def clauses(slug: str) -> str:
    """The clauses one after the other; each is read in words before it is confirmed."""
    competition = queries.competition(web.session(), slug)
    day = web.now().astimezone(web.settings().zone).date()
    rules = queries.regulation(competition)
    words = preparing.words(competition, current_language())
    wanted = clauses_to_confirm(rules, day)
    given = {(one.path, one.digest): one for one in queries.confirmations(web.session(), competition.id)}
    rows = [
        {
            "path": one.path,
            "digest": one.digest,
            "text": clause_text(words, one.path, one.clause),
            "fields": one.fields,
            "reason": one.reason,
            "confirmation": given.get((one.path, one.digest)),
        }
        for one in wanted
    ]
    left = [row for row in rows if row["confirmation"] is None]
    at = request.args.get("at", "")
    chosen = next((row for row in rows if row["path"] == at), left[0] if left else None)
    return render_template(
        "competitions/clauses.html",
        competition=competition,
        rows=rows,
        left=left,
        chosen=chosen,
        skip=_after(left, chosen),
        may_set=may_set(slug) and competition.pinned_at is None,
    )


def _after(left: list[dict[str, Any]], chosen: dict[str, Any] | None) -> str | None:
    """The path of the open clause after this one."""
    paths = [row["path"] for row in left]
    if chosen is None or len(paths) < 2:
        return None
    place = paths.index(chosen["path"]) if chosen["path"] in paths else -1
    return str(paths[(place + 1) % len(paths)])


@bp.post("/competitions/<slug>/setup/clauses")
@access.roles(*SETTERS)
def confirm_clause(slug: str) -> Response:
    path, digest = request.form.get("path", ""), request.form.get("digest", "")
    with web.writing() as session:
        competition = queries.competition(session, slug)
        operations.confirm_clause(
            session, competition, path=path, digest=digest, by=access.actor().account_id, now=web.now()
        )
    return redirect(url_for("competitions.clauses", slug=slug))


# ---------------------------------------------------------------- posts


@bp.route("/competitions/<slug>/setup/posts", methods=["GET", "POST"])
@access.roles(*READERS)
def posts(slug: str) -> str | Response:
    session = web.session()
    competition = queries.competition(session, slug)
    rules = queries.regulation(competition).posts
    form = PostForm()
    day = web.now().astimezone(web.settings().zone).date()
    known = careers.positions_on(session, day)
    form.position.choices = options(
        [
            ("", gettext("typed by hand")),
            *((one.code, f"{one.code} – {in_reader_language(one.title)}, {in_reader_language(one.unit.name)}") for one in known),
        ]
    )
    form.level.choices = options(
        [("", gettext("Choose")), *((one.id, in_reader_language(one.label.model_dump())) for one in rules.levels)]
    )
    if request.method == "POST" and form.validate_on_submit():
        try:
            require_setter(slug)
            with web.writing() as writing:
                _add_post(writing, queries.competition(writing, slug), form)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The post is added."))
            return redirect(url_for("competitions.posts", slug=slug))
    return render_template(
        "competitions/posts.html",
        competition=competition,
        form=form,
        levels={one.id: in_reader_language(one.label.model_dump()) for one in rules.levels},
        may_set=may_set(slug) and competition.pinned_at is None,
    )


def _add_post(session: Session, competition: Competition, form: PostForm) -> None:
    position = careers.position(session, form.position.data) if form.position.data else None
    typed_title = {"vi": form.title_vi.data or "", "en": form.title_en.data or ""}
    typed_unit = {"vi": form.unit_vi.data or "", "en": form.unit_en.data or ""}
    title = {**(position.title if position else {}), **{k: v for k, v in typed_title.items() if v}}
    unit = {**(position.unit.name if position else {}), **{k: v for k, v in typed_unit.items() if v}}
    for what, texts in (("title", title), ("unit", unit)):
        for one in language.LANGUAGES:
            if not texts.get(one):
                raise Refused(N_("Write it in both languages; the notice needs both."), field=f"{what}_{one}")
    operations.add_post(
        session,
        competition,
        code=form.code.data or "",
        title=title,
        unit=unit,
        level=form.level.data or (position.level if position else ""),
        vacancies=form.vacancies.data or 0,
        position=position,
    )


@bp.post("/competitions/<slug>/setup/posts/<code>/remove")
@access.roles(*SETTERS)
def remove_post(slug: str, code: str) -> Response:
    with web.writing() as session:
        competition = queries.competition(session, slug)
        operations.remove_post(session, competition, queries.post(session, competition.id, code))
    web.say(N_("The post is removed."))
    return redirect(url_for("competitions.posts", slug=slug))
