"""Reading rows of a table as questions: each column asked for by name, each bad row refused by its number."""

import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from question_banks import kinds, spreadsheets
from question_banks.declarations import Answer, Choice
from question_banks.fields import LANGUAGE
from question_banks.intake import Build, Notes, collect, slug
from question_banks.kinds import ONE, ZERO, Gap, Option
from question_banks.limits import Limits
from question_banks.markup import NO_TEXT, PLACEHOLDER, Text, markdown_of_plain, normal
from question_banks.model import LEVELS, STATUSES, Bank, Item, Metadata, marks_of
from question_banks.problems import BankError, ItemError, ProblemLog, declare
from question_banks.spreadsheets import Row
from question_banks.values import exact, show, typed_number

declare(
    {
        "table-columns": "The table has no column {name}; its first row must name the columns.",
        "table-column-unknown": "The column {name} is not known and was not read.",
        "table-kind": "The kind {kind} is not known; known are {known}.",
        "table-key": "The key {key} names no choice of the question.",
        "table-pair": "The choice {text} is not a pair such as left => right.",
        "table-gap": "The key of the gap {gap} is missing; write it as {gap} = answer | other answer.",
        "table-cell": "{column} is {value}, which cannot be read.",
        "table-formula": "Cells with formulas were read as the values last calculated.",
        "table-sheets": "Only the first of the workbook's sheets was read.",
        "table-letters": "More than {most} choices cannot be written in a table.",
        "table-separator": "The text {text} contains a sign that separates cells' parts.",
    }
)

LETTERS = "ABCDEFGHIJKL"
TEXTS = ("prompt", "explanation", "guide", "unit", "title", *LETTERS)
PLAIN = (
    "id", "kind", "topic", "level", "marks", "key", "scoring", "shuffle", "tolerance", "words_min", "words_max", "minutes",
    "tags", "author", "source", "status", "format",
)  # fmt: skip
ALIASES = {
    "mã": "id", "mã câu": "id", "loại": "kind", "loại câu": "kind", "chủ đề": "topic", "chuyên đề": "topic", "mức độ": "level",
    "mức": "level", "điểm": "marks", "câu hỏi": "prompt", "nội dung": "prompt", "đáp án": "key", "giải thích": "explanation",
    "hướng dẫn chấm": "guide", "đơn vị": "unit", "sai số": "tolerance", "số từ tối thiểu": "words_min",
    "số từ tối đa": "words_max", "tác giả": "author", "nguồn": "source", "nhãn": "tags", "trạng thái": "status",
    "cách tính điểm": "scoring", "xáo trộn": "shuffle", "phút": "minutes", "định dạng": "format", "tiêu đề": "title",
}  # fmt: skip
KIND_ALIASES = {
    "một đáp án": "single", "trắc nghiệm": "single", "nhiều đáp án": "multiple", "đúng sai": "true-false",
    "đúng/sai": "true-false", "true/false": "true-false", "số": "numeric", "trả lời ngắn": "text", "sắp xếp": "order",
    "ghép đôi": "match", "nối": "match", "điền khuyết": "gap", "tự luận": "essay", "mô tả": "description",
}  # fmt: skip
LEVEL_ALIASES = {
    "nhận biết": "recall",
    "thông hiểu": "understand",
    "vận dụng": "apply",
    "phân tích": "analyse",
    "vận dụng cao": "analyse",
}
TRUE = frozenset(("true", "đúng", "yes", "có", "1", "t", "đ"))
FALSE = frozenset(("false", "sai", "no", "không", "0", "f", "s"))


def read_csv(data: bytes, file: str, log: ProblemLog, limits: Limits, language: str = "vi") -> Bank:
    """A bank from a CSV table."""
    return _bank(spreadsheets.read_csv(data, file, limits), file, log, limits, "csv", language)


def read_xlsx(data: bytes, file: str, log: ProblemLog, limits: Limits, language: str = "vi") -> Bank:
    """A bank from the first sheet of an XLSX workbook."""
    rows, others = spreadsheets.read_xlsx(data, file, limits)
    if others:
        log.lossy("table-sheets")
    return _bank(rows, file, log, limits, "xlsx", language)


