"""Abilities of persons from known item parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters
from scoring.irt.kernels import Block, ability_derivatives, log_probabilities
from scoring.irt.nodes import choose_nodes, read_nodes
from scoring.irt.parameters import ItemParameters, as_items
from scoring.irt.posterior import Persons, log_normal_prior
from scoring.numbers import read_numbers
from scoring.responses import Responses

Floats = NDArray[np.float64]

METHODS = ("EAP", "MAP", "ML", "WLE", "EAPsum")
_BLOCK = 2048
_FEW = 8
_REFINEMENTS = 60


@dataclass(frozen=True, eq=False)
class Ability:
    """Estimates, one per person: `theta` and `standard_error` on the items' scale.

    `standard_error`: EAP, EAPsum posterior SD; MAP, ML 1/√(observed information, with the prior for MAP);
    WLE 1/√(test information) (Warm 1989).
    `finite`: False where the method has no finite estimate: all responses in the extreme categories (ML;
    then `theta` is the bound and the error infinite) or no response at all (ML, WLE; then `theta` is NaN
    and the error infinite). EAP and MAP of a person without responses are the prior's mean and SD.
    `n_responses`: items the person met.
    """

    theta: Floats
    standard_error: Floats
    finite: NDArray[np.bool_]
    n_responses: NDArray[np.intp]
    method: str
    prior: tuple[Floats, Floats]

    @property
    def reliability(self) -> float:
        """Empirical reliability Var(θ̂)/(Var(θ̂) + mean SE²) of EAP, 1 − mean SE²/Var(θ̂) otherwise, over the
        persons with finite estimates; NaN for fewer than two persons or no variance."""
        theta, error = self.theta[self.finite], self.standard_error[self.finite]
        if theta.size < 2 or not theta.var() > 0:
            return float("nan")
        between, within = float(theta.var(ddof=1)), float((error**2).mean())
        if self.method in ("EAP", "EAPsum", "MAP"):
            return between / (between + within)
        return 1.0 - within / between


@dataclass(frozen=True, eq=False)
class SumScores:
    """What each sum score means: `score` 0 … max, posterior mean `theta` and SD `standard_error`, and the
    marginal `probability` of the score."""

    score: NDArray[np.intp]
    theta: Floats
    standard_error: Floats
    probability: Floats


def estimate_ability(
    responses: ArrayLike | Responses,
    items: ItemParameters,
    method: str = "EAP",
    prior: tuple[ArrayLike, ArrayLike] = (0.0, 1.0),
    *,
    nodes: int | ArrayLike | None = None,
    bounds: tuple[float, float] = (-12.0, 12.0),
) -> Ability:
    """Estimate each person's ability.

    `responses`: persons × items, or one row; NaN = not administered. `items`: ItemParameters or Calibration.
    `method`: EAP (Bock & Mislevy 1982), MAP, ML, WLE (Warm 1989, eq. 7: score + J/(2I) = 0, for every
    model), EAPsum (posterior given the sum score; Thissen et al. 1995).
    `prior`: mean and standard deviation, numbers or one per person (used by EAP, MAP, EAPsum).
    `nodes`: quadrature of EAP and EAPsum. `bounds`: where MAP, ML and WLE are looked for; the 3PL likelihood
    may have several maxima inside, of which the highest is given (for WLE: the root of highest likelihood).

    Raises BadParameters (method, prior, bounds) and BadResponses.
    """
    items = as_items(items)
    if not isinstance(method, str) or method not in METHODS:
        raise BadParameters(f"Unknown method {method!r}; known are {', '.join(METHODS)}.")
    read = items.read(responses)
    mean, sd = _read_prior(prior, read.n_persons)
    met = (read.codes >= 0).sum(axis=1)
    if method == "EAP":
        theta, error = _posterior_means(read, items, mean, sd, nodes)
        finite = np.ones(read.n_persons, dtype=bool)
    elif method == "EAPsum":
        theta, error = _sum_score_means(read, items, mean, sd, nodes)
        finite = np.ones(read.n_persons, dtype=bool)
    else:
        if not (len(bounds) == 2 and np.isfinite(bounds).all() and bounds[0] < bounds[1]):
            raise BadParameters("Bounds are two finite numbers, the lower first.")
        theta, error, finite = _roots(read, items, method, mean, sd, bounds)
    return Ability(theta, error, finite, met, method, (mean, sd))


def sum_score_table(
    items: ItemParameters, prior: tuple[float, float] = (0.0, 1.0), *, nodes: int | ArrayLike | None = None
) -> SumScores:
    """EAP of every sum score of the whole test under N(mean, sd²) (Lord & Wingersky 1984)."""
    items = as_items(items)
    mean, sd = _read_prior(prior, 1)
    return _sum_scores(items, np.arange(items.n_items), mean, sd, nodes)


def _sum_scores(
    items: ItemParameters, some: NDArray[np.intp], mean: Floats, sd: Floats, nodes: int | ArrayLike | None
) -> SumScores:
    theta = _nodes(items, np.ones(items.n_items), mean[:1], sd[:1], nodes)
    likelihood = sum_score_likelihood(items, theta, some)
    joint = likelihood * np.exp(log_normal_prior(theta, mean[:1], sd[:1])[0])
    total = joint.sum(axis=1)
    centre = joint @ theta / total
    spread = np.sqrt(np.maximum((joint * (theta - centre[:, None]) ** 2).sum(axis=1) / total, 0.0))
    return SumScores(np.arange(total.size), centre, spread, total)


def sum_score_likelihood(
    items: ItemParameters, theta: Floats, some: NDArray[np.intp] | None = None
) -> Floats:
    """P(sum of the items `some` = s | θ): (max + 1, Q), by the Lord–Wingersky recursion."""
    columns: list[Floats] = [np.zeros(0)] * items.n_items
    for block in items.blocks:
        p = np.exp(log_probabilities(block, theta)).transpose(0, 2, 1)
        for place, j in enumerate(block.index):
            columns[j] = p[place]
    return convolve_scores([columns[j] for j in (range(items.n_items) if some is None else some)], theta.size)


def convolve_scores(probabilities: list[Floats], n_nodes: int) -> Floats:
    """Distribution of the sum of independent scores given their (K, Q) tables: (max + 1, Q)."""
    out = np.ones((1, n_nodes))
    for p in probabilities:
        longer = np.zeros((out.shape[0] + p.shape[0] - 1, n_nodes))
        for c in range(p.shape[0]):
            longer[c : c + out.shape[0]] += out * p[c]
        out = longer
    return out


def _read_prior(prior: tuple[ArrayLike, ArrayLike], n: int) -> tuple[Floats, Floats]:
    refusal = "The prior is a mean and a standard deviation, numbers or one per person."
    try:
        mean, sd = (np.broadcast_to(read_numbers(v, refusal, BadParameters), (n,)) for v in prior)
    except (TypeError, ValueError):
        raise BadParameters(refusal) from None
    if not (np.isfinite(mean).all() and np.isfinite(sd).all() and (sd > 0).all()):
        raise BadParameters("The prior needs a finite mean and a positive standard deviation.")
    return mean, sd


def _nodes(
    items: ItemParameters, administered: Floats, mean: Floats, sd: Floats, nodes: int | ArrayLike | None
) -> Floats:
    asked = read_nodes(nodes)
    if isinstance(asked, np.ndarray):
        return asked
    if asked is not None:
        return np.linspace(float((mean - 7 * sd).min()), float((mean + 7 * sd).max()), asked)
    return choose_nodes(items.blocks, administered, mean, sd, step=0.7, reach=7.0)


def _longest(read: Responses) -> Floats:
    """Proportions administered, scaled up to the person with most responses."""
    total = np.zeros(read.n_items)
    most = 0
    for start in range(0, read.n_persons, 65_536):
        seen = read.codes[start : start + 65_536] >= 0
        total += seen.sum(axis=0)
        most = max(most, int(seen.sum(axis=1).max()))
    share = total / read.n_persons
    return np.asarray(np.minimum(share * most / max(float(share.sum()), 1e-9), 1.0))


def _posterior_means(
    read: Responses, items: ItemParameters, mean: Floats, sd: Floats, nodes: int | ArrayLike | None
) -> tuple[Floats, Floats]:
    pairs, group = _distinct_priors(mean, sd)
    if read.n_persons <= _FEW and len(pairs) == 1 and nodes is None:
        prior = (float(pairs[0, 0]), float(pairs[0, 1]))
        table, log_prior = items.tabulated(("EAP", prior), lambda: _prior_table(items, pairs))
        post = table.pick(table.log_p, read.codes) + log_prior
        post = np.exp(post - post.max(axis=1, keepdims=True))
        post /= post.sum(axis=1, keepdims=True)
        first = post @ table.grid
        return first, np.sqrt(np.maximum(post @ table.grid**2 - first**2, 0.0))
    theta = _nodes(items, _longest(read), pairs[:, 0], pairs[:, 1], nodes)
    persons = Persons(read.codes, items.categories, np.ones(read.n_persons), group, len(pairs), keep=False)
    weighting = persons.weighting(items.blocks, theta)
    centre, spread = np.empty(read.n_persons), np.empty(read.n_persons)
    powers = np.stack([theta, theta**2])
    for _, start, stop, _, post, _ in persons.posteriors(
        weighting, log_normal_prior(theta, pairs[:, 0], pairs[:, 1])
    ):
        first, second = powers @ post
        centre[start:stop] = first
        spread[start:stop] = np.sqrt(np.maximum(second - first**2, 0.0))
    if persons.order is not None:
        back = np.empty_like(persons.order)
        back[persons.order] = np.arange(back.size)
        centre, spread = centre[back], spread[back]
    return centre, spread


def _prior_table(items: ItemParameters, pairs: Floats) -> tuple[_Table, Floats]:
    theta = _nodes(items, np.ones(items.n_items), pairs[:, 0], pairs[:, 1], None)
    return _tabulate(items, theta), log_normal_prior(theta, pairs[:, 0], pairs[:, 1])[0]


def _distinct_priors(mean: Floats, sd: Floats) -> tuple[Floats, NDArray[np.intp]]:
    if mean.strides == (0,) and sd.strides == (0,):
        return np.array([[mean[0], sd[0]]]), np.zeros(mean.size, dtype=np.intp)
    pairs, group = np.unique(np.column_stack([mean, sd]), axis=0, return_inverse=True)
    return pairs, group.reshape(-1)


def _sum_score_means(
    read: Responses, items: ItemParameters, mean: Floats, sd: Floats, nodes: int | ArrayLike | None
) -> tuple[Floats, Floats]:
    """One recursion per distinct set of administered items and prior."""
    seen = read.codes >= 0
    total = np.where(seen, read.codes, 0).sum(axis=1, dtype=np.intp)
    key = np.column_stack([np.packbits(seen, axis=1).astype(np.float64), mean, sd])
    _, first, which = np.unique(key, axis=0, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    centre, spread = np.empty(read.n_persons), np.empty(read.n_persons)
    for number, example in enumerate(first):
        mine = which == number
        some = np.flatnonzero(seen[example])
        prior = (float(mean[example]), float(sd[example]))
        if some.size == 0:
            centre[mine], spread[mine] = prior
            continue
        name = (
            "sum",
            seen[example].tobytes(),
            prior,
            np.asarray(nodes).tobytes() if nodes is not None else None,
        )
        table = items.tabulated(
            name,
            partial(_sum_scores, items, some, mean[example : example + 1], sd[example : example + 1], nodes),
        )
        centre[mine], spread[mine] = table.theta[total[mine]], table.standard_error[total[mine]]
    return centre, spread


def _roots(
    read: Responses,
    items: ItemParameters,
    method: str,
    mean: Floats,
    sd: Floats,
    bounds: tuple[float, float],
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Solve the estimating equation of each person: bracket on a grid, then refine inside the bracket."""
    count = max(3, int(np.ceil((bounds[1] - bounds[0]) / 0.2)) + 1)
    table: _Table = items.tabulated(
        ("grid", *bounds), lambda: _tabulate(items, np.linspace(bounds[0], bounds[1], count))
    )
    theta = np.empty(read.n_persons)
    error = np.empty(read.n_persons)
    finite = np.ones(read.n_persons, dtype=bool)
    for start in range(0, read.n_persons, _BLOCK):
        rows = slice(start, min(start + _BLOCK, read.n_persons))
        codes, mu, sigma = read.codes[rows], mean[rows], sd[rows]
        equation = _equation(items.blocks, codes, method, mu, sigma)
        likelihood, value = _on_grid(table, codes, method, mu, sigma)
        low, high, guess, found = _brackets(table.grid, likelihood, value)
        at = _refine(equation, guess, low, high, found)
        empty = ~(codes >= 0).any(axis=1)
        sums = _sums(items.blocks, codes, at)
        if method == "WLE":
            precision = sums.information
        else:
            precision = sums.observed + (1.0 / sigma**2 if method == "MAP" else 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            error[rows] = np.where(precision > 0, 1.0 / np.sqrt(np.maximum(precision, 0.0)), np.inf)
        theta[rows] = at
        fine = found.copy()
        if method == "MAP":
            theta[rows] = np.where(empty, mu, theta[rows])
            error[rows] = np.where(empty, sigma, error[rows])
            fine |= empty
        else:
            theta[rows] = np.where(empty, np.nan, theta[rows])
            fine &= ~empty
        error[rows] = np.where(fine, error[rows], np.inf)
        finite[rows] = fine
    return theta, error, finite


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over a person's items at that person's θ: score, observed and expected information, and
    J = Σ P' P''/P."""

    score: Floats
    observed: Floats
    information: Floats
    third: Floats


def _sums(blocks: tuple[Block, ...], codes: NDArray[np.signedinteger[Any]], theta: Floats) -> _Sums:
    out = np.zeros((4, theta.size))
    for block in blocks:
        p, first, second = ability_derivatives(block, theta)
        mine = codes[:, block.index].T
        seen = mine >= 0
        pick = np.maximum(mine, 0).astype(np.intp)[..., None]
        out[0] += np.where(seen, np.take_along_axis(first, pick, axis=2)[..., 0], 0.0).sum(axis=0)
        out[1] -= np.where(seen, np.take_along_axis(second, pick, axis=2)[..., 0], 0.0).sum(axis=0)
        square = first * first
        out[2] += np.where(seen, (p * square).sum(axis=2), 0.0).sum(axis=0)
        out[3] += np.where(seen, (p * first * (second + square)).sum(axis=2), 0.0).sum(axis=0)
    return _Sums(*out)


def _equation(
    blocks: tuple[Block, ...],
    codes: NDArray[np.signedinteger[Any]],
    method: str,
    mean: Floats,
    sd: Floats,
) -> Callable[[Floats, NDArray[np.intp]], tuple[Floats, Floats]]:
    """The estimating function of some persons and minus its derivative (WLE: without the correction's)."""

    def at(theta: Floats, who: NDArray[np.intp]) -> tuple[Floats, Floats]:
        sums = _sums(blocks, codes[who], theta)
        if method == "WLE":
            return sums.score + _correction(sums.third, sums.information), sums.information
        if method == "MAP":
            return sums.score - (theta - mean[who]) / sd[who] ** 2, sums.observed + 1.0 / sd[who] ** 2
        return sums.score, sums.observed

    return at


def _correction(third: Floats, information: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(information > 1e-280, third / (2.0 * information), 0.0)


@dataclass(frozen=True, eq=False)
class _Table:
    """Everything about the items on a grid: log P and ∂ log P/∂θ by category, item after item from row
    `place[j]`: (columns, Q); information and J = Σ P'P''/P by item: (n, Q)."""

    grid: Floats
    place: NDArray[np.intp]
    log_p: Floats
    first: Floats
    information: Floats
    third: Floats

    def pick(self, table: Floats, codes: NDArray[np.signedinteger[Any]]) -> Floats:
        """Sum of the given responses' rows: (persons, Q)."""
        seen = codes >= 0
        if codes.shape[0] <= _FEW:
            rows = np.where(seen, self.place + codes, 0)
            return np.asarray((table[rows] * seen[..., None]).sum(axis=1))
        hit = np.zeros((codes.shape[0], table.shape[0]))
        person, item = np.nonzero(seen)
        hit[person, self.place[item] + codes[person, item]] = 1.0
        return hit @ table

    def met(self, table: Floats, codes: NDArray[np.signedinteger[Any]]) -> Floats:
        """Sum over the items met: (persons, Q)."""
        return (codes >= 0).astype(np.float64) @ table


def _tabulate(items: ItemParameters, grid: Floats) -> _Table:
    place = np.concatenate([[0], np.cumsum(items.categories)[:-1]]).astype(np.intp)
    log_p = np.empty((int(items.categories.sum()), grid.size))
    first = np.empty_like(log_p)
    information, third = np.empty((items.n_items, grid.size)), np.empty((items.n_items, grid.size))
    for block in items.blocks:
        rows = place[block.index][:, None] + np.arange(block.n_categories)
        log_p[rows] = np.maximum(log_probabilities(block, grid), -1e5).transpose(0, 2, 1)
        p, d1, d2 = ability_derivatives(block, grid)
        first[rows] = d1.transpose(0, 2, 1)
        information[block.index] = (p * d1**2).sum(axis=2)
        third[block.index] = (p * d1 * (d2 + d1**2)).sum(axis=2)
    return _Table(grid, place, log_p, first, information, third)


def _on_grid(
    table: _Table, codes: NDArray[np.signedinteger[Any]], method: str, mean: Floats, sd: Floats
) -> tuple[Floats, Floats]:
    """Log-likelihood (MAP: log posterior) and estimating function on the grid: two arrays (persons, Q)."""
    likelihood = table.pick(table.log_p, codes)
    value = table.pick(table.first, codes)
    if method == "WLE":
        value += _correction(table.met(table.third, codes), table.met(table.information, codes))
    elif method == "MAP":
        z = (table.grid - mean[:, None]) / sd[:, None]
        likelihood -= 0.5 * z * z
        value -= z / sd[:, None]
    return likelihood, value


def _brackets(
    grid: Floats, likelihood: Floats, value: Floats
) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Per person the step of the grid in which the function falls through zero at the highest likelihood,
    and a first guess inside by linear interpolation. Where there is none, `found` is False and the guess is
    the bound of higher likelihood."""
    falls = (value[:, :-1] > 0) & (value[:, 1:] <= 0)
    height = np.where(falls, np.maximum(likelihood[:, :-1], likelihood[:, 1:]), -np.inf)
    place = height.argmax(axis=1)
    who = np.arange(place.size)
    found = falls[who, place]
    low, high = grid[place], grid[place + 1]
    above, below = value[who, place], value[who, place + 1]
    inside = low + (high - low) * np.where(found, above, 1.0) / np.where(found, above - below, 2.0)
    edge = np.where(likelihood[:, -1] >= likelihood[:, 0], grid[-1], grid[0])
    return low, high, np.where(found, inside, edge), found


def _refine(
    equation: Callable[[Floats, NDArray[np.intp]], tuple[Floats, Floats]],
    guess: Floats,
    low: Floats,
    high: Floats,
    found: NDArray[np.bool_],
) -> Floats:
    """Newton, then secant steps inside a bracket that shrinks; a step that leaves it becomes a bisection."""
    at, low, high = guess.copy(), low.copy(), high.copy()
    last, last_value = np.full(at.size, np.nan), np.full(at.size, np.nan)
    who = np.flatnonzero(found)
    for _ in range(_REFINEMENTS):
        if not who.size:
            break
        here = at[who]
        value, slope = equation(here, who)
        up = value > 0
        left, right = np.where(up, here, low[who]), np.where(up, high[who], here)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            secant = (last_value[who] - value) / (here - last[who])
            slope = np.where(np.isfinite(secant) & (secant > 0), secant, slope)
            new = here + np.where(slope > 0, value / slope, np.inf)
        new = np.where((new >= left) & (new <= right), new, 0.5 * (left + right))
        new = np.where(value == 0.0, here, new)
        low[who], high[who], at[who] = left, right, new
        last[who], last_value[who] = here, value
        who = who[np.abs(new - here) > 1e-10 * (1.0 + np.abs(here))]
    return at
