"""How fast banks are read, linted, marked and written, and how much memory it takes.

    python benchmarks/banks.py [--items 10000] [--responses 1000000] [--only NAME]

The items are made from the shipped bank by varying it: every item has words and numbers of its own, so that nothing is
remembered from one to the next. Each measurement runs in a process of its own; its peak memory is that process's.
"""

import argparse
import io
import json
import multiprocessing
import random
import time
import zipfile
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from question_banks import Bank, BankError, Item, Text, kinds, lint, read_bank, write_bank
from question_banks.declarations import Answer, Choice
from question_banks.duplicates import duplicates
from question_banks.kinds import Gap, Option
from question_banks.model import Metadata

SYLLABLES = "công vụ quản lý nhân sự ngân sách kế hoạch chính sách đơn vị cấp trên báo cáo thanh tra dân chủ phân quyền trách nhiệm hiệu quả".split()  # noqa: SIM905


def made(number: int, seed: int = 1) -> Bank:
    """A bank of `number` bilingual items of seven kinds."""
    rng = random.Random(seed)

    def words(count: int) -> str:
        return " ".join(rng.choice(SYLLABLES) for _ in range(count))

    def text(count: int) -> Text:
        return Text.of(
            vi=f"{words(count)} {rng.randrange(10**6)}?", en=f"{words(count)} {rng.randrange(10**6)}?"
        )

    items: list[Item] = []
    for n in range(number):
        name = f"item-{n:05d}"
        rest = {
            "marks": Decimal("0.25"), "explanation": text(20),
            "metadata": Metadata(topic=f"topic.{n % 20}", level=("recall", "apply")[n % 2]),
        }  # fmt: skip
        choices = [Choice(letter, text(8)) for letter in "ABCD"]
        options = [Option(choice, Fraction(choice.id == "B")) for choice in choices]
        body = text(30)
        kind = n % 10
        if kind < 5:
            items.append(kinds.single(name, body, options, **rest))
        elif kind == 5:
            two = [Option(choice, Fraction(choice.id in "AC")) for choice in choices]
            items.append(kinds.multiple(name, body, two, scoring="per-option", **rest))
        elif kind == 6:
            items.append(kinds.numeric(name, body, [Answer(str(n), tolerance=Fraction(1, 2))], **rest))
        elif kind == 7:
            items.append(
                kinds.match(
                    name,
                    body,
                    choices[:3],
                    [Choice(str(m), text(3)) for m in range(1, 5)],
                    ["A 1", "B 2", "C 3"],
                    **rest,
                )
            )
        elif kind == 8:
            items.append(kinds.order(name, body, choices, **rest))
        else:
            gapped = body.map(lambda source: f"{source} [[g1]]")
            items.append(kinds.gap(name, gapped, [Gap("g1", "text", (), (Answer(words(2)),))], **rest))
    return Bank("bench", Text.of(vi="Thử", en="Bench"), ("vi", "en"), "", tuple(items))


def _measure(queue: "multiprocessing.Queue[object]", prepare: str, number: int, data: bytes | None) -> None:
    CLEAR.write_text("5")  # the highest memory so far is forgotten: a new process inherits its parent's
    seconds, count = STEPS[prepare](number, data)
    peak = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    queue.put({"seconds": seconds, "count": count, "memory": int(peak.split()[1]) / 1024})


CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")  # Linux


def timed(step: Callable[[], int]) -> tuple[float, int]:
    """Seconds of processor time: the machine may be busy with other things."""
    start = time.process_time()
    count = step()
    return time.process_time() - start, count


def _read(format: str) -> Callable[[int, bytes | None], tuple[float, int]]:
    return lambda number, data: timed(lambda: len(read_bank(data or b"", format).bank))


def _lint(number: int, data: bytes | None) -> tuple[float, int]:
    bank = read_bank(data or b"", "native").bank
    return timed(lambda: len(lint(bank)) * 0 + len(bank))


def _duplicates(number: int, data: bytes | None) -> tuple[float, int]:
    bank = read_bank(data or b"", "native").bank
    return timed(lambda: len(duplicates(bank.items)) * 0 + len(bank))


