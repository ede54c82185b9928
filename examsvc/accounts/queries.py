"""What other rooms may ask about people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from examsvc.accounts.models import (
    Account,
    Declaration,
    GrantSuspension,
    Recusal,
    RoleGrant,
    SecondFactor,
    SignInSession,
)
from examsvc.base.errors import NotFound


def account(session: Session, account_id: int) -> Account:
    return session.get_one(Account, account_id)


def by_email(session: Session, email: str) -> Account | None:
    return session.scalar(select(Account).where(Account.email == email.strip().lower()))


def by_code(session: Session, code: str) -> Account | None:
    return session.scalar(select(Account).where(Account.code == code))


# ---------------------------------------------------------------- roles


def _in_force(now: datetime) -> list[ColumnElement[bool]]:
    """Grants that two people made, nobody took back, no relation suspends and time has not ended."""
    return [
        RoleGrant.granted_at <= now,
        or_(RoleGrant.until.is_(None), RoleGrant.until > now),
        or_(RoleGrant.revoked_at.is_(None), RoleGrant.revoked_at > now),
        ~exists().where(
            GrantSuspension.grant_id == RoleGrant.id,
            GrantSuspension.competition == RoleGrant.competition,
            GrantSuspension.lifted_at.is_(None),
        ),
    ]


def active_grants(session: Session, account_id: int, now: datetime) -> list[RoleGrant]:
    """Grants of one person that have an effect now."""
    return list(
        session.scalars(
            select(RoleGrant)
            .where(RoleGrant.account_id == account_id, *_in_force(now))
            .options(selectinload(RoleGrant.suspensions))
            .order_by(RoleGrant.id)
        )
    )


def grants_of(session: Session, competition: str) -> list[RoleGrant]:
    """Every grant of a competition that was not revoked, the suspended ones included, by role and person."""
    return list(
        session.scalars(
            select(RoleGrant)
            .join(RoleGrant.account)
            .where(RoleGrant.competition == competition, RoleGrant.revoked_at.is_(None))
            .options(contains_eager(RoleGrant.account))
            .order_by(RoleGrant.role, RoleGrant.id)
        )
    )


def holders(session: Session, role: str, competition: str, now: datetime) -> list[Account]:
    """People who hold the role for exactly this competition ("" for the installation) now, in the order of their grants."""
    return list(
        session.scalars(
            select(Account)
            .join(RoleGrant, RoleGrant.account_id == Account.id)
            .where(
                RoleGrant.role == role,
                RoleGrant.competition == competition,
                Account.disabled_at.is_(None),
                *_in_force(now),
            )
            .order_by(RoleGrant.id)
        )
    )


def roles_of(session: Session, account_id: int, now: datetime) -> frozenset[tuple[str, str]]:
    """Pairs (role, competition slug or "") that this person holds now."""
    held = select(RoleGrant.role, RoleGrant.competition).where(RoleGrant.account_id == account_id, *_in_force(now))
    return frozenset((role, competition) for role, competition in session.execute(held))


def excluded_from(session: Session, account_id: int) -> frozenset[tuple[str, str]]:
    """Pairs (role, competition slug): a role for the whole installation that has no effect in that competition."""
    return frozenset(
        (role, competition)
        for role, competition in session.execute(
            select(RoleGrant.role, GrantSuspension.competition)
            .join(GrantSuspension, GrantSuspension.grant_id == RoleGrant.id)
            .where(
                RoleGrant.account_id == account_id,
                RoleGrant.competition == "",
                RoleGrant.revoked_at.is_(None),
                GrantSuspension.lifted_at.is_(None),
            )
        )
    )


def held_at(session: Session, competition: str, moment: datetime) -> list[RoleGrant]:
    """Grants of a competition in force at that moment."""
    return [
        grant
        for grant in session.scalars(select(RoleGrant).where(RoleGrant.competition == competition).order_by(RoleGrant.id))
        if grant.granted_at <= moment
        and (grant.revoked_at is None or grant.revoked_at > moment)
        and (grant.until is None or grant.until > moment)
        and not any(
            one.at <= moment and (one.lifted_at is None or one.lifted_at > moment)
            for one in grant.suspensions
            if one.competition == competition
        )
    ]


def grant(session: Session, grant_id: int, competition: str) -> RoleGrant:
    found = session.get(RoleGrant, grant_id)
    if found is None or found.competition != competition:
        raise NotFound()
    return found


# ---------------------------------------------------------------- relations


def recused(session: Session, competition: str, account_id: int) -> set[int]:
    """Accounts of the candidates where this person takes no part: recusals, on record or not yet."""
    return set(
        session.scalars(
            select(Recusal.candidate_id).where(Recusal.competition == competition, Recusal.account_id == account_id)
        )
    )


def recusals(session: Session, competition: str) -> list[Recusal]:
    return list(session.scalars(select(Recusal).where(Recusal.competition == competition).order_by(Recusal.id)))


def declarations(session: Session, competition: str, account_id: int | None = None) -> list[Declaration]:
    """What was declared in a competition, by everybody or by one person, the oldest first."""
    wanted = select(Declaration).where(Declaration.competition == competition).order_by(Declaration.id)
    if account_id is not None:
        wanted = wanted.where(Declaration.account_id == account_id)
    return list(session.scalars(wanted))


def has_declared(session: Session, competition: str, account_id: int) -> bool:
    """Whether this person said that there is a relation, or that there is none."""
    return any(one.about != "contact" for one in declarations(session, competition, account_id))


def suspensions(session: Session, competition: str) -> list[GrantSuspension]:
    """Suspensions in force in this competition."""
    return list(
        session.scalars(
            select(GrantSuspension)
            .join(RoleGrant, RoleGrant.id == GrantSuspension.grant_id)
            .where(
                GrantSuspension.competition == competition,
                RoleGrant.revoked_at.is_(None),
                GrantSuspension.lifted_at.is_(None),
            )
            .order_by(GrantSuspension.id)
        )
    )


def competitions_with_suspensions(session: Session) -> list[str]:
    """Slugs of competitions in which a role is suspended now."""
    return sorted(
        set(
            session.scalars(
                select(GrantSuspension.competition)
                .join(RoleGrant, RoleGrant.id == GrantSuspension.grant_id)
                .where(RoleGrant.revoked_at.is_(None), GrantSuspension.lifted_at.is_(None))
            )
        )
    )


# ---------------------------------------------------------------- signing in


def factors(session: Session, account_id: int) -> list[SecondFactor]:
    """Second factors in force, the newest first."""
    return list(
        session.scalars(
            select(SecondFactor)
            .where(
                SecondFactor.account_id == account_id,
                SecondFactor.confirmed_at.is_not(None),
                SecondFactor.ended_at.is_(None),
            )
            .order_by(SecondFactor.id.desc())
        )
    )


def open_sessions(session: Session, account_id: int, now: datetime) -> list[SignInSession]:
    """Where this person is signed in, the newest first."""
    return list(
        session.scalars(
            select(SignInSession)
            .where(
                SignInSession.account_id == account_id,
                SignInSession.revoked_at.is_(None),
                SignInSession.expires_at > now,
                SignInSession.purpose != "second-step",
            )
            .order_by(SignInSession.id.desc())
        )
    )
