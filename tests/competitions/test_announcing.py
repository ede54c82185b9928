"""Pinning and announcing: nothing is pinned with an open question, nothing pinned changes, a notice is what was approved."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from examsvc.base.database import writing
from examsvc.base.errors import NotAllowed, Refused
from examsvc.competitions import announcing, notice_document, operations, preparing, queries
from examsvc.competitions.notice_document import Post, Source
from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.demonstration.announcing import TEXTS, ZONE
from examsvc.ledger import canonical
from examsvc.ledger.policy import read_policy
from tests.competitions import steps
from tests.exam_hall import BELL, OPENS, ExamHall
from tests.ledger_check import assert_valid
from tests.web import World


def ready_to_pin(hall: ExamHall) -> None:
    steps.confirm_all(hall)
    steps.keys(hall)


def ready_to_publish(hall: ExamHall) -> None:
    ready_to_pin(hall)
    steps.appoint(hall)
    steps.plan(
        hall,
        applications_opened=OPENS,
        applications_closed=BELL - timedelta(days=30),
        exam_started__written=BELL,
        exam_started__defence=BELL + timedelta(days=4),
    )
    steps.pin(hall)
    steps.write_texts(hall)


# ---------------------------------------------------------------- pinning


def test_each_open_question_keeps_the_regulation_from_being_pinned(draft: ExamHall) -> None:
    def obstacles() -> list[str]:
        return [sentence for sentence, _ in announcing.obstacles(draft.session, draft.competition, draft.now)]

    assert len(obstacles()) == 2
    with pytest.raises(Refused, match="119 clauses still need"):
        steps.pin(draft)
    steps.confirm_all(draft)
    with pytest.raises(Refused, match="every witness"):
        steps.pin(draft)
    steps.keys(draft)
    assert obstacles() == []
    with writing(draft.session):
        for post in list(draft.competition.posts):
            operations.remove_post(draft.session, draft.competition, post)
    with pytest.raises(Refused, match="0 posts"):
        steps.pin(draft)


def test_lint_errors_forbid_pinning(draft: ExamHall) -> None:
    tree = json.loads(read_preset("demo").canonical_bytes())
    tree["total"]["maximum"] = "99"
    with writing(draft.session):
        document = operations.add_regulation(
            draft.session, Regulation.model_validate_json(json.dumps(tree)), by=draft.office, now=draft.now
        )
        operations.change_regulation(draft.session, draft.competition, document, now=draft.now)
    ready_to_pin(draft)
    with pytest.raises(Refused, match="Lint finds 1 errors"):
        steps.pin(draft)


def test_what_is_pinned_never_changes(draft: ExamHall) -> None:
    ready_to_pin(draft)
    steps.pin(draft)
    session, competition, now = draft.session, draft.competition, draft.now
    assert competition.pinned_at == now
    with writing(session):
        other = operations.add_regulation(session, read_preset("vn-leadership"), by=draft.office, now=now)
    for change in (
        lambda: operations.change_regulation(session, competition, other, now=now),
        lambda: operations.remove_post(session, competition, competition.posts[0]),
        lambda: preparing.set_witness_keys(session, competition, {}),
        lambda: operations.confirm_clauses(session, competition, set(), by=draft.office, now=now),
        lambda: operations.add_post(session, competition, code="Z", title={}, unit={}, level="division-head"),
        lambda: announcing.propose_pin(session, competition, by=draft.office, now=now),
    ):
        with pytest.raises(Refused, match="is pinned"):
            change()
    with pytest.raises(DatabaseError, match="append-only"), writing(session):
        session.execute(text("UPDATE regulations SET canonical = '{}'"))
    policy = read_policy((competition.policy or "").encode())
    assert set(policy.witnesses) == {"inspectorate", "university", "press"}
    assert [key.name for key in policy.logs] == ["demo.example.vn/mot", "demo.example.vn/registry"]
    assert_valid(session, "mot")


def test_a_change_after_the_proposal_asks_for_a_new_one(draft: ExamHall) -> None:
    ready_to_pin(draft)
    with writing(draft.session):
        request = announcing.propose_pin(draft.session, draft.competition, by=draft.office, now=draft.now).id
        names = {**draft.competition.witness_keys}
        names["press"], names["university"] = names["university"], names["press"]
        preparing.set_witness_keys(draft.session, draft.competition, names)
    with pytest.raises(Refused, match="changed after the proposal"):
        steps.approve(draft, request, "Chair")
    assert draft.competition.pinned_at is None


def test_whoever_the_regulation_does_not_name_pins_nothing(draft: ExamHall) -> None:
    ready_to_pin(draft)
    with pytest.raises(NotAllowed):
        announcing.propose_pin(draft.session, draft.competition, by=draft.people["Marker1"], now=draft.now)


# ---------------------------------------------------------------- notice


def source(**changes: object) -> Source:
    given: dict[str, object] = {
        "slug": "mot",
        "title": {"vi": "Kỳ thi", "en": "Competition"},
        "regulation": read_preset("demo"),
        "digest": read_preset("demo").digest(),
        "posts": [Post("A", {"vi": "t", "en": "t"}, {"vi": "u", "en": "u"}, "division-head", 2)],
        "events": {
            "applications-opened": OPENS,
            "applications-closed": BELL,
            "exam-started:written": BELL,
            "exam-started:defence": BELL,
        },
        "texts": dict(TEXTS),
        **changes,
    }
    return Source(**given)  # type: ignore[arg-type]


def test_a_complete_notice_has_no_gap() -> None:
    assert notice_document.gaps(source()) == []


@pytest.mark.parametrize(
    ("changes", "item"),
    [
        ({"posts": []}, "posts"),
        ({"posts": [Post("A", {"vi": "t", "en": ""}, {"vi": "u", "en": "u"}, "division-head", 1)]}, "posts"),
        *(({"events": {k: v for k, v in source().events.items() if k != event}}, item) for event, item in (
            ("applications-opened", "deadline"),
            ("applications-closed", "deadline"),
            ("exam-started:defence", "time-and-place"),
        )),
        *(({"texts": {k: v for k, v in TEXTS.items() if k != name}}, item) for name, item in (
            ("place", "time-and-place"),
            ("subjects", "form-and-content"),
            ("handing-in", "files"),
            ("privacy", "privacy"),
            ("posted", "channels"),
        )),
        ({"texts": {**TEXTS, "place": {"vi": "Hội trường", "en": "  "}}}, "time-and-place"),
    ],
)
def test_each_missing_thing_is_a_gap(changes: dict[str, object], item: str) -> None:
    assert {gap.item for gap in notice_document.gaps(source(**changes))} >= {item}


@pytest.mark.parametrize("name", ["demo", "vn-leadership", "eu-open-competition", "vn-decree-170-2025", "kr-senior-assessment"])
def test_notices_of_every_regulation_speak_both_languages(name: str) -> None:
    document = notice_document.compose(source(regulation=read_preset(name)), 1)
    assert canonical.decode(notice_document.document_bytes(document)) == document
    lines = [line for section in document["sections"] for item in section["items"] for line in item["lines"]]
    assert len(lines) > 40
    assert all(set(line) == {"vi", "en"} and all(text.strip() and "%(" not in text for text in line.values()) for line in lines)
    ids = [section["id"] for section in document["sections"]]
    assert {"criteria", "form-and-content", "marking", "appeals", "privacy"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_the_notice_announces_the_competition(session: Session) -> None:
    hall = ExamHall(session, read_preset("demo"), posts="AB")
    ready_to_publish(hall)
    assert queries.phase(hall.competition) == "draft"
    assert not queries.is_public(hall.competition)
    steps.publish(hall)
    assert queries.phase(hall.competition) == "announced"
    assert queries.is_public(hall.competition)
    found = queries.notice(hall.competition)
    assert found is not None
    assert hashlib.sha256(found.document.encode()).hexdigest() == found.digest
    assert_valid(session, "mot")
    steps.write_texts(hall, {"contact": {"vi": "Phòng 12", "en": "Room 12"}})
    steps.publish(hall)
    assert [one.revision for one in hall.competition.notices] == [1, 2]
    assert "Room 12" in hall.competition.notices[1].document
    assert_valid(session, "mot")


def test_what_is_missing_keeps_the_notice_back(draft: ExamHall) -> None:
    with pytest.raises(Refused, match="Pin the regulation first"):
        steps.publish(draft)
    ready_to_publish(draft)
    steps.plan(draft, exam_started__defence=None)
    with pytest.raises(Refused, match="Set the date: Round 2"):
        steps.publish(draft)
    sentences = announcing.unready(draft.session, draft.competition, zone=ZONE, now=draft.now)
    assert len(sentences) == 1


def test_a_notice_that_changed_after_its_proposal_is_not_published(draft: ExamHall) -> None:
    ready_to_publish(draft)
    with writing(draft.session):
        request = announcing.propose_notice(draft.session, draft.competition, zone=ZONE, by=draft.office, now=draft.now).id
    steps.write_texts(draft, {"place": {"vi": "Nơi khác", "en": "Elsewhere"}})
    with pytest.raises(Refused, match="changed after the proposal"):
        steps.approve(draft, request, "Chair")
    assert draft.competition.notices == []


def test_applications_do_not_open_before_the_notice(draft: ExamHall) -> None:
    ready_to_publish(draft)
    draft.now = OPENS + timedelta(minutes=1)
    with pytest.raises(Refused, match="before the notice appears"):
        steps.publish(draft)


def test_nothing_changes_in_a_notice_once_applications_are_open(announced: ExamHall) -> None:
    announced.phase("applications")
    with pytest.raises(Refused, match="only by a reasoned decision"):
        steps.write_texts(announced, {"place": {"vi": "Khác", "en": "Other"}})
    with pytest.raises(Refused, match="only by a reasoned decision"):
        steps.publish(announced)
    with pytest.raises(DatabaseError, match="append-only"), writing(announced.session):
        announced.session.execute(text("UPDATE notices SET document = '{}'"))


def test_the_printed_notice_is_the_same_each_time_and_says_what_the_page_says(announced_pages: World) -> None:
    client = announced_pages.client()
    first = client.get("/competitions/mot/notices/1.pdf")
    assert first.mimetype == "application/pdf"
    assert first.data == client.get("/competitions/mot/notices/1.pdf").data
    printed = " ".join(page.extract_text() for page in PdfReader(BytesIO(first.data)).pages)
    for words in ("Head of division A", "Defence of the action plan", "Competent authority decides with a written reason"):
        assert words in printed
    client.get("/language/vi")
    vietnamese = client.get("/competitions/mot/notices/1.pdf").data
    assert vietnamese != first.data
    assert "Trưởng phòng A" in " ".join(page.extract_text() for page in PdfReader(BytesIO(vietnamese)).pages)
