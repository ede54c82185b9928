"""What the board is told: nothing that a small field cannot show, and what changes a decision before what is only known."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from examsvc.competitions.regulation import read_preset
from examsvc.results import appraisal, figures
from examsvc.results.appraisal import ORDER, Evidence, Marking, Standing
from examsvc.results.wording import CONCERNS

FIVE = ("001", "002", "003", "004", "005")


def evidence(totals: list[float], noise: float, *, seed: int = 3) -> Evidence:
    """Five candidates for one place, judged on one essay of 100 marks by two markers out of four whose marks scatter so much."""
    rng = random.Random(seed)
    markers = ("K", "L", "M", "N")
    rows = []
    for number, total in zip(FIVE, totals, strict=True):
        pair = rng.sample(range(4), 2)
        shift = rng.uniform(-noise, noise)
        marks: list[float | None] = [None] * 4
        marks[pair[0]], marks[pair[1]] = total + shift, total - shift
        rows.append((number, tuple(marks)))
    order = sorted(range(5), key=lambda i: -totals[i])
    return Evidence(
        parts=("essay",),
        factors=(1.0,),
        places=(("A", 1),),
        standings=tuple(
            Standing(FIVE[i], "A", rank, totals[i], (totals[i],), rank == 1) for rank, i in enumerate(order, start=1)
        ),
        tests=(),
        markings=(Marking("essay", 100.0, markers, tuple(rows), together=False),),
    )


def codes(found: appraisal.Appraisal) -> list[str]:
    return [one.code for one in found.concerns]


def test_a_clear_first_place_is_called_clear_and_a_close_one_is_not() -> None:
    clear = appraisal.appraise(evidence([90, 60, 55, 50, 45], 1.0))
    assert "ranking.first_clear" in codes(clear)
    assert "ranking.winner_unsure" not in codes(clear)
    close = appraisal.appraise(evidence([71, 70, 69, 68, 67], 12.0))
    assert "ranking.first_clear" not in codes(close)
    assert {"ranking.winner_unsure", "ranking.says_nothing"} & set(codes(close))
    (quality,) = close.posts
    assert quality.uncertainty is not None
    assert quality.unsure_winners[0][0] == "001"


@pytest.mark.parametrize("noise", [0.5, 3.0, 12.0])
def test_probabilities_of_ranks_are_probabilities(noise: float) -> None:
    (quality,) = appraisal.appraise(evidence([80, 75, 70, 65, 60], noise)).posts
    found = quality.uncertainty
    assert found is not None
    assert found.probability.sum(axis=0) == pytest.approx(1)
    assert found.probability.sum(axis=1) == pytest.approx(1)
    assert (found.beats + found.beats.T)[~np.eye(5, dtype=bool)] == pytest.approx(1)


def test_more_scatter_never_makes_the_first_place_surer() -> None:
    sure = []
    for noise in (0.5, 3.0, 6.0, 12.0):
        (quality,) = appraisal.appraise(evidence([80, 75, 70, 65, 60], noise)).posts
        assert quality.uncertainty is not None
        sure.append(float(quality.uncertainty.first[0]))
    assert sure == sorted(sure, reverse=True)
    assert sure[0] > 0.99
    assert sure[-1] < 0.9


def test_concerns_come_in_the_order_of_their_consequence_and_each_has_its_sentence() -> None:
    test = appraisal.Test("test", ("1", "2"), ("a", "b"), (4.0, 4.0), tuple((number, (4.0, 0.0)) for number in FIVE))
    everything = replace(
        evidence([71, 70, 69, 68, 67], 12.0),
        tests=(test,),
        open_ties=(("A", ("001", "002"), "council-chair", True),),
        annulled=("004",),
        deducted=("005",),
        undecided_late=1,
        counted_late=2,
        incidents=3,
        outages=4,
    )
    found = appraisal.appraise(everything)
    weights = [one.weight for one in found.concerns]
    assert weights == sorted(weights, key=ORDER.index)
    assert weights[0] == "blocks"
    assert {"tie.open", "late.undecided", "hall.annulled", "hall.deducted", "late.counted", "hall.incidents"} <= set(codes(found))
    regulation = read_preset("demo")
    for language in ("vi", "en"):
        sentences = figures.concerns(found, regulation, language, {})
        assert len(sentences) == len(found.concerns)
        assert not [text for _, text, _ in sentences if "%(" in text]
    assert set(codes(found)) <= set(CONCERNS)


def test_where_nothing_can_be_said_nothing_is_said() -> None:
    one = evidence([71, 70, 69, 68, 67], 1.0)
    alone = replace(one, standings=one.standings[:1], markings=(replace(one.markings[0], rows=one.markings[0].rows[:1]),))
    (quality,) = appraisal.appraise(alone).posts
    assert quality.uncertainty is None
    (agreement,) = appraisal.appraise(alone).agreements
    assert agreement.coefficient is None
    nobody = replace(one, standings=(), markings=(replace(one.markings[0], rows=()),))
    found = appraisal.appraise(nobody)
    assert found.posts[0].uncertainty is None
    assert found.agreements[0].scripts == 0
