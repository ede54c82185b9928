"""Agreement against psych, irr and irrCAC (tests/vectors/raters/ORIGIN.md)."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from scoring.raters import gwet, icc, kappa, kendall_w, krippendorff_alpha

FOLDER = Path(__file__).parents[2] / "vectors" / "raters"
CASES = json.loads((FOLDER / "raters.json").read_text())["cases"]
HAND = json.loads((FOLDER / "hand.json").read_text())["cases"]
IRRCAC = {
    "gwet.ac1.raw": gwet,
    "fleiss.kappa.raw": lambda x, **kw: kappa(x, method="fleiss", **kw),
    "krippen.alpha.raw": None,
    "conger.kappa.raw": lambda x, **kw: kappa(x, method="conger", **kw),
    "bp.coeff.raw": lambda x, **kw: kappa(x, method="brennan-prediger", **kw),
}
HERE = {"icc.psych", "icc.irr", "kappa.cohen", "kappa.cohen.psych", "kappa.cohen.nominal", "kappa.fleiss"}
HERE |= {"kappa.light_conger", "kripp.ordinal_na", "kendall_W", "agreement"} | {
    f"irrCAC.{name}" for name in IRRCAC
}


def load(name):
    with open(FOLDER / f"{name}.csv", newline="") as file:
        rows = list(csv.reader(file))[1:]
    if name == "ratings_nominal":
        return rows
    return [[float(cell) if cell else None for cell in row] for row in rows]


def result(case):
    return CASES[case]["result"]


def close(ours, theirs, tolerance=1e-9):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def test_all_cases_are_used():
    others = {case for case in CASES if case.startswith(("g.", "facets"))}
    assert HERE | others == set(CASES)
    assert len(HERE) == 15
    assert len(others) == 10
    assert len(HAND) == 2


def test_intraclass_correlations():
    ours = icc(load("icc"))
    truth = result("icc.psych")
    forms = (ours.icc1, ours.icc2, ours.icc3, ours.icc1k, ours.icc2k, ours.icc3k)
    close([form.value for form in forms], truth["ICC"], 1e-8)
    close([form.f for form in forms], truth["F"], 1e-8)
    assert [form.df1 for form in forms] == truth["df1"]
    assert [form.df2 for form in forms] == truth["df2"]
    np.testing.assert_allclose([form.p_value for form in forms], truth["p"], rtol=1e-8)
    by_irr = {
        "oneway.consistency.single": ours.icc1,
        "twoway.agreement.single": ours.icc2,
        "twoway.consistency.single": ours.icc3,
        "oneway.consistency.average": ours.icc1k,
        "twoway.agreement.average": ours.icc2k,
        "twoway.consistency.average": ours.icc3k,
    }
    assert set(by_irr) == set(result("icc.irr"))
    for name, form in by_irr.items():
        truth = result("icc.irr")[name]
        close(form.value, truth["value"], 1e-8)
        if name == "twoway.agreement.average":
            # irr puts k times the mean's coefficient where McGraw & Wong (table 7) have the coefficient itself
            n, k, rho = ours.n, ours.raters, form.value
            error = ours.error_variance
            msc, msr = n * ours.rater_variance + error, k * ours.unit_variance + error
            a, b = k * rho / (n * (1 - rho)), 1 + k * rho * (n - 1) / (n * (1 - rho))
            df = (a * msc + b * error) ** 2 / (
                (a * msc) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
            )
            low = stats.f.ppf(0.975, n - 1, df)
            theirs = n * (msr - low * error) / (low * (msc - error) + n * msr)
            close(theirs, truth["lbound"], 1e-8)
            close(form.f_interval, (truth["lbound"], truth["ubound"]), 5e-5)
        else:
            close(form.f_interval, (truth["lbound"], truth["ubound"]), 1e-8)
    truth = result("icc.psych")
    for form, low, high in zip(forms, truth["lower"], truth["upper"], strict=True):
        close(form.f_interval, (low, high), 1e-8)


def test_generalized_interval_is_the_distribution_of_its_pivot():
    """The integral gives what a million random draws of the three chi-squares give."""
    x = np.array(load("icc"))
    n, k = x.shape
    random = np.random.default_rng(5)
    grand = x.mean()
    rows = k * ((x.mean(1) - grand) ** 2).sum() / random.chisquare(n - 1, 1_000_000)
    raters = n * ((x.mean(0) - grand) ** 2).sum() / random.chisquare(k - 1, 1_000_000)
    rest = ((x - x.mean(1)[:, None] - x.mean(0) + grand) ** 2).sum() / random.chisquare(
        (n - 1) * (k - 1), 1_000_000
    )
    units, levels = np.maximum(0, (rows - rest) / k), np.maximum(0, (raters - rest) / n)
    found = icc(x)
    for form, count in ((found.icc2, 1), (found.icc2k, k)):
        close(form.interval, np.quantile(units / (units + (levels + rest) / count), [0.025, 0.975]), 0.002)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("unweighted", "unweighted"), ("linear", "linear"), ("quadratic", "quadratic")]
)
def test_cohen(ours, theirs):
    pair = [row[:2] for row in load("ratings_ordinal")]
    truth = result("kappa.cohen")[theirs]
    found = kappa(pair, weights=ours)
    close((found.value, found.z, found.p_value), (truth["kappa"], truth["z"], truth["p"]))


def test_cohen_against_psych():
    pair = [row[:2] for row in load("ratings_ordinal")]
    truth = result("kappa.cohen.psych")
    plain, weighted = kappa(pair), kappa(pair, weights="quadratic")
    close((plain.value, weighted.value), (truth["kappa"], truth["weighted"]), 1e-8)
    n = len(pair)  # psych's variance divides by n, ours by n - 1
    close(plain.standard_error**2 * (n - 1) / n, truth["var_kappa"], 1e-8)
    # psych 2.2.9's weighted variance (.000667) is not the published one: Fleiss, Cohen & Everitt (1969), eq. 15
    codes = np.array(pair, dtype=int) - 1
    table = np.zeros((5, 5))
    np.add.at(table, (codes[:, 0], codes[:, 1]), 1 / n)
    weights = 1 - (np.subtract.outer(range(5), range(5)) / 4) ** 2
    observed, expected = (weights * table).sum(), table.sum(1) @ weights @ table.sum(0)
    means = (weights @ table.sum(0))[:, None] + (table.sum(1) @ weights)[None, :]
    spread = (table * (weights * (1 - expected) - means * (1 - observed)) ** 2).sum()
    variance = (spread - (observed * expected - 2 * expected + observed) ** 2) / (n * (1 - expected) ** 4)
    close(weighted.standard_error**2 * (n - 1) / n, variance, 1e-12)
    assert truth["var_weighted"] < 0.7 * variance


def test_cohen_nominal():
    found = kappa([row[:2] for row in load("ratings_nominal")])
    truth = result("kappa.cohen.nominal")
    close((found.value, found.z, found.p_value), (truth["kappa"], truth["z"], truth["p"]))


@pytest.mark.parametrize("kind", ["nominal", "ordinal"])
def test_fleiss_light_conger(kind):
    ratings = load(f"ratings_{kind}")
    truth = result("kappa.fleiss")[kind]
    found = kappa(ratings)
    close((found.value, found.z), (truth["kappa"], truth["z"]))
    close(found.by_category, truth["detail"]["Kappa"], 5.1e-4)  # irr rounds to 3 decimals
    truth = result("kappa.light_conger")[kind]
    close(kappa(ratings, method="light").value, truth["light"])
    close(kappa(ratings, method="conger").value, truth["conger"])


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval", "ratio"])
def test_krippendorff_with_missing(metric):
    close(krippendorff_alpha(load("ratings_ordinal_na"), metric).value, result("kripp.ordinal_na")[metric])


def test_krippendorff_complete():
    for metric, value in HAND["kripp.ordinal"]["result"].items():
        close(krippendorff_alpha(load("ratings_ordinal"), metric).value, value, 1e-10)
    close(krippendorff_alpha(load("ratings_nominal")).value, HAND["kripp.nominal"]["result"], 1e-10)


@pytest.mark.parametrize("name", list(IRRCAC))
def test_irrcac(name):
    count = 0
    for case, truth in result(f"irrCAC.{name}").items():
        kind, _, weights = case.partition(".")
        ratings = load("ratings_nominal" if kind == "nominal" else f"ratings_{kind}")
        weights = weights or "unweighted"
        if name == "krippen.alpha.raw":
            metric = {"unweighted": "nominal", "quadratic": "interval"}.get(weights)
            if metric is None:
                continue  # linear and Gwet's ordinal weights are not Krippendorff metrics
            found = krippendorff_alpha(ratings, metric)
        else:
            found = IRRCAC[name](ratings, weights=weights)
        close(found.value, float(truth["coeff.val"]), 1e-5)
        close(found.expected, float(truth["pe"]), 1e-5)
        if (
            kind != "ordinal_na"
        ):  # irrCAC takes a script rated once for one without agreement: see the next test
            close(found.observed, float(truth["pa"]), 1e-5)
            close(found.standard_error, float(truth["coeff.se"]), 1.1e-5)
        else:
            close(found.standard_error, float(truth["coeff.se"]), 4e-3)
        count += 1
    assert count == (5 if name == "krippen.alpha.raw" else 7)


@pytest.mark.parametrize("method", ["fleiss", "conger", "gwet", "krippendorff"])
def test_linearised_error_follows_the_jackknife_with_missing_ratings(method):
    ratings = load("ratings_ordinal_na")

    def estimate(rows):
        if method == "gwet":
            return gwet(rows, weights="quadratic", categories=[1, 2, 3, 4, 5])
        if method == "krippendorff":
            return krippendorff_alpha(rows, "interval", categories=[1, 2, 3, 4, 5])
        return kappa(rows, method=method, weights="quadratic", categories=[1, 2, 3, 4, 5])

    n = len(ratings)
    without = np.array([estimate(ratings[:i] + ratings[i + 1 :]).value for i in range(n)])
    jackknife = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    assert estimate(ratings).standard_error == pytest.approx(jackknife, rel=0.04)


def test_kendall():
    found, truth = kendall_w(load("ratings_ordinal")), result("kendall_W")
    close(found.w_uncorrected, truth["no_ties"]["W"])
    close((found.w, found.chi_square), (truth["tie_corrected"]["W"], truth["tie_corrected"]["chisq"]))
    close(found.p_value, truth["tie_corrected"]["p"])
    ratings = np.array(load("ratings_ordinal"))
    spearman = stats.spearmanr(ratings).statistic[np.tril_indices(4, -1)].mean()
    assert found.mean_spearman == pytest.approx(spearman, abs=0.01)  # equal where ties are alike


def test_plain_agreement():
    """irr counts units on which all raters agree; our observed agreement counts pairs: both from the same counts."""
    ratings = np.array(load("ratings_ordinal"))
    close(100 * (np.ptp(ratings, axis=1) == 0).mean(), result("agreement")["t0"])
    close(100 * (np.ptp(ratings, axis=1) <= 1).mean(), result("agreement")["t1"])
    close(
        np.corrcoef(ratings.T)[np.tril_indices(4, -1)], sorted_pairs(result("agreement")["meancor_pearson"])
    )
    pairs = np.mean([(ratings[:, i] == ratings[:, j]).mean() for i in range(4) for j in range(i)])
    close(kappa(ratings.tolist()).observed, pairs)


def sorted_pairs(lower_by_column):
    """R lists a lower triangle column by column, numpy row by row."""
    matrix = np.zeros((4, 4))
    matrix.T[np.triu_indices(4, 1)] = lower_by_column
    return matrix[np.tril_indices(4, -1)]
