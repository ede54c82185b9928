"""Number, order, locks and approvals across the entries of one log: what may come next, what is still missing.

The rules stand in the vocabulary; this module applies them post by post and stage by stage. Operations ask before
they append, the verifier asks for every entry of a bundle (checks V4, V5 and V11): it is the same code.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from examsvc.ledger.definitions import PART_KINDS, THINGS, EntryType, Lock, Log, Scope, StageKind
from examsvc.ledger.entries import TYPES, Entry, read_entry

Unit = tuple[str | None, str | None]
"""Post and stage; (post, None) for what is about a post, ANYWHERE for the log as a whole."""

ANYWHERE: Unit = (None, None)
_MARKED_THINGS = ("attempt", "script", "hearing")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one entry, or missing (index None); `check` is the check of the verifier it belongs to."""

    check: str
    index: int | None
    message: str


def declared_stages(regulation: Mapping[str, Any]) -> dict[str, frozenset[StageKind]]:
    """Stages of a regulation in its order, with the kinds of their parts, from its canonical JSON as read.

    Only `stages[].id` and `stages[].parts[].kind` are looked at, so that regulations of other releases can be read too.
    KeyError or TypeError where these are missing.
    """
    return {
        str(stage["id"]): frozenset(PART_KINDS[part["kind"]] for part in stage["parts"])
        for stage in regulation["stages"]
    }


def check_log(
    log: Log, data: Iterable[bytes], stages: Mapping[str, Mapping[str, frozenset[StageKind]]] | None = None
) -> list[Problem]:
    """Every problem of number, order, lock and approval in a whole log; EntryError for an entry that cannot be read."""
    history = History(log, stages)
    return [problem for item in data for problem in history.append(read_entry(item))]


