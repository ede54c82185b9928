"""The operators of QTI's expressions, each a function of its element, its operands' values and the context."""

import math
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from question_banks.declarations import Node
from question_banks.problems import ItemError
from question_banks.processing import patterns
from question_banks.processing.shapes import inside
from question_banks.processing.variables import NULL, Variable, boolean, floating, integer
from question_banks.values import Inner, exact

if TYPE_CHECKING:
    from question_banks.processing.expressions import Context

_MOST_DIGITS = 4_000

Operands = list[Variable]
Operator = Callable[[Node, Operands, "Context"], Variable]


def _any_null(operands: Operands) -> bool:
    return any(operand.null for operand in operands)


def _and(node: Node, operands: Operands, context: "Context") -> Variable:
    values = [operand.truth() for operand in operands]
    return boolean(False if False in values else None if None in values else True)


def _or(node: Node, operands: Operands, context: "Context") -> Variable:
    values = [operand.truth() for operand in operands]
    return boolean(True if True in values else None if None in values else False)


def _not(node: Node, operands: Operands, context: "Context") -> Variable:
    value = operands[0].truth()
    return boolean(None if value is None else not value)


def _any_n(node: Node, operands: Operands, context: "Context") -> Variable:
    """Between min and max of the operands are true; NULL where the NULLs could decide either way."""
    least, most = context.whole(node, "min"), context.whole(node, "max")
    if least is None or most is None:
        return boolean(None)
    values = [operand.truth() for operand in operands]
    true, unknown = values.count(True), values.count(None)
    if true > most or true + unknown < least:
        return boolean(False)
    return boolean(True if true >= least and true + unknown <= most else None)


def same(one: Variable, other: Variable) -> bool:
    """Equality of two values that are not NULL: bags for multiple, sequences for ordered, by name for records."""
    if one.cardinality == "record" or other.cardinality == "record":
        first = {name: item for (name, _), item in zip(one.fields, one.items, strict=False)}
        second = {name: item for (name, _), item in zip(other.fields, other.items, strict=False)}
        return first == second
    if one.cardinality == "multiple" or other.cardinality == "multiple":
        return Counter(map(_key, one.items)) == Counter(map(_key, other.items))
    return [_key(item) for item in one.items] == [_key(item) for item in other.items]


def _key(item: Inner) -> tuple[bool, Inner]:
    return (isinstance(item, bool), item)


def _match(node: Node, operands: Operands, context: "Context") -> Variable:
    return boolean(None if _any_null(operands) else same(*operands))


def _equal(node: Node, operands: Operands, context: "Context") -> Variable:
    """Numbers, exactly or within the tolerance around the first."""
    if _any_null(operands):
        return boolean(None)
    x, y = operands[0].number(), operands[1].number()
    mode = node.get("tolerance-mode", "exact")
    if mode == "exact":
        return boolean(x == y)
    tolerances = [_tolerance(word, node, context) for word in node.get("tolerance").split()]
    if not tolerances or len(tolerances) > 2 or None in tolerances or mode not in ("absolute", "relative"):
        raise ItemError(
            "expression-attribute", attribute="tolerance", name=node.name, value=node.get("tolerance")
        )
    below, above = tolerances[0] or Fraction(0), tolerances[-1] or Fraction(0)
    if mode == "relative":
        low, high = sorted((x * (1 - below / 100), x * (1 + above / 100)))
    else:
        low, high = x - below, x + above
    lower = y >= low if node.get("include-lower-bound", "true") == "true" else y > low
    upper = y <= high if node.get("include-upper-bound", "true") == "true" else y < high
    return boolean(lower and upper)


def _tolerance(word: str, node: Node, context: "Context") -> Fraction | None:
    return context.real(Node(node.name, (("tolerance", word),)), "tolerance")


def _equal_rounded(node: Node, operands: Operands, context: "Context") -> Variable:
    if _any_null(operands):
        return boolean(None)
    figures = context.whole(node, "figures")
    if figures is None:
        return boolean(None)
    mode = node.get("rounding-mode", "significantFigures")
    return boolean(
        rounded(operands[0].number(), mode, figures) == rounded(operands[1].number(), mode, figures)
    )


