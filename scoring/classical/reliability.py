"""Internal consistency: alpha and its relatives, split halves, omega, standard error of measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from scoring.classical.conditional import ConditionalError, conditional_sem
from scoring.classical.factor import OneFactor, one_factor
from scoring.errors import BadParameters, TooFewObservations
from scoring.numbers import read_numbers
from scoring.responses import Responses
from scoring.scores import read_confidence, read_scores
from scoring.verdicts import Verdict, against_target

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SplitHalf:
    """`correlation` of two halves; `spearman_brown` for the whole (halves taken as parallel), `flanagan` (= Rulon,
    Guttman's λ4 of this split: 4 cov / total variance, halves may differ in variance)."""

    name: str
    correlation: float
    spearman_brown: float
    flanagan: float


@dataclass(frozen=True)
class Guttman:
    """Lower bounds λ1–λ6 of reliability; λ4 of the odd–even split, λ6 from squared multiple correlations."""

    lambda1: float
    lambda2: float
    lambda3: float
    lambda4: float
    lambda5: float
    lambda6: float


@dataclass(frozen=True, eq=False)
class Reliability:
    """Coefficients of one paper; a NaN has its reason in `reasons` under the name of its family (alpha,
    average_correlation, kr20, omega, guttman, split_halves.<name>, sem).

    `n` complete persons used, `left_out` those with missing items. `alpha_interval`: Feldt's F interval.
    `alpha_standard_error`: Duhachek & Iacobucci (normal theory). `kr20`, `kr21`: items scored 0/1.
    `omega`: total, one-factor maximum likelihood; `omega_interval` from the sandwich variance.
    `sem`: standard error of measurement in score points, SD √(1 − alpha); `sem_interval` from the jackknife over
    persons on the log scale. `conditional`: its dependence on the score.
    """

    n: int
    left_out: int
    n_items: int
    confidence: float
    mean: float
    standard_deviation: float
    alpha: float
    alpha_interval: tuple[float, float]
    alpha_standard_error: float
    alpha_standardised: float
    average_correlation: float
    kr20: float
    kr21: float
    omega: float
    omega_interval: tuple[float, float]
    factor: OneFactor | None
    guttman: Guttman
    split_halves: tuple[SplitHalf, ...]
    sem: float
    sem_interval: tuple[float, float]
    conditional: ConditionalError
    verdict: Verdict
    reasons: Mapping[str, Verdict]


def reliability(
    responses: ArrayLike | Responses, *, target: float = 0.7, confidence: float = 0.95
) -> Reliability:
    """Reliability of the total score of `responses` (persons × items, scores from 0).

    `target`: what the verdict compares alpha's interval with; no coefficient depends on it. Persons with
    missing items are left out. Raises BadResponses; TooFewObservations with fewer than 2 complete persons or
    2 items. All totals equal: every coefficient is NaN, with its reason.

    Sources: Cronbach (1951); Feldt (1965), Psychometrika 30, 357–370; Feldt, Woodruff & Salih (1987) eq. 6 (the
    interval); Duhachek & Iacobucci (2004); Guttman (1945); McDonald (1999). Not handled: alpha for planned
    missing designs, hierarchical omega, the maximal split (it capitalises on chance).
    """
    level = read_confidence(confidence)
    scores, left_out = _complete(responses)
    n, k = scores.shape
    covariance = np.cov(scores, rowvar=False)
    total = scores.sum(axis=1)
    variance = float(covariance.sum())
    halves = (split_half(scores, "odd-even"), split_half(scores, "first-second"))
    conditional = conditional_sem(scores)
    if variance <= 1e-12 * max(1.0, float(np.trace(covariance))):
        return _nothing(n, left_out, k, level, float(total.mean()), variance, halves, conditional)
    reasons: dict[str, Verdict] = {}
    alpha = _alpha(covariance)
    alpha_interval = feldt_interval(alpha, n, k, level)
    sd_items = np.sqrt(np.diag(covariance))
    varying = bool((sd_items > 0).all())
    correlations = covariance / np.outer(sd_items, sd_items) if varying else np.full((k, k), np.nan)
    average = float((correlations.sum() - k) / (k * (k - 1)))
    if not varying:
        reasons["average_correlation"] = Verdict("reliability.singular", _size(n, k))
    dichotomous = bool(np.isin(scores, (0.0, 1.0)).all())
    kr20 = kr21 = float("nan")
    if dichotomous:
        p, population = scores.mean(axis=0), variance * (n - 1) / n
        kr20 = float(k / (k - 1) * (1 - (p * (1 - p)).sum() / population))
        m = float(total.mean())
        kr21 = float(k / (k - 1) * (1 - m * (k - m) / (k * population)))
    else:
        reasons["kr20"] = Verdict("reliability.not_dichotomous")
    factor = one_factor(scores)
    omega, omega_interval = float("nan"), (float("nan"), float("nan"))
    if factor is None:
        reasons["omega"] = Verdict("reliability.singular", _size(n, k))
    else:
        omega, omega_interval = factor.omega, factor.interval(level)
        if factor.improper:
            reasons["omega"] = Verdict("reliability.improper")
    bounds = guttman(covariance)
    if np.isnan(bounds.lambda6):
        reasons["guttman.lambda6"] = Verdict("reliability.singular", _size(n, k))
    for half in halves:
        if np.isnan(half.correlation):
            reasons[f"split_halves.{half.name}"] = Verdict("reliability.not_estimable")
    sem, sem_interval = _sem(scores, alpha, level)
    if np.isnan(sem_interval[0]):
        reasons["sem"] = Verdict("reliability.not_estimable")
    return Reliability(
        n=n,
        left_out=left_out,
        n_items=k,
        confidence=level,
        mean=float(total.mean()),
        standard_deviation=float(np.sqrt(variance)),
        alpha=alpha,
        alpha_interval=alpha_interval,
        alpha_standard_error=_alpha_standard_error(covariance, n),
        alpha_standardised=float(k * average / (1 + (k - 1) * average)),
        average_correlation=average,
        kr20=kr20,
        kr21=kr21,
        omega=omega,
        omega_interval=omega_interval,
        factor=factor,
        guttman=bounds,
        split_halves=halves,
        sem=sem,
        sem_interval=sem_interval,
        conditional=conditional,
        verdict=against_target("reliability", alpha_interval, target, n),
        reasons=reasons,
    )


def feldt_interval(alpha: float, n: int, k: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of alpha from n persons and k items: (1 − alpha) scaled by F on (n − 1) and (n − 1)(k − 1) df."""
    half = (1 - confidence) / 2
    low, high = stats.f.ppf([1 - half, half], n - 1, (n - 1) * (k - 1))
    return float(1 - (1 - alpha) * low), float(1 - (1 - alpha) * high)


def split_half(
    responses: ArrayLike | Responses, split: str | Sequence[int] | NDArray[np.intp] = "odd-even"
) -> SplitHalf:
    """`split`: "odd-even", "first-second" (a middle item goes to the second half) or the columns of one half.

    NaN where a half does not vary. Raises BadParameters unless both halves hold an item.
    """
    scores, _ = _complete(responses)
    k = scores.shape[1]
    inside = np.zeros(k, dtype=bool)
    if isinstance(split, str):
        if split not in ("odd-even", "first-second"):
            raise BadParameters(f"{split!r} is not a split: odd-even, first-second or a list of columns.")
        name = split
        inside[slice(0, None, 2) if split == "odd-even" else slice(0, k // 2)] = True
    else:
        columns = np.asarray(split, dtype=np.intp)
        if ((columns < 0) | (columns >= k)).any():
            raise BadParameters(f"A half names a column outside 0 to {k - 1}.")
        name = "given"
        inside[columns] = True
    if inside.all() or not inside.any():
        raise BadParameters("Both halves need at least one item.")
    a, b = scores[:, inside].sum(axis=1), scores[:, ~inside].sum(axis=1)
    (va, c), (_, vb) = np.cov(a, b)
    if va <= 1e-20 or vb <= 1e-20:
        return SplitHalf(name, float("nan"), float("nan"), float("nan"))
    r = float(c / np.sqrt(va * vb))
    whole = va + vb + 2 * c
    return SplitHalf(
        name,
        r,
        2 * r / (1 + r) if r > -1 + 1e-12 else float("nan"),
        float(4 * c / whole) if whole > 1e-20 else float("nan"),
    )


def alpha_if_deleted(responses: ArrayLike | Responses) -> Floats:
    """Alpha of the paper without each item; NaN where fewer than 3 items, 2 complete persons or equal totals."""
    scores = read_scores(responses)
    scores = scores[~np.isnan(scores).any(axis=1)]
    n, k = scores.shape
    if n < 2 or k < 3:
        return np.full(k, np.nan)
    covariance = np.cov(scores, rowvar=False)
    own = np.diag(covariance)
    variance = covariance.sum() - 2 * covariance.sum(axis=1) + own
    usable = variance > 1e-12 * max(1.0, float(np.trace(covariance)))
    ratio = np.divide(np.trace(covariance) - own, variance, out=np.full(k, np.nan), where=usable)
    return np.asarray((k - 1) / (k - 2) * (1 - ratio))


def _complete(responses: ArrayLike | Responses) -> tuple[Floats, int]:
    scores = read_scores(responses)
    whole = ~np.isnan(scores).any(axis=1)
    if scores.shape[1] < 2:
        raise TooFewObservations("Reliability needs at least two items.")
    if whole.sum() < 2:
        raise TooFewObservations(
            f"Reliability needs at least two persons with every item; {whole.sum()} have."
        )
    return scores[whole], int((~whole).sum())


def _alpha(covariance: Floats) -> float:
    k = covariance.shape[0]
    return float(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


def _alpha_standard_error(covariance: Floats, n: int) -> float:
    """Van Zyl, Neudecker & Nel (2000); Duhachek & Iacobucci (2004), eq. 1–2."""
    k = covariance.shape[0]
    total, trace = covariance.sum(), np.trace(covariance)
    squared = covariance @ covariance
    q = (
        2.0
        * k**2
        / ((k - 1) ** 2 * total**3)
        * (total * (np.trace(squared) + trace**2) - 2 * trace * squared.sum())
    )
    return float(np.sqrt(max(0.0, q) / n))


def guttman(covariance: ArrayLike) -> Guttman:
    """Bounds from a covariance matrix of items (k × k), or from a correlation matrix for standardised items.

    λ6 is NaN where the matrix is singular. Raises BadParameters: not a symmetric finite matrix of two items or more,
    or items whose sum does not vary. Source: Guttman (1945), Psychometrika 10, 255–282.
    """
    sentence = "Give the symmetric covariance matrix of two items or more."
    matrix = read_numbers(covariance, sentence, BadParameters, ndim=2)
    k = matrix.shape[0]
    if matrix.shape != (k, k) or k < 2 or not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T):
        raise BadParameters(sentence)
    if matrix.sum() <= 0:
        raise BadParameters("The sum of these items does not vary: there is no reliability to bound.")
    total, own = float(matrix.sum()), np.diag(matrix)
    off = matrix - np.diag(own)
    lambda1 = 1 - own.sum() / total
    lambda2 = lambda1 + np.sqrt(k / (k - 1) * (off**2).sum()) / total
    lambda5 = lambda1 + 2 * np.sqrt((off**2).sum(axis=0).max()) / total
    lambda6 = float("nan")
    if (own > 0).all():
        sd = np.sqrt(own)
        correlations = matrix / np.outer(sd, sd)
        if np.linalg.eigvalsh(correlations)[0] > 1e-10:
            error = 1 / np.diag(np.linalg.inv(correlations))  # 1 − squared multiple correlation
            lambda6 = float(1 - (error * own).sum() / total)
    lambda4 = 4 * matrix[::2, 1::2].sum() / total
    return Guttman(float(lambda1), float(lambda2), _alpha(matrix), float(lambda4), float(lambda5), lambda6)


def _sem(scores: Floats, alpha: float, confidence: float) -> tuple[float, tuple[float, float]]:
    """SD √(1 − alpha) = √(k · residual mean square); jackknife over persons on log SEM, t on n − 1."""
    n, k = scores.shape
    total = scores.sum(axis=1)
    sem = float(np.sqrt(max(0.0, total.var(ddof=1) * (1 - alpha))))
    unknown = (sem, (float("nan"), float("nan")))
    if n < 3 or sem <= 1e-9:
        return unknown
    centred, spread = scores - scores.mean(axis=0), total - total.mean()
    scale = n / (n - 1)
    items = ((centred**2).sum(axis=0) - scale * centred**2).sum(axis=1)
    totals = (spread**2).sum() - scale * spread**2
    squared = (k * items - totals) / (k - 1) / (n - 2)
    if (squared <= 1e-18).any():
        return unknown
    logs = 0.5 * np.log(squared)
    reach = stats.t.ppf(0.5 + confidence / 2, n - 1) * np.sqrt(
        (n - 1) / n * ((logs - logs.mean()) ** 2).sum()
    )
    return sem, (float(sem * np.exp(-reach)), float(sem * np.exp(reach)))


def _size(n: int, k: int) -> dict[str, float]:
    return {"n": float(n), "items": float(k)}


def _nothing(
    n: int,
    left_out: int,
    k: int,
    level: float,
    mean: float,
    variance: float,
    halves: tuple[SplitHalf, ...],
    conditional: ConditionalError,
) -> Reliability:
    """Everybody has the same total: no coefficient exists."""
    nan, none = float("nan"), (float("nan"), float("nan"))
    reason = Verdict("reliability.not_estimable", _size(n, k))
    reasons = dict.fromkeys(("alpha", "average_correlation", "kr20", "omega", "guttman", "sem"), reason)
    reasons |= {f"split_halves.{half.name}": reason for half in halves}
    return Reliability(
        n=n,
        left_out=left_out,
        n_items=k,
        confidence=level,
        mean=mean,
        standard_deviation=float(np.sqrt(max(0.0, variance))),
        alpha=nan,
        alpha_interval=none,
        alpha_standard_error=nan,
        alpha_standardised=nan,
        average_correlation=nan,
        kr20=nan,
        kr21=nan,
        omega=nan,
        omega_interval=none,
        factor=None,
        guttman=Guttman(nan, nan, nan, nan, nan, nan),
        split_halves=halves,
        sem=nan,
        sem_interval=none,
        conditional=conditional,
        verdict=reason,
        reasons=reasons,
    )
