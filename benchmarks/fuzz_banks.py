"""Feeds every reader damaged and hostile inputs and checks what it promises: a bank or a BankError, within a second.

    python benchmarks/fuzz_banks.py 200000 --seed 1 [--reader moodle-xml] [--save FOLDER]

Inputs are made from good files (tests/question_banks/seeds and the shipped practice bank) by cutting, joining,
swapping, repeating and spoiling bytes, characters, values, elements and tokens of the format. An input that makes the
reader say something new (a set of message codes, kinds and interactions not met before) is spoiled further: so the
search goes where the reader has not been. Of what was read, two items are shown, answered and marked; every fourth
bank is linted, every tenth is written in the native format and must come back equal, every thirtieth is written in
another format and read again.
What fails is printed and, with --save, kept as a file. A run of N and a seed can be repeated exactly.
"""

import argparse
import io
import random
import re
import signal
import sys
import time
import traceback
import zipfile
import zlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from question_banks import BankError, ImportResult, Item, ItemError, Limits, lint, read_bank, write_bank
from question_banks.banks import shipped_bank
from question_banks.reading import WRITERS

# reader: the format that read_bank is told
READERS = {
    "native": "native", "qti-item": "qti3", "qti-package": "qti3", "moodle-xml": "moodle-xml", "gift": "gift", "aiken": "aiken",
    "csv": "csv", "xlsx": "xlsx",
}  # fmt: skip
SEEDS = Path(__file__).parent.parent / "tests/question_banks/seeds"
CORPUS = 400  # good files and discoveries together
HANG = 10.0  # seconds of processor time after which an input is given up
LIMITS = Limits(text_size=2_000_000, file_size=2_000_000, archive_size=4_000_000)
TOKENS = {
    "native": ["[[item]]", "[item.prompt]", 'kind = "gap"', "choices = [", "{", "}", "]", '"""', "[[g1]]", "correct = true", "1e999", "'''", 'marks = "1/0"'],
    "moodle-xml": ["<question type=\"cloze\">", "</question>", "<answer fraction=\"1e5\">", "<![CDATA[", "]]>", "&lt;", "&#0;", "<!DOCTYPE a>", "{1:MC:=a~b}", "{#", "[[1]]", "<file encoding=\"base64\">!!</file>", "NaN"],
    "gift": ["{", "}", "::", "=", "~", "->", "#", "####", "%50%", "\\", "[html]", "{#1:2}", "$CATEGORY: a/b", "//", "\n\n", "{T}", "..", "<b>"],
    "aiken": ["ANSWER: A", "ANSWER:", "A. ", "B) ", "\n", "Z. ", "\n\n"],
    "csv": [",", ";", "\t", '"', "\n", "=1+1", "match", "=>", "[[g1]]", "g1 = *a | b", "kind", "'"],
    "xlsx": ["<c r=\"ZZ9\"><v>1</v></c>", "<f>1+1</f>", "t=\"s\"", "<v>99999</v>", "</row>", "<row r=\"-1\">", "<!DOCTYPE a>", "&lt;", "t=\"inlineStr\"", "NaN", "1e999"],
    "qti": ["<qti-gap-match-interaction response-identifier=\"R\">", "<qti-mapping>", "<qti-sum>", "</qti-prompt>", "coords=\"a\"", "<math>", "cardinality=\"record\"", "NaN", "<!DOCTYPE a>", "&lt;", "[[end]]", "[[show A b]]", "<qti-template-block>"],
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


def seeds(reader: str) -> list[bytes]:
    """Good files for the reader: the kept ones, and pairs of items of the shipped practice bank."""
    kept = [path.read_bytes() for path in sorted((SEEDS / reader).glob("*"))]
    if reader == "qti-item":
        return kept
    if reader == "qti-package":
        kept = _packages(seeds("qti-item"))
    if reader == "xlsx":
        tables = [read_bank(data, "csv").bank for data in seeds("csv")]
        kept = [write_bank(table, "xlsx").data for table in tables]
    bank = shipped_bank("practice")
    parts = [bank.replaced(items=bank.items[n : n + 2]) for n in range(len(bank))]
    formats = ("qti3", "qti2") if reader == "qti-package" else (READERS[reader],)
    written = [write_bank(part, format).data for format in formats for part in parts]
    return kept + [data for data in written if data.strip()]


PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cfc0f01f0005000"
    "1ff89991d3d0000000049454e44ae426082"
)
TEST = (
    '<qti-assessment-test xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0" identifier="T" title="T"><qti-test-part identifier="P" '
    'navigation-mode="linear" submission-mode="individual"><qti-assessment-section identifier="S" title="S" visible="true">'
    '<qti-selection select="1"/><qti-ordering shuffle="true"/><qti-assessment-item-ref identifier="i0" href="items/0.xml"/>'
    "</qti-assessment-section></qti-test-part></qti-assessment-test>"
)


