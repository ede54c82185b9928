"""Setting up: clauses confirmed by name and content, councils composed by the regulation, dates that keep its deadlines."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from examsvc.base.database import writing
from examsvc.base.errors import Refused
from examsvc.careers import operations as careers
from examsvc.competitions import composition, operations, preparing, queries
from examsvc.competitions.board_clauses import Council, VoteRule
from examsvc.competitions.composition import Seat, faults, outcome
from examsvc.competitions.confirmations import clauses_to_confirm
from examsvc.competitions.models import ClauseConfirmation
from examsvc.competitions.preparing import Member
from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.demonstration.announcing import ZONE, witness
from tests.competitions import steps
from tests.exam_hall import BELL, ExamHall
from tests.ledger_check import assert_valid

OPENS = BELL - timedelta(days=60) + timedelta(hours=1)


# ---------------------------------------------------------------- clauses


def test_clauses_are_confirmed_one_by_one(draft: ExamHall) -> None:
    every = queries.open_clauses(draft.session, draft.competition, draft.now.date())
    first = every[0]
    with writing(draft.session):
        for _ in range(2):
            operations.confirm_clause(
                draft.session, draft.competition, path=first.path, digest=first.digest, by=draft.office, now=draft.now
            )
    rows = draft.session.scalars(select(ClauseConfirmation)).all()
    assert [(row.path, row.digest, row.by_id) for row in rows] == [(first.path, first.digest, draft.office)]
    assert len(queries.open_clauses(draft.session, draft.competition, draft.now.date())) == len(every) - 1
    with pytest.raises(DatabaseError, match="append-only"), writing(draft.session):
        draft.session.execute(text("UPDATE clause_confirmations SET by_id = 1"))


@pytest.mark.parametrize(("path", "digest"), [("total", "0" * 64), ("nowhere", None), ("total", "")])
def test_what_was_not_read_is_not_confirmed(draft: ExamHall, path: str, digest: str | None) -> None:
    known = {one.path: one.digest for one in queries.open_clauses(draft.session, draft.competition, draft.now.date())}
    with pytest.raises(Refused, match="has changed since"):
        operations.confirm_clause(
            draft.session,
            draft.competition,
            path=path,
            digest=known["total"] if digest is None else digest,
            by=draft.office,
            now=draft.now,
        )


def test_an_edited_clause_needs_a_new_confirmation(draft: ExamHall) -> None:
    steps.confirm_all(draft)
    assert queries.open_clauses(draft.session, draft.competition, draft.now.date()) == ()
    tree = json.loads(read_preset("demo").canonical_bytes())
    tree["admission"]["minimum_candidates"]["per_post"] = 3
    with writing(draft.session):
        edited = Regulation.model_validate_json(json.dumps(tree))
        document = operations.add_regulation(draft.session, edited, by=draft.office, now=draft.now)
        operations.change_regulation(draft.session, draft.competition, document, now=draft.now)
    waiting = queries.open_clauses(draft.session, draft.competition, draft.now.date())
    assert [one.path for one in waiting] == ["admission.minimum_candidates"]


# ---------------------------------------------------------------- posts


def test_posts_come_from_the_list_of_positions(draft: ExamHall) -> None:
    with writing(draft.session):
        unit = careers.add_unit(draft.session, code="SNV", name={"vi": "Sở", "en": "Department"}, begins_on=BELL.date() - timedelta(days=900))
        made = {
            code: careers.add_position(
                draft.session,
                unit,
                code=code,
                title={"vi": code, "en": code},
                level="division-head",
                begins_on=BELL.date() - timedelta(days=900),
                places=places,
                elected=elected,
            )
            for code, places, elected in (("P1", 2, False), ("P2", 1, True))
        }
        common = {"title": {"vi": "Trưởng phòng", "en": "Head"}, "unit": dict(unit.name), "level": "division-head"}
        post = operations.add_post(draft.session, draft.competition, code="C", vacancies=2, position=made["P1"], **common)
        assert post.position_id == made["P1"].id
        for code, more, match in (
            ("D", {"vacancies": 3, "position": made["P1"]}, "2 places"),
            ("D", {"position": made["P2"]}, "elected title"),
            ("C", {}, "has this code"),
            ("D d", {}, "without accents"),
            ("D", {"vacancies": 0}, "at least one"),
            ("D", {"level": "king"}, "no such level"),
        ):
            with pytest.raises(Refused, match=match):
                operations.add_post(draft.session, draft.competition, code=code, **{**common, **more})


# ---------------------------------------------------------------- council

RULE = read_preset("demo").council


def rule(sizes: tuple[int, ...], quotas: list[dict[str, str]], external: bool = False) -> Council:
    tree = json.loads(RULE.model_dump_json())
    return Council.model_validate_json(json.dumps({**tree, "sizes": sizes, "quotas": quotas, "chair_external": external}))


def test_a_council_as_the_regulation_wants_it_has_no_fault() -> None:
    seats = [Seat("chair"), Seat("secretary"), *[Seat("member")] * 3, Seat("substitute", votes=False)]
    assert faults(RULE, seats) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["chair", "secretary", "member", "substitute"]), st.booleans(), st.booleans()), max_size=9
    ),
    st.booleans(),
)
def test_faults_agree_with_counting_by_hand(drawn: list[tuple[str, bool, bool]], external: bool) -> None:
    asked = rule((5, 7), [{"group": "women", "share": "[0.4, 1]"}], external)
    seats = [
        Seat(seat, groups=frozenset([*(["women"] if woman else []), *(["external"] if out else [])]))  # type: ignore[arg-type]
        for seat, woman, out in drawn
    ]
    sitting = [one for one in drawn if one[0] != "substitute"]
    women = len([one for one in sitting if one[1]])
    wrong = 0
    wrong += [one[0] for one in drawn].count("chair") != 1
    wrong += [one[0] for one in drawn].count("secretary") != 1
    wrong += len(sitting) not in (5, 7)
    wrong += external and not any(one[0] == "chair" and one[2] for one in drawn)
    wrong += bool(sitting) and women * 10 < 4 * len(sitting)
    assert len(faults(asked, seats)) == wrong


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 15), st.data())
def test_votes_agree_with_the_majority_of_all_members(seats: int, data: st.DataObject) -> None:
    votes: VoteRule = read_preset("demo").vote("council")
    present = data.draw(st.integers(0, seats))
    ayes = data.draw(st.integers(0, present))
    noes = data.draw(st.integers(0, present - ayes))
    chair = data.draw(st.sampled_from([True, False, None]))
    counted = {"seats": seats, "present": present, "votes_for": ayes, "against": noes, "abstained": present - ayes - noes}
    if Fraction(present, seats) < Fraction(2, 3):
        with pytest.raises(ValueError, match="Too few"):
            outcome(votes, **counted, chair_for=chair)
    elif 2 * ayes == seats:
        if chair is None:
            with pytest.raises(ValueError, match="chair voted"):
                outcome(votes, **counted)
        else:
            assert outcome(votes, **counted, chair_for=chair) == ("adopted" if chair else "rejected")
    else:
        assert outcome(votes, **counted, chair_for=chair) == ("adopted" if 2 * ayes > seats else "rejected")


@pytest.mark.parametrize("wrong", [{"present": 6}, {"votes_for": 5}, {"abstained": 3}])
def test_numbers_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    votes = read_preset("demo").vote("council")
    right = {"seats": 5, "present": 5, "votes_for": 3, "against": 1, "abstained": 1}
    assert outcome(votes, **right) == "adopted"
    with pytest.raises(ValueError, match=r"present|add up"):
        outcome(votes, **{**right, **wrong})


def test_the_council_is_appointed_by_two_and_on_record(draft: ExamHall) -> None:
    assert preparing.council_stands(draft.session, draft.competition, draft.now) == ["No council is appointed yet."]
    steps.appoint(draft)
    assert preparing.council_stands(draft.session, draft.competition, draft.now) == []
    changed = [*steps.council(draft)[:4], Member(draft.people["Member3"], "member", votes=False)]
    steps.appoint(draft, changed)
    assert [one.revision for one in draft.competition.councils] == [1, 2]
    assert [one.votes for one in draft.competition.councils[-1].seats] == [True, True, True, True, False]
    assert_valid(draft.session, "mot")


def test_seats_need_their_roles(draft: ExamHall) -> None:
    for members, match in (
        (steps.council(draft)[:4], "4 members"),
        ([*steps.council(draft)[:4], Member(draft.people["Marker1"], "member")], "Marker1 does not hold"),
        ([*steps.council(draft)[:4], Member(draft.people["Member1"], "member")], "one seat only"),
        ([*steps.council(draft)[1:], Member(draft.people["Member1"], "chair")], "one seat only"),
    ):
        with pytest.raises(Refused, match=match):
            steps.appoint(draft, members)
    assert draft.competition.councils == []
    assert set(composition.GROUPS) == {"external", "women", "staff"}


# ---------------------------------------------------------------- calendar


def test_a_date_that_breaks_a_deadline_is_refused(draft: ExamHall) -> None:
    steps.plan(draft, applications_opened=OPENS, exam_started__written=BELL)
    with pytest.raises(Refused, match="Applications stay open for 30 days") as refusal:
        steps.plan(draft, applications_closed=OPENS + timedelta(days=20))
    assert refusal.value.field == "at_applications_closed"
    steps.plan(draft, applications_closed=OPENS + timedelta(days=31))
    with pytest.raises(Refused, match="at the latest"):
        steps.plan(draft, summons_sent=BELL - timedelta(days=3))
    with pytest.raises(Refused) as refusal:
        steps.plan(draft, applications_opened=OPENS + timedelta(days=10))
    assert refusal.value.field == "at_applications_opened", "the date that was touched, not the one it collides with"
    assert queries.date_of(draft.competition, "applications-opened") == OPENS


def test_what_happened_late_is_written_down_as_it_was(announced: ExamHall) -> None:
    announced.phase("applications")
    announced.now = BELL - timedelta(days=2)
    steps.plan(announced, summons_sent=BELL - timedelta(days=2, hours=1))
    late = next(
        one
        for one in queries.deadlines(announced.session, announced.competition, zone=ZONE, now=announced.now)
        if one.rule.id == "summons"
    )
    assert late.state == "broken"
    assert_valid(announced.session, "mot")


def test_dates_can_be_taken_back_and_history_stays(draft: ExamHall) -> None:
    steps.plan(draft, exam_started__written=BELL)
    steps.plan(draft, exam_started__written=None)
    assert queries.date_of(draft.competition, "exam-started:written") is None
    assert [record.at for record in draft.competition.dates] == [BELL, None]
    with pytest.raises(Refused, match="does not know the event"):
        steps.plan(draft, coffee_break=BELL)


def test_dates_of_the_notice_are_frozen_when_applications_open(announced: ExamHall) -> None:
    steps.plan(announced, exam_started__defence=BELL + timedelta(days=6))
    announced.phase("applications")
    with pytest.raises(Refused, match="only by a reasoned decision"):
        steps.plan(announced, exam_started__defence=BELL + timedelta(days=8))
    steps.plan(announced, room_plan_posted=BELL - timedelta(days=4))


def test_holidays_move_working_days(draft: ExamHall) -> None:
    steps.plan(draft, exam_started__written=datetime(2027, 2, 12, 1, tzinfo=UTC))

    def summons() -> object:
        found = queries.deadlines(draft.session, draft.competition, zone=ZONE, now=draft.now)
        return next(one for one in found if one.rule.id == "summons")

    assert summons().day.isoformat() == "2027-01-29", "Tet 2027: 5 and 8 to 11 February are off"
    with writing(draft.session):
        preparing.choose_holidays(draft.session, draft.competition, "")
    assert summons().day.isoformat() == "2027-02-05"
    assert summons().years_without_holidays == (2027,)
    with pytest.raises(Refused):
        preparing.choose_holidays(draft.session, draft.competition, "mars")
    table = b'title = {vi = "x", en = "x"}\n[[years]]\nyear = 2027\nholidays = [{day = 2027-02-11, label = {vi = "x", en = "x"}}]\nsource = "x"\nverified = true\n'
    with writing(draft.session):
        preparing.add_holidays(draft.session, name="own", toml=table, by=draft.office, now=draft.now)
        preparing.choose_holidays(draft.session, draft.competition, "own")
    assert summons().day.isoformat() == "2027-02-04"
    for bad in (b"", b"\xff", b"title = 3", b"x" * 600_000):
        with pytest.raises(Refused):
            preparing.add_holidays(draft.session, name="bad", toml=bad, by=draft.office, now=draft.now)


# ---------------------------------------------------------------- witnesses


def test_keys_of_witnesses_are_looked_at(draft: ExamHall) -> None:
    names = queries.regulation(draft.competition).witnesses
    assert names is not None
    good = {name: witness(name) for name in names.names}
    for bad, match in (
        ({"press": "abc"}, "not the verifier key"),
        ({"press": good["press"].replace("+", "-", 1)}, "not the verifier key"),
        ({"moon": good["press"]}, "no witness moon"),
        ({**good, "press": good["university"]}, "same key"),
    ):
        with pytest.raises(Refused, match=match):
            preparing.set_witness_keys(draft.session, draft.competition, bad)
    with writing(draft.session):
        preparing.set_witness_keys(draft.session, draft.competition, {**good, "press": " "})
    assert set(draft.competition.witness_keys) == set(names.names) - {"press"}


def test_every_preset_says_what_needs_a_person() -> None:
    assert len(clauses_to_confirm(read_preset("demo"), BELL.date())) > 100
