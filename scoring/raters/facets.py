"""Many-facet Rasch model: persons × criteria × raters by marginal maximum likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from scoring.errors import BadParameters, NotIdentified
from scoring.raters.facet_likelihood import FacetData, FacetLikelihood, maximise, read_facets, refuse_extreme
from scoring.raters.linking import linked_subsets
from scoring.verdicts import Verdict

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class FacetElements:
    """Raters or criteria. `measure` in logits (raters: severity, sum 0; criteria: difficulty), high = harsher, harder.

    `infit`, `outfit`: mean squares over the persons' posteriors, about 1, above = more erratic than the model;
    `*_z` their Wilson–Hilferty standardisation. `fair_score`: expected mark per criterion for a person at the mean.
    """

    names: tuple[str, ...]
    measure: Floats
    standard_error: Floats
    n: NDArray[np.intp]
    infit: Floats
    infit_z: Floats
    outfit: Floats
    outfit_z: Floats
    fair_score: Floats


@dataclass(frozen=True, eq=False)
class FacetPersons:
    """`eap` with `eap_sd`, `wle` with `wle_se` (logits); `mean_score` observed per rating; `fair_score`: mean over all
    criteria expected at the WLE from a rater of severity 0, with `fair_score_se`, in score points."""

    names: tuple[str, ...]
    eap: Floats
    eap_sd: Floats
    wle: Floats
    wle_se: Floats
    n: NDArray[np.intp]
    mean_score: Floats
    fair_score: Floats
    fair_score_se: Floats
    infit: Floats
    outfit: Floats


@dataclass(frozen=True, eq=False)
class ManyFacet:
    """`steps`: thresholds relative to the criterion's difficulty, criteria × (categories − 1) (one row for the rating
    scale; NaN where a criterion has fewer), `steps_se` alike. `categories`: the score each category stands for, per
    row of `steps`; unused scores between others were closed up (`collapsed`).
    `variance` of persons (mean 0), `covariance` of the free parameters in the order criteria or thresholds, steps,
    raters, log SD. Reliabilities: of EAP and WLE. `separation`: Wald test that all severities are equal.
    """

    model: str
    persons: FacetPersons
    criteria: FacetElements
    raters: FacetElements
    steps: Floats
    steps_se: Floats
    categories: tuple[tuple[float, ...], ...]
    collapsed: bool
    variance: float
    variance_se: float
    log_likelihood: float
    n_parameters: int
    covariance: Floats
    eap_reliability: float
    wle_reliability: float
    chi_square: float
    df: int
    p_value: float
    iterations: int
    gradient_norm: float
    nodes: int
    verdict: Verdict


def many_facet(
    scores: ArrayLike,
    person: Sequence[Any],
    criterion: Sequence[Any] | None,
    rater: Sequence[Any],
    *,
    steps: str = "rating-scale",
    max_iterations: int = 500,
    tolerance: float = 1e-6,
) -> ManyFacet:
    """Fit log P(k) / P(k − 1) = θ(person) − β(criterion) − δ(rater) − τ(step); θ normal with mean 0 and free variance.

    One row per rating: `scores` whole numbers (NaN rows are left out), labels of person, criterion (None: one) and
    rater. `steps`: "rating-scale" (common to all criteria) or "partial-credit" (own steps per criterion). Severities sum to
    0. Newton's method on the marginal likelihood by quadrature, whose grid is refined until it resolves the narrowest
    posterior; standard errors from its Hessian. WLE: Warm (1989).

    Raises BadResponses, BadParameters; NotIdentified: raters in disconnected subsets (named), a rater or criterion whose
    marks are all the lowest or all the highest, more parameters than ratings; NotConverged.
    Sources: Linacre (1989), Many-Facet Rasch Measurement; Adams, Wilson & Wang (1997) for the marginal likelihood.
    Not handled: interactions of rater and criterion, raters with their own steps, slopes.
    """
    if steps not in ("rating-scale", "partial-credit"):
        raise BadParameters(f'{steps!r} is not a step model: "rating-scale" or "partial-credit".')
    data = read_facets(scores, person, criterion, rater, steps)
    linking = linked_subsets(
        [data.persons[i] for i in data.person],
        [data.raters[i] for i in data.rater],
        [data.criteria[i] for i in data.criterion],
    )
    if not linking.connected:
        raise NotIdentified(linking.explain())
    refuse_extreme(data)
    model = FacetLikelihood(data, steps)
    if model.size > data.person.size:
        raise NotIdentified(
            f"{model.size} parameters from {data.person.size} ratings: use fewer score categories, or the rating scale."
        )
    x, iterations, norm, hessian = maximise(model, max_iterations, tolerance)
    return _report(data, model, steps, x, iterations, norm, hessian)


def _report(
    data: FacetData,
    model: FacetLikelihood,
    steps: str,
    x: Floats,
    iterations: int,
    norm: float,
    hessian: Floats,
) -> ManyFacet:
    n_c, n_r, most = len(data.criteria), len(data.raters), model.width - 1
    covariance: Floats = np.linalg.inv(hessian).astype(np.float64)
    size = model.size - 1
    covariance_x = np.zeros((model.size, model.size))
    covariance_x[: hessian.shape[0], : hessian.shape[0]] = covariance
    each, post, _ = model.posterior(x)
    eap = post @ model.theta
    eap_sd = np.sqrt(np.maximum(post @ model.theta**2 - eap**2, 0.0))

    thresholds = (model.to_thresholds @ x[: model.n_threshold]).reshape(n_c, most)
    inside = np.arange(most)[None, :] < data.tops[:, None]
    averaging = inside / data.tops[:, None]  # difficulty = mean threshold
    to_difficulty = np.einsum("ch,chp->cp", averaging, model.to_thresholds.reshape(n_c, most, -1))
    difficulty = (averaging * thresholds).sum(axis=1)
    to_steps = model.to_thresholds.reshape(n_c, most, -1) - to_difficulty[:, None, :]
    block = covariance_x[: model.n_threshold, : model.n_threshold]
    severity = model.to_raters @ x[model.n_threshold : size]
    rater_block = covariance_x[model.n_threshold : size, model.n_threshold : size]
    rows = n_c if steps == "partial-credit" else 1
    step_values = np.where(inside, thresholds - difficulty[:, None], np.nan)[:rows]
    step_errors = np.where(
        inside, np.sqrt(np.maximum(np.einsum("chp,pq,chq->ch", to_steps, block, to_steps), 0)), np.nan
    )

    wle, wle_se = _weighted_likelihood(data, model, x)
    residual_fit = _residuals(data, model, x, post)
    fair, slope = _expected_mean(data, model, x, wle, 0.0)
    value = np.concatenate(data.values)[
        np.concatenate([[0], np.cumsum([v.size for v in data.values])])[data.scale[data.criterion]]
        + data.category
    ]
    count = np.bincount(data.person)
    chi_square, df = float("nan"), n_r - 1
    p_value = float("nan")
    if n_r > 1:
        free = x[model.n_threshold : size]
        chi_square = float(free @ np.linalg.solve(rater_block, free))
        p_value = float(stats.chi2.sf(chi_square, df))
        code = "raters.differ" if p_value < 0.05 else "raters.cannot_tell"
        verdict = Verdict(code, {"chi_square": chi_square, "df": float(df), "p": p_value})
    else:
        verdict = Verdict("raters.one")
    by_rater = _fit_of(data.rater, residual_fit)
    by_criterion = _fit_of(data.criterion, residual_fit)
    by_person = _fit_of(data.person, residual_fit)
    variance = float(np.exp(2 * x[-1]))
    zero = np.zeros(1)
    variance_of = float(wle.var(ddof=1)) if wle.size > 1 else float("nan")
    return ManyFacet(
        model=steps,
        persons=FacetPersons(
            data.persons,
            eap,
            eap_sd,
            wle,
            wle_se,
            count.astype(np.intp),
            np.bincount(data.person, value) / count,
            fair,
            slope * wle_se,
            by_person[0],
            by_person[2],
        ),
        criteria=FacetElements(
            data.criteria,
            difficulty,
            np.sqrt(np.maximum(np.einsum("cp,pq,cq->c", to_difficulty, block, to_difficulty), 0)),
            np.bincount(data.criterion).astype(np.intp),
            *by_criterion,
            _expected(data, model, x, zero, zero)[0][0],
        ),
        raters=FacetElements(
            data.raters,
            severity,
            np.sqrt(np.maximum(np.einsum("rp,pq,rq->r", model.to_raters, rater_block, model.to_raters), 0)),
            np.bincount(data.rater).astype(np.intp),
            *by_rater,
            _expected(data, model, x, np.zeros(n_r), severity)[0].mean(axis=1),
        ),
        steps=step_values,
        steps_se=step_errors[:rows],
        categories=tuple(tuple(v.tolist()) for v in data.values),
        collapsed=data.collapsed,
        variance=variance,
        variance_se=2 * variance * float(np.sqrt(covariance_x[-1, -1]))
        if hessian.shape[0] == model.size
        else float("nan"),
        log_likelihood=float(each.sum()),
        n_parameters=model.size,
        covariance=covariance,
        eap_reliability=float(eap.var(ddof=1) / (eap.var(ddof=1) + (eap_sd**2).mean()))
        if eap.size > 1
        else float("nan"),
        wle_reliability=1 - float((wle_se**2).mean()) / variance_of if variance_of > 0 else float("nan"),
        chi_square=chi_square,
        df=df,
        p_value=p_value,
        iterations=iterations,
        gradient_norm=norm,
        nodes=model.theta.size,
        verdict=verdict,
    )


def _moments(
    model: FacetLikelihood, x: Floats, cell: Codes, theta: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean and second to fourth central moments of the category in `cell` at `theta` (same length)."""
    k = np.arange(model.width)
    fixed = np.where(model.allowed, -(model.design @ x[:-1]), -np.inf)[cell]
    p = special.softmax(fixed + k * theta[:, None], axis=1)
    mean = p @ k
    centred = k - mean[:, None]
    second, third, fourth = ((p * centred**power).sum(axis=1) for power in (2, 3, 4))
    return mean, second, third, fourth


