"""The invented custodians of the demonstration.  A real custodian's key never leaves a machine of his own."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.base import jobs
from examsvc.base.database import writing
from examsvc.ledger import sealing
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


def turn_up(session: Session, now: datetime, *, domain: str) -> None:
    """Opens every sealed paper whose time has come, and makes the attempts of its sitting, so that a visitor finds an exam to sit."""
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
        form_id = form.id
        if form.state == "sealed":
            open_paper(session, form_id, domain=domain, now=now)
        with writing(session):
            planning.prepare_attempts(
                session, session.get_one(Sitting, number), form=session.get_one(Form, form_id), now=now
            )


def register(domain: str) -> None:
    """Gives the duty to the demonstration's worker."""

    @jobs.every(timedelta(seconds=15))
    def invented_custodians(session: Session, now: datetime) -> None:
        turn_up(session, now, domain=domain)
