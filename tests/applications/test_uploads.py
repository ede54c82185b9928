"""Uploads: what is accepted, and every hostile file that is not, each with its own sentence."""

from __future__ import annotations

import contextlib
import hashlib
import os
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.applications import uploads
from examsvc.applications.uploads import check, check_apart, clean_name
from examsvc.base.errors import Refused
from tests.applications import files

MB = 1024 * 1024
ALL = ("pdf", "docx", "jpeg", "png")


def refused(content: bytes, formats: tuple[str, ...] = ALL, limit: int = 20 * MB) -> str:
    with pytest.raises(Refused) as caught:
        check(content, "tệp.pdf", formats, limit)
    assert caught.value.field == "file"
    return str(caught.value)


def test_good_files_are_taken_for_what_they_are() -> None:
    pdf = files.pdf(3)
    found = check(pdf, "Sơ yếu lý lịch.docx", ALL, MB)
    assert (found.format, found.media_type, found.facts) == ("pdf", "application/pdf", {"pages": 3})
    assert found.name == "Sơ yếu lý lịch.pdf", "the extension is that of the content"
    assert found.digest == hashlib.sha256(pdf).hexdigest()
    assert found.size == len(pdf)
    word = check(files.word("một hai ba"), "plan.docx", ("docx",), MB)
    assert word.facts["words"] == 3
    for format, name in (("PNG", "png"), ("JPEG", "jpeg")):
        assert check(files.picture(format), "x", (name,), MB).facts == {"width": 40, "height": 30}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"MZ\x90\0" + b"\0" * 500, "EXE"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "old Office file"),
        (b"<html><script>alert(1)</script></html>", "no known format"),
        (b"%PDF-1.7\n", "damaged"),
        (files.pdf()[:-200], "damaged"),
        (files.pdf(script=True), "program"),
        (files.pdf(launch=True), "program"),
        (files.pdf(annotation=True), "program"),
        (files.pdf(form=True), "program"),
        (files.pdf(attached=True), "other files"),
        (files.pdf(password=True), "password"),
        (files.pdf(0), "no pages"),
        (files.pdf() + files.archive(), "two formats"),
        (files.picture() + files.archive(), "two formats"),
        (files.picture("JPEG")[:200], "damaged"),
        (files.picture()[:60], "damaged"),
        (files.huge_png(60_000, 60_000), "too many pixels"),
        (files.huge_png(30_000, 100), "too many pixels"),
        (files.huge_png(6_000, 6_000), "damaged"),
        (files.archive(), "Hand in"),
        (files.word(""), "no text"),
    ],
)
def test_what_is_refused_says_why(content: bytes, sentence: str) -> None:
    assert sentence in refused(content)


