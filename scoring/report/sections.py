"""The report's sections: each a sentence, its charts, and the table behind them."""

from __future__ import annotations

from html import escape

import numpy as np
from numpy.typing import NDArray

from scoring.classical import DistractorTable, conditional_sem
from scoring.intervals import proportion_interval
from scoring.irt import category_probabilities, information
from scoring.report.analysis import Analysis, GroupComparison, Refusal, ResponseModel
from scoring.report.charts import (
    Column,
    Curve,
    curves,
    histogram,
    option_shares,
    rows_of_dots,
    wright_map,
)
from scoring.report.findings import Finding, find, flags
from scoring.report.html import Header, charts, paragraph, section, table
from scoring.report.svg import AMBER, PALE, QUIET, TEAL
from scoring.report.wording import Wording
from scoring.verdicts import CODES

Floats = NDArray[np.float64]

MOST_PAIRS = 15
MOST_BARS = 60


def phrase(finding: Finding, w: Wording, most: int = 12) -> str:
    """A finding as a sentence with its full stop."""
    if finding.code in CODES:
        return w.judgement(finding.code, finding.numbers) + "."
    whole = ("cells", "n")
    numbers = {
        name: w.number(value, 0 if name in whole else 1 if name == "percent" else 3 if "model" in finding.code else 2)
        for name, value in finding.numbers.items()
    }
    if finding.code.startswith("dif"):
        a, b, *names = finding.names
        return w(f"finding.{finding.code}", a=a, b=b, names=w.names(names, most))
    return w(f"finding.{finding.code}", names=w.names(finding.names, most), **numbers)


def why(refusal: Refusal, w: Wording) -> str:
    return w(refusal.code)


def summary(analysis: Analysis, w: Wording) -> str:
    found = find(analysis)
    rows = [
        f'<li class="{one.level}"><span class="level">{escape(w(one.level))}</span> {escape(phrase(one, w))}</li>' for one in found
    ]
    if all(one.level != "act" for one in found):
        rows.insert(0, f"<li>{escape(w('finding.nothing'))}</li>")
    return section("summary", w("summary"), f'<ul class="findings">\n{chr(10).join(rows)}\n</ul>\n')


def scores(analysis: Analysis, w: Wording) -> str:
    total = analysis.items.total
    edges = _score_edges(total.score, total.maximum)
    counts = np.histogram(total.score, edges)[0]
    if np.ptp(total.score) == 0:
        words = w("scores.same", mean=w.points(total.mean), maximum=w.points(total.maximum))
    else:
        q1, q3 = np.quantile(total.score, [0.25, 0.75])
        words = w(
            "scores.text",
            low=w.points(float(total.score.min())),
            high=w.points(float(total.score.max())),
            maximum=w.points(total.maximum),
            q1=w.points(float(q1)),
            q3=w.points(float(q3)),
            mean=w.number(total.mean, 2),
            sd=w.number(total.standard_deviation, 2),
        )
    drawing = histogram(
        words,
        edges,
        counts.astype(float),
        w.number,
        label=w("axis.score"),
        marks=[(total.mean, w("mark.mean", value=w.number(total.mean, 1)))],
    )
    single = np.allclose(np.diff(edges), 1.0) and edges[0] % 1 == 0.5
    rows = []
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        name = w.number(low + 0.5, 0) if single else w.interval(float(low), float(high), 1)
        rows.append([name, w.number(float(count), 0), w.number(100 * count / total.score.size, 1) + "\u00a0%"])
    heads = [Header(w("col.score"), False), Header(w("col.count")), Header(w("col.share"))]
    body = paragraph(words) + charts([drawing], wide=True) + table(w("table_of", what=w("scores")), heads, rows)
    return section("scores", w("scores"), body)


def _score_edges(score: Floats, maximum: float) -> Floats:
    """One bar a point where totals are whole and there is room, else round steps."""
    if (score == np.rint(score)).all() and maximum <= MOST_BARS:
        return np.arange(-0.5, maximum + 1.0)
    step = next(s * 10.0**p for p in range(-2, 7) for s in (1, 2, 5) if maximum / (s * 10.0**p) <= 30)
    return np.arange(0.0, np.ceil(maximum / step + 1e-9) + 1) * step


