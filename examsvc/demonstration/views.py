"""The page of a demonstration that signs one in as any of its invented people.  It exists nowhere else."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Flask, jsonify, render_template, request, url_for
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

from examsvc.accounts import queries as accounts
from examsvc.accounts.browser import enter
from examsvc.base import access, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.demonstration import custodians, witnesses
from examsvc.demonstration.people import CANDIDATES, STAFF
from examsvc.demonstration.rehearsal import prepare
from examsvc.demonstration.story import DOMAIN
from examsvc.settings import Settings

bp = Blueprint("demonstration", __name__, template_folder="templates")

BEGIN = {
    "chi-cuc-truong-2026": N_("Applications are open. Be any candidate, and apply."),
    "truong-phong-2026-2": N_(
        "An exam is about to begin. Be the invigilator La Thị Mai and check a candidate in; then sign out and sit the exam with the"
        " number and the code of the slip. Its bell rings two minutes after the demonstration was built, a second part forty minutes"
        " after."
    ),
    "pho-giam-doc-2026": N_("Scripts wait on the desks. Be the marker Hà Thị Tuyết, and mark one."),
    "truong-phong-2026-1": N_(
        "The result is published. Read it as a stranger; then be the candidate Nguyễn Thị Thúy An and see how each number came"
        " about, or the chair Vũ Đức Thành and read the review."
    ),
}
"""Where a visitor may begin: the competitions of ``story.tell``, each with what can be done in it now."""

KEYS = {**custodians.KEYS, custodians.CODER: custodians.CODER_KEY}
"""Secret and public halves, by handle: of invented people, so no secret."""


@bp.get("/demo")
@access.public
def people() -> str:
    found = [(competitions.competition(web.session(), slug), sentence) for slug, sentence in BEGIN.items()]
    keys = [person for person in STAFF if person.handle in KEYS]
    return render_template("demonstration/people.html", staff=STAFF, candidates=CANDIDATES, begin=found, keys=keys)


@bp.post("/demo/<handle>")
@access.public
def become(handle: str) -> Response:
    if handle not in {person.handle for person in (*STAFF, *CANDIDATES)}:
        raise NotFound()
    account = accounts.by_email(web.session(), f"{handle}@{DOMAIN}")
    if account is None:
        raise NotFound()
    return enter(account.id, url_for("accounts.home"), second_factor=True)


@bp.get("/demo/<handle>.key")
@access.public
def key_file(handle: str) -> Response:
    """The secret key of an invented custodian, for whoever plays that part on a machine of his own."""
    if handle not in KEYS:
        raise NotFound()
    secret, recipient = KEYS[handle]
    headers = {"Content-Disposition": f'attachment; filename="{handle}.key"', "X-Content-Type-Options": "nosniff"}
    return FlaskResponse(f"# public half: {recipient}\n{secret}\n", mimetype="application/octet-stream", headers=headers)


@bp.post("/demo/rehearsal")
@access.public
def rehearsal() -> Response | tuple[Response, int]:
    """Makes a sitting to rehearse with, and answers who may sit where: for `examsvc rehearse`."""
    body = request.get_json(silent=True) or {}
    try:
        candidates, wait = int(body.get("candidates", 12)), int(body.get("seconds_to_bell", 30))
    except (TypeError, ValueError):
        raise Refused(N_("Say how many candidates, and how many seconds to the bell.")) from None
    places = prepare(
        web.session(),
        candidates=candidates,
        seconds_to_bell=max(5, min(wait, 3600)),
        now=web.now(),
        secret=web.settings().log_key(),
        host=web.settings().host,
    )
    return jsonify(places=[asdict(place) for place in places])


def register_room(app: Flask, settings: Settings) -> None:
    """Only in a demonstration; elsewhere the addresses do not exist."""
    if settings.mode == "demo":
        app.register_blueprint(bp)
        custodians.register(DOMAIN)
        witnesses.register(settings.folder)
        app.extensions["csrf"].exempt(rehearsal)