def rounded(value: Fraction, mode: str, figures: int) -> Fraction:
    """Rounding by the next digit, five and more away from zero (QTI "roundTo")."""
    if not 0 <= figures <= 100 or (mode == "significantFigures" and figures == 0):
        raise ItemError("expression-attribute", attribute="figures", name="round-to", value=figures)
    if mode not in ("significantFigures", "decimalPlaces"):
        raise ItemError("expression-attribute", attribute="rounding-mode", name="round-to", value=mode)
    if value == 0:
        return value
    places = figures if mode == "decimalPlaces" else figures - 1 - _magnitude(abs(value))
    scale = Fraction(10) ** places
    nearest = math.floor(abs(value) * scale + Fraction(1, 2)) / scale
    return nearest if value > 0 else -nearest


def _magnitude(value: Fraction) -> int:
    """The exponent of the first figure: 0 for 1 to 9.99, −1 for 0.1 …"""
    guess = len(str(value.numerator)) - len(str(value.denominator))
    return guess if value >= Fraction(10) ** guess else guess - 1


def _text(operand: Variable, name: str) -> str:
    item = operand.items[0]
    if operand.cardinality != "single" or isinstance(item, (bool, tuple)) or not isinstance(item, str):
        raise ItemError("processing-type", name=name, wanted="a single text")
    return item


def _string_match(node: Node, operands: Operands, context: "Context") -> Variable:
    if _any_null(operands):
        return boolean(None)
    one, other = (_text(operand, node.name) for operand in operands)
    if node.get("case-sensitive", "true") != "true":
        one, other = one.casefold(), other.casefold()
    return boolean(other in one if node.get("substring", "false") == "true" else one == other)


def _substring(node: Node, operands: Operands, context: "Context") -> Variable:
    """Whether the first text occurs in the second."""
    if _any_null(operands):
        return boolean(None)
    one, other = (_text(operand, node.name) for operand in operands)
    if node.get("case-sensitive", "true") != "true":
        one, other = one.casefold(), other.casefold()
    return boolean(one in other)


def _pattern_match(node: Node, operands: Operands, context: "Context") -> Variable:
    if _any_null(operands):
        return boolean(None)
    pattern = context.string(node, "pattern")
    try:
        return boolean(patterns.matches(pattern, _text(operands[0], node.name)))
    except patterns.PatternError as error:
        raise ItemError("expression-pattern", pattern=pattern, reason=str(error)) from None


def _inside(node: Node, operands: Operands, context: "Context") -> Variable:
    if _any_null(operands):
        return boolean(None)
    try:
        coordinates = tuple(round(exact(word)) for word in node.get("coords").replace(",", " ").split())
    except ValueError:
        raise ItemError(
            "expression-attribute", attribute="coords", name=node.name, value=node.get("coords")
        ) from None
    points = [item for item in operands[0].items if isinstance(item, tuple)]
    return boolean(any(inside((int(p[0]), int(p[1])), node.get("shape"), coordinates) for p in points))


def _comparison(compare: Callable[[Fraction, Fraction], bool]) -> Operator:
    def operator(node: Node, operands: Operands, context: "Context") -> Variable:
        return boolean(None if _any_null(operands) else compare(operands[0].number(), operands[1].number()))

    return operator


def _numbers(operands: Operands) -> list[Fraction] | None:
    """All numbers of single operands and containers; None when one is NULL."""
    if _any_null(operands):
        return None
    result = []
    for operand in operands:
        for item in operand.items:
            if isinstance(item, (bool, str, tuple)):
                raise ItemError("processing-type", name="a calculation", wanted="numbers")
            result.append(Fraction(item))
    return result


def _typed(value: Fraction, operands: Operands) -> Variable:
    """An integer when all operands are, a float otherwise."""
    if value.numerator.bit_length() > 4 * _MOST_DIGITS or value.denominator.bit_length() > 4 * _MOST_DIGITS:
        raise ItemError("expression-size")
    if all(operand.base == "integer" for operand in operands) and value.denominator == 1:
        return integer(int(value))
    return floating(value)


