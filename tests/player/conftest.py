"""One Chromium and one in-memory hall for the whole folder; a fresh attempt for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from question_banks import read_bank
from question_banks.model import Bank
from tests.player.hall import Attempt, Hall
from tests.player.seat import Seat

PAPER = [["one", "several", "statement", "share"], ["steps", "pairs", "gaps", "essay"]]


@pytest.fixture(scope="session")
def bank() -> Bank:
    found = read_bank(Path(__file__).parent / "bank.toml")
    assert not found.problems, found.problems
    return found.bank


@pytest.fixture(scope="session")
def hall() -> Iterator[Hall]:
    opened = Hall()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def profile(browser: Any) -> Iterator[Any]:
    """A browser profile for the tests that need none of their own: attempts never meet in it, and its cache is warm."""
    opened = browser.new_context(viewport={"width": 1280, "height": 800}, locale="vi-VN")
    yield opened
    opened.close()


@pytest.fixture
def sit(browser: Any, profile: Any, hall: Hall, bank: Bank) -> Iterator[Callable[..., Seat]]:
    """sit(...) → a Seat: a candidate before an open player. Every test ends by asking that nobody broke the protocol."""
    seats: list[Seat] = []

    def take(attempt: Attempt | None = None, *, context: Any = None, wait: str | None = "exam", **options: Any) -> Seat:
        view = {key: options.pop(key) for key in ("language", "width", "height", "fake_clock") if key in options}
        ids = options.pop("ids", PAPER)
        if context is None and not view.get("fake_clock"):
            context = profile
        seat = Seat(browser, hall, attempt or hall.seat(bank, ids, **options), context=context, **view)
        seats.append(seat)
        seat.open()
        if wait:
            seat.wait_for_screen(wait)
        return seat

    yield take
    offences = [offence for seat in seats for offence in seat.attempt.offences]
    complaints = [complaint for seat in seats for complaint in seat.complaints]
    for seat in seats:
        seat.leave()
    profile.set_offline(False)
    assert not offences, offences
    assert not complaints, complaints
