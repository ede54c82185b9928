"""Pools and forms as CSV, blueprints as TOML: test assembly without a database.

Pool: one row per item; a column `item` (or `id`) and any attributes. Columns `a`, `b`, `c` (or `slope`,
`difficulty`, `lower_asymptote`) are the item parameters, P = c + (1 − c)/(1 + exp(−a(θ − b))).

Blueprint, all tables but `length` optional:

    length = 40                                  # or [38, 42]
    forms = 2
    overlap = 0                                  # items two forms may share
    include = ["T7"]                             # and exclude

    [objective]
    kind = "maximin"                             # maximise, maximin, target, lot
    theta = [-1, 0, 1]                           # or of = ["difficulty"]: attributes instead of information
    values = [0.8, 1, 0.8]                       # weights, relative heights or targets; a lot takes seed = 1
    weights = [1, 1, 1]                          # of a target

    [enemies]
    column = "enemy"                             # items with the same entry exclude each other
    groups = [["T1", "T9"]]

    [exposure]
    column = "used"
    maximum = 3                                  # items used more often are not drawn

    [stimuli]
    column = "passage"
    count = [2, 3]
    items = [3, 5]

    [counts.topic]                               # numbers of items by value of a column
    A = [10, 14]
    B = 8

    [grid]                                       # topics × levels
    rows = "topic"
    columns = "level"
    cells = { A = { recall = [2, 4], apply = 5 }, B = { recall = 3 } }

    [totals]                                     # sums of a column: minutes, words, marks
    seconds = [3000, 3400]
    words = { most = 2200 }

    [[constraint]]                               # everything else
    name = "easy items"
    where = { b = { below = -1 } }               # a value, a list, or from/to (included), above/below (not)
    least = 6                                    # least, most, or exactly
    # measure = "mean", of = "b"; measure = "share"; per_stimulus = true
"""

from __future__ import annotations

import csv
import io
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.assembly.blueprint import (
    Between,
    Blueprint,
    Condition,
    Constraint,
    Lot,
    Maximin,
    Maximise,
    Objective,
    StimulusRule,
    Target,
)
from scoring.assembly.forms import Assembly
from scoring.assembly.pool import Cell, Pool
from scoring.errors import BadParameters
from scoring.irt import ItemParameters, information

PARAMETERS = {"slope": ("a", "slope"), "difficulty": ("b", "difficulty"), "lower": ("c", "lower_asymptote")}
_TOP = {
    "title",
    "length",
    "forms",
    "overlap",
    "include",
    "exclude",
    "objective",
    "enemies",
    "exposure",
    "stimuli",
    "counts",
    "grid",
    "totals",
    "constraint",
}


@dataclass(frozen=True)
class BlueprintFile:
    """A blueprint file read against its pool: hand all three to `assemble`."""

    pool: Pool
    blueprint: Blueprint
    forms: int


def read_pool(text: str) -> Pool:
    """A pool from CSV text: attributes only; `read_blueprint` adds information at the points it asks for.

    Raises BadParameters naming the line: no header, a row of another length, no or repeated ids.
    """
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    if not rows:
        raise BadParameters("The pool file is empty: its first line names the columns.")
    header = [name.strip() for name in rows[0]]
    if len(set(header)) != len(header):
        raise BadParameters("Two columns of the pool file have the same name.")
    key = next((name for name in ("item", "id") if name in header), None)
    if key is None:
        raise BadParameters("The pool file needs a column 'item' (or 'id') with each item's name.")
    body: list[list[str]] = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise BadParameters(f"Line {number} of the pool has {len(row)} cells, the header {len(header)}.")
        body.append([cell.strip() for cell in row])
    columns = {name: [row[i] for row in body] for i, name in enumerate(header)}
    ids = columns.pop(key)
    if "" in ids:
        raise BadParameters(f"Item number {ids.index('') + 1} of the pool has no name.")
    return Pool.of(ids, {name: _cells(values) for name, values in columns.items()})


