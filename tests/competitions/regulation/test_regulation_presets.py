"""What the presets say, against the rules they were made from; and what lint says of them."""

import datetime
from collections import Counter
from fractions import Fraction

import pytest

from examsvc.competitions.calendar import holiday_preset, holiday_presets
from examsvc.competitions.regulation import clauses, preset_names, read_preset
from examsvc.competitions.regulation_lint import lint

TODAY = datetime.date(2026, 11, 21)

EXPECTED = {
    "demo": {"unverified-clause": 119, "no-holidays": 1, "example": 1, "draw-by-server": 4},
    "eu-open-competition": {"unverified-clause": 98, "unverified-fields": 11, "draw-by-server": 1},
    "kr-senior-assessment": {"unverified-clause": 66, "unverified-fields": 9},
    "vn-decree-115-2020": {
        "unverified-clause": 79, "unverified-fields": 16, "no-holidays": 1, "ties-personal": 3, "not-in-force": 1,
        "draw-by-server": 1,
    },
    "vn-decree-170-2025": {"unverified-clause": 74, "unverified-fields": 18, "no-holidays": 1, "draw-by-server": 1},
    "vn-decree-170-2025-interview": {"unverified-clause": 80, "unverified-fields": 19, "no-holidays": 1, "draw-by-server": 1},
    "vn-leadership": {
        "unverified-clause": 88, "unverified-fields": 22, "no-holidays": 1, "in-force-unknown": 1, "freeze-end-unknown": 1,
        "draw-by-server": 1,
    },
}  # fmt: skip


def test_lint_says_of_each_preset_what_is_expected():
    assert set(EXPECTED) == set(preset_names())
    for name, expected in EXPECTED.items():
        found = lint(read_preset(name), on=TODAY, people=20)
        assert Counter(one.code for one in found) == expected, name
        assert not [one for one in found if one.severity == "error"], name


def test_least_numbers_of_people():
    least = {"demo": 15, "vn-leadership": 18, "eu-open-competition": 12, "kr-senior-assessment": 8}
    assert len(least) == 4
    for name, number in least.items():
        regulation = read_preset(name)
        assert "too-few-people" not in {one.code for one in lint(regulation, people=number)}
        assert "too-few-people" in {one.code for one in lint(regulation, people=number - 1)}


def test_every_clause_names_a_source_and_every_label_both_languages():
    for name in preset_names():
        found = list(clauses(read_preset(name)))
        assert len(found) > 50
        paths = [path for path, _ in found]
        assert len(paths) == len(set(paths))
        for _, clause in found:
            label = getattr(clause, "label", None)
            assert label is None or label.vi != label.en
            if clause.verified:
                assert any(letter.isdigit() or letter == "." for letter in clause.source)


def test_decree_170():
    """Published pages on Decree 170/2025: 60 questions in 60 minutes, half to pass, 180 minutes without copying, 7.5/5/2.5."""
    regulation = read_preset("vn-decree-170-2025")
    first, second = regulation.parts
    assert (first.kind, first.minutes, str(first.items), first.hurdle) == ("objective", 60, "[60, 60]", True)
    assert first.results_at_once
    assert not first.appealable
    assert first.pass_mark.met(Fraction(30), first.maximum)
    assert not first.pass_mark.met(Fraction(29), first.maximum)
    assert (second.kind, second.minutes, second.maximum, second.copying_counts) == ("essay", 180, 100, False)
    assert second.pass_mark.marks(second.maximum) == 50
    assert [entry.points for entry in regulation.priority.entries] == [Fraction(15, 2), 5, Fraction(5, 2)]
    assert regulation.priority.combine == "highest"
    assert regulation.priority.unverified_fields[0] == "combine"
    assert regulation.priority.after_pass_check
    assert [step.by for step in regulation.ties.steps] == ["total-without-priority", "part-mark", "role-decides"]
    assert (regulation.transition.months, regulation.transition.verified) == (3, True)
    assert regulation.in_force.on(TODAY)
    assert not regulation.in_force.on(datetime.date(2025, 6, 30))
    rules = {rule.id: rule for rule in regulation.calendar.deadlines}
    assert [rules["file-check"].length(n) for n in (1, 499, 500, 10_000)] == [15, 15, 30, 30]
    assert (rules["summons"].offset, rules["summons"].unit) == (5, "working-days")
    assert (rules["completion"].offset, rules["applications-open"].offset, rules["publish"].offset) == (20, 30, 10)


def test_decree_170_with_an_interview():
    regulation = read_preset("vn-decree-170-2025-interview")
    interview = regulation.part("interview")
    assert (interview.minutes, interview.preparation_minutes, interview.maximum) == (30, 15, 100)
    assert interview.hurdle
    assert not interview.appealable
    assert regulation.part("written-paper").hurdle
    assert regulation.total.verified is False


@pytest.mark.parametrize(("minutes", "limit"), [(15, 5), (30, 5), (31, 5), (45, 5), (59, 5), (60, 10), (180, 10), (480, 10)])
def test_late_limits_of_circular_001_2025_cover_every_length(minutes, limit):
    regulation = read_preset("vn-decree-170-2025")
    assert regulation.late_limit(minutes) == limit
    (band,) = [band for band in regulation.late if minutes in band.duration]
    assert band.verified == (not 31 <= minutes <= 59)


