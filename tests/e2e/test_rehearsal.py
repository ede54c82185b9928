"""`examsvc rehearse` against the real application: an exam day over HTTP, on either kind of database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Response
from sqlalchemy.orm import Session

from examsvc.base.database import writing
from examsvc.commands.rehearse import rehearse
from examsvc.demonstration import custodians, organisation, story
from examsvc.papers import custody
from tests.e2e.conftest import Live
from tests.exam_hall import quick_passphrase


@pytest.fixture
def live(tmp_path: Path, address: str) -> Iterator[Live]:
    """A demonstration with its people and its organisation, and no competition yet."""
    with quick_passphrase():
        made = Live(tmp_path, address, mode="demo")
        session, now = made.opened(), made.moment() - timedelta(days=150)
        people = story.enrol(session, now)
        with writing(session):
            organisation.found(session, people, now=now + timedelta(days=1))
        yield made
        made.close()


def day(live: Live) -> Result:
    short = ("--candidates", "3", "--minutes", "0.05", "--think", "0.3", "--wait", "5", "--json")
    with ThreadPoolExecutor(1) as thread:  # the tests' own thread may have Playwright's event loop
        return thread.submit(CliRunner().invoke, rehearse, [live.url, *short]).result()


def test_three_candidates_sit_and_nothing_is_lost(live: Live) -> None:
    result = day(live)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["answers_lost"], report["wrong_digests"], report["receipts"]) == (0, 0, 3), report
    assert report["saves"] >= report["answers_checked"] > 3
    assert set(report["statuses"]) == {"200", "302"}, report


def test_the_worker_may_prepare_the_sitting_at_the_same_time(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    opens = custody.open_form

    @wraps(opens)
    def and_the_worker(session: Session, arguments: Mapping[str, Any], now: datetime) -> None:
        opens(session, arguments, now)
        monkeypatch.setattr(custody, "open_form", opens)
        custodians.turn_up(live.opened(), live.moment(), domain=story.DOMAIN)

    monkeypatch.setattr(custody, "open_form", and_the_worker)
    result = day(live)
    assert custody.open_form is opens
    assert result.exit_code == 0, result.output


def test_a_server_that_loses_an_answer_is_found_out(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = live.app.view_functions["sittings.state"]

    @wraps(whole)
    def forgetful(code: str) -> Response:
        reply = whole(code)
        body = reply.get_json()
        for slot in body.get("slots", []):
            slot["value"] = None
        reply.set_data(json.dumps(body))
        return reply

    monkeypatch.setitem(live.app.view_functions, "sittings.state", forgetful)
    result = day(live)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["answers_lost"] > 0


def test_it_wants_a_demonstration_that_answers(tmp_path: Path, any_address: str) -> None:
    plain = Live(tmp_path, any_address)
    refused = day(plain)
    plain.close()
    assert (refused.exit_code, "needs a demonstration" in refused.output) == (1, True)
    gone = day(plain)
    assert (gone.exit_code, "cannot be reached" in gone.output) == (1, True)
