"""The pages of results in a real browser, before and after the publication: axe in both languages, nothing wider than a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.results.conftest import Board
from tests.results.test_pages import compute, vote
from tests.screens import faults, served, sit_down

pytestmark = pytest.mark.browser
ROOT = "/competitions/mot/"


def test_every_page_is_for_everybody(board: Board, page: Page) -> None:
    people = board.people
    with served(board) as address:

        def look(*pages: tuple[str | None, str]) -> list[str]:
            return faults(board, page, address, [(people[one] if one else None, ROOT + path) for one, path in pages])

        assert look(("An", "my-result")) == []
        compute(board)
        assert look(("Chair", "results/review"), ("Secretary", "results/vote")) == []
        vote(board)
        board.approve("Chair")
        assert look(("Chair", "results/approval")) == []
        data = {"decision_number": "12/QĐ", "decided_on": "2026-11-21", "reason": "đúng quy chế"}
        board.as_("Chair").post(ROOT + "results/approval", data=data)
        board.approve("Authority")
        assert look(("Office", "results/publication")) == []
        board.as_("Office").post(ROOT + "results/publication")
        assert board.approve("Chair") == 1
        assert look((None, "results"), ("Chi", "my-result"), ("Hoa", "my-result"), ("Panel1", "hearings/")) == []


def test_a_number_opens_its_derivation_in_place_one_at_a_time(board: Board, page: Page) -> None:
    compute(board)
    with served(board) as address:
        sit_down(board, page, address, board.people["Chair"])
        page.goto(address + ROOT + "results/review")
        numbers = page.locator("details.why")
        assert numbers.count() >= 7 * 3
        height = page.locator("table.ranks").first.bounding_box()
        numbers.nth(0).locator("summary").click()
        assert numbers.nth(0).locator("ol").is_visible()
        numbers.nth(1).locator("summary").click()
        assert numbers.nth(1).locator("ol").is_visible()
        assert not numbers.nth(0).locator("ol").is_visible()
        assert page.locator("table.ranks").first.bounding_box() == height, "the table does not move"
