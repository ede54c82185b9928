"""Which effects a measurement design has, and which of them its data can tell apart."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters, BadResponses, NotIdentified
from scoring.scores import read_levels, read_scores

Floats = NDArray[np.float64]
Effect = frozenset[str]


@dataclass(frozen=True, eq=False)
class Design:
    """Scores in long form with the level codes of every effect (a set of facets closed under nesting).

    `sizes`: levels of each facet, of a nested one within its nest (0 where that differs). `balanced`: every cell
    of the crossing holds the same number of scores. `replicates`: that number.
    """

    score: Floats
    facets: tuple[str, ...]
    object: str
    nested: Mapping[str, tuple[str, ...]]
    effects: tuple[Effect, ...]
    codes: Mapping[Effect, NDArray[np.intp]]
    sizes: Mapping[str, int]
    balanced: bool
    replicates: int

    @property
    def residual(self) -> Effect:
        """The effect of all facets: without replication it cannot be told from error."""
        return frozenset(self.facets)

    def levels(self, effect: Effect) -> int:
        return int(self.codes[effect].max()) + 1

    def name(self, effect: Effect) -> str:
        return effect_name(effect, self.facets, self.nested)


def effect_name(effect: Effect, facets: Sequence[str], nested: Mapping[str, tuple[str, ...]]) -> str:
    """ "person", "rater:task", "person*task", "person*(rater:task)": nested facets before a colon, crossings with a star."""
    inner = {outer for facet in effect for outer in nested.get(facet, ())}
    parts = []
    for facet in facets:
        if facet in effect and facet not in inner:
            nest = "*".join(outer for outer in facets if outer in nested.get(facet, ()))
            parts.append(f"{facet}:{nest}" if nest else facet)
    if len(parts) > 1:
        parts = [f"({part})" if ":" in part else part for part in parts]
    return "*".join(parts)


def read_design(
    scores: ArrayLike,
    facets: Mapping[str, Sequence[Hashable] | NDArray[Any]] | None,
    object: str,
    nested: Mapping[str, str | Sequence[str]] | None,
) -> Design:
    """Check and code a design; see `study` for the arguments and errors."""
    if facets is None:
        table = read_scores(scores)
        rows, columns = np.nonzero(~np.isnan(table))
        score = table[rows, columns]
        labels: dict[str, Any] = {object: rows, "item": columns}
    else:
        score = np.array(scores, dtype=float)
        labels = dict(facets)
        if score.ndim != 1 or score.size == 0:
            raise BadResponses(
                f"Give one score per row with its facets; the scores have the shape {score.shape}."
            )
        for facet, column in labels.items():
            if len(column) != score.size:
                raise BadResponses(f"{len(column)} labels of {facet} for {score.size} scores: give one each.")
        keep = ~np.isnan(score)
        score = score[keep]
        labels = {
            facet: [label for label, kept in zip(list(column), keep, strict=True) if kept]
            for facet, column in labels.items()
        }
    if not np.isfinite(score).all() or score.size < 2:
        raise BadResponses("At least two finite scores are needed.")
    names = tuple(labels)
    if object not in names:
        raise BadParameters(
            f"The object of measurement, {object}, is not one of the facets {', '.join(names)}."
        )
    nest = _nesting(nested or {}, names)
    single = {facet: read_levels(column, facet)[0] for facet, column in labels.items()}
    effects = tuple(
        frozenset(chosen)
        for size in range(1, len(names) + 1)
        for chosen in combinations(names, size)
        if all(outer in chosen for facet in chosen for outer in nest.get(facet, ()))
    )
    codes = {effect: _joint([single[facet] for facet in names if facet in effect]) for effect in effects}
    sizes = {}
    for facet in names:
        own, outer = frozenset({facet, *nest.get(facet, ())}), frozenset(nest.get(facet, ()))
        if outer:
            per = np.bincount(_inside(codes[own], codes[outer]))
            sizes[facet] = int(per[0]) if (per == per[0]).all() else 0
        else:
            sizes[facet] = int(single[facet].max()) + 1
    cells = np.bincount(codes[frozenset(names)])
    full = int(np.prod([sizes[facet] for facet in names]))
    balanced = bool((cells == cells[0]).all()) and full == cells.size
    design = Design(
        score, names, object, nest, effects, codes, sizes, balanced, int(cells[0]) if balanced else 0
    )
    _refuse_confounded(design)
    return design


def _nesting(nested: Mapping[str, str | Sequence[str]], names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Every facet's nest, closed: what is nested in a nested facet is nested in that one's nest too."""
    direct = {inner: (outer,) if isinstance(outer, str) else tuple(outer) for inner, outer in nested.items()}
    for inner, outer in direct.items():
        unknown = {inner, *outer} - set(names)
        if unknown:
            raise BadParameters(f"{min(unknown)} is not one of the facets {', '.join(names)}.")
    closed = {}
    for inner in direct:
        found: set[str] = set()
        ask = list(direct[inner])
        while ask:
            facet = ask.pop()
            if facet not in found:
                found.add(facet)
                ask.extend(direct.get(facet, ()))
        if inner in found:
            raise BadParameters(f"{inner} is nested in itself: check the nesting.")
        closed[inner] = tuple(name for name in names if name in found)
    return closed


def _joint(columns: list[NDArray[np.intp]]) -> NDArray[np.intp]:
    joint = columns[0].astype(np.int64)
    for column in columns[1:]:
        joint = np.unique(joint * (int(column.max()) + 1) + column, return_inverse=True)[1].reshape(-1)
    return np.unique(joint, return_inverse=True)[1].reshape(-1).astype(np.intp)


def _inside(inner: NDArray[np.intp], outer: NDArray[np.intp]) -> NDArray[np.intp]:
    """The outer level of each inner level."""
    at = np.zeros(int(inner.max()) + 1, dtype=np.intp)
    at[inner] = outer
    return at


def _refuse_confounded(design: Design) -> None:
    n = design.score.size
    seen: dict[bytes, Effect] = {}
    for effect in design.effects:
        codes = design.codes[effect]
        levels = design.levels(effect)
        if effect != design.residual and levels == n:
            raise NotIdentified(
                f"Every score has its own level of {design.name(effect)}, so it cannot be told from error: "
                f"leave a facet out, or measure some again."
            )
        if levels < 2 and effect != design.residual:
            raise NotIdentified(f"{design.name(effect)} has one level: leave the facet out.")
        first = np.full(levels, -1)
        order = np.unique(codes, return_index=True)[1]
        first[codes[order]] = order
        key = first[codes].tobytes()
        if key in seen:
            raise NotIdentified(
                f"{design.name(seen[key])} and {design.name(effect)} divide the scores in the same way, so their "
                f"variances cannot be told apart: leave one facet out or declare it nested."
            )
        seen[key] = effect
