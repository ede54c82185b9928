"""Entries: their bytes, strict reading, and bodies held to the vocabulary."""

import hashlib
import json

import pytest

from examsvc.ledger import canonical, entries
from examsvc.ledger.entries import Entry, EntryError, check_body, check_object, entry_bytes, read_entry

H = "ab" * 32
SUBMIT = {
    "stage": "written",
    "posts": ["P1", "P2"],
    "attempt": "A7F3",
    "sitting": "S1",
    "manner": "deadline",
    "links": 12,
    "head": H,
    "answers": H,
}
LOCK = {
    "stage": "written",
    "posts": ["P1"],
    "lock": 1,
    "units": 9,
    "marks": 18,
    "approvals": [{"by": "P-2", "t": 1_790_000_000}, {"by": "P-3", "t": 1_790_000_010}],
    "summary": H,
}


def test_the_bytes_by_hand():
    data = entry_bytes(7, "c1", "attempt.submitted", 1_790_000_000, "A7F3", SUBMIT)
    by_hand = json.dumps(
        {
            "body": SUBMIT,
            "by": "A7F3",
            "n": 7,
            "t": 1_790_000_000,
            "type": "attempt.submitted",
            "v": 1,
            "x": "c1",
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode()
    assert data == by_hand
    assert entries.leaf_hash(data) == hashlib.sha256(b"\0" + by_hand).digest()


def test_an_entry_comes_back():
    data = entry_bytes(7, "c1", "attempt.submitted", 1_790_000_000, "A7F3", SUBMIT)
    entry = read_entry(data)
    assert entry == Entry(7, "c1", "attempt.submitted", 1_790_000_000, "A7F3", SUBMIT)
    assert (entry.stage, entry.posts) == ("written", ("P1", "P2"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stage", "Vòng 1"),
        ("stage", ""),
        ("stage", "-a"),
        ("stage", "a" * 65),
        ("stage", None),
        ("posts", []),
        ("posts", ["P2", "P1"]),
        ("posts", ["P1", "P1"]),
        ("posts", "P1"),
        ("attempt", "Nguyễn Văn An"),
        ("attempt", "nguyen van an"),
        ("manner", "candidate "),
        ("manner", 1),
        ("links", -1),
        ("links", True),
        ("links", "12"),
        ("links", 2**53),
        ("head", H.upper()),
        ("head", H[:-1]),
        ("answers", 5),
    ],
)
def test_wrong_values_are_refused_by_the_field_s_name(name, value):
    check_body("attempt.submitted", SUBMIT)
    with pytest.raises(EntryError, match=f"attempt.submitted: {name}"):
        check_body("attempt.submitted", {**SUBMIT, name: value})


def test_fields_are_neither_missing_nor_added():
    for name in SUBMIT:
        with pytest.raises(EntryError, match=f"lacks the field '{name}'"):
            check_body("attempt.submitted", {key: value for key, value in SUBMIT.items() if key != name})
    with pytest.raises(EntryError, match="does not know"):
        check_body("attempt.submitted", {**SUBMIT, "name": "x"})


def test_approvers_are_enough_and_different():
    check_body("marks.locked", LOCK)
    one = LOCK["approvals"][:1]
    with pytest.raises(EntryError, match="needs 2 approvers and has 1"):
        check_body("marks.locked", {**LOCK, "approvals": one})
    with pytest.raises(EntryError, match="same person"):
        check_body("marks.locked", {**LOCK, "approvals": one + one})
    with pytest.raises(EntryError, match="lacks the field 'approvals'"):
        check_body("marks.locked", {key: value for key, value in LOCK.items() if key != "approvals"})


FRAME = {
    "body": SUBMIT,
    "by": "A7F3",
    "n": 7,
    "t": 1_790_000_000,
    "type": "attempt.submitted",
    "v": 1,
    "x": "c1",
}


@pytest.mark.parametrize(
    "frame",
    [
        {**FRAME, "v": 2},
        {**FRAME, "v": True},
        {**FRAME, "n": -1},
        {**FRAME, "n": "7"},
        {**FRAME, "t": -5},
        {**FRAME, "by": "a b"},
        {**FRAME, "x": ""},
        {**FRAME, "type": "attempt.unsubmitted"},
        {**FRAME, "type": 5},
        {**FRAME, "body": []},
        {**FRAME, "more": 1},
        {key: value for key, value in FRAME.items() if key != "by"},
        [FRAME],
        "text",
    ],
)
def test_wrong_frames_are_refused(frame):
    with pytest.raises(EntryError):
        read_entry(canonical.encode(frame))


def test_reading_is_strict_about_spelling():
    data = canonical.encode(FRAME)
    read_entry(data)
    for changed in (
        data + b"\n",
        b" " + data,
        data.replace(b'"n":7', b'"n":7.0'),
        data.replace(b":7", b": 7"),
    ):
        with pytest.raises(EntryError):
            read_entry(changed)


def test_an_entry_fits_an_entry_bundle():
    pairs = sorted(f"{number:064x}" for number in range(800))
    body = {
        "stage": "written",
        "posts": ["P1"],
        "sitting": "S1",
        "part": 1,
        "parts": 2,
        "pairs": pairs,
        "sealed": H,
    }
    assert len(entry_bytes(1, "c1", "blind.map", 5, "P-9", body)) < entries.MAX_ENTRY_BYTES
    with pytest.raises(EntryError, match="from 0 to 800"):
        check_body("blind.map", {**body, "pairs": [*pairs, "f" * 64]})
    posts = [f"P{number:062}" for number in range(800)]
    with pytest.raises(EntryError, match="at most 65535 fit"):
        entry_bytes(1, "c1", "blind.map", 5, "P-9", {**body, "posts": posts})


def test_objects_are_held_to_the_vocabulary():
    sheet = {
        "script": "K3",
        "marker": "P-4",
        "round": 1,
        "version": 1,
        "guide": 2,
        "criteria": [{"criterion": "clarity", "mark": "7.25"}],
        "total": "31.5",
    }
    check_object("mark.sheet", sheet)
    check_object("mark.sheet", {**sheet, "reason": "Cộng nhầm"})
    for name, value in (
        ("total", 31.5),
        ("total", "31,5"),
        ("total", "031"),
        ("total", "1."),
        ("total", "-"),
        ("round", 0),
    ):
        with pytest.raises(EntryError, match=f"mark.sheet: {name}"):
            check_object("mark.sheet", {**sheet, name: value})
    with pytest.raises(EntryError, match=r"criteria: \[0\] mark"):
        check_object("mark.sheet", {**sheet, "criteria": [{"criterion": "clarity", "mark": 7}]})
    with pytest.raises(EntryError, match="does not know"):
        check_object("mark.sheet", {**sheet, "candidate": "012"})


def test_checking_does_not_change_its_arguments():
    body = json.loads(json.dumps(LOCK))
    check_body("marks.locked", body)
    assert body == LOCK
