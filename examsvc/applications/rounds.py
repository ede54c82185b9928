"""When applications are taken: rounds open and close by the clock, each step in the ledger.

Nobody has to press anything: whatever touches a competition's files first brings the rounds up to the present moment
(:func:`settle`), and a duty does so each minute, so that the closing stands in the log although nobody comes by.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.applications import queries
from examsvc.applications.models import Application, ApplicationRound
from examsvc.base import jobs
from examsvc.base.clock import seconds
from examsvc.base.database import advisory_lock, writing
from examsvc.base.errors import N_, Refused
from examsvc.competitions import oracles as course
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition, Decision, Post
from examsvc.competitions.phases import Phase
from examsvc.ledger.operations import record

CLOSED = "applications-closed"
BEFORE = ("draft", "announced")


def settle(session: Session, competition: Competition, now: datetime) -> dict[int, list[ApplicationRound]]:
    """Brings the rounds of every post up to this moment: opens the first one, closes those whose time is over; the rounds by the post's id."""
    advisory_lock(session, f"applications:{competition.id}")
    phase = competitions.phase_kind(competition)
    by_post = queries.rounds_of_posts(session, competition)
    if phase in BEFORE:
        return by_post
    until = competitions.date_of(competition, CLOSED)
    unopened = [post for post in competition.posts if not by_post[post.id]]
    if unopened and until is not None:
        _open(session, unopened, until, now)
        by_post = queries.rounds_of_posts(session, competition)
    for one in (one for found in by_post.values() for one in found):
        over = now >= one.until or (one.number == 1 and phase != "applications")
        if one.closed_at is None and over:
            _close(session, one, now)
    return by_post


def _open(session: Session, posts: list[Post], until: datetime, now: datetime) -> None:
    competition = posts[0].competition
    entered = [one.entered_at for one in competition.phases if one.phase.partition(":")[0] == "applications"]
    opened_at = min(entered[0] if entered else now, until - timedelta(seconds=1))
    for post in posts:
        session.add(ApplicationRound(post_id=post.id, number=1, opened_at=opened_at, until=until))
    session.flush()
    record(
        session,
        competition.slug,
        "applications.opened",
        now=now,
        posts=sorted(post.code for post in posts),
        round=1,
        until=seconds(until),
    )


def _close(session: Session, one: ApplicationRound, now: datetime) -> None:
    count = session.scalar(
        select(func.count())
        .select_from(Application)
        .where(
            Application.post_id == one.post_id,
            Application.submitted_at.is_not(None),
            Application.withdrawn_at.is_(None),
        )
    )
    one.closed_at, one.handed_in = now, int(count or 0)
    session.flush()
    record(
        session,
        one.post.competition.slug,
        "applications.closed",
        now=now,
        posts=[one.post.code],
        round=one.number,
        count=one.handed_in,
    )


def require_open(session: Session, post: Post, now: datetime) -> None:
    """Refuses what may only be done while applications for this post are taken."""
    competition = post.competition
    found = settle(session, competition, now)[post.id]
    competitions.require_running(competition, posts=[post.code])
    if queries.taken_in(found, post, now):
        return
    if competitions.phase_kind(competition) in BEFORE:
        raise Refused(N_("Applications are not open yet. The dates stand in the notice."))
    if competitions.date_of(competition, CLOSED) is None and not found:
        raise Refused(N_("Applications cannot be taken yet: the office has not set the day on which they close."))
    raise Refused(N_("The time for applications is over. Your file was kept as it is."))


def require_closed(session: Session, post: Post, now: datetime) -> None:
    """Refuses what may only be done once nobody can change a file any more."""
    found = settle(session, post.competition, now)[post.id]
    if not found or found[-1].closed_at is None:
        raise Refused(N_("Applications are still open. Decide once they are closed, since candidates may still change their files."))


@course.when_entered
def phase_entered(session: Session, competition: Competition, phase: Phase, now: datetime) -> None:
    """A phase was entered: applications open or close with it."""
    settle(session, competition, now)


@course.when_decided
def decided(session: Session, competition: Competition, decision: Decision, now: datetime) -> None:
    """A decision moved the day on which applications close."""
    moved = decision.subject["dates"].get(CLOSED)
    if decision.kind not in ("postpone", "resume") or moved is None:
        return
    until = datetime.fromtimestamp(moved, tz=UTC)
    posts = [post for post in competition.posts if post.code in decision.subject["posts"]]
    newest = {post.id: found[-1] for post in posts if (found := queries.rounds(session, post.id))}
    going_on = [one for one in newest.values() if one.closed_at is None]
    if going_on:
        extend_applications(session, competition, going_on, until=until, decision=decision, now=now)
    for post in posts:
        if post.id in newest and newest[post.id].closed_at is not None and until > now:
            reopen_applications(session, post, until=until, now=now)


def extend_applications(
    session: Session,
    competition: Competition,
    moved: list[ApplicationRound],
    *,
    until: datetime,
    decision: Decision,
    now: datetime,
) -> None:
    """Moves the end of open rounds, as the decision orders it."""
    for one in moved:
        one.until = until
    session.flush()
    record(
        session,
        competition.slug,
        "applications.extended",
        now=now,
        by=accounts.account(session, decision.approved_by_id).code,
        posts=sorted(one.post.code for one in moved),
        round=moved[0].number,
        until=seconds(until),
        under=decision.entry,
    )


def reopen_applications(session: Session, post: Post, *, until: datetime, now: datetime) -> ApplicationRound:
    """Takes applications for one post again, after a reasoned decision; those handed in stay."""
    found = queries.rounds(session, post.id)
    one = ApplicationRound(post_id=post.id, number=found[-1].number + 1, opened_at=now, until=until)
    session.add(one)
    session.flush()
    record(
        session,
        post.competition.slug,
        "applications.opened",
        now=now,
        posts=[post.code],
        round=one.number,
        until=seconds(until),
    )
    return one


def settle_applications(session: Session, now: datetime) -> None:
    """The duty: opens and closes what has come round, competition by competition, each in its own transaction."""
    for number in [one.id for one in competitions.announced(session) if _something_due(session, one, now)]:
        with writing(session):
            settle(session, session.get_one(Competition, number), now)


def _something_due(session: Session, competition: Competition, now: datetime) -> bool:
    phase = competitions.phase_kind(competition)
    if phase in BEFORE:
        return False
    by_post = queries.rounds_of_posts(session, competition).values()
    if any(not one for one in by_post):
        return competitions.date_of(competition, CLOSED) is not None
    return any(
        one.closed_at is None and (now >= one.until or (one.number == 1 and phase != "applications"))
        for each in by_post
        for one in each
    )


def register() -> None:
    """Has the worker look each minute."""
    jobs.every(timedelta(minutes=1))(settle_applications)
