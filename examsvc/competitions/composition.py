"""Whether a council is composed as the regulation asks: one chair, one secretary, an allowed size, the groups' shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from examsvc.base.errors import N_
from examsvc.competitions.board_clauses import Council, VoteRule

SeatName = Literal["chair", "secretary", "member", "substitute"]
SEATS: dict[str, str] = {
    "chair": N_("Chair"),
    "secretary": N_("Secretary"),
    "member": N_("Member"),
    "substitute": N_("Substitute"),
}
GROUPS: dict[str, str] = {
    "external": N_("from outside the agency"),
    "women": N_("women"),
    "staff": N_("representative of the staff"),
}


@dataclass(frozen=True)
class Seat:
    """One seat: what it is, whether it votes, the groups of the quotas that its holder counts for."""

    seat: SeatName
    votes: bool = True
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fault:
    """Something that keeps a council from being appointed; a sentence with its parameters."""

    sentence: str
    params: dict[str, object] = field(default_factory=dict)


def faults(rule: Council, seats: Sequence[Seat]) -> list[Fault]:
    """Everything wrong with a composition.  Substitutes count neither for the size nor for the shares."""
    found: list[Fault] = []
    members = [one for one in seats if one.seat != "substitute"]
    for seat in ("chair", "secretary"):
        number = sum(one.seat == seat for one in seats)
        if number != 1:
            found.append(
                Fault(N_("A council has exactly one %(seat)s; here are %(number)d."), {"seat": SEATS[seat], "number": number})
            )
    if len(members) not in rule.sizes:
        sizes = ", ".join(str(size) for size in sorted(rule.sizes))
        found.append(
            Fault(
                N_("The council has %(number)d members; the regulation allows %(sizes)s."),
                {"number": len(members), "sizes": sizes},
            )
        )
    if rule.chair_external and not any(one.seat == "chair" and "external" in one.groups for one in seats):
        found.append(Fault(N_("The chair must come from outside the agency.")))
    for quota in rule.quotas:
        number = sum(quota.group in one.groups for one in members)
        if members and Fraction(number, len(members)) not in quota.share:
            found.append(
                Fault(
                    N_("The share of members %(group)s is %(number)d of %(of)d; the regulation asks for %(share)s."),
                    {"group": GROUPS[quota.group], "number": number, "of": len(members), "share": str(quota.share)},
                )
            )
    return found


def outcome(
    rule: VoteRule, *, seats: int, present: int, votes_for: int, against: int, abstained: int, chair_for: bool | None = None
) -> str:
    """"adopted" or "rejected" for a vote of the council; ValueError says which number cannot be.

    ``chair_for`` is the chair's own vote; it decides where the regulation lets the chair's side carry.  LookupError where the
    regulation gives a share an outcome that is neither.
    """
    if not 0 <= present <= seats:
        raise ValueError(N_("More members are present than the council has."))
    if votes_for + against + abstained != present:
        raise ValueError(N_("Votes for, against and abstentions must add up to those present."))
    if Fraction(present, max(seats, 1)) < rule.quorum:
        raise ValueError(N_("Too few members are present for a vote. Meet again with the quorum of the regulation."))
    denominator = {
        "summoned": seats,
        "members": seats,
        "present": present,
        "issued": present,
        "valid": votes_for + against,
    }[rule.denominator]
    if denominator == 0:
        return "rejected"
    found = rule.outcome(votes_for, denominator)
    if found == "chair-side-carries":
        if chair_for is None:
            raise ValueError(N_("The votes are equal: say how the chair voted, whose side carries."))
        return "adopted" if chair_for else "rejected"
    known = {"carried": "adopted", "adopted": "adopted", "rejected": "rejected"}
    if found not in known:
        raise LookupError(f"the outcome {found} of the vote {rule.id} is neither for nor against")
    return known[found]
