"""How many people a competition needs, when one person may hold several roles but not conflicting ones.

Each role needs a number of different people. The least head-count is the least number of sets of roles, none holding a conflict,
that together contain every role as often as it needs people: a weighted colouring of the conflict graph. It is found
exactly by branch and bound for the sizes that regulations have; where the search is cut short, bounds are returned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

SEARCH_LIMIT = 20_000
"""Steps of the exact search before it gives up and returns bounds."""
SETS_LIMIT = 500
"""Sets of compatible roles that are considered; ordinary matrices have fewer than a hundred."""
DEMAND_LIMIT = 200
"""Largest sum of people over the roles for which the exact search is tried."""


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
    compatible = {role: set(roles) - {role} - excluded[role] for role in roles}
    bottleneck = _heaviest_clique(roles, people, compatible)
    bound = max([sum(people[role] for role in bottleneck), *(people[role] for role in roles)], default=0)
    holdings, complete = _largest_sets(roles, compatible)
    best = _greedy(roles, people, holdings)
    searched = 0

    def search(left: dict[str, int], chosen: list[tuple[str, ...]]) -> None:
        nonlocal best, searched
        open_roles = [role for role in roles if left[role]]
        if not open_roles:
            if len(chosen) < len(best):
                best = list(chosen)
            return
        clique = _greedy_clique(open_roles, left, excluded)
        need = max(sum(left[role] for role in clique), max(left[role] for role in open_roles))
        if len(chosen) + need >= len(best) or len(best) == bound or searched > SEARCH_LIMIT:
            return
        hardest = max(
            open_roles, key=lambda role: (sum(left[r] for r in excluded[role]) + left[role], left[role])
        )
        useful = {tuple(role for role in holding if left[role]) for holding in holdings if hardest in holding}
        searched += len(useful)
        maximal = [s for s in useful if not any(set(s) < set(other) for other in useful)]
        for holding in sorted(maximal, key=lambda s: (-sum(left[role] for role in s), s)):
            search({role: left[role] - (role in holding) for role in roles}, [*chosen, holding])

    small = sum(people[role] for role in roles) <= DEMAND_LIMIT
    if small:
        search({role: people[role] for role in roles}, [])
    exact = len(best) == bound or (small and complete and searched <= SEARCH_LIMIT)
    return Staffing(len(best) if exact else bound, len(best), tuple(best), bottleneck)


def _greedy(
    roles: Sequence[str], people: Mapping[str, int], holdings: Sequence[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """An arrangement that need not be the smallest: always the set that serves the most open needs."""
    left = {role: people[role] for role in roles}
    chosen: list[tuple[str, ...]] = []

    def served(holding: tuple[str, ...]) -> tuple[int, int]:
        return sum(left[role] > 0 for role in holding), sum(left[role] for role in holding)

    while any(left.values()):
        holding = tuple(role for role in max(holdings, key=served) if left[role])
        times = min(left[role] for role in holding)
        chosen += [holding] * times
        left = {role: left[role] - times * (role in holding) for role in roles}
    return chosen


def _largest_sets(
    roles: Sequence[str], compatible: Mapping[str, set[str]]
) -> tuple[tuple[tuple[str, ...], ...], bool]:
    """All largest sets of roles that one person may hold together (Bron and Kerbosch 1973, with a pivot).

    At most SETS_LIMIT of them, and then each role alone so that none is missed; the flag says whether they are all.
    """
    found: list[frozenset[str]] = []

    def extend(held: frozenset[str], candidates: set[str], seen: set[str]) -> None:
        if len(found) > SETS_LIMIT:
            return
        if not candidates and not seen:
            found.append(held)
            return
        pivot = max(sorted(candidates | seen), key=lambda role: len(compatible[role] & candidates))
        for role in sorted(candidates - compatible[pivot]):
            extend(held | {role}, candidates & compatible[role], seen & compatible[role])
            candidates = candidates - {role}
            seen = seen | {role}

    if roles:
        extend(frozenset(), set(roles), set())
    complete = len(found) <= SETS_LIMIT
    sets = [*found, *(() if complete else (frozenset({role}) for role in roles))]
    return tuple(tuple(role for role in roles if role in held) for held in sets), complete


def _heaviest_clique(
    roles: Sequence[str], people: Mapping[str, int], compatible: Mapping[str, set[str]]
) -> tuple[str, ...]:
    """Roles that all exclude each other and together need the most people, among the sets that were looked at."""
    excluding = {role: set(roles) - {role} - compatible[role] for role in roles}
    cliques, _ = _largest_sets(roles, excluding)
    return max(cliques, key=lambda clique: sum(people[role] for role in clique), default=())


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
