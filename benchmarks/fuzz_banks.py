"""Feeds every reader damaged and hostile inputs and checks what it promises: a bank or a BankError, within a second.

    python benchmarks/fuzz_banks.py 200000 --seed 1 [--reader moodle-xml] [--save FOLDER]

Inputs are made from good files by cutting, joining, swapping, repeating and spoiling bytes, characters and tokens of
the format. What fails is printed and, with --save, kept as a file. A run of N and a seed can be repeated exactly.
"""

import argparse
import io
import random
import re
import sys
import time
import traceback
import zipfile
from collections import Counter
from pathlib import Path

from question_banks import BankError, ItemError, Limits, lint, read_bank, write_bank
from question_banks.banks import shipped_bank
from question_banks.model import Bank

FORMATS = ("native", "moodle-xml", "gift", "aiken", "csv", "xlsx", "qti3", "qti2")
LIMITS = Limits(text_size=2_000_000, file_size=2_000_000, archive_size=4_000_000)
TOKENS = {
    "native": ["[[item]]", "[item.prompt]", 'kind = "gap"', "choices = [", "{", "}", "]", '"""', "[[g1]]", "correct = true", "1e999", "'''", 'marks = "1/0"'],
    "moodle-xml": ["<question type=\"cloze\">", "</question>", "<answer fraction=\"1e5\">", "<![CDATA[", "]]>", "&lt;", "&#0;", "<!DOCTYPE a>", "{1:MC:=a~b}", "{#", "[[1]]", "<file encoding=\"base64\">!!</file>", "NaN"],
    "gift": ["{", "}", "::", "=", "~", "->", "#", "####", "%50%", "\\", "[html]", "{#1:2}", "$CATEGORY: a/b", "//", "\n\n", "{T}", "..", "<b>"],
    "aiken": ["ANSWER: A", "ANSWER:", "A. ", "B) ", "\n", "Z. ", "\n\n"],
    "csv": [",", ";", "\t", '"', "\n", "=1+1", "match", "=>", "[[g1]]", "g1 = *a | b", "kind", "'"],
    "qti3": ["<qti-gap-match-interaction response-identifier=\"R\">", "<qti-mapping>", "<qti-sum>", "</qti-prompt>", "coords=\"a\"", "<math>", "cardinality=\"record\"", "NaN", "<!DOCTYPE a>", "&lt;", "[[end]]", "[[show A b]]", "<qti-template-block>"],
}  # fmt: skip
RESPONSES = [
    None,
    "",
    "A",
    "a b",
    ("A", "B"),
    "1,5",
    True,
    3,
    ("1 2", "3 4"),
    "x" * 500,
    [],
    [["A"]],
    {"a": 1},
]


def seeds(format: str) -> list[bytes]:
    """Good files of the format: the shipped practice bank, whole and item by item."""
    bank = shipped_bank("practice")
    names = "qti3" if format == "qti3" else format
    parts: list[Bank] = [bank] + [bank.replaced(items=(item,)) for item in bank.items]
    found = [write_bank(part, names).data for part in parts]
    if format.startswith("qti"):
        found += [_item_file(data) for data in found]
    return [data for data in found if data.strip()] + EXTRA.get(format, [])


