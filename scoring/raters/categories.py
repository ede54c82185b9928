"""Agreement beyond chance on categories: one mechanism for all coefficients (observed − expected) / (1 − expected).

They differ only in what they expect by chance; weights, missing ratings, standard errors and intervals are shared.
Source of the common form, of weights and of linearised variances: Gwet (2014), Handbook of Inter-Rater Reliability,
4th ed., chapters 2, 3, 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from scoring.errors import BadParameters, BadResponses, NotIdentified
from scoring.intervals import beta_interval
from scoring.numbers import read_numbers
from scoring.scores import read_confidence
from scoring.verdicts import Verdict, against_target

Floats = NDArray[np.float64]
WEIGHTS = ("unweighted", "linear", "quadratic", "ordinal")
METRICS = ("nominal", "ordinal", "interval", "ratio")


@dataclass(frozen=True, eq=False)
class Agreement:
    """A coefficient of `n` units (scripts) and `raters`; at most 1, 0 = chance.

    `observed`, `expected`: weighted agreement found and expected by chance. `standard_error`: linearised, over units
    (n − 1); raters are taken as given. `interval`: a beta interval of the
    disagreement (docs/methods/raters.md); holds from 8 units unweighted, from about 40 weighted. `null_standard_error`, `z`, `p_value`: against
    pure chance (large samples), NaN for coefficients that have no such formula. `by_category`: Fleiss' kappa of each
    category against the others, else empty.
    """

    coefficient: str
    weights: str
    value: float
    standard_error: float
    interval: tuple[float, float]
    confidence: float
    observed: float
    expected: float
    n: int
    raters: int
    categories: tuple[Any, ...]
    null_standard_error: float
    z: float
    p_value: float
    by_category: tuple[float, ...]
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class Ratings:
    """`codes`: units × raters, −1 = missing; `categories` in order; `counts`: units × categories."""

    codes: NDArray[np.intp]
    categories: tuple[Any, ...]
    counts: Floats


def read_ratings(ratings: Any, categories: Sequence[Any] | None = None) -> Ratings:
    """Units × raters of any labels; None, NaN and "" are missing. Units nobody rated are dropped.

    `categories`: all categories in their order, also those never used; by default those seen, sorted (numbers as
    numbers). Raises BadResponses: not a table, fewer than two raters or units, no unit rated twice, a label
    outside `categories`.
    """
    table = np.array(ratings, dtype=object)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 2:
        raise BadResponses(
            f"Ratings must be a table of at least 2 units × 2 raters; its shape is {table.shape}."
        )
    cells = [[None if x is None or x == "" or x != x else x for x in row] for row in table.tolist()]
    try:
        seen = {x for row in cells for x in row if x is not None}
    except TypeError:
        raise BadResponses("A rating is one label or number, not a list of them.") from None
    if any(isinstance(x, float | np.floating) and np.isinf(x) for x in seen):
        raise BadResponses("A rating is infinite: ratings are labels or finite numbers.")
    if categories is None:
        try:
            order = sorted(seen)
        except TypeError:
            raise BadResponses("Ratings mix texts and numbers: use one type.") from None
    else:
        order = list(categories)
        if len(set(order)) != len(order):
            raise BadParameters("Categories repeat: name each once.")
        if seen - set(order):
            raise BadResponses(f"{min(map(str, seen - set(order)))} is not one of the categories.")
    code = {label: i for i, label in enumerate(order)}
    codes = np.array([[-1 if x is None else code[x] for x in row] for row in cells], dtype=np.intp)
    codes = codes[(codes >= 0).any(axis=1)]
    if ((codes >= 0).sum(axis=1) < 2).all():
        raise BadResponses("No unit was rated twice: agreement needs at least two ratings of the same unit.")
    counts = np.stack([(codes == k).sum(axis=1) for k in range(len(order))], axis=1).astype(float)
    return Ratings(codes, tuple(order), counts)


def agreement_weights(weights: str | ArrayLike, categories: Sequence[Any]) -> Floats:
    """Categories × categories, 1 on the diagonal: credit for near agreement.

    "linear" 1 − |x − y| / range, "quadratic" 1 − (x − y)² / range² on the categories' values (their positions where they
    are not numbers), "ordinal" 1 − C(|i − j| + 1, 2) / C(q, 2), "unweighted", or a symmetric matrix.
    """
    q = len(categories)
    if not isinstance(weights, str):
        matrix = read_numbers(weights, f"Weights must be a symmetric {q} × {q} matrix of numbers.", BadParameters)
        if matrix.shape != (q, q) or not np.allclose(matrix, matrix.T) or not np.allclose(np.diag(matrix), 1):
            raise BadParameters(f"Weights must be a symmetric {q} × {q} matrix with 1 on its diagonal.")
        if (matrix < 0).any() or (matrix > 1).any():
            raise BadParameters("Weights lie between 0 and 1.")
        return matrix
    x = category_values(categories)
    distance = np.abs(x[:, None] - x)
    reach = distance.max() if q > 1 else 1.0
    if weights == "unweighted":
        return np.eye(q)
    if weights == "linear":
        return np.asarray(1 - distance / reach)
    if weights == "quadratic":
        return np.asarray(1 - (distance / reach) ** 2)
    if weights == "ordinal":
        steps = np.abs(np.arange(q)[:, None] - np.arange(q))
        return np.asarray(1 - special.comb(steps + 1, 2) / max(special.comb(q, 2), 1.0))
    raise BadParameters(f"{weights!r} is not a weighting: {', '.join(WEIGHTS)} or a matrix.")


def category_values(categories: Sequence[Any]) -> Floats:
    """The categories as numbers; their positions 1, 2, … where they are not."""
    if all(isinstance(x, int | float | np.number) and not isinstance(x, bool) for x in categories):
        return np.array([float(x) for x in categories])
    return np.arange(1.0, len(categories) + 1)


@dataclass(frozen=True, eq=False)
class _Chance:
    """Expected agreement and its influence function, one value per unit."""

    expected: float
    influence: Floats


def kappa(
    ratings: Any,
    *,
    method: str | None = None,
    weights: str | ArrayLike = "unweighted",
    categories: Sequence[Any] | None = None,
    target: float = 0.6,
    confidence: float = 0.95,
) -> Agreement:
    """Kappa of `ratings` (units × raters, any labels; None = missing).

    `method`: "cohen" (two raters; the default then), "fleiss" (raters interchangeable; the default for more), "conger"
    (Cohen's for several raters), "light" (mean of all pairs' Cohen kappas; complete ratings; jackknife standard error),
    "brennan-prediger" (chance = one over the number of categories). `weights`: see `agreement_weights`.
    `target`: what the verdict compares with.

    Raises BadResponses, BadParameters; NotIdentified where all ratings are the same category, since then chance explains
    everything. Sources: Cohen (1960, 1968); Fleiss (1971); Fleiss, Cohen & Everitt (1969); Conger (1980); Light (1971).
    """
    read = read_ratings(ratings, categories)
    raters = read.codes.shape[1]
    name = method or ("cohen" if raters == 2 else "fleiss")
    if name == "cohen" and raters != 2:
        raise BadParameters(
            f"Cohen's kappa is for two raters, these are {raters}: use fleiss, conger or light."
        )
    if name == "light":
        return _light(read, weights, target, confidence)
    chance = {"cohen": _conger, "conger": _conger, "fleiss": _fleiss, "brennan-prediger": _uniform}.get(name)
    if chance is None:
        raise BadParameters(f"{name!r} is not a kappa: cohen, fleiss, conger, light or brennan-prediger.")
    null = {"cohen": _cohen_null, "fleiss": _fleiss_null}.get(name)
    return _coefficient(f"{name} kappa", read, weights, chance, null, target, confidence)


def gwet(
    ratings: Any,
    *,
    weights: str | ArrayLike = "unweighted",
    categories: Sequence[Any] | None = None,
    target: float = 0.6,
    confidence: float = 0.95,
) -> Agreement:
    """Gwet's AC1 (unweighted) or AC2 (weighted): stays near the observed agreement when one category is common.

    Arguments and errors as for `kappa`. Source: Gwet (2008), British Journal of Mathematical and Statistical
    Psychology 61, 29–48.
    """
    read = read_ratings(ratings, categories)
    if len(read.categories) < 2:
        raise NotIdentified(_SAME)
    name = "Gwet AC1" if isinstance(weights, str) and weights == "unweighted" else "Gwet AC2"
    return _coefficient(name, read, weights, _gwet, None, target, confidence)


def krippendorff_alpha(
    ratings: Any,
    metric: str = "nominal",
    *,
    categories: Sequence[Any] | None = None,
    target: float = 0.667,
    confidence: float = 0.95,
) -> Agreement:
    """Krippendorff's alpha for a "nominal", "ordinal", "interval" or "ratio" `metric`; missing ratings allowed.

    Units with a single rating do not count. `observed` and `expected` are 1 − the mean disagreements, in units of the
    largest possible one. The standard error takes the metric's distances as given (the ordinal ones depend on the sample).
    Raises BadParameters: unknown metric, ratio with negative values; else as `kappa`.
    Source: Krippendorff (2011), Computing Krippendorff's alpha-reliability.
    """
    read = read_ratings(ratings, categories)
    twice = read.counts.sum(axis=1) >= 2
    read = Ratings(read.codes[twice], read.categories, read.counts[twice])
    distance = _distances(metric, read)
    largest = float(distance.max()) if distance.size > 1 else 0.0
    if largest <= 0:
        raise NotIdentified(_SAME)
    return _coefficient(
        f"Krippendorff alpha ({metric})",
        read,
        1 - distance / largest,
        _krippendorff,
        None,
        target,
        confidence,
    )


_SAME = "All ratings are the same, so agreement beyond chance is not defined: report the plain agreement."


def _coefficient(
    name: str,
    read: Ratings,
    weights: str | ArrayLike,
    chance: Callable[[Ratings, Floats], _Chance],
    null: Callable[[Ratings, Floats], tuple[float, tuple[float, ...]]] | None,
    target: float,
    confidence: float,
) -> Agreement:
    level = read_confidence(confidence)
    matrix = agreement_weights(weights, read.categories)
    n = read.counts.shape[0]
    size = read.counts.sum(axis=1)
    pairs = size >= 2
    weighted = read.counts @ matrix
    each = np.divide(
        (read.counts * (weighted - 1)).sum(axis=1), size * (size - 1), out=np.zeros(n), where=pairs
    )
    observed = float(each[pairs].mean())
    influence = np.where(pairs, n / pairs.sum() * (each - observed), 0.0)
    raw = observed
    if chance is _krippendorff:
        observed, raw, influence = _krippendorff_observed(read, matrix)
    by_chance = chance(read, matrix)
    if 1 - by_chance.expected < 1e-12:
        raise NotIdentified(_SAME)
    value = (observed - by_chance.expected) / (1 - by_chance.expected)
    ratio = (1 - raw) / (1 - by_chance.expected)
    influence = (influence - ratio * by_chance.influence) / (1 - by_chance.expected)
    error = float(np.sqrt((influence**2).sum() / (n * (n - 1)))) if n > 1 else float("nan")
    null_error, by_category = null(read, matrix) if null else (float("nan"), ())
    z = value / null_error if null_error > 0 else float("nan")
    interval = _interval(value, error, observed, by_chance.expected, n, level)
    if chance in (_fleiss, _conger, _krippendorff) and _outside_commonest(read) < _FEWEST:
        interval = (-1.0, 1.0)
    return Agreement(
        coefficient=name,
        weights=weights if isinstance(weights, str) else "given",
        value=float(value),
        standard_error=error,
        interval=interval,
        confidence=level,
        observed=observed,
        expected=by_chance.expected,
        n=n,
        raters=read.codes.shape[1],
        categories=read.categories,
        null_standard_error=null_error,
        z=float(z),
        p_value=float(2 * stats.norm.sf(abs(z))),
        by_category=by_category,
        verdict=against_target("agreement", interval, target, n),
    )


_FEWEST = 5  # with fewer units outside the commonest category the interval covered 0.61–0.94 in simulation


def _outside_commonest(read: Ratings) -> int:
    commonest = int(read.counts.sum(axis=0).argmax())
    return int((read.counts.sum(axis=1) > read.counts[:, commonest]).sum())


def _interval(
    value: float, error: float, observed: float, expected: float, n: int, confidence: float
) -> tuple[float, float]:
    """The disagreement 1 − observed is a proportion; its beta interval at the effective number of trials, rescaled.

    The effective number is the one whose binomial error is the linearised error of the coefficient, times
    (z / t)² on n − 1 degrees of freedom (Korn & Graubard 1998); where all agree it is n. So complete agreement
    of eight scripts has a lower limit below 1, which value ± t SE = [1, 1] would hide. Where chance is estimated from
    the ratings and fewer than five units hold a rating outside the commonest category, the caller reports (−1, 1).
    """
    half = (1 - confidence) / 2
    shrink = (special.ndtri(half) / stats.t.ppf(half, max(n - 1, 1))) ** 2
    disagreement, room = min(max(1 - observed, 0.0), 1.0), 1 - expected
    spread = disagreement * (1 - disagreement)
    trials = shrink * spread / (error * room) ** 2 if error > 1e-12 and spread > 1e-12 else float(n)
    low, high = beta_interval(disagreement, trials, confidence)
    return max(-1.0, float(1 - high / room)), min(1.0, float(1 - low / room))


def _shares(read: Ratings) -> Floats:
    return np.asarray(read.counts / read.counts.sum(axis=1, keepdims=True))


def _fleiss(read: Ratings, weights: Floats) -> _Chance:
    shares = _shares(read)
    overall = shares.mean(axis=0)
    expected = float(overall @ weights @ overall)
    return _Chance(expected, 2 * (shares @ (weights @ overall) - expected))


def _gwet(read: Ratings, weights: Floats) -> _Chance:
    q = len(read.categories)
    shares = _shares(read)
    overall = shares.mean(axis=0)
    factor = weights.sum() / (q * (q - 1))
    expected = float(factor * (overall * (1 - overall)).sum())
    return _Chance(expected, -2 * factor * (shares - overall) @ overall)


def _uniform(read: Ratings, weights: Floats) -> _Chance:
    return _Chance(float(weights.mean()), np.zeros(read.counts.shape[0]))


def _conger(read: Ratings, weights: Floats) -> _Chance:
    """Each rater keeps their own marginal distribution; with two raters this is Cohen's."""
    n, raters = read.codes.shape
    picks = np.stack([read.codes == k for k in range(len(read.categories))], axis=2).astype(
        float
    )  # n, raters, q
    rated = picks.sum(axis=2)
    each = rated.sum(axis=0)
    if (each == 0).any():
        raise BadResponses(f"Rater {int(np.argmin(each)) + 1} rated nothing: leave the column out.")
    marginal = picks.sum(axis=0) / each[:, None]
    others = marginal.sum(axis=0) - marginal
    scale = raters * (raters - 1)
    expected = float(np.einsum("gk,kl,gl->", marginal, weights, others) / scale)
    slope = 2 * others @ weights / scale
    deviation = picks - rated[:, :, None] * marginal
    return _Chance(expected, np.einsum("igk,gk,g->i", deviation, slope, n / each))


