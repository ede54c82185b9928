"""What the candidate's browser talks to on exam day; docs/formats/player-protocol.md is the agreement."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from flask import Blueprint, Flask, current_app, g, jsonify, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.accounts.browser import open_in_browser
from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.papers import queries as papers
from examsvc.settings import Settings
from examsvc.sittings import (
    arrival,
    candidate_views,
    conduct_views,
    duties,
    ending,
    hall_blueprint,
    hall_views,
    outages,
    practice_views,
    protocol,
    queries,
    receipts,
    room_views,
    rules,
    running,
)
from examsvc.sittings.forms import ExamSignInForm
from examsvc.sittings.models import Attempt
from examsvc.sittings.saving import EMPTY_DIGEST, SaveRefused, moment, read_saves, save_answers

__all__ = ["bp", "conduct_views", "register_room", "room_views"]

bp = Blueprint("sittings", __name__, template_folder="templates")


@bp.route("/competitions/<slug>/sit", methods=["GET", "POST"])
@access.public
def sit(slug: str) -> str | Response:
    """Candidate number and one-time code, on a machine of the hall."""
    competition = competitions.competition(web.session(), slug)
    form = ExamSignInForm()
    if form.validate_on_submit():
        try:
            found = _find(competition.slug, form.candidate_number.data or "", form.code.data or "")
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return _seat(redirect(url_for("sittings.player", code=found[0])), found)
    return render_template("sittings/sit.html", form=form, competition=competition, open_attempt=_open_here(competition))


def _open_here(competition: Competition) -> Attempt | None:
    """The attempt that this browser is signed in for, if it belongs to the competition: a closed window is opened again."""
    actor = g.get("actor")
    if actor is None or actor.attempt is None:
        return None
    attempt = queries.attempt(web.session(), actor.attempt)
    return attempt if attempt.sitting.competition_id == competition.id else None


PLACE = "examsvc_place"
"""The cookie of the browser at which a one-time code was used; with it the same code works there again."""


def _seat(response: Response, entered: tuple[str, int, str]) -> Response:
    """Signs the browser in for the attempt and lets it keep its place."""
    code, account, place = entered
    response = open_in_browser(response, account, attempt=code)
    settings = web.settings()
    response.set_cookie(
        PLACE, place, httponly=True, secure=settings.secure, samesite="Lax", max_age=settings.session_hours * 3600, path="/"
    )
    return response


def _enter(found: Attempt) -> tuple[str, int, str]:
    """Uses the code at this browser; code and account of the attempt, and what the browser keeps."""
    code = found.code
    try:
        with web.writing() as session:
            attempt = queries.attempt(session, code)
            place = arrival.use_code(session, attempt, place=request.cookies.get(PLACE))
            return code, attempt.application.account_id, place
    except Refused:
        with web.writing() as session:
            running.ask_to_move(session, queries.attempt(session, code), now=web.now())
        raise


def _find(slug: str, number: str, code: str) -> tuple[str, int, str]:
    competition = competitions.competition(web.session(), slug)
    found = arrival.find_attempt(web.session(), competition, number=number, code=code, now=web.now())
    if found is None:
        with web.writing() as session:
            competition = competitions.competition(session, slug)
            arrival.remember_failure(session, competition, number=number, now=web.now())
        raise Refused(N_("The candidate number and the code do not belong together. Ask the invigilator for a new code."))
    return _enter(found)


@bp.post("/attempts/<code>/sign-in")
@access.public
def sign_in_again(code: str) -> Response | tuple[Response, int]:
    """The same candidate signs in again inside the player; nothing is navigated."""
    body = protocol.read_body()
    attempt = queries.attempt(web.session(), code)
    number, secret = str(body.get("candidate_number", ""))[:40], str(body.get("code", ""))[:40]
    try:
        found = arrival.find_attempt(
            web.session(), attempt.sitting.competition, number=number, code=secret, now=web.now()
        )
    except Refused as refusal:
        return jsonify(error=web.explain(refusal), code="sign-in"), 429
    if found is None or found.id != attempt.id:
        with web.writing() as session:
            competition = queries.attempt(session, code).sitting.competition
            arrival.remember_failure(session, competition, number=number, now=web.now())
        sentence = N_("The candidate number and the code do not belong to this exam. Ask the invigilator for a new code.")
        return jsonify(error=web.explain(Refused(sentence)), code="sign-in"), 403
    try:
        response = _seat(jsonify(), _enter(found))
    except Refused as refusal:
        return jsonify(error=web.explain(refusal), code="sign-in"), 403
    response.set_data(jsonify(csrf=generate_csrf()).get_data())
    return response


@bp.get("/attempts/<code>")
@access.exam
def player(code: str) -> str:
    attempt = queries.attempt(web.session(), code)
    return render_template(
        "sittings/player.html",
        code=attempt.code,
        competition=attempt.application.competition,
        candidate=f"{attempt.application.candidate_number} · {attempt.application.account.name}",
        addresses={
            **{name: url_for(f"sittings.{name}", code=code) for name in ("state", "paper", "saves", "lease", "submit")},
            "signin": url_for("sittings.sign_in_again", code=code),
        },
        practice=False,
    )


def _clock(attempt: Attempt, timing: rules.Timing) -> dict[str, Any]:
    return protocol.clock(timing, attempt.state, web.now())


def _waits(attempt: Attempt) -> bool:
    """Whether nothing of the paper may be shown yet."""
    return rules.state(queries.timing(web.session(), attempt), attempt.state, web.now()) == "waiting"


@bp.get("/attempts/<code>/state")
@access.exam
def state(code: str) -> Response:
    attempt = queries.attempt(web.session(), code)
    timing = queries.timing(web.session(), attempt)
    if outages.is_news(attempt, web.now()):
        with web.writing() as session:
            attempt = queries.attempt(session, code)
            outages.hear(session, attempt, timing, now=web.now())
    reply = _clock(attempt, timing)
    opened = reply["state"] != "waiting"
    if "X-Exam-Lease" in request.headers:
        reply["lease_held"] = attempt.lease is not None and request.headers["X-Exam-Lease"] == attempt.lease
    if "light" not in request.args:
        newest = queries.newest_saves(web.session(), attempt.id)
        values = "values" in request.args
        reply["slots"] = []
        for slot in queries.slots(web.session(), attempt) if opened else []:
            save = newest.get(slot.number)
            entry: dict[str, Any] = {
                "slot": slot.number,
                "version": save.version if save else 0,
                "digest": save.digest if save else EMPTY_DIGEST,
                "saved_at": moment(save.saved_at) if save else None,
            }
            if values:
                entry["value"] = save.value if save else None
            reply["slots"].append(entry)
        reply["flags"] = attempt.flags
    reply["notices"] = [
        {"id": str(n.id), "at": moment(n.at), "text": n.content, "read": n.id in attempt.notices_read}
        for n in queries.notices(web.session(), attempt.sitting_id)
    ]
    if attempt.receipt is not None:
        reply["receipt"] = receipts.shown(attempt.receipt)
    return jsonify(reply)


@bp.get("/attempts/<code>/paper")
@access.exam
def paper(code: str) -> Response | tuple[Response, int]:
    """The questions, in both languages, under the attempt's seed; only once the attempt is open."""
    attempt = queries.attempt(web.session(), code)
    clock = _clock(attempt, queries.timing(web.session(), attempt))
    if clock["state"] == "waiting":
        sentence = web.explain(Refused(N_("The exam is not open yet. Wait for the bell.")))
        return jsonify(error=sentence, code="not-open", **clock), 403
    return Response(_paper(web.session(), attempt), mimetype="application/json")


