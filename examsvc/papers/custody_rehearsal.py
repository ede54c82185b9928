"""Rehearsal openings: the custodians try keys, machines and telephones on a paper without questions, days before the bell.

Everybody hands in a share, not only as many as open a paper: a lost key shows while there is time to name the custodians anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base import jobs
from examsvc.base.database import writing
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger import sealing
from examsvc.ledger.operations import record
from examsvc.papers import oracles, queries, scope
from examsvc.papers.custody_models import Rehearsal, RehearsalShare
from examsvc.papers.models import CustodianSet


def rehearsals(session: Session, competition_id: int, stage: str | None = None) -> list[Rehearsal]:
    """Rehearsals of a competition, or of one of its stages, the newest first."""
    chosen = select(Rehearsal).where(Rehearsal.competition_id == competition_id).order_by(Rehearsal.id.desc())
    return list(session.scalars(chosen if stage is None else chosen.where(Rehearsal.stage == stage)))


def rehearsal(session: Session, competition_id: int, code: str) -> Rehearsal:
    """A rehearsal by its code; NotFound."""
    found = session.scalar(select(Rehearsal).where(Rehearsal.competition_id == competition_id, Rehearsal.code == code))
    if found is None:
        raise NotFound()
    return found


def due_at(session: Session, competition: Competition, stage: str) -> datetime | None:
    """By when the custodians of a stage are to have rehearsed: the first bell less the regulation's days; None where it asks for
    none, no sitting is planned, or those named last have rehearsed and it opened."""
    days = competitions.regulation(competition).paper.rehearsal_days
    named = queries.custodians(session, competition.id, stage)
    if not days or named is None or rehearsed(session, competition.id, named):
        return None
    bells = [
        bell
        for part in competitions.regulation(competition).stage(stage).parts
        if (bell := oracles.bell(session, competition.id, part.id)) is not None
    ]
    return min(bells) - timedelta(days=days) if bells else None


def rehearsed(session: Session, competition_id: int, named: CustodianSet) -> bool:
    """Whether these custodians, with these keys, have opened a dummy paper."""
    return any(one.set_id == named.id and one.opened for one in rehearsals(session, competition_id, named.stage))


def ask(session: Session, competition: Competition, *, stage: str, by: int, now: datetime) -> None:
    """Has a dummy paper sealed for the custodians of a stage.  Refused while none are named, or while one is being rehearsed."""
    named = queries.custodians(session, competition.id, stage)
    if named is None:
        raise Refused(N_("No custodians are named for this stage yet. Name them first."))
    if any(one.ended_at is None for one in rehearsals(session, competition.id, stage)):
        raise Refused(N_("A rehearsal is going on already. End it before another one begins."))
    jobs.ask_for(session, "papers.rehearse", now, set=named.id, by=by)


@jobs.handles("papers.rehearse")
def deal(session: Session, arguments: Mapping[str, Any], now: datetime) -> None:
    """Seals the dummy paper and deals its shares; does nothing where others have been named since, or one is open already."""
    named = session.get_one(CustodianSet, int(arguments["set"]))
    competition_id, stage, set_id = named.competition_id, named.stage, named.id
    code = f"rehearsal-{secrets.token_hex(4)}"
    sealed = sealing.seal(
        code, sealing.rehearsal(code), {one["custodian"]: one["recipient"] for one in named.members}, named.threshold
    )
    accounts_of = {one["custodian"]: one["account"] for one in named.members}
    with writing(session):
        latest = queries.custodians(session, competition_id, stage)
        going_on = any(one.ended_at is None for one in rehearsals(session, competition_id, stage))
        if latest is None or latest.id != set_id or going_on:
            return
        session.add(
            Rehearsal(
                competition_id=competition_id,
                stage=stage,
                code=code,
                set_id=set_id,
                threshold=sealed.threshold,
                digest=sealed.digest,
                ciphertext=sealed.ciphertext,
                at=now,
                by_id=int(arguments["by"]),
                shares=[
                    RehearsalShare(
                        account_id=accounts_of[one.custodian],
                        custodian=one.custodian,
                        x=one.x,
                        commitment=one.commitment,
                        ciphertext=one.ciphertext,
                    )
                    for one in sealed.shares
                ],
            )
        )


def share_of(of: Rehearsal, account_id: int) -> RehearsalShare:
    """This custodian's share of the dummy paper; NotFound for everybody who has none."""
    found = next((one for one in of.shares if one.account_id == account_id), None)
    if found is None:
        raise NotFound()
    return found


def hand_in(session: Session, of: Rehearsal, *, data: bytes, by: int, now: datetime) -> bool:
    """A custodian hands in the opened share; the last one ends the rehearsal.

    False when the share is not the one that was dealt: that is kept, so the caller commits.
    """
    own = share_of(of, by)
    if of.ended_at is not None:
        raise Refused(N_("This rehearsal is over."))
    if own.delivered_at is not None:
        raise Refused(N_("You have handed in your share already."))
    try:
        share = sealing.read_share(data)
    except sealing.SealingError:
        raise Refused(
            N_("This file is not an opened share. Decrypt the file on your own machine with: examsvc custodian open"), field="share"
        ) from None
    if share.paper != of.code or share.custodian != own.custodian:
        raise Refused(N_("This share belongs to another paper or to another custodian."), field="share")
    if not sealing.genuine(share, _dealt(of)):
        own.false_at = now
        session.flush()
        return False
    own.delivered, own.delivered_at = data, now
    session.flush()
    if all(one.delivered_at for one in of.shares):
        jobs.ask_for(session, "papers.rehearsed", now, rehearsal=of.id, by=of.by_id)
    return True


def end(session: Session, of: Rehearsal, *, by: int, now: datetime) -> None:
    """The chair ends a rehearsal in which not everybody has handed in a share; the dummy is opened with those that are there."""
    if of.ended_at is not None:
        raise Refused(N_("This rehearsal is over."))
    jobs.ask_for(session, "papers.rehearsed", now, rehearsal=of.id, by=by)


@jobs.handles("papers.rehearsed")
def conclude(session: Session, arguments: Mapping[str, Any], now: datetime) -> None:
    """Opens the dummy paper with the shares that are there, and puts on record who took part and whether it opened."""
    of = session.get_one(Rehearsal, int(arguments["rehearsal"]))
    if of.ended_at is not None:
        return
    shares = [sealing.read_share(one.delivered) for one in of.shares if one.delivered]
    sealed = sealing.SealedPaper(of.code, of.threshold, of.ciphertext, _dealt(of))
    try:
        opened = bool(sealing.open_paper(sealed, of.digest, shares) == sealing.rehearsal(of.code))
    except sealing.BusyError:
        raise  # no verdict on anybody's share: the job is tried again
    except sealing.SealingError:
        opened = False
    number = of.id
    with writing(session):
        of = session.get_one(Rehearsal, number)
        if of.ended_at is not None:
            return
        of.ended_at, of.opened = now, opened
        session.flush()
        if not shares:
            return  # nobody came: the log names who was present, so there is nothing to say in it
        of.entry = record(
            session,
            of.competition.slug,
            "paper.rehearsed",
            now=now,
            by=scope.actor(session, int(arguments["by"])),
            **scope.of_stage(of.competition, of.stage),
            paper=of.code,
            present=sorted(share.custodian for share in shares),
            opened=opened,
        ).position


def _dealt(of: Rehearsal) -> tuple[sealing.DealtShare, ...]:
    return tuple(sealing.DealtShare(one.custodian, one.x, one.commitment, one.ciphertext) for one in of.shares)
