"""Regulations as plain trees: to edit a preset in a test, and to spell one tree in many ways."""

import copy
import datetime
import json
import random
import re
import tomllib
from fractions import Fraction

from examsvc.competitions.regulation import preset_bytes, read_toml
from examsvc.competitions.terms import path_key

EXACT = re.compile(r"\d+(\.\d+)?|\d+/\d+")


def tree_of(preset):
    return tomllib.loads(preset_bytes(preset).decode())


def at(tree, path):
    """The node of a path such as "stages.written.parts.essay"."""
    node = tree
    for name in path.split(".") if path else ():
        if isinstance(node, list):
            named = [item for item in node if isinstance(item, dict) and path_key(item) == name]
            node = named[0] if named else node[int(name)]
        else:
            node = node[name]
    return node


def edited(preset, edit):
    """A preset's tree after `edit` has changed a copy of it."""
    tree = tree_of(preset)
    edit(tree)
    return tree


def read_tree(tree):
    return read_toml(toml_of(tree).encode())


def toml_of(tree):
    """Plain TOML: every value on one line."""
    return "".join(f"{key} = {_inline(value, _plain_text)}\n" for key, value in tree.items())


def toml_in_another_spelling(tree, seed):
    """The same document with other order of keys, comments, tables and spellings of numbers and ranges."""
    rng = random.Random(seed)
    lines, tables = [], []
    for key, value in _shuffled(tree, rng):
        if isinstance(value, dict) and rng.random() < 0.5:
            tables.append((key, value))
        else:
            lines.append(f"{key}{' ' * rng.randrange(3)}={_inline(value, _respell, rng, key)}  # {rng.random()}")
    for key, value in tables:
        lines += ["", f"  [{key}]"]
        lines += [f"{k} = {_inline(v, _respell, rng, k)}" for k, v in _shuffled(value, rng)]
    return "\n".join(lines) + "\n"


def _shuffled(table, rng):
    pairs = list(table.items())
    rng.shuffle(pairs)
    return pairs


def _inline(value, text, rng=None, key=""):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item, text, rng, key) for item in value) + "]"
    if isinstance(value, dict):
        pairs = _shuffled(value, rng) if rng else list(value.items())
        return "{" + ", ".join(f"{k} = {_inline(v, text, rng, k)}" for k, v in pairs) + "}"
    return text(value, rng, key)


def _plain_text(value, rng, key):
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _respell(value, rng, key):
    if key in ("vi", "en", "source", "version", "id", "year"):
        return _plain_text(value, rng, key)
    if EXACT.fullmatch(value):
        return rng.choice(_spellings(Fraction(value)))
    if value[:1] in ("[", "(") and "," in value:
        gap = " " * rng.randrange(3)
        lower, upper = value[1:-1].split(", ")
        return _plain_text(f"{value[0]}{gap}{lower}{gap},{gap}{upper}{value[-1]}", rng, key)
    return _plain_text(value, rng, key)


def _spellings(number):
    found = [f'"{number.numerator * 3}/{number.denominator * 3}"', f'"{number.numerator}/{number.denominator}"']
    if number.denominator == 1:
        found += [str(number), f'"{number}"', f'"{number}.00"']
    elif number.denominator in (2, 4, 5, 10, 20, 100):
        found.append(f'"{number.numerator * (100 // number.denominator) // 100}.'
                     f'{number.numerator * (100 // number.denominator) % 100:02d}"')
    return found


def copied(tree):
    return copy.deepcopy(tree)
