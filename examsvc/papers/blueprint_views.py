"""The blueprint editor: lines of topic, levels and kinds, checked against the regulation and against the bank's stock."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examsvc.base import access, language, pages, web
from examsvc.base.errors import N_, Refused
from examsvc.base.forms import Form
from examsvc.competitions.terms import read_exact
from examsvc.papers import assembly, expectation, operations, queries, rules, statistics
from examsvc.papers.blueprint import READERS, SETTERS, bp, competition, me
from examsvc.papers.forms import KINDS, LEVELS
from question_banks.model import LEVELS as ALL_LEVELS

EMPTY_ROWS = 2
AIMS = {
    "lot": N_("draw by lot among all papers that meet the blueprint"),
    "most": N_("measure as exactly as the bank allows at these abilities"),
    "target": N_("come close to this information at these abilities, so that papers for several sittings are parallel"),
}


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
    demands = _typed(queries.demands(chosen)) if chosen is not None else {}
    return _page(slug, part, bank, rows, demands, Form(formdata=None), trial="check" in request.args)


@bp.post("/parts/<part>/blueprint")
@access.roles(*SETTERS)
def save_blueprint(slug: str, part: str) -> str | Response:
    """Saved as a new version; with “more lines” only shown again."""
    form = Form()
    bank, rows = request.form.get("bank", ""), _rows()
    typed = {name: request.form.get(name, "").strip() for name in DEMANDS}
    if not form.validate_on_submit():
        return _page(slug, part, bank, rows, typed, form)
    try:
        demands = _demands(typed)
        if "more" in request.form:
            return _page(slug, part, bank, rows, typed, form, extra=5, trial=True)
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
                demands=demands,
            )
            version = made.version
    except Refused as refusal:
        form.refuse(refusal)
        return _page(slug, part, bank, rows, typed, form)
    web.say(N_("The blueprint is saved as version %(number)d."), number=version)
    return redirect(url_for("papers.blueprint", slug=slug, part=part, check=1))


DEMANDS = ("least_words", "most_words", "minutes", "uses", "reviewed", "aim", "points", "target")


def _demands(typed: dict[str, str]) -> rules.Demands:
    """The demands on the whole form as typed; Refused naming the field."""
    stored: dict[str, object] = {"aim": typed["aim"] or "lot", "reviewed": bool(typed["reviewed"])}
    for name, label in (("least_words", N_("Words, at least")), ("most_words", N_("Words, at most")), ("uses", N_("Earlier uses, at most"))):
        text = typed[name]
        if text:
            if not (text.isascii() and text.isdigit() and len(text) < 7):
                raise Refused(N_("%(label)s: write a whole number."), label=label)
            stored[name] = int(text)
    if typed["minutes"]:
        (stored["minutes"],) = _numbers(typed["minutes"], 1, N_("Expected minutes, at most"))
    if stored["aim"] != "lot":
        stored["points"] = _numbers(typed["points"], rules.MOST_POINTS, N_("Abilities"))
    if stored["aim"] == "target":
        stored["target"] = _numbers(typed["target"], rules.MOST_POINTS, N_("Targets"))
    return rules.Demands.read(stored)


def _numbers(text: str, most: int, label: str) -> list[str]:
    words = text.replace(";", " ").split()
    try:
        found = [str(read_exact(word.replace(",", "."))) for word in words]
    except ValueError:
        found = []
    if not 1 <= len(found) <= most:
        raise Refused(N_("%(label)s: write numbers, such as -1 0 1,5."), label=label)
    return found


def _typed(demands: rules.Demands) -> dict[str, str]:
    """Stored demands as their fields show them."""
    tongue = pages.current_language()

    def written(numbers: Sequence[Fraction]) -> str:
        return " ".join(language.number(one, tongue) for one in numbers)

    low, high = demands.words
    return {
        "least_words": "" if low is None else str(low),
        "most_words": "" if high is None else str(high),
        "minutes": "" if demands.minutes is None else written([demands.minutes]),
        "uses": "" if demands.uses is None else str(demands.uses),
        "reviewed": "1" if demands.reviewed else "",
        "aim": demands.aim,
        "points": written(demands.points),
        "target": written(demands.target),
    }


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
    slug: str,
    part: str,
    bank: str,
    rows: Sequence[dict[str, Any]],
    typed: dict[str, str],
    form: Form,
    extra: int = EMPTY_ROWS,
    trial: bool = False,
) -> str:
    of = competition(slug)
    clause = queries.seated_part(of, part)
    every = queries.banks(web.session())
    chosen = next((one for one in every if one.name == bank), every[0] if every else None)
    stock = queries.stock(web.session(), chosen.id, clause) if chosen is not None else []
    candidates = statistics.candidates(web.session(), stock)
    demands = None
    with suppress(Refused):  # said beside the form already
        demands = _demands({name: typed.get(name, "") for name in DEMANDS})
    cells = _readable(rows)
    open_to = [one for one in candidates if demands is None or demands.admits(one)]
    fitting = [sum(1 for one in open_to if cell.takes(one)) if cell else None for cell in cells]
    good = [cell for cell in cells if cell is not None]
    findings = rules.check_blueprint(good, clause, candidates, demands) if good else []
    tried, why_not = None, ""
    if trial and good and demands is not None:
        try:
            drawn = assembly.choose(candidates, good, "trial", demands=demands)
            tried = expectation.expect([(one.item, one.marks) for one in drawn])
        except Refused as refusal:
            why_not = web.explain(refusal)
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
        findings=findings,
        demands=typed,
        aims=AIMS,
        tried=tried,
        why_not=why_not,
        parameters=sum(1 for one in candidates if one.curve is not None),
        stock=len(candidates),
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
