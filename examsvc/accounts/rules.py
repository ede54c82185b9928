"""Decisions about people: how many tries, which passwords, which roles together, who is whose kin."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from examsvc.base.errors import N_

TRY_WINDOW = timedelta(minutes=15)
MOST_TRIES = 8
MOST_TRIES_IN_ALL = 50
"""Failed second steps without a success in between, after which only an administrator unlocks the account."""
SHORTEST_PASSWORD = 12
FRESH = timedelta(minutes=15)
"""How long after signing in the means of signing in may be changed."""
SECOND_STEP_LASTS = timedelta(minutes=10)
LINK_LASTS = timedelta(hours=72)
RECOVERY_LASTS = timedelta(hours=24)
PRINTED_CODES = 10

ROLE_NAMES = {
    "competent-authority": N_("Competent authority"),
    "council-chair": N_("Chair of the council"),
    "council-secretary": N_("Secretary of the council"),
    "council-member": N_("Member of the council"),
    "hr-officer": N_("Personnel officer"),
    "question-setter": N_("Question setter"),
    "paper-approver": N_("Paper approver"),
    "custodian": N_("Custodian of the paper"),
    "chief-invigilator": N_("Chief invigilator"),
    "invigilator": N_("Invigilator"),
    "code-custodian": N_("Custodian of the codes"),
    "chief-examiner": N_("Chief examiner"),
    "marker": N_("Marker"),
    "re-marker": N_("Re-marker"),
    "panel-chair": N_("Chair of the panel"),
    "panel-member": N_("Member of the panel"),
    "supervisor": N_("Supervisor"),
    "observer": N_("Observer"),
    "system-administrator": N_("System administrator"),
}
"""Roles to which the software gives a meaning; a regulation says which of them a competition has and how many people."""

INSTALLATION_ROLES = ("system-administrator", "hr-officer")
"""Roles that may be held for the whole installation; one person never holds both."""

RELATION_NAMES = {
    "self": N_("the same person"),
    "spouse": N_("spouse"),
    "parent": N_("father or mother"),
    "child": N_("child"),
    "adopted-child": N_("adopted child"),
    "sibling": N_("brother or sister"),
    "parent-of-spouse": N_("father or mother of the spouse"),
    "sibling-of-spouse": N_("brother or sister of the spouse"),
    "superior": N_("superior"),
    "subordinate": N_("subordinate"),
    "rival": N_("rival"),
    "mentor": N_("mentor"),
    "business-partner": N_("business partner"),
    "other-close-tie": N_("another close tie"),
}
KINSHIP = (
    "spouse",
    "parent",
    "child",
    "adopted-child",
    "sibling",
    "parent-of-spouse",
    "sibling-of-spouse",
)


def locked(recent: int, since_success: int | None = None) -> bool:
    """Whether a subject must wait: too many tries within the window, or in all since the last success.

    Addresses never lock: a hall's candidates share one.
    """
    return recent >= MOST_TRIES or (since_success is not None and since_success >= MOST_TRIES_IN_ALL)


def conflicts(held: Iterable[str], asked: str, matrix: Collection[frozenset[str]]) -> list[str]:
    """Roles already held that the matrix of conflicting pairs does not allow together with the asked one, sorted."""
    return sorted({role for role in held if role != asked and frozenset((role, asked)) in matrix})


@dataclass(frozen=True)
class Tie:
    """One declared relation: ``person`` is ``kind`` to ``other``.  People are named by any string that is theirs alone."""

    person: str
    kind: str
    other: str


def relations(official: str, candidate: str, ties: Collection[Tie]) -> frozenset[str]:
    """Everything that the official is to the candidate, declared by either side or following from what both declared.

    Kinship follows as Circular 6/2020/TT-BNV, Article 1, counts it: a child of one's child is nothing here, but two
    children of one parent are siblings, and parents and siblings of a spouse are found through the spouse, even where
    the spouse has no account.  The other ties (superior, rival ...) hold only as declared, with superior and
    subordinate read from both sides.  "self" where the two are one person.
    """
    if official == candidate:
        return frozenset({"self"})
    family = _Family(ties)
    found = {tie.kind for tie in ties if (tie.person, tie.other) == (official, candidate)}
    found |= {_MIRRORED[tie.kind] for tie in ties if (tie.person, tie.other) == (candidate, official) and tie.kind in _MIRRORED}
    found |= family.kin(official, candidate)
    for spouse in family.spouses(candidate) - {official}:
        near = family.kin(official, spouse)
        found |= {f"{kind}-of-spouse" for kind in ("parent", "sibling") if kind in near}
    return frozenset(found)


_MIRRORED = {
    "superior": "subordinate",
    "subordinate": "superior",
    "rival": "rival",
    "business-partner": "business-partner",
    "other-close-tie": "other-close-tie",
    "mentor": "other-close-tie",
}


class _Family:
    """Marriages, parents and siblings, whoever declared them."""

    def __init__(self, ties: Collection[Tie]) -> None:
        self.married: set[frozenset[str]] = set()
        self.brothers: set[frozenset[str]] = set()
        self.parents: dict[str, set[str]] = {}
        self.adopted: set[tuple[str, str]] = set()
        for tie in ties:
            pair = frozenset((tie.person, tie.other))
            match tie.kind:
                case "spouse":
                    self.married.add(pair)
                case "sibling":
                    self.brothers.add(pair)
                case "parent":
                    self.parents.setdefault(tie.other, set()).add(tie.person)
                case "child" | "adopted-child":
                    self.parents.setdefault(tie.person, set()).add(tie.other)
                    if tie.kind == "adopted-child":
                        self.adopted.add((tie.person, tie.other))

    def spouses(self, person: str) -> set[str]:
        return {one for pair in self.married if person in pair for one in pair if one != person}

    def kin(self, person: str, other: str) -> set[str]:
        """What the person is to the other by blood, adoption or marriage, one step away."""
        pair = frozenset((person, other))
        found = set()
        if pair in self.married:
            found.add("spouse")
        if pair in self.brothers or self.parents.get(person, set()) & self.parents.get(other, set()):
            found.add("sibling")
        if person in self.parents.get(other, set()):
            found.add("parent")
        if other in self.parents.get(person, set()):
            found.add("adopted-child" if (person, other) in self.adopted else "child")
        return found
