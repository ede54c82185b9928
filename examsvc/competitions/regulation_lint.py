"""Lint of a regulation: gaps, contradictions, too few people, and what nobody has confirmed.

`lint` is pure and never raises on a regulation that `read_toml` accepted. An error forbids pinning; `lint_findings.CATALOGUE`
lists every code with its severity and sentence.
"""

from collections.abc import Iterator
from datetime import date

from examsvc.competitions.entry_clauses import DocumentCriterion, LadderCriterion
from examsvc.competitions.exam_clauses import EssayPart, PanelPart, PlanPart
from examsvc.competitions.lint_exam import lint_hall, lint_marking, lint_panels, lint_parts
from examsvc.competitions.lint_findings import CATALOGUE, Finding, Severity, finding
from examsvc.competitions.lint_people import lint_council, lint_roles, lint_staffing
from examsvc.competitions.lint_procedure import (
    lint_admission,
    lint_appeals,
    lint_calendar,
    lint_course,
    lint_draws,
)
from examsvc.competitions.lint_results import lint_priority, lint_selection, lint_ties, lint_total
from examsvc.competitions.regulation import Regulation, clauses

__all__ = ["CATALOGUE", "Finding", "Severity", "lint"]


def lint(regulation: Regulation, *, on: date | None = None, people: int | None = None) -> tuple[Finding, ...]:
    """Every finding, errors first, then warnings, then notes, each in the document's order of checks.

    `on` adds the checks of a day (in force, frozen), `people` those of a head-count of staff.
    """
    found = [
        *_references(regulation),
        *lint_roles(regulation),
        *lint_admission(regulation),
        *lint_parts(regulation),
        *lint_hall(regulation),
        *lint_draws(regulation),
        *lint_marking(regulation),
        *lint_panels(regulation),
        *lint_total(regulation),
        *lint_priority(regulation),
        *lint_ties(regulation),
        *lint_selection(regulation),
        *lint_calendar(regulation),
        *lint_appeals(regulation),
        *lint_course(regulation),
        *lint_staffing(regulation, people),
        *lint_council(regulation),
        *_titles(regulation),
        *_force(regulation, on),
        *_origin(regulation),
    ]
    order = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(found, key=lambda one: order[one.severity]))


def _references(regulation: Regulation) -> Iterator[Finding]:
    """Names of parts, schemes, panels, files, streams, levels and votes; things that nothing refers to."""
    files = {rule.id for rule in regulation.files}
    streams = {stream.id for stream in regulation.admission.streams}
    levels = {level.id for level in regulation.posts.levels}
    parts = {part.id for part in regulation.parts}
    schemes, panels = {s.id for s in regulation.marking}, {p.id for p in regulation.panels}
    uses: list[tuple[str, str, str, set[str]]] = []
    for stage in regulation.stages:
        for part in stage.parts:
            path = f"stages.{stage.id}.parts.{part.id}"
            if isinstance(part, EssayPart | PlanPart):
                uses.append((f"{path}.marking", "marking scheme", part.marking, schemes))
            if isinstance(part, PanelPart):
                uses.append((f"{path}.panel", "panel", part.panel, panels))
            if isinstance(part, PlanPart | PanelPart) and part.file is not None:
                uses.append((f"{path}.file", "file", part.file, files))
    for stream in regulation.admission.streams:
        path = f"admission.streams.{stream.id}.evidence"
        uses += [(path, "file", name, files) for name in stream.evidence]
    for criterion in regulation.admission.criteria:
        path = f"admission.criteria.{criterion.id}"
        uses += [(f"{path}.evidence", "file", name, files) for name in criterion.evidence]
        uses += [(f"{path}.streams", "stream", name, streams) for name in criterion.streams]
        if isinstance(criterion, DocumentCriterion):
            uses.append((f"{path}.file", "file", criterion.file, files))
        if isinstance(criterion, LadderCriterion):
            for rule in criterion.rules:
                named = rule.may_try if rule.holds is None else (rule.holds, *rule.may_try)
                uses += [(f"{path}.rules", "level", name, levels) for name in named]
    for file in regulation.files:
        uses += [(f"files.{file.id}.streams", "stream", name, streams) for name in file.streams]
    if regulation.priority is not None:
        for entry in regulation.priority.entries:
            uses += [
                (f"priority.entries.{entry.id}.evidence", "file", name, files) for name in entry.evidence
            ]
        if regulation.priority.added_to is not None:
            uses.append(("priority.added_to", "part", regulation.priority.added_to, parts))
    for number, step in enumerate(regulation.ties.steps):
        if step.part is not None:
            uses.append((f"ties.steps.{number}.part", "part", step.part, parts))
    for channel in regulation.appeals:
        uses += [(f"appeals.{channel.id}.parts", "part", name, parts) for name in channel.parts]
    uses.append(("council.vote", "vote", regulation.council.vote, {vote.id for vote in regulation.votes}))
    for path, kind, name, known in uses:
        if name not in known:
            yield finding("unknown-reference", path, kind=kind, name=name)
    used = {(kind, name) for _, kind, name, _ in uses}
    for scheme in regulation.marking:
        if ("marking scheme", scheme.id) not in used:
            yield finding("unused", f"marking.{scheme.id}", kind="marking scheme")
    for panel in regulation.panels:
        if ("panel", panel.id) not in used:
            yield finding("unused", f"panels.{panel.id}", kind="panel")


def _titles(regulation: Regulation) -> Iterator[Finding]:
    if regulation.posts.elected_titles == "allowed":
        yield finding("elected-titles", "posts.elected_titles")


def _force(regulation: Regulation, on: date | None) -> Iterator[Finding]:
    if regulation.example:
        yield finding("example", "")
    if regulation.in_force.since is None:
        yield finding("in-force-unknown", "in_force")
    elif on is not None and not regulation.in_force.on(on):
        yield finding("not-in-force", "in_force", day=on.isoformat())
    for number, freeze in enumerate(regulation.freezes):
        path = f"freezes.{number}"
        if freeze.ended is None and (not freeze.verified or "ended" in freeze.unverified_fields):
            yield finding("freeze-end-unknown", path)
        elif on is not None and freeze.on(on):
            yield finding("frozen", path, day=on.isoformat())


def _origin(regulation: Regulation) -> Iterator[Finding]:
    for path, clause in clauses(regulation):
        if not clause.verified:
            yield finding("unverified-clause", path)
        elif clause.unverified_fields:
            yield finding("unverified-fields", path, fields=", ".join(clause.unverified_fields))
