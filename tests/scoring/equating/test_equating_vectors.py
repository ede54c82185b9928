"""Equating functions and their standard errors against equate, base R and hand calculations."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

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
    tucker,
)
from scoring.equating.errors import moment_covariance, moments
from scoring.equating.percentiles import percentile_ranks

VECTORS = Path(__file__).parents[2] / "vectors" / "equating"
CASES = json.loads((VECTORS / "equating.json").read_text())["cases"]
HAND = json.loads((VECTORS / "hand.json").read_text())["cases"]
SCALE = (0, 30)


def column(name: str, form: str, field: str) -> np.ndarray:
    with (VECTORS / f"{name}.csv").open() as file:
        return np.array([int(row[field]) for row in csv.DictReader(file) if row["form"] == form])


X, Y = column("equate_eg", "X", "score"), column("equate_eg", "Y", "score")
NEAT = [column("equate_neat", form, field) for form in "XY" for field in ("total", "anchor")]
MIXED = 1100 / 2100  # what ws = .5 means where equate mixes counts
FEW = {"replications": 50}


def counts(scores: np.ndarray) -> np.ndarray:
    return np.bincount(scores, minlength=31)


def near(found, name: str, tolerance: float = 1e-6) -> dict:
    case = CASES[name]["result"]
    assert found.x.tolist() == case["x"]
    np.testing.assert_allclose(found.y, case["yx"], rtol=0, atol=tolerance)
    return case


def test_every_case_is_tested():
    source = Path(__file__).read_text()
    families = {name: name.split(".ws")[0].removesuffix("4").removesuffix("6") for name in CASES}
    assert len(families) == 29
    assert len(HAND) == 2
    for family in families.values():
        last = family.split(".")[-1].split("/")[0]
        assert last in source, family


def test_summary_and_percentile_ranks():
    case = CASES["eg.summary"]["result"]
    for name, scores in (("x", X), ("y", Y)):
        m = moments(scores)
        assert m[0] == pytest.approx(case[name]["mean"], abs=1e-8)
        assert np.sqrt(m[1]) == pytest.approx(case[name]["sd"], abs=1e-8)
        assert scores.size == case[name]["n"]
    ranks = percentile_ranks(counts(X) / X.size)
    assert len(ranks) == 31
    np.testing.assert_allclose(ranks, CASES["eg.percentile_ranks"]["result"], rtol=0, atol=1e-10)


def test_identity_is_no_equating():
    case = CASES["eg.identity"]["result"]
    assert case["yx"] == case["x"]
    same = linear(X, X, scale=SCALE)
    np.testing.assert_allclose(same.y, same.x, rtol=0, atol=1e-12)


def test_mean_linear_and_circle_arc():
    case = near(mean(X, Y, scale=SCALE), "eg.mean")
    assert mean(X, Y, scale=SCALE).intercept == pytest.approx(case["coef"]["intercept"])
    found = linear(X, Y, scale=SCALE)
    case = near(found, "eg.linear")
    assert found.slope == pytest.approx(case["coef"]["slope"], abs=1e-9)
    assert found.intercept == pytest.approx(case["coef"]["intercept"], abs=1e-9)
    near(circle_arc(X, Y, scale=SCALE), "eg.circle-arc")


def braun_holland_error(ddof: int) -> np.ndarray:
    """Kolen & Brennan's table 7.2, random groups, linear; third and fourth moments over n."""
    parts = []
    for scores in (X, Y):
        sd, centred = scores.std(ddof=ddof), scores - scores.mean()
        parts.append((scores.size, sd, (centred**3).mean() / sd**3, (centred**4).mean() / sd**4))
    (nx, sx, skew_x, kurt_x), (ny, sy, skew_y, kurt_y) = parts
    z = (np.arange(31) - X.mean()) / sx
    return sy * np.sqrt(
        1 / nx + 1 / ny + (skew_x / nx + skew_y / ny) * z + ((kurt_x - 1) / nx + (kurt_y - 1) / ny) * z**2 / 4
    )


