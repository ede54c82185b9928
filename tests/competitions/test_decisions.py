"""Reasoned decisions: who takes them, what stands still, what moves, who is told, and what the log says of it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from examsvc.base.database import writing
from examsvc.base.errors import NotAllowed, Refused
from examsvc.base.messages import Message
from examsvc.competitions import course, decisions, operations, oracles, queries
from examsvc.competitions.decisions import Subject
from examsvc.competitions.models import Competition, Decision
from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.demonstration.announcing import ZONE
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry
from tests.competitions import steps
from tests.exam_hall import BELL, ExamHall
from tests.ledger_check import assert_valid

WHOLE = Subject("competition")


def entries(session: Session, log: str = "mot") -> list[tuple[str, dict[str, Any]]]:
    rows = session.scalars(select(LogEntry.entry).where(LogEntry.log == log).order_by(LogEntry.position))
    return [(entry.type, entry.body) for entry in map(read_entry, rows)]


def test_a_competition_stands_still_and_goes_on(session: Session) -> None:
    hall = ExamHall(session, read_preset("demo"), posts="AB")
    hall.phase("announced")
    hall.phase("applications")
    hall.candidate("An")
    steps.decide(hall, "suspend", WHOLE)
    competition = hall.competition
    assert queries.standing(competition) == "suspended"
    for stopped in (
        lambda: queries.require_running(competition),
        lambda: course.advance(session, competition, zone=ZONE, by=hall.office, now=hall.now),
        lambda: operations.enter_phase(session, competition, phase="exam", by=hall.office, now=hall.now),
    ):
        with pytest.raises(Refused, match=r"suspended by decision 20/QĐ"):
            stopped()
    assert course.next_step(competition) is None
    assert course.keep_time(session, BELL, zone=ZONE) == [], "the clock stands still too"
    hall.later(days=2)
    steps.decide(hall, "resume", WHOLE)
    assert queries.standing(hall.competition) == "going-on"
    queries.require_running(hall.competition)
    told = session.scalars(select(Message).where(Message.account_id == hall.people["An"]).order_by(Message.id)).all()
    assert [one.subject["en"] for one in told][-2:] == ["Suspended: Competition one", "Resumed: Competition one"]
    assert steps.WORDS["vi"] in told[-1].body["vi"]
    kinds = [name for name, _ in entries(session) if name.startswith("decision.")]
    assert kinds == ["decision.suspended", "decision.resumed"]
    assert_valid(session, "mot")


def test_a_date_moves_with_notice_calendar_and_record(announced: ExamHall) -> None:
    hall = announced
    hall.phase("applications")
    hall.candidate("An")
    later = BELL + timedelta(days=7)
    steps.decide(hall, "postpone", Subject("competition", dates={"exam-started:written": later, "exam-started:defence": later + timedelta(days=3)}))
    assert queries.date_of(hall.competition, "exam-started:written") == later
    assert queries.standing(hall.competition) == "going-on", "to a day, so that nothing stands still"
    notice = queries.notice(hall.competition)
    assert notice is not None
    assert notice.revision == 2
    assert notice.decision is hall.competition.decisions[0]
    found = entries(hall.session)
    names = [name for name, _ in found]
    assert names[-3:] == ["decision.postponed", "calendar.set", "notice.corrected"]
    assert found[-1][1]["under"] == len(found) - 3 == hall.competition.decisions[0].entry
    assert found[-2][1]["revision"] == 2
    assert_valid(hall.session, "mot")


def test_what_is_postponed_without_a_day_waits_for_one(announced: ExamHall) -> None:
    announced.phase("applications")
    steps.decide(announced, "postpone", WHOLE)
    assert queries.standing(announced.competition) == "postponed"
    with pytest.raises(Refused, match="stands still already"):
        steps.decide(announced, "postpone", WHOLE)
    steps.decide(announced, "resume", Subject("competition", dates={"exam-started:written": BELL + timedelta(days=9), "exam-started:defence": BELL + timedelta(days=12)}))
    assert queries.standing(announced.competition) == "going-on"
    assert [name for name, _ in entries(announced.session) if name.startswith("decision.")] == ["decision.postponed"] * 2
    assert_valid(announced.session, "mot")


def test_one_post_is_annulled_and_the_others_go_on(announced: ExamHall) -> None:
    announced.phase("applications")
    steps.decide(announced, "annul", Subject("post", posts=("A",)))
    assert [one.code for one in queries.running_posts(announced.competition)] == ["B"]
    queries.require_running(announced.competition, posts=["B"])
    with pytest.raises(Refused, match="for this post was annulled"):
        queries.require_running(announced.competition, posts=["A", "B"])
    with pytest.raises(Refused, match="annulled already"):
        steps.decide(announced, "suspend", Subject("post", posts=("A",)))
    assert len(announced.competition.notices) == 1, "what was read stays; the announcement stands above it"
    steps.decide(announced, "correct", Subject("competition", texts={"place": {"vi": "Nhà", "en": "Hall"}}))
    notice = queries.notice(announced.competition)
    assert notice is not None
    assert '"code":"A"' not in notice.document
    assert '"code":"B"' in notice.document
    assert_valid(announced.session, "mot")


def test_an_annulled_competition_ends_for_good(announced: ExamHall) -> None:
    announced.phase("applications")
    steps.decide(announced, "annul", WHOLE)
    for kind in ("suspend", "resume", "postpone", "annul"):
        with pytest.raises(Refused, match="annulled"):
            steps.decide(announced, kind, WHOLE)  # type: ignore[arg-type]
    name, body = entries(announced.session, "registry")[-1]
    assert name == "competition.cancelled"
    assert body["size"] == len(entries(announced.session))
    assert_valid(announced.session, "mot")
    assert_valid(announced.session, "registry")


def test_an_annulled_part_is_held_again(announced: ExamHall, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, str]] = []

    def listen(_s: Session, _c: Competition, decision: Decision, _now: object) -> None:
        heard.append((decision.kind, decision.subject["part"]))

    monkeypatch.setattr(oracles, "_decided", [listen])
    for phase in ("applications", "exam", "marking"):
        announced.phase(phase)
    steps.decide(announced, "annul", Subject("part", part="essay", repeat=True))
    assert queries.phase(announced.competition) == "exam:written"
    assert announced.competition.phases[-1].decision_id == announced.competition.decisions[0].id
    queries.require_running(announced.competition, part="essay")
    steps.decide(announced, "annul", Subject("part", part="test"))
    with pytest.raises(Refused, match="This part of the exam was annulled"):
        queries.require_running(announced.competition, part="test")
    assert heard == [("annul", "essay"), ("annul", "test")]
    assert_valid(announced.session, "mot")


def test_a_sitting_is_named_with_its_part(announced: ExamHall) -> None:
    announced.phase("applications")
    with pytest.raises(Refused, match="Name the sitting"):
        steps.propose(announced, "suspend", Subject("sitting", sitting="S1"))
    steps.decide(announced, "suspend", Subject("sitting", sitting="S1", part="test"))
    queries.require_running(announced.competition, sitting="S2")
    with pytest.raises(Refused, match="This sitting is suspended"):
        queries.require_running(announced.competition, sitting="S1")


def test_a_text_of_the_notice_is_corrected(announced: ExamHall) -> None:
    place = {"place": {"vi": "Nhà thi đấu", "en": "Sports hall"}}
    with pytest.raises(Refused, match="without a decision"):
        steps.propose(announced, "correct", Subject("competition", texts=place))
    announced.phase("applications")
    with pytest.raises(Refused, match="Say what is corrected"):
        steps.propose(announced, "correct", WHOLE)
    steps.decide(announced, "correct", Subject("competition", texts=place))
    notice = queries.notice(announced.competition)
    assert notice is not None
    assert "Sports hall" in notice.document
    assert queries.notice_texts(announced.session, announced.competition.id)["contact"]["en"], "the other texts stand"
    assert_valid(announced.session, "mot")


def test_the_role_that_decides_must_be_among_those_who_approve(draft: ExamHall) -> None:
    """Where the regulation lets others approve too, their approvals alone are not enough."""
    tree = json.loads(read_preset("demo").canonical_bytes())
    for one in tree["approvals"]:
        if one["step"] == "intervene":
            one["roles"] = ["council-chair", "council-secretary"]
    with writing(draft.session):
        document = operations.add_regulation(
            draft.session, Regulation.model_validate_json(json.dumps(tree)), by=draft.office, now=draft.now
        )
        operations.change_regulation(draft.session, draft.competition, document, now=draft.now)
    draft.phase("announced")
    request = steps.propose(draft, "suspend", WHOLE)
    with pytest.raises(NotAllowed, match="Competent authority"):
        steps.approve(draft, request, "Secretary")
    assert queries.standing(draft.competition) == "going-on"
    steps.approve(draft, request, "Authority")
    assert queries.standing(draft.competition) == "suspended"
    assert_valid(draft.session, "mot")


@pytest.mark.parametrize(
    ("kind", "subject", "more", "match"),
    [
        ("suspend", WHOLE, {"reason": " "}, "Write the reason"),
        ("suspend", WHOLE, {"number": ""}, "number of the decision"),
        ("suspend", WHOLE, {"announcement": {"vi": "x", "en": ""}}, "both languages"),
        ("suspend", WHOLE, {"decided_on": date(2027, 1, 1)}, "in the future"),
        ("suspend", Subject("part", part="test"), {}, "does not provide"),
        ("suspend", Subject("post", posts=("Z",)), {}, "Choose the posts"),
        ("annul", Subject("part", part="cooking"), {}, "Choose the part"),
        ("annul", Subject("competition", repeat=True), {}, "held again"),
        ("annul", Subject("competition", dates={"exam-started:written": BELL}), {}, "neither dates"),
        ("resume", WHOLE, {}, "nothing to resume"),
        ("continue", Subject("post", posts=("A",)), {}, "does not provide"),
        ("postpone", Subject("competition", dates={"exam-started:written": BELL - timedelta(days=300)}), {}, "lies ahead"),
    ],
)
def test_what_cannot_be_decided(announced: ExamHall, kind: Any, subject: Subject, more: dict[str, Any], match: str) -> None:
    announced.phase("applications")
    with pytest.raises(Refused, match=match):
        steps.propose(announced, kind, subject, **more)
    assert announced.competition.decisions == []


def test_nothing_is_decided_before_the_notice(draft: ExamHall) -> None:
    with pytest.raises(Refused, match="nothing to decide"):
        steps.propose(draft, "suspend", WHOLE)


def test_a_decision_is_looked_at_again_when_it_is_carried_out(announced: ExamHall) -> None:
    announced.phase("applications")
    first = steps.propose(announced, "suspend", WHOLE)
    second = steps.propose(announced, "suspend", WHOLE, number="21/QĐ")
    steps.approve(announced, first, "Authority")
    with pytest.raises(Refused, match="stands still already"):
        steps.approve(announced, second, "Authority")
    with pytest.raises(DatabaseError, match="append-only"), writing(announced.session):
        announced.session.execute(text("UPDATE decisions SET reason = 'other'"))


def test_subjects_survive_their_document() -> None:
    subject = Subject("sitting", ("A",), "test", "S1", {"exam-started:written": BELL}, {"place": {"vi": "a", "en": "b"}}, True)
    assert Subject.read(subject.as_document()) == subject
    assert set(decisions.TITLES) == set(decisions.DONE) == set(decisions.KINDS)


def test_going_on_with_fewer_candidates_needs_closed_applications(draft: ExamHall) -> None:
    tree = json.loads(read_preset("demo").canonical_bytes())
    tree["admission"]["minimum_candidates"]["below"] = ["proceed-with-reason"]
    with writing(draft.session):
        document = operations.add_regulation(
            draft.session, Regulation.model_validate_json(json.dumps(tree)), by=draft.office, now=draft.now
        )
        operations.change_regulation(draft.session, draft.competition, document, now=draft.now)
    draft.phase("announced")
    draft.phase("applications")
    draft.candidate("An")
    with pytest.raises(Refused, match="still open"):
        steps.propose(draft, "continue", Subject("post", posts=("A",)))
    draft.phase("eligibility")
    draft.admit()
    steps.decide(draft, "continue", Subject("post", posts=("A",)))
    assert entries(draft.session)[-1][0] == "decision.continued"
    assert_valid(draft.session, "mot")
