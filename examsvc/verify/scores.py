"""V13: every score follows from responses and key, every mark from its sheets, and the ranking holds these and no others.

What it finds out on the way, exactly and not as printed, is what V14 ranks in the restricted edition.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from examsvc.ledger.definitions import PART_KINDS, StageKind
from examsvc.ledger.entries import Entry
from examsvc.verify import papers as marking
from examsvc.verify import settling
from examsvc.verify.findings import Finding, conclude, not_checkable
from examsvc.verify.papers import Paper, Papers, Question
from examsvc.verify.reading import Bundle
from examsvc.verify.terms import UNREADABLE, RegulationUnread, Terms, decimal, exact

TITLE = "scores follow from responses and key, marks from their sheets, and the ranking holds these"


@dataclass
class Inputs:
    """What a candidate brings to a ranking: marks by part after sanctions, exact; parts not sat; whether he is excluded."""

    marks: dict[str, Fraction] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    excluded: bool = False


@dataclass
class Recomputed:
    """The finding, and for each `results.computed` (by index) what its candidates bring; empty in the public edition."""

    finding: Finding
    inputs: dict[int, dict[str, Inputs]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt as prepared; candidate, form and items are None where they were erased."""

    code: str
    index: int
    sitting: str
    paper: str
    candidate: str | None
    slots: Mapping[int, str] | None
    form: str | None


def scores(read: Bundle) -> Recomputed:
    """V13. In the public edition nothing of it can be checked."""
    if not read.restricted:
        return Recomputed(
            not_checkable("V13", TITLE, "responses, keys and sheets are in the restricted edition")
        )
    try:
        work = _Work(read, Terms.of(read))
        reasons = list(work.check())
        found: dict[int, dict[str, Inputs]] = {}
        for entry in read.of("results.computed"):
            found[entry.index] = work.inputs(entry)
            reasons += [
                f"entry {entry.index}: {reason}" for reason in work.compare(entry, found[entry.index])
            ]
    except RegulationUnread as error:
        return Recomputed(conclude("V13", TITLE, [str(error)]))
    except UNREADABLE as error:
        return Recomputed(conclude("V13", TITLE, [f"the pinned regulation cannot be applied: {error!r:.80}"]))
    return Recomputed(conclude("V13", TITLE, reasons, work.notes()), found)


