"""One case or more per operator of QTI's expression language.

Expected values follow the text of the specification (1EdTech QTI 3.0 Assessment, Section and Item Information Model,
section "Expressions"; the same definitions stand in QTI 2.1, section 15), not the program: the clause is named beside
each group. NULL is None.
"""

from decimal import Decimal
from fractions import Fraction

import pytest

from question_banks import ItemError
from question_banks.chance import Chance
from question_banks.declarations import AreaEntry, AreaMapped, MapEntry, Mapped
from question_banks.processing import notation
from question_banks.processing.expressions import LEAVES, OPERATORS, Context
from question_banks.processing.variables import NULL, Variable, from_texts


def context() -> Context:
    variables = {
        "N": Variable("float"),
        "S": from_texts("string", "single", ["Hà Nội"]),
        "I": from_texts("integer", "single", ["3"]),
        "F": from_texts("float", "single", ["2.5"]),
        "ABC": from_texts("identifier", "ordered", ["A", "B", "C"]),
        "BAG": from_texts("identifier", "multiple", ["B", "A", "B"]),
        "NUMBERS": from_texts("float", "multiple", ["2", "4", "4", "4", "5", "5", "7", "9"]),
        "P": from_texts("point", "single", ["10 10"]),
        "POINTS": from_texts("point", "multiple", ["10 10", "500 500"]),
        "CHOICE": from_texts("identifier", "single", ["B"]),
        "CHOICES": from_texts("identifier", "multiple", ["A", "B"]),
        "R": Variable("", "record", (Fraction(3), "m"), (("value", "float"), ("unit", "string"))),
        "D": from_texts("duration", "single", ["90"]),
        "T": Variable("boolean", "single", (True,)),
    }
    correct = {"CHOICE": from_texts("identifier", "single", ["B"])}
    mapping = Mapped(
        (MapEntry("A", Fraction(1)), MapEntry("B", Fraction("0.5"))), Fraction("-0.25"), None, Fraction(1)
    )
    strings = Mapped((MapEntry("hà nội", Fraction(2), False), MapEntry("HUẾ", Fraction(1), True)))
    areas = AreaMapped((AreaEntry("circle", (10, 10, 5), Fraction(1)),), Fraction(0))
    mappings = {
        "CHOICES": (mapping, None),
        "CHOICE": (mapping, None),
        "S": (strings, None),
        "P": (None, areas),
        "POINTS": (None, areas),
    }
    return Context(
        variables, correct, {"I": from_texts("integer", "single", ["7"])}, mappings, Chance(1, "test")
    )


def value(xml: str) -> object:
    return context().evaluate(notation.read(xml)).public()


def base(type: str, text: object) -> str:
    return f'<qti-base-value base-type="{type}">{text}</qti-base-value>'


def var(name: str) -> str:
    return f'<qti-variable identifier="{name}"/>'


def op(operator: str, /, *inner: str, **attributes: str) -> str:
    words = "".join(f' {key.replace("_", "-")}="{text}"' for key, text in attributes.items())
    return f"<qti-{operator}{words}>{''.join(inner)}</qti-{operator}>"


T, F, NO = base("boolean", "true"), base("boolean", "false"), "<qti-null/>"


def num(text: object) -> str:
    return base("float", text)


def whole(text: object) -> str:
    return base("integer", text)


def txt(text: str) -> str:
    return base("string", text)


def pick(text: str) -> str:
    return base("identifier", text)


def bag(*names: str, kind: str = "multiple") -> str:
    return op(kind, *(pick(name) for name in names))


