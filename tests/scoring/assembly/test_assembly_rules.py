"""Small pools whose best forms can be found by trying all of them, and blueprints that cannot be met."""

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.assembly import (
    Between,
    Blueprint,
    Constraint,
    ContradictoryBlueprint,
    Lot,
    Maximin,
    Maximise,
    Pool,
    StimulusRule,
    Target,
    assemble,
    solving,
)
from scoring.errors import BadParameters


def small_pool(seed: int, n: int = 10, **more) -> Pool:
    rng = np.random.default_rng(seed)
    return Pool.of(
        [f"i{j}" for j in range(n)],
        {
            "topic": rng.choice(["law", "management"], n).tolist(),
            "minutes": rng.integers(1, 5, n),
            "b": rng.normal(size=n).round(2),
        },
        theta=(-1.0, 1.0),
        information=rng.uniform(0.1, 1.0, (n, 2)),
        **more,
    )


def every_form(pool: Pool, blueprint: Blueprint):
    """All subsets that meet the blueprint, checked in plain Python."""
    low, high = blueprint.length
    for size in range(int(low), int(min(high, len(pool))) + 1):
        for chosen in itertools.combinations(range(len(pool)), size):
            if all(meets(pool, constraint, chosen) for constraint in blueprint.constraints) and not any(
                sum(pool.ids[i] in group for i in chosen) > 1 for group in blueprint.enemies
            ):
                yield chosen


def meets(pool: Pool, constraint: Constraint, chosen) -> bool:
    matching = [
        i
        for i in chosen
        if all(pool.attributes[column][i] == value for column, value in constraint.where.items())
    ]
    if constraint.measure == "count":
        value = len(matching)
    elif constraint.measure == "share":
        value = len(matching) / len(chosen)
    else:
        value = sum(pool.attributes[constraint.of][i] for i in matching)
        if constraint.measure == "mean":
            if not matching:
                return True
            value /= len(matching)
    return constraint.low - 1e-9 <= value <= constraint.high + 1e-9


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["sum", "mean", "share"]),
    st.sampled_from(["max", "maximin", "target"]),
)
def test_one_form_is_the_best_of_all_subsets_or_the_conflict_is_real(seed, measure, goal):
    pool = small_pool(seed)
    third = {
        "sum": Constraint("minutes", 7, 9, measure="sum", of="minutes"),
        "mean": Constraint("law difficulty", -0.2, 0.6, {"topic": "law"}, "mean", "b"),
        "share": Constraint("law share", 0.4, 0.5, {"topic": "law"}, "share"),
    }[measure]
    objective = {"max": Maximise((1, 2)), "maximin": Maximin((1, 1.5)), "target": Target((2.0, 2.0))}[goal]
    blueprint = Blueprint(
        (3, 5),
        (Constraint("law", 1, 2, {"topic": "law"}), third),
        objective,
        (("i0", "i1", "i2"), ("i3", "i4")),
    )
    candidates = list(every_form(pool, blueprint))

    def worth(chosen) -> float:
        reached = pool.information[list(chosen)].sum(axis=0)
        if goal == "max":
            return reached[0] + 2 * reached[1]
        if goal == "maximin":
            return min(reached[0], reached[1] / 1.5)
        return -max(abs(reached - 2.0))

    if not candidates:
        with pytest.raises(ContradictoryBlueprint) as caught:
            assemble(pool, blueprint, gap=0.0)
        names = {member.name for member in caught.value.conflict}
        assert names <= {"length", "law", third.name, "enemies i0, i1, i2", "enemies i3, i4"}
        return
    made = assemble(pool, blueprint, gap=0.0)
    best = max(worth(chosen) for chosen in candidates)
    assert tuple(sorted(made.forms[0].positions)) in candidates
    assert (-made.objective if goal == "target" else made.objective) == pytest.approx(best, abs=1e-6)
    assert made.gap <= 1e-6


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_two_forms_are_the_best_of_all_pairs(seed):
    pool = small_pool(seed, 8)
    blueprint = Blueprint(
        (3, 3), (Constraint("minutes", high=10, measure="sum", of="minutes"),), Maximin((1, 1))
    )
    fits = list(every_form(pool, blueprint))
    pairs = [(a, b) for a in fits for b in fits if not set(a) & set(b)]
    if not pairs:
        with pytest.raises(ContradictoryBlueprint):
            assemble(pool, blueprint, 2, gap=0.0)
        return
    best = max(min(pool.information[list(f)].sum(axis=0).min() for f in pair) for pair in pairs)
    made = assemble(pool, blueprint, 2, gap=0.0)
    assert made.objective == pytest.approx(best, abs=1e-7)
    assert not set(made.forms[0].items) & set(made.forms[1].items)


