"""Saving, through everything that has lost answers elsewhere. Each test is a thing that happened to somebody's candidates."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

FIRST, SECOND, THIRD = "Kết quả cuối cùng", "Từng thao tác", "Không điều gì"
ESSAY = 8
TEXT = "Trước hết tôi sẽ gặp từng người trong phòng để biết việc đang dở, rồi xếp thứ tự ưu tiên."


def answer(seat, text, slot=1):
    return {"RESPONSE": seat.token(slot, text)}


def queue(seat):
    """What waits in the browser's storage, as [slot, value, sent]."""
    return seat.evaluate(
        """(attempt) => new Promise((resolve, reject) => {
          const opening = indexedDB.open("examsvc-player", 1);
          opening.onerror = () => reject(opening.error);
          opening.onsuccess = () => {
            const all = opening.result.transaction("unsent").objectStore("unsent").getAll();
            all.onsuccess = () => {
              opening.result.close();
              resolve(all.result.filter((e) => e.attempt === attempt).map((e) => [e.slot, e.value, e.sent]));
            };
          };
        })""",
        seat.attempt.code,
    )


def test_saved_is_said_with_the_servers_time_of_the_acknowledgement(sit):
    seat = sit(ahead=3600 * 5)
    seat.choose(FIRST)
    seat.wait_stored(1, answer(seat, FIRST))
    seat.wait_saved()
    stored = seat.attempt.current(1)
    said = seat.evaluate(
        "(ms) => new Intl.DateTimeFormat('en-GB', {timeZone: 'Asia/Ho_Chi_Minh', hour: '2-digit', minute: '2-digit', second: '2-digit'}).format(ms)",
        int(stored.saved_at * 1000),
    )
    assert seat.text(".bar-save") == f"Đã lưu {said}"


def test_a_failed_save_and_a_reload_send_the_answer_again(sit):
    """Artemis PR 12948: shown again after the reload, marked as synchronised, never sent."""
    seat = sit()
    seat.attempt.errors.extend([500] * 50)
    seat.choose(FIRST)
    seat.wait_until(lambda: seat.save_state == "offline")
    assert seat.stored(1) is None
    seat.attempt.errors.clear()
    seat.open()
    seat.wait_for_screen("exam")
    seat.wait_stored(1, answer(seat, FIRST))
    seat.wait_saved()
    assert seat.page.is_checked(f'input[value="{seat.token(1, FIRST)}"]')
    seat.wait_until(lambda: queue(seat) == [], "an empty queue")


def test_an_answer_acknowledged_but_lost_by_a_restored_server_is_sent_again(sit):
    seat = sit()
    seat.choose(FIRST)
    seat.wait_saved()
    seat.wait_until(lambda: queue(seat) == [])
    seat.attempt.restore()
    seat.open()
    seat.wait_for_screen("exam")
    seat.wait_stored(1, answer(seat, FIRST))


def test_after_an_outage_the_digests_are_compared_without_a_reload(sit):
    seat = sit()
    seat.choose(FIRST)
    seat.wait_saved()
    seat.cut()
    seat.wait_until(lambda: seat.save_state == "offline")
    seat.attempt.restore()
    seat.mend()
    seat.wait_stored(1, answer(seat, FIRST))


def test_a_lost_reply_after_the_commit_stores_the_answer_once(sit):
    seat = sit()
    seat.attempt.lose_replies = 3  # Chromium itself repeats a request whose kept-alive connection breaks
    seat.choose(FIRST)
    seat.wait_until(lambda: len(seat.attempt.saves) == 4)
    seat.wait_saved()
    assert len(seat.attempt.history[1]) == 1
    assert len({save["save_id"] for save in seat.attempt.saves}) == 1


def test_what_is_written_while_a_reply_is_lost_becomes_the_next_version(sit):
    seat = sit()
    seat.attempt.lose_replies = 2
    seat.choose(FIRST)
    seat.wait_until(lambda: seat.attempt.lose_replies == 0)
    seat.choose(SECOND)
    seat.wait_stored(1, answer(seat, SECOND))
    seat.wait_saved()
    assert [stored.value for stored in seat.attempt.history[1]] == [answer(seat, FIRST), answer(seat, SECOND)]


def test_the_queue_is_emptied_only_by_acknowledgements_and_keeps_the_original_time(sit):
    """TAO: the offline queue was emptied before it was sent, a server error dropped it, original times were lost."""
    seat = sit()
    seat.attempt.errors.extend([500, 502, 503])
    seat.choose(FIRST)
    seat.wait_until(lambda: len(seat.attempt.saves) >= 1)
    times = [save["client_time"] for save in seat.attempt.saves]
    assert queue(seat) == [[1, answer(seat, FIRST), True]]
    seat.wait_stored(1, answer(seat, FIRST))
    seat.wait_saved()
    assert seat.attempt.current(1).client_time == times[0]
    seat.wait_until(lambda: queue(seat) == [], "an empty queue")


