"""Relations between those who act and candidates: declared, followed up, and what they stop.

A relation that the regulation lists as blocking refuses a role, and suspends one that is held already when the candidate comes
later.  A relation that it lists as declared leads to recusal for that candidate.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from examsvc.accounts import approvals, enrolment, oracles, queries, rules
from examsvc.accounts.models import (
    Account,
    ApprovalRequest,
    Declaration,
    GrantSuspension,
    Recusal,
    Relation,
    RoleGrant,
)
from examsvc.accounts.oracles import Board, Candidate
from examsvc.accounts.rules import Tie
from examsvc.base import jobs, messages
from examsvc.base.database import writing
from examsvc.base.errors import N_, Refused
from examsvc.base.language import both, in_language, sentence
from examsvc.ledger.operations import Sealed, record

RECUSE, LIFT = "accounts.recuse", "accounts.lift-suspension"


def ties(session: Session) -> list[Tie]:
    """All declared relations, every person named by the identity number's digest where it is known, else by account."""
    person, other = aliased(Account), aliased(Account)
    rows = session.execute(
        select(Relation, person, other)
        .join(person, person.id == Relation.person_id)
        .outerjoin(other, other.id == Relation.other_id)
    )
    return [
        Tie(_name(one_side), one.kind, _name(other_side) if other_side is not None else one.other_digest or "")
        for one, one_side, other_side in rows
    ]


def _name(account: Account) -> str:
    return account.identity_digest or f"account {account.id}"


def blocking(session: Session, competition: str, board: Board, account_id: int, role: str) -> list[tuple[Candidate, str]]:
    """Candidates whose relation to this person bars him or her from the role, each with the name of the relation."""
    known = ties(session)
    person = _name(queries.account(session, account_id))
    bars = {"self"} | (board.blocking if role in board.barred else set())
    found = []
    for candidate in oracles.candidates(session, competition):
        other = _name(queries.account(session, candidate.account_id))
        stopping = sorted(rules.relations(person, other, known) & bars)
        if stopping:
            found.append((candidate, rules.RELATION_NAMES[stopping[0]]))
    return found


def check_candidate(session: Session, competition: str, account_id: int, *, now: datetime) -> list[RoleGrant]:
    """Somebody became a candidate: suspends the grants of those whom a relation bars and recuses those it only concerns.

    Returns the grants that were suspended now.  Call it whenever a candidate is added or an identity number comes in.
    """
    board, known, candidate = oracles.board(session, competition), ties(session), queries.account(session, account_id)
    return [
        grant for grant in _acting(session, competition, board) if _check(session, grant, competition, board, candidate, known, now)
    ]


def check_person(session: Session, competition: str, account_id: int, *, now: datetime) -> list[RoleGrant]:
    """A person got a role or declared something new: the same look, at all candidates of the competition."""
    board, known = oracles.board(session, competition), ties(session)
    candidates = [queries.account(session, one.account_id) for one in oracles.candidates(session, competition)]
    suspended = []
    for grant in _acting(session, competition, board):
        if grant.account_id != account_id:
            continue
        stops = [_check(session, grant, competition, board, candidate, known, now) for candidate in candidates]
        if any(stops):  # after all of them: each may lead to a recusal
            suspended.append(grant)
    return suspended


def _acting(session: Session, competition: str, board: Board) -> list[RoleGrant]:
    """Grants that count in a competition: its own, and those for the whole installation."""
    return [
        *queries.grants_of(session, competition),
        *(one for one in queries.grants_of(session, "") if competition and one.role in board.roles),
    ]


def _check(
    session: Session, grant: RoleGrant, competition: str, board: Board, candidate: Account, known: list[Tie], now: datetime
) -> bool:
    """Suspends or recuses where this candidate stands so to the holder of this grant; True when it was suspended now."""
    found = rules.relations(_name(grant.account), _name(candidate), known)
    bars = {"self"} | (board.blocking if grant.role in board.barred else set())
    stopping = sorted(found & bars)
    if stopping:
        return _suspend(session, grant, competition, candidate, stopping[0], now)
    if grant.role in board.barred:
        for kind in sorted(found & set(board.declared)):
            recuse(
                session,
                competition,
                grant.account_id,
                candidate.id,
                reason=rules.RELATION_NAMES[kind],
                now=now,
            )
    return False


def _suspend(
    session: Session, grant: RoleGrant, competition: str, candidate: Account, kinship: str, now: datetime
) -> bool:
    if any((one.competition, one.candidate_id) == (competition, candidate.id) for one in grant.suspensions):
        return False  # in force, or two people lifted it knowing of this candidate
    grant.suspensions.append(
        GrantSuspension(competition=competition, candidate_id=candidate.id, kinship=kinship, at=now)
    )
    session.flush()
    role = both(rules.ROLE_NAMES.get(grant.role, grant.role))
    relation = both(rules.RELATION_NAMES[kinship])
    for officer in _officers(session, competition, now) - {grant.account_id}:
        messages.send(
            session,
            account_id=officer,
            competition=competition,
            subject=both(N_("A role is suspended: name another person")),
            body=both(
                N_(
                    "%(name)s holds the role %(role)s and is related to the candidate %(candidate)s: %(relation)s. The role"
                    " has no effect from now on. Take it back and name another person."
                ),
                name=grant.account.name,
                role=role,
                candidate=candidate.name,
                relation=relation,
            ),
            now=now,
        )
    messages.send(
        session,
        account_id=grant.account_id,
        competition=competition,
        subject=both(N_("Your role is suspended")),
        body=both(
            N_("Your role %(role)s has no effect from now on, because of a relation to a candidate: %(relation)s."),
            role=role,
            relation=relation,
        ),
        now=now,
    )
    return True


