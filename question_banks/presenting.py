"""What a candidate is shown: plain JSON data without anything of the key, the rubric or the metadata."""

import re
from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from question_banks.chance import Seed, shuffled_around
from question_banks.declarations import Choice, Interaction, Picture
from question_banks.markup import PLACEHOLDER, Text
from question_banks.values import show

if TYPE_CHECKING:
    from question_banks.model import Item

OPEN_IDENTIFIERS = (frozenset(("true", "false")),)  # say nothing: shown as they are
WORDS = {"true": {"vi": "Đúng", "en": "True"}, "false": {"vi": "Sai", "en": "False"}}
_MEDIA = re.compile(r'(src=")media/')


def tokens(digest: str, interaction: Interaction) -> Mapping[str, str]:
    """Identifier → token, for the choices and targets of one interaction."""
    names = [choice.id for choice in interaction.everything()]
    if frozenset(names) in OPEN_IDENTIFIERS:
        return MappingProxyType({name: name for name in names})
    label = f"{digest}\x1f{interaction.response}\x1f"
    return MappingProxyType({name: "c" + sha256((label + name).encode()).hexdigest()[:12] for name in names})


def present(item: "Item", language: str, seed: Seed, media: str) -> dict[str, Any]:
    """`item` for one candidate.

    {"kind", "language", "prompt", "interactions": [...]}; `prompt` is clean HTML in which an interaction that belongs
    inside the text stands as <span data-interaction="its id"></span>; in an interaction's own prompt a gap or hot text
    stands as <span data-target="its id"></span>. Interactions come in their order, each with "id" (the key of its
    response), "kind", "placed" (whether the prompt names it), "base", "cardinality" and what its kind needs.
    """
    names = {i.response: i.response for i in item.interactions}
    found = set(PLACEHOLDER.findall(item.body.source(language)))
    return {
        "kind": item.kind,
        "language": language,
        "prompt": _html(item.body, language, names, "interaction", media),
        "interactions": [
            _interaction(item, i, language, seed, media, i.response in found) for i in item.interactions
        ],
    }


def _html(
    text: Text, language: str, names: Mapping[str, str], kind: str, media: str, inline: bool = False
) -> str:
    html = text.inline(language) if inline else text.html(language)
    if names:
        html = PLACEHOLDER.sub(
            lambda m: f'<span data-{kind}="{names[m[1]]}"></span>' if m[1] in names else m[0], html
        )
    return _MEDIA.sub(rf"\g<1>{media}", html) if media != "media/" else html


def _interaction(
    item: "Item", interaction: Interaction, language: str, seed: Seed, media: str, placed: bool
) -> dict[str, Any]:
    declaration = item.declared[interaction.response]
    ids = item.tokens[interaction.response]
    targets = {target.id: ids[target.id] for target in interaction.targets}
    result: dict[str, Any] = {
        "id": interaction.response,
        "kind": interaction.kind,
        "inline": interaction.inline,
        "placed": placed,
        "base": declaration.base,
        "cardinality": declaration.cardinality,
        "prompt": _html(interaction.prompt, language, targets, "target", media),
        "min_choices": interaction.min_choices,
        "max_choices": interaction.max_choices,
    }

    def shown(choices: tuple[Choice, ...], part: str, mixed: bool) -> list[dict[str, Any]]:
        order = list(choices)
        if mixed:
            order = shuffled_around(
                order, [c.fixed for c in order], seed, f"{item.digest} {interaction.response} {part}"
            )
        return [_choice(choice, ids[choice.id], language, media) for choice in order]

    if interaction.choices:
        mixed = interaction.shuffle and interaction.kind != "match"
        result["choices"] = shown(interaction.choices, "choices", mixed)
    if interaction.targets:
        mixed = interaction.shuffle and interaction.kind == "match"
        result["targets"] = shown(interaction.targets, "targets", mixed)
    if interaction.words != (None, None):
        result["words"] = {"min": interaction.words[0], "max": interaction.words[1]}
    for name, value in (
        ("lines", interaction.lines),
        ("length", interaction.length),
        ("pattern", interaction.pattern),
    ):
        if value:
            result[name] = value
    for name, bound in (
        ("lower", interaction.lower),
        ("upper", interaction.upper),
        ("step", interaction.step),
    ):
        if bound is not None:
            result[name] = show(bound)
    if interaction.unit:
        result["unit"] = interaction.unit.inline(language)
    if interaction.types:
        result["types"] = list(interaction.types)
    if interaction.picture:
        result["picture"] = _picture(interaction.picture, language, media)
    return result


def _choice(choice: Choice, token: str, language: str, media: str) -> dict[str, Any]:
    html = _html(choice.text, language, {}, "", media, inline=True)
    if not choice.text and choice.id in WORDS:
        html = WORDS[choice.id].get(language, WORDS[choice.id]["en"])
    result: dict[str, Any] = {"id": token, "html": html, "match_max": choice.match_max}
    if choice.shape:
        result |= {"shape": choice.shape, "coordinates": list(choice.coordinates)}
    if choice.picture:
        result["picture"] = _picture(choice.picture, language, media)
    if choice.group:
        result["group"] = list(choice.group)
    return result


def _picture(picture: Picture, language: str, media: str) -> dict[str, Any]:
    return {
        "src": media + picture.media.removeprefix("media/"),
        "width": picture.width,
        "height": picture.height,
        "alt": picture.alternative.plain(language),
    }
