"""What people's rules must ask of higher rooms, which fill these registries when they are imported.

Which roles a competition has and which exclude each other (competitions), who its candidates are (applications), who is
under discipline (careers).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations

from sqlalchemy.orm import Session

from examsvc.accounts import rules
from examsvc.accounts.approvals import Terms
from examsvc.base.errors import NotFound


@dataclass(frozen=True)
class Board:
    """What a regulation says about the people who act.

    ``roles`` maps a role to the least number of people; ``conflicts`` are pairs that one person may not hold;
    ``blocking`` and ``declared`` are relations to a candidate, as in ``rules.relations``, which bar from, or lead to
    recusal in, the roles ``barred``; ``grant`` says who approves that a role is given or taken.
    """

    title: dict[str, str]
    roles: dict[str, int]
    conflicts: frozenset[frozenset[str]]
    grant: Terms
    blocking: frozenset[str] = frozenset()
    declared: tuple[str, ...] = ()
    barred: frozenset[str] = frozenset()
    discipline_bars: bool = False
    stages: tuple[str, ...] = ()
    posts: tuple[str, ...] = ()
    approves: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The steps that each role approves, as sentences."""


@dataclass(frozen=True)
class Candidate:
    """A candidate of a competition: the account, and the code of the application for the ledger."""

    account_id: int
    application: str | None = None


INSTALLATION = Board(
    title={"vi": "Toàn hệ thống", "en": "The whole installation"},
    roles={"system-administrator": 2, "hr-officer": 0},
    conflicts=frozenset(frozenset(pair) for pair in combinations(rules.INSTALLATION_ROLES, 2)),
    grant=Terms(("system-administrator",), 2, timedelta(days=7)),
)
RECOVERY = Terms(rules.INSTALLATION_ROLES, 2, rules.RECOVERY_LASTS)
"""Who lets somebody begin anew who cannot sign in: any two administrators or personnel officers of the installation."""

BoardOf = Callable[[Session, str], Board | None]
CandidatesOf = Callable[[Session, str], list[Candidate]]
UnderDiscipline = Callable[[Session, int, date], bool]

_boards: list[BoardOf] = []
_candidates: list[CandidatesOf] = []
_discipline: list[UnderDiscipline] = []


def board_from(source: BoardOf) -> BoardOf:
    """Registers the room that knows a competition's regulation; it answers None for a slug that it does not know."""
    if source not in _boards:
        _boards.append(source)
    return source


def candidates_from(source: CandidatesOf) -> CandidatesOf:
    """Registers the room that knows who applied."""
    if source not in _candidates:
        _candidates.append(source)
    return source


def discipline_from(source: UnderDiscipline) -> UnderDiscipline:
    """Registers the room that knows who is under discipline on a day."""
    if source not in _discipline:
        _discipline.append(source)
    return source


def board(session: Session, competition: str) -> Board:
    """The board of a competition, or of the installation for ""; NotFound for a slug that nobody knows."""
    if competition == "":
        return INSTALLATION
    for source in _boards:
        found = source(session, competition)
        if found is not None:
            return found
    raise NotFound()


def candidates(session: Session, competition: str) -> list[Candidate]:
    return [one for source in _candidates for one in source(session, competition)]


def under_discipline(session: Session, account_id: int, day: date) -> bool:
    return any(source(session, account_id, day) for source in _discipline)
