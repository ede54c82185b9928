"""The bank itself: digests, the native format's refusals, the lint, tokens, duplicates, presentation."""

import hashlib
import json
import math
from fractions import Fraction

import pytest
import rfc8785
from hypothesis import given, settings

from question_banks import Bank, Text, kinds, lint, read_bank
from question_banks.chance import shuffled, shuffled_around
from question_banks.declarations import Choice
from question_banks.duplicates import duplicates, shingles
from question_banks.kinds import Option
from question_banks.markup import markdown_of_plain, plain_text, render_markdown
from question_banks.responding import count_words
from tests.question_banks.generated import WORDS, banks

SOME = settings(max_examples=12, deadline=None)
HEAD = 'format = "examsvc-bank/1"\nlanguages = ["vi", "en"]\n'


def native(*items: str) -> bytes:
    return (HEAD + "".join(f"\n[[item]]\n{item}\n" for item in items)).encode()


SINGLE = 'id = "a"\nkind = "single"\nprompt = { vi = "Ai?", en = "Who?" }\nchoices = [{ id = "A", text = { vi = "Một", en = "One" }, correct = true }, { id = "B", text = { vi = "Hai", en = "Two" } }]'


@SOME
@given(banks())
def test_digests_are_sha256_of_rfc_8785(bank: Bank) -> None:
    for item in bank:
        content = json.loads(item.canonical_bytes())
        assert item.canonical_bytes() == rfc8785.dumps(content)
        assert item.digest == hashlib.sha256(rfc8785.dumps(content)).hexdigest()


REFUSED = [
    (SINGLE.replace(", correct = true", ""), "key-missing", "line 4"),
    (SINGLE.replace('{ id = "B",', '{ id = "B", correct = true,'), "key-several", "line 4"),
    (SINGLE.replace('id = "B"', 'id = "A"'), "choice-repeated", "line 4"),
    (SINGLE.replace('kind = "single"', 'kind = "guess"'), "field-value", "line 4"),
    (SINGLE.replace('id = "a"', 'id = "ô kìa"'), "field-identifier", "line 4"),
    (SINGLE + '\nmarks = "một"', "field-number", "line 4"),
    (SINGLE + "\nmarks = 0.25", "field-type", "line 4"),
    (SINGLE + '\nmarks = "-1"', "marks-range", "line 4"),
    (SINGLE.replace("en =", "English ="), "field-language", "line 4"),
    ('id = "a"\nkind = "gap"\nprompt = "x [[g1]]"\ngaps = [{ id = "g2", kind = "text", accept = ["x"] }]', "gap-missing", "line 4"),
    ('id = "a"\nkind = "match"\nprompt = "x"\nleft = [{ id = "a", text = "a" }]\nright = [{ id = "1", text = "1" }]\npairs = ["a 2"]', "pair-unknown", "line 4"),
    ('id = "a"\nkind = "text"\nprompt = "x"', "answers-missing", "line 4"),
    ('id = "a"\nkind = "numeric"\nprompt = "x"\nanswer = "12,5"', "field-number", "line 4"),
    ('id = "a"\nkind = "composite"\ninteraction = [{ kind = "choice", response = "R" }]', "response-undeclared", "line 4"),
    ('id = "a"\nkind = "composite"\nprocessing = "<a>"', "processing-xml", "line 4"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "code", "where"), REFUSED)
def test_native_refusals_name_the_line_and_stop_nothing(source: str, code: str, where: str) -> None:
    result = read_bank(native(source, SINGLE.replace('id = "a"', 'id = "other"')), "native")
    (problem,) = result.problems
    assert problem.severity == "refused"
    assert problem.code == code
    assert problem.where.startswith(where)
    assert [item.id for item in result.bank] == ["other"]


def test_unknown_keys_are_named() -> None:
    result = read_bank(
        native(
            SINGLE + '\nprompts = "x"',
            SINGLE.replace('id = "a"', 'id = "b"').replace(
                "correct = true", "korrect = true, correct = true"
            ),
        )
    )
    assert [(p.item, p.code, p.parameters["key"]) for p in result.problems] == [
        ("a", "key-unknown", "prompts"),
        ("b", "key-unknown", "choices[0].korrect"),
    ]
    assert set(result.lossy) == {"a", "b"}


