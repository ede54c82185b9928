"""Moodle's embedded answers ("Cloze"): {2:MULTICHOICE:=right#feedback~%50%half~wrong} inside a text."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from html import escape, unescape
from typing import Any

from question_banks import kinds
from question_banks.declarations import Answer, Choice
from question_banks.intake import Notes
from question_banks.kinds import Gap, Option
from question_banks.markup import NO_TEXT, Text, plain_text
from question_banks.model import Item
from question_banks.moodle.fractions import percent, share
from question_banks.problems import ItemError, declare
from question_banks.values import exact, show

declare(
    {
        "cloze-none": "The text has no embedded answers such as {{1:SHORTANSWER:=Hanoi}}.",
        "cloze-open": "The embedded answer that begins with {text} is not closed.",
        "cloze-answers": "The embedded answer {text} has no right answer.",
        "cloze-number": "The embedded numerical answer {text} is not a number.",
    }
)

_TYPES = {
    "SHORTANSWER": "text", "SA": "text", "MW": "text", "SHORTANSWER_C": "text", "SAC": "text", "MWC": "text",
    "NUMERICAL": "numeric", "NM": "numeric",
    "MULTICHOICE": "choice", "MC": "choice", "MULTICHOICE_V": "choice", "MCV": "choice", "MULTICHOICE_H": "choice",
    "MCH": "choice", "MULTICHOICE_S": "choice", "MCS": "choice", "MULTICHOICE_VS": "choice", "MCVS": "choice",
    "MULTICHOICE_HS": "choice", "MCHS": "choice",
    "MULTIRESPONSE": "multiple", "MR": "multiple", "MULTIRESPONSE_H": "multiple", "MRH": "multiple",
    "MULTIRESPONSE_S": "multiple", "MRS": "multiple", "MULTIRESPONSE_HS": "multiple", "MRHS": "multiple",
}  # fmt: skip
_CASED = frozenset(("SHORTANSWER_C", "SAC", "MWC"))
_SHUFFLED = frozenset(
    name for name in _TYPES if name.endswith("S") and _TYPES[name] in ("choice", "multiple")
)
_OPEN = re.compile(r"\{(\d{0,6}):([A-Z_]{2,20}):")
_ENTRY = re.compile(r"(?:=|%(-?\d{1,3}(?:\.\d{1,9})?)%)?")


@dataclass(frozen=True)
class Place:
    """One embedded answer; `several`: any number of its options may be chosen."""

    gap: Gap
    several: bool = False

    @property
    def weight(self) -> Fraction:
        return self.gap.weight


def take_apart(source: str, notes: Notes) -> tuple[str, list[Place]]:
    """The text with [[g1]] … in place of the embedded answers, and these."""
    pieces: list[str] = []
    places: list[Place] = []
    at = 0
    while found := _OPEN.search(source, at):
        if found[2] not in _TYPES:
            pieces.append(source[at : found.end()])
            at = found.end()
            continue
        end = _closing(source, found.end())
        if end < 0:
            raise ItemError("cloze-open", text=source[found.start() : found.start() + 40])
        name = f"g{len(places) + 1}"
        if len(places) >= notes.limits.interactions:
            raise ItemError("too-many", field="gaps", number=len(places) + 1, most=notes.limits.interactions)
        places.append(_place(name, int(found[1] or 1), found[2], source[found.end() : end], notes))
        pieces += [source[at : found.start()], f"[[{name}]]"]
        at = end + 1
    pieces.append(source[at:])
    if not places:
        raise ItemError("cloze-none")
    return "".join(pieces), places


def _closing(source: str, at: int) -> int:
    """Where the unescaped } is, -1 for nowhere."""
    while at < len(source):
        if source[at] == "\\":
            at += 1
        elif source[at] == "}":
            return at
        at += 1
    return -1


def _split(text: str, mark: str, most: int = -1) -> list[str]:
    """Parts between unescaped marks."""
    parts: list[str] = []
    start = at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == mark and (most < 0 or len(parts) < most):
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def _unescape(text: str) -> str:
    return re.sub(r"\\([~=#}{\\\"/:])", r"\1", text)


def _place(name: str, weight: int, type: str, inner: str, notes: Notes) -> Place:
    kind = _TYPES[type]
    options: list[Option] = []
    answers: list[Answer] = []
    for entry in _split(inner, "~"):
        body, *feedback = _split(entry, "#", 1)
        body = body.strip()
        head = _ENTRY.match(body)
        assert head is not None
        credit = Fraction(1) if body.startswith("=") else share(head[1]) if head[1] else Fraction(0)
        raw = _unescape(body[head.end() :]).strip()
        why = notes.html(_unescape(feedback[0])) if feedback and feedback[0].strip() else NO_TEXT
        if kind in ("choice", "multiple"):
            options.append(Option(Choice(f"c{len(options) + 1}", notes.html(raw), why=why), credit))
        elif kind == "numeric":
            answers.append(_number(raw, credit, why))
        elif plain := unescape(plain_text(raw)):
            wild = "*" in plain.replace("\\*", "")
            answers.append(
                Answer(plain if wild else plain.replace("\\*", "*"), credit, wildcard=wild, feedback=why)
            )
    if len(options) > notes.limits.choices or len(answers) > notes.limits.choices:
        raise ItemError("too-many", field=name, number=len(options) + len(answers), most=notes.limits.choices)
    right = [o.credit for o in options] + [a.credit for a in answers]
    if not any(credit > 0 for credit in right):
        raise ItemError("cloze-answers", text=inner[:40])
    if kind in ("choice", "multiple") and len(options) < 2:
        raise ItemError("choices-too-few", where=name)
    gap = Gap(
        name, "choice" if kind == "multiple" else kind, tuple(options), tuple(answers), case=type in _CASED,
        shuffle=type in _SHUFFLED, weight=Fraction(weight),
    )  # fmt: skip
    return Place(gap, kind == "multiple")


def _number(raw: str, credit: Fraction, why: Text) -> Answer:
    value, _, tolerance = unescape(plain_text(raw)).partition(":")
    if value.strip() == "*":
        return Answer("*", credit, wildcard=True, feedback=why)
    try:
        margin = abs(exact(tolerance.replace(",", ".") or "0"))
        return Answer(show(exact(value.replace(",", "."))), credit, margin, feedback=why)
    except ValueError:
        raise ItemError("cloze-number", text=raw[:40]) from None


def item(id: str, body: Text, places: list[Place], common: dict[str, Any]) -> Item:
    """A gap item, marked per part; a general one when some place takes several choices."""
    result = kinds.gap(id, body, [place.gap for place in places], scoring="per-part", **common)
    if not any(place.several for place in places):
        return result
    interactions, responses, rules = list(result.interactions), list(result.responses), list(result.rules)
    for n, place in enumerate(places):
        if place.several:
            several = kinds.multiple(
                "", NO_TEXT, place.gap.options, scoring="credits", shuffle=place.gap.shuffle
            )
            interactions[n] = replace(several.interactions[0], response=place.gap.id)
            responses[n] = replace(several.responses[0], id=place.gap.id)
            rules[n] = replace(several.rules[0], response=place.gap.id, weight=place.weight)
    return result.replaced(
        kind="composite", interactions=tuple(interactions), responses=tuple(responses), rules=tuple(rules)
    )


_HOSTILE = re.compile(r"([~=#}\\])")


def _escape(text: str) -> str:
    return _HOSTILE.sub(r"\\\1", text)


def write(gap: Gap, language: str, weight: int) -> str:
    """A gap as an embedded answer; options and feedback as HTML."""
    if gap.kind == "choice":
        type = "MULTICHOICE_S" if gap.shuffle else "MULTICHOICE"
        entries = [(o.credit, _escape(o.choice.text.inline(language)), o.choice.why) for o in gap.options]
    elif gap.kind == "numeric":
        type = "NUMERICAL"
        entries = [
            (a.credit, f"{a.value}:{show(a.tolerance)}" if not a.wildcard else "*", a.feedback)
            for a in gap.answers
        ]
    else:
        type = "SHORTANSWER_C" if gap.case else "SHORTANSWER"
        entries = [
            (
                a.credit,
                _escape(escape(a.value if a.wildcard else a.value.replace("*", "\\*"), quote=False)),
                a.feedback,
            )
            for a in gap.answers
        ]
    parts = []
    for credit, text, feedback in entries:
        mark = "=" if credit == 1 else f"%{percent(credit)}%" if credit else ""
        note = f"#{_escape(feedback.inline(language))}" if feedback else ""
        parts.append(f"{mark}{text}{note}")
    return "{" + f"{weight}:{type}:" + "~".join(parts) + "}"