def read_blueprint(text: str, pool: Pool) -> BlueprintFile:
    """A blueprint from TOML text, and the pool with what the blueprint needs of it.

    Raises BadParameters: not TOML, unknown keys (a misspelt limit must not vanish), missing values.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadParameters(f"The blueprint is not valid TOML: {error}.") from None
    _known(data, _TOP, "the blueprint")
    if "length" not in data:
        raise BadParameters("The blueprint needs a length: the number of items, or [least, most].")
    objective, theta = _objective(_table(data, "objective"))
    constraints = [*_counts(data), *_grid(data), *_totals(data), *_exposure(data, pool), *_free(data)]
    stimuli, column = _stimulus_rule(data)
    if theta:
        pool = Pool.of(
            pool.ids,
            pool.attributes,
            theta=theta,
            information=_information(pool, theta),
            stimuli=_texts(pool, column) if column else None,
        )
    elif column:
        pool = Pool.of(pool.ids, pool.attributes, stimuli=_texts(pool, column))
    blueprint = Blueprint(
        length=_limits(data["length"], "length"),
        constraints=tuple(constraints),
        objective=objective,
        enemies=_enemies(data, pool),
        include=tuple(_strings(data, "include")),
        exclude=tuple(_strings(data, "exclude")),
        overlap=_whole(data, "overlap", 0),
        stimuli=stimuli,
    )
    return BlueprintFile(pool, blueprint, _whole(data, "forms", 1))


def write_forms(assembly: Assembly) -> str:
    """The forms as CSV: form, position, item, then the pool's columns."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = list(assembly.pool.attributes)
    writer.writerow(["form", "position", "item", *columns])
    for number, form in enumerate(assembly.forms, start=1):
        for position, at in enumerate(form.positions, start=1):
            cells = [_written(assembly.pool.attributes[name][int(at)]) for name in columns]
            writer.writerow([number, position, _safe(assembly.pool.ids[int(at)]), *cells])
    return out.getvalue()


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    return _safe(cell)


