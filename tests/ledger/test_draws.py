"""Public draws: replayed by an independent calculation, fair in frequency, constraints always kept, loads even."""

import hashlib
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from examsvc.ledger import draws
from examsvc.ledger.commitments import commit
from examsvc.ledger.draws import DrawError, Stream, replay, reserves

SEED = hashlib.sha256(b"a seed").hexdigest()


def seed_of(number):
    return hashlib.sha256(b"%d" % number).hexdigest()


def test_the_seed_by_hand():
    nonces = {"P-2": "22" * 32, "P-1": "11" * 32}
    outside = "Xổ số 20.11.2026: 84021".encode()
    nonces_text = '{"P-1":"' + "11" * 32 + '","P-2":"' + "22" * 32 + '"}'
    value = hashlib.sha256(outside).hexdigest()
    text = '{"draw":"D1","inputs":"' + "ab" * 32 + f'","nonces":{nonces_text},"outside":"{value}"}}'
    by_hand = hashlib.sha256(b"examsvc.v1/draw.seed\0" + text.encode()).hexdigest()
    assert draws.seed("D1", "ab" * 32, nonces, outside) == by_hand


def test_every_part_of_the_seed_matters():
    nonces = {"P-1": "11" * 32, "P-2": "22" * 32}
    seeds = {
        draws.seed("D1", "ab" * 32, nonces, b"1"),
        draws.seed("D2", "ab" * 32, nonces, b"1"),
        draws.seed("D1", "ac" * 32, nonces, b"1"),
        draws.seed("D1", "ab" * 32, {**nonces, "P-2": "23" * 32}, b"1"),
        draws.seed("D1", "ab" * 32, {"P-1": "22" * 32, "P-2": "11" * 32}, b"1"),
        draws.seed("D1", "ab" * 32, {"P-1": "11" * 32}, b"1"),
        draws.seed("D1", "ab" * 32, nonces, b"2"),
    }
    assert len(seeds) == 7
    for bad in ({}, {"P-1": "11"}, {"P-1": 5}):
        with pytest.raises(DrawError):
            draws.seed("D1", "ab" * 32, bad, b"1")


def test_a_reveal_opens_its_commitment():
    salt = bytes(range(32))
    value = {"draw": "D1", "person": "P-1", "nonce": "11" * 32}
    commitment = commit("draw.nonce", salt, value)
    assert draws.reveals(commitment, "D1", "P-1", "11" * 32, salt.hex())
    assert not draws.reveals(commitment, "D1", "P-1", "12" * 32, salt.hex())
    assert not draws.reveals(commitment, "D1", "P-2", "11" * 32, salt.hex())
    assert not draws.reveals(commitment, "D2", "P-1", "11" * 32, salt.hex())


def independent_numbers(seed, label=""):
    """The stream as docs/formats/log.md says, without the module."""
    counter = 0
    while True:
        block = hashlib.sha256(
            b"examsvc.v1/draw.block\0"
            + bytes.fromhex(seed)
            + label.encode()
            + b"\0"
            + counter.to_bytes(8, "big")
        ).digest()
        counter += 1
        yield int.from_bytes(block[:8], "big")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30))
def test_a_permutation_is_replayed_independently(number, count):
    items = sorted(f"C{value:03}" for value in range(count))
    drawing = replay(seed_of(number), "permutation", {"items": items})
    numbers, rest, expected = independent_numbers(seed_of(number)), list(items), []
    for place in range(count):
        bound = count - place
        value = next(value for value in numbers if value < 2**64 - 2**64 % bound)
        chosen = place + value % bound
        rest[place], rest[chosen] = rest[chosen], rest[place]
        expected.append(rest[place])
    assert drawing.result == expected
    assert sorted(drawing.result) == items
    assert [step.chose for step in drawing.steps] == expected
    assert [step.bound for step in drawing.steps] == list(range(count, 0, -1))


