"""Response processing rules, lookup tables and template processing, after the QTI 3.0 information model."""

from collections import Counter
from decimal import Decimal

import pytest

from question_banks import ItemError, read_bank, write_bank
from tests.question_banks.qti_files import declaration, item, item2

CHOICE = (
    '<qti-choice-interaction response-identifier="RESPONSE" max-choices="1"><qti-simple-choice identifier="A">a</qti-simple-choice>'
    '<qti-simple-choice identifier="B">b</qti-simple-choice><qti-simple-choice identifier="C">c</qti-simple-choice></qti-choice-interaction>'
)
ENTRY = '<p>x <qti-text-entry-interaction response-identifier="RESPONSE"/></p>'


def outcome(name: str, base: str = "float", default: str = "", inner: str = "", **bounds: str) -> str:
    value = f"<qti-default-value><qti-value>{default}</qti-value></qti-default-value>" if default else ""
    words = "".join(f' {key.replace("_", "-")}="{text}"' for key, text in bounds.items())
    return f'<qti-outcome-declaration identifier="{name}" cardinality="single" base-type="{base}"{words}>{value}{inner}</qti-outcome-declaration>'


def rules(*inner: str) -> str:
    return f"<qti-response-processing>{''.join(inner)}</qti-response-processing>"


def put(name: str, value: str, base: str = "float") -> str:
    return f'<qti-set-outcome-value identifier="{name}"><qti-base-value base-type="{base}">{value}</qti-base-value></qti-set-outcome-value>'


def is_choice(name: str) -> str:
    return f'<qti-match><qti-variable identifier="RESPONSE"/><qti-base-value base-type="identifier">{name}</qti-base-value></qti-match>'


def one(head: str, body: str, processing: str, outcomes: str):
    result = read_bank(item(head, body, processing, outcomes))
    assert [str(problem) for problem in result.problems if problem.severity == "refused"] == []
    return result.bank.items[0]


def test_if_else_if_else() -> None:
    processing = rules(
        "<qti-response-condition>"
        f"<qti-response-if>{is_choice('A')}{put('SCORE', '3')}</qti-response-if>"
        f"<qti-response-else-if>{is_choice('B')}{put('SCORE', '1')}{put('FEEDBACK', 'near', 'identifier')}</qti-response-else-if>"
        f"<qti-response-else>{put('SCORE', '-1')}</qti-response-else></qti-response-condition>"
    )
    read = one(
        declaration("identifier", correct=("A",)),
        CHOICE,
        processing,
        outcome("SCORE", normal_maximum="3") + outcome("FEEDBACK", "identifier"),
    )
    assert [read.mark({"RESPONSE": r}).score for r in ("A", "B", "C", None)] == [3, 1, -1, -1]
    assert read.mark({"RESPONSE": "B"}).outcomes["FEEDBACK"] == "near"
    assert read.mark({"RESPONSE": "A"}).outcomes["FEEDBACK"] is None
    assert read.mark({"RESPONSE": "A"}).max_score == 3


def test_exit_ends_the_processing_and_fragments_run_in_place() -> None:
    processing = rules(
        f"<qti-response-processing-fragment>{put('SCORE', '1')}</qti-response-processing-fragment>",
        f"<qti-response-condition><qti-response-if>{is_choice('A')}<qti-exit-response/></qti-response-if></qti-response-condition>",
        put("SCORE", "2"),
    )
    read = one(declaration("identifier"), CHOICE, processing, outcome("SCORE"))
    assert [read.mark({"RESPONSE": r}).score for r in ("A", "B")] == [1, 2]


MATCH_TABLE = (
    '<qti-match-table default-value="0"><qti-match-table-entry source-value="1" target-value="10"/>'
    '<qti-match-table-entry source-value="2" target-value="25"/></qti-match-table>'
)
INTERPOLATION = (
    '<qti-interpolation-table default-value="0"><qti-interpolation-table-entry source-value="80" target-value="2"/>'
    '<qti-interpolation-table-entry source-value="50" target-value="1" include-boundary="false"/></qti-interpolation-table>'
)


@pytest.mark.parametrize(
    ("table", "given", "score"),
    [
        (MATCH_TABLE, "1", 10), (MATCH_TABLE, "2", 25), (MATCH_TABLE, "3", 0), (MATCH_TABLE, None, 0),
        # the first entry whose source is not above the value; without its boundary only what lies above
        (INTERPOLATION, "90", 2), (INTERPOLATION, "80", 2), (INTERPOLATION, "79.9", 1), (INTERPOLATION, "50", 0), (INTERPOLATION, "50.1", 1), (INTERPOLATION, "-3", 0),
    ],
)  # fmt: skip
def test_lookup_tables(table: str, given: str | None, score: int) -> None:
    processing = rules(
        '<qti-lookup-outcome-value identifier="SCORE"><qti-variable identifier="RESPONSE"/></qti-lookup-outcome-value>'
    )
    read = one(declaration("float"), ENTRY, processing, outcome("SCORE", inner=table))
    assert read.mark({"RESPONSE": given}).score == score
    again = read_bank(
        write_bank(
            read_bank(item(declaration("float"), ENTRY, processing, outcome("SCORE", inner=table))).bank,
            "qti3",
        ).data
    )
    assert again.bank.items[0].mark({"RESPONSE": given}).score == score


