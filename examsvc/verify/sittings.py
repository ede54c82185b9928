"""V8: everybody who was checked in has one answer set that counts, made of his saves, in time."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from examsvc.ledger import canonical, chains
from examsvc.ledger.bundle import Save
from examsvc.ledger.chains import Head
from examsvc.ledger.entries import Entry
from examsvc.verify.findings import Finding, conclude
from examsvc.verify.reading import NOT_OPENED, Bundle, Misfit

TITLE = "each attempt that was checked in has one answer set that counts, saved in time"


def submits(read: Bundle) -> Finding:
    """V8. The public edition proves who was checked in, absent and submitted; the restricted one every save."""
    reasons = [*_attempts(read), *_counts(read)]
    notes = []
    if read.restricted:
        found, saved = _saved(read)
        reasons += found
        notes.append(f"{saved} saves")
    else:
        notes.append(
            "answers and saves are not in the public edition; each candidate's receipt proves his own"
        )
    return conclude("V8", TITLE, reasons, notes)


def _code(read: Bundle) -> str:
    return str(read.manifest["competition"])


def _by_attempt(read: Bundle, type: str) -> dict[str, Entry]:
    return {entry.body["attempt"]: entry for entry in reversed(read.of(type))}


def _attempts(read: Bundle) -> Iterator[str]:
    prepared, present, absent, ended = (
        _by_attempt(read, f"attempt.{name}") for name in ("prepared", "checked_in", "absent", "submitted")
    )
    closed = {entry.body["sitting"] for entry in read.of("sitting.closed")}
    for attempt, entry in prepared.items():
        if entry.body["sitting"] in closed and (attempt in present) == (attempt in absent):
            yield f"attempt {attempt} is neither checked in nor absent, or both"
    for attempt, entry in present.items():
        if entry.body["sitting"] in closed and attempt not in ended:
            yield f"attempt {attempt} was checked in and has no answer set"
    for attempt, entry in ended.items():
        if attempt in prepared and entry.posts != prepared[attempt].posts:
            yield f"attempt {attempt} was prepared for other posts than it was submitted for"
    for entry in read.of("attempt.granted"):
        if entry.body["attempt"] not in prepared and entry.body["sitting"] in closed:
            yield f"attempt {entry.body['attempt']} was granted and never prepared"


def _counts(read: Bundle) -> Iterator[str]:
    def before(type: str, entry: Entry) -> int:
        sitting = entry.body["sitting"]
        return sum(other.body["sitting"] == sitting and other.index < entry.index for other in read.of(type))

    for entry in read.of("sitting.started"):
        for name in ("prepared", "checked_in"):
            if before(f"attempt.{name}", entry) != entry.body[name]:
                yield f"entry {entry.index} counts {entry.body[name]} attempts {name}, the log another number"
    for entry in read.of("sitting.closed"):
        for name in ("checked_in", "absent", "submitted"):
            if before(f"attempt.{name}", entry) != entry.body[name]:
                yield f"entry {entry.index} counts {entry.body[name]} attempts {name}, the log another number"


def _saved(read: Bundle) -> tuple[list[str], int]:
    """Reasons, and the number of saves: one pass over the saves, attempt by attempt, of which only the links are kept."""
    reasons: list[str] = []
    links: dict[str, bytes] = {}
    prepared, ended, grace = (
        _by_attempt(read, "attempt.prepared"),
        _by_attempt(read, "attempt.submitted"),
        _grace(read),
    )
    late: dict[str, list[Entry]] = defaultdict(list)
    for entry in read.of("attempt.late_kept"):
        late[entry.body["attempt"]].append(entry)
    decided = {entry.body["attempt"]: entry for entry in reversed(read.of("attempt.late_decided"))}
    saved = 0
    for attempt, saves in read.histories():
        saved += len(saves)
        links[attempt] = chains.links(_code(read), attempt, [save.commitment for save in saves])
        if attempt not in ended:
            reasons.append(f"there are saves of {attempt}, which never ended")
            continue
        submit = _Submit(
            read, ended[attempt], prepared.get(attempt), late[attempt], decided.get(attempt), grace
        )
        reasons += [f"attempt {attempt}: {reason}" for reason in submit.check(saves, links[attempt])]
    for attempt in ended.keys() - links.keys():
        links[attempt] = chains.links(_code(read), attempt, [])
        submit = _Submit(
            read, ended[attempt], prepared.get(attempt), late[attempt], decided.get(attempt), grace
        )
        reasons += [f"attempt {attempt}: {reason}" for reason in submit.check([], links[attempt])]
    return [*_heads(read, links), *reasons], saved


def _heads(read: Bundle, links: dict[str, bytes]) -> Iterator[str]:
    """The heads committed to while the sitting ran are those of the very chains in the bundle."""
    present, ended = _by_attempt(read, "attempt.checked_in"), _by_attempt(read, "attempt.submitted")
    listed = {entry.index for entry in read.of("sitting.heads")}
    for index in read.heads.keys() - listed:
        yield f"there are heads for entry {index}, which commits to none"
    for entry in read.of("sitting.heads"):
        counts = read.heads.get(entry.index)
        if counts is None:
            yield f"entry {entry.index}: the heads it commits to are not in the bundle"
            continue
        heads = []
        for attempt, count in counts.items():
            if attempt not in links:
                links[attempt] = chains.links(_code(read), attempt, [])
            if count < 0 or (head := chains.head_at(links[attempt], count)) is None:
                break
            heads.append(Head(attempt, count, head))
        if len(heads) != len(counts):
            yield f"entry {entry.index}: heads of saves that are not in the bundle"
            continue
        if (len(heads), sum(head.links for head in heads), chains.heads_root(heads)) != (
            entry.body["attempts"],
            entry.body["links"],
            entry.body["root"],
        ):
            yield f"entry {entry.index}: the chains had other heads than it commits to"
        for attempt, checked_in in present.items():
            running = checked_in.body["sitting"] == entry.body["sitting"] and checked_in.index < entry.index
            still = attempt not in ended or ended[attempt].index > entry.index
            if running and still and attempt not in counts:
                yield f"entry {entry.index} leaves out the open attempt {attempt}"


def _grace(read: Bundle) -> int:
    pinned = read.of("regulation.pinned")
    try:
        return int(canonical.decode(read.documents[pinned[0].body["digest"]])["sitting"]["grace_seconds"])
    except (IndexError, KeyError, TypeError, ValueError):
        return 0


@dataclass(frozen=True, slots=True)
class _Submit:
    """An attempt that ended, with what was put before the candidate and what came or was decided later."""

    read: Bundle
    entry: Entry
    prepared: Entry | None
    late: list[Entry]
    decided: Entry | None
    grace: int

    def check(self, saves: Sequence[Save], links: bytes) -> Iterator[str]:
        """The saves lead to what was submitted, and the answers are made of them."""
        read, entry = self.read, self.entry
        count = entry.body["links"]
        if chains.head_at(links, count) != entry.body["head"]:
            yield "its saves do not lead to the head that was submitted"
            return
        answers = read.opened(entry.body["answers"])
        if answers is None:
            return  # erased, or not rightly opened, which V6 reports
        for other in self.late:
            if chains.head_at(links, other.body["links"]) != other.body["head"]:
                yield f"entry {other.index}: its saves do not lead to the late head"
        known = max([count, *(other.body["links"] for other in self.late)])
        if len(saves) > known:
            yield f"it has {len(saves) - known} saves that no entry commits to"
        opened: list[dict[str, Any]] = []
        for place, save in enumerate(saves, start=1):
            if save.salt is None:
                yield f"save {place} is not opened although the answers are"
                return
            if save.value is NOT_OPENED:
                yield f"save {place} does not open its commitment"
                return
            if isinstance(save.value, Misfit):
                yield f"save {place}: {save.value}"
                return
            opened.append(save.value)
        if entry.body["manner"] == "candidate" and entry.time > answers["deadline"] + self.grace:
            yield "it was submitted by the candidate after the deadline"
        yield from _history(entry.body["attempt"], opened, answers["deadline"], self.grace)
        terms = read.opened(self.prepared.body["terms"]) if self.prepared is not None else None
        yield from _answer_set(entry, terms, answers, [save for save in opened[:count] if not save["late"]])
        decided = self.decided
        if decided is not None and decided.body["outcome"] == "counted" and "answers" in decided.body:
            counted = read.opened(decided.body["answers"])
            if counted is not None:
                yield from _answer_set(entry, terms, counted, opened)


def _history(attempt: str, saves: list[dict[str, Any]], deadline: int, grace: int) -> Iterator[str]:
    versions: Counter[int] = Counter()
    for place, save in enumerate(saves, start=1):
        versions[save["slot"]] += 1
        if save["attempt"] != attempt:
            yield f"save {place} belongs to another attempt"
        if save["version"] != versions[save["slot"]]:
            yield f"save {place} is not the next version of its slot"
        if save["late"] != (save["saved_at"] > deadline + grace) and (
            save["late"] or save["saved_at"] > deadline
        ):
            yield f"save {place} is {'flagged late though in time' if save['late'] else 'late and not flagged'}"


def _answer_set(
    entry: Entry,
    terms: dict[str, Any] | None,
    answers: dict[str, Any],
    saves: list[dict[str, Any]],
) -> Iterator[str]:
    newest: dict[int, dict[str, Any]] = defaultdict(lambda: {"version": 0, "value": None})
    for save in saves:
        newest[save["slot"]] = save
    rows = answers["answers"]
    slots = [row["slot"] for row in rows]
    if answers["attempt"] != entry.body["attempt"]:
        yield "its answer set belongs to another attempt"
    for row in rows:
        last = newest[row["slot"]]
        if (row["version"], row["value"]) != (last["version"], last["value"]):
            yield f"the answer to slot {row['slot']} is not the last one saved"
    if terms is not None:
        if slots != sorted(slot["slot"] for slot in terms["slots"]) or answers["form"] != terms["form"]:
            yield "its answer set does not have the slots and the form that were put before the candidate"
    elif len(set(slots)) != len(slots):
        yield "its answer set has a slot twice"
