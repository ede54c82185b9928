"""Markers in groups, scripts given back, and who takes over: always the next that the allocation's own draw yields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts import relations
from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.accounts.models import Account
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.marking_clauses import MarkingScheme
from examsvc.competitions.models import Competition
from examsvc.ledger import draws
from examsvc.ledger.drawing import seed_of
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry, Opening
from examsvc.ledger.operations import record
from examsvc.marking import queries, scope
from examsvc.marking.models import Allocation, MarkerGroup, Script

CAUSES = {
    "recognised": N_("Recognised the script"),
    "recusal": N_("Recused"),
    "absence": N_("Absent"),
    "measure": N_("A measure of the council"),
}
"""Why a marker is replaced, in the ledger's words and a reader's."""
THIRD = 3
"""The round of the third mark: drawn with the others, called when the regulation asks for it."""
RECOGNISED = N_("Recognised a script of this candidate while marking")


def entered_groups(session: Session, competition: Competition) -> dict[int, str]:
    """The group of each marker as entered, by account."""
    rows = session.scalars(select(MarkerGroup).where(MarkerGroup.competition_id == competition.id))
    return {row.marker_id: row.name for row in rows}


def groups_of(session: Session, competition: Competition, scheme: MarkingScheme, now: datetime) -> dict[str, str]:
    """Group of every marker by code: as entered where the regulation asks for different groups, else each his own."""
    entered = entered_groups(session, competition)
    found = {}
    for account in accounts.holders(session, "marker", competition.slug, now):
        if scheme.different_groups:
            if account.id not in entered:
                raise Refused(N_("Enter the group of the marker %(name)s first."), name=account.name)
            found[account.code] = f"group-{entered[account.id]}"
        else:
            found[account.code] = account.code
    return found


def set_groups(session: Session, competition: Competition, *, names: dict[int, str], now: datetime) -> None:
    """Puts markers into groups, before the draw.  ``names`` maps accounts to short names of letters and digits."""
    if any(one.allocations for part in _written(competition) for one in queries.scripts(session, competition.id, part)):
        raise Refused(N_("The scripts are drawn already; the groups of the markers stand."))
    markers = {one.id: one for one in accounts.holders(session, "marker", competition.slug, now)}
    rows = {
        row.marker_id: row
        for row in session.scalars(select(MarkerGroup).where(MarkerGroup.competition_id == competition.id))
    }
    for marker_id, name in names.items():
        if marker_id not in markers:
            raise NotFound()
        if not name.isascii() or not name.isalnum() or len(name) > 20:
            raise Refused(
                N_("%(name)s: name the group by up to 20 letters without marks, or digits."),
                name=markers[marker_id].name,
                field=f"group-{marker_id}",
            )
        if marker_id in rows:
            rows[marker_id].name = name
        else:
            session.add(MarkerGroup(competition_id=competition.id, marker_id=marker_id, name=name))
    session.flush()


def _written(competition: Competition) -> list[str]:
    return [part.id for part in competitions.regulation(competition).parts if part.kind in ("essay", "plan")]


def recognise(session: Session, allocation: Allocation, *, by: int, now: datetime) -> None:
    """The marker recognises whose script it is: it leaves the desk at once, unmarked, and waits for a replacement.

    So does every other unmarked script of the same writer.  The recusal that this is gets on record when the code map is
    open (`recuse_those_who_recognised`): to ask for it now would put a name beside a script code.
    """
    if allocation.marker_id != by or allocation.replaced_at is not None:
        raise NotFound()
    if allocation.sheet is not None:
        raise Refused(N_("You have marked this script already. Tell the chief examiner."))
    allocation.recognised_at = now
    allocation.draft = None
    session.flush()


def recuse_those_who_recognised(session: Session, scripts: list[Script], now: datetime) -> None:
    """With the code map open, a recognised script becomes what it is: its marker takes no part where this candidate is concerned,
    on the panel and in the council too."""
    for script in scripts:
        for one in script.allocations:
            if one.recognised_at is not None:
                relations.recuse(
                    session,
                    script.competition.slug,
                    one.marker_id,
                    script.application.account_id,
                    reason=RECOGNISED,
                    now=now,
                )


def ask_replacement(
    session: Session, allocation: Allocation, *, cause: str, by: int, now: datetime, language: str = "vi"
) -> None:
    """Asks to give a script to the next marker that the allocation's own draw yields; a second person approves."""
    script = allocation.script
    scope.require_open(session, script.competition, script.part)
    _replaceable(allocation)
    if cause not in CAUSES:
        raise Refused(N_("Say why the marker is replaced."), field="cause")
    successors(session, script, allocation, cause, now)
    ask(
        session,
        kind="marking.replace",
        entry_type="script.reallocated",
        competition=script.competition.slug,
        lines=[
            line(language, N_("Give a script to the next marker of its draw"), script.code),
            line(language, N_("Round"), str(allocation.round)),
            line(language, N_("Cause"), sentence(language, CAUSES[cause])),
        ],
        arguments={"allocation": allocation.id, "cause": cause},
        terms=competitions.approval_terms(script.competition, "reallocate-script"),
        by=by,
        now=now,
    )


