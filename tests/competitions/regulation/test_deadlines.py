"""The deadline engine against a slow calculation of its own: every day is looked at, nothing is stepped or divided."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from examsvc.competitions.calendar import (
    DeadlineCycleError,
    WorkingDays,
    add_months,
    deadline_rules,
    deadlines,
    forecast_cycle,
    holiday_preset,
    local_midnight,
    working_days,
)
from examsvc.competitions.lint_procedure import contradicting
from examsvc.competitions.procedure_clauses import DeadlineRule, SizeBand
from examsvc.competitions.regulation import read_preset
from examsvc.competitions.terms import Interval, Label

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
BRUSSELS = ZoneInfo("Europe/Brussels")
BEIRUT = ZoneInfo("Asia/Beirut")  # clocks skip midnight there when summer begins
HAVANA = ZoneInfo("America/Havana")  # midnight comes twice there when summer ends
ZONES = [HANOI, BRUSSELS, BEIRUT, HAVANA, ZoneInfo("Pacific/Apia"), UTC]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
quick = settings(max_examples=80, deadline=None)


def rule(**changes):
    fields = {
        "id": "rule", "label": Label(vi="Thử", en="Test"), "event": "late", "bound": "at-latest", "direction": "after",
        "base": "early", "unit": "calendar-days", "offset": 3, "source": "Invented for a test", "verified": False,
    }  # fmt: skip
    return DeadlineRule(**(fields | changes))


def one(rule_, events, *, days=None, zone=HANOI, now=NOW, applicants=None):
    plain = WorkingDays(frozenset({6, 7}), frozenset(), frozenset(), frozenset({2025, 2026, 2027}))
    (found,) = deadlines([rule_], events, days=days or plain, zone=zone, now=now, applicants=applicants)
    return found


days_of_two_years = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@st.composite
def calendars(draw):
    weekend = draw(st.frozensets(st.integers(1, 7), max_size=6))
    holidays = draw(st.frozensets(days_of_two_years, max_size=40))
    made_up = draw(st.frozensets(days_of_two_years, max_size=10))
    return WorkingDays(weekend, holidays, made_up, frozenset({2026, 2027}))


def worked(calendar, day):
    """Written from the words: made-up days are worked; otherwise neither weekend nor holiday."""
    if day in calendar.made_up:
        return True
    return day.weekday() + 1 not in calendar.weekend and day not in calendar.holidays


def slow_day(calendar, base, rule_):
    """The day of a deadline by looking at every day within ten years of the base."""
    sign = 1 if rule_.direction == "after" else -1
    stretch = [base + timedelta(days=sign * n) for n in range(1, 3650)]
    length = rule_.offset
    if rule_.unit == "calendar-days":
        day = base if length == 0 else stretch[length - 1]
    elif rule_.unit == "working-days":
        day = base if length == 0 else [d for d in stretch if worked(calendar, d)][length - 1]
    else:
        months = base.year * 12 + base.month + sign * length
        same_month = [d for d in [base, *stretch] if d.year * 12 + d.month == months]
        fitting = [d for d in same_month if d.day <= base.day]
        day = base if length == 0 else max(fitting)
    if rule_.roll == "none":
        return day
    around = [day + timedelta(days=n if rule_.roll == "next-working-day" else -n) for n in range(400)]
    return next(d for d in around if worked(calendar, d))


def first_moment(day, zone):
    """The first minute of a local day, by walking through the minutes of UTC around it."""
    minute = datetime.combine(day, time(0), tzinfo=UTC) - timedelta(hours=15)
    while minute.astimezone(zone).date() < day:
        minute += timedelta(minutes=1)
    return minute


@quick
@given(
    calendars(),
    st.datetimes(datetime(2026, 3, 1), datetime(2027, 10, 1), timezones=st.just(UTC)),
    st.sampled_from(["calendar-days", "working-days", "months"]),
    st.integers(0, 40),
    st.sampled_from(["after", "before"]),
    st.sampled_from(["at-latest", "at-earliest"]),
    st.sampled_from(["none", "next-working-day", "previous-working-day"]),
    st.sampled_from(ZONES),
)
def test_deadlines_agree_with_looking_at_every_day(calendar, at, unit, offset, direction, bound, roll, zone):
    one_rule = rule(unit=unit, offset=offset, direction=direction, bound=bound, roll=roll)
    found = one(one_rule, {"early": at}, days=calendar, zone=zone)
    expected = slow_day(calendar, at.astimezone(zone).date(), one_rule)
    assert found.day == expected
    # Apia has no 30 December 2011; in the years drawn every local day exists.
    boundary = expected + timedelta(days=1) if bound == "at-latest" else expected
    assert found.instant == first_moment(boundary, zone)
    assert found.instant.tzinfo is UTC
    assert not found.forecast


@quick
@given(calendars(), days_of_two_years, st.integers(1, 60))
def test_forward_and_back_return_to_a_working_day(calendar, day, count):
    assume(calendar.is_working(day))
    assert calendar.shift(calendar.shift(day, count), -count) == day
    assert calendar.is_working(calendar.shift(day, count))
    assert calendar.shift(day, count) == calendar.shift(calendar.shift(day, count - 1), 1)


@quick
@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(ZONES))
def test_local_midnight_is_the_first_moment_of_the_day(day, zone):
    moment = local_midnight(day, zone)
    assert moment.astimezone(zone).date() == day or day == date(2011, 12, 30)
    assert (moment - timedelta(microseconds=1)).astimezone(zone).date() < day


def test_midnight_skipped_and_midnight_twice():
    assert local_midnight(date(2026, 3, 29), BEIRUT).astimezone(BEIRUT).hour == 1
    assert local_midnight(date(2026, 11, 1), HAVANA) == datetime(2026, 11, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 1, 15), -13, date(2024, 12, 15)),
        (date(2026, 8, 31), 240, date(2046, 8, 31)),
    ],
)
def test_months(day, count, expected):
    assert add_months(day, count) == expected


def test_summons_five_working_days_before_over_tet():
    """The exam is on Tuesday 24 February 2026 and Tet takes 16 to 20 February: counted back, the five days are 23, 13, 12,
    11 and 10 February."""
    regulation = read_preset("vn-decree-170-2025")
    days = working_days(regulation.calendar, holiday_preset("vietnam").years)
    rules = [one_rule for one_rule in regulation.calendar.deadlines if one_rule.id == "summons"]
    exam = datetime(2026, 2, 24, 8, tzinfo=HANOI)
    (found,) = deadlines(rules, {"exam-started:round-1": exam}, days=days, zone=HANOI, now=NOW)
    assert found.day == date(2026, 2, 10)
    assert found.instant == datetime(2026, 2, 11, tzinfo=HANOI)
    assert [step.code for step in found.steps] == ["base", "offset", "bound"]
    assert found.years_without_holidays == ()


def test_a_made_up_saturday_counts():
    plain = WorkingDays(frozenset({6, 7}), frozenset(), frozenset(), frozenset({2026}))
    made_up = WorkingDays(frozenset({6, 7}), frozenset(), frozenset({date(2026, 8, 22)}), frozenset({2026}))
    friday = datetime(2026, 8, 21, 9, tzinfo=HANOI)
    working = rule(unit="working-days", offset=1)
    assert one(working, {"early": friday}, days=plain).day == date(2026, 8, 24)
    assert one(working, {"early": friday}, days=made_up).day == date(2026, 8, 22)


def test_the_day_is_the_institutions_not_utcs():
    late_evening_in_utc = datetime(2026, 5, 4, 18, tzinfo=UTC)  # 01:00 on 5 May in Ha Noi
    assert one(rule(), {"early": late_evening_in_utc}).day == date(2026, 5, 8)
    assert one(rule(), {"early": late_evening_in_utc}, zone=UTC).day == date(2026, 5, 7)


def test_hours_are_counted_from_the_instant_across_a_change_of_clocks():
    bell = datetime(2026, 3, 29, 12, tzinfo=BRUSSELS)
    found = one(
        rule(unit="hours", offset=24, direction="before", bound="at-earliest"), {"early": bell}, zone=BRUSSELS
    )
    assert bell.astimezone(UTC) - found.instant == timedelta(hours=24)
    assert found.instant.astimezone(BRUSSELS).hour == 11


BANDS = (
    SizeBand(applicants=Interval(Fraction(0), Fraction(500), True, False), offset=15),
    SizeBand(applicants=Interval(Fraction(500), None, True, False), offset=30),
)


def test_the_number_of_applicants_decides():
    sized = rule(offset=None, by_applicants=BANDS)
    at = {"early": datetime(2026, 5, 1, 9, tzinfo=HANOI)}
    assert one(sized, at).state == "waiting-for-applicants"
    assert one(sized, at, applicants=499).day == date(2026, 5, 16)
    found = one(sized, at, applicants=500)
    assert found.day == date(2026, 5, 31)
    assert [step.code for step in found.steps] == ["base", "size", "offset", "bound"]


def test_states():
    early = datetime(2026, 5, 1, 9, tzinfo=HANOI)
    end = datetime(2026, 5, 5, tzinfo=HANOI)
    tick = timedelta(microseconds=1)
    assert one(rule(), {}).state == "waiting-for-base"
    assert one(rule(), {"early": early}, now=end - tick).state == "open"
    assert one(rule(), {"early": early}, now=end).state == "overdue"
    assert one(rule(), {"early": early, "late": end - tick}, now=end).state == "kept"
    assert one(rule(), {"early": early, "late": end}).state == "broken"
    earliest = rule(bound="at-earliest")
    start = datetime(2026, 5, 4, tzinfo=HANOI)
    assert one(earliest, {"early": early, "late": start}).state == "kept"
    assert one(earliest, {"early": early, "late": start - tick}).state == "broken"
    assert one(earliest, {"early": early}, now=end).state == "open"


def test_years_without_holidays_are_named():
    days = WorkingDays(frozenset({6, 7}), frozenset(), frozenset(), frozenset({2026}))
    at = {"early": datetime(2026, 12, 30, 9, tzinfo=HANOI)}
    assert one(rule(unit="working-days"), at, days=days).years_without_holidays == (2027,)
    assert one(rule(), at, days=days).years_without_holidays == ()
    assert one(rule(roll="next-working-day"), at, days=days).years_without_holidays == (2027,)


def test_forecasts_take_the_tightest_latest_and_else_the_last_earliest():
    plain = WorkingDays(frozenset(), frozenset(), frozenset(), frozenset())
    rules = [
        rule(id="first", event="middle", offset=5),
        rule(id="tighter", event="middle", offset=4),
        rule(id="not-sooner", event="middle", offset=2, bound="at-earliest"),
        rule(id="back", event="middle", base="never", direction="before"),
        rule(id="last", event="end", base="middle", offset=10),
    ]
    at = {"early": datetime(2026, 5, 1, 9, tzinfo=HANOI)}
    found = {d.rule.id: d for d in deadlines(rules, at, days=plain, zone=HANOI, now=NOW)}
    assert (found["last"].day, found["last"].forecast) == (date(2026, 5, 15), True)
    assert found["last"].steps[0].code == "forecast-base"
    assert found["back"].state == "waiting-for-base"
    found = {d.rule.id: d for d in deadlines(rules[2:], at, days=plain, zone=HANOI, now=NOW)}
    assert found["last"].day == date(2026, 5, 13)
    known = at | {"middle": datetime(2026, 5, 20, 9, tzinfo=HANOI)}
    found = {d.rule.id: d for d in deadlines(rules, known, days=plain, zone=HANOI, now=NOW)}
    assert (found["last"].day, found["last"].forecast, found["first"].state) == (
        date(2026, 5, 30),
        False,
        "broken",
    )


def test_a_circle_of_forecasts_is_refused_and_a_date_breaks_it():
    plain = WorkingDays(frozenset(), frozenset(), frozenset(), frozenset())
    rules = [rule(id="a", event="one", base="two"), rule(id="b", event="two", base="three"),
             rule(id="c", event="three", base="one")]  # fmt: skip
    assert set(forecast_cycle(rules)) == {"one", "two", "three"}
    assert forecast_cycle(rules[:2]) == ()
    with pytest.raises(DeadlineCycleError, match=r"one.*three.*\."):
        deadlines(rules, {}, days=plain, zone=HANOI, now=NOW)
    at = {"two": datetime(2026, 5, 1, 9, tzinfo=HANOI)}
    found = deadlines(rules, at, days=plain, zone=HANOI, now=NOW)
    assert [d.day for d in found] == [date(2026, 5, 4), date(2026, 5, 10), date(2026, 5, 7)]
    assert found[1].state == "kept"


@quick
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_circles_are_found_exactly_when_there_is_one(arrows):
    rules = [rule(id=f"r{i}", event=f"e{to}", base=f"e{start}") for i, (start, to) in enumerate(arrows)]
    reach = {(start, to) for start, to in arrows}
    for _ in range(6):
        reach |= {(a, d) for a, b in reach for c, d in reach if b == c}
    assert bool(forecast_cycle(rules)) == any(a == b for a, b in reach)


def test_windows_and_retention_become_deadlines_stated_once():
    regulation = read_preset("vn-leadership")
    found = {one_rule.event: one_rule for one_rule in deadline_rules(regulation)}
    assert found["appeals-closed:re-mark"].offset == regulation.channel("re-mark").window.length
    assert found["appeals-decided:re-mark"].base == "appeals-closed:re-mark"
    assert (found["kept-until:results"].unit, found["kept-until:results"].bound) == ("months", "at-earliest")
    assert "appeals-closed:denunciation" not in found
    published = {"results-published": datetime(2026, 5, 1, 9, tzinfo=HANOI)}
    days = working_days(regulation.calendar)
    by_event = {
        d.rule.event: d
        for d in deadlines(deadline_rules(regulation), published, days=days, zone=HANOI, now=NOW)
    }
    assert by_event["appeals-closed:re-mark"].day == date(2026, 5, 16)
    assert by_event["appeals-decided:re-mark"].day == date(2026, 5, 31)
    assert by_event["appeals-decided:re-mark"].forecast
    assert by_event["kept-until:results"].day == date(2046, 5, 1)


def test_naive_times_and_weeks_without_work_are_refused():
    with pytest.raises(ValueError, match="aware"):
        one(rule(), {"early": datetime(2026, 5, 1)})
    with pytest.raises(ValueError, match="at least one"):
        WorkingDays(frozenset(range(1, 8)), frozenset(), frozenset(), frozenset())


def test_tables_of_the_regulation_stand_before_the_institutions():
    regulation = read_preset("vn-leadership")
    tables = holiday_preset("vietnam").years
    own = tables[0].model_copy(update={"holidays": (), "working": (date(2026, 8, 22),)})
    calendar = regulation.calendar.model_copy(update={"years": (own,)})
    days = working_days(calendar, tables)
    assert days.is_working(date(2026, 4, 30))
    assert days.is_working(date(2026, 8, 22))
    assert not days.is_working(date(2027, 4, 30))
    assert days.years == {2026, 2027}


@st.composite
def rules_kept(draw):
    """Events with times, and rules of every kind that these times keep."""
    calendar = draw(calendars())
    times = draw(st.lists(st.datetimes(datetime(2026, 3, 1), datetime(2026, 12, 1)), min_size=2, max_size=5))
    events = {f"e{n}": at.replace(tzinfo=UTC) for n, at in enumerate(times)}
    zone = draw(st.sampled_from(ZONES))
    rules = []
    for n in range(draw(st.integers(1, 8))):
        event, base = draw(st.permutations(sorted(events)))[:2]
        unit = draw(st.sampled_from(["hours", "calendar-days", "working-days", "months"]))
        drawn = rule(
            id=f"r{n}", event=event, base=base, unit=unit, offset=draw(st.integers(0, 12)),
            bound=draw(st.sampled_from(["at-latest", "at-earliest"])), direction=draw(st.sampled_from(["after", "before"])),
        )  # fmt: skip
        if one(drawn, events, days=calendar, zone=zone).state == "kept":
            rules.append(drawn)
    return tuple(rules)


@quick
@given(rules_kept())
def test_rules_that_some_dates_keep_are_never_called_contradictory(rules):
    assert contradicting(rules) == ()


def test_rules_that_no_dates_keep_are_found():
    month = rule(id="month", unit="months", offset=1)
    assert contradicting((month, rule(id="days", offset=32, bound="at-earliest"))) == ()
    assert contradicting((month, rule(id="days", offset=34, bound="at-earliest"))) == ("days", "month")
    working = rule(id="working", unit="working-days", offset=10, bound="at-earliest")
    assert contradicting((working, rule(id="days", offset=7))) == ("days", "working")
    assert contradicting((rule(id="working", unit="working-days", offset=10), rule(id="d", offset=400, bound="at-earliest"))) == ()
    sized = rule(id="sized", offset=None, by_applicants=BANDS)
    assert contradicting((sized, rule(id="d", offset=30, bound="at-earliest"))) == ()
    assert contradicting((sized, rule(id="d", offset=33, bound="at-earliest"))) == ("d", "sized")
