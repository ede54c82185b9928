"""Reading the native format: one wrong item is refused by name and line, the others are read."""

import base64
import binascii
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from question_banks import kinds, soundness
from question_banks.declarations import (
    KINDS,
    METHODS,
    Answer,
    AreaEntry,
    AreaMapped,
    Choice,
    Interaction,
    MapEntry,
    Mapped,
    OutcomeDeclaration,
    Picture,
    ResponseDeclaration,
    Rule,
    TemplateDeclaration,
)
from question_banks.fields import LANGUAGE, Fields
from question_banks.limits import LIMITS, Limits
from question_banks.markup import MEDIA, PLACEHOLDER, Text
from question_banks.model import ITEM_KINDS, LEVELS, STATUSES, Bank, Criterion, Item, Level, Media, Metadata
from question_banks.problems import BankError, ItemError, ProblemLog, declare
from question_banks.processing import notation
from question_banks.sources import decode
from question_banks.values import BASE_TYPES, CARDINALITIES, read, show

FORMAT = "examsvc-bank/1"
SCORINGS = ("all-or-nothing", "per-option", "per-part", "credits")

declare(
    {
        "toml-broken": "The file is not well-formed TOML: {reason}.",
        "toml-too-deep": "The file is nested too deeply.",
        "native-format": "The file does not begin a bank: format must be {wanted}.",
        "native-bank": "The head of the bank cannot be read: {reason}",
        "key-unknown": "The key {key} is not known and was left out.",
        "identifier-repeated": "The identifier {id} is used by an earlier item.",
        "key-missing": "No choice is marked as correct.",
        "key-several": 'A single choice has {number} correct choices; use kind = "multiple".',
        "choices-too-few": "There are fewer than two choices.",
        "pair-unknown": "The pair {pair} names no left or no right side.",
        "answers-missing": "No answer is given.",
        "media-digest": "The medium {name} does not have the digest it is filed under.",
        "media-missing": "The medium {name} is not in the bank.",
        "media-too-large": "The medium {name} has {size} bytes; at most {most} are read.",
        "value-not-type": "The value {value} is not of the type {base}.",
        "items-too-many": "The file has {number} items; at most {most} are read.",
    }
)


def read_native(data: bytes, file: str, log: ProblemLog, limits: Limits = LIMITS, language: str = "") -> Bank:
    """The bank in a TOML text. A wrong item is refused by name and line, the others are read."""
    text = decode(data, file, limits)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        reason = re.sub(r" \(at [^)]*\)", "", str(error))
        raise BankError(
            "toml-broken", file=file, line=int(found[1]) if found else None, reason=reason
        ) from None
    except (RecursionError, ValueError) as error:
        if isinstance(error, RecursionError):
            raise BankError("toml-too-deep", file=file) from None
        raise BankError("toml-broken", file=file, reason=str(error)) from None
    if document.get("format") != FORMAT:
        raise BankError("native-format", file=file, wanted=FORMAT)
    entries = document.pop("item", [])
    if not isinstance(entries, list):
        raise BankError("native-bank", file=file, reason="item must be an array of tables ([[item]]).")
    if len(entries) > limits.items:
        raise BankError("items-too-many", file=file, number=len(entries), most=limits.items)
    try:
        bank = _head(document, log, limits)
    except ItemError as refusal:
        raise BankError("native-bank", file=file, reason=str(refusal)) from None
    lines = [n for n, line in enumerate(text.split("\n"), 1) if line.strip().startswith("[[item]]")]
    items: dict[str, Item] = {}
    for index, entry in enumerate(entries):
        where = f"line {lines[index]}" if len(lines) == len(entries) else f"item {index + 1}"
        name = str(entry.get("id", ""))[:200] if isinstance(entry, Mapping) else ""
        try:
            fields = Fields(entry, "", bank.languages[0], limits)
            item = read_item(fields)
            soundness.check(item, limits)
            _check_media(item, bank)
            if item.id in items:
                raise ItemError("identifier-repeated", id=item.id)
        except ItemError as refusal:
            log.refusal(name, where, refusal)
            continue
        items[item.id] = item
        for key in fields.unknown():
            log.lossy("key-unknown", item.id, where, key=key)
    return bank.replaced(items=tuple(items.values()))


