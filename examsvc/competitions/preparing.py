"""Setting a competition up: its council, its calendar, the tables of holidays, the keys of its witnesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.accounts import approvals, enrolment
from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved
from examsvc.accounts.models import ApprovalRequest
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, Refused
from examsvc.base.language import LANGUAGES, sentence
from examsvc.base.language import day as spoken_day
from examsvc.competitions import calendar, composition, queries
from examsvc.competitions.composition import Seat
from examsvc.competitions.models import Competition, Council, CouncilSeat, HolidayTable
from examsvc.competitions.operations import require_unpinned, set_date
from examsvc.competitions.regulation import RegulationError
from examsvc.competitions.wording import Words
from examsvc.ledger import notes
from examsvc.ledger import operations as ledger
from examsvc.ledger.models import LogEntry
from examsvc.ledger.operations import Sealed

ESTABLISH = "competitions.establish-council"
SEAT_ROLES = {"chair": "council-chair", "secretary": "council-secretary", "member": "council-member"}
"""The role that a person holds in the competition to take a seat; a substitute holds the one of a member."""


# ---------------------------------------------------------------- council


@dataclass(frozen=True)
class Member:
    """A person proposed for a seat of the council."""

    account_id: int
    seat: composition.SeatName
    votes: bool = True
    groups: tuple[str, ...] = ()


def propose_council(
    session: Session,
    competition: Competition,
    members: Sequence[Member],
    *,
    number: str,
    decided_on: date,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Proposes the council, first or changed, by the decision of the authority that appoints it.

    Refused unless it is composed as the regulation asks and everybody holds the role of the seat.
    """
    queries.require_running(competition)
    _check_council(session, competition, members, now)
    if not number.strip():
        raise Refused(N_("Enter the number of the decision."), field="number")
    if decided_on > now.date():
        raise Refused(N_("The decision cannot lie in the future."), field="decided_on")
    lines = [
        f"{sentence(language, N_('Council of the competition, by decision'))}: {number.strip()}, {spoken_day(decided_on)}"
    ]
    for one in members:
        person = accounts.account(session, one.account_id)
        groups = [sentence(language, composition.GROUPS[group]) for group in one.groups]
        votes = [] if one.votes else [sentence(language, N_("without a vote"))]
        lines.append(
            f"{sentence(language, composition.SEATS[one.seat])}: {person.name}, {person.email}"
            + "".join(f"; {text}" for text in (*votes, *groups))
        )
    return approvals.ask(
        session,
        kind=ESTABLISH,
        entry_type="council.established",
        competition=competition.slug,
        lines=lines,
        arguments={
            "number": number.strip(),
            "decided_on": decided_on.isoformat(),
            "members": [[one.account_id, one.seat, one.votes, sorted(one.groups)] for one in members],
        },
        terms=queries.approval_terms(competition, "grant-role"),
        by=by,
        now=now,
    )


def _check_council(session: Session, competition: Competition, members: Sequence[Member], now: datetime) -> None:
    if len({one.account_id for one in members}) != len(members):
        raise Refused(N_("One person takes one seat only."), field="members")
    for one in members:
        role = SEAT_ROLES.get(one.seat, SEAT_ROLES["member"])
        if one.account_id not in {holder.id for holder in accounts.holders(session, role, competition.slug, now)}:
            raise Refused(
                N_("%(name)s does not hold the role that the seat needs. Grant it on the page People and roles first."),
                name=accounts.account(session, one.account_id).name,
                field="members",
            )
    for fault in composition.faults(
        queries.regulation(competition).council,
        [Seat(one.seat, one.votes, frozenset(one.groups)) for one in members],
    ):
        raise Refused(fault.sentence, field="members", **fault.params)


