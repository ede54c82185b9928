"""How good paper, marking and ranking were: numbers with their uncertainty, and what a board should worry about, worst first.

Pure: what is known of a competition comes in as `Evidence`, hashable, so that an appraisal is computed once.  Numbers here are
floating point; who ranks where is decided in ``rules`` and never here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from scoring.classical import ItemAnalysis, Reliability, conditional_sem, item_analysis, reliability
from scoring.errors import ScoringError
from scoring.intervals import proportion_interval
from scoring.ranking import MarkerEffect, RankUncertainty, leave_out_markers, marker_error, rank_uncertainty
from scoring.raters import icc
from scoring.verdicts import Verdict, against_target

Floats = NDArray[np.float64]
Row = tuple[str, tuple[float | None, ...]]

CONFIDENCE = 0.95
AGREEMENT_TARGET = 0.75
RELIABILITY_TARGET = 0.7
"""What verdicts compare with: customary values (good agreement, group decisions), shown beside the number, no rule of any
regulation; nothing is decided by them."""


@dataclass(frozen=True)
class Test:
    """Answers to a computer test: a row for each candidate with the marks of each question; ``maximum`` of each question."""

    part: str
    items: tuple[str, ...]
    topics: tuple[str, ...]
    maximum: tuple[float, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Marking:
    """Independent marks by people: a row for each candidate's script or hearing with the mark of each marker (None: not his).

    ``together`` where all who mark hear the same candidates as one panel.
    """

    part: str
    maximum: float
    markers: tuple[str, ...]
    rows: tuple[Row, ...]
    together: bool
    outliers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Standing:
    """One candidate who was ranked: contributions of the parts to the total, in the order of ``Evidence.parts``."""

    number: str
    post: str
    rank: int
    total: float
    contributions: tuple[float, ...]
    chosen: bool


@dataclass(frozen=True)
class Evidence:
    """All that an appraisal looks at.  ``factors`` turn a mark of each part into its contribution to the total."""

    parts: tuple[str, ...]
    factors: tuple[float, ...]
    places: tuple[tuple[str, int], ...]
    standings: tuple[Standing, ...]
    tests: tuple[Test, ...]
    markings: tuple[Marking, ...]
    open_ties: tuple[tuple[str, tuple[str, ...], str, bool], ...] = ()
    annulled: tuple[str, ...] = ()
    deducted: tuple[str, ...] = ()
    undecided_late: int = 0
    counted_late: int = 0
    incidents: int = 0
    outages: int = 0


@dataclass(frozen=True)
class Severity:
    """How much higher one marker marks than the others mark the same scripts: mean difference, its interval where there are
    two scripts or more, and the number of scripts."""

    marker: str
    scripts: int
    difference: float
    interval: tuple[float, float] | None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


@dataclass(frozen=True)
class Agreement:
    """Marks of two or more people for the same script.  ``coefficient`` and its interval: intraclass correlation, one-way,
    of a single mark; None with the reason in ``verdict`` where there are too few.  ``within`` is the share of scripts whose marks differ by at
    most a tenth of the maximum, with an exact interval."""

    part: str
    scripts: int
    mean_difference: float
    coefficient: float | None
    interval: tuple[float, float] | None
    within: tuple[float, float, float]
    verdict: Verdict | None
    severities: tuple[Severity, ...]


@dataclass(frozen=True, eq=False)
class TestQuality:
    """A computer test: items, and the total's reliability where it can be estimated."""

    part: str
    persons: int
    analysis: ItemAnalysis | None
    reliability: Reliability | None


@dataclass(frozen=True, eq=False)
class PostQuality:
    """How certain the order of one post is.  ``uncertainty`` is None with fewer than two candidates, or where nothing is known of
    the errors; ``unmeasured`` names parts whose error nothing measures."""

    post: str
    uncertainty: RankUncertainty | None
    unmeasured: tuple[str, ...]
    effects: tuple[tuple[str, MarkerEffect], ...]
    unsure_winners: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    """Each chosen candidate with the others who were not chosen and cannot be told apart from that one: (other, probability that
    the chosen one's true score is higher), the nearest first."""


Weight = Literal["blocks", "grave", "look", "know"]
ORDER: tuple[Weight, ...] = ("blocks", "grave", "look", "know")


