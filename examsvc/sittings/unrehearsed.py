"""A sitting whose sealed paper nobody rehearsed opening, though the regulation asks for it: it begins only by a reasoned decision of two."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, ask, carries_out, line, waiting
from examsvc.accounts.models import ApprovalRequest
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.ledger.operations import Sealed, record
from examsvc.papers import custody_rehearsal
from examsvc.papers import queries as papers
from examsvc.sittings import scope
from examsvc.sittings.models import Sitting

KIND = "sittings.unrehearsed"
STEP = "intervene"


def missed(session: Session, sitting: Sitting) -> bool:
    """Whether the regulation asks for a rehearsal, and those who hold the shares of the stage's papers have not opened a dummy."""
    competition = sitting.competition
    rules = competitions.regulation(competition)
    if not rules.paper.rehearsal_days or rules.paper.custodians < 2:
        return False
    named = papers.custodians(session, competition.id, rules.stage_of(sitting.part).id)
    return named is not None and not custody_rehearsal.rehearsed(session, competition.id, named)


def bars(session: Session, sitting: Sitting) -> bool:
    """Whether the attempts must not be made ready: no rehearsal, and nobody has decided to go on without one."""
    return sitting.unrehearsed_at is None and missed(session, sitting)


def asked(session: Session, sitting: Sitting, now: datetime) -> ApprovalRequest | None:
    """The request that waits for its second approval."""
    found = waiting(session, sitting.competition.slug, now)
    return next((one for one in found if one.kind == KIND and one.arguments["sitting"] == sitting.id), None)


def ask_to_go_on(
    session: Session, sitting: Sitting, *, number: str, reason: str, by: int, now: datetime, zone: ZoneInfo, language: str = "vi"
) -> ApprovalRequest:
    """Asks to hold the sitting although the opening was not rehearsed; ``number`` is the decision's, approved by a second person."""
    if not bars(session, sitting) or sitting.prepared_at is not None:
        raise Refused(N_("This sitting needs no such decision."))
    if not number.strip():
        raise Refused(N_("Enter the number of the decision."), field="number")
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    return ask(
        session,
        kind=KIND,
        entry_type="decision.continued",
        competition=sitting.competition.slug,
        lines=[
            line(language, N_("Hold the sitting without a rehearsal of the opening of its paper"), sitting.code),
            line(language, N_("Decision"), number.strip()),
            line(language, N_("Reason"), reason.strip()),
        ],
        arguments={
            "sitting": sitting.id,
            "number": number.strip(),
            "reason": reason.strip(),
            "date": now.astimezone(zone).date().isoformat(),
        },
        terms=competitions.approval_terms(sitting.competition, STEP),
        by=by,
        now=now,
    )


@carries_out(KIND)
def _go_on(session: Session, approved: Approved) -> None:
    given = approved.arguments
    sitting = session.get_one(Sitting, int(given["sitting"]))
    if not bars(session, sitting):
        raise Refused(N_("This sitting needs no such decision."))
    sitting.unrehearsed_at = approved.now
    session.flush()
    frame = scope.of_sitting(sitting)
    by = accounts.account(session, approved.asked_by)
    record(
        session,
        sitting.competition.slug,
        "decision.continued",
        now=approved.now,
        by=by.code,
        approvals=approved.approvals,
        summary=approved.summary,
        posts=frame["posts"],
        level="sitting",
        stage=frame["stage"],
        sitting=sitting.code,
        part=sitting.part,
        decision=Sealed(
            {
                "number": given["number"],
                "date": given["date"],
                "authority": by.name,
                "clause": "paper.rehearsal_days",
                "reason": given["reason"],
            }
        ),
    )
