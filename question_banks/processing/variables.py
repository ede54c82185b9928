"""Values of the processing language: typed containers, NULL when empty (QTI 3.0 information model, "Values")."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from question_banks.problems import ItemError, declare
from question_banks.values import Inner, Value, lexical, read, write

declare(
    {
        "processing-type": "{name} needs {wanted}.",
        "processing-value": "The value {value} is not of the type {base}.",
    }
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A value with its type. `fields`: names of a record's values, in their order, each with its own base type."""

    base: str
    cardinality: str = "single"
    items: tuple[Inner, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def null(self) -> bool:
        """NULL: nothing, an empty container, an empty string."""
        return not self.items or (self.cardinality == "single" and self.items[0] == "")

    def public(self) -> Value:
        """The value as outsiders get it; a record as "name value" texts."""
        if self.null:
            return None
        if self.cardinality == "single":
            return write(self.items[0])
        if self.cardinality == "record":
            return tuple(
                f"{name[0]} {lexical(item)}" for name, item in zip(self.fields, self.items, strict=True)
            )
        return tuple(write(item) for item in self.items)

    def texts(self) -> tuple[str, ...]:
        """The value in lexical forms."""
        return tuple(lexical(item) for item in self.items)

    def number(self) -> Fraction:
        """A single number; ItemError for anything else."""
        item = self.items[0] if self.items else None
        if self.cardinality != "single" or isinstance(item, (bool, str, tuple)) or item is None:
            raise ItemError("processing-type", name="a calculation", wanted="a single number")
        return Fraction(item)

    def truth(self) -> bool | None:
        """True, false, or None for NULL; ItemError when it is not a boolean."""
        if self.null:
            return None
        if self.base != "boolean" or self.cardinality != "single" or not isinstance(self.items[0], bool):
            raise ItemError("processing-type", name="a condition", wanted="true or false")
        return self.items[0]


def boolean(value: bool | None) -> Variable:
    return Variable("boolean", "single", () if value is None else (value,))


def floating(value: Fraction | None) -> Variable:
    return Variable("float", "single", () if value is None else (value,))


def integer(value: int | None) -> Variable:
    return Variable("integer", "single", () if value is None else (value,))


NULL = Variable("")


def from_texts(base: str, cardinality: str, texts: Sequence[str]) -> Variable:
    """A variable from lexical forms; ItemError when one is wrong."""
    items = []
    for text in texts:
        try:
            items.append(read(base, text))
        except ValueError:
            raise ItemError("processing-value", value=text, base=base) from None
    return Variable(base, cardinality, tuple(items))
