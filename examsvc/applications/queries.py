"""What other rooms may ask about candidates' files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from examsvc.accounts import oracles
from examsvc.applications import eligibility, questions, rules
from examsvc.applications.models import (
    AccommodationDecision,
    AccommodationRequest,
    Application,
    ApplicationRound,
    CandidateList,
    EligibilityFinding,
    FileVersion,
    PostedList,
    Submission,
    SupplementRequest,
)
from examsvc.base.errors import NotFound
from examsvc.base.language import sorting_name
from examsvc.competitions import oracles as course
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition, Post
from examsvc.competitions.regulation import Regulation

# ---------------------------------------------------------------- one file


def application(session: Session, application_id: int) -> Application:
    found = session.get(Application, application_id)
    if found is None:
        raise NotFound()
    return found


def by_code(session: Session, competition_id: int, code: str) -> Application:
    """The file of this code in this competition; NotFound otherwise."""
    found = session.scalar(
        select(Application).where(Application.competition_id == competition_id, Application.code == code)
    )
    if found is None:
        raise NotFound()
    return found


def of_account(session: Session, competition_id: int, account_id: int) -> Application | None:
    """The person's first file in this competition that is not withdrawn, else the first one."""
    found = all_of_account(session, competition_id, account_id)
    return next((one for one in found if one.withdrawn_at is None), found[0] if found else None)


def all_of_account(session: Session, competition_id: int, account_id: int) -> list[Application]:
    """Every file of the person in this competition, the oldest first; a regulation may allow several posts."""
    return list(
        session.scalars(
            select(Application)
            .where(Application.competition_id == competition_id, Application.account_id == account_id)
            .order_by(Application.id)
        )
    )


def verdict(application: Application) -> str | None:
    """The newest finding on the whole file: eligible, refused, excluded, or None while it is open."""
    for finding in reversed(application.findings):
        if finding.criterion == "":
            return finding.outcome
    return None


def decision(application: Application) -> EligibilityFinding | None:
    """The newest decision on the whole file."""
    return next((one for one in reversed(application.findings) if one.criterion == ""), None)


def finding(application: Application, criterion: str) -> EligibilityFinding | None:
    """The newest finding of a person on one criterion."""
    return next((one for one in reversed(application.findings) if one.criterion == criterion), None)


def findings(session: Session, application_id: int) -> list[EligibilityFinding]:
    return list(
        session.scalars(
            select(EligibilityFinding)
            .where(EligibilityFinding.application_id == application_id)
            .order_by(EligibilityFinding.id)
        )
    )


def current_files(application: Application) -> dict[str, FileVersion]:
    """The version that counts now, by kind of file."""
    return {one.kind: one for one in application.files if one.taken_back_at is None}


def handed_in_files(session: Session, application: Application) -> dict[str, FileVersion]:
    """The files of the newest submission, by kind: what the office, the board and the panel may rely on."""
    if not application.submissions:
        return {}
    ids = application.submissions[-1].file_ids
    return {one.kind: one for one in application.files if one.id in ids}


def file_version(application: Application, number: int) -> FileVersion:
    """A version of one of this file's uploads; NotFound for anybody else's."""
    found = next((one for one in application.files if one.id == number), None)
    if found is None:
        raise NotFound()
    return found


def plan(session: Session, application: Application) -> FileVersion | None:
    """The action plan as handed in last, for marking and defence; None where the regulation asks for none."""
    regulation = competitions.regulation(application.competition)
    handed_in = handed_in_files(session, application)
    return next((handed_in[rule.id] for rule in regulation.files if rule.purpose == "action-plan" and rule.id in handed_in), None)


def submission(application: Application, version: int) -> Submission:
    found = next((one for one in application.submissions if one.version == version), None)
    if found is None:
        raise NotFound()
    return found


def state(application: Application) -> rules.FileState:
    """What the rules look at when they say what is missing."""
    return rules.FileState(
        stream=application.stream,
        identity_known=application.account.identity_digest is not None,
        birth_known=application.account.birth_date is not None,
        answers=application.answers,
        signed=frozenset(one.criterion for one in application.signatures),
        uploaded=frozenset(current_files(application)),
        relatives_answered=application.answers.get("relatives") in ("yes", "no"),
    )


def lacks(application: Application) -> tuple[rules.Lack, ...]:
    """What the candidate must still do before handing in."""
    return rules.missing(competitions.regulation(application.competition), state(application))


def open_supplement(application: Application, now: datetime) -> SupplementRequest | None:
    """The supplement that the candidate may still hand in."""
    return next(
        (one for one in reversed(application.supplements) if one.answered_at is None and now < one.deadline), None
    )


