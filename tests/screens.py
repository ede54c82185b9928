"""Pages as a browser shows them: axe finds nothing, and nothing is wider than the screen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from werkzeug.serving import make_server

from examsvc.accounts.browser import COOKIE
from tests.web import World

OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
LOOKS = (("vi", 1280), ("en", 390))
"""Vietnamese on a desk, English on a phone: both languages and both widths, each page twice."""


@contextmanager
def served(world: World) -> Iterator[str]:
    """The application at an address of its own."""
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def sit_down(world: World, page: Page, address: str, account: int | None, language: str = "en") -> None:
    """The browser becomes this person's, or nobody's."""
    page.context.clear_cookies()
    if account is not None:
        page.context.add_cookies([{"name": COOKIE, "value": world.token(account), "url": address}])
    page.goto(f"{address}/language/{language}")


def faults(world: World, page: Page, address: str, pages: Sequence[tuple[int | None, str]]) -> list[str]:
    """What is wrong with these pages (account and path), each looked at twice."""
    found = []
    for language, width in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        for account, path in pages:
            sit_down(world, page, address, account, language)
            answer = page.goto(address + path)
            if answer is None or answer.status != 200 or page.locator("html").get_attribute("lang") != language:
                found.append(f"{path} {language}: {answer and answer.status}")
                continue
            found += [f"{path} {language}: {one['id']}" for one in Axe().run(page).response["violations"]]
            if page.evaluate(OVERFLOW) > 0:
                found.append(f"{path} {language}: wider than {width}")
    return found
