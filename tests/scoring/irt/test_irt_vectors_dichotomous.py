"""Rasch, 1PL, 2PL, 3PL against mirt, TAM, CDM and catR, complete and with missing responses."""

import irt_vectors as v
import numpy as np
import pytest
from scipy.optimize import brentq

from scoring.irt import (
    estimate_ability,
    information,
    item_fit,
    local_dependence,
    marginal_reliability,
    model_fit,
    person_fit,
    sum_score_table,
)
from scoring.irt.item_fit import merge_sparse, score_tables
from scoring.irt.residuals import SMALLEST_VARIANCE, residuals

FILES = ("dichotomous", "dichotomous_missing")
BOTH = [(file, tag) for file in FILES for tag in v.DICHOTOMOUS]
COMPLETE = [("dichotomous", tag) for tag in ("rasch", "2pl", "3pl")]


def case(file, name):
    return v.cases(file)[name]["result"]


def data(file):
    return v.table("dich" if file == "dichotomous" else "dich_na")


def group_sd(calibration):
    return float(np.sqrt(calibration.group_variance[0]))


@pytest.mark.parametrize(("file", "tag"), BOTH)
def test_parameters_and_likelihood(file, tag):
    ours = v.dichotomous(file, tag)
    theirs = case(file, f"{tag}.params")
    tolerance = 2e-4 if tag == "3pl" else 1e-4
    table = np.array(theirs["slope_intercept"]["values"], dtype=float)
    v.close(ours.items.slope, table[:, 0], tolerance)
    v.close([d[0] for d in ours.items.intercepts], table[:, 1], tolerance)
    v.close(ours.items.lower_asymptote, table[:, 2], tolerance)
    v.close(ours.group_variance, [theirs["group_variance"]], tolerance)
    b = np.array(theirs["irt"]["values"], dtype=float)[:, 1]
    v.close(ours.items.difficulty, b, tolerance)
    fit = case(file, f"{tag}.fit")
    v.close([ours.log_likelihood, ours.log_prior], [fit["logLik"], fit["logPrior"]], 1e-4)
    v.close([ours.aic, ours.bic], [fit["AIC"], fit["BIC"]], 2e-4)
    assert ours.n_parameters == fit["n_parameters"]
    assert ours.converged
    assert ours.gradient_norm < 1e-2
    assert ours.log_likelihood + ours.log_prior >= fit["logLik"] + fit["logPrior"] - 1e-6


@pytest.mark.parametrize(("file", "tag"), BOTH)
def test_standard_errors(file, tag):
    ours = np.sqrt(np.diag(v.dichotomous(file, tag).covariance))
    theirs = case(file, f"{tag}.se_oakes")["se"]
    if tag == "3pl":  # the peer is off here (ORIGIN.md, 1)
        assert np.abs(ours / theirs - 1).max() > 0.05
        if file == "dichotomous":
            v.close(ours.reshape(12, 3), v.cases("hand")["3pl.se"]["result"], 2e-4, relative=True)
    else:
        v.close(ours, theirs, 1e-3, relative=True)