WAYS = ("_exchanged", "_taken_off", "_divided")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("goal", [Maximise((1, 1)), Maximin((1, 1)), Target((1.6, 1.6))])
@pytest.mark.parametrize("forms", [2, 3])
def test_each_way_of_dividing_gives_forms_within_the_gap_of_a_true_bound(monkeypatch, way, goal, forms):
    """Only one way may run, and branch and bound on all forms afterwards: the answer keeps its promises."""
    asked = []

    def spied(name, function):
        def run(*arguments):
            asked.append(name)
            return function(*arguments) if name == way else None

        return run

    for name in WAYS:
        monkeypatch.setattr(solving, name, spied(name, getattr(solving, name)))
    pool = small_pool(11, 60)
    blueprint = Blueprint(
        (5, 5),
        (
            Constraint("law", 2, 3, {"topic": "law"}),
            Constraint("minutes", 8, 14, measure="sum", of="minutes"),
        ),
        goal,
        (("i0", "i1", "i2"),),
        include=("i7",),
    )
    made = assemble(pool, blueprint, forms, gap=0.05)
    assert way in asked
    assert made.status == "optimal"
    assert made.gap <= 0.05 + 1e-9
    taken = np.concatenate([form.positions[form.positions != 7] for form in made.forms])
    assert taken.size == 4 * forms == len(set(taken))
    for form in made.forms:
        assert "i7" in form.items
        assert 8 <= pool.numbers("minutes")[form.positions].sum() <= 14
        assert 2 <= sum(pool.attributes["topic"][i] == "law" for i in form.positions) <= 3
        assert len({"i0", "i1", "i2"} & set(form.items)) <= 1
    best = assemble(pool, blueprint, forms, gap=0.05)
    assert best.bound == pytest.approx(made.bound, rel=0.05)  # bounds of one problem


def test_the_gap_is_kept_in_pools_of_every_make():
    """The objective is within two per cent of what no forms can exceed, and it is recomputed from the forms."""
    made = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        pool = Pool.of(
            [f"i{j}" for j in range(300)],
            {"topic": rng.choice(list("abc"), 300).tolist(), "words": rng.integers(10, 90, 300)},
            theta=(-1.0, 0.0, 1.0),
            information=rng.gamma(2.0, 0.15, (300, 3)),
        )
        rules = [Constraint(t, 4, 7, {"topic": t}) for t in "abc"]
        rules.append(Constraint("words", 700, 780, measure="sum", of="words"))
        plan = Blueprint((15, 15), tuple(rules), Maximin((0.8, 1.0, 0.8)))
        for forms in (1, 2):
            found = assemble(pool, plan, forms, gap=0.02)
            heights = [(form.information / np.array([0.8, 1.0, 0.8])).min() for form in found.forms]
            assert found.objective == pytest.approx(min(heights))
            assert found.status == "optimal"
            assert found.gap == pytest.approx((found.bound - found.objective) / found.bound)
            assert found.gap <= 0.02 + 1e-9
            made += 1
    assert made == 16


def test_the_order_of_the_pool_does_not_matter():
    pool = small_pool(3, 30)
    blueprint = Blueprint((6, 6), (Constraint("law", 2, 4, {"topic": "law"}),), Maximise((1, 1)))
    order = list(range(30))
    random.Random(1).shuffle(order)
    turned = Pool.of(
        [pool.ids[i] for i in order],
        {name: [values[i] for i in order] for name, values in pool.attributes.items()},
        theta=pool.theta,
        information=pool.information[order],
    )
    first, second = assemble(pool, blueprint, gap=0.0), assemble(turned, blueprint, gap=0.0)
    assert set(first.forms[0].items) == set(second.forms[0].items)
    assert first.objective == pytest.approx(second.objective, rel=1e-12)


