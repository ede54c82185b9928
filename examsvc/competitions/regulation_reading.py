"""Reading a regulation from bytes, strictly, with one sentence for each thing that is wrong and where it is.

A problem carries a code and parameters, so that pages can say it in their own language; `message` is the English sentence.
"""

import difflib
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from examsvc.competitions.terms import Model, models_of, path_key
from examsvc.ledger import canonical

MAX_BYTES = 512 * 1024
MAX_DEPTH = 16
MAX_ITEMS = 400
"""Greatest length of a list: more than a year has days."""
MAX_PROBLEMS = 50
"""So many problems are told at once; who has more mends these first."""
MAX_NAME = 60
"""Names in paths are cut here, so that a sentence stays one."""


@dataclass(frozen=True)
class Problem:
    """Something that keeps a document from being a regulation."""

    code: str
    path: str
    """Place, by names: "stages.written.parts.essay.minutes"; empty for the whole document."""
    message: str
    """One English sentence that begins with the place and says what to do."""
    params: Mapping[str, str] = field(default_factory=dict)


class RegulationError(ValueError):
    """The document is not a regulation. `problems` holds every problem found, in the document's order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problem.message for problem in self.problems))


def _refuse(code: str, sentence: str, path: str = "", **params: str) -> RegulationError:
    return RegulationError([Problem(code, path, f"{path}: {sentence}" if path else sentence, params)])


def read_toml_tree(data: bytes) -> dict[str, Any]:
    """TOML as a plain tree: texts in NFC, dates as texts, no floats, times or oversized numbers. RegulationError."""
    text = _decode(data)
    try:
        tree = tomllib.loads(text)
    except RecursionError:
        raise _refuse(
            "too-deep", "The document is nested too deeply; write it in tables of a few levels."
        ) from None
    except ValueError as error:
        raise _refuse("not-toml", f"The document is not TOML: {error}.", reason=str(error)) from None
    problems: list[Problem] = []
    plain = _plain(tree, "", 0, problems)
    if problems:
        raise RegulationError(problems[:MAX_PROBLEMS])
    assert isinstance(plain, dict)
    return plain


def read_canonical_tree(data: bytes) -> dict[str, Any]:
    """The tree of canonical bytes (RFC 8785, see `ledger.canonical`), and of no other spelling. RegulationError."""
    try:
        tree = canonical.decode(data, max_bytes=MAX_BYTES)
    except canonical.CanonicalError as error:
        raise _refuse(
            "not-canonical", f"The document is not the export of a regulation: {error}.", reason=str(error)
        ) from None
    if not isinstance(tree, dict):
        raise _refuse(
            "not-canonical", "The document is not the export of a regulation: it must be an object."
        )
    return tree


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _refuse(
            "too-large",
            f"The document is larger than {MAX_BYTES // 1024} KiB; shorten it.",
            limit=str(MAX_BYTES),
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _refuse("not-utf8", "The document is not UTF-8 text; save it with that encoding.") from None


def _plain(value: object, path: str, depth: int, problems: list[Problem]) -> Any:
    def report(code: str, sentence: str) -> None:
        problems.append(Problem(code, path, f"{path}: {sentence}" if path else sentence))

    if depth > MAX_DEPTH:
        report("too-deep", f"nested more than {MAX_DEPTH} levels deep; write it flatter.")
        return None
    if isinstance(value, dict):
        return {
            unicodedata.normalize("NFC", key): _plain(item, _join(path, key), depth + 1, problems)
            for key, item in value.items()
        }
    if isinstance(value, list) and len(value) > MAX_ITEMS:
        report("too-many-items", f"the list has more than {MAX_ITEMS} items; shorten it.")
        return None
    if isinstance(value, list):
        return [
            _plain(item, _join(path, _name(item, i)), depth + 1, problems) for i, item in enumerate(value)
        ]
    if isinstance(value, float):
        report("float", 'numbers with a point are not exact here; write the number in quotes, such as "7.5".')
        return None
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        if abs(value) > canonical.MAX_INTEGER:
            report("too-large-number", "the number is too large; write a smaller one.")
            return None
        return value
    if isinstance(value, datetime | time):
        report("time-of-day", "a time of day is not used here; write a date such as 2026-07-01.")
        return None
    if isinstance(value, date):
        return value.isoformat()
    text = unicodedata.normalize("NFC", str(value))
    if any(unicodedata.category(letter) in ("Cc", "Cs") and letter != "\n" for letter in text):
        report("control-character", "the text holds a control character; remove it.")
        return None
    return text


def _join(path: str, name: str) -> str:
    short = name if len(name) <= MAX_NAME else name[:MAX_NAME] + "…"
    return f"{path}.{short}" if path else short


def _name(item: object, index: int) -> str:
    return path_key(item) or str(index)


EXPECTED = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list in square brackets",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "date_type": "a date such as 2026-07-01",
    "date_parsing": "a date such as 2026-07-01",
    "date_from_datetime_parsing": "a date such as 2026-07-01",
    "date_from_datetime_inexact": "a date such as 2026-07-01",
}


def problems_of(error: ValidationError, tree: Mapping[str, Any], root: type[Model]) -> list[Problem]:
    """Our problems for pydantic's, in their order; a misspelt field is answered with the nearest one of the schema."""
    known = sorted({name for model in models_of(root) for name in model.model_fields})
    return [_problem(details, tree, known) for details in error.errors(include_url=False)[:MAX_PROBLEMS]]


