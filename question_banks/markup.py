"""Text of items: Markdown or HTML in several languages, and the HTML that may reach a candidate.

HTML is cleaned by an allow-list with MathML in it. What is taken away that a candidate would miss (pictures from
elsewhere, objects, scripts) can be asked for with `losses`. Markdown is CommonMark with tables, raw HTML shown as text.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape

import nh3
from markdown_it import MarkdownIt

MATHML = frozenset(
    [
        "math",
        "mrow",
        "mi",
        "mn",
        "mo",
        "ms",
        "mtext",
        "mspace",
        "mfrac",
        "msqrt",
        "mroot",
        "mstyle",
        "mpadded",
        "mphantom",
        "menclose",
        "mfenced",
        "msub",
        "msup",
        "msubsup",
        "munder",
        "mover",
        "munderover",
        "mmultiscripts",
        "mprescripts",
        "none",
        "mtable",
        "mtr",
        "mtd",
        "mlabeledtr",
        "merror",
        "semantics",
    ]
)
TAGS = MATHML | frozenset(
    [
        "p",
        "br",
        "hr",
        "div",
        "span",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "pre",
        "code",
        "kbd",
        "samp",
        "var",
        "em",
        "strong",
        "b",
        "i",
        "u",
        "s",
        "sub",
        "sup",
        "small",
        "mark",
        "q",
        "cite",
        "abbr",
        "dfn",
        "del",
        "ins",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "caption",
        "colgroup",
        "col",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "img",
        "figure",
        "figcaption",
        "ruby",
        "rb",
        "rt",
        "rp",
        "bdi",
        "bdo",
        "audio",
        "video",
        "source",
    ]
)
DROPPED_WITH_CONTENT = frozenset(["script", "style", "title", "template", "annotation", "annotation-xml"])
ATTRIBUTES: dict[str, set[str]] = {
    "*": {"lang", "dir", "title"},
    "img": {"src", "alt", "width", "height"},
    "audio": {"src", "controls"},
    "video": {"src", "controls", "width", "height"},
    "source": {"src", "type"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "scope", "abbr", "headers"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type", "reversed"},
    "li": {"value"},
    "math": {"display", "alttext"},
    "mo": {
        "stretchy",
        "fence",
        "separator",
        "form",
        "lspace",
        "rspace",
        "accent",
        "largeop",
        "movablelimits",
    },
    "mi": {"mathvariant"},
    "mn": {"mathvariant"},
    "mtext": {"mathvariant"},
    "mfrac": {"linethickness", "bevelled"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "munderover": {"accent", "accentunder"},
    "mspace": {"width", "height", "depth"},
    "mtd": {"columnspan", "rowspan", "columnalign"},
    "mtable": {"columnalign", "rowalign", "columnlines", "rowlines", "frame"},
    "menclose": {"notation"},
    "mfenced": {"open", "close", "separators"},
    "mstyle": {"displaystyle", "scriptlevel"},
}
MEDIA = re.compile(r"media/[0-9a-f]{64}\Z")
PLACEHOLDER = re.compile(r"\[\[(\w[\w.-]*)\]\]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")


def normal(text: str) -> str:
    """NFC, newlines as \\n, no control characters and no byte order marks: done once, where text enters."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


@dataclass(frozen=True)
class Text:
    """One text in one or several languages, each value in the same `form`: "markdown" or "html".

    Order of the languages does not matter to equality of content but is kept. Falsy when there is no text at all.
    """

    values: tuple[tuple[str, str], ...] = ()
    form: str = "markdown"

    @staticmethod
    def of(values: Mapping[str, str] | None = None, form: str = "markdown", /, **languages: str) -> "Text":
        pairs = {**(values or {}), **languages}
        kept = tuple((language, normal(value)) for language, value in pairs.items() if value.strip())
        return Text(kept, form if kept else "markdown")

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(language for language, _ in self.values)

    def source(self, language: str = "") -> str:
        """The source in `language`; where it is missing, in the first language there is; else ""."""
        for name, value in self.values:
            if name == language:
                return value
        return self.values[0][1] if self.values else ""

    def html(self, language: str = "") -> str:
        """Cleaned HTML blocks."""
        source = self.source(language)
        return render_markdown(source) if self.form == "markdown" else clean(source)

    def inline(self, language: str = "") -> str:
        """Cleaned HTML without the paragraph around a text that is one paragraph: for choices and labels."""
        return unwrap(self.html(language))

    def plain(self, language: str = "") -> str:
        """Words only, on one line."""
        return plain_text(self.html(language))

    def map(self, change: Callable[[str], str]) -> "Text":
        return Text.of({language: change(value) for language, value in self.values}, self.form)

    def only(self, language: str) -> "Text":
        """The text in one language (or in its first, where that one is missing), filed under `language`."""
        return Text.of({language: self.source(language)}, self.form) if self.values else Text()

    def canonical(self) -> object:
        """What the digest is taken over."""
        return {"form": self.form, "values": dict(self.values)} if self.values else None


