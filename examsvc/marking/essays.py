"""Marking scripts: the drawn allocation, independent sheets, discrepancy, third mark, and what a person decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.base.errors import N_, NotAllowed, NotFound, Refused
from examsvc.competitions import drawing
from examsvc.competitions import queries as competitions
from examsvc.competitions.marking_clauses import MarkingScheme
from examsvc.competitions.models import Competition
from examsvc.competitions.terms import write_exact
from examsvc.ledger import drawing as draws
from examsvc.ledger.draw_records import DrawRecord
from examsvc.ledger.operations import Sealed, record
from examsvc.marking import queries, replacing, rules, scope
from examsvc.marking.models import Agreement, Allocation, Script, Settlement, Sheet
from examsvc.papers import queries as papers


def scheme_of(script: Script) -> MarkingScheme:
    """How the regulation has this script marked."""
    return scope.scheme(script.competition, script.part)


# -------------------------------------------------------------------------------- allocation


def ask_allocation(
    session: Session, competition: Competition, *, part: str, by: int, now: datetime, language: str = "vi"
) -> None:
    """Asks to draw the scripts of a part to its markers; a second person approves, and the draw is made or announced."""
    scripts = queries.scripts(session, competition.id, part)
    if not scripts:
        raise Refused(N_("There are no coded scripts of this part yet."))
    if any(script.allocations for script in scripts):
        raise Refused(N_("The scripts of this part are drawn already."))
    drawing.require_free(session, competition, "allocation", part)
    markers = accounts.holders(session, "marker", competition.slug, now)
    scheme = scheme_of(scripts[0])
    replacing.groups_of(session, competition, scheme, now)
    if len(markers) < rounds_of(scheme):
        raise Refused(
            N_("The regulation can ask for %(needed)d markers of one script; only %(found)d hold the role."),
            needed=rounds_of(scheme),
            found=len(markers),
        )
    how, given = drawing.terms(session, competition, "allocation", now=now, language=language)
    ask(
        session,
        kind="marking.allocate",
        entry_type="draw.announced",
        competition=competition.slug,
        lines=[
            line(language, N_("Draw the scripts of the part"), f"{scope.part_name(competition, part, language)}: {len(scripts)}"),
            line(language, N_("Markers drawn for each script"), str(rounds_of(scheme))),
            line(language, N_("Markers"), ", ".join(sorted(marker.name for marker in markers))),
            *how,
        ],
        arguments={"part": part, "markers": sorted(marker.code for marker in markers), "scripts": len(scripts), **given},
        terms=competitions.approval_terms(competition, "hold-draw"),
        by=by,
        now=now,
    )


@carries_out("marking.allocate")
def _allocate(session: Session, approved: Approved) -> None:
    competition = competitions.competition(session, approved.competition)
    part = str(approved.arguments["part"])
    scripts = queries.scripts(session, competition.id, part)
    if any(script.allocations for script in scripts):
        raise Refused(N_("The scripts of this part are drawn already."))
    scheme = scheme_of(scripts[0])
    drawn = rounds_of(scheme)
    groups = replacing.groups_of(session, competition, scheme, approved.now)
    by_code = {
        account.code: account.id
        for account in accounts.holders(session, "marker", competition.slug, approved.now)
    }
    if [sorted(by_code), len(scripts)] != [approved.arguments["markers"], approved.arguments["scripts"]]:
        raise Refused(N_("The markers or the scripts have changed since the draw was asked for. Ask for it again."))
    barred = {script.code: queries.close_to(session, script) for script in scripts}
    excluded = sorted(
        [script.code, code]
        for script in scripts
        for code, account_id in by_code.items()
        if account_id in barred[script.code]
    )
    frame = scope.of_part(competition, part, [script.post for script in scripts])
    drawing.hold(
        session,
        competition,
        approved,
        purpose="allocation",
        posts=frame["posts"],
        stage=frame["stage"],
        about=draws.About(
            part,
            {"competition": competition.id, "part": part},
            "allocation",
            {
                "scripts": sorted(script.code for script in scripts),
                "markers": [{"marker": code, "group": groups[code]} for code in sorted(groups)],
                "rounds": drawn,
                "excluded": excluded,
            },
        ),
    )


def allocation_draw(session: Session, competition: Competition, part: str) -> DrawRecord | None:
    """The newest draw of a part's scripts to its markers, as the log tells it."""
    return draws.newest(session, competition.slug, "allocation", part)


