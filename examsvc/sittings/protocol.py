"""What the player's requests have in common: reading a body strictly, the clock of a reply, a refusal in its words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import jsonify, request
from werkzeug.wrappers import Response

from examsvc.base import web
from examsvc.base.errors import N_, Refused
from examsvc.sittings import rules
from examsvc.sittings.saving import SaveRefused, moment

MOST_BODY = 2 * 1024 * 1024
UNREADABLE = N_("What was sent could not be read. Reload the page.")


def read_body() -> dict[str, Any]:
    if request.content_length is not None and request.content_length > MOST_BODY:
        raise SaveRefused(413, "too-large", N_("Too much was sent at once. The page sends it again in smaller parts."))
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise SaveRefused(422, "malformed", UNREADABLE)
    return body


def text(body: Mapping[str, Any], name: str) -> str | None:
    return body[name] if isinstance(body.get(name), str) else None


def numbers(value: object) -> list[int] | None:
    """A list of whole numbers, or None where there is none."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > 2000:
        raise SaveRefused(422, "malformed", UNREADABLE)
    try:
        return [int(one) for one in value]
    except (TypeError, ValueError):
        raise SaveRefused(422, "malformed", UNREADABLE) from None


def versions(value: object) -> dict[int, int]:
    """What a page that submits holds: slot → version."""
    if not isinstance(value, dict) or len(value) > 2000:
        raise SaveRefused(422, "malformed", UNREADABLE)
    try:
        return {int(slot): int(version) for slot, version in value.items()}
    except (TypeError, ValueError):
        raise SaveRefused(422, "malformed", UNREADABLE) from None


def machine(body: Mapping[str, Any]) -> str:
    name = str(body.get("machine", ""))
    if not (16 <= len(name) <= 64) or not name.isalnum():
        raise SaveRefused(422, "malformed", UNREADABLE)
    return name


def clock(timing: rules.Timing, attempt_state: str, now: datetime) -> dict[str, Any]:
    """The attempt's clock, carried by every reply."""
    where = rules.standing(timing, now)
    return {
        "now": moment(now),
        "state": rules.state(timing, attempt_state, now),
        "deadline": moment(where.deadline),
        "bell": moment(timing.bell),
        "paused_since": moment(where.paused_since) if where.paused_since else None,
    }


def answer(refusal: SaveRefused, clock: Mapping[str, Any]) -> tuple[Response, int]:
    """The refusal with the attempt's clock."""
    extra = dict(refusal.extra)
    if "refusals" in extra:
        extra["refusals"] = [{**one, "error": web.explain(Refused(one["error"]))} for one in extra["refusals"]]
    return jsonify(error=web.explain(refusal), code=refusal.code, **extra, **clock), refusal.status
