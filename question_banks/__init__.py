"""Question banks: what an item is, each exchange format in and out, and marking one response exactly.

    result = read_bank(Path("leadership.toml"))       # .bank, .problems: item by item what was lost or refused
    item = result.bank["gov-001"].instance(seed)      # template variables drawn; the same item where there are none
    item.presentation("vi", seed)                     # plain JSON data for the exam player; nothing of the key in it
    item.accepts({"RESPONSE": "B"})                   # true, or .code and .message of why it is not well formed
    item.mark({"RESPONSE": "B"}).score                # exact Decimal (Fraction if need be); None: a person must mark
    item.identified(responses)                        # tokens of the presentation as the choices' identifiers
    write_bank(result.bank, "moodle-xml").data        # .problems: what the format could not carry
    lint(result.bank)                                 # findings: errors, warnings, advice

Where to look: `model` (Bank, Item and their parts), `kinds` (building the usual kinds), `reading` (the two doors),
`native`, `moodle`, `gift`, `aiken`, `tables`, `qti` (formats), `processing` (QTI's response and template processing),
`marking`, `presenting`, `responding`, `linting`, `duplicates`, `limits`. Every reader is made for files of strangers:
limits are settings, no file outside the source is read, nothing of it is executed.

Responses are keyed by response identifier: "RESPONSE" for kinds with one place to answer, the gap's id for gaps.
A value names choices by their identifiers or by the tokens of the presentation:

    single "B" | multiple ["A", "C"] | true-false "true" | numeric "12,5" | text "…" | order ["C", "A", "B"]
    match ["a 1", "b 3"] | gap {"g1": "B", "g2": "…"} | essay "…" | points "10 20"

The package imports neither `scoring` nor `examsvc`.
"""

from question_banks.limits import LIMITS, Limits
from question_banks.linting import lint
from question_banks.model import Bank, Item, Media, Metadata, Outcome, Text
from question_banks.problems import Acceptance, BankError, Finding, ItemError, Problem
from question_banks.reading import ExportResult, ImportResult, read_bank, sniff, write_bank
from question_banks.responding import count_words

__all__ = [
    "LIMITS",
    "Acceptance",
    "Bank",
    "BankError",
    "ExportResult",
    "Finding",
    "ImportResult",
    "Item",
    "ItemError",
    "Limits",
    "Media",
    "Metadata",
    "Outcome",
    "Problem",
    "Text",
    "count_words",
    "lint",
    "read_bank",
    "sniff",
    "write_bank",
]
