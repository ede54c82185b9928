"""Importing as a person does it: what a file holds, item by item, before and after one confirmation."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from examsvc.accounts import operations as accounts
from examsvc.base import jobs
from examsvc.base.database import make_engine, writing
from examsvc.base.errors import NotFound, Refused
from examsvc.commands.banks import bank as command
from examsvc.papers import authoring, banks, queries, uploads
from examsvc.papers.models import Bank, ItemVersion, MediaFile
from examsvc.papers.queries import Search
from examsvc.papers.upload_models import BankUpload, UploadLine, UploadMedium
from question_banks import Media, read_bank, write_bank
from question_banks.banks import shipped_bank
from question_banks.reading import WRITERS
from tests.conftest import at_newest_version

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)
PICTURE = Media(PNG, "image/png", "dot.png")

TWO = """
format = "examsvc-bank/1"
id = "two"
languages = ["vi", "en"]

[[item]]
id = "one"
kind = "single"
topic = "law.admin"
level = "apply"
prompt = { vi = "Thủ đô của Việt Nam là thành phố nào trong các thành phố sau?", en = "Which of these cities is the capital of Viet Nam?" }
choices = [
  { id = "A", text = { vi = "Hà Nội", en = "Hanoi" }, correct = true },
  { id = "B", text = { vi = "Huế", en = "Hue" } },
]

[[item]]
id = "two"
kind = "true-false"
prompt = { vi = "Nước sôi ở một trăm độ C.", en = "Water boils at one hundred degrees." }
answer = true
"""


@pytest.fixture
def setter(session: Session) -> int:
    with writing(session):
        return accounts.register_account(
            session, email="s@example.vn", name="S", password_hash=None, now=NOW
        ).id


def handed_in(session: Session, data: bytes, by: int, name: str = "", language: str = "vi", now: datetime = NOW) -> BankUpload:
    """Handed in and looked into."""
    with writing(session):
        upload = uploads.hand_in(
            session, file_name="f", data=data, format=None, language=language, bank_name=name, by=by, now=now
        )
    assert jobs.run_due(session, now) == 1
    return session.get_one(BankUpload, upload.id)


def take(session: Session, data: bytes, by: int, name: str = "", language: str = "vi") -> list[banks.Line]:
    """Handed in, looked into and confirmed; what was found."""
    upload = handed_in(session, data, by, name, language)
    found = uploads.lines(session, upload)
    with writing(session):
        uploads.confirm(session, session.get_one(BankUpload, upload.id), by=by, now=NOW)
    return found


def verdicts(lines: list[banks.Line]) -> dict[str, str]:
    return {line.identifier: line.verdict for line in lines}


def test_nothing_is_stored_before_the_confirmation(session: Session, setter: int) -> None:
    upload = handed_in(session, TWO.encode(), setter)
    assert (upload.format, upload.bank_name) == ("native", "two")
    assert verdicts(uploads.lines(session, upload)) == {"one": "new", "two": "new"}
    with pytest.raises(NotFound):
        queries.bank(session, "two")
    with writing(session):
        stored, overview = uploads.confirm(session, session.get_one(BankUpload, upload.id), by=setter, now=NOW)
        assert overview.changes == 2
        assert [version.identifier for version in queries.current_items(session, stored.id)] == ["one", "two"]
        assert [session.query(table).count() for table in (BankUpload, UploadLine, UploadMedium)] == [0, 0, 0]


def test_a_file_is_not_confirmed_before_it_was_looked_into(session: Session, setter: int) -> None:
    with writing(session):
        upload = uploads.hand_in(
            session, file_name="f", data=TWO.encode(), format=None, language="vi", bank_name="", by=setter, now=NOW
        )
    with pytest.raises(Refused, match="still being looked into"), writing(session):
        uploads.confirm(session, session.get_one(BankUpload, upload.id), by=setter, now=NOW)


def test_a_job_that_was_cut_short_begins_anew(session: Session, setter: int) -> None:
    upload = handed_in(session, with_picture(), setter)
    with writing(session):
        number = upload.id
        session.get_one(BankUpload, number).looked_at = None  # all its lines were written, its end was not
        jobs.ask_for(session, "papers.look_into", NOW, upload=number)
    assert jobs.run_due(session, NOW) == 1
    assert [line.identifier for line in uploads.lines(session, session.get_one(BankUpload, number))] == ["one", "two"]
    assert session.query(UploadMedium).count() == 1


def test_two_workers_at_the_same_file_leave_no_half_of_it(session: Session, setter: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker, who took this one for dead, has cleared its lines and begun to write its own."""
    with writing(session):
        number = uploads.hand_in(
            session, file_name="f", data=TWO.encode(), format=None, language="vi", bank_name="", by=setter, now=NOW
        ).id
    counted = uploads.overview
    monkeypatch.setattr(uploads, "overview", lambda *given: replace(counted(*given), counts={"new": 1}))
    assert jobs.run_due(session, NOW) == 0
    assert session.get_one(BankUpload, number).looked_at is None
    monkeypatch.undo()
    assert jobs.run_due(session, NOW + timedelta(hours=1)) == 1
    assert len(uploads.lines(session, session.get_one(BankUpload, number))) == 2


