"""Commands for question banks: look into a file, import it, take a bank away."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from question_banks import BankError, lint, read_bank, write_bank
from question_banks.reading import READERS, WRITERS

if TYPE_CHECKING:
    from examsvc.papers.banks import Examination

PATIENCE = 2.0
"""Seconds of work after which a terminal is shown that something happens."""


@contextmanager
def working(words: str) -> Iterator[None]:
    """A moving bar on standard error after PATIENCE seconds, on a terminal only: how far a reader is, it does not know."""
    shown = Progress(TextColumn(words), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True), transient=True)
    shown.add_task("", total=None)
    timer = threading.Timer(PATIENCE, shown.start)
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if timer.ident is not None:
            timer.join()
        if shown.live.is_started:  # a bar that never was leaves no empty line behind
            shown.stop()


@click.group()
def bank() -> None:
    """Look into question banks, import them and take them away."""


@bank.command("lint", epilog="Example: examsvc bank lint questions.xlsx")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "format", type=click.Choice(list(READERS)), help="Recognised when left out.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def lint_file(file: Path, format: str | None, as_json: bool) -> None:
    """What is lost or refused on reading a file, and what the lint finds; exit 1 when anything must be mended.  No database."""
    try:
        with working("reading"):
            result = read_bank(file, format)
            found = lint(result.bank)
    except BankError as error:
        raise click.ClickException(str(error)) from None
    bad = bool(result.refused) or any(one.weight == "error" for one in found)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "format": result.format,
                    "items": len(result.bank),
                    "problems": [
                        {"item": one.item, "severity": one.severity, "where": one.where, "message": one.message}
                        for one in result.problems
                    ],
                    "findings": [
                        {"item": one.item, "weight": one.weight, "where": one.where, "message": one.message} for one in found
                    ],
                },
                ensure_ascii=False,
            )
        )
    else:
        for problem in result.problems:
            click.echo(str(problem))
        for finding in found:
            click.echo(str(finding))
        click.echo(
            f"{len(result.bank)} questions read as {result.format}; {len(result.refused)} refused, {len(result.lossy)} with loss,"
            f" {sum(1 for one in found if one.weight == 'error')} errors,"
            f" {sum(1 for one in found if one.weight == 'warning')} warnings"
        )
    if bad:
        sys.exit(1)


@bank.command("import", epilog="Example: examsvc bank import questions.xlsx --bank management-2026 --dry-run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--bank", "name", default="", help="Name of the bank; the file's own when left out.")
@click.option("--format", "format", type=click.Choice(list(READERS)), help="Recognised when left out.")
@click.option("--language", default="vi", show_default=True, help="Of texts whose format does not say it.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--preview", is_flag=True, help="Show each question as candidates will see it.")
@click.option("--yes", is_flag=True, help="Do not ask for the confirmation (not asked either when nobody sits at a terminal).")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def import_file(
    file: Path, name: str, format: str | None, language: str, dry_run: bool, preview: bool, yes: bool, as_json: bool
) -> None:
    """Import a file: taken, taken with loss, refused, question by question, then one confirmation; exit 1 when nothing could be taken."""
    from examsvc.base.clock import system_clock
    from examsvc.base.database import writing
    from examsvc.base.web import db
    from examsvc.commands import opening
    from examsvc.papers import banks, queries

    try:
        data = file.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    with opening.application().app_context():
        with working("reading"):
            result = banks.read(data, format, language)
            examination = banks.examine(db.session(), result, name=name)
        state = queries.bank_state(db.session(), examination.bank_name)
        if preview and not as_json:
            show(examination, language)
        ask = not (dry_run or yes or as_json) and examination.changes and sys.stdin.isatty()
        if ask:
            report(examination, dry_run=True, as_json=False)
            if not click.confirm("Store them?"):
                click.echo("Nothing was stored.")
                return
        if not dry_run and examination.changes:
            prepared = banks.rows(examination)
            with working("storing"), writing(db.session()) as session:
                if queries.bank_state(session, examination.bank_name) != state:
                    raise click.ClickException("The bank has changed since the file was compared with it; nothing was stored. Run the command again.")
                banks.store(session, examination, by=None, now=system_clock(), prepared=prepared)
    if ask:
        click.echo(f"{examination.changes} stored in the bank {examination.bank_name}")
    else:
        report(examination, dry_run=dry_run, as_json=as_json)
    if not any(line.item is not None for line in examination.lines):
        sys.exit(1)


def show(examination: Examination, language: str) -> None:
    """Each question that would be stored as candidates will see it, in plain text, with its key."""
    from examsvc.papers import preview
    from question_banks.markup import plain_text

    for line in examination.lines:
        if line.item is None or line.verdict in ("unchanged", "older"):
            continue
        tongue = language if language in line.item.languages else next(iter(line.item.languages), language)
        shown = preview.preview(line.item, tongue, "")
        click.echo(f"--- {line.identifier} ({line.item.kind})")
        click.echo(plain_text(shown.prompt))
        for place in shown.places:
            if place.prompt:
                click.echo(plain_text(place.prompt))
            for letter, choice in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", place.choices, strict=False):
                click.echo(f"  {letter}. {plain_text(choice)}")
            for number, target in enumerate(place.targets, start=1):
                click.echo(f"  {number}. {plain_text(target)}")
        for right in preview.key(line.item, tongue):
            click.echo(f"  = {right}")


def report(examination: Examination, *, dry_run: bool, as_json: bool) -> None:
    """What became of each question."""
    if as_json:
        rows: list[dict[str, Any]] = [
            {
                "item": line.identifier,
                "verdict": "lossy" if line.lossy else line.verdict,
                "problems": [{"where": one.where, "severity": one.severity, "message": one.message} for one in line.problems],
                "duplicates": [
                    {"item": one.other, "similarity": float(one.similarity), "same": one.same} for one in line.duplicates
                ],
            }
            for line in examination.lines
        ]
        click.echo(
            json.dumps(
                {"bank": examination.bank_name, "format": examination.format, "stored": not dry_run, "items": rows},
                ensure_ascii=False,
            )
        )
        return
    for line in examination.lines:
        words = "taken with loss" if line.lossy else {"new": "taken", "metadata": "details updated"}.get(line.verdict, line.verdict)
        click.echo(f"{line.identifier or '(without a name)'}: {words}")
        for problem in line.problems:
            click.echo(f"    {problem.where + ': ' if problem.where else ''}{problem.message}")
        for like in line.duplicates:
            click.echo(f"    {'the same as' if like.same else 'nearly the same as'} {like.other}")
    for problem in examination.problems:
        click.echo(f"{problem.where + ': ' if problem.where else ''}{problem.message}")
    verb = "would be stored" if dry_run else "stored"
    click.echo(
        f"{examination.changes} {verb} in the bank {examination.bank_name}; {examination.count('unchanged')} there already,"
        f" {examination.count('refused')} refused"
    )


@bank.command("export", epilog="Example: examsvc bank export public-leadership --format moodle-xml -o bank.xml")
@click.argument("name", metavar="BANK")
@click.option("--format", "format", type=click.Choice(list(WRITERS)), required=True)
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def export(name: str, format: str, output: Path, as_json: bool) -> None:
    """Write a bank of the installation, or one that comes with the system, to a file; losses are said aloud."""
    from examsvc.base.errors import NotFound
    from examsvc.base.web import db
    from examsvc.commands import opening
    from examsvc.papers import banks, queries
    from question_banks.banks import shipped, shipped_bank

    with opening.application().app_context():
        try:
            document = banks.as_document(db.session(), queries.bank(db.session(), name))
        except NotFound:
            if name not in shipped():
                raise click.ClickException(
                    f"There is no bank {name}; with the system come {', '.join(shipped())}."
                ) from None
            document = shipped_bank(name)
    with working("writing"):
        made = write_bank(document, format)
    try:
        output.write_bytes(made.data)
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}") from None
    if as_json:
        click.echo(
            json.dumps(
                {
                    "file": str(output),
                    "bytes": len(made.data),
                    "problems": [
                        {"item": one.item, "severity": one.severity, "where": one.where, "message": one.message}
                        for one in made.problems
                    ],
                },
                ensure_ascii=False,
            )
        )
        return
    for problem in made.problems:
        click.echo(str(problem))
    click.echo(f"{len(document)} questions of {name} written to {output} as {format}; {len(made.problems)} problems")
