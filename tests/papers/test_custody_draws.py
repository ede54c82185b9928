"""Late assembly: the papers of a part come out of a public draw, and whoever has pool, blueprint and seed gets the same ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.base.errors import Refused
from examsvc.commands.custodians import custodian as command
from examsvc.demonstration.announcing import objective_only
from examsvc.ledger import canonical, drawing
from examsvc.papers import approval, banks, ceremony_draws, operations, queries
from examsvc.papers.models import Form
from tests.draws_by_steps import by_steps, read_outside
from tests.exam_hall import ExamHall, bank
from tests.ledger_check import assert_valid
from tests.screens import faults, served
from tests.web import world

PEOPLE = ("Custodian1", "Custodian2", "Custodian3")
PAGE = "/competitions/mot/papers/parts/test/draw"


def begun(session: Session) -> ExamHall:
    """Applications are closed, custodians named, the blueprint made; nothing is drawn."""
    hall = ExamHall(session, by_steps(objective_only(), "assembly"))
    for phase in ("announced", "applications"):
        hall.phase(phase)
    hall.candidate("An")
    hall.admit()
    hall.name_custodians("written")
    with hall.write():
        stored = banks.import_bank(session, bank(), by=hall.people["Setter"], now=hall.now)
        operations.set_blueprint(
            session,
            hall.competition,
            part="test",
            cells=[{"count": 10, "marks": "4", "kinds": ["single"]}],
            bank=stored,
            by=hall.people["Setter"],
            now=hall.now,
        )
    return hall


def code_of(hall: ExamHall, person: str) -> str:
    from examsvc.accounts import queries as accounts

    return accounts.account(hall.session, hall.people[person]).code


def ask(hall: ExamHall) -> None:
    with hall.write():
        ceremony_draws.ask_draw(hall.session, hall.competition, part="test", by=hall.people["Secretary"], now=hall.now)


def commit(hall: ExamHall, folder: Path) -> str:
    found = ceremony_draws.record(hall.session, hall.competition, "test")
    assert found is not None
    for person in PEOPLE:
        made = CliRunner().invoke(
            command, ["number", found.code, "--person", code_of(hall, person), "-o", str(folder / f"{found.code}-{person}")]
        )
        with hall.write():
            drawing.commit(hall.session, "mot", found.code, commitment=made.stdout.strip(), by=code_of(hall, person), now=hall.now)
    return found.code


def fix(hall: ExamHall) -> int:
    with hall.write():
        return ceremony_draws.fix_pool(hall.session, hall.competition, part="test", by=hall.people["Setter"], now=hall.now)


def finish(hall: ExamHall, folder: Path, draw: str) -> None:
    for person in PEOPLE:
        kept = canonical.decode((folder / f"{draw}-{person}").read_bytes())
        with hall.write():
            drawing.reveal(
                hall.session, "mot", draw, nonce=kept["nonce"], salt=kept["salt"], by=code_of(hall, person), now=hall.now
            )
    read_outside(hall, draw)


def assembled(hall: ExamHall, seed: str) -> dict[str, Form]:
    blueprint = queries.blueprints(hall.session, hall.competition_id, "test")[0]
    with hall.write():
        return operations.assemble_forms(
            hall.session, hall.competition, blueprint=blueprint, seed=seed, by=hall.people["Setter"], now=hall.now
        )


def test_papers_come_out_of_a_public_draw(session: Session, tmp_path: Path) -> None:
    hall = begun(session)
    ask(hall)
    assert hall.approve_all("Chair") == 1
    with pytest.raises(Refused, match="going on already"):
        ask(hall)
    draw = commit(hall, tmp_path)
    assert ceremony_draws.seed(session, hall.competition, "test") is None
    size = fix(hall)
    assert size == len(ceremony_draws.pool(session, hall.competition, "test")) > 20
    finish(hall, tmp_path, draw)
    seed = ceremony_draws.seed(session, hall.competition, "test")
    found = ceremony_draws.record(session, hall.competition, "test")
    assert found is not None
    assert (found.state, found.right, found.purpose) == ("drawn", True, "assembly")
    assert seed == (found.seed or "")[:40]
    made = assembled(hall, seed or "")
    digests = {role: form.digest for role, form in made.items()}
    assert ceremony_draws.draw_behind(session, made["main"]) == draw
    again = assembled(hall, seed or "")
    assert {role: form.digest for role, form in again.items()} == digests, "anybody with pool, blueprint and seed gets the same"
    other = assembled(hall, "another seed")
    assert other["main"].digest != digests["main"]
    assert ceremony_draws.draw_behind(session, other["main"]) is None
    with hall.write(), pytest.raises(Refused, match="not the drawn one"):
        approval.ask_approval(session, session.get_one(Form, other["main"].id), by=hall.people["Setter"], now=hall.now)
    last = assembled(hall, seed or "")
    number = last["main"].id
    with hall.write():
        request = approval.ask_approval(session, session.get_one(Form, number), by=hall.people["Setter"], now=hall.now)
        request_id, digest = request.id, request.digest
    with hall.write():
        assert approvals.approve(session, request_id, by=hall.people["Approver"], digest=digest, now=hall.now)
    assert_valid(session, "mot")


def test_what_the_draw_of_papers_refuses(any_session: Session, tmp_path: Path) -> None:
    hall = begun(any_session)
    with pytest.raises(Refused, match="No draw of these papers"):
        fix(hall)
    ask(hall)
    assert hall.approve_all("Chair") == 1
    with pytest.raises(Refused, match="Not everybody"):
        fix(hall)
    draw = commit(hall, tmp_path)
    fix(hall)
    finish(hall, tmp_path, draw)
    assert ceremony_draws.seed(any_session, hall.competition, "test")
    versions = queries.stock(
        any_session,
        queries.blueprints(any_session, hall.competition_id, "test")[0].bank_id,
        queries.seated_part(hall.competition, "test"),
    )
    with hall.write():
        versions[0].retired_at, versions[0].retired_reason = hall.now, "x"
    assert ceremony_draws.seed(any_session, hall.competition, "test") is None, "the pool is another one now"
    ask(hall)
    assert hall.approve_all("Chair") == 1
    newest = ceremony_draws.record(any_session, hall.competition, "test")
    assert newest is not None
    assert newest.code != draw
    assert_valid(any_session, "mot")


def test_nobody_is_named_so_nobody_can_draw(any_session: Session) -> None:
    hall = ExamHall(any_session, by_steps(objective_only(), "assembly"))
    for phase in ("announced", "applications"):
        hall.phase(phase)
    with pytest.raises(Refused, match="No custodians are named"):
        ask(hall)


def test_a_regulation_that_does_not_ask_for_it_has_no_draw_of_papers(any_session: Session) -> None:
    hall = ExamHall(any_session)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    hall.name_custodians("written")
    with pytest.raises(Refused, match="does not have papers drawn"):
        ask(hall)


def test_the_page_leads_from_step_to_step(any_address: str, any_session: Session, tmp_path: Path, page) -> None:
    hall = begun(any_session)
    any_session.rollback()
    made = world(tmp_path, any_address, hall.now)

    def browser(person: str):
        found = made.client(hall.people[person])
        found.get("/language/en")
        return found

    for person in ("An", "Marker1", "Hall", "Coder"):
        assert browser(person).get(PAGE).status_code in (403, 404)
        assert browser(person).post(f"{PAGE}/pool").status_code in (403, 404)
    assert "Announce a draw" in browser("Chair").get(PAGE).get_data(as_text=True)
    assert "Announce a draw" not in browser("Setter").get(PAGE).get_data(as_text=True)
    assert "Have the draw of the papers announced" in browser("Secretary").get("/account/").get_data(as_text=True)
    assert browser("Setter").post(PAGE).status_code == 409
    assert "special prize" in browser("Chair").get(PAGE).get_data(as_text=True), "the regulation names the value"
    assert browser("Secretary").post(PAGE).status_code == 302
    any_session.rollback()
    assert hall.approve_all("Chair") == 1
    assert "commits to a secret number" in browser("Custodian1").get(PAGE).get_data(as_text=True)
    assert "Commit to a secret number for the draw" in browser("Custodian1").get("/account/").get_data(as_text=True)
    draw = commit(hall, tmp_path)
    assert "Fix the pool of questions" in browser("Setter").get("/account/").get_data(as_text=True)
    assert "Fix the pool" in browser("Setter").get(PAGE).get_data(as_text=True)
    assert "Fix the pool</button>" not in browser("Approver").get(PAGE).get_data(as_text=True)
    assert browser("Setter").post(f"{PAGE}/pool").status_code == 302
    assert browser("Setter").post(f"{PAGE}/pool").status_code == 409
    any_session.rollback()
    finish(hall, tmp_path, draw)
    made.now = hall.now
    text = browser("Setter").get(PAGE).get_data(as_text=True)
    assert (ceremony_draws.seed(any_session, hall.competition, "test") or "?") in text
    public = made.client().get(f"/competitions/mot/draws/{draw}").get_data(as_text=True)
    some = ceremony_draws.pool(any_session, hall.competition, "test")[0]
    assert some not in public, "the pool is shown when the result is published"
    any_session.rollback()
    with served(made) as home:
        looked = [(hall.people["Secretary"], PAGE), (hall.people["Secretary"], "/competitions/mot/papers/custodians")]
        assert faults(made, page, home, looked) == []
