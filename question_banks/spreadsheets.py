"""Rows of text from CSV and XLSX files, and back. Only the cells' texts count; nothing is calculated."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

import xlsxwriter
from lxml import etree

from question_banks.archives import Archive
from question_banks.limits import Limits
from question_banks.problems import BankError, declare
from question_banks.sources import child, children, content, decode, parse_xml

declare(
    {
        "table-empty": "The table has no rows.",
        "table-rows": "The table has more than {most} rows.",
        "table-cells": "A row of the table has more than {most} cells.",
        "csv-broken": "The table cannot be read: {reason}.",
        "xlsx-sheet": "The workbook has no sheet that can be read.",
    }
)

_RISKY = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})\Z")


@dataclass(frozen=True)
class Row:
    """One row: its number in the file, its cells as text, and which of them came from formulas."""

    number: int
    cells: tuple[str, ...]
    formulas: tuple[int, ...] = ()


def guarded(text: str) -> str:
    """A cell that a spreadsheet will not take for a formula."""
    return "'" + text if text.startswith(_RISKY) or text.startswith("'") else text


def unguarded(text: str) -> str:
    return (
        text[1:] if text.startswith("'") and len(text) > 1 and text[1:].startswith((*_RISKY, "'")) else text
    )


def read_csv(data: bytes, file: str, limits: Limits) -> list[Row]:
    """The rows of a CSV text, separated by comma, semicolon or tab, whichever its first line has most of."""
    text = decode(data, file, limits)
    head = text.lstrip("\n\r").split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    rows: list[Row] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    try:
        for cells in reader:
            if len(rows) >= limits.rows:
                raise BankError("table-rows", file=file, most=limits.rows)
            if len(cells) > limits.cells:
                raise BankError("table-cells", file=file, line=reader.line_num, most=limits.cells)
            rows.append(Row(reader.line_num, tuple(unguarded(cell) for cell in cells)))
    except csv.Error as error:
        raise BankError("csv-broken", file=file, line=reader.line_num, reason=str(error)) from None
    return rows


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """CSV with a byte order mark, so that spreadsheets know it is UTF-8."""
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\r\n").writerows([guarded(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def read_xlsx(data: bytes, file: str, limits: Limits) -> tuple[list[Row], int]:
    """The rows of a workbook's first sheet, and how many further sheets there are."""
    archive = Archive(data, file, limits)
    workbook = parse_xml(archive.read("xl/workbook.xml"), "xl/workbook.xml", limits)
    sheets = [sheet for found in children(workbook, "sheets") for sheet in children(found, "sheet")]
    path = _sheet_path(archive, sheets, limits)
    if not sheets or path not in archive:
        raise BankError("xlsx-sheet", file=file)
    shared = _shared_strings(archive, limits)
    root = parse_xml(archive.read(path), path, limits)
    table = child(root, "sheetData")
    rows: list[Row] = []
    for position, row in enumerate(children(table, "row") if table is not None else (), 1):
        if len(rows) >= limits.rows:
            raise BankError("table-rows", file=file, most=limits.rows)
        cells: dict[int, str] = {}
        formulas = []
        for place, cell in enumerate(children(row, "c")):
            column = _column(cell.get("r", ""), place)
            if column >= limits.cells:
                raise BankError("table-cells", file=file, line=position, most=limits.cells)
            cells[column] = _cell(cell, shared)
            if child(cell, "f") is not None:
                formulas.append(column)
        number = row.get("r", "")
        width = max(cells, default=-1) + 1
        texts = tuple(cells.get(n, "") for n in range(width))
        rows.append(
            Row(int(number) if re.fullmatch(r"\d{1,7}", number) else position, texts, tuple(formulas))
        )
    return rows, len(sheets) - 1


def _sheet_path(archive: Archive, sheets: list[etree._Element], limits: Limits) -> str:
    """The first sheet's member, by the workbook's relations."""
    if sheets and "xl/_rels/workbook.xml.rels" in archive:
        wanted = next(
            (value for key, value in sheets[0].attrib.items() if etree.QName(key).localname == "id"), ""
        )
        relations = parse_xml(
            archive.read("xl/_rels/workbook.xml.rels"), "xl/_rels/workbook.xml.rels", limits
        )
        for relation in children(relations, "Relationship"):
            if relation.get("Id") == wanted:
                target = relation.get("Target", "")
                return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return "xl/worksheets/sheet1.xml"


def _shared_strings(archive: Archive, limits: Limits) -> list[str]:
    if "xl/sharedStrings.xml" not in archive:
        return []
    root = parse_xml(archive.read("xl/sharedStrings.xml"), "xl/sharedStrings.xml", limits)
    return [_runs(entry) for entry in children(root, "si")]


def _runs(element: etree._Element) -> str:
    """Text of a cell, without the phonetic hints of East Asian names."""
    texts = [content(text) for text in children(element, "t")]
    texts += [content(text) for run in children(element, "r") for text in children(run, "t")]
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), "".join(texts))


def _column(reference: str, place: int) -> int:
    found = _CELL.match(reference)
    if not found:
        return place
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return column - 1


def _cell(cell: etree._Element, shared: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        inline = child(cell, "is")
        return _runs(inline) if inline is not None else ""
    value = content(child(cell, "v"))
    if kind == "s":
        return shared[int(value)] if re.fullmatch(r"\d{1,7}", value) and int(value) < len(shared) else ""
    if kind == "b":
        return "true" if value == "1" else "false"
    return _plain_number(value) if kind == "n" else value


def _plain_number(value: str) -> str:
    """What the person typed: 0.1 is stored as 0.1 or 0.10000000000000001, 3 as 3 or 3.0."""
    try:
        number = Decimal(repr(float(value)))
    except (ValueError, InvalidOperation, OverflowError):
        return value
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return value
    return f"{number.normalize():f}"


def write_xlsx(sheets: Sequence[tuple[str, Sequence[Sequence[str]]]]) -> bytes:
    """A workbook whose cells are all texts; the first row of each sheet stays in sight."""
    target = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(target, options)
    book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 - the same bytes whenever written
    head = book.add_format(
        {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8EEF4", "border": 1}
    )
    body = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    for name, rows in sheets:
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                if text:
                    sheet.write_string(number, column, text, body if number else head)
        for column, title in enumerate(rows[0] if rows else ()):
            wide = title.startswith(("prompt", "explanation", "guide", "meaning"))
            sheet.set_column(column, column, 60 if wide else 24 if "_" in title else 14)
    book.close()
    return target.getvalue()
