"""Importing banks as a person does it: what a file holds, item by item; then one confirmation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from examsvc.base.errors import N_, Refused
from examsvc.base.language import LANGUAGES, nfc
from examsvc.papers import bank_words, queries
from examsvc.papers.models import Bank, BankUpload, ItemVersion, MediaFile
from examsvc.papers.paper_lint import reading_words
from question_banks import BankError, ImportResult, Item, Media, Problem, Text, read_bank, write_bank
from question_banks.duplicates import Duplicate, duplicates, shown_words
from question_banks.linting import item_media
from question_banks.model import Bank as BankDocument
from question_banks.reading import READERS
from question_banks.values import folded

KEEP_UPLOADS = timedelta(days=2)
"""A file that nobody confirmed is forgotten after so long."""
OWN_IDENTIFIERS = ("native", "qti3", "qti2")
"""Formats whose identifiers are the authors' own: the same identifier there means the same question."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")

Verdict = Literal["new", "new version", "metadata", "unchanged", "older", "refused"]


class Unreadable(Refused):
    """Nothing of the file can be read."""

    def __init__(self, error: BankError) -> None:
        place = str(error).removesuffix(error.message)
        reason = {language: bank_words.where(place, language) + bank_words.say(error, language) for language in LANGUAGES}
        super().__init__(N_("The file cannot be imported: %(reason)s"), reason=reason, field="file")
        self.error = error


@dataclass(frozen=True)
class Line:
    """What becomes of one question of the file.

    ``identifier`` is the one under which it will be kept; ``item`` is None when it was refused.  ``problems`` name what was lost or
    why it was refused, and where.
    """

    identifier: str
    verdict: Verdict
    item: Item | None
    problems: tuple[Problem, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()

    @property
    def lossy(self) -> bool:
        return self.item is not None and bool(self.problems)


@dataclass(frozen=True)
class Examination:
    """What a file holds, before anything is stored."""

    bank_name: str
    format: str
    document: BankDocument
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]

    def count(self, verdict: Verdict) -> int:
        return sum(1 for line in self.lines if line.verdict == verdict)

    @property
    def changes(self) -> int:
        """Questions that a confirmation would store or change."""
        return sum(1 for line in self.lines if line.verdict in ("new", "new version", "metadata"))


@lru_cache(maxsize=8)
def _read(digest: str, data: bytes, format: str | None, language: str) -> ImportResult:
    return read_bank(data, format, language=language)


def read(data: bytes, format: str | None = None, language: str = "vi") -> ImportResult:
    """The file as read; Unreadable with one sentence when nothing of it can be."""
    if format is not None and format not in READERS:
        raise Refused(N_("The format %(format)s is not known."), format=format, field="format")
    try:
        return _read(hashlib.sha256(data).hexdigest(), data, format, language)
    except BankError as error:
        raise Unreadable(error) from None


def check_name(name: str) -> str:
    """A bank's name as it stands in addresses."""
    name = nfc(name).strip()
    if not _NAME.fullmatch(name):
        raise Refused(
            N_("A bank's name has small letters without accents, digits and hyphens, at most 60: management-2026."), field="bank_name"
        )
    return name


def examine(session: Session, result: ImportResult, *, name: str = "") -> Examination:
    """Compares a file with the bank that it goes into: new questions, new versions, what is there already, likenesses.

    An identifier that the file's format made up (question 1, 2, …) never overwrites another question: the new one gets a free one.
    """
    name = check_name(name or re.sub(r"[^a-z0-9]+", "-", folded(result.bank.id, False, False)).strip("-") or "bank")
    found = session.scalar(select(Bank).where(Bank.name == name))
    stored = queries.current_items(session, found.id, retired=True) if found is not None else []
    newest = {version.identifier: version for version in stored}
    by_digest: dict[str, ItemVersion] = {version.digest: version for version in stored}
    older = queries.older_versions(session, found.id) if found is not None else set()
    items: list[Item] = []
    verdicts: dict[str, Verdict] = {}
    came_as: dict[str, str] = {}
    taken = set(newest)
    for item in result.bank:
        identifier = item.id
        if result.format not in OWN_IDENTIFIERS and identifier in newest and newest[identifier].digest != item.digest:
            same = by_digest.get(item.digest)
            identifier = same.identifier if same is not None and same.identifier not in verdicts else _free(identifier, taken)
        taken.add(identifier)
        kept = item if identifier == item.id else item.replaced(id=identifier)
        came_as[identifier] = item.id
        items.append(kept)
        verdicts[identifier] = "older" if (identifier, item.digest) in older else _verdict(newest.get(identifier), kept)
    likes: dict[str, list[Duplicate]] = {}
    for like in duplicates(items, [queries.item(version) for version in stored if version.retired_at is None]):
        if like.other != like.item:
            likes.setdefault(like.item, []).append(like)
    problems: dict[str, list[Problem]] = {}
    for problem in result.problems:
        problems.setdefault(problem.item, []).append(problem)
    lines = [
        Line(
            item.id,
            verdicts[item.id],
            item,
            tuple(problems.get(came_as[item.id], ())),
            tuple(likes.get(item.id, ())) if verdicts[item.id] in ("new", "new version") else (),
        )
        for item in items
    ]
    known = set(came_as.values())
    lines += [
        Line(problem.item, "refused", None, (problem,))
        for problem in result.refused
        if problem.item not in known
    ]
    whole = tuple(problem for problem in result.problems if not problem.item and problem.severity == "lossy")
    return Examination(name, result.format, result.bank.replaced(items=tuple(items)), tuple(lines), whole)