def claimed_priority(application: Application) -> tuple[str, ...]:
    """Groups of the regulation's priority table that the candidate claimed when handing in last."""
    if not application.submissions:
        return ()
    return tuple(application.submissions[-1].content["answers"].get("priority") or ())


def answers_handed_in(application: Application) -> Mapping[str, object]:
    """The answers of the newest submission: "sex", "service_since" … as ``questions.asked`` names them."""
    return application.submissions[-1].content["answers"] if application.submissions else {}


# ---------------------------------------------------------------- eligibility


def event_days(session: Session, post: Post, zone: ZoneInfo) -> dict[str, date]:
    """Local days of events, past or planned; applications close on the day on which they closed for this post."""
    days = {event: at.astimezone(zone).date() for event, at in competitions.events(post.competition).items()}
    until = closes(session, post)
    if until is not None:
        days[eligibility.CLOSING] = until.astimezone(zone).date()
    return days


def facts(session: Session, application: Application, zone: ZoneInfo) -> eligibility.Facts:
    """What the newest submission says, or the draft before the first one."""
    newest = application.submissions[-1] if application.submissions else None
    regulation = competitions.regulation(application.competition)
    kinds = current_files(application)
    if newest is not None:
        kinds = {one.kind: one for one in application.files if one.id in newest.file_ids}
    birth = application.account.birth_date
    if newest is not None and newest.content.get("born"):
        birth = date.fromisoformat(newest.content["born"])
    return eligibility.Facts(
        stream=application.stream,
        level_of_post=application.post.level,
        birth=birth,
        answers=newest.content["answers"] if newest is not None else application.answers,
        files=frozenset(kinds) & {rule.id for rule in regulation.files},
        signed=frozenset(one.criterion for one in application.signatures),
        days=event_days(session, application.post, zone),
    )


def assessments(session: Session, application: Application, zone: ZoneInfo) -> tuple[eligibility.Assessment, ...]:
    """Every criterion with what can be computed from the file."""
    return eligibility.assess(competitions.regulation(application.competition), facts(session, application, zone))


@dataclass(frozen=True)
class CriterionState:
    """A criterion as it stands: what is computed, what a person found, and what therefore holds."""

    assessment: eligibility.Assessment
    found: EligibilityFinding | None

    @property
    def outcome(self) -> str | None:
        """met, not-met, or None while a person must look."""
        return self.found.outcome if self.found is not None else self.assessment.decisive


def criteria(session: Session, application: Application, zone: ZoneInfo) -> list[CriterionState]:
    """Every criterion; a finding from before the newest submission no longer counts."""
    newest = application.submissions[-1].at if application.submissions else None
    states = []
    for one in assessments(session, application, zone):
        found = finding(application, one.criterion)
        if found is not None and newest is not None and found.at < newest:
            found = None
        states.append(CriterionState(one, found))
    return states


# ---------------------------------------------------------------- all files of a competition


def submitted(session: Session, competition_id: int) -> list[Application]:
    """Files that were handed in and not withdrawn, by candidate number."""
    return list(
        session.scalars(
            select(Application)
            .where(
                Application.competition_id == competition_id,
                Application.submitted_at.is_not(None),
                Application.withdrawn_at.is_(None),
            )
            .options(selectinload(Application.findings))
            .order_by(func.length(Application.candidate_number), Application.candidate_number)
        )
    )


def every(session: Session, competition_id: int) -> list[Application]:
    """All files that were handed in, the withdrawn ones too, by given name as Vietnamese lists are sorted."""
    found = session.scalars(
        select(Application).where(Application.competition_id == competition_id, Application.submitted_at.is_not(None))
    )
    return by_name(found)


def by_name(found: Iterable[Application]) -> list[Application]:
    return sorted(found, key=lambda one: (sorting_name(one.account.name), one.id))


def eligible(session: Session, competition_id: int) -> list[Application]:
    """Candidates who may sit the exam, by candidate number.

    Those found eligible; where the regulation tests before it decides on eligibility, also those not decided yet.  Nobody of a
    post that was cancelled.
    """
    competition = session.get_one(Competition, competition_id)
    stages = competitions.regulation(competition).stages
    tests_first = next((stage.kind for stage in stages), "eligibility") == "examination"
    gone = cancelled_posts(session, competition_id)
    return [
        one
        for one in submitted(session, competition_id)
        if one.post_id not in gone and (verdict(one) == "eligible" or (tests_first and verdict(one) is None))
    ]


