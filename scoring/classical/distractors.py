"""Which options candidates chose, and whether those who chose them were the better ones."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadResponses
from scoring.intervals import correlation, pearson, proportion_interval
from scoring.numbers import read_numbers
from scoring.responses import Responses
from scoring.verdicts import Verdict

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DistractorTable:
    """One row per option in sorted order, then None for omitted (only where somebody omitted).

    `n` how many chose it, `share` of all persons with an exact interval, `mean_total` of those who chose it
    (NaN: nobody did), point-biserial of choosing it with the total and with the rest score (with interval),
    `upper` and `lower`: how many of the top and bottom 27 % chose it.
    """

    item: str
    key: Any
    options: tuple[Any, ...]
    n: NDArray[np.intp]
    share: Floats
    share_interval: Floats
    mean_total: Floats
    point_biserial_total: Floats
    point_biserial_rest: Floats
    point_biserial_interval: Floats
    upper: NDArray[np.intp]
    lower: NDArray[np.intp]
    verdicts: tuple[Verdict, ...]


def is_omitted(answer: Any) -> bool:
    """None, "" and NaN are omissions."""
    return answer is None or answer == "" or answer != answer


def mark_against_key(responses: Any, key: Sequence[Any]) -> tuple[Floats, list[list[Any]]]:
    """0/1 scores (omitted = 0) and the answers by item; columns whose key is None are read as scores.

    Raises BadResponses: not a table, or a key of another length.
    """
    source: Any = responses.matrix() if isinstance(responses, Responses) else responses
    table = np.array(source, dtype=object)
    if table.ndim != 2 or table.size == 0:
        raise BadResponses(f"Answers must be a table of persons × items; this has the shape {table.shape}.")
    if table.shape[1] != len(key):
        raise BadResponses(
            f"{len(key)} keys for {table.shape[1]} items: give one each (None: scored already)."
        )
    columns = [
        [None if is_omitted(answer) else answer for answer in table[:, j].tolist()] for j in range(len(key))
    ]
    scores = np.empty(table.shape)
    for j, right in enumerate(key):
        if right is None:
            try:
                scores[:, j] = [np.nan if answer is None else float(answer) for answer in columns[j]]
            except (TypeError, ValueError):
                raise BadResponses(f"Item {j + 1} has no key, so its column must hold scores.") from None
        else:
            scores[:, j] = [answer is not None and answer == right for answer in columns[j]]
    return scores, columns


def distractor_table(
    answers: Sequence[Any],
    key: Any,
    total: ArrayLike,
    rest: ArrayLike,
    *,
    item: str = "",
    confidence: float = 0.95,
) -> DistractorTable:
    """`answers` of all persons to one item (None = omitted), their `total` and the total without this item
    (NaN: no other item was administered).

    An option is suspected of being the right one ("item.key_suspect") when its point-biserial with the rest score
    is above zero beyond chance and above the keyed option's. Raises BadResponses.
    """
    totals = read_numbers(total, "Total scores must be numbers, one per person.", ndim=1)
    rests = read_numbers(rest, "Rest scores must be numbers, one per person.", ndim=1)
    if not isinstance(answers, (Sequence, np.ndarray)) or not isinstance(key, Hashable):
        raise BadResponses("Give the answers of all persons as a list, and one key.")
    if not (len(answers) == totals.size == rests.size > 0) or np.isnan(totals).any():
        raise BadResponses("Give one answer, one total and one rest score for each person.")
    try:
        chosen = {answer for answer in answers if not is_omitted(answer)} | {key}
    except (TypeError, ValueError):
        raise BadResponses("An answer is one option, not a list of them.") from None
    options: list[Any] = sorted(chosen, key=lambda option: (str(type(option)), option))
    if any(is_omitted(answer) for answer in answers):
        options.append(None)
    n = totals.size
    size = min(max(1, int(np.floor(0.27 * n + 0.5))), n // 2)
    order = np.argsort(totals, kind="stable")
    picks = np.array(
        [[is_omitted(a) if option is None else a == option for a in answers] for option in options],
        dtype=bool,
    )
    counts = picks.sum(axis=1)
    known = ~np.isnan(rests)
    found = [correlation(row[known].astype(float), rests[known], confidence) for row in picks]
    with_rest = np.array([c.value for c in found])
    limits = np.array([c.interval for c in found])
    at_key = with_rest[options.index(key)]
    suspects = tuple(
        Verdict(
            "item.key_suspect",
            {"lower": float(limits[i, 0]), "value": float(with_rest[i]), "keyed": float(at_key)},
            {"option": str(option), "key": str(key)},
        )
        for i, option in enumerate(options)
        if option is not None and option != key and limits[i, 0] > 0 and not at_key >= with_rest[i]
    )
    return DistractorTable(
        item=item,
        key=key,
        options=tuple(options),
        n=counts.astype(np.intp),
        share=counts / n,
        share_interval=proportion_interval(counts, n, confidence),
        mean_total=np.array([totals[row].mean() if row.any() else np.nan for row in picks]),
        point_biserial_total=np.array([pearson(row.astype(float), totals) for row in picks]),
        point_biserial_rest=with_rest,
        point_biserial_interval=limits,
        upper=picks[:, order[n - size :]].sum(axis=1).astype(np.intp),
        lower=picks[:, order[:size]].sum(axis=1).astype(np.intp),
        verdicts=suspects,
    )
