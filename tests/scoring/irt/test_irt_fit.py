"""Fit statistics: sizes under the model, power against misfit, and input that says nothing."""

import numpy as np
import pytest

from scoring.errors import BadParameters, NotIdentified, TooFewObservations
from scoring.irt import (
    ItemParameters,
    calibrate,
    estimate_ability,
    item_fit,
    local_dependence,
    model_fit,
    person_fit,
)
from scoring.irt.item_fit import ScoreTable, merge_sparse, score_tables

ITEMS = ItemParameters.of("2PL", slope=np.tile([0.9, 1.2, 1.6], 10), difficulty=np.linspace(-2, 2, 30))


def simulate(items, theta, rng):
    p = 1 / (1 + np.exp(-items.slope * (theta[:, None] - items.difficulty)))
    return (rng.random(p.shape) < p).astype(float)


def test_person_fit_under_the_model():
    rng = np.random.default_rng(1)
    x = simulate(ITEMS, rng.normal(size=3000), rng)
    for method, low in (("WLE", 0.93), ("ML", 0.93), ("MAP", 0.90)):
        found = person_fit(x, ITEMS, method=method)
        known = np.isfinite(found.lz_star)
        assert known.mean() > 0.98
        # the correction restores the spread that estimating θ has taken
        assert found.lz[known].std() < found.lz_star[known].std()
        assert low < found.lz_star[known].std() < 1.07
        assert abs(found.lz_star[known].mean()) < 0.16  # goes with 1/√items: 0.03 at 120
    share = (found.lz_star[known] < -1.645).mean()
    assert 0.03 < share < 0.09


def test_person_fit_finds_the_one_who_guesses():
    rng = np.random.default_rng(2)
    x = simulate(ITEMS, rng.normal(size=500), rng)
    x[:50] = rng.integers(0, 2, (50, 30))
    found = person_fit(x, ITEMS)
    assert np.mean(found.lz_star[:50] < -1.645) > 0.7
    assert np.median(found.outfit[:50]) > 1.3 * np.median(found.outfit[50:])
    nothing = person_fit(np.full((1, 30), np.nan), ITEMS)
    assert np.isnan(nothing.lz[0])
    assert np.isnan(nothing.outfit[0])
    given = person_fit(x, ITEMS, ability=np.zeros(500))
    assert given.lz_star is None


def test_item_fit_finds_the_item_that_does_not_belong():
    rng = np.random.default_rng(3)
    theta = rng.normal(size=1500)
    items = ItemParameters.of("Rasch", difficulty=np.linspace(-1.5, 1.5, 12))
    x = simulate(items, theta, rng)
    x[:, 4] = rng.random(1500) < 0.6
    found = item_fit(x, calibrate(x, "Rasch"))
    assert found.p_value.argmin() == 4
    assert found.p_value[4] < 1e-6
    assert found.infit.argmax() == 4
    assert found.outfit.argmax() == 4
    good = calibrate(np.delete(x, 4, axis=1), "Rasch")
    assert model_fit(np.delete(x, 4, axis=1), good).p_value > 0.001
    assert model_fit(x, calibrate(x, "Rasch")).p_value < 1e-6


def test_posterior_mean_squares_centre_at_one():
    rng = np.random.default_rng(4)
    items = ItemParameters.of("Rasch", difficulty=np.linspace(-1.5, 1.5, 12))
    x = simulate(items, rng.normal(size=3000), rng)
    found = item_fit(x, items, method="posterior")
    assert np.abs(found.infit - 1).max() < 0.06
    assert item_fit(x, items).infit.mean() < 0.95  # at EAP they do not


def test_score_tables_add_up():
    rng = np.random.default_rng(5)
    items = ItemParameters.of(
        ["2PL", "GRM", "GPCM"], slope=[1, 1.2, 0.8], thresholds=[[0.1], [-0.5, 0.5], [0.2, 0.4]]
    )
    x = np.column_stack([rng.integers(0, k, 400) for k in (2, 3, 3)]).astype(float)
    read = items.read(x)
    tables = score_tables(read, items, 0.0, 1.0)
    assert len(tables) == 3
    total = x.sum(axis=1)
    inside = ((total > 0) & (total < 5)).sum()
    for j, table in enumerate(tables):
        assert table.observed.sum() == inside
        np.testing.assert_allclose(table.expected.sum(axis=1), table.observed.sum(axis=1))
        for s, row in zip(table.score, table.observed, strict=True):
            assert row.tolist() == [((total == s) & (x[:, j] == c)).sum() for c in range(row.size)]
    # the expected scores of all items at one total score add up to it
    for place, s in enumerate(tables[0].score):
        mean = sum(t.expected[place] @ np.arange(t.expected.shape[1]) for t in tables)
        assert mean == pytest.approx(s * tables[0].observed[place].sum())


def test_merging_keeps_everybody():
    rng = np.random.default_rng(6)
    done = 0
    for _ in range(60):
        rows, k = rng.integers(3, 15), rng.integers(2, 6)
        expected = rng.gamma(0.5, 3.0, (rows, k))
        observed = rng.poisson(expected).astype(float)
        table = ScoreTable(np.arange(rows), observed, expected)
        merged = merge_sparse(table, 1.0)
        used = merged.expected > 0
        assert (merged.expected[used] >= 1.0).all() or merged.score.size == 1
        done += 1
        assert merged.observed.sum() == observed.sum()
    assert done == 60


