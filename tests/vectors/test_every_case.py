"""How many cases of outside truth there are, and that each file has the test module that compares all of them.

Each of those modules asserts that the names it tests are the names in the file; here the files themselves are counted,
so that neither a new file nor a new case can lie unused, nor one get lost.
"""

import json
from pathlib import Path

import pytest

VECTORS = Path(__file__).parent
TESTS = VECTORS.parent / "scoring"
# file: (number of cases, modules that compare them)
FILES = {
    "adaptive/adaptive.json": (13, ["adaptive/test_adaptive_vectors.py"]),
    "assembly/assembly.json": (4, ["assembly/test_assembly_vectors.py"]),
    "classical/classical.json": (25, ["classical/test_classical_vectors.py"]),
    "copying/copying.json": (7, ["forensics/test_copying_vectors.py"]),
    "copying/hand.json": (2, ["forensics/test_copying_vectors.py"]),
    "dif/dif.json": (21, ["dif/test_dif_vectors.py"]),
    "equating/equating.json": (29, ["equating/test_equating_vectors.py"]),
    "equating/hand.json": (2, ["equating/test_equating_vectors.py"]),
    "irt/dichotomous.json": (51, ["irt/test_irt_vectors_dichotomous.py"]),
    "irt/dichotomous_missing.json": (39, ["irt/test_irt_vectors_dichotomous.py"]),
    "irt/groups.json": (9, ["irt/test_irt_vectors_groups.py"]),
    "irt/hand.json": (4, ["irt/test_irt_vectors_dichotomous.py"]),
    "irt/linking.json": (68, ["irt/test_irt_vectors_linking.py"]),
    "irt/polytomous.json": (67, ["irt/test_irt_vectors_polytomous.py"]),
    "raters/hand.json": (2, ["raters/test_agreement_vectors.py"]),
    "raters/raters.json": (
        25,
        [
            "raters/test_agreement_vectors.py",
            "raters/test_many_facet.py",
            "generalizability/test_generalizability_vectors.py",
        ],
    ),
}
OTHERS = {"witness/aics_witness.json"}  # of the ledger, compared in tests/ledger


def test_every_file_is_known_and_together_they_hold_368_cases():
    present = {str(path.relative_to(VECTORS)) for path in VECTORS.rglob("*.json")} - OTHERS
    assert present == set(FILES)
    assert sum(count for count, _ in FILES.values()) == 368


@pytest.mark.parametrize("name", FILES)
def test_cases_are_counted_and_read(name):
    count, modules = FILES[name]
    assert len(json.loads((VECTORS / name).read_text())["cases"]) == count
    assert (VECTORS / name).with_name("ORIGIN.md").is_file()
    stem = Path(name).stem
    for module in modules:
        assert stem in (TESTS / module).read_text()
