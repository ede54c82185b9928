"""A consistent copy of the whole installation's data, and its return into an empty database of either kind."""

from __future__ import annotations

import hmac
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from examsvc.applications import stored_files
from examsvc.base import backups
from examsvc.base.clock import system_clock
from examsvc.base.errors import Refused
from examsvc.commands import opening
from examsvc.competitions import logs
from examsvc.ledger.operations import head
from examsvc.migrations import apply
from examsvc.settings import Settings

LAST = "last-backup.json"
"""In the folder of the installation: when and where the last backup was written, for ``examsvc doctor``."""


@click.command(epilog="Example: examsvc backup /mnt/backups")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def backup(target: Path, as_json: bool) -> None:
    """Write a consistent copy of the database to TARGET while it serves.

    TARGET is a folder, in which a file named after the moment is made, or a file whose name ends in .zip.  Keys are not in it: keep a
    copy of the installation's folder "keys" apart from it.
    """
    settings = Settings()
    engine = opening.database(settings, any_version=True)
    now = system_clock()
    path = target if target.suffix == ".zip" else target / f"examsvc-{now:%Y%m%dT%H%M%SZ}.zip"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"{path.parent}: {error.strerror}") from None
    with _bar() as progress:
        manifest = write(engine, path, settings, now, progress)
    engine.dispose()
    remember(settings, path, manifest)
    if as_json:
        click.echo(json.dumps(_told(path, manifest), ensure_ascii=False))
        return
    click.echo(f"{path}: {manifest.rows} rows in {len(manifest.tables)} tables, {path.stat().st_size} bytes.")
    for line in _heads(manifest):
        click.echo(line)
    click.echo(f"Keep it apart from a copy of {settings.folder / 'keys'}; only both together can be restored.")


@click.command(epilog="Example: EXAMSVC_FOLDER=/srv/examsvc examsvc restore /mnt/backups")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def restore(source: Path, as_json: bool) -> None:
    """Put the copy SOURCE back into the empty database of the settings, which may be of the other kind.

    SOURCE is a file, or a folder of which the newest is taken.  Put the folder "keys" of the old installation in place first.
    """
    settings = Settings()
    path = newest(source) if source.is_dir() else source
    engine = opening.to_fill(settings)
    with _bar() as progress:
        manifest, files = put_back(engine, path, settings, progress)
    engine.dispose()
    if as_json:
        click.echo(json.dumps({**_told(path, manifest), "files": files}, ensure_ascii=False))
        return
    click.echo(f"Restored from {path}, made on {manifest.made_at:%Y-%m-%d at %H:%M:%S} UTC from {manifest.kind}:")
    click.echo(f"  {manifest.rows} rows in {len(manifest.tables)} tables; {files} files of candidates, each with its own digest.")
    for line in _heads(manifest):
        click.echo(f"  {line}")
    click.echo(
        "Every log was read through: nothing is wrong with it. What happened after the backup was made is not in it; a witness that"
        " signed later entries will say so. Compare its last checkpoint with the entries above before people sign in."
    )


def write(engine: Engine, path: Path, settings: Settings, now: datetime, progress: backups.Progress) -> backups.Manifest:
    """Writes a copy of the installation's database.  Raises Refused."""
    revision = apply.current(engine)
    if revision is None:
        raise Refused("There is no database yet, so there is nothing to copy. Begin with examsvc init.")

    def notes(connection: Connection) -> Mapping[str, Any]:
        with Session(connection) as session:
            heads = {log: head(session, log) for log in logs.names(session)}
        return {"keys": _key_digests(settings), "logs": {log: {"size": size, "root": root} for log, (size, root) in heads.items()}}

    return backups.write(
        engine, path, key=bytes.fromhex(settings.log_key()), revision=revision, now=now, notes=notes, progress=progress
    )


