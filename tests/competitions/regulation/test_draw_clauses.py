"""When the outside value of a draw comes out next, against a calendar counted hour by hour."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.competitions.draw_clauses import OutsideValue
from examsvc.competitions.regulation import preset_names, read_preset
from examsvc.competitions.terms import Label

LABEL = Label(vi="số", en="number")


def value(days: tuple[int, ...], hour: int, zone: str, lead: int, minute: int = 0) -> OutsideValue:
    return OutsideValue(
        what=LABEL, publisher=LABEL, place=LABEL, days=days, hour=hour, minute=minute, zone=zone, lead_hours=lead
    )


@given(
    st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))),
    st.integers(0, 23).filter(lambda hour: hour not in (2, 3)),
    st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Berlin", "Asia/Seoul", "UTC"]),
    st.integers(1, 200),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)),
)
@settings(max_examples=60, deadline=None)
def test_the_first_publication_that_leaves_time(days, hour, zone, lead, now):
    now = now.replace(tzinfo=UTC, microsecond=0)
    found = value(days, hour, zone, lead).next(now)
    local = ZoneInfo(zone)
    candidate = (now + timedelta(hours=lead)).replace(minute=0, second=0)
    while True:  # every full hour of the world's clock, read on the clocks of the place
        there = candidate.astimezone(local)
        if candidate >= now + timedelta(hours=lead) and there.hour == hour and there.isoweekday() in days:
            break
        candidate += timedelta(hours=1)
    assert found == candidate
    assert found - now >= timedelta(hours=lead)


def test_a_lottery_of_every_evening():
    lottery = value((1, 2, 3, 4, 5, 6, 7), 18, "Asia/Ho_Chi_Minh", 24, 45)
    assert lottery.next(datetime(2026, 11, 20, 11, 45, tzinfo=UTC)) == datetime(2026, 11, 21, 11, 45, tzinfo=UTC)
    assert lottery.next(datetime(2026, 11, 20, 11, 46, tzinfo=UTC)) == datetime(2026, 11, 22, 11, 45, tzinfo=UTC)


def test_an_unknown_zone_is_said():
    with pytest.raises(LookupError, match="Asia/Nowhere"):
        value((1,), 1, "Asia/Nowhere", 1).next(datetime(2026, 1, 1, tzinfo=UTC))


def test_presets_name_values_that_somebody_publishes():
    stepped = [
        (name, rule) for name in preset_names() for rule in read_preset(name).draws if rule.method == "steps" and rule.outside
    ]
    assert len(stepped) == 16
    for _, rule in stepped:
        assert rule.outside.known_zone is not None
        assert rule.outside.what.vi != rule.outside.what.en
