"""Whether a stored log is what a stranger would accept."""

from __future__ import annotations

from sqlalchemy.orm import Session

from examsvc.competitions.logs import problems


def assert_valid(session: Session, slug: str, *, complete: bool = False) -> None:
    """Fails with every problem of the log."""
    found = problems(session, slug, complete=complete)
    assert not found, "\n".join(found)
