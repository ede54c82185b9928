"""The server owns the time: the bell, the deadline, pauses and credits; the page shows it and never decides."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

ESSAY = 8
TEXT = "Trước hết tôi sẽ gặp từng người trong phòng để biết việc đang dở, rồi xếp thứ tự ưu tiên."


def time_left(seat):
    return seat.text(".bar-time")


def test_minutes_are_words_and_seconds_come_only_in_the_last_five(sit):
    seat = sit(fake_clock=True, minutes=90, bell=-60)
    assert time_left(seat) == "còn 1 giờ 29 phút"
    seat.advance(40 * 60)
    seat.wait_until(lambda: time_left(seat) == "còn 49 phút")
    seat.advance(44 * 60)
    seat.wait_until(lambda: time_left(seat) == "còn 5 phút")
    assert "urgent" not in seat.page.get_attribute(".bar-time", "class")
    seat.advance(60)
    seat.wait_until(lambda: time_left(seat).startswith("còn 4 phút "))
    assert time_left(seat).endswith(" giây")
    assert "urgent" in seat.page.get_attribute(".bar-time", "class")
    seat.page.click('[data-tool="language"]')
    assert time_left(seat).startswith("4 min ")


def test_the_time_is_announced_at_30_10_5_and_1_minutes_only(sit):
    """freeCodeCamp 98: the timer was read aloud each second."""
    seat = sit(fake_clock=True, minutes=31, bell=-60)
    seat.listen()
    assert seat.page.get_attribute(".bar-time", "aria-live") == "off"
    for _ in range(30 * 6):
        seat.advance(10)
    seat.wait_until(lambda: "Còn 1 phút." in seat.said(), "the last announcement")
    assert [said for said in seat.said() if "phút" in said] == ["Còn 30 phút.", "Còn 10 phút.", "Còn 5 phút.", "Còn 1 phút."]


def test_a_clock_that_is_corrected_announces_nothing_twice(sit):
    """A reply can show that the hall's clock is a moment behind what the page believed: half an hour is then passed again."""
    seat = sit(fake_clock=True, minutes=32, bell=-60)
    seat.listen()
    while seat.attempt.deadline - seat.attempt.now > 30 * 60:
        seat.advance(10)
    seat.wait_until(lambda: "Còn 30 phút." in seat.said(), "the announcement")
    seat.attempt.ahead -= 60
    for _ in range(4):
        seat.page.clock.fast_forward(5000)
    seat.wait_until(lambda: time_left(seat) == "còn 30 phút", "the corrected clock")
    for _ in range(8):
        seat.advance(10)
    seat.wait_until(lambda: time_left(seat) == "còn 29 phút", "half an hour passed again")
    assert seat.said().count("Còn 30 phút.") == 1


def test_changing_the_pcs_clock_changes_nothing(sit):
    """Artemis 1811: the PC's clock set back allowed editing after the end."""
    seat = sit(minutes=20, bell=-60)
    before = time_left(seat)
    seat.evaluate("() => { const there = Date.now; Date.now = () => there() - 3 * 3600e3; }")
    seat.page.wait_for_timeout(400)
    assert time_left(seat) == before == "còn 19 phút"
    seat.choose("Kết quả")
    seat.wait_saved()
    assert time_left(seat) == before
    seat.attempt.deadline = seat.attempt.now - 1
    seat.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    seat.wait_until(lambda: time_left(seat) == "Hết giờ")
    assert seat.page.is_disabled(".option input >> nth=0")


def test_a_pc_clock_hours_off_shows_the_servers_time(sit, browser):
    context = browser.new_context()
    context.add_init_script("{ const there = Date.now; Date.now = () => there() + 7 * 3600e3; }")
    seat = sit(context=context, minutes=20, bell=-60)
    assert time_left(seat) == "còn 19 phút"
    seat.page.close()
    context.close()


