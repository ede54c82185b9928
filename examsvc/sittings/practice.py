"""The practice paper: the same player and the same rules of saving on questions that count for nothing.

Nothing here is evidence: only the newest answer of each slot is kept, in a table of its own, and nothing goes into a log.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from examsvc.applications import queries as applications
from examsvc.base.errors import N_, NotFound
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.sittings import queries, rules
from examsvc.sittings.models import PracticeAttempt
from examsvc.sittings.saving import EMPTY_DIGEST, SaveRefused, SaveRequest, moment, refusal_of
from question_banks.banks import shipped_bank
from question_banks.model import Item


@lru_cache(maxsize=1)
def paper() -> tuple[tuple[int, Item], ...]:
    """The practice questions by slot, the same for everybody."""
    return tuple(enumerate(shipped_bank("practice").items, start=1))


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    return tuple(shipped_bank("practice").languages)


def minutes(competition: Competition) -> int | None:
    """As long as the shortest part that is sat on a computer; None where none is, or where there is no practice."""
    regulation = competitions.regulation(competition)
    seated = [part.minutes for part in regulation.parts if part.kind in ("objective", "essay") and part.minutes]
    return min(seated) if seated and regulation.sitting.practice else None


def may_practise(session: Session, competition: Competition, account_id: int) -> bool:
    """Whether this person is a candidate of a competition that offers practice."""
    mine = applications.of_account(session, competition.id, account_id)
    return minutes(competition) is not None and mine is not None and mine.withdrawn_at is None


def begin(session: Session, competition: Competition, *, account_id: int, now: datetime) -> PracticeAttempt:
    """A fresh try; the one before is forgotten.  NotFound for whom there is no practice."""
    length = minutes(competition)
    if length is None or not may_practise(session, competition, account_id):
        raise NotFound()
    session.execute(
        delete(PracticeAttempt).where(
            PracticeAttempt.competition_id == competition.id, PracticeAttempt.account_id == account_id
        )
    )
    attempt = PracticeAttempt(
        code=secrets.token_hex(6),
        competition_id=competition.id,
        account_id=account_id,
        begun_at=now,
        minutes=length,
        flags=[],
        answers={},
    )
    session.add(attempt)
    session.flush()
    return attempt


def attempt(session: Session, code: str, account_id: int) -> PracticeAttempt:
    """The person's own try of that code; NotFound for anybody else's."""
    found = session.scalar(
        select(PracticeAttempt).where(PracticeAttempt.code == code, PracticeAttempt.account_id == account_id)
    )
    if found is None:
        raise NotFound()
    return found


def attempt_of(session: Session, competition_id: int, account_id: int) -> PracticeAttempt | None:
    return session.scalar(
        select(PracticeAttempt).where(
            PracticeAttempt.competition_id == competition_id, PracticeAttempt.account_id == account_id
        )
    )


def timing(attempt: PracticeAttempt) -> rules.Timing:
    return rules.Timing(bell=attempt.begun_at, minutes=attempt.minutes)


def state(attempt: PracticeAttempt, now: datetime) -> str:
    """The attempt's own state: submitted, closed by the clock, or checked in."""
    if attempt.receipt is not None:
        return "submitted"
    return "closed" if rules.may_be_closed(timing(attempt), now) else "checked-in"


def take_lease(session: Session, attempt: PracticeAttempt) -> str:
    """The page that asked last may save."""
    attempt.lease = secrets.token_hex(16)
    session.flush()
    return attempt.lease


