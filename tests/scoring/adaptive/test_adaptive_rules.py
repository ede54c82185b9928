"""Recovery, exposure, shadow tests and refusals of adaptive testing."""

import numpy as np
import pytest

from scoring.adaptive import (
    Content,
    Exposure,
    StoppingRule,
    administer,
    next_item,
    next_shadow_item,
    stop,
    sympson_hetter,
)
from scoring.adaptive.standing import Bank, probability_table, standing
from scoring.assembly import Blueprint, Constraint, ContradictoryBlueprint, Lot, Pool
from scoring.errors import BadParameters, BadResponses, NotConverged, NotIdentified
from scoring.irt import ItemParameters, estimate_ability, information


def bank(seed: int, n: int = 80) -> ItemParameters:
    rng = np.random.default_rng(seed)
    return ItemParameters.of(
        "3PL",
        slope=np.exp(rng.normal(0.2, 0.3, n)),
        difficulty=rng.normal(0, 1.2, n),
        lower_asymptote=np.full(n, 0.15),
    )


def candidate(items: ItemParameters, theta: float, rng: np.random.Generator):
    p = probability_table(items, np.array([theta]))[:, 0]
    return lambda item: (
        int(rng.random() > p[item, 0]) if p.shape[1] == 2 else int(rng.choice(p.shape[1], p=p[item]))
    )


def test_the_standing_is_the_eap_of_the_library():
    items = bank(1)
    answers = np.array([1, 0, 1, 1, 0])
    found = standing(Bank.of(items), [3, 7, 20, 41, 60], answers, (0.2, 1.3))
    row = np.full(80, np.nan)
    row[[3, 7, 20, 41, 60]] = answers
    by_library = estimate_ability(row, items, "EAP", (0.2, 1.3))
    assert found.theta == pytest.approx(by_library.theta[0], abs=1e-4)
    assert found.standard_error == pytest.approx(by_library.standard_error[0], abs=1e-4)
    empty = standing(Bank.of(items), [], [], (0.5, 1.0))
    assert (empty.theta, empty.standard_error) == (pytest.approx(0.5, abs=1e-6), pytest.approx(1.0, abs=1e-5))


def test_abilities_are_recovered_and_adaptive_beats_random():
    items, rng = Bank.of(bank(2, 150)), np.random.default_rng(3)
    adaptive, random, inside = [], [], 0
    for theta in rng.normal(size=80):
        answer = candidate(items.items, theta, rng)
        test = administer(items, answer, StoppingRule(maximum=20))
        adaptive.append(test.theta[-1] - theta)
        inside += abs(adaptive[-1]) <= 1.96 * test.standard_error[-1]
        chosen = rng.permutation(150)[:20]
        answers = [answer(int(j)) for j in chosen]
        random.append(standing(items, chosen.tolist(), answers, (0.0, 1.0)).theta - theta)
    assert np.std(adaptive) < 0.85 * np.std(random)
    assert inside / 80 >= 0.88  # 95 % with a standard error of two points
    assert abs(np.mean(adaptive)) < 0.1


def test_the_order_of_items_in_the_bank_does_not_matter():
    items = bank(4)
    order = np.random.default_rng(5).permutation(80)
    turned = items.select([int(j) for j in order])
    one = next_item(items, [order[0], order[1]], [1, 0])
    other = next_item(turned, [0, 1], [1, 0])
    assert order[other.item] == one.item
    assert other.value == pytest.approx(one.value)


def test_polytomous_items_take_part():
    items = ItemParameters.of(
        ["GPCM"] * 10 + ["2PL"] * 10,
        slope=np.full(20, 1.2),
        thresholds=[[j / 5 - 1.5, j / 5 - 0.5, j / 5 + 0.5] for j in range(10)]
        + [[j / 5 - 1] for j in range(10)],
    )
    for criterion in ("information", "expected-variance", "kullback-leibler", "expected-information"):
        found = next_item(items, [2, 15], [3, 0], criterion=criterion)
        assert np.isfinite(found.value)
        assert found.item < 10  # more categories, more information
    with pytest.raises(BadParameters, match="dichotomous"):
        next_item(items, criterion="optimum")


