"""Building the demonstration installation once, and what it prints."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path

from sqlalchemy import inspect, make_url
from sqlalchemy.orm import Session

from examsvc.base.clock import system_clock
from examsvc.base.database import make_engine
from examsvc.base.errors import Refused
from examsvc.demonstration import story, witnesses
from examsvc.demonstration.people import CANDIDATES, STAFF
from examsvc.ledger import duties, signing
from examsvc.migrations import apply
from examsvc.papers import vault
from examsvc.results import editions
from examsvc.settings import Settings


def sign(session: Session, settings: Settings) -> None:
    """All logs are signed and shown to the demonstration's witnesses, and what is published gets its bundles."""
    signing.configure(signing.Installation(settings.log_key(), settings.folder, settings.witness_address))
    witnesses.follow(session, settings.folder)
    duties.sign_and_show(session, system_clock())
    editions.freeze_all(session, system_clock())


OWN_FILE = "examsvc.sqlite"


def _place(settings: Settings) -> str:
    """Where the demonstration's database is, without any password: a file of the folder unless EXAMSVC_DATABASE_URL names another."""
    if not settings.database_url:
        return OWN_FILE
    return make_url(settings.database_address()).render_as_string(hide_password=True)


def _build(folder: Path, settings: Settings) -> None:
    """Builds into the folder's own file anew, into another database only where it has no tables: it may be somebody's installation."""
    engine = make_engine(settings.database_address())
    if settings.database_url and (unreachable := apply.unreachable(engine)):
        raise Refused(unreachable)
    if settings.database_url and inspect(engine).get_table_names():
        raise Refused(
            "The database %(place)s is in use: it has tables. A demonstration is built in an empty database; nothing was changed.",
            place=_place(settings),
        )
    for left in folder.glob(f"{OWN_FILE}*"):
        left.unlink()  # of a build that was cut off
    for name in ("witnesses", "witnessed"):
        shutil.rmtree(folder / name, ignore_errors=True)
    vault.use(settings.bank_keys())
    apply.upgrade(engine)
    with Session(engine) as session:
        story.tell(session, system_clock(), secret=settings.log_key(), host=settings.host)
        sign(session, settings)
    engine.dispose()
    (folder / "ready").write_text(_place(settings) + "\n", encoding="utf-8")


def ensure(folder: Path, address: str) -> Iterator[str]:
    """Builds the installation in the folder unless it is there, and yields the lines to print.

    Raises Refused for a folder with anything in it but a demonstration, for a database outside the folder that is not empty,
    and when the folder's demonstration is in another database than the settings name: what may be somebody's installation is
    neither built over nor opened to whoever clicks on a name.
    """
    settings = Settings(folder=folder, mode="demo", base_url=address)
    building, ready = folder / "building", folder / "ready"
    if folder.exists() and any(folder.iterdir()) and not building.exists():
        raise Refused(
            "The folder %(folder)s is not empty and holds no demonstration. Name another one with --folder; nothing was changed.",
            folder=folder,
        )
    folder.mkdir(parents=True, exist_ok=True)
    with building.open("w", encoding="ascii") as lock:
        flock(lock, LOCK_EX)  # a second start waits for the first one's building
        try:
            if not ready.exists():
                _build(folder, settings)
        except Refused:
            building.unlink()  # the folder is not marked as a demonstration's by what was refused
            raise
    if (built := ready.read_text(encoding="utf-8").strip()) != _place(settings):
        raise Refused(
            "The demonstration in %(folder)s is in the database %(built)s, but the settings name %(place)s. Change"
            " EXAMSVC_DATABASE_URL, or name another folder with --folder.",
            folder=folder,
            built=built,
            place=_place(settings),
        )
    yield f"The demonstration stands in {folder}/ – delete the folder to build it anew."
    yield f"Open {address}/demo and click on a name to sign in as that person."
    yield f"Or sign in with the address below and the password: {story.PASSWORD}"
    yield ""
    for person in STAFF:
        yield f"  {person.handle + '@' + story.DOMAIN:36} {person.name:24} {', '.join(person.roles)}"
    for person in CANDIDATES[:3]:
        yield f"  {person.handle + '@' + story.DOMAIN:36} {person.name:24} candidate"
    yield f"  … and {len(CANDIDATES) - 3} more candidates on the page /demo"
