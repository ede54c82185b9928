"""How far a ranking can be trusted, given the errors of the scores it rests on.

Who ranks where is decided elsewhere, exactly, by the rules; here is what the errors of measurement make of it:
the probability of each rank, of being first, which candidates cannot be told apart, what each marker decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from scoring.errors import BadParameters
from scoring.numbers import read_numbers
from scoring.ranking.posterior import true_scores
from scoring.scores import read_confidence, read_names, read_scores, read_vector
from scoring.verdicts import Verdict

Floats = NDArray[np.float64]
_MOST_DRAWN = 16_000_000  # draws × candidates: beyond it fewer draws


@dataclass(frozen=True, eq=False)
class RankUncertainty:
    """n candidates in the order given; ranks begin at 1 (the best).

    `score`: weighted sum of the parts, `standard_error` its error of measurement; `rank`: by score, ties share the
    better one. `estimate`: the score drawn towards the field as far as errors explain differences.
    `probability`: candidates × ranks, rows and columns sum to 1. `first`: its first column. `rank_interval`: n × 2,
    smallest and largest rank of the central interval at `confidence`. `beats`: n × n, probability that the row's true
    score is above the column's, 0.5 on the diagonal.
    `groups`: all largest sets of candidates no two of which are told apart at `confidence`; they may overlap.
    `top`: the fewest candidates that hold the best one with probability `confidence`, likeliest first.
    `signal`: share of the variance of scores that is not error, averaged over what the scores allow, 0–1.
    `part_share`: share of each part in the error variance of the total.
    `simulation_error`: an upper bound on the standard error of a rank's probability from `draws` quasi-random draws;
    `beats`, `estimate` and `signal` are integrated, not drawn.
    """

    names: tuple[str, ...]
    score: Floats
    standard_error: Floats
    rank: NDArray[np.intp]
    estimate: Floats
    probability: Floats
    first: Floats
    expected_rank: Floats
    rank_interval: NDArray[np.intp]
    beats: Floats
    groups: tuple[tuple[str, ...], ...]
    top: tuple[str, ...]
    signal: float
    part_share: Floats
    confidence: float
    draws: int
    seed: int
    simulation_error: float
    verdict: Verdict


def rank_uncertainty(
    scores: ArrayLike,
    standard_errors: ArrayLike = 0.0,
    *,
    weights: ArrayLike | None = None,
    covariance: ArrayLike | None = None,
    degrees_of_freedom: float = np.inf,
    names: Sequence[str] | None = None,
    population: bool = True,
    confidence: float = 0.95,
    draws: int = 65_536,
    seed: int = 0,
) -> RankUncertainty:
    """Probabilities of ranks of `scores` (n, or n × parts with `weights`; higher is better).

    `standard_errors`: of the scores, broadcast to their shape (a test's SEM, of a person or common; that of a mean of
    marks), independent between candidates and parts. `covariance`: n × n error covariance of the total, added to it
    (markers that several candidates share: `marker_error`). `degrees_of_freedom`: behind the errors, where they were
    estimated from few candidates; one common scale factor is then uncertain (scaled inverse chi-square).

    Model: score = true score + normal error. With `population`, true scores are normal around an unknown mean with an
    unknown spread (flat mean; uniform shrinkage prior, Daniels 1999). Probabilities are then calibrated over populations
    from "all differences are error" to "no error": of the candidates given 0.8, four in five are the best. In a field
    that hardly differs they still promise somewhat too much (five candidates without any difference: the leader is given
    0.41 and is the best in 0.24). Without it true scores have a flat prior, and the apparent winner gets more than that
    (0.54 there: the winner's curse). Equal arguments give equal numbers.

    Raises BadResponses, BadParameters. Sources: Daniels (1999), Canadian Journal of Statistics 27, 567–578; Goldstein &
    Spiegelhalter (1996), JRSS A 159, 385–443. Not handled: errors that depend on the true score within one candidate.
    """
    level = read_confidence(confidence)
    table = read_numbers(scores, "Scores must be numbers, one per candidate, or candidates × parts.")
    single = table.ndim == 1
    parts = read_scores(
        table[:, None] if single else table, complete=True, rows="candidates", columns="parts"
    )
    n, count = parts.shape
    labels = read_names(names, n, "candidates")
    weight = read_vector(1.0 if weights is None else weights, count, "weights of parts")
    errors = read_numbers(standard_errors, "Standard errors must be numbers.", BadParameters)
    try:
        errors = np.broadcast_to(errors[:, None] if single and errors.ndim == 1 else errors, parts.shape)
    except ValueError:
        raise BadParameters(f"Standard errors do not fit {n} candidates × {count} parts.") from None
    if not np.isfinite(errors).all() or (errors < 0).any():
        raise BadParameters("Standard errors are finite and not negative.")
    if not degrees_of_freedom > 0 or not 1_000 <= draws <= 10_000_000:
        raise BadParameters("Degrees of freedom must be positive, and draws between 1,000 and 10,000,000.")
    score = parts @ weight
    own = (errors * weight) ** 2
    shared = _read_covariance(covariance, n)
    error = np.diag(own.sum(axis=1)) + shared
    total = np.concatenate([own.sum(axis=0), [] if covariance is None else [float(np.trace(shared))]])
    part_share = total / total.sum() if total.sum() > 0 else np.zeros(total.size)
    posterior = true_scores(score, error, float(degrees_of_freedom), population)
    draws = min(draws, max(4_096, _MOST_DRAWN // n))
    true = posterior.draw(draws, seed)
    order = np.argsort(-true, axis=1, kind="stable")
    tally = np.bincount((order + np.arange(n) * n).reshape(-1), minlength=n * n).reshape(n, n)
    probability = np.ascontiguousarray(tally.T) / draws  # tally: ranks × candidates
    beats = posterior.beats()
    first = probability[:, 0].copy()
    cumulative = np.cumsum(probability, axis=1)
    half = (1 - level) / 2
    low = (cumulative > half + 1e-12).argmax(axis=1) + 1
    high = (cumulative >= 1 - half - 1e-12).argmax(axis=1) + 1
    by_chance = np.argsort(-first, kind="stable")
    needed = int((np.cumsum(first[by_chance]) >= level - 1e-12).argmax()) + 1
    told_apart = np.maximum(beats, beats.T) >= level
    return RankUncertainty(
        names=labels,
        score=score,
        standard_error=np.sqrt(np.diag(error)),
        rank=stats.rankdata(-score, method="min").astype(np.intp),
        estimate=posterior.mean(),
        probability=probability,
        first=first,
        expected_rank=probability @ np.arange(1, n + 1),
        rank_interval=np.column_stack([low, high]).astype(np.intp),
        beats=beats,
        groups=tuple(tuple(labels[i] for i in group) for group in _groups(told_apart, score)),
        top=tuple(labels[i] for i in by_chance[:needed]),
        signal=posterior.signal,
        part_share=part_share,
        confidence=level,
        draws=draws,
        seed=seed,
        simulation_error=float(0.5 / np.sqrt(draws)),
        verdict=_verdict(first, needed, told_apart, bool(total.sum() > 0), level),
    )


def _read_covariance(covariance: ArrayLike | None, n: int) -> Floats:
    if covariance is None:
        return np.zeros((n, n))
    matrix = read_numbers(covariance, f"The covariance of errors must be a symmetric {n} × {n} matrix.", BadParameters)
    if matrix.shape != (n, n) or not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T):
        raise BadParameters(f"The covariance of errors must be a symmetric {n} × {n} matrix.")
    if np.linalg.eigvalsh(matrix)[0] < -1e-9 * max(1.0, float(np.abs(matrix).max())):
        raise BadParameters("The covariance of errors has a negative variance: check it.")
    return matrix


def _groups(told_apart: NDArray[np.bool_], score: Floats) -> list[list[int]]:
    """Maximal cliques of the graph "not told apart" (Bron & Kerbosch 1973 with pivot), best candidates first."""
    n = score.size
    alike = [0] * n  # bit j of alike[i]: not told apart
    for i, j in np.argwhere(~told_apart).tolist():
        if i != j:
            alike[i] |= 1 << j
    found: list[list[int]] = []
    stack: list[tuple[list[int], int, int]] = [([], (1 << n) - 1, 0)]
    while stack:
        clique, candidates, done = stack.pop()
        if not candidates:
            if not done:
                found.append(clique)
            continue
        pivot = max(_bits(candidates | done), key=lambda i: (alike[i] & candidates).bit_count())
        for i in _bits(candidates & ~alike[pivot]):
            stack.append(([*clique, i], candidates & alike[i], done & alike[i]))
            candidates &= ~(1 << i)
            done |= 1 << i
    place = {i: at for at, i in enumerate(np.argsort(-score, kind="stable").tolist())}
    return sorted(
        (sorted(group, key=place.__getitem__) for group in found), key=lambda g: [place[i] for i in g]
    )


def _bits(mask: int) -> list[int]:
    return [i for i, bit in enumerate(reversed(f"{mask:b}")) if bit == "1"]


def _verdict(
    first: Floats, needed: int, told_apart: NDArray[np.bool_], has_error: bool, confidence: float
) -> Verdict:
    best = float(first.max())
    numbers = {"probability": best, "candidates": float(needed), "confidence": confidence}
    if not has_error:
        return Verdict("ranking.no_error_given", numbers)
    if first.size > 1 and not told_apart.any():
        return Verdict("ranking.says_nothing", numbers)
    if needed == 1:
        return Verdict("ranking.first_clear", numbers)
    return Verdict("ranking.first_likely" if best > 0.5 else "ranking.first_open", numbers)
