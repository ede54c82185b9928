"""For every candidate: axe finds nothing, targets are large, contrast is enough, narrow screens and double text work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

TOKENS = Path(__file__).parents[2] / "examsvc" / "static" / "css" / "tokens.css"
LONG = [["one", "several", "statement", "share"], ["steps", "pairs", "gaps", "essay", "table"]]


def set_display(seat, size="100", contrast="light"):
    seat.page.click('[data-tool="settings"]')
    seat.page.check(f'dialog[open] input[value="{size}"]')
    seat.page.check(f'dialog[open] input[value="{contrast}"]')
    seat.page.keyboard.press("Escape")


def violations(seat, rule=None):
    from axe_playwright_python.sync_playwright import Axe

    if not seat.evaluate("typeof axe === 'object'"):
        seat.evaluate(Axe().axe_script)
    options = {"resultTypes": ["violations"]} | ({"runOnly": {"type": "rule", "values": [rule]}} if rule else {})
    found = seat.evaluate("(options) => axe.run(document, options)", options)["violations"]
    return [f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes']]}" for one in found]


# another contrast changes colours and nothing else: there only the rule on colours runs
@pytest.mark.parametrize(("language", "contrast", "rule"), [("vi", "light", None), ("en", "light", None), ("vi", "dark", "color-contrast"), ("en", "high", "color-contrast")])
def test_axe_finds_nothing_on_any_page(sit, language, contrast, rule):
    seat = sit(language=language, ids=LONG)
    set_display(seat, contrast=contrast)
    found = {}

    def look(place):
        found[place] = violations(seat, rule)

    seat.page.keyboard.press("f")
    for number in range(1, 10):
        seat.go(number)
        look(f"item {number}")
    for tool in ("settings", "help"):
        seat.page.click(f'[data-tool="{tool}"]')
        look(tool)
        seat.page.keyboard.press("Escape")
    seat.go(8)
    seat.write("từ " * 70)
    seat.go(1)
    seat.attempt.signed_in = False
    seat.choose("Kết quả" if language == "vi" else "final result")
    seat.wait_until(lambda: "signed_out" in seat.banners)
    look("banners")
    seat.page.click('.banner[data-key="signed_out"] button')
    look("sign-in")
    seat.attempt.signed_in = True
    seat.attempt.store(1, {"RESPONSE": seat.token(1, "Từng thao tác")})
    seat.attempt.store(1, {"RESPONSE": seat.token(1, "Không điều gì")})
    seat.page.fill('input[name="candidate_number"]', "0017")
    seat.page.fill('input[name="code"]', "K7M2QX")
    seat.page.keyboard.press("Enter")
    seat.page.wait_for_selector(".conflict")
    look("conflict")
    seat.go(8)
    seat.page.wait_for_selector(".refusal")
    look("refusal")
    seat.attempt.notices.append({"id": "n", "at": "2026-11-21T03:40:00Z", "text": {"vi": "Còn 15 phút.", "en": "15 minutes."}, "read": False})
    seat.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    seat.page.wait_for_selector("dialog.notice")
    look("notice")
    seat.page.click("dialog.notice button")
    seat.page.click("#palette .submit")
    look("submit list")
    seat.page.click(".submit-dialog .main")
    look("submit refused")
    seat.page.keyboard.press("Escape")
    seat.attempt.paused_since = seat.attempt.now
    seat.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    seat.wait_for_screen("paused")
    look("paused")
    seat.attempt.close()
    seat.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    seat.wait_for_screen("receipt")
    look("receipt")
    assert len(found) == 20
    assert {place: bad for place, bad in found.items() if bad} == {}


def test_axe_finds_nothing_before_the_bell_and_on_another_machine(sit, browser):
    waiting = sit(bell=300, wait="waiting")
    assert violations(waiting) == []
    other = browser.new_context()
    held = sit(waiting.attempt, context=other, wait="held")
    assert violations(held) == []
    held.page.close()
    other.close()


SMALL = """() => [...document.querySelectorAll("button, select, textarea, input[type=text], .option, .flag, .setting label, .skip:focus")]
  .filter((node) => node.checkVisibility() && !node.closest(".unseen, .skip"))
  .map((node) => [node.textContent.trim().slice(0, 30), node.getBoundingClientRect()])
  .filter(([, box]) => box.height < 43.5 || box.width < 43.5).map(([text, box]) => `${text} ${box.width}x${box.height}`)"""


@pytest.mark.parametrize("width", [390, 1280])
def test_everything_to_be_touched_is_44_pixels_high(sit, width):
    seat = sit(width=width, height=800, ids=LONG)
    for number in range(1, 10):
        seat.go(number)
        assert seat.evaluate(SMALL) == []
    seat.page.click('[data-tool="settings"]')
    assert seat.evaluate(SMALL) == []


WIDER = """() => {
  const wide = document.documentElement.clientWidth;
  const over = [...document.querySelectorAll("#player *, dialog *")]
    .filter((n) => n.checkVisibility() && !n.closest(".scrolls, .unseen, .skip, [class=announcer]") && n.getBoundingClientRect().right > wide + 1)
    .map((n) => `${n.tagName}.${n.className} ${Math.round(n.getBoundingClientRect().right)}`);
  return document.documentElement.scrollWidth > wide ? ["the page scrolls sideways", ...over] : over;
}"""


@pytest.mark.parametrize("language", ["vi", "en"])
def test_320_pixels_and_double_text_need_no_sideways_scrolling(sit, language):
    seat = sit(width=320, height=640, language=language, ids=LONG)
    set_display(seat, size="200")
    for number in range(1, 10):
        seat.go(number)
        assert seat.evaluate(WIDER) == [], number
    for tool in ("settings", "help"):
        seat.page.click(f'[data-tool="{tool}"]')
        assert seat.evaluate(WIDER) == []
        seat.page.keyboard.press("Escape")
    seat.page.click(".moves-bar .main")
    assert seat.evaluate(WIDER) == []
    seat.page.keyboard.press("Escape")
    seat.attempt.close()
    seat.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    seat.wait_for_screen("receipt")
    assert seat.evaluate(WIDER) == []
    assert seat.evaluate(SMALL) == []


def test_focus_moves_with_the_question_and_comes_back_from_dialogs(sit):
    seat = sit()
    seat.page.click('[data-tool="next"]')
    assert seat.evaluate("document.activeElement.id") == "question-title"
    seat.page.focus('[data-tool="help"]')
    seat.page.keyboard.press("Enter")
    assert seat.evaluate("document.activeElement.tagName") == "H2"
    seat.page.keyboard.press("Escape")
    assert seat.evaluate("document.activeElement.dataset.tool") == "help"
    seat.page.focus(".skip")
    seat.page.keyboard.press("Enter")
    assert seat.evaluate("document.activeElement.id") == "question-title"
    assert "#" not in seat.page.url


def test_saving_is_not_read_aloud_and_an_outage_is_read_once(sit):
    seat = sit()
    seat.listen()
    seat.choose("Kết quả")
    seat.wait_saved()
    assert seat.said() == []
    seat.cut()
    seat.choose("Từng thao")
    seat.wait_until(lambda: "offline" in seat.banners)
    seat.page.wait_for_timeout(300)
    seat.mend()
    seat.wait_saved()
    said = [one for one in seat.said() if "mạng" in one]
    assert len(said) == 2
    assert said[0].startswith("Không có mạng. Cứ làm tiếp")
    assert said[1] == "Đã có mạng trở lại."


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_of(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_palette_has_the_contrast_that_it_promises():
    blocks = re.findall(r'(?:^|\n)(:root|\[data-contrast="\w+"\]) \{(.*?)\n\}', TOKENS.read_text(), re.DOTALL)
    assert [name for name, _ in blocks] == [":root", '[data-contrast="dark"]', '[data-contrast="high"]']
    for name, body in blocks:
        token = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", body))
        for ground in ("paper", "paper-quiet", "accent-quiet"):
            assert contrast_of(token["ink"], token[ground]) >= 7, (name, ground)
            for ink in ("ink-quiet", "accent"):
                assert contrast_of(token[ink], token[ground]) >= 4.5, (name, ink, ground)
        for tone in ("danger", "attention", "safe"):
            assert contrast_of(token[tone], token["paper"]) >= 4.5, (name, tone)
            assert contrast_of(token[tone], token[f"{tone}-quiet"]) >= 4.5, (name, tone)
            assert contrast_of(token["ink"], token[f"{tone}-quiet"]) >= 7, (name, tone)
        assert contrast_of(token["on-accent"], token["accent"]) >= 4.5, name
        assert contrast_of(token["edge"], token["paper"]) >= 3, name
        assert contrast_of(token["focus"], token["paper"]) >= 3, name
