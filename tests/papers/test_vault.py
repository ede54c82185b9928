"""What the database holds of questions when nobody who has the key reads it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.orm import Session

from examsvc.base.database import writing
from examsvc.papers import banks, queries, vault
from examsvc.papers.models import ItemVersion
from examsvc.papers.upload_models import BankUpload
from examsvc.settings import Settings
from tests.papers.test_banks import NOW, PNG, TWO, handed_in, setter, take, with_picture  # noqa: F401

OTHER = "ab" * 32


def test_the_database_holds_no_word_of_a_question(session: Session, setter: int) -> None:  # noqa: F811
    take(session, with_picture(), setter)
    handed_in(session, with_picture(), setter, "three")
    handed_in(session, b"<html>capital</html>", setter)
    held = b""
    for table, column in (
        ("item_versions", "native"), ("item_versions", "search"), ("media_files", "data"), ("bank_uploads", "data"),
        ("bank_uploads", "found"), ("bank_uploads", "refusal"), ("upload_lines", "content"), ("upload_media", "data"),
    ):  # fmt: skip
        values = [bytes(one) for one in session.execute(text(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")).scalars()]
        assert values
        assert all(value[:1] == vault.VERSION for value in values)
        held += b"".join(values)
    for words in ("Hà Nội", "ha noi", "capital", "correct", "examsvc-bank"):
        assert words.encode() not in held
    assert PNG not in held
    version = queries.current_items(session, queries.bank(session, "two").id)[0]
    assert "Hà Nội" in version.native


def test_no_word_of_a_question_stands_in_the_file(sqlite_session: Session, tmp_path: Path) -> None:
    with writing(sqlite_session):
        banks.import_bank(sqlite_session, banks.read(TWO.encode()).bank, by=None, now=NOW)
    files = [path.read_bytes() for path in tmp_path.glob("examsvc.sqlite*")]
    assert files
    assert all("Hà Nội".encode() not in data and b"capital" not in data for data in files)


def test_same_text_is_not_seen_to_be_the_same(any_session: Session) -> None:
    column = vault.EncryptedText("a.b")
    first, second = (column.process_bind_param("đáp án B", None) for _ in range(2))  # type: ignore[arg-type]
    assert first != second


@pytest.mark.parametrize("place", [0, 1, 8, 9, 20, 21, -1])
def test_a_changed_byte_is_noticed(place: int) -> None:
    stored = bytearray(vault.EncryptedText("a.b").process_bind_param("đáp án B", None) or b"")  # type: ignore[arg-type]
    stored[place] ^= 1
    with pytest.raises(vault.VaultError):
        vault.EncryptedText("a.b").process_result_value(bytes(stored), None)  # type: ignore[arg-type]


def test_a_value_moved_to_another_column_or_cut_short_is_noticed() -> None:
    stored = vault.EncryptedText("a.b").process_bind_param("đáp án B", None) or b""  # type: ignore[arg-type]
    with pytest.raises(vault.VaultError, match="changed outside"):
        vault.EncryptedText("a.c").process_result_value(stored, None)  # type: ignore[arg-type]
    for cut in (b"", stored[:5], stored[:30]):
        with pytest.raises(vault.VaultError):
            vault.EncryptedText("a.b").process_result_value(cut, None)  # type: ignore[arg-type]


def test_a_question_moved_to_another_row_is_noticed(sqlite_session: Session, sqlite_address: str) -> None:
    with writing(sqlite_session):
        bank = banks.import_bank(sqlite_session, banks.read(TWO.encode()).bank, by=None, now=NOW).id
    raw = sqlite3.connect(sqlite_address.removeprefix("sqlite:///"))
    raw.execute("UPDATE item_versions SET native = (SELECT native FROM item_versions WHERE identifier = 'two')")
    raw.commit()
    raw.close()
    sqlite_session.expire_all()
    queries.parsed.cache_clear()
    found = {version.identifier: version for version in queries.current_items(sqlite_session, bank)}
    assert queries.item(found["two"]).id == "two"
    with pytest.raises(RuntimeError, match="does not have its digest"):
        queries.item(found["one"])


def test_keys_change_and_the_old_one_still_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = vault._Keyring()
    ring.add(["01" * 32])
    before = ring.encrypt(b"question", "a.b")
    ring.add(["02" * 32, "01" * 32])
    after = ring.encrypt(b"question", "a.b")
    assert before[1:9] == vault.key_id(bytes.fromhex("01" * 32))
    assert after[1:9] == vault.key_id(bytes.fromhex("02" * 32))
    assert ring.decrypt(before, "a.b") == ring.decrypt(after, "a.b") == b"question"
    stranger = vault._Keyring()
    with pytest.raises(vault.VaultError, match="no key"):
        stranger.encrypt(b"question", "a.b")
    stranger.add(["03" * 32])
    with pytest.raises(vault.VaultError, match=r"the key [0-9a-f]{16} of the question banks is missing"):
        stranger.decrypt(after, "a.b")
    with pytest.raises(vault.VaultError):
        stranger.add(["04" * 31])


def test_where_the_keys_come_from(tmp_path: Path) -> None:
    kept = Settings(folder=tmp_path, mode="test", base_url="http://localhost")
    (key,) = kept.bank_keys()
    assert kept.bank_keys() == [key]
    assert (tmp_path / "keys" / "banks").stat().st_mode & 0o077 == 0
    given = Settings(
        folder=tmp_path, mode="test", base_url="http://localhost", bank_secret=SecretStr("new-secret-of-32-characters-or-more old-secret")
    )
    assert len(given.bank_keys()) == 2
    assert len({*given.bank_keys(), key}) == 3


def test_every_column_with_content_of_questions_is_encrypted() -> None:
    plain = {column.name for column in ItemVersion.__table__.columns if not isinstance(column.type, vault.EncryptedText)}
    assert plain.isdisjoint({"native", "search"})
    assert isinstance(BankUpload.__table__.c.data.type, vault.EncryptedBytes)
