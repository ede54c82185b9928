"""HTML where QTI 3.0 lets it stand.

Texts of items may hold HTML that QTI 3.0 lacks (<u>, <del>) or does not let stand where it does: words straight in an
item's body, a list in the rationale of a choice, a film in a paragraph. `settle` changes such places in a finished
item, and says in data-html what it changed: the name that an element has in HTML, or nothing where HTML has no element.
`original` is the way back.
Source: QTI 3.0 ASI XML binding, version 1.0 (content models of the body's elements).
"""

from collections.abc import Callable

from lxml import etree

from question_banks.qti.elements import MATHML

ORIGINAL = "data-html"
NAMESPACE = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
MISSING = {
    "u": "",
    "s": "",
    "mark": "",
    "del": "deletion",
    "ins": "insertion",
}  # not in QTI 3.0; their ARIA roles


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PHRASES = _names(
    "a abbr acronym b bdi bdo big br cite code dfn em i img kbd label object picture q ruby samp small span strong sub "
    "sup tt var"
)
_BLOCKS = _names(
    "address article aside audio blockquote div dl figure footer h1 h2 h3 h4 h5 h6 header hr nav ol p pre section table "
    "ul video"
)
_SHOWN = frozenset(("qti-printed-variable", "qti-template-inline", "qti-feedback-inline"))
_ENTRIES = frozenset(
    ("qti-text-entry-interaction", "qti-inline-choice-interaction", "qti-end-attempt-interaction")
)
_CONDITIONAL = frozenset(("qti-template-block", "qti-feedback-block"))
_MATH = frozenset(("math",))
_HTML = _PHRASES | _BLOCKS
_INLINE = _PHRASES | _MATH | _ENTRIES | _SHOWN | {"qti-gap", "qti-hottext"}
_FLOW = _HTML | _MATH | _ENTRIES | _SHOWN | _CONDITIONAL | {"qti-hottext", "qti-interaction"}
_PHRASING = _PHRASES - {"acronym", "big", "tt"}
_LABEL = _PHRASES | _MATH | _SHOWN
_CHOICE = _HTML | _MATH | _SHOWN | _CONDITIONAL

# What may stand in an element; "qti-interaction": every interaction that is a block
_ALLOWED: dict[str, frozenset[str]] = {
    **dict.fromkeys(_names("dd li td th caption figcaption"), _FLOW),
    "div": _FLOW | {"qti-position-object-stage"},
    **dict.fromkeys(("blockquote", "bdi"), _HTML),
    "figure": _HTML | {"figcaption"},
    "bdo": _PHRASES,
    "ruby": _PHRASING | {"rb", "rt", "rp"},
    **dict.fromkeys(("rb", "rt", "rp"), _PHRASING),
    **dict.fromkeys(("ul", "ol"), frozenset(("li",))),
    "dl": frozenset(("dt", "dd")),
    "qti-item-body": _BLOCKS
    | _MATH
    | _CONDITIONAL
    | {"qti-interaction", "qti-position-object-stage", "qti-rubric-block"},
    "qti-gap-match-interaction": _BLOCKS
    | _MATH
    | _CONDITIONAL
    | {"qti-prompt", "qti-gap-text", "qti-gap-img"},
    "qti-hottext-interaction": _BLOCKS | _MATH | _CONDITIONAL | {"qti-prompt"},
    "qti-prompt": _HTML | _MATH,
    "qti-content-body": _HTML | _MATH | _SHOWN | {"qti-template-block"},
    "qti-simple-choice": _CHOICE,
    "qti-simple-associable-choice": _CHOICE,
    **dict.fromkeys(("qti-inline-choice", "qti-gap-text", "qti-hottext"), _LABEL),
    "qti-template-inline": _LABEL | {"qti-hottext", "qti-gap"},
    "qti-feedback-inline": _PHRASES | _MATH | {"qti-template-inline", "qti-printed-variable"},
    **dict.fromkeys(_PHRASES - {"bdi", "bdo", "br", "img", "object", "picture", "ruby"}, _INLINE),
    **dict.fromkeys(_names("p pre address h1 h2 h3 h4 h5 h6 dt"), _INLINE),
}
_HOLDERS = {  # where words may not stand: what a stretch of them is put into
    **dict.fromkeys(("qti-item-body", "qti-gap-match-interaction", "qti-hottext-interaction"), "p"),
    **dict.fromkeys(("ul", "ol"), "li"),
    "dl": "dd",
}
_WORDS = _names(  # where no block may stand, however deep
    "qti-inline-choice qti-gap-text qti-hottext qti-template-inline qti-feedback-inline ruby rb rt rp"
)
_OF_RUBY = _names("rb rt rp")
_INSIDE_BLOCKS = _names("li dt dd caption col colgroup thead tbody tfoot tr td th figcaption")
_STANDING_IN = _names("p div span li dd br")
_RESTORED = (
    _PHRASES - {"img", "object", "picture"}
    | _BLOCKS - {"audio", "video"}
    | _INSIDE_BLOCKS
    | _OF_RUBY
    | set(MISSING)
    | {""}
)
_KEPT = frozenset(("lang", "dir", "title", "start", "type", "reversed", "value", ORIGINAL))
_ROWS = ("caption", "col", "colgroup", "thead", "tfoot", "tbody", "tr")


