"""What an export lost, found by reading it back and comparing item by item: complete by construction."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from question_banks.conversion import comparable
from question_banks.declarations import Choice, Interaction, Rule
from question_banks.linting import item_media
from question_banks.markup import Text
from question_banks.model import Bank, Item
from question_banks.problems import ProblemLog, declare
from question_banks.renaming import renamed, with_texts

declare(
    {
        "export-lost": "The format does not carry: {field}.",
        "export-changed": "The format carries in another form: {field}.",
        "export-languages": "The format carries one language only; left out: {languages}.",
        "export-unreadable": "The item was written but cannot be read back: {reason}.",
        "export-kind": "Items of the kind {kind} cannot be written in this format.",
    }
)


def report(bank: Bank, written: list[str], read: Callable[[ProblemLog], Bank], log: ProblemLog) -> None:
    """Compares the items `written` (by identifier, in order) with what `read` makes of the file."""
    problems = ProblemLog()
    back = read(problems)
    refused = [problem.message for problem in problems.close() if problem.severity == "refused"]
    same_number = len(back.items) == len(written)
    for place, name in enumerate(written):
        returned = back.items[place] if same_number else back.by_id.get(name)
        if returned is None:
            log.lossy("export-unreadable", name, reason=" ".join(refused[:1]) or "it is missing")
            continue
        for code, parameters in losses(bank[name], returned):
            log.lossy(code, name, **parameters)
        if not item_media(bank[name]) <= set(back.media):
            log.lossy("export-lost", name, field="pictures, sounds and films")


def losses(item: Item, returned: Item) -> Iterator[tuple[str, dict[str, str]]]:
    """(code, parameters) for every difference in what is shown, marked or known."""
    kept = {language for _, text in returned.texts() for language in text.languages}
    shown = dict.fromkeys(language for _, text in item.texts() for language in text.languages)
    gone = [language for language in shown if kept and language not in kept]
    if gone:
        yield "export-languages", {"languages": ", ".join(gone)}
        item = with_texts(item, lambda text: _only(text, kept))
    renamed = _renamed(item, returned)
    if renamed is None:
        yield "export-changed", {"field": "interactions"}
        renamed = item
    elif renamed is not item:
        yield "export-changed", {"field": "identifiers of choices"}
    for field, before, after in _fields(renamed, returned):
        if isinstance(before, Text) and isinstance(after, Text):
            if not _same_text(before, after):
                yield ("export-changed" if after else "export-lost"), {"field": field}
        elif before != after:
            yield ("export-lost" if after in ("", None, (), 0, {}) else "export-changed"), {"field": field}


def _only(text: Text, kept: set[str]) -> Text:
    """The text in the languages that are left; in its first under the name of one of them where it has none."""
    values = {language: source for language, source in text.values if language in kept}
    if text and not values:
        values = {min(kept): text.source()}
    return Text.of(values, text.form)


def _same_text(before: Text, after: Text) -> bool:
    return set(before.languages) == set(after.languages) and all(
        comparable(before.html(language)) == comparable(after.html(language)) for language in before.languages
    )


def _fields(item: Item, returned: Item) -> Iterator[tuple[str, object, object]]:
    """(name, before, after) of everything there is to compare."""
    pairs: list[tuple[str, Callable[[Item], object]]] = [
        ("identifier", lambda i: i.id),
        ("kind", lambda i: i.kind),
        ("prompt", lambda i: i.body),
        ("marks", lambda i: i.marks),
        ("explanation", lambda i: i.explanation),
        ("marking guide", lambda i: i.guide),
        ("topic", lambda i: i.metadata.topic),
        ("level", lambda i: i.metadata.level),
        ("author", lambda i: i.metadata.author),
        ("source", lambda i: i.metadata.source),
        ("status", lambda i: i.metadata.status),
        ("exposure", lambda i: i.metadata.exposure),
        ("minutes", lambda i: i.metadata.minutes),
        ("tags", lambda i: i.metadata.tags),
        ("enemies", lambda i: i.metadata.enemies),
        ("parameters", lambda i: i.metadata.parameters),
        ("title", lambda i: i.metadata.title),
        ("rubric", lambda i: tuple((c.id, c.marks, *(level.marks for level in c.levels)) for c in i.rubric)),
        ("marking", _marking),
        ("template variables", lambda i: [t.canonical() for t in i.templates] or ""),
        ("template processing", lambda i: i.template_processing and i.template_processing.canonical()),
    ]
    for name, get in pairs:
        yield name, get(item), get(returned)
    for one, other in zip(item.rubric, returned.rubric, strict=False):
        yield "rubric", one.title, other.title
        for level, back in zip(one.levels, other.levels, strict=False):
            yield "rubric", level.text, back.text
    if [i.kind for i in item.interactions] != [i.kind for i in returned.interactions]:
        return
    for first, second in zip(item.interactions, returned.interactions, strict=True):
        yield from _interaction_fields(first, second)


def _marking(item: Item) -> object:
    rules = [rule.canonical() for rule in (_without_feedback(rule) for rule in item.rules)]
    answers = sorted(
        (r.id, r.cardinality, tuple(r.correct) if r.cardinality == "ordered" else tuple(sorted(r.correct)))
        for r in item.responses
    )
    processing = item.processing.canonical() if item.processing else None
    return rules, item.combine, answers, processing


def _without_feedback(rule: Rule) -> Rule:
    return replace(rule, answers=tuple(replace(answer, feedback=Text()) for answer in rule.answers))


def _interaction_fields(first: Interaction, second: Interaction) -> Iterator[tuple[str, object, object]]:
    yield "prompt of the interaction", first.prompt, second.prompt
    yield "unit", first.unit, second.unit
    yield "shuffling", first.shuffle, second.shuffle
    yield (
        "limits of choices",
        (first.min_choices, first.max_choices),
        (second.min_choices, second.max_choices),
    )
    yield "word limits", first.words, second.words
    yield "expected length", (first.lines, first.length), (second.lines, second.length)
    yield "pattern", first.pattern, second.pattern
    yield "scale", (first.lower, first.upper, first.step), (second.lower, second.upper, second.step)
    yield "picture", _picture(first), _picture(second)
    if len(first.choices) != len(second.choices) or len(first.targets) != len(second.targets):
        yield "choices", len(first.choices), len(second.choices)
        return
    for one, other in zip(first.everything(), second.everything(), strict=True):
        yield f"text of the choice {one.id}", one.text, other.text
        yield "rationales of choices", one.why, other.why
        yield "fixed places", one.fixed, other.fixed
        yield (
            "how often a choice may be used",
            (one.match_min, one.match_max),
            (other.match_min, other.match_max),
        )
        yield "groups", one.group, other.group
        yield "areas", (one.shape, one.coordinates), (other.shape, other.coordinates)


def _picture(interaction: Interaction) -> object:
    return interaction.picture.media if interaction.picture else None


def _renamed(item: Item, returned: Item) -> Item | None:
    """`item` with its responses and choices named as in `returned`: the same object where they are, None where the
    interactions do not correspond."""
    if len(item.interactions) != len(returned.interactions) or len(item.responses) != len(returned.responses):
        return None
    responses: dict[str, str] = {}
    choices: dict[str, dict[str, str]] = {}
    for first, second in zip(item.interactions, returned.interactions, strict=True):
        if len(first.choices) != len(second.choices) or len(first.targets) != len(second.targets):
            return None
        responses[first.response] = second.response
        by_text = _by_text(first.targets, second.targets)
        names = {one.id: other.id for one, other in zip(first.choices, second.choices, strict=True)}
        choices[first.response] = names | by_text
    if all(old == new for old, new in responses.items()) and all(
        o == n for c in choices.values() for o, n in c.items()
    ):
        return item

    result = renamed(item, responses, choices)
    return replace(
        result,
        interactions=tuple(
            _in_order(i, other) for i, other in zip(result.interactions, returned.interactions, strict=True)
        ),
    )


def _in_order(interaction: Interaction, other: Interaction) -> Interaction:
    """The targets in the other's order, which no mark depends on."""
    places = {target.id: place for place, target in enumerate(other.targets)}
    return replace(interaction, targets=tuple(sorted(interaction.targets, key=lambda t: places.get(t.id, 0))))


def _by_text(first: tuple[Choice, ...], second: tuple[Choice, ...]) -> dict[str, str]:
    """Targets correspond by their texts where these differ from each other, by their places otherwise."""

    def words(choice: Choice) -> str:
        return re.sub(r"\s+", " ", choice.text.plain())

    places = {words(choice): choice.id for choice in second}
    if len(places) == len(second) and {words(choice) for choice in first} == set(places):
        return {choice.id: places[words(choice)] for choice in first}
    return {one.id: other.id for one, other in zip(first, second, strict=True)}
