"""People in the logs: who a code stands for, once in each log and before the first act under it, and the roles in force."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts.models import Account, Enrolment, RoleGrant
from examsvc.ledger import operations as ledger
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry
from examsvc.ledger.operations import REGISTRY, Sealed


def log_of(competition: str) -> str:
    """The log that takes what concerns this competition, or the installation for ""."""
    return competition or REGISTRY


def is_open(session: Session, log: str) -> bool:
    """Whether the log has begun; before that nothing about people can stand in it."""
    first = session.scalar(select(LogEntry).where(LogEntry.log == log, LogEntry.position == 0))
    return first is not None and first.type == "log.opened"


def enrol(session: Session, log: str, account_id: int, now: datetime) -> str:
    """The person's code, which this log knows from now on.  Roles held for the whole installation are put on record too.

    Does nothing but return the code while the log is not open; ``enter_people`` catches up.
    """
    account = session.get_one(Account, account_id)
    if session.get(Enrolment, (log, account_id)) is not None or not is_open(session, log):
        return account.code
    session.add(Enrolment(log=log, account_id=account_id, at=now))
    session.flush()
    ledger.record(
        session,
        log,
        "person.enrolled",
        now=now,
        person=account.code,
        identity=Sealed(
            {"person": account.code, "account": f"account-{account.id}", "name": account.name}, subject=account.code
        ),
    )
    if log != REGISTRY:
        for grant in _in_force(session, now, RoleGrant.account_id == account_id, RoleGrant.competition == ""):
            record_grant(session, log, grant, now)
    return account.code


def record_grant(session: Session, log: str, grant: RoleGrant, now: datetime) -> None:
    """``role.granted`` with the approvals that the grant rests on; the first administrators have none and stand in
    ``administrators.first``."""
    if not is_open(session, log):
        return
    person = enrol(session, log, grant.account_id, now)
    if grant.request is None or _is_recorded(session, log, person, grant):
        return
    for vote in grant.request.votes:
        enrol(session, log, vote.by_id, now)
    ledger.record(
        session,
        log,
        "role.granted",
        now=now,
        by=grant.request.votes[-1].by.code,
        approvals=[(vote.by.code, vote.at) for vote in grant.request.votes],
        person=person,
        role=grant.role,
        stage=grant.stage,
        posts=sorted(grant.posts) if grant.posts else None,
        until=int(grant.until.timestamp()) if grant.until else None,
        summary=Sealed({"type": grant.request.entry_type, "lines": list(grant.request.lines)}, subject=person),
    )


def enter_people(session: Session, log: str, now: datetime) -> None:
    """Right after ``log.opened``: puts the first administrators, everybody who holds a role here, and the roles, on record.

    Safe to repeat; does nothing while the log is not open.
    """
    if not is_open(session, log):
        return
    first = _in_force(session, now, RoleGrant.competition == "", RoleGrant.request_id.is_(None))
    entered = select(LogEntry.id).where(LogEntry.log == log, LogEntry.type == "administrators.first")
    if first and session.scalar(entered) is None:
        persons = {enrol(session, log, grant.account_id, now) for grant in first}
        ledger.record(session, log, "administrators.first", now=now, persons=sorted(persons))
    competition = "" if log == REGISTRY else log
    for grant in _in_force(session, now, RoleGrant.competition == competition):
        record_grant(session, log, grant, now)


@ledger.introduces
def introduce(session: Session, log: str, code: str, now: datetime) -> None:
    """Whoever acts or approves in a log is enrolled in it first; codes of candidates' applications are not people's."""
    enrolled = (Enrolment.account_id == Account.id) & (Enrolment.log == log)
    unknown = select(Account.id).outerjoin(Enrolment, enrolled).where(Account.code == code, Enrolment.account_id.is_(None))
    account_id = session.scalar(unknown)
    if account_id is not None:
        enrol(session, log, account_id, now)


def _in_force(session: Session, now: datetime, *where: object) -> list[RoleGrant]:
    grants = session.scalars(
        select(RoleGrant)
        .where(RoleGrant.revoked_at.is_(None), *where)  # type: ignore[arg-type]
        .order_by(RoleGrant.id)
    )
    return [grant for grant in grants if grant.until is None or grant.until > now]


def _is_recorded(session: Session, log: str, person: str, grant: RoleGrant) -> bool:
    """Whether this grant stands in the log already (an installation's role may be met on two ways)."""
    rows = session.scalars(select(LogEntry).where(LogEntry.log == log, LogEntry.type == "role.granted", LogEntry.at >= grant.granted_at))
    for row in rows:
        body = read_entry(row.entry).body
        if body["person"] == person and body["role"] == grant.role:
            return True
    return False
