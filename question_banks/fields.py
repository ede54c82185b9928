"""Reading tables of strangers: every key asked for by name and type, what was not asked for reported."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from question_banks.limits import Limits
from question_banks.markup import Text, normal
from question_banks.problems import ItemError, declare
from question_banks.values import exact

declare(
    {
        "field-missing": "{field} is missing.",
        "field-type": "{field} must be {wanted}.",
        "field-value": "{field} is {value}; it must be one of: {allowed}.",
        "field-number": "{field} is {value}, which is not a number.",
        "field-identifier": "{field} is {value}; an identifier has letters, digits, '.', '_' and '-' and begins with a letter or digit.",
        "field-language": "{field} names the language {value}, which is not a code such as vi or en.",
        "field-too-long": "{field} is longer than {most} characters.",
        "too-many": "{field} has {number} entries; at most {most} are read.",
    }
)

LONGEST_IDENTIFIER = 200
IDENTIFIER = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9._-]{{0,{LONGEST_IDENTIFIER - 1}}}\Z")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}\Z")
MISSING = object()


class Fields:
    """One table, with its place for messages and the primary language for texts given as a plain string."""

    def __init__(self, data: object, where: str, language: str, limits: Limits) -> None:
        if not isinstance(data, Mapping):
            raise ItemError("field-type", field=where or "the item", wanted="a table")
        self._data: Mapping[str, object] = data
        self._asked: set[str] = set()
        self._used: list[Fields] = []
        self.where = where
        self.language = language
        self.limits = limits

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def place(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def _get(self, name: str) -> object:
        self._asked.add(name)
        return self._data.get(name, MISSING)

    def string(self, name: str, default: str | None = None) -> str:
        value = self._get(name)
        if value is MISSING:
            if default is None:
                raise ItemError("field-missing", field=self.place(name))
            return default
        if not isinstance(value, str):
            raise ItemError("field-type", field=self.place(name), wanted="text in quotes")
        if len(value) > self.limits.item_size:
            raise ItemError("field-too-long", field=self.place(name), most=self.limits.item_size)
        return normal(value)

    def identifier(self, name: str = "id", default: str | None = None) -> str:
        value = self.string(name, default)
        if not IDENTIFIER.match(value):
            raise ItemError("field-identifier", field=self.place(name), value=value)
        return value

    def name(self, name: str = "id") -> str:
        """The identifier of something inside an item; `soundness` looks at its letters."""
        return self.string(name)

    def one_of(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        value = self.string(name, default)
        if value not in allowed:
            raise ItemError("field-value", field=self.place(name), value=value, allowed=", ".join(allowed))
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._get(name)
        if value is MISSING:
            return default
        if not isinstance(value, bool):
            raise ItemError("field-type", field=self.place(name), wanted="true or false")
        return value

    def whole(self, name: str, default: int | None = None) -> int:
        value = self._get(name)
        if value is MISSING:
            if default is None:
                raise ItemError("field-missing", field=self.place(name))
            return default
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**9:
            raise ItemError("field-type", field=self.place(name), wanted="a whole number")
        return value

    def number(self, name: str, default: Fraction | None = None) -> Fraction:
        """A number written in quotes ("0.25", "1/3") or as a TOML integer; floats are refused as inexact."""
        value = self._get(name)
        if value is MISSING:
            if default is None:
                raise ItemError("field-missing", field=self.place(name))
            return default
        return self.exactly(value, name)

    def exactly(self, value: object, name: str) -> Fraction:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
            return Fraction(value)
        if not isinstance(value, str):
            raise ItemError("field-type", field=self.place(name), wanted='a number in quotes such as "0.5"')
        try:
            return exact(value)
        except ValueError:
            raise ItemError("field-number", field=self.place(name), value=value) from None

    def optional_number(self, name: str) -> Fraction | None:
        return self.number(name) if name in self else None

    def decimal(self, name: str, default: str) -> Decimal:
        """Marks: a finite decimal number."""
        value = self._get(name)
        text = default if value is MISSING else value
        if isinstance(text, int) and not isinstance(text, bool) and abs(text) < 10**30:
            return Decimal(text)
        if not isinstance(text, str):
            raise ItemError("field-type", field=self.place(name), wanted='a number in quotes such as "0.5"')
        try:
            result = Decimal(text.strip())
        except InvalidOperation:
            raise ItemError("field-number", field=self.place(name), value=text) from None
        if not result.is_finite() or abs(result.adjusted()) > 30 or len(text) > 60:
            raise ItemError("field-number", field=self.place(name), value=text)
        return result

    def text(self, name: str, required: bool = False) -> Text:
        """{ vi = "…", en = "…" }, with format = "html" where it is not Markdown; or one string."""
        value = self._get(name)
        if value is MISSING:
            if required:
                raise ItemError("field-missing", field=self.place(name))
            return Text()
        if isinstance(value, str):
            value = {self.language: value}
        if not isinstance(value, Mapping):
            raise ItemError("field-type", field=self.place(name), wanted="text or a table of languages")
        form = value.get("format", "markdown")
        if form not in ("markdown", "html"):
            raise ItemError(
                "field-value", field=f"{self.place(name)}.format", value=str(form), allowed="markdown, html"
            )
        texts: dict[str, str] = {}
        for language, words in value.items():
            if language == "format":
                continue
            if not LANGUAGE.match(language):
                raise ItemError("field-language", field=self.place(name), value=language)
            if not isinstance(words, str):
                raise ItemError("field-type", field=f"{self.place(name)}.{language}", wanted="text in quotes")
            if len(words) > self.limits.characters:
                raise ItemError(
                    "field-too-long", field=f"{self.place(name)}.{language}", most=self.limits.characters
                )
            texts[language] = words
        result = Text.of(texts, form)
        if required and not result:
            raise ItemError("field-missing", field=self.place(name))
        return result

    def entries(self, name: str, most: int | None = None) -> Sequence[object]:
        value = self._get(name)
        if value is MISSING:
            return ()
        if not isinstance(value, list):
            raise ItemError("field-type", field=self.place(name), wanted="a list")
        most = self.limits.choices if most is None else most
        if len(value) > most:
            raise ItemError("too-many", field=self.place(name), number=len(value), most=most)
        return value

    def strings(self, name: str) -> tuple[str, ...]:
        value = self.entries(name)
        if not all(isinstance(entry, str) for entry in value):
            raise ItemError("field-type", field=self.place(name), wanted="a list of texts in quotes")
        return tuple(normal(str(entry)) for entry in value)

    def tables(self, name: str, most: int | None = None) -> Iterator["Fields"]:
        for index, entry in enumerate(self.entries(name, most)):
            yield self._inner(entry, f"{self.place(name)}[{index}]")

    def table(self, name: str) -> "Fields | None":
        value = self._get(name)
        return None if value is MISSING else self._inner(value, self.place(name))

    def mapping(self, name: str) -> Mapping[str, object]:
        value = self._get(name)
        if value is MISSING:
            return {}
        if not isinstance(value, Mapping):
            raise ItemError("field-type", field=self.place(name), wanted="a table")
        return value

    def raw(self, name: str) -> object:
        value = self._get(name)
        return None if value is MISSING else value

    def _inner(self, data: object, where: str) -> "Fields":
        inner = Fields(data, where, self.language, self.limits)
        self._used.append(inner)
        return inner

    def unknown(self) -> list[str]:
        """Keys nobody asked for, in this table and those read from it."""
        names = [self.place(name) for name in self._data if name not in self._asked]
        return names + [name for inner in self._used for name in inner.unknown()]