def test_decree_115_is_history():
    """Project in 8 hours, defence of at most 30 minutes, 100 marks each, at least 50 each and 100 in total."""
    regulation = read_preset("vn-decree-115-2020")
    project, defence = regulation.parts
    assert (project.minutes, defence.minutes) == (480, 30)
    assert [part.maximum for part in regulation.parts] == [100, 100]
    assert [part.pass_mark.marks(part.maximum) for part in regulation.parts] == [50, 50]
    assert regulation.total.pass_mark.marks(regulation.total.maximum) == 100
    assert regulation.in_force.on(datetime.date(2023, 12, 6))
    assert not regulation.in_force.on(datetime.date(2023, 12, 7))
    assert [step.by for step in regulation.ties.steps] == [
        "women-first", "ethnic-minority-first", "older-first", "longer-service-first", "role-decides"
    ]  # fmt: skip


def test_leadership_exam():
    regulation = read_preset("vn-leadership")
    assert [stage.kind for stage in regulation.stages] == ["eligibility", "examination", "examination"]
    written, defence = regulation.parts
    assert (written.kind, written.hurdle, written.pass_mark.marks(written.maximum)) == ("essay", True, 50)
    assert not written.verified
    assert defence.kind == "defence"
    assert regulation.stage_of("plan-defence").id == "defence"
    assert regulation.admission.minimum_candidates.per_post == 2
    assert regulation.admission.minimum_candidates.verified
    assert regulation.posts.elected_titles == "excluded"
    assert regulation.priority is None
    assert not {"women-first", "older-first"} & {step.by for step in regulation.ties.steps}
    assert (regulation.publication.winners, regulation.publication.others) == ("name", "nothing")
    assert [stream.same_sector_only for stream in regulation.admission.streams] == [False, True, False]
    assert not regulation.in_force.on(TODAY)


def test_ballots_of_the_leadership_preset_keep_their_boundaries():
    regulation = read_preset("vn-leadership")
    assert regulation.vote("nomination").outcome(10, 20) == "next-ballot"
    assert regulation.vote("nomination").outcome(11, 20) == "carried"
    leadership = regulation.vote("leadership")
    assert [leadership.outcome(n, 10) for n in (4, 5, 6)] == ["rejected", "head-decides", "carried"]
    confidence = regulation.vote("confidence")
    outcomes = [confidence.outcome(n, 6) for n in (3, 4)] + [confidence.outcome(51, 100)]
    assert outcomes == ["no-consequence", "dismissal-proceedings", "leaves-planning"]
    assert regulation.vote("council").outcome(3, 6) == "chair-side-carries"


def test_european_preset_tests_before_eligibility():
    regulation = read_preset("eu-open-competition")
    assert [stage.id for stage in regulation.stages] == ["tests", "eligibility", "screener", "centre", "documents"]
    windows = {channel.id: (channel.window.length, channel.window.unit) for channel in regulation.appeals}
    assert windows["question-complaint"] == (3, "calendar-days")
    assert windows["review"] == (5, "calendar-days")
    assert windows["administrative-complaint"] == (3, "months")
    assert {part.neutralised_item for part in regulation.stage("tests").parts} == {"redistribute"}
    assert regulation.selection.winners == "reserve-list"


def test_korean_preset_has_six_competencies_four_simulations_seven_assessors():
    regulation = read_preset("kr-senior-assessment")
    (panel,) = regulation.panels
    assert (panel.members, len(panel.criteria), len(regulation.parts)) == (7, 6, 4)
    assert panel.verified
    assert regulation.council.chair_external
    assert regulation.total.pass_mark.marks(regulation.total.maximum) == Fraction(5, 2) * 6 * 4


def test_demo_is_an_invented_example_of_every_kind():
    regulation = read_preset("demo")
    assert regulation.example
    assert [part.kind for part in regulation.parts] == ["objective", "essay", "defence"]
    assert not any(clause.verified for _, clause in clauses(regulation))
    scheme, panel = regulation.marking_of(regulation.part("essay")), regulation.panel_of(regulation.part("plan-defence"))
    assert (scheme.markers, panel.members) == (2, 5)
    policy, maximum = scheme.discrepancy, regulation.part("essay").maximum

    def action(first, second):
        return policy.band(Fraction(first), Fraction(second), maximum).action

    assert action("10", "11.75") == "mean"
    assert action("10", "12") == action("13", "10") == "agree-with-record"
    assert action("10", "13.25") == "third-mark"
    steps = [((10, 10, 14), "equal-pair"), ((10, 12, 15), "mean-of-three"), ((9, 12, 15), "head-decides")]
    assert len(steps) == 3
    for marks, rule in steps:
        assert policy.step([Fraction(m) for m in marks], maximum).rule == rule
    assert sum(part.minutes for part in regulation.parts) <= 90


def test_only_the_example_is_marked_as_one():
    assert [name for name in preset_names() if read_preset(name).example] == ["demo"]


def test_holiday_tables():
    assert holiday_presets() == ("vietnam",)
    tables = holiday_preset("vietnam")
    for table in tables.years:
        assert not table.verified, "the yearly announcement was not read"
        for holiday in table.holidays:
            assert holiday.day.year == table.year
            assert holiday.day.isoweekday() < 6, "a day in a weekend would be off anyway"
