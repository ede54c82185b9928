"""The check of a machine before the exam says what is so: each finding is brought about and looked at."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def check(browser, hall, bank):
    contexts = []

    def open_page(script="", language="vi", **options):
        attempt = hall.seat(bank, [["one"]], **options)
        context = browser.new_context(screen={"width": 1440, "height": 900}, viewport={"width": 1280, "height": 800})
        contexts.append(context)
        context.add_init_script(script)
        page = context.new_page()
        page.set_default_timeout(8000)
        page.goto(f"{hall.address}/check/{attempt.code}?language={language}")
        page.wait_for_selector(".verdict[data-state]")
        return page

    yield open_page
    for context in contexts:
        context.close()


def states(page):
    rows = page.query_selector_all("[data-check]")
    return {row.get_attribute("data-check"): row.query_selector(".check-state").get_attribute("data-state") for row in rows}


def test_a_good_machine(check):
    page = check()
    found = states(page)
    assert list(found) == ["secure", "browser", "digest", "storage", "persistence", "network", "clock", "screen", "keyboard"]
    assert {name for name, state in found.items() if state != "good"} <= {"persistence", "keyboard", "network"}
    assert "Máy này dùng được" in page.inner_text(".verdict")
    page.fill('[data-check="keyboard"] input', "Đề án đổi moi")
    assert states(page)["keyboard"] == "attention"
    page.fill('[data-check="keyboard"] input', "Đề a\u0301n đổi mới")  # decomposed letters of some input methods
    assert states(page)["keyboard"] == "good"


@pytest.mark.parametrize(
    ("script", "name", "state"),
    [
        ("Object.defineProperty(window, 'indexedDB', { value: undefined });", "storage", "bad"),
        ("crypto.subtle.digest = async () => new ArrayBuffer(32);", "digest", "bad"),
        ("{ const there = Date.now; Date.now = () => there() + 600e3; }", "clock", "attention"),
        ("Object.defineProperty(screen, 'width', { value: 800 });", "screen", "attention"),
        ("delete HTMLDialogElement.prototype.showModal;", "browser", "bad"),
        ("Object.defineProperty(window, 'isSecureContext', { value: false });", "secure", "bad"),
        ("{ const real = fetch; window.fetch = (...a) => new Promise((go) => setTimeout(go, 520)).then(() => real(...a)); }", "network", "attention"),
    ],
)
def test_what_is_wrong_with_a_machine_is_named(check, script, name, state):
    page = check(script, language="en")
    assert states(page)[name] == state
    verdict = page.inner_text(".verdict")
    assert ("not fit" in verdict) == (state == "bad")


def test_a_server_that_does_not_answer_is_named(check, hall, bank):
    page = check(cut=False)
    code = page.url.split("/")[-1].split("?")[0]
    hall.attempts[code].cut = True
    page.click("button")
    page.wait_for_selector('.verdict[data-state="some_bad"]')
    found = states(page)
    assert (found["network"], found["clock"]) == ("bad", "bad")


def test_the_check_leaves_nothing_on_the_machine(check):
    page = check()
    kept = page.evaluate(
        """() => new Promise((resolve) => {
          const opening = indexedDB.open("examsvc-player", 1);
          opening.onsuccess = () => {
            const all = opening.result.transaction("slots").objectStore("slots").count();
            all.onsuccess = () => resolve(all.result);
          };
        })"""
    )
    assert kept == 0