class History:
    """The entries of one log so far, indexed so that the next is checked without looking through them all.

    `stages` are the declared stages of each post in the regulation's order, with the kinds of their parts; empty for
    a registry log. A stage without parts (eligibility, documents) has no kinds and takes no entries about stages.
    """

    def __init__(
        self, log: Log, stages: Mapping[str, Mapping[str, frozenset[StageKind]]] | None = None
    ) -> None:
        self.log = log
        self.stages = stages or {}  # a log that still grows may learn of further posts
        self.size = 0
        self._competition: str | None = None
        self._time = 0
        self._numbers: set[tuple[Any, ...]] = set()
        self._unit_numbers: dict[Unit, set[tuple[Any, ...]]] = defaultdict(set)
        # type and shared things → unit → values of these things → how many
        self._index: dict[tuple[str, tuple[str, ...]], dict[Unit, Counter[tuple[Any, ...]]]] = {}
        self._counts: dict[Unit, Counter[str]] = defaultdict(Counter)
        self._orders: dict[int, Entry] = {}
        self._locked: set[Unit] = set()
        self._seen: dict[Unit, set[tuple[str, str]]] = defaultdict(set)
        self._frozen: dict[Unit, set[tuple[str, str]]] = {}
        self._omitted: set[Unit] = set()

    def check(self, entry: Entry) -> list[Problem]:
        """What is wrong with `entry` as the next one; nothing is recorded."""
        definition = TYPES[entry.type]
        found = [
            Problem(check, entry.index, f"{entry.type}: {text}")
            for check, text in self._check(entry, definition)
        ]
        return found

    def append(self, entry: Entry) -> list[Problem]:
        """Record `entry` as the next one, right or wrong, and say what is wrong with it."""
        problems = self.check(entry)
        self._record(entry, TYPES[entry.type])
        return problems

    def missing(self, posts: Iterable[str] | None = None) -> list[Problem]:
        """What a published result of these posts (all declared by default) requires and the log does not have."""
        chosen = list(self.stages) if posts is None else list(posts)
        absent = []
        for definition in TYPES.values():
            if not definition.required or self.log not in definition.log:
                continue
            for unit in self._required_units(definition, chosen):
                if not self._counts[unit][definition.name]:
                    absent.append(Problem("V4", None, f"{definition.name} is missing{_where(unit)}"))
        return absent

    def _required_units(self, definition: EntryType, posts: list[str]) -> Iterator[Unit]:
        if definition.scope is Scope.LOG:
            yield ANYWHERE
            return
        for post in posts:
            if definition.scope is Scope.POST:
                yield (post, None)
            else:
                yield from self._held(post, definition)

    def _held(self, post: str, definition: EntryType) -> list[Unit]:
        """The declared stages of a post in which the type occurs, those omitted aside."""
        return [
            (post, stage)
            for stage, kinds in self.stages.get(post, {}).items()
            if kinds & definition.kinds and (post, stage) not in self._omitted
        ]

    def _units(self, entry: Entry, definition: EntryType) -> list[Unit]:
        if definition.scope is Scope.LOG:
            return [ANYWHERE]
        if definition.scope is Scope.POST:
            return [(post, None) for post in entry.posts]
        return [(post, entry.stage) for post in entry.posts]

    def _check(self, entry: Entry, definition: EntryType) -> Iterator[tuple[str, str]]:
        if entry.index != self.size:
            yield "V3", f"the entry has index {entry.index} at place {self.size}"
        if self._competition is not None and entry.competition != self._competition:
            yield "V3", f"the entry belongs to {entry.competition}, the log to {self._competition}"
        if (entry.type == "log.opened") != (self.size == 0):
            yield "V4", "log.opened is the first entry and no other is"
        if self.log not in definition.log:
            yield "V4", f"does not occur in the {self.log} log"
            return
        if entry.time < self._time:
            yield "V5", "its time is before that of the entry before it"
        for approval in entry.body.get("approvals", ()):
            if approval["t"] > entry.time:
                yield "V11", f"the approval of {approval['by']} is later than the entry"
        units = self._units(entry, definition)
        undeclared = [unit for unit in units if not self._declared(unit, definition)]
        for unit in undeclared:
            yield "V4", f"does not occur{_where(unit)}"
        if undeclared:
            return
        yield from self._check_number(entry, definition, units)
        for unit in units:
            yield from self._check_order(entry, definition, unit)
            if definition.scope is Scope.STAGE:
                yield from self._check_lock(entry, definition, unit)
        if definition.orders:
            yield from self._check_under(entry, definition)

    def _declared(self, unit: Unit, definition: EntryType) -> bool:
        post, stage = unit
        if post is None:
            return True
        if stage is None:
            return post in self.stages
        return bool(self.stages.get(post, {}).get(stage, frozenset()) & definition.kinds)

    def _check_number(
        self, entry: Entry, definition: EntryType, units: list[Unit]
    ) -> Iterator[tuple[str, str]]:
        for unit, key in _number_keys(entry, definition, units):
            taken = self._numbers if unit is None else self._unit_numbers[unit]
            if key in taken:
                yield (
                    "V4",
                    f"stands here a second time ({definition.number_in_words}){_where(unit or ANYWHERE)}",
                )

    def _check_order(self, entry: Entry, definition: EntryType, unit: Unit) -> Iterator[tuple[str, str]]:
        for name in definition.after:
            for place in self._places(entry, definition, unit, TYPES[name]):
                if not self._count(entry, definition, place, TYPES[name]):
                    yield "V5", f"needs an earlier {name}{_where(place)}"
        for name in definition.before:
            for place in self._places(entry, definition, unit, TYPES[name]):
                if self._count(entry, definition, place, TYPES[name]):
                    yield "V5", f"comes after {name}{_where(place)}"
        if definition.within:
            opening, closing = (TYPES[name] for name in definition.within)
            for place in self._places(entry, definition, unit, opening):
                if self._count(entry, definition, place, opening) <= self._count(
                    entry, definition, place, closing
                ):
                    yield "V5", f"is not between {opening.name} and {closing.name}{_where(place)}"

    def _places(self, entry: Entry, definition: EntryType, unit: Unit, other: EntryType) -> list[Unit]:
        """Where entries of the type `other` count for this unit."""
        post, stage = unit
        if other.scope is Scope.LOG or post is None:
            return [ANYWHERE]
        if other.scope is Scope.POST:
            return [(post, None)]
        if stage is not None:
            return [unit] if self.stages[post][stage] & other.kinds else []
        held = self._held(post, other)
        named = entry.body.get("stages")
        return held if named is None else [place for place in held if place[1] in named]

    def _count(self, entry: Entry, definition: EntryType, place: Unit, other: EntryType) -> int:
        shared = shared_things(definition.name, other.name)
        values = tuple(entry.body[name] for name in shared)
        return self._index.get((other.name, shared), {}).get(place, Counter())[values]

    def _check_lock(self, entry: Entry, definition: EntryType, unit: Unit) -> Iterator[tuple[str, str]]:
        if unit in self._locked:
            if entry.type == "marks.locked":
                yield "V11", f"the marks are locked already{_where(unit)}"
            elif definition.lock is Lock.CLOSED:
                yield "V11", f"comes after the lock{_where(unit)}"
            elif definition.lock is Lock.APPROVED and not self._approved_by_two(entry):
                yield "V11", f"comes after the lock without two approvers{_where(unit)}"
        elif definition.lock is Lock.CLOSED:
            for thing in _marked_things(entry) & self._frozen.get(unit, set()):
                yield "V11", f"touches the {thing[0]} {thing[1]}, whose marks were locked{_where(unit)}"

    def _approved_by_two(self, entry: Entry) -> bool:
        order = self._orders.get(entry.body.get("under", -1))
        return any(len(item.body.get("approvals", ())) >= 2 for item in (entry, order) if item is not None)

    def _check_under(self, entry: Entry, definition: EntryType) -> Iterator[tuple[str, str]]:
        order = self._orders.get(entry.body["under"])
        if order is None or order.type not in definition.orders:
            yield "V11", f"entry {entry.body['under']} is not an earlier order of a kind that allows it"
            return
        shared = shared_things(definition.name, order.type)
        if any(entry.body[name] != order.body[name] for name in shared) or not (
            set(entry.posts) <= set(order.posts) or not order.posts
        ):
            yield "V11", f"the order in entry {order.index} is about something else"

    def _record(self, entry: Entry, definition: EntryType) -> None:
        units = self._units(entry, definition)
        self.size += 1
        self._competition = self._competition or entry.competition
        self._time = max(self._time, entry.time)
        for unit, key in _number_keys(entry, definition, units):
            (self._numbers if unit is None else self._unit_numbers[unit]).add(key)
        if entry.type in _ORDER_TYPES:
            self._orders[entry.index] = entry
        for unit in {ANYWHERE, *units}:
            self._counts[unit][entry.type] += 1
            for shared in _asked_for(entry.type):
                values = tuple(entry.body[name] for name in shared)
                places = self._index.setdefault((entry.type, shared), {})
                places.setdefault(unit, Counter())[values] += 1
        for unit in units:
            self._seen[unit] |= _marked_things(entry)
        self._change_state(entry, units)

    def _change_state(self, entry: Entry, units: list[Unit]) -> None:
        match entry.type:
            case "marks.locked":
                for unit in units:
                    self._locked.add(unit)
                    self._frozen[unit] = set(self._seen[unit])
            case "marks.reopened":
                self._locked.difference_update(units)
            case "stage.omitted":
                self._omitted.update(units)
            case "decision.annulled":
                self._annul(entry)

    def _annul(self, entry: Entry) -> None:
        """Numbers and order begin anew where a stage, a post or the competition is annulled.

        A sitting or a part needs nothing: what is held in its place has codes of its own.
        """
        level = entry.body["level"]
        if level in ("sitting", "part"):
            return
        for post in entry.posts:
            gone = {(post, stage) for stage in self.stages.get(post, {})} | {(post, None)}
            if level == "stage":
                gone = {(post, entry.body.get("stage"))}
            self._locked -= gone
            self._omitted -= gone
            for unit in gone:
                for book in (self._unit_numbers, self._counts, self._seen, self._frozen):
                    book.pop(unit, None)
                for places in self._index.values():
                    places.pop(unit, None)


