"""Fit of items: S-X² on observed scores, infit and outfit on estimated abilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from scoring.errors import BadParameters, TooFewObservations
from scoring.irt.ability import Ability, convolve_scores
from scoring.irt.calibration import Calibration
from scoring.irt.information import category_probabilities
from scoring.irt.kernels import log_probabilities
from scoring.irt.nodes import choose_nodes
from scoring.irt.parameters import ItemParameters, as_items
from scoring.irt.posterior import Persons, log_normal_prior
from scoring.irt.residuals import (
    SMALLEST_VARIANCE,
    plain,
    read_ability,
    residuals,
    standardised_mean_square,
    usable_theta,
)
from scoring.responses import Responses

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ItemFit:
    """Fit by item, arrays (n,) unless said otherwise.

    `s_x2`, `df`, `p_value`, `rmsea`: Orlando & Thissen's S-X² over `n_complete` persons who met every item;
    NaN (and df 0) where too few score groups remain. `outfit`, `infit`: mean squares (expectation near 1)
    and `z_outfit`, `z_infit`; `z_log_likelihood`: the item's standardised log-likelihood Zh; over `n_persons`
    persons with a finite ability, NaN for an item that none of them met. Mean squares are not sampled from
    their textbook distribution when abilities are estimated from the same few items: with EAP they centre
    below 1.
    """

    items: tuple[str, ...]
    s_x2: Floats
    df: NDArray[np.intp]
    p_value: Floats
    rmsea: Floats
    n_complete: int
    outfit: Floats
    z_outfit: Floats
    infit: Floats
    z_infit: Floats
    z_log_likelihood: Floats
    n_persons: int


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Observed and expected numbers of persons by total score (rows) and category (columns)."""

    score: NDArray[np.intp]
    observed: Floats
    expected: Floats


def item_fit(
    responses: ArrayLike | Responses,
    items: ItemParameters | Calibration,
    *,
    ability: Ability | ArrayLike | None = None,
    method: str = "EAP",
    prior: tuple[float, float] | None = None,
    minimum_expected: float = 1.0,
    n_estimated: ArrayLike | None = None,
) -> ItemFit:
    """Fit statistics of every item.

    `ability` or `method`: where residuals are taken: given abilities, or new EAP, MAP, ML, WLE; "posterior"
    averages squared residuals over each person's posterior, which centres infit and outfit at 1.
    `prior`: mean and SD of the population, by default the calibration's (single) group, else (0, 1).
    `n_estimated`: free parameters per item, by default those of its model. S-X² merges score groups and
    categories until every expected number reaches `minimum_expected`.

    Sources: Orlando & Thissen 2000, eqs. 5–6; Kang & Chen 2008 (polytomous); Wright & Masters 1982, ch. 5;
    Drasgow, Levine & Williams 1985. Raises BadResponses, BadParameters, TooFewObservations (nobody met any
    item). Not handled: S-X² for persons with missing responses (they are left out of it).
    """
    known = as_items(items)
    read = known.read(responses)
    mean, sd = population(items) if prior is None else (float(prior[0]), float(prior[1]))
    free = parameters_per_item(items) if n_estimated is None else np.asarray(n_estimated, dtype=np.intp)
    if free.shape != (known.n_items,):
        raise BadParameters("Give the number of estimated parameters of every item.")
    if ability is None and method == "posterior":
        squares = _posterior_mean_squares(read, plain(known), mean, sd)
    else:
        estimated = read_ability(read, known, ability, method, (mean, sd))
        squares = _mean_squares(read, plain(known), usable_theta(estimated))
    outfit, z_outfit, infit, z_infit, z_log, n = squares
    whole = read.select(np.flatnonzero((read.codes >= 0).all(axis=1))) if not read.complete else read
    s_x2, df = np.full(known.n_items, np.nan), np.zeros(known.n_items, dtype=np.intp)
    if whole.n_persons:
        for j, table in enumerate(score_tables(whole, known, mean, sd)):
            merged = merge_sparse(table, minimum_expected)
            cells = merged.expected > 0
            df[j] = max(int(cells.sum()) - merged.expected.shape[0] - int(free[j]), 0)
            if df[j]:
                deviation = (merged.observed - merged.expected)[cells] ** 2 / merged.expected[cells]
                s_x2[j] = deviation.sum()
    some = df > 0
    p_value, rmsea = np.full(df.size, np.nan), np.full(df.size, np.nan)
    total = float(whole.weights.sum()) if whole.n_persons else 0.0
    p_value[some] = chi2.sf(s_x2[some], df[some])
    if total > 1:
        rmsea[some] = np.sqrt(np.maximum(s_x2[some] / df[some] - 1.0, 0.0) / (total - 1.0))
    return ItemFit(
        known.items, s_x2, df, p_value, rmsea, whole.n_persons, outfit, z_outfit, infit, z_infit, z_log, n
    )