CASES = [
    # "baseValue", "variable", "default", "correct", "null", "mathConstant"
    (num("0.1"), Decimal("0.1")),
    (base("point", "10 20"), "10 20"),
    (base("directedPair", "A B"), "A B"),
    (var("I"), 3),
    (var("N"), None),
    (op("default", identifier="I"), 7),
    (op("correct", identifier="CHOICE"), "B"),
    (NO, None),
    (
        op("round-to", op("math-constant", name="pi"), rounding_mode="decimalPlaces", figures="4"),
        Decimal("3.1416"),
    ),
    (
        op("round-to", op("math-constant", name="e"), rounding_mode="significantFigures", figures="3"),
        Decimal("2.72"),
    ),
    # "mapResponse": sum over distinct values, default for what has no entry, upper bound 1; case of strings by entry
    (op("map-response", identifier="CHOICE"), Decimal("0.5")),
    (op("map-response", identifier="CHOICES"), Decimal(1)),
    (op("map-response", identifier="S"), Decimal(2)),
    # "mapResponsePoint": an area counts once, points outside all areas the default
    (op("map-response-point", identifier="P"), Decimal(1)),
    (op("map-response-point", identifier="POINTS"), Decimal(1)),
    # "and": false as soon as one is false, NULL otherwise when one is NULL
    (op("and", T, T), True),
    (op("and", T, F), False),
    (op("and", NO, F), False),
    (op("and", T, NO), None),
    # "or"
    (op("or", F, T), True),
    (op("or", F, F), False),
    (op("or", NO, T), True),
    (op("or", F, NO), None),
    # "not"
    (op("not", T), False),
    (op("not", NO), None),
    # "anyN": NULLs decide only where they could
    (op("any-n", T, F, T, min="1", max="2"), True),
    (op("any-n", T, T, T, min="1", max="2"), False),
    (op("any-n", T, NO, F, min="1", max="2"), True),
    (op("any-n", T, NO, F, min="1", max="1"), None),
    (op("any-n", F, F, NO, min="2", max="3"), False),
    (op("any-n", T, T, NO, min="2", max="2"), None),
    # "match": same value of the same type; containers as bags or sequences
    (op("match", pick("A"), pick("A")), True),
    (op("match", pick("A"), pick("B")), False),
    (op("match", pick("A"), NO), None),
    (op("match", bag("A", "B", "B"), var("BAG")), True),
    (op("match", bag("A", "B"), var("BAG")), False),
    (op("match", bag("A", "B", "C", kind="ordered"), var("ABC")), True),
    (op("match", bag("A", "C", "B", kind="ordered"), var("ABC")), False),
    (op("match", base("pair", "A B"), base("pair", "B A")), True),
    (op("match", base("directedPair", "A B"), base("directedPair", "B A")), False),
    # "stringMatch"
    (op("string-match", txt("York"), txt("york"), case_sensitive="true"), False),
    (op("string-match", txt("York"), txt("york"), case_sensitive="false"), True),
    (op("string-match", txt("New York"), txt("York"), case_sensitive="true", substring="true"), True),
    (op("string-match", txt("x"), NO, case_sensitive="true"), None),
    # "substring": the first within the second
    (op("substring", txt("Nội"), var("S"), case_sensitive="true"), True),
    (op("substring", txt("nội"), var("S"), case_sensitive="true"), False),
    (op("substring", txt("nội"), var("S"), case_sensitive="false"), True),
    (op("substring", NO, var("S"), case_sensitive="false"), None),
    # "patternMatch": XML Schema part 2 appendix F, always the whole string
    (op("pattern-match", var("S"), pattern=r"\p{Lu}\w+ \p{L}+"), True),
    (op("pattern-match", var("S"), pattern="Nội"), False),
    (op("pattern-match", txt("12.50"), pattern=r"\d+(\.\d{1,2})?"), True),
    (op("pattern-match", txt("12.505"), pattern=r"\d+(\.\d{1,2})?"), False),
    (op("pattern-match", NO, pattern="x"), None),
    # "equal": tolerance around the first, bounds included unless said otherwise; relative in per cent
    (op("equal", op("sum", num("0.1"), num("0.2")), num("0.3"), tolerance_mode="exact"), True),
    (op("equal", num(10), num("10.5"), tolerance_mode="absolute", tolerance="0.5 0.5"), True),
    (
        op(
            "equal",
            num(10),
            num("10.5"),
            tolerance_mode="absolute",
            tolerance="0.5",
            include_upper_bound="false",
        ),
        False,
    ),
    (op("equal", num(10), num("9.4"), tolerance_mode="absolute", tolerance="0.5 2"), False),
    (op("equal", num(200), num(198), tolerance_mode="relative", tolerance="1"), True),
    (op("equal", num(200), num("197.9"), tolerance_mode="relative", tolerance="1"), False),
    (op("equal", num(-200), num(-198), tolerance_mode="relative", tolerance="1"), True),
    (op("equal", num(1), NO, tolerance_mode="exact"), None),
    # "equalRounded": 3.175 to three significant figures is 3.18, as is 3.183
    (op("equal-rounded", num("3.175"), num("3.183"), rounding_mode="significantFigures", figures="3"), True),
    (
        op("equal-rounded", num("3.175"), num("3.1749"), rounding_mode="significantFigures", figures="3"),
        False,
    ),
    (op("equal-rounded", num("1.05"), num("1.1"), rounding_mode="decimalPlaces", figures="1"), True),
    # "inside": also on the border; of a container any point
    (op("inside", var("P"), shape="circle", coords="10,10,5"), True),
    (op("inside", base("point", "15 10"), shape="circle", coords="10,10,5"), True),
    (op("inside", base("point", "16 10"), shape="circle", coords="10,10,5"), False),
    (op("inside", var("POINTS"), shape="rect", coords="400,400,600,600"), True),
    (op("inside", var("P"), shape="poly", coords="0,0,30,0,0,30"), True),
    (op("inside", base("point", "20 20"), shape="poly", coords="0,0,30,0,0,30"), False),
    (op("inside", base("point", "18 10"), shape="ellipse", coords="10,10,8,3"), True),
    (op("inside", base("point", "10 14"), shape="ellipse", coords="10,10,8,3"), False),
    (op("inside", NO, shape="default", coords=""), None),
    # "lt", "gt", "lte", "gte", "durationLT", "durationGTE"
    (op("lt", num(1), num(2)), True),
    (op("lt", num(2), num(2)), False),
    (op("gt", num(2), num(1)), True),
    (op("gt", num(2), NO), None),
    (op("lte", num(2), num(2)), True),
    (op("gte", num(2), num("2.1")), False),
    (op("duration-lt", var("D"), base("duration", "91")), True),
    (op("duration-gte", var("D"), base("duration", "90")), True),
    # arithmetic: integers stay integers, NULL makes NULL, division by zero is NULL
    (op("sum", whole(2), whole(3)), 5),
    (op("sum", var("NUMBERS")), Decimal(40)),
    (op("sum", whole(2), NO), None),
    (op("product", num("0.5"), whole(3)), Decimal("1.5")),
    (op("product", whole(2), whole(-3)), -6),
    (op("subtract", num(1), num("0.9")), Decimal("0.1")),
    (op("divide", whole(1), whole(4)), Decimal("0.25")),
    (op("divide", whole(1), whole(3)), Fraction(1, 3)),
    (op("divide", whole(1), whole(0)), None),
    (op("power", num(2), whole(10)), Decimal(1024)),
    (op("power", num("2.25"), num("0.5")), Decimal("1.5")),
    (op("power", num(-8), num("0.5")), None),
    (op("power", num(0), whole(-1)), None),
    # "integerDivide": rounded down; "integerModulus": y − x * (y integerDivide x)
    (op("integer-divide", whole(7), whole(2)), 3),
    (op("integer-divide", whole(-7), whole(2)), -4),
    (op("integer-divide", whole(7), whole(0)), None),
    (op("integer-modulus", whole(7), whole(2)), 1),
    (op("integer-modulus", whole(-7), whole(2)), 1),
    (op("integer-modulus", whole(7), whole(0)), None),
    # "truncate": towards zero; "round": n for [n−0.5, n+0.5): 6.8 and 6.5 to 7, 6.49 to 6, −6.5 to −6
    (op("truncate", num("6.8")), 6),
    (op("truncate", num("-6.8")), -6),
    (op("round", num("6.8")), 7),
    (op("round", num("6.5")), 7),
    (op("round", num("6.49")), 6),
    (op("round", num("-6.5")), -6),
    (op("round", NO), None),
    # "roundTo"
    (op("round-to", num("1239451"), rounding_mode="significantFigures", figures="3"), Decimal(1240000)),
    (op("round-to", num("0.0012345"), rounding_mode="significantFigures", figures="2"), Decimal("0.0012")),
    (op("round-to", num("1.155"), rounding_mode="decimalPlaces", figures="2"), Decimal("1.16")),
    (op("integer-to-float", var("I")), Decimal(3)),
    # "min", "max", "gcd", "lcm"
    (op("min", num(3), num("1.5")), Decimal("1.5")),
    (op("min", num(3), NO), None),
    (op("max", whole(3), whole(9)), 9),
    (op("max", var("NUMBERS")), Decimal(9)),
    (op("gcd", whole(12), whole(18)), 6),
    (op("gcd", whole(0), whole(0)), 0),
    (op("lcm", whole(4), whole(6)), 12),
    (op("lcm", whole(4), whole(0)), 0),
    # "mathOperator"
    (op("math-operator", num(0), name="sin"), Decimal(0)),
    (op("math-operator", num(0), name="cos"), Decimal(1)),
    (op("math-operator", num(0), name="tan"), Decimal(0)),
    (op("math-operator", num(0), name="sec"), Decimal(1)),
    (op("math-operator", num(0), name="csc"), None),
    (op("math-operator", num(0), name="cot"), None),
    (op("math-operator", num(0), name="asin"), Decimal(0)),
    (op("math-operator", num(1), name="acos"), Decimal(0)),
    (op("math-operator", num(2), name="acos"), None),
    (op("math-operator", num(0), name="atan"), Decimal(0)),
    (op("math-operator", num(0), num(1), name="atan2"), Decimal(0)),
    (op("math-operator", num(1), name="asec"), Decimal(0)),
    (
        op("round-to", op("math-operator", num(1), name="acsc"), rounding_mode="decimalPlaces", figures="4"),
        Decimal("1.5708"),
    ),
    (
        op("round-to", op("math-operator", num(1), name="acot"), rounding_mode="decimalPlaces", figures="4"),
        Decimal("0.7854"),
    ),
    (op("math-operator", num(0), name="sinh"), Decimal(0)),
    (op("math-operator", num(0), name="cosh"), Decimal(1)),
    (op("math-operator", num(0), name="tanh"), Decimal(0)),
    (op("math-operator", num(0), name="sech"), Decimal(1)),
    (
        op("round-to", op("math-operator", num(1), name="csch"), rounding_mode="decimalPlaces", figures="4"),
        Decimal("0.8509"),
    ),
    (
        op("round-to", op("math-operator", num(1), name="coth"), rounding_mode="decimalPlaces", figures="4"),
        Decimal("1.313"),
    ),
    (op("math-operator", num(1000), name="log"), Decimal(3)),
    (op("math-operator", num(1), name="ln"), Decimal(0)),
    (op("math-operator", num(-1), name="ln"), None),
    (op("math-operator", num(0), name="exp"), Decimal(1)),
    (op("math-operator", num("-2.5"), name="abs"), Decimal("2.5")),
    (op("math-operator", num("-2.5"), name="signum"), -1),
    (op("math-operator", num("-2.5"), name="floor"), -3),
    (op("math-operator", num("-2.5"), name="ceil"), -2),
    (op("math-operator", num(0), name="toDegrees"), Decimal(0)),
    (
        op(
            "round-to",
            op("math-operator", num(180), name="toRadians"),
            rounding_mode="decimalPlaces",
            figures="4",
        ),
        Decimal("3.1416"),
    ),
    # "statsOperator": 2, 4, 4, 4, 5, 5, 7, 9 has mean 5, population variance 4, sample variance 32/7
    (op("stats-operator", var("NUMBERS"), name="mean"), Decimal(5)),
    (op("stats-operator", var("NUMBERS"), name="popVariance"), Decimal(4)),
    (op("stats-operator", var("NUMBERS"), name="popSD"), Decimal(2)),
    (op("stats-operator", var("NUMBERS"), name="sampleVariance"), Fraction(32, 7)),
    (
        op(
            "round-to",
            op("stats-operator", var("NUMBERS"), name="sampleSD"),
            rounding_mode="decimalPlaces",
            figures="3",
        ),
        Decimal("2.138"),
    ),
    (op("stats-operator", op("multiple", num(1)), name="sampleVariance"), None),
    (op("stats-operator", NO, name="mean"), None),
    # "isNull": also an empty string and an empty container
    (op("is-null", var("N")), True),
    (op("is-null", txt("")), True),
    (op("is-null", op("multiple")), True),
    (op("is-null", num(0)), False),
    # containers
    (op("container-size", var("BAG")), 3),
    (op("container-size", NO), 0),
    (op("member", pick("B"), var("ABC")), True),
    (op("member", pick("D"), var("ABC")), False),
    (op("member", NO, var("ABC")), None),
    # "contains": [A,B,C] contains [B,C] but not [C,B]; a bag must hold every value as often
    (op("contains", var("ABC"), bag("B", "C", kind="ordered")), True),
    (op("contains", var("ABC"), bag("C", "B", kind="ordered")), False),
    (op("contains", var("BAG"), bag("B", "B")), True),
    (op("contains", var("BAG"), bag("A", "A")), False),
    (op("contains", var("BAG"), NO), None),
    (op("multiple", pick("A"), NO, var("CHOICES")), ("A", "A", "B")),
    (op("ordered", pick("C"), var("ABC")), ("C", "A", "B", "C")),
    (op("ordered", NO), None),
    # "index": from 1; NULL beyond the end; n may be a variable
    (op("index", var("ABC"), n="1"), "A"),
    (op("index", var("ABC"), n="I"), "C"),
    (op("index", var("ABC"), n="4"), None),
    (op("delete", pick("B"), var("BAG")), ("A",)),
    (op("delete", pick("Z"), var("ABC")), ("A", "B", "C")),
    (op("delete", NO, var("ABC")), None),
    (op("field-value", var("R"), field_identifier="value"), Decimal(3)),
    (op("field-value", var("R"), field_identifier="unit"), "m"),
    (op("field-value", var("R"), field_identifier="other"), None),
    # "random", "randomInteger", "randomFloat": a single possibility leaves no chance
    (op("random", bag("Q")), "Q"),
    (op("random", op("multiple")), None),
    (op("random-integer", min="4", max="4"), 4),
    (op("random-float", min="2.5", max="2.5"), Decimal("2.5")),
    # "repeat": an ordered container, NULLs left out
    (op("repeat", whole(1), NO, number_repeats="3"), (1, 1, 1)),
    (op("repeat", whole(1), number_repeats="0"), None),
    (op("sum", op("repeat", whole(2), number_repeats="I")), 6),
]


