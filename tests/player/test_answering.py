"""Answering each kind of item by mouse and by keyboard; nothing the page does on the side may lose an answer."""

from __future__ import annotations

import pytest

from question_banks.responding import count_words

pytestmark = pytest.mark.browser

ONE, SEVERAL, STATEMENT, SHARE, STEPS, PAIRS, GAPS, ESSAY = range(1, 9)


def order_shown(seat):
    return [node.get_attribute("data-id") for node in seat.page.query_selector_all(".order > li")]


def test_one_of_several_by_letter_and_by_arrows(sit):
    seat = sit()
    ids = [box.get_attribute("value") for box in seat.page.query_selector_all(".option input")]
    seat.page.keyboard.press("b")
    seat.wait_stored(ONE, {"RESPONSE": ids[1]})
    seat.page.keyboard.press("ArrowDown")
    seat.wait_stored(ONE, {"RESPONSE": ids[2]})
    seat.page.keyboard.press("A")
    seat.wait_stored(ONE, {"RESPONSE": ids[0]})
    assert seat.page.inner_text(".option.chosen .letter") == "A"


def test_arrows_outside_the_answers_scroll_and_change_nothing(sit):
    seat = sit()
    seat.page.keyboard.press("ArrowDown")
    seat.page.keyboard.press("ArrowDown")
    seat.page.wait_for_timeout(600)
    assert seat.attempt.saves == []


def test_several_of_several(sit):
    seat = sit()
    seat.go(SEVERAL)
    seat.choose("Có đơn vị đo")
    seat.page.keyboard.press("Tab")
    seat.choose("Có thời hạn")
    both = sorted([seat.token(SEVERAL, "Có đơn vị đo"), seat.token(SEVERAL, "Có thời hạn")])
    seat.wait_stored(SEVERAL, {"RESPONSE": both})
    seat.choose("Có đơn vị đo")
    seat.choose("Có thời hạn")
    seat.wait_stored(SEVERAL, None)


def test_a_statement_is_true_or_false(sit):
    seat = sit()
    seat.go(STATEMENT)
    seat.page.keyboard.press("b")
    seat.wait_stored(STATEMENT, {"RESPONSE": "false"})
    assert seat.text(".option.chosen") == "B Sai"


def test_a_number_is_kept_as_typed_and_shown_as_read(sit):
    seat = sit()
    seat.go(SHARE)
    field = ".entry input"
    seat.page.fill(field, " 87,50 ")
    assert seat.text(".echo") == "Máy đọc là 87,50"
    seat.wait_stored(SHARE, {"RESPONSE": "87,50"})
    seat.page.fill(field, "1.250,5")
    assert seat.text(".echo") == "Máy đọc là 1250,5"
    seat.page.fill(field, "nhiều")
    assert "Không đọc được" in seat.text(".echo")
    seat.page.keyboard.press("n")  # in a field a letter is a letter
    assert seat.page.input_value(field) == "nhiềun"
    assert seat.text(".unit") == "%"
    seat.go(ONE)
    seat.wait_stored(SHARE, {"RESPONSE": "nhiềun"})


def test_order_by_keyboard_is_announced_and_keeps_the_focus(sit):
    seat = sit()
    seat.go(STEPS)
    seat.listen()
    shown = order_shown(seat)
    assert "Chưa trả lời" in seat.text(".question .hint")
    seat.page.focus(".order > li:nth-child(1) button >> nth=1")
    seat.page.keyboard.press("Enter")
    seat.page.keyboard.press("Space")
    expected = [shown[1], shown[2], shown[0], shown[3]]
    assert order_shown(seat) == expected
    seat.wait_stored(STEPS, {"RESPONSE": expected})
    assert [said.split(":")[0] for said in seat.said()] == ["Đã chuyển đến vị trí 2 trên 4", "Đã chuyển đến vị trí 3 trên 4"]
    assert seat.evaluate("document.activeElement.closest('li').dataset.id") == shown[0]
    seat.page.keyboard.press("Enter")
    seat.page.keyboard.press("Enter")  # at the end: nothing more, and the focus stays
    assert order_shown(seat)[3] == shown[0]
    assert seat.evaluate("document.activeElement.closest('li').dataset.id") == shown[0]


