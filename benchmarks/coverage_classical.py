"""Coverage of the 95 % intervals outside item response theory.

    python benchmarks/coverage_classical.py [--repeats 400] [--seed 1] [--only paper | ratings | raters | ranking | dif | equating | facets | cuts]

Classical statistics, agreement, intraclass correlations and generalizability, ranking; DIF (delta), equating (equivalents ± 1.96
standard errors), severities of many facets, cut scores. Prints, by number of candidates, the share of samples whose interval
holds the population's value, with its simulation error. Populations of the first: 0/1 items of unequal slopes, essays in half points, skewed abilities; two to four
raters on nominal and ordinal scales; raters who differ in level. Nominal is 0.95; from 200 candidates at most 0.97.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scoring import equating
from scoring.classical import item_analysis, reliability
from scoring.dif import mantel_haenszel
from scoring.equating import Equating
from scoring.errors import ScoringError
from scoring.generalizability import decision_study, study
from scoring.ranking import rank_uncertainty
from scoring.raters import gwet, icc, kappa, krippendorff_alpha, many_facet
from scoring.standard_setting import angoff, borderline

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
    sizes: tuple[int, ...] = SIZES,
) -> None:
    if truth is None:
        truth = {name: value for name, (value, _) in estimate(draw(200_000)).items()}
    print(f"\n{title}   (population: {', '.join(f'{k} {np.mean(v):.3f}' for k, v in truth.items())})")
    print(f"{'':24}" + "".join(f"{n:>18}" for n in sizes))
    table: dict[str, list[str]] = {name: [] for name in truth}
    for n in sizes:
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
        print(f"{name:24}" + "".join(f"{cell:>18}" for cell in cells))


def paper_coverage(random: np.random.Generator, repeats: int) -> None:
    for title, draw in papers(random).items():
        measure(title, draw, paper_statistics, repeats)


def ratings_coverage(random: np.random.Generator, repeats: int) -> None:
    for title, draw in ratings(random).items():
        measure(title, draw, agreement_statistics, repeats)


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


def dif_coverage(random: np.random.Generator, repeats: int) -> None:
    """Groups that differ by half a standard deviation, Rasch items: the common odds ratio is then the item's shift exactly
    only where scores match abilities, so the matching test is long."""
    shift = np.array([0.0, 0.5, -0.8])
    b = np.concatenate([np.zeros(3), random.normal(0, 1, 37)])

    def draw(n: int) -> Floats:
        groups = []
        for mean, extra in ((0.0, 0.0 * shift), (-0.5, shift)):
            moved = b.copy()
            moved[:3] += extra
            p = 1 / (1 + np.exp(-(random.normal(mean, 1, (n, 1)) - moved)))
            groups.append((random.random(p.shape) < p).astype(float))
        return np.vstack(groups)

    def estimate(x: Floats) -> dict[str, tuple[Floats, Floats]]:
        found = mantel_haenszel(x, np.repeat([0, 1], len(x) // 2))
        limits = np.column_stack([found.low, found.high])
        return {"delta": (found.delta[:3], limits[:3])}

    title = "Mantel-Haenszel, 40 items, three of them studied; candidates in each group"
    measure(title, draw, estimate, repeats, {"delta": -2.35 * shift}, (50, 100, 200, 1000))


def equating_coverage(random: np.random.Generator, repeats: int) -> None:
    at = np.array([10, 15, 20, 25])

    def scores(theta: Floats, items: int, ease: float) -> Floats:
        b = np.linspace(-1.8, 1.8, items) - ease
        return (
            (random.random((theta.size, items)) < 1 / (1 + np.exp(-(theta[:, None] - b))))
            .sum(axis=1)
            .astype(float)
        )

    def draw(n: int) -> Floats:
        return np.column_stack([scores(random.normal(0, 1, n), 30, ease) for ease in (0.0, 0.3)])

    def draw_anchor(n: int) -> Floats:
        columns = []
        for mean, ease in ((0.0, 0.0), (0.2, 0.3)):
            theta = random.normal(mean, 1, n)
            anchor = scores(theta, 10, 0.1)
            columns += [scores(theta, 20, ease) + anchor, anchor]
        return np.column_stack(columns)

    def limits(found: Equating) -> tuple[Floats, Floats]:
        y, error = found.y[at], found.standard_error[at]
        return y, np.column_stack([y - 1.959964 * error, y + 1.959964 * error])

    def random_groups(x: Floats) -> dict[str, tuple[Floats, Floats]]:
        pair = (x[:, 0].astype(int), x[:, 1].astype(int))
        return {
            "mean": limits(equating.mean(*pair, scale=(0, 30))),
            "linear": limits(equating.linear(*pair, scale=(0, 30))),
            "equipercentile": limits(equating.equipercentile(*pair, scale=(0, 30))),
            "presmoothed, degree 4": limits(equating.equipercentile(*pair, scale=(0, 30), degree=4)),
        }

    def anchored(x: Floats) -> dict[str, tuple[Floats, Floats]]:
        parts = [column.astype(int) for column in x.T]
        return {
            "Tucker": limits(equating.tucker(*parts, scale=(0, 30))),
            "Levine": limits(equating.levine(*parts, scale=(0, 30))),
            "chained linear": limits(equating.chained(*parts, scale=(0, 30))),
        }

    sizes = (40, 200, 1000)
    measure("equating, random groups, 30 items; candidates a form", draw, random_groups, repeats, sizes=sizes)
    measure("equating, 10 anchor items; candidates a form", draw_anchor, anchored, repeats, sizes=sizes)


def facet_coverage(random: np.random.Generator, repeats: int) -> None:
    severity = np.array([-0.8, -0.3, 0.0, 0.1, 0.4, 0.6])
    difficulty, steps = np.array([-0.3, 0.0, 0.3]), np.array([-1.0, 0.0, 1.0])

    def draw(n: int) -> Floats:
        theta = random.normal(0, 1.2, n)
        person, criterion, turn = (
            part.ravel() for part in np.meshgrid(np.arange(n), np.arange(3), [0, 1], indexing="ij")
        )
        rater = (person + turn * (1 + person // 6 % 5)) % 6
        z = theta[person] - difficulty[criterion] - severity[rater]
        logits = np.concatenate([np.zeros((z.size, 1)), np.cumsum(z[:, None] - steps, axis=1)], axis=1)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        share = (p / p.sum(axis=1, keepdims=True)).cumsum(axis=1)
        score = (random.random(z.size)[:, None] > share[:, :-1]).sum(axis=1)
        return np.column_stack([score, person, criterion, rater]).astype(float)

    def estimate(x: Floats) -> dict[str, tuple[Floats, Floats]]:
        found = many_facet(x[:, 0], *x[:, 1:].astype(int).T)
        value, error = found.raters.measure, found.raters.standard_error
        return {
            "severity ± 1.96 SE": (
                value,
                np.column_stack([value - 1.959964 * error, value + 1.959964 * error]),
            )
        }

    measure(
        "many facets: 6 markers, two a script, 3 criteria of 4 grades; scripts",
        draw, estimate, max(40, repeats // 2), {"severity ± 1.96 SE": severity}, (20, 40, 200),
    )  # fmt: skip


def cut_coverage(random: np.random.Generator, repeats: int) -> None:
    def draw(n: int) -> Floats:
        true = random.normal(50, 10, n)
        return np.column_stack(
            [
                true + random.normal(0, 4, n),
                np.clip(np.rint((true - 35) / 10 + random.normal(0, 0.5, n)), 0, 4),
            ]
        )

    def estimate(x: Floats) -> dict[str, tuple[Floats, Floats]]:
        out = {}
        for name, options in (
            ("regression", {}),
            ("group, median", {"method": "group"}),
            ("group, mean", {"method": "group", "statistic": "mean"}),
        ):
            found = borderline(x[:, 0], x[:, 1], 1, **options)
            out[name] = (np.array([found.cut]), np.array([found.interval]))
        return out

    measure("borderline grade 1 of 0 to 4; candidates", draw, estimate, repeats)
    difficulty = random.uniform(0.3, 0.9, 40)

    def judge(n: int) -> Floats:
        level = random.normal(0, 0.3, (n, 1))
        logit = np.log(difficulty / (1 - difficulty)) + level + random.normal(0, 0.5, (n, 40))
        return np.asarray(np.rint(20 / (1 + np.exp(-logit))) / 20)

    def panel(x: Floats) -> dict[str, tuple[Floats, Floats]]:
        found = angoff(x)
        return {"Angoff cut": (np.array([found.cut]), np.array([found.interval]))}

    truth = {"Angoff cut": np.array([judge(200_000 // 4).sum(axis=1).mean()])}
    measure("Angoff, 40 items; judges", judge, panel, repeats, truth, (5, 8, 15, 40))


def icc_coverage(random: np.random.Generator, repeats: int) -> None:
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="one part")
    arguments = parser.parse_args()
    start = time.perf_counter()
    print(f"repeats {arguments.repeats}, seed {arguments.seed}")
    parts: dict[str, Callable[[np.random.Generator, int], None]] = {
        "paper": paper_coverage,
        "ratings": ratings_coverage,
        "raters": icc_coverage,
        "ranking": rank_coverage,
        "dif": dif_coverage,
        "equating": equating_coverage,
        "facets": facet_coverage,
        "cuts": cut_coverage,
    }
    for name, part in parts.items():
        if arguments.only in ("", name):
            part(np.random.Generator(np.random.PCG64(arguments.seed)), arguments.repeats)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
