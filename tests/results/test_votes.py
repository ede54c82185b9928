"""Votes: quorum, denominators, exactly half, and the side of the chair."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.base.errors import Refused
from examsvc.competitions.board_clauses import VoteRule
from examsvc.competitions.regulation import read_preset
from examsvc.results import votes


@cache
def rule(denominator: str = "members", quorum: str = "2/3", secret: bool = False) -> VoteRule:
    own = read_preset("demo").vote("council").model_dump(mode="json")
    changed = {**own, "denominator": denominator, "quorum": quorum, "secret": secret}
    return VoteRule.model_validate_json(json.dumps(changed))


ballots = st.lists(st.sampled_from(votes.BALLOTS), min_size=1, max_size=9).map(lambda given: dict(enumerate(given)))


@settings(max_examples=300, deadline=None)
@given(ballots, st.sampled_from(("members", "summoned", "present", "issued", "valid")))
def test_a_vote_is_what_counting_by_hand_gives(given_: dict[int, votes.Ballot], denominator: str) -> None:
    yes = [member for member, ballot in given_.items() if ballot == "for"]
    no = [member for member, ballot in given_.items() if ballot == "against"]
    here = [member for member, ballot in given_.items() if ballot != "absent"]
    chair = given_[0]
    of = {"present": len(here), "issued": len(here), "valid": len(yes) + len(no)}.get(denominator, len(given_))
    try:
        found = votes.result(rule(denominator), votes.count(given_), chair)
    except Refused:
        assert 3 * len(here) < 2 * len(given_) or of == 0
        return
    assert 3 * len(here) >= 2 * len(given_)
    share = Fraction(len(yes), of)
    half = share == Fraction(1, 2)
    assert found.adopted == (share > Fraction(1, 2) or (half and chair == "for"))
    assert (found.outcome == "chair-side-carries") == half


@pytest.mark.parametrize(
    ("given_", "adopted"),
    [
        ("for for for against against against", False),  # the chair is against below
        ("for for for for against against", True),
        ("for for for abstained abstained absent", True),  # 3 of 6 members, the chair's side carries
    ],
)
def test_exactly_half_goes_with_the_chair(given_: str, adopted: bool) -> None:
    every = dict(enumerate(given_.split()))
    chair = "against" if given_.endswith("against against against") else "for"
    assert votes.result(rule(), votes.count(every), chair).adopted is adopted


def test_a_chair_without_a_side_carries_nothing() -> None:
    even = votes.Count(6, 6, 6, 3, 3, 0)
    assert votes.result(rule(), even, None).adopted is False
    assert votes.result(rule(), even, "abstained").adopted is False


def test_votes_must_fit_those_present() -> None:
    with pytest.raises(Refused, match="5 members are present, but 6"):
        votes.result(rule(), votes.Count(7, 7, 5, 4, 1, 1), "for")


def test_a_word_that_is_no_ballot_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown"):
        votes.count({1: "maybe"})
