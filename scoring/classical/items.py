"""Classical item statistics that stay honest at 5–40 candidates: every estimate has an interval and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from scoring.classical.distractors import DistractorTable, distractor_table, mark_against_key
from scoring.classical.reliability import alpha_if_deleted
from scoring.errors import BadParameters
from scoring.intervals import bounded_mean_interval, correlation, pearson, proportion_interval
from scoring.responses import Responses
from scoring.scores import read_confidence, read_names, read_scores, read_vector
from scoring.verdicts import Verdict

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TotalScores:
    """Totals of persons (sum over the items; a person with missing items is scaled to the full paper).

    `skewness`, `kurtosis` (excess) are the moment coefficients; NaN where all totals are equal.
    """

    score: Floats
    maximum: float
    mean: float
    standard_deviation: float
    skewness: float
    kurtosis: float


@dataclass(frozen=True, eq=False)
class ItemAnalysis:
    """One row per item. Intervals have the shape items × 2 and hold at `confidence`.

    `difficulty`: mean share of the maximum, 0–1, high = easy (the p value); exact (Blaker) interval for items
    scored 0/1, Korn–Graubard otherwise. `difficulty_shrunken`: pulled to the paper's mean as far as the sample
    cannot tell items apart (beta-binomial, moments).
    `item_rest`: correlation with the other items (the point-biserial, corrected for overlap); `item_total`
    without the correction (too high on short papers). `item_rest_shrunken`: on Fisher's scale towards the mean
    of the paper (DerSimonian–Laird). `biserial`: item_rest √(pq) / φ(z_p), `biserial_total` the same of
    item_total; NaN unless scored 0/1; may exceed 1.
    `upper_share`, `lower_share`: mean share of the maximum in the top and bottom `group_size` persons (27 %,
    ties by row order), `upper_lower` their difference D.
    An interval of (−1, 1) says that the sample bounds nothing; the item's verdicts give the reason.
    Verdicts: per item, first about discrimination, then about the key; `verdict` about the paper.
    """

    items: tuple[str, ...]
    confidence: float
    n: NDArray[np.intp]
    maximum: Floats
    mean: Floats
    standard_deviation: Floats
    difficulty: Floats
    difficulty_interval: Floats
    difficulty_shrunken: Floats
    item_total: Floats
    item_rest: Floats
    item_rest_interval: Floats
    item_rest_shrunken: Floats
    biserial: Floats
    biserial_interval: Floats
    biserial_total: Floats
    alpha_if_deleted: Floats
    group_size: int
    upper_share: Floats
    lower_share: Floats
    upper_lower: Floats
    total: TotalScores
    distractors: tuple[DistractorTable | None, ...] | None
    verdicts: tuple[tuple[Verdict, ...], ...]
    verdict: Verdict


def item_analysis(
    responses: ArrayLike | Responses,
    key: Sequence[Any] | None = None,
    *,
    maximum: ArrayLike | None = None,
    items: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> ItemAnalysis:
    """Difficulty, discrimination and distractors of every item.

    `responses`: persons × items; scores (any real numbers from 0), or with `key` the options chosen (texts or
    numbers; None, NaN or "" = omitted, scored 0). An entry None in the key leaves that item to be read as scores.
    `maximum`: points of each item; by default 1 where nothing exceeds 1, else the categories declared or the
    highest score seen. Missing scores (NaN = not administered) are left out of the item, and totals and rest
    scores are shares of what was administered.

    Intervals treat persons as a sample: they say how far the numbers would carry to other candidates of the
    same kind. With fewer than 4 persons discrimination is always unbounded. Exceptional items are looked at one
    by one: of k items about k (1 − confidence) / 2 show a reversed sign by chance alone (in `verdict`).

    Raises BadResponses, BadParameters. Sources: Lord & Novick (1968), chapter 15; Kelley (1939) for 27 %;
    intervals in `scoring.intervals`. Not handled: polyserial correlations, person weights.
    """
    level = read_confidence(confidence)
    options: list[list[Any]] | None = None
    if key is not None:
        scored, options = mark_against_key(responses, key)
        scores = read_scores(scored)
    else:
        scores = read_scores(responses)
    n_persons, k = scores.shape
    names = read_names(
        responses.items if isinstance(responses, Responses) and items is None else items, k, "items"
    )
    points = _maximum(scores, maximum, responses)
    share = scores / points
    observed = ~np.isnan(share)
    count = observed.sum(axis=0)
    total, rest = _totals(scores, points, observed), _rest(scores, points, observed)
    dichotomous = np.array([bool(np.isin(share[observed[:, j], j], (0.0, 1.0)).all()) for j in range(k)])

    mean = np.nanmean(scores, axis=0)
    sd = np.array([_sd(scores[observed[:, j], j]) for j in range(k)])
    difficulty = mean / points
    variance = (sd / points) ** 2
    exact = proportion_interval(np.rint(np.where(dichotomous, difficulty * count, 0)), count, level)
    bounded = bounded_mean_interval(difficulty, np.nan_to_num(variance), count, level)
    upper, lower, size = _groups(share, total.score)

    r_total, r_rest, error = np.full(k, np.nan), np.full(k, np.nan), np.full(k, np.nan)
    interval = np.tile((-1.0, 1.0), (k, 1))
    biserial, biserial_total = np.full(k, np.nan), np.full(k, np.nan)
    biserial_interval = np.tile((-1.0, 1.0), (k, 1))
    verdicts: list[tuple[Verdict, ...]] = []
    for j in range(k):
        rows = observed[:, j]
        use = rows & ~np.isnan(rest[:, j])
        x, others = share[use, j], rest[use, j]
        found = correlation(x, others, level)
        r_rest[j], error[j], interval[j] = found.value, found.standard_error, found.interval
        r_total[j] = pearson(share[rows, j], total.score[rows])
        if dichotomous[j]:
            stretch = float(_biserial_factor(difficulty[j]))
            biserial[j], biserial_total[j] = r_rest[j] * stretch, r_total[j] * stretch
            biserial_interval[j] = _biserial_interval(x, others, found.identified, level)
        verdicts.append((_item_verdict(x, found.identified, interval[j], level),))
    tables: tuple[DistractorTable | None, ...] | None = None
    if options is not None and key is not None:
        tables = tuple(
            None
            if key[j] is None
            else distractor_table(
                options[j], key[j], total.score, rest[:, j], item=names[j], confidence=level
            )
            for j in range(k)
        )
        verdicts = [
            found + (table.verdicts if table is not None else ())
            for found, table in zip(verdicts, tables, strict=True)
        ]
    return ItemAnalysis(
        items=names,
        confidence=level,
        n=count.astype(np.intp),
        maximum=points,
        mean=mean,
        standard_deviation=sd,
        difficulty=difficulty,
        difficulty_interval=np.where(dichotomous[:, None], exact, bounded),
        difficulty_shrunken=_shrink_difficulty(difficulty, variance, count),
        item_total=r_total,
        item_rest=r_rest,
        item_rest_interval=interval,
        item_rest_shrunken=_shrink_correlations(r_rest, error),
        biserial=biserial,
        biserial_interval=biserial_interval,
        biserial_total=biserial_total,
        alpha_if_deleted=alpha_if_deleted(scores),
        group_size=size,
        upper_share=upper,
        lower_share=lower,
        upper_lower=upper - lower,
        total=total,
        distractors=tables,
        verdicts=tuple(verdicts),
        verdict=_paper_verdict(verdicts, n_persons, level),
    )


def _maximum(scores: Floats, maximum: ArrayLike | None, responses: object) -> Floats:
    highest = np.nanmax(scores, axis=0)
    if np.nanmin(scores) < 0:
        raise BadParameters("Scores begin at 0: shift negative scores first.")
    if maximum is not None:
        points = read_vector(maximum, scores.shape[1], "items' maxima", positive=True)
    elif isinstance(responses, Responses):
        points = np.maximum(responses.categories - 1.0, 1.0)
    else:
        points = np.maximum(highest, 1.0)
    if (highest > points).any():
        j = int(np.argmax(highest > points))
        raise BadParameters(f"Item {j + 1} has a score of {highest[j]:g}, above its maximum {points[j]:g}.")
    return np.asarray(points)


def _sd(values: Floats) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else float("nan")


def _totals(scores: Floats, points: Floats, observed: NDArray[np.bool_]) -> TotalScores:
    earned = np.nansum(scores, axis=1)
    offered = observed @ points
    full = float(points.sum())
    score = np.where(observed.all(axis=1), earned, earned / offered * full)
    centred = score - score.mean()
    m2 = float((centred**2).mean())
    flat = m2 <= 1e-20 * max(1.0, full) ** 2
    return TotalScores(
        score=score,
        maximum=full,
        mean=float(score.mean()),
        standard_deviation=_sd(score),
        skewness=float("nan") if flat else float((centred**3).mean() / m2**1.5),
        kurtosis=float("nan") if flat else float((centred**4).mean() / m2**2 - 3.0),
    )


def _rest(scores: Floats, points: Floats, observed: NDArray[np.bool_]) -> Floats:
    """persons × items: share of the other items' points a person earned; NaN where they were given no other."""
    own = np.where(observed, scores, 0.0)
    offered = (observed @ points)[:, None] - observed * points
    rest: Floats = np.full(scores.shape, np.nan)
    np.divide(own.sum(axis=1, keepdims=True) - own, offered, out=rest, where=offered > 1e-9 * points.sum())
    return rest


