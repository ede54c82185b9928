"""What other rooms may ask about forms and their items."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.errors import NotFound
from examsvc.papers.models import Bank, Form, ItemVersion
from question_banks import read_bank
from question_banks.model import Item


def bank(session: Session, name: str) -> Bank:
    found = session.scalar(select(Bank).where(Bank.name == name))
    if found is None:
        raise NotFound()
    return found


def current_items(session: Session, bank_id: int) -> list[ItemVersion]:
    """The newest version of every item that is not retired, in the order of identifiers."""
    newest: dict[str, ItemVersion] = {}
    for version in session.scalars(
        select(ItemVersion).where(ItemVersion.bank_id == bank_id).order_by(ItemVersion.id)
    ):
        newest[version.identifier] = version
    return [newest[name] for name in sorted(newest) if newest[name].retired_at is None]


def item(version: ItemVersion) -> Item:
    """The item of a version, parsed once per process; its digest is checked."""
    return parsed(version.digest, version.native)


@lru_cache(maxsize=4096)
def parsed(digest: str, native: str) -> Item:
    """The item of a stored native document; RuntimeError when it does not have its digest any more."""
    found = next(iter(read_bank(native.encode(), "native").bank))
    if found.digest != digest:
        raise RuntimeError(f"the stored item {digest} does not have its digest any more")
    return found


def form(session: Session, form_id: int) -> Form:
    return session.get_one(Form, form_id)


def usable_form(session: Session, competition_id: int, part: str, role: str = "main") -> Form | None:
    """The newest form of a part and role that two people approved and nobody withdrew."""
    for found in session.scalars(
        select(Form)
        .where(Form.competition_id == competition_id, Form.part == part, Form.role == role, Form.withdrawn_at.is_(None))
        .order_by(Form.id.desc())
    ):
        if len({approval.by_id for approval in found.approvals}) >= 2:
            return found
    return None