def _officers(session: Session, competition: str, now: datetime) -> set[int]:
    """Who grants roles here."""
    roles = oracles.board(session, competition).grant.roles
    return {one.id for role in roles for place in (competition, "") for one in queries.holders(session, role, place, now)}


def ask_to_lift(
    session: Session, suspension: GrantSuspension, *, reason: str, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Asks that a suspension ends, since the relation does not exist (any more); two people approve."""
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    grant = suspension.grant
    return approvals.ask(
        session,
        kind=LIFT,
        entry_type=LIFT,
        competition=suspension.competition,
        lines=[
            sentence(
                language,
                N_("Let the role %(role)s of %(name)s take effect again, suspended for the relation to %(candidate)s: %(relation)s"),
                role=sentence(language, rules.ROLE_NAMES.get(grant.role, grant.role)),
                name=grant.account.name,
                candidate=suspension.candidate.name,
                relation=sentence(language, rules.RELATION_NAMES[suspension.kinship]),
            ),
            approvals.line(language, N_("Reason"), reason.strip()),
        ],
        arguments={"suspension": suspension.id, "reason": reason.strip()},
        terms=oracles.board(session, suspension.competition).grant,
        by=by,
        now=now,
        barred=(grant.account_id, suspension.candidate_id),
    )


@approvals.carries_out(LIFT)
def lift_suspension(session: Session, approved: approvals.Approved) -> None:
    suspension = session.get_one(GrantSuspension, approved.arguments["suspension"])
    suspension.lifted_at = approved.now
    suspension.lifted_by_id = approved.last_by
    suspension.lift_reason = approved.arguments["reason"]
    session.flush()


# ---------------------------------------------------------------- declaring


def note_relation(
    session: Session,
    *,
    person_id: int,
    kind: str,
    declared_by: int,
    now: datetime,
    other_id: int | None = None,
    other_digest: str | None = None,
    other_name: str | None = None,
) -> Relation:
    """Keeps a relation, declared by either side: ``kind`` is what ``person`` is to the other.

    Candidates' files call it for the family they name; follow with ``check_candidate``.
    """
    if kind not in rules.RELATION_NAMES or kind == "self":
        raise Refused(N_("Choose the relation from the list."), field="kind")
    if other_id is None and other_digest is None:
        raise Refused(N_("Choose the candidate, or enter the identity number of the person."), field="identity")
    person = queries.account(session, person_id)
    if other_id == person_id or (other_digest is not None and other_digest == person.identity_digest):
        raise Refused(N_("This is your own identity number. Enter that of the other person."), field="identity")
    same = select(Relation).where(Relation.person_id == person_id, Relation.kind == kind)
    same = same.where(Relation.other_id == other_id if other_id is not None else Relation.other_digest == other_digest)
    found = session.scalar(same)
    if found is None:
        found = Relation(
            person_id=person_id,
            kind=kind,
            other_id=other_id,
            other_digest=None if other_id is not None else other_digest,
            other_name=other_name,
            declared_by_id=declared_by,
            declared_at=now,
        )
        session.add(found)
        session.flush()
    return found


def declare_relation(
    session: Session,
    competition: str,
    *,
    account_id: int,
    kind: str,
    now: datetime,
    other_id: int | None = None,
    other_digest: str | None = None,
    other_name: str | None = None,
    statement: str | None = None,
) -> Declaration:
    """A holder of a role declares a relation to a candidate, or to somebody who may become one."""
    relation = note_relation(
        session,
        person_id=account_id,
        kind=kind,
        declared_by=account_id,
        now=now,
        other_id=other_id,
        other_digest=other_digest,
        other_name=other_name,
    )
    made = _declare(session, competition, account_id, "relation", now, relation_id=relation.id, statement=statement)
    application = next(
        (one.application for one in oracles.candidates(session, competition) if one.account_id == other_id), None
    )
    _record_relation(session, competition, account_id, kind, statement, application, now)
    check_person(session, competition, account_id, now=now)
    return made


def declare_none(session: Session, competition: str, *, account_id: int, now: datetime) -> Declaration:
    """A holder of a role states that there is no relation, or no further one, to a candidate."""
    made = _declare(session, competition, account_id, "none", now)
    _record_relation(session, competition, account_id, "none", None, None, now)
    return made


def declare_contact(session: Session, competition: str, *, account_id: int, statement: str, now: datetime) -> Declaration:
    """A holder of a role declares an approach, a gift or pressure."""
    if not statement.strip():
        raise Refused(N_("Write who approached you, when and how."), field="statement")
    made = _declare(session, competition, account_id, "contact", now, statement=statement.strip())
    if enrolment.is_open(session, competition):
        code = enrolment.enrol(session, competition, account_id, now)
        record(
            session,
            competition,
            "contact.declared",
            now=now,
            by=code,
            person=code,
            contact=Sealed({"person": code, "statement": statement.strip()}, subject=code),
        )
    return made


def _declare(
    session: Session,
    competition: str,
    account_id: int,
    about: str,
    now: datetime,
    *,
    relation_id: int | None = None,
    statement: str | None = None,
) -> Declaration:
    made = Declaration(
        competition=competition, account_id=account_id, about=about, relation_id=relation_id, statement=statement, at=now
    )
    session.add(made)
    session.flush()
    return made


def _record_relation(
    session: Session,
    competition: str,
    account_id: int,
    kind: str,
    statement: str | None,
    application: str | None,
    now: datetime,
) -> None:
    if not enrolment.is_open(session, competition):
        return
    code = enrolment.enrol(session, competition, account_id, now)
    content = {"person": code, "application": application, "kind": kind, "statement": statement}
    record(
        session,
        competition,
        "relation.declared",
        now=now,
        by=code,
        person=code,
        relation=Sealed({key: value for key, value in content.items() if value}, subject=code),
    )


# ---------------------------------------------------------------- recusal


def recuse(
    session: Session,
    competition: str,
    account_id: int,
    candidate_id: int,
    *,
    reason: str,
    now: datetime,
    language: str = "vi",
) -> Recusal:
    """The person takes no part where this candidate is concerned: at once; two people then put it on record.

    Repeating it changes nothing.
    """
    found = session.scalar(
        select(Recusal).where(
            Recusal.competition == competition, Recusal.account_id == account_id, Recusal.candidate_id == candidate_id
        )
    )
    if found is not None:
        return found
    recusal = Recusal(
        competition=competition, account_id=account_id, candidate_id=candidate_id, reason=reason, at=now
    )
    session.add(recusal)
    session.flush()
    ask_to_record(session, recusal, now=now, language=language)
    return recusal


def ask_to_record(session: Session, recusal: Recusal, *, now: datetime, language: str = "vi") -> None:
    """Asks two people to put a recusal on record; again where an earlier request lapsed or was refused."""
    earlier = session.get(ApprovalRequest, recusal.request_id) if recusal.request_id is not None else None
    if earlier is not None and (earlier.outcome == "done" or (earlier.outcome is None and earlier.expires_at > now)):
        return
    board = oracles.board(session, recusal.competition)
    request = approvals.ask(
        session,
        kind=RECUSE,
        entry_type="recusal.recorded",
        competition=recusal.competition,
        lines=[
            approvals.line(language, N_("Put on record that a person steps aside"), recusal.account.name),
            approvals.line(language, N_("For the candidate"), recusal.candidate.name),
            approvals.line(language, N_("In"), in_language(board.title, language)),
            approvals.line(language, N_("Reason"), sentence(language, recusal.reason)),
        ],
        arguments={"recusal": recusal.id},
        terms=board.grant,
        by=recusal.account_id,
        now=now,
        asker_approves=False,
        barred=(recusal.account_id, recusal.candidate_id),
    )
    recusal.request_id = request.id
    session.flush()


def keep_asking(session: Session, now: datetime) -> None:
    """Once a day: recusals whose request lapsed unanswered are asked for anew, so that none stays off the record."""
    lapsed = session.scalars(
        select(Recusal.id)
        .join(ApprovalRequest, ApprovalRequest.id == Recusal.request_id)
        .where(ApprovalRequest.outcome.is_(None), ApprovalRequest.expires_at <= now)
    ).all()
    for number in lapsed:
        with writing(session):
            ask_to_record(session, session.get_one(Recusal, number), now=now)


def register() -> None:
    """Gives the duty to the workers."""
    jobs.every(timedelta(days=1))(keep_asking)


@approvals.carries_out(RECUSE)
def record_recusal(session: Session, approved: approvals.Approved) -> None:
    """Puts the recusal on record, once for each role that the person holds here."""
    recusal = session.get_one(Recusal, approved.arguments["recusal"])
    if not enrolment.is_open(session, approved.competition):
        return
    for grant in _acting(session, approved.competition, oracles.board(session, approved.competition)):
        if grant.account_id != recusal.account_id:
            continue
        record(
            session,
            approved.competition,
            "recusal.recorded",
            now=approved.now,
            by=queries.account(session, approved.last_by).code,
            approvals=approved.approvals,
            summary=approved.summary,
            person=recusal.account.code,
            role=grant.role,
            stage=grant.stage,
            posts=sorted(grant.posts) if grant.posts else None,
            reason=Sealed({"text": recusal.reason}, subject=recusal.account.code),
        )
