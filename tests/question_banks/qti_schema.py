"""What the schema of QTI 3.0 lets stand where: a table of the elements that we write, and its checker.

The table says what the XML binding of 1EdTech says ("Question and Test Interoperability (QTI) 3.0, Assessment, Section
and Item", ASI binding version 1.0, namespace imsqtiasi_v3p0; for the manifest "IMS Content Packaging 1.2, QTI 3.0
profile"): which attributes an element has, which of them it must have, of what kind their values are, and which
children it has in which order and number. It is our own wording of these facts; the schema itself is no part of the
project.

Where it differs from the schema:

- Most elements of a body take any further attribute there. Here they take data-* and the attributes of HTML in EXTRA,
  so that a slip of the pen is found.
- The schema gives qti-match-table-entry target-value the names of base types as its values, although it is a value of
  the outcome's base type. Here any value will do.
- Inside MathML only the namespace and the names of elements are looked at.
- Elements that we never write are not in the table, so they count as faults.
"""

import re
from collections.abc import Iterator

from lxml import etree

QTI = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
PACKAGE = "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1"
LOM = "http://ltsc.ieee.org/xsd/LOM"
MATHML = "http://www.w3.org/1998/Math/MathML"
XML = "{http://www.w3.org/XML/1998/namespace}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

# Kinds of values

