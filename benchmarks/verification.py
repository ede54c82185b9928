# ruff: noqa: E402
"""Figures of the verifier: changes found, attacks found, honest competitions without alarm, checks removed, speed. All from seeds.

python benchmarks/verification.py [mutations] [attacks] [removed] [agreement] [honest] [speed]       all of them where none is named
"""

import inspect
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "ledger"), str(ROOT / "tests" / "verify")]

import test_attacks as attacked
from answering import cases
from attackers import matrix
from bad import bad
from hall import POLICY, Scenario, material, plain, regulated
from hall_course import competition
from mutating import (
    CONSEQUENTIAL,
    Tally,
    insider_saves,
    insider_values,
    outsider_bytes,
    outsider_values,
    run,
    small,
    structural,
)
from playwright.sync_api import Page
from scenarios import scenario as scenario_of
from second import disagreements, failing, open_page, reports
from test_honest import alarms

from examsvc.ledger.bundle import PUBLIC, RESTRICTED, compose
from examsvc.verify.findings import Verdict
from examsvc.verify.papers import share
from examsvc.verify.verification import VERIFIED

SEED = 3


def mutations() -> None:
    content = small(SEED)
    print(f"Changes of one bundle (seed {SEED}), lists of files made to fit")
    total = Tally()
    for title, changes in (
        ("single values, without keys", outsider_values(content, random.Random(SEED), 4)),
        ("single bits, without keys", outsider_bytes(content, random.Random(SEED), 30)),
        ("structure, without keys", structural(content, small(SEED + 1), random.Random(SEED))),
        ("single values, log and all witnesses signing anew", insider_values(SEED, random.Random(SEED), 2)),
        ("saves, chain, heads, log and all witnesses anew", insider_saves(SEED)),
    ):
        tally = run(Tally(), changes)
        tried, found = sum(tally.tried.values()), sum(tally.found.values())
        print(
            f"  {title}: {tried} tried in {len(tally.tried)} columns, {found} found, {sum(tally.neutral.values())} neutral, {len(tally.missed)} missed"
        )
        for reason, count in tally.neutral.most_common():
            print(f"    neutral {count}: {reason}")
        for line in tally.missed[:20]:
            print(f"    MISSED {line}")
        for part in ("tried", "found", "neutral"):
            getattr(total, part).update(getattr(tally, part))
        total.missed += tally.missed
        total.by_check.update(tally.by_check)
        if title.startswith("single values, log"):
            always = [name for name in tally.tried if tally.found[name] == tally.tried[name]]
            print(
                f"    columns whose every change is found whoever signs: {len(always)}, among them all {len(CONSEQUENTIAL)} that a result rests on"
            )
            never = sorted(name for name in tally.tried if not tally.found[name])
            print(f"    columns told nowhere else in the bundle: {', '.join(never)}")
    print(
        f"  all: {sum(total.tried.values())} tried, {sum(total.found.values())} found, {sum(total.neutral.values())} neutral, {len(total.missed)} missed"
    )
    print("  found by:", ", ".join(f"{check} {count}" for check, count in sorted(total.by_check.items())))


def attacks() -> None:
    print(
        "An answer rewritten after the sitting by an insider with the log's key (seed 7): which check finds it"
    )
    for line in matrix():
        print(" ", line)


def honest(first: int = 0, last: int = 1000) -> None:
    incidents: Counter = Counter()
    false = 0
    for seed in range(first, last):
        incidents.update(scenario_of(seed)[1].incidents)
        for edition, check, reasons in alarms(seed):
            false += 1
            print(f"  FALSE ALARM seed {seed}, {edition}: {check} {'; '.join(reasons[:3])}")
    print(f"Honest competitions, seeds {first} to {last - 1}, both editions: {false} false alarms")
    print("  incidents:", ", ".join(f"{name} {count}" for name, count in sorted(incidents.items())))


