"""Elements of QTI 2 and 3 under the same names: kebab case without "qti-" (choiceInteraction, qti-choice-interaction →
choice-interaction; responseIdentifier → response-identifier)."""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from lxml import etree

from question_banks.markup import normal
from question_banks.problems import ItemError, declare
from question_banks.processing.notation import kebab
from question_banks.values import exact

declare(
    {
        "qti-attribute": "The attribute {attribute} of {element} is {value}, which cannot be read.",
        "qti-missing": "{element} has no {attribute}.",
    }
)

MATHML = "http://www.w3.org/1998/Math/MathML"


@lru_cache(maxsize=4096)
def _kebab(name: str) -> str:
    return kebab(name.rpartition("}")[2])


def name(element: etree._Element) -> str:
    """The element's name, the same in both versions; "" for what is no element."""
    tag = element.tag
    return _kebab(tag) if isinstance(tag, str) else ""


def get(element: etree._Element, attribute: str, default: str = "") -> str:
    """An attribute by its kebab name in whichever form the file has it, normal like every text."""
    value = element.get(attribute)
    if value is not None:
        return normal(value)
    for key, value in element.attrib.items():
        if "}" not in key and _kebab(key) == attribute:
            return normal(value)
    return default


def required(element: etree._Element, attribute: str) -> str:
    value = get(element, attribute).strip()
    if not value:
        raise ItemError("qti-missing", element=name(element), attribute=attribute)
    return value


def flag(element: etree._Element, attribute: str, default: bool) -> bool:
    value = get(element, attribute).strip()
    return default if not value else value in ("true", "1")


def whole(element: etree._Element, attribute: str, default: int) -> int:
    value = get(element, attribute).strip()
    if not value:
        return default
    if not re.fullmatch(r"-?\d{1,7}", value):
        raise ItemError("qti-attribute", element=name(element), attribute=attribute, value=value)
    return int(value)


def real(element: etree._Element, attribute: str) -> Fraction | None:
    value = get(element, attribute).strip()
    if not value:
        return None
    try:
        return exact(value)
    except ValueError:
        raise ItemError("qti-attribute", element=name(element), attribute=attribute, value=value) from None


def inner(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Child elements of these names."""
    for child in element:
        if name(child) in names:
            yield child


def first(element: etree._Element, *names: str) -> etree._Element | None:
    return next(inner(element, *names), None)


def language(element: etree._Element) -> str:
    value = element.get("{http://www.w3.org/XML/1998/namespace}lang") or element.get("lang") or ""
    return value.split("-")[0].lower() if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", value) else ""
