"""From marks to ranks, exactly: hurdles, deductions, weights, priority points, rounding, ordered tie-breaks.

Everything is a ``Fraction``; numbers are rounded only where the regulation names a rounding point, and a number that is
rounded is compared as rounded: a total printed as 50.00 meets a pass mark of 50.  Stages come one after another: whoever is
absent from a part, misses a hurdle or falls below the cut of a stage stays there, whatever happened later.  Each row carries
its derivation, step by step, so that a candidate sees how every number of his own result came about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal

from examsvc.competitions.exam_clauses import Stage
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.result_clauses import RoundingPlace, TieBreak

Outcome = Literal["chosen", "reserve", "passed", "below-cut", "failed", "absent", "annulled", "incomplete"]


@dataclass(frozen=True)
class Person:
    """What tie-breaks may look at; unknown values never win a tie."""

    woman: bool | None = None
    ethnic_minority: bool | None = None
    born: date | None = None
    in_service_since: date | None = None


@dataclass(frozen=True)
class Entrant:
    """One candidate for one post with the settled marks of his parts.

    ``marks`` holds the mark of each part that was marked; a part in ``absent`` was not sat.  ``deductions`` are shares (0 to
    1) of a part's mark taken away by sanctions, see `deducted`; ``annulled`` ends everything.  ``priorities`` are ids of
    the regulation's priority entries to which evidence was accepted.
    """

    number: str
    post: str
    marks: Mapping[str, Fraction]
    absent: frozenset[str] = frozenset()
    deductions: Mapping[str, Fraction] = field(default_factory=dict)
    annulled: bool = False
    priorities: tuple[str, ...] = ()
    person: Person = Person()


CODES = (
    "mark",  # value: the part's maximum, result: the mark
    "deduction",  # value: the share taken away, result: what is left
    "rounded",  # value: before, result: after, detail: the rounding point
    "annulled",
    "absent",
    "not-marked",
    "pass-met",  # value: the least number that passes, result: the number compared; part None: the total
    "pass-missed",
    "priority",  # value: the points, result: the number with them, detail: the entitlements; part None: added to the total
    "weighted",  # value: the weight, result: what the part contributes to the total
    "sum",  # result: the sum of the contributions
    "cut-passed",  # value: what the last who goes on has, result: the candidate's own, detail: the stage
    "cut-missed",
    "tie-broken",  # detail: by what, part: whose mark was compared
    "tie-decided",  # detail: the reason
)
"""What a step of a derivation may say; None where a step has no number."""


@dataclass(frozen=True)
class Step:
    """One line of a derivation: what was done (one of `CODES`), on which part, to which number, giving which."""

    code: str
    part: str | None = None
    value: Fraction | None = None
    result: Fraction | None = None
    detail: str | None = None


@dataclass(frozen=True)
class TieDecision:
    """How a person (or a draw) ordered candidates who were equal in everything else, best first, with the reason."""

    order: tuple[str, ...]
    reason: str
    by: str


@dataclass(frozen=True)
class Row:
    """One candidate's result.  ``rank`` is None unless ranked; equal ranks remain only while a tie awaits its decision."""

    number: str
    post: str
    outcome: Outcome
    rank: int | None
    total: Fraction | None
    part_marks: Mapping[str, Fraction]
    priority: Fraction
    steps: tuple[Step, ...]
    tie_break: str | None = None


@dataclass(frozen=True)
class OpenTie:
    """Candidates of a post whom no rule separates: ``by`` says who or what must (a role, "lots", or "nobody" where the
    regulation names none).

    ``needed``: whether their order decides anything: who is chosen, who is on the reserve list and where, or who is next in line.
    """

    post: str
    numbers: tuple[str, ...]
    by: str
    needed: bool = True


@dataclass(frozen=True)
class Ranking:
    """Rows by post, then rank, then number; ties that still need a decision."""

    rows: tuple[Row, ...]
    open_ties: tuple[OpenTie, ...]


