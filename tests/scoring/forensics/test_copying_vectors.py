"""Answer-copying indices against aberrance, CopyDetect and hand calculations."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from scoring.forensics import gbt, k_index, m4, nominal_probabilities, omega
from scoring.irt import ItemParameters

VECTORS = Path(__file__).parents[2] / "vectors" / "copying"
CASES = json.loads((VECTORS / "copying.json").read_text())["cases"]
HAND = json.loads((VECTORS / "hand.json").read_text())["cases"]


def table(name: str, skip: int = 0) -> np.ndarray:
    with (VECTORS / f"{name}.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    return np.array([[float(v) for v in row[skip:]] for row in rows])


SCORES = table("copy_scores", 1)
THETA = table("copy_thetas", 1).ravel()
PARAMETERS = table("copy_items", 1)
ITEMS = ItemParameters.of("2PL", slope=PARAMETERS[:, 0], difficulty=PARAMETERS[:, 1])
NOMINAL = table("copy_nrm")
OPTIONS = table("copy_options") - 1
OPTION_PROBABILITIES = nominal_probabilities(NOMINAL[:, :4], NOMINAL[:, 4:], table("copy_nrm_eta").ravel())


def read_pairs(names: list[str]) -> list[tuple[int, int]]:
    """aberrance names a pair source-copier, from 1."""
    return [(int(name.split("-")[1]) - 1, int(name.split("-")[0]) - 1) for name in names]


def test_every_case_is_tested():
    assert len(CASES) == 7
    assert len(HAND) == 2


@pytest.mark.parametrize("kind", ["scores", "options"])
def test_omega_and_conditional_gbt(kind):
    case = CASES["scores.known_theta" if kind == "scores" else "options.known_eta"]["result"]
    given = (SCORES[:40], ITEMS) if kind == "scores" else (OPTIONS, OPTION_PROBABILITIES)
    theta = {"theta": THETA} if kind == "scores" else {}
    pairs = read_pairs(case["pairs"])
    assert len(pairs) == 78
    found = omega(*given, **theta, pairs=pairs)
    binomial = gbt(*given, **theta, pairs=pairs, conditional=True)
    np.testing.assert_allclose(found.statistic, np.array(case["stat"])[:, 0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.p, np.array(case["pval"])[:, 0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(binomial.p, np.array(case["pval"])[:, 1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["scores", "options"])
def test_unconditional_gbt(kind):
    case = HAND[f"gbt.{kind}.unconditional"]["result"]
    given = (SCORES[:40], ITEMS) if kind == "scores" else (OPTIONS, OPTION_PROBABILITIES)
    theta = {"theta": THETA} if kind == "scores" else {}
    found = gbt(*given, **theta, pairs=read_pairs(case["pairs"]))
    np.testing.assert_allclose(found.p, case["p"], rtol=0, atol=1e-9)


FITTED = CASES["CopyDetect.item_par"]["result"]
FITTED_ITEMS = ItemParameters.of("2PL", slope=FITTED["a"], difficulty=FITTED["b"])
NAMED = [name for name in CASES if name.startswith("CopyDetect.S")]


@pytest.mark.parametrize("name", NAMED)
def test_copydetect(name):
    case = CASES[name]["result"]
    copier, source = (int(part[1:]) - 1 for part in name.removeprefix("CopyDetect.").split("_from_"))
    theta = np.zeros(400)
    theta[[copier, source]] = case["thetas"]
    pair = [(copier, source)]
    wollack = omega(SCORES, FITTED_ITEMS, theta=theta, pairs=pair)
    assert wollack.matches[0] == case["W"]["obs.match"]
    assert wollack.expected[0] == pytest.approx(case["W"]["exp.match"], abs=1e-4)
    assert wollack.sd[0] == pytest.approx(case["W"]["sd.match"], abs=1e-4)
    assert wollack.statistic[0] == pytest.approx(case["W"]["W.value"], abs=1e-4)
    assert wollack.p[0] == pytest.approx(case["W"]["p.value"], abs=1e-4)
    assert gbt(SCORES, FITTED_ITEMS, theta=theta, pairs=pair).p[0] == pytest.approx(case["GBT_p"], abs=1e-4)
    assert m4(SCORES, FITTED_ITEMS, theta=theta, pairs=pair).p[0] == pytest.approx(case["M4"]["p"], abs=1e-4)
    k = k_index(SCORES, method="K", pairs=pair)
    assert k.p[0] == pytest.approx(case["K"]["k.index"], abs=1e-6)
    assert k.group_size[0] == case["K"]["n_group"]
    assert k.expected[0] == pytest.approx(np.mean(case["K"]["matches_in_group"]), abs=1e-9)
    errors = int((SCORES[copier] == 0).sum())
    for method, curve in (("K1", "pred1"), ("K2", "pred2"), ("S1", "pred3"), ("S2", "pred4")):
        found = k_index(SCORES, method=method, pairs=pair)
        assert found.p[0] == pytest.approx(case["K_variants"][f"{method}.index"], abs=1e-6), method
        assert found.expected[0] == pytest.approx(case["K_variants"][curve][errors], abs=1e-5), method


def test_there_are_four_pairs_from_copydetect():
    assert len(NAMED) == 4
