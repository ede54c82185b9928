"""Giving, taking and delegating roles: each proposed by one person, approved by another, and put on record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from examsvc.accounts import approvals, enrolment, oracles, queries, relations, rules
from examsvc.accounts.models import ApprovalRequest, RoleGrant
from examsvc.base import messages
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, NotAllowed, NotFound, Refused
from examsvc.base.language import both, in_language, sentence
from examsvc.ledger.operations import record

GRANT, REVOKE, DELEGATE = "accounts.grant-role", "accounts.revoke-role", "accounts.delegate-role"
REVOCATIONS = {
    "ended": N_("the task is done"),
    "recusal": N_("relation to a candidate"),
    "absence": N_("absence"),
    "request": N_("at own request"),
    "measure": N_("a measure against the person"),
}
LONGEST_DELEGATION = timedelta(days=90)


def _role(language: str, role: str) -> str:
    return sentence(language, rules.ROLE_NAMES.get(role, role))


def check_grant(session: Session, *, account_id: int, role: str, competition: str, now: datetime) -> None:
    """Refused unless this person may hold this role here: the role exists, nothing held excludes it, no relation to a
    candidate bars from it, no discipline does.
    """
    board = oracles.board(session, competition)
    if role not in board.roles or (competition == "" and role not in rules.INSTALLATION_ROLES):
        raise Refused(N_("The regulation of this competition has no such role."), field="role")
    held = session.scalars(
        select(RoleGrant).where(
            RoleGrant.account_id == account_id,
            RoleGrant.revoked_at.is_(None),
            or_(RoleGrant.until.is_(None), RoleGrant.until > now),
        )
    ).all()
    if any(grant.role == role and grant.competition == competition for grant in held):
        raise Refused(N_("This person holds this role already."), field="role")
    for slug in {competition} if competition else {grant.competition for grant in held} | {""}:
        clashing = rules.conflicts(
            (grant.role for grant in held if grant.competition in ("", slug)),
            role,
            (board if slug == competition else oracles.board(session, slug)).conflicts,
        )
        if clashing:
            raise Refused(
                N_("The regulation does not allow the role %(role)s together with %(held)s. Choose another person."),
                role=rules.ROLE_NAMES.get(role, role),
                held=tuple(rules.ROLE_NAMES.get(one, one) for one in clashing),
                field="account",
            )
    if competition == "":
        return
    for candidate, kinship in relations.blocking(session, competition, board, account_id, role):
        raise Refused(
            N_("This person cannot hold the role: %(kinship)s of the candidate %(candidate)s. Choose another person."),
            kinship=kinship,
            candidate=queries.account(session, candidate.account_id).name,
            field="account",
        )
    if board.discipline_bars and role in board.barred and oracles.under_discipline(session, account_id, now.date()):
        raise Refused(N_("This person is under discipline and cannot hold the role. Choose another person."), field="account")


def propose_role(
    session: Session,
    *,
    account_id: int,
    role: str,
    competition: str,
    by: int,
    now: datetime,
    stage: str | None = None,
    posts: Sequence[str] = (),
    until: datetime | None = None,
    language: str = "vi",
) -> ApprovalRequest:
    """Proposes a role; the proposer's approval is the first.  Refused like ``check_grant``."""
    if by == account_id:
        raise NotAllowed(N_("Nobody proposes a role for himself or herself. Ask a colleague."))
    if until is not None and until <= now:
        raise Refused(N_("The end lies in the past. Choose a later day."), field="until")
    check_grant(session, account_id=account_id, role=role, competition=competition, now=now)
    _check_waiting(session, account_id=account_id, role=role, competition=competition, now=now)
    board = oracles.board(session, competition)
    person = queries.account(session, account_id)
    lines = [
        approvals.line(language, N_("Grant the role"), _role(language, role)),
        approvals.line(language, N_("To"), f"{person.name}, {person.email}"),
        approvals.line(language, N_("In"), in_language(board.title, language)),
    ]
    lines += [approvals.line(language, N_("Only for the stage"), stage)] if stage else []
    lines += [approvals.line(language, N_("Only for the posts"), ', '.join(sorted(posts)))] if posts else []
    lines += [approvals.line(language, N_("Until"), f"{until:%d/%m/%Y}")] if until else []
    return approvals.ask(
        session,
        kind=GRANT,
        entry_type="role.granted",
        competition=competition,
        lines=lines,
        arguments={
            "account": account_id,
            "role": role,
            "stage": stage,
            "posts": sorted(posts) or None,
            "until": seconds(until) if until else None,
        },
        terms=board.grant,
        by=by,
        now=now,
        barred=(account_id,),
    )


