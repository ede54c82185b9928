"""What other rooms may ask about people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts.models import Account, RoleGrant


def account(session: Session, account_id: int) -> Account:
    return session.get_one(Account, account_id)


def by_email(session: Session, email: str) -> Account | None:
    return session.scalar(select(Account).where(Account.email == email.strip().lower()))


def by_code(session: Session, code: str) -> Account | None:
    return session.scalar(select(Account).where(Account.code == code))


def active_grants(session: Session, account_id: int) -> list[RoleGrant]:
    """Grants of one person that two people made and nobody took back."""
    return list(
        session.scalars(
            select(RoleGrant)
            .where(RoleGrant.account_id == account_id, RoleGrant.approved_at.is_not(None), RoleGrant.revoked_at.is_(None))
            .order_by(RoleGrant.id)
        )
    )


def holders(session: Session, role: str, competition: str) -> list[Account]:
    """People who hold the role for the competition now, in the order of their grants."""
    return list(
        session.scalars(
            select(Account)
            .join(RoleGrant, RoleGrant.account_id == Account.id)
            .where(
                RoleGrant.role == role,
                RoleGrant.competition == competition,
                RoleGrant.approved_at.is_not(None),
                RoleGrant.revoked_at.is_(None),
                Account.disabled_at.is_(None),
            )
            .order_by(RoleGrant.id)
        )
    )


def roles_of(session: Session, account_id: int) -> frozenset[tuple[str, str]]:
    return frozenset((grant.role, grant.competition) for grant in active_grants(session, account_id))


def waiting_grants(session: Session) -> list[RoleGrant]:
    """Proposed grants that a second person has not yet approved."""
    return list(
        session.scalars(
            select(RoleGrant)
            .where(RoleGrant.approved_at.is_(None), RoleGrant.revoked_at.is_(None))
            .order_by(RoleGrant.proposed_at)
        )
    )


def held_at(session: Session, competition: str, moment: datetime) -> list[RoleGrant]:
    """Grants of a competition in force at that moment."""
    return [
        grant
        for grant in session.scalars(select(RoleGrant).where(RoleGrant.competition == competition))
        if grant.approved_at is not None
        and grant.approved_at <= moment
        and (grant.revoked_at is None or grant.revoked_at > moment)
    ]