def test_the_paper_is_asked_for_only_after_the_bell_and_opens_by_itself(sit):
    """STACK 709, TCExam 266: the bell opens what was materialised before; nobody presses anything."""
    seat = sit(bell=2.2, wait="waiting")
    assert "Chưa đến giờ làm bài" in seat.text("#player-place")
    assert seat.text(".countdown").endswith("giây")
    assert "Số báo danh 0017" in seat.text("#player-place")
    assert not seat.page.is_visible(".bar-save")  # nothing is there yet that could be saved
    assert ("GET", "paper") not in seat.attempt.requests
    seat.wait_for_screen("exam")
    assert seat.attempt.requests.count(("GET", "paper")) == 1
    assert seat.attempt.now >= seat.attempt.bell
    assert len(seat.page.query_selector_all("#palette .number")) == 8


def test_extra_time_is_seen_without_a_reload(sit):
    """ILIAS PR 5945: extra time was not seen until the page was loaded again."""
    seat = sit(fake_clock=True, minutes=20, bell=-60)
    seat.listen()
    seat.attempt.deadline += 15 * 60
    seat.advance(16)  # the light poll
    seat.wait_until(lambda: time_left(seat) == "còn 33 phút" or time_left(seat) == "còn 34 phút")
    assert any("Giờ kết thúc đã thay đổi" in said for said in seat.said())
    assert "deadline" in seat.banners


def test_a_new_deadline_comes_with_the_reply_to_a_save_too(sit):
    seat = sit(minutes=20, bell=-60)
    seat.attempt.deadline += 10 * 60
    seat.choose("Kết quả")
    seat.wait_until(lambda: time_left(seat) == "còn 29 phút")


def test_a_pause_stops_the_clock_hides_the_questions_and_sends_what_waits(sit):
    seat = sit(fake_clock=True, minutes=20, bell=-60)
    seat.go(ESSAY)
    seat.write(TEXT)
    seat.attempt.message = {"vi": "Mất điện ở phòng 3.", "en": "No power in room 3."}
    seat.attempt.paused_since = seat.attempt.now
    seat.advance(16)
    seat.wait_for_screen("paused")
    assert "Mất điện ở phòng 3." in seat.text("#player-place")
    assert seat.page.query_selector("textarea") is None
    seat.wait_stored(ESSAY, {"RESPONSE": TEXT})
    shown = time_left(seat)
    assert shown.startswith("đồng hồ dừng, còn 1")
    seat.advance(300)
    seat.page.wait_for_timeout(50)
    assert time_left(seat) == shown
    seat.attempt.deadline += seat.attempt.now - seat.attempt.paused_since
    seat.attempt.paused_since = None
    seat.attempt.message = None
    seat.advance(16)
    seat.wait_for_screen("exam")
    assert seat.page.input_value("textarea.essay") == TEXT
    assert time_left(seat) == shown.removeprefix("đồng hồ dừng, ")


def test_saving_goes_on_to_the_end_with_a_last_flush_before_it(sit):
    """Moodle 4.5: the autosave stopped in the last two minutes."""
    seat = sit(fake_clock=True, minutes=3, bell=-60)
    seat.go(ESSAY)
    seat.write("Một câu.")
    seat.advance(60)
    seat.wait_stored(ESSAY, {"RESPONSE": "Một câu."})
    seat.wait_saved()  # before time leaps: a request without its reply would be given up and sent again
    seat.advance_to_the_last(9)
    seat.write("Một câu. Câu giữa.")
    seat.advance(1.1)
    seat.wait_stored(ESSAY, {"RESPONSE": "Một câu. Câu giữa."})
    seat.wait_saved()
    between = seat.attempt.current(ESSAY).saved_at
    seat.write("Một câu. Câu cuối.")  # by itself it would wait until five seconds after the one before
    seat.advance_to_the_last(5.5)  # from here the clock runs as fast as the machine
    seat.wait_stored(ESSAY, {"RESPONSE": "Một câu. Câu cuối."})
    last = seat.attempt.current(ESSAY).saved_at
    assert last < seat.attempt.deadline
    assert last - between < 4.9
    assert not seat.attempt.current(ESSAY).late