def test_what_the_bank_holds_when_a_person_looks_is_what_is_confirmed(session: Session, setter: int) -> None:
    """Another import comes between: the confirmation is refused until the new comparison was shown."""
    upload = handed_in(session, TWO.replace("Huế", "Vinh").encode(), setter)
    number = upload.id
    assert not uploads.outdated(session, upload)
    take(session, TWO.encode(), setter)
    with pytest.raises(Refused, match="has changed since"), writing(session):
        uploads.confirm(session, session.get_one(BankUpload, number), by=setter, now=NOW)
    with writing(session):
        uploads.look_again(session, session.get_one(BankUpload, number), now=NOW)
    assert jobs.run_due(session, NOW) == 1
    assert verdicts(uploads.lines(session, session.get_one(BankUpload, number))) == {"one": "new version", "two": "unchanged"}


def test_a_confirmation_that_fails_half_way_leaves_nothing(session: Session, setter: int, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = handed_in(session, with_picture(), setter)
    number = upload.id
    with monkeypatch.context() as broken:
        broken.setattr(banks, "lacking_media", lambda *_: 1 / 0)  # the questions are written by then
        with pytest.raises(ZeroDivisionError), writing(session):
            uploads.confirm(session, session.get_one(BankUpload, number), by=setter, now=NOW)
    assert [session.query(table).count() for table in (Bank, ItemVersion)] == [0, 0]
    with writing(session):
        uploads.confirm(session, session.get_one(BankUpload, number), by=setter, now=NOW)
    assert [session.query(table).count() for table in (Bank, ItemVersion, MediaFile)] == [1, 2, 1]


def test_a_file_does_not_overrule_the_second_person(session: Session, setter: int) -> None:
    take(session, TWO.encode(), setter)
    with writing(session):
        bank = queries.bank(session, "two")
        version = queries.versions(session, bank.id, "one")[0]
        reviewer = accounts.register_account(session, email="r@example.vn", name="R", password_hash=None, now=NOW).id
        authoring.review(session, bank, "one", digest=version.digest, what="returned", comment="Vì sao?", by=reviewer, now=NOW)
    approved = TWO.replace('level = "apply"', 'level = "apply"\nstatus = "approved"').encode()
    assert verdicts(take(session, approved, setter)) == {"one": "unchanged", "two": "unchanged"}
    assert queries.versions(session, queries.bank(session, "two").id, "one")[0].status == "draft"


def test_the_same_file_twice_changes_nothing(session: Session, setter: int) -> None:
    take(session, TWO.encode(), setter)
    again = take(session, TWO.encode(), setter)
    assert verdicts(again) == {"one": "unchanged", "two": "unchanged"}
    assert session.query(ItemVersion).count() == 2


def test_a_changed_question_is_a_new_version_and_the_old_one_stays(session: Session, setter: int) -> None:
    take(session, TWO.encode(), setter)
    bank = queries.bank(session, "two")
    before = queries.versions(session, bank.id, "one")[0].digest
    changed = take(session, TWO.replace("Huế", "Đà Nẵng").encode(), setter)
    assert verdicts(changed) == {"one": "new version", "two": "unchanged"}
    versions = queries.versions(session, bank.id, "one")
    assert [version.digest == before for version in versions] == [False, True]
    assert queries.item(versions[1]).digest == before


def test_reviewed_status_topic_and_level_are_no_new_version(session: Session, setter: int) -> None:
    take(session, TWO.encode(), setter)
    reviewed = take(session, TWO.replace('level = "apply"', 'level = "recall"\nstatus = "reviewed"').encode(), setter)
    assert verdicts(reviewed) == {"one": "metadata", "two": "unchanged"}
    version = queries.versions(session, queries.bank(session, "two").id, "one")[0]
    assert (version.status, version.level) == ("reviewed", "recall")
    assert queries.item(version).metadata.status == "reviewed"


AIKEN = "What is two and two?\nA. Three\nB. Four\nANSWER: B\n"


def test_names_that_a_format_makes_up_never_overwrite_another_question(session: Session, setter: int) -> None:
    first = take(session, AIKEN.encode(), setter, "quiz", "en")
    (name,) = verdicts(first)
    second = take(session, AIKEN.replace("two and two", "three and one").encode(), setter, "quiz", "en")
    (other,) = verdicts(second)
    assert name != other
    assert verdicts(second)[other] == "new"
    assert verdicts(take(session, AIKEN.encode(), setter, "quiz", "en")) == {name: "unchanged"}
    assert len(queries.current_items(session, queries.bank(session, "quiz").id)) == 2


def test_likenesses_are_told(session: Session, setter: int) -> None:
    take(session, TWO.encode(), setter)
    near = TWO.replace('id = "one"', 'id = "uno"').replace('id = "two"\nkind', 'id = "dos"\nkind').replace(
        "một trăm độ C.", "khoảng 37 độ, và không phải ở nhiệt độ nào khác nữa."
    )
    examination = banks.examine(session, banks.read(near.encode()), name="two")
    likes = {line.identifier: [(like.other, like.same) for like in line.duplicates] for line in examination.lines}
    assert likes == {"uno": [("one", True)], "dos": []}
    upload = handed_in(session, near.encode(), setter)
    assert uploads.lines(session, upload) == list(examination.lines), "kept without loss"
    assert [line.identifier for line in uploads.lines(session, upload, show="alike")] == ["uno"]
    assert uploads.overview(session, upload).alike == 1


def test_one_bad_question_stops_nothing(session: Session, setter: int) -> None:
    spoiled = TWO.replace("answer = true", "answer = 7")
    found = take(session, spoiled.encode(), setter)
    assert verdicts(found) == {"one": "new", "two": "refused"}
    (line,) = [line for line in found if line.verdict == "refused"]
    assert line.item is None
    assert "line 17" in line.problems[0].where


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01\x02\x03",
        b"PK\x03\x04 not a zip",
        b'<!DOCTYPE x [<!ENTITY a "b">]><quiz>&a;</quiz>',
        b"format = \"examsvc-bank/1\"\n[[item",
        "Một câu văn bình thường, không phải câu hỏi.".encode(),
        b"<html><body>hello</body></html>",
        b"\xff\xfe" + "format".encode("utf-16-le"),
    ],
)
def test_a_file_that_is_no_bank_gets_one_sentence_and_nothing_of_it_is_kept(session: Session, setter: int, data: bytes) -> None:
    upload = handed_in(session, data, setter, "x")
    refusal = uploads.refusal(upload)
    assert refusal is not None
    assert re.match(r"^The file cannot be imported: .+\.", str(refusal))
    assert refusal.field == "file"
    assert uploads.lines(session, upload) == []
    with pytest.raises(Refused), writing(session):
        uploads.confirm(session, session.get_one(BankUpload, upload.id), by=setter, now=NOW)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(Refused):  # one sentence; anything else is a failure
        banks.read(data)


