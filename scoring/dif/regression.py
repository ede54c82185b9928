"""DIF by logistic regression."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit
from scipy.stats import chi2

from scoring.dif.matching import MINIMUM_GROUP, Matched, purified, read, read_match, totals
from scoring.dif.results import LogisticDif
from scoring.errors import BadParameters, NotConverged
from scoring.responses import Responses

Floats = NDArray[np.float64]

_NEWTON_STEPS = 60
_SEPARATED = 15.0
"""A logit this far out gives fitted proportions of 3e-7: only separated data lead there."""


def logistic(
    responses: ArrayLike | Responses,
    focal: ArrayLike,
    *,
    kind: Literal["both", "uniform", "non-uniform"] = "both",
    criterion: Literal["LRT", "Wald"] = "LRT",
    match: ArrayLike | None = None,
    purify: bool = False,
    alpha: float = 0.05,
    minimum: int = MINIMUM_GROUP,
) -> LogisticDif:
    """Logistic regression DIF (Swaminathan & Rogers 1990): score; + group; + score·group.

    `kind`: "both" tests group and interaction together (2 df), "uniform" the group effect without an
    interaction, "non-uniform" the interaction (1 df each).  Effect: change of Nagelkerke's R².
    Raises as `mantel_haenszel`; NotConverged.
    """
    if kind not in ("both", "uniform", "non-uniform") or criterion not in ("LRT", "Wald"):
        raise BadParameters("kind is both, uniform or non-uniform; criterion is LRT or Wald.")
    data = read(responses, focal, minimum, alpha)
    outside = read_match(match, data)

    def analyse(anchor: NDArray[np.bool_]) -> LogisticDif:
        return _logistic(data, anchor, outside, kind, criterion, alpha)

    return purified(analyse, data, purify and outside is None)


def _logistic(
    data: Matched,
    anchor: NDArray[np.bool_],
    outside: NDArray[np.intp] | None,
    kind: str,
    criterion: str,
    alpha: float,
) -> LogisticDif:
    n, k = data.x.shape
    columns = {"both": (2, 3), "uniform": (2,), "non-uniform": (3,)}[kind]
    full = [0, 1, 2] if kind == "uniform" else [0, 1, 2, 3]
    small = [c for c in full if c not in columns]
    coefficients, statistic, change = np.zeros((k, 4)), np.zeros(k), np.zeros(k)
    separated = np.zeros(k, dtype=bool)
    for j in range(k):
        x = _design(totals(data, anchor, j, outside).astype(np.float64), data.focal)
        y = data.x[:, j].astype(np.float64)
        beta, fitted, information = _fit(x[:, full], y)
        _, reduced, _ = _fit(x[:, small], y)
        coefficients[j, full] = beta
        eta = x[:, full] @ beta
        separated[j] = float(np.abs(eta).max()) > _SEPARATED
        if criterion == "LRT":
            statistic[j] = max(0.0, 2 * (fitted - reduced))
        elif separated[j]:
            statistic[j] = np.nan
        else:
            own = [full.index(c) for c in columns]
            covariance = np.linalg.inv(information)[np.ix_(own, own)]
            statistic[j] = float(beta[own] @ np.linalg.solve(covariance, beta[own]))
        rate = y.mean()
        if 0 < rate < 1:
            null = n * (rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
            top = -np.expm1(2 * null / n)
            change[j] = (np.exp(2 * (null - reduced) / n) - np.exp(2 * (null - fitted) / n)) / top
    p = chi2.sf(statistic, len(columns))
    effect = tuple("negligible" if v < 0.035 else "moderate" if v < 0.070 else "large" for v in change)
    with np.errstate(invalid="ignore"):
        flagged = p <= alpha
    return LogisticDif(
        data.items,
        coefficients,
        statistic,
        len(columns),
        p,
        change,
        effect,
        flagged,
        separated,
        kind,
        criterion,
        alpha,
    )


def _design(score: Floats, focal: NDArray[np.bool_]) -> Floats:
    return np.column_stack([np.ones(score.size), score, focal, score * focal])


def log_likelihood(beta: Floats, x: Floats, y: Floats) -> tuple[float, Floats, Floats]:
    """Value, gradient and information (minus Hessian) of the logistic log-likelihood."""
    eta = x @ beta
    p = expit(eta)
    value = float((y * log_expit(eta) + (1 - y) * log_expit(-eta)).sum())
    return value, x.T @ (y - p), (x * (p * (1 - p))[:, None]).T @ x


def _fit(x: Floats, y: Floats) -> tuple[Floats, float, Floats]:
    """Maximum likelihood by Newton steps, halved until the likelihood rises; columns are scaled inside.

    Under separation the likelihood has a supremum, no maximum: the search ends where it grows by less than
    1e-10, far out.
    """
    scale = np.maximum(np.abs(x).max(axis=0), 1.0)
    design = x / scale
    beta = np.zeros(x.shape[1])
    value, gradient, information = log_likelihood(beta, design, y)
    for _ in range(_NEWTON_STEPS):
        ridge = 1e-12 * max(1.0, float(np.trace(information))) * np.eye(beta.size)
        step = np.linalg.solve(information + ridge, gradient)
        length = 1.0
        while True:
            new = log_likelihood(beta + length * step, design, y)
            if new[0] >= value or length < 1e-8:
                break
            length /= 2
        gained = new[0] - value
        beta = beta + length * step
        value, gradient, information = new
        if gained < 1e-10:
            return beta / scale, value, information * np.outer(scale, scale)
    raise NotConverged(
        "Logistic regression did not settle (change of the log-likelihood).",
        iterations=_NEWTON_STEPS,
        change=gained,
    )
