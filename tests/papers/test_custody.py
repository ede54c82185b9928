"""Sealed papers: nobody reads them, enough custodians open them, bad shares are found out, the spare takes over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.base.errors import NotFound, Refused
from examsvc.commands.custodians import custodian as command
from examsvc.ledger import sealing
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry, Opening
from examsvc.papers import approval, banks, custody, operations, queries
from examsvc.papers.models import Form, FormSlot
from examsvc.sittings import planning
from examsvc.sittings.models import Sitting
from tests.exam_hall import BELL, ExamHall, bank, quick_passphrase
from tests.ledger_check import assert_valid


def hall_with_paper(session: Session, *, spare: bool = False) -> ExamHall:
    hall = ExamHall(session)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in ("An", "Bình"):
        hall.candidate(name)
    hall.main = hall.paper(spare=spare)
    return hall


def plan(hall: ExamHall) -> int:
    """A sitting with drawn seats that nobody has opened the paper of."""
    with hall.write():
        number = planning.schedule_sitting(
            hall.session,
            hall.competition,
            part="test",
            bell_at=BELL,
            rooms=[planning.RoomPlan("Phòng 101", 40)],
            candidates=[hall.application(name) for name in hall.applications],
            by=hall.office,
            now=hall.now,
        ).id
    hall.draw_seats(number)
    return number


def form(hall: ExamHall, number: int | None = None) -> Form:
    return hall.session.get_one(Form, number or hall.main)


def hand_in(hall: ExamHall, person: str, number: int | None = None, data: bytes | None = None) -> bool:
    of = form(hall, number)
    share = sealing.decrypt_share(custody.share_of(of, hall.people[person]).ciphertext, hall.keys[person])
    with hall.write():
        return custody.deliver_share(
            hall.session, form(hall, number), data=data or share.data, by=hall.people[person], now=hall.now
        )


def types(hall: ExamHall) -> list[str]:
    rows = hall.session.scalars(select(LogEntry.type).where(LogEntry.log == "mot").order_by(LogEntry.position))
    return [one for one in rows if one.startswith(("paper.", "custodians."))]


def test_a_paper_goes_from_draft_to_open_and_the_log_can_be_checked(session: Session) -> None:
    hall = hall_with_paper(session)
    assert form(hall).state == "sealed"
    assert form(hall).slots == []
    assert (form(hall).seed, form(hall).salt) == (None, None)
    assert session.scalar(select(FormSlot.id)) is None, "no row says which questions stand in the paper"
    assert not session.scalars(select(Opening).where(Opening.type.like("paper.form%"))).all()
    plan(hall)
    hall.now = BELL - timedelta(minutes=10)
    assert hand_in(hall, "Custodian3") is True
    with quick_passphrase():
        custody.open_form(session, {"form": hall.main}, hall.now)
    assert form(hall).state == "sealed", "one share is not enough"
    assert hand_in(hall, "Custodian1") is True
    with quick_passphrase():
        custody.open_form(session, {"form": hall.main}, hall.now)
    opened = form(hall)
    assert opened.state == "opened"
    assert [slot.number for slot in opened.slots] == list(range(1, 11))
    assert operations.form_digest([(slot.item_version.digest, slot.marks) for slot in opened.slots]) == opened.digest
    assert opened.seed == "seed/main"
    assert types(hall) == [
        "custodians.named", "paper.approved", "paper.sealed", "paper.share_delivered", "paper.share_delivered", "paper.opened",
    ]  # fmt: skip
    entry = read_entry(
        session.scalars(select(LogEntry.entry).where(LogEntry.log == "mot", LogEntry.type == "paper.opened")).one()
    )
    codes = {share.custodian for share in opened.seal.shares if share.delivered_at}
    assert set(entry.body["custodians"]) == codes
    assert len(codes) == 2


def test_a_seal_of_full_strength_opens_with_the_commands_of_a_custodian(
    any_session: Session, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing replaced: scrypt as it is, keys and shares through the files that custodians handle."""
    hall = ExamHall(any_session)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    hall.candidate("An")
    runner = CliRunner()
    for number in (1, 2, 3):
        made = runner.invoke(command, ["init", "--key", str(tmp_path / f"{number}.key")])
        assert made.exit_code == 0
        assert (tmp_path / f"{number}.key").stat().st_mode & 0o077 == 0
        hall.keys[f"Custodian{number}"] = "in a file"
        with hall.write():
            custody.register_key(
                any_session, hall.competition, recipient=made.stdout, by=hall.people[f"Custodian{number}"], now=hall.now
            )
    import tests.exam_hall as module

    monkeypatch.setattr(module, "quick_passphrase", module.nullcontext)
    hall.main = hall.paper()
    plan(hall)
    hall.now = BELL - timedelta(minutes=10)
    for number in (1, 3):
        person = hall.people[f"Custodian{number}"]
        path = tmp_path / f"{number}.share.age"
        path.write_bytes(custody.share_of(form(hall), person).ciphertext)
        wrong = runner.invoke(command, ["open", str(path), "--key", str(tmp_path / "2.key")])
        assert wrong.exit_code == 1
        assert "not dealt to this key" in wrong.stderr
        opened = runner.invoke(
            command, ["open", str(path), "--key", str(tmp_path / f"{number}.key"), "-o", str(tmp_path / f"{number}.open")]
        )
        assert opened.exit_code == 0, opened.stderr
        with hall.write():
            assert custody.deliver_share(
                any_session, form(hall), data=(tmp_path / f"{number}.open").read_bytes(), by=person, now=hall.now
            )
    custody.open_form(any_session, {"form": hall.main}, hall.now)
    assert form(hall).state == "opened"
    again = runner.invoke(command, ["init", "--key", str(tmp_path / "1.key")])
    assert again.exit_code == 1
    assert "exists already" in again.stderr


