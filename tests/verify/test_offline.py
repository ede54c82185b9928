"""The verifier stands alone: no database, no web, no network, no sealing; and it says in words what it found."""

import subprocess
import sys

from hall import POLICY, POSTS, material
from hall_course import competition

from examsvc.ledger.bundle import PUBLIC, RESTRICTED, compose
from examsvc.verify.printing import lines
from examsvc.verify.verification import verify

FORBIDDEN = (
    "flask",
    "sqlalchemy",
    "wtforms",
    "pyrage",
    "Crypto",
    "pydantic",
    "numpy",
    "socket",
    "http.client",
    "httpx",
)


def test_importing_the_verifier_loads_nothing_of_the_server():
    code = (
        "import sys; import examsvc.verify.verification, examsvc.verify.printing; "
        f"print([name for name in {FORBIDDEN!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_report_in_words():
    data = compose(material(competition(candidates=1)), PUBLIC, POSTS, 1)
    text = lines(verify(data, POLICY))
    assert text[0].startswith("public edition 1 of dept-heads-2026, posts P1, P2")
    assert text[-1] == "Verified."
    assert sum(line.startswith("passed") for line in text) == 16
    assert (
        "not checkable  V13  scores follow from responses and key, marks from their sheets, and the ranking holds these"
        in text
    )
    assert "not checkable  V18  every receipt given is in this log" in text
    assert lines(verify(data, None))[-1].startswith("Consistent in itself")
    bad = lines(verify(data, POLICY, slips=["AAAAA-AAAAA-AAAAA-AAAAA"]))
    assert bad[-1] == "Not verified: V18."
    assert "               the slip AAAAA-AAAAA-AAAAA-AAAAA belongs to no attempt in this log" in bad


def test_statistics_by_hand():
    hall = competition(candidates=3)
    report = verify(compose(material(hall), RESTRICTED, POSTS, 1), POLICY)
    (notes,) = [finding.notes for finding in report.findings if finding.check == "V19"]
    totals: dict[str, list[float]] = {}
    for opening in hall.openings:
        if opening.object == "mark.sheet":
            totals.setdefault(opening.value["marker"], []).append(float(opening.value["total"]))
    for marker, marks in totals.items():
        middle = sum(marks) / len(marks)
        spread = (sum((mark - middle) ** 2 for mark in marks) / len(marks)) ** 0.5
        assert (
            f"{marker}: {len(marks)} sheets for scripts, mean {middle:.2f}, standard deviation {spread:.2f}"
            in notes
        )
    assert f"room R1: {len(hall.sat)} candidates" in notes
    public = verify(compose(material(hall), PUBLIC, POSTS, 1), POLICY)
    assert not any("mean" in note for finding in public.findings for note in finding.notes)
