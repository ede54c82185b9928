"""What in the database joins a script with its writer before the lock: every table is searched, row by row, whatever it is called.

A row joins when it names a script (its code, or its row by a foreign key) and a candidate (number, attempt code, account code, name,
e-mail, or a row of theirs by a foreign key), in a column or inside a JSON document.  The search knows no table by name, so a column that
somebody adds tomorrow is found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from examsvc.applications.models import Application
from examsvc.base.database import Base
from examsvc.marking.models import Script
from examsvc.sittings.models import Attempt
from tests.exam_hall import ExamHall

BESIDE_THE_LOCK: set[str] = set()
"""What joins them before the lock: nothing.  (That the text of a script is the text of an answer, the specification concedes.)"""


def leaves(value: Any) -> Iterator[str]:
    """Every text and number inside a stored value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, bytes):
        try:
            yield from leaves(json.loads(value))
        except (ValueError, UnicodeDecodeError):
            yield value.decode("utf-8", "replace")
    elif value is not None:
        yield str(value)


def joins(hall: ExamHall) -> dict[str, int]:
    """Columns whose rows name one script and one candidate, with the number of such rows."""
    session = hall.session
    scripts = {one.id: one.code for one in session.scalars(select(Script))}
    attempts = {one.id: one.application_id for one in session.scalars(select(Attempt))}
    people: dict[str, int] = {}
    for application in session.scalars(select(Application)):
        account = application.account
        for name in (application.candidate_number, account.code, account.email, account.name):
            if name and len(name) > 4:
                people[name] = application.id
        for attempt in session.scalars(select(Attempt).where(Attempt.application_id == application.id)):
            people[attempt.code] = application.id
    accounts = {one.account_id: one.id for one in session.scalars(select(Application))}
    known = {"attempts": attempts, "applications": set(accounts.values()), "accounts": accounts}
    codes = set(scripts.values())
    assert len(codes) == 3
    assert len(people) >= 9
    found: dict[str, int] = {}
    for table in Base.metadata.sorted_tables:
        keys = {column.name: next(iter(column.foreign_keys)).column.table.name for column in table.columns if column.foreign_keys}
        for row in session.execute(select(table)).mappings():
            script_in, person_in = set(), set()
            for name, value in row.items():
                target = keys.get(name)
                if (table.name, name) == ("scripts", "id") or target == "scripts":
                    script_in |= {name} if value in scripts else set()
                elif target in ("attempts", "applications", "accounts"):
                    person_in |= {name} if value in known[target] else set()
                elif target is None and name != "id":
                    texts = set(leaves(value))
                    script_in |= {name} if texts & codes else set()
                    person_in |= {name} if texts & people.keys() else set()
            if script_in and person_in:
                for name in person_in:
                    found[f"{table.name}.{name}"] = found.get(f"{table.name}.{name}", 0) + 1
    return found


def test_nothing_joins_a_script_with_its_writer(hall: ExamHall) -> None:
    found = joins(hall)
    assert set(found) == BESIDE_THE_LOCK, found


def test_the_search_sees_a_join_wherever_somebody_puts_one(hall: ExamHall) -> None:
    """Controls: a draft, a message and a calibration that name a writer beside a script are each found."""
    from examsvc.base.messages import Message
    from examsvc.marking.models import Allocation, Calibration

    session = hall.session
    script = session.scalars(select(Script)).first()
    allocation = session.scalars(select(Allocation).where(Allocation.script_id == script.id)).first()
    candidate = hall.application("An")
    allocation.draft = {"note": candidate.account.code}
    session.add(
        Calibration(
            competition_id=script.competition_id, part=script.part, marks={script.code: {candidate.account.email: "5"}},
            held_at=hall.now, by_id=hall.people["Chief"],
        )
    )  # fmt: skip
    session.add(
        Message(
            account_id=candidate.account_id, competition="mot", subject={"vi": script.code}, body={"vi": "x"}, mail_code="x", written_at=hall.now
        )
    )
    session.flush()
    assert set(joins(hall)) == BESIDE_THE_LOCK | {"allocations.draft", "calibrations.marks", "messages.account_id"}
