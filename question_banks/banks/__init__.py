"""The banks that come with the system, in the native format (docs/formats/native-bank.md), Vietnamese and English.

A bank is one file NAME.toml or a folder NAME of files by topic, each a complete document with the same head:

    public-leadership   objective items and essay tasks for competitions for posts of heads of department and division
    practice            one task of each way of answering, for trying the exam player
"""

from importlib import resources
from importlib.resources.abc import Traversable

from question_banks.model import Bank
from question_banks.problems import BankError
from question_banks.reading import read_bank


def shipped() -> tuple[str, ...]:
    """The names of the banks, in alphabetical order."""
    found = {entry.name.removesuffix(".toml") for entry in _folder().iterdir() if _files(entry)}
    return tuple(sorted(found))


def shipped_bank(name: str) -> Bank:
    """The bank of that name, the items of its files in the order of the files' names.

    BankError when there is none of that name, when an item cannot be read without loss, or when two files of one
    bank disagree in their heads or repeat an identifier.
    """
    if name not in shipped():
        raise BankError("file-unreadable", file=name, reason=f"shipped are {', '.join(shipped())}")
    folder = _folder()
    entry = folder / name if (folder / name).is_dir() else folder / f"{name}.toml"
    whole: Bank | None = None
    for file in _files(entry):
        result = read_bank(file.read_bytes(), "native")
        if result.problems:
            raise BankError("native-bank", file=file.name, reason=str(result.problems[0]))
        whole = result.bank if whole is None else _joined(whole, result.bank, file.name)
    if whole is None:
        raise BankError("nothing-to-read", file=name)
    return whole


def _joined(whole: Bank, part: Bank, file: str) -> Bank:
    heads = [(b.id, b.title, b.languages, b.licence) for b in (whole, part)]
    if heads[0] != heads[1]:
        raise BankError(
            "native-bank", file=file, reason="its head differs from that of the bank's other files."
        )
    if repeated := whole.by_id.keys() & part.by_id.keys():
        raise BankError(
            "native-bank", file=file, reason=f"{min(repeated)} is in another file of the bank too."
        )
    return whole.replaced(items=whole.items + part.items, media=dict(whole.media) | dict(part.media))


def _folder() -> Traversable:
    return resources.files(__name__)


def _files(entry: Traversable) -> list[Traversable]:
    """The TOML files of a bank, by name; none where the entry is something else."""
    if entry.is_dir():
        return sorted((f for f in entry.iterdir() if f.name.endswith(".toml")), key=lambda file: file.name)
    return [entry] if entry.name.endswith(".toml") else []
