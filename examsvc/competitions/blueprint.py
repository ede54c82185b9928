"""The blueprint that all pages about competitions share, and who may enter which."""

from __future__ import annotations

from flask import Blueprint, g

from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries
from examsvc.competitions.models import Competition

bp = Blueprint("competitions", __name__, template_folder="templates")

SETTERS = ("hr-officer", "council-secretary")
"""Roles that set a competition up and lead it on."""
READERS = (
    *SETTERS,
    "council-chair",
    "council-member",
    "competent-authority",
    "supervisor",
    "system-administrator",
)
"""Roles that see how it is set up."""
DECIDERS = ("hr-officer", "council-chair", "council-secretary", "competent-authority")
"""Roles that may propose a reasoned decision; who approves, the regulation says."""


def is_reader(slug: str) -> bool:
    """Whether the person before the page holds a role in this competition that sees its set-up."""
    actor: Actor | None = g.get("actor")
    return actor is not None and any(actor.holds(role, slug) for role in READERS)


def may_set(slug: str) -> bool:
    """Whether the person before the page may set this competition up and lead it on."""
    actor: Actor | None = g.get("actor")
    return actor is not None and any(actor.holds(role, slug) for role in SETTERS)


def require_setter(slug: str) -> None:
    """Refuses those who only read."""
    if not may_set(slug):
        raise Refused(N_("Your role may read this, not change it. A personnel officer or the secretary does."))


def visible(competition: Competition) -> Competition:
    """The competition for this reader; NotFound for the public before the notice, or while it is withheld."""
    if queries.is_public(competition):
        return competition
    actor: Actor | None = g.get("actor")
    if actor is None or not actor.roles_in(competition.slug):
        raise NotFound()
    return competition
