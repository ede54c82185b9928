"""Whatever stands where data belong, every family answers with a result or with an error of its own; warnings are errors here."""

import numpy as np
import pytest

from scoring import (
    adaptive,
    classical,
    dif,
    equating,
    forensics,
    generalizability,
    irt,
    ranking,
    raters,
    standard_setting,
)
from scoring.errors import BadResponses, ScoringError
from scoring.numbers import read_numbers

RNG = np.random.default_rng(0)
JUNK = {
    "nothing": [],
    "an empty row": [[]],
    "text": "abc",
    "texts": ["a", "b", "c"],
    "sixty texts": ["x"] * 60,
    "None": None,
    "all missing": np.full((5, 3), np.nan),
    "infinite": np.full((5, 3), np.inf),
    "all equal": np.ones((6, 4)),
    "all zero": np.zeros((6, 4)),
    "one cell": [[1]],
    "three dimensions": np.zeros((2, 2, 2)),
    "negative": -np.ones((5, 3)),
    "three numbers": [1, 2, 3],
    "sixty missing": [np.nan] * 60,
    "sixty zeros": np.zeros(60),
    "enormous": np.full((6, 4), 1e300),
    "far apart": np.arange(60.0) * 1e6,
    "ragged": [[1, 2], [1]],
    "a number": 5.0,
    "fractions": RNG.random((60, 8)),
    "a mapping": {"a": 1},
    "complex": np.ones((3, 3)) * 1j,
    "booleans": np.ones((4, 4), bool),
    "mixed": [1, "a", None] * 20,
}
X = (RNG.random((60, 8)) < 1 / (1 + np.exp(-2 * RNG.normal(size=(60, 1))))).astype(float)
LONG = (RNG.random((140, 20)) < 0.5).astype(float)
HALF = np.arange(140) % 2
MARKS = RNG.integers(0, 4, (20, 3)).astype(float)
TOTALS = RNG.integers(0, 20, 80)
SCORES = RNG.normal(50, 10, 30)
ITEMS = irt.ItemParameters.of("2PL", slope=np.ones(8), difficulty=np.linspace(-1, 1, 8))
MORE_ITEMS = irt.ItemParameters.of("2PL", slope=np.ones(20), difficulty=np.linspace(-1, 1, 20))
RASCH = irt.calibrate(X, "Rasch")
TEXTS = [" ".join(RNG.choice(list("abcdefghijklmnopqrstuvwxyz"), 80)) for _ in range(12)]