def _packages(items: list[bytes]) -> list[bytes]:
    """A package of each two neighbouring items, with a picture and a test."""
    made = []
    for pair in zip(items, items[1:] + items[:1], strict=True):
        listed = "".join(
            f'<resource identifier="r{n}" type="imsqti_item_xmlv3p0" href="items/{n}.xml"><file href="items/{n}.xml"/></resource>'
            for n in range(2)
        )
        listed += '<resource identifier="t" type="imsqti_test_xmlv3p0" href="test.xml"/>'
        manifest = f'<manifest xmlns="http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1" identifier="m"><resources>{listed}</resources></manifest>'
        named = {f"items/{n}.xml": data for n, data in enumerate(pair)}
        made.append(
            _zipped(
                {
                    "imsmanifest.xml": manifest.encode(),
                    **named,
                    "media/map.png": PICTURE,
                    "test.xml": TEST.encode(),
                }
            )
        )
    return made


def _zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


def spoiled(rng: random.Random, good: list[bytes], reader: str) -> bytes:
    """One input: a good file with one to eight changes, half of the time such that its frame stays whole."""
    data = rng.choice(good)
    if data.startswith(b"PK") and rng.random() < 0.85:
        with suppress(zipfile.BadZipFile, OSError, NotImplementedError, ValueError, zlib.error):
            return _repacked(rng, data, reader)
    if rng.random() < 0.002:
        return _stretched(rng, data, reader)
    if rng.random() < 0.6:
        if data.lstrip().startswith(b"<"):
            return _inside_xml(rng, data, reader)
        if reader in VALUES:
            return _inside_values(rng, data, reader)
    return _anywhere(rng, data, good, reader)


