"""Handing in a file with questions: a job looks into it, a person reads what it found and confirms once.

Everything slow (reading, comparing with the bank, writing each question down as it will be stored) is done by the job, so that neither
a request nor a writing transaction lasts long, however large the file; the confirmation only moves rows, all of them or none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, cast

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from examsvc.base import jobs
from examsvc.base.database import advisory_lock, writing
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import nfc
from examsvc.papers import banks, queries
from examsvc.papers.banks import CHANGING, Line, Row, Verdict
from examsvc.papers.models import Bank, MediaFile
from examsvc.papers.upload_models import BankUpload, UploadLine, UploadMedium
from question_banks import Problem, Text
from question_banks.duplicates import Duplicate
from question_banks.model import Bank as BankDocument
from question_banks.reading import READERS

KEEP = timedelta(days=2)
"""A file that nobody confirmed is forgotten after so long."""
AT_ONCE = 300_000
"""Bytes up to which a request looks into a file by itself: half a second for questions of ordinary length.  A larger one waits for a worker."""
STEP = 500
"""Lines that the job writes in one transaction."""


def upload(session: Session, number: int) -> BankUpload:
    found = session.get(BankUpload, number)
    if found is None:
        raise NotFound()
    return found


def hand_in(
    session: Session, *, file_name: str, data: bytes, format: str | None, language: str, bank_name: str, by: int, now: datetime
) -> BankUpload:
    """Keeps a file and asks for the job that looks into it.  Forgets files that waited too long."""
    if format is not None and format not in READERS:
        raise Refused(N_("The format %(format)s is not known."), format=format, field="format")
    if bank_name:
        bank_name = banks.check_name(bank_name)
    for old in session.scalars(select(BankUpload).where(BankUpload.at < now - KEEP)):
        forget(session, old)
    made = BankUpload(
        file_name=nfc(file_name)[-200:],
        format=format or "",
        language=language,
        bank_name=bank_name,
        digest=hashlib.sha256(data).hexdigest(),
        data=data,
        by_id=by,
        at=now,
    )
    session.add(made)
    session.flush()
    made.job_id = jobs.ask_for(session, "papers.look_into", now, upload=made.id).id
    session.flush()
    return made


def forget(session: Session, upload: BankUpload) -> None:
    """Takes a file and everything that was found in it away."""
    _clear(session, upload.id)
    session.delete(upload)
    session.flush()


def _clear(session: Session, number: int) -> None:
    for table in (UploadLine, UploadMedium):
        session.execute(delete(table).where(table.upload_id == number))


@jobs.handles("papers.look_into")
def _look_into(session: Session, arguments: dict[str, Any], now: datetime) -> None:
    """Reads a file and writes down, question by question, what its import would do; begins anew when it was interrupted.

    Two workers at the same file cannot leave half of it: who ends first and finds all its lines has looked into it.
    """
    found = session.get(BankUpload, int(arguments["upload"]))
    if found is None or found.looked_at is not None:
        return  # forgotten meanwhile, or looked into by another worker
    number, digest = found.id, found.digest
    try:
        result = banks.read(found.data, found.format or None, found.language)
        name = found.bank_name
        state_before = queries.bank_state(session, name) if name else ""
        examination = banks.examine(session, result, name=name)
    except Refused as refusal:
        with writing(session):
            if (found := session.get(BankUpload, number)) is not None:
                found.refusal = json.dumps({"sentence": refusal.sentence, "params": refusal.params, "field": refusal.field})
                found.looked_at = now
        return
    state = state_before or queries.bank_state(session, examination.bank_name)
    lines = _written(examination)
    session.rollback()
    with writing(session):
        found = session.get(BankUpload, number)
        if found is None or found.looked_at is not None:
            return
        _clear(session, number)
    for start in range(0, len(lines), STEP):
        with writing(session):
            if session.get(BankUpload, number) is None:
                return
            session.execute(insert(UploadLine), [{"upload_id": number, **line} for line in lines[start : start + STEP]])
    for key, medium in examination.document.media.items():
        with writing(session):
            if session.get(BankUpload, number) is None:
                return
            session.add(
                UploadMedium(
                    upload_id=number,
                    digest=key.removeprefix("media/"),
                    type=medium.type[:100],
                    name=medium.name[:200],
                    data=medium.data,
                )
            )
    with writing(session):
        found = session.get(BankUpload, number)
        if found is None or found.digest != digest:
            return
        if overview(session, found).lines != len(lines):
            raise RuntimeError("another worker looks into the same file")  # who took it when this one seemed dead; tried again
        document = examination.document
        found.format, found.bank_name, found.bank_state = examination.format, examination.bank_name, state
        found.found = json.dumps(
            {
                "problems": [_problem(one) for one in examination.problems],
                "title": dict(document.title.values),
                "languages": list(document.languages),
                "licence": document.licence,
            }
        )
        found.looked_at = now


def _written(examination: banks.Examination) -> list[dict[str, Any]]:
    """The rows of UploadLine."""
    made = []
    for number, line in enumerate(examination.lines, start=1):
        content: dict[str, Any] = {"problems": [_problem(one) for one in line.problems]}
        if line.duplicates:
            content["duplicates"] = [asdict(one) | {"similarity": str(one.similarity)} for one in line.duplicates]
        if line.item is not None:
            content |= {"digest": line.item.digest, "columns": banks.columns(examination.document, line.item)}
        made.append(
            {
                "number": number,
                "identifier": line.identifier,
                "verdict": line.verdict,
                "lossy": line.lossy,
                "alike": bool(line.duplicates),
                "content": json.dumps(content, ensure_ascii=False),
            }
        )
    return made


def _problem(one: Problem) -> dict[str, Any]:
    return {
        "item": one.item,
        "severity": one.severity,
        "where": one.where,
        "code": one.code,
        "parameters": dict(one.parameters),
    }


# -------------------------------------------------------------------------------- what was found


@dataclass(frozen=True)
class Overview:
    """What a file holds, counted."""

    counts: Mapping[str, int]
    lossy: int
    alike: int
    problems: tuple[Problem, ...]

    @property
    def lines(self) -> int:
        return sum(self.counts.values())

    @property
    def changes(self) -> int:
        """Questions that a confirmation would store or change."""
        return sum(self.counts.get(verdict, 0) for verdict in CHANGING)


SHOWN = ("", "refused", "lossy", "alike", *CHANGING, "unchanged", "older")
"""What may be asked for of a file's lines: all of them, those with loss, those like another, or those of one verdict."""


