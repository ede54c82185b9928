"""Decisions about people: how many tries, which passwords, which roles together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from examsvc.base.errors import N_

TRY_WINDOW = timedelta(minutes=15)
MOST_TRIES_PER_ACCOUNT = 8
SHORTEST_PASSWORD = 12

ROLE_NAMES = {
    "competent-authority": N_("Competent authority"),
    "council-chair": N_("Chair of the council"),
    "council-secretary": N_("Secretary of the council"),
    "council-member": N_("Member of the council"),
    "hr-officer": N_("Personnel officer"),
    "question-setter": N_("Question setter"),
    "paper-approver": N_("Paper approver"),
    "custodian": N_("Custodian of the paper"),
    "chief-invigilator": N_("Chief invigilator"),
    "invigilator": N_("Invigilator"),
    "code-custodian": N_("Custodian of the codes"),
    "chief-examiner": N_("Chief examiner"),
    "marker": N_("Marker"),
    "re-marker": N_("Re-marker"),
    "panel-chair": N_("Chair of the panel"),
    "panel-member": N_("Member of the panel"),
    "supervisor": N_("Supervisor"),
    "observer": N_("Observer"),
    "system-administrator": N_("System administrator"),
}
"""Roles to which the software gives a meaning; a regulation says which of them a competition has and how many people."""

INSTALLATION_ROLES = ("system-administrator",)


def locked(tries_of_account: int) -> bool:
    """Whether an account must wait: too many failures within the window.

    Addresses never lock: a hall's candidates share one.
    """
    return tries_of_account >= MOST_TRIES_PER_ACCOUNT


def conflicts(held: Iterable[str], asked: str, matrix: Collection[frozenset[str]]) -> list[str]:
    """Roles already held that the matrix of conflicting pairs does not allow together with the asked one, sorted."""
    return sorted({role for role in held if role != asked and frozenset((role, asked)) in matrix})
