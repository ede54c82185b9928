"""Native marking as QTI response processing, and QTI response processing recognised as native marking.

An item is written in its general form; a general item is recognised as a simple one when that one's general form is
the same. So recognising never changes what a response earns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from question_banks import kinds
from question_banks.declarations import (
    Answer,
    MapEntry,
    Mapped,
    Node,
    OutcomeDeclaration,
    ResponseDeclaration,
    Rule,
)
from question_banks.kinds import Gap, Option
from question_banks.marking import areas_maximum, mapping_maximum
from question_banks.model import Item
from question_banks.problems import ItemError
from question_banks.processing.expressions import mapped
from question_banks.values import exact, number, show

ZERO, ONE = Fraction(0), Fraction(1)


def node(name: str, *children: Node, text: str = "", **attributes: str) -> Node:
    pairs = tuple(sorted((key.replace("_", "-"), value) for key, value in attributes.items()))
    return Node(name, pairs, children, text)


def variable(name: str) -> Node:
    return node("variable", identifier=name)


def constant(value: Fraction | int | str, base: str = "float") -> Node:
    return node("base-value", text=value if isinstance(value, str) else show(value), base_type=base)


def assign(name: str, value: Node) -> Node:
    return node("set-outcome-value", value, identifier=name)


def condition(test: Node, *rules: Node) -> Node:
    return node("response-condition", node("response-if", test, *rules))


def _matches(response: str) -> Node:
    return node("match", variable(response), node("correct", identifier=response))


# The standard templates (QTI 3.0 best practice guide, "Response processing templates")


def match_correct(response: str = "RESPONSE", marks: Fraction = ONE) -> Node:
    other = node("response-else", assign("SCORE", constant(0)))
    right = node("response-if", _matches(response), assign("SCORE", constant(marks)))
    return node("response-processing", node("response-condition", right, other))


def map_response(response: str = "RESPONSE") -> Node:
    return _mapping_template(node("map-response", identifier=response), response)


def map_response_point(response: str = "RESPONSE") -> Node:
    return _mapping_template(node("map-response-point", identifier=response), response)


def _mapping_template(value: Node, response: str) -> Node:
    missing = node("response-if", node("is-null", variable(response)), assign("SCORE", constant(0)))
    return node(
        "response-processing",
        node("response-condition", missing, node("response-else", assign("SCORE", value))),
    )


TEMPLATES = {
    "match_correct": match_correct,
    "map_response": map_response,
    "map_response_point": map_response_point,
}


# Writing: the general form


def general(item: Item) -> Item:
    """The item with its rules as response processing; itself when it has processing, or nothing to process."""
    if item.processing is not None:
        return item
    outcomes = [
        OutcomeDeclaration("SCORE", "float", default=("0",), normal_maximum=Fraction(item.marks)),
        OutcomeDeclaration("MAXSCORE", "float", default=(show(Fraction(item.marks)),)),
    ]
    marked = [rule for rule in item.rules if rule.method not in ("person", "none")]
    if not marked or item.by_person:
        return replace(item, outcomes=tuple(outcomes))
    for rule in marked:
        if rule.units or not rule.accents:
            item = replace(
                item, rules=tuple(replace(r, units=(), unit_required=False, accents=True) for r in item.rules)
            )
            marked = [r for r in item.rules if r.method not in ("person", "none")]
            break
    declared = {response.id: response for response in item.responses}
    marks = Fraction(item.marks)
    if len(marked) == 1 and marked[0].method == "all-or-nothing":
        return replace(item, outcomes=tuple(outcomes), processing=match_correct(marked[0].response, marks))
    simple = _simple_mapping(item, marked, declared)
    if simple is not None:
        responses = tuple(simple if r.id == simple.id else r for r in item.responses)
        return replace(
            item, responses=responses, outcomes=tuple(outcomes), processing=map_response(simple.id)
        )
    rules: list[Node] = []
    for rule in marked:
        share = f"SHARE_{rule.response}"
        outcomes.append(OutcomeDeclaration(share, "float", default=("0",)))
        declared[rule.response], statements, counters = _share(item, rule, declared[rule.response], share)
        outcomes += [OutcomeDeclaration(counter, "integer", default=("0",)) for counter in counters]
        rules += statements
    rules += _total(item, marked)
    responses = tuple(declared[response.id] for response in item.responses)
    return replace(
        item, responses=responses, outcomes=tuple(outcomes), processing=node("response-processing", *rules)
    )


def _simple_mapping(
    item: Item, marked: Sequence[Rule], declared: dict[str, ResponseDeclaration]
) -> ResponseDeclaration | None:
    """A mapping in marks for the standard template, where every credit is a finite decimal number of marks."""
    rule = marked[0]
    if len(marked) != 1 or rule.method != "credits":
        return None
    entries = [(answer.value, answer.credit * Fraction(item.marks)) for answer in rule.answers]
    bounds = (rule.floor * Fraction(item.marks), Fraction(item.marks))
    if any(
        not isinstance(number(value), Decimal) for value in [value for _, value in entries] + list(bounds)
    ):
        return None
    return replace(
        declared[rule.response],
        mapping=Mapped(tuple(MapEntry(key, value, True) for key, value in entries), ZERO, *bounds),
    )


def _total(item: Item, marked: Sequence[Rule]) -> list[Node]:
    marks = constant(Fraction(item.marks))
    shares = [variable(f"SHARE_{rule.response}") for rule in marked]
    if item.combine == "all" and len(marked) > 1:
        full = node("and", *(node("equal", share, constant(1), tolerance_mode="exact") for share in shares))
        return [condition(full, assign("SCORE", marks))]
    weights = sum((rule.weight for rule in item.rules if rule.method != "none"), ZERO)
    scaled = [
        share if rule.weight == 1 else node("product", _fraction(rule.weight), share)
        for rule, share in zip(marked, shares, strict=True)
    ]
    total = scaled[0] if len(scaled) == 1 else node("sum", *scaled)
    product = node("product", total, marks)
    return [assign("SCORE", product if weights == 1 else node("divide", product, _fraction(weights)))]


def _fraction(value: Fraction) -> Node:
    """A number that QTI can write: a third is 1 divided by 3."""
    if isinstance(number(value), Decimal):
        return constant(value)
    return node("divide", constant(value.numerator), constant(value.denominator))


def _share(
    item: Item, rule: Rule, declaration: ResponseDeclaration, share: str
) -> tuple[ResponseDeclaration, list[Node], list[str]]:
    """The declaration with its mapping, the rules that set the share, and the counters they use."""
    name = rule.response
    correct = declaration.correct
    if rule.method == "all-or-nothing":
        return declaration, [condition(_matches(name), assign(share, constant(1)))], []
    if rule.method in ("credits", "per-option"):
        return _credit_share(item, rule, declaration, share)
    if rule.method == "per-part" and declaration.cardinality == "ordered":
        counter = f"PARTS_{name}"
        rules = [
            condition(
                node(
                    "match",
                    node("index", variable(name), n=str(n)),
                    node("index", node("correct", identifier=name), n=str(n)),
                ),
                assign(counter, node("sum", variable(counter), constant("1", "integer"))),
            )
            for n in range(1, len(correct) + 1)
        ]
        return (
            declaration,
            [*rules, assign(share, node("divide", variable(counter), constant(len(correct))))],
            [counter],
        )
    if rule.method == "per-part":
        mapping = Mapped(tuple(MapEntry(pair, ONE, True) for pair in correct))
        size = node("container-size", variable(name))
        surplus = node(
            "max", constant("0", "integer"), node("subtract", size, constant(str(len(correct)), "integer"))
        )
        right = node("max", constant(0), node("subtract", node("map-response", identifier=name), surplus))
        return (
            replace(declaration, mapping=mapping),
            [assign(share, node("divide", right, constant(len(correct))))],
            [],
        )
    if rule.method in ("text", "numeric"):
        return declaration, _answer_rules(rule, share), []
    if rule.method == "mapping":
        operator = "map-response" if declaration.mapping is not None else "map-response-point"
        most = _mapping_most(declaration)
        value = node("divide", node(operator, identifier=name), _fraction(most))
        return (
            declaration,
            [condition(node("not", node("is-null", variable(name))), assign(share, value))],
            [],
        )
    raise ItemError("export-kind", kind=rule.method)


def _mapping_most(declaration: ResponseDeclaration) -> Fraction:
    if declaration.mapping is not None:
        return mapping_maximum(declaration.mapping, declaration) or ONE
    return (areas_maximum(declaration.areas) if declaration.areas is not None else ONE) or ONE


def _credit_share(
    item: Item, rule: Rule, declaration: ResponseDeclaration, share: str
) -> tuple[ResponseDeclaration, list[Node], list[str]]:
    """Credits as whole numbers over one denominator, so that thirds stay thirds."""
    if rule.method == "credits":
        credits = [(answer.value, answer.credit) for answer in rule.answers]
    else:
        options = [c.id for i in item.interactions if i.response == rule.response for c in i.everything()]
        right = len(declaration.correct)
        wrong = len(options) - right
        credits = [
            (name, Fraction(1, right) if name in declaration.correct else Fraction(-1, wrong))
            for name in options
        ]
    unit = 1
    for _, credit in [*credits, ("", rule.floor)]:
        unit = lcm(unit, credit.denominator)
    entries = tuple(MapEntry(name, credit * unit, True) for name, credit in credits)
    mapping = Mapped(entries, ZERO, rule.floor * unit, Fraction(unit))
    value = node("map-response", identifier=rule.response)
    rules = [assign(share, value if unit == 1 else node("divide", value, constant(unit)))]
    return replace(declaration, mapping=mapping), rules, []


def _answer_rules(rule: Rule, share: str) -> list[Node]:
    """One condition with a branch per answer, the greatest credit first."""
    answers = sorted(rule.answers, key=lambda answer: -answer.credit)
    branches: list[Node] = []
    for answer in answers:
        test = _text_test(rule, answer) if rule.method == "text" else _number_test(rule, answer)
        name = "response-if" if not branches else "response-else-if"
        branches.append(node(name, test, assign(share, _fraction(answer.credit))))
    return [node("response-condition", *branches)] if branches else []


def _text_test(rule: Rule, answer: Answer) -> Node:
    given = variable(rule.response)
    if answer.wildcard:
        return node("pattern-match", given, pattern=wildcard_pattern(answer.value, rule.case))
    case = "true" if rule.case else "false"
    return node("string-match", given, constant(answer.value, "string"), case_sensitive=case)


_SPECIAL = "\\|.?*+(){}[]-^$"


def wildcard_pattern(value: str, case: bool) -> str:
    """The XML Schema regular expression of a text with stars."""
    pieces = []
    for character in value:
        if character == "*":
            pieces.append("[\\s\\S]*")
        elif not case and character.lower() != character.upper():
            pieces.append(
                f"[{character.lower()}{character.upper()}]" if len(character.upper()) == 1 else character
            )
        else:
            pieces.append(f"\\{character}" if character in _SPECIAL else character)
    return "".join(pieces)


def _number_test(rule: Rule, answer: Answer) -> Node:
    given = variable(rule.response)
    if answer.wildcard:
        return node("not", node("is-null", given))
    if answer.upper:
        return node(
            "and", node("gte", given, constant(answer.value)), node("lte", given, constant(answer.upper))
        )
    value = constant(answer.value)
    if not answer.tolerance:
        return node("equal", value, given, tolerance_mode="exact")
    mode = "relative" if answer.percent else "absolute"
    margin = show(answer.tolerance)
    return node("equal", value, given, tolerance=f"{margin} {margin}", tolerance_mode=mode)


# Reading: recognising

_CHOSEN = frozenset(("choice", "inline-choice", "order"))


def simplified(item: Item) -> Item:
    """The simple item whose general form this is, or the item itself."""
    for candidate in _candidates(item):
        try:
            form = general(candidate)
        except (ItemError, ZeroDivisionError, ValueError):
            continue
        same = form.processing == item.processing and form.responses == item.responses
        if same and form.interactions == item.interactions and form.marks == item.marks:
            return candidate
    return _from_mapping(item) or item


def _rest(item: Item) -> dict[str, Any]:
    return {
        "marks": item.marks, "explanation": item.explanation, "guide": item.guide, "rubric": item.rubric,
        "metadata": item.metadata, "templates": item.templates, "template_processing": item.template_processing,
    }  # fmt: skip


def _candidates(item: Item) -> Iterator[Item]:
    """Simple items that this might be the general form of."""
    if any(i.kind in _CHOSEN and len(i.choices) < 2 for i in item.interactions):
        return  # the simple kinds are a choice between two at least
    rest: dict[str, Any] = _rest(item)
    if not item.interactions:
        if item.processing is None and item.marks == 0:
            yield kinds.description(item.id, item.body, **{k: v for k, v in rest.items() if k != "marks"})
        return
    first = item.interactions[0]
    declaration = item.declared.get(first.response)
    if declaration is None or len(item.responses) != len(item.interactions):
        return
    if len(item.interactions) == 1 and first.response == kinds.RESPONSE:
        yield from _single_candidates(item, rest)
    if all(i.kind in ("inline-choice", "text-entry") for i in item.interactions):
        yield from _gap_candidates(item, rest)


def _single_candidates(item: Item, rest: dict[str, Any]) -> Iterator[Item]:
    first, declaration = item.interactions[0], item.responses[0]
    named = {choice.id for choice in first.choices}
    keep: dict[str, Any] = {**rest}
    if first.kind == "choice" and declaration.cardinality == "single":
        if named == {"true", "false"} and declaration.base == "boolean" and len(first.choices) == 2:
            why = (first.choices[0].why, first.choices[1].why)
            yield kinds.true_false(item.id, item.body, declaration.correct == ("true",), why=why, **keep)
        for options in _credit_guesses(item):
            yield kinds.single(item.id, item.body, options, shuffle=first.shuffle, **keep)
    elif first.kind == "choice":
        for method in ("all-or-nothing", "per-option"):
            options = [Option(c, ONE if c.id in declaration.correct else ZERO) for c in first.choices]
            bare = kinds.multiple(item.id, item.body, options, scoring=method, shuffle=first.shuffle, **keep)
            yield replace(bare, interactions=item.interactions)
        for options in _credit_guesses(item):
            bare = kinds.multiple(
                item.id, item.body, options, scoring="credits", shuffle=first.shuffle, **keep
            )
            yield replace(bare, interactions=item.interactions)
    elif first.kind == "order":
        by_id = {choice.id: choice for choice in first.choices}
        if set(declaration.correct) == set(by_id):
            for method in ("all-or-nothing", "per-part"):
                bare = kinds.order(
                    item.id, item.body, [by_id[name] for name in declaration.correct], scoring=method, **keep
                )
                yield replace(bare, interactions=item.interactions)
    elif first.kind == "match":
        for method in ("all-or-nothing", "per-part"):
            bare = kinds.match(
                item.id,
                item.body,
                first.choices,
                first.targets,
                declaration.correct,
                scoring=method,
                shuffle=first.shuffle,
                **keep,
            )
            yield replace(bare, interactions=item.interactions)
    elif first.kind == "text-entry":
        if declaration.base == "string":
            for answers, case in _text_guesses(item, first.response):
                yield kinds.text(item.id, item.body, answers, case=case, **keep)
        else:
            yield kinds.numeric(
                item.id, item.body, _number_guess(item, first.response), unit=first.unit, **keep
            )
    elif first.kind == "extended-text" and item.processing is None:
        yield kinds.essay(item.id, item.body, words=first.words, lines=first.lines, **keep)


def _credit_guesses(item: Item, response: str = "") -> Iterator[list[Option]]:
    """Options by the key, and by the mapping in marks or in whole numbers over a denominator."""
    interaction = next(i for i in item.interactions if not response or i.response == response)
    declaration = item.declared[interaction.response]
    yield [Option(c, ONE if c.id in declaration.correct else ZERO) for c in interaction.choices]
    if declaration.mapping is None:
        return
    worth = {entry.key: entry.value for entry in declaration.mapping.entries}
    units = [Fraction(item.marks)] if item.marks else []
    if declaration.mapping.upper:
        units.append(declaration.mapping.upper)
    for unit in dict.fromkeys(units):
        yield [Option(c, worth.get(c.id, ZERO) / unit) for c in interaction.choices]


def _branches(item: Item, response: str) -> list[tuple[Node, Fraction]]:
    """The (test, credit) branches that set the share of a response."""
    result = []
    for part in item.processing.walk() if item.processing is not None else ():
        if part.name in ("response-if", "response-else-if") and len(part.children) == 2:
            test, rule = part.children
            if rule.name == "set-outcome-value" and rule.get("identifier") == f"SHARE_{response}":
                credit = _constant_of(rule.children[0]) if rule.children else None
                if credit is not None:
                    result.append((test, credit))
    return result


def _constant_of(part: Node) -> Fraction | None:
    try:
        if part.name == "base-value":
            return exact(part.text)
        if part.name == "divide" and all(child.name == "base-value" for child in part.children):
            return exact(part.children[0].text) / exact(part.children[1].text)
    except (ValueError, ZeroDivisionError, IndexError):
        return None
    return None


def _text_guesses(item: Item, response: str) -> Iterator[tuple[list[Answer], bool]]:
    for case in (False, True):
        answers = []
        for test, credit in _branches(item, response):
            if test.name == "string-match" and len(test.children) == 2:
                answers.append(Answer(test.children[1].text, credit))
            elif test.name == "pattern-match":
                answers.append(Answer(_star_text(test.get("pattern")), credit, wildcard=True))
        if answers:
            yield answers, case


def _star_text(pattern: str) -> str:
    """The text with stars whose pattern this may be; a wrong guess is found out by comparing."""
    text = pattern.replace("[\\s\\S]*", "\x00")
    result, at = [], 0
    while at < len(text):
        if text[at] == "[" and text[at + 3 : at + 4] == "]":
            result.append(text[at + 1])
            at += 4
        elif text[at] == "\\":
            result.append(text[at + 1 : at + 2])
            at += 2
        else:
            result.append("*" if text[at] == "\x00" else text[at])
            at += 1
    return "".join(result)


def _number_guess(item: Item, response: str) -> list[Answer]:
    answers = []
    for test, credit in _branches(item, response):
        constants = [child.text for child in test.children if child.name == "base-value"]
        if test.name == "equal" and constants:
            margin = exact((test.get("tolerance") or "0").split()[0])
            answers.append(Answer(constants[0], credit, margin, test.get("tolerance-mode") == "relative"))
        elif test.name == "and" and len(test.children) == 2:
            ends = [part.children[1].text for part in test.children if len(part.children) == 2]
            if len(ends) == 2:
                answers.append(Answer(ends[0], credit, upper=ends[1]))
        elif test.name == "not":
            answers.append(Answer("*", credit, wildcard=True))
    return answers


def _gap_candidates(item: Item, rest: dict[str, Any]) -> Iterator[Item]:
    for case in (False, True):
        gaps = []
        for interaction in item.interactions:
            declaration = item.declared[interaction.response]
            weight = _weight(item, interaction.response)
            if interaction.kind == "inline-choice":
                guesses = list(_credit_guesses(item, interaction.response))
                options = tuple(guesses[-1] if declaration.mapping is not None else guesses[0])
                gaps.append(
                    Gap(interaction.response, "choice", options, shuffle=interaction.shuffle, weight=weight)
                )
            elif declaration.base == "string":
                answers = [a for a, c in _text_guesses(item, interaction.response) if c == case]
                gaps.append(
                    Gap(
                        interaction.response,
                        "text",
                        (),
                        tuple(answers[0] if answers else ()),
                        case,
                        weight=weight,
                    )
                )
            else:
                gaps.append(
                    Gap(
                        interaction.response,
                        "numeric",
                        (),
                        tuple(_number_guess(item, interaction.response)),
                        weight=weight,
                    )
                )
        for scoring in ("per-part", "all-or-nothing"):
            yield kinds.gap(item.id, item.body, gaps, scoring=scoring, **rest)


def _weight(item: Item, response: str) -> Fraction:
    for part in item.processing.walk() if item.processing is not None else ():
        if (
            part.name == "product"
            and len(part.children) == 2
            and part.children[1] == variable(f"SHARE_{response}")
        ):
            return _constant_of(part.children[0]) or ONE
    return ONE


def _from_mapping(item: Item) -> Item | None:
    """Other systems' single choice or bounded multiple choice by the standard template with a mapping in marks."""
    if item.processing != map_response() or len(item.interactions) != 1 or not item.marks:
        return None
    first, declaration = item.interactions[0], item.responses[0]
    mapping = declaration.mapping
    if mapping is None or mapping.default or first.kind != "choice" or declaration.id != kinds.RESPONSE:
        return None
    if len(first.choices) < 2:
        return None
    marks = Fraction(item.marks)
    worth = {choice.id: mapped((choice.id,), mapping, "identifier") / marks for choice in first.choices}
    rest = _rest(item)
    if declaration.cardinality == "single":
        if mapping.lower is not None or max(worth.values(), default=ZERO) != 1:
            return None
        options = [Option(choice, worth[choice.id]) for choice in first.choices]
        candidate = kinds.single(item.id, item.body, options, shuffle=first.shuffle, **rest)
        return candidate if candidate.responses[0].correct == declaration.correct else None
    return None
