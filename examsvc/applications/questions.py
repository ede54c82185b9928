"""What a candidate is asked: only what the pinned regulation needs for its criteria, ties and priority points.

The answers of a file are a mapping from the question's name to a JSON value (a date as YYYY-MM-DD, a number as an exact text, a
level's id).  :func:`asked` derives the questions, :func:`read` checks one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from examsvc.base.errors import N_
from examsvc.competitions.entry_clauses import DateCriterion, LadderCriterion, NumberCriterion
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.terms import read_exact

Kind = Literal["text", "date", "number", "level", "sex", "yes-no", "priority"]
NO_LEVEL = "none"
"""Answer to the level held now of somebody who holds no leadership post."""
EARLIEST_BIRTH = date(1920, 1, 1)


@dataclass(frozen=True)
class Question:
    """One thing asked.  ``because`` names the clauses that need the answer; ``label`` is a sentence of the program, or a
    mapping where it is the regulation's own."""

    name: str
    kind: Kind
    label: str | Mapping[str, str]
    hint: str = ""
    required: bool = True
    because: tuple[str, ...] = ()
    only_if: tuple[str, str] | None = None
    """(question, answer): asked only where that question has that answer."""


class AnswerError(ValueError):
    """An answer that cannot be used; the message is a sentence for the candidate."""


_DATES = {
    "service": ("service_since", N_("In public service since"), N_("The day on which your service began.")),
    "service-in-field": (
        "field_since",
        N_("Working in the field of the post since"),
        N_("The day on which your work in this field began."),
    ),
    "time-in-post": ("post_since", N_("In the present post since"), N_("The day on which the appointment took effect.")),
    "time-to-retirement": (
        "retires_on",
        N_("Day of retirement by law"),
        N_("As personnel of your office computed it from your date of birth."),
    ),
}


def asked(regulation: Regulation, stream: str) -> tuple[Question, ...]:
    """The questions to a candidate of this stream, each once, in the order of the page."""
    because: dict[str, list[str]] = {}
    labels: dict[str, Question] = {}

    def need(question: Question, clause: str) -> None:
        labels.setdefault(question.name, question)
        because.setdefault(question.name, []).append(clause)

    for criterion in applicable(regulation, stream):
        path = f"admission.criteria.{criterion.id}"
        if isinstance(criterion, LadderCriterion):
            need(Question("level", "level", N_("Leadership post held now")), path)
            need(
                Question(
                    "post_since", "date", _DATES["time-in-post"][1], _DATES["time-in-post"][2], only_if=("level", "!none")
                ),
                path,
            )
            if any(rule.holds is None for rule in criterion.rules):
                name, label, hint = _DATES["service-in-field"]
                need(Question(name, "date", label, hint), path)
        elif isinstance(criterion, DateCriterion):
            if criterion.for_sex != "everyone":
                need(_SEX, path)
            if criterion.measure == "time-since-discipline":
                need(_DISCIPLINED, path)
                need(_DISCIPLINED_ON, path)
            elif criterion.measure != "age":
                name, label, hint = _DATES[criterion.measure]
                need(Question(name, "date", label, hint), path)
        elif isinstance(criterion, NumberCriterion):
            need(
                Question(
                    f"number.{criterion.measure}",
                    "number",
                    criterion.label.model_dump(),
                    hint=N_("A number, as in your evidence."),
                ),
                path,
            )
    for step in regulation.ties.steps:
        if step.by == "women-first":
            need(_SEX, "ties")
        elif step.by == "longer-service-first":
            name, label, hint = _DATES["service"]
            need(Question(name, "date", label, hint), "ties")
        elif step.by == "ethnic-minority-first":
            need(_MINORITY, "ties")
    if regulation.priority is not None and regulation.priority.entries:
        need(_PRIORITY, "priority")
    if "level" in labels:
        need(_POST, because["level"][0])
        need(_UNIT, because["level"][0])
    return tuple(
        Question(q.name, q.kind, q.label, q.hint, q.required, tuple(because[q.name]), q.only_if)
        for q in sorted(labels.values(), key=lambda q: _ORDER.index(q.name) if q.name in _ORDER else len(_ORDER))
    )