def test_saved_is_not_said_of_another_content(sit):
    """Moodle 4.5: the stale autosave is skipped, yet the reply says OK."""
    seat = sit()
    seat.attempt.other_content = 1
    seat.choose(FIRST)
    seat.wait_until(lambda: seat.attempt.history.get(1))
    seat.wait_until(lambda: "mismatch" in seat.banners)
    assert seat.save_state == "waiting"
    seat.wait_stored(1, answer(seat, FIRST))
    seat.wait_saved()
    assert seat.attempt.current(1).version == 2
    assert "mismatch" not in seat.banners


def test_without_network_the_candidate_goes_on_and_nothing_is_lost(sit):
    """SEB 356, 498: a drop of the network stranded the candidate on an error page."""
    seat = sit()
    address = seat.page.url
    seat.cut()
    seat.choose(FIRST)
    seat.wait_until(lambda: seat.save_state == "offline")
    assert "Cứ làm tiếp, không mất gì" in seat.text(".banners")
    assert seat.text(".bar-save") == "Không có mạng"
    seat.go(3)
    seat.choose("Đúng")
    seat.go(ESSAY)
    seat.write(TEXT)
    assert seat.page.url == address
    seat.mend()
    seat.wait_saved()
    assert seat.stored(1) == answer(seat, FIRST)
    assert seat.stored(3) == {"RESPONSE": "true"}
    assert seat.stored(ESSAY) == {"RESPONSE": TEXT}
    assert seat.banners == []


def test_ten_minutes_without_server_lose_nothing(sit):
    seat = sit(fake_clock=True)
    seat.attempt.cut = True
    seat.choose(FIRST)
    seat.go(ESSAY)
    for minute in range(10):
        seat.write(f"{TEXT} Phút {minute}.")
        seat.advance(60)
        seat.page.wait_for_timeout(30)
    assert seat.save_state == "offline"
    seat.attempt.cut = False
    seat.advance(21)
    seat.wait_stored(1, answer(seat, FIRST))
    seat.wait_until(lambda: (seat.advance(5), seat.stored(ESSAY) == {"RESPONSE": f"{TEXT} Phút 9."})[1])
    seat.wait_saved()


def test_a_tab_closed_with_a_full_queue_sends_it_when_it_is_opened_again(sit):
    seat = sit()
    seat.cut()
    seat.choose(FIRST)
    seat.wait_until(lambda: queue(seat))
    seat.page.close(run_before_unload=False)
    assert seat.stored(1) is None
    seat.mend()
    again = sit(seat.attempt, context=seat.context)
    again.wait_stored(1, answer(again, FIRST))
    again.wait_saved()
    again.page.close()
    seat.page = seat.context.new_page()


def test_a_crashed_tab_loses_at_most_what_was_not_yet_written(sit):
    seat = sit()
    seat.cut()
    seat.go(ESSAY)
    seat.write(TEXT)
    seat.wait_until(lambda: queue(seat))
    with pytest.raises(Exception, match=r"crash|closed"):
        seat.page.goto("chrome://crash")
    seat.page.close()
    seat.mend()
    again = sit(seat.attempt, context=seat.context)
    again.wait_stored(ESSAY, {"RESPONSE": TEXT})
    again.page.close()
    seat.page = seat.context.new_page()


def test_leaving_the_page_sends_what_waits(sit):
    seat = sit()
    seat.go(ESSAY)
    seat.write(TEXT)
    seat.page.goto(f"{seat.hall.address}/blank")
    seat.wait_stored(ESSAY, {"RESPONSE": TEXT})
    assert seat.dialogs == ["beforeunload"]


def test_leaving_is_warned_of_only_while_something_is_unsent(sit):
    seat = sit()
    seat.choose(FIRST)
    seat.wait_saved()
    seat.open()
    seat.wait_for_screen("exam")
    assert seat.dialogs == []
    seat.attempt.errors.extend([500] * 9)
    seat.choose(SECOND)
    seat.wait_until(lambda: seat.save_state == "offline")
    seat.accept_leaving = False
    seat.evaluate("setTimeout(() => location.reload(), 0)")
    seat.wait_until(lambda: seat.dialogs == ["beforeunload"])
    assert seat.save_state == "offline"
    seat.accept_leaving = True


def test_a_long_text_goes_out_at_most_every_few_seconds(sit):
    seat = sit(fake_clock=True)
    seat.go(ESSAY)
    seat.page.click("textarea.essay")
    for second in range(20):
        seat.page.keyboard.type(f"từ{second} ")
        seat.advance(1)
        seat.page.wait_for_timeout(25)
    sent = [save for save in seat.attempt.saves if save["slot"] == ESSAY]
    assert 3 <= len(sent) <= 5
    seat.advance(6)
    seat.wait_until(lambda: (seat.stored(ESSAY) or {}).get("RESPONSE", "").endswith("từ19 "))


def test_leaving_an_item_sends_its_text_at_once(sit):
    seat = sit()
    seat.go(ESSAY)
    seat.write(TEXT)
    seat.wait_stored(ESSAY, {"RESPONSE": TEXT})
    seat.write(TEXT + " Sau đó báo cáo.")  # by itself it would wait for five seconds now
    seat.go(1)
    seat.wait_stored(ESSAY, {"RESPONSE": TEXT + " Sau đó báo cáo."})
    first, second = seat.attempt.history[ESSAY]
    assert second.saved_at - first.saved_at < 4.9


