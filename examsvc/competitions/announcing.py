"""Pinning the regulation and publishing the notice, each approved by two; correcting the notice by a decision."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.accounts import approvals, enrolment
from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved
from examsvc.accounts.models import ApprovalRequest
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, Refused
from examsvc.base.language import LANGUAGES, day, in_language, sentence
from examsvc.competitions import notice_document, preparing, queries
from examsvc.competitions.confirmations import clauses_to_confirm
from examsvc.competitions.models import Competition, Decision, Notice, NoticeText
from examsvc.competitions.notice_document import Source
from examsvc.competitions.operations import enter_phase, require_unpinned, set_date
from examsvc.competitions.regulation_lint import Finding, lint
from examsvc.competitions.wording import Words
from examsvc.ledger import operations as ledger
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry
from examsvc.ledger.operations import Sealed

PIN, PUBLISH, RELEASE = "competitions.pin", "competitions.publish-notice", "competitions.release"


# ---------------------------------------------------------------- pinning


def findings(competition: Competition, on: date, people: int | None = None) -> tuple[Finding, ...]:
    """What lint finds in the regulation on a day, errors first."""
    return lint(queries.regulation(competition), on=on, people=people)


def obstacles(session: Session, competition: Competition, now: datetime) -> list[tuple[str, dict[str, Any]]]:
    """What keeps the regulation from being pinned: sentences with their parameters; empty when nothing does."""
    found: list[tuple[str, dict[str, Any]]] = []
    rules = queries.regulation(competition)
    errors = [one for one in findings(competition, now.date()) if one.severity == "error"]
    if errors:
        found.append((N_("Lint finds %(count)d errors in the regulation. Mend them first."), {"count": len(errors)}))
    waiting = queries.open_clauses(session, competition, now.date())
    if waiting:
        found.append((N_("%(count)d clauses still need a person's confirmation."), {"count": len(waiting)}))
    number = len(competition.posts)
    if number not in rules.posts.posts_per_competition:
        found.append(
            (
                N_("The competition has %(count)d posts; the regulation allows %(range)s."),
                {"count": number, "range": str(rules.posts.posts_per_competition)},
            )
        )
    levels = {one.id for one in rules.posts.levels}
    for post in competition.posts:
        if post.level not in levels:
            found.append((N_("The regulation has no level for the post %(code)s. Remove it and add it anew."), {"code": post.code}))
    if rules.witnesses is not None and set(competition.witness_keys) != set(rules.witnesses.names):
        found.append((N_("Enter the key of every witness that the regulation names."), {}))
    return found


def witness_policy(session: Session, competition: Competition) -> bytes:
    """The policy file (c2sp.org/tlog-policy): the keys of this log and the registry, the witnesses and their quorum."""
    rules = queries.regulation(competition).witnesses
    lines = []
    for log in (competition.slug, ledger.REGISTRY):
        first = session.query(LogEntry).filter_by(log=log, position=0).one_or_none()
        if first is None:
            raise Refused(N_("The log of this competition has not begun. Open the competition by its approval first."))
        lines.append(f"log {read_entry(first.entry).body['key']}")
    if rules is None:
        lines.append("quorum none")
    else:
        lines += [f"witness {name} {competition.witness_keys[name]}" for name in rules.names]
        lines += [f"group quorum-of-witnesses {rules.quorum} {' '.join(rules.names)}", "quorum quorum-of-witnesses"]
    return ("\n".join(lines) + "\n").encode()


def propose_pin(
    session: Session, competition: Competition, *, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Proposes to fix the regulation, and the policy of witnesses with it, for good."""
    require_unpinned(competition)
    queries.require_running(competition)
    for text, params in obstacles(session, competition, now):
        raise Refused(text, **params)
    rules = queries.regulation(competition)
    policy = hashlib.sha256(witness_policy(session, competition)).hexdigest()
    lines = [
        f"{sentence(language, N_('Pin the regulation'))}: {in_language(rules.title.model_dump(), language)}",
        f"{sentence(language, N_('Version'))}: {rules.version}",
        f"{sentence(language, N_('Fingerprint of the regulation'))}: {competition.regulation_document.digest}",
        sentence(
            language,
            N_("%(count)d clauses were confirmed one by one."),
            count=len(clauses_to_confirm(rules, now.date())),
        ),
        f"{sentence(language, N_('Fingerprint of the policy of witnesses'))}: {policy}",
        sentence(language, N_("After pinning, nothing of it changes in this competition.")),
    ]
    return approvals.ask(
        session,
        kind=PIN,
        entry_type="regulation.pinned",
        competition=competition.slug,
        lines=lines,
        arguments={"digest": competition.regulation_document.digest, "policy": policy},
        terms=queries.approval_terms(competition, "pin-regulation"),
        by=by,
        now=now,
    )