_SEX = Question("sex", "sex", N_("Sex"), N_("As on your identity document."))
_MINORITY = Question(
    "minority",
    "yes-no",
    N_("I belong to an ethnic minority"),
    N_("You may leave this open; it is used only to break a tie, and only if you ask for it."),
    required=False,
)
_PRIORITY = Question(
    "priority",
    "priority",
    N_("Groups entitled to priority points to which you belong"),
    N_("Choose none if none fits. Each needs its evidence among your files."),
    required=False,
)
_DISCIPLINED = Question("disciplined", "yes-no", N_("Have you ever been disciplined?"))
_DISCIPLINED_ON = Question(
    "disciplined_on",
    "date",
    N_("Date of the last disciplinary decision"),
    N_("As it stands in the decision."),
    only_if=("disciplined", "yes"),
)
_POST = Question("post", "text", N_("Present post"), N_("The title as in your decision of appointment."))
_UNIT = Question("unit", "text", N_("Present unit"), N_("Office, department or division in which you work."))
_ORDER = (
    "sex",
    "post",
    "unit",
    "level",
    "post_since",
    "field_since",
    "service_since",
    "retires_on",
    "disciplined",
    "disciplined_on",
    "minority",
    "priority",
)


def applicable(regulation: Regulation, stream: str) -> tuple[Any, ...]:
    """The criteria that hold for this stream, in the regulation's order."""
    return tuple(one for one in regulation.admission.criteria if not one.streams or stream in one.streams)


def is_asked(question: Question, answers: Mapping[str, Any]) -> bool:
    """Whether the question stands, given the other answers."""
    if question.only_if is None:
        return True
    name, wanted = question.only_if
    given = answers.get(name)
    if wanted.startswith("!"):
        return given not in (None, wanted[1:])
    return given == wanted


def read(question: Question, text: Any, regulation: Regulation, today: date) -> Any:
    """The answer as it is kept, or None for an empty one; AnswerError with a sentence for the candidate otherwise."""
    if question.kind == "priority":
        known = [one.id for one in regulation.priority.entries] if regulation.priority else []
        chosen = list(dict.fromkeys(text or ()))
        if any(one not in known for one in chosen):
            raise AnswerError(N_("Choose from the list."))
        return chosen
    if text is None or text == "":
        return None
    if question.kind == "date":
        return read_date(text, today, future=question.name == "retires_on").isoformat()
    if question.kind == "number":
        try:
            read_exact(str(text).replace(",", "."))
        except ValueError:
            raise AnswerError(N_("Enter a number, for example 7 or 7.5.")) from None
        return str(text).replace(",", ".")
    if question.kind == "level":
        if text != NO_LEVEL and text not in {level.id for level in regulation.posts.levels}:
            raise AnswerError(N_("Choose from the list."))
    elif question.kind == "sex":
        if text not in ("woman", "man"):
            raise AnswerError(N_("Choose from the list."))
    elif question.kind == "yes-no":
        if text not in ("yes", "no"):
            raise AnswerError(N_("Choose yes or no."))
    elif len(str(text)) > 200:
        raise AnswerError(N_("Write at most 200 characters."))
    return str(text)


def read_date(value: date | str, today: date, *, future: bool = False) -> date:
    """A day between 1920 and today, or after today where the future is meant."""
    try:
        day = value if isinstance(value, date) else date.fromisoformat(value)
    except ValueError:
        raise AnswerError(N_("Enter a date that exists, with day, month and year.")) from None
    if day < EARLIEST_BIRTH:
        raise AnswerError(N_("Enter the year with four digits; this day is too long ago."))
    if not future and day > today:
        raise AnswerError(N_("This day lies in the future. Enter a day that is past."))
    return day


def unanswered(regulation: Regulation, stream: str, answers: Mapping[str, Any]) -> tuple[Question, ...]:
    """Required questions that stand without an answer."""
    return tuple(
        question
        for question in asked(regulation, stream)
        if question.required and is_asked(question, answers) and answers.get(question.name) in (None, "")
    )