def _free(identifier: str, taken: set[str]) -> str:
    number = 2
    while f"{identifier}-{number}" in taken:
        number += 1
    return f"{identifier}-{number}"


def _verdict(stored: ItemVersion | None, item: Item) -> Verdict:
    if stored is None:
        return "new"
    if stored.digest != item.digest:
        return "new version"
    return "unchanged" if queries.item(stored).metadata == item.metadata else "metadata"


def hand_in(
    session: Session, *, file_name: str, data: bytes, format: str | None, language: str, bank_name: str, by: int, now: datetime
) -> BankUpload:
    """Keeps a file until its import is confirmed; Refused when nothing of it can be read.  Forgets files that waited too long."""
    result = read(data, format, language)
    name = examine(session, result, name=bank_name).bank_name
    session.execute(delete(BankUpload).where(BankUpload.at < now - KEEP_UPLOADS))
    made = BankUpload(
        file_name=nfc(file_name)[-200:],
        format=result.format,
        language=language,
        bank_name=name,
        digest=hashlib.sha256(data).hexdigest(),
        data=data,
        by_id=by,
        at=now,
    )
    session.add(made)
    session.flush()
    return made


def examined(session: Session, upload: BankUpload) -> Examination:
    return examine(session, read(upload.data, upload.format, upload.language), name=upload.bank_name)


def confirm(session: Session, upload: BankUpload, *, by: int, now: datetime) -> tuple[Bank, Examination]:
    """Imports what was found, as it would be found now, and forgets the file."""
    examination = examined(session, upload)
    bank = store(session, examination, by=by, now=now)
    session.delete(upload)
    session.flush()
    return bank, examination


def store(session: Session, examination: Examination, *, by: int | None, now: datetime) -> Bank:
    """Adds new questions and new versions, brings metadata up to date, leaves everything else alone."""
    document = examination.document
    bank = session.scalar(select(Bank).where(Bank.name == examination.bank_name))
    if bank is None:
        bank = Bank(
            name=examination.bank_name,
            title=dict(document.title.values),
            languages=list(document.languages),
            licence=document.licence[:200],
            imported_at=now,
            imported_by_id=by,
        )
        session.add(bank)
        session.flush()
    for line in examination.lines:
        if line.item is None or line.verdict in ("unchanged", "older"):
            continue
        if line.verdict == "metadata":
            version = queries.versions(session, bank.id, line.identifier)[0]
            describe(version, document, line.item)
            continue
        version = ItemVersion(
            bank_id=bank.id,
            identifier=line.identifier,
            digest=line.item.digest,
            added_at=now,
            added_by_id=by,
            retired_at=now if line.item.metadata.status == "retired" else None,
        )
        describe(version, document, line.item)
        session.add(version)
        _keep_media(session, document, version.media)
    session.flush()
    return bank


def describe(version: ItemVersion, document: BankDocument, item: Item) -> None:
    """Writes into a version what lists and blueprints ask for, and the item itself as a native bank of its own."""
    meta = item.metadata
    version.kind, version.topic, version.level, version.status = item.kind, meta.topic, meta.level, meta.status
    version.marks, version.words, version.by_person = f"{item.marks:f}", reading_words(item), item.by_person
    version.minutes = f"{meta.minutes:f}" if meta.minutes is not None else None
    version.enemies = list(meta.enemies)
    version.media = sorted(key.removeprefix("media/") for key in item_media(item))
    every = {
        text.plain(language) for _, text in [*item.texts(), ("title", meta.title)] if text for language in text.languages
    }
    version.search = folded(" ".join([item.id, *sorted(every), *shown_words(item), *meta.tags]), False, False)
    version.native = nfc(write_bank(document.replaced(items=(item,), media={}, tests=()), "native").data.decode())


def _keep_media(session: Session, document: BankDocument, digests: Sequence[str]) -> None:
    for digest in digests:
        medium = document.media.get(f"media/{digest}")
        if medium is not None and session.get(MediaFile, digest) is None:
            session.add(MediaFile(digest=digest, type=medium.type[:100], name=medium.name[:200], data=medium.data))
            session.flush()


def import_bank(
    session: Session, document: BankDocument, *, by: int | None, now: datetime, name: str = ""
) -> Bank:
    """A bank that the system itself brings (`question_banks.banks`), without a look at it item by item."""
    result = ImportResult(document, (), "native")
    return store(session, examine(session, result, name=name or document.id), by=by, now=now)


def retire(session: Session, bank: Bank, identifier: str, *, now: datetime) -> None:
    """Takes a question out of use: no new paper draws it, papers that have it keep it."""
    for version in queries.versions(session, bank.id, identifier):
        version.retired_at = version.retired_at or now
    session.flush()


def as_document(session: Session, bank: Bank) -> BankDocument:
    """The questions in use as one bank with its media, for an export."""
    versions = queries.current_items(session, bank.id)
    digests = sorted({key for version in versions for key in version.media})
    kept = {digest: found for digest in digests if (found := session.get(MediaFile, digest)) is not None}
    return BankDocument(
        id=bank.name,
        title=Text.of(bank.title),
        languages=tuple(bank.languages),
        licence=bank.licence,
        items=tuple(queries.item(version) for version in versions),
        media={f"media/{digest}": Media(one.data, one.type, one.name) for digest, one in kept.items()},
    )
