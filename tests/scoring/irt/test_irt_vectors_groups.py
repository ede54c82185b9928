"""Several groups, two forms and fixed-parameter calibration against mirt and TAM."""

import irt_vectors as v
import numpy as np
import pytest

from scoring.irt import ItemParameters, calibrate, estimate_ability


def case(name):
    return v.cases("groups")[name]["result"]


def compare_items(items, block):
    table = np.array(block["values"], dtype=float)
    v.close(items.slope, table[:, 0], 2e-4)
    v.close([d[0] for d in items.intercepts], table[:, 1], 2e-4)


def by_peer_order(calibration):
    """Standard errors in the peer's order: items, then mean and variance group by group."""
    error = dict(zip(calibration.parameters, np.sqrt(np.diag(calibration.covariance)), strict=True))
    groups = [f"{g}.{what}" for g in calibration.group_names for what in ("mean", "variance")]
    items = [name for name in calibration.parameters if name not in groups]
    return [error[name] for name in [*items, *(g for g in groups if g in error)]]


@pytest.mark.parametrize("data", ["twogroup", "twogroup_forms"])
def test_two_groups(data):
    table = v.table(data)
    group, x = table[:, 0].astype(int), table[:, 1:]
    ours = calibrate(x, "2PL", groups=group)
    theirs = case(f"{data}.2pl")
    compare_items(ours.items, theirs["items"])
    v.close([ours.group_mean[1], ours.group_variance[1]], list(theirs["group2"].values()), 2e-4)
    v.close(ours.log_likelihood, theirs["logLik"], 1e-4)
    v.close(by_peer_order(ours), theirs["se"]["se"], 2e-3, relative=True)
    assert ours.n_parameters == theirs["n_parameters"]
    assert (ours.group_mean[0], ours.group_variance[0], ours.group_mean_error[0]) == (0.0, 1.0, 0.0)

    rasch = calibrate(x, "Rasch", groups=group)
    theirs = case(f"{data}.rasch")
    compare_items(rasch.items, theirs["items"])
    v.close(rasch.group_variance, [theirs["group1_var"], theirs["group2"]["var"]], 2e-4)
    v.close(rasch.group_mean[1], theirs["group2"]["mean"], 2e-4)
    v.close(rasch.log_likelihood, theirs["logLik"], 1e-4)
    v.close(by_peer_order(rasch), theirs["se"]["se"], 2e-3, relative=True)

    tam = case(f"tam.{data}.rasch")
    v.close(rasch.items.difficulty, tam["xsi"], 2e-4)
    v.close(rasch.group_mean, tam["beta"], 2e-4)
    v.close(rasch.group_variance, tam["variance"], 2e-4)
    v.close(rasch.log_likelihood, tam["logLik"], 1e-4)


def anchors():
    table = v.table("fipc_anchors")
    names = [f"A{i + 1}" for i in range(len(table))]
    return ItemParameters.of("2PL", slope=table[:, 0], difficulty=table[:, 1], items=names)


NAMES = [f"A{i + 1}" for i in range(8)] + [f"N{i + 1}" for i in range(6)]


def test_fixed_parameter_calibration():
    x = v.table("fipc")
    ours = calibrate(x, "2PL", fixed=anchors(), items=NAMES)
    theirs = case("fipc.2pl")
    compare_items(ours.items, theirs["items"])
    assert (ours.items.slope[:8] == anchors().slope).all()
    assert (ours.items.difficulty[:8] == anchors().difficulty).all()
    assert (ours.standard_errors.slope[:8] == 0).all()
    v.close([ours.group_mean[0], ours.group_variance[0]], [theirs["mean"], theirs["var"]], 2e-4)
    v.close(ours.log_likelihood, theirs["logLik"], 1e-4)
    v.close(by_peer_order(ours), theirs["se"]["se"], 2e-3, relative=True)
    eap = estimate_ability(x, ours, "EAP", (ours.group_mean[0], ours.group_variance[0] ** 0.5))
    v.close(eap.theta[:10], theirs["EAP10"], 2e-4)
    v.close(eap.standard_error[:10], theirs["EAPse10"], 2e-4)

    by_column = {
        j: {"slope": a, "difficulty": b}
        for j, (a, b) in enumerate(zip(anchors().slope, anchors().difficulty, strict=True))
    }
    again = calibrate(x, "2PL", fixed=by_column)
    v.close(again.items.slope, ours.items.slope, 1e-12)
    assert ours.fixed_items == again.fixed_items == tuple(range(8))


def test_fixed_parameters_with_a_fixed_group_and_without():
    x = v.table("fipc")
    held = calibrate(x, "2PL", fixed=anchors(), items=NAMES, free_groups=False)
    theirs = case("fipc.2pl_group_fixed")
    compare_items(held.items, theirs["items"])
    v.close(held.log_likelihood, theirs["logLik"], 1e-4)
    v.close(np.sqrt(np.diag(held.covariance)), theirs["se"]["se"], 2e-3, relative=True)
    eap = estimate_ability(x[:10], held)
    v.close(eap.theta, theirs["EAP10"], 2e-4)
    v.close(eap.standard_error, theirs["EAPse10"], 2e-4)
    separate = calibrate(x, "2PL")
    theirs = case("fipc.separate")
    compare_items(separate.items, theirs["items"])
    v.close(separate.log_likelihood, theirs["logLik"], 1e-4)


def test_every_case_has_its_test():
    asked = {f"{data}.{model}" for data in ("twogroup", "twogroup_forms") for model in ("2pl", "rasch")}
    asked |= {f"tam.{data}.rasch" for data in ("twogroup", "twogroup_forms")}
    asked |= {"fipc.2pl", "fipc.2pl_group_fixed", "fipc.separate"}
    assert asked == set(v.cases("groups"))
    assert len(asked) == 9