def _groups(share: Floats, total: Floats) -> tuple[Floats, Floats, int]:
    """27 % of the persons from each end of the total; at least one, never the same person twice."""
    n = total.size
    size = min(max(1, int(np.floor(0.27 * n + 0.5))), n // 2)
    nothing = np.full(share.shape[1], np.nan)
    if size == 0:
        return nothing, nothing, 0
    order = np.argsort(total, kind="stable")
    return _column_means(share[order[n - size :]]), _column_means(share[order[:size]]), size


def _column_means(values: Floats) -> Floats:
    there = ~np.isnan(values)
    means: Floats = np.full(values.shape[1], np.nan)
    np.divide(np.nansum(values, axis=0), there.sum(axis=0), out=means, where=there.any(axis=0))
    return means


def _biserial_factor(p: ArrayLike) -> Floats:
    """√(pq) / φ(z_p); NaN at p = 0 and 1."""
    share = np.asarray(p, dtype=float)
    inside = np.where((share > 0) & (share < 1), share, np.nan)
    return np.asarray(np.sqrt(inside * (1 - inside)) / stats.norm.pdf(special.ndtri(inside)))


def _biserial_interval(x: Floats, rest: Floats, identified: bool, confidence: float) -> tuple[float, float]:
    """Jackknife of artanh(r) times the factor: the factor's own error counts, and the scale stays unbounded."""
    if not identified:
        return -1.0, 1.0
    n = x.size
    dx, dy = x - x.mean(), rest - rest.mean()
    scale = n / (n - 1)
    sxx, syy, sxy = dx @ dx, dy @ dy, dx @ dy
    r = sxy / np.sqrt(sxx * syy)
    without = (sxy - scale * dx * dy) / np.sqrt((sxx - scale * dx * dx) * (syy - scale * dy * dy))
    factor = float(_biserial_factor(x.mean()))
    u = factor * np.arctanh(r)
    u_without = np.arctanh(np.clip(without, -1 + 1e-9, 1 - 1e-9)) * _biserial_factor((x.sum() - x) / (n - 1))
    reach = stats.t.ppf(0.5 + confidence / 2, n - 1) * np.sqrt(
        (n - 1) / n * ((u_without - u_without.mean()) ** 2).sum()
    )
    return float(factor * np.tanh((u - reach) / factor)), float(factor * np.tanh((u + reach) / factor))


def _shrink_difficulty(difficulty: Floats, variance: Floats, n: NDArray[np.integer[Any]]) -> Floats:
    """Linear empirical Bayes: each item keeps τ² / (τ² + its sampling variance) of its distance from the mean.

    The sampling variance uses the paper's average spread, so that an item all got right is pulled in too.
    """
    if difficulty.size < 3 or np.isnan(variance).any():
        return np.full(difficulty.shape, np.nan)
    mean = float(difficulty.mean())
    sampling = float(variance.mean()) / n
    between = max(0.0, float(difficulty.var(ddof=1)) - float(sampling.mean()))
    keep = between / (between + sampling) if between > 0 else np.zeros_like(difficulty)
    return np.asarray(mean + keep * (difficulty - mean))


def _shrink_correlations(r: Floats, error: Floats) -> Floats:
    """On Fisher's z towards the weighted mean of the identified items; an unidentified item gets that mean.

    An error that is nothing but rounding (four people can lie on a line) identifies no item: its weight would drown all others.
    """
    known = np.isfinite(error) & (error > 1e-8)
    if known.sum() < 3:
        return np.full(r.shape, np.nan)
    z, v = np.arctanh(r[known]), error[known] ** 2
    weight = 1.0 / v
    mean = float((weight * z).sum() / weight.sum())
    q = float((weight * (z - mean) ** 2).sum())
    between = max(0.0, (q - (known.sum() - 1)) / float(weight.sum() - (weight**2).sum() / weight.sum()))
    weight = 1.0 / (v + between)
    mean = float((weight * z).sum() / weight.sum())
    out = np.full(r.shape, np.tanh(mean))
    out[known] = np.tanh(mean + between / (between + v) * (z - mean))
    return out


def _item_verdict(x: Floats, identified: bool, interval: Floats, confidence: float) -> Verdict:
    n = float(x.size)
    if x.size == 0 or np.ptp(x) == 0:
        return Verdict("item.no_variation", {"n": n})
    if not identified:
        _, counts = np.unique(x, return_counts=True)
        return Verdict("item.too_few", {"n": n, "minority": n - float(counts.max())})
    numbers = {"n": n, "lower": float(interval[0]), "upper": float(interval[1]), "confidence": confidence}
    if interval[0] > 0:
        return Verdict("item.discriminates", numbers)
    return Verdict("item.reversed" if interval[1] < 0 else "item.undecided", numbers)


def _paper_verdict(verdicts: list[tuple[Verdict, ...]], n: int, confidence: float) -> Verdict:
    decided = sum(found[0].code in ("item.discriminates", "item.reversed") for found in verdicts)
    numbers = {
        "n": float(n),
        "items": float(len(verdicts)),
        "decided": float(decided),
        "reversed": float(sum(found[0].code == "item.reversed" for found in verdicts)),
        "false_alarms": len(verdicts) * (1.0 - confidence),
    }
    nothing = decided <= np.ceil(numbers["false_alarms"])
    return Verdict("paper.says_nothing" if nothing else "paper.some_items", numbers)
