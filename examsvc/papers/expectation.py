"""What may be expected of a form before anybody sits it: difficulty, information, reading time, as far as its questions are known.

Difficulty comes from past use where there is any, else from the question's parameters; what is not known is counted, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from examsvc.papers.assembly import curves
from examsvc.papers.paper_lint import WORDS_PER_MINUTE
from examsvc.papers.rules import Candidate

ABILITIES = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Where information is shown; 0 is the average of the population for which the parameters were estimated, 1 its standard deviation."""
_NODES = np.linspace(-5.0, 5.0, 201)
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()


@dataclass(frozen=True)
class Expectation:
    """Of one form.  ``difficulty``: expected share of the marks of those ``known`` questions whose difficulty is known, 0 to 1.
    ``information``: at ABILITIES, of the ``measured`` questions with parameters; empty where there is none."""

    questions: int
    marks: Fraction
    words: int
    reading_minutes: int
    minutes: Fraction | None
    difficulty: float | None
    known: int
    information: tuple[float, ...]
    measured: int

    @property
    def errors(self) -> tuple[float | None, ...]:
        """Standard errors of an ability estimate at ABILITIES, 1/√information; None where the form says nothing."""
        return tuple(one**-0.5 if one > 0 else None for one in self.information)


def expected_share(item: Candidate) -> float | None:
    """The share of its marks that an average group gets: from past use, else the model's mean over a standard normal population."""
    if item.difficulty is not None:
        return item.difficulty
    if item.curve is None:
        return None
    slope, difficulty, guessing = item.curve
    return float(_WEIGHTS @ (guessing + (1 - guessing) / (1 + np.exp(-slope * (_NODES - difficulty)))))


def expect(questions: Sequence[tuple[Candidate, str]]) -> Expectation:
    """From the form's questions with their marks."""
    items = [item for item, _ in questions]
    marks = [Fraction(mark) for _, mark in questions]
    shares = [expected_share(item) for item in items]
    worth = sum((mark for mark, share in zip(marks, shares, strict=True) if share is not None), Fraction(0))
    got = sum(float(mark) * share for mark, share in zip(marks, shares, strict=True) if share is not None)
    measured = sum(1 for item in items if item.curve is not None)
    words = sum(item.words for item in items)
    every = [item.minutes for item in items]
    return Expectation(
        questions=len(items),
        marks=sum(marks, Fraction(0)),
        words=words,
        reading_minutes=-(-words // WORDS_PER_MINUTE),
        minutes=sum((one for one in every if one is not None), Fraction(0)) if every and None not in every else None,
        difficulty=got / float(worth) if worth else None,
        known=sum(1 for share in shares if share is not None),
        information=tuple(float(one) for one in curves(items, ABILITIES).sum(axis=0)) if measured else (),
        measured=measured,
    )
