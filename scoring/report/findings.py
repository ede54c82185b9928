"""What a board should do, look at and know, in order of consequence: codes with names and numbers, phrased elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from scoring.report.analysis import Analysis, ResponseModel

Level = Literal["act", "look", "know"]

EASY, HARD = 0.95, 0.2
"""An item is called very easy (very hard) when its whole interval of difficulty lies above (below)."""
CLOSE_FIT = 0.05
"""RMSEA up to here is close fit (Maydeu-Olivares & Joe 2014; Browne & Cudeck 1993)."""


@dataclass(frozen=True)
class Finding:
    """`code`: a key of the wording's findings; `names`: items, persons or pairs it is about."""

    level: Level
    code: str
    names: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)


def find(analysis: Analysis) -> tuple[Finding, ...]:
    """Findings, what asks for action first. Empty lists make no finding; a paper without any says so by the caller."""
    found = [*_items(analysis), *_reliability(analysis), *_groups(analysis), *_data(analysis)]
    if analysis.model is not None:
        found += _model(analysis, analysis.model)
    order = {"act": 0, "look": 1, "know": 2}
    return tuple(sorted(found, key=lambda one: order[one.level]))


def flags(analysis: Analysis) -> tuple[tuple[str, ...], ...]:
    """Per item the codes of what deserves a look, worst first."""
    items, model = analysis.items, analysis.model
    out: list[list[str]] = [[] for _ in items.items]
    for j, verdicts in enumerate(items.verdicts):
        table = analysis.distractors[j]
        if table is not None and table.verdicts:
            out[j].append("key")
        code = verdicts[0].code
        if code == "item.reversed":
            out[j].append("reversed")
        elif code == "item.no_variation":
            out[j].append("constant")
        if code != "item.no_variation":
            low, high = items.difficulty_interval[j]
            if low > EASY:
                out[j].append("easy")
            elif high < HARD:
                out[j].append("hard")
    if model is not None:
        for place, j in enumerate(model.columns):
            if model.misfit[place] <= 0.05:
                out[j].append("misfit")
    for group in analysis.groups:
        if group.mantel_haenszel is None:
            continue
        for place, j in enumerate(group.columns):
            if group.mantel_haenszel.ets_class[place] != "A" and group.adjusted[place] <= 0.05 and "dif" not in out[j]:
                out[j].append("dif")
    return tuple(tuple(codes) for codes in out)


def _items(analysis: Analysis) -> list[Finding]:
    names, marks = analysis.items.items, flags(analysis)
    suspects = []
    for table in analysis.distractors:
        if table is not None and table.verdicts:
            rivals = "/".join(verdict.names["option"] for verdict in table.verdicts)
            suspects.append(f"{table.item} ({table.key} → {rivals})")
    found = [Finding("act", "key_suspect", tuple(suspects))] if suspects else []
    for code, level, mark in (
        ("reversed", "act", "reversed"),
        ("constant", "look", "constant"),
        ("very_easy", "look", "easy"),
        ("very_hard", "look", "hard"),
    ):
        which = tuple(name for name, codes in zip(names, marks, strict=True) if mark in codes)
        if which:
            found.append(Finding("act" if level == "act" else "look", code, which))
    verdict = analysis.items.verdict
    found.append(Finding("know", verdict.code, (), verdict.numbers))
    return found


def _reliability(analysis: Analysis) -> list[Finding]:
    result = analysis.reliability
    if result is None:
        return []
    verdict = result.verdict
    level: Level = "act" if verdict.code == "reliability.below" else "know"
    found = [Finding(level, verdict.code, (), verdict.numbers)]
    if np.isfinite(result.sem):
        lower, upper = result.sem_interval
        numbers = {"sem": result.sem, "lower": lower, "upper": upper, "chance": 1.96 * float(np.sqrt(2.0)) * result.sem}
        found.append(Finding("know", "sem", (), numbers))
    return found


def _groups(analysis: Analysis) -> list[Finding]:
    found = []
    for group in analysis.groups:
        if group.mantel_haenszel is None:
            continue
        classes = group.mantel_haenszel.ets_class
        sure = [p for p in range(len(classes)) if classes[p] != "A" and group.adjusted[p] <= 0.05]
        for code, wanted in (("dif_large", "C"), ("dif_moderate", "B")):
            which = tuple(analysis.items.items[group.columns[p]] for p in sure if classes[p] == wanted)
            if which:
                found.append(Finding("look", code, (group.reference, group.focal, *which)))
        if not sure:
            found.append(Finding("know", "dif_none", (group.reference, group.focal)))
    return found


def _model(analysis: Analysis, model: ResponseModel) -> list[Finding]:
    found: list[Finding] = []
    misfit = tuple(
        analysis.items.items[j] for place, j in enumerate(model.columns) if model.misfit[place] <= 0.05
    )
    if misfit:
        found.append(Finding("look", "misfit", misfit))
    if model.whole is not None:
        lower, upper = model.whole.rmsea_interval
        numbers = {"rmsea": model.whole.rmsea, "lower": lower, "upper": upper}
        if lower > CLOSE_FIT:
            found.append(Finding("look", "model_far", (), numbers))
        else:
            found.append(Finding("know", "model_close" if upper <= CLOSE_FIT else "model_open", (), numbers))
    if model.dependent:
        items = model.calibration.items.items
        pairs = tuple(f"{items[i]} – {items[j]}" for i, j, _ in model.dependent)
        found.append(Finding("look", "dependent", pairs))
    if model.unlikely:
        found.append(Finding("look", "unlikely", tuple(analysis.answers.persons[i] for i in model.unlikely)))
    return found


def _data(analysis: Analysis) -> list[Finding]:
    answers = analysis.answers
    found = []
    if answers.repeated:
        found.append(Finding("act", "repeated", answers.repeated))
    if answers.left_out_items:
        found.append(Finding("know", "empty_items", answers.left_out_items))
    if answers.left_out_lines:
        found.append(Finding("know", "empty_lines", tuple(str(line) for line in answers.left_out_lines)))
    missing = int(np.isnan(answers.scores).sum())
    if missing:
        share = missing / answers.scores.size
        found.append(Finding("know", "missing", (), {"cells": missing, "percent": 100 * share}))
    return found
