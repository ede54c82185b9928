"""Broken and hostile files: each refused in one sentence with the place, nothing outside the file read, memory bounded."""

import io
import random
import stat
import time
import tracemalloc
import unicodedata
import zipfile
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz_banks import READERS, seeds, spoiled, try_one
from question_banks import BankError, Limits, Text, count_words, read_bank, sniff, write_bank
from question_banks.archives import Archive, pack
from question_banks.limits import LIMITS
from question_banks.markup import clean
from question_banks.problems import MESSAGES
from question_banks.reading import WRITERS
from tests.question_banks.qti_files import MATCH, PNG, declaration, item, package, zipped
from tests.question_banks.test_interactions import choices, interaction

ITEM = item(
    declaration("identifier", correct=("A",)),
    '<p>x</p><qti-choice-interaction response-identifier="RESPONSE" max-choices="1"><qti-simple-choice identifier="A">a</qti-simple-choice>'
    '<qti-simple-choice identifier="B">b</qti-simple-choice></qti-choice-interaction>',
)
QUIZ = '<quiz><question type="essay"><name><text>a</text></name><questiontext format="html"><text>x</text></questiontext></question></quiz>'
NATIVE = 'format = "examsvc-bank/1"\n[[item]]\nid = "a"\nkind = "essay"\nprompt = "x"\n'


def link() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        entry = zipfile.ZipInfo("items/link.xml")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
        archive.writestr("imsmanifest.xml", "<manifest/>")
    return target.getvalue()


