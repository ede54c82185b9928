"""What personnel does with a file: supplements, findings on criteria, the decision of two people, exclusion."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.accounts import approvals, relations
from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved
from examsvc.accounts.models import ApprovalRequest
from examsvc.applications import notices, queries, rounds, rules
from examsvc.applications.models import Application, DeclaredRelative, EligibilityFinding, SupplementRequest
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import in_language, sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.calendar import working_days
from examsvc.competitions.models import Competition
from examsvc.ledger.operations import Sealed, record

DECIDE, EXCLUDE = "applications.decide", "applications.exclude"
DECIDE_STEP, EXCLUDE_STEP = "decide-eligibility", "intervene"
MOST_AT_ONCE = 200


def request_supplement(
    session: Session,
    application: Application,
    *,
    items: Sequence[dict[str, Any]],
    zone: ZoneInfo,
    by: int,
    now: datetime,
) -> SupplementRequest:
    """Asks the candidate to complete the file within the regulation's time.

    Each item has a "text", and a "file" where a file of the regulation is to be handed in anew.
    """
    if application.candidate_number is None or application.withdrawn_at is not None:
        raise Refused(N_("Only a file that was handed in and not withdrawn can be supplemented."))
    if queries.verdict(application) is not None:
        raise Refused(N_("This file is decided already."))
    if queries.open_supplement(application, now) is not None:
        raise Refused(N_("A supplement was asked for already and its time is not over yet."))
    regulation = competitions.regulation(application.competition)
    known = {rule.id for rule in rules.files_asked(regulation, application.stream)}
    kept = []
    for item in items:
        text, file = str(item.get("text", "")).strip(), item.get("file") or None
        if not text:
            raise Refused(N_("Write what is missing, so that the candidate understands it."), field="text")
        if file is not None and file not in known:
            raise Refused(N_("Choose the file from the list."), field="files")
        kept.append({"text": text, **({"file": file} if file else {})})
    if not kept:
        raise Refused(N_("Write what is missing, so that the candidate understands it."), field="text")
    table = competitions.holiday_table(session, application.competition.holidays)
    days = working_days(regulation.calendar, table.years if table is not None else ())
    request = SupplementRequest(
        items=kept,
        asked_at=now,
        asked_by_id=by,
        deadline=rules.supplement_deadline(regulation.admission.supplement, now, days, zone),
    )
    application.supplements.append(request)
    session.flush()
    record(
        session,
        application.competition.slug,
        "application.supplement_requested",
        now=now,
        by=accounts.account(session, by).code,
        posts=[application.post.code],
        application=application.code,
        request=Sealed(
            {
                "application": application.code,
                "items": [one["text"] for one in kept],
                "deadline": seconds(request.deadline),
            },
            subject=application.account.code,
        ),
    )
    notices.supplement_asked(session, application, request, zone, now)
    return request


def record_finding(
    session: Session,
    application: Application,
    criterion: str,
    *,
    met: bool,
    reason: str | None,
    by: int,
    now: datetime,
    zone: ZoneInfo,
) -> EligibilityFinding:
    """What the officer found on one criterion, with the facts and files it was found on.

    A reason is needed where the criterion is not met, and where the finding goes against what was computed.
    """
    if application.candidate_number is None or application.withdrawn_at is not None:
        raise Refused(N_("Only a file that was handed in and not withdrawn is looked at."))
    found = next((one for one in queries.assessments(session, application, zone) if one.criterion == criterion), None)
    if found is None:
        raise NotFound()
    outcome = "met" if met else "not-met"
    reason = (reason or "").strip() or None
    if reason is None and not met:
        raise Refused(N_("Write why the criterion is not met; the candidate will read it."), field="reason")
    if reason is None and found.computed not in (None, outcome):
        raise Refused(N_("This goes against what was computed from the file. Write why."), field="reason")
    if not found.needs_a_person and found.computed != outcome:
        raise Refused(
            N_("The regulation leaves this criterion to the computation. If a fact is wrong, ask the candidate for a supplement."),
            field="met",
        )
    files = queries.handed_in_files(session, application)
    finding = EligibilityFinding(
        criterion=criterion,
        outcome=outcome,
        reason=reason,
        evidence={
            "computed": found.computed,
            "facts": [[fact.name, str(fact.value)] for fact in found.facts],
            "files": [[kind, files[kind].digest] for kind in found.evidence if kind in files],
        },
        by_id=by,
        at=now,
    )
    application.findings.append(finding)
    session.flush()
    return finding


# ---------------------------------------------------------------- the decision on the file


def proposal(session: Session, application: Application, *, eligible: bool, reason: str | None, zone: ZoneInfo) -> dict[str, Any]:
    """What two people will decide on one file, criterion by criterion; Refused while a criterion is open."""
    states = queries.criteria(session, application, zone)
    undecided = [one.assessment.criterion for one in states if one.outcome is None]
    if undecided:
        raise Refused(N_("Decide on each criterion first. Still open: %(names)s."), names=", ".join(undecided))
    failed = [one for one in states if one.outcome == "not-met"]
    reason = (reason or "").strip() or None
    if eligible and failed:
        raise Refused(
            N_("A candidate who does not meet a criterion is not eligible: %(names)s."),
            names=", ".join(one.assessment.criterion for one in failed),
        )
    if not eligible and reason is None:
        if not failed:
            raise Refused(N_("Write the reason for the refusal; the candidate will read it."), field="reason")
        reason = "; ".join(one.found.reason or "" for one in failed if one.found is not None) or None
        if reason is None:
            raise Refused(N_("Write the reason for the refusal; the candidate will read it."), field="reason")
    files = queries.current_files(application)
    return {
        "application": application.id,
        "eligible": eligible,
        "reason": reason,
        "version": application.submissions[-1].version,
        "criteria": [
            {
                "criterion": one.assessment.criterion,
                "clause": one.assessment.clause,
                "met": one.outcome == "met",
                **_optional("evidence", ", ".join(f"{kind} {files[kind].digest}" for kind in one.assessment.evidence if kind in files)),
                **_optional("note", (one.found.reason or "") if one.found is not None else ""),
            }
            for one in states
        ],
    }


def _optional(name: str, text: str) -> dict[str, str]:
    return {name: text} if text else {}


def propose_decisions(
    session: Session,
    competition: Competition,
    proposals: Sequence[dict[str, Any]],
    *,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Asks a second person to decide on one file, or on many at once; the asker's own approval is given with it."""
    if not 1 <= len(proposals) <= MOST_AT_ONCE:
        raise Refused(N_("Choose 1 to %(most)d files."), most=MOST_AT_ONCE)
    rounds.settle(session, competition, now)
    lines = [f"{sentence(language, N_('Decide on files'))}: {in_language(competition.title, language)}"]
    barred: set[int] = set()
    for one in proposals:
        application = _decidable(session, competition, one["application"], now)
        barred.add(application.account_id)
        verdict = N_("eligible") if one["eligible"] else N_("refused")
        line = f"{application.candidate_number} {application.account.name} ({application.post.code}): {sentence(language, verdict)}"
        lines.append(line + (f" – {one['reason']}" if one["reason"] else ""))
    return approvals.ask(
        session,
        kind=DECIDE,
        entry_type="application.decided",
        competition=competition.slug,
        lines=lines,
        arguments={"files": list(proposals)},
        terms=competitions.approval_terms(competition, DECIDE_STEP),
        by=by,
        now=now,
        barred=barred,
    )


