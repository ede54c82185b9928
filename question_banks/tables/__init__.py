"""Questions as rows of a CSV or XLSX table that an office can fill in (docs/formats/import-losses.md lists the columns).

One row is one question. A column ending in _vi, _en … is in that language, without it in the primary one. Cells are
plain text, or Markdown when the row's `format` says so. Column names and kinds are known in English and Vietnamese.
"""

from question_banks.tables.reading import is_heading, read_csv, read_xlsx
from question_banks.tables.writing import template, write_csv, write_xlsx

__all__ = ["is_heading", "read_csv", "read_xlsx", "template", "write_csv", "write_xlsx"]
