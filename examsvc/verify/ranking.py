"""V14: hurdles, totals, priority points, tie-breaks, ranks and who is selected, computed again from the marks in the ranking.

In the restricted edition the marks are the exact ones that V13 recomputed; in the public one those printed, which have at most six
places. Where a comparison could turn on what lies beyond the sixth place, or on a fact of a person that the edition does not hold, the published
order stands, and a note says how often.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from examsvc.ledger.entries import Entry
from examsvc.verify.findings import Finding, conclude
from examsvc.verify.reading import Bundle
from examsvc.verify.scores import Inputs
from examsvc.verify.terms import UNREADABLE, RegulationUnread, Terms, decimal, exact

TITLE = "the ranking follows from the marks in it by the regulation's rules"
SIXTH = Fraction(1, 2 * 10**6)
"""How far a number printed with six places may lie from the one meant."""


@dataclass
class Standing:
    """One candidate on the way through the stages. `row` is the published line; `low` and `high` bound the total."""

    number: str
    row: Mapping[str, Any]
    marks: dict[str, Fraction]
    absent: set[str]
    outcome: str
    points: Fraction
    fuzzy: set[str] = field(default_factory=set)
    added: bool = False
    added_to: str | None = None
    missed: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    total: Fraction | None = None
    plain: Fraction = Fraction(0)
    rank: int | None = None
    ties: list[dict[str, str]] = field(default_factory=list)
    taken_on_trust: bool = False

    @property
    def running(self) -> bool:
        """Whether nothing has stopped this candidate yet."""
        return self.outcome == "passed"

    @property
    def published_rank(self) -> int:
        """The rank in the published line; behind everybody where there is none."""
        return int(self.row.get("rank", 2**53))


def ranking(read: Bundle, inputs: Mapping[int, Mapping[str, Inputs]]) -> Finding:
    """V14 for every score run in the log; `inputs` are those of V13, empty in the public edition."""
    reasons: list[str] = []
    trusted = ranked = 0
    try:
        terms = Terms.of(read)
        births = _births(read)
        for entry in read.of("results.computed"):
            table = read.opened(entry.body["ranking"])
            if table is None or len(entry.posts) != 1:
                continue
            run = _Run(read, terms, entry, table["rows"], inputs.get(entry.index, {}), births)
            reasons += [f"entry {entry.index}: {reason}" for reason in run.check()]
            trusted += sum(one.taken_on_trust for one in run.standings)
            ranked += len(run.standings)
    except RegulationUnread as error:
        return conclude("V14", TITLE, [str(error)])
    except UNREADABLE as error:
        return conclude(
            "V14", TITLE, [*reasons, f"the regulation cannot be applied to the ranking: {error!r:.80}"]
        )
    notes = [f"{ranked} lines computed again"]
    if trusted:
        notes.append(
            f"{trusted} of them stand in a tie whose order rests on what this edition does not hold; their order is taken as published"
        )
    return conclude("V14", TITLE, reasons, notes)


def _births(read: Bundle) -> dict[str, str]:
    """Date of birth by candidate number, where this edition opens list and identities."""
    born = {}
    for entry in read.of("application.submitted"):
        value = read.opened(entry.body["identity"])
        if value is not None:
            born[value["application"]] = value["born"]
    found = {}
    for entry in read.of("candidates.listed"):
        table = read.opened(entry.body["candidates"])
        for row in table["candidates"] if table is not None else ():
            if row["application"] in born:
                found[row["candidate"]] = born[row["application"]]
    return found


class _Run:
    """One score run of one post."""

    def __init__(
        self,
        read: Bundle,
        terms: Terms,
        computed: Entry,
        rows: Sequence[Mapping[str, Any]],
        inputs: Mapping[str, Inputs],
        births: Mapping[str, str],
    ) -> None:
        self.terms, self.computed, self.births = terms, computed, births
        self.places = computed.body["places"]
        self.priority = terms.tree["priority"]
        self.granted = self._granted(read)
        self.standings = [self._start(row, inputs.get(row["candidate"])) for row in rows]
        self.decided = [
            value["order"]
            for entry in read.of("tie.decided")
            if entry.index < computed.index and entry.posts == computed.posts
            for value in [read.opened(entry.body["tie"])]
            if value is not None
        ]

    def check(self) -> Iterator[str]:
        """What is wrong with the published lines."""
        numbers = [one.number for one in self.standings]
        if numbers != sorted(numbers):
            yield "its lines are not in the order of the candidate numbers"
        self._stages()
        for one in self.standings:
            if one.running:
                self._total(one)
        ranked = [one for one in self.standings if one.running]
        self._order(ranked)
        self._choose(ranked)
        for one in self.standings:
            yield from self._compare(one)

    # ------------------------------------------------------------------------------ what each brings

    def _granted(self, read: Bundle) -> dict[str, Fraction] | None:
        """Priority points by candidate, in the restricted edition; None where they are not opened."""
        found: dict[str, list[Fraction]] = defaultdict(list)
        for entry in read.of("priority.granted"):
            value = read.opened(entry.body["priority"])
            if value is None:
                return None
            if entry.index < self.computed.index:
                found[value["candidate"]].append(exact(value["points"]))
        if not read.restricted:
            return None
        return {number: sum(points, Fraction(0)) for number, points in found.items()}

    def _start(self, row: Mapping[str, Any], known: Inputs | None) -> Standing:
        marks: dict[str, Fraction] = {}
        absent: set[str] = set()
        for line in row["stages"]:
            part = line.get("part") or self._only_part(line["stage"])
            if line["passed"] == "absent":
                absent.add(part)
            else:
                marks[part] = exact(line["mark"])
        given = exact(row["priority"]) if "priority" in row else Fraction(0)
        points = given if self.granted is None else self.granted.get(row["candidate"], Fraction(0))
        added_to = self.priority["added_to"] if self.priority is not None else None
        if added_to is not None and given and added_to in marks:
            marks[added_to] -= given
        outcome = "excluded" if row["outcome"] == "excluded" else "passed"
        fuzzy = {name for name, mark in marks.items() if 10**5 % mark.denominator}
        if known is not None:
            marks, absent, fuzzy = dict(known.marks), set(known.absent), set()
            outcome = "excluded" if known.excluded else "passed"
        for part, mark in marks.items():
            if not 0 <= mark <= self.terms.maxima[part]:
                raise ValueError(f"the mark of {row['candidate']} in {part} is outside its range")
        return Standing(row["candidate"], row, marks, absent, outcome, points, fuzzy)

    def _only_part(self, stage: str) -> str:
        (part,) = [name for name, part in self.terms.parts.items() if part["stage"] == stage]
        return part

    # ------------------------------------------------------------------------------ stage by stage

    def _stages(self) -> None:
        for stage in self.terms.stages:
            for one in self.standings:
                if one.running:
                    self._pass(stage, one)
            if stage["places_per_post"] is not None:
                self._cut(stage)

    def _pass(self, stage: Mapping[str, Any], one: Standing) -> None:
        names = [part["id"] for part in stage["parts"]]
        one.gone = {name for name in names if name in one.absent}
        if one.gone:
            one.outcome = "absent"
            return
        rule = self.priority
        for name in names:
            if name not in one.marks:
                one.outcome = "failed"
                return
            here = rule is not None and rule["added_to"] == name
            if here and not rule["after_pass_check"]:
                self._add(one, name)
            pass_mark = self.terms.parts[name]["pass_mark"]
            if pass_mark is not None:
                met = self._met(
                    one, pass_mark, one.marks[name], self.terms.maxima[name], name in one.fuzzy, name
                )
                if not met:
                    one.missed.add(name)
                    if self.terms.parts[name]["hurdle"]:
                        one.outcome = "failed"
                        return
            if here and rule["after_pass_check"]:
                self._add(one, name)

    def _met(
        self,
        one: Standing,
        rule: Mapping[str, Any],
        mark: Fraction,
        maximum: Fraction,
        fuzzy: bool,
        part: str | None,
    ) -> bool:
        low, high = (mark - SIXTH, mark + SIXTH) if fuzzy else (mark, mark)
        least, most = self.terms.met(rule, low, maximum), self.terms.met(rule, high, maximum)
        if least == most:
            return least
        one.taken_on_trust = True
        lines = [line for line in one.row["stages"] if line.get("part") == part]
        return not any(line["passed"] == "no" for line in lines) if part else one.row["outcome"] != "failed"

    def _add(self, one: Standing, part: str | None) -> None:
        if one.points:
            one.added, one.added_to = True, part
            if part is not None:
                one.marks[part] += one.points

    def _sum(self, one: Standing, names: Sequence[str], slack: Fraction = Fraction(0)) -> Fraction:
        return sum(
            (self.terms.worth(name, one.marks[name] + (slack if name in one.fuzzy else 0)) for name in names),
            Fraction(0),
        )

    def _cut(self, stage: Mapping[str, Any]) -> None:
        """The best go on. Sums are weighted where any part weighs in the total, plain where none does."""
        names = [part["id"] for part in stage["parts"]]
        weighed = any(self.terms.weights[name] for name in names)
        fuzzy = any(one.fuzzy & set(names) for one in self.standings)
        alive = [one for one in self.standings if one.running]
        if len(alive) <= stage["places_per_post"]:
            return
        sums = {
            one.number: self._sum(one, names)
            if weighed
            else sum((one.marks[name] for name in names), Fraction(0))
            for one in alive
        }
        last = sorted(sums.values(), reverse=True)[stage["places_per_post"] - 1]
        width = max(self._sum(one, names, SIXTH) - self._sum(one, names, -SIXTH) for one in alive)
        width = width if weighed else 2 * SIXTH * len(names)
        inside = [one for one in alive if sums[one.number] > last]
        level = [one for one in alive if sums[one.number] == last]
        if stage["ties_at_the_cut"] == "tie-breaks" and len(inside) + len(level) > stage["places_per_post"]:
            steps = self._usable(stage)
            if any(self._compares_unknown(level, step) for step in steps):
                fuzzy = True
            else:
                keys = {one.number: tuple(self._value(one, step) for step in steps) for one in level}
                border = sorted(keys.values())[stage["places_per_post"] - len(inside) - 1]
                level = [one for one in level if keys[one.number] <= border]
        going = {one.number for one in (*inside, *level)}
        for one in alive:
            near = abs(sums[one.number] - last) <= width or one in level
            if fuzzy and near:  # published: who failed here has no later mark and no missed hurdle
                one.taken_on_trust = True
                if one.row["outcome"] == "failed" and "rank" not in one.row and "total" not in one.row:
                    one.outcome = "failed"
            elif one.number not in going:
                one.outcome = "failed"

    def _usable(self, stage: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Tie-breaks that a cut can use: before the first that asks people or lots; of part marks those known by then."""
        known: set[str] = set()
        for one in self.terms.stages:
            known |= {part["id"] for part in one["parts"]}
            if one["id"] == stage["id"]:
                break
        found = []
        for step in self.terms.tree["ties"]["steps"]:
            if step["by"] in ("lots", "role-decides"):
                break
            if step["by"] != "total-without-priority" and (
                step["by"] != "part-mark" or step["part"] in known
            ):
                found.append(step)
        return found

    # ------------------------------------------------------------------------------ totals

    def _total(self, one: Standing) -> None:
        names = [name for name in self.terms.parts if self.terms.weights[name]]
        total = self._sum(one, names)
        if one.added and one.added_to is not None:
            one.marks[one.added_to] -= one.points
            one.plain = self.terms.rounded("total", self._sum(one, names))
            one.marks[one.added_to] += one.points
        else:
            one.plain = self.terms.rounded("total", total)
        rule, clause = self.priority, self.terms.tree["total"]
        to_total = rule is not None and rule["added_to"] is None
        if to_total and not rule["after_pass_check"]:
            self._add(one, None)
            total += one.points
        if clause["pass_mark"] is not None:
            checked = self.terms.rounded("total", total)
            if not self._met(
                one, clause["pass_mark"], checked, exact(clause["maximum"]), bool(one.fuzzy), None
            ):
                one.outcome = "failed"
        if to_total and rule["after_pass_check"] and one.running:
            self._add(one, None)
            total += one.points
        one.total = self.terms.rounded("total", total)

    def _bounds(self, one: Standing) -> tuple[Fraction, Fraction]:
        """Between what the total lies, given that marks are printed with six places."""
        names = [name for name in self.terms.parts if self.terms.weights[name]]
        extra = one.points if one.added and one.added_to is None else Fraction(0)
        low, high = (self._sum(one, names, slack) + extra for slack in (-SIXTH, SIXTH))
        return self.terms.rounded("total", low), self.terms.rounded("total", high)

    # ------------------------------------------------------------------------------ ranks

    def _value(self, one: Standing, step: Mapping[str, Any]) -> tuple[int, Any]:
        """Smaller is better; what is unknown comes last."""
        match step["by"]:
            case "part-mark":
                return (0, -one.marks.get(step["part"], Fraction(-1)))
            case "total-without-priority":
                return (0, -one.plain)
            case "older-first":
                born = self.births.get(one.number)
                return (0, born) if born else (1, "")
        raise ValueError(f"{step['by']} compares nothing that a bundle holds")

    def _compares_unknown(self, group: Sequence[Standing], step: Mapping[str, Any]) -> bool:
        """Whether a tie-break looks at what this edition does not hold, or not exactly."""
        match step["by"]:
            case "part-mark":
                return any(step["part"] in one.fuzzy for one in group)
            case "total-without-priority":
                return any(one.fuzzy for one in group)
            case "older-first":
                return any(one.number not in self.births for one in group)
        return True

    def _order(self, ranked: list[Standing]) -> None:
        """Ranks from 1; equal ones remain only where a tie is still undecided."""
        total = {one.number: -self._published_total(one) for one in ranked}
        place = 1
        for group in _split(ranked, lambda one: total[one.number]):
            unclear = "total" not in self.terms.rounding_points and any(one.fuzzy for one in group)
            for settled in (
                self._trusted(group)
                if unclear and len(group) > 1
                else self._break(group, self.terms.tree["ties"]["steps"])
            ):
                for one in settled:
                    one.rank = place
                place += len(settled)

    def _published_total(self, one: Standing) -> Fraction:
        """The total that counts: recomputed, or as published where the printed marks leave it open."""
        if one.fuzzy and "total" in one.row:
            low, high = self._bounds(one)
            if low - SIXTH <= exact(one.row["total"]) <= high + SIXTH:
                one.total = exact(one.row["total"])
        return one.total or Fraction(0)

    def _trusted(self, group: Sequence[Standing]) -> list[list[Standing]]:
        for one in group:
            one.taken_on_trust = True
        return _split(group, lambda one: one.published_rank)

    def _break(self, group: list[Standing], steps: Sequence[Mapping[str, Any]]) -> list[list[Standing]]:
        if len(group) == 1:
            return [group]
        if not steps or steps[0]["by"] in ("lots", "role-decides"):
            numbers = {one.number for one in group}
            for order in reversed(self.decided):
                if numbers <= set(order):
                    for one in group:
                        one.ties.append({"by": "decided"})
                    return [[one] for one in sorted(group, key=lambda one: order.index(one.number))]
            return [group]
        step, rest = steps[0], steps[1:]
        if self._compares_unknown(group, step):
            return self._trusted(group)
        parts = _split(group, lambda one: self._value(one, step))
        if len(parts) > 1:
            line = {"by": step["by"]} | ({"part": step["part"]} if step["part"] else {})
            for one in group:
                one.ties.append(line)
        return [found for part in parts for found in self._break(part, rest)]

    def _choose(self, ranked: Sequence[Standing]) -> None:
        rule = self.terms.tree["selection"]
        winners = self.places if rule["winners"] == "highest-total" else 0
        reserve = winners + rule["reserve_places_per_post"]
        level = Counter(one.rank or 0 for one in ranked)
        for one in ranked:
            first = one.rank or 0
            last = first + level[first] - 1
            if last <= winners:
                one.outcome = "selected"
            elif first > winners and last <= reserve:
                one.outcome = "reserve"

    # ------------------------------------------------------------------------------ against the published lines

    def _compare(self, one: Standing) -> Iterator[str]:
        row, number = one.row, one.number
        if one.outcome != row["outcome"]:
            yield f"{number} is {one.outcome}, not {row['outcome']}"
        total = None if one.total is None else decimal(one.total)
        if total != row.get("total") and not self._close(one):
            yield f"the total of {number} is {total or 'none'}, not {row.get('total', 'none')}"
        if one.rank != row.get("rank"):
            yield f"the rank of {number} is {one.rank or 'none'}, not {row.get('rank', 'none')}"
        points = decimal(one.points) if one.added else None
        if points != row.get("priority"):
            yield f"{number} gets {points or 'no'} priority points, not {row.get('priority', 'none')}"
        if not one.taken_on_trust and one.ties != row.get("ties", []):
            yield f"the tie-breaks named for {number} are not those applied"
        yield from self._lines(one)

    def _close(self, one: Standing) -> bool:
        if not one.fuzzy or one.total is None or "total" not in one.row:
            return False
        low, high = self._bounds(one)
        return low - SIXTH <= exact(one.row["total"]) <= high + SIXTH

    def _lines(self, one: Standing) -> Iterator[str]:
        """Part by part in the regulation's order: the mark with any priority points, whether it passed."""
        expected = []
        for name, part in self.terms.parts.items():
            if name in one.gone:
                expected.append((part["stage"], name, "0", "absent"))
            elif name in one.marks:
                expected.append(
                    (part["stage"], name, decimal(one.marks[name]), "no" if name in one.missed else "yes")
                )
        given = [
            (line["stage"], line.get("part") or self._only_part(line["stage"]), line["mark"], line["passed"])
            for line in one.row["stages"]
        ]
        if given != expected:
            yield f"the lines of {one.number} are not one for each part, with its mark and whether it passed"


def _split(group: Sequence[Standing], key: Any) -> list[list[Standing]]:
    found: dict[Any, list[Standing]] = defaultdict(list)
    for one in group:
        found[key(one)].append(one)
    return [found[value] for value in sorted(found)]
