"""Rules and expressions as XML, in the names of QTI 3 or of QTI 2, and as the model's nodes."""

import re

from lxml import etree

from question_banks.declarations import Node
from question_banks.limits import LIMITS, Limits
from question_banks.markup import normal
from question_banks.problems import BankError, ItemError, declare
from question_banks.sources import parse_xml

declare(
    {
        "processing-too-deep": "The processing rules are nested deeper than {most} levels.",
        "processing-name": "The processing rules have an element or attribute {name}, which is no name of QTI.",
        "processing-xml": "The processing rules cannot be read. {reason}",
    }
)

_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_NAME = re.compile(r"[^\W\d_][\w.-]*")
_TEXT_ELEMENTS = frozenset(("base-value", "value"))


def kebab(name: str) -> str:
    """responseProcessing → response-processing; a name of QTI 3 loses its "qti-".  Normal like every text, so that it comes back as it is."""
    return _CAMEL.sub(lambda found: "-" + found[1].lower(), normal(name).removeprefix("qti-")).lower()


def camel(name: str) -> str:
    """response-processing → responseProcessing, as QTI 2 writes it."""
    head, *rest = name.split("-")
    if head == "duration" and rest in (["lt"], ["gte"]):  # durationLT, durationGTE: the two that QTI 2 spells so
        return head + rest[0].upper()
    return head + "".join(word.capitalize() for word in rest)


def node_of(element: etree._Element, limits: Limits = LIMITS, depth: int = 0) -> Node:
    """An element of either version as a Node."""
    if depth > limits.depth:
        raise ItemError("processing-too-deep", most=limits.depth)
    name = kebab(etree.QName(element).localname)
    attributes = tuple(
        sorted(
            (kebab(etree.QName(key).localname), normal(value))
            for key, value in element.attrib.items()
            if "}" not in key
        )
    )
    for one in (name, *(key for key, _ in attributes)):
        if not _NAME.fullmatch(one):  # "qti-1" is a name of XML, the "1" that is left of it is none
            raise ItemError("processing-name", name=one)
    inner = tuple(node_of(child, limits, depth + 1) for child in element if isinstance(child.tag, str))
    text = normal(element.text or "") if name in _TEXT_ELEMENTS else ""
    return Node(name, attributes, inner, text)


def element_of(node: Node, version: int = 3) -> etree._Element:
    """A Node as an element without namespace, in the names of QTI 3 or 2."""
    element = etree.Element(f"qti-{node.name}" if version == 3 else camel(node.name))
    for key, value in node.attributes:
        element.set(key if version == 3 else camel(key), value)
    if node.text:
        element.text = node.text
    for child in node.children:
        element.append(element_of(child, version))
    return element


def read(text: str, limits: Limits = LIMITS) -> Node:
    """Rules written as XML in a native bank; ItemError where they are not XML."""
    try:
        element = parse_xml(text, "", limits)
    except BankError as error:
        raise ItemError("processing-xml", reason=error.message) from None
    return node_of(element, limits)


def write(node: Node) -> str:
    """Rules as indented XML in the names of QTI 3."""
    element = element_of(node)
    etree.indent(element)
    return etree.tostring(element, encoding="unicode") + "\n"
