"""Score runs: what goes into one, the ranking it gives, and its entry in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from importlib.metadata import version
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.applications import queries as applications
from examsvc.applications.models import Application
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.terms import read_exact, write_exact
from examsvc.ledger import canonical
from examsvc.ledger.operations import Sealed, record
from examsvc.marking import queries as marking
from examsvc.marking.rules import decimal
from examsvc.results import queries, rules
from examsvc.results.models import ScoreRun, TieRuling
from examsvc.sittings import queries as sittings

LEDGER_OUTCOMES = {
    "chosen": "selected",
    "reserve": "reserve",
    "passed": "passed",
    "below-cut": "failed",
    "failed": "failed",
    "absent": "absent",
    "annulled": "excluded",
    "incomplete": "failed",
}
"""The ledger's word for each outcome."""


def compute_results(session: Session, competition: Competition, *, by: int, now: datetime) -> ScoreRun:
    """A score run over the locked marks of every stage that was held; earlier runs stay.

    Where nothing has changed since the newest run (same marks, sanctions, priority points and decisions on ties), that run is
    returned.  Refused while a stage that candidates reached is not locked, or its code map is closed.
    """
    competitions.require_running(competition)
    stages = stages_held(session, competition)
    inputs = gather(session, competition, stages)
    digest = digest_of(inputs)
    newest = queries.latest_run(session, competition.id)
    release = version("examsvc")
    if newest is not None and newest.inputs_digest == digest and newest.release == release:
        return newest
    outcome = as_document(ranking_of(competitions.regulation(competition), inputs))
    number = (session.scalar(select(func.max(ScoreRun.number)).where(ScoreRun.competition_id == competition.id)) or 0) + 1
    commitments = {}
    for post in sorted({row["post"] for row in outcome["rows"]}):
        rows = [row for row in outcome["rows"] if row["post"] == post]
        entry = record(
            session,
            competition.slug,
            "results.computed",
            now=now,
            posts=[post],
            run=number,
            stages=sorted(stages),
            candidates=len(rows),
            places=inputs["vacancies"][post],
            ranking=Sealed(ledger_ranking(competitions.regulation(competition), post, number, rows)),
            release=release,
        )
        commitments[post] = str(canonical.decode(entry.entry)["body"]["ranking"])
    run = ScoreRun(
        competition_id=competition.id,
        number=number,
        digest=digest_of({"inputs": inputs, "outcome": outcome}),
        inputs_digest=digest,
        inputs=inputs,
        outcome=outcome,
        commitments=commitments,
        release=release,
        at=now,
        by_id=by,
    )
    session.add(run)
    session.flush()
    return run


def stages_held(session: Session, competition: Competition) -> list[str]:
    """Stages whose marks are locked and open; Refused where one that candidates reached is not."""
    regulation = competitions.regulation(competition)
    held = []
    for stage in regulation.stages:
        if stage.kind != "examination":
            continue
        lock = marking.lock(session, competition.id, stage.id)
        if lock is None:
            if any(marking.reached(session, competition, part.id) for part in stage.parts):
                raise Refused(N_("The marks of the stage %(stage)s are not locked yet."), stage=stage.id)
            continue
        if lock.opened_at is None and any(part.kind in ("essay", "plan") for part in stage.parts):
            raise Refused(N_("The code map of the stage %(stage)s is not open yet."), stage=stage.id)
        held.append(stage.id)
    if not held:
        raise Refused(N_("No stage of the exam has locked marks yet, so there is nothing to compute."))
    return held


# ---------------------------------------------------------------- inputs


