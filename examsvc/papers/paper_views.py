"""The papers of a competition: assembling, reading, swapping, approving, printing, and what is decided on them afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response as FlaskResponse
from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.base import access, charts, language, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import options
from examsvc.competitions import queries as competitions
from examsvc.papers import approval, corrections, custody, operations, oracles, paper_lint, printing, queries
from examsvc.papers.bank_views import MEDIA_HEADERS
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
    CorrectForm,
    NeutraliseForm,
    ReasonForm,
    SwapForm,
)
from examsvc.papers.models import Form, KeyCorrection, MediaFile

STATES = {
    "draft": N_("draft"),
    "approved": N_("approved, being sealed"),
    "sealed": N_("sealed"),
    "opened": N_("opened"),
    "withdrawn": N_("withdrawn"),
    "replaced": N_("replaced by the spare"),
}
ROLES = {"main": N_("main paper"), "spare": N_("spare paper")}
RULES = {
    "redistribute": N_("its marks go to the other questions"),
    "full-marks": N_("everybody gets its marks"),
    "drop": N_("its marks no longer count"),
}


@bp.get("/")
@access.roles(*READERS, *OFFICE, "custodian")
def index(slug: str) -> str:
    """Where the paper of every part stands; nothing of its questions."""
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
                "force": queries.paper_in_force(web.session(), of.id, part.id),
                "bell": oracles.bell(web.session(), of.id, part.id),
            }
        )
    actor = access.actor()
    return render_template(
        "papers/index.html",
        competition=of,
        parts=parts,
        states=STATES,
        roles=ROLES,
        reader=any(actor.holds(role, slug) for role in READERS),
        setter=any(actor.holds(role, slug) for role in SETTERS),
        chair=actor.holds("council-chair", slug),
        assemble=AssembleForm(formdata=None),
        replace=ReasonForm(formdata=None),
        rule=competitions.regulation(of).paper,
        waiting={one.id: approval.waiting(web.session(), one, web.now()) for row in parts for one in row["forms"]},
    )


@bp.post("/parts/<part>/assemble")
@access.roles(*SETTERS)
def assemble(slug: str, part: str) -> Response:
    form = AssembleForm()
    of = competition(slug)
    versions = queries.blueprints(web.session(), of.id, part)
    if not versions:
        raise Refused(N_("Make the blueprint first."))
    if not form.validate_on_submit():
        raise Refused(N_("Enter a seed of at most 60 characters: anyone who knows it can draw the same paper again."))
    roles = ("main", "spare") if competitions.regulation(of).paper.spare else ("main",)
    standing = {role: queries.standing(web.session(), of.id, part, role) for role in roles}
    wanted = [role for role, one in standing.items() if one is None or one.state == "draft"] or list(roles)
    seed, version = form.seed.data or "", versions[0].version
    drawn = operations.draw_forms(web.session(), of, blueprint=versions[0], seed=seed, roles=wanted)  # slow, so before
    with web.writing() as session:
        of = competitions.competition(session, slug)
        blueprint = queries.blueprints(session, of.id, part)[0]
        if blueprint.version != version:
            raise Refused(N_("The blueprint has changed while the papers were drawn. Draw again."))
        made = operations.assemble_forms(
            session, of, blueprint=blueprint, seed=seed, roles=wanted, by=me(), now=web.now(), drawn=drawn
        )
        first = next(iter(made.values())).code
    web.say(N_("%(number)d papers are drawn. Read each, then ask for its approval."), number=len(made))
    return redirect(url_for("papers.form", slug=slug, code=first))


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
        roles=ROLES,
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
    """The form and, where its questions are at hand too, the other one of the part: beside each other."""
    other = queries.standing(web.session(), found.competition_id, found.part, "spare" if found.role == "main" else "main")
    both = [found, *([other] if other is not None and other.slots else [])]
    return [(one, operations.expectation(web.session(), one)) for one in both]


def _information_chart(found: Form) -> Any:
    """Information of the forms at five abilities as bars; None where no question has parameters."""
    rows = _expected(found)
    most = max((one for _, expected in rows for one in expected.information), default=0.0)
    if not most:
        return None
    tongue = pages.current_language()
    bars = [
        charts.Bar(
            f"{language.number(f'{ability:+.0f}', tongue)} · {gettext(ROLES[form.role])}",
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
    reading(slug, "paper", f"{code}, question {number}")
    found = form_of(slug, code)
    slot = next(one for one in found.slots if one.number == number)
    cell = queries.cells(found.blueprint)[slot.line - 1]
    taken = {one.item_version.identifier for one in found.slots}
    part = queries.seated_part(found.competition, found.part)
    alternatives = [
        one
        for one in queries.stock(web.session(), found.blueprint.bank_id, part)
        if cell.takes(queries.candidate(one)) and one.identifier not in taken
    ]
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
        alternatives=[(one, queries.item(one)) for one in alternatives[:200]],
        kinds=KINDS,
        levels=LEVELS,
    )


@bp.post("/forms/<code>/approve")
@access.roles(*READERS)
def ask_approval(slug: str, code: str) -> Response:
    with web.writing() as session:
        approval.ask_approval(
            session, queries.form_of(session, competition(slug).id, code), by=me(), now=web.now()
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
        )
    web.say(N_("The replacement is asked for. Another person approves it; then the custodians open the spare."))
    return redirect(url_for("papers.index", slug=slug))


# -------------------------------------------------------------------------------- printing


@bp.get("/forms/<code>/paper.pdf")
@access.roles(*READERS, "chief-invigilator")
def paper_pdf(slug: str, code: str) -> Response:
    """For setters and approvers at any time that the questions are at hand; for the hall once the custodians have opened it."""
    found = form_of(slug, code)
    reader = any(access.actor().holds(role, slug) for role in READERS)
    if not found.slots or (not reader and found.opened_at is None):
        raise NotFound()
    tongue = _tongue(found)
    large = request.args.get("large") == "1"
    reading(slug, "print", f"{code}, {tongue}")
    found = form_of(slug, code)
    data = printing.paper_pdf(
        found,
        queries.seated_part(found.competition, found.part),
        queries.questions(found),
        tongue,
        media=_media(found),
        institution=_institution(tongue),
        moment=(found.approved_at or found.made_at).astimezone(web.settings().zone),
        large=large,
        draft=found.state == "draft",
    )
    return _pdf(data, f"{code}{'-large' if large else ''}-{tongue}.pdf")


@bp.get("/forms/<code>/guide.pdf")
@access.roles(*READERS)
def guide_pdf(slug: str, code: str) -> Response:
    """Key and marking guide."""
    found = form_of(slug, code)
    if not found.slots:
        raise NotFound()
    tongue = _tongue(found)
    reading(slug, "guide", f"{code}, {tongue}")
    found = form_of(slug, code)
    data = printing.guide_pdf(
        found,
        queries.seated_part(found.competition, found.part),
        queries.questions(found),
        tongue,
        institution=_institution(tongue),
        moment=(found.approved_at or found.made_at).astimezone(web.settings().zone),
    )
    return _pdf(data, f"{code}-guide-{tongue}.pdf")


def _tongue(found: Form) -> str:
    asked = request.args.get("language", "")
    languages = competitions.regulation(found.competition).languages
    return asked if asked in languages else languages[0]


def _institution(tongue: str) -> str:
    settings = web.settings()
    return settings.institution_vi if tongue == "vi" else settings.institution_en


def _media(found: Form) -> dict[str, MediaFile]:
    digests = {digest for slot in found.slots for digest in slot.item_version.media}
    return {digest: queries.medium(web.session(), digest) for digest in sorted(digests)}


def _pdf(data: bytes, name: str) -> Response:
    headers = {**MEDIA_HEADERS, "Content-Disposition": f'inline; filename="{name}"'}
    return FlaskResponse(data, mimetype="application/pdf", headers=headers)


# -------------------------------------------------------------------------------- after the sitting


@bp.get("/forms/<code>/faults")
@access.roles(*READERS, "council-chair", "chief-examiner")
def faults(slug: str, code: str) -> str:
    """Questions found faulty, and keys found wrong, after the paper was opened; questions are shown to their makers only."""
    return _faults_page(slug, code, NeutraliseForm(formdata=None), CorrectForm(formdata=None))


def _faults_page(slug: str, code: str, neutralise: NeutraliseForm, correct: CorrectForm) -> str:
    found = form_of(slug, code)
    if found.opened_at is None:
        raise NotFound()
    reader = any(access.actor().holds(role, slug) for role in READERS)
    media = media_prefix(slug)
    number = request.args.get("number", type=int) or (int(request.form["number"]) if request.form.get("number", "").isdigit() else None)
    chosen = next((slot for slot in found.slots if slot.number == number), None)
    if reader and chosen is not None:
        reading(slug, "paper", f"{code}, question {number}")
        found = form_of(slug, code)
        chosen = next(slot for slot in found.slots if slot.number == number)
    versions = corrections.correctable(web.session(), found, chosen.number) if chosen is not None else []
    correct.version.choices = options((str(one.id), f"{one.digest[:16]}… · {one.added_at:%d/%m/%Y}") for one in versions)
    part = queries.seated_part(found.competition, found.part)
    return render_template(
        "papers/faults.html",
        competition=found.competition,
        form=found,
        part=part,
        rule=RULES[part.neutralised_item] if part.kind == "objective" else None,
        rules=RULES,
        changes=queries.changes_after(web.session(), found.id),
        is_correction=lambda one: isinstance(one, KeyCorrection),
        slot=chosen,
        shown=shown(chosen.item_version, media) if reader and chosen is not None else None,
        neutralise=neutralise,
        correct=correct,
        versions=versions,
        may_ask=any(
            access.actor().holds(role, slug)
            for role in competitions.approval_terms(found.competition, "change-after-lock").roles
        ),
    )


@bp.post("/forms/<code>/faults/neutralise")
@access.roles(*READERS, "council-chair", "chief-examiner")
def neutralise(slug: str, code: str) -> str | Response:
    form = NeutraliseForm()
    try:
        if form.validate_on_submit():
            with web.writing() as session:
                corrections.ask_neutralisation(
                    session,
                    queries.form_of(session, competition(slug).id, code),
                    _number(form.number.data),
                    reason=form.reason.data or "",
                    by=me(),
                    now=web.now(),
                )
            web.say(N_("The step is asked for. Another person approves it; then the answers are marked again."))
            return redirect(url_for("papers.faults", slug=slug, code=code))
    except Refused as refusal:
        if isinstance(refusal, NotFound):
            raise
        form.refuse(refusal)
    return _faults_page(slug, code, form, CorrectForm(formdata=None))


@bp.post("/forms/<code>/faults/correct")
@access.roles(*READERS, "council-chair", "chief-examiner")
def correct(slug: str, code: str) -> str | Response:
    form = CorrectForm()
    try:
        if form.validate_on_submit():
            with web.writing() as session:
                found = queries.form_of(session, competition(slug).id, code)
                number = _number(form.number.data)
                versions = {str(one.id): one for one in corrections.correctable(session, found, number)}
                if form.version.data not in versions:
                    raise Refused(N_("Choose a version."), field="version")
                corrections.ask_correction(
                    session,
                    found,
                    number,
                    version=versions[form.version.data],
                    reason=form.reason.data or "",
                    by=me(),
                    now=web.now(),
                )
            web.say(N_("The step is asked for. Another person approves it; then the answers are marked again."))
            return redirect(url_for("papers.faults", slug=slug, code=code))
    except Refused as refusal:
        if isinstance(refusal, NotFound):
            raise
        form.refuse(refusal)
    return _faults_page(slug, code, NeutraliseForm(formdata=None), form)


def _number(text: str | None) -> int:
    if not text or not text.isascii() or not text.isdigit():
        raise NotFound()
    return int(text)


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


# -------------------------------------------------------------------------------- tasks


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """What papers ask of this person now."""
    found: list[pages.Task] = []
    for of in competitions.announced(session):
        if slug and of.slug != slug:
            continue
        roles = {role for role in (*READERS, "council-chair", "custodian") if actor.holds(role, of.slug)}
        if roles and competitions.phase_kind(of) in OVER:
            continue
        if roles & set(SETTERS):
            found += _setter_tasks(session, of)
        if "custodian" in roles and queries.custodian_key(session, of.id, actor.account_id) is None:
            found.append(_task(of.slug, gettext("Hand in the public half of your key"), "papers.custodians"))
        if "council-chair" in roles:
            for stage in {competitions.regulation(of).stage_of(part.id).id for part in queries.seated_parts(of)}:
                if approval.unsealed(session, of, stage) and queries.custodians(session, of.id, stage) is None:
                    found.append(_task(of.slug, gettext("Name the custodians of the papers"), "papers.custodians"))
        if "custodian" in roles:
            found += _custodian_tasks(session, of, actor.account_id, now)
    return found


OVER = ("results", "appeals", "final")


def _task(slug: str, label: str, endpoint: str, *, detail: str = "", urgent: bool = False, **values: Any) -> pages.Task:
    return pages.Task(label=label, address=url_for(endpoint, slug=slug, **values), detail=detail, urgent=urgent)


def _setter_tasks(session: Session, of: Any) -> list[pages.Task]:
    found = []
    for part in queries.seated_parts(of):
        name = pages.in_reader_language(part.label.model_dump())
        main = queries.paper_in_force(session, of.id, part.id)
        if not queries.blueprints(session, of.id, part.id):
            found.append(_task(of.slug, gettext("Make the blueprint: %(part)s", part=name), "papers.blueprint", part=part.id))
        elif main is None:
            found.append(_task(of.slug, gettext("Draw the paper: %(part)s", part=name), "papers.index"))
        elif main.state == "draft":
            found.append(_task(of.slug, gettext("Read the drawn paper and ask for its approval: %(part)s", part=name), "papers.form", code=main.code))
    return found


def _custodian_tasks(session: Session, of: Any, account_id: int, now: datetime) -> list[pages.Task]:
    found = []
    for part in queries.seated_parts(of):
        form = queries.paper_in_force(session, of.id, part.id)
        if form is None or form.state != "sealed" or form.seal is None:
            continue
        share = next((one for one in form.seal.shares if one.account_id == account_id), None)
        moment = custody.opens_at(session, form)
        if share is None or share.delivered_at is not None or moment is None:
            continue
        found.append(
            _task(
                of.slug,
                gettext("Open the paper: %(part)s", part=pages.in_reader_language(part.label.model_dump())),
                "papers.share",
                code=form.code,
                urgent=now >= moment,
                detail=gettext("from %(when)s on", when=language.moment(moment, web.settings().zone)),
            )
        )
    return found
