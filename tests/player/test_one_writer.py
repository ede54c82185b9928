"""One writer per attempt: two tabs, two machines, a lost sign-in, an answer changed elsewhere."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

FIRST, SECOND, THIRD = "Kết quả cuối cùng", "Từng thao tác", "Không điều gì"
ESSAY = 8
TEXT = "Tôi gặp từng người trong phòng."


def answer(seat, text, slot=1):
    return {"RESPONSE": seat.token(slot, text)}


def test_a_second_tab_takes_over_and_the_first_becomes_read_only(sit, browser):
    """ILIAS PR 1030: a background tab kept saving old answers over new ones; Canvas: the last writer wins."""
    context = browser.new_context()
    first = sit(context=context)
    first.choose(FIRST)
    first.wait_saved()
    second = sit(first.attempt, context=context)
    first.wait_until(lambda: "lost" in first.banners)
    assert first.page.is_disabled(".option input >> nth=0")
    assert "cửa sổ khác của máy này" in first.text(".banners")
    assert second.page.is_checked(f'input[value="{second.token(1, FIRST)}"]')
    second.choose(SECOND)
    second.wait_stored(1, answer(second, SECOND))
    first.page.keyboard.press("a")
    first.page.click("text=Làm tiếp ở đây")
    second.wait_until(lambda: "lost" in second.banners)
    first.wait_for_screen("exam")
    first.wait_until(lambda: first.page.is_checked(f'input[value="{first.token(1, SECOND)}"]'))
    first.choose(THIRD)
    first.wait_stored(1, answer(first, THIRD))
    assert [stored.value for stored in first.attempt.history[1]] == [answer(first, text) for text in (FIRST, SECOND, THIRD)]
    context.close()


def test_another_machine_waits_for_the_invigilator_and_then_opens_by_itself(sit, browser):
    seat = sit()
    seat.choose(FIRST)
    seat.wait_saved()
    other = browser.new_context()
    there = sit(seat.attempt, context=other, wait="held", fake_clock=True)
    assert "máy khác" in there.text("h2#screen-title")
    assert "Bài thi đang mở ở máy 12." in there.text("#player-place")
    assert ("GET", "paper") not in there.attempt.requests[4:]
    there.attempt.machine = None
    there.page.clock.fast_forward(5000)
    there.wait_for_screen("exam")
    assert there.page.is_checked(f'input[value="{there.token(1, FIRST)}"]')
    seat.choose(SECOND)  # the first machine finds out with its next save
    seat.wait_until(lambda: "lost" in seat.banners)
    assert "Bài thi đã chuyển sang máy khác." in seat.text(".banners")
    assert seat.stored(1) == answer(seat, FIRST)
    assert seat.save_state == "waiting"
    assert seat.page.is_disabled(".option input >> nth=0")
    other.close()


def test_a_machine_that_was_taken_over_learns_it_without_saving(sit):
    seat = sit(fake_clock=True)
    seat.attempt.lease = "given to another machine"
    seat.advance(16)
    seat.wait_until(lambda: "lost" in seat.banners)
    assert seat.page.is_disabled(".option input >> nth=0")


def test_the_receipt_can_be_read_on_another_machine(sit, browser):
    seat = sit()
    seat.attempt.close()
    other = browser.new_context()
    there = sit(seat.attempt, context=other, wait="receipt")
    assert there.receipt_code == there.attempt.receipt["code"]
    other.close()


def conflict(sit, slot, own, theirs, **options):
    seat = sit(**options)
    seat.go(slot)
    seat.attempt.errors.extend([500] * 99)
    if slot == ESSAY:
        seat.write(own)
    else:
        seat.choose(own)
    seat.wait_until(lambda: seat.save_state == "offline")
    seat.attempt.store(slot, theirs(seat))
    seat.attempt.errors.clear()
    seat.page.wait_for_selector(".conflict")
    return seat


def test_a_conflict_shows_both_answers_and_stores_neither_by_itself(sit):
    seat = conflict(sit, 1, FIRST, lambda seat: answer(seat, SECOND))
    versions = [seat.text(f".version >> nth={i}") for i in (0, 1)]
    assert SECOND in versions[0]
    assert "lưu lúc" in versions[0]
    assert FIRST in versions[1]
    assert seat.save_state == "waiting"
    assert len(seat.attempt.history[1]) == 1
    seat.open()  # the decision waits over a reload
    seat.page.wait_for_selector(".conflict")
    seat.page.click("text=Dùng câu trên máy này")
    seat.wait_stored(1, answer(seat, FIRST))
    assert seat.attempt.current(1).version == 2
    seat.wait_saved()
    assert seat.page.is_checked(f'input[value="{seat.token(1, FIRST)}"]')


def test_in_a_conflict_the_stored_answer_can_be_kept(sit):
    seat = conflict(sit, 1, FIRST, lambda seat: answer(seat, SECOND))
    seat.page.click("text=Dùng câu đã lưu")
    seat.wait_saved()
    assert seat.page.is_checked(f'input[value="{seat.token(1, SECOND)}"]')
    assert len(seat.attempt.history[1]) == 1
    seat.choose(THIRD)
    seat.wait_stored(1, answer(seat, THIRD))


def test_two_texts_in_conflict_can_be_joined(sit):
    seat = conflict(sit, ESSAY, TEXT, lambda seat: {"RESPONSE": "Bản viết ở máy kia."})
    assert TEXT in seat.text(".version >> nth=1")
    seat.page.click("text=Nối cả hai để sửa tiếp")
    assert seat.page.input_value("textarea.essay") == f"Bản viết ở máy kia.\n\n{TEXT}"
    seat.wait_stored(ESSAY, {"RESPONSE": f"Bản viết ở máy kia.\n\n{TEXT}"})


def test_the_same_answer_from_two_places_is_no_conflict(sit):
    seat = sit()
    seat.attempt.errors.extend([500] * 99)
    seat.choose(FIRST)
    seat.wait_until(lambda: seat.save_state == "offline")
    seat.attempt.store(1, answer(seat, FIRST))
    seat.attempt.errors.clear()
    seat.wait_saved()
    assert seat.page.query_selector(".conflict") is None
    assert len(seat.attempt.history[1]) == 1


def test_one_conflict_does_not_hold_up_the_other_answers(sit):
    seat = sit()
    seat.attempt.errors.extend([500] * 99)
    seat.choose(FIRST)
    seat.go(3)
    seat.choose("Đúng")
    seat.wait_until(lambda: seat.save_state == "offline")
    seat.attempt.store(1, answer(seat, SECOND))
    seat.attempt.errors.clear()
    seat.wait_stored(3, {"RESPONSE": "true"})
    seat.wait_until(lambda: "blocked" in seat.banners)
    assert "chưa lưu được" in seat.page.get_attribute("#palette .number >> nth=0", "aria-label")
    seat.page.click('.banner[data-key="blocked"] button')
    assert seat.page.is_visible(".conflict")


def test_a_newer_answer_of_another_machine_is_shown_when_nothing_is_unsent(sit):
    seat = sit()
    seat.choose(FIRST)
    seat.wait_saved()
    seat.attempt.store(1, answer(seat, SECOND))
    seat.open()
    seat.wait_for_screen("exam")
    seat.wait_until(lambda: seat.page.is_checked(f'input[value="{seat.token(1, SECOND)}"]'))
    assert seat.attempt.current(1).version == 2


def test_an_old_save_acknowledged_late_does_not_hide_a_newer_answer(sit):
    seat = sit()
    seat.attempt.lose_replies = 999
    seat.choose(FIRST)
    seat.wait_until(lambda: seat.attempt.history.get(1))
    seat.attempt.store(1, answer(seat, SECOND))
    seat.attempt.lose_replies = 0
    seat.accept_leaving = True
    seat.open()
    seat.wait_for_screen("exam")
    seat.wait_until(lambda: seat.page.is_checked(f'input[value="{seat.token(1, SECOND)}"]'))
    seat.wait_saved()
    assert seat.attempt.current(1).version == 2


def test_a_draft_that_was_never_sent_is_based_on_what_its_page_knew(sit):
    """After the reload the server is ahead: the draft must not pass for an answer to the newer version."""
    seat = sit()
    held = []
    seat.page.route("**/saves", lambda route: held.append(route))  # a request that never ends keeps the draft waiting
    seat.choose(FIRST)
    seat.wait_until(lambda: held)
    seat.go(ESSAY)
    seat.write(TEXT)
    seat.page.wait_for_timeout(400)  # on the disk by then
    seat.page.close()
    seat.attempt.store(ESSAY, {"RESPONSE": "Bản viết ở máy kia."})
    again = sit(seat.attempt)
    again.go(ESSAY)
    again.page.wait_for_selector(".conflict")
    assert len(again.attempt.history[ESSAY]) == 1
    assert TEXT in again.text(".version >> nth=1")
    again.page.close()
    seat.page = seat.context.new_page()


def test_signed_out_the_queue_waits_and_the_same_candidate_signs_in_again_in_the_page(sit):
    """Odoo 56431: the token expired after an hour and the form could never be posted."""
    seat = sit()
    address = seat.page.url
    seat.go(ESSAY)
    seat.page.click("textarea.essay")
    seat.attempt.signed_in = False
    seat.page.keyboard.type(TEXT)
    seat.wait_until(lambda: "signed_out" in seat.banners)
    assert seat.evaluate("document.activeElement.className") == "essay"  # nobody is interrupted in the middle of a word
    seat.page.keyboard.type(" Rồi báo cáo.")
    assert seat.save_state == "waiting"
    seat.page.click('.banner[data-key="signed_out"] button')
    seat.page.click("dialog[open] .main")
    assert "Hãy nhập cả số báo danh và mã." in seat.text("dialog[open]")
    seat.page.fill('dialog[open] input[name="candidate_number"]', "0018")
    seat.page.fill('dialog[open] input[name="code"]', "K7M2QX")
    seat.page.keyboard.press("Enter")
    seat.wait_until(lambda: "không đúng" in seat.text("dialog[open] [role=alert]"))
    seat.page.fill('dialog[open] input[name="candidate_number"]', "0017")
    seat.page.fill('dialog[open] input[name="code"]', "K7M2QX")
    seat.page.keyboard.press("Enter")
    seat.wait_stored(ESSAY, {"RESPONSE": TEXT + " Rồi báo cáo."})
    seat.wait_until(lambda: seat.banners == [])
    assert seat.page.url == address


def test_signed_out_before_the_start_the_page_asks_at_once(sit):
    seat = sit(wait=None, signed_in=False)
    seat.page.wait_for_selector("dialog[open] form")
    seat.page.fill('input[name="candidate_number"]', "0017")
    seat.page.fill('input[name="code"]', "K7M2QX")
    seat.page.keyboard.press("Enter")
    seat.wait_for_screen("exam")


def test_a_server_that_is_gone_at_the_start_is_waited_for(sit, browser):
    seat = sit(fake_clock=True)
    seat.attempt.cut = True
    seat.page.route("**/attempts/**", lambda route: route.abort())
    seat.attempt.cut = False
    seat.page.reload()
    seat.wait_until(lambda: "Chưa liên lạc được với máy chủ" in seat.text("#player-place"))
    seat.page.unroute("**/attempts/**")
    seat.page.clock.fast_forward(4000)
    seat.wait_for_screen("exam")
