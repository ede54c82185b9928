"""The distribution of candidates' true scores given their scores and errors: a mixture of normals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats
from scipy.stats import qmc

Floats = NDArray[np.float64]
_SPREADS, _SCALES = (
    64,
    16,
)  # cells of equal prior probability for the spread of candidates and the size of the error
_FEWEST_CELLS, _WORK = 32, 400_000_000


@dataclass(frozen=True, eq=False)
class TrueScores:
    """Cells of the mixture (rows), each normal in the eigenbasis `axes` of the errors (None: the candidates themselves).

    Given a cell, coordinate k of the true scores is `centre` + `slope` u + noise of variance `variance`, where u, the
    deviation of the unknown field mean, has variance `mean_variance`. `chance` of the cells sums to 1. `base`: a constant
    added to all. `signal`: mean share of true variance.
    """

    chance: Floats
    centre: Floats
    variance: Floats
    slope: Floats
    mean_variance: Floats
    axes: Floats | None
    base: float
    signal: float

    def mean(self) -> Floats:
        """Posterior means of the candidates' true scores."""
        centre = self.chance @ self.centre
        return np.asarray(self.base + (centre if self.axes is None else self.axes @ centre))

    def draw(self, draws: int, seed: int) -> Floats:
        """draws × candidates. Cells get draws in proportion; within them a Sobol sequence shifted by the seed.

        Equal scores without error come out in random order: a tie has no winner.
        """
        n = self.centre.shape[1]
        cumulative = np.cumsum(self.chance)
        cell = np.searchsorted(cumulative, (np.arange(draws) + 0.5) / draws * cumulative[-1])
        z = _normals(draws, n + 1, seed)
        true = np.sqrt(self.variance)[cell] * z[:, :n]
        true += self.centre[cell]
        true += self.slope[cell] * (np.sqrt(self.mean_variance[cell]) * z[:, n])[:, None]
        if self.axes is not None:
            true = true @ self.axes.T
        size = max(1.0, abs(self.base), float(np.abs(self.centre).max()))
        return np.asarray(true + self.base + 1e-9 * size * z[:, :n])

    def beats(self) -> Floats:
        """n × n: probability that the row's true score is above the column's; exact within each cell.

        Many cells are thinned to equally likely representatives where candidates are many.
        """
        n = self.centre.shape[1]
        cost = n**2 if self.axes is None else n**3
        most = max(_FEWEST_CELLS, _WORK // cost)
        cells, chance = np.arange(self.chance.size), self.chance
        if cells.size > most:
            cumulative = np.cumsum(chance)
            cells = np.searchsorted(cumulative, (np.arange(most) + 0.5) / most * cumulative[-1])
            chance = np.full(self.chance.size, 1 / most)
        out = np.zeros((n, n))
        for c in cells:
            if chance[c] < 1e-9:
                continue
            mean, slope = self.centre[c], self.slope[c]
            if self.axes is None:
                spread = self.variance[c][:, None] + self.variance[c]
            else:
                mean, slope = self.axes @ mean, self.axes @ slope
                covariance = (self.axes * self.variance[c]) @ self.axes.T
                own = np.diag(covariance)
                spread = own[:, None] + own - 2 * covariance
            spread = spread + self.mean_variance[c] * (slope[:, None] - slope) ** 2
            distance = mean[:, None] - mean
            tiny = 1e-20 * max(1.0, float(np.abs(distance).max())) ** 2
            z = np.where(
                spread > tiny,
                distance / np.sqrt(np.maximum(spread, tiny)),
                np.where(np.abs(distance) > 1e-9, np.sign(distance) * 40.0, 0.0),
            )
            out += chance[c] * special.ndtr(z)
        np.fill_diagonal(out, 0.5)
        return out


def true_scores(score: Floats, error: Floats, df: float, population: bool) -> TrueScores:
    """`error`: n × n covariance of the errors of `score`, known up to a factor df / chi-square on `df`.

    Prior cells of equal probability: B = s² / (s² + σ²) uniform on (0, 1), σ² the variance of true scores and s² the
    average error variance that counts for order (what is common to all does not). Cells are weighted by the
    likelihood of the scores with the mean integrated out. Without `population` σ² is infinite and only the factor varies.
    """
    n = score.size
    base = float(score.mean())
    centred = error - error.mean(axis=0) - error.mean(axis=1)[:, None] + error.mean()
    typical = max(0.0, float(np.trace(centred))) / max(n - 1, 1)
    if n < 2 or typical <= 1e-24 * max(1.0, float(score.var())):
        nothing = np.zeros((1, n))
        return TrueScores(np.ones(1), (score - base)[None], nothing, nothing, np.zeros(1), None, base, 1.0)
    diagonal = np.count_nonzero(error - np.diag(np.diag(error))) == 0
    values, axes = (np.diag(error), None) if diagonal else np.linalg.eigh(error)
    values = np.maximum(values, 0.0)
    b = score - base if axes is None else axes.T @ (score - base)
    a = np.ones(n) if axes is None else axes.sum(axis=0)
    factor = df / stats.chi2.ppf((np.arange(_SCALES) + 0.5) / _SCALES, df) if np.isfinite(df) else np.ones(1)
    if not population:
        observed = float(score.var(ddof=1))
        return TrueScores(
            chance=np.full(factor.size, 1 / factor.size),
            centre=np.tile(b, (factor.size, 1)),
            variance=factor[:, None] * values,
            slope=np.zeros((factor.size, n)),
            mean_variance=np.zeros(factor.size),
            axes=axes,
            base=base,
            signal=max(0.0, 1 - typical / observed) if observed > 0 else 0.0,
        )
    ratio = np.tile((np.arange(_SPREADS) + 0.5) / _SPREADS, factor.size)
    factor = np.repeat(factor, _SPREADS)
    spread = factor * typical * (1 - ratio) / ratio
    noise = factor[:, None] * values
    v = spread[:, None] + noise
    precision = (a**2 / v).sum(axis=1)
    mean = (a * b / v).sum(axis=1) / precision
    fit = -0.5 * (np.log(v).sum(axis=1) + np.log(precision) + ((b - mean[:, None] * a) ** 2 / v).sum(axis=1))
    chance = np.exp(fit - fit.max())
    chance /= chance.sum()
    keep = spread[:, None] / v
    slope = (1 - keep) * a
    return TrueScores(
        chance=chance,
        centre=keep * b + slope * mean[:, None],
        variance=keep * noise,
        slope=slope,
        mean_variance=1 / precision,
        axes=axes,
        base=base,
        signal=float(chance @ (1 - ratio)),
    )


def _normals(draws: int, columns: int, seed: int) -> Floats:
    """Quasi-random normals: a Sobol sequence, shifted modulo 1 by the raw bits of PCG64 (both fixed for good)."""
    bits = np.random.PCG64(seed).random_raw(columns)
    shift = ((np.asarray(bits) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    u = qmc.Sobol(columns, scramble=False).random_base2(int(np.ceil(np.log2(draws))))[:draws]
    return np.asarray(special.ndtri(np.clip((u + shift) % 1.0, 1e-16, 1 - 1e-16)))
