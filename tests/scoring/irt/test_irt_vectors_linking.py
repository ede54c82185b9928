"""Linking constants and equated scores against hand calculations, plink, equateIRT and sirt."""

import csv

import irt_vectors as v
import numpy as np
import pytest

from scoring.irt import ItemParameters, equate_observed_scores, equate_true_scores, link

MODELS = {"2pl": "2PL", "3pl": "3PL", "grm": "GRM", "gpcm": "GPCM"}
GRID = np.arange(41) * 0.2 - 4.0
GH = np.polynomial.hermite_e.hermegauss(30)
WEIGHTS = {"U": (GRID, np.ones(41)), "N": (GRID, np.exp(-0.5 * GRID**2)), "GH": GH}
METHODS = {
    "MM": "mean-mean",
    "MS": "mean-sigma",
    "MGM": "mean-gmean",
    "HB": "haebara",
    "SL": "stocking-lord",
    "Haebara": "haebara",
    "Stocking-Lord": "stocking-lord",
}


def items(model, side, scale=1.0):
    with open(v.FOLDER / "data" / f"link_{model}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    steps = [k for k in rows[0] if k.startswith("b") and k.endswith(side)]
    return ItemParameters.of(
        MODELS[model],
        slope=[scale * float(r[f"a_{side}"]) for r in rows],
        thresholds=[[float(r[k]) for k in steps] for r in rows],
        lower_asymptote=[float(r.get(f"c_{side}", 0.0)) for r in rows],
        items=[r["item"] for r in rows],
    )


def solve(model, method, weights, *, symmetric=False, scale=1.0):
    theta, weight = WEIGHTS[weights]
    return link(
        items(model, "old", scale),
        items(model, "new", scale),
        METHODS.get(method, method),
        theta=theta,
        weights=weight,
        symmetric=symmetric,
    )


NAMES = list(v.cases("linking"))
ASKED = [
    n for n in NAMES if n.split(".")[0] in ("hand", "plink", "equateIRT") and "SE" not in n.split(".")[-1]
]


@pytest.mark.parametrize("name", ASKED)
def test_constants(name):
    parts = name.split(".")
    package, model = parts[0], parts[1]
    theirs = v.cases("linking")[name]["result"]
    symmetric = parts[-1] == "symmetric"
    scale = 1.7 if name.endswith("D1.7") else 1.0
    if parts[2] == "moments":
        compared = 0
        for method, constants in theirs.items():
            ours = solve(model, method, "N")
            v.close([ours.slope, ours.intercept], constants, 1e-10)
            compared += 1
        assert compared == 3
    elif package == "hand":
        ours = solve(model, parts[2], parts[3], symmetric=symmetric, scale=scale)
        v.close([ours.slope, ours.intercept], [theirs["A"], theirs["B"]], 1e-5)
        # the hand criterion of U, N, GH uses these weights normalised to 1, per scale
        v.close(ours.criterion, theirs["criterion"], 1e-9)
    elif package == "plink":
        assert set(theirs) == {"MM", "MS", "HB", "SL"}
        for method, constants in theirs.items():
            ours = solve(model, method, parts[2], symmetric=symmetric)
            v.close([ours.slope, ours.intercept], [constants["A"], constants["B"]], 1e-3)
    else:
        ours = solve(model, parts[2], "GH", scale=scale)
        v.close([ours.slope, ours.intercept], [theirs["A"], theirs["B"]], 1e-5)


def test_haberman():
    theirs = v.cases("linking")["sirt.haberman.2pl"]["result"]["persons"]
    ours = solve("2pl", "mean-gmean", "N")  # with two studies Haberman's regression is the geometric mean
    v.close([ours.slope, ours.intercept], [theirs["A_theta"][1], theirs["B_theta"][1]], 1e-5)


def test_true_score_equating():
    theirs = v.cases("linking")["equateIRT.3pl.TSE"]["result"]
    moved = solve("3pl", "SL", "GH").items(items("3pl", "new"))
    ours = equate_true_scores(items("3pl", "old"), moved)
    score = np.array(theirs["old"], dtype=int)
    assert score.tolist() == list(range(3, 16))
    v.close(ours.equated[score], theirs["new.as.old"], 1e-4)
    v.close(
        ours.theta[score[:-1]], theirs["theta"][:-1], 1e-4
    )  # the last is the peer's stand-in for infinity
    assert ours.theta[-1] == np.inf
    assert (np.diff(ours.equated) > 0).all()


def test_observed_score_equating():
    theirs = v.cases("linking")["equateIRT.3pl.OSE"]["result"]
    found = solve("3pl", "SL", "GH")
    moved = found.items(items("3pl", "new"))
    # the peer's synthetic population: half on either form's own N(0, 1)
    theta = np.concatenate([GH[0], found.theta(GH[0])])
    ours = equate_observed_scores(items("3pl", "old"), moved, theta, np.concatenate([GH[1], GH[1]]))
    v.close(ours.equated, theirs["new.as.old"], 1e-4)


def test_every_case_has_its_test():
    others = {"sirt.haberman.2pl", "equateIRT.3pl.TSE", "equateIRT.3pl.OSE"}
    assert len(NAMES) == 68
    assert set(ASKED) | others == set(NAMES)
    assert len(v.cases("hand")) == 4