def _repacked(rng: random.Random, data: bytes, reader: str) -> bytes:
    """An archive with one member spoiled, renamed, doubled or left out."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if not members:
        return data
    name = rng.choice(list(members))
    if reader == "xlsx" and rng.random() < 0.7:  # where the cells are
        name = rng.choice(
            [known for known in members if "sheet1.xml" in known or "Strings" in known] or [name]
        )
    change = rng.randrange(12)
    inner = members[name]
    if change == 0:
        del members[name]
    elif change == 1:
        members[rng.choice(("../x.xml", "/etc/passwd", "a/../../b", "C:\\x", "items/x.zip", "ü.xml"))] = inner
    elif inner.lstrip().startswith(b"<"):
        members[name] = _inside_xml(rng, inner, reader)
    else:
        members[name] = _anywhere(rng, inner, [inner], reader)
    return _zipped(members)


def _stretched(rng: random.Random, data: bytes, reader: str) -> bytes:
    """A token of the format, or one of Markdown or HTML, repeated for as long as a text may be and beyond."""
    signs = (
        "<p",
        "<",
        "[",
        "![",
        "*",
        "_",
        "`",
        "-",
        "&",
        "<!--",
        "|",
        " ",
        "ế",
        "9",
        "[[a]]",
        "<span lang=",
        "\\",
        "'",
        '"',
    )
    token = rng.choice((*signs, *TOKENS["qti" if reader.startswith("qti") else reader]))
    at = rng.randrange(len(data) + 1)
    return data[:at] + (token * 20_000)[: rng.choice((2_000, 9_000, 19_000, 150_000))].encode() + data[at:]


def _inside_xml(rng: random.Random, data: bytes, reader: str) -> bytes:
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


def _inside_values(rng: random.Random, data: bytes, reader: str) -> bytes:
    """Text with some of its values or lines changed, taken from elsewhere, left out or repeated."""
    text = data.decode("utf-8", "replace")
    for _ in range(rng.choice((1, 1, 2, 4))):
        spots = [found for found in VALUES[reader].finditer(text) if found[0]]
        if not spots:
            break
        one, two = rng.choice(spots), rng.choice(spots)
        odd = rng.choice(
            (two[0], two[0], "", "-1", "A B", "0", "true", "1/3", "[[g1]]", "*", "=>", "ế" * 300, "1e999")
        )
        if reader == "native" and one[0].startswith('"') and not odd.startswith('"'):
            odd = f'"{odd}"'
        text = text[: one.start()] + odd * rng.choice((1, 1, 1, 2)) + text[one.end() :]
    return text.encode()[:200_000]


# what a change replaces, where the format is no XML
VALUES = {
    "native": re.compile(r'"[^"\n]*"|\b(?:true|false|\d+)\b|^.*\n|\{[^{}\n]*\}', re.MULTILINE),
    "gift": re.compile(r"(?<=[{~=%#>:])[^{}~=%#>:\n]+|^.*\n", re.MULTILINE),
    "aiken": re.compile(r"^.*\n|\b\w+\b", re.MULTILINE),
    "csv": re.compile(r"[^,;\n\"]+|^.*\n", re.MULTILINE),
}
SPOTS = re.compile(r'(?<==")[^"<>]*(?=")|(?<=>)[^<>]+(?=<)|(?<=</)[\w-]+(?=>)')
ELEMENTS = re.compile(r"<([\w-]+)\b[^<>]*>[^<>]*</\1>|<[\w-]+\b[^<>]*/>")


def _anywhere(rng: random.Random, whole: bytes, good: list[bytes], reader: str) -> bytes:
    data = bytearray(whole)
    tokens = TOKENS["qti" if reader.startswith("qti") else reader]
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
            start = rng.randrange(max(1, len(other)))
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


@dataclass(frozen=True)
class Reading:
    """What came of an input: the outcome in a word, and the set of things that it made the reader say."""

    outcome: str
    said: frozenset[str]


def try_one(data: bytes, reader: str, number: int = 0) -> Reading:
    """Reads, and uses what was read. Anything but a promised outcome raises.

    `number`: every fourth bank is linted, every tenth written in the native format, every thirtieth in another one too.
    """
    rng = random.Random(number)
    try:
        result = read_bank(data, READERS[reader], limits=LIMITS)
    except BankError as refusal:
        return Reading("not read" if refusal.message.strip() else "", frozenset([refusal.code]))
    for problem in result.problems:
        assert problem.message.strip()
    if number % 4 == 0:
        lint(result.bank)
    for item in rng.sample(result.bank.items, min(2, len(result.bank))):
        with suppress(ItemError):
            _used(item.instance(1), rng)
    if number % 10 == 0 and result.bank.items:
        _written(result, list(WRITERS)[number // 30 % len(WRITERS)] if number % 30 == 0 else "")
    said = {problem.code for problem in result.problems} | {item.kind for item in result.bank}
    said |= {interaction.kind for item in result.bank for interaction in item.interactions}
    said |= {f"{rule.method} rule" for item in result.bank for rule in item.rules}
    said |= {node.name for item in result.bank if item.processing for node in item.processing.walk()}
    return Reading("1 item or more" if result.bank.items else "all refused", frozenset(said))


def _used(one: Item, rng: random.Random) -> None:
    """Shows the item, and marks its key, nothing, and odd responses."""
    one.presentation("vi", 1)
    one.mark({declared.id: declared.correct for declared in one.responses})
    for interaction in one.interactions[:5]:
        for value in rng.sample(RESPONSES, 3):
            one.accepts({interaction.response: value})
            one.mark({interaction.response: value})  # type: ignore[dict-item]


def _written(result: ImportResult, format: str) -> None:
    """The native format carries everything; any other must read what it wrote."""
    again = read_bank(write_bank(result.bank, "native").data, "native")
    assert again.bank.items == result.bank.items, "native is not exact"
    assert again.problems == (), f"native: {again.problems[0]}"
    if format:
        written = write_bank(result.bank, format)
        refused = {problem.item for problem in written.problems if problem.severity == "refused"}
        refused |= {problem.item for problem in written.problems if problem.code == "export-unreadable"}
        if refused != {item.id for item in result.bank}:
            assert len(read_bank(written.data, format).bank) == len(result.bank) - len(refused), format


class HangError(BaseException):
    """An input took so long that it was given up; no reader catches this."""


def _give_up(number: int, frame: FrameType | None) -> None:
    raise HangError


def run(reader: str, number: int, seed: int, save: Path | None, second: float = 1.0) -> int:
    """Tries `number` inputs; how many failed."""
    rng = random.Random(f"{seed} {reader}")
    good = seeds(reader)
    kept = len(good)
    known = {try_one(data, reader).said for data in good}
    packed = good[0].startswith(b"PK")  # a discovery longer than this would slow down what follows
    most = 60_000 if packed else 2 * max(map(len, good))
    outcomes: Counter[str] = Counter()
    failures, slowest = 0, 0.0
    signal.signal(signal.SIGVTALRM, _give_up)
    started = time.process_time()

    def failed(n: int, data: bytes, why: str) -> None:
        nonlocal failures
        failures += 1
        if failures <= 20:
            print(f"{reader} input {n} of seed {seed}: {why}", flush=True)
        if save:
            save.mkdir(parents=True, exist_ok=True)
            (save / f"{reader}-{seed}-{n}").write_bytes(data)

    for n in range(number):
        data = spoiled(rng, good, reader)
        begin = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, HANG)
        try:
            reading = try_one(data, reader, n)
        except HangError:
            failed(n, data, f"given up after {HANG:.0f} s")
            continue
        except Exception:
            failed(n, data, "\n  ".join(["", *traceback.format_exc().splitlines()[-6:]]))
            continue
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        took = time.process_time() - begin
        slowest = max(slowest, took)
        outcomes[reading.outcome] += 1
        if took > second:
            failed(n, data, f"took {took:.1f} s")
        elif reading.said not in known and reading.outcome != "not read" and len(data) < most:
            known.add(reading.said)
            if len(good) < CORPUS:
                good.append(data)
            else:
                good[rng.randrange(kept, CORPUS)] = data
    seconds = time.process_time() - started
    shares = ", ".join(f"{count:,} {name}" for name, count in sorted(outcomes.items()))
    print(
        f"{reader}: {number:,} inputs, seed {seed}: {failures} failures; {shares}; {len(known):,} different reports; "
        f"slowest {slowest:.2f} s; {seconds:.0f} s of processor time",
        flush=True,
    )
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("number", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reader", choices=READERS, action="append")
    parser.add_argument("--save", type=Path)
    arguments = parser.parse_args()
    readers = arguments.reader or list(READERS)
    return 1 if sum(run(name, arguments.number, arguments.seed, arguments.save) for name in readers) else 0


if __name__ == "__main__":
    sys.exit(main())
