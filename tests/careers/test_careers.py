"""Units, posts and service by effective dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from examsvc.accounts.operations import register_account
from examsvc.base.database import writing
from examsvc.base.errors import NotAllowed, NotFound, Refused
from examsvc.careers import operations, queries
from examsvc.careers.models import Position, Unit
from examsvc.careers.rules import Stretch, merged, months_between, months_of, successors_on

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
REFORM = date(2025, 7, 1)
DAYS = st.dates(date(2000, 1, 1), date(2030, 12, 31))


# ---------------------------------------------------------------- rules


@given(DAYS, st.integers(0, 4000))
@settings(max_examples=200, deadline=None)
def test_full_months_are_counted_as_on_a_calendar(begins: date, length: int) -> None:
    ends = begins + timedelta(days=length)
    counted = 0
    while True:  # month after month, the day kept where the month has it
        year, month = divmod(begins.year * 12 + begins.month - 1 + counted + 1, 12)
        last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
        if date(year, month + 1, min(begins.day, last)) > ends:
            break
        counted += 1
    assert months_between(begins, ends) == counted


@given(st.lists(st.tuples(DAYS, st.none() | DAYS), max_size=6), DAYS)
@settings(max_examples=200, deadline=None)
def test_no_day_of_service_counts_twice_or_is_lost(spans: list[tuple[date, date | None]], until: date) -> None:
    stretches = [Stretch(begins, ends) for begins, ends in spans]
    days = {
        one.begins + timedelta(days=n)
        for one in stretches
        for n in range(max(0, (min(one.ends or until, until) - one.begins).days))
    }
    joined = merged(stretches, until)
    assert sum((one.ends - one.begins).days for one in joined) == len(days)
    assert all(earlier.ends < later.begins for earlier, later in pairwise(joined))
    assert all(any(one.holds(day) for one in joined) for day in list(days)[:50])
    assert abs(months_of(stretches, until) * 30.44 - len(days)) < 45


def test_two_posts_at_once_count_once_and_a_gap_does_not_count() -> None:
    until = date(2026, 1, 1)
    both = [Stretch(date(2024, 1, 1), date(2025, 1, 1)), Stretch(date(2024, 6, 1), date(2025, 1, 1))]
    assert months_of(both, until) == 12
    gap = [Stretch(date(2023, 1, 1), date(2024, 1, 1)), Stretch(date(2025, 1, 1), None)]
    assert months_of(gap, until) == 24
    assert months_of([], until) == 0
    assert months_of([Stretch(date(2027, 1, 1))], until) == 0


@given(st.integers(1, 7), st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14), st.randoms())
@settings(max_examples=100, deadline=None)
def test_lines_of_succession_end_and_hold_what_exists(size, pairs, chance) -> None:
    """Against walking every path; circles, which wrong data could hold, end too."""
    after: dict[int, list[int]] = {}
    for one, other in pairs:
        after.setdefault(one, []).append(other)
    day = date(2025, 1, 1)
    existing = {n: Stretch(date(2020, 1, 1), None if chance.random() < 0.4 else date(2024, 1, 1)) for n in range(size)}

    def walk(one: int, path: frozenset[int]) -> set[int]:
        if one in existing and existing[one].holds(day):
            return {one}
        return {found for later in after.get(one, ()) if later not in path for found in walk(later, path | {later})}

    assert successors_on(0, after, existing, day) == sorted(walk(0, frozenset({0})))


# ---------------------------------------------------------------- the reform of 1 July 2025, as a history


@pytest.fixture
def reformed(session: Session) -> dict[str, int]:
    """A province with a district until 30 June 2025; two communes after it."""
    with writing(session):
        province = operations.add_unit(
            session, code="TH", name={"vi": "Tỉnh Thanh Hà"}, tier="province", begins_on=date(1997, 1, 1)
        )
        district = operations.add_unit(
            session, code="H1", name={"vi": "Huyện Bình Sơn"}, tier="district", parent=province, begins_on=date(1997, 1, 1)
        )
        head = operations.add_position(
            session, district, code="H1-NV", title={"vi": "Trưởng phòng Nội vụ"}, level="division-head", begins_on=date(2008, 2, 4)
        )
        communes = [
            operations.add_unit(
                session, code=code, name={"vi": f"Xã {code}"}, tier="commune", parent=province, begins_on=REFORM
            )
            for code in ("X1", "X2")
        ]
        after = operations.add_position(
            session, communes[0], code="X1-VH", title={"vi": "Trưởng phòng Văn hóa – Xã hội"}, level="division-head", begins_on=REFORM
        )
        operations.end_position(session, head, ends_on=REFORM, successors=[after], basis="Nghị quyết 1")
        operations.end_unit(session, district, ends_on=REFORM, successors=communes, basis="Luật năm 2025")
        return {"district": district.id, "head": head.id, "province": province.id}


def test_what_exists_on_a_day(session: Session, reformed: dict[str, int]) -> None:
    before, after = REFORM - timedelta(days=1), REFORM
    assert [one.code for one in queries.units_on(session, before)] == ["H1", "TH"]
    assert [one.code for one in queries.units_on(session, after)] == ["TH", "X1", "X2"]
    assert [one.code for one in queries.positions_on(session, before)] == ["H1-NV"]
    assert [one.code for one in queries.positions_on(session, after, level="division-head")] == ["X1-VH"]
    assert queries.positions_on(session, after, level="department-head") == []


def test_what_stands_for_the_district_today(session: Session, reformed: dict[str, int]) -> None:
    district = session.get_one(Unit, reformed["district"])
    assert [one.code for one in queries.unit_successors(session, district, NOW.date())] == ["X1", "X2"]
    assert [one.code for one in queries.unit_successors(session, district, date(2010, 1, 1))] == ["H1"]
    assert queries.unit_successors(session, district, date(1990, 1, 1)) == []
    head = session.get_one(Position, reformed["head"])
    assert [one.code for one in queries.position_successors(session, head, NOW.date())] == ["X1-VH"]
    with writing(session):  # X1 is merged again later: the line goes on
        merged_unit = operations.add_unit(session, code="X3", name={"vi": "Xã mới"}, begins_on=date(2026, 6, 1))
        operations.end_unit(session, queries.unit(session, "X1"), ends_on=date(2026, 6, 1), successors=[merged_unit])
    assert [one.code for one in queries.unit_successors(session, district, NOW.date())] == ["X2", "X3"]
    assert queries.position(session, "X1-VH").ends_on == date(2026, 6, 1)


def test_ends_that_make_no_sense_are_refused(session: Session, reformed: dict[str, int]) -> None:
    def refuse(sentence: str, **change: object) -> None:
        unit = queries.unit(session, str(change.pop("code", "TH")))
        with pytest.raises(Refused, match=sentence), writing(session):
            operations.end_unit(session, session.merge(unit), **change)

    refuse("would go on: X1, X2", ends_on=date(2026, 1, 1))
    refuse("after the beginning", code="X1", ends_on=REFORM)
    refuse("has an end already", code="H1", ends_on=date(2026, 1, 1))
    refuse("successor must be", code="X1", ends_on=date(2026, 1, 1), successors=[queries.unit(session, "H1")])
    refuse("successor must be", code="X1", ends_on=date(2026, 1, 1), successors=[queries.unit(session, "X1")])
    with pytest.raises(Refused, match="does not exist on that day"), writing(session):
        operations.add_position(
            session, queries.unit(session, "H1"), code="H1-X", title={"vi": "x"}, level="a", begins_on=REFORM
        )
    with pytest.raises(Refused, match="unit above"), writing(session):
        operations.add_unit(
            session, code="Y", name={"vi": "y"}, begins_on=REFORM, parent=queries.unit(session, "H1")
        )
    for code in ("H1", "có dấu", "", "a" * 41, "-x", "a b"):
        with pytest.raises(Refused), writing(session):
            operations.add_unit(session, code=code, name={"vi": "y"}, begins_on=REFORM)
    with pytest.raises(NotFound):
        queries.unit(session, "NO")


def test_a_standard_is_replaced_by_the_next(session: Session) -> None:
    with writing(session):
        old = operations.add_standard(
            session, code="TP-2024", name={"vi": "Trưởng phòng"}, source="Nghị định 29/2024/NĐ-CP",
            criteria=[{"vi": "Tốt nghiệp đại học"}], begins_on=date(2024, 5, 1),
        )  # fmt: skip
        operations.add_standard(
            session, code="TP-2026", name={"vi": "Trưởng phòng"}, source="Văn bản mới", replaces=old,
            criteria=[{"vi": "Một", "en": "One"}, {"vi": "Hai"}], begins_on=date(2026, 1, 1),
        )  # fmt: skip
    assert [one.code for one in queries.standards_on(session, date(2025, 12, 31))] == ["TP-2024"]
    assert [one.code for one in queries.standards_on(session, date(2026, 1, 1))] == ["TP-2026"]
    assert [one["id"] for one in queries.standards_on(session, NOW.date())[0].criteria] == ["c1", "c2"]
    with pytest.raises(Refused, match="at least one"), writing(session):
        operations.add_standard(session, code="Z", name={"vi": "z"}, source="z", criteria=[], begins_on=REFORM)


# ---------------------------------------------------------------- people


def test_only_confirmed_service_counts_and_nobody_confirms_the_own(session: Session) -> None:
    with writing(session):
        an = register_account(session, email="an@example.vn", name="An", password_hash=None, now=NOW).id
        officer = register_account(session, email="hoa@example.vn", name="Hoa", password_hash=None, now=NOW).id
        row = operations.note_service(
            session, account_id=an, title="Phó phòng", unit="Sở A", level="deputy-division-head",
            begins_on=date(2022, 1, 1), by=an, now=NOW,
        )  # fmt: skip
        early = operations.note_service(
            session, account_id=an, title="Chuyên viên", unit="Sở A", in_field=False,
            begins_on=date(2015, 1, 1), ends_on=date(2022, 1, 1), by=an, now=NOW,
        )  # fmt: skip
        row_id, early_id = row.id, early.id
    day = date(2026, 1, 1)
    assert queries.months_at_level(session, an, "deputy-division-head", day) == 0
    with pytest.raises(NotAllowed), writing(session):
        operations.confirm_service(session, operations.service(session, row_id, an), by=an, now=NOW)
    with writing(session):
        for number in (row_id, early_id):
            operations.confirm_service(session, operations.service(session, number, an), by=officer, now=NOW)
    assert queries.months_at_level(session, an, "deputy-division-head", day) == 48
    assert queries.months_of_service(session, an, day) == 132
    assert queries.months_of_service(session, an, day, in_field=True) == 48
    assert queries.levels_held(session, an, day) == {"deputy-division-head"}
    assert queries.levels_held(session, an, date(2020, 1, 1)) == set()
    with pytest.raises(NotAllowed), writing(session):
        operations.correct_service(session, operations.service(session, row_id, an), reason="sai", by=an, now=NOW)
    with writing(session):
        operations.correct_service(session, operations.service(session, row_id, an), reason="sai ngày", by=officer, now=NOW)
    assert queries.months_at_level(session, an, "deputy-division-head", day) == 0
    with pytest.raises(NotFound):
        operations.service(session, row_id, an)
    with pytest.raises(NotFound):
        operations.service(session, early_id, officer)


def test_a_measure_is_in_force_until_it_is_spent(session: Session) -> None:
    with writing(session):
        an = register_account(session, email="an@example.vn", name="An", password_hash=None, now=NOW).id
        officer = register_account(session, email="hoa@example.vn", name="Hoa", password_hash=None, now=NOW).id
        operations.note_discipline(
            session, account_id=an, measure="reprimand", basis="QĐ 12", decided_on=date(2025, 3, 1),
            spent_on=date(2026, 3, 1), by=officer, now=NOW,
        )  # fmt: skip
    for day, expected in ((date(2025, 2, 28), False), (date(2025, 3, 1), True), (date(2026, 2, 28), True), (date(2026, 3, 1), False)):
        assert queries.under_discipline(session, an, day) is expected
    with pytest.raises(NotAllowed), writing(session):
        operations.note_discipline(
            session, account_id=officer, measure="warning", basis="x", decided_on=date(2025, 3, 1), by=officer, now=NOW
        )


@pytest.mark.parametrize(
    "change",
    [
        {"begins_on": date(2030, 1, 1)},
        {"begins_on": date(2020, 1, 1), "ends_on": date(2020, 1, 1)},
        {"begins_on": date(2020, 1, 2), "ends_on": date(2020, 1, 1)},
    ],
)
def test_service_that_cannot_be_is_refused(any_session: Session, change: dict[str, date]) -> None:
    with writing(any_session):
        an = register_account(any_session, email="an@example.vn", name="An", password_hash=None, now=NOW).id
    with pytest.raises(Refused), writing(any_session):
        operations.note_service(any_session, account_id=an, title="x", unit="y", by=an, now=NOW, **change)