def gather(session: Session, competition: Competition, stages: Sequence[str]) -> dict[str, Any]:
    """Everything a run rests on, as JSON: kept with the run, so that it can always be computed again."""
    regulation = competitions.regulation(competition)
    parts = [part.id for stage in regulation.stages if stage.id in stages for part in stage.parts]
    marks = {part: marking.part_marks(session, competition, part) for part in parts}
    absent = {part: marking.absent(session, competition, part) for part in parts}
    priorities = queries.granted_priorities(session, competition.id)
    entrants = []
    for application in candidates(session, competition):
        number = application.candidate_number or ""
        sanctions = sanctions_of(session, application, parts)
        entrants.append(
            {
                "number": number,
                "post": application.post.code,
                "marks": {part: write_exact(of[number]) for part, of in marks.items() if number in of},
                "absent": sorted(part for part, of in absent.items() if number in of),
                "sanctions": sanctions,
                "excluded": applications.verdict(application) == "excluded",
                "priorities": priorities.get(application.id, []),
                "person": person_facts(regulation, application),
            }
        )
    locks = {stage: marking.lock(session, competition.id, stage) for stage in stages}
    return {
        "regulation": competition.regulation_document.digest,
        "locks": {stage: {"number": one.number, "digest": one.digest} for stage, one in locks.items() if one is not None},
        "vacancies": {post.code: post.vacancies for post in competition.posts},
        "entrants": entrants,
        "decisions": [
            {"post": one.post, "order": one.order, "reason": one.reason, "by": one.role}
            for one in queries.tie_rulings(session, competition.id)
        ],
    }


def candidates(session: Session, competition: Competition) -> list[Application]:
    """Who stands in a result: everybody admitted, those excluded afterwards too, so that nobody vanishes."""
    return [
        *applications.eligible(session, competition.id),
        *(one for one in applications.submitted(session, competition.id) if applications.verdict(one) == "excluded"),
    ]


def sanctions_of(session: Session, application: Application, parts: Sequence[str]) -> list[dict[str, Any]]:
    """Sanctions in force on the attempts that count: {part, sanction, deduction, annuls}."""
    found = []
    for attempt in sittings.attempts_of_account(session, application.account_id):
        if attempt.application_id != application.id or attempt.state == "cancelled" or attempt.sitting.part not in parts:
            continue
        found += [
            {"part": attempt.sitting.part, "sanction": one.sanction, "deduction": one.deduction, "annuls": one.annuls}
            for one in sittings.deductions(session, attempt.id)
        ]
    return found


def person_facts(regulation: Regulation, application: Application) -> dict[str, Any]:
    """What the regulation's tie-breaks look at, from the file as handed in, and nothing more of the person."""
    wanted = {step.by for step in regulation.ties.steps}
    answers = applications.answers_handed_in(application)
    born = application.submissions[-1].content.get("born") if application.submissions else None
    facts: dict[str, Any] = {}
    if "women-first" in wanted and answers.get("sex") in ("woman", "man"):
        facts["woman"] = answers["sex"] == "woman"
    if "ethnic-minority-first" in wanted and answers.get("minority") in ("yes", "no"):
        facts["ethnic_minority"] = answers["minority"] == "yes"
    if "older-first" in wanted and born:
        facts["born"] = born
    if "longer-service-first" in wanted and answers.get("service_since"):
        facts["in_service_since"] = answers["service_since"]
    return facts


# ---------------------------------------------------------------- the ranking


def ranking_of(regulation: Regulation, inputs: Mapping[str, Any]) -> rules.Ranking:
    """The ranking that kept inputs give: pure, so that any run can be computed again."""
    return rules.rank(
        regulation,
        [_entrant(one) for one in inputs["entrants"]],
        inputs["vacancies"],
        [rules.TieDecision(tuple(one["order"]), one["reason"], one["by"]) for one in inputs["decisions"]],
    )


def _entrant(given: Mapping[str, Any]) -> rules.Entrant:
    shares: dict[str, list[Fraction]] = {}
    for one in given["sanctions"]:
        shares.setdefault(one["part"], []).append(read_exact(one["deduction"]))
    facts = dict(given["person"])
    for name in ("born", "in_service_since"):
        if name in facts:
            facts[name] = date.fromisoformat(facts[name])
    return rules.Entrant(
        number=given["number"],
        post=given["post"],
        marks={part: read_exact(mark) for part, mark in given["marks"].items()},
        absent=frozenset(given["absent"]),
        deductions={part: rules.deducted(of) for part, of in shares.items()},
        annulled=given["excluded"] or any(one["annuls"] for one in given["sanctions"]),
        priorities=tuple(given["priorities"]),
        person=rules.Person(**facts),
    )