def test_qti_2_standard_template() -> None:
    head = '<responseDeclaration identifier="RESPONSE" cardinality="single" baseType="identifier"><correctResponse><value>B</value></correctResponse></responseDeclaration>'
    body = '<p>Which?</p><choiceInteraction responseIdentifier="RESPONSE" shuffle="true" maxChoices="1"><simpleChoice identifier="A">a</simpleChoice><simpleChoice identifier="B">b</simpleChoice></choiceInteraction>'
    processing = '<responseProcessing template="http://www.imsglobal.org/question/qti_v2p1/rptemplates/match_correct"/>'
    read = read_bank(item2(head, body, processing), "qti2").bank.items[0]
    assert read.kind == "single"
    assert read.mark({"RESPONSE": "B"}).score == 1
    mapped = head.replace(
        "</responseDeclaration>",
        '<mapping defaultValue="0"><mapEntry mapKey="A" mappedValue="0.5"/><mapEntry mapKey="B" mappedValue="2"/></mapping></responseDeclaration>',
    )
    read = read_bank(item2(mapped, body, processing.replace("match_correct", "map_response"))).bank.items[0]
    assert [read.mark({"RESPONSE": r}).score for r in ("A", "B", None)] == [Decimal("0.5"), 2, 0]
    assert read.kind == "single"
    assert read.marks == 2


BROKEN = {
    "unknown template": '<qti-response-processing template="https://x/made_up"/>',
    "include": '<qti-response-processing><include xmlns="http://www.w3.org/2001/XInclude" href="/etc/passwd"/></qti-response-processing>',
}


@pytest.mark.parametrize("name", BROKEN)
def test_processing_that_cannot_run_is_refused_when_read(name: str) -> None:
    result = read_bank(item(declaration("identifier", correct=("A",)), CHOICE, BROKEN[name]))
    assert len(result.bank) == 0
    assert len(result.problems) == 1


WRONG = [
    rules(put("UNDECLARED", "1")),
    rules(put("SCORE", "x", "string")),
    rules("<qti-set-outcome-value identifier='SCORE'/>"),
    rules("<qti-response-condition><qti-response-if/></qti-response-condition>"),
    rules('<qti-lookup-outcome-value identifier="SCORE"><qti-null/></qti-lookup-outcome-value>'),
    rules('<qti-set-template-value identifier="SCORE"><qti-null/></qti-set-template-value>'),
]


@pytest.mark.parametrize("processing", WRONG)
def test_wrong_rules_are_found_by_the_lint(processing: str) -> None:
    from question_banks import lint

    bank = read_bank(item(declaration("identifier", correct=("A",)), CHOICE, processing)).bank
    assert "lint-processing" in {finding.code for finding in lint(bank)}
    with pytest.raises(ItemError):
        bank.items[0].mark({"RESPONSE": "A"})


TEMPLATE = (
    '<qti-template-declaration identifier="A" base-type="integer" cardinality="single" math-variable="true"/>'
    '<qti-template-declaration identifier="B" base-type="integer" cardinality="single"/>'
    '<qti-template-declaration identifier="CITY" base-type="identifier" cardinality="single"/>'
    "<qti-template-processing>"
    '<qti-set-template-value identifier="A"><qti-random-integer min="1" max="6"/></qti-set-template-value>'
    '<qti-set-template-value identifier="B"><qti-random-integer min="1" max="6"/></qti-set-template-value>'
    '<qti-template-constraint><qti-lt><qti-variable identifier="A"/><qti-variable identifier="B"/></qti-lt></qti-template-constraint>'
    '<qti-template-condition><qti-template-if><qti-equal tolerance-mode="exact"><qti-variable identifier="A"/>'
    '<qti-base-value base-type="integer">1</qti-base-value></qti-equal><qti-set-template-value identifier="CITY">'
    '<qti-base-value base-type="identifier">hue</qti-base-value></qti-set-template-value></qti-template-if>'
    '<qti-template-else><qti-set-template-value identifier="CITY"><qti-base-value base-type="identifier">hanoi</qti-base-value>'
    "</qti-set-template-value></qti-template-else></qti-template-condition>"
    '<qti-set-correct-response identifier="RESPONSE"><qti-sum><qti-variable identifier="A"/><qti-variable identifier="B"/></qti-sum></qti-set-correct-response>'
    "</qti-template-processing>"
)
TEMPLATE_BODY = (
    '<p>What is <qti-printed-variable identifier="A"/> + <math xmlns="http://www.w3.org/1998/Math/MathML"><mi>A</mi></math>? '
    '<qti-template-inline template-identifier="CITY" identifier="hue" show-hide="show">In Hue.</qti-template-inline>'
    '<qti-template-inline template-identifier="CITY" identifier="hue" show-hide="hide">Elsewhere.</qti-template-inline> '
    '<qti-text-entry-interaction response-identifier="RESPONSE"/></p>'
)


