"""The one write path of an answer: save, durable commit, acknowledgement with the digest of exactly what was stored.

Nothing here overwrites.  A repeated save gets its first reply; a base version that is not current stores nothing and
brings the current answer back; a page that lost its lease is told so; what comes after the end is kept and flagged.
The protocol is docs/formats/player-protocol.md.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session

from examsvc.base.errors import N_, Refused
from examsvc.ledger import canonical, chains, commitments
from examsvc.sittings import outages, queries, rules
from examsvc.sittings.models import Attempt, Save
from question_banks.markup import normal
from question_banks.model import Item
from question_banks.responding import count_words

MOST_SAVES = 50
MOST_DEPTH = 4


class SaveRefused(Refused):
    """Nothing of the request was stored; ``code`` and ``extra`` are what the player's protocol says."""

    def __init__(self, status: int, code: str, sentence: str, **extra: Any) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.extra = extra


@dataclass(frozen=True)
class SaveRequest:
    """One save as it came from the browser, its value made normal, with the canonical bytes that will be stored."""

    save_id: str
    slot: int
    base_version: int
    value: dict[str, Any] | None
    digest: str
    client_time: str | None


def digest_of(value: object) -> str:
    """SHA-256 of the canonical bytes of a value: what server and browser compare."""
    return hashlib.sha256(canonical.encode(value)).hexdigest()


EMPTY_DIGEST = digest_of(None)


def read_value(value: object) -> dict[str, Any] | None:
    """The value with its texts made normal; empty responses are left out and an empty object is None.

    Refused when it is no mapping, nested too deep or holds what canonical bytes do not know (a float).
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise SaveRefused(422, "refused", N_("An answer that was sent is not in a known form. Reload the page."))
    made = {str(key): _normal(part, 1) for key, part in value.items()}
    kept = {key: part for key, part in made.items() if part is not None and part != "" and part != []}
    return kept or None


def _normal(part: object, depth: int) -> Any:
    if isinstance(part, str):
        return normal(part)
    if part is None or isinstance(part, bool):
        return part
    if isinstance(part, int):
        return part
    if isinstance(part, list) and depth < MOST_DEPTH:
        return [_normal(one, depth + 1) for one in part]
    raise SaveRefused(422, "refused", N_("An answer that was sent is not in a known form. Reload the page."))


def read_saves(body: object) -> list[SaveRequest]:
    """The saves of a request, each checked for shape.  Pure: nothing is looked up."""
    malformed = SaveRefused(422, "malformed", N_("The answers that were sent could not be read. Reload the page."))
    if not isinstance(body, list) or len(body) > MOST_SAVES:
        raise malformed
    found: list[SaveRequest] = []
    for one in body:
        if not isinstance(one, dict):
            raise malformed
        slot, base, client_time = one.get("slot"), one.get("base_version"), one.get("client_time")
        try:
            save_id = str(uuid.UUID(str(one.get("save_id"))))
        except ValueError:
            raise malformed from None
        if type(slot) is not int or type(base) is not int or slot < 1 or base < 0 or base > 10**9:
            raise malformed
        value = read_value(one.get("value"))
        try:
            digest = digest_of(value)
        except canonical.CanonicalError:
            raise malformed from None
        found.append(
            SaveRequest(save_id, slot, base, value, digest, str(client_time)[:40] if client_time is not None else None)
        )
    if len({s.save_id for s in found}) != len(found) or len({s.slot for s in found}) != len(found):
        raise malformed
    return found


def reply_of(save: Save) -> dict[str, Any]:
    """What acknowledges a stored save; the same bytes every time it is asked for."""
    return {
        "save_id": save.save_id,
        "slot": save.slot,
        "version": save.version,
        "digest": save.digest,
        "saved_at": moment(save.saved_at),
        "late": save.late,
    }


def moment(value: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


@dataclass(frozen=True)
class Saved:
    """What a request to save brought about: an acknowledgement of each save, in the order they came, and the attempt's time."""

    replies: list[dict[str, Any]]
    timing: rules.Timing


def save_answers(
    session: Session,
    attempt: Attempt,
    *,
    lease: str | None,
    saves: Sequence[SaveRequest],
    now: datetime,
    flags: Sequence[int] | None = None,
    notices_read: Sequence[int] | None = None,
) -> Saved:
    """Stores all new saves or none.

    Raises SaveRefused with 423 (lease lost), 422 (a value that cannot be stored) or 409 (a base version that is not
    current).  Call it in a writing transaction, and send the reply only after its commit.
    """
    queries.hold(session, attempt)
    known, newest = _stored(session, attempt, saves)
    new = [save for save in saves if save.save_id not in known]
    if new or flags is not None or notices_read is not None:
        _check_lease(attempt, lease)
    timing = queries.timing(session, attempt)
    if new:
        _check_values(session, attempt, new)
        _check_versions(new, newest)
        known |= _store(session, attempt, new, late=_late(attempt, timing, now), now=now)
    if flags is not None:
        attempt.flags = sorted(set(flags))
    if notices_read is not None:
        attempt.notices_read = sorted({*attempt.notices_read, *notices_read})
    outages.hear(session, attempt, timing, now=now)
    session.flush()
    return Saved([reply_of(known[save.save_id]) for save in saves], timing)


