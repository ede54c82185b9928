"""Values of responses and outcomes: base types, their lexical forms, exact numbers.

Outside, a Value is None, a str, bool, int, Decimal (Fraction where a decimal would have to be cut), or a tuple of
these. Inside, a scalar is read by its base type (QTI 3.0 information model, section 6 "BaseType"): identifier, string,
uri, file: str; boolean: bool; integer: int; float, duration: Fraction; point: a pair of int; pair, directedPair: a
pair of str, sorted for `pair` because "A B" and "B A" are the same undirected pair.
"""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

Scalar = str | bool | int | Decimal | Fraction
Value = None | Scalar | tuple[Scalar, ...]
Inner = str | bool | int | Fraction | tuple[int, int] | tuple[str, str]

BASE_TYPES = frozenset(
    [
        "identifier",
        "boolean",
        "integer",
        "float",
        "string",
        "point",
        "pair",
        "directedPair",
        "duration",
        "file",
        "uri",
        "intOrIdentifier",
    ]
)
CARDINALITIES = frozenset(("single", "multiple", "ordered", "record"))
_TEXTUAL = frozenset(("identifier", "string", "uri", "file"))
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?[0-3]?\d{1,2})?\Z", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,1000}\Z", re.ASCII)


def exact(text: str) -> Fraction:
    """A number written as decimal ("-0.25", "1e3") or as a share ("1/3"). ValueError otherwise."""
    text = text.strip()
    over, slash, under = text.partition("/")
    if slash:
        if not (_INTEGER.match(over.strip()) and _INTEGER.match(under.strip())) or int(under) == 0:
            raise ValueError(f"{text!r} is not a number")
        return Fraction(int(over), int(under))
    if len(text) > 1000 or not _DECIMAL.match(text):
        raise ValueError(f"{text!r} is not a number")
    return Fraction(text)


def number(value: Fraction | int) -> Decimal | Fraction:
    """A Decimal where that is exact (finite expansion, at most 60 digits), the Fraction itself otherwise."""
    value = Fraction(value)
    twos = fives = 0
    rest = value.denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > 60:
        return value
    scaled = value.numerator * 10**places // value.denominator
    digits = tuple(int(digit) for digit in str(abs(scaled)))
    return Decimal((1 if scaled < 0 else 0, digits, -places))


def show(value: Fraction | int) -> str:
    """The number as it is stored: "0.25", "-3", or "1/3" where no finite decimal is exact."""
    if value.denominator == 1:
        return str(value.numerator)
    result = number(value)
    return f"{result:f}" if isinstance(result, Decimal) else f"{result.numerator}/{result.denominator}"


def to_fraction(value: Scalar) -> Fraction:
    if isinstance(value, str):
        return exact(value)
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{value} is not a number")
    return Fraction(value)


_SPACED = re.compile(r"(?<=\d)[ _](?=\d{3}(?!\d))")
_GROUPED = re.compile(
    r"[+-]?\d{1,3}(?:((?:\.\d{3})+),\d*|((?:,\d{3})+)\.\d*|(?:\.\d{3}){2,}|(?:,\d{3}){2,})\Z", re.ASCII
)


def typed_number(text: str, units: Iterable[str] = ()) -> tuple[Fraction, str]:
    """What a person typed as a number: (value, unit).

    Comma and point are both decimal marks; a space groups three digits, and so does a mark that comes more than once
    ("1.234.567") or before the other one ("1.234,5"). A unit may follow or, for signs such as "$", go before. ValueError when it
    is not a number or the unit is not among `units`.
    """
    words = unicodedata.normalize("NFKC", text).replace("−", "-").strip()
    unit = ""
    for name in sorted(units, key=len, reverse=True):
        plain = unicodedata.normalize("NFKC", name).strip()
        if plain and words.casefold().endswith(plain.casefold()) and words != plain:
            words, unit = words[: len(words) - len(plain)].strip(), name
            break
        if plain and words.casefold().startswith(plain.casefold()) and words != plain:
            words, unit = words[len(plain) :].strip(), name
            break
    words = _SPACED.sub("", words)
    if _GROUPED.match(words):
        mark = "." if "." in words and ("," not in words or words.index(".") < words.index(",")) else ","
        words = words.replace(mark, "")
    words = words.replace(",", ".")
    return exact(words), unit


def read(base: str, value: Scalar) -> Inner:
    """One scalar by its base type; ValueError with a reason when the lexical form is wrong."""
    if isinstance(value, str):
        if base in _TEXTUAL:
            return value
        return _read_text(base, value) if len(value) <= 60 else _read_text.__wrapped__(base, value)
    if base in ("float", "duration"):
        if isinstance(value, bool):
            raise ValueError("a boolean is not a number")
        return to_fraction(value)
    if base in ("integer", "intOrIdentifier"):
        if isinstance(value, bool) or value != int(value):
            raise ValueError(f"{value} is not an integer")
        return int(value)
    if base == "boolean" and isinstance(value, bool):
        return value
    if base in _TEXTUAL:
        if isinstance(value, bool):
            return "true" if value else "false"
        return show(to_fraction(value))
    raise ValueError(f"{value} is not of the type {base}")


@lru_cache(maxsize=16384)
def _read_text(base: str, text: str) -> Inner:
    words = text.split()
    if base == "boolean":
        if text.strip() in ("true", "1"):
            return True
        if text.strip() in ("false", "0"):
            return False
        raise ValueError(f"{text!r} is neither true nor false")
    if base == "integer" or base == "intOrIdentifier":
        if _INTEGER.match(text.strip()):
            return int(text)
        if base == "intOrIdentifier" and len(words) == 1:
            return words[0]
        raise ValueError(f"{text!r} is not an integer")
    if base in ("float", "duration"):
        return exact(text)
    if base == "point":
        if len(words) != 2 or not all(_DECIMAL.match(word) and len(word) < 20 for word in words):
            raise ValueError(f"{text!r} is not a point such as '10 20'")
        x, y = (round(Fraction(word)) for word in words)
        return (x, y)
    if base == "pair" or base == "directedPair":
        if len(words) != 2:
            raise ValueError(f"{text!r} is not a pair such as 'A B'")
        return (
            (words[0], words[1]) if base == "directedPair" or words[0] <= words[1] else (words[1], words[0])
        )
    raise ValueError(f"{base} is not a base type")


def write(value: Inner) -> Scalar:
    """An inner scalar as a public value."""
    if isinstance(value, tuple):
        return f"{value[0]} {value[1]}"
    if isinstance(value, Fraction):
        return number(value)
    return value


def lexical(value: Inner) -> str:
    """An inner scalar in the lexical form of its base type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"{value[0]} {value[1]}"
    if isinstance(value, (Fraction, int)):
        return show(value)
    return value


def folded(text: str, case: bool, accents: bool) -> str:
    """A typed answer for comparison: NFKC, spaces collapsed; without case and without accents where those do not count.

    Without accents the Vietnamese "đ" counts as "d": it is a letter of its own and does not decompose.
    """
    return _folded(text, case, accents) if len(text) <= 200 else _folded.__wrapped__(text, case, accents)


@lru_cache(maxsize=16384)
def _folded(text: str, case: bool, accents: bool) -> str:
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    if not case:
        text = text.casefold()
    if not accents:
        text = text.replace("đ", "d").replace("Đ", "D")
        text = "".join(c for c in unicodedata.normalize("NFD", text) if c < "\u0300" or not unicodedata.combining(c))
    return unicodedata.normalize("NFC", text)
