"""Public pages of the record: who has seen how much of it, downloads, receipts and their check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Flask, g, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.base import access, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound
from examsvc.base.language import in_language, moment
from examsvc.ledger import (
    draw_views,
    duties,
    issuing,
    oracles,
    queries,
    receipt_checks,
    receipts,
    signing,
    witnessing,
)
from examsvc.ledger.forms import ReceiptForm
from examsvc.ledger.models import LogCheckpoint
from examsvc.ledger.operations import REGISTRY
from examsvc.ledger.oracles import Place
from examsvc.ledger.receipt_checks import Checked, Step
from examsvc.ledger.receipts import ReceiptError
from examsvc.settings import Settings

bp = Blueprint("ledger", __name__, template_folder="templates")



# ---------------------------------------------------------------- the record


@dataclass(frozen=True)
class Seen:
    """One line of the page: a witness, how much of the log it has signed and when, and what stands in the way."""

    names: tuple[str, ...]
    key: str
    size: int
    signed_at: datetime | None
    asked_at: datetime | None
    trouble: str | None
    detail: str
    alarming: bool


def _place(slug: str) -> Place:
    """A competition whose record this reader may see: withheld ones only for those who may inspect them."""
    source = oracles.competitions()
    place = source.place(web.session(), slug)
    actor: Actor | None = g.get("actor")
    if place is None or queries.opened(web.session(), slug) is None:
        raise NotFound()
    if not place.public and (actor is None or not source.may_inspect(web.session(), slug, actor)):
        raise NotFound()
    return place


def _seen(session: Session, log: str) -> list[Seen]:
    contacts, found = queries.contacts(session, log), []
    for one in queries.witnesses(session, log):
        newest: LogCheckpoint | None = queries.newest_seen(session, log, one.key)
        contact = contacts.get(one.key.text)
        trouble = contact.trouble if contact is not None else None
        found.append(
            Seen(
                one.names,
                one.key.text,
                newest.size if newest is not None else 0,
                next((c.signed_at for c in newest.cosignatures if c.key == one.key.text), None) if newest else None,
                contact.asked_at if contact is not None else None,
                witnessing.TROUBLES.get(trouble, trouble) if trouble else None,
                (contact.detail or "") if contact is not None else "",
                trouble in ("ahead", "conflict"),
            )
        )
    return found


@bp.get("/competitions/<slug>/record")
@access.public
def record(slug: str) -> str:
    """How long the record is, who has signed how much of it, and how anybody checks it."""
    place, session = _place(slug), web.session()
    rules = queries.policy(session, slug)
    newest = queries.newest_checkpoint(session, slug)
    return render_template(
        "ledger/record.html",
        competition=place.competition,
        place=place,
        origin=queries.current_key(session, slug),
        size=queries.size(session, slug),
        newest=newest,
        rules=rules,
        quorum=rules.groups[rules.quorum].threshold if rules is not None and rules.quorum in rules.groups else 0,
        witnessed=queries.witnessed(session, slug, rules, newest=True) if rules is not None else None,
        seen=_seen(session, slug),
        bundles=queries.editions(session, slug),
    )


@bp.get("/record")
@access.public
def registry() -> str:
    """The installation's own record: which competitions there are, and the software that ran."""
    session = web.session()
    if queries.opened(session, REGISTRY) is None:
        return render_template("ledger/registry.html", origin=None)
    places = {one: oracles.competitions().place(session, one) for one in queries.logs(session) if one != REGISTRY}
    return render_template(
        "ledger/registry.html",
        origin=queries.current_key(session, REGISTRY),
        size=queries.size(session, REGISTRY),
        newest=queries.newest_checkpoint(session, REGISTRY),
        seen=_seen(session, REGISTRY),
        opened=[
            (entry, places.get(entry.body["competition"]))
            for entry in queries.of_type(session, REGISTRY, "competition.opened")
        ],
        releases=list(queries.of_type(session, REGISTRY, "release.installed")),
    )


