"""Faulty questions and wrong keys, found after a paper was opened: decided by two, on record, and honoured by the marking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from examsvc.accounts.approvals import Approved, ask, carries_out
from examsvc.accounts.models import ApprovalRequest
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.wording_exam import NEUTRALISED
from examsvc.ledger.operations import Sealed, record
from examsvc.papers import approval, contents, queries, scope
from examsvc.papers.models import Form, FormSlot, ItemVersion, KeyCorrection, Neutralisation
from question_banks import Item

CORRECTING = "papers.correct-key"
NEUTRALISING = "papers.neutralise"
IN_THE_LOG = {"redistribute": "redistributed", "full-marks": "full_marks", "drop": "removed"}

Changed = Callable[[Session, Form, int, datetime], None]
_listeners: list[Changed] = []


def on_change(listener: Changed) -> Changed:
    """Registers what a higher room does when a key was corrected or a question neutralised: it marks again, under that entry."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


def ask_neutralisation(
    session: Session, form: Form, number: int, *, reason: str, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Asks to take a faulty question of an objective part out of the scores, as the regulation says; a second person approves."""
    part = queries.seated_part(form.competition, form.part)
    if part.kind != "objective":
        raise Refused(N_("Only questions that the machine marks are taken out. In a written part markers follow a changed guide."))
    slot = _slot(form, number)
    if number in queries.neutralised(session, form.id):
        raise Refused(N_("This question is out of the scores already."))
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    return ask(
        session,
        kind=NEUTRALISING,
        entry_type="item.neutralised",
        competition=form.competition.slug,
        lines=[
            sentence(
                language,
                N_("Take question %(number)d of the paper %(code)s out of the scores; rule of the regulation: %(rule)s"),
                number=number,
                code=form.code,
                rule=sentence(language, NEUTRALISED[part.neutralised_item]),
            ),
            f"{sentence(language, N_('Question'))}: SHA-256 {slot.item_version.digest}",
            f"{sentence(language, N_('Reason'))}: {reason.strip()}",
        ],
        arguments={"form": form.id, "number": number, "rule": part.neutralised_item, "reason": reason.strip()},
        terms=competitions.approval_terms(form.competition, "change-after-lock"),
        by=by,
        now=now,
    )


@carries_out(NEUTRALISING)
def _neutralise(session: Session, approved: Approved) -> None:
    form = queries.form(session, int(approved.arguments["form"]))
    number, rule = int(approved.arguments["number"]), str(approved.arguments["rule"])
    slot = _slot(form, number)
    if number in queries.neutralised(session, form.id):
        raise Refused(N_("This question is out of the scores already."))
    reason = str(approved.arguments["reason"])
    entry = record(
        session,
        form.competition.slug,
        "item.neutralised",
        now=approved.now,
        by=scope.actor(session, approved.asked_by),
        approvals=approved.approvals,
        summary=approved.summary,
        **scope.of_part(form.competition, form.part),
        paper=form.code,
        item=slot.item_version.digest,
        neutralisation=Sealed(
            {"paper": form.code, "item": slot.item_version.digest, "rule": IN_THE_LOG[rule], "reason": reason}
        ),
    )
    session.add(
        Neutralisation(form_id=form.id, number=number, rule=rule, reason=reason, entry=entry.position, at=approved.now)
    )
    session.flush()
    for listener in _listeners:
        listener(session, form, entry.position, approved.now)


def correctable(session: Session, form: Form, number: int) -> list[ItemVersion]:
    """Versions of a question that show candidates exactly what they saw and differ only in the key: what a correction may choose from."""
    slot = _slot(form, number)
    shown = queries.item(slot.item_version)
    return [
        version
        for version in queries.versions(session, slot.item_version.bank_id, slot.item_version.identifier)
        if version.digest != slot.item_version.digest and same_question(shown, queries.item(version))
    ]


def same_question(first: Item, second: Item) -> bool:
    """Whether two items look the same to a candidate and take the same responses: only key, scoring and explanations differ."""
    return (
        (first.kind, first.body, [one.canonical() for one in first.interactions], first.marks)
        == (second.kind, second.body, [one.canonical() for one in second.interactions], second.marks)
        and {one.id: (one.base, one.cardinality) for one in first.responses}
        == {one.id: (one.base, one.cardinality) for one in second.responses}
    )


def ask_correction(
    session: Session,
    form: Form,
    number: int,
    *,
    version: ItemVersion,
    reason: str,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Asks to mark a question by the key of another version of it; a second person approves."""
    if version.id not in {one.id for one in correctable(session, form, number)}:
        raise Refused(
            N_("The corrected question must look exactly as candidates saw it. Import it into the bank with only its key changed."),
            field="version",
        )
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    return ask(
        session,
        kind=CORRECTING,
        entry_type="key.corrected",
        competition=form.competition.slug,
        lines=[
            sentence(
                language, N_("Mark question %(number)d of the paper %(code)s by a corrected key"), number=number, code=form.code
            ),
            f"{sentence(language, N_('Question'))}: SHA-256 {_slot(form, number).item_version.digest}",
            f"{sentence(language, N_('Corrected version'))}: SHA-256 {version.digest}",
            f"{sentence(language, N_('Reason'))}: {reason.strip()}",
        ],
        arguments={"form": form.id, "number": number, "version": version.id, "reason": reason.strip()},
        terms=competitions.approval_terms(form.competition, "change-after-lock"),
        by=by,
        now=now,
    )


@carries_out(CORRECTING)
def _correct(session: Session, approved: Approved) -> None:
    form = queries.form(session, int(approved.arguments["form"]))
    number = int(approved.arguments["number"])
    _slot(form, number)
    version = session.get_one(ItemVersion, int(approved.arguments["version"]))
    reason = str(approved.arguments["reason"])
    made = KeyCorrection(
        form_id=form.id,
        version=queries.key_version(session, form.id) + 1,
        number=number,
        item_version_id=version.id,
        reason=reason,
        entry=0,
        at=approved.now,
    )
    session.add(made)
    session.flush()
    entry = record(
        session,
        form.competition.slug,
        "key.corrected",
        now=approved.now,
        by=scope.actor(session, approved.asked_by),
        approvals=approved.approvals,
        summary=approved.summary,
        **scope.of_part(form.competition, form.part),
        paper=form.code,
        version=made.version,
        key=Sealed(_key_now(session, form, made.version)),
        reason=Sealed({"text": reason}),
    )
    made.entry = entry.position
    session.flush()
    for listener in _listeners:
        listener(session, form, entry.position, approved.now)


def _key_now(session: Session, form: Form, version: int) -> dict[str, object]:
    """The whole key as corrected, each answer filed under the digest of the question that candidates saw."""
    corrected = {
        one.number: one.item_version
        for one in queries.changes_after(session, form.id)
        if isinstance(one, KeyCorrection)
    }
    natives = {slot.number: corrected.get(slot.number, slot.item_version).native for slot in form.slots}
    return contents.key_object(form.code, version, approval.slots(form), natives)


def _slot(form: Form, number: int) -> FormSlot:
    """A question of an opened form; NotFound otherwise."""
    if form.opened_at is not None:
        for slot in form.slots:
            if slot.number == number:
                return slot
    raise NotFound()
