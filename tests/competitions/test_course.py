"""Phases: what each step needs, what the clock does alone, what nobody can skip."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from examsvc.base.database import writing
from examsvc.base.errors import Refused
from examsvc.competitions import course, operations, oracles, phases, queries
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import preset_names, read_preset
from examsvc.demonstration.announcing import ZONE
from tests.exam_hall import BELL, OPENS, ExamHall
from tests.ledger_check import assert_valid


def advance(hall: ExamHall) -> str:
    with writing(hall.session):
        return course.advance(hall.session, hall.competition, zone=ZONE, by=hall.office, now=hall.now)


def test_every_fact_that_a_phase_can_need_has_its_words() -> None:
    needed = set()
    for name in preset_names():
        rules = read_preset(name)
        order = phases.phases(rules)
        for one in order:
            for step in phases.transitions(rules, phases.Position(one)):
                if step.action == "advance":
                    needed |= set(step.needs)
    assert len(needed) > 20
    assert {fact if fact in course.FACTS else fact.partition(":")[0] for fact in needed} <= set(course.FACTS)


def test_a_step_says_what_it_still_needs(announced: ExamHall) -> None:
    with pytest.raises(Refused, match="applications open has come"):
        advance(announced)
    announced.now = OPENS
    assert advance(announced) == "applications"
    with pytest.raises(Refused, match="time for applications is over"):
        advance(announced)


def test_facts_come_from_every_room(announced: ExamHall, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: set[str] = set()
    monkeypatch.setattr(oracles, "_facts", [lambda _s, _c, _now: frozenset(answers)])
    announced.phase("applications")
    announced.phase("eligibility")
    with pytest.raises(Refused) as refusal:
        advance(announced)
    assert "Eligibility of every candidate is decided" in str(refusal.value)
    answers |= {"eligibility-decided:eligibility", "enough-candidates", "papers-sealed:written", "candidates-summoned:written"}
    with pytest.raises(Refused, match="roles of the hall") as refusal:
        advance(announced)
    step = course.next_step(announced.competition)
    assert step is not None
    needs = course.needs(announced.session, announced.competition, step, zone=ZONE, now=announced.now)
    assert [need.fact for need in needs if not need.holds] == ["hall-staffed:written"], "one invigilator of two is named"
    answers.add("hall-staffed:written")
    assert advance(announced) == "exam:written"


def test_the_clock_opens_and_closes_applications(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, str]] = []

    def listen(_session: Session, competition: Competition, phase: phases.Phase, _now: object) -> None:
        heard.append((competition.slug, phase.id))

    monkeypatch.setattr(oracles, "_entered", [listen])
    hall = ExamHall(session)
    hall.phase("announced")
    assert course.keep_time(session, OPENS - timedelta(seconds=1), zone=ZONE) == []
    assert course.keep_time(session, OPENS, zone=ZONE) == ["mot"]
    assert course.keep_time(session, OPENS, zone=ZONE) == []
    assert queries.phase(hall.competition) == "applications"
    assert hall.competition.phases[-1].by_id is None
    assert course.keep_time(session, BELL - timedelta(days=30), zone=ZONE) == ["mot"]
    assert queries.phase(hall.competition) == "eligibility:eligibility"
    assert heard == [("mot", "announced"), ("mot", "applications"), ("mot", "eligibility:eligibility")]
    assert_valid(session, "mot")


def test_phases_are_named_by_id_or_kind(draft: ExamHall) -> None:
    with writing(draft.session):
        operations.enter_phase(draft.session, draft.competition, phase="exam", by=draft.office, now=draft.now)
        operations.enter_phase(draft.session, draft.competition, phase="defence:defence", by=draft.office, now=draft.now)
        operations.enter_phase(draft.session, draft.competition, phase="defence", by=draft.office, now=draft.now)
    assert [one.phase for one in draft.competition.phases] == ["exam:written", "defence:defence"]
    assert queries.phase_kind(draft.competition) == "defence"
    with pytest.raises(LookupError):
        operations.enter_phase(draft.session, draft.competition, phase="lunch", by=draft.office, now=draft.now)
    with pytest.raises(DatabaseError, match="append-only"), writing(draft.session):
        draft.session.execute(text("DELETE FROM phase_records"))


def test_times_to_contest_must_have_begun_and_ended(announced: ExamHall) -> None:
    def closed(now: object) -> bool:
        return course.windows_closed(announced.session, announced.competition, zone=ZONE, now=now)  # type: ignore[arg-type]

    assert not closed(BELL + timedelta(days=900)), "results were never published, so no time to contest has begun"
    with writing(announced.session):
        for event in ("exam-ended:written", "results-published"):
            operations.set_date(announced.session, announced.competition, event=event, at=BELL, by=None, now=BELL)
    assert not closed(BELL + timedelta(days=89))
    assert closed(BELL + timedelta(days=91))
