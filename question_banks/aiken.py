"""Aiken: a question on a line, choices "A. …" or "A) …", then "ANSWER: A". Single choice only."""

import re
from collections.abc import Iterator

from question_banks import kinds, losses
from question_banks.declarations import Choice
from question_banks.intake import Build, Notes, collect
from question_banks.kinds import ONE, ZERO, Option
from question_banks.limits import LIMITS, Limits
from question_banks.markup import NO_TEXT
from question_banks.model import Bank, Item
from question_banks.problems import ItemError, ProblemLog, declare
from question_banks.sources import decode

declare(
    {
        "aiken-letter": "The choices are not lettered A, B, C … in this order; {letter} is out of place.",
        "aiken-answer": "ANSWER names {letter}, which is no choice of the question.",
        "aiken-no-answer": "The question has no line ANSWER.",
        "aiken-no-choices": 'The question has no choices such as "A. …".',
        "aiken-lines": "A text with several lines cannot be written in Aiken.",
    }
)

_CHOICE = re.compile(r"\s*([A-Z])[.)]\s+(.+)")
_ANSWER = re.compile(r"\s*ANSWER\s*:\s*(\S*)\s*\Z")


def read_aiken(data: bytes, file: str, log: ProblemLog, limits: Limits, language: str = "vi") -> Bank:
    """The questions of an Aiken text; they have no names and are numbered."""
    lines = decode(data, file, limits).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    items, media = collect(_entries(lines), log, limits, language)
    return Bank("aiken", NO_TEXT, (language,), "", items, media)


def _entries(lines: list[str]) -> Iterator[tuple[str, str, Build]]:
    block: list[str] = []
    start = count = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        start = start or number
        block.append(line)
        if _ANSWER.match(line):
            count += 1
            yield f"q{count:04d}", f"line {start}", _builder(f"q{count:04d}", block)
            block, start = [], 0
    if block:
        count += 1
        yield f"q{count:04d}", f"line {start}", _builder(f"q{count:04d}", block)


def _builder(name: str, block: list[str]) -> Build:
    def build(notes: Notes) -> Item:
        answer = _ANSWER.match(block[-1])
        if not answer:
            raise ItemError("aiken-no-answer")
        question: list[str] = []
        choices: list[Choice] = []
        for line in block[:-1]:
            found = _CHOICE.match(line)
            if not found or (not choices and not question):
                if choices:
                    raise ItemError("aiken-letter", letter=line.strip()[:20])
                question.append(line.strip())
                continue
            if found[1] != chr(65 + len(choices)):
                raise ItemError("aiken-letter", letter=found[1])
            choices.append(Choice(found[1], notes.plain(found[2].strip())))
        if len(choices) < 2:
            raise ItemError("aiken-no-choices")
        if answer[1] not in [choice.id for choice in choices]:
            raise ItemError("aiken-answer", letter=answer[1] or "nothing")
        options = [Option(choice, ONE if choice.id == answer[1] else ZERO) for choice in choices]
        return kinds.single(name, notes.plain("\n".join(question)), options)

    return build


def write_aiken(bank: Bank, log: ProblemLog, language: str = "") -> bytes:
    """The single-choice items in one language; everything else is refused item by item."""
    blocks, written = [], []
    for item in bank.items:
        try:
            block = _block(item, language or bank.languages[0])
            if len(read_aiken(block.encode(), "", ProblemLog(), LIMITS, language).items) != 1:
                raise ItemError("aiken-lines")
            blocks.append(block)
            written.append(item.id)
        except ItemError as error:
            log.refusal(item.id, "", error)
    data = ("\n\n".join(blocks) + "\n").encode()
    if written:
        losses.report(
            bank,
            written,
            lambda found: read_aiken(data, "", found, LIMITS, language or bank.languages[0]),
            log,
        )
    return data


def _block(item: Item, language: str) -> str:
    if item.kind != "single" or kinds.rebuilt(item) is None or item.template_processing is not None:
        raise ItemError("export-kind", kind=item.kind)
    options = kinds.options(item)
    right = [n for n, option in enumerate(options) if option.credit == 1]
    if len(options) > 26 or len(right) != 1 or item.rules[0].method != "all-or-nothing":
        raise ItemError("export-kind", kind=item.kind)
    texts = [item.body.plain(language)] + [option.choice.text.plain(language) for option in options]
    if not all(texts) or _CHOICE.match(texts[0]) or _ANSWER.match(texts[0]):
        raise ItemError("aiken-lines")
    lines = [texts[0]] + [f"{chr(65 + n)}. {text}" for n, text in enumerate(texts[1:])]
    return "\n".join([*lines, f"ANSWER: {chr(65 + right[0])}"])
