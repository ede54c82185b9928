"""Everything we export as QTI 3 keeps to the table of qti_schema.py.

Origin of the table: the XML binding of QTI 3.0 (ASI, version 1.0) of 1EdTech and its manifest profile of IMS Content
Packaging. The schema itself is not here to validate with; the table says the same of every element that we write, in
words of our own.

Checked: names and namespaces of elements, their attributes with the kinds of their values, order and number of
children, where words may stand, identifiers that must be one of a kind and references to them.
Not checked: what a schema does not say either (that a response which an interaction names is declared with a fitting
type; that expressions are of the types that operators take), MathML beyond the names of its elements, QTI 2.2, and
elements that we only read (assessment tests, which we do not write).
"""

import io
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from question_banks import Bank, Item, Media, Text, kinds, read_bank, write_bank
from question_banks.banks import shipped_bank
from question_banks.declarations import Choice, Interaction, ResponseDeclaration, Rule
from question_banks.linting import item_media
from question_banks.losses import losses
from question_banks.markup import MATHML as MATH_TAGS
from question_banks.markup import TAGS
from question_banks.model import Criterion, Level
from tests.question_banks import test_formats, test_interactions, test_operators_in_items
from tests.question_banks.generated import banks
from tests.question_banks.qti_files import MAP, MAP_POINT, MATCH, PNG, SCORE, declaration, item, package
from tests.question_banks.qti_schema import TABLE, faults
from tests.question_banks.test_interactions import AREA, IMG, choices, interaction

FILM = Media(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "video/mp4", "phim.mp4")
SOUND = Media(b"ID3\x03\x00\x00\x00\x00\x00\x00", "audio/mpeg", "tiếng.mp3")
PICTURE = Media(PNG, "image/png", "hình.png")
MEDIA = {medium.key: medium for medium in (FILM, SOUND, PICTURE)}


def documents(bank: Bank) -> Iterator[tuple[str, etree._Element]]:
    """Every XML document of the bank's QTI 3 packages, one package for each language."""
    for language in bank.languages:
        written = write_bank(bank, "qti3", language=language)
        with zipfile.ZipFile(io.BytesIO(written.data)) as archive:
            for name in archive.namelist():
                if name.endswith(".xml"):
                    yield name, etree.fromstring(archive.read(name))


def _fixtures() -> Iterator[tuple[str, Bank]]:
    for name in ("practice", "public-leadership"):
        yield name, shipped_bank(name)
    for case, (_, source, _) in test_interactions.CASES.items():
        yield case, read_bank(package({"items/one.xml": source}, {"media/map.png": PNG})).bank
    for case in test_operators_in_items.CASES:
        made = test_operators_in_items.made(case)
        yield case, read_bank(package({"items/one.xml": made}, {"media/map.png": PNG})).bank
    for case, (source, *_) in test_formats.MOODLE.items():
        yield case, read_bank(test_formats.moodle(source)).bank
    for source in test_formats.GIFT:
        yield source, read_bank(source.encode(), "gift").bank
    yield "csv", read_bank(test_formats.CSV.encode("utf-8-sig"), "csv").bank


@lru_cache(maxsize=1)
def _exported() -> tuple[tuple[str, etree._Element], ...]:
    return tuple((f"{case}: {name}", root) for case, bank in _fixtures() for name, root in documents(bank))


def test_what_we_export_keeps_to_the_schema() -> None:
    found = [f"{place}: {fault}" for place, root in _exported() for fault in faults(root)]
    assert found == []
    assert len(_exported()) > 300
    written = {etree.QName(element).localname for _, root in _exported() for element in root.iter()}
    assert len(written & set(TABLE)) > 115, sorted(set(TABLE) - written)


