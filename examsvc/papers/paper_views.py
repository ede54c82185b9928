"""The papers of a competition: assembling, reading, swapping, approving, printing, and what is decided on them afterwards."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from examsvc.base import access, charts, language, pages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.papers import approval, custody, operations, oracles, paper_lint, queries, rules, statistics
from examsvc.papers.blueprint import (
    OFFICE,
    READERS,
    SETTERS,
    bp,
    competition,
    form_of,
    me,
    media_prefix,
    reading,
    shown,
)
from examsvc.papers.expectation import ABILITIES, Expectation
from examsvc.papers.forms import (
    KINDS,
    LEVELS,
    AssembleForm,
    ReasonForm,
    SwapForm,
)
from examsvc.papers.models import Form

ALTERNATIVES = 20
"""Questions shown at once from which one may come in, the likest to the one that goes first."""
STATES = {
    "draft": N_("draft"),
    "approved": N_("approved, being sealed"),
    "sealed": N_("sealed"),
    "opened": N_("opened"),
    "withdrawn": N_("withdrawn"),
    "replaced": N_("replaced by the spare"),
}
RULES = {
    "redistribute": N_("its marks go to the other questions"),
    "full-marks": N_("everybody gets its marks"),
    "drop": N_("its marks no longer count"),
}


@bp.get("/")
@access.roles(*READERS, *OFFICE, "custodian")
def index(slug: str) -> str:
    """Where the paper of every part stands; nothing of its questions."""
    return _index_page(slug, AssembleForm(formdata=None))


def _index_page(slug: str, assemble: AssembleForm, drawing: str = "") -> str:
    of = competition(slug)
    parts: list[dict[str, Any]] = []
    for part in queries.seated_parts(of):
        versions = queries.blueprints(web.session(), of.id, part.id)
        forms = queries.forms(web.session(), of.id, part.id)
        parts.append(
            {
                "part": part,
                "stage": competitions.regulation(of).stage_of(part.id),
                "blueprint": versions[0] if versions else None,
                "forms": [one for one in forms if one.state not in ("withdrawn", "replaced")],
                "gone": [one for one in forms if one.state in ("withdrawn", "replaced")],
                "force": queries.papers_in_force(web.session(), of.id, part.id),
                "shifts": queries.shifts(web.session(), of.id, part.id),
                "bell": oracles.bell(web.session(), of.id, part.id),
            }
        )
    actor = access.actor()
    return render_template(
        "papers/index.html",
        competition=of,
        parts=parts,
        states=STATES,
        titled=titled,
        reader=any(actor.holds(role, slug) for role in READERS),
        setter=any(actor.holds(role, slug) for role in SETTERS),
        chair=actor.holds("council-chair", slug),
        assemble=assemble,
        drawing=drawing,
        replace=ReasonForm(formdata=None),
        rule=competitions.regulation(of).paper,
        waiting={one.id: approval.waiting(web.session(), one, web.now()) for row in parts for one in row["forms"]},
    )


@bp.post("/parts/<part>/assemble")
@access.roles(*SETTERS)
def assemble(slug: str, part: str) -> Response | tuple[str, int]:
    """Draws the papers of a part; where the bank cannot give them, the reason stands above what was typed."""
    form = AssembleForm()
    try:
        if not form.validate_on_submit():
            raise Refused(N_("Enter a seed of at most 60 characters, and for how many sittings papers are drawn, from 1 to 9."))
        made = _assemble(slug, part, form.seed.data or "", form.shifts.data or 1)
    except Refused as refusal:
        if isinstance(refusal, NotFound):
            raise
        form.refuse(refusal)
        return _index_page(slug, form, part), refusal.status
    web.say(N_("%(number)d papers are drawn. Read each, then ask for its approval."), number=len(made))
    return redirect(url_for("papers.form", slug=slug, code=made[0]))


def _assemble(slug: str, part: str, seed: str, shifts: int) -> list[str]:
    """The codes of the papers that were drawn."""
    of = competition(slug)
    versions = queries.blueprints(web.session(), of.id, part)
    if not versions:
        raise Refused(N_("Make the blueprint first."))
    every = operations.places(spare=competitions.regulation(of).paper.spare, shifts=shifts)
    fixed = {one.place for one in queries.all_standing(web.session(), of.id, part) if one.state != "draft"}
    wanted = [place for place in every if place not in fixed] or every
    version = versions[0].version
    drawn = operations.draw_forms(web.session(), of, blueprint=versions[0], seed=seed, roles=wanted)  # slow, so before
    with web.writing() as session:
        of = competitions.competition(session, slug)
        blueprint = queries.blueprints(session, of.id, part)[0]
        if blueprint.version != version:
            raise Refused(N_("The blueprint has changed while the papers were drawn. Draw again."))
        made = operations.assemble_forms(
            session, of, blueprint=blueprint, seed=seed, roles=wanted, by=me(), now=web.now(), drawn=drawn
        )
        return [one.code for one in made.values()]


@bp.get("/forms/<code>")
@access.roles(*READERS)
def form(slug: str, code: str) -> str:
    """The paper against its blueprint: counts, marks, words, findings; then every question with its key."""
    return _form_page(slug, code, SwapForm(formdata=None))


def _form_page(slug: str, code: str, swap: SwapForm, exchange: operations.Exchange | None = None) -> str:
    found = form_of(slug, code)
    if found.slots:
        reading(slug, "paper", code)
        found = form_of(slug, code)
    cells = queries.cells(found.blueprint)
    media = media_prefix(slug)
    open_ = bool(found.slots)
    asked = queries.questions(found)
    per_line = [sum(1 for slot in found.slots if slot.line == line) for line in range(1, len(cells) + 1)]
    part = queries.seated_part(found.competition, found.part)
    actor = access.actor()
    return render_template(
        "papers/form.html",
        competition=found.competition,
        form=found,
        part=part,
        state=found.state,
        states=STATES,
        titled=titled,
        rules=RULES,
        sums=paper_lint.summary(asked, cells) if open_ else None,
        expected=_expected(found) if open_ else [],
        abilities=ABILITIES,
        demands=queries.demands(found.blueprint),
        chart=_information_chart(found) if open_ else None,
        cells=list(zip(cells, per_line, strict=True)),
        findings=operations.findings(web.session(), found) if open_ and found.state == "draft" else [],
        errors=[one for one in operations.findings(web.session(), found) if one.severity == "error"]
        if open_ and found.state == "draft"
        else [],
        slots=[(slot, shown(slot.item_version, media)) for slot in found.slots],
        neutralised=queries.neutralised(web.session(), found.id),
        corrected=queries.corrected(web.session(), found.id),
        swap=swap,
        exchange=exchange,
        waiting=approval.waiting(web.session(), found, web.now()),
        setter=any(actor.holds(role, slug) for role in SETTERS),
        me=me(),
        withdraw=ReasonForm(formdata=None),
        tongues=competitions.regulation(found.competition).languages,
        kinds=KINDS,
        levels=LEVELS,
    )


def _expected(found: Form) -> list[tuple[Form, Expectation]]:
    """The form and the other ones of the part whose questions are at hand: beside each other."""
    others = queries.all_standing(web.session(), found.competition_id, found.part)
    beside = [found, *(one for one in others if one is not found and one.slots)]
    return [(one, operations.expectation(web.session(), one)) for one in beside]


def titled(form: Form) -> str:
    """What a paper is for, in the reader's language: "main paper", "spare paper, sitting 2"."""
    role = str(gettext(rules.ROLES[form.role]))
    return role if form.shift == 1 else str(gettext(rules.SHIFTED)) % {"role": role, "number": form.shift}


