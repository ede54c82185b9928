"""Every expression of QTI inside an item: answered right, wrong, half right and not at all.

Each item asks the same thing twice, A and B; a part earns one mark when its expression is true. So both right is 2, one
of them 1, none 0. What each expression gives follows the text of the specification: QTI 2.1 information model, section
15.1 "Built-in General Expressions" and 15.3 "Operators" (the same definitions are the classes under "Expression" in the
QTI 3.0 Assessment, Section and Item information model). NULL as a condition counts as false (8.1, "responseIf").
"""

import pytest

from question_banks import Item, ItemError, read_bank, write_bank
from question_banks.processing.expressions import LEAVES, OPERATORS
from question_banks.processing.notation import kebab
from tests.question_banks.qti_files import PNG, declaration, item, mapping, package
from tests.question_banks.test_expressions import NO, base, num, op, pick, txt, var, whole
from tests.question_banks.test_interactions import choices, interaction

# The specification's lists, by name.
GENERAL = [
    "baseValue",
    "variable",
    "default",
    "correct",
    "mapResponse",
    "mapResponsePoint",
    "mathConstant",
    "null",
    "randomInteger",
    "randomFloat",
]  # 15.1
OPERATOR = [
    "multiple",
    "ordered",
    "containerSize",
    "isNull",
    "index",
    "fieldValue",
    "random",
    "member",
    "delete",
    "contains",
    "substring",
    "not",
    "and",
    "or",
    "anyN",
    "match",
    "stringMatch",
    "patternMatch",
    "equal",
    "equalRounded",
    "inside",
    "lt",
    "gt",
    "lte",
    "gte",
    "durationLT",
    "durationGTE",
    "sum",
    "product",
    "subtract",
    "divide",
    "power",
    "integerDivide",
    "integerModulus",
    "truncate",
    "round",
    "roundTo",
    "integerToFloat",
    "gcd",
    "lcm",
    "min",
    "max",
    "repeat",
    "mathOperator",
    "statsOperator",
]  # fmt: skip  15.3
ABOUT_TESTS = [
    "testVariables",
    "outcomeMaximum",
    "outcomeMinimum",
    "numberCorrect",
    "numberIncorrect",
    "numberPresented",
    "numberResponded",
    "numberSelected",
]  # fmt: skip  15.2: only in the outcome processing of tests
VENDOR = ["customOperator"]  # an extension point without a meaning of its own
MATH = [
    "sin", "cos", "tan", "sec", "csc", "cot", "asin", "acos", "atan", "atan2", "asec", "acsc", "acot", "sinh", "cosh", "tanh",
    "sech", "csch", "coth", "log", "ln", "exp", "abs", "signum", "floor", "ceil", "toDegrees", "toRadians",
]  # fmt: skip
STATISTICS = ["mean", "sampleVariance", "sampleSD", "popVariance", "popSD"]

AREA = '<qti-area-mapping default-value="0"><qti-area-map-entry shape="circle" coords="50,50,10" mapped-value="1"/></qti-area-mapping>'
R, NAME = "{R}", "{N}"
PI = op("math-constant", name="pi")


def equals(one: str, other: str, **tolerance: str) -> str:
    return op("equal", one, other, **({"tolerance_mode": "exact"} | tolerance))


def several(*names: str) -> str:
    return op("multiple", *(pick(name) for name in names))