def _text(data: bytes, name: str) -> Response:
    return Response(
        data, mimetype="text/plain", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _newest(log: str) -> LogCheckpoint:
    found = queries.newest_checkpoint(web.session(), log)
    if found is None:
        raise NotFound()
    return found


@bp.get("/competitions/<slug>/record/checkpoint")
@access.public
def checkpoint(slug: str) -> Response:
    """The newest checkpoint with all cosignatures it has so far (c2sp.org/tlog-checkpoint)."""
    _place(slug)
    return _text(queries.signed_note(_newest(slug)), f"{slug}.checkpoint")


@bp.get("/competitions/<slug>/record/policy")
@access.public
def policy(slug: str) -> Response:
    """Keys of the logs and their witnesses, and the quorum (c2sp.org/tlog-policy)."""
    _place(slug)
    data = queries.policy_bytes(web.session(), slug)
    if data is None:
        raise NotFound()
    return _text(data, f"{slug}.policy")


@bp.get("/competitions/<slug>/record/entries.jsonl")
@access.public
def entries(slug: str) -> Response:
    """Every entry that the newest checkpoint covers, one a line: commitments, codes and numbers, never personal data."""
    _place(slug)
    lines = queries.entry_bytes(web.session(), slug, _newest(slug).size)
    return _text(b"".join(line + b"\n" for line in lines), f"{slug}.jsonl")


@bp.get("/record/checkpoint")
@access.public
def registry_checkpoint() -> Response:
    return _text(queries.signed_note(_newest(REGISTRY)), "registry.checkpoint")


@bp.get("/record/entries.jsonl")
@access.public
def registry_entries() -> Response:
    lines = queries.entry_bytes(web.session(), REGISTRY, _newest(REGISTRY).size)
    return _text(b"".join(line + b"\n" for line in lines), "registry.jsonl")


# ---------------------------------------------------------------- receipts


@bp.route("/receipt", methods=["GET", "POST"])
@access.public
def check() -> str:
    """Checks what somebody pastes or hands over; nothing of it is stored."""
    form = ReceiptForm()
    found: list[Checked] = []
    if form.validate_on_submit():
        upload = form.file.data.read(receipts.MAX_BYTES + 1) if form.file.data else b""
        text = (form.text.data or "").strip()
        if upload:
            found.append(_check_file(upload))
        if text:
            found.append(_check_file((text + "\n").encode()))
        if form.slip.data:
            found.append(_check_slip(form.slip.data))
        if not found:
            form.form_errors.append(gettext("Enter the twenty characters, or choose the receipt file."))
    elif request.method == "GET" and request.args.get("slip"):
        form.slip.data = request.args["slip"][:60]
        found.append(_check_slip(form.slip.data))
    return render_template("ledger/check.html", form=form, found=found, spoken=_spoken)


def _spoken(step: Step) -> str:
    """What a step says, in the language of the page."""
    zone = web.settings().zone
    params = {name: moment(one, zone) if isinstance(one, datetime) else one for name, one in step.params.items()}
    return str(gettext(step.sentence)) % params if params else str(gettext(step.sentence))


def _check_file(data: bytes) -> Checked:
    """A receipt against the record that its entry names, where the public may see that; otherwise by itself."""
    session = web.session()
    first = receipt_checks.check(data, None)
    log = first.entry.competition if first.entry is not None else ""
    place = oracles.competitions().place(session, log) if log else None
    if place is None or not place.public:
        unknown = Step(N_("There is no such record here."), False)
        return Checked((*first.steps[:1], unknown), first.entry, first.slip) if first.entry is not None else first
    return receipt_checks.check(data, queries.policy(session, log), issuing.entry_at(session, log))


def _check_slip(text: str) -> Checked:
    session = web.session()
    try:
        shown = receipts.read_slip(text)
        rows = issuing.by_slip(session, text)
    except ReceiptError:
        return Checked((Step(N_("A receipt has twenty characters: letters, and the digits 2 to 7. Compare them once more."), False),))
    for row in rows:
        place = oracles.competitions().place(session, row.log)
        if place is not None and place.public:
            params = {"when": row.at, "index": row.position, "log": row.log}
            sentence = N_("The characters belong to the hand-in of %(when)s, entry %(index)d of the record %(log)s.")
            return Checked((Step(sentence, True, params),), slip=shown)
    sentence = N_("No record here has a hand-in with these characters. Compare them once more; if they are right, keep them.")
    return Checked((Step(sentence, False),), slip=shown)


@bp.get("/how-to-check")
@access.public
def how() -> str:
    """How a candidate can check this service, in plain words, with the places where to do it."""
    source, session = oracles.competitions(), web.session()
    places = [source.place(session, log) for log in queries.logs(session) if log != REGISTRY]
    return render_template("ledger/how.html", places=[one for one in places if one is not None and one.public])


@bp.get("/competitions/<slug>/my-receipts")
@access.signed_in
def mine(slug: str) -> str:
    """One's own receipts: the slip at once, the whole file as soon as the witnesses have signed."""
    session = web.session()
    place = oracles.competitions().place(session, slug)
    own = queries.submitted_by(session, slug, access.actor().code) if place is not None else []
    if place is None or not own:
        raise NotFound()
    return render_template(
        "ledger/mine.html",
        competition=place.competition,
        rows=[
            {
                "entry": entry,
                "slip": receipts.slip(bytes.fromhex(entry.leaf)),
                "ready": issuing.receipt_of(session, slug, entry.position) is not None,
                "erased": opening.salt is None,
            }
            for entry, opening in own
        ],
    )


@bp.get("/competitions/<slug>/my-receipts/<int:position>.tlog-proof")
@access.signed_in
def file(slug: str, position: int) -> Response:
    """One's own receipt as a file (c2sp.org/tlog-proof)."""
    session = web.session()
    own = {entry.position for entry, _ in queries.submitted_by(session, slug, access.actor().code)}
    found = issuing.receipt_of(session, slug, position) if position in own else None
    if found is None:
        raise NotFound()
    return _text(found.data, f"{slug}-{position}.tlog-proof")


def links(session: Session, actor: Actor, now: datetime) -> list[pages.Link]:
    """On a candidate's own page: the receipts of each competition in which an exam was handed in."""
    found = []
    for log in queries.logs_with_receipts(session, actor.code):
        place = oracles.competitions().place(session, log)
        if place is not None:
            label = f"{gettext('Your receipts')}: {in_language(place.title, pages.current_language())}"
            found.append(pages.Link(label, url_for("ledger.mine", slug=log)))
    return found


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    app.register_blueprint(draw_views.bp)
    pages.links_from(links)
    signing.configure(signing.Installation(settings.log_key(), settings.folder, settings.witness_address))
    duties.register()
