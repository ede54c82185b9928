"""Whether an installation is fit for an exam day: one sentence for each thing that is looked at."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import smtplib
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

import click
from pydantic import ValidationError
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session
from typst import TypstError

from examsvc.accounts import queries as accounts
from examsvc.applications import stored_files
from examsvc.base import documents, jobs, messages
from examsvc.base.clock import system_clock
from examsvc.base.database import make_engine
from examsvc.commands import backup
from examsvc.competitions import logs
from examsvc.competitions.models import Competition
from examsvc.ledger import defences, signing, witnessing
from examsvc.ledger import queries as ledger
from examsvc.ledger.models import LogEntry
from examsvc.migrations import apply
from examsvc.settings import Settings, problems

LEAST_FREE = 2 * 1024**3
"""Bytes that must be free: an exam day of some hundred candidates with their files, and a backup."""
WORKER_PATIENCE = timedelta(minutes=5)
BACKUP_PATIENCE = timedelta(days=2)
MAIL_PATIENCE = 10.0
SYNCS = 100
SYNC_PATIENCE = 0.25
"""Seconds: a disk that ever needs longer to keep something holds up every answer that is saved meanwhile."""
LEAST_POSTGRES = 140000
LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"


class State(StrEnum):
    WELL = "well"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and one sentence that says what to do where it is not well."""

    subject: str
    state: State
    sentence: str


def well(subject: str, sentence: str) -> Finding:
    return Finding(subject, State.WELL, sentence)


def note(subject: str, sentence: str) -> Finding:
    return Finding(subject, State.NOTE, sentence)


def bad(subject: str, sentence: str) -> Finding:
    return Finding(subject, State.BAD, sentence)


@click.command(epilog="Example: examsvc doctor")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor(as_json: bool) -> None:
    """Say in a sentence each what is well here and what is not; exit 1 when something is not."""
    found = []
    for finding in examine(system_clock()):
        found.append(finding)
        if not as_json:
            mark = {State.WELL: "ok  ", State.NOTE: "note", State.BAD: "BAD "}[finding.state]
            click.echo(f"{mark}  {finding.subject + ':':<10} {finding.sentence}")
    if as_json:
        told = [{"subject": one.subject, "state": one.state.value, "sentence": one.sentence} for one in found]
        click.echo(json.dumps(told, ensure_ascii=False))
    if any(one.state is State.BAD for one in found):
        sys.exit(1)


def examine(now: datetime) -> Iterator[Finding]:
    """Looks at everything, one after the other; what cannot be looked at is bad and stops nothing else."""
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in problems(error):
            yield bad("settings", problem)
        return
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("settings", lambda: look_at_settings(settings)),
        ("keys", lambda: look_at_keys(settings)),
        ("disk", lambda: look_at_disk(settings)),
        ("fonts", look_at_fonts),
        ("mail", lambda: look_at_mail(settings)),
    )
    for subject, check in checks:
        yield from _guarded(subject, check)
    engine = make_engine(settings.database_address())
    try:
        findings = list(_guarded("database", lambda: look_at_database(engine)))
        yield from findings
        if any(one.state is State.BAD for one in findings):
            yield note("database", "The rest was not looked at, since it stands in the database.")
            return
        in_database: tuple[tuple[str, Callable[[Session], Iterator[Finding]]], ...] = (
            ("clock", lambda session: look_at_clock(session, now)),
            ("people", lambda session: look_at_people(session, now)),
            ("worker", lambda session: look_at_worker(session, now)),
            ("log", look_at_logs),
            ("witnesses", lambda session: look_at_witnesses(session, settings)),
            ("files", look_at_files),
            ("backup", lambda session: look_at_backups(session, settings, now)),
            ("pace", look_at_pace),
        )
        for subject, look in in_database:
            with Session(engine) as session:
                yield from _guarded(subject, lambda look=look, session=session: look(session))  # type: ignore[misc]
    finally:
        engine.dispose()


