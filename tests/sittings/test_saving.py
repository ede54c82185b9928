"""The one write path of an answer; each failure that other systems had is one history here."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from examsvc.ledger import chains, commitments
from examsvc.sittings import ending, queries, running
from examsvc.sittings.models import Save
from examsvc.sittings.saving import SaveRefused, committed_save, digest_of, read_saves, read_value
from tests.exam_hall import BELL, ExamHall


@pytest.fixture
def hall(writing_hall: ExamHall) -> ExamHall:
    """An and Bình are writing; one minute after the bell."""
    return writing_hall


def choice(hall: ExamHall, slot: int, place: int = 0) -> dict[str, Any]:
    """The option at that place of a single-choice question, as the browser would send it."""
    item = next(s for s in queries.slots(hall.session, hall.attempt("An")) if s.number == slot)
    shown = queries.presented(hall.session, hall.attempt("An"), item, "vi")
    return {"RESPONSE": shown["interactions"][0]["choices"][place]["id"]}


def single(hall: ExamHall, nth: int = 0) -> int:
    """Number of the n-th slot with a single choice."""
    kinds = [s.number for s in queries.slots(hall.session, hall.attempt("An")) if s.item.kind == "single"]
    return kinds[nth]


def essay(hall: ExamHall) -> int:
    return next(s.number for s in queries.slots(hall.session, hall.attempt("An")) if s.item.kind == "essay")


def test_the_acknowledgement_carries_the_digest_of_what_is_stored(hall: ExamHall) -> None:
    lease, slot = hall.lease("An"), single(hall)
    value = choice(hall, slot)
    reply = hall.save("An", slot, value, lease=lease)
    stored = queries.newest_saves(hall.session, hall.attempt("An").id)[slot]
    assert reply["digest"] == digest_of(value) == stored.digest == digest_of(stored.value)
    assert (reply["version"], reply["late"]) == (1, False)


def test_a_repeated_save_gets_the_first_reply_again(hall: ExamHall) -> None:
    lease, slot, name = hall.lease("An"), single(hall), str(uuid.uuid4())
    first = hall.save("An", slot, choice(hall, slot), lease=lease, save_id=name)
    hall.later(minutes=3)
    assert hall.save("An", slot, choice(hall, slot), lease=lease, save_id=name) == first
    assert len(queries.newest_saves(hall.session, hall.attempt("An").id)) == 1


def test_a_repeated_save_is_acknowledged_even_after_the_lease_was_lost(hall: ExamHall) -> None:
    lease, slot, name = hall.lease("An"), single(hall), str(uuid.uuid4())
    first = hall.save("An", slot, choice(hall, slot), lease=lease, save_id=name)
    hall.lease("An")  # a second tab on the same machine takes over
    assert hall.save("An", slot, choice(hall, slot), lease=lease, save_id=name) == first


def test_a_stale_tab_overwrites_nothing(hall: ExamHall) -> None:
    lease, slot = hall.lease("An"), single(hall)
    hall.save("An", slot, choice(hall, slot, 0), lease=lease)
    with pytest.raises(SaveRefused) as refusal:
        hall.save("An", slot, choice(hall, slot, 1), lease=lease, base=0)
    assert (refusal.value.status, refusal.value.code) == (409, "conflict")
    [conflict] = refusal.value.extra["conflicts"]
    assert (conflict["version"], conflict["value"]) == (1, choice(hall, slot, 0))
    assert hall.save("An", slot, choice(hall, slot, 1), lease=lease, base=1)["version"] == 2


def test_all_saves_of_a_request_are_stored_or_none(hall: ExamHall) -> None:
    lease, first, second = hall.lease("An"), single(hall, 0), single(hall, 1)
    hall.save("An", first, choice(hall, first), lease=lease)
    with pytest.raises(SaveRefused):
        hall.save_many("An", [(second, choice(hall, second), 0), (first, choice(hall, first, 1), 0)], lease=lease)
    assert set(queries.newest_saves(hall.session, hall.attempt("An").id)) == {first}


def test_a_lost_lease_is_told_and_stores_nothing(hall: ExamHall) -> None:
    lease, slot = hall.lease("An"), single(hall)
    hall.lease("An")
    with pytest.raises(SaveRefused) as refusal:
        hall.save("An", slot, choice(hall, slot), lease=lease)
    assert (refusal.value.status, refusal.value.code) == (423, "lease-lost")
    assert queries.newest_saves(hall.session, hall.attempt("An").id) == {}


def test_another_machine_waits_for_the_invigilator(hall: ExamHall) -> None:
    lease, slot = hall.lease("An"), single(hall)
    hall.save("An", slot, choice(hall, slot), lease=lease)
    with pytest.raises(SaveRefused) as refusal:
        hall.lease("An", machine="n" * 32)
    assert (refusal.value.status, refusal.value.code) == (423, "held-elsewhere")
    with hall.write():
        running.release_attempt(hall.session, hall.attempt("An"), reason="screen broke", by=hall.office, now=hall.now)
    again = hall.lease("An", machine="n" * 32)
    assert hall.save("An", slot, choice(hall, slot, 1), lease=again, base=1)["version"] == 2
    with pytest.raises(SaveRefused):
        hall.save("An", slot, choice(hall, slot, 2), lease=lease, base=2)


def test_what_comes_after_the_end_is_kept_and_flagged_and_does_not_count(hall: ExamHall) -> None:
    lease, slot, other = hall.lease("An"), single(hall, 0), single(hall, 1)
    hall.save("An", slot, choice(hall, slot), lease=lease)
    hall.now = BELL + timedelta(minutes=20, seconds=31)  # 20 minutes and 30 s of grace
    assert hall.save("An", other, choice(hall, other), lease=lease)["late"] is True
    assert set(queries.counted_saves(hall.session, hall.attempt("An").id)) == {slot}
    assert set(queries.newest_saves(hall.session, hall.attempt("An").id)) == {slot, other}


def test_a_save_within_the_grace_is_in_time(hall: ExamHall) -> None:
    lease, slot = hall.lease("An"), single(hall)
    hall.now = BELL + timedelta(minutes=20, seconds=30)
    assert hall.save("An", slot, choice(hall, slot), lease=lease)["late"] is False


def test_submitting_changes_no_answer_and_a_later_save_is_kept_beside_it(hall: ExamHall) -> None:
    lease, slot, other = hall.lease("An"), single(hall, 0), single(hall, 1)
    hall.save("An", slot, choice(hall, slot), lease=lease)
    before = {s: save.value for s, save in queries.newest_saves(hall.session, hall.attempt("An").id).items()}
    receipt = hall.submit("An", lease)
    assert (receipt["answered"], receipt["blank"], len(receipt["code"])) == (1, 6, 20)
    after = {s: save.value for s, save in queries.newest_saves(hall.session, hall.attempt("An").id).items()}
    assert after == before
    assert hall.submit("An", lease) == receipt
    assert hall.save("An", other, choice(hall, other), lease=lease)["late"] is True
    assert set(queries.counted_saves(hall.session, hall.attempt("An").id)) == {slot}


def test_the_clock_closes_with_everything_that_was_stored(hall: ExamHall) -> None:
    lease, slot = hall.lease("An"), single(hall)
    hall.save("An", slot, choice(hall, slot), lease=lease)
    hall.now = BELL + timedelta(minutes=20, seconds=31)
    with hall.write():
        receipt = ending.close_attempt(hall.session, hall.attempt("An"), now=hall.now)
    assert receipt is not None
    assert receipt["answered"] == 1
    assert hall.attempt("An").state == "closed"


def test_a_pause_of_the_room_moves_the_deadline(hall: ExamHall) -> None:
    lease, slot = hall.lease("An"), single(hall)
    with hall.write():
        running.pause_room(hall.session, hall.attempt("An").room, reason="fire alarm", by=hall.office, now=hall.now)
    hall.later(minutes=10)
    with hall.write():
        running.resume_room(hall.session, hall.attempt("An").room, by=hall.office, now=hall.now)
    hall.now = BELL + timedelta(minutes=29)
    assert hall.save("An", slot, choice(hall, slot), lease=lease)["late"] is False
    with hall.write():
        assert ending.close_attempt(hall.session, hall.attempt("An"), now=hall.now) is None


def test_submit_with_answers_the_page_does_not_know_is_refused(hall: ExamHall) -> None:
    lease, slot = hall.lease("An"), single(hall)
    hall.save("An", slot, choice(hall, slot), lease=lease)
    with pytest.raises(SaveRefused) as refusal, hall.write():
        ending.submit_attempt(
            hall.session, hall.attempt("An"), lease=lease, versions={}, submit_id="x", now=hall.now
        )
    assert refusal.value.extra["slots"] == [slot]
    assert hall.attempt("An").state == "checked-in"


def test_an_unknown_option_is_refused_at_its_question(hall: ExamHall) -> None:
    lease, slot = hall.lease("An"), single(hall)
    with pytest.raises(SaveRefused) as refusal:
        hall.save("An", slot, {"RESPONSE": "no such option"}, lease=lease)
    assert (refusal.value.status, refusal.value.extra["refusals"][0]["slot"]) == (422, slot)


def test_a_text_above_the_limit_is_refused_with_a_sentence_and_one_within_the_margin_is_stored(hall: ExamHall) -> None:
    lease, slot = hall.lease("An"), essay(hall)
    item = next(s for s in queries.slots(hall.session, hall.attempt("An")) if s.number == slot).item
    most = item.interactions[0].words[1]
    assert most is not None
    assert hall.save("An", slot, {"RESPONSE": "từ " * most}, lease=lease)["version"] == 1
    with pytest.raises(SaveRefused) as refusal:
        hall.save("An", slot, {"RESPONSE": "từ " * (most * 2)}, lease=lease, base=1)
    assert "longer" in refusal.value.extra["refusals"][0]["error"]


def test_the_chain_can_be_replayed_from_the_saves(hall: ExamHall) -> None:
    lease = hall.lease("An")
    for nth in range(3):
        hall.save("An", single(hall, nth), choice(hall, single(hall, nth)), lease=lease)
    attempt = hall.attempt("An")
    rows = list(hall.session.scalars(select(Save).where(Save.attempt_id == attempt.id).order_by(Save.link)))
    for row in rows:
        request = read_saves(
            [{"save_id": row.save_id, "slot": row.slot, "base_version": row.version - 1, "value": row.value}]
        )[0]
        content = committed_save(attempt.code, request, row.version, row.late, row.saved_at)
        assert commitments.commit("attempt.save", bytes.fromhex(row.salt), content) == row.commitment
    heads = chains.replay("mot", attempt.code, [row.commitment for row in rows])
    assert (heads[-1].links, heads[-1].head) == (attempt.links, attempt.chain_head) == (3, heads[-1].head)


hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(hostile)
@settings(max_examples=300, deadline=None)
def test_hostile_bodies_are_refused_or_read_and_never_crash(body: object) -> None:
    shapes = [body, [body], [{"save_id": str(uuid.uuid4()), "slot": 1, "base_version": 0, "value": body}]]
    refused: list[int] = []
    for shape in shapes:
        try:
            for save in read_saves(shape):
                assert json.loads(json.dumps(save.value)) == save.value
        except SaveRefused as refusal:
            refused.append(refusal.status)
    assert set(refused) <= {422}


def test_text_is_made_normal_at_the_door() -> None:
    assert read_value({"RESPONSE": "uỷ\r\nquyền"}) == {"RESPONSE": "uỷ\nquyền"}
    assert read_value({"RESPONSE": ""}) is None
    assert read_value({}) is None


@given(order=st.permutations(list(range(6))))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_retries_in_any_order_leave_one_version_of_each(hall: ExamHall, order: list[int]) -> None:
    """Three answers, each sent twice, in any order: lost replies make browsers do that."""
    lease = hall.lease("An")
    attempt = hall.attempt("An")
    base = {slot: save.version for slot, save in queries.newest_saves(hall.session, attempt.id).items()}
    names = [str(uuid.uuid4()) for _ in range(3)]
    replies: dict[int, list[dict[str, Any]]] = {}
    for place in order:
        nth = place % 3
        slot = single(hall, nth)
        reply = hall.save("An", slot, choice(hall, slot), lease=lease, base=base.get(slot, 0), save_id=names[nth])
        replies.setdefault(nth, []).append(reply)
    for pair in replies.values():
        assert pair[0] == pair[1]
