"""Writing the native format: the short form of an item where its kind says everything, the general form otherwise."""

import base64
from collections.abc import Mapping, Sequence

from question_banks import kinds, toml
from question_banks.declarations import (
    Answer,
    AreaMapped,
    Choice,
    Interaction,
    Mapped,
    OutcomeDeclaration,
    Picture,
    ResponseDeclaration,
    Rule,
)
from question_banks.markup import Text
from question_banks.model import Bank, Criterion, Item
from question_banks.native.reading import FORMAT
from question_banks.processing import notation
from question_banks.values import show


def write_native(bank: Bank) -> bytes:
    """The bank as TOML; reading it gives an equal bank."""
    head: dict[str, toml.Toml] = {"format": FORMAT, "id": bank.id}
    head |= _texts_out({"title": bank.title})
    head["languages"] = list(bank.languages)
    if bank.licence:
        head["licence"] = bank.licence
    parts = [toml.table(head)]
    for key, medium in sorted(bank.media.items()):
        encoded = base64.b64encode(medium.data).decode()
        lines = "\n".join(encoded[i : i + 120] for i in range(0, len(encoded), 120)) + "\n"
        parts.append(
            "\n[[media]]\n"
            + toml.table(
                {
                    "digest": key.removeprefix("media/"),
                    "type": medium.type,
                    "name": medium.name,
                    "data": lines,
                }
            )
        )
    parts += ["\n[[item]]\n" + toml.table(item_table(item)) for item in bank.items]
    return "".join(parts).encode()


def item_table(item: Item) -> dict[str, toml.Toml]:
    """The item as a TOML table: the short form where its kind says everything, the general form otherwise."""
    m = item.metadata
    result: dict[str, toml.Toml] = {"id": item.id, "kind": item.kind}
    for name, word in (("topic", m.topic), ("level", m.level)):
        if word:
            result[name] = word
    result["marks"] = f"{item.marks:f}"
    result |= _texts_out({"title": m.title, "prompt": item.body})
    if item.kind == "description" and not item.interactions:
        result.pop("marks")
    result |= _short_out(item) if kinds.is_simple(item) else _general_out(item)
    result |= _texts_out({"guide": item.guide, "explanation": item.explanation})
    if item.rubric:
        result["rubric"] = [_criterion_out(criterion) for criterion in item.rubric]
    if item.templates:
        result["template"] = [
            _declared_out(t.id, t.base, t.cardinality, t.default) | _flags_out(t, "math", "parameter")
            for t in item.templates
        ]
    if item.template_processing is not None:
        result["template_processing"] = notation.write(item.template_processing)
    for name, word in (("author", m.author), ("source", m.source)):
        if word:
            result[name] = word
    if m.status != "draft":
        result["status"] = m.status
    if m.exposure:
        result["exposure"] = m.exposure
    if m.minutes is not None:
        result["minutes"] = f"{m.minutes:f}"
    if m.tags:
        result["tags"] = list(m.tags)
    if m.enemies:
        result["enemies"] = list(m.enemies)
    if m.parameters:
        result["parameters"] = dict(m.parameters)
    return result


def _texts_out(texts: Mapping[str, Text]) -> dict[str, toml.Toml]:
    return {name: text_out(text) for name, text in texts.items() if text}


def text_out(text: Text) -> dict[str, toml.Toml]:
    values: dict[str, toml.Toml] = dict(text.values)
    return values | ({"format": text.form} if text.form != "markdown" else {})


def _flags_out(thing: object, *names: str) -> dict[str, toml.Toml]:
    return {name: True for name in names if getattr(thing, name)}


def _criterion_out(criterion: Criterion) -> toml.Toml:
    result: dict[str, toml.Toml] = {
        "id": criterion.id,
        "title": text_out(criterion.title),
        "marks": show(criterion.marks),
    }
    if criterion.levels:
        result["levels"] = [
            {"marks": show(level.marks)} | _texts_out({"text": level.text}) for level in criterion.levels
        ]
    return result


def _choice_out(choice: Choice) -> dict[str, toml.Toml]:
    result: dict[str, toml.Toml] = {"id": choice.id} | _texts_out({"text": choice.text})
    result |= _flags_out(choice, "fixed") | _texts_out({"why": choice.why})
    if choice.picture:
        result["picture"] = _picture_out(choice.picture)
    if choice.show:
        result["show_if" if choice.show[2] else "hide_if"] = f"{choice.show[0]} {choice.show[1]}"
    return result


def _picture_out(picture: Picture) -> dict[str, toml.Toml]:
    result: dict[str, toml.Toml] = {"media": picture.media, "width": picture.width, "height": picture.height}
    return result | _texts_out({"alternative": picture.alternative})