@dataclass
class _Standing:
    entrant: Entrant
    steps: list[Step] = field(default_factory=list)
    part_marks: dict[str, Fraction] = field(default_factory=dict)
    outcome: Outcome = "passed"
    total: Fraction | None = None
    total_without_priority: Fraction = Fraction(0)
    priority: Fraction = Fraction(0)
    priority_part: str | None = None
    rank: int | None = None
    tie_break: str | None = None

    @property
    def running(self) -> bool:
        return self.outcome == "passed"


def rank(
    regulation: Regulation,
    entrants: Iterable[Entrant],
    vacancies: Mapping[str, int],
    decisions: Sequence[TieDecision] = (),
) -> Ranking:
    """Ranks the candidates of each post under the regulation.

    ``vacancies`` maps a post's code to its number of places; of ``decisions`` on one tie the last counts.  Raises KeyError for a mark of a part, or a priority, that
    the regulation does not know, and ValueError for a mark outside its part's range.
    """
    standings = [_Standing(entrant) for entrant in entrants]
    for standing in standings:
        _take_marks(regulation, standing)
    for stage in regulation.stages:
        if stage.kind == "examination":
            for standing in standings:
                if standing.running:
                    _pass_stage(regulation, stage, standing)
            _cut(regulation, stage, standings)
    for standing in standings:
        if standing.running:
            _total(regulation, standing)
    open_ties: list[OpenTie] = []
    for post in dict.fromkeys(standing.entrant.post for standing in standings):
        ranked = [s for s in standings if s.running and s.entrant.post == post]
        open_ties += _order(regulation, post, ranked, decisions, vacancies.get(post, 0))
        _choose(regulation, ranked, vacancies.get(post, 0))
    rows = [_row(standing) for standing in standings]
    rows.sort(key=lambda row: (row.post, row.rank is None, row.rank or 0, row.number))
    return Ranking(tuple(rows), tuple(open_ties))


def _row(standing: _Standing) -> Row:
    return Row(
        standing.entrant.number,
        standing.entrant.post,
        standing.outcome,
        standing.rank,
        standing.total,
        dict(standing.part_marks),
        standing.priority,
        tuple(standing.steps),
        standing.tie_break,
    )


def deducted(shares: Iterable[Fraction]) -> Fraction:
    """What several sanctions on one part take away together: each takes its share of the mark as marked, at most all of it."""
    return min(Fraction(1), sum(shares, Fraction(0)))


def _take_marks(regulation: Regulation, standing: _Standing) -> None:
    """Part marks after deductions; annulment ends the candidate's way at once."""
    entrant = standing.entrant
    known = {part.id: part for part in regulation.parts}
    for name in {*entrant.marks, *entrant.absent, *entrant.deductions}:
        if name not in known:
            raise KeyError(name)
    for part in regulation.parts:
        mark = entrant.marks.get(part.id)
        if mark is None:
            continue
        if not 0 <= mark <= part.maximum:
            raise ValueError(f"the mark {mark} of {part.id} is outside 0 to {part.maximum}")
        standing.steps.append(Step("mark", part.id, part.maximum, mark))
        share = entrant.deductions.get(part.id, Fraction(0))
        if share:
            standing.steps.append(Step("deduction", part.id, share, mark * (1 - share)))
            mark *= 1 - share
        standing.part_marks[part.id] = _rounded(regulation, standing, "part-mark", part.id, mark)
    if entrant.annulled:
        standing.outcome = "annulled"
        standing.steps.append(Step("annulled"))


def _rounded(
    regulation: Regulation, standing: _Standing, place: RoundingPlace, part: str | None, number: Fraction
) -> Fraction:
    """The number as rounded at this place, with a line in the derivation where that changes it."""
    rounded = regulation.rounding.apply(place, number)
    if rounded != number:
        standing.steps.append(Step("rounded", part, number, rounded, place))
    return rounded