def _weighted_likelihood(data: FacetData, model: FacetLikelihood, x: Floats) -> tuple[Floats, Floats]:
    """Warm's estimate: score + J / (2 I) = 0 by bisection, decreasing for this family; error 1 / √I."""
    cell = np.searchsorted(model.cells, data.criterion * len(data.raters) + data.rater)
    n = len(data.persons)
    low, high = np.full(n, -40.0), np.full(n, 40.0)
    raw = np.bincount(data.person, data.category, n)
    for _ in range(60):
        theta = (low + high) / 2
        mean, second, third, _ = _moments(model, x, cell, theta[data.person])
        information = np.maximum(np.bincount(data.person, second, n), 1e-300)
        balance = (
            raw - np.bincount(data.person, mean, n) + np.bincount(data.person, third, n) / (2 * information)
        )
        low, high = np.where(balance > 0, theta, low), np.where(balance > 0, high, theta)
    theta = (low + high) / 2
    second = _moments(model, x, cell, theta[data.person])[1]
    return theta, 1 / np.sqrt(np.bincount(data.person, second, n))


def _residuals(data: FacetData, model: FacetLikelihood, x: Floats, post: Floats) -> Floats:
    """Per rating, averaged over the person's posterior: residual², residual² / variance, variance, fourth central moment
    less variance², fourth central moment / variance². Columns.

    Averaging over the posterior keeps the expected mean square at 1; residuals at point estimates are too small.
    """
    cell = np.searchsorted(model.cells, data.criterion * len(data.raters) + data.rater)
    nodes = model.theta.size
    mean, second, _, fourth = (
        values.reshape(model.cells.size, nodes)
        for values in _moments(
            model, x, np.repeat(np.arange(model.cells.size), nodes), np.tile(model.theta, model.cells.size)
        )
    )
    second = np.maximum(second, 1e-12)
    out = np.empty((cell.size, 5))
    for start in range(0, cell.size, 20_000):
        part = slice(start, start + 20_000)
        at, weight = cell[part], post[data.person[part]]
        squared = (data.category[part, None] - mean[at]) ** 2
        terms = (
            squared,
            squared / second[at],
            second[at],
            (fourth - second**2)[at],
            (fourth / second**2)[at],
        )
        out[part] = np.column_stack([np.einsum("iq,iq->i", weight, term) for term in terms])
    return out


