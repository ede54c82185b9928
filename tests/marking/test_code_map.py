"""Who wrote what, between coding and opening: with the code custodians alone, hidden from whoever reads the database, and proved when it returns."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts import relations, roles
from examsvc.base.database import make_engine
from examsvc.base.errors import NotAllowed, Refused
from examsvc.demonstration import custodians
from examsvc.ledger import code_maps
from examsvc.ledger.models import LogEntry, Opening
from examsvc.marking import blinding, calibration, locking, opening, queries, replacing
from examsvc.marking.models import Allocation, CodeMap, Script
from examsvc.papers import custody
from examsvc.retention import emptying
from examsvc.sittings.models import Attempt, Sitting
from tests.conftest import sqlite_copy
from tests.exam_hall import ExamHall, read_maps
from tests.ledger_check import assert_valid
from tests.marking.conftest import NAMES, sat, written
from tests.marking.test_scripts import bodies


def another_coder(hall: ExamHall) -> None:
    with hall.write():
        request = roles.propose_role(
            hall.session, account_id=hall.person("Coder2").id, role="code-custodian", competition="mot", by=hall.office, now=hall.now
        )
        roles.approve_role(hall.session, request_id=request.id, by=hall.second, now=hall.now)


def code(hall: ExamHall, sitting: int) -> int:
    with hall.write():
        return blinding.code_scripts(
            hall.session, hall.session.get_one(Sitting, sitting), by=hall.people["Coder"], now=hall.now
        )


def state(session: Session) -> list[object]:
    """All that an opening changes."""
    session.expire_all()
    return [
        sorted(session.scalars(select(Script.id).where(Script.attempt_id.is_not(None)))),
        session.scalar(select(func.count()).select_from(Opening)),
        session.scalar(select(func.count()).select_from(LogEntry)),
        [one.ciphertext for one in session.scalars(select(CodeMap))],
    ]


def wrong_maps(right: code_maps.OpenedFile) -> Iterator[tuple[str, code_maps.OpenedFile]]:
    """Maps that somebody could hand in instead, each with the sentence that refuses it."""
    (part,) = right.parts
    first, second, third = part.pairs

    def with_pairs(*pairs: code_maps.Pair) -> code_maps.OpenedFile:
        return replace(right, parts=(replace(part, pairs=pairs),))

    not_committed = "is not what was committed to"
    yield not_committed, with_pairs(replace(first, attempt=second.attempt), replace(second, attempt=first.attempt), third)
    yield not_committed, with_pairs(replace(first, script=second.script), replace(second, script=first.script), third)
    yield not_committed, with_pairs(replace(first, salt=second.salt), replace(second, salt=first.salt), third)
    yield not_committed, with_pairs(replace(first, slot=first.slot + 1), second, third)
    yield not_committed, with_pairs(first, second, third, third)
    yield "leaves out 1 pairs", with_pairs(first, second)
    yield "leaves out 3 pairs", with_pairs()
    yield "exactly the sittings", replace(right, parts=())
    yield "exactly the sittings", replace(right, parts=(part, part))
    yield "exactly the sittings", replace(right, parts=(replace(part, sitting="other"),))
    yield "exactly the sittings", replace(right, parts=(part, replace(part, part=2, pairs=())))
    yield "another competition", replace(right, competition="hai")
    yield "another competition", replace(right, stage="defence")


def test_the_map_comes_back_whole_and_true_or_not_at_all(session: Session) -> None:
    hall, sitting = sat(session)
    another_coder(hall)
    with pytest.raises(Refused, match="No code custodian has handed in a key"):
        code(hall, sitting)
    assert queries.scripts(session, hall.competition_id, "essay") == []
    for person in ("Coder", "Coder2"):
        hall.code_key(person)
    hall.code_and_draw(sitting)
    (kept,) = session.scalars(select(CodeMap)).all()
    assert bodies(hall, "blind.map")[0]["sealed"] == kept.digest
    assert read_maps(session, hall.keys["Coder"]) == read_maps(session, hall.keys["Coder2"]), "each of them opens it alone"
    early = _closed(hall, kept)
    forced = code_maps.open_file(early, hall.keys["Coder"])

    def give(data: bytes, person: str = "Coder") -> int:
        return hall.hand_in_map("written", data, person)

    for name in NAMES:
        hall.mark_script(name, 12, 13)
    for act in (lambda: hall.opened_map("written"), lambda: give(forced.data)):
        with pytest.raises(Refused, match="not locked yet"):
            act()
    hall.lock("written")
    assert queries.part_marks(session, hall.competition, "essay") == {}
    for act in (lambda: hall.opened_map("written"), lambda: give(forced.data)):
        with pytest.raises(Refused, match="Two people approve"):
            act()
    with hall.write():
        locking.ask_opening(session, hall.competition, stage="written", by=hall.people["Coder"], now=hall.now)
    assert hall.approve_all("Chair") == 1
    with pytest.raises(Refused, match="approved already"), hall.write():
        locking.ask_opening(session, hall.competition, stage="written", by=hall.people["Coder"], now=hall.now)

    before, tried = state(session), 0
    right = code_maps.read_opened(hall.opened_map("written", "Coder2"))
    for sentence, wrong in wrong_maps(right):
        with pytest.raises(Refused, match=sentence):
            give(wrong.data)
        assert state(session) == before, sentence
        tried += 1
    assert tried == 13
    for junk in (b"", b"{}", right.data[:-1], right.data + b"\n", early.data):
        with pytest.raises(Refused, match="not an opened code map"):
            give(junk)
    with pytest.raises(NotAllowed):
        give(right.data, "Chief")
    assert state(session) == before

    assert give(right.data, "Coder2") == 3
    writers = {one.code: one.attempt.code for one in queries.scripts(session, hall.competition_id, "essay")}
    assert writers == {pair.script: pair.attempt for pair in right.parts[0].pairs}
    (entry,) = bodies(hall, "blind.open")
    approvers = [accounts.account(session, hall.people[person]).code for person in ("Coder", "Chair")]
    assert entry["custodians"] == [accounts.account(session, hall.people["Coder2"]).code]
    assert ([one["by"] for one in entry["approvals"]], entry["pairs"]) == (approvers, 3)
    assert session.scalars(select(CodeMap)).one().ciphertext is None, "its salts could not be erased in there"
    assert len(queries.part_marks(session, hall.competition, "essay")) == 3
    for act in (lambda: hall.opened_map("written"), lambda: give(right.data)):
        with pytest.raises(Refused, match="open already"):
            act()
    assert_valid(session, "mot")


def _closed(hall: ExamHall, kept: CodeMap) -> code_maps.ClosedFile:
    """What somebody with the database takes from it before the program would give it out."""
    return code_maps.ClosedFile("mot", "written", (code_maps.ClosedPart(kept.sitting.code, kept.part, kept.ciphertext or b""),))


def test_a_key_handed_in_after_the_coding_opens_nothing(hall: ExamHall) -> None:
    another_coder(hall)
    hall.code_key("Coder2")
    closed = _closed(hall, hall.session.scalars(select(CodeMap)).one())
    with pytest.raises(code_maps.CodeMapError, match="not encrypted to this key"):
        code_maps.open_file(closed, hall.keys["Coder2"])
    assert len(code_maps.open_file(closed, hall.keys["Coder"]).parts[0].pairs) == 3


def test_a_map_that_was_changed_in_the_database_is_not_given_out(hall: ExamHall) -> None:
    for name in NAMES:
        hall.mark_script(name, 12, 13)
    hall.lock("written")
    with hall.write():
        locking.ask_opening(hall.session, hall.competition, stage="written", by=hall.people["Coder"], now=hall.now)
    hall.approve_all("Chair")
    with hall.write():
        kept = hall.session.scalars(select(CodeMap)).one()
        kept.ciphertext = (kept.ciphertext or b"")[:-1] + b"x"
    with pytest.raises(Refused, match="not the one in the record"):
        opening.closed_file(hall.session, hall.competition, "written")


# ---------------------------------------------------------------------------------------- what a reader of the database sees


@pytest.fixture(scope="module")
def uncoded(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ExamHall, int]]:
    """A sitting that nobody has coded yet, with a key to code it."""
    engine = make_engine(sqlite_copy(sqlite_template, tmp_path_factory.mktemp("uncoded")))
    with Session(engine) as session:
        hall, sitting = sat(session)
        hall.code_key()
        yield hall, sitting
    engine.dispose()


class Undone(Exception):
    pass


@contextmanager
def undone(hall: ExamHall) -> Iterator[Session]:
    """A transaction that is only looked at."""
    try:
        with hall.write():
            yield hall.session
            raise Undone
    except Undone:
        hall.session.expire_all()


def codings(hall: ExamHall, sitting: int, times: int) -> Iterator[dict[str, list[str]]]:
    """Attempt codes in the orders in which a reader meets their scripts: by row, code, word of the writer, place in the log."""
    session = hall.session
    for _ in range(times):
        seen: dict[str, list[str]] = {}
        with undone(hall):
            blinding.code_scripts(session, session.get_one(Sitting, sitting), by=hall.people["Coder"], now=hall.now)
            known = read_maps(session, hall.keys["Coder"])
            rows = session.scalars(select(Script)).all()
            assert len({one.made_at for one in rows}) == 1
            assert {(one.attempt_id, one.slot) for one in rows} == {(None, None)}
            for order, column in (("row", Script.id), ("code", Script.code), ("writer", Script.writer)):
                seen[order] = [known[one.code] for one in session.scalars(select(Script).order_by(column))]
            (kept,) = session.scalars(select(CodeMap)).all()
            (part,) = code_maps.open_file(_closed(hall, kept), hall.keys["Coder"]).parts
            seen["log"] = [pair.attempt for pair in part.pairs]
        yield seen


def test_no_order_of_rows_codes_words_or_commitments_tells_the_order_of_attempts(uncoded: tuple[ExamHall, int]) -> None:
    """Over many codings of the same sitting every order of its three attempts comes up, in each place where a reader could look.

    All six come up in 120 codings but for a chance of 6 · (5/6)^120 < 10^-8; the order of the attempts in more than 50 of them, of 20
    that are to be expected, for one below 10^-10.
    """
    hall, sitting = uncoded
    attempts = [one.code for one in hall.session.scalars(select(Attempt).where(Attempt.sitting_id == sitting).order_by(Attempt.id))]
    counted: dict[str, Counter[tuple[str, ...]]] = {}
    for seen in codings(hall, sitting, 120):
        for order, found in seen.items():
            counted.setdefault(order, Counter())[tuple(found)] += 1
    assert counted.keys() == {"row", "code", "writer", "log"}
    for order, times in counted.items():
        assert set(times) == set(itertools.permutations(attempts)), order
        assert times[tuple(attempts)] <= 50, order


def test_chance_comes_from_the_operating_system_and_not_from_a_seed(uncoded: tuple[ExamHall, int]) -> None:
    hall, sitting = uncoded
    found = set()
    for _ in range(2):
        random.seed(1)
        with undone(hall):
            blinding.code_scripts(hall.session, hall.session.get_one(Sitting, sitting), by=hall.people["Coder"], now=hall.now)
            found.add(tuple((one.code, one.writer) for one in hall.session.scalars(select(Script).order_by(Script.id))))
    assert len(found) == 2


def test_codes_are_different_and_none_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blinding, "ALPHABET", "AB")
    taken = {"".join(letters) for letters in itertools.product("AB", repeat=8)} - {"AAAAAAAA", "BABABABA", "BBBBBBBB"}
    assert sorted(blinding.script_codes(3, taken)) == ["AAAAAAAA", "BABABABA", "BBBBBBBB"]


# ---------------------------------------------------------------------------------------- who must not mark


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.integers(1, 40), st.sets(st.integers(100, 104), max_size=3), max_size=14))
def test_bars_hold_for_whom_they_must_and_are_shared_where_others_sat(close: dict[int, set[int]]) -> None:
    found = blinding.hidden(close)
    assert found.keys() == close.keys()
    lenders = [one for one in close if close[one]]
    free = len(close) - len(lenders)
    for one in lenders:
        assert found[one] == sorted(close[one]), "exactly those, since more would take markers away from him alone"
    borrowed = [one for one in close if not close[one] and found[one]]
    assert len(borrowed) == min(free, (blinding.TOGETHER - 1) * len(lenders))
    assert {tuple(found[one]) for one in borrowed} <= {tuple(sorted(close[one])) for one in lenders}
    if free >= (blinding.TOGETHER - 1) * len(lenders):
        for one in lenders:
            alike = sum(1 for other in found if found[other] == found[one])
            assert alike >= blinding.TOGETHER


def test_a_relation_known_before_the_coding_bars_without_naming(uncoded: tuple[ExamHall, int]) -> None:
    """The marker draws none of the script; nothing stored says that the bar is An's, since the other two have the same."""
    hall, sitting = uncoded
    session, marker = hall.session, hall.people["Marker2"]
    with undone(hall):
        relations.recuse(session, "mot", marker, hall.application("An").account_id, reason="cấp dưới trực tiếp", now=hall.now)
        blinding.code_scripts(session, session.get_one(Sitting, sitting), by=hall.people["Coder"], now=hall.now)
        scripts = session.scalars(select(Script)).all()
        assert [one.barred for one in scripts] == [[marker]] * 3
        assert all(queries.close_to(session, one) == {marker} for one in scripts)
        assert calibration.joint_scripts(session, hall.competition, "essay", hall.now) == []


