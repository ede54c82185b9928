"""Writing TOML: tables, strings of several lines, exact round trip through tomllib."""

import re
from collections.abc import Mapping, Sequence

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_SPECIAL = re.compile(r'[\\"\x00-\x1f\x7f]')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\b": "\\b", "\f": "\\f", "\r": "\\r", "\n": "\\n"}

Toml = str | int | bool | Sequence["Toml"] | Mapping[str, "Toml"]


def key(name: str) -> str:
    return name if _BARE.match(name) else string(name)


def string(text: str) -> str:
    """A basic string; one with line breaks as a multi-line string, so that texts stay readable."""
    if "\n" in text and "\r" not in text:
        return '"""\n' + "\n".join(_SPECIAL.sub(_escape, line) for line in text.split("\n")) + '"""'
    return '"' + _SPECIAL.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}"


def value(data: Toml, indent: str = "") -> str:
    """A value; lists of tables get a line each."""
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, int):
        return str(data)
    if isinstance(data, str):
        return string(data)
    if isinstance(data, Mapping):
        return (
            "{ " + ", ".join(f"{key(k)} = {value(v, indent)}" for k, v in data.items()) + " }"
            if data
            else "{}"
        )
    if data and any(isinstance(entry, Mapping) for entry in data):
        inner = indent + "  "
        return "[\n" + "".join(f"{inner}{value(entry, inner)},\n" for entry in data) + indent + "]"
    return "[" + ", ".join(value(entry, indent) for entry in data) + "]"


def table(data: Mapping[str, Toml]) -> str:
    """Lines `key = value`."""
    return "".join(f"{key(k)} = {value(v)}\n" for k, v in data.items())
