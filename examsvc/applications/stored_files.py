"""Whether what candidates handed in is still what they handed in."""

from __future__ import annotations

import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.applications.models import AccommodationEvidence, FileVersion


def check(session: Session) -> tuple[int, list[str]]:
    """How many files are stored, and those whose bytes are not of the size and SHA-256 that their row states."""
    seen, damaged = 0, []
    for model in (FileVersion, AccommodationEvidence):
        found = session.execute(
            select(model.id, model.size, model.digest, model.content).execution_options(yield_per=8)  # 20 MB each
        )
        for number, size, digest, content in found:
            seen += 1
            if len(content) != size or hashlib.sha256(content).hexdigest() != digest:
                damaged.append(f"{model.__tablename__} {number}")
    return seen, damaged