def approve_role(session: Session, *, request_id: int, by: int, now: datetime) -> bool:
    """Approves a proposal on the summary that stands now; True when the role came into force."""
    request = session.get(ApprovalRequest, request_id)
    if request is None or request.kind != GRANT:
        raise NotFound()
    return approvals.approve(session, request_id, by=by, digest=request.digest, now=now)


@approvals.carries_out(GRANT)
def grant_role(session: Session, approved: approvals.Approved) -> None:
    """Brings the role into force and puts it on record.  What was true at the proposal is looked at once more."""
    arguments = approved.arguments
    check_grant(
        session,
        account_id=arguments["account"],
        role=arguments["role"],
        competition=approved.competition,
        now=approved.now,
    )
    grant = _bring_into_force(session, approved, account_id=arguments["account"], role=arguments["role"])
    enrolment.record_grant(session, enrolment.log_of(approved.competition), grant, approved.now)
    relations.check_person(session, approved.competition, grant.account_id, now=approved.now)
    _tell_holder(session, grant, approved.now)


def propose_revocation(
    session: Session, grant: RoleGrant, *, reason: str, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Proposes to take a role back before its time; ``reason`` is one of REVOCATIONS."""
    if reason not in REVOCATIONS:
        raise Refused(N_("Choose why the role ends."), field="reason")
    if grant.revoked_at is not None:
        raise Refused(N_("This role was taken back already."))
    board = oracles.board(session, grant.competition)
    lines = [
        approvals.line(language, N_("Take back the role"), _role(language, grant.role)),
        approvals.line(language, N_("From"), f"{grant.account.name}, {grant.account.email}"),
        approvals.line(language, N_("In"), in_language(board.title, language)),
        approvals.line(language, N_("Reason"), sentence(language, REVOCATIONS[reason])),
    ]
    return approvals.ask(
        session,
        kind=REVOKE,
        entry_type="role.revoked",
        competition=grant.competition,
        lines=lines,
        arguments={"grant": grant.id, "reason": reason},
        terms=board.grant,
        by=by,
        now=now,
        barred=(grant.account_id,),
    )


@approvals.carries_out(REVOKE)
def revoke_role(session: Session, approved: approvals.Approved) -> None:
    """Takes the role back, and with it what was delegated from it."""
    grant = session.get_one(RoleGrant, approved.arguments["grant"])
    if grant.revoked_at is not None:
        raise Refused(N_("This role was taken back already."))
    if grant.competition == "" and grant.role == "system-administrator":
        others = {one.id for one in queries.holders(session, grant.role, "", approved.now)} - {grant.account_id}
        if len(others) < 2:
            raise Refused(N_("Two administrators must remain. Appoint another one first."))
    taken = [grant, *session.scalars(select(RoleGrant).where(RoleGrant.delegated_from_id == grant.id, RoleGrant.revoked_at.is_(None)))]
    for one in taken:
        one.revoked_at, one.revocation = approved.now, approved.arguments["reason"]
    session.flush()
    log = enrolment.log_of(grant.competition)
    if not enrolment.is_open(session, log):
        return
    for one in taken:
        record(
            session,
            log,
            "role.revoked",
            now=approved.now,
            by=queries.account(session, approved.last_by).code,
            approvals=approved.approvals,
            summary=approved.summary,
            person=one.account.code,
            role=one.role,
            stage=one.stage,
            posts=sorted(one.posts) if one.posts else None,
            reason=approved.arguments["reason"],
        )


def propose_delegation(
    session: Session, grant: RoleGrant, *, to: int, until: datetime, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """The holder lets somebody act in the role for a time; two people who grant roles approve."""
    if grant.account_id != by or grant.competition == "":
        raise NotFound()
    if to == by:
        raise Refused(N_("Choose somebody else."), field="to")
    if not now < until <= now + LONGEST_DELEGATION:
        raise Refused(N_("Choose a day within the next %(days)d days."), days=LONGEST_DELEGATION.days, field="until")
    check_grant(session, account_id=to, role=grant.role, competition=grant.competition, now=now)
    board = oracles.board(session, grant.competition)
    person = queries.account(session, to)
    return approvals.ask(
        session,
        kind=DELEGATE,
        entry_type="role.delegated",
        competition=grant.competition,
        lines=[
            approvals.line(language, N_("Let another person act in the role"), _role(language, grant.role)),
            approvals.line(language, N_("From"), f"{grant.account.name}, {grant.account.email}"),
            approvals.line(language, N_("To"), f"{person.name}, {person.email}"),
            approvals.line(language, N_("In"), in_language(board.title, language)),
            *_steps(board, grant.role, language),
            approvals.line(language, N_("Until"), f"{until:%d/%m/%Y}"),
        ],
        arguments={"grant": grant.id, "account": to, "until": seconds(until)},
        terms=board.grant,
        by=by,
        now=now,
        asker_approves=False,
        barred=(to,),
    )


def _steps(board: oracles.Board, role: str, language: str) -> list[str]:
    """What the delegate may approve in the holder's place; nothing where the role approves no step."""
    steps = [sentence(language, one) for one in board.approves.get(role, ())]
    return [approvals.line(language, N_("Steps that the role approves"), "; ".join(steps))] if steps else []


@approvals.carries_out(DELEGATE)
def delegate_role(session: Session, approved: approvals.Approved) -> None:
    """The delegate holds the role until the day named; the holder keeps it."""
    arguments = approved.arguments
    origin = session.get_one(RoleGrant, arguments["grant"])
    if origin not in queries.active_grants(session, origin.account_id, approved.now):
        raise Refused(N_("The role that is to be delegated is not in force any more."))
    check_grant(
        session, account_id=arguments["account"], role=origin.role, competition=origin.competition, now=approved.now
    )
    grant = _bring_into_force(
        session,
        approved,
        account_id=arguments["account"],
        role=origin.role,
        delegated_from_id=origin.id,
        stage=origin.stage,
        posts=origin.posts,
    )
    log = enrolment.log_of(approved.competition)
    enrolment.record_grant(session, log, grant, approved.now)  # that the delegate holds it, until when
    if enrolment.is_open(session, log):
        record(
            session,
            log,
            "role.delegated",
            now=approved.now,
            by=origin.account.code,
            approvals=approved.approvals,
            summary=approved.summary,
            person=origin.account.code,
            role=origin.role,
            to=enrolment.enrol(session, log, grant.account_id, approved.now),
            until=arguments["until"],
        )
    relations.check_person(session, approved.competition, grant.account_id, now=approved.now)
    _tell_holder(session, grant, approved.now)


def _bring_into_force(session: Session, approved: approvals.Approved, **fields: Any) -> RoleGrant:
    until = approved.arguments.get("until")
    values = {"stage": approved.arguments.get("stage"), "posts": approved.arguments.get("posts"), **fields}
    grant = RoleGrant(
        competition=approved.competition,
        request_id=approved.request_id,
        granted_at=approved.now,
        until=datetime.fromtimestamp(until, tz=approved.now.tzinfo) if until else None,
        **values,
    )
    session.add(grant)
    session.flush()
    return grant


def _check_waiting(session: Session, *, account_id: int, role: str, competition: str, now: datetime) -> None:
    """A second proposal for one person must not slip past the matrix while the first waits."""
    matrix = oracles.board(session, competition).conflicts
    for request in approvals.waiting(session, competition, now):
        if request.kind != GRANT or request.arguments["account"] != account_id:
            continue
        other = request.arguments["role"]
        if other == role or rules.conflicts([other], role, matrix):
            raise Refused(
                N_("This person is already proposed for the role %(role)s. Decide on that first."), role=rules.ROLE_NAMES.get(other, other), field="role"
            )


def _tell_holder(session: Session, grant: RoleGrant, now: datetime) -> None:
    messages.send(
        session,
        account_id=grant.account_id,
        competition=grant.competition,
        subject=both(N_("You were given a role")),
        body=both(
            N_(
                "Role: %(role)s. In: %(place)s. Sign in with your second factor and declare your relations to candidates"
                " before you begin."
            ),
            role=both(rules.ROLE_NAMES.get(grant.role, grant.role)),
            place=oracles.board(session, grant.competition).title,
        ),
        now=now,
    )
