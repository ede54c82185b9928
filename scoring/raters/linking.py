"""Which markers can be compared: connected subsets of a marking design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.errors import BadResponses
from scoring.scores import read_levels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinkedSubset:
    """Raters whose severities can be compared with each other, and the persons they rated."""

    raters: tuple[str, ...]
    persons: tuple[str, ...]


@dataclass(frozen=True)
class Linking:
    """`subsets` of raters and `criteria` classes; `connected` when there is one of each."""

    connected: bool
    subsets: tuple[LinkedSubset, ...]
    criteria: tuple[tuple[str, ...], ...]

    def explain(self) -> str:
        """One sentence that names the subsets; "" when connected."""
        if self.connected:
            return ""
        if len(self.subsets) > 1:
            shown = [_some(subset.raters) for subset in self.subsets[:6]]
            more = f" and {len(self.subsets) - 6} more" if len(self.subsets) > 6 else ""
            return (
                f"The design falls into {len(self.subsets)} subsets of raters that cannot be compared: "
                f"{'; '.join(shown)}{more}. Let raters of different subsets rate some of the same scripts on the same criteria."
            )
        return (
            f"The criteria fall into {len(self.criteria)} classes that cannot be compared: "
            f"{'; '.join(_some(names) for names in self.criteria[:6])}. Let some raters use criteria of both."
        )


def _some(names: Sequence[str]) -> str:
    return "{" + ", ".join(names[:5]) + (f", … {len(names)} in all" if len(names) > 5 else "") + "}"


def linked_subsets(
    person: Sequence[Any], rater: Sequence[Any], criterion: Sequence[Any] | None = None
) -> Linking:
    """Labels in long form, one per rating. Two raters are linked when the difference of their severities is estimable in
    the additive model person + criterion + rater, which sharing persons alone does not ensure (raters of different
    criteria). Exact: from the null space of the normal equations with persons swept out.

    Raises BadResponses. Source: Eccleston & Hedayat (1974), Annals of Statistics 2, 1238–1255.
    """
    p, persons = read_levels(person, "person")
    r, raters = read_levels(rater, "rater")
    c, criteria = read_levels(criterion if criterion is not None else ["1"] * len(p), "criterion")
    if not p.size == r.size == c.size:
        raise BadResponses(
            f"{p.size} persons, {r.size} raters and {c.size} criteria: give one of each per rating."
        )
    columns = len(criteria) + len(raters)
    counts = np.zeros((len(persons), columns))
    np.add.at(counts, (p, c), 1.0)
    np.add.at(counts, (p, len(criteria) + r), 1.0)
    cross = np.zeros((columns, columns))
    for a in (c, len(criteria) + r):
        for b in (c, len(criteria) + r):
            np.add.at(cross, (a, b), 1.0)
    size = np.bincount(p).astype(float)
    matrix = cross - counts.T @ (counts / size[:, None])
    values, vectors = np.linalg.eigh(matrix)
    null = vectors[:, values < 1e-9 * max(1.0, float(values[-1]))]
    criterion_class = _classes(null[: len(criteria)])
    rater_class = _classes(null[len(criteria) :])
    subsets = tuple(
        LinkedSubset(
            tuple(raters[i] for i in np.flatnonzero(rater_class == label)),
            tuple(persons[i] for i in np.unique(p[rater_class[r] == label])),
        )
        for label in range(int(rater_class.max()) + 1)
    )
    classes = tuple(
        tuple(criteria[i] for i in np.flatnonzero(criterion_class == label))
        for label in range(int(criterion_class.max()) + 1)
    )
    return Linking(len(subsets) == 1 and len(classes) == 1, subsets, classes)


def _classes(rows: Floats) -> NDArray[np.intp]:
    """Rows that are equal get the same label, labels in order of appearance."""
    labels = np.full(rows.shape[0], -1, dtype=np.intp)
    found = 0
    for i in range(rows.shape[0]):
        if labels[i] < 0:
            same = (np.abs(rows - rows[i]) < 1e-6).all(axis=1) & (labels < 0)
            labels[same] = found
            found += 1
    return labels