def _krippendorff(read: Ratings, weights: Floats) -> _Chance:
    n = read.counts.shape[0]
    mean = read.counts.sum() / n
    overall = read.counts.sum(axis=0) / read.counts.sum()
    expected = float(overall @ weights @ overall)
    deviation = (read.counts - read.counts.sum(axis=1, keepdims=True) * overall) / mean
    return _Chance(expected, 2 * deviation @ (weights @ overall))


def _krippendorff_observed(read: Ratings, weights: Floats) -> tuple[float, float, Floats]:
    """Observed agreement with and without the 1/N term of sampling without replacement, and its influences.

    Units count with their number of ratings. The influences leave the 1/N term out, as Gwet (2014) does.
    """
    size = read.counts.sum(axis=1)
    mean, n = size.mean(), size.size
    each = (read.counts * (read.counts @ weights - 1)).sum(axis=1) / (mean * (size - 1))
    raw = float(each.mean())
    small = 1 / (n * mean)
    return (1 - small) * raw + small, raw, each - raw * size / mean


def _distances(metric: str, read: Ratings) -> Floats:
    q = len(read.categories)
    if metric == "nominal":
        return 1 - np.eye(q)
    if metric == "ordinal":
        total = read.counts.sum(axis=0)
        reached = np.cumsum(total) - total / 2
        return np.asarray((reached[:, None] - reached) ** 2)
    x = category_values(read.categories)
    if metric == "interval":
        return np.asarray((x[:, None] - x) ** 2)
    if metric == "ratio":
        if (x < 0).any():
            raise BadParameters("The ratio metric needs values from 0 up.")
        sums = x[:, None] + x
        return np.asarray((np.divide(x[:, None] - x, sums, out=np.zeros((q, q)), where=sums > 0)) ** 2)
    raise BadParameters(f"{metric!r} is not a metric: {', '.join(METRICS)}.")


