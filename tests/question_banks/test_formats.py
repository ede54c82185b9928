"""Files as other systems write them: every kind of question of Moodle XML, GIFT, Aiken and tables."""

from decimal import Decimal
from fractions import Fraction

import pytest

from question_banks import read_bank, tables, write_bank
from tests.question_banks.qti_files import PNG, item, package


def moodle(*questions: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><quiz>{"".join(questions)}</quiz>'.encode()


def question(kind: str, inner: str, text: str = "<p>Câu hỏi?</p>", name: str = "Tên") -> str:
    return (
        f'<question type="{kind}"><name><text>{name}</text></name><questiontext format="html"><text><![CDATA[{text}]]></text></questiontext>'
        f"<defaultgrade>2.0000000</defaultgrade>{inner}</question>"
    )


def answer(fraction: object, text: str, extra: str = "") -> str:
    return f'<answer fraction="{fraction}" format="html"><text>{text}</text><feedback format="html"><text></text></feedback>{extra}</answer>'


def tolerance(value: object) -> str:
    return f"<tolerance>{value}</tolerance>"


DATA = "".join(
    f"<dataset_definition><name><text>{name}</text></name><dataset_items>"
    + "".join(
        f"<dataset_item><number>{n}</number><value>{value}</value></dataset_item>"
        for n, value in enumerate(values, 1)
    )
    + "</dataset_items></dataset_definition>"
    for name, values in (("a", (3, 5)), ("b", (4, 12)))
)
DATASETS = f"<dataset_definitions>{DATA}</dataset_definitions>"

# name: (question, kind in the model, {response: score})
MOODLE = {
    "multichoice, one": (question("multichoice", "<single>true</single>" + answer(100, "A") + answer(-25, "B") + answer(0, "C")), "single", {"A": 2, "B": Decimal("-0.5"), "C": 0, None: 0}),
    "multichoice, several": (question("multichoice", "<single>false</single>" + answer("33.33333", "A") + answer("33.33333", "B") + answer("33.33333", "C") + answer(-100, "D")), "multiple", {("A", "B", "C"): 2, ("A",): Fraction(2, 3), ("A", "D"): 0}),
    "truefalse": (question("truefalse", answer(0, "true") + answer(100, "false")), "true-false", {"false": 2, "true": 0, False: 2}),
    "shortanswer": (question("shortanswer", "<usecase>0</usecase>" + answer(100, "Hà Nội") + answer(50, "*Nội*")), "text", {"hà nội": 2, "ở Nội thành": 1, "Huế": 0}),
    "numerical": (question("numerical", answer(100, "23.8", tolerance(2)) + answer(50, "20", tolerance(0))), "numeric", {"25,8": 2, "25.81": 0, "20": 1}),
    "numerical with units": (question("numerical", answer(100, "2", tolerance(0)) + "<units><unit><multiplier>1</multiplier><unit_name>m</unit_name></unit><unit><multiplier>100</multiplier><unit_name>cm</unit_name></unit></units><unitgradingtype>1</unitgradingtype><unitpenalty>1</unitpenalty>"), "numeric", {"2 m": 2, "200 cm": 2, "2": 0}),
    "matching": (question("matching", "<shuffleanswers>true</shuffleanswers>" + "".join(f'<subquestion format="html"><text>{left}</text><answer><text>{right}</text></answer></subquestion>' for left, right in (("Đỏ", "màu"), ("Chó", "vật"), ("", "cây")))), "match", {("L1 1", "L2 2"): 2, ("L1 1", "L2 3"): 1}),
    "essay": (question("essay", '<responseformat>editor</responseformat><minwordlimit>100</minwordlimit><maxwordlimit>300</maxwordlimit><graderinfo format="html"><text>Ý chính</text></graderinfo>'), "essay", {"…": None}),
    "description": (question("description", ""), "description", {}),
    "cloze": (question("cloze", "", "<p>Thủ đô {2:SHORTANSWER:=Hà Nội~%50%Huế#gần} có {1:NUMERICAL:=30:1} {1:MULTICHOICE:quận~=quận\\, huyện~%-50%làng}</p>"), "gap", {("Hà Nội", "31", "c2"): 2, ("Huế", "0", "c1"): Fraction(1, 2)}),
    "ddwtos": (question("ddwtos", "<dragbox><text>chó</text><group>1</group></dragbox><dragbox><text>mèo</text><group>1</group></dragbox>", "<p>Con [[2]] đuổi con [[1]]</p>"), "composite", {("w2 g1", "w1 g2"): 2, ("w1 g1",): 0, ("w2 g1",): 1}),
    "gapselect": (question("gapselect", "<selectoption><text>mưa</text><group>1</group></selectoption><selectoption><text>nắng</text><group>1</group></selectoption><selectoption><text>gió</text><group>2</group></selectoption>", "<p>Trời [[1]]</p>"), "gap", {("c1",): 2, ("c2",): 0}),
    "ordering": (question("ordering", "<gradingtype>ABSOLUTE_POSITION</gradingtype>" + answer("1.0", "một") + answer("2.0", "hai") + answer("3.0", "ba")), "order", {("A", "B", "C"): 2, ("A", "C", "B"): Fraction(2, 3)}),
    "calculated": (question("calculated", answer(100, "sqrt({a}*{a} + pow({b},2))", tolerance("0.01") + "<tolerancetype>1</tolerancetype>") + DATASETS, "<p>Cạnh {a} và {b}, tổng {={a}+{b}}?</p>"), "numeric", {}),
    "calculatedmulti": (question("calculatedmulti", "<single>true</single>" + answer(100, "{={a}+{b}}") + answer(0, "{={a}*{b}}") + DATASETS, "<p>{a} + {b}</p>"), "single", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", MOODLE)
def test_moodle(name: str) -> None:
    source, kind, marks = MOODLE[name]
    result = read_bank(moodle(source))
    assert [str(problem) for problem in result.problems] == []
    read = result.bank.items[0]
    assert read.kind == kind
    back = read_bank(write_bank(result.bank, "moodle-xml").data)
    assert [p for p in back.problems if p.severity == "refused"] == []
    for again in (read, back.bank.items[0]):
        for response, score in marks.items():
            names = [i.response for i in again.interactions]
            given = dict(zip(names, response, strict=True)) if kind == "gap" else {names[0]: response}
            assert again.mark(given).score == score, response


def test_calculated_questions_draw_their_data_by_seed() -> None:
    item_read = read_bank(moodle(MOODLE["calculated"][0])).bank.items[0]
    seen = set()
    for seed in range(20):
        drawn = item_read.instance(seed)
        text = drawn.presentation("vi", seed)["prompt"]
        if "Cạnh 3 và 4, tổng 7?" in text:
            right, wrong, name = "5.04", "5.06", "3-4-5"
        else:
            assert "Cạnh 5 và 12, tổng 17?" in text
            right, wrong, name = "13,12", "13.2", "5-12-13"
        seen.add(name)
        assert drawn.mark({"RESPONSE": right}).score == 2
        assert drawn.mark({"RESPONSE": wrong}).score == 0
    assert len(seen) == 2
    again = read_bank(
        write_bank(read_bank(moodle(MOODLE["calculated"][0])).bank, "moodle-xml").data
    ).bank.items[0]
    assert (
        again.instance(3).presentation("vi", 3)["prompt"]
        == item_read.instance(3).presentation("vi", 3)["prompt"]
    )


def test_moodle_categories_tags_files_and_languages() -> None:
    import base64

    category = '<question type="category"><category><text>$course$/top/Quản lý/Nhân sự//Lương</text></category></question>'
    file = f'<file name="a.png" path="/" encoding="base64">{base64.b64encode(PNG).decode()}</file>'
    text = '<span lang="vi" class="multilang"><p>Xin <b>chào</b></p></span><span lang="en" class="multilang"><p>Hello</p></span>'
    source = question(
        "essay",
        "<tags><tag><text>level:apply</text></tag><tag><text>khó</text></tag></tags><idnumber>q-7</idnumber>",
        text,
    )
    picture = question("essay", "", '<p><img src="@@PLUGINFILE@@/a.png" alt="Sơ đồ"/></p>').replace(
        "</questiontext>", file + "</questiontext>"
    )
    result = read_bank(moodle(category, source, picture))
    assert [str(p) for p in result.problems] == []
    first, second = result.bank.items
    assert (first.id, first.metadata.topic, first.metadata.level, first.metadata.tags) == (
        "q-7",
        "Quản lý.Nhân sự/Lương",
        "apply",
        ("khó",),
    )
    assert first.body.values == (("vi", "Xin **chào**"), ("en", "Hello"))
    assert len(result.bank.media) == 1
    assert second.presentation("vi", 0, media="/m/")["prompt"].count('src="/m/') == 1
    back = read_bank(write_bank(result.bank, "moodle-xml").data)
    assert set(back.bank.media) == set(result.bank.media)
    assert back.bank.items[0].body == first.body


LOSSES = [
    (question("essay", "", '<p><a href="https://x.example">đây</a></p>'), "links-removed"),
    (question("essay", "", '<p style="color:red">đỏ</p>'), "styling-removed"),
    (question("essay", "", "<p>a</p><script>alert(1)</script>"), "active-content"),
    (question("essay", "<attachments>2</attachments>"), "essay-attachments"),
    (
        question("shortanswer", answer(100, "x") + '<hint format="html"><text>gợi ý</text></hint>'),
        "hints-lost",
    ),
    (
        question(
            "shortanswer",
            answer(100, "x")
            + '<incorrectfeedback format="html"><text>Đọc lại chương 3.</text></incorrectfeedback>',
        ),
        "feedback-lost",
    ),
]
REFUSALS = [
    (question("essay", "", '<p><img src="https://evil.example/x.png"/></p>'), "remote-reference"),
    (question("essay", "", '<p><img src="//evil.example/x.png"/></p>'), "remote-reference"),
    (question("essay", "", '<p><img src="file:///etc/passwd"/></p>'), "remote-reference"),
    (question("stack", ""), "moodle-kind-unknown"),
    (question("multichoice", answer(100, "A")), "choices-too-few"),
    (question("multichoice", answer("x", "A") + answer(0, "B")), "fraction-not-number"),
    (question("numerical", answer(100, "abc", tolerance(0))), "moodle-field"),
    (question("cloze", "", "<p>{1:SHORTANSWER:=a</p>"), "cloze-open"),
    (question("calculated", answer(100, "{z}+1") + DATASETS), "dataset-missing"),
    (question("calculated", answer(100, "system({a})") + DATASETS), "formula-function"),
    (question("calculated", answer(100, "{a}+") + DATASETS), "formula-broken"),
]


@pytest.mark.parametrize(("source", "code"), LOSSES)
def test_moodle_losses_are_named(source: str, code: str) -> None:
    result = read_bank(moodle(source))
    assert [(p.severity, p.code) for p in result.problems] == [("lossy", code)]
    assert len(result.bank) == 1


@pytest.mark.parametrize(("source", "code"), REFUSALS)
def test_moodle_refusals_stop_nothing_else(source: str, code: str) -> None:
    result = read_bank(moodle("\n" + source, question("essay", "", name="Khác")))
    assert [(p.severity, p.code) for p in result.problems] == [("refused", code)]
    assert result.problems[0].where.startswith("line 2")
    assert len(result.bank) == 1


GIFT = {
    "::Q1:: Ai viết? {=Nguyễn Du ~Nguyễn Trãi#gần ~Hồ Xuân Hương}": ("single", {"A": 1, "B": 0}),
    "Chọn {~%50%a ~%50%b ~%-100%c}": ("multiple", {("A", "B"): 1, ("A",): Fraction(1, 2), ("A", "C"): 0}),
    "Trái đất tròn {T#sai#đúng}": ("true-false", {"true": 1, "false": 0}),
    "Mặt trời lạnh {FALSE}": ("true-false", {"false": 1}),
    "Thủ đô {=Hà Nội =%50%Ha Noi}": ("text", {"hà nội": 1, "ha noi": Fraction(1, 2)}),
    "Năm {#1945:2}": ("numeric", {"1946": 1, "1948": 0}),
    "Từ {#1..5}": ("numeric", {"5": 1, "0.9": 0}),
    "Nhiều {#=10:0 =%50%10:2#gần}": ("numeric", {"10": 1, "11": Fraction(1, 2), "13": 0}),
    "Nối {=a -> 1 =b -> 2 = -> 3 ####chung}": ("match", {("L1 1", "L2 2"): 1, ("L1 1",): Fraction(1, 2)}),
    "Viết {}": ("essay", {"x": None}),
    "Chỉ là lời dẫn.": ("description", {}),
    "Hà Nội là {=thủ đô ~tỉnh} của Việt Nam.": ("single", {"A": 1}),
    r"Dấu \{\} và \= \~ \# \: {=a\=b ~c\~d}": ("single", {"A": 1}),
    "[html]<p>x<sup>2</sup></p> {=<b>a</b> ~b}": ("single", {"A": 1}),
    "[markdown]**x** {=a ~b}": ("single", {"A": 1}),
}


@pytest.mark.parametrize("source", GIFT)
def test_gift(source: str) -> None:
    kind, marks = GIFT[source]
    result = read_bank(source.encode(), "gift")
    assert [str(p) for p in result.problems] == []
    read = result.bank.items[0]
    assert read.kind == kind
    back = read_bank(write_bank(result.bank, "gift").data, "gift").bank.items[0]
    for again in (read, back):
        for response, score in marks.items():
            assert again.mark({"RESPONSE": response}).score == score


def test_gift_details() -> None:
    text = "// ghi chú\n$CATEGORY: $course$/A/B\n\n// [id:q-1] [tag:level:recall]\n::Tên \\: câu::Hỏi\\ngì {=x#đúng ~y ####Vì sao}\n\nHà Nội là {=a ~b} đó.\n"
    first, second = read_bank(text.encode(), "gift").bank.items
    assert (first.id, first.metadata.topic, first.metadata.level, first.metadata.title.plain("vi")) == (
        "q-1",
        "A.B",
        "recall",
        "Tên : câu",
    )
    assert first.body.html("vi") == "<p>Hỏi<br>\ngì</p>"
    assert first.explanation.plain("vi") == "Vì sao"
    assert first.interactions[0].choices[0].why.plain("vi") == "đúng"
    assert second.body.plain("vi") == "Hà Nội là _____ đó."


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("x {=a", "gift-open"),
        ("x =a}", "gift-closed"),
        ("::x {=a}", "gift-title"),
        ("x {=a}{=b}", "gift-several"),
        ("x {a}", "gift-answer"),
        ("x {=a -> b =c}", "gift-mixed"),
        ("x {#a}", "gift-number"),
        ("x {~%999999%a ~b}", "gift-weight"),
        ("{=a ~b}", "field-missing"),
    ],
)
def test_gift_refusals_stop_nothing_else(source: str, code: str) -> None:
    result = read_bank(f"{source}\n\ny {{}}\n".encode(), "gift")
    assert [(p.severity, p.code) for p in result.problems] == [("refused", code)]
    assert len(result.bank) == 1
    assert result.problems[0].where == "line 1"


def test_aiken() -> None:
    text = "Thủ đô của Việt Nam?\nlà\nA. Huế\nB) Hà Nội\nANSWER: B\n\nHỏng?\nA. x\nC. y\nANSWER: A\n\nKhông có đáp án\nA. x\nB. y\nANSWER: D\n"
    result = read_bank(text.encode())
    assert result.format == "aiken"
    assert [(p.item, p.code, p.where) for p in result.problems] == [
        ("q0002", "aiken-letter", "line 7"),
        ("q0003", "aiken-answer", "line 12"),
    ]
    assert result.bank["q0001"].mark({"RESPONSE": "B"}).score == 1
    assert "là" in result.bank["q0001"].body.plain("vi")


CSV = """mã;loại;điểm;câu hỏi;A;B;C;đáp án;giải thích;lạ
c1;một đáp án;0,25;Ai?;Một;Hai;;B;Vì hai;
c2;nhiều đáp án;1;Chọn;Một;Hai;Ba;A, C;;
c3;đúng/sai;1;Đúng?;;;;Đúng;;
c4;số;1;Bao nhiêu?;;;;12,5;;
c5;sắp xếp;1;Xếp;Một;Hai;Ba;C A B;;
c6;ghép đôi;1;Nối;a => 1;b => 2;=> 3;;;
c7;điền khuyết;1;Thủ đô [[g1]] có [[g2]];;;;"g1 = Hà Nội | Ha Noi; g2 = *hồ | biển";;
c8;tự luận;10;Viết;;;;;;
c9;lạ;1;Gì?;;;;;;
c10;một đáp án;1;Ai?;Một;Hai;;E;;
"""


def test_csv_as_an_office_fills_it_in() -> None:
    result = read_bank(CSV.encode("utf-8-sig"), "csv")
    assert [(p.item, p.severity, p.code) for p in result.problems] == [
        ("", "lossy", "table-column-unknown"),
        ("c9", "refused", "table-kind"),
        ("c10", "refused", "table-key"),
    ]
    assert result.problems[1].where == "row 10"
    bank = result.bank
    assert bank["c1"].marks == Decimal("0.25")
    assert bank["c1"].explanation.plain("vi") == "Vì hai"
    right = {
        "c1": "B",
        "c2": ("A", "C"),
        "c3": "true",
        "c4": "12.5",
        "c5": ("C", "A", "B"),
        "c6": ("A 1", "B 2"),
    }
    for name, response in right.items():
        assert bank[name].mark({"RESPONSE": response}).score == bank[name].marks
    assert bank["c7"].mark({"g1": "ha noi", "g2": "c1"}).score == 1
    assert bank["c8"].mark({"RESPONSE": "x"}).score is None
    same = read_bank(write_bank(bank, "xlsx").data)
    assert same.format == "xlsx"
    assert [i.id for i in same.bank] == [i.id for i in bank]
    assert [i.digest for i in same.bank][:6] == [i.digest for i in bank][:6]


def test_cells_never_become_formulas() -> None:
    bank = read_bank(
        b'format = "examsvc-bank/1"\n[[item]]\nid = "a"\nkind = "text"\nprompt = "=1+1"\naccept = ["+84", "@x"]\n'
    ).bank
    data = write_bank(bank, "csv").data.decode("utf-8-sig")
    assert "'=1+1" in data
    assert "'+84" in data
    for format in ("csv", "xlsx"):
        back = read_bank(write_bank(bank, format).data).bank["a"]
        assert back.body.plain("vi") == "=1+1"
        assert back.mark({"RESPONSE": "+84"}).score == 1


def test_the_template_is_a_workbook_that_reads_back() -> None:
    data = tables.template()
    assert data.startswith(b"PK")
    result = read_bank(data, "xlsx")
    assert len(result.bank) == 0
    assert {p.severity for p in result.problems} <= {"lossy"}


def test_tests_come_with_a_package() -> None:
    simple = item("", "<p>x</p>", "")
    test = (
        '<qti-assessment-test xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0" identifier="T" title="Test"><qti-time-limits max-time="3600"/>'
        '<qti-test-part identifier="P" navigation-mode="linear" submission-mode="individual"><qti-assessment-section identifier="S" title="S" visible="true">'
        '<qti-selection select="3"/><qti-ordering shuffle="true"/>'
        + "".join(
            f'<qti-assessment-item-ref identifier="i{n}" href="items/{n}.xml"{" required=" + chr(34) + "true" + chr(34) if n == 0 else ""}><qti-weight identifier="W" value="2"/></qti-assessment-item-ref>'
            for n in range(6)
        )
        + "</qti-assessment-section></qti-test-part></qti-assessment-test>"
    ).encode()
    extra = '<resource identifier="t" type="imsqti_test_xmlv3p0" href="test.xml"><file href="test.xml"/></resource>'
    bank = read_bank(
        package({f"items/{n}.xml": simple for n in range(6)}, {"test.xml": test}, extra=extra)
    ).bank
    (found,) = bank.tests
    assert found.time.most == 3600
    assert len(list(found.items())) == 6
    drawn = [tuple(r.id for r in found.drawn(seed)) for seed in range(200)]
    assert drawn == [tuple(r.id for r in found.drawn(seed)) for seed in range(200)]
    assert all(len(d) == len(set(d)) == 3 and "i0" in d for d in drawn)
    assert {name for d in drawn for name in d} == {f"i{n}" for n in range(6)}
    assert {d.index("i0") for d in drawn} == {0, 1, 2}, "the order is shuffled"
    assert all(r.weight == 2 for r in found.items())