def _bank(rows: list[Row], file: str, log: ProblemLog, limits: Limits, name: str, language: str) -> Bank:
    rows = [row for row in rows if any(cell.strip() for cell in row.cells)]
    if not rows:
        raise BankError("table-empty", file=file)
    columns = [_column(cell) for cell in rows[0].cells]
    known = {column[0] for column in columns if column}
    for wanted in ("kind", "prompt"):
        if wanted not in known:
            raise BankError("table-columns", file=file, line=rows[0].number, name=wanted)
    for cell, column in zip(rows[0].cells, columns, strict=True):
        if column is None and cell.strip():
            log.lossy("table-column-unknown", "", f"row {rows[0].number}", name=cell)
    languages = list(dict.fromkeys(column[1] for column in columns if column and column[1]))
    primary = language if not languages or language in languages else languages[0]
    items, media = collect(_entries(rows[1:], columns, primary), log, limits, primary)
    return Bank(name, NO_TEXT, tuple(dict.fromkeys([primary, *languages])), "", items, media)


def is_heading(line: str) -> bool:
    """Whether a line of text names the columns of a table of questions, in whichever language."""
    columns = [_column(cell.strip().strip('"')) for cell in re.split(r"[,;\t]", line[:10_000])]
    return {"kind", "prompt"} <= {column[0] for column in columns if column}


def _column(cell: str) -> tuple[str, str] | None:
    """(name, language) of a heading; None for an unknown one."""
    heading = " ".join(normal(cell).split())
    name, _, language = heading.rpartition("_")
    if not name or not LANGUAGE.match(language.lower()):
        name, language = heading, ""
    plain = ALIASES.get(name.lower(), name.lower())
    if plain in PLAIN and not language:
        return (plain, "")
    if ALIASES.get(heading.lower(), heading.lower()) in PLAIN:
        return (ALIASES.get(heading.lower(), heading.lower()), "")
    if plain.upper() in LETTERS and len(plain) == 1:
        return (plain.upper(), language.lower())
    return (plain, language.lower()) if plain in TEXTS else None


def _entries(
    rows: list[Row], columns: list[tuple[str, str] | None], primary: str
) -> Iterator[tuple[str, str, Build]]:
    for row in rows:
        cells: dict[tuple[str, str], str] = {}
        for column, cell in zip(columns, row.cells, strict=False):
            if column and cell.strip():
                key = (column[0], column[1] or (primary if column[0] in TEXTS else ""))
                cells.setdefault(key, normal(cell).strip())
        if cells:
            name = cells.get(("id", ""), "") or cells.get(("prompt", primary), "")[:40]
            yield name, f"row {row.number}", _builder(cells, bool(row.formulas))


def _builder(cells: dict[tuple[str, str], str], formulas: bool) -> Build:
    def build(notes: Notes) -> Item:
        if formulas:
            notes.lose("table-formula")
        return _Line(cells, notes).item()

    return build


