"""The whole expression language of QTI (3.0 information model, "Expressions"), exact where arithmetic is.

Any operator given NULL where it needs a value gives NULL. Numbers are Fractions: 0.1 + 0.2 is 0.3. Functions without
exact values (sin, ln, roots) are calculated in floating point and kept as the shortest decimal that gives the same
float. What QTI makes an infinity or NaN is NULL here.
"""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from question_banks.chance import Chance
from question_banks.declarations import AreaMapped, Mapped, Node
from question_banks.limits import LIMITS
from question_banks.problems import ItemError, declare
from question_banks.processing.operators import OPERATORS, from_float, repeat
from question_banks.processing.shapes import inside
from question_banks.processing.variables import NULL, Variable, floating, from_texts, integer
from question_banks.values import BASE_TYPES, Inner, exact

declare(
    {
        "expression-unknown": "The expression {name} is not known in response processing of an item.",
        "expression-children": "The expression {name} has {number} operands, which is a wrong number.",
        "expression-variable": "The variable {name} is not declared.",
        "expression-attribute": "The attribute {attribute} of {name} is {value}, which cannot be used.",
        "expression-mapping": "The response {name} has no mapping.",
        "expression-steps": "The processing takes more than {most} steps.",
        "expression-size": "The processing makes a value that is too large.",
        "expression-pattern": "The pattern {pattern} cannot be used: {reason}",
    }
)

_NUMERIC = frozenset(("integer", "float", "duration"))
_MOST_DIGITS = 4_000