def _stored(
    session: Session, attempt: Attempt, saves: Sequence[SaveRequest]
) -> tuple[dict[str, Save], dict[int, Save]]:
    """Saves of this request that were stored before, by save_id, and the newest of each slot it is about: one query."""
    if not saves:
        return {}, {}
    newest = (
        select(Save.slot, func.max(Save.version))
        .where(Save.attempt_id == attempt.id, Save.slot.in_([save.slot for save in saves]))
        .group_by(Save.slot)
    )
    asked = {save.save_id for save in saves}
    found = session.scalars(
        select(Save)
        .where(
            Save.attempt_id == attempt.id,
            or_(Save.save_id.in_(asked), tuple_(Save.slot, Save.version).in_(newest)),
        )
        .order_by(Save.version)
    ).all()
    return {save.save_id: save for save in found if save.save_id in asked}, {save.slot: save for save in found}


def _check_lease(attempt: Attempt, lease: str | None) -> None:
    if attempt.lease is None or lease != attempt.lease:
        raise SaveRefused(
            423,
            "lease-lost",
            N_("This exam is now open on another page. Go on there; what you wrote here is kept on this machine."),
        )


def _late(attempt: Attempt, timing: rules.Timing, now: datetime) -> bool:
    return attempt.state in ("submitted", "closed", "cancelled", "absent") or rules.late(timing, now)


def _check_values(session: Session, attempt: Attempt, saves: Sequence[SaveRequest]) -> None:
    slots = {slot.number: slot for slot in queries.slots(session, attempt)}
    if attempt.state == "prepared" or not slots:
        raise SaveRefused(423, "not-open", N_("The exam is not open yet. Wait for the bell."))
    paper = queries.paper(session, attempt)
    margin = paper.margin if paper is not None else 0
    verdicts = [
        (save, refusal_of(slots[save.slot].item if save.slot in slots else None, save, margin)) for save in saves
    ]
    refusals = [{"save_id": s.save_id, "slot": s.slot, "error": sentence} for s, sentence in verdicts if sentence]
    if refusals:
        raise SaveRefused(
            422, "refused", N_("Some answers could not be stored. The page shows which and why."), refusals=refusals
        )


def refusal_of(item: Item | None, save: SaveRequest, margin: float) -> str | None:
    """Why the value cannot be stored as the answer to this question, or None.  ``margin``: share above the word limit."""
    if item is None:
        return N_("This question does not exist in your paper. Reload the page.")
    if not item.accepts(save.value or {}):
        return N_("This answer cannot be stored as it is. Change it; your text is kept on this machine.")
    most = item.interactions[0].words[1] if item.kind == "essay" else None
    if most and save.value and count_words(str(save.value.get("RESPONSE", ""))) > most * (1 + margin):
        return N_("The text is longer than the paper allows. Shorten it; all of it is kept on this machine.")
    return None


def _check_versions(saves: Sequence[SaveRequest], newest: Mapping[int, Save]) -> None:
    conflicts = []
    for save in saves:
        current = newest.get(save.slot)
        if save.base_version != (current.version if current else 0):
            conflicts.append(
                {
                    "save_id": save.save_id,
                    "slot": save.slot,
                    "version": current.version if current else 0,
                    "value": current.value if current else None,
                    "digest": current.digest if current else EMPTY_DIGEST,
                    "saved_at": moment(current.saved_at) if current else None,
                }
            )
    if conflicts:
        raise SaveRefused(
            409, "conflict", N_("Some answers were changed on another page. Choose which ones to keep."), conflicts=conflicts
        )


def _store(
    session: Session, attempt: Attempt, saves: Sequence[SaveRequest], *, late: bool, now: datetime
) -> dict[str, Save]:
    head = chains.Head(attempt.code, attempt.links, attempt.chain_head)
    stored: dict[str, Save] = {}
    for save in saves:
        salt = commitments.new_salt()
        version = save.base_version + 1
        commitment = commitments.commit("attempt.save", salt, committed_save(attempt.code, save, version, late, now))
        head = chains.extend(head, commitment)
        row = Save(
            attempt_id=attempt.id,
            save_id=save.save_id,
            slot=save.slot,
            version=version,
            value=save.value,
            digest=save.digest,
            late=late,
            saved_at=now,
            client_time=save.client_time,
            salt=salt.hex(),
            commitment=commitment,
            link=head.links,
        )
        session.add(row)
        stored[save.save_id] = row
    attempt.links, attempt.chain_head = head.links, head.head
    return stored


def committed_save(attempt: str, save: SaveRequest, version: int, late: bool, now: datetime) -> dict[str, Any]:
    """The object that a link of the chain commits to: ``attempt.save`` of the ledger's vocabulary."""
    return {
        "attempt": attempt,
        "slot": save.slot,
        "version": version,
        "save": save.save_id,
        "value": save.value,
        "saved_at": int(now.timestamp()),
        "late": late,
    }