class _Line:
    """One row as an item."""

    def __init__(self, cells: dict[tuple[str, str], str], notes: Notes) -> None:
        self.cells = cells
        self.notes = notes
        self.markdown = self.plain("format").lower() == "markdown"

    def plain(self, name: str, default: str = "") -> str:
        return self.cells.get((name, ""), default)

    def sources(self, name: str) -> dict[str, str]:
        return {
            language: cell for (column, language), cell in self.cells.items() if column == name and language
        }

    def text(self, name: str) -> Text:
        return self.formatted(self.sources(name))

    def formatted(self, sources: dict[str, str]) -> Text:
        for source in sources.values():
            if len(source) > self.notes.limits.characters:
                raise ItemError("text-too-long", most=self.notes.limits.characters)
        return Text.of(
            {language: s if self.markdown else markdown_of_plain(s) for language, s in sources.items()}
        )

    def number(self, name: str, default: str) -> Fraction:
        value = self.plain(name, default)
        try:
            return typed_number(value)[0]
        except ValueError:
            raise ItemError("table-cell", column=name, value=value) from None

    def whole(self, name: str) -> int | None:
        value = self.plain(name)
        if value and not re.fullmatch(r"\d{1,6}", value):
            raise ItemError("table-cell", column=name, value=value)
        return int(value) if value else None

    def one_of(self, name: str, allowed: Sequence[str], default: str, aliases: dict[str, str]) -> str:
        value = self.plain(name, default).lower()
        value = aliases.get(value, value)
        if value not in allowed:
            raise ItemError("table-cell", column=name, value=value)
        return value

    def item(self) -> Item:
        raw = self.plain("kind").lower()
        kind = KIND_ALIASES.get(raw, raw)
        if kind not in BUILDERS:
            raise ItemError("table-kind", kind=raw or "(empty)", known=", ".join(BUILDERS))
        body = self.text("prompt")
        if not body:
            raise ItemError("field-missing", field="prompt")
        marks = marks_of(self.number("marks", "0" if kind == "description" else "1"))
        minutes = marks_of(self.number("minutes", "0")) if self.plain("minutes") else None
        tags = tuple(tag.strip() for tag in self.plain("tags").split(";") if tag.strip())
        metadata = Metadata(
            topic=self.plain("topic"), level=self.one_of("level", ("", *LEVELS), "", LEVEL_ALIASES),
            author=self.plain("author"), source=self.plain("source"), tags=tags, minutes=minutes,
            status=self.one_of("status", STATUSES, "draft", {}), title=self.text("title"),
        )  # fmt: skip
        rest: dict[str, Any] = {"explanation": self.text("explanation"), "metadata": metadata}
        if kind != "description":
            rest["marks"] = marks
        return BUILDERS[kind](self, slug(self.plain("id"), 200), body, rest)

    def choices(self) -> list[Choice]:
        letters = [letter for letter in LETTERS if self.sources(letter)]
        if len(letters) < 2:
            raise ItemError("choices-too-few")
        return [Choice(letter, self.text(letter)) for letter in letters]

    def letters(self, choices: list[Choice]) -> list[str]:
        """The choices that the key names: "B", "A C", "A, C" or "AC"."""
        key = self.plain("key").upper()
        words = re.findall(r"[A-Z]+", key)
        found = [letter for word in words for letter in (word if len(word) > 1 else [word])]
        known = {choice.id for choice in choices}
        if not found:
            raise ItemError("key-missing")
        for letter in found:
            if letter not in known:
                raise ItemError("table-key", key=letter)
        return found

    def flag(self, name: str, default: bool) -> bool:
        value = self.plain(name).lower()
        if value and value not in TRUE | FALSE:
            raise ItemError("table-cell", column=name, value=value)
        return value in TRUE if value else default


def _single(line: _Line, id: str, body: Text, rest: dict[str, Any]) -> Item:
    choices = line.choices()
    right = line.letters(choices)
    if len(right) != 1:
        raise ItemError("key-several", number=len(right))
    options = [Option(choice, ONE if choice.id in right else ZERO) for choice in choices]
    return kinds.single(id, body, options, shuffle=line.flag("shuffle", True), **rest)


def _multiple(line: _Line, id: str, body: Text, rest: dict[str, Any]) -> Item:
    choices = line.choices()
    right = line.letters(choices)
    options = [Option(choice, ONE if choice.id in right else ZERO) for choice in choices]
    scoring = line.one_of("scoring", ("all-or-nothing", "per-option"), "all-or-nothing", {})
    return kinds.multiple(id, body, options, scoring=scoring, shuffle=line.flag("shuffle", True), **rest)


def _true_false(line: _Line, id: str, body: Text, rest: dict[str, Any]) -> Item:
    if not line.plain("key"):
        raise ItemError("key-missing")
    line.cells[("key", "")] = line.plain("key").lower()
    return kinds.true_false(id, body, line.flag("key", True), **rest)


def _numeric(line: _Line, id: str, body: Text, rest: dict[str, Any]) -> Item:
    if not line.plain("key"):
        raise ItemError("key-missing")
    tolerance = line.plain("tolerance", "0")
    percent = tolerance.strip().endswith("%")
    line.cells[("tolerance", "")] = tolerance.strip().removesuffix("%").strip()
    answer = Answer(
        show(line.number("key", "")), tolerance=abs(line.number("tolerance", "0")), percent=percent
    )
    return kinds.numeric(id, body, [answer], unit=line.text("unit"), **rest)


def _text(line: _Line, id: str, body: Text, rest: dict[str, Any]) -> Item:
    answers = [Answer(part.strip()) for part in line.plain("key").split("|") if part.strip()]
    if not answers:
        raise ItemError("key-missing")
    return kinds.text(id, body, answers, **rest)


