"""A member of a panel steps aside or is absent at one hearing: a substitute comes in, the panel keeps its size."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts import relations
from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.ledger.operations import Sealed, record
from examsvc.marking import hearings, scope
from examsvc.marking.models import PanelSeat


def ask_substitution(
    session: Session, seat: PanelSeat, *, reason: str, by: int, now: datetime, language: str = "vi"
) -> None:
    """Asks to replace a member at one hearing; the panel keeps its size.

    A member who asks for himself steps aside for this candidate: that is a recusal, it holds at once and everywhere, and two others approve
    the substitution.
    """
    hearing = seat.hearing
    if hearing.state != "listed":
        raise Refused(N_("The hearing has begun; its panel can no longer change."))
    if seat.recused_at is not None:
        raise Refused(N_("This member was replaced already."))
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    own = by == seat.member_id
    if own:
        relations.recuse(
            session,
            hearing.competition.slug,
            seat.member_id,
            hearing.application.account_id,
            reason=reason.strip(),
            now=now,
            language=language,
        )
    successor = substitute(session, seat, now)
    ask(
        session,
        kind="marking.substitute",
        entry_type="hearing.substituted",
        competition=hearing.competition.slug,
        lines=[
            line(language, N_("Replace a member of the panel"), seat.member.name),
            line(
                language,
                N_("At the hearing"),
                f"{hearing.place}, {scope.part_name(hearing.competition, hearing.part, language)}",
            ),
            line(language, N_("First in reserve"), accounts.account(session, successor).name),
            line(language, N_("Reason"), reason.strip()),
        ],
        arguments={"seat": seat.id, "reason": reason.strip()},
        terms=competitions.approval_terms(hearing.competition, "replace-panel-member"),
        by=by,
        now=now,
        asker_approves=not own,
        barred=(seat.member_id,),
    )


def substitute(session: Session, seat: PanelSeat, now: datetime) -> int:
    """The first holder of the role who does not sit at this hearing and is not recused; Refused when there is none."""
    hearing = seat.hearing
    taken = {one.member_id for one in hearing.members}
    for account in accounts.holders(session, "panel-member", hearing.competition.slug, now):
        if account.id in taken:
            continue
        if hearing.application.account_id in accounts.recused(session, hearing.competition.slug, account.id):
            continue
        return account.id
    raise Refused(N_("No substitute is left for this panel. Grant the role to another person first."))


@carries_out("marking.substitute")
def _substitute(session: Session, approved: Approved) -> None:
    seat = session.get_one(PanelSeat, approved.arguments["seat"])
    hearing = seat.hearing
    if seat.recused_at is not None or hearing.state != "listed":
        raise Refused(N_("The hearing has begun; its panel can no longer change."))
    successor = substitute(session, seat, approved.now)
    seat.recused_at, seat.reason = approved.now, str(approved.arguments["reason"])
    session.add(PanelSeat(hearing_id=hearing.id, member_id=successor))
    session.flush()
    session.expire(hearing, ["members"])
    body: dict[str, Any] = {
        "from": seat.member.code,
        "to": scope.actor(session, successor),
        "reason": Sealed({"text": seat.reason}),
    }
    record(
        session,
        hearing.competition.slug,
        "hearing.substituted",
        now=approved.now,
        by=scope.actor(session, approved.asked_by),
        approvals=approved.approvals,
        summary=approved.summary,
        **hearings.frame_of(hearing),
        **body,
    )
