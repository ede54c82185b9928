"""Erasure by the regulation's schedule: nothing is left of whom it is about, everything of whom it is not, and the record verifies."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.accounts import operations as accounts
from examsvc.accounts.models import Account, Declaration, RoleGrant
from examsvc.applications.models import FileVersion
from examsvc.base import backups, jobs
from examsvc.base.database import make_engine
from examsvc.base.errors import NotFound, Refused
from examsvc.competitions import logs
from examsvc.demonstration.applying import ZONE
from examsvc.ledger import queries as ledger
from examsvc.ledger import signing, witnessing
from examsvc.ledger.models import FrozenBundle, Opening
from examsvc.ledger.operations import REGISTRY, Sealed, record
from examsvc.results import editions
from examsvc.results import queries as results
from examsvc.retention import operations, queries
from examsvc.retention.models import Erasure, Hold
from examsvc.verify.findings import Verdict
from examsvc.verify.verification import verify
from tests.retention.planted import (
    COMPLAINANT,
    LOSER,
    REFUSED,
    WINNER,
    WITHDRAWN,
    Planted,
    places,
    raw,
)

FILES, ANSWERS, ACCOMMODATIONS = "files-of-unsuccessful", "answers", "accommodations"
GONE = (LOSER, REFUSED, WITHDRAWN)


def order(hall: Planted, rule: str) -> None:
    """One officer proposes, another approves."""
    with hall.write():
        request = operations.ask_erasure(
            hall.session, hall.competition, rule, zone=ZONE, by=hall.office, now=hall.now
        )
        number, digest = request.id, request.digest
    with hall.write():
        assert approvals.approve(hall.session, number, by=hall.second, digest=digest, now=hall.now)


def complain(hall: Planted) -> None:
    """The complainant goes to law; the office holds the data back."""
    with hall.write():
        operations.hold_back(
            hall.session,
            hall.competition,
            hall.application(COMPLAINANT),
            cause="complaint",
            reason=f"Đơn khiếu nại của {COMPLAINANT}",
            until=None,
            by=hall.office,
            now=hall.now,
            zone=ZONE,
        )


def run(hall: Planted) -> list[Erasure]:
    return operations.erase_due(hall.session, hall.competition, zone=ZONE, now=hall.now)


def show(hall: Planted) -> None:
    """Both logs are signed and cosigned as they stand."""
    for log in (REGISTRY, "mot"):
        signing.sign_checkpoint(hall.session, log, now=hall.now)
        witnessing.collect(hall.session, log, now=hall.now)


def freeze(hall: Planted) -> dict[str, FrozenBundle]:
    edition = results.published(hall.session, hall.competition_id)
    assert edition is not None
    return {one.kind: one for one in editions.freeze(hall.session, edition, now=hall.now)}


def verdicts(hall: Planted, data: bytes) -> dict[str, str]:
    report = verify(data, ledger.policy(hall.session, "mot"), ())
    failed = {one.check: one.reasons for one in report.findings if one.verdict is Verdict.FAILED}
    assert failed == {}
    return {one.check: one.verdict.value for one in report.findings}


def whole_history(hall: Planted, folder: Path) -> None:
    """The two runs that a regulation asks for, with what must be true between them."""
    session = hall.session
    before = freeze(hall)
    public, restricted = before["public"].content, before["restricted"].content
    assert public is not None
    assert restricted is not None
    asked = {check: verdict for check, verdict in verdicts(hall, restricted).items() if verdict == "passed"}
    written = {name: places(session, name) for name in (WINNER, COMPLAINANT, *GONE)}
    assert {len(places_) > 4 for places_ in written.values()} == {True}, "everybody is planted in many places"
    assert "log_bundles.content" in written[LOSER]
    held_before = files_of(hall, COMPLAINANT)

    hall.later(days=40)
    complain(hall)
    order(hall, FILES)
    order(hall, ACCOMMODATIONS)
    assert run(hall) == [], "not before the day that the regulation gives"
    hall.later(days=200)
    first = run(hall)
    assert sum(one.people for one in first if one.order.rule == FILES) == 3
    for name in (REFUSED, WITHDRAWN):
        assert places(session, name) == {}
    # what somebody wrote in the exam has a later day of its own; nothing else is left
    assert set(places(session, LOSER)) == {"saves.value", "scripts.content", "log_openings.content"}
    types = {
        one.type
        for one in session.scalars(select(Opening).where(Opening.erased_at.is_(None)))
        if one.content is not None and LOSER in str(one.content)
    }
    session.rollback()
    assert types == {"attempt.answers"}
    # the one who complained, and the one who was chosen, are whole
    assert files_of(hall, COMPLAINANT) == held_before
    lost = set(written[COMPLAINANT]) - set(places(session, COMPLAINANT))
    assert lost <= {"log_bundles.content"}, "only copies that held others' data too"
    assert set(written[WINNER]) - set(places(session, WINNER)) <= {"log_bundles.content"}
    assert session.get_one(Account, hall.people[COMPLAINANT]).email.startswith(COMPLAINANT.lower())

    show(hall)
    assert logs.problems(session, "mot", complete=True) == []
    now_restricted = editions.data_of(session, session.get_one(FrozenBundle, before["restricted"].id))
    assert verdicts(hall, restricted), "the edition that somebody kept still verifies"
    assert verdicts(hall, public)
    assert session.get_one(FrozenBundle, before["public"].id).content == public
    after = verdicts(hall, now_restricted)
    assert LOSER.encode() not in public, "the public edition never held a loser's name"
    assert COMPLAINANT.encode() in now_restricted
    assert all(after[check] == "passed" for check in asked), "the answers are still there, so all is still proved"

    with hall.write():
        (kept,) = session.scalars(select(Hold)).all()
        operations.release(session, kept, by=hall.office, now=hall.now)
    second = run(hall)
    assert [one.people for one in second if one.order.rule == FILES] == [1], "under the same order, now that nothing holds"
    assert set(places(session, COMPLAINANT)) == {"saves.value", "scripts.content", "log_openings.content"}

    order(hall, ANSWERS)
    hall.later(days=5 * 366)
    third = run(hall)
    assert sum(one.people for one in third) == 3, "everybody who sat"
    assert [one.traces for one in third] == [[]] * len(third)
    for name in (LOSER, COMPLAINANT, REFUSED, WITHDRAWN):
        assert places(session, name) == {}
    show(hall)
    assert logs.problems(session, "mot", complete=True) == []
    last = editions.data_of(session, session.get_one(FrozenBundle, before["restricted"].id))
    assert verdicts(hall, restricted)
    assert verdicts(hall, public)
    end = verdicts(hall, last)
    assert {check for check, verdict in asked.items() if end[check] != verdict} <= {"V8", "V13", "V17"}
    done = list(ledger.of_type(session, "mot", "erasure.done"))
    assert sum(one.body["count"] for one in done) == sum(one.people for one in [*first, *second, *third])
    assert {len({approval["by"] for approval in one.body["approvals"]}) for one in done} == {2}


def files_of(hall: Planted, name: str) -> list[tuple[str, str]]:
    """Names and digests of somebody's uploads, the bytes hashed again."""
    rows = hall.session.scalars(
        select(FileVersion).where(FileVersion.application_id == hall.applications[name]).order_by(FileVersion.id)
    ).all()
    return [(one.name, hashlib.sha256(one.content).hexdigest()) for one in rows]