def test_standard_errors_of_linear_equating():
    np.testing.assert_allclose(CASES["eg.linear"]["result"]["se"], braun_holland_error(1), rtol=0, atol=1e-9)
    found = linear(X, Y, scale=SCALE).standard_error
    np.testing.assert_allclose(found, braun_holland_error(0), rtol=1e-10)
    np.testing.assert_allclose(found, CASES["eg.linear"]["result"]["se"], rtol=1e-3)


def lord(equivalents: np.ndarray, f: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Lord (1982); Kolen & Brennan (2014), equation 7.12."""
    p, cumulative = percentile_ranks(f), np.cumsum(g)
    upper = np.array([np.flatnonzero(cumulative > v + 1e-10)[0] for v in p])
    below, density = np.concatenate([[0], cumulative])[upper], g[upper]
    return (
        np.sqrt(
            p * (1 - p) * (1 / X.size + 1 / Y.size) - (below + density - p) * (p - below) / (Y.size * density)
        )
        / density
    )


def test_equipercentile():
    found = equipercentile(X, Y, scale=SCALE)
    case = near(found, "eg.equipercentile")
    f, g = counts(X) / X.size, counts(Y) / Y.size
    np.testing.assert_allclose(lord(found.y, f, g), case["se"], rtol=0, atol=1e-6)
    # Ours has the exact variance of a percentile rank; never more than Lord's, and what resampling shows.
    assert (found.standard_error <= np.array(case["se"]) + 1e-9).all()
    resampled = np.array(CASES["eg.bootstrap_se"]["result"]["se"])
    ratio = found.standard_error[3:28] / resampled[3:28]
    assert abs(np.median(ratio) - 1) < 0.1


@pytest.mark.parametrize("degree", [4, 6])
def test_presmoothed_equipercentile(degree):
    found = equipercentile(X, Y, scale=SCALE, degree=degree)
    case = near(found, f"eg.equipercentile.loglinear{degree}", 1e-5)
    fits = [log_linear(counts(scores), degree).fitted for scores in (X, Y)]
    np.testing.assert_allclose(fits[0], case["fx"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(fits[1], case["fy"], rtol=0, atol=1e-5)
    by_lord = lord(found.y, fits[0] / X.size, fits[1] / Y.size)
    np.testing.assert_allclose(by_lord, case["se"], rtol=0, atol=1e-5)
    assert (found.standard_error < by_lord).all()  # smoothing is what makes the error smaller


def test_log_linear_fit_of_glm():
    case = CASES["eg.loglinear.fit"]["result"]
    four, six = (log_linear(counts(X), degree) for degree in (4, 6))
    np.testing.assert_allclose(four.fitted, case["fitted4"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(six.fitted, case["fitted6"], rtol=0, atol=1e-5)
    assert four.deviance == pytest.approx(case["deviance4"], abs=1e-5)
    assert six.deviance == pytest.approx(case["deviance6"], abs=1e-5)
    assert four.aic == pytest.approx(case["aic4"], abs=1e-5)


def mixed_error(gamma, weight: float, normal: bool) -> np.ndarray:
    """Zu's standard errors as equate combines them: synthetic moments with n − 1, their derivatives with n."""
    a, b = (moments(*NEAT[i : i + 2], ddof=0).astype(complex) for i in (0, 2))
    w = weight

    def statistics(a, b):
        ga, gb, gap = gamma(a), gamma(b), a[1] - b[1]
        return np.array([
            a[0] - (1 - w) * ga * gap,
            b[0] + w * gb * gap,
            a[2] - (1 - w) * ga**2 * (a[4] - b[4]) + w * (1 - w) * ga**2 * gap**2,
            b[2] + w * gb**2 * (a[4] - b[4]) + w * (1 - w) * gb**2 * gap**2,
        ])  # fmt: skip

    inner = np.zeros((4, 10))
    for i in range(10):
        step = np.zeros(10, dtype=complex)
        step[i] = 1e-30j
        inner[:, i] = statistics(a + step[:5], b + step[5:]).imag / 1e-30
    at = statistics(moments(*NEAT[:2]), moments(*NEAT[2:]))
    sx, sy, centred = np.sqrt(at[2]), np.sqrt(at[3]), np.arange(31) - at[0]
    outer = np.column_stack([
        np.full(31, -sy / sx), np.ones(31), -0.5 * sy * centred / sx**3, 0.5 * centred / sx / sy,
    ])  # fmt: skip
    covariance = np.zeros((10, 10))
    covariance[:5, :5] = moment_covariance(*NEAT[:2], normal=normal)
    covariance[5:, 5:] = moment_covariance(*NEAT[2:], normal=normal)
    gradient = outer @ inner
    return np.sqrt(np.einsum("ij,jk,ik->i", gradient, covariance, gradient))


@pytest.mark.parametrize("weight", [0.5, 1])
@pytest.mark.parametrize(
    ("name", "method", "gamma"),
    [("tucker", tucker, lambda m: m[3] / m[4]), ("levine", levine, lambda m: m[2] / m[3])],
)
def test_tucker_and_levine(name, method, gamma, weight):
    for normal, letter in ((True, "n"), (False, "g")):
        found = method(*NEAT, scale=SCALE, weight=weight, normal=normal)
        case = near(found, f"neat.linear.{name}.ws{weight}")
        np.testing.assert_allclose(mixed_error(gamma, weight, normal), case["se"][letter], rtol=0, atol=1e-6)
        np.testing.assert_allclose(found.standard_error, case["se"][letter], rtol=2e-3)
        assert found.slope == pytest.approx(case["coef"]["slope"], abs=1e-9)
        assert found.intercept == pytest.approx(case["coef"]["intercept"], abs=1e-9)


def test_chained_linear_and_mean():
    for normal, letter in ((True, "n"), (False, "g")):
        found = chained(*NEAT, scale=SCALE, normal=normal)
        case = near(found, "neat.linear.chained.ws0.5")
        np.testing.assert_allclose(found.standard_error, case["se"][letter], rtol=0, atol=1e-6)
    near(chained(*NEAT, scale=SCALE, kind="mean"), "neat.mean.chained")


def test_other_linear_methods():
    near(levine(*NEAT, scale=SCALE, true_score=True), "neat.linear.levine_true")
    near(tucker(*NEAT, scale=SCALE, weight=0.5, kind="mean"), "neat.mean.tucker")
    near(levine(*NEAT, scale=SCALE, weight=0.5, kind="mean"), "neat.mean.levine")
    for weight in (0.5, 1):
        near(nominal_weights(*NEAT, scale=SCALE, weight=weight), f"neat.linear.nominal_weights.ws{weight}")


def test_frequency_estimation_and_braun_holland():
    near(braun_holland(*NEAT, scale=SCALE, weight=MIXED, **FEW), "neat.linear.braun/holland.ws0.5")
    near(braun_holland(*NEAT, scale=SCALE, weight=1, **FEW), "neat.linear.braun/holland.ws1")
    name = "neat.equipercentile.frequency_estimation"
    near(frequency_estimation(*NEAT, scale=SCALE, weight=MIXED, **FEW), name)
    near(frequency_estimation(*NEAT, scale=SCALE, weight=1, **FEW), f"{name}.ws1")
    near(chained(*NEAT, scale=SCALE, kind="equipercentile", **FEW), "neat.equipercentile.chained")


def test_frequency_estimation_and_braun_holland_by_hand():
    found = frequency_estimation(*NEAT, scale=SCALE, weight=0.5, **FEW)
    np.testing.assert_allclose(found.y, HAND["neat.frequency_estimation.ws.5"]["result"]["yx"], rtol=0, atol=1e-8)
    found = braun_holland(*NEAT, scale=SCALE, weight=0.5, **FEW)
    np.testing.assert_allclose(found.y, HAND["neat.braun_holland.ws.5"]["result"], rtol=0, atol=1e-8)


def test_bivariate_presmoothing():
    options = {"scale": SCALE, "degree": (4, 4), **FEW}
    name = "neat.equipercentile.loglinear"
    case = near(frequency_estimation(*NEAT, weight=MIXED, **options), f"{name}.frequency_estimation", 1e-4)
    near(chained(*NEAT, kind="equipercentile", **options), f"{name}.chained", 1e-4)
    for at, field in ((0, "fx_total"), (2, "fy_total")):
        table = np.zeros((31, 11))
        np.add.at(table, (NEAT[at], NEAT[at + 1]), 1)
        np.testing.assert_allclose(log_linear(table, (4, 4)).fitted.sum(axis=1), case[field], rtol=0, atol=1e-4)