_FIRST = (  # Namespaces in XML 1.0, NCName; Extensible Markup Language 1.0, 5th edition, productions 4 and 4a
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
NAME = f"[{_FIRST}][-.0-9\u00b7\u0300-\u036f\u203f\u2040{_FIRST}]*"
INTEGER = r"[+-]?\d+"
NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
MIME = r"[!#-'*+.0-9A-Z^-~-]+/[!#-'*+.0-9A-Z^-~-]+"
KINDS = {
    "name": NAME,
    "id": NAME,  # and once in the document
    "idref": NAME,  # and an id of the document
    "names": rf"\s*({NAME}(\s+{NAME})*)?\s*",
    "text": r"[^\x00]*",
    "flag": "true|false|0|1",
    "count": r"\+?\d+",
    "integer": INTEGER,
    "number": NUMBER,
    "size": r"\+?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?",
    "integer*": rf"{INTEGER}|{NAME}",
    "number*": rf"{NUMBER}|{NAME}",
    "length": r"\d+%?",
    "mime": MIME,
    "uri": r"[^\s<>\"{}|\\^`]*",
    "coords": r"\d+%?,\d+%?,\d+%?(,\d+%?)?|\d+%?,\d+%?(,\d+%?,\d+%?)+,\d+%?,\d+%?",
    "views": r"\s*((author|candidate|proctor|scorer|testConstructor|tutor)\s*)*",
    "language": r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*",
}
BASE = "boolean|directedPair|duration|file|float|identifier|integer|pair|point|string|uri"
CARDINALITY = "multiple|ordered|record|single"
SHAPE = "circle|default|ellipse|poly|rect"
FIGURES = "decimalPlaces|significantFigures"
SHOW = "show-hide:show|hide"
FUNCTIONS = (
    "sin|cos|tan|sec|csc|cot|asin|acos|atan|atan2|asec|acsc|acot|sinh|cosh|tanh|sech|csch|coth|log|ln|exp|abs|signum"
    "|floor|ceil|toDegrees|toRadians"
)

# Groups of children

PHRASES = "a abbr acronym b bdi bdo big br cite code dfn em i img kbd label object picture q ruby samp small span strong sub sup tt var"
BLOCKS = "address article aside audio blockquote div dl figure footer h1 h2 h3 h4 h5 h6 header hr nav ol p pre section table ul video"
PLACED = (  # interactions that are blocks
    "qti-associate-interaction qti-choice-interaction qti-extended-text-interaction qti-gap-match-interaction "
    "qti-graphic-associate-interaction qti-graphic-gap-match-interaction qti-graphic-order-interaction "
    "qti-hotspot-interaction qti-hottext-interaction qti-match-interaction qti-media-interaction "
    "qti-order-interaction qti-select-point-interaction qti-slider-interaction qti-upload-interaction"
)
WRITTEN_IN = "qti-text-entry-interaction qti-inline-choice-interaction qti-end-attempt-interaction"
SHOWN = "qti-printed-variable qti-template-inline qti-feedback-inline"
NUMERIC = (
    "qti-sum qti-subtract qti-divide qti-multiple qti-ordered qti-custom-operator qti-random qti-null qti-delete qti-index "
    "qti-power qti-container-size qti-correct qti-default qti-integer-divide qti-integer-modulus qti-product qti-round "
    "qti-truncate qti-field-value qti-random-integer qti-variable qti-integer-to-float qti-base-value "
    "qti-map-response-point qti-map-response qti-repeat qti-round-to qti-lcm qti-gcd qti-min qti-max qti-math-constant "
    "qti-stats-operator qti-math-operator qti-random-float"
)
LOGICAL = (
    "qti-and qti-gt qti-not qti-lt qti-gte qti-lte qti-or qti-duration-lt qti-duration-gte qti-substring "
    "qti-equal-rounded qti-match qti-equal qti-contains qti-any-n qti-is-null qti-member qti-inside qti-pattern-match "
    "qti-string-match"
)
RESPONSE_RULES = "qti-response-condition qti-response-processing-fragment qti-set-outcome-value qti-exit-response qti-lookup-outcome-value"
TEMPLATE_RULES = (
    "qti-set-template-value qti-exit-template qti-template-condition qti-set-default-value qti-set-correct-response "
    "qti-template-constraint"
)
GROUPS = {
    "INLINE": f"{PHRASES} math {WRITTEN_IN} {SHOWN} qti-gap qti-hottext",
    "FLOW": f"{PHRASES} {BLOCKS} details math {PLACED} {WRITTEN_IN} {SHOWN} qti-hottext qti-feedback-block qti-template-block",
    "HTML": f"{PHRASES} {BLOCKS} details",
    "PHRASING": " ".join(sorted({*PHRASES.split(), "audio", "video"} - {"acronym", "big", "tt"})),
    "PHRASES": PHRASES,
    "BLOCKS": BLOCKS,
    "PLACED": PLACED,
    "SHOWN": SHOWN,
    "VALUE": f"{NUMERIC} {LOGICAL}",
    "NUMERIC": NUMERIC,
    "RESPONSE": RESPONSE_RULES,
    "TEMPLATE": TEMPLATE_RULES,
    "PICTURE": "object img picture",
}

# The table: element → attributes (! required), content. An element in one parent only: "parent/element".
# Content: children as in a regular expression; "~" before it: text between them; "=": text alone; "": nothing.

PRESENTED = "id:id class:text lang:text label:text dir:ltr|rtl|auto xml:lang:language data-*"
EXTRA = "title:text start:integer type:text reversed:text value:integer role:insertion|deletion"  # of HTML, through the open attributes
ANSWERED = f"response-identifier!:name {PRESENTED}"
CHOICES = "max-choices:count min-choices:count"
PAIRS = "max-associations:count min-associations:count"
CHOSEN = f"identifier!:name template-identifier:name {SHOW} {PRESENTED}"
PAIRED = f"{CHOSEN} match-group:names match-max!:count match-min:count"
SPOT = f"{CHOSEN} shape!:{SHAPE} coords!:coords hotspot-label:text"
CONDITIONAL = f"template-identifier!:name identifier!:name {SHOW} {PRESENTED}"
DECLARED = f"cardinality!:{CARDINALITY} base-type:{BASE}"
NAMED = "identifier!:name"

TABLE: dict[str, tuple[str, str]] = {
    "qti-assessment-item": (
        "identifier!:name title!:text label:text tool-name:text tool-version:text adaptive:flag time-dependent!:flag "
        "xml:lang:language data-*",
        "qti-context-declaration* qti-response-declaration* qti-outcome-declaration* qti-template-declaration* "
        "qti-template-processing? qti-assessment-stimulus-ref* qti-companion-materials-info? qti-stylesheet* qti-item-body? "
        "qti-catalog-info? qti-response-processing? qti-modal-feedback*",
    ),
    # declarations
    "qti-response-declaration": (
        f"identifier!:id {DECLARED}",
        "qti-default-value? qti-correct-response? qti-mapping? qti-area-mapping?",
    ),
    "qti-outcome-declaration": (
        f"{NAMED} {DECLARED} view:views interpretation:text long-interpretation:uri normal-maximum:size "
        "normal-minimum:number mastery-value:number external-scored:externalMachine|human variable-identifier-ref:idref",
        "qti-default-value? (qti-match-table|qti-interpolation-table)?",
    ),
    "qti-template-declaration": (
        f"{NAMED} {DECLARED} param-variable:flag math-variable:flag",
        "qti-default-value?",
    ),
    "qti-correct-response": ("interpretation:text", "qti-value+"),
    "qti-default-value": ("interpretation:text", "qti-value+"),
    "qti-value": (f"field-identifier:name base-type:{BASE}", "="),
    "qti-mapping": ("lower-bound:number upper-bound:number default-value:number", "qti-map-entry+"),
    "qti-map-entry": ("map-key!:text mapped-value!:number case-sensitive:flag", ""),
    "qti-area-mapping": ("lower-bound:number upper-bound:number default-value:number", "qti-area-map-entry+"),
    "qti-area-map-entry": (f"shape!:{SHAPE} coords!:coords mapped-value!:number", ""),
    "qti-match-table": ("default-value:text", "qti-match-table-entry+"),
    "qti-match-table-entry": ("source-value!:integer target-value!:text", ""),
    "qti-interpolation-table": ("default-value:text", "qti-interpolation-table-entry+"),
    "qti-interpolation-table-entry": (
        "source-value!:number include-boundary:flag target-value!:text",
        "",
    ),
    # response processing and template processing
    "qti-response-processing": ("template:uri template-location:uri", "RESPONSE*"),
    "qti-response-processing-fragment": ("", "RESPONSE*"),
    "qti-response-condition": ("", "qti-response-if qti-response-else-if* qti-response-else?"),
    "qti-response-if": ("", "VALUE RESPONSE*"),
    "qti-response-else-if": ("", "VALUE RESPONSE*"),
    "qti-response-else": ("", "RESPONSE*"),
    "qti-exit-response": ("", ""),
    "qti-set-outcome-value": (NAMED, "VALUE"),
    "qti-lookup-outcome-value": (NAMED, "VALUE"),
    "qti-template-processing": ("", "TEMPLATE+"),
    "qti-template-condition": ("", "qti-template-if qti-template-else-if* qti-template-else?"),
    "qti-template-if": ("", "VALUE TEMPLATE*"),
    "qti-template-else-if": ("", "VALUE TEMPLATE*"),
    "qti-template-else": ("", "TEMPLATE*"),
    "qti-exit-template": ("", ""),
    "qti-template-constraint": ("", "VALUE"),
    "qti-set-template-value": (NAMED, "VALUE"),
    "qti-set-default-value": (NAMED, "VALUE"),
    "qti-set-correct-response": (NAMED, "VALUE"),
    # expressions
    **dict.fromkeys(("qti-multiple", "qti-ordered"), ("", "VALUE*")),
    **dict.fromkeys(
        ("qti-and", "qti-or", "qti-product", "qti-lcm", "qti-gcd", "qti-min", "qti-max"), ("", "VALUE+")
    ),
    "qti-sum": ("", "NUMERIC+"),
    **dict.fromkeys(
        (
            "qti-gt", "qti-lt", "qti-gte", "qti-lte", "qti-duration-lt", "qti-duration-gte", "qti-subtract", "qti-divide",
            "qti-delete", "qti-match", "qti-power", "qti-contains", "qti-integer-divide", "qti-integer-modulus", "qti-member",
        ),
        ("", "VALUE VALUE"),
    ),
    **dict.fromkeys(
        (
            "qti-not", "qti-random", "qti-container-size", "qti-is-null", "qti-round", "qti-truncate",
            "qti-integer-to-float",
        ),
        ("", "VALUE"),
    ),
    **dict.fromkeys(("qti-correct", "qti-default", "qti-map-response", "qti-map-response-point"), (NAMED, "")),
    "qti-null": ("", ""),
    "qti-variable": (f"{NAMED} weight-identifier:name", ""),
    "qti-base-value": (f"base-type!:{BASE}", "="),
    "qti-math-constant": ("name!:pi|e", ""),
    "qti-random-integer": ("min:integer* max!:integer* step:integer*", ""),
    "qti-random-float": ("min:number* max!:number*", ""),
    "qti-any-n": ("min!:integer* max!:integer*", "VALUE+"),
    "qti-math-operator": (f"name!:{FUNCTIONS}", "VALUE+"),
    "qti-stats-operator": ("name!:mean|sampleVariance|sampleSD|popVariance|popSD", "VALUE"),
    "qti-repeat": ("number-repeats!:integer*", "VALUE+"),
    "qti-index": ("n!:integer*", "VALUE"),
    "qti-field-value": ("field-identifier!:name", "VALUE"),
    "qti-inside": (f"shape!:{SHAPE} coords!:coords", "VALUE"),
    "qti-pattern-match": ("pattern!:text", "VALUE"),
    "qti-round-to": (f"rounding-mode!:{FIGURES} figures!:integer*", "VALUE"),
    "qti-equal": (
        "tolerance-mode:absolute|exact|relative tolerance:text include-lower-bound:flag include-upper-bound:flag",
        "VALUE VALUE",
    ),
    "qti-equal-rounded": (f"rounding-mode:{FIGURES} figures!:integer*", "VALUE VALUE"),
    "qti-string-match": ("case-sensitive!:flag substring:flag", "VALUE VALUE"),
    "qti-substring": ("case-sensitive!:flag", "VALUE VALUE"),
    "qti-custom-operator": ("class:name definition:uri", "VALUE*"),
    # the body
    "qti-item-body": (
        "id:id class:text label:text dir:ltr|rtl|auto xml:lang:language",
        "(qti-rubric-block|qti-position-object-stage|qti-feedback-block|qti-template-block|math|PLACED|BLOCKS)+",
    ),
    "qti-rubric-block": (
        f"use!:instructions|scoring|navigation view!:views {PRESENTED}",
        "qti-stylesheet* qti-content-body qti-catalog-info?",
    ),
    "qti-rubric-block/qti-content-body": (
        "",
        "~(HTML|math|qti-template-block|qti-template-inline|qti-printed-variable)*",
    ),
    "qti-modal-feedback": (
        "outcome-identifier!:name show-hide!:show|hide identifier!:name title:text data-*",
        "qti-stylesheet* qti-content-body? qti-catalog-info?",
    ),
    "qti-modal-feedback/qti-content-body": (
        "",
        "~(HTML|math|qti-printed-variable|qti-hottext|qti-template-inline|qti-template-block)*",
    ),
    "qti-template-block": (CONDITIONAL, "qti-stylesheet* qti-content-body? qti-catalog-info?"),
    "qti-template-block/qti-content-body": (
        "",
        "~(HTML|math|SHOWN|qti-template-block|qti-feedback-block)*",
    ),
    "qti-template-inline": (CONDITIONAL, "~(PHRASES|math|SHOWN|qti-hottext|qti-gap)*"),
    "qti-feedback-inline": (
        f"outcome-identifier!:name identifier!:name {SHOW} {PRESENTED}",
        "~(PHRASES|math|qti-template-inline|qti-printed-variable)*",
    ),
    "qti-printed-variable": (
        f"{NAMED} id:id class:text label:text xml:lang:language format:text base:integer* index:integer* power-form:flag "
        "field:text delimiter:text mapping-indicator:text",
        "",
    ),
    # interactions
    "qti-prompt": (PRESENTED, "~(HTML|math)*"),
    "qti-choice-interaction": (
        f"{ANSWERED} {CHOICES} shuffle:flag orientation:horizontal|vertical",
        "qti-prompt? qti-simple-choice+",
    ),
    "qti-order-interaction": (
        f"{ANSWERED} {CHOICES} shuffle:flag orientation:horizontal|vertical",
        "qti-prompt? qti-simple-choice+",
    ),
    "qti-simple-choice": (
        f"{CHOSEN} fixed:flag",
        "~(HTML|math|SHOWN|qti-feedback-block|qti-template-block)*",
    ),
    "qti-associate-interaction": (
        f"{ANSWERED} {PAIRS} shuffle:flag",
        "qti-prompt? qti-simple-associable-choice+",
    ),
    "qti-match-interaction": (
        f"{ANSWERED} {PAIRS} shuffle:flag",
        "qti-prompt? qti-simple-match-set qti-simple-match-set",
    ),
    "qti-simple-match-set": ("id:id data-*", "qti-simple-associable-choice*"),
    "qti-simple-associable-choice": (
        f"{PAIRED} fixed:flag",
        "~(HTML|math|SHOWN|qti-feedback-block|qti-template-block)*",
    ),
    "qti-gap-match-interaction": (
        f"{ANSWERED} {PAIRS} shuffle:flag",
        "qti-prompt? (qti-gap-text|qti-gap-img)+ (qti-feedback-block|qti-template-block|math|BLOCKS)+",
    ),
    "qti-gap-text": (PAIRED, "~(PHRASES|math|SHOWN)*"),
    "qti-gap-img": (f"{PAIRED} object-label:text top:text left:text", "PICTURE"),
    "qti-gap": (f"{CHOSEN} match-group:names required:flag", ""),
    "qti-inline-choice-interaction": (
        f"{ANSWERED} shuffle:flag required:flag min-choices:count",
        "qti-label? qti-inline-choice+",
    ),
    "qti-inline-choice": (f"{CHOSEN} fixed:flag", "~(PHRASES|math|SHOWN)*"),
    "qti-text-entry-interaction": (
        f"response-identifier!:idref base:integer string-identifier:idref expected-length:count pattern-mask:text "
        f"placeholder-text:text format:text {PRESENTED}",
        "",
    ),
    "qti-extended-text-interaction": (
        f"{ANSWERED} base:integer string-identifier:name expected-length:count pattern-mask:text placeholder-text:text "
        "max-strings:count min-strings:count expected-lines:count format:plain|preformatted|xhtml",
        "qti-prompt?",
    ),
    "qti-hottext-interaction": (
        f"{ANSWERED} {CHOICES}",
        "qti-prompt? (qti-feedback-block|qti-template-block|math|BLOCKS)+",
    ),
    "qti-hottext": (CHOSEN, "~(PHRASES|math|SHOWN)*"),
    "qti-hotspot-interaction": (f"{ANSWERED} {CHOICES}", "qti-prompt? PICTURE qti-hotspot-choice+"),
    "qti-graphic-order-interaction": (f"{ANSWERED} {CHOICES}", "qti-prompt? PICTURE qti-hotspot-choice+"),
    "qti-hotspot-choice": (SPOT, ""),
    "qti-graphic-associate-interaction": (
        f"{ANSWERED} {PAIRS}",
        "qti-prompt? PICTURE qti-associable-hotspot+",
    ),
    "qti-graphic-gap-match-interaction": (
        f"{ANSWERED} {PAIRS}",
        "qti-prompt? PICTURE (qti-gap-text|qti-gap-img)+ qti-associable-hotspot+",
    ),
    "qti-associable-hotspot": (f"{SPOT} match-group:names match-max!:count match-min:count", ""),
    "qti-select-point-interaction": (f"{ANSWERED} {CHOICES}", "qti-prompt? PICTURE"),
    "qti-position-object-stage": ("id:id data-*", "PICTURE qti-position-object-interaction+"),
    "qti-position-object-interaction": (f"{ANSWERED} {CHOICES} center-point:text", "PICTURE"),
    "qti-slider-interaction": (
        f"{ANSWERED} lower-bound!:size upper-bound!:size step:size step-label:flag orientation:horizontal|vertical "
        "reverse:flag",
        "qti-prompt?",
    ),
    "qti-media-interaction": (
        f"{ANSWERED} autostart!:flag min-plays:count max-plays:count loop:flag coords:coords",
        "qti-prompt? (object|audio|video)",
    ),
    "qti-end-attempt-interaction": (f"{ANSWERED} title!:text count-attempt:flag", ""),
    # HTML
    **dict.fromkeys(
        (
            "abbr", "acronym", "address", "b", "big", "cite", "code", "dfn", "em", "h1", "h2", "h3", "h4", "h5", "h6", "i",
            "kbd", "p", "pre", "samp", "small", "span", "strong", "sub", "sup", "tt", "var", "dt",
        ),
        (f"{PRESENTED} {EXTRA}", "~INLINE*"),
    ),
    "q": (f"{PRESENTED} {EXTRA} cite:uri", "~INLINE*"),
    "blockquote": (f"{PRESENTED} {EXTRA} cite:uri", "~HTML*"),
    "bdi": (f"{PRESENTED} {EXTRA}", "~HTML*"),
    "bdo": (f"{PRESENTED} {EXTRA}", "~PHRASES*"),
    **dict.fromkeys(("dd", "li", "caption", "figcaption"), (f"{PRESENTED} {EXTRA}", "~FLOW*")),
    "div": (f"{PRESENTED} {EXTRA}", "~(FLOW|qti-position-object-stage)*"),
    "figure": (f"{PRESENTED} {EXTRA}", "~(HTML|figcaption)*"),
    **dict.fromkeys(("ol", "ul"), (f"{PRESENTED} {EXTRA}", "li*")),
    "dl": (f"{PRESENTED} {EXTRA}", "(dt|dd)*"),
    **dict.fromkeys(("br", "hr"), (f"{PRESENTED} {EXTRA}", "")),
    "table": (f"{PRESENTED} {EXTRA} summary:text", "caption? col* colgroup* thead? tfoot? tbody* tr*"),
    **dict.fromkeys(("thead", "tbody", "tfoot"), (f"{PRESENTED} {EXTRA}", "tr+")),
    "tr": (f"{PRESENTED} {EXTRA}", "(td|th)+"),
    **dict.fromkeys(
        ("td", "th"),
        (
            f"{PRESENTED} {EXTRA} headers:names scope:col|colgroup|row|rowgroup abbr:text axis:text rowspan:integer "
            "colspan:integer",
            "~FLOW*",
        ),
    ),
    "col": (f"{PRESENTED} {EXTRA} span:integer", ""),
    "colgroup": (f"{PRESENTED} {EXTRA} span:integer", "col*"),
    "img": (f"src!:uri alt!:text width:length height:length {PRESENTED} {EXTRA}", ""),
    "object": (f"data!:text type!:mime width:length height:length {PRESENTED}", "~(HTML|math)*"),
    "audio": (f"src:uri controls:flag {PRESENTED} {EXTRA}", "~source*"),
    "video": (f"src:uri controls:flag width:count height:count {PRESENTED} {EXTRA}", "~source*"),
    "source": (f"src:uri type:mime {PRESENTED}", ""),
    "ruby": (f"{PRESENTED} {EXTRA}", "~(PHRASING|rb|rt|rp)*"),
    **dict.fromkeys(("rb", "rt", "rp"), (f"{PRESENTED} {EXTRA}", "~PHRASING*")),
    # the manifest
    "manifest": ("identifier!:id", "metadata organizations resources"),
    "manifest/metadata": ("", "schema schemaversion lom?"),
    "schema": ("", "=QTI Package"),
    "schemaversion": ("", "=3.0.0"),
    "organizations": ("", ""),
    "resources": ("", "resource*"),
    "resource": (
        "identifier!:id type!:imsqti_item_xmlv3p0|imsqti_test_xmlv3p0|webcontent href:uri",
        "metadata? file+ dependency*",
    ),
    "resource/metadata": ("", "lom?"),
    "file": ("href!:uri", ""),
    "dependency": ("identifierref!:idref", ""),
    "lom": ("", "general?"),
    "general": ("", "keyword*"),
    "keyword": ("", "string*"),
    "string": ("language:language", "="),
}  # fmt: skip
LOM_NAMES = frozenset(("lom", "general", "keyword", "string"))
MATH_NAMES = (
    "math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle mpadded mphantom menclose mfenced msub msup msubsup munder "
    "mover munderover mmultiscripts mprescripts none mtable mtr mtd mlabeledtr merror semantics"
)


def _attributes(words: str) -> tuple[dict[str, re.Pattern[str]], dict[str, str], set[str], bool]:
    patterns, kinds, required, free = {}, {}, set(), False
    for word in words.split():
        if word == "data-*":
            free = True
            continue
        name, _, kind = word.rpartition(":")
        if name.endswith("!"):
            name = name.removesuffix("!")
            required.add(name)
        if name not in kinds:
            kinds[name] = kind
            patterns[name] = re.compile(KINDS.get(kind, kind))
    return patterns, kinds, required, free


def _content(model: str) -> re.Pattern[str]:
    def one(found: re.Match[str]) -> str:
        names = GROUPS.get(found[0], found[0]).split()
        return "(?:" + "|".join(f"<{name}>" for name in names) + ")"

    return re.compile(re.sub(r"[A-Za-z][\w-]*", one, model.removeprefix("~")).replace(" ", ""))


_ATTRIBUTES = {element: _attributes(words) for element, (words, _) in TABLE.items()}
_CONTENT = {element: _content(model) for element, (_, model) in TABLE.items() if not model.startswith("=")}


def faults(root: etree._Element) -> list[str]:
    """What in an item or a manifest is not as the table says, one sentence each."""
    return list(_faults(root))


def _faults(root: etree._Element) -> Iterator[str]:
    if _name(root) not in ("qti-assessment-item", "manifest"):
        yield f"the root is {root.tag}"
        return
    ids: list[str] = []
    references: list[str] = []
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if not isinstance(element.tag, str):
            yield "a comment or a processing instruction"
            continue
        namespace, name = etree.QName(element).namespace, _name(element)
        if namespace == MATHML:
            if name not in MATH_NAMES.split():
                yield f"{name} is not MathML"
            waiting += list(element)
            continue
        wanted = PACKAGE if _name(root) == "manifest" else QTI
        if namespace != (LOM if name in LOM_NAMES else wanted):
            yield f"{name} is of the namespace {namespace}"
        parent = element.getparent()
        key = f"{_name(parent)}/{name}" if parent is not None else name
        key = key if key in TABLE else name
        if key not in TABLE:
            yield f"{name} (in {'nothing' if parent is None else _name(parent)}) is not known"
            continue
        yield from _attribute_faults(element, key, ids, references)
        yield from _content_faults(element, key)
        waiting += list(element)
    for identifier in sorted({i for i in ids if ids.count(i) > 1}):
        yield f"the identifier {identifier} is there twice"
    for reference in sorted(set(references) - set(ids)):
        yield f"the reference {reference} names nothing"


def _attribute_faults(
    element: etree._Element, key: str, ids: list[str], references: list[str]
) -> Iterator[str]:
    patterns, kinds, required, free = _ATTRIBUTES[key]
    given = {name.replace(XML, "xml:"): value for name, value in element.attrib.items()}
    given.pop(f"{XSI}schemaLocation", None)
    for name in sorted(required - set(given)):
        yield f"{key} has no {name}"
    for name, value in given.items():
        if name not in patterns:
            if not (free and re.fullmatch(r"data-[a-z0-9-]+", name)):
                yield f"{key} has an attribute {name}"
            continue
        if not patterns[name].fullmatch(value):
            yield f"{key} {name} is {value!r}, which is no {kinds[name]}"
        if kinds[name] == "id":
            ids.append(value)
        if kinds[name] == "idref":
            references.append(value)


def _content_faults(element: etree._Element, key: str) -> Iterator[str]:
    model = TABLE[key][1]
    children = [child for child in element if isinstance(child.tag, str)]
    if model.startswith("="):
        text = element.text or ""
        if children or (model != "=" and text != model[1:]):
            yield f"{key} holds {text!r} and {len(children)} elements"
        return
    sequence = "".join(f"<{_name(child)}>" for child in children)
    if not _CONTENT[key].fullmatch(sequence):
        yield f"{key} holds {sequence or 'nothing'}"
    texts = [element.text, *(child.tail for child in element)]
    if not model.startswith("~") and any(text and text.strip() for text in texts):
        yield f"{key} holds text: {next(t for t in texts if t and t.strip()).strip()[:40]!r}"


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