def _guarded(subject: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as error:
        yield bad(subject, f"This could not be looked at: {type(error).__name__}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "no reason given")


# ---------------------------------------------------------------- outside the database


def look_at_settings(settings: Settings) -> Iterator[Finding]:
    if settings.mode != "production":
        yield note("settings", f"EXAMSVC_MODE is {settings.mode}: unsafe settings are accepted, so nothing real belongs here.")
    else:
        yield well("settings", f"They are read and safe; people come by {settings.base_url}.")


def look_at_keys(settings: Settings) -> Iterator[Finding]:
    files = {**backup.key_files(settings), "cookies": settings.folder / "keys" / "cookies" if settings.secret_key is None else None}
    absent = [name for name, file in files.items() if file is not None and not file.exists()]
    open_to_others = [
        file for file in (*files.values(), settings.folder / "keys") if file is not None and file.exists() and _others_may(file)
    ]
    odd = [
        name for name, file in files.items() if file is not None and file.exists() and not _is_key(file)
    ]
    for file in open_to_others:
        yield bad("keys", f"{file} can be read by others. Run: chmod go= {file}")
    for name in odd:
        yield bad("keys", f"The key {name} is not 64 hexadecimal digits in a file of its owner. Bring it back from its copy.")
    if absent:
        yield note("keys", f"Not made yet: {', '.join(absent)}. They are made when first needed; copy the folder again then.")
    if not open_to_others and not odd:
        yield well("keys", "Those that are there can be read by their owner only.")


def _others_may(file: Path) -> bool:
    return bool(stat.S_IMODE(file.stat().st_mode) & 0o077)


def _is_key(file: Path) -> bool:
    try:
        return file.stat().st_uid == os.geteuid() and len(bytes.fromhex(file.read_text(encoding="ascii"))) == 32
    except (OSError, ValueError):
        return False


def look_at_disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.folder if settings.folder.exists() else settings.folder.absolute().parent
    free = shutil.disk_usage(folder).free
    sqlite = settings.folder / "examsvc.sqlite"
    needed = LEAST_FREE + (2 * sqlite.stat().st_size if settings.database_url is None and sqlite.exists() else 0)
    said = f"{free / 1024**3:.1f} GiB are free in {folder}"
    if free < needed:
        yield bad("disk", f"{said}, but {needed / 1024**3:.1f} GiB should be. Make room before an exam day.")
    else:
        yield well("disk", f"{said}.")
    if settings.database_url is None and sqlite.exists() and _others_may(settings.folder) and _others_may(sqlite):
        yield bad("disk", f"{sqlite} can be read by others. Run: chmod go= {settings.folder}")


def look_at_fonts() -> Iterator[Finding]:
    try:
        documents.check_fonts(LETTERS + LETTERS.upper())
    except TypstError as error:
        yield bad("fonts", f"Documents cannot be printed: {_first_line(error)}. Install the package typst anew.")
    else:
        yield well("fonts", "Every letter of Vietnamese can be printed.")


def look_at_mail(settings: Settings) -> Iterator[Finding]:
    if settings.smtp_url is None:
        yield note("mail", "EXAMSVC_SMTP_URL is empty: messages stay on people's pages only.")
        return
    try:
        with messages.mail_server(settings, MAIL_PATIENCE) as server:
            server.noop()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        yield bad("mail", f"The mail server does not take letters: {_first_line(error)}. Check EXAMSVC_SMTP_URL.")
    else:
        yield well("mail", "The mail server answers and knows this installation.")


# ---------------------------------------------------------------- the database


def look_at_database(engine: Engine) -> Iterator[Finding]:
    if unusable := apply.unusable(engine):
        yield bad("database", unusable)
        return
    with engine.connect() as connection:
        lost = defences.missing(connection)
        if lost:
            yield bad("database", f"Triggers of append-only tables are missing: {', '.join(lost)}. Find out who took them down.")
        if engine.dialect.name == "sqlite":
            check = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check"))]
            if check != ["ok"]:
                yield bad("database", f"SQLite finds it damaged: {check[0]}. Restore the newest backup.")
            if connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
                yield bad("database", "Rows refer to others that are not there. Restore the newest backup.")
            kind = f"SQLite {connection.scalar(text('SELECT sqlite_version()'))}"
        else:
            number = int(connection.scalar(text("SHOW server_version_num")) or 0)
            kind = f"PostgreSQL {connection.scalar(text('SHOW server_version'))}"
            if number < LEAST_POSTGRES:
                yield bad("database", f"{kind} is too old. Use PostgreSQL 14 or newer.")
            for name in ("fsync", "full_page_writes", "synchronous_commit"):
                value = connection.scalar(text(f"SHOW {name}"))
                if value == "off":
                    yield bad("database", f"PostgreSQL has {name} = {value}: a power cut would lose answers that candidates saw saved. Turn it on.")
            if connection.scalar(text("SHOW server_encoding")) != "UTF8":
                yield bad("database", "PostgreSQL does not keep text as UTF-8. Make the database anew with that encoding.")
    yield well("database", f"{kind} is at the version of this release, {apply.current(engine)}.")


def look_at_pace(session: Session) -> Iterator[Finding]:
    """How long SQLite's disk takes to keep a commit; what a server of PostgreSQL has under it cannot be seen from here."""
    address = session.get_bind().engine.url
    if address.get_backend_name() != "sqlite":
        return
    folder = Path(address.database or ".").absolute().parent
    waits = sorted(_sync_waits(folder))
    said = f"The disk of the database keeps a commit within {waits[len(waits) // 2] * 1000:.1f} ms mostly, {waits[-1] * 1000:.0f} ms at worst of {len(waits)}"
    if waits[-1] > SYNC_PATIENCE:
        yield note("pace", f"{said}: candidates would see saves wait. Use a disk that is not shared, or PostgreSQL on another machine.")
    else:
        yield well("pace", f"{said}.")


def _sync_waits(folder: Path) -> Iterator[float]:
    """Seconds that each of a hundred small writes took until it was kept, with pauses as between saves; a file that is gone afterwards."""
    with tempfile.TemporaryFile(dir=folder, prefix="pace-") as file:
        for number in range(SYNCS):
            file.seek(4096 * number)
            file.write(os.urandom(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            yield time.perf_counter() - began
            time.sleep(0.01)


def look_at_clock(session: Session, now: datetime) -> Iterator[Finding]:
    newest = session.scalar(select(func.max(LogEntry.at)))
    if newest is not None and newest > now + timedelta(seconds=2):
        yield bad("clock", f"It is behind the newest entry of a log, {newest:%Y-%m-%d %H:%M:%S} UTC. Set it before anything else is done.")
    if session.get_bind().dialect.name == "postgresql":
        there = session.scalar(select(func.clock_timestamp()))
        apart = abs((there - system_clock()).total_seconds()) if there is not None else 0.0
        if apart > 2:
            yield bad("clock", f"The database's machine is {apart:.0f} seconds away from this one. Synchronise both.")
    synchronised = clock_is_synchronised()
    if synchronised is None:
        yield note("clock", f"It says {now:%Y-%m-%d %H:%M:%S} UTC; whether it is synchronised cannot be seen on this machine.")
    elif not synchronised:
        yield note("clock", f"It says {now:%Y-%m-%d %H:%M:%S} UTC and is not synchronised. Switch time synchronisation on, or compare it by hand.")
    else:
        yield well("clock", f"It says {now:%Y-%m-%d %H:%M:%S} UTC and is synchronised.")


def clock_is_synchronised() -> bool | None:
    """What the kernel says (adjtimex, TIME_ERROR = 5); None where it cannot be asked."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else bool(state != 5)


def look_at_people(session: Session, now: datetime) -> Iterator[Finding]:
    administrators = accounts.holders(session, "system-administrator", "", now)
    able = [one for one in administrators if accounts.factors(session, one.id)]
    officers = accounts.holders(session, "hr-officer", "", now)
    others = {one.id for one in (*administrators, *officers)}
    if len(administrators) < 2:
        yield bad("people", f"Administrators: {len(administrators)}. Nothing can be approved by two; appoint another one.")
    elif len(able) < 2:
        yield note("people", f"Of {len(administrators)} administrators {len(able)} set up a second factor; until two did, nobody can be appointed.")
    elif len(others) < 4:
        yield note("people", "Fewer than four administrators and personnel officers: where one is locked out, two others must be there.")
    else:
        yield well("people", f"{len(administrators)} administrators and {len(officers)} personnel officers.")


def look_at_worker(session: Session, now: datetime) -> Iterator[Finding]:
    import examsvc.app  # noqa: F401 - rooms register their duties when they are loaded

    late = jobs.overdue(session, now, WORKER_PATIENCE)
    failed = jobs.count_failed(session)
    if late:
        yield bad("worker", f"{len(late)} duties are overdue, among them {late[0]}. Start a worker: examsvc worker")
    else:
        yield well("worker", "Every duty was done when it was due.")
    if failed:
        yield bad("worker", f"Given up after many tries: {failed} pieces of work. The table jobs says why, in its column error.")
    refused = session.scalar(select(func.count()).where(messages.Message.problem.is_not(None)).select_from(messages.Message)) or 0
    if refused:
        yield note("mail", f"{refused} letters could not be delivered; their receivers see so on their pages.")


def look_at_logs(session: Session) -> Iterator[Finding]:
    names = logs.names(session)
    for name in names:
        problems = logs.problems(session, name)
        size = session.scalar(select(func.count()).where(LogEntry.log == name).select_from(LogEntry))
        if problems:
            yield bad("log", f"{name}: {len(problems)} mistakes in {size} entries, the first at {problems[0]}. Keep a backup, change nothing, and call the observers.")
        else:
            yield well("log", f"{name}: {size} entries, in order, each as its openings say.")
    if not names:
        yield note("log", "None has begun; the first begins with the first competition.")


def look_at_witnesses(session: Session, settings: Settings) -> Iterator[Finding]:
    """Asks them: a log that they have seen longer or otherwise is what nobody may serve; silence is only told."""
    signing.configure(signing.Installation(settings.log_key(), settings.folder, settings.witness_address))
    try:
        silent = witnessing.require_witnessed(session, partial(witnessing.send, patience=witnessing.PATIENCE_AT_START))
    except signing.Unsound as error:
        yield bad("witnesses", str(error))
        return
    names = {one.key.name for log in ledger.logs(session) for one in ledger.witnesses(session, log)}
    for one in silent:
        yield note("witnesses", f"{one}. It is asked again each time a log has grown; receipts and bundles wait for a quorum.")
    for log in ledger.logs(session):
        for contact in ledger.contacts(session, log).values():
            if contact.trouble in ("ahead", "conflict"):
                yield bad("witnesses", f"{contact.key.partition('+')[0]} contradicts the log {log}. Keep a backup, change nothing, and ask it for its evidence.")
    if not names:
        yield note("witnesses", "None is named yet; the regulation of each competition names them.")
    elif not silent:
        yield well("witnesses", f"{len(names)} answer, and every log continues what they signed.")


def look_at_files(session: Session) -> Iterator[Finding]:
    seen, damaged = stored_files.check(session)
    if damaged:
        yield bad("files", f"{len(damaged)} of {seen} files of candidates are not as they were handed in, the first: {damaged[0]}.")
    else:
        yield well("files", f"{seen} files of candidates, each as it was handed in.")


def look_at_backups(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    last = backup.last(settings)
    needed = settings.mode == "production" and session.scalar(select(func.count()).select_from(Competition))
    say = bad if needed else note
    if last is None:
        yield say("backup", "There is none. Run: examsvc backup FOLDER")
        return
    at, path = last
    if now - at > BACKUP_PATIENCE:
        yield say("backup", f"The last was made on {at:%Y-%m-%d at %H:%M} UTC. Run: examsvc backup {path.parent}")
    elif not path.exists():
        yield note("backup", f"The last was made on {at:%Y-%m-%d at %H:%M} UTC; {path} is not there any more, so it should be elsewhere.")
    else:
        yield well("backup", f"The last was made on {at:%Y-%m-%d at %H:%M} UTC: {path}.")