def _pass_stage(regulation: Regulation, stage: Stage, standing: _Standing) -> None:
    """Absence, then the pass marks of the stage's parts.  A missed hurdle fails whatever the total; an unmarked part leaves
    it open."""
    missing = [part.id for part in stage.parts if part.id in standing.entrant.absent]
    if missing:
        standing.outcome = "absent"
        standing.steps += [Step("absent", part) for part in missing]
        return
    priority = regulation.priority
    for part in stage.parts:
        mark = standing.part_marks.get(part.id)
        if mark is None:
            standing.outcome = "incomplete"
            standing.steps.append(Step("not-marked", part.id))
            return
        if priority is not None and priority.added_to == part.id and not priority.after_pass_check:
            mark = _add_priority(regulation, standing, part.id, mark)
        if part.pass_mark is not None:
            threshold = part.pass_mark.marks(part.maximum)
            met = part.pass_mark.met(mark, part.maximum)
            standing.steps.append(Step("pass-met" if met else "pass-missed", part.id, threshold, mark))
            if part.hurdle and not met:
                standing.outcome = "failed"
                return
        if priority is not None and priority.added_to == part.id and priority.after_pass_check:
            _add_priority(regulation, standing, part.id, mark)


def _add_priority(regulation: Regulation, standing: _Standing, part: str | None, mark: Fraction) -> Fraction:
    points = priority_points(regulation, standing.entrant.priorities)
    if not points:
        return mark
    standing.priority, standing.priority_part = points, part
    standing.steps.append(Step("priority", part, points, mark + points, ", ".join(standing.entrant.priorities)))
    if part is not None:
        standing.part_marks[part] = mark + points
    return mark + points


def priority_points(regulation: Regulation, entitlements: Iterable[str]) -> Fraction:
    """Points for accepted entitlements: the highest or their sum, as the regulation says.  KeyError for an unknown one."""
    if regulation.priority is None:
        return Fraction(0)
    table = {entry.id: entry.points for entry in regulation.priority.entries}
    points = [table[name] for name in dict.fromkeys(entitlements)]
    if not points:
        return Fraction(0)
    return max(points) if regulation.priority.combine == "highest" else sum(points, Fraction(0))


def contribution(regulation: Regulation, part_id: str, mark: Fraction) -> Fraction:
    """What a mark of the part is worth in the total, before any rounding."""
    part = regulation.part(part_id)
    if regulation.total.basis == "shares":
        return regulation.total.maximum * part.weight * mark / part.maximum
    return part.weight * mark


def weighted(regulation: Regulation, part_id: str, mark: Fraction) -> Fraction:
    """A part's contribution to the total, rounded where the regulation rounds it."""
    return regulation.rounding.apply("weighted-part", contribution(regulation, part_id, mark))


def _sum(regulation: Regulation, standing: _Standing, parts: Iterable[str]) -> Fraction:
    return sum((weighted(regulation, name, standing.part_marks[name]) for name in parts), Fraction(0))


def _total(regulation: Regulation, standing: _Standing) -> None:
    names = [part.id for part in regulation.parts if part.weight]
    for name in names:
        worth = contribution(regulation, name, standing.part_marks[name])
        standing.steps.append(Step("weighted", name, regulation.part(name).weight, worth))
        _rounded(regulation, standing, "weighted-part", name, worth)
    total = _sum(regulation, standing, names)
    standing.steps.append(Step("sum", None, None, total))
    plain = {**standing.part_marks}
    if standing.priority_part is not None:
        plain[standing.priority_part] -= standing.priority
    without = sum((weighted(regulation, name, plain[name]) for name in names), Fraction(0))
    standing.total_without_priority = regulation.rounding.apply("total", without)
    priority, rule = regulation.priority, regulation.total.pass_mark
    to_total = priority is not None and priority.added_to is None
    if to_total and priority is not None and not priority.after_pass_check:
        total = _add_priority(regulation, standing, None, total)
    if rule is not None:
        checked = regulation.rounding.apply("total", total)
        met = rule.met(checked, regulation.total.maximum)
        threshold = rule.marks(regulation.total.maximum)
        standing.steps.append(Step("pass-met" if met else "pass-missed", None, threshold, checked))
        if not met:
            standing.outcome = "failed"
    if to_total and priority is not None and priority.after_pass_check and standing.running:
        total = _add_priority(regulation, standing, None, total)
    standing.total = _rounded(regulation, standing, "total", None, total)


