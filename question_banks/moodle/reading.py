"""Reading Moodle XML (https://docs.moodle.org/en/Moodle_XML_format and the core question types' import code's fields)."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from fractions import Fraction
from html import escape
from typing import Any

from lxml import etree

from question_banks import kinds
from question_banks.declarations import Answer, Choice, Interaction, ResponseDeclaration, Rule
from question_banks.intake import Build, Notes, collect, slug
from question_banks.kinds import Gap, Option
from question_banks.limits import Limits
from question_banks.markup import NO_TEXT, Text, normal, plain_text
from question_banks.model import Bank, Item, Metadata, marks_of
from question_banks.moodle import calculated, cloze
from question_banks.moodle.fractions import share
from question_banks.moodle.labels import metadata_of, topic_of
from question_banks.problems import BankError, ItemError, ProblemLog, declare
from question_banks.sources import child, children, content, parse_xml
from question_banks.values import exact, show

declare(
    {
        "not-moodle-xml": "The XML is not a Moodle quiz; its root is {root}.",
        "moodle-kind-unknown": "Questions of the type {kind} cannot be read.",
        "moodle-field": "{field} is {value}, which cannot be read.",
        "feedback-lost": "The feedback shown during attempts was left out ({which}).",
        "hints-lost": "Hints and penalties for further tries were left out: an examination has one try.",
        "unit-penalty-lost": "Partial credit for a missing or wrong unit was left out.",
        "essay-attachments": "Attached files are not possible in a timed paper and were left out.",
        "ordering-grading": "The grading {kind} of the ordering was replaced by the share of right places.",
        "ordering-selection": "Showing only some of the entries was replaced by showing all.",
        "moodle-no-answers": "The question has no answers.",
        "moodle-gap-choice": "The gap {gap} refers to an answer that is not there.",
        "base64-broken": "The file {name} inside the question is damaged.",
    }
)

_PLUGIN = "@@PLUGINFILE@@"


def read_moodle(data: bytes, file: str, log: ProblemLog, limits: Limits, language: str = "vi") -> Bank:
    """The questions of a Moodle quiz, categories as topics."""
    root = parse_xml(data, file, limits)
    if etree.QName(root).localname != "quiz":
        raise BankError("not-moodle-xml", file=file, root=str(etree.QName(root).localname))
    items, media = collect(_entries(root), log, limits, language)
    languages = list(
        dict.fromkeys(name for item in items for _, text in item.texts() for name in text.languages)
    )
    return Bank("moodle", NO_TEXT, tuple(languages or [language]), "", items, media)


def _entries(root: etree._Element) -> Iterator[tuple[str, str, Build]]:
    topic = ""
    for element in children(root, "question"):
        kind = element.get("type", "")
        if kind == "category":
            topic = topic_of(content(child(element, "category")))
            continue
        where = f"line {element.sourceline}"
        name = " ".join(content(child(element, "name")).split())
        yield name[:200] or kind, where, _builder(element, kind, topic)


def _builder(element: etree._Element, kind: str, topic: str) -> Build:
    def build(notes: Notes) -> Item:
        reader = READERS.get(kind)
        if reader is None:
            raise ItemError("moodle-kind-unknown", kind=kind or "?")
        size = sum(len(text) for text in element.itertext())
        if size > notes.limits.text_size // 2:
            raise ItemError("text-too-long", most=notes.limits.text_size // 2)
        question = Question(element, topic, notes)
        return reader(question)

    return build


class Question:
    """One <question> and what all kinds have in common."""

    def __init__(self, element: etree._Element, topic: str, notes: Notes) -> None:
        self.element = element
        self.notes = notes
        self.topic = topic
        self.name = " ".join(content(child(element, "name")).split())
        number = normal(content(child(element, "idnumber"))).strip()
        self.id = slug(number, 200) or slug(self.name)

    def string(self, name: str, default: str = "") -> str:
        found = child(self.element, name)
        return content(found).strip() if found is not None else default

    def flag(self, name: str, default: bool) -> bool:
        value = self.string(name).lower()
        return default if value == "" else value in ("1", "true", "yes")

    def whole(self, name: str) -> int | None:
        value = self.string(name)
        if not value:
            return None
        if not re.fullmatch(r"\d{1,7}", value):
            raise ItemError("moodle-field", field=name, value=value)
        return int(value)

    def text(self, name: str) -> Text:
        return self.formatted(child(self.element, name))

    def formatted(self, element: etree._Element | None, default: str = "") -> Text:
        """The text of an element with its format and files."""
        if element is None:
            return NO_TEXT
        self.files(element)
        source = content(child(element, "text"))
        if not source.strip():
            return NO_TEXT
        form = element.get("format") or default or self.form
        if form == "markdown":
            return self.notes.markdown(source)
        if form == "plain_text":
            return self.notes.plain(source)
        if form == "moodle_auto_format" and "<p" not in source and "<br" not in source:
            source = source.strip().replace("\n", "<br />")
        return self.notes.html(source)

    @property
    def form(self) -> str:
        question = child(self.element, "questiontext")
        return (question.get("format") if question is not None else None) or "html"

    def files(self, element: etree._Element) -> None:
        for file in children(element, "file"):
            name = file.get("name") or "file"
            path = (file.get("path") or "/").strip("/")
            try:
                data = base64.b64decode("".join(content(file).split()), validate=True)
            except (binascii.Error, ValueError):
                raise ItemError("base64-broken", name=name) from None
            address = "/".join(part for part in (_PLUGIN, path, name) if part)
            key = self.notes.medium(address, name, data)
            self.notes.names[address.replace(" ", "%20")] = key

    def common(self) -> dict[str, Any]:
        """Marks, explanation and metadata; notes what one-try examinations do not have."""
        try:
            marks = marks_of(exact(self.string("defaultgrade", "1")))
        except ValueError:
            raise ItemError("moodle-field", field="defaultgrade", value=self.string("defaultgrade")) from None
        for which in ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback"):
            words = content(child(self.element, which)).strip()
            if words and not _standard_feedback(words):
                self.notes.lose("feedback-lost", which=which)
        if any(content(hint).strip() for hint in children(self.element, "hint")):
            self.notes.lose("hints-lost")
        return {"marks": marks, "explanation": self.text("generalfeedback"), "metadata": self.metadata()}

    def metadata(self) -> Metadata:
        found = child(self.element, "tags")
        tags = [content(tag) for tag in children(found, "tag")] if found is not None else []
        title = NO_TEXT if self.name == self.id else self.notes.plain(self.name)
        return metadata_of(tags, self.topic, title)

    def answers(self) -> list[etree._Element]:
        return list(children(self.element, "answer"))

    def credit(self, answer: etree._Element) -> Fraction:
        inner = child(answer, "fraction")
        return share(answer.get("fraction") or (content(inner).strip() if inner is not None else "0") or "0")

    def why(self, answer: etree._Element) -> Text:
        return self.formatted(child(answer, "feedback"))


_STANDARD = re.compile(
    r"(your answer is (partially )?(correct|incorrect)|(in)?correct|.{0,3}(đúng|sai).{0,30})\.?",
    re.IGNORECASE,
)


def _standard_feedback(words: str) -> bool:
    """Whether a combined feedback only says right or wrong, which is no loss."""
    return bool(_STANDARD.fullmatch(plain_text(words).strip()))


def _multichoice(q: Question) -> Item:
    answers = q.answers()
    if len(answers) < 2:
        raise ItemError("choices-too-few")
    if len(answers) > q.notes.limits.choices:
        raise ItemError("too-many", field="answers", number=len(answers), most=q.notes.limits.choices)
    options = [
        Option(Choice(letter, q.formatted(answer), why=q.why(answer)), q.credit(answer))
        for letter, answer in zip(kinds.letters(len(answers)), answers, strict=True)
    ]
    common, body, shuffle = q.common(), q.text("questiontext"), q.flag("shuffleanswers", True)
    if q.flag("single", True):
        return kinds.single(q.id, body, options, shuffle=shuffle, **common)
    if not any(option.correct for option in options):
        raise ItemError("key-missing")
    return kinds.multiple(
        q.id, body, options, scoring=kinds.option_scoring(options), shuffle=shuffle, **common
    )


def _truefalse(q: Question) -> Item:
    by_name = {plain_text(content(child(a, "text"))).strip().lower(): a for a in q.answers()}
    true, false = by_name.get("true"), by_name.get("false")
    if true is None or false is None:
        raise ItemError("moodle-no-answers")
    why = (q.why(true), q.why(false))
    return kinds.true_false(
        q.id, q.text("questiontext"), q.credit(true) >= q.credit(false), why=why, **q.common()
    )


def _shortanswer(q: Question) -> Item:
    answers = []
    for element in q.answers():
        value = normal(content(child(element, "text"))).strip()
        if value:
            wild = "*" in value.replace("\\*", "")
            value = value if wild else value.replace("\\*", "*")
            answers.append(Answer(value, q.credit(element), wildcard=wild, feedback=q.why(element)))
    if not answers:
        raise ItemError("moodle-no-answers")
    return kinds.text(q.id, q.text("questiontext"), answers, case=q.flag("usecase", False), **q.common())


def _number(field: str, value: str) -> Fraction:
    try:
        return exact(value.replace(",", ".") or "0")
    except ValueError:
        raise ItemError("moodle-field", field=field, value=value) from None


def _numerical(q: Question) -> Item:
    answers = []
    for element in q.answers():
        value = content(child(element, "text")).strip()
        tolerance = _number("tolerance", content(child(element, "tolerance")).strip())
        common = {"credit": q.credit(element), "feedback": q.why(element)}
        if value == "*":
            answers.append(Answer("*", wildcard=True, **common))  # type: ignore[arg-type]
        else:
            answers.append(Answer(show(_number("answer", value)), tolerance=abs(tolerance), **common))  # type: ignore[arg-type]
    if not answers:
        raise ItemError("moodle-no-answers")
    units, required = units_of(q)
    unit = NO_TEXT
    if units and not required and q.string("showunits") == "3":
        unit, units = q.notes.plain(units[0][0]), ()
    return kinds.numeric(
        q.id, q.text("questiontext"), answers, unit=unit, units=units, unit_required=required, **q.common()
    )


def units_of(q: Question) -> tuple[tuple[tuple[str, Fraction], ...], bool]:
    """Accepted units with their factors (an answer in a unit counts its number divided by Moodle's multiplier)."""
    found = child(q.element, "units")
    units = []
    for unit in children(found, "unit") if found is not None else ():
        name = normal(content(child(unit, "unit_name"))).strip()
        multiplier = _number("multiplier", content(child(unit, "multiplier")).strip() or "1")
        if name and multiplier:
            units.append((name, 1 / multiplier))
    grading = q.string("unitgradingtype", "0") or "0"
    if grading != "0" and units and _number("unitpenalty", q.string("unitpenalty", "0")) != 1:
        q.notes.lose("unit-penalty-lost")
    return tuple(dict(units).items()), grading != "0" and bool(units)


def _matching(q: Question) -> Item:
    left: list[Choice] = []
    right: dict[str, Choice] = {}
    pairs = []
    for element in children(q.element, "subquestion"):
        answer = " ".join(normal(content(child(element, "answer"))).split())
        text = q.formatted(element)
        if not answer:
            continue
        side = right.setdefault(
            answer,
            Choice(
                str(len(right) + 1),
                q.notes.plain(answer) if "multilang" not in answer else q.notes.html(answer),
            ),
        )
        if text:
            left.append(Choice(f"L{len(left) + 1}", text))
            pairs.append(f"{left[-1].id} {side.id}")
    if not pairs:
        raise ItemError("moodle-no-answers")
    return kinds.match(
        q.id, q.text("questiontext"), left, list(right.values()), pairs, scoring="per-part",
        shuffle=q.flag("shuffleanswers", True), **q.common(),
    )  # fmt: skip


def _essay(q: Question) -> Item:
    if (q.whole("attachments") or 0) or q.string("responseformat") == "noinline":
        if q.string("responseformat") == "noinline":
            raise ItemError("essay-attachments")
        q.notes.lose("essay-attachments")
    return kinds.essay(
        q.id, q.text("questiontext"), words=(q.whole("minwordlimit") or None, q.whole("maxwordlimit") or None),
        guide=q.text("graderinfo"), lines=q.whole("responsefieldlines") or 0, **q.common(),
    )  # fmt: skip


def _description(q: Question) -> Item:
    common = q.common()
    common.pop("marks")
    return kinds.description(q.id, q.text("questiontext"), **common)


def _ordering(q: Question) -> Item:
    def place(pair: tuple[int, etree._Element]) -> tuple[Fraction, int]:
        value = pair[1].get("fraction") or "0"
        return (_number("fraction", value), pair[0])

    answers = [element for _, element in sorted(enumerate(q.answers()), key=place)]
    if len(answers) < 2:
        raise ItemError("choices-too-few")
    choices = [
        Choice(letter, q.formatted(a)) for letter, a in zip(kinds.letters(len(answers)), answers, strict=True)
    ]
    grading = (q.string("gradingtype") or "ABSOLUTE_POSITION").upper()
    whole = grading in ("ALL_OR_NOTHING", "-1")
    if not whole and grading not in ("ABSOLUTE_POSITION", "0"):
        q.notes.lose("ordering-grading", kind=grading)
    if (q.string("selecttype") or "ALL").upper() not in ("ALL", "0"):
        q.notes.lose("ordering-selection")
    return kinds.order(
        q.id, q.text("questiontext"), choices, scoring="all-or-nothing" if whole else "per-part", **q.common()
    )


_BRACKETS = re.compile(r"\[\[(\d{1,3})(?:[^\]\d][^\]]{0,20})?\]\]")


def _gapped(q: Question) -> tuple[Text, list[tuple[str, int]]]:
    """The text with [[1]] made [[g1]], and for each gap in order which answer is right in it."""
    element = child(q.element, "questiontext")
    if element is None:
        raise ItemError("field-missing", field="questiontext")
    gaps: list[tuple[str, int]] = []
    changed = content(child(element, "text"))

    def name(found: re.Match[str]) -> str:
        gaps.append((f"g{len(gaps) + 1}", int(found[1])))
        return f"[[{gaps[-1][0]}]]"

    changed = _BRACKETS.sub(name, changed)
    copy = deepcopy(element)
    inner = child(copy, "text")
    if inner is not None:
        inner.text = changed
        for extra in list(inner):
            inner.remove(extra)
    return q.formatted(copy), gaps


def _gapselect(q: Question) -> Item:
    body, places = _gapped(q)
    choices = [
        (normal(content(child(element, "text"))).strip(), content(child(element, "group")).strip() or "1")
        for element in children(q.element, "selectoption")
    ]
    gaps = []
    for name, number in places:
        if not 1 <= number <= len(choices):
            raise ItemError("moodle-gap-choice", gap=str(number))
        group = choices[number - 1][1]
        members = [(n, text) for n, (text, other) in enumerate(choices, 1) if other == group]
        if len(members) < 2:
            raise ItemError("choices-too-few", where=name)
        options = tuple(
            Option(
                Choice(f"c{n}", q.notes.html(escape(text) if "<" not in text else text)),
                Fraction(n == number),
            )
            for n, text in members
        )
        gaps.append(Gap(name, "choice", options, shuffle=q.flag("shuffleanswers", False)))
    if not gaps:
        raise ItemError("answers-missing")
    return kinds.gap(q.id, body, gaps, scoring="per-part", **q.common())


def _ddwtos(q: Question) -> Item:
    """Words to drag into a text: a gap match whose words and gaps belong together by group."""
    body, places = _gapped(q)
    boxes = list(children(q.element, "dragbox"))
    right: dict[int, str] = {}
    choices = []
    for number, box in enumerate(boxes, 1):
        group = content(child(box, "group")).strip() or "1"
        text = normal(content(child(box, "text"))).strip()
        endless = child(box, "infinite") is not None
        choices.append(
            Choice(
                f"w{number}",
                q.notes.html(text if "<" in text else escape(text)),
                match_max=0 if endless else 1,
                group=(f"group{group}",),
            )
        )
        right[number] = group
    targets, pairs = [], []
    for name, number in places:
        if number not in right:
            raise ItemError("moodle-gap-choice", gap=str(number))
        targets.append(Choice(name, group=(f"group{right[number]}",)))
        pairs.append(f"w{number} {name}")
    if not pairs:
        raise ItemError("answers-missing")
    interaction = Interaction(
        "gap-match", kinds.RESPONSE, body, tuple(choices), tuple(targets), q.flag("shuffleanswers", True), 0
    )
    return Item(
        q.id, "composite", NO_TEXT, (interaction,),
        (ResponseDeclaration(kinds.RESPONSE, "directedPair", "multiple", tuple(pairs)),),
        (Rule(kinds.RESPONSE, "per-part"),), **q.common(),
    )  # fmt: skip


def _cloze(q: Question) -> Item:
    element = child(q.element, "questiontext")
    if element is None:
        raise ItemError("field-missing", field="questiontext")
    source = content(child(element, "text"))
    text, gaps = cloze.take_apart(source, q.notes)
    copy = deepcopy(element)
    inner = child(copy, "text")
    if inner is not None:
        inner.text = text
        for extra in list(inner):
            inner.remove(extra)
    common = q.common()
    if not q.string("defaultgrade"):
        common["marks"] = marks_of(sum((gap.weight for gap in gaps), Fraction(0)))
    return cloze.item(q.id, q.formatted(copy), gaps, common)


def _calculated(q: Question) -> Item:
    common, body = q.common(), q.text("questiontext")
    answers = [(content(child(a, "text")), q.credit(a), a) for a in q.answers()]
    if not answers:
        raise ItemError("moodle-no-answers")
    return calculated.numeric_item(q.element, q.id, body, answers, units_of(q), common, q.notes)


def _calculatedmulti(q: Question) -> Item:
    return calculated.choice_item(q.element, _multichoice(q), q.notes)


READERS: dict[str, Callable[[Question], Item]] = {
    "multichoice": _multichoice,
    "truefalse": _truefalse,
    "shortanswer": _shortanswer,
    "numerical": _numerical,
    "matching": _matching,
    "match": _matching,
    "essay": _essay,
    "description": _description,
    "cloze": _cloze,
    "multianswer": _cloze,
    "ddwtos": _ddwtos,
    "gapselect": _gapselect,
    "ordering": _ordering,
    "calculated": _calculated,
    "calculatedsimple": _calculated,
    "calculatedmulti": _calculatedmulti,
}