@approvals.carries_out(PIN)
def pin(session: Session, approved: Approved) -> None:
    """Fixes regulation, confirmations and witnesses; what was true at the proposal is looked at once more."""
    competition = queries.competition(session, approved.competition)
    require_unpinned(competition)
    queries.require_running(competition)
    for text, params in obstacles(session, competition, approved.now):
        raise Refused(text, **params)
    rules = queries.regulation(competition)
    policy = witness_policy(session, competition)
    if approved.arguments != {"digest": competition.regulation_document.digest, "policy": hashlib.sha256(policy).hexdigest()}:
        raise Refused(N_("The regulation or the keys of the witnesses changed after the proposal. Propose it again."))
    competition.pinned_at, competition.policy = approved.now, policy.decode()
    session.flush()
    needed = {(one.path, one.digest) for one in clauses_to_confirm(rules, approved.now.date())}
    given = [one for one in queries.confirmations(session, competition.id) if (one.path, one.digest) in needed]
    people = {by: enrolment.enrol(session, competition.slug, by, approved.now) for by in sorted({one.by_id for one in given})}
    confirmed = [{"clause": one.path, "by": people[one.by_id], "t": seconds(one.at)} for one in given]
    frame = {
        "now": approved.now,
        "by": accounts.account(session, approved.last_by).code,
        "approvals": approved.approvals,
        "summary": approved.summary,
    }
    ledger.record(
        session,
        competition.slug,
        "regulation.pinned",
        **frame,  # type: ignore[arg-type]
        regulation=rules.id,
        version=rules.version,
        digest=competition.regulation_document.digest,
        confirmations=Sealed({"clauses": confirmed}) if confirmed else None,
    )
    ledger.record(
        session,
        competition.slug,
        "witnesses.named",
        **frame,  # type: ignore[arg-type]
        policy=approved.arguments["policy"],
        witnesses=len(rules.witnesses.names) if rules.witnesses is not None else 0,
    )
    set_date(session, competition, event="regulation-pinned", at=approved.now, by=approved.last_by, now=approved.now)
    preparing.record_calendar(session, competition, by=accounts.account(session, approved.last_by).code, now=approved.now)


# ---------------------------------------------------------------- the notice


def event_label(competition: Competition, event: str) -> dict[str, str]:
    """An event of the calendar in every language."""
    return {one: Words(one, queries.regulation(competition)).event(event) for one in LANGUAGES}


def source_of(session: Session, competition: Competition, texts: Mapping[str, dict[str, str]] | None = None) -> Source:
    """What the notice of a competition is made from."""
    return Source(
        slug=competition.slug,
        title=dict(competition.title),
        regulation=queries.regulation(competition),
        digest=competition.regulation_document.digest,
        posts=[
            notice_document.Post(one.code, dict(one.title), dict(one.unit), one.level, one.vacancies)
            for one in queries.running_posts(competition)
        ],
        events=queries.events(competition),
        texts=queries.notice_texts(session, competition.id) if texts is None else texts,
    )


