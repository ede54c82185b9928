"""One person at one browser: buttons and links by their English sentence, pressed on the Vietnamese page; every page looked at.

What stands on a page is found through the catalogue, so a test reads in English, the page is Vietnamese, and a sentence without
Vietnamese is found out at once.  ``look`` holds a page to axe as it stands, and once more in English.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, expect
from sqlalchemy import select

from examsvc.accounts.browser import COOKIE
from examsvc.accounts.models import Account
from examsvc.translations.compile import merged

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.e2e.conftest import Live

_CATALOGUE: dict[str, str] = {}
_AXE: list[str] = []


def vietnamese(sentence: str, **params: object) -> str:
    """The Vietnamese of a sentence of the program, or the sentence itself where there is none: the page shows that, too."""
    if not _CATALOGUE:
        for message in merged():
            if message.id and message.string:
                key = message.id[0] if isinstance(message.id, tuple) else message.id
                _CATALOGUE[key] = message.string if isinstance(message.string, str) else message.string[0]
    found = _CATALOGUE.get(sentence, sentence)
    return found % params if params else found


def axe_script() -> str:
    if not _AXE:
        from axe_playwright_python.sync_playwright import Axe

        _AXE.append(Axe().axe_script)
    return _AXE[0]


_RUN = """async () => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  return found.violations.map(one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 160)).join(' | ')}`);
}"""


def faults(page: Page) -> list[str]:
    """What axe finds wrong on the page as it stands, one line for each rule."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(axe_script())
    return list(page.evaluate(_RUN))


_TEXTS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const holder = node.parentElement;
    if (holder.closest('script, style, code, pre, textarea, cite, .digest, [lang]:not(html):not([lang=vi])')) continue;
    const text = node.textContent.replace(/\\s+/g, ' ').trim();
    if (text) found.push(text);
  }
  for (const name of ['placeholder', 'aria-label', 'title', 'alt'])
    for (const one of document.querySelectorAll(`[${name}]`))
      if (!one.closest('[lang]:not(html):not([lang=vi])')) found.push(one.getAttribute(name));
  return found.concat([document.title]);
}"""
_ENGLISH = re.compile(
    r"\b(the|of|and|is|are|was|were|your|you|this|that|with|has|have|from|been|not|yet|which|each|every|by|for|page|marks?)\b",
    re.ASCII,
)


def english_left(texts: list[str]) -> list[str]:
    """Texts of a Vietnamese page that are English: a sentence that the catalogue translates, or common English words."""
    vietnamese("Sign in")
    return [
        text
        for text in texts
        if _ENGLISH.search(text) or (text in _CATALOGUE and _CATALOGUE[text] != text)
    ]


_UNFOLDED = """one => {
  for (let fold = one.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
  return one.type;
}"""
"""The type of a field or button, which stands open to the reader afterwards."""


class Looked:
    """Every kind of page that was looked at, and what was wrong with it."""

    def __init__(self, browser: Browser, live: Live) -> None:
        self.pages: set[str] = set()
        self.faults: list[str] = []
        self.live = live
        self.english = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=live.url)
        self.reader = self.english.new_page()
        self.reader.goto("/language/en")

    def at(self, page: Page, english: bool) -> None:
        """axe on the page in Vietnamese, and on the same address in English."""
        kind = self.kind(page)
        if kind in self.pages:
            return
        self.pages.add(kind)
        self.faults += [f"{kind} vi {one}" for one in faults(page)]
        with self.live.session() as session:
            names = set(session.scalars(select(Account.name)))  # the hall's people are called by their roles
        self.faults += [f"{kind} not translated: {one}" for one in english_left(page.evaluate(_TEXTS)) if one not in names]
        if english:
            held = [one for one in page.context.cookies() if one["name"] == COOKIE]
            self.english.clear_cookies(name=COOKIE)
            self.english.add_cookies(held)
            self.reader.goto(page.url)
            assert self.reader.locator("html").get_attribute("lang") == "en", page.url
            self.faults += [f"{kind} en {one}" for one in faults(self.reader)]

    def kind(self, page: Page) -> str:
        """The endpoint of the page's address, with what it says at its head, which tells its states apart."""
        path = urlsplit(page.url).path
        adapter = self.live.app.url_map.bind("")
        endpoint = str(adapter.match(path, method="GET")[0])
        notes = page.locator("main .problems, main .note, main .said, main form").count()
        return f"{endpoint}#{notes}"

    def close(self) -> None:
        self.english.close()


class Screen:
    """One person's browser, in Vietnamese."""

    def __init__(self, browser: Browser, live: Live, looked: Looked, account: int | None = None, width: int = 1280) -> None:
        self.live, self.looked = live, looked
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": 900}, locale="vi-VN", base_url=live.url
        )
        if account is not None:
            self.context.add_cookies([{"name": COOKIE, "value": live.token(account), "url": live.url}])
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    # ---------------------------------------------------------------- going

    def go(self, address: str) -> Screen:
        """To an address of the service, which must answer 200."""
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status == 200, f"{address}: {answer.status} {self.page.locator('main').inner_text()[:300]}"
        return self.look()

    def home(self) -> Screen:
        return self.go("/account/")

    def follow(self, sentence: str, **params: object) -> Screen:
        """Clicks on the first link with these words."""
        self.link(vietnamese(sentence, **params)).click()
        return self.look()

    def open(self, text: str) -> Screen:
        """Clicks on the first link that shows this text of data: a name, a number, a title."""
        self.link(text).click()
        return self.look()

    def link(self, text: str) -> Locator:
        return self.page.locator("main").get_by_role("link", name=text).first

    # ---------------------------------------------------------------- writing

    def fill(self, **fields: str) -> Screen:
        """Types into fields by name; radio buttons and boxes are chosen by value, a select by its option's value."""
        for name, value in fields.items():
            field = self.page.locator(f"main [name='{name}']")
            kind = field.first.evaluate(_UNFOLDED)
            if kind in ("radio", "checkbox"):
                self.page.locator(f"main [name='{name}'][value='{value}']").check()
            elif kind.startswith("select"):
                field.select_option(value)
            elif kind == "file":
                field.set_input_files(value)
            else:
                field.first.fill(value)
        return self

    def upload(self, file: Path | dict[str, Any]) -> Screen:
        self.page.locator("main input[type=file]").set_input_files(file)  # type: ignore[arg-type]
        return self

    def press(self, sentence: str, *, refused: bool = False, **params: object) -> Screen:
        """Presses the first button with these words; the page that follows names no mistake, unless it is to refuse."""
        button = self.page.locator("main button", has_text=vietnamese(sentence, **params)).first
        button.evaluate(_UNFOLDED)
        with self.page.expect_navigation():
            button.click()
        problems = self.page.locator("main .problems")
        assert (problems.count() > 0) == refused, problems.all_inner_texts()
        return self.look()

    # ---------------------------------------------------------------- seeing

    def look(self, english: bool = True) -> Screen:
        """Holds the page to what every page owes its reader, the first time that this kind of page is seen."""
        assert self.problems == []
        self.looked.at(self.page, english)
        return self

    def sees(self, text: str) -> Screen:
        """This text of data stands on the page."""
        expect(self.page.locator("main")).to_contain_text(text)
        return self

    def reads(self, sentence: str, **params: object) -> Screen:
        """This sentence of the program stands on the page, in Vietnamese."""
        return self.sees(vietnamese(sentence, **params))

    def does_not_see(self, text: str) -> Screen:
        expect(self.page.locator("main")).not_to_contain_text(text)
        return self

    @property
    def text(self) -> str:
        return self.page.locator("main").inner_text()

    def approve(self) -> Screen:
        """Reads the summary of the first step that waits and approves it."""
        self.go("/account/approvals")
        self.page.locator("main ul.tasks a").first.click()
        self.look()
        return self.press("I approve this summary")

    def close(self) -> None:
        self.context.close()
