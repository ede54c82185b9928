"""The E step: posterior distributions over a grid of ability values, by matrix products in blocks of persons.

With 0/1 indicators Z (persons × columns, one column per item and category) the log-likelihood of every
person at every node is one product with the log-probabilities, and the expected counts of every category at
every node are one product of the posteriors with Z. A response that was not administered has no indicator,
so missing data need no special case; an item that everybody answered needs one column less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.irt.kernels import Block, log_probabilities

Floats = NDArray[np.float64]

_BLOCK = 4096
_KEEP_BYTES = 24 * 2**20


@dataclass(frozen=True, eq=False)
class Columns:
    """Indicator columns: `item` and `category` of each; `whole`: items without missing responses, whose
    category 0 has no column. `place[j]`: where item j's columns start."""

    item: NDArray[np.intp]
    category: NDArray[np.signedinteger[Any]]
    whole: NDArray[np.bool_]
    place: NDArray[np.intp]

    @classmethod
    def of(cls, categories: NDArray[np.intp], whole: NDArray[np.bool_]) -> Columns:
        first = np.where(whole, 1, 0)
        size = categories - first
        item = np.repeat(np.arange(categories.size), size)
        place = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.intp)
        category = np.arange(item.size) - place[item] + first[item]
        return cls(item, category.astype(np.int16), whole, place)

    @property
    def size(self) -> int:
        return int(self.item.size)

    def at(self, index: NDArray[np.intp], category: int) -> NDArray[np.intp]:
        """Columns of that category for the items `index` (not for category 0 of whole items)."""
        return self.place[index] + category - self.whole[index]


@dataclass(frozen=True, eq=False)
class Weighting:
    """What the grid contributes: `coefficient` (Q, columns), `constant` (Q,) from whole items' category 0."""

    coefficient: Floats
    constant: Floats


@dataclass(frozen=True, eq=False)
class Expectation:
    """`log_likelihood`; expected indicator counts (Q, columns), expected persons at each node (G, Q)."""

    log_likelihood: float
    counts: Floats
    persons: Floats