def save(
    session: Session,
    attempt: PracticeAttempt,
    *,
    lease: str | None,
    saves: Sequence[SaveRequest],
    flags: Sequence[int] | None,
    now: datetime,
) -> list[dict[str, Any]]:
    """As in the exam: all or none, a repeated save gets its first reply, what is not current comes back as a conflict."""
    queries.hold(session, attempt)
    if lease is None or lease != attempt.lease:
        raise SaveRefused(423, "lease-lost", N_("The practice paper is now open on another page. Go on there."))
    answers: dict[str, Any] = dict(attempt.answers)
    items = dict(paper())
    refusals = [(one, refusal_of(items.get(one.slot), one, 0)) for one in saves]
    wrong = [{"save_id": one.save_id, "slot": one.slot, "error": sentence} for one, sentence in refusals if sentence]
    if wrong:
        sentence = N_("Some answers could not be stored. The page shows which and why.")
        raise SaveRefused(422, "refused", sentence, refusals=wrong)
    conflicts = []
    for one in saves:
        kept = answers.get(str(one.slot))
        if kept is not None and kept["save_id"] == one.save_id:
            continue
        version = kept["version"] if kept else 0
        if one.base_version != version:
            conflicts.append({**(kept or _empty(one.slot)), "save_id": one.save_id})
            continue
        answers[str(one.slot)] = {
            "save_id": one.save_id,
            "slot": one.slot,
            "version": version + 1,
            "digest": one.digest,
            "saved_at": moment(now),
            "late": state(attempt, now) != "checked-in",
            "value": one.value,
        }
    if conflicts:
        sentence = N_("Some answers were changed on another page. Choose which ones to keep.")
        raise SaveRefused(409, "conflict", sentence, conflicts=conflicts)
    attempt.answers = answers
    if flags is not None:
        attempt.flags = sorted(set(flags))
    session.flush()
    return [{name: part for name, part in answers[str(one.slot)].items() if name != "value"} for one in saves]


def _empty(slot: int) -> dict[str, Any]:
    return {"slot": slot, "version": 0, "digest": EMPTY_DIGEST, "saved_at": None, "value": None}


def slots(attempt: PracticeAttempt, *, values: bool) -> list[dict[str, Any]]:
    """What is kept of every slot, as the player's state lists it."""
    names = ("slot", "version", "digest", "saved_at", *(("value",) if values else ()))
    return [
        {name: attempt.answers.get(str(number), _empty(number))[name] for name in names} for number, _ in paper()
    ]


def submit(
    session: Session, attempt: PracticeAttempt, *, lease: str | None, versions: Mapping[int, int], now: datetime
) -> dict[str, Any]:
    """Hands the practice paper in.  The receipt looks like a real one; its code stands for nothing."""
    queries.hold(session, attempt)
    if attempt.receipt is None:
        if lease is None or lease != attempt.lease:
            raise SaveRefused(423, "lease-lost", N_("The practice paper is now open on another page. Go on there."))
        stored = {one["slot"]: one["version"] for one in slots(attempt, values=False)}
        differing = sorted(slot for slot, version in stored.items() if versions.get(slot, 0) != version)
        if differing:
            sentence = N_("Some answers on the server are not the ones on this page. The page compares them now.")
            raise SaveRefused(409, "conflict", sentence, slots=differing)
        attempt.receipt = _receipt(attempt, now)
        session.flush()
    return attempt.receipt


def receipt(attempt: PracticeAttempt, now: datetime) -> dict[str, Any] | None:
    """There once the try has ended, also when its time ran out."""
    if attempt.receipt is not None or state(attempt, now) == "checked-in":
        return attempt.receipt
    return _receipt(attempt, attempt.begun_at + timedelta(minutes=attempt.minutes))


def _receipt(attempt: PracticeAttempt, at: datetime) -> dict[str, Any]:
    answered = sum(1 for one in slots(attempt, values=True) if one["value"] is not None)
    code = base64.b32encode(bytes.fromhex(attempt.code) * 3).decode("ascii")[:20]
    return {"code": code, "submitted_at": moment(at), "answered": answered, "blank": len(paper()) - answered}


@dataclass(frozen=True)
class Remark:
    """What the candidate learns about one practice question: ``score`` is None where only a person can mark."""

    slot: int
    item: Item
    score: Fraction | None
    most: Fraction


def remarks(attempt: PracticeAttempt) -> list[Remark]:
    """How each answer would have been marked."""
    found = []
    for number, item in paper():
        kept = attempt.answers.get(str(number))
        outcome = item.mark(kept["value"] if kept and kept["value"] else {})
        score = None if item.by_person or outcome.score is None else Fraction(outcome.score)
        found.append(Remark(number, item, score, Fraction(item.max_score)))
    return found
