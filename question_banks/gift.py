"""GIFT (https://docs.moodle.org/en/GIFT_format): plain text that teachers type.

Questions are apart by blank lines. What a question is follows from its answers: {T}, {=a ~b}, {=a =b}, {=a -> b},
{#3:2}, {}, or none. A backslash takes the meaning from ~ = # { } and :.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from question_banks import kinds, losses
from question_banks.declarations import Answer, Choice
from question_banks.intake import Build, Notes, collect, slug
from question_banks.kinds import Option
from question_banks.limits import LIMITS, Limits
from question_banks.markup import NO_TEXT, Text, normal
from question_banks.model import Bank, Item
from question_banks.moodle.fractions import percent, share
from question_banks.moodle.labels import metadata_of, path_of, tags_of, topic_of
from question_banks.moodle.writing import multilang
from question_banks.problems import ItemError, ProblemLog, declare
from question_banks.sources import decode
from question_banks.values import exact, show

declare(
    {
        "gift-open": "The answers are not closed with a brace }}.",
        "gift-closed": "There is a closing brace }} without an opening one.",
        "gift-title": "The title that begins with :: is not closed with ::.",
        "gift-several": "There is more than one pair of braces in the question.",
        "gift-answer": "The answer {text} begins neither with = nor with ~.",
        "gift-mixed": "Some answers are pairs (->) and others are not.",
        "gift-number": "The number {text} cannot be read.",
        "gift-weight": "The weight in {text} is not a percentage.",
        "gift-pair": "The pair {text} lacks one side.",
        "gift-match-several": "A left side with several or no partners cannot be written in GIFT.",
    }
)

_FORMAT = re.compile(r"\s*\[(html|moodle|plain|markdown)\]")
_ID = re.compile(r"\[id:([^\]]{1,200})\]")
_TAG = re.compile(r"\[tag:([^\]]{1,200})\]")
_WEIGHT = re.compile(r"\s*%\s*(-?\d{1,3}(?:\.\d{1,9})?)\s*%")


def read_gift(data: bytes, file: str, log: ProblemLog, limits: Limits, language: str = "vi") -> Bank:
    """The questions of a GIFT text; $CATEGORY lines become topics."""
    text = decode(data, file, limits).replace("\r\n", "\n").replace("\r", "\n")
    items, media = collect(_entries(text, limits), log, limits, language)
    languages = list(
        dict.fromkeys(name for item in items for _, text in item.texts() for name in text.languages)
    )
    return Bank("gift", NO_TEXT, tuple(languages or [language]), "", items, media)


def _entries(text: str, limits: Limits) -> Iterator[tuple[str, str, Build]]:
    topic = ""
    lines: list[str] = []
    comments: list[str] = []
    start = 0
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if line.strip().startswith("//"):
            comments.append(line)
        elif line.strip().startswith("$CATEGORY:"):
            topic = topic_of(line.partition(":")[2])
        elif line.strip():
            start = start or number
            lines.append(line)
        elif lines:
            source = "\n".join(lines)
            name = _name(source)
            yield name, f"line {start}", _builder(source, "\n".join(comments), topic, limits)
            lines, comments, start = [], [], 0
        elif comments and not any("[id:" in comment or "[tag:" in comment for comment in comments):
            comments = []


def _name(source: str) -> str:
    found = re.match(r"\s*::(.{0,200}?)(?<!\\)::", source, re.DOTALL)
    return _unescape(found[1]).strip() if found else " ".join(source.split())[:40]


def _builder(source: str, comments: str, topic: str, limits: Limits) -> Build:
    def build(notes: Notes) -> Item:
        if len(source) > limits.item_size:
            raise ItemError("text-too-long", most=limits.item_size)
        return _Question(source, comments, topic, notes).item()

    return build


def _find(text: str, marks: str, start: int = 0) -> int:
    """Where the first unescaped of the marks stands, −1 for nowhere."""
    for found in _unescaped(marks).finditer(text, start):
        if found[1]:
            return found.start()
    return -1


@lru_cache(maxsize=32)
def _unescaped(marks: str) -> re.Pattern[str]:
    return re.compile(rf"\\.|([{re.escape(marks)}])", re.DOTALL)


def _unescape(text: str) -> str:
    return re.sub(r"\\([~=#{}:\\n])", lambda found: "\n" if found[1] == "n" else found[1], text)


@dataclass(frozen=True)
class _Entry:
    """One answer: its mark (= or ~), credit where given, text and feedback, still escaped."""

    mark: str
    credit: Fraction | None
    text: str
    feedback: str


class _Question:
    def __init__(self, source: str, comments: str, topic: str, notes: Notes) -> None:
        self.notes = notes
        self.form = "moodle"
        title, rest = self._title(source)
        found = _FORMAT.match(rest)
        if found:
            self.form, rest = found[1], rest[found.end() :]
        opening = _find(rest, "{")
        closing = _find(rest, "}")
        if closing >= 0 and (opening < 0 or closing < opening):
            raise ItemError("gift-closed")
        self.answers: str | None = None
        text, tail = rest, ""
        if opening >= 0:
            if closing < 0:
                raise ItemError("gift-open")
            text, self.answers, tail = rest[:opening], rest[opening + 1 : closing], rest[closing + 1 :]
            if _find(tail, "{}") >= 0:
                raise ItemError("gift-several")
        if tail.strip():
            text = (
                f"{text.rstrip()} \\_\\_\\_\\_\\_ {tail.lstrip()}"
                if self.form == "markdown"
                else f"{text.rstrip()} _____ {tail.lstrip()}"
            )
        self.explanation = NO_TEXT
        if self.answers is not None and (at := _general(self.answers)) >= 0:
            self.explanation = self.text(self.answers[at + 4 :])
            self.answers = self.answers[:at]
        self.body = self.text(text)
        named = _ID.search(comments)
        plain_title = " ".join(_unescape(title).split())
        self.id = slug(named[1], 200) if named else slug(plain_title) or slug(self.body.plain()[:40])
        shown = self.notes.plain(plain_title) if plain_title and plain_title != self.id else NO_TEXT
        self.metadata = metadata_of(_TAG.findall(comments), topic, shown)

    def _title(self, source: str) -> tuple[str, str]:
        source = source.strip()
        if not source.startswith("::"):
            return "", source
        end = source.find("::", 2)
        while end > 0 and source[end - 1] == "\\":
            end = source.find("::", end + 1)
        if end < 0:
            raise ItemError("gift-title")
        return source[2:end], source[end + 2 :]

    def text(self, source: str) -> Text:
        form = self.form
        if found := _FORMAT.match(source):
            form, source = found[1], source[found.end() :]
        source = _unescape(source.strip())
        if not source:
            return NO_TEXT
        if form == "markdown":
            return self.notes.markdown(source)
        if form == "plain":
            return self.notes.plain(source)
        if form == "moodle" and "<" not in source:
            return self.notes.plain(source)
        return self.notes.html(source)

    def item(self) -> Item:
        rest: dict[str, Any] = {"explanation": self.explanation, "metadata": self.metadata}
        if not self.body:
            raise ItemError("field-missing", field="the text of the question")
        if self.answers is None:
            return kinds.description(self.id, self.body, **rest)
        answers = self.answers.strip()
        if not answers:
            return kinds.essay(self.id, self.body, **rest)
        head, _, feedback = answers.partition("#")
        if head.strip().upper() in ("T", "TRUE", "F", "FALSE"):
            return self._true_false(head.strip().upper() in ("T", "TRUE"), feedback, rest)
        if answers.startswith("#"):
            return kinds.numeric(self.id, self.body, self._numbers(answers[1:]), **rest)
        return self._listed(self._split(answers), rest)

    def _true_false(self, answer: bool, feedback: str, rest: dict[str, Any]) -> Item:
        wrong, _, right = feedback.partition("#") if _find(feedback, "#") >= 0 else (feedback, "", "")
        texts = (self.text(wrong), self.text(right))
        why = (texts[1], texts[0]) if answer else texts
        return kinds.true_false(self.id, self.body, answer, why=why, **rest)

    def _split(self, source: str) -> list[_Entry]:
        entries: list[_Entry] = []
        at = _find(source, "=~")
        if source[: at if at >= 0 else len(source)].strip():
            raise ItemError("gift-answer", text=source[:40])
        while at >= 0:
            following = _find(source, "=~", at + 1)
            raw = source[at + 1 : following if following >= 0 else len(source)]
            entries.append(_entry(source[at], raw))
            at = following
        if len(entries) > self.notes.limits.choices:
            raise ItemError("too-many", field="answers", number=len(entries), most=self.notes.limits.choices)
        return entries

    def _listed(self, entries: list[_Entry], rest: dict[str, Any]) -> Item:
        arrows = [_arrow(entry.text) >= 0 for entry in entries]
        only_right = all(entry.mark == "=" for entry in entries)
        if only_right and any(arrows):
            if not all(arrows):
                raise ItemError("gift-mixed")
            return self._match(entries, rest)
        if only_right:
            return kinds.text(self.id, self.body, [self._typed(entry) for entry in entries], **rest)
        letters = kinds.letters(len(entries))
        if len(entries) < 2:
            raise ItemError("choices-too-few")
        several = not any(entry.mark == "=" for entry in entries)
        options = [
            Option(Choice(letter, self.text(e.text), why=self.text(e.feedback)), _credit(e))
            for letter, e in zip(letters, entries, strict=True)
        ]
        if several and any(option.correct for option in options):
            return kinds.multiple(self.id, self.body, options, scoring=kinds.option_scoring(options), **rest)
        return kinds.single(self.id, self.body, options, **rest)

    def _typed(self, entry: _Entry) -> Answer:
        raw = normal(entry.text).strip()
        star = _find(raw, "*") >= 0
        plain = _unescape(raw)
        value = plain if star else plain.replace("\\*", "*")
        if not value:
            raise ItemError("gift-answer", text=entry.text)
        return Answer(
            value,
            Fraction(1) if entry.credit is None else entry.credit,
            wildcard=star,
            feedback=self.text(entry.feedback),
        )

    def _match(self, entries: list[_Entry], rest: dict[str, Any]) -> Item:
        left: list[Choice] = []
        right: dict[str, Choice] = {}
        pairs = []
        for entry in entries:
            at = _arrow(entry.text)
            one, other = entry.text[:at].strip(), " ".join(entry.text[at + 2 :].split())
            if not other:
                raise ItemError("gift-pair", text=entry.text)
            side = right.setdefault(other, Choice(str(len(right) + 1), self.text(other)))
            if one:
                left.append(Choice(f"L{len(left) + 1}", self.text(one)))
                pairs.append(f"{left[-1].id} {side.id}")
        if not pairs:
            raise ItemError("gift-pair", text=entries[0].text)
        return kinds.match(self.id, self.body, left, list(right.values()), pairs, scoring="per-part", **rest)

    def _numbers(self, source: str) -> list[Answer]:
        source = source.strip()
        if _find(source, "=~") != 0:
            feedback = _find(source, "#")
            body, why = (source, "") if feedback < 0 else (source[:feedback], source[feedback + 1 :])
            return [self._number(body, Fraction(1), why)]
        result = []
        for entry in self._split(source):
            if entry.mark == "~":
                result.append(Answer("*", Fraction(0), wildcard=True, feedback=self.text(entry.feedback)))
            else:
                result.append(
                    self._number(
                        entry.text, Fraction(1) if entry.credit is None else entry.credit, entry.feedback
                    )
                )
        return result

    def _number(self, source: str, credit: Fraction, feedback: str) -> Answer:
        why = self.text(feedback)
        plain = _unescape(source).strip()
        if plain == "*":
            return Answer("*", credit, wildcard=True, feedback=why)
        try:
            if ".." in plain:
                low, _, high = plain.partition("..")
                return Answer(show(exact(low)), credit, upper=show(exact(high)), feedback=why)
            value, _, margin = plain.partition(":")
            return Answer(show(exact(value)), credit, abs(exact(margin or "0")), feedback=why)
        except ValueError:
            raise ItemError("gift-number", text=plain) from None


def _general(answers: str) -> int:
    """Where "####" begins the general feedback."""
    at = _find(answers, "#")
    while at >= 0:
        if answers[at : at + 4] == "####":
            return at
        at = _find(answers, "#", at + 1)
    return -1


def _arrow(text: str) -> int:
    at = _find(text, "-")
    while at >= 0:
        if text[at : at + 2] == "->":
            return at
        at = _find(text, "-", at + 1)
    return -1


def _entry(mark: str, raw: str) -> _Entry:
    feedback_at = _find(raw, "#")
    body, feedback = (raw, "") if feedback_at < 0 else (raw[:feedback_at], raw[feedback_at + 1 :])
    found = _WEIGHT.match(body)
    if found:
        return _Entry(mark, share(found[1]), body[found.end() :], feedback)
    if body.lstrip().startswith("%"):
        raise ItemError("gift-weight", text=body[:40])
    return _Entry(mark, None, body, feedback)


def _credit(entry: _Entry) -> Fraction:
    if entry.credit is not None:
        return entry.credit
    return Fraction(1) if entry.mark == "=" else Fraction(0)


# Writing


def write_gift(bank: Bank, log: ProblemLog, language: str = "") -> bytes:
    """The bank as GIFT; several languages as multilang spans."""
    blocks: list[str] = []
    written: list[str] = []
    topic = ""
    for item in bank.items:
        try:
            block = _Writer(bank, item, language).block()
        except ItemError as error:
            log.refusal(item.id, "", error)
            continue
        if item.metadata.topic != topic:
            topic = item.metadata.topic
            blocks.append(f"$CATEGORY: {path_of(topic)}")
        blocks.append(block)
        written.append(item.id)
    data = ("\n\n".join(blocks) + "\n").encode()
    if written:
        losses.report(bank, written, lambda found: read_gift(data, "", found, LIMITS, bank.languages[0]), log)
    return data


def _escape(text: str) -> str:
    return re.sub(r"([~=#{}:\\])", r"\\\1", text).replace("\n", "\\n")


class _Writer:
    def __init__(self, bank: Bank, item: Item, language: str) -> None:
        self.bank = bank
        self.item = item
        self.language = language
        texts = [text for _, text in [*item.texts(), *item.hidden_texts()] if text]
        primary = bank.languages[0]
        plain = all(t.form == "markdown" and t.languages == (primary,) for t in texts)
        self.form = "markdown" if plain else "html"

    def block(self) -> str:
        item = self.item
        writers: dict[str, Callable[[], str | None]] = {
            "single": self._choices, "multiple": self._choices, "true-false": self._true_false, "numeric": self._numeric,
            "text": self._typed, "match": self._match, "essay": lambda: "", "description": lambda: None,
        }  # fmt: skip
        if item.kind not in writers or kinds.rebuilt(item) is None or item.template_processing is not None:
            raise ItemError("export-kind", kind=item.kind)
        if _shows_media(item):
            raise ItemError("export-kind", kind="pictures")
        answers = writers[item.kind]()
        tags = "".join(f" [tag:{tag}]" for tag in tags_of(item.metadata) if "]" not in tag)
        head = f"// [id:{item.id}]{tags}\n"
        title = _escape(item.metadata.title.plain(self.language) or item.id)
        body = f"{head}::{title}::[{self.form}]{self.text(item.body)}"
        if answers is None:
            return body
        explanation = f"####{self.text(item.explanation)}" if item.explanation else ""
        return f"{body} {{{answers}{explanation}}}"

    def text(self, text: Text) -> str:
        return _escape(text.source() if self.form == "markdown" else multilang(text).replace("\n", " "))

    def _feedback(self, text: Text) -> str:
        return f"#{self.text(text)}" if text else ""

    def _choices(self) -> str:
        item = self.item
        options = kinds.options(item)
        credits = (
            kinds.even_credits(item) if item.kind == "multiple" else [option.credit for option in options]
        )
        lines = []
        for option, credit in zip(options, credits, strict=True):
            if item.kind == "single" and credit == 1:
                mark = "="
            else:
                mark = "~" + (f"%{percent(credit)}%" if credit else "")
            lines.append(f"\n\t{mark}{self.text(option.choice.text)}{self._feedback(option.choice.why)}")
        return "".join(lines) + "\n"

    def _true_false(self) -> str:
        correct = self.item.responses[0].correct == ("true",)
        choices = {choice.id: choice.why for choice in self.item.interactions[0].choices}
        right, wrong = (choices["true"], choices["false"]) if correct else (choices["false"], choices["true"])
        feedback = f"#{self.text(wrong)}#{self.text(right)}" if right else self._feedback(wrong)
        return ("TRUE" if correct else "FALSE") + feedback

    def _numeric(self) -> str:
        parts = []
        for answer in self.item.rules[0].answers:
            if answer.wildcard:
                value = "*"
            elif answer.upper:
                value = f"{answer.value}..{answer.upper}"
            else:
                margin = (
                    abs(exact(answer.value)) * answer.tolerance / 100 if answer.percent else answer.tolerance
                )
                value = answer.value + (f":{show(margin)}" if margin else "")
            weight = f"%{percent(answer.credit)}%" if answer.credit != 1 else ""
            parts.append(f"={weight}{value}{self._feedback(answer.feedback)}")
        return "#" + " ".join(parts)

    def _typed(self) -> str:
        parts = []
        for answer in self.item.rules[0].answers:
            value = _escape(answer.value) if answer.wildcard else _escape(answer.value).replace("*", "\\*")
            weight = f"%{percent(answer.credit)}%" if answer.credit != 1 else ""
            parts.append(f"={weight}{value}{self._feedback(answer.feedback)}")
        return " ".join(parts)

    def _match(self) -> str:
        interaction = self.item.interactions[0]
        partners: dict[str, str] = dict(pair.split() for pair in self.item.responses[0].correct)
        if len(partners) != len(self.item.responses[0].correct) or set(partners) != {
            c.id for c in interaction.choices
        }:
            raise ItemError("gift-match-several")
        right = {choice.id: self.text(choice.text) for choice in interaction.targets}
        if len(set(right.values())) < len(right) or any("->" in text for text in right.values()):
            raise ItemError("gift-match-several")
        lines = [f"\n\t={self.text(c.text)} -> {right[partners[c.id]]}" for c in interaction.choices]
        if any("->" in line.partition(" -> ")[0] for line in lines):
            raise ItemError("gift-match-several")
        lines += [f"\n\t= -> {text}" for name, text in right.items() if name not in partners.values()]
        return "".join(lines) + "\n"


def _shows_media(item: Item) -> bool:
    """Whether the item shows anything that is not text."""
    return any("media/" in source for _, text in item.texts() for _, source in text.values) or any(
        choice.picture for interaction in item.interactions for choice in interaction.everything()
    )
