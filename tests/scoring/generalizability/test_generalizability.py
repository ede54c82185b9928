"""Generalizability: hand cases, unbalanced designs, refusals, coverage."""

import numpy as np
import pytest
from scipy import stats

from scoring.errors import BadParameters, BadResponses, NotIdentified
from scoring.generalizability import decision_study, study
from scoring.generalizability.restricted import _Criterion, restricted_likelihood

TABLE = np.array([[4.0, 3, 5], [2, 2, 1], [5, 3, 4], [1, 0, 3]])


def long(table):
    rows, columns = np.nonzero(~np.isnan(table))
    return table[rows, columns], {"person": rows, "rater": columns}


def test_by_hand():
    """Persons' means 4, 5/3, 4, 4/3; items' 3, 2, 13/4; grand 2.75. MSp = 3 × Σ(..)² / 3 = 6.75; MSi = 1.75; MSr = 0.75."""
    found = study(TABLE)
    by_person = TABLE.mean(axis=1) - TABLE.mean()
    assert found.component("person").mean_square == pytest.approx(3 * (by_person**2).sum() / 3)
    person, item = found.component("person"), found.component("item")
    rest = found.component("person", "item")
    assert person.estimate == pytest.approx((person.mean_square - rest.mean_square) / 3)
    assert item.estimate == pytest.approx((item.mean_square - rest.mean_square) / 4)
    assert sum(c.sum_of_squares for c in found.components) == pytest.approx(
        ((TABLE - TABLE.mean()) ** 2).sum()
    )
    assert sum(c.share for c in found.components) == pytest.approx(1)


def test_replicates_have_their_own_component():
    random = np.random.default_rng(1)
    person, rater = np.repeat(np.arange(30), 8), np.tile(np.repeat(np.arange(4), 2), 30)
    cell = random.normal(0, 1, (30, 4))
    score = random.normal(0, 2, 30)[person] + cell[person, rater] + random.normal(0, 0.5, 240)
    for method in ("anova", "reml"):
        found = study(score, {"person": person, "rater": rater}, method=method)
        assert found.components[-1].name == "within"
        assert found.components[-1].variance == pytest.approx(0.25, rel=0.3)
        assert found.component("person", "rater").variance == pytest.approx(1, rel=0.4)
    assert decision_study(found, {"rater": 4}).relative_variance == pytest.approx(
        (found.component("person", "rater").variance + found.components[-1].variance) / 4
    )


def test_likelihood_against_the_dense_definition():
    """Unbalanced persons × raters: −2 log restricted likelihood with explicit matrices, and its slope by differences."""
    random = np.random.default_rng(2)
    table = random.normal(0, 1, (12, 4)) + random.normal(0, 1, (12, 1)) + random.normal(0, 0.7, 4)
    table[random.random((12, 4)) < 0.35] = np.nan
    table[np.isnan(table).all(axis=1), 0] = 1.0
    score, facets = long(table)
    groups = [facets["person"], facets["rater"]]
    groups = [np.unique(g, return_inverse=True)[1] for g in groups]
    ratio = np.array([0.8, 0.3])
    z = [np.eye(int(g.max()) + 1)[g] for g in groups]
    v = np.eye(score.size) + sum(r * x @ x.T for r, x in zip(ratio, z, strict=True))
    inverse, one = np.linalg.inv(v), np.ones(score.size)
    p = inverse - np.outer(inverse @ one, one @ inverse) / (one @ inverse @ one)
    dense = (
        np.linalg.slogdet(v)[1] + np.log(one @ inverse @ one) + (score.size - 1) * np.log(score @ p @ score)
    )
    criterion = _Criterion(score, groups)
    value, slope = criterion(ratio)
    assert value == pytest.approx(dense)
    for i in range(2):
        h = np.eye(2)[i] * 1e-5
        assert slope[i] == pytest.approx((criterion(ratio + h)[0] - criterion(ratio - h)[0]) / 2e-5, rel=1e-5)
    fit = restricted_likelihood(score, groups)
    best = criterion(fit.variance[:2] / fit.variance[2])[0]
    for _ in range(200):
        assert criterion(np.abs(random.normal(0.5, 0.7, 2)))[0] >= best - 1e-9