@pytest.mark.parametrize("name", ["Hà Nội", "a b", "../etc", "-x", "x" * 61, "A"])
def test_a_bank_is_named_as_it_can_stand_in_an_address(session: Session, name: str) -> None:
    with pytest.raises(Refused):
        banks.examine(session, banks.read(TWO.encode()), name=name)


def test_forgotten_files_do_not_stay(session: Session, setter: int) -> None:
    for days in (0, 1, 3):
        handed_in(session, TWO.encode(), setter, now=NOW + timedelta(days=days))
    assert [upload.at for upload in session.query(BankUpload)] == [NOW + timedelta(days=1), NOW + timedelta(days=3)]
    assert session.query(UploadLine).count() == 4


def with_picture() -> bytes:
    """The two questions, the first with a picture in its text."""
    read = read_bank(TWO.encode(), "native").bank
    one = read["one"]
    body = one.body.map(lambda text: f"{text}\n\n![hình]({PICTURE.key})")
    return write_bank(
        read.replaced(items=(one.replaced(body=body), read["two"]), media={PICTURE.key: PICTURE}), "native"
    ).data


def test_pictures_are_kept_by_digest_and_go_out_again(session: Session, setter: int) -> None:
    take(session, with_picture(), setter)
    bank = queries.bank(session, "two")
    versions = {version.identifier: version for version in queries.current_items(session, bank.id)}
    digest = PICTURE.key.removeprefix("media/")
    assert versions["one"].media == [digest]
    assert versions["two"].media == []
    assert queries.medium(session, digest).data == PNG
    assert queries.known_media(session, list(versions.values())) == {PICTURE.key}
    assert "media/" in queries.item(versions["one"]).presentation("vi")["prompt"]
    out = banks.as_document(session, bank)
    assert {key: medium.data for key, medium in out.media.items()} == {PICTURE.key: PNG}
    assert read_bank(write_bank(out, "native").data, "native").bank == out


