"""Opening the code map: after the lock and two approvals, a code custodian hands in what he decrypted on a machine of his own."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from examsvc.accounts import queries as accounts
from examsvc.accounts.models import ApprovalRequest
from examsvc.applications.models import Application
from examsvc.base.errors import N_, NotAllowed, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger import code_maps
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry, Opening
from examsvc.ledger.operations import Sealed, record
from examsvc.marking import queries, replacing
from examsvc.marking.models import CodeMap, Script, StageLock
from examsvc.sittings.models import Attempt


def closed_file(session: Session, competition: Competition, stage: str) -> code_maps.ClosedFile:
    """The encrypted map of a locked stage, for a code custodian to take away.

    Given out only once two people have approved the opening: before, a custodian's key alone opens nothing.
    """
    _standing(session, competition, stage)
    parts = []
    for one in queries.closed_maps(session, competition, stage):
        part = code_maps.ClosedPart(one.sitting.code, one.part, one.ciphertext or b"")
        if part.digest != one.digest:
            raise Refused(N_("The code map kept here is not the one in the record any more. Put it back from a backup."))
        parts.append(part)
    return code_maps.ClosedFile(competition.slug, stage, tuple(parts))


def _standing(session: Session, competition: Competition, stage: str) -> StageLock:
    """The lock whose map may be opened now; Refused with what comes before."""
    lock = queries.lock(session, competition.id, stage)
    if lock is None:
        raise Refused(N_("The marks of this stage are not locked yet; the code map stays closed."))
    if lock.opened_at is not None:
        raise Refused(N_("The code map of this stage is open already."))
    if lock.opening_id is None:
        raise Refused(N_("Two people approve the opening of the code map first."))
    return lock


class Found(NamedTuple):
    """One pair of the map, with the place of its commitment and the rows that it joins."""

    map: CodeMap
    place: int
    pair: code_maps.Pair
    script: Script
    attempt: Attempt


def hand_in(session: Session, competition: Competition, *, stage: str, data: bytes, by: int, now: datetime) -> int:
    """A code custodian hands in the opened map of a locked stage; the number of scripts that got their writers back.

    Every opening is held against its commitment in the log: all of them, each once, and no other.  Whatever does not fit is refused and
    changes nothing.
    """
    holders = {one.id: one.code for one in accounts.holders(session, "code-custodian", competition.slug, now)}
    if by not in holders:
        raise NotAllowed(N_("Only a code custodian hands in the code map."))
    lock = _standing(session, competition, stage)
    maps = queries.closed_maps(session, competition, stage)
    try:
        given = code_maps.read_opened(data)
    except code_maps.CodeMapError:
        raise Refused(
            N_("This file is not an opened code map. Open it on your own machine with: examsvc custodian open-map"), field="map"
        ) from None
    if (given.competition, given.stage) != (competition.slug, stage):
        raise Refused(N_("This is the code map of another competition or stage."), field="map")
    entries = _entries(session, competition, maps)
    found = _join(session, competition, maps, entries, given)
    for one in found:
        one.script.attempt_id, one.script.slot = one.attempt.id, one.pair.slot
    for opened in maps:
        opened.ciphertext, opened.opened_at = None, now
    lock.opened_at = now
    session.flush()
    request = session.get_one(ApprovalRequest, lock.opening_id)
    record(
        session,
        competition.slug,
        "blind.open",
        now=now,
        by=holders[by],
        approvals=[(vote.by.code, vote.at) for vote in request.votes],
        summary=Sealed({"type": request.entry_type, "lines": list(request.lines)}),
        stage=stage,
        posts=queries.posts_with_candidates(session, competition),
        lock=lock.number,
        custodians=[holders[by]],
        pairs=len(found),
    )
    session.add_all(_opening(one, entries[one.map.id].id, now) for one in found)
    session.flush()
    for one in found:
        session.expire(one.script, ["attempt"])
    replacing.recuse_those_who_recognised(session, [one.script for one in found], now)
    return len(found)


def _entries(session: Session, competition: Competition, maps: list[CodeMap]) -> dict[int, LogEntry]:
    """The entry that each map was committed to in, by the map's number."""
    rows = session.scalars(
        select(LogEntry).where(LogEntry.log == competition.slug, LogEntry.position.in_([one.entry for one in maps]))
    )
    by_place = {row.position: row for row in rows}
    return {one.id: by_place[one.entry] for one in maps}


def _join(
    session: Session,
    competition: Competition,
    maps: list[CodeMap],
    entries: dict[int, LogEntry],
    given: code_maps.OpenedFile,
) -> list[Found]:
    """The pairs handed in, each with its commitment and its rows; Refused unless they are exactly those committed to."""
    handed = {(one.sitting, one.part): one.pairs for one in given.parts}
    if len(handed) != len(given.parts) or handed.keys() != {(one.sitting.code, one.part) for one in maps}:
        raise Refused(N_("The file does not hold the maps of exactly the sittings of this stage."), field="map")
    parts = [one.id for one in competitions.regulation(competition).stage(given.stage).parts]
    scripts = {one.code: one for part in parts for one in queries.scripts(session, competition.id, part) if one.attempt_id is None}
    written = (
        select(Attempt)
        .where(Attempt.sitting_id.in_({one.sitting_id for one in maps}))
        .options(joinedload(Attempt.application).joinedload(Application.account))
    )
    attempts = {one.code: one for one in session.scalars(written)}
    found = []
    for of in maps:
        places = {commitment: place for place, commitment in enumerate(read_entry(entries[of.id].entry).body["pairs"])}
        pairs = handed[of.sitting.code, of.part]
        for pair in pairs:
            place = places.pop(pair.commitment, None)
            if place is None:
                raise Refused(
                    N_("What the file says of the script %(code)s is not what was committed to when the scripts were coded. Nothing was opened."),
                    code=pair.script[:20],
                    field="map",
                )
            if pair.script not in scripts or pair.attempt not in attempts:
                raise Refused(N_("The script %(code)s or its attempt is missing here. Nothing was opened."), code=pair.script[:20], field="map")
            found.append(Found(of, place, pair, scripts[pair.script], attempts[pair.attempt]))
        if places:
            raise Refused(N_("The file leaves out %(number)d pairs that were committed to. Nothing was opened."), number=len(places), field="map")
    return found


def _opening(one: Found, entry_id: int, now: datetime) -> Opening:
    """What opens the pair's commitment from now on; of somebody whose answers were erased meanwhile, the mark that it is gone."""
    gone = one.attempt.receipt is None
    return Opening(
        entry_id=entry_id,
        field=f"pairs.{one.place}",
        type="blind.pair",
        commitment=one.pair.commitment,
        salt=None if gone else one.pair.salt.hex(),
        content=None if gone else one.pair.object,
        subject=one.attempt.application.account.code,
        erased_at=now if gone else None,
    )