def _replaceable(allocation: Allocation) -> None:
    if allocation.replaced_at is not None:
        raise Refused(N_("This marker was replaced already."))
    if allocation.sheet is not None:
        raise Refused(N_("This marker has handed in a mark; it stands."))


@carries_out("marking.replace")
def _replace(session: Session, approved: Approved) -> None:
    allocation = session.get_one(Allocation, approved.arguments["allocation"])
    script, cause = allocation.script, str(approved.arguments["cause"])
    scope.require_open(session, script.competition, script.part)
    _replaceable(allocation)
    for successor, because in successors(session, script, allocation, cause, approved.now):
        allocation.replaced_at, allocation.cause = approved.now, because
        follower = Allocation(
            script_id=script.id,
            marker_id=successor.id,
            round=allocation.round,
            draw=allocation.draw,
            drawn_at=approved.now,
            called_at=allocation.called_at,
        )
        session.add(follower)
        session.flush()
        people: dict[str, Any] = {"from": allocation.marker.code, "to": successor.code}
        record(
            session,
            script.competition.slug,
            "script.reallocated",
            now=approved.now,
            by=scope.actor(session, approved.asked_by),
            approvals=approved.approvals,
            summary=approved.summary,
            **scope.of_part(script.competition, script.part, [script.post]),
            script=script.code,
            round=allocation.round,
            cause=because,
            **people,
        )
        allocation = follower
    session.expire(script, ["allocations"])


def successors(
    session: Session, script: Script, leaving: Allocation, cause: str, now: datetime
) -> list[tuple[Account, str]]:
    """Who takes over, with the cause of each step: the script's reserve order as it was drawn, first those in it who must pass the
    script on at once (close to the writer, no marker any more), last the one who marks.

    The order comes from the markers that the draw had, so that anybody can replay it; who became a marker later is not in it.
    Refused when nobody is left.
    """
    slug = script.competition.slug
    inputs = drawn_from(session, slug, leaving.draw)
    groups = {row["marker"]: row["group"] for row in inputs["markers"]}
    excluded = {marker for of, marker in inputs["excluded"] if of == script.code}
    excluded |= {one.marker.code for one in script.allocations if one.replaced_at is not None}
    staying = {one.marker.code for one in script.allocations if one.replaced_at is None and one.id != leaving.id}
    order = draws.reserves(seed_of(session, slug, leaving.draw), script.code, groups, staying, excluded | {leaving.marker.code})
    markers = {one.code: one for one in accounts.holders(session, "marker", slug, now)}
    close = queries.close_to(session, script)
    found: list[tuple[Account, str]] = []
    for code in order:
        account = accounts.by_code(session, code)
        assert account is not None
        found.append((account, cause))
        if code in markers and account.id not in close:
            return found
        cause = "recusal" if account.id in close else "absence"
    raise Refused(
        N_("Nobody is left who was drawn as a marker of this script or stands in its reserve order. The council decides how to go on.")
    )


def drawn_from(session: Session, log: str, draw: str) -> dict[str, Any]:
    """The inputs that a draw was fixed on: who was in it.  LookupError when there is no such draw."""
    for data in session.scalars(select(LogEntry.entry).where(LogEntry.log == log, LogEntry.type == "draw.fixed")):
        body = read_entry(data).body
        if body["draw"] == draw:
            opened = session.scalars(select(Opening).where(Opening.commitment == body["inputs"]).limit(1)).one()
            return dict((opened.content or {})["parameters"])
    raise LookupError(draw)