@dataclass(frozen=True)
class Concern:
    """Something for the board: ``code`` names the sentence, ``anchor`` where on the page its numbers stand."""

    weight: Weight
    code: str
    anchor: str
    names: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Appraisal:
    """Everything computed, and the concerns in the order of their consequence."""

    tests: tuple[TestQuality, ...]
    agreements: tuple[Agreement, ...]
    posts: tuple[PostQuality, ...]
    concerns: tuple[Concern, ...]


@lru_cache(maxsize=16)
def appraise(evidence: Evidence) -> Appraisal:
    """All statistics of a competition.  Where a sample is too small for a number, the number is missing and says so."""
    tests = tuple(_test(one) for one in evidence.tests)
    agreements = tuple(_agreement(one) for one in evidence.markings)
    posts = tuple(_post(evidence, post, places) for post, places in evidence.places)
    concerns = [*_ranking_concerns(evidence, posts), *_marking_concerns(evidence, agreements), *_test_concerns(tests)]
    concerns += _hall_concerns(evidence)
    concerns.sort(key=lambda one: ORDER.index(one.weight))
    return Appraisal(tests, agreements, posts, tuple(concerns))


def table(rows: Sequence[Row]) -> Floats:
    """Rows as an array with NaN where there is nothing."""
    return np.array([[np.nan if one is None else one for one in values] for _, values in rows], dtype=float)


# ---------------------------------------------------------------- tests


def _test(test: Test) -> TestQuality:
    analysis, found = None, None
    if len(test.rows) >= 2 and len(test.items) >= 2:
        scores = table(test.rows)
        try:
            analysis = item_analysis(scores, maximum=test.maximum, items=test.items, confidence=CONFIDENCE)
            found = reliability(scores, target=RELIABILITY_TARGET, confidence=CONFIDENCE)
        except ScoringError:
            pass
    return TestQuality(test.part, len(test.rows), analysis, found)


def _test_concerns(tests: Sequence[TestQuality]) -> list[Concern]:
    found = []
    for test in tests:
        if test.analysis is not None:
            for item, verdicts in zip(test.analysis.items, test.analysis.verdicts, strict=True):
                for verdict in verdicts:
                    if verdict.code in ("item.reversed", "item.key_suspect"):
                        names = {"part": test.part, "item": item, **verdict.names}
                        found.append(Concern("look", verdict.code, f"items-{test.part}", names, dict(verdict.numbers)))
        if test.reliability is not None:
            verdict = test.reliability.verdict
            weight: Weight = "look" if verdict.code == "reliability.below" else "know"
            found.append(Concern(weight, verdict.code, f"items-{test.part}", {"part": test.part}, dict(verdict.numbers)))
    return found


# ---------------------------------------------------------------- people who mark


def _agreement(marking: Marking) -> Agreement:
    marks = table(marking.rows) if marking.rows else np.empty((0, len(marking.markers)))
    double = marks[(~np.isnan(marks)).sum(axis=1) >= 2]
    severities = tuple(_severity(name, marks, place) for place, name in enumerate(marking.markers))
    severities = tuple(one for one in severities if one.scripts)
    n = len(double)
    if not n:
        return Agreement(marking.part, 0, float("nan"), None, None, (float("nan"),) * 3, None, ())
    spread = np.nanmax(double, axis=1) - np.nanmin(double, axis=1)
    close = int((spread <= marking.maximum / 10 + 1e-9).sum())
    low, high = (float(one) for one in proportion_interval(close, n, CONFIDENCE))
    coefficient, interval, verdict = None, None, None
    least = int((~np.isnan(double)).sum(axis=1).min())
    ratings = np.array([row[~np.isnan(row)][:least] for row in double])
    try:
        one_way = icc(ratings, target=AGREEMENT_TARGET, confidence=CONFIDENCE).icc1
        coefficient, interval = one_way.value, one_way.interval
        if np.isnan(interval[0]):
            verdict = Verdict("agreement.no_disagreement", {"n": float(n)})
        else:
            verdict = against_target("agreement", interval, AGREEMENT_TARGET, n)
    except ScoringError:
        pass
    return Agreement(
        marking.part, n, float(spread.mean()), coefficient, interval, (close / n, low, high), verdict, severities
    )


