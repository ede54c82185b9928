import itertools
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from examsvc.competitions.terms import Interval, coverage, read_exact, round_exact, write_exact

quick = settings(max_examples=200, deadline=None)
exact_numbers = st.builds(Fraction, st.integers(-(10**6), 10**6), st.integers(1, 10**4))


@quick
@given(exact_numbers)
def test_an_exact_number_is_written_in_one_way_and_read_back(number):
    text = write_exact(number)
    assert read_exact(text) == number
    assert write_exact(read_exact(text)) == text


@quick
@given(st.decimals(0, 10**6, places=6))
def test_a_decimal_text_means_what_decimal_says(decimal):
    text = format(decimal, "f")
    assert read_exact(text) == Fraction(decimal)
    assert Decimal(write_exact(Fraction(decimal))) == decimal


def test_spellings_of_a_half_are_one_number_and_one_spelling():
    spellings = ["0.5", "0.50", "1/2", "50/100", Fraction(1, 2)]
    assert {write_exact(read_exact(spelling)) for spelling in spellings} == {"0.5"}
    assert [write_exact(read_exact(x)) for x in ("1/3", "7.50", 60, "-0.25", "0.0")] == ["1/3", "7.5", "60", "-0.25", "0"]


@pytest.mark.parametrize(
    "bad", ["", " 1", "1 ", "1e3", "+1", ".5", "5.", "1/0", "1/2/3", "½", "٣", "1" * 13, "inf", "nan", 0.5, True, None, []]
)
def test_other_spellings_are_refused(bad):
    with pytest.raises(PydanticCustomError):
        read_exact(bad)


@quick
@given(st.integers(-(10**6), 10**6), st.integers(0, 3))
def test_rounding_agrees_with_decimal_arithmetic(thousandths, places):
    number, unit = Decimal(thousandths) / 1000, Decimal(1).scaleb(-places)
    modes = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN, "down": ROUND_DOWN, "up": ROUND_UP}
    assert len(modes) == 4
    for mode, expected in modes.items():
        assert round_exact(Fraction(number), Fraction(unit), mode) == Fraction(number.quantize(unit, expected))


def ranges(upper=8):
    def build(lower, length, lower_closed, upper_closed):
        if length is None:
            return Interval(Fraction(lower, 2), None, lower_closed, False)
        if length == 0:
            return Interval(Fraction(lower, 2), Fraction(lower, 2), True, True)
        return Interval(Fraction(lower, 2), Fraction(lower + length, 2), lower_closed, upper_closed)

    return st.builds(
        build, st.integers(0, upper * 2), st.none() | st.integers(0, 10), st.booleans(), st.booleans()
    )


POINTS = [Fraction(n, 4) for n in range(60)]  # every half-integer bound, and a point strictly between any two


@quick
@given(st.lists(ranges(), max_size=5))
def test_coverage_agrees_with_looking_at_points(taken):
    whole = Interval(Fraction(0), Fraction(9), True, True)
    found = coverage(taken, whole)
    for point in POINTS:
        uncovered = point in whole and not any(point in one for one in taken)
        assert any(point in gap for gap in found.gaps) == uncovered
    expected = {
        (i, j)
        for (i, a), (j, b) in itertools.combinations(enumerate(taken), 2)
        if any(point in a and point in b for point in POINTS)
    }
    assert set(found.overlaps) == expected


@quick
@given(st.lists(ranges(), max_size=5))
def test_coverage_of_whole_numbers_looks_at_whole_numbers_only(taken):
    whole = Interval(Fraction(1), None, True, False)
    found = coverage(taken, whole, whole_numbers=True)
    for number in range(25):
        uncovered = number in whole and not any(number in one for one in taken)
        assert any(number in gap for gap in found.gaps) == uncovered
    overlapping = any(
        number in a and number in b for a, b in itertools.combinations(taken, 2) for number in range(25)
    )
    assert bool(found.overlaps) == overlapping


@quick
@given(ranges())
def test_a_range_is_read_from_its_own_text(one):
    assert Interval.read(str(one)) == one


@pytest.mark.parametrize("bad", ["[5, 5)", "(5, 5)", "[6, 5]", "[0, inf]", "0, 5", "[0; 5]", "[, 5]", "[0, 5", 5, "[inf, 5]"])
def test_an_empty_or_misspelt_range_is_refused(bad):
    with pytest.raises(PydanticCustomError):
        Interval.read(bad)


def test_whole_numbers_of_a_range():
    cases = {
        "[1, 30]": (1, 30),
        "(1, 30)": (2, 29),
        "[0.5, 2.5]": (1, 2),
        "(20, inf)": (21, None),
        "(1, 2)": None,
    }
    assert len(cases) == 5
    for text, expected in cases.items():
        assert Interval.read(text).whole_numbers() == expected
