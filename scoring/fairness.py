"""Selection ratios between groups, stage by stage, with the four-fifths rule and what the numbers can bear.

The four-fifths rule (Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D, 1978): a group's
selection rate below four fifths of the highest group's rate is evidence of adverse impact worth a look; with
small numbers it is not, and a large difference may be chance. So every ratio comes with an interval and an
exact test. It compares outcomes; it does not say why they differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import fisher_exact, norm

from scoring.errors import BadParameters, NotIdentified

FOUR_FIFTHS = 0.8
SMALL_GROUP = 30
"""Below this many candidates one decision moves a rate by more than three percentage points."""

Reading = Literal["no difference shown", "look closer", "adverse impact", "too few to tell"]


@dataclass(frozen=True)
class SelectionRatio:
    """One group at one stage (or in total), against the stage's reference group.

    `rate` = `selected`/`applicants` with its 95 % Wilson interval `rate_low`, `rate_high` (NaN where nobody
    came this far).  `ratio` to the reference's rate with a 95 % interval `ratio_low`, `ratio_high` (score-free
    log method of Katz et al. 1978 with ½ added; NaN for the reference itself).  `below_four_fifths`: ratio < 0.8.
    `p`: Fisher's exact test, two-sided.  `one_more`: the ratio with one decision turned in the group's favour;
    `fragile`: that one decision would lift it to four fifths or more.  `caution`: a group below SMALL_GROUP, or
    fragile.

    `reading`: "adverse impact": below four fifths and p ≤ .05 without caution; "look closer": one of the two;
    "too few to tell": one of the two with caution, or below four fifths with caution; otherwise "no
    difference shown", which is not "no difference".
    """

    stage: str
    group: str
    reference: str
    applicants: int
    selected: int
    rate: float
    rate_low: float
    rate_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    below_four_fifths: bool
    p: float
    one_more: float
    fragile: bool
    caution: bool
    reading: Reading


@dataclass(frozen=True)
class SelectionRatios:
    """`stages` in order, then `total` from first applicants to last selected; one entry per group each."""

    stages: tuple[SelectionRatio, ...]
    total: tuple[SelectionRatio, ...]

    @property
    def adverse(self) -> tuple[SelectionRatio, ...]:
        """The entries whose reading is "adverse impact"."""
        return tuple(entry for entry in (*self.stages, *self.total) if entry.reading == "adverse impact")


def selection_ratios(
    stages: Sequence[tuple[str, Mapping[str, tuple[int, int]]]],
    *,
    reference: str | None = None,
    threshold: float = FOUR_FIFTHS,
) -> SelectionRatios:
    """Compare groups' selection rates at every stage and over all stages.

    `stages`: (name, {group: (came to the stage, passed it)}) in order; each stage's groups are those of the
    first.  `reference`: the group to compare with; without it, at each stage the group with the highest rate
    (as the Guidelines have it; of groups below SMALL_GROUP only when there is no other).

    Raises BadParameters: no stages, groups that change, more selected than came, more coming than had passed
    the stage before; NotIdentified: fewer than two groups, or nobody anywhere.
    """
    if not stages:
        raise BadParameters("Give at least one stage with its groups.")
    if not 0 < threshold <= 1:
        raise BadParameters("The threshold is a share between 0 and 1.")
    groups = tuple(stages[0][1])
    if len(groups) < 2:
        raise NotIdentified("Comparing selection rates needs two groups.")
    if reference is not None and reference not in groups:
        raise BadParameters(f"The reference group {reference!r} is not among the groups.")
    before: Mapping[str, tuple[int, int]] | None = None
    for name, counts in stages:
        _check(name, counts, groups, before)
        before = counts
    first, last = stages[0][1], stages[-1][1]
    total = {group: (first[group][0], last[group][1]) for group in groups}
    if not sum(came for came, _ in total.values()):
        raise NotIdentified("Nobody applied: there is nothing to compare.")
    entries = [entry for name, counts in stages for entry in _stage(name, counts, reference, threshold)]
    return SelectionRatios(tuple(entries), tuple(_stage("total", total, reference, threshold)))


def _check(
    name: str,
    counts: Mapping[str, tuple[int, int]],
    groups: tuple[str, ...],
    before: Mapping[str, tuple[int, int]] | None,
) -> None:
    if set(counts) != set(groups):
        raise BadParameters(f"Stage {name!r} has other groups than the first stage.")
    for group, (came, passed) in counts.items():
        if isinstance(came, bool) or not isinstance(came, int) or not isinstance(passed, int):
            raise BadParameters(f"Stage {name!r}, {group}: counts are whole numbers.")
        if not 0 <= passed <= came:
            raise BadParameters(f"Stage {name!r}, {group}: {passed} of {came} cannot have passed.")
        if before is not None and came > before[group][1]:
            raise BadParameters(
                f"Stage {name!r}, {group}: {came} came, but only {before[group][1]} had passed the stage before."
            )


def _stage(
    name: str, counts: Mapping[str, tuple[int, int]], reference: str | None, threshold: float
) -> list[SelectionRatio]:
    base = reference if reference is not None else _highest(counts)
    return [_compare(name, group, base, counts, threshold) for group in counts]


def _highest(counts: Mapping[str, tuple[int, int]]) -> str:
    def rank(group: str) -> tuple[bool, bool, float, int]:
        came, passed = counts[group]
        return came >= SMALL_GROUP, came > 0, passed / came if came else 0.0, came

    return max(counts, key=rank)


def _compare(
    stage: str,
    group: str,
    base: str,
    counts: Mapping[str, tuple[int, int]],
    threshold: float,
) -> SelectionRatio:
    (n, x), (m, y) = counts[group], counts[base]
    rate = x / n if n else float("nan")
    low, high = _wilson(x, n)
    ratio = ratio_low = ratio_high = one_more = float("nan")
    below = fragile = False
    p = 1.0
    comparable = group != base and n > 0 and m > 0
    if comparable:
        p = float(fisher_exact([[x, n - x], [y, m - y]]).pvalue)
        ratio_low, ratio_high = _ratio_interval(x, n, y, m)
    if comparable and y > 0:
        ratio = rate / (y / m)
        one_more = min(x + 1, n) / n / (y / m)
        below = ratio < threshold
        fragile = below and one_more >= threshold
    caution = min(n, m) < SMALL_GROUP or fragile
    different = p <= 0.05
    reading: Reading
    if not (below or different):
        reading = "no difference shown"
    elif caution:
        reading = "too few to tell"
    else:
        reading = "adverse impact" if below and different else "look closer"
    return SelectionRatio(
        stage,
        group,
        base,
        n,
        x,
        rate,
        low,
        high,
        ratio,
        ratio_low,
        ratio_high,
        below,
        p,
        one_more,
        fragile,
        caution,
        reading,
    )


def _wilson(x: int, n: int) -> tuple[float, float]:
    if n == 0:
        return float("nan"), float("nan")
    z = float(norm.ppf(0.975))
    centre = (x + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * float(np.sqrt(x * (n - x) / n + z * z / 4))
    return (0.0 if x == 0 else centre - half), (1.0 if x == n else centre + half)


def _ratio_interval(x: int, n: int, y: int, m: int) -> tuple[float, float]:
    a, b = (x + 0.5) / (n + 0.5), (y + 0.5) / (m + 0.5)
    error = np.sqrt(1 / (x + 0.5) - 1 / (n + 0.5) + 1 / (y + 0.5) - 1 / (m + 0.5))
    half = float(norm.ppf(0.975) * error)
    return float(a / b * np.exp(-half)), float(a / b * np.exp(half))