def test_what_is_refused_to_a_custodian(any_session: Session) -> None:
    hall = hall_with_paper(any_session, spare=True)
    main = form(hall)
    with pytest.raises(NotFound):
        custody.share_of(main, hall.people["Setter"])
    with pytest.raises(Refused, match="No sitting"):
        hand_in(hall, "Custodian1")
    plan(hall)
    hall.now = BELL - timedelta(minutes=10, seconds=1)
    with pytest.raises(Refused, match="too early"):
        hand_in(hall, "Custodian1")
    hall.now = BELL - timedelta(minutes=10)
    spare = queries.standing(any_session, hall.competition_id, "test", "spare")
    assert spare is not None
    with pytest.raises(Refused, match="spare paper"):
        hand_in(hall, "Custodian1", spare.id)
    for rubbish in (b"", b"{}", b"\x00" * 100, b'{"v":1}'):
        with pytest.raises(Refused, match="not an opened share"):
            hand_in(hall, "Custodian1", data=rubbish or b" ")
    other = sealing.decrypt_share(
        custody.share_of(form(hall), hall.people["Custodian2"]).ciphertext, hall.keys["Custodian2"]
    )
    with pytest.raises(Refused, match="another custodian"):
        hand_in(hall, "Custodian1", data=other.data)
    assert "paper.share_delivered" not in types(hall)
    assert hand_in(hall, "Custodian1")
    with pytest.raises(Refused, match="already"):
        hand_in(hall, "Custodian1")


def test_a_false_share_goes_on_record_and_does_not_count(session: Session) -> None:
    hall = hall_with_paper(session)
    plan(hall)
    hall.now = BELL - timedelta(minutes=5)
    true = sealing.decrypt_share(
        custody.share_of(form(hall), hall.people["Custodian1"]).ciphertext, hall.keys["Custodian1"]
    )
    false = sealing.Share(true.paper, true.custodian, true.x, bytes(16), true.salt)
    assert hand_in(hall, "Custodian1", data=false.data) is False
    assert hand_in(hall, "Custodian2") is True
    with quick_passphrase():
        custody.open_form(session, {"form": hall.main}, hall.now)
    assert form(hall).state == "sealed"
    assert hand_in(hall, "Custodian1") is True, "the right share may still be handed in"
    with quick_passphrase():
        custody.open_form(session, {"form": hall.main}, hall.now)
    assert form(hall).state == "opened"
    genuine = [
        read_entry(row).body["genuine"]
        for row in session.scalars(
            select(LogEntry.entry)
            .where(LogEntry.log == "mot", LogEntry.type == "paper.share_delivered")
            .order_by(LogEntry.position)
        )
    ]
    assert genuine == [False, True, True]


def test_a_damaged_file_does_not_open_and_stores_nothing(any_session: Session) -> None:
    hall = hall_with_paper(any_session)
    plan(hall)
    hall.now = BELL - timedelta(minutes=5)
    with hall.write():
        seal = form(hall).seal
        assert seal is not None
        seal.ciphertext = seal.ciphertext[:-1] + bytes([seal.ciphertext[-1] ^ 1])
    for person in ("Custodian1", "Custodian2"):
        hand_in(hall, person)
    with quick_passphrase(), pytest.raises(custody.CustodyFailed, match="spare"):
        custody.open_form(any_session, {"form": hall.main}, hall.now)
    any_session.rollback()
    assert form(hall).state == "sealed"
    assert "paper.opened" not in types(hall)