def test_everything_goes_when_it_is_time_and_the_record_still_verifies(hall: Planted, tmp_path: Path) -> None:
    """On SQLite also from the bytes of the file and its journal."""
    path = tmp_path / "database" / "examsvc.sqlite"
    assert raw(path, LOSER)
    whole_history(hall, tmp_path)
    assert {one.rewritten_at is not None for one in hall.session.scalars(select(Erasure))} == {True}
    hall.session.rollback()
    for name in (LOSER, COMPLAINANT, REFUSED, WITHDRAWN):
        assert raw(path, name) == []
    assert raw(path, WINNER), "the search finds who is still there"


@pytest.mark.postgres
def test_the_same_on_postgresql(hall: Planted, postgres_session: Session, tmp_path: Path) -> None:
    """The same rows, carried over by a backup."""
    copy, key = tmp_path / "copy.zip", b"k" * 32
    backups.write(hall.session.get_bind().engine, copy, key=key, revision="1", now=hall.now)
    backups.load(postgres_session.get_bind().engine, copy, backups.read(copy, key=key))
    hall.session.close()
    hall.session = postgres_session
    whole_history(hall, tmp_path)


def test_a_restored_backup_is_erased_again(hall: Planted, tmp_path: Path) -> None:
    """The order stands in the copy, so the next daily run carries it out there."""
    path = tmp_path / "database" / "examsvc.sqlite"
    order(hall, FILES)
    hall.session.close()
    copy = tmp_path / "copy.sqlite"
    engine = make_engine(f"sqlite:///{path}")
    raw_connection = engine.raw_connection()
    raw_connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw_connection.close()
    copy.write_bytes(path.read_bytes())
    engine.dispose()
    hall.later(days=200)
    run(hall)
    assert set(places(hall.session, REFUSED)) == set()
    restored = make_engine(f"sqlite:///{copy}")
    with Session(restored) as session:
        assert places(session, REFUSED)
        operations.ask_daily(session, hall.now)
        assert jobs.run_due(session, hall.now) >= 1
        assert places(session, REFUSED) == {}
        assert raw(copy, REFUSED) == []
    restored.dispose()


