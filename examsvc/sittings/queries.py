"""What other rooms may ask about sittings, attempts and answers."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Select, cast, func, literal, null, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from examsvc.applications.models import Application
from examsvc.base.database import UTCDateTime
from examsvc.base.errors import NotFound
from examsvc.competitions import queries as competitions
from examsvc.papers import oracles
from examsvc.papers import queries as papers
from examsvc.papers.models import FormSlot, ItemVersion
from examsvc.sittings.models import (
    Attempt,
    Credit,
    Incident,
    LateDecision,
    Outage,
    Pause,
    PracticeAttempt,
    Room,
    RoomNotice,
    SanctionRecord,
    Save,
    Seat,
    SecondAttempt,
    Sitting,
)
from examsvc.sittings.rules import Standstill, Timing
from question_banks.model import Item


def sitting(session: Session, sitting_id: int) -> Sitting:
    found = session.get(Sitting, sitting_id)
    if found is None:
        raise NotFound()
    return found


def sitting_of(session: Session, competition_id: int, code: str) -> Sitting:
    found = session.scalar(select(Sitting).where(Sitting.competition_id == competition_id, Sitting.code == code))
    if found is None:
        raise NotFound()
    return found


def unfinished(session: Session) -> list[Sitting]:
    """Sittings that are planned and not closed, by bell."""
    return list(session.scalars(select(Sitting).where(Sitting.closed_at.is_(None)).order_by(Sitting.bell_at)))


def sittings_of(session: Session, competition_id: int) -> list[Sitting]:
    return list(
        session.scalars(select(Sitting).where(Sitting.competition_id == competition_id).order_by(Sitting.bell_at, Sitting.id))
    )


@oracles.bell_from
def next_bell(session: Session, competition_id: int, part: str, shift: int | None = None) -> datetime | None:
    """When the first sitting of a part, or of one shift of it, that has not begun will ring."""
    waiting = select(Sitting).where(
        Sitting.competition_id == competition_id, Sitting.part == part, Sitting.started_at.is_(None)
    )
    found = (one for one in session.scalars(waiting) if shift is None or shift_of(session, one) == shift)
    return min((one.bell_at for one in found), default=None)


def shift_of(session: Session, sitting: Sitting) -> int:
    """Which of the part's shifts a sitting is, counted by the bells; those that have no papers of their own use the last one's."""
    earlier = select(func.count(func.distinct(Sitting.bell_at))).where(
        Sitting.competition_id == sitting.competition_id, Sitting.part == sitting.part, Sitting.bell_at < sitting.bell_at
    )
    return min(1 + (session.scalar(earlier) or 0), papers.shifts(session, sitting.competition_id, sitting.part))


@oracles.begun_from
def form_begun(session: Session, form_id: int) -> bool:
    """Whether a sitting with this form has begun."""
    found = select(Sitting.id).where(Sitting.form_id == form_id, Sitting.started_at.is_not(None))
    return session.scalar(found) is not None


def attempt(session: Session, code: str) -> Attempt:
    """The attempt, with its sitting, of that code; NotFound otherwise."""
    found = session.scalar(select(Attempt).where(Attempt.code == code).options(joinedload(Attempt.sitting)))
    if found is None:
        raise NotFound()
    return found


def hold(session: Session, attempt: Attempt | PracticeAttempt) -> None:
    """One writer per attempt: its row, and no other, is locked until the transaction ends, and read anew."""
    session.refresh(attempt, with_for_update={"of": type(attempt)})


def attempts_of_account(session: Session, account_id: int) -> list[Attempt]:
    return list(
        session.scalars(
            select(Attempt)
            .join(Application)
            .join(Sitting)
            .where(Application.account_id == account_id)
            .order_by(Sitting.bell_at, Attempt.id)
        )
    )


def timing(session: Session, attempt: Attempt) -> Timing:
    """All that this attempt's time depends on, as stored now: one query, since each save asks it."""
    sitting = attempt.sitting
    mine = or_(Pause.room_id == attempt.room_id, Pause.attempt_id == attempt.id)
    credited = select(func.sum(Credit.seconds)).where(Credit.attempt_id == attempt.id)
    nothing = cast(null(), UTCDateTime)
    rows = session.execute(
        select(Pause.since, Pause.until, literal(0))
        .where(mine)
        .union_all(select(nothing, nothing, func.coalesce(credited.scalar_subquery(), 0)))
    ).all()
    return Timing(
        bell=attempt.own_bell_at or sitting.bell_at,
        minutes=sitting.minutes,
        extra_minutes=attempt.extra_minutes,
        grace_seconds=sitting.grace_seconds,
        credit_seconds=sum(int(seconds) for _, _, seconds in rows),
        standstills=tuple(sorted((Standstill(s, u) for s, u, _ in rows if s is not None), key=lambda one: one.since)),
    )


