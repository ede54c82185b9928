"""Items chosen and abilities estimated step by step, against catR."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from scoring.adaptive import CRITERIA, Content, StoppingRule, administer, next_item
from scoring.adaptive.standing import Bank, standing
from scoring.irt import ItemParameters, estimate_ability, information

VECTORS = Path(__file__).parents[2] / "vectors" / "adaptive"
CASES = json.loads((VECTORS / "adaptive.json").read_text())["cases"]
with (VECTORS / "cat_bank.csv").open() as file:
    ROWS = list(csv.DictReader(file))
with (VECTORS / "cat_responses.csv").open() as file:
    ANSWERS = np.array([[int(v) for v in row] for row in list(csv.reader(file))[1:]])
ITEMS = ItemParameters.of(
    "3PL",
    slope=[float(row["a"]) for row in ROWS],
    difficulty=[float(row["b"]) for row in ROWS],
    lower_asymptote=[float(row["c"]) for row in ROWS],
)
AREAS = [row["content"] for row in ROWS]
TARGETS = {"algebra": 0.40, "geometry": 0.35, "number": 0.25}
CATR_GRID = np.linspace(-4, 4, 33)


def test_every_case_is_tested():
    runs = {f"run.person{i}{kind}" for i in (1, 2, 3) for kind in ("", ".content")}
    whole = {f"randomCAT.person{i}" for i in (1, 2, 3)}
    assert set(CASES) == runs | whole | {"info", "scores", "next_item", "next_item_content"}
    assert len(CASES) == 13


def test_information():
    case = CASES["info"]["result"]
    np.testing.assert_allclose(information(ITEMS, case["theta"]).item, case["Ii"], rtol=0, atol=1e-8)


def test_scores_of_complete_tests():
    case = CASES["scores"]["result"]
    for name, method in (("ML", "ML"), ("BM", "MAP"), ("WL", "WLE")):
        found = estimate_ability(ANSWERS, ITEMS, method)
        np.testing.assert_allclose(found.theta, case[name]["theta"], rtol=0, atol=1e-3)
        error = 1 / np.sqrt(information(ITEMS, case[name]["theta"]).test + (method == "MAP"))
        np.testing.assert_allclose(error, case[name]["se"], rtol=0, atol=1e-3)
    for grid, name in ((CATR_GRID, "EAP"), (np.linspace(-6, 6, 121), "EAP")):
        for person in range(3):
            found = standing(Bank.of(ITEMS, grid), range(60), ANSWERS[person], (0.0, 1.0))
            assert found.theta == pytest.approx(case[name]["theta"][person], abs=1e-3)
            assert found.standard_error == pytest.approx(case[name]["se"][person], abs=1e-3)


@pytest.mark.parametrize(
    ("name", "criterion"),
    list(zip(["MFI", "bOpt", "thOpt", "MLWI", "MPWI", "KL", "KLP", "MEI", "MEPV"], CRITERIA, strict=True)),
)
def test_next_item_by_every_criterion(name, criterion):
    case = CASES["next_item"]["result"]
    found = next_item(Bank.of(ITEMS, CATR_GRID), [0, 4, 8], case["x"], theta=0.3, criterion=criterion)
    assert found.item + 1 == case[name]["item"]
    assert found.value == pytest.approx(case[name]["value"], abs=1e-5)
    assert found.candidates == 57


def test_next_item_within_an_area():
    rows = CASES["next_item_content"]["result"]
    assert len(rows) == 4
    for row in rows:
        given = [item - 1 for item in row["out"]]
        for area in ("algebra", "geometry", "number"):
            mask = np.array([name == area for name in AREAS])
            found = next_item(ITEMS, given, [0, 0, 0], theta=row["theta"], allowed=mask)
            assert found.item + 1 == row[area]
        assert next_item(ITEMS, given, [0, 0, 0], theta=row["theta"]).item + 1 == row["any"]


@pytest.mark.parametrize("person", [1, 2, 3])
@pytest.mark.parametrize("kind", ["run", "content", "randomCAT"])
def test_whole_tests(person, kind):
    name = {
        "run": f"run.person{person}",
        "content": f"run.person{person}.content",
        "randomCAT": f"randomCAT.person{person}",
    }[kind]
    case = CASES[name]["result"]
    bank = Bank.of(ITEMS, CATR_GRID if kind == "randomCAT" else None)
    content = Content(AREAS, TARGETS) if kind == "content" else None
    found = administer(
        bank, lambda item: int(ANSWERS[person - 1, item]), StoppingRule(maximum=15), content=content
    )
    assert (found.items + 1).tolist() == case["items"]
    assert found.responses.tolist() == case["pattern" if kind == "randomCAT" else "answers"]
    np.testing.assert_allclose(found.theta, case["theta" if kind == "randomCAT" else "EAP"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(found.standard_error, case["se" if kind == "randomCAT" else "SE"], rtol=0, atol=1e-4)
    if kind == "randomCAT":
        assert found.theta[-1] == pytest.approx(case["final"], abs=1e-3)
        assert found.standard_error[-1] == pytest.approx(case["final_se"], abs=1e-3)
    assert found.reason == "maximum length"