def test_anchors_stand_in_every_form_and_excluded_items_in_none():
    pool = small_pool(5, 40)
    blueprint = Blueprint((6, 6), (), Maximin((1, 1)), include=("i3", "i7"), exclude=("i0", "i1"))
    made = assemble(pool, blueprint, 3)
    sets = [set(form.items) for form in made.forms]
    assert all({"i3", "i7"} <= items and not {"i0", "i1"} & items for items in sets)
    for one, other in itertools.combinations(sets, 2):
        assert one & other == {"i3", "i7"}


def test_forms_may_overlap_as_far_as_allowed():
    pool = small_pool(6, 10)
    strict = Blueprint((6, 6), (), Maximise((1, 1)))
    with pytest.raises(ContradictoryBlueprint) as caught:
        assemble(pool, strict, 2)
    assert {member.name for member in caught.value.conflict} == {"length", "overlap"}
    loose = Blueprint((6, 6), (), Maximise((1, 1)), overlap=2)
    made = assemble(pool, loose, 2, gap=0.0)
    assert len(set(made.forms[0].items) & set(made.forms[1].items)) == 2


def test_a_lot_depends_on_its_seed_and_on_nothing_else():
    pool = Pool.of([f"q{j}" for j in range(60)], {"topic": ["law", "management"] * 30})
    constraints = (Constraint("law", 5, 5, {"topic": "law"}),)
    first = assemble(pool, Blueprint((10, 10), constraints, Lot(1))).forms[0]
    again = assemble(pool, Blueprint((10, 10), constraints, Lot(1))).forms[0]
    other = assemble(pool, Blueprint((10, 10), constraints, Lot(2))).forms[0]
    assert first.items == again.items
    assert first.items != other.items
    assert first.information is None
    assert first.reached == {"length": 10, "law": 5}


def test_stimuli_bring_their_items_and_their_words_once():
    pool = Pool.of(
        [f"q{j}" for j in range(12)],
        {"words": [100] * 4 + [300] * 4 + [200] * 4, "b": [0.1 * j for j in range(12)]},
        stimuli=["A"] * 4 + ["B"] * 4 + ["C"] * 4,
    )
    blueprint = Blueprint(
        (6, 6),
        (Constraint("reading", high=300, measure="sum", of="words", per_stimulus=True),),
        Maximise((1,), of=("b",)),
        stimuli=StimulusRule(count=(2, 2), items=(2, 4)),
    )
    made = assemble(pool, blueprint, gap=0.0)
    # A and C fit into 300 words: the four best of C and the two best of A.
    assert set(made.forms[0].items) == {"q2", "q3", "q8", "q9", "q10", "q11"}
    assert made.forms[0].reached["reading"] == 300
    assert made.forms[0].reached["stimuli"] == 2
    two = assemble(
        pool, Blueprint((3, 3), (), Maximin((1,), of=("b",)), stimuli=StimulusRule(items=(3, 3))), 2
    )
    assert all(len({pool.stimuli[i] for i in form.positions}) == 1 for form in two.forms)


def test_a_conflict_names_an_irreducible_set_and_what_can_be_had():
    pool = Pool.of(
        [f"q{j}" for j in range(10)],
        {"topic": ["law"] * 3 + ["management"] * 7, "minutes": [5] * 3 + [2] * 7},
    )
    constraints = (
        Constraint("law", 4, 6, {"topic": "law"}),
        Constraint("minutes", 0, 40, measure="sum", of="minutes"),
        Constraint("management", 2, 5, {"topic": "management"}),
    )
    with pytest.raises(ContradictoryBlueprint) as caught:
        assemble(pool, Blueprint((8, 8), constraints))
    (member,) = caught.value.conflict
    assert (member.name, member.low, member.available_high) == ("law", 4, 3)
    assert caught.value.irreducible
    assert "law requires 4 to 6, with the others 0 to 3" in str(caught.value)


