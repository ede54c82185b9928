"""The blueprint editor: lines of topic, levels and kinds, checked against the regulation and against the bank's stock."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examsvc.base import access, web
from examsvc.base.errors import N_, Refused
from examsvc.base.forms import Form
from examsvc.competitions.terms import read_exact
from examsvc.papers import operations, queries, rules
from examsvc.papers.blueprint import READERS, SETTERS, bp, competition, me
from examsvc.papers.forms import KINDS, LEVELS
from question_banks.model import LEVELS as ALL_LEVELS

EMPTY_ROWS = 2


@bp.get("/parts/<part>/blueprint")
@access.roles(*READERS)
def blueprint(slug: str, part: str) -> str:
    """The newest blueprint, or an older version where asked for."""
    of = competition(slug)
    versions = queries.blueprints(web.session(), of.id, part)
    asked = request.args.get("version", type=int)
    chosen = next((one for one in versions if one.version == asked), versions[0] if versions else None)
    rows: list[dict[str, Any]] = [dict(cell) for cell in chosen.cells] if chosen is not None else []
    bank = request.args.get("bank") or (chosen.bank.name if chosen is not None else "")
    return _page(slug, part, bank, rows, Form(formdata=None))


@bp.post("/parts/<part>/blueprint")
@access.roles(*SETTERS)
def save_blueprint(slug: str, part: str) -> str | Response:
    """Saved as a new version; with “more lines” only shown again."""
    form = Form()
    bank, rows = request.form.get("bank", ""), _rows()
    if not form.validate_on_submit():
        return _page(slug, part, bank, rows, form)
    if "more" in request.form:
        return _page(slug, part, bank, rows, form, extra=5)
    try:
        cells = [_checked(place, row) for place, row in enumerate(rows, start=1)]
        with web.writing() as session:
            made = operations.set_blueprint(
                session,
                competition(slug),
                part=part,
                cells=cells,
                bank=queries.bank(session, bank),
                by=me(),
                now=web.now(),
            )
            version = made.version
    except Refused as refusal:
        form.refuse(refusal)
        return _page(slug, part, bank, rows, form)
    web.say(N_("The blueprint is saved as version %(number)d."), number=version)
    return redirect(url_for("papers.blueprint", slug=slug, part=part))


def _rows() -> list[dict[str, Any]]:
    """The filled lines as typed; a line without count and marks is empty."""
    found = []
    for place in range(min(request.form.get("rows", 0, type=int), operations.MOST_LINES + 10)):
        count, marks = (request.form.get(f"{name}-{place}", "").strip() for name in ("count", "marks"))
        if not count and not marks:
            continue
        row: dict[str, Any] = {"count": count, "marks": marks}
        topic = request.form.get(f"topic-{place}", "")
        for name, values in (
            ("topics", [topic] if topic else []),
            ("levels", request.form.getlist(f"levels-{place}")),
            ("kinds", request.form.getlist(f"kinds-{place}")),
        ):
            if values:
                row[name] = values
        found.append(row)
    return found


def _checked(place: int, row: dict[str, Any]) -> dict[str, Any]:
    """A typed line with its numbers read; Refused naming the line."""
    if not (row["count"].isascii() and row["count"].isdigit() and len(row["count"]) < 5):
        raise Refused(N_("Line %(line)d: the number of questions is a whole number."), line=place)
    try:
        marks = read_exact(row["marks"].replace(",", "."))
    except ValueError:
        marks = Fraction(0)
    if marks <= 0 or marks.denominator not in (1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 100):
        raise Refused(N_("Line %(line)d: write the marks of one question as a number, such as 2 or 0,5."), line=place)
    known = {**row, "count": int(row["count"]), "marks": row["marks"].replace(",", ".")}
    known["levels"] = [level for level in row.get("levels", ()) if level in ALL_LEVELS]
    known["kinds"] = [kind for kind in row.get("kinds", ()) if kind in KINDS]
    return known


def _page(
    slug: str, part: str, bank: str, rows: Sequence[dict[str, Any]], form: Form, extra: int = EMPTY_ROWS
) -> str:
    of = competition(slug)
    clause = queries.seated_part(of, part)
    every = queries.banks(web.session())
    chosen = next((one for one in every if one.name == bank), every[0] if every else None)
    stock = queries.stock(web.session(), chosen.id, clause) if chosen is not None else []
    candidates = [queries.candidate(one) for one in stock]
    cells = _readable(rows)
    fitting = [sum(1 for one in candidates if cell.takes(one)) if cell else None for cell in cells]
    good = [cell for cell in cells if cell is not None]
    return render_template(
        "papers/blueprint.html",
        competition=of,
        part=clause,
        asked=rules.span(clause.items if clause.kind == "objective" else clause.tasks),
        form=form,
        banks=every,
        bank=chosen,
        rows=[*rows, *({} for _ in range(extra if rows else max(extra, 4)))],
        fitting=fitting,
        topics=queries.topic_counts(stock),
        kinds={kind: KINDS[kind] for kind in sorted({one.kind for one in stock}) if kind in KINDS},
        levels=LEVELS,
        findings=rules.check_blueprint(good, clause, candidates) if good else [],
        totals=(rules.total_items(good), rules.total_marks(good)),
        versions=queries.blueprints(web.session(), of.id, part),
        setter=any(access.actor().holds(role, slug) for role in SETTERS),
    )


def _readable(rows: Sequence[dict[str, Any]]) -> list[rules.Cell | None]:
    found: list[rules.Cell | None] = []
    for place, row in enumerate(rows, start=1):
        try:
            found.append(rules.Cell.read(_checked(place, {**row, "count": str(row["count"]), "marks": str(row["marks"])})))
        except Refused:
            found.append(None)
    return found
