"""Erasure by the regulation's schedule: nothing is left of whom it is about, everything of whom it is not, and the record verifies."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import select

from examsvc.accounts import approvals
from examsvc.accounts.models import Account
from examsvc.applications.models import FileVersion
from examsvc.competitions import logs
from examsvc.demonstration.applying import ZONE
from examsvc.ledger import queries as ledger
from examsvc.ledger import signing, witnessing
from examsvc.ledger.models import FrozenBundle, Opening
from examsvc.ledger.operations import REGISTRY
from examsvc.results import editions
from examsvc.results import queries as results
from examsvc.retention import operations
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
