"""Agreement by hand, in small samples, and on bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.errors import BadParameters, BadResponses, NotIdentified
from scoring.raters import agreement_weights, gwet, icc, kappa, kendall_w, krippendorff_alpha


def test_cohen_by_hand():
    """Table 4 1 / 1 2 of eight: observed .75, expected (5/8)² + (3/8)² = .53125, kappa .21875 / .46875 = .466667."""
    pairs = [("y", "y")] * 4 + [("y", "n"), ("n", "y")] + [("n", "n")] * 2
    found = kappa(pairs)
    assert found.value == pytest.approx(0.21875 / 0.46875)
    assert gwet(pairs).value == pytest.approx((0.75 - 2 * 15 / 64) / (1 - 2 * 15 / 64))
    # Krippendorff: 16 values, 10 y and 6 n; expected disagreement 2 × 60 / (16 × 15) = .5, observed .25
    assert krippendorff_alpha(pairs).value == pytest.approx(0.5)


def test_complete_agreement_has_a_lower_limit():
    """±SE would be [1, 1]. Twelve scripts: at most a disagreement of 1 - .025^(1/12) = .2646, over chance .5."""
    pairs = [("a", "a"), ("b", "b")] * 6
    found = kappa(pairs)
    assert found.value == 1
    assert found.standard_error == 0
    assert found.interval == pytest.approx((1 - (1 - 0.025 ** (1 / 12)) / 0.5, 1))


def test_a_rare_category_bounds_nothing():
    pairs = [("a", "a")] * 18 + [("a", "b"), ("b", "b")]
    found = kappa(pairs)
    assert found.interval == (-1, 1)
    assert found.verdict.code == "agreement.says_nothing"
    assert gwet(pairs).interval[0] > 0.5


def test_weights():
    np.testing.assert_allclose(
        agreement_weights("linear", [1, 2, 4]), [[1, 2 / 3, 0], [2 / 3, 1, 1 / 3], [0, 1 / 3, 1]]
    )
    np.testing.assert_allclose(agreement_weights("quadratic", "abc")[0], [1, 0.75, 0])
    np.testing.assert_allclose(agreement_weights("ordinal", "abc")[0], [1, 2 / 3, 0])
    for bad in ("cubic", np.ones((2, 2)), [[1, 2], [2, 1]], [[1, 0.5], [0.2, 1]]):
        with pytest.raises(BadParameters):
            agreement_weights(bad, "abc")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(6, 30), st.integers(2, 4))
def test_invariances(seed, n, raters):
    random = np.random.default_rng(seed)
    x = random.integers(0, 3, (n, raters))
    x[:3, :] = [[0] * raters, [1] * raters, [2] * raters]
    people, columns = random.permutation(n), random.permutation(raters)
    letters = np.array(["p", "q", "r"], dtype=object)[x]
    for estimate in (kappa, gwet, krippendorff_alpha):
        first = estimate(x)
        assert first.value <= 1
        turned = estimate(x[people][:, columns])
        assert turned.value == pytest.approx(first.value)
        assert turned.interval == pytest.approx(first.interval)
        assert estimate(letters).value == pytest.approx(first.value)
    moved = krippendorff_alpha(3.0 * x + 5, "interval")
    assert moved.value == pytest.approx(krippendorff_alpha(x, "interval").value)


@pytest.mark.parametrize("estimate", [kappa, gwet, krippendorff_alpha])
@pytest.mark.parametrize(
    ("ratings", "error"),
    [
        ([["a", "a"]] * 5, NotIdentified),
        ([["a"], ["b"]], BadResponses),
        ([["a", "b"]], BadResponses),
        ([["a", None], [None, "b"]], BadResponses),
        ([["a", 1], ["b", 2]], BadResponses),
        ([], BadResponses),
    ],
)
def test_bad_ratings(estimate, ratings, error):
    with pytest.raises(error):
        estimate(ratings)


def test_bad_options():
    x = [[1, 2], [2, 2], [1, 1]]
    for options in ({"method": "scott"}, {"weights": "cubic"}, {"categories": [1, 1, 2]}, {"confidence": 2}):
        with pytest.raises(BadParameters):
            kappa(x, **options)
    with pytest.raises(BadResponses):
        kappa(x, categories=[1, 3])
    with pytest.raises(BadParameters):
        kappa([[1, 2, 2], [2, 2, 1]], method="cohen")
    with pytest.raises(BadParameters):
        krippendorff_alpha(x, "circular")
    with pytest.raises(BadParameters):
        krippendorff_alpha([[-1, 2], [2, 2]], "ratio")
    with pytest.raises(BadResponses):
        kappa([[1, 2, None], [2, 2, 1]], method="light")


def test_a_rater_who_rated_nothing():
    with pytest.raises(BadResponses, match="Rater 3"):
        kappa([[1, 2, None], [2, 2, None], [1, 1, None]], method="conger")


def test_icc_by_hand():
    """Shrout & Fleiss (1979), table 2: six targets, four judges; published .17 .29 .71 and .44 .62 .91."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    found = icc(ratings)
    forms = (found.icc1, found.icc2, found.icc3, found.icc1k, found.icc2k, found.icc3k)
    np.testing.assert_allclose(
        [form.value for form in forms], [0.17, 0.29, 0.71, 0.44, 0.62, 0.91], atol=0.005
    )
    np.testing.assert_allclose(found.icc1.interval, [-0.13, 0.72], atol=0.005)
    np.testing.assert_allclose(found.icc3.interval, [0.34, 0.95], atol=0.005)


