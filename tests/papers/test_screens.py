"""The room's pages as people see them: axe in both languages, nothing left in English, nothing wider than a phone.

EXAMSVC_SCREENSHOTS=FOLDER keeps a picture of each, wide and narrow.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from examsvc.accounts.browser import COOKIE
from examsvc.papers import uploads
from tests.e2e.conftest import Live
from tests.e2e.screen import _TEXTS, english_left, faults
from tests.papers.test_authoring_pages import ITEM, TYPED, fields
from tests.papers.test_banks import with_picture
from tests.papers.test_pages import PAPERS, Office, hand_in, office, prepared  # noqa: F401

pytestmark = pytest.mark.browser

OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def arranged(office: Office) -> list[tuple[str, str, str]]:  # noqa: F811
    """A bank with a changed and returned question, a file in hand, drawn papers; (name, person, address) of the pages to look at."""
    office.post("Setter", "/banks/shipped", shipped="public-leadership")
    lines = {"count-0": "8", "marks-0": "4", "kinds-0": "single", "count-1": "2", "marks-1": "4", "kinds-1": "true-false"}
    office.post("Setter", "/parts/test/blueprint", **{"rows": "2", "bank": "public-leadership", **lines, "most_words": "1500"})
    office.post("Setter", "/parts/test/assemble", seed="s", shifts="2")
    office.post("Setter", "/banks/new", name="ours", title_vi="Ngân hàng của Sở", title_en="Our bank")
    office.post("Setter", "/banks/ours/write", **TYPED, store="1")
    digest = re.search(r'name="digest"[^>]*value="([0-9a-f]{64})"', office.get("Approver", ITEM))
    assert digest
    office.post("Approver", f"{ITEM}/review", digest=digest[1], what="returned", comment="Thiếu căn cứ")
    typed = fields(office.get("Setter", f"{ITEM}/edit"))
    office.post("Setter", f"{ITEM}/edit", **(typed | {"prompt.vi": "Ai có quyền giao dự toán?", "explanation.en": ""}), store="1")
    where = hand_in(office, with_picture().replace(b"answer = true", b"answer = 7")).split("/papers")[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uploads, "AT_ONCE", 0)
        waiting = hand_in(office, with_picture()).split("/papers")[1]
    big = "/banks/public-leadership"
    return [
        ("papers", "Setter", "/"),
        ("file", "Setter", where),
        ("bank", "Setter", big),
        ("question", "Approver", ITEM),
        ("compare", "Setter", f"{ITEM}/differences"),
        ("translate", "Setter", f"{ITEM}/translate"),
        ("write", "Setter", "/banks/ours/write?kind=match"),
        ("try", "Setter", f"{big}/items/org-05/as-candidate"),
        ("kinds", "Setter", "/banks/ours/write"),
        ("example", "Setter", "/banks/ours/write/text?kind=hotspot"),
        ("pictures", "Setter", "/banks/ours/pictures"),
        ("import", "Setter", "/banks/import"),
        ("waiting", "Setter", waiting),
        ("essay", "Setter", f"{big}/items/ess-01/edit"),
        ("toml", "Setter", f"{big}/items/org-05/edit/text"),
        ("blueprint", "Setter", "/parts/test/blueprint?check=1"),
        ("paper", "Approver", "/forms/test-main-1"),
        ("swap", "Setter", "/forms/test-main-1/questions/1/swap"),
        ("custodians", "Chair", "/custodians"),
        ("readings", "Chair", "/readings"),
    ]


def test_pages_of_banks_and_papers(office: Office, browser: Browser, tmp_path: Path) -> None:  # noqa: F811
    pages = arranged(office)
    live = Live(tmp_path, str(office.engine.url))
    live.set_clock(office.world.now)
    folder, found, seen = os.environ.get("EXAMSVC_SCREENSHOTS"), [], 0
    wide = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=live.url)
    page = wide.new_page()
    try:
        for name, person, address in pages:
            wide.clear_cookies()
            wide.add_cookies([{"name": COOKIE, "value": live.token(office.hall.people[person]), "url": live.url}])
            for language in ("vi", "en"):
                page.goto(f"/language/{language}")
                answer = page.goto(PAPERS + address)
                assert answer is not None
                assert answer.status == 200, (name, answer.status)
                seen += 1
                if language == "vi":
                    found += [f"{name}: {one}" for one in faults(page)]
                    texts = [text for text in page.evaluate(_TEXTS) if text not in {*office.hall.people, "English", "Setter"}]
                    found += [f"{name} not translated: {one}" for one in english_left(texts)]
                for width in (390, 1280):
                    page.set_viewport_size({"width": width, "height": 900})
                    if page.evaluate(OVERFLOW) > 0:
                        found.append(f"{name} {language} is wider than {width} px")
                    if folder:
                        Path(folder).mkdir(parents=True, exist_ok=True)
                        page.screenshot(path=f"{folder}/{name}-{language}-{width}.png", full_page=True)
    finally:
        wide.close()
        live.close()
    assert not found, "\n".join(found)
    assert seen == 2 * len(pages) == 40
