"""Questions as rows of a CSV or XLSX table that an office can fill in (docs/formats/import-losses.md lists the columns).

One row is one question. A column ending in _vi, _en … is in that language, without it in the primary one. Cells are
plain text, or Markdown when the row's `format` says so. Column names and kinds are known in English and Vietnamese.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from question_banks import kinds, losses, spreadsheets
from question_banks.declarations import Answer, Choice
from question_banks.fields import LANGUAGE
from question_banks.intake import Build, Notes, collect, slug
from question_banks.kinds import ONE, ZERO, Gap, Option
from question_banks.limits import LIMITS, Limits
from question_banks.markup import NO_TEXT, PLACEHOLDER, Text, markdown_of_plain, normal, plain_text
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
        if kind not in _BUILDERS:
            raise ItemError("table-kind", kind=raw or "(empty)", known=", ".join(_BUILDERS))
        body = self.text("prompt")
        if not body:
            raise ItemError("field-missing", field="prompt")
        marks = marks_of(self.number("marks", "0" if kind == "description" else "1"))
        if marks < 0:
            raise ItemError("marks-negative")
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
        return _BUILDERS[kind](self, slug(self.plain("id"), 200), body, rest)

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


_BUILDERS: dict[str, Callable[[_Line, str, Text, dict[str, Any]], Item]] = {
    "single": _single, "multiple": _multiple, "true-false": _true_false, "numeric": _numeric, "text": _text, "order": _order,
    "match": _match, "gap": _gap, "essay": _essay, "description": _description,
}  # fmt: skip


# Writing


def write_csv(bank: Bank, log: ProblemLog, language: str = "") -> bytes:
    """The bank as a CSV table."""
    rows, written = _rows(bank, log)
    data = spreadsheets.write_csv(rows)
    if written:
        losses.report(bank, written, lambda found: read_csv(data, "", found, LIMITS, bank.languages[0]), log)
    return data


def write_xlsx(bank: Bank, log: ProblemLog, language: str = "") -> bytes:
    """The bank as a workbook."""
    rows, written = _rows(bank, log)
    data = spreadsheets.write_xlsx([("questions", rows)])
    if written:
        losses.report(bank, written, lambda found: read_xlsx(data, "", found, LIMITS, bank.languages[0]), log)
    return data


def _headings(languages: Sequence[str], letters: str) -> list[str]:
    return [
        "id", "kind", "topic", "level", "marks",
        *(f"prompt_{language}" for language in languages),
        *(f"{letter}_{language}" for letter in letters for language in languages),
        "key", "scoring", "shuffle", "tolerance",
        *(f"{name}_{language}" for name in ("unit", "explanation", "guide", "title") for language in languages),
        "words_min", "words_max", "minutes", "tags", "author", "source", "status", "format",
    ]  # fmt: skip


def _rows(bank: Bank, log: ProblemLog) -> tuple[list[list[str]], list[str]]:
    found: list[dict[str, str]] = []
    written = []
    for item in bank.items:
        try:
            found.append(_cells(item))
            written.append(item.id)
        except ItemError as error:
            log.refusal(item.id, "", error)
    used = [
        letter
        for letter in LETTERS
        if any(key[0] == letter and key[1:2] == "_" for cells in found for key in cells)
    ]
    every = dict.fromkeys(
        [
            *bank.languages,
            *(language for item in bank.items for _, t in item.texts() for language in t.languages),
        ]
    )
    headings = _headings(list(every), LETTERS[: max(4, LETTERS.index(used[-1]) + 1 if used else 0)])
    return [headings, *([cells.get(name, "") for name in headings] for cells in found)], written


def _cells(item: Item) -> dict[str, str]:
    if item.kind not in _BUILDERS or kinds.rebuilt(item) is None or item.template_processing is not None:
        raise ItemError("export-kind", kind=item.kind)
    texts: dict[str, Text] = {
        "prompt": item.body, "explanation": item.explanation, "guide": item.guide, "title": item.metadata.title,
    }  # fmt: skip
    m = item.metadata
    cells = {
        "id": item.id, "kind": item.kind, "topic": m.topic, "level": m.level, "author": m.author, "source": m.source,
        "status": m.status if m.status != "draft" else "", "tags": "; ".join(m.tags),
        "minutes": f"{m.minutes:f}" if m.minutes is not None else "",
        "marks": f"{item.marks:f}" if item.kind != "description" else "",
    }  # fmt: skip
    if item.kind != "description":
        cells |= _key_cells(item, texts)
    plain = all(_is_plain(text) for text in texts.values())
    cells["format"] = "" if plain else "markdown"
    for name, text in texts.items():
        if text.form != "markdown":
            raise ItemError("export-kind", kind="HTML")
        for language, source in text.values:
            cells[f"{name}_{language}"] = _plain(source) if plain else source
    return {name: cell for name, cell in cells.items() if cell}


def _is_plain(text: Text) -> bool:
    return text.form == "markdown" and all(
        markdown_of_plain(_plain(source)) == source for _, source in text.values
    )


def _plain(source: str) -> str:
    """Plain text whose Markdown is `source`, if there is such."""
    if "\n" not in source:
        return plain_text(Text.of(x=source).html("x"))
    paragraphs = source.split("\n\n")
    return "\n\n".join(
        "\n".join(_plain(line.removesuffix("\\")) for line in p.split("\n")) for p in paragraphs
    )


def _key_cells(item: Item, texts: dict[str, Text]) -> dict[str, str]:
    first, rule = item.interactions[0], item.rules[0]
    cells: dict[str, str] = {}
    if len(first.choices) > len(LETTERS):
        raise ItemError("table-letters", most=len(LETTERS))
    if item.kind in ("single", "multiple"):
        options = kinds.options(item)
        columns = _letters([option.choice.id for option in options], ascending=True)
        texts |= {letter: o.choice.text for letter, o in zip(columns, options, strict=True)}
        full = 1 if item.kind == "single" else min((o.credit for o in options if o.correct), default=1)
        cells["key"] = " ".join(
            letter for letter, o in zip(columns, options, strict=True) if o.credit >= full
        )
        cells["shuffle"] = "" if first.shuffle else "false"
    elif item.kind == "order":
        columns = _letters([choice.id for choice in first.choices], ascending=False)
        texts |= {letter: choice.text for letter, choice in zip(columns, first.choices, strict=True)}
        cells["key"] = " ".join(columns)
    elif item.kind == "true-false":
        cells["key"] = "true" if item.responses[0].correct == ("true",) else "false"
    elif item.kind == "numeric":
        if len(rule.answers) != 1 or rule.answers[0].wildcard:
            raise ItemError("export-kind", kind="numeric with several answers")
        cells |= _number_cells(rule.answers[0])
        texts["unit"] = first.unit
    elif item.kind == "text":
        cells["key"] = _joined([answer.value for answer in rule.answers])
    elif item.kind == "match":
        cells |= _pair_cells(item, texts)
    elif item.kind == "gap":
        cells["key"] = "; ".join(_gap_cell(gap) for gap in kinds.gaps(item))
        cells["scoring"] = "per-part" if item.combine == "sum" else ""
    elif item.kind == "essay":
        cells["words_min"], cells["words_max"] = ("" if n is None else str(n) for n in first.words)
    if item.kind in ("multiple", "order", "match") and rule.method in ("per-option", "per-part"):
        cells["scoring"] = rule.method
    return cells


def _letters(names: list[str], ascending: bool) -> list[str]:
    """The columns of choices: their own names where these are the letters of columns, else the first letters."""
    own = set(names) <= set(LETTERS) and (not ascending or names == sorted(names))
    return names if own else list(LETTERS[: len(names)])


def _number_cells(answer: Answer) -> dict[str, str]:
    if answer.upper:
        low, high = exact(answer.value), exact(answer.upper)
        return {"key": show((low + high) / 2), "tolerance": show((high - low) / 2)}
    suffix = "%" if answer.percent else ""
    return {
        "key": answer.value,
        "tolerance": show(answer.tolerance) + suffix if answer.tolerance or answer.percent else "",
    }


def _joined(values: list[str]) -> str:
    for value in values:
        if "|" in value:
            raise ItemError("table-separator", text=value)
    return " | ".join(values)


def _pair_cells(item: Item, texts: dict[str, Text]) -> dict[str, str]:
    interaction = item.interactions[0]
    partners: dict[str, str] = dict(pair.split() for pair in item.responses[0].correct)
    right = {choice.id: choice.text for choice in interaction.targets}
    if len(partners) != len(item.responses[0].correct) or set(partners) != {
        c.id for c in interaction.choices
    }:
        raise ItemError("gift-match-several")
    pairs = [(choice.text, right[partners[choice.id]]) for choice in interaction.choices]
    pairs += [(NO_TEXT, text) for name, text in right.items() if name not in partners.values()]
    if len(pairs) > len(LETTERS):
        raise ItemError("table-letters", most=len(LETTERS))
    for letter, (left, other) in zip(LETTERS, pairs, strict=False):
        joined = {}
        for language in other.languages:
            one = left.source(language) if left else ""
            if "=>" in one or "\n" in one or "\n" in other.source(language):
                raise ItemError("table-separator", text=one)
            joined[language] = f"{one} => {other.source(language)}".strip()
        texts[letter] = replace(Text.of(joined), form=other.form)
    return {"shuffle": "" if interaction.shuffle else "false"}


def _gap_cell(gap: Gap) -> str:
    if gap.kind == "choice":
        values = [("*" if option.correct else "") + option.choice.text.plain() for option in gap.options]
    else:
        values = [answer.value for answer in gap.answers]
    if any(sign in value for value in values for sign in (";", "|", "\n")):
        raise ItemError("table-separator", text=" ".join(values))
    return f"{gap.id} = {_joined(values)}"


MEANINGS = (
    ("id", "mã câu hỏi: chữ, số, dấu gạch", "name of the question: letters, digits, hyphens"),
    (
        "kind",
        "single, multiple, true-false, numeric, text, order, match, gap, essay",
        "the same words; Vietnamese ones are read too",
    ),
    ("topic", "chủ đề, các cấp cách nhau bằng dấu chấm", "topic, levels apart by dots"),
    ("level", "nhận biết, thông hiểu, vận dụng, phân tích", "recall, understand, apply, analyse"),
    ("marks", "số điểm, ví dụ 0,25", "marks, for example 0.25"),
    ("prompt_vi", "câu hỏi; chỗ trống viết [[g1]], [[g2]]", "the question; gaps are written [[g1]], [[g2]]"),
    (
        "A_vi … L_vi",
        "các lựa chọn; ghép đôi viết: vế trái => vế phải",
        "the choices; pairs are written: left => right",
    ),
    (
        "key",
        "đáp án: B | A C | true | 12,5 | Hà Nội | g1 = Hà Nội; g2 = *đúng | sai",
        "the key; text answers apart by |",
    ),
    ("scoring", "all-or-nothing, per-option, per-part", "multiple: per-option; order, match, gap: per-part"),
    ("shuffle", "false nếu giữ nguyên thứ tự lựa chọn", "false keeps the choices in their order"),
    ("tolerance", "sai số cho phép, ví dụ 0,1 hoặc 1%", "accepted deviation, for example 0.1 or 1%"),
    ("explanation_vi", "vì sao đáp án đúng", "why the key is right"),
    ("guide_vi", "hướng dẫn chấm bài tự luận", "marking guide of an essay"),
    ("words_min, words_max", "số từ tối thiểu, tối đa", "least and greatest number of words"),
    ("format", "markdown nếu văn bản viết bằng Markdown", "markdown when the cells are Markdown"),
)


def template(languages: Sequence[str] = ("vi", "en")) -> bytes:
    """The workbook that an office fills in: headings, and a second sheet that explains each column."""
    rows = [_headings(languages, LETTERS[:6])]
    meanings = [["column", "meaning (tiếng Việt)", "meaning (English)"], *(list(row) for row in MEANINGS)]
    return spreadsheets.write_xlsx([("questions", rows), ("columns", meanings)])
