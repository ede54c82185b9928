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
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from scoring.errors import BadParameters, NotIdentified
from scoring.intervals import proportion_interval

Floats = NDArray[np.float64]

FOUR_FIFTHS = 0.8
SMALL_GROUP = 30
"""Below this many candidates one decision moves a rate by more than three percentage points."""

Reading = Literal["no difference shown", "look closer", "adverse impact", "too few to tell"]


@dataclass(frozen=True)
class SelectionRatio:
    """One group at one stage (or in total), against the stage's reference group.

    `rate` = `selected`/`applicants` with its exact 95 % interval `rate_low`, `rate_high` (Blaker 2000; NaN where nobody
    came this far).  `ratio` to the reference's rate with a 95 % interval `ratio_low`, `ratio_high` made from the two rates'
    own (Newcombe 2016, Statistical Methods in Medical Research 25, 1774–1778; NaN for the reference itself; no upper limit
    where nobody of the reference was selected).  `below_four_fifths`: ratio < 0.8.
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
    limits = _rate_interval(x, n)
    ratio = ratio_low = ratio_high = one_more = float("nan")
    below = fragile = False
    p = 1.0
    comparable = group != base and n > 0 and m > 0
    if comparable:
        p = float(fisher_exact([[x, n - x], [y, m - y]]).pvalue)
        found = ratio_interval(np.array(x / n), np.array(y / m), limits, _rate_interval(y, m))
        ratio_low, ratio_high = (float(limit) for limit in found)
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
        float(limits[0]),
        float(limits[1]),
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


def _rate_interval(x: int, n: int) -> Floats:
    return proportion_interval(x, n) if n else np.full(2, np.nan)


def ratio_interval(a: Floats, b: Floats, a_limits: Floats, b_limits: Floats) -> tuple[Floats, Floats]:
    """Limits of a/b from the rates' own limits (…, 2) ("MOVER-R": Newcombe 2016); no upper limit where b = 0."""

    def limit(of_a: Floats, of_b: Floats, sign: float) -> Floats:
        root = np.sqrt(np.maximum((a * b) ** 2 - of_a * of_b * (2 * a - of_a) * (2 * b - of_b), 0.0))
        below = of_b * (2 * b - of_b)
        return np.where(b > 0, (a * b + sign * root) / np.where(below == 0, 1.0, below), np.inf)

    least = np.sqrt(a_limits[..., 0] * (2 * a - a_limits[..., 0])) / b_limits[..., 1]
    low = np.where(b > 0, limit(a_limits[..., 0], b_limits[..., 1], -1.0), least)
    return np.maximum(low, 0.0), limit(a_limits[..., 1], b_limits[..., 0], 1.0)
