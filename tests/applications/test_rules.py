"""Candidate numbers, deadlines, what is missing, what may be granted."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.applications import rules
from examsvc.competitions.calendar import WorkingDays, holiday_preset, working_days
from examsvc.competitions.entry_clauses import SupplementRule
from examsvc.competitions.regulation import Regulation, read_preset

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DEMO = read_preset("demo")


def test_numbers_are_free_and_of_one_length() -> None:
    taken: set[str] = set()
    for place in range(300):
        number = rules.candidate_number(f"{place:016x}", taken)
        assert number not in taken
        assert len(number) == 3
        taken.add(number)
    assert len(rules.candidate_number("f" * 16, taken)) == 4


def test_numbers_do_not_tell_the_order_of_handing_in() -> None:
    """Rank correlation between order and number over many competitions is around zero."""
    total = 0.0
    rounds, size = 200, 12
    for competition in range(rounds):
        taken: list[str] = []
        for place in range(size):
            taken.append(rules.candidate_number(f"{competition:08x}{place:08x}", taken))
        ranks = [sorted(taken).index(number) for number in taken]
        squares = sum((rank - place) ** 2 for place, rank in enumerate(ranks))
        total += 1 - 6 * squares / (size * (size**2 - 1))
    assert abs(total / rounds) < 0.1  # one standard error is 1/sqrt(11 × 200) ≈ 0.02


@given(st.integers(-10_000, 10_000))
def test_a_round_ends_to_the_millisecond(offset: int) -> None:
    opened, until = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, 10, tzinfo=UTC)
    now = until + timedelta(milliseconds=offset)
    assert rules.is_open(opened, until, None, now) == (offset < 0)
    assert not rules.is_open(opened, until, now, opened)


@given(st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 20)), st.integers(1, 20), st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_deadline_of_a_supplement(asked: datetime, length: int, working: bool) -> None:
    """By walking: the day of the request does not count, and the last day counts to its end."""
    asked = asked.replace(tzinfo=UTC)
    table = holiday_preset("vietnam")
    days = working_days(DEMO.calendar, table.years)
    rule = SupplementRule.model_validate(
        {"length": length, "unit": "working-days" if working else "calendar-days", "source": "x", "verified": False}
    )
    day, left = asked.astimezone(ZONE).date(), length
    while left:
        day += timedelta(days=1)
        left -= 1 if not working or _worked(day, days) else 0
    end = datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(days=1)
    assert rules.supplement_deadline(rule, asked, days, ZONE) == end


def _worked(day: date, days: WorkingDays) -> bool:
    return day in days.made_up or (day.weekday() < 5 and day not in days.holidays)


def state(**changes: object) -> rules.FileState:
    whole = {
        "stream": "planned-here",
        "identity_known": True,
        "birth_known": True,
        "answers": {
            "level": "deputy-division-head",
            "post_since": "2020-01-01",
            "field_since": "2015-01-01",
            "disciplined": "no",
            "post": "Phó trưởng phòng",
            "unit": "Sở Một",
        },
        "signed": {"commitment"},
        "uploaded": {"curriculum-vitae", "planning-decision", "action-plan", "commitment"},
        "relatives_answered": True,
    }
    return rules.FileState(**(whole | changes))


def test_what_is_missing() -> None:
    assert rules.missing(DEMO, state()) == ()
    lacks = rules.missing(
        DEMO,
        state(
            identity_known=False,
            birth_known=False,
            answers={"disciplined": "yes"},
            signed=set(),
            uploaded=set(),
            relatives_answered=False,
        ),
    )
    sections = [lack.section for lack in lacks]
    # two of the person, post, unit, level, field since, date of discipline; post since only of somebody with a post
    assert sections.count("person") == 7
    assert sections.count("relatives") == 1
    assert sections.count("declarations") == 1
    assert sections.count("files") == 4


def test_files_follow_the_stream() -> None:
    nominated = {rule.id for rule in rules.files_asked(DEMO, "nominated")}
    assert nominated == {"curriculum-vitae", "nomination", "action-plan", "commitment"}
    assert rules.required_files(DEMO, "nominated", {}) == nominated
    assert "planning-decision" in rules.required_files(DEMO, "planned-here", {})


def test_claimed_priority_needs_its_evidence() -> None:
    tree = json.loads(read_preset("vn-decree-170-2025").canonical_bytes())
    regulation = Regulation.model_validate_json(json.dumps(tree))
    assert regulation.priority is not None
    entry = next(one for one in regulation.priority.entries if one.evidence)
    before = rules.required_files(regulation, "open", {})
    assert rules.required_files(regulation, "open", {"priority": [entry.id]}) == before | set(entry.evidence)


def test_the_task_list() -> None:
    found = {one.name: one.state for one in rules.sections(DEMO, state(), accommodation="not-started")}
    assert found == {
        "person": "done",
        "relatives": "done",
        "declarations": "done",
        "files": "done",
        "accommodation": "not-started",
    }
    begun = {
        one.name: one.state
        for one in rules.sections(DEMO, state(answers={}, uploaded={"action-plan"}, signed=set()), accommodation="done")
    }
    assert begun["person"] == "in-progress"
    assert begun["files"] == "in-progress"
    assert begun["declarations"] == "not-started"


def test_signing_is_typing_ones_name() -> None:
    assert rules.signs("  nguyễn  thị an ", "Nguyễn Thị An")
    assert rules.signs("Nguye\u0302\u0303n Thi\u0323 An", "Nguyễn Thị An")
    assert not rules.signs("Nguyen Thi An", "Nguyễn Thị An")
    assert not rules.signs("", "Nguyễn Thị An")
    assert not rules.signs("", "")


def test_extra_minutes() -> None:
    assert rules.most_extra(DEMO) == {"test": 10, "essay": 15}
    assert rules.beyond({"test": 10, "essay": 15}, rules.most_extra(DEMO)) == []
    assert rules.beyond({"test": 11, "plan-defence": 1, "essay": -1}, rules.most_extra(DEMO)) == [
        "essay",
        "plan-defence",
        "test",
    ]
    assert rules.measure_codes(["reader", "extra-minutes"], {"test": 5, "essay": 0}) == [
        "reader",
        "extra-minutes.test.5",
    ]


@given(st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 5)), st.integers(1, 5), st.sets(st.sampled_from("ABCDE")))
def test_posts_with_too_few(eligible: dict[str, int], least: int, settled: set[str]) -> None:
    found = rules.short_posts(eligible, least, settled)
    assert found == sorted(found)
    for post, count in eligible.items():
        assert (post in found) == (count < least and post not in settled)