def test_order_by_mouse(sit):
    seat = sit()
    seat.go(STEPS)
    shown = order_shown(seat)
    box = seat.page.query_selector(".order > li:nth-child(1) .rich").bounding_box()
    goal = seat.page.query_selector(".order > li:nth-child(3)").bounding_box()
    seat.page.mouse.move(box["x"] + 5, box["y"] + 5)
    seat.page.mouse.down()
    seat.page.mouse.move(box["x"] + 5, goal["y"] + goal["height"] - 4, steps=8)
    seat.page.mouse.up()
    expected = [shown[1], shown[2], shown[0], shown[3]]
    assert order_shown(seat) == expected
    seat.wait_stored(STEPS, {"RESPONSE": expected})


def test_the_order_shown_at_first_is_no_answer_until_it_is_kept(sit):
    seat = sit()
    seat.go(STEPS)
    shown = order_shown(seat)
    seat.go(PAIRS)
    seat.go(STEPS)
    assert seat.page.get_attribute("#palette .number >> nth=4", "data-state") == "blank"
    assert seat.stored(STEPS) is None
    seat.page.click('button:text-is("Giữ thứ tự này")')
    seat.wait_stored(STEPS, {"RESPONSE": shown})


def test_match_by_keyboard(sit):
    seat = sit()
    seat.go(PAIRS)
    for left, key in (("Biên bản", "A"), ("Tờ trình", "B"), ("Quyết định", "A")):
        seat.page.focus(f'select[aria-label="Ghép với: {left}"]')
        seat.page.keyboard.type(key)
    rights = [choice["id"] for choice in seat.attempt.parts[1]["slots"][1]["item"]["vi"]["interactions"][0]["targets"]]
    lefts = [seat.token(PAIRS, text) for text in ("Biên bản", "Tờ trình", "Quyết định")]
    seat.wait_stored(PAIRS, {"RESPONSE": sorted([f"{lefts[0]} {rights[0]}", f"{lefts[1]} {rights[1]}", f"{lefts[2]} {rights[0]}"])})
    assert seat.page.get_attribute("#palette .number >> nth=5", "data-state") == "answered"
    seat.page.select_option('select[aria-label="Ghép với: Tờ trình"]', "")
    seat.wait_until(lambda: len((seat.stored(PAIRS) or {"RESPONSE": []})["RESPONSE"]) == 2)
    assert seat.page.get_attribute("#palette .number >> nth=5", "data-state") == "partial"


def test_gaps_stand_in_the_text(sit):
    seat = sit()
    seat.go(GAPS)
    assert seat.text(".prompt p").startswith("Người ký thay phải có văn bản")
    seat.page.select_option('.prompt select[aria-label="Chỗ trống 1"]', label="uỷ quyền")
    seat.page.fill('.prompt input[aria-label="Chỗ trống 2"]', "ba mươi")
    assert seat.page.get_attribute("#palette .number >> nth=6", "data-state") == "partial"
    seat.page.fill('.prompt input[aria-label="Chỗ trống 3"]', "0,5")
    seat.go(ONE)
    seat.wait_stored(GAPS, {"g1": seat.token(GAPS, "uỷ quyền", "g1"), "g2": "ba mươi", "g3": "0,5"})
    assert seat.page.get_attribute("#palette .number >> nth=6", "data-state") == "answered"


def test_an_essay_counts_its_words_live_and_is_kept_in_nfc(sit):
    seat = sit()
    seat.go(ESSAY)
    seat.write("Một hai ba.")
    seat.wait_until(lambda: "3 từ · còn thiếu 7 từ" in seat.text(".words"))
    text = "Kế hoạch — gồm:\n\n1. gặp từng người;\n2. xếp lại việc; 3. báo cáo." + " thêm" * 30
    seat.write(text)
    seat.wait_until(lambda: f"{count_words(text)} từ · quá {count_words(text) - 40} từ" in seat.text(".words"))
    seat.write("Tiê\u0301ng Viê\u0323t")
    seat.go(ONE)
    seat.wait_stored(ESSAY, {"RESPONSE": "Tiếng Việt"})


