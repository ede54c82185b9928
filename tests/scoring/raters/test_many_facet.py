"""Many-facet Rasch against TAM, finite differences, simulation, and designs that must be refused."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize

from scoring.errors import BadParameters, BadResponses, NotIdentified
from scoring.raters import linked_subsets, many_facet
from scoring.raters.facet_likelihood import FacetLikelihood, read_facets

FOLDER = Path(__file__).parents[2] / "vectors" / "raters"
CASES = json.loads((FOLDER / "raters.json").read_text())["cases"]
MODELS = {"rating-scale": "facetsitem+marker+step", "partial-credit": "facetsitem*step+marker"}


def long():
    with open(FOLDER / "facets.csv", newline="") as file:
        rows = list(csv.reader(file))
    cells = [
        (float(mark), int(row[0]), criterion, int(row[1]))
        for row in rows[1:]
        for criterion, mark in zip(rows[0][2:], row[2:], strict=True)
    ]
    return tuple(zip(*cells, strict=True))


@pytest.fixture(scope="module", params=list(MODELS))
def fitted(request):
    return request.param, many_facet(*long(), steps=request.param), CASES[MODELS[request.param]]["result"]


def simulate(random, persons, raters, criteria, severity, difficulty, steps, per_person=2):
    """Each person by `per_person` raters in turn on all criteria."""
    theta = random.normal(0, 1.2, persons)
    rows = []
    for i in range(persons):
        for j in range(per_person):
            r = (i + j * (1 + i // raters)) % raters
            if j and r == i % raters:
                r = (r + 1) % raters
            for c in range(criteria):
                logits = np.concatenate([[0], np.cumsum(theta[i] - difficulty[c] - severity[r] - steps)])
                p = np.exp(logits - logits.max())
                rows.append((random.choice(p.size, p=p / p.sum()), i, c, r))
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def test_all_cases_are_used():
    assert {case for case in CASES if case.startswith("facets")} == set(MODELS.values())


def test_parameters_as_tam(fitted):
    model, found, truth = fitted
    values = dict(zip(truth["parameter"], truth["xsi"], strict=True))
    np.testing.assert_allclose(found.criteria.measure, [values[f"C{i}"] for i in (1, 2, 3, 4)], rtol=0, atol=5e-4)
    np.testing.assert_allclose(found.raters.measure, [values[f"marker{i}"] for i in range(1, 9)], rtol=0, atol=5e-4)
    for row, name in enumerate(found.criteria.names if model == "partial-credit" else ("",)):
        steps = [values[f"step{h}"] + values.get(f"{name}:step{h}", 0.0) for h in (1, 2, 3, 4)]
        np.testing.assert_allclose(found.steps[row], steps, rtol=0, atol=5e-4)
    assert found.variance == pytest.approx(truth["variance"], abs=5e-4)
    assert found.log_likelihood == pytest.approx(truth["logLik"], abs=1e-4)
    assert found.n_parameters == truth["n_estimated"] + 1  # TAM does not count the variance
    assert found.gradient_norm < 1e-6


def test_persons_as_tam(fitted):
    _, found, truth = fitted
    persons = found.persons
    assert [int(name) for name in persons.names] == truth["script"]
    for ours, theirs in (("eap", "EAP"), ("eap_sd", "SD.EAP"), ("wle", "WLE"), ("wle_se", "WLE_se")):
        np.testing.assert_allclose(getattr(persons, ours), truth[theirs], rtol=0, atol=1e-3)
    assert found.eap_reliability == pytest.approx(truth["EAP.rel"], abs=5e-4)
    assert found.wle_reliability == pytest.approx(truth["WLE.rel"], abs=5e-4)


def test_gradient_against_finite_differences():
    for steps in MODELS:
        model = FacetLikelihood(read_facets(*long(), steps), steps)
        x = np.random.default_rng(2).normal(0, 0.4, model.size)
        numeric = optimize.approx_fprime(x, lambda y, model=model: model(y)[0], 1e-6)
        np.testing.assert_allclose(model(x)[1], numeric, rtol=1e-4, atol=2e-3)


def test_standard_errors_cover_in_simulation():
    """Severities of 6 markers over 60 scripts: 95 % intervals hold the truth in 0.88 to 1 of 14 × 6 (benchmarks/coverage_classical.py --only facets: 0.94 to 0.97)."""
    random = np.random.default_rng(8)
    severity = np.array([-0.8, -0.3, 0.0, 0.1, 0.4, 0.6])
    hits = []
    for _ in range(14):
        data = simulate(random, 60, 6, 3, severity, np.array([-0.3, 0, 0.3]), np.array([-1.0, 0, 1.0]))
        found = many_facet(*data)
        hits.extend(np.abs(found.raters.measure - severity) < 1.96 * found.raters.standard_error)
    assert np.mean(hits) >= 0.88


def test_fit_is_near_one_and_finds_an_erratic_marker():
    random = np.random.default_rng(9)
    severity = np.zeros(6)
    data = list(simulate(random, 120, 6, 3, severity, np.zeros(3), np.array([-1.0, 0, 1.0])))
    clean = many_facet(*data)
    assert np.abs(clean.raters.infit - 1).max() < 0.3
    erratic = data[3] == 4
    data[0] = np.where(erratic, random.integers(0, 4, erratic.size), data[0])
    found = many_facet(*data)
    assert found.raters.outfit.argmax() == 4
    assert found.raters.infit_z[4] > 4


def test_fair_scores_undo_severity():
    """One script a lenient pair gave more than a harsh pair: fair scores move towards each other, within the scale."""
    random = np.random.default_rng(10)
    severity = np.array([-1.5, -1.5, 1.5, 1.5])
    data = simulate(random, 200, 4, 4, severity, np.zeros(4), np.array([-1.0, 0, 1.0]))
    found = many_facet(*data)
    persons = found.persons
    mean_severity = np.bincount(data[1], found.raters.measure[data[3]]) / np.bincount(data[1])
    shift = persons.fair_score - persons.mean_score
    inner = (persons.mean_score > 0.3) & (persons.mean_score < 2.7)
    assert np.corrcoef(shift[inner], mean_severity[inner])[0, 1] > 0.9
    assert ((persons.fair_score >= 0) & (persons.fair_score <= 3)).all()
    assert found.raters.fair_score[0] > 1.5 > found.raters.fair_score[2]


def test_labels_and_row_order_do_not_matter():
    scores, person, criterion, rater = (np.array(column) for column in long())
    order = np.random.default_rng(1).permutation(scores.size)
    first = many_facet(scores, person, criterion, rater)
    again = many_facet(
        scores[order] + 10, person[order] * 7, criterion[order], [f"m{r}" for r in rater[order]]
    )
    np.testing.assert_allclose(again.raters.measure, first.raters.measure, rtol=0, atol=1e-6)
    np.testing.assert_allclose(again.persons.fair_score, first.persons.fair_score + 10, rtol=0, atol=1e-6)


def test_swapping_the_scale_turns_every_sign():
    scores, person, criterion, rater = (np.array(column) for column in long())
    first, turned = (
        many_facet(scores, person, criterion, rater),
        many_facet(4 - scores, person, criterion, rater),
    )
    np.testing.assert_allclose(turned.raters.measure, -first.raters.measure, rtol=0, atol=1e-6)
    np.testing.assert_allclose(turned.steps[0], -first.steps[0][::-1], rtol=0, atol=1e-6)


def test_small_and_partial_inputs():
    """Five candidates, two markers, four criteria; a missing mark is left out; an unused category is closed up."""
    random = np.random.default_rng(4)
    data = simulate(random, 5, 2, 4, np.zeros(2), np.zeros(4), np.array([-0.5, 0.5]))
    scores = data[0].astype(float)
    scores[-1] = np.nan
    found = many_facet(scores, *data[1:])
    assert found.collapsed is False
    assert found.persons.n.tolist() == [8, 8, 8, 8, 7]
    assert np.isfinite(found.persons.fair_score_se).all()
    assert found.verdict.code == "raters.cannot_tell"
    wide = many_facet(2 * scores, *data[1:])
    assert wide.collapsed
    assert wide.categories == ((0.0, 2.0, 4.0),)
    np.testing.assert_allclose(wide.persons.fair_score, 2 * found.persons.fair_score)


def test_perfectly_separated_candidates_are_refused():
    with pytest.raises(NotIdentified):
        many_facet([0, 0, 1, 1, 2, 2, 3, 3, 3, 2], list("AABBCCDDEE"), None, [1, 2] * 5)


def test_one_marker_has_no_severity():
    found = many_facet([0, 1, 2, 1, 1, 2, 0, 2, 2, 1], list("AABBCCDDEE"), [1, 2] * 5, ["M"] * 10)
    assert found.verdict.code == "raters.one"
    assert found.raters.measure.tolist() == [0.0]
    assert np.isnan(found.p_value)


def test_disconnected_subsets_are_named():
    person = [1, 1, 2, 2, 3, 3, 4, 4]
    rater = ["An", "Bo", "An", "Bo", "Chi", "Da", "Chi", "Da"]
    linking = linked_subsets(person, rater)
    assert [subset.raters for subset in linking.subsets] == [("An", "Bo"), ("Chi", "Da")]
    assert [subset.persons for subset in linking.subsets] == [("1", "2"), ("3", "4")]
    with pytest.raises(NotIdentified, match=r"2 subsets.*\{An, Bo\}; \{Chi, Da\}"):
        many_facet([0, 1, 1, 2, 2, 1, 0, 1], person, None, rater)
    assert linked_subsets([*person, 1], [*rater, "Chi"]).connected


def test_markers_of_different_criteria_share_persons_but_not_a_scale():
    """Everybody is marked by An on criterion 1 and by Bo on criterion 2: severity and difficulty cannot be told apart."""
    person, rater, criterion = [1, 1, 2, 2, 3, 3], ["An", "Bo"] * 3, [1, 2] * 3
    assert not linked_subsets(person, rater, criterion).connected
    with pytest.raises(NotIdentified, match="2 subsets"):
        many_facet([0, 1, 1, 2, 2, 0], person, criterion, rater)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (
            ([2, 1, 2, 0, 2, 1], [1, 1, 2, 2, 3, 3], None, [1, 2] * 3),
            NotIdentified,
            "rater 1 are the highest",
        ),
        (([1] * 6, [1, 1, 2, 2, 3, 3], None, [1, 2] * 3), NotIdentified, "single category"),
        (([0.5, 1, 2, 0, 2, 1], [1, 1, 2, 2, 3, 3], None, [1, 2] * 3), BadResponses, "whole numbers"),
        (([1, 2], [1, 1, 2], None, [1, 2]), BadResponses, "same length"),
        (([1, 2, 0, 1], [1, None, 2, 2], None, [1, 2] * 2), BadResponses, "no person"),
        (([np.nan] * 4, [1, 1, 2, 2], None, [1, 2] * 2), BadResponses, "finite"),
    ],
)
def test_refusals(arguments, error, words):
    with pytest.raises(error, match=words):
        many_facet(*arguments)


def test_unknown_steps():
    with pytest.raises(BadParameters):
        many_facet([1, 2], [1, 1], None, [1, 2], steps="slopes")
