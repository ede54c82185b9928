"""From what the user asks to what is fitted: models, groups, fixed items, thin categories, identification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from scoring.errors import BadParameters, BadResponses, NotIdentified
from scoring.irt.layout import Layout, build_layout
from scoring.irt.parameters import DICHOTOMOUS, MODELS, ItemParameters, read_fixed, recode
from scoring.irt.posterior import Persons
from scoring.irt.priors import Priors
from scoring.responses import Responses, collapse_rows, read_responses

Floats = NDArray[np.float64]

RASCH_FAMILY = ("Rasch", "PCM", "RSM")


@dataclass(frozen=True, eq=False)
class Design:
    """A checked calibration: `persons` ready for E steps, `layout` of the free parameters, the model and the
    recoding of every item, and `remarks` on what was changed on the way."""

    persons: Persons
    layout: Layout
    priors: Priors
    models: tuple[str, ...]
    items: tuple[str, ...]
    fixed: Mapping[int, ItemParameters]
    recoding: tuple[tuple[int, ...], ...]
    groups: tuple[str, ...]
    n_persons: int
    total_weight: float
    remarks: tuple[str, ...]


def prepare(
    responses: ArrayLike | Responses,
    model: str | Sequence[str],
    *,
    groups: ArrayLike | None,
    fixed: ItemParameters | Mapping[int | str, Mapping[str, Any]] | None,
    priors: Priors | None,
    weights: ArrayLike | None,
    items: Sequence[str] | None,
    minimum_count: float,
    free_groups: bool,
) -> Design:
    read = (
        responses
        if isinstance(responses, Responses) and weights is None and items is None
        else read_responses(responses, weights=weights, items=items)
    )
    priors = Priors() if priors is None else priors
    if not isinstance(priors, Priors):
        raise BadParameters(
            "Priors are given as scoring.irt.Priors(slope=…, intercept=…, lower_asymptote=…)."
        )
    models = _read_models(model, read.n_items)
    anchors = read_fixed(fixed, read.items, models)
    models = tuple(anchors[j].model[0] if j in anchors else m for j, m in enumerate(models))
    if priors.lower_asymptote is None and any(m == "3PL" and j not in anchors for j, m in enumerate(models)):
        raise BadParameters(
            "A 3PL without a prior on the lower asymptote has no finite estimate in general: "
            "give one in Priors(lower_asymptote=…), or fix the asymptotes."
        )
    names, group = _read_groups(groups, read.n_persons)
    counts = _category_counts(read)
    remarks: list[str] = []
    recoding = _merge_categories(read, models, anchors, counts, minimum_count, remarks)
    codes = recode(read.codes, recoding)
    categories = np.array([max(r) + 1 for r in recoding], dtype=np.intp)
    empty = int((~(read.codes >= 0).any(axis=1)).sum())
    if empty:
        remarks.append(f"{empty} of {read.n_persons} persons met no item; they say nothing about the items.")
    weight = read.weights
    if read.n_persons > 1:
        codes, weight, group = _merge_rows(codes, categories, read, group, len(names))
    persons = Persons(codes, categories, weight, group, len(names))
    if (persons.group_weight <= 0).any():
        raise BadResponses("A group has no persons of positive weight.")
    unit_slope = any(m in RASCH_FAMILY for j, m in enumerate(models) if j not in anchors)
    free_mean = [free_groups and (g > 0 or bool(anchors)) for g in range(len(names))]
    free_variance = [free_groups and (g > 0 or bool(anchors) or unit_slope) for g in range(len(names))]
    _check_connected(persons, names, anchors, free_mean)
    layout = build_layout(models, categories, read.items, anchors, names, free_mean, free_variance)
    return Design(
        persons,
        layout,
        priors,
        models,
        read.items,
        anchors,
        recoding,
        names,
        read.n_persons,
        float(read.weights.sum()),
        tuple(remarks),
    )


def _read_models(model: str | Sequence[str], n: int) -> tuple[str, ...]:
    if not isinstance(model, (str, Sequence, np.ndarray)):
        raise BadParameters("Give the name of a model, or one name per item.")
    models = (model,) * n if isinstance(model, str) else tuple(str(m) for m in model)
    if len(models) != n:
        raise BadParameters(f"{len(models)} models for {n} items: give one name, or one per item.")
    for m in models:
        if m not in MODELS:
            raise BadParameters(f"Unknown model {m!r}; known are {', '.join(MODELS)}.")
    return models


def _read_groups(groups: ArrayLike | None, n: int) -> tuple[tuple[str, ...], NDArray[np.intp] | None]:
    if groups is None:
        return ("all",), None
    try:
        labels = np.asarray(groups)
    except ValueError:
        raise BadResponses("Group labels are single values, one per person.") from None
    if labels.shape != (n,):
        raise BadResponses(f"{labels.size} group labels for {n} persons: give one each.")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise BadResponses("A group label is missing; leave such persons out or give them a group.")
    if labels.dtype.kind == "O":
        if any(label is None or label != label for label in labels):
            raise BadResponses("A group label is missing; leave such persons out or give them a group.")
        labels = labels.astype(str)
    values, group = np.unique(labels, return_inverse=True)
    return tuple(str(v) for v in values), group.reshape(-1).astype(np.intp)


def _category_counts(read: Responses) -> list[Floats]:
    """Weighted number of responses in each category."""
    out = []
    for j, k in enumerate(read.categories):
        column = read.codes[:, j]
        seen = column >= 0
        total = np.zeros(int(k))
        np.add.at(total, column[seen].astype(np.intp), read.weights[seen])
        out.append(total)
    return out


def _merge_categories(
    read: Responses,
    models: Sequence[str],
    fixed: Mapping[int, ItemParameters],
    counts: Sequence[Floats],
    minimum: float,
    remarks: list[str],
) -> tuple[tuple[int, ...], ...]:
    """Join every category with fewer than `minimum` responses to its neighbour towards the middle."""
    out = []
    for j, name in enumerate(read.items):
        if j in fixed:
            inner = fixed[j].recoding[0]
            if read.categories[j] > len(inner):
                raise BadResponses(
                    f"Fixed item {name} has {len(inner)} categories, but a response is beyond them."
                )
            out.append(inner)
            continue
        count = counts[j]
        if count.size > 2 and models[j] in DICHOTOMOUS:
            raise BadResponses(f"Item {name} has {count.size} categories, but {models[j]} takes 0 and 1.")
        used = int((count > 0).sum())
        if used == 0:
            raise NotIdentified(f"Item {name} was administered to nobody: leave it out.")
        if used == 1:
            raise NotIdentified(
                f"All responses to item {name} are in category {int(np.flatnonzero(count)[0])}: "
                "such an item tells nothing about ability; leave it out, or fix its parameters."
            )
        levels = [[c] for c in range(count.size)]
        size = [float(v) for v in count]
        while len(levels) > 2:
            thin = [i for i, s in enumerate(size) if s <= 0 or s < minimum]
            if not thin:
                break
            i = min(thin, key=lambda place: (size[place], place))
            middle = (len(levels) - 1) / 2.0
            if i == 0:
                other = 1
            elif i == len(levels) - 1:
                other = i - 1
            else:
                other = i + 1 if i < middle or (i == middle and size[i + 1] < size[i - 1]) else i - 1
            low, high = sorted((i, other))
            levels[low : high + 1] = [levels[low] + levels[high]]
            size[low : high + 1] = [size[low] + size[high]]
        code = [0] * count.size
        for new, old in enumerate(levels):
            for c in old:
                code[c] = new
        if len(levels) < count.size:
            joined = ["+".join(str(c) for c in old) for old in levels if len(old) > 1]
            fewest = min(float(count[c]) for old in levels if len(old) > 1 for c in old)
            remarks.append(
                f"Item {name}: categories {' and '.join(joined)} were merged, because one of them has only "
                f"{fewest:g} responses (fewer than {minimum:g})."
            )
        out.append(tuple(code))
    return tuple(out)


def _merge_rows(
    codes: NDArray[np.signedinteger[Any]],
    categories: NDArray[np.intp],
    read: Responses,
    group: NDArray[np.intp] | None,
    n_groups: int,
) -> tuple[NDArray[np.signedinteger[Any]], Floats, NDArray[np.intp] | None]:
    """Merge identical rows within groups where it pays."""
    if group is not None and n_groups > 1:
        if n_groups > 127:
            return codes, read.weights, group
        table = np.concatenate([codes, group[:, None].astype(codes.dtype)], axis=1)
    else:
        table = codes
    collapsed = collapse_rows(Responses(table, categories, read.weights, read.items, read.complete))
    if collapsed is None:
        return codes, read.weights, group
    small = collapsed.responses
    if table is codes:
        return small.codes, small.weights, None
    return np.ascontiguousarray(small.codes[:, :-1]), small.weights, small.codes[:, -1].astype(np.intp)


def _check_connected(
    persons: Persons, groups: Sequence[str], fixed: Mapping[int, ItemParameters], free_mean: Sequence[bool]
) -> None:
    """Every group with a free mean must reach, through common items, a fixed item or a group without one."""
    n_groups, n_items = len(groups), persons.categories.size
    met = np.zeros((n_groups, n_items), dtype=bool)
    for g, start, stop in persons.ranges():
        met[g] |= (persons.codes[start:stop] >= 0).any(axis=0)
    who, what = np.nonzero(met)
    graph = sparse.csr_array(
        (np.ones(who.size), (who, n_groups + what)), shape=(n_groups + n_items, n_groups + n_items)
    )
    _, label = connected_components(graph, directed=False)
    anchored = {int(label[n_groups + a]) for a in fixed}
    anchored |= {int(label[i]) for i in range(n_groups) if not free_mean[i]}
    for i, name in enumerate(groups):
        if int(label[i]) not in anchored:
            raise NotIdentified(
                f"Group {name} shares no item, directly or through other groups, with "
                f"{'a fixed item' if fixed else 'the first group'}: the scales cannot be joined."
            )