def test_hostile_word_files() -> None:
    good = files.word()
    content_types = files.part(good, "[Content_Types].xml")
    relations = files.part(good, "word/_rels/document.xml.rels")

    def with_relation(target: str, kind: str) -> bytes:
        relation = (
            f'<Relationship Id="r99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}"'
            f' Target="{target}" TargetMode="External"/></Relationships>'
        )
        return files.rezipped(
            good, change={"word/_rels/document.xml.rels": relations.replace(b"</Relationships>", relation.encode())}
        )

    bomb = files.rezipped(good, add={"word/media/a.bin": b"\0" * 30_000_000})
    assert len(bomb) < 200_000
    cases = {
        "unpacks to more": bomb,
        "macros": files.rezipped(good, add={"word/vbaProject.bin": b"x"}),
        "holds macros": files.rezipped(
            good,
            change={
                "[Content_Types].xml": content_types.replace(
                    b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
                    b"application/vnd.ms-word.document.macroEnabled.main+xml",
                )
            },
        ),
        "or other programs": files.rezipped(good, add={"word/embeddings/oleObject1.bin": b"x"}),
        "loads content from elsewhere": with_relation("http://evil.example/t.dotm", "attachedTemplate"),
        "not made as Word": files.rezipped(
            good, change={files.DOCX: b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa">]><d>&a;</d>'}
        ),
        "is not made as Word": files.rezipped(
            good, change={files.DOCX: '<?xml version="1.0" encoding="UTF-16"?><!doctype d><d/>'.encode("utf-16")}
        ),
        "as Word makes it": files.rezipped(good, add={"../../etc/passwd": b"x"}),
        "damaged": files.rezipped(good, change={files.DOCX: b"not xml"}),
        "two formats": files.rezipped(good, first={"%PDF-1.7": b"x"}),
    }
    assert len(cases) == 10
    for sentence, content in cases.items():
        assert sentence in refused(content)
    assert check(with_relation("https://example.vn", "hyperlink"), "a", ("docx",), MB).format == "docx"


def test_a_bomb_with_many_small_parts_is_counted_whole() -> None:
    good = files.word()
    many = files.rezipped(good, add={f"word/media/{n}.png": os.urandom(200) for n in range(2100)})
    assert "not made as Word" in refused(many)
    large = files.rezipped(good, add={f"word/media/{n}.bmp": os.urandom(1000) + b"\0" * 990_000 for n in range(220)})
    assert "unpacks to more" in refused(large)


def test_sizes_to_the_byte() -> None:
    pdf = files.pdf()
    assert check(pdf, "a", ("pdf",), len(pdf)).size == len(pdf)
    assert "MB" in refused(pdf, limit=len(pdf) - 1)
    assert "21.0 MB; at most 20 MB" in refused(b"%PDF-" + b"0" * (21 * MB - 5))


def test_another_format_than_asked() -> None:
    assert refused(files.picture(), ("pdf", "docx")) == "This is PNG. Hand in PDF / Word (DOCX)."
    assert "This is PDF" in refused(files.pdf(), ("jpeg",))


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\Ánh\\cv.final.DOCX", "cv.final.pdf"),
        ("QĐ.2024.pdf.exe", "QĐ.2024.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.pdf"),
        ('a"b<c>|d*?:e.pdf', "a-b-c--d---e.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("", "file.pdf"),
        ("a\x00b\r\nc.pdf", "abc.pdf"),
        (unicodedata.normalize("NFD", "Đề án – Ngô Thị Mẫn.pdf"), "Đề án – Ngô Thị Mẫn.pdf"),
        ("CON .pdf", "CON.pdf"),
    ],
)
def test_names(name: str, clean: str) -> None:
    assert clean_name(name, "pdf") == clean


@given(st.text(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_name_is_safe(name: str) -> None:
    found = clean_name(name, "docx")
    assert found.endswith(".docx")
    assert len(found.encode()) <= uploads.LONGEST_NAME + 5
    assert not set(found) & set('/\\<>:"|?*%;')
    assert all(unicodedata.category(c)[0] != "C" for c in found)
    assert unicodedata.is_normalized("NFC", found)
    assert not found.startswith(".")


@given(st.binary(max_size=300), st.sampled_from([b"", b"%PDF-1.7\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"]))
@settings(max_examples=300, deadline=None)
def test_anything_at_all_is_answered_with_one_sentence(content: bytes, head: bytes) -> None:
    with contextlib.suppress(Refused):  # any other error would be a crash
        check(head + content, "x", ALL, MB)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_good_pdf_with_bytes_changed_never_crashes(data: st.DataObject) -> None:
    content = bytearray(files.pdf(2))
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(5, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Refused):
        check(bytes(content), "x", ALL, MB)


def test_apart_the_answer_is_the_same() -> None:
    pdf = files.pdf(2)
    assert check_apart(pdf, "Đề án.pdf", ("pdf",), MB) == check(pdf, "Đề án.pdf", ("pdf",), MB)
    with pytest.raises(Refused, match="password"):
        check_apart(files.pdf(password=True), "x.pdf", ("pdf",), MB)


def test_a_checker_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "SECONDS", 1)
    monkeypatch.setattr(uploads, "_CHILD", "while True: pass")
    with pytest.raises(Refused, match="limits of time and memory"):
        check_apart(files.pdf(), "x.pdf", ("pdf",), MB)


def test_a_checker_that_eats_memory_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    eater = "from examsvc.applications.uploads import _limit; _limit(); b'x' * (3 * 2**30)"
    monkeypatch.setattr(uploads, "_CHILD", eater)
    with pytest.raises(Refused, match="limits of time and memory"):
        check_apart(files.pdf(), "x.pdf", ("pdf",), MB)
