"""What pages and other rooms may ask about marks."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session, aliased

from examsvc.applications import queries as applications
from examsvc.applications.models import Application
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry
from examsvc.marking import rules
from examsvc.marking.models import (
    Agreement,
    Allocation,
    Guide,
    Hearing,
    ObjectiveMark,
    PanelSeat,
    Script,
    StageLock,
)
from examsvc.sittings.models import Attempt, Sitting

# -------------------------------------------------------------------------------- objective parts


def newest_run() -> ScalarSelect[int]:
    """For a query over ObjectiveMark: the run that counts, the last one of each attempt."""
    other = aliased(ObjectiveMark)
    return select(func.max(other.run)).where(other.attempt_id == ObjectiveMark.attempt_id).scalar_subquery()


def run_of(session: Session, attempt_id: int) -> int:
    """How often an attempt was marked by the machine."""
    return int(
        session.scalar(select(func.max(ObjectiveMark.run)).where(ObjectiveMark.attempt_id == attempt_id)) or 0
    )


def objective_total(session: Session, attempt_id: int) -> Fraction | None:
    """Sum of an attempt's objective marks; None before it was marked."""
    scores = session.scalars(
        select(ObjectiveMark.score).where(
            ObjectiveMark.attempt_id == attempt_id, ObjectiveMark.run == newest_run()
        )
    ).all()
    return sum((Fraction(score) for score in scores), Fraction(0)) if scores else None


def score_runs(session: Session, sitting: Sitting, paper: str) -> int:
    """Entries responses.scored of a paper so far."""
    rows = session.scalars(
        select(LogEntry.entry).where(LogEntry.log == sitting.competition.slug, LogEntry.type == "responses.scored")
    )
    return sum(1 for row in rows if read_entry(row).body["paper"] == paper)


def closing_entry(session: Session, sitting: Sitting) -> int:
    """Index of the entry that closed the sitting: what orders the scoring.  LookupError before it is closed."""
    rows = session.execute(
        select(LogEntry.position, LogEntry.entry)
        .where(LogEntry.log == sitting.competition.slug, LogEntry.type == "sitting.closed")
        .order_by(LogEntry.position.desc())
    )
    for position, data in rows:
        if read_entry(data).body["sitting"] == sitting.code:
            return int(position)
    raise LookupError(sitting.code)


# -------------------------------------------------------------------------------- scripts


def scripts(session: Session, competition_id: int, part: str) -> list[Script]:
    """Coded scripts of a part, by code."""
    return list(
        session.scalars(
            select(Script).where(Script.competition_id == competition_id, Script.part == part).order_by(Script.code)
        )
    )


def script(session: Session, competition_id: int, code: str) -> Script | None:
    return session.scalar(select(Script).where(Script.competition_id == competition_id, Script.code == code))


def active_allocations(of: Script) -> list[Allocation]:
    """Allocations that count now, in the order of rounds: not replaced, and called."""
    return sorted(
        (one for one in of.allocations if one.replaced_at is None and one.called_at is not None),
        key=lambda one: one.round,
    )


def desk(session: Session, competition_id: int, marker_id: int) -> list[Allocation]:
    """What lies on a marker's desk: everything given to him that was not taken away, in the order of script codes."""
    return list(
        session.scalars(
            select(Allocation)
            .join(Script, Script.id == Allocation.script_id)
            .where(
                Script.competition_id == competition_id,
                Allocation.marker_id == marker_id,
                Allocation.replaced_at.is_(None),
                Allocation.recognised_at.is_(None),
                Allocation.called_at.is_not(None),
            )
            .order_by(Script.part, Script.code)
        )
    )


def guide(session: Session, of: Script) -> Guide:
    """The newest version of the marking guide of the script's task."""
    return session.scalars(
        select(Guide)
        .where(Guide.competition_id == of.competition_id, Guide.item_version_id == of.item_version_id)
        .order_by(Guide.version.desc())
        .limit(1)
    ).one()


def newest_agreements(session: Session, of: Script) -> dict[int, Agreement]:
    """The newest proposal of each marker."""
    rows = session.scalars(select(Agreement).where(Agreement.script_id == of.id).order_by(Agreement.id))
    return {row.by_id: row for row in rows}


def verdict(session: Session, of: Script) -> rules.Settled | rules.Waiting | None:
    """What the regulation makes of the marks that are in now, without doing it; None while marks are missing."""
    regulation = competitions.regulation(of.competition)
    scheme = regulation.marking_of(regulation.part(of.part))  # type: ignore[arg-type]
    active = active_allocations(of)
    if len(active) < scheme.markers or any(not one.sheets for one in active):
        return None
    marks = [Fraction(one.sheets[-1].total) for one in active]
    return rules.settle(scheme, regulation.rounding, marks, Fraction(of.maximum))


def awaits_head(session: Session, of: Script) -> bool:
    """Whether the regulation leaves this script to the head now."""
    if of.settlements:
        return False
    found = verdict(session, of)
    if not isinstance(found, rules.Waiting):
        return False
    if found.need == "head-decides":
        return True
    refused = any(one.mark is None for one in newest_agreements(session, of).values())
    return found.need.startswith("agree") and found.failing == "head-decides" and refused


def state(session: Session, of: Script) -> str:
    """Where a script stands: a short code that pages translate."""
    if of.settlements:
        return "settled"
    if not of.allocations:
        return "coded"
    if any(one.recognised_at and not one.replaced_at for one in of.allocations):
        return "recognised"
    found = verdict(session, of)
    if found is None:
        return "third-marking" if any(one.round == 3 and one.called_at for one in of.allocations) else "marking"
    if awaits_head(session, of):
        return "head"
    return "agreeing" if isinstance(found, rules.Waiting) else "marking"


