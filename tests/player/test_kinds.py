"""Every kind of interaction that is not a picture's: answered by keyboard alone, saved, reloaded, marked, taken back, then answered by mouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from question_banks import read_bank
from question_banks.declarations import KINDS
from question_banks.model import Bank
from tests.player import pictured
from tests.player.seat import Seat

pytestmark = pytest.mark.browser

WORDS = '[{ id = "w1", text = "ký", match_max = 1 }, { id = "w2", text = "thẩm tra", match_max = 1 }, { id = "w3", text = "ban hành", match_max = 1 }]'
GENERAL = {
    "associate": ('choices = [{ id = "n", text = "Thu" }, { id = "m", text = "Nộp" }, { id = "k", text = "Chi" }, { id = "h", text = "Cấp" }], max_choices = 2', "pair", "multiple", ["n m", "k h"]),
    "gap-match": (f'prompt = "Văn phòng [[a]] dự thảo, giám đốc [[b]] văn bản.", choices = {WORDS}, targets = [{{ id = "a" }}, {{ id = "b" }}], max_choices = 0', "directedPair", "multiple", ["w2 a", "w1 b"]),
    "hottext": ('prompt = "Sai ở chữ nào: [[x]] họp [[y]] ba ngày.", targets = [{ id = "x", text = "Giấy mời" }, { id = "y", text = "trước" }, { id = "z", text = "sau" }], max_choices = 1'.replace("[[y]] ba", "[[y]] [[z]] ba"), "identifier", "single", ["y"]),
    "hottexts": ('kind = "hottext", prompt = "Chọn hai chữ: [[x]] [[y]] [[z]].", targets = [{ id = "x", text = "một" }, { id = "y", text = "hai" }, { id = "z", text = "ba" }], max_choices = 2', "identifier", "multiple", ["x", "z"]),
    "slider": ("lower = 0, upper = 10, step = 1", "float", "single", ["7"]),
}  # fmt: skip


def general() -> Bank:
    """The kinds that only the exchange formats have, and a short text."""
    lines = ['format = "examsvc-bank/1"', 'id = "general"', 'languages = ["vi"]']
    for name, (interaction, base, cardinality, right) in GENERAL.items():
        kind = "" if interaction.startswith("kind") else f'kind = "{name}", '
        lines += [
            f'\n[[item]]\nid = "{name}"\nkind = "composite"\nmarks = "1"\nprompt = "Trả lời."',
            f'interaction = [{{ response = "RESPONSE", {kind}{interaction} }}]',
            f'response = [{{ id = "RESPONSE", base = "{base}", cardinality = "{cardinality}", correct = {right} }}]'.replace("'", '"'),
            'rule = [{ response = "RESPONSE", method = "all-or-nothing" }]',
        ]
    lines.append('\n[[item]]\nid = "short"\nkind = "text"\nmarks = "1"\nprompt = "Ai ký?"\naccept = ["Giám đốc"]')
    found = read_bank("\n".join(lines).encode(), "native")
    assert not found.problems, found.problems
    return found.bank


# ---- by keyboard: Tab, arrows, Space, Enter and letters, never a pointer ----


def tab_to(seat: Seat, selector: str, nth: int = 0) -> None:
    script = "([selector, nth]) => document.querySelectorAll('.question ' + selector)[nth] === document.activeElement"
    for _ in range(80):
        if seat.evaluate(script, [selector, nth]):
            return
        seat.page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached with the Tab key")


def typed(seat: Seat, selector: str, text: str, nth: int = 0) -> None:
    tab_to(seat, selector, nth)
    seat.page.keyboard.type(text)


def chosen_with_arrows(seat: Seat, nth: int, text: str) -> None:
    tab_to(seat, "select", nth)
    for _ in range(12):
        seat.page.keyboard.press("ArrowDown")
        if text in seat.evaluate("document.activeElement.selectedOptions[0].textContent"):
            return
    raise AssertionError(f"{text} cannot be chosen with the arrow keys")


def letters(seat: Seat, *texts: str) -> None:
    for text in texts:
        seat.page.keyboard.press(seat.page.inner_text(f'.option:has-text("{text}") .letter'))


def pressed(seat: Seat, selector: str, *places: int) -> None:
    for place in places:
        tab_to(seat, selector, place)
        seat.page.keyboard.press("Space")


STEPS = ("Xác định vấn đề", "Nêu các phương án", "Lựa chọn", "Theo dõi")


def order_shown(seat: Seat) -> list[str]:
    return [" ".join(node.inner_text().split()) for node in seat.page.query_selector_all(".order > li .rich")]


def place_of(seat: Seat, text: str) -> int:
    return next(place for place, shown in enumerate(order_shown(seat)) if text in shown)


def ordered_by_keys(seat: Seat) -> None:
    for goal, text in enumerate(STEPS):
        place = place_of(seat, text)
        if place > goal:
            tab_to(seat, ".order .moves button:first-child", place)
            for _ in range(place - goal):
                seat.page.keyboard.press("Enter")
    keep = seat.page.query_selector('button:text-is("Giữ thứ tự này")')
    if keep and keep.is_visible():  # it was shown in the right order by chance
        keep.press("Enter")


KEYBOARD: dict[str, Callable[[Seat], Any]] = {
    "one": lambda seat: letters(seat, "Kết quả cuối cùng"),
    "several": lambda seat: letters(seat, "Có đơn vị đo", "Có thời hạn"),
    "statement": lambda seat: letters(seat, "Đúng"),
    "share": lambda seat: typed(seat, ".entry input", "87,5"),
    "short": lambda seat: typed(seat, ".entry input", "giám đốc"),
    "steps": ordered_by_keys,
    "pairs": lambda seat: [chosen_with_arrows(seat, nth, text) for nth, text in enumerate(("diễn biến", "cấp trên", "quyền và"))],
    "gaps": lambda seat: [chosen_with_arrows(seat, 0, "uỷ quyền"), typed(seat, ".prompt input", "ba mươi"), typed(seat, ".prompt input", "0,5", 1)],
    "essay": lambda seat: typed(seat, "textarea", "một hai ba bốn năm sáu bảy tám chín mười mười một"),
    "associate": lambda seat: [chosen_with_arrows(seat, nth, text) for nth, text in enumerate(("Thu", "Nộp", "Chi", "Cấp"))],
    "gap-match": lambda seat: [chosen_with_arrows(seat, nth, text) for nth, text in enumerate(("thẩm tra", "ký"))],
    "hottext": lambda seat: pressed(seat, ".hottext", 1),
    "hottexts": lambda seat: pressed(seat, ".hottext", 0, 2),
    "slider": lambda seat: [tab_to(seat, 'input[type="range"]'), *(seat.page.keyboard.press("ArrowRight") for _ in range(2))],
}  # fmt: skip


# ---- by mouse: pointer, and typing only where words or numbers are asked for ----


def clicked(seat: Seat, selector: str, *texts: str) -> None:
    for text in texts:
        seat.page.click(f'.question {selector}:has-text("{text}")')


def picked(seat: Seat, *texts: str) -> None:
    for nth, text in enumerate(texts):
        select = seat.page.locator(".question select").nth(nth)
        select.click()
        value = next(o["value"] for o in select.evaluate("s => [...s.options].map(o => ({ value: o.value, text: o.text }))") if text in o["text"])
        select.select_option(value)
        seat.page.keyboard.press("Escape")


def written(seat: Seat, selector: str, text: str, nth: int = 0) -> None:
    seat.page.locator(f".question {selector}").nth(nth).click()
    seat.page.keyboard.type(text)


def slid(seat: Seat, share: float) -> None:
    box = seat.page.query_selector('input[type="range"]').bounding_box()
    seat.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def ordered_by_dragging(seat: Seat) -> None:
    for goal, text in enumerate(STEPS):
        place = place_of(seat, text)
        if place == goal:
            continue
        box, aim = (seat.page.query_selector(f".order > li:nth-child({n + 1})").bounding_box() for n in (place, goal))
        grip = seat.page.query_selector(f".order > li:nth-child({place + 1}) .rich").bounding_box()
        seat.page.mouse.move(grip["x"] + 5, grip["y"] + 5)
        seat.page.mouse.down()
        seat.page.mouse.move(box["x"] + 30, aim["y"] + 3, steps=8)
        seat.page.mouse.up()
    keep = seat.page.query_selector('button:text-is("Giữ thứ tự này")')
    if keep and keep.is_visible():
        keep.click()


MOUSE: dict[str, Callable[[Seat], Any]] = {
    "one": lambda seat: clicked(seat, ".option", "Kết quả cuối cùng"),
    "several": lambda seat: clicked(seat, ".option", "Có đơn vị đo", "Có thời hạn"),
    "statement": lambda seat: clicked(seat, ".option", "Đúng"),
    "share": lambda seat: written(seat, ".entry input", "87.5"),
    "short": lambda seat: written(seat, ".entry input", "Giám đốc"),
    "steps": ordered_by_dragging,
    "pairs": lambda seat: picked(seat, "diễn biến", "cấp trên", "quyền và"),
    "gaps": lambda seat: [picked(seat, "uỷ quyền"), written(seat, ".prompt input", "30"), written(seat, ".prompt input", "0.5", 1)],
    "essay": lambda seat: written(seat, "textarea", "mười một chữ ở đây để cho đủ số chữ cần có"),
    "associate": lambda seat: picked(seat, "Thu", "Nộp", "Chi", "Cấp"),
    "gap-match": lambda seat: picked(seat, "thẩm tra", "ký"),
    "hottext": lambda seat: clicked(seat, ".hottext", "trước"),
    "hottexts": lambda seat: clicked(seat, ".hottext", "một", "ba"),
    "slider": lambda seat: slid(seat, 0.7),
}
CONTROLS = """() => [...document.querySelectorAll(".question :is(input, select, textarea, .hottext, .order > li)")].map((node) =>
  node.matches("li") ? node.dataset.id : node.matches(".hottext") ? node.getAttribute("aria-pressed")
  : node.matches("[type=radio], [type=checkbox]") ? node.checked : node.value)"""


@pytest.fixture(scope="module")
def items(bank: Bank) -> Bank:
    """One item for each name of KEYBOARD and MOUSE."""
    every = [*(item for item in bank if item.id in KEYBOARD), *general()]
    return bank.replaced(items=tuple(every))


@pytest.mark.parametrize("name", sorted(KEYBOARD))
def test_each_kind_is_answered_saved_reloaded_and_marked_by_keyboard_and_by_mouse(sit: Any, hall: Any, items: Bank, name: str) -> None:
    seat = sit(hall.seat(items, [[name]]))
    item = items[name]

    def right() -> bool:
        stored = seat.stored(1)
        if stored is None or not item.accepts(stored):
            return False
        outcome = item.mark(stored)
        return outcome.score is None if item.by_person else outcome.score == item.max_score

    for act in (KEYBOARD[name], MOUSE[name]):
        act(seat)
        seat.wait_until(lambda: seat.stored(1) is not None and seat.save_state == "saved", "an answer on the server")
        seat.wait_until(right, "the marks of the right answer")
        seat.wait_saved()
        stored, shown = seat.stored(1), seat.evaluate(CONTROLS)
        assert seat.page.get_attribute("#palette .number", "data-state") == "answered"
        seat.open()
        seat.wait_for_screen("exam")
        assert seat.page.get_attribute("#palette .number", "data-state") == "answered"
        again = seat.evaluate(CONTROLS)
        if name == "associate":  # a pair has no first and second
            again, shown = (sorted(sorted(one[n : n + 2]) for n in (0, 2)) for one in (again, shown))
        assert again == shown, "the controls show the answer again"
        assert seat.stored(1) == stored
        seat.page.click("text=Xoá câu trả lời")
        seat.wait_stored(1, None)


@pytest.mark.parametrize(("name", "choices", "one_of_them"), [("associate", ("Thu", "Nộp", "Thu", "Chi"), 2), ("gap-match", ("ký", "ký"), 1)])
def test_a_choice_in_too_many_pairs_is_said_at_once_and_left_to_the_candidate(
    sit: Any, hall: Any, items: Bank, name: str, choices: tuple[str, ...], one_of_them: int
) -> None:
    seat = sit(hall.seat(items, [[name]]))
    picked(seat, *choices)
    seat.page.wait_for_selector(f".question .note:has-text('“{choices[0]}” đang được dùng quá 1 lần')")
    seat.wait_until(lambda: "quá số lần" in seat.text("#player"), "the server's sentence")
    seat.page.locator(".question select").nth(one_of_them).select_option("")
    seat.page.wait_for_selector(".question .note:has-text('đang được dùng quá')", state="hidden")
    seat.wait_until(lambda: seat.stored(1) is not None and len(seat.stored(1)["RESPONSE"]) == 1)
    seat.wait_saved()
    assert "quá số lần" not in seat.text("#player")


def test_these_and_the_pictured_ones_are_all_the_kinds_that_the_player_knows(sit: Any, items: Bank, tmp_path: Path) -> None:
    assert set(KEYBOARD) == set(MOUSE) == {item.id for item in items}
    tried = {one.kind for source in (items, pictured.bank(tmp_path)) for item in source for one in item.interactions}
    known = sit().evaluate(
        """async (kinds) => {
          const { moduleFor } = await import("/static/player/interactions/registry.js");
          const unknown = await import("/static/player/interactions/unknown.js");
          return kinds.filter((kind) => moduleFor({ kind, choices: [], targets: [] }) !== unknown);
        }""",
        sorted(KINDS),
    )
    assert tried == set(known) == set(KINDS) - {"upload"}


def test_an_upload_is_refused_at_its_item_and_the_others_go_on(sit: Any, hall: Any, bank: Bank) -> None:
    """A timed paper never holds one (its lint says so); were it there all the same, the candidate reads it at the item."""
    text = """
format = "examsvc-bank/1"
id = "handed-in"
languages = ["vi"]
[[item]]
id = "file"
kind = "composite"
prompt = "Nộp tệp."
interaction = [{ response = "RESPONSE", kind = "upload" }]
response = [{ id = "RESPONSE", base = "file", cardinality = "single" }]
rule = [{ response = "RESPONSE", method = "person" }]
"""
    found = read_bank(text.encode(), "native")
    assert not found.problems, found.problems
    seat = sit(hall.seat(bank.replaced(items=(*found.bank, bank["one"])), [["file", "one"]]))
    assert "“upload”" in seat.text(".question .note")
    assert seat.page.query_selector_all(".question :is(input[type=file], textarea)") == []
    seat.page.keyboard.press("n")
    letters(seat, "Kết quả cuối cùng")
    seat.wait_until(lambda: seat.stored(2) is not None)
    assert seat.stored(1) is None
