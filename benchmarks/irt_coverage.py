"""Coverage of 95 % intervals of IRT calibrations, and size of tests of fit, in simulation.

    OPENBLAS_NUM_THREADS=1 python benchmarks/irt_coverage.py [--samples 300] [--seed 1] [--only 3PL]

Prints, per model and number of persons, the share of intervals (`item_intervals`; intercepts: estimate ± 1.96 SE) that
hold the true value, with the Monte Carlo standard error of that for difficulties; for persons from 8 on where the model
claims to work there (Rasch).

The 3PL has priors (log a ~ N(0, 0.5²), logit c ~ N(−1.386, 0.5²)), so that its intervals are posterior intervals. Three kinds
of truth: "drawn" from the priors, anew in every sample, where they must hold on average; "centre", all c at the prior's centre,
where they hold more often; c = 0.10 and 0.30, about 1.6 and 1.1 prior standard deviations away.

`--only link`: slope and intercept ± 1.96 standard errors of two 2PL calibrations of 12 common items, linked by each method.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

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
    item_intervals,
    link,
    model_fit,
)

# model, kind of truth, items, persons
DESIGNS = [("Rasch", "", 12, n) for n in (8, 20, 40, 200, 1000)]
DESIGNS += [("2PL", "", 12, n) for n in (200, 1000)] + [("GRM", "", 12, n) for n in (200, 1000)]
DESIGNS += [("GPCM", "", 12, 1000)]
DESIGNS += [("3PL", "drawn", 12, n) for n in (200, 1000, 5000)] + [
    ("3PL", "drawn", 40, n) for n in (1000, 4000)
]
DESIGNS += [("3PL", "centre", 12, n) for n in (200, 1000, 5000, 20000)]
DESIGNS += [("3PL", c, 12, n) for c in ("0.10", "0.30") for n in (1000, 5000)]
PRIORS = Priors(slope=LogNormal(0.0, 0.5))


def truth(model: str, kind: str, items: int, rng: np.random.Generator) -> ItemParameters:
    b = np.linspace(-1.5, 1.5, items)
    if model == "Rasch":
        return ItemParameters.of("Rasch", difficulty=b)
    a = np.resize([0.8, 1.1, 1.5], items)
    if model == "2PL":
        return ItemParameters.of("2PL", slope=a, difficulty=b)
    if model == "3PL":
        c = 0.2 if kind in ("centre", "drawn") else float(kind)
        if kind == "drawn":
            a, b = np.exp(rng.normal(0.0, 0.5, items)), rng.normal(0.0, 1.0, items)
            c = 1 / (1 + np.exp(-rng.normal(-1.386, 0.5, items)))
        return ItemParameters.of("3PL", slope=a, difficulty=b, lower_asymptote=c)
    return ItemParameters.of(model, slope=a, thresholds=b[:, None] * 0.5 + np.array([-1.0, 0.0, 1.0]))


def simulate(items: ItemParameters, n: int, rng: np.random.Generator) -> np.ndarray:
    theta = rng.standard_normal(n)
    x = np.empty((n, items.n_items))
    for j, p in enumerate(category_probabilities(items, theta)):
        x[:, j] = (rng.random(n)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return x


def inside(limits: np.ndarray, true: np.ndarray) -> tuple[int, int]:
    """How many limits hold the truth, of how many that are known and not points."""
    known = limits[..., 1] > limits[..., 0]
    return int(((limits[..., 0] <= true) & (true <= limits[..., 1]))[known].sum()), int(known.sum())


def linking(samples: int, seed: int) -> None:
    """Two groups, θ_reference = 1.2 θ_new + 0.5."""
    items = ItemParameters.of("2PL", slope=np.tile([0.9, 1.3], 6), difficulty=np.linspace(-1.2, 1.6, 12))
    methods = ("mean-mean", "mean-gmean", "mean-sigma", "haebara", "stocking-lord")
    print(f"{'linking':16s}{'n':>7s}{'slope':>9s}{'intercept':>11s}")
    for n in (200, 600, 2000):
        rng = np.random.Generator(np.random.PCG64(seed))
        hits = np.zeros((len(methods), 2))
        for _ in range(samples):
            pair = []
            for mean, sd in ((0.0, 1.0), (0.5, 1.2)):
                theta = rng.normal(mean, sd, n)
                p = 1 / (1 + np.exp(-items.slope * (theta[:, None] - items.difficulty)))
                pair.append(calibrate((rng.random(p.shape) < p).astype(float), "2PL"))
            for row, method in enumerate(methods):
                found = link(*pair, method)
                distance = np.abs(np.array([found.slope - 1.2, found.intercept - 0.5]))
                hits[row] += distance <= 1.959964 * np.array(found.standard_errors)
        for method, share in zip(methods, hits / samples, strict=True):
            print(f"{method:16s}{n:7d}{share[0]:9.3f}{share[1]:11.3f}", flush=True)
    print(f"simulation error {(0.95 * 0.05 / samples) ** 0.5:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="one model, or link")
    arguments = parser.parse_args()
    print(f"{arguments.samples} samples each, seed {arguments.seed}")
    if arguments.only in ("", "link"):
        linking(arguments.samples, arguments.seed)
    names = ("slope", "difficulty", "intercept", "asymptote")
    print(
        f"{'model':6s}{'truth':>8s}{'items':>6s}{'n':>7s}"
        + "".join(f"{name:>11s}" for name in names)
        + f"{'MC SE':>8s}{'refused':>9s}{'M2 5%':>8s}{'S-X2 5%':>9s}"
    )
    for model, kind, n_items, n in DESIGNS:
        if arguments.only not in ("", model):
            continue
        rng = np.random.Generator(np.random.PCG64(arguments.seed))
        hits, counts = np.zeros(4), np.zeros(4)
        refused, m2, sx2 = 0, [], []
        for _ in range(arguments.samples):
            items = truth(model, kind, n_items, rng)
            x = simulate(items, n, rng)
            try:
                found = calibrate(x, model, priors=PRIORS if model == "3PL" else None)
            except ScoringError:
                refused += 1
                continue
            limits, error = item_intervals(found), found.standard_errors
            same = [j for j in range(n_items) if found.items.thresholds[j].size == items.thresholds[j].size]
            d, sd, true_d = (
                np.concatenate([part[j] for j in same])
                for part in (found.items.intercepts, error.intercepts, items.intercepts)
            )
            pairs = [
                (limits.slope, items.slope),
                (
                    np.concatenate([limits.thresholds[j] for j in same]),
                    np.concatenate([items.thresholds[j] for j in same]),
                ),
                (np.column_stack([d - 1.959964 * sd, d + 1.959964 * sd]), true_d),
                (limits.lower_asymptote, items.lower_asymptote),
            ]
            for place, pair in enumerate(pairs):
                held, known = inside(*pair)
                hits[place] += held
                counts[place] += known
            if n >= 200 and n_items == 12:
                m2.append(model_fit(x, found).p_value < 0.05)
                sx2.append(np.nanmean(item_fit(x, found).p_value < 0.05))
        share = np.where(counts > 0, hits / np.maximum(counts, 1), np.nan)
        fit = f"{np.mean(m2):8.3f}{np.mean(sx2):9.3f}" if m2 else ""
        se = (0.95 * 0.05 / max(counts[1], 1)) ** 0.5
        print(
            f"{model:6s}{kind:>8s}{n_items:6d}{n:7d}"
            + "".join(f"{value:11.3f}" if np.isfinite(value) else f"{'':11s}" for value in share)
            + f"{se:8.4f}{refused:9d}{fit}",
            flush=True,
        )


if __name__ == "__main__":
    main()
