"""Would the same candidates pass again, and do the right ones pass?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from scoring.errors import BadParameters, BadResponses, NotIdentified
from scoring.numbers import read_numbers
from scoring.scores import read_vector

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Classification:
    """Shares of candidates, 0–1. `accuracy`: classified as their true score would; `consistency`: the same on two forms;
    `kappa` of the two forms; `false_positive`, `false_negative`: passed though truly below, failed though above (for
    several cuts: classified above, below their true class). `joint_true`: true × observed classes, `joint_forms`:
    classes on two forms. `effective_length` and the beta's `alpha`, `beta`, `lower`, `upper` only for Livingston–Lewis.
    """

    method: str
    accuracy: float
    consistency: float
    kappa: float
    false_positive: float
    false_negative: float
    joint_true: Floats
    joint_forms: Floats
    effective_length: float
    alpha: float
    beta: float
    lower: float
    upper: float


def livingston_lewis(
    scores: ArrayLike, cuts: ArrayLike, reliability: float, *, minimum: float = 0.0, maximum: float
) -> Classification:
    """From one administration: `scores`, the `cuts` (scores from which a class begins), `reliability` and the score range.

    True scores are a four-parameter beta by moments (the two-parameter one where the moments allow none); errors are
    binomial with the effective test length. Raises BadResponses, BadParameters; NotIdentified where scores do not vary.
    Sources: Livingston & Lewis (1995), Journal of Educational Measurement 32, 179–197; Hanson (1991) for the moments. Not
    handled: standard errors; below about 100 candidates read it as a rough guide.
    """
    x = read_numbers(scores, "Give the scores of the candidates as numbers.")
    if x.ndim != 1 or x.size < 2 or not np.isfinite(x).all():
        raise BadResponses("Give the finite scores of at least two candidates.")
    if not minimum < maximum or (x < minimum).any() or (x > maximum).any():
        raise BadParameters("All scores must lie between the minimum and the maximum.")
    if not 0 < reliability < 1:
        raise BadParameters(f"Reliability lies between 0 and 1; this is {reliability:g}.")
    limits = _cuts(cuts)
    mean, variance = float(x.mean()), float(x.var())
    if variance <= 0:
        raise NotIdentified("All scores are equal: nobody can be classified.")
    length = ((mean - minimum) * (maximum - mean) - reliability * variance) / (variance * (1 - reliability))
    n = max(1, round(length))
    proportion = (x - minimum) / (maximum - minimum)
    alpha, beta, lower, upper = _beta_moments(proportion * n, n)
    share = (limits - minimum) / (maximum - minimum)
    edges = np.concatenate([[0.0], np.clip((share - lower) / (upper - lower), 0, 1), [1.0]])
    u, weight, classes = _beta_quadrature(alpha, beta, edges)
    true = lower + (upper - lower) * u
    tails = np.array([stats.binom.cdf(k - 1, n, true) for k in np.ceil(share * n - 1e-9)])
    observed = np.diff(np.vstack([np.zeros_like(true), tails, np.ones_like(true)]), axis=0).T
    found = _classify("Livingston-Lewis", weight, observed, classes)
    return replace(found, effective_length=float(length), alpha=alpha, beta=beta, lower=lower, upper=upper)


def _beta_quadrature(alpha: float, beta: float, edges: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Nodes on (0, 1), their shares of the beta's mass and the segment between `edges` each lies in.

    Gauss–Legendre per segment after t²(3 − 2t), which tames a density that rises without limit at an end.
    """
    t, w = np.polynomial.legendre.leggauss(120)
    t, w = (t + 1) / 2, w / 2
    smooth, slope = t * t * (3 - 2 * t), 6 * t * (1 - t)
    nodes, weights, segments = [], [], []
    for segment, (low, high) in enumerate(pairwise(edges)):
        mass = float(stats.beta.cdf(high, alpha, beta) - stats.beta.cdf(low, alpha, beta))
        if mass <= 0:
            continue
        u = low + (high - low) * smooth
        raw = w * slope * np.exp((alpha - 1) * np.log(u) + (beta - 1) * np.log1p(-u))
        nodes.append(u)
        weights.append(raw * mass / raw.sum())
        segments.append(np.full(u.size, segment, dtype=np.intp))
    return np.concatenate(nodes), np.concatenate(weights), np.concatenate(segments)


