"""What the schedule of a competition says today: whose data go when, what is held, what was erased, what is kept and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.applications import queries as files
from examsvc.applications.models import AccommodationRequest, Application
from examsvc.competitions import queries as competitions
from examsvc.competitions.calendar import Deadline, add_months, local_midnight
from examsvc.competitions.models import Competition
from examsvc.competitions.procedure_clauses import COMPETITION_EVENTS
from examsvc.competitions.regulation import Retention
from examsvc.ledger import queries as ledger
from examsvc.marking.models import Hearing
from examsvc.results import queries as results
from examsvc.retention import rules
from examsvc.retention.models import ErasedFile, Erasure, ErasureOrder, Hold
from examsvc.retention.rules import Held, Outlook, Standing
from examsvc.sittings.models import Attempt

OUTCOMES: Mapping[str, Standing] = {"chosen": "chosen", "reserve": "reserve"}


@dataclass(frozen=True)
class Row:
    """One application under one rule."""

    application: Application
    standing: Standing
    outlook: Outlook


@dataclass(frozen=True)
class Plan:
    """One rule of the regulation's schedule, its day, and everybody whom it concerns."""

    rule: Retention
    deadline: Deadline | None
    rows: tuple[Row, ...]

    def count(self, state: str) -> int:
        return sum(row.outlook.state == state for row in self.rows)


def rule_of(competition: Competition, rule_id: str) -> Retention | None:
    """A rule of the schedule by its id."""
    return next((one for one in competitions.regulation(competition).retention if one.id == rule_id), None)


def standings(session: Session, competition: Competition) -> dict[int, Standing]:
    """What became of everybody who began an application, by its id.

    Withdrawn and refused files need no result; the others are open until one is published, and follow its newest edition.
    """
    edition = results.published(session, competition.id)
    outcomes = {row["number"]: row["outcome"] for row in edition.run.outcome["rows"]} if edition is not None else {}
    found: dict[int, Standing] = {}
    for one in session.scalars(select(Application).where(Application.competition_id == competition.id)):
        if one.withdrawn_at is not None or one.submitted_at is None:
            found[one.id] = "withdrawn"
        elif files.verdict(one) == "refused":
            found[one.id] = "refused"
        elif edition is None:
            found[one.id] = "open"
        else:
            found[one.id] = OUTCOMES.get(outcomes.get(one.candidate_number or "", ""), "unsuccessful")
    return found


def holds(session: Session, competition: Competition, *, zone: ZoneInfo, now: datetime) -> dict[int | None, list[Held]]:
    """What puts erasure off, by application; under None what holds everybody.

    Entered holds in force, complaints that the log knows as lodged and not yet decided or withdrawn, the time to contest, and
    places on the reserve list for as long as the regulation keeps it.
    """
    found: dict[int | None, list[Held]] = {}
    for one in in_force(session, competition, zone=zone, now=now):
        found.setdefault(one.application_id, []).append(Held(one.cause, one.until))  # type: ignore[arg-type]
    codes = {code: number for number, code in _codes(session, competition)}
    for code in _open_appeals(session, competition.slug):
        found.setdefault(codes.get(code), []).append(Held("complaint"))
    edition = results.published(session, competition.id)
    if edition is not None:
        found.setdefault(None, []).extend(_windows(session, competition, zone=zone, now=now))
    months = competitions.regulation(competition).selection.reserve_months
    if edition is not None and months:
        ends = add_months(edition.published_at.astimezone(zone).date(), months)
        if now < local_midnight(ends, zone):
            for number, standing in standings(session, competition).items():
                if standing == "reserve":
                    found.setdefault(number, []).append(Held("reserve", ends))
    return found


def in_force(session: Session, competition: Competition, *, zone: ZoneInfo, now: datetime) -> list[Hold]:
    """Entered holds that are neither released nor over, the oldest first."""
    today = now.astimezone(zone).date()
    return [
        one
        for one in session.scalars(
            select(Hold).where(Hold.competition_id == competition.id, Hold.released_at.is_(None)).order_by(Hold.id)
        )
        if one.until is None or one.until >= today
    ]


def _codes(session: Session, competition: Competition) -> list[tuple[int, str]]:
    return [
        (number, code)
        for number, code in session.execute(
            select(Application.id, Application.code).where(Application.competition_id == competition.id)
        )
    ]


def _windows(session: Session, competition: Competition, *, zone: ZoneInfo, now: datetime) -> list[Held]:
    """The time to contest, while it lasts after a result.

    A channel that counts from something before the result and whose beginning nobody dated is over with the result; one that counts
    from the result, or from what follows it, holds until its day is known and past.
    """
    late = COMPETITION_EVENTS[COMPETITION_EVENTS.index("results-published") :]
    ends = {one.rule.id: one for one in competitions.deadlines(session, competition, zone=zone, now=now)}
    found = []
    for channel in competitions.regulation(competition).appeals:
        if channel.window is None:
            continue
        end = ends[f"appeals-closed:{channel.id}"]
        if end.instant is None or end.forecast:
            found += [Held("window")] if channel.window.after in late else []
        elif end.instant > now:
            found.append(Held("window", end.day))
    return found