def save_notice_texts(
    session: Session, competition: Competition, texts: Mapping[str, Mapping[str, str]], *, by: int, now: datetime
) -> None:
    """Keeps what the office writes for the notice; refused once the notice changes only by a decision."""
    if preparing.is_frozen(competition, now):
        raise Refused(N_("Applications are open: the notice changes only by a reasoned decision."))
    _keep_texts(session, competition, texts, by=by, now=now)


def _keep_texts(
    session: Session, competition: Competition, texts: Mapping[str, Mapping[str, str]], *, by: int, now: datetime
) -> None:
    present = queries.notice_texts(session, competition.id)
    wanted = {**present, **{name: {one: text.get(one, "") for one in LANGUAGES} for name, text in texts.items()}}
    unknown = set(wanted) - set(notice_document.TEXTS)
    if unknown:
        raise LookupError(f"a notice has no text {sorted(unknown)[0]}")
    if wanted != present:
        session.add(NoticeText(competition_id=competition.id, texts=wanted, at=now, by_id=by))
        session.flush()


def unready(
    session: Session, competition: Competition, *, zone: ZoneInfo, now: datetime
) -> list[tuple[str, dict[str, Any]]]:
    """What keeps the notice from being published, as sentences with their parameters."""
    found: list[tuple[str, dict[str, Any]]] = []
    if competition.pinned_at is None:
        found.append((N_("Pin the regulation first."), {}))
    for gap in notice_document.gaps(source_of(session, competition)):
        params = {k: event_label(competition, v) if k == "event" else v for k, v in gap.params.items()}
        found.append((gap.sentence, params))
    found += [(one, {}) for one in preparing.council_stands(session, competition, now)]
    for one in queries.deadlines(session, competition, zone=zone, now=now):
        if one.state == "broken" and one.day is not None:
            found.append(
                (N_("A deadline is broken: %(rule)s (%(day)s)."), {"rule": one.rule.label.model_dump(), "day": day(one.day)})
            )
    return found