EXTRA: dict[str, list[bytes]] = {
    "gift": [
        b"::a::[html]<b>x</b> {=a#f ~%50%b ~c ####g}\n\nq {#=1:0.5 =%50%2..3}\n\nMatch {=a -> b =c -> d}\n\nx {T#no#yes} \n\n// [id:z]\nDo {} now"
    ],
    "moodle-xml": [
        b'<quiz><question type="calculated"><name><text>c</text></name><questiontext format="html"><text>{a}+{={a}*2}</text></questiontext>'
        b'<answer fraction="100"><text>{a}*sqrt({b})+pow({a},2)</text><tolerance>0.01</tolerance><tolerancetype>1</tolerancetype></answer>'
        b"<dataset_definitions><dataset_definition><name><text>a</text></name><dataset_items><dataset_item><number>1</number><value>3</value></dataset_item>"
        b"</dataset_items></dataset_definition><dataset_definition><name><text>b</text></name><dataset_items><dataset_item><number>1</number><value>4</value>"
        b"</dataset_item></dataset_items></dataset_definition></dataset_definitions></question>"
        b'<question type="ddwtos"><name><text>d</text></name><questiontext format="html"><text>A [[1]] b [[2]]</text></questiontext>'
        b"<dragbox><text>x</text><group>1</group></dragbox><dragbox><text>y</text><group>2</group><infinite/></dragbox></question>"
        b'<question type="gapselect"><name><text>d</text></name><questiontext format="html"><text>A [[1]]</text></questiontext>'
        b"<selectoption><text>x</text><group>1</group></selectoption><selectoption><text>y</text><group>1</group></selectoption></question></quiz>"
    ],
}


def _item_file(data: bytes) -> bytes:
    """The first item of a package by itself."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name.startswith("items/")]
        return archive.read(names[0]) if names else b""


def spoiled(rng: random.Random, good: list[bytes], format: str) -> bytes:
    """One input: a good file with one to eight changes, half of the time such that its frame stays whole."""
    data = rng.choice(good)
    packed = data.startswith(b"PK")
    if packed and rng.random() < 0.8:
        return _repacked(rng, data, format)
    if data.lstrip().startswith(b"<") and rng.random() < 0.6:
        return _inside_xml(rng, data, format)
    return _anywhere(rng, data, good, format)


def _repacked(rng: random.Random, data: bytes, format: str) -> bytes:
    """An archive with one member spoiled, renamed, doubled or left out."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(members))
    change = rng.randrange(6)
    inner = members[name]
    if change == 0:
        del members[name]
    elif change == 1:
        members[rng.choice(("../x.xml", "/etc/passwd", "a/../../b", "C:\\x", "items/x.zip", "ü.xml"))] = inner
    elif inner.lstrip().startswith(b"<"):
        members[name] = _inside_xml(rng, inner, format)
    else:
        members[name] = _anywhere(rng, inner, [inner], format)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, content in members.items():
            archive.writestr(key, content)
    return target.getvalue()


def _inside_xml(rng: random.Random, data: bytes, format: str) -> bytes:
    """XML with changed values, texts, names of elements, or elements moved, mostly still well formed."""
    text = data.decode("utf-8", "replace")
    for _ in range(rng.choice((1, 1, 2, 4))):
        spots = [found for found in SPOTS.finditer(text) if found.end() > found.start()]
        if not spots:
            break
        spot = rng.choice(spots)
        other = rng.choice(spots)[0]
        words = rng.choice(
            (
                other,
                "",
                "-1",
                "1e400",
                "A B",
                "x" * 3000,
                "\u202e",
                "0",
                "true",
                "&#55;",
                "[[g1]]",
                "{1:MC:=a~b}",
                "%50%",
                "RESPONSE",
            )
        )
        if rng.random() < 0.2:
            elements = list(ELEMENTS.finditer(text))
            one, two = rng.choice(elements or [spot]), rng.choice(elements or [spot])
            text = text[: one.start()] + two[0] * rng.choice((0, 1, 2, 30)) + text[one.end() :]
        else:
            text = text[: spot.start()] + words + text[spot.end() :]
    return text.encode()[:400_000]


SPOTS = re.compile(r'(?<==")[^"<>]*(?=")|(?<=>)[^<>]+(?=<)|(?<=</)[\w-]+(?=>)')
ELEMENTS = re.compile(r"<([\w-]+)\b[^<>]*>[^<>]*</\1>|<[\w-]+\b[^<>]*/>")