# name: (base, cardinality, expression that is true for a right answer, right, wrong)
CASES: dict[str, tuple[str, str, str, object, object]] = {
    # 15.1
    "baseValue": ("identifier", "single", op("match", R, pick("A")), "A", "B"),
    "variable": ("integer", "single", equals(R, var("LEVEL")), "3", "4"),
    "default": ("integer", "single", equals(R, op("default", identifier="LEVEL")), "3", "2"),
    "correct": ("identifier", "single", op("match", R, op("correct", identifier=NAME)), "C", "A"),
    "mapResponse": ("identifier", "multiple", op("gte", op("map-response", identifier=NAME), num("1.5")), ("A", "B"), ("A",)),
    "mapResponsePoint": ("point", "single", equals(op("map-response-point", identifier=NAME), num(1)), "55 50", "70 50"),
    "mathConstant": ("float", "single", equals(PI, R, tolerance_mode="absolute", tolerance="0.01"), "3.14", "3.2"),
    "null": ("identifier", "single", op("or", NO, op("match", R, pick("A"))), "A", "B"),
    "randomInteger": ("integer", "single", equals(R, op("random-integer", min="7", max="9", step="5")), "7", "8"),
    "randomFloat": ("float", "single", equals(R, op("random-float", min="2.5", max="2.5")), "2.5", "2"),
    # 15.3, containers
    "multiple": ("identifier", "multiple", op("match", R, several("A", "B")), ("B", "A"), ("A", "C")),
    "ordered": ("identifier", "ordered", op("match", R, op("ordered", pick("B"), pick("A"), pick("C"))), ("B", "A", "C"), ("A", "B", "C")),
    "containerSize": ("identifier", "multiple", equals(op("container-size", R), whole(2)), ("A", "C"), ("A", "B", "C")),
    "isNull": ("identifier", "single", op("not", op("is-null", R)), "A", None),
    "index": ("identifier", "ordered", op("match", op("index", R, n="2"), pick("C")), ("A", "C", "B"), ("C", "A", "B")),
    "random": ("identifier", "single", op("match", R, op("random", several("B"))), "B", "A"),
    "member": ("identifier", "multiple", op("member", pick("A"), R), ("A", "C"), ("B", "C")),
    "delete": ("identifier", "multiple", op("match", op("delete", pick("C"), R), several("A")), ("C", "A"), ("C", "B")),
    "contains": ("identifier", "multiple", op("contains", R, several("A", "B")), ("C", "B", "A"), ("A", "C")),
    "repeat": ("integer", "single", equals(op("sum", op("repeat", R, number_repeats="3")), whole(12)), "4", "3"),
    # texts
    "substring": ("string", "single", op("substring", txt("nội"), R, case_sensitive="false"), "Thủ đô Hà Nội", "Huế"),
    "stringMatch": ("string", "single", op("string-match", R, txt("Hà Nội"), case_sensitive="true"), "Hà Nội", "hà nội"),
    "patternMatch": ("string", "single", op("pattern-match", R, pattern=r"\d{2}/\d{4}"), "09/1945", "9/1945"),
    # truth
    "not": ("identifier", "single", op("not", op("match", R, pick("B"))), "A", "B"),
    "and": ("integer", "single", op("and", op("gt", R, whole(1)), op("lt", R, whole(5))), "4", "5"),
    "or": ("integer", "single", op("or", equals(R, whole(1)), equals(R, whole(9))), "9", "5"),
    "anyN": ("identifier", "multiple", op("any-n", *(op("member", pick(n), R) for n in "ABC"), min="2", max="2"), ("A", "C"), ("A", "B", "C")),
    "match": ("pair", "multiple", op("match", R, op("multiple", base("pair", "A B"), base("pair", "C D"))), ("B A", "C D"), ("A C", "B D")),
    # numbers compared
    "equal": ("float", "single", equals(num(10), R, tolerance_mode="relative", tolerance="5 10"), "11", "9.4"),
    "equalRounded": ("float", "single", op("equal-rounded", R, num("3.14159"), rounding_mode="decimalPlaces", figures="2"), "3.1449", "3.145"),
    "inside": ("point", "single", op("inside", R, shape="rect", coords="10,10,30,20"), "30 15", "31 15"),
    "lt": ("integer", "single", op("lt", R, whole(5)), "4", "5"),
    "gt": ("integer", "single", op("gt", R, whole(5)), "6", "5"),
    "lte": ("integer", "single", op("lte", R, whole(5)), "5", "6"),
    "gte": ("integer", "single", op("gte", R, whole(5)), "5", "4"),
    "durationLT": ("duration", "single", op("duration-lt", R, base("duration", "90")), "89.5", "90"),
    "durationGTE": ("duration", "single", op("duration-gte", R, base("duration", "90")), "90", "89"),
    # arithmetic
    "sum": ("float", "single", equals(op("sum", R, num("0.1")), num("0.3")), "0.2", "0.3"),
    "product": ("integer", "single", equals(op("product", R, whole(3), whole(2)), whole(24)), "4", "5"),
    "subtract": ("integer", "single", equals(op("subtract", R, whole(3)), whole(4)), "7", "-1"),
    "divide": ("float", "single", equals(op("divide", R, num(4)), num("0.25")), "1", "4"),
    "power": ("integer", "single", equals(op("power", R, whole(3)), num(8)), "2", "-2"),
    "integerDivide": ("integer", "single", equals(op("integer-divide", R, whole(4)), whole(-2)), "-7", "-4"),
    "integerModulus": ("integer", "single", equals(op("integer-modulus", R, whole(4)), whole(1)), "-7", "7"),
    "truncate": ("float", "single", equals(op("truncate", R), whole(-6)), "-6.8", "-7"),
    "round": ("float", "single", equals(op("round", R), whole(-6)), "-6.5", "-6.51"),
    "roundTo": ("float", "single", equals(op("round-to", R, rounding_mode="significantFigures", figures="3"), num(1240000)), "1239451", "1234999"),
    "integerToFloat": ("integer", "single", equals(op("divide", op("integer-to-float", R), num(2)), num("1.5")), "3", "4"),
    "gcd": ("integer", "single", equals(op("gcd", R, whole(18)), whole(6)), "12", "9"),
    "lcm": ("integer", "single", equals(op("lcm", R, whole(4)), whole(12)), "6", "8"),
    "min": ("integer", "single", equals(op("min", R, whole(4)), whole(4)), "9", "3"),
    "max": ("integer", "single", equals(op("max", R, whole(4)), whole(4)), "-9", "5"),
    "mathOperator": ("float", "single", equals(op("math-operator", R, name="log"), num(2)), "100", "10"),
    "statsOperator": ("integer", "single", equals(op("stats-operator", op("multiple", R, whole(2)), name="popVariance"), num(1)), "4", "3"),
}  # fmt: skip


