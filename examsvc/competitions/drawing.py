"""Draws by the regulation's rule: one way to ask for them, to hold them, and to declare one void.

A room says what is drawn from and what is to follow (``ledger.drawing.when_drawn``); the regulation says how.  With the method "server"
the draw is made when two people have approved it; with "steps" it is announced then, and goes on from page to page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.accounts.models import Account, ApprovalRequest
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import moment, sentence
from examsvc.competitions import queries
from examsvc.competitions.draw_clauses import DrawRule, OutsideValue
from examsvc.competitions.models import Competition
from examsvc.competitions.wording_procedure import DRAWN
from examsvc.ledger import drawing
from examsvc.ledger.draw_records import DrawRecord, draw_of
from examsvc.ledger.drawing import About

STEP = "hold-draw"
VOID = "competitions.void-draw"
CAUSES: Mapping[str, str] = {
    "withheld": N_("a secret number was withheld"),
    "invalid": N_("a secret number was not the one committed to"),
    "late": N_("the steps came too late"),
    "source": N_("the outside value was not published as announced"),
}
"""Why a draw becomes void; the first two name who is at fault."""
BY_NAME = ("withheld", "invalid")


def method(competition: Competition, purpose: str) -> str:
    """"steps", "server" or "none"; where the regulation says nothing, papers and seats are not drawn, all else by the server."""
    rule = queries.regulation(competition).draw(purpose)
    if rule is not None:
        return rule.method
    return "none" if purpose in ("assembly", "seats") else "server"


def participants(session: Session, competition: Competition, rule: DrawRule, now: datetime) -> list[Account]:
    """Everybody who gives a secret number: the holders of the rule's roles in this competition."""
    found = {
        one.id: one for role in rule.participants for one in accounts.holders(session, role, competition.slug, now)
    }
    return sorted(found.values(), key=lambda one: one.code)


def terms(
    session: Session,
    competition: Competition,
    purpose: str,
    *,
    people: Sequence[Account] | None = None,
    now: datetime,
    language: str,
) -> tuple[list[str], dict[str, Any]]:
    """Lines of the summary that say how it is drawn, and what of it goes into the arguments of the request.

    ``people`` take the place of the holders of the rule's roles.  Refused when nobody holds them.
    """
    rule = queries.regulation(competition).draw(purpose)
    if rule is None or rule.method != "steps" or rule.outside is None:
        return [sentence(language, N_("The computer draws as soon as this is approved."))], {}
    named = list(people) if people is not None else participants(session, competition, rule, now)
    if len(named) < 2:
        raise Refused(
            N_("Fewer than two people hold the roles that give a secret number in this draw. Grant the roles first.")
        )
    out = rule.outside.next(now)
    lines = [
        line(language, N_("Each gives a secret number"), ", ".join(one.name for one in named)),
        line(language, N_("Outside value"), source(rule.outside, language)),
        line(language, N_("Published"), _published(rule.outside, out)),
    ]
    return lines, {"published": int(out.timestamp()), "participants": [one.code for one in named]}


def source(out: OutsideValue, language: str) -> str:
    """The outside value in one language: what, by whom, where."""
    return "; ".join(label.in_language(language) for label in (out.what, out.publisher, out.place))


def _published(out: OutsideValue, at: datetime) -> str:
    zone = out.known_zone
    assert zone is not None
    return f"{moment(at, zone)} ({out.zone})"


def require_free(session: Session, competition: Competition, purpose: str, subject: str) -> None:
    """Refused while a draw about this thing goes on."""
    found = drawing.newest(session, competition.slug, purpose, subject)
    if found is not None and found.state not in ("drawn", "void"):
        raise Refused(N_("This is being drawn already. Follow the draw on its page, or have it declared void."))