# name: (function of data only, data that it takes)
CALLS = {
    "calibrate": (lambda x: irt.calibrate(x, "2PL"), [X]),
    "calibrate 3PL": (lambda x: irt.calibrate(x, "3PL"), [X]),
    "groups": (lambda x, g: irt.calibrate(x, "Rasch", groups=g, max_iterations=16), [X, HALF[:60]]),
    "weights": (lambda w: irt.calibrate(X, "Rasch", weights=w), [np.ones(60)]),
    "nodes": (lambda nodes: irt.calibrate(X, "Rasch", nodes=nodes), [np.linspace(-5, 5, 21)]),
    "fixed": (lambda fixed: irt.calibrate(X, "2PL", fixed=fixed), [None]),
    "models": (lambda model: irt.calibrate(X, model), [["2PL"] * 8]),
    "EAP": (lambda x, prior: irt.estimate_ability(x, ITEMS, "EAP", prior), [X, (0, 1)]),
    "ML": (lambda x: irt.estimate_ability(x, ITEMS, "ML"), [X]),
    "WLE": (lambda x: irt.estimate_ability(x, ITEMS, "WLE"), [X]),
    "information": (lambda theta: irt.information(ITEMS, theta), [[0.0, 1.0]]),
    "item fit": (lambda x: irt.item_fit(x, ITEMS), [X]),
    "model fit": (lambda x: irt.model_fit(x, RASCH), [X]),
    "person fit": (lambda x: irt.person_fit(x, ITEMS), [X]),
    "local dependence": (lambda x: irt.local_dependence(x, ITEMS), [X]),
    "parameters": (lambda a, b: irt.ItemParameters.of("2PL", slope=a, difficulty=b), [np.ones(3), np.zeros(3)]),
    "item analysis": (classical.item_analysis, [X]),
    "reliability": (classical.reliability, [X]),
    "conditional SEM": (classical.conditional_sem, [X]),
    "split half": (classical.split_half, [X]),
    "guttman": (classical.guttman, [np.cov(X.T)]),
    "tetrachoric": (classical.tetrachoric, [X]),
    "distractors": (classical.distractor_table, [["A", "B"] * 30, "A", X.sum(1), X.sum(1)]),
    "Mantel-Haenszel": (dif.mantel_haenszel, [LONG, HALF]),
    "logistic": (dif.logistic, [LONG, HALF]),
    "standardisation": (dif.standardisation, [LONG, HALF]),
    "SIBTEST": (dif.sibtest, [LONG, HALF]),
    "Breslow-Day": (dif.breslow_day, [LONG, HALF]),
    "mean": (equating.mean, [TOTALS, TOTALS]),
    "linear": (equating.linear, [TOTALS, TOTALS]),
    "equipercentile": (equating.equipercentile, [TOTALS, TOTALS]),
    "circle": (equating.circle_arc, [TOTALS, TOTALS]),
    "tucker": (equating.tucker, [TOTALS] * 4),
    "levine": (equating.levine, [TOTALS] * 4),
    "chained": (equating.chained, [TOTALS] * 4),
    "frequency": (equating.frequency_estimation, [TOTALS] * 4),
    "log-linear": (lambda f: equating.log_linear(f, 3), [np.bincount(TOTALS).astype(float)]),
    "icc": (raters.icc, [MARKS]),
    "kappa": (raters.kappa, [MARKS]),
    "krippendorff": (raters.krippendorff_alpha, [MARKS]),
    "gwet": (raters.gwet, [MARKS]),
    "kendall": (raters.kendall_w, [MARKS]),
    "facets": (
        lambda s, p, r: raters.many_facet(s, p, None, r),
        [RNG.integers(0, 3, 60), np.repeat(np.arange(20), 3), np.tile(np.arange(3), 20)],
    ),
    "generalizability": (generalizability.study, [MARKS]),
    "next item": (lambda theta: adaptive.next_item(ITEMS, theta=theta), [0.0]),
    "omega": (lambda x: forensics.omega(x, MORE_ITEMS), [LONG]),
    "gbt": (lambda x: forensics.gbt(x, MORE_ITEMS), [LONG]),
    "k": (forensics.k_index, [LONG]),
    "response times": (forensics.response_times, [np.exp(RNG.normal(3, 1, (60, 20)))]),
    "texts": (forensics.text_similarity, [TEXTS]),
    "holm": (forensics.holm, [[0.1, 0.2]]),
    "angoff": (standard_setting.angoff, [RNG.random((5, 8))]),
    "bookmark": (standard_setting.bookmark, [[3, 4], np.linspace(-1, 1, 8)]),
    "hofstee": (standard_setting.hofstee, [SCORES, 40, 60, 0.1, 0.4]),
    "borderline": (standard_setting.borderline, [SCORES, np.arange(30) % 4, 1]),
    "rudner": (standard_setting.rudner, [SCORES, np.ones(30), [50]]),
    "livingston": (lambda s, c: standard_setting.livingston_lewis(s, c, 0.8, maximum=20), [TOTALS, [10]]),
    "rank": (lambda s, e: ranking.rank_uncertainty(s, e, draws=2_000), [SCORES, 1.0]),
    "markers": (ranking.leave_out_markers, [MARKS]),
    "marker error": (ranking.marker_error, [MARKS]),
}


@pytest.mark.parametrize("name", CALLS)
def test_junk_is_taken_or_refused_in_a_sentence(name):
    function, good = CALLS[name]
    function(*good)
    sentences = []
    for place in range(len(good)):
        for junk in JUNK.values():
            given = list(good)
            given[place] = junk
            try:
                function(*given)
            except ScoringError as error:
                sentences.append(str(error))
    assert len(sentences) >= len(good) * len(JUNK) // 3
    assert all(sentence.endswith((".", "…")) for sentence in sentences), sentences


def test_the_number_of_calls():
    assert len(CALLS) == 60
    assert len(JUNK) == 25


def test_numbers_pass_and_the_rest_is_named():
    assert read_numbers([1, "2", None], "…").tolist()[:2] == [1, 2]
    assert read_numbers([[np.inf]], "…", ndim=2)[0, 0] == np.inf
    for bad in ([1, "a"], 1j, [[1], [1, 2]], {"a": 1}, object()):
        with pytest.raises(BadResponses, match="as it is"):
            read_numbers(bad, "Say it as it is.")
    with pytest.raises(BadResponses, match="larger unit"):
        read_numbers([1e200], "…")
