"""What a candidate's browser gets from the server on exam day, and who gets nothing."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from examsvc.base import database
from examsvc.base.web import db
from examsvc.sittings import queries, rules
from examsvc.sittings.saving import digest_of, moment
from tests.exam_hall import BELL
from tests.sittings.exam_day import Browser, Day

ADDRESSES = ("", "/state", "/paper", "/media/x.png")


def test_the_way_from_the_door_to_the_receipt(day: Day) -> None:
    seat = Browser(day, "An")
    page = seat.client.get(seat.base)
    assert 'id="player"' in page.text
    assert day.hall.number("An") in page.text
    assert seat.state()["state"] == "waiting"
    assert seat.take_lease().status_code == 200
    early = seat.paper()
    assert (early.status_code, early.json["code"]) == (403, "not-open")
    assert seat.state()["slots"] == []

    day.ring(seconds=1)
    assert seat.state()["state"] == "open"
    paper = seat.paper()
    assert paper.status_code == 200
    value = {"RESPONSE": seat.tokens(seat.first)[0]}
    reply = seat.save(seat.first, value, flags=[3])
    assert reply.status_code == 200
    assert reply.json["saves"][0]["digest"] == digest_of(value)
    state = seat.state("?values=1")
    assert (state["slots"][seat.first - 1]["value"], state["flags"], state["lease_held"]) == (value, [3], True)
    handed_in = seat.submit()
    assert handed_in.status_code == 200
    receipt = handed_in.json["receipt"]
    assert (len(receipt["code"]), receipt["answered"], handed_in.json["state"]) == (20, 1, "submitted")
    assert receipt["qr"].startswith("data:image/svg+xml;base64,")
    assert seat.state()["receipt"] == receipt
    assert seat.submit().json["receipt"] == receipt


def test_saves_of_one_moment_get_each_its_own_answer(day: Day) -> None:
    """Two that are stored, one of a page that lost its lease, one on an old version: all wait while somebody else writes."""
    an, binh = Browser(day, "An"), Browser(day, "Bình")
    day.ring(seconds=1)
    for seat in (an, binh):
        seat.take_lease()
    wanted = [
        (an, an.first, 0, an.lease), (an, an.second, 0, "x" * 32), (binh, binh.first, 0, binh.lease), (binh, binh.second, 7, binh.lease),
    ]  # fmt: skip
    values = [{"RESPONSE": seat.tokens(slot)[0]} for seat, slot, _, _ in wanted]

    def post(number: int) -> Any:
        seat, slot, base, lease = wanted[number]
        save = {"save_id": str(uuid.uuid4()), "slot": slot, "base_version": base, "value": values[number]}
        client = day.world.client()
        client._cookies.update(seat.client._cookies)
        return client.post(f"{seat.base}/saves", json={"lease": lease, "saves": [save]})

    with ThreadPoolExecutor(4) as threads:
        with day.world.app.app_context(), database.writing(db.session()):
            asked = [threads.submit(post, number) for number in range(4)]
            crowd = database._crowds.setdefault(db.session().get_bind(), database._Crowd())
            until = time.monotonic() + 20
            while day.engine.dialect.name == "sqlite" and len(crowd.waiting) < 4:
                assert time.monotonic() < until
                time.sleep(0.001)
        replies = [one.result(timeout=20) for one in asked]
    assert [reply.status_code for reply in replies] == [200, 423, 200, 409]
    assert [reply.json.get("code") for reply in replies] == [None, "lease-lost", None, "conflict"]
    for number, seat in ((0, an), (2, binh)):
        assert replies[number].json["saves"][0]["digest"] == digest_of(values[number])
        stored = {one["slot"]: one["value"] for one in seat.state("?values=1")["slots"]}
        assert stored[wanted[number][1]] == values[number]
        assert sum(value is not None for value in stored.values()) == 1


def test_nothing_of_the_key_reaches_the_browser(day: Day) -> None:
    seat = Browser(day, "An")
    day.ring(seconds=1)
    text = seat.paper().text
    slots = queries.slots(day.session, day.attempt("An"))
    assert len(slots) == 7
    for slot in slots:
        assert slot.item.digest not in text
        assert slot.item.id not in text
        for language in ("vi", "en"):
            explanation = slot.item.explanation.html(language)
            assert not explanation or explanation[:40] not in text
    for word in ('"correct"', '"why"', '"feedback"', '"explanation"', '"rubric"'):
        assert word not in text


def test_another_candidates_attempt_does_not_exist(day: Day) -> None:
    seat = Browser(day, "An")
    day.slip("Bình")
    day.ring(seconds=1)
    other = f"/attempts/{day.codes['Bình']}"
    for address in ADDRESSES:
        assert seat.client.get(other + address, headers={"Accept": "application/json"}).status_code == 404
    for address in ("/saves", "/lease", "/submit"):
        assert seat.client.post(other + address, json={}).status_code == 404
    assert day.attempt("Bình").lease is None


def test_an_office_session_opens_no_attempt_and_an_exam_session_no_office(day: Day) -> None:
    seat = Browser(day, "An")
    day.ring(seconds=1)
    for person in ("Hall", "Chair", "Office", "Invigilator", "An"):
        client = day.staff(person)
        for address in ADDRESSES:
            assert client.get(seat.base + address, headers={"Accept": "application/json"}).status_code in (401, 404)
        assert client.post(seat.base + "/saves", json={}).status_code in (401, 404)
    for address in ("/home", "/messages", day.path(""), day.path("/rooms/room-1"), "/competitions/mot/my-exam"):
        reply = seat.client.get(address)
        assert reply.status_code in (302, 401, 403, 404), address
        assert "sign-in" in reply.headers.get("location", "sign-in")
    assert seat.client.post(day.path("/notices"), data={"vi": "x", "en": "x"}).status_code in (302, 401, 403)


def test_a_wrong_number_or_code_says_one_sentence(day: Day) -> None:
    code = day.slip("An")
    number, other = day.hall.number("An"), day.hall.number("Bình")
    sentences = set()
    for given in ((number, "ZZZZZZ"), (other, code), ("9999", code)):
        reply = day.world.client().post("/competitions/mot/sit", data={"candidate_number": given[0], "code": given[1]})
        assert reply.status_code == 200
        sentences.add(reply.text.partition('id="problems"')[2].partition("</ul>")[0])
    assert len(sentences) == 1


def test_too_many_tries_for_a_number_do_not_lock_the_room_out(day: Day) -> None:
    code, right = day.slip("An"), day.slip("Bình")
    client = day.world.client()
    for _ in range(11):
        client.post("/competitions/mot/sit", data={"candidate_number": day.hall.number("An"), "code": "ZZZZZZ"})
    refused = client.post("/competitions/mot/sit", data={"candidate_number": day.hall.number("An"), "code": code})
    assert refused.status_code == 200
    entered = client.post("/competitions/mot/sit", data={"candidate_number": day.hall.number("Bình"), "code": right})
    assert entered.status_code == 302, "the same address, another candidate"


def test_a_new_slip_replaces_the_old_code(day: Day) -> None:
    old = day.slip("An")
    new = day.slip("An")
    number = day.hall.number("An")
    client = day.world.client()
    assert client.post("/competitions/mot/sit", data={"candidate_number": number, "code": old}).status_code == 200
    assert client.post("/competitions/mot/sit", data={"candidate_number": number, "code": new}).status_code == 302


def test_signing_in_again_in_the_page_is_for_the_same_candidate(day: Day) -> None:
    seat = Browser(day, "An")
    code = day.slip("Bình")
    body = {"attempt": day.codes["An"], "candidate_number": day.hall.number("Bình"), "code": code}
    assert day.world.client().post(seat.base + "/sign-in", json=body).status_code == 403
    again = day.slip("An")
    client = day.world.client()
    body = {"candidate_number": day.hall.number("An"), "code": again}
    reply = client.post(seat.base + "/sign-in", json=body)
    assert reply.status_code == 200
    assert reply.json["csrf"]
    assert client.get(seat.base + "/state").status_code == 200


@pytest.mark.parametrize(
    "body", [None, [], "x", {"saves": "x"}, {"saves": [1]}, {"saves": [{"slot": 1}]}, {"flags": ["a"]}, {"flags": "x"}]
)
def test_hostile_bodies_get_one_sentence_and_store_nothing(day: Day, body: object) -> None:
    seat = Browser(day, "An")
    day.ring(seconds=1)
    seat.take_lease()
    reply = seat.client.post(seat.base + "/saves", json={"lease": seat.lease, **body} if isinstance(body, dict) else body)
    assert (reply.status_code, reply.json["code"]) == (422, "malformed")
    assert queries.newest_saves(day.session, day.attempt("An").id) == {}


def test_a_body_that_is_too_large_is_said_to_be(day: Day) -> None:
    seat = Browser(day, "An")
    reply = seat.client.post(seat.base + "/saves", data=b"{" + b" " * (2 * 1024 * 1024), content_type="application/json")
    assert (reply.status_code, reply.json["code"]) == (413, "too-large")


def test_every_reply_carries_the_deadline_that_the_rules_say(day: Day) -> None:
    seat = Browser(day, "Bình")
    day.ring(seconds=1)
    seat.take_lease()
    chief = day.staff("Hall")
    version, checked = 0, 0

    def holds() -> None:
        nonlocal version, checked
        reply = seat.save(seat.first, {"RESPONSE": seat.tokens(seat.first)[version % 2]}, base=version)
        assert reply.status_code == 200, reply.text
        version += 1
        attempt = day.attempt("Bình")
        timing = queries.timing(day.session, attempt)
        where = rules.standing(timing, day.world.now)
        for found in (reply.json, seat.state(), seat.state("?light=1")):
            assert found["deadline"] == moment(where.deadline)
            assert found["paused_since"] == (moment(where.paused_since) if where.paused_since else None)
            assert found["state"] == rules.state(timing, attempt.state, day.world.now)
            assert found["now"] == moment(day.world.now)
            checked += 1

    holds()
    assert seat.state()["deadline"] == moment(BELL + timedelta(minutes=25))
    day.world.later(minutes=1)
    chief.post(day.path("/rooms/room-1/pause"), data={"reason": "fire alarm"})
    assert seat.state()["state"] == "paused"
    holds()
    day.world.later(minutes=4)
    holds()
    chief.post(day.path("/rooms/room-1/resume"), data={})
    assert seat.state()["deadline"] == moment(BELL + timedelta(minutes=29))
    holds()
    chief.post(day.path(f"/attempts/{day.codes['Bình']}/credit"), data={"minutes": "3", "reason": "screen broke"})
    assert seat.state()["deadline"] == moment(BELL + timedelta(minutes=29)), "one person alone gives no time"
    assert day.approve("Chair") == 1
    assert seat.state()["deadline"] == moment(BELL + timedelta(minutes=32))
    holds()
    day.world.now = BELL + timedelta(minutes=32, seconds=5)
    assert seat.state()["state"] == "over"
    holds()
    assert checked == 6 * 3


def test_a_notice_is_on_the_screen_at_the_next_poll(day: Day) -> None:
    seat = Browser(day, "An")
    day.ring(seconds=1)
    seat.take_lease()
    said = day.staff("Hall").post(day.path("/notices"), data={"vi": "Câu 3 in lỗi", "en": "Question 3 has a misprint"})
    assert said.status_code == 302
    [notice] = seat.state("?light=1")["notices"]
    assert (notice["text"], notice["read"]) == ({"vi": "Câu 3 in lỗi", "en": "Question 3 has a misprint"}, False)
    seat.client.post(seat.base + "/saves", json={"lease": seat.lease, "saves": [], "notices_read": [notice["id"]]})
    assert seat.state("?light=1")["notices"][0]["read"] is True


def test_another_machine_waits_until_the_invigilator_lets_it_go_on(day: Day) -> None:
    seat = Browser(day, "An")
    day.ring(seconds=1)
    seat.take_lease()
    seat.save(seat.first, {"RESPONSE": seat.tokens(seat.first)[0]})
    code, invigilator = day.slips["An"], day.staff("Invigilator")
    machine, refused = day.enter("An", code)
    assert refused.status_code == 200
    assert "used at another machine already" in refused.text
    assert machine.get(seat.base, headers={"Accept": "application/json"}).status_code == 401
    assert "Waits at another machine" in invigilator.get(day.path("/rooms/room-1")).text
    released = invigilator.post(day.path(f"/attempts/{day.codes['An']}/release"), data={"reason": "screen broke"})
    assert released.status_code == 302
    machine, entered = day.enter("An", code, machine)
    assert entered.status_code == 302
    there = Browser(day, "An", machine)
    assert there.take_lease().status_code == 200
    assert seat.save(seat.second, {"RESPONSE": there.tokens(seat.second)[0]}).json["code"] == "lease-lost"
    assert seat.take_lease().json["code"] == "held-elsewhere"
    assert there.save(seat.first, {"RESPONSE": there.tokens(seat.first)[1]}, base=1).status_code == 200
    assert there.state("?light=1")["lease_held"] is True


def test_a_power_cut_opens_the_same_machine_again_with_the_same_slip(day: Day) -> None:
    seat = Browser(day, "An")
    day.ring(seconds=1)
    seat.take_lease()
    seat.save(seat.first, {"RESPONSE": seat.tokens(seat.first)[0]})
    _, entered = day.enter("An", day.slips["An"], seat.client)
    assert entered.status_code == 302
    assert seat.take_lease().status_code == 200
    assert seat.state("?values=1")["slots"][seat.first - 1]["version"] == 1


def test_a_code_that_somebody_else_used_first_is_worth_nothing_after_a_new_slip(day: Day) -> None:
    code = day.slip("An")
    thief, entered = day.enter("An", code)
    assert entered.status_code == 302
    _, refused = day.enter("An", code)
    assert "used at another machine already" in refused.text
    again = day.slip("An")
    assert thief.get(f"/attempts/{day.codes['An']}/state").status_code == 401
    _, entered = day.enter("An", code, thief)
    assert entered.status_code == 200
    _, entered = day.enter("An", again)
    assert entered.status_code == 302


def test_a_machine_that_fell_silent_is_shown_and_its_outage_kept(day: Day) -> None:
    seat = Browser(day, "An")
    day.ring(seconds=1)
    seat.take_lease()
    seat.state("?light=1")
    for _ in range(4):
        day.world.later(seconds=15)
        seat.state("?light=1")
    silent_since = day.world.now
    day.world.later(seconds=200)
    assert "Not heard of" in day.staff("Invigilator").get(day.path("/rooms/room-1")).text
    seat.take_lease()
    seat.state()
    [outage] = queries.outages(day.session, day.attempt("An").id)
    assert (outage.since, outage.until) == (silent_since, silent_since + timedelta(seconds=200))
    assert "200 seconds" in day.staff("Invigilator").get(day.path(f"/attempts/{day.codes['An']}")).text
    assert "Without connection" in day.staff("An").get("/competitions/mot/my-exam").text


def test_a_save_asks_the_database_few_questions(day: Day) -> None:
    seat = Browser(day, "An")
    day.ring(seconds=1)
    seat.take_lease()
    tokens = seat.tokens(seat.first)
    seat.save(seat.first, {"RESPONSE": tokens[0]})
    asked: list[str] = []
    with day.world.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *found: asked.append(found[2]))
    assert seat.save(seat.first, {"RESPONSE": tokens[1]}, base=1).status_code == 200
    statements = [one for one in asked if not one.startswith("BEGIN")]
    assert len(statements) <= 8, statements


def test_the_exam_closes_by_itself_and_the_candidate_finds_the_receipt(day: Day) -> None:
    seat = Browser(day, "An")
    day.ring(seconds=1)
    seat.take_lease()
    seat.save(seat.first, {"RESPONSE": seat.tokens(seat.first)[0]})
    day.world.now = BELL + timedelta(minutes=21)
    day.work()
    state = seat.state()
    assert (state["state"], state["receipt"]["answered"]) == ("closed", 1)
    page = day.staff("An").get("/competitions/mot/my-exam")
    code = state["receipt"]["code"]
    assert f"{code[:5]}-{code[5:10]}-{code[10:15]}-{code[15:]}" in page.text
    receipt = day.staff("An").get(f"/competitions/mot/my-exam/{day.sitting}/receipt")
    assert "the system handed in for you" in receipt.text
    assert 'href="/receipt"' in receipt.text
    assert day.staff("Bình").get(f"/competitions/mot/my-exam/{day.sitting}/receipt").status_code == 404
    assert code[:5] not in day.staff("Bình").get("/competitions/mot/my-exam").text
    assert datetime.fromisoformat(state["receipt"]["submitted_at"]) == day.world.now
