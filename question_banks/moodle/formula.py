"""Moodle's formulas ("{a} + sqrt({b})") as QTI expressions and back."""

import re

from question_banks.declarations import Node
from question_banks.problems import ItemError, declare

declare(
    {
        "formula-broken": "The formula {formula} cannot be read.",
        "formula-function": "The formula {formula} uses {name}, which cannot be carried over.",
    }
)

_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(\{[A-Za-z_]\w*\})|([A-Za-z_]\w*)|(\*\*|[-+*/(),]))"
)
_MATH = {
    "abs": "abs", "acos": "acos", "asin": "asin", "atan": "atan", "atan2": "atan2", "ceil": "ceil", "cos": "cos",
    "cosh": "cosh", "deg2rad": "toRadians", "exp": "exp", "floor": "floor", "log": "ln", "log10": "log",
    "rad2deg": "toDegrees", "sin": "sin", "sinh": "sinh", "tan": "tan", "tanh": "tanh",
}  # fmt: skip
_BACK = {operator: name for name, operator in _MATH.items()}


def constant(text: str) -> Node:
    return Node("base-value", (("base-type", "float"),), (), text)


def variable(name: str) -> Node:
    return Node("variable", (("identifier", name),))


def read(formula: str) -> Node:
    """The formula as an expression; ItemError when it is wrong or uses what QTI has no expression for."""
    return _Parser(formula).whole()


class _Parser:
    def __init__(self, formula: str) -> None:
        self.formula = formula.strip()
        self.tokens: list[str] = []
        at = 0
        while at < len(self.formula):
            found = _TOKEN.match(self.formula, at)
            if not found or found.end() == at or len(self.tokens) > 500:
                raise ItemError("formula-broken", formula=self.formula)
            self.tokens.append(found[found.lastindex or 0].strip())
            at = found.end()
        self.at = 0
        self.depth = 0

    def whole(self) -> Node:
        result = self.sum()
        if self.at < len(self.tokens):
            raise ItemError("formula-broken", formula=self.formula)
        return result

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.peek()
        if not token or (wanted and token not in wanted):
            raise ItemError("formula-broken", formula=self.formula)
        self.at += 1
        return token

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > 60:
            raise ItemError("formula-broken", formula=self.formula)
        result = self.product()
        while self.peek() in ("+", "-") and self.peek():
            result = Node("sum" if self.take() == "+" else "subtract", (), (result, self.product()))
        self.depth -= 1
        return result

    def product(self) -> Node:
        result = self.signed()
        while self.peek() in ("*", "/") and self.peek():
            result = Node("product" if self.take() == "*" else "divide", (), (result, self.signed()))
        return result

    def signed(self) -> Node:
        signs = 0
        while self.peek() in ("-", "+") and self.peek():
            signs += self.take() == "-"
        result = self.power()
        return Node("subtract", (), (constant("0"), result)) if signs % 2 else result

    def power(self) -> Node:
        base = self.atom()
        if self.peek() == "**":
            self.take()
            self.depth += 1
            if self.depth > 60:
                raise ItemError("formula-broken", formula=self.formula)
            result = Node("power", (), (base, self.signed()))
            self.depth -= 1
            return result
        return base

    def atom(self) -> Node:
        token = self.take()
        if token == "(":  # noqa: S105 - a bracket
            inner = self.sum()
            self.take(")")
            return inner
        if token[0] == "{":
            return variable(token[1:-1])
        if token[0].isdigit() or token[0] == ".":
            return constant(token)
        if token[0].isalpha() or token[0] == "_":
            return self.call(token)
        raise ItemError("formula-broken", formula=self.formula)

    def call(self, name: str) -> Node:
        self.take("(")
        arguments: list[Node] = []
        if self.peek() != ")":
            arguments.append(self.sum())
            while self.peek() == ",":
                self.take()
                arguments.append(self.sum())
        self.take(")")
        return self.function(name, tuple(arguments))

    def function(self, name: str, arguments: tuple[Node, ...]) -> Node:
        count = len(arguments)
        if name == "pi" and count == 0:
            return Node("math-constant", (("name", "pi"),))
        if name == "sqrt" and count == 1:
            return Node("power", (), (arguments[0], constant("0.5")))
        if name == "pow" and count == 2:
            return Node("power", (), arguments)
        if name in ("min", "max") and count >= 1:
            return Node(name, (), arguments)
        if name == "round" and count in (1, 2):
            places = arguments[1].text if count == 2 else "0"
            if not re.fullmatch(r"\d{1,2}", places):
                raise ItemError("formula-function", formula=self.formula, name="round")
            return Node(
                "round-to", (("figures", places), ("rounding-mode", "decimalPlaces")), (arguments[0],)
            )
        if name in _MATH and count == (2 if name == "atan2" else 1):
            return Node("math-operator", (("name", _MATH[name]),), arguments)
        raise ItemError("formula-function", formula=self.formula, name=name)


def write(node: Node) -> str:
    """The expression as a formula; ItemError for what Moodle's formulas cannot say."""
    inner = [write(child) for child in node.children]
    signs = {"sum": "+", "subtract": "-", "product": "*", "divide": "/"}
    if node.name in signs and len(inner) >= 2:
        return "(" + signs[node.name].join(inner) + ")"
    if node.name == "base-value":
        return node.text.strip()
    if node.name == "variable":
        return "{" + node.get("identifier") + "}"
    if node.name == "power":
        return f"sqrt({inner[0]})" if node.children[1].text == "0.5" else f"pow({inner[0]},{inner[1]})"
    if node.name in ("min", "max"):
        return f"{node.name}({','.join(inner)})"
    if node.name == "math-constant" and node.get("name") == "pi":
        return "pi()"
    if node.name == "round-to":
        return f"round({inner[0]},{node.get('figures')})"
    if node.name == "math-operator" and node.get("name") in _BACK:
        return f"{_BACK[node.get('name')]}({','.join(inner)})"
    raise ItemError("formula-function", formula=node.name, name=node.name)
