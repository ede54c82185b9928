"""DIF by likelihood ratio: item parameters of one's own for each group, or the same for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from scoring.dif.matching import MINIMUM_GROUP, read_groups
from scoring.errors import BadParameters
from scoring.irt import Calibration, ItemParameters, calibrate, expected_scores
from scoring.responses import Responses, read_responses

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LikelihoodRatio:
    """One entry per studied item.

    `statistic`: 2 (log L with the item free in each group − log L with it equal), χ² on `df` under no DIF.
    `reference`, `focal`: the item's parameters in each group, on one scale. `difference`: mean over the focal
    group's abilities of its expected score minus that under the reference group's parameters (score points;
    negative: harder for the focal group; NaN where a category stayed empty in one group). `focal_mean`, `focal_variance`: abilities of the focal group (the
    reference group is N(0, 1), or N(0, variance free) with Rasch, PCM and RSM), in the model that gave `reference`
    and `focal`; one each. `anchors`: the items held equal; without them each item had all others.
    """

    items: tuple[str, ...]
    statistic: Floats
    df: NDArray[np.intp]
    p: Floats
    difference: Floats
    reference: ItemParameters
    focal: ItemParameters
    focal_mean: Floats
    focal_variance: Floats
    flagged: NDArray[np.bool_]
    anchors: tuple[str, ...]
    alpha: float


def likelihood_ratio(
    responses: ArrayLike | Responses,
    focal: ArrayLike,
    *,
    anchors: Sequence[int] | None = None,
    studied: Sequence[int] | None = None,
    model: str | Sequence[str] = "2PL",
    alpha: float = 0.05,
    minimum: int = MINIMUM_GROUP,
) -> LikelihoodRatio:
    """Likelihood-ratio DIF in an item response model (Thissen, Steinberg & Wainer 1993).

    `responses`: persons × items, any categories; NaN = not administered is allowed. `focal`: 0 or 1 per person.
    `anchors`: columns known to be without DIF, equal in both groups: the other items are free in each, and one after
    the other of `studied` (default: all but the anchors) is made equal. Without anchors all items but the studied one are
    equal, which blames good items when many are bad. `model`: as in `scoring.irt.calibrate`, one or one per item.
    Group means and variances are free.

    Raises BadParameters, BadResponses, TooFewObservations below `minimum` persons in a group, and what `calibrate`
    raises (NotIdentified: an item that one group answered all alike). Not handled: purification, more than two groups.
    """
    read = read_responses(responses)
    member = read_groups(focal, read.n_persons, minimum, alpha)
    k = read.n_items
    models = [model] * k if isinstance(model, str) else list(model)
    if len(models) != k:
        raise BadParameters(f"{len(models)} models for {k} items: give one each, or one for all.")
    shared = _columns(anchors, k, "anchors")
    asked = [j for j in range(k) if j not in shared] if studied is None else _columns(studied, k, "studied items")
    if set(asked) & set(shared) or not asked:
        raise BadParameters("Study at least one item, and none that is an anchor.")
    if k < 2 or (anchors is not None and not shared):
        raise BadParameters("Without a common item the groups have no common scale: give at least one anchor.")

    x = read.matrix()
    free_at_first = [j for j in range(k) if j not in shared] if anchors is not None else []
    baseline = _fit(x, member, models, read.items, free_at_first)
    found = []
    for j in asked:
        if anchors is None:
            found.append((j, _fit(x, member, models, read.items, [j]), baseline))
        else:
            equal = _fit(x, member, models, read.items, [i for i in free_at_first if i != j])
            found.append((j, baseline, equal))
    statistic = np.array([max(0.0, 2.0 * (a.log_likelihood - b.log_likelihood)) for _, a, b in found])
    df = np.array([a.n_parameters - b.n_parameters for _, a, b in found], dtype=np.intp)
    p = np.asarray(chi2.sf(statistic, df))
    sides = [[a.items.select([f"{read.items[j]}{side}"]) for j, a, _ in found] for side in _SIDES]
    mean = np.array([a.group_mean[1] for _, a, _ in found])
    variance = np.array([a.group_variance[1] for _, a, _ in found])
    names = tuple(read.items[j] for j in asked)
    difference = [
        _difference(r, f, float(m), float(v)) for r, f, m, v in zip(*sides, mean, variance, strict=True)
    ]
    return LikelihoodRatio(
        items=names,
        statistic=statistic,
        df=df,
        p=p,
        difference=np.array(difference),
        reference=_joined(sides[0], names),
        focal=_joined(sides[1], names),
        focal_mean=mean,
        focal_variance=variance,
        flagged=p <= alpha,
        anchors=tuple(read.items[j] for j in shared),
        alpha=alpha,
    )


_SIDES = (" (reference)", " (focal)")


def _columns(given: Sequence[int] | None, k: int, what: str) -> list[int]:
    columns = [] if given is None else [int(j) for j in given]
    if len(set(columns)) != len(columns) or not all(0 <= j < k for j in columns):
        raise BadParameters(f"The {what} are different columns, counted from 0 to {k - 1}.")
    return columns


def _fit(
    x: Floats, member: NDArray[np.bool_], models: list[str], names: tuple[str, ...], free: list[int]
) -> Calibration:
    """An item free in each group is two columns, each administered to one group only. Both groups keep all their
    categories: merging thin ones would differ between the two models."""
    columns, kinds, labels = [], [], []
    for j in range(x.shape[1]):
        if j not in free:
            columns.append(x[:, j])
            kinds.append(models[j])
            labels.append(names[j])
            continue
        for side, mine in zip(_SIDES, (~member, member), strict=True):
            columns.append(np.where(mine, x[:, j], np.nan))
            kinds.append(models[j])
            labels.append(f"{names[j]}{side}")
    return calibrate(
        np.column_stack(columns),
        kinds,
        groups=member.astype(int),
        items=labels,
        minimum_count=0,
        standard_errors=False,
    )


def _difference(reference: ItemParameters, focal: ItemParameters, mean: float, variance: float) -> float:
    if reference.recoding != focal.recoding:
        return float("nan")
    z = np.linspace(-6.0, 6.0, 121)
    weight = np.exp(-0.5 * z * z)
    theta = mean + np.sqrt(variance) * z
    gap = expected_scores(focal, theta)[:, 0] - expected_scores(reference, theta)[:, 0]
    return float(weight @ gap / weight.sum())


def _joined(parts: list[ItemParameters], names: tuple[str, ...]) -> ItemParameters:
    return ItemParameters.of(
        [part.model[0] for part in parts],
        slope=[float(part.slope[0]) for part in parts],
        thresholds=[part.thresholds[0] for part in parts],
        lower_asymptote=[float(part.lower_asymptote[0]) for part in parts],
        items=names,
        recoding=[part.recoding[0] for part in parts],
    )