def _head(document: Mapping[str, object], log: ProblemLog, limits: Limits) -> Bank:
    languages = document.get("languages")
    primary = languages[0] if isinstance(languages, list) and languages else "vi"
    if not isinstance(primary, str) or not LANGUAGE.match(primary):
        raise ItemError("field-language", field="languages", value=str(primary))
    fields = Fields(document, "", primary, limits)
    fields.string("format")
    named = fields.strings("languages") or (primary,)
    for language in named:
        if not LANGUAGE.match(language):
            raise ItemError("field-language", field="languages", value=language)
    media: dict[str, Media] = {}
    for entry in fields.tables("media", limits.archive_members):
        digest = entry.string("digest").lower()
        try:
            raw = base64.b64decode("".join(_long_string(entry, "data").split()), validate=True)
        except (binascii.Error, ValueError):
            raise ItemError("field-type", field=entry.place("data"), wanted="base64") from None
        if len(raw) > limits.media_size:
            raise ItemError("media-too-large", name=digest, size=len(raw), most=limits.media_size)
        medium = Media(raw, entry.string("type"), entry.string("name", ""))
        if medium.key != f"media/{digest}":
            raise ItemError("media-digest", name=digest)
        media[medium.key] = medium
    bank = Bank(
        fields.identifier("id", "bank"), fields.text("title"), tuple(dict.fromkeys(named)),
        fields.string("licence", ""), (), media,
    )  # fmt: skip
    for key in fields.unknown():
        log.lossy("key-unknown", "", "the head of the bank", key=key)
    return bank


def _long_string(fields: Fields, name: str) -> str:
    value = fields.raw(name)
    if not isinstance(value, str):
        raise ItemError("field-type", field=fields.place(name), wanted="base64")
    return value


def _check_media(item: Item, bank: Bank) -> None:
    for interaction in item.interactions:
        pictures = [interaction.picture] + [choice.picture for choice in interaction.everything()]
        for picture in pictures:
            if picture is not None and picture.media not in bank.media:
                raise ItemError("media-missing", name=picture.media)


def read_item(fields: Fields) -> Item:
    """One item table, in the short form of its kind or, when it has explicit interactions, in the general form."""
    kind = fields.one_of("kind", ITEM_KINDS)
    common: dict[str, Any] = {
        "explanation": fields.text("explanation"),
        "guide": fields.text("guide"),
        "rubric": tuple(_criterion(entry) for entry in fields.tables("rubric")),
        "metadata": _metadata(fields),
        "templates": tuple(_template(entry) for entry in fields.tables("template")),
    }
    if "template_processing" in fields:
        common["template_processing"] = notation.read(fields.string("template_processing"), fields.limits)
    identifier, body = (
        fields.identifier(),
        fields.text("prompt"),
    )
    marks = fields.decimal("marks", "0" if kind == "description" else "1")
    if "interaction" in fields or kind == "composite":
        return _general(fields, identifier, kind, body, marks, common)
    if kind == "description":
        return kinds.description(identifier, body, **{k: v for k, v in common.items() if k != "marks"})
    return _SHORT[kind](fields, identifier, body, common | {"marks": marks})


def _single(f: Fields, identifier: str, body: Text, rest: dict[str, Any]) -> Item:
    options = _options(f)
    if not any("credit" in entry for entry in f.entries("choices") if isinstance(entry, Mapping)):
        right = sum(option.correct for option in options)
        if right != 1:
            raise ItemError("key-several", number=right) if right else ItemError("key-missing")
    return kinds.single(identifier, body, options, shuffle=f.flag("shuffle", True), **rest)


def _multiple(f: Fields, identifier: str, body: Text, rest: dict[str, Any]) -> Item:
    scoring = f.one_of("scoring", ("all-or-nothing", "per-option", "credits"), "all-or-nothing")
    options = _options(f)
    if not any(option.correct for option in options):
        raise ItemError("key-missing")
    return kinds.multiple(identifier, body, options, scoring=scoring, shuffle=f.flag("shuffle", True), **rest)


def _options(f: Fields, name: str = "choices") -> tuple[kinds.Option, ...]:
    result = []
    for entry in f.tables(name):
        credit = Fraction(1) if entry.flag("correct", False) else Fraction(0)
        result.append(kinds.Option(_choice(entry), entry.number("credit", credit)))
    if len(result) < 2:
        raise ItemError("choices-too-few", where=f.place(name))
    return tuple(result)


