"""Answer files as people have them: any CSV with one candidate a line, and the key of its items.

The delimiter, the byte order mark, a header, the column of candidates' numbers and what is an option or a score are
found from the file, and can be said instead. What cannot be read is refused in one sentence with the line.
"""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.errors import BadResponses

Floats = NDArray[np.float64]

NOT_ADMINISTERED = ("NA", "N/A", "NaN", "null", ".", "-")
"""Cells that mean *not administered*, whatever their case. An empty cell means it too where a column holds
scores; where it holds options it means *omitted*, which is wrong."""

_DELIMITERS = (",", ";", "\t", "|")
_ID_NAMES = frozenset(
    ["id", "sbd", "stt", "no", "no.", "code", "name", "user", "username", "person", "student", "examinee", "candidate", "candidate_id", "candidate_number", "mã", "số_báo_danh", "so_bao_danh", "mã_thí_sinh", "mã_số", "thí_sinh", "họ_tên", "họ_và_tên", "ho_ten", "ho_va_ten", "số_thứ_tự"]
)
_KEY_WORDS = {
    "item": {"item", "question", "câu", "câu_hỏi", "cau"},
    "key": {"key", "answer", "correct", "đáp_án", "dap_an"},
    "maximum": {"maximum", "max", "points", "điểm_tối_đa", "điểm", "diem"},
}


@dataclass(frozen=True, eq=False)
class Answers:
    """A read answer file.

    `name`, `digest`: the file and its SHA-256 in hex. `persons`: candidates' numbers, or their line's place.
    `items`: column names. `scores`: persons × items, NaN = not administered. `options`: by keyed column the
    options chosen (None = omitted), `key` the right one. `maximum`: points by item, NaN where the file does not say.
    `groups`: a label per person ("" = none). `id_column`, `group_column`, `delimiter`, `header`: how it was
    read. `left_out_items`, `left_out_lines`: columns and lines with nothing in them. `repeated`: numbers that
    stand in several lines.
    """

    name: str
    digest: str
    persons: tuple[str, ...]
    items: tuple[str, ...]
    scores: Floats
    options: Mapping[int, tuple[str | None, ...]]
    key: Mapping[int, str]
    maximum: Floats
    groups: tuple[str, ...] | None
    id_column: str | None
    group_column: str | None
    delimiter: str
    header: bool
    left_out_items: tuple[str, ...]
    left_out_lines: tuple[int, ...]
    repeated: tuple[str, ...]


def read_answers(
    data: bytes,
    *,
    name: str = "",
    key: bytes | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    id_column: str | None = None,
    group_column: str | None = None,
    ignore: Sequence[str] = (),
    missing: Sequence[str] = NOT_ADMINISTERED,
) -> Answers:
    """Read one candidate a line. Columns are named by the header, or counted from 1 without one.

    `key`: a CSV with the columns item and key (and maximum: the points of a scored item), or with the items as header and
    the key below. Items in the key hold options, all others scores. `header`: None finds out.
    Without `id_column` a first column that is named like one, or that differs in every line and cannot be a score,
    holds the candidates' numbers. Options that are single letters are compared without regard to case.

    Raises BadResponses with one sentence.
    """
    text = _decode(data, "the answer file")
    rows, lines, sign = _rows(text, delimiter, "the answer file")
    if header is None:
        header = _looks_like_header(rows)
    names = [cell.strip() for cell in rows[0]] if header else [str(j + 1) for j in range(len(rows[0]))]
    if header:
        rows, lines = rows[1:], lines[1:]
    if not rows:
        raise BadResponses("The answer file has a header but no candidate below it.")
    _check_names(names)
    width = len(names)
    for row, line in zip(rows, lines, strict=True):
        if len(row) != width:
            raise BadResponses(f"Line {line} of the answer file has {len(row)} cells, but {width} were expected.")
    columns = {column: [row[j].strip() for row in rows] for j, column in enumerate(names)}
    given = [*ignore, *([id_column] if id_column else []), *([group_column] if group_column else [])]
    for column in given:
        if column not in columns:
            raise BadResponses(f"There is no column {column!r}; the columns are {_listed(names)}.")
    right, points = _read_key(key, [n for n in names if n not in given]) if key is not None else ({}, {})
    if id_column is None:
        first = next((n for n in names if n not in given), None)
        if first is not None and first not in right and _identifies(first, columns[first], header):
            id_column = first
    items = [n for n in names if n not in ignore and n not in (id_column, group_column)]
    if not items:
        raise BadResponses("No column is left for items: name fewer as number, group or ignored.")
    codes = {code.casefold() for code in missing}
    scores = np.full((len(rows), len(items)), np.nan)
    options: dict[int, tuple[str | None, ...]] = {}
    for j, item in enumerate(items):
        if item in right:
            scores[:, j], options[j], right[item] = _mark(columns[item], right[item], codes)
        else:
            scores[:, j] = _scores(columns[item], item, lines, codes, sign, key is not None)
    return _complete(
        Answers(
            name=name,
            digest=hashlib.sha256(data).hexdigest(),
            persons=tuple(columns[id_column]) if id_column else tuple(str(i + 1) for i in range(len(rows))),
            items=tuple(items),
            scores=scores,
            options=options,
            key={j: right[item] for j, item in enumerate(items) if item in right},
            maximum=np.array([1.0 if item in right else points.get(item, np.nan) for item in items]),
            groups=tuple(columns[group_column]) if group_column else None,
            id_column=id_column,
            group_column=group_column,
            delimiter=sign,
            header=header,
            left_out_items=(),
            left_out_lines=(),
            repeated=(),
        ),
        lines,
    )


