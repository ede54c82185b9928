"""Variance components against base R, lme4 and gtheory (tests/vectors/raters/ORIGIN.md)."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from scoring.generalizability import decision_study, study

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "raters" / "raters.json").read_text())["cases"]
HERE = {"g.p_x_i", "g.p_x_rt.anova", "g.p_x_rt.lme4", "g.p_x_rt.dstudy", "g.p_x_rt.gtheory"}
HERE |= {"g.p_x_r_x_t.anova", "g.p_x_r_x_t.lme4", "g.p_x_r_x_t.dstudy"}


def load(folder, name):
    with open(VECTORS / folder / f"{name}.csv", newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], np.array(rows[1:], dtype=float)


def long(name):
    header, table = load("raters", name)
    return table[:, -1], {facet: table[:, j].astype(int) for j, facet in enumerate(header[:-1])}


def result(case):
    return CASES[case]["result"]


def close(ours, theirs, tolerance=1e-9):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def check_decisions(found, case, sizes, **options):
    assert len(result(case)) == 3
    for truth in result(case):
        decision = decision_study(found, {facet: truth[key] for facet, key in sizes.items()}, **options)
        close(decision.relative_variance, truth["var_rel"])
        close(decision.absolute_variance, truth["var_abs"])
        close(decision.generalizability, truth["Erho2"])
        close(decision.dependability, truth["Phi"])


def test_all_cases_are_used():
    assert {case for case in CASES if case.startswith("g.")} == HERE
    assert len(HERE) == 8


def test_persons_by_items():
    _, table = load("classical", "dich")
    found, truth = study(table), result("g.p_x_i")
    assert found.method == "anova"
    order = (("person",), ("item",), ("person", "item"))
    close([found.component(*f).mean_square for f in order], [truth[k] for k in ("MSp", "MSi", "MSpi")], 1e-10)
    close(
        [found.component(*f).estimate for f in order], [truth[k] for k in ("var_p", "var_i", "var_pi")], 1e-10
    )
    for case in truth["dstudy"]:
        decision = decision_study(found, {"item": case["n_i"]})
        close(decision.generalizability, case["Erho2"], 1e-10)
        close(decision.dependability, case["Phi"], 1e-10)
        close(decision.relative_variance, case["var_rel"], 1e-10)
        close(decision.absolute_variance, case["var_abs"], 1e-10)


def test_raters_nested_in_tasks():
    score, facets = long("gt_p_rt")
    found, truth = study(score, facets, nested={"rater": "task"}), result("g.p_x_rt.anova")
    parts = [
        found.component(*f)
        for f in (("person",), ("task",), ("person", "task"), ("rater",), ("person", "rater"))
    ]
    assert [p.name for p in parts] == ["person", "task", "person*task", "rater:task", "person*(rater:task)"]
    table = truth["table"]
    close([p.df for p in parts], table["df"])
    close([p.sum_of_squares for p in parts], table["ss"])
    close([p.mean_square for p in parts], table["ms"])
    names = ("person", "task", "person_task", "rater_task", "residual")
    close([p.estimate for p in parts], [truth["components"][name] for name in names])
    check_decisions(found, "g.p_x_rt.dstudy", {"task": "n_t", "rater": "n_r"})


@pytest.mark.parametrize("case", ["g.p_x_rt.lme4", "g.p_x_rt.gtheory"])
def test_raters_nested_in_tasks_by_likelihood(case):
    score, facets = long("gt_p_rt")
    found = study(score, facets, nested={"rater": "task"}, method="reml")
    truth = result(case)
    if case.endswith("gtheory"):
        decision = decision_study(found, {"task": 3, "rater": 2})
        close((decision.generalizability, decision.dependability), (truth["Erho2"], truth["Phi"]), 1e-4)
        truth = dict(zip(truth["components"]["source"], truth["components"]["var"], strict=True))
    order = {"person": ("person",), "task": ("task",), "person:task": ("person", "task"), "rater": ("rater",)}
    order["Residual"] = ("person", "rater")
    close(
        [found.component(*f).estimate for f in order.values()],
        [truth[key] for key in order],
        1e-4 if "gtheory" in case else 1e-5,
    )


def test_fully_crossed():
    score, facets = long("gt_prt")
    found, truth = study(score, facets), result("g.p_x_r_x_t.anova")
    order = {
        "p": ("person",),
        "r": ("rater",),
        "t": ("task",),
        "pr": ("person", "rater"),
        "pt": ("person", "task"),
    }
    order |= {"rt": ("rater", "task"), "prt": ("person", "rater", "task")}
    parts = [found.component(*f) for f in order.values()]
    close([p.df for p in parts], truth["table"]["df"])
    close([p.sum_of_squares for p in parts], truth["table"]["ss"])
    close([p.mean_square for p in parts], truth["table"]["ms"])
    close([p.estimate for p in parts], [truth["components"][key] for key in order])
    task = found.component("task")
    assert task.estimate < 0 == task.variance
    assert task.verdict.code == "component.negative"
    # R's decision study keeps the negative component
    check_decisions(found, "g.p_x_r_x_t.dstudy", {"rater": "n_r", "task": "n_t"}, truncate=False)


def test_fully_crossed_by_likelihood():
    score, facets = long("gt_prt")
    found, truth = study(score, facets, method="reml"), result("g.p_x_r_x_t.lme4")
    order = {
        "person": ("person",),
        "rater": ("rater",),
        "task": ("task",),
        "person:rater": ("person", "rater"),
    }
    order |= {"person:task": ("person", "task"), "rater:task": ("rater", "task")}
    order["Residual"] = ("person", "rater", "task")
    close([found.component(*f).estimate for f in order.values()], [truth[key] for key in order], 1e-5)
    assert found.component("task").verdict.code == "component.negative"
