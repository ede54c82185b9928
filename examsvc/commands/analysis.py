"""Psychometrics of files: a report on any answers, forms from any pool. No database, no settings, no web."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from scoring.assembly import (
    Assembly,
    Blueprint,
    Lot,
    assemble,
    read_blueprint,
    read_pool,
    write_forms,
)
from scoring.errors import ScoringError
from scoring.report import (
    LANGUAGES,
    MODELS,
    NOT_ADMINISTERED,
    analyse,
    as_mapping,
    read_answers,
    render,
    sentences,
)

PATIENCE = 2.0
"""Seconds of work after which a terminal is shown that something happens."""

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "analyse",
    epilog="Example: examsvc analyse answers.csv --key key.csv --group province -o report.html --language en",
)
@click.argument("responses", type=FILE)
@click.option("--key", type=FILE, help="CSV with the columns item and key: these items hold options, others scores.")
@click.option("--model", type=click.Choice(MODELS, case_sensitive=False), default="auto", show_default=True)
@click.option("-o", "--output", type=NEW_FILE, help="Write the report here (HTML, one file).")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--language", type=click.Choice(LANGUAGES), default="vi", show_default=True)
@click.option("--id", "id_column", metavar="COLUMN", help="Column of the candidates' numbers, if not found by itself.")
@click.option("--group", "group_column", metavar="COLUMN", help="Column of groups to compare.")
@click.option("--reference", metavar="GROUP", help="The group others are compared with; by default the largest.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="A column that is no item; may be repeated.")
@click.option("--missing", multiple=True, metavar="CODE", help=f"Cell for not administered, besides {' '.join(NOT_ADMINISTERED)}.")
@click.option("--delimiter", metavar="SIGN", help="Sign between cells, if not found by itself; 'tab' for a tabulator.")
@click.option("--header/--no-header", default=None, help="Whether the first line names the columns, if not found by itself.")
@click.option("--target", type=click.FloatRange(0, 1), default=0.7, show_default=True, help="Reliability asked for.")
def analyse_command(
    responses: Path,
    key: Path | None,
    model: str,
    output: Path | None,
    as_json: bool,
    language: str,
    id_column: str | None,
    group_column: str | None,
    reference: str | None,
    ignore: tuple[str, ...],
    missing: tuple[str, ...],
    delimiter: str | None,
    header: bool | None,
    target: float,
) -> None:
    """Analyse the answers in RESPONSES.csv: one candidate a line, one item a column.

    Cells hold scores, or with a key the options chosen. An empty cell is an item not administered where scores are
    expected, and an omitted answer (wrong) where options are. Without -o and --json the findings are printed.
    """
    with refusals(), progress_bar() as advance:
        answers = read_answers(
            responses.read_bytes(),
            name=responses.name,
            key=key.read_bytes() if key else None,
            delimiter="\t" if delimiter == "tab" else delimiter,
            header=header,
            id_column=id_column,
            group_column=group_column,
            ignore=ignore,
            missing=(*NOT_ADMINISTERED, *missing),
        )
        found = analyse(answers, model=model, reference=reference, target=target, progress=advance)
        if output is not None:
            output.write_text(render(found, language, made=date.today()), encoding="utf-8")  # noqa: DTZ011 - the reader's own day
    if as_json:
        click.echo(json.dumps(as_mapping(found), ensure_ascii=False, allow_nan=False, indent=1))
    elif output is None:
        click.echo("\n".join(sentences(found, language)))
    else:
        click.echo(str(output))


@click.command("assemble", epilog="Example: examsvc assemble pool.csv blueprint.toml -o form.csv --gap 0.01")
@click.argument("pool", type=FILE)
@click.argument("blueprint", type=FILE)
@click.option("-o", "--output", type=NEW_FILE, help="Write the forms here (CSV); otherwise they are printed.")
@click.option("--json", "as_json", is_flag=True, help="Print forms, objective and limits reached as JSON.")
@click.option("--gap", type=click.FloatRange(0, 1, max_open=True), default=0.01, show_default=True, help="Accept forms proven this near to the best.")
@click.option("--time-limit", type=click.FloatRange(0, min_open=True), default=60.0, show_default=True, help="Seconds.")
def assemble_command(
    pool: Path, blueprint: Path, output: Path | None, as_json: bool, gap: float, time_limit: float
) -> None:
    """Choose the best forms from POOL.csv (one item a line) that meet BLUEPRINT.toml.

    The files are described in docs/methods/assembly.md. A blueprint that cannot be met is refused with the limits that
    contradict each other.
    """
    with refusals(), progress_bar() as advance:
        advance("reading", 0.0)
        plan = read_blueprint(_text(blueprint), read_pool(_text(pool)))
        advance("assembling", 0.1)
        made = assemble(plan.pool, plan.blueprint, plan.forms, gap=gap, time_limit=time_limit)
        advance("done", 1.0)
        forms = write_forms(made)
        if output is not None:
            output.write_text(forms, encoding="utf-8")
    if as_json:
        click.echo(json.dumps(_assembly(made), ensure_ascii=False, allow_nan=False, indent=1))
        return
    if output is None:
        click.echo(forms, nl=False)
    click.echo(_how_good(made), err=output is None)


def _assembly(made: Assembly) -> dict[str, Any]:
    lot = isinstance(made.blueprint.objective, Lot)
    return {
        "schema": "examsvc assembly 1",
        "status": made.status,
        "objective": None if lot else made.objective,
        "bound": None if lot else made.bound,
        "gap": None if lot else made.gap,
        "seconds": round(made.seconds, 3),
        "forms": [
            {
                "items": list(form.items),
                "limits": [
                    {"name": name, "reached": value, **_asked(made.blueprint, name)} for name, value in form.reached.items()
                ],
                "information": None if form.information is None else form.information.tolist(),
            }
            for form in made.forms
        ],
        "theta": None if made.pool.theta is None else list(made.pool.theta),
    }


def _asked(blueprint: Blueprint, name: str) -> dict[str, float | None]:
    limits = {one.name: (one.low, one.high) for one in blueprint.constraints}
    low, high = limits.get(name, blueprint.length)
    return {"least": low if abs(low) < float("inf") else None, "most": high if abs(high) < float("inf") else None}


def _how_good(made: Assembly) -> str:
    size = f"{len(made.forms)} form(s) of {', '.join(str(len(form.items)) for form in made.forms)} items"
    if isinstance(made.blueprint.objective, Lot):
        return f"{size}, drawn by lot, in {made.seconds:.1f} s."
    proof = f"within {100 * made.gap:.2g} % of the best" if made.gap > 0 else "the best there is"
    late = "; the time limit ended the search" if made.status == "time limit" else ""
    return f"{size}: objective {made.objective:.4f}, {proof}{late}, in {made.seconds:.1f} s."


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.ClickException(f"{path} is not UTF-8 text: save it as CSV or TOML in UTF-8.") from None


@contextmanager
def refusals() -> Iterator[None]:
    """What the core refuses is one sentence on standard error and status 1."""
    try:
        yield
    except ScoringError as error:
        raise click.ClickException(" ".join(str(error).split())) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from None


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None]]:
    """A function that hears the part and the share done. The bar appears after PATIENCE seconds, on a terminal only."""
    shown = Progress(
        TextColumn("{task.description:14}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True), transient=True
    )
    task = shown.add_task("reading", total=1.0)
    timer = threading.Timer(PATIENCE, shown.start) if sys.stderr.isatty() else None
    if timer is not None:
        timer.daemon = True
        timer.start()

    def advance(part: str, share: float) -> None:
        shown.update(task, description=part, completed=share)

    try:
        yield advance
    finally:
        if timer is not None:
            timer.cancel()
            timer.join()
            shown.stop()
