"""Each thing that can be wrong with an installation is said in a sentence, and nothing is said to be wrong with one that is well."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import examsvc.app  # noqa: F401 - rooms register their duties
from examsvc.base import documents, jobs
from examsvc.base.clock import system_clock
from examsvc.base.database import make_engine, writing
from examsvc.base.jobs import DutyRecord
from examsvc.cli import examsvc as command
from examsvc.commands import backup, doctor
from examsvc.commands.doctor import State
from examsvc.ledger import defences
from examsvc.settings import Settings
from tests.commands.conftest import Furnished


def every_duty_done(engine: Engine, at: datetime) -> None:
    with Session(engine) as session, writing(session):
        session.execute(text("DELETE FROM duties"))
        session.add_all([DutyRecord(name=name, due_at=at) for name in jobs._duties])


@pytest.fixture
def installation(furnished_sqlite: Furnished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation that is well: keys, worker and backup are there."""
    folder = tmp_path / "well"
    folder.mkdir(mode=0o700)
    shutil.copytree(furnished_sqlite.settings.folder / "keys", folder / "keys")
    (folder / "keys").chmod(0o700)
    raw = furnished_sqlite.engine.raw_connection()
    raw.cursor().execute("VACUUM INTO ?", (str(folder / "examsvc.sqlite"),))
    raw.close()
    settings = Settings(mode="test", folder=folder)
    for name, value in {"FOLDER": folder, "MODE": "test"}.items():
        monkeypatch.setenv(f"EXAMSVC_{name}", str(value))
    engine = make_engine(settings.database_address())
    every_duty_done(engine, system_clock())
    now = system_clock()
    backup.remember(settings, tmp_path / "a.zip", backup.write(engine, tmp_path / "a.zip", settings, now, lambda *_: None))
    engine.dispose()
    return settings