def test_values_beyond_the_last_multiple_are_passed_over():
    bound = 2**63 + 1  # half of all blocks are above its largest multiple
    stream = Stream(SEED)
    numbers = independent_numbers(SEED)

    class Any:
        def __getitem__(self, index):
            return str(index)

    passed = 0
    for _ in range(50):
        number = stream.below(bound, Any())
        value = next(numbers)
        while value >= bound:
            passed += 1
            value = next(numbers)
        assert number == value
    assert 20 < passed < 100
    assert stream.steps[-1].counter == 49 + passed
    for bad in (0, -1, 2**64 + 1):
        with pytest.raises(DrawError):
            stream.below(bad, Any())


def test_all_orders_of_four_are_equally_likely():
    """24 cells, 6,000 draws with fixed seeds: chi-square with 23 degrees of freedom, 99.9 % point 49.73."""
    counts = Counter(
        tuple(replay(seed_of(n), "permutation", {"items": list("ABCD")}).result) for n in range(6000)
    )
    assert set(counts) == set(permutations("ABCD"))
    chi_square = sum((count - 250) ** 2 / 250 for count in counts.values())
    assert chi_square < 49.73


def test_selection_and_assignment_follow_the_permutation():
    items = [f"S{n:02}" for n in range(20)]
    whole = replay(SEED, "permutation", {"items": items}).result
    assert replay(SEED, "selection", {"items": items, "count": 7}).result == whole[:7]
    assert replay(SEED, "selection", {"items": items, "count": 0}).result == []
    people = ["A", "B", "C"]
    assert replay(SEED, "assignment", {"items": people, "places": items}).result == [
        ["A", whole[0]],
        ["B", whole[1]],
        ["C", whole[2]],
    ]


def allocation(scripts, markers, groups, rounds=2, excluded=()):
    return {
        "scripts": [f"S{n:03}" for n in range(scripts)],
        "markers": [{"marker": f"M{n:02}", "group": f"G{n % groups}"} for n in range(markers)],
        "rounds": rounds,
        "excluded": sorted([s, m] for s, m in excluded),
    }


def loads_of(parameters, rows):
    counts = Counter({row["marker"]: 0 for row in parameters["markers"]})
    counts.update(row["marker"] for row in rows)
    return counts


def check_constraints(parameters, rows):
    group = {row["marker"]: row["group"] for row in parameters["markers"]}
    excluded = {tuple(pair) for pair in parameters["excluded"]}
    by_script = {}
    for row in rows:
        assert (row["script"], row["marker"]) not in excluded
        by_script.setdefault(row["script"], []).append(row)
    assert sorted(by_script) == parameters["scripts"]
    for chosen in by_script.values():
        assert [row["round"] for row in chosen] == list(range(1, parameters["rounds"] + 1))
        assert len({group[row["marker"]] for row in chosen}) == parameters["rounds"]


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 25),
    st.integers(2, 8),
    st.integers(2, 4),
    st.sets(st.tuples(st.integers(0, 24), st.integers(0, 7)), max_size=25),
)
def test_allocations_keep_their_constraints_and_cannot_be_evened_out_further(
    number, scripts, markers, groups, pairs
):
    groups = min(groups, markers)
    excluded = [(f"S{s:03}", f"M{m:02}") for s, m in pairs if s < scripts and m < markers]
    parameters = allocation(scripts, markers, groups, 2, excluded)
    try:
        drawing = replay(seed_of(number), "allocation", parameters)
    except DrawError as error:
        script = str(error).rpartition(" ")[2]
        allowed = [
            row for row in parameters["markers"] if [script, row["marker"]] not in parameters["excluded"]
        ]
        assert len({row["group"] for row in allowed}) < 2, "refused although two groups were free"
        return
    check_constraints(parameters, drawing.result)
    assert drawing == replay(seed_of(number), "allocation", parameters)
    # no single transfer evens the loads out further
    loads = loads_of(parameters, drawing.result)
    group = {row["marker"]: row["group"] for row in parameters["markers"]}
    for row in drawing.result:
        other = next(o for o in drawing.result if o["script"] == row["script"] and o["round"] != row["round"])
        for taker in group:
            if [row["script"], taker] in parameters["excluded"] or group[taker] == group[other["marker"]]:
                continue
            if taker != row["marker"]:
                assert loads[taker] > loads[row["marker"]] - 2


