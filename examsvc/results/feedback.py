"""Private feedback: what one candidate may learn from his own work, with nobody else in it and nobody named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy.orm import Session

from examsvc.base.errors import N_
from examsvc.base.language import both
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.terms import read_exact
from examsvc.marking import essays
from examsvc.marking import queries as marking
from examsvc.papers import queries as papers
from examsvc.results import evidence

TOPICS = {
    "governance": N_("Public administration"),
    "management": N_("Management"),
    "reasoning": N_("Reasoning"),
}
"""Names of the main topics of the bank that ships with the program; of other banks the topic's own word stands."""


@dataclass(frozen=True)
class Reached:
    """A criterion or a topic: what was reached of what could be, exact; ``label`` by language."""

    label: Mapping[str, str]
    mark: Fraction
    maximum: Fraction

    @property
    def share(self) -> Fraction:
        return self.mark / self.maximum if self.maximum else Fraction(0)


def feedback(session: Session, competition: Competition, candidate: str) -> dict[str, list[Reached]]:
    """By part: topics of a test with the share reached, criteria of essays and hearings with the markers' mean."""
    found: dict[str, list[Reached]] = {}
    for part in competitions.regulation(competition).parts:
        if part.kind == "objective":
            found[part.id] = _topics(session, competition, part.id, candidate)
        elif part.kind in ("essay", "plan"):
            found[part.id] = _criteria_of_scripts(session, competition, part.id, candidate)
        else:
            found[part.id] = _criteria_of_hearing(session, competition, part.id, candidate)
    return {part: rows for part, rows in found.items() if rows}


def _topics(session: Session, competition: Competition, part: str, candidate: str) -> list[Reached]:
    test = evidence.test(session, competition, part)
    own = dict(test.rows).get(candidate)
    if own is None:
        return []
    sums: dict[str, list[Fraction]] = {}
    for topic, mark, maximum in zip(test.topics, own, test.maximum, strict=True):
        name = topic.split(".")[0]
        if name and mark is not None:
            reached = sums.setdefault(name, [Fraction(0), Fraction(0)])
            reached[0] += Fraction(mark).limit_denominator(10**6)
            reached[1] += Fraction(maximum).limit_denominator(10**6)
    return [
        Reached(both(TOPICS.get(name, name)), mark, maximum) for name, (mark, maximum) in sorted(sums.items())
    ]


def _criteria_of_scripts(session: Session, competition: Competition, part: str, candidate: str) -> list[Reached]:
    rows = []
    for script in marking.scripts(session, competition.id, part):
        if script.attempt is None or script.application.candidate_number != candidate:
            continue
        sheets = [one.sheet for one in marking.active_allocations(script) if one.sheet is not None]
        titles = {one.id: one.title for one in papers.item(script.item_version).rubric}
        for name, maximum, _ in essays.criteria_of(script):
            marks = [read_exact(sheet.criteria[name]) for sheet in sheets if name in sheet.criteria]
            if marks and name in titles:
                label = {language: titles[name].plain(language) for language in ("vi", "en")}
                rows.append(Reached(label, sum(marks, Fraction(0)) / len(marks), maximum))
    return rows


def _criteria_of_hearing(session: Session, competition: Competition, part: str, candidate: str) -> list[Reached]:
    regulation = competitions.regulation(competition)
    panel = regulation.panel_of(regulation.part(part))  # type: ignore[arg-type]
    for hearing in marking.hearings(session, competition.id, part):
        if hearing.application.candidate_number != candidate:
            continue
        sheets = [seat.sheets[-1] for seat in marking.sitting_members(hearing) if seat.sheets]
        rows = []
        for criterion in panel.criteria:
            marks = [read_exact(sheet.criteria[criterion.id]) for sheet in sheets if criterion.id in sheet.criteria]
            if marks:
                rows.append(
                    Reached(criterion.label.model_dump(), sum(marks, Fraction(0)) / len(marks), criterion.maximum)
                )
        return rows
    return []
