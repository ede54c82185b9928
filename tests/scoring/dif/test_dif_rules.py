"""DIF methods by hand, in simulation, and on data that say nothing."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from scoring.dif import breslow_day, likelihood_ratio, logistic, mantel_haenszel, sibtest, standardisation
from scoring.dif.regression import log_likelihood
from scoring.errors import BadParameters, BadResponses, NotIdentified, TooFewObservations


def simulate(seed: int, group: int = 300, items: int = 20, shift: float = 0.0, mean: float = 0.0):
    rng = np.random.default_rng(seed)
    b = rng.normal(0, 1, items)
    b[0] = 0.0
    theta = np.concatenate([rng.standard_normal(group), rng.normal(mean, 1, group)])
    focal = np.repeat([0, 1], group)
    eta = theta[:, None] - b
    eta[group:, 0] -= shift
    return (rng.random(eta.shape) < 1 / (1 + np.exp(-eta))).astype(int), focal


def test_mantel_haenszel_by_hand():
    # One stratum by an outside criterion: reference 30 right, 20 wrong; focal 20 right, 30 wrong.
    item = np.repeat([1, 0, 1, 0], [30, 20, 20, 30])
    focal = np.repeat([0, 0, 1, 1], [30, 20, 20, 30])
    other = np.tile([0, 1], 50)
    found = mantel_haenszel(np.column_stack([item, other]), focal, match=np.zeros(100), correct=False)
    assert found.odds_ratio[0] == pytest.approx(30 * 30 / (20 * 20))
    assert found.delta[0] == pytest.approx(-2.35 * np.log(2.25))
    # (30 − 25)² / (50·50·50·50 / (100²·99))
    assert found.chi2[0] == pytest.approx(25 / (50**4 / (100**2 * 99)))
    # one table: variance of the log odds ratio is 1/a + 1/b + 1/c + 1/d
    assert (found.standard_error[0] / 2.35) ** 2 == pytest.approx(1 / 30 + 1 / 20 + 1 / 20 + 1 / 30)


@pytest.mark.parametrize("method", [mantel_haenszel, logistic, sibtest, breslow_day])
def test_groups_of_equal_ability_without_dif_are_flagged_at_the_nominal_rate(method):
    flags = [method(*simulate(seed)).flagged.mean() for seed in range(25)]
    # 500 item tests at 5 %: a rate above 8 % would happen with probability 0.003
    assert np.mean(flags) <= 0.08


@pytest.mark.parametrize("method", [mantel_haenszel, logistic, sibtest])
def test_dif_of_one_logit_is_found_although_groups_differ(method):
    found = 0
    for seed in range(8):
        result = method(*simulate(seed, 400, shift=1.0, mean=-0.5))
        found += bool(result.flagged[0])
    assert found == 8
    classes = mantel_haenszel(*simulate(3, 800, shift=1.2)).ets_class
    assert classes[0] == "C"
    assert set(classes[1:]) <= {"A", "B"}
    difference = standardisation(*simulate(3, 800, shift=1.2))
    assert difference.category[0] == "large"
    assert difference.difference[0] < 0


def test_crossing_and_breslow_day_see_what_changes_sides():
    rng = np.random.default_rng(5)
    group = 800
    theta = rng.standard_normal(2 * group)
    focal = np.repeat([0, 1], group)
    slope = np.ones((2 * group, 20))
    slope[:group, 0], slope[group:, 0] = 2.0, 0.3
    x = (
        rng.random(slope.shape)
        < 1 / (1 + np.exp(-slope * (theta[:, None] - np.linspace(-1, 1, 20) * (np.arange(20) > 0))))
    ).astype(int)
    assert sibtest(x, focal, crossing=True).p[0] < 1e-6
    assert breslow_day(x, focal).p[0] < 1e-6
    assert logistic(x, focal, kind="non-uniform").p[0] < 1e-6
    assert mantel_haenszel(x, focal).p[0] > 1e-3


def test_exchanging_the_groups_turns_every_sign():
    x, focal = simulate(7, shift=0.6)
    one, other = mantel_haenszel(x, focal), mantel_haenszel(x, 1 - focal)
    np.testing.assert_allclose(one.delta, -other.delta)
    np.testing.assert_allclose(one.chi2, other.chi2)
    np.testing.assert_allclose(sibtest(x, focal).beta, -sibtest(x, 1 - focal).beta, atol=1e-12)
    np.testing.assert_allclose(logistic(x, focal).statistic, logistic(x, 1 - focal).statistic, atol=1e-7)
    order = np.random.default_rng(1).permutation(x.shape[0])
    np.testing.assert_allclose(mantel_haenszel(x[order], focal[order]).delta, one.delta)


def test_gradient_and_information_of_the_logistic_likelihood():
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(40), rng.normal(size=(40, 3))])
    y = rng.integers(0, 2, 40).astype(float)
    beta = rng.normal(size=4)
    value, gradient, information = log_likelihood(beta, x, y)
    assert np.isfinite(value)
    np.testing.assert_allclose(
        gradient, approx_fprime(beta, lambda b: log_likelihood(b, x, y)[0], 1e-7), atol=1e-4
    )
    for i in range(4):
        numeric = approx_fprime(beta, lambda b, i=i: log_likelihood(b, x, y)[1][i], 1e-7)
        np.testing.assert_allclose(-information[i], numeric, atol=1e-4)


def test_items_that_say_nothing_are_finite_and_marked():
    x, focal = simulate(9)
    x[:, 3] = 1
    x[:, 4] = 0
    mh = mantel_haenszel(x, focal)
    assert mh.estimable.tolist() == [j not in (3, 4) for j in range(20)]
    assert mh.p[3] == mh.p[4] == 1.0
    assert mh.ets_class[3] == "A"
    regression = logistic(x, focal)
    assert regression.separated.tolist() == [j in (3, 4) for j in range(20)]
    assert np.isfinite(regression.statistic).all()
    assert not regression.flagged[3]
    wald = logistic(x, focal, criterion="Wald")
    assert np.isnan(wald.statistic).tolist() == wald.separated.tolist()
    assert np.isfinite(standardisation(x, focal).difference).all()
    assert not sibtest(x, focal).estimable[3]
    assert np.isfinite(breslow_day(x, focal).p).all()


def test_a_group_that_answers_all_wrong_is_separated_and_the_likelihood_test_stands():
    x, focal = simulate(10)
    x[focal == 1, 5] = 0
    found = logistic(x, focal)
    assert found.separated[5]
    assert found.p[5] < 1e-10
    assert np.isfinite(found.coefficients).all()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda x, g: (x[270:330], g[270:330]), TooFewObservations, "smaller group has 30"),
        (lambda x, g: (x, np.zeros(600)), NotIdentified, "Only one group"),
        (lambda x, g: (x, g + 1), BadParameters, "0 \\(reference\\)"),
        (lambda x, g: (x, g[:5]), BadParameters, "for each person"),
        (lambda x, g: (np.where(x == 1, np.nan, 0), g), BadResponses, "not administered"),
        (lambda x, g: (x * 2, g), BadResponses, "0 and 1"),
        (lambda x, g: (x[:, :1], g), BadResponses, "One item"),
    ],
)
@pytest.mark.parametrize("method", [mantel_haenszel, logistic, standardisation, sibtest, breslow_day])
def test_what_cannot_be_analysed_is_refused(method, change, error, words):
    x, focal = simulate(1)
    x[0] = 1
    with pytest.raises(error, match=words):
        method(*change(x, focal))


def test_options_are_checked():
    x, focal = simulate(1)
    with pytest.raises(BadParameters, match="alpha"):
        mantel_haenszel(x, focal, alpha=1.0)
    with pytest.raises(BadParameters, match="whole number"):
        mantel_haenszel(x, focal, match=np.full(600, 0.5))
    with pytest.raises(BadParameters, match="kind"):
        logistic(x, focal, kind="odd")


def test_likelihood_ratio_does_not_depend_on_names_or_order():
    x, focal = simulate(11, 250, items=6, shift=0.8, mean=-0.4)
    found = likelihood_ratio(x, focal, anchors=[3, 4, 5])
    swapped = likelihood_ratio(x, 1 - focal, anchors=[3, 4, 5])
    np.testing.assert_allclose(found.statistic, swapped.statistic, atol=1e-4)
    order = np.random.default_rng(1).permutation(500)
    again = likelihood_ratio(x[order], focal[order], anchors=[3, 4, 5], studied=[0])
    assert again.statistic[0] == pytest.approx(found.statistic[0], abs=1e-4)
    assert found.flagged[0]
    # 0.8 logits at p(1 − p) averaged over abilities, about 0.2
    assert found.difference[0] == pytest.approx(-0.16, abs=0.08)


def test_likelihood_ratio_takes_categories_and_missing_responses():
    rng = np.random.default_rng(4)
    focal = np.repeat([0, 1], 300)
    theta = rng.standard_normal(600)
    latent = theta[:, None] + rng.logistic(size=(600, 5))
    latent[300:, 0] -= 1.0
    x = (latent > -0.8).astype(float) + (latent > 0.8)
    x[rng.random(x.shape) < 0.1] = np.nan
    found = likelihood_ratio(x, focal, model="GRM")
    assert found.df.tolist() == [3] * 5
    assert found.flagged[0]
    assert np.argmax(found.statistic) == 0
    assert found.difference[0] == pytest.approx(-0.35, abs=0.15)  # the probability mass that a shift of 1 moves


def test_likelihood_ratio_holds_its_level_without_dif():
    flags = []
    for seed in range(12):
        x, focal = simulate(100 + seed, 150, items=5, mean=-0.5)
        flags.append(likelihood_ratio(x, focal, model="Rasch").flagged.mean())
    assert np.mean(flags) <= 0.15  # 60 tests at 5 %: more than nine flags happen with probability 0.001


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"anchors": []}, BadParameters),
        ({"anchors": [0, 0]}, BadParameters),
        ({"anchors": [9]}, BadParameters),
        ({"anchors": [0], "studied": [0]}, BadParameters),
        ({"studied": []}, BadParameters),
        ({"model": ["2PL"]}, BadParameters),
        ({"minimum": 400}, TooFewObservations),
        ({"alpha": 0}, BadParameters),
    ],
)
def test_likelihood_ratio_refuses(options, error):
    x, focal = simulate(1, 60, items=4)
    with pytest.raises(error):
        likelihood_ratio(x, focal, **options)


def test_likelihood_ratio_names_an_item_that_a_group_answered_alike():
    x, focal = simulate(1, 60, items=4)
    x[focal == 1, 2] = 1
    with pytest.raises(NotIdentified, match="3 "):
        likelihood_ratio(x, focal, studied=[2])


@pytest.mark.parametrize("method", [mantel_haenszel, logistic, standardisation, sibtest])
def test_the_order_of_candidates_and_of_items_does_not_matter(method):
    x, focal = simulate(41, 150, shift=0.7)
    rng = np.random.default_rng(3)
    rows, columns = rng.permutation(300), rng.permutation(20)
    found, turned = method(x, focal), method(x[rows][:, columns], focal[rows])
    compared = 0
    for name in ("chi2", "statistic", "difference", "p", "beta"):
        if hasattr(found, name):
            np.testing.assert_allclose(getattr(turned, name), getattr(found, name)[columns], atol=1e-7)
            compared += 1
    assert compared >= 1
