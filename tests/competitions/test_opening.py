"""Opening a competition: two officers of the installation, an address of its own, a log that begins before anything else."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.base.database import writing
from examsvc.base.errors import NotAllowed, Refused
from examsvc.competitions import operations, queries
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import read_preset
from examsvc.ledger import keys
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry
from tests.exam_hall import ExamHall
from tests.ledger_check import assert_valid

IDENTITY = keys.identity("11" * 32, "exam.example", "hai")
REGISTRY = keys.identity("11" * 32, "exam.example", "registry")


def propose(hall: ExamHall, *, slug: str = "hai", by: int | None = None, **more: object) -> int:
    with writing(hall.session):
        document = operations.add_regulation(hall.session, read_preset("demo"), by=hall.office, now=hall.now)
        given = {"title": {"vi": "Kỳ thi hai", "en": "Competition two"}, **more}
        return operations.propose_competition(
            hall.session,
            slug=slug,
            regulation=document,
            identity=IDENTITY,
            registry=REGISTRY,
            by=by or hall.office,
            now=hall.now,
            **given,  # type: ignore[arg-type]
        ).id


def approve(hall: ExamHall, request: int, by: int) -> bool:
    with writing(hall.session):
        found = hall.session.get_one(approvals.ApprovalRequest, request)
        return approvals.approve(hall.session, request, by=by, digest=found.digest, now=hall.now)


def test_two_officers_open_a_competition_and_both_logs_say_so(session: Session) -> None:
    hall = ExamHall(session)
    assert_valid(session, "mot")
    request = propose(hall)
    assert session.scalar(select(Competition).where(Competition.slug == "hai")) is None
    assert approve(hall, request, hall.second)
    entries = [
        read_entry(row) for row in session.scalars(select(LogEntry.entry).where(LogEntry.log == "hai").order_by(LogEntry.position))
    ]
    assert [entry.type for entry in entries[:1]] == ["log.opened"]
    assert entries[0].body == {"origin": "exam.example/hai", "key": IDENTITY.key, "registry": REGISTRY.origin}
    opened = [
        read_entry(row).body
        for row in session.scalars(select(LogEntry.entry).where(LogEntry.type == "competition.opened"))
    ]
    assert [(one["competition"], len(one["approvals"]), one["classified"]) for one in opened] == [
        ("mot", 2, False),
        ("hai", 2, False),
    ]
    for log in ("hai", "mot", "registry"):
        assert_valid(session, log)


def test_nobody_opens_one_alone(draft: ExamHall) -> None:
    request = propose(draft)
    with pytest.raises(NotAllowed, match="approved this step already"):
        approve(draft, request, draft.office)
    with pytest.raises(NotAllowed, match="does not approve this step"):
        approve(draft, request, draft.people["Chair"])
    with pytest.raises(NotAllowed):
        propose(draft, slug="ba", by=draft.people["Chair"])
    assert draft.session.scalar(select(Competition).where(Competition.slug == "hai")) is None


@pytest.mark.parametrize("slug", ["mot", "Hai", "hai ba", "-hai", "hai--ba", "registry", "new", "", "kỳ-thi", "a" * 61, "../x"])
def test_addresses_that_cannot_be(draft: ExamHall, slug: str) -> None:
    with pytest.raises(Refused) as refusal:
        propose(draft, slug=slug)
    assert refusal.value.field == "slug"


def test_one_address_waits_once(draft: ExamHall) -> None:
    first = propose(draft)
    with pytest.raises(Refused, match="waits for its approval"):
        propose(draft, title={"vi": "Khác", "en": "Other"})
    assert approve(draft, first, draft.second)


def test_the_title_stands_in_both_languages(draft: ExamHall) -> None:
    with pytest.raises(Refused) as refusal:
        propose(draft, title={"vi": "Kỳ thi", "en": " "})
    assert refusal.value.field == "title_en"


def test_a_classified_competition_is_hidden_until_released(announced: ExamHall) -> None:
    from examsvc.competitions import announcing
    from tests.competitions.steps import approve as step

    with writing(announced.session):
        announced.competition.classified = True
    assert not queries.is_public(announced.competition)
    with writing(announced.session):
        request = announcing.propose_release(
            announced.session, announced.competition, by=announced.people["Chair"], now=announced.now
        ).id
    step(announced, request, "Authority")
    assert queries.is_public(announced.competition)
    with pytest.raises(Refused, match="not withheld"):
        announcing.propose_release(
            announced.session, announced.competition, by=announced.people["Chair"], now=announced.now
        )


def test_a_regulation_is_stored_once(draft: ExamHall) -> None:
    with writing(draft.session):
        first = operations.add_regulation(draft.session, read_preset("demo"), by=draft.office, now=draft.now)
        again = operations.add_regulation(draft.session, read_preset("demo"), by=draft.second, now=draft.now)
        assert first.id == again.id == draft.competition.regulation_id
