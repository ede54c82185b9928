"""A competition of people with unheard-of names, telephone numbers and addresses, planted wherever somebody may write them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from examsvc.accounts import approvals, relations
from examsvc.applications import accommodations, office, queries, uploads
from examsvc.applications import operations as applications
from examsvc.applications.models import Application
from examsvc.base import messages
from examsvc.base.language import both
from examsvc.competitions.regulation import read_preset
from examsvc.demonstration import applying
from examsvc.marking import objective
from examsvc.sittings import conduct
from examsvc.sittings.models import Attempt, Sitting
from tests.exam_hall import BELL, ExamHall

WINNER, LOSER, COMPLAINANT, REFUSED, WITHDRAWN = "Thắngvũxyk", "Thuaquỳnhzq", "Khiếunạiwj", "Loạitừfw", "Rúthồjq"
EVERYBODY = (WINNER, LOSER, COMPLAINANT, REFUSED, WITHDRAWN)
SAT = (WINNER, LOSER, COMPLAINANT)
PHONES = {name: f"0987 {number}54 321" for number, name in enumerate(EVERYBODY, start=3)}
ESSAY = "Bài của"


class Planted(ExamHall):
    """An exam hall whose candidates leave their names everywhere."""

    def candidate(self, name: str, post: str = "A") -> str:
        honest = applying._answer

        def answer(question: Any, *rest: Any) -> Any:
            found = honest(question, *rest)
            return f"{found}, gọi {PHONES[name]}" if question.kind == "text" and found else found

        def file(application: Application, rule: Any) -> uploads.Upload:
            plain = applying.plain_file(application, rule)
            data = plain.content + f"\n% {name} {PHONES[name]}\n".encode()
            return replace(plain, name=f"{name}.pdf", content=data)

        def fill_in(session: Session, application: Application, **rest: Any) -> None:
            applying_fill(session, application, **rest, file_of=file)

        applying_fill = applying.fill_in
        with patch.object(applying, "_answer", answer), patch.object(applying, "fill_in", fill_in):
            return super().candidate(name, post)


def led(session: Session) -> Planted:
    """Test, essay and defence; one wins, one loses, one loses and complains, one was refused, one withdrew.  Published."""
    hall = Planted(session, read_preset("demo"))
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in EVERYBODY:
        hall.candidate(name)
    _ask_for_more_time(hall, LOSER)
    _wrote_about(hall, LOSER, WITHDRAWN, COMPLAINANT)
    with hall.write():
        applications.withdraw_application(session, hall.application(WITHDRAWN), now=hall.now)
    _refuse(hall, REFUSED)
    del hall.applications[REFUSED], hall.applications[WITHDRAWN]
    test_form = hall.paper()
    essay_form = hall.paper("essay", [{"count": 1, "marks": "20", "kinds": ["essay"]}])
    hall.phase("exam")
    test = hall.sitting(test_form)
    essay = hall.sitting(essay_form, "essay", bell=BELL + timedelta(hours=2))
    hall.write_all(list(SAT), test, {WINNER: 10, LOSER: 7, COMPLAINANT: 6})
    hall.write_all(list(SAT), essay)
    _incident(hall, essay, LOSER)
    with hall.write():
        objective.mark_objective(session, session.get_one(Sitting, test), now=hall.now)
    hall.code_and_draw(essay)
    for name, marks in {WINNER: (18, 18), LOSER: (13, 13), COMPLAINANT: (12, 12)}.items():
        assert hall.mark_script(name, *marks) == "settled"
    hall.lock("written")
    hall.unblind("written")
    hall.hear({WINNER: [90] * 5, LOSER: [65] * 5, COMPLAINANT: [60] * 5})
    hall.lock("defence")
    hall.publish()
    return hall


def _ask_for_more_time(hall: Planted, name: str) -> None:
    with hall.write():
        application = hall.application(name)
        request = accommodations.request_accommodation(
            hall.session, application, measures=list(hall.regulation.admission.accommodations.kinds)[:1], explanation=f"{name} bị gãy tay", now=hall.now
        )
        rule = applying.rules.files_asked(hall.regulation, application.stream)[0]
        letter = replace(applying.plain_file(application, rule), name=f"{name}.pdf")
        accommodations.keep_evidence(hall.session, request, letter, now=hall.now)


def _refuse(hall: Planted, name: str) -> None:
    session, office_ = hall.session, {"by": hall.office, "now": hall.now}
    hall.phase("eligibility")
    with hall.write():
        application = hall.application(name)
        reason = f"{name} thiếu văn bằng, đã gọi {PHONES[name]}"
        for place, one in enumerate(queries.criteria(session, application, applying.ZONE)):
            if one.outcome is None or place == 0:
                office.record_finding(
                    session, application, one.assessment.criterion, met=False, reason=reason, zone=applying.ZONE, **office_
                )
        proposal = office.proposal(session, application, eligible=False, reason=reason, zone=applying.ZONE)
        request = office.propose_decisions(session, hall.competition, [proposal], **office_)
        number, digest = request.id, request.digest
    with hall.write():
        approvals.approve(session, number, by=hall.second, digest=digest, now=hall.now)


def _wrote_about(hall: Planted, *names: str) -> None:
    """A letter to somebody else, a declaration and a recusal of people on the boards, in which the candidates are named."""
    session, slug = hall.session, "mot"
    for name in names:
        with hall.write():
            messages.send(
                session,
                account_id=hall.people["Secretary"],
                competition=slug,
                subject=both("Xem lại hồ sơ"),
                body=both("%(who)s đã gọi từ số %(phone)s", who=name, phone=PHONES[name]),
                now=hall.now,
            )
            relations.declare_contact(
                session,
                slug,
                account_id=hall.people["Marker5"],
                statement=f"{name} ({name.lower()}@example.vn) tặng quà",
                now=hall.now,
            )


def _incident(hall: Planted, sitting: int, name: str) -> None:
    with hall.write():
        conduct.record_incident(
            hall.session,
            hall.session.get_one(Sitting, sitting),
            attempt=hall.session.get_one(Attempt, hall.attempt(name, sitting).id),
            kind="conduct",
            description=f"{name} nói chuyện trong phòng",
            signed=[name],
            by=hall.people["Hall"],
            now=hall.now,
        )


def needles(*names: str) -> list[bytes]:
    """Every spelling in which the name, the address or the telephone number of these people may be stored."""
    found = []
    for name in names:
        for word in (name, name.lower(), f"{name.lower()}@example.vn", PHONES[name]):
            found += [word.encode(), json.dumps(word)[1:-1].encode(), word.encode("utf-16-le")]
    return sorted(set(found))


def places(session: Session, *names: str) -> dict[str, int]:
    """Where in the whole database these people can be found, column by column: read past the models and past the room itself."""
    wanted, found = needles(*names), {}
    connection = session.connection()
    for table in inspect(connection).get_table_names():
        for column in [one["name"] for one in inspect(connection).get_columns(table)]:
            kind = "CAST(%s AS BLOB)" if connection.dialect.name == "sqlite" else "convert_to((%s)::text, 'UTF8')"
            quoted = f'"{table}"."{column}"'
            if connection.dialect.name != "sqlite" and str(
                next(one["type"] for one in inspect(connection).get_columns(table) if one["name"] == column)
            ) == "BYTEA":
                kind = "%s"
            for (value,) in connection.execute(
                text(f'SELECT {kind % quoted} FROM "{table}" WHERE {quoted} IS NOT NULL')
            ):
                hits = sum(one in bytes(value) for one in wanted)
                if hits:
                    found[f"{table}.{column}"] = found.get(f"{table}.{column}", 0) + 1
    session.rollback()
    return found


def raw(path: Path, *names: str) -> list[bytes]:
    """What of these people stands in the bytes of an SQLite database, its journal included."""
    data = b"".join(one.read_bytes() for one in sorted(path.parent.glob(f"{path.name}*")))
    return [one for one in needles(*names) if one in data]
