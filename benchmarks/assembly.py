"""How long test assembly takes: python benchmarks/assembly.py [--seed 7] [--pools 12] [--small] [--proof]

A simulated pool of 2,000 three-parameter items with topics, levels, keys, formats, reading times, words,
uses and 20 groups of enemies; 30 constraints besides the enemies; forms of 40 items; maximin information at
−1, 0 and 1. Asked gap: one per cent, the default; the proven gap is printed beside the time, and the processor time too,
which says more where other work shares the machine. Then one and two forms again from
`--pools` other pools (seeds 1, 2, …), because how long a search takes hangs on the pool. `--small`: one and two forms
only. `--proof`: also closes the gap of two forms of 15 from 100 items, whose optimum is known (tests/vectors/assembly).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np

from scoring.assembly import (
    Between,
    Blueprint,
    Constraint,
    ContradictoryBlueprint,
    Maximin,
    Maximise,
    Pool,
    assemble,
)

THETA = (-1.0, 0.0, 1.0)


def simulate_pool(items: int, seed: int) -> Pool:
    rng = np.random.Generator(np.random.PCG64(seed))
    a, b, c = np.exp(rng.normal(0.1, 0.3, items)), rng.normal(0, 1.1, items), rng.beta(6, 26, items)
    p = c[:, None] + (1 - c[:, None]) / (1 + np.exp(-a[:, None] * (np.array(THETA) - b[:, None])))
    information = (a[:, None] * (p - c[:, None]) / (1 - c[:, None])) ** 2 * (1 - p) / p
    columns = {
        "b": b,
        "topic": rng.choice(list("ABCDE"), items, p=[0.3, 0.25, 0.2, 0.15, 0.1]).tolist(),
        "level": rng.choice(["recall", "apply", "reason"], items, p=[0.4, 0.4, 0.2]).tolist(),
        "format": rng.choice(["single", "multiple", "numeric"], items, p=[0.6, 0.25, 0.15]).tolist(),
        "key": rng.choice(list("ABCD"), items).tolist(),
        "seconds": np.rint(np.clip(rng.normal(80, 25, items), 25, 180)),
        "words": np.rint(np.clip(rng.normal(55, 20, items), 12, 140)),
        "used": rng.integers(0, 6, items),
    }
    ids = [f"T{i + 1}" for i in range(items)]
    return Pool.of(ids, columns, theta=THETA, information=information)


def blueprint(pool: Pool, objective: Maximin | Maximise) -> Blueprint:
    def count(column: str, value: str, low: float, high: float) -> Constraint:
        return Constraint(f"{column} {value}", low, high, where={column: value})

    topics = {"A": (10, 14), "B": (8, 12), "C": (6, 10), "D": (4, 8), "E": (2, 6)}
    constraints = [count("topic", value, *limits) for value, limits in topics.items()]
    constraints += [count("key", value, 8, 12) for value in "ABCD"]
    constraints += [count("format", "multiple", 8, 12), count("format", "numeric", 4, 8)]
    constraints += [count("level", "recall", 8, 16), count("level", "reason", 8, 14)]
    for topic in "ABCDE":
        for level in ("recall", "reason"):
            constraints.append(Constraint(f"{topic} {level}", 1, 6, where={"topic": topic, "level": level}))
    constraints += [
        Constraint("seconds", 3000, 3400, measure="sum", of="seconds"),
        Constraint("words", high=2200, measure="sum", of="words"),
        Constraint("easy", low=6, where={"b": Between(high=-1, open=True)}),
        Constraint("hard", low=6, where={"b": Between(low=1, open=True)}),
        Constraint("often used", high=12, where={"used": Between(low=4)}),
        Constraint("mean difficulty", -0.05, 0.05, measure="mean", of="b"),
    ]
    order = np.random.Generator(np.random.PCG64(1)).permutation(len(pool))
    enemies = tuple(tuple(pool.ids[i] for i in order[3 * g : 3 * g + 3]) for g in range(20))
    return Blueprint((40, 40), tuple(constraints), objective, enemies)


def proof() -> None:
    folder = Path(__file__).parents[1] / "tests" / "vectors" / "assembly"
    case = json.loads((folder / "assembly.json").read_text())["cases"]["two_forms_15of100"]
    rows = list(csv.DictReader((folder / "ata_bank.csv").read_text().splitlines()))[:100]
    a, b, c = (np.array([float(row[name]) for row in rows]) for name in "abc")
    p = c[:, None] + (1 - c[:, None]) / (1 + np.exp(-a[:, None] * (np.array(case["theta"]) - b[:, None])))
    info = (a[:, None] * (p - c[:, None]) / (1 - c[:, None])) ** 2 * (1 - p) / p
    columns = {name: [row[name] for row in rows] for name in ("topic", "format", "key", "level")}
    columns |= {name: [float(row[name]) for row in rows] for name in ("b", "seconds", "words", "used")}
    pool = Pool.of([row["item"] for row in rows], columns, theta=tuple(case["theta"]), information=info)
    special = {
        "easy b<-1": {"b": Between(high=-1, open=True)},
        "hard b>1": {"b": Between(low=1, open=True)},
        "used>=4": {"used": Between(low=4)},
    }
    sums = {"seconds": "seconds", "words": "words", "mean b": "b"}
    length, *others = case["constraints"]
    constraints = []
    for entry in others:
        name = entry["name"]
        if name.startswith("enemy"):
            continue
        if name in sums:
            constraints.append(Constraint(name, entry["low"], entry["high"], measure="sum", of=sums[name]))
        else:
            where = special.get(name) or dict([name.split(" ")])
            constraints.append(Constraint(name, entry["low"], entry["high"], where=where))
    groups: dict[str, list[str]] = {}
    for row in rows:
        if float(row["enemy"]):
            groups.setdefault(row["enemy"], []).append(row["item"])
    plan = Blueprint(
        (length["low"], length["high"]),
        tuple(constraints),
        Maximin(tuple(case["r"])),
        tuple(map(tuple, groups.values())),
    )
    for gap in (1e-3, 1e-4, 2e-5):
        started = time.perf_counter()
        made = assemble(pool, plan, 2, gap=gap, time_limit=300)
        print(
            f"2 of 15 from 100, gap {gap:7.0e} {time.perf_counter() - started:6.2f} s  objective {made.objective:.6f}"
            f"  (known optimum {case['result']['objective']:.6f})  bound {made.bound:.6f}  {made.status}",
            flush=True,
        )


def several(pools: int) -> None:
    for forms, limit in ((1, 0.5), (2, 3.0)):
        seconds, gaps = [], []
        for seed in range(1, pools + 1):
            pool = simulate_pool(2_000, seed)
            plan = blueprint(pool, Maximin((0.8, 1.0, 0.8)))
            started = time.process_time()
            made = assemble(pool, plan, forms)
            seconds.append(time.process_time() - started)
            gaps.append(made.gap)
        print(
            f"{forms} form(s), maximin, pools 1–{pools}: processor median {np.median(seconds):.2f} s, longest {max(seconds):.2f} s, "
            f"{sum(s < limit for s in seconds)} of {pools} under {limit:g} s; largest gap {max(gaps):.4f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--pools", type=int, default=12, help="further pools, for the spread")
    parser.add_argument("--small", action="store_true", help="one and two forms only")
    parser.add_argument(
        "--proof", action="store_true", help="also close the gap of a problem with a known optimum"
    )
    arguments = parser.parse_args()
    seed = arguments.seed
    pool = simulate_pool(2_000, seed)
    maximin = blueprint(pool, Maximin((0.8, 1.0, 0.8)))
    print(f"2,000 items, {1 + len(maximin.constraints)} constraints, 20 groups of enemies; seed {seed}")
    runs = [("1 form, maximise", blueprint(pool, Maximise((1, 2, 1))), 1)]
    runs += [
        (f"{forms} form(s), maximin", maximin, forms)
        for forms in ((1, 2) if arguments.small else (1, 2, 4, 8))
    ]
    for name, plan, forms in runs:
        started, cpu = time.perf_counter(), time.process_time()
        made = assemble(pool, plan, forms)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        print(
            f"{name:22s} {seconds:7.2f} s (processor {cpu:6.2f} s)  objective {made.objective:8.4f}  gap {made.gap:.5f}  {made.status}",
            flush=True,
        )
    impossible = Blueprint(
        (40, 40), (*maximin.constraints, Constraint("too hard", low=400, measure="sum", of="b"))
    )
    started = time.perf_counter()
    try:
        assemble(pool, impossible)
    except ContradictoryBlueprint as error:
        print(f"conflict explained     {time.perf_counter() - started:7.2f} s  {error}")
    if arguments.pools:
        several(arguments.pools)
    if arguments.proof:
        proof()


if __name__ == "__main__":
    main()
