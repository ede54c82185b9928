"""Decisions about people: how many tries, which passwords, which roles together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

TRY_WINDOW = timedelta(minutes=15)
MOST_TRIES_PER_ACCOUNT = 8
SHORTEST_PASSWORD = 12

INSTALLATION_ROLES = ("administrator",)


def locked(tries_of_account: int) -> bool:
    """Whether an account must wait: too many failures within the window.

    Addresses never lock: a hall's candidates share one.
    """
    return tries_of_account >= MOST_TRIES_PER_ACCOUNT


def conflicts(held: Iterable[str], asked: str, matrix: Collection[frozenset[str]]) -> list[str]:
    """Roles already held that the matrix of conflicting pairs does not allow together with the asked one, sorted."""
    return sorted({role for role in held if role != asked and frozenset((role, asked)) in matrix})
