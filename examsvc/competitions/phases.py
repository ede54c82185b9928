"""The phases of a competition, in the order that follows from its regulation, and what each step to the next one needs.

A phase is written "kind" or "kind:stage": "applications", "exam:written", "defence:defence". What a step needs is a list of
facts by name; the caller says which facts hold. Nothing here reads a clock or a database.

Beside its phase a competition has a standing: it goes on, or it is postponed, suspended or annulled by a reasoned decision.
A postponed or suspended competition keeps its phase and resumes there; an annulled one ends.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import Literal

from examsvc.competitions.exam_clauses import EssayPart, ObjectivePart, PanelPart, PlanPart, Stage
from examsvc.competitions.regulation import Regulation

PhaseKind = Literal[
    "draft",
    "announced",
    "applications",
    "eligibility",
    "exam",
    "marking",
    "defence",
    "results",
    "appeals",
    "final",
]
Standing = Literal["going-on", "postponed", "suspended", "annulled"]
Action = Literal["advance", "postpone", "suspend", "resume", "annul", "repeat"]


@dataclass(frozen=True)
class Phase:
    """One phase."""

    kind: PhaseKind
    stage: str | None = None
    """The stage it belongs to; None where it belongs to the whole competition."""

    @property
    def id(self) -> str:
        """The name under which it is recorded, at most 30 letters."""
        return f"{self.kind}:{self.stage}" if self.stage else self.kind


@dataclass(frozen=True)
class Position:
    """Where a competition stands."""

    phase: Phase
    standing: Standing = "going-on"


@dataclass(frozen=True)
class Transition:
    """A step that the regulation allows from a position."""

    action: Action
    to: Position
    needs: tuple[str, ...]
    """Facts that must hold, "marks-locked:written"; see `FACTS`."""
    decided_by: str | None
    """Role that decides with a written reason; None where no decision is needed beyond the facts."""

    def missing(self, facts: Set[str]) -> tuple[str, ...]:
        """The needed facts that do not hold."""
        return tuple(need for need in self.needs if need not in facts)


FACTS = {
    "regulation-pinned": "the regulation's digest is recorded for this competition",
    "clauses-confirmed": "no clause lacks the confirmation it needs",
    "no-lint-errors": "lint finds no error in the regulation",
    "notice-complete": "the notice holds what the regulation asks, in both languages",
    "council-appointed": "the council has an allowed size and composition",
    "approved:publish-notice": "the people whom the regulation names approved the notice",
    "applications-opened": "the opening time has come",
    "applications-closed": "the closing time has come",
    "eligibility-decided:STAGE": "every candidate's criteria of this stage are decided",
    "enough-candidates": "each post has the least number of candidates, or a reasoned decision says how to go on",
    "plans-handed-in:STAGE": "the files that the stage's parts need are handed in or their absence is decided",
    "papers-sealed:STAGE": "main and, where asked, spare papers of the stage are approved and sealed",
    "hall-staffed:STAGE": "the roles of the hall are filled without conflicts",
    "candidates-summoned:STAGE": "candidates who remain were told time and place",
    "sittings-closed:STAGE": "no attempt of the stage is open",
    "scripts-coded:STAGE": "scripts have their codes and are allocated",
    "panel-formed:STAGE": "the panel has its size without recused members",
    "order-drawn:STAGE": "the order of the candidates is fixed",
    "marks-locked:STAGE": "all marks of the stage are locked",
    "stage-results:STAGE": "who goes on after the stage is decided",
    "results-reported": "the ranking is computed and the council has voted on it",
    "approved:approve-results": "the competent authority approved the results",
    "approved:publish-results": "the people whom the regulation names approved the publication",
    "appeal-windows-closed": "every window to contest has ended",
    "appeals-decided": "no appeal is open",
    "reasoned-decision:ACTION": "a written decision with its reason, by the role that the regulation names",
    "approved:intervene": "the people whom the regulation names approved the decision",
    "winners-recorded": "winners, or the reserve list, are recorded",
}
"""Every fact that a step may need; STAGE stands for a stage's name, ACTION for postpone, suspend, resume, annul or repeat."""


def phases(regulation: Regulation) -> tuple[Phase, ...]:
    """The phases in order. Stages come as the regulation orders them: some test before they decide on eligibility."""
    found = [Phase("draft"), Phase("announced"), Phase("applications")]
    for stage in regulation.stages:
        found += [Phase(kind, stage.id) for kind in _kinds(stage)]
    return (*found, Phase("results"), Phase("appeals"), Phase("final"))


def phase(regulation: Regulation, phase_id: str) -> Phase:
    """The phase of this name. KeyError where the regulation has none of it."""
    for one in phases(regulation):
        if one.id == phase_id:
            return one
    raise KeyError(phase_id)