def _choices(f: Fields, name: str) -> tuple[Choice, ...]:
    return tuple(_choice(entry) for entry in f.tables(name))


def _choice(entry: Fields) -> Choice:
    return Choice(
        entry.name(), entry.text("text"), fixed=entry.flag("fixed", False), why=entry.text("why"),
        picture=_picture(entry), show=_shown(entry),
    )  # fmt: skip


def _shown(entry: Fields) -> tuple[str, str, bool] | None:
    """show_if / hide_if = "VARIABLE value": the choice depends on a template variable."""
    for name, showing in (("show_if", True), ("hide_if", False)):
        if name in entry:
            variable, _, value = entry.string(name).partition(" ")
            return (variable, value, showing)
    return None


def _true_false(f: Fields, identifier: str, body: Text, rest: dict[str, Any]) -> Item:
    if "answer" not in f:
        raise ItemError("field-missing", field="answer")
    return kinds.true_false(
        identifier, body, f.flag("answer", True), why=(f.text("why_true"), f.text("why_false")), **rest
    )


def _numeric(f: Fields, identifier: str, body: Text, rest: dict[str, Any]) -> Item:
    return kinds.numeric(
        identifier, body, _numbers(f), unit=f.text("unit"), units=_units(f),
        unit_required=f.flag("unit_required", False), **rest,
    )  # fmt: skip


def _units(f: Fields) -> tuple[tuple[str, Fraction], ...]:
    return tuple((name, f.exactly(value, "units")) for name, value in f.mapping("units").items())


def _numbers(f: Fields) -> tuple[Answer, ...]:
    """answer = "12.5" with tolerance or tolerance_percent, or answers = [{…}, …] with credits and ranges."""
    if "answer" in f:
        return (_number(f, "answer"),)
    answers = tuple(_number(entry, "value") for entry in f.tables("answers"))
    if not answers:
        raise ItemError("answers-missing")
    return answers


def _number(f: Fields, name: str) -> Answer:
    wild = name == "value" and f.raw(name) == "*"
    percent = "tolerance_percent" in f
    upper = f.optional_number("upper") if name == "value" else None
    drawn = bool(PLACEHOLDER.fullmatch(f.string(name))) if isinstance(f.raw(name), str) else False
    return Answer(
        f.string(name) if wild or drawn else show(f.number(name)),
        f.number("credit", Fraction(1)) if name == "value" else Fraction(1),
        abs(f.number("tolerance_percent" if percent else "tolerance", Fraction(0))),
        percent, "" if upper is None else show(upper), wildcard=wild,
        feedback=f.text("feedback") if name == "value" else Text(),
    )  # fmt: skip


def _short_text(f: Fields, identifier: str, body: Text, rest: dict[str, Any]) -> Item:
    case, accents = f.flag("case", False), f.flag("accents", True)
    return kinds.text(identifier, body, _texts(f), case=case, accents=accents, **rest)


def _texts(f: Fields) -> tuple[Answer, ...]:
    """accept = ["…"] or by language, or answers = [{…}, …] with credits and wildcards."""
    if "accept" in f:
        accepted = f.raw("accept")
        by_language = accepted if isinstance(accepted, Mapping) else {"": accepted}
        answers = []
        for language, texts in by_language.items():
            inner = Fields({"accept": texts}, f.where, f.language, f.limits)
            answers += [Answer(text, language=str(language)) for text in inner.strings("accept")]
    else:
        answers = [
            Answer(
                entry.string("value"), entry.number("credit", Fraction(1)), language=entry.string("language", ""),
                wildcard=entry.flag("wildcard", False), feedback=entry.text("feedback"),
            )
            for entry in f.tables("answers")
        ]  # fmt: skip
    if not any(answer.value.strip() for answer in answers):
        raise ItemError("answers-missing")
    return tuple(answers)


def _order(f: Fields, identifier: str, body: Text, rest: dict[str, Any]) -> Item:
    choices = _choices(f, "choices")
    if len(choices) < 2:
        raise ItemError("choices-too-few")
    scoring = f.one_of("scoring", ("all-or-nothing", "per-part"), "all-or-nothing")
    return kinds.order(identifier, body, choices, scoring=scoring, **rest)


