"""GRM, GPCM, PCM, RSM and mixed tests against mirt and TAM."""

import irt_vectors as v
import numpy as np
import pytest

from scoring.irt import (
    ItemParameters,
    category_probabilities,
    estimate_ability,
    information,
    item_fit,
    marginal_reliability,
)

TAGS = tuple(v.POLYTOMOUS)
TWIN = {"pcm": "PCM", "rsm": "RSM", "thin.pcm": "PCM"}


def case(name):
    return v.cases("polytomous")[name]["result"]


def peer_thresholds(tag, block):
    """a and thresholds from a slope-intercept block."""
    columns = {name: i for i, name in enumerate(block["cols"])}
    slopes, thresholds = [], []
    for row in block["values"]:
        a = row[columns["a1"]]
        if tag == "rsm":
            b = [row[columns[f"b{k}"]] - row[columns["c"]] for k in range(1, 5)]
        elif "d" in columns and row[columns["d"]] is not None:
            b = [-row[columns["d"]] / a]
        else:
            d = [row[columns[name]] for name in columns if name.startswith("d") and name[1:] not in ("", "0")]
            d = [value for value in d if value is not None]
            b = [-value / a for value in d] if "grm" in tag else list(-np.diff([0.0, *d]) / a)
        slopes.append(a)
        thresholds.append(b)
    return np.array(slopes), thresholds


def peer_items(tag):
    a, b = peer_thresholds(tag, v.cases("polytomous")[f"{tag}.params"]["result"]["slope_intercept"])
    return ItemParameters.of(v.POLYTOMOUS[tag][1], slope=a, thresholds=b)


def group_sd(tag):
    return v.cases("polytomous")[f"{tag}.params"]["result"]["group_variance"] ** 0.5


@pytest.mark.parametrize("tag", TAGS)
def test_parameters_and_likelihood(tag):
    ours = v.polytomous(tag)
    theirs = case(f"{tag}.params")
    a, b = peer_thresholds(tag, theirs["slope_intercept"])
    v.close(ours.items.slope, a, 2e-4)
    for j, (mine, its) in enumerate(zip(ours.items.thresholds, b, strict=True)):
        thin = tag.startswith("thin") and j == 7
        v.close(mine, its, 5e-3 if thin else 2e-4)
    v.close(ours.group_variance, [theirs["group_variance"]], 2e-4)
    fit = case(f"{tag}.fit")
    v.close(ours.log_likelihood, fit["logLik"], 1e-4)
    v.close([ours.aic, ours.bic], [fit["AIC"], fit["BIC"]], 2e-4)
    assert ours.n_parameters == fit["n_parameters"]
    assert ours.log_likelihood >= fit["logLik"] - 1e-6
    assert ours.remarks == ()  # three responses are enough to keep a category


@pytest.mark.parametrize("tag", TAGS)
def test_standard_errors(tag):
    ours = np.sqrt(np.diag(v.polytomous(tag).covariance))
    v.close(ours, case(f"{tag}.se_oakes")["se"], 2e-3, relative=True)


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("method", ["EAP", "MAP", "ML", "WLE"])
def test_abilities(tag, method):
    theirs = case(f"{tag}.scores")
    patterns = np.array([v.numbers(row) for row in theirs["patterns"]])
    ours = estimate_ability(patterns, peer_items(tag), method, (0.0, group_sd(tag)))
    theta, error = v.numbers(theirs[method]["theta"]), v.numbers(theirs[method]["se"])
    assert (ours.finite == np.isfinite(theta)).all()
    v.close(ours.theta, theta, 2e-4)
    if method == "WLE":  # ORIGIN.md, 2: our standard error is 1/√I over the items that were met
        rows = np.flatnonzero(~np.isnan(patterns).any(axis=1))
        assert rows.size == 14
        info = information(peer_items(tag), ours.theta[rows])
        v.close(ours.standard_error[rows], info.standard_error, 1e-10)
        v.close(ours.standard_error, error, 0.3)
    else:
        v.close(ours.standard_error, error, 2e-4 if method == "EAP" else 1e-3)


@pytest.mark.parametrize("tag", TAGS)
def test_information_curves_and_reliability(tag):
    theirs = case(f"{tag}.info")
    items = peer_items(tag)
    v.close(information(items, theirs["theta"]).test, theirs["test"], 2e-4)
    v.close(category_probabilities(items, theirs["theta"])[0], theirs["item1_probs"], 2e-4)
    reliability = case(f"{tag}.reliability")["marginal"]
    if tag in TWIN:  # ORIGIN.md, 3
        z = np.linspace(-8, 8, 801)
        w, info = np.exp(-0.5 * z**2), information(items, z).test
        v.close(w @ (info / (info + group_sd(tag) ** 2)) / w.sum(), reliability, 1e-4)
        assert marginal_reliability(items, 0.0, group_sd(tag)) > reliability
    else:
        v.close(marginal_reliability(items), reliability, 1e-4)


@pytest.mark.parametrize("tag", TAGS)
def test_item_fit(tag):
    data = v.table(v.POLYTOMOUS[tag][0])
    ours = item_fit(data, v.polytomous(tag))
    theirs = case(f"{tag}.infit")
    v.close(ours.outfit, theirs["outfit"], 1e-3)
    v.close(ours.infit, theirs["infit"], 1e-3)
    v.close(ours.z_outfit, theirs["z.outfit"], 1e-3)
    v.close(ours.z_infit, theirs["z.infit"], 1e-3)
    sx2 = case(f"{tag}.SX2")
    v.close(ours.s_x2, sx2["S_X2"], 5e-2)
    # ORIGIN.md, 4: the variance, and in the rating scale four common steps, are nobody's own parameters
    shared = {"pcm": [1] * 8, "thin.pcm": [1] * 8, "rsm": [4] + [5] * 7}.get(tag, [0] * ours.df.size)
    assert (ours.df - np.array(sx2["df.S_X2"]) == shared).all()


def test_tam():
    for tag in ("pcm", "rsm", "gpcm"):
        theirs = case(f"tam.{tag}")
        ours = v.polytomous(tag)
        intercepts = np.array([[0.0, *d] for d in ours.items.intercepts])
        v.close(-intercepts, -np.array(theirs["AXsi"]), 2e-4)
        v.close(ours.log_likelihood, theirs["logLik"], 1e-4)
        if tag == "gpcm":
            v.close(ours.items.slope, theirs["a"], 2e-4)
        else:
            v.close(ours.group_variance, [theirs["variance"]], 2e-4)


def test_every_case_has_its_test():
    each = ("params", "fit", "se_oakes", "scores", "info", "infit", "SX2", "reliability")
    asked = {f"{tag}.{what}" for tag in TAGS for what in each} | {
        f"tam.{tag}" for tag in ("pcm", "rsm", "gpcm")
    }
    assert asked == set(v.cases("polytomous"))
    assert len(asked) == 67