def test_a_hold_of_the_last_moment_holds(hall: Planted) -> None:
    """Entered after the order and after the day, a moment before the run; a hold for everybody holds everybody."""
    order(hall, FILES)
    hall.later(days=200)
    with hall.write():
        made = operations.hold_back(
            hall.session,
            hall.competition,
            None,
            cause="proceedings",
            reason="Thanh tra tỉnh yêu cầu",
            until=hall.now.date() + timedelta(days=30),
            by=hall.office,
            now=hall.now,
            zone=ZONE,
        )
        assert made.application is None
    before = {name: places(hall.session, name) for name in GONE}
    assert run(hall) == []
    assert {name: places(hall.session, name) for name in GONE} == before
    hall.later(days=32)
    assert sum(one.people for one in run(hall)) == 4, "the hold has ended by itself"


def test_an_appeal_that_the_log_knows_holds_its_person(hall: Planted) -> None:
    application = hall.application(COMPLAINANT)
    with hall.write():
        record(
            hall.session,
            "mot",
            "appeal.lodged",
            now=hall.now,
            by=application.code,
            posts=["A"],
            appeal="KN-1",
            kind="complaint",
            file=Sealed(
                {"appeal": "KN-1", "candidate": application.candidate_number, "subject": "x", "text": "y", "evidence": []},
                subject=application.account.code,
            ),
        )
    hall.later(days=200)
    (plan,) = [one for one in queries.plans(hall.session, hall.competition, zone=ZONE, now=hall.now) if one.rule.id == FILES]
    assert {row.application.account.name: row.outlook.state for row in plan.rows} == {
        COMPLAINANT: "held",
        **dict.fromkeys(GONE, "unordered"),
    }


def test_whoever_is_something_else_here_keeps_the_account_and_loses_the_file(hall: Planted) -> None:
    """A loser who later became a marker elsewhere; and a sentence about a namesake stays."""
    session = hall.session
    with hall.write():
        session.add(
            RoleGrant(account_id=hall.application(LOSER).account_id, role="marker", competition="khac", granted_at=hall.now)
        )
        namesake = accounts.register_account(
            session, email="trung@example.vn", name=REFUSED, password_hash=None, now=hall.now
        ).id
        session.add(Declaration(competition="mot", account_id=namesake, about="contact", statement=f"{REFUSED} khai", at=hall.now))
    order(hall, FILES)
    hall.later(days=200)
    run(hall)
    kept = session.get_one(Account, hall.people[LOSER])
    assert kept.name == LOSER
    assert set(places(session, LOSER)) >= {"accounts.name", "accounts.email"}
    assert files_of(hall, LOSER) == []
    assert session.get_one(Account, namesake).name == REFUSED
    assert session.scalars(select(Declaration.statement).where(Declaration.account_id == namesake)).one() == f"{REFUSED} khai"


def test_what_is_refused_when_holding_back_and_ordering(hall: Planted) -> None:
    session, who = hall.session, {"by": hall.office, "now": hall.now, "zone": ZONE}
    tried = 0
    for said in (
        {"cause": "whim", "reason": "x", "until": None},
        {"cause": "archive", "reason": "  ", "until": None},
        {"cause": "archive", "reason": "x", "until": hall.now.date() - timedelta(days=2)},
    ):
        with pytest.raises(Refused), hall.write():
            operations.hold_back(session, hall.competition, None, **said, **who)
        tried += 1
    assert tried == 3
    with pytest.raises(NotFound), hall.write():
        operations.ask_erasure(session, hall.competition, "results", **who)
    order(hall, FILES)
    with pytest.raises(Refused, match="Nobody is left"), hall.write():
        operations.ask_erasure(session, hall.competition, FILES, **who)
    complain(hall)
    (held,) = session.scalars(select(Hold)).all()
    with hall.write():
        operations.release(session, held, by=hall.office, now=hall.now)
    with pytest.raises(Refused, match="released already"), hall.write():
        operations.release(session, held, by=hall.office, now=hall.now)


def test_the_search_finds_what_a_room_forgot(hall: Planted) -> None:
    """Were a table forgotten, the page would say so: here one that no rule knows."""
    order(hall, FILES)
    with hall.write():
        hall.session.execute(text(f"UPDATE banks SET title = json_object('vi', '{REFUSED} biên soạn')"))
    hall.later(days=200)
    found = {(trace["table"], trace["column"]) for one in run(hall) for trace in one.traces}
    assert ("banks", "title") in found