def _match(f: Fields, identifier: str, body: Text, rest: dict[str, Any]) -> Item:
    left, right = _choices(f, "left"), _choices(f, "right")
    pairs = tuple(" ".join(pair.split()) for pair in f.strings("pairs"))
    if not pairs:
        raise ItemError("key-missing")
    known = ({choice.id for choice in left}, {choice.id for choice in right})
    for pair in pairs:
        words = pair.split()
        if len(words) != 2 or words[0] not in known[0] or words[1] not in known[1]:
            raise ItemError("pair-unknown", pair=pair)
    scoring = f.one_of("scoring", ("all-or-nothing", "per-part"), "all-or-nothing")
    return kinds.match(
        identifier, body, left, right, pairs, scoring=scoring, shuffle=f.flag("shuffle", True), **rest
    )


def _gap(f: Fields, identifier: str, body: Text, rest: dict[str, Any]) -> Item:
    gaps = []
    for entry in f.tables("gaps"):
        name, kind = entry.name(), entry.one_of("kind", ("choice", "text", "numeric"))
        weight = entry.number("weight", Fraction(1))
        if kind == "choice":
            options = _options(entry)
            if not any(option.correct for option in options):
                raise ItemError("key-missing", where=entry.where)
            gap = kinds.Gap(name, kind, options, shuffle=entry.flag("shuffle", True), weight=weight)
        elif kind == "text":
            gap = kinds.Gap(
                name,
                kind,
                (),
                _texts(entry),
                entry.flag("case", False),
                entry.flag("accents", True),
                weight=weight,
            )
        else:
            gap = kinds.Gap(name, kind, (), _numbers(entry), weight=weight, units=_units(entry))
        gaps.append(gap)
    if not gaps:
        raise ItemError("answers-missing")
    scoring = f.one_of("scoring", ("all-or-nothing", "per-part"), "all-or-nothing")
    return kinds.gap(identifier, body, gaps, scoring=scoring, **rest)


def _essay(f: Fields, identifier: str, body: Text, rest: dict[str, Any]) -> Item:
    words = f.table("words")
    least, most = (None, None) if words is None else (words.whole("min", -1), words.whole("max", -1))
    bounds = (None if least in (None, -1) else least, None if most in (None, -1) else most)
    return kinds.essay(identifier, body, words=bounds, lines=f.whole("lines", 0), **rest)


_SHORT = {
    "single": _single, "multiple": _multiple, "true-false": _true_false, "numeric": _numeric, "text": _short_text,
    "order": _order, "match": _match, "gap": _gap, "essay": _essay,
}  # fmt: skip


def _metadata(f: Fields) -> Metadata:
    parameters = {}
    for name, value in f.mapping("parameters").items():
        parameters[name] = value if isinstance(value, str) else str(value)
    return Metadata(
        topic=f.string("topic", ""), level=f.one_of("level", ("", *LEVELS), ""), author=f.string("author", ""),
        source=f.string("source", ""), status=f.one_of("status", STATUSES, "draft"), exposure=f.whole("exposure", 0),
        minutes=f.decimal("minutes", "0") if "minutes" in f else None, tags=f.strings("tags"),
        enemies=f.strings("enemies"), parameters=parameters, title=f.text("title"),
    )  # fmt: skip


def _criterion(f: Fields) -> Criterion:
    levels = tuple(Level(entry.number("marks"), entry.text("text")) for entry in f.tables("levels"))
    return Criterion(f.name(), f.text("title", required=True), f.number("marks"), levels)


def _picture(f: Fields, name: str = "picture") -> Picture | None:
    entry = f.table(name)
    if entry is None:
        return None
    media = entry.string("media")
    if not MEDIA.match(media):
        raise ItemError("media-missing", name=media)
    return Picture(media, entry.whole("width", 0), entry.whole("height", 0), entry.text("alternative"))


# The general form: explicit interactions, declarations, rules and processing.


def _general(
    f: Fields, identifier: str, kind: str, body: Text, marks: Decimal, common: dict[str, Any]
) -> Item:
    interactions = tuple(_interaction(entry) for entry in f.tables("interaction", f.limits.interactions))
    responses = tuple(_response(entry) for entry in f.tables("response", f.limits.interactions))
    rules = tuple(_rule(entry) for entry in f.tables("rule", f.limits.interactions))
    return Item(
        identifier, kind, body, interactions, responses, rules, f.one_of("combine", ("sum", "all"), "sum"), marks,
        notation.read(f.string("processing"), f.limits) if "processing" in f else None,
        tuple(_outcome(entry) for entry in f.tables("outcome")),
        **common,
    )  # fmt: skip


