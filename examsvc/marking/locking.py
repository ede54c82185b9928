"""The lock on a stage's marks, and leave to open the code map after it: each approved by two."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.terms import write_exact
from examsvc.ledger.operations import record
from examsvc.marking import queries, scope
from examsvc.marking.models import StageLock
from examsvc.sittings import queries as sittings


def unfinished(session: Session, competition: Competition, stage: str) -> list[str]:
    """What still stands between a stage and its lock, one sentence code with a number each; empty when nothing does."""
    regulation = competitions.regulation(competition)
    found: list[str] = []
    for part in regulation.stage(stage).parts:
        if part.kind in ("objective", "essay"):
            planned = [one for one in sittings.sittings_of(session, competition.id) if one.part == part.id]
            if not planned:
                found.append(f"{part.id}:no-sitting")
            elif any(one.closed_at is None for one in planned):
                found.append(f"{part.id}:sitting-open")
            if part.kind == "essay":
                scripts = queries.scripts(session, competition.id, part.id)
                coded = {one.sitting_id for one in queries.code_maps(session, [one.id for one in planned])}
                if any(one.receipt for s in planned if s.id not in coded for one in s.attempts):
                    found.append(f"{part.id}:not-coded")
                waiting = sum(1 for one in scripts if one.settlement is None)
                if waiting:
                    found.append(f"{part.id}:{waiting}-scripts-unsettled")
            else:
                marks = queries.part_marks(session, competition, part.id)
                ended = sum(1 for s in planned for one in s.attempts if one.state in ("submitted", "closed"))
                if len(marks) < ended:
                    found.append(f"{part.id}:not-marked")
        elif part.kind in ("defence", "interview", "simulation"):
            heard = queries.hearings(session, competition.id, part.id)
            if not heard:
                found.append(f"{part.id}:no-hearings")
            waiting = sum(1 for one in heard if one.state not in ("settled", "absent"))
            if waiting:
                found.append(f"{part.id}:{waiting}-hearings-unsettled")
    return found


def ask_lock(
    session: Session, competition: Competition, *, stage: str, by: int, now: datetime, language: str = "vi"
) -> None:
    """Asks to lock the marks of a stage; a second person approves."""
    if queries.lock(session, competition.id, stage) is not None:
        raise Refused(N_("The marks of this stage are locked already."))
    waiting = unfinished(session, competition, stage)
    if waiting:
        raise Refused(
            N_("The marks are not complete: %(what)s. Finish these first."), what=", ".join(waiting)
        )
    digest, units, sheets = fingerprint(session, competition, stage)
    ask(
        session,
        kind="marking.lock",
        entry_type="marks.locked",
        competition=competition.slug,
        lines=[
            line(language, N_("Lock the marks of the stage"), scope.stage_name(competition, stage, language)),
            line(language, N_("Marks that count"), str(units)),
            line(language, N_("Sheets of markers behind them"), str(sheets)),
            line(language, N_("SHA-256 of all marks"), digest),
        ],
        arguments={"stage": stage, "digest": digest},
        terms=competitions.approval_terms(competition, "lock-marks"),
        by=by,
        now=now,
    )


def fingerprint(session: Session, competition: Competition, stage: str) -> tuple[str, int, int]:
    """(SHA-256 over all settled marks of a stage, number of marks, number of sheets behind them).

    Essays stand in it by script code: whose they are is not known before the code map is open.
    """
    regulation = competitions.regulation(competition)
    content: dict[str, Any] = {}
    units = sheets = 0
    for part in regulation.stage(stage).parts:
        blind = part.kind in ("essay", "plan")
        marks = (queries.script_marks if blind else queries.part_marks)(session, competition, part.id)
        content[part.id] = {number: write_exact(mark) for number, mark in sorted(marks.items())}
        if blind:
            scripts = queries.scripts(session, competition.id, part.id)
            units += len(scripts)
            sheets += sum(len(one.settlement.sheets) for one in scripts if one.settlement is not None)
        elif part.kind == "objective":
            units += len(marks)
        else:
            heard = [one for one in queries.hearings(session, competition.id, part.id) if one.settlements]
            units += len(heard)
            sheets += sum(len(queries.sitting_members(one)) for one in heard)
    data = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(data).hexdigest(), units, sheets


@carries_out("marking.lock")
def _lock(session: Session, approved: Approved) -> None:
    competition = competitions.competition(session, approved.competition)
    stage = str(approved.arguments["stage"])
    digest, units, sheets = fingerprint(session, competition, stage)
    if digest != approved.arguments["digest"]:
        raise Refused(N_("The marks have changed since the lock was asked for. Ask for it again."))
    number = 1 + int(
        session.scalar(
            select(func.count())
            .select_from(StageLock)
            .where(StageLock.competition_id == competition.id, StageLock.stage == stage)
        )
        or 0
    )
    session.add(
        StageLock(
            competition_id=competition.id,
            stage=stage,
            number=number,
            digest=digest,
            units=units,
            at=approved.now,
            by_id=approved.last_by,
        )
    )
    session.flush()
    record(
        session,
        competition.slug,
        "marks.locked",
        now=approved.now,
        by=scope.signer(session, approved, "chief-examiner") or scope.actor(session, approved.asked_by),
        approvals=approved.approvals,
        summary=approved.summary,
        stage=stage,
        posts=queries.posts_with_candidates(session, competition),
        lock=number,
        units=units,
        marks=sheets,
    )


def ask_opening(
    session: Session, competition: Competition, *, stage: str, by: int, now: datetime, language: str = "vi"
) -> None:
    """Asks to open the code map of a locked stage; a second person approves, then a code custodian hands in the map (`opening`)."""
    lock = queries.lock(session, competition.id, stage)
    if lock is None:
        raise Refused(N_("The marks of this stage are not locked yet; the code map stays closed."))
    if lock.opened_at is not None:
        raise Refused(N_("The code map of this stage is open already."))
    if lock.opening_id is not None:
        raise Refused(N_("The opening is approved already. A code custodian hands in the opened map now."))
    ask(
        session,
        kind="marking.unblind",
        entry_type="blind.open",
        competition=competition.slug,
        lines=[
            line(language, N_("Open the code map of the stage"), scope.stage_name(competition, stage, language)),
            line(language, N_("Locked with SHA-256"), lock.digest),
        ],
        arguments={"stage": stage, "lock": lock.number, "digest": lock.digest},
        terms=competitions.approval_terms(competition, "unblind"),
        by=by,
        now=now,
    )


@carries_out("marking.unblind")
def _open(session: Session, approved: Approved) -> None:
    """The opening is approved: from now on a code custodian takes the encrypted map away, and hands it in opened."""
    competition = competitions.competition(session, approved.competition)
    lock = queries.lock(session, competition.id, str(approved.arguments["stage"]))
    if lock is None or lock.opened_at is not None or lock.opening_id is not None:
        raise Refused(N_("The code map of this stage is open already."))
    if [lock.number, lock.digest] != [approved.arguments["lock"], approved.arguments["digest"]]:
        raise Refused(N_("The marks have been locked anew since the opening was asked for. Ask for it again."))
    if scope.signer(session, approved, "code-custodian") is None:
        raise Refused(N_("The code map is opened by a code custodian: one must be among the approvers."))
    lock.opening_id = approved.request_id
    session.flush()