@settings(
    max_examples=int(os.environ.get("BANK_EXAMPLES", "10")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(banks())
def test_made_banks_keep_to_the_schema(bank: Bank) -> None:
    for name, root in documents(bank):
        assert faults(root) == [], name


# HTML of every sort in every place

HTML = {
    "words": "Hà Nội &lt; Huế",
    "words and an element": "Thủ đô <strong>Hà Nội</strong> và <u>Huế</u>",
    "struck out and marked": "<p><s>a</s> <del>b</del> <ins>c</ins> <mark>d</mark> <u>e</u></p>",
    "blocks in words": "<strong><p>Một</p><ul><li>hai</li></ul></strong>",
    "words between blocks": "Trước <p>đoạn</p> giữa <em>hai</em> <p>đoạn</p> sau",
    "a list in a list": "<ul><li>một</li><ul><li>hai</li></ul>ba</ul>",
    "a list of words": "<dl>lời<dt>từ<p>đoạn</p></dt><dd>nghĩa</dd><p>lạc</p></dl>",
    "a table with a foot": "<table><caption>Bảng</caption><colgroup><col span='2'></colgroup><thead><tr><th scope='lạ'>a</th><th scope='col'>b</th></tr></thead><tbody><tr><td colspan='x'>1</td><td>2</td></tr></tbody><tfoot><tr><td>3</td><td>4</td></tr></tfoot></table>",
    "an empty table": "<table><tbody></tbody></table><table><tr></tr><tr><td>1</td></tr></table>",
    "a picture": f"<p>Xem <img src='{PICTURE.key}' width='20px' height='50%'></p>",
    "a bare picture": f"<img src='{PICTURE.key}' alt='Hình' title='Sơ đồ'>",
    "a film among words": f"<p>Xem <video src='{FILM.key}' controls width='320' height='50%'></video> rồi nghe <audio src='{SOUND.key}' controls></audio></p>",
    "a bare sound": f"<audio src='{SOUND.key}' controls></audio>",
    "a figure": f"<figure><img src='{PICTURE.key}' alt=''><figcaption>Hình <u>1</u></figcaption></figure>",
    "a formula in a quotation": "<blockquote><math><mi>x</mi></math><p>và</p></blockquote>",
    "a formula with words": "<p lang='en' dir='sai' title='t'>A <math display='block' title='t' lang='vi'><mrow><mi>x</mi><mo>+</mo><mn>1</mn></mrow></math></p>",
    "ruby": "<ruby>漢<rp>(</rp><rt>hán</rt><rp>)</rp></ruby><p><ruby><rb>字</rb><rt><u>tự</u></rt></ruby></p>",
    "directions": "<bdo dir='rtl'><p>abc</p></bdo><bdi>x<math><mi>y</mi></math></bdi>",
    "a numbered list": "<ol start='3' type='a' reversed><li value='7'><p>a</p><blockquote>b</blockquote></li></ol>",
    "parts without their whole": "<p>a</p><dd>b <u>c</u></dd><dt>d</dt><figcaption>e</figcaption><rt>g</rt>",
    "code": "<pre><code>a\n  b</code></pre><h2>Tiêu đề</h2><hr>",
}  # fmt: skip


NOT_EXACT = {  # these hold what QTI lacks: attributes, values of attributes, empty rows
    "a table with a foot", "an empty table", "a picture", "a bare picture", "a film among words", "a formula with words",
}  # fmt: skip

X = Text.of(vi="x")
OPTIONS = [kinds.Option(Choice("A", X), kinds.ONE), kinds.Option(Choice("B", X))]
GAPS = Text.of(vi="Điền [[g1]].")


def _holding(interaction: Interaction, response: ResponseDeclaration) -> Item:
    return Item("q", "composite", X, (interaction,), (response,), rules=(Rule("R", "all-or-nothing"),))


def _pairs(text: Text, gaps: Text) -> Item:
    words = (Choice("w1", text, match_max=1), Choice("w2", X, fixed=True, match_max=1))
    interaction = Interaction(
        "gap-match", "R", gaps, words, (Choice("g1", match_max=1),), shuffle=True, max_choices=0
    )
    return _holding(interaction, ResponseDeclaration("R", "directedPair", "multiple", ("w1 g1",)))


def _marked(word: Text, words: Text) -> Item:
    interaction = Interaction("hottext", "R", words, (), (Choice("h1", word), Choice("h2", X)), max_choices=1)
    return _holding(interaction, ResponseDeclaration("R", "identifier", "single", ("h1",)))


PLACES = {
    "body": lambda text: kinds.single("q", text, OPTIONS),
    "text to read": lambda text: kinds.description("q", text),
    "choice": lambda text: kinds.single("q", X, [kinds.Option(Choice("A", text), kinds.ONE), OPTIONS[1]]),
    "rationale": lambda text: kinds.single("q", X, [kinds.Option(Choice("A", X, why=text), kinds.ONE), OPTIONS[1]]),
    "explanation": lambda text: kinds.single("q", X, OPTIONS, explanation=text),
    "thing to order": lambda text: kinds.order("q", X, [Choice("A", text), Choice("B", X)]),
    "side of a match": lambda text: kinds.match("q", X, [Choice("a", text)], [Choice("b", X)], ["a b"]),
    "guide": lambda text: kinds.essay("q", X, guide=text, words=(10, 20), lines=5),
    "rubric": lambda text: kinds.essay("q", X, rubric=(Criterion("c", text, kinds.ONE, (Level(kinds.ONE, text),)),)),
    "choice in a gap": lambda text: kinds.gap(
        "q", GAPS, [kinds.Gap("g1", "choice", (kinds.Option(Choice("A", text), kinds.ONE), OPTIONS[1]))]
    ),
    "words around a gap": lambda text: kinds.gap(
        "q", text.map(lambda html: f"{html}[[g1]]"), [kinds.Gap("g1", "choice", tuple(OPTIONS))]
    ),
    "word for a gap": lambda text: _pairs(text, GAPS),
    "text with gaps": lambda text: _pairs(X, text.map(lambda html: f"{html}<ul><li>[[g1]]</li></ul>")),
    "hot text": lambda text: _marked(text, Text.of(vi="[[h1]] và [[h2]]")),
    "text with hot text": lambda text: _marked(X, text.map(lambda html: f"{html} [[h1]]<p>[[h2]]</p>")),
    "prompt among others": lambda text: replace(
        (one := _marked(X, Text.of(vi="[[h1]] [[h2]]"))),
        interactions=(*one.interactions, Interaction("extended-text", "S", text)),
        responses=(*one.responses, ResponseDeclaration("S", "string")),
        rules=(*one.rules, Rule("S", "person")),
    ),
}  # fmt: skip


OTHERWISE = {place: {"marking"} for place in PLACES}  # rules come back as the processing that says the same,
OTHERWISE["prompt among others"] |= {"prompt"}  # and the places of two interactions as marks in the body


@pytest.mark.parametrize("place", PLACES)
def test_html_stands_where_it_may_and_comes_back(place: str) -> None:
    compared = 0
    for name, html in HTML.items():
        item = PLACES[place](Text.of({"vi": html}, "html"))
        bank = Bank("ngân hàng 1", X, ("vi",), "", (item,), {k: MEDIA[k] for k in sorted(item_media(item))})
        for _, root in documents(bank):
            assert faults(root) == [], name
        back = read_bank(write_bank(bank, "qti3").data).bank
        changed = {parameters["field"] for _, parameters in losses(item, back.items[0])} - OTHERWISE[place]
        assert changed == set() or name in NOT_EXACT, name
        assert _words(item) == _words(back.items[0]), name
        assert item_media(item) == item_media(back.items[0])
        compared += 1
    assert compared == len(HTML) == 21


ELEMENTS = sorted(
    TAGS
    - MATH_TAGS
    - {"source", "col", "colgroup", "caption", "thead", "tbody", "tfoot", "img", "audio", "video", "br", "hr"}
)
LEAVES = [
    "chữ", " ", "a <br>b", "<hr>", "<math><mi>x</mi></math>", f"<img src='{PICTURE.key}'>",
    f"<audio src='{SOUND.key}' controls></audio>", f"<video src='{FILM.key}'></video>",
]  # fmt: skip
TREES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>", st.sampled_from(ELEMENTS), st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


@settings(
    max_examples=int(os.environ.get("BANK_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(TREES, min_size=1, max_size=4), st.sampled_from(sorted(PLACES)))
def test_any_html_stands_where_it_may(trees: list[str], place: str) -> None:
    item = PLACES[place](Text.of({"vi": f"Lời {''.join(trees)}"}, "html"))
    bank = Bank("b", X, ("vi",), "", (item,), {k: MEDIA[k] for k in sorted(item_media(item))})
    assert [fault for _, root in documents(bank) for fault in faults(root)] == []


def _words(item: Item) -> list[str]:
    """The letters of every text; blocks that had to become words come back with a space more between them."""
    texts = [re.sub(r"\[\[\w+\]\]", "", text.plain("vi")) for _, text in item.texts()]
    return sorted("".join(text.split()) for text in texts if text.strip())


RARE = {
    "a response with a default": (
        declaration("identifier", correct=("A",)).replace(
            "<qti-correct", "<qti-default-value><qti-value>B</qti-value></qti-default-value><qti-correct"
        ),
        interaction("choice", choices("A", "B"), max_choices="1"), MATCH,
    ),
    "the whole picture as an area": (
        declaration("point", "multiple", (), '<qti-area-mapping default-value="0"><qti-area-map-entry shape="default" coords="" mapped-value="1"/></qti-area-mapping>'),
        interaction("select-point", IMG, max_choices="1"), MAP_POINT,
    ),
    "a mapping of nothing": (
        declaration("identifier", correct=("A",), mapping='<qti-mapping default-value="1"/>'),
        interaction("choice", choices("A", "B"), max_choices="1"), MAP,
    ),
    "names of another script": (
        declaration("identifier", correct=("câu²",), name="ĐÁP_ÁN"),
        interaction("choice", choices("câu²", "1b"), max_choices="1", response_identifier="ĐÁP_ÁN"),
        MATCH.replace('template="https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/match_correct.xml"/>', '><qti-set-outcome-value identifier="SCORE"><qti-base-value base-type="float">1</qti-base-value></qti-set-outcome-value></qti-response-processing>'),
    ),
    "objects to place amid the text": (
        declaration("point", "multiple", ("60 50",), AREA),
        "<p>Trước</p><qti-position-object-stage>" + IMG + interaction("position-object", IMG, max_choices="2") + "</qti-position-object-stage><p>sau</p>",
        MAP_POINT,
    ),
    "variables in a formula": (
        declaration("float", correct=("2",)) + '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/><qti-template-declaration identifier="N" cardinality="single" base-type="integer"/><qti-template-processing><qti-set-template-value identifier="N"><qti-random-integer min="1" max="3"/></qti-set-template-value></qti-template-processing>',
        '<p><math xmlns="http://www.w3.org/1998/Math/MathML"><mn>[[N]]</mn><mtext>[[N]] kg</mtext></math></p><p>' + interaction("text-entry", "") + "</p>",
        MATCH,
    ),
    "a choice that a template shows": (
        declaration("identifier", correct=("A",)) + '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/><qti-template-declaration identifier="N" cardinality="single" base-type="identifier"><qti-default-value><qti-value>A</qti-value></qti-default-value></qti-template-declaration>',
        '<p>Một <qti-template-inline template-identifier="N" identifier="A" show-hide="show">hai <u>ba</u></qti-template-inline></p>'
        '<qti-template-block template-identifier="N" identifier="A" show-hide="hide"><qti-content-body><p>bốn</p></qti-content-body></qti-template-block>'
        + interaction("choice", choices("A", "B").replace('identifier="B"', 'identifier="B" template-identifier="N" show-hide="hide"'), max_choices="1"),
        MATCH,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RARE)
def test_what_is_rare_keeps_to_the_schema(name: str) -> None:
    head, body, processing = RARE[name]
    outcomes = "" if "SCORE" in head else SCORE
    source = package({"items/one.xml": item(head, body, processing, outcomes)}, {"media/map.png": PNG})
    result = read_bank(source)
    assert len(result.bank.items) == 1, result.problems
    roots = [root for _, root in documents(result.bank)]
    assert len(roots) == 2
    assert [fault for root in roots for fault in faults(root)] == []
    assert len(read_bank(write_bank(result.bank, "qti3", language="en").data).bank.items) == 1


def test_many_pairs_may_be_made_where_other_systems_would_take_one() -> None:
    pairs = _pairs(X, GAPS)
    bank = Bank("b", X, ("vi",), "", (pairs,), {})
    root = next(root for name, root in documents(bank) if name.startswith("items/"))
    assert root.find(".//{*}qti-gap-match-interaction").get("max-associations") == "0"
    back = read_bank(write_bank(bank, "qti3").data).bank.items[0].interactions[0]
    assert [choice.fixed for choice in back.choices] == [False, True]
    assert back.max_choices == 0


def test_every_element_of_html_is_in_one_of_these() -> None:
    used = {tag for html in HTML.values() for tag in re.findall(r"<([a-z0-9]+)", html)}
    alike = {"h1", "h3", "h4", "h5", "h6", "b", "i", "kbd", "samp", "var", "sub", "sup", "small", "q", "cite", "abbr", "dfn",
             "span", "div", "br", "source"}  # fmt: skip
    assert TAGS - MATH_TAGS - used == alike


# Controls: what is spoilt is found

SOUND_ITEM = """<qti-assessment-item xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0" identifier="a" title="A" time-dependent="false">
<qti-response-declaration identifier="R" cardinality="single" base-type="string"><qti-default-value><qti-value>x</qti-value></qti-default-value><qti-correct-response><qti-value>y</qti-value></qti-correct-response></qti-response-declaration>
<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>
<qti-item-body><p>Một <qti-text-entry-interaction response-identifier="R"/></p>
<qti-choice-interaction response-identifier="C" max-choices="1"><qti-prompt>Hai</qti-prompt><qti-simple-choice identifier="A">x</qti-simple-choice></qti-choice-interaction></qti-item-body>
<qti-response-processing><qti-set-outcome-value identifier="SCORE"><qti-sum><qti-base-value base-type="float">1</qti-base-value></qti-sum></qti-set-outcome-value></qti-response-processing>
</qti-assessment-item>"""
SPOILT = {
    "an attribute that is not known": (' title="A"', ' title="A" titel="B"', "an attribute titel"),
    "a missing attribute": (' time-dependent="false"', "", "has no time-dependent"),
    "a flag that is none": ('time-dependent="false"', 'time-dependent="no"', "which is no flag"),
    "an enumeration": ('cardinality="single" base-type="float"', 'cardinality="one" base-type="float"', "cardinality is 'one'"),
    "a name": ('response-identifier="C"', 'response-identifier="1C"', "which is no name"),
    "a number": ('max-choices="1"', 'max-choices="-1"', "which is no count"),
    "the order of declarations": (
        '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>\n<qti-item-body>',
        '<qti-template-processing/><qti-outcome-declaration identifier="SCORE" cardinality="single"/><qti-item-body>',
        "qti-assessment-item holds",
    ),
    "the order in a declaration": (
        "<qti-default-value><qti-value>x</qti-value></qti-default-value><qti-correct-response><qti-value>y</qti-value></qti-correct-response>",
        "<qti-correct-response><qti-value>y</qti-value></qti-correct-response><qti-default-value><qti-value>x</qti-value></qti-default-value>",
        "qti-response-declaration holds",
    ),
    "no choice": ('<qti-simple-choice identifier="A">x</qti-simple-choice>', "", "qti-choice-interaction holds <qti-prompt>"),
    "a prompt behind the choices": (
        '<qti-prompt>Hai</qti-prompt><qti-simple-choice identifier="A">x</qti-simple-choice>',
        '<qti-simple-choice identifier="A">x</qti-simple-choice><qti-prompt>Hai</qti-prompt>',
        "qti-choice-interaction holds",
    ),
    "words in the body": ("<qti-item-body>", "<qti-item-body>Lời", "qti-item-body holds text"),
    "a phrase in the body": ("<qti-item-body>", "<qti-item-body><em>Lời</em>", "qti-item-body holds <em>"),
    "a block in a paragraph": ("<p>Một ", "<p><ul><li>a</li></ul>", "p holds <ul>"),
    "an element that is not known": ("<p>Một ", "<p><u>Một</u> ", "u (in p) is not known"),
    "a comparison in a sum": (
        '<qti-sum><qti-base-value base-type="float">1</qti-base-value></qti-sum>',
        '<qti-sum><qti-null/><qti-is-null><qti-null/></qti-is-null></qti-sum>',
        "qti-sum holds",
    ),
    "one operand too few": ("qti-sum", "qti-divide", "qti-divide holds <qti-base-value>"),
    "a reference to nothing": ('response-identifier="R"', 'response-identifier="S"', "the reference S names nothing"),
    "an identifier twice": ("<p>Một", '<p id="R">Một', "the identifier R is there twice"),
    "another namespace": ("imsqtiasi_v3p0", "imsqti_v2p2", "is of the namespace"),
}  # fmt: skip


def test_a_sound_item_is_not_faulted() -> None:
    assert faults(etree.fromstring(SOUND_ITEM)) == []


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_item_is_refused(name: str) -> None:
    whole, spoilt, fault = SPOILT[name]
    assert whole in SOUND_ITEM
    found = faults(etree.fromstring(SOUND_ITEM.replace(whole, spoilt)))
    assert any(fault in sentence for sentence in found), found


MANIFEST_SPOILT = {
    "a type that is not known": ("imsqti_item_xmlv3p0", "imsqti_item_xmlv3"),
    "another version": ("3.0.0", "3.0"),
    "no organizations": ("<organizations/>", ""),
    "an identifier that is none": ('identifier="MANIFEST-', 'identifier="1 '),
    "no files": ('<file href="items/00001.xml"/>', ""),
}


@pytest.mark.parametrize("name", MANIFEST_SPOILT)
def test_a_spoilt_manifest_is_refused(name: str) -> None:
    bank = Bank("b", X, ("vi",), "", (kinds.single("q", X, OPTIONS),), {})
    manifest = next(root for file, root in documents(bank) if file == "imsmanifest.xml")
    assert faults(manifest) == []
    text = etree.tostring(manifest).decode()
    whole, spoilt = MANIFEST_SPOILT[name]
    assert whole in text
    assert faults(etree.fromstring(text.replace(whole, spoilt))) != []
