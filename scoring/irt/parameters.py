"""Item parameters: the one description of calibrated items that every function of `scoring.irt` takes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters, BadResponses
from scoring.irt.kernels import GRADED, PARTIAL_CREDIT, THREE_PARAMETER, Block
from scoring.numbers import read_numbers
from scoring.responses import NOT_ADMINISTERED, Responses, read_responses

Floats = NDArray[np.float64]

DICHOTOMOUS = ("Rasch", "1PL", "2PL", "3PL")
POLYTOMOUS = ("GRM", "GPCM", "PCM", "RSM")
MODELS = DICHOTOMOUS + POLYTOMOUS

# Rasch, 1PL and 2PL are the partial credit kernel with two categories.
KERNEL = {
    **dict.fromkeys(("Rasch", "1PL", "2PL", "GPCM", "PCM", "RSM"), PARTIAL_CREDIT),
    "GRM": GRADED,
    "3PL": THREE_PARAMETER,
}


@dataclass(frozen=True, eq=False)
class ItemParameters:
    """Parameters of `n` items on the logistic scale, D = 1.

    `model`: one of Rasch, 1PL, 2PL, 3PL, GRM, GPCM, PCM, RSM per item.
    `slope` a, `difficulty` b (polytomous items: the mean of their thresholds), `lower_asymptote` c: (n,).
    `thresholds`: per item an array of K−1 values on the ability scale: GRM boundaries
    P(X ≥ k) = 1/(1+exp(−a(θ−b_k))); GPCM, PCM, RSM steps P(X = k) ∝ exp Σ_{h≤k} a(θ−b_h); one value, b,
    for dichotomous items, whose P = c + (1−c)/(1+exp(−a(θ−b))).
    `recoding`: per item the model's category of each response category; (0, 1, 2, 2) where two were merged.
    Build with `ItemParameters.of`, which checks.
    """

    model: tuple[str, ...]
    slope: Floats
    difficulty: Floats
    thresholds: tuple[Floats, ...]
    lower_asymptote: Floats
    items: tuple[str, ...]
    recoding: tuple[tuple[int, ...], ...] = field(repr=False)

    @classmethod
    def of(
        cls,
        model: str | Sequence[str],
        *,
        slope: ArrayLike = 1.0,
        difficulty: ArrayLike | None = None,
        thresholds: Iterable[ArrayLike] | None = None,
        lower_asymptote: ArrayLike = 0.0,
        items: Sequence[str] | None = None,
        recoding: Sequence[Sequence[int]] | None = None,
    ) -> ItemParameters:
        """Check and complete: dichotomous items need `difficulty` (n,), polytomous ones `thresholds`.

        Raises BadParameters: unknown model, lengths that differ, a value that is not finite, an asymptote
        outside [0, 1) or on another model than 3PL, GRM thresholds that do not increase (decrease where
        the slope is negative), a slope other than 1 where the model fixes it.
        """
        if thresholds is None:
            if difficulty is None:
                raise BadParameters("Give the difficulties, or the thresholds of polytomous items.")
            thresholds = [[b] for b in _numbers(difficulty, "difficulties")]
        steps = tuple(_numbers(t, "thresholds") for t in thresholds)
        n = len(steps)
        if n == 0:
            raise BadParameters("There are no items.")
        models = (model,) * n if isinstance(model, str) else tuple(model)
        a = _numbers(slope, "slope")
        c = _numbers(lower_asymptote, "lower asymptote")
        c = np.broadcast_to(c, (n,)) if c.size == 1 else c
        names = tuple(str(j + 1) for j in range(n)) if items is None else tuple(str(name) for name in items)
        if a.size == 1:
            a = np.broadcast_to(a, (n,))
        if not len(models) == a.size == c.size == len(names) == n:
            raise BadParameters(f"Model, slope, thresholds, asymptote and names must each have {n} entries.")
        codes = (
            tuple(tuple(range(t.size + 1)) for t in steps)
            if recoding is None
            else tuple(tuple(int(v) for v in row) for row in recoding)
        )
        if len(codes) != n:
            raise BadParameters(f"{len(codes)} recodings for {n} items.")
        for j, name in enumerate(names):
            _check_item(name, models[j], float(a[j]), steps[j], float(c[j]), codes[j])
        location = np.array([t.mean() for t in steps])
        return cls(
            models, _frozen(a), _frozen(location), tuple(map(_frozen, steps)), _frozen(c), names, codes
        )

    @property
    def n_items(self) -> int:
        return len(self.model)

    @property
    def categories(self) -> NDArray[np.intp]:
        """Number of categories of each item in the model (after recoding)."""
        return np.array([t.size + 1 for t in self.thresholds], dtype=np.intp)

    @property
    def intercepts(self) -> tuple[Floats, ...]:
        """Per item the K−1 intercepts d: aθ + d_k (dichotomous, GRM), kaθ + d_k (partial credit kernels)."""
        return tuple(
            -self.slope[j] * (np.cumsum(t) if KERNEL[self.model[j]] == PARTIAL_CREDIT else t)
            for j, t in enumerate(self.thresholds)
        )

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The items gathered by kernel and number of categories, for vectorised work."""
        kinds: dict[tuple[str, int], list[int]] = {}
        for j, t in enumerate(self.thresholds):
            kinds.setdefault((KERNEL[self.model[j]], t.size + 1), []).append(j)
        d = self.intercepts
        return tuple(
            Block(
                kind,
                k,
                np.array(index, dtype=np.intp),
                self.slope[index],
                np.array([d[j] for j in index]),
                self.lower_asymptote[index],
            )
            for (kind, k), index in kinds.items()
        )

    def select(self, items: Iterable[int | str]) -> ItemParameters:
        """The named or numbered (from 0) items, in the order given. Raises BadParameters for an unknown one."""
        index = [self.position(item) for item in items]
        return ItemParameters.of(
            [self.model[j] for j in index],
            slope=self.slope[index],
            thresholds=[self.thresholds[j] for j in index],
            lower_asymptote=self.lower_asymptote[index],
            items=[self.items[j] for j in index],
            recoding=[self.recoding[j] for j in index],
        )

    def position(self, item: int | str) -> int:
        if isinstance(item, str):
            if item not in self.items:
                raise BadParameters(f"There is no item {item}.")
            return self.items.index(item)
        if not 0 <= item < self.n_items:
            raise BadParameters(f"There is no item number {item}: they run from 0 to {self.n_items - 1}.")
        return int(item)

    def rescaled(self, slope: float, intercept: float) -> ItemParameters:
        """The same items on the scale θ* = slope·θ + intercept: a/slope, slope·b + intercept.

        Rasch, PCM and RSM items keep their model name only while slope = 1; otherwise they become 1PL
        (dichotomous) or GPCM.
        """
        if not (np.isfinite(slope) and np.isfinite(intercept) and slope != 0):
            raise BadParameters("A linear transformation needs a finite slope that is not zero.")
        same = slope == 1.0
        renamed = {"Rasch": "1PL", "PCM": "GPCM", "RSM": "GPCM"}
        return ItemParameters.of(
            [m if same else renamed.get(m, m) for m in self.model],
            slope=self.slope / slope,
            thresholds=[slope * t + intercept for t in self.thresholds],
            lower_asymptote=self.lower_asymptote,
            items=self.items,
            recoding=self.recoding,
        )

    def read(self, responses: ArrayLike | Responses, *, weights: ArrayLike | None = None) -> Responses:
        """Pass responses to these items through the gate and recode merged categories.

        One row may be given as a one-dimensional array. Raises BadResponses where the number of columns or
        a category does not fit.
        """
        if isinstance(responses, Responses):
            read = responses
        else:
            read = read_responses(responses, weights=weights, single_row=True)
        if read.n_items != self.n_items:
            raise BadResponses(f"{read.n_items} columns of responses for {self.n_items} items.")
        given = np.array([len(codes) for codes in self.recoding])
        highest = read.codes.max(axis=0)
        if (highest >= given).any():
            j = int(np.flatnonzero(highest >= given)[0])
            raise BadResponses(
                f"Item {self.items[j]} was calibrated with categories 0 to {given[j] - 1}, but a response is "
                f"{highest[j]}."
            )
        codes = recode(read.codes, self.recoding)
        return Responses(codes, self.categories, read.weights, self.items, read.complete)

    @cached_property
    def _tables(self) -> dict[Any, Any]:
        return {}

    def tabulated(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """A table derived from these parameters, made once; the oldest goes when there are 64."""
        if key not in self._tables:
            while len(self._tables) >= 64:
                self._tables.pop(next(iter(self._tables)), None)
            self._tables[key] = make()
        return self._tables[key]


def recode(
    codes: NDArray[np.signedinteger[Any]], recoding: Sequence[Sequence[int]]
) -> NDArray[np.signedinteger[Any]]:
    """Apply a recoding of categories per item; the same array where nothing changes."""
    changed = [j for j, new in enumerate(recoding) if tuple(new) != tuple(range(len(new)))]
    if not changed:
        return codes
    out = codes.copy()
    for j in changed:
        table = np.array([*recoding[j], NOT_ADMINISTERED], dtype=codes.dtype)
        out[:, j] = table[codes[:, j]]
    out.setflags(write=False)
    return out


def as_items(items: Any) -> ItemParameters:
    """ItemParameters, or anything that carries them as `.items` (a Calibration)."""
    inner = getattr(items, "items", None)
    if isinstance(items, ItemParameters):
        return items
    if isinstance(inner, ItemParameters):
        return inner
    raise BadParameters("Give ItemParameters or a Calibration.")


def read_fixed(
    fixed: ItemParameters | Mapping[int | str, Mapping[str, Any]] | None,
    names: Sequence[str],
    models: Sequence[str],
) -> dict[int, ItemParameters]:
    """Fixed items by column: each a one-item ItemParameters. Columns are matched by name or number from 0."""
    if fixed is None:
        return {}
    out: dict[int, ItemParameters] = {}
    if isinstance(fixed, ItemParameters):
        for name in fixed.items:
            if name not in names:
                raise BadParameters(
                    f"Fixed item {name} is not among the columns; name the columns with items=."
                )
            out[list(names).index(name)] = fixed.select([name])
        return out
    if not isinstance(fixed, Mapping) or not all(isinstance(values, Mapping) for values in fixed.values()):
        raise BadParameters(
            "Fixed items are ItemParameters, or a mapping from column or name to a mapping of their parameters."
        )
    for key, values in fixed.items():
        if isinstance(key, str):
            if key not in names:
                raise BadParameters(
                    f"Fixed item {key} is not among the columns; name the columns with items=."
                )
            column = list(names).index(key)
        else:
            column = int(key)
            if not 0 <= column < len(names):
                raise BadParameters(f"Fixed column {column} does not exist: they run from 0.")
        known = {"slope", "difficulty", "thresholds", "lower_asymptote", "model"}
        if set(values) - known:
            raise BadParameters(f"Fixed item {key}: unknown parameter {sorted(set(values) - known)[0]}.")
        steps = values.get("thresholds", values.get("difficulty"))
        if steps is None:
            raise BadParameters(f"Fixed item {key} needs its difficulty or its thresholds.")
        out[column] = ItemParameters.of(
            str(values.get("model", models[column])),
            slope=values.get("slope", 1.0),
            thresholds=[_numbers(steps, f"thresholds of fixed item {key}")],
            lower_asymptote=values.get("lower_asymptote", 0.0),
            items=[names[column]],
        )
    return out


def _check_item(name: str, model: str, a: float, b: Floats, c: float, recoding: tuple[int, ...]) -> None:
    if model not in MODELS:
        raise BadParameters(f"Item {name}: unknown model {model!r}; known are {', '.join(MODELS)}.")
    if model in DICHOTOMOUS and b.size != 1:
        raise BadParameters(f"Item {name}: {model} takes one difficulty, not {b.size}.")
    if b.size == 0:
        raise BadParameters(f"Item {name} has one category only: nothing can be learnt from it.")
    if not 0.0 <= c < 1.0 or (c > 0.0 and model != "3PL"):
        raise BadParameters(f"Item {name}: lower asymptote {c:g} (only 3PL has one, from 0 up to below 1).")
    if model in ("Rasch", "PCM", "RSM") and a != 1.0:
        raise BadParameters(f"Item {name}: {model} has slope 1, not {a:g}; use 1PL or GPCM.")
    if model == "GRM" and b.size > 1 and not (np.diff(-a * b) < 0).all():
        raise BadParameters(f"Item {name}: GRM thresholds must increase.")
    if sorted(set(recoding)) != list(range(b.size + 1)) or list(recoding) != sorted(recoding):
        raise BadParameters(f"Item {name}: the recoding does not lead to categories 0 to {b.size} in order.")


def _numbers(values: ArrayLike, what: str) -> Floats:
    out = np.atleast_1d(read_numbers(values, f"The {what} must be numbers.", BadParameters))
    if out.ndim != 1 or not np.isfinite(out).all():
        raise BadParameters(f"The {what} must be finite numbers, one per item.")
    return out


def _frozen(values: NDArray[Any]) -> Floats:
    out = np.array(values, dtype=np.float64)
    out.setflags(write=False)
    return out
