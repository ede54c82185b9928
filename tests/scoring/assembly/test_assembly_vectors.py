"""Assembly problems solved by others: the same objectives, and the same items where the answer is unique."""

import json
from pathlib import Path

import numpy as np
import pytest

from scoring.assembly import Between, Blueprint, Constraint, Maximin, Maximise, Pool, assemble, read_pool
from scoring.irt import ItemParameters, information

VECTORS = Path(__file__).parents[2] / "vectors" / "assembly"
CASES = json.loads((VECTORS / "assembly.json").read_text())["cases"]
BANK = read_pool((VECTORS / "ata_bank.csv").read_text())

CONDITIONS = {
    "easy b<-1": {"b": Between(high=-1, open=True)},
    "hard b>1": {"b": Between(low=1, open=True)},
    "used>=4": {"used": Between(low=4)},
}


def pool_of(size: int, theta: tuple[float, ...]) -> Pool:
    items = ItemParameters.of(
        "3PL",
        slope=BANK.numbers("a")[:size],
        difficulty=BANK.numbers("b")[:size],
        lower_asymptote=BANK.numbers("c")[:size],
    )
    columns = {name: values[:size] for name, values in BANK.attributes.items()}
    return Pool.of(BANK.ids[:size], columns, theta=theta, information=information(items, theta).item.T)


def constraint_of(case: dict) -> Constraint:
    name, low, high = case["name"], case["low"], case["high"]
    if name in CONDITIONS:
        return Constraint(name, low, high, where=CONDITIONS[name])
    if name in ("seconds", "words"):
        return Constraint(name, low, high, measure="sum", of=name)
    if name == "mean b":
        return Constraint(name, low, high, measure="sum", of="b")
    column, value = name.split(" ")
    return Constraint(name, low, high, where={column: value})


def blueprint_of(case: dict, pool: Pool, objective) -> Blueprint:
    length, *others = case["constraints"]
    assert length["name"] == "length"
    groups: dict[float, list[str]] = {}
    for item, group in zip(pool.ids, pool.numbers("enemy"), strict=True):
        if group:
            groups.setdefault(group, []).append(item)
    named = [entry for entry in others if not entry["name"].startswith("enemy")]
    assert len(others) - len(named) == 20
    return Blueprint(
        (length["low"], length["high"]),
        tuple(constraint_of(entry) for entry in named),
        objective,
        tuple(tuple(group) for group in groups.values()),
    )


def check_by_hand(case: dict, pool: Pool, forms) -> None:
    """Every constraint again, from the reference's own list and the raw columns."""
    taken = np.concatenate([form.positions for form in forms])
    assert len(set(taken)) == len(taken)
    for form in forms:
        at = form.positions
        counted = 0
        for entry in case["constraints"]:
            name = entry["name"]
            if name == "length":
                value = len(at)
            elif name.startswith("enemy"):
                value = int((pool.numbers("enemy")[at] == int(name.split()[1])).sum())
            elif name in ("seconds", "words"):
                value = pool.numbers(name)[at].sum()
            elif name == "mean b":
                value = pool.numbers("b")[at].sum()
            elif name in CONDITIONS:
                ((column, condition),) = CONDITIONS[name].items()
                value = int(condition.holds(pool.numbers(column)[at]).sum())
            else:
                column, wanted = name.split(" ")
                value = sum(pool.attributes[column][i] == wanted for i in at)
            assert entry["low"] <= value <= entry["high"], name
            counted += 1
        assert counted == len(case["constraints"])


def test_every_case_is_tested():
    assert set(CASES) == {"form40", "two_forms_12of60", "two_forms_15of100", "two_forms_25of400_bound"}


def test_one_form_of_40_from_400_is_the_unique_optimum():
    case = CASES["form40"]
    pool = pool_of(400, (-1.0, 0.0, 1.0))
    made = assemble(pool, blueprint_of(case, pool, Maximise((1, 2, 1))), gap=0.0)
    assert made.status == "optimal"
    assert made.objective == pytest.approx(case["result"]["objective"], rel=1e-9)
    assert made.gap == pytest.approx(0.0, abs=1e-9)
    assert [int(item[1:]) for item in made.forms[0].items] == case["result"]["items"]
    check_by_hand(case, pool, made.forms)


@pytest.mark.parametrize(
    ("name", "size", "gap"), [("two_forms_12of60", 60, 0.0), ("two_forms_15of100", 100, 1e-3)]
)
def test_two_parallel_forms_reach_the_proven_optimum(name, size, gap):
    # The larger problem is asked to a thousandth here: closing the rest takes branch and bound half a minute and
    # is measured by benchmarks/assembly.py --proof.
    case = CASES[name]
    pool = pool_of(size, tuple(case["theta"]))
    made = assemble(pool, blueprint_of(case, pool, Maximin(tuple(case["r"]))), 2, gap=gap)
    best = case["result"]["objective"]
    assert made.status == "optimal"
    assert best * (1 - gap - 1e-6) <= made.objective <= best * (1 + 1e-6)
    assert made.bound >= best * (1 - 1e-9)
    assert made.gap <= gap + 1e-9
    check_by_hand(case, pool, made.forms)


def test_two_forms_of_25_from_400_keep_below_the_known_bound():
    case = CASES["two_forms_25of400_bound"]
    pool = pool_of(400, tuple(case["theta"]))
    made = assemble(pool, blueprint_of(case, pool, Maximin(tuple(case["r"]))), 2)
    assert made.status == "optimal"
    assert made.objective <= case["result"]["dual_bound"] * (1 + 1e-9)
    assert made.objective >= case["result"]["objective"] * 0.99
    assert made.bound >= case["result"]["objective"]  # a bound must not cut off a form that exists
    check_by_hand(case, pool, made.forms)