def asked(name: str, kind: str, cardinality: str) -> str:
    """An interaction that gives the response."""
    here = {"response_identifier": name}
    if kind == "identifier" and cardinality == "ordered":
        return interaction("order", choices("A", "B", "C"), **here)
    if kind == "identifier":
        most = "1" if cardinality == "single" else "0"
        return interaction("choice", choices("A", "B", "C"), max_choices=most, **here)
    if kind == "pair":
        inner = choices("A", "B", "C", "D", tag="simple-associable-choice", match_max="1")
        return interaction("associate", inner, max_associations="2", **here)
    if kind == "point":
        picture = '<img src="../media/map.png" alt="Map" width="100" height="100"/>'
        return interaction("select-point", picture, max_choices="1", **here)
    return f"<p>{name}: {interaction('text-entry', '', **here)}</p>"


def made(name: str) -> bytes:
    kind, cardinality, expression, _, _ = CASES[name]
    head = body = rules = ""
    for part in ("A", "B"):
        mapped = mapping({"A": 1, "B": "0.5", "C": -1}) if name == "mapResponse" else ""
        mapped = AREA if kind == "point" else mapped
        head += declaration(kind, cardinality, ("C",) if name == "correct" else (), mapped, part)
        body += asked(part, kind, cardinality)
        condition = expression.replace("{R}", var(part)).replace("{N}", part)
        earn = f'<qti-set-outcome-value identifier="SCORE">{op("sum", var("SCORE"), num(1))}</qti-set-outcome-value>'
        rules += f"<qti-response-condition><qti-response-if>{condition}{earn}</qti-response-if></qti-response-condition>"
    outcomes = (
        '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float" normal-maximum="2"/>'
        '<qti-outcome-declaration identifier="LEVEL" cardinality="single" base-type="integer">'
        "<qti-default-value><qti-value>3</qti-value></qti-default-value></qti-outcome-declaration>"
    )
    return item(head, body, f"<qti-response-processing>{rules}</qti-response-processing>", outcomes)


