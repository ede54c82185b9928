"""Writing questions in the system: a new version for every change, a second person who reads it, an end that is on record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import LANGUAGES, nfc
from examsvc.papers import bank_words, banks, queries
from examsvc.papers.models import Bank, ItemDecision, ItemVersion, MediaFile
from question_banks import LIMITS, Item, ItemError, Text
from question_banks.intake import take_medium
from question_banks.linting import item_media, lint_item
from question_banks.model import Bank as BankDocument
from question_banks.problems import Finding

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


class NoQuestion(Refused):
    """What was typed is not a question yet; the sentence is question_banks'."""

    def __init__(self, error: ItemError) -> None:
        super().__init__(
            N_("This is not a question yet: %(reason)s"), reason={one: bank_words.say(error, one) for one in LANGUAGES}
        )


def make_bank(
    session: Session, *, name: str, title: dict[str, str], languages: Sequence[str], by: int, now: datetime
) -> Bank:
    """An empty bank to write in."""
    name = banks.check_name(name)
    if session.scalar(select(Bank.id).where(Bank.name == name)) is not None:
        raise Refused(N_("There is a bank of this name already. Choose another."), field="name")
    made = Bank(
        name=name,
        title={tongue: text for tongue, text in title.items() if text},
        languages=list(languages),
        licence="",
        imported_at=now,
        imported_by_id=by,
    )
    session.add(made)
    session.flush()
    return made


def check_identifier(session: Session, bank: Bank, identifier: str) -> str:
    """A new question's name, as it can stand in addresses; Refused when another question has it."""
    identifier = nfc(identifier).strip()
    if not _NAME.fullmatch(identifier):
        raise Refused(
            N_("A question's name has letters without accents, digits, hyphens and underscores, at most 80: budget-07."), field="id"
        )
    if session.scalar(select(ItemVersion.id).where(ItemVersion.bank_id == bank.id, ItemVersion.identifier == identifier)):
        raise Refused(N_("There is a question of this name already. Choose another, or open that one and change it."), field="id")
    return identifier


def head(bank: Bank) -> BankDocument:
    """The bank without its questions."""
    return BankDocument(id=bank.name, title=Text.of(bank.title), languages=tuple(bank.languages), licence=bank.licence)


def remarks(session: Session, bank: Bank, item: Item) -> tuple[Finding, ...]:
    """What the lint says of a question among the others of its bank, errors first."""
    digests = [key.removeprefix("media/") for key in item_media(item)]
    media = [f"media/{one}" for one in queries.kept_media(session, digests)]
    others = queries.identifiers(session, bank.id)
    document = head(bank).replaced(items=(item,), media=dict.fromkeys(media, None))
    order = {"error": 0, "warning": 1, "advice": 2}
    found = [
        one for one in lint_item(item, document) if one.code != "lint-enemy-unknown" or one.parameters["id"] not in others
    ]
    return tuple(sorted(found, key=lambda one: order[one.weight]))


def keep_medium(session: Session, *, name: str, data: bytes) -> MediaFile:
    """Keeps a picture, sound or film that an author brings; Refused for anything that is none by its content.  The same bytes are kept once."""
    try:
        medium = take_medium(nfc(name), data, LIMITS)
    except ItemError as error:
        raise Refused(N_("The file is not kept: %(reason)s"), reason=bank_words.both(error), field="file") from None
    digest = medium.key.removeprefix("media/")
    kept = session.get(MediaFile, digest)
    if kept is None:
        kept = MediaFile(digest=digest, type=medium.type[:100], name=medium.name[:200], data=medium.data)
        session.add(kept)
        session.flush()
    return kept


def write_question(session: Session, bank: Bank, item: Item, *, by: int, now: datetime) -> ItemVersion:
    """Stores a question that was not there before, as a draft."""
    identifier = check_identifier(session, bank, item.id)
    _check_media(session, item)
    return _store(session, bank, item.replaced(id=identifier), by=by, now=now)


