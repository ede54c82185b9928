"""Many-facet Rasch model: persons × criteria × raters by marginal maximum likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, sparse, special, stats

from scoring.errors import BadParameters, BadResponses, NotConverged, NotIdentified
from scoring.raters.linking import linked_subsets
from scoring.scores import read_levels
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


@dataclass(frozen=True, eq=False)
class _Data:
    """Ratings as codes. `cell` = criterion × raters + rater; `scale`: the step row of a criterion."""

    person: Codes
    criterion: Codes
    rater: Codes
    category: Codes
    scale: Codes
    tops: Codes
    persons: tuple[str, ...]
    criteria: tuple[str, ...]
    raters: tuple[str, ...]
    values: tuple[Floats, ...]
    collapsed: bool


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
    data = _read(scores, person, criterion, rater, steps)
    linking = linked_subsets(
        [data.persons[i] for i in data.person],
        [data.raters[i] for i in data.rater],
        [data.criteria[i] for i in data.criterion],
    )
    if not linking.connected:
        raise NotIdentified(linking.explain())
    _refuse_extreme(data)
    model = _Likelihood(data, steps)
    if model.size > data.person.size:
        raise NotIdentified(
            f"{model.size} parameters from {data.person.size} ratings: use fewer score categories, or the rating scale."
        )
    x, iterations, norm, hessian = _maximise(model, max_iterations, tolerance)
    return _report(data, model, steps, x, iterations, norm, hessian)


def _read(
    scores: ArrayLike,
    person: Sequence[Any],
    criterion: Sequence[Any] | None,
    rater: Sequence[Any],
    steps: str,
) -> _Data:
    try:
        given = np.array(scores, dtype=float)
    except (TypeError, ValueError):
        raise BadResponses("Scores must be numbers, one per rating.") from None
    labels = {"person": list(person), "rater": list(rater)}
    labels["criterion"] = ["1"] * given.size if criterion is None else list(criterion)
    if given.ndim != 1 or any(len(column) != given.size for column in labels.values()):
        raise BadResponses("Give one score, person, criterion and rater per rating, all of the same length.")
    keep = ~np.isnan(given)
    given = given[keep]
    if given.size == 0 or not np.isfinite(given).all() or not np.array_equal(given, np.rint(given)):
        raise BadResponses("Scores must be finite whole numbers; multiply or band fractional marks first.")
    coded = {
        what: read_levels([label for label, kept in zip(column, keep, strict=True) if kept], what)
        for what, column in labels.items()
    }
    c, criteria = coded["criterion"]
    scale = np.arange(len(criteria)) if steps == "partial-credit" else np.zeros(len(criteria), dtype=np.intp)
    row = scale[c]
    category = np.zeros(given.size, dtype=np.intp)
    values, collapsed = [], False
    for s in range(int(scale.max()) + 1):
        seen, category[row == s] = np.unique(given[row == s], return_inverse=True)
        if seen.size < 2:
            name = criteria[s] if steps == "partial-credit" else "the scale"
            raise NotIdentified(f"All marks of {name} are {seen[0]:g}: a single category measures nothing.")
        collapsed |= bool((np.diff(seen) != 1).any())
        values.append(seen)
    tops = np.array([values[s].size - 1 for s in scale], dtype=np.intp)
    return _Data(
        coded["person"][0],
        c,
        coded["rater"][0],
        category,
        scale.astype(np.intp),
        tops,
        coded["person"][1],
        criteria,
        coded["rater"][1],
        tuple(values),
        collapsed,
    )


def _refuse_extreme(data: _Data) -> None:
    for what, codes, names in (
        ("rater", data.rater, data.raters),
        ("criterion", data.criterion, data.criteria),
    ):
        if len(names) == 1:
            continue
        low = np.bincount(codes, data.category == 0) == np.bincount(codes)
        high = np.bincount(codes, data.category == data.tops[data.criterion]) == np.bincount(codes)
        for flags, word in ((low, "lowest"), (high, "highest")):
            if flags.any():
                raise NotIdentified(
                    f"All marks of {what} {names[int(np.argmax(flags))]} are the {word} possible, so its measure is "
                    f"infinite: leave that {what} out."
                )


class _Likelihood:
    """Marginal log-likelihood and gradient in x = free parameters and log SD.

    Category logits of a cell (criterion, rater) are k θ − B x with a fixed matrix B; persons are rows of a sparse
    indicator of the cells' categories they got, so that all their likelihoods are one product.
    """

    def __init__(self, data: _Data, steps: str) -> None:
        n_c, n_r = len(data.criteria), len(data.raters)
        self.width = int(data.tops.max()) + 1
        codes = data.criterion * n_r + data.rater
        self.cells, cell = np.unique(codes, return_inverse=True)
        cell = cell.reshape(-1)
        self.cell_criterion, self.cell_rater = self.cells // n_r, self.cells % n_r
        self.tops = data.tops[self.cell_criterion]
        shape = (len(data.persons), self.cells.size * self.width)
        ones = np.ones(data.person.size)
        self.got = sparse.csr_matrix((ones, (data.person, cell * self.width + data.category)), shape=shape)
        self.times = sparse.csr_matrix((ones, (cell, data.person)), shape=(self.cells.size, shape[0]))
        self.counts = np.asarray(self.got.sum(axis=0)).reshape(self.cells.size, self.width)
        self.to_thresholds = _threshold_basis(data, steps)  # (criteria × steps) × free
        self.to_raters = np.vstack([np.eye(n_r - 1), -np.ones((1, n_r - 1))])
        n_threshold = self.to_thresholds.shape[1]
        self.size = n_threshold + n_r - 1 + 1
        self.n_threshold = n_threshold
        k = np.arange(self.width)
        thresholds = self.to_thresholds.reshape(n_c, self.width - 1, n_threshold)
        cumulative = np.concatenate([np.zeros((n_c, 1, n_threshold)), np.cumsum(thresholds, axis=1)], axis=1)
        self.design = np.concatenate(
            [cumulative[self.cell_criterion], k[None, :, None] * self.to_raters[self.cell_rater][:, None, :]],
            axis=2,
        )
        self.allowed = k[None, :] <= self.tops[:, None]
        self.place(121, 10.0)

    def place(self, nodes: int, reach: float) -> None:
        self.theta = np.linspace(-reach, reach, nodes)

    def probabilities(self, x: Floats, theta: Floats) -> Floats:
        """log P, cells × categories × nodes; −inf beyond a cell's top category."""
        fixed = np.where(self.allowed, -(self.design @ x[:-1]), -np.inf)
        logits = fixed[:, :, None] + np.arange(self.width)[None, :, None] * theta
        return np.asarray(logits - special.logsumexp(logits, axis=1, keepdims=True))

    def posterior(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Log-likelihood of each person, posterior over the nodes, log P."""
        log_p = self.probabilities(x, self.theta)
        finite = np.where(np.isfinite(log_p), log_p, 0.0)
        joint = self.got @ finite.reshape(-1, self.theta.size)
        prior = -0.5 * (self.theta / np.exp(x[-1])) ** 2
        joint = joint + (prior - special.logsumexp(prior))
        each = special.logsumexp(joint, axis=1)
        return each, np.exp(joint - each[:, None]), log_p

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        """Minus log-likelihood and its gradient."""
        each, post, log_p = self.posterior(x)
        at_nodes = self.times @ post
        expected = np.einsum("vkq,vq->vk", np.exp(log_p), at_nodes)
        slope = np.einsum("vk,vkp->p", self.counts - expected, self.design)
        variance = np.exp(2 * x[-1])
        prior = special.softmax(-0.5 * self.theta**2 / variance)
        spread = (post @ self.theta**2).sum() - post.shape[0] * (prior @ self.theta**2)
        return -float(each.sum()), np.append(slope, -spread / variance)

    def hessian(self, x: Floats) -> Floats:
        """Central differences of the gradient (of minus log-likelihood)."""
        h = 1e-4
        out = np.empty((x.size, x.size))
        for i in range(x.size):
            step = np.zeros(x.size)
            step[i] = h
            out[i] = (self(x + step)[1] - self(x - step)[1]) / (2 * h)
        return (out + out.T) / 2


def _threshold_basis(data: _Data, steps: str) -> Floats:
    """(criteria × steps) × free parameters: difficulty and steps that sum to 0, or free thresholds per criterion."""
    n_c, most = len(data.criteria), int(data.tops.max())
    if steps == "partial-credit":
        rows = [(c, h) for c in range(n_c) for h in range(data.tops[c])]
        basis = np.zeros((n_c, most, len(rows)))
        for column, (c, h) in enumerate(rows):
            basis[c, h, column] = 1.0
        return basis.reshape(n_c * most, -1)
    difficulty = np.repeat(np.eye(n_c), most, axis=0)
    step = np.tile(np.vstack([np.eye(most - 1), -np.ones((1, most - 1))]), (n_c, 1))
    return np.hstack([difficulty, step])


def _maximise(model: _Likelihood, max_iterations: int, tolerance: float) -> tuple[Floats, int, float, Floats]:
    x = np.zeros(model.size)
    low, high = np.log(0.02), np.log(30.0)
    bounds = [(-30.0, 30.0)] * (model.size - 1) + [(low, high)]
    used = 0
    for _ in range(6):
        found = optimize.minimize(
            model,
            x,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": max_iterations, "ftol": 1e-13},
        )
        x, used = found.x, used + int(found.nit)
        _, post, _ = model.posterior(x)
        mean = post @ model.theta
        narrowest = float(np.sqrt(np.maximum(post @ model.theta**2 - mean**2, 1e-12).min()))
        sd = float(np.exp(x[-1]))
        spacing, reach = model.theta[1] - model.theta[0], float(model.theta[-1])
        needed = max(6.0 * sd, float(np.abs(mean).max()) + 6.0 * narrowest)
        resolved = spacing <= 0.8 * min(narrowest, sd) or spacing <= 0.004
        if resolved and reach >= needed:
            break
        reach = 1.2 * needed
        model.place(min(4001, int(2 * reach / (0.6 * min(narrowest, sd))) + 2), reach)
    at_bound = x[-1] <= low + 1e-9
    free = np.arange(model.size - 1 if at_bound else model.size)
    norm = np.inf
    for _ in range(60):
        value, gradient = model(x)
        norm = float(np.abs(gradient[free]).max())
        hessian = model.hessian(x)
        if norm <= tolerance:
            break
        step = np.zeros(x.size)
        curvature, axes = np.linalg.eigh(hessian[np.ix_(free, free)])
        curvature = np.maximum(np.abs(curvature), 1e-6 * np.abs(curvature).max())  # always downhill
        step[free] = -axes @ ((axes.T @ gradient[free]) / curvature)
        scale = min(1.0, 2.0 / float(np.abs(step).max()))
        while scale > 1e-8 and model(x + scale * step)[0] > value + 1e-12 * abs(value):
            scale /= 2
        x, used = x + scale * step, used + 1
        if np.abs(x[:-1]).max() > 25 or x[-1] > high:
            raise NotIdentified(
                "The marks separate persons or categories perfectly, so measures grow without limit: use fewer score "
                "categories, or more scripts and markers."
            )
    if norm > max(tolerance, 1e-9 * abs(value)):
        raise NotConverged(
            f"The many-facet model did not converge in {used} iterations (largest gradient {norm:.2g}).",
            iterations=used,
            change=norm,
        )
    kept = hessian[np.ix_(free, free)]
    if np.linalg.eigvalsh(kept)[0] <= 0:
        raise NotIdentified(
            "The likelihood is flat in some direction: there are too few ratings for these parameters."
        )
    return x, used, norm, kept


def _report(
    data: _Data, model: _Likelihood, steps: str, x: Floats, iterations: int, norm: float, hessian: Floats
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
    model: _Likelihood, x: Floats, cell: Codes, theta: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean and second to fourth central moments of the category in `cell` at `theta` (same length)."""
    k = np.arange(model.width)
    fixed = np.where(model.allowed, -(model.design @ x[:-1]), -np.inf)[cell]
    p = special.softmax(fixed + k * theta[:, None], axis=1)
    mean = p @ k
    centred = k - mean[:, None]
    second, third, fourth = ((p * centred**power).sum(axis=1) for power in (2, 3, 4))
    return mean, second, third, fourth


def _weighted_likelihood(data: _Data, model: _Likelihood, x: Floats) -> tuple[Floats, Floats]:
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


def _residuals(data: _Data, model: _Likelihood, x: Floats, post: Floats) -> Floats:
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
    data: _Data, model: _Likelihood, x: Floats, theta: Floats, severity: Floats
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
    data: _Data, model: _Likelihood, x: Floats, theta: Floats, severity: float
) -> tuple[Floats, Floats]:
    mean, slope = _expected(data, model, x, theta, np.full(theta.size, severity))
    return mean.mean(axis=1), slope.mean(axis=1)