def test_both_methods_agree_on_balanced_data_without_zeros():
    found, likelihood = study(TABLE), study(TABLE, method="reml")
    np.testing.assert_allclose(
        [c.variance for c in found.components], [c.variance for c in likelihood.components], atol=1e-6
    )
    assert likelihood.gradient_norm < 1e-7


def test_unbalanced_estimates_recover_the_truth():
    random = np.random.default_rng(3)
    estimates = []
    for _ in range(40):
        table = random.normal(0, 2, (40, 1)) + random.normal(0, 1, 8) + random.normal(0, 1.5, (40, 8))
        drop = np.array([random.permutation(8) >= 3 for _ in range(40)])
        table[drop] = np.nan
        score, facets = long(table)
        found = study(score, facets)
        assert found.method == "reml"
        estimates.append([c.variance for c in found.components])
    mean, error = np.mean(estimates, axis=0), np.std(estimates, axis=0) / np.sqrt(40)
    assert (np.abs(mean - [4, 1, 2.25]) < 3.5 * error).all()


def test_likelihood_errors_describe_the_spread():
    random = np.random.default_rng(4)
    estimates, errors = [], []
    for _ in range(60):
        found = study(
            random.normal(0, 2, (60, 1)) + random.normal(0, 1.5, (60, 4)) + random.normal(0, 1, 4),
            method="reml",
        )
        estimates.append([found.component("person").variance, found.component("person", "item").variance])
        errors.append(
            [found.component("person").standard_error, found.component("person", "item").standard_error]
        )
    np.testing.assert_allclose(np.mean(errors, axis=0), np.std(estimates, axis=0), rtol=0.3)


def test_fixed_tasks_become_part_of_what_is_measured():
    """p × i with items fixed is refused; p × r × t with tasks fixed: σ²(τ) = σ²(p) + σ²(pt) / n_t (Brennan 2001, 4.4)."""
    random = np.random.default_rng(5)
    p, r, t = (x.reshape(-1) for x in np.meshgrid(range(20), range(3), range(4), indexing="ij"))
    score = random.normal(0, 1, 20)[p] + random.normal(0, 0.7, (20, 4))[p, t] + random.normal(0, 1, p.size)
    found = study(score, {"person": p, "rater": r, "task": t})
    decision = decision_study(found, {"rater": 2, "task": 4}, fixed=["task"])
    c = {
        facets: found.component(*facets).variance
        for facets in (("person",), ("person", "task"), ("person", "rater"))
    }
    rest = found.component("person", "rater", "task").variance
    assert decision.universe_variance == pytest.approx(c["person",] + c["person", "task"] / 4)
    assert decision.relative_variance == pytest.approx(c["person", "rater"] / 2 + rest / 8)
    random_tasks = decision_study(found, {"rater": 2, "task": 4})
    assert decision.generalizability > random_tasks.generalizability


@pytest.mark.parametrize("n", [8, 40, 200])
def test_interval_of_the_generalizability_coefficient_covers(n):
    """p × i, normal: also equal to Feldt's interval, which is exact there."""
    random = np.random.default_rng(n)
    truth = 1 / (1 + 1.5 / 5)
    repeats, hits = 200, []
    for _ in range(repeats):
        table = (
            random.normal(0, 1, (n, 1)) + random.normal(0, 0.5, 5) + random.normal(0, np.sqrt(1.5), (n, 5))
        )
        low, high = decision_study(study(table), {"item": 5}).generalizability_interval
        hits.append(low <= truth <= high)
    assert np.mean(hits) >= 0.95 - 2.5 * np.sqrt(0.05 * 0.95 / repeats)
    found = decision_study(study(table), {"item": 5})
    f = stats.f.ppf([0.975, 0.025], n - 1, 4 * (n - 1))
    feldt = 1 - (1 - found.generalizability) * f
    np.testing.assert_allclose(found.generalizability_interval, np.maximum(0, feldt), atol=0.003)