@pytest.mark.parametrize(
    ("xml", "expected"), CASES, ids=[f"{n} {xml[5:40]}" for n, (xml, _) in enumerate(CASES)]
)
def test_value(xml: str, expected: object) -> None:
    result = value(xml)
    assert result == expected
    assert isinstance(result, bool) == isinstance(expected, bool)
    if isinstance(expected, int):
        assert isinstance(result, int)


def test_every_operator_has_a_case() -> None:
    used = {node.name for xml, _ in CASES for node in notation.read(xml).walk()}
    assert set(OPERATORS) | set(LEAVES) | {"repeat"} == used


def test_both_versions_read_the_same() -> None:
    two = notation.read(
        '<equal toleranceMode="absolute" tolerance="1 1"><variable identifier="F"/><baseValue baseType="float">2</baseValue></equal>'
    )
    three = notation.read(op("equal", var("F"), num(2), tolerance_mode="absolute", tolerance="1 1"))
    assert two == three
    assert notation.read(notation.write(two)) == two


WRONG = [
    op("unheard-of", T),
    op("not", T, F),
    op("sum", txt("x")),
    op("and", num(1)),
    var("UNKNOWN"),
    op("correct", identifier="UNKNOWN"),
    op("map-response", identifier="I"),
    op("math-operator", num(1), name="nonsense"),
    op("stats-operator", var("NUMBERS"), name="median"),
    op("index", var("ABC"), n="many"),
    op("index", var("ABC"), n="1.5"),
    op("equal", num(1), num(1), tolerance_mode="absolute"),
    op("round-to", num(1), rounding_mode="significantFigures", figures="0"),
    op("pattern-match", txt("x"), pattern="(((("),
    op("pattern-match", txt("x"), pattern="a{1,99999}"),
    op("integer-divide", num("1.5"), whole(2)),
    op("product", *[op("power", whole(9), whole(900)) for _ in range(9)]),
    base("integer", "1.5"),
    base("colour", "red"),
    op("inside", var("P"), shape="circle", coords="a,b"),
    op("random-integer", min="5", max="1"),
    op(
        "repeat",
        op("repeat", op("repeat", whole(1), number_repeats="900"), number_repeats="900"),
        number_repeats="900",
    ),
]


@pytest.mark.parametrize("xml", WRONG, ids=[f"{n} {xml[5:40]}" for n, xml in enumerate(WRONG)])
def test_wrong_expressions_are_refused_in_a_sentence(xml: str) -> None:
    with pytest.raises(ItemError) as caught:
        value(xml)
    assert str(caught.value).strip().endswith(".")


def test_draws_are_uniform_and_reproducible() -> None:
    """Chi-square of 6,000 throws of a die: 5 degrees of freedom, 20.5 is the 0.1 % point (tables)."""
    chance = Chance(42, "die")
    counts = [0] * 6
    for _ in range(6000):
        counts[chance.below(6)] += 1
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 20.5
    assert [Chance("s", "l").below(1000) for _ in range(3)] == [Chance("s", "l").below(1000)] * 3
    assert Chance("s", "l").below(10**9) != Chance("s", "m").below(10**9)


def test_null_is_null() -> None:
    assert NULL.null
    assert NULL.public() is None