NO_TEXT = Text()


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name in ("src", "data", "poster"):
        return value if MEDIA.match(value) else None
    if len(value) > 1000:
        return None
    return value


_MD = MarkdownIt("commonmark", {"html": False, "maxNesting": 40}).enable("table")
_CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags=set(DROPPED_WITH_CONTENT),
    attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
    attribute_filter=_attribute,
    url_schemes=set(),
    link_rel=None,
)


@lru_cache(maxsize=2048)
def clean(html: str) -> str:
    """HTML by allow-list: MathML and media/<digest> stay; links lose their target, everything active goes."""
    return _CLEANER.clean(html)


@lru_cache(maxsize=2048)
def render_markdown(source: str) -> str:
    """Cleaned HTML; the empty corner of a table with heads on two sides is a cell, since it is the head of nothing."""
    return _EMPTY_HEAD.sub("<td></td>", clean(_MD.render(source))).strip()


_EMPTY_HEAD = re.compile(r"<th[^<>]*>\s*</th>")
_PARAGRAPH = re.compile(r"\s*<p>((?:(?!</?p\b|</?div\b).)*)</p>\s*\Z", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_BLOCK_END = re.compile(r"</(?:p|div|li|tr|h[1-6]|td|th|dt|dd|blockquote|pre|caption)>|<br ?/?>|<hr ?/?>")
_ACTIVE = re.compile(
    r"<\s*(script|style|iframe|object|embed|form|input|button|select|textarea|link|meta|base|svg|applet|frame|canvas)\b",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"""<\s*(?:img|audio|video|source|track)\b[^<>]*?\s(?:src|poster)\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", re.I
)
_LINK = re.compile(r"<\s*a\b[^<>]*\shref\b", re.IGNORECASE)


def unwrap(html: str) -> str:
    found = _PARAGRAPH.match(html)
    return found[1] if found else html


def plain_text(html: str) -> str:
    return " ".join(unescape(_TAG.sub("", _BLOCK_END.sub(" ", html))).split())


def sources(html: str) -> list[str]:
    """Where the pictures, sounds and films of raw HTML come from."""
    return [unescape(value.strip("\"'")).strip() for value in _SOURCE.findall(html)]


def active(html: str) -> list[str]:
    """Names of elements in raw HTML that cleaning takes away although they showed or did something."""
    return sorted({name.lower() for name in _ACTIVE.findall(html)})


def links(html: str) -> bool:
    return bool(_LINK.search(html))


_SPECIAL = re.compile(r"([\\`*\[]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|&(?=#?\w+;)|!(?=\[)|~(?=~))")
_LINE_START = re.compile(r"^([-+=]|[#>]|\d{1,9}(?=[.)]))", re.MULTILINE)


def markdown_of_plain(text: str) -> str:
    """Markdown that shows `text` letter by letter; placeholders of interactions stay placeholders."""
    lines = [" ".join(line.split()) for line in text.strip().split("\n")]
    joined = "\n".join(lines)
    pieces = []
    last = 0
    for found in PLACEHOLDER.finditer(joined):
        pieces += [_SPECIAL.sub(r"\\\1", joined[last : found.start()]), found[0]]
        last = found.end()
    pieces.append(_SPECIAL.sub(r"\\\1", joined[last:]))
    escaped = _LINE_START.sub(_escape_start, "".join(pieces))
    if "\n" in escaped:
        escaped = re.sub(r"\n\n+", "\n\n", escaped.replace("|", "\\|"))
        escaped = re.sub(r"(?<!\n)\n(?!\n)", "\\\\\n", escaped)
    return escaped


def _escape_start(found: re.Match[str]) -> str:
    return f"{found[1]}\\" if found[1][0].isdigit() else f"\\{found[1]}"


def html_of_plain(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>")


def placeholders(texts: Iterable[str]) -> list[str]:
    return [name for text in texts for name in PLACEHOLDER.findall(text)]