def _sum(node: Node, operands: Operands, context: "Context") -> Variable:
    numbers = _numbers(operands)
    return floating(None) if numbers is None else _typed(sum(numbers, Fraction(0)), operands)


def _product(node: Node, operands: Operands, context: "Context") -> Variable:
    numbers = _numbers(operands)
    if numbers is None:
        return floating(None)
    result = Fraction(1)
    for number in numbers:
        result *= number
        if result.numerator.bit_length() > 4 * _MOST_DIGITS:
            raise ItemError("expression-size")
    return _typed(result, operands)


def _subtract(node: Node, operands: Operands, context: "Context") -> Variable:
    if _any_null(operands):
        return floating(None)
    return _typed(operands[0].number() - operands[1].number(), operands)


def _divide(node: Node, operands: Operands, context: "Context") -> Variable:
    if _any_null(operands) or operands[1].number() == 0:
        return floating(None)
    result = operands[0].number() / operands[1].number()
    return floating(_typed(result, [Variable("float")]).items[0])  # type: ignore[arg-type]


def _power(node: Node, operands: Operands, context: "Context") -> Variable:
    if _any_null(operands):
        return floating(None)
    base, exponent = operands[0].number(), operands[1].number()
    if exponent.denominator == 1 and abs(exponent) <= 1_000:
        if base == 0 and exponent < 0:
            return floating(None)
        if abs(exponent) * max(base.numerator.bit_length(), base.denominator.bit_length()) > 4 * _MOST_DIGITS:
            raise ItemError("expression-size")
        return floating(base ** int(exponent))
    if base < 0:
        return floating(None)
    root = _exact_root(base, exponent)
    return floating(root if root is not None else _float(lambda: float(base) ** float(exponent)))


def _exact_root(base: Fraction, exponent: Fraction) -> Fraction | None:
    """The square root of a square; None for what must be calculated in floating point."""
    if exponent != Fraction(1, 2):
        return None
    top, bottom = math.isqrt(base.numerator), math.isqrt(base.denominator)
    return (
        Fraction(top, bottom) if top * top == base.numerator and bottom * bottom == base.denominator else None
    )


def from_float(value: float) -> Fraction | None:
    return Fraction(repr(value)) if math.isfinite(value) else None


def _float(calculate: Callable[[], float]) -> Fraction | None:
    try:
        return from_float(calculate())
    except (ValueError, OverflowError, ZeroDivisionError, TypeError):
        return None


def _whole_numbers(node: Node, operands: Operands) -> list[int] | None:
    numbers = _numbers(operands)
    if numbers is None:
        return None
    if any(number.denominator != 1 for number in numbers):
        raise ItemError("processing-type", name=node.name, wanted="integers")
    return [int(number) for number in numbers]


def _integer_divide(node: Node, operands: Operands, context: "Context") -> Variable:
    numbers = _whole_numbers(node, operands)
    return integer(None if numbers is None or numbers[1] == 0 else numbers[0] // numbers[1])


def _integer_modulus(node: Node, operands: Operands, context: "Context") -> Variable:
    numbers = _whole_numbers(node, operands)
    return integer(None if numbers is None or numbers[1] == 0 else numbers[0] % numbers[1])


def _gcd(node: Node, operands: Operands, context: "Context") -> Variable:
    numbers = _whole_numbers(node, operands)
    return integer(None if numbers is None else math.gcd(*numbers))


def _lcm(node: Node, operands: Operands, context: "Context") -> Variable:
    numbers = _whole_numbers(node, operands)
    return integer(None if numbers is None else math.lcm(*numbers))


def _extreme(choose: Callable[[list[Fraction]], Fraction]) -> Operator:
    def operator(node: Node, operands: Operands, context: "Context") -> Variable:
        numbers = _numbers(operands)
        return floating(None) if numbers is None else _typed(choose(numbers), operands)

    return operator


def _truncate(node: Node, operands: Operands, context: "Context") -> Variable:
    return integer(None if _any_null(operands) else math.trunc(operands[0].number()))


def _round(node: Node, operands: Operands, context: "Context") -> Variable:
    """The integer n for all values in [n − 0.5, n + 0.5)."""
    return integer(None if _any_null(operands) else math.floor(operands[0].number() + Fraction(1, 2)))


def _round_to(node: Node, operands: Operands, context: "Context") -> Variable:
    figures = context.whole(node, "figures")
    if _any_null(operands) or figures is None:
        return floating(None)
    return floating(rounded(operands[0].number(), node.get("rounding-mode", "significantFigures"), figures))


def _integer_to_float(node: Node, operands: Operands, context: "Context") -> Variable:
    operand = operands[0]
    if operand.null:
        return Variable("float", operand.cardinality)
    return Variable("float", operand.cardinality, tuple(_numbers(operands) or ()))


_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "sec": lambda x: 1 / math.cos(x), "csc": lambda x: 1 / math.sin(x), "cot": lambda x: 1 / math.tan(x),
    "asin": math.asin, "acos": math.acos, "atan": math.atan,
    "asec": lambda x: math.acos(1 / x), "acsc": lambda x: math.asin(1 / x),
    "acot": lambda x: math.pi / 2 - math.atan(x),
    "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh,
    "sech": lambda x: 1 / math.cosh(x), "csch": lambda x: 1 / math.sinh(x), "coth": lambda x: 1 / math.tanh(x),
    "log": math.log10, "ln": math.log, "exp": math.exp, "toDegrees": math.degrees, "toRadians": math.radians,
}  # fmt: skip


