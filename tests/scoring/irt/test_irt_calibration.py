"""Recovery, invariances, coverage and bad input of calibrations."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.errors import BadParameters, BadResponses, NotConverged, NotIdentified
from scoring.irt import (
    Beta,
    ItemParameters,
    LogNormal,
    Normal,
    Priors,
    calibrate,
    category_probabilities,
    estimate_ability,
)
from scoring.responses import read_responses


def simulate(items, theta, rng):
    x = np.empty((theta.size, items.n_items))
    for j, p in enumerate(category_probabilities(items, theta)):
        x[:, j] = (rng.random(theta.size)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return x


def make(model, n_items, rng, categories=4):
    slope = 1.0 if model in ("Rasch", "PCM", "RSM") else np.exp(rng.normal(0.1, 0.25, n_items))
    if model == "1PL":
        slope = 1.3
    if model in ("Rasch", "1PL", "2PL", "3PL"):
        c = rng.uniform(0.1, 0.25, n_items) if model == "3PL" else 0.0
        return ItemParameters.of(model, slope=slope, difficulty=rng.normal(0, 1, n_items), lower_asymptote=c)
    steps = np.linspace(-1.2, 1.2, categories - 1)
    if model != "RSM":
        steps = steps + rng.normal(0, 0.15, (n_items, categories - 1))
    return ItemParameters.of(
        model, slope=slope, thresholds=np.sort(steps + rng.normal(0, 0.6, (n_items, 1)), axis=1)
    )


@pytest.mark.parametrize("model", ["Rasch", "1PL", "2PL", "3PL", "GRM", "GPCM", "PCM", "RSM"])
def test_parameters_are_recovered(model):
    rng = np.random.default_rng(20)
    truth = make(model, 15, rng)
    theta = rng.normal(0, 1.2 if model in ("Rasch", "PCM", "RSM") else 1.0, 4000)
    priors = Priors(slope=LogNormal(0.0, 0.5)) if model == "3PL" else None
    found = calibrate(simulate(truth, theta, rng), model, priors=priors)
    errors = found.standard_errors
    a = (found.items.slope - truth.slope) / np.where(errors.slope > 0, errors.slope, np.inf)
    b = np.concatenate(
        [
            (f - t) / e
            for f, t, e in zip(found.items.thresholds, truth.thresholds, errors.thresholds, strict=True)
        ]
    )
    assert np.abs(a).max() < 4
    assert np.abs(b).max() < 4
    assert 0.5 < np.sqrt(np.mean(b**2)) < 1.5
    if model in ("Rasch", "PCM", "RSM"):
        z = (found.group_variance[0] - theta.var()) / found.group_variance_error[0]
        assert abs(z) < 3
    if model == "1PL":
        assert np.ptp(found.items.slope) == 0
        assert np.ptp(errors.slope) == 0
    if model == "RSM":
        steps = np.array([t - t.mean() for t in found.items.thresholds])
        assert np.ptp(steps, axis=0).max() < 1e-12


@pytest.mark.parametrize(("n", "low", "high"), [(200, 0.93, 0.97), (500, 0.93, 0.97)])
def test_intervals_of_a_rasch_calibration_cover(n, low, high):
    """95 % intervals of difficulties, 60 samples of 12 items: 720 intervals, but those of one sample move
    together. Longer runs are in benchmarks/irt_coverage.py."""
    rng = np.random.default_rng(n)
    truth = ItemParameters.of("Rasch", difficulty=np.linspace(-1.5, 1.5, 12))
    inside, total = 0, 0
    for _ in range(60):
        theta = rng.normal(0, 1.0, n)
        found = calibrate(simulate(truth, theta, rng), "Rasch")
        error = np.array([e[0] for e in found.standard_errors.thresholds])
        inside += int((np.abs(found.items.difficulty - truth.difficulty) < 1.959964 * error).sum())
        total += 12
    assert total == 720
    assert low < inside / total < high


def test_intervals_of_a_2pl_calibration_cover():
    rng = np.random.default_rng(77)
    truth = ItemParameters.of("2PL", slope=np.linspace(0.8, 1.6, 10), difficulty=np.linspace(-1.2, 1.2, 10))
    inside = np.zeros(2)
    for _ in range(60):
        found = calibrate(simulate(truth, rng.normal(size=600), rng), "2PL")
        error = found.standard_errors
        d = np.array([v[0] for v in found.items.intercepts])
        true_d = np.array([v[0] for v in truth.intercepts])
        inside[0] += (np.abs(found.items.slope - truth.slope) < 1.959964 * error.slope).sum()
        inside[1] += (np.abs(d - true_d) < 1.959964 * np.array([e[0] for e in error.intercepts])).sum()
    assert (inside / 600 > 0.93).all()
    assert (inside / 600 < 0.97).all()


MODELS = ["2PL", "3PL", "GRM", "GPCM", "PCM", "RSM", "RSM"]


def mixed_data(n=250, seed=3):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=n)
    out = np.empty((n, 7))
    for j, k in enumerate([2, 2, 3, 3, 4, 3, 3]):
        b = np.linspace(-1, 1, k + 1)[1:-1] + 0.2 * j - 0.5
        out[:, j] = (rng.random(n)[:, None] < 1 / (1 + np.exp(-1.3 * (theta[:, None] - b)))).sum(axis=1)
    out[rng.random(out.shape) < 0.1] = np.nan
    return out


def test_order_of_rows_and_columns_does_not_matter():
    x = mixed_data()
    base = calibrate(x, MODELS)
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(x.shape[0]), rng.permutation(7)
    # the first rating-scale item carries shift 0: parameters differ, items do not
    other = calibrate(x[np.ix_(rows, columns)], [MODELS[j] for j in columns])
    assert other.log_likelihood == pytest.approx(base.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(other.items.slope, base.items.slope[columns], atol=2e-5)
    for place, j in enumerate(columns):
        np.testing.assert_allclose(other.items.thresholds[place], base.items.thresholds[j], atol=1e-4)
        np.testing.assert_allclose(
            other.standard_errors.thresholds[place], base.standard_errors.thresholds[j], rtol=1e-3
        )


def test_weights_are_repeated_rows():
    x = mixed_data(120)
    weights = np.random.default_rng(1).integers(0, 3, 120)
    one = calibrate(x, MODELS, weights=weights)
    many = calibrate(np.repeat(x, weights, axis=0), MODELS)
    assert one.log_likelihood == pytest.approx(many.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(one.estimates, many.estimates, atol=2e-5)
    np.testing.assert_allclose(one.covariance, many.covariance, rtol=1e-3, atol=1e-6)
    assert one.total_weight == many.n_persons


def test_reversing_categories_reverses_slopes():
    x = mixed_data()
    columns, models, top = [0, 2, 3], ["2PL", "GRM", "GPCM"], np.array([1, 2, 2])
    base = calibrate(x[:, columns], models)
    flipped = calibrate(top - x[:, columns], models)
    assert flipped.log_likelihood == pytest.approx(base.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(np.abs(flipped.items.slope), np.abs(base.items.slope), atol=1e-4)
    sign = np.sign(flipped.items.slope[0] * base.items.slope[0])
    for mine, its in zip(flipped.items.thresholds, base.items.thresholds, strict=True):
        np.testing.assert_allclose(
            mine, (sign if sign > 0 else 1) * (its if sign < 0 else -its)[::-1], atol=1e-3
        )


def test_two_categories_make_all_slope_models_the_2pl():
    x = (mixed_data()[:, [0, 1, 4]] > 0).astype(float)
    base = calibrate(x, "2PL")
    for model in ("GRM", "GPCM"):
        other = calibrate(x, model)
        assert other.log_likelihood == pytest.approx(base.log_likelihood, abs=1e-8)
        np.testing.assert_allclose(other.items.difficulty, base.items.difficulty, atol=1e-5)


def test_rasch_with_free_variance_is_the_1pl():
    x = (mixed_data()[:, [0, 1, 4, 5]] > 0).astype(float)
    rasch, one = calibrate(x, "Rasch"), calibrate(x, "1PL")
    assert rasch.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-7)
    assert rasch.group_variance[0] == pytest.approx(one.items.slope[0] ** 2, rel=1e-4)
    np.testing.assert_allclose(rasch.items.difficulty, one.items.difficulty * one.items.slope, atol=1e-5)


def test_collapsing_identical_rows_changes_nothing(monkeypatch):
    rng = np.random.default_rng(9)
    theta = rng.normal(size=3000)
    x = (rng.random((3000, 6)) < 1 / (1 + np.exp(-(theta[:, None] - np.linspace(-1, 1, 6))))).astype(float)
    group = rng.integers(0, 2, 3000)
    quick = calibrate(x, "2PL", groups=group)
    monkeypatch.setattr("scoring.irt.design.collapse_rows", lambda responses: None)
    slow = calibrate(x, "2PL", groups=group)
    assert quick.log_likelihood == pytest.approx(slow.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(quick.covariance, slow.covariance, rtol=1e-4, atol=1e-8)


def test_large_samples_start_from_a_part(monkeypatch):
    """The path for many persons leads to the same maximum."""
    rng = np.random.default_rng(10)
    truth = make("2PL", 12, rng)
    x = simulate(truth, rng.normal(size=3000), rng)
    base = calibrate(x, "2PL")
    monkeypatch.setattr("scoring.irt.calibration._WARM_START_FROM", 500)
    monkeypatch.setattr("scoring.irt.calibration._WARM_START_SIZE", 300)
    monkeypatch.setattr("scoring.irt.solver._SAMPLE", 300)
    other = calibrate(x, "2PL")
    assert other.log_likelihood == pytest.approx(base.log_likelihood, abs=1e-5)
    np.testing.assert_allclose(other.estimates, base.estimates, atol=1e-4)


def test_what_is_rare_in_a_part_is_not_lost(monkeypatch):
    """Categories that the starting part of the persons never shows."""
    rng = np.random.default_rng(12)
    truth = ItemParameters.of(
        ["2PL", "2PL", "2PL", "2PL", "GPCM", "GRM"],
        slope=[1.0, 1.3, 0.8, 1.2, 1.0, 1.4],
        thresholds=[[5.0], [0.0], [-0.5], [0.8], [0.0, 5.0], [-0.5, 0.5, 4.2]],
    )
    x = simulate(truth, rng.normal(size=4000), rng)
    assert all(3 <= (x[:, j] == x[:, j].max()).sum() < 60 for j in (0, 4, 5))
    base = calibrate(x, truth.model)
    monkeypatch.setattr("scoring.irt.calibration._WARM_START_FROM", 500)
    monkeypatch.setattr("scoring.irt.calibration._WARM_START_SIZE", 100)
    other = calibrate(x, truth.model)
    assert other.log_likelihood == pytest.approx(base.log_likelihood, abs=1e-5)
    np.testing.assert_allclose(other.estimates, base.estimates, atol=1e-3)


def test_a_coarser_grid_for_standard_errors_is_good_enough(monkeypatch):
    x = mixed_data(800)
    base = calibrate(x, MODELS)
    monkeypatch.setattr("scoring.irt.calibration._DEAR", 0.0)
    monkeypatch.setattr("scoring.irt.nodes.LEAST", 5)
    coarse = calibrate(x, MODELS)
    ratio = np.sqrt(np.diag(coarse.covariance) / np.diag(base.covariance))
    assert np.abs(ratio - 1).max() < 1e-3
    assert np.abs(ratio - 1).max() > 1e-12


def test_thin_and_empty_categories_are_merged_with_a_remark():
    x = mixed_data()[:, 2:5]
    x[:, 2] = np.where(x[:, 2] == 1, 2, x[:, 2])  # an empty category
    x[np.flatnonzero(x[:, 0] == 2)[2:], 0] = 1  # a top category with two responses
    found = calibrate(x, "GPCM", items=["thin", "whole", "gap"])
    assert found.items.recoding == ((0, 1, 1), (0, 1, 2), (0, 1, 1, 2))
    assert found.items.categories.tolist() == [2, 3, 3]
    assert len(found.remarks) == 3  # two persons met none of the three items
    assert "Item thin: categories 1+2 were merged" in found.remarks[0]
    assert "2 responses" in found.remarks[0]
    scored = estimate_ability(x, found)
    assert np.isfinite(scored.theta).all()
    merged = x.copy()
    merged[:, 0] = np.minimum(merged[:, 0], 1)
    np.testing.assert_allclose(estimate_ability(merged, found).theta, scored.theta)
    kept = calibrate(x, "GPCM", minimum_count=0)
    assert kept.items.categories.tolist() == [3, 3, 3]


def test_prior_pulls_and_is_counted():
    x = mixed_data()[:, :1]
    x = np.c_[x, (mixed_data()[:, 2:6] > 0).astype(float)]
    free = calibrate(x, "2PL")
    tight = calibrate(x, "2PL", priors=Priors(slope=LogNormal(0.0, 0.05), intercept=Normal(0.0, 0.1)))
    assert np.abs(np.log(tight.items.slope)).max() < np.abs(np.log(np.abs(free.items.slope))).max()
    assert free.log_prior == 0.0
    assert tight.log_prior != 0.0
    assert tight.log_likelihood < free.log_likelihood
    assert (tight.standard_errors.slope < free.standard_errors.slope).all()


def test_beta_prior_on_the_asymptote():
    rng = np.random.default_rng(30)
    truth = make("3PL", 10, rng)
    x = simulate(truth, rng.normal(size=800), rng)
    strong = calibrate(x, "3PL", priors=Priors(slope=LogNormal(0, 0.5), lower_asymptote=Beta(500.0, 1500.0)))
    assert np.abs(strong.items.lower_asymptote - 0.25).max() < 0.02


def test_nodes_can_be_chosen():
    x = (mixed_data()[:, [0, 2, 4, 5]] > 0).astype(float)
    base = calibrate(x, "2PL")
    number = calibrate(x, "2PL", nodes=61)
    given = calibrate(x, "2PL", nodes=np.linspace(-7, 7, 71))
    assert number.nodes.size == 61
    assert given.nodes.size == 71
    for other in (number, given):
        assert other.log_likelihood == pytest.approx(base.log_likelihood, abs=1e-5)


def test_empty_rows_and_errors_not_wanted():
    x = mixed_data()
    padded = np.vstack([x, np.full((30, 7), np.nan)])
    base = calibrate(x, MODELS, standard_errors=False)
    found = calibrate(padded, MODELS, standard_errors=False)
    assert found.log_likelihood == pytest.approx(base.log_likelihood, abs=1e-6)
    assert found.covariance is None
    assert found.standard_errors is None
    assert "30 of 280 persons met no item" in found.remarks[0]


GUTTMAN = np.repeat(np.tril(np.ones((7, 6)), -1), 15, axis=0)


@pytest.mark.parametrize("model", ["Rasch", "1PL", "2PL", "3PL", "GRM", "GPCM"])
def test_separated_data_give_a_flagged_finite_answer(model):
    found = calibrate(GUTTMAN, model)
    assert np.isfinite(found.items.slope).all()
    assert np.isfinite(found.items.difficulty).all()
    assert any("stopped at" in remark for remark in found.remarks)
    assert (np.diff(found.items.difficulty) > 0).all()
    known = np.isfinite(np.diag(found.covariance))
    assert not known.all()


def test_no_variance_is_flagged():
    rng = np.random.default_rng(1)
    found = calibrate(rng.integers(0, 2, (400, 8)), "Rasch")
    if found.group_variance[0] < 1e-3:
        assert found.remarks
        assert np.isnan(found.group_variance_error[0])
    assert np.isfinite(found.items.difficulty).all()
    assert all(np.isfinite(e).all() for e in found.standard_errors.thresholds)


def test_what_the_data_do_not_determine_is_named():
    x = mixed_data()[:, :1]
    found = calibrate(x[~np.isnan(x[:, 0])], "2PL", items=["only"])
    assert "do not determine only.slope, only.intercept" in found.remarks[0]
    assert np.isnan(found.standard_errors.slope).all()


ONES = np.ones((20, 1))
BAD = {
    "one category": (lambda x: np.c_[x, np.ones(250)], "2PL", {}, NotIdentified),
    "met by nobody": (lambda x: np.c_[x, np.full(250, np.nan)], "2PL", {}, NotIdentified),
    "all equal": (lambda x: np.zeros((20, 3)), "Rasch", {}, NotIdentified),
    "one person": (lambda x: x[:1], "2PL", {}, NotIdentified),
    "three categories for 2PL": (lambda x: np.c_[x, np.arange(250) % 3], "2PL", {}, BadResponses),
    "3PL without a prior": (lambda x: x, "3PL", {"priors": Priors(lower_asymptote=None)}, BadParameters),
    "unknown model": (lambda x: x, "4PL", {}, BadParameters),
    "too few models": (lambda x: x, ["2PL"], {}, BadParameters),
    "limit": (lambda x: x, "2PL", {"max_iterations": 2}, NotConverged),
    "no tolerance": (lambda x: x, "2PL", {"tolerance": 0.0}, BadParameters),
    "no iterations": (lambda x: x, "2PL", {"max_iterations": 0}, BadParameters),
    "nodes": (lambda x: x, "2PL", {"nodes": 2}, BadParameters),
    "uneven nodes": (lambda x: x, "2PL", {"nodes": [-3, -1, 0, 1, 2, 5]}, BadParameters),
    "group labels": (lambda x: x, "2PL", {"groups": [1, 2]}, BadResponses),
    "missing group": (lambda x: x, "2PL", {"groups": [None] * 250}, BadResponses),
    "missing group number": (lambda x: x, "2PL", {"groups": [np.nan] * 250}, BadResponses),
    "group of weight 0": (
        lambda x: x,
        "2PL",
        {"groups": [0] * 10 + [1] * 240, "weights": [0] * 10 + [1] * 240},
        BadResponses,
    ),
    "unknown fixed item": (lambda x: x, "2PL", {"fixed": {"Z": {"difficulty": 0.0}}}, BadParameters),
    "fixed column out of range": (lambda x: x, "2PL", {"fixed": {9: {"difficulty": 0.0}}}, BadParameters),
    "fixed without difficulty": (lambda x: x, "2PL", {"fixed": {0: {"slope": 1.0}}}, BadParameters),
    "fixed with an unknown word": (lambda x: x, "2PL", {"fixed": {0: {"guess": 1.0}}}, BadParameters),
    "priors of another kind": (lambda x: x, "2PL", {"priors": {"slope": 1}}, BadParameters),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    change, model, options, error = BAD[name]
    x = (np.nan_to_num(mixed_data()[:, [0, 2, 4, 5]]) > 0).astype(float)
    with pytest.raises(error, match=r"\w+ .*[.]"):
        calibrate(change(x), model, **options)


def test_not_converged_tells_how_far_it_came():
    x = (np.nan_to_num(mixed_data()[:, [0, 2, 4, 5]]) > 0).astype(float)
    with pytest.raises(NotConverged) as raised:
        calibrate(x, "2PL", max_iterations=4)
    assert raised.value.iterations >= 4


def test_groups_without_common_items_are_refused():
    x = (np.nan_to_num(mixed_data()[:, [0, 2, 4, 5]]) > 0).astype(float)
    group = np.repeat(["a", "b"], 125)
    x[:125, 2:] = np.nan
    x[125:, :2] = np.nan
    with pytest.raises(NotIdentified, match="Group b shares no item"):
        calibrate(x, "2PL", groups=group)
    joined = calibrate(x, "2PL", groups=group, fixed={0: {"difficulty": 0.0}, 2: {"difficulty": 0.3}})
    assert np.isfinite(joined.group_mean).all()


@pytest.mark.parametrize(
    "make_prior",
    [
        lambda: Normal(0, 0),
        lambda: LogNormal(np.nan, 1),
        lambda: Beta(0, 1),
        lambda: Priors(slope=Beta(1, 1)),
        lambda: Priors(intercept=LogNormal(0, 1)),
    ],
)
def test_bad_priors(make_prior):
    with pytest.raises(BadParameters):
        make_prior()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(4, 60),
    st.integers(2, 6),
    st.sampled_from(["Rasch", "1PL", "2PL", "3PL", "GRM", "GPCM", "PCM", "RSM"]),
    st.floats(0.0, 0.5),
)
def test_whatever_the_data_the_answer_is_finite_or_named(seed, n, k, model, missing):
    """Random little matrices, many of them degenerate: an error of ours or finite, flagged numbers."""
    rng = np.random.default_rng(seed)
    top = 2 if model in ("Rasch", "1PL", "2PL", "3PL") else 4
    x = rng.integers(0, top, (n, k)).astype(float)
    x[rng.random(x.shape) < missing] = np.nan
    x.setflags(write=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = calibrate(x, model)
        except (NotIdentified, NotConverged):
            return
        assert np.isfinite(found.items.slope).all()
        assert all(np.isfinite(t).all() for t in found.items.thresholds)
        assert np.isfinite(found.log_likelihood)
        assert np.isfinite(found.group_variance).all()
        if np.isnan(found.covariance).any():
            assert found.remarks
        scored = estimate_ability(x, found)
        assert np.isfinite(scored.theta).all()
        assert (scored.standard_error > 0).all()


def test_responses_from_the_gate_are_taken():
    x = (np.nan_to_num(mixed_data()[:, [0, 2, 4, 5]]) > 0).astype(float)
    read = read_responses(x, items=["a", "b", "c", "d"])
    found = calibrate(read, "2PL")
    assert found.items.items == ("a", "b", "c", "d")
    assert found.parameters[:2] == ("a.slope", "a.intercept")
