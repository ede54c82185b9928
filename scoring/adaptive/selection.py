"""Which item next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.adaptive.standing import Bank, Standing, probability_table, standing
from scoring.errors import BadParameters, NotIdentified
from scoring.irt import ItemParameters, estimate_ability, information
from scoring.irt.kernels import ability_derivatives
from scoring.numbers import read_numbers

Floats = NDArray[np.float64]

Criterion = Literal[
    "information",
    "difficulty",
    "optimum",
    "likelihood-weighted",
    "posterior-weighted",
    "kullback-leibler",
    "kullback-leibler-posterior",
    "expected-information",
    "expected-variance",
]
CRITERIA: tuple[Criterion, ...] = (
    "information",
    "difficulty",
    "optimum",
    "likelihood-weighted",
    "posterior-weighted",
    "kullback-leibler",
    "kullback-leibler-posterior",
    "expected-information",
    "expected-variance",
)
SMALLER_IS_BETTER = ("difficulty", "optimum", "expected-variance")


@dataclass(frozen=True)
class Content:
    """Content balancing (Kingsbury & Zara 1989): `areas`: the area of each item; `targets`: area → share.

    The next item comes from the area furthest below its target; on ties the first in `targets`' order.
    An area whose items are used up is passed over.
    """

    areas: Sequence[str]
    targets: Mapping[str, float]


@dataclass(frozen=True)
class Exposure:
    """Exposure control; the parts may be combined.

    `randomesque`: draw among so many best items (Kingsbury & Zara 1989).
    `accept`: Sympson–Hetter probabilities k per item (1985): the best item is given with probability k,
    otherwise the next best is tried and the refused one is not offered again in this test (hand
    `Selection.refused` back through `allowed`); see `sympson_hetter`.
    `rates`, `limit`: items whose exposure rate so far reaches the limit are left out (restricted).
    `progress`: 0 to 1, share of the test done: the criterion is mixed with random noise of the same height,
    (1 − progress)·noise + progress·information (progressive; Revuelta & Ponsoda 1998); only for "information".
    """

    randomesque: int = 1
    accept: ArrayLike | None = None
    rates: ArrayLike | None = None
    limit: float = 1.0
    progress: float | None = None


@dataclass(frozen=True)
class Selection:
    """`item`: number from 0; `value`: its criterion; `theta`: where it was evaluated; `area`: its content area;
    `candidates`: how many items could be chosen; `refused`: items that Sympson–Hetter's chance passed over."""

    item: int
    value: float
    theta: float
    area: str | None
    candidates: int
    refused: tuple[int, ...] = ()


def next_item(
    items: ItemParameters | Bank,
    administered: Sequence[int] = (),
    responses: Sequence[int] = (),
    *,
    theta: float | None = None,
    criterion: Criterion = "information",
    prior: tuple[float, float] = (0.0, 1.0),
    allowed: ArrayLike | None = None,
    content: Content | None = None,
    exposure: Exposure | None = None,
    rng: np.random.Generator | None = None,
) -> Selection:
    """The best item that is still free.

    `theta`: where to look; the EAP of the answers without it.  `criterion` (largest unless said):
    "information": Fisher information at theta (Lord 1980);
    "difficulty": smallest |theta − b|; "optimum": smallest distance to where the item's information peaks
    (Birnbaum 1968, for dichotomous items);
    "likelihood-weighted", "posterior-weighted": ∫ L I dθ, ∫ φ L I dθ (Veerkamp & Berger 1997; van der Linden 1998);
    "kullback-leibler", "…-posterior": ∫ L KL(theta ‖ θ) dθ, ∫ φ L KL dθ (Chang & Ying 1996);
    "expected-information": mean over the item's answers of the observed information at the new MAP;
    "expected-variance": smallest mean posterior variance (van der Linden & Pashley 2000).
    `allowed`: mask of items that may be used at all.  `rng` is needed where chance takes part; pass a seeded one.

    Raises NotIdentified when no item is left; BadParameters; BadResponses.
    """
    bank = items if isinstance(items, Bank) else Bank.of(items)
    if criterion not in CRITERIA:
        raise BadParameters(f"The criterion is one of {', '.join(CRITERIA)}.")
    now = standing(bank, administered, responses, prior)
    at = now.theta if theta is None else float(read_numbers(theta, "theta must be one number.", BadParameters, ndim=0))
    if not np.isfinite(at):
        raise BadParameters("theta must be finite.")
    free = _free(bank.items, administered, allowed, exposure)
    area = None
    if content is not None:
        area = _area(bank.items, content, administered, free)
        free &= np.array([name == area for name in content.areas])
    candidates = np.flatnonzero(free)
    values = criterion_values(bank, candidates, now, at, criterion, prior, (administered, responses))
    chosen, refused = _draw(candidates, values, criterion, exposure, rng)
    value = float(values[int(np.flatnonzero(candidates == chosen)[0])])
    return Selection(chosen, value, at, area, int(candidates.size), refused)


