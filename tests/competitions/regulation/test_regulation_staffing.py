import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.competitions import staffing
from examsvc.competitions.staffing import breaks, is_possible, least_staff

ROLES = ["a", "b", "c", "d", "e"]


def slow_least(people, conflicts):
    """Least head-count by giving sets of roles to one person after another, all ways, shortest first."""
    pairs = {frozenset(pair) for pair in conflicts}
    allowed = [
        set(held)
        for size in range(1, len(people) + 1)
        for held in itertools.combinations(people, size)
        if not any(frozenset(pair) in pairs for pair in itertools.combinations(held, 2))
    ]
    states, number = {tuple(people.values())}, 0
    while not any(all(left <= 0 for left in state) for state in states):
        states = {
            tuple(max(0, left - (role in held)) for role, left in zip(people, state, strict=True))
            for state in states
            for held in allowed
        }
        number += 1
    return number


matrices = st.tuples(
    st.fixed_dictionaries({role: st.integers(0, 3) for role in ROLES}),
    st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(ROLES)).filter(lambda p: p[0] != p[1]), max_size=8),
)


@settings(max_examples=150, deadline=None)
@given(matrices)
def test_the_least_number_agrees_with_trying_all_ways(matrix):
    people, conflicts = matrix
    found = least_staff(people, conflicts)
    assert found.at_least == found.sufficient == slow_least(people, conflicts)
    assert breaks(found.arrangement, conflicts) == ()
    assert len(found.arrangement) == found.sufficient
    for role, needed in people.items():
        assert sum(role in held for held in found.arrangement) >= needed
    for first, second in itertools.combinations(found.bottleneck, 2):
        assert (first, second) in conflicts or (second, first) in conflicts


def test_five_roles_in_a_ring_need_three_people_although_no_three_exclude_each_other():
    ring = [(ROLES[i], ROLES[(i + 1) % 5]) for i in range(5)]
    found = least_staff(dict.fromkeys(ROLES, 1), ring)
    assert (found.at_least, len(found.bottleneck)) == (3, 2)
    assert least_staff(dict.fromkeys(ROLES, 2), ring).at_least == 5, "two rounds of a ring share people: 5, not 6"
    assert (is_possible(dict.fromkeys(ROLES, 1), ring, 2), is_possible(dict.fromkeys(ROLES, 1), ring, 3)) == (False, True)


def test_a_search_cut_short_gives_bounds(monkeypatch):
    monkeypatch.setattr(staffing, "SEARCH_LIMIT", -1)
    ring = [(ROLES[i], ROLES[(i + 1) % 5]) for i in range(5)]
    found = least_staff(dict.fromkeys(ROLES, 1), ring)
    assert (found.at_least, found.sufficient) == (2, 3)
    assert is_possible(dict.fromkeys(ROLES, 1), ring, 2) is None
    assert breaks(found.arrangement, ring) == ()


def test_nobody_is_needed_for_nothing():
    assert least_staff({}, []).sufficient == 0
    assert least_staff({"a": 0}, []).arrangement == ()
    assert least_staff({"a": 4}, []).sufficient == 4


def test_breaks_names_person_and_roles():
    assert breaks([("a", "b"), ("b", "c")], [("c", "b")]) == ((1, "b", "c"),)


def test_matrices_made_to_be_hard_are_answered_with_bounds():
    """Twenty groups of three that exclude each other inside: 3 to the power of 20 largest sets."""
    roles = [f"g{group}-{one}" for group in range(20) for one in range(3)]
    conflicts = [(f"g{group}-{a}", f"g{group}-{b}") for group in range(20) for a, b in ((0, 1), (0, 2), (1, 2))]
    found = least_staff(dict.fromkeys(roles, 1), conflicts)
    assert found.at_least == 3
    assert breaks(found.arrangement, conflicts) == ()
    assert {role for held in found.arrangement for role in held} == set(roles)
    mirrored = [pair for pair in itertools.combinations(roles, 2) if pair not in set(conflicts)]
    found = least_staff(dict.fromkeys(roles, 1), mirrored)
    assert found.at_least == found.sufficient == 20, "one person may hold the three roles of one group and no others"


def test_large_numbers_do_not_exhaust_the_search():
    ring = [(ROLES[i], ROLES[(i + 1) % 5]) for i in range(5)]
    found = least_staff(dict.fromkeys(ROLES, 1000), ring)
    assert found.at_least == 2000
    assert 2500 <= found.sufficient <= 3000
    assert breaks(found.arrangement, ring) == ()
