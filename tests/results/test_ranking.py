"""Who ranks where: the exact rules against an independent, slower calculation, and the cases people argue about."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from examsvc.competitions.regulation import Regulation
from examsvc.results import rules
from examsvc.results.rules import CODES, Entrant, Row, TieDecision, rank
from tests.results import slow_ranking
from tests.results.regulations import LABEL, SOURCE, changed, competitions, part, stage

met: Counter[str] = Counter()


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(competitions())
def test_the_ranking_is_the_one_found_by_comparing_each_with_each(
    case: tuple[dict[str, Any], list[Entrant], dict[str, int], list[TieDecision]],
) -> None:
    tree, entrants, vacancies, decisions = case
    regulation = Regulation.model_validate_json(json.dumps(tree))
    found = rank(regulation, entrants, vacancies, decisions)
    wanted = slow_ranking.rank(tree, entrants, vacancies, decisions)
    assert len(found.rows) == len(entrants)
    waiting = {number: (tie.by, tie.needed) for tie in found.open_ties for number in tie.numbers}
    for row in found.rows:
        want = wanted[row.number]
        assert (row.outcome, row.rank, row.total) == (want["outcome"], want["rank"], want["total"])
        assert row.part_marks == want["parts"]
        assert waiting.get(row.number, (None, False)) == (want["open"], want["needed"])
        assert {step.code for step in row.steps} <= set(CODES)
        met.update([row.outcome, *(step.code for step in row.steps)])
        check_derivation(row)
    order = [(row.post, row.rank is None, row.rank or 0) for row in found.rows]
    assert order == sorted(order)


def check_derivation(row: Row) -> None:
    """The lines of a derivation lead from its marks to its total by themselves."""
    worth: dict[str, Fraction] = {}
    for step in row.steps:
        if step.code == "weighted":
            worth[str(step.part)] = step.result or Fraction(0)
        elif step.code == "rounded" and step.detail == "weighted-part":
            assert worth[str(step.part)] == step.value
            worth[str(step.part)] = step.result or Fraction(0)
        elif step.code == "sum":
            assert step.result == sum(worth.values(), Fraction(0))
    last = [s for s in row.steps if s.part is None and s.code in ("sum", "priority", "rounded")]
    if row.total is not None:
        assert last[-1].result == row.total


def test_the_cases_above_meet_everything() -> None:
    """Every outcome and every kind of line occurred among the drawn competitions; runs after them."""
    assert met, "run the property above with it"
    outcomes = {"chosen", "reserve", "passed", "below-cut", "failed", "absent", "annulled", "incomplete"}
    assert outcomes | set(CODES) <= set(met)


# ---------------------------------------------------------------------------------------- cases by hand


def field(*marks: str, post: str = "A") -> list[Entrant]:
    return [Entrant(f"{i + 1:03}", post, {"a": Fraction(mark)}) for i, mark in enumerate(marks)]


def one_part(**clauses: Any) -> Regulation:
    own = clauses.pop("part", {})
    return changed(
        stages=[stage("only", [part("a", maximum="100", weight="1", pass_mark=None, hurdle=False, **own)])],
        **clauses,
    )


def ties(*steps: dict[str, str]) -> dict[str, Any]:
    return {**SOURCE, "steps": [{"part": None, "role": None, **step} for step in steps]}


def outcomes(regulation: Regulation, entrants: list[Entrant], places: int = 1, decisions: Any = ()) -> dict[str, tuple[Any, str]]:
    found = rank(regulation, entrants, {"A": places}, decisions)
    return {row.number: (row.rank, row.outcome) for row in found.rows}


def test_a_printed_fifty_passes_at_fifty() -> None:
    regulation = one_part(
        total={
            **json.loads(changed().model_dump_json())["total"],
            "pass_mark": {"at": "50", "of": "marks", "boundary": "at-least"},
        },
        rounding={**SOURCE, "points": [{"at": "total", "decimals": 2, "mode": "half-up"}]},
    )
    assert outcomes(regulation, field("49.995", "49.994")) == {"001": (1, "chosen"), "002": (None, "failed")}


def test_points_without_priority_break_a_tie_that_priority_made() -> None:
    """Both have 80; the one who had it without points stands above, also where points went to a part."""
    for added_to in (None, "a"):
        regulation = one_part(
            priority={
                **SOURCE,
                "entries": [{"id": "hero", "label": LABEL, "points": "5", "evidence": []}],
                "combine": "highest",
                "added_to": added_to,
                "after_pass_check": True,
            },
            ties=ties({"by": "total-without-priority"}),
        )
        first, second = field("75", "80")
        helped = Entrant(first.number, "A", first.marks, priorities=("hero",))
        assert outcomes(regulation, [helped, second]) == {"001": (2, "passed"), "002": (1, "chosen")}


def test_an_open_tie_at_the_last_place_chooses_nobody() -> None:
    regulation = one_part(ties=ties({"by": "role-decides", "role": "council-chair"}))
    entrants = field("80", "80", "70")
    found = rank(regulation, entrants, {"A": 1})
    assert [(tie.numbers, tie.by) for tie in found.open_ties] == [(("001", "002"), "council-chair")]
    assert [(row.rank, row.outcome) for row in found.rows] == [(1, "passed"), (1, "passed"), (3, "passed")]
    decided = [TieDecision(("002", "001"), "longer record in the field", "council-chair")]
    assert outcomes(regulation, entrants, 1, decided) == {
        "002": (1, "chosen"),
        "001": (2, "passed"),
        "003": (3, "passed"),
    }
    corrected = [*decided, TieDecision(("001", "002"), "the record was misread", "council-chair")]
    assert outcomes(regulation, entrants, 1, corrected)["001"] == (1, "chosen")


def test_a_tie_that_crosses_no_border_needs_no_decision_to_choose() -> None:
    regulation = one_part(ties=ties({"by": "lots"}))
    assert outcomes(regulation, field("80", "80", "70"), 2)["001"] == (1, "chosen")


def test_absence_in_a_later_stage_does_not_excuse_an_earlier_failure() -> None:
    regulation = changed(
        stages=[
            stage(
                "first",
                [
                    part(
                        "a",
                        maximum="10",
                        hurdle=True,
                        pass_mark={"at": "5", "of": "marks", "boundary": "at-least"},
                        weight="1",
                    )
                ],
            ),
            stage("second", [part("b", maximum="10", weight="1", pass_mark=None, hurdle=False)]),
        ],
        ties=ties({"by": "lots"}),
    )
    entrant = Entrant("001", "A", {"a": Fraction(4)}, absent=frozenset({"b"}))
    (row,) = rank(regulation, [entrant], {"A": 1}).rows
    assert (row.outcome, row.steps[-1].code) == ("failed", "pass-missed")


def test_sanctions_take_their_shares_of_the_mark_as_marked() -> None:
    assert rules.deducted([Fraction(1, 4), Fraction(1, 2)]) == Fraction(3, 4)
    assert rules.deducted([Fraction(1, 2), Fraction(1)]) == 1
    assert rules.deducted([]) == 0


@pytest.mark.parametrize(
    ("entrant", "error"),
    [
        (Entrant("001", "A", {"a": Fraction(101)}), ValueError),
        (Entrant("001", "A", {"a": Fraction(-1)}), ValueError),
        (Entrant("001", "A", {"z": Fraction(1)}), KeyError),
        (Entrant("001", "A", {"a": Fraction(1)}, deductions={"z": Fraction(1)}), KeyError),
        (Entrant("001", "A", {"a": Fraction(1)}, absent=frozenset({"z"})), KeyError),
    ],
)
def test_marks_that_the_regulation_does_not_know_are_refused(entrant: Entrant, error: type[Exception]) -> None:
    with pytest.raises(error):
        rank(one_part(), [entrant], {"A": 1})