def test_icc_invariance():
    x = np.random.default_rng(1).normal(0, 1, (9, 3)) + np.arange(9)[:, None]
    first, moved = icc(x), icc(100 + 7 * x[::-1, ::-1])
    for name in ("icc1", "icc2", "icc3k"):
        assert getattr(moved, name).value == pytest.approx(getattr(first, name).value)
        np.testing.assert_allclose(getattr(moved, name).interval, getattr(first, name).interval, atol=1e-9)
    shifted = icc(x + np.array([0, 5, -3]))
    assert shifted.icc3.value == pytest.approx(first.icc3.value)
    assert shifted.icc2.value < first.icc2.value


def test_raters_who_never_differ():
    found = icc([[1, 1], [2, 2], [3, 3]])
    assert found.icc2.value == 1
    assert np.isnan(found.icc2.interval[0])
    assert found.verdict.code == "agreement.no_disagreement"
    shifted = icc([[1, 2], [2, 3], [3, 4]])
    assert shifted.icc3.value == 1
    assert shifted.icc2.value == pytest.approx(1 / (1 + 0.5))


@pytest.mark.parametrize("ratings", [[[1, 2]], [[1], [2]], [[1, np.nan], [2, 2]], [["a", "b"], ["c", "d"]]])
def test_icc_refuses(ratings):
    with pytest.raises(BadResponses):
        icc(ratings)


def test_icc_of_equal_ratings():
    with pytest.raises(NotIdentified):
        icc(np.full((4, 3), 7.0))


def test_kendall_by_hand():
    """Three raters rank four: rank sums 4, 6, 8, 12 about 7.5: S = 12.25 + 2.25 + .25 + 20.25 = 35; W = 12 × 35 / (9 × 60)."""
    found = kendall_w([[1, 2, 1], [2, 1, 3], [3, 3, 2], [4, 4, 4]])
    assert found.w == pytest.approx(12 * 35 / 540)
    assert found.mean_spearman == pytest.approx((3 * found.w - 1) / 2)
    assert not found.ties
    assert kendall_w([[1, 2], [2, 3], [5, 9]]).w == 1
    with pytest.raises(BadResponses):
        kendall_w([[1, 2], [2, 1]])
    with pytest.raises(NotIdentified):
        kendall_w([[1, 2], [1, 1], [1, 3]])


@pytest.mark.parametrize("n", [8, 40, 200])
def test_agreement_intervals_cover(n):
    """Short version of benchmarks/coverage_classical.py: two raters, three categories; quadratic weights on five."""
    random = np.random.default_rng(n)

    def nominal(size):
        true = random.choice(3, size, p=[0.5, 0.3, 0.2])
        other = random.choice(3, (size, 2), p=[0.5, 0.3, 0.2])
        return np.where(random.random((size, 2)) < 0.75, true[:, None], other)

    def ordinal(size):
        return np.clip(np.rint(random.integers(0, 5, size)[:, None] + random.normal(0, 0.6, (size, 3))), 0, 4)

    cases = {
        "kappa": (nominal, lambda x: kappa(x, categories=[0, 1, 2])),
        "gwet": (nominal, lambda x: gwet(x, categories=[0, 1, 2])),
        "alpha": (ordinal, lambda x: krippendorff_alpha(x, "interval")),
        "fleiss": (ordinal, lambda x: kappa(x, weights="quadratic", categories=range(5))),
    }
    repeats = 150
    for name, (draw, estimate) in cases.items():
        truth = estimate(draw(30_000)).value
        hits = []
        for _ in range(repeats):
            try:
                low, high = estimate(draw(n)).interval
            except NotIdentified:  # all ratings the same: nothing is claimed
                continue
            hits.append(low <= truth <= high)
        assert len(hits) > 0.9 * repeats
        assert np.mean(hits) >= 0.95 - 2.5 * np.sqrt(0.05 * 0.95 / repeats), name
        if n >= 200:
            assert np.mean(hits) <= 0.97 + 2.5 * np.sqrt(0.03 * 0.97 / repeats), name


@pytest.mark.parametrize(
    ("n", "k", "rater_variance"), [(8, 2, 0.5), (40, 3, 0.05), (200, 2, 0.5)]
)
def test_icc_interval_covers_when_raters_differ(n, k, rater_variance):
    random = np.random.default_rng(n + k)
    truth = 1 / (1 + rater_variance + 0.4)
    repeats, hits, classical = 60, 0, 0
    for _ in range(repeats):
        x = random.normal(0, 1, (n, 1)) + random.normal(0, np.sqrt(rater_variance), k)
        found = icc(x + random.normal(0, np.sqrt(0.4), (n, k))).icc2
        hits += found.interval[0] <= truth <= found.interval[1]
        classical += found.f_interval[0] <= truth <= found.f_interval[1]
    assert hits / repeats >= 0.95 - 2.5 * np.sqrt(0.05 * 0.95 / repeats)
    if n == 200:
        assert hits / repeats <= 0.97 + 2.5 * np.sqrt(0.03 * 0.97 / repeats)
        assert classical / repeats < 0.85  # why it is not the default
