"""What the lint of an assembled paper finds: each finding with a paper that has it and one that has not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from examsvc.competitions.regulation import read_preset
from examsvc.papers import paper_lint
from examsvc.papers.paper_lint import Question, findings, key_place, reading_words
from question_banks import Item, Text, read_bank
from question_banks.banks import shipped_bank
from tests.exam_hall import bank

DEMO = read_preset("demo")
TEST, ESSAY = DEMO.part("test"), DEMO.part("essay")
SINGLE = [item for item in bank() if item.kind == "single" and not item.metadata.enemies][:10]
ESSAYS = [item for item in bank() if item.kind == "essay"]


def paper(*items: Item, marks: str = "4") -> list[Question]:
    return [Question(number, item, marks) for number, item in enumerate(items, start=1)]


def codes(questions: list[Question], part=TEST, **more) -> set[tuple[str, str]]:
    return {(one.severity, one.sentence) for one in findings(questions, part, DEMO.languages, **more)}


def changed(item: Item, **metadata: object) -> Item:
    from dataclasses import replace

    return item.replaced(metadata=replace(item.metadata, **metadata))


def handing_in() -> Item:
    """A question that asks for a file."""
    text = """
format = "examsvc-bank/1"
id = "x"
languages = ["vi", "en"]
[[item]]
id = "file"
kind = "composite"
prompt = { vi = "Nộp tệp.", en = "Hand in a file." }
interaction = [{ response = "RESPONSE", kind = "upload" }]
response = [{ id = "RESPONSE", base = "file", cardinality = "single" }]
rule = [{ response = "RESPONSE", method = "person" }]
"""
    return read_bank(text.encode(), "native").bank["file"]


DRAFT = ("warning", "No second person has reviewed these questions: %(numbers)s.")


def test_a_good_paper_has_only_the_warning_that_nobody_reviewed_it() -> None:
    assert codes(paper(*SINGLE)) == {DRAFT}
    assert codes(paper(*[changed(item, status="reviewed") for item in SINGLE])) == set()


def monolingual(item: Item) -> Item:
    return item.replaced(body=item.body.only("vi"))


@pytest.mark.parametrize(
    ("spoil", "severity", "words"),
    [
        (lambda items: items[:9], "error", "%(items)d questions; the regulation"),
        (lambda items: [*items[:9], ESSAYS[0]], "error", "must be marked by a person"),
        (lambda items: [*items[:9], handing_in()], "error", "asks for a file to be uploaded, which is not possible in a timed paper"),
        (lambda items: [*items[:9], monolingual(items[9])], "error", "not complete in every language"),
        (lambda items: [*items[:9], items[0]], "error", "the same or nearly so"),
        (
            lambda items: [*items[:9], items[0].replaced(explanation=Text.of(vi="khác", en="other"))],
            "warning",
            "the same or nearly so",
        ),
        (lambda items: [*items[:8], changed(items[8], enemies=(items[0].id,)), items[9]], "error", "must not stand in one paper"),
        (lambda items: [*items[:9], changed(items[9], minutes=Decimal(90))], "warning", "expected to take"),
        (lambda items: [*items[:9], items[9].replaced(kind="description")], "error", "text without a question"),
    ],
)
def test_each_fault_is_found(spoil, severity: str, words: str) -> None:
    found = {one for one in codes(paper(*spoil(SINGLE))) if words in one[1]}
    assert {one[0] for one in found} == {severity}
    assert not any(words in sentence for _, sentence in codes(paper(*SINGLE)))


def test_a_retired_question_and_one_that_was_used_before() -> None:
    questions = paper(*SINGLE)
    questions[0] = Question(1, SINGLE[0], "4", retired=True)
    questions[1] = Question(2, SINGLE[1], "4", used_before="last-year")
    found = {str(one) for one in findings(questions, TEST, DEMO.languages) if "reviewed" not in one.sentence}
    assert found == {"Question 1 was retired.", "Question 2 was already used in last-year."}


def test_the_spare_shares_nothing_with_the_main_paper() -> None:
    found = [one for one in findings(paper(*SINGLE), TEST, DEMO.languages, other=paper(SINGLE[3])) if "other paper" in one.sentence]
    assert [(one.severity, str(one)) for one in found] == [
        ("error", "Question 4 is the same, or nearly so, as question 1 of the other paper.")
    ]


def test_an_essay_needs_rubric_and_guide() -> None:
    whole = paper(ESSAYS[0], marks="20")
    assert not [one for one in codes(whole, ESSAY) if one[0] == "error"]
    bare = paper(ESSAYS[0].replaced(rubric=(), guide=Text()), marks="20")
    assert {sentence for severity, sentence in codes(bare, ESSAY) if severity == "error"} >= {
        "Question %(number)d has no rubric: markers would have nothing to mark by.",
        "Question %(number)d has no marking guide.",
    }
    assert any("marked by the machine" in sentence for _, sentence in codes(paper(SINGLE[0], marks="20"), ESSAY))


def test_keys_that_always_stand_at_one_place_are_said_only_where_options_keep_their_order() -> None:
    at_first = [item for item in bank() if item.kind == "single" and key_place(item) == 0][:9]
    other = next(item for item in bank() if item.kind == "single" and key_place(item) == 2)
    kept = TEST.model_copy(update={"shuffle_options": False})
    skewed = "the right answer is option %(place)s"
    assert any(skewed in sentence for _, sentence in codes(paper(*at_first, other), kept))
    assert not any(skewed in sentence for _, sentence in codes(paper(*at_first, other)))
    mixed = [next(item for item in bank() if item.kind == "single" and key_place(item) == place) for place in range(4)]
    assert not any(skewed in sentence for _, sentence in codes(paper(*mixed, *at_first[1:4], *mixed), kept))


def test_too_much_to_read_is_said() -> None:
    long = [changed(item.replaced(body=Text.of(vi="từ " * 300, en="word " * 300))) for item in SINGLE[:1]]
    assert reading_words(long[0]) >= 300
    short = TEST.model_copy(update={"minutes": 5})
    assert any("words to read" in sentence for _, sentence in codes(paper(*SINGLE), short))
    assert not any("words to read" in sentence for _, sentence in codes(paper(*SINGLE)))


def test_a_picture_that_is_not_kept_is_an_error() -> None:
    digest = "a" * 64
    item = SINGLE[0].replaced(body=Text.of(vi=f"Hình ![h](media/{digest})", en=f"Picture ![p](media/{digest})"))
    assert any("picture" in sentence for _, sentence in codes(paper(item, *SINGLE[1:])))
    assert not any("picture" in s for _, s in codes(paper(item, *SINGLE[1:]), media={f"media/{digest}"}))


def test_every_question_of_the_shipped_banks_can_stand_in_a_paper() -> None:
    number = 0
    for name in ("public-leadership", "practice"):
        for item in shipped_bank(name):
            part = ESSAY if item.by_person else TEST
            errors = [
                str(one)
                for one in findings([Question(1, item, "1")], part, DEMO.languages)
                if one.severity == "error" and one.slots
            ]
            assert errors == [], item.id
            number += 1
    assert number >= 190


def test_the_summary_counts_what_stands_in_the_paper() -> None:
    from examsvc.papers.rules import Cell

    sums = paper_lint.summary(paper(*SINGLE), [Cell(10, "4")])
    assert (sums["items"], sums["items_asked"], sums["marks"], sums["marks_asked"]) == (10, 10, "40", "40")
    assert sums["words"] == sum(reading_words(item) for item in SINGLE)
    assert sums["minutes"] is None
    timed = [changed(item, minutes=Decimal("1.5")) for item in SINGLE]
    assert paper_lint.summary(paper(*timed), [])["minutes"] == "15"


def test_items_that_draw_their_numbers_anew_are_refused() -> None:
    data = b"""<?xml version="1.0"?><quiz><question type="calculated"><name><text>c</text></name>
