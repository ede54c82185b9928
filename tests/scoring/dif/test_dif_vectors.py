"""DIF statistics against difR, mirt and base R."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from scoring.dif import breslow_day, likelihood_ratio, logistic, mantel_haenszel, sibtest, standardisation
from scoring.dif.matching import Matched
from scoring.dif.shealy_stout import _crossing, _levels
from scoring.irt import calibrate

VECTORS = Path(__file__).parents[2] / "vectors" / "dif"
CASES = json.loads((VECTORS / "dif.json").read_text())["cases"]
with (VECTORS / "dif.csv").open() as file:
    TABLE = np.array([[int(v) for v in row] for row in list(csv.reader(file))[1:]])
FOCAL, X = TABLE[:, 0], TABLE[:, 1:]
TESTED = {
    "MH.correct", "MH.nocorrect", "MH.purified", "MH.nocorrect.purified", "MH.base_r", "MH.ETS_class",
    "logistic.both.LRT", "logistic.both.Wald", "logistic.udif.LRT", "logistic.udif.Wald", "logistic.nudif.LRT",
    "logistic.nudif.Wald", "logistic.both.purified", "logistic.base_r", "standardisation", "standardisation.hand",
    "SIBTEST.udif", "SIBTEST.nudif", "SIBTEST.mirt.I4", "BreslowDay", "IRT_LRT",
}  # fmt: skip


def flagged(result) -> list[int]:
    return (np.flatnonzero(result.flagged) + 1).tolist()


def test_every_case_is_tested():
    assert set(CASES) == TESTED
    assert len(CASES) == 21


@pytest.mark.parametrize("name", ["MH.correct", "MH.nocorrect", "MH.purified", "MH.nocorrect.purified"])
def test_mantel_haenszel(name):
    case = CASES[name]["result"]
    found = mantel_haenszel(X, FOCAL, correct="nocorrect" not in name, purify="purified" in name)
    np.testing.assert_allclose(found.chi2, case["MH"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.p, case["p"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.odds_ratio, case["alphaMH"], rtol=0, atol=1e-8)
    np.testing.assert_allclose((found.standard_error / 2.35) ** 2, case["varLambda"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.delta, case["delta"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.standard_error, case["se_delta"], rtol=0, atol=1e-8)
    assert flagged(found) == case["flagged"]
    if "difPur" in case:
        assert found.settled
        steps = [[int(j in step) for j in range(15)] for step in found.steps]
        assert steps == case["difPur"]["values"]


def test_mantel_haenszel_of_base_r():
    case = CASES["MH.base_r"]["result"]
    found = mantel_haenszel(X, FOCAL)
    other = [j for j in range(15) if j != 12]  # item 13: base R drops the correction
    np.testing.assert_allclose(found.chi2[other], np.array(case["chi2"])[other], rtol=0, atol=1e-8)
    np.testing.assert_allclose(
        mantel_haenszel(X, FOCAL, correct=False).chi2, case["chi2_nocorrect"], rtol=0, atol=1e-8
    )
    np.testing.assert_allclose(found.odds_ratio, case["alpha"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(np.exp(found.high / -2.35), case["alpha_lo"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(np.exp(found.low / -2.35), case["alpha_hi"], rtol=0, atol=1e-8)


def test_ets_classes():
    assert list(mantel_haenszel(X, FOCAL).ets_class) == CASES["MH.ETS_class"]["result"]["class"]


def fit_like_glm(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R's glm with its default epsilon of 1e-8 on the deviance: where it stops, with the weights of the last
    step but one in the covariance. difR reports these; the maximum lies a little further on."""
    mean = (y + 0.5) / 2
    deviance = np.inf
    while True:
        eta = np.log(mean / (1 - mean))
        weight = mean * (1 - mean)
        covariance = np.linalg.inv((x * weight[:, None]).T @ x)
        beta = covariance @ (x.T @ (weight * (eta + (y - mean) / weight)))
        mean = 1 / (1 + np.exp(-x @ beta))
        new = -2 * np.log(np.where(y == 1, mean, 1 - mean)).sum()
        if abs(new - deviance) / (abs(new) + 0.1) < 1e-8:
            return beta, covariance
        deviance = new


