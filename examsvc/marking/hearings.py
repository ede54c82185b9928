"""Hearings of action plans: drawn order, timers, independent sheets, outliers, recusal with substitution."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.accounts.models import Account
from examsvc.applications import queries as applications
from examsvc.applications.models import Application, FileVersion
from examsvc.base import messages
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import both
from examsvc.competitions import drawing
from examsvc.competitions import queries as competitions
from examsvc.competitions.exam_clauses import PanelPart
from examsvc.competitions.marking_clauses import Panel, SheetCriterion
from examsvc.competitions.models import Competition
from examsvc.competitions.terms import Label, write_exact
from examsvc.ledger import drawing as draws
from examsvc.ledger.draw_records import DrawRecord
from examsvc.ledger.operations import Sealed, record
from examsvc.marking import queries, rules, scope
from examsvc.marking.models import Hearing, HearingSettlement, PanelSeat, PanelSheet

MARK = N_("Mark")
ABSENCES = {
    "no_show": N_("Did not come"),
    "late": N_("Came too late"),
    "refused": N_("Refused to be heard"),
    "withdrawn": N_("Withdrew"),
}
"""Why there is no hearing, in the ledger's words and a reader's."""


def panel_of(hearing: Hearing) -> Panel:
    """The panel's rules; where the regulation names no criteria the sheet has one line, the part's mark."""
    regulation = competitions.regulation(hearing.competition)
    part = part_of(hearing)
    panel = regulation.panel_of(part)
    if panel.criteria:
        return panel
    whole = SheetCriterion(id="mark", label=Label(**both(MARK)), maximum=part.maximum)
    return panel.model_copy(update={"criteria": (whole,)})


def part_of(hearing: Hearing) -> PanelPart:
    part = competitions.regulation(hearing.competition).part(hearing.part)
    if not isinstance(part, PanelPart):
        raise NotFound()
    return part


def seatable(
    session: Session, competition: Competition, candidates: Sequence[Application], now: datetime
) -> list[tuple[Account, int]]:
    """Holders of the role panel-member, each with the number of these candidates at whose hearing he or she may not sit; those who may
    sit at all of them first."""
    wanted = {one.account_id for one in candidates}
    found = [
        (one, len(wanted & accounts.recused(session, competition.slug, one.id)))
        for one in accounts.holders(session, "panel-member", competition.slug, now)
    ]
    return sorted(found, key=lambda pair: (pair[1], pair[0].id))


def ask_order(
    session: Session,
    competition: Competition,
    *,
    part: str,
    candidates: Sequence[Application],
    members: Sequence[int] | None = None,
    by: int,
    now: datetime,
    language: str = "vi",
) -> None:
    """Asks to draw the order of the hearings and to seat these members at all of them; a second person approves.

    Without ``members`` those sit who are recused for the fewest candidates.  Whoever else holds the role is in reserve.
    """
    regulation = competitions.regulation(competition)
    rule = regulation.part(part)
    if not isinstance(rule, PanelPart):
        raise NotFound()
    panel = regulation.panel_of(rule)
    if queries.hearings(session, competition.id, part):
        raise Refused(N_("The order of these hearings is drawn already."))
    drawing.require_free(session, competition, "order", part)
    if not candidates:
        raise Refused(N_("Nobody has come as far as this part."))
    holders = [account for account, _ in seatable(session, competition, candidates, now)]
    if len(holders) < panel.members:
        raise Refused(
            N_("The regulation asks for a panel of %(needed)d; only %(found)d hold the role."),
            needed=panel.members,
            found=len(holders),
        )
    chosen = holders[: panel.members] if members is None else [one for one in holders if one.id in set(members)]
    if len(chosen) != panel.members:
        raise Refused(
            N_("Choose exactly %(needed)d members; the regulation gives the panel this size."),
            needed=panel.members,
            field="members",
        )
    how, given = drawing.terms(session, competition, "order", now=now, language=language)
    ask(
        session,
        kind="marking.order",
        entry_type="draw.announced",
        competition=competition.slug,
        lines=[
            line(language, N_("Draw the order of the hearings of the part"), scope.part_name(competition, part, language)),
            line(language, N_("Panel"), ", ".join(member.name for member in chosen)),
            line(language, N_("Candidates"), ", ".join(sorted(one.candidate_number or "" for one in candidates))),
            *how,
        ],
        arguments={
            "part": part,
            "candidates": [one.id for one in candidates],
            "members": [one.id for one in chosen],
            **given,
        },
        terms=competitions.approval_terms(competition, "hold-draw"),
        by=by,
        now=now,
    )


@carries_out("marking.order")
def _draw_order(session: Session, approved: Approved) -> None:
    competition = competitions.competition(session, approved.competition)
    part = str(approved.arguments["part"])
    if queries.hearings(session, competition.id, part):
        raise Refused(N_("The order of these hearings is drawn already."))
    candidates = [session.get_one(Application, number) for number in approved.arguments["candidates"]]
    frame = scope.of_part(competition, part, [one.post.code for one in candidates])
    drawing.hold(
        session,
        competition,
        approved,
        purpose="order",
        posts=frame["posts"],
        stage=frame["stage"],
        about=draws.About(
            part,
            {
                "competition": competition.id,
                "part": part,
                "candidates": [one.id for one in candidates],
                "members": list(approved.arguments["members"]),
            },
            "permutation",
            {"items": sorted(one.candidate_number or "" for one in candidates)},
        ),
    )


def order_draw(session: Session, competition: Competition, part: str) -> DrawRecord | None:
    """The newest draw of the order of a part's hearings, as the log tells it."""
    return draws.newest(session, competition.slug, "order", part)