def sentences(state: State, now: datetime | None = None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in doctor.examine(now or system_clock()):
        assert one.sentence
        assert "\n" not in one.sentence
        if one.state is state:
            found.setdefault(one.subject, []).append(one.sentence)
    return found


@pytest.mark.usefixtures("installation")
def test_one_that_is_well() -> None:
    done = CliRunner().invoke(command, ["doctor", "--json"])
    told = json.loads(done.stdout)
    assert {one["subject"] for one in told} == {
        "settings", "keys", "disk", "fonts", "mail", "database", "clock", "people", "worker", "log", "witnesses", "files", "backup", "pace",
    }  # fmt: skip
    assert [one for one in told if one["state"] == "bad"] == []
    assert done.exit_code == 0
    assert [one["sentence"] for one in told if one["subject"] == "files"] == ["8 files of candidates, each as it was handed in."]
    plain = CliRunner().invoke(command, ["doctor"])
    assert len(plain.stdout.splitlines()) == len(told)
    assert "ok    files:" in plain.stdout


def test_a_new_installation_with_its_worker_is_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FOLDER": tmp_path / "new", "BASE_URL": "https://thi.example.vn"}.items():
        monkeypatch.setenv(f"EXAMSVC_{name}", str(value))
    runner = CliRunner()
    empty = runner.invoke(command, ["doctor"])
    assert empty.exit_code == 1
    assert "Begin with examsvc init" in empty.stdout
    people = ["--first", "An <an@example.vn>", "--second", "Bình <binh@example.vn>"]
    assert runner.invoke(command, ["init", *people]).exit_code == 0
    every_duty_done(make_engine(Settings().database_address()), system_clock())
    done = runner.invoke(command, ["doctor"])
    assert done.exit_code == 0, done.stdout
    assert "BAD" not in done.stdout


# ---------------------------------------------------------------- each thing that can be wrong

Harm = Callable[[Settings, Session], None]


def a_key_for_everybody(settings: Settings, _: Session) -> None:
    (settings.folder / "keys" / "people").chmod(0o644)


def a_broken_key(settings: Settings, _: Session) -> None:
    (settings.folder / "keys" / "banks").write_text("x")


def a_folder_for_everybody(settings: Settings, _: Session) -> None:
    settings.folder.chmod(0o755)
    (settings.folder / "examsvc.sqlite").chmod(0o644)


def no_trigger(_: Settings, session: Session) -> None:
    session.execute(text("DROP TRIGGER log_entries_no_update"))


def a_dangling_row(_: Settings, session: Session) -> None:
    raw = session.get_bind().raw_connection()
    for statement in ("PRAGMA foreign_keys = OFF", "UPDATE posts SET competition_id = 999", "PRAGMA foreign_keys = ON"):
        raw.cursor().execute(statement)
    raw.close()


def an_old_version(_: Settings, session: Session) -> None:
    session.execute(text("DROP TABLE alembic_version"))


def nobody_works(_: Settings, session: Session) -> None:
    session.execute(text("UPDATE duties SET due_at = '2026-01-01 00:00:00.000000'"))


def work_given_up(_: Settings, session: Session) -> None:
    session.add(jobs.Job(kind="x", arguments={}, state="failed", asked_at=system_clock(), due_at=system_clock()))


def a_changed_entry(_: Settings, session: Session) -> None:
    _without_triggers(session, "UPDATE log_entries SET leaf = '00' WHERE log = 'mot' AND position = 3")


def a_changed_opening(_: Settings, session: Session) -> None:
    _without_triggers(session, "UPDATE log_openings SET salt = replace(salt, 'a', 'b')")


def a_changed_file(_: Settings, session: Session) -> None:
    session.execute(text("UPDATE file_versions SET content = zeroblob(length(content)) WHERE id = 1"))


def a_backup_of_last_month(settings: Settings, _: Session) -> None:
    noted = json.loads((settings.folder / backup.LAST).read_text())
    noted["at"] = (system_clock() - timedelta(days=30)).isoformat()
    (settings.folder / backup.LAST).write_text(json.dumps(noted))


def no_backup(settings: Settings, _: Session) -> None:
    (settings.folder / backup.LAST).unlink()


def _without_triggers(session: Session, statement: str) -> None:
    table = statement.split()[1]
    for name in (f"{table}_no_update", f"{table}_no_delete"):
        session.execute(text(f"DROP TRIGGER {name}"))
    session.execute(text(statement))
    defences.put_up(session.connection())


HARMS: tuple[tuple[Harm, State, str, str], ...] = (
    (a_key_for_everybody, State.BAD, "keys", "chmod go="),
    (a_broken_key, State.BAD, "keys", "key banks is not"),
    (a_folder_for_everybody, State.BAD, "disk", "can be read by others"),
    (no_trigger, State.BAD, "database", "log_entries_no_update"),
    (a_dangling_row, State.BAD, "database", "refer to others"),
    (an_old_version, State.BAD, "database", "There is no database yet"),
    (nobody_works, State.BAD, "worker", "Start a worker"),
    (work_given_up, State.BAD, "worker", "1 pieces of work"),
    (a_changed_entry, State.BAD, "log", "mot: 1 mistakes"),
    (a_changed_opening, State.BAD, "log", "does not open it"),
    (a_changed_file, State.BAD, "files", "1 of 8 files"),
    (a_backup_of_last_month, State.NOTE, "backup", "The last was made on"),
    (no_backup, State.NOTE, "backup", "There is none"),
)


@pytest.mark.parametrize(("harm", "state", "subject", "words"), HARMS, ids=[one[0].__name__ for one in HARMS])
def test_what_is_wrong_is_said(installation: Settings, harm: Harm, state: State, subject: str, words: str) -> None:
    assert words not in " ".join(sentences(state).get(subject, []))
    engine = make_engine(installation.database_address())
    with Session(engine) as session:
        harm(installation, session)
        session.commit()
    assert words in " ".join(sentences(state).get(subject, []))


@pytest.mark.usefixtures("installation")
def test_what_stands_outside_is_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    early = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
    assert "behind the newest entry" in sentences(State.BAD, early)["clock"][0]
    monkeypatch.setattr(doctor, "clock_is_synchronised", lambda: False)
    assert "is not synchronised" in sentences(State.NOTE)["clock"][0]
    with socket.socket() as taken:  # nobody listens on a port that is only bound
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("EXAMSVC_SMTP_URL", f"smtp://127.0.0.1:{taken.getsockname()[1]}")
        assert "does not take letters" in sentences(State.BAD)["mail"][0]
        monkeypatch.setenv("EXAMSVC_DATABASE_URL", f"postgresql://x@127.0.0.1:{taken.getsockname()[1]}/x")
        assert "does not answer" in sentences(State.BAD)["database"][0]
    monkeypatch.setattr(doctor, "LETTERS", "龘")
    assert "could not be displayed" in sentences(State.BAD)["fonts"][0]
    monkeypatch.setattr(doctor, "LEAST_FREE", 2**60)
    assert "Make room" in sentences(State.BAD)["disk"][0]
    monkeypatch.setattr(documents, "check_fonts", lambda text: 1 // 0)
    assert sentences(State.BAD)["fonts"] == ["This could not be looked at: ZeroDivisionError: integer division or modulo by zero"]
    monkeypatch.setenv("EXAMSVC_MODE", "production")
    monkeypatch.setenv("EXAMSVC_BASE_URL", "http://thi.example.vn")
    assert "https://" in sentences(State.BAD)["settings"][0]


@pytest.mark.usefixtures("installation")
def test_a_disk_that_holds_up_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = [0.001] * 100
    monkeypatch.setattr(doctor, "_sync_waits", lambda folder: waits)
    assert sentences(State.WELL)["pace"] == ["The disk of the database keeps a commit within 1.0 ms mostly, 1 ms at worst of 100."]
    waits[7] = 0.3
    assert "1.0 ms mostly, 300 ms at worst" in sentences(State.NOTE)["pace"][0]


def test_the_disk_is_tried_without_leaving_a_trace(tmp_path: Path) -> None:
    waits = list(doctor._sync_waits(tmp_path))
    assert len(waits) == 100
    assert min(waits) > 0
    assert list(tmp_path.iterdir()) == []


def test_both_kinds_of_database_are_looked_into(furnished: Furnished) -> None:
    engine, now = furnished.engine, system_clock()
    findings = list(doctor.look_at_database(engine))
    if engine.dialect.name == "postgresql":  # the server of the tests runs without fsync, which no exam should
        assert [one.sentence.partition(":")[0] for one in findings if one.state is State.BAD] == ["PostgreSQL has fsync = off"]
    assert findings[-1].state is State.WELL
    with Session(engine) as session:
        for look in (doctor.look_at_logs, doctor.look_at_files):
            assert {one.state for one in look(session)} == {State.WELL}
        assert State.BAD not in {one.state for one in doctor.look_at_clock(session, now)}
        assert [one.state for one in doctor.look_at_worker(session, now)] == [State.BAD]
        assert [one.state for one in doctor.look_at_backups(session, furnished.settings, now)] == [State.NOTE]


def test_a_log_that_a_witness_saw_longer_is_bad(installation: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness's proof is bad news, its silence only a note."""
    from examsvc.ledger import signing, witnessing

    def unsound(session: object, sender: object) -> list[str]:
        raise signing.Unsound("The log mot has 3 entries, but a checkpoint of 5 is signed.")

    monkeypatch.setattr(witnessing, "require_witnessed", unsound)
    told = json.loads(CliRunner().invoke(command, ["doctor", "--json"]).stdout)
    assert [one["state"] for one in told if one["subject"] == "witnesses"] == ["bad"]
    monkeypatch.setattr(witnessing, "require_witnessed", lambda session, sender: ["witness.example/w1: no route"])
    told = json.loads(CliRunner().invoke(command, ["doctor", "--json"]).stdout)
    states = {one["state"] for one in told if one["subject"] == "witnesses"}
    assert "bad" not in states
    assert "note" in states