@pytest.mark.parametrize("kind", ["both", "udif", "nudif"])
@pytest.mark.parametrize("criterion", ["LRT", "Wald"])
def test_logistic(kind, criterion):
    case = CASES[f"logistic.{kind}.{criterion}"]["result"]
    names = {"both": "both", "udif": "uniform", "nudif": "non-uniform"}
    found = logistic(X, FOCAL, kind=names[kind], criterion=criterion)
    if criterion == "LRT":
        np.testing.assert_allclose(found.statistic, case["stat"], rtol=0, atol=1e-5)
        np.testing.assert_allclose(found.p, case["p"], rtol=0, atol=1e-5)
    else:
        total = X.sum(axis=1)
        full = [0, 1, 2] if kind == "udif" else [0, 1, 2, 3]
        own = {"both": [2, 3], "udif": [2], "nudif": [3]}[kind]
        design = np.column_stack([np.ones(1400), total, FOCAL, total * FOCAL])[:, full]
        for j in range(15):
            beta, covariance = fit_like_glm(design, X[:, j])
            stopped_early = beta[own] @ np.linalg.solve(covariance[np.ix_(own, own)], beta[own])
            assert stopped_early == pytest.approx(case["stat"][j], abs=1e-5)
        np.testing.assert_allclose(found.statistic, case["stat"], rtol=5e-4)
    np.testing.assert_allclose(found.coefficients, case["coef_full"]["values"], rtol=0, atol=1e-5)
    # difR takes exp(-null deviance / 2), which is 0 beyond 745: its R2 then lacks Nagelkerke's denominator.
    rate = X.mean(axis=0)
    null = 1400 * (rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    denominator = np.where(np.exp(null) == 0.0, 1 - np.exp(2 * null / 1400), 1.0)
    assert (denominator < 1).sum() == 11
    np.testing.assert_allclose(found.r2_change * denominator, case["dR2_Nagelkerke"], rtol=0, atol=1e-5)
    assert found.df == case["df"]
    assert flagged(found) == case["flagged"]
    assert not found.separated.any()


def test_logistic_purified():
    case = CASES["logistic.both.purified"]["result"]
    found = logistic(X, FOCAL, purify=True)
    np.testing.assert_allclose(found.statistic, case["stat"], rtol=0, atol=1e-5)
    assert flagged(found) == case["flagged"]
    assert [[int(j in step) for j in range(15)] for step in found.steps] == case["difPur"]["values"]


def test_logistic_of_base_r():
    case = CASES["logistic.base_r"]["result"]
    for kind, name in (("uniform", "LR_uniform"), ("non-uniform", "LR_nonuniform"), ("both", "LR_both")):
        np.testing.assert_allclose(logistic(X, FOCAL, kind=kind).statistic, case[name], rtol=0, atol=1e-6)
    found = logistic(X, FOCAL)
    for column, name in enumerate(("(Intercept)", "tt", "g", "tt:g")):
        np.testing.assert_allclose(found.coefficients[:, column], case[name], rtol=0, atol=1e-6)


def test_standardisation():
    found = standardisation(X, FOCAL)
    np.testing.assert_allclose(found.difference, CASES["standardisation"]["result"]["PDIF"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.odds_ratio, CASES["standardisation"]["result"]["alphaStd"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.difference, CASES["standardisation.hand"]["result"]["PDIF"], rtol=0, atol=1e-10)


def test_sibtest():
    case = CASES["SIBTEST.udif"]["result"]
    found = sibtest(X, FOCAL)
    np.testing.assert_allclose(found.beta, case["beta"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.standard_error, case["se"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.chi2, case["X2"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.p, case["p"], rtol=0, atol=1e-5)
    assert found.df.tolist() == case["df"]


def test_crossing_sibtest():
    case = CASES["SIBTEST.nudif"]["result"]
    found = sibtest(X, FOCAL, crossing=True)
    # mirt rounds the crossing score to one significant digit. That moves a score level to the other side for
    # item 6 only, whose crossing lies at 1.86: rounded to 2, our levels give mirt's numbers.
    others = [j for j in range(15) if j != 5]
    np.testing.assert_allclose(found.beta[others], np.array(case["beta"])[others], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.chi2[others], np.array(case["X2"])[others], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.p[others], np.array(case["p"])[others], rtol=0, atol=1e-5)
    assert found.df[others].tolist() == [case["df"][j] for j in others]
    levels = _levels(Matched(X, FOCAL.astype(bool), ()), 5, 5)
    assert _crossing(levels, 1400) == pytest.approx(1.86, abs=0.01)
    above = levels.scores > 2
    sums = [(levels.weight * levels.difference)[side].sum() for side in (above, ~above)]
    spreads = [(levels.weight**2 * levels.variance)[side].sum() for side in (above, ~above)]
    assert abs(sums[0] - sums[1]) == pytest.approx(case["beta"][5], abs=1e-5)
    assert sum(s**2 / v for s, v in zip(sums, spreads)) == pytest.approx(case["X2"][5], abs=1e-5)


def test_sibtest_of_mirt():
    case = CASES["SIBTEST.mirt.I4"]["result"]
    for row, crossing in enumerate((False, True)):
        found = sibtest(X, FOCAL, crossing=crossing)
        assert found.beta[3] == pytest.approx(case["beta"][row], abs=1e-5)
        assert found.chi2[3] == pytest.approx(case["X2"][row], abs=1e-5)
        assert found.df[3] == case["df"][row]


def test_breslow_day():
    case = CASES["BreslowDay"]["result"]
    found = breslow_day(X, FOCAL)
    np.testing.assert_allclose(found.statistic.round(4), case["V1"], rtol=0, atol=1e-12)  # given with four decimals
    assert found.df.tolist() == case["V2"]
    np.testing.assert_allclose(found.p.round(4), case["V3"], rtol=0, atol=1e-12)


def test_likelihood_ratio():
    case = CASES["IRT_LRT"]["result"]
    anchors = [0, 1, 2, 4, 5, 6, 7, 8]
    assert case["dif"]["row_names"] == [f"I{j + 1}" for j in range(15) if j not in anchors]
    found = likelihood_ratio(X, FOCAL, anchors=anchors)
    np.testing.assert_allclose(found.statistic, case["dif"]["X2"], rtol=0, atol=1e-2)
    np.testing.assert_allclose(found.p, case["dif"]["p"], rtol=0, atol=1e-3)
    assert found.df.tolist() == case["dif"]["df"]
    assert flagged(found) == [1, 2, 6]  # I4, I10 and, by the 5 % of chance, I14
    np.testing.assert_allclose(found.focal_mean, case["group2"]["mean"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(found.focal_variance, case["group2"]["var"], rtol=0, atol=2e-3)
    free = [j for j in range(15) if j not in anchors]
    for mine, theirs in ((found.reference, case["items_ref"]), (found.focal, case["items_foc"])):
        slope, intercept = np.array(theirs["values"])[free].T
        np.testing.assert_allclose(mine.slope, slope, rtol=0, atol=2e-3)
        np.testing.assert_allclose(-mine.slope * mine.difficulty, intercept, rtol=0, atol=2e-3)
    # All seven free at once: each a column of its own in each group.
    apart = [np.where((g == FOCAL)[:, None], X[:, free], np.nan) for g in (0, 1)]
    whole = calibrate(np.column_stack([X[:, anchors], *apart]), "2PL", groups=FOCAL, standard_errors=False)
    assert whole.log_likelihood == pytest.approx(case["logLik_free"], abs=1e-3)
    assert found.difference[0] < -0.1  # I4 was made harder for the focal group