def _mark(number: int, data: bytes | None) -> tuple[float, int]:
    """Marks responses of 200 items by candidates who choose at random, as an examination does."""
    bank = made(200)
    rng = random.Random(2)
    singles = [item for item in bank if item.kind == "single"]
    plan = [(rng.choice(singles), {"RESPONSE": rng.choice("ABCD")}) for _ in range(10_000)]

    def step() -> int:
        right = 0
        for _ in range(number // len(plan)):
            for item, response in plan:
                right += item.mark(response).score == item.marks
        return number // len(plan) * len(plan) if right else 0

    return timed(step)


def _hostile(data: Callable[[], bytes]) -> Callable[[int, bytes | None], tuple[float, int]]:
    """Refusing a file made to exhaust memory; its own bytes are in the peak. The count is the file's megabytes."""

    def measure(number: int, _: bytes | None) -> tuple[float, int]:
        made = data()

        def step() -> int:
            try:
                read_bank(made, None if made.startswith(b"PK") else "moodle-xml")
            except BankError:
                return len(made) // 1_000_000
            return 0

        return timed(step)

    return measure


def _bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("imsmanifest.xml", "<manifest/>")
        with archive.open("bomb.xml", "w", force_zip64=True) as member:
            for _ in range(1000):
                member.write(b" " * 1_000_000)
    return target.getvalue()


STEPS: dict[str, Callable[[int, bytes | None], tuple[float, int]]] = {
    "native: read": _read("native"),
    "native: lint": _lint,
    "Moodle XML: read": _read("moodle-xml"),
    "QTI 3 package: read": _read("qti3"),
    "GIFT: read": _read("gift"),
    "CSV: read": _read("csv"),
    "XLSX: read": _read("xlsx"),
    "duplicates": _duplicates,
    "marking single choices": _mark,
    "hostile: 100 MB of XML": _hostile(lambda: b"<quiz>" + b"<question/>" * 9_100_000),
    "hostile: 79 MB of elements": _hostile(lambda: b"<quiz>" + b"<a/>" * 19_750_000 + b"</quiz>"),
    "hostile: 79 MB of attributes": _hostile(lambda: b"<quiz>" + b"<a b='' c=''/>" * 5_600_000 + b"</quiz>"),
    "hostile: two million elements": _hostile(lambda: b"<quizz>" + b"<a/>" * 1_999_990 + b"</quizz>"),
    "hostile: a gigabyte in a package": _hostile(_bomb),
}
SOURCES = {
    "native: read": "native", "native: lint": "native", "Moodle XML: read": "moodle-xml", "QTI 3 package: read": "qti3",
    "GIFT: read": "gift", "CSV: read": "csv", "XLSX: read": "xlsx", "duplicates": "native",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--responses", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=STEPS, action="append", help="only these measurements")
    arguments = parser.parse_args()
    wanted = arguments.only or list(STEPS)
    context = multiprocessing.get_context("spawn")
    bank = made(arguments.items)
    files: dict[str, bytes] = {}
    figures: dict[str, dict[str, float]] = {}
    for format in dict.fromkeys(SOURCES[name] for name in wanted if name in SOURCES):
        start = time.process_time()
        files[format] = write_bank(bank, format).data
        figures[f"{format}: write, read back and compare"] = {
            "seconds": time.process_time() - start,
            "count": len(bank),
            "megabytes": len(files[format]) / 1e6,
        }
    for name in wanted:
        number = arguments.responses if name.startswith("marking") else arguments.items
        queue = context.Queue()
        process = context.Process(
            target=_measure, args=(queue, name, number, files.get(SOURCES.get(name, "")))
        )
        process.start()
        figures[name] = queue.get()
        process.join()
    if arguments.json:
        print(json.dumps(figures, indent=1))
        return
    for name, figure in figures.items():
        memory = (
            f", peak {figure['memory']:.0f} MB"
            if "memory" in figure
            else f", {figure['megabytes']:.0f} MB of file"
        )
        print(f"{name}: {figure['count']:,.0f} in {figure['seconds']:.2f} s of processor time{memory}")


if __name__ == "__main__":
    main()
