"""The demonstration that `make demo` builds: everybody in it signs in with a click and finds every door of his own open."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from examsvc.base.clock import system_clock
from examsvc.demonstration import build
from examsvc.demonstration.people import CANDIDATES, STAFF
from examsvc.demonstration.story import DOMAIN
from examsvc.sittings.models import Sitting
from tests.e2e.conftest import Live
from tests.e2e.screen import english_left, vietnamese
from tests.web import World


class Reading(HTMLParser):
    """The links and the visible texts of a page; texts in another language than the page's are left out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.texts: list[str] = []
        self.open: list[tuple[str, bool]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        foreign = tag != "html" and given.get("lang") not in (None, "vi")
        hidden = foreign or tag in UNREAD or "digest" in (given.get("class") or "").split()
        if tag not in VOID:
            self.open.append((tag, hidden))
        if not hidden and not self.hidden:
            self.texts += [str(given[name]) for name in SPOKEN if given.get(name)]

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    @property
    def hidden(self) -> bool:
        return any(hidden for _, hidden in self.open)

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and not self.hidden:
            self.texts.append(text)


VOID = {"meta", "link", "input", "br", "img", "hr", "path", "line", "rect", "circle", "col", "wbr"}
UNREAD = {"script", "style", "code", "pre", "textarea", "cite"}
SPOKEN = ("placeholder", "aria-label", "title", "alt")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once, by the same function that `make demo` calls."""
    folder = tmp_path_factory.mktemp("demonstration")
    lines = list(build.ensure(folder, "http://localhost"))
    assert any("/demo" in line for line in lines)
    assert sum(f"@{DOMAIN}" in line for line in lines) == len(STAFF) + 3
    return folder


@pytest.fixture
def demonstration(built: Path) -> World:
    return World(built, f"sqlite:///{built / 'examsvc.sqlite'}", system_clock(), language="vi", mode="demo")


@pytest.fixture
def served(built: Path) -> Iterator[Live]:
    made = Live(built, f"sqlite:///{built / 'examsvc.sqlite'}", mode="demo")
    made.set_clock(system_clock())
    yield made
    made.close()


def test_everybody_finds_every_door_open(demonstration: World) -> None:
    """Signs in as every account by the page of the demonstration, and follows the links of its own page and its tasks.

    The first of those who hold the same role goes one step further, to whatever those pages lead to.
    """
    entrance = demonstration.app.test_client().get("/demo").text
    stranger = demonstration.app.test_client()
    assert "AGE-SECRET-KEY-1" in stranger.get("/demo/giuphach.key").text, "for whoever plays the custodian of the codes"
    assert stranger.get("/demo/giamkhao1.key").status_code == 404
    wrong: list[str] = []
    read: dict[str, int] = {}
    roles: set[tuple[str, ...]] = set()
    for person in (*STAFF, *CANDIDATES):
        assert f'action="/demo/{person.handle}"' in entrance
        client = demonstration.app.test_client()
        arrived = client.post(f"/demo/{person.handle}")
        assert arrived.status_code == 302
        read[person.handle] = walk(client, arrived.location, wrong, person.handle, 1 if person.roles in roles else 2)
        roles.add(person.roles)
    assert wrong == []
    assert len(read) == len(STAFF) + len(CANDIDATES)
    assert min(read.values()) >= 5, read


OF_A_KIND = re.compile(r"/[0-9a-f]{16}|/\d+|(?<=-)\d+")


def walk(client: FlaskClient, start: str, wrong: list[str], who: str, deep: int) -> int:
    """Follows links so many steps deep; of addresses that differ only in a number or code it opens one of each page.

    Appends what answers otherwise than 200, and what is English on a Vietnamese page; the number of pages read.
    """
    ahead = deque([(urlsplit(start).path, 0)])
    known: set[str] = set()
    read = 0
    while ahead:
        address, depth = ahead.popleft()
        kind = OF_A_KIND.sub("/*", address)
        if kind in known or address.startswith(("/language/", "/static/")):
            continue
        known.add(kind)
        answer = client.get(address)
        if answer.status_code in (301, 302):
            ahead.append((urlsplit(answer.location).path, depth))
            continue
        if answer.status_code != 200:
            wrong.append(f"{who} {address}: {answer.status_code}")
            continue
        read += 1
        if answer.mimetype != "text/html":
            continue
        reading = Reading(answer.text)
        wrong += [f"{who} {address}: {text}" for text in english_left(reading.texts)]
        if depth < deep:
            ahead.extend(
                (urldefrag(link).url, depth + 1) for link in reading.links if link.startswith("/") and urldefrag(link).url
            )
    return read


# ---------------------------------------------------------------- by clicking

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.browser
def test_the_exam_that_is_ready_is_sat_by_clicking(served: Live, browser: Browser) -> None:
    """From the page of the demonstration: the invigilator checks a candidate in, who sits with the slip's code."""
    with served.session() as session:
        sitting = session.scalars(select(Sitting).where(Sitting.part == "test", Sitting.started_at.is_(None))).one()
        seat = sitting.seats[0]
        slug, code, bell, room = sitting.competition.slug, sitting.code, sitting.bell_at, seat.room.code
        name = seat.application.account.name
    served.set_clock(bell - timedelta(seconds=50))
    page = browser.new_context(viewport={"width": 1280, "height": 860}, base_url=served.url).new_page()
    become(page, "La Thị Mai")
    page.goto(f"/competitions/{slug}/sittings/{code}/rooms/{room}")
    page.locator("tr", has_text=name).get_by_role("link", name=vietnamese("Check in")).click()
    page.check("#photograph_agrees")
    page.get_by_role("button", name=vietnamese("Check in and print the slip")).click()
    number, secret = (one.replace(" ", "") for one in page.locator(".slip .large").all_inner_texts())
    page.context.clear_cookies()
    page.goto(f"/competitions/{slug}/sit")
    page.fill("#candidate_number", number)
    page.fill("#code", secret)
    page.click("main form button[type=submit]")
    served.set_clock(bell)
    served.work()
    expect(page.locator("#player .option").first).to_be_visible(timeout=60_000)
    page.locator("#player .option").first.click()
    expect(page.locator(".bar-save")).to_have_attribute("data-state", "saved", timeout=60_000)
    take(page, "exam.png")
    page.context.close()


@pytest.mark.browser
def test_anybody_reads_the_published_ranking(served: Live, browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 860}, base_url=served.url).new_page()
    page.goto("/competitions/truong-phong-2026-1")
    page.get_by_role("link", name=vietnamese("Result of the competition")).first.click()
    expect(page.locator("main h1")).to_have_text(vietnamese("Result of the competition"))
    assert page.locator("main table tbody tr").count() >= 3
    take(page, "result.png")
    page.context.close()


def become(page: Page, name: str) -> None:
    page.goto("/demo")
    page.get_by_role("button", name=name).click()
    expect(page.locator("main h1")).to_have_text(name)


def take(page: Page, name: str) -> None:
    """README shows this picture; with EXAMSVC_PICTURES set it is taken anew."""
    if os.environ.get("EXAMSVC_PICTURES"):
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / name)
    assert f"docs/pictures/{name}" in README
    assert (PICTURES / name).read_bytes().startswith(b"\x89PNG"), "take it with EXAMSVC_PICTURES=1"