def _anywhere(rng: random.Random, whole: bytes, good: list[bytes], format: str) -> bytes:
    data = bytearray(whole)
    tokens = TOKENS.get("qti3" if format.startswith("qti") else format, ["\x00"])
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        if not data:
            data = bytearray(b" ")
        at = rng.randrange(len(data))
        end = min(len(data), at + rng.choice((1, 2, 5, 20, 100, 1000)))
        change = rng.randrange(9)
        if change == 0:
            data[at] = rng.randrange(256)
        elif change == 1:
            del data[at:end]
        elif change == 2:
            data[at:at] = data[at:end] * rng.choice((1, 2, 20))
        elif change in (3, 4, 5):
            data[at:at] = rng.choice(tokens).encode()
        elif change == 6:
            other = rng.choice(good)
            start = rng.randrange(len(other))
            data[at:end] = other[start : start + rng.choice((5, 50, 500))]
        elif change == 7:
            data[at:at] = rng.choice(
                ("\x00", "\ufeff", "\ud7ff", "é", "😀", "\r", "[" * 200, "<a>" * 150, "-1", "9" * 400)
            ).encode()
        else:
            digits = [n for n, byte in enumerate(data) if 48 <= byte <= 57]
            if digits:
                place = rng.choice(digits)
                data[place : place + 1] = rng.choice((b"", b"-", b"1e308", b"99999999", b"0/0", b"nan", b"."))
    return bytes(data[:200_000])


def try_one(data: bytes, format: str) -> str:
    """Reads, and uses what was read; the name of what came of it. Anything but a promised outcome raises."""
    try:
        result = read_bank(data, format, limits=LIMITS)
    except BankError as error:
        return "not read" if error.message.strip() else "not read, and no reason given"
    for problem in result.problems:
        assert problem.message.strip()
    lint(result.bank)
    for item in result.bank.items:
        try:
            one = item.instance(1)
            one.presentation("vi", 1)
            for interaction in one.interactions:
                for value in RESPONSES:
                    one.accepts({interaction.response: value})
                    one.mark({interaction.response: value})  # type: ignore[dict-item]
        except ItemError:
            continue
    return f"{min(len(result.bank.items), 1)} item or more" if result.bank.items else "all refused"


def run(format: str, number: int, seed: int, save: Path | None, second: float = 1.0) -> int:
    """Tries `number` inputs; how many failed."""
    rng = random.Random(f"{seed} {format}")
    good = seeds(format)
    for data in good:
        try_one(data, format)
    outcomes: Counter[str] = Counter()
    failures, slowest = 0, 0.0
    started = time.perf_counter()
    for n in range(number):
        data = spoiled(rng, good, format)
        begin = time.process_time()
        try:
            outcomes[try_one(data, format)] += 1
        except Exception:
            failures += 1
            if failures <= 10:
                print(
                    f"{format} input {n} of seed {seed}:",
                    *traceback.format_exc().splitlines()[-6:],
                    sep="\n  ",
                )
            if save:
                save.mkdir(parents=True, exist_ok=True)
                (save / f"{format}-{seed}-{n}.bin").write_bytes(data)
        took = time.process_time() - begin
        slowest = max(slowest, took)
        if took > second:
            failures += 1
            print(f"{format} input {n} of seed {seed}: took {took:.1f} s")
            if save:
                save.mkdir(parents=True, exist_ok=True)
                (save / f"slow-{format}-{seed}-{n}.bin").write_bytes(data)
    seconds = time.perf_counter() - started
    shares = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    print(
        f"{format}: {number} inputs, seed {seed}: {failures} failures; {shares}; slowest {slowest:.2f} s; {seconds:.0f} s"
    )
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("number", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reader", choices=FORMATS, action="append")
    parser.add_argument("--save", type=Path)
    arguments = parser.parse_args()
    readers = arguments.reader or FORMATS
    return 1 if sum(run(name, arguments.number, arguments.seed, arguments.save) for name in readers) else 0


if __name__ == "__main__":
    sys.exit(main())
