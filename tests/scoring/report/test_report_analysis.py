"""Planted faults are found, small samples say what they cannot say, and every number is that of its own function."""

import json

import numpy as np
import pytest
from report_answers import exam, scored, written

from scoring.classical import item_analysis, reliability
from scoring.dif import mantel_haenszel
from scoring.errors import BadParameters, NotIdentified
from scoring.irt import calibrate
from scoring.report import MODELS, analyse, as_mapping, find, read_answers
from scoring.report.findings import flags


@pytest.fixture(scope="module")
def whole():
    data, key, guessers = exam()
    answers = read_answers(data, name="exam.csv", key=key, group_column="Giới tính")
    return analyse(answers), guessers


def test_planted_faults_are_found(whole):
    analysis, guessers = whole
    found = {one.code: one for one in find(analysis)}
    assert [name.split(" (")[0] for name in found["key_suspect"].names] == ["Câu 7"]
    assert found["reversed"].names == ("Câu 7",)
    assert found["dif_large"].names[:2] == ("Nam", "Nữ")
    assert "Câu 12" in found["dif_large"].names[2:]
    assert found["dependent"].names[0] == "Câu 20 – Câu 21"
    assert set(found["unlikely"].names) >= set(guessers)
    assert len(found["unlikely"].names) <= 5
    levels = [one.level for one in find(analysis)]
    assert levels == sorted(levels, key=["act", "look", "know"].index)
    assert flags(analysis)[6] == ("key", "reversed")


def test_every_number_is_that_of_its_own_function(whole):
    analysis, _ = whole
    x = analysis.answers.scores
    np.testing.assert_array_equal(analysis.items.item_rest, item_analysis(x).item_rest)
    assert analysis.reliability.alpha == reliability(x).alpha
    alone = calibrate(x, "2PL")
    assert analysis.model.models == ("2PL",) * 30
    assert analysis.model.calibration.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-9)
    focal = np.array([label == "Nữ" for label in analysis.answers.groups])
    np.testing.assert_array_equal(analysis.groups[0].mantel_haenszel.delta, mantel_haenszel(x, focal.astype(int)).delta)
    assert (analysis.groups[0].n_focal, analysis.groups[0].n_reference) == (int(focal.sum()), int((~focal).sum()))


def test_distractors_are_those_of_the_keyed_analysis(whole):
    analysis, _ = whole
    answers = analysis.answers
    table = np.array([answers.options[j] for j in range(30)], dtype=object).T
    theirs = item_analysis(table, key=[answers.key[j] for j in range(30)]).distractors
    assert len(theirs) == 30
    for mine, other in zip(analysis.distractors, theirs, strict=True):
        assert mine.options == other.options
        np.testing.assert_allclose(mine.point_biserial_rest, other.point_biserial_rest, atol=1e-12)
        np.testing.assert_array_equal(mine.n, other.n)


def test_five_candidates_get_no_model_and_no_certainty():
    data, _ = scored(5, 12, seed=3)
    analysis = analyse(read_answers(data))
    assert analysis.model is None
    assert analysis.refused["model"].code == "refused.too_few_for_model"
    assert analysis.refused["groups"].code == "refused.no_groups"
    codes = {one.code for one in find(analysis)}
    assert codes & {"paper.says_nothing"}
    assert not codes & {"reversed", "key_suspect", "misfit", "unlikely"}


@pytest.mark.parametrize(
    ("n", "categories", "asked", "fitted"),
    [
        (60, 2, "auto", "Rasch"),
        (250, 2, "auto", "2PL"),
        (60, 4, "auto", "PCM"),
        (250, 4, "auto", "GPCM"),
        (250, 4, "GRM", "GRM"),
        (250, 4, "2PL", "GPCM"),
        (250, 2, "GRM", "2PL"),
        (250, 2, "1PL", "1PL"),
        (250, 4, "RSM", "RSM"),
        (400, 2, "3PL", "3PL"),
    ],
)
def test_the_model_suits_items_and_sample(n, categories, asked, fitted):
    data, _ = scored(n, 8, categories=categories)
    analysis = analyse(read_answers(data), model=asked)
    assert set(analysis.model.models) == {fitted}
    assert analysis.model.calibration.converged
    assert set(MODELS) >= {asked}


