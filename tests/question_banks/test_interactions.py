"""At least one QTI item per interaction: read from a package, shown, answered right, wrong, partly right and not at
all, written and read again. Scores follow from the response processing templates' definitions (QTI 3.0 Best Practices
and Implementation Guide, "Response Processing Templates") and the mappings in each item."""

import json
from decimal import Decimal

import pytest

from question_banks import read_bank, write_bank
from question_banks.declarations import KINDS
from tests.question_banks.qti_files import (
    MAP,
    MAP_POINT,
    MATCH,
    PNG,
    SCORE,
    declaration,
    item,
    mapping,
    package,
)

IMG = '<img src="../media/map.png" alt="Map" width="200" height="100"/>'


def choices(*names: str, tag: str = "simple-choice", **attributes: str) -> str:
    words = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
    return "".join(f'<qti-{tag} identifier="{name}"{words}>Text {name}</qti-{tag}>' for name in names)


def interaction(kind: str, inner: str, **attributes: str) -> str:
    words = "".join(
        f' {key.replace("_", "-")}="{value}"'
        for key, value in ({"response_identifier": "RESPONSE"} | attributes).items()
    )
    return f"<qti-{kind}-interaction{words}>{inner}</qti-{kind}-interaction>"


SPOTS = "".join(
    f'<qti-hotspot-choice identifier="{n}" shape="circle" coords="{x},50,10"/>'
    for n, x in (("A", 20), ("B", 60), ("C", 100))
)
PAIRABLE = "".join(
    f'<qti-associable-hotspot identifier="{n}" shape="circle" coords="{x},50,10" match-max="2"/>'
    for n, x in (("A", 20), ("B", 60), ("C", 100))
)
PAIRS = mapping({"A B": 1, "C D": 1}, default_value=0, lower_bound=0)
GAPS = '<p>The <qti-gap identifier="G1"/> of <qti-gap identifier="G2"/>.</p>'
AREA = '<qti-area-mapping default-value="0" upper-bound="1"><qti-area-map-entry shape="circle" coords="60,50,10" mapped-value="1"/></qti-area-mapping>'
SETS = (
    "<qti-simple-match-set>"
    + choices("a", "b", tag="simple-associable-choice", match_max="1")
    + "</qti-simple-match-set>"
    "<qti-simple-match-set>"
    + choices("x", "y", "z", tag="simple-associable-choice", match_max="2")
    + "</qti-simple-match-set>"
)
TRUTH = (
    '<qti-response-processing><qti-response-condition><qti-response-if><qti-variable identifier="RESPONSE"/>'
    '<qti-set-outcome-value identifier="SCORE"><qti-base-value base-type="float">0.5</qti-base-value></qti-set-outcome-value>'
    "</qti-response-if></qti-response-condition></qti-response-processing>"
)

