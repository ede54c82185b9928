"""Generalizability study: how much of the variance of scores is due to persons, raters, tasks and their interplay."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters, NotIdentified
from scoring.generalizability.design import Design, Effect, read_design
from scoring.generalizability.restricted import restricted_likelihood
from scoring.verdicts import Verdict

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Component:
    """Variance of one effect. `estimate` may be negative (mean squares); `variance` is it or 0, `share` its share of all.

    `df`, `sum_of_squares`, `mean_square` and `coefficient` (scores per level, its weight in expected mean squares)
    only for balanced designs, else NaN. `verdict` where the estimate needs a word.
    """

    name: str
    facets: Effect
    levels: int
    estimate: float
    variance: float
    share: float
    standard_error: float
    df: float
    sum_of_squares: float
    mean_square: float
    coefficient: float
    verdict: Verdict | None


@dataclass(frozen=True, eq=False)
class Study:
    """Components in the order of the design, the residual (all facets, and error) last; `method` "anova" or "reml".

    `mean`: the general mean (generalised least squares for "reml"). `log_likelihood`, `iterations`, `gradient_norm`:
    of the restricted likelihood, NaN and 0 for "anova".
    """

    object: str
    facets: tuple[str, ...]
    nested: Mapping[str, tuple[str, ...]]
    levels: Mapping[str, int]
    n: int
    method: str
    mean: float
    components: tuple[Component, ...]
    log_likelihood: float
    iterations: int
    gradient_norm: float

    def component(self, *facets: str) -> Component:
        """The component of exactly these facets and those they are nested in; KeyError where there is none."""
        wanted = frozenset(facets) | {outer for facet in facets for outer in self.nested.get(facet, ())}
        for found in self.components:
            if found.facets == wanted:
                return found
        raise KeyError(f"No component of {', '.join(facets)} in this design.")


def study(
    scores: ArrayLike,
    facets: Mapping[str, Sequence[Hashable] | NDArray[Any]] | None = None,
    *,
    object: str = "person",
    nested: Mapping[str, str | Sequence[str]] | None = None,
    method: str | None = None,
) -> Study:
    """Variance components of a design whose facets are all random.

    `scores`: a table persons × items (facets None; NaN = missing; p × i), or one score per row with `facets`: a column
    of labels for each facet, among them the `object` of measurement. `nested`: {"rater": "task"} for raters within
    tasks (labels may repeat between tasks). Rows whose score is NaN are left out.

    `method`: "anova" (expected mean squares, unbiased, may be negative; balanced designs only), "reml" (restricted
    maximum likelihood, not below zero); by default "anova" where the design is balanced. Both agree on balanced
    designs unless a component is at zero.

    Raises BadResponses, BadParameters; NotIdentified where two effects divide the scores alike (a person marked only
    once, one rater per task, …) or scores do not vary; NotConverged. Source: Brennan (2001), Generalizability Theory,
    chapters 3–7. Not handled: multivariate designs; fixed facets are a matter of `decision_study`.
    """
    design = read_design(scores, facets, object, nested)
    if method not in (None, "anova", "reml"):
        raise BadParameters(f"{method!r} is not a method: anova or reml.")
    if method == "anova" and not design.balanced:
        raise BadParameters('This design is unbalanced: use method="reml" (the default for it).')
    if np.ptp(design.score) <= 1e-12 * max(1.0, float(np.abs(design.score).max())):
        raise NotIdentified("All scores are equal: there is no variance to divide.")
    if method == "reml" or not design.balanced:
        return _by_likelihood(design)
    return _by_mean_squares(design)


def _by_mean_squares(design: Design) -> Study:
    """Orthogonal decomposition of the balanced array; components by back-substitution in the expected mean squares."""
    n = design.score.size
    cells = design.effects if design.replicates == 1 else (*design.effects, _WITHIN)
    deviation: dict[Effect, Floats] = {}
    squares: dict[Effect, float] = {}
    df: dict[Effect, float] = {}
    coefficient: dict[Effect, float] = {}
    mean = float(design.score.mean())
    left = design.score - mean
    for effect in design.effects:
        codes = design.codes[effect]
        levels = design.levels(effect)
        inside = [other for other in design.effects if other < effect]
        part = (np.bincount(codes, left) / np.bincount(codes))[codes]
        for other in inside:
            part = part - deviation[other]
        deviation[effect] = part
        squares[effect] = float((part**2).sum())
        df[effect] = levels - 1.0 - sum(df[other] for other in inside)
        coefficient[effect] = n / levels
    if design.replicates > 1:
        codes = design.codes[design.residual]
        within = left - (np.bincount(codes, left) / np.bincount(codes))[codes]
        squares[_WITHIN], df[_WITHIN], coefficient[_WITHIN] = (
            float((within**2).sum()),
            n - design.levels(design.residual),
            1.0,
        )
    mean_square = {effect: squares[effect] / df[effect] for effect in cells}
    weights: dict[Effect, dict[Effect, float]] = {}  # component = sum of weights × mean squares
    for effect in sorted(
        cells, key=lambda e: len(design.facets) + 1 if e == _WITHIN else len(e), reverse=True
    ):
        above = [other for other in cells if _contains(other, effect) and other != effect]
        weight = dict.fromkeys(cells, 0.0)
        weight[effect] = 1 / coefficient[effect]
        for other in above:
            for term, value in weights[other].items():
                weight[term] -= value * coefficient[other] / coefficient[effect]
        weights[effect] = weight
    estimates = {e: sum(weights[e][term] * mean_square[term] for term in cells) for e in cells}
    errors = {
        e: float(np.sqrt(sum(weights[e][t] ** 2 * 2 * mean_square[t] ** 2 / (df[t] + 2) for t in cells)))
        for e in cells
    }
    total = sum(max(0.0, value) for value in estimates.values())
    components = tuple(
        Component(
            name="within" if effect == _WITHIN else design.name(effect),
            facets=effect,
            levels=n if effect == _WITHIN else design.levels(effect),
            estimate=estimates[effect],
            variance=max(0.0, estimates[effect]),
            share=max(0.0, estimates[effect]) / total if total > 0 else float("nan"),
            standard_error=errors[effect],
            df=float(df[effect]),
            sum_of_squares=squares[effect],
            mean_square=mean_square[effect],
            coefficient=coefficient[effect],
            verdict=Verdict("component.negative", {"estimate": estimates[effect]})
            if estimates[effect] < 0
            else None,
        )
        for effect in cells
    )
    return _study(design, "anova", mean, components, float("nan"), 0, 0.0)


_WITHIN: Effect = frozenset({"within"})  # replicates within cells: contained in every effect


def _contains(larger: Effect, smaller: Effect) -> bool:
    return larger == _WITHIN or (smaller != _WITHIN and larger >= smaller)


def _by_likelihood(design: Design) -> Study:
    replicated = design.levels(design.residual) < design.score.size
    random = [effect for effect in design.effects if effect != design.residual or replicated]
    fit = restricted_likelihood(design.score, [design.codes[effect] for effect in random])
    order = [*random, _WITHIN if replicated else design.residual]
    total = float(fit.variance.sum())
    nan = float("nan")
    components = tuple(
        Component(
            name="within" if effect == _WITHIN else design.name(effect),
            facets=effect,
            levels=design.score.size if effect == _WITHIN else design.levels(effect),
            estimate=float(variance),
            variance=float(variance),
            share=float(variance) / total,
            standard_error=float(error),
            df=nan,
            sum_of_squares=nan,
            mean_square=nan,
            coefficient=nan,
            verdict=Verdict("component.negative", {"estimate": 0.0}) if variance == 0 else None,
        )
        for effect, variance, error in zip(order, fit.variance, fit.standard_error, strict=True)
    )
    return _study(design, "reml", fit.mean, components, fit.log_likelihood, fit.iterations, fit.gradient_norm)


def _study(
    design: Design,
    method: str,
    mean: float,
    components: tuple[Component, ...],
    log_likelihood: float,
    iterations: int,
    gradient_norm: float,
) -> Study:
    return Study(
        object=design.object,
        facets=design.facets,
        nested=design.nested,
        levels=dict(design.sizes),
        n=design.score.size,
        method=method,
        mean=mean,
        components=components,
        log_likelihood=log_likelihood,
        iterations=iterations,
        gradient_norm=gradient_norm,
    )
