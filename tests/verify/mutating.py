"""Changes of a bundle, one value or one place at a time: by somebody without keys, and by an insider who signs everything anew."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from forgery import World, refitted
from hall import POLICY, Scenario, material
from hall_course import competition

from examsvc.ledger import canonical
from examsvc.ledger.bundle import RESTRICTED, BundleError, compose, pack, split_lines, unpack
from examsvc.verify.findings import Verdict
from examsvc.verify.verification import NOT_VERIFIED, VERIFIED, verify

SMALL = Scenario(posts=("P1",), places={"P1": 1})
JSONL = ("log/entries.jsonl", "registry/entries.jsonl", "openings.jsonl", "saves.jsonl", "heads.jsonl")
Path = tuple[str | int, ...]


@dataclass
class Tally:
    """What became of the changes: by column or kind, how many were tried and found; neutral ones by reason; the rest is missed."""

    tried: Counter = field(default_factory=Counter)
    found: Counter = field(default_factory=Counter)
    neutral: Counter = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    by_check: Counter = field(default_factory=Counter)

    def note(self, column: str, checks: set[str] | None, reason: str | None, what: object) -> None:
        """`checks` are those that failed ("unreadable" if it is no bundle any more); None or empty: nothing was found."""
        self.tried[column] += 1
        if checks:
            self.found[column] += 1
            self.by_check.update(checks)
        elif reason is not None:
            self.neutral[reason] += 1
        else:
            self.missed.append(f"{column}: {what!r:.200}")


def checked(data: bytes) -> set[str]:
    """The checks that fail."""
    try:
        report = verify(data, POLICY)
    except BundleError:
        return {"unreadable"}
    checks = {finding.check for finding in report.findings if finding.verdict is Verdict.FAILED}
    assert report.status == (NOT_VERIFIED if checks else VERIFIED)
    return checks


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Every value inside that is neither an object nor a list, with the way to it."""
    if isinstance(value, dict):
        for name in sorted(value):
            yield from leaves(value[name], (*path, name))
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from leaves(member, (*path, place))
    else:
        yield path, value