# name: (kind, item, {response value: score})
CASES = {
    "choice": ("choice", item(declaration("identifier", correct=("B",)), interaction("choice", choices("A", "B", "C"), shuffle="true", max_choices="1")), {"B": 1, "A": 0, None: 0}),
    "multiple response": (
        "choice",
        item(
            declaration("identifier", "multiple", ("H", "O"), mapping({"H": 1, "O": 1, "Cl": -2}, lower_bound=0, upper_bound=2, default_value=0)),
            interaction("choice", choices("H", "O", "Cl", "N"), max_choices="0"), MAP,
        ),
        {("H", "O"): 2, ("H",): 1, ("H", "Cl"): 0, ("H", "N"): 1, None: 0},
    ),
    "order": ("order", item(declaration("identifier", "ordered", ("C", "A", "B")), interaction("order", choices("A", "B", "C"), shuffle="true")), {("C", "A", "B"): 1, ("A", "B", "C"): 0, ("C", "A"): 0, None: 0}),
    "associate": ("associate", item(declaration("pair", "multiple", ("A B", "C D"), PAIRS), interaction("associate", choices("A", "B", "C", "D", tag="simple-associable-choice", match_max="1"), max_associations="2"), MAP), {("B A", "D C"): 2, ("A B",): 1, ("A C",): 0, None: 0}),
    "match": ("match", item(declaration("directedPair", "multiple", ("a x", "b z"), mapping({"a x": 1, "b z": "0.5"}, default_value="-0.5", lower_bound=0)), interaction("match", SETS, max_associations="2"), MAP), {("a x", "b z"): "1.5", ("a x",): 1, ("a x", "b y"): "0.5", ("a y",): 0, None: 0}),
    "gap match": ("gap-match", item(declaration("directedPair", "multiple", ("W G1", "S G2")), interaction("gap-match", '<qti-gap-text identifier="W" match-max="1">winter</qti-gap-text><qti-gap-text identifier="S" match-max="1">spring</qti-gap-text>' + GAPS, shuffle="false")), {("W G1", "S G2"): 1, ("S G1", "W G2"): 0, ("W G1",): 0, None: 0}),
    "inline choice": ("inline-choice", item(declaration("identifier", correct=("Y",)), "<p>House of " + interaction("inline-choice", choices("L", "Y", tag="inline-choice"), shuffle="false") + " wins.</p>"), {"Y": 1, "L": 0, None: 0}),
    "text entry": ("text-entry", item(declaration("string", correct=("York",), mapping=mapping({"York": 1, "york": "0.5"}, default_value=0)), "<p>Now is " + interaction("text-entry", "", expected_length="15") + ".</p>", MAP), {"York": 1, "york": "0.5", "Leeds": 0, None: 0}),
    "extended text": ("extended-text", item(declaration("string"), interaction("extended-text", "<qti-prompt>Write.</qti-prompt>", expected_lines="5"), ""), {"An answer": None, None: None}),
    "hot text": ("hottext", item(declaration("identifier", correct=("W",)), interaction("hottext", '<p>Sponsors <qti-hottext identifier="R">of</qti-hottext> the games <qti-hottext identifier="W">is</qti-hottext> here.</p>', max_choices="1")), {"W": 1, "R": 0, None: 0}),
    "hotspot": ("hotspot", item(declaration("identifier", correct=("B",)), interaction("hotspot", IMG + SPOTS, max_choices="1")), {"B": 1, "A": 0, None: 0}),
    "select point": ("select-point", item(declaration("point", correct=("60 50",), mapping=AREA), interaction("select-point", IMG, max_choices="1"), MAP_POINT), {"62 48": 1, "60 61": 0, None: 0}),
    "graphic order": ("graphic-order", item(declaration("identifier", "ordered", ("B", "C", "A")), interaction("graphic-order", IMG + SPOTS)), {("B", "C", "A"): 1, ("A", "B", "C"): 0, None: 0}),
    "graphic associate": ("graphic-associate", item(declaration("pair", "multiple", ("A B",), mapping({"A B": 1, "B C": 1}, default_value=0)), interaction("graphic-associate", IMG + PAIRABLE, max_associations="3"), MAP), {("B A", "C B"): 2, ("A B",): 1, ("A C",): 0, None: 0}),
    "graphic gap match": ("graphic-gap-match", item(declaration("directedPair", "multiple", ("X A", "Y B"), mapping({"X A": 1, "Y B": 1}, default_value="-1", lower_bound=0)), interaction("graphic-gap-match", IMG + '<qti-gap-img identifier="X" match-max="1">' + IMG + '</qti-gap-img><qti-gap-text identifier="Y" match-max="1">Y</qti-gap-text>' + PAIRABLE), MAP), {("X A", "Y B"): 2, ("X A", "Y C"): 0, ("X A",): 1, None: 0}),
    "slider": ("slider", item(declaration("integer", correct=("16",)), interaction("slider", "<qti-prompt>Where?</qti-prompt>", lower_bound="0", upper_bound="100", step="1")), {"16": 1, 16: 1, "17": 0, None: 0}),
    "position object": ("position-object", item(declaration("point", "multiple", ("60 50",), AREA), "<qti-position-object-stage>" + IMG + interaction("position-object", IMG, max_choices="2") + "</qti-position-object-stage>", MAP_POINT), {("60 50",): 1, ("60 50", "61 50"): 1, ("0 0",): 0, None: 0}),
    "media": ("media", item(declaration("integer"), interaction("media", '<img src="../media/map.png" alt="Film"/>', autostart="false", max_plays="2"), '<qti-response-processing><qti-response-condition><qti-response-if><qti-gt><qti-variable identifier="RESPONSE"/><qti-base-value base-type="integer">0</qti-base-value></qti-gt><qti-set-outcome-value identifier="SCORE"><qti-base-value base-type="float">1</qti-base-value></qti-set-outcome-value></qti-response-if></qti-response-condition></qti-response-processing>'), {1: 1, 0: 0, None: 0}),
    "end attempt": ("end-attempt", item(declaration("boolean"), "<p>" + interaction("end-attempt", "", title="Hint") + "</p>", TRUTH), {True: "0.5", False: 0, None: 0}),
    "matrix": ("match", item(declaration("directedPair", "multiple", ("a x", "b y"), mapping({"a x": 1, "b y": 1}, default_value=0)), interaction("match", SETS, max_associations="2", **{"class": "qti-match-tabular"}), MAP), {("a x", "b y"): 2, ("a y", "b y"): 1, None: 0}),
}  # fmt: skip