@pytest.mark.parametrize(
    ("scripts", "markers", "groups"), [(12, 4, 2), (12, 4, 4), (100, 7, 7), (30, 5, 5), (7, 3, 3), (40, 6, 2)]
)
def test_loads_are_even_where_nothing_is_in_the_way(scripts, markers, groups):
    for number in range(20):
        parameters = allocation(scripts, markers, groups)
        loads = loads_of(parameters, replay(seed_of(number), "allocation", parameters).result)
        assert max(loads.values()) - min(loads.values()) <= 1


def test_transfers_even_out_what_chance_and_recusals_left_uneven():
    # M00 may mark only S000 … S003; a greedy pass leaves some of these to others
    excluded = [(f"S{s:03}", "M00") for s in range(4, 8)]
    seen = 0
    for number in range(60):
        parameters = allocation(8, 4, 4, 2, excluded)
        drawing = replay(seed_of(number), "allocation", parameters)
        loads = loads_of(parameters, drawing.result)
        assert sorted(loads.values()) == [4, 4, 4, 4]
        seen += bool(drawing.transfers)
    assert seen > 0


def test_every_marker_is_equally_likely_for_a_script():
    """Pairs of 4 markers for one script: 6 cells, 3,000 fixed seeds; chi-square, 5 degrees of freedom, 99.9 % point 20.52."""
    counts = Counter()
    for number in range(3000):
        rows = replay(seed_of(number), "allocation", allocation(1, 4, 4)).result
        counts[frozenset(row["marker"] for row in rows)] += 1
    assert len(counts) == 6
    assert sum((count - 500) ** 2 / 500 for count in counts.values()) < 20.52


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sets(st.integers(0, 7), max_size=3), st.integers(0, 7))
def test_reserves_are_admissible_and_independent_of_who_dropped_out(number, excluded, stays):
    markers = {f"M{n:02}": f"G{n % 4}" for n in range(8)}
    out = {f"M{n:02}" for n in excluded}
    stay = f"M{stays:02}"
    assume(stay not in out)
    order = reserves(seed_of(number), "S001", markers, [stay], out)
    assert all(marker not in out and markers[marker] != markers[stay] for marker in order)
    whole = reserves(seed_of(number), "S001", markers, [], [])
    assert sorted(whole) == sorted(markers)
    assert [marker for marker in whole if marker in order] == order
    assert Stream(seed_of(number), "reserve/S001").permutation(sorted(markers)) == whole


@pytest.mark.parametrize(
    ("task", "parameters"),
    [
        ("shuffle", {"items": ["A"]}),
        ("permutation", {"items": ["B", "A"]}),
        ("permutation", {"items": ["A", "A"]}),
        ("permutation", {"items": ["A B"]}),
        ("permutation", {"items": "AB"}),
        ("permutation", {"items": ["A"], "count": 1}),
        ("permutation", None),
        ("selection", {"items": ["A"], "count": 2}),
        ("selection", {"items": ["A"], "count": -1}),
        ("selection", {"items": ["A"], "count": True}),
        ("assignment", {"items": ["A", "B"], "places": ["1"]}),
        ("allocation", {"scripts": ["S"], "markers": [], "rounds": 2}),
        ("allocation", allocation(2, 3, 1)),
        ("allocation", allocation(2, 3, 3, 4)),
        ("allocation", allocation(2, 3, 3, 0)),
        ("allocation", allocation(2, 3, 3, True)),
        ("allocation", allocation(2, 2, 2, 2, [("S000", "M00")])),
        ("allocation", allocation(2, 3, 3, 2, [("S009", "M00")])),
        ("allocation", {**allocation(2, 3, 3), "excluded": [["S001", "M00"], ["S000", "M00"]]}),
        ("allocation", {**allocation(2, 3, 3), "markers": [{"marker": "M", "group": "G"}] * 2}),
        ("allocation", {**allocation(2, 3, 3), "markers": [["M", "G"]]}),
        ("allocation", {**allocation(2, 3, 3), "markers": [{"marker": "M", "group": "G", "load": 1}]}),
    ],
)
def test_inputs_that_cannot_be_drawn_from_are_refused(task, parameters):
    with pytest.raises(DrawError):
        replay(SEED, task, parameters)
