"""Essays leave their writers: each gets a random script code, and who wrote what is encrypted to the code custodians.

While the scripts are coded the program knows both sides.  Afterwards nothing that it keeps joins them: no column, no order of rows, no
opening.  That is so until the marks are locked and a code custodian hands in the map that he opened on a machine of his own (`opening`).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.applications.models import Application
from examsvc.base.errors import N_, Refused
from examsvc.competitions.models import Competition
from examsvc.ledger import code_maps, commitments
from examsvc.ledger.operations import record
from examsvc.marking import queries, scope
from examsvc.marking.models import CodeMap, Script
from examsvc.papers import queries as papers
from examsvc.sittings import queries as sittings
from examsvc.sittings.models import Sitting

MOST_PAIRS = 800
"""Members that a list in one entry may have; a longer map goes in parts (docs/formats/entries.md)."""
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
TOGETHER = 3
"""Writers whose scripts share one set of barred markers, where so many sat: a bar alone then names nobody."""


def script_code() -> str:
    """Eight random characters without look-alikes (40 bits); says nothing of person, seat or order."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


def script_codes(number: int, taken: Collection[str]) -> list[str]:
    """So many different codes in random order, none of them taken."""
    found: dict[str, None] = {}
    while len(found) < number:
        code = script_code()
        if code not in taken:
            found[code] = None
    return list(found)


def hidden(close: Mapping[int, Collection[int]]) -> dict[int, list[int]]:
    """Accounts barred from each writer's scripts, ascending: those close to the writer, shared with writers to whom nobody is close.

    ``close`` maps every writer of one post to the accounts that must not mark him.  Each writer with such accounts lends them to others drawn
    at random, so that TOGETHER writers have the same; fewer where there are not enough others.  Nobody who must not mark may
    mark, and no writer loses more markers than another one has lost anyway.
    """
    chance = secrets.SystemRandom()
    writers = sorted(close)
    lenders, free = [one for one in writers if close[one]], [one for one in writers if not close[one]]
    chance.shuffle(lenders)
    chance.shuffle(free)
    found: dict[int, list[int]] = {one: [] for one in writers}
    for lender in lenders:
        together = [lender, *(free.pop() for _ in range(min(TOGETHER - 1, len(free))))]
        for one in together:
            found[one] = sorted(set(close[lender]))
    return found


def _barred(session: Session, competition: Competition, writers: list[Application]) -> dict[int, list[int]]:
    """The barred accounts of every writer, by application; hidden among those of the same post, since a script tells its post."""
    recused: dict[int, set[int]] = {}
    for one in accounts.recusals(session, competition.slug):
        recused.setdefault(one.candidate_id, set()).add(one.account_id)
    found: dict[int, list[int]] = {}
    for post in {one.post_id for one in writers}:
        found |= hidden({one.id: recused.get(one.account_id, set()) for one in writers if one.post_id == post})
    return found


def recipients(session: Session, competition: Competition, now: datetime) -> dict[str, str]:
    """The keys of the code custodians who have handed one in, by actor code."""
    found = {}
    for account in accounts.holders(session, "code-custodian", competition.slug, now):
        key = papers.custodian_key(session, competition.id, account.id)
        if key is not None:
            found[account.code] = key.recipient
    return found


def code_scripts(session: Session, sitting: Sitting, *, by: int, now: datetime) -> int:
    """Makes a coded script of every essay of a closed sitting, blank ones included; the number of scripts.

    The map (attempt and slot to script) goes into the log as sorted commitments, at most 800 in an entry; what opens them is encrypted to the
    keys of the code custodians and kept in no other form.  Refused while none of them has handed in a key.
    """
    if sitting.closed_at is None:
        raise Refused(N_("The sitting is not closed yet. Scripts are coded when every attempt has ended."))
    if queries.code_maps(session, [sitting.id]):
        raise Refused(N_("The scripts of this sitting are coded already."))
    keys = recipients(session, sitting.competition, now)
    if not keys:
        raise Refused(
            N_("No code custodian has handed in a key yet, so nobody could open the code map. A code custodian makes a key and hands it in first.")
        )
    attempts = [one for one in sitting.attempts if one.state in ("submitted", "closed")]
    written = []
    for attempt in attempts:
        counted = sittings.counted_saves(session, attempt.id)
        for slot in sittings.slots(session, attempt):
            if slot.item.by_person:
                written.append((attempt, slot, counted.get(slot.number)))
    taken = set(session.scalars(select(Script.code).where(Script.competition_id == sitting.competition_id)))
    codes = script_codes(len(written), taken)
    barred = _barred(session, sitting.competition, [one.application for one in attempts])
    words = {number: secrets.token_hex(16) for number in barred}
    scripts, pairs = [], []
    for code, (attempt, slot, save) in zip(codes, written, strict=True):
        scripts.append(
            Script(
                code=code,
                competition_id=sitting.competition_id,
                part=sitting.part,
                post=attempt.application.post.code,
                writer=words[attempt.application_id],
                barred=barred[attempt.application_id],
                content=str((save.value or {}).get("RESPONSE", "")) if save else "",
                maximum=slot.marks,
                item_version_id=slot.item_version_id,
                made_at=now,
            )
        )
        pairs.append(code_maps.Pair(commitments.new_salt(), attempt.code, slot.number, code))
    # stored in the order of the codes, so that no row number remembers who wrote what
    scripts.sort(key=lambda script: script.code)
    session.add_all(scripts)
    session.flush()
    _commit_to(session, sitting, pairs, keys, posts=[one.application.post.code for one in attempts], by=by, now=now)
    return len(scripts)


def _commit_to(
    session: Session,
    sitting: Sitting,
    pairs: list[code_maps.Pair],
    keys: Mapping[str, str],
    *,
    posts: list[str],
    by: int,
    now: datetime,
) -> None:
    """The entries of the map, and its encrypted openings beside them."""
    pairs = sorted(pairs, key=lambda pair: pair.commitment)
    sheets = [pairs[start : start + MOST_PAIRS] for start in range(0, len(pairs), MOST_PAIRS)] or [[]]
    frame = scope.of_part(sitting.competition, sitting.part, posts or None)
    for number, sheet in enumerate(sheets, start=1):
        closed = code_maps.close(sitting.code, number, sheet, keys.values())
        entry = record(
            session,
            sitting.competition.slug,
            "blind.map",
            now=now,
            by=scope.actor(session, by),
            **frame,
            sitting=sitting.code,
            part=number,
            parts=len(sheets),
            pairs=[pair.commitment for pair in sheet],
            sealed=closed.digest,
        )
        session.add(
            CodeMap(
                sitting_id=sitting.id,
                part=number,
                entry=entry.position,
                pairs=len(sheet),
                digest=closed.digest,
                ciphertext=closed.ciphertext,
                recipients=dict(keys),
                made_at=now,
            )
        )
    session.flush()