def test_who_recognises_a_writer_gets_none_of_his_other_scripts(any_session: Session) -> None:
    hall = written(any_session, essays=2)
    scripts = queries.scripts(any_session, hall.competition_id, "essay")
    known = read_maps(any_session, hall.keys["Coder"])
    by_word: dict[str, set[str]] = {}
    for one in scripts:
        by_word.setdefault(one.writer, set()).add(known[one.code])
    assert sorted(map(len, by_word.values())) == [1, 1, 1], "one word for each writer"
    first, second = (one for one in scripts if one.writer == scripts[0].writer)
    recognised = next(one for one in first.allocations if one.round == 1)
    other = next((one for one in second.allocations if one.marker_id == recognised.marker_id), second.allocations[0])
    with hall.write():  # the draw need not have given both to one marker
        other.marker_id, other.called_at = recognised.marker_id, hall.now
    marker = recognised.marker_id
    before = queries.desk(any_session, hall.competition_id, marker)
    with hall.write():
        replacing.recognise(any_session, recognised, by=marker, now=hall.now)
    after = queries.desk(any_session, hall.competition_id, marker)
    assert {one.id for one in before} - {one.id for one in after} == {recognised.id, other.id}
    assert queries.must_leave(any_session, other.script) == [other]
    assert queries.state(any_session, other.script) == "recognised"
    with hall.write():
        replacing.ask_replacement(any_session, other, cause="recusal", by=hall.people["Chief"], now=hall.now)
    assert hall.approve_all("Chair") == 1
    assert any_session.get_one(Allocation, other.id).replaced_at is not None
    assert_valid(any_session, "mot")


