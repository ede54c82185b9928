"""Calibration: item parameters by marginal maximum likelihood (Bock & Aitkin 1981)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters, NotConverged, NotIdentified
from scoring.irt.design import Design, prepare
from scoring.irt.kernels import PARTIAL_CREDIT
from scoring.irt.layout import Layout
from scoring.irt.nodes import choose_nodes, doubled, read_nodes
from scoring.irt.objective import Objective, Value
from scoring.irt.observed_information import observed_information
from scoring.irt.parameters import ItemParameters
from scoring.irt.posterior import Persons
from scoring.irt.priors import Priors
from scoring.irt.solver import Finish, Progress, accelerate, finish
from scoring.irt.starting import starting_values
from scoring.irt.uncertainty import ItemErrors, item_errors, reported_covariance, reported_scale
from scoring.responses import Responses

Floats = NDArray[np.float64]

_WARM_START_FROM = 12_000
_WARM_START_SIZE = 4_000
_DEAR = 2e10


@dataclass(frozen=True, eq=False)
class Calibration:
    """Item parameters estimated from responses.

    `items`: the parameters. `log_likelihood` excludes, `log_prior` is the prior density at the estimates.
    `parameters`, `estimates`, `covariance`: the free parameters by name (slope, intercept d, logit
    asymptote; for RSM the common steps and each item's shift; group means and variances), and the inverse
    of their exact observed information (with priors: of the posterior). `standard_errors`: by item;
    `covariance` and `standard_errors` are None where they were not asked for.
    `group_names`, `group_mean`, `group_variance` and their errors: one per group, sorted by label; the
    first is N(0, 1) unless slopes or items are fixed (an error of 0 marks what is fixed).
    `iterations`: E steps over all persons. `gradient_norm`: largest absolute derivative of the penalised
    log-likelihood by a free parameter. `promised_gain`: what another Newton step would add to it.
    `item_covariance`: covariance of a, thresholds, c (a row each even where c = 0) of all items in turn.
    `fixed_items`: columns that were not estimated. `layout`, `free`: the internal parameters.
    `nodes`: the quadrature. `remarks`: what the reader must know (merged categories, estimates at a bound).
    """

    items: ItemParameters
    log_likelihood: float
    log_prior: float
    parameters: tuple[str, ...]
    estimates: Floats
    covariance: Floats | None
    standard_errors: ItemErrors | None
    group_names: tuple[str, ...]
    group_mean: Floats
    group_variance: Floats
    group_mean_error: Floats | None
    group_variance_error: Floats | None
    iterations: int
    converged: bool
    gradient_norm: float
    promised_gain: float
    nodes: Floats
    n_persons: int
    total_weight: float
    priors: Priors
    remarks: tuple[str, ...]
    item_covariance: Floats | None = field(repr=False)
    fixed_items: tuple[int, ...]
    layout: Layout = field(repr=False)
    free: Floats = field(repr=False)

    @property
    def n_parameters(self) -> int:
        return len(self.parameters)

    @property
    def aic(self) -> float:
        """−2 log L + 2 p, of the likelihood without priors."""
        return -2.0 * self.log_likelihood + 2.0 * self.n_parameters

    @property
    def bic(self) -> float:
        """−2 log L + p log n, n the total weight of the persons."""
        return -2.0 * self.log_likelihood + self.n_parameters * float(np.log(self.total_weight))


def calibrate(
    responses: ArrayLike | Responses,
    model: str | Sequence[str] = "2PL",
    *,
    groups: ArrayLike | None = None,
    fixed: ItemParameters | Mapping[int | str, Mapping[str, Any]] | None = None,
    priors: Priors | None = None,
    nodes: int | ArrayLike | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = 1000,
    standard_errors: bool = True,
    weights: ArrayLike | None = None,
    items: Sequence[str] | None = None,
    minimum_count: float = 3,
    free_groups: bool = True,
) -> Calibration:
    """Estimate item parameters, and group means and variances, by marginal maximum likelihood.

    `responses`: persons × items, categories 0, 1, …; NaN = not administered.
    `model`: Rasch, 1PL, 2PL, 3PL, GRM, GPCM, PCM or RSM, for all items or one per item. All 1PL items share
    one slope; all RSM items with the same number of categories share their steps.
    `groups`: a label per person. The first in sorted order is N(0, 1); the others' means and variances are
    free. With Rasch, PCM or RSM items (slope 1) every variance is free; with `fixed` items every mean and
    variance is. `free_groups=False` holds all groups at N(0, 1).
    `fixed`: items whose parameters are known (fixed-parameter calibration): ItemParameters matched by name,
    or a mapping from column number or name to slope, difficulty or thresholds, lower_asymptote.
    `priors`: see Priors; by default only the 3PL's asymptote has one. `nodes`: number of quadrature nodes,
    or equally spaced nodes; by default chosen from the sharpest posterior and confirmed by doubling.
    `tolerance`: the largest parameter change at which the search ends (with a promised gain in
    log-likelihood below 1e−7). `max_iterations`: E steps over all persons.
    `minimum_count`: categories of polytomous items with fewer responses are merged with a neighbour, with
    a remark; 0 merges only empty ones. `weights`: one frequency per person.

    Raises BadResponses, BadParameters (3PL without a prior among them), NotIdentified (an item with one
    category only, groups without common items) and NotConverged at the limit.
    """
    if not (np.isfinite(tolerance) and tolerance > 0):
        raise BadParameters("The tolerance is a positive number.")
    if max_iterations < 1:
        raise BadParameters("Allow at least one iteration.")
    asked = read_nodes(nodes)
    plan = prepare(
        responses,
        model,
        groups=groups,
        fixed=fixed,
        priors=priors,
        weights=weights,
        items=items,
        minimum_count=minimum_count,
        free_groups=free_groups,
    )
    objective, end = _search(plan, asked, tolerance, max_iterations)
    return _report(plan, objective, end, standard_errors)


def _search(
    plan: Design, asked: int | Floats | None, tolerance: float, limit: int
) -> tuple[Objective, Finish]:
    persons, layout, priors = plan.persons, plan.layout, plan.priors
    start = starting_values(persons, layout, priors)
    if persons.n_persons > _WARM_START_FROM:
        # A part of the persons tells where to begin; its E steps cost next to nothing and do not count.
        few = persons.sample(max(_WARM_START_SIZE, 10 * layout.n_free))
        free = _rough(Objective(few, layout, priors, np.zeros(1)), start, asked, 60).value.free
        rare = [j for j, count in enumerate(few.category_counts()) if count.min() < 5.0]
        free = np.where(np.isin(layout.item, rare), start, free)
        spent, fineness = 0, 0
    else:
        progress = _rough(Objective(persons, layout, priors, np.zeros(1)), start, asked, limit)
        free, spent, fineness = progress.value.free, progress.e_steps, 0
    for _ in range(8):
        theta = _grid(persons, plan, free, asked, fineness)
        objective = Objective(persons, layout, priors, theta)
        end = finish(objective, Progress(objective.value(free), spent + 1), tolerance, limit)
        free, spent = end.value.free, end.e_steps
        if asked is not None:
            return objective, end
        if _grid(persons, plan, free, asked, fineness).size > 1.1 * theta.size:
            continue  # the parameters have moved to where posteriors are sharper
        finer = objective.on(doubled(theta)).log_likelihood(free)
        spent += 1
        error = abs(finer - end.value.log_likelihood)
        if error <= 1e-6 * max(1.0, (persons.n_persons / 1000.0) ** 0.5):
            return objective, replace(end, e_steps=spent)
        fineness += 1
    raise NotConverged(
        "The log-likelihood still changes when the quadrature nodes are doubled; give nodes=…, or look at "
        "items with extreme slopes.",
        iterations=spent,
        change=error,
    )


def _rough(objective: Objective, free: Floats, asked: int | Floats | None, limit: int) -> Progress:
    """Accelerated EM on a coarse grid that follows the parameters, until a step moves none by 0.05."""
    persons, layout = objective.persons, objective.layout
    spent = 0
    for tolerance in (1.0, 0.05):
        theta = asked
        if not isinstance(theta, np.ndarray):
            groups = layout.groups(free)
            theta = choose_nodes(layout.blocks(free), persons.administered(), *groups, step=1.5, reach=5.0)
        here = objective.on(theta)
        progress = accelerate(here, Progress(here.value(free), spent + 1), tolerance, limit)
        free, spent = progress.value.free, progress.e_steps
    return progress


def _grid(persons: Persons, plan: Design, free: Floats, asked: int | Floats | None, fineness: int) -> Floats:
    if isinstance(asked, np.ndarray):
        return asked
    mean, sd = plan.layout.groups(free)
    if asked is not None:
        return np.linspace(float((mean - 6 * sd).min()), float((mean + 6 * sd).max()), asked)
    return choose_nodes(
        plan.layout.blocks(free),
        persons.administered(),
        mean,
        sd,
        step=(1.0 if persons.n_persons > _WARM_START_FROM else 0.8) / 2**fineness,
        reach=6.5 + fineness,
    )


def _report(plan: Design, objective: Objective, end: Finish, wanted: bool) -> Calibration:
    layout, free = plan.layout, end.value.free
    remarks = list(plan.remarks)
    end = replace(end, held=end.held | (free >= layout.upper) | (free <= layout.lower))
    for place in np.flatnonzero(end.held):
        remarks.append(
            f"{layout.names[place]} was stopped at {free[place]:.4g}: the data push it towards infinity "
            "(or a variance towards zero); the estimate is a bound and has no standard error."
        )
    covariance = item_cov = mean_error = variance_error = errors = None
    if wanted:
        raw = _covariance(objective, end, remarks)
        covariance = reported_covariance(layout, free, raw)
        errors = item_errors(layout, free, raw)
        n = layout.n_item_parameters
        jacobian = reported_scale(layout, free).jacobian
        item_cov = (
            np.asarray(jacobian @ (jacobian @ raw[:n, :n]).T) if n else np.zeros((jacobian.shape[0],) * 2)
        )
        diagonal = np.sqrt(np.diag(covariance))
        mean_error = np.where(layout.group_mean >= 0, diagonal[layout.group_mean], 0.0)
        variance_error = np.where(layout.group_log_sd >= 0, diagonal[layout.group_log_sd], 0.0)
    mean, sd = layout.groups(free)
    estimates = free.copy()
    log_sd = layout.role == "log_sd"
    estimates[log_sd] = np.exp(2.0 * free[log_sd])
    return Calibration(
        items=_items(plan, free),
        log_likelihood=end.value.log_likelihood,
        log_prior=end.value.log_prior,
        parameters=tuple(name.replace(".log SD", ".variance") for name in layout.names),
        estimates=_frozen(estimates),
        covariance=covariance,
        standard_errors=errors,
        group_names=plan.groups,
        group_mean=_frozen(mean),
        group_variance=_frozen(sd**2),
        group_mean_error=mean_error,
        group_variance_error=variance_error,
        iterations=end.e_steps,
        converged=True,
        gradient_norm=float(np.abs(np.where(end.held, 0.0, end.value.gradient)).max(initial=0.0)),
        promised_gain=end.decrement,
        nodes=_frozen(objective.theta),
        n_persons=plan.n_persons,
        total_weight=plan.total_weight,
        priors=plan.priors,
        remarks=tuple(remarks),
        item_covariance=item_cov,
        fixed_items=tuple(sorted(plan.fixed)),
        layout=layout,
        free=_frozen(free.copy()),
    )


def _covariance(objective: Objective, end: Finish, remarks: list[str]) -> Floats:
    """Inverse information of the free parameters that are not held; NaN, with a remark, for the others."""
    information = observed_information(*_for_errors(objective, end.value))
    n = information.shape[0]
    out = np.full((n, n), np.nan)
    keep = ~end.held
    if not keep.any():
        return out
    values, vectors, scale = _eigen(information, keep)
    flat = values <= 1e-6 * max(values[-1], 1.0)
    if flat.any():
        loading = (vectors[:, flat] ** 2).sum(axis=1)
        lost = np.flatnonzero(keep)[loading > 0.05]
        names = ", ".join(objective.layout.names[i].replace(".log SD", ".variance") for i in lost)
        remarks.append(f"These data do not determine {names}: no standard errors for them.")
        keep[lost] = False
        if not keep.any():
            return out
        values, vectors, scale = _eigen(information, keep)
        if values[0] <= 0:
            remarks.append("The observed information is not positive definite: there are no standard errors.")
            return out
    out[np.ix_(keep, keep)] = (vectors / values) @ vectors.T * np.outer(scale, scale)
    return out


def _for_errors(objective: Objective, value: Value) -> tuple[Objective, Value]:
    """Second derivatives need fewer nodes than the last digit of a likelihood: where products at every node
    are dear, a coarser grid changes standard errors by less than 1e-3 of themselves."""
    persons = objective.persons
    if persons.n_persons * persons.columns.size**2 * objective.theta.size < _DEAR:
        return objective, value
    mean, sd = objective.layout.groups(value.free)
    blocks = objective.layout.blocks(value.free)
    theta = choose_nodes(blocks, persons.administered(), mean, sd, step=1.4, reach=5.5)
    if theta.size >= objective.theta.size:
        return objective, value
    coarse = objective.on(theta)
    return coarse, coarse.value(value.free)


def _eigen(information: Floats, keep: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Eigenvalues and vectors of the kept part, scaled to a unit diagonal, and the scale."""
    inner = information[np.ix_(keep, keep)]
    scale = 1.0 / np.sqrt(np.maximum(np.diag(inner), 1e-300))
    values, vectors = np.linalg.eigh(inner * np.outer(scale, scale))
    return values, vectors, scale


def _items(plan: Design, free: Floats) -> ItemParameters:
    n = len(plan.items)
    slope, asymptote = np.zeros(n), np.zeros(n)
    thresholds: list[Floats] = [np.zeros(0)] * n
    for block in plan.layout.blocks(free):
        for place, j in enumerate(block.index):
            if j in plan.fixed:
                given = plan.fixed[int(j)]
                slope[j], asymptote[j] = given.slope[0], given.lower_asymptote[0]
                thresholds[j] = given.thresholds[0]
                continue
            a, d = float(block.slope[place]), block.intercept[place]
            if abs(a) < 1e-8:
                raise NotIdentified(
                    f"The slope of item {plan.items[j]} is zero: it has no difficulty on the ability scale; "
                    "leave it out or use a model with fixed slopes."
                )
            slope[j], asymptote[j] = a, block.asymptote[place]
            thresholds[j] = -(np.diff(d, prepend=0.0) if block.kind == PARTIAL_CREDIT else d) / a
    return ItemParameters.of(
        plan.models,
        slope=slope,
        thresholds=thresholds,
        lower_asymptote=asymptote,
        items=plan.items,
        recoding=plan.recoding,
    )


def _frozen(values: Floats) -> Floats:
    values.setflags(write=False)
    return values