def timings(session: Session, sitting: Sitting) -> dict[int, Timing]:
    """The same of every attempt of a sitting, by the attempt's id: three queries however many they are."""
    attempts = list(session.scalars(select(Attempt).where(Attempt.sitting_id == sitting.id)))
    of_rooms: dict[int, list[Standstill]] = {}
    of_attempts: dict[int, list[Standstill]] = {}
    pauses = (
        select(Pause)
        .outerjoin(Room, Room.id == Pause.room_id)
        .outerjoin(Attempt, Attempt.id == Pause.attempt_id)
        .where(or_(Room.sitting_id == sitting.id, Attempt.sitting_id == sitting.id))
    )
    for pause in session.scalars(pauses):
        if pause.room_id is not None:
            of_rooms.setdefault(pause.room_id, []).append(Standstill(pause.since, pause.until))
        elif pause.attempt_id is not None:
            of_attempts.setdefault(pause.attempt_id, []).append(Standstill(pause.since, pause.until))
    credited = session.execute(
        select(Credit.attempt_id, func.sum(Credit.seconds))
        .join(Attempt, Attempt.id == Credit.attempt_id)
        .where(Attempt.sitting_id == sitting.id)
        .group_by(Credit.attempt_id)
    )
    seconds = {number: int(total) for number, total in credited}
    return {
        one.id: Timing(
            bell=one.own_bell_at or sitting.bell_at,
            minutes=sitting.minutes,
            extra_minutes=one.extra_minutes,
            grace_seconds=sitting.grace_seconds,
            credit_seconds=seconds.get(one.id, 0),
            standstills=tuple(
                sorted([*of_rooms.get(one.room_id, ()), *of_attempts.get(one.id, ())], key=lambda still: still.since)
            ),
        )
        for one in attempts
    }


@dataclass(frozen=True)
class Slot:
    """The n-th question as this attempt's candidate sees it; ``form_slot`` is its place in the form, the same for all.

    ``item`` is the instance under the attempt's seed: where the item has variables, each candidate has numbers of his own,
    and what is shown, accepted and marked is the same instance.  ``digest`` is the stored version's.
    """

    number: int
    form_slot: int
    marks: str
    item: Item
    digest: str
    item_version_id: int


@dataclass(frozen=True, eq=False)
class Paper:
    """A form as attempts need it; kept in memory, since neither a form nor the regulation over it ever changes.

    Rows: place, marks, item version, digest, native document.  ``margin`` is how far a text may exceed its word limit.
    """

    rows: tuple[tuple[int, str, int, str, str], ...]
    shuffle_items: bool
    shuffle_options: bool
    margin: float


_papers: WeakKeyDictionary[Engine, dict[int, Paper]] = WeakKeyDictionary()


def paper(session: Session, attempt: Attempt) -> Paper | None:
    """The attempt's paper; None while the sitting has none."""
    form_id = attempt.sitting.form_id
    if form_id is None:
        return None
    known = _papers.setdefault(session.get_bind().engine, {})
    if form_id not in known:
        rows = session.execute(
            select(FormSlot.number, FormSlot.marks, ItemVersion.id, ItemVersion.digest, ItemVersion.native)
            .join(ItemVersion, ItemVersion.id == FormSlot.item_version_id)
            .where(FormSlot.form_id == form_id)
            .order_by(FormSlot.number)
        )
        part = competitions.regulation(attempt.sitting.competition).part(attempt.sitting.part)
        known[form_id] = Paper(
            tuple((n, m, v, d, t) for n, m, v, d, t in rows),
            bool(getattr(part, "shuffle_items", False)),
            bool(getattr(part, "shuffle_options", False)),
            float(getattr(part, "word_limit_margin", 0)),
        )
    return known[form_id]