def _options_out(options: Sequence[kinds.Option], scoring: str) -> list[toml.Toml]:
    plain = scoring != "credits"
    result: list[toml.Toml] = []
    for option in options:
        out = _choice_out(option.choice)
        if plain and option.correct:
            out["correct"] = True
        elif not plain:
            out["credit"] = show(option.credit)
        result.append(out)
    return result


def _short_out(item: Item) -> dict[str, toml.Toml]:
    if item.kind == "description":
        return {}
    first, rule, response = item.interactions[0], item.rules[0], item.responses[0]
    result: dict[str, toml.Toml] = {}
    if item.kind in ("single", "multiple"):
        result["choices"] = _options_out(kinds.options(item), rule.method)
        if item.kind == "multiple" and rule.method != "all-or-nothing":
            result["scoring"] = rule.method
        if not first.shuffle:
            result["shuffle"] = False
    elif item.kind == "true-false":
        result["answer"] = response.correct == ("true",)
        result |= _texts_out({"why_true": first.choices[0].why, "why_false": first.choices[1].why})
    elif item.kind == "numeric":
        result |= _numbers_out(rule) | _texts_out({"unit": first.unit})
    elif item.kind == "text":
        result |= _answers_out(rule)
    elif item.kind == "order":
        result["choices"] = [_choice_out(choice) for choice in first.choices]
    elif item.kind == "match":
        result["left"] = [_choice_out(choice) for choice in first.choices]
        result["right"] = [_choice_out(choice) for choice in first.targets]
        result["pairs"] = list(response.correct)
        if not first.shuffle:
            result["shuffle"] = False
    elif item.kind == "gap":
        result["gaps"] = [_gap_out(gap) for gap in kinds.gaps(item)]
        if item.combine == "sum":
            result["scoring"] = "per-part"
    elif item.kind == "essay":
        result |= _words_out(first.words)
        if first.lines:
            result["lines"] = first.lines
    if item.kind in ("order", "match") and rule.method != "all-or-nothing":
        result["scoring"] = rule.method
    return result


def _words_out(words: tuple[int | None, int | None]) -> dict[str, toml.Toml]:
    bounds: dict[str, toml.Toml] = {
        name: n for name, n in zip(("min", "max"), words, strict=True) if n is not None
    }
    return {"words": bounds} if bounds else {}


def _gap_out(gap: kinds.Gap) -> toml.Toml:
    result: dict[str, toml.Toml] = {"id": gap.id, "kind": gap.kind}
    if gap.weight != 1:
        result["weight"] = show(gap.weight)
    if gap.kind == "choice":
        plain = sum(o.credit == 1 for o in gap.options) == 1 and sum(o.credit != 0 for o in gap.options) == 1
        result["choices"] = _options_out(gap.options, "" if plain else "credits")
        if not gap.shuffle:
            result["shuffle"] = False
        return result
    rule = Rule(gap.id, gap.kind, answers=gap.answers, case=gap.case, accents=gap.accents, units=gap.units)
    return result | (_numbers_out(rule) if gap.kind == "numeric" else _answers_out(rule))


def _numbers_out(rule: Rule) -> dict[str, toml.Toml]:
    result: dict[str, toml.Toml] = {}
    one = rule.answers[0] if len(rule.answers) == 1 else None
    if one and one.credit == 1 and not (one.upper or one.wildcard or one.feedback):
        result["answer"] = one.value
        result |= _tolerance_out(one)
    else:
        result["answers"] = [_number_out(answer) for answer in rule.answers]
    if rule.units:
        result["units"] = {name: show(factor) for name, factor in rule.units}
    return result | _flags_out(rule, "unit_required")


def _tolerance_out(answer: Answer) -> dict[str, toml.Toml]:
    if answer.percent:
        return {"tolerance_percent": show(answer.tolerance)}
    return {"tolerance": show(answer.tolerance)} if answer.tolerance else {}


def _number_out(answer: Answer) -> toml.Toml:
    result: dict[str, toml.Toml] = {"value": answer.value}
    if answer.upper:
        result["upper"] = answer.upper
    if answer.credit != 1:
        result["credit"] = show(answer.credit)
    return result | _tolerance_out(answer) | _texts_out({"feedback": answer.feedback})


def _answers_out(rule: Rule) -> dict[str, toml.Toml]:
    result: dict[str, toml.Toml] = {}
    plain = all(a == Answer(a.value, language=a.language) for a in rule.answers)
    grouped: dict[str, list[str]] = {}
    for answer in rule.answers:
        grouped.setdefault(answer.language, []).append(answer.value)
    in_order = [value for values in grouped.values() for value in values] == [a.value for a in rule.answers]
    if plain and set(grouped) == {""}:
        result["accept"] = list(grouped[""])
    elif plain and "" not in grouped and in_order:
        result["accept"] = {language: list(values) for language, values in grouped.items()}
    else:
        result["answers"] = [_answer_out(answer) for answer in rule.answers]
    if rule.case:
        result["case"] = True
    if not rule.accents:
        result["accents"] = False
    return result