def propose_notice(
    session: Session, competition: Competition, *, zone: ZoneInfo, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Proposes to publish the notice as it is composed now; the first one announces the competition."""
    queries.require_running(competition)
    if preparing.is_frozen(competition, now):
        raise Refused(N_("Applications are open: the notice changes only by a reasoned decision."))
    for text, params in unready(session, competition, zone=zone, now=now):
        raise Refused(text, **params)
    revision = len(competition.notices) + 1
    document = notice_document.compose(source_of(session, competition), revision)
    digest = notice_document.digest(document)
    opens = queries.date_of(competition, "applications-opened")
    if opens is not None and opens <= now:
        raise Refused(N_("Applications would open before the notice appears. Set a later date for their opening."))
    vacancies = sum(post["vacancies"] for post in document["posts"])
    lines = [
        f"{sentence(language, N_('Publish the notice'))}: {in_language(competition.title, language)}",
        f"{sentence(language, N_('Version'))}: {revision}",
        sentence(language, N_("%(posts)d posts with %(vacancies)d vacancies"), posts=len(document["posts"]), vacancies=vacancies),
    ]
    for one in document["dates"]:
        moment = datetime.fromtimestamp(one["t"], tz=zone)
        lines.append(f"{one['label'][language]}: {moment:%H:%M, %d/%m/%Y}")
    lines.append(f"{sentence(language, N_('Fingerprint of the notice'))}: {digest}")
    return approvals.ask(
        session,
        kind=PUBLISH,
        entry_type="notice.published",
        competition=competition.slug,
        lines=lines,
        arguments={"revision": revision, "digest": digest},
        terms=queries.approval_terms(competition, "publish-notice"),
        by=by,
        now=now,
    )


@approvals.carries_out(PUBLISH)
def publish_notice(session: Session, approved: Approved) -> None:
    """The notice appears exactly as it was read by those who approved it."""
    competition = queries.competition(session, approved.competition)
    queries.require_running(competition)
    if preparing.is_frozen(competition, approved.now):
        raise Refused(N_("Applications are open: the notice changes only by a reasoned decision."))
    revision = approved.arguments["revision"]
    document = notice_document.compose(source_of(session, competition), revision)
    if revision != len(competition.notices) + 1 or notice_document.digest(document) != approved.arguments["digest"]:
        raise Refused(N_("What the notice says changed after the proposal. Read it again and propose it anew."))
    problems = preparing.council_stands(session, competition, approved.now)
    if problems:
        raise Refused(problems[0])
    _keep_notice(session, competition, document, request_id=approved.request_id, now=approved.now)
    ledger.record(
        session,
        competition.slug,
        "notice.published",
        now=approved.now,
        by=accounts.account(session, approved.last_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        posts=[post.code for post in queries.running_posts(competition)],
        revision=revision,
        digest=approved.arguments["digest"],
    )
    if revision == 1:
        set_date(session, competition, event="notice-published", at=approved.now, by=approved.last_by, now=approved.now)
        enter_phase(session, competition, phase="announced", by=approved.last_by, now=approved.now)


def correct_notice(
    session: Session,
    competition: Competition,
    decision: Decision,
    *,
    texts: Mapping[str, Mapping[str, str]],
    by: int,
    now: datetime,
) -> Notice | None:
    """Publishes the notice anew under a decision in force, when what it says changed; nothing otherwise."""
    if texts:
        _keep_texts(session, competition, texts, by=by, now=now)
    present = queries.notice(competition)
    if present is None:
        return None
    same = notice_document.compose(source_of(session, competition), present.revision)
    if notice_document.digest(same) == present.digest:
        return None
    document = notice_document.compose(source_of(session, competition), present.revision + 1)
    made = _keep_notice(
        session, competition, document, request_id=decision.request_id, now=now, decision_id=decision.id
    )
    ledger.record(
        session,
        competition.slug,
        "notice.corrected",
        now=now,
        by=accounts.account(session, by).code,
        posts=list(decision.subject["posts"]),
        revision=made.revision,
        digest=made.digest,
        under=decision.entry,
    )
    return made


def _keep_notice(
    session: Session,
    competition: Competition,
    document: Mapping[str, object],
    *,
    request_id: int,
    now: datetime,
    decision_id: int | None = None,
) -> Notice:
    made = Notice(
        competition_id=competition.id,
        revision=document["revision"],
        document=notice_document.document_bytes(document).decode(),
        digest=notice_document.digest(document),
        published_at=now,
        request_id=request_id,
        decision_id=decision_id,
    )
    session.add(made)
    session.flush()
    session.expire(competition, ["notices"])
    return made


# ---------------------------------------------------------------- release of a classified competition


def propose_release(
    session: Session, competition: Competition, *, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Proposes to let the public see a classified competition."""
    if not competition.classified or competition.released_at is not None:
        raise Refused(N_("This competition is not withheld from the public."))
    return approvals.ask(
        session,
        kind=RELEASE,
        entry_type=RELEASE,
        competition=competition.slug,
        lines=[
            f"{sentence(language, N_('Show the public pages of the competition'))}: {in_language(competition.title, language)}"
        ],
        arguments={},
        terms=queries.approval_terms(competition, "intervene"),
        by=by,
        now=now,
    )


@approvals.carries_out(RELEASE)
def release(session: Session, approved: Approved) -> None:
    competition = queries.competition(session, approved.competition)
    competition.released_at = competition.released_at or approved.now
    session.flush()


def waiting(session: Session, competition: Competition, kinds: Iterable[str], now: datetime) -> list[ApprovalRequest]:
    """Requests of these kinds that wait for somebody's approval in this competition."""
    chosen = set(kinds)
    return [one for one in approvals.waiting(session, competition.slug, now) if one.kind in chosen]
