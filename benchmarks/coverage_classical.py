"""Coverage of the 95 % intervals of classical statistics, agreement, generalizability and ranking.

    python benchmarks/coverage_classical.py [REPEATS [SEED]]

Prints, for 8, 15, 40, 200 and 1,000 candidates, the share of samples whose interval holds the population's value, with
its simulation error. Populations: 0/1 items of unequal slopes, essays in half points, skewed abilities; two to four
raters on nominal and ordinal scales; raters who differ in level. Nominal is 0.95; from 200 candidates at most 0.97.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scoring.classical import item_analysis, reliability
from scoring.errors import ScoringError
from scoring.generalizability import decision_study, study
from scoring.ranking import rank_uncertainty
from scoring.raters import gwet, icc, kappa, krippendorff_alpha

Floats = NDArray[np.float64]
SIZES = (8, 15, 40, 200, 1000)
Estimate = Callable[[Floats], dict[str, tuple[Floats, Floats]]]


def papers(random: np.random.Generator) -> dict[str, Callable[[int], Floats]]:
    slope, difficulty = np.exp(random.normal(0, 0.35, 12)), np.linspace(-1.6, 1.6, 12)

    def binary(n: int, theta: Floats) -> Floats:
        return (random.random((n, 12)) < 1 / (1 + np.exp(-slope * (theta[:, None] - difficulty)))).astype(
            float
        )

    def essays(n: int) -> Floats:
        raw = random.normal(0, 1, (n, 1)) + random.normal(0, 1.2, (n, 4)) + np.array([5, 6, 4.5, 7])
        return np.clip(np.rint(raw * 2) / 2, 0, 10)

    return {
        "12 items 0/1": lambda n: binary(n, random.normal(0, 1, n)),
        "12 items 0/1, skewed": lambda n: binary(n, (random.chisquare(3, n) - 3) / np.sqrt(6)),
        "4 essays": essays,
    }


def paper_statistics(x: Floats) -> dict[str, tuple[Floats, Floats]]:
    items, whole = item_analysis(x, maximum=10 if x.max() > 1 else 1), reliability(x)
    out = {
        "difficulty": (items.difficulty, items.difficulty_interval),
        "item-rest": (items.item_rest, items.item_rest_interval),
        "alpha": (np.array([whole.alpha]), np.array([whole.alpha_interval])),
        "SEM": (np.array([whole.sem]), np.array([whole.sem_interval])),
        "omega": (np.array([whole.omega]), np.array([whole.omega_interval])),
    }
    if x.max() <= 1:
        out["biserial"] = (items.biserial, items.biserial_interval)
    return out


def ratings(random: np.random.Generator) -> dict[str, Callable[[int], Floats]]:
    def nominal(n: int, raters: int, share: float, p: tuple[float, ...]) -> Floats:
        true, noise = random.choice(len(p), n, p=p), random.choice(len(p), (n, raters), p=p)
        return np.where(random.random((n, raters)) < share, true[:, None], noise).astype(float)

    def ordinal(n: int, raters: int, sd: float) -> Floats:
        return np.clip(np.rint(random.integers(0, 5, n)[:, None] + random.normal(0, sd, (n, raters))), 0, 4)

    return {
        "2 raters, 3 categories": lambda n: nominal(n, 2, 0.7, (0.5, 0.3, 0.2)),
        "2 raters, rare category": lambda n: nominal(n, 2, 0.7, (0.85, 0.15)),
        "2 raters, high agreement": lambda n: nominal(n, 2, 0.95, (0.4, 0.3, 0.3)),
        "4 raters, 5 grades": lambda n: ordinal(n, 4, 0.7),
    }


def agreement_statistics(x: Floats) -> dict[str, tuple[Floats, Floats]]:
    categories = list(range(5)) if x.shape[1] == 4 else list(range(3)) if x.max() > 1 else [0, 1]
    weights = "quadratic" if len(categories) == 5 else "unweighted"
    found = {
        "kappa": kappa(x, weights=weights, categories=categories),
        "Gwet": gwet(x, weights=weights, categories=categories),
        "Krippendorff": krippendorff_alpha(x, "interval" if len(categories) == 5 else "nominal"),
    }
    return {name: (np.array([a.value]), np.array([a.interval])) for name, a in found.items()}


def measure(
    title: str,
    draw: Callable[[int], Floats],
    estimate: Estimate,
    repeats: int,
    truth: dict[str, Floats] | None = None,
) -> None:
    if truth is None:
        truth = {name: value for name, (value, _) in estimate(draw(200_000)).items()}
    print(f"\n{title}   (population: {', '.join(f'{k} {np.mean(v):.3f}' for k, v in truth.items())})")
    print(f"{'':14}" + "".join(f"{n:>18}" for n in SIZES))
    table: dict[str, list[str]] = {name: [] for name in truth}
    for n in SIZES:
        hits: dict[str, list[float]] = {name: [] for name in truth}
        for _ in range(max(40, repeats if n < 1000 else repeats // 3)):
            try:
                found = estimate(draw(n))
            except ScoringError:
                continue
            for name, (_, limits) in found.items():
                known = np.isfinite(limits).all(axis=1)
                if known.any():
                    inside = (limits[:, 0] <= truth[name]) & (truth[name] <= limits[:, 1])
                    hits[name].append(float(inside[known].mean()))
        for name, found_hits in hits.items():
            if len(found_hits) < 20:
                table[name].append(f"{'-':>18}")
            else:
                error = np.std(found_hits) / np.sqrt(len(found_hits))
                table[name].append(f"{np.mean(found_hits):>10.3f} ±{error:.3f}")
    for name, cells in table.items():
        print(f"{name:14}" + "".join(f"{cell:>18}" for cell in cells))


def rank_coverage(random: np.random.Generator, repeats: int) -> None:
    print(
        "\nranking, five candidates and more: share of true ranks in the 95 % interval; leader's probability and hits"
    )
    for n in (5, 8, 40):
        inside, claims, hits = [], [], []
        for _ in range(repeats):
            shrinkage = random.random()
            true = random.normal(70, np.sqrt((1 - shrinkage) / shrinkage), n)
            found = rank_uncertainty(true + random.normal(0, 1, n), 1.0, draws=2_000)
            rank = n - np.argsort(np.argsort(true))
            inside.append(((found.rank_interval[:, 0] <= rank) & (rank <= found.rank_interval[:, 1])).mean())
            claims.append(found.first.max())
            hits.append(rank[found.first.argmax()] == 1)
        print(f"{n:4}  {np.mean(inside):.3f}   {np.mean(claims):.3f} {np.mean(hits):.3f}")


def main(repeats: int, seed: int) -> None:
    start = time.perf_counter()
    random = np.random.Generator(np.random.PCG64(seed))
    print(f"repeats {repeats}, seed {seed}")
    for title, draw in papers(random).items():
        measure(title, draw, paper_statistics, repeats)
    for title, draw in ratings(random).items():
        measure(title, draw, agreement_statistics, repeats)
    for raters, variance in ((2, 0.5), (3, 0.5), (2, 0.05)):

        def draw_marks(n: int, raters: int = raters, variance: float = variance) -> Floats:
            level = random.normal(0, np.sqrt(variance), raters)
            return np.asarray(
                random.normal(0, 1, (n, 1)) + level + random.normal(0, np.sqrt(0.4), (n, raters))
            )

        def marks(x: Floats) -> dict[str, tuple[Floats, Floats]]:
            found = icc(x)
            forms = {
                "ICC(A,1)": found.icc2.interval,
                "McGraw-Wong": found.icc2.f_interval,
                "ICC(C,1)": found.icc3.interval,
            }
            forms["phi"] = decision_study(study(x), {"item": x.shape[1]}).dependability_interval
            return {
                name: (np.array([found.icc2.value]), np.array([limits])) for name, limits in forms.items()
            }

        single = 1 / (1 + variance + 0.4)
        truth = {
            "ICC(A,1)": single,
            "McGraw-Wong": single,
            "ICC(C,1)": 1 / 1.4,
            "phi": 1 / (1 + (variance + 0.4) / raters),
        }
        measure(
            f"{raters} raters, severity variance {variance}",
            draw_marks,
            marks,
            repeats,
            {name: np.array([value]) for name, value in truth.items()},
        )
    rank_coverage(random, repeats)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
