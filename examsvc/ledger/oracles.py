"""What the ledger asks of higher rooms: the stages of a competition, the saves behind its chains, documents, who may look.

One source answers for all competitions; it is registered where all rooms are known (``results.log_source``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from examsvc.ledger.bundle import Save
from examsvc.ledger.definitions import StageKind


@dataclass(frozen=True)
class Place:
    """What pages about a log show of its competition: its title by language, and the object that the shell's pages take."""

    slug: str
    title: Mapping[str, str]
    public: bool
    competition: Any


@dataclass(frozen=True)
class StoredSave:
    """One save as its row stands: ``number`` counts all saves upwards in the order in which they were stored."""

    number: int
    attempt: str
    link: int
    save: Save


class Reader(Protocol):
    """Who looks: what ``base.access.Actor`` is."""

    @property
    def account_id(self) -> int:
        """The number of the account."""

    def holds(self, role: str, competition: str = "") -> bool:
        """Whether the role is held there."""


class Source(Protocol):
    """What somebody who knows all rooms can say about the log named after a competition's slug."""

    def stages(self, session: Session, log: str) -> Mapping[str, Mapping[str, frozenset[StageKind]]]:
        """Declared stages of each post, with the kinds of their parts."""

    def saves(self, session: Session, log: str, *, after: int = 0, attempt: str | None = None) -> Iterable[StoredSave]:
        """Saves with a higher number, in its order; of one attempt or of all."""

    def documents(self, session: Session, log: str) -> list[bytes]:
        """Files whose SHA-256 may stand in an entry: regulation, policy, notices, published lists, sealed papers."""

    def outside(self, session: Session, log: str) -> Mapping[str, bytes]:
        """Outside values of draws, by draw, as they were published."""

    def place(self, session: Session, log: str) -> Place | None:
        """The competition of a log; None where there is none."""

    def may_inspect(self, session: Session, log: str, actor: Reader) -> bool:
        """Whether this person is entitled to the restricted edition of the bundle, and to a withheld competition's record."""


_sources: list[Source] = []


def competitions_from(source: Source) -> Source:
    """Registers the source; a second one takes the first one's place."""
    _sources[:] = [source]
    return source


def competitions() -> Source:
    """The registered source; RuntimeError when nobody registered one: a mistake in our code."""
    if not _sources:
        raise RuntimeError("no room has registered as the source of the ledger's competitions")
    return _sources[0]