class Persons:
    """Response codes arranged for E steps: rows sorted by group, indicators kept where they are small."""

    def __init__(
        self,
        codes: NDArray[np.signedinteger[Any]],
        categories: NDArray[np.intp],
        weights: Floats,
        group: NDArray[np.intp] | None = None,
        n_groups: int = 1,
        *,
        keep: bool = True,
    ) -> None:
        if group is not None and n_groups > 1:
            self.order: NDArray[np.intp] | None = np.argsort(group, kind="stable")
            codes, weights, group = codes[self.order], weights[self.order], group[self.order]
            edges = np.searchsorted(group, np.arange(n_groups + 1))
        else:
            self.order = None
            edges = np.array([0, codes.shape[0]])
        self.codes = codes
        self.weights = weights
        self.categories = categories
        self.edges = edges
        self.n_groups = n_groups
        self.group_weight = np.array([weights[a:b].sum() for a, b in pairwise(edges)])
        self.columns = Columns.of(categories, np.asarray((codes >= 0).all(axis=0)))
        # Two categories and nobody missing: the codes are the indicators.
        self._plain = bool(self.columns.whole.all() and (categories == 2).all())
        small = codes.shape[0] * self.columns.size * 8 <= _KEEP_BYTES
        self._kept: dict[int, Floats] | None = {} if keep and small else None
        self._administered: NDArray[np.float64] | None = None

    @property
    def n_persons(self) -> int:
        return int(self.codes.shape[0])

    def administered(self) -> Floats:
        """Weighted proportion of persons that met each item."""
        if self._administered is None:
            total = np.zeros(self.codes.shape[1])
            for start in range(0, self.n_persons, _BLOCK):
                rows = slice(start, start + _BLOCK)
                total += self.weights[rows] @ (self.codes[rows] >= 0)
            self._administered = total / self.weights.sum()
        return self._administered

    def category_counts(self) -> list[Floats]:
        """Weighted number of responses in each category, per item."""
        out = [np.zeros(k) for k in self.categories]
        for start in range(0, self.n_persons, _BLOCK):
            rows = slice(start, start + _BLOCK)
            for j, k in enumerate(self.categories):
                column = self.codes[rows, j]
                seen = column >= 0
                out[j] += np.bincount(column[seen], weights=self.weights[rows][seen], minlength=int(k))[:k]
        return out

    def sample(self, size: int) -> Persons:
        """About `size` persons at equal steps through each group, with their weights."""
        step = max(1, self.n_persons // size)
        rows = np.concatenate([np.arange(a, b, step) for a, b in pairwise(self.edges)])
        group = np.searchsorted(self.edges, rows, side="right") - 1
        return Persons(self.codes[rows], self.categories, self.weights[rows], group, self.n_groups)

    def weighting(self, blocks: Sequence[Block], theta: Floats) -> Weighting:
        coefficient = np.empty((theta.size, self.columns.size))
        constant = np.zeros(theta.size)
        for block in blocks:
            log_p = log_probabilities(block, theta)
            whole = self.columns.whole[block.index]
            constant += log_p[whole, :, 0].sum(axis=0)
            if not whole.all():
                coefficient[:, self.columns.at(block.index[~whole], 0)] = log_p[~whole, :, 0].T
            base = np.where(whole[:, None], log_p[..., 0], 0.0)
            for c in range(1, block.n_categories):
                coefficient[:, self.columns.at(block.index, c)] = (log_p[..., c] - base).T
        return Weighting(coefficient, constant)

    def indicators(self, start: int, stop: int) -> Floats:
        """Z of the persons start … stop−1: (persons, columns)."""
        if self._kept is not None and start in self._kept and self._kept[start].shape[0] == stop - start:
            return self._kept[start]
        rows = self.codes[start:stop]
        if self._plain:
            z = rows.astype(np.float64)
        else:
            z = (rows[:, self.columns.item] == self.columns.category).astype(np.float64)
        if self._kept is not None:
            self._kept[start] = z
        return z

    def ranges(self) -> Iterator[tuple[int, int, int]]:
        """(group, start, stop) of the blocks of persons."""
        for g in range(self.n_groups):
            for start in range(int(self.edges[g]), int(self.edges[g + 1]), _BLOCK):
                yield g, start, min(start + _BLOCK, int(self.edges[g + 1]))

    def posteriors(
        self, weighting: Weighting, log_prior: Floats
    ) -> Iterator[tuple[int, int, int, Floats, Floats, Floats]]:
        """(group, start, stop, Z, posterior (Q, persons), log-likelihood (persons,)) block by block.

        Unweighted; `log_prior` is (G, Q), normalised. The posterior array may be changed by the caller.
        """
        for g, start, stop in self.ranges():
            z = self.indicators(start, stop)
            post = weighting.coefficient @ z.T
            post += (weighting.constant + log_prior[g])[:, None]
            top = post.max(axis=0)
            post -= top
            np.exp(post, out=post)
            total = post.sum(axis=0)
            post /= total
            yield g, start, stop, z, post, top + np.log(total)

    def expect(self, weighting: Weighting, log_prior: Floats) -> Expectation:
        counts = np.zeros_like(weighting.coefficient)
        persons = np.zeros_like(log_prior)
        log_likelihood = 0.0
        for g, start, stop, z, post, log_l in self.posteriors(weighting, log_prior):
            weights = self.weights[start:stop]
            post *= weights
            counts += post @ z
            persons[g] += post.sum(axis=1)
            log_likelihood += float(weights @ log_l)
        return Expectation(log_likelihood, counts, persons)

    def category_expectations(self, blocks: Sequence[Block], expectation: Expectation) -> list[Floats]:
        """Expected counts by block: (m, Q, K), category 0 of whole items from the persons at each node."""
        everybody = expectation.persons.sum(axis=0)
        out = []
        for block in blocks:
            whole = self.columns.whole[block.index]
            counts = np.empty((block.index.size, everybody.size, block.n_categories))
            for c in range(1, block.n_categories):
                counts[..., c] = expectation.counts[:, self.columns.at(block.index, c)].T
            if whole.any():
                rest = everybody - counts[whole, :, 1:].sum(axis=2)
                counts[whole, :, 0] = np.maximum(rest, 0.0)
            if not whole.all():
                counts[~whole, :, 0] = expectation.counts[:, self.columns.at(block.index[~whole], 0)].T
            out.append(counts)
        return out


def log_normal_prior(theta: Floats, mean: Floats, sd: Floats) -> Floats:
    """Log weights of normal densities at the nodes, normalised over the grid: (G, Q)."""
    z = (theta - mean[:, None]) / sd[:, None]
    log_w = -0.5 * z * z
    log_w -= log_w.max(axis=1, keepdims=True)
    return np.asarray(log_w - np.log(np.exp(log_w).sum(axis=1, keepdims=True)))