_papers: OrderedDict[str, str] = OrderedDict()
MOST_PAPERS = 2000


def _paper(session: Session, attempt: Attempt) -> str:
    """The questions as they are sent; made while the candidate waits, so that a whole hall gets them at the bell at once.

    Kept in memory by the attempt's code: neither its paper nor its seed ever changes.
    """
    kept = _papers.get(attempt.code)
    if kept is not None:
        return kept
    regulation = competitions.regulation(attempt.application.competition)
    part = regulation.part(attempt.sitting.part)
    media = url_for("sittings.media", code=attempt.code, name="")
    slots = [
        {
            "slot": slot.number,
            "marks": slot.marks,
            "item": {
                language: queries.presented(session, attempt, slot, language, media) for language in regulation.languages
            },
        }
        for slot in queries.slots(session, attempt)
    ]
    made = current_app.json.dumps(
        {
            "paper": attempt.sitting.form.digest if attempt.sitting.form else None,
            "languages": list(regulation.languages),
            "parts": [{"title": part.label.model_dump(), "instructions": {}, "slots": slots}],
        }
    )
    if slots:
        _papers[attempt.code] = made
        while len(_papers) > MOST_PAPERS:
            _papers.popitem(last=False)
    return made


@bp.get("/attempts/<code>/media/<name>")
@bp.get("/attempts/<code>/media/", defaults={"name": ""})
@access.exam
def media(code: str, name: str) -> Response | tuple[Response, int]:
    """A picture, sound or film of this attempt's paper, once the attempt is open; no other file of the bank."""
    attempt = queries.attempt(web.session(), code)
    try:
        if attempt.sitting.form_id is None or _waits(attempt):
            raise NotFound()
        found = papers.media(web.session(), attempt.sitting.form_id, name)
    except NotFound:
        return jsonify(error=web.explain(Refused(N_("There is no such picture in this paper.")))), 404
    return web.medium(found.data, found.type, keep=True)