def test_switching_the_language_loses_no_answer_and_no_place(sit):
    seat = sit()
    seat.go(GAPS)
    seat.page.select_option(".prompt select", label="uỷ quyền")
    seat.page.fill('.prompt input[aria-label="Chỗ trống 2"]', "30")
    seat.page.click('[data-tool="language"]')
    assert seat.evaluate("document.documentElement.lang") == "en"
    assert seat.text(".prompt p").startswith("Whoever signs for another")
    assert seat.page.input_value('.prompt input[aria-label="Gap 2"]') == "30"
    assert seat.text(".prompt select option:checked") == "delegation"
    assert seat.text(".bar-where") == "Part II · Question 7/8"
    seat.go(ESSAY)
    seat.page.click("textarea.essay")
    seat.page.keyboard.type("One two three")
    seat.page.keyboard.press("ArrowLeft")
    seat.evaluate("document.querySelector('[data-tool=language]').click()")
    assert seat.page.input_value("textarea.essay") == "One two three"
    assert seat.evaluate("[document.activeElement.className, document.activeElement.selectionStart]") == ["essay", 12]
    seat.wait_until(lambda: seat.stored(ESSAY) == {"RESPONSE": "One two three"})
    seat.wait_stored(GAPS, {"g1": seat.token(GAPS, "uỷ quyền", "g1"), "g2": "30"})
    assert [len(seat.attempt.history[slot]) for slot in (GAPS, ESSAY)] == [1, 1]


def test_an_answer_is_cleared_and_the_clearing_undone(sit):
    seat = sit()
    seat.go(ESSAY)
    seat.write("Một hai ba bốn.")
    seat.page.click("text=Xoá câu trả lời")
    assert seat.page.input_value("textarea.essay") == ""
    seat.wait_until(lambda: seat.page.get_attribute("#palette .number >> nth=7", "data-state") == "blank")
    seat.page.click("text=Hoàn tác xoá")
    assert seat.page.input_value("textarea.essay") == "Một hai ba bốn."
    seat.wait_stored(ESSAY, {"RESPONSE": "Một hai ba bốn."})
    seat.go(ONE)
    assert seat.page.is_disabled("text=Xoá câu trả lời")
    seat.page.keyboard.press("a")
    seat.wait_until(lambda: seat.stored(ONE) is not None)
    seat.page.click("text=Xoá câu trả lời")
    seat.wait_stored(ONE, None)
    assert seat.page.query_selector(".option input:checked") is None


def test_keys_move_and_flag_and_the_help_names_them(sit):
    seat = sit()
    seat.page.keyboard.press("n")
    assert seat.text(".question-title").startswith("Câu 2/8")
    assert seat.evaluate("document.activeElement.id") == "question-title"
    seat.page.keyboard.press("f")
    seat.wait_until(lambda: seat.attempt.flags == [2])
    assert seat.page.is_checked('[data-tool="flag"]')
    assert "đánh dấu xem lại" in seat.page.get_attribute("#palette .number >> nth=1", "aria-label")
    seat.page.keyboard.press("p")
    assert seat.text(".question-title").startswith("Câu 1/8")
    seat.page.keyboard.press("p")
    assert seat.text(".question-title").startswith("Câu 1/8")
    seat.page.keyboard.press("?")
    keys = seat.text("dialog[open] table")
    assert all(key in keys for key in ("N câu sau", "P câu trước", "F đánh dấu", "A B C", "↑ ↓"))
    seat.page.keyboard.press("f")  # under a dialog keys do nothing
    seat.page.keyboard.press("Escape")
    seat.page.wait_for_timeout(500)
    assert seat.attempt.flags == [2]


def test_one_letter_keys_can_be_turned_off(sit):
    """WCAG 2.1.4: speech input and trembling hands press letters that were not meant."""
    seat = sit()
    seat.page.click('[data-tool="settings"]')
    seat.page.uncheck("dialog[open] label.setting input")
    seat.page.keyboard.press("Escape")
    for key in ("n", "f", "a"):
        seat.page.keyboard.press(key)
    assert seat.text(".question-title").startswith("Câu 1/8")
    assert seat.page.query_selector(".option input:checked") is None