def _severity(name: str, marks: Floats, place: int) -> Severity:
    """Mean of own mark minus the mean of the others' marks of the same script; t interval."""
    others = np.delete(marks, place, axis=1)
    rows = ~np.isnan(marks[:, place]) & (~np.isnan(others)).any(axis=1)
    if not rows.any():
        return Severity(name, 0, float("nan"), None)
    differences = marks[rows, place] - np.nanmean(others[rows], axis=1)
    n, mean = len(differences), float(differences.mean())
    if n < 2:
        return Severity(name, n, mean, None)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * differences.std(ddof=1) / sqrt(n))
    return Severity(name, n, mean, (mean - half, mean + half))


def _marking_concerns(evidence: Evidence, agreements: Sequence[Agreement]) -> list[Concern]:
    found = []
    for marking, agreement in zip(evidence.markings, agreements, strict=True):
        anchor = f"marking-{marking.part}"
        part = {"part": marking.part}
        for severity in agreement.severities:
            if severity.clear and severity.interval is not None:
                numbers = {
                    "difference": abs(severity.difference),
                    "lower": min(abs(severity.interval[0]), abs(severity.interval[1])),
                    "upper": max(abs(severity.interval[0]), abs(severity.interval[1])),
                    "n": float(severity.scripts),
                }
                code = "severity.high" if severity.difference > 0 else "severity.low"
                weight: Weight = "know" if marking.together else "look"  # a whole panel's severity touches all alike
                found.append(Concern(weight, code, anchor, {**part, "marker": severity.marker}, numbers))
        if agreement.verdict is not None:
            weight = "grave" if agreement.verdict.code == "agreement.below" else "know"
            found.append(Concern(weight, agreement.verdict.code, anchor, part, dict(agreement.verdict.numbers)))
        elif agreement.scripts:
            found.append(Concern("know", "agreement.too_few", anchor, part, {"n": float(agreement.scripts)}))
        for number, marker in marking.outliers:
            found.append(Concern("look", "panel.outlier", anchor, {**part, "candidate": number, "marker": marker}))
    return found


# ---------------------------------------------------------------- the order


def _post(evidence: Evidence, post: str, places: int) -> PostQuality:
    field_ = [one for one in evidence.standings if one.post == post]
    if len(field_) < 2:
        return PostQuality(post, None, (), (), ())
    numbers = [one.number for one in field_]
    total = np.array([one.total for one in field_])
    given = np.array([one.contributions for one in field_])
    errors = np.zeros_like(given)
    shared = np.zeros((len(field_), len(field_)))
    freedom = float("inf")
    unmeasured, effects = [], []
    factor = dict(zip(evidence.parts, evidence.factors, strict=True))
    for test in evidence.tests:
        if factor.get(test.part):
            errors[:, evidence.parts.index(test.part)] = factor[test.part] * _test_errors(test, numbers)
    for marking in evidence.markings:
        if not factor.get(marking.part):
            continue
        measured = _marking_errors(marking, numbers)
        if measured is None:
            unmeasured.append(marking.part)
        else:
            covariance, degrees = measured
            shared += factor[marking.part] ** 2 * covariance
            freedom = min(freedom, degrees)
        effects += [(marking.part, one) for one in _effects(marking, numbers, total, factor[marking.part])]
    rest = total - given.sum(axis=1)  # priority points and rounding, which have no error
    try:
        found = rank_uncertainty(
            np.column_stack([given, rest]),
            np.column_stack([errors, np.zeros(len(field_))]),
            covariance=shared,
            degrees_of_freedom=freedom,
            names=numbers,
            confidence=CONFIDENCE,
            draws=16_384,
        )
    except ScoringError:
        return PostQuality(post, None, tuple(unmeasured), tuple(effects), ())
    unsure = []
    if found.verdict.code != "ranking.no_error_given":
        for i, one in enumerate(field_):
            close = [
                (other.number, float(found.beats[i, j]))
                for j, other in enumerate(field_)
                if other.rank > places and max(found.beats[i, j], found.beats[j, i]) < CONFIDENCE
            ]
            if one.rank <= places and close:
                unsure.append((one.number, tuple(sorted(close, key=lambda pair: pair[1]))))
    return PostQuality(post, found, tuple(unmeasured), tuple(effects), tuple(unsure))