def agrees(run: ScoreRun) -> bool:
    """Whether the run, computed again from its own inputs, gives what it says; and its digests are its own."""
    again = as_document(ranking_of(competitions.regulation(run.competition), run.inputs))
    whole = digest_of({"inputs": run.inputs, "outcome": run.outcome})
    return bool(again == run.outcome and run.digest == whole and run.inputs_digest == digest_of(run.inputs))


def as_document(ranking: rules.Ranking) -> dict[str, Any]:
    """The ranking as JSON: exact numbers are texts."""

    def text(value: Fraction | None) -> str | None:
        return None if value is None else write_exact(value)

    return {
        "rows": [
            {
                "number": row.number,
                "post": row.post,
                "outcome": row.outcome,
                "rank": row.rank,
                "total": text(row.total),
                "parts": {part: text(mark) for part, mark in row.part_marks.items()},
                "priority": text(row.priority),
                "tie_break": row.tie_break,
                "steps": [
                    {"code": s.code, "part": s.part, "value": text(s.value), "result": text(s.result), "detail": s.detail}
                    for s in row.steps
                ],
            }
            for row in ranking.rows
        ],
        "open_ties": [
            {"post": t.post, "numbers": list(t.numbers), "by": t.by, "needed": t.needed} for t in ranking.open_ties
        ],
    }


def ledger_ranking(regulation: Regulation, post: str, run: int, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The committed object results.ranking of one post."""
    return {
        "post": post,
        "run": run,
        "rows": [_ledger_row(regulation, row) for row in sorted(rows, key=lambda one: str(one["number"]))],
    }


def _ledger_row(regulation: Regulation, row: Mapping[str, Any]) -> dict[str, Any]:
    missed = {step["part"] for step in row["steps"] if step["code"] == "pass-missed"}
    absent = {step["part"] for step in row["steps"] if step["code"] == "absent"}
    stages = []
    for stage in regulation.stages:
        for part in stage.parts:
            if part.id in absent:
                stages.append({"stage": stage.id, "part": part.id, "mark": "0", "passed": "absent"})
            elif part.id in row["parts"]:
                mark = decimal(read_exact(row["parts"][part.id]))
                passed = "no" if part.id in missed else "yes"
                stages.append({"stage": stage.id, "part": part.id, "mark": mark, "passed": passed})
    found: dict[str, Any] = {
        "candidate": row["number"],
        "stages": stages,
        "outcome": LEDGER_OUTCOMES[row["outcome"]],
    }
    if read_exact(row["priority"]):
        found["priority"] = decimal(read_exact(row["priority"]))
    if row["total"] is not None:
        found["total"] = decimal(read_exact(row["total"]))
    if row["rank"] is not None:
        found["rank"] = row["rank"]
    broken = [step for step in row["steps"] if step["code"] in ("tie-broken", "tie-decided")]
    if broken:
        found["ties"] = [
            {"by": step["detail"] if step["code"] == "tie-broken" else "decided"}
            | ({"part": step["part"]} if step["part"] else {})
            for step in broken
        ]
    return found


def digest_of(content: object) -> str:
    """SHA-256 of the canonical bytes."""
    return hashlib.sha256(canonical.encode(content)).hexdigest()


def rulings_of(session: Session, run: ScoreRun) -> list[TieRuling]:
    """Decisions on ties that this run already counts in, the newest for each set of candidates."""
    counted = {tuple(one["order"]) for one in run.inputs["decisions"]}
    return [one for one in queries.tie_rulings(session, run.competition_id) if tuple(one.order) in counted]