@pytest.mark.parametrize(("file", "tag"), BOTH)
@pytest.mark.parametrize("method", ["EAP", "MAP", "ML", "WLE"])
def test_abilities(file, tag, method):
    block = v.cases(file)[f"{tag}.params"]["result"]
    items = v.peer_items(block["slope_intercept"], v.DICHOTOMOUS[tag][0])
    prior = (0.0, block["group_variance"] ** 0.5)
    patterns = v.table("dich_patterns")
    ours = estimate_ability(patterns, items, method, prior)
    scores = case(file, f"{tag}.scores")
    theta, error = v.numbers(scores[method]["theta"]), v.numbers(scores[method]["se"])
    empty = np.isnan(patterns).all(axis=1)
    assert empty.sum() == 1
    inside = np.isfinite(theta) & (np.abs(theta) < 15)  # the peer's ±20 are its bound
    assert (ours.finite == inside | (empty & (method in ("EAP", "MAP")))).all()
    assert np.isfinite(ours.theta[~empty]).all()
    if method in ("EAP", "MAP"):
        assert ours.theta[empty] == pytest.approx(0.0, abs=1e-12)
        assert ours.standard_error[empty] == pytest.approx(prior[1])
    if method == "WLE":
        info = information(items, ours.theta[inside])
        if not np.isnan(patterns[inside]).any():
            v.close(ours.standard_error[inside], info.standard_error, 1e-12)
        if tag == "3pl":  # another estimator (ORIGIN.md, 2): its mode is found again here
            v.close(_jeffreys_mode(patterns[inside], items, theta[inside]), theta[inside], 1e-4)
            return
        v.close(ours.theta[inside], theta[inside], 1e-4)
        curvature = _jeffreys_curvature(patterns[inside], items, ours.theta[inside])
        v.close(1 / np.sqrt(curvature), error[inside], 1e-3)
        return
    v.close(ours.theta[inside], theta[inside], 1e-4)
    v.close(ours.standard_error[inside], error[inside], 1e-4 if method == "EAP" else 1e-3)


def _penalised(theta, row, items):
    """log L + ½ log I at one θ, straight from the definitions."""
    seen = ~np.isnan(row)
    a, b, c = items.slope[seen], items.difficulty[seen], items.lower_asymptote[seen]
    p = c + (1 - c) / (1 + np.exp(-a * (theta - b)))
    x = row[seen]
    info = (a**2 * ((p - c) / (1 - c)) ** 2 * (1 - p) / p).sum()
    return (x * np.log(p) + (1 - x) * np.log(1 - p)).sum() + 0.5 * np.log(info)


def _jeffreys_curvature(rows, items, theta):
    h = 1e-3
    out = []
    for row, t in zip(rows, theta, strict=True):
        f = [_penalised(t + k * h, row, items) for k in (-1, 0, 1)]
        out.append(-(f[0] - 2 * f[1] + f[2]) / h**2)
    return np.array(out)


def _jeffreys_mode(rows, items, near):
    out = []
    for row, t in zip(rows, near, strict=True):

        def slope(x, row=row):
            return _penalised(x + 1e-5, row, items) - _penalised(x - 1e-5, row, items)

        out.append(brentq(slope, t - 0.05, t + 0.05, xtol=1e-9))
    return np.array(out)


def test_warm_estimates_of_the_3pl():
    block = v.cases("dichotomous")["3pl.params"]["result"]
    items = v.peer_items(block["slope_intercept"], "3PL")
    patterns = v.table("dich_patterns")
    hand = v.cases("hand")["3pl.warm_wle"]["result"]
    ours = estimate_ability(patterns, items, "WLE")
    theta, error = v.numbers(hand["theta"]), v.numbers(hand["se"])
    assert np.isfinite(theta).sum() == 29
    v.close(ours.theta, theta, 1e-6)
    v.close(ours.standard_error, np.where(np.isfinite(theta), error, np.nan), 1e-5)


@pytest.mark.parametrize("file", FILES)
def test_catr(file):
    block = v.cases(file)["3pl.params"]["result"]
    items = v.peer_items(block["slope_intercept"], "3PL")
    patterns = v.table("dich_patterns")
    theirs = case(file, "3pl.catR")
    ml = estimate_ability(patterns, items, "ML")
    theta = v.numbers(theirs["ML"]["theta"])
    v.close(ml.theta, theta, 1e-3)
    assert (ml.finite == (np.abs(theta) < 12)).all()
    complete = ml.finite & ~np.isnan(patterns).any(axis=1)
    assert complete.sum() > 15
    expected = information(items, ml.theta[complete]).standard_error  # catR: expected information
    v.close(expected, v.numbers(theirs["ML"]["se"])[complete], 2e-3)
    wle = estimate_ability(patterns, items, "WLE")
    several = np.array([name == "reversed6" for name in theirs["pattern"]])  # two roots; ours is the likelier
    assert several.sum() == 1
    known = np.where(several, np.nan, v.numbers(theirs["WL"]["theta"]))
    v.close(wle.theta, known, 1e-3)
    v.close(wle.standard_error, np.where(np.isnan(known), np.nan, v.numbers(theirs["WL"]["se"])), 2e-3)