def items(analysis: Analysis, w: Wording) -> str:
    found, marks = analysis.items, flags(analysis)
    confidence = w.number(100 * found.confidence, 0)
    numbers = found.verdict.numbers
    words = w(
        "items.text", confidence=confidence, decided=w.number(numbers["decided"], 0), items=w.number(numbers["items"], 0)
    )
    panels = [
        Column(w("col.difficulty"), found.difficulty, found.difficulty_interval, 0.0, 1.0),
        Column(w("col.discrimination"), found.item_rest, found.item_rest_interval, -1.0, 1.0, ((0.0, ""),)),
    ]
    bad = [bool(codes) for codes in marks]
    drawing = rows_of_dots(words, found.items, panels, w.number, bad)
    heads = [Header(w("col.item"), False), Header(w("col.n")), Header(w("col.difficulty"))]
    heads += [Header(w("col.interval", confidence=confidence)), Header(w("col.discrimination"))]
    heads += [Header(w("col.interval", confidence=confidence)), Header(w("col.biserial")), Header(w("col.upper_lower"))]
    heads += [Header(w("col.alpha_deleted")), Header(w("col.note"), False)]
    rows = [
        [
            name,
            w.number(float(found.n[j]), 0),
            w.number(found.difficulty[j], 2),
            w.interval(*found.difficulty_interval[j]),
            w.number(found.item_rest[j], 2),
            w.interval(*found.item_rest_interval[j]),
            w.number(found.biserial[j], 2),
            w.number(found.upper_lower[j], 2),
            w.number(found.alpha_if_deleted[j], 3),
            ", ".join(w(f"flag.{code}") for code in marks[j]) or "–",
        ]
        for j, name in enumerate(found.items)
    ]
    body = paragraph(words) + paragraph(w("items.legend"), "note") + charts([drawing], wide=True)
    return section("items", w("items"), body + table(w("table_of", what=w("items")), heads, rows))


def options(analysis: Analysis, w: Wording) -> str:
    tables = [one for one in analysis.distractors if one is not None]
    if not tables:
        return ""
    confidence = w.number(100 * analysis.confidence, 0)
    marks = dict(zip(analysis.items.items, flags(analysis), strict=True))
    ordered = sorted(tables, key=lambda one: (not one.verdicts, not marks[one.item]))
    drawings = [_option_chart(one, w) for one in ordered]
    heads = [Header(w("col.item"), False), Header(w("col.option"), False), Header(w("col.n")), Header(w("col.share"))]
    heads += [Header(w("col.interval", confidence=confidence)), Header(w("col.r"))]
    heads += [Header(w("col.interval", confidence=confidence)), Header(w("col.mean_total"))]
    heads += [Header(w("col.upper")), Header(w("col.lower"))]
    rows = []
    for one in tables:
        for k, option in enumerate(one.options):
            name = w("options.omitted") if option is None else str(option)
            rows.append(
                [
                    one.item,
                    f"{name} ({w('col.key')})" if option == one.key else name,
                    w.number(float(one.n[k]), 0),
                    w.number(one.share[k], 2),
                    w.interval(*one.share_interval[k]),
                    w.number(one.point_biserial_rest[k], 2),
                    w.interval(*one.point_biserial_interval[k]),
                    w.number(one.mean_total[k], 1),
                    w.number(float(one.upper[k]), 0),
                    w.number(float(one.lower[k]), 0),
                ]
            )
    body = paragraph(w("options.text", confidence=confidence)) + charts(drawings, many=True)
    return section("options", w("options"), body + table(w("table_of", what=w("options")), heads, rows))


def _option_chart(one: DistractorTable, w: Wording) -> str:
    names = ["∅" if option is None else str(option) for option in one.options]
    suspected = {verdict.names["option"] for verdict in one.verdicts}
    shares = "; ".join(f"{name} {w.number(100 * share, 0)}\u00a0%" for name, share in zip(names, one.share, strict=True))
    return option_shares(
        f"{one.item}: {shares}",
        one.item,
        names,
        one.options.index(one.key),
        one.share,
        one.share_interval,
        one.point_biserial_rest,
        w.number,
        [k for k, name in enumerate(names) if name in suspected],
    )


