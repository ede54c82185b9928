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
from examsvc.marking.models import Guide, Script
from examsvc.papers import queries as papers
from examsvc.sittings import queries as sittings
from examsvc.sittings.models import Sitting

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def script_code() -> str:
    """Eight random characters without look-alikes (40 bits); says nothing of person, seat or order."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


def code_scripts(session: Session, sitting: Sitting, *, by: int, now: datetime) -> int:
    """Makes a coded script of every essay of a closed sitting, blank ones included; the number of scripts.

    The map (attempt and slot to script) goes into the log as sorted commitments, so that neither it nor its order tells
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
    _first_guides(session, sitting, scripts, by, now)
    pairs = []
    for script in scripts:
        content = {"attempt": script.attempt.code, "slot": script.slot, "script": script.code}
        salt = commitments.new_salt()
        pairs.append(
            (commitments.commit("blind.pair", salt, content), Sealed(content, script.attempt.application.account.code, salt))
        )
    pairs.sort(key=lambda pair: pair[0])
    sealed = hashlib.sha256(
        canonical.encode([{"salt": (one.salt or b"").hex(), "object": dict(one.content)} for _, one in pairs])
    ).hexdigest()
    record(
        session,
        sitting.competition.slug,
        "blind.map",
        now=now,
        by=scope.actor(session, by),
        **scope.of_part(sitting.competition, sitting.part, [one.application.post.code for one in attempts] or None),
        sitting=sitting.code,
        part=1,
        parts=1,
        pairs=[one for _, one in pairs],
        sealed=sealed,
    )
    return len(scripts)


def _first_guides(session: Session, sitting: Sitting, scripts: list[Script], by: int, now: datetime) -> None:
    """Version 1 of each task's marking guide is the one that came with the paper."""
    for version_id in sorted({script.item_version_id for script in scripts}):
        known = session.scalar(
            select(Guide.id).where(
                Guide.competition_id == sitting.competition_id, Guide.item_version_id == version_id
            )
        )
        if known is None:
            version = next(script.item_version for script in scripts if script.item_version_id == version_id)
            session.add(
                Guide(
                    competition_id=sitting.competition_id,
                    item_version_id=version_id,
                    version=1,
                    content=dict(papers.item(version).guide.values),
                    made_at=now,
                    made_by_id=by,
                )
            )
    session.flush()