def _complete(read: Answers, lines: list[int]) -> Answers:
    """Leave out columns and lines in which nobody answered anything, and notice repeated numbers."""
    seen = ~np.isnan(read.scores)
    items, persons = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    if items.size == 0:
        raise BadResponses("Every cell is empty: there is nothing to analyse.")
    numbers = Counter(read.persons[i] for i in persons)
    place = {int(j): new for new, j in enumerate(items)}
    return Answers(
        name=read.name,
        digest=read.digest,
        persons=tuple(read.persons[i] for i in persons),
        items=tuple(read.items[j] for j in items),
        scores=read.scores[np.ix_(persons, items)],
        options={place[j]: tuple(chosen[i] for i in persons) for j, chosen in read.options.items() if j in place},
        key={place[j]: right for j, right in read.key.items() if j in place},
        maximum=read.maximum[items],
        groups=None if read.groups is None else tuple(read.groups[i] for i in persons),
        id_column=read.id_column,
        group_column=read.group_column,
        delimiter=read.delimiter,
        header=read.header,
        left_out_items=tuple(item for j, item in enumerate(read.items) if j not in place),
        left_out_lines=tuple(lines[i] for i in np.flatnonzero(~seen.any(axis=1))),
        repeated=tuple(number for number, count in numbers.items() if count > 1),
    )


def _decode(data: bytes, what: str) -> str:
    if not data.strip():
        raise BadResponses(f"{what[0].upper()}{what[1:]} is empty.")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadResponses(
            f"{what[0].upper()}{what[1:]} is not UTF-8 text (byte {error.start}): save it as CSV in UTF-8."
        ) from None
    if "\x00" in text:
        raise BadResponses(f"{what[0].upper()}{what[1:]} is not a text file: save the table as CSV.")
    return unicodedata.normalize("NFC", text)


def _rows(text: str, delimiter: str | None, what: str) -> tuple[list[list[str]], list[int], str]:
    """Lines with something in them, their numbers, and the delimiter."""
    first = text.split("\n", 1)[0].strip()
    skipped = 0
    if first.lower().startswith("sep=") and len(first) == 5:
        delimiter, text, skipped = delimiter or first[4], text.split("\n", 1)[1] if "\n" in text else "", 1
    sign = delimiter or _delimiter(text)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
        numbered = [(row, reader.line_num + skipped) for row in reader if any(cell.strip() for cell in row)]
    except (csv.Error, TypeError) as error:
        raise BadResponses(f"{what[0].upper()}{what[1:]} cannot be read as CSV: {error}.") from None
    if not numbered:
        raise BadResponses(f"{what[0].upper()}{what[1:]} is empty.")
    return [row for row, _ in numbered], [line for _, line in numbered], sign


def _delimiter(text: str) -> str:
    """The sign that cuts the first lines into the same number of cells most often, and into most."""
    head = [line for line in text[:200_000].splitlines() if line.strip()][:50]

    def quality(sign: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in csv.reader(head, delimiter=sign))
        width, count = widths.most_common(1)[0]
        return (count / widths.total() if width > 1 else 0.0, width)

    return max(_DELIMITERS, key=quality)


def _looks_like_header(rows: list[list[str]]) -> bool:
    """A first line of filled cells that stand nowhere below, or mostly, if they differ from each other."""
    first = [cell.strip() for cell in rows[0]]
    if len(rows) == 1 or "" in first:
        return False
    width = len(first)
    below = [{row[j].strip() for row in rows[1:] if len(row) == width} for j in range(width)]
    new = sum(cell not in values for cell, values in zip(first, below, strict=True))
    return new == width if len(set(first)) < width else 2 * new >= width