@pytest.mark.parametrize(("file", "tag"), COMPLETE)
def test_sum_scores(file, tag):
    ours = v.dichotomous(file, tag)
    table = sum_score_table(ours.items, (0.0, group_sd(ours)))
    theirs = case(file, f"{tag}.eapsum")
    v.close(table.theta, theirs.get("F1", theirs.get("F")), 1e-4)
    v.close(table.standard_error, theirs.get("SE_F1", theirs.get("SE_F")), 1e-4)
    v.close(table.probability * 1000, theirs["expected"], 1e-2)
    observed = np.bincount(data(file).sum(axis=1).astype(int), minlength=13)
    assert observed.tolist() == theirs["observed"]
    each = estimate_ability(data(file), ours, "EAPsum", (0.0, group_sd(ours)))
    v.close(each.theta, table.theta[data(file).sum(axis=1).astype(int)], 1e-12)


@pytest.mark.parametrize(("file", "tag"), BOTH)
def test_information_and_reliability(file, tag):
    block = v.cases(file)[f"{tag}.params"]["result"]
    items = v.peer_items(block["slope_intercept"], v.DICHOTOMOUS[tag][0])
    theirs = case(file, f"{tag}.info")
    ours = information(items, theirs["theta"])
    v.close(ours.test, theirs["test"], 1e-4)
    v.close(ours.item, theirs["items"], 1e-4)
    calibration = v.dichotomous(file, tag)
    reliability = case(file, f"{tag}.reliability")
    eap = estimate_ability(data(file), calibration, "EAP", (0.0, group_sd(calibration)))
    v.close(eap.reliability, reliability["empirical_EAP"], 1e-4)
    if tag == "rasch":  # ORIGIN.md, 3: the peer adds the variance to the information, not its inverse
        z = np.linspace(-8, 8, 801)
        w, info = np.exp(-0.5 * z**2), information(calibration, z).test
        v.close(w @ (info / (info + calibration.group_variance[0])) / w.sum(), reliability["marginal"], 1e-4)
        right = v.cases(file)["1pl.reliability"]["result"]["marginal"]
        v.close(marginal_reliability(calibration, 0.0, group_sd(calibration)), right, 1e-4)
        if file == "dichotomous":
            v.close(right, v.cases("hand")["rasch.marginal_reliability"]["result"], 1e-4)
    else:
        v.close(marginal_reliability(calibration), reliability["marginal"], 1e-4)


@pytest.mark.parametrize(("file", "tag"), COMPLETE)
def test_score_based_item_fit(file, tag):
    ours = item_fit(data(file), v.dichotomous(file, tag))
    theirs = case(file, f"{tag}.SX2")
    v.close(ours.s_x2, theirs["S_X2"], 1e-2)
    shared = 1 if tag == "rasch" else 0  # ORIGIN.md, 4
    assert (ours.df == np.array(theirs["df.S_X2"]) + shared).all()
    if not shared:
        v.close(ours.p_value, theirs["p.S_X2"], 1e-3)
        v.close(ours.rmsea, theirs["RMSEA.S_X2"], 1e-3)


@pytest.mark.parametrize("tag", ["2pl", "rasch"])
def test_score_based_item_fit_without_merging(tag):
    theirs = case("dichotomous", f"cdm.{tag}.SX2")
    calibration = v.dichotomous("dichotomous", tag)
    read = calibration.items.read(data("dichotomous"))
    tables = score_tables(read, calibration.items, 0.0, group_sd(calibration))
    assert len(tables) == 12
    ours = [((t.observed - t.expected) ** 2 / t.expected).sum() for t in tables]
    v.close(ours, theirs["S-X2"], 1e-2 if tag == "rasch" else 0.2)  # ORIGIN.md, 7
    assert [t.score.size - (2 if tag == "2pl" else 1) for t in tables] == theirs["df"]
    merged = [merge_sparse(t, 1.0) for t in tables]
    assert all((t.expected >= 1).all() for t in merged)
    assert [t.observed.sum() for t in merged] == [t.observed.sum() for t in tables]