def test_nested_labels_may_repeat():
    task = np.tile([0, 0, 1, 1], 6)
    person = np.repeat(np.arange(6), 4)
    score = np.random.default_rng(6).normal(0, 1, 24)
    repeated = study(
        score, {"person": person, "task": task, "rater": np.tile([0, 1, 0, 1], 6)}, nested={"rater": "task"}
    )
    unique = study(
        score, {"person": person, "task": task, "rater": np.tile([0, 1, 2, 3], 6)}, nested={"rater": "task"}
    )
    assert [c.estimate for c in repeated.components] == [c.estimate for c in unique.components]
    assert repeated.component("rater").name == "rater:task"
    assert repeated.component("rater").facets == {"rater", "task"}
    with pytest.raises(KeyError):
        repeated.component("examiner")


@pytest.mark.parametrize(
    ("scores", "facets", "options", "error", "words"),
    [
        (np.ones((4, 3)), None, {}, NotIdentified, "equal"),
        (TABLE[:, :1], None, {}, NotIdentified, "own level"),
        ([1, 2, 3], {"person": [1, 2, 3], "rater": [1, 1, 2]}, {}, NotIdentified, "person"),
        ([1, 2, 3, 4], {"person": [1, 1, 2, 2], "rater": [1, 2, 3, 4]}, {}, NotIdentified, "rater"),
        ([1, 2, 3], {"person": [1, 2], "rater": [1, 1, 2]}, {}, BadResponses, "labels"),
        ([1, 2], {"person": [1, None], "rater": [1, 1]}, {}, BadResponses, "no person"),
        ([1, 2], {"rater": [1, 2]}, {}, BadParameters, "object"),
        (TABLE, None, {"method": "bayes"}, BadParameters, "method"),
        (TABLE, None, {"nested": {"item": "item"}}, BadParameters, "nested"),
        (TABLE, None, {"nested": {"judge": "item"}}, BadParameters, "judge"),
        (
            [1, 2, 2, 3, 5],
            {"person": [1, 1, 2, 2, 3], "rater": [1, 2, 1, 2, 1]},
            {"method": "anova"},
            BadParameters,
            "unbal",
        ),
        (TABLE[:, [0, 0, 0]] + [0, 1, 2], None, {"method": "reml"}, NotIdentified, "no error variance"),
    ],
)
def test_refusals(scores, facets, options, error, words):
    with pytest.raises(error, match=words):
        study(scores, facets, **options)


@pytest.mark.parametrize(
    ("numbers", "options"),
    [
        ({}, {}),
        ({"item": 0}, {}),
        ({"item": 2, "x": 1}, {}),
        ({"item": 2}, {"fixed": ["x"]}),
        ({"item": 2}, {"fixed": ["item"]}),
    ],
)
def test_decision_refuses(numbers, options):
    with pytest.raises(BadParameters):
        decision_study(study(TABLE), numbers, **options)


@pytest.mark.parametrize("method", ["anova", "reml"])
def test_order_labels_and_shift_do_not_matter_and_the_scale_squares(method):
    random = np.random.default_rng(9)
    table = random.normal(0, 1, (15, 1)) + random.normal(0, 0.6, 4) + random.normal(0, 0.8, (15, 4))
    found = study(*long(table), method=method)
    turned = study(*long(3.0 - 2.0 * table[random.permutation(15)][:, [2, 0, 3, 1]]), method=method)
    compared = 0
    for one, other in zip(found.components, turned.components, strict=True):
        assert one.facets == other.facets
        assert other.variance == pytest.approx(4.0 * one.variance, rel=1e-5, abs=1e-8)
        compared += 1
    assert compared == 3