def _order(line: _Line, id: str, body: Text, rest: dict[str, Any]) -> Item:
    choices = line.choices()
    if line.plain("key"):
        order = line.letters(choices)
        if sorted(order) != sorted(choice.id for choice in choices):
            raise ItemError("table-key", key=line.plain("key"))
        choices.sort(key=lambda choice: order.index(choice.id))
    scoring = line.one_of("scoring", ("all-or-nothing", "per-part"), "all-or-nothing", {})
    return kinds.order(id, body, choices, scoring=scoring, **rest)


def _match(line: _Line, id: str, body: Text, rest: dict[str, Any]) -> Item:
    left: list[Choice] = []
    right: dict[tuple[tuple[str, str], ...], Choice] = {}
    pairs = []
    for letter in LETTERS:
        sources = line.sources(letter)
        if not sources:
            continue
        halves = {language: source.partition("=>") for language, source in sources.items()}
        for language, half in halves.items():
            if not half[1] or not half[2].strip():
                raise ItemError("table-pair", text=sources[language])
        other = {language: parts[2].strip() for language, parts in halves.items()}
        side = right.setdefault(tuple(other.items()), Choice(str(len(right) + 1), line.formatted(other)))
        text = line.formatted(
            {language: parts[0].strip() for language, parts in halves.items() if parts[0].strip()}
        )
        if text:
            left.append(Choice(letter, text))
            pairs.append(f"{letter} {side.id}")
    if not pairs:
        raise ItemError("key-missing")
    scoring = line.one_of("scoring", ("all-or-nothing", "per-part"), "all-or-nothing", {})
    return kinds.match(
        id,
        body,
        left,
        list(right.values()),
        pairs,
        scoring=scoring,
        shuffle=line.flag("shuffle", True),
        **rest,
    )


def _gap(line: _Line, id: str, body: Text, rest: dict[str, Any]) -> Item:
    """key: "g1 = Hà Nội | Hanoi; g2 = *right | wrong; g3 = 12": a star makes it a choice, a number numeric."""
    keys = {}
    for part in re.split(r"[;\n]", line.plain("key")):
        name, equals, answers = part.partition("=")
        if equals:
            keys[name.strip()] = [answer.strip() for answer in answers.split("|") if answer.strip()]
    gaps = []
    for name in dict.fromkeys(PLACEHOLDER.findall(body.source(body.languages[0]))):
        if not keys.get(name):
            raise ItemError("table-gap", gap=name)
        gaps.append(_one_gap(name, keys[name], line))
        if any(f"[[{name}]]" not in source for _, source in body.values):
            raise ItemError("gap-missing", id=name)
    if not gaps:
        raise ItemError("answers-missing")
    scoring = line.one_of("scoring", ("all-or-nothing", "per-part"), "all-or-nothing", {})
    return kinds.gap(id, body, gaps, scoring=scoring, **rest)


def _one_gap(name: str, answers: list[str], line: _Line) -> Gap:
    if any(answer.startswith("*") for answer in answers):
        options = tuple(
            Option(
                Choice(f"c{n}", line.formatted({line.notes.language: answer.lstrip("*").strip()})),
                ONE if answer.startswith("*") else ZERO,
            )
            for n, answer in enumerate(answers, 1)
        )
        if sum(option.correct for option in options) != 1 or len(options) < 2:
            raise ItemError("table-gap", gap=name)
        return Gap(name, "choice", options)
    if len(answers) == 1:
        try:
            return Gap(name, "numeric", (), (Answer(show(exact(answers[0].replace(",", ".")))),))
        except ValueError:
            pass
    return Gap(name, "text", (), tuple(Answer(answer) for answer in answers))


def _essay(line: _Line, id: str, body: Text, rest: dict[str, Any]) -> Item:
    return kinds.essay(
        id, body, words=(line.whole("words_min"), line.whole("words_max")), guide=line.text("guide"), **rest
    )


def _description(line: _Line, id: str, body: Text, rest: dict[str, Any]) -> Item:
    return kinds.description(id, body, **rest)


BUILDERS: dict[str, Callable[[_Line, str, Text, dict[str, Any]], Item]] = {
    "single": _single, "multiple": _multiple, "true-false": _true_false, "numeric": _numeric, "text": _text, "order": _order,
    "match": _match, "gap": _gap, "essay": _essay, "description": _description,
}  # fmt: skip
