"""Confidential requests for arrangements: asked by the candidate, decided by two, carried to the sitting and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, Terms
from examsvc.accounts.models import ApprovalRequest
from examsvc.applications import notices, queries, rounds, rules
from examsvc.applications.models import (
    AccommodationDecision,
    AccommodationEvidence,
    AccommodationRequest,
    Application,
)
from examsvc.applications.uploads import Upload
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import in_language, sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger.operations import Sealed, record

DECIDE = "applications.accommodate"
STEP = "decide-accommodation"
MEASURES = {
    "extra-minutes": N_("Extra time"),
    "separate-room": N_("A separate room"),
    "breaks-that-stop-the-clock": N_("Breaks during which the clock stands still"),
    "reader": N_("A reader"),
    "scribe": N_("A scribe"),
    "large-print": N_("Large print"),
}
MOST_EVIDENCE = 10


def request_accommodation(
    session: Session, application: Application, *, measures: Sequence[str], explanation: str, now: datetime
) -> AccommodationRequest:
    """Asks for arrangements; a new request takes the place of one that nobody decided yet.

    Possible until applications close, and afterwards until the file is decided: an accident may happen late.
    """
    if application.withdrawn_at is not None:
        raise Refused(N_("This application was withdrawn."))
    rounds.settle(session, application.competition, now)
    if queries.verdict(application) in ("refused", "excluded"):
        raise Refused(N_("This file was refused, so no arrangements are made for it."))
    allowed = competitions.regulation(application.competition).admission.accommodations.kinds
    chosen = [one for one in MEASURES if one in measures]
    if not chosen or len(chosen) != len(set(measures)) or any(one not in allowed for one in chosen):
        raise Refused(N_("Choose at least one arrangement from the list."), field="measures")
    if not explanation.strip():
        raise Refused(N_("Write in a few words why you need it."), field="explanation")
    before = queries.accommodation(application)
    made = AccommodationRequest(measures=chosen, explanation=explanation.strip(), asked_at=now)
    application.accommodations.append(made)
    session.flush()
    if before is not None and not before.decisions:
        before.withdrawn_at = now
        for one in before.evidence:
            one.request_id = made.id
        session.flush()
        session.expire(before, ["evidence"])
        session.expire(made, ["evidence"])
    return made


def keep_evidence(
    session: Session, request: AccommodationRequest, upload: Upload, *, now: datetime
) -> AccommodationEvidence:
    """Keeps a checked upload with a request that nobody decided yet."""
    _undecided(request)
    if len(request.evidence) >= MOST_EVIDENCE:
        raise Refused(N_("You handed in as many files as fit here."), field="file")
    found = next((one for one in request.evidence if one.digest == upload.digest), None)
    if found is not None:
        return found
    one = AccommodationEvidence(
        name=upload.name,
        media_type=upload.media_type,
        size=upload.size,
        digest=upload.digest,
        content=upload.content,
        uploaded_at=now,
        facts=dict(upload.facts),
    )
    request.evidence.append(one)
    session.flush()
    return one


def withdraw_request(session: Session, request: AccommodationRequest, *, now: datetime) -> None:
    """The candidate needs nothing any more."""
    _undecided(request)
    request.withdrawn_at = now
    session.flush()


def _undecided(request: AccommodationRequest) -> None:
    if request.withdrawn_at is not None:
        raise Refused(N_("This request was withdrawn."))
    if request.decisions:
        raise Refused(N_("This request was decided. Make a new one if your needs changed."))


def evidence(request: AccommodationRequest, number: int) -> AccommodationEvidence:
    found = next((one for one in request.evidence if one.id == number), None)
    if found is None:
        raise NotFound()
    return found


# ---------------------------------------------------------------- the decision


def decision_terms(competition: Competition) -> Terms:
    """Who approves: the role that the regulation names for accommodations, with those it names for the step."""
    rule = competitions.regulation(competition).admission.accommodations
    terms = competitions.approval_terms(competition, STEP)
    return Terms(tuple(dict.fromkeys((rule.decided_by, *terms.roles))), terms.people, terms.expires)


def propose_accommodation(
    session: Session,
    request: AccommodationRequest,
    *,
    measures: Sequence[str],
    extra: Mapping[str, int],
    reason: str,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Asks a second person to grant these measures (none: to refuse).  ``extra`` maps a seated part to its extra minutes."""
    application = request.application
    competition = application.competition
    regulation = competitions.regulation(competition)
    if request.withdrawn_at is not None or application.withdrawn_at is not None:
        raise Refused(N_("This request was withdrawn."))
    if application.candidate_number is None:
        raise Refused(N_("The candidate has not handed in the file yet."))
    chosen = [one for one in MEASURES if one in measures]
    if len(chosen) != len(set(measures)) or any(one not in regulation.admission.accommodations.kinds for one in chosen):
        raise Refused(N_("The regulation does not provide for this arrangement."), field="measures")
    given = {part: minutes for part, minutes in extra.items() if minutes}
    if bool(given) != (rules.EXTRA in chosen):
        raise Refused(N_("Enter the extra minutes where extra time is granted, and nowhere else."), field="extra")
    most = rules.most_extra(regulation)
    beyond = rules.beyond(given, most)
    if beyond:
        raise Refused(
            N_("More extra time than the regulation allows: %(parts)s."),
            parts=", ".join(f"{part} ≤ {most.get(part, 0)}" for part in beyond),
            field="extra",
        )
    if not reason.strip():
        raise Refused(N_("Write the reason; the candidate will read it."), field="reason")
    rounds.settle(session, competition, now)
    return approvals.ask(
        session,
        kind=DECIDE,
        entry_type="accommodation.decided",
        competition=competition.slug,
        lines=[
            f"{sentence(language, N_('Arrangements for a candidate (confidential)'))}: {application.candidate_number}",
            f"{sentence(language, N_('In'))}: {in_language(competition.title, language)}",
            *(f"– {sentence(language, MEASURES[one])}" for one in chosen),
            *(f"– {part}: +{minutes} {sentence(language, N_('minutes'))}" for part, minutes in sorted(given.items())),
            *([] if chosen else [f"– {sentence(language, N_('nothing is granted'))}"]),
            # the explanation and the reason may be medical; the summary goes into the restricted record, so they stay out of it
            sentence(language, N_("Explanation, evidence and reason stand on the page of the request.")),
        ],
        arguments={"request": request.id, "measures": chosen, "extra": given, "reason": reason.strip()},
        terms=decision_terms(competition),
        by=by,
        now=now,
        barred=(application.account_id,),
    )


