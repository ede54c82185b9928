"""Speed, memory and log-likelihood of IRT calibration and scoring on simulated data.

    OPENBLAS_NUM_THREADS=1 python benchmarks/irt.py [--million] [--girth PYTHON] [case ...]

Every case runs in a fresh process with one BLAS thread. `above` is the peak resident memory above what the
process held with the data loaded. `other` is the log-likelihood that mirt 1.45.1 reached on the same data
(61 nodes, 2PL at tolerance 1e-6). girth is measured in the same run where PYTHON (by default the one that runs this)
has it, in a process of its own; it fits without standard errors, and `ratio` is its processor time to ours without them. `cpu` is processor time,
which says more than `s` where other work shares the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402 (the thread count must be set first)

# case: (seed, persons, items, categories, model, other software's log-likelihood)
CASES = {
    "Rasch 2,000x40": (20260, 2_000, 40, 2, "Rasch", -46478.2838),
    "2PL 2,000x40": (20261, 2_000, 40, 2, "2PL", -43023.7298),
    "2PL 10,000x60": (20262, 10_000, 60, 2, "2PL", -331173.5937),
    "3PL 10,000x60": (20264, 10_000, 60, 2, "3PL", -346120.908),
    "GRM 5,000x30x5": (20265, 5_000, 30, 5, "GRM", -202111.205),
    "GPCM 5,000x30x5": (20266, 5_000, 30, 5, "GPCM", -192685.7499),
    "2PL 100,000x20": (20267, 100_000, 20, 2, "2PL", -1104598.7372),
    "2PL 100,000x100": (20263, 100_000, 100, 2, "2PL", -5286894.3644),
    "2PL 100,000x100, 15 % missing": (20263, 100_000, 100, 2, "2PL", None),
    "2PL 1,000,000x100": (20268, 1_000_000, 100, 2, "2PL", None),
}


def simulate(seed: int, n: int, items: int, categories: int, model: str) -> np.ndarray:
    """Responses in int8. θ ~ N(0, 1); slopes lognormal around 1.1; difficulties N(0, 1)."""
    rng = np.random.Generator(np.random.PCG64(seed))
    theta = rng.standard_normal(n)
    out = np.empty((n, items), np.int8)
    if model == "GRM":
        slope = np.exp(rng.normal(0.3, 0.3, items))
        centre = rng.normal(0, 0.6, items)[:, None] + np.linspace(-1.5, 1.5, categories - 1)
        steps = np.sort(centre + rng.uniform(-0.2, 0.2, (items, categories - 1)), axis=1)
        for j in range(items):
            above = 1 / (1 + np.exp(-slope[j] * (theta[:, None] - steps[j])))
            out[:, j] = (rng.random(n)[:, None] < above).sum(axis=1)
        return out
    if model == "GPCM":
        slope = np.exp(rng.normal(0.0, 0.3, items))
        centre = rng.normal(0, 0.6, items)[:, None] + np.linspace(-1, 1, categories - 1)
        steps = centre + rng.normal(0, 0.2, (items, categories - 1))
        for j in range(items):
            z = np.cumsum(slope[j] * (theta[:, None] - steps[j]), axis=1)
            p = np.exp(np.concatenate([np.zeros((n, 1)), z], axis=1))
            p /= p.sum(axis=1, keepdims=True)
            out[:, j] = (rng.random(n)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
        return out
    slope = np.ones(items) if model == "Rasch" else np.exp(rng.normal(0.1, 0.3, items))
    difficulty = rng.normal(0, 1, items)
    floor = rng.beta(5, 17, items) if model == "3PL" else np.zeros(items)
    for j in range(items):
        p = floor[j] + (1 - floor[j]) / (1 + np.exp(-slope[j] * (theta - difficulty[j])))
        out[:, j] = rng.random(n) < p
    return out


def resident() -> float:
    """Resident memory now, in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fit(path: str, model: str) -> dict[str, object]:
    from scoring.irt import LogNormal, Priors, calibrate, estimate_ability

    x = np.load(path)
    priors = Priors(slope=LogNormal(0.0, 0.5)) if model == "3PL" else None
    calibrate(x[:500, :5], model, priors=priors)  # imports and first allocations
    before = resident()
    start, cpu = time.perf_counter(), time.process_time()
    bare = calibrate(x, model, priors=priors, standard_errors=False)
    middle, cpu = time.perf_counter(), time.process_time() - cpu
    above = max(peak() - before, 0.0)
    whole = calibrate(x, model, priors=priors) if x.shape[0] <= 100_000 else None
    end = time.perf_counter()
    eap = estimate_ability(x, bare)
    scored = time.perf_counter()
    return {
        "seconds": middle - start,
        "cpu": cpu,
        "with_errors": end - middle if whole is not None else None,
        "above": above,
        "above_with_errors": max(peak() - before, 0.0),
        "log_likelihood": bare.log_likelihood,
        "iterations": bare.iterations,
        "nodes": int(bare.nodes.size),
        "eap": scored - end,
        "reliability": eap.reliability,
    }


