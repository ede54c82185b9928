"""People with accounts, how they sign in, which roles they hold, how they are related, and what waits for approval."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.base.database import Base, Document, UTCDateTime


class Account(Base):
    """One person.  ``code`` is random, public and stands for the person in the ledger; it never changes.

    ``identity_digest`` is the keyed digest of the number of the identity document (see ``identity``).
    """

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(2), default="vi")
    birth_date: Mapped[date | None]
    identity_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    grants: Mapped[list[RoleGrant]] = relationship(foreign_keys="RoleGrant.account_id", back_populates="account")


class Enrolment(Base):
    """The account has its code in this log: ``person.enrolled`` was recorded."""

    __tablename__ = "enrolments"

    log: Mapped[str] = mapped_column(String(60), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


# ---------------------------------------------------------------- signing in


class SignInSession(Base):
    """One browser that is signed in: known by the SHA-256 of its cookie, revocable at once.

    Purposes: "office", the ordinary one; "second-step", the password was right and the second factor is still asked;
    "exam", opened with a one-time code, which opens only the attempt whose code is its ``subject``.
    """

    __tablename__ = "sign_in_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    second_factor: Mapped[bool] = mapped_column(default=False)
    purpose: Mapped[str] = mapped_column(String(20), default="office")
    subject: Mapped[str | None] = mapped_column(String(40))
    browser: Mapped[str] = mapped_column(String(80), default="")

    account: Mapped[Account] = relationship()

    __table_args__ = (
        CheckConstraint("purpose IN ('office', 'second-step', 'exam')", name="purpose_is_known"),
        CheckConstraint("(purpose = 'exam') = (subject IS NOT NULL)", name="only_exam_sessions_have_a_subject"),
    )


class SignInTry(Base):
    """A try to sign in, counted per subject (a password of an address, a second step of an account, a code of exam day).

    It is written before the secret is looked at and removed when the secret was right, so that tries at the same moment
    are counted too.  Never counted by network address: a hall shares one.
    """

    __tablename__ = "sign_in_tries"
    __table_args__ = (Index("ix_sign_in_tries_subject_at", "subject", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class SecondFactor(Base):
    """What a person shows beside the password: an authenticator app, or a printed list of one-time codes.

    ``sealed`` is the app's secret, encrypted under the installation's people key; ``last_step`` the newest time step
    that was used, so that no code works twice.  Until ``confirmed_at`` it has no effect.
    """

    __tablename__ = "second_factors"
    __table_args__ = (
        CheckConstraint("kind IN ('app', 'printed')", name="kind_is_known"),
        CheckConstraint("(kind = 'app') = (sealed IS NOT NULL)", name="an_app_has_a_secret"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    sealed: Mapped[str | None] = mapped_column(Text)
    last_step: Mapped[int | None]
    begun_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    codes: Mapped[list[PrintedCode]] = relationship(order_by="PrintedCode.number", back_populates="factor")


class PrintedCode(Base):
    """One code of a printed list; the list is worked through in order, each code once."""

    __tablename__ = "printed_codes"
    __table_args__ = (UniqueConstraint("factor_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    factor_id: Mapped[int] = mapped_column(ForeignKey("second_factors.id"), index=True)
    number: Mapped[int]
    code_hash: Mapped[str] = mapped_column(String(200))
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    factor: Mapped[SecondFactor] = relationship(back_populates="codes")


class PasswordLink(Base):
    """A link that lets one person choose a password once; known by the SHA-256 of its token."""

    __tablename__ = "password_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    account: Mapped[Account] = relationship()


class Recovery(Base):
    """Somebody cannot sign in any more and two people approved that he or she may begin anew.

    By "mail" a link goes to the account's address; in "person" each of the approvers hands over one half of a code.
    """

    __tablename__ = "recoveries"
    __table_args__ = (CheckConstraint("manner IN ('mail', 'person')", name="manner_is_known"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    manner: Mapped[str] = mapped_column(String(10))
    factor_lost: Mapped[bool]
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"), unique=True)
    approved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    account: Mapped[Account] = relationship()
    parts: Mapped[list[RecoveryPart]] = relationship(order_by="RecoveryPart.id", back_populates="recovery")


class RecoveryPart(Base):
    """The part of a recovery code that one approver hands over; its text is shown to that approver once."""

    __tablename__ = "recovery_parts"
    __table_args__ = (UniqueConstraint("recovery_id", "by_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    recovery_id: Mapped[int] = mapped_column(ForeignKey("recoveries.id"), index=True)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    code_hash: Mapped[str | None] = mapped_column(String(200))
    shown_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    recovery: Mapped[Recovery] = relationship(back_populates="parts")
    by: Mapped[Account] = relationship()


# ---------------------------------------------------------------- roles


class RoleGrant(Base):
    """A role for one competition (or, with the slug "", for the installation), brought into force by an approved request.

    Only the grants of the first administrators have no request.  ``stage`` and ``posts`` narrow it; ``until`` ends it by itself.
    """

    __tablename__ = "role_grants"
    __table_args__ = (
        CheckConstraint("(revoked_at IS NULL) = (revocation IS NULL)", name="a_revocation_has_a_reason"),
        CheckConstraint("until IS NULL OR until > granted_at", name="ends_after_it_begins"),
        Index("ix_role_grants_competition_role", "competition", "role"),
        Index(
            "uq_role_grants_in_force",
            "account_id",
            "role",
            "competition",
            unique=True,
            sqlite_where=text("revoked_at IS NULL AND until IS NULL"),
            postgresql_where=text("revoked_at IS NULL AND until IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    role: Mapped[str] = mapped_column(String(40))
    competition: Mapped[str] = mapped_column(String(60), default="")
    stage: Mapped[str | None] = mapped_column(String(40))
    posts: Mapped[list[str] | None] = mapped_column(Document)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("approval_requests.id"))
    delegated_from_id: Mapped[int | None] = mapped_column(ForeignKey("role_grants.id"))
    granted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revocation: Mapped[str | None] = mapped_column(String(20))

    account: Mapped[Account] = relationship(foreign_keys=[account_id], back_populates="grants")
    request: Mapped[ApprovalRequest | None] = relationship()
    suspensions: Mapped[list[GrantSuspension]] = relationship(order_by="GrantSuspension.id", back_populates="grant")


class GrantSuspension(Base):
    """A grant has no effect in a competition, since its holder is related to a candidate or is one; until it is lifted
    with a reason.  A grant for the whole installation goes on elsewhere."""

    __tablename__ = "grant_suspensions"
    __table_args__ = (CheckConstraint("(lifted_at IS NULL) = (lifted_by_id IS NULL)", name="somebody_lifts_it"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("role_grants.id"), index=True)
    competition: Mapped[str] = mapped_column(String(60), index=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kinship: Mapped[str] = mapped_column(String(30))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    lifted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    lift_reason: Mapped[str | None] = mapped_column(Text)

    grant: Mapped[RoleGrant] = relationship(back_populates="suspensions")
    candidate: Mapped[Account] = relationship(foreign_keys=[candidate_id])


# ---------------------------------------------------------------- relations


class Relation(Base):
    """A tie between a person with an account and somebody else: ``kind`` is what ``person`` is to ``other``.

    The other is an account, or somebody known only by the digest of the identity number, who may turn up later.
    """

    __tablename__ = "relations"
    __table_args__ = (
        CheckConstraint("other_id IS NULL OR person_id <> other_id", name="between_two_people"),
        CheckConstraint("other_id IS NOT NULL OR other_digest IS NOT NULL", name="the_other_can_be_found"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    other_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    other_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    other_name: Mapped[str | None] = mapped_column(String(120))
    declared_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    declared_at: Mapped[datetime] = mapped_column(UTCDateTime)

    person: Mapped[Account] = relationship(foreign_keys=[person_id])
    other: Mapped[Account | None] = relationship(foreign_keys=[other_id])


class Declaration(Base):
    """What a holder of a role declared in one competition: a relation, that there is none, or an approach or gift."""

    __tablename__ = "declarations"
    __table_args__ = (
        CheckConstraint("about IN ('none', 'relation', 'contact')", name="about_is_known"),
        CheckConstraint("(about = 'relation') = (relation_id IS NOT NULL)", name="a_relation_is_named"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition: Mapped[str] = mapped_column(String(60), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    about: Mapped[str] = mapped_column(String(10))
    relation_id: Mapped[int | None] = mapped_column(ForeignKey("relations.id"))
    statement: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    account: Mapped[Account] = relationship()
    relation: Mapped[Relation | None] = relationship()


class Recusal(Base):
    """A person takes no part where this candidate is concerned: in force at once, on record when two people approved."""

    __tablename__ = "recusals"
    __table_args__ = (UniqueConstraint("competition", "account_id", "candidate_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition: Mapped[str] = mapped_column(String(60), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("approval_requests.id"))

    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    candidate: Mapped[Account] = relationship(foreign_keys=[candidate_id])


# ---------------------------------------------------------------- approvals


class ApprovalRequest(Base):
    """A high-value step that waits for more people: what it is, the summary that all of them read, and until when.

    ``kind`` names the executor that carries the step out in the transaction of the last approval; ``entry_type`` the ledger
    entry that will carry the approvals.  ``digest`` is the SHA-256 of the summary's canonical bytes.  ``barred`` are the
    people who may not approve since the step is about them.
    """

    __tablename__ = "approval_requests"
    __table_args__ = (
        CheckConstraint("people >= 2", name="more_than_one_person"),
        CheckConstraint("expires_at > asked_at", name="expires_after_it_was_asked"),
        CheckConstraint("outcome IS NULL OR outcome IN ('done', 'refused', 'withdrawn')", name="outcome_is_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition: Mapped[str] = mapped_column(String(60), default="", index=True)
    kind: Mapped[str] = mapped_column(String(60))
    entry_type: Mapped[str] = mapped_column(String(60))
    arguments: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    lines: Mapped[list[str]] = mapped_column(Document)
    digest: Mapped[str] = mapped_column(String(64))
    roles: Mapped[list[str]] = mapped_column(Document)
    barred: Mapped[list[int]] = mapped_column(Document, default=list)
    people: Mapped[int]
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    outcome: Mapped[str | None] = mapped_column(String(20))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str | None] = mapped_column(Text)

    votes: Mapped[list[ApprovalVote]] = relationship(order_by="ApprovalVote.id", back_populates="request")
    asked_by: Mapped[Account] = relationship(foreign_keys=[asked_by_id])


class ApprovalVote(Base):
    """One person's approval of one request, for the very summary whose digest it names."""

    __tablename__ = "approval_votes"
    __table_args__ = (UniqueConstraint("request_id", "by_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"), index=True)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    digest: Mapped[str] = mapped_column(String(64))

    request: Mapped[ApprovalRequest] = relationship(back_populates="votes")
    by: Mapped[Account] = relationship(lazy="joined", innerjoin=True)