def _decidable(session: Session, competition: Competition, number: int, now: datetime) -> Application:
    application = queries.application(session, number)
    if application.competition_id != competition.id:
        raise NotFound()
    if application.candidate_number is None or application.withdrawn_at is not None:
        raise Refused(N_("Only a file that was handed in and not withdrawn can be decided."))
    if queries.verdict(application) == "excluded":
        raise Refused(N_("This candidate is excluded."))
    rounds.require_closed(session, application.post, now)
    if queries.open_supplement(application, now) is not None:
        raise Refused(
            N_("The candidate %(number)s still has time for the supplement."), number=application.candidate_number
        )
    return application


@approvals.carries_out(DECIDE)
def carry_out_decisions(session: Session, approved: Approved) -> None:
    for one in approved.arguments["files"]:
        application = queries.application(session, one["application"])
        if application.withdrawn_at is not None:
            continue  # withdrawn while the decision waited for its second person
        if application.submissions[-1].version != one["version"]:
            raise Refused(
                N_("The file %(number)s was supplemented meanwhile. Look at it again and ask anew."),
                number=application.candidate_number,
            )
        decide_eligibility(
            session,
            application,
            eligible=one["eligible"],
            reason=one["reason"],
            criteria=one["criteria"],
            by=approved.last_by,
            approvals=approved.approvals,
            summary=approved.summary,
            now=approved.now,
            request_id=approved.request_id,
        )


