"""Building the demonstration installation once, and what it prints."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path

from sqlalchemy.orm import Session

from examsvc.base.clock import system_clock
from examsvc.base.database import make_engine
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


def _build(folder: Path, address: str) -> None:
    for left in folder.glob("examsvc.sqlite*"):
        left.unlink()  # of a build that was cut off
    for name in ("witnesses", "witnessed"):
        shutil.rmtree(folder / name, ignore_errors=True)
    settings = Settings(folder=folder, mode="demo", base_url=address)
    vault.use(settings.bank_keys())
    engine = make_engine(settings.database_address())
    apply.upgrade(engine)
    with Session(engine) as session:
        story.tell(session, system_clock(), secret=settings.log_key(), host=settings.host)
        sign(session, settings)
    engine.dispose()
    (folder / "ready").write_text("the demonstration is built\n", encoding="ascii")


def ensure(folder: Path, address: str) -> Iterator[str]:
    """Builds the installation in the folder unless it is there, and yields the lines to print."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "building").open("w", encoding="ascii") as lock:
        flock(lock, LOCK_EX)  # a second start waits for the first one's building
        if not (folder / "ready").exists():
            _build(folder, address)
    yield f"The demonstration stands in {folder}/ – delete the folder to build it anew."
    yield f"Open {address}/demo and click on a name to sign in as that person."
    yield f"Or sign in with the address below and the password: {story.PASSWORD}"
    yield ""
    for person in STAFF:
        yield f"  {person.handle + '@' + story.DOMAIN:36} {person.name:24} {', '.join(person.roles)}"
    for person in CANDIDATES[:3]:
        yield f"  {person.handle + '@' + story.DOMAIN:36} {person.name:24} candidate"
    yield f"  … and {len(CANDIDATES) - 3} more candidates on the page /demo"
