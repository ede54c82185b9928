"""What pages and other rooms may ask about marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from examsvc.accounts import queries as accounts
from examsvc.applications import queries as applications
from examsvc.applications.models import Application
from examsvc.competitions import oracles as course
from examsvc.competitions import queries as competitions
from examsvc.competitions.exam_clauses import PanelPart
from examsvc.competitions.models import Competition
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry
from examsvc.marking import rules
from examsvc.marking.models import (
    Agreement,
    Allocation,
    CodeMap,
    Guide,
    Hearing,
    ObjectiveMark,
    PanelSeat,
    Script,
    StageLock,
)
from examsvc.papers import queries as papers
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
    """What lies on a marker's desk: everything given to him that was not taken away, in the order of script codes.

    A script by a writer of whom he recognised another lies there no more, unless he had marked it.
    """
    recognised = set(
        session.scalars(
            select(Script.writer)
            .join(Allocation, Allocation.script_id == Script.id)
            .where(Script.competition_id == competition_id, Allocation.marker_id == marker_id, Allocation.recognised_at.is_not(None))
        )
    )
    found = (
        session.scalars(
            select(Allocation)
            .join(Script, Script.id == Allocation.script_id)
            .options(joinedload(Allocation.script))
            .where(
                Script.competition_id == competition_id,
                Allocation.marker_id == marker_id,
                Allocation.replaced_at.is_(None),
                Allocation.recognised_at.is_(None),
                Allocation.called_at.is_not(None),
            )
            .order_by(Script.part, Script.code)
        )
        .unique()
        .all()
    )
    return [one for one in found if one.sheet is not None or one.script.writer not in recognised]


@dataclass(frozen=True)
class TaskGuide:
    """The marking guide of one task as it stands: the version of the whole, when this task last changed and why."""

    version: int
    text: Mapping[str, str]
    changed_in: int
    reason: str | None


def guides(session: Session, competition_id: int, stage: str, scheme: str) -> list[Guide]:
    """Later versions of a scheme's guide in a stage, the oldest first."""
    return list(
        session.scalars(
            select(Guide)
            .where(Guide.competition_id == competition_id, Guide.stage == stage, Guide.scheme == scheme)
            .order_by(Guide.version)
        )
    )


def guide(session: Session, of: Script) -> TaskGuide:
    """The guide of the script's task as it stands now."""
    regulation = competitions.regulation(of.competition)
    scheme = regulation.marking_of(regulation.part(of.part)).id  # type: ignore[arg-type]
    later = guides(session, of.competition_id, regulation.stage_of(of.part).id, scheme)
    digest = of.item_version.digest
    own = [one for one in later if digest in one.changed]
    return TaskGuide(
        version=later[-1].version if later else 1,
        text=own[-1].tasks[digest] if own else dict(papers.item(of.item_version).guide.values),
        changed_in=own[-1].version if own else 1,
        reason=own[-1].reason if own else None,
    )


def newest_agreements(session: Session, of: Script) -> dict[int, Agreement]:
    """The newest proposal of each marker, made under the guide that holds."""
    rows = session.scalars(
        select(Agreement).where(Agreement.script_id == of.id, Agreement.guide >= of.guide).order_by(Agreement.id)
    )
    return {row.by_id: row for row in rows}


def close_to(session: Session, of: Script) -> set[int]:
    """Accounts that must not mark this script: barred when it was coded, or markers who recognised a script of the same writer.

    Says nothing of why.  Who was found to be close to the writer after the coding is not among them: nobody knows whose script it is, and a
    marker who recognises it says so.
    """
    recognised = session.scalars(
        select(Allocation.marker_id)
        .join(Script, Script.id == Allocation.script_id)
        .where(
            Script.competition_id == of.competition_id, Script.writer == of.writer, Allocation.recognised_at.is_not(None)
        )
    )
    return {*of.barred, *recognised}


def must_leave(session: Session, of: Script) -> list[Allocation]:
    """Unmarked allocations whose marker is close to the writer and waits for a replacement."""
    waiting = [one for one in of.allocations if one.replaced_at is None and one.sheet is None]
    barred = close_to(session, of) if waiting else set()
    return [one for one in waiting if one.marker_id in barred]


def verdict(session: Session, of: Script) -> rules.Settled | rules.Waiting | None:
    """What the regulation makes of the marks that are in now, without doing it; None while marks are missing."""
    regulation = competitions.regulation(of.competition)
    scheme = regulation.marking_of(regulation.part(of.part))  # type: ignore[arg-type]
    active = active_allocations(of)
    marks = [Fraction(one.sheet.total) for one in active if one.sheet is not None]
    if len(active) < scheme.markers or len(marks) < len(active):
        return None
    return rules.settle(scheme, regulation.rounding, marks, Fraction(of.maximum))