def _information_chart(found: Form) -> Any:
    """Information of the forms at five abilities as bars; None where no question has parameters."""
    rows = _expected(found)
    most = max((one for _, expected in rows for one in expected.information), default=0.0)
    if not most:
        return None
    tongue = pages.current_language()
    bars = [
        charts.Bar(
            f"{language.number(f'{ability:+.0f}', tongue)} · {titled(form)}",
            ((value / most, ""),),
            language.number(f"{value:.2f}", tongue),
        )
        for place, ability in enumerate(ABILITIES)
        for form, expected in rows
        if expected.information
        for value in (expected.information[place],)
    ]
    return charts.bars(gettext("Information of the paper at five abilities"), bars, charts.Axis(0, 1))


@bp.route("/forms/<code>/questions/<int:number>/swap", methods=["GET", "POST"])
@access.roles(*SETTERS)
def swap(slug: str, code: str, number: int) -> str | Response:
    """Another question in place of one: candidates for it, then the consequences, then the exchange with a reason."""
    found = form_of(slug, code)
    if found.state != "draft":
        raise Refused(N_("This paper is approved; its questions stay as they are. Withdraw it to change it."))
    slot = next((one for one in found.slots if one.number == number), None)
    if slot is None:
        raise NotFound()
    form = SwapForm() if request.method == "POST" else SwapForm(request.args if "item" in request.args else None)
    exchange = None
    try:
        if form.item.data:
            exchange = operations.consider_swap(web.session(), found, number, form.item.data)
        if request.method == "POST" and form.validate_on_submit():
            with web.writing() as session:
                operations.swap_item(
                    session,
                    queries.form_of(session, competition(slug).id, code),
                    number,
                    form.item.data or "",
                    reason=form.reason.data or "",
                    by=me(),
                    now=web.now(),
                )
            web.say(N_("Question %(number)d is exchanged."), number=number)
            return redirect(url_for("papers.form", slug=slug, code=code))
    except Refused as refusal:
        form.refuse(refusal)
    reading(slug, "paper", f"{code} · {number}")
    found = form_of(slug, code)
    slot = next(one for one in found.slots if one.number == number)
    cell = queries.cells(found.blueprint)[slot.line - 1]
    taken = {one.item_version.identifier for one in found.slots}
    part = queries.seated_part(found.competition, found.part)
    stock = queries.stock(web.session(), found.blueprint.bank_id, part)
    seen = {one.identifier: one for one in statistics.candidates(web.session(), stock)}
    alternatives = [one for one in stock if cell.takes(seen[one.identifier]) and one.identifier not in taken]
    out = slot.item_version
    alternatives.sort(key=lambda one: (one.topic != out.topic, one.level != out.level, abs(one.words - out.words), one.identifier))
    page = max(1, request.args.get("page", 1, type=int))
    media = media_prefix(slug)
    coming = queries.versions(web.session(), found.blueprint.bank_id, exchange.come.identifier)[0] if exchange else None
    return render_template(
        "papers/swap.html",
        competition=found.competition,
        form_=found,
        slot=slot,
        part=part,
        form=form,
        shown=shown(slot.item_version, media),
        coming=shown(coming, media) if coming is not None else None,
        exchange=exchange,
        alternatives=[(one, queries.item(one), seen[one.identifier]) for one in alternatives[(page - 1) * ALTERNATIVES : page * ALTERNATIVES]],
        page=page,
        pages=-(-len(alternatives) // ALTERNATIVES),
        kinds=KINDS,
        levels=LEVELS,
    )


@bp.post("/forms/<code>/approve")
@access.roles(*READERS)
def ask_approval(slug: str, code: str) -> Response:
    with web.writing() as session:
        approval.ask_approval(
            session,
            queries.form_of(session, competition(slug).id, code),
            by=me(),
            now=web.now(),
            language=pages.current_language(),
        )
    web.say(N_("Your approval is recorded. The paper waits for another person."))
    return redirect(url_for("papers.form", slug=slug, code=code))


@bp.post("/forms/<code>/withdraw")
@access.roles(*READERS)
def withdraw(slug: str, code: str) -> Response:
    form = ReasonForm()
    if not form.validate_on_submit():
        raise Refused(N_("Write the reason."))
    with web.writing() as session:
        operations.withdraw_form(
            session,
            queries.form_of(session, competition(slug).id, code),
            reason=form.reason.data or "",
            by=me(),
            now=web.now(),
        )
    web.say(N_("The paper is withdrawn."))
    return redirect(url_for("papers.index", slug=slug))


@bp.post("/forms/<code>/replace")
@access.roles("council-chair", "custodian")
def replace(slug: str, code: str) -> Response:
    form = ReasonForm()
    if not form.validate_on_submit():
        raise Refused(N_("Write the reason."))
    with web.writing() as session:
        custody.ask_replacement(
            session,
            queries.form_of(session, competition(slug).id, code),
            reason=form.reason.data or "",
            by=me(),
            now=web.now(),
            language=pages.current_language(),
        )
    web.say(N_("The replacement is asked for. Another person approves it; then the custodians open the spare."))
    return redirect(url_for("papers.index", slug=slug))


@bp.get("/readings")
@access.roles(*READERS, "council-chair", "supervisor")
def readings(slug: str) -> str:
    """Who read what of the papers, and when."""
    return render_template(
        "papers/readings.html",
        competition=competition(slug),
        rows=queries.readings(web.session(), slug),
        kinds={
            "bank": gettext("list of a bank"),
            "item": gettext("question"),
            "paper": gettext("paper"),
            "print": gettext("printed paper"),
            "guide": gettext("key and guide"),
            "export": gettext("export of a bank"),
        },
    )
