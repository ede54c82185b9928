"""The analysis for machines: plain mappings, lists, numbers and texts; None where there is no number."""

from __future__ import annotations

from typing import Any

import numpy as np

from scoring.report.analysis import Analysis, GroupComparison, ResponseModel
from scoring.report.findings import find, flags
from scoring.verdicts import Verdict

SCHEMA = "examsvc analysis 1"


def as_mapping(analysis: Analysis) -> dict[str, Any]:
    """Everything in the report, unrounded, ready for `json.dumps`. `schema` changes when a name does."""
    answers, total = analysis.answers, analysis.items.total
    return {
        "schema": SCHEMA,
        "file": {
            "name": answers.name,
            "sha256": answers.digest,
            "delimiter": answers.delimiter,
            "header": answers.header,
            "id_column": answers.id_column,
            "group_column": answers.group_column,
            "left_out_items": list(answers.left_out_items),
            "left_out_lines": list(answers.left_out_lines),
            "repeated": list(answers.repeated),
        },
        "persons": len(answers.persons),
        "not_administered": int(np.isnan(answers.scores).sum()),
        "confidence": analysis.confidence,
        "findings": [
            {"level": one.level, "code": one.code, "names": list(one.names), "numbers": _plain(dict(one.numbers))}
            for one in find(analysis)
        ],
        "scores": _plain(
            {
                "maximum": total.maximum,
                "mean": total.mean,
                "standard_deviation": total.standard_deviation,
                "skewness": total.skewness,
                "kurtosis": total.kurtosis,
                "persons": [
                    {"person": person, "score": score} for person, score in zip(answers.persons, total.score, strict=True)
                ],
            }
        ),
        "items": _items(analysis),
        "reliability": _reliability(analysis),
        "model": None if analysis.model is None else _model(analysis, analysis.model),
        "groups": [_group(analysis, group) for group in analysis.groups],
        "refused": {part: {"code": why.code, "message": why.message} for part, why in analysis.refused.items()},
    }


def _items(analysis: Analysis) -> list[dict[str, Any]]:
    found, marks = analysis.items, flags(analysis)
    out = []
    for j, name in enumerate(found.items):
        row: dict[str, Any] = {
            "item": name,
            "n": found.n[j],
            "maximum": found.maximum[j],
            "mean": found.mean[j],
            "standard_deviation": found.standard_deviation[j],
            "difficulty": found.difficulty[j],
            "difficulty_interval": found.difficulty_interval[j],
            "difficulty_shrunken": found.difficulty_shrunken[j],
            "item_rest": found.item_rest[j],
            "item_rest_interval": found.item_rest_interval[j],
            "item_rest_shrunken": found.item_rest_shrunken[j],
            "biserial": found.biserial[j],
            "biserial_interval": found.biserial_interval[j],
            "upper_lower": found.upper_lower[j],
            "alpha_if_deleted": found.alpha_if_deleted[j],
            "flags": list(marks[j]),
            "verdicts": [_verdict(one) for one in found.verdicts[j]],
        }
        table = analysis.distractors[j]
        if table is not None:
            row["key"] = table.key
            row["verdicts"] += [_verdict(one) for one in table.verdicts]
            row["options"] = [
                {
                    "option": option,
                    "n": table.n[k],
                    "share": table.share[k],
                    "share_interval": table.share_interval[k],
                    "mean_total": table.mean_total[k],
                    "point_biserial_rest": table.point_biserial_rest[k],
                    "point_biserial_interval": table.point_biserial_interval[k],
                    "upper": table.upper[k],
                    "lower": table.lower[k],
                }
                for k, option in enumerate(table.options)
            ]
        out.append(row)
    return [_plain(row) for row in out]