class _Work:
    def __init__(self, read: Bundle, terms: Terms) -> None:
        self.read, self.terms = read, terms
        self.papers = Papers(read, terms)
        self.attempts = {one.code: one for one in map(self._attempt, read.of("attempt.prepared"))}
        self.answers = {
            entry.body["attempt"]: read.opened(entry.body["answers"])
            for entry in read.of("attempt.submitted")
        }
        for entry in read.of("attempt.late_decided"):
            if "answers" in entry.body:
                self.answers[entry.body["attempt"]] = read.opened(entry.body["answers"])
        # attempt → (index of the table, exact score by part), oldest first
        self.objective: dict[str, list[tuple[int, dict[str, Fraction]]]] = defaultdict(list)
        # script → (index of the settlement, exact mark), oldest first
        self.settled: dict[str, list[tuple[int, Fraction]]] = defaultdict(list)
        self.heard: dict[str, list[tuple[int, Fraction]]] = defaultdict(list)
        self.earned: dict[tuple[int, int, str], Fraction | None] = {}
        self.responses = self.unread = 0
        self.pairs = [
            (entry, value)
            for entry in read.of("blind.map", "plans.map")
            for value in map(read.opened, entry.body["pairs"])
            if value is not None
        ]
        self.script_parts = {value["script"]: self._script_part(entry, value) for entry, value in self.pairs}

    def notes(self) -> list[str]:
        """How much was recomputed."""
        found = [f"{self.responses} responses marked again"]
        if self.unread:
            found.append(f"{self.unread} responses to items that this program cannot mark, taken as scored")
        return found

    def check(self) -> Iterator[str]:
        """Tables and settlements, each by itself."""
        yield from self._keys()
        yield from self._faulty()
        for entry in self.read.of("responses.scored"):
            for reason in self._table(entry):
                yield f"entry {entry.index}: {reason}"
        yield from self._scripts()
        yield from self._remarks()
        yield from self._hearings()

    # ------------------------------------------------------------------------------ responses and key

    def _attempt(self, entry: Entry) -> Attempt:
        candidate, terms = self.read.opened(entry.body["candidate"]), self.read.opened(entry.body["terms"])
        return Attempt(
            entry.body["attempt"],
            entry.index,
            entry.body["sitting"],
            entry.body["paper"],
            None if candidate is None else candidate["candidate"],
            None if terms is None else {row["slot"]: row["item"] for row in terms["slots"]},
            None if terms is None else terms["form"],
        )

    def _keys(self) -> Iterator[str]:
        """The key as sealed holds the very items of the forms."""
        for paper in self.papers.by_code.values():
            _, key = paper.keys.get(1, (0, {}))
            asked = {question.item for form in paper.forms.values() for question in form.values()}
            if key and asked and set(key) != asked:
                yield f"the key of {paper.code} is for other items than its forms have"
            for digest, native in key.items():
                item = self.papers.item(native)
                if item is not None and item.digest != digest:
                    yield f"the key of {paper.code} holds another item than {digest[:16]}…"

    def _faulty(self) -> Iterator[str]:
        for paper in self.papers.by_code.values():
            questions = {digest: q for form in paper.forms.values() for digest, q in form.items()}
            for index, digest, value in paper.faulty:
                question = questions.get(digest)
                part = self.papers.part_of(paper, question, StageKind.OBJECTIVE) if question else None
                if questions and part is None:
                    yield f"entry {index}: {paper.code} has no machine-marked item {digest[:16]}…"
                elif part is not None and value is not None:
                    rule = marking.RULES.get(self.terms.parts[part]["neutralised_item"])
                    if (value["paper"], value["item"], value["rule"]) != (paper.code, digest, rule):
                        yield f"entry {index}: a faulty question of {part} is dealt with as the regulation does not say"

    def _table(self, entry: Entry) -> Iterator[str]:
        table, paper = self.read.opened(entry.body["scores"]), self.papers.by_code.get(entry.body["paper"])
        if table is None or paper is None:
            return
        rows: list[dict[str, Any]] = table["scores"]
        codes = [row["attempt"] for row in rows]
        if table["paper"] != paper.code or len(rows) != entry.body["attempts"] or codes != sorted(set(codes)):
            yield "its table is for another paper, or has another number of attempts, or one twice"
        if table["key"] != paper.key_in_force(entry.index):
            yield f"it was scored with key {table['key']}, in force was {paper.key_in_force(entry.index)}"
        under = entry.body["under"]
        order = self.read.entries[under] if under < len(self.read.entries) else None
        if order is not None and order.type == "sitting.closed":
            ended = {
                other.body["attempt"]
                for other in self.read.of("attempt.submitted")
                if other.body["sitting"] == order.body["sitting"]
            }
            if set(codes) != ended:
                yield f"it scores other attempts than were submitted in the sitting {order.body['sitting']}"
        for row in rows:
            attempt = self.attempts.get(row["attempt"])
            if attempt is None or attempt.paper != paper.code or row["attempt"] not in self.answers:
                yield f"the attempt {row['attempt']} was not submitted on this paper"
                continue
            yield from self._row(entry, paper, attempt, row)

    def _row(self, entry: Entry, paper: Paper, attempt: Attempt, row: Mapping[str, Any]) -> Iterator[str]:
        answers = self.answers[attempt.code]
        form = paper.forms.get(attempt.form or "")
        if answers is None or attempt.slots is None or form is None or table_key(paper, entry) is None:
            return
        asked = [
            (answer["value"], question, part)
            for answer in answers["answers"]
            if (question := form.get(attempt.slots.get(answer["slot"], ""))) is not None
            and (part := self.papers.part_of(paper, question, StageKind.OBJECTIVE)) is not None
        ]
        earned: dict[str, tuple[Fraction | None, Fraction]] = {}
        for value, question, _ in asked:
            earned[question.item] = (self._earned(paper, entry, question, value), question.marks)
        counted = {item for item, (score, _) in earned.items() if score is not None}
        known = [place for place in asked if place[1].item in counted or not self._by_person(paper, place[1])]
        faulty = {
            item: self.terms.parts[part]["neutralised_item"]
            for item in paper.faulty_before(entry.index)
            for _, question, part in asked
            if question.item == item
        }
        after = marking.after_faults({q.item: earned[q.item] for _, q, _ in known}, faulty)
        if len(row["slots"]) != len(known):
            yield f"the attempt {attempt.code} has {len(known)} machine-marked slots and {len(row['slots'])} scores"
            return
        by_part: dict[str, Fraction] = defaultdict(Fraction)
        for (_, question, part), printed in zip(known, row["slots"], strict=True):
            score = after[question.item]
            if score is None:
                self.unread += 1
                score = exact(printed)
            else:
                self.responses += 1
                if decimal(score) != printed:
                    yield f"the attempt {attempt.code} earns {decimal(score)} in question {question.slot}, not {printed}"
            by_part[part] += score
        if decimal(sum(by_part.values(), Fraction(0))) != row["total"]:
            yield f"the scores of the attempt {attempt.code} do not add up to {row['total']}"
        self.objective[attempt.code].append((entry.index, dict(by_part)))

    def _by_person(self, paper: Paper, question: Question) -> bool:
        item = self.papers.item(paper.keys.get(1, (0, {}))[1].get(question.item))
        return item is not None and item.by_person

    def _earned(self, paper: Paper, entry: Entry, question: Question, value: object) -> Fraction | None:
        """Many give the same answer: it is marked once for each table."""
        seen = (entry.index, id(question), repr(value))
        if seen not in self.earned:
            self.earned[seen] = self._marked(paper, entry, question, value)
        return self.earned[seen]

    def _marked(self, paper: Paper, entry: Entry, question: Question, value: object) -> Fraction | None:
        key = table_key(paper, entry)
        shown = self.papers.item(paper.keys.get(1, (0, {}))[1].get(question.item))
        by = self.papers.item((key or {}).get(question.item))
        if shown is None or by is None:
            return None
        part = marking.share(shown, shown if by.digest == shown.digest else by, value)
        return None if part is None else part * question.marks

    # ------------------------------------------------------------------------------ sheets and settlements

    def _script_part(self, entry: Entry, value: Mapping[str, Any]) -> tuple[str | None, Fraction | None]:
        """(part, maximum) of a script; None where it cannot be said."""
        if "attempt" not in value:
            parts = [
                name
                for name, part in self.terms.parts.items()
                if part["stage"] == entry.stage and part["kind"] == "plan"
            ]
            return (parts[0], self.terms.maxima[parts[0]]) if len(parts) == 1 else (None, None)
        attempt = self.attempts.get(value["attempt"])
        paper = self.papers.by_code.get(attempt.paper) if attempt else None
        if attempt is None or paper is None or attempt.slots is None:
            return (None, None)
        question = paper.forms.get(attempt.form or "", {}).get(attempt.slots.get(value["slot"], ""))
        if question is None:
            return (None, None)
        return (self.papers.part_of(paper, question, StageKind.WRITTEN), question.marks)

    def _scripts(self) -> Iterator[str]:
        for entry in self.read.of("mark.recorded"):
            yield from self._added_up(entry)
        for entry in self.read.of("mark.settled"):
            value, script = self.read.opened(entry.body["settlement"]), entry.body["script"]
            part, maximum = self.script_parts.get(script, (None, None))
            if value is None:
                continue
            mark = exact(value["mark"])
            if part is not None and maximum is not None:
                scheme = self.terms.named("marking", self.terms.parts[part]["marking"])
                for given in map(exact, (*value["marks"], value["mark"])):
                    if not 0 <= given <= maximum:
                        yield f"entry {entry.index}: a mark of {script} is outside 0 to {decimal(maximum)}"
                try:
                    expected = settling.script(
                        self.terms, scheme, [exact(text) for text in value["marks"]], maximum
                    )
                except settling.Unsettled as error:
                    yield f"entry {entry.index}: the script {script} cannot be settled: {error}"
                else:
                    if entry.body["manner"] not in expected.manners:
                        yield f"entry {entry.index}: the regulation does not settle the marks of {script} as {entry.body['manner']}"
                    elif expected.mark is not None and decimal(expected.mark) != value["mark"]:
                        yield f"entry {entry.index}: the marks of {script} make {decimal(expected.mark)}, not {value['mark']}"
                    mark = mark if expected.mark is None else expected.mark
            self.settled[script].append((entry.index, mark))

    def _added_up(self, entry: Entry) -> Iterator[str]:
        """The criteria of a sheet, where it has any, add up to its total."""
        value = self.read.opened(entry.body["sheet"])
        if value is not None and value["criteria"]:
            total = sum((exact(row["mark"]) for row in value["criteria"]), Fraction(0))
            if decimal(total) != value["total"]:
                yield f"entry {entry.index}: the criteria of the sheet add up to {decimal(total)}, not {value['total']}"

    def _remarks(self) -> Iterator[str]:
        sheets: dict[tuple[str, str], list[tuple[int, str | None]]] = defaultdict(list)
        for entry in self.read.of("remark.recorded"):
            value = self.read.opened(entry.body["sheet"])
            total = None if value is None else value["total"]
            sheets[(entry.body["appeal"], entry.body["script"])].append((entry.body["round"], total))
        old = {
            value["script"]: value["old"]
            for entry in self.read.of("remark.ordered")
            for value in map(self.read.opened, entry.body["pairs"])
            if value is not None
        }
        for entry in self.read.of("remark.settled"):
            value, script = self.read.opened(entry.body["settlement"]), old.get(entry.body["script"])
            if value is None or script is None:
                continue
            before, mark = exact(value["before"]), exact(value["mark"])
            counted = [number for index, number in self.settled[script] if index < entry.index]
            given = [total for _, total in sorted(sheets[(entry.body["appeal"], entry.body["script"])])]
            if (
                not counted
                or decimal(counted[-1]) != value["before"]
                or value["script"] != entry.body["script"]
            ):
                yield f"entry {entry.index}: {value['before']} is not the mark that counted before the re-mark"
            if None not in given and given != value["marks"]:
                yield f"entry {entry.index}: it settles other marks than those of the re-markers"
            outcome = "raised" if mark > before else "lowered" if mark < before else "unchanged"
            if outcome != entry.body["outcome"]:
                yield f"entry {entry.index}: from {value['before']} to {value['mark']} is not {entry.body['outcome']}"
            self.settled[script].append((entry.index, mark))

    def _heard_part(self, stage: str | None) -> str | None:
        parts = [
            name
            for name, part in self.terms.parts.items()
            if part["stage"] == stage and PART_KINDS[part["kind"]] is StageKind.DEFENCE
        ]
        return parts[0] if len(parts) == 1 else None

    def _hearings(self) -> Iterator[str]:
        for entry in self.read.of("hearing.marked"):
            yield from self._added_up(entry)
        for entry in self.read.of("hearing.settled"):
            value, part = self.read.opened(entry.body["settlement"]), self._heard_part(entry.stage)
            if value is None:
                continue
            mark = exact(value["mark"])
            if part is not None and entry.body["manner"] in ("mean", "trimmed"):
                if any(not 0 <= exact(text) <= self.terms.maxima[part] for text in value["marks"]):
                    yield f"entry {entry.index}: a mark is outside 0 to {decimal(self.terms.maxima[part])}"
                rule = self.terms.named("panels", self.terms.parts[part]["panel"])
                try:
                    mark = settling.panel(self.terms, rule, [exact(text) for text in value["marks"]])
                except settling.Unsettled as error:
                    yield f"entry {entry.index}: the hearing {entry.body['hearing']} cannot be settled: {error}"
                if decimal(mark) != value["mark"]:
                    yield f"entry {entry.index}: the panel's marks make {decimal(mark)}, not {value['mark']}"
            self.heard[entry.body["hearing"]].append((entry.index, mark))

    # ------------------------------------------------------------------------------ what candidates bring

    def inputs(self, computed: Entry) -> dict[str, Inputs]:
        """What each candidate of a run brings, as the log stood then; candidates whose links were erased are left out."""
        index, stages = computed.index, set(computed.body["stages"])
        counting = [one for one in self.attempts.values() if one.index < index]
        replaced = {
            value["previous"]
            for entry in self.read.of("attempt.granted")
            if entry.index < index and (value := self.read.opened(entry.body["grant"])) is not None
        }
        void = {
            entry.body.get("sitting")
            for entry in self.read.of("decision.annulled")
            if entry.index < index and entry.body["level"] == "sitting"
        }
        counting = [one for one in counting if one.code not in replaced and one.sitting not in void]
        found: dict[str, Inputs] = defaultdict(Inputs)
        parts_of = self._seated_parts(counting, stages)
        self._seated(index, counting, parts_of, found)
        self._written(index, {one.code: one for one in counting}, stages, found)
        self._spoken(index, stages, found)
        self._sanctioned(index, {one.code: one for one in counting}, parts_of, found)
        if self._hidden(computed):
            linked = {one.candidate for one in self.attempts.values()} | {
                value["candidate"]
                for entry in self.read.of("hearing.listed")
                if (value := self.read.opened(entry.body["candidate"])) is not None
            }
            return {candidate: person for candidate, person in found.items() if candidate in linked}
        return dict(found)

    def _seated_parts(self, attempts: list[Attempt], stages: set[str]) -> dict[str, set[str]]:
        """The parts that each attempt sits, those of stages that count."""
        found: dict[str, set[str]] = {}
        by_form: dict[tuple[str, str | None], set[str]] = {}
        for one in attempts:
            paper = self.papers.by_code.get(one.paper)
            if paper is None or paper.stage not in stages:
                found[one.code] = set()
                continue
            key = (one.paper, one.form)
            if key not in by_form:
                names = (
                    self.papers.part_of(paper, question, kind)
                    for question in paper.forms.get(one.form or "", {}).values()
                    for kind in (StageKind.OBJECTIVE, StageKind.WRITTEN)
                )
                by_form[key] = {name for name in names if name is not None}
            found[one.code] = by_form[key]
        return found

    def _seated(
        self, index: int, attempts: list[Attempt], parts_of: Mapping[str, set[str]], found: dict[str, Inputs]
    ) -> None:
        absent = {entry.body["attempt"] for entry in self.read.of("attempt.absent") if entry.index < index}
        for one in attempts:
            if one.candidate is None:
                continue
            person = found[one.candidate]
            if one.code in absent:
                person.absent |= parts_of[one.code]
            tables = [by_part for place, by_part in self.objective.get(one.code, ()) if place < index]
            for part, score in (tables[-1] if tables else {}).items():
                if part in parts_of[one.code]:
                    person.marks[part] = person.marks.get(part, Fraction(0)) + score

    def _written(
        self, index: int, attempts: Mapping[str, Attempt], stages: set[str], found: dict[str, Inputs]
    ) -> None:
        unsettled: set[tuple[str, str]] = set()
        for entry, value in self.pairs:
            part, _ = self.script_parts[value["script"]]
            if "attempt" in value:
                one = attempts.get(value["attempt"])
                candidate = one.candidate if one is not None else None
            else:
                candidate = value["candidate"]
            if entry.index > index or part is None or candidate is None:
                continue
            if self.terms.parts[part]["stage"] not in stages:
                continue
            marks = [mark for place, mark in self.settled.get(value["script"], ()) if place < index]
            if not marks:
                unsettled.add((candidate, part))
            else:
                person = found[candidate]
                person.marks[part] = person.marks.get(part, Fraction(0)) + marks[-1]
        for candidate, part in unsettled:
            found[candidate].marks.pop(part, None)

    def _spoken(self, index: int, stages: set[str], found: dict[str, Inputs]) -> None:
        absent = {entry.body["hearing"] for entry in self.read.of("hearing.absent") if entry.index < index}
        for entry in self.read.of("hearing.listed"):
            value, part = self.read.opened(entry.body["candidate"]), self._heard_part(entry.stage)
            if value is None or part is None or entry.index > index or entry.stage not in stages:
                continue
            marks = [mark for place, mark in self.heard.get(entry.body["hearing"], ()) if place < index]
            if entry.body["hearing"] in absent:
                found[value["candidate"]].absent.add(part)
            elif marks:
                found[value["candidate"]].marks[part] = marks[-1]

    def _sanctioned(
        self,
        index: int,
        attempts: Mapping[str, Attempt],
        parts_of: Mapping[str, set[str]],
        found: dict[str, Inputs],
    ) -> None:
        lifted = {
            (entry.body["incident"], entry.body["order"])
            for entry in self.read.of("sanction.lifted")
            if entry.index < index
        }
        shares: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for entry in self.read.of("sanction.imposed"):
            value = self.read.opened(entry.body["sanction"])
            if (
                value is None
                or entry.index > index
                or (entry.body["incident"], entry.body["order"]) in lifted
            ):
                continue
            rule = self.terms.named("sanctions", value["level"])
            if "attempt" in value:
                parts = parts_of.get(value["attempt"], set()) if value["attempt"] in attempts else set()
            else:
                part = self._heard_part(entry.stage)
                parts = {part} if part is not None else set()
            if rule["annuls"] and parts:
                found[value["candidate"]].excluded = True
            for part in parts:
                shares[(value["candidate"], part)] += exact(rule["deduction"])
        out = {
            entry.body["application"]: entry.body["outcome"] == "ineligible"
            for entry in self.read.of("application.decided")
            if entry.index < index
        }
        for entry in self.read.of("candidates.listed"):
            table = self.read.opened(entry.body["candidates"])
            for row in table["candidates"] if table is not None and entry.index < index else ():
                if out.get(row["application"]):
                    found[row["candidate"]].excluded = True
        for candidate, person in found.items():
            for part in list(person.marks):
                share = min(Fraction(1), shares.get((candidate, part), Fraction(0)))
                person.marks[part] = self.terms.rounded("part-mark", person.marks[part] * (1 - share))

    def compare(self, computed: Entry, inputs: Mapping[str, Inputs]) -> Iterator[str]:
        """The marks in a ranking are these, all of them, and nobody else's."""
        table = self.read.opened(computed.body["ranking"])
        if table is None:
            return
        hidden = self._hidden(computed)
        stages = set(computed.body["stages"])
        for row in table["rows"]:
            number = row["candidate"]
            if number not in inputs and hidden:
                continue
            person = inputs.get(number, Inputs())
            shown = {
                self.part_in(one) or one["stage"]: (one["mark"], one["passed"])
                for one in row["stages"]
                if one["stage"] in stages
            }
            expected = {
                part: decimal(mark + self._priority(row, part)) for part, mark in person.marks.items()
            }
            given = {part: mark for part, (mark, passed) in shown.items() if passed != "absent"}
            if given != expected:
                odd = ", ".join(
                    sorted(p for p in given.keys() | expected.keys() if given.get(p) != expected.get(p))
                )
                yield f"{number} has other marks than those recomputed: {odd}"
            away = {part for part, (_, passed) in shown.items() if passed == "absent"}
            if not away <= person.absent:
                yield f"{number} is called absent, and was not"
            if (row["outcome"] == "excluded") != person.excluded:
                yield f"{number} is {'' if person.excluded else 'not '}to be excluded, and the ranking says otherwise"

    def part_in(self, row: Mapping[str, Any]) -> str | None:
        """The part that a line of a ranking is about: named, or the only one of its stage."""
        if "part" in row:
            return str(row["part"])
        parts = [name for name, part in self.terms.parts.items() if part["stage"] == row["stage"]]
        return parts[0] if len(parts) == 1 else None

    def _priority(self, row: Mapping[str, Any], part: str) -> Fraction:
        rule = self.terms.tree["priority"]
        if rule is None or rule["added_to"] != part or "priority" not in row:
            return Fraction(0)
        return exact(row["priority"])

    def _hidden(self, computed: Entry) -> bool:
        """Whether personal links were erased, so that a candidate may be missing here."""
        links = [
            entry.body["candidate"]
            for entry in self.read.of("attempt.prepared", "hearing.listed")
            if entry.index < computed.index
        ]
        return any(self.read.opened(link) is None for link in links)


def table_key(paper: Paper, entry: Entry) -> Mapping[str, Any] | None:
    """The key that a table of this entry is scored with; None where this edition does not open it."""
    found = paper.keys.get(paper.key_in_force(entry.index))
    return None if found is None else found[1]
