"""Classical statistics against psych, lavaan and base R on simulated data (tests/vectors/classical/ORIGIN.md)."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from scoring.classical import conditional_sem, guttman, item_analysis, reliability, tetrachoric

FOLDER = Path(__file__).parents[2] / "vectors" / "classical"
CASES = json.loads((FOLDER / "classical.json").read_text())["cases"]
SETS = ("dich", "poly", "mcq")


def rows(name):
    with open(FOLDER / f"{name}.csv", newline="") as file:
        return list(csv.reader(file))[1:]


def load(name):
    if name == "mcq":
        key = [row[1] for row in rows("mcq_key")]
        return np.array([[float(a == k) for a, k in zip(row, key)] for row in rows("mcq")])
    return np.array(rows(name), dtype=float)


def close(ours, theirs, tolerance=1e-9):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


@pytest.fixture(scope="module", params=SETS)
def paper(request):
    scores = load(request.param)
    return request.param, item_analysis(scores), reliability(scores)


def result(name, case):
    return CASES[f"{name}.{case}"]["result"]


def test_all_cases_are_used():
    tested = {
        f"{n}.{c}" for n in SETS for c in ("items", "alpha", "total", "splithalf", "guttman", "omega_total")
    }
    tested |= {f"{n}.{c}" for n in ("dich", "mcq") for c in ("kr", "biserial")}
    tested |= {"mcq.distractors", "mcq.upper_lower", "dich.tetrachoric"}
    assert tested == set(CASES)
    assert len(tested) == 25


def test_items(paper):
    name, items, _ = paper
    truth = result(name, "items")
    close(items.mean, truth["mean"])
    close(items.standard_deviation, truth["sd"])
    close(items.item_total, truth["r_total"])
    close(items.item_rest, truth["r_rest"])
    close(items.alpha_if_deleted, truth["alpha_if_deleted"])


def test_alpha(paper):
    name, _, paper_reliability = paper
    truth = result(name, "alpha")
    close(paper_reliability.alpha, truth["alpha"])
    close(paper_reliability.alpha_standardised, truth["std_alpha"])
    close(paper_reliability.average_correlation, truth["average_r"])
    close(paper_reliability.alpha_interval, (truth["feldt_lower"], truth["feldt_upper"]))
    close(paper_reliability.alpha_standard_error, truth["ase_psych"])
    close(paper_reliability.sem, truth["SEM"])


def test_total(paper):
    name, items, _ = paper
    truth = result(name, "total")
    total = items.total
    ours = (total.mean, total.standard_deviation, total.skewness, total.kurtosis)
    close(ours, [truth[key] for key in ("mean", "sd", "skew1", "kurt1")])
    n = total.score.size  # psych's type 3 uses the variance with n - 1
    close(total.skewness * (1 - 1 / n) ** 1.5, truth["skew3"])
    close((total.kurtosis + 3) * (1 - 1 / n) ** 2 - 3, truth["kurt3"])


def test_split_halves(paper):
    name, _, paper_reliability = paper
    truth = result(name, "splithalf")
    for half, suffix in zip(paper_reliability.split_halves, ("oe", "fs"), strict=True):
        close(half.correlation, truth[f"r_{suffix}"], 1e-10)
        close(half.spearman_brown, truth[f"sb_{suffix}"], 1e-10)
        close(half.flanagan, truth[f"flanagan_{suffix}"], 1e-10)


def test_guttman(paper):
    name, _, paper_reliability = paper
    truth = result(name, "guttman")
    bounds = guttman(np.corrcoef(load(name), rowvar=False))  # psych standardises the items
    close(bounds.lambda6, result(name, "alpha")["G6"])
    assert paper_reliability.guttman.lambda3 == paper_reliability.alpha
    close(paper_reliability.guttman.lambda4, paper_reliability.split_halves[0].flanagan)
    close(
        (bounds.lambda1, bounds.lambda2, bounds.lambda3, bounds.lambda6),
        [truth[f"L{i}"] for i in (1, 2, 3, 6)],
        1e-8,
    )


def test_omega(paper):
    name, _, paper_reliability = paper
    truth = result(name, "omega_total")
    close(paper_reliability.omega, truth["omega"], 1e-4)
    close(paper_reliability.factor.loading, truth["loading"], 1e-4)
    close(paper_reliability.factor.residual, truth["residual"], 1e-4)
    close(paper_reliability.factor.chi_square, truth["chisq"], 1e-4)
    assert paper_reliability.factor.df == truth["df"]


@pytest.mark.parametrize("name", ["dich", "mcq"])
def test_kuder_richardson_and_biserial(name):
    scores = load(name)
    paper_reliability, items = reliability(scores), item_analysis(scores)
    close(paper_reliability.kr20, result(name, "kr")["KR20"], 1e-10)
    close(paper_reliability.kr21, result(name, "kr")["KR21"], 1e-10)
    truth = result(name, "biserial")
    close(items.item_total, truth["pbis"])
    close(items.biserial_total, truth["biserial_hand"])
    close(items.biserial_total, truth["biserial_psych"], 1e-3)
    close(items.biserial, truth["biserial_rest_hand"])


def test_distractors():
    key = [row[1] for row in rows("mcq_key")]
    items = item_analysis(rows("mcq"), key=key)
    truth = result("mcq", "distractors")
    assert len(truth) == len(items.distractors) == 10
    for table, theirs in zip(items.distractors, truth.values(), strict=True):
        assert table.key == theirs["key"]
        assert [o or "omit" for o in table.options] == theirs["option"]
        assert table.n.tolist() == theirs["n"]
        close(table.mean_total, theirs["mean_total"])
        close(table.point_biserial_total, theirs["pb_total"])
        close(table.point_biserial_rest, theirs["pb_rest"])
        assert table.upper.sum() == table.lower.sum() == 135
        assert table.verdicts == ()


def test_upper_and_lower_groups():
    items, truth = item_analysis(load("mcq")), result("mcq", "upper_lower")
    assert items.group_size == truth["n_group"]
    close(items.upper_share, truth["p_upper"])
    close(items.lower_share, truth["p_lower"])
    close(items.upper_lower, truth["D"])


def test_conditional_error_is_consistent_with_kr21():
    """The mean square of Lord's error is (1 - KR21) times the variance (n), Keats' (1 - KR20): Lord & Novick 23.6."""
    for name in ("dich", "mcq"):
        scores = load(name)
        kr = result(name, "kr")
        variance = scores.sum(axis=1).var()
        close((conditional_sem(scores).standard_error ** 2).mean(), variance * (1 - kr["KR21"]))
        close((conditional_sem(scores, "keats").standard_error ** 2).mean(), variance * (1 - kr["KR20"]))


def test_tetrachoric_correlations():
    truth = result("dich", "tetrachoric")
    found = tetrachoric(load("dich")[:, :6])
    close(found.correlation[np.triu_indices(6, 1)], truth["lower"], 1e-3)
    close(found.threshold, truth["tau"], 1e-9)