def test_every_interaction_has_a_case() -> None:
    assert {kind for kind, _, _ in CASES.values()} == set(KINDS) - {"upload"}


@pytest.mark.parametrize("name", CASES)
def test_interaction(name: str) -> None:
    kind, source, marks = CASES[name]
    result = read_bank(package({"items/one.xml": source}, {"media/map.png": PNG}))
    assert [str(problem) for problem in result.problems] == []
    read = result.bank.items[0]
    assert [i.kind for i in read.interactions] == [kind]
    for again in (
        read,
        read_bank(write_bank(result.bank, "native").data).bank.items[0],
        _round(result.bank, "qti3"),
        _round(result.bank, "qti2"),
    ):
        for response, score in marks.items():
            given = {again.interactions[0].response: response}
            expected = None if score is None else Decimal(str(score))
            assert again.accepts(given), again.accepts(given).message
            assert again.mark(given).score == expected, (name, response)
            assert again.mark(_tokens(again, response)).score == expected, (name, response)


def _round(bank, format: str):
    written = write_bank(bank, format, language="en")
    assert [p for p in written.problems if p.severity == "refused"] == []
    back = read_bank(written.data, format)
    assert len(back.bank.items) == 1, [str(p) for p in back.problems]
    return back.bank.items[0]


def _tokens(item, response):
    """The response as the exam player gives it, with the presentation's tokens."""
    name = item.interactions[0].response
    known = item.tokens[name]

    def token(value):
        return (
            " ".join(known.get(word, word) for word in value.split(" ")) if isinstance(value, str) else value
        )

    if item.declared[name].base not in ("identifier", "pair", "directedPair"):
        return {name: response}
    return {name: tuple(map(token, response)) if isinstance(response, tuple) else token(response)}


@pytest.mark.parametrize("name", CASES)
def test_presentation_tells_nothing(name: str) -> None:
    """Plain JSON data, every identifier replaced, nothing of the key or of mappings in it."""
    _, source, _ = CASES[name]
    read = read_bank(package({"items/one.xml": source}, {"media/map.png": PNG})).bank.items[0]
    shown = read.presentation("en", 5, media="/media/")
    assert json.loads(json.dumps(shown)) == shown
    for part in shown["interactions"]:
        for choice in part.get("choices", []) + part.get("targets", []):
            assert choice["id"].startswith("c")
            assert len(choice["id"]) == 13
        assert not set(part) & {"correct", "mapping", "areas", "answer", "credit"}
    assert read.presentation("en", 5, media="/media/") == shown


REFUSED = {
    "upload": interaction("upload", ""),
    "drawing": interaction("drawing", IMG),
    "custom": interaction("custom", ""),
    "portable custom": interaction("portable-custom", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_an_examination_cannot_have_is_refused_by_name(name: str) -> None:
    source = item(declaration("file"), REFUSED[name], "")
    result = read_bank(
        package({"items/one.xml": source, "items/two.xml": CASES["choice"][1]}, {"media/map.png": PNG})
    )
    assert len(result.bank) == 1, "one bad item must not stop the other"
    assert [p.severity for p in result.problems] == ["refused"]
    assert result.problems[0].where.startswith("items/one.xml")


def test_two_interactions_in_one_item_both_count() -> None:
    """Kolibri Studio lost the second; here both are shown and marked."""
    body = (
        "<p>Name "
        + interaction("text-entry", "")
        + "</p>"
        + interaction("choice", choices("A", "B"), max_choices="1").replace("RESPONSE", "SECOND")
    )
    add = (
        '<qti-set-outcome-value identifier="SCORE"><qti-sum><qti-map-response identifier="RESPONSE"/>'
        '<qti-map-response identifier="SECOND"/></qti-sum></qti-set-outcome-value>'
    )
    head = declaration("string", mapping=mapping({"Huế": 1})) + declaration(
        "identifier", mapping=mapping({"A": 2}), name="SECOND"
    )
    read = read_bank(
        item(head, body, f"<qti-response-processing>{add}</qti-response-processing>", SCORE)
    ).bank.items[0]
    assert [i.response for i in read.interactions] == ["RESPONSE", "SECOND"]
    assert read.marks == 3
    assert read.mark({"RESPONSE": "Huế", "SECOND": "A"}).score == 3
    assert read.mark({"SECOND": "A"}).score == 2
    assert MATCH not in (MAP, MAP_POINT)
