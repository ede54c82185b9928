"""Everything that `scoring` can say about one answer file, each part with its result or the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from scoring.classical import (
    DistractorTable,
    ItemAnalysis,
    Reliability,
    distractor_table,
    item_analysis,
    reliability,
)
from scoring.dif import LogisticDif, MantelHaenszel, logistic, mantel_haenszel
from scoring.errors import (
    BadParameters,
    BadResponses,
    NotConverged,
    NotIdentified,
    ScoringError,
    TooFewObservations,
)
from scoring.forensics import benjamini_hochberg, holm
from scoring.irt import (
    Ability,
    Calibration,
    ItemFit,
    LocalDependence,
    LogNormal,
    ModelFit,
    PersonFit,
    Priors,
    calibrate,
    estimate_ability,
    item_fit,
    local_dependence,
    marginal_reliability,
    model_fit,
    person_fit,
)
from scoring.report.files import Answers

Floats = NDArray[np.float64]

MODELS = ("auto", "none", "Rasch", "1PL", "2PL", "3PL", "GRM", "GPCM", "PCM", "RSM")
"""`auto`: none below 40 candidates, Rasch (PCM for points) below 200, 2PL (GPCM) from 200 on."""

MINIMUM_MODEL, MINIMUM_SLOPES = 40, 200
MOST_CATEGORIES = 11
MOST_FOR_WHOLE_FIT = 80
"""M2 compares all pairs of items with each other: with 80 items that is a matrix of 3,240 × 3,240, with 130 a minute of work."""
_PARTNER = {"Rasch": "PCM", "1PL": "GPCM", "2PL": "GPCM", "3PL": "GPCM", "PCM": "Rasch", "RSM": "Rasch"} | {
    "GRM": "2PL",
    "GPCM": "2PL",
}
_DICHOTOMOUS = ("Rasch", "1PL", "2PL", "3PL")


@dataclass(frozen=True)
class Refusal:
    """Why a part is not there: `code` is a key of the report's wording, `message` the sentence of the error."""

    code: str
    message: str


@dataclass(frozen=True, eq=False)
class ResponseModel:
    """A fitted response model on the columns `columns` of the file (others are in `left_out`: no variation, points that are
    not whole, or too many categories). `ability`: EAP. `unlikely`: persons whose l_z* is improbably small,
    Benjamini–Hochberg at 5 %. `misfit`: S-X² p-values by Holm. `dependent`: pairs of columns (as in the model) with
    Q₃ − mean above 0.2, largest first. `reliability`: marginal, 0–1.
    """

    models: tuple[str, ...]
    columns: tuple[int, ...]
    left_out: tuple[str, ...]
    calibration: Calibration
    ability: Ability
    fit: ItemFit
    misfit: Floats
    persons: PersonFit
    unlikely: tuple[int, ...]
    whole: ModelFit | None
    dependence: LocalDependence | None
    dependent: tuple[tuple[int, int, float], ...]
    reliability: float


@dataclass(frozen=True, eq=False)
class GroupComparison:
    """DIF of the focal group against the reference, items scored 0/1 and persons with all of them only.

    `columns`: those items. `n_focal`, `n_reference`: persons used. `adjusted`: Mantel–Haenszel p-values by Holm.
    Both results are None where `refused` says why.
    """

    reference: str
    focal: str
    n_reference: int
    n_focal: int
    columns: tuple[int, ...]
    mantel_haenszel: MantelHaenszel | None
    logistic: LogisticDif | None
    adjusted: Floats
    refused: Refusal | None


@dataclass(frozen=True, eq=False)
class Analysis:
    """Results by part; `refused` names the missing parts (reliability, model, model_fit, dependence, groups)."""

    answers: Answers
    confidence: float
    items: ItemAnalysis
    distractors: tuple[DistractorTable | None, ...]
    reliability: Reliability | None
    model: ResponseModel | None
    groups: tuple[GroupComparison, ...]
    refused: Mapping[str, Refusal]


