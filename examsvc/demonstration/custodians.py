"""The invented custodians of the demonstration.  A real custodian's key never leaves a machine of his own."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.base import jobs
from examsvc.base.database import writing
from examsvc.competitions.models import Competition
from examsvc.ledger import code_maps, sealing
from examsvc.marking import opening
from examsvc.marking import queries as marking
from examsvc.marking.models import StageLock
from examsvc.papers import custody
from examsvc.papers import queries as papers
from examsvc.papers.models import Form
from examsvc.sittings import planning
from examsvc.sittings.models import Sitting

KEYS = {
    "giukhoa1": (
        "AGE-SECRET-KEY-12VZ57TLRTZRCUALSDZ6ZTVUF387ZMPPYAWVPKAKX3EULW2KQGXYQJLKAHX",
        "age12n57unpx0uwmz3s8away38nqvcpxd2eh6em4n375pmwrun07ad5qs0zyh5",
    ),
    "giukhoa2": (
        "AGE-SECRET-KEY-1KE9VKJE6CHGF459PVAJ54MCESEW2XUR4PSN5RNNMLZYQP3Y2J4MQ8W8PWD",
        "age1c4s7q0ppwnmesk6ly87s7u5ul2knreggrahwdmngrzn8ke6u0sgs9eztv5",
    ),
    "giukhoa3": (
        "AGE-SECRET-KEY-1WNHARDGP7NKJL9A8UY9ANMTYXUSCALVRNLZ7JKT2JSKTRC84K29QJ9RYUQ",
        "age1pnmy8rtsnw6npz4lmrhjdajpck3v58pfpcq4t4ff375ke2n7gulsgzwgw3",
    ),
}
"""Handle → (secret identity, public recipient): known to everybody, good for invented papers only."""

CODER = "giuphach"
CODER_KEY = (
    "AGE-SECRET-KEY-1GFTTCYUHCAJZRLPE5HFZAEM4C5V39FDSL76XE74UG5SFX2NAXMMSZRF3EF",
    "age1fqvalwsezsx760kevctzk32m75hr9esujg5srh8a8mn04zf67u0qlp7yea",
)
"""The invented code custodian's, likewise: on the page /demo as a file, for whoever plays that part."""

ON_DUTY = ("giukhoa1", "giukhoa2")


def open_paper(session: Session, form_id: int, *, domain: str, now: datetime) -> None:
    """Two custodians decrypt their shares and hand them in; the paper opens."""
    for handle in ON_DUTY:
        account = accounts.by_email(session, f"{handle}@{domain}")
        if account is None:
            raise LookupError(handle)
        number = account.id
        with writing(session):
            form = session.get_one(Form, form_id)
            dealt = custody.share_of(form, number)
            if dealt.delivered is None:
                share = sealing.decrypt_share(dealt.ciphertext, KEYS[handle][0])
                custody.deliver_share(session, form, data=share.data, by=number, now=now)
    custody.open_form(session, {"form": form_id}, now)


def make_ready(session: Session, sitting_id: int, form_id: int, *, domain: str, now: datetime) -> None:
    """Opens the paper and makes the attempts of the sitting, as far as nobody has done it; the worker may be at it at the same time."""
    if session.get_one(Form, form_id).state == "sealed":
        open_paper(session, form_id, domain=domain, now=now)
    with writing(session):
        sitting = session.get_one(Sitting, sitting_id)
        if sitting.prepared_at is None:
            planning.prepare_attempts(session, sitting, form=session.get_one(Form, form_id), now=now)


def written_by(session: Session, sitting_id: int) -> dict[str, str]:
    """The attempt code of each script code of a coded sitting, read with the invented code custodian's key."""
    maps = [one for one in marking.code_maps(session, [sitting_id]) if one.ciphertext is not None]
    parts = tuple(code_maps.ClosedPart(one.sitting.code, one.part, one.ciphertext or b"") for one in maps)
    opened = code_maps.open_file(code_maps.ClosedFile("", "", parts), CODER_KEY[0])
    return {pair.script: pair.attempt for part in opened.parts for pair in part.pairs}


def hand_in_codes(session: Session, competition: Competition, stage: str, *, domain: str, now: datetime) -> None:
    """The invented code custodian opens the map of a stage and hands it in."""
    account = accounts.by_email(session, f"{CODER}@{domain}")
    if account is None:
        raise LookupError(CODER)
    by, data = account.id, code_maps.open_file(opening.closed_file(session, competition, stage), CODER_KEY[0]).data
    with writing(session):
        opening.hand_in(session, competition, stage=stage, data=data, by=by, now=now)


def turn_up(session: Session, now: datetime, *, domain: str) -> None:
    """Opens every sealed paper whose time has come, and makes the attempts of its sitting, so that a visitor finds an exam to sit; hands in
    the code maps whose opening two people have approved."""
    for lock in session.scalars(select(StageLock).where(StageLock.opening_id.is_not(None), StageLock.opened_at.is_(None))).all():
        competition = session.get_one(Competition, lock.competition_id)
        maps = marking.closed_maps(session, competition, lock.stage)
        held = f"{CODER}@{domain}" in {one.email for one in accounts.holders(session, "code-custodian", competition.slug, now)}
        if held and all(CODER_KEY[1] in one.recipients.values() for one in maps):  # who made a key of his own opens it himself
            hand_in_codes(session, competition, lock.stage, domain=domain, now=now)
    waiting = session.scalars(
        select(Sitting.id).where(Sitting.prepared_at.is_(None), Sitting.started_at.is_(None), Sitting.bell_at > now)
    ).all()
    for number in waiting:
        sitting = session.get_one(Sitting, number)
        form = papers.paper_in_force(session, sitting.competition_id, sitting.part)
        if form is None or form.state not in ("sealed", "opened"):
            continue
        moment = custody.opens_at(session, form)
        if moment is None or now < moment:
            continue
        make_ready(session, number, form.id, domain=domain, now=now)


def register(domain: str) -> None:
    """Gives the duty to the demonstration's worker."""

    @jobs.every(timedelta(seconds=15))
    def invented_custodians(session: Session, now: datetime) -> None:
        turn_up(session, now, domain=domain)