def test_a_conflict_of_several_constraints_can_be_solved_by_dropping_any_one():
    rng = np.random.default_rng(8)
    pool = Pool.of(
        [f"q{j}" for j in range(40)],
        {"topic": ["a"] * 20 + ["b"] * 20, "minutes": [6] * 20 + [1] * 20, "b": rng.normal(size=40)},
    )
    constraints = {
        "many a": Constraint("many a", 12, 20, {"topic": "a"}),
        "minutes": Constraint("minutes", high=60, measure="sum", of="minutes"),
        "some b": Constraint("some b", 2, 8, {"topic": "b"}),
        "difficulty": Constraint("difficulty", -1, 1, measure="mean", of="b"),
    }
    with pytest.raises(ContradictoryBlueprint) as caught:
        assemble(pool, Blueprint((15, 20), tuple(constraints.values())))
    names = {member.name for member in caught.value.conflict}
    assert names == {"many a", "minutes"}
    for name in names:
        kept = tuple(constraint for key, constraint in constraints.items() if key != name)
        assert assemble(pool, Blueprint((15, 20), kept)).status == "optimal"
    by_name = {member.name: member for member in caught.value.conflict}
    assert by_name["many a"].available_high == 10  # ten items of six minutes fill the hour
    assert by_name["minutes"].available_low == 72  # twelve of them


def test_a_conflict_that_only_whole_items_show_is_found():
    pool = Pool.of(["a", "b", "c"], {"marks": [2, 2, 2]})
    blueprint = Blueprint((1, 3), (Constraint("marks", 3, 3, measure="sum", of="marks"),))
    with pytest.raises(ContradictoryBlueprint) as caught:
        assemble(pool, blueprint)
    assert [member.name for member in caught.value.conflict] == ["marks"]


def test_the_solver_stops_at_its_time_limit_and_says_so():
    rng = np.random.default_rng(2)
    pool = Pool.of([f"q{j}" for j in range(300)], theta=(0.0,), information=rng.uniform(0.1, 1, (300, 1)))
    made = assemble(pool, Blueprint((20, 20), (), Target((7.123456,))), 4, gap=0.0, time_limit=1.0)
    assert made.seconds < 10
    assert (made.status == "optimal") == (made.gap <= 1e-9)
    assert made.bound <= made.objective


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Pool.of([]), "empty"),
        (lambda: Pool.of(["a", "a"]), "twice"),
        (lambda: Pool.of(["a"], {"x": [1, 2]}), "one per item"),
        (lambda: Pool.of(["a"], {"x": [math.inf]}), "infinite"),
        (lambda: Pool.of(["a"], theta=(0,), information=[[-1.0]]), "not negative"),
        (lambda: Pool.of(["a"], theta=(0, 1), information=[[1.0]]), "items × points"),
        (lambda: Constraint("x", 2, 1), "must not exceed"),
        (lambda: Constraint("x"), "low or a high"),
        (lambda: Constraint("x", 1, 2, measure="sum"), "`of` names"),
        (lambda: Blueprint((3, 2)), "length"),
        (lambda: Blueprint((1, 2), (Constraint("x", 1), Constraint("x", 2))), "called 'x'"),
        (lambda: assemble(Pool.of(["a"]), Blueprint((1, 1)), 0), "at least one form"),
        (lambda: assemble(Pool.of(["a"]), Blueprint((1, 1), (), Maximise((1,)))), "information"),
        (lambda: assemble(Pool.of(["a"]), Blueprint((1, 1), (Constraint("t", 1, 2, {"topic": "law"}),))), "no column"),
        (lambda: assemble(Pool.of(["a"]), Blueprint((1, 1), include=("b",))), "not in the pool"),
        (lambda: assemble(Pool.of(["a"], {"m": [None]}), Blueprint((1, 1), (Constraint("m", 1, 2, measure="sum", of="m"),))), "has no 'm'"),
        (lambda: assemble(Pool.of(["a"], {"m": ["x"]}), Blueprint((1, 1), (Constraint("m", 1, 2, {"m": Between(1, 2)}),))), "holds text"),
        (lambda: assemble(Pool.of(["a"]), Blueprint((1, 1)), gap=1.5), "gap"),
        (lambda: assemble(Pool.of(["a"]), Blueprint((1, 1)), time_limit=0), "positive"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_words(make, words):
    with pytest.raises(BadParameters, match=words):
        make()