@draws.when_drawn("order")
def _list_hearings(session: Session, log: str, held: draws.Held, now: datetime) -> None:
    """Lists the hearings in the drawn order and tells everybody."""
    competition = session.get_one(Competition, int(held.arguments["competition"]))
    part = str(held.arguments["part"])
    candidates = {
        (one.candidate_number or ""): one
        for one in (session.get_one(Application, number) for number in held.arguments["candidates"])
    }
    rule = competitions.regulation(competition).part(part)
    for place, number in enumerate(held.result, start=1):
        application = candidates[number]
        hearing = Hearing(
            code=secrets.token_hex(6),
            competition_id=competition.id,
            part=part,
            application_id=application.id,
            place=place,
            draw=held.code,
        )
        hearing.members = [PanelSeat(member_id=member) for member in held.arguments["members"]]
        session.add(hearing)
        session.flush()
        record(
            session,
            competition.slug,
            "hearing.listed",
            now=now,
            by=scope.actor(session, int(held.arguments["by"])),
            **scope.of_part(competition, part, [application.post.code]),
            hearing=hearing.code,
            place=place,
            draw=held.code,
            candidate=Sealed(
                {"hearing": hearing.code, "candidate": number}, subject=application.account.code
            ),
            panel=sorted(one.member.code for one in hearing.members),
        )
        _tell(session, application, GOES_ON, now=now, part=rule.label.model_dump(), place=place, of=len(held.result))
    for application in applications.eligible(session, competition.id):
        if application.id not in {one.id for one in candidates.values()}:
            _tell(session, application, STAYS, now=now, part=rule.label.model_dump())


GOES_ON = N_(
    "You go on to the part “%(part)s”. The order was drawn in public: your place is %(place)d of %(of)d. The summons tells day and hour."
)
STAYS = N_(
    "You do not go on to the part “%(part)s”: what the regulation asks before it was not reached. When the result is published you see your"
    " marks, how each came about, and until when you may contest them."
)


def _tell(session: Session, application: Application, text: str, *, now: datetime, **names: Any) -> None:
    messages.send(
        session,
        account_id=application.account_id,
        competition=application.competition.slug,
        subject=both(N_("Who goes on is decided")),
        body=both(text, **names),
        now=now,
    )


def frame_of(hearing: Hearing) -> dict[str, Any]:
    """What every entry about a hearing says: stage, post and the hearing's code."""
    frame = scope.of_part(hearing.competition, hearing.part, [hearing.application.post.code])
    return {**frame, "hearing": hearing.code}


