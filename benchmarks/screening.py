"""What screening methods find and what they flag wrongly: python benchmarks/screening.py [SEED]

DIF by Mantel–Haenszel at group sizes 25 to 400; copying indices in rooms of 30 honest candidates and 40 items, abilities known
and estimated; the K family with 120 candidates. The figures quoted in docs/methods come from seed 1.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Iterator

import numpy as np

from scoring.dif import mantel_haenszel
from scoring.forensics import gbt, k_index, m4, omega
from scoring.irt import ItemParameters

DIF_LOGITS = 1.5 / 2.35  # delta 1.5, the border of class C


def answers(rng: np.random.Generator, theta: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-a * (theta[:, None] - b)))
    return (rng.random(p.shape) < p).astype(int)


def rooms(
    seed: int, runs: int, persons: int, items: int
) -> Iterator[tuple[np.ndarray, ItemParameters, np.ndarray]]:
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        theta = rng.standard_normal(persons)
        a, b = np.exp(rng.normal(0.1, 0.25, items)), rng.normal(0, 1, items)
        yield theta, ItemParameters.of("2PL", slope=a, difficulty=b), answers(rng, theta, a, b)


def dif(seed: int) -> None:
    print("Mantel–Haenszel, 20 items, one with delta −1.5 against the focal group, 400 runs per size")
    for size in (25, 50, 100, 200, 400):
        hits, large, wrong, errors = 0, 0, 0.0, []
        for run in range(400):
            rng = np.random.default_rng([seed, size, run])
            b = rng.normal(0, 1, 20)
            b[0] = 0.0
            shifted = b.copy()
            shifted[0] += DIF_LOGITS
            x = np.vstack([answers(rng, rng.standard_normal(size), np.ones(20), d) for d in (b, shifted)])
            found = mantel_haenszel(x, np.repeat([0, 1], size), minimum=1)
            hits += bool(found.flagged[0])
            large += found.ets_class[0] == "C"
            wrong += found.flagged[1:].mean()
            errors.append(found.standard_error[0])
        print(
            f"  {size:4d} a group: flagged {hits / 400:.2f}, class C {large / 400:.2f}, "
            f"SE(delta)·sqrt(n) {np.nanmedian(errors) * np.sqrt(size):.1f}, others flagged {wrong / 400:.3f}"
        )


def copying(seed: int) -> None:
    runs = 100
    print(
        f"Copying, {runs} rooms of 30 honest candidates, 40 items: share of pairs with p ≤ .05; rooms with a Holm flag at .05"
    )
    for name, method in (("omega", omega), ("GBT", gbt), ("M4", m4)):
        for known in (True, False):
            pairs, flagged = [], 0
            for theta, items, x in rooms(seed, runs, 30, 40):
                found = method(x, items, theta=theta if known else None, alpha=0.05)
                pairs.append((found.p <= 0.05).mean())
                flagged += bool(found.flagged.any())
            print(
                f"  {name:6s} abilities {'known' if known else 'MAP  '}: {np.mean(pairs):.4f}; {flagged / runs:.2f}"
            )
    print("K family, 20 rooms of 120 honest candidates, 40 items: the same")
    for name in ("K", "K1", "K2", "S1", "S2"):
        pairs, flagged = [], 0
        for _, _, x in rooms(seed, 20, 120, 40):
            found = k_index(x, method=name, alpha=0.05)
            pairs.append((found.p <= 0.05).mean())
            flagged += bool(found.flagged.any())
        print(f"  {name:6s} {np.mean(pairs):.4f}; {flagged / 20:.2f}")


if __name__ == "__main__":
    chosen = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    dif(chosen)
    copying(chosen)