def refusal(upload: BankUpload) -> Refused | None:
    """Why nothing of the file can be read; None where it can, or where nobody has looked yet."""
    if upload.refusal is None:
        return None
    kept = json.loads(upload.refusal)
    return Refused(kept["sentence"], field=kept["field"], **kept["params"])


def overview(session: Session, upload: BankUpload) -> Overview:
    rows = session.execute(
        select(UploadLine.verdict, func.count()).where(UploadLine.upload_id == upload.id).group_by(UploadLine.verdict)
    ).all()

    def counted(column: Any) -> int:
        return session.scalar(select(func.count()).where(UploadLine.upload_id == upload.id, column)) or 0

    problems = json.loads(upload.found)["problems"] if upload.found else []
    return Overview(dict(rows), counted(UploadLine.lossy), counted(UploadLine.alike), tuple(Problem(**one) for one in problems))


def lines(session: Session, upload: BankUpload, *, show: str = "", offset: int = 0, most: int | None = None) -> list[Line]:
    """What becomes of each question, in the order of the file, with those that were refused at the end."""
    return [line for _, line in numbered(session, upload, show=show, offset=offset, most=most)]


def numbered(
    session: Session, upload: BankUpload, *, show: str = "", offset: int = 0, most: int | None = None
) -> list[tuple[int, Line]]:
    """The same with the place of each among all of them, from 1."""
    query = select(UploadLine).where(UploadLine.upload_id == upload.id).order_by(UploadLine.number)
    if show in ("lossy", "alike"):
        query = query.where(getattr(UploadLine, show))
    elif show:
        query = query.where(UploadLine.verdict == show)
    return [(one.number, _line(one)) for one in session.scalars(query.offset(offset).limit(most))]


def _line(kept: UploadLine) -> Line:
    content = json.loads(kept.content)
    return Line(
        kept.identifier,
        cast(Verdict, kept.verdict),
        queries.parsed(content["digest"], content["columns"]["native"]) if "columns" in content else None,
        tuple(Problem(**one) for one in content["problems"]),
        tuple(Duplicate(**one | {"similarity": Fraction(one["similarity"])}) for one in content.get("duplicates", ())),
    )


def medium(session: Session, upload: BankUpload, digest: str) -> UploadMedium:
    found = session.scalar(select(UploadMedium).where(UploadMedium.upload_id == upload.id, UploadMedium.digest == digest))
    if found is None:
        raise NotFound()
    return found


# -------------------------------------------------------------------------------- the one confirmation


def outdated(session: Session, upload: BankUpload) -> bool:
    """Whether the bank has changed since the file was compared with it."""
    return upload.looked_at is not None and upload.refusal is None and upload.bank_state != queries.bank_state(session, upload.bank_name)


def look_again(session: Session, upload: BankUpload, *, now: datetime) -> None:
    """Has the file compared with the bank as it is now."""
    upload.looked_at, upload.found = None, None
    upload.job_id = jobs.ask_for(session, "papers.look_into", now, upload=upload.id).id
    session.flush()


def confirm(session: Session, upload: BankUpload, *, by: int, now: datetime) -> tuple[Bank, Overview]:
    """Imports what was found and forgets the file.  Refused before it was looked into, and where the bank has changed since."""
    if upload.looked_at is None or upload.found is None:
        raise Refused(N_("The file is still being looked into. Wait until the page shows what it holds."))
    advisory_lock(session, f"bank {upload.bank_name}")
    if outdated(session, upload):
        raise Refused(N_("The bank has changed since the file was compared with it. Open the file's page again, read what is new, and confirm then."))
    counted, head = overview(session, upload), json.loads(upload.found)
    document = BankDocument(
        id=upload.bank_name, title=Text.of(head["title"]), languages=tuple(head["languages"]), licence=head["licence"]
    )
    bank = banks.keep_head(session, upload.bank_name, document, by=by, now=now)
    prepared = _rows(session, upload)
    banks.write(session, bank, prepared, by=by, now=now)
    for digest in banks.lacking_media(session, prepared):
        one = session.scalar(select(UploadMedium).where(UploadMedium.upload_id == upload.id, UploadMedium.digest == digest))
        if one is not None:
            session.add(MediaFile(digest=digest, type=one.type, name=one.name, data=one.data))
    forget(session, upload)
    return bank, counted


def _rows(session: Session, upload: BankUpload) -> Sequence[Row]:
    found = session.execute(
        select(UploadLine.identifier, UploadLine.verdict, UploadLine.content)
        .where(UploadLine.upload_id == upload.id, UploadLine.verdict.in_(CHANGING))
        .order_by(UploadLine.number)
    )
    made = []
    for identifier, verdict, text in found:
        content = json.loads(text)
        made.append(Row(identifier, cast(Verdict, verdict), content["digest"], content["columns"]))
    return made