def _test_errors(test: Test, numbers: Sequence[str]) -> Floats:
    """Standard error of each candidate's mark from his own answers (Lord); it works from one candidate on and is rather too large
    than too small, since it counts that questions differ in difficulty."""
    rows = dict(test.rows)
    if len(test.items) < 2 or any(number not in rows for number in numbers):
        return np.zeros(len(numbers))
    scores = table([(number, rows[number]) for number in numbers])
    found = conditional_sem(scores, maximum=test.maximum).standard_error
    return np.nan_to_num(found)


def _marking_errors(marking: Marking, numbers: Sequence[str]) -> tuple[Floats, float] | None:
    """Error covariance of the mean marks of these candidates, and its degrees of freedom; None where nothing measures it."""
    rows = dict(marking.rows)
    every = [row for row in marking.rows if any(one is not None for one in row[1])]
    if any(number not in rows for number in numbers) or not every:
        return None
    try:
        found = marker_error(table(every))
    except ScoringError:
        return None
    place = {number: i for i, (number, _) in enumerate(every)}
    chosen = [place[number] for number in numbers]
    return found.covariance[np.ix_(chosen, chosen)], found.degrees_of_freedom


def _effects(marking: Marking, numbers: Sequence[str], total: Floats, factor: float) -> list[MarkerEffect]:
    """The order without each marker in turn."""
    rows = dict(marking.rows)
    if any(number not in rows for number in numbers):
        return []
    marks = table([(number, rows[number]) for number in numbers])
    used = np.asarray((~np.isnan(marks)).any(axis=0))
    if used.sum() < 2 or np.isnan(marks).all(axis=1).any():
        return []
    marks = marks[:, used]
    try:
        return list(
            leave_out_markers(
                marks,
                other=total - factor * np.nanmean(marks, axis=1),
                weight=factor,
                names=list(numbers),
                markers=[name for name, there in zip(marking.markers, used, strict=True) if there],
            )
        )
    except ScoringError:
        return []


def _ranking_concerns(evidence: Evidence, posts: Sequence[PostQuality]) -> list[Concern]:
    found = [
        Concern(
            "blocks" if needed else "know",
            "tie.open" if needed else "tie.harmless",
            "ties" if needed else f"post-{post}",
            {"post": post, "candidates": ", ".join(numbers), "role": role},
        )
        for post, numbers, role, needed in evidence.open_ties
    ]
    for post in posts:
        anchor = f"order-{post.post}"
        for chosen, others in post.unsure_winners:
            nearest, probability = others[0]
            names = {"post": post.post, "chosen": chosen, "nearest": nearest, "others": ", ".join(one for one, _ in others)}
            numbers = {"probability": probability, "n": float(len(others))}
            found.append(Concern("grave", "ranking.winner_unsure", anchor, names, numbers))
        for part, effect in post.effects:
            if effect.verdict.code == "marker.decides":
                names = {"post": post.post, "part": part, "marker": effect.marker, "first": ", ".join(effect.first)}
                found.append(Concern("grave", "marker.decides", anchor, names))
        for part in post.unmeasured:
            found.append(Concern("know", "ranking.unmeasured", anchor, {"post": post.post, "part": part}))
        if post.uncertainty is not None:
            verdict = post.uncertainty.verdict
            if verdict.code in ("ranking.says_nothing", "ranking.first_clear"):
                weight: Weight = "grave" if verdict.code == "ranking.says_nothing" else "know"
                found.append(Concern(weight, verdict.code, anchor, {"post": post.post}, dict(verdict.numbers)))
    return found


# ---------------------------------------------------------------- the hall


def _hall_concerns(evidence: Evidence) -> list[Concern]:
    found = []
    if evidence.undecided_late:
        found.append(Concern("blocks", "late.undecided", "hall", numbers={"n": float(evidence.undecided_late)}))
    if evidence.annulled:
        found.append(Concern("look", "hall.annulled", "hall", {"candidates": ", ".join(evidence.annulled)}))
    if evidence.deducted:
        found.append(Concern("look", "hall.deducted", "hall", {"candidates": ", ".join(evidence.deducted)}))
    for code, number in (
        ("late.counted", evidence.counted_late),
        ("hall.incidents", evidence.incidents),
        ("hall.outages", evidence.outages),
    ):
        if number:
            found.append(Concern("know", code, "hall", numbers={"n": float(number)}))
    return found