def _check_names(names: list[str]) -> None:
    for number, column in enumerate(names, start=1):
        if not column:
            raise BadResponses(f"Column {number} of the answer file has no name: name it, or say that there is no header.")
    repeated = [column for column, count in Counter(names).items() if count > 1]
    if repeated:
        raise BadResponses(f"Two columns of the answer file are called {repeated[0]!r}: give each its own name.")


def _identifies(column: str, values: list[str], header: bool) -> bool:
    if header and _plain(column) in _ID_NAMES:
        return True
    if len(set(values)) < len(values) or "" in values or len(values) < 3:
        return False
    numbers = [_number(value, ",") for value in values]
    return any(number is None for number in numbers) or max(n for n in numbers if n is not None) > 100


def _plain(text: str) -> str:
    return "_".join(text.casefold().split())


def _number(cell: str, delimiter: str) -> float | None:
    """A finite number; a decimal comma is one where commas do not separate columns."""
    try:
        value = float(cell.replace(",", ".") if delimiter != "," else cell)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _scores(
    cells: list[str], item: str, lines: list[int], codes: set[str], delimiter: str, keyed: bool
) -> list[float]:
    known: dict[str, float] = {}
    for cell in dict.fromkeys(cells):
        if cell == "" or cell.casefold() in codes:
            known[cell] = float("nan")
            continue
        value = _number(cell, delimiter)
        if value is None or value < 0:
            line = lines[cells.index(cell)]
            if value is not None:
                raise BadResponses(f"Line {line}, column {item}: a score of {cell} is below 0.")
            what = "name its key in the key file" if keyed else "give the key file"
            raise BadResponses(
                f"Line {line}, column {item}: {cell[:40]!r} is not a score; {what}, or say that the column is the "
                "candidates' number, the group, or to be ignored."
            )
        known[cell] = value
    return [known[cell] for cell in cells]


def _mark(cells: list[str], right: str, codes: set[str]) -> tuple[list[float], tuple[str | None, ...], str]:
    """Scores, options and the key; single letters in one case."""
    given = {cell for cell in cells if cell and cell.casefold() not in codes}
    if all(len(option) == 1 for option in given | {right}):
        cells, right = [cell.upper() if len(cell) == 1 else cell for cell in cells], right.upper()
    away = [cell != "" and cell.casefold() in codes for cell in cells]
    scores = [float("nan") if gone else float(cell == right) for cell, gone in zip(cells, away, strict=True)]
    return scores, tuple(None if gone or not cell else cell for cell, gone in zip(cells, away, strict=True)), right


def _read_key(data: bytes, items: list[str]) -> tuple[dict[str, str], dict[str, float]]:
    """Right options by item, and the points of scored items."""
    rows, lines, sign = _rows(_decode(data, "the key file"), None, "the key file")
    head = [_plain(cell) for cell in rows[0]]
    places = {
        meaning: next((j for j, cell in enumerate(head) if cell in words), None) for meaning, words in _KEY_WORDS.items()
    }
    if places["item"] is not None and (places["key"] is not None or places["maximum"] is not None):
        body, lines = rows[1:], lines[1:]
    elif len(rows) == 2 and sum(cell.strip() in items for cell in rows[0]) * 2 > len(rows[0]):
        if len(rows[0]) != len(rows[1]):
            raise BadResponses(f"The key file names {len(rows[0])} items and gives {len(rows[1])} keys.")
        body, lines = [list(pair) for pair in zip(*rows, strict=True)], [lines[1]] * len(rows[0])
        places = {"item": 0, "key": 1, "maximum": None}
    elif all(len(row) == 2 for row in rows):
        body, places = rows, {"item": 0, "key": 1, "maximum": None}
    else:
        raise BadResponses("The key file needs the columns item and key, or the items as header and the key below.")
    right: dict[str, str] = {}
    points: dict[str, float] = {}
    for row, line in zip(body, lines, strict=True):
        cell = {meaning: row[j].strip() if j is not None and j < len(row) else "" for meaning, j in places.items()}
        item = cell["item"]
        if item not in items:
            raise BadResponses(f"Line {line} of the key file: there is no item {item!r} in the answer file.")
        if item in right or item in points:
            raise BadResponses(f"Line {line} of the key file: item {item!r} stands there twice.")
        if cell["key"]:
            right[item] = cell["key"]
        if cell["maximum"]:
            value = _number(cell["maximum"], sign)
            if value is None or value <= 0:
                raise BadResponses(f"Line {line} of the key file: {cell['maximum']!r} is not a number of points.")
            if not cell["key"]:
                points[item] = value
            elif value != 1:
                raise BadResponses(f"Line {line} of the key file: an item with a key counts 1 point; score {item!r} yourself.")
        if not cell["key"] and not cell["maximum"]:
            raise BadResponses(f"Line {line} of the key file: item {item!r} has no key.")
    return right, points


def _listed(names: list[str]) -> str:
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
