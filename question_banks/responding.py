"""Which responses are well formed: shape, known identifiers, numbers of them, size. Says nothing about right or wrong."""

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from question_banks.declarations import KINDS, Interaction, ResponseDeclaration
from question_banks.limits import Limits
from question_banks.problems import Acceptance, declare
from question_banks.values import Scalar, Value, read

if TYPE_CHECKING:
    from question_banks.model import Item

declare(
    {
        "responses-not-mapping": "Responses must be an object from response identifiers to values.",
        "response-unknown": "The item has no response {response}.",
        "response-not-value": "The response {response} must be text, a number, true or false, or a list of these.",
        "response-not-single": "The response {response} takes one value only.",
        "response-too-many": "The response {response} takes at most {most} values.",
        "response-too-long": "The response {response} is longer than {most} characters.",
        "response-not-type": "The response {response} must be of the type {base}.",
        "response-choice-unknown": "The response {response} names a choice that the item does not have.",
        "response-repeated": "The response {response} names the same choice twice.",
        "response-pair-too-often": "The response {response} uses a choice more often than allowed.",
        "response-out-of-range": "The response {response} must be from {lower} to {upper}.",
        "response-control-characters": "The response {response} contains characters that no text may contain.",
    }
)

_LETTER = re.compile(r"\w")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_IDENTIFIERS = frozenset(("identifier", "pair", "directedPair"))


def count_words(text: str) -> int:
    """Words as an examiner counts them: stretches between spaces that hold a letter or digit (in Vietnamese, syllables)."""
    return sum(1 for part in text.split() if _LETTER.search(part))


def identified(item: "Item", responses: Mapping[str, Value]) -> dict[str, Value]:
    """The responses with the tokens of the presentation replaced by the identifiers of the choices."""
    result: dict[str, Value] = {}
    for name, value in responses.items():
        declaration = item.declared.get(name)
        if declaration is None or declaration.base not in _IDENTIFIERS:
            result[name] = value
            continue
        names = {token: known for known, token in item.tokens.get(name, {}).items()}

        def known(part: Scalar, names: dict[str, str] = names) -> Scalar:
            return " ".join(names.get(word, word) for word in part.split()) if isinstance(part, str) else part

        if isinstance(value, (tuple, list)):
            result[name] = tuple(known(part) for part in value)
        else:
            result[name] = value if value is None else known(value)
    return result


def accepts(item: "Item", responses: object, limits: Limits) -> Acceptance:
    if not isinstance(responses, Mapping):
        return Acceptance("responses-not-mapping")
    interactions = {i.response: i for i in item.interactions}
    for name, value in responses.items():
        declaration = item.declared.get(name) if isinstance(name, str) else None
        if declaration is None:
            return _refuse("response-unknown", str(name)[:80])
        verdict = _accepts_one(item, declaration, interactions.get(name), value, limits)
        if not verdict:
            return verdict
    return Acceptance()


def _refuse(code: str, response: str, **parameters: object) -> Acceptance:
    words = {"response": response} | {name: str(value) for name, value in parameters.items()}
    return Acceptance(code, response, words)


def _accepts_one(
    item: "Item",
    declaration: ResponseDeclaration,
    interaction: Interaction | None,
    value: object,
    limits: Limits,
) -> Acceptance:
    name = declaration.id
    if value is None:
        return Acceptance()
    several = isinstance(value, (list, tuple))
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    if several and declaration.cardinality == "single" and len(values) > 1:
        return _refuse("response-not-single", name)
    if len(values) > limits.response_values:
        return _refuse("response-too-many", name, most=limits.response_values)
    for scalar in values:
        if not isinstance(scalar, (str, bool, int, Decimal)):
            return _refuse("response-not-value", name)
        if isinstance(scalar, int) and abs(scalar) >= 10**30:
            return _refuse("response-too-long", name, most=30)
        if isinstance(scalar, Decimal) and (not scalar.is_finite() or abs(scalar.adjusted()) > 30):
            return _refuse("response-not-type", name, base=declaration.base)
        if isinstance(scalar, str):
            typed = interaction is not None and interaction.kind in ("text-entry", "extended-text")
            most = limits.response_size if typed else 2_000
            if len(scalar) > most:
                return _refuse("response-too-long", name, most=most)
            if _FORBIDDEN.search(scalar):
                return _refuse("response-control-characters", name)
            if typed:
                continue
        try:
            read(declaration.base, scalar)
        except (ValueError, TypeError):
            if scalar != "" or declaration.cardinality != "single":
                return _refuse("response-not-type", name, base=declaration.base)
    if interaction is None:
        return Acceptance()
    return _fits(item, declaration, interaction, [v for v in values if v != ""])


def _fits(
    item: "Item", declaration: ResponseDeclaration, interaction: Interaction, values: list[object]
) -> Acceptance:
    """Known identifiers, each often enough, not too many."""
    name = declaration.id
    if interaction.kind == "slider" and values:
        position = read("float", values[0])  # type: ignore[arg-type]
        lower, upper = interaction.lower, interaction.upper
        if isinstance(position, Fraction) and not (
            (lower is None or lower <= position) and (upper is None or position <= upper)
        ):
            return _refuse("response-out-of-range", name, lower=lower, upper=upper)
    most = interaction.max_choices
    if (
        declaration.cardinality != "single"
        and most
        and len(values) > most
        and interaction.kind not in ("order",)
    ):
        return _refuse("response-too-many", name, most=most)
    if declaration.base not in _IDENTIFIERS or not KINDS[interaction.kind].source:
        return Acceptance()
    names = {token: known for known, token in item.tokens[name].items()}
    texts = ["true" if v is True else "false" if v is False else str(v) for v in values]
    if declaration.base == "identifier":
        known = {choice.id for choice in interaction.everything()}
        chosen = [names.get(text, text) for text in texts]
        if any(text not in known for text in chosen):
            return _refuse("response-choice-unknown", name)
        return _refuse("response-repeated", name) if len(set(chosen)) < len(chosen) else Acceptance()
    return _pairs_fit(
        name, declaration.base, interaction, [[names.get(w, w) for w in text.split()] for text in texts]
    )


def _pairs_fit(name: str, base: str, interaction: Interaction, pairs: list[list[str]]) -> Acceptance:
    first = {choice.id: choice for choice in interaction.choices or interaction.targets}
    second = {choice.id: choice for choice in interaction.targets or interaction.choices}
    used: dict[str, int] = {}
    if any(left not in first or right not in second for left, right in pairs):
        return _refuse("response-choice-unknown", name)
    keys = [tuple(pair) if base == "directedPair" else tuple(sorted(pair)) for pair in pairs]
    if len(set(keys)) < len(keys):
        return _refuse("response-repeated", name)
    for pair in pairs:
        for word in pair:
            used[word] = used.get(word, 0) + 1
    for word, times in used.items():
        most = (first.get(word) or second[word]).match_max
        if most and times > most:
            return _refuse("response-pair-too-often", name)
    return Acceptance()
