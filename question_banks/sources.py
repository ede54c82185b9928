"""Bytes of strangers become text or XML: encoding, size, NUL bytes and DOCTYPE are settled here, before any parser."""

import codecs
import re
from collections.abc import Iterator

from lxml import etree

from question_banks.limits import LIMITS, Limits
from question_banks.problems import BankError, declare

declare(
    {
        "file-too-large": "The file has {size} bytes; at most {most} are read. Split the bank into several files.",
        "file-empty": "The file is empty.",
        "not-utf-8": "The file is not UTF-8 text. Save it again with the encoding UTF-8.",
        "encoding-unknown": "The file declares the encoding {encoding}, which is not known. Save it again as UTF-8.",
        "nul-byte": "The file contains NUL bytes; it is damaged or not a text file.",
        "doctype": "The file has a DOCTYPE; such files are not read because entities can be used to attack the reader. Remove it.",
        "xml-broken": "The file is not well-formed XML: {reason}.",
        "xml-too-large": "The XML has more than {most} elements and attributes. Split the bank into several files.",
        "xml-too-deep": "The XML is nested deeper than {most} levels.",
    }
)

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_DECLARATION = re.compile(r"^\s*<\?xml\s[^>]{0,300}\?>")
_PROLOGUE = re.compile(r"\s+|<!--.*?-->|<\?.*?\?>", re.DOTALL)
_ENCODINGS = frozenset(
    [
        "utf-8",
        "utf-16",
        "us-ascii",
        "ascii",
        "iso-8859-1",
        "iso-8859-15",
        "latin-1",
        "windows-1252",
        "cp1252",
        "windows-1258",
        "cp1258",
    ]
)


def decode(data: bytes, file: str = "", limits: Limits = LIMITS, *, xml: bool = False) -> str:
    """Text of a file: by its byte order mark, for XML by its declaration, else UTF-8 and nothing else.

    Never guesses: windows-1252 read as such where it was windows-1258 would turn Vietnamese into nonsense unnoticed.
    """
    if len(data) > limits.text_size:
        raise BankError("file-too-large", file=file, size=len(data), most=limits.text_size)
    encoding = "utf-8"
    for mark, name in _BOMS:
        if data.startswith(mark):
            data, encoding = data[len(mark) :], name
            break
    else:
        declared = _DECLARED.match(data) if xml else None
        if declared:
            encoding = declared[1].decode("ascii").lower()
            if encoding not in _ENCODINGS:
                raise BankError("encoding-unknown", file=file, encoding=encoding)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BankError("not-utf-8", file=file, line=line) from None
    if "\x00" in text:
        raise BankError("nul-byte", file=file, line=text[: text.index("\x00")].count("\n") + 1)
    if not text.strip():
        raise BankError("file-empty", file=file)
    return text


def parse_xml(data: bytes | str, file: str = "", limits: Limits = LIMITS) -> etree._Element:
    """The root element, comments and processing instructions dropped. Refuses any DOCTYPE before parsing."""
    text = data if isinstance(data, str) else decode(data, file, limits, xml=True)
    declaration = _DECLARATION.match(text)
    lines_before = 0
    if declaration:
        lines_before = text[: declaration.end()].count("\n")
        text = "\n" * lines_before + text[declaration.end() :]
    place = 0
    while found := _PROLOGUE.match(text, place):
        place = found.end()
    if text[place : place + 9].upper() == "<!DOCTYPE":
        raise BankError("doctype", file=file, line=text[:place].count("\n") + 1)
    if text.count("<") - text.count("</") + text.count("=") > limits.elements:
        raise BankError("xml-too-large", file=file, most=limits.elements)
    _check_depth(text, file, limits)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True, encoding="utf-8",
    )  # fmt: skip
    try:
        return etree.fromstring(text.encode("utf-8", "surrogatepass"), parser)
    except etree.XMLSyntaxError as error:
        line = error.lineno if error.lineno else None
        reason = (error.msg or "unreadable").split(", line ")[0].split("\n")[0]
        raise BankError("xml-broken", file=file, line=line, reason=reason) from None
    except (ValueError, UnicodeError) as error:
        raise BankError("xml-broken", file=file, reason=str(error)) from None


# what is not closed runs to the end: nothing is looked at twice
_TAGS = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<(/?)[A-Za-z_](?:[^<>/]|/(?!>))*+(/?)>", re.DOTALL
)


def _check_depth(text: str, file: str, limits: Limits) -> None:
    """Refuses deep nesting before a recursive parser sees it; attribute values with ">" at worst count too little,
    and libxml2's own bound of 256 stands behind."""
    if text.count("<") <= limits.depth:
        return
    depth = 0
    for found in _TAGS.finditer(text):
        if found[1] is None or found[2]:
            continue
        depth += -1 if found[1] else 1
        if depth > limits.depth:
            raise BankError(
                "xml-too-deep", file=file, line=text[: found.start()].count("\n") + 1, most=limits.depth
            )


def local(element: etree._Element) -> str:
    """The element's name without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Child elements, in any namespace, of the given local names (all without names)."""
    for child in element:
        tag = child.tag
        if isinstance(tag, str) and (not names or tag in names or tag.rpartition("}")[2] in names):
            yield child


def child(element: etree._Element, *names: str) -> etree._Element | None:
    for child in element:
        tag = child.tag
        if isinstance(tag, str) and (not names or tag in names or tag.rpartition("}")[2] in names):
            return child
    return None


def content(element: etree._Element | None) -> str:
    """All text inside an element, "" for none."""
    return "".join(element.itertext()) if element is not None else ""
