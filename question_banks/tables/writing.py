"""Writing questions as rows of a table, and the empty table with its explanations."""

from collections.abc import Sequence
from dataclasses import replace

from question_banks import kinds, losses, spreadsheets
from question_banks.declarations import Answer
from question_banks.kinds import Gap
from question_banks.limits import LIMITS
from question_banks.markup import NO_TEXT, Text, markdown_of_plain, plain_text
from question_banks.model import Bank, Item
from question_banks.problems import ItemError, ProblemLog
from question_banks.tables.reading import BUILDERS, LETTERS, read_csv, read_xlsx
from question_banks.values import exact, show


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
    if item.kind not in BUILDERS or kinds.rebuilt(item) is None or item.template_processing is not None:
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