def undecided(session: Session, competition_id: int) -> list[Application]:
    """Files handed in on which nobody has decided yet, by given name."""
    gone = cancelled_posts(session, competition_id)
    return by_name(
        one for one in submitted(session, competition_id) if verdict(one) is None and one.post_id not in gone
    )


def count_submitted(session: Session, competition_id: int) -> int:
    """How many candidates handed in a file and did not withdraw it; deadlines may depend on it."""
    return int(
        session.scalar(
            select(func.count())
            .select_from(Application)
            .where(
                Application.competition_id == competition_id,
                Application.submitted_at.is_not(None),
                Application.withdrawn_at.is_(None),
            )
        )
        or 0
    )


@oracles.candidates_from
def candidates(session: Session, slug: str) -> list[oracles.Candidate]:
    """Who handed in a file, for the relationship check."""
    competition = session.scalar(select(Competition).where(Competition.slug == slug))
    if competition is None:
        return []
    return [oracles.Candidate(one.account_id, one.code) for one in submitted(session, competition.id)]


@course.affected_from
def affected(session: Session, competition: Competition, posts: Collection[str]) -> set[int]:
    """Accounts of the candidates of these posts."""
    return {one.account_id for one in submitted(session, competition.id) if one.post.code in posts}


# ---------------------------------------------------------------- rounds, posts, lists


def rounds(session: Session, post_id: int) -> list[ApplicationRound]:
    return list(
        session.scalars(
            select(ApplicationRound).where(ApplicationRound.post_id == post_id).order_by(ApplicationRound.number)
        )
    )


def rounds_of_posts(session: Session, competition: Competition) -> dict[int, list[ApplicationRound]]:
    """The rounds of every post of a competition, by the post's id in the order of the posts."""
    found: dict[int, list[ApplicationRound]] = {post.id: [] for post in competition.posts}
    for one in session.scalars(select(ApplicationRound).where(ApplicationRound.post_id.in_(found)).order_by(ApplicationRound.number)):
        found[one.post_id].append(one)
    return found


def closes(session: Session, post: Post) -> datetime | None:
    """Until when applications for the post are taken: the newest round's end, else the date in the calendar."""
    found = rounds(session, post.id)
    if found:
        return found[-1].until
    return competitions.date_of(post.competition, "applications-closed")


def takes_applications(session: Session, post: Post, now: datetime) -> bool:
    """Whether a file for this post may be begun, changed and handed in at this moment."""
    return taken_in(rounds(session, post.id), post, now)


def taken_in(found: list[ApplicationRound], post: Post, now: datetime) -> bool:
    """Whether applications for this post are taken at this moment in these rounds, which are all that it has."""
    if found:
        newest = found[-1]
        going_on = newest.number > 1 or competitions.phase_kind(post.competition) == "applications"
        return going_on and rules.is_open(newest.opened_at, newest.until, newest.closed_at, now)
    until = competitions.date_of(post.competition, "applications-closed")
    return competitions.phase_kind(post.competition) == "applications" and until is not None and now < until


def cancelled_posts(session: Session, competition_id: int) -> set[int]:
    """Ids of posts that were annulled by a decision."""
    competition = session.get_one(Competition, competition_id)
    running = {post.id for post in competitions.running_posts(competition)}
    return {post.id for post in competition.posts if post.id not in running}


def eligible_by_post(session: Session, competition: Competition) -> dict[str, int]:
    """Eligible candidates of each post, by its code."""
    gone = cancelled_posts(session, competition.id)
    counts = {post.code: 0 for post in competition.posts if post.id not in gone}
    for one in submitted(session, competition.id):
        if verdict(one) == "eligible" and one.post.code in counts:
            counts[one.post.code] += 1
    return counts


def short_posts(session: Session, competition: Competition) -> list[str]:
    """Codes of posts with fewer eligible candidates than the regulation's least number and no decision how to go on.

    Posts with undecided files, or that take applications again, are not counted yet.
    """
    least = competitions.regulation(competition).admission.minimum_candidates.per_post
    settled = {one.post.code for one in undecided(session, competition.id)}
    for post in competition.posts:
        newest = next(iter(reversed(rounds(session, post.id))), None)
        if newest is None or newest.closed_at is None or any(
            one.kind == "continue" and post.code in one.subject["posts"] and one.approved_at >= newest.closed_at
            for one in competition.decisions
        ):
            settled.add(post.code)
    return rules.short_posts(eligible_by_post(session, competition), least, settled)


