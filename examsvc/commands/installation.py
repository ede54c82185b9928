"""Commands of an installation: the database, serving, the worker, and the list of competitions."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import click
from flask import Flask

from examsvc.base import jobs
from examsvc.base.clock import system_clock
from examsvc.base.database import move_log
from examsvc.base.web import db
from examsvc.competitions import queries


@click.command(epilog="Example: examsvc competitions --json")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def competitions(as_json: bool) -> None:
    """Slug, title and phase of each competition."""
    from examsvc.commands import opening

    app = opening.application()
    with app.app_context():
        rows: list[dict[str, Any]] = [
            {"slug": found.slug, "title": found.title, "phase": queries.phase(found)}
            for found in queries.every(db.session())
        ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['slug']}\t{row['phase']}\t{row['title'].get('vi', '')}")


@click.command(epilog="Example: examsvc serve --bind 127.0.0.1:8000 --threads 16")
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="Address and port.")
@click.option("--workers", default=1, show_default=True, help="Processes; one is best on SQLite.")
@click.option("--threads", default=16, show_default=True, help="Threads in each process.")
def serve(bind: str, workers: int, threads: int) -> None:
    """Serve the installation with gunicorn."""
    from examsvc.commands import opening
    from examsvc.settings import Settings

    opening.database(Settings()).dispose()
    os.execv(  # noqa: S606
        sys.executable,
        [
            sys.executable,
            "-m",
            "gunicorn",
            "examsvc.app:create_app()",
            "--bind",
            bind,
            "--workers",
            str(workers),
            "--threads",
            str(threads),
            "--config",
            str(Path(__file__).with_name("gunicorn_settings.py")),
        ],
    )


def work_forever(app: Flask, pause: float = 1.0) -> None:
    """A worker's life; a failure is logged and does not end it."""
    while True:
        with app.app_context():
            try:
                move_log(db.engine)
                done = jobs.work(db.session(), system_clock())
            except Exception:
                app.logger.exception("the worker failed in this round")
                done = 0
            finally:
                db.session.remove()
        if not done:
            time.sleep(pause)


@click.command(epilog="Example: examsvc worker")
@click.option("--once", is_flag=True, help="Do what is due and end.")
def worker(once: bool) -> None:
    """Do the jobs that were asked for and the duties that come round, until stopped."""
    from examsvc.commands import opening

    app = opening.application()
    if once:
        with app.app_context():
            click.echo(f"{jobs.work(db.session(), system_clock())} things done")
        return
    work_forever(app)


@click.group()
def database() -> None:
    """Bring the database up to date, or check it."""


@database.command(epilog="Example: examsvc database upgrade")
def upgrade() -> None:
    """Apply every migration that is missing, and put up the triggers of append-only tables."""
    from examsvc.commands import opening
    from examsvc.migrations import apply
    from examsvc.settings import Settings

    engine = opening.database(Settings(), any_version=True)
    apply.upgrade(engine)
    engine.dispose()
    click.echo("The database is up to date.")


@database.command(epilog="Example: examsvc database check")
def check() -> None:
    """Exit 1 when a migration is missing, or a trigger of an append-only table."""
    from examsvc.commands import opening
    from examsvc.ledger import defences
    from examsvc.migrations import apply
    from examsvc.settings import Settings

    engine = opening.database(Settings(), any_version=True)
    missing = apply.missing(engine)
    if not missing:
        with engine.connect() as connection:
            missing = defences.missing(connection)
    if missing:
        click.echo(f"Missing: {', '.join(missing)}. Run examsvc database upgrade.", err=True)
        sys.exit(1)
    click.echo("The database is up to date.")
