"""Prior densities for item parameters: log density and its first two derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit

from scoring.errors import BadParameters

Floats = NDArray[np.float64]

_HALF_LOG_2PI = 0.5 * float(np.log(2.0 * np.pi))


def _check(mean: float, sd: float) -> None:
    if not (np.isfinite(mean) and np.isfinite(sd) and sd > 0):
        raise BadParameters("A prior needs a finite mean and a positive standard deviation.")


@dataclass(frozen=True)
class Normal:
    """Normal density of the parameter itself (for the lower asymptote: of its logit)."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _check(self.mean, self.sd)

    def derivatives(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        z = (x - self.mean) / self.sd
        flat = np.full_like(x, -1.0 / self.sd**2)
        return -0.5 * z * z - np.log(self.sd) - _HALF_LOG_2PI, -z / self.sd, flat

    def mode(self) -> float:
        return self.mean


@dataclass(frozen=True)
class LogNormal:
    """Density of a positive x whose logarithm is normal, with the factor 1/x. Negative x have density 0."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _check(self.mean, self.sd)

    def derivatives(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        log_x = np.log(np.maximum(x, 1e-300))
        z = (log_x - self.mean) / self.sd
        density = np.where(x > 0.0, -0.5 * z * z - np.log(self.sd) - _HALF_LOG_2PI - log_x, -np.inf)
        slope = (1.0 + z / self.sd) / x
        return density, -slope, slope / x - 1.0 / (self.sd * x) ** 2

    def mode(self) -> float:
        return float(np.exp(self.mean - self.sd**2))


@dataclass(frozen=True)
class Beta:
    """Beta density of the lower asymptote c; `derivatives` takes and differentiates by logit c."""

    a: float
    b: float

    def __post_init__(self) -> None:
        if not (self.a > 0 and self.b > 0 and np.isfinite(self.a + self.b)):
            raise BadParameters("A beta prior needs two positive numbers.")

    def derivatives(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        c = expit(x)
        density = -(self.a - 1.0) * np.logaddexp(0.0, -x) - (self.b - 1.0) * np.logaddexp(0.0, x)
        first = (self.a - 1.0) * (1.0 - c) - (self.b - 1.0) * c
        return density - betaln(self.a, self.b), first, -(self.a + self.b - 2.0) * c * (1.0 - c)

    def mode(self) -> float:
        """On the logit scale."""
        return float(np.log(self.a / self.b))


@dataclass(frozen=True)
class Priors:
    """Priors of a calibration; each applies once to every free parameter of its kind, None = no prior.

    `slope`: Normal or LogNormal of a. `intercept`: Normal of the intercepts d (b = −d/a) of every model but
    RSM. `lower_asymptote`: Normal of logit c, or Beta of c; by default logit c ~ N(−1.386, 0.5²), that is
    c around 0.20 with 95 % between 0.09 and 0.40.
    """

    slope: Normal | LogNormal | None = None
    intercept: Normal | None = None
    lower_asymptote: Normal | Beta | None = Normal(-1.386, 0.5)

    def __post_init__(self) -> None:
        allowed = {"slope": (Normal, LogNormal), "intercept": (Normal,), "lower_asymptote": (Normal, Beta)}
        for name, kinds in allowed.items():
            value = getattr(self, name)
            if value is not None and not isinstance(value, kinds):
                raise BadParameters(
                    f"A prior of the {name} is {' or '.join(k.__name__ for k in kinds)}, not {type(value).__name__}."
                )
