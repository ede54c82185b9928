"""Pages of the key ceremony: the transcript of a stage, and rehearsal openings; and the door for a custodian's command."""

from __future__ import annotations

import re
from typing import Any

from flask import Response as FlaskResponse
from flask import current_app, jsonify, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response

from examsvc.base import access, jobs, web
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.papers import ceremony, custody_door, custody_rehearsal
from examsvc.papers.blueprint import OFFICE, READERS, bp, competition, me
from examsvc.papers.forms import ShareForm

MOST_SHARE = 4096
WITNESSES = ("custodian", "competent-authority", "supervisor", "observer", *OFFICE, *READERS)
"""Who may read the transcript: it says who did what and nothing of any question."""
EVENTS = {
    "custodians.named": N_("Custodians named"),
    "paper.approved": N_("Paper approved"),
    "paper.sealed": N_("Paper sealed"),
    "paper.rehearsed": N_("Opening rehearsed"),
    "paper.share_delivered": N_("Share handed in"),
    "paper.opened": N_("Paper opened"),
    "paper.replaced": N_("Paper replaced by the spare"),
}
KINDS = {"main": N_("main paper"), "spare": N_("spare paper"), "rehearsal": N_("rehearsal")}


@bp.get("/custodians/<stage>/transcript")
@access.roles(*WITNESSES)
def transcript(slug: str, stage: str) -> str:
    """The key ceremony of a stage, to be printed, compared and signed."""
    of = competition(slug)
    known = dict(ceremony.stages(of))
    found = ceremony.transcript(web.session(), of, stage) if stage in known else None
    if found is None:
        raise NotFound()
    return render_template(
        "papers/transcript.html",
        competition=of,
        label=known[stage],
        found=found,
        words=EVENTS,
        kinds=KINDS,
        printed_at=web.now(),
    )


# -------------------------------------------------------------------------------- rehearsals


@bp.post("/custodians/<stage>/rehearse")
@access.roles("council-chair")
def rehearse(slug: str, stage: str) -> Response:
    with web.writing() as session:
        of = competitions.competition(session, slug)
        if stage not in dict(ceremony.stages(of)):
            raise NotFound()
        custody_rehearsal.ask(session, of, stage=stage, by=me(), now=web.now())
    do_now("papers.rehearse")
    web.say(N_("A dummy paper is sealed for the custodians. Each opens the share on a machine of his or her own and hands it in."))
    return redirect(url_for("papers.custodians", slug=slug))