def put_back(
    engine: Engine, path: Path, settings: Settings, progress: backups.Progress
) -> tuple[backups.Manifest, int]:
    """Checks a copy, loads it, brings it to this release's version and reads every log through; (manifest, candidates' files).

    Raises Refused, and leaves the database as empty as it was.
    """
    missing = [name for name, file in key_files(settings).items() if file is not None and not file.exists()]
    if missing:
        raise Refused(
            "These keys are not there: %(keys)s. Put the folder keys of the installation that made the backup in place first.",
            keys=", ".join(missing),
        )
    manifest = backups.read(path, key=bytes.fromhex(settings.log_key()))
    present = _key_digests(settings)
    for name, digests in manifest.notes["keys"].items():
        if not set(digests) <= set(present[name]):
            raise Refused(
                "The key %(name)s here is not the one under which the backup was made. Put the right one in place first.",
                name=name,
            )
    if not apply.known(manifest.revision):
        raise Refused(
            "The backup has tables of the version %(revision)s, which this release does not know. Use a newer release.",
            revision=manifest.revision,
        )
    backups.require_empty(engine)
    if apply.current(engine) not in (None, manifest.revision):
        raise Refused("The database has tables of another version than the backup. Restore into an empty database without tables.")
    apply.upgrade(engine, manifest.revision)
    try:
        backups.load(engine, path, manifest, progress=progress)
        apply.upgrade(engine)
        with Session(engine) as session:
            files, damaged = stored_files.check(session)
            if damaged:
                raise Refused("A candidate's file is not as it was handed in: %(which)s. Take another backup.", which=damaged[0])
            for log, noted in manifest.notes["logs"].items():
                if head(session, log) != (noted["size"], noted["root"]):
                    raise Refused("The log %(log)s is not the one that was copied. Take another backup.", log=log)
                found = logs.problems(session, log)
                if found:
                    raise Refused(
                        "The log %(log)s holds %(count)s mistakes, the first: %(first)s. Nothing was restored; take another backup.",
                        log=log,
                        count=len(found),
                        first=found[0],
                    )
    except BaseException:
        backups.remove_tables(engine)
        raise
    return manifest, files


def newest(folder: Path) -> Path:
    """The newest backup in a folder, by its name."""
    found = sorted(folder.glob("examsvc-*.zip"))
    if not found:
        raise Refused("There is no backup in %(folder)s: its name would be examsvc-….zip.", folder=folder)
    return found[-1]


def remember(settings: Settings, path: Path, manifest: backups.Manifest) -> None:
    """Writes down in the installation's folder when and where it was copied."""
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (settings.folder / LAST).write_text(
        json.dumps({"at": manifest.made_at.isoformat(), "path": str(path.absolute())}) + "\n", encoding="utf-8"
    )


def last(settings: Settings) -> tuple[datetime, Path] | None:
    """When and where the installation was copied last; None if never, or if the note cannot be read."""
    try:
        noted = json.loads((settings.folder / LAST).read_text(encoding="utf-8"))
        return datetime.fromisoformat(noted["at"]).astimezone(UTC), Path(noted["path"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def key_files(settings: Settings) -> dict[str, Path | None]:
    """The file of each key that must never be lost; None where a variable gives the key."""
    keys = settings.folder / "keys"
    return {
        "people": keys / "people" if settings.people_secret is None else None,
        "banks": keys / "banks" if settings.bank_secret is None else None,
        "logs": settings.log_key_file or keys / "logs",
    }


def _key_digests(settings: Settings) -> dict[str, list[str]]:
    """A digest of each key that must not be lost, from which nobody can find the key."""
    keys = {"people": [settings.people_key()], "banks": settings.bank_keys(), "logs": [settings.log_key()]}
    return {
        name: [hmac.digest(bytes.fromhex(one), f"examsvc.v1/backup-key\0{name}".encode(), "sha256").hex() for one in values]
        for name, values in keys.items()
    }


def _heads(manifest: backups.Manifest) -> Iterator[str]:
    for log, noted in sorted(manifest.notes["logs"].items()):
        yield f"log {log}: {noted['size']} entries, root {noted['root']}"


def _told(path: Path, manifest: backups.Manifest) -> dict[str, Any]:
    return {
        "path": str(path),
        "made_at": manifest.made_at.isoformat(),
        "database": manifest.kind,
        "version": manifest.revision,
        "rows": manifest.rows,
        "tables": len(manifest.tables),
        "logs": manifest.notes["logs"],
    }


@contextmanager
def _bar() -> Iterator[backups.Progress]:
    """A progress bar on standard error, where that is a terminal."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        tasks: dict[str, Any] = {}

        def advance(table: str, done: int, total: int) -> None:
            if table not in tasks:
                tasks[table] = progress.add_task(table, total=total)
            progress.update(tasks[table], completed=done, visible=done < total)

        yield advance