def _math_operator(node: Node, operands: Operands, context: "Context") -> Variable:
    name = node.get("name")
    if len(operands) != (2 if name == "atan2" else 1):
        raise ItemError("expression-children", name=name, number=len(operands))
    if _any_null(operands):
        return floating(None)
    x = operands[0].number()
    if name == "atan2":
        return floating(_float(lambda: math.atan2(x, operands[1].number())))
    if name in ("floor", "ceil"):
        return integer(math.floor(x) if name == "floor" else math.ceil(x))
    if name == "abs":
        return _typed(abs(x), operands)
    if name == "signum":
        return integer((x > 0) - (x < 0))
    if name not in _FUNCTIONS:
        raise ItemError("expression-attribute", attribute="name", name=node.name, value=name)
    return floating(_float(lambda: _FUNCTIONS[name](float(x))))


def _stats_operator(node: Node, operands: Operands, context: "Context") -> Variable:
    """mean, sampleVariance, sampleSD, popVariance, popSD of a container; samples of one have no variance."""
    numbers = _numbers(operands)
    name = node.get("name")
    if name not in ("mean", "sampleVariance", "sampleSD", "popVariance", "popSD"):
        raise ItemError("expression-attribute", attribute="name", name=node.name, value=name)
    if numbers is None:
        return floating(None)
    mean = sum(numbers, Fraction(0)) / len(numbers)
    if name == "mean":
        return floating(mean)
    divisor = len(numbers) - name.startswith("sample")
    if divisor == 0:
        return floating(None)
    variance = sum(((number - mean) ** 2 for number in numbers), Fraction(0)) / divisor
    if name.endswith("Variance"):
        return floating(variance)
    root = _exact_root(variance, Fraction(1, 2))
    return floating(root if root is not None else _float(lambda: math.sqrt(variance)))


def _is_null(node: Node, operands: Operands, context: "Context") -> Variable:
    return boolean(operands[0].null)


def _container_size(node: Node, operands: Operands, context: "Context") -> Variable:
    return integer(0 if operands[0].null else len(operands[0].items))


def _member(node: Node, operands: Operands, context: "Context") -> Variable:
    if _any_null(operands):
        return boolean(None)
    return boolean(_key(operands[0].items[0]) in [_key(item) for item in operands[1].items])


def _contains(node: Node, operands: Operands, context: "Context") -> Variable:
    """Bags: every value as often; ordered: the second is an unbroken stretch of the first."""
    if _any_null(operands):
        return boolean(None)
    whole, part = ([_key(item) for item in operand.items] for operand in operands)
    if operands[0].cardinality == "ordered":
        spots = range(len(whole) - len(part) + 1)
        return boolean(any(whole[start : start + len(part)] == part for start in spots))
    return boolean(not Counter(part) - Counter(whole))


