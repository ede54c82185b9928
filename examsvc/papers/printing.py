"""Printed papers and marking guides: clean HTML of questions becomes data that the typst documents set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

from examsvc.base import documents, language
from examsvc.papers.models import Form, MediaFile
from examsvc.papers.paper_lint import Question
from examsvc.papers.preview import Place, key, preview
from examsvc.papers.rules import PartClause

Node = dict[str, Any]
_BLOCKS = {"p", "ul", "ol", "li", "table", "tr", "td", "th", "pre", "blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6"}
_INLINE = {"strong": "b", "b": "b", "em": "i", "i": "i", "sub": "sub", "sup": "sup", "code": "code", "u": "u"}
_IGNORED = {"thead", "tbody", "tfoot", "colgroup", "caption", "figure", "figcaption", "a", "math", "semantics"}


class _Tree(HTMLParser):
    """Clean HTML as nested nodes: {"t": kind, "c": [children]} or {"t": "text", "v": …}."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root: Node = {"t": "root", "c": []}
        self._open: list[tuple[str, Node]] = [("root", self.root)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        here = self._open[-1][1]["c"]
        if tag == "br":
            here.append({"t": "br"})
        elif tag == "img":
            here.append({"t": "img", "src": values.get("src") or "", "alt": values.get("alt") or ""})
        elif tag == "span" and values.get("class") == "place":
            node: Node = {"t": "place", "c": []}
            here.append(node)
            self._open.append((tag, node))
        elif tag in _BLOCKS or tag in _INLINE:
            node = {"t": _INLINE.get(tag, "p" if tag in ("div", "blockquote") else tag), "c": []}
            if tag in ("td", "th"):
                node["right"] = "right" in (values.get("style") or values.get("align") or values.get("class") or "")
            here.append(node)
            self._open.append((tag, node))

    def handle_endtag(self, tag: str) -> None:
        if any(name == tag for name, _ in self._open[1:]):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if data.strip() or (data and self._open[-1][0] not in ("root", "ul", "ol", "table", "tr")):
            self._open[-1][1]["c"].append({"t": "text", "v": data})


def nodes(html: str) -> list[Node]:
    """The nodes of clean HTML; tables as rows of cells."""
    tree = _Tree()
    tree.feed(html)
    tree.close()
    found: list[Node] = tree.root["c"]
    return [_tables(one) for one in found]


def _tables(node: Node) -> Node:
    if node["t"] == "table":
        rows = [row for row in node["c"] if row["t"] == "tr"]
        cells = [[cell for cell in row["c"] if cell["t"] in ("td", "th")] for row in rows]
        width = max((len(row) for row in cells), default=0)
        return {
            "t": "table",
            "width": max(width, 1),
            "rows": [
                [{"head": cell["t"] == "th", "right": cell.get("right", False), "c": [_tables(one) for one in cell["c"]]} for cell in row]
                + [{"head": False, "right": False, "c": []}] * (width - len(row))
                for row in cells
            ],
        }
    if "c" in node:
        return {**node, "c": [_tables(one) for one in node["c"]]}
    return node


def _place(one: Place) -> Node:
    return {
        "kind": one.kind,
        "number": one.number,
        "prompt": nodes(one.prompt),
        "mark": one.mark,
        "choices": [nodes(choice) for choice in one.choices],
        "targets": [nodes(choice) for choice in one.targets],
        "picture": {"src": one.picture["src"], "alt": one.picture["alt"]} if one.picture else None,
        "unit": nodes(one.unit),
        "words": dict(one.words),
    }


def paper_data(
    questions: Sequence[Question], tongue: str, *, instructions: Sequence[str], media: Mapping[str, MediaFile], large: bool
) -> dict[str, Any]:
    """What the document "paper" sets: numbered questions with their marks, pictures as bytes, the end mark."""
    return {
        "large": large,
        "instructions": list(instructions),
        "questions": [
            {
                "number": one.number,
                "marks": language.number(one.marks, tongue),
                "prompt": nodes((shown := preview(one.item, tongue, "")).prompt),
                "places": [_place(place) for place in shown.places],
            }
            for one in questions
        ],
        "pictures": {
            digest: {"bytes": list(found.data), "format": found.type.rpartition("/")[2].replace("jpeg", "jpg").replace("svg+xml", "svg")}
            for digest, found in media.items()
            if found.type in ("image/png", "image/jpeg", "image/gif", "image/svg+xml", "image/webp")
        },
    }


def paper_pdf(
    form: Form,
    part: PartClause,
    questions: Sequence[Question],
    tongue: str,
    *,
    media: Mapping[str, MediaFile],
    institution: str,
    moment: datetime,
    large: bool = False,
    draft: bool = False,
) -> bytes:
    """The paper to be printed: page numbers, marks of each question, the end mark.  ``large`` sets it for weak eyes."""
    label = language.in_language(part.label.model_dump(), tongue)
    vi = tongue == "vi"
    instructions = [
        (f"Mã đề: {form.code}" if vi else f"Paper: {form.code}"),
        (f"Thời gian làm bài: {part.minutes} phút" if vi else f"Working time: {part.minutes} minutes"),
        (
            f"Đề có {len(questions)} câu, tổng {language.number(part.maximum, tongue)} điểm"
            if vi
            else f"{len(questions)} questions, {language.number(part.maximum, tongue)} marks in all"
        ),
    ]
    if draft:
        instructions.append("BẢN NHÁP – chưa được duyệt" if vi else "DRAFT – not approved")
    data = paper_data(questions, tongue, instructions=instructions, media=media, large=large)
    title = f"{'Đề thi' if vi else 'Examination paper'}: {label}"
    return documents.pdf(
        "papers", "paper", data, title=title, language=tongue, institution=institution, moment=moment, letterhead="plain"
    )


def guide_pdf(
    form: Form, part: PartClause, questions: Sequence[Question], tongue: str, *, institution: str, moment: datetime
) -> bytes:
    """Key and marking guide, question by question: for those who may see the key."""
    label = language.in_language(part.label.model_dump(), tongue)
    vi = tongue == "vi"
    data = {
        "code": form.code,
        "questions": [
            {
                "number": one.number,
                "marks": language.number(one.marks, tongue),
                "name": one.item.id,
                "key": key(one.item, tongue),
                "explanation": nodes(one.item.explanation.html(tongue)) if one.item.explanation else [],
                "guide": nodes(one.item.guide.html(tongue)) if one.item.guide else [],
                "criteria": [
                    {
                        "title": criterion.title.plain(tongue),
                        "marks": language.number(criterion.marks, tongue),
                        "levels": [
                            {"marks": language.number(level.marks, tongue), "text": level.text.plain(tongue)}
                            for level in criterion.levels
                        ],
                    }
                    for criterion in one.item.rubric
                ],
            }
            for one in questions
        ],
    }
    title = f"{'Đáp án và hướng dẫn chấm' if vi else 'Key and marking guide'}: {label}"
    return documents.pdf(
        "papers", "guide", data, title=title, language=tongue, institution=institution, moment=moment, letterhead="plain"
    )