def test_randomesque_draws_among_the_best():
    items = bank(6)
    best = np.argsort(-information(items, 0.0).item[0])[:5]
    rng = np.random.default_rng(7)
    drawn = [next_item(items, theta=0.0, exposure=Exposure(randomesque=5), rng=rng).item for _ in range(200)]
    assert set(drawn) == set(best.tolist())
    counts = np.bincount(drawn)[best]
    assert counts.min() >= 20  # 40 expected each


def test_restriction_leaves_worn_items_out_until_nothing_else_is_left():
    items = bank(6, 10)
    best = next_item(items, theta=0.0).item
    rates = np.zeros(10)
    rates[best] = 0.3
    assert next_item(items, theta=0.0, exposure=Exposure(rates=rates, limit=0.25)).item != best
    assert next_item(items, theta=0.0, exposure=Exposure(rates=np.ones(10), limit=0.25)).item == best


def test_the_progressive_method_moves_from_chance_to_information():
    items = bank(8)
    rng = np.random.default_rng(9)
    early = [next_item(items, theta=0.0, exposure=Exposure(progress=0.0), rng=rng).item for _ in range(100)]
    late = [next_item(items, theta=0.0, exposure=Exposure(progress=1.0), rng=rng).item for _ in range(20)]
    assert len(set(early)) > 40
    assert set(late) == {next_item(items, theta=0.0).item}


def test_sympson_hetter_keeps_the_limit_for_new_candidates():
    items, rng = bank(10, 40), np.random.default_rng(11)
    rule = StoppingRule(maximum=6)
    k, rates = sympson_hetter(items, rng.normal(size=60), rule, limit=0.3, rng=rng, tolerance=0.12)
    assert rates.max() <= 0.42
    assert ((k >= 0) & (k <= 1)).all()
    free = np.zeros(40)
    kept = np.zeros(40)
    table = Bank.of(items)
    for theta in rng.normal(size=100):
        free[administer(table, candidate(items, theta, rng), rule).items] += 1 / 100
        kept[
            administer(table, candidate(items, theta, rng), rule, exposure=Exposure(accept=k), rng=rng).items
        ] += 1 / 100
    assert free.max() > 0.6
    assert kept.max() <= 0.5
    with pytest.raises(BadParameters, match="pool is too small"):
        sympson_hetter(items, rng.normal(size=30), StoppingRule(maximum=30), limit=0.3, rng=rng)
    with pytest.raises(NotConverged, match="still given"):
        sympson_hetter(items, rng.normal(size=30), rule, limit=0.15, rng=rng, rounds=1, tolerance=0.0)


def test_content_shares_are_met():
    items, rng = bank(12), np.random.default_rng(13)
    areas = ["law"] * 30 + ["management"] * 30 + ["digital"] * 20
    content = Content(areas, {"law": 0.5, "management": 0.3, "digital": 0.2})
    test = administer(items, candidate(items, 0.3, rng), StoppingRule(maximum=20), content=content)
    assert [sum(areas[j] == name for j in test.items) for name in content.targets] == [10, 6, 4]
    few = Content(["law"] * 2 + ["management"] * 78, {"law": 0.9, "management": 0.1})
    test = administer(items, candidate(items, 0.3, rng), StoppingRule(maximum=6), content=few)
    assert test.items.size == 6  # an empty area is passed over


