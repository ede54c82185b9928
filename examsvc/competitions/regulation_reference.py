"""The reference of the regulation format, made from the schema itself.

`python -m examsvc.competitions.regulation_reference` writes it; docs/formats/regulation.md ends with it, and a test compares.
"""

import sys
import types
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from examsvc.competitions import terms
from examsvc.competitions.calendar import HolidayTables
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.terms import Clause, Model, models_of

WORDS: tuple[tuple[Any, str], ...] = (
    (terms.Amount, "exact number, 0 or more"),
    (terms.Positive, "exact number above 0"),
    (terms.Share, "exact share, 0 to 1"),
    (terms.Range, "range"),
    (terms.Slug, "name"),
    (terms.StageName, "short name"),
    (terms.EventName, "event"),
    (terms.FieldName, "field"),
    (terms.Text, "text"),
    (terms.Whole, "whole number, 0 or more"),
    (terms.Count, "whole number, 1 or more"),
    (terms.Length, "whole number, 0 to 10000"),
)


def reference() -> str:
    """Markdown: one table for each model, in the order of their use."""
    found = dict.fromkeys((*models_of(Regulation), *models_of(HolidayTables)))
    return "\n".join(_table(model) for model in found)


def _table(model: type[Model]) -> str:
    hints = get_type_hints(model, include_extras=True)
    text = " ".join((model.__doc__ or "").split())
    is_clause = issubclass(model, Clause)
    note = " A clause: has `source`, `verified` and `unverified_fields`." if is_clause else ""
    lines = [f"### {model.__name__}", "", text + note, "", "| field | holds | meaning |", "|---|---|---|"]
    for name, info in model.model_fields.items():
        if not is_clause or model is Clause or name not in Clause.model_fields:
            lines.append(f"| `{name}` | {_kind(hints[name])}{_default(info)} | {_sentence(info)} |")
    return "\n".join([*lines, ""])


def _sentence(info: FieldInfo) -> str:
    return " ".join((info.description or "").split()).replace("|", "\\|")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return ""
    absent = {None: "none", (): "empty"}.get(info.default, str(info.default))
    return f"; absent: {absent}"


def _kind(hint: Any) -> str:
    for alias, word in WORDS:
        if hint == alias:
            return word
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " · ".join(f"`{choice}`" for choice in arguments)
    if origin in (Union, types.UnionType):
        return ", or ".join(_kind(argument) for argument in arguments if argument is not type(None))
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if origin is Annotated:
        bounds = [
            f"{word} {getattr(part, key)}"
            for part in _metadata(arguments)
            for key, word in BOUNDS
            if _has(part, key)
        ]
        return ", ".join([_kind(arguments[0]), *bounds])
    if isinstance(hint, type) and issubclass(hint, Model):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return {bool: "true or false", int: "whole number", str: "text", date: "date"}[hint]


BOUNDS = (("ge", "at least"), ("le", "at most"), ("min_length", "at least"))


def _metadata(arguments: tuple[Any, ...]) -> list[Any]:
    return [part for extra in arguments[1:] for part in getattr(extra, "metadata", [extra])]


def _has(part: Any, key: str) -> bool:
    return getattr(part, key, None) is not None


if __name__ == "__main__":
    sys.stdout.write(reference())
