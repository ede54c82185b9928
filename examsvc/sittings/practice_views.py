"""Trying the machine and the player out before the day."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examsvc.base import access, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.sittings import practice, protocol, receipts
from examsvc.sittings.models import PracticeAttempt
from examsvc.sittings.saving import SaveRefused, moment, read_saves

bp = Blueprint("practice", __name__, template_folder="templates")


@bp.route("/competitions/<slug>/practice", methods=["GET", "POST"])
@access.signed_in
def index(slug: str) -> str | Response:
    """The check of this machine, the way into the practice paper, and how the last try would have been marked."""
    competition = competitions.competition(web.session(), slug)
    account = access.actor().account_id
    if not practice.may_practise(web.session(), competition, account):
        raise NotFound()
    if request.method == "POST":
        with web.writing() as session:
            competition = competitions.competition(session, slug)
            code = practice.begin(session, competition, account_id=account, now=web.now()).code
        return redirect(url_for("practice.player", code=code))
    last = practice.attempt_of(web.session(), competition.id, account)
    state = practice.state(last, web.now()) if last is not None else None
    return render_template(
        "sittings/practice.html",
        competition=competition,
        minutes=practice.minutes(competition),
        last=last,
        going=state == "checked-in",
        remarks=practice.remarks(last) if last is not None and state != "checked-in" else [],
    )


@bp.get("/competitions/<slug>/machine")
@access.public
def machine(slug: str) -> str:
    """The check of a machine alone: for whoever sets up a hall, before anybody has signed in on it."""
    return render_template("sittings/machine.html", competition=competitions.competition(web.session(), slug))


@bp.get("/practice/clock")
@access.public
def clock() -> Response:
    """The server's clock, for the check of a machine; also before anybody has signed in."""
    return jsonify(now=moment(web.now()))


def _mine(code: str) -> PracticeAttempt:
    return practice.attempt(web.session(), code, access.actor().account_id)


def _clock(attempt: PracticeAttempt) -> dict[str, Any]:
    return protocol.clock(practice.timing(attempt), practice.state(attempt, web.now()), web.now())


@bp.get("/practice/<code>")
@access.signed_in
def player(code: str) -> str:
    attempt = _mine(code)
    return render_template(
        "sittings/player.html",
        code=attempt.code,
        competition=attempt.competition,
        candidate=access.actor().name,
        addresses={name: url_for(f"practice.{name}", code=code) for name in _ADDRESSES},
        practice=True,
    )


_ADDRESSES = ("state", "paper", "saves", "lease", "submit", "signin")


@bp.get("/practice/<code>/state")
@access.signed_in
def state(code: str) -> Response:
    attempt = _mine(code)
    reply: dict[str, Any] = _clock(attempt)
    if "light" not in request.args:
        reply["slots"] = practice.slots(attempt, values="values" in request.args)
        reply["flags"] = attempt.flags
    reply["notices"] = []
    if "X-Exam-Lease" in request.headers:
        reply["lease_held"] = request.headers["X-Exam-Lease"] == attempt.lease
    ended = practice.receipt(attempt, web.now())
    if ended is not None:
        reply["receipt"] = receipts.shown(ended)
    return jsonify(reply)


@bp.get("/practice/<code>/paper")
@access.signed_in
def paper(code: str) -> Response:
    attempt = _mine(code)
    media = url_for("practice.media", code=code, name="")
    part = {
        "title": {"vi": "Bài làm thử", "en": "Practice paper"},
        "instructions": {},
        "slots": [
            {
                "slot": number,
                "marks": str(item.max_score),
                "item": {one: item.presentation(one, attempt.code, media) for one in practice.languages()},
            }
            for number, item in practice.paper()
        ],
    }
    return jsonify(paper="practice", languages=list(practice.languages()), parts=[part])


@bp.get("/practice/<code>/media/<name>")
@bp.get("/practice/<code>/media/", defaults={"name": ""})
@access.signed_in
def media(code: str, name: str) -> Response:
    """The practice questions show no pictures."""
    raise NotFound()


@bp.post("/practice/<code>/lease")
@access.signed_in
def lease(code: str) -> Response:
    protocol.machine(protocol.read_body())
    with web.writing() as session:
        attempt = practice.attempt(session, code, access.actor().account_id)
        token = practice.take_lease(session, attempt)
        clock = _clock(attempt)
    return jsonify(lease=token, **clock)


@bp.post("/practice/<code>/saves")
@access.signed_in
def saves(code: str) -> Response:
    body = protocol.read_body()
    asked = read_saves(body.get("saves", []))
    flags = protocol.numbers(body.get("flags"))
    with web.writing() as session:
        attempt = practice.attempt(session, code, access.actor().account_id)
        stored = practice.save(
            session, attempt, lease=protocol.text(body, "lease"), saves=asked, flags=flags, now=web.now()
        )
        clock = _clock(attempt)
    return jsonify(saves=stored, **clock)


@bp.post("/practice/<code>/submit")
@access.signed_in
def submit(code: str) -> Response:
    body = protocol.read_body()
    versions = protocol.versions(body.get("versions"))
    with web.writing() as session:
        attempt = practice.attempt(session, code, access.actor().account_id)
        made = practice.submit(
            session, attempt, lease=protocol.text(body, "lease"), versions=versions, now=web.now()
        )
        clock = _clock(attempt)
    return jsonify(receipt=receipts.shown(made), **clock)


@bp.post("/practice/<code>/sign-in")
@access.public
def signin(code: str) -> tuple[Response, int]:
    """In practice nobody has a one-time code: one signs in as always, in another tab, and goes on here."""
    sentence = N_("Sign in as usual in another tab of this browser, then go on here; your practice answers are kept.")
    return jsonify(error=web.explain(Refused(sentence)), code="sign-in"), 403


@bp.errorhandler(SaveRefused)
def _refused(refusal: SaveRefused) -> tuple[Response, int]:
    code = (request.view_args or {}).get("code")
    return protocol.answer(refusal, _clock(_mine(code)) if isinstance(code, str) else {})