@bp.route("/rehearsals/<code>", methods=["GET", "POST"])
@access.roles("custodian", *OFFICE)
def rehearsal(slug: str, code: str) -> str | Response:
    """Who has handed in a share of the dummy paper; a custodian hands in his own."""
    of = competition(slug)
    found = custody_rehearsal.rehearsal(web.session(), of.id, code)
    form = ShareForm()
    if form.validate_on_submit():
        custody_rehearsal.share_of(found, me())
        try:
            data = share_data(form)
            with web.writing() as session:
                genuine = custody_rehearsal.hand_in(
                    session, custody_rehearsal.rehearsal(session, of.id, code), data=data, by=me(), now=web.now()
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            if genuine:
                do_now("papers.rehearsed")
                web.say(N_("Your share is in."))
                return redirect(url_for("papers.rehearsal", slug=slug, code=code))
            form.refuse(Refused(N_("This is not the share that was dealt to you. That is on record now; hand in the right one."), field="share"))
    found = custody_rehearsal.rehearsal(web.session(), competition(slug).id, code)
    return render_template(
        "papers/rehearsal.html",
        competition=found.competition,
        found=found,
        own=next((one for one in found.shares if one.account_id == me()), None),
        chair=access.actor().holds("council-chair", slug),
        form=form,
    )


@bp.get("/rehearsals/<code>/share.age")
@access.roles("custodian")
def rehearsal_share(slug: str, code: str) -> Response:
    found = custody_rehearsal.rehearsal(web.session(), competition(slug).id, code)
    return attachment(custody_rehearsal.share_of(found, me()).ciphertext, f"{code}.share.age")


@bp.post("/rehearsals/<code>/end")
@access.roles("council-chair")
def end_rehearsal(slug: str, code: str) -> Response:
    with web.writing() as session:
        of = competitions.competition(session, slug)
        custody_rehearsal.end(session, custody_rehearsal.rehearsal(session, of.id, code), by=me(), now=web.now())
    do_now("papers.rehearsed")
    return redirect(url_for("papers.rehearsal", slug=slug, code=code))


# -------------------------------------------------------------------------------- the door for a custodian's command


@bp.get("/keys/<recipient>")
@access.public
def waiting_shares(slug: str, recipient: str) -> Response:
    """The encrypted shares that wait for a key, and a word that only its holder can read."""
    of = competition(slug)
    key = custody_door.holder(web.session(), of, recipient)
    word = custody_door.challenge(of, recipient, secret=_secret(), now=web.now())
    return jsonify(
        now=seconds(web.now()),
        word={"encrypted": word.encrypted.hex(), "expires": word.expires, "seal": word.seal},
        shares=[
            {
                "paper": one.paper,
                "kind": one.kind,
                "from": seconds(one.opens_at) if one.opens_at is not None else None,
                "delivered": one.delivered,
                "share": one.ciphertext.hex(),
            }
            for one in custody_door.waiting(web.session(), of, key)
        ],
    )


@bp.post("/keys/<recipient>/shares")
@access.public
def take_share(slug: str, recipient: str) -> Response | tuple[Response, int]:
    """Takes an opened share from whoever has shown to hold the key it was dealt to."""
    given = _given()
    of = competition(slug)
    key = custody_door.holder(web.session(), of, recipient)
    custody_door.answers(
        of,
        recipient,
        expires=int(given["expires"]),
        seal=str(given["seal"]),
        word=str(given["word"]),
        secret=_secret(),
        now=web.now(),
    )
    account, code = key.account_id, str(given["paper"])
    with web.writing() as session:
        genuine = custody_door.hand_in(
            session,
            custody_door.thing(session, competitions.competition(session, slug), code),
            data=bytes.fromhex(given["share"]),
            by=account,
            now=web.now(),
        )
    do_now("papers.open", "papers.rehearsed")
    return jsonify(paper=code, genuine=genuine)


@bp.record_once
def _without_cookie(state: BlueprintSetupState) -> None:
    """The command sends no cookie, so there is no one whose browser could be made to send it: the key speaks for its holder."""
    state.app.extensions["csrf"].exempt(take_share)


SHAPES = {"paper": r"[A-Za-z0-9._-]{1,64}", "share": r"(?:[0-9a-f]{2}){1,4096}", "word": r"[0-9a-f]{32}", "seal": r"[0-9a-f]{64}"}


def _given() -> dict[str, Any]:
    given = request.get_json(silent=True)
    well_formed = (
        isinstance(given, dict)
        and given.keys() == {*SHAPES, "expires"}
        and type(given["expires"]) is int
        and all(isinstance(given[name], str) and re.fullmatch(shape, given[name]) for name, shape in SHAPES.items())
    )
    if not isinstance(given, dict) or not well_formed:
        raise Refused(N_("What you sent could not be understood."))
    return given


def _secret() -> bytes:
    key = current_app.config["SECRET_KEY"]
    return key if isinstance(key, bytes) else str(key).encode()


# -------------------------------------------------------------------------------- shared with the pages of custody


def share_data(form: ShareForm) -> bytes:
    """The bytes of an uploaded share; Refused where it cannot be one."""
    data: bytes = form.share.data.read(MOST_SHARE + 1)
    if len(data) > MOST_SHARE:
        raise Refused(
            N_("This file is not an opened share. Decrypt the file on your own machine with: examsvc custodian open"), field="share"
        )
    return data


def attachment(data: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return FlaskResponse(data, mimetype="application/octet-stream", headers=headers)


def do_now(*kinds: str) -> None:
    """Does what was just asked for at once, without waiting for a worker."""
    session = web.session()
    for number in jobs.due(session, web.now()):
        job = session.get(jobs.Job, number)
        if job is not None and job.kind in kinds:
            jobs.run(session, number, web.now())
