"""Importing banks, assembling forms and approving them by two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.base.errors import N_, NotAllowed, Refused
from examsvc.competitions.models import Competition
from examsvc.papers import queries, rules
from examsvc.papers.models import Bank, Blueprint, Form, FormApproval, FormSlot, ItemVersion
from question_banks import write_bank
from question_banks.model import Bank as BankDocument


def import_bank(session: Session, document: BankDocument, *, by: int, now: datetime) -> Bank:
    """Adds the items of a bank; an item that is already there in the same version is left alone."""
    found = session.scalar(select(Bank).where(Bank.name == document.id))
    if found is None:
        found = Bank(name=document.id, title=dict(document.title.values), imported_at=now, imported_by_id=by)
        session.add(found)
        session.flush()
    known = {
        (version.identifier, version.digest)
        for version in session.scalars(select(ItemVersion).where(ItemVersion.bank_id == found.id))
    }
    for item in document:
        if (item.id, item.digest) in known:
            continue
        native = write_bank(document.replaced(items=(item,), media={}), "native").data.decode()
        session.add(
            ItemVersion(
                bank_id=found.id,
                identifier=item.id,
                digest=item.digest,
                kind=item.kind,
                topic=item.metadata.topic,
                level=item.metadata.level,
                marks=str(item.marks),
                native=native,
                added_at=now,
            )
        )
    session.flush()
    return found


def set_blueprint(
    session: Session, competition: Competition, *, part: str, cells: Sequence[dict[str, Any]], by: int, now: datetime
) -> Blueprint:
    blueprint = Blueprint(
        competition_id=competition.id, part=part, cells=[dict(cell) for cell in cells], made_at=now, made_by_id=by
    )
    session.add(blueprint)
    session.flush()
    return blueprint


def assemble_form(
    session: Session,
    competition: Competition,
    *,
    blueprint: Blueprint,
    bank: Bank,
    role: str,
    seed: str,
    by: int,
    now: datetime,
) -> Form:
    """Draws a form; the spare shares no item with the main form of the same part."""
    used = set(
        session.scalars(
            select(FormSlot.item_version_id)
            .join(Form)
            .where(
                Form.competition_id == competition.id,
                Form.part == blueprint.part,
                Form.withdrawn_at.is_(None),
                Form.role != role,
            )
        )
    )
    versions = [version for version in queries.current_items(session, bank.id) if version.id not in used]
    by_digest = {version.digest: version for version in versions}
    pool = [
        rules.Candidate(
            version.digest,
            version.identifier,
            version.kind,
            version.topic,
            version.level,
            frozenset(queries.item(version).metadata.enemies),
        )
        for version in versions
    ]
    drawn = rules.draw(pool, [rules.Cell.read(cell) for cell in blueprint.cells], seed)
    made = session.scalar(select(func.count()).select_from(Form).where(Form.competition_id == competition.id))
    form = Form(
        competition_id=competition.id,
        code=f"{blueprint.part}-{role}-{(made or 0) + 1}",
        part=blueprint.part,
        role=role,
        blueprint_id=blueprint.id,
        seed=seed,
        digest=form_digest([(item.digest, marks) for item, marks in drawn]),
        made_at=now,
        made_by_id=by,
    )
    form.slots = [
        FormSlot(number=number, item_version_id=by_digest[item.digest].id, marks=marks)
        for number, (item, marks) in enumerate(drawn, start=1)
    ]
    session.add(form)
    session.flush()
    return form


def form_digest(slots: Sequence[tuple[str, str]]) -> str:
    """SHA-256 over the JSON list of [item digest, marks] in the order of the slots."""
    return hashlib.sha256(json.dumps([list(slot) for slot in slots], separators=(",", ":")).encode()).hexdigest()


def approve_form(session: Session, form: Form, *, by: int, now: datetime) -> None:
    """One of the two approvals that a form needs, by somebody who did not make it."""
    if by == form.made_by_id:
        raise NotAllowed(N_("Whoever assembled a paper does not approve it. Ask two colleagues."))
    if form.withdrawn_at is not None:
        raise Refused(N_("This paper was withdrawn. Assemble a new one."))
    if any(approval.by_id == by for approval in form.approvals):
        return
    form.approvals.append(FormApproval(by_id=by, at=now, digest=form.digest))
    session.flush()