class Context:
    """What expressions see: variables by name, declarations of responses, chance, and a budget of steps."""

    def __init__(
        self,
        variables: dict[str, Variable],
        correct: Mapping[str, Variable],
        defaults: Mapping[str, Variable],
        mappings: Mapping[str, tuple[Mapped | None, AreaMapped | None]],
        chance: Chance,
        steps: int = LIMITS.evaluation_steps,
    ) -> None:
        self.variables = variables
        self.correct = dict(correct)
        self.defaults = dict(defaults)
        self.mappings = mappings
        self.chance = chance
        self.steps = self.most = steps

    def spend(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise ItemError("expression-steps", most=self.most)

    def variable(self, name: str) -> Variable:
        if name not in self.variables:
            raise ItemError("expression-variable", name=name)
        return self.variables[name]

    def evaluate(self, node: Node) -> Variable:
        """The value of an expression."""
        self.spend()
        if node.name in LEAVES:
            return LEAVES[node.name](node, self)
        if node.name == "repeat":
            return repeat(node, self)
        if node.name not in OPERATORS:
            raise ItemError("expression-unknown", name=node.name)
        least, most, operator = OPERATORS[node.name]
        if not least <= len(node.children) <= (most or len(node.children)):
            raise ItemError("expression-children", name=node.name, number=len(node.children))
        return operator(node, [self.evaluate(child) for child in node.children], self)

    def whole(self, node: Node, name: str, default: int | None = None) -> int | None:
        """An attribute that is an integer or names a variable; None when that is NULL."""
        value = self.real(node, name, None if default is None else Fraction(default))
        if value is not None and value.denominator != 1:
            raise ItemError("expression-attribute", attribute=name, name=node.name, value=node.get(name))
        return None if value is None else int(value)

    def real(self, node: Node, name: str, default: Fraction | None = None) -> Fraction | None:
        """The same for any number."""
        text = node.get(name).strip().strip("{}")
        if not text and default is not None:
            return default
        try:
            return exact(text)
        except ValueError:
            pass
        if text not in self.variables:
            raise ItemError("expression-attribute", attribute=name, name=node.name, value=node.get(name))
        value = self.variables[text]
        return None if value.null else value.number()

    def string(self, node: Node, name: str) -> str:
        """An attribute that is text or names a variable."""
        text = node.get(name)
        value = self.variables.get(text.strip().strip("{}"))
        return value.texts()[0] if value is not None and not value.null else text


# Expressions without operands


def _base_value(node: Node, context: Context) -> Variable:
    base = node.get("base-type")
    if base not in BASE_TYPES:
        raise ItemError("expression-attribute", attribute="base-type", name=node.name, value=base)
    text = node.text if base == "string" else node.text.strip()
    return from_texts(base, "single", [text] if text or base == "string" else [])


def _variable(node: Node, context: Context) -> Variable:
    return context.variable(node.get("identifier"))


def _correct(node: Node, context: Context) -> Variable:
    name = node.get("identifier")
    if name not in context.correct:
        raise ItemError("expression-variable", name=name)
    return context.correct[name]


def _default(node: Node, context: Context) -> Variable:
    name = node.get("identifier")
    if name not in context.defaults:
        raise ItemError("expression-variable", name=name)
    return context.defaults[name]


def _map_response(node: Node, context: Context) -> Variable:
    name = node.get("identifier")
    mapping = context.mappings.get(name, (None, None))[0]
    if mapping is None:
        raise ItemError("expression-mapping", name=name)
    value = context.variable(name)
    return floating(mapped(value.items, mapping, value.base))


def _map_response_point(node: Node, context: Context) -> Variable:
    name = node.get("identifier")
    areas = context.mappings.get(name, (None, None))[1]
    if areas is None:
        raise ItemError("expression-mapping", name=name)
    return floating(area_mapped(context.variable(name).items, areas))


def _math_constant(node: Node, context: Context) -> Variable:
    constants = {"pi": math.pi, "e": math.e}
    if node.get("name") not in constants:
        raise ItemError("expression-attribute", attribute="name", name=node.name, value=node.get("name"))
    return floating(from_float(constants[node.get("name")]))


def _random_integer(node: Node, context: Context) -> Variable:
    low, high, step = (
        context.whole(node, "min", 0),
        context.whole(node, "max"),
        context.whole(node, "step", 1),
    )
    if low is None or high is None or step is None:
        return integer(None)
    if step <= 0 or high < low:
        raise ItemError("expression-attribute", attribute="max", name=node.name, value=high)
    return integer(low + step * context.chance.below((high - low) // step + 1))


def _random_float(node: Node, context: Context) -> Variable:
    low, high = context.real(node, "min", Fraction(0)), context.real(node, "max")
    if low is None or high is None:
        return floating(None)
    return floating(from_float(float(low + (high - low) * context.chance.fraction())))


LEAVES: dict[str, Callable[[Node, Context], Variable]] = {
    "base-value": _base_value,
    "variable": _variable,
    "correct": _correct,
    "default": _default,
    "map-response": _map_response,
    "map-response-point": _map_response_point,
    "math-constant": _math_constant,
    "null": lambda node, context: NULL,
    "random-integer": _random_integer,
    "random-float": _random_float,
}


def bounded(value: Fraction, lower: Fraction | None, upper: Fraction | None) -> Fraction:
    if lower is not None and value < lower:
        return lower
    return upper if upper is not None and value > upper else value


def mapped(items: tuple[Inner, ...], mapping: Mapped, base: str) -> Fraction:
    """mapResponse: each distinct value counts once; a value without an entry counts the default."""
    total = Fraction(0)
    for item in dict.fromkeys(items):
        total += next(
            (e.value for e in mapping.entries if _is_key(item, e.key, e.case, base)), mapping.default
        )
    return bounded(total, mapping.lower, mapping.upper)


def _is_key(item: Inner, key: str, case: bool, base: str) -> bool:
    if isinstance(item, str):
        return item == key or (not case and base == "string" and item.casefold() == key.casefold())
    try:
        return from_texts(base, "single", [key]).items[0] == item
    except ItemError:
        return False


def area_mapped(items: tuple[Inner, ...], areas: AreaMapped) -> Fraction:
    """mapResponsePoint: an area counts once however many points fall into it; a point outside all areas counts the
    default; of overlapping areas the first counts."""
    total = Fraction(0)
    used: set[int] = set()
    for item in items:
        if not (isinstance(item, tuple) and isinstance(item[0], int) and isinstance(item[1], int)):
            continue
        at = (item[0], item[1])
        hit = next((n for n, e in enumerate(areas.entries) if inside(at, e.shape, e.coordinates)), None)
        if hit is None:
            total += areas.default
        elif hit not in used:
            used.add(hit)
            total += areas.entries[hit].value
    return bounded(total, areas.lower, areas.upper)