# ---------------------------------------------------------------------------------------- in a demonstration


def test_the_invented_custodian_of_a_demonstration_hands_the_map_in(any_session: Session) -> None:
    """With the key that everybody knows; a map that another key alone opens it leaves to whoever has that key."""
    session = any_session
    hall, sitting = sat(session)
    hall.keys["Coder"], recipient = custodians.CODER_KEY
    with hall.write():
        custody.register_key(session, hall.competition, recipient=recipient, by=hall.people["Coder"], now=hall.now)
    hall.code_and_draw(sitting)
    assert custodians.written_by(session, sitting) == read_maps(session, hall.keys["Coder"])
    for name in NAMES:
        hall.mark_script(name, 12, 13)
    hall.lock("written")
    with hall.write():
        locking.ask_opening(session, hall.competition, stage="written", by=hall.people["Coder"], now=hall.now)
    hall.approve_all("Chair")
    custodians.turn_up(session, hall.now, domain="example.vn")
    assert queries.lock(session, hall.competition_id, "written").opened_at is None, "the custodian here is another person"
    with hall.write():
        accounts.account(session, hall.people["Coder"]).email = f"{custodians.CODER}@example.vn"
    custodians.turn_up(session, hall.now, domain="example.vn")
    assert queries.lock(session, hall.competition_id, "written").opened_at == hall.now
    assert_valid(session, "mot")


# ---------------------------------------------------------------------------------------- erased while the map is closed


def test_answers_erased_before_the_opening_stay_erased(hall: ExamHall) -> None:
    """A withdrawn candidate's script is found by its text while nobody knows whose it is; his pair opens nothing afterwards."""
    session, application = hall.session, hall.application("Chi")
    own = hall.script_of("Chi").code
    for name in NAMES:
        hall.mark_script(name, 12, 13)
    hall.lock("written")
    with hall.write():
        work = emptying.Work(session, hall.competition, emptying.Tally(), hall.now)
        emptying.answers(emptying.begin(work, application))
    session.expire_all()
    contents = {one.code: bool(one.content) for one in queries.scripts(session, hall.competition_id, "essay")}
    assert contents == {code: code != own for code in contents}
    hall.unblind("written")
    rows = session.scalars(select(Opening).where(Opening.type == "blind.pair")).all()
    assert len(rows) == 3
    for one in rows:
        assert (one.content is None, one.salt is None, one.erased_at is not None) == (one.subject == application.account.code,) * 3
