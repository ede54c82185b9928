"""Public pages of draws: each one repeated step by step before the reader's eyes; and what its participants do on them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from examsvc.base import access, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotAllowed, NotFound, Refused
from examsvc.ledger import canonical, draw_program, draw_records, drawing, oracles, queries
from examsvc.ledger.draw_forms import CommitForm, OutsideForm, RevealForm
from examsvc.ledger.draw_records import DrawRecord
from examsvc.ledger.oracles import Place

bp = Blueprint("draws", __name__, template_folder="templates", url_prefix="/competitions/<slug>/draws")

PURPOSES = {
    "assembly": N_("Which questions stand in the paper"),
    "seats": N_("Who sits where"),
    "allocation": N_("Who marks which script"),
    "order": N_("Order of the hearings"),
    "lots": N_("Lots between equals"),
    "calibration": N_("Scripts that all mark together"),
    "sample": N_("A sample"),
}
STATES = {
    "announced": N_("secret numbers are awaited"),
    "committed": N_("what is drawn from is awaited"),
    "fixed": N_("secret numbers are being revealed"),
    "revealed": N_("the outside value is awaited"),
    "drawn": N_("drawn"),
    "void": N_("void"),
}
CAUSES = {
    "withheld": N_("a secret number was withheld"),
    "invalid": N_("a secret number was not the one committed to"),
    "late": N_("the steps came too late"),
    "source": N_("the outside value was not published as announced"),
}
READERS = ("council-chair", "council-secretary", "council-member", "hr-officer", "supervisor")
"""Who may type in an outside value, beside those who take part."""
VOIDERS = ("council-chair", "council-secretary", "chief-examiner")
"""Who may ask to declare a draw void."""
MOST_STEPS = 60
MOST_FILE = 4096


def _place(slug: str) -> Place:
    """A competition whose draws this reader may see: withheld ones only for those who may inspect them."""
    source, session = oracles.competitions(), web.session()
    place = source.place(session, slug)
    actor: Actor | None = g.get("actor")
    if place is None or queries.opened(session, slug) is None:
        raise NotFound()
    if not place.public and (actor is None or not source.may_inspect(session, slug, actor)):
        raise NotFound()
    return place


def _record(slug: str, code: str) -> DrawRecord:
    found = draw_records.draw_of(web.session(), slug, code)
    if found is None:
        raise NotFound()
    return found


@bp.get("")
@access.public
def index(slug: str) -> str:
    """Every draw of a competition, how far it is, and whether it comes out the same when it is repeated."""
    place = _place(slug)
    return render_template(
        "ledger/draws.html",
        competition=place.competition,
        place=place,
        found=draw_records.draws_of(web.session(), slug),
        purposes=PURPOSES,
        states=STATES,
    )


@bp.get("/<code>")
@access.public
def draw(slug: str, code: str) -> str:
    """One draw, made again here and now from what stands in the record."""
    return _page(slug, code)


def _page(slug: str, code: str, refused: Any = None) -> str:
    place, found = _place(slug), _record(slug, code)
    session = web.session()
    actor: Actor | None = g.get("actor")
    mine = next((one for one in found.participants if actor is not None and actor.code == one.code), None)
    shown = draw_records.disclosed(found, draw_records.published_posts(session, slug))
    moment = web.now()
    forms = {
        "commit": CommitForm(formdata=None),
        "reveal": RevealForm(formdata=None),
        "outside": OutsideForm(formdata=None),
    }
    if refused is not None:
        forms[refused[0]] = refused[1]
    return render_template(
        "ledger/draw.html",
        competition=place.competition,
        place=place,
        found=found,
        shown=shown,
        rows=_rows(found) if shown and found.state == "drawn" else [],
        steps=found.replay.steps[:MOST_STEPS] if shown and found.replay is not None else (),
        steps_in_all=len(found.replay.steps) if found.replay is not None else 0,
        program=draw_program.program(found.seed, found.task, found.parameters)
        if shown and found.seed and found.task and found.parameters is not None and found.state == "drawn"
        else None,
        purposes=PURPOSES,
        states=STATES,
        causes=CAUSES,
        forms=forms,
        mine=mine if not found.by_server else None,
        may_read=actor is not None and not found.by_server and _may_read(actor, slug, found),
        may_void=found.state not in ("drawn", "void")
        and not found.by_server
        and actor is not None
        and any(actor.holds(role, slug) for role in VOIDERS),
        out=found.published is not None and moment >= found.published,
        published=found.published or datetime.fromtimestamp(0, UTC),
    )


def _rows(found: DrawRecord) -> list[tuple[str, str]]:
    """What came out, line by line: place or thing on the left, what fell to it on the right."""
    match found.task:
        case "permutation" | "selection":
            return [(str(place), str(code)) for place, code in enumerate(found.result, start=1)]
        case "assignment":
            return [(str(item), str(place)) for item, place in found.result]
        case "allocation":
            return [(f"{row['script']} · {row['round']}", str(row["marker"])) for row in found.result]
    return []


def _may_read(actor: Actor, slug: str, found: DrawRecord) -> bool:
    return any(actor.holds(role, slug) for role in READERS) or any(one.code == actor.code for one in found.participants)


# -------------------------------------------------------------------------------- what participants do


@bp.post("/<code>/commitment")
@access.signed_in
def commit(slug: str, code: str) -> str | Response:
    """A participant commits to a secret number."""
    _place(slug)
    form = CommitForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                drawing.commit(
                    session, slug, code, commitment=form.commitment.data or "", by=access.actor().code, now=web.now()
                )
        except Refused as refusal:
            _about_the_form(refusal)
            form.refuse(refusal)
        else:
            web.say(N_("Your commitment is in. Keep the file; without it the draw becomes void, with your name."))
            return redirect(url_for("draws.draw", slug=slug, code=code))
    return _page(slug, code, ("commit", form))


@bp.post("/<code>/number")
@access.signed_in
def reveal(slug: str, code: str) -> str | Response:
    """A participant reveals the secret number."""
    _place(slug)
    form = RevealForm()
    if form.validate_on_submit():
        try:
            nonce, salt = _number(form.file.data.read(MOST_FILE + 1), code, access.actor().code)
            with web.writing() as session:
                drawing.reveal(session, slug, code, nonce=nonce, salt=salt, by=access.actor().code, now=web.now())
        except Refused as refusal:
            _about_the_form(refusal)
            form.refuse(refusal)
        else:
            web.say(N_("Your secret number is in the record."))
            return redirect(url_for("draws.draw", slug=slug, code=code))
    return _page(slug, code, ("reveal", form))


@bp.post("/<code>/outside")
@access.signed_in
def outside(slug: str, code: str) -> str | Response:
    """One of two people types in the outside value, each without seeing what the other typed."""
    _place(slug)
    found, actor, form = _record(slug, code), access.actor(), OutsideForm()
    if not _may_read(actor, slug, found):
        raise NotAllowed(N_("Only members of the council, the office and those who take part in the draw read the outside value."))
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                made = drawing.read_outside(
                    session, slug, code, value=form.value.data or "", place=form.place.data or "", by=actor.code, now=web.now()
                )
        except Refused as refusal:
            _about_the_form(refusal)
            form.refuse(refusal)
        else:
            web.say(N_("The draw is made.") if made else N_("Your reading is in. The draw is made when a second person has read the same."))
            return redirect(url_for("draws.draw", slug=slug, code=code))
    return _page(slug, code, ("outside", form))


def _about_the_form(refusal: Refused) -> None:
    """A refusal that no other input would turn, such as a step out of turn, is a page of its own."""
    if refusal.field is None:
        raise refusal


def _number(data: bytes, draw: str, person: str) -> tuple[str, str]:
    """Nonce and salt from the file that `examsvc custodian number` made."""
    wrong = Refused(N_("This is not the secret number that you committed to. Hand in the file that the command made for this draw."), field="file")
    try:
        value = canonical.decode(data.strip(), max_bytes=MOST_FILE)
    except canonical.CanonicalError:
        raise wrong from None
    if not isinstance(value, dict) or value.keys() != {"v", "draw", "person", "nonce", "salt"}:
        raise wrong
    if (value["v"], value["draw"], value["person"]) != (1, draw, person):
        raise wrong
    if not isinstance(value["nonce"], str) or not isinstance(value["salt"], str):
        raise wrong
    return value["nonce"], value["salt"]