def test_a_search_finds_by_words_without_accents_and_by_what_a_question_is(session: Session, setter: int) -> None:
    with writing(session):
        bank = banks.import_bank(session, shipped_bank("public-leadership"), by=setter, now=NOW)
        bank_id = bank.id
    everything = queries.current_items(session, bank_id)
    assert len(everything) == len(shipped_bank("public-leadership"))

    def found(**asked: str) -> set[str]:
        return {version.identifier for version in queries.items_of(session, bank_id, Search(**asked))}

    for asked, truth in (
        ({"kind": "match"}, {v.identifier for v in everything if v.kind == "match"}),
        ({"topic": "management"}, {v.identifier for v in everything if v.topic.split(".")[0] == "management"}),
        ({"level": "recall", "kind": "single"}, {v.identifier for v in everything if (v.level, v.kind) == ("recall", "single")}),
    ):
        assert found(**asked) == truth
        assert truth
    assert found(words="HOI NGHI") == found(words="hội nghị") != set()
    assert found(status="retired") == set()
    with writing(session):
        banks.retire(session, queries.bank(session, "public-leadership"), "plan-01", now=NOW)
    assert found(status="retired") == {"plan-01"}
    assert "plan-01" not in found()


def test_every_item_comes_back_from_the_database_equal_to_what_went_in(any_session: Session) -> None:
    number = 0
    for name in ("public-leadership", "practice"):
        document = shipped_bank(name)
        with writing(any_session):
            bank = banks.import_bank(any_session, document, by=None, now=NOW)
        queries.parsed.cache_clear()
        for version in queries.current_items(any_session, bank.id):
            assert queries.item(version) == document[version.identifier]
            number += 1
    assert number >= 190


# -------------------------------------------------------------------------------- the command line