def _cut(regulation: Regulation, stage: Stage, standings: Sequence[_Standing]) -> None:
    """Keeps the best of each post where the stage says how many go on; equals at the last place as it says."""
    if stage.places_per_post is None:
        return
    names = [part.id for part in stage.parts]
    for post in dict.fromkeys(s.entrant.post for s in standings):
        field_ = sorted(
            (s for s in standings if s.running and s.entrant.post == post),
            key=lambda s: -_sum_plain(regulation, s, names),
        )
        if len(field_) <= stage.places_per_post:
            continue
        last = _sum_plain(regulation, field_[stage.places_per_post - 1], names)
        inside = [s for s in field_ if _sum_plain(regulation, s, names) > last]
        level = [s for s in field_ if _sum_plain(regulation, s, names) == last]
        if stage.ties_at_the_cut == "tie-breaks" and len(inside) + len(level) > stage.places_per_post:
            separable = _comparable(regulation, stage)
            level.sort(key=lambda s: _tie_key(s, separable))
            keep = stage.places_per_post - len(inside)
            border = _tie_key(level[keep - 1], separable)
            level = [s for s in level if _tie_key(s, separable) <= border]
        going_on = {id(s) for s in (*inside, *level)}
        for s in field_:
            s.steps.append(Step("cut-passed" if id(s) in going_on else "cut-missed", None, last, _sum_plain(regulation, s, names), stage.id))
            if id(s) not in going_on:
                s.outcome = "below-cut"


def _comparable(regulation: Regulation, stage: Stage) -> list[TieBreak]:
    """Tie-breaks that can be used at a stage's cut: up to the first that asks a person or lots, and of part marks only those
    that exist by then."""
    known: set[str] = set()
    for one in regulation.stages:
        known |= {part.id for part in one.parts}
        if one.id == stage.id:
            break
    found = []
    for step in regulation.ties.steps:
        if step.by in ("lots", "role-decides"):
            break
        if step.by != "total-without-priority" and (step.by != "part-mark" or step.part in known):
            found.append(step)
    return found


def _sum_plain(regulation: Regulation, standing: _Standing, names: Sequence[str]) -> Fraction:
    """Sum of the stage's marks: weighted where any weighs in the total, plain where the stage only qualifies."""
    if any(regulation.part(name).weight for name in names):
        return _sum(regulation, standing, names)
    return sum((standing.part_marks[name] for name in names), Fraction(0))


def _tie_key(standing: _Standing, steps: Sequence[TieBreak]) -> tuple[object, ...]:
    """Smaller is better; unknown facts come last."""
    return tuple(_tie_value(standing, step) for step in steps)


def _tie_value(standing: _Standing, step: TieBreak) -> tuple[int, Fraction | int]:
    person = standing.entrant.person
    if step.by == "part-mark":
        return (0, -standing.part_marks.get(step.part or "", Fraction(-1)))
    if step.by == "total-without-priority":
        return (0, -standing.total_without_priority)
    if step.by == "women-first":
        return (0 if person.woman else 1, 0)
    if step.by == "ethnic-minority-first":
        return (0 if person.ethnic_minority else 1, 0)
    if step.by == "older-first":
        return (0, person.born.toordinal()) if person.born else (1, 0)
    if step.by == "longer-service-first":
        return (0, person.in_service_since.toordinal()) if person.in_service_since else (1, 0)
    raise ValueError(f"{step.by} compares nothing")


