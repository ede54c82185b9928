"""Equating observed scores of form X to the scale of form Y.

Random groups: `mean`, `linear`, `equipercentile`, `circle_arc`. Two groups with an anchor test: `tucker`,
`levine`, `nominal_weights`, `braun_holland`, `frequency_estimation`, `chained`. Whole-number scores; equivalents are
not rounded. Equating true scores and abilities through item parameters is in `scoring.irt.link`.
"""

from scoring.equating.anchor import (
    braun_holland,
    chained,
    frequency_estimation,
    levine,
    nominal_weights,
    tucker,
)
from scoring.equating.groups import circle_arc, equipercentile, linear, mean
from scoring.equating.presmoothing import LogLinear, log_linear, select_degree
from scoring.equating.result import Equating

__all__ = [
    "Equating",
    "LogLinear",
    "braun_holland",
    "chained",
    "circle_arc",
    "equipercentile",
    "frequency_estimation",
    "levine",
    "linear",
    "log_linear",
    "mean",
    "nominal_weights",
    "select_degree",
    "tucker",
]
