"""Submitting: what is open is named, everything is sent first, and the receipt says what it means."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

FIRST = "Kết quả cuối cùng"
ESSAY = 8
TEXT = "Tôi gặp từng người trong phòng rồi lập kế hoạch cho ba tháng đầu tiên."


def open_list(seat):
    seat.page.click("#palette .submit")
    seat.page.wait_for_selector(".submit-dialog")


def confirm(seat):
    seat.page.click(".submit-dialog .main")
    assert "không sửa được nữa" in seat.text(".submit-dialog")
    seat.page.click(".submit-dialog .main")


def test_the_list_names_blank_incomplete_and_flagged_and_leads_there(sit):
    seat = sit()
    seat.choose(FIRST)
    seat.page.keyboard.press("f")
    seat.go(ESSAY)
    seat.write("Vài từ.")
    open_list(seat)
    assert "Bạn đã trả lời 2 trên 8 câu." in seat.text(".submit-dialog")
    assert seat.text(".submit-group.blank").startswith("Chưa trả lời (6) Câu 2 Câu 3")
    assert seat.text(".submit-group.partial") == "Chưa đủ (1) Câu 8"
    assert seat.text(".submit-group.flagged") == "Đánh dấu xem lại (1) Câu 1"
    seat.page.click(".submit-group.blank button >> nth=1")
    assert seat.text(".question-title").startswith("Câu 3/8")
    assert seat.evaluate("document.activeElement.id") == "question-title"
    assert seat.attempt.ended is None


def test_going_back_submits_nothing(sit):
    seat = sit()
    open_list(seat)
    seat.page.click(".submit-dialog .main")
    seat.page.keyboard.press("Escape")
    seat.page.wait_for_timeout(100)
    assert seat.attempt.ended is None
    assert seat.page.is_enabled(".option input >> nth=0")


def test_what_is_unsent_goes_first_and_the_receipt_follows(sit):
    seat = sit()
    address = seat.page.url
    seat.choose(FIRST)
    seat.go(ESSAY)
    seat.write(TEXT)
    open_list(seat)
    confirm(seat)
    seat.wait_for_screen("receipt")
    assert seat.attempt.ended == "submitted"
    assert seat.stored(ESSAY) == {"RESPONSE": TEXT}
    assert not seat.attempt.current(ESSAY).late
    assert seat.attempt.submitted == {str(n): len(seat.attempt.history.get(n, [])) for n in range(1, 9)}
    assert seat.text("#player-place h2") == "Đã nộp bài"
    assert seat.receipt_code == seat.attempt.receipt["code"]
    assert seat.text(".receipt-meaning").count(".") == 1
    assert "2 câu đã trả lời, 6 câu để trống." in seat.text(".receipt")
    assert seat.page.url == address
    assert seat.evaluate("document.activeElement.id") == "screen-title"
    seat.open()
    seat.wait_for_screen("receipt")
    assert seat.receipt_code == seat.attempt.receipt["code"]
    assert seat.dialogs == []


def test_without_network_submitting_waits_says_so_and_goes_through_by_itself(sit):
    seat = sit()
    seat.cut()
    seat.choose(FIRST)
    open_list(seat)
    confirm(seat)
    seat.wait_until(lambda: "Không có mạng. Còn 1 câu chưa gửi" in seat.text(".submit-dialog"))
    assert seat.attempt.ended is None
    seat.mend()
    seat.wait_for_screen("receipt")
    assert seat.stored(1) == {"RESPONSE": seat.token(1, FIRST)}


def test_waiting_to_submit_can_be_given_up(sit):
    seat = sit()
    seat.cut()
    seat.choose(FIRST)
    open_list(seat)
    confirm(seat)
    seat.page.click("text=Quay lại làm bài")
    seat.mend()
    seat.wait_saved()
    seat.page.wait_for_timeout(300)
    assert seat.attempt.ended is None


def test_an_answer_that_cannot_be_saved_stands_before_the_submit(sit):
    seat = sit()
    seat.go(ESSAY)
    seat.write("từ " * 70)
    seat.wait_until(lambda: seat.page.query_selector(".refusal"))
    open_list(seat)
    assert seat.text(".submit-group.blocked").endswith("Câu 8")
    seat.page.click(".submit-dialog .main")
    assert "Chưa nộp được" in seat.text(".submit-dialog [role=alert]")
    assert seat.attempt.ended is None
    seat.page.click(".submit-group.blocked button")
    seat.write(TEXT)
    open_list(seat)
    confirm(seat)
    seat.wait_for_screen("receipt")
    assert seat.stored(ESSAY) == {"RESPONSE": TEXT}


def test_a_stored_answer_can_be_taken_back_in_place_of_a_refused_one(sit):
    seat = sit()
    seat.go(ESSAY)
    seat.write(TEXT)
    seat.go(1)
    seat.wait_stored(ESSAY, {"RESPONSE": TEXT})
    seat.go(ESSAY)
    seat.write("từ " * 70)
    seat.go(1)
    seat.wait_until(lambda: "blocked" in seat.banners)
    seat.go(ESSAY)
    seat.page.click("text=Lấy lại câu trả lời đã lưu")
    seat.wait_until(lambda: seat.page.input_value("textarea.essay") == TEXT)
    seat.wait_saved()


def test_versions_that_differ_stop_the_submit_and_are_compared(sit):
    seat = sit()
    seat.choose(FIRST)
    seat.wait_saved()
    seat.attempt.store(2, {"RESPONSE": [seat.token(2, "Có thời hạn")]})
    open_list(seat)
    confirm(seat)
    seat.wait_until(lambda: "Bạn đã trả lời 2 trên 8 câu." in seat.text(".submit-dialog"))
    assert seat.attempt.ended is None
    confirm(seat)
    seat.wait_for_screen("receipt")
    assert seat.attempt.submitted["2"] == 1


def test_a_lost_reply_to_the_submit_gives_the_same_receipt(sit):
    seat = sit()
    seat.page.route("**/submit", lambda route: (route.fetch(), route.abort()) if seat.attempt.ended is None else route.continue_())
    seat.choose(FIRST)
    open_list(seat)
    confirm(seat)
    seat.wait_for_screen("receipt")
    assert seat.attempt.requests.count(("POST", "submit")) >= 1
    assert seat.receipt_code == seat.attempt.receipt["code"]


def test_the_receipt_is_in_the_language_of_the_page(sit):
    seat = sit(language="en")
    seat.attempt.close()
    seat.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    seat.wait_for_screen("receipt")
    assert seat.text("#player-place h2") == "Time is up; the system has collected your exam"
    seat.page.click('[data-tool="language"]')
    assert "hệ thống đã thu bài" in seat.text("#player-place h2")
