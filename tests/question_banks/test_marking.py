"""Marking rules worked out by hand, exactness, and responses of every wrong shape."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from question_banks import Text, kinds, read_bank
from question_banks.declarations import Answer, Choice
from question_banks.kinds import Gap, Option
from question_banks.marking import option_share, pair_share, place_share, wildcard
from question_banks.values import number, show, typed_number

P = Text.of(vi="?")


def choice(name: str) -> Choice:
    return Choice(name, Text.of(vi=f"lựa chọn {name}"))


def several(right: str, every: str, scoring: str, **rest):
    return kinds.multiple(
        "x", P, [Option(choice(n), Fraction(n in right)) for n in every], scoring=scoring, **rest
    )


@pytest.mark.parametrize(
    ("given", "score"),
    [
        (("A", "B"), 1),
        (("B", "A"), 1),
        (("A",), Decimal("0.5")),
        (("A", "B", "C"), Fraction(2, 3)),
        (("A", "C", "D", "E"), 0),
        (("C",), 0),
        ((), 0),
        (("A", "B", "C", "D", "E"), 0),
    ],
)
def test_per_option(given: tuple[str, ...], score: object) -> None:
    """Two right, three wrong: +1/2 and −1/3 each, never below nothing; everything ticked earns nothing."""
    assert several("AB", "ABCDE", "per-option").mark({"RESPONSE": given}).score == score


@given(st.sets(st.sampled_from("ABCDEF"), min_size=1, max_size=5))
def test_ticking_everything_never_pays(right: set[str]) -> None:
    item = several("".join(right), "ABCDEF", "per-option")
    assert item.mark({"RESPONSE": tuple("ABCDEF")}).score == 0
    assert item.mark({"RESPONSE": tuple(right)}).score == 1


def test_negative_marking_has_a_floor() -> None:
    options = [Option(choice("A"), Fraction(1)), Option(choice("B"), Fraction(-1, 4)), Option(choice("C"))]
    item = kinds.single("x", P, options, marks=Decimal(2))
    assert [item.mark({"RESPONSE": r}).score for r in ("A", "B", "C", None)] == [2, Decimal("-0.5"), 0, 0]


def test_order_and_match_by_parts() -> None:
    order = kinds.order("x", P, [choice(n) for n in "ABC"], scoring="per-part", marks=Decimal(1))
    assert order.mark({"RESPONSE": ("A", "C", "B")}).score == Fraction(1, 3)
    assert order.mark({"RESPONSE": ("A", "B", "C")}).score == 1
    assert order.mark({"RESPONSE": ("B",)}).score == 0
    match = kinds.match(
        "x",
        P,
        [choice("a"), choice("b")],
        [choice("1"), choice("2"), choice("3")],
        ["a 1", "b 3"],
        scoring="per-part",
    )
    assert match.mark({"RESPONSE": ("a 1", "b 2")}).score == Decimal("0.5")
    assert match.mark({"RESPONSE": ("a 1", "a 2", "a 3", "b 3")}).score == 0, "surplus pairs count against it"


@given(st.permutations("ABCDE"))
def test_place_share_counts_places(order: list[str]) -> None:
    assert place_share(tuple(order), tuple("ABCDE")) * 5 == sum(
        a == b for a, b in zip(order, "ABCDE", strict=True)
    )


@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9), min_size=1))
def test_shares_stay_between_bounds(given: set[int], correct: set[int]) -> None:
    words = {f"w{n}" for n in given}, {f"w{n}" for n in correct}
    assert 0 <= pair_share(*words) <= 1
    assert -1 <= option_share(*words, 10) <= 1


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("12,5", "12.5"),
        ("12.5", "12.5"),
        (" 1 234,5 ", "1234.5"),
        ("1.234.567", "1234567"),
        ("1,234.50", "1234.5"),
        ("1.234,50", "1234.5"),
        ("−3", "-3"),
        ("１２", "12"),
        ("1e3", "1000"),
        ("+4", "4"),
        (".5", "0.5"),
    ],
)
def test_numbers_as_people_type_them(typed: str, value: str) -> None:
    assert show(typed_number(typed)[0]) == value


@pytest.mark.parametrize(
    "typed", ["", "abc", "1/0", "1..2", "--1", "1e", "0x10", "nan", "inf", "٣x", "1 2a", "1,2,3.4.5"]
)
def test_what_is_no_number(typed: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        typed_number(typed)


def test_numeric_tolerances_are_exact() -> None:
    item = kinds.numeric("x", P, [Answer("0.3", tolerance=Fraction(1, 10))])
    marks = {"0.2": 1, "0.4": 1, "0.4000000000000000000001": 0, "0,4": 1, "0.19": 0, "x": 0, "": 0}
    assert {typed: item.mark({"RESPONSE": typed}).score for typed in marks} == marks
    percent = kinds.numeric("x", P, [Answer("-200", tolerance=Fraction(1), percent=True)])
    assert [percent.mark({"RESPONSE": r}).score for r in ("-198", "-202", "-197.9")] == [1, 1, 0]
    spread = kinds.numeric("x", P, [Answer("1", upper="2"), Answer("5", Fraction(1, 2))])
    assert [spread.mark({"RESPONSE": r}).score for r in ("1", "2", "2.01", "5")] == [1, 1, 0, Decimal("0.5")]


def test_units() -> None:
    item = kinds.numeric(
        "x", P, [Answer("5")], units=(("m", Fraction(1)), ("cm", Fraction(1, 100))), unit_required=True
    )
    assert [item.mark({"RESPONSE": r}).score for r in ("5 m", "500cm", "5", "5 km", "500 m")] == [
        1,
        1,
        0,
        0,
        0,
    ]


def test_texts_case_accents_and_spaces() -> None:
    plain = kinds.text("x", P, [Answer("Đà Nẵng")])
    assert [plain.mark({"RESPONSE": r}).score for r in ("đà  nẵng ", "Da Nang", "Đà Nẵng")] == [1, 0, 1]
    assert plain.mark({"RESPONSE": "Đà Nẵng"}).score == 1, "decomposed letters are the same letters"
    loose = kinds.text("x", P, [Answer("Đà Nẵng")], accents=False)
    assert loose.mark({"RESPONSE": "da nang"}).score == 1
    strict = kinds.text("x", P, [Answer("Đà Nẵng")], case=True)
    assert strict.mark({"RESPONSE": "đà nẵng"}).score == 0
    star = kinds.text("x", P, [Answer("*nghị định*", Fraction(1, 2), wildcard=True), Answer("Nghị định 170")])
    assert [star.mark({"RESPONSE": r}).score for r in ("theo Nghị định 1", "nghị định 170", "luật")] == [
        Decimal("0.5"),
        1,
        0,
    ]


@settings(max_examples=200, deadline=None)
@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_wildcards_against_a_simple_matcher(pattern: str, text: str) -> None:
    def fits(p: str, t: str) -> bool:
        if not p:
            return not t
        if p[0] == "*":
            return any(fits(p[1:], t[n:]) for n in range(len(t) + 1))
        return bool(t) and t[0] == p[0] and fits(p[1:], t[1:])

    assert bool(wildcard(pattern).fullmatch(text)) == fits(pattern, text)


def test_gaps_all_or_nothing_and_by_part() -> None:
    gaps = [
        Gap("g1", "choice", (Option(choice("A"), Fraction(1)), Option(choice("B")))),
        Gap("g2", "numeric", (), (Answer("3"),)),
        Gap("g3", "text", (), (Answer("x"),)),
    ]
    body = Text.of(vi="[[g1]] [[g2]] [[g3]]")
    right = {"g1": "A", "g2": "3", "g3": "x"}
    part = kinds.gap("x", body, gaps, scoring="per-part", marks=Decimal(1))
    assert part.mark(right).score == 1
    outcome = part.mark({"g1": "A", "g2": "4"})
    assert outcome.score == Fraction(1, 3)
    assert outcome.parts["g1"].score == Fraction(1, 3)
    assert outcome.parts["g3"].score == 0
    whole = kinds.gap("x", body, gaps, marks=Decimal(1))
    assert whole.mark(right).score == 1
    assert whole.mark({"g1": "A", "g2": "3"}).score == 0


def test_a_person_marks_essays() -> None:
    essay = kinds.essay("x", P, marks=Decimal(10))
    assert essay.mark({"RESPONSE": "…"}).score is None
    assert essay.mark({}).max_score == 10


ODD = [
    None,
    "",
    (),
    [],
    "A",
    "Z",
    5,
    True,
    False,
    Decimal("1.5"),
    Decimal("NaN"),
    ("A", "A"),
    ("A", 5),
    ["A"],
    {"a": 1},
    object(),
    (("A",),),
    "x" * 100_000,
    b"A",
    1.5,
    ("A",) * 5000,
]


@pytest.mark.parametrize(
    "kind", ["single", "multiple", "true-false", "numeric", "text", "order", "match", "essay"]
)
def test_no_response_raises(kind: str) -> None:
    """Whatever was stored is marked; what is malformed earns nothing and is not accepted when it is saved."""
    practice = {
        "single": kinds.single("x", P, [Option(choice("A"), Fraction(1)), Option(choice("B"))]),
        "multiple": several("A", "AB", "all-or-nothing"),
        "true-false": kinds.true_false("x", P, True),
        "numeric": kinds.numeric("x", P, [Answer("5")]),
        "text": kinds.text("x", P, [Answer("A")]),
        "order": kinds.order("x", P, [choice("A"), choice("B")]),
        "match": kinds.match("x", P, [choice("a")], [choice("A")], ["a A"]),
        "essay": kinds.essay("x", P),
    }[kind]
    tried = 0
    for value in ODD:
        practice.mark({"RESPONSE": value, "OTHER": value})
        verdict = practice.accepts({"RESPONSE": value})
        assert verdict or (verdict.message.endswith(".") and verdict.response == "RESPONSE")
        tried += 1
    assert tried == len(ODD)
    assert practice.accepts({"OTHER": "A"}).code == "response-unknown"
    assert practice.accepts("A").code == "responses-not-mapping"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("A", ""),
        (None, ""),
        ("Z", "response-choice-unknown"),
        (("A", "B"), "response-not-single"),
        (7, "response-choice-unknown"),
        (1.5, "response-not-value"),
        ("A" * 3000, "response-too-long"),
        ("A\x00", "response-control-characters"),
    ],
)
def test_accepts_says_why_not(value: object, code: str) -> None:
    item = kinds.single("x", P, [Option(choice("A"), Fraction(1)), Option(choice("B"))])
    assert item.accepts({"RESPONSE": value}).code == code


def test_pairs_used_too_often_are_not_accepted() -> None:
    item = kinds.match("x", P, [choice("a"), choice("b")], [choice("1"), choice("2")], ["a 1", "b 1"])
    assert item.accepts({"RESPONSE": ["a 1", "b 1"]})
    assert item.accepts({"RESPONSE": ["a 1", "a 2"]}).code == "response-pair-too-often"
    assert item.accepts({"RESPONSE": ["a 1", "a 1"]}).code == "response-repeated"
    assert item.accepts({"RESPONSE": ["1 a"]}).code == "response-choice-unknown"


def test_scores_are_decimals_where_they_can_be() -> None:
    assert isinstance(number(Fraction(1, 8)), Decimal)
    assert number(Fraction(1, 8)) == Decimal("0.125")
    assert isinstance(number(Fraction(1, 3)), Fraction)
    total = sum((Fraction(number(Fraction(1, 3))) for _ in range(3)), Fraction(0))
    assert total == 1


@settings(max_examples=200, deadline=None)
@given(st.fractions(max_denominator=10**6))
def test_numbers_survive_being_written(value: Fraction) -> None:
    from question_banks.values import exact

    assert exact(show(value)) == value == Fraction(number(value))


def test_digest_is_of_content_and_marking_only() -> None:
    source = b'format = "examsvc-bank/1"\n[[item]]\nid = "a"\nkind = "true-false"\nprompt = "x"\nanswer = true\nstatus = "draft"\n'
    digest = read_bank(source).bank["a"].digest
    same = (b'id = "b"', b'status = "approved"\nexposure = 4\nparameters = { b = "1" }')
    other = (
        b"answer = false",
        b'prompt = "y"',
        b'answer = true\nmarks = "2"',
        b'answer = true\nexplanation = "z"',
    )
    changes = [source.replace(b'id = "a"', same[0]), source.replace(b'status = "draft"', same[1])]
    assert {read_bank(changed).bank.items[0].digest for changed in changes} == {digest}
    changes = [source.replace(b"answer = true", other[0]), source.replace(b'prompt = "x"', other[1])]
    changes += [source.replace(b"answer = true", change) for change in other[2:]]
    assert len({read_bank(changed).bank.items[0].digest for changed in changes} | {digest}) == 5