def test_a_batch_too_large_is_halved_and_arrives(sit):
    seat = sit()
    seat.cut()
    seat.choose(FIRST)
    seat.go(3)
    seat.choose("Đúng")
    seat.go(2)
    seat.choose("Có thời hạn")
    seat.attempt.errors.append(413)
    seat.mend()
    seat.wait_saved()
    assert seat.stored(1) == answer(seat, FIRST)
    assert seat.stored(3) == {"RESPONSE": "true"}
    assert seat.stored(2) == {"RESPONSE": [seat.token(2, "Có thời hạn")]}


def test_a_refused_text_keeps_its_place_with_the_reason_and_the_others_go_on(sit):
    seat = sit()
    seat.go(ESSAY)
    long = "từ " * 70
    seat.cut()
    seat.write(long)
    seat.go(3)
    seat.choose("Đúng")
    seat.mend()
    seat.wait_stored(3, {"RESPONSE": "true"})
    seat.wait_until(lambda: "blocked" in seat.banners)
    assert seat.save_state == "waiting"
    seat.page.click('.banner[data-key="blocked"] button')
    assert "Bài dài quá 60 từ." in seat.text(".refusal")
    assert seat.page.input_value("textarea.essay") == long
    seat.open()  # the reason and the text survive a reload
    seat.wait_for_screen("exam")
    seat.go(ESSAY)
    assert seat.page.input_value("textarea.essay") == long
    assert "Bài dài quá 60 từ." in seat.text(".refusal")
    seat.write("từ " * 20)
    seat.wait_until(lambda: seat.stored(ESSAY) is not None)
    seat.wait_saved()
    assert seat.page.query_selector(".refusal") is None


def test_a_server_that_fails_to_save_is_not_stormed(sit):
    seat = sit()
    seat.attempt.errors.extend([500] * 500)
    seat.choose(FIRST)
    seat.wait_until(lambda: seat.save_state == "offline")
    for _ in range(10):  # the poll finds the server well each time
        seat.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        seat.page.wait_for_timeout(150)
        assert seat.save_state == "offline"
    assert len(seat.attempt.saves) <= 3
    seat.attempt.errors.clear()
    seat.wait_stored(1, answer(seat, FIRST))


def test_a_page_of_the_halls_network_is_no_acknowledgement(sit):
    seat = sit()
    seat.attempt.portal = True
    seat.choose(FIRST)
    seat.wait_until(lambda: seat.save_state == "offline")
    assert queue(seat) == [[1, answer(seat, FIRST), True]]
    seat.attempt.portal = False
    seat.wait_stored(1, answer(seat, FIRST))


def test_a_refusal_outside_the_protocol_is_told_and_the_answer_kept(sit):
    seat = sit(fake_clock=True)
    seat.attempt.errors.extend([400] * 3)
    seat.choose(FIRST)
    for _ in range(3):
        seat.wait_until(lambda: queue(seat) != [])
        seat.advance(16)
        seat.page.wait_for_timeout(100)
    seat.wait_until(lambda: "rejected" in seat.banners or seat.stored(1))
    seat.wait_until(lambda: (seat.advance(16), seat.stored(1))[1])
    assert len(seat.attempt.saves) == 4


def test_a_slow_server_leaves_the_candidate_undisturbed(sit):
    seat = sit()
    seat.attempt.slow = 0.7
    seat.choose(FIRST)
    seat.wait_until(lambda: ("POST", "saves") in seat.attempt.requests)
    seat.choose(SECOND)
    seat.choose(THIRD)
    assert seat.save_state == "waiting"
    seat.attempt.slow = 0
    seat.wait_stored(1, answer(seat, THIRD))
    seat.wait_saved()
    assert [stored.value for stored in seat.attempt.history[1]] == [answer(seat, FIRST), answer(seat, THIRD)]


def test_a_machine_without_storage_still_saves_and_says_so(sit, browser):
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(window, 'indexedDB', { value: { open() { throw new Error('refused'); } } });")
    seat = sit(context=context)
    assert "not_durable" in seat.banners
    seat.choose(FIRST)
    seat.wait_stored(1, answer(seat, FIRST))
    seat.wait_saved()
    seat.page.close()
    context.close()


def test_answers_leave_the_machine_when_all_is_over(sit):
    seat = sit()
    seat.choose(FIRST)
    seat.wait_saved()
    seat.attempt.close()
    seat.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    seat.wait_for_screen("receipt")
    kept = """(attempt) => new Promise((resolve) => {
      const opening = indexedDB.open("examsvc-player", 1);
      opening.onsuccess = () => {
        const all = opening.result.transaction("slots").objectStore("slots").getAll();
        all.onsuccess = () => { opening.result.close(); resolve(all.result.filter((s) => s.attempt === attempt).length); };
      };
    })"""
    seat.wait_until(lambda: seat.evaluate(kept, seat.attempt.code) == 0, "an empty storage")
