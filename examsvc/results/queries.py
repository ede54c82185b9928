"""What pages and other rooms may ask about results."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.models import Account
from examsvc.applications.models import Application
from examsvc.competitions import queries as competitions
from examsvc.competitions.calendar import Deadline
from examsvc.competitions.models import Competition
from examsvc.results.models import (
    CouncilVote,
    Minutes,
    PriorityGrant,
    Publication,
    ResultApproval,
    ScoreRun,
    TieRuling,
)

# ---------------------------------------------------------------- runs


def latest_run(session: Session, competition_id: int) -> ScoreRun | None:
    return session.scalar(
        select(ScoreRun).where(ScoreRun.competition_id == competition_id).order_by(ScoreRun.number.desc()).limit(1)
    )


def runs(session: Session, competition_id: int) -> list[ScoreRun]:
    """Every run, the newest first."""
    return list(
        session.scalars(
            select(ScoreRun).where(ScoreRun.competition_id == competition_id).order_by(ScoreRun.number.desc())
        )
    )


def run(session: Session, competition_id: int, number: int) -> ScoreRun | None:
    return session.scalar(
        select(ScoreRun).where(ScoreRun.competition_id == competition_id, ScoreRun.number == number)
    )


def granted_priorities(session: Session, competition_id: int) -> dict[int, list[str]]:
    """Recognised entitlements by application."""
    rows = session.scalars(
        select(PriorityGrant)
        .join(Application, Application.id == PriorityGrant.application_id)
        .where(Application.competition_id == competition_id)
    )
    return {one.application_id: list(one.entries) for one in rows}


def tie_rulings(session: Session, competition_id: int) -> list[TieRuling]:
    """Decisions on ties, the oldest first."""
    return list(
        session.scalars(
            select(TieRuling)
            .join(ScoreRun, ScoreRun.id == TieRuling.run_id)
            .where(ScoreRun.competition_id == competition_id)
            .order_by(TieRuling.id)
        )
    )


def row_of(run: ScoreRun, number: str) -> Mapping[str, Any] | None:
    """One candidate's row of a run."""
    return next((row for row in run.outcome["rows"] if row["number"] == number), None)


def ties_to_decide(run: ScoreRun) -> list[dict[str, Any]]:
    """Open ties whose order decides something; equals of whom nobody is chosen or next in line keep one rank."""
    return [dict(tie) for tie in run.outcome["open_ties"] if tie["needed"]]


def posts_of(run: ScoreRun) -> list[str]:
    """Codes of the posts that have candidates in the run."""
    return sorted(run.commitments)


# ---------------------------------------------------------------- council and authority


def voters(session: Session, competition: Competition, now: datetime) -> list[Account]:
    """Members of the council with a vote, the chair first: as appointed, else whoever holds the council's roles."""
    council = competitions.council(competition)
    if council is not None:
        order = {"chair": 0, "member": 1, "secretary": 2}
        seats = sorted((one for one in council.seats if one.votes), key=lambda one: (order.get(one.seat, 3), one.id))
        return [one.account for one in seats]
    found: dict[int, Account] = {}
    for role in ("council-chair", "council-member", "council-secretary"):
        for account in accounts.holders(session, role, competition.slug, now):
            found.setdefault(account.id, account)
    return list(found.values())


def chair(session: Session, competition: Competition, now: datetime) -> Account | None:
    """Who presides over the council."""
    council = competitions.council(competition)
    if council is not None:
        return next((one.account for one in council.seats if one.seat == "chair"), None)
    return next(iter(accounts.holders(session, "council-chair", competition.slug, now)), None)


def stands_aside(session: Session, competition: Competition, account_id: int, posts: list[str]) -> bool:
    """Whether this member takes no part, since a candidate for one of these posts is close to him or her."""
    recused = accounts.recused(session, competition.slug, account_id)
    if not recused:
        return False
    candidates = session.scalars(
        select(Application).where(Application.competition_id == competition.id, Application.account_id.in_(recused))
    )
    return any(one.post.code in posts for one in candidates)


def votes(session: Session, run_id: int) -> list[CouncilVote]:
    """The council's votes on a run, the oldest first."""
    return list(session.scalars(select(CouncilVote).where(CouncilVote.run_id == run_id).order_by(CouncilVote.id)))


def adopted_posts(session: Session, run_id: int) -> set[str]:
    """Posts whose result the council recommends: those whose last vote adopted it."""
    last = {post: vote for vote in votes(session, run_id) for post in vote.posts}
    return {post for post, vote in last.items() if vote.adopted}


def minutes(session: Session, competition_id: int, number: int) -> Minutes | None:
    found = session.get(Minutes, number)
    return found if found is not None and found.competition_id == competition_id else None


def approval(session: Session, run_id: int) -> ResultApproval | None:
    return session.scalar(select(ResultApproval).where(ResultApproval.run_id == run_id))


# ---------------------------------------------------------------- publication


def published(session: Session, competition_id: int) -> Publication | None:
    """The newest published edition."""
    return session.scalar(
        select(Publication)
        .where(Publication.competition_id == competition_id)
        .order_by(Publication.edition.desc())
        .limit(1)
    )


def editions(session: Session, competition_id: int) -> list[Publication]:
    """Every edition, the newest first."""
    return list(
        session.scalars(
            select(Publication).where(Publication.competition_id == competition_id).order_by(Publication.edition.desc())
        )
    )


def edition(session: Session, competition_id: int, number: int) -> Publication | None:
    return session.scalar(
        select(Publication).where(Publication.competition_id == competition_id, Publication.edition == number)
    )


def appeal_deadlines(
    session: Session, competition: Competition, *, zone: ZoneInfo, now: datetime
) -> dict[str, Deadline | None]:
    """Until when each channel of appeal is open, by its id; None where it is open at any time or its start is not known."""
    found = {one.rule.event: one for one in competitions.deadlines(session, competition, zone=zone, now=now)}
    return {
        channel.id: found.get(f"appeals-closed:{channel.id}") for channel in competitions.regulation(competition).appeals
    }


def facts_for_phases(session: Session, competition: Competition, now: datetime) -> set[str]:
    """The facts of competitions.phases that this room knows."""
    found: set[str] = set()
    newest = latest_run(session, competition.id)
    if newest is None:
        return found
    if adopted_posts(session, newest.id) >= set(posts_of(newest)):
        found.add("results-reported")
    if approval(session, newest.id) is not None:
        found.add("approved:approve-results")
    edition_ = published(session, competition.id)
    if edition_ is not None and edition_.run_id == newest.id:
        found |= {"approved:publish-results", "winners-recorded"}
    return found