def _interaction(f: Fields) -> Interaction:
    kind = f.one_of("kind", tuple(KINDS))
    words = f.table("words")
    bounds = (None, None) if words is None else (words.whole("min", -1), words.whole("max", -1))
    return Interaction(
        kind, f.name("response"), f.text("prompt"),
        tuple(_any_choice(entry) for entry in f.tables("choices")),
        tuple(_any_choice(entry) for entry in f.tables("targets")),
        f.flag("shuffle", False), f.whole("max_choices", 1), f.whole("min_choices", 0),
        (None if bounds[0] in (None, -1) else bounds[0], None if bounds[1] in (None, -1) else bounds[1]),
        f.whole("lines", 0), f.whole("length", 0), f.string("pattern", ""),
        f.optional_number("lower"), f.optional_number("upper"), f.optional_number("step"),
        _picture(f), f.text("unit"), f.strings("types"),
    )  # fmt: skip


def _any_choice(f: Fields) -> Choice:
    coordinates = tuple(
        int(n) for n in f.entries("coordinates") if isinstance(n, int) and not isinstance(n, bool)
    )
    return replace(
        _choice(f), match_max=f.whole("match_max", 1), match_min=f.whole("match_min", 0), group=f.strings("group"),
        shape=f.one_of("shape", ("", "circle", "rect", "ellipse", "poly", "default"), ""), coordinates=coordinates,
    )  # fmt: skip


def _values(f: Fields, name: str, base: str) -> tuple[str, ...]:
    values = f.strings(name)
    for value in values:
        try:
            read(base, value)
        except ValueError:
            raise ItemError("value-not-type", where=f.where, value=value, base=base) from None
    return values


def _typed(f: Fields) -> tuple[str, str]:
    return f.one_of("base", sorted(BASE_TYPES)), f.one_of("cardinality", sorted(CARDINALITIES), "single")


def _response(f: Fields) -> ResponseDeclaration:
    base, cardinality = _typed(f)
    mapping, areas = f.table("mapping"), f.table("areas")
    return ResponseDeclaration(
        f.name(), base, cardinality, _values(f, "correct", base),
        None if mapping is None else Mapped(
            tuple(MapEntry(e.string("key"), e.number("value"), e.flag("case", False)) for e in mapping.tables("entries")),
            *_bounds(mapping),
        ),
        None if areas is None else AreaMapped(
            tuple(_area(entry) for entry in areas.tables("entries")), *_bounds(areas)
        ),
        _values(f, "default", base),
    )  # fmt: skip


def _area(entry: Fields) -> AreaEntry:
    coordinates = tuple(int(n) for n in entry.entries("coordinates") if isinstance(n, int))
    return AreaEntry(entry.string("shape"), coordinates, entry.number("value"))


def _bounds(f: Fields) -> tuple[Fraction, Fraction | None, Fraction | None]:
    return f.number("default", Fraction(0)), f.optional_number("lower"), f.optional_number("upper")


def _outcome(f: Fields) -> OutcomeDeclaration:
    base, cardinality = _typed(f)
    table = notation.read(f.string("table"), f.limits) if "table" in f else None
    return OutcomeDeclaration(
        f.name(), base, cardinality, _values(f, "default", base), table,
        f.optional_number("normal_maximum"), f.optional_number("normal_minimum"), f.string("view", ""),
    )  # fmt: skip


def _template(f: Fields) -> TemplateDeclaration:
    base, cardinality = _typed(f)
    return TemplateDeclaration(
        f.name(),
        base,
        cardinality,
        _values(f, "default", base),
        f.flag("math", False),
        f.flag("parameter", False),
    )


def _rule(f: Fields) -> Rule:
    method = f.one_of("method", sorted(METHODS))
    answers: tuple[Answer, ...] = ()
    if method == "numeric":
        answers = _numbers(f)
    elif method == "text":
        answers = _texts(f)
    elif method == "credits":
        answers = tuple(
            Answer(entry.string("value"), entry.number("credit")) for entry in f.tables("answers")
        )
    return Rule(
        f.name("response"), method, f.number("weight", Fraction(1)), f.number("floor", Fraction(0)), answers,
        f.flag("case", False), f.flag("accents", True), _units(f), f.flag("unit_required", False),
    )  # fmt: skip
