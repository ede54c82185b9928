"""Blueprints: what a paper must contain, checked against the regulation's part and against the bank's stock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from examsvc.base import language
from examsvc.base.errors import N_, Refused
from examsvc.competitions.exam_clauses import EssayPart, ObjectivePart
from examsvc.competitions.terms import Interval, write_exact

ROLES = {"main": N_("main paper"), "spare": N_("spare paper")}
SHIFTED = N_("%(role)s, sitting %(number)d")
Severity = Literal["error", "warning", "advice"]
PartClause = ObjectivePart | EssayPart


@dataclass(frozen=True)
class Finding:
    """What is wrong with a blueprint or a paper: an error blocks, a warning must be read, advice may be.

    ``slots`` are the numbers of the questions (or of the blueprint's lines) that it is about.
    """

    severity: Severity
    sentence: str
    params: Mapping[str, object] = field(default_factory=dict)
    slots: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.spoken("en")

    def spoken(self, tongue: str) -> str:
        """The sentence in a language; parameters that are texts by language are taken in it."""
        params = {name: language.in_language(one, tongue) if isinstance(one, Mapping) else one for name, one in self.params.items()}
        return language.sentence(tongue, self.sentence, **params)


@dataclass(frozen=True)
class Candidate:
    """An item that may be drawn: what a blueprint asks about, and the items it must not stand beside.

    ``words`` is what a candidate reads, in the longest of the languages; ``minutes`` the expected time, where known;
    ``uses`` the number of earlier papers that held it; ``difficulty`` the share of its marks that candidates got there, 0 to 1;
    ``curve`` (slope a, difficulty b, guessing c) of the logistic model, where its author or an analysis gave them.
    """

    digest: str
    identifier: str
    kind: str
    topic: str
    level: str
    enemies: frozenset[str] = frozenset()
    words: int = 0
    minutes: Fraction | None = None
    uses: int = 0
    reviewed: bool = True
    difficulty: float | None = None
    curve: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Cell:
    """One line of a blueprint: so many items of these topics, levels and kinds, each worth these marks.

    An empty tuple means any.  A topic covers those below it ("finance" covers "finance.budget").
    """

    count: int
    marks: str
    topics: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def takes(self, item: Candidate) -> bool:
        return (
            (not self.topics or any(item.topic == t or item.topic.startswith(t + ".") for t in self.topics))
            and (not self.levels or item.level in self.levels)
            and (not self.kinds or item.kind in self.kinds)
        )

    @classmethod
    def read(cls, cell: Mapping[str, object]) -> Cell:
        def names(key: str) -> tuple[str, ...]:
            value = cell.get(key, ())
            return tuple(str(v) for v in value) if isinstance(value, Iterable) and not isinstance(value, str) else ()

        return cls(int(str(cell["count"])), str(cell["marks"]), names("topics"), names("levels"), names("kinds"))

    def written(self) -> dict[str, object]:
        """As it is stored; ``read`` gives it back."""
        found: dict[str, object] = {"count": self.count, "marks": self.marks}
        for name in ("topics", "levels", "kinds"):
            if getattr(self, name):
                found[name] = list(getattr(self, name))
        return found


AIMS = ("lot", "most", "target")
Aim = Literal["lot", "most", "target"]
MOST_POINTS = 7


@dataclass(frozen=True)
class Demands:
    """What a blueprint asks of the form as a whole, beside its lines; None and empty ask for nothing.

    ``words``: least and most to read.  ``minutes``: expected time at most, where every question's is known.  ``uses``: no question
    that stood in more papers than so many.  ``reviewed``: none that is a draft.  ``aim``: "lot" draws among all forms that meet the
    blueprint; "most" among those that measure nearly as exactly as any at the abilities ``points``; "target" among those
    whose information comes nearly as close as any to ``target`` there, so that forms for several sittings are parallel.
    """

    words: tuple[int | None, int | None] = (None, None)
    minutes: Fraction | None = None
    uses: int | None = None
    reviewed: bool = False
    aim: Aim = "lot"
    points: tuple[Fraction, ...] = ()
    target: tuple[Fraction, ...] = ()

    def admits(self, item: Candidate) -> bool:
        """Whether an item may be drawn at all, whatever its line."""
        return (self.uses is None or item.uses <= self.uses) and (item.reviewed or not self.reviewed)

    @classmethod
    def read(cls, stored: Mapping[str, object]) -> Demands:
        """From what ``written`` gives; Refused where it makes no sense."""

        def fractions(key: str) -> tuple[Fraction, ...]:
            value = stored.get(key, ())
            return tuple(Fraction(str(one)) for one in value) if isinstance(value, list | tuple) else ()

        def whole(key: str) -> int | None:
            return int(str(stored[key])) if key in stored else None

        aim = str(stored.get("aim", "lot"))
        made = cls(
            (whole("least_words"), whole("most_words")),
            Fraction(str(stored["minutes"])) if "minutes" in stored else None,
            whole("uses"),
            bool(stored.get("reviewed", False)),
            "most" if aim == "most" else "target" if aim == "target" else "lot",
            fractions("points"),
            fractions("target"),
        )
        made.check()
        return made

    def check(self) -> None:
        """Refused where the demands contradict themselves."""
        low, high = self.words
        if low is not None and high is not None and low > high:
            raise Refused(N_("The least number of words is above the greatest."), field="most_words")
        if self.aim != "lot" and not 1 <= len(self.points) <= MOST_POINTS:
            raise Refused(N_("Name one to %(most)d abilities at which the paper is to measure, such as -1 0 1."), most=MOST_POINTS, field="points")
        if any(abs(one) > 6 for one in self.points):
            raise Refused(N_("Abilities lie between -6 and 6; the average of the population is 0."), field="points")
        if self.aim == "target" and len(self.target) != len(self.points):
            raise Refused(N_("Give one target of information for each ability."), field="target")
        if any(one <= 0 for one in self.target):
            raise Refused(N_("A target of information is above zero."), field="target")

    def written(self) -> dict[str, object]:
        """As it is stored; ``read`` gives it back."""
        found: dict[str, object] = {}
        for key, value in (("least_words", self.words[0]), ("most_words", self.words[1]), ("uses", self.uses)):
            if value is not None:
                found[key] = value
        if self.minutes is not None:
            found["minutes"] = str(self.minutes)
        if self.reviewed:
            found["reviewed"] = True
        if self.aim != "lot":
            found |= {"aim": self.aim, "points": [str(one) for one in self.points]}
        if self.aim == "target":
            found["target"] = [str(one) for one in self.target]
        return found


def total_marks(cells: Iterable[Cell]) -> Fraction:
    return sum((cell.count * Fraction(cell.marks) for cell in cells), Fraction(0))


def total_items(cells: Iterable[Cell]) -> int:
    return sum(cell.count for cell in cells)


def check_blueprint(
    cells: Sequence[Cell], part: PartClause, stock: Sequence[Candidate], demands: Demands | None = None
) -> list[Finding]:
    """Whether the lines meet the regulation's part, and whether the stock can fill each line."""
    found: list[Finding] = [*_check_sums(total_items(cells), total_marks(cells), part)]
    stock = [item for item in stock if demands is None or demands.admits(item)]
    for number, cell in enumerate(cells, start=1):
        fitting = sum(1 for item in stock if cell.takes(item))
        if fitting < cell.count:
            found.append(
                Finding(
                    "error",
                    N_(
                        "Line %(line)d asks for %(asked)d questions, but the bank has only %(found)d that fit."
                        " Lower the number or widen the line."
                    ),
                    {"line": number, "asked": cell.count, "found": fitting},
                    (number,),
                )
            )
        elif part_has_spare(fitting, cell.count):
            found.append(
                Finding(
                    "advice",
                    N_(
                        "Line %(line)d takes %(asked)d of only %(found)d questions that fit: a spare paper without"
                        " common questions may not be possible."
                    ),
                    {"line": number, "asked": cell.count, "found": fitting},
                    (number,),
                )
            )
    return found


def part_has_spare(fitting: int, asked: int) -> bool:
    """Whether the stock is too small for a second paper without common questions."""
    return fitting < 2 * asked


def _check_sums(items: int, marks: Fraction, part: PartClause) -> list[Finding]:
    found = []
    asked = part.items if part.kind == "objective" else part.tasks
    if items not in asked:
        found.append(
            Finding(
                "error",
                N_("The paper has %(items)d questions; the regulation asks for %(range)s."),
                {"items": items, "range": span(asked)},
            )
        )
    if marks != part.maximum:
        found.append(
            Finding(
                "error",
                N_("The marks add up to %(sum)s; the regulation's maximum for this part is %(maximum)s."),
                {"sum": write_exact(marks), "maximum": write_exact(part.maximum)},
            )
        )
    return found


def span(numbers: Interval) -> str:
    """A range of whole numbers as people write it: "10–40", "1", "5–…"."""
    least, most = numbers.whole_numbers() or (0, 0)
    return str(least) if least == most else f"{least}–{'…' if most is None else most}"


def sum_findings(marks: Sequence[str], part: PartClause) -> list[Finding]:
    """Number of questions and sum of marks of a form, against the regulation's part."""
    return _check_sums(len(marks), sum((Fraction(one) for one in marks), Fraction(0)), part)


# -------------------------------------------------------------------------------- after the sitting


def neutralise(
    scores: Mapping[int, tuple[Fraction, Fraction]], rules: Mapping[int, str]
) -> dict[int, tuple[Fraction, Fraction]]:
    """(score, maximum) of each question after faulty ones were taken out, as ObjectivePart.neutralised_item says.

    ``full-marks``: everybody gets them.  ``drop``: neither marks nor maximum.  ``redistribute``: the marks of faulty questions
    go to the others in proportion to their marks, so that the maximum stays; where nothing is left to bear them, everybody
    gets them, since a maximum that nobody can reach would be unjust.
    """
    after = {
        number: (maximum, maximum) if rules.get(number) == "full-marks" else (score, maximum)
        for number, (score, maximum) in scores.items()
        if rules.get(number) != "drop"
    }
    after |= {number: (Fraction(0), Fraction(0)) for number in scores if rules.get(number) == "drop"}
    spread = {number for number in scores if rules.get(number) == "redistribute"}
    lost = sum((scores[number][1] for number in spread), Fraction(0))
    bearers = [number for number in scores if number not in rules]
    left = sum((scores[number][1] for number in bearers), Fraction(0))
    for number in spread:
        after[number] = (Fraction(0), Fraction(0)) if left else (scores[number][1], scores[number][1])
    if lost and left:
        factor = (left + lost) / left
        for number in bearers:
            score, maximum = scores[number]
            after[number] = (score * factor, maximum * factor)
    return {number: after[number] for number in scores}
