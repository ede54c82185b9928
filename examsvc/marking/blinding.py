"""Essays leave their writers: each gets a random script code, and the map is committed to before anybody marks."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.errors import N_, Refused
from examsvc.ledger import canonical, commitments
from examsvc.ledger.operations import Sealed, record
from examsvc.marking import scope
from examsvc.marking.models import Script
from examsvc.sittings import queries as sittings
from examsvc.sittings.models import Sitting

MOST_PAIRS = 800
"""Members that a list in one entry may have; a longer map goes in parts (docs/formats/entries.md)."""
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def script_code() -> str:
    """Eight random characters without look-alikes (40 bits); says nothing of person, seat or order."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


def code_scripts(session: Session, sitting: Sitting, *, by: int, now: datetime) -> int:
    """Makes a coded script of every essay of a closed sitting, blank ones included; the number of scripts.

    The map (attempt and slot to script) goes into the log as sorted commitments, at most 800 in an entry, so that neither it nor its order tells
    anything before the marks are locked.
    """
    if sitting.closed_at is None:
        raise Refused(N_("The sitting is not closed yet. Scripts are coded when every attempt has ended."))
    attempts = [one for one in sitting.attempts if one.state in ("submitted", "closed")]
    if session.scalar(select(Script.id).where(Script.attempt_id.in_([one.id for one in attempts])).limit(1)):
        raise Refused(N_("The scripts of this sitting are coded already."))
    scripts: list[Script] = []
    for attempt in attempts:
        counted = sittings.counted_saves(session, attempt.id)
        for slot in sittings.slots(session, attempt):
            if not slot.item.by_person:
                continue
            save = counted.get(slot.number)
            scripts.append(
                Script(
                    code=script_code(),
                    competition_id=sitting.competition_id,
                    part=sitting.part,
                    post=attempt.application.post.code,
                    attempt_id=attempt.id,
                    slot=slot.number,
                    content=str((save.value or {}).get("RESPONSE", "")) if save else "",
                    late=bool(save and save.late),
                    maximum=slot.marks,
                    item_version_id=slot.item_version_id,
                    made_at=now,
                )
            )
    # stored in the order of the codes, so that no row number remembers who wrote what
    scripts.sort(key=lambda script: script.code)
    session.add_all(scripts)
    session.flush()
    pairs = []
    for script in scripts:
        content = {"attempt": script.attempt.code, "slot": script.slot, "script": script.code}
        salt = commitments.new_salt()
        pairs.append(
            (commitments.commit("blind.pair", salt, content), Sealed(content, script.attempt.application.account.code, salt))
        )
    pairs.sort(key=lambda pair: pair[0])
    sheets = [pairs[start : start + MOST_PAIRS] for start in range(0, len(pairs), MOST_PAIRS)] or [[]]
    frame = scope.of_part(sitting.competition, sitting.part, [one.application.post.code for one in attempts] or None)
    for number, sheet in enumerate(sheets, start=1):
        openings = [{"salt": (one.salt or b"").hex(), "object": dict(one.content)} for _, one in sheet]
        record(
            session,
            sitting.competition.slug,
            "blind.map",
            now=now,
            by=scope.actor(session, by),
            **frame,
            sitting=sitting.code,
            part=number,
            parts=len(sheets),
            pairs=[one for _, one in sheet],
            sealed=hashlib.sha256(canonical.encode(openings)).hexdigest(),
        )
    return len(scripts)
