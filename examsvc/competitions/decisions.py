"""Reasoned decisions on the course of a competition: postpone, suspend, resume, annul, correct, go on with fewer candidates.

Each is proposed with its reason and approved by the people whom the regulation names, the role that decides among them;
it is carried out with the last approval: standing and dates change, the notice is published anew, candidates are told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, Terms
from examsvc.accounts.models import ApprovalRequest
from examsvc.base import messages
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, NotAllowed, Refused
from examsvc.base.language import LANGUAGES, both, day, in_language, sentence
from examsvc.competitions import announcing, oracles, phases, preparing, queries
from examsvc.competitions.models import Competition, Decision, StandingRecord
from examsvc.competitions.operations import enter_phase, set_date
from examsvc.competitions.wording import Words
from examsvc.ledger import operations as ledger
from examsvc.ledger.operations import Sealed

DECIDE = "competitions.decide"
Kind = Literal["postpone", "suspend", "resume", "annul", "correct", "continue"]
Level = Literal["competition", "post", "sitting", "part"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TITLES: dict[str, str] = {
    "postpone": N_("Postpone"),
    "suspend": N_("Suspend"),
    "resume": N_("Resume"),
    "annul": N_("Annul"),
    "correct": N_("Correct"),
    "continue": N_("Go on with fewer candidates"),
}
DONE: dict[str, str] = {
    "postpone": N_("Postponed"),
    "suspend": N_("Suspended"),
    "resume": N_("Resumed"),
    "annul": N_("Annulled"),
    "correct": N_("Corrected"),
    "continue": N_("Goes on with fewer candidates"),
}
LEVELS: dict[str, str] = {
    "competition": N_("the whole competition"),
    "post": N_("one post"),
    "sitting": N_("one sitting"),
    "part": N_("one part"),
}
STANDING: dict[str, phases.Standing] = {"postpone": "postponed", "suspend": "suspended", "resume": "going-on", "annul": "annulled"}
_TYPES = {
    "postpone": "decision.postponed",
    "suspend": "decision.suspended",
    "resume": "decision.resumed",
    "annul": "decision.annulled",
    "correct": "decision.corrected",
    "continue": "decision.continued",
}


@dataclass(frozen=True)
class Subject:
    """What a decision is about.

    ``posts`` are all posts that go on where it is about none in particular.  ``dates`` move events, ``texts`` correct the notice;
    ``repeat`` holds an annulled sitting or part again.
    """

    level: Level
    posts: tuple[str, ...] = ()
    part: str | None = None
    sitting: str | None = None
    dates: Mapping[str, datetime] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    repeat: bool = False

    def as_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "level": self.level,
            "posts": sorted(self.posts),
            "part": self.part,
            "sitting": self.sitting,
            "dates": {event: seconds(at) for event, at in sorted(self.dates.items())},
            "texts": {name: dict(text) for name, text in sorted(self.texts.items())},
            "repeat": self.repeat,
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Subject:
        dates = {event: datetime.fromtimestamp(t, tz=UTC) for event, t in document["dates"].items()}
        return cls(**{**document, "posts": tuple(document["posts"]), "dates": dates})


def levels(competition: Competition, kind: Kind) -> tuple[Level, ...]:
    """What a decision of this kind may be about; empty where the regulation does not allow it."""
    rules = queries.regulation(competition)
    below = rules.admission.minimum_candidates.below
    if kind == "continue":
        return ("post",) if "proceed-with-reason" in below else ()
    rule = rules.intervention(kind)
    if rule is None:
        return ()
    for_candidates = kind == "postpone" and "extend" in below and "post" not in rule.scopes
    return (*rule.scopes, "post") if for_candidates else rule.scopes


def decider(competition: Competition, kind: Kind) -> str:
    """The role that decides, by the regulation."""
    rules = queries.regulation(competition)
    rule = rules.intervention(kind)
    if kind == "continue":
        return rules.admission.minimum_candidates.decided_by
    if rule is None:
        raise Refused(N_("The regulation does not provide for this decision."))
    return rule.decided_by


def terms(competition: Competition, kind: Kind) -> Terms:
    """Who approves: the people of the regulation's rule on interventions, and the role that decides."""
    own = queries.approval_terms(competition, "intervene")
    return Terms(tuple(dict.fromkeys((*own.roles, decider(competition, kind)))), own.people, own.expires)