def _kinds(stage: Stage) -> tuple[PhaseKind, ...]:
    if stage.kind != "examination":
        return ("eligibility",)
    kinds: list[PhaseKind] = []
    if any(isinstance(part, ObjectivePart | EssayPart) for part in stage.parts):
        kinds.append("exam")
    if any(isinstance(part, EssayPart | PlanPart) for part in stage.parts):
        kinds.append("marking")
    if any(isinstance(part, PanelPart) for part in stage.parts):
        kinds.append("defence")
    return tuple(kinds)


def transitions(regulation: Regulation, position: Position) -> tuple[Transition, ...]:
    """Every step allowed from a position, the advance first. An annulled or final competition has none."""
    order = phases(regulation)
    here = order.index(position.phase)
    if position.standing == "annulled":
        return ()
    found: list[Transition] = []
    if position.standing == "going-on":
        if here + 1 < len(order):
            needs = _needs(regulation, order, here + 1)
            found.append(Transition("advance", Position(order[here + 1]), needs, None))
        found += _repeats(regulation, order, here)
        if position.phase.kind not in ("draft", "final"):
            found += _decided(regulation, position, "suspend", "suspended")
            if position.phase.kind not in ("results", "appeals"):
                found += _decided(regulation, position, "postpone", "postponed")
    else:
        found += _decided(regulation, position, "resume", "going-on")
    if position.phase.kind not in ("draft", "final"):
        found += _decided(regulation, position, "annul", "annulled")
    return tuple(found)


def _decided(
    regulation: Regulation,
    position: Position,
    action: Literal["postpone", "suspend", "resume", "annul"],
    standing: Standing,
) -> list[Transition]:
    rule = regulation.intervention(action)
    if rule is None or "competition" not in rule.scopes:
        return []
    needs = (f"reasoned-decision:{action}", *_approval(regulation, "intervene"))
    return [Transition(action, Position(position.phase, standing), needs, rule.decided_by)]


def _repeats(regulation: Regulation, order: tuple[Phase, ...], here: int) -> list[Transition]:
    """Back to an exam or a defence whose sitting or part was annulled; a repeated sitting makes new attempts."""
    rule = regulation.intervention("annul")
    if rule is None or not {"sitting", "part"} & set(rule.scopes) or order[here].kind == "final":
        return []
    needs = ("reasoned-decision:repeat", *_approval(regulation, "intervene"))
    return [
        Transition("repeat", Position(earlier), needs, rule.decided_by)
        for earlier in order[:here]
        if earlier.kind in ("exam", "defence")
    ]


def _approval(regulation: Regulation, step: str) -> tuple[str, ...]:
    return (f"approved:{step}",) if regulation.approval(step) else ()


def _needs(regulation: Regulation, order: tuple[Phase, ...], target: int) -> tuple[str, ...]:
    """Facts for entering order[target]: what leaving the phase before it needs, then what the phase itself needs."""
    before, entered = order[target - 1], order[target]
    needs: list[str] = []
    if before.kind == "applications":
        needs.append("applications-closed")
    elif before.kind == "eligibility":
        needs.append(f"eligibility-decided:{before.stage}")
    elif before.kind == "exam":
        needs.append(f"sittings-closed:{before.stage}")
    if before.stage and before.stage != entered.stage and before.kind != "eligibility":
        needs += [f"marks-locked:{before.stage}", f"stage-results:{before.stage}"]
    first_test = next((i for i, one in enumerate(order) if one.kind in ("exam", "marking", "defence")), None)
    if target == first_test:
        needs.append("enough-candidates")
    needs += _own_needs(regulation, entered)
    return tuple(needs)


def _own_needs(regulation: Regulation, entered: Phase) -> list[str]:
    stage = entered.stage
    if entered.kind == "announced":
        return [
            "regulation-pinned",
            "no-lint-errors",
            "clauses-confirmed",
            "notice-complete",
            "council-appointed",
            *_approval(regulation, "publish-notice"),
        ]
    if entered.kind == "applications":
        return ["applications-opened"]
    if entered.kind == "exam":
        return [f"papers-sealed:{stage}", f"hall-staffed:{stage}", f"candidates-summoned:{stage}"]
    if entered.kind == "marking":
        parts = regulation.stage(stage or "").parts
        handed = [f"plans-handed-in:{stage}"] if any(isinstance(part, PlanPart) for part in parts) else []
        return [*handed, f"scripts-coded:{stage}"]
    if entered.kind == "defence":
        parts = regulation.stage(stage or "").parts
        defended = any(isinstance(part, PanelPart) and part.file for part in parts)
        handed = [f"plans-handed-in:{stage}"] if defended else []
        return [*handed, f"panel-formed:{stage}", f"order-drawn:{stage}", f"candidates-summoned:{stage}"]
    if entered.kind == "appeals":
        approvals = (*_approval(regulation, "approve-results"), *_approval(regulation, "publish-results"))
        return ["results-reported", *approvals]
    if entered.kind == "final":
        return ["appeal-windows-closed", "appeals-decided", "winners-recorded"]
    return []