def test_mixed_papers_leave_out_what_no_model_takes():
    rng = np.random.default_rng(2)
    ability = rng.standard_normal(300)
    binary = (ability[:, None] + rng.logistic(size=(300, 6)) > 0).astype(float)
    points = np.clip(np.rint(2 + ability + rng.normal(0, 1, 300)), 0, 4)
    essay = np.clip(np.rint(4 * (5 + 2 * ability + rng.normal(0, 1, 300))) / 4, 0, 10)
    same = np.ones(300)
    head = [*(f"Q{j}" for j in range(6)), "P", "E", "S"]
    analysis = analyse(read_answers(written([head, *np.column_stack([binary, points, essay, same]).tolist()])))
    assert analysis.model.models == ("2PL",) * 6 + ("GPCM",)
    assert analysis.model.left_out == ("E", "S")
    assert analysis.distractors == (None,) * 9
    assert ("constant",) in flags(analysis)


def test_missing_blocks_are_not_wrong():
    _, x = scored(300, 10)
    rows = [[f"T{i}", *x[i].astype(object)] for i in range(300)]
    for i in range(0, 300, 2):
        rows[i][1:4] = ["NA"] * 3
    analysis = analyse(read_answers(written([["SBD", *(f"C{j}" for j in range(10))], *rows])))
    assert analysis.items.n[:3].tolist() == [150] * 3
    np.testing.assert_allclose(analysis.items.difficulty[0], x[1::2, 0].mean())
    assert analysis.reliability.left_out == 150
    assert analysis.model.calibration.n_persons == 300


def test_groups_are_compared_with_the_largest_or_the_one_named():
    _, x = scored(600, 6)
    label = np.where(np.arange(600) < 300, "a", np.where(np.arange(600) < 540, "b", np.where(np.arange(600) < 590, "c", "")))
    rows = [["group", *(f"C{j}" for j in range(6))], *([g, *row] for g, row in zip(label, x.tolist(), strict=True))]
    answers = read_answers(written(rows), group_column="group")
    analysis = analyse(answers, model="none")
    assert [(g.reference, g.focal) for g in analysis.groups] == [("a", "b"), ("a", "c")]
    assert analysis.groups[0].mantel_haenszel is not None
    assert analyse(answers, model="none", reference="b").groups[0].reference == "b"
    few = analyse(read_answers(written(rows[:-45]), group_column="group"), model="none").groups[1]
    assert few.refused.code == "refused.too_few"
    assert few.mantel_haenszel is None
    with pytest.raises(BadParameters, match="no group 'z'"):
        analyse(answers, reference="z")


def test_a_model_asked_for_by_name_is_not_dropped_in_silence():
    rows = [["Q1", "Q2", "Q3"], *([str(i % 2), "1", "1"] for i in range(60))]
    answers = read_answers(written(rows))
    assert analyse(answers).refused["model"].code == "refused.not_identified"
    with pytest.raises(NotIdentified):
        analyse(answers, model="Rasch")
    with pytest.raises(BadParameters, match="no model"):
        analyse(answers, model="4PL")


@pytest.mark.parametrize(
    "rows",
    [
        [["1"], ["0"], ["1"]],
        [["1", "1"], ["1", "1"]],
        [["1", "0", "1"]],
        [["0", "1"], ["1", "0"], ["0", "1"], ["1", "0"]],
        [["1", ""], ["", "1"], ["0", ""]],
    ],
)
def test_degenerate_papers_end_with_findings_and_json(rows):
    analysis = analyse(read_answers(written(rows), header=False))
    assert isinstance(find(analysis), tuple)
    json.dumps(as_mapping(analysis), allow_nan=False)


def test_progress_is_heard_in_order():
    heard = []
    data, _ = scored(80, 6)
    analyse(read_answers(data), progress=lambda part, share: heard.append((part, share)))
    assert [share for _, share in heard] == sorted(share for _, share in heard)
    assert heard[-1] == ("done", 1.0)
    assert {part for part, _ in heard} >= {"items", "model", "fit"}


def test_json_holds_what_the_report_holds(whole):
    analysis, guessers = whole
    out = json.loads(json.dumps(as_mapping(analysis), allow_nan=False))
    assert out["schema"] == "examsvc analysis 1"
    assert out["persons"] == 320
    assert len(out["items"]) == len(out["model"]["items"]) == len(out["groups"][0]["items"]) == 30
    assert out["items"][6]["flags"] == ["key", "reversed"]
    assert out["reliability"]["alpha"] == analysis.reliability.alpha
    assert {row["person"] for row in out["model"]["persons"] if row["unlikely"]} >= set(guessers)
    assert sum(option["n"] for option in out["items"][0]["options"]) == 320
