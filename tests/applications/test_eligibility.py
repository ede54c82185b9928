"""Eligibility and questions, against an independent calculation and against every regulation that ships."""

from __future__ import annotations

import calendar
import json
from datetime import date, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from examsvc.applications import questions
from examsvc.applications.eligibility import Facts, assess, full_months
from examsvc.competitions.entry_clauses import Criterion
from examsvc.competitions.regulation import Regulation, preset_names, read_preset

CLOSING = date(2026, 10, 22)
days = st.dates(date(1950, 1, 1), date(2030, 12, 31))


def months_by_walking(since: date, until: date) -> int:
    """Full months counted by walking month by month: the same day, or the month's last one."""
    year, month, count = since.year, since.month, 0
    while True:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        last = calendar.monthrange(year, month)[1]
        if date(year, month, min(since.day, last)) > until:
            return count
        count += 1


@given(days, days)
@settings(max_examples=400, deadline=None)
def test_full_months(since: date, until: date) -> None:
    assume(since <= until)
    assert full_months(since, until) == months_by_walking(since, until)


@given(days, st.integers(1, 800))
@settings(max_examples=200, deadline=None)
def test_full_months_backwards_are_negative(later: date, by: int) -> None:
    assert full_months(later, later - timedelta(days=by)) < 0


def test_ends_of_months() -> None:
    assert full_months(date(2025, 1, 31), date(2025, 2, 27)) == 0
    assert full_months(date(2025, 1, 31), date(2025, 2, 28)) == 1
    assert full_months(date(2024, 2, 29), date(2025, 2, 28)) == 12
    assert full_months(date(2026, 5, 5), date(2026, 5, 5)) == 0


DEMO = read_preset("demo")
_CRITERIA: TypeAdapter[tuple[Criterion, ...]] = TypeAdapter(tuple[Criterion, ...])


def with_criteria(*criteria: str) -> Regulation:
    """The demonstration regulation with these criteria (JSON) instead of its own."""
    made = _CRITERIA.validate_json(f"[{', '.join(criteria)}]")
    return DEMO.model_copy(update={"admission": DEMO.admission.model_copy(update={"criteria": made})})


def criterion(**fields: object) -> str:
    base = {
        "id": "c",
        "label": {"vi": "Tiêu chí", "en": "Criterion"},
        "streams": [],
        "evidence": [],
        "needs_a_person": False,
        "source": "test",
        "verified": False,
        "unverified_fields": [],
    }
    return json.dumps(base | fields, sort_keys=True)


def date_criterion(measure: str, allowed: str, unit: str = "months", sex: str = "everyone") -> str:
    return criterion(kind="date", measure=measure, unit=unit, allowed=allowed, on="applications-closed", for_sex=sex)


def one(regulation: Regulation, **facts: object) -> object:
    given = {"stream": "planned-here", "level_of_post": "division-head", "days": {"applications-closed": CLOSING}} | facts
    return assess(regulation, Facts(**given))[0]