def begin(session: Session, hearing: Hearing, *, by: int, now: datetime) -> None:
    """The candidate begins: preparation first where the regulation gives some, then the presentation."""
    scope.require_open(session, hearing.competition, hearing.part)
    if hearing.state != "listed":
        raise Refused(N_("This hearing has begun already or is over."))
    blocked = [
        one.member.name
        for one in queries.sitting_members(hearing)
        if hearing.application.account_id in accounts.recused(session, hearing.competition.slug, one.member_id)
    ]
    if blocked:
        raise Refused(
            N_("%(names)s must step aside for this candidate. Replace this member first."), names=", ".join(blocked)
        )
    if len(queries.sitting_members(hearing)) != panel_of(hearing).members:
        raise Refused(N_("The panel is not complete. Replace the missing member first."))
    hearing.state = "running"
    if part_of(hearing).preparation_minutes:
        hearing.preparation_at = now
    else:
        hearing.presentation_at = now
    session.flush()
    plans = [one.plan_version for one in hearing.application.submissions if one.plan_version is not None]
    record(
        session,
        hearing.competition.slug,
        "hearing.begun",
        now=now,
        by=scope.actor(session, by),
        **frame_of(hearing),
        plan=plans[-1] if plans and part_of(hearing).file is not None else None,
    )


def defended(session: Session, hearing: Hearing) -> FileVersion | None:
    """The file that is defended, as handed in last; None where the part has none."""
    kind = part_of(hearing).file
    return applications.handed_in_files(session, hearing.application).get(kind) if kind is not None else None


def next_step(session: Session, hearing: Hearing, *, by: int, now: datetime) -> str:
    """Goes on to the presentation, the questions or the end; returns what was begun."""
    if hearing.state != "running":
        raise Refused(N_("This hearing is not running."))
    if hearing.presentation_at is None:
        hearing.presentation_at = now
        step = "presentation"
    elif hearing.questions_at is None:
        hearing.questions_at = now
        step = "questions"
    else:
        hearing.ended_at, hearing.state = now, "ended"
        step = "ended"
    session.flush()
    if step == "ended" and hearing.presentation_at and hearing.questions_at:
        record(
            session,
            hearing.competition.slug,
            "hearing.ended",
            now=now,
            by=scope.actor(session, by),
            **frame_of(hearing),
            presentation=int((hearing.questions_at - hearing.presentation_at).total_seconds()),
            questions=int((now - hearing.questions_at).total_seconds()),
        )
        _show_when_complete(session, hearing, now)
    return step


def mark_absent(session: Session, hearing: Hearing, *, cause: str, by: int, now: datetime) -> None:
    """There is no hearing of this candidate; ``cause`` is one of `ABSENCES`."""
    scope.require_open(session, hearing.competition, hearing.part)
    if cause not in ABSENCES:
        raise Refused(N_("Say why there is no hearing."), field="cause")
    if hearing.state != "listed":
        raise Refused(N_("This hearing has begun already or is over."))
    hearing.state = "absent"
    session.flush()
    record(
        session,
        hearing.competition.slug,
        "hearing.absent",
        now=now,
        by=scope.actor(session, by),
        **frame_of(hearing),
        cause=cause,
    )


def keep_draft(session: Session, seat: PanelSeat, *, draft: Mapping[str, Any], by: int) -> None:
    """Keeps what a member has typed so far; nobody else sees it."""
    _mine(seat, by)
    if not seat.sheets:
        seat.draft = {str(key)[:80]: str(value)[:8000] for key, value in list(draft.items())[:80]}
        session.flush()


def _mine(seat: PanelSeat, account_id: int) -> None:
    if seat.member_id != account_id or seat.recused_at is not None:
        raise NotFound()


def hand_in(
    session: Session,
    seat: PanelSeat,
    *,
    criteria: Mapping[str, str],
    comments: Mapping[str, str],
    by: int,
    now: datetime,
) -> PanelSheet:
    """A member's sheet, criterion by criterion, before any other is shown."""
    _mine(seat, by)
    hearing = seat.hearing
    scope.require_open(session, hearing.competition, hearing.part)
    if hearing.state not in ("running", "ended"):
        raise Refused(N_("Sheets are handed in while the hearing runs, or right after it."))
    if seat.sheets:
        raise Refused(N_("Your sheet is in. It is shown to the panel when all sheets are in."))
    panel = panel_of(hearing)
    given: dict[str, Fraction] = {}
    for criterion in panel.criteria:
        text = str(criteria.get(criterion.id, ""))
        label = criterion.label.vi
        if not text.strip():
            raise Refused(N_("Give a mark for %(what)s."), what=label, field=criterion.id)
        given[criterion.id] = rules.read_mark(
            text, criterion.maximum, panel.mark_step, what=label, field=criterion.id
        )
    sheet = PanelSheet(
        version=1,
        criteria={name: write_exact(mark) for name, mark in given.items()},
        comments={name: text for name, text in comments.items() if name in given and text.strip()},
        total=write_exact(sum(given.values(), Fraction(0))),
        at=now,
    )
    seat.sheets.append(sheet)
    seat.draft = None
    session.flush()
    rows = []
    for name, mark in given.items():
        row: dict[str, Any] = {"criterion": name, "mark": rules.decimal(mark)}
        if sheet.comments.get(name):
            row["comment"] = sheet.comments[name]
        rows.append(row)
    record(
        session,
        hearing.competition.slug,
        "hearing.marked",
        now=now,
        by=seat.member.code,
        **frame_of(hearing),
        member=seat.member.code,
        version=1,
        sheet=Sealed(
            {
                "hearing": hearing.code,
                "member": seat.member.code,
                "version": 1,
                "criteria": rows,
                "total": rules.decimal(Fraction(sheet.total)),
            },
            subject=hearing.application.account.code,
        ),
    )
    _show_when_complete(session, hearing, now)
    return sheet