def test_a_shadow_test_meets_its_blueprint_and_is_nearly_as_informative():
    items, rng = bank(14, 60), np.random.default_rng(15)
    topics = rng.choice(["law", "management", "digital"], 60).tolist()
    words = rng.integers(20, 80, 60).tolist()
    pool = Pool.of([f"q{j}" for j in range(60)], {"topic": topics, "words": words})
    blueprint = Blueprint(
        (8, 8),
        (
            Constraint("law", 3, 3, {"topic": "law"}),
            Constraint("digital", 2, 8, {"topic": "digital"}),
            Constraint("words", high=300, measure="sum", of="words"),
        ),
        Lot(0),
        enemies=(("q0", "q1"),),
    )
    given: list[int] = []
    answers: list[int] = []
    answer = candidate(items, 0.4, rng)
    for _ in range(8):
        chosen = next_shadow_item(items, pool, blueprint, given, answers)
        given.append(chosen.item)
        answers.append(answer(chosen.item))
    assert sum(topics[j] == "law" for j in given) == 3
    assert sum(topics[j] == "digital" for j in given) >= 2
    assert sum(words[j] for j in given) <= 300
    with pytest.raises(NotIdentified, match="complete"):
        next_shadow_item(items, pool, blueprint, given, answers)
    laws = [j for j in range(60) if topics[j] == "law"][:4]
    with pytest.raises(ContradictoryBlueprint):
        next_shadow_item(items, pool, blueprint, laws, [0] * 4)
    mask = np.ones(60, dtype=bool)
    first = next_shadow_item(items, pool, blueprint)
    mask[first.item] = False
    assert next_shadow_item(items, pool, blueprint, eligible=mask).item != first.item


def test_every_stopping_rule_says_why():
    rule = StoppingRule(minimum=5, maximum=20, standard_error=0.3, least_information=0.2, least_gain=0.005)
    now = {"standard_error": 0.5, "previous_error": 0.55, "best_information": 0.8, "items_left": 10}
    assert not stop(rule, administered=10, **now).stop
    assert stop(rule, administered=20, **now).reason == "maximum length"
    assert not stop(rule, administered=4, **{**now, "standard_error": 0.1}).stop
    assert stop(rule, administered=5, **{**now, "standard_error": 0.3}).reason == "standard error"
    assert stop(rule, administered=9, **{**now, "best_information": 0.1}).reason == "no informative item"
    assert stop(rule, administered=9, **{**now, "previous_error": 0.502}).reason == "no gain"
    assert stop(rule, administered=2, **{**now, "items_left": 0}).reason == "no item left"


def test_tests_end_by_precision_or_by_an_empty_bank():
    items, rng = bank(16), np.random.default_rng(17)
    test = administer(
        items, candidate(items, 0.0, rng), StoppingRule(minimum=4, maximum=60, standard_error=0.4)
    )
    assert test.reason == "standard error"
    assert test.standard_error[-1] <= 0.4 < test.standard_error[-2]
    small = bank(18, 5)
    assert (
        administer(small, candidate(small, 0.0, rng), StoppingRule(standard_error=0.01)).reason
        == "no item left"
    )
    far = administer(items, lambda j: 1, StoppingRule(least_information=0.05), start=0.0)
    assert far.reason == "no informative item"
    assert np.isfinite(far.theta).all()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: next_item(bank(1), [0], []), BadResponses, "one answer per item"),
        (lambda: next_item(bank(1), [0, 0], [1, 1]), BadParameters, "at most once"),
        (lambda: next_item(bank(1), [99], [1]), BadParameters, "numbered from 0"),
        (lambda: next_item(bank(1), [0], [2]), BadResponses, "category"),
        (lambda: next_item(bank(1, 3), [0, 1, 2], [1, 1, 1]), NotIdentified, "No item is left"),
        (lambda: next_item(bank(1), criterion="best"), BadParameters, "criterion"),
        (lambda: next_item(bank(1), theta=np.inf), BadParameters, "finite"),
        (lambda: next_item(bank(1), prior=(0, 0)), BadParameters, "prior"),
        (lambda: next_item(bank(1), exposure=Exposure(randomesque=3)), BadParameters, "random generator"),
        (lambda: next_item(bank(1), allowed=[True]), BadParameters, "one True or False"),
        (lambda: next_item(bank(1), content=Content(["x"], {"x": 1})), BadParameters, "area for each item"),
        (lambda: next_item(bank(1), content=Content(["x"] * 80, {"y": 1})), NotIdentified, "target areas"),
        (lambda: StoppingRule(), BadParameters, "needs a maximum"),
        (lambda: StoppingRule(minimum=5, maximum=3), BadParameters, "must not exceed"),
        (lambda: StoppingRule(standard_error=-1), BadParameters, "positive"),
        (lambda: Bank.of(bank(1), [0, 1, 5]), BadParameters, "evenly spaced"),
    ],
)  # fmt: skip
def test_impossible_requests_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