@pytest.mark.parametrize(("file", "tag"), COMPLETE)
def test_limited_information_fit(file, tag):
    ours = model_fit(data(file), v.dichotomous(file, tag))
    theirs = case(file, f"{tag}.M2")
    assert ours.df == theirs["df"]
    v.close(ours.srmsr, theirs["SRMSR"], 1e-3, relative=True)
    if tag == "3pl":  # ORIGIN.md, 5
        hand = v.cases("hand")["3pl.M2"]["result"]
        v.close(ours.m2, hand["M2"], 1e-3)
        assert ours.df == hand["df"]
        return
    v.close(ours.m2, theirs["M2"], 1e-3, relative=True)
    v.close(ours.p_value, theirs["p"], 1e-3)
    v.close(ours.rmsea, theirs["RMSEA"], 1e-3, relative=True)
    v.close([ours.tli, ours.cfi], [theirs["TLI"], theirs["CFI"]], 1e-3, relative=True)
    v.close(
        np.array(ours.rmsea_interval) * np.sqrt(999 / 1000), [theirs["RMSEA_5"], theirs["RMSEA_95"]], 5e-6
    )


@pytest.mark.parametrize(("file", "tag"), BOTH)
def test_mean_squares_of_items(file, tag):
    x = data(file)
    calibration = v.dichotomous(file, tag)
    ours = item_fit(x, calibration)
    theirs = case(file, f"{tag}.infit")
    v.close(ours.outfit, theirs["outfit"], 1e-3)
    v.close(ours.infit, theirs["infit"], 1e-3)
    v.close(ours.z_infit, theirs["z.infit"], 1e-3)
    if "Zh" in theirs:
        v.close(ours.z_log_likelihood, theirs["Zh"], 1e-3)
    if file == "dichotomous":
        v.close(ours.z_outfit, theirs["z.outfit"], 1e-3)
    else:  # ORIGIN.md, 6: numbers of responses recycled down the columns
        seen, variance, fourth = _moments(x, calibration)
        n = seen.sum(axis=0)
        recycled = np.resize(n, x.size).reshape(x.shape, order="F")
        ratio = np.where(seen, fourth / variance**2, 0.0)
        v.close(_z(ours.outfit, (ratio / recycled**2).sum(axis=0) - 1 / n), theirs["z.outfit"], 1e-3)
        v.close(_z(ours.outfit, ratio.sum(axis=0) / n**2 - 1 / n), ours.z_outfit, 1e-9)


@pytest.mark.parametrize(("file", "tag"), BOTH)
def test_person_fit(file, tag):
    x = data(file)
    calibration = v.dichotomous(file, tag)
    ours = person_fit(x, calibration, method="EAP")
    assert ours.lz_star is None
    theirs = case(file, f"{tag}.personfit")
    n = len(theirs["outfit"])
    assert n == 30
    v.close(ours.outfit[:n], theirs["outfit"], 1e-3)
    v.close(ours.infit[:n], theirs["infit"], 1e-3)
    v.close(ours.z_infit[:n], theirs["z.infit"], 1e-3)
    v.close(ours.lz[:n], theirs["Zh"], 1e-3)
    if file == "dichotomous":
        v.close(ours.z_outfit[:n], theirs["z.outfit"], 1e-3)
    else:  # ORIGIN.md, 6: all items' number in the place of those met
        seen, variance, fourth = _moments(x, calibration)
        ratio = np.where(seen, fourth / variance**2, 0.0).sum(axis=1)
        met = seen.sum(axis=1)
        wrong = _z(ours.outfit, np.maximum(ratio / x.shape[1] ** 2 - 1 / met, 0.0))
        ordinary = ratio / x.shape[1] ** 2 - 1 / met > 1e-9
        known = np.where(ordinary[:n], v.numbers(theirs["z.outfit"]), np.nan)
        v.close(wrong[:n], known, 1e-3)
        v.close(_z(ours.outfit, ratio / met**2 - 1 / met), ours.z_outfit, 1e-9)


