"""Whole competitions become bundles that a stranger verifies, on both databases."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from examsvc.ledger import queries, witness_store
from examsvc.ledger.operations import REGISTRY
from examsvc.results import editions
from examsvc.results import queries as results
from examsvc.verify.findings import Verdict
from examsvc.verify.verification import VERIFIED, verify
from tests.exam_hall import ExamHall
from tests.ledger.local_witnesses import install


def witnesses_of(session: Session, folder: Path) -> dict[str, witness_store.Store]:
    keys = [queries.current_key(session, log)[1] for log in (REGISTRY, "mot")]
    return install(folder, *keys)


def test_a_published_competition_becomes_two_editions_that_verify(session: Session, tmp_path: Path) -> None:
    hall = ExamHall(session)
    witnesses_of(session, tmp_path / "witnesses")
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in ("An", "Bình", "Chi"):
        hall.candidate(name)
    form = hall.paper()
    hall.phase("exam")
    sitting = hall.sitting(form)
    hall.write_all(["An", "Bình", "Chi"], sitting, {"An": 8, "Bình": 6})
    hall.mark(sitting)
    hall.publish()
    publication = results.published(session, hall.competition_id)
    made = editions.freeze(session, publication, now=hall.now)
    policy = queries.policy(session, "mot")
    assert [one.kind for one in made] == ["public", "restricted"]
    for one in made:
        report = verify(one.content, policy)
        failed = [(f.check, f.reasons) for f in report.findings if f.verdict is Verdict.FAILED]
        assert not failed
        assert report.status == VERIFIED
