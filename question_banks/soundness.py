"""What must hold inside every item, whichever reader built it: identifiers that are identifiers, each used once, and
references that meet what they name. The one gate behind all readers."""

import re
from collections import Counter
from collections.abc import Iterable

from question_banks.declarations import KINDS, Interaction, ResponseDeclaration
from question_banks.fields import LANGUAGE
from question_banks.limits import Limits
from question_banks.markup import PLACEHOLDER
from question_banks.model import Item
from question_banks.problems import ItemError, declare
from question_banks.processing.shapes import SHAPES

declare(
    {
        "identifier-not-one": "{id} is no identifier; an identifier has letters, digits, '.', '_' and '-' and begins with a letter or digit.",
        "choice-repeated": "The identifier {id} is used twice among the choices.",
        "declaration-repeated": "The identifier {id} is declared twice.",
        "criterion-repeated": "The identifier {id} is used twice among the criteria of the rubric.",
        "response-shared": "Two interactions give the same response {id}.",
        "response-undeclared": "The response {id} is not declared.",
        "correct-unknown": "The correct value {value} of {id} names no choice.",
        "response-type": "The response {id} is declared as {declared}; its interaction gives {given}.",
        "gap-missing": "The gap {id} does not stand in the prompt as [[{id}]].",
        "language-code": "A text is in the language {value}, which is not a code such as vi or en.",
        "marks-range": "The marks {marks} are not between 0 and {most}.",
        "marks-not-decimal": "The marks {marks} are not a finite decimal number.",
        "answer-variable": "The answer {value} is no variable that the item draws.",
        "shape-unknown": "The area of {id} has the shape {shape}; known are circle, rect, ellipse, poly and default.",
        "text-too-long": "A text of the item is longer than {most} characters.",
        "too-many-choices": "The interaction {id} has {number} choices; at most {most} are read.",
    }
)

NAME = re.compile(r"\w[\w.-]{0,199}\Z")  # letters of any script, as in QTI's identifiers
_IDENTIFIERS = frozenset(("identifier", "pair", "directedPair"))


def check(item: Item, limits: Limits) -> None:
    """ItemError for the first thing that does not hold."""
    if not 0 <= item.marks <= limits.marks:
        raise ItemError("marks-range", marks=item.marks, most=limits.marks)
    for _, text in (*item.texts(), *item.hidden_texts(), ("title", item.metadata.title)):
        for language, source in text.values:
            if not LANGUAGE.match(language):
                raise ItemError("language-code", value=language)
            if len(source) > limits.characters:
                raise ItemError("text-too-long", most=limits.characters)
    declared = [
        *(response.id for response in item.responses),
        *(outcome.id for outcome in item.outcomes),
        *(template.id for template in item.templates),
    ]
    _named(declared)
    _once(declared, "declaration-repeated")
    _once([interaction.response for interaction in item.interactions], "response-shared")
    for name in [i.response for i in item.interactions] + [rule.response for rule in item.rules]:
        if name not in item.declared:
            raise ItemError("response-undeclared", id=name)
    _named(criteria := [criterion.id for criterion in item.rubric])
    _once(criteria, "criterion-repeated")
    drawn = {template.id for template in item.templates} if item.template_processing is not None else set()
    for rule in item.rules:
        for answer in rule.answers if rule.method == "numeric" else ():
            if (variable := PLACEHOLDER.fullmatch(answer.value)) and variable[1] not in drawn:
                raise ItemError("answer-variable", value=answer.value)
    for response in item.responses:
        for entry in response.areas.entries if response.areas else ():
            _shaped(response.id, entry.shape)
    for interaction in item.interactions:
        if item.kind == "gap" and any(
            f"[[{interaction.response}]]" not in text for _, text in item.body.values
        ):
            raise ItemError("gap-missing", id=interaction.response)
        choices = [choice.id for choice in interaction.everything()]
        if len(choices) > limits.choices:
            raise ItemError(
                "too-many-choices", id=interaction.response, number=len(choices), most=limits.choices
            )
        _named(choices)
        _once(choices, "choice-repeated")
        for choice in interaction.everything():
            _shaped(choice.id, choice.shape if choice.coordinates else choice.shape or "default")
        _keyed(interaction, item.declared[interaction.response])
        given, base = KINDS[interaction.kind].base, item.declared[interaction.response].base
        if (
            choices
            and (given in _IDENTIFIERS) != (base in _IDENTIFIERS)
            and set(choices) != {"true", "false"}
        ):
            raise ItemError("response-type", id=interaction.response, declared=base, given=given)


def _keyed(interaction: Interaction, response: ResponseDeclaration) -> None:
    """The correct values name choices, pairs one of each side."""
    first = {choice.id for choice in interaction.choices or interaction.targets}
    second = {choice.id for choice in interaction.targets or interaction.choices}
    if not KINDS[interaction.kind].source or response.base not in _IDENTIFIERS:
        return
    for value in response.correct:
        words = value.split()
        sides = (first, second) if response.base != "identifier" else (first | second,)
        if len(words) != len(sides) or any(word not in side for word, side in zip(words, sides, strict=True)):
            raise ItemError("correct-unknown", id=response.id, value=value)


def _shaped(name: str, shape: str) -> None:
    if shape not in SHAPES:
        raise ItemError("shape-unknown", id=name, shape=shape)


def _named(names: Iterable[str]) -> None:
    for name in names:
        if not NAME.match(name):
            raise ItemError("identifier-not-one", id=name)


def _once(names: Iterable[str], code: str) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise ItemError(code, id=name)
