"""What is decided of a post as a whole: its list of candidates, what is posted, and how to go on with too few."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved
from examsvc.accounts.models import ApprovalRequest
from examsvc.applications import queries, rounds
from examsvc.applications.models import CandidateList, PostedList
from examsvc.base.errors import N_, Refused
from examsvc.base.language import in_language, sentence
from examsvc.competitions import decisions
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition, Post
from examsvc.ledger import canonical
from examsvc.ledger.operations import Sealed, record

LIST = "applications.list"
LIST_STEP = "decide-eligibility"


def admitted(session: Session, post: Post) -> list[str]:
    """Numbers of those who stand on the list of this post, as things are now."""
    return [
        one.candidate_number or ""
        for one in queries.eligible(session, post.competition_id)
        if one.post_id == post.id
    ]


def refused(session: Session, post: Post) -> list[str]:
    """Numbers of those whose files were refused."""
    return [
        one.candidate_number or ""
        for one in queries.submitted(session, post.competition_id)
        if one.post_id == post.id and queries.verdict(one) == "refused"
    ]


def propose_lists(
    session: Session, competition: Competition, *, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Asks a second person for the lists of candidates of every post whose list is new or changed.

    Refused while a file is undecided, where the regulation decides on files before it tests.
    """
    rounds.settle(session, competition, now)
    tests_first = competitions.regulation(competition).stages[0].kind == "examination"
    open_files = [] if tests_first else queries.undecided(session, competition.id)
    if open_files:
        raise Refused(N_("Decide on every file first; %(count)d are open."), count=len(open_files))
    gone = queries.cancelled_posts(session, competition.id)
    found: dict[str, list[str]] = {}
    for post in competition.posts:
        if post.id in gone:
            continue
        rounds.require_closed(session, post, now)
        newest = queries.newest_list(session, post.id)
        numbers = admitted(session, post)
        if newest is None or newest.numbers != numbers:
            found[post.code] = numbers
    if not found:
        raise Refused(N_("The lists are as they were approved; there is nothing new."))
    return approvals.ask(
        session,
        kind=LIST,
        entry_type="candidates.listed",
        competition=competition.slug,
        lines=[
            f"{sentence(language, N_('List of candidates'))}: {in_language(competition.title, language)}",
            *(
                f"{code}: {len(numbers)} – {', '.join(numbers) or sentence(language, N_('nobody'))}"
                for code, numbers in found.items()
            ),
        ],
        arguments={"posts": found},
        terms=competitions.approval_terms(competition, LIST_STEP),
        by=by,
        now=now,
    )


@approvals.carries_out(LIST)
def carry_out_lists(session: Session, approved: Approved) -> None:
    competition = competitions.competition(session, approved.competition)
    for code, numbers in approved.arguments["posts"].items():
        post = competitions.post(session, competition.id, code)
        if admitted(session, post) != numbers:
            raise Refused(N_("The candidates of the post %(post)s changed meanwhile. Ask for the list anew."), post=code)
        list_candidates(
            session,
            post,
            by=approved.last_by,
            approvals=approved.approvals,
            summary=approved.summary,
            now=approved.now,
        )


def list_candidates(
    session: Session,
    post: Post,
    *,
    by: int,
    approvals: tuple[tuple[str, datetime], ...],
    summary: Sealed,
    now: datetime,
) -> CandidateList:
    """The admitted candidates of a post in the ledger, as two people approved the list; a later list is a new revision."""
    newest = queries.newest_list(session, post.id)
    rows = [one for one in queries.eligible(session, post.competition_id) if one.post_id == post.id]
    made = CandidateList(
        post_id=post.id,
        revision=1 if newest is None else newest.revision + 1,
        numbers=[one.candidate_number for one in rows],
        listed_at=now,
    )
    session.add(made)
    session.flush()
    record(
        session,
        post.competition.slug,
        "candidates.listed",
        now=now,
        by=accounts.account(session, by).code,
        approvals=approvals,
        summary=summary,
        posts=[post.code],
        revision=made.revision,
        count=len(rows),
        candidates=Sealed(
            {
                "candidates": [
                    {"candidate": one.candidate_number, "application": one.code, "post": post.code} for one in rows
                ]
            }
        ),
    )
    return made


def post_lists(session: Session, competition: Competition, *, kind: str, by: int, now: datetime) -> list[PostedList]:
    """Posts the admitted or the refused of every post for the public, by number; the digest goes into the ledger."""
    made = []
    for post in competition.posts:
        newest = queries.newest_list(session, post.id)
        if newest is None:
            continue
        numbers = list(newest.numbers) if kind == "admitted" else refused(session, post)
        content = {"competition": competition.slug, "post": post.code, "list": kind, "candidates": numbers}
        one = PostedList(
            post_id=post.id,
            kind=kind,
            numbers=numbers,
            digest=hashlib.sha256(canonical.encode(content)).hexdigest(),
            posted_at=now,
            by_id=by,
        )
        session.add(one)
        session.flush()
        record(
            session,
            competition.slug,
            "list.posted",
            now=now,
            by=accounts.account(session, by).code,
            posts=[post.code],
            list=kind,
            digest=one.digest,
            count=len(numbers),
        )
        made.append(one)
    if not made:
        raise Refused(N_("Two people approve the list of candidates first; then it can be posted."))
    return made


# ---------------------------------------------------------------- too few candidates

KINDS: dict[str, decisions.Kind] = {"extend": "postpone", "cancel": "annul", "proceed-with-reason": "continue"}
"""What the regulation calls the ways to go on, as decisions on the course of the competition."""


def propose_shortage(
    session: Session,
    post: Post,
    *,
    outcome: str,
    reason: str,
    announcement: Mapping[str, str],
    number: str,
    decided_on: date,
    zone: ZoneInfo,
    by: int,
    now: datetime,
    until: datetime | None = None,
    language: str = "vi",
) -> ApprovalRequest:
    """Proposes how to go on with a post that has fewer candidates than the regulation asks: take applications again until
    a day, cancel, or go on with a reason, as far as the regulation allows each.

    It is a reasoned decision on the course of the competition, with its approvers; among them is the role that the
    regulation names.
    """
    competition = post.competition
    rule = competitions.regulation(competition).admission.minimum_candidates
    rounds.settle(session, competition, now)
    if post.code not in queries.short_posts(session, competition):
        raise Refused(N_("This post needs no such decision: enough candidates, open files, or decided already."))
    if outcome not in rule.below:
        raise Refused(N_("The regulation does not allow this here. Choose another way."), field="outcome")
    if outcome == "extend" and (until is None or until <= now):
        raise Refused(N_("Enter until when applications are taken again; it must lie ahead."), field="until")
    dates = {rounds.CLOSED: until} if outcome == "extend" and until is not None else {}
    return decisions.propose_decision(
        session,
        competition,
        KINDS[outcome],
        decisions.Subject("post", posts=(post.code,), dates=dates),
        number=number,
        decided_on=decided_on,
        reason=reason,
        announcement=announcement,
        zone=zone,
        by=by,
        now=now,
        language=language,
    )
