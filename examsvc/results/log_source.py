"""What the ledger asks about competitions, answered where all rooms are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.applications import queries as applications
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger import canonical as canonical_json
from examsvc.ledger import draw_records, oracles, order
from examsvc.ledger.bundle import Save
from examsvc.ledger.definitions import StageKind
from examsvc.ledger.oracles import Place, Reader, StoredSave
from examsvc.sittings import models as sittings

INSPECT = ("competent-authority", "council-chair", "council-secretary", "supervisor")
"""Roles entitled to the restricted edition; so is every candidate."""


class Competitions:
    """The source for all competitions of an installation."""

    def stages(self, session: Session, log: str) -> Mapping[str, Mapping[str, frozenset[StageKind]]]:
        competition = competitions.competition(session, log)
        declared = _declared(competition.regulation_document.digest, competition.regulation_document.canonical)
        return {post.code: declared for post in competition.posts}

    def saves(
        self, session: Session, log: str, *, after: int = 0, attempt: str | None = None
    ) -> Iterable[StoredSave]:
        row = sittings.Save
        chosen = (
            select(row.id, sittings.Attempt.code, row.link, row.commitment, row.salt, row.slot, row.version)
            .add_columns(row.save_id, row.value, row.saved_at, row.late)
            .join(sittings.Attempt, sittings.Attempt.id == row.attempt_id)
            .join(sittings.Sitting, sittings.Sitting.id == sittings.Attempt.sitting_id)
            .join(Competition, Competition.id == sittings.Sitting.competition_id)
            .where(Competition.slug == log, row.id > after)
        )
        if attempt is not None:
            chosen = chosen.where(sittings.Attempt.code == attempt).order_by(row.link)
        else:
            chosen = chosen.order_by(row.id)
        for one in session.execute(chosen.execution_options(yield_per=2000)):
            value = {
                "attempt": one.code,
                "slot": one.slot,
                "version": one.version,
                "save": one.save_id,
                "value": one.value,
                "saved_at": int(one.saved_at.timestamp()),
                "late": one.late,
            }
            opened = Save(one.commitment, bytes.fromhex(one.salt), value) if one.salt else Save(one.commitment)
            yield StoredSave(one.id, one.code, one.link, opened)

    def documents(self, session: Session, log: str) -> list[bytes]:
        """Regulation, policy of witnesses and every notice; lists with names are left where they can be taken down."""
        competition = competitions.competition(session, log)
        found = [competition.regulation_document.canonical.encode()]
        if competition.policy:
            found.append(competition.policy.encode())
        return [*found, *(notice.document.encode() for notice in competition.notices)]

    def outside(self, session: Session, log: str) -> Mapping[str, bytes]:
        """What two people read; draws held by the server have none, their outside value is a leaf of the log itself."""
        return draw_records.outside_values(session, log)

    def place(self, session: Session, log: str) -> Place | None:
        found = session.scalar(select(Competition).where(Competition.slug == log))
        if found is None:
            return None
        return Place(found.slug, found.title, competitions.is_public(found), found)

    def may_inspect(self, session: Session, log: str, actor: Reader) -> bool:
        if any(actor.holds(role, log) for role in INSPECT):
            return True
        found = competitions.competition(session, log)
        own = applications.all_of_account(session, found.id, actor.account_id)
        return any(one.candidate_number is not None for one in own)


_known: dict[str, dict[str, frozenset[StageKind]]] = {}


def _declared(digest: str, canonical: str) -> dict[str, frozenset[StageKind]]:
    if digest not in _known:
        _known[digest] = order.declared_stages(canonical_json.decode(canonical.encode()))
    return _known[digest]


def every(session: Session, log: str) -> Iterator[StoredSave]:
    """All saves of a competition in the order of the bundle: attempt by attempt, link by link."""
    yield from sorted(SOURCE.saves(session, log), key=lambda one: (one.attempt, one.link))


SOURCE = oracles.competitions_from(Competitions())