def decide_eligibility(
    session: Session,
    application: Application,
    *,
    eligible: bool,
    reason: str | None,
    criteria: Sequence[dict[str, Any]],
    by: int,
    approvals: Sequence[tuple[str, datetime]],
    summary: Sealed,
    now: datetime,
    request_id: int | None = None,
) -> EligibilityFinding:
    """The decision on the whole file as two people took it; a later one replaces it.

    ``approvals`` are the codes and times of at least two people, ``summary`` what they read.
    """
    reason = (reason or "").strip() or None
    if not eligible and reason is None:
        raise Refused(N_("Write the reason for the refusal; the candidate will read it."), field="reason")
    rounds.require_closed(session, application.post, now)
    revision = 1 + sum(one.criterion == "" for one in application.findings)
    finding = EligibilityFinding(
        criterion="",
        outcome="eligible" if eligible else "refused",
        reason=reason,
        evidence={"criteria": list(criteria)},
        by_id=by,
        at=now,
        request_id=request_id,
    )
    application.findings.append(finding)
    session.flush()
    outcome = "eligible" if eligible else "ineligible"
    content: dict[str, Any] = {"application": application.code, "outcome": outcome, "criteria": list(criteria)}
    if reason is not None:
        content["reason"] = reason
    record(
        session,
        application.competition.slug,
        "application.decided",
        now=now,
        by=accounts.account(session, by).code,
        approvals=approvals,
        summary=summary,
        posts=[application.post.code],
        application=application.code,
        revision=revision,
        outcome=outcome,
        eligibility=Sealed(content, subject=application.account.code),
    )
    notices.decided(session, application, eligible, reason, now)
    return finding


# ---------------------------------------------------------------- exclusion


def propose_exclusion(
    session: Session,
    application: Application,
    *,
    reason: str,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Asks that an admitted candidate is excluded: false declaration, breach of the rules."""
    if not reason.strip():
        raise Refused(N_("Write the reason; the candidate will read it."), field="reason")
    if queries.verdict(application) != "eligible":
        raise Refused(N_("Only an admitted candidate can be excluded."))
    return approvals.ask(
        session,
        kind=EXCLUDE,
        entry_type="candidate.disqualified",
        competition=application.competition.slug,
        lines=[
            f"{sentence(language, N_('Exclude a candidate'))}: {application.candidate_number} {application.account.name} ({application.post.code})",
            f"{sentence(language, N_('In'))}: {in_language(application.competition.title, language)}",
            f"{sentence(language, N_('Reason'))}: {reason.strip()}",
        ],
        arguments={"application": application.id, "reason": reason.strip()},
        terms=competitions.approval_terms(application.competition, EXCLUDE_STEP),
        by=by,
        now=now,
        barred=(application.account_id,),
    )


@approvals.carries_out(EXCLUDE)
def carry_out_exclusion(session: Session, approved: Approved) -> None:
    application = queries.application(session, approved.arguments["application"])
    reason = approved.arguments["reason"]
    application.findings.append(
        EligibilityFinding(
            criterion="",
            outcome="excluded",
            reason=reason,
            by_id=approved.last_by,
            at=approved.now,
            request_id=approved.request_id,
        )
    )
    session.flush()
    record(
        session,
        application.competition.slug,
        "candidate.disqualified",
        now=approved.now,
        by=accounts.account(session, approved.last_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        posts=[application.post.code],
        application=application.code,
        reason=Sealed({"text": reason}, subject=application.account.code),
    )
    notices.excluded(session, application, reason, approved.now)


# ---------------------------------------------------------------- relatives


def settle_relative(
    session: Session, application: Application, number: int, *, account_id: int | None, by: int, now: datetime
) -> list[str]:
    """Ties a person whom the candidate named to an account, or notes (None) that nobody of that name has a role here.

    Returns the names of those whose role was suspended through it.
    """
    one = session.get(DeclaredRelative, number)
    if one is None or one.application_id != application.id or one.taken_back_at is not None:
        raise NotFound()
    if account_id is not None:
        if account_id == application.account_id:
            raise Refused(N_("This is the candidate's own account. Choose another one."), field="account")
        accounts.account(session, account_id)
    one.account_id, one.settled_at, one.settled_by_id = account_id, now, by
    session.flush()
    if account_id is None:
        return []
    relations.note_relation(
        session, person_id=account_id, kind=one.kind, other_id=application.account_id, declared_by=by, now=now
    )
    found = relations.check_candidate(session, application.competition.slug, application.account_id, now=now)
    return [grant.account.name for grant in found]


def namesakes(session: Session, application: Application, one: DeclaredRelative) -> list[tuple[int, str]]:
    """People with a role in this competition whose name is the one that the candidate wrote."""
    found = {
        grant.account_id: grant.account.name
        for grant in accounts.grants_of(session, application.competition.slug)
        if rules.signs(one.name, grant.account.name)
    }
    return sorted(found.items())