def test_repeated_identifiers_are_refused() -> None:
    result = read_bank(native(SINGLE, SINGLE))
    assert [p.code for p in result.problems] == ["identifier-repeated"]
    assert len(result.bank) == 1


FINE = SINGLE + '\ntopic = "x"\nlevel = "apply"\nexplanation = { vi = "Vì", en = "Because" }'
LINTED = [
    (FINE, set()),
    (FINE.replace(', en = "Who?"', ""), {"lint-language-missing"}),
    (FINE.replace('en = "Two"', 'en = "one"').replace('vi = "Hai"', 'vi = "Một"'), {"lint-choices-same"}),
    (FINE.replace('text = { vi = "Hai", en = "Two" }', 'text = { vi = "Tất cả các ý trên", en = "All of the above" }'), {"lint-all-of-above"}),
    (FINE.replace('topic = "x"\n', ""), {"lint-no-topic"}),
    (FINE + '\nenemies = ["a", "zzz"]', {"lint-enemy-self", "lint-enemy-unknown"}),
    (FINE.replace('vi = "Một", en = "One"', f'vi = "{"rất dài " * 20}", en = "{"very long " * 20}"'), {"lint-longest-key"}),
    (FINE.replace('vi = "Ai?"', f'vi = "Ai? ![](media/{"0" * 64}.png)"'), {"lint-media-missing", "lint-no-alternative"}),
    ('id = "e"\nkind = "essay"\nprompt = { vi = "V", en = "W" }\ntopic = "x"\nlevel = "apply"\nmarks = "10"\nwords = { min = 500, max = 300 }\nrubric = [{ id = "r", title = { vi = "a", en = "b" }, marks = "8", levels = [{ marks = "2" }, { marks = "9" }] }]', {"lint-words", "lint-rubric-sum", "lint-rubric-level", "lint-rubric-order"}),
    ('id = "e"\nkind = "essay"\nprompt = { vi = "V", en = "W" }\ntopic = "x"\nlevel = "apply"', {"lint-no-rubric", "lint-no-words"}),
]  # fmt: skip


@pytest.mark.parametrize(("source", "codes"), LINTED)
def test_lint(source: str, codes: set[str]) -> None:
    findings = lint(read_bank(native(source)).bank)
    assert {finding.code for finding in findings} == codes
    assert all(finding.message.endswith(".") for finding in findings)


def test_lint_of_banks() -> None:
    assert {f.code for f in lint(Bank())} == {"lint-empty"}
    twice = read_bank(native(FINE, FINE.replace('id = "a"', 'id = "b"'))).bank
    assert [(f.item, f.code, f.parameters["other"]) for f in lint(twice)] == [("b", "lint-same-content", "a")]


def test_tokens_hide_the_habit_of_writing_the_key_first() -> None:
    item = kinds.order("x", Text.of(vi="Xếp"), [Choice(name, Text.of(vi=name)) for name in "abcde"])
    shown = item.presentation("vi", 9)["interactions"][0]["choices"]
    tokens = [choice["id"] for choice in shown]
    by_text = {choice["html"]: choice["id"] for choice in shown}
    assert not set(tokens) & set("abcde")
    right = [by_text[name] for name in "abcde"]
    assert item.accepts({"RESPONSE": right})
    assert item.mark({"RESPONSE": right}).score == 1
    assert item.identified({"RESPONSE": right, "OTHER": "x"}) == {"RESPONSE": tuple("abcde"), "OTHER": "x"}
    assert [c["id"] for c in item.presentation("vi", 10)["interactions"][0]["choices"]] != tokens, (
        "another seed, another order"
    )
    assert sorted(tokens) != right, "tokens do not sort into the key"
    other = item.replaced(explanation=Text.of(vi="khác"))
    assert set(other.tokens["RESPONSE"].values()).isdisjoint(tokens), (
        "tokens depend on what no candidate knows"
    )