def slots(session: Session, attempt: Attempt) -> list[Slot]:
    """Slots of the attempt in the order shown: the form's, or the candidate's own where the regulation shuffles items.

    The own order is that of SHA-256(seed, place in the form), so it can be found again from the seed alone.
    """
    found = paper(session, attempt)
    return list(_shown(found, attempt.seed)) if found is not None else []


@lru_cache(maxsize=4096)
def _shown(paper: Paper, seed: str) -> tuple[Slot, ...]:
    rows = list(paper.rows)
    if paper.shuffle_items:
        rows.sort(key=lambda row: hashlib.sha256(f"{seed}:{row[0]}".encode()).digest())
    return tuple(
        Slot(number, place, marks, papers.parsed(digest, native).instance(_item_seed(seed, place)), digest, version)
        for number, (place, marks, version, digest, native) in enumerate(rows, start=1)
    )


def _item_seed(seed: str, form_slot: int) -> str:
    return f"{seed}:{form_slot}"


def presented(session: Session, attempt: Attempt, slot: Slot, language: str, media: str = "media/") -> dict[str, Any]:
    """The slot's item as this candidate sees it: options in his own order where the regulation shuffles them."""
    found = paper(session, attempt)
    shuffled = found is not None and found.shuffle_options
    return slot.item.presentation(language, _item_seed(attempt.seed, slot.form_slot) if shuffled else 0, media)


def shown_order(session: Session, attempt: Attempt) -> list[tuple[Slot, list[str]]]:
    """Each slot with the tokens of its first interaction's options in the order shown; empty where it has none."""
    language = competitions.regulation(attempt.sitting.competition).languages[0]
    found = []
    for slot in slots(session, attempt):
        interactions = presented(session, attempt, slot, language)["interactions"]
        order = [choice["id"] for one in interactions for choice in one.get("choices", [])]
        found.append((slot, order))
    return found


def newest_saves(
    session: Session,
    attempt_id: int,
    *,
    before: datetime | None = None,
    late: bool = True,
    slots: Collection[int] | None = None,
) -> dict[int, Save]:
    """The newest save of every slot that has one (of ``slots`` only, where given).  With ``late=False`` late ones are passed over."""
    newest = select(Save.slot, func.max(Save.version)).where(Save.attempt_id == attempt_id).group_by(Save.slot)
    if before is not None:
        newest = newest.where(Save.saved_at <= before)
    if not late:
        newest = newest.where(Save.late.is_(False))
    if slots is not None:
        newest = newest.where(Save.slot.in_(slots))
    return {save.slot: save for save in session.scalars(_saves(attempt_id, newest))}


def _saves(attempt_id: int, newest: Select[int, int]) -> Select[Save]:
    return (
        select(Save)
        .where(Save.attempt_id == attempt_id, tuple_(Save.slot, Save.version).in_(newest))
        .order_by(Save.slot, Save.version)
    )


def notices(session: Session, sitting_id: int) -> list[RoomNotice]:
    return list(session.scalars(select(RoomNotice).where(RoomNotice.sitting_id == sitting_id).order_by(RoomNotice.id)))


@dataclass(frozen=True)
class Progress:
    """How far an attempt is: slots with an answer, and when something was saved last.  Nothing of the answers."""

    answered: int
    last_saved: datetime | None


def progress(session: Session, attempt_ids: Collection[int]) -> dict[int, Progress]:
    """Of each attempt that has saves, by its id: one query that reads no answer."""
    newest = (
        select(Save.attempt_id, Save.slot, func.max(Save.version))
        .where(Save.attempt_id.in_(attempt_ids))
        .group_by(Save.attempt_id, Save.slot)
    )
    found = session.execute(
        select(Save.attempt_id, func.count(Save.value), func.max(Save.saved_at))
        .where(tuple_(Save.attempt_id, Save.slot, Save.version).in_(newest))
        .group_by(Save.attempt_id)
    )
    return {number: Progress(answered, last) for number, answered, last in found}


