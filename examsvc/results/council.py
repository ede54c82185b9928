"""The council votes and its minutes are filed; the competent authority approves what the council recommends."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, Terms, ask, carries_out
from examsvc.accounts.models import Account, ApprovalRequest
from examsvc.base import documents
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, Refused
from examsvc.base.language import both, in_language, moment, number, sentence
from examsvc.competitions import operations as course
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.terms import read_exact
from examsvc.ledger.operations import Sealed, record
from examsvc.results import queries, votes
from examsvc.results.deciding import line
from examsvc.results.models import CouncilVote, Minutes, ResultApproval, ScoreRun

MINUTES_TITLE = N_("Minutes of the council's meeting on the results")
BALLOT_NAMES = {
    "for": N_("For"),
    "against": N_("Against"),
    "abstained": N_("Abstained"),
    "absent": N_("Absent"),
    "present": N_("Present"),
}
OUTCOME_NAMES = {
    "chosen": N_("Chosen"),
    "reserve": N_("Reserve list"),
    "passed": N_("Passed, not chosen"),
    "below-cut": N_("Not among those who go on"),
    "failed": N_("Not passed"),
    "absent": N_("Absent"),
    "annulled": N_("Result annulled"),
    "incomplete": N_("Marks missing"),
}


@dataclass(frozen=True)
class Meeting:
    """What the secretary enters.  ``ballots`` are by account id of those with a vote; in a secret vote they say present or
    absent, and ``counts`` holds (for, against, abstained) and ``chair_side`` what the chair declared where that decides."""

    posts: tuple[str, ...]
    held_at: datetime
    place: str
    ballots: Mapping[int, str]
    counts: tuple[int, int, int] | None = None
    chair_side: str | None = None
    remarks: str = ""


def ready(session: Session, competition: Competition) -> ScoreRun:
    """The newest run, once nothing in it waits for anybody; Refused otherwise."""
    run = queries.latest_run(session, competition.id)
    if run is None:
        raise Refused(N_("No results have been computed yet."))
    if queries.ties_to_decide(run):
        raise Refused(N_("A tie still needs its decision. Decide it first; the results are then computed again."))
    return run


def counted(session: Session, competition: Competition, meeting: Meeting, now: datetime) -> votes.Result:
    """What the regulation makes of the meeting.  Members who stand aside for a candidate of these posts have no vote in it."""
    regulation = competitions.regulation(competition)
    rule = regulation.vote(regulation.council.vote)
    if rule.counted != "for":
        raise Refused(N_("The regulation's vote of the council does not count votes in favour. Correct the regulation."))
    members = {one.id for one in entitled(session, competition, list(meeting.posts), now)}
    if set(meeting.ballots) != members:
        raise Refused(N_("Enter one answer for each member with a vote, and for nobody else."))
    if meeting.held_at > now:
        raise Refused(N_("The meeting lies in the future. Record the vote after it."), field="held_at")
    chair = queries.chair(session, competition, now)
    if rule.secret:
        if meeting.counts is None:
            raise Refused(N_("Enter how many votes were for, against and abstentions."))
        here = sum(1 for one in meeting.ballots.values() if one != "absent")
        tally = votes.Count(len(members), len(members), here, *meeting.counts)
        return votes.result(rule, tally, meeting.chair_side)
    own = meeting.ballots.get(chair.id) if chair is not None else None
    return votes.result(rule, votes.count(meeting.ballots), own)


def entitled(session: Session, competition: Competition, posts: Sequence[str], now: datetime) -> list[Account]:
    """Accounts of the members who vote on these posts."""
    return [
        one
        for one in queries.voters(session, competition, now)
        if not queries.stands_aside(session, competition, one.id, list(posts))
    ]


# ---------------------------------------------------------------- minutes


def minutes_pdf(
    session: Session,
    competition: Competition,
    run: ScoreRun,
    meeting: Meeting,
    *,
    institution: Mapping[str, str],
    zone: ZoneInfo,
    now: datetime,
    language: str = "vi",
) -> bytes:
    """The minutes as printed for signature: attendance, the ranking voted on, the votes, what follows.

    Slow (it sets type): call it before the writing transaction.
    """
    found = counted(session, competition, meeting, now)
    regulation = competitions.regulation(competition)
    rule = regulation.vote(regulation.council.vote)
    chair = queries.chair(session, competition, now)

    def say(text: str, **params: object) -> str:
        return sentence(language, text, **params)

    members = queries.voters(session, competition, now)
    attendance = []
    for account in members:
        aside = account.id not in meeting.ballots
        state = say(N_("Stands aside")) if aside else say(BALLOT_NAMES[meeting.ballots[account.id]])
        if chair is not None and account.id == chair.id:
            name = f"{account.name} ({say(N_('Chair'))})"
        else:
            name = account.name
        attendance.append([name, state])
    ranking = [
        [
            row["post"],
            str(row["rank"]) if row["rank"] else "–",
            row["number"],
            number(read_exact(row["total"]), language) if row["total"] is not None else "–",
            say(OUTCOME_NAMES[row["outcome"]]),
        ]
        for row in run.outcome["rows"]
        if row["post"] in meeting.posts
    ]
    data = {
        "facts": [
            [say(N_("Competition")), in_language(competition.title, language)],
            [say(N_("Held")), moment(meeting.held_at, zone) + (f", {meeting.place}" if meeting.place else "")],
            [say(N_("On")), say(N_("the result of score run %(number)d"), number=run.number)],
            [say(N_("Posts")), "; ".join(f"{p.code}: {in_language(p.title, language)}" for p in competition.posts if p.code in meeting.posts)],
            [say(N_("Rule")), f"{rule.label.in_language(language)}, {regulation.title.in_language(language)}"],
        ],
        "attendance": {"title": say(N_("Attendance and votes")), "head": [say(N_("Member")), say(N_("Vote"))], "rows": attendance},
        "ranking": {
            "title": say(N_("Ranking put to the vote")),
            "head": [say(N_("Post")), say(N_("Rank")), say(N_("Candidate number")), say(N_("Total")), say(N_("Outcome"))],
            "rows": ranking,
        },
        "votes": {
            "title": say(N_("Result of the vote")),
            "rows": [
                [say(N_("Members with a vote")), str(found.count.members)],
                [say(N_("Present")), str(found.count.present)],
                [say(N_("For")), str(found.count.votes_for)],
                [say(N_("Against")), str(found.count.votes_against)],
                [say(N_("Abstained")), str(found.count.abstained)],
            ],
        },
        "conclusion": say(
            N_("The council recommends that the competent authority approves this result.")
            if found.adopted
            else N_("The council does not recommend this result.")
        ),
        "remarks": {"title": say(N_("Remarks")), "text": meeting.remarks},
        "digest": say(N_("Score run %(number)d, SHA-256 %(digest)s"), number=run.number, digest=run.digest),
        "signatures": [say(N_("Secretary")), say(N_("Chair"))],
    }
    return documents.pdf(
        "results",
        "minutes",
        data,
        title=say(MINUTES_TITLE),
        language=language,
        institution=in_language(institution, language),
        moment=meeting.held_at.astimezone(zone),
        place=meeting.place,
    )


def ask_vote(
    session: Session,
    competition: Competition,
    meeting: Meeting,
    *,
    pdf: bytes,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """The secretary puts vote and minutes on record; the chair approves both, which signs the recommendation."""
    competitions.require_running(competition, posts=meeting.posts)
    run = ready(session, competition)
    unknown = set(meeting.posts) - set(queries.posts_of(run))
    if not meeting.posts or unknown:
        raise Refused(N_("Choose at least one post of this result."), field="posts")
    found = counted(session, competition, meeting, now)
    printed = Minutes(
        competition_id=competition.id,
        title=both(MINUTES_TITLE),
        digest=hashlib.sha256(pdf).hexdigest(),
        content=pdf,
        made_at=now,
    )
    session.add(printed)
    session.flush()
    regulation = competitions.regulation(competition)
    terms = competitions.approval_terms(competition, "approve-results")
    roles = tuple(dict.fromkeys(("council-secretary", "council-chair", regulation.council.recommends)))
    return ask(
        session,
        kind="results.vote",
        entry_type="vote.held",
        competition=competition.slug,
        lines=[
            line(language, N_("Record the council's vote on the result of the posts"), ", ".join(meeting.posts)),
            line(language, N_("Score run"), f"{run.number}, SHA-256 {run.digest}"),
            line(
                language,
                N_("Votes"),
                sentence(
                    language,
                    N_("%(present)d of %(members)d present; for %(yes)d, against %(no)d, abstained %(none)d"),
                    present=found.count.present,
                    members=found.count.members,
                    yes=found.count.votes_for,
                    no=found.count.votes_against,
                    none=found.count.abstained,
                ),
            ),
            line(language, N_("Outcome"), sentence(language, N_("adopted") if found.adopted else N_("rejected"))),
            line(language, N_("Minutes"), f"SHA-256 {printed.digest}"),
        ],
        arguments={
            "run": run.number,
            "posts": sorted(meeting.posts),
            "held_at": seconds(meeting.held_at),
            "place": meeting.place,
            "ballots": {str(member): ballot for member, ballot in sorted(meeting.ballots.items())},
            "counts": list(meeting.counts) if meeting.counts is not None else None,
            "chair_side": meeting.chair_side,
            "remarks": meeting.remarks,
            "minutes": printed.id,
        },
        terms=Terms(roles, 2, terms.expires),
        by=by,
        now=now,
    )


def meeting_of(arguments: Mapping[str, Any]) -> Meeting:
    """The meeting that a request holds."""
    counts = arguments["counts"]
    return Meeting(
        posts=tuple(arguments["posts"]),
        held_at=datetime.fromtimestamp(arguments["held_at"], UTC),
        place=arguments["place"],
        ballots={int(member): ballot for member, ballot in arguments["ballots"].items()},
        counts=(counts[0], counts[1], counts[2]) if counts is not None else None,
        chair_side=arguments["chair_side"],
        remarks=arguments["remarks"],
    )


@carries_out("results.vote")
def record_vote(session: Session, approved: Approved) -> None:
    """Vote and minutes are on record."""
    competition = competitions.competition(session, approved.competition)
    run = ready(session, competition)
    if run.number != approved.arguments["run"]:
        raise Refused(N_("The results have been computed again since this vote. The council votes on the new run."))
    meeting = meeting_of(approved.arguments)
    found = counted(session, competition, meeting, approved.now)
    printed = queries.minutes(session, competition.id, int(approved.arguments["minutes"]))
    if printed is None:
        raise Refused(N_("The minutes of this vote are missing. Record the vote again."))
    session.add(
        CouncilVote(
            run_id=run.id,
            posts=sorted(meeting.posts),
            held_at=meeting.held_at,
            ballots={str(member): ballot for member, ballot in meeting.ballots.items()},
            seats=found.count.members,
            present=found.count.present,
            votes_for=found.count.votes_for,
            votes_against=found.count.votes_against,
            abstained=found.count.abstained,
            outcome=found.outcome,
            adopted=found.adopted,
            minutes_id=printed.id,
            request_id=approved.request_id,
            at=approved.now,
        )
    )
    session.flush()
    by = accounts.account(session, approved.asked_by).code
    filed = {
        "title": in_language(printed.title, "vi"),
        "file": printed.digest,
        "signers": [code for code, _ in approved.approvals],
    }
    record(
        session,
        competition.slug,
        "vote.held",
        now=approved.now,
        by=by,
        approvals=approved.approvals,
        summary=approved.summary,
        posts=sorted(meeting.posts),
        matter="results",
        seats=found.count.members,
        present=found.count.present,
        **{"for": found.count.votes_for},
        against=found.count.votes_against,
        abstained=found.count.abstained,
        outcome="adopted" if found.adopted else "rejected",
        minutes=Sealed(filed),
    )
    record(
        session,
        competition.slug,
        "minutes.recorded",
        now=approved.now,
        by=by,
        posts=sorted(meeting.posts),
        matter="meeting",
        minutes=Sealed(filed),
    )
    if queries.adopted_posts(session, run.id) >= set(queries.posts_of(run)):
        course.set_date(
            session, competition, event="results-reported", at=approved.now, by=approved.last_by, now=approved.now
        )


# ---------------------------------------------------------------- the authority


def ask_approval(
    session: Session,
    competition: Competition,
    *,
    decision_number: str,
    decided_on: date,
    reason: str,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Asks to approve the newest run as the result; the competent authority must be among those who approve."""
    competitions.require_running(competition)
    run = ready(session, competition)
    _recommended(session, run)
    for value, field in ((decision_number, "decision_number"), (reason, "reason")):
        if not value.strip():
            raise Refused(N_("Fill in this field."), field=field)
    regulation = competitions.regulation(competition)
    return ask(
        session,
        kind="results.approve",
        entry_type="results.approved",
        competition=competition.slug,
        lines=[
            line(language, N_("Approve the results of the posts"), ", ".join(queries.posts_of(run))),
            line(language, N_("Score run"), f"{run.number}, SHA-256 {run.digest}"),
            line(language, N_("Chosen"), _chosen(run)),
            line(language, N_("Decision"), f"{decision_number.strip()}, {decided_on:%d/%m/%Y}"),
            line(language, N_("Authority"), regulation.role(regulation.council.approves).label.in_language(language)),
            line(language, N_("Reason"), reason.strip()),
        ],
        arguments={
            "run": run.number,
            "number": decision_number.strip(),
            "date": decided_on.isoformat(),
            "reason": reason.strip(),
        },
        terms=competitions.approval_terms(competition, "approve-results"),
        by=by,
        now=now,
    )