def _open_appeals(session: Session, log: str) -> list[str]:
    """Codes of those whose appeal stands in the log and is neither decided nor withdrawn."""
    ended = {entry.body["appeal"] for entry in ledger.of_type(session, log, "appeal.decided", "appeal.withdrawn")}
    return [entry.actor for entry in ledger.of_type(session, log, "appeal.lodged") if entry.body["appeal"] not in ended]


def plans(session: Session, competition: Competition, *, zone: ZoneInfo, now: datetime) -> list[Plan]:
    """Every rule of the schedule that the software carries out, with the outlook of each application that it concerns."""
    days = {one.rule.event: one for one in competitions.deadlines(session, competition, zone=zone, now=now)}
    became = standings(session, competition)
    held = holds(session, competition, zone=zone, now=now)
    ordered = ordered_applications(session, competition.id)
    gone = erased(session, competition.id)
    by_id = {
        one.id: one
        for one in files.by_name(
            session.scalars(select(Application).where(Application.competition_id == competition.id)).all()
        )
    }
    has = _who_has(session, by_id)
    found = []
    for rule in competitions.regulation(competition).retention:
        if not rules.erases(rule):
            continue
        day = days.get(f"kept-until:{rule.id}")
        due = day.instant if day is not None and not day.forecast else None
        rows = []
        for number, one in by_id.items():
            if number not in has.get(rule.data, by_id) and (number, rule.id) not in gone:
                continue
            outlook = rules.outlook(
                rule,
                standing=became[number],
                due=due,
                holds=[*held.get(None, []), *held.get(number, [])],
                ordered=number in ordered.get(rule.id, set()),
                erased=(number, rule.id) in gone,
                now=now,
            )
            if outlook.state != "not-concerned":
                rows.append(Row(one, became[number], outlook))
        found.append(Plan(rule, day, tuple(rows)))
    return found


def _who_has(session: Session, applications: Collection[int]) -> dict[str, set[int]]:
    """Applications with data of a kind that not everybody has: requests for arrangements, answers and hearings."""
    asked = session.scalars(select(AccommodationRequest.application_id))
    sat = session.scalars(select(Attempt.application_id))
    heard = session.scalars(select(Hearing.application_id))
    mine = set(applications)
    return {"accommodations": mine & set(asked), "answers": mine & {*sat, *heard}}


def something_due(session: Session, competition: Competition, *, zone: ZoneInfo, now: datetime) -> bool:
    """Whether the day of any rule has come, whoever it concerns: quick to answer, for pages that only remind."""
    days = {one.rule.event: one for one in competitions.deadlines(session, competition, zone=zone, now=now)}
    for rule in competitions.regulation(competition).retention:
        day = days.get(f"kept-until:{rule.id}")
        if rules.erases(rule) and day is not None and not day.forecast and day.instant is not None and day.instant <= now:
            return True
    return False


def kept_rules(competition: Competition) -> list[Retention]:
    """Rules of the schedule under which nothing is deleted here: for the archive, or without end."""
    return [one for one in competitions.regulation(competition).retention if not rules.erases(one)]


def orders(session: Session, competition_id: int) -> list[ErasureOrder]:
    """What two people ordered, the oldest first."""
    return list(
        session.scalars(
            select(ErasureOrder).where(ErasureOrder.competition_id == competition_id).order_by(ErasureOrder.id)
        )
    )


def ordered_applications(session: Session, competition_id: int) -> dict[str, set[int]]:
    """Applications whose erasure is ordered, by rule."""
    found: dict[str, set[int]] = {}
    for one in orders(session, competition_id):
        found.setdefault(one.rule, set()).update(one.applications)
    return found


def erased(session: Session, competition_id: int) -> dict[tuple[int, str], ErasedFile]:
    """What is gone: (application, rule)."""
    rows = session.scalars(
        select(ErasedFile)
        .join(Application, Application.id == ErasedFile.application_id)
        .where(Application.competition_id == competition_id)
    )
    return {(one.application_id, one.rule): one for one in rows}


def erasures(session: Session, competition_id: int) -> list[Erasure]:
    """Every run that erased something, the newest first."""
    return list(
        session.scalars(
            select(Erasure)
            .join(ErasureOrder, ErasureOrder.id == Erasure.order_id)
            .where(ErasureOrder.competition_id == competition_id)
            .order_by(Erasure.id.desc())
        )
    )


def hold(session: Session, competition: Competition, code: str) -> Hold | None:
    return session.scalar(select(Hold).where(Hold.competition_id == competition.id, Hold.code == code))
