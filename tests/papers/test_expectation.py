"""Forms that aim at information, demands on the whole paper, and what may be expected of a form, each against a calculation by hand."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.base.errors import Refused
from examsvc.papers.assembly import NEARLY, choose, curves, lot
from examsvc.papers.expectation import ABILITIES, expect, expected_share
from examsvc.papers.rules import Candidate, Cell, Demands


def item(number: int, **about: object) -> Candidate:
    given: dict[str, object] = {"words": 10, **about}
    return Candidate(f"d{number}", f"i{number}", "single", "a", "apply", **given)  # type: ignore[arg-type]


def information(theta: float, a: float, b: float, c: float) -> float:
    """Birnbaum's three-parameter model: a² (Q/P) ((P − c)/(1 − c))²."""
    p = c + (1 - c) / (1 + math.exp(-a * (theta - b)))
    return a * a * (1 - p) / p * ((p - c) / (1 - c)) ** 2


curve = st.tuples(st.floats(0.3, 2.5), st.floats(-2, 2), st.sampled_from([0.0, 0.2]))


@settings(max_examples=25, deadline=None)
@given(st.lists(curve, min_size=4, max_size=7), st.sampled_from([(0,), (-1, 1)]), st.text("ab", min_size=1, max_size=3))
def test_a_form_that_measures_most_is_nearly_the_best_of_all(parameters: list[tuple[float, float, float]], points: tuple[int, ...], seed: str) -> None:
    pool = [item(n, curve=one) for n, one in enumerate(parameters)]
    demands = Demands(aim="most", points=tuple(Fraction(one) for one in points))
    made = choose(pool, [Cell(3, "1")], seed, demands=demands)

    def reached(form: tuple[Candidate, ...]) -> float:
        return min(sum(information(point, *one.curve) for one in form if one.curve) for point in points)

    every = {form: reached(form) for form in itertools.combinations(pool, 3)}
    best = max(every.values())
    mine = reached(tuple(one.item for one in made))
    assert mine >= best * NEARLY * 0.98
    good = [form for form, value in every.items() if value >= best * NEARLY * 1.02]
    worth = sum(lot(seed, one.item.digest) for one in made)
    assert all(worth >= sum(lot(seed, one.digest) for one in form) - 1e-9 for form in good), "the lot decides among the good ones"
    assert choose(list(reversed(pool)), [Cell(3, "1")], seed, demands=demands) == made


def test_forms_with_one_target_are_parallel() -> None:
    pool = [item(n, curve=(0.6 + 0.1 * (n % 10), -2 + 0.1 * n, 0.2), words=20 + n % 5) for n in range(40)]
    demands = Demands(aim="target", points=(Fraction(-1), Fraction(0), Fraction(1)), target=(Fraction(6, 5), Fraction(3, 2), Fraction(6, 5)))
    first = choose(pool, [Cell(12, "1")], "s/main", demands=demands)
    taken = {one.item.identifier for one in first}
    second = choose(pool, [Cell(12, "1")], "s/spare", demands=demands, excluded=taken)
    assert taken.isdisjoint(one.item.identifier for one in second)
    for form in (first, second):
        for point, aim in ((-1, 1.2), (0, 1.5), (1, 1.2)):
            found = sum(information(point, *one.item.curve) for one in form if one.item.curve)
            assert found == pytest.approx(aim, abs=0.1)


def test_a_spare_is_parallel_to_a_main_paper_that_measures_most() -> None:
    pool = [item(n, curve=(0.5 + 0.05 * n, 0.0, 0.0)) for n in range(30)]
    demands = Demands(aim="most", points=(Fraction(0),))
    main = choose(pool, [Cell(5, "1")], "s/main", demands=demands)
    taken = {one.item.identifier for one in main}
    spare = choose(pool, [Cell(5, "1")], "s/spare", demands=demands, excluded=taken, like=[one.item for one in main])
    left = sorted((one for one in pool if one.identifier not in taken), key=lambda one: -information(0, *one.curve))[:5]
    best = sum(information(0, *one.curve) for one in left)
    reached = sum(information(0, *one.item.curve) for one in spare)
    goal = sum(information(0, *one.item.curve) for one in main)
    assert best - reached <= 0.05 * goal + 0.01 * goal + 1e-6


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(5, 60), st.integers(0, 4), st.booleans()), min_size=6, max_size=8), st.integers(30, 120), st.integers(0, 3), st.booleans())
def test_demands_on_the_whole_paper_hold_or_are_named(about: list[tuple[int, int, bool]], most: int, uses: int, reviewed: bool) -> None:
    pool = [item(n, words=words, uses=used, reviewed=read, minutes=Fraction(words, 20)) for n, (words, used, read) in enumerate(about)]
    demands = Demands(words=(None, most), uses=uses, reviewed=reviewed, minutes=Fraction(5))
    allowed = [one for one in pool if one.uses <= uses and (one.reviewed or not reviewed)]
    possible = any(
        sum(one.words for one in form) <= most and sum((one.minutes or 0) for one in form) <= 5 for form in itertools.combinations(allowed, 3)
    )
    if not possible:
        with pytest.raises(Refused):
            choose(pool, [Cell(3, "1")], "s", demands=demands)
        return
    made = [one.item for one in choose(pool, [Cell(3, "1")], "s", demands=demands)]
    assert set(made) <= set(allowed)
    assert sum(one.words for one in made) <= most