def rudner(theta: ArrayLike, standard_error: ArrayLike, cuts: ArrayLike) -> Classification:
    """From ability estimates and their standard errors: true abilities are taken as normal around each estimate.

    Raises BadResponses, BadParameters. Source: Rudner (2005), Practical Assessment, Research & Evaluation 10(13). `theta`
    must be estimates without shrinkage (ML, WLE); with EAP the accuracy is flattered.
    """
    estimate = read_numbers(theta, "Ability estimates must be numbers, one per candidate.")
    if estimate.ndim != 1 or estimate.size == 0 or not np.isfinite(estimate).all():
        raise BadResponses("Give finite ability estimates.")
    error = read_vector(standard_error, estimate.size, "standard errors", positive=True)
    limits = _cuts(cuts)
    tails = special.ndtr((limits[:, None] - estimate) / error)
    share = np.diff(np.vstack([np.zeros_like(estimate), tails, np.ones_like(estimate)]), axis=0).T
    # the estimate's class is where it lies; the true class, and a second form's, are spread over the normal
    own = np.searchsorted(limits, estimate, side="right")
    weight = np.full(estimate.size, 1 / estimate.size)
    found = _classify("Rudner", weight, share, own)
    return replace(
        found,
        joint_true=found.joint_true.T,  # rows: true
        false_positive=found.false_negative,
        false_negative=found.false_positive,
    )


def lee(
    probabilities: Sequence[ArrayLike],
    weights: ArrayLike,
    cuts: ArrayLike,
    *,
    points: Sequence[ArrayLike] | None = None,
) -> Classification:
    """From an item response model: `probabilities`, per item abilities × categories on a quadrature with `weights`.

    Categories earn 0, 1, 2, … points, or those in `points`, whole numbers. The true class is that of the expected score.
    Raises BadParameters. Source: Lee (2010), Journal of Educational Measurement 47, 1–17; Lord & Wingersky's recursion.
    """
    sentence = "Give each item's probabilities as a table of numbers, abilities × categories."
    if not isinstance(probabilities, (Sequence, np.ndarray)):
        raise BadParameters(sentence)
    tables = [read_numbers(p, sentence, BadParameters) for p in probabilities]
    weight = read_numbers(weights, "Quadrature weights must be numbers, one per ability.", BadParameters)
    if weight.ndim != 1 or not tables or any(p.ndim != 2 or p.shape[0] != weight.size for p in tables):
        raise BadParameters("Give each item as abilities × categories, with as many weights as abilities.")
    if any((p < -1e-12).any() or not np.allclose(p.sum(axis=1), 1, atol=1e-6) for p in tables):
        raise BadParameters("The categories' probabilities of an item must sum to 1 at every ability.")
    if (weight < 0).any() or not weight.sum() > 0:
        raise BadParameters("Quadrature weights are not negative and not all zero.")
    values = [np.arange(p.shape[1]) for p in tables] if points is None else [np.array(v) for v in points]
    if len(values) != len(tables) or any(
        v.shape != (p.shape[1],) or not np.array_equal(v, np.rint(v)) or (v < 0).any()
        for v, p in zip(values, tables, strict=False)
    ):
        raise BadParameters("Points are whole numbers from 0, one per category of each item.")
    limits = _cuts(cuts)
    top = int(sum(v.max() for v in values))
    score = np.zeros((weight.size, top + 1))
    score[:, 0] = 1.0
    expected = np.zeros(weight.size)
    for p, v in zip(tables, values, strict=True):
        following = np.zeros_like(score)
        for k, earned in enumerate(v.astype(int)):
            following[:, earned:] += p[:, k : k + 1] * score[:, : top + 1 - earned]
        score = following
        expected += p @ v
    edges = np.concatenate([[0], np.clip(np.ceil(limits - 1e-9), 0, top + 1), [top + 1]]).astype(int)
    observed = np.stack([score[:, a:b].sum(axis=1) for a, b in pairwise(edges.tolist())], axis=1)
    true_class = np.searchsorted(limits, expected + 1e-12, side="right")
    return _classify("Lee", weight / weight.sum(), observed, true_class)