def removed() -> None:
    """Each check made to pass always, all tests of attacks run: which turn red."""
    print("Each check removed in turn: tests of tests/verify/test_attacks.py that turn red")
    for number in range(1, 19):
        code = (
            "import sys, pytest; sys.path[:0] = ['tests/ledger', 'tests/verify']\n"
            "import test_removed\n"
            "patch = pytest.MonkeyPatch()\n"
            f"test_removed.without('V{number}', patch)\n"
            "sys.exit(pytest.main(['-q', '--no-header', '--tb=no', '-p', 'no:cacheprovider', 'tests/verify/test_attacks.py']))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
        red = [
            line.split("::")[1].split(" ")[0]
            for line in done.stdout.splitlines()
            if line.startswith("FAILED")
        ]
        print(f"  V{number}: {len(red)}: {', '.join(red) or 'NONE'}")


def attacks_made() -> dict[str, tuple[bytes, list[str]]]:
    """Every bundle that a test of tests/verify/test_attacks.py verifies with the policy alone, and the checks that fail."""
    found: dict[str, tuple[bytes, list[str]]] = {}
    real = attacked.verify

    def kept(data, policy, receipts=(), slips=()):
        report = real(data, policy, receipts, slips)
        if policy is POLICY and not receipts and not slips:
            checks = [one.check for one in report.findings if one.verdict is Verdict.FAILED]
            found[f"{len(found)} {name}"] = (data, checks)
        return report

    attacked.verify = kept
    for name, test in vars(attacked).items():
        if name.startswith("test_") and not inspect.signature(test).parameters:
            test()
    attacked.verify = real
    return found


def marked_alike(page: Page, seeds: range, items: int) -> None:
    """Drawn items of every kind, and edges told one by one: what each response earns by the page and by question_banks."""
    seen: Counter = Counter()
    documents = unlike = 0
    for seed in seeds:
        rows = list(cases(seed, items, 8))
        script = "rows => rows.map(([native, values]) => examsvc.earnings(native, values))"
        said = page.evaluate(script, [[native, values] for native, _, values in rows])
        for (_, item, values), one in zip(rows, said, strict=True):
            shares = [share(item, item, value) for value in values]
            wanted = None if item.by_person else [f"{s.numerator}/{s.denominator}" for s in shares]
            documents += 1
            unlike += one != {"digest": item.digest, "shares": wanted}
            seen.update(shares)
    partial = sum(count for one, count in seen.items() if one not in (None, 0, 1))
    print(
        f"Answers marked by the page and by the question engine, {documents} items (seeds {seeds.start} to {seeds.stop - 1}): {seen.total()} responses,"
        f" {seen[1]} earn all, {partial} part or less than nothing, {seen[None]} are for people; {unlike} items marked unlike"
    )


def agreement(honest: int = 60) -> None:
    """Both verifiers on every published bad bundle, every attack of the tests, and both editions of honest competitions of varied regulation."""
    from playwright.sync_api import sync_playwright

    made, attempts = bad(), attacks_made()
    good = {}
    for seed in range(honest):
        candidates, chosen = scenario_of(seed)
        hall = competition(seed, candidates, scenario=chosen)
        for kind in (PUBLIC, RESTRICTED):
            good[f"{kind} {seed}"] = (compose(material(hall), kind, hall.posts, hall.edition), [])
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("EXAMSVC_CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        open_page(page, Path(folder))
        print(
            f"Both verifiers on {len(made)} bad bundles (seed {SEED}), {len(attempts)} bundles of the tests of attacks and {len(good)} editions of honest competitions (seeds 0 to {honest - 1})"
        )
        undone: Counter = Counter()
        nothing = 0
        for title, bundles in (("bad", made), ("attacks", attempts), ("honest", good)):
            unlike = disagreements(page, bundles)
            print(
                f"  {title}: the page names the very checks that fail for {len(bundles) - len(unlike)} of {len(bundles)}"
            )
            for line in unlike:
                print(f"    {line}")
            second = reports(page, (data for data, _ in bundles.values()))
            for (_, checks), (status, verdicts, _) in zip(bundles.values(), second, strict=True):
                nothing += bool(checks) and not failing(status, verdicts)
                undone.update(check for check, verdict in verdicts.items() if verdict == "not done")
        print(f"  bundles that fail and in which the page finds nothing: {nothing}")
        print(
            "  not done by the page:",
            ", ".join(
                f"{check} {count}" for check, count in sorted(undone.items(), key=lambda one: int(one[0][1:]))
            ),
        )
        marked_alike(page, range(1, 6), 1000)
        browser.close()


def large(candidates: int, file: Path) -> None:
    """Write a restricted edition to a file: one post, 20 items and an essay, 60 saves each, two markers for each essay, the best 50 are heard."""

    def one_hurdle(tree: dict) -> None:
        plain(tree)
        tree["stages"][1].update(places_per_post=50, ties_at_the_cut="all-go-on")

    scenario = Scenario(
        regulation=regulated(one_hurdle),
        posts=("P1",),
        places={"P1": 1},
        markers=40,
        items=20,
        more_saves=38,
        punctual=True,
    )
    hall = competition(1, candidates, scenario=scenario)
    file.write_bytes(compose(material(hall), RESTRICTED, ["P1"], 1))
    saves, entries, size = sum(map(len, hall.saves.values())), len(hall.data), file.stat().st_size
    print(f"{candidates} candidates, {saves} saves, {entries} entries, {size // 10**6} MB")


def speed(candidates: int = 10_000) -> None:
    """Made and verified in a process each: the memory counted is that of the verification alone."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bundle.zip"
        here = f"import sys; sys.path[:0] = ['benchmarks', 'tests/ledger']; from pathlib import Path; file = Path({str(file)!r})\n"
        make = here + f"import verification; verification.large({candidates}, file)"
        check = here + (
            "import resource, time\nfrom hall import POLICY\nfrom examsvc.verify.verification import verify\n"
            "start, used = time.perf_counter(), time.process_time()\nwith file.open('rb') as data: report = verify(data, POLICY)\n"
            "print(report.status, round(time.perf_counter() - start, 1), round(time.process_time() - used, 1),"
            " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
        )
        said = []
        for code in (make, check):
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
            )
            said.append(done.stdout.strip())
    status, wall, used, memory = said[1].split()
    assert int(status) == VERIFIED
    print(f"{said[0]}: verified in {wall} s ({used} s of one processor), {memory} MB at most")


FIGURES = {
    "mutations": mutations,
    "attacks": attacks,
    "removed": removed,
    "agreement": agreement,
    "honest": honest,
    "speed": speed,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or list(FIGURES):
        FIGURES[name]()
        print(flush=True)