def _recommended(session: Session, run: ScoreRun) -> None:
    if queries.approval(session, run.id) is not None:
        raise Refused(N_("These results are approved already."))
    missing = sorted(set(queries.posts_of(run)) - queries.adopted_posts(session, run.id))
    if missing:
        raise Refused(
            N_("The council has not recommended the result of the posts %(posts)s. Record its vote first."),
            posts=", ".join(missing),
        )


def _chosen(run: ScoreRun) -> str:
    found = [f"{row['post']}: {row['number']}" for row in run.outcome["rows"] if row["outcome"] == "chosen"]
    return "; ".join(found) or "–"


@carries_out("results.approve")
def approve_results(session: Session, approved: Approved) -> None:
    """The run is the result."""
    competition = competitions.competition(session, approved.competition)
    run = ready(session, competition)
    if run.number != approved.arguments["run"]:
        raise Refused(N_("The results have been computed again since this was asked for. Ask for the approval of the new run."))
    _recommended(session, run)
    regulation = competitions.regulation(competition)
    role = regulation.council.approves
    holders = {one.code for one in accounts.holders(session, role, competition.slug, approved.now)}
    holders |= {one.code for one in accounts.holders(session, role, "", approved.now)}
    if not holders & {code for code, _ in approved.approvals}:
        raise Refused(N_("The results are approved by the competent authority: it must be one of the approvers."))
    authority = regulation.role(role).label.in_language("vi")
    session.add(
        ResultApproval(
            run_id=run.id,
            number=str(approved.arguments["number"]),
            decided_on=date.fromisoformat(str(approved.arguments["date"])),
            authority=authority,
            reason=str(approved.arguments["reason"]),
            request_id=approved.request_id,
            at=approved.now,
        )
    )
    session.flush()
    decision = {
        "number": str(approved.arguments["number"]),
        "date": str(approved.arguments["date"]),
        "authority": authority,
        "clause": "council.approves",
        "reason": str(approved.arguments["reason"]),
    }
    signer = next(code for code, _ in approved.approvals if code in holders)
    for post, commitment in sorted(run.commitments.items()):
        record(
            session,
            competition.slug,
            "results.approved",
            now=approved.now,
            by=signer,
            approvals=approved.approvals,
            summary=approved.summary,
            posts=[post],
            run=run.number,
            ranking=commitment,
            decision=Sealed(decision),
        )
    course.set_date(session, competition, event="results-approved", at=approved.now, by=approved.last_by, now=approved.now)