def _container(cardinality: str) -> Operator:
    def operator(node: Node, operands: Operands, context: "Context") -> Variable:
        items = tuple(item for operand in operands for item in operand.items if not operand.null)
        base = next((operand.base for operand in operands if not operand.null), "")
        if len(items) > context.most // 20:
            raise ItemError("expression-size")
        return Variable(base, cardinality, items)

    return operator


def _index(node: Node, operands: Operands, context: "Context") -> Variable:
    n = context.whole(node, "n")
    operand = operands[0]
    if operand.null or n is None or not 1 <= n <= len(operand.items):
        return Variable(operand.base)
    return Variable(operand.base, "single", (operand.items[n - 1],))


def _delete(node: Node, operands: Operands, context: "Context") -> Variable:
    """The container without any value equal to the first operand."""
    one, container = operands
    if _any_null(operands):
        return Variable(container.base, container.cardinality)
    kept = tuple(item for item in container.items if _key(item) != _key(one.items[0]))
    return Variable(container.base, container.cardinality, kept)


def _field_value(node: Node, operands: Operands, context: "Context") -> Variable:
    wanted = node.get("field-identifier")
    for (name, base), item in zip(operands[0].fields, operands[0].items, strict=False):
        if name == wanted:
            return Variable(base, "single", (item,))
    return NULL


def _random(node: Node, operands: Operands, context: "Context") -> Variable:
    operand = operands[0]
    if operand.null:
        return Variable(operand.base)
    return Variable(operand.base, "single", (operand.items[context.chance.below(len(operand.items))],))


def repeat(node: Node, context: "Context") -> Variable:
    """The operands' values, evaluated anew each time, as one ordered container; NULLs are left out."""
    times = context.whole(node, "number-repeats")
    if times is None or times < 1:
        return NULL
    items: list[Inner] = []
    base = ""
    for _ in range(times):
        for child in node.children:
            value = context.evaluate(child)
            if not value.null:
                base = base or value.base
                items.extend(value.items)
        context.spend()
    return Variable(base, "ordered", tuple(items))


OPERATORS: dict[str, tuple[int, int | None, Operator]] = {
    "and": (1, None, _and),
    "or": (1, None, _or),
    "not": (1, 1, _not),
    "any-n": (1, None, _any_n),
    "match": (2, 2, _match),
    "equal": (2, 2, _equal),
    "equal-rounded": (2, 2, _equal_rounded),
    "string-match": (2, 2, _string_match),
    "substring": (2, 2, _substring),
    "pattern-match": (1, 1, _pattern_match),
    "inside": (1, 1, _inside),
    "lt": (2, 2, _comparison(lambda x, y: x < y)),
    "gt": (2, 2, _comparison(lambda x, y: x > y)),
    "lte": (2, 2, _comparison(lambda x, y: x <= y)),
    "gte": (2, 2, _comparison(lambda x, y: x >= y)),
    "duration-lt": (2, 2, _comparison(lambda x, y: x < y)),
    "duration-gte": (2, 2, _comparison(lambda x, y: x >= y)),
    "sum": (1, None, _sum),
    "product": (1, None, _product),
    "subtract": (2, 2, _subtract),
    "divide": (2, 2, _divide),
    "power": (2, 2, _power),
    "integer-divide": (2, 2, _integer_divide),
    "integer-modulus": (2, 2, _integer_modulus),
    "gcd": (1, None, _gcd),
    "lcm": (1, None, _lcm),
    "min": (1, None, _extreme(min)),
    "max": (1, None, _extreme(max)),
    "truncate": (1, 1, _truncate),
    "round": (1, 1, _round),
    "round-to": (1, 1, _round_to),
    "integer-to-float": (1, 1, _integer_to_float),
    "math-operator": (1, 2, _math_operator),
    "stats-operator": (1, 1, _stats_operator),
    "is-null": (1, 1, _is_null),
    "container-size": (1, 1, _container_size),
    "member": (2, 2, _member),
    "contains": (2, 2, _contains),
    "multiple": (0, None, _container("multiple")),
    "ordered": (0, None, _container("ordered")),
    "index": (1, 1, _index),
    "delete": (2, 2, _delete),
    "field-value": (1, 1, _field_value),
    "random": (1, 1, _random),
}
