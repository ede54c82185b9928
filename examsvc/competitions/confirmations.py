"""Which clauses a person must confirm before a regulation is used, and whether that was done.

A regulation that is not in force on the day, or that has clauses which were not read in their source, is used only after a
person has confirmed those clauses one by one. A confirmation is bound to the clause's content: an edited clause needs a new one.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from examsvc.competitions.regulation import Clause, Regulation, clauses
from examsvc.competitions.terms import path_key
from examsvc.ledger import canonical


@dataclass(frozen=True)
class OpenClause:
    """A clause that needs a confirmation."""

    path: str
    clause: Clause
    digest: str
    """SHA-256 of the clause's own content, see `clause_digest`."""
    fields: tuple[str, ...]
    """The fields not read in the source; empty where it is the whole clause."""
    reason: Literal["unverified", "not-in-force"]


@dataclass(frozen=True)
class Confirmation:
    """A person stands for a clause."""

    path: str
    digest: str
    """The digest that the clause had when it was confirmed."""
    person: str
    at: datetime


def clause_digest(clause: Clause) -> str:
    """SHA-256, in hexadecimal, of the canonical bytes of the clause; clauses inside it count by their names only."""
    return hashlib.sha256(canonical.encode(_own_content(clause))).hexdigest()


def _own_content(clause: Clause) -> dict[str, Any]:
    content = clause.model_dump(mode="json")
    for name in type(clause).model_fields:
        value = getattr(clause, name)
        if isinstance(value, Clause):
            content[name] = path_key(value) or name
        elif isinstance(value, tuple) and any(isinstance(item, Clause) for item in value):
            content[name] = [path_key(item) for item in value]
    return content


def clauses_to_confirm(regulation: Regulation, on: date) -> tuple[OpenClause, ...]:
    """The clauses that need a confirmation for use on this day: all of them where the rule is not in force then."""
    in_force = regulation.in_force.on(on)
    return tuple(
        OpenClause(
            path,
            clause,
            clause_digest(clause),
            clause.unverified_fields,
            "not-in-force" if clause.verified and not clause.unverified_fields else "unverified",
        )
        for path, clause in clauses(regulation)
        if not in_force or not clause.verified or clause.unverified_fields
    )


def missing_confirmations(
    regulation: Regulation, confirmations: Iterable[Confirmation], on: date
) -> tuple[OpenClause, ...]:
    """The clauses that still need one; empty means that the regulation may be used on this day."""
    given = {
        (confirmation.path, confirmation.digest)
        for confirmation in confirmations
        if confirmation.person.strip()
    }
    return tuple(
        clause for clause in clauses_to_confirm(regulation, on) if (clause.path, clause.digest) not in given
    )
