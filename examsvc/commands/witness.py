"""Commands of a witness, on a machine of its own: its key and memory, the logs it follows, its small server."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from examsvc.ledger import witness_store
from examsvc.ledger.witness_store import Store, WitnessError

FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("witness"),
    show_default=True,
    help="The witness's key and memory.",
)


@click.group()
def witness() -> None:
    """See that a competition's record only grows, and sign what was seen: for inspectorates, universities, the press."""


def _store(folder: Path) -> Store:
    try:
        return Store(folder)
    except WitnessError as error:
        raise click.ClickException(str(error)) from None


@witness.command(epilog="Example: examsvc witness init witness.university.example --folder witness")
@click.argument("name")
@FOLDER
def init(name: str, folder: Path) -> None:
    """Make a witness.  NAME is the name of its key for good: by custom the address at which it answers, without https://."""
    try:
        made = witness_store.create(folder, name)
    except WitnessError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The witness is in {folder}. Keep {folder / 'key'} secret. Publish this line; logs put it into their policy:", err=True)
    click.echo(made.key.text)


@witness.command(epilog="Example: examsvc witness follow exam.example/registry+1a2b3c4d+AQ… --folder witness")
@click.argument("key", nargs=-1, required=True)
@FOLDER
def follow(key: tuple[str, ...], folder: Path) -> None:
    """Follow logs from now on.  KEY is a log's verifier key, as its record page shows it; the registry's belongs to them."""
    store = _store(folder)
    for one in key:
        try:
            click.echo(f"Followed: {store.follow(one)}")
        except WitnessError as error:
            raise click.ClickException(str(error)) from None


@witness.command(epilog="Example: examsvc witness serve --bind 0.0.0.0:8100")
@FOLDER
@click.option("--bind", default="127.0.0.1:8100", show_default=True, help="Address and port.")
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False), help="TLS certificate, where no proxy does TLS.")
@click.option("--certificate-key", type=click.Path(exists=True, dir_okay=False), help="Its private key.")
def serve(folder: Path, bind: str, certificate: str | None, certificate_key: str | None) -> None:
    """Answer logs (c2sp.org/tlog-witness): what continues what was seen before is written down, then cosigned."""
    store = _store(folder)
    click.echo(f"{store.key.text}\nAnswers at {bind}; stop with Ctrl+C", err=True)
    arguments = ["-m", "gunicorn", "examsvc.ledger.witness_server:from_environment()", "--bind", bind]
    arguments += ["--workers", "1", "--threads", "4", "--worker-class", "gthread", "--log-level", "warning"]
    if certificate and certificate_key:
        arguments += ["--certfile", certificate, "--keyfile", certificate_key]
    os.environ["EXAMSVC_WITNESS_FOLDER"] = str(folder.absolute())
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606


@witness.command(epilog="Example: examsvc witness status --json")
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status(folder: Path, as_json: bool) -> None:
    """What was seen of each log.  Exit 1 where a log contradicted itself: the requests kept prove it."""
    store = _store(folder)
    logs = store.followed()
    if as_json:
        rows = [
            {"origin": one.origin, "size": one.size, "root": one.root.hex(), "signed": one.signed, "alarms": one.alarms}
            for one in logs
        ]
        click.echo(json.dumps({"key": store.key.text, "logs": rows}))
    else:
        click.echo(store.key.text)
        for one in logs:
            when = datetime.fromtimestamp(one.signed, UTC).isoformat() if one.signed else "nothing signed yet"
            alarm = f"  CONTRADICTED ITSELF {one.alarms} times" if one.alarms else ""
            click.echo(f"{one.origin}\t{one.size} entries\t{when}{alarm}")
    if any(one.alarms for one in logs):
        sys.exit(1)


@witness.command(epilog="Example: examsvc witness evidence -o evidence")
@FOLDER
@click.option("-o", "output", type=click.Path(file_okay=False, path_type=Path), default=Path("evidence"), show_default=True)
def evidence(folder: Path, output: Path) -> None:
    """Write the requests that prove a log's contradictions to files, each with the log's own signature."""
    rows = _store(folder).alarms()
    output.mkdir(parents=True, exist_ok=True)
    for number, (origin, at, request) in enumerate(rows, start=1):
        name = f"{number:04}-{origin.replace('/', '-')}-{at}.request"
        (output / name).write_bytes(request)
    click.echo(f"{len(rows)} requests written to {output}")
