"""Papers for sittings at different times: their own questions, parallel where asked for, each sealed, opened and used at its own bell."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from examsvc.base.database import writing
from examsvc.base.errors import Refused
from examsvc.papers import approval, custody, operations, oracles, queries
from examsvc.papers.expectation import expect
from examsvc.papers.rules import Demands
from examsvc.sittings import planning
from examsvc.sittings import queries as sittings
from examsvc.sittings.models import Sitting
from tests.exam_hall import BELL, ExamHall, bank, quick_passphrase
from tests.papers.test_pages import PAPERS, Office, office, prepared  # noqa: F401

CELLS = [{"count": 10, "marks": "4", "kinds": ["single", "true-false"]}]


@pytest.fixture
def hall(any_session: Session) -> ExamHall:
    made = ExamHall(any_session)
    for phase in ("announced", "applications"):
        made.phase(phase)
    for name in ("An", "Bình"):
        made.candidate(name)
    made.admit()
    return made


def drawn(hall: ExamHall, shifts: int = 2, demands: Demands | None = None, spare: bool = False) -> dict[str, queries.Form]:
    from examsvc.papers import banks

    with writing(hall.session):
        stored = banks.import_bank(hall.session, bank(), by=hall.people["Setter"], now=hall.now)
        blueprint = operations.set_blueprint(
            hall.session, hall.competition, part="test", cells=CELLS, bank=stored, by=hall.people["Setter"], now=hall.now, demands=demands
        )
        made = operations.assemble_forms(
            hall.session,
            hall.competition,
            blueprint=blueprint,
            seed="hạt",
            roles=operations.places(spare=spare, shifts=shifts),
            by=hall.people["Setter"],
            now=hall.now,
        )
    return made


def plan(hall: ExamHall, name: str, hours: int) -> Sitting:
    with writing(hall.session):
        return planning.schedule_sitting(
            hall.session,
            hall.competition,
            part="test",
            bell_at=BELL + timedelta(hours=hours),
            rooms=[planning.RoomPlan("Phòng 101", 40)],
            candidates=[hall.application(name)],
            by=hall.office,
            now=hall.now,
        )


def seal(hall: ExamHall, form_id: int) -> None:
    from examsvc.accounts import approvals

    hall.name_custodians(hall.regulation.stage_of("test").id)
    with writing(hall.session):
        request = approval.ask_approval(hall.session, queries.form(hall.session, form_id), by=hall.people["Setter"], now=hall.now)
        number, digest = request.id, request.digest
    with writing(hall.session):
        assert approvals.approve(hall.session, number, by=hall.people["Approver"], digest=digest, now=hall.now)
    with quick_passphrase():
        custody.seal(hall.session, {"form": form_id}, hall.now)


def test_each_sitting_gets_a_paper_of_its_own_at_its_own_bell(hall: ExamHall) -> None:
    """Morning and afternoon: no question in common, and the custodians open the afternoon's paper when its bell comes."""
    made = drawn(hall)
    assert set(made) == {"main", "main-2"}
    questions = [{slot.item_version.identifier for slot in form.slots} for form in made.values()]
    assert [len(one) for one in questions] == [10, 10]
    assert not questions[0] & questions[1]
    early, late = made["main"].id, made["main-2"].id
    for number in (early, late):
        seal(hall, number)
    morning, afternoon = plan(hall, "An", 0).id, plan(hall, "Bình", 5).id
    of = {number: hall.session.get_one(Sitting, number) for number in (morning, afternoon)}
    assert [sittings.shift_of(hall.session, one) for one in of.values()] == [1, 2]
    bells = [oracles.bell(hall.session, hall.competition_id, "test", shift) for shift in (1, 2, 3)]
    assert bells == [BELL, BELL + timedelta(hours=5), None]
    assert oracles.bell(hall.session, hall.competition_id, "test") == BELL

    hall.now = BELL - timedelta(minutes=10)
    hall.open_paper(early)
    with pytest.raises(Refused, match="too early"):
        hall.open_paper(late)
    papers = [planning.paper_for(hall.session, hall.session.get_one(Sitting, number)) for number in (morning, afternoon)]
    assert [one and one.id for one in papers] == [early, None], "the afternoon does not get the morning's paper"
    hall.now = BELL + timedelta(hours=4, minutes=50)
    hall.open_paper(late)
    paper = planning.paper_for(hall.session, hall.session.get_one(Sitting, afternoon))
    assert paper is not None
    assert paper.id == late


def test_a_sitting_beyond_the_papers_uses_the_last_ones(hall: ExamHall) -> None:
    drawn(hall, shifts=1)
    assert [sittings.shift_of(hall.session, plan(hall, name, hours)) for name, hours in (("An", 0), ("Bình", 5))] == [1, 1]


def test_what_the_bank_cannot_give_twice_is_said_of_the_paper_that_comes_to_nothing(hall: ExamHall) -> None:
    with pytest.raises(Refused) as refusal:
        drawn(hall, shifts=9, spare=True)
    assert "This paper cannot be drawn: main paper, sitting " in str(refusal.value)
    assert "have taken their questions already. Line 1 of the blueprint asks for 10 questions, but the bank has only" in str(refusal.value)
    with pytest.raises(Refused, match="one to 9 sittings"):
        operations.places(spare=True, shifts=10)


def test_forms_that_aim_at_information_are_parallel(hall: ExamHall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three forms: the second and third reach what the first has, at the abilities that were asked for, within a tenth."""
    from dataclasses import replace

    items = []
    for number, item in enumerate(bank()):
        b = ("-1.2", "-0.4", "0.3", "1.1")[number % 4]
        items.append(item.replaced(metadata=replace(item.metadata, parameters={"a": "1.1", "b": b, "c": "0"})))
    monkeypatch.setitem(globals(), "bank", lambda: _BANK.replaced(items=tuple(items)))
    made = drawn(hall, shifts=3, demands=Demands.read({"aim": "most", "points": ["-1", "0", "1"]}))
    curves = []
    for form in made.values():
        candidates = [queries.candidate(slot.item_version) for slot in form.slots]
        curves.append(expect([(one, "4") for one in candidates]).information)
    assert len(curves) == 3
    for other in curves[1:]:
        for place in (1, 2, 3):
            assert abs(other[place] - curves[0][place]) <= 0.1 * curves[0][place] + 0.05


_BANK = bank()


def test_the_page_draws_for_several_sittings_and_shows_them_beside_each_other(office: Office) -> None:  # noqa: F811
    office.post("Setter", "/banks/shipped", shipped="public-leadership")
    office.post(
        "Setter",
        "/parts/test/blueprint",
        **{"rows": "1", "bank": "public-leadership", "count-0": "10", "marks-0": "4", "kinds-0": "single"},
    )
    where = office.post("Setter", "/parts/test/assemble", seed="hạt", shifts="2").removeprefix(PAPERS)
    page = office.get("Setter", where)
    for words in ("main paper, sitting 2", "spare paper, sitting 2"):
        assert words in page, words
    index = office.get("Setter", "/")
    assert index.count("main paper") == 2
    assert "from 1 to 9" in office.post("Setter", "/parts/test/assemble", 409, seed="hạt", shifts="12")
    assert len(queries.all_standing(office.session, office.hall.competition_id, "test")) == 4
