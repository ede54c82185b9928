"""Decision study: how reliable would scores be with so many raters and tasks?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.stats import qmc

from scoring.errors import BadParameters, NotIdentified
from scoring.generalizability.study import Component, Study
from scoring.scores import read_confidence

Floats = NDArray[np.float64]
_POINTS = 13


@dataclass(frozen=True, eq=False)
class Decision:
    """`numbers` of levels per facet (a nested one: within its nest), `fixed` facets.

    `universe_variance`: of what the scores stand for. Relative error matters for ranking, absolute for a pass mark.
    `generalizability` Eρ² (relative), `dependability` Φ (absolute), with generalized intervals for studies by mean
    squares (NaN for "reml"). Errors in score points.
    """

    numbers: Mapping[str, int]
    fixed: tuple[str, ...]
    universe_variance: float
    relative_variance: float
    absolute_variance: float
    generalizability: float
    generalizability_interval: tuple[float, float]
    dependability: float
    dependability_interval: tuple[float, float]
    relative_error: float
    absolute_error: float
    confidence: float


def decision_study(
    study: Study,
    numbers: Mapping[str, int],
    *,
    fixed: Sequence[str] = (),
    truncate: bool = True,
    confidence: float = 0.95,
) -> Decision:
    """Project the components of `study` to `numbers` of levels of every facet but the object of measurement.

    `fixed` facets: their levels are all there are; the object's interactions with only them count as what is measured
    (Brennan 2001, section 4.4). `truncate`: negative components count as 0. Interval: quantiles of the pivotal
    quantities of the mean squares over a fixed Sobol sequence (Weerahandi 1993), components cut at 0.

    Raises BadParameters: a facet without a number, numbers below 1, an unknown or the object's facet;
    NotIdentified where no variance is left.
    """
    level = read_confidence(confidence)
    expected = set(study.facets) - {study.object}
    if set(numbers) != expected:
        raise BadParameters(
            f"Give the number of levels of {', '.join(sorted(expected))}, and of nothing else."
        )
    if any(count < 1 for count in numbers.values()):
        raise BadParameters("A number of levels is 1 or more.")
    if set(fixed) - expected:
        raise BadParameters(
            f"{min(set(fixed) - expected)} cannot be fixed: it is no facet beside the object."
        )
    if set(fixed) == expected:
        raise BadParameters("With every facet fixed there is no error left to generalise over.")
    estimates = np.array([c.variance if truncate else c.estimate for c in study.components])
    parts = _divide(study, numbers, set(fixed))
    universe, relative, absolute = (float(weights @ estimates) for weights in parts)
    if universe + absolute <= 0:
        raise NotIdentified("No variance is left: all components are zero.")
    intervals = ((float("nan"), float("nan")), (float("nan"), float("nan")))
    if study.method == "anova":
        intervals = _intervals(study.components, parts, level)
    return Decision(
        numbers=dict(numbers),
        fixed=tuple(fixed),
        universe_variance=universe,
        relative_variance=relative,
        absolute_variance=absolute,
        generalizability=universe / (universe + relative) if universe + relative > 0 else float("nan"),
        generalizability_interval=intervals[0],
        dependability=universe / (universe + absolute),
        dependability_interval=intervals[1],
        relative_error=float(np.sqrt(max(0.0, relative))),
        absolute_error=float(np.sqrt(max(0.0, absolute))),
        confidence=level,
    )


def _divide(study: Study, numbers: Mapping[str, int], fixed: set[str]) -> tuple[Floats, Floats, Floats]:
    """Weights of the components in universe-score, relative and absolute error variance."""
    universe, relative, absolute = (np.zeros(len(study.components)) for _ in range(3))
    for i, component in enumerate(study.components):
        everything = component.name == "within"
        facets = set(study.facets) if everything else set(component.facets)
        others = facets - {study.object}
        share = 1.0 / np.prod([numbers[facet] for facet in others]) if others else 1.0
        only_fixed = not everything and others <= fixed
        if study.object in facets and only_fixed:
            universe[i] = share
        elif study.object in facets:
            relative[i] = absolute[i] = share
        elif not only_fixed:
            absolute[i] = share
    return universe, relative, absolute


@lru_cache(maxsize=16)
def _chi_squares(df: tuple[float, ...]) -> Floats:
    """Points × components: a fixed Sobol sequence through the chi-square quantiles."""
    u = qmc.Sobol(len(df), scramble=False).random_base2(_POINTS) + 0.5 / 2**_POINTS
    drawn = 2 * special.gammaincinv(np.array(df) / 2, u)
    drawn.setflags(write=False)
    return np.asarray(drawn)


def _intervals(
    components: Sequence[Component], parts: tuple[Floats, Floats, Floats], confidence: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    count = len(components)
    squares = np.array([c.sum_of_squares for c in components]) / _chi_squares(tuple(c.df for c in components))
    drawn = np.zeros_like(squares)
    remaining = sorted(range(count), key=lambda i: components[i].coefficient)
    for i in remaining:  # smallest coefficient first: the effects that contain it are done
        above = [
            j
            for j in remaining
            if j != i
            and (components[j].name == "within" or (components[j].facets > components[i].facets))
            and components[i].name != "within"
        ]
        drawn[:, i] = (
            squares[:, i] - sum(components[j].coefficient * drawn[:, j] for j in above)
        ) / components[i].coefficient
    drawn = np.maximum(drawn, 0.0)
    universe, relative, absolute = (drawn @ weights for weights in parts)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    out = []
    for error in (relative, absolute):
        whole = universe + error
        low, high = np.quantile(np.divide(universe, whole, out=np.zeros_like(whole), where=whole > 0), tails)
        out.append((float(low), float(high)))
    return out[0], out[1]