def test_an_opened_paper_has_the_questions_of_its_own_bank(session: Session) -> None:
    """The same questions stand in a bank that came before and in one that came after; use and retirement are each bank's own."""
    hall = ExamHall(session)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    hall.candidate("An")
    with hall.write():
        before = banks.import_bank(session, bank(), by=None, now=hall.now, name="before").id
    main = hall.paper()
    with hall.write():
        after = banks.import_bank(session, bank(), by=None, now=hall.now, name="after").id
    assert before < hall.bank_id < after
    plan(hall)
    hall.now = BELL - timedelta(minutes=10)
    hall.open_paper(main)
    slots = form(hall, main).slots
    assert [one.number for one in slots] == list(range(1, 11))
    assert {one.item_version.bank_id for one in slots} == {hall.bank_id}


def test_the_spare_takes_the_place_of_a_leaked_paper(session: Session) -> None:
    hall = hall_with_paper(session, spare=True)
    spare = queries.standing(session, hall.competition_id, "test", "spare")
    assert spare is not None
    spare_id = spare.id
    sitting = plan(hall)
    hall.now = BELL - timedelta(minutes=9)
    with hall.write():
        custody.ask_replacement(session, form(hall), reason="đề bị lộ", by=hall.people["Chair"], now=hall.now)
    hall.approve_all("Custodian2")
    assert form(hall).state == "replaced"
    in_force = queries.paper_in_force(session, hall.competition_id, "test")
    assert in_force is not None
    assert in_force.id == spare_id
    assert queries.usable_form(session, hall.competition_id, "test") is None
    with pytest.raises(Refused, match="not open"), hall.write():
        planning.prepare_attempts(
            session, session.get_one(Sitting, sitting), form=session.get_one(Form, spare_id), now=hall.now
        )
    for person in ("Custodian2", "Custodian3"):
        hand_in(hall, person, spare_id)
    with quick_passphrase():
        custody.open_form(session, {"form": spare_id}, hall.now)
    with hall.write():
        attempts = planning.prepare_attempts(
            session, session.get_one(Sitting, sitting), form=session.get_one(Form, spare_id), now=hall.now
        )
        assert len(attempts) == 2
    hall.bell(sitting)
    with pytest.raises(Refused):
        custody.ask_replacement(session, session.get_one(Form, spare_id), reason="x", by=hall.people["Chair"], now=hall.now)
    assert types(hall)[-4:] == ["paper.replaced", "paper.share_delivered", "paper.share_delivered", "paper.opened"]


def test_a_whole_history_is_what_a_stranger_would_accept(session: Session) -> None:
    hall = hall_with_paper(session)
    hall.sitting(hall.main)
    assert_valid(session, "mot")


# -------------------------------------------------------------------------------- approval and naming


def draft(hall: ExamHall) -> Form:
    hall.admit()
    from examsvc.papers import banks
    from tests.exam_hall import bank

    with hall.write():
        stored = banks.import_bank(hall.session, bank(), by=hall.people["Setter"], now=hall.now)
        blueprint = operations.set_blueprint(
            hall.session,
            hall.competition,
            part="test",
            cells=[{"count": 10, "marks": "4", "kinds": ["single"]}],
            bank=stored,
            by=hall.people["Setter"],
            now=hall.now,
        )
        made = operations.assemble_forms(
            hall.session, hall.competition, blueprint=blueprint, seed="s", by=hall.people["Setter"], now=hall.now
        )
        return made["main"]


def fresh(session: Session) -> ExamHall:
    hall = ExamHall(session)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    hall.candidate("An")
    return hall


def test_main_and_spare_have_nothing_in_common_and_drawing_again_gives_the_same(any_session: Session) -> None:
    hall = fresh(any_session)
    main = draft(hall)
    spare = queries.standing(any_session, hall.competition_id, "test", "spare")
    assert spare is not None
    first = {slot.item_version.identifier for slot in main.slots}
    assert not first & {slot.item_version.identifier for slot in spare.slots}
    digests = main.digest, spare.digest
    again = draft(hall)
    assert main.state == "withdrawn"
    other = queries.standing(any_session, hall.competition_id, "test", "spare")
    assert other is not None
    assert (again.digest, other.digest) == digests


