"""The code custodian's way through pages and the command: key, coding, lock, a map opened on a machine of one's own, and who may not."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Page
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.database import make_engine
from examsvc.commands.custodians import custodian as command
from examsvc.ledger import canonical, code_maps, sealing
from examsvc.marking import essays
from examsvc.marking.models import CodeMap, StageLock
from examsvc.papers import queries as papers
from examsvc.sittings.models import Sitting
from tests.conftest import sqlite_copy
from tests.marking.conftest import NAMES, Office, sat
from tests.screens import faults, served

CODES = "/competitions/mot/marking/codes/"
MARKING = "/competitions/mot/marking/"


@pytest.fixture
def office(sqlite_template: Path, tmp_path: Path) -> Iterator[Office]:
    """The application after the essays were written; nobody has a key, nothing is coded."""
    address = sqlite_copy(sqlite_template, tmp_path)
    engine = make_engine(address)
    with Session(engine) as session:
        hall, _ = sat(session)
        made = Office(tmp_path, address, hall.now)
        made.hall = hall
        yield made
    engine.dispose()


def ready(office: Office) -> None:
    """Drawn, marked, locked."""
    hall = office.hall
    hall.session.expire_all()
    with hall.write():
        essays.ask_allocation(hall.session, hall.competition, part="essay", by=hall.people["Chief"], now=hall.now)
    assert hall.approve_all("Chair") == 1
    for name in NAMES:
        hall.mark_script(name, 12, 13)
    hall.lock("written")
    hall.session.commit()


def test_the_way_of_a_code_map(office: Office, page: Page, tmp_path: Path) -> None:
    hall, run = office.hall, CliRunner()
    with office.session() as session:
        sitting = next(one.code for one in session.scalars(select(Sitting)) if one.part == "essay")
    coder, chief = office.as_("Coder"), office.as_("Chief")
    home = coder.get("/account/").text
    assert "Hand in the public half of your key" in home
    assert "without it no script can be coded" in home
    refused = coder.post(f"{MARKING}sittings/{sitting}/code")
    assert "No code custodian has handed in a key yet" in refused.text
    assert "can be coded once a key is in" in coder.get(CODES).text

    # the key, made on a machine of his own; bad ones, and somebody else's
    key = tmp_path / "coder.key"
    made = run.invoke(command, ["init", "--key", str(key)])
    assert made.exit_code == 0
    secret = key.read_text().split()[-1]
    assert "secret half of the key" in coder.post(CODES, data={"recipient": secret}).text
    assert "not a public key" in coder.post(CODES, data={"recipient": "age1x"}).text
    assert "Only a code custodian" in chief.post(CODES, data={"recipient": made.stdout.strip()}).text
    assert coder.post(CODES, data={"recipient": made.stdout.strip()}).status_code == 302
    with office.session() as session:
        assert papers.custodian_key(session, hall.competition_id, hall.people["Coder"]).recipient == made.stdout.strip()
    assert "One key alone opens the map" in coder.get(CODES).text
    assert "Code the scripts" in coder.get("/account/").text
    assert coder.post(f"{MARKING}sittings/{sitting}/code").status_code == 302
    hall.keys["Coder"] = secret

    # before the lock nothing is given out and nothing is taken
    for answer in (coder.get(CODES + "written/map"), coder.post(CODES + "written", data=upload(b"x"))):
        assert "not locked yet" in answer.text
    assert "not locked yet" in coder.get(CODES + "written").text
    ready(office)
    assert "Ask to open the code map" in coder.get("/account/").text
    assert "Two people approve the opening" in coder.get(CODES + "written/map").text
    assert coder.post(f"{MARKING}stages/written/open").status_code == 302
    assert office.approve("Chair") == 1
    with office.session() as session:
        assert session.scalars(select(StageLock)).one().opened_at is None
    assert "Hand in the code map" in coder.get("/account/").text
    assert "A code custodian hands it in." in chief.get(MARKING).text

    # taken away, opened with the command, handed in
    closed = tmp_path / "mot-written.closed-map"
    given = coder.get(CODES + "written/map")
    assert closed.name in given.headers["Content-Disposition"]
    closed.write_bytes(given.data)
    other, _ = sealing.new_identity()
    (tmp_path / "other.key").write_text(other)
    wrong = run.invoke(command, ["open-map", str(closed), "--key", str(tmp_path / "other.key")])
    assert wrong.exit_code == 1
    assert "not encrypted to this key" in wrong.output
    opened = run.invoke(command, ["open-map", str(closed), "--key", str(key)])
    assert opened.exit_code == 0, opened.output
    with office.session() as session:
        digest = session.scalars(select(CodeMap)).one().digest
    assert digest in opened.stderr, "to be compared with the record"
    file = tmp_path / "mot-written.opened-map"
    assert file.stat().st_mode & 0o777 == 0o600

    with served(office) as address:
        views = [(hall.people["Coder"], CODES), (hall.people["Coder"], CODES + "written"), (hall.people["Chief"], MARKING)]
        assert faults(office, page, address, views) == []

    assert "not an opened code map" in coder.post(CODES + "written", data=upload(closed.read_bytes())).text
    assert "Choose the file." in coder.post(CODES + "written", data={}).text
    answer = coder.post(CODES + "written", data=upload(file.read_bytes()))
    assert answer.status_code == 302, answer.text
    assert "3 scripts have their writers back" in coder.get(CODES).text
    assert "Code map opened on" in chief.get(MARKING).text
    assert "code map" not in coder.get("/account/").text.lower(), "nothing is left to do"
    assert "Code map opened on" in coder.post(CODES + "written", data=upload(file.read_bytes())).text


def upload(data: bytes) -> dict[str, object]:
    return {"map": (io.BytesIO(data), "mot-written.opened-map")}


def test_who_may_not(office: Office) -> None:
    for person in ("An", "Marker1", "Custodian1", None):
        client = office.client() if person is None else office.as_(person)
        for address in (CODES, CODES + "written", CODES + "written/map"):
            assert client.get(address).status_code in (302, 401, 403, 404), (person, address)
    for person in ("Chief", "Chair"):
        assert office.as_(person).get(CODES).status_code == 200
        for address in (CODES + "written", CODES + "written/map"):
            assert office.as_(person).get(address).status_code == 403
        assert office.as_(person).post(CODES + "written", data=upload(b"x")).status_code == 403
    coder = office.as_("Coder")
    for stage in ("defence", "nothing"):
        assert coder.get(CODES + stage).status_code == 404
        assert coder.get(CODES + stage + "/map").status_code == 404


# ---------------------------------------------------------------------------------------- the files


def pair(number: int) -> code_maps.Pair:
    return code_maps.Pair(bytes([number]) * 32, f"attempt-{number}", number, f"SCRIPT{number}")


def test_a_file_is_read_strictly_and_opens_for_each_of_its_keys() -> None:
    (one, first), (two, second), (three, _) = (sealing.new_identity() for _ in range(3))
    parts = tuple(code_maps.close("ca-1", part, [pair(part), pair(9)], (first, second)) for part in (1, 2))
    closed = code_maps.read_closed(code_maps.ClosedFile("mot", "written", parts).data)
    for identity in (one, two):
        opened = code_maps.open_file(closed, identity)
        assert [part.pairs for part in opened.parts] == [(pair(1), pair(9)), (pair(2), pair(9))]
        assert code_maps.read_opened(opened.data) == opened
    assert "SCRIPT" not in repr(opened)
    with pytest.raises(code_maps.CodeMapError, match="not encrypted to this key"):
        code_maps.open_file(closed, three)
    with pytest.raises(code_maps.CodeMapError, match="AGE-SECRET-KEY"):
        code_maps.open_file(closed, first)
    swapped = tuple(code_maps.ClosedPart("ca-1", 3 - part.part, part.ciphertext) for part in parts)
    with pytest.raises(code_maps.CodeMapError, match="another sitting or part"):
        code_maps.open_file(code_maps.ClosedFile("mot", "written", swapped), one)
    for recipients in ((), ("age1nonsense",), (one,)):
        with pytest.raises(code_maps.CodeMapError):
            code_maps.close("ca-1", 1, [], recipients)


def spoiled() -> Iterator[tuple[str, object]]:
    good = canonical.decode(code_maps.OpenedFile("mot", "written", (code_maps.OpenedPart("ca-1", 1, (pair(1),)),)).data)
    yield "another format", {**good, "format": code_maps.CLOSED}
    yield "one name more", {**good, "more": 1}
    yield "no stage", {name: value for name, value in good.items() if name != "stage"}
    yield "a stage that is a number", {**good, "stage": 1}
    yield "no list", {**good, "parts": {}}
    yield "a part that is none", {**good, "parts": ["x"]}
    (part,) = good["parts"]
    for name, value in (("sitting", 1), ("part", "1"), ("part", True), ("pairs", {}), ("pairs", ["x"])):
        yield f"{name} {value}", {**good, "parts": [{**part, name: value}]}
    (row,) = part["pairs"]
    for wrong in (
        {**row, "salt": row["salt"][2:]},
        {**row, "salt": "zz" * 32},
        {**row, "salt": 1},
        {"salt": row["salt"]},
        {**row, "more": 1},
        *({**row, "object": {**row["object"], name: value}} for name, value in (("attempt", 1), ("slot", "1"), ("slot", True), ("script", None), ("more", 1))),
    ):
        yield str(wrong), {**good, "parts": [{**part, "pairs": [wrong]}]}


def test_files_that_are_none() -> None:
    tried = 0
    for what, value in spoiled():
        with pytest.raises(code_maps.CodeMapError):
            pytest.fail(f"{what}: {code_maps.read_opened(canonical.encode(value))}")
        tried += 1
    assert tried == 21
    closed = canonical.decode(code_maps.ClosedFile("mot", "written", (code_maps.ClosedPart("ca-1", 1, b"x"),)).data)
    for ciphertext in (1, "x", "===="):
        with pytest.raises(code_maps.CodeMapError):
            code_maps.read_closed(canonical.encode({**closed, "parts": [{**closed["parts"][0], "ciphertext": ciphertext}]}))
