"""Writing a question in fields instead of TOML: what each kind asks for, and the way between fields and the native table.

A form's value is a flat mapping from field names to typed text, such as "prompt.vi", "choices.0.text.en", "choices.0.correct".
The native table (docs/formats/native-bank.md) is the truth; what a form does not show (author, source, parameters) it leaves alone,
and a question that uses more than its form can show is edited as TOML.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from examsvc.base.errors import N_, Refused
from examsvc.base.language import nfc
from question_banks import LIMITS, Item, ItemError, soundness, toml
from question_banks.fields import Fields
from question_banks.native.reading import read_item
from question_banks.native.writing import item_table

Table = dict[str, Any]
Values = Mapping[str, str]
Shape = Literal["text", "phrase", "word", "flag", "select", "lists", "options", "levels"]

MOST_ROWS = 40


@dataclass(frozen=True)
class Entry:
    """One thing that a form asks for: its key in the native table, its label and hint, and how it is typed.

    text, phrase: once for each language; word: once; flag: a box; select: one of ``options``; lists: lines for each language;
    options: lines of a gap's choices; levels: lines of a rubric's levels.
    """

    key: str
    label: str
    shape: Shape
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    default: bool = False


@dataclass(frozen=True)
class Rows:
    """A list in the native table, one fieldset for each entry."""

    key: str
    label: str
    entries: tuple[Entry, ...]
    first: int
    letters: bool = True


_TEXT = Entry("text", N_("Text"), "phrase")
_WHOLE = (("all-or-nothing", N_("all or nothing")),)
_PARTS = Entry("scoring", N_("Marks"), "select", "", (*_WHOLE, ("per-part", N_("a share for each right place"))))
_SHUFFLE = Entry("shuffle", N_("Shuffle the options for each candidate"), "flag", default=True)
_WHY = Entry("why", N_("Why it is right or wrong (never shown in the examination)"), "phrase")
_ACCEPT = Entry("accept", N_("Answers that count"), "lists", N_("One on each line."))
_TOLERANCE = Entry("tolerance", N_("Tolerance"), "word", N_("Such as 0.5, or 2%% of the answer. Left empty: the exact number."))

KINDS: dict[str, tuple[Entry | Rows, ...]] = {
    "single": (
        Rows("choices", N_("Option"), (_TEXT, Entry("correct", N_("This is the right one"), "flag"), _WHY), 4),
        _SHUFFLE,
    ),
    "multiple": (
        Rows("choices", N_("Option"), (_TEXT, Entry("correct", N_("This is a right one"), "flag"), _WHY), 5),
        Entry(
            "scoring",
            N_("Marks"),
            "select",
            "",
            (*_WHOLE, ("per-option", N_("right ones add, wrong ones subtract, never below zero"))),
        ),
        _SHUFFLE,
    ),
    "true-false": (
        Entry("answer", N_("The statement is"), "select", "", (("true", N_("true")), ("false", N_("false")))),
        Entry("why_true", N_("Why it is true, or not"), "phrase"),
        Entry("why_false", N_("Why it is false, or not"), "phrase"),
    ),
    "numeric": (
        Entry("answer", N_("Right number"), "word"),
        _TOLERANCE,
        Entry("unit", N_("Unit behind the field"), "phrase"),
    ),
    "text": (
        _ACCEPT,
        Entry("case", N_("Capitals count"), "flag"),
        Entry("accents", N_("Accents count"), "flag", default=True),
    ),
    "order": (Rows("choices", N_("Step, in the right order"), (_TEXT,), 4), _PARTS),
    "match": (
        Rows(
            "left",
            N_("Left side"),
            (_TEXT, Entry("partner", N_("Goes with the right side number"), "word", N_("Several: 1, 3."))),
            4,
        ),
        Rows("right", N_("Right side"), (_TEXT,), 5, letters=False),
        _PARTS,
    ),
    "gap": (
        Rows(
            "gaps",
            N_("Gap"),
            (
                Entry("id", N_("Its name in the text, written there as [[g1]]"), "word"),
                Entry(
                    "kind",
                    N_("What is done there"),
                    "select",
                    "",
                    (("choice", N_("choose from a list")), ("text", N_("type words")), ("numeric", N_("type a number"))),
                ),
                Entry("choices", N_("The list to choose from"), "options", N_("One option on each line, the languages separated by |, the right one begins with *.")),
                _ACCEPT,
                Entry("answer", N_("Right number"), "word"),
                _TOLERANCE,
            ),
            2,
        ),
        _PARTS,
    ),
    "essay": (
        Entry("least", N_("Words, at least"), "word"),
        Entry("most", N_("Words, at most"), "word"),
        Entry("guide", N_("Marking guide"), "text", N_("What a good answer holds; markers read it.")),
        Rows(
            "rubric",
            N_("Criterion"),
            (
                Entry("title", N_("Criterion"), "phrase"),
                Entry("marks", N_("Marks"), "word"),
                Entry("levels", N_("Levels"), "levels", N_("One level on each line, the best first: marks | what deserves them, in each language.")),
            ),
            3,
        ),
    ),
}
HEAD = (
    Entry("prompt", N_("What is asked"), "text", N_("Markdown: **bold**, lists and tables are possible. Pictures: see the page of pictures of this bank.")),
)
TAIL = (Entry("explanation", N_("Why the key is right"), "text", N_("For the reviewer, and for candidates after the examination."),),)
DETAILS = (
    Entry("topic", N_("Topic"), "word", N_("From the general to the particular, with points: finance.budget")),
    Entry("level", N_("Cognitive level"), "select"),
    Entry("marks", N_("Marks"), "word"),
    Entry("minutes", N_("Expected minutes"), "word"),
    Entry("enemies", N_("Never in one paper with"), "word", N_("Names of questions, separated by commas.")),
    Entry("tags", N_("Tags"), "word", N_("Separated by commas.")),
)
_KEPT = ("id", "kind", "title", "author", "source", "status", "exposure", "parameters")


# -------------------------------------------------------------------------------- native table and item


def table_of(item: Item) -> Table:
    """The native table of an item."""
    table: Table = _plain(item_table(item))
    return table


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def as_toml(table: Mapping[str, Any]) -> str:
    return toml.table(table)


def read_toml(text: str) -> Table:
    """The table typed as TOML; Refused with the line where it is not."""
    try:
        found = tomllib.loads(nfc(text))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column \d+\)", str(error))
        raise Refused(
            N_("This is not well-formed TOML, in line %(line)s: %(reason)s"),
            line=place[1] if place else "?",
            reason=re.sub(r" \(at [^)]*\)", "", str(error)),
            field="toml",
        ) from None
    except RecursionError:
        raise Refused(N_("This is nested too deeply."), field="toml") from None
    if "item" in found or "format" in found:
        raise Refused(N_("Write the keys of this one question only, without [[item]] and without the head of a bank."), field="toml")
    return found


def item_of(table: Mapping[str, Any], language: str) -> Item:
    """The item of a native table.  ItemError where it is none; Refused where it has keys that nobody reads."""
    fields = Fields(table, "", language, LIMITS)
    try:
        item = read_item(fields)
        soundness.check(item, LIMITS)
    except RecursionError:
        raise Refused(N_("This is nested too deeply."), field="toml") from None
    unknown = fields.unknown()
    if unknown:
        raise Refused(N_("These keys are not known: %(keys)s. Correct or remove them."), keys=", ".join(unknown[:5]), field="toml")
    return item


# -------------------------------------------------------------------------------- fields


def entries(kind: str) -> tuple[Entry | Rows, ...]:
    """Everything that the form of a kind asks for, in order."""
    return (*HEAD, *KINDS[kind], *TAIL, *DETAILS)


def suits(table: Mapping[str, Any], languages: Sequence[str]) -> bool:
    """Whether the form of its kind shows all of a question, so that saving the form unchanged gives the same question."""
    kind = str(table.get("kind", ""))
    if kind not in KINDS:
        return False
    known = {one.key for one in entries(kind)} | set(_KEPT)
    known |= {"pairs"} if kind == "match" else {"words"} if kind == "essay" else set()
    known |= {"tolerance_percent"} if kind == "numeric" else set()
    if not set(table) <= known or _foreign(table, languages):
        return False
    values = typed(table, languages)
    try:
        return item_of(read(kind, values, table, languages), languages[0]) == item_of(table, languages[0])
    except (ItemError, Refused):
        return False


def _foreign(value: Any, languages: Sequence[str]) -> bool:
    """Whether a text has a language or format that the form does not show."""
    if isinstance(value, list):
        return any(_foreign(one, languages) for one in value)
    if isinstance(value, Mapping):
        texts = [key for key in value if re.fullmatch(r"[a-z]{2,3}", key) and isinstance(value[key], str)]
        strange = {"format", *texts} - set(languages) - {"id", "why"}
        return ("format" in value) or (any(key in languages for key in value) and bool(strange - {"format"})) or any(
            _foreign(one, languages) for one in value.values()
        )
    return False


def typed(table: Mapping[str, Any], languages: Sequence[str]) -> dict[str, str]:
    """The native table as values of its form."""
    kind = str(table["kind"])
    found: dict[str, str] = {}
    for one in entries(kind):
        if isinstance(one, Rows):
            rows = table.get(one.key, [])
            for place, row in enumerate(rows):
                found[f"{one.key}.{place}.id"] = str(row.get("id", ""))
                for entry in one.entries:
                    if entry.key == "partner":
                        order = [side["id"] for side in table.get("right", [])]
                        right = [pair.split()[1] for pair in table.get("pairs", []) if pair.split()[0] == row["id"]]
                        found[f"{one.key}.{place}.partner"] = ", ".join(str(order.index(name) + 1) for name in right)
                    else:
                        found |= _typed(f"{one.key}.{place}.", entry, row, languages)
            found[f"{one.key}.rows"] = str(len(rows))
        elif one.key in ("least", "most"):
            bound = table.get("words", {}).get({"least": "min", "most": "max"}[one.key])
            found[one.key] = "" if bound is None else str(bound)
        else:
            found |= _typed("", one, table, languages)
    return found


def _typed(prefix: str, entry: Entry, table: Mapping[str, Any], languages: Sequence[str]) -> dict[str, str]:
    name, value = prefix + entry.key, table.get(entry.key)
    match entry.shape:
        case "text" | "phrase":
            texts = value if isinstance(value, Mapping) else {languages[0]: value or ""}
            return {f"{name}.{language}": str(texts.get(language, "")) for language in languages}
        case "flag":
            return {name: "1"} if (entry.default if value is None else value) else {}
        case "lists":
            lists = value if isinstance(value, Mapping) else dict.fromkeys(languages, value or [])
            return {f"{name}.{language}": "\n".join(lists.get(language, [])) for language in languages}
        case "options":
            lines = [("* " if row.get("correct") else "") + _joined(row.get("text"), languages) for row in value or []]
            return {name: "\n".join(lines), f"{name}.ids": " ".join(str(row["id"]) for row in value or [])}
        case "levels":
            return {name: "\n".join(f"{row['marks']} | {_joined(row.get('text'), languages)}" for row in value or [])}
        case _:
            if entry.key == "tolerance" and "tolerance_percent" in table:
                return {name: f"{table['tolerance_percent']}%"}
            if isinstance(value, bool):
                return {name: "true" if value else "false"}
            return {name: ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)}


def _joined(text: Any, languages: Sequence[str]) -> str:
    texts = text if isinstance(text, Mapping) else {languages[0]: text or ""}
    return " | ".join(str(texts.get(language, "")) for language in languages)


def read(kind: str, values: Values, base: Mapping[str, Any], languages: Sequence[str]) -> Table:
    """The native table of what was typed; ``base`` gives what the form does not ask for.  Whether it is a question, ``item_of`` says."""
    table: Table = {key: base[key] for key in _KEPT if key in base}
    table["kind"] = kind
    for one in entries(kind):
        if isinstance(one, Rows):
            table[one.key] = _rows(one, values, languages)
        elif one.key in ("least", "most"):
            _bound(table, one, values)
        else:
            _put(table, "", one, values, languages)
    if kind == "match":
        table["pairs"] = _pairs(values, table)
    for rows in table.values():
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                row.pop("partner", None)
    if kind == "gap":
        _tidy_gaps(table["gaps"])
    if kind == "true-false":
        table["answer"] = table.get("answer") != "false"
    return {key: value for key, value in table.items() if value not in ("", [], {})}


def _rows(rows: Rows, values: Values, languages: Sequence[str]) -> list[Table]:
    found: list[Table] = []
    taken = {values.get(f"{rows.key}.{place}.id", "") for place in range(MOST_ROWS)}
    for place in range(MOST_ROWS):
        row: Table = {}
        for entry in rows.entries:
            _put(row, f"{rows.key}.{place}.", entry, values, languages)
        if not any(value not in ("", {}, [], False, True) for key, value in row.items() if key != "kind"):
            continue
        identifier = values.get(f"{rows.key}.{place}.id", "").strip()
        if not identifier:
            identifier = next(name for name in _names(rows.letters) if name not in taken)
            taken.add(identifier)
        found.append({"id": identifier} | {key: value for key, value in row.items() if value not in ("", {}, [], False)})
    return found


def _names(letters: bool) -> Iterator[str]:
    if letters:
        yield from "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    number = 1
    while True:
        yield str(number)
        number += 1


def _put(table: Table, prefix: str, entry: Entry, values: Values, languages: Sequence[str]) -> None:
    name = prefix + entry.key
    match entry.shape:
        case "text" | "phrase":
            table[entry.key] = {
                language: text for language in languages if (text := _clean(values.get(f"{name}.{language}", "")))
            }
        case "flag":
            ticked = bool(values.get(name))
            if ticked != entry.default:
                table[entry.key] = ticked
        case "lists":
            lists = {language: _lines(values.get(f"{name}.{language}", "")) for language in languages}
            every = list(lists.values())
            table[entry.key] = every[0] if all(one == every[0] for one in every) else {k: v for k, v in lists.items() if v}
        case "options":
            lines, names = _lines(values.get(name, "")), values.get(f"{name}.ids", "").split()
            names = names if len(names) == len(lines) else [f"o{place}" for place in range(1, len(lines) + 1)]
            table[entry.key] = [_option(one, line, languages) for one, line in zip(names, lines, strict=True)]
        case "levels":
            table[entry.key] = [_level(line, languages) for line in _lines(values.get(name, ""))]
        case _:
            text = _clean(values.get(name, ""))
            if entry.key == "tolerance":
                percent = text.endswith("%")
                table["tolerance_percent" if percent else "tolerance"] = _number(text.removesuffix("%"))
            elif entry.key in ("enemies", "tags"):
                table[entry.key] = [word for one in text.split(",") if (word := one.strip())]
            elif entry.key in ("answer", "marks", "minutes"):
                table[entry.key] = _number(text)
            elif entry.key == "scoring" and text == "all-or-nothing":
                pass
            else:
                table[entry.key] = text


def _bound(table: Table, entry: Entry, values: Values) -> None:
    text = _clean(values.get(entry.key, ""))
    if not text:
        return
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise Refused(N_("The number of words is a whole number."), field=entry.key)
    table.setdefault("words", {})[{"least": "min", "most": "max"}[entry.key]] = int(text)


def _option(identifier: str, line: str, languages: Sequence[str]) -> Table:
    right = line.startswith("*")
    row: Table = {"id": identifier, "text": _split(line.lstrip("* "), languages)}
    return row | ({"correct": True} if right else {})


def _level(line: str, languages: Sequence[str]) -> Table:
    marks, _, rest = line.partition("|")
    return {"marks": _number(marks.strip()), "text": _split(rest, languages)}


def _split(text: str, languages: Sequence[str]) -> dict[str, str]:
    pieces = [piece.strip() for piece in text.split("|")]
    if len(pieces) == 1:
        return dict.fromkeys(languages, pieces[0])
    if len(pieces) > len(languages):
        raise Refused(N_("The line “%(line)s” has more parts than there are languages."), line=text.strip()[:80])
    return {language: piece for language, piece in zip(languages, pieces, strict=False) if piece}


def _pairs(values: Values, table: Table) -> list[str]:
    right = [row["id"] for row in table["right"]]
    places = [place for place in range(MOST_ROWS) if any(_clean(v) for k, v in values.items() if k.startswith(f"left.{place}.") and not k.endswith(".id"))]
    pairs = []
    for row, place in zip(table["left"], places, strict=True):
        for word in re.split(r"[\s,;]+", _clean(values.get(f"left.{place}.partner", ""))):
            if not word:
                continue
            if not (word.isascii() and word.isdigit() and 1 <= int(word) <= len(right)):
                raise Refused(N_("“%(word)s” is no number of a right side."), word=word[:20], field=f"left.{place}.partner")
            pairs.append(f"{row['id']} {right[int(word) - 1]}")
    return pairs


_OF_GAPS = {"choice": ("choices",), "text": ("accept",), "numeric": ("answer", "tolerance", "tolerance_percent")}


def _tidy_gaps(gaps: list[Table]) -> None:
    """A gap keeps only what its own kind asks for."""
    for gap in gaps:
        mine = _OF_GAPS.get(gap.get("kind", ""), ())
        for kind, keys in _OF_GAPS.items():
            for key in keys:
                if key not in mine and kind != gap.get("kind"):
                    gap.pop(key, None)


def _number(text: str) -> str:
    """A decimal number with the comma of Vietnamese or the point of English."""
    return text.strip().replace(",", ".") if re.fullmatch(r"\s*-?\d+,\d+\s*", text) else text.strip()


def _clean(text: str) -> str:
    return nfc(text).replace("\r\n", "\n").replace("\x00", "").strip()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in _clean(text).split("\n") if line.strip()]


def blank(kind: str, identifier: str) -> Table:
    """The table of a question that is not written yet."""
    return {"id": identifier, "kind": kind, "marks": "1"}