<questiontext format="html"><text>What is {a} + {b}?</text></questiontext>
<answer fraction="100"><text>{a}+{b}</text><tolerance>0.01</tolerance></answer>
<dataset_definitions>
<dataset_definition><status><text>private</text></status><name><text>a</text></name><type>calculated</type><distribution><text>uniform</text></distribution><minimum><text>1</text></minimum><maximum><text>9</text></maximum><decimals><text>0</text></decimals><itemcount>2</itemcount><dataset_items><dataset_item><number>1</number><value>1</value></dataset_item><dataset_item><number>2</number><value>2</value></dataset_item></dataset_items><number_of_items>2</number_of_items></dataset_definition>
<dataset_definition><status><text>private</text></status><name><text>b</text></name><type>calculated</type><distribution><text>uniform</text></distribution><minimum><text>1</text></minimum><maximum><text>9</text></maximum><decimals><text>0</text></decimals><itemcount>2</itemcount><dataset_items><dataset_item><number>1</number><value>3</value></dataset_item><dataset_item><number>2</number><value>4</value></dataset_item></dataset_items><number_of_items>2</number_of_items></dataset_definition>
</dataset_definitions></question></quiz>"""
    read = read_bank(data, "moodle-xml", language="vi")
    assert len(read.bank) == 1
    item = next(iter(read.bank))
    assert item.template_processing is not None
    assert any("draws its numbers anew" in sentence for _, sentence in codes(paper(item)))
