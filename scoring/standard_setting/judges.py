"""Cut scores from judges: Angoff, bookmark, Hofstee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from scoring.errors import BadParameters, BadResponses, NotIdentified
from scoring.intervals import correlation, mean_interval
from scoring.numbers import read_numbers
from scoring.scores import read_confidence, read_names, read_scores, read_vector
from scoring.verdicts import Verdict

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AngoffRound:
    """One round. `judge_cut`: score points per judge; `cut` their mean, `spread` their SD, `standard_error` = SD / √judges
    with Student's `interval` (other judges, these items); `total_error` also takes items as a sample (judges × items).
    `item_mean`, `item_spread`: over judges. `consistency`: reliability of the judges' mean item ratings (ICC(C,k) of
    items × judges). NaN with one judge.
    """

    judge_cut: Floats
    cut: float
    spread: float
    standard_error: float
    total_error: float
    interval: tuple[float, float]
    item_mean: Floats
    item_spread: Floats
    consistency: float


@dataclass(frozen=True, eq=False)
class Angoff:
    """`rounds` in order; `cut`, `standard_error`, `interval` of the last one; `maximum` of the paper.

    `spread_change`: last SD between judges over the first (below 1: they drew together); `moved`: judge × later round,
    change of the judge's cut. `without_judge`: the cut if that judge is left out. `difficulty_correlation`: each
    judge's ratings with the items' observed difficulty, with intervals; empty without difficulties.
    """

    judges: tuple[str, ...]
    maximum: float
    rounds: tuple[AngoffRound, ...]
    cut: float
    standard_error: float
    interval: tuple[float, float]
    spread_change: float
    moved: Floats
    without_judge: Floats
    difficulty_correlation: Floats
    difficulty_interval: Floats
    confidence: float
    verdicts: tuple[Verdict, ...]


def angoff(
    ratings: ArrayLike | Sequence[ArrayLike],
    *,
    maximum: ArrayLike | None = None,
    difficulty: ArrayLike | None = None,
    judges: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> Angoff:
    """Modified Angoff: `ratings` judges × items, or rounds × judges × items (one table per round, the last decides).

    A rating is the expected share of the item's points (0–1) that a candidate who just passes earns. `maximum`: points per
    item (1). `difficulty`: observed mean shares, to see whether judges know which items are hard.
    The interval holds for panels like this one; with fewer than about five judges it is wide because it must be.

    Raises BadResponses: missing ratings, or ratings outside 0–1; BadParameters: sizes that do not fit.
    Sources: Angoff (1971); Hambleton & Plake (1995); Brennan & Lockwood (1980) for the error over judges and items.
    """
    level = read_confidence(confidence)
    tables = _rounds(ratings)
    n_judges, n_items = tables[0].shape
    names = read_names(judges, n_judges, "judges")
    points = read_vector(1.0 if maximum is None else maximum, n_items, "items' maxima", positive=True)
    rounds = tuple(_angoff_round(table, points, level) for table in tables)
    last, table = rounds[-1], tables[-1]
    cuts = np.column_stack([found.judge_cut for found in rounds])
    without = np.full(n_judges, np.nan)
    if n_judges > 1:
        without = (last.judge_cut.sum() - last.judge_cut) / (n_judges - 1)
    correlations, limits = np.empty(0), np.empty((0, 2))
    verdicts = [_cut_verdict(n_judges, last, float(points.sum()))]
    if difficulty is not None:
        p = np.array(difficulty, dtype=float)
        if p.shape != (n_items,) or not np.isfinite(p).all():
            raise BadParameters(f"Give a difficulty for each of the {n_items} items.")
        found = [correlation(row, p, level) for row in table]
        correlations, limits = np.array([c.value for c in found]), np.array([c.interval for c in found])
        verdicts += [
            Verdict("judge.inconsistent", {"correlation": c.value, "upper": c.interval[1]}, {"judge": name})
            for name, c in zip(names, found, strict=True)
            if not c.value > 0
        ]
    return Angoff(
        judges=names,
        maximum=float(points.sum()),
        rounds=rounds,
        cut=last.cut,
        standard_error=last.standard_error,
        interval=last.interval,
        spread_change=last.spread / rounds[0].spread if rounds[0].spread > 0 else float("nan"),
        moved=np.diff(cuts, axis=1),
        without_judge=without,
        difficulty_correlation=correlations,
        difficulty_interval=limits,
        confidence=level,
        verdicts=tuple(verdicts),
    )


def _rounds(ratings: ArrayLike | Sequence[ArrayLike]) -> list[Floats]:
    whole = read_numbers(ratings, "Ratings must be numbers, judges × items, the same judges and items in each round.")
    if whole.ndim == 2:
        whole = whole[None]
    if whole.ndim != 3 or whole.shape[0] == 0:
        raise BadResponses(f"Ratings must be judges × items, or rounds of these; the shape is {whole.shape}.")
    tables = [read_scores(table, complete=True, rows="judges", columns="items") for table in whole]
    if (whole < 0).any() or (whole > 1).any():
        raise BadResponses("A rating is a share between 0 and 1: divide by 100, or by the item's maximum.")
    return tables


def _angoff_round(table: Floats, points: Floats, confidence: float) -> AngoffRound:
    n_judges, n_items = table.shape
    weighted = table * points
    judge_cut = weighted.sum(axis=1)
    error, low, high = mean_interval(judge_cut, confidence)
    maximum = float(points.sum())
    total_error = consistency = float("nan")
    if n_judges > 1 and n_items > 1:
        grand = weighted.mean()
        by_judge, by_item = weighted.mean(axis=1), weighted.mean(axis=0)
        ms_judge = n_items * ((by_judge - grand) ** 2).sum() / (n_judges - 1)
        ms_item = n_judges * ((by_item - grand) ** 2).sum() / (n_items - 1)
        rest = weighted - by_judge[:, None] - by_item + grand
        ms_rest = (rest**2).sum() / ((n_judges - 1) * (n_items - 1))
        # variance of the grand mean with both random: (MSj + MSi − MSr) / (judges × items)
        mean_variance = max(0.0, float(ms_judge + ms_item - ms_rest)) / (n_judges * n_items)
        total_error = float(n_items * np.sqrt(mean_variance))
        consistency = float(1 - ms_rest / ms_item) if ms_item > 1e-20 else float("nan")
    return AngoffRound(
        judge_cut=judge_cut,
        cut=float(judge_cut.mean()),
        spread=float(judge_cut.std(ddof=1)) if n_judges > 1 else float("nan"),
        standard_error=error,
        total_error=total_error,
        interval=(max(0.0, low), min(maximum, high)),
        item_mean=table.mean(axis=0),
        item_spread=table.std(axis=0, ddof=1) if n_judges > 1 else np.full(n_items, np.nan),
        consistency=consistency,
    )


def _cut_verdict(n_judges: int, found: AngoffRound, maximum: float) -> Verdict:
    if n_judges == 1:
        return Verdict("cut.one_judge")
    numbers = {"judges": float(n_judges), "lower": found.interval[0], "upper": found.interval[1]}
    wide = found.interval[1] - found.interval[0] > 0.5 * maximum
    return Verdict("cut.says_nothing" if wide else "cut.stable", numbers)


@dataclass(frozen=True, eq=False)
class Bookmark:
    """`location`: ability at which an item is answered with the response probability, in booklet order `order`.

    `judge_cut` on the ability scale; `cut` by the statistic asked, `standard_error` (of the mean; 1.2533 times it for the
    median, its value for a normal panel) and Student's interval around the mean. `score_cut`: expected score at the cut.
    """

    order: NDArray[np.intp]
    location: Floats
    judge_cut: Floats
    cut: float
    standard_error: float
    interval: tuple[float, float]
    score_cut: float
    confidence: float
    verdict: Verdict


def bookmark(
    bookmarks: ArrayLike,
    difficulty: ArrayLike,
    *,
    slope: ArrayLike = 1.0,
    lower_asymptote: ArrayLike = 0.0,
    response_probability: float = 2 / 3,
    statistic: str = "median",
    confidence: float = 0.95,
) -> Bookmark:
    """Bookmark method on 0/1 items with P = c + (1 − c) / (1 + exp(−a(θ − b))).

    `bookmarks`: per judge, the page (from 1) of the ordered booklet on which the first item stands that a candidate who
    just passes would not master; pages are in order of location, ties by column. The judge's cut is the location of the
    last item before the bookmark; page 1 takes the first item's location, and items + 1 is allowed (all mastered).
    `statistic`: "median" or "mean" of the judges.

    Raises BadParameters: pages outside the booklet, a response probability not above every lower asymptote.
    Source: Lewis, Mitzel, Mercado & Schulz (2012), The Bookmark standard setting procedure. Not handled: polytomous items
    (give each category boundary as an item of its own), several cuts at once (call once per cut).
    """
    level = read_confidence(confidence)
    b = np.atleast_1d(read_numbers(difficulty, "Difficulties must be numbers, one per item.", BadParameters))
    if b.ndim != 1 or b.size == 0 or not np.isfinite(b).all():
        raise BadParameters("Give finite difficulties, one per item.")
    a = read_vector(slope, b.size, "slopes", positive=True)
    c = read_vector(lower_asymptote, b.size, "lower asymptotes")
    if not ((c >= 0).all() and float(c.max()) < response_probability < 1):
        raise BadParameters("The response probability lies between the highest lower asymptote and 1.")
    if statistic not in ("median", "mean"):
        raise BadParameters(f'{statistic!r} is not a statistic: "median" or "mean".')
    pages = np.atleast_1d(read_numbers(bookmarks, "Bookmarks must be pages, one per judge.", BadParameters))
    if (
        pages.ndim != 1
        or pages.size == 0
        or not np.array_equal(pages, np.rint(pages))
        or (pages < 1).any()
        or (pages > b.size + 1).any()
    ):
        raise BadParameters(f"Bookmarks are whole pages from 1 to {b.size + 1}, one per judge.")
    location = b + special.logit((response_probability - c) / (1 - c)) / a
    order = np.argsort(location, kind="stable")
    judge_cut = location[order][np.maximum(pages.astype(int) - 2, 0)]
    error, low, high = mean_interval(judge_cut, level)
    cut = float(np.median(judge_cut) if statistic == "median" else judge_cut.mean())
    if judge_cut.size == 1:
        verdict = Verdict("cut.one_judge")
    else:
        verdict = Verdict("cut.stable", {"judges": float(judge_cut.size), "lower": low, "upper": high})
    return Bookmark(
        order=order.astype(np.intp),
        location=location,
        judge_cut=judge_cut,
        cut=cut,
        standard_error=error * (float(np.sqrt(np.pi / 2)) if statistic == "median" else 1.0),
        interval=(low, high),
        score_cut=float((c + (1 - c) * special.expit(a * (cut - b))).sum()),
        confidence=level,
        verdict=verdict,
    )


@dataclass(frozen=True, eq=False)
class Hofstee:
    """`cut` in score points and `failure_rate` (share below it) at the crossing; `found` False where the line misses the
    curve, then `cut` is the nearer end of the judges' range. `standard_error`: jackknife over judges (NaN with one).
    """

    cut: float
    failure_rate: float
    found: bool
    lowest_cut: float
    highest_cut: float
    lowest_failure: float
    highest_failure: float
    standard_error: float
    verdict: Verdict | None


def hofstee(
    scores: ArrayLike,
    lowest_cut: ArrayLike,
    highest_cut: ArrayLike,
    lowest_failure: ArrayLike,
    highest_failure: ArrayLike,
) -> Hofstee:
    """Compromise of what judges find acceptable: cut scores between `lowest_cut` and `highest_cut`, failure rates (0–1)
    between `lowest_failure` and `highest_failure`; one value each, or one per judge (their means count).

    The line from (lowest cut, highest failure) to (highest cut, lowest failure) is crossed with the share of `scores`
    below the cut, drawn as a polygon through the points (score, share below it). Raises BadResponses, BadParameters.
    Source: Hofstee (1983); de Gruijter (1985), Journal of Educational Measurement 22, 263–269.
    """
    totals = read_numbers(scores, "Hofstee needs the total scores of the candidates as numbers.")
    if totals.ndim != 1 or totals.size < 2 or not np.isfinite(totals).all():
        raise BadResponses("Hofstee needs the finite total scores of at least two candidates.")
    sentence = "The four limits are finite numbers, one per judge."
    given = [
        np.atleast_1d(read_numbers(v, sentence, BadParameters))
        for v in (lowest_cut, highest_cut, lowest_failure, highest_failure)
    ]
    try:
        panel = np.stack(np.broadcast_arrays(*given), axis=1)
    except ValueError:
        raise BadParameters("Give the same number of judges for all four limits.") from None
    if panel.ndim != 2 or panel.size == 0 or not np.isfinite(panel).all():
        raise BadParameters(sentence)
    if (panel[:, 0] > panel[:, 1]).any() or (panel[:, 2] > panel[:, 3]).any():
        raise BadParameters("A lowest limit is above its highest one.")
    if (panel[:, 2:] < 0).any() or (panel[:, 2:] > 1).any():
        raise BadParameters("Failure rates are shares between 0 and 1.")
    limits = panel.mean(axis=0)
    cut, rate, found = _crossing(totals, *limits)
    error = float("nan")
    n = panel.shape[0]
    if n > 1:
        without = np.array(
            [_crossing(totals, *np.delete(panel, i, axis=0).mean(axis=0))[0] for i in range(n)]
        )
        error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    low_cut, high_cut, low_failure, high_failure = limits.tolist()
    return Hofstee(
        cut=cut,
        failure_rate=rate,
        found=found,
        lowest_cut=low_cut,
        highest_cut=high_cut,
        lowest_failure=low_failure,
        highest_failure=high_failure,
        standard_error=error,
        verdict=None if found else Verdict("cut.no_intersection"),
    )


def _crossing(
    totals: Floats, low_cut: float, high_cut: float, low_failure: float, high_failure: float
) -> tuple[float, float, bool]:
    values = np.unique(totals)
    below = np.searchsorted(np.sort(totals), values) / totals.size

    def failing(cut: float) -> float:
        if cut > values[-1]:
            return float(min(1.0, below[-1] + (1 - below[-1]) * min(1.0, cut - values[-1])))
        return float(np.interp(cut, values, below))

    def gap(cut: float) -> float:
        share = (cut - low_cut) / (high_cut - low_cut) if high_cut > low_cut else 0.5
        return failing(cut) - (high_failure + share * (low_failure - high_failure))

    if gap(low_cut) > 1e-12:  # too many fail even at the lowest acceptable cut
        return float(low_cut), failing(low_cut), False
    if gap(high_cut) < -1e-12:
        return float(high_cut), failing(high_cut), False
    if high_cut == low_cut:
        return float(low_cut), failing(low_cut), True
    cut = float(optimize.brentq(gap, low_cut, high_cut, xtol=1e-12))
    return cut, failing(cut), True


@dataclass(frozen=True, eq=False)
class Borderline:
    """`cut` in score points with `standard_error` and `interval` over candidates. `n`: scores used (of the borderline
    group; of all for regression). Regression: `intercept`, `slope` per grade, `r_squared`; NaN for the group method.
    """

    method: str
    cut: float
    standard_error: float
    interval: tuple[float, float]
    n: int
    intercept: float
    slope: float
    r_squared: float
    confidence: float
    verdict: Verdict | None


def borderline(
    scores: ArrayLike,
    grades: ArrayLike,
    grade: float,
    *,
    method: str = "regression",
    statistic: str = "median",
    confidence: float = 0.95,
) -> Borderline:
    """Cut from candidates whom examiners judged borderline: `grades` are global judgements, `grade` the borderline one.

    "group": `statistic` ("median" or "mean") of the scores with that grade. The median's interval is the exact binomial
    one between order statistics (−inf, inf where there are too few: 6 are needed for 95 %); its error is a quarter of
    that width scaled from the normal, NaN where infinite. "regression": the line of scores on grades at `grade`, with
    Student's interval for the line; holds where the line does, also with few borderline candidates.

    Raises BadResponses; NotIdentified: nobody borderline, or all grades equal. Source: Wood, Humphrey-Murray &
    Norman (2006) for the regression; Livingston & Zieky (1982) for the group.
    """
    level = read_confidence(confidence)
    sentence = "Scores and grades are numbers, one each per candidate."
    x, y = read_numbers(grades, sentence), read_numbers(scores, sentence)
    grade = float(read_numbers(grade, "The borderline grade is one number.", BadParameters, ndim=0))
    if not np.isfinite(grade):
        raise BadParameters("The borderline grade is a finite number.")
    if x.shape != y.shape or x.ndim != 1 or x.size < 2:
        raise BadResponses("Give one score and one grade per candidate, for at least two candidates.")
    keep = ~(np.isnan(x) | np.isnan(y))
    x, y = x[keep], y[keep]
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise BadResponses("Scores and grades are finite numbers.")
    nan = float("nan")
    if method == "group":
        group = np.sort(y[x == grade])
        if group.size == 0:
            raise NotIdentified(f"No candidate has the grade {grade:g}: use the regression method.")
        if statistic == "mean":
            error, low, high = mean_interval(group, level)
            cut = float(group.mean())
        elif statistic == "median":
            cut = float(np.median(group))
            low, high = _median_interval(group, level)
            error = (
                (high - low) / (2 * float(special.ndtri(0.5 + level / 2))) if np.isfinite(high - low) else nan
            )
        else:
            raise BadParameters(f'{statistic!r} is not a statistic: "median" or "mean".')
        few = (
            None
            if np.isfinite(high - low)
            else Verdict("cut.says_nothing", {"judges": float(group.size), "lower": low, "upper": high})
        )
        return Borderline("group", cut, error, (low, high), int(group.size), nan, nan, nan, level, few)
    if method != "regression":
        raise BadParameters(f'{method!r} is not a method: "group" or "regression".')
    n = x.size
    sxx = float(((x - x.mean()) ** 2).sum()) if n else 0.0
    if n < 3 or sxx <= 0:
        raise NotIdentified("Regression needs three candidates or more with grades that differ.")
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / sxx)
    intercept = float(y.mean() - slope * x.mean())
    residual = y - intercept - slope * x
    syy = float(((y - y.mean()) ** 2).sum())
    variance = float(residual @ residual) / (n - 2)
    error = float(np.sqrt(variance * (1 / n + (grade - x.mean()) ** 2 / sxx)))
    cut = intercept + slope * grade
    reach = float(special.stdtrit(n - 2, 0.5 + level / 2)) * error
    return Borderline(
        "regression",
        cut,
        error,
        (cut - reach, cut + reach),
        n,
        intercept,
        slope,
        1 - float(residual @ residual) / syy if syy > 0 else nan,
        level,
        None,
    )


def _median_interval(ordered: Floats, confidence: float) -> tuple[float, float]:
    """Order statistics d and n + 1 − d with the largest d whose binomial coverage reaches the level."""
    n = ordered.size
    d = 0
    while d + 1 <= n // 2 and 1 - 2 * special.bdtr(d, n, 0.5) >= confidence:
        d += 1
    return (float(ordered[d - 1]), float(ordered[n - d])) if d else (float("-inf"), float("inf"))
