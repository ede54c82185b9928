"""V8: everybody who was checked in has one answer set that counts, made of his saves, in time."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from examsvc.ledger import canonical, chains, commitments, entries
from examsvc.ledger.bundle import Save
from examsvc.ledger.chains import Head
from examsvc.ledger.entries import Entry, EntryError
from examsvc.verify.findings import Finding, conclude
from examsvc.verify.reading import Bundle

TITLE = "each attempt that was checked in has one answer set that counts, saved in time"


def submits(read: Bundle) -> Finding:
    """V8. The public edition proves who was checked in, absent and submitted; the restricted one every save."""
    reasons = [*_attempts(read), *_counts(read)]
    notes = []
    if read.restricted:
        histories = {
            attempt: chains.replay(_code(read), attempt, _commitments(saves))
            for attempt, saves in read.chains.items()
        }
        reasons += _heads(read, histories)
        prepared, grace = _by_attempt(read, "attempt.prepared"), _grace(read)
        for entry in read.of("attempt.submitted"):
            attempt = entry.body["attempt"]
            found = _submit(read, entry, histories.get(attempt), prepared.get(attempt), grace)
            reasons += [f"attempt {attempt}: {reason}" for reason in found]
        submitted = {entry.body["attempt"] for entry in read.of("attempt.submitted")}
        reasons += [
            f"there are saves of {attempt}, which never ended"
            for attempt in sorted(read.chains.keys() - submitted)
        ]
        notes.append(f"{sum(map(len, read.chains.values()))} saves")
    else:
        notes.append(
            "answers and saves are not in the public edition; each candidate's receipt proves his own"
        )
    return conclude("V8", TITLE, reasons, notes)


def _code(read: Bundle) -> str:
    return str(read.manifest["competition"])


def _commitments(saves: Sequence[Save]) -> list[str]:
    return [save.commitment for save in saves]


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


def _heads(read: Bundle, histories: dict[str, list[Head]]) -> Iterator[str]:
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
        try:
            heads = [
                histories[attempt][links] if links else chains.start(_code(read), attempt)
                for attempt, links in counts.items()
                if links >= 0
            ]
        except (KeyError, IndexError):
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


def _submit(
    read: Bundle, entry: Entry, history: list[Head] | None, prepared: Entry | None, grace: int
) -> Iterator[str]:
    attempt, links = entry.body["attempt"], entry.body["links"]
    saves = read.chains.get(attempt, [])
    history = history or [chains.start(_code(read), attempt)]
    terms = read.opened(prepared.body["terms"]) if prepared is not None else None
    if links >= len(history) or history[links].head != entry.body["head"]:
        yield "its saves do not lead to the head that was submitted"
        return
    answers = read.opened(entry.body["answers"])
    if answers is None:
        return  # erased, or not rightly opened, which V6 reports
    late = [other for other in read.of("attempt.late_kept") if other.body["attempt"] == attempt]
    for other in late:
        if other.body["links"] >= len(history) or history[other.body["links"]].head != other.body["head"]:
            yield f"entry {other.index}: its saves do not lead to the late head"
    decided = next((e for e in read.of("attempt.late_decided") if e.body["attempt"] == attempt), None)
    known = max([links, *(other.body["links"] for other in late)])
    if len(saves) > known:
        yield f"it has {len(saves) - known} saves that no entry commits to"
    opened: list[dict[str, Any]] = []
    for place, save in enumerate(saves, start=1):
        if save.salt is None:
            yield f"save {place} is not opened although the answers are"
            return
        if not commitments.opens(save.commitment, "attempt.save", save.salt, save.value):
            yield f"save {place} does not open its commitment"
            return
        try:
            entries.check_object("attempt.save", save.value)
        except EntryError as error:
            yield f"save {place}: {error}"
            return
        opened.append(save.value)
    if entry.body["manner"] == "candidate" and entry.time > answers["deadline"] + grace:
        yield "it was submitted by the candidate after the deadline"
    yield from _history(attempt, opened, answers["deadline"], grace)
    yield from _answer_set(read, entry, terms, answers, [save for save in opened[:links] if not save["late"]])
    if decided is not None and decided.body["outcome"] == "counted" and "answers" in decided.body:
        counted = read.opened(decided.body["answers"])
        if counted is not None:
            yield from _answer_set(read, entry, terms, counted, opened)


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
    read: Bundle,
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
