"""What the course of a competition must ask of higher rooms, and what it tells them; they fill these registries when imported.

Facts: which of the facts in ``phases.FACTS`` hold ("marks-locked:written").  Affected: the accounts of the candidates whom a decision
concerns.  Told: a phase was entered; a decision was carried out (a sitting is moved, a part is annulled).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Set
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from examsvc.accounts import oracles as accounts
from examsvc.competitions.models import Competition, Decision
from examsvc.competitions.phases import Phase

FactsOf = Callable[[Session, Competition, datetime], Set[str]]
AffectedBy = Callable[[Session, Competition, Collection[str]], Collection[int]]
Entered = Callable[[Session, Competition, Phase, datetime], None]
Decided = Callable[[Session, Competition, Decision, datetime], None]

_facts: list[FactsOf] = []
_affected: list[AffectedBy] = []
_entered: list[Entered] = []
_decided: list[Decided] = []


def facts_from(source: FactsOf) -> FactsOf:
    """Registers a room that knows facts: it answers with those that hold."""
    if source not in _facts:
        _facts.append(source)
    return source


def affected_from(source: AffectedBy) -> AffectedBy:
    """Registers the room that knows the candidates of posts: it answers with their accounts."""
    if source not in _affected:
        _affected.append(source)
    return source


def when_entered(listener: Entered) -> Entered:
    """Registers who is told that a phase was entered, in the same transaction."""
    if listener not in _entered:
        _entered.append(listener)
    return listener


def when_decided(listener: Decided) -> Decided:
    """Registers who is told that a decision was carried out, in the same transaction, after standing and dates changed."""
    if listener not in _decided:
        _decided.append(listener)
    return listener


def facts(session: Session, competition: Competition, now: datetime) -> set[str]:
    """Every fact that a higher room says holds."""
    return {one for source in _facts for one in source(session, competition, now)}


def affected(session: Session, competition: Competition, posts: Collection[str]) -> list[int]:
    """Accounts of the candidates of these posts; of all candidates where no room tells them apart."""
    if _affected:
        return sorted({one for source in _affected for one in source(session, competition, posts)})
    return sorted({one.account_id for one in accounts.candidates(session, competition.slug)})


def tell_entered(session: Session, competition: Competition, phase: Phase, now: datetime) -> None:
    for listener in _entered:
        listener(session, competition, phase, now)


def tell_decided(session: Session, competition: Competition, decision: Decision, now: datetime) -> None:
    for listener in _decided:
        listener(session, competition, decision, now)


@dataclass(frozen=True)
class Link:
    """A way from the notice to a page of a higher room; ``label`` is a marked sentence, the main one is shown as a button."""

    label: str
    endpoint: str
    main: bool = False


LinksOf = Callable[[Session, Competition, datetime], list[Link]]
_links: list[LinksOf] = []


def links_from(source: LinksOf) -> LinksOf:
    """Registers what a room offers to the public in a competition now: to apply, the lists, the results."""
    if source not in _links:
        _links.append(source)
    return source


def links(session: Session, competition: Competition, now: datetime) -> list[Link]:
    """What the public can do or read now, the main thing first."""
    found = [link for source in _links for link in source(session, competition, now)]
    return sorted(found, key=lambda link: not link.main)
