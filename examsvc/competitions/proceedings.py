"""Votes of the council, signed minutes and posted lists: the entries that results and other rooms leave in the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from examsvc.accounts import enrolment
from examsvc.accounts import queries as accounts
from examsvc.base.errors import N_, Refused
from examsvc.competitions import composition, queries
from examsvc.competitions.models import Competition
from examsvc.ledger import operations as ledger
from examsvc.ledger.models import LogEntry
from examsvc.ledger.operations import Sealed


@dataclass(frozen=True)
class Minutes:
    """Signed minutes: title, SHA-256 of the signed paper, the accounts that signed, and who refused to."""

    title: str
    digest: str
    signers: Sequence[int]
    refused: Sequence[str] = ()


@dataclass(frozen=True)
class Count:
    """The count of a vote; ``chair_for`` is the chair's own, needed where equal votes let the chair's side carry."""

    present: int
    votes_for: int
    against: int
    abstained: int = 0
    chair_for: bool | None = None


def seats(competition: Competition) -> int:
    """Members of the council with a vote."""
    council = queries.council(competition)
    return sum(one.votes for one in council.seats) if council is not None else 0


def outcome(competition: Competition, count: Count) -> str:
    """"adopted" or "rejected" by the council's rule of the regulation; Refused for numbers that cannot be, or no quorum."""
    rules = queries.regulation(competition)
    voting = seats(competition)
    if not voting:
        raise Refused(N_("No council is appointed yet."))
    try:
        return composition.outcome(
            rules.vote(rules.council.vote),
            seats=voting,
            present=count.present,
            votes_for=count.votes_for,
            against=count.against,
            abstained=count.abstained,
            chair_for=count.chair_for,
        )
    except ValueError as error:
        raise Refused(str(error), field="present") from None


def record_vote(
    session: Session,
    competition: Competition,
    *,
    matter: str,
    count: Count,
    minutes: Minutes,
    by: int,
    approvals: Iterable[tuple[str, datetime]],
    summary: Sealed,
    now: datetime,
    posts: Sequence[str] = (),
) -> LogEntry:
    """``vote.held``; ``matter`` is one of the ledger's words.  The outcome follows from the count and the regulation."""
    return ledger.record(
        session,
        competition.slug,
        "vote.held",
        now=now,
        by=accounts.account(session, by).code,
        approvals=approvals,
        summary=summary,
        posts=list(posts) or [one.code for one in queries.running_posts(competition)],
        matter=matter,
        seats=seats(competition),
        present=count.present,
        abstained=count.abstained,
        outcome=outcome(competition, count),
        minutes=_sealed(session, competition, minutes, now),
        **{"for": count.votes_for, "against": count.against},
    )


def record_minutes(
    session: Session,
    competition: Competition,
    *,
    matter: str,
    minutes: Minutes,
    by: int,
    now: datetime,
    posts: Sequence[str] = (),
    stage: str | None = None,
    sitting: str | None = None,
) -> LogEntry:
    """``minutes.recorded``."""
    return ledger.record(
        session,
        competition.slug,
        "minutes.recorded",
        now=now,
        by=accounts.account(session, by).code,
        posts=list(posts) or [one.code for one in queries.running_posts(competition)],
        matter=matter,
        stage=stage,
        sitting=sitting,
        minutes=_sealed(session, competition, minutes, now),
    )


def record_list(
    session: Session,
    competition: Competition,
    *,
    name: str,
    digest: str,
    count: int,
    by: int,
    now: datetime,
    posts: Sequence[str] = (),
) -> LogEntry:
    """``list.posted``; ``name`` is one of the ledger's words, ``digest`` the SHA-256 of the list as posted."""
    return ledger.record(
        session,
        competition.slug,
        "list.posted",
        now=now,
        by=accounts.account(session, by).code,
        posts=list(posts) or [one.code for one in queries.running_posts(competition)],
        list=name,
        digest=digest,
        count=count,
    )


def _sealed(session: Session, competition: Competition, minutes: Minutes, now: datetime) -> Sealed:
    content: dict[str, object] = {
        "title": minutes.title,
        "file": minutes.digest,
        "signers": [enrolment.enrol(session, competition.slug, one, now) for one in minutes.signers],
    }
    if minutes.refused:
        content["refused"] = list(minutes.refused)
    return Sealed(content)