def test_after_the_end_the_page_is_read_only_and_what_waits_is_sent(sit):
    """Odoo drops everything at the time-out; PrairieLearn 13203: essays lost when time ends."""
    seat = sit(fake_clock=True, minutes=2, bell=-60)
    seat.go(ESSAY)
    seat.attempt.cut = True
    seat.write(TEXT)
    seat.page.wait_for_timeout(50)
    seat.advance(130)
    seat.wait_until(lambda: seat.save_state == "offline")
    seat.attempt.cut = False
    for _ in range(4):
        seat.advance(5)
        seat.page.wait_for_timeout(50)
    seat.wait_stored(ESSAY, {"RESPONSE": TEXT})
    assert seat.attempt.current(ESSAY).late
    seat.wait_until(lambda: "over" in seat.banners)
    assert seat.page.is_disabled("textarea.essay")
    assert seat.page.input_value("textarea.essay") == TEXT


def test_an_outage_over_the_deadline_keeps_both_texts_and_locks_nobody_out(sit):
    """The server may have given time back that this page cannot know of."""
    seat = sit(fake_clock=True, minutes=2, bell=-60)
    seat.go(ESSAY)
    seat.attempt.cut = True
    seat.write(TEXT)
    seat.wait_until(lambda: (seat.advance(10), time_left(seat) == "Hết giờ")[1])
    seat.wait_until(lambda: "offline_over" in seat.banners)
    assert seat.page.is_enabled("textarea.essay")
    seat.write(TEXT + " Thêm sau giờ.")
    seat.page.wait_for_timeout(100)
    seat.attempt.cut = False
    seat.wait_until(lambda: (seat.advance(5), len(seat.attempt.history.get(ESSAY, [])) == 2)[1])
    texts = [stored.value["RESPONSE"] for stored in seat.attempt.history[ESSAY]]
    assert texts == [TEXT, TEXT + " Thêm sau giờ."]


def test_what_was_not_yet_sent_at_the_deadline_is_sealed_there(sit):
    """Written before the end and never put on a request: what is added afterwards does not take its place."""
    seat = sit(fake_clock=True, minutes=2, bell=-60)
    seat.advance(112)
    held = []
    seat.page.route("**/saves", lambda route: held.append(route))  # a request that never ends keeps the queue waiting
    seat.page.route("**/state*", lambda route: route.abort())
    seat.choose("Kết quả")
    seat.wait_until(lambda: (seat.advance(0.5), held)[1])
    seat.go(ESSAY)
    seat.write(TEXT)
    seat.wait_until(lambda: (seat.advance(0.5), time_left(seat) == "Hết giờ")[1])
    seat.write(TEXT + " Thêm sau giờ.")
    seat.page.unroute("**/saves")
    seat.page.unroute("**/state*")
    seat.wait_until(lambda: (seat.advance(2), len(seat.attempt.history.get(ESSAY, [])) == 2)[1])
    assert [stored.value["RESPONSE"] for stored in seat.attempt.history[ESSAY]] == [TEXT, TEXT + " Thêm sau giờ."]


def test_a_credit_given_during_the_outage_lets_the_candidate_go_on(sit):
    seat = sit(fake_clock=True, minutes=2, bell=-60)
    seat.attempt.cut = True
    seat.wait_until(lambda: (seat.advance(10), time_left(seat) == "Hết giờ")[1])
    seat.attempt.deadline += 600
    seat.attempt.cut = False
    seat.wait_until(lambda: (seat.advance(5), seat.banners == ["deadline"])[1])
    assert time_left(seat).startswith("còn ")
    seat.choose("Kết quả")
    seat.wait_until(lambda: seat.stored(1) is not None)
    assert not seat.attempt.current(1).late