def hold(
    session: Session,
    competition: Competition,
    approved: Approved,
    *,
    purpose: str,
    posts: Sequence[str],
    stage: str | None,
    about: About,
) -> str:
    """Holds the draw that two people approved, or announces it, as the regulation says; the code of the draw."""
    require_free(session, competition, purpose, about.subject)
    by = accounts.account(session, approved.asked_by).code
    common: dict[str, Any] = {
        "purpose": purpose,
        "posts": posts,
        "stage": stage,
        "by": by,
        "approvals": approved.approvals,
        "summary": approved.summary,
        "now": approved.now,
        "about": About(
            about.subject, {**about.arguments, "by": approved.asked_by}, about.task, about.parameters
        ),
    }
    rule = queries.regulation(competition).draw(purpose)
    if rule is not None and rule.method == "steps" and rule.outside is not None:
        published = datetime.fromtimestamp(int(approved.arguments["published"]), approved.now.tzinfo)
        return drawing.announce(
            session,
            competition.slug,
            participants=[str(one) for one in approved.arguments["participants"]],
            source=" / ".join(source(rule.outside, language) for language in ("vi", "en")),
            published=published,
            **common,
        )
    assert about.task is not None
    return drawing.hold_draw(
        session,
        competition.slug,
        task=about.task,
        parameters=about.parameters or {},
        participants=[code for code, _ in approved.approvals],
        **common,
    ).code


# -------------------------------------------------------------------------------- a draw that cannot be completed


def standing(session: Session, competition: Competition, draw: str) -> DrawRecord:
    """A draw by steps that is neither made nor void; NotFound, or Refused when it is over."""
    found = draw_of(session, competition.slug, draw)
    if found is None or found.by_server:
        raise NotFound()
    if found.state in ("drawn", "void"):
        raise Refused(N_("This draw is over."))
    return found


FIXED_IN_TIME = N_("What is drawn from was fixed in time. If a secret number is missing, name whose; otherwise read the outside value.")


def causes(found: DrawRecord) -> Mapping[str, str]:
    """The causes for which this draw can become void now.

    Once the inputs are fixed, only a missing number or the outside value itself stands in the way: else whoever knows both could have a result that he
    dislikes declared void.
    """
    return {cause: text for cause, text in CAUSES.items() if cause != "late" or found.fixed is None}


def at_fault(found: DrawRecord) -> list[str]:
    """Codes of those whose number is still missing: a commitment, or after the inputs were fixed the number itself."""
    return [one.code for one in found.participants if one.commitment is None or (found.fixed is not None and one.nonce is None)]


def ask_void(
    session: Session,
    competition: Competition,
    draw: str,
    *,
    cause: str,
    person: str | None,
    reason: str,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Asks to declare a draw void; a second person approves.  Whoever withheld a number or gave a wrong one is named."""
    found = standing(session, competition, draw)
    if cause not in CAUSES:
        raise Refused(N_("Choose the cause."), field="cause")
    if cause not in causes(found):
        raise Refused(FIXED_IN_TIME, field="cause")
    if not reason.strip():
        raise Refused(N_("Write what happened; it goes into the record."), field="reason")
    if cause in BY_NAME:
        if person not in at_fault(found):
            raise Refused(N_("Choose whose secret number is missing. Whoever has handed it in is not at fault."), field="person")
    else:
        person = None
    if cause in ("source", "withheld") and (found.published is None or now < found.published):
        raise Refused(N_("The outside value is not due yet; until then everybody has time. Wait for it, or give another cause."), field="cause")
    named = accounts.by_code(session, person) if person is not None else None
    return ask(
        session,
        kind=VOID,
        entry_type="draw.voided",
        competition=competition.slug,
        lines=[
            line(language, N_("Declare this draw void"), f"{found.code} ({sentence(language, DRAWN.get(found.purpose, found.purpose))})"),
            line(language, N_("Cause"), sentence(language, CAUSES[cause])),
            *([line(language, N_("At fault"), named.name)] if named is not None else []),
            line(language, N_("Reason"), reason.strip()),
        ],
        arguments={"draw": draw, "cause": cause, "person": person, "reason": reason.strip()},
        terms=queries.approval_terms(competition, STEP),
        by=by,
        now=now,
        barred=[named.id] if named is not None else [],
    )


@carries_out(VOID)
def _void(session: Session, approved: Approved) -> None:
    competition = queries.competition(session, approved.competition)
    given = approved.arguments
    found = standing(session, competition, str(given["draw"]))
    if given["person"] is not None and given["person"] not in at_fault(found):
        raise Refused(N_("The missing number has come in meanwhile. The draw goes on."))
    if given["cause"] not in causes(found):
        raise Refused(FIXED_IN_TIME)
    drawing.void(
        session,
        competition.slug,
        found.code,
        cause=str(given["cause"]),
        person=given["person"],
        reason=str(given["reason"]),
        by=accounts.account(session, approved.asked_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        now=approved.now,
    )
