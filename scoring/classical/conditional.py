"""Standard errors of measurement that depend on the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters
from scoring.responses import Responses
from scoring.scores import read_scores, read_vector

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ConditionalError:
    """`score` (total) and `standard_error` of each person, in score points; `method` as asked.

    NaN where a person has fewer than two items in some stratum.
    """

    method: str
    score: Floats
    standard_error: Floats


def conditional_sem(
    responses: ArrayLike | Responses,
    method: str = "lord",
    *,
    strata: Sequence[Any] | None = None,
    maximum: ArrayLike | None = None,
) -> ConditionalError:
    """Conditional standard error of measurement of each person's total, from that person's own items.

    - "lord": items are a random sample from a domain: √(k s²), s² the variance of the person's item scores
      (k − 1). For 0/1 items this is Lord's √(x (k − x) / (k − 1)); otherwise Lee's compound multinomial with one
      stratum. It counts differences in item difficulty as error (absolute error).
    - "keats": Lord's, times √((1 − KR20) / (1 − KR21)), so that its mean square matches the paper's SEM² (0/1 items).
    - "compound": Lord's within each stratum (`strata`: one label per item, e.g. the content area), squares added.

    `maximum`: points of each item; where they differ, "lord" puts items with the same maximum into one stratum, as
    items of different range are not drawn from one domain.

    Works from one candidate on, because it uses variation over items only. At 0 and full marks it is 0: the binomial
    model knows no doubt there. Missing items are left out of a person's total.
    Raises BadParameters (unknown method, strata of wrong length, keats on items not 0/1 or without variance).
    Sources: Lord (1955, 1957); Keats (1957), Psychometrika 22, 29–41; Feldt (1984) (strata); Lee (2007), JEM 44.
    """
    scores = read_scores(responses)
    k = scores.shape[1]
    labels: list[Any]
    if method == "compound":
        if strata is None or len(strata) != k:
            raise BadParameters("The compound method needs one stratum label per item.")
        labels = list(strata)
    elif method in ("lord", "keats"):
        if strata is not None:
            raise BadParameters('Strata belong to method="compound".')
        labels = (
            [0] * k if maximum is None else read_vector(maximum, k, "items' maxima", positive=True).tolist()
        )
    else:
        raise BadParameters(f"{method!r} is not a method: lord, keats or compound.")
    variance = np.zeros(scores.shape[0])
    for label in dict.fromkeys(labels):
        part = scores[:, [j for j in range(k) if labels[j] == label]]
        count = (~np.isnan(part)).sum(axis=1)
        sums, squares = np.nansum(part, axis=1), np.nansum(part**2, axis=1)
        inside = np.divide(sums**2, count, out=np.zeros_like(sums), where=count > 0)
        stratum = np.divide(
            count * np.maximum(squares - inside, 0.0),
            count - 1,
            out=np.full(sums.shape, np.nan),
            where=count > 1,
        )
        variance += np.where(count == 0, 0.0, stratum)
    if method == "keats":
        variance = variance * _keats_factor(scores)
    return ConditionalError(method, np.nansum(scores, axis=1), np.sqrt(variance))


def _keats_factor(scores: Floats) -> float:
    whole = scores[~np.isnan(scores).any(axis=1)]
    n, k = whole.shape
    if n < 2 or k < 2 or not np.isin(whole, (0.0, 1.0)).all():
        raise BadParameters("Keats' correction needs two complete persons or more and items scored 0 or 1.")
    total, p = whole.sum(axis=1), whole.mean(axis=0)
    population, m = float(total.var()), float(total.mean())
    if population <= 0 or (p * (1 - p)).sum() <= 0:
        raise BadParameters("Keats' correction needs totals that differ.")
    # (1 − KR20) / (1 − KR21); 1 − KR21 vanishes only with no variance within persons
    kr20 = k / (k - 1) * (1 - float((p * (1 - p)).sum()) / population)
    kr21 = k / (k - 1) * (1 - m * (k - m) / (k * population))
    return 1.0 if kr21 >= 1 - 1e-12 else max(0.0, (1 - kr20) / (1 - kr21))