def settle(element: etree._Element, type_of: Callable[[str], str]) -> None:
    """Changes what stands in `element` until all of it may; `type_of` gives the media type of an address."""
    name = _name(element)
    if name in _WORDS:
        _as_words(element)
    for child in list(element):
        if etree.QName(child).namespace != MATHML:
            settle(child, type_of)
    if name == "table":
        _in_order(element)
    allowed = _ALLOWED.get(name, frozenset())
    if "img" in allowed and "audio" not in allowed:
        for child in [child for child in element if _name(child) in ("audio", "video")]:
            _as_object(child, type_of)
    if name in _HOLDERS:
        for holder in _gathered(element, allowed, _HOLDERS[name]):
            _wrap(holder)
    elif allowed:
        _wrap(element)


def original(element: etree._Element) -> str | None:
    """The name in HTML of an element that `settle` changed, "" where HTML has none; None for all others."""
    found = element.get(ORIGINAL)
    return found if _name(element) in _STANDING_IN and found in _RESTORED else None


def missing(element: etree._Element, name: str) -> None:
    """Makes `element`, a span, stand for an element of HTML that QTI has no name for."""
    element.set(ORIGINAL, name)
    if MISSING[name]:
        element.set("role", MISSING[name])


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _may(child: etree._Element, allowed: frozenset[str]) -> bool:
    name = _name(child)
    return name in allowed or (
        name.endswith("-interaction") and name not in _ENTRIES and "qti-interaction" in allowed
    )


def _is_block(child: etree._Element) -> bool:
    return _name(child) not in _INLINE


def _rename(element: etree._Element, name: str) -> None:
    if element.get(ORIGINAL) is None:
        element.set(ORIGINAL, _name(element))
    element.tag = f"{{{NAMESPACE}}}{name}"


def _wrap(element: etree._Element) -> None:
    """Puts every child that may not stand in `element` into a span or a div; a part without its whole (an entry of no
    list) and a place for words that has a block in it become one."""
    allowed = _ALLOWED[_name(element)]
    for child in element:
        if _name(child) in _INSIDE_BLOCKS | _OF_RUBY and not _may(child, allowed):
            _rename(child, "span" if _name(child) in _OF_RUBY else "div")
            _wrap(child)
    if allowed <= _INLINE and any(_is_block(child) and not _may(child, allowed) for child in element):
        _rename(element, "div")
        allowed = _ALLOWED["div"]
    for child in element:
        if not _may(child, allowed):
            holder = _holder("div" if _is_block(child) else "span")
            holder.tail, child.tail = child.tail, None
            element.replace(child, holder)
            holder.append(child)


def _holder(name: str) -> etree._Element:
    return etree.Element(f"{{{NAMESPACE}}}{name}", {ORIGINAL: ""})


def _gathered(element: etree._Element, allowed: frozenset[str], name: str) -> list[etree._Element]:
    """Puts words, and whatever else may not stand in `element` itself, into holders, one for each stretch."""
    parts: list[etree._Element | str] = [element.text or ""]
    for child in element:
        parts += [child, child.tail or ""]
    element.text, element[:] = None, []
    holders: list[etree._Element] = []
    holder: etree._Element | None = None
    space = ""
    for part in parts:
        if isinstance(part, str):
            if holder is None and not part.strip():
                space = part
                continue
        else:
            part.tail = None
            if _may(part, allowed):
                element.append(part)
                holder, space = None, ""
                continue
        if holder is None:
            holder = _holder(name)
            holder.text = space
            element.append(holder)
            holders.append(holder)
        if not isinstance(part, str):
            holder.append(part)
        elif len(holder):
            holder[-1].tail = part
        else:
            holder.text = part
    return holders


def _as_words(element: etree._Element) -> None:
    """Blocks inside a place for words become spans, each apart from the next by a space; a rule, a new line."""
    for part in list(element.iterdescendants(f"{{{NAMESPACE}}}*")):
        name = _name(part)
        if name == "qti-template-block":
            part.tag = f"{{{NAMESPACE}}}qti-template-inline"
            etree.strip_tags(part, f"{{{NAMESPACE}}}qti-content-body")
        elif name in _BLOCKS - {"audio", "video"} | _INSIDE_BLOCKS:
            for key in set(part.attrib) - _KEPT:
                del part.attrib[key]
            _rename(part, "br" if name == "hr" else "span")
            part.tail = f" {part.tail or ''}"


def _as_object(element: etree._Element, type_of: Callable[[str], str]) -> None:
    """A sound or a film among words, where QTI knows an object only."""
    address = element.get("src") or next((part.get("src", "") for part in element), "")
    kept = {side: element.get(side, "") for side in ("width", "height") if element.get(side)}
    tail = element.tail
    element.clear()
    element.tail = tail
    element.tag = f"{{{NAMESPACE}}}object"
    for key, value in {"data": address, "type": type_of(address), **kept}.items():
        element.set(key, value)


def _in_order(table: etree._Element) -> None:
    """The parts of a table in the order of QTI, which has the foot before the body; none of them empty."""
    for name in ("tr", "thead", "tbody", "tfoot"):
        for part in list(table.iter(f"{{{NAMESPACE}}}{name}")):
            parent = part.getparent()
            if len(part) == 0 and parent is not None:
                parent.remove(part)
    table[:] = sorted(
        table, key=lambda part: _ROWS.index(_name(part)) if _name(part) in _ROWS else len(_ROWS)
    )