def incidents(session: Session, sitting_id: int) -> list[Incident]:
    return list(session.scalars(select(Incident).where(Incident.sitting_id == sitting_id).order_by(Incident.id)))


def outages(session: Session, attempt_id: int) -> list[Outage]:
    return list(session.scalars(select(Outage).where(Outage.attempt_id == attempt_id).order_by(Outage.since)))


def credits(session: Session, attempt_id: int) -> list[Credit]:
    return list(session.scalars(select(Credit).where(Credit.attempt_id == attempt_id).order_by(Credit.id)))


def on_break(session: Session, attempt_id: int) -> bool:
    return session.scalar(select(Pause.id).where(Pause.attempt_id == attempt_id, Pause.until.is_(None))) is not None


def attempts_with_late_answers(session: Session, sitting_id: int) -> list[Attempt]:
    return list(
        session.scalars(
            select(Attempt)
            .where(
                Attempt.sitting_id == sitting_id,
                Attempt.id.in_(select(Save.attempt_id).where(Save.late.is_(True))),
            )
            .order_by(Attempt.id)
        )
    )


def late_saves(session: Session, attempt_id: int) -> list[Save]:
    """Answers that arrived after the end, the oldest first."""
    return list(
        session.scalars(select(Save).where(Save.attempt_id == attempt_id, Save.late.is_(True)).order_by(Save.link))
    )


def manner_of_end(session: Session, attempt: Attempt) -> str:
    """Who ended an attempt that has a receipt: "candidate", "deadline", or "hall" where a sanction ended it."""
    if attempt.submit_id is not None:
        return "candidate"
    sanctions = competitions.regulation(attempt.sitting.competition).sanctions
    ending = {rule.id for rule in sanctions if rule.ends_sitting}
    imposed = session.scalars(select(SanctionRecord.sanction).where(SanctionRecord.attempt_id == attempt.id))
    return "hall" if ending & set(imposed) else "deadline"


def late_decision(session: Session, attempt_id: int) -> LateDecision | None:
    return session.scalar(select(LateDecision).where(LateDecision.attempt_id == attempt_id))


def counted_saves(session: Session, attempt_id: int) -> dict[int, Save]:
    """The saves that are marked: the newest in time, or the newest of all where the board counted late ones."""
    decision = late_decision(session, attempt_id)
    return newest_saves(session, attempt_id, late=decision is not None and decision.outcome == "counted")


def second_attempts(session: Session, sitting_id: int) -> dict[int, SecondAttempt]:
    """Decisions that somebody sits again in this sitting, by seat."""
    found = session.scalars(
        select(SecondAttempt).join(Seat, Seat.id == SecondAttempt.seat_id).where(Seat.sitting_id == sitting_id)
    )
    return {one.seat_id: one for one in found}


def second_attempt_instead_of(session: Session, attempt_id: int) -> SecondAttempt | None:
    return session.scalar(select(SecondAttempt).where(SecondAttempt.previous_id == attempt_id))


def seats_of_account(session: Session, competition_id: int, account_id: int) -> list[Seat]:
    """Every seat that this person was given in a competition, by bell."""
    return list(
        session.scalars(
            select(Seat)
            .join(Sitting, Sitting.id == Seat.sitting_id)
            .join(Application, Application.id == Seat.application_id)
            .where(Sitting.competition_id == competition_id, Application.account_id == account_id)
            .order_by(Sitting.bell_at, Seat.id)
        )
    )


def attempt_of_seat(session: Session, seat_id: int) -> Attempt | None:
    return session.scalar(select(Attempt).where(Attempt.seat_id == seat_id))


def deductions(session: Session, attempt_id: int) -> list[SanctionRecord]:
    """Sanctions in force on an attempt, in the order imposed."""
    return list(
        session.scalars(
            select(SanctionRecord)
            .where(SanctionRecord.attempt_id == attempt_id, SanctionRecord.lifted_at.is_(None))
            .order_by(SanctionRecord.id)
        )
    )
