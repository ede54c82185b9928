"""docs/trust.md claims nothing that no test tries: every pointer in it leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")


def test_every_pointer_of_the_page_leads_to_a_test() -> None:
    pointers = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    missing = [
        f"{path}::{name}"
        for path, name in pointers
        if not (ROOT / path).exists() or f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert missing == []
    assert len(pointers) >= 30
    assert PAGE.count("`tests/") == len(pointers), "a pointer that is not of this form"


def test_every_check_it_names_exists_and_every_link_too() -> None:
    verifier = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "examsvc" / "verify").glob("*.py"))
    named = set(re.findall(r"\bV\d+\b", PAGE))
    assert named <= set(re.findall(r'"(V\d+)"', verifier)), "the verifier knows no such check"
    assert len(named) >= 15
    links = re.findall(r"\]\(([\w/.-]+\.md)\)", PAGE)
    assert [one for one in links if not (ROOT / "docs" / one).exists()] == []
    assert "docs/trust.md" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_row_says_what_comes_of_it() -> None:
    """Each attempt is prevented, detected, or plainly not."""
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| tr")]
    verdicts = [row[2].strip() for row in rows]
    assert len(rows) >= 35
    known = r"(\*\*)?(prevented|detected|not prevented|not detected|out of scope|answers are not lost)"
    assert [one for one in verdicts if not re.match(known, one)] == []
