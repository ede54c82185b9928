"""Response times of simulated rooms: honest, hasty, and working together."""

import numpy as np
import pytest

from scoring.errors import BadParameters, TooFewObservations
from scoring.forensics import response_times


def simulate(seed: int, persons: int = 40, items: int = 30):
    rng = np.random.default_rng(seed)
    speed, intensity = rng.normal(0, 0.3, persons), rng.normal(4, 0.4, items)
    return np.exp(intensity - speed[:, None] + rng.normal(0, 0.4, (persons, items))), speed, intensity


def test_speed_and_intensity_are_recovered():
    seconds, speed, intensity = simulate(1, 400, 40)
    seconds[np.random.default_rng(2).random(seconds.shape) < 0.1] = np.nan
    found = response_times(seconds)
    assert np.corrcoef(found.speed, speed)[0, 1] > 0.95
    np.testing.assert_allclose(
        found.intensity - found.intensity.mean(), intensity - intensity.mean(), atol=0.1
    )
    np.testing.assert_allclose(found.dispersion, 0.4, atol=0.06)


def test_complete_times_are_fitted_by_row_and_column_means():
    seconds, _, _ = simulate(3)
    found = response_times(seconds)
    logs = np.log(seconds)
    np.testing.assert_allclose(found.intensity, logs.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(found.speed, logs.mean() - logs.mean(axis=1), atol=1e-9)
    residual = logs - logs.mean(axis=0) - logs.mean(axis=1)[:, None] + logs.mean()
    standardised = residual / found.dispersion
    pair = 7
    one, other = found.first[pair], found.second[pair]
    assert found.correlation[pair] == pytest.approx(np.corrcoef(standardised[one], standardised[other])[0, 1])


def test_honest_rooms_are_left_alone():
    wrong = hasty = 0
    for seed in range(40):
        found = response_times(simulate(seed)[0], alpha=0.05)
        wrong += bool(found.co_occurring.any())
        hasty += bool(found.hasty.any())
    assert wrong <= 6  # 5 % expected; 7 of 40 would happen with probability 0.003
    assert hasty <= 6


def test_hasty_and_synchronous_candidates_are_found():
    seconds, _, _ = simulate(5)
    rng = np.random.default_rng(6)
    seconds[3, 10:] = rng.uniform(0.5, 1.5, 20)
    seconds[8] = seconds[21] * np.exp(rng.normal(0, 0.05, 30))
    found = response_times(seconds)
    assert found.hasty.tolist() == [i == 3 for i in range(40)]
    assert found.effort[3] == pytest.approx(1 / 3)
    pairs = {
        (int(a), int(b)) for a, b in zip(found.first[found.co_occurring], found.second[found.co_occurring])
    }
    assert pairs == {(8, 21)}


def test_a_distinct_fast_component_sets_the_threshold():
    seconds, _, _ = simulate(7, 300, 12)
    rng = np.random.default_rng(8)
    guessing = rng.random(seconds.shape) < 0.15
    seconds[guessing] = np.exp(rng.normal(0.7, 0.25, guessing.sum()))
    found = response_times(seconds, method="mixture")
    assert ((found.threshold > 3.5) & (found.threshold < 20)).all()
    assert (found.too_fast != guessing).mean() < 0.01
    plain = response_times(simulate(9, 300, 12)[0], method="mixture")
    assert plain.too_fast.mean() < 0.005


def test_normative_thresholds_by_hand():
    seconds = np.full((20, 10), 50.0)
    seconds[:, 0] = 200.0
    seconds[0, 1] = 2.0
    found = response_times(seconds)
    assert found.threshold[0] == 10.0
    assert found.threshold[2] == pytest.approx(5.0)
    assert found.too_fast.sum() == 1
    assert found.too_fast[0, 1]
    assert np.isfinite(found.correlation).all()


@pytest.mark.parametrize(
    ("seconds", "options", "error", "words"),
    [
        (np.ones((10, 20)), {}, TooFewObservations, "usual"),
        (np.ones((30, 5)), {}, TooFewObservations, "usual"),
        (np.zeros((30, 20)), {}, BadParameters, "positive"),
        (np.full((30, 20), np.inf), {}, BadParameters, "finite"),
        (np.full((30, 20), np.nan), {}, TooFewObservations, "Every item"),
        (np.ones((30, 20)), {"method": "mixture"}, TooFewObservations, "two kinds"),
        (np.ones((30, 20)), {"method": "guess"}, BadParameters, "normative or mixture"),
        (np.ones((30, 20)), {"share": 2}, BadParameters, "share"),
        ("abc", {}, BadParameters, "seconds"),
    ],
)  # fmt: skip
def test_bad_times_are_refused(seconds, options, error, words):
    with pytest.raises(error, match=words):
        response_times(seconds, **options)
