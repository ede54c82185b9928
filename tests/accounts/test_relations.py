"""Who is whose kin: against a world in which everybody's parents and spouse are known."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.accounts.rules import KINSHIP, RELATION_NAMES, Tie, conflicts, locked, relations

MIRROR = {"parent": "child", "child": "parent", "spouse": "spouse", "sibling": "sibling"}


class World:
    """Some people, each with up to two parents among the older ones and at most one spouse."""

    def __init__(self, seed: int, size: int) -> None:
        chance = random.Random(seed)
        self.people = [f"p{n}" for n in range(size)]
        self.parents = {
            one: set(chance.sample(self.people[:place], k=min(place, chance.choice((0, 1, 2)))))
            for place, one in enumerate(self.people)
        }
        self.spouse: dict[str, str] = {}
        single = self.people[:]
        chance.shuffle(single)
        while len(single) > 1 and chance.random() < 0.7:
            one, other = single.pop(), single.pop()
            self.spouse[one], self.spouse[other] = other, one
        self.chance = chance

    def truth(self, official: str, candidate: str) -> set[str]:
        """Every sentence of the article, asked one by one."""
        if official == candidate:
            return {"self"}
        found = self._near(official, candidate)
        spouse = self.spouse.get(candidate)
        if spouse not in (None, official):
            near = self._near(official, spouse)
            found |= {f"{kind}-of-spouse" for kind in near & {"parent", "sibling"}}
        return found

    def _near(self, a: str, b: str) -> set[str]:
        found = set()
        if self.spouse.get(a) == b:
            found.add("spouse")
        if a in self.parents[b]:
            found.add("parent")
        if b in self.parents[a]:
            found.add("child")
        for someone in self.people:
            if someone in self.parents[a] and someone in self.parents[b]:
                found.add("sibling")
        return found

    def declared(self) -> list[Tie]:
        """Each marriage and each child declared once, by whichever side; some siblings said it themselves too."""
        ties = []
        for child, parents in self.parents.items():
            for parent in parents:
                tie = Tie(parent, "parent", child)
                ties.append(tie if self.chance.random() < 0.5 else Tie(child, "child", parent))
        for one, other in self.spouse.items():
            if one < other:
                ties.append(Tie(one, "spouse", other) if self.chance.random() < 0.5 else Tie(other, "spouse", one))
        self.chance.shuffle(ties)
        return ties


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.integers(2, 9))
def test_kinship_is_what_the_article_says(seed: int, size: int) -> None:
    world = World(seed, size)
    ties = world.declared()
    for official in world.people:
        for candidate in world.people:
            assert relations(official, candidate, ties) == world.truth(official, candidate), (official, candidate)


def test_kin_is_found_through_a_spouse_without_an_account() -> None:
    ties = [Tie("official", "sibling", "digest of a wife"), Tie("candidate", "spouse", "digest of a wife")]
    assert relations("official", "candidate", ties) == {"sibling-of-spouse"}
    assert relations("candidate", "official", ties) == frozenset()


def test_an_adopted_child_is_named_so_and_its_adopter_is_a_parent() -> None:
    ties = [Tie("child", "adopted-child", "adopter")]
    assert relations("child", "adopter", ties) == {"adopted-child"}
    assert relations("adopter", "child", ties) == {"parent"}


def test_dependence_is_read_from_both_sides() -> None:
    ties = [Tie("chief", "superior", "clerk"), Tie("a", "rival", "b")]
    assert relations("chief", "clerk", ties) == {"superior"}
    assert relations("clerk", "chief", ties) == {"subordinate"}
    assert relations("b", "a", ties) == {"rival"}
    assert relations("chief", "a", ties) == frozenset()


def test_every_kinship_has_a_name() -> None:
    assert set(KINSHIP) < set(RELATION_NAMES)


def test_conflicts_are_symmetric_and_a_role_does_not_exclude_itself() -> None:
    matrix = {frozenset(("a", "b")), frozenset(("b", "c"))}
    assert conflicts(["a", "c", "d"], "b", matrix) == ["a", "c"]
    assert conflicts(["b"], "b", matrix) == []
    assert conflicts(["d"], "b", matrix) == []


@pytest.mark.parametrize(("recent", "ever", "waits"), [(7, None, False), (8, None, True), (0, 49, False), (0, 50, True)])
def test_how_many_tries(recent: int, ever: int | None, waits: bool) -> None:
    assert locked(recent, ever) is waits
