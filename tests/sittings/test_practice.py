"""The practice paper and the check of a machine: as the exam, and nothing of it counts."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from examsvc.base.errors import NotFound
from examsvc.ledger.models import LogEntry
from examsvc.sittings import practice
from examsvc.sittings.models import PracticeAttempt, Save
from tests.sittings.exam_day import Day

HERE = "/competitions/mot/practice"


class Try:
    """One candidate's practice page."""

    def __init__(self, day: Day, name: str = "An") -> None:
        self.client: FlaskClient = day.staff(name)
        began = self.client.post(HERE)
        assert began.status_code == 302
        self.base = began.headers["location"]
        self.lease = self.take()

    def take(self) -> str:
        return str(self.client.post(f"{self.base}/lease", json={"machine": uuid.uuid4().hex}).json["lease"])

    def value(self) -> dict[str, Any]:
        shown = self.client.get(f"{self.base}/paper").json["parts"][0]["slots"][0]["item"]["vi"]["interactions"][0]
        return {"RESPONSE": shown["choices"][0]["id"]}

    def save(self, value: object, base: int = 0, save_id: str | None = None, slot: int = 1) -> Any:
        save = {"save_id": save_id or str(uuid.uuid4()), "slot": slot, "base_version": base, "value": value}
        return self.client.post(f"{self.base}/saves", json={"lease": self.lease, "saves": [save], "flags": [2]})

    def state(self, query: str = "?values=1") -> Any:
        return self.client.get(f"{self.base}/state{query}").json

    def submit(self, versions: dict[int, int]) -> Any:
        body = {"lease": self.lease, "submit_id": str(uuid.uuid4()), "versions": versions}
        return self.client.post(f"{self.base}/submit", json=body)


def test_the_practice_paper_works_as_the_exam_does_and_leaves_nothing_on_record(either_day: Day) -> None:
    day = either_day
    with day.looking() as session:
        before = session.scalar(select(func.count()).select_from(LogEntry))
    tried = Try(day)
    assert tried.state()["state"] == "open"
    name, value = str(uuid.uuid4()), tried.value()
    first = tried.save(value, save_id=name)
    assert first.json["saves"][0]["version"] == 1
    assert tried.save(value, save_id=name).json["saves"] == first.json["saves"]
    stale = tried.save(value)
    assert (stale.status_code, stale.json["code"], stale.json["conflicts"][0]["version"]) == (409, "conflict", 1)
    refused = tried.save({"RESPONSE": "no such option"}, base=1)
    assert (refused.status_code, refused.json["refusals"][0]["slot"]) == (422, 1)
    old, tried.lease = tried.lease, tried.take()
    body = {"lease": old, "saves": []}
    assert tried.client.post(f"{tried.base}/saves", json=body).json["code"] == "lease-lost"
    state = tried.state()
    assert (state["slots"][0]["value"], state["flags"], state["notices"]) == (value, [2], [])
    assert tried.submit({}).status_code == 409
    receipt = tried.submit({1: 1}).json["receipt"]
    assert (receipt["answered"], len(receipt["code"])) == (1, 20)
    assert tried.state()["receipt"] == receipt
    page = tried.client.get(HERE).text
    assert "Your last try" in page
    with day.looking() as session:
        assert session.scalar(select(func.count()).select_from(LogEntry)) == before
        assert session.scalar(select(func.count()).select_from(Save)) == 0


def test_a_new_try_replaces_the_one_before(day: Day) -> None:
    first, second = Try(day), Try(day)
    assert first.client.get(f"{first.base}/state").status_code == 404
    assert second.state()["slots"][0]["version"] == 0
    with day.looking() as session:
        assert session.scalar(select(func.count()).select_from(PracticeAttempt)) == 1


def test_the_time_of_a_try_runs_out_and_says_how_it_went(day: Day) -> None:
    tried = Try(day)
    tried.save(tried.value())
    day.world.later(minutes=21)
    state = tried.state()
    assert (state["state"], state["receipt"]["answered"]) == ("closed", 1)
    assert tried.save(tried.value(), base=1).json["saves"][0]["late"] is True


def test_a_try_is_its_candidates_alone(day: Day) -> None:
    tried = Try(day)
    for person in ("Bình", "Hall", "Office"):
        other = day.staff(person)
        for address in ("", "/state", "/paper"):
            assert other.get(tried.base + address).status_code == 404
        assert other.post(f"{tried.base}/lease", json={"machine": "m" * 32}).status_code == 404
    for person in ("Hall", "Office", "Marker1"):
        assert day.staff(person).get(HERE).status_code == 404
        assert day.staff(person).post(HERE).status_code == 404
    assert day.world.client().get(HERE).status_code == 302


def test_no_practice_where_the_regulation_offers_none(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(practice, "minutes", lambda competition: None)
    client = day.staff("An")
    assert client.get(HERE).status_code == 404
    assert client.post(HERE).status_code == 404
    with day.looking() as session, pytest.raises(NotFound):
        practice.begin(
            session, day.hall.competition, account_id=day.hall.people["An"], now=day.world.now
        )


def test_every_kind_of_question_can_be_tried() -> None:
    kinds = {item.kind for _, item in practice.paper()}
    assert {"single", "multiple", "numeric", "order", "match", "gap", "essay"} <= kinds
    for _, item in practice.paper():
        for language in ("vi", "en"):
            assert item.presentation(language, "seed", "media/")["interactions"]


def test_a_machine_is_checked_by_anybody_before_anybody_signs_in(day: Day) -> None:
    stranger = day.world.client()
    page = stranger.get("/competitions/mot/machine")
    assert page.status_code == 200
    assert 'id="machine-check"' in page.text
    assert set(stranger.get("/practice/clock").json) == {"now"}
    assert stranger.get("/competitions/none/machine").status_code == 404
