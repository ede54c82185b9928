"""What holds whatever the data: identities, symmetry, standard errors against resampling, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.equating import (
    braun_holland,
    chained,
    circle_arc,
    equipercentile,
    frequency_estimation,
    levine,
    linear,
    log_linear,
    mean,
    nominal_weights,
    select_degree,
    tucker,
)
from scoring.equating.errors import bootstrap
from scoring.equating.percentiles import percentile_ranks, rank_of, score_at
from scoring.errors import BadParameters, BadResponses, NotIdentified, TooFewObservations

RANDOM_GROUPS = [mean, linear, equipercentile, circle_arc]
WITH_ANCHOR = [tucker, levine, nominal_weights, chained, frequency_estimation, braun_holland]


def draw(seed: int, n: int, ability: float = 0.0, items: int = 30, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    eta = rng.normal(ability, 1, n)[:, None] - np.linspace(-2, 2, items) - shift
    return (rng.random(eta.shape) < 1 / (1 + np.exp(-1.1 * eta))).sum(axis=1)


def draw_neat(seed: int, n: int, ability: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    theta = rng.normal(ability, 1, n)[:, None]
    own = (rng.random((n, 20)) < 1 / (1 + np.exp(-1.1 * (theta - np.linspace(-2, 2, 20) - shift)))).sum(
        axis=1
    )
    anchor = (rng.random((n, 10)) < 1 / (1 + np.exp(-1.1 * (theta - np.linspace(-1.8, 1.8, 10))))).sum(axis=1)
    return own + anchor, anchor


@pytest.mark.parametrize("method", RANDOM_GROUPS)
def test_a_form_equates_to_itself(method):
    x = draw(1, 500)
    np.testing.assert_allclose(
        method(x, x, scale=(0, 30)).y[x.min() : x.max() + 1], np.arange(x.min(), x.max() + 1), atol=1e-9
    )


@pytest.mark.parametrize("method", WITH_ANCHOR)
def test_a_form_with_its_anchor_equates_to_itself(method):
    x, v = draw_neat(1, 400, 0.0, 0.0)
    options = {"replications": 50} if method in (frequency_estimation, braun_holland) else {}
    found = method(x, v, x, v, scale=(0, 30), **options)
    np.testing.assert_allclose(found.y[x.min() : x.max() + 1], np.arange(x.min(), x.max() + 1), atol=1e-9)


@pytest.mark.parametrize("method", [mean, linear])
def test_equating_back_is_the_inverse(method):
    x, y = draw(1, 400), draw(2, 500, 0.2)
    there, back = method(x, y, scale=(0, 30)), method(y, x, scale=(0, 30))
    np.testing.assert_allclose(back.intercept + back.slope * there.y, there.x, atol=1e-10)
    order = np.random.default_rng(0).permutation(400)
    np.testing.assert_allclose(method(x[order], y, scale=(0, 30)).y, there.y, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=2, max_size=12).filter(lambda c: sum(c) > 0), st.floats(0.001, 0.999)
)
def test_the_inverse_of_percentile_ranks(frequencies, p):
    share = np.array(frequencies) / sum(frequencies)
    score = score_at(p, share, 0)
    assert rank_of(score, share, 0)[0] == pytest.approx(p, abs=1e-8)
    assert (np.diff(score_at(np.linspace(0, 1, 50), share, 0)) >= -1e-9).all()
    np.testing.assert_allclose(rank_of(np.arange(len(frequencies)), share, 0), percentile_ranks(share))


@pytest.mark.parametrize(
    ("method", "options"),
    [(mean, {}), (linear, {}), (equipercentile, {}), (equipercentile, {"degree": 4}), (circle_arc, {})],
)
def test_standard_errors_agree_with_resampling(method, options):
    x, y = draw(11, 1500), draw(12, 1200, 0.1)
    found = method(x, y, scale=(0, 30), **options)
    resampled = bootstrap(lambda a, b: method(a, b, scale=(0, 30), **options).y, (x,), (y,), 300, 5)
    inner = slice(6, 25)
    ratio = found.standard_error[inner] / resampled[inner]
    assert 0.9 < np.median(ratio) < 1.1
    assert (ratio > 0.6).all()
    assert (ratio < 1.6).all()


@pytest.mark.parametrize(
    ("method", "options"),
    [(tucker, {}), (levine, {}), (levine, {"true_score": True}), (levine, {"internal": False}), (chained, {}), (nominal_weights, {}), (tucker, {"kind": "mean"})],
)  # fmt: skip
def test_standard_errors_with_an_anchor_agree_with_resampling(method, options):
    x, v = draw_neat(21, 900, 0.0, 0.0)
    y, w = draw_neat(22, 800, 0.3, 0.2)
    found = (
        method(x, v, y, w, scale=(0, 30), weight=0.5, **options)
        if method is not chained
        else method(x, v, y, w, scale=(0, 30), **options)
    )
    extra = {} if method is chained else {"weight": 0.5}
    resampled = bootstrap(
        lambda a, b, c, d: method(a, b, c, d, scale=(0, 30), **extra, **options).y, (x, v), (y, w), 300, 6
    )
    ratio = found.standard_error / resampled
    assert (ratio > 0.85).all()
    assert (ratio < 1.15).all()


def test_intervals_cover_the_population_function():
    low = high = 0
    truth = None
    x_all, y_all = draw(100, 150_000), draw(101, 150_000, 0.0, shift=0.25)
    truth = linear(x_all, y_all, scale=(0, 30)).y[15]
    for seed in range(200):
        found = linear(draw(seed, 200), draw(seed + 5000, 200, shift=0.25), scale=(0, 30))
        half = 1.96 * found.standard_error[15]
        low += truth < found.y[15] - half
        high += truth > found.y[15] + half
    assert 1 <= low + high <= 20  # 95 %: 10 expected of 200


def test_log_linear_keeps_moments_and_its_covariance_is_right():
    table = np.bincount(draw(3, 800), minlength=31)
    for degree in (2, 4):
        fit = log_linear(table, degree)
        for power in range(degree + 1):
            scores = np.arange(31.0) ** power
            assert fit.fitted @ scores == pytest.approx(table @ scores, rel=1e-8)
    # delta method by refitting: a multinomial's gradient of the fitted shares
    fit = log_linear(table, 3)
    n = table.sum()
    share = table / n
    base = fit.fitted / n
    jacobian = np.array(
        [
            (log_linear(table + 1e-3 * n * np.eye(31)[j], 3).fitted / (n * 1.001) - base) / (1e-3 / 1.001)
            for j in range(31)
        ]
    ).T
    covariance = jacobian @ (np.diag(base) - np.outer(base, base)) @ jacobian.T / n
    np.testing.assert_allclose(
        np.diag(fit.covariance_root @ fit.covariance_root.T), np.diag(covariance), rtol=0.03
    )
    assert share.sum() == pytest.approx(1)
    assert 2 <= select_degree(table) <= 8


def test_impossible_cells_stay_empty():
    x, v = draw_neat(5, 600, 0.0, 0.0)
    table = np.zeros((31, 11))
    np.add.at(table, (x, v), 1)
    impossible = np.arange(11)[None, :] > np.arange(31)[:, None]
    fit = log_linear(table, (3, 3), impossible=impossible)
    assert (fit.fitted[impossible] == 0).all()
    assert fit.fitted.sum() == pytest.approx(600)
    np.testing.assert_allclose(
        (fit.fitted * np.outer(np.arange(31), np.arange(11))).sum(), (x * v).sum(), rtol=1e-8
    )


def test_circle_arc_goes_through_its_points():
    x, y = draw(8, 40), draw(9, 40, 0.3)
    found = circle_arc(x, y, scale=(0, 30), low=(5, 6), high=(30, 30))
    assert found.y[5] == pytest.approx(6)
    assert found.y[30] == pytest.approx(30)
    line = 6 + 24 / 25 * (found.x - 5)
    assert found.y[2] == pytest.approx(line[2])
    lift = found.y - line
    assert (np.sign(lift[6:30]) == np.sign(lift[15])).all()


def test_scores_outside_are_asked_for_by_name():
    found = mean(draw(1, 100), draw(2, 100), scale=(0, 30))
    assert found.equivalent(7) == found.y[7]
    with pytest.raises(BadResponses, match="outside form X's scale"):
        found.equivalent(31)


GOOD = np.arange(40) % 20


@pytest.mark.parametrize("method", RANDOM_GROUPS)
@pytest.mark.parametrize(
    ("scores", "error", "words"),
    [
        (GOOD[:10], TooFewObservations, "worse than none"),
        (np.full(40, 7), NotIdentified, "equal"),
        (GOOD + 0.5, BadResponses, "whole numbers"),
        (np.where(GOOD == 3, np.nan, GOOD), BadResponses, "whole numbers"),
        (GOOD + 50, BadResponses, "outside the scale"),
        (["a"] * 40, BadResponses, "numbers"),
    ],
)
def test_scores_that_cannot_be_equated_are_refused(method, scores, error, words):
    with pytest.raises(error, match=words):
        method(scores, GOOD, scale=(0, 30))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: tucker(GOOD, GOOD[:39], GOOD, GOOD), BadResponses, "different lengths"),
        (lambda: tucker(GOOD, GOOD, GOOD, GOOD, weight=2), BadParameters, "between 0 and 1"),
        (lambda: tucker(GOOD, GOOD, GOOD, GOOD, kind="odd"), BadParameters, "linear or mean"),
        (lambda: chained(GOOD, GOOD, GOOD, GOOD, degree=(2, 2)), BadParameters, "presmoothed"),
        (lambda: frequency_estimation(GOOD, GOOD, GOOD, GOOD, replications=5), BadParameters, "50 replications"),
        (lambda: log_linear([0, 0], 1), BadParameters, "not all zero"),
        (lambda: log_linear([5, 5, 0, 0], 3), NotIdentified, "lower the degree"),
        (lambda: log_linear([[1.0, 2.0]], 1), BadParameters, "each score"),
        (lambda: linear(GOOD, GOOD, scale=(5, 5)), BadResponses, "lowest, highest"),
        (lambda: circle_arc(GOOD, GOOD, low=(5, 5), high=(3, 3)), BadParameters, "below the high"),
        (lambda: circle_arc(GOOD, GOOD, low=(18, 5), high=(19, 9)), NotIdentified, "outside the two points"),
    ],
)  # fmt: skip
def test_contradictory_options_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("method", RANDOM_GROUPS)
def test_the_order_of_candidates_and_where_a_scale_begins_do_not_matter(method):
    x, y = draw(21, 300), draw(22, 280, shift=0.3)
    found = method(x, y, scale=(0, 30))
    rng = np.random.default_rng(1)
    turned = method(rng.permutation(x), rng.permutation(y), scale=(0, 30))
    np.testing.assert_allclose(turned.y, found.y, atol=1e-10)
    np.testing.assert_allclose(turned.standard_error, found.standard_error, atol=1e-10)
    moved = method(x + 7, y + 7, scale=(7, 37))
    assert moved.x.tolist() == (found.x + 7).tolist()
    np.testing.assert_allclose(moved.y, found.y + 7, atol=1e-9)
    np.testing.assert_allclose(moved.standard_error, found.standard_error, atol=1e-9)


@pytest.mark.parametrize("method", [mean, linear, equipercentile])
def test_counting_faults_instead_of_points_turns_the_function_over(method):
    x, y = draw(21, 300), draw(22, 280, shift=0.3)
    found, faults = method(x, y, scale=(0, 30)), method(30 - x, 30 - y, scale=(0, 30))
    occupied = np.isfinite(found.standard_error) & np.isfinite(faults.standard_error[::-1])
    assert occupied.sum() > 15
    np.testing.assert_allclose(faults.y[::-1][occupied], 30 - found.y[occupied], atol=1e-9)


@pytest.mark.parametrize("method", [tucker, levine, chained])  # nominal weights know the lengths
def test_with_an_anchor_order_and_shift_do_not_matter_either(method):
    one, other = draw_neat(31, 300, 0.0, 0.0), draw_neat(32, 300, 0.3, 0.2)
    found = method(*one, *other)
    order = np.random.default_rng(2).permutation(300)
    turned = method(*(scores[order] for scores in (*one, *other)))
    np.testing.assert_allclose(turned.y, found.y, atol=1e-9)
    moved = method(one[0] + 3, one[1], other[0] + 3, other[1])
    np.testing.assert_allclose(moved.y[-5:], found.y[-5:] + 3, atol=1e-9)