def _cuts(cuts: ArrayLike) -> Floats:
    limits = np.atleast_1d(read_numbers(cuts, "Cuts must be numbers.", BadParameters))
    if limits.ndim != 1 or limits.size == 0 or not np.isfinite(limits).all() or (np.diff(limits) <= 0).any():
        raise BadParameters("Cuts are finite and rise.")
    return limits


def _classify(method: str, weight: Floats, observed: Floats, true_class: NDArray[np.intp]) -> Classification:
    """`observed`: probabilities of the classes given each true score (rows), whose class is `true_class`."""
    classes = observed.shape[1]
    joint_true = np.zeros((classes, classes))
    np.add.at(joint_true, true_class, weight[:, None] * observed)
    joint_forms = (observed * weight[:, None]).T @ observed
    consistency = float(np.trace(joint_forms))
    by_chance = float((joint_forms.sum(axis=1) * joint_forms.sum(axis=0)).sum())
    nan = float("nan")
    return Classification(
        method=method,
        accuracy=float(np.trace(joint_true)),
        consistency=consistency,
        kappa=(consistency - by_chance) / (1 - by_chance) if by_chance < 1 - 1e-12 else nan,
        false_positive=float(np.triu(joint_true, 1).sum()),
        false_negative=float(np.tril(joint_true, -1).sum()),
        joint_true=joint_true,
        joint_forms=joint_forms,
        effective_length=nan,
        alpha=nan,
        beta=nan,
        lower=nan,
        upper=nan,
    )


def _beta_moments(x: Floats, n: int) -> tuple[float, float, float, float]:
    """alpha, beta, lower, upper of the true proportions from factorial moments of the binomial scores `x` of n items.

    Hanson (1991), ACT Research Report 91-5. Where the four-parameter solution leaves 0–1 or does not exist, the
    two-parameter beta on (0, 1).
    """
    falling, moments = np.ones_like(x), []
    for r in range(4):
        falling = falling * (x - r)
        moments.append(
            float(falling.mean()) / float(np.prod([n - i for i in range(r + 1)])) if n > r else float("nan")
        )
    m1, m2, m3, m4 = moments
    variance = m2 - m1**2
    if np.isfinite(m4) and variance > 1e-12:
        skew = (m3 - 3 * m1 * m2 + 2 * m1**3) / variance**1.5
        kurtosis = (m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4) / variance**2
        denominator = 6 + 3 * skew**2 - 2 * kurtosis
        if abs(denominator) > 1e-9:
            r = 6 * (kurtosis - skew**2 - 1) / denominator
            inside = (
                1 - 24 * (r + 1) / ((r + 2) * (r + 3) * kurtosis - 3 * (r - 6) * (r + 1)) if r > 0 else -1.0
            )
            if r > 0 and 0 <= inside < 1:
                half = r / 2
                a, b = half * (1 + np.sqrt(inside)), half * (1 - np.sqrt(inside))
                alpha, beta = (b, a) if skew > 0 else (a, b)
                width = np.sqrt(variance * (alpha + beta + 1) / (alpha * beta)) * (alpha + beta)
                lower = m1 - width * alpha / (alpha + beta)
                if alpha > 0.05 and beta > 0.05 and lower >= -1e-9 and lower + width <= 1 + 1e-9:
                    return float(alpha), float(beta), float(max(0.0, lower)), float(min(1.0, lower + width))
    if variance <= 1e-12 or not 0 < m1 < 1:
        raise NotIdentified("Scores vary no more than binomial error: no true differences can be seen.")
    total = m1 * (1 - m1) / variance - 1
    if total <= 0:
        raise NotIdentified(
            "Scores are more extreme than any beta distribution allows: check the reliability."
        )
    return float(m1 * total), float((1 - m1) * total), 0.0, 1.0
