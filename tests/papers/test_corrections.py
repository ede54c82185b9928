"""Faulty questions and wrong keys, found after the exam: decided by two, on record, and the answers marked again."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.errors import NotFound, Refused
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry
from examsvc.marking import objective
from examsvc.marking import queries as marks
from examsvc.marking.models import ObjectiveMark
from examsvc.papers import banks, corrections, queries
from examsvc.papers.models import Form, ItemVersion
from examsvc.sittings import queries as sittings
from examsvc.sittings.models import Sitting
from question_banks import Bank, Item
from tests.exam_hall import ExamHall
from tests.ledger_check import assert_valid


def written(session: Session) -> tuple[ExamHall, Form, int]:
    """An knows the first eight questions that she sees, Bình the first four; their answers are marked."""
    hall = ExamHall(session)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in ("An", "Bình"):
        hall.candidate(name)
    number = hall.paper(cells=[{"count": 10, "marks": "4", "kinds": ["single"]}])
    sitting = hall.sitting(number)
    hall.write_all(["An", "Bình"], sitting, {"An": 8, "Bình": 4})
    with hall.write():
        objective.mark_objective(session, session.get_one(Sitting, sitting), now=hall.now)
    assert total(hall, "An") == 32
    assert total(hall, "Bình") == 16
    return hall, session.get_one(Form, number), sitting


def total(hall: ExamHall, name: str) -> Fraction:
    return marks.objective_total(hall.session, hall.attempt(name).id) or Fraction(0)


def right_in_form(hall: ExamHall, name: str) -> dict[int, bool]:
    """By place in the form: whether the person's answer was right, looked up answer by answer."""
    attempt = hall.attempt(name)
    saves = sittings.counted_saves(hall.session, attempt.id)
    return {
        slot.form_slot: slot.number in saves and slot.item.mark(saves[slot.number].value).score == slot.item.max_score
        for slot in sittings.slots(hall.session, attempt)
    }


def neutralise(hall: ExamHall, form: Form, number: int) -> None:
    form_id = form.id
    with hall.write():
        corrections.ask_neutralisation(
            hall.session,
            hall.session.get_one(Form, form_id),
            number,
            reason="hai phương án đều đúng",
            by=hall.people["Chief"],
            now=hall.now,
        )
    assert hall.approve_all("Chair") == 1


def test_a_faulty_question_gives_its_marks_to_the_others(session: Session) -> None:
    hall, form, _ = written(session)
    right = {name: right_in_form(hall, name) for name in ("An", "Bình")}
    faulty = next(n for n, was in right["An"].items() if was and not right["Bình"][n])
    neutralise(hall, form, faulty)
    # nine questions share the forty marks: An had eight right, one of them the faulty one
    assert total(hall, "An") == Fraction(7 * 40, 9)
    assert total(hall, "Bình") == Fraction(4 * 40, 9)
    assert marks.part_marks(session, hall.competition, "test") == {
        hall.number("An"): Fraction(280, 9),
        hall.number("Bình"): Fraction(160, 9),
    }
    assert queries.part_maximum(session, form.id, Fraction(40)) == 40
    assert set(session.scalars(select(ObjectiveMark.run))) == {1, 2}, "what was marked before is kept"
    with pytest.raises(Refused, match="already"), hall.write():
        corrections.ask_neutralisation(
            session, session.get_one(Form, form.id), faulty, reason="x", by=hall.people["Chief"], now=hall.now
        )
    hall.lock("written")
    assert_valid(session, "mot")


def flipped(item: Item) -> Item:
    """The same question with another option as the right one."""
    (response,) = item.responses
    other = next(choice.id for choice in item.interactions[0].choices if choice.id not in response.correct)
    from dataclasses import replace

    return item.replaced(responses=(replace(response, correct=(other,)),))


def test_a_corrected_key_marks_what_everybody_chose(session: Session) -> None:
    hall, form, _sitting = written(session)
    chosen = {name: right_in_form(hall, name) for name in ("An", "Bình")}
    number = next(n for n, was in chosen["An"].items() if was and not chosen["Bình"][n])
    slot = next(one for one in form.slots if one.number == number)
    item = queries.item(slot.item_version)
    bank_name = slot.item_version.bank.name
    assert corrections.correctable(session, form, number) == []
    with hall.write():
        banks.import_bank(
            session,
            Bank(id=bank_name, languages=("vi", "en"), items=(flipped(item),)),
            by=hall.people["Setter"],
            now=hall.now,
        )
    form = session.get_one(Form, form.id)
    (version,) = corrections.correctable(session, form, number)
    with hall.write():
        corrections.ask_correction(
            session,
            session.get_one(Form, form.id),
            number,
            version=session.get_one(ItemVersion, version.id),
            reason="đáp án in sai",
            by=hall.people["Chief"],
            now=hall.now,
        )
    assert total(hall, "An") == 32, "one person alone changes nothing"
    assert hall.approve_all("Chair") == 1
    assert total(hall, "An") == 28, "what was right by the old key is wrong by the new one"
    assert total(hall, "Bình") == 16
    assert queries.key_version(session, form.id) == 2
    scored = [
        read_entry(row)
        for row in session.scalars(
            select(LogEntry.entry).where(LogEntry.type == "responses.scored").order_by(LogEntry.position)
        )
    ]
    assert [entry.body["version"] for entry in scored] == [1, 2]
    corrected = session.scalars(select(LogEntry.position).where(LogEntry.type == "key.corrected")).one()
    assert scored[1].body["under"] == corrected
    hall.lock("written")
    assert_valid(session, "mot")


def test_what_is_no_correction(any_session: Session) -> None:
    hall, form, _ = written(any_session)
    slot = form.slots[0]
    item = queries.item(slot.item_version)
    reworded = item.replaced(body=item.body.map(lambda text: text + " Chọn một."))
    with hall.write():
        banks.import_bank(
            any_session,
            Bank(id=slot.item_version.bank.name, languages=("vi", "en"), items=(reworded,)),
            by=None,
            now=hall.now,
        )
    form = any_session.get_one(Form, form.id)
    assert corrections.correctable(any_session, form, 1) == [], "candidates saw another text"
    newest = queries.versions(any_session, form.slots[0].item_version.bank_id, item.id)[0]
    with pytest.raises(Refused, match="look exactly"), hall.write():
        corrections.ask_correction(
            any_session, form, 1, version=newest, reason="x", by=hall.people["Chief"], now=hall.now
        )
    for number in (0, 11):
        with pytest.raises(NotFound), hall.write():
            corrections.ask_neutralisation(
                any_session,
                any_session.get_one(Form, form.id),
                number,
                reason="x",
                by=hall.people["Chief"],
                now=hall.now,
            )
    with pytest.raises(Refused, match="reason"), hall.write():
        corrections.ask_neutralisation(
            any_session, any_session.get_one(Form, form.id), 1, reason="  ", by=hall.people["Chief"], now=hall.now
        )