def _cohen_null(read: Ratings, weights: Floats) -> tuple[float, tuple[float, ...]]:
    """Fleiss, Cohen & Everitt (1969), eq. 8–9; complete pairs."""
    codes = read.codes[(read.codes >= 0).all(axis=1)]
    q, n = len(read.categories), codes.shape[0]
    if n < 2:
        return float("nan"), ()
    row, column = (np.bincount(codes[:, g], minlength=q) / n for g in (0, 1))
    expected = float(row @ weights @ column)
    spread = weights - (weights @ column)[:, None] - (row @ weights)[None, :]
    variance = float((np.outer(row, column) * spread**2).sum() - expected**2)
    return float(np.sqrt(max(0.0, variance) / n) / (1 - expected)) if expected < 1 else float("nan"), ()


def _fleiss_null(read: Ratings, weights: Floats) -> tuple[float, tuple[float, ...]]:
    """Fleiss, Nee & Landis (1979), eq. 12, and each category's kappa; unweighted and complete ratings only."""
    n, raters = read.codes.shape
    if not np.array_equal(weights, np.eye(weights.shape[0])) or (read.codes < 0).any():
        return float("nan"), ()
    p = read.counts.mean(axis=0) / raters
    q = 1 - p
    chance = float((p * q).sum())
    variance = 2 * (chance**2 - (p * q * (q - p)).sum()) / (chance**2 * n * raters * (raters - 1))
    inside = (read.counts * (raters - read.counts)).sum(axis=0)
    by_category = 1 - np.divide(
        inside, n * raters * (raters - 1) * p * q, out=np.full(p.shape, np.nan), where=p * q > 0
    )
    return float(np.sqrt(max(0.0, variance))), tuple(by_category.tolist())