@course.facts_from
def facts_for_phases(session: Session, competition: Competition, now: datetime) -> set[str]:
    """The facts of competitions.phases that this room knows: applications-opened and -closed, eligibility-decided:STAGE,
    enough-candidates, plans-handed-in:STAGE."""
    regulation = competitions.regulation(competition)
    found = set()
    by_post = rounds_of_posts(session, competition).values()
    closes_at = competitions.date_of(competition, "applications-closed")
    opens_at = competitions.date_of(competition, "applications-opened")
    if (opens_at is not None and opens_at <= now) or any(by_post):
        found.add("applications-opened")
    if all(one and one[-1].closed_at is not None for one in by_post) or (
        not any(by_post) and closes_at is not None and closes_at <= now
    ):
        found.add("applications-closed")
    if "applications-closed" in found and not undecided(session, competition.id):
        found |= {f"eligibility-decided:{stage.id}" for stage in regulation.stages if stage.kind != "examination"}
        if not short_posts(session, competition):
            found.add("enough-candidates")
    admitted = eligible(session, competition.id)
    needs_plan = any(rule.purpose == "action-plan" and rule.required for rule in regulation.files)
    if not needs_plan or all(plan(session, one) is not None for one in admitted):
        found |= {f"plans-handed-in:{stage.id}" for stage in regulation.stages}
    return found


def newest_list(session: Session, post_id: int) -> CandidateList | None:
    return session.scalar(
        select(CandidateList).where(CandidateList.post_id == post_id).order_by(CandidateList.revision.desc()).limit(1)
    )


def posted(session: Session, competition_id: int) -> list[PostedList]:
    """Lists that the public sees: the newest of each post and kind."""
    found = session.scalars(
        select(PostedList)
        .join(Post, Post.id == PostedList.post_id)
        .where(Post.competition_id == competition_id)
        .order_by(PostedList.id)
    )
    return list({(one.post_id, one.kind): one for one in found}.values())


# ---------------------------------------------------------------- accommodations


@dataclass(frozen=True)
class Granted:
    """What was granted to one candidate for the sitting; never shown to anybody who marks."""

    measures: tuple[str, ...] = ()
    extra: Mapping[str, int] = field(default_factory=dict)

    def extra_minutes(self, part: str) -> int:
        return self.extra.get(part, 0)

    @property
    def separate_room(self) -> bool:
        return "separate-room" in self.measures

    @property
    def may_break(self) -> bool:
        """Breaks that stop the clock."""
        return "breaks-that-stop-the-clock" in self.measures

    @property
    def helps(self) -> tuple[str, ...]:
        """What the invigilators prepare: reader, scribe, large print."""
        return tuple(one for one in self.measures if one in ("reader", "scribe", "large-print"))


def accommodation(application: Application) -> AccommodationRequest | None:
    """The newest request that was not withdrawn."""
    return next((one for one in reversed(application.accommodations) if one.withdrawn_at is None), None)


def accommodation_decision(request: AccommodationRequest) -> AccommodationDecision | None:
    return request.decisions[-1] if request.decisions else None


def arrangements(session: Session, competition_id: int) -> dict[int, Granted]:
    """What was granted, by the application's id, for those to whom anything was."""
    found = session.scalars(
        select(AccommodationDecision)
        .join(AccommodationRequest, AccommodationRequest.id == AccommodationDecision.request_id)
        .join(Application, Application.id == AccommodationRequest.application_id)
        .where(
            Application.competition_id == competition_id,
            Application.withdrawn_at.is_(None),
            AccommodationRequest.withdrawn_at.is_(None),
        )
        .order_by(AccommodationDecision.id)
    )
    newest = {one.request.application_id: Granted(tuple(one.measures), dict(one.extra)) for one in found}
    return {number: granted for number, granted in newest.items() if granted.measures}


def accommodation_requests(session: Session, competition_id: int) -> list[AccommodationRequest]:
    """Requests that were not withdrawn, of files that were handed in, the undecided first."""
    found = session.scalars(
        select(AccommodationRequest)
        .join(Application, Application.id == AccommodationRequest.application_id)
        .where(
            Application.competition_id == competition_id,
            Application.withdrawn_at.is_(None),
            Application.submitted_at.is_not(None),
            AccommodationRequest.withdrawn_at.is_(None),
        )
        .order_by(AccommodationRequest.id)
    )
    return sorted(found, key=lambda one: bool(one.decisions))


def asked_questions(regulation: Regulation, application: Application) -> tuple[questions.Question, ...]:
    return questions.asked(regulation, application.stream)