def analyse(
    answers: Answers,
    *,
    model: str = "auto",
    reference: str | None = None,
    confidence: float = 0.95,
    target: float = 0.7,
    progress: Callable[[str, float], None] = lambda part, share: None,
) -> Analysis:
    """Analyse a paper. `model`: one of MODELS; where it fits items of the other kind, its partner serves those (2PL and
    GPCM, Rasch and PCM). `reference`: the group that others are compared with, by default the largest. `target`:
    the reliability the verdict is about. `progress` hears the part that begins and the share done.

    Raises BadParameters (unknown model or group), BadResponses, and what a model raises that was asked for by name
    (NotIdentified, NotConverged); what `auto` cannot do is in `refused`.
    """
    if model not in MODELS:
        raise BadParameters(f"There is no model {model!r}: choose {', '.join(MODELS)}.")
    refused: dict[str, Refusal] = {}
    progress("items", 0.0)
    known = np.where(np.isnan(answers.maximum), np.maximum(np.nanmax(answers.scores, axis=0), 1.0), answers.maximum)
    items = item_analysis(answers.scores, maximum=known, items=answers.items, confidence=confidence)
    distractors = _distractors(answers, items, confidence)
    progress("reliability", 0.2)
    coefficient: Reliability | None = None
    try:
        coefficient = reliability(answers.scores, target=target, confidence=confidence)
    except ScoringError as error:
        refused["reliability"] = _refusal(error)
    progress("model", 0.3)
    fitted: ResponseModel | None = None
    if model == "none":
        refused["model"] = Refusal("refused.not_asked", "")
    elif model == "auto" and len(answers.persons) < MINIMUM_MODEL:
        refused["model"] = Refusal("refused.too_few_for_model", "")
    else:
        try:
            fitted = _model(answers, model, refused, progress)
        except ScoringError as error:
            if model != "auto":
                raise
            refused["model"] = _refusal(error)
    progress("groups", 0.9)
    groups = _groups(answers, reference, refused)
    progress("done", 1.0)
    return Analysis(answers, confidence, items, distractors, coefficient, fitted, groups, refused)


def _refusal(error: ScoringError) -> Refusal:
    kinds = {
        TooFewObservations: "refused.too_few",
        NotIdentified: "refused.not_identified",
        NotConverged: "refused.not_converged",
        BadResponses: "refused.not_suited",
        BadParameters: "refused.not_suited",
    }
    return Refusal(kinds.get(type(error), "refused.not_suited"), str(error))


def _distractors(
    answers: Answers, items: ItemAnalysis, confidence: float
) -> tuple[DistractorTable | None, ...]:
    """Options of each keyed item over the persons who met it; the rest is the share of the other items' points earned."""
    seen = ~np.isnan(answers.scores)
    earned = np.nansum(answers.scores, axis=1)
    offered = seen @ items.maximum
    tables: list[DistractorTable | None] = []
    for j, item in enumerate(answers.items):
        if j not in answers.key:
            tables.append(None)
            continue
        met = seen[:, j]
        others = (offered - items.maximum[j])[met]
        rest = np.divide(
            (earned[met] - answers.scores[met, j]), others, out=np.full(others.shape, np.nan), where=others > 0
        )
        chosen = [answers.options[j][i] for i in np.flatnonzero(met)]
        tables.append(
            distractor_table(
                chosen, answers.key[j], items.total.score[met], rest, item=item, confidence=confidence
            )
        )
    return tuple(tables)


