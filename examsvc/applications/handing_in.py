"""What goes into the ledger when a file is handed in, and the candidate's receipt for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.applications import queries
from examsvc.applications.models import Application, FileVersion, Submission, SupplementRequest
from examsvc.competitions import queries as competitions
from examsvc.ledger import commitments
from examsvc.ledger.models import LogEntry, Opening
from examsvc.ledger.operations import Sealed, record


def keep_submission(
    session: Session, application: Application, *, now: datetime, supplement: SupplementRequest | None = None
) -> Submission:
    """Freezes the file as it stands into the next version, and records it; with the action plan where that is new."""
    version = application.submissions[-1].version + 1 if application.submissions else 1
    files = queries.current_files(application)
    content = _content(application, files, version)
    sealed = Sealed(
        _ledger_file(application, content, files, version),
        subject=application.account.code,
        salt=commitments.new_salt(),
    )
    assert sealed.salt is not None
    made = Submission(
        application_id=application.id,
        version=version,
        at=now,
        content=content,
        file_ids=sorted(one.id for one in files.values()),
        supplement_id=supplement.id if supplement is not None else None,
        plan_version=_next_plan_version(application, files),
        commitment=commitments.commit("application.file", sealed.salt, sealed.content),
        position=-1,
    )
    fields: dict[str, Any] = {
        "posts": [application.post.code],
        "application": application.code,
        "version": version,
        "file": sealed,
    }
    slug = application.competition.slug
    if supplement is None:
        fields["identity"] = Sealed(_identity(application), subject=application.account.code)
        entry = record(session, slug, "application.submitted", now=now, by=application.code, **fields)
    else:
        entry = record(session, slug, "application.supplemented", now=now, by=application.code, **fields)
    made.position = entry.position
    application.submissions.append(made)
    session.flush()
    if made.plan_version is not None:
        _record_plan(session, application, files, made.plan_version, now)
    return made


def _content(application: Application, files: dict[str, FileVersion], version: int) -> dict[str, Any]:
    """The file as a person would read it back: kept with the submission, so that later drafts do not change it."""
    birth = application.account.birth_date
    return {
        "version": version,
        "name": application.account.name,
        "born": birth.isoformat() if birth is not None else None,
        "post": application.post.code,
        "stream": application.stream,
        "answers": {key: value for key, value in sorted(application.answers.items()) if value not in (None, "")},
        "signatures": [
            {"criterion": one.criterion, "statement": one.statement, "typed": one.typed, "at": int(one.at.timestamp())}
            for one in application.signatures
        ],
        "relatives": [
            {"name": one.name, "unit": one.unit, "kind": one.kind}
            for one in application.relatives
            if one.taken_back_at is None
        ],
        "files": [
            {"kind": one.kind, "name": one.name, "digest": one.digest, "size": one.size, "number": one.number}
            for _kind, one in sorted(files.items())
        ],
    }


def _ledger_file(
    application: Application, content: dict[str, Any], files: dict[str, FileVersion], version: int
) -> dict[str, Any]:
    answers = {key: content[key] for key in ("name", "born", "post", "stream", "answers", "signatures", "relatives")}
    return {
        "application": application.code,
        "version": version,
        "answers": answers,
        "evidence": [{"field": kind, "digest": one.digest} for kind, one in sorted(files.items())],
    }


def _identity(application: Application) -> dict[str, str]:
    """Who applies.  The number of the identity document is kept only as its keyed digest, which shows as well that nobody
    is in the ranking twice."""
    account = application.account
    return {
        "application": application.code,
        "name": account.name,
        "born": account.birth_date.isoformat() if account.birth_date is not None else "",
        "identity": f"keyed digest {account.identity_digest}",
    }


def _kinds(application: Application, purpose: str) -> list[str]:
    return [rule.id for rule in competitions.regulation(application.competition).files if rule.purpose == purpose]


def _plan_files(application: Application, files: dict[str, FileVersion]) -> tuple[FileVersion | None, FileVersion | None]:
    """The action plan and the signed commitment of responsibility that stands with it."""
    plan = next((files[kind] for kind in _kinds(application, "action-plan") if kind in files), None)
    pledge = next((files[kind] for kind in _kinds(application, "commitment") if kind in files), None)
    return plan, pledge


def _next_plan_version(application: Application, files: dict[str, FileVersion]) -> int | None:
    """1 for the first plan handed in, one more when plan or commitment differ from those handed in last; None otherwise."""
    plan, pledge = _plan_files(application, files)
    if plan is None:
        return None
    before = [one for one in application.submissions if one.plan_version is not None]
    if not before:
        return 1
    known = {one.id for one in application.files if one.id in application.submissions[-1].file_ids}
    if plan.id in known and (pledge is None or pledge.id in known):
        return None
    return int(before[-1].plan_version or 0) + 1


def _record_plan(
    session: Session, application: Application, files: dict[str, FileVersion], version: int, now: datetime
) -> None:
    plan, pledge = _plan_files(application, files)
    assert plan is not None
    content: dict[str, Any] = {
        "application": application.code,
        "version": version,
        "digest": plan.digest,
        "size": plan.size,
    }
    if pledge is not None:
        content["pledge"] = pledge.digest
    record(
        session,
        application.competition.slug,
        "application.plan_submitted",
        now=now,
        by=application.code,
        posts=[application.post.code],
        application=application.code,
        version=version,
        plan=Sealed(content, subject=application.account.code),
    )


def receipt(session: Session, submission: Submission) -> dict[str, Any]:
    """What the candidate takes home: the entry's place and leaf, and what opens its commitment to the file.

    With it anybody can recompute SHA-256("examsvc.v1/application.file" + 0x00 + salt + JCS(object)) and compare with the entry.
    """
    slug = submission.application.competition.slug
    entry = session.scalars(
        select(LogEntry).where(LogEntry.log == slug, LogEntry.position == submission.position)
    ).one()
    opening = session.scalars(select(Opening).where(Opening.entry_id == entry.id, Opening.field == "file")).one()
    return {
        "log": slug,
        "index": entry.position,
        "leaf": entry.leaf,
        "entry": entry.entry.decode(),
        "commitment": submission.commitment,
        "salt": opening.salt,
        "object": opening.content,
    }