def put(value: object, path: Path, new: object) -> object:
    """A copy with another value at the end of the way."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = new
    return copy


def others(value: object, draw: random.Random) -> list[object]:
    """Values near this one, none equal to it."""
    if isinstance(value, bool):
        made: list[object] = [not value]
    elif isinstance(value, int):
        made = [value + 1, value - 1, value + 1000, 0]
    elif isinstance(value, str):
        place = draw.randrange(len(value)) if value else 0
        digit = draw.choice("0123456789abcdef")
        made = [value + "x", value[:-1], value[:place] + digit + value[place + 1 :], ""]
        made += [str(int(value) + 1)] if value.isdecimal() else []
    else:
        made = [0, "a"]
    return [one for one in made if one != value or type(one) is not type(value)]


def column(path: Path) -> str:
    """The way without places in lists, and without what is free inside a value."""
    return ".".join(step for step in path if isinstance(step, str))


def rejoined(content: dict[str, bytes], name: str, lines: list[bytes]) -> bytes:
    return refitted({**content, name: b"".join(line + b"\n" for line in lines)})


# ---------------------------------------------------------------------------------------- without keys


def outsider_values(
    content: dict[str, bytes], draw: random.Random, each: int
) -> Iterator[tuple[str, bytes, object]]:
    """(column, bundle, what) for `each` changes of every value in every file, the list of files made to fit."""
    for name in JSONL:
        lines = split_lines(content[name])
        for place, line in enumerate(lines):
            value = json.loads(line)
            about = f"{name} {value.get('type') or value.get('name') or ''}".strip()
            for path, old in leaves(value):
                for new in draw.sample(made := others(old, draw), min(each, len(made))):
                    try:
                        changed = canonical.encode(put(value, path, new))
                    except canonical.CanonicalError:
                        continue
                    what = (place, path, old, new)
                    yield (
                        f"{about} {column(path)}",
                        rejoined(content, name, [*lines[:place], changed, *lines[place + 1 :]]),
                        what,
                    )
    manifest = json.loads(content["manifest.json"])
    for path, old in leaves(manifest):
        for new in others(old, draw)[:each]:
            try:
                changed = canonical.encode(put(manifest, path, new))
            except canonical.CanonicalError:
                continue
            yield f"manifest {path[0]}", pack({**content, "manifest.json": changed}), (path, old, new)


def outsider_bytes(
    content: dict[str, bytes], draw: random.Random, each: int
) -> Iterator[tuple[str, bytes, object]]:
    """`each` single bytes of every file changed, then of the archive itself."""
    for name, data in content.items():
        for _ in range(each):
            place = draw.randrange(len(data))
            changed = bytearray(data)
            changed[place] ^= 1 << draw.randrange(8)
            made = {**content, name: bytes(changed)}
            yield (
                f"byte of {name.split('/')[0]}",
                pack(made) if name == "manifest.json" else refitted(made),
                (name, place),
            )
    whole = pack(content)
    for _ in range(20 * each):
        changed = bytearray(whole)
        place = draw.randrange(len(whole))
        changed[place] ^= 1 << draw.randrange(8)
        yield "byte of the archive", bytes(changed), place


NEUTRAL = {
    "witness": "two of three cosignatures are the quorum",
    "registry": "the registry may be left out; V20 then says that it was not checked",
    "document": "only the regulation is needed; other documents that entries name may be left out",
    "post": "an edition may prove the results of some of the posts",
}


def structural(
    content: dict[str, bytes], other: dict[str, bytes], draw: random.Random
) -> Iterator[tuple[str, bytes, str | None, object]]:
    """(kind, bundle, reason why it is neutral or None, what): lines and files dropped, doubled, exchanged, cut off, spliced in."""
    for name in JSONL:
        lines, foreign = split_lines(content[name]), split_lines(other[name])
        for place in range(len(lines)):
            yield (
                "drop a line",
                rejoined(content, name, [*lines[:place], *lines[place + 1 :]]),
                None,
                (name, place),
            )
            yield (
                "double a line",
                rejoined(content, name, [*lines[: place + 1], *lines[place:]]),
                None,
                (name, place),
            )
            yield "cut off", rejoined(content, name, lines[:place]), None, (name, place)
            if place + 1 < len(lines):
                swapped = [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]]
                yield "exchange neighbours", rejoined(content, name, swapped), None, (name, place)
                far = draw.choice([p for p in range(len(lines)) if p != place])
                swapped = list(lines)
                swapped[place], swapped[far] = swapped[far], swapped[place]
                yield "exchange", rejoined(content, name, swapped), None, (name, place, far)
            if place < len(foreign) and foreign[place] not in lines:
                yield (
                    "splice a line in",
                    rejoined(content, name, [*lines[:place], foreign[place], *lines[place + 1 :]]),
                    None,
                    (name, place),
                )
                yield (
                    "splice the end",
                    rejoined(content, name, [*lines[:place], *foreign[place:]]),
                    None,
                    (name, place),
                )
        if len(lines) > 1:
            yield "reverse", rejoined(content, name, lines[::-1]), None, name
            for _ in range(5):
                shuffled = draw.sample(lines, len(lines))
                if shuffled != lines:
                    yield "reorder", rejoined(content, name, shuffled), None, name
    for name in content:
        if name == "manifest.json":
            continue
        rest = {key: data for key, data in content.items() if key != name}
        reason = None
        if name.startswith("documents/") and not content[name].startswith(b"{"):
            reason = NEUTRAL["document"]
        yield "drop a file", refitted(rest), reason, name
        yield "drop a file, still listed", pack(rest), None, name
        yield "empty a file", refitted({**content, name: b""}), None, name
        if name in other and other[name] != content[name]:
            yield "splice a file in", refitted({**content, name: other[name]}), None, name
    rest = {key: data for key, data in content.items() if not key.startswith("registry/")}
    yield "drop the registry", refitted(rest), NEUTRAL["registry"], "registry"
    for name in ("log/checkpoint", "registry/checkpoint"):
        lines = content[name].split(b"\n")
        for place in range(4, len(lines) - 1):
            fewer = b"\n".join([*lines[:place], *lines[place + 1 :]])
            yield (
                "drop a signature",
                refitted({**content, name: fewer}),
                NEUTRAL["witness"] if place > 4 else None,
                (name, place),
            )
            more = b"\n".join([*lines[: place + 1], *lines[place:]])
            yield "double a signature", refitted({**content, name: more}), None, (name, place)
    whole = pack(content)
    for _ in range(40):
        yield "cut the archive off", whole[: draw.randrange(len(whole))], None, None
    yield "add to the archive", whole + b"\n", None, None


def small(seed: int) -> dict[str, bytes]:
    """The files of a restricted edition: one post, one candidate."""
    return unpack(compose(material(competition(seed, 1, scenario=SMALL)), RESTRICTED, ["P1"], 1))


# ---------------------------------------------------------------------------------------- with every key

FREE = "consistent in itself: what the value stood for is told nowhere else in the bundle; only a receipt or a checkpoint witnessed before knows"

CONSEQUENTIAL = (
    "allocation rows.script", "allocation rows.marker", "allocation rows.round",
    "attempt.answers answers.value", "attempt.answers answers.version", "attempt.answers answers.slot", "attempt.answers attempt",
    "attempt.candidate candidate", "attempt.candidate attempt", "attempt.terms slots.item",
    "blind.pair attempt", "blind.pair slot", "blind.pair script",
    "candidates.list candidates.candidate", "draw.inputs parameters", "draw.nonce nonce", "draw.result result",
    "hearing.candidate candidate", "hearing.sheet total", "hearing.settlement mark", "hearing.settlement marks",
    "mark.sheet total", "mark.sheet marker", "mark.sheet script", "mark.settlement mark", "mark.settlement marks",
    "paper.form items.item", "results.ranking rows.candidate", "results.ranking rows.outcome", "results.ranking rows.rank",
    "results.ranking rows.stages.mark", "results.ranking rows.stages.passed", "results.ranking rows.total", "results.ranking post",
    "score.table scores.attempt", "score.table scores.slots", "score.table scores.total", "score.table key",
)  # fmt: skip
"""Columns of committed objects on which a result rests: no change of one may pass, whoever signs."""


def insider_values(
    seed: int, draw: random.Random, each: int
) -> Iterator[tuple[str, World, str | None, object]]:
    """(column, world, reason or None, what) for `each` changes of every value of every committed object, the log made to fit and signed."""
    hall = competition(seed, 2, scenario=SMALL)
    for place, item in enumerate(World.of(hall).openings):
        if item.object == "application.file":
            continue  # in no edition
        for path, old in leaves(item.value):
            name = f"{item.object} {column(path)}"
            name = name.removesuffix(".RESPONSE")
            if item.object == "draw.inputs" and path[0] == "parameters":
                name = "draw.inputs parameters"
            if item.object == "draw.result":
                name = f"draw.result {path[0]}"
            for new in draw.sample(made := others(old, draw), min(each, len(made))):
                world = World.of(hall)
                try:
                    world.reopen(world.openings[place].commitment, put(item.value, path, new))
                except canonical.CanonicalError:
                    continue
                yield name, world, None if name in CONSEQUENTIAL else FREE, (path, old, new)


def insider_saves(seed: int) -> Iterator[tuple[str, World, None, object]]:
    """Every value of every save changed, with chain, heads and submit made to fit."""
    hall = competition(seed, 2, scenario=SMALL)
    draw = random.Random(seed)
    for attempt, saves in World.of(hall).chains.items():
        for place, save in enumerate(saves):
            for path, old in leaves(save.value):
                if path[0] == "save" or (path[0] == "value" and place == 0):
                    continue  # the browser's own number, and an answer that a later save replaced: told nowhere else
                for new in others(old, draw)[:2]:
                    if path[0] == "saved_at" and isinstance(new, int) and new < hall.time:
                        continue  # an earlier or later second within the time is told nowhere else
                    world = World.of(hall)
                    changed = put(save.value, path, new)
                    world.resave(
                        attempt, lambda values, p=place, c=changed: [*values[:p], c, *values[p + 1 :]]
                    )
                    yield f"attempt.save {path[0]}", world, None, (place, path, old, new)


def run(tally: Tally, changes: Iterator, limit: int | None = None) -> Tally:
    """Verify each change and note what became of it."""
    for number, change in enumerate(changes):
        if limit is not None and number >= limit:
            break
        name, data, reason, what = change if len(change) == 4 else (change[0], change[1], None, change[2])
        tally.note(name, checked(data.bundle() if isinstance(data, World) else data), reason, what)
    return tally
