"""Files made to harm, or merely broken, through the page: one sentence beside the form, nothing stored, nothing half done."""

from __future__ import annotations

import io
import stat
import zipfile

import pytest
from sqlalchemy import func, select

from examsvc.papers.models import Bank, ItemVersion
from examsvc.papers.upload_models import BankUpload
from tests.papers.test_banks import TWO
from tests.papers.test_pages import Office, hand_in, office, prepared  # noqa: F401

MANIFEST = '<?xml version="1.0"?><manifest xmlns="http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1"><resources/></manifest>'


def package(**members: bytes | str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"imsmanifest.xml": MANIFEST, **members}.items():
            archive.writestr(name, data)
    return made.getvalue()


def with_link() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("imsmanifest.xml", MANIFEST)
        link = zipfile.ZipInfo("item.xml")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return made.getvalue()


def lying() -> bytes:
    """An archive whose directory says that a member is small."""
    data = bytearray(package(**{"imsmanifest.xml": MANIFEST + "<!-- -->" * 20_000}))
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = (10).to_bytes(4, "little")
    return bytes(data)


CASES = {
    "zip bomb": (package(**{"item.xml": b"0" * 30_000_000}), "made to exhaust memory"),
    "path outside": (package(**{"../../etc/cron.d/x": b"a"}), "points outside it"),
    "absolute path": (package(**{"/etc/passwd": b"a"}), "points outside it"),
    "symbolic link": (with_link(), "links are not read"),
    "nested archive": (package(**{"inner.zip": package()}), "another archive"),
    "directory that lies": (lying(), "The archive is damaged"),
    "cut archive": (package(**{"item.xml": b"<a/>" * 9000})[:300], "cannot be imported"),
    "entities": (b'<?xml version="1.0"?><!DOCTYPE quiz [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><quiz>&b;</quiz>', "has a DOCTYPE"),
    "deep nesting": (b"<quiz>" + b"<a>" * 20_000 + b"</a>" * 20_000 + b"</quiz>", "nested deeper than"),
    "broken XML": (b"<quiz><question>", "not well-formed XML"),
    "windows-1252": ('Ai quyết định?'.encode("cp1258", "replace") + b"\xe9\xe8\nA. a\nB. b\nANSWER: A\n", "cannot be imported"),
    "NUL bytes": (TWO.encode().replace(b"kind", b"ki\x00nd"), "NUL bytes"),
    "deep TOML": (b'format = "examsvc-bank/1"\na = ' + b"[" * 20_000 + b"]" * 20_000, "cannot be imported"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_made_to_harm_is_refused_in_one_sentence(office: Office, name: str) -> None:  # noqa: F811
    data, words = CASES[name]
    page = hand_in(office, data, 200)
    assert words in page
    assert "The file cannot be imported" in page
    for table in (Bank, BankUpload, ItemVersion):
        assert office.session.scalar(select(func.count()).select_from(table)) == 0, table


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_the_encoding_are_understood(office: Office, encoding: str) -> None:  # noqa: F811
    data = "Hà Nội là thủ đô?\nA. Đúng\nB. Sai\nANSWER: A\n".encode(encoding)
    page = office.get("Setter", hand_in(office, data, language="vi", bank_name="aiken").split("/papers")[1])
    assert "Hà Nội là thủ đô?" in page


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(office: Office) -> None:  # noqa: F811
    answer = office.browser("Setter").post(
        "/competitions/mot/papers/banks/import", data=b"a" * (21 * 1024 * 1024), content_type="multipart/form-data; boundary=b"
    )
    assert answer.status_code == 413
    assert "too large" in answer.get_data(as_text=True)
    assert office.session.scalar(select(func.count()).select_from(BankUpload)) == 0


def test_markup_of_a_question_does_not_run(office: Office) -> None:  # noqa: F811
    spoiled = TWO.replace("Thủ đô", "<script>alert(1)</script><img src=x onerror=alert(2)> [a](javascript:alert(3)) Thủ đô")
    page = office.get("Setter", hand_in(office, spoiled.encode()).split("/papers")[1])
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert 'href="javascript' not in page
    assert "&lt;script&gt;" in page


def test_nothing_is_half_done_when_the_bank_changes_before_the_confirmation(office: Office) -> None:  # noqa: F811
    """Two people hand in the same file; the second confirmation finds everything there already."""
    first = hand_in(office, TWO.encode()).split("/papers")[1]
    second = hand_in(office, TWO.replace("Huế", "Vinh").encode()).split("/papers")[1]
    office.post("Setter", f"{first}/confirm")
    assert "new version of a question in the bank" in office.get("Setter", second)
    office.post("Setter", f"{second}/confirm")
    office.post("Setter", f"{second}/confirm", 404)
    assert office.session.scalar(select(func.count()).select_from(ItemVersion)) == 3