def test_a_swap_is_considered_before_it_is_made(any_session: Session) -> None:
    hall = fresh(any_session)
    main = draft(hall)
    inside = {slot.item_version.identifier for slot in main.slots}
    stock = queries.stock(any_session, main.blueprint.bank_id, queries.seated_part(hall.competition, "test"))
    other = next(v for v in stock if v.kind == "single" and v.identifier not in inside and not v.enemies)
    numeric = next(v for v in stock if v.kind == "numeric")
    digest = main.digest
    considered = operations.consider_swap(any_session, main, 3, other.identifier)
    assert considered.fits_line
    assert considered.words == other.words - considered.out.words
    assert main.digest == digest
    assert not operations.consider_swap(any_session, main, 3, numeric.identifier).fits_line
    with pytest.raises(Refused, match="already"):
        operations.consider_swap(any_session, main, 3, next(iter(inside)))
    any_session.rollback()
    with pytest.raises(Refused, match="reason"), hall.write():
        operations.swap_item(
            any_session, form(hall, main.id), 3, other.identifier, reason=" ", by=hall.people["Setter"], now=hall.now
        )
    with hall.write():
        operations.swap_item(
            any_session, form(hall, main.id), 3, other.identifier, reason="rõ hơn", by=hall.people["Setter"], now=hall.now
        )
    swapped = form(hall, main.id)
    assert swapped.slots[2].item_version.identifier == other.identifier
    assert swapped.digest != digest
    assert [one.reason for one in swapped.swaps] == ["rõ hơn"]


def test_errors_block_the_approval(any_session: Session) -> None:
    hall = fresh(any_session)
    main = draft(hall)
    number = main.id
    with hall.write():
        form(hall, number).slots[0].marks = "5"
    with pytest.raises(Refused, match="marks add up to 41"), hall.write():
        approval.ask_approval(any_session, form(hall, number), by=hall.people["Setter"], now=hall.now)


def test_a_draft_changed_after_one_approval_is_not_approved(any_session: Session) -> None:
    hall = fresh(any_session)
    number = draft(hall).id
    with hall.write():
        request = approval.ask_approval(any_session, form(hall, number), by=hall.people["Setter"], now=hall.now)
        request_id, digest = request.id, request.digest
    with pytest.raises(Refused, match=r"another person|Another person"), hall.write():
        approvals.approve(any_session, request_id, by=hall.people["Setter"], digest=digest, now=hall.now)
    with hall.write():
        form(hall, number).digest = "0" * 64
    with pytest.raises(Refused, match="has changed"), hall.write():
        approvals.approve(any_session, request_id, by=hall.people["Approver"], digest=digest, now=hall.now)
    assert form(hall, number).state == "draft"


def test_a_paper_is_not_approved_while_people_can_still_apply(any_session: Session) -> None:
    hall = ExamHall(any_session)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    hall.candidate("An")
    admit, hall.admit = hall.admit, lambda: None
    number = draft(hall).id
    with pytest.raises(Refused, match="still open"), hall.write():
        approval.ask_approval(any_session, form(hall, number), by=hall.people["Setter"], now=hall.now)
    admit()


def test_what_is_refused_as_a_key(any_session: Session) -> None:
    hall = fresh(any_session)
    secret, recipient = sealing.new_identity()

    def register(text: str, person: str = "Custodian1") -> None:
        with hall.write():
            custody.register_key(any_session, hall.competition, recipient=text, by=hall.people[person], now=hall.now)

    for text in ("", "age1", "age1xyz", "ssh-ed25519 AAAA"):
        with pytest.raises(Refused, match="not a public key"):
            register(text)
    with pytest.raises(Refused, match="secret half"):
        register(secret)
    register(recipient)
    with pytest.raises(Refused, match="very key"):
        register(recipient, "Custodian2")
    with pytest.raises(Refused, match="1 have handed in"), hall.write():
        custody.ask_naming(any_session, hall.competition, stage="written", by=hall.people["Chair"], now=hall.now)


def test_an_approved_paper_waits_for_its_custodians(any_session: Session) -> None:
    hall = fresh(any_session)
    number = draft(hall).id
    with hall.write():
        request = approval.ask_approval(any_session, form(hall, number), by=hall.people["Setter"], now=hall.now)
        request_id, digest = request.id, request.digest
    with hall.write():
        assert approvals.approve(any_session, request_id, by=hall.people["Approver"], digest=digest, now=hall.now)
    from examsvc.base import jobs

    with quick_passphrase():
        jobs.run_due(any_session, hall.now)
    assert form(hall, number).state == "approved"
    with pytest.raises(Refused, match="stay as they are"):
        operations.consider_swap(any_session, form(hall, number), 1, "plan-01")
    hall.name_custodians("written")
    with quick_passphrase():
        jobs.run_due(any_session, hall.now)
    assert form(hall, number).state == "sealed"
    with pytest.raises(Refused, match="no longer be withdrawn"), hall.write():
        operations.withdraw_form(any_session, form(hall, number), reason="x", by=hall.people["Setter"], now=hall.now)