def _light(read: Ratings, weights: str | ArrayLike, target: float, confidence: float) -> Agreement:
    if (read.codes < 0).any():
        raise BadResponses("Light's kappa needs complete ratings: use conger or fleiss.")
    level = read_confidence(confidence)
    n, raters = read.codes.shape
    matrix = agreement_weights(weights, read.categories)
    columns = [(g, h) for g in range(raters) for h in range(g)]
    parts = [
        _coefficient(
            "pair", Ratings(pair, read.categories, _count(pair, read)), matrix, _conger, None, target, level
        )
        for pair in (read.codes[:, [g, h]] for g, h in columns)
    ]
    value = float(np.mean([part.value for part in parts]))
    expected = float(np.mean([part.expected for part in parts]))
    observed = 1 - (1 - value) * (1 - expected)
    without = []
    for i in range(n):
        codes = np.delete(read.codes, i, axis=0)
        found = [_cohen_value(codes[:, [g, h]], matrix) for g, h in columns]
        without.append(np.mean(found))
    spread = np.array(without)
    error = float(np.sqrt((n - 1) / n * ((spread - spread.mean()) ** 2).sum()))
    interval = _interval(value, error, observed, expected, n, level)
    if _outside_commonest(read) < _FEWEST:
        interval = (-1.0, 1.0)
    return Agreement(
        coefficient="light kappa",
        weights=weights if isinstance(weights, str) else "given",
        value=value,
        standard_error=error,
        interval=interval,
        confidence=level,
        observed=observed,
        expected=expected,
        n=n,
        raters=raters,
        categories=read.categories,
        null_standard_error=float("nan"),
        z=float("nan"),
        p_value=float("nan"),
        by_category=(),
        verdict=against_target("agreement", interval, target, n),
    )


def _count(codes: NDArray[np.intp], read: Ratings) -> Floats:
    return np.stack([(codes == k).sum(axis=1) for k in range(len(read.categories))], axis=1).astype(float)


def _cohen_value(codes: NDArray[np.intp], weights: Floats) -> float:
    q, n = weights.shape[0], codes.shape[0]
    row, column = (np.bincount(codes[:, g], minlength=q) / n for g in (0, 1))
    expected = float(row @ weights @ column)
    observed = float(weights[codes[:, 0], codes[:, 1]].mean())
    return (observed - expected) / (1 - expected) if expected < 1 - 1e-12 else 1.0