def _problem(details: ErrorDetails, tree: Mapping[str, Any], known: Sequence[str]) -> Problem:
    path = _path(details["loc"], tree)
    kind, context = details["type"], {key: str(value) for key, value in details.get("ctx", {}).items()}
    last = path.rpartition(".")[2]
    if kind == "missing":
        return Problem("missing-field", path, f"{path}: this field is missing; add it.", {"field": last})
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(last, known, 1)
        hint = f"write {near[0]} or remove it" if near else "remove it"
        params = {"field": last} | ({"suggestion": near[0]} if near else {})
        return Problem("unknown-field", path, f"{path}: there is no field of this name here; {hint}.", params)
    if kind == "union_tag_not_found":
        path = _join(path, "kind")
        return Problem("missing-field", path, f"{path}: this field is missing; add it.", {"field": "kind"})
    if kind in ("literal_error", "union_tag_invalid"):
        choices = context.get("expected") or context.get("expected_tags", "")
        place = _join(path, "kind") if kind == "union_tag_invalid" else path
        return Problem("not-a-choice", place, f"{place}: must be one of {choices}.", {"choices": choices})
    if kind in EXPECTED:
        expected = EXPECTED[kind]
        return Problem("wrong-type", path, f"{path}: must be {expected}.", {"expected": expected})
    if kind == "string_pattern_mismatch":
        pattern = context.get("pattern", "")
        if pattern == r"\S":
            return Problem("empty-text", path, f"{path}: the text is empty; write it.")
        sentence = "must be a name in lower-case letters, digits and single hyphens, such as action-plan."
        return Problem("bad-name", path, f"{path}: {sentence}", {"pattern": pattern})
    if kind == "string_too_short":
        return Problem("empty-text", path, f"{path}: the text is empty; write it.")
    if kind == "string_too_long":
        limit = context.get("max_length", "")
        return Problem(
            "text-too-long", path, f"{path}: at most {limit} letters are allowed.", {"limit": limit}
        )
    if kind == "too_long":
        limit = context.get("max_length", "")
        sentence = f"the list has more than {limit} items; shorten it."
        return Problem("too-many-items", path, f"{path}: {sentence}", {"limit": limit})
    if kind == "too_short":
        return Problem("empty-list", path, f"{path}: the list is empty; write at least one item.")
    if kind in ("greater_than_equal", "less_than_equal"):
        limit = context.get("ge") or context.get("le") or ""
        word = "least" if kind == "greater_than_equal" else "most"
        return Problem(
            "out-of-range", path, f"{path}: must be at {word} {limit}.", {"bound": word, "limit": limit}
        )
    where = path or "The regulation"
    return Problem(kind, path, f"{where}: {details['msg']}.", context)


def _path(location: tuple[int | str, ...], tree: Mapping[str, Any]) -> str:
    node: Any = tree
    path = ""
    for element in location:
        if isinstance(node, list) and isinstance(element, int) and element < len(node):
            node = node[element]
            path = _join(path, _name(node, element))
        elif isinstance(node, dict) and element in node:
            node = node[element]
            path = _join(path, str(element))
        elif isinstance(node, dict) and node.get("kind") == element:
            continue  # pydantic names the branch of a union; it is no place in the document
        else:
            node = None
            path = _join(path, str(element))
    return path
