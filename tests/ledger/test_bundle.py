"""The bundle's one form: the same bytes from the same material, and no other archive is read."""

import io
import random
import zipfile
from dataclasses import replace

import pytest
from hall import POSTS, material
from hall_course import competition

from examsvc.ledger import bundle
from examsvc.ledger.bundle import PUBLIC, RESTRICTED, BundleError, compose, pack, unpack
from examsvc.ledger.entries import EntryError

FILES = {"manifest.json": b"{}", "log/entries.jsonl": b"a\n", "documents/ab": bytes(300)}


def test_the_same_files_give_the_same_bytes_in_whatever_order():
    assert pack(FILES) == pack(dict(reversed(FILES.items())))
    assert unpack(pack(FILES)) == FILES
    with zipfile.ZipFile(io.BytesIO(pack(FILES))) as archive:
        assert archive.namelist() == ["manifest.json", "documents/ab", "log/entries.jsonl"]
        assert archive.testzip() is None


def test_the_same_material_gives_the_same_edition():
    hall = competition()
    made = compose(material(hall), RESTRICTED, POSTS, 1)
    shuffled = material(competition())
    openings = list(shuffled.openings)
    random.Random(5).shuffle(openings)
    assert compose(replace(shuffled, openings=openings), RESTRICTED, POSTS, 1) == made


def test_editions_hold_what_they_may():
    hall = competition()
    public = unpack(compose(material(hall), PUBLIC, POSTS, 1))
    restricted = unpack(compose(material(hall), RESTRICTED, POSTS, 1))
    assert public["log/entries.jsonl"] == restricted["log/entries.jsonl"]
    assert public["log/checkpoint"] == restricted["log/checkpoint"]
    assert "saves.jsonl" not in public
    for planted in ("Bài viết số", "Thí sinh", "Người chair", "cccd", '"U-', "application.file"):
        assert planted.encode() not in b"".join(public.values()).replace(public["log/entries.jsonl"], b""), (
            planted
        )
    assert "Bài viết số 0".encode() in restricted["openings.jsonl"]
    assert b"application.file" not in restricted["openings.jsonl"]
    released = unpack(compose(material(hall), PUBLIC, POSTS, 1, ["paper.form"]))
    assert b'"paper.form"' in released["openings.jsonl"]
    with pytest.raises(BundleError, match="personal"):
        compose(material(hall), PUBLIC, POSTS, 1, ["attempt.answers"])
    with pytest.raises(EntryError):
        compose(material(hall), PUBLIC, POSTS, 1, ["no.object"])
    with pytest.raises(BundleError, match="neither"):
        compose(material(hall), "secret", POSTS, 1)


def test_every_single_byte_change_of_the_archive_is_refused_or_changes_a_file():
    data = pack(FILES)
    tried = 0
    for place in range(len(data)):
        for bit in (1, 16, 128):
            changed = data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
            tried += 1
            with pytest.raises(BundleError):
                unpack(changed)
    assert tried == 3 * len(data)


def archive_of(members, comment=b"", method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, content, method)
        archive.comment = comment
    return out.getvalue()


def test_only_the_one_form_is_read():
    ordered = [("manifest.json", b"{}"), ("documents/ab", bytes(300)), ("log/entries.jsonl", b"a\n")]
    assert archive_of(ordered) == pack(FILES)
    bad = [
        b"",
        b"PK",
        archive_of(ordered, comment=b"hello"),
        archive_of(ordered, method=zipfile.ZIP_DEFLATED),
        archive_of(reversed(ordered)),
        archive_of([*ordered, ("../evil", b"")]),
        archive_of([*ordered, ("/evil", b"")]),
        archive_of([*ordered, ("zz\\evil", b"")]),
        archive_of(ordered[1:]),
        archive_of(ordered) + b"tail",
        b"head" + archive_of(ordered),
    ]
    with pytest.warns(UserWarning, match="Duplicate name"):
        bad.append(archive_of([*ordered, ordered[-1]]))
    for data in bad:
        with pytest.raises(BundleError):
            unpack(data)


@pytest.mark.parametrize(
    "name", ["", "a/", "/a", "a//b", "../a", "a/../b", "A", "a b", "é", "a/.hidden", "x" * 5 + "\n"]
)
def test_names_are_plain(name):
    with pytest.raises(BundleError, match="cannot name"):
        pack({"manifest.json": b"", name: b""})


def test_limits(monkeypatch):
    monkeypatch.setattr(bundle, "MAX_FILES", 2)
    with pytest.raises(BundleError, match="at most 2 files"):
        pack(FILES)
    monkeypatch.setattr(bundle, "MAX_FILES", 100)
    monkeypatch.setattr(bundle, "MAX_BYTES", 100)
    with pytest.raises(BundleError, match="100 bytes"):
        pack(FILES)


def test_a_log_begins_with_log_opened():
    hall = competition()
    with pytest.raises(BundleError, match="begins with"):
        compose(replace(material(hall), entries=hall.data[1:]), PUBLIC, POSTS, 1)
    with pytest.raises(BundleError, match="begins with"):
        compose(replace(material(hall), entries=[]), PUBLIC, POSTS, 1)