def _fit_of(codes: Codes, residuals: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Infit, its z, outfit, its z. Wright & Masters (1982), table 5.4a."""
    n = np.bincount(codes)
    squared, standard, information, spread, kurtosis = (np.bincount(codes, column) for column in residuals.T)
    infit_q = np.sqrt(np.maximum(spread, 0)) / information
    outfit_q = np.sqrt(np.maximum(kurtosis / n**2 - 1 / n, 0))
    infit, outfit = squared / information, standard / n
    return infit, _wilson_hilferty(infit, infit_q), outfit, _wilson_hilferty(outfit, outfit_q)


def _wilson_hilferty(mean_square: Floats, q: Floats) -> Floats:
    safe = np.clip(q, 1e-6, np.sqrt(2.0))
    return np.asarray((np.cbrt(mean_square) - 1) * 3 / safe + safe / 3)


def _expected(
    data: FacetData, model: FacetLikelihood, x: Floats, theta: Floats, severity: Floats
) -> tuple[Floats, Floats]:
    """Expected score and its slope in θ: rows × criteria, in the scores the categories stand for."""
    n_c, most = len(data.criteria), model.width - 1
    thresholds = (model.to_thresholds @ x[: model.n_threshold]).reshape(n_c, most)
    cumulative = np.concatenate([np.zeros((n_c, 1)), np.cumsum(thresholds, axis=1)], axis=1)
    k = np.arange(model.width)
    fixed = np.where(k <= data.tops[:, None], -cumulative, -np.inf)
    points = np.array([np.pad(data.values[s], (0, model.width - data.values[s].size)) for s in data.scale])
    p = special.softmax(fixed[None] + k * (theta - severity)[:, None, None], axis=2)
    mean = (p * points).sum(axis=2)
    slope = (p * points * (k - (p * k).sum(axis=2, keepdims=True))).sum(axis=2)
    return mean, slope


def _expected_mean(
    data: FacetData, model: FacetLikelihood, x: Floats, theta: Floats, severity: float
) -> tuple[Floats, Floats]:
    mean, slope = _expected(data, model, x, theta, np.full(theta.size, severity))
    return mean.mean(axis=1), slope.mean(axis=1)
