"""The lint: what an examiner would send back before a candidate sees it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction

from question_banks import kinds
from question_banks.declarations import KINDS, Interaction, Rule
from question_banks.markup import PLACEHOLDER, Text, plain_text
from question_banks.model import Bank, Item
from question_banks.problems import Finding, ItemError, Weight, declare
from question_banks.processing import patterns
from question_banks.processing.shapes import well_formed
from question_banks.responding import count_words
from question_banks.values import exact, folded, read

declare(
    {
        "lint-empty": "The bank has no items.",
        "lint-repeated-id": "The identifier {id} is used {times} times.",
        "lint-same-content": "The item is the same as {other}.",
        "lint-language-missing": "The text in {language} is missing.",
        "lint-explanation-language": "The text in {language} that is not shown in the exam is missing.",
        "lint-no-prompt": "There is no prompt.",
        "lint-no-topic": "No topic is given, so no blueprint can use the item.",
        "lint-no-level": "No level is given.",
        "lint-no-explanation": "There is no explanation of the key.",
        "lint-no-marks": "The item earns no marks.",
        "lint-no-key": "Response {response} has no correct value.",
        "lint-key-unknown": "The correct value {value} of {response} names no choice.",
        "lint-key-type": "The correct value {value} of {response} is not of the type {base}.",
        "lint-choices-few": "There is only one choice.",
        "lint-choices-same": "The choices {first} and {second} read the same in {language}.",
        "lint-choice-empty": "The choice {choice} has no text in {language}.",
        "lint-all-correct": "Every choice is correct.",
        "lint-not-full": "No response can earn full marks.",
        "lint-longest-key": "The right choice is by far the longest, which gives it away.",
        "lint-all-of-above": "A choice refers to the place of others ({words}) although choices are shuffled.",
        "lint-negative-word": "The prompt asks with a negation ({words}) that is not emphasised.",
        "lint-gap-missing": "The gap {gap} does not stand in the prompt.",
        "lint-gap-unknown": "The prompt names [[{gap}]], which is no gap of the item.",
        "lint-rubric-sum": "The marks of the rubric sum to {sum}, the item's are {marks}.",
        "lint-rubric-level": "A level of the criterion {criterion} gives more marks than the criterion has.",
        "lint-rubric-order": "The levels of the criterion {criterion} do not descend in marks.",
        "lint-no-rubric": "The essay has neither a rubric nor a marking guide.",
        "lint-words": "The least number of words exceeds the greatest.",
        "lint-no-words": "The essay has no word limit.",
        "lint-enemy-unknown": "The enemy {id} is not in the bank.",
        "lint-enemy-self": "The item is its own enemy.",
        "lint-media-missing": "The medium {name} is not in the bank.",
        "lint-medium-unused": "The medium {name} is not used by any item.",
        "lint-no-alternative": "A picture has no alternative text.",
        "lint-upload": "An upload cannot be part of a timed paper.",
        "lint-area": "The area {area} is not a shape that its numbers describe.",
        "lint-processing": "The processing is wrong: {reason}",
        "lint-key-not-full": "The correct response earns {score} of {marks} marks.",
        "lint-pattern": "The pattern {pattern} is not an XML Schema regular expression; the candidate's text is not held to it.",
        "lint-answer-shown": "The answer {answer} stands in the prompt in {language}.",
        "lint-scale": "The slider goes from {lower} to {upper}.",
        "lint-numeric-key": "The answer {value} is not a number.",
    }
)

_ABOVE = re.compile(
    r"\b(all|none|both|two|three) of the (above|below)\b|\b(tất cả|cả|không)[^.,;]{0,25}(ở )?(trên|bên trên|nêu trên|sau đây)\s*\.?$"
    r"|\b(đáp án|phương án|câu|options?|choices?) [A-E]( và| and| hoặc| or)[^.]{0,12}\b[A-E]\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"(?<![*_\w])(not|except|never|không phải|ngoại trừ|không)(?![*_\w])[^.?!]{0,80}\?\s*$"
)


Say = Callable[..., None]


def lint(bank: Bank) -> tuple[Finding, ...]:
    """Findings of the bank, its own first, then item by item in order. Errors must be mended before use."""
    return tuple(_bank_findings(bank)) + tuple(f for item in bank.items for f in lint_item(item, bank))


def _bank_findings(bank: Bank) -> Iterator[Finding]:
    if not bank.items:
        yield Finding("", "error", "", "lint-empty")
    for name, times in Counter(item.id for item in bank.items).items():
        if times > 1:
            yield Finding(name, "error", "", "lint-repeated-id", {"id": name, "times": str(times)})
    seen: dict[str, str] = {}
    for item in bank.items:
        if (other := seen.setdefault(item.digest, item.id)) != item.id:
            yield Finding(item.id, "error", "", "lint-same-content", {"other": other})
    for name in sorted(set(bank.media) - {name for item in bank.items for name in item_media(item)}):
        yield Finding("", "advice", "", "lint-medium-unused", {"name": name})


def item_media(item: Item) -> frozenset[str]:
    """Keys of the media that an item shows."""
    return item.media


def lint_item(item: Item, bank: Bank) -> list[Finding]:
    """Findings of one item; `bank` tells the languages, the media and the other items."""
    findings: list[Finding] = []

    def say(weight: Weight, code: str, where: str = "", **parameters: object) -> None:
        findings.append(Finding(item.id, weight, where, code, {k: str(v) for k, v in parameters.items()}))

    _texts(item, bank, say)
    _metadata(item, bank, say)
    try:
        item = item.instance(0)
    except ItemError as error:
        say("error", "lint-processing", reason=error)
        return findings
    for interaction in item.interactions:
        _interaction(item, interaction, bank, say)
    _placeholders(item, say)
    _key(item, say)
    if item.by_person:
        _rubric(item, say)
    if item.kind == "single" and item.interactions:
        _longest(item, bank, say)
    return findings


def _texts(item: Item, bank: Bank, say: Say) -> None:
    if not item.body and not any(interaction.prompt for interaction in item.interactions):
        say("error", "lint-no-prompt")
    for place, text in item.texts():
        for language in _missing(text, bank):
            say("error", "lint-language-missing", place, language=language)
        for _, html in text.values:
            if ("![]" in html or "<img" in html) and re.search(r"!\[\]\(|<img(?![^<>]*\balt=\"[^\"]+\")", html):
                say("warning", "lint-no-alternative", place)
    for place, text in item.hidden_texts():
        for language in _missing(text, bank):
            say("warning", "lint-explanation-language", place, language=language)
    for name in item.media - bank.media.keys():
        say("error", "lint-media-missing", name=name)
    for language, source in item.body.values:
        if found := _NEGATION.search(source.strip()):
            say("advice", "lint-negative-word", f"prompt {language}", words=found[1])


def _missing(text: Text, bank: Bank) -> list[str]:
    """Languages of the bank that a text which is there at all does not have."""
    present = text.languages
    return [language for language in bank.languages if language not in present] if present else []


def _metadata(item: Item, bank: Bank, say: Say) -> None:
    if not item.metadata.topic:
        say("warning", "lint-no-topic")
    if not item.metadata.level and item.kind != "description":
        say("advice", "lint-no-level")
    if not item.explanation and not item.by_person and item.kind != "description":
        say("advice", "lint-no-explanation")
    if item.marks == 0 and item.kind != "description":
        say("warning", "lint-no-marks")
    for enemy in item.metadata.enemies:
        if enemy == item.id:
            say("error", "lint-enemy-self")
        elif enemy not in bank.by_id:
            say("warning", "lint-enemy-unknown", id=enemy)


def _interaction(item: Item, interaction: Interaction, bank: Bank, say: Say) -> None:
    where = interaction.response if len(item.interactions) > 1 else ""
    if interaction.kind == "upload":
        say("error", "lint-upload", where)
    if interaction.kind == "choice" and len(interaction.choices) < 2:
        say("error", "lint-choices-few", where)
    least, most = interaction.words
    if least is not None and most is not None and least > most:
        say("error", "lint-words", where)
    if interaction.kind == "extended-text" and most is None:
        say("advice", "lint-no-words", where)
    if interaction.kind == "slider" and not (
        interaction.lower is not None
        and interaction.upper is not None
        and interaction.lower < interaction.upper
    ):
        say("error", "lint-scale", where, lower=interaction.lower, upper=interaction.upper)
    if interaction.pattern:
        try:
            patterns.matches(interaction.pattern, "")
        except patterns.PatternError:
            say("warning", "lint-pattern", where, pattern=interaction.pattern)
    for choice in interaction.everything():
        if choice.shape and not well_formed(choice.shape, choice.coordinates):
            say("error", "lint-area", where, area=choice.id)
    for picture in [interaction.picture, *(c.picture for c in interaction.everything())]:
        if picture and not picture.alternative:
            say("warning", "lint-no-alternative", where)
    if interaction.kind in ("choice", "inline-choice", "order", "associate", "match", "gap-match"):
        _choice_texts(item, interaction, bank, where, say)


def _choice_texts(item: Item, interaction: Interaction, bank: Bank, where: str, say: Say) -> None:
    for language in bank.languages:
        for side in (interaction.choices, interaction.targets):
            seen: dict[str, str] = {}
            for choice in side:
                if choice.id in ("true", "false") or (
                    interaction.kind == "gap-match" and side is interaction.targets
                ):
                    continue
                source = choice.text.source(language)
                if not source and not choice.picture:
                    say("error", "lint-choice-empty", where, choice=choice.id, language=language)
                    continue
                words = folded(source, True, True)
                if words and words in seen and not choice.picture:
                    say(
                        "error",
                        "lint-choices-same",
                        where,
                        first=seen[words],
                        second=choice.id,
                        language=language,
                    )
                seen.setdefault(words, choice.id)
                if interaction.shuffle and not choice.fixed and (found := _ABOVE.search(source)):
                    say("warning", "lint-all-of-above", where, words=found[0])


def _placeholders(item: Item, say: Say) -> None:
    known = {interaction.response for interaction in item.interactions} | {t.id for t in item.templates}
    for language, source in item.body.values:
        named = set(PLACEHOLDER.findall(source))
        for name in sorted(named - known):
            say("warning", "lint-gap-unknown", f"prompt {language}", gap=name)
        for interaction in item.interactions:
            if item.kind == "gap" and interaction.response not in named:
                say("error", "lint-gap-missing", f"prompt {language}", gap=interaction.response)


def _key(item: Item, say: Say) -> None:
    """The key exists, names what there is, and earns full marks."""
    for response in item.responses:
        interaction = next((i for i in item.interactions if i.response == response.id), None)
        rule = next((r for r in item.rules if r.response == response.id), None)
        marked = rule is not None and rule.method not in ("person", "none")
        if marked and rule and not (response.correct or rule.answers or response.mapping or response.areas):
            say("error", "lint-no-key", response=response.id)
        known = {choice.id for choice in interaction.everything()} if interaction else set()
        for value in response.correct:
            try:
                read(response.base, value)
            except ValueError:
                say("error", "lint-key-type", response=response.id, value=value, base=response.base)
                return
            words = value.split() if response.base in ("pair", "directedPair") else [value]
            named = (
                response.base in ("identifier", "pair", "directedPair")
                and interaction
                and KINDS[interaction.kind].source
            )
            if named and any(word not in known for word in words):
                say("error", "lint-key-unknown", response=response.id, value=value)
    if item.kind == "multiple" and item.interactions and all(o.correct for o in kinds.options(item)):
        say("warning", "lint-all-correct")
    for rule in item.rules:
        _rule(item, rule, say)
    if item.processing is not None or any(rule.method == "mapping" for rule in item.rules):
        _full_marks(item, say)


def _full_marks(item: Item, say: Say) -> None:
    """What the declared correct values earn under the item's own processing."""
    try:
        outcome = item.mark(
            {
                r.id: r.correct if r.cardinality != "single" else r.correct[0]
                for r in item.responses
                if r.correct
            }
        )
        if item.responses and all(r.correct for r in item.responses) and outcome.score != item.marks:
            say("warning", "lint-key-not-full", score=outcome.score, marks=item.marks)
    except ItemError as error:
        say("error", "lint-processing", reason=error)