@pytest.fixture
def installed(any_address: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    engine = make_engine(any_address)
    at_newest_version(engine)
    engine.dispose()
    monkeypatch.setenv("EXAMSVC_DATABASE_URL", any_address)
    monkeypatch.setenv("EXAMSVC_FOLDER", str(tmp_path / "installation"))
    monkeypatch.setenv("EXAMSVC_MODE", "test")
    monkeypatch.setenv("EXAMSVC_BASE_URL", "http://localhost")
    (tmp_path / "two.toml").write_text(TWO, encoding="utf-8")
    (tmp_path / "bad.toml").write_text(TWO.replace("answer = true", "answer = 7"), encoding="utf-8")
    (tmp_path / "none.txt").write_text("nothing", encoding="utf-8")
    return tmp_path, any_address


def run(*words: object):
    return CliRunner().invoke(command, [str(word) for word in words])


def test_lint_says_what_must_be_mended(installed) -> None:
    folder, _ = installed
    good = run("lint", folder / "two.toml")
    assert good.exit_code == 0
    assert good.stdout.splitlines()[-1].startswith("2 questions read as native; 0 refused")
    bad = run("lint", folder / "bad.toml", "--json")
    assert bad.exit_code == 1
    assert [one["severity"] for one in json.loads(bad.stdout)["problems"]] == ["refused"]
    none = run("lint", folder / "none.txt")
    assert none.exit_code == 1
    assert none.stderr.startswith("Error: none.txt: ")


def test_import_and_export_on_the_command_line(installed) -> None:
    folder, address = installed
    dry = run("import", folder / "two.toml", "--dry-run", "--json")
    assert dry.exit_code == 0, dry.output
    assert [one["verdict"] for one in json.loads(dry.stdout)["items"]] == ["new", "new"]
    engine = make_engine(address)
    with Session(engine) as session:
        assert queries.banks(session) == []
    real = run("import", folder / "bad.toml", "--bank", "quiz")
    assert real.exit_code == 0
    assert "two: refused" in real.stdout
    assert real.stdout.splitlines()[-1] == "1 stored in the bank quiz; 0 there already, 1 refused"
    with Session(engine) as session:
        assert [one.identifier for one in queries.current_items(session, queries.bank(session, "quiz").id)] == ["one"]
    for format in WRITERS:
        out = folder / f"out-{format}"
        assert run("export", "quiz", "--format", format, "-o", out).exit_code == 0
        assert [item.id for item in read_bank(out.read_bytes(), format, language="vi").bank][:1] != [] or format == "aiken"
    assert run("export", "nowhere", "--format", "native", "-o", folder / "x").exit_code == 1
    assert run("export", "practice", "--format", "native", "-o", folder / "x.toml").exit_code == 0
    engine.dispose()


def test_the_command_shows_each_question_and_asks_once(installed, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, address = installed
    shown = run("import", folder / "two.toml", "--dry-run", "--preview")
    assert "--- one (single)" in shown.stdout
    assert "Thủ đô của Việt Nam" in shown.stdout
    assert "  = Hà Nội" in shown.stdout
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)
    refused = CliRunner().invoke(command, ["import", str(folder / "two.toml")], input="n\n")
    assert "Nothing was stored." in refused.stdout
    engine = make_engine(address)
    with Session(engine) as session:
        assert queries.banks(session) == []
    taken = CliRunner().invoke(command, ["import", str(folder / "two.toml")], input="y\n")
    assert taken.stdout.splitlines()[-1] == "2 stored in the bank two"
    with Session(engine) as session:
        assert len(queries.current_items(session, queries.bank(session, "two").id)) == 2
    engine.dispose()


def test_a_file_that_is_no_bank_is_refused_on_the_command_line(installed) -> None:
    folder, _ = installed
    refused = run("import", folder / "none.txt")
    assert isinstance(refused.exception, Refused)  # examsvc.cli prints it in one sentence, with status 1
    assert "cannot be imported" in str(refused.exception)
