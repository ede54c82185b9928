"""The small calculations that clauses offer to other rooms."""

from fractions import Fraction

import pytest

from examsvc.competitions.exam_clauses import PassMark
from examsvc.competitions.marking_clauses import Discrepancy, DiscrepancyBand, ThreeMarkStep
from examsvc.competitions.regulation import read_preset
from examsvc.competitions.result_clauses import Rounding, RoundingPoint
from examsvc.competitions.terms import Interval

ORIGIN = {"source": "Invented for a test", "verified": False}


@pytest.mark.parametrize(
    ("at", "of", "boundary", "mark", "met"),
    [
        ("1/3", "maximum", "at-least", "10", True),
        ("1/3", "maximum", "at-least", "9.99", False),
        ("1/3", "maximum", "more-than", "10", False),
        ("1/3", "maximum", "more-than", "10.01", True),
        ("12", "marks", "at-least", "12", True),
        ("12", "marks", "at-least", "11.75", False),
        ("12", "marks", "more-than", "12", False),
        ("0", "marks", "at-least", "0", True),
    ],
)
def test_pass_marks_are_exact_at_their_boundary(at, of, boundary, mark, met):
    assert PassMark(at=at, of=of, boundary=boundary).met(Fraction(mark), Fraction(30)) is met


def test_rounding_happens_only_where_it_is_named():
    rounding = Rounding(
        points=(
            RoundingPoint(at="agreed-mark", decimals=2, mode="half-up"),
            RoundingPoint(at="total", decimals=0, mode="half-even"),
        ),
        **ORIGIN,
    )
    mean = (Fraction("25.25") + Fraction("25.50") + Fraction("25.26")) / 3
    assert rounding.apply("agreed-mark", mean) == Fraction("25.34")
    assert rounding.apply("agreed-mark", Fraction("25.335")) == Fraction("25.34")
    assert rounding.apply("total", Fraction("82.5")) == 82
    assert rounding.apply("part-mark", mean) == mean


def discrepancy(unit):
    def interval(text):
        return Interval.read(text)

    return Discrepancy(
        unit=unit,
        bands=(
            DiscrepancyBand(difference=interval("[0, 0.1]"), action="mean"),
            DiscrepancyBand(difference=interval("(0.1, 0.5]"), action="agree", failing="third-mark"),
        ),
        three_marks=(ThreeMarkStep(rule="mean-of-three", spread=interval("[0, 0.3]")),),
        head="chief-examiner",
        **ORIGIN,
    )


def test_discrepancies_in_shares_and_in_marks():
    shares, marks = discrepancy("share"), discrepancy("marks")
    assert shares.band(Fraction(50), Fraction(60), Fraction(100)).action == "mean"
    assert shares.band(Fraction(60), Fraction("49.99"), Fraction(100)).action == "agree"
    assert marks.band(Fraction(5), Fraction("5.1"), Fraction(100)).action == "mean"
    with pytest.raises(LookupError, match="difference of 1"):
        marks.band(Fraction(5), Fraction(6), Fraction(100))
    assert shares.step([Fraction(50), Fraction(60), Fraction(80)], Fraction(100)).rule == "mean-of-three"
    with pytest.raises(LookupError, match="three marks"):
        shares.step([Fraction(50), Fraction(60), Fraction(81)], Fraction(100))


def test_lookups_by_name_and_what_is_missing():
    regulation = read_preset("demo")
    assert regulation.stage("written").parts[1] == regulation.part("essay")
    assert regulation.file("action-plan").purpose == "action-plan"
    assert regulation.role("marker").people == 3
    assert regulation.sanction("cancellation").annuls
    assert regulation.approval("open-paper").people == 2
    assert regulation.approval("admit-late-candidate") is None
    assert regulation.intervention("annul").decided_by == "competent-authority"
    assert regulation.conflicts.conflict("marker", "question-setter")
    assert not regulation.conflicts.conflict("marker", "marker")
    assert not regulation.conflicts.conflict("marker", "panel-member")
    assert regulation.conflicts.conflict("hr-officer", "supervisor")
    lookups = [regulation.part, regulation.stage, regulation.stage_of, regulation.file, regulation.role,
               regulation.vote, regulation.channel, regulation.sanction]  # fmt: skip
    assert len(lookups) == 8
    for lookup in lookups:
        with pytest.raises(KeyError):
            lookup("none-such")
    one_band = regulation.model_copy(update={"late": regulation.late[:1]})
    with pytest.raises(LookupError, match="45 minutes"):
        one_band.late_limit(45)
