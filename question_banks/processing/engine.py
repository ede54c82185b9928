"""Response processing: rules run over variables (QTI 3.0 information model, "ResponseProcessing")."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from question_banks.chance import Chance
from question_banks.declarations import Node, OutcomeDeclaration
from question_banks.problems import ItemError, declare
from question_banks.processing.expressions import Context
from question_banks.processing.variables import Variable, from_texts
from question_banks.values import Inner, exact, read

if TYPE_CHECKING:
    from question_banks.model import Item

declare(
    {
        "rule-unknown": "The processing rule {name} cannot be run.",
        "rule-expression": "The rule {name} needs exactly one expression.",
        "rule-outcome": "The rule sets {name}, which is not declared.",
        "rule-type": "The rule gives {name} a value of the type {given}; it is declared as {declared}.",
        "rule-table": "The outcome {name} has no lookup table.",
    }
)

_NUMBERS = frozenset(("integer", "float"))


class Exit(Exception):
    """The rules end here."""


def process(item: "Item", given: Mapping[str, tuple[Inner, ...]]) -> dict[str, Variable]:
    """The variables after response processing; chance comes from the item's digest, the same for everyone."""
    context = context_of(item, given, Chance(item.digest, "response processing"))
    outcomes = {outcome.id: outcome for outcome in item.outcomes}
    if item.processing is not None:
        try:
            run(item.processing.children, context, _setters(outcomes), "response")
        except Exit:
            pass
        except RecursionError:
            raise ItemError("processing-too-deep", most="the interpreter's") from None
    return context.variables


def context_of(item: "Item", given: Mapping[str, tuple[Inner, ...]], chance: Chance) -> Context:
    """All variables of an item before its rules: responses, outcomes at their defaults, template variables."""
    variables: dict[str, Variable] = {
        "numAttempts": Variable("integer", "single", (1,)),
        "duration": Variable("duration"),
        "completionStatus": Variable("identifier", "single", ("completed",)),
    }
    correct, defaults = {}, {}
    for response in item.responses:
        items = tuple(_as_declared(value, response.base) for value in given.get(response.id, ()))
        kept = tuple(value for value in items if value is not None)
        variables[response.id] = Variable(
            response.base, response.cardinality, kept if len(kept) == len(items) else ()
        )
        correct[response.id] = from_texts(response.base, response.cardinality, response.correct)
        defaults[response.id] = from_texts(response.base, response.cardinality, response.default)
    for template in item.templates:
        variables[template.id] = from_texts(template.base, template.cardinality, template.default)
        defaults[template.id] = variables[template.id]
    for outcome in item.outcomes:
        default = from_texts(outcome.base, outcome.cardinality, outcome.default)
        defaults[outcome.id] = default
        if default.null and outcome.cardinality == "single" and outcome.base in _NUMBERS:
            default = from_texts(outcome.base, "single", ["0"])
        variables[outcome.id] = default
    mappings = {response.id: (response.mapping, response.areas) for response in item.responses}
    return Context(variables, correct, defaults, mappings, chance)


def _as_declared(value: Inner, base: str) -> Inner | None:
    """A typed number that is no number counts as no response."""
    return None if base in ("float", "integer") and isinstance(value, str) else value


Setter = Callable[[Node, Variable, Context], None]


def _setters(outcomes: Mapping[str, OutcomeDeclaration]) -> Mapping[str, Setter]:
    def set_outcome(node: Node, value: Variable, context: Context) -> None:
        name = node.get("identifier")
        if name not in outcomes:
            raise ItemError("rule-outcome", name=name)
        outcome = outcomes[name]
        context.variables[name] = converted(value, outcome.base, outcome.cardinality, name)

    def look_up(node: Node, value: Variable, context: Context) -> None:
        name = node.get("identifier")
        if name not in outcomes:
            raise ItemError("rule-outcome", name=name)
        context.variables[name] = looked_up(outcomes[name], value)

    return {"set-outcome-value": set_outcome, "lookup-outcome-value": look_up}


def converted(value: Variable, base: str, cardinality: str, name: str) -> Variable:
    """The value as a variable is declared: integers become floats, a single value a container of one."""
    if value.null:
        return Variable(base, cardinality)
    if value.cardinality == "record" or cardinality == "record":
        return value
    if cardinality == "single" and len(value.items) != 1:
        raise ItemError("rule-type", name=name, given=value.cardinality, declared=cardinality)
    items: list[Inner] = []
    for item in value.items:
        try:
            if base == "integer" and not isinstance(item, (bool, str, tuple)) and item == int(item):
                items.append(int(item))
            elif isinstance(item, tuple):
                items.append(read(base, f"{item[0]} {item[1]}"))
            else:
                items.append(read(base, item))
        except (ValueError, TypeError):
            raise ItemError("rule-type", name=name, given=value.base, declared=base) from None
    return Variable(base, cardinality, tuple(items))


def looked_up(outcome: OutcomeDeclaration, value: Variable) -> Variable:
    """The outcome's value for a number, by match table or interpolation table; its default where none fits."""
    table = outcome.table
    if table is None:
        raise ItemError("rule-table", name=outcome.id)
    target = table.get("default-value")
    if not value.null:
        number = value.number()
        for entry in table.children:
            try:
                source = exact(entry.get("source-value"))
            except ValueError:
                raise ItemError("processing-value", value=entry.get("source-value"), base="float") from None
            if table.name == "match-table":
                fits = number == source
            else:
                fits = number > source or (
                    number == source and entry.get("include-boundary", "true") == "true"
                )
            if fits:
                target = entry.get("target-value")
                break
    return from_texts(outcome.base, outcome.cardinality, [target] if target else [])


def run(rules: tuple[Node, ...], context: Context, setters: Mapping[str, Setter], family: str) -> None:
    """Runs rules in order; `family` is "response" or "template", the first word of their conditions."""
    for rule in rules:
        context.spend()
        if rule.name in setters:
            if len(rule.children) != 1:
                raise ItemError("rule-expression", name=rule.name)
            setters[rule.name](rule, context.evaluate(rule.children[0]), context)
        elif rule.name == f"{family}-condition":
            _condition(rule, context, setters, family)
        elif rule.name == f"exit-{family}":
            raise Exit
        elif rule.name in ("response-processing-fragment", "outcome-processing-fragment"):
            run(rule.children, context, setters, family)
        else:
            raise ItemError("rule-unknown", name=rule.name)


def _condition(rule: Node, context: Context, setters: Mapping[str, Setter], family: str) -> None:
    """The first branch whose expression is true; NULL counts as false."""
    for branch in rule.children:
        if branch.name == f"{family}-else":
            run(branch.children, context, setters, family)
            return
        if branch.name not in (f"{family}-if", f"{family}-else-if") or not branch.children:
            raise ItemError("rule-unknown", name=branch.name)
        if context.evaluate(branch.children[0]).truth():
            run(branch.children[1:], context, setters, family)
            return