def test_flags_and_place_come_back_after_a_reload_and_on_another_machine(sit, browser):
    seat = sit()
    seat.go(PAIRS)
    seat.page.check('[data-tool="flag"]')
    seat.wait_until(lambda: seat.attempt.flags == [PAIRS])
    seat.open()
    seat.wait_for_screen("exam")
    assert seat.text(".question-title").startswith("Câu 6/8")
    assert seat.page.is_checked('[data-tool="flag"]')
    seat.attempt.machine = None  # released by the invigilator
    other = browser.new_context()
    there = sit(seat.attempt, context=other)
    there.go(PAIRS)
    assert there.page.is_checked('[data-tool="flag"]')
    there.page.close()
    other.close()


def test_the_last_settings_hold_after_a_reload_and_not_for_the_next_candidate(sit):
    seat = sit()
    seat.page.click('[data-tool="settings"]')
    seat.page.check('dialog[open] input[value="150"]')
    seat.page.check('dialog[open] input[value="dark"]')
    shown = "[document.documentElement.dataset.textSize, document.documentElement.dataset.contrast]"
    assert seat.evaluate(shown) == ["150", "dark"]
    seat.open()
    seat.wait_for_screen("exam")
    assert seat.evaluate(shown) == ["150", "dark"]
    assert sit().evaluate(shown) == ["100", "light"]


def test_more_than_five_options_leave_the_command_letters_free(sit):
    seat = sit()
    letters = seat.evaluate(
        """async () => {
          const { letter, place } = await import("/static/player/interactions/choices.js");
          return [Array.from({ length: 24 }, (_, i) => letter(i)), ["f", "n", "p", "g", "A", "Enter"].map(place)];
        }"""
    )
    assert letters[0][:9] == list("ABCDEGHIJ")
    assert not set("FNP") & set(letters[0])
    assert letters[1] == [-1, -1, -1, 5, 0, -1]


def test_an_entry_that_may_have_several_partners_has_a_box_for_each(sit, hall, bank):
    attempt = hall.seat(bank, [["one"]])
    attempt.items[1] = type("Anything", (), {"accepts": lambda self, value: True})()
    choices = [{"id": f"c{n}", "html": "AB"[n - 1], "match_max": 0} for n in (1, 2)]
    targets = [{"id": f"t{n}", "html": ("một", "hai")[n - 1], "match_max": 1} for n in (1, 2)]
    interaction = {
        "id": "RESPONSE", "kind": "match", "placed": False, "prompt": "", "min_choices": 0, "max_choices": 0,
        "base": "directedPair", "cardinality": "multiple", "choices": choices, "targets": targets,
    }  # fmt: skip
    item = {"kind": "composite", "prompt": "<p>?</p>", "interactions": [interaction]}
    attempt.parts[0]["slots"][0]["item"] = {"vi": item, "en": item}
    seat = sit(attempt)
    for nth in (0, 1):
        seat.page.check(f".partner input >> nth={nth}")
    seat.wait_stored(1, {"RESPONSE": ["c1 t1", "c1 t2"]})
    seat.open()
    seat.wait_for_screen("exam")
    assert seat.page.get_attribute("#palette .number", "data-state") in ("answered", "partial")


def test_a_step_is_dragged_up_as_far_as_down(sit):
    """What is moved in the document loses the pointer: the list holds it."""
    seat = sit()
    seat.go(STEPS)
    shown = order_shown(seat)
    box = seat.page.query_selector(".order > li:nth-child(4) .rich").bounding_box()
    goal = seat.page.query_selector(".order > li:nth-child(1)").bounding_box()
    seat.page.mouse.move(box["x"] + 5, box["y"] + 5)
    seat.page.mouse.down()
    seat.page.mouse.move(box["x"] + 5, goal["y"] + 4, steps=12)
    seat.page.mouse.up()
    seat.wait_stored(STEPS, {"RESPONSE": [shown[3], *shown[:3]]})


def test_a_kind_that_cannot_be_shown_is_said_at_the_item(sit, hall, bank):
    attempt = hall.seat(bank, [["one", "several"]])
    interaction = {"id": "RESPONSE", "kind": "hologram", "placed": False, "prompt": "", "min_choices": 0, "max_choices": 1}
    item = {"kind": "composite", "prompt": "<p>?</p>", "interactions": [interaction]}
    attempt.parts[0]["slots"][0]["item"] = {"vi": item, "en": item}
    seat = sit(attempt)
    assert "hologram" in seat.text(".question .note")
    seat.page.keyboard.press("n")
    seat.choose("Có thời hạn")
    seat.wait_saved()