def _answer_out(answer: Answer) -> toml.Toml:
    result: dict[str, toml.Toml] = {"value": answer.value}
    if answer.credit != 1:
        result["credit"] = show(answer.credit)
    if answer.language:
        result["language"] = answer.language
    return result | _flags_out(answer, "wildcard") | _texts_out({"feedback": answer.feedback})


def _general_out(item: Item) -> dict[str, toml.Toml]:
    result: dict[str, toml.Toml] = {"interaction": [_interaction_out(i) for i in item.interactions]}
    result["response"] = [_response_out(r) for r in item.responses]
    if item.rules:
        result["rule"] = [_rule_out(rule) for rule in item.rules]
    if item.combine != "sum":
        result["combine"] = item.combine
    if item.outcomes:
        result["outcome"] = [_outcome_out(outcome) for outcome in item.outcomes]
    if item.processing is not None:
        result["processing"] = notation.write(item.processing)
    return result


def _interaction_out(i: Interaction) -> toml.Toml:
    result: dict[str, toml.Toml] = {"kind": i.kind, "response": i.response} | _texts_out({"prompt": i.prompt})
    for name, choices in (("choices", i.choices), ("targets", i.targets)):
        if choices:
            result[name] = [_any_choice_out(choice) for choice in choices]
    result |= _flags_out(i, "shuffle")
    if i.max_choices != 1:
        result["max_choices"] = i.max_choices
    for name in ("min_choices", "lines", "length", "pattern"):
        if getattr(i, name):
            result[name] = getattr(i, name)
    for name in ("lower", "upper", "step"):
        if getattr(i, name) is not None:
            result[name] = show(getattr(i, name))
    if i.picture:
        result["picture"] = _picture_out(i.picture)
    if i.types:
        result["types"] = list(i.types)
    return result | _words_out(i.words) | _texts_out({"unit": i.unit})


def _any_choice_out(choice: Choice) -> toml.Toml:
    result = _choice_out(choice)
    if choice.match_max != 1:
        result["match_max"] = choice.match_max
    if choice.match_min:
        result["match_min"] = choice.match_min
    if choice.group:
        result["group"] = list(choice.group)
    if choice.shape:
        result |= {"shape": choice.shape, "coordinates": list(choice.coordinates)}
    return result


def _declared_out(name: str, base: str, cardinality: str, default: Sequence[str]) -> dict[str, toml.Toml]:
    result: dict[str, toml.Toml] = {"id": name, "base": base}
    if cardinality != "single":
        result["cardinality"] = cardinality
    if default:
        result["default"] = list(default)
    return result


def _response_out(r: ResponseDeclaration) -> toml.Toml:
    result = _declared_out(r.id, r.base, r.cardinality, r.default)
    if r.correct:
        result["correct"] = list(r.correct)
    if r.mapping:
        entries: list[toml.Toml] = []
        for entry in r.mapping.entries:
            entries.append({"key": entry.key, "value": show(entry.value)} | _flags_out(entry, "case"))
        result["mapping"] = {"entries": entries} | _bounds_out(r.mapping)
    if r.areas:
        areas: list[toml.Toml] = []
        for area in r.areas.entries:
            areas.append(
                {"shape": area.shape, "coordinates": list(area.coordinates), "value": show(area.value)}
            )
        result["areas"] = {"entries": areas} | _bounds_out(r.areas)
    return result


def _bounds_out(table: Mapped | AreaMapped) -> dict[str, toml.Toml]:
    result: dict[str, toml.Toml] = {"default": show(table.default)} if table.default else {}
    for name, bound in (("lower", table.lower), ("upper", table.upper)):
        if bound is not None:
            result[name] = show(bound)
    return result


def _outcome_out(o: OutcomeDeclaration) -> toml.Toml:
    result = _declared_out(o.id, o.base, o.cardinality, o.default)
    for name, bound in (("normal_maximum", o.normal_maximum), ("normal_minimum", o.normal_minimum)):
        if bound is not None:
            result[name] = show(bound)
    if o.view:
        result["view"] = o.view
    if o.table is not None:
        result["table"] = notation.write(o.table)
    return result


def _rule_out(rule: Rule) -> toml.Toml:
    result: dict[str, toml.Toml] = {"response": rule.response, "method": rule.method}
    if rule.weight != 1:
        result["weight"] = show(rule.weight)
    if rule.floor:
        result["floor"] = show(rule.floor)
    if rule.method == "numeric":
        return result | _numbers_out(rule)
    if rule.method == "text":
        return result | _answers_out(rule)
    if rule.answers:
        result["answers"] = [{"value": a.value, "credit": show(a.credit)} for a in rule.answers]
    return result