def criterion_values(
    bank: Bank,
    candidates: NDArray[np.intp],
    now: Standing,
    theta: float,
    criterion: Criterion,
    prior: tuple[float, float],
    history: tuple[Sequence[int], Sequence[int]],
) -> Floats:
    """The criterion of every candidate item."""
    items = bank.items
    if criterion == "information":
        return np.asarray(information(items, theta).item[0, candidates])
    if criterion == "difficulty":
        return np.asarray(np.abs(theta - items.difficulty[candidates]))
    if criterion == "optimum":
        if (items.categories > 2).any():
            raise BadParameters("The peak of information in closed form is for dichotomous items.")
        a, b, c = items.slope[candidates], items.difficulty[candidates], items.lower_asymptote[candidates]
        return np.asarray(np.abs(theta - (b + np.log((1 + np.sqrt(1 + 8 * c)) / 2) / a)))
    step = np.full(bank.grid.size, bank.grid[1] - bank.grid[0])
    step[[0, -1]] /= 2
    weight = now.likelihood * step
    if criterion in ("posterior-weighted", "kullback-leibler-posterior"):
        mean, sd = prior
        weight = weight * np.exp(-0.5 * ((bank.grid - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
    if criterion in ("likelihood-weighted", "posterior-weighted"):
        return np.asarray(information(items, bank.grid).item[:, candidates].T @ weight)
    here = probability_table(items, np.array([theta]))[candidates, 0]
    table = bank.table[candidates]
    if criterion in ("kullback-leibler", "kullback-leibler-posterior"):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(here[:, None] > 0, here[:, None] * np.log(here[:, None] / table), 0.0)
        return np.asarray(ratio.sum(axis=2) @ weight)
    if criterion == "expected-variance":
        joint = table * now.posterior[:, None]
        mass = joint.sum(axis=1)
        mean_after = np.einsum("jqk,q->jk", joint, bank.grid)
        square = np.einsum("jqk,q->jk", joint, bank.grid**2)
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = np.where(mass > 0, square / mass - (mean_after / mass) ** 2, 0.0)
        return np.asarray((here * variance).sum(axis=1))
    return np.array(
        [_expected_information(bank, int(j), here[i], history, prior) for i, j in enumerate(candidates)]
    )


def _expected_information(
    bank: Bank,
    item: int,
    here: Floats,
    history: tuple[Sequence[int], Sequence[int]],
    prior: tuple[float, float],
) -> float:
    """Σ_x P(x | theta) · J_item(x, MAP after x), J = −∂² log P(x)/∂θ²."""
    total = 0.0
    for answer in range(int(bank.items.categories[item])):
        chosen, answers = [*history[0], item], [*history[1], answer]
        at = _posterior_mode(bank, chosen, answers, prior)
        own = bank.items.select([item]).blocks[0]
        _, _, second = ability_derivatives(own, np.array([at]))
        total += float(here[answer] * -second[0, 0, answer])
    return total


def _posterior_mode(
    bank: Bank, administered: Sequence[int], responses: Sequence[int], prior: tuple[float, float]
) -> float:
    own = bank.items.select(administered)
    return float(estimate_ability(np.array([responses], dtype=float), own, "MAP", prior).theta[0])


def _free(
    items: ItemParameters,
    administered: Sequence[int],
    allowed: ArrayLike | None,
    exposure: Exposure | None,
) -> NDArray[np.bool_]:
    free = np.ones(items.n_items, dtype=bool)
    if allowed is not None:
        mask = np.asarray(allowed)
        if mask.shape != (items.n_items,) or mask.dtype != bool:
            raise BadParameters("allowed is one True or False per item.")
        free &= mask
    free[list(administered)] = False
    if exposure is not None and exposure.rates is not None:
        rates = np.asarray(exposure.rates, dtype=np.float64)
        if rates.shape != (items.n_items,) or not 0 < exposure.limit <= 1:
            raise BadParameters("Exposure rates are one per item, their limit lies between 0 and 1.")
        spared = free & (rates < exposure.limit)
        # When every item is worn the limit yields: a test must go on.
        free = spared if spared.any() else free
    if not free.any():
        raise NotIdentified("No item is left to choose from: the test ends here.")
    return free


def _area(
    items: ItemParameters, content: Content, administered: Sequence[int], free: NDArray[np.bool_]
) -> str:
    if len(content.areas) != items.n_items or not content.targets:
        raise BadParameters("Content balancing needs an area for each item and a target for each area.")
    if any(not share >= 0 for share in content.targets.values()) or sum(content.targets.values()) <= 0:
        raise BadParameters("Content targets are shares, not negative, and not all zero.")
    whole = sum(content.targets.values())
    used = [content.areas[j] for j in administered]
    open_areas = {content.areas[int(j)] for j in np.flatnonzero(free)}
    best: tuple[float, str] | None = None
    for area, share in content.targets.items():
        gap = share / whole - (used.count(area) / len(used) if used else 0.0)
        if area in open_areas and (best is None or gap > best[0] + 1e-12):
            best = gap, area
    if best is None:
        raise NotIdentified("No item of the target areas is left: the test ends here.")
    return best[1]


def _draw(
    candidates: NDArray[np.intp],
    values: Floats,
    criterion: Criterion,
    exposure: Exposure | None,
    rng: np.random.Generator | None,
) -> tuple[int, tuple[int, ...]]:
    merit = -values if criterion in SMALLER_IS_BETTER else values
    if exposure is None:
        return int(candidates[int(np.argmax(merit))]), ()
    chance = exposure.randomesque > 1 or exposure.accept is not None or exposure.progress is not None
    if exposure.randomesque < 1:
        raise BadParameters("randomesque draws among at least one item.")
    if chance and rng is None:
        raise BadParameters("Exposure control by chance needs a random generator: pass a seeded one.")
    if exposure.progress is not None:
        if criterion != "information" or not 0 <= exposure.progress <= 1:
            raise BadParameters("The progressive method mixes information, with progress between 0 and 1.")
        assert rng is not None
        noise = rng.uniform(0.0, float(merit.max()), merit.size)
        merit = (1 - exposure.progress) * noise + exposure.progress * merit
    order = np.argsort(-merit, kind="stable")
    if exposure.randomesque > 1:
        assert rng is not None
        order = rng.permutation(order[: exposure.randomesque])
    if exposure.accept is not None:
        assert rng is not None
        k = np.asarray(exposure.accept, dtype=np.float64)
        if k.ndim != 1 or k.size <= int(candidates.max()) or (k < 0).any() or (k > 1).any():
            raise BadParameters("Sympson–Hetter probabilities are one per item, between 0 and 1.")
        refused: list[int] = []
        for item in candidates[order].tolist():
            if rng.random() <= k[item]:
                return item, tuple(refused)
            refused.append(item)
        return refused[-1], tuple(refused[:-1])  # all refused: the last one tried
    return int(candidates[order[0]]), ()