@pytest.mark.parametrize(
    ("pool", "demands", "words"),
    [
        ([item(n, words=100) for n in range(6)], Demands(words=(None, 250)), "words to read: ≤ 250 asked, 300 possible with the rest; line 1"),
        ([item(n, minutes=Fraction(3)) for n in range(6)], Demands(minutes=Fraction(8)), "expected minutes: ≤ 8 asked, 9 possible"),
        ([item(n, minutes=None) for n in range(6)], Demands(minutes=Fraction(8)), "expected minutes of the question i0 are not known"),
        ([item(n, uses=3) for n in range(6)], Demands(uses=1), "6 more are drafts or were used too often"),
        ([item(n, reviewed=n == 0) for n in range(6)], Demands(reviewed=True), "only 1 free ones that fit; 5 more"),
        ([item(n) for n in range(6)], Demands(aim="most", points=(Fraction(0),)), "has the parameters"),
        (
            [item(n, words=100, enemies=frozenset({f"i{(n + 1) % 4}"})) for n in range(4)],
            Demands(words=(None, 400)),
            "questions that must not stand together",
        ),
    ],
)  # fmt: skip
def test_a_blueprint_that_cannot_be_met_says_which_demands_contradict(pool: list[Candidate], demands: Demands, words: str) -> None:
    with pytest.raises(Refused) as refusal:
        choose(pool, [Cell(3, "1")], "s", demands=demands)
    said = str(refusal.value)
    assert all(part in said for part in words.split("; ")), said


@pytest.mark.parametrize(
    "stored",
    [
        {"least_words": 10, "most_words": 5},
        {"aim": "most"},
        {"aim": "most", "points": ["9"]},
        {"aim": "target", "points": ["0", "1"], "target": ["1"]},
        {"aim": "target", "points": ["0"], "target": ["0"]},
        {"aim": "most", "points": [str(n) for n in range(8)]},
    ],
)
def test_demands_that_make_no_sense_are_refused(stored: dict[str, object]) -> None:
    with pytest.raises(Refused):
        Demands.read(stored)


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        Demands,
        words=st.tuples(st.none() | st.integers(0, 9), st.none() | st.integers(10, 99)),
        minutes=st.none() | st.fractions(1, 90, max_denominator=4),
        uses=st.none() | st.integers(0, 9),
        reviewed=st.booleans(),
    )
)
def test_demands_come_back_as_they_were_stored(demands: Demands) -> None:
    assert Demands.read(demands.written()) == demands


def test_what_may_be_expected_adds_up() -> None:
    """Difficulty from past use, else from the model; information the sum of Birnbaum's; unknown ones are counted, not guessed."""
    known, modelled, unknown = item(1, difficulty=0.25), item(2, curve=(1.2, 0.5, 0.2), words=390), item(3, minutes=Fraction(2))
    found = expect([(known, "3"), (modelled, "1"), (unknown, "6")])
    nodes = [n / 100 for n in range(-800, 801)]
    weights = [math.exp(-0.5 * n * n) for n in nodes]
    share = sum(w * (0.2 + 0.8 / (1 + math.exp(-1.2 * (n - 0.5)))) for n, w in zip(nodes, weights, strict=True)) / sum(weights)
    assert expected_share(modelled) == pytest.approx(share, abs=1e-4)
    assert found.difficulty == pytest.approx((3 * 0.25 + share) / 4, abs=1e-4)
    assert (found.known, found.measured, found.questions) == (2, 1, 3)
    assert (found.words, found.reading_minutes, found.minutes) == (410, 3, None)
    assert list(found.information) == pytest.approx([information(theta, 1.2, 0.5, 0.2) for theta in ABILITIES])
    assert found.errors[2] == pytest.approx(information(0, 1.2, 0.5, 0.2) ** -0.5)
    nothing = expect([(unknown, "6")])
    assert (nothing.difficulty, nothing.information, nothing.minutes) == (None, (), Fraction(2))
    assert curves([unknown], [0.0]).tolist() == [[0.0]]