def _show_when_complete(session: Session, hearing: Hearing, now: datetime) -> None:
    """Once the hearing is over and every sheet is in, the panel sees them all, and the mark is settled."""
    if hearing.state != "ended":
        return
    seats = queries.sitting_members(hearing)
    if any(not one.sheets for one in seats):
        return
    hearing.state, hearing.shown_at = "shown", now
    session.flush()
    record(
        session,
        hearing.competition.slug,
        "hearing.shown",
        now=now,
        **frame_of(hearing),
        members=len(seats),
        at=seconds(now),
    )
    panel = panel_of(hearing)
    far = rules.outliers(panel, totals_of(hearing))
    if not far or panel.outlier is None or panel.outlier.action != "explain-with-record":
        settle(session, hearing, now=now)


def totals_of(hearing: Hearing) -> dict[str, Fraction]:
    """Each member's total by code."""
    return {
        one.member.code: Fraction(one.sheets[-1].total) for one in queries.sitting_members(hearing) if one.sheets
    }


def explain(session: Session, seat: PanelSeat, *, text: str, by: int, now: datetime) -> None:
    """A member whose sheet lies far from the others' explains it in writing; the mark stands."""
    _mine(seat, by)
    hearing = seat.hearing
    if hearing.state != "shown" or seat.member.code not in rules.outliers(panel_of(hearing), totals_of(hearing)):
        raise Refused(N_("No explanation is asked of you for this hearing."))
    if not text.strip():
        raise Refused(N_("Write the reason; it goes into the record."), field="text")
    seat.sheets[-1].explanation = text
    session.flush()
    missing = [
        one
        for one in queries.sitting_members(hearing)
        if one.member.code in rules.outliers(panel_of(hearing), totals_of(hearing)) and not one.sheets[-1].explanation
    ]
    if not missing:
        settle(session, hearing, now=now)


def settle(session: Session, hearing: Hearing, *, now: datetime) -> Fraction:
    """The panel's mark by the regulation's rule."""
    panel = panel_of(hearing)
    regulation = competitions.regulation(hearing.competition)
    totals = totals_of(hearing)
    found = rules.panel_mark(panel, regulation.rounding, totals)
    explanations = [
        f"{one.member.code}: {one.sheets[-1].explanation}"
        for one in queries.sitting_members(hearing)
        if one.sheets[-1].explanation
    ]
    manner = "trimmed" if found.dropped else "mean"
    settlement = HearingSettlement(
        hearing_id=hearing.id,
        version=len(hearing.settlements) + 1,
        mark=write_exact(found.mark),
        manner=manner,
        details={
            "counted": list(found.counted),
            "dropped": list(found.dropped),
            "outliers": list(found.outliers),
            "rule": found.rule,
        },
        reason="; ".join(explanations) or None,
        at=now,
    )
    hearing.settlements.append(settlement)
    hearing.state = "settled"
    session.flush()
    content: dict[str, Any] = {
        "hearing": hearing.code,
        "marks": [rules.decimal(totals[code]) for code in sorted(totals)],
        "rule": f"{found.rule}; left out: {', '.join(found.dropped) or 'none'}",
        "mark": rules.decimal(found.mark),
    }
    if settlement.reason:
        content["reason"] = settlement.reason
    record(
        session,
        hearing.competition.slug,
        "hearing.settled",
        now=now,
        **frame_of(hearing),
        version=settlement.version,
        manner=manner,
        settlement=Sealed(content, subject=hearing.application.account.code),
    )
    return found.mark