def population(items: Any) -> tuple[float, float]:
    """Mean and SD of the group that the items were calibrated on; (0, 1) for bare parameters."""
    if isinstance(items, Calibration):
        if len(items.group_names) > 1:
            raise BadParameters("The calibration has several groups: give the prior of these persons' group.")
        return float(items.group_mean[0]), float(np.sqrt(items.group_variance[0]))
    return 0.0, 1.0


def parameters_per_item(items: Any) -> NDArray[np.intp]:
    """Parameters that the model of each item estimates for it alone; 0 for fixed ones of a calibration."""
    known = as_items(items)
    own = {"Rasch": 0, "1PL": 0, "2PL": 1, "3PL": 2, "GRM": 1, "GPCM": 1, "PCM": 0, "RSM": 0}
    count = np.array(
        [own[m] + (1 if m == "RSM" else t.size) for m, t in zip(known.model, known.thresholds)], dtype=np.intp
    )
    if isinstance(items, Calibration):
        count[list(items.fixed_items)] = 0
    return count


def score_tables(read: Responses, items: ItemParameters, mean: float, sd: float) -> list[ScoreTable]:
    """For each item, persons by total score and category: observed, and expected by the Lord–Wingersky
    recursion without the item (Orlando & Thissen 2000, eq. 5). The lowest and highest score are left out."""
    theta = mean + sd * np.linspace(-7.0, 7.0, 141)
    weight = np.exp(log_normal_prior(theta, np.array([mean]), np.array([sd]))[0])
    curves = [p.T for p in category_probabilities(items, theta)]
    total = read.codes.sum(axis=1, dtype=np.intp)
    top = int((items.categories - 1).sum())
    persons = np.bincount(total, weights=read.weights, minlength=top + 1)
    joint = convolve_scores(curves, theta.size) @ weight
    out = []
    for j, p in enumerate(curves):
        rest = convolve_scores([c for i, c in enumerate(curves) if i != j], theta.size)
        k = p.shape[0]
        expected = np.zeros((top + 1, k))
        for c in range(k):
            expected[c : c + rest.shape[0], c] = (rest * p[c]) @ weight
        with np.errstate(invalid="ignore", divide="ignore"):
            expected = np.where(joint[:, None] > 0, expected / joint[:, None], 0.0) * persons[:, None]
        observed = np.zeros((top + 1, k))
        np.add.at(observed, (total, read.codes[:, j].astype(np.intp)), read.weights)
        out.append(ScoreTable(np.arange(1, top), observed[1:-1], expected[1:-1]))
    return out


def merge_sparse(table: ScoreTable, minimum: float) -> ScoreTable:
    """Merge until no expected number between 0 and `minimum` is left.

    In order: scores at which some category is impossible join the nearest at which none is; scores that
    nobody has are left out and scores of one person join the next; categories of a score join their neighbour of smaller expectation, down to two; categories rare at every score join the
    one below; then scores join, the lowest with the next, the highest with the one before, others with
    the neighbour of fewer persons. (The rules of common software, so that results can be compared.)
    """
    score, observed, expected = table.score, table.observed.copy(), table.expected.copy()
    edge = expected.shape[1] - 2
    if edge and score.size > 2 * edge:
        for part in (observed, expected):
            part[edge] = part[: edge + 1].sum(axis=0)
            part[-edge - 1] = part[-edge - 1 :].sum(axis=0)
        score, observed, expected = score[edge:-edge], observed[edge:-edge], expected[edge:-edge]
    some = observed.sum(axis=1) > 0
    score, observed, expected = score[some], observed[some], expected[some]
    keep: list[int] = []
    for row in range(score.size):
        alone = observed[row].sum() == 1
        into = row + 1 if row + 1 < score.size else (keep[-1] if keep else row)
        if alone and into != row:
            observed[into] += observed[row]
            expected[into] += expected[row]
        else:
            keep.append(row)
    score, observed, expected = score[keep], observed[keep], expected[keep]
    if expected.shape[1] > 2:
        for row in range(score.size):
            if (expected[row] < minimum).any():
                observed[row], expected[row] = _merge_categories(observed[row], expected[row], minimum)
        while expected.shape[1] > 2 and expected[:, -1].sum() < minimum * np.ceil(0.1 * score.size):
            observed, expected = _join_last(observed), _join_last(expected)
        for c in range(expected.shape[1] - 1, 0, -1):
            if expected.shape[1] > 2 and (expected[:, c] > 0).mean() < 0.05:
                observed[:, c - 1] += observed[:, c]
                expected[:, c - 1] += expected[:, c]
                observed, expected = np.delete(observed, c, axis=1), np.delete(expected, c, axis=1)
    while score.size > 1:
        low = np.flatnonzero(((expected > 0) & (expected < minimum)).any(axis=1))
        if not low.size:
            break
        row = int(low[0])
        if row == 0:
            into = 1
        elif row == score.size - 1:
            into = row - 1
        else:
            into = row - 1 if observed[row - 1].sum() <= observed[row + 1].sum() else row + 1
        observed[into] += observed[row]
        expected[into] += expected[row]
        score = np.delete(score, row)
        observed, expected = np.delete(observed, row, axis=0), np.delete(expected, row, axis=0)
    return ScoreTable(score, observed, expected)