def template_item():
    from tests.question_banks.qti_files import MATCH, SCORE

    return item(declaration("integer") + SCORE + TEMPLATE, TEMPLATE_BODY, MATCH, "")


def test_templates_are_drawn_by_the_seed() -> None:
    bank = read_bank(template_item()).bank
    pattern = bank.items[0]
    seen: Counter[tuple[int, int]] = Counter()
    for seed in range(300):
        drawn = pattern.instance(seed)
        assert drawn == pattern.instance(seed)
        assert drawn.template_processing is None
        values = {t.id: t.default[0] for t in drawn.templates}
        a, b = int(values["A"]), int(values["B"])
        assert 1 <= a < b <= 6, "the constraint holds"
        seen[a, b] += 1
        assert drawn.mark({"RESPONSE": str(a + b)}).score == 1
        assert drawn.mark({"RESPONSE": str(a + b + 1)}).score == 0
        html = drawn.presentation("en", seed)["prompt"]
        assert f"What is {a} + <math><mn>{a}</mn></math>?" in html
        assert ("In Hue." in html) == (a == 1)
        assert ("Elsewhere." in html) == (a != 1)
        assert "[[" not in html
        assert "template" not in html
    assert len(seen) == 15, "every pair under the constraint comes up in 300 draws"


@pytest.mark.parametrize("format", ["native", "qti3", "qti2"])
def test_templates_come_back_from_every_format(format: str) -> None:
    bank = read_bank(template_item()).bank
    again = read_bank(write_bank(bank, format, language="en").data).bank.items[0]
    for seed in range(20):
        one, other = bank.items[0].instance(seed), again.instance(seed)
        assert one.presentation("en", 1)["prompt"] == other.presentation("en", 1)["prompt"]
        assert one.responses[0].correct == other.responses[0].correct


def test_an_impossible_constraint_is_refused() -> None:
    source = template_item().replace(b'min="1" max="6"', b'min="3" max="3"')
    with pytest.raises(ItemError, match="100 tries"):
        read_bank(source).bank.items[0].instance(1)


def test_an_item_without_template_is_its_own_instance() -> None:
    read = one(declaration("identifier", correct=("A",)), CHOICE, rules(put("SCORE", "1")), outcome("SCORE"))
    assert read.instance(5) is read


@pytest.mark.parametrize(
    ("base", "given", "score"),
    [
        ("float", "12,5", 1),
        ("float", "12.50", 1),
        ("float", "12,6", 0),
        ("float", "x", 0),
        ("integer", "1 000", 1),
        ("integer", "1000,0", 1),
        ("integer", "1000.5", 0),
    ],
)
def test_numbers_typed_in_vietnamese_count_under_qti_processing(base: str, given: str, score: int) -> None:
    from tests.question_banks.qti_files import MATCH, SCORE

    correct = "12.5" if base == "float" else "1000"
    read = one(declaration(base, correct=(correct,)), ENTRY, MATCH, SCORE)
    assert read.mark({"RESPONSE": given}).score == score


@pytest.mark.parametrize("name", ["map-response", "default", "correct"])
def test_a_response_that_only_an_expression_names_is_kept(name: str) -> None:
    """No interaction asks for it and no rule reads its value; the expression takes it by its identifier alone."""
    from tests.question_banks.qti_files import mapping

    extra = declaration("float", correct=("2",), mapping=mapping({"0": 1}, default_value=1), name="EXTRA")
    asked = declaration("identifier", correct=("A",))
    earn = f'<qti-set-outcome-value identifier="SCORE"><qti-{name} identifier="EXTRA"/></qti-set-outcome-value>'
    branch = f"<qti-response-condition><qti-response-if>{is_choice('A')}{earn}</qti-response-if></qti-response-condition>"
    result = read_bank(item(extra + asked, CHOICE, rules(branch), outcome("SCORE", normal_maximum="2")))
    (read,) = result.bank.items
    assert {response.id for response in read.responses} == {"EXTRA", "RESPONSE"}
    score = {"map-response": 0, "default": 0, "correct": 2}[name]
    for format in ("native", "qti3", "qti2"):
        again = read_bank(write_bank(result.bank, format, language="en").data).bank.items[0]
        assert {response.id for response in again.responses} == {"EXTRA", "RESPONSE"}
        assert again.mark({"RESPONSE": "A"}).score == read.mark({"RESPONSE": "A"}).score == score
        assert again.mark({"RESPONSE": "B"}).score == 0
