"""Canonical bytes: JCS (RFC 8785) over restricted JSON.

The profile has objects, arrays, NFC strings, booleans, null and integers of magnitude below 2^53. It has no
floating point (marks are decimal strings, times integer seconds UTC) and its object keys are printable ASCII, so
that the order of keys is the same by bytes, by code points and by UTF-16 units. Within this profile the C encoder
of the standard library writes what RFC 8785 asks; the tests hold it against an independent implementation.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32
MAX_BYTES = 64 * 1024 * 1024

_INTEGER_DIGITS = len(str(MAX_INTEGER)) + 1  # with a sign
_encoder = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


class CanonicalError(ValueError):
    """The value or the bytes are outside the canonical profile; the message names the offence."""


def encode(value: object) -> bytes:
    """Canonical bytes of `value`. Lists and tuples are arrays. Raises CanonicalError outside the profile."""
    _check(value, MAX_DEPTH)
    return _encoder.encode(value).encode("utf-8")


def check(value: object) -> None:
    """Raise CanonicalError if `value` is outside the profile."""
    _check(value, MAX_DEPTH)


def decode(data: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """The value of canonical `data`; refuses every other spelling of the same value.

    Duplicate keys, floats, exponents, `-0`, escapes that need not be, other white space or key order, strings not in
    NFC, nesting beyond MAX_DEPTH and more than `max_bytes` are refused with CanonicalError.
    """
    if len(data) > max_bytes:
        raise CanonicalError(f"the text has {len(data)} bytes; at most {max_bytes} are allowed")
    try:
        text = data.decode("utf-8")
        if _is_simple(text):
            value, _ = _scan(text, 0)  # what may follow shows when it is spelt again
        else:
            value = _decoder.decode(text)
            _check(value, MAX_DEPTH)
    except CanonicalError:
        raise
    except RecursionError:
        raise CanonicalError(f"the text is nested deeper than {MAX_DEPTH} levels") from None
    except StopIteration:
        raise CanonicalError("the text is not JSON in UTF-8") from None
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError
        raise CanonicalError(f"the text is not JSON in UTF-8: {error}") from None
    if _encoder.encode(value) != text:
        raise CanonicalError("the text is JSON but not in its canonical spelling")
    return value


_ODD_KEY = re.compile(r'"[\x00-!#-\x7f]*+[^\x00-\x7f][^"]*+":')


def _is_simple(text: str) -> bool:
    """Whether nothing of what `_check` and `_object` look for can be in a parsed text: a look that spares most texts the slow way.

    Parsing sees to integers. Without escapes a key ends at the next quotation mark, so that one with a letter outside ASCII shows;
    a text in NFC as a whole has only strings in NFC; a key that stands twice is lost on re-encoding.
    """
    if "\\" in text or "\x7f" in text:
        return False
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        return False
    return text.isascii() or (unicodedata.is_normalized("NFC", text) and not _ODD_KEY.search(text))


_STRING = re.compile(r'"[^"]*"')
_BRACKET = re.compile(r"[\[\]{}]")


def _depth(text: str) -> int:
    """How deep brackets stand in a text without escapes; what is not JSON does not matter."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "{[" else -1
        deepest = max(deepest, depth)
    return deepest


def _check(value: object, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif value is None or isinstance(value, bool):
        return
    elif isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise CanonicalError(f"the integer {value} is not below 2^53 in magnitude")
    elif isinstance(value, dict):
        if depth == 0:
            raise CanonicalError(f"the value is nested deeper than {MAX_DEPTH} levels")
        for key, member in value.items():
            _check_key(key)
            _check(member, depth - 1)
    elif isinstance(value, list | tuple):
        if depth == 0:
            raise CanonicalError(f"the value is nested deeper than {MAX_DEPTH} levels")
        for member in value:
            _check(member, depth - 1)
    elif isinstance(value, float):
        raise CanonicalError(
            f"{value!r} is a float; write marks as decimal strings and times as whole seconds"
        )
    elif isinstance(value, Mapping):
        raise CanonicalError(f"{type(value).__name__} is not a plain dict")
    else:
        raise CanonicalError(f"{type(value).__name__} has no canonical form")


def _check_text(text: str) -> None:
    if text.isascii():
        return
    if not unicodedata.is_normalized("NFC", text):
        raise CanonicalError(f"the text {text[:40]!r} is not in Unicode form NFC; normalise it at the door")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise CanonicalError(f"the text {text[:40]!r} holds half of a surrogate pair") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise CanonicalError("an object has the same key twice")
    names = "".join(members)
    if not (names.isascii() and names.isprintable()):
        raise CanonicalError(f"of the object keys {names[:80]!r} one is not printable ASCII")
    return members


def _check_key(key: object) -> None:
    if not (isinstance(key, str) and key.isascii() and key.isprintable()):
        raise CanonicalError(f"the object key {key!r} is not printable ASCII")


def _no_float(text: str) -> Any:
    raise CanonicalError(f"{text[:40]} is not a whole number")


def _integer(text: str) -> int:
    if len(text) > _INTEGER_DIGITS:
        raise CanonicalError(f"the integer {text[:20]}… is not below 2^53 in magnitude")
    value = int(text)
    if abs(value) > MAX_INTEGER:
        raise CanonicalError(f"the integer {text} is not below 2^53 in magnitude")
    return value


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_no_float, parse_int=_integer, parse_constant=_no_float
)
_quick_decoder = json.JSONDecoder(parse_float=_no_float, parse_int=_integer, parse_constant=_no_float)
_scan: Callable[[str, int], tuple[Any, int]] = _quick_decoder.scan_once  # type: ignore[attr-defined]