def test_the_system_closing_the_attempt_changes_no_answer_and_shows_the_receipt(sit):
    """Sakai PR 14743: the automatic submit blanked answers; ILIAS PR 6788: answers unused when the system closes."""
    seat = sit(fake_clock=True)
    seat.choose("Kết quả")
    seat.wait_saved()
    seat.attempt.errors.extend([500] * 500)
    seat.go(ESSAY)
    seat.write(TEXT)
    seat.wait_until(lambda: (seat.advance(1), seat.save_state == "offline")[1])
    seat.attempt.close()
    before = seat.stored(1)
    seat.wait_until(lambda: (seat.advance(8), seat.page.query_selector("[data-unsent]"))[1])
    assert "hệ thống đã thu bài" in seat.text("#player-place h2")
    seat.attempt.errors.clear()
    seat.wait_until(lambda: (seat.advance(8), seat.stored(ESSAY))[1])
    assert seat.attempt.current(ESSAY).late
    assert seat.stored(ESSAY) == {"RESPONSE": TEXT}
    assert seat.stored(1) == before
    seat.wait_until(lambda: seat.page.query_selector("[data-unsent]") is None)


def test_a_stopped_attempt_says_why_and_stays_on_the_page(sit):
    seat = sit(fake_clock=True)
    seat.attempt.ended = "stopped"
    seat.attempt.message = {"vi": "Đình chỉ thi theo biên bản số 3.", "en": "Suspended, minutes no. 3."}
    seat.advance(16)
    seat.wait_for_screen("stopped")
    assert "Đình chỉ thi theo biên bản số 3." in seat.text("#player-place")


def test_a_notice_is_acknowledged_and_stays_readable(sit):
    seat = sit(fake_clock=True)
    seat.go(ESSAY)
    seat.page.click("textarea.essay")
    notice = {"id": "n1", "at": "2026-11-21T03:40:00Z", "text": {"vi": "Câu 5 in sai: 48, không phải 84.", "en": "Question 5: 48, not 84."}, "read": False}
    seat.attempt.notices.append(notice)
    seat.advance(16)
    seat.page.wait_for_selector("dialog.notice[open]")
    assert "Câu 5 in sai" in seat.text("dialog.notice")
    assert "10:40" in seat.text("dialog.notice")
    seat.page.keyboard.type("a b")  # typing on must not press the button
    seat.page.keyboard.press("Escape")
    seat.page.keyboard.press("Escape")
    assert seat.page.is_visible("dialog.notice")
    assert not notice["read"]
    seat.page.click("dialog.notice button")
    seat.wait_until(lambda: (seat.advance(0.2), notice["read"])[1])
    assert seat.evaluate("document.activeElement.className") == "essay"
    seat.advance(16)
    seat.page.click('[data-tool="notices"]')
    assert "Câu 5 in sai" in seat.text("dialog[open]")


def test_the_clock_takes_the_best_measurement_and_yields_to_contradiction(browser, hall):
    page = browser.new_page()
    page.goto(f"{hall.address}/blank")
    found = page.evaluate(
        """async () => {
          const { ServerClock, crossed } = await import("/static/player/clock.js");
          let now = 0;
          const clock = new ServerClock(() => now);
          const seen = [clock.now()];
          clock.observe(1_000_000, 0, 1000); seen.push(clock.now());      // off by at most 500
          now = 2000;
          clock.observe(1_002_600, 1990, 2000); seen.push(clock.now());   // a better one
          now = 3000;
          clock.observe(1_005_000, 2000, 3000); seen.push(clock.now());   // worse and contradicting: adopted
          now = 4000;
          clock.observe(1_005_900, 3000, 4000); seen.push(clock.now());   // as good, adopted
          now = 5000;
          clock.observe(1_006_950, 3000, 5000); seen.push(clock.now());   // worse and in agreement: not adopted
          const minutes = [[31, 30], [30, 29], [11, 4], [60, 59], [1.01, 1], [4, 11]].map(([a, b]) => crossed(a * 6e4, b * 6e4));
          return [seen, minutes];
        }"""
    )
    page.close()
    assert found[0][0] is None
    assert found[0][1] == 999_500
    assert found[0][2] == 1_002_605
    assert found[0][3] == 1_005_500
    assert found[0][4] == 1_006_400
    assert found[0][5] == 1_007_400
    assert found[1] == [30, None, 5, None, 1, None]