@draws.when_drawn("allocation")
def _allocate_as_drawn(session: Session, log: str, held: draws.Held, now: datetime) -> None:
    """Every drawn script goes to its markers' desks."""
    competition = session.get_one(Competition, int(held.arguments["competition"]))
    part = str(held.arguments["part"])
    drawn = {str(row["script"]) for row in held.result}
    scripts = [one for one in queries.scripts(session, competition.id, part) if one.code in drawn]
    of_code = {script.code: script for script in scripts}
    scheme = scheme_of(scripts[0])
    markers = {str(row["marker"]) for row in held.result}
    by_code = {code: account.id for code in markers if (account := accounts.by_code(session, code)) is not None}
    for row in held.result:
        session.add(
            Allocation(
                script_id=of_code[row["script"]].id,
                marker_id=by_code[row["marker"]],
                round=row["round"],
                draw=held.code,
                drawn_at=now,
                called_at=now if row["round"] <= scheme.markers else None,
            )
        )
    session.flush()
    record(
        session,
        competition.slug,
        "scripts.allocated",
        now=now,
        by=scope.actor(session, int(held.arguments["by"])),
        **scope.of_part(competition, part, [script.post for script in scripts]),
        draw=held.code,
        rounds=list(range(1, rounds_of(scheme) + 1)),
        scripts=len(scripts),
        allocation=Sealed({"rows": list(held.result)}),
    )
    for script in scripts:
        session.expire(script, ["allocations"])


def rounds_of(scheme: MarkingScheme) -> int:
    """How many markers are drawn for a script: the independent ones, and one in reserve where a third mark can be asked."""
    policy = scheme.discrepancy
    third = policy is not None and any(
        "third-mark" in (band.action, band.failing) for band in policy.bands
    )
    return replacing.THIRD if third else scheme.markers


# -------------------------------------------------------------------------------- sheets


def keep_draft(session: Session, allocation: Allocation, *, draft: Mapping[str, Any], by: int) -> None:
    """Keeps what a marker has typed so far; it is no fact yet and nobody else sees it."""
    mine(allocation, by)
    if allocation.sheet is None:
        allocation.draft = {str(key)[:80]: str(value)[:8000] for key, value in list(draft.items())[:60]}
        session.flush()


def record_mark(
    session: Session,
    allocation: Allocation,
    *,
    criteria: Mapping[str, str],
    comment: str,
    by: int,
    now: datetime,
    reason: str | None = None,
) -> Sheet:
    """Hands in a sheet: a mark for every criterion of the rubric, each within its range and on the regulation's step.

    A correction is a new version with its reason, and possible only until the other marker has handed in.  After a change
    of the guide the mark is given anew; its reason is the guide's.
    """
    mine(allocation, by)
    script = allocation.script
    scope.require_open(session, script.competition, script.part)
    guide = queries.guide(session, script)
    if allocation.reopened:
        reason = guide.reason
    elif allocation.sheets:
        others = [a for a in queries.active_allocations(script) if a.id != allocation.id]
        if any(other.sheet is not None for other in others) or script.settlement is not None:
            raise Refused(N_("The other mark is in; yours stands. The chief examiner decides on corrections."))
        if not reason or not reason.strip():
            raise Refused(N_("Write why you correct the mark."), field="reason")
    scheme = scheme_of(script)
    given = read_criteria(script, scheme, criteria)
    total = sum(given.values(), Fraction(0))
    sheet = Sheet(
        allocation_id=allocation.id,
        version=1 + sum(len(one.sheets) for one in script.allocations if one.round == allocation.round),
        guide=guide.version,
        criteria={name: write_exact(mark) for name, mark in given.items()},
        total=write_exact(total),
        comment=comment,
        reason=reason or None,
        at=now,
    )
    session.add(sheet)
    allocation.draft = None
    session.flush()
    session.expire(allocation, ["sheets"])
    content: dict[str, Any] = {
        "script": script.code,
        "marker": allocation.marker.code,
        "round": allocation.round,
        "version": sheet.version,
        "guide": guide.version,
        "criteria": [{"criterion": name, "mark": rules.decimal(mark)} for name, mark in given.items()],
        "total": rules.decimal(total),
    }
    if reason:
        content["reason"] = reason
    record(
        session,
        script.competition.slug,
        "mark.recorded",
        now=now,
        by=allocation.marker.code,
        **scope.of_part(script.competition, script.part, [script.post]),
        script=script.code,
        marker=allocation.marker.code,
        round=allocation.round,
        version=sheet.version,
        sheet=Sealed(content),
    )
    settle_script(session, script, now=now)
    return sheet


def read_criteria(script: Script, scheme: MarkingScheme, given: Mapping[str, str]) -> dict[str, Fraction]:
    """The marks of a sheet, by criterion of the task's rubric; one criterion "mark" where the task has no rubric.

    The rubric's marks are scaled to the marks that the task carries in this paper.
    """
    found: dict[str, Fraction] = {}
    for name, most, label in criteria_of(script):
        text = given.get(name, "")
        if not str(text).strip():
            raise Refused(N_("Give a mark for %(what)s."), what=label, field=name)
        found[name] = rules.read_mark(str(text), most, scheme.mark_step, what=label, field=name)
    return found


def criteria_of(script: Script) -> list[tuple[str, Fraction, str]]:
    """(id, greatest mark, title) of each criterion on this script's sheet."""
    item = papers.item(script.item_version)
    maximum, own = Fraction(script.maximum), Fraction(item.marks)
    if not item.rubric:
        return [("mark", maximum, "mark")]
    return [(one.id, one.marks * maximum / own, one.title.plain("vi")) for one in item.rubric]