@approvals.carries_out(ESTABLISH)
def establish_council(session: Session, approved: Approved) -> None:
    """The council is appointed: one more revision of it, with everybody's seat, on record."""
    competition = queries.competition(session, approved.competition)
    members = [
        Member(account, seat, votes, tuple(groups))
        for account, seat, votes, groups in approved.arguments["members"]
    ]
    queries.require_running(competition)
    _check_council(session, competition, members, approved.now)
    council = Council(
        competition_id=competition.id,
        revision=len(competition.councils) + 1,
        number=approved.arguments["number"],
        decided_on=date.fromisoformat(approved.arguments["decided_on"]),
        request_id=approved.request_id,
        at=approved.now,
    )
    council.seats = [
        CouncilSeat(account_id=one.account_id, seat=one.seat, votes=one.votes, groups=sorted(one.groups)) for one in members
    ]
    session.add(council)
    session.flush()
    session.expire(competition, ["councils"])
    ledger.record(
        session,
        competition.slug,
        "council.established",
        now=approved.now,
        by=accounts.account(session, approved.last_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        posts=[post.code for post in queries.running_posts(competition)],
        revision=council.revision,
        council=Sealed(
            {
                "decision": f"{council.number}, {council.decided_on.isoformat()}",
                "seats": [
                    {
                        "person": enrolment.enrol(session, competition.slug, one.account_id, approved.now),
                        "seat": one.seat,
                        "votes": one.votes,
                    }
                    for one in members
                ],
            }
        ),
    )


def council_stands(session: Session, competition: Competition, now: datetime) -> list[str]:
    """What keeps the council from acting now, as sentences in English with their parameters filled in; empty for nothing."""
    council = queries.council(competition)
    if council is None:
        return [N_("No council is appointed yet.")]
    members = [Member(one.account_id, one.seat, one.votes, tuple(one.groups)) for one in council.seats]  # type: ignore[arg-type]
    try:
        _check_council(session, competition, members, now)
    except Refused as refusal:
        return [str(refusal)]
    return []


# ---------------------------------------------------------------- calendar


def plan_dates(
    session: Session,
    competition: Competition,
    dates: Mapping[str, datetime | None],
    *,
    zone: ZoneInfo,
    by: int,
    now: datetime,
) -> None:
    """Sets the times of events, None to take one back.

    Refused as a whole when a time that still lies ahead breaks a deadline of the regulation; what happened late may be entered
    as it was.  Dates that stand in a notice which can no longer change move only by a reasoned decision.
    """
    known = queries.events(competition)
    changed = {event: at for event, at in dates.items() if known.get(event) != at}
    if not changed:
        return
    unknown = sorted(set(changed) - set(event_names(competition)))
    if unknown:
        raise Refused(N_("The regulation does not know the event %(event)s."), event=unknown[0])
    if is_frozen(competition, now):
        queries.require_running(competition)
        fixed = sorted(event for event in changed if event in announced_events(competition))
        if fixed:
            raise Refused(
                N_("This date stands in the notice and applications are open: it moves only by a reasoned decision. Event: %(event)s."),
                event={one: words(competition, one).event(fixed[0]) for one in LANGUAGES},
                field=field_of(fixed[0]),
            )
    check_dates(session, competition, changed, zone=zone, now=now)
    for event, at in sorted(changed.items()):
        set_date(session, competition, event=event, at=at, by=by, now=now)
    if competition.pinned_at is not None:
        record_calendar(session, competition, by=accounts.account(session, by).code, now=now)


def check_dates(
    session: Session, competition: Competition, changed: Mapping[str, datetime | None], *, zone: ZoneInfo, now: datetime
) -> None:
    """Refused where a changed time that lies ahead would break a deadline that it did not break before."""
    after = {**queries.events(competition), **changed}
    planned = {event: at for event, at in after.items() if at is not None}
    before = {one.rule.id for one in queries.deadlines(session, competition, zone=zone, now=now) if one.state == "broken"}
    for one in queries.deadlines(session, competition, zone=zone, now=now, dates=planned):
        touched = one.rule.event in changed or one.rule.base in changed
        at = planned.get(one.rule.event)
        if one.state == "broken" and touched and at is not None and (at > now or one.rule.id not in before):
            if at <= now and one.rule.event in changed:
                continue  # it happened so; the calendar shows that it was late
            assert one.day is not None
            field = one.rule.event if one.rule.event in changed else one.rule.base
            raise Refused(
                N_("The regulation says: %(rule)s. That is %(day)s at the latest. Choose an earlier time.")
                if one.rule.bound == "at-latest"
                else N_("The regulation says: %(rule)s. That is %(day)s at the earliest. Choose a later time."),
                rule=one.rule.label.model_dump(),
                day=spoken_day(one.day),
                field=field_of(field),
            )


def field_of(event: str) -> str:
    """The name of the form field in which the time of an event is entered."""
    return "at_" + event.replace(":", "__").replace("-", "_")


def event_names(competition: Competition) -> list[str]:
    """Every event that the calendar of this competition can date, in the order of their course."""
    rules = queries.regulation(competition)
    stages = [
        f"{kind}:{stage.id}"
        for stage in rules.stages
        if stage.kind == "examination"
        for kind in ("exam-started", "exam-ended", "marks-locked")
    ]
    head = [
        "notice-published",
        "applications-opened",
        "applications-closed",
        "eligibility-decided",
        "eligible-list-published",
        "summons-sent",
        "room-plan-posted",
    ]
    tail = ["results-reported", "results-approved", "results-published", "winner-file-completed", "winners-appointed"]
    known = [*head, *stages, *tail]
    own = [
        one.event
        for one in rules.calendar.deadlines
        if one.event not in known and not one.event.startswith(("appeals-", "kept-until"))
    ]
    return [*known, *dict.fromkeys(own)]


def announced_events(competition: Competition) -> list[str]:
    """Events whose times the notice states."""
    rules = queries.regulation(competition)
    exams = [f"exam-started:{stage.id}" for stage in rules.stages if stage.kind == "examination"]
    return ["applications-opened", "applications-closed", *exams]


def is_frozen(competition: Competition, now: datetime) -> bool:
    """Whether the notice changes only by a reasoned decision: the event that the regulation names has come."""
    at = queries.date_of(competition, queries.regulation(competition).notice.frozen_from)
    later = queries.phase(competition) not in ("draft", "announced")
    return later or (competition.notices != [] and at is not None and at <= now)


def record_calendar(session: Session, competition: Competition, *, by: str, now: datetime) -> None:
    """Puts the calendar as it stands on record, under the next revision; nothing while it has no dates."""
    dates = queries.events(competition)
    if not dates:
        return
    revision = session.scalar(
        select(func.count()).select_from(LogEntry).where(LogEntry.log == competition.slug, LogEntry.type == "calendar.set")
    )
    ledger.record(
        session,
        competition.slug,
        "calendar.set",
        now=now,
        by=by,
        posts=[post.code for post in queries.running_posts(competition)],
        revision=(revision or 0) + 1,
        calendar=Sealed(
            {"dates": [{"event": event.replace(":", "."), "t": seconds(at)} for event, at in sorted(dates.items())]}
        ),
    )


def deadline_problem(deadline: calendar.Deadline) -> bool:
    """Whether somebody has to look at it."""
    return deadline.state in ("broken", "overdue")


# ---------------------------------------------------------------- holidays and witnesses


def choose_holidays(session: Session, competition: Competition, name: str) -> None:
    """Sets the table of holidays by which working days are counted."""
    if name and name not in queries.holiday_names(session):
        raise Refused(N_("There is no table of holidays of this name."), field="holidays")
    if competition.notices:
        raise Refused(N_("The notice is published; the dates in it were counted with the table chosen before."), field="holidays")
    competition.holidays = name
    session.flush()


def add_holidays(session: Session, *, name: str, toml: bytes, by: int, now: datetime) -> HolidayTable:
    """Adds a table of holidays of the institution; one of the same name replaces the earlier one for later countings."""
    try:
        tables = calendar.read_holidays(toml)
    except RegulationError as error:
        raise Refused(
            N_("The table cannot be used: %(problem)s"), problem=error.problems[0].message, field="file"
        ) from None
    made = HolidayTable(
        name=name, title=tables.title.model_dump(), toml=toml.decode(), added_at=now, added_by_id=by
    )
    session.add(made)
    session.flush()
    return made


def set_witness_keys(session: Session, competition: Competition, keys: Mapping[str, str]) -> None:
    """Enters the verifier keys of the witnesses that the regulation names; empty ones are left out."""
    require_unpinned(competition)
    rules = queries.regulation(competition).witnesses
    known = rules.names if rules is not None else ()
    given = {name: text.strip() for name, text in keys.items() if text.strip()}
    for name, text in given.items():
        if name not in known:
            raise Refused(N_("The regulation names no witness %(name)s."), name=name)
        try:
            key = notes.read_key(text)
        except notes.NoteError:
            key = None
        if key is None or key.algorithm != notes.COSIGNATURE:
            raise Refused(
                N_("This is not the verifier key of a witness. It looks like name+1a2b3c4d+BA…; ask the witness for it."),
                field=f"key_{name.replace('-', '_')}",
            )
    if len(set(given.values())) != len(given):
        raise Refused(N_("Two witnesses have the same key. Each has one of its own."))
    competition.witness_keys = given
    session.flush()


def words(competition: Competition, language: str) -> Words:
    """The words of this competition's regulation in one language."""
    return Words(language, queries.regulation(competition))
