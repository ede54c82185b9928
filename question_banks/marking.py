"""Marking one response: exact scores, None where a person must mark."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from question_banks.declarations import Answer, AreaMapped, Mapped, ResponseDeclaration, Rule
from question_banks.processing import engine
from question_banks.processing.expressions import area_mapped, mapped
from question_banks.values import (
    Inner,
    Scalar,
    Value,
    exact,
    folded,
    lexical,
    number,
    read,
    to_fraction,
    typed_number,
)

if TYPE_CHECKING:
    from question_banks.model import Item

Score = Decimal | Fraction
_MEMO = 256  # outcomes remembered per item


@dataclass(frozen=True)
class Part:
    """What one response earned, and the most it could; `score` is None where a person must mark."""

    score: Score | None
    max_score: Score


@dataclass(frozen=True)
class Outcome:
    """`score` is a Decimal, a Fraction where no finite decimal is exact, None where a person must mark."""

    score: Score | None
    max_score: Decimal
    outcomes: Mapping[str, Value] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)  # by response; empty under response processing


def mark(item: "Item", responses: Mapping[str, Value]) -> Outcome:
    return item.marker(responses)


class Marker:
    """An item prepared for marking many responses; remembers the outcomes of repeated short responses."""

    def __init__(self, item: "Item") -> None:
        self._item = item
        self._readers = {r.id: Reader(r, item.tokens.get(r.id, {})) for r in item.responses}
        self._memo: dict[str | tuple[Value, ...], Outcome] = {}
        self._only = item.responses[0].id if len(item.responses) == 1 else ""
        total = sum((rule.weight for rule in item.rules), Fraction(0))
        unit = Fraction(item.marks) / total if total else Fraction(0)
        self._rules = [
            (rule, rule.weight * unit, _method(rule, item.declared.get(rule.response), item))
            for rule in item.rules
        ]

    def __call__(self, responses: Mapping[str, Value]) -> Outcome:
        key = self._key(responses)
        known = self._memo.get(key) if key is not None else None
        if known is None:
            known = self._mark(responses)
            if key is not None and len(self._memo) < _MEMO:
                self._memo[key] = known
        return known

    def _key(self, responses: Mapping[str, Value]) -> str | tuple[Value, ...] | None:
        """What the outcome may be remembered under: short texts only, since 1, True and 1.0 are one key to a dict."""
        if self._only:
            only = responses.get(self._only)
            if type(only) is str and len(only) <= 200:
                return only
        values = tuple(responses.get(name) for name in self._readers)
        for value in values:
            if value is not None and not (type(value) is str and len(value) <= 200):
                if not (type(value) is tuple and len(value) <= 40):
                    return None
                if not all(type(part) is str and len(part) <= 60 for part in value):
                    return None
        return values

    def read(self, responses: Mapping[str, Value]) -> dict[str, tuple[Inner, ...]]:
        """The responses as inner values; () where there is none or it is malformed."""
        return {name: reader(responses.get(name)) for name, reader in self._readers.items()}

    def _mark(self, responses: Mapping[str, Value]) -> Outcome:
        item = self._item
        given = self.read(responses)
        if item.processing is not None:
            return self._processed(given)
        parts: dict[str, Part] = {}
        full, persons, total = True, False, Fraction(0)
        for rule, most, method in self._rules:
            share = method(given.get(rule.response, ()))
            if share is None:
                persons = True
                parts[rule.response] = Part(None, number(most))
                continue
            share = min(max(share, rule.floor), Fraction(1))
            full = full and (share == 1 or rule.method == "none")
            total += share * most
            parts[rule.response] = Part(number(share * most), number(most))
        if item.combine == "all" and not full:
            total = Fraction(0)
            parts = {
                name: Part(None if p.score is None else Decimal(0), p.max_score) for name, p in parts.items()
            }
        score = None if persons else number(total)
        outcomes: dict[str, Value] = {"SCORE": score, "MAXSCORE": item.marks}
        return Outcome(score, item.marks, MappingProxyType(outcomes), MappingProxyType(parts))

    def _processed(self, given: dict[str, tuple[Inner, ...]]) -> Outcome:
        item = self._item
        variables = engine.process(item, given)
        outcomes: dict[str, Value] = {}
        for outcome in item.outcomes:
            outcomes[outcome.id] = variables[outcome.id].public()
        score: Score | None = None
        if not item.by_person:
            raw = outcomes.get("SCORE")
            score = (
                Decimal(0) if raw is None or isinstance(raw, (str, tuple, bool)) else number(to_fraction(raw))
            )
        outcomes.setdefault("MAXSCORE", item.marks)
        return Outcome(score, item.marks, MappingProxyType(outcomes))


class Reader:
    """Reads one response: tokens of the presentation become identifiers, lexical forms inner values."""

    def __init__(self, declaration: ResponseDeclaration, tokens: Mapping[str, str]) -> None:
        self._base = declaration.base
        self._single = declaration.cardinality == "single"
        self._names = {token: name for name, token in tokens.items()}

    def __call__(self, value: object) -> tuple[Inner, ...]:
        if value is None or value == "" or value == () or value == []:
            return ()
        values = value if isinstance(value, (tuple, list)) else (value,)
        if self._single and len(values) != 1:
            return ()
        try:
            return tuple(self._read(scalar) for scalar in values)
        except (ValueError, TypeError, OverflowError):
            return ()

    def _read(self, value: Scalar) -> Inner:
        if not isinstance(value, (str, bool, int, Decimal, Fraction)):
            raise TypeError(f"{type(value).__name__} is not a value of a response")
        if isinstance(value, str) and self._names:
            if self._base == "identifier":
                return self._names.get(value, value)
            if self._base in ("pair", "directedPair"):
                value = " ".join(self._names.get(word, word) for word in value.split())
        if isinstance(value, str) and self._base in ("float", "integer"):
            return self._typed(value)
        return read(self._base, value)

    def _typed(self, text: str) -> Inner:
        """A number as QTI or as a person writes it; the text itself where it is none, for units to be looked for."""
        try:
            return read(self._base, text)
        except ValueError:
            pass
        try:
            value = typed_number(text)[0]
        except ValueError:
            return text
        return value if self._base == "float" else int(value) if value.denominator == 1 else text


Method = Callable[[tuple[Inner, ...]], Fraction | None]
NOTHING, FULL = Fraction(0), Fraction(1)


def _method(rule: Rule, declaration: ResponseDeclaration | None, item: "Item") -> Method:
    if rule.method == "person" or declaration is None:
        return lambda given: None
    if rule.method == "none":
        return lambda given: NOTHING
    if rule.method == "text":
        return lambda given: text_share(given, rule)
    if rule.method == "numeric":
        return lambda given: numeric_share(given, rule)
    if rule.method == "credits":
        credits = {answer.value: answer.credit for answer in rule.answers}
        return lambda given: sum((credits.get(lexical(value), NOTHING) for value in set(given)), NOTHING)
    if rule.method == "mapping":
        return _mapping_share(declaration)
    correct = tuple(read(declaration.base, value) for value in declaration.correct)
    if rule.method == "all-or-nothing":
        return _equal(correct, declaration.cardinality == "ordered")
    if rule.method == "per-option":
        options = [c.id for i in item.interactions if i.response == rule.response for c in i.everything()]
        return lambda given: option_share(set(given), set(correct), len(options))
    if rule.method == "per-part":
        if declaration.cardinality == "ordered":
            return lambda given: place_share(given, correct)
        return lambda given: pair_share(set(given), set(correct))
    raise ValueError(f"{rule.method} is not a marking method")


def _equal(correct: tuple[Inner, ...], ordered: bool) -> Method:
    def share(given: tuple[Inner, ...]) -> Fraction:
        same = given == correct if ordered else len(given) == len(set(given)) and set(given) == set(correct)
        return FULL if same and given else NOTHING

    return share


def option_share(given: set[Inner], correct: set[Inner], options: int) -> Fraction:
    """Right +1/right, wrong −1/wrong: choosing everything earns nothing, whatever the numbers of both."""
    if not correct:
        return NOTHING
    wrong = options - len(correct)
    share = Fraction(len(given & correct), len(correct))
    return share - (Fraction(len(given - correct), wrong) if wrong > 0 else len(given - correct))


def place_share(given: tuple[Inner, ...], correct: tuple[Inner, ...]) -> Fraction:
    """The share of places that hold what belongs there."""
    if not correct:
        return NOTHING
    return Fraction(sum(a == b for a, b in zip(given, correct)), len(correct))


def pair_share(given: set[Inner], correct: set[Inner]) -> Fraction:
    """Right pairs, less the pairs beyond their number, as a share of the pairs of the key."""
    if not correct:
        return NOTHING
    surplus = max(0, len(given) - len(correct))
    return Fraction(max(0, len(given & correct) - surplus), len(correct))


def text_share(given: tuple[Inner, ...], rule: Rule) -> Fraction:
    """The credit of the best fitting answer; a response of several texts earns the mean of theirs."""
    if not given:
        return NOTHING
    shares = [_best(value, rule) for value in given]
    return sum(shares, NOTHING) / len(shares)


def _best(value: Inner, rule: Rule) -> Fraction:
    typed = folded(lexical(value), rule.case, rule.accents)
    fits = [answer.credit for answer in rule.answers if typed and text_fits(typed, answer, rule)]
    return max(fits, default=NOTHING)


def text_fits(typed: str, answer: Answer, rule: Rule) -> bool:
    """Whether a folded text is this answer."""
    wanted = folded(answer.value, rule.case, rule.accents)
    return bool(wildcard(wanted).fullmatch(typed)) if answer.wildcard else typed == wanted


@lru_cache(maxsize=4096)
def wildcard(pattern: str) -> re.Pattern[str]:
    """A pattern in which * stands for any letters, also none, and \\* for a star.

    Each stretch between stars is matched as early as possible and not given back (an atomic group in effect, as only
    the first fit of each stretch need be tried), so that time stays linear in practice for hostile patterns.
    """
    pieces = [re.escape(piece.replace("\x00", "*")) for piece in pattern.replace("\\*", "\x00").split("*")]
    if len(pieces) == 1:
        return re.compile(pieces[0], re.DOTALL)
    inner = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1] if piece)
    return re.compile(pieces[0] + inner + ".*" + pieces[-1], re.DOTALL)


def numeric_share(given: tuple[Inner, ...], rule: Rule) -> Fraction:
    if len(given) != 1:
        return NOTHING
    raw = given[0]
    unit = ""
    if isinstance(raw, (bool, tuple)):
        return NOTHING
    if isinstance(raw, str):
        try:
            value, unit = typed_number(raw, [name for name, _ in rule.units])
        except ValueError:
            return NOTHING
    else:
        value = Fraction(raw)
    if rule.unit_required and not unit:
        return NOTHING
    value *= dict(rule.units).get(unit, FULL)
    return max((answer.credit for answer in rule.answers if number_fits(value, answer)), default=NOTHING)


def number_fits(value: Fraction, answer: Answer) -> bool:
    """Whether a number lies within an answer's tolerance or range, both ends included."""
    if answer.wildcard:
        return True
    centre = exact(answer.value)
    if answer.upper:
        return centre <= value <= exact(answer.upper)
    margin = abs(centre) * answer.tolerance / 100 if answer.percent else answer.tolerance
    return abs(value - centre) <= margin


def _mapping_share(declaration: ResponseDeclaration) -> Method:
    mapping, areas = declaration.mapping, declaration.areas
    if mapping is not None:
        most = mapping_maximum(mapping, declaration)
        return lambda given: mapped(given, mapping, declaration.base) / most if most else NOTHING
    if areas is not None:
        highest = areas_maximum(areas)
        return lambda given: area_mapped(given, areas) / highest if highest else NOTHING
    return lambda given: NOTHING


def mapping_maximum(mapping: Mapped, declaration: ResponseDeclaration) -> Fraction:
    """The most that mapResponse can give: one value when single, else the sum of the positive ones, bounded above."""
    positive = [entry.value for entry in mapping.entries if entry.value > 0]
    if declaration.cardinality == "single":
        most = max(positive, default=max(mapping.default, NOTHING))
    else:
        most = sum(positive, NOTHING)
    return most if mapping.upper is None else min(most, mapping.upper)


def areas_maximum(areas: AreaMapped) -> Fraction:
    most = sum((entry.value for entry in areas.entries if entry.value > 0), NOTHING)
    return most if areas.upper is None else min(most, areas.upper)