@bp.post("/attempts/<code>/lease")
@access.exam
def lease(code: str) -> Response:
    body = protocol.read_body()
    machine = protocol.machine(body)
    try:
        with web.writing() as session:
            attempt = queries.attempt(session, code)
            token = running.take_lease(session, attempt, machine=machine, now=web.now())
            clock = _clock(attempt, queries.timing(session, attempt))
    except SaveRefused as refusal:
        if refusal.code == "held-elsewhere" and queries.attempt(web.session(), code).moving_since is None:
            with web.writing() as session:
                running.ask_to_move(session, queries.attempt(session, code), now=web.now())
        raise
    _paper(web.session(), queries.attempt(web.session(), code))
    return jsonify(lease=token, **clock)


@bp.post("/attempts/<code>/saves")
@access.exam
def saves(code: str) -> Response:
    body = protocol.read_body()
    asked = read_saves(body.get("saves", []))
    flags = protocol.numbers(body.get("flags"))
    read = protocol.numbers(body.get("notices_read"))
    lease, now = protocol.text(body, "lease"), web.now()

    def store(session: Session) -> dict[str, Any]:
        attempt = queries.attempt(session, code)
        saved = save_answers(session, attempt, lease=lease, saves=asked, now=now, flags=flags, notices_read=read)
        return {"saves": saved.replies, **protocol.clock(saved.timing, attempt.state, now)}

    return jsonify(web.write_together(store))


@bp.post("/attempts/<code>/submit")
@access.exam
def submit(code: str) -> Response:
    body = protocol.read_body()
    versions = protocol.versions(body.get("versions"))
    with web.writing() as session:
        attempt = queries.attempt(session, code)
        receipt = ending.submit_attempt(
            session,
            attempt,
            lease=protocol.text(body, "lease"),
            versions=versions,
            submit_id=str(body.get("submit_id", ""))[:36],
            now=web.now(),
        )
        clock = _clock(attempt, queries.timing(session, attempt))
    return jsonify(receipt=receipts.shown(receipt), **clock)


@bp.errorhandler(SaveRefused)
def _refused(refusal: SaveRefused) -> tuple[Response, int]:
    """A refusal in the words of the protocol, with the attempt's clock."""
    code = (request.view_args or {}).get("code")
    clock: dict[str, Any] = {}
    if isinstance(code, str) and g.get("actor") is not None:
        attempt = queries.attempt(web.session(), code)
        clock = _clock(attempt, queries.timing(web.session(), attempt))
    return protocol.answer(refusal, clock)


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    app.register_blueprint(hall_blueprint.bp)
    app.register_blueprint(practice_views.bp)
    app.register_blueprint(candidate_views.bp)
    pages.tasks_from(hall_views.tasks)
    pages.tasks_from(candidate_views.tasks)
    duties.register()