def test_local_dependence_finds_the_pair():
    rng = np.random.default_rng(7)
    x = simulate(ITEMS, rng.normal(size=800), rng)
    copy = rng.random(800) < 0.6
    x[copy, 11] = x[copy, 10]
    found = local_dependence(x, ITEMS)
    off = found.q3 - np.eye(30)
    assert {int(i) for i in np.unravel_index(off.argmax(), off.shape)} == {10, 11}
    assert found.q3[10, 11] - found.mean_q3 > 0.2
    np.testing.assert_allclose(found.q3, found.q3.T)
    assert (found.n_pairs == 800).all()
    x[:, 0] = np.nan
    alone = local_dependence(x, ITEMS)
    assert np.isnan(alone.q3[0, 1:]).all()
    assert alone.q3[0, 0] == 1.0


def test_q3_is_the_correlation_of_residuals():
    rng = np.random.default_rng(8)
    x = simulate(ITEMS, rng.normal(size=200), rng)
    x[rng.random(x.shape) < 0.2] = np.nan
    theta = estimate_ability(x, ITEMS).theta
    residual = x - 1 / (1 + np.exp(-ITEMS.slope * (theta[:, None] - ITEMS.difficulty)))
    both = ~np.isnan(residual[:, [3, 9]]).any(axis=1)
    expected = np.corrcoef(residual[both][:, [3, 9]].T)[0, 1]
    found = local_dependence(x, ITEMS)
    assert found.q3[3, 9] == pytest.approx(expected, abs=1e-10)
    assert found.n_pairs[3, 9] == both.sum()


def test_fit_of_persons_with_missing_responses_and_weights():
    rng = np.random.default_rng(9)
    x = simulate(ITEMS, rng.normal(size=150), rng)
    weights = rng.integers(1, 4, 150)
    from scoring.responses import read_responses

    one = item_fit(read_responses(x, weights=weights), ITEMS)
    many = item_fit(np.repeat(x, weights, axis=0), ITEMS)
    np.testing.assert_allclose(one.outfit, many.outfit)
    np.testing.assert_allclose(one.z_infit, many.z_infit)
    np.testing.assert_allclose(one.s_x2, many.s_x2)
    some = x.copy()
    some[:100, 0] = np.nan
    found = item_fit(some, ITEMS)
    assert found.n_complete == 50
    assert found.n_persons == 150


def test_limited_information_with_many_categories():
    rng = np.random.default_rng(10)
    theta = rng.normal(size=1200)
    b = np.linspace(-1, 1, 6)[:, None] + np.array([-1.0, 0.0, 1.0])
    p = 1 / (1 + np.exp(-1.3 * (theta[:, None, None] - b)))
    x = (rng.random((1200, 6, 1)) < p).sum(axis=2).astype(float)
    found = model_fit(x, calibrate(x, "GRM"))
    assert found.df == 18 + 15 - 24
    assert found.p_value > 0.001
    assert found.rmsea_interval[0] <= found.rmsea <= found.rmsea_interval[1]
    wrong = x.copy()
    wrong[:, 1] = wrong[:, 0]
    assert model_fit(wrong, calibrate(wrong, "PCM")).p_value < 1e-6


def test_what_cannot_be_judged_is_refused():
    rng = np.random.default_rng(11)
    x = simulate(ITEMS, rng.normal(size=100), rng)[:, :4]
    four = ITEMS.select(range(4))
    with pytest.raises(TooFewObservations):
        item_fit(np.full((3, 4), np.nan), four, method="WLE")
    with pytest.raises(TooFewObservations):
        local_dependence(x[:2], four)
    with pytest.raises(BadParameters, match="Calibration"):
        model_fit(x, four)
    with pytest.raises(BadParameters, match="one group"):
        model_fit(x, calibrate(x, "Rasch", groups=np.repeat([0, 1], 50)))
    with pytest.raises(NotIdentified, match="degrees of freedom"):
        model_fit(x[:, :2], calibrate(x[:, :2], "2PL"))
    gaps = x.copy()
    gaps[:, 0] = np.where(np.arange(100) % 2, gaps[:, 0], np.nan)
    gaps[:, 1] = np.where(np.arange(100) % 2, np.nan, gaps[:, 1])
    with pytest.raises(TooFewObservations, match="every item"):
        model_fit(gaps, calibrate(gaps, "Rasch"))
    alike = x.copy()
    alike[:60] = np.where(np.arange(4) == 0, 1.0, alike[:60])
    alike[60:, 1] = np.nan
    with pytest.raises(NotIdentified, match="never varies"):
        model_fit(alike, calibrate(alike, "Rasch"))
    with pytest.raises(BadParameters):
        person_fit(x, four, ability=[0.0])
    with pytest.raises(BadParameters):
        item_fit(x, four, n_estimated=[1])
    with pytest.raises(BadParameters, match="several groups"):
        item_fit(x, calibrate(x, "Rasch", groups=np.repeat([0, 1], 50)))
