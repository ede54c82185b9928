"""What the candidate's browser talks to on exam day; docs/formats/player-protocol.md is the agreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, g, jsonify, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from examsvc.accounts.browser import open_in_browser
from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.papers import queries as papers
from examsvc.settings import Settings
from examsvc.sittings import arrival, duties, ending, hall_views, outages, queries, receipts, rules, running
from examsvc.sittings.forms import ExamSignInForm
from examsvc.sittings.models import Attempt
from examsvc.sittings.saving import EMPTY_DIGEST, SaveRefused, moment, read_saves, save_answers

bp = Blueprint("sittings", __name__, template_folder="templates")
MOST_BODY = 2 * 1024 * 1024


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
            target = redirect(url_for("sittings.player", code=found.code))
            return open_in_browser(target, found.application.account_id, attempt=found.code)
    return render_template("sittings/sit.html", form=form, competition=competition)


def _find(slug: str, number: str, code: str) -> Attempt:
    competition = competitions.competition(web.session(), slug)
    found = arrival.find_attempt(web.session(), competition, number=number, code=code, now=web.now())
    if found is None:
        with web.writing() as session:
            competition = competitions.competition(session, slug)
            arrival.remember_failure(session, competition, number=number, now=web.now())
        raise Refused(N_("The candidate number and the code do not belong together. Ask the invigilator for a new code."))
    return found


@bp.post("/attempts/<code>/sign-in")
@access.public
def sign_in_again(code: str) -> Response | tuple[Response, int]:
    """The same candidate signs in again inside the player; nothing is navigated."""
    body = _body()
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
    response = open_in_browser(jsonify(), attempt.application.account_id, attempt=attempt.code)
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


def _body() -> dict[str, Any]:
    if request.content_length is not None and request.content_length > MOST_BODY:
        raise SaveRefused(413, "too-large", N_("Too much was sent at once. The page sends it again in smaller parts."))
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise SaveRefused(422, "malformed", N_("What was sent could not be read. Reload the page."))
    return body


def _clock(attempt: Attempt, timing: rules.Timing) -> dict[str, Any]:
    """The attempt's clock, carried by every reply."""
    now = web.now()
    where = rules.standing(timing, now)
    return {
        "now": moment(now),
        "state": rules.state(timing, attempt.state, now),
        "deadline": moment(where.deadline),
        "bell": moment(timing.bell),
        "paused_since": moment(where.paused_since) if where.paused_since else None,
    }


def _clock_of(code: str) -> dict[str, Any]:
    attempt = queries.attempt(web.session(), code)
    return _clock(attempt, queries.timing(web.session(), attempt))


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
    regulation = competitions.regulation(attempt.application.competition)
    part = regulation.part(attempt.sitting.part)
    media = url_for("sittings.media", code=code, name="")
    slots = [
        {
            "slot": slot.number,
            "marks": slot.marks,
            "item": {
                language: queries.presented(web.session(), attempt, slot, language, media)
                for language in regulation.languages
            },
        }
        for slot in queries.slots(web.session(), attempt)
    ]
    return jsonify(
        paper=attempt.sitting.form.digest if attempt.sitting.form else None,
        languages=list(regulation.languages),
        parts=[{"title": part.label.model_dump(), "instructions": {}, "slots": slots}],
    )


@bp.get("/attempts/<code>/media/<name>")
@bp.get("/attempts/<code>/media/", defaults={"name": ""})
@access.exam
def media(code: str, name: str) -> Response | tuple[Response, int]:
    """A picture of this attempt's paper, once the attempt is open; no other file of the bank."""
    attempt = queries.attempt(web.session(), code)
    try:
        if attempt.sitting.form_id is None or _clock_of(code)["state"] == "waiting":
            raise NotFound()
        found = papers.media(web.session(), attempt.sitting.form_id, name)
    except NotFound:
        return jsonify(error=web.explain(Refused(N_("There is no such picture in this paper.")))), 404
    response = Response(found.data, mimetype=found.type)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


@bp.post("/attempts/<code>/lease")
@access.exam
def lease(code: str) -> Response:
    body = _body()
    machine = str(body.get("machine", ""))
    if not (16 <= len(machine) <= 64) or not machine.isalnum():
        raise SaveRefused(422, "malformed", N_("What was sent could not be read. Reload the page."))
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
    return jsonify(lease=token, **clock)


@bp.post("/attempts/<code>/saves")
@access.exam
def saves(code: str) -> Response:
    body = _body()
    asked = read_saves(body.get("saves", []))
    flags = _numbers(body.get("flags"))
    read = _numbers(body.get("notices_read"))
    with web.writing() as session:
        attempt = queries.attempt(session, code)
        saved = save_answers(
            session,
            attempt,
            lease=_text(body, "lease"),
            saves=asked,
            now=web.now(),
            flags=flags,
            notices_read=read,
        )
        clock = _clock(attempt, saved.timing)
    return jsonify(saves=saved.replies, **clock)


def _text(body: Mapping[str, Any], name: str) -> str | None:
    return body[name] if isinstance(body.get(name), str) else None


def _numbers(value: object) -> list[int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > 2000:
        raise SaveRefused(422, "malformed", N_("What was sent could not be read. Reload the page."))
    try:
        return [int(one) for one in value]
    except (TypeError, ValueError):
        raise SaveRefused(422, "malformed", N_("What was sent could not be read. Reload the page.")) from None


@bp.post("/attempts/<code>/submit")
@access.exam
def submit(code: str) -> Response:
    body = _body()
    raw = body.get("versions")
    if not isinstance(raw, dict):
        raise SaveRefused(422, "malformed", N_("What was sent could not be read. Reload the page."))
    try:
        versions = {int(slot): int(version) for slot, version in raw.items()}
    except (TypeError, ValueError):
        raise SaveRefused(422, "malformed", N_("What was sent could not be read. Reload the page.")) from None
    with web.writing() as session:
        attempt = queries.attempt(session, code)
        receipt = ending.submit_attempt(
            session,
            attempt,
            lease=_text(body, "lease"),
            versions=versions,
            submit_id=str(body.get("submit_id", ""))[:36],
            now=web.now(),
        )
        clock = _clock(attempt, queries.timing(session, attempt))
    return jsonify(receipt=receipts.shown(receipt), **clock)


@bp.errorhandler(SaveRefused)
def _refused(refusal: SaveRefused) -> tuple[Response, int]:
    """A refusal in the words of the protocol, with the attempt's clock."""
    extra = dict(refusal.extra)
    for one in extra.get("refusals", []):
        one["error"] = web.explain(Refused(one["error"]))
    code = (request.view_args or {}).get("code")
    clock: dict[str, Any] = {}
    if isinstance(code, str) and g.get("actor") is not None:
        clock = _clock_of(code)
    return jsonify(error=web.explain(refusal), code=refusal.code, **extra, **clock), refusal.status


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    app.register_blueprint(hall_views.bp)
    pages.tasks_from(hall_views.tasks)
    duties.register()
