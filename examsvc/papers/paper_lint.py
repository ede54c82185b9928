"""What is wrong with an assembled paper, before anybody approves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from examsvc.base.errors import N_
from examsvc.competitions.terms import write_exact
from examsvc.papers import bank_words, rules
from examsvc.papers.rules import Finding, PartClause
from question_banks import Bank, Item, count_words
from question_banks.duplicates import duplicates
from question_banks.linting import item_media, lint_item

WORDS_PER_MINUTE = 200
"""Silent reading of a demanding text: 238 words a minute for English prose (Brysbaert 2019, Journal of Memory and Language
109), a little less for exam questions; Vietnamese is counted in syllables, of which more are read."""
READING_SHARE = Fraction(1, 2)
"""Reading alone should leave half of the time for thinking and answering."""
SKEWED = Fraction(1, 2)
FEWEST_FOR_SKEW = 8
"""The key stands at one place in more than half of the single-choice questions; said only of eight or more."""


@dataclass(frozen=True)
class Question:
    """The n-th question of a form: the item, its marks here, and whether a second person has reviewed it."""

    number: int
    item: Item
    marks: str
    retired: bool = False
    used_before: str = ""


def reading_words(item: Item) -> int:
    """Words of everything a candidate sees of an item, in the longest of its languages."""
    languages = {language for _, text in item.texts() for language in text.languages}
    return max(
        (sum(count_words(text.plain(language)) for _, text in item.texts() if text) for language in languages), default=0
    )


def findings(
    questions: Sequence[Question],
    part: PartClause,
    languages: Collection[str],
    *,
    media: Collection[str] = (),
    other: Sequence[Question] = (),
) -> list[Finding]:
    """Everything that a paper's makers and approvers should know, errors first.

    ``media`` are the keys ("media/…") of the files that are kept; ``other`` are the questions of the other paper (the spare of a
    main one).  Errors block the approval.
    """
    found = rules.sum_findings([one.marks for one in questions], part)
    for one in questions:
        found += _question(one, part, languages, media)
    found += _unreviewed(questions)
    found += _together(questions, other)
    found += _time(questions, part)
    if part.kind == "objective" and not part.shuffle_options:
        found += _key_places(questions)
    rank = {"error": 0, "warning": 1, "advice": 2}
    return sorted(found, key=lambda one: (rank[one.severity], one.slots))


def _question(one: Question, part: PartClause, languages: Collection[str], media: Collection[str]) -> list[Finding]:
    item, at = one.item, {"number": one.number}
    found: list[Finding] = []

    def say(severity: rules.Severity, sentence: str, **params: object) -> None:
        found.append(Finding(severity, sentence, {**at, **params}, (one.number,)))

    lacking = [language for language in languages if language not in item.languages]
    if lacking:
        say("error", N_("Question %(number)d is not complete in every language: %(languages)s is missing."), languages=", ".join(lacking))
    if part.kind == "objective" and item.by_person:
        say("error", N_("Question %(number)d must be marked by a person, but this part is marked by the machine."))
    if part.kind == "essay" and not item.by_person:
        say("error", N_("Question %(number)d is marked by the machine, but this part is marked by people."))
    if item.kind == "description":
        say("error", N_("Question %(number)d is a text without a question."))
    if item.template_processing is not None:
        say("error", N_("Question %(number)d draws its numbers anew each time; candidates would not get the same paper."))
    if any(interaction.kind == "upload" for interaction in item.interactions):
        say("error", N_("Question %(number)d asks for a file to be uploaded, which is not possible in a timed paper."))
    if item.by_person and not item.rubric:
        say("error", N_("Question %(number)d has no rubric: markers would have nothing to mark by."))
    if item.by_person and not item.guide:
        say("error", N_("Question %(number)d has no marking guide."))
    absent = [name for name in item_media(item) if name not in media]
    if absent:
        say("error", N_("A picture of question %(number)d is not kept in the bank."))
    if one.retired:
        say("error", N_("Question %(number)d was retired."))
    if one.used_before:
        say("warning", N_("Question %(number)d was already used in %(competition)s."), competition=one.used_before)
    bank = Bank(languages=tuple(languages), items=(item,), media=dict.fromkeys(media, None))  # type: ignore[arg-type]
    for problem in lint_item(item, bank):
        if problem.code == "lint-enemy-unknown":
            continue  # of the bank as a whole; enemies inside the paper are looked at below
        if problem.weight == "error" and not lacking and not absent:
            say("error", N_("Question %(number)d: %(problem)s"), problem=bank_words.both(problem))
        elif problem.weight == "warning":
            say("warning", N_("Question %(number)d: %(problem)s"), problem=bank_words.both(problem))
    return found


def _unreviewed(questions: Sequence[Question]) -> list[Finding]:
    numbers = tuple(one.number for one in questions if one.item.metadata.status == "draft" and not one.retired)
    if not numbers:
        return []
    listed = ", ".join(str(number) for number in numbers)
    return [Finding("warning", N_("No second person has reviewed these questions: %(numbers)s."), {"numbers": listed}, numbers)]


def _together(questions: Sequence[Question], other: Sequence[Question]) -> list[Finding]:
    found = []
    places = {one.item.id: one.number for one in questions}
    enemies = {
        tuple(sorted((one.number, places[enemy])))
        for one in questions
        for enemy in one.item.metadata.enemies
        if places.get(enemy, one.number) != one.number
    }
    for first, second in sorted(enemies):
        found.append(
            Finding(
                "error",
                N_("Questions %(first)d and %(second)d must not stand in one paper: one gives away the other."),
                {"first": first, "second": second},
                (first, second),
            )
        )
    numbers = {f"{one.number}": one.number for one in questions}
    near = duplicates([one.item.replaced(id=str(one.number)) for one in questions], [one.item.replaced(id=f"*{one.number}") for one in other])
    for like in near:
        if like.within:
            first, second = sorted((numbers[like.item], numbers[like.other]))
            found.append(
                Finding(
                    "error" if like.same else "warning",
                    N_("Questions %(first)d and %(second)d are the same or nearly so."),
                    {"first": first, "second": second},
                    (first, second),
                )
            )
        else:
            found.append(
                Finding(
                    "error" if like.same else "warning",
                    N_("Question %(number)d is the same, or nearly so, as question %(other)s of the other paper."),
                    {"number": numbers[like.item], "other": like.other.removeprefix("*")},
                    (numbers[like.item],),
                )
            )
    return found


def _time(questions: Sequence[Question], part: PartClause) -> list[Finding]:
    found: list[Finding] = []
    if part.minutes is None:
        return found
    words = sum(reading_words(one.item) for one in questions)
    reading = Fraction(words, WORDS_PER_MINUTE)
    if reading > part.minutes * READING_SHARE:
        found.append(
            Finding(
                "warning",
                N_(
                    "There are %(words)d words to read, about %(reading)d of the %(minutes)d minutes: little time is left to think."
                ),
                {"words": words, "reading": round(reading), "minutes": part.minutes},
            )
        )
    known = [one.item.metadata.minutes for one in questions]
    expected = sum((Fraction(minutes) for minutes in known if minutes is not None), Fraction(0))
    if expected > part.minutes:
        found.append(
            Finding(
                "warning",
                N_("The questions are expected to take %(expected)s minutes; the part has %(minutes)d."),
                {"expected": write_exact(expected), "minutes": part.minutes},
            )
        )
    return found


def _key_places(questions: Sequence[Question]) -> list[Finding]:
    """Where the options keep their order, the key should not always stand at the same place."""
    places = Counter(place for one in questions if (place := key_place(one.item)) is not None)
    total = sum(places.values())
    if total < FEWEST_FOR_SKEW:
        return []
    place, times = places.most_common(1)[0]
    if Fraction(times, total) <= SKEWED:
        return []
    return [
        Finding(
            "warning",
            N_("In %(times)d of %(total)d questions the right answer is option %(place)s: it can be guessed."),
            {"times": times, "total": total, "place": "ABCDEFGHIJ"[place] if place < 10 else place + 1},
        )
    ]


def key_place(item: Item) -> int | None:
    """Place (from 0) of the right option of a single-choice question; None for other kinds."""
    if item.kind != "single" or len(item.interactions) != 1:
        return None
    interaction = item.interactions[0]
    for place, choice in enumerate(interaction.choices):
        if item.mark({interaction.response: choice.id}).score == item.max_score:
            return place
    return None


def blocking(found: Sequence[Finding]) -> list[Finding]:
    return [one for one in found if one.severity == "error"]


def summary(questions: Sequence[Question], cells: Sequence[rules.Cell]) -> Mapping[str, object]:
    """What stands beside a blueprint: questions, marks, words to read and, where all are known, expected minutes."""
    minutes = [one.item.metadata.minutes for one in questions]
    return {
        "items": len(questions),
        "items_asked": rules.total_items(cells),
        "marks": write_exact(sum((Fraction(one.marks) for one in questions), Fraction(0))),
        "marks_asked": write_exact(rules.total_marks(cells)),
        "words": sum(reading_words(one.item) for one in questions),
        "minutes": write_exact(sum((Fraction(m) for m in minutes if m is not None), Fraction(0)))
        if minutes and None not in minutes
        else None,
        "kinds": dict(sorted(Counter(one.item.kind for one in questions).items())),
        "topics": dict(sorted(Counter(one.item.metadata.topic for one in questions).items())),
        "levels": dict(sorted(Counter(one.item.metadata.level for one in questions).items())),
    }