@cache
def shared_things(name: str, other: str) -> tuple[str, ...]:
    """The codes of things that entries of both types always name: where order is asked, these agree."""
    own = {field.name for field in TYPES[name].body if not field.optional}
    others = {field.name for field in TYPES[other].body if not field.optional}
    return tuple(thing for thing in THINGS if thing in own and thing in others)


@cache
def _asked_for(name: str) -> tuple[tuple[str, ...], ...]:
    """Under which things entries of this type are looked up."""
    wanted = {
        shared_things(word.name, name)
        for word in TYPES.values()
        if name in (*word.after, *word.before, *(word.within or ()))
    }
    return tuple(sorted(wanted))


_ORDER_TYPES = frozenset(name for word in TYPES.values() for name in word.orders)


def _number_keys(
    entry: Entry, definition: EntryType, units: list[Unit]
) -> list[tuple[Unit | None, tuple[Any, ...]]]:
    """What must not stand twice: (None, key) in the whole log, (unit, key) in a unit."""
    if definition.number is None:
        return []
    key = (entry.type, *(entry.body[name] for name in definition.number))
    if any(name in THINGS for name in definition.number):
        return [(None, key)]
    return [(unit, key) for unit in units]


def _marked_things(entry: Entry) -> set[tuple[str, str]]:
    return {(name, entry.body[name]) for name in _MARKED_THINGS if name in entry.body}


def _where(unit: Unit) -> str:
    post, stage = unit
    if post is None:
        return ""
    return f" for the post {post}" if stage is None else f" for the post {post}, stage {stage}"
