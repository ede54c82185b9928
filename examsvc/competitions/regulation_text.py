"""A whole regulation as a person reads it: sections, and in them every clause with its heading, its words and its origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from examsvc.base.errors import N_
from examsvc.competitions import wording_entry as entry
from examsvc.competitions import wording_exam as exam
from examsvc.competitions import wording_procedure as procedure
from examsvc.competitions import wording_results as results
from examsvc.competitions.board_clauses import Approval, Council, Relations, Role, RoleConflicts, VoteRule
from examsvc.competitions.draw_clauses import DrawRule
from examsvc.competitions.entry_clauses import (
    Accommodations,
    DateCriterion,
    DeclarationCriterion,
    DocumentCriterion,
    FileRule,
    Freeze,
    InForce,
    LadderCriterion,
    MinimumCandidates,
    NumberCriterion,
    Posts,
    Stream,
    SupplementRule,
    Transition,
)
from examsvc.competitions.exam_clauses import (
    EssayPart,
    LateBand,
    ObjectivePart,
    PanelPart,
    Paper,
    PlanPart,
    Remedy,
    Sanction,
    Sitting,
    Stage,
    WitnessRules,
)
from examsvc.competitions.marking_clauses import Discrepancy, MarkingScheme, Panel
from examsvc.competitions.procedure_clauses import (
    AppealChannel,
    DeadlineRule,
    HolidayYear,
    Intervention,
    Notice,
    Retention,
)
from examsvc.competitions.regulation import Clause, Regulation, clauses
from examsvc.competitions.result_clauses import (
    Disclosure,
    Priority,
    Publication,
    Rounding,
    Selection,
    Ties,
    Total,
)
from examsvc.competitions.wording import Words

SPEAKERS: Mapping[type[Clause], Callable[[Words, Any], list[str]]] = {
    InForce: entry.in_force,
    Transition: entry.transition,
    Freeze: entry.freeze,
    Posts: entry.posts,
    Stream: entry.stream,
    DateCriterion: entry.date_criterion,
    NumberCriterion: entry.number_criterion,
    DocumentCriterion: entry.document_criterion,
    DeclarationCriterion: entry.declaration_criterion,
    LadderCriterion: entry.ladder_criterion,
    FileRule: entry.file_rule,
    MinimumCandidates: entry.minimum_candidates,
    SupplementRule: entry.supplement,
    Accommodations: entry.accommodations,
    Notice: entry.notice,
    Stage: exam.stage,
    ObjectivePart: exam.objective_part,
    EssayPart: exam.essay_part,
    PlanPart: exam.plan_part,
    PanelPart: exam.panel_part,
    Sitting: exam.sitting,
    LateBand: exam.late,
    Sanction: exam.sanction,
    Remedy: exam.remedy,
    Paper: exam.paper,
    WitnessRules: exam.witnesses,
    MarkingScheme: exam.scheme,
    Discrepancy: exam.discrepancy,
    Panel: exam.panel,
    Rounding: results.rounding,
    Total: results.total,
    Priority: results.priority,
    Ties: results.ties,
    Selection: results.selection,
    Publication: results.publication,
    Disclosure: results.disclosure,
    DrawRule: procedure.draw,
    DeadlineRule: procedure.deadline,
    HolidayYear: procedure.holidays,
    AppealChannel: procedure.appeal,
    Intervention: procedure.intervention,
    Retention: procedure.retention,
    Role: procedure.role,
    RoleConflicts: procedure.conflicts,
    Approval: procedure.approval,
    Council: procedure.council,
    VoteRule: procedure.vote,
    Relations: procedure.relations,
}
HEADINGS: Mapping[type[Clause], str] = {
    InForce: N_("Force"),
    Transition: N_("When the rule changes"),
    Freeze: N_("Closed period"),
    Posts: N_("Posts and appointments"),
    MinimumCandidates: N_("Least number of candidates"),
    SupplementRule: N_("Completing a file"),
    Accommodations: N_("Arrangements for candidates who need them"),
    Notice: N_("Public notice"),
    Sitting: N_("Rules of the hall"),
    LateBand: N_("Coming late"),
    Remedy: N_("After a disturbance"),
    Paper: N_("Keeping the paper"),
    WitnessRules: N_("Outside witnesses of the log"),
    Discrepancy: N_("When marks differ"),
    Rounding: N_("Rounding"),
    Total: N_("Total"),
    Priority: N_("Priority points"),
    Ties: N_("Equal totals"),
    Selection: N_("Who is chosen"),
    Publication: N_("Publication of results"),
    Disclosure: N_("Public record"),
    HolidayYear: N_("Holidays"),
    RoleConflicts: N_("Roles that exclude each other"),
    Council: N_("Council"),
    Relations: N_("Relations to candidates"),
    Retention: N_("How long data is kept"),
}
"""Headings of clauses that have no label of their own."""
SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("force", N_("Legal basis"), ("in_force", "transition", "freezes")),
    ("posts", N_("Posts"), ("posts",)),
    ("admission", N_("Who may apply"), ("admission",)),
    ("files", N_("What is handed in"), ("files",)),
    ("notice", N_("Notice"), ("notice",)),
    ("exam", N_("The exam"), ("stages",)),
    ("hall", N_("In the hall"), ("sitting", "late", "sanctions", "remedies")),
    ("papers", N_("Papers"), ("paper",)),
    ("draws", N_("Public draws"), ("draws",)),
    ("marking", N_("Marking"), ("marking", "panels")),
    ("results", N_("From marks to the ranking"), ("rounding", "total", "priority", "ties", "selection")),
    ("publication", N_("Publication"), ("publication", "disclosure")),
    ("calendar", N_("Calendar"), ("calendar",)),
    ("appeals", N_("How to contest"), ("appeals",)),
    ("decisions", N_("Decisions on the course"), ("interventions", "approvals")),
    ("people", N_("People who act"), ("council", "votes", "roles", "conflicts", "relations")),
    ("retention", N_("Data and record"), ("retention", "witnesses")),
)
"""Id, title, and the fields of a regulation whose clauses stand there; together they are all that hold clauses."""


@dataclass(frozen=True)
class ClauseText:
    """One clause in words; ``inside`` marks what belongs to the clause before it (a part of a stage)."""

    path: str
    heading: str
    lines: tuple[str, ...]
    clause: Clause
    inside: bool


@dataclass(frozen=True)
class Section:
    """A section with its clauses; ``lead`` are sentences that stand in no clause."""

    id: str
    title: str
    clauses: tuple[ClauseText, ...]
    lead: tuple[str, ...] = ()


def clause_text(words: Words, path: str, clause: Clause) -> ClauseText:
    """The heading and the sentences of one clause."""
    label = getattr(clause, "label", None)
    if isinstance(clause, Approval):
        heading = words.say(procedure.STEPS[clause.step])
    elif isinstance(clause, Intervention):
        heading = words.say(procedure.INTERVENTIONS[clause.kind])
    elif isinstance(clause, DrawRule):
        heading = words.say(procedure.DRAWN[clause.id])
    elif isinstance(clause, HolidayYear):
        heading = f"{words.say(HEADINGS[HolidayYear])} {clause.year}"
    elif label is not None:
        heading = words.label(label)
    else:
        heading = words.say(HEADINGS[type(clause)])
    inside = ".parts." in path or isinstance(clause, Discrepancy)
    return ClauseText(path, heading, tuple(SPEAKERS[type(clause)](words, clause)), clause, inside)


def sections(regulation: Regulation, language: str) -> tuple[Section, ...]:
    """The whole regulation in one language; a section without clauses is left out."""
    words = Words(language, regulation)
    every = [(path, clause_text(words, path, clause)) for path, clause in clauses(regulation)]
    found = []
    for name, title, fields in SECTIONS:
        own = tuple(text for field in fields for path, text in every if path.partition(".")[0] == field)
        lead = (procedure.weekend(words),) if name == "calendar" else ()
        if own or lead:
            found.append(Section(name, words.say(title), own, lead))
    return tuple(found)
