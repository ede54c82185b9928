"""Which numbers are free: from models, fixed items and groups to one vector of parameters and back.

Every item has its own full set (slope, intercepts, logit of the asymptote); these are a linear function of
the free parameters, full = offset + design · free. A fixed item is a constant, a common slope (1PL) one
column with many ones, a rating scale (RSM) a few common steps and one shift per item. After the items come
the free group means and log standard deviations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, logit

from scoring.irt.kernels import THREE_PARAMETER, Block, n_parameters
from scoring.irt.parameters import KERNEL, ItemParameters

Floats = NDArray[np.float64]

# Beyond these the likelihood is flat to the last digit: estimates are stopped here and flagged.
LARGEST_SLOPE = 20.0
LARGEST_INTERCEPT = 60.0
LARGEST_LOGIT = 12.0
SMALLEST_LOG_SD = float(np.log(0.02))
LARGEST_LOG_SD = float(np.log(20.0))


@dataclass(frozen=True, eq=False)
class Kind:
    """One kernel with one number of categories: its columns and where its full parameters start."""

    kernel: str
    n_categories: int
    index: NDArray[np.intp]
    start: int

    @property
    def width(self) -> int:
        return n_parameters(self.kernel, self.n_categories)

    @property
    def stop(self) -> int:
        return self.start + self.index.size * self.width


@dataclass(frozen=True, eq=False)
class Layout:
    """The map between free parameters and everything else. `role` names what each free parameter is:
    slope, intercept, asymptote (logit), step, shift, mean or log_sd; `item` its column, −1 where shared."""

    kinds: tuple[Kind, ...]
    offset: Floats
    design: sparse.csr_array
    names: tuple[str, ...]
    role: NDArray[np.str_]
    item: NDArray[np.intp]
    tied: bool
    group_mean: NDArray[np.intp]
    group_log_sd: NDArray[np.intp]
    lower: Floats
    upper: Floats

    @property
    def n_free(self) -> int:
        return len(self.names)

    @property
    def n_item_parameters(self) -> int:
        return int(self.design.shape[1])

    @property
    def n_groups(self) -> int:
        return int(self.group_mean.size)

    def full(self, free: Floats) -> Floats:
        """All items' parameters, kind after kind, item after item."""
        return np.asarray(self.offset + self.design @ free[: self.n_item_parameters])

    def blocks(self, free: Floats) -> tuple[Block, ...]:
        full = self.full(free)
        out = []
        for kind in self.kinds:
            table = full[kind.start : kind.stop].reshape(kind.index.size, kind.width)
            three = kind.kernel == THREE_PARAMETER
            asymptote = expit(table[:, 2]) if three else np.zeros(kind.index.size)
            intercept = table[:, 1:2] if three else table[:, 1:]
            out.append(Block(kind.kernel, kind.n_categories, kind.index, table[:, 0], intercept, asymptote))
        return tuple(out)

    def groups(self, free: Floats) -> tuple[Floats, Floats]:
        """Means and standard deviations of the groups."""
        mean = np.where(self.group_mean >= 0, free[self.group_mean], 0.0)
        log_sd = np.where(self.group_log_sd >= 0, free[self.group_log_sd], 0.0)
        return mean, np.exp(log_sd)


def build_layout(
    models: Sequence[str],
    categories: NDArray[np.intp],
    items: Sequence[str],
    fixed: Mapping[int, ItemParameters],
    groups: Sequence[str],
    free_mean: Sequence[bool],
    free_variance: Sequence[bool],
) -> Layout:
    """Lay out the free parameters. Order: items as in the data, then group means, then log SDs."""
    n = len(models)
    gathered: dict[tuple[str, int], list[int]] = {}
    for j in range(n):
        gathered.setdefault((KERNEL[models[j]], int(categories[j])), []).append(j)
    kinds, start = [], 0
    where: dict[int, int] = {}
    for (kernel, k), index in gathered.items():
        kind = Kind(kernel, k, np.array(index, dtype=np.intp), start)
        for place, j in enumerate(index):
            where[j] = start + place * kind.width
        start = kind.stop
        kinds.append(kind)
    offset = np.zeros(start)
    names: list[str] = []
    role: list[str] = []
    owner: list[int] = []
    entries: list[tuple[int, int, float]] = []
    shared: dict[Any, int] = {}

    def new(name: str, kind_of: str, column: int) -> int:
        names.append(name)
        role.append(kind_of)
        owner.append(column)
        return len(names) - 1

    for j in range(n):
        row, k, name = where[j], int(categories[j]), items[j]
        if j in fixed:
            given = fixed[j]
            offset[row] = given.slope[0]
            offset[row + 1 : row + k] = given.intercepts[0]
            if KERNEL[models[j]] == THREE_PARAMETER:
                with np.errstate(divide="ignore"):
                    offset[row + 2] = logit(given.lower_asymptote[0])
            continue
        model = models[j]
        if model in ("Rasch", "PCM", "RSM"):
            offset[row] = 1.0
        elif model == "1PL":
            if "slope" not in shared:
                shared["slope"] = new("slope", "slope", -1)
            entries.append((row, shared["slope"], 1.0))
        else:
            entries.append((row, new(f"{name}.slope", "slope", j), 1.0))
        if model == "RSM":
            first = ("steps", k) not in shared
            if first:
                shared["steps", k] = len(names)
                for h in range(1, k):
                    new(f"step {h} of {k - 1}", "step", -1)
            base = shared["steps", k]
            shift = -1 if first else new(f"{name}.shift", "shift", j)
            for c in range(1, k):
                entries.extend((row + c, base + h, -1.0) for h in range(c))
                if shift >= 0:
                    entries.append((row + c, shift, float(c)))
        else:
            for c in range(1, k):
                label = "intercept" if k == 2 else f"intercept {c}"
                entries.append((row + c, new(f"{name}.{label}", "intercept", j), 1.0))
        if KERNEL[model] == THREE_PARAMETER:
            entries.append((row + 2, new(f"{name}.logit asymptote", "asymptote", j), 1.0))
    n_item = len(names)
    mean = np.full(len(groups), -1, dtype=np.intp)
    log_sd = np.full(len(groups), -1, dtype=np.intp)
    for g, free in enumerate(free_mean):
        if free:
            mean[g] = new(f"{groups[g]}.mean", "mean", -1)
    for g, free in enumerate(free_variance):
        if free:
            log_sd[g] = new(f"{groups[g]}.log SD", "log_sd", -1)
    rows, columns, values = ([e[i] for e in entries] for i in range(3))
    design = sparse.csr_array((values, (rows, columns)), shape=(start, n_item))
    bound = {
        "slope": LARGEST_SLOPE,
        "intercept": LARGEST_INTERCEPT,
        "step": LARGEST_INTERCEPT,
        "shift": LARGEST_INTERCEPT,
        "asymptote": LARGEST_LOGIT,
        "mean": LARGEST_INTERCEPT,
        "log_sd": LARGEST_LOG_SD,
    }
    upper = np.array([bound[r] for r in role])
    lower = np.array([SMALLEST_LOG_SD if r == "log_sd" else -bound[r] for r in role])
    tied = any(j not in fixed and models[j] in ("1PL", "RSM") for j in range(n))
    return Layout(
        tuple(kinds),
        offset,
        design,
        tuple(names),
        np.array(role),
        np.array(owner, dtype=np.intp),
        tied,
        mean,
        log_sd,
        lower,
        upper,
    )