@approvals.carries_out(DECIDE)
def carry_out_accommodation(session: Session, approved: Approved) -> None:
    asked = approved.arguments
    request = session.get_one(AccommodationRequest, asked["request"])
    application = request.application
    if request.withdrawn_at is not None or application.withdrawn_at is not None:
        raise Refused(N_("This request was withdrawn."))
    number = 1 + sum(len(one.decisions) for one in application.accommodations)
    decision = AccommodationDecision(
        number=number,
        measures=list(asked["measures"]),
        extra=dict(asked["extra"]),
        reason=asked["reason"],
        at=approved.now,
        approval_id=approved.request_id,
    )
    request.decisions.append(decision)
    session.flush()
    seated = rules.most_extra(competitions.regulation(application.competition))
    record(
        session,
        application.competition.slug,
        "accommodation.decided",
        now=approved.now,
        by=accounts.account(session, approved.last_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        posts=[application.post.code],
        application=application.code,
        accommodation=Sealed(
            {
                "application": application.code,
                "decision": number,
                "measures": rules.measure_codes(decision.measures, decision.extra),
                "extra_seconds": min((decision.extra.get(part, 0) for part in seated), default=0) * 60,
                "reason": decision.reason,
            },
            subject=application.account.code,
        ),
    )
    notices.accommodation_decided(session, application, decision, MEASURES, approved.now)
