"""How questions did when they were used: from marked sittings, against counting by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from sqlalchemy.orm import Session

from examsvc.marking import item_scores, objective
from examsvc.papers import oracles, queries, statistics
from examsvc.papers.models import Form
from examsvc.sittings.models import Sitting
from tests.exam_hall import ExamHall
from tests.papers.test_corrections import right_in_form

KNOWS = {"An": 9, "Bình": 7, "Chi": 5, "Dũng": 4, "Em": 2, "Giang": 0}


def test_difficulty_and_discrimination_are_those_of_the_answers(any_session: Session) -> None:
    session = any_session
    hall = ExamHall(session)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in KNOWS:
        hall.candidate(name)
    number = hall.paper(cells=[{"count": 10, "marks": "4", "kinds": ["single"]}])
    sitting = hall.sitting(number)
    form = session.get_one(Form, number)
    assert statistics.of_form(session, form) == {}, "nothing before the marking"
    identifier = form.slots[0].item_version.identifier
    bank = form.blueprint.bank_id
    assert [(one.code, use, at) for one, use, at in statistics.of_item(session, identifier, bank)] == [(form.code, None, 1)]
    hall.write_all(list(KNOWS), sitting, KNOWS)
    with hall.write():
        objective.mark_objective(session, session.get_one(Sitting, sitting), now=hall.now)
    form = session.get_one(Form, number)
    right = np.array([[float(right_in_form(hall, name)[slot.number]) for slot in form.slots] for name in KNOWS])
    assert right.sum() == sum(KNOWS.values())
    assert item_scores.scores in oracles._scores
    found = statistics.of_form(session, form)
    assert sorted(found) == list(range(1, 11))
    for place, slot in enumerate(form.slots):
        use = found[slot.number]
        assert use.candidates == len(KNOWS)
        assert use.difficulty is not None
        assert use.difficulty[0] == pytest.approx(right[:, place].mean())
        assert use.difficulty[1] <= use.difficulty[0] <= use.difficulty[2]
        rest = right.sum(axis=1) - right[:, place]
        if right[:, place].std() and rest.std():
            assert use.discrimination is not None
            assert use.discrimination[0] == pytest.approx(np.corrcoef(right[:, place], rest)[0, 1])
    assert queries.earlier_uses(session, bank) == {slot.item_version.identifier: 1 for slot in form.slots}
    past = statistics.difficulties(session, bank)
    assert past[identifier] == pytest.approx(right[:, 0].mean())
    (candidate,) = statistics.candidates(session, [form.slots[0].item_version])
    assert (candidate.uses, candidate.difficulty) == (1, pytest.approx(right[:, 0].mean()))


def test_too_few_candidates_tell_nothing() -> None:
    rows = tuple(((1, Fraction(n % 2)), (2, Fraction(1))) for n in range(3))
    found = statistics.analysed(rows, ((1, Fraction(1)), (2, Fraction(1))))
    assert {number: (use.candidates, use.difficulty, use.discrimination) for number, use in found.items()} == {
        1: (3, None, None),
        2: (3, None, None),
    }