def _reliability(analysis: Analysis) -> dict[str, Any] | None:
    found = analysis.reliability
    if found is None:
        return None
    names = (
        "n left_out mean standard_deviation alpha alpha_interval alpha_standard_error alpha_standardised average_correlation "
        "kr20 kr21 omega omega_interval sem sem_interval"
    )
    row: dict[str, Any] = {name: getattr(found, name) for name in names.split()}
    row["guttman"] = {f"lambda{k}": getattr(found.guttman, f"lambda{k}") for k in range(1, 7)}
    row["split_halves"] = {half.name: half.spearman_brown for half in found.split_halves}
    row["verdict"] = _verdict(found.verdict)
    row["reasons"] = {name: _verdict(reason) for name, reason in found.reasons.items()}
    row["conditional"] = [
        {"score": score, "standard_error": error}
        for score, error in sorted(set(zip(found.conditional.score.tolist(), found.conditional.standard_error.tolist(), strict=True)))
    ]
    return dict(_plain(row))


def _model(analysis: Analysis, found: ResponseModel) -> dict[str, Any]:
    calibration, fit, errors = found.calibration, found.fit, found.calibration.standard_errors
    known = calibration.items
    row = {
        "log_likelihood": calibration.log_likelihood,
        "parameters": calibration.n_parameters,
        "aic": calibration.aic,
        "bic": calibration.bic,
        "iterations": calibration.iterations,
        "converged": calibration.converged,
        "gradient_norm": calibration.gradient_norm,
        "group_mean": calibration.group_mean[0],
        "group_variance": calibration.group_variance[0],
        "marginal_reliability": found.reliability,
        "left_out": list(found.left_out),
        "remarks": list(calibration.remarks),
        "items": [
            {
                "item": name,
                "model": known.model[j],
                "slope": known.slope[j],
                "slope_error": None if errors is None else errors.slope[j],
                "thresholds": known.thresholds[j],
                "threshold_errors": None if errors is None else errors.thresholds[j],
                "lower_asymptote": known.lower_asymptote[j],
                "recoding": list(known.recoding[j]),
                "infit": fit.infit[j],
                "outfit": fit.outfit[j],
                "s_x2": fit.s_x2[j],
                "df": fit.df[j],
                "p": fit.p_value[j],
                "p_holm": found.misfit[j],
            }
            for j, name in enumerate(known.items)
        ],
        "fit": None
        if found.whole is None
        else {name: getattr(found.whole, name) for name in ("m2", "df", "p_value", "rmsea", "rmsea_interval", "srmsr", "tli", "cfi")},
        "persons": [
            {
                "person": person,
                "theta": found.ability.theta[i],
                "standard_error": found.ability.standard_error[i],
                "lz_star": None if found.persons.lz_star is None else found.persons.lz_star[i],
                "outfit": found.persons.outfit[i],
                "unlikely": i in found.unlikely,
            }
            for i, person in enumerate(analysis.answers.persons)
        ],
        "dependent_pairs": [
            {"items": [known.items[i], known.items[j]], "q3_above_mean": value} for i, j, value in found.dependent
        ],
    }
    return dict(_plain(row))


def _group(analysis: Analysis, group: GroupComparison) -> dict[str, Any]:
    row: dict[str, Any] = {
        "reference": group.reference,
        "focal": group.focal,
        "n_reference": group.n_reference,
        "n_focal": group.n_focal,
        "refused": None if group.refused is None else {"code": group.refused.code, "message": group.refused.message},
    }
    found, regression = group.mantel_haenszel, group.logistic
    if found is not None and regression is not None:
        row["items"] = [
            {
                "item": analysis.items.items[j],
                "delta": found.delta[k],
                "delta_interval": [found.low[k], found.high[k]],
                "ets_class": found.ets_class[k],
                "p": found.p[k],
                "p_holm": group.adjusted[k],
                "logistic_p": regression.p[k],
                "r2_change": regression.r2_change[k],
            }
            for k, j in enumerate(group.columns)
        ]
    return dict(_plain(row))


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"code": verdict.code, "numbers": dict(verdict.numbers), "names": dict(verdict.names)}


def _plain(value: Any) -> Any:
    """Numbers of numpy as Python's; NaN and infinities as None, which JSON has."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value
