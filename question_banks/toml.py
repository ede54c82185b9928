"""Writing TOML: tables, strings of several lines, exact round trip through tomllib."""

import re
from collections.abc import Mapping, Sequence

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\b": "\\b", "\f": "\\f", "\r": "\\r", "\n": "\\n"}

Toml = str | int | bool | Sequence["Toml"] | Mapping[str, "Toml"]


def key(name: str) -> str:
    return name if _BARE.match(name) else string(name)


def string(text: str) -> str:
    """A basic string; one with line breaks as a multi-line string, so that texts stay readable."""
    if "\n" in text and "\r" not in text:
        return '"""\n' + "".join("\n" if c == "\n" else _escape(c) for c in text) + '"""'
    return '"' + "".join(_escape(c) for c in text) + '"'


def _escape(c: str) -> str:
    if c in _ESCAPES:
        return _ESCAPES[c]
    if c < " " or c == "\x7f":
        return f"\\u{ord(c):04x}"
    return c


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