def _merge_categories(observed: Floats, expected: Floats, minimum: float) -> tuple[Floats, Floats]:
    o, e = list(observed), list(expected)
    while len(e) > 2 and min(e) < minimum:
        c = max(i for i, v in enumerate(e) if v == min(e))
        if c == 0:
            into = 1
        elif c == len(e) - 1:
            into = c - 1
        else:
            into = c - 1 if e[c - 1] <= e[c + 1] else c + 1
        e[into] += e[c]
        o[into] += o[c]
        del e[c], o[c]
    gap = [0.0] * (observed.size - len(e))
    return np.array(o + gap), np.array(e + gap)


def _join_last(table: Floats) -> Floats:
    out = table[:, :-1].copy()
    out[:, -1] += table[:, -1]
    return out


def _mean_squares(
    read: Responses, items: ItemParameters, theta: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats, int]:
    n_items = items.n_items
    sums = np.zeros((9, n_items))
    for r in residuals(read, items, theta):
        w = read.weights[r.rows, None]
        seen = r.seen * w
        variance = np.where(r.seen, np.maximum(r.variance, SMALLEST_VARIANCE), 1.0)
        square = np.where(r.seen, r.residual**2 / variance, 0.0)
        kurtosis = np.where(r.seen, r.fourth / variance**2, 0.0)
        for place, value in enumerate(
            (
                seen,
                square * w,
                kurtosis * w,
                r.residual**2 * w,
                np.where(r.seen, variance, 0.0) * w,
                np.where(r.seen, r.fourth - variance**2, 0.0) * w,
                r.log_p * w,
                r.entropy * w,
                r.log_p_variance * w,
            )
        ):
            sums[place] += value.sum(axis=0)
    n, square, kurtosis, raw, variance, spread, log_p, entropy, log_variance = sums
    if not n.any():
        raise TooFewObservations(
            "No person has both responses and a finite ability: item fit cannot be judged."
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        outfit, infit = square / n, raw / variance
        z_outfit = standardised_mean_square(outfit, kurtosis / n**2 - 1.0 / n)
        z_infit = standardised_mean_square(infit, spread / variance**2)
        z_log = (log_p - entropy) / np.sqrt(log_variance)
    return outfit, z_outfit, infit, z_infit, z_log, int(np.isfinite(theta).sum())


def _posterior_mean_squares(
    read: Responses, items: ItemParameters, mean: float, sd: float
) -> tuple[Floats, Floats, Floats, Floats, Floats, int]:
    """The same, with squared residuals averaged over posteriors: all from the expected counts of an E step."""
    centre, spread = np.array([mean]), np.array([sd])
    theta = choose_nodes(items.blocks, np.ones(items.n_items), centre, spread, step=0.8, reach=7.0)
    persons = Persons(read.codes, items.categories, read.weights, keep=False)
    expectation = persons.expect(
        persons.weighting(items.blocks, theta), log_normal_prior(theta, centre, spread)
    )
    out = np.full((5, items.n_items), np.nan)
    for block, counts in zip(items.blocks, persons.category_expectations(items.blocks, expectation)):
        p = np.exp(log_probabilities(block, theta))
        category = np.arange(float(block.n_categories))
        from_mean = category - (p @ category)[..., None]
        variance = np.maximum((p * from_mean**2).sum(axis=2), SMALLEST_VARIANCE)
        fourth = (p * from_mean**4).sum(axis=2)
        persons_at = counts.sum(axis=2)
        n = persons_at.sum(axis=1)
        squared = (counts * from_mean**2).sum(axis=2)
        log_p = np.log(np.maximum(p, 1e-300))
        entropy = (p * log_p).sum(axis=2)
        log_variance = (p * log_p**2).sum(axis=2) - entropy**2
        with np.errstate(divide="ignore", invalid="ignore"):
            outfit = (squared / variance).sum(axis=1) / n
            total = (persons_at * variance).sum(axis=1)
            infit = squared.sum(axis=1) / total
            out[0][block.index] = outfit
            out[1][block.index] = standardised_mean_square(
                outfit, (persons_at * fourth / variance**2).sum(axis=1) / n**2 - 1.0 / n
            )
            out[2][block.index] = infit
            out[3][block.index] = standardised_mean_square(
                infit, (persons_at * (fourth - variance**2)).sum(axis=1) / total**2
            )
            deviation = ((counts * log_p).sum(axis=2) - persons_at * entropy).sum(axis=1)
            out[4][block.index] = deviation / np.sqrt((persons_at * log_variance).sum(axis=1))
    return out[0], out[1], out[2], out[3], out[4], read.n_persons
