"""Draws whose numbers stay at home, in tests: a regulation that asks for them, and everybody's part in one."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta

from examsvc.accounts import queries as accounts
from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.ledger import commitments, draw_records, drawing
from tests.exam_hall import ExamHall

VALUE = "48215"
READERS = ("Chair", "Secretary")


def by_steps(regulation: Regulation, *purposes: str, roles: tuple[str, ...] = ("council-chair", "council-secretary", "council-member")) -> Regulation:
    """The regulation, with these draws by steps and the outside value of the preset for leaders; papers are the custodians'."""
    tree = json.loads(regulation.canonical_bytes())
    outside = json.loads(read_preset("vn-leadership").canonical_bytes())["draws"][0]["outside"]
    for rule in tree["draws"]:
        if rule["id"] in purposes:
            rule |= {"method": "steps", "outside": outside}
            rule["participants"] = ["custodian"] if rule["id"] == "assembly" else list(roles)
    assert {rule["id"] for rule in tree["draws"] if rule["method"] == "steps"} == set(purposes)
    return Regulation.model_validate_json(json.dumps(tree))


def number(draw: str, person: str) -> tuple[str, str, str]:
    """A participant's nonce, salt and commitment, as the command makes them."""
    nonce, salt = secrets.token_hex(32), commitments.new_salt()
    value = {"draw": draw, "person": person, "nonce": nonce}
    return nonce, salt.hex(), commitments.commit("draw.nonce", salt, value)


def commit(hall: ExamHall, draw: str, *, without: tuple[str, ...] = ()) -> dict[str, tuple[str, str, str]]:
    """Everybody but some commits; what each keeps at home, by code."""
    found = draw_records.draw_of(hall.session, "mot", draw)
    assert found is not None
    kept = {one.code: number(draw, one.code) for one in found.participants if one.code not in without}
    for person, (_, _, commitment) in kept.items():
        with hall.write():
            drawing.commit(hall.session, "mot", draw, commitment=commitment, by=person, now=hall.now)
    return kept


def reveal(hall: ExamHall, draw: str, kept: dict[str, tuple[str, str, str]]) -> None:
    for person, (nonce, salt, _) in kept.items():
        with hall.write():
            drawing.reveal(hall.session, "mot", draw, nonce=nonce, salt=salt, by=person, now=hall.now)


def read_outside(hall: ExamHall, draw: str, value: str = VALUE) -> None:
    """Time goes to the publication, and two people read the value."""
    found = draw_records.draw_of(hall.session, "mot", draw)
    assert found is not None
    assert found.published is not None
    hall.now = max(hall.now, found.published + timedelta(minutes=5))
    for person in READERS:
        code = accounts.account(hall.session, hall.people[person]).code
        with hall.write():
            drawing.read_outside(hall.session, "mot", draw, value=value, place="báo Nhân Dân", by=code, now=hall.now)


def hold_by_steps(hall: ExamHall, draw: str) -> None:
    """From the commitments to the outside value."""
    kept = commit(hall, draw)
    found = draw_records.draw_of(hall.session, "mot", draw)
    assert found is not None
    assert found.state == "fixed", "what was announced is fixed with the last commitment"
    reveal(hall, draw, kept)
    read_outside(hall, draw)