def fit_girth(path: str, model: str) -> dict[str, object]:
    import girth

    x = np.ascontiguousarray(np.load(path).T.astype(np.int64))
    names = {
        "Rasch": "rasch_mml",
        "2PL": "twopl_mml",
        "3PL": "threepl_mml",
        "GRM": "grm_mml",
        "GPCM": "pcm_mml",
    }
    function = getattr(girth, names[model])
    if model in ("GRM", "GPCM"):
        x = x + 1
    start, cpu = time.perf_counter(), time.process_time()
    function(x)
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}


def child(
    kind: str, path: str, model: str, limit: float, python: str = sys.executable
) -> dict[str, object] | None:
    command = [python, __file__, "--child", kind, path, model]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        print("   ", kind, model, "failed:", done.stderr.strip().splitlines()[-1][:100])
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def single_person() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from scoring.irt import ItemParameters, estimate_ability

    items = ItemParameters.of("2PL", slope=np.linspace(0.7, 1.6, 40), difficulty=np.linspace(-2, 2, 40))
    row = (np.arange(40) % 3 > 0).astype(float)
    for method in ("EAP", "MAP", "ML", "WLE", "EAPsum"):
        estimate_ability(row, items, method)
        times = []
        for _ in range(200):
            start = time.perf_counter()
            estimate_ability(row, items, method)
            times.append(time.perf_counter() - start)
        print(f"one person, 40 items, {method:6s} median {1000 * np.median(times):.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", help="parts of case names; all but the million by default")
    parser.add_argument("--million", action="store_true", help="also a million persons")
    parser.add_argument("--girth", default=sys.executable, metavar="PYTHON", help="interpreter that has girth")
    parser.add_argument("--girth-limit", type=float, default=300.0, help="seconds allowed to girth per case")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        kind, path, model = arguments.child
        print(json.dumps(fit(path, model) if kind == "ours" else fit_girth(path, model)))
        return
    single_person()
    known = subprocess.run(
        [arguments.girth, "-c", "import girth"], capture_output=True, check=False
    ).returncode
    with_girth = known == 0
    print("girth is", "measured too" if with_girth else "not installed: no ratio")
    header = f"{'case':32s}{'s':>8s}{'cpu':>8s}{'s+SE':>8s}{'EAP s':>8s}{'MB':>6s}{'MB+SE':>7s}{'E steps':>9s}{'log L':>17s}{'other':>15s}"
    print(header + f"{'girth s':>10s}{'ratio':>8s}")
    for name, (seed, n, items, categories, model, other) in CASES.items():
        if arguments.cases and not any(part in name for part in arguments.cases):
            continue
        if n >= 1_000_000 and not (arguments.million or arguments.cases):
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "responses.npy")
            x = simulate(seed, n, items, categories, model)
            if "missing" in name:
                rng = np.random.Generator(np.random.PCG64(seed + 1))
                values = x.astype(np.float32)
                values[rng.random(x.shape, dtype=np.float32) < 0.15] = np.nan
                x = values
            np.save(path, x)
            del x
            ours = child("ours", path, model, 3600)
            if ours is None:
                continue
            line = f"{name:32s}{ours['seconds']:8.2f}{ours['cpu']:8.2f}"
            line += f"{ours['with_errors']:8.2f}" if ours["with_errors"] is not None else f"{'':8s}"
            line += f"{ours['eap']:8.2f}{ours['above']:6.0f}{ours['above_with_errors']:7.0f}{ours['iterations']:9d}"
            line += f"{ours['log_likelihood']:17.4f}" + (
                f"{other:15.4f}" if other is not None else f"{'':15s}"
            )
            usable = with_girth and "missing" not in name and n < 1_000_000
            girth = child("girth", path, model, arguments.girth_limit, arguments.girth) if usable else None
            if girth is not None:
                line += f"{girth['seconds']:10.2f}{girth['cpu'] / ours['cpu']:8.1f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