def test_nothing_secret_is_presented() -> None:
    secret = "BÍMẬT"
    source = f'id = "a"\nkind = "essay"\nprompt = "Viết"\nguide = "{secret}"\nexplanation = "{secret}"\nauthor = "{secret}"\ntitle = "{secret}"\ntags = ["{secret}"]\nrubric = [{{ id = "r", title = "{secret}", marks = "1" }}]'
    essay = read_bank(native(source)).bank["a"]
    choice = kinds.single(
        "x",
        Text.of(vi="?"),
        [
            Option(Choice("A", Text.of(vi="a"), why=Text.of(vi=secret)), Fraction(1)),
            Option(Choice("B", Text.of(vi="b"))),
        ],
    )
    for item in (essay, choice):
        assert secret not in json.dumps(item.presentation("vi", 1), ensure_ascii=False)


def test_fixed_choices_stay_and_others_are_shuffled_evenly() -> None:
    """720 seeds, 24 orders of four: chi-square with 23 degrees of freedom stays under 49.7 (0.1 % point, tables)."""
    counts: dict[tuple[str, ...], int] = {}
    for seed in range(2400):
        order = tuple(shuffled("ABCD", seed, "x"))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == math.factorial(4)
    assert sum((count - 100) ** 2 / 100 for count in counts.values()) < 49.7
    assert {shuffled_around(list("ABC"), [False, False, True], seed, "x")[2] for seed in range(20)} == {"C"}


@settings(max_examples=300, deadline=None)
@given(WORDS)
def test_plain_text_survives_markdown(text: str) -> None:
    assert plain_text(render_markdown(markdown_of_plain(text))) == " ".join(text.split())


def test_words_are_counted_as_examiners_do() -> None:
    assert count_words("Một nền công vụ — minh bạch, 3 điểm.") == 8
    assert count_words("") == 0


def test_duplicates() -> None:
    words = "Người đứng đầu đơn vị sự nghiệp công lập chịu trách nhiệm về việc sử dụng ngân sách được giao hằng năm theo quy định"
    make = lambda name, text: kinds.essay(name, Text.of(vi=text))  # noqa: E731
    old = [make("old", words), make("far", "Trình bày nguyên tắc phân cấp quản lý cán bộ")]
    near = words.replace("hằng năm", "từng năm")
    found = duplicates(
        [make("same", words), make("near", near), make("new", "Hoàn toàn khác hẳn mọi câu hỏi đã có")], old
    )
    assert [(d.item, d.other, d.same) for d in found] == [
        ("same", "old", True),
        ("near", "old", False),
        ("near", "same", False),
    ]
    assert found[1].similarity == Fraction(
        len(shingles(old[0]) & shingles(make("x", near))), len(shingles(old[0]) | shingles(make("x", near)))
    )


@SOME
@given(banks(("vi",)), banks(("vi",)))
def test_duplicates_against_every_pair(one: Bank, other: Bank) -> None:
    """The filtered search finds exactly what comparing all pairs finds."""
    new = [item.replaced(id=f"new-{n}") for n, item in enumerate(one)]
    nearly = Fraction(1, 2)
    found = {(d.item, d.other) for d in duplicates(new, other, nearly)}
    expected = set()
    for n, item in enumerate(new):
        for rival in [*other, *new[:n]]:
            a, b = shingles(item), shingles(rival)
            if item.digest == rival.digest or (a | b and Fraction(len(a & b), len(a | b)) >= nearly):
                expected.add((item.id, rival.id))
    assert found == expected


def test_pairs_and_gaps_are_identified() -> None:
    pairs = kinds.match(
        "x", Text.of(vi="?"), [Choice("a", Text.of(vi="a"))], [Choice("1", Text.of(vi="b"))], ["a 1"]
    )
    tokens = pairs.tokens["RESPONSE"]
    assert pairs.identified({"RESPONSE": [f"{tokens['a']} {tokens['1']}"]}) == {"RESPONSE": ("a 1",)}
    assert pairs.identified({"RESPONSE": None}) == {"RESPONSE": None}


def test_the_empty_corner_of_a_table_is_no_head() -> None:
    html = Text.of({"vi": "|  | 2021 |\n|---|---|\n| Số | 3 |\n"}, "markdown").html("vi")
    assert "<th>2021</th>" in html
    assert "<td></td>" in html
    assert "<th></th>" not in html