def _safe(text: str) -> str:
    """A spreadsheet must not take a text for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠") else text


def _cells(values: Sequence[str]) -> list[Cell]:
    """Numbers if every filled cell is one, otherwise texts."""
    numbers: list[Cell] = []
    for value in values:
        if value == "":
            numbers.append(None)
            continue
        try:
            number = float(value)
        except ValueError:
            return [value or None for value in values]
        if not math.isfinite(number):
            return [value or None for value in values]
        numbers.append(number)
    return numbers


def _texts(pool: Pool, column: str) -> list[str | None]:
    return [f"{v:g}" if isinstance(v, float) else v for v in pool.column(column)]


def _information(pool: Pool, theta: tuple[float, ...]) -> Any:
    found = {
        parameter: next((name for name in names if name in pool.attributes), None)
        for parameter, names in PARAMETERS.items()
    }
    if found["difficulty"] is None:
        raise BadParameters(
            "The objective asks for information, but the pool has no column 'b' (or 'difficulty')."
        )
    values: dict[str, Any] = {}
    for parameter, name in found.items():
        if name is not None:
            values[parameter] = pool.numbers(name)
            gap = np.flatnonzero(np.isnan(values[parameter]))
            if gap.size:
                raise BadParameters(f"Item {pool.ids[int(gap[0])]!r} has no {name!r}: information needs it.")
    n = len(pool)
    items = ItemParameters.of(
        "3PL",
        slope=values.get("slope", np.ones(n)),
        difficulty=values["difficulty"],
        lower_asymptote=values.get("lower", np.zeros(n)),
        items=pool.ids,
    )
    return information(items, theta).item.T


def _known(table: Mapping[str, Any], allowed: set[str], where: str) -> None:
    strange = sorted(set(table) - allowed)
    if strange:
        raise BadParameters(
            f"{where} has an unknown entry {strange[0]!r}; known: {', '.join(sorted(allowed))}."
        )


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name, {})
    if not isinstance(value, dict):
        raise BadParameters(f"{name} must be a table of the blueprint.")
    return value


def _strings(data: Mapping[str, Any], name: str) -> list[str]:
    value = data.get(name, [])
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise BadParameters(f"{name} must be a list of texts.")
    return value


def _numbers(data: Mapping[str, Any], name: str) -> tuple[float, ...]:
    value = data.get(name, [])
    if not isinstance(value, list) or not all(_is_number(v) for v in value):
        raise BadParameters(f"{name} must be a list of numbers.")
    return tuple(float(v) for v in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _whole(data: Mapping[str, Any], name: str, default: int) -> int:
    value = data.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadParameters(f"{name} must be a whole number.")
    return value


def _limits(value: Any, name: str) -> tuple[float, float]:
    """12, [10, 14], or a table with least, most or exactly."""
    if _is_number(value):
        return float(value), float(value)
    if isinstance(value, list) and len(value) == 2 and all(_is_number(v) for v in value):
        return float(value[0]), float(value[1])
    if isinstance(value, dict) and value:
        _known(value, {"least", "most", "exactly"}, name)
        if not all(_is_number(v) for v in value.values()) or ("exactly" in value and len(value) > 1):
            raise BadParameters(f"{name}: give numbers as least and most, or exactly.")
        if "exactly" in value:
            return float(value["exactly"]), float(value["exactly"])
        return float(value.get("least", -math.inf)), float(value.get("most", math.inf))
    raise BadParameters(f"{name}: give a number, [least, most], or a table with least, most or exactly.")


def _objective(table: Mapping[str, Any]) -> tuple[Objective, tuple[float, ...]]:
    if not table:
        return Lot(0), ()
    _known(table, {"kind", "theta", "of", "values", "weights", "seed"}, "objective")
    kind = table.get("kind")
    if kind == "lot":
        return Lot(_whole(table, "seed", 0)), ()
    theta, of = _numbers(table, "theta"), tuple(_strings(table, "of"))
    if bool(theta) == bool(of):
        raise BadParameters("objective: give either theta (ability points) or of (attributes).")
    values = _numbers(table, "values") or (1.0,) * len(theta or of)
    if kind == "maximise":
        return Maximise(values, of), theta
    if kind == "maximin":
        return Maximin(values, of), theta
    if kind == "target":
        if "values" not in table:
            raise BadParameters("objective: a target needs its values.")
        return Target(values, _numbers(table, "weights"), of), theta
    raise BadParameters("objective: kind is maximise, maximin, target or lot.")


def _counts(data: Mapping[str, Any]) -> list[Constraint]:
    found = []
    for column, values in _table(data, "counts").items():
        if not isinstance(values, dict):
            raise BadParameters(f"counts.{column} must be a table: value = number or [least, most].")
        for value, limits in values.items():
            name = f"{column} {value}"
            found.append(Constraint(name, *_limits(limits, name), where={column: value}))
    return found


def _grid(data: Mapping[str, Any]) -> list[Constraint]:
    table = _table(data, "grid")
    if not table:
        return []
    _known(table, {"rows", "columns", "cells"}, "grid")
    rows, columns, cells = table.get("rows"), table.get("columns"), table.get("cells")
    if not isinstance(rows, str) or not isinstance(columns, str) or not isinstance(cells, dict):
        raise BadParameters("grid: name the rows' and the columns' attribute and give the cells.")
    found = []
    for row, entries in cells.items():
        if not isinstance(entries, dict):
            raise BadParameters(f"grid: the cells of {row!r} must be a table.")
        for column, limits in entries.items():
            name = f"{rows} {row}, {columns} {column}"
            found.append(Constraint(name, *_limits(limits, name), where={rows: row, columns: column}))
    return found


def _totals(data: Mapping[str, Any]) -> list[Constraint]:
    return [
        Constraint(f"total {column}", *_limits(limits, f"total {column}"), measure="sum", of=column)
        for column, limits in _table(data, "totals").items()
    ]


def _exposure(data: Mapping[str, Any], pool: Pool) -> list[Constraint]:
    table = _table(data, "exposure")
    if not table:
        return []
    _known(table, {"column", "maximum"}, "exposure")
    column, maximum = table.get("column"), table.get("maximum")
    if not isinstance(column, str) or not _is_number(maximum):
        raise BadParameters("exposure: name the column that counts uses and the maximum.")
    pool.numbers(column)
    assert isinstance(maximum, (int, float))
    return [Constraint("exposure", high=0, where={column: Between(low=float(maximum), open=True)})]


def _enemies(data: Mapping[str, Any], pool: Pool) -> tuple[tuple[str, ...], ...]:
    table = _table(data, "enemies")
    if not table:
        return ()
    _known(table, {"column", "groups"}, "enemies")
    groups: list[tuple[str, ...]] = []
    if "column" in table:
        members: dict[str, list[str]] = {}
        for name, value in zip(pool.ids, _texts(pool, str(table["column"])), strict=True):
            if value is not None and value != "0":
                members.setdefault(value, []).append(name)
        groups += [tuple(names) for names in members.values() if len(names) > 1]
    listed = table.get("groups", [])
    if not isinstance(listed, list) or not all(
        isinstance(g, list) and all(isinstance(v, str) for v in g) for g in listed
    ):
        raise BadParameters("enemies: groups is a list of lists of item names.")
    return (*groups, *(tuple(group) for group in listed))


def _stimulus_rule(data: Mapping[str, Any]) -> tuple[StimulusRule | None, str | None]:
    table = _table(data, "stimuli")
    if not table:
        return None, None
    _known(table, {"column", "count", "items"}, "stimuli")
    column = table.get("column")
    if not isinstance(column, str):
        raise BadParameters("stimuli: name the column that says to which text or case an item belongs.")
    rule = StimulusRule(
        count=_limits(table["count"], "stimuli.count") if "count" in table else (0, math.inf),
        items=_limits(table["items"], "stimuli.items") if "items" in table else (1, math.inf),
    )
    return rule, column


def _free(data: Mapping[str, Any]) -> list[Constraint]:
    listed = data.get("constraint", [])
    if not isinstance(listed, list):
        raise BadParameters("Write each further constraint as [[constraint]].")
    found = []
    for number, entry in enumerate(listed, start=1):
        _known(
            entry,
            {"name", "where", "measure", "of", "per_stimulus", "least", "most", "exactly"},
            f"constraint {number}",
        )
        name = entry.get("name")
        if not isinstance(name, str):
            raise BadParameters(f"Constraint {number} has no name.")
        where = {column: _condition(value, name) for column, value in _table(entry, "where").items()}
        limits = {key: entry[key] for key in ("least", "most", "exactly") if key in entry}
        low, high = _limits(limits, name)
        of = entry.get("of")
        measure = entry.get("measure", "count" if of is None else "sum")
        found.append(
            Constraint(
                name, low, high, where, measure, of, per_stimulus=bool(entry.get("per_stimulus", False))
            )
        )
    return found


def _condition(value: Any, name: str) -> Condition:
    if isinstance(value, str) or _is_number(value):
        return value  # type: ignore[no-any-return]
    if isinstance(value, list) and value and all(isinstance(v, str) or _is_number(v) for v in value):
        return tuple(value)
    if isinstance(value, dict) and value and all(_is_number(v) for v in value.values()):
        if set(value) <= {"from", "to"}:
            return Between(value.get("from", -math.inf), value.get("to", math.inf))
        if set(value) <= {"above", "below"}:
            return Between(value.get("above", -math.inf), value.get("below", math.inf), open=True)
    raise BadParameters(f"{name}: a condition is a value, a list, from/to, or above/below.")