def _moments(x, calibration):
    theta = estimate_ability(x, calibration, "EAP", (0.0, group_sd(calibration))).theta
    read = calibration.items.read(x)
    blocks = list(residuals(read, calibration.items, theta))
    variance = np.vstack([r.variance for r in blocks])
    seen = np.vstack([r.seen for r in blocks])
    return (
        seen,
        np.where(seen, np.maximum(variance, SMALLEST_VARIANCE), 1.0),
        np.vstack([r.fourth for r in blocks]),
    )


def _z(mean_square, q_squared):
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.minimum(np.sqrt(q_squared), 1.4142135623730951)
        return (np.cbrt(mean_square) - 1) * (3 / q) + q / 3


@pytest.mark.parametrize(("file", "tag"), BOTH)
def test_residual_correlations(file, tag):
    ours = local_dependence(data(file), v.dichotomous(file, tag))
    lower = case(file, f"{tag}.Q3")["lower"]
    assert len(lower) == 66
    v.close(ours.q3.T[np.triu_indices(12, 1)], lower, 1e-3)


@pytest.mark.parametrize("file", FILES)
def test_tam(file):
    theirs = case(file, "tam.rasch")
    ours = v.dichotomous(file, "rasch")
    v.close(ours.items.difficulty, theirs["xsi"], 1e-4)
    v.close(ours.group_variance, [theirs["variance"]], 1e-4)
    v.close(ours.log_likelihood, theirs["logLik"], 1e-4)
    # TAM leaves the covariance with the variance out of its standard errors, so they are smaller.
    errors = np.array([e[0] for e in ours.standard_errors.thresholds])
    assert (errors > np.array(theirs["se_xsi"])).all()
    alone = 1 / np.sqrt(np.diag(np.linalg.inv(ours.covariance))[: errors.size])
    v.close(alone, theirs["se_xsi"], 5e-3)
    wle = estimate_ability(data(file), ours, "WLE")
    v.close(wle.theta[:20], theirs["wle20"], 1e-4)
    v.close(wle.standard_error[:20], theirs["wle_se20"], 1e-4)
    v.close(wle.reliability, theirs["WLE.rel"], 1e-4)
    two = case(file, "tam.2pl")
    other = v.dichotomous(file, "2pl")
    v.close(other.items.slope, two["a"], 1e-4)
    v.close([d[0] for d in other.items.intercepts], two["d"], 1e-4)
    v.close(other.log_likelihood, two["logLik"], 1e-4)


def test_mean_squares_over_posteriors():
    theirs = case("dichotomous", "tam.rasch.msq")
    ours = item_fit(data("dichotomous"), v.dichotomous("dichotomous", "rasch"), method="posterior")
    v.close(ours.outfit, theirs["Outfit"], 1e-3)
    v.close(ours.infit, theirs["Infit"], 1e-3)


def test_every_case_has_its_test():
    """The names that the tests above ask for are all names there are."""
    each = ("params", "fit", "se_oakes", "scores", "info", "reliability", "infit", "personfit", "Q3")
    asked = {(file, f"{tag}.{what}") for file, tag in BOTH for what in each}
    asked |= {(file, f"{tag}.{what}") for file, tag in COMPLETE for what in ("eapsum", "SX2", "M2")}
    asked |= {(file, name) for file in FILES for name in ("3pl.catR", "tam.rasch", "tam.2pl")}
    asked |= {("dichotomous", name) for name in ("cdm.2pl.SX2", "cdm.rasch.SX2", "tam.rasch.msq")}
    assert asked == {(file, name) for file in FILES for name in v.cases(file)}
    assert len(asked) == 51 + 39
