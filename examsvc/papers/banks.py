"""Importing banks as a person does it: what a file holds, item by item; then one confirmation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from examsvc.base.database import advisory_lock
from examsvc.base.errors import N_, Refused
from examsvc.base.language import LANGUAGES, nfc
from examsvc.papers import bank_words, queries
from examsvc.papers.models import Bank, ItemVersion, MediaFile
from examsvc.papers.paper_lint import reading_words
from question_banks import BankError, ImportResult, Item, Media, Problem, Text, read_bank, write_bank
from question_banks.duplicates import Duplicate, duplicates, shown_words
from question_banks.intake import free
from question_banks.linting import item_media
from question_banks.model import Bank as BankDocument
from question_banks.reading import READERS
from question_banks.values import folded

OWN_IDENTIFIERS = ("native", "qti3", "qti2")
"""Formats whose identifiers are the authors' own: the same identifier there means the same question."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")

Verdict = Literal["new", "new version", "metadata", "unchanged", "older", "refused"]
CHANGING: tuple[Verdict, ...] = ("new", "new version", "metadata")
"""Verdicts whose questions a confirmation stores or changes."""


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
        return sum(1 for line in self.lines if line.verdict in CHANGING)


@lru_cache(maxsize=2)
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
    What a person of this installation decided on a question stays, whatever state the file gives it.
    """
    name = check_name(name or re.sub(r"[^a-z0-9]+", "-", folded(result.bank.id, False, False)).strip("-") or "bank")
    found = session.scalar(select(Bank).where(Bank.name == name))
    stored = queries.current_items(session, found.id, retired=True) if found is not None else []
    newest = {version.identifier: version for version in stored}
    by_digest: dict[str, ItemVersion] = {version.digest: version for version in stored}
    older = queries.older_versions(session, found.id) if found is not None else set()
    decided = queries.decided(session, found.id) if found is not None else set()
    items: list[Item] = []
    verdicts: dict[str, Verdict] = {}
    came_as: dict[str, str] = {}
    taken = set(newest)
    for item in result.bank:
        identifier = item.id
        if result.format not in OWN_IDENTIFIERS and identifier in newest and newest[identifier].digest != item.digest:
            same = by_digest.get(item.digest)
            identifier = same.identifier if same is not None and same.identifier not in verdicts else free(identifier, taken)
        taken.add(identifier)
        kept = item if identifier == item.id else item.replaced(id=identifier)
        came_as[identifier] = item.id
        here = newest.get(identifier)
        if here is not None and here.digest == kept.digest and here.id in decided:
            kept = kept.replaced(metadata=replace(kept.metadata, status=here.status))  # a file does not overrule the second person
        items.append(kept)
        verdicts[identifier] = "older" if (identifier, item.digest) in older else _verdict(here, kept)
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


def _verdict(stored: ItemVersion | None, item: Item) -> Verdict:
    if stored is None:
        return "new"
    if stored.digest != item.digest:
        return "new version"
    return "unchanged" if queries.item(stored).metadata == item.metadata else "metadata"


@dataclass(frozen=True)
class Row:
    """What an import writes of one question: everything is computed before the transaction begins."""

    identifier: str
    verdict: Verdict
    digest: str
    columns: Mapping[str, Any]


def rows(examination: Examination) -> list[Row]:
    """Of every question that a confirmation would store or change."""
    return [
        Row(line.identifier, line.verdict, line.item.digest, columns(examination.document, line.item))
        for line in examination.lines
        if line.item is not None and line.verdict in CHANGING
    ]


def store(
    session: Session, examination: Examination, *, by: int | None, now: datetime, prepared: Sequence[Row] | None = None
) -> Bank:
    """Adds new questions and new versions, brings metadata up to date, leaves everything else alone; all of it or nothing.

    ``prepared`` is what ``rows`` gave before the transaction; of many questions that takes longer than a transaction should.
    """
    prepared = rows(examination) if prepared is None else prepared
    kept = keep_head(session, examination.bank_name, examination.document, by=by, now=now)
    write(session, kept, prepared, by=by, now=now)
    media = examination.document.media
    for digest in lacking_media(session, prepared):
        if (medium := media.get(f"media/{digest}")) is not None:
            session.add(MediaFile(digest=digest, type=medium.type[:100], name=medium.name[:200], data=medium.data))
    session.flush()
    return kept


def keep_head(session: Session, name: str, document: BankDocument, *, by: int | None, now: datetime) -> Bank:
    """The bank of this name, made from the file's head where there is none yet; nobody else writes into it until the transaction ends."""
    advisory_lock(session, f"bank {name}")
    bank = session.scalar(select(Bank).where(Bank.name == name))
    if bank is None:
        bank = Bank(
            name=name,
            title=dict(document.title.values),
            languages=list(document.languages),
            licence=document.licence[:200],
            imported_at=now,
            imported_by_id=by,
        )
        session.add(bank)
        session.flush()
    return bank


def write(session: Session, bank: Bank, prepared: Sequence[Row], *, by: int | None, now: datetime) -> None:
    """The rows in few statements, so that an import of ten thousand questions holds up nobody else's writing for long."""
    versions: list[dict[str, Any]] = [
        {
            "bank_id": bank.id,
            "identifier": row.identifier,
            "digest": row.digest,
            "added_at": now,
            "added_by_id": by,
            "retired_at": now if row.columns["status"] == "retired" else None,
            **row.columns,
        }
        for row in prepared
        if row.verdict != "metadata"
    ]
    if versions:
        session.execute(insert(ItemVersion), versions)
    changed = {(row.identifier, row.digest): row for row in prepared if row.verdict == "metadata"}
    if changed:
        newest = queries.digests(session, bank.id)
        session.execute(
            update(ItemVersion),
            [{"id": newest[row.identifier][0], **row.columns} for row in changed.values() if newest[row.identifier][1] == row.digest],
        )
    session.flush()


def lacking_media(session: Session, prepared: Iterable[Row]) -> list[str]:
    """Digests of the files that these questions show and that are not kept yet."""
    wanted = {digest for row in prepared for digest in row.columns["media"]}
    return sorted(wanted - queries.kept_media(session, wanted))


def columns(document: BankDocument, item: Item) -> dict[str, Any]:
    """What lists and blueprints ask for of a version, and the item itself as a native bank of its own."""
    meta = item.metadata
    every = {
        text.plain(language) for _, text in [*item.texts(), ("title", meta.title)] if text for language in text.languages
    }
    return {
        "kind": item.kind,
        "topic": meta.topic,
        "level": meta.level,
        "status": meta.status,
        "marks": f"{item.marks:f}",
        "words": reading_words(item),
        "by_person": item.by_person,
        "minutes": f"{meta.minutes:f}" if meta.minutes is not None else None,
        "enemies": list(meta.enemies),
        "media": sorted(key.removeprefix("media/") for key in item_media(item)),
        "search": folded(" ".join([item.id, *sorted(every), *shown_words(item), *meta.tags]), False, False),
        "native": nfc(write_bank(document.replaced(items=(item,), media={}, tests=()), "native").data.decode()),
    }


def describe(version: ItemVersion, document: BankDocument, item: Item) -> None:
    """Writes into a version what ``columns`` says of the item."""
    for name, value in columns(document, item).items():
        setattr(version, name, value)


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
