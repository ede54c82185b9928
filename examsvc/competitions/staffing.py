"""How many people a competition needs, when one person may hold several roles but not conflicting ones.

Each role needs a number of different people. The least head-count is the least number of sets of roles, none holding a conflict,
that together contain every role as often as it needs people: a weighted colouring of the conflict graph. It is found
exactly by branch and bound for the sizes that regulations have; where the search is cut short, bounds are returned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

SEARCH_LIMIT = 20_000


@dataclass(frozen=True)
class Staffing:
    """Least head-count of a role matrix."""

    at_least: int
    """No arrangement with fewer people exists."""
    sufficient: int
    """With so many people an arrangement exists; equal to `at_least` unless the search was cut short."""
    arrangement: tuple[tuple[str, ...], ...]
    """The roles of each person in an arrangement of `sufficient` people."""
    bottleneck: tuple[str, ...]
    """Roles that all exclude each other and together need the most people."""


def least_staff(people: Mapping[str, int], conflicts: Sequence[tuple[str, str]]) -> Staffing:
    """The least head-count for roles that each need `people` different persons. Conflicts name pairs of roles."""
    roles = [role for role, count in people.items() if count > 0]
    excluded: dict[str, set[str]] = {role: set() for role in roles}
    for first, second in conflicts:
        if first in excluded and second in excluded:
            excluded[first].add(second)
            excluded[second].add(first)
    bottleneck = _heaviest_clique(roles, people, excluded)
    bound = max([sum(people[role] for role in bottleneck), *(people[role] for role in roles)], default=0)
    holdings = _compatible_sets(roles, excluded)
    best: list[tuple[str, ...]] = []
    searched = 0

    def search(left: dict[str, int], chosen: list[tuple[str, ...]]) -> None:
        nonlocal best, searched
        searched += 1
        open_roles = [role for role in roles if left[role]]
        if not open_roles:
            if not best or len(chosen) < len(best):
                best = list(chosen)
            return
        clique = _greedy_clique(open_roles, left, excluded)
        need = max(sum(left[role] for role in clique), max(left[role] for role in open_roles))
        if best and (len(chosen) + need >= len(best) or len(best) == bound or searched > SEARCH_LIMIT):
            return
        hardest = max(
            open_roles, key=lambda role: (sum(left[r] for r in excluded[role]) + left[role], left[role])
        )
        useful = {tuple(role for role in holding if left[role]) for holding in holdings if hardest in holding}
        maximal = [s for s in useful if not any(set(s) < set(other) for other in useful)]
        for holding in sorted(maximal, key=lambda s: (-sum(left[role] for role in s), s)):
            search({role: left[role] - (role in holding) for role in roles}, [*chosen, holding])

    search({role: people[role] for role in roles}, [])
    exact = searched <= SEARCH_LIMIT or len(best) == bound
    return Staffing(len(best) if exact else bound, len(best), tuple(best), bottleneck)


def _compatible_sets(roles: Sequence[str], excluded: Mapping[str, set[str]]) -> tuple[frozenset[str], ...]:
    """All largest sets of roles that one person may hold together (Bron and Kerbosch 1973, with a pivot)."""
    compatible = {
        role: {other for other in roles if other != role and other not in excluded[role]} for role in roles
    }
    found: list[frozenset[str]] = []

    def extend(held: frozenset[str], candidates: set[str], seen: set[str]) -> None:
        if not candidates and not seen:
            found.append(held)
            return
        pivot = max(sorted(candidates | seen), key=lambda role: len(compatible[role] & candidates))
        for role in sorted(candidates - compatible[pivot]):
            extend(held | {role}, candidates & compatible[role], seen & compatible[role])
            candidates = candidates - {role}
            seen = seen | {role}

    extend(frozenset(), set(roles), set())
    return tuple(found)


def _heaviest_clique(
    roles: Sequence[str], people: Mapping[str, int], excluded: Mapping[str, set[str]]
) -> tuple[str, ...]:
    compatible = {role: set(roles) - {role} - excluded[role] for role in roles}
    cliques = _compatible_sets(roles, compatible)
    heaviest = max(cliques, key=lambda c: (sum(people[role] for role in c), sorted(c)), default=frozenset())
    return tuple(role for role in roles if role in heaviest)


def _greedy_clique(
    roles: Sequence[str], left: Mapping[str, int], excluded: Mapping[str, set[str]]
) -> list[str]:
    clique: list[str] = []
    for role in sorted(roles, key=lambda r: -left[r]):
        if all(other in excluded[role] for other in clique):
            clique.append(role)
    return clique


def is_possible(
    people: Mapping[str, int], conflicts: Sequence[tuple[str, str]], head_count: int
) -> bool | None:
    """Whether `head_count` people can fill the roles; None where the search was cut short before it could tell."""
    staffing = least_staff(people, conflicts)
    if head_count >= staffing.sufficient:
        return True
    return False if head_count < staffing.at_least else None


def breaks(
    arrangement: Sequence[Sequence[str]], conflicts: Sequence[tuple[str, str]]
) -> tuple[tuple[int, str, str], ...]:
    """The conflicts in an arrangement: position of the person and the two roles."""
    pairs = {frozenset(pair) for pair in conflicts}
    return tuple(
        (who, first, second)
        for who, held in enumerate(arrangement)
        for first, second in combinations(held, 2)
        if frozenset((first, second)) in pairs
    )
