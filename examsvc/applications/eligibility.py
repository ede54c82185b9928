"""Does a candidate meet a criterion?  Pure: the regulation's clause, the facts of the file and the days of events in; an
explained assessment out.

An assessment says what was computed (met, not met, or nothing where a fact is missing), from which facts, and whether the regulation
leaves the finding to a person.  It never decides on a file: people do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from examsvc.applications.questions import NO_LEVEL, applicable
from examsvc.base.errors import N_
from examsvc.competitions.calendar import add_months
from examsvc.competitions.entry_clauses import (
    DateCriterion,
    DeclarationCriterion,
    DocumentCriterion,
    LadderCriterion,
    NumberCriterion,
)
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.terms import read_exact

Computed = Literal["met", "not-met"]
CLOSING = "applications-closed"


@dataclass(frozen=True)
class Facts:
    """What the file says.  ``files`` are the kinds of files that are there, ``signed`` the criteria whose statement was signed,
    ``days`` the local days of events, past or planned."""

    stream: str
    level_of_post: str
    birth: date | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    signed: frozenset[str] = frozenset()
    days: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """One fact that was used: its name as a sentence of the program, and its value as text, a day or a number."""

    name: str
    value: str | date | int


@dataclass(frozen=True)
class Assessment:
    """One criterion, looked at.

    ``computed`` is None where a fact is missing or only a person can tell; ``because`` is a sentence of the program
    with ``params``.  ``missing`` are kinds of files that should prove the criterion and are not there.
    """

    criterion: str
    clause: str
    computed: Computed | None
    needs_a_person: bool
    because: str
    params: Mapping[str, object]
    facts: tuple[Fact, ...] = ()
    evidence: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def decisive(self) -> Computed | None:
        """The finding where no person is needed for it."""
        return None if self.needs_a_person else self.computed


def full_months(since: date, until: date) -> int:
    """Full months between two days, negative where the second is earlier.

    A month is full on the same day of the month, or on its last day where it has no such day: from 31 January the first month is
    full on 28 (29) February, as deadlines in months are counted.
    """
    months = (until.year - since.year) * 12 + until.month - since.month
    while add_months(since, months) > until:
        months -= 1
    return months


def assess(regulation: Regulation, facts: Facts) -> tuple[Assessment, ...]:
    """Every criterion that holds for the candidate's stream, in the regulation's order."""
    return tuple(_assess(criterion, facts) for criterion in applicable(regulation, facts.stream))


def _assess(criterion: Any, facts: Facts) -> Assessment:
    computed: Computed | None
    match criterion:
        case DateCriterion():
            computed, because, params, used = _dates(criterion, facts)
        case NumberCriterion():
            computed, because, params, used = _number(criterion, facts)
        case DocumentCriterion():
            there = criterion.file in facts.files
            computed = "met" if there else "not-met"
            because = N_("The file is there.") if there else N_("The file is not there.")
            params, used = {}, []
        case DeclarationCriterion():
            signed = criterion.id in facts.signed
            computed = "met" if signed else "not-met"
            because = N_("The statement is signed.") if signed else N_("The statement is not signed.")
            params, used = {}, []
        case LadderCriterion():
            computed, because, params, used = _ladder(criterion, facts)
        case _:
            raise TypeError(f"no rule for {criterion.kind}")
    wanted = dict.fromkeys((*criterion.evidence, *((criterion.file,) if isinstance(criterion, DocumentCriterion) else ())))
    return Assessment(
        criterion=criterion.id,
        clause=f"admission.criteria.{criterion.id}",
        computed=computed,
        needs_a_person=criterion.needs_a_person or computed is None,
        because=because,
        params=params,
        facts=tuple(used),
        evidence=tuple(one for one in wanted if one in facts.files),
        missing=tuple(one for one in wanted if one not in facts.files),
    )


_Result = tuple[Computed | None, str, dict[str, object], list[Fact]]


def _unknown(what: str, used: list[Fact]) -> _Result:
    return None, N_("The file does not say: %(what)s."), {"what": what}, used


def _day(facts: Facts, name: str) -> date | None:
    value = facts.answers.get(name)
    return date.fromisoformat(value) if value else None


_MEASURED = {
    "age": ("birth", N_("Date of birth")),
    "service": ("service_since", N_("In public service since")),
    "service-in-field": ("field_since", N_("Working in the field of the post since")),
    "time-in-post": ("post_since", N_("In the present post since")),
    "time-to-retirement": ("retires_on", N_("Day of retirement by law")),
    "time-since-discipline": ("disciplined_on", N_("Date of the last disciplinary decision")),
}


def _dates(criterion: DateCriterion, facts: Facts) -> _Result:
    used: list[Fact] = []
    if criterion.for_sex != "everyone":
        sex = facts.answers.get("sex")
        if sex is None:
            return _unknown(N_("Sex"), used)
        if (sex == "woman") != (criterion.for_sex == "women"):
            return "met", N_("The criterion does not concern this candidate."), {}, used
    on = facts.days.get(criterion.on)
    if on is None:
        return None, N_("The day on which it is measured is not fixed yet."), {}, used
    name, label = _MEASURED[criterion.measure]
    if criterion.measure == "time-since-discipline" and facts.answers.get("disciplined") == "no":
        return "met", N_("The candidate states that there was no disciplinary measure."), {}, used
    start = facts.birth if criterion.measure == "age" else _day(facts, name)
    if start is None:
        return _unknown(label, used)
    used.append(Fact(label, start))
    used.append(Fact(N_("Measured on"), on))
    months = full_months(on, start) if criterion.measure == "time-to-retirement" else full_months(start, on)
    length = months if criterion.unit == "months" else months // 12
    used.append(Fact(N_("Full months") if criterion.unit == "months" else N_("Full years"), length))
    met = length in criterion.allowed
    return (
        "met" if met else "not-met",
        N_("%(length)d lies in the allowed range %(range)s.") if met else N_("%(length)d lies outside the allowed range %(range)s."),
        {"length": length, "range": str(criterion.allowed)},
        used,
    )


def _number(criterion: NumberCriterion, facts: Facts) -> _Result:
    given = facts.answers.get(f"number.{criterion.measure}")
    if given is None:
        return _unknown(N_("the number"), [])
    met = read_exact(given) in criterion.allowed
    return (
        "met" if met else "not-met",
        N_("%(number)s lies in the allowed range %(range)s.") if met else N_("%(number)s lies outside the allowed range %(range)s."),
        {"number": given, "range": str(criterion.allowed)},
        [Fact(N_("Number given"), given)],
    )


def _ladder(criterion: LadderCriterion, facts: Facts) -> _Result:
    level = facts.answers.get("level")
    if level is None:
        return _unknown(N_("Leadership post held now"), [])
    held = None if level == NO_LEVEL else str(level)
    rules = [rule for rule in criterion.rules if rule.holds == held]
    used = [Fact(N_("Leadership post held now"), str(level)), Fact(N_("Level of the post applied for"), facts.level_of_post)]
    if not any(facts.level_of_post in rule.may_try for rule in rules):
        return "not-met", N_("From the post held now this level may not be tried."), {}, used
    on = facts.days.get(CLOSING)
    if on is None:
        return None, N_("The day on which it is measured is not fixed yet."), {}, used
    needed = min(rule.months for rule in rules if facts.level_of_post in rule.may_try)
    name, label = _MEASURED["service-in-field" if held is None else "time-in-post"]
    start = _day(facts, name)
    if start is None and needed > 0:
        return _unknown(label, used)
    if start is not None:
        months = full_months(start, on)
        used += [Fact(label, start), Fact(N_("Measured on"), on), Fact(N_("Full months"), months)]
        if months < needed:
            return "not-met", N_("%(months)d full months; %(needed)d are needed."), {"months": months, "needed": needed}, used
    if needed == 0:
        return "met", N_("The next step of the ladder."), {}, used
    return "met", N_("The next step of the ladder, with at least %(needed)d full months."), {"needed": needed}, used