def _rule(item: Item, rule: Rule, say: Say) -> None:
    if rule.method in ("text", "numeric", "credits") and rule.answers:
        credits = [answer.credit for answer in rule.answers]
        several = rule.method == "credits" and item.declared[rule.response].cardinality != "single"
        best = sum((c for c in credits if c > 0), Fraction(0)) if several else max(credits)
        if best != 1:
            say("warning", "lint-not-full", rule.response)
    if rule.method == "numeric":
        for answer in rule.answers:
            try:
                _ = None if answer.wildcard else exact(answer.value)
            except ValueError:
                say("error", "lint-numeric-key", rule.response, value=answer.value)
    if rule.method == "text" and item.kind == "text":
        for language, source in item.body.values:
            shown = f" {folded(plain_text(source), False, True)} "
            for answer in rule.answers:
                words = folded(answer.value, False, True)
                if not answer.wildcard and len(words) > 3 and f" {words} " in shown:
                    say(
                        "advice",
                        "lint-answer-shown",
                        f"prompt {language}",
                        answer=answer.value,
                        language=language,
                    )


def _rubric(item: Item, say: Say) -> None:
    if not item.rubric and not item.guide:
        say("warning", "lint-no-rubric")
    total = sum((criterion.marks for criterion in item.rubric), Fraction(0))
    persons = sum((r.weight for r in item.rules if r.method == "person"), Fraction(0))
    weights = sum((r.weight for r in item.rules), Fraction(0))
    expected = Fraction(item.marks) * persons / weights if weights else Fraction(item.marks)
    if item.rubric and total != expected:
        say("error", "lint-rubric-sum", sum=total, marks=expected)
    for criterion in item.rubric:
        marks = [level.marks for level in criterion.levels]
        if any(mark > criterion.marks for mark in marks):
            say("error", "lint-rubric-level", criterion=criterion.id)
        if marks != sorted(marks, reverse=True):
            say("warning", "lint-rubric-order", criterion=criterion.id)


def _longest(item: Item, bank: Bank, say: Say) -> None:
    """The oldest giveaway: one right choice that is half as long again as any other, in every language."""
    options = kinds.options(item)
    for language in bank.languages:
        lengths = {True: [0], False: [0]}
        for option in options:
            lengths[option.correct].append(count_words(option.choice.text.source(language)))
        if max(lengths[True]) <= 8 or 2 * max(lengths[True]) <= 3 * max(lengths[False]):
            return
    say("advice", "lint-longest-key")
