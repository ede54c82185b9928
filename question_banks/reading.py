"""The two doors: read_bank and write_bank, and recognising a format by its content."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from question_banks import aiken, gift, native, tables
from question_banks.limits import LIMITS, Limits
from question_banks.model import Bank
from question_banks.moodle import read_moodle, write_moodle
from question_banks.problems import BankError, Problem, ProblemLog, declare
from question_banks.qti import read_qti, write_qti2, write_qti3
from question_banks.sources import decode

declare(
    {
        "file-unreadable": "The file cannot be opened: {reason}.",
        "format-unknown": "The format {format} is not known; known are {known}.",
        "format-not-recognised": "The format of the file is not recognised. Say which it is: {known}.",
        "nothing-to-read": "The file holds no question.",
    }
)

Reader = Callable[[bytes, str, ProblemLog, Limits, str], Bank]
Writer = Callable[[Bank, ProblemLog, str], bytes]

READERS: Mapping[str, Reader] = {
    "native": native.read_native,
    "qti3": read_qti,
    "qti2": read_qti,
    "moodle-xml": read_moodle,
    "gift": gift.read_gift,
    "aiken": aiken.read_aiken,
    "csv": tables.read_csv,
    "xlsx": tables.read_xlsx,
}
WRITERS: Mapping[str, Writer] = {
    "native": lambda bank, log, language: native.write_native(bank),
    "qti3": write_qti3,
    "qti2": write_qti2,
    "moodle-xml": write_moodle,
    "gift": gift.write_gift,
    "aiken": aiken.write_aiken,
    "csv": tables.write_csv,
    "xlsx": tables.write_xlsx,
}
SUFFIXES = {
    "native": ".toml", "qti3": ".zip", "qti2": ".zip", "moodle-xml": ".xml", "gift": ".gift", "aiken": ".txt",
    "csv": ".csv", "xlsx": ".xlsx",
}  # fmt: skip


@dataclass(frozen=True)
class ImportResult:
    """What could be read, and item by item what could not: an item is taken, taken with loss, or refused."""

    bank: Bank
    problems: tuple[Problem, ...]
    format: str

    @property
    def taken(self) -> tuple[str, ...]:
        """Identifiers of the items taken without loss."""
        lossy = {problem.item for problem in self.problems if problem.severity == "lossy"}
        return tuple(item.id for item in self.bank.items if item.id not in lossy)

    @property
    def lossy(self) -> Mapping[str, tuple[Problem, ...]]:
        """By item taken with loss, what was lost."""
        kept = {item.id for item in self.bank.items}
        return _grouped(self.problems, lambda p: p.severity == "lossy" and p.item in kept)

    @property
    def refused(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "refused")


@dataclass(frozen=True)
class ExportResult:
    """The file, and what of which item it could not carry; refused items are not in it."""

    data: bytes
    problems: tuple[Problem, ...]
    format: str

    @property
    def suffix(self) -> str:
        return SUFFIXES[self.format]


def _grouped(
    problems: tuple[Problem, ...], wanted: Callable[[Problem], bool]
) -> Mapping[str, tuple[Problem, ...]]:
    names = Counter(problem.item for problem in problems if wanted(problem))
    return {name: tuple(p for p in problems if p.item == name and wanted(p)) for name in names}


def read_bank(
    source: Path | bytes, format: str | None = None, *, language: str = "vi", limits: Limits = LIMITS
) -> ImportResult:
    """A bank from a file or from its bytes. `format` is one of READERS, or None to recognise it; `language` is that of
    texts whose format does not tell it.

    One bad item never stops the rest: see the result's problems. BankError when nothing can be read at all.
    """
    file = source.name if isinstance(source, Path) else ""
    data = _bytes(source, limits)
    if not data.strip():
        raise BankError("file-empty", file=file)
    if format is None:
        format = sniff(data, file, limits)
    if format not in READERS:
        raise BankError("format-unknown", file=file, format=format, known=", ".join(READERS))
    log = ProblemLog(limits.problems)
    bank = READERS[format](data, file, log, limits, language)
    problems = log.close()
    if not bank.items and not problems:
        raise BankError("nothing-to-read", file=file)
    return ImportResult(bank, problems, format)


def _bytes(source: Path | bytes, limits: Limits) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        try:
            size = source.stat().st_size
            if size > limits.file_size:
                raise BankError("file-too-large", file=source.name, size=size, most=limits.file_size)
            data = source.read_bytes()
        except OSError as error:
            raise BankError(
                "file-unreadable", file=source.name, reason=error.strerror or str(error)
            ) from None
    if len(data) > limits.file_size:
        raise BankError("file-too-large", size=len(data), most=limits.file_size)
    return data


def write_bank(bank: Bank, format: str, *, language: str | None = None) -> ExportResult:
    """The bank in another format, which carries `language` (the bank's first unless given) where it holds only one."""
    if format not in WRITERS:
        raise BankError("format-unknown", format=format, known=", ".join(WRITERS))
    log = ProblemLog()
    carried = format == "native"
    for field, value in (("title of the bank", bank.title), ("licence", bank.licence), ("tests", bank.tests)):
        if value and not (carried and field != "tests"):
            log.lossy("export-lost", field=field)
    data = WRITERS[format](bank, log, language or bank.languages[0])
    return ExportResult(data, log.close(), format)


_ROOT = re.compile(r"<\s*(?:[\w.-]+:)?([A-Za-z][\w.-]*)[\s>/]")
_ROOTS = {
    "quiz": "moodle-xml", "assessmentitem": "qti2", "assessmenttest": "qti2", "qti-assessment-item": "qti3",
    "qti-assessment-test": "qti3",
}  # fmt: skip
_AIKEN = re.compile(r"^\s*ANSWER\s*:\s*[A-Z]\s*$", re.MULTILINE)


def sniff(data: bytes, file: str = "", limits: Limits = LIMITS) -> str:
    """The format of a file by its content; BankError when it is none that is known."""
    if data.startswith(b"PK"):
        return "xlsx" if b"xl/workbook.xml" in data else "qti3"
    text = decode(data, file, limits, xml=True)
    head = text.lstrip("\ufeff \t\r\n")
    if head.startswith("<"):
        found = _ROOT.search(re.sub(r"<!--.*?-->|<\?.*?\?>|<![^>]*>", "", head[:5000], flags=re.DOTALL))
        if found and found[1].lower() in _ROOTS:
            return _ROOTS[found[1].lower()]
    if re.search(r'^\s*format\s*=\s*"examsvc-bank/', head, re.MULTILINE):
        return "native"
    if tables.is_heading(head.split("\n", 1)[0]):
        return "csv"
    if "{" not in text and _AIKEN.search(text):
        return "aiken"
    if "{" in text and "}" in text and not head.startswith("<"):
        return "gift"
    if _AIKEN.search(text):
        return "aiken"
    raise BankError("format-not-recognised", file=file, known=", ".join(READERS))