def _model(
    answers: Answers, asked: str, refused: dict[str, Refusal], progress: Callable[[str, float], None]
) -> ResponseModel:
    columns, left_out = [], []
    for j, item in enumerate(answers.items):
        values = np.unique(answers.scores[~np.isnan(answers.scores[:, j]), j])
        whole = bool((values == np.rint(values)).all()) and values[-1] < MOST_CATEGORIES
        if values.size > 1 and whole:
            columns.append(j)
        else:
            left_out.append(item)
    if len(columns) < 3:
        raise NotIdentified(
            "A response model needs three items or more that candidates answered differently, scored in whole points "
            f"below {MOST_CATEGORIES}."
        )
    x = answers.scores[:, columns]
    slopes = len(answers.persons) >= MINIMUM_SLOPES
    name = asked if asked != "auto" else "2PL" if slopes else "Rasch"
    models = tuple(_suited(name, float(np.nanmax(x[:, j]))) for j in range(len(columns)))
    priors = Priors(slope=LogNormal(0.0, 0.5)) if "3PL" in models else None
    calibration = calibrate(x, models, priors=priors, items=[answers.items[j] for j in columns])
    progress("abilities", 0.55)
    group = (float(calibration.group_mean[0]), float(np.sqrt(calibration.group_variance[0])))
    ability = estimate_ability(x, calibration.items, "EAP", group)
    fit = item_fit(x, calibration, ability=ability)
    progress("fit", 0.65)
    persons = person_fit(x, calibration)
    whole_fit: ModelFit | None = None
    if len(columns) > MOST_FOR_WHOLE_FIT:
        refused["model_fit"] = Refusal("refused.too_many_items", "")
    else:
        try:
            whole_fit = model_fit(x, calibration)
        except ScoringError as error:
            refused["model_fit"] = _refusal(error)
    progress("dependence", 0.8)
    dependence: LocalDependence | None = None
    try:
        dependence = local_dependence(x, calibration, ability=ability)
    except ScoringError as error:
        refused["dependence"] = _refusal(error)
    return ResponseModel(
        models=models,
        columns=tuple(columns),
        left_out=tuple(left_out),
        calibration=calibration,
        ability=ability,
        fit=fit,
        misfit=holm(fit.p_value),
        persons=persons,
        unlikely=_unlikely(persons),
        whole=whole_fit,
        dependence=dependence,
        dependent=_dependent(dependence),
        reliability=marginal_reliability(calibration.items, *group),
    )


def _suited(name: str, highest: float) -> str:
    return name if (name in _DICHOTOMOUS) == (highest <= 1) else _PARTNER[name]


def _unlikely(fit: PersonFit) -> tuple[int, ...]:
    star = fit.lz_star if fit.lz_star is not None else fit.lz
    found = np.flatnonzero(benjamini_hochberg(norm.cdf(star)) <= 0.05)
    return tuple(int(i) for i in found[np.argsort(star[found], kind="stable")])


def _dependent(found: LocalDependence | None) -> tuple[tuple[int, int, float], ...]:
    if found is None:
        return ()
    above = found.q3 - found.mean_q3
    pairs = [(int(i), int(j), float(above[i, j])) for i, j in zip(*np.triu_indices(above.shape[0], 1), strict=True)]
    return tuple(sorted((pair for pair in pairs if pair[2] > 0.2), key=lambda pair: -pair[2]))


def _groups(
    answers: Answers, reference: str | None, refused: dict[str, Refusal]
) -> tuple[GroupComparison, ...]:
    if answers.groups is None:
        if reference is not None:
            raise BadParameters("A reference group needs the column of groups.")
        refused["groups"] = Refusal("refused.no_groups", "")
        return ()
    labels = np.array(answers.groups)
    names, counts = np.unique(labels[labels != ""], return_counts=True)
    if reference is not None and reference not in names:
        raise BadParameters(f"There is no group {reference!r}; the groups are {', '.join(map(str, names[:12]))}.")
    if names.size < 2 or names.size > 12:
        refused["groups"] = Refusal("refused.one_group" if names.size < 2 else "refused.many_groups", "")
        return ()
    base = reference if reference is not None else str(names[np.argmax(counts)])
    scored = np.isnan(answers.scores) | (answers.scores == 0) | (answers.scores == 1)
    columns = np.flatnonzero(scored.all(axis=0)).tolist()
    return tuple(_compare(answers, labels, base, str(focal), columns) for focal in names if focal != base)


def _compare(
    answers: Answers, labels: NDArray[np.str_], base: str, focal: str, columns: list[int]
) -> GroupComparison:
    x = answers.scores[:, columns]
    used = ((labels == base) | (labels == focal)) & ~np.isnan(x).any(axis=1)
    member = labels[used] == focal
    counts = (int((~member).sum()), int(member.sum()))
    try:
        found = mantel_haenszel(x[used], member.astype(int))
        regression = logistic(x[used], member.astype(int))
    except ScoringError as error:
        nothing = np.full(len(columns), np.nan)
        return GroupComparison(base, focal, *counts, tuple(columns), None, None, nothing, _refusal(error))
    return GroupComparison(base, focal, *counts, tuple(columns), found, regression, holm(found.p), None)