def encrypted() -> bytes:
    data = bytearray(package({"one.xml": ITEM}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + at] |= 1
            place = data.find(mark, place + 4)
    return bytes(data)


def lying_size() -> bytes:
    """A member that declares less than it unpacks to."""
    data = bytearray(zipped({"imsmanifest.xml": b"<manifest>" + b" " * 5000 + b"</manifest>"}))
    at = data.find(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    return bytes(data)


def twice() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("imsmanifest.xml", "<manifest/>")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("imsmanifest.xml", "<manifest/>")
    return target.getvalue()


# name: (data, format, code of the BankError)
REFUSED = {
    "empty": (b"", None, "file-empty"),
    "only spaces": (b" \n\t", None, "file-empty"),
    "nothing known": (b"hello world", None, "format-not-recognised"),
    "unknown format": (b"x", "word", "format-unknown"),
    "windows-1252": ("Câu hỏi? {=a ~b}".replace("ỏ", "o").encode("windows-1252"), "gift", "not-utf-8"),
    "nul byte": (b"x {=a\x00 ~b}", "gift", "nul-byte"),
    "doctype": (b'<?xml version="1.0"?>\n<!-- c -->\n<!DOCTYPE quiz [<!ENTITY e SYSTEM "file:///etc/passwd">]><quiz>&e;</quiz>', None, "doctype"),
    "doctype in UTF-16": ('<!DOCTYPE quiz><quiz/>'.encode("utf-16"), "moodle-xml", "doctype"),
    "billion laughs": (b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><quiz>&b;</quiz>', "moodle-xml", "doctype"),
    "unknown entity": (b"<quiz>&e;</quiz>", "moodle-xml", "xml-broken"),
    "not well formed": (b"<quiz>\n<question></quiz>", "moodle-xml", "xml-broken"),
    "deep nesting": (b"<quiz>" + b"<a>" * 50_000 + b"</a>" * 50_000 + b"</quiz>", "moodle-xml", "xml-too-deep"),
    "wrong root": (b"<quizz/>", "moodle-xml", "not-moodle-xml"),
    "unknown encoding": (b'<?xml version="1.0" encoding="ebcdic-us"?><quiz/>', "moodle-xml", "encoding-unknown"),
    "broken toml": (b'format = "examsvc-bank/1"\nid = \n', "native", "toml-broken"),
    "deep toml": (b'format = "examsvc-bank/1"\nx = ' + b"[" * 5000 + b"]" * 5000, "native", "toml-too-deep"),
    "other toml": (b'format = "other/1"\n', "native", "native-format"),
    "table without headings": (b"a,b\n1,2\n", "csv", "table-columns"),
    "path out of the package": (zipped({"imsmanifest.xml": b"<manifest/>", "../evil.xml": b"x"}), "qti3", "zip-path"),
    "absolute path": (zipped({"imsmanifest.xml": b"<manifest/>", "/etc/x.xml": b"x"}), "qti3", "zip-path"),
    "drive letter": (zipped({"imsmanifest.xml": b"<manifest/>", "C:\\x.xml": b"x"}), "qti3", "zip-path"),
    "symbolic link": (link(), "qti3", "zip-link"),
    "nested archive": (zipped({"imsmanifest.xml": b"<manifest/>", "more.zip": b"PK"}), "qti3", "zip-nested"),
    "nested under another name": (zipped({"imsmanifest.xml": zipped({"a": b"b"})}), "qti3", "zip-nested"),
    "zip bomb": (zipped({"imsmanifest.xml": b"<manifest/>", "bomb.xml": b"\0" * 30_000_000}), "qti3", "zip-ratio"),
    "encrypted": (encrypted(), "qti3", "zip-encrypted"),
    "size that lies": (lying_size(), "qti3", "zip-broken"),
    "the same name twice": (None, "qti3", "zip-repeated"),
    "damaged archive": (b"PK\x03\x04" + b"x" * 100, "qti3", "zip-broken"),
    "broken manifest": (zipped({"imsmanifest.xml": b"<manifest>"}), "qti3", "xml-broken"),
    "no sheet": (zipped({"xl/workbook.xml": b"<workbook/>"}), "xlsx", "xlsx-sheet"),
    "workbook with a doctype": (zipped({"xl/workbook.xml": b"<!DOCTYPE a><workbook/>"}), "xlsx", "doctype"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_a_whole(name: str) -> None:
    data, format, code = REFUSED[name]
    with pytest.raises(BankError) as caught:
        read_bank(twice() if data is None else data, format)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")
    assert "\n" not in str(caught.value)


def test_places_are_named() -> None:
    with pytest.raises(BankError) as caught:
        read_bank(REFUSED["doctype"][0])
    assert caught.value.line == 3
    with pytest.raises(BankError) as caught:
        read_bank(b"a {=b}\n\nc\xff", "gift")
    assert caught.value.line == 3
    with pytest.raises(BankError) as caught:
        read_bank(REFUSED["broken toml"][0], "native")
    assert caught.value.line == 2


LIMITED = [
    (Limits(file_size=100), QUIZ.encode(), "file-too-large"),
    (Limits(text_size=100), QUIZ.encode(), "file-too-large"),
    (Limits(depth=3), QUIZ.encode().replace(b"<text>x<", b"<text>x" + b" " * 10 + b"<"), "xml-too-deep"),
    (Limits(archive_members=1), package({"a.xml": ITEM}), "zip-members"),
    (Limits(archive_size=500), package({"a.xml": ITEM}), "zip-size"),
    (Limits(items=1), (NATIVE + NATIVE.partition("\n")[2].replace('"a"', '"b"')).encode(), "items-too-many"),
    (Limits(rows=2), b"kind,prompt\nessay,a\nessay,b\n", "table-rows"),
    (Limits(cells=1), b"kind,prompt\nessay,a\n", "table-cells"),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "data", "code"), LIMITED)
def test_limits_are_settings(limits: Limits, data: bytes, code: str) -> None:
    read_bank(data)
    with pytest.raises(BankError) as caught:
        read_bank(data, limits=limits)
    assert caught.value.code == code


def test_a_hundred_megabytes_are_refused_before_parsing() -> None:
    data = b"<quiz>" + b"<question/>" * 9_000_000
    tracemalloc.start()
    with pytest.raises(BankError, match="at most"):
        read_bank(data)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_member_is_unpacked_only_within_its_bound() -> None:
    """300 kB of noise unpack to 60 MB at a ratio below the limit: refused by the size of a medium."""
    noise = zlib.compress(b"seed", 0) + bytes(range(256)) * 4
    data = package(
        {"one.xml": ITEM.replace(b"<p>x</p>", b'<p><img src="big.png" alt="x"/></p>')},
        {"big.png": PNG + noise * 60},
    )
    result = read_bank(data, limits=Limits(media_size=10_000, compression_ratio=10**6))
    assert [p.severity for p in result.problems] == ["refused"]


PACKAGES = {
    "missing medium": (package({"one.xml": ITEM.replace(b"<p>x</p>", b'<p><img src="none.png" alt="x"/></p>')}), "qti-media-path"),
    "remote medium": (package({"one.xml": ITEM.replace(b"<p>x</p>", b'<p><img src="https://e.example/x.png" alt="x"/></p>')}), "remote-reference"),
    "medium outside": (package({"one.xml": ITEM.replace(b"<p>x</p>", b'<p><img src="../../etc/passwd" alt="x"/></p>')}), "zip-path"),
    "medium that is a script": (package({"one.xml": ITEM.replace(b"<p>x</p>", b'<p><img src="x.svg" alt="x"/></p>')}, {"x.svg": b"<svg><script/></svg>"}), "media-type-refused"),
    "item with a doctype": (package({"one.xml": b"<!DOCTYPE a>" + ITEM.partition(b"?>")[2]}), "reader-failed"),
    "item that is none": (package({"one.xml": b"<html/>"}), "qti-not-item"),
    "undeclared response": (package({"one.xml": ITEM.replace(b'response-identifier="RESPONSE"', b'response-identifier="OTHER"')}), "qti-undeclared"),
}  # fmt: skip


@pytest.mark.parametrize("name", PACKAGES)
def test_one_bad_item_is_named_and_stops_nothing(name: str) -> None:
    data, code = PACKAGES[name]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {entry: archive.read(entry) for entry in archive.namelist() if entry != "imsmanifest.xml"}
    both = package(
        {"one.xml": members.pop("one.xml"), "two.xml": ITEM.replace(b'identifier="i"', b'identifier="j"')},
        members,
    )
    result = read_bank(both)
    assert [(p.severity, p.code) for p in result.problems] == [("refused", code)]
    assert result.problems[0].where.startswith("one.xml")
    assert [i.id for i in result.bank] == ["j"]


def test_manifests_that_lie() -> None:
    listed = "".join(
        f'<resource identifier="r{n}" type="imsqti_item_xmlv3p0" href="{href}"/>'
        for n, href in enumerate(("gone.xml", "../up.xml", "https://x.example/a.xml", "one.xml"))
    )
    manifest = f'<manifest xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" identifier="m"><resources>{listed}</resources></manifest>'
    result = read_bank(zipped({"imsmanifest.xml": manifest.encode(), "one.xml": ITEM, "extra.xml": ITEM}))
    assert [p.code for p in result.problems] == [
        "package-lies",
        "package-path",
        "package-path",
        "package-unlisted",
    ]
    assert len(result.bank) == 1


def test_same_names_are_two_items() -> None:
    """Claroline imported one of two files of the same name."""
    result = read_bank(package({"one.xml": ITEM, "two.xml": ITEM}))
    assert [i.id for i in result.bank] == ["i", "i-2"]
    assert [p.code for p in result.problems] == ["identifier-made"]


def test_no_file_outside_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(
        "builtins.open", lambda *a, **k: opened.append(a) or (_ for _ in ()).throw(OSError("refused"))
    )
    for attack in ("file:///etc/passwd", "../../../etc/passwd", "/etc/passwd", "..\\..\\x"):
        source = ITEM.replace(b"<p>x</p>", f'<p><img src="{attack}" alt="x"/></p>'.encode())
        assert len(read_bank(package({"one.xml": source})).bank) == 0
    assert opened == []


DIRTY = [
    '<img src=x onerror="alert(1)">', "<svg/onload=alert(1)>", '<a href="javascript:alert(1)">x</a>', '<iframe src="//e"></iframe>',
    '<math><mtext><script>alert(1)</script></mtext></math>', '<math><annotation-xml encoding="text/html"><img src=x onerror=alert(1)></annotation-xml></math>',
    '<p style="background:url(//e/x)">x</p>', '<img src="//evil/x.png">', '<video poster="//e" src="http://e">', "<form action=//e><input name=q></form>",
    '<math href="javascript:alert(1)"><mi>x</mi></math>', "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<base href=//e>", '<meta http-equiv=refresh content="0;url=//e">',
]  # fmt: skip


@pytest.mark.parametrize("html", DIRTY)
def test_nothing_active_or_remote_reaches_a_candidate(html: str) -> None:
    for text in (Text.of({"vi": html}, "html"), Text.of({"vi": html})):
        shown = text.html("vi").replace("&lt;", "").replace("&gt;", "")
        tags = "".join(part.partition(">")[0] for part in shown.split("<")[1:]).lower()
        for word in (
            "script",
            "onerror",
            "onload",
            "javascript",
            "iframe",
            "//",
            "form",
            "input",
            "base",
            "meta",
            "style",
            "svg",
        ):
            assert word not in tags, shown


def test_mathml_stays() -> None:
    math = '<math display="block"><mfrac><mi>x</mi><mn>2</mn></mfrac></math>'
    assert clean(math) == math


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_that_say_what_they_are(encoding: str) -> None:
    data = "Câu hỏi? {=đúng ~sai}".encode(encoding)
    if encoding == "utf-16-le":
        data = b"\xff\xfe" + data
    assert read_bank(data, "gift").bank.items[0].body.plain("vi") == "Câu hỏi?"


def test_declared_encodings_of_xml() -> None:
    text = QUIZ.replace(">x<", ">café<")
    data = f'<?xml version="1.0" encoding="windows-1252"?>{text}'.encode("windows-1252")
    assert read_bank(data).bank.items[0].body.plain("vi") == "café"
    with pytest.raises(BankError, match="not UTF-8"):
        read_bank(f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode("windows-1252"), "moodle-xml")


def test_letters_are_composed_once() -> None:
    import unicodedata

    one, other = (
        read_bank(unicodedata.normalize(form, "Hà Nội? {=ế ~ộ}").encode(), "gift").bank.items[0]
        for form in ("NFC", "NFD")
    )
    assert one.digest == other.digest


@pytest.mark.parametrize("reader", READERS)
def test_formats_are_recognised(reader: str) -> None:
    good = seeds(reader)
    known = {"qti3", "qti2"} if reader.startswith("qti") else {READERS[reader]}
    assert len(good) >= 2
    assert {sniff(data) for data in good} <= known


@pytest.mark.parametrize("reader", READERS)
def test_spoiled_files(reader: str) -> None:
    """A short run of what benchmarks/fuzz_banks.py does at length: 200 inputs, made as there."""
    rng = random.Random(f"short {reader}")
    good = seeds(reader)
    outcomes = {try_one(spoiled(rng, good, reader), reader, n).outcome for n in range(200)}
    assert {"1 item or more", "not read"} <= outcomes


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda t: t.encode("utf-8", "surrogatepass")),
    st.sampled_from(list(READERS)),
)
def test_arbitrary_bytes(data: bytes, reader: str) -> None:
    try_one(data, reader)


FOUND = sorted(Path(__file__).with_name("found").glob("*/*"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_the_spoiler_once_found_stays_mended(path: Path) -> None:
    """Inputs that a run of benchmarks/fuzz_banks.py failed on, linted, written in every format and read again."""
    for number in range(0, 30 * len(WRITERS), 10):
        assert try_one(path.read_bytes(), path.parent.name, number).outcome in ("1 item or more", "all refused")


def test_the_spoilers_finds_are_kept() -> None:
    assert {path.parent.name for path in FOUND} <= set(READERS)
    assert len(FOUND) >= 4


def test_paths_of_files_are_in_the_message(tmp_path: Path) -> None:
    (tmp_path / "a.gift").write_bytes(b"x\xff")
    with pytest.raises(BankError, match=r"a\.gift:1: The file is not UTF-8"):
        read_bank(tmp_path / "a.gift", "gift")
    with pytest.raises(BankError, match="cannot be opened"):
        read_bank(tmp_path / "none.gift")


def test_every_message_is_one_sentence_or_two() -> None:
    assert len(MESSAGES) > 150
    for code, template in MESSAGES.items():
        assert code == code.lower()
        assert " " not in code
        assert template[0].isupper() or template[0] == "{"
        assert template.rstrip("}").endswith((".", ":", "reason"))


def test_nothing_is_looked_at_again_and_again() -> None:
    """Each of these once took the square of its length: minutes for one text, hours for one file."""
    start = time.process_time()
    assert count_words("-" * 200_000) == 0
    assert count_words("a-" * 100_000 + " b") == 2
    for opening in (b"<!--", b"<![CDATA[", b"<a ", b"<a/"):
        with pytest.raises(BankError):
            read_bank(b"<quiz>" + opening * 200_000, "moodle-xml")
    for text in ("<p" * 9_000, "<" * 19_000, "<a href=" * 2_000, "<img src=" * 2_000):
        escaped = text.replace("=", "\\=")
        for one in read_bank(f"x {{={escaped} ~b}}".encode(), "gift").bank:
            one.presentation("vi", 1)
    assert time.process_time() - start < 20  # linear: half a second


def test_elements_are_counted_before_they_take_memory() -> None:
    """Every element costs the parser some hundred bytes, every attribute two hundred."""
    for inner in (b"<a/>" * 3000, b'<a x="1" y="2"/>' * 1000):
        with pytest.raises(BankError) as caught:
            read_bank(b"<quiz>" + inner + b"</quiz>", limits=Limits(elements=2500))
        assert caught.value.code == "xml-too-large"


ONE = 'interaction = [{ kind = "choice", response = "R", choices = [{ id = "A", text = "a" }, { id = "B", text = "b" }] }]\nresponse = [{ id = "R", base = "identifier", correct = ["A"] }]\nrule = [{ response = "R", method = "all-or-nothing" }]'
UNSOUND = [
    (ONE.replace('id = "B"', 'id = "A"'), "choice-repeated"),
    (ONE.replace('id = "B"', 'id = "B C"'), "identifier-not-one"),
    (ONE.replace('correct = ["A"]', 'correct = ["Z"]'), "correct-unknown"),
    (ONE.replace('}]\nresponse', '}, { kind = "choice", response = "R" }]\nresponse'), "response-shared"),
    (ONE.replace('["A"] }]', '["A"] }, { id = "R", base = "string" }]'), "declaration-repeated"),
    (ONE.replace('base = "identifier", correct = ["A"]', 'base = "float"'), "response-type"),
    (ONE.replace('text = "b"', 'text = "b", coordinates = [1, 2]'), "shape-unknown"),
    (ONE + '\nmarks = "1000001"', "marks-range"),
    (ONE + '\nrubric = [{ id = "r", title = "a", marks = "1" }, { id = "r", title = "b", marks = "1" }]', "criterion-repeated"),
    (ONE + f'\nexplanation = "{"x" * 20_001}"', "field-too-long"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "code"), UNSOUND)
def test_what_does_not_hold_inside_an_item_is_refused(source: str, code: str) -> None:
    head = 'format = "examsvc-bank/1"\n[[item]]\nid = "{id}"\nkind = "composite"\nprompt = "x"\n'
    good = read_bank((head.replace("{id}", "a") + ONE).encode())
    assert (len(good.bank), good.problems) == (1, ())
    result = read_bank((head.replace("{id}", "a") + source).encode())
    assert [(p.severity, p.code) for p in result.problems] == [("refused", code)]


@pytest.mark.parametrize("inside", ["NFC", "NFD"])
@pytest.mark.parametrize("named", ["NFC", "NFD"])
@pytest.mark.parametrize("quoted", [False, True])
def test_a_package_made_on_another_system_finds_its_files(inside: str, named: str, quoted: bool) -> None:
    """A Mac writes "ả" into an archive as letters and marks; whoever names the file may write one sign."""
    address = unicodedata.normalize(named, "../media/ảnh.png")
    source = item(
        declaration("identifier", correct=("A",)),
        f'<p><img src="{quote(address) if quoted else address}" alt="x"/></p>' + interaction("choice", choices("A", "B"), max_choices="1"),
        MATCH,
    )
    found = read_bank(package({"items/one.xml": source}, {unicodedata.normalize(inside, "media/ảnh.png"): PNG}))
    assert (len(found.bank), len(found.bank.media), list(found.problems)) == (1, 1, [])


def test_names_that_become_a_way_out_or_the_same_are_refused() -> None:
    with pytest.raises(BankError, match="points outside it"):
        Archive(pack({".\ufeff./secret.xml": b"<a/>"}), "f.zip", LIMITS)
    with pytest.raises(BankError, match="twice"):
        Archive(pack({"\u1ea3.xml": b"<a/>", "a\u0309.xml": b"<b/>"}), "f.zip", LIMITS)


def test_duplicate_identifiers_inside_a_package_are_refused() -> None:
    same = ITEM.replace(b'identifier="B"', b'identifier="A"')
    twice_declared = ITEM.replace(
        b"<qti-outcome", declaration("identifier", name="RESPONSE").encode() + b"<qti-outcome", 1
    )
    result = read_bank(package({"one.xml": same, "two.xml": twice_declared, "three.xml": ITEM}))
    assert [(p.where.split()[0].rstrip(":"), p.code) for p in result.problems] == [
        ("one.xml", "choice-repeated"),
        ("two.xml", "declaration-repeated"),
    ]
    assert len(result.bank) == 1


def test_identifiers_of_any_script_and_their_way_back() -> None:
    """QTI's identifiers have letters of any script; the item's own name may begin with a digit only here."""
    source = (
        ITEM.decode()
        .replace('identifier="A"', 'identifier="đáp_án"')
        .replace("<qti-value>A<", "<qti-value>đáp_án<")
    )
    bank = read_bank(source.replace('identifier="i"', 'identifier="_2026-1"').encode()).bank
    for format in ("native", "qti3", "qti2"):
        (again,) = read_bank(write_bank(bank, format).data).bank.items
        assert again.id == "2026-1"
        assert again.mark({"RESPONSE": "đáp_án"}).score == 1