def forms(name: str) -> list[Item]:
    """The item as it is read, and as it comes back from every format that carries processing."""
    result = read_bank(package({"items/one.xml": made(name)}, {"media/map.png": PNG}))
    assert [str(problem) for problem in result.problems] == []
    found = [result.bank.items[0]]
    for format in ("native", "qti3", "qti2"):
        written = write_bank(result.bank, format, language="en")
        found.append(read_bank(written.data, format).bank.items[0])
    return found


@pytest.mark.parametrize("name", CASES)
def test_expression(name: str) -> None:
    _, _, _, right, wrong = CASES[name]
    for read in forms(name):
        assert read.marks == 2
        assert read.mark({"A": right, "B": right}).score == 2
        assert read.mark({"A": right, "B": wrong}).score == 1
        assert read.mark({"B": right}).score == 1
        assert read.mark({"A": wrong, "B": wrong}).score == 0
        assert read.mark({"A": None, "B": None}).score == 0
        assert read.mark({}).score == 0


def test_every_expression_of_the_specification_is_here() -> None:
    """Counted: 10 general expressions and 45 operators; a response cannot be a record here, so fieldValue, which takes
    records apart, has its cases in test_expressions alone."""
    assert (len(set(GENERAL)), len(set(OPERATOR)), len(set(ABOUT_TESTS))) == (10, 45, 8)
    assert set(CASES) == set(GENERAL + OPERATOR) - {"fieldValue"}
    assert {kebab(name) for name in GENERAL + OPERATOR} == set(LEAVES) | set(OPERATORS) | {"repeat"}


def test_every_case_uses_its_expression() -> None:
    for name, (_, _, expression, _, _) in CASES.items():
        tag = f"<qti-{kebab(name)}"
        assert any(f"{tag}{end}" in expression.replace("{R}", var("A")) for end in (" ", ">", "/")), name


@pytest.mark.parametrize("name", ABOUT_TESTS + VENDOR)
def test_expressions_that_mean_nothing_in_an_item_are_named(name: str) -> None:
    """They are read, since a bank may be looked at; the lint and the marking say which expression cannot be run."""
    source = made("baseValue").decode().replace(op("match", var("A"), pick("A")), f"<qti-{kebab(name)}/>")
    read = read_bank(source.encode()).bank.items[0]
    with pytest.raises(ItemError, match=kebab(name)):
        read.mark({"A": "A"})


@pytest.mark.parametrize(("operator", "names"), [("math-operator", MATH), ("stats-operator", STATISTICS)])
def test_every_function_of_the_specification_has_a_case(operator: str, names: list[str]) -> None:
    from question_banks.processing import notation
    from tests.question_banks.test_expressions import CASES as VALUES

    used = {
        node.get("name") for xml, _ in VALUES for node in notation.read(xml).walk() if node.name == operator
    }
    assert len(names) in (28, 5)
    assert used == set(names)


@pytest.mark.parametrize("name", ["durationLT", "durationGTE", "anyN", "stringMatch", "isNull"])
def test_qti_2_names_are_written_as_its_schema_spells_them(name: str) -> None:
    import io
    import zipfile

    bank = read_bank(package({"items/one.xml": made(name)}, {"media/map.png": PNG})).bank
    with zipfile.ZipFile(io.BytesIO(write_bank(bank, "qti2", language="en").data)) as archive:
        (path,) = [entry for entry in archive.namelist() if entry.startswith("items/")]
        assert f"<{name}".encode() in archive.read(path)
