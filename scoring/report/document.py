"""The report as one HTML file without scripts, addresses or anything to fetch."""

from __future__ import annotations

from datetime import date
from html import escape

from scoring.report import sections
from scoring.report.analysis import Analysis
from scoring.report.findings import find
from scoring.report.html import page
from scoring.report.wording import Wording


def render(analysis: Analysis, language: str = "vi", *, made: date | None = None) -> str:
    """The page in `language` (vi, en). `made`: the day to print; without it the page depends on the file alone.

    Raises ValueError for another language.
    """
    w = Wording(language)
    parts = [
        sections.summary(analysis, w),
        sections.scores(analysis, w),
        sections.items(analysis, w),
        sections.options(analysis, w),
        sections.reliability(analysis, w),
        sections.model(analysis, w),
        sections.persons(analysis, w),
        sections.pairs(analysis, w),
        sections.groups(analysis, w),
        sections.limits(analysis, w),
        sections.method(analysis, w),
    ]
    title = w("title")
    name = analysis.answers.name
    head = f"<h1>{escape(title)}</h1>\n" + (f"<p>{escape(w('of_file', name=name))}</p>\n" if name else "")
    return page(language, f"{title} – {name}" if name else title, head, _facts(analysis, w, made) + _contents(parts, w) + "".join(parts))


def sentences(analysis: Analysis, language: str = "vi") -> list[str]:
    """The summary for a terminal: a line for each finding, its level first."""
    w = Wording(language)
    return [f"{w(one.level)}: {sections.phrase(one, w)}" for one in find(analysis)]


def _facts(analysis: Analysis, w: Wording, made: date | None) -> str:
    answers, model = analysis.answers, analysis.model
    facts = [
        ("persons", w.number(len(answers.persons), 0)),
        ("items", w.number(len(answers.items), 0)),
        ("maximum", w.points(analysis.items.total.maximum)),
        ("id", answers.id_column or w("none")),
        ("group", answers.group_column or w("none")),
        ("model", w("none") if model is None else ", ".join(dict.fromkeys(model.models))),
    ]
    if made is not None:
        facts.append(("made", f"{made:%d/%m/%Y}" if w.language == "vi" else made.isoformat()))
    rows = [_fact(w(f"fact.{name}"), value) for name, value in facts]
    rows.append(_fact(w("fact.digest"), answers.digest, ' class="long"'))
    return f"<dl>{''.join(rows)}</dl>\n"


def _fact(name: str, value: str, kind: str = "") -> str:
    return f"<div{kind}><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"


def _contents(parts: list[str], w: Wording) -> str:
    """Links to the sections that are there."""
    rows = []
    for part in parts:
        if part:
            name, heading = part.split('<h2 id="', 1)[1].split("</h2>", 1)[0].split('">', 1)
            rows.append(f'<li><a href="#{name}">{heading}</a></li>')
    return f'<nav aria-label="{escape(w("contents"))}"><ul>{"".join(rows)}</ul></nav>\n'