@given(st.dates(date(1950, 1, 1), CLOSING), st.integers(0, 60), st.integers(0, 40), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_age_in_full_years(birth: date, low: int, width: int, open_low: bool, open_high: bool) -> None:
    assume(width > 1)
    high = low + width
    text = f"{'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"
    found = one(with_criteria(date_criterion("age", text, "years")), birth=birth)
    age = CLOSING.year - birth.year
    last = calendar.monthrange(CLOSING.year, birth.month)[1]
    if date(CLOSING.year, birth.month, min(birth.day, last)) > CLOSING:
        age -= 1
    inside = (age > low if open_low else age >= low) and (age < high if open_high else age <= high)
    assert found.computed == ("met" if inside else "not-met")
    assert found.decisive == found.computed
    assert age in [fact.value for fact in found.facts]


@pytest.mark.parametrize(
    ("measure", "name"),
    [
        ("service", "service_since"),
        ("service-in-field", "field_since"),
        ("time-in-post", "post_since"),
        ("time-since-discipline", "disciplined_on"),
    ],
)
def test_lengths_of_time(measure: str, name: str) -> None:
    regulation = with_criteria(date_criterion(measure, "[24, inf)"))
    asked = {q.name for q in questions.asked(regulation, "planned-here")}
    assert name in asked
    assert one(regulation, answers={name: "2024-10-22"}).computed == "met"
    assert one(regulation, answers={name: "2024-10-23"}).computed == "not-met"
    missing = one(regulation)
    assert missing.computed is None
    assert missing.needs_a_person
    assert missing.decisive is None


def test_time_to_retirement_and_no_discipline() -> None:
    regulation = with_criteria(date_criterion("time-to-retirement", "[60, inf)"))
    assert one(regulation, answers={"retires_on": "2031-10-22"}).computed == "met"
    assert one(regulation, answers={"retires_on": "2031-10-21"}).computed == "not-met"
    never = with_criteria(date_criterion("time-since-discipline", "[24, inf)"))
    assert one(never, answers={"disciplined": "no"}).computed == "met"


def test_limits_by_sex_ask_for_it_and_pass_the_others() -> None:
    regulation = with_criteria(date_criterion("age", "[0, 50)", "years", "women"))
    assert "sex" in {q.name for q in questions.asked(regulation, "planned-here")}
    old = date(1960, 1, 1)
    assert one(regulation, birth=old, answers={"sex": "woman"}).computed == "not-met"
    assert one(regulation, birth=old, answers={"sex": "man"}).computed == "met"
    assert one(regulation, birth=old).computed is None


def test_no_day_no_finding() -> None:
    regulation = with_criteria(date_criterion("age", "[0, 50)", "years"))
    assert one(regulation, birth=date(1980, 1, 1), days={}).computed is None


LEVELS = ("deputy-division-head", "division-head", "deputy-department-head", "department-head")


@given(
    st.sampled_from((*LEVELS, "none")),
    st.sampled_from(LEVELS),
    st.dates(date(2015, 1, 1), CLOSING),
    st.dates(date(2015, 1, 1), CLOSING),
)
@settings(max_examples=300, deadline=None)
def test_the_ladder(held: str, wanted: str, post_since: date, field_since: date) -> None:
    """Holders try the next level only; others need two years in the field and try for deputy head of division only."""
    found = next(
        one
        for one in assess(
            DEMO,
            Facts(
                "planned-here",
                wanted,
                answers={"level": held, "post_since": post_since.isoformat(), "field_since": field_since.isoformat()},
                days={"applications-closed": CLOSING},
            ),
        )
        if one.criterion == "ladder"
    )
    if held == "none":
        expected = wanted == LEVELS[0] and months_by_walking(field_since, CLOSING) >= 24
    else:
        expected = LEVELS.index(wanted) == LEVELS.index(held) + 1
    assert found.computed == ("met" if expected else "not-met")
    assert found.decisive is None, "the regulation leaves it to a person"
    assert found.clause == "admission.criteria.ladder"


def test_numbers_documents_declarations() -> None:
    number = with_criteria(
        criterion(kind="number", measure="gpa", unit={"vi": "điểm", "en": "points"}, allowed="[7.5, 10]")
    )
    assert one(number, answers={"number.gpa": "7.5"}).computed == "met"
    assert one(number, answers={"number.gpa": "7.49"}).computed == "not-met"
    assert one(number).computed is None
    document = with_criteria(criterion(kind="document", file="curriculum-vitae", evidence=["planning-decision"]))
    found = one(document, files=frozenset({"curriculum-vitae"}))
    assert (found.computed, found.evidence, found.missing) == ("met", ("curriculum-vitae",), ("planning-decision",))
    assert one(document).computed == "not-met"
    signed = with_criteria(criterion(kind="declaration", statement={"vi": "Tôi cam đoan", "en": "I declare"}))
    assert one(signed).computed == "not-met"
    assert one(signed, signed=frozenset({"c"})).decisive == "met"


def test_a_criterion_of_another_stream_is_left_out() -> None:
    regulation = with_criteria(json.dumps(json.loads(date_criterion("age", "[0, 50)")) | {"streams": ["nominated"]}))
    assert assess(regulation, Facts("planned-here", "division-head")) == ()
    assert len(assess(regulation, Facts("nominated", "division-head"))) == 1


def test_every_regulation_that_ships_can_be_asked_and_assessed() -> None:
    names = preset_names()
    assert len(names) >= 6
    for name in names:
        regulation = read_preset(name)
        for stream in regulation.admission.streams:
            asked = questions.asked(regulation, stream.id)
            assert all(q.because for q in asked), name
            assert len({q.name for q in asked}) == len(asked)
            found = assess(regulation, Facts(stream.id, regulation.posts.levels[0].id))
            assert len(found) == len(questions.applicable(regulation, stream.id))
            assert questions.unanswered(regulation, stream.id, {}) == tuple(
                q for q in asked if q.required and q.only_if is None
            )


def test_nothing_is_asked_that_no_clause_needs() -> None:
    assert questions.asked(with_criteria(), "planned-here") == ()


def test_answers_that_cannot_be_used() -> None:
    demo = DEMO
    asked = {q.name: q for q in questions.asked(demo, "planned-here")}
    today = date(2026, 11, 21)
    for name, value in (
        ("post_since", "2026-11-22"),
        ("post_since", "31/02/2020"),
        ("post_since", "0024-01-01"),
        ("level", "minister"),
        ("disciplined", "maybe"),
        ("unit", "x" * 201),
    ):
        with pytest.raises(questions.AnswerError):
            questions.read(asked[name], value, demo, today)
    assert questions.read(asked["post_since"], "2026-11-21", demo, today) == "2026-11-21"
    assert questions.read(asked["unit"], "", demo, today) is None