def _order(
    regulation: Regulation, post: str, ranked: list[_Standing], decisions: Sequence[TieDecision], vacancies: int
) -> list[OpenTie]:
    """Gives ranks from 1 on, breaking ties step by step; what no step separates keeps one rank and is reported."""
    groups: list[list[_Standing]] = _split(ranked, lambda s: (0, -(s.total or Fraction(0))))
    open_ties: list[OpenTie] = []
    place = 1
    for group in groups:
        for settled, awaiting in _break(group, list(regulation.ties.steps), decisions):
            for standing in settled:
                standing.rank = place
            if awaiting and len(settled) > 1:
                numbers = tuple(sorted(s.entrant.number for s in settled))
                open_ties.append(OpenTie(post, numbers, awaiting, _needed(regulation, place, len(settled), vacancies)))
            place += len(settled)
    ranked.sort(key=lambda s: (s.rank or 0, s.entrant.number))
    return open_ties


def _split(members: Sequence[_Standing], key) -> list[list[_Standing]]:  # type: ignore[no-untyped-def]
    groups: dict[object, list[_Standing]] = {}
    for standing in members:
        groups.setdefault(key(standing), []).append(standing)
    return [groups[value] for value in sorted(groups)]  # type: ignore[type-var]


def _break(
    group: list[_Standing], steps: list[TieBreak], decisions: Sequence[TieDecision]
) -> list[tuple[list[_Standing], str]]:
    """Sub-groups in order; the text names who must still decide, empty where nobody must."""
    if len(group) == 1:
        return [(group, "")]
    if not steps or steps[0].by in ("lots", "role-decides"):
        numbers = {s.entrant.number for s in group}
        for decision in reversed(decisions):
            if numbers <= set(decision.order):
                ordered = sorted(group, key=lambda s: decision.order.index(s.entrant.number))
                for standing in ordered:
                    standing.tie_break = steps[0].by if steps else "role-decides"
                    standing.steps.append(Step("tie-decided", detail=decision.reason))
                return [([standing], "") for standing in ordered]
        return [(group, (steps[0].role or steps[0].by) if steps else "nobody")]
    step, rest = steps[0], steps[1:]
    parts = _split(group, lambda s: _tie_value(s, step))
    if len(parts) > 1:
        for standing in group:
            standing.tie_break = step.by if step.part is None else f"{step.by}:{step.part}"
            standing.steps.append(Step("tie-broken", step.part, detail=step.by))
    return [found for part in parts for found in _break(part, rest, decisions)]


def _borders(regulation: Regulation, vacancies: int) -> tuple[int, int]:
    """(last rank that is chosen, last rank on the reserve list); equal where there is no such list."""
    winners = vacancies if regulation.selection.winners == "highest-total" else 0
    return winners, winners + regulation.selection.reserve_places_per_post


def _needed(regulation: Regulation, first: int, number: int, vacancies: int) -> bool:
    """Whether the order of so many equals, from this rank on, decides anything."""
    winners, places = _borders(regulation, vacancies)
    if first + number - 1 <= winners:
        return False
    return first <= places or regulation.selection.next_in_line


def _choose(regulation: Regulation, ranked: Sequence[_Standing], vacancies: int) -> None:
    """Winners and the reserve list; nobody crosses a border in a tie that is still open there."""
    winners, places = _borders(regulation, vacancies)
    by_rank: dict[int, int] = {}
    for standing in ranked:
        by_rank[standing.rank or 0] = by_rank.get(standing.rank or 0, 0) + 1
    for standing in ranked:
        rank_ = standing.rank or 0
        last = rank_ + by_rank[rank_] - 1
        if last <= winners:
            standing.outcome = "chosen"
        elif rank_ > winners and last <= places:
            standing.outcome = "reserve"
