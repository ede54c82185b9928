"""Coverage of 95 % intervals of IRT calibrations, and size of tests of fit, in simulation.

    OPENBLAS_NUM_THREADS=1 python benchmarks/irt_coverage.py [--samples 300] [--seed 1]

Prints, per model and number of persons, the share of intervals (estimate ± 1.96 SE) that hold the true value, with
its Monte Carlo standard error; for persons from 8 on where the model claims to work there (Rasch).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from scoring.errors import ScoringError
from scoring.irt import (
    ItemParameters,
    LogNormal,
    Priors,
    calibrate,
    category_probabilities,
    item_fit,
    model_fit,
)

DESIGNS = [("Rasch", n) for n in (8, 20, 40, 200, 1000)]
DESIGNS += [("2PL", 200), ("2PL", 1000), ("GRM", 200), ("GRM", 1000), ("GPCM", 1000), ("3PL", 1000)]


def truth(model: str) -> ItemParameters:
    b = np.linspace(-1.5, 1.5, 12)
    if model == "Rasch":
        return ItemParameters.of("Rasch", difficulty=b)
    a = np.tile([0.8, 1.1, 1.5], 4)
    if model in ("2PL", "3PL"):
        return ItemParameters.of(model, slope=a, difficulty=b, lower_asymptote=0.2 if model == "3PL" else 0.0)
    return ItemParameters.of(model, slope=a, thresholds=b[:, None] * 0.5 + np.array([-1.0, 0.0, 1.0]))


def simulate(items: ItemParameters, n: int, rng: np.random.Generator) -> np.ndarray:
    theta = rng.standard_normal(n)
    x = np.empty((n, items.n_items))
    for j, p in enumerate(category_probabilities(items, theta)):
        x[:, j] = (rng.random(n)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return x


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(
        f"{'model':7s}{'n':>6s}{'slope':>9s}{'difficulty':>12s}{'intercept':>11s}{'MC SE':>8s}{'refused':>9s}{'M2 5%':>8s}{'S-X2 5%':>9s}"
    )
    for model, n in DESIGNS:
        rng = np.random.Generator(np.random.PCG64(arguments.seed))
        items = truth(model)
        hits, counts = np.zeros(3), np.zeros(3)
        refused, m2, sx2 = 0, [], []
        for _ in range(arguments.samples):
            x = simulate(items, n, rng)
            try:
                found = calibrate(
                    x, model, priors=Priors(slope=LogNormal(0.0, 0.5)) if model == "3PL" else None
                )
            except ScoringError:
                refused += 1
                continue
            error = found.standard_errors
            pairs = [(found.items.slope, items.slope, error.slope)]
            for mine, true, se in (
                (found.items.thresholds, items.thresholds, error.thresholds),
                (found.items.intercepts, items.intercepts, error.intercepts),
            ):
                same = [j for j in range(12) if mine[j].size == true[j].size]
                pairs.append(tuple(np.concatenate([part[j] for j in same]) for part in (mine, true, se)))
            for place, (mine, true, se) in enumerate(pairs):
                known = se > 0
                hits[place] += (np.abs(mine - true)[known] <= 1.959964 * se[known]).sum()
                counts[place] += known.sum()
            if n >= 200:
                m2.append(model_fit(x, found).p_value < 0.05)
                sx2.append(np.nanmean(item_fit(x, found).p_value < 0.05))
        share = np.where(counts > 0, hits / np.maximum(counts, 1), np.nan)
        fit = f"{np.mean(m2):8.3f}{np.mean(sx2):9.3f}" if m2 else f"{'':17s}"
        se = (0.95 * 0.05 / max(counts[1], 1)) ** 0.5
        print(
            f"{model:7s}{n:6d}{share[0]:9.3f}{share[1]:12.3f}{share[2]:11.3f}{se:8.4f}{refused:9d}{fit}",
            flush=True,
        )


if __name__ == "__main__":
    main()
