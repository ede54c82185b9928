"""When an adaptive test ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scoring.errors import BadParameters


@dataclass(frozen=True)
class StoppingRule:
    """The test ends at `maximum` items, or after at least `minimum` as soon as one of these holds:
    `standard_error` is reached; the best free item's information is below `least_information`; the last
    item made the standard error smaller by less than `least_gain`.
    """

    minimum: int = 1
    maximum: int | None = None
    standard_error: float | None = None
    least_information: float | None = None
    least_gain: float | None = None

    def __post_init__(self) -> None:
        limits = (self.standard_error, self.least_information, self.least_gain)
        if self.maximum is None and all(limit is None for limit in limits):
            raise BadParameters(
                "A stopping rule needs a maximum length, a standard error or a least information."
            )
        if self.minimum < 0 or (self.maximum is not None and self.maximum < max(self.minimum, 1)):
            raise BadParameters("The minimum length must not exceed the maximum, which is at least 1.")
        if any(limit is not None and not (math.isfinite(limit) and limit > 0) for limit in limits):
            raise BadParameters("Limits of a stopping rule are positive, finite numbers.")


@dataclass(frozen=True)
class Stop:
    """`stop`, and why: "maximum length", "standard error", "no informative item", "no gain", "no item left" or ""."""

    stop: bool
    reason: str


def stop(
    rule: StoppingRule,
    *,
    administered: int,
    standard_error: float,
    previous_error: float | None = None,
    best_information: float | None = None,
    items_left: int | None = None,
) -> Stop:
    """Does the test end here? `previous_error`: before the last answer; `best_information`: of the free items
    at the current ability; `items_left`: how many may still be given."""
    if items_left is not None and items_left == 0:
        return Stop(True, "no item left")
    if rule.maximum is not None and administered >= rule.maximum:
        return Stop(True, "maximum length")
    if administered < rule.minimum:
        return Stop(False, "")
    if rule.standard_error is not None and standard_error <= rule.standard_error:
        return Stop(True, "standard error")
    if (
        rule.least_information is not None
        and best_information is not None
        and best_information < rule.least_information
    ):
        return Stop(True, "no informative item")
    if (
        rule.least_gain is not None
        and previous_error is not None
        and previous_error - standard_error < rule.least_gain
    ):
        return Stop(True, "no gain")
    return Stop(False, "")