# -------------------------------------------------------------------------------- hearings


def hearings(session: Session, competition_id: int, part: str) -> list[Hearing]:
    """Hearings of a part by place."""
    return list(
        session.scalars(
            select(Hearing)
            .where(Hearing.competition_id == competition_id, Hearing.part == part)
            .order_by(Hearing.place)
        )
    )


def hearing(session: Session, competition_id: int, code: str) -> Hearing | None:
    return session.scalar(select(Hearing).where(Hearing.competition_id == competition_id, Hearing.code == code))


def seat(session: Session, hearing_id: int, member_id: int) -> PanelSeat | None:
    """The member's seat at a hearing, unless he stepped aside."""
    return session.scalar(
        select(PanelSeat).where(
            PanelSeat.hearing_id == hearing_id, PanelSeat.member_id == member_id, PanelSeat.recused_at.is_(None)
        )
    )


def sitting_members(of: Hearing) -> list[PanelSeat]:
    return [one for one in of.members if one.recused_at is None]


# -------------------------------------------------------------------------------- for the results


def lock(session: Session, competition_id: int, stage: str) -> StageLock | None:
    """The lock that stands over a stage now."""
    return session.scalar(
        select(StageLock)
        .where(
            StageLock.competition_id == competition_id, StageLock.stage == stage, StageLock.reopened_at.is_(None)
        )
        .order_by(StageLock.number.desc())
        .limit(1)
    )


def part_marks(session: Session, competition: Competition, part: str) -> dict[str, Fraction]:
    """The settled mark of a part by candidate number, exact.  Joins codes and candidates: only for after the lock,
    and for the lock itself."""
    kind = competitions.regulation(competition).part(part).kind
    if kind == "objective":
        return _objective_marks(session, competition, part)
    if kind in ("essay", "plan"):
        return _script_marks(session, competition, part)
    return {
        one.application.candidate_number or "": Fraction(one.settlements[-1].mark)
        for one in hearings(session, competition.id, part)
        if one.settlements
    }


def _objective_marks(session: Session, competition: Competition, part: str) -> dict[str, Fraction]:
    rows = session.execute(
        select(Application.candidate_number, ObjectiveMark.score)
        .join(Attempt, Attempt.id == ObjectiveMark.attempt_id)
        .join(Sitting, Sitting.id == Attempt.sitting_id)
        .join(Application, Application.id == Attempt.application_id)
        .where(
            Sitting.competition_id == competition.id,
            Sitting.part == part,
            Attempt.state.in_(("submitted", "closed")),
            ObjectiveMark.run == newest_run(),
        )
    ).all()
    totals: dict[str, Fraction] = {}
    for number, score in rows:
        totals[number or ""] = totals.get(number or "", Fraction(0)) + Fraction(score)
    return totals


def _script_marks(session: Session, competition: Competition, part: str) -> dict[str, Fraction]:
    totals: dict[str, Fraction] = {}
    unsettled: set[str] = set()
    for one in scripts(session, competition.id, part):
        number = one.attempt.application.candidate_number or ""
        if one.settlements:
            totals[number] = totals.get(number, Fraction(0)) + Fraction(one.settlements[-1].mark)
        else:
            unsettled.add(number)
    return {number: total for number, total in totals.items() if number not in unsettled}


def absent(session: Session, competition: Competition, part: str) -> set[str]:
    """Candidate numbers of those who did not sit the part, or did not come to their hearing."""
    rows = session.scalars(
        select(Application.candidate_number)
        .join(Attempt, Attempt.application_id == Application.id)
        .join(Sitting, Sitting.id == Attempt.sitting_id)
        .where(Sitting.competition_id == competition.id, Sitting.part == part, Attempt.state == "absent")
    )
    missing = {number or "" for number in rows}
    missing |= {
        one.application.candidate_number or ""
        for one in hearings(session, competition.id, part)
        if one.state == "absent"
    }
    return missing


def agreement_table(session: Session, competition_id: int, part: str) -> list[dict[str, Any]]:
    """Independent marks by script, for the board's statistics: code, marks in the order of rounds, settled mark."""
    rows = []
    for one in scripts(session, competition_id, part):
        active = [a for a in active_allocations(one) if a.sheets]
        rows.append(
            {
                "script": one.code,
                "maximum": one.maximum,
                "marks": {a.marker.code: a.sheets[-1].total for a in active},
                "rounds": {a.round: a.sheets[-1].total for a in active},
                "mark": one.settlements[-1].mark if one.settlements else None,
            }
        )
    return rows


def reached(session: Session, competition: Competition, part: str) -> list[Application]:
    """Candidates who have come as far as this part: eligible, and past every hurdle of the stages before, by number.

    Stages before it must be locked and their code maps open; nobody otherwise.
    """
    regulation = competitions.regulation(competition)
    stage = regulation.stage_of(part).id
    going = {one.candidate_number or "": one for one in applications.eligible(session, competition.id)}
    for earlier in regulation.stages:
        if earlier.id == stage:
            break
        if earlier.kind != "examination":
            continue
        standing = lock(session, competition.id, earlier.id)
        blind = any(one.kind in ("essay", "plan") for one in earlier.parts)
        if standing is None or (blind and standing.opened_at is None):
            return []
        for one in earlier.parts:
            marks = part_marks(session, competition, one.id)
            for number in list(going):
                mark = marks.get(number)
                failed = one.hurdle and one.pass_mark is not None and (mark is None or not one.pass_mark.met(mark, one.maximum))
                if mark is None or failed:
                    del going[number]
    return [going[number] for number in sorted(going)]