def mine(allocation: Allocation, account_id: int) -> None:
    """NotFound unless the allocation is this marker's now."""
    if allocation.marker_id != account_id or allocation.replaced_at is not None:
        raise NotFound()


# -------------------------------------------------------------------------------- from marks to one mark


def settle_script(
    session: Session,
    script: Script,
    *,
    now: datetime,
    agreed: Fraction | None = None,
    decided: Fraction | None = None,
    by: int | None = None,
    reason: str | None = None,
) -> rules.Settled | rules.Waiting | None:
    """Does what the regulation makes of the marks that are in: settles, draws a third marker, or waits.

    None while independent marks are still missing.
    """
    scheme = scheme_of(script)
    active = queries.active_allocations(script)
    sheets = [allocation.sheet for allocation in active if allocation.sheet is not None]
    if len(sheets) < len(active) or len(active) < scheme.markers:
        return None
    marks = [Fraction(sheet.total) for sheet in sheets]
    rounding = competitions.regulation(script.competition).rounding
    verdict = rules.settle(
        scheme, rounding, marks, Fraction(script.maximum), agreed=agreed, decided=decided
    )
    if isinstance(verdict, rules.Waiting):
        if verdict.need == "third-mark" and len(active) == scheme.markers:
            call_third(session, script, now=now)
        return verdict
    settlement = Settlement(
        script_id=script.id,
        version=len(script.settlements) + 1,
        guide=script.guide,
        mark=write_exact(verdict.mark),
        manner=verdict.manner,
        rule=verdict.rule[:120],
        sheets=[sheet.id for sheet in sheets],
        reason=reason,
        by_id=by,
        at=now,
    )
    session.add(settlement)
    session.flush()
    session.expire(script, ["settlements"])
    content: dict[str, Any] = {
        "script": script.code,
        "marks": [rules.decimal(mark) for mark in marks],
        "rule": verdict.rule,
        "mark": rules.decimal(verdict.mark),
    }
    if reason:
        content["reason"] = reason
    record(
        session,
        script.competition.slug,
        "mark.settled",
        now=now,
        by=scope.actor(session, by) if by is not None else "system",
        **scope.of_part(script.competition, script.part, [script.post]),
        script=script.code,
        version=settlement.version,
        manner=verdict.manner,
        settlement=Sealed(content),
    )
    return verdict


def call_third(session: Session, script: Script, *, now: datetime) -> None:
    """The third marker, drawn with the others and waiting since, gets the script."""
    waiting = next(
        (one for one in script.allocations if one.round == replacing.THIRD and one.replaced_at is None), None
    )
    if waiting is None:
        raise Refused(N_("No third marker was drawn for this script. Ask the chief examiner."))
    if waiting.called_at is None:
        waiting.called_at = now
        session.flush()


def propose_agreement(
    session: Session, allocation: Allocation, *, mark: str | None, reason: str, by: int, now: datetime
) -> rules.Settled | rules.Waiting | None:
    """One of two differing markers proposes a mark to settle on, or (mark None) says that they cannot agree.

    Equal proposals of both settle the script; "cannot agree" leads to what the regulation says follows.
    """
    mine(allocation, by)
    script = allocation.script
    scope.require_open(session, script.competition, script.part)
    verdict = queries.verdict(session, script)
    if not isinstance(verdict, rules.Waiting) or not verdict.need.startswith("agree"):
        raise Refused(N_("There is nothing to agree on for this script."))
    if not reason.strip():
        raise Refused(N_("Write the reason; it goes into the record."), field="reason")
    value = None
    if mark is not None:
        value = rules.read_mark(
            mark, Fraction(script.maximum), scheme_of(script).mark_step, what="mark", field="mark"
        )
    session.add(
        Agreement(
            script_id=script.id,
            by_id=by,
            guide=script.guide,
            mark=None if value is None else write_exact(value),
            reason=reason,
            at=now,
        )
    )
    session.flush()
    if value is None:
        if verdict.failing == "third-mark":
            call_third(session, script, now=now)
        return verdict
    newest = queries.newest_agreements(session, script)
    markers = {a.marker_id for a in queries.active_allocations(script)}
    if set(newest) == markers and len({one.mark for one in newest.values()}) == 1:
        return settle_script(session, script, now=now, agreed=value, by=by, reason=reason)
    return verdict


def decide(session: Session, script: Script, *, mark: str, reason: str, by: int, now: datetime) -> None:
    """The head decides where the regulation says so, with a reason."""
    scope.require_open(session, script.competition, script.part)
    if not queries.awaits_head(session, script):
        raise NotAllowed(N_("The regulation does not leave this script to the head."))
    if not reason.strip():
        raise Refused(N_("Write the reason; it goes into the record."), field="reason")
    value = rules.read_mark(mark, Fraction(script.maximum), scheme_of(script).mark_step, what="mark", field="mark")
    settle_script(session, script, now=now, decided=value, by=by, reason=reason)
