"""The kinds of value that a log entry or a committed object may hold, and the check of each.

Entries hold codes, integers, commitments and digests only: there is no kind for free text among ENTRY kinds, so that
personal data has no place to stand. Committed objects, which can be erased, also hold text, marks and answers.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from examsvc.ledger import canonical

MAX_LISTED = (
    800  # items of one list in an entry; longer lists go in parts, so that an entry stays below 64 KiB
)

_CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_HASH = re.compile(r"[0-9a-f]{64}")
_MARK = re.compile(r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?")
_ORIGIN = re.compile(r"[\x21-\x2a\x2c-\x7e]{1,200}")
_KEY = re.compile(r"[\x21-\x2a\x2c-\x7e]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}")


class FieldError(ValueError):
    """A value is not of the kind its field asks for."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: `name` as the documentation writes it, and a check that raises FieldError.

    `where` it may stand: kinds for an entry may also stand in an object, never the reverse. `objects` are the
    names of the committed objects that a value of this kind commits to; `commitments` finds them in a checked value, each with its object's name.
    """

    name: str
    check: Callable[[object], None]
    where: Literal["entry", "object"]
    objects: tuple[str, ...] = ()
    commitments: Callable[[Any], list[tuple[str, str]]] = lambda value: []


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body or of a committed object."""

    name: str
    kind: Kind
    note: str
    optional: bool = False


def check_fields(fields: tuple[Field, ...], value: object) -> None:
    """Raise FieldError unless `value` is an object with exactly these fields, each of its kind."""
    if not isinstance(value, dict):
        raise FieldError("is not an object")
    present = 0
    for field in fields:
        if field.name in value:
            present += 1
            try:
                field.kind.check(value[field.name])
            except FieldError as error:
                raise FieldError(f"{field.name}: {error}") from None
        elif not field.optional:
            raise FieldError(f"lacks the field {field.name!r}")
    if present != len(value):
        (name, *_) = value.keys() - {field.name for field in fields}
        raise FieldError(f"has a field {name!r} that the vocabulary does not know")


def commitments_in(fields: tuple[Field, ...], value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name of the object, commitment) for every commitment in a checked object with these fields."""
    return [found for f in fields if f.name in value for found in f.kind.commitments(value[f.name])]


def _matches(name: str, pattern: re.Pattern[str], wanted: str, where: Literal["entry", "object"]) -> Kind:
    def check(value: object) -> None:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise FieldError(f"{value!r:.80} is not {wanted}")

    return Kind(name, check, where)


def _whole(name: str, least: int) -> Kind:
    def check(value: object) -> None:
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not least <= value <= canonical.MAX_INTEGER
        ):
            raise FieldError(f"{value!r:.80} is not an integer from {least} to 2^53 - 1")

    return Kind(name, check, "entry")


def _truth(value: object) -> None:
    if not isinstance(value, bool):
        raise FieldError(f"{value!r:.80} is neither true nor false")


def _text(value: object) -> None:
    if not isinstance(value, str):
        raise FieldError(f"{value!r:.80} is not text")
    if not value.isascii():
        _canonical(value)


def _canonical(value: object) -> None:
    try:
        canonical.check(value)
    except canonical.CanonicalError as error:
        raise FieldError(str(error)) from None


CODE = _matches("code", _CODE, "a code (1 to 64 ASCII letters, digits and . _ - inside)", "entry")
DIGEST = _matches("digest", _HASH, "a SHA-256 as 64 lowercase hexadecimal digits", "entry")
BYTES32 = _matches("32 bytes", _HASH, "32 bytes as 64 lowercase hexadecimal digits", "entry")
ORIGIN = _matches("origin", _ORIGIN, "the origin of a log (ASCII without space and plus)", "entry")
KEY = _matches("key", _KEY, "a verifier key of a signed note", "entry")
INTEGER = _whole("integer", 0)
COUNT = _whole("count", 1)
TIME = _whole("time", 0)
BOOLEAN = Kind("boolean", _truth, "entry")
MARK = _matches("mark", _MARK, "a decimal string without superfluous zeros in front", "object")
TEXT = Kind("text", _text, "object")
VALUE = Kind("value", _canonical, "object")


def commitment(object_name: str) -> Kind:
    """The commitment to one committed object of this name."""
    return Kind(
        f"commitment to {object_name}",
        DIGEST.check,
        "entry",
        (object_name,),
        lambda value: [(object_name, value)],
    )


def choice(*codes: str) -> Kind:
    """One of a closed list of codes."""

    def check(value: object) -> None:
        if value not in codes or not isinstance(value, str):
            raise FieldError(f"{value!r:.80} is not one of {', '.join(codes)}")

    return Kind(" | ".join(codes), check, "entry")


def list_of(kind: Kind, *, least: int = 1, most: int = MAX_LISTED) -> Kind:
    """A list that keeps its order; in entries it has at most MAX_LISTED members."""

    def check(value: object) -> None:
        if not isinstance(value, list | tuple):
            raise FieldError(f"{value!r:.80} is not a list")
        if not least <= len(value) <= most:
            raise FieldError(f"has {len(value)} members; from {least} to {most} are allowed")
        for position, member in enumerate(value):
            try:
                kind.check(member)
            except FieldError as error:
                raise FieldError(f"[{position}] {error}") from None

    def inside(value: Any) -> list[tuple[str, str]]:
        return [found for member in value for found in kind.commitments(member)]

    return Kind(f"list of {kind.name}", check, kind.where, kind.objects, inside)


def set_of(kind: Kind, *, least: int = 1, most: int = MAX_LISTED) -> Kind:
    """A list in ascending order without repetition, so that its order tells nothing."""
    listed = list_of(kind, least=least, most=most)

    def check(value: object) -> None:
        listed.check(value)
        members = list(value) if isinstance(value, list | tuple) else []
        if members != sorted(set(members)):
            raise FieldError("is not in ascending order without repetition")

    return Kind(f"set of {kind.name}", check, kind.where, kind.objects, listed.commitments)


def record(*fields: Field) -> Kind:
    """An object with these fields."""
    where: Literal["entry", "object"] = "object" if any(f.kind.where == "object" for f in fields) else "entry"
    inside = ", ".join(f"{f.name}{'?' if f.optional else ''}: {f.kind.name}" for f in fields)
    objects = tuple(name for f in fields for name in f.kind.objects)
    return Kind(
        "{" + inside + "}",
        lambda value: check_fields(fields, value),
        where,
        objects,
        lambda value: commitments_in(fields, value),
    )