def reliability(analysis: Analysis, w: Wording) -> str:
    found = analysis.reliability
    if found is None:
        return section("reliability", w("reliability"), paragraph(why(analysis.refused["reliability"], w)))
    if np.isnan(found.alpha):
        return section("reliability", w("reliability"), paragraph(w.verdict(found.verdict) + "."))
    confidence = w.number(100 * found.confidence, 0)
    target = found.verdict.numbers.get("target", 0.7)
    words = w("coefficients.text", verdict=w.verdict(found.verdict), confidence=confidence, target=w.number(target, 2))
    none = (float("nan"), float("nan"))
    rows = [("alpha", found.alpha, found.alpha_interval), ("omega", found.omega, found.omega_interval)]
    rows += [("kr21", found.kr21, none), ("odd_even", found.split_halves[0].spearman_brown, none)]
    rows += [("lambda2", found.guttman.lambda2, none)]
    shown = [row for row in rows if np.isfinite(row[1])]
    names = [w(f"coefficient.{name}") for name, _, _ in shown]
    values = np.array([value for _, value, _ in shown])
    limits = np.array([limit if np.isfinite(limit).all() else (value, value) for _, value, limit in shown])
    low = min(0.0, float(np.floor(limits.min() * 10) / 10))
    panel = Column(w("col.coefficient"), values, limits, max(low, -1.0), 1.0, ((target, ""),))
    first = rows_of_dots(words, names, [panel], w.number)
    heads = [Header(w("col.coefficient"), False), Header(w("col.value")), Header(w("col.interval", confidence=confidence))]
    body = paragraph(words) + charts([first], wide=True)
    body += table(
        w("table_of", what=w("reliability")),
        heads,
        [
            [w(f"coefficient.{name}"), w.number(value, 3), w.interval(*limit, 3) if np.isfinite(limit).all() else "–"]
            for name, value, limit in shown
        ],
    )
    return section("reliability", w("reliability"), body + _conditional(analysis, w))


def _conditional(analysis: Analysis, w: Wording) -> str:
    """Mean standard error at each score of the persons who met every item."""
    found = conditional_sem(analysis.answers.scores, maximum=analysis.items.maximum)
    whole = ~np.isnan(analysis.answers.scores).any(axis=1) & np.isfinite(found.standard_error)
    score, error = found.score[whole], found.standard_error[whole]
    at, place = np.unique(np.round(score, 6), return_inverse=True)
    if at.size < 3:
        return ""
    mean = np.bincount(place, weights=error) / np.bincount(place)
    count = np.bincount(place)
    words = w("conditional.text", low=w.number(float(mean.min()), 2), high=w.number(float(mean.max()), 2))
    lines = [Curve(at, mean)]
    drawing = curves(words, lines, w.number, label=w("axis.score"), heading=w("axis.error"))
    rows = [
        [w.points(float(a)), w.number(float(m), 2), w.number(float(c), 0)] for a, m, c in zip(at, mean, count, strict=True)
    ]
    heads = [Header(w("col.score"), False), Header(w("col.error")), Header(w("col.count"))]
    return paragraph(words) + charts([drawing], wide=True) + table(w("table_of", what=w("axis.error")), heads, rows)


def model(analysis: Analysis, w: Wording) -> str:
    found = analysis.model
    if found is None:
        return section("model", w("model"), paragraph(why(analysis.refused["model"], w)))
    words = w(
        "model.text",
        models=", ".join(dict.fromkeys(found.models)),
        n=w.number(len(analysis.answers.persons), 0),
        iterations=w.number(found.calibration.iterations, 0),
        reliability=w.number(found.reliability, 2),
    )
    parts = [_curves(analysis, found, w), _information(found, w), _wright(analysis, found, w), _parameters(found, w)]
    return section("model", w("model"), paragraph(words) + "".join(parts))


def _curves(analysis: Analysis, found: ResponseModel, w: Wording) -> str:
    mean, sd = float(found.calibration.group_mean[0]), float(np.sqrt(found.calibration.group_variance[0]))
    theta = mean + sd * np.linspace(-3.0, 3.0, 61)
    probabilities = category_probabilities(found.calibration.items, theta)
    groups = _ability_groups(found.ability.theta)
    drawings = []
    for place, name in enumerate(found.calibration.items.items):
        p, bad = probabilities[place], bool(found.misfit[place] <= 0.05)
        x = analysis.answers.scores[:, found.columns[place]]
        if p.shape[1] == 2:
            lines = [Curve(theta, p[:, 1])]
            dots = _observed(x, found.ability.theta, groups)
        else:
            hues = (QUIET, TEAL, AMBER, PALE)
            lines = [Curve(theta, p[:, c], w.number(c, 0), hues[c % 4]) for c in range(p.shape[1])]
            dots = None
        b = found.calibration.items.difficulty[place]
        title = f"{name}: b = {w.number(b, 2)}, a = {w.number(found.calibration.items.slope[place], 2)}"
        drawings.append(
            curves(title, lines, w.number, label="", heading=name, top=1.0, dots=dots, width=168, height=96, bad=bad)
        )
    return f"<h3>{escape(w('curves'))}</h3>\n" + paragraph(w("curves.text")) + charts(drawings, many=True)


