"""A vote of the council: quorum, denominator, and what the regulation makes of the count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from examsvc.base.errors import N_, Refused
from examsvc.competitions.board_clauses import VoteRule
from examsvc.competitions.terms import write_exact

Ballot = Literal["for", "against", "abstained", "absent"]
BALLOTS: tuple[Ballot, ...] = ("for", "against", "abstained", "absent")
ADOPTED = ("carried", "adopted")
CHAIR_SIDE = "chair-side-carries"


@dataclass(frozen=True)
class Count:
    """Members with a vote, those summoned and present among them, and the votes of those present.

    ``issued`` ballots may be fewer than those present, ``valid`` ones fewer than those issued: a member who stays without
    voting abstains.
    """

    members: int
    summoned: int
    present: int
    votes_for: int
    votes_against: int
    abstained: int

    @property
    def valid(self) -> int:
        """Votes that say yes or no."""
        return self.votes_for + self.votes_against


@dataclass(frozen=True)
class Result:
    """``outcome`` is the regulation's word for the share reached, ``adopted`` what follows; ``of`` the denominator."""

    count: Count
    of: int
    outcome: str
    adopted: bool


def count(ballots: Mapping[int, str]) -> Count:
    """The count of open ballots by member; everybody with a vote stands in it and was summoned."""
    unknown = set(ballots.values()) - set(BALLOTS)
    if unknown:
        raise ValueError(f"unknown ballots: {sorted(unknown)}")
    given = list(ballots.values())
    return Count(
        members=len(given),
        summoned=len(given),
        present=sum(1 for one in given if one != "absent"),
        votes_for=given.count("for"),
        votes_against=given.count("against"),
        abstained=given.count("abstained"),
    )


def result(rule: VoteRule, counted: Count, chair: str | None) -> Result:
    """What the regulation makes of a vote on one proposal.

    ``chair`` is the side of whoever presides, "for" or "against": it decides where the regulation says so, and where the chair took
    no side nothing is adopted.  Refused without a quorum, and where the votes do not fit those present.
    """
    if counted.votes_for + counted.votes_against + counted.abstained != counted.present:
        raise Refused(
            N_("%(present)d members are present, but %(votes)d votes and abstentions are entered."),
            present=counted.present,
            votes=counted.votes_for + counted.votes_against + counted.abstained,
        )
    base = counted.summoned if rule.quorum_of == "summoned" else counted.members
    if not base or Fraction(counted.present, base) < rule.quorum:
        raise Refused(
            N_("There is no quorum: %(present)d of %(base)d are present, the regulation asks for a share of %(share)s."),
            present=counted.present,
            base=base,
            share=write_exact(rule.quorum),
        )
    of = {
        "summoned": counted.summoned,
        "members": counted.members,
        "present": counted.present,
        "issued": counted.present,
        "valid": counted.valid,
    }[rule.denominator]
    if not of:
        raise Refused(N_("Nobody voted for or against, so there is nothing to count."))
    outcome = rule.outcome(counted.votes_for, of)
    adopted = outcome in ADOPTED or (outcome == CHAIR_SIDE and chair == "for")
    return Result(counted, of, outcome, adopted)
