"""Holding a public draw: every step is an entry, so that anybody can replay it.

Two ways, with the same entries and the same replay.  ``hold_draw`` is made at once: the server draws the participants' numbers and a leaf
of the log stands for the outside value.  ``announce``, ``commit``, ``fix``, ``reveal`` and ``read_outside`` go step by step: each participant's number
stays on a machine of his own until what is drawn from is fixed, and the outside value is one that nobody here can choose.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.clock import seconds
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.ledger import canonical, commitments, draws, entries
from examsvc.ledger.draw_models import DrawAbout, OutsideReading
from examsvc.ledger.draw_records import DrawRecord, Participant, draw_of
from examsvc.ledger.models import LogEntry, Opening
from examsvc.ledger.operations import Sealed, hold, record


@dataclass(frozen=True)
class Held:
    """A draw that was made: its code in the ledger, the seed, what came out, and what it was about (``About.arguments``)."""

    code: str
    seed: str
    result: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class About:
    """What a draw decides: ``subject`` names the thing among others of its purpose (a part, a sitting), ``arguments`` are what the
    continuation needs, as JSON.  With ``task`` and ``parameters`` the inputs are those from the announcement on, and are fixed as soon as
    everybody has committed; without, somebody fixes them (``fix``)."""

    subject: str
    arguments: Mapping[str, Any]
    task: str | None = None
    parameters: Mapping[str, Any] | None = None


def hold_draw(
    session: Session,
    log: str,
    *,
    purpose: str,
    posts: Sequence[str],
    stage: str | None,
    task: str,
    parameters: Mapping[str, Any],
    participants: Sequence[str],
    by: str,
    approvals: Sequence[tuple[str, datetime]],
    summary: Sealed,
    now: datetime,
    about: About | None = None,
) -> Held:
    """Announces, commits, fixes the inputs, reveals and draws, in one transaction; with ``about`` what follows from it is done too.

    The outside value is the leaf of the entry that fixed the inputs: it depends on every salt and nonce before it and is
    known to nobody in advance.  ``draws.DrawError`` when the inputs cannot be satisfied.
    """
    code = f"{purpose}-{secrets.token_hex(4)}"
    codes = sorted(set(participants))
    frame: dict[str, Any] = {"posts": sorted(set(posts)), "draw": code}
    terms = {
        "draw": code,
        "source": "leaf hash, in hexadecimal, of this draw's entry draw.fixed in this log",
        "published": seconds(now),
        "method": draws.SERVER_METHOD,
    }
    record(
        session,
        log,
        "draw.announced",
        now=now,
        by=by,
        approvals=approvals,
        summary=summary,
        **frame,
        purpose=purpose,
        stage=stage,
        participants=codes,
        terms=Sealed(terms),
    )
    nonces = {person: secrets.token_hex(32) for person in codes}
    salts = {person: commitments.new_salt() for person in codes}
    for person in codes:
        nonce = {"draw": code, "person": person, "nonce": nonces[person]}
        record(
            session, log, "draw.committed", now=now, by=person, **frame, person=person, nonce=Sealed(nonce, salt=salts[person])
        )
    fixed = record(
        session,
        log,
        "draw.fixed",
        now=now,
        by=by,
        **frame,
        inputs=Sealed({"draw": code, "task": task, "parameters": dict(parameters)}),
    )
    for person in codes:
        record(
            session,
            log,
            "draw.revealed",
            now=now,
            by=person,
            **frame,
            person=person,
            nonce=nonces[person],
            salt=salts[person].hex(),
        )
    inputs = canonical.decode(fixed.entry)["body"]["inputs"]
    outside = fixed.leaf.encode()
    seed = draws.seed(code, inputs, nonces, outside)
    drawing = draws.replay(seed, task, dict(parameters))
    record(
        session,
        log,
        "draw.drawn",
        now=now,
        by=by,
        **frame,
        outside=draws.outside_digest(outside),
        seed=seed,
        result=Sealed({"draw": code, "result": drawing.result}),
    )
    if about is not None:
        session.add(_about(log, code, purpose, about, now, over=True))
        session.flush()
    held = Held(code, seed, drawing.result, about.arguments if about is not None else {})
    if about is not None:
        _go_on(session, log, purpose, held, now)
    return held


def _about(log: str, draw: str, purpose: str, about: About, now: datetime, *, over: bool = False) -> DrawAbout:
    return DrawAbout(
        log=log,
        draw=draw,
        purpose=purpose,
        subject=about.subject,
        task=about.task,
        parameters=dict(about.parameters) if about.parameters is not None else None,
        arguments=dict(about.arguments),
        at=now,
        over_at=now if over else None,
    )


# -------------------------------------------------------------------------------- step by step, with an outside value


Continuation = Callable[[Session, str, Held, datetime], None]
_continuations: dict[str, Continuation] = {}


def when_drawn(purpose: str) -> Callable[[Continuation], Continuation]:
    """Registers what follows from a draw of this purpose that is about something, as soon as it is made, in its transaction: called
    with (session, log, what was drawn, now)."""

    def mark(continuation: Continuation) -> Continuation:
        if _continuations.get(purpose, continuation) is not continuation:
            raise RuntimeError(f"two continuations for draws of {purpose}")
        _continuations[purpose] = continuation
        return continuation

    return mark


def _go_on(session: Session, log: str, purpose: str, held: Held, now: datetime) -> None:
    continuation = _continuations.get(purpose)
    if continuation is not None:
        continuation(session, log, held, now)


def newest(session: Session, log: str, purpose: str, subject: str) -> DrawRecord | None:
    """The draw announced last for this thing, as the log tells it; None where there is none."""
    draw = session.scalar(
        select(DrawAbout.draw)
        .where(DrawAbout.log == log, DrawAbout.purpose == purpose, DrawAbout.subject == subject)
        .order_by(DrawAbout.id.desc())
        .limit(1)
    )
    return draw_of(session, log, draw) if draw is not None else None


def going_on(session: Session, log: str) -> list[DrawRecord]:
    """Draws that are announced and neither made nor void, the oldest first."""
    rows = session.scalars(
        select(DrawAbout.draw).where(DrawAbout.log == log, DrawAbout.over_at.is_(None)).order_by(DrawAbout.id)
    ).all()
    return [found for draw in rows if (found := draw_of(session, log, draw)) is not None]


def announce(
    session: Session,
    log: str,
    *,
    purpose: str,
    posts: Sequence[str],
    stage: str | None,
    participants: Sequence[str],
    source: str,
    published: datetime,
    by: str,
    approvals: Sequence[tuple[str, datetime]],
    summary: Sealed,
    now: datetime,
    about: About | None = None,
) -> str:
    """Names who will each give a secret number, and the outside value, described so that everybody reads the same one; the code of
    the draw.  ``published`` is when that value comes out; until then everything else must be fixed."""
    if published <= now:
        raise Refused(N_("The outside value must be published later than now: nobody may know it when the draw is announced."))
    if not source.strip():
        raise Refused(N_("Say which outside value counts, so that everybody reads the same one."), field="source")
    if not participants:
        raise Refused(N_("Nobody is named who gives a secret number. Name those who take part in the draw."))
    if about is not None and about.task is not None:
        draws.replay("00" * 32, about.task, dict(about.parameters or {}))  # DrawError before anybody has made a number
    code = f"{purpose}-{secrets.token_hex(4)}"
    record(
        session,
        log,
        "draw.announced",
        now=now,
        by=by,
        approvals=approvals,
        summary=summary,
        posts=sorted(set(posts)),
        draw=code,
        purpose=purpose,
        stage=stage,
        participants=sorted(set(participants)),
        terms=Sealed({"draw": code, "source": source.strip(), "published": seconds(published), "method": draws.METHOD}),
    )
    if about is not None:
        session.add(_about(log, code, purpose, about, now))
        session.flush()
    return code


def commit(session: Session, log: str, draw: str, *, commitment: str, by: str, now: datetime) -> None:
    """A participant commits to a secret number that stays on a machine of his own until ``reveal``.

    When the last one has, what was announced to be drawn from is fixed.
    """
    found = _standing(session, log, draw)
    person = _participant(found, by)
    if person.commitment is not None:
        raise Refused(N_("You have handed in your commitment already; it stands."))
    if found.fixed is not None:
        raise Refused(N_("What is drawn from is fixed already; commitments are no longer taken."))
    if found.published is None or now >= found.published:
        raise Refused(N_("The outside value is out already. Declare this draw void and announce a new one."))
    if not re.fullmatch(r"[0-9a-f]{64}", commitment):
        raise Refused(N_("A commitment has 64 digits and letters from a to f. It is the line that the command printed."), field="commitment")
    record(session, log, "draw.committed", now=now, by=by, posts=found.posts, draw=draw, person=by, nonce=commitment)
    about = _about_row(session, log, draw)
    if about is not None and about.task is not None and all(one.commitment for one in found.participants if one.code != by):
        fix(session, log, draw, task=about.task, parameters=about.parameters or {}, by="system", now=now)


def _about_row(session: Session, log: str, draw: str) -> DrawAbout | None:
    return session.scalar(select(DrawAbout).where(DrawAbout.log == log, DrawAbout.draw == draw))


def _end(session: Session, log: str, draw: str, now: datetime) -> Mapping[str, Any] | None:
    """The draw is over; what it was about, None where nothing follows from it."""
    about = _about_row(session, log, draw)
    if about is None:
        return None
    about.over_at = now
    session.flush()
    arguments: Mapping[str, Any] = about.arguments
    return arguments


def fix(session: Session, log: str, draw: str, *, task: str, parameters: Mapping[str, Any], by: str, now: datetime) -> None:
    """Fixes what is drawn from, when everybody has committed and the outside value is not out yet."""
    found = _standing(session, log, draw)
    if found.fixed is not None:
        raise Refused(N_("What is drawn from is fixed already."))
    if any(one.commitment is None for one in found.participants):
        raise Refused(N_("Not everybody who takes part has committed to a secret number yet."))
    if found.published is None or now >= found.published:
        raise Refused(N_("The outside value is out already. Declare this draw void and announce a new one."))
    draws.replay("00" * 32, task, dict(parameters))  # DrawError now, not when nothing can be changed any more
    record(
        session,
        log,
        "draw.fixed",
        now=now,
        by=by,
        posts=found.posts,
        draw=draw,
        inputs=Sealed({"draw": draw, "task": task, "parameters": dict(parameters)}),
    )


def reveal(session: Session, log: str, draw: str, *, nonce: str, salt: str, by: str, now: datetime) -> None:
    """A participant opens his commitment, once what is drawn from is fixed; the draw is made if nothing else is missing."""
    found = _standing(session, log, draw)
    person = _participant(found, by)
    if person.nonce is not None:
        raise Refused(N_("Your secret number is revealed already."))
    if found.fixed is None or person.commitment is None:
        raise Refused(N_("It is too early: nobody reveals a secret number before what is drawn from is fixed."))
    well_formed = all(re.fullmatch(r"[0-9a-f]{64}", one) for one in (nonce, salt))
    if not well_formed or not draws.reveals(person.commitment, draw, by, nonce, salt):
        raise Refused(
            N_("This is not the secret number that you committed to. Hand in the file that the command made for this draw."), field="file"
        )
    entry = record(
        session, log, "draw.revealed", now=now, by=by, posts=found.posts, draw=draw, person=by, nonce=nonce, salt=salt
    )
    committed = session.scalars(
        select(LogEntry).where(LogEntry.log == log, LogEntry.position == person.committed_at)
    ).one()
    content = {"draw": draw, "person": by, "nonce": nonce}
    session.add(Opening(entry_id=committed.id, field="nonce", type="draw.nonce", commitment=person.commitment, salt=salt, content=content))
    session.flush()
    _make_if_ready(session, log, draw, by=entries.read_entry(entry.entry).actor, now=now)


def read_outside(session: Session, log: str, draw: str, *, value: str, place: str, by: str, now: datetime) -> bool:
    """One person types in the outside value and where it was published; the draw is made as soon as a second person read the same.

    True when the draw was made.  White space at the ends is no part of a value; nothing else is changed in it.
    """
    found = _standing(session, log, draw)
    value, place = value.strip(), place.strip()
    if found.fixed is None:
        raise Refused(N_("It is too early: the outside value is read when what is drawn from is fixed."))
    if found.published is None or now < found.published:
        raise Refused(N_("It is too early: the outside value is not published yet."))
    if not value or len(value) > 2000:
        raise Refused(N_("Type in the value as it was published."), field="value")
    if not place or len(place) > 2000:
        raise Refused(N_("Write where you read it: a page's address, a newspaper and its date."), field="place")
    number = 1 + len([one for one in _readings(session, log, draw) if one.by == by])
    session.add(OutsideReading(log=log, draw=draw, number=number, value=value, place=place, by=by, at=now))
    session.flush()
    return _make_if_ready(session, log, draw, by=by, now=now)


def agreed(session: Session, log: str, draw: str) -> str | None:
    """The outside value on which the newest readings of two people agree; None before, and while newest readings differ."""
    newest = {one.by: one.value for one in _readings(session, log, draw)}
    return next(iter(newest.values())) if len(newest) >= 2 and len(set(newest.values())) == 1 else None


def void(
    session: Session,
    log: str,
    draw: str,
    *,
    cause: str,
    person: str | None,
    reason: str,
    by: str,
    approvals: Sequence[tuple[str, datetime]],
    summary: Sealed,
    now: datetime,
) -> None:
    """Declares a draw void, naming who withheld a number where somebody did; a new one is announced.  A seed is never made with a number
    left out: who holds one back could otherwise choose between two results."""
    found = _standing(session, log, draw)
    record(
        session,
        log,
        "draw.voided",
        now=now,
        by=by,
        approvals=approvals,
        summary=summary,
        posts=found.posts,
        draw=draw,
        cause=cause,
        person=person,
        reason=Sealed({"text": reason}),
    )
    _end(session, log, draw, now)


def _make_if_ready(session: Session, log: str, draw: str, *, by: str, now: datetime) -> bool:
    found = _standing(session, log, draw)
    value = agreed(session, log, draw)
    nonces = {one.code: one.nonce for one in found.participants if one.nonce is not None}
    if value is None or len(nonces) < len(found.participants) or found.inputs is None:
        return False
    if found.task is None or found.parameters is None:
        raise LookupError(f"what the draw {draw} is drawn from is not at hand")
    outside = value.encode()
    seed = draws.seed(draw, found.inputs, nonces, outside)
    drawing = draws.replay(seed, found.task, dict(found.parameters))
    record(
        session,
        log,
        "draw.drawn",
        now=now,
        by=by,
        posts=found.posts,
        draw=draw,
        outside=draws.outside_digest(outside),
        seed=seed,
        result=Sealed({"draw": draw, "result": drawing.result}),
    )
    arguments = _end(session, log, draw, now)
    if arguments is not None:
        _go_on(session, log, found.purpose, Held(draw, seed, drawing.result, arguments), now)
    return True


def _readings(session: Session, log: str, draw: str) -> list[OutsideReading]:
    return list(
        session.scalars(
            select(OutsideReading).where(OutsideReading.log == log, OutsideReading.draw == draw).order_by(OutsideReading.id)
        )
    )


def _standing(session: Session, log: str, draw: str) -> DrawRecord:
    """A draw that goes on; the log is held, so that nobody else takes a step in it meanwhile."""
    hold(session, log)
    found = draw_of(session, log, draw)
    if found is None or found.by_server:
        raise NotFound()
    if found.state in ("drawn", "void"):
        raise Refused(N_("This draw is over."))
    return found


def _participant(found: DrawRecord, by: str) -> Participant:
    person = next((one for one in found.participants if one.code == by), None)
    if person is None:
        raise NotFound()
    return person


def seed_of(session: Session, log: str, draw: str) -> str:
    """The seed of a draw that was made; LookupError when there is none."""
    for data in session.scalars(select(LogEntry.entry).where(LogEntry.log == log, LogEntry.type == "draw.drawn")):
        entry = entries.read_entry(data)
        if entry.body["draw"] == draw:
            return str(entry.body["seed"])
    raise LookupError(draw)
