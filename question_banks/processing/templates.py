"""Template processing: an item with variables becomes one instance by a seed (QTI 3.0, "TemplateProcessing")."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from question_banks.chance import Chance, Seed
from question_banks.declarations import Answer, Choice, Interaction, Node, Rule
from question_banks.markup import PLACEHOLDER, Text, html_of_plain, markdown_of_plain
from question_banks.problems import ItemError, declare
from question_banks.processing.engine import Exit, Setter, context_of, converted, run
from question_banks.processing.expressions import Context
from question_banks.processing.variables import Variable
from question_banks.values import exact, lexical

if TYPE_CHECKING:
    from question_banks.model import Item

declare(
    {
        "template-constraint": "The template's constraint is not met in {tries} tries.",
        "template-answer": "The answer {value} that the template draws is not a number.",
        "template-variable": "The rule sets {name}, which is not declared.",
    }
)

TRIES = 100  # QTI 3.0 asks for at least 100 before a constraint counts as impossible to meet


class _RetryError(Exception):
    """A template constraint is not met: draw again."""


def instance(item: "Item", seed: Seed) -> "Item":
    """The item with every template variable drawn and put where it stands in texts, answers and declarations."""
    for attempt in range(TRIES):
        chance = Chance(seed, f"template {item.id} {attempt}")
        context = context_of(item, {}, chance)
        try:
            _run(item, context)
        except _RetryError:
            continue
        except RecursionError:
            raise ItemError("processing-too-deep", most="the interpreter's") from None
        return _filled(item, context)
    raise ItemError("template-constraint", tries=TRIES)


def _run(item: "Item", context: Context) -> None:
    templates = {template.id: template for template in item.templates}
    responses = {response.id: response for response in item.responses}
    outcomes = {outcome.id: outcome for outcome in item.outcomes}

    def set_template(node: Node, value: Variable, context: Context) -> None:
        name = node.get("identifier")
        if name not in templates:
            raise ItemError("template-variable", name=name)
        context.variables[name] = converted(value, templates[name].base, templates[name].cardinality, name)

    def set_correct(node: Node, value: Variable, context: Context) -> None:
        name = node.get("identifier")
        if name not in responses:
            raise ItemError("template-variable", name=name)
        context.correct[name] = converted(value, responses[name].base, responses[name].cardinality, name)

    def set_default(node: Node, value: Variable, context: Context) -> None:
        name = node.get("identifier")
        if name not in responses and name not in outcomes:
            raise ItemError("template-variable", name=name)
        declared = responses[name] if name in responses else outcomes[name]
        context.defaults[name] = converted(value, declared.base, declared.cardinality, name)

    def constraint(node: Node, value: Variable, context: Context) -> None:
        if not value.truth():
            raise _RetryError

    setters: Mapping[str, Setter] = {
        "set-template-value": set_template, "set-correct-response": set_correct, "set-default-value": set_default,
        "template-constraint": constraint,
    }  # fmt: skip
    if item.template_processing is not None:
        with suppress(Exit):
            run(item.template_processing.children, context, setters, "template")


def _filled(item: "Item", context: Context) -> "Item":
    values = {template.id: context.variables[template.id] for template in item.templates}
    written = {name: lexical(value.items[0]) for name, value in values.items() if len(value.items) == 1}
    text = _filler(values, {template.id for template in item.templates if template.math})

    def choice(c: Choice) -> Choice:
        return replace(c, text=text(c.text), why=text(c.why), show=None)

    def visible(c: Choice) -> bool:
        if c.show is None:
            return True
        name, wanted, showing = c.show
        present = wanted in (values[name].texts() if name in values else ())
        return present == showing

    def interaction(i: Interaction) -> Interaction:
        return replace(
            i, prompt=text(i.prompt), unit=text(i.unit),
            choices=tuple(choice(c) for c in i.choices if visible(c)),
            targets=tuple(choice(c) for c in i.targets if visible(c)),
        )  # fmt: skip

    def answer(a: Answer, rule: Rule) -> Answer:
        value = PLACEHOLDER.sub(lambda found: written.get(found[1], found[0]), a.value)
        if rule.method == "numeric" and not a.wildcard:
            try:
                exact(value)
            except ValueError:
                raise ItemError("template-answer", value=value) from None
        return replace(a, value=value, feedback=text(a.feedback))

    return replace(
        item,
        body=text(item.body),
        explanation=text(item.explanation),
        guide=text(item.guide),
        interactions=tuple(interaction(i) for i in item.interactions),
        responses=tuple(
            replace(r, correct=context.correct[r.id].texts(), default=context.defaults[r.id].texts())
            for r in item.responses
        ),
        rules=tuple(replace(rule, answers=tuple(answer(a, rule) for a in rule.answers)) for rule in item.rules),
        outcomes=tuple(replace(o, default=context.defaults[o.id].texts()) for o in item.outcomes),
        templates=tuple(replace(t, default=values[t.id].texts()) for t in item.templates),
        template_processing=None,
    )


_CONDITIONAL = re.compile(
    r"\[\[(show|hide) (\w[\w.-]*) ([^\[\]]*)\]\]((?:(?!\[\[(?:show|hide) ).)*?)\[\[end\]\]", re.DOTALL
)


def _filler(values: Mapping[str, Variable], math: set[str]) -> Callable[[Text], Text]:
    """Puts values in place of [[NAME]] and, in MathML, of <mi>NAME</mi>; settles [[show NAME value]] … [[end]]."""

    def conditional(found: re.Match[str]) -> str:
        value = values.get(found[2])
        present = value is not None and found[3] in value.texts()
        return found[4] if present == (found[1] == "show") else ""

    def fill(text: Text) -> Text:
        write = markdown_of_plain if text.form == "markdown" else html_of_plain
        shown = {name: write(" ".join(value.texts())) for name, value in values.items() if not value.null}

        def change(source: str) -> str:
            before = ""
            while before != source:  # from the innermost outwards
                before, source = source, _CONDITIONAL.sub(conditional, source)
            source = PLACEHOLDER.sub(lambda found: shown.get(found[1], found[0]), source)
            for name in math:
                if f">{name}</m" in source:
                    number = f"<mn>{shown.get(name, '')}</mn>"
                    source = re.sub(rf"<mi\b[^<>]*>\s*{re.escape(name)}\s*</mi>", number, source)
            return source

        return text.map(change) if text else text

    return fill
