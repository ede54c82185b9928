"""Verdicts are a closed list whose sentences can be filled from what the families give."""

import re
from pathlib import Path

import numpy as np
import pytest

import scoring
from scoring.classical import item_analysis, reliability
from scoring.ranking import leave_out_markers, rank_uncertainty
from scoring.raters import icc, kappa
from scoring.verdicts import CODES, Verdict, against_target


def test_every_code_is_used_and_every_used_code_is_known():
    folder = Path(scoring.__file__).parent
    text = "\n".join(p.read_text() for p in folder.rglob("*.py") if p.name != "verdicts.py")
    used = set(
        re.findall(
            r'"((?:item|paper|reliability|agreement|raters|component|cut|judge|ranking|marker)\.[a-z_]+)"',
            text,
        )
    )
    built = {
        f"{family}.{end}"
        for family in ("reliability", "agreement")
        for end in ("says_nothing", "below", "above", "undecided")
    }
    known = set(CODES)
    assert used <= known
    assert known - used - built == set()
    assert len(known) > 35


def test_unknown_code():
    with pytest.raises(KeyError):
        Verdict("item.fine")


@pytest.mark.parametrize(
    ("interval", "code"),
    [((0.1, 0.5), "below"), ((0.8, 0.9), "above"), ((0.5, 0.8), "undecided"), ((-0.5, 0.9), "says_nothing")],
)
def test_against_a_target(interval, code):
    assert against_target("reliability", interval, 0.7, 10).code == f"reliability.{code}"


def test_sentences_can_be_written():
    x = np.random.default_rng(1).integers(0, 2, (8, 4))
    found = [
        item_analysis(x).verdict,
        *(v for row in item_analysis(x).verdicts for v in row),
        reliability(x).verdict,
    ]
    found += [icc(x).verdict, kappa(x).verdict, rank_uncertainty([1, 2, 3], 1.0).verdict]
    found += [effect.verdict for effect in leave_out_markers([[1, 2], [2, 3], [4, 1]])]
    for verdict in found:
        assert "{" not in str(verdict)