def change_question(session: Session, bank: Bank, item: Item, *, base: str, by: int, now: datetime) -> ItemVersion:
    """Stores a changed question: a new version, a draft again; where only its details (topic, level, minutes …) changed, the same version.

    ``base`` is the digest of the version that was being changed.  Refused when somebody else has saved another one since, when the
    question is retired, or when it was exactly so before.
    """
    versions = queries.versions(session, bank.id, item.id)
    newest = versions[0]
    if newest.digest != base:
        raise Refused(N_("Somebody has changed this question since you opened it. Open it again and put your change into the new version."))
    if newest.retired_at is not None:
        raise Refused(N_("This question is retired. Write a new one instead."))
    _check_media(session, item)
    if item.digest == newest.digest:
        before = queries.item(newest)
        meta = item.metadata
        kept = item.replaced(metadata=replace(meta, status=before.metadata.status))
        if kept.metadata == before.metadata:
            raise Refused(N_("Nothing was changed."))
        banks.describe(newest, head(bank), kept)
        session.flush()
        return newest
    for number, old in enumerate(reversed(versions), start=1):
        if old.digest == item.digest:
            raise Refused(N_("The question stood exactly so in its version %(number)d, which is kept. Change it otherwise."), number=number)
    return _store(session, bank, item, by=by, now=now)


def _check_media(session: Session, item: Item) -> None:
    wanted = set(item_media(item))
    absent = wanted - {f"media/{digest}" for digest in queries.kept_media(session, [key.removeprefix("media/") for key in wanted])}
    if absent:
        raise Refused(N_("The picture %(name)s is not kept in the bank. Bring it in on the page of pictures, and write its name into the question."), name=min(absent)[:40])


def _store(session: Session, bank: Bank, item: Item, *, by: int, now: datetime) -> ItemVersion:
    meta = item.metadata
    draft = item.replaced(metadata=replace(meta, status="draft"))
    version = ItemVersion(
        bank_id=bank.id, identifier=item.id, digest=item.digest, added_at=now, added_by_id=by, retired_at=None
    )
    banks.describe(version, head(bank), draft)
    session.add(version)
    session.flush()
    return version


# -------------------------------------------------------------------------------- the second person


def may_review(version: ItemVersion, by: int) -> bool:
    """Nobody reviews what he wrote or brought in himself."""
    return version.added_by_id != by and version.retired_at is None


def review(
    session: Session, bank: Bank, identifier: str, *, digest: str, what: str, comment: str, by: int, now: datetime
) -> ItemDecision:
    """A second person's word on the newest version: reviewed, approved, or returned to its author with what is to be mended.

    Refused for its author, for a version that is not the newest any more, for a return without a word.
    """
    version = queries.versions(session, bank.id, identifier)[0]
    if version.digest != digest:
        raise Refused(N_("The question has changed since you opened it. Read the new version first."))
    if version.retired_at is not None:
        raise Refused(N_("This question is retired. Write a new one instead."))
    if version.added_by_id == by:
        raise Refused(N_("You wrote this version or brought it in. Another person reviews it."))
    if what not in ("reviewed", "approved", "returned"):
        raise NotFound()
    comment = nfc(comment).strip()
    if what == "returned" and not comment:
        raise Refused(N_("Write what its author is to mend."), field="comment")
    item = queries.item(version)
    if what != "returned":
        errors = [one for one in remarks(session, bank, item) if one.weight == "error"]
        if errors:
            raise Refused(
                N_("The question still has an error: %(problem)s Return it to its author."), problem=bank_words.both(errors[0])
            )
    return _decide(session, bank, version, what, comment, by=by, now=now)


def retire(session: Session, bank: Bank, identifier: str, *, reason: str, by: int, now: datetime) -> ItemDecision:
    """Takes a question out of use with a reason; papers that have it keep it."""
    version = queries.versions(session, bank.id, identifier)[0]
    if version.retired_at is not None:
        raise Refused(N_("This question is retired already."))
    if not nfc(reason).strip():
        raise Refused(N_("Write the reason."), field="reason")
    banks.retire(session, bank, identifier, now=now)
    return _decide(session, bank, version, "retired", nfc(reason).strip(), by=by, now=now)


def _decide(
    session: Session, bank: Bank, version: ItemVersion, what: str, comment: str, *, by: int, now: datetime
) -> ItemDecision:
    made = ItemDecision(item_version_id=version.id, what=what, comment=comment, by_id=by, at=now)
    session.add(made)
    item = queries.item(version)
    status = "draft" if what == "returned" else what
    banks.describe(version, head(bank), item.replaced(metadata=replace(item.metadata, status=status)))
    session.flush()
    return made
