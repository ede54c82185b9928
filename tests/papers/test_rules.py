"""Blueprints against the regulation, and faulty questions taken out of the scores."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.competitions.regulation import read_preset
from examsvc.papers.rules import Candidate, Cell, check_blueprint, neutralise

PART = read_preset("demo").part("test")
STOCK = [Candidate(f"d{n}", f"i{n}", "single", "a", "apply") for n in range(30)]

marks = st.fractions(min_value=Fraction(1, 4), max_value=10, max_denominator=4)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.integers(1, 30), st.tuples(marks, st.booleans()), min_size=1, max_size=12),
    st.data(),
)
def test_redistributed_marks_keep_the_maximum_and_the_proportions(questions: dict, data: st.DataObject) -> None:
    faulty = set(data.draw(st.lists(st.sampled_from(sorted(questions)), unique=True)))
    scores = {n: (most if right else Fraction(0), most) for n, (most, right) in questions.items()}
    after = neutralise(scores, dict.fromkeys(faulty, "redistribute"))
    assert list(after) == list(scores)
    total = sum(most for _, most in scores.values())
    assert sum(most for _, most in after.values()) == total
    sound = [n for n in scores if n not in faulty]
    if sound:
        # by hand: the share reached on the sound questions alone, of the whole maximum
        share = sum(scores[n][0] for n in sound) / sum(scores[n][1] for n in sound)
        assert sum(score for score, _ in after.values()) == share * total
    else:
        assert sum(score for score, _ in after.values()) == total


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.integers(1, 9), st.tuples(marks, marks), min_size=1, max_size=8), st.data())
def test_full_marks_and_dropped_marks(questions: dict, data: st.DataObject) -> None:
    scores = {n: (min(pair), max(pair)) for n, pair in questions.items()}
    rules = {n: data.draw(st.sampled_from(("full-marks", "drop", ""))) for n in scores}
    rules = {n: rule for n, rule in rules.items() if rule}
    after = neutralise(scores, rules)
    for n, (score, most) in scores.items():
        expected = {"full-marks": (most, most), "drop": (0, 0), None: (score, most)}[rules.get(n)]
        assert after[n] == expected


def test_nothing_is_changed_where_nothing_is_faulty() -> None:
    scores = {1: (Fraction(1), Fraction(2)), 2: (Fraction(0), Fraction(2))}
    assert neutralise(scores, {}) == scores


def sentences(cells: list[Cell], stock: list[Candidate] = STOCK) -> list[tuple[str, str]]:
    return [(one.severity, str(one)) for one in check_blueprint(cells, PART, stock)]


def test_a_blueprint_is_held_against_the_regulation() -> None:
    assert sentences([Cell(10, "4")]) == []
    assert sentences([Cell(8, "4")]) == [
        ("error", "The paper has 8 questions; the regulation asks for 10–40."),
        ("error", "The marks add up to 32; the regulation's maximum for this part is 40."),
    ]
    assert sentences([Cell(4, "2.5"), Cell(12, "2.5")]) == []


def test_a_blueprint_is_held_against_the_stock() -> None:
    assert sentences([Cell(20, "2")]) == [
        (
            "advice",
            "Line 1 takes 20 of only 30 questions that fit: a spare paper without common questions may not be possible.",
        )
    ]
    assert sentences([Cell(10, "2"), Cell(10, "2", kinds=("match",))])[-1] == (
        "error",
        "Line 2 asks for 10 questions, but the bank has only 0 that fit. Lower the number or widen the line.",
    )


@given(st.builds(Cell, st.integers(1, 99), st.sampled_from(("1", "2.5")), st.just(("a",)), st.just(()), st.just(("single",))))
def test_a_line_is_written_as_it_is_read(cell: Cell) -> None:
    assert Cell.read(cell.written()) == cell