def _ability_groups(theta: Floats) -> list[NDArray[np.intp]]:
    """Persons in 4 to 8 groups of similar size by ability."""
    parts = min(8, max(4, theta.size // 50))
    return [part for part in np.array_split(np.argsort(theta, kind="stable"), parts) if part.size]


def _observed(x: Floats, theta: Floats, groups: list[NDArray[np.intp]]) -> tuple[Floats, Floats, Floats] | None:
    met = [part[~np.isnan(x[part])] for part in groups]
    met = [part for part in met if part.size >= 3]
    if not met:
        return None
    n = np.array([part.size for part in met])
    right = np.array([x[part].sum() for part in met])
    at = np.array([theta[part].mean() for part in met])
    return at, right / n, proportion_interval(right, n)


def _information(found: ResponseModel, w: Wording) -> str:
    mean, sd = float(found.calibration.group_mean[0]), float(np.sqrt(found.calibration.group_variance[0]))
    theta = mean + sd * np.linspace(-3.5, 3.5, 141)
    known = information(found.calibration.items, theta)
    best = int(np.argmax(known.test))
    double = 2.0 * known.standard_error[best]
    here = information(found.calibration.items, np.clip(found.ability.theta, theta[0], theta[-1])).standard_error
    words = w(
        "information.text",
        best=w.number(theta[best], 1),
        error=w.number(known.standard_error[best], 2),
        double=w.number(double, 2),
        share=w.number(100 * float((here < double).mean()), 0),
    )
    shown = known.standard_error <= 4 * known.standard_error[best]
    drawings = [
        curves(words, [Curve(theta, known.test)], w.number, label=w("axis.theta"), heading=w("axis.information")),
        curves(
            words, [Curve(theta[shown], known.standard_error[shown])], w.number, label=w("axis.theta"), heading=w("axis.error")
        ),
    ]
    some = range(0, 141, 10)
    rows = [[w.number(theta[q], 2), w.number(known.test[q], 2), w.number(known.standard_error[q], 2)] for q in some]
    heads = [Header(w("col.theta"), False), Header(w("col.information")), Header(w("col.error"))]
    body = paragraph(words) + charts(drawings) + table(w("table_of", what=w("information")), heads, rows)
    return f"<h3>{escape(w('information'))}</h3>\n" + body


def _wright(analysis: Analysis, found: ResponseModel, w: Wording) -> str:
    theta, b = found.ability.theta, found.calibration.items.difficulty
    words = w(
        "wright.text",
        above=w.number(100 * float((theta > b.max()).mean()), 0),
        below=w.number(100 * float((theta < b.min()).mean()), 0),
    )
    marks = flags(analysis)
    drawing = wright_map(
        words,
        theta,
        b,
        found.calibration.items.items,
        w.number,
        persons=w("fact.persons"),
        items=w("fact.items"),
        alert=[bool(marks[j]) for j in found.columns],
    )
    return f"<h3>{escape(w('wright'))}</h3>\n" + paragraph(words) + charts([drawing], wide=True)


def _parameters(found: ResponseModel, w: Wording) -> str:
    known, fit, errors = found.calibration.items, found.fit, found.calibration.standard_errors
    heads = [Header(w("col.item"), False), Header(w("col.model"), False), Header(w("col.slope")), Header(w("col.error"))]
    heads += [Header(w("col.b")), Header(w("col.error")), Header(w("col.c")), Header(w("col.infit"))]
    heads += [Header(w("col.outfit")), Header(w("col.sx2")), Header(w("col.df")), Header(w("col.p_adjusted"))]
    rows = []
    for j, name in enumerate(known.items):
        slope_error = float("nan") if errors is None else float(errors.slope[j])
        steps = np.full(known.thresholds[j].size, np.nan) if errors is None else errors.thresholds[j]
        rows.append(
            [
                name,
                known.model[j],
                w.number(known.slope[j], 2),
                w.number(slope_error, 2) if slope_error > 0 else "–",
                "; ".join(w.number(float(t), 2) for t in known.thresholds[j]),
                "; ".join(w.number(float(t), 2) for t in steps),
                w.number(known.lower_asymptote[j], 2) if known.model[j] == "3PL" else "–",
                w.number(fit.infit[j], 2),
                w.number(fit.outfit[j], 2),
                w.number(fit.s_x2[j], 1),
                w.number(float(fit.df[j]), 0),
                "–" if np.isnan(found.misfit[j]) else w.probability(float(found.misfit[j])),
            ]
        )
    return f"<h3>{escape(w('fit'))}</h3>\n" + table(w("table_of", what=w("fit")), heads, rows)


def persons(analysis: Analysis, w: Wording) -> str:
    found = analysis.model
    if found is None or found.persons.lz_star is None or not np.isfinite(found.persons.lz_star).any():
        return ""
    star = found.persons.lz_star
    known = star[np.isfinite(star)]
    limit = float(star[list(found.unlikely)].max()) if found.unlikely else None
    edges = np.arange(np.floor(min(-3.0, known.min())), np.ceil(max(2.0, known.max())) + 0.25, 0.25)
    listed = [analysis.answers.persons[i] for i in found.unlikely]
    words = w("persons.text", names=w.names(listed) if listed else w("none"))
    marks = [] if limit is None else [(limit, w("mark.limit", value=w.number(limit, 2)))]
    cut = None if limit is None else float(edges[np.searchsorted(edges, limit)])
    drawing = histogram(
        words, edges, np.histogram(known, edges)[0].astype(float), w.number, label=w("axis.lz"), marks=marks, alert_below=cut
    )
    order = np.argsort(np.where(np.isfinite(star), star, np.inf), kind="stable")[: max(20, len(found.unlikely))]
    order = order[np.isfinite(star[order])]
    rows = [
        [
            analysis.answers.persons[i],
            w.points(float(analysis.items.total.score[i])),
            w.number(found.ability.theta[i], 2),
            w.number(star[i], 2),
            w.number(found.persons.outfit[i], 2),
        ]
        for i in order
    ]
    heads = [Header(w("col.person"), False), Header(w("col.score")), Header(w("col.theta")), Header(w("col.lz"))]
    heads += [Header(w("col.outfit"))]
    body = paragraph(words) + charts([drawing], wide=True) + table(w("table_of", what=w("persons")), heads, rows)
    return section("persons", w("persons"), body)


def pairs(analysis: Analysis, w: Wording) -> str:
    found = analysis.model
    if found is None or found.dependence is None:
        return ""
    above = found.dependence.q3 - found.dependence.mean_q3
    left, right = np.triu_indices(above.shape[0], 1)
    values = above[left, right]
    order = np.argsort(-np.nan_to_num(values, nan=-9.0), kind="stable")[:MOST_PAIRS]
    order = order[np.isfinite(values[order])]
    if order.size == 0:
        return ""
    names = [f"{found.dependence.items[left[k]]} – {found.dependence.items[right[k]]}" for k in order]
    words = w("pairs.text", n=w.number(len(found.dependent), 0))
    top = max(0.4, float(np.ceil(values[order].max() * 10) / 10))
    panel = Column(w("col.q3"), values[order], None, -0.1, top, ((0.0, ""), (0.2, w.number(0.2, 1))))
    drawing = rows_of_dots(words, names, [panel], w.number, [bool(values[k] > 0.2) for k in order])
    rows = [[name, w.number(float(values[k]), 3)] for name, k in zip(names, order, strict=True)]
    heads = [Header(w("col.pair"), False), Header(w("col.q3"))]
    body = paragraph(words) + charts([drawing], wide=True) + table(w("table_of", what=w("pairs")), heads, rows)
    return section("pairs", w("pairs"), body)


def groups(analysis: Analysis, w: Wording) -> str:
    return "".join(_group(analysis, group, place, w) for place, group in enumerate(analysis.groups))


def _group(analysis: Analysis, group: GroupComparison, place: int, w: Wording) -> str:
    heading = w("groups", focal=group.focal, reference=group.reference)
    sizes = {"n_focal": w.number(group.n_focal, 0), "n_reference": w.number(group.n_reference, 0)}
    found, regression = group.mantel_haenszel, group.logistic
    if found is None or regression is None:
        assert group.refused is not None
        return section(f"groups-{place}", heading, paragraph(w("groups.refused", why=why(group.refused, w), **sizes)))
    words = w("groups.text", focal=group.focal, reference=group.reference, **sizes)
    names = [analysis.items.items[j] for j in group.columns]
    reach = max(3.0, float(np.ceil(np.nanmax(np.abs(np.concatenate([found.low, found.high]))))) if found.estimable.any() else 3.0)
    reach = min(reach, 6.0)
    limits = np.column_stack([found.low, found.high])
    panel = Column(
        w("col.delta"), found.delta, limits, -reach, reach, ((-1.5, "−" + w.number(1.5, 1)), (0.0, ""), (1.5, w.number(1.5, 1)))
    )
    bad = [kind != "A" and p <= 0.05 for kind, p in zip(found.ets_class, group.adjusted, strict=True)]
    drawing = rows_of_dots(words, names, [panel], w.number, bad)
    heads = [Header(w("col.item"), False), Header(w("col.delta")), Header(w("col.interval", confidence="95"))]
    heads += [Header(w("col.class"), False), Header(w("col.p")), Header(w("col.p_adjusted")), Header(w("col.logistic"))]
    heads += [Header(w("col.r2"))]
    rows = [
        [
            name,
            w.number(found.delta[k], 2),
            w.interval(found.low[k], found.high[k]) if found.estimable[k] else "–",
            found.ets_class[k],
            w.probability(float(found.p[k])),
            w.probability(float(group.adjusted[k])),
            w.probability(float(regression.p[k])),
            w.number(regression.r2_change[k], 3),
        ]
        for k, name in enumerate(names)
    ]
    body = paragraph(words) + charts([drawing], wide=True) + table(w("table_of", what=heading), heads, rows)
    return section(f"groups-{place}", heading, body)


def limits(analysis: Analysis, w: Wording) -> str:
    """What was not computed and what no computation can tell from these data."""
    n = len(analysis.answers.persons)
    said = [w("limits.sample", n=w.number(n, 0))]
    for code, key in (("item.undecided", "limits.undecided"), ("item.too_few", "limits.too_few")):
        which = [name for name, found in zip(analysis.items.items, analysis.items.verdicts, strict=True) if found[0].code == code]
        if which:
            said.append(w(key, n=w.number(len(which), 0), names=w.names(which)))
    if analysis.items.verdict.code == "paper.says_nothing":
        said.append(w.verdict(analysis.items.verdict) + ".")
    found = analysis.reliability
    if found is not None:
        if found.verdict.code in ("reliability.says_nothing", "reliability.undecided"):
            said.append(w.verdict(found.verdict) + ".")
        if found.left_out:
            said.append(w("limits.incomplete", n=w.number(found.n, 0), left_out=w.number(found.left_out, 0)))
        if np.isnan(found.omega) and "omega" in found.reasons:
            said.append(w("limits.part", part=w("coefficient.omega"), why=w.verdict(found.reasons["omega"]) + "."))
    for part, refusal in analysis.refused.items():
        said.append(w("limits.part", part=w(f"part.{part}"), why=why(refusal, w)))
    if analysis.model is not None:
        said += _model_limits(analysis.model, w)
    rows = "\n".join(f"<li>{escape(words)}</li>" for words in said)
    return section("limits", w("limits"), f"<ul>\n{rows}\n</ul>\n")


def _model_limits(found: ResponseModel, w: Wording) -> list[str]:
    said = []
    if found.left_out:
        said.append(w("limits.model_left_out", names=w.names(found.left_out)))
    known, errors = found.calibration.items, found.calibration.standard_errors
    merged = [name for name, codes in zip(known.items, known.recoding, strict=True) if codes != tuple(range(len(codes)))]
    if merged:
        said.append(w("limits.merged", names=w.names(merged)))
    if errors is not None:
        lost = [name for name, steps in zip(known.items, errors.thresholds, strict=True) if np.isnan(steps).any()]
        if lost:
            said.append(w("limits.no_error", names=w.names(lost)))
    return said


def method(analysis: Analysis, w: Wording) -> str:
    said = [w("method.classical")]
    if analysis.model is not None:
        said.append(w("method.model"))
    if analysis.groups:
        said.append(w("method.groups"))
    return section("method", w("method"), "".join(paragraph(words) for words in said))
