"""A sitting whose paper nobody rehearsed opening begins only by a reasoned decision of two people."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.errors import Refused
from examsvc.competitions.regulation import Regulation
from examsvc.demonstration.announcing import ZONE, objective_only
from examsvc.ledger import sealing
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry, Opening
from examsvc.papers import custody_rehearsal
from examsvc.papers.models import CustodianSet
from examsvc.sittings import unrehearsed
from examsvc.sittings.models import Sitting
from tests.exam_hall import BELL, ExamHall, quick_passphrase
from tests.ledger_check import assert_valid


def rehearsing() -> Regulation:
    """The computer test alone, with a rehearsal a week before."""
    tree = json.loads(objective_only().canonical_bytes())
    tree["paper"]["rehearsal_days"] = 7
    return Regulation.model_validate_json(json.dumps(tree))


def ready(session: Session) -> tuple[ExamHall, int]:
    """The paper is sealed and the sitting planned; its bell is ten minutes off."""
    hall = ExamHall(session, rehearsing())
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in ("An", "Bình"):
        hall.candidate(name)
    form = hall.paper()
    with pytest.raises(Refused, match="not rehearsed"):
        hall.sitting(form)
    session.rollback()
    (number,) = hall.forms
    return hall, number


def ask(hall: ExamHall, number: int, *, decision: str = "12/QĐ", reason: str = "khóa vừa đổi", by: str = "Authority") -> None:
    with hall.write():
        unrehearsed.ask_to_go_on(
            hall.session, hall.session.get_one(Sitting, number), number=decision, reason=reason, by=hall.people[by], now=hall.now, zone=ZONE
        )


def test_without_a_rehearsal_two_people_decide(session: Session) -> None:
    hall, number = ready(session)
    for wrong in ({"reason": " "}, {"decision": ""}):
        with pytest.raises(Refused):
            ask(hall, number, **wrong)
    ask(hall, number)
    with pytest.raises(Refused, match="not rehearsed"):
        hall.make_ready(number)
    session.rollback()
    assert hall.approve_all("Chair") == 1
    hall.make_ready(number)
    assert session.get_one(Sitting, number).prepared_at is not None
    row = session.scalars(select(LogEntry).where(LogEntry.type == "decision.continued")).one()
    entry = read_entry(row.entry)
    assert (entry.body["level"], entry.body["sitting"], len(entry.body["approvals"])) == ("sitting", "test-1", 2)
    said = session.scalars(select(Opening).where(Opening.entry_id == row.id, Opening.field == "decision")).one()
    assert (said.content["clause"], said.content["reason"]) == ("paper.rehearsal_days", "khóa vừa đổi")
    with pytest.raises(Refused, match="no such decision"):
        ask(hall, number)
    assert_valid(session, "mot")


def test_after_a_rehearsal_nothing_is_to_decide(any_session: Session) -> None:
    hall, number = ready(any_session)
    hall.now = BELL - timedelta(minutes=9)
    with hall.write():
        custody_rehearsal.ask(any_session, hall.competition, stage="written", by=hall.people["Chair"], now=hall.now)
    named = any_session.scalars(select(CustodianSet)).one()
    with quick_passphrase():
        custody_rehearsal.deal(any_session, {"set": named.id, "by": hall.people["Chair"]}, hall.now)
        (held,) = custody_rehearsal.rehearsals(any_session, hall.competition_id)
        for person in ("Custodian1", "Custodian2", "Custodian3"):
            share = custody_rehearsal.share_of(held, hall.people[person])
            data = sealing.decrypt_share(share.ciphertext, hall.keys[person]).data
            with hall.write():
                custody_rehearsal.hand_in(any_session, held, data=data, by=hall.people[person], now=hall.now)
        custody_rehearsal.conclude(any_session, {"rehearsal": held.id, "by": hall.people["Chair"]}, hall.now)
    any_session.expire_all()
    assert not unrehearsed.missed(any_session, any_session.get_one(Sitting, number))
    with pytest.raises(Refused, match="no such decision"):
        ask(hall, number)
    hall.make_ready(number)
    assert any_session.get_one(Sitting, number).prepared_at is not None
