"""HTML of other systems as Markdown where that shows the same, so that people can go on writing it.

The result is rendered and compared; a text that Markdown cannot show exactly stays HTML.
"""

import re
from functools import lru_cache
from html import unescape

from lxml import etree
from lxml import html as lxml_html

from question_banks.markup import clean, markdown_of_plain, render_markdown

_ENTITY_ONLY = re.compile(r"[^<]*\Z")
_PARAGRAPHS = re.compile(r"(?:\s*<p>([^<]*)</p>)+\s*\Z")
_PARAGRAPH = re.compile(r"<p>([^<]*)</p>")
_BETWEEN = re.compile(r">\s+<")
_SAME = {"b": "strong", "i": "em", "del": "s", "strike": "s"}


def markdown_of_html(html: str) -> str | None:
    """Markdown that renders to the same HTML, or None. `html` is cleaned first."""
    html = html.strip()
    if "[[show " in html or "[[hide " in html:
        return None  # conditional stretches of a template stay as they are
    if _ENTITY_ONLY.match(html):
        return markdown_of_plain(" ".join(unescape(html).split()))
    if _PARAGRAPHS.match(html):
        paragraphs = [" ".join(unescape(text).split()) for text in _PARAGRAPH.findall(html)]
        return "\n\n".join(markdown_of_plain(text) for text in paragraphs if text)
    return _converted(clean(html))


@lru_cache(maxsize=2048)
def _converted(html: str) -> str | None:
    try:
        root = lxml_html.fragment_fromstring(html, create_parent="div")
    except (etree.ParserError, ValueError, AssertionError):
        return None
    try:
        source = _blocks(root).strip("\n")
    except (_NotMarkdownError, RecursionError):
        return None
    return source if comparable(render_markdown(source)) == comparable(html) else None


def comparable(html: str) -> str:
    """HTML for comparison: what Markdown writes differently without showing differently is made the same."""
    for name, other in _SAME.items():
        html = re.sub(rf"<(/?){name}>", rf"<\1{other}>", html)
    html = re.sub(r"\s+", " ", re.sub(r"</?(?:thead|tbody)>", "", html))
    if "<p>" not in html and not re.match(r"\s*<(ul|ol|table|blockquote|h\d|pre|hr|div)\b", html):
        html = f"<p>{html.strip()}</p>"
    html = _BETWEEN.sub("><", html.replace("<br> ", "<br>"))
    return re.sub(r"\s*(</?(?:p|li|td|th|ul|ol|blockquote|h\d|tr|table)>)\s*", r"\1", html).strip()


class _NotMarkdownError(Exception):
    pass


_HEADINGS = {f"h{n}": "#" * n for n in range(1, 7)}
_BLOCKS = frozenset(("p", "div", "ul", "ol", "blockquote", "table", "pre", "hr", *_HEADINGS))


def _blocks(element: etree._Element) -> str:
    """The content of a block element as Markdown blocks."""
    parts: list[str] = []
    run = _plain(element.text)
    for child in element:
        if child.tag in _BLOCKS:
            if run.strip():
                parts.append(run.strip())
            parts.append(_block(child))
            run = _plain(child.tail)
        else:
            run += _inline(child) + _plain(child.tail)
    if run.strip():
        parts.append(run.strip())
    return "\n\n".join(part for part in parts if part)


def _block(element: etree._Element) -> str:
    if element.attrib:
        raise _NotMarkdownError
    tag = element.tag
    if tag in ("p", "div"):
        if any(child.tag in _BLOCKS for child in element):
            return _blocks(element)
        return _content(element).strip()
    if tag in _HEADINGS:
        return f"{_HEADINGS[tag]} {_content(element).strip()}"
    if tag in ("ul", "ol"):
        items = []
        for number, child in enumerate(element, 1):
            if child.tag != "li" or child.attrib:
                raise _NotMarkdownError
            mark = "- " if tag == "ul" else f"{number}. "
            inner = _blocks(child).split("\n")
            items.append(mark + ("\n" + " " * len(mark)).join(inner))
        return "\n".join(items).replace("\n" + " " * 2 + "\n", "\n\n")
    if tag == "blockquote":
        return "\n".join(f"> {line}".rstrip() for line in _blocks(element).split("\n"))
    if tag == "table":
        return _table(element)
    if tag == "hr":
        return "***"
    raise _NotMarkdownError


def _table(table: etree._Element) -> str:
    rows = list(table.iter("tr"))
    if not rows or any(cell.attrib for row in rows for cell in row):
        raise _NotMarkdownError
    lines = []
    for row in rows:
        lines.append("| " + " | ".join(_content(cell).strip().replace("|", "\\|") for cell in row) + " |")
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def _content(element: etree._Element) -> str:
    return _plain(element.text) + "".join(_inline(child) + _plain(child.tail) for child in element)


def _inline(element: etree._Element) -> str:
    tag = element.tag
    if tag == "br":
        return "\\\n"
    if tag == "img" and set(element.attrib) <= {"src", "alt"}:
        alt = markdown_of_plain(element.get("alt") or "").replace("]", "\\]")
        return f"![{alt}]({element.get('src') or ''})"
    if element.attrib or not isinstance(tag, str):
        raise _NotMarkdownError
    inner = _content(element)
    marks = {"strong": "**", "b": "**", "em": "*", "i": "*"}
    if tag in marks and inner and inner == inner.strip():
        return f"{marks[tag]}{inner}{marks[tag]}"
    if tag == "code" and len(element) == 0 and "`" not in inner and "\\" not in inner:
        return f"`{inner}`"
    raise _NotMarkdownError


def _plain(text: str | None) -> str:
    """Text between tags: escaped, its outer spaces kept as one."""
    if not text:
        return ""
    inner = markdown_of_plain(" ".join(text.split()))
    if not inner:
        return " "
    return (" " if text[0].isspace() else "") + inner + (" " if text[-1].isspace() else "")