def propose_decision(
    session: Session,
    competition: Competition,
    kind: Kind,
    subject: Subject,
    *,
    number: str,
    decided_on: date,
    reason: str,
    announcement: Mapping[str, str],
    zone: ZoneInfo,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Proposes a decision; the proposer's approval is the first.

    ``reason`` is for the file and names who and why; ``announcement`` is what candidates and the public read, in both
    languages.  Refused when the regulation or the standing does not allow it.
    """
    posts = tuple(sorted(subject.posts)) or tuple(one.code for one in queries.running_posts(competition))
    subject = Subject(
        subject.level, posts, subject.part, subject.sitting, subject.dates, subject.texts, subject.repeat
    )
    if not number.strip():
        raise Refused(N_("Enter the number of the decision."), field="number")
    if decided_on > now.astimezone(zone).date():
        raise Refused(N_("The decision cannot lie in the future."), field="decided_on")
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    for one in LANGUAGES:
        if not announcement.get(one, "").strip():
            raise Refused(N_("Write in both languages what candidates and the public are to read."), field=f"announcement_{one}")
    check(session, competition, kind, subject, zone=zone, now=now)
    words = Words(language, queries.regulation(competition))
    lines = [
        f"{sentence(language, TITLES[kind])}: {in_language(competition.title, language)}",
        f"{sentence(language, N_('Decision'))}: {number.strip()}, {day(decided_on)}",
        f"{sentence(language, N_('It concerns'))}: {_about(words, subject)}",
    ]
    for event, at in sorted(subject.dates.items()):
        lines.append(f"{words.event(event)}: {at.astimezone(zone):%H:%M, %d/%m/%Y}")
    for name, text in sorted(subject.texts.items()):
        lines.append(f"{sentence(language, N_('The notice is to say'))} ({name}): {text.get(language, '')}")
    if subject.repeat:
        lines.append(sentence(language, N_("It is held again.")))
    lines += [
        f"{sentence(language, N_('Reason'))}: {reason.strip()}",
        f"{sentence(language, N_('Announcement'))}: {in_language(announcement, language)}",
    ]
    return approvals.ask(
        session,
        kind=DECIDE,
        entry_type=entry_type(competition, kind, subject),
        competition=competition.slug,
        lines=lines,
        arguments={
            "kind": kind,
            "subject": subject.as_document(),
            "number": number.strip(),
            "decided_on": decided_on.isoformat(),
            "reason": reason.strip(),
            "announcement": {one: announcement[one].strip() for one in LANGUAGES},
            "zone": zone.key,
        },
        terms=terms(competition, kind),
        by=by,
        now=now,
    )


def _about(words: Words, subject: Subject) -> str:
    what = {
        "competition": words.say(LEVELS["competition"]),
        "post": ", ".join(subject.posts),
        "part": words.named("part", subject.part or ""),
        "sitting": subject.sitting or "",
    }[subject.level]
    return what if subject.level != "sitting" else f"{words.say(LEVELS['sitting'])}: {what}"


def _scope(subject: Subject) -> list[dict[str, str | None]]:
    """The scopes of standing that a decision touches: one, or one for each post."""
    if subject.level == "post":
        return [{"post": code} for code in subject.posts]
    return [
        {
            "competition": {},
            "part": {"part": subject.part},
            "sitting": {"sitting": subject.sitting},
        }[subject.level]
    ]


def check(
    session: Session, competition: Competition, kind: Kind, subject: Subject, *, zone: ZoneInfo, now: datetime
) -> None:
    """Refused unless regulation, phase and standing allow this decision now."""
    rules = queries.regulation(competition)
    if subject.level not in levels(competition, kind):
        raise Refused(N_("The regulation does not provide for this decision."), field="level")
    phase = queries.phase_kind(competition)
    if phase in ("draft", "final"):
        raise Refused(N_("Before the notice and after the end there is nothing to decide on the course."))
    known = {one.code for one in competition.posts}
    if not subject.posts or not set(subject.posts) <= known:
        raise Refused(N_("Choose the posts that it concerns."), field="posts")
    if subject.level == "part" and subject.part not in {part.id for part in rules.parts}:
        raise Refused(N_("Choose the part that it concerns."), field="part")
    if subject.level == "sitting" and (not subject.sitting or subject.part not in {part.id for part in rules.parts}):
        raise Refused(N_("Name the sitting and the part that it belongs to."), field="sitting")
    if (subject.dates or subject.texts) and kind not in ("postpone", "resume", "correct"):
        raise Refused(N_("This decision changes neither dates nor the notice."))
    if queries.standing(competition) == "annulled":
        queries.require_running(competition)
    for scope in _scope(subject):
        _check_standing(competition, kind, queries.standing(competition, **scope), bool(subject.dates), phase)
    if kind == "continue" and phase in ("announced", "applications"):
        raise Refused(N_("Applications are still open. Decide once they are closed."))
    if kind == "correct":
        if not subject.dates and not subject.texts:
            raise Refused(N_("Say what is corrected: a date, or a text of the notice."))
        if not preparing.is_frozen(competition, now):
            raise Refused(N_("Applications are not open yet: change the notice and publish it again, without a decision."))
    if subject.repeat and (kind != "annul" or subject.level not in ("part", "sitting")):
        raise Refused(N_("Only an annulled part or sitting is held again."), field="repeat")
    if subject.dates:
        past = sorted(event for event, at in subject.dates.items() if at <= now)
        if past and kind != "correct":
            raise Refused(N_("A date is moved to a time that lies ahead."), field=preparing.field_of(past[0]))
        preparing.check_dates(session, competition, dict(subject.dates), zone=zone, now=now)


def _check_standing(
    competition: Competition, kind: Kind, standing: phases.Standing, dated: bool, phase: str
) -> None:
    if standing == "annulled":
        raise Refused(N_("This was annulled already."))
    if kind == "resume" and standing == "going-on":
        raise Refused(N_("This goes on; there is nothing to resume."))
    if kind == "suspend" and standing != "going-on":
        raise Refused(N_("This stands still already."))
    if kind == "postpone":
        if phase in ("results", "appeals"):
            raise Refused(N_("The exam is over; nothing can be postponed any more."))
        if standing == "suspended" or (standing == "postponed" and not dated):
            raise Refused(N_("This stands still already."))


def entry_type(competition: Competition, kind: Kind, subject: Subject) -> str:
    """The ledger's word: what was postponed without a day goes on by a postponement to a day."""
    if kind == "resume" and any(queries.standing(competition, **scope) == "postponed" for scope in _scope(subject)):
        return "decision.postponed"
    return _TYPES[kind]


@approvals.carries_out(DECIDE)
def decide(session: Session, approved: Approved) -> None:
    """Carries the decision out.  Refused unless one of those who approved holds the role that decides."""
    arguments = approved.arguments
    competition = queries.competition(session, approved.competition)
    kind: Kind = arguments["kind"]
    subject = Subject.read(arguments["subject"])
    zone = ZoneInfo(arguments["zone"])
    _require_decider(session, competition, kind, approved)
    check(session, competition, kind, subject, zone=zone, now=approved.now)
    rules = queries.regulation(competition)
    role = decider(competition, kind)
    entry = ledger.record(
        session,
        competition.slug,
        entry_type(competition, kind, subject),
        now=approved.now,
        by=accounts.account(session, approved.last_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        posts=list(subject.posts),
        level=subject.level,
        stage=rules.stage_of(subject.part).id if subject.part else None,
        part=subject.part if subject.level == "part" else None,
        sitting=subject.sitting,
        decision=Sealed(
            {
                "number": arguments["number"],
                "date": arguments["decided_on"],
                "authority": Words("vi", rules).named("role", role),
                "clause": f"interventions.{kind}" if kind != "continue" else "admission.minimum_candidates",
                "reason": arguments["reason"],
            }
        ),
    )
    decision = Decision(
        competition_id=competition.id,
        kind=kind,
        number=arguments["number"],
        decided_on=date.fromisoformat(arguments["decided_on"]),
        subject=subject.as_document(),
        reason=arguments["reason"],
        announcement=dict(arguments["announcement"]),
        entry=entry.position,
        request_id=approved.request_id,
        proposed_by_id=approved.asked_by,
        approved_by_id=_other(session, approved),
        approved_at=approved.now,
    )
    session.add(decision)
    session.flush()
    session.expire(competition, ["decisions"])
    _take_effect(session, competition, decision, subject, by=approved.last_by, now=approved.now)
    oracles.tell_decided(session, competition, decision, approved.now)
    _tell_candidates(session, competition, decision, approved.now)


def _require_decider(session: Session, competition: Competition, kind: Kind, approved: Approved) -> None:
    role = decider(competition, kind)
    for code, _at in approved.approvals:
        account = accounts.by_code(session, code)
        held = accounts.roles_of(session, account.id, approved.now) if account is not None else frozenset()
        if (role, competition.slug) in held or (role, "") in held:
            return
    label = queries.regulation(competition).role(role).label.model_dump()
    raise NotAllowedUntil(role=label)


class NotAllowedUntil(NotAllowed):
    """The last approval must come from the role that decides."""

    def __init__(self, *, role: Mapping[str, str]) -> None:
        Refused.__init__(
            self,
            N_("The regulation leaves this decision to the role %(role)s. Whoever holds it approves it."),
            role=role,
        )


def _other(session: Session, approved: Approved) -> int:
    """Somebody who approved and did not ask."""
    if approved.last_by != approved.asked_by:
        return approved.last_by
    codes = [code for code, _at in approved.approvals]
    people = [accounts.by_code(session, code) for code in codes]
    return next(one.id for one in people if one is not None and one.id != approved.asked_by)


def _take_effect(
    session: Session, competition: Competition, decision: Decision, subject: Subject, *, by: int, now: datetime
) -> None:
    kind = decision.kind
    standing: phases.Standing | None = STANDING.get(kind)
    if kind == "postpone" and subject.dates:
        standing = "going-on"  # to a day: it stands still no longer than until then
    if subject.repeat:
        standing = None  # what is annulled are its attempts; the part itself is held again
    if standing is not None:
        for scope in _scope(subject):
            if queries.standing(competition, **scope) != standing:
                session.add(
                    StandingRecord(
                        competition_id=competition.id, standing=standing, at=now, decision_id=decision.id, **scope
                    )
                )
        session.flush()
        session.expire(competition, ["standings"])
    for event, at in sorted(subject.dates.items()):
        set_date(session, competition, event=event, at=at, by=by, now=now, decision=decision.id)
    if subject.dates:
        preparing.record_calendar(session, competition, by=accounts.account(session, by).code, now=now)
    if subject.repeat and subject.part is not None:
        _repeat(session, competition, decision, subject.part, by=by, now=now)
    # What is annulled stays in the notice as it was read, under the announcement; the next correction leaves it out.
    if kind in ("postpone", "correct", "resume") and preparing.is_frozen(competition, now):
        announcing.correct_notice(session, competition, decision, texts=subject.texts, by=by, now=now)
    if kind == "annul" and subject.level == "competition":
        _cancel(session, competition, decision, now)


def _repeat(session: Session, competition: Competition, decision: Decision, part: str, *, by: int, now: datetime) -> None:
    """Back to the exam or the defence of the part's stage, unless it is there already."""
    rules = queries.regulation(competition)
    stage = rules.stage_of(part).id
    order = phases.phases(rules)
    here = order.index(phases.phase(rules, queries.phase(competition)))
    for place, one in enumerate(order[:here]):
        if one.stage == stage and one.kind in ("exam", "defence") and place < here:
            enter_phase(session, competition, phase=one.id, by=by, now=now, decision=decision.id)
            return


def _cancel(session: Session, competition: Competition, decision: Decision, now: datetime) -> None:
    """The registry keeps size and root of the log with which the competition was given up."""
    request = session.get_one(ApprovalRequest, decision.request_id)
    size, root = ledger.head(session, competition.slug)
    ledger.record(
        session,
        ledger.REGISTRY,
        "competition.cancelled",
        now=now,
        by=accounts.account(session, decision.approved_by_id).code,
        approvals=[(vote.by.code, vote.at) for vote in request.votes],
        summary=Sealed({"type": request.entry_type, "lines": list(request.lines)}),
        competition=competition.slug,
        size=size,
        root=root,
    )


def _tell_candidates(session: Session, competition: Competition, decision: Decision, now: datetime) -> None:
    for account_id in oracles.affected(session, competition, decision.subject["posts"]):
        messages.send(
            session,
            account_id=account_id,
            competition=competition.slug,
            subject=both(N_("%(done)s: %(title)s"), done=both(DONE[decision.kind]), title=competition.title),
            body=both(
                N_("%(announcement)s\n\nDecision %(number)s of %(day)s."),
                announcement=decision.announcement,
                number=decision.number,
                day=day(decision.decided_on),
            ),
            now=now,
        )


def posts_of(decision: Decision) -> Sequence[str]:
    """Codes of the posts that it concerns."""
    return list(decision.subject["posts"])
