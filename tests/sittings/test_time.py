"""Every deadline comes from one pure function; here it is held against a clock that is simply ticked second by second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.sittings.rules import Standstill, Timing, admitted, deadline, late, standing, state

BELL = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


def at(second: int) -> datetime:
    return BELL + timedelta(seconds=second)


@st.composite
def timings(draw: st.DrawFn) -> Timing:
    standstills = []
    for _ in range(draw(st.integers(0, 4))):
        since = draw(st.integers(-60, 400))
        length = draw(st.one_of(st.none(), st.integers(0, 200)))
        standstills.append(Standstill(at(since), None if length is None else at(since + length)))
    return Timing(
        bell=BELL,
        minutes=draw(st.integers(1, 4)),
        extra_minutes=draw(st.integers(0, 2)),
        grace_seconds=draw(st.integers(0, 30)),
        credit_seconds=draw(st.integers(0, 90)),
        standstills=tuple(standstills),
    )


def ticked(timing: Timing, second: int) -> tuple[int, bool]:
    """Independent and slow: (seconds of work left, whether the clock stands still) at a second after the bell.

    Ticks from the bell on; a second counts as work unless some standstill covers it.  Once the time is used up nothing
    brings it back.
    """
    left = timing.minutes * 60 + timing.extra_minutes * 60 + timing.credit_seconds

    def still(tick: int) -> bool:
        return any(
            s.since <= at(tick) and (s.until is None or at(tick) < s.until) and s.since <= at(second)
            for s in timing.standstills
        )

    for tick in range(second):
        if left == 0 and not still(tick):
            return 0, False
        if not still(tick):
            left -= 1
    return left, still(second) if second >= 0 else False


@given(timings(), st.integers(0, 900))
@settings(max_examples=300, deadline=None)
def test_the_deadline_is_where_a_ticking_clock_runs_out(timing: Timing, second: int) -> None:
    left, stands = ticked(timing, second)
    where = standing(timing, at(second))
    if left > 0 and stands:
        assert where.paused_since is not None
        assert (where.deadline - where.paused_since).total_seconds() == left
    elif left > 0:
        assert where.paused_since is None
        assert (where.deadline - at(second)).total_seconds() == left
        assert state(timing, "checked-in", at(second)) == "open"
    elif not stands:
        assert where.deadline <= at(second)
        assert state(timing, "checked-in", at(second)) == "over"


@given(timings(), st.integers(-60, 900), st.integers(0, 60))
@settings(max_examples=200, deadline=None)
def test_more_time_never_takes_any_away(timing: Timing, second: int, more: int) -> None:
    longer = Timing(
        timing.bell,
        timing.minutes,
        timing.extra_minutes + 1,
        timing.grace_seconds,
        timing.credit_seconds + more,
        timing.standstills,
    )
    assert deadline(longer, at(second)) >= deadline(timing, at(second)) + timedelta(minutes=1, seconds=more)


@given(timings(), st.integers(-60, 900))
@settings(max_examples=200, deadline=None)
def test_a_closed_deadline_never_moves_back_as_time_passes(timing: Timing, second: int) -> None:
    assert deadline(timing, at(second + 1)) >= deadline(timing, at(second))


@given(timings(), st.integers(0, 900))
@settings(max_examples=200, deadline=None)
def test_late_means_after_deadline_and_grace_on_a_running_clock(timing: Timing, second: int) -> None:
    where = standing(timing, at(second))
    expected = where.paused_since is None and at(second) > where.deadline + timedelta(seconds=timing.grace_seconds)
    assert late(timing, at(second)) is expected


def test_overlapping_standstills_count_once() -> None:
    timing = Timing(BELL, 10, standstills=(Standstill(at(60), at(180)), Standstill(at(120), at(240))))
    assert deadline(timing, at(300)) == at(600 + 180)


def test_a_standstill_before_the_bell_gives_nothing() -> None:
    timing = Timing(BELL, 10, standstills=(Standstill(at(-600), at(-60)), Standstill(at(-30), at(30))))
    assert deadline(timing, at(40)) == at(630)


def test_a_pause_after_the_end_brings_no_time_back() -> None:
    timing = Timing(BELL, 10, standstills=(Standstill(at(601), at(900)),))
    assert deadline(timing, at(1000)) == at(600)
    assert state(timing, "checked-in", at(700)) == "over"


def test_states_of_an_attempt_that_has_ended_do_not_depend_on_the_clock() -> None:
    timing = Timing(BELL, 10)
    found = {name: state(timing, name, at(5)) for name in ("submitted", "closed", "absent", "cancelled", "prepared")}
    assert found == {
        "submitted": "submitted",
        "closed": "closed",
        "absent": "stopped",
        "cancelled": "stopped",
        "prepared": "waiting",
    }


def test_the_late_limit_itself_is_in_time() -> None:
    assert admitted(BELL, 5, at(300))
    assert not admitted(BELL, 5, at(301))
