"""Which stage and posts a sitting's ledger entries are about, how a summary names an attempt, and who has to decide."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from examsvc.accounts import queries as accounts
from examsvc.accounts import rules
from examsvc.accounts.approvals import Approved, line
from examsvc.applications.models import Application
from examsvc.base.errors import N_, Refused
from examsvc.base.language import in_language
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Post
from examsvc.sittings.models import Attempt, Seat, Sitting


def of_sitting(sitting: Sitting) -> dict[str, Any]:
    """Stage, posts of everybody summoned, and the sitting's code: the frame of an entry about the sitting."""
    regulation = competitions.regulation(sitting.competition)
    session = object_session(sitting)
    if session is None:
        raise RuntimeError("a sitting outside a session has no posts")
    summoned = select(Post.code).join(Application, Application.post_id == Post.id).join(Seat, Seat.application_id == Application.id)
    posts = set(session.scalars(summoned.where(Seat.sitting_id == sitting.id).distinct()))
    posts = posts or {post.code for post in sitting.competition.posts}
    return {"stage": regulation.stage_of(sitting.part).id, "posts": sorted(posts), "sitting": sitting.code}


def of_attempt(attempt: Attempt) -> dict[str, Any]:
    """Stage, the candidate's post, sitting and attempt."""
    regulation = competitions.regulation(attempt.sitting.competition)
    return {
        "stage": regulation.stage_of(attempt.sitting.part).id,
        "posts": [attempt.application.post.code],
        "sitting": attempt.sitting.code,
        "attempt": attempt.code,
    }


def actor(session: Session, account_id: int) -> str:
    """The code that stands for a person in the ledger."""
    return accounts.account(session, account_id).code


def named(attempt: Attempt, language: str) -> list[str]:
    """Candidate and sitting, as every summary about an attempt names them."""
    application = attempt.application
    part = competitions.regulation(attempt.sitting.competition).part(attempt.sitting.part)
    return [
        line(language, N_("Candidate"), f"{application.candidate_number} · {application.account.name}"),
        line(language, N_("Sitting"), f"{attempt.sitting.code} · {in_language(part.label.model_dump(), language)}"),
    ]


def require_decider(session: Session, approved: Approved, role: str) -> None:
    """Refused unless one of those who approved holds the role to which the regulation gives this decision."""
    for code, _ in approved.approvals:
        account = accounts.by_code(session, code)
        held = accounts.roles_of(session, account.id, approved.now) if account is not None else frozenset()
        if (role, approved.competition) in held or (role, "") in held:
            return
    raise Refused(
        N_("The regulation gives this decision to another role: %(role)s. A person with that role has to approve it."),
        role=rules.ROLE_NAMES.get(role, role),
    )
