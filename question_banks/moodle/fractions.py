"""Moodle's grades in per cent with five decimals, and the exact shares they stand for."""

from fractions import Fraction

from question_banks.problems import ItemError, declare
from question_banks.values import exact, show

declare({"fraction-not-number": "The grade {value} of an answer is not a number."})

_TOLERANCE = Fraction(1, 1_000_000)


def share(text: str) -> Fraction:
    """ "33.33333" is a third: the simplest share within a millionth, so that three of them are the whole."""
    try:
        value = exact(text) / 100
    except ValueError:
        raise ItemError("fraction-not-number", value=text) from None
    simple = value.limit_denominator(100)
    return simple if abs(simple - value) < _TOLERANCE else value


def percent(value: Fraction) -> str:
    """The share in per cent, cut to five decimals as Moodle writes it."""
    scaled = value * 100
    rounded = Fraction(round(scaled * 100_000), 100_000)
    return show(rounded)