def awaits_head(session: Session, of: Script) -> bool:
    """Whether the regulation leaves this script to the head now."""
    if of.settlement is not None:
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
    if of.settlement is not None:
        return "settled"
    if not of.allocations:
        return "coded"
    if must_leave(session, of):
        return "recognised"
    found = verdict(session, of)
    if found is None:
        if any(one.round == 3 for one in active_allocations(of)):
            return "third-marking"
        return "reopened" if any(one.reopened for one in active_allocations(of)) else "marking"
    if awaits_head(session, of):
        return "head"
    return "agreeing" if isinstance(found, rules.Waiting) else "marking"


# -------------------------------------------------------------------------------- the code map


def code_maps(session: Session, sittings: Iterable[int]) -> list[CodeMap]:
    """The code maps of these sittings, in the order of sittings and parts."""
    return list(
        session.scalars(
            select(CodeMap).where(CodeMap.sitting_id.in_(list(sittings))).order_by(CodeMap.sitting_id, CodeMap.part)
        )
    )


def maps_of_stage(session: Session, competition: Competition, stage: str) -> list[CodeMap]:
    """The code maps of all sittings of a stage."""
    parts = [one.id for one in competitions.regulation(competition).stage(stage).parts]
    chosen = select(Sitting.id).where(Sitting.competition_id == competition.id, Sitting.part.in_(parts))
    return code_maps(session, session.scalars(chosen))


def closed_maps(session: Session, competition: Competition, stage: str) -> list[CodeMap]:
    """Those of them that nobody has opened yet."""
    return [one for one in maps_of_stage(session, competition, stage) if one.opened_at is None]


def posts_with_candidates(session: Session, competition: Competition) -> list[str]:
    """Codes of the posts that have candidates, ascending."""
    return sorted({one.post.code for one in applications.eligible(session, competition.id)})


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
    """The settled mark of a part by candidate number, exact.  Of scripts none while their code map is closed."""
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
        if one.attempt is None:
            continue
        number = one.application.candidate_number or ""
        if one.settlement is not None:
            totals[number] = totals.get(number, Fraction(0)) + Fraction(one.settlement.mark)
        else:
            unsettled.add(number)
    return {number: total for number, total in totals.items() if number not in unsettled}


def script_marks(session: Session, competition: Competition, part: str) -> dict[str, Fraction]:
    """The settled mark of each script of a part by its code, exact: what is locked while nobody knows whose it is."""
    return {
        one.code: Fraction(one.settlement.mark)
        for one in scripts(session, competition.id, part)
        if one.settlement is not None
    }


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


# -------------------------------------------------------------------------------- for the course of a competition


@course.facts_from
def facts_for_phases(session: Session, competition: Competition, now: datetime) -> set[str]:
    """The facts of competitions.phases that this room knows: scripts-coded:STAGE, panel-formed:STAGE, order-drawn:STAGE,
    marks-locked:STAGE, and stage-results:STAGE once the marks of a stage can be laid beside its candidates."""
    regulation = competitions.regulation(competition)
    found: set[str] = set()
    for stage in regulation.stages:
        written = [scripts(session, competition.id, part.id) for part in stage.parts if part.kind in ("essay", "plan")]
        if all(of and all(one.allocations for one in of) for of in written):
            found.add(f"scripts-coded:{stage.id}")
        parts = [part for part in stage.parts if isinstance(part, PanelPart)]
        heard = [hearings(session, competition.id, part.id) for part in parts]
        if all(heard):
            found.add(f"order-drawn:{stage.id}")
        if _formed(session, competition, parts, heard, now):
            found.add(f"panel-formed:{stage.id}")
        standing = lock(session, competition.id, stage.id)
        if standing is not None:
            found.add(f"marks-locked:{stage.id}")
            if not written or standing.opened_at is not None:
                found.add(f"stage-results:{stage.id}")
    return found


def _formed(
    session: Session, competition: Competition, parts: list[PanelPart], heard: list[list[Hearing]], now: datetime
) -> bool:
    """Whether each part has a panel of its size: seated members who are not recused, or, before the draw, enough who hold the role."""
    regulation = competitions.regulation(competition)
    holders = accounts.holders(session, "panel-member", competition.slug, now)
    for part, listed in zip(parts, heard, strict=True):
        size = regulation.panel_of(part).members
        if len(holders) < size:
            return False
        for one in listed:
            barred = {
                seat.member_id
                for seat in sitting_members(one)
                if one.application.account_id in accounts.recused(session, competition.slug, seat.member_id)
            }
            if one.state == "listed" and (barred or len(sitting_members(one)) != size):
                return False
    return True
