"""Public draws that anyone can replay: seats, markers, order of defence, lots, late assembly.

    seed        = SHA-256("examsvc.v1/draw.seed" + 0x00 + JCS({"draw", "inputs", "nonces": {person: hex}, "outside": hex}))
    block c     = SHA-256("examsvc.v1/draw.block" + 0x00 + seed + label + 0x00 + c in 8 bytes)
    number < n  = the first 8 bytes of the next block as an integer, modulo n; a value at or above the largest multiple of n below 2^64 is
                  passed over and the next block is taken

Participants commit to nonces, then the inputs are fixed, then the nonces are revealed and an outside value named in
advance is read. Nobody who leaves out one honest participant, or cannot foresee the outside value, can choose the seed. A
seed is never made with a nonce left out: a withheld nonce voids the draw.

Every draw returns its steps, so that a page can show each one: the block, the number in it, what it chose.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from examsvc.ledger import canonical, commitments, fields

_SEED = b"examsvc.v1/draw.seed\0"
_BLOCK = b"examsvc.v1/draw.block\0"
_RANGE = 2**64
METHOD = "examsvc.draw.v1"
"""Nonces held by their participants, an outside value that is published after they are committed to."""
SERVER_METHOD = "examsvc.draw.server.v1"
"""Nonces drawn by the server, the leaf of draw.fixed in the place of the outside value: it replays, but whoever runs the
server could have tried several and kept the one he liked. The verifier says so."""


class DrawError(ValueError):
    """The inputs of a draw are malformed, cannot be satisfied, or its parts do not fit together."""


@dataclass(frozen=True, slots=True)
class Step:
    """One number drawn: counter and block it came from, the bound, the number, what it chose (in codes)."""

    counter: int
    block: str
    bound: int
    number: int
    chose: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Outcome of a draw as a JSON value for `draw.result`, and how it came about."""

    result: Any
    steps: tuple[Step, ...]
    transfers: tuple[str, ...] = ()
    """Allocation only: what was moved, without chance, to even out the load."""


def seed(draw: str, inputs: str, nonces: Mapping[str, str], outside: bytes) -> str:
    """The seed, in hexadecimal.

    `inputs` is the commitment in draw.fixed, `nonces` maps every participant to the revealed nonce (64 hexadecimal
    digits), `outside` is the outside value as published, UTF-8.
    """
    if not nonces:
        raise DrawError("a draw has at least one participant")
    try:
        for nonce in (inputs, *nonces.values()):
            fields.BYTES32.check(nonce)
    except fields.FieldError as error:
        raise DrawError(str(error)) from None
    parts = {
        "draw": draw,
        "inputs": inputs,
        "nonces": dict(nonces),
        "outside": outside_digest(outside),
    }
    return hashlib.sha256(_SEED + canonical.encode(parts)).hexdigest()


def outside_digest(outside: bytes) -> str:
    """SHA-256 of the outside value as published, in hexadecimal, as draw.drawn states it."""
    return hashlib.sha256(outside).hexdigest()


def reveals(commitment: str, draw: str, person: str, nonce: str, salt: str) -> bool:
    """Whether a revealed nonce is the one committed to (the object draw.nonce)."""
    value = {"draw": draw, "person": person, "nonce": nonce}
    return commitments.opens(commitment, "draw.nonce", bytes.fromhex(salt), value)


class Stream:
    """The numbers that follow from a seed; a `label` gives an independent stream from the same seed."""

    def __init__(self, seed: str, label: str = "") -> None:
        self._prefix = _BLOCK + bytes.fromhex(seed) + label.encode() + b"\0"
        self._counter = 0
        self.steps: list[Step] = []

    def below(self, bound: int, choices: Sequence[str]) -> int:
        """The next number in 0 … bound - 1, all equally likely; `choices` are what the numbers stand for."""
        if not 1 <= bound <= _RANGE:
            raise DrawError(f"a bound lies between 1 and 2^64, not at {bound}")
        limit = _RANGE - _RANGE % bound
        while True:
            counter = self._counter
            self._counter += 1
            block = hashlib.sha256(self._prefix + counter.to_bytes(8, "big")).digest()
            value = int.from_bytes(block[:8], "big")
            if value < limit:
                number = value % bound
                self.steps.append(Step(counter, block.hex(), bound, number, choices[number]))
                return number

    def permutation(self, items: Sequence[str], count: int | None = None) -> list[str]:
        """`count` of the items (all by default) in drawn order, without repetition (Fisher and Yates)."""
        rest = list(items)
        count = len(rest) if count is None else count
        for place in range(count):
            chosen = place + self.below(len(rest) - place, rest[place:])
            rest[place], rest[chosen] = rest[chosen], rest[place]
        return rest[:count]


def replay(seed: str, task: str, parameters: Any) -> Drawing:
    """Make, or make again, the draw whose inputs are `task` and `parameters`.

    permutation  {"items": [code…]}                            → [code…]
    selection    {"items": [code…], "count": n}                → [code…]
    assignment   {"items": [code…], "places": [code…]}         → [[item, place]…]
    allocation   {"scripts": [code…], "markers": [{"marker", "group"}…], "rounds": n, "excluded": [[script, marker]…]}
                                                               → [{"script", "marker", "round"}…]

    Lists are in ascending order without repetition. Raises DrawError.
    """
    match task, parameters:
        case "permutation", {"items": items, **rest} if not rest:
            stream = Stream(seed)
            return Drawing(stream.permutation(_codes(items)), tuple(stream.steps))
        case "selection", {"items": items, "count": count, **rest} if not rest:
            codes = _codes(items)
            if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= len(codes):
                raise DrawError(f"{count!r:.20} of {len(codes)} cannot be selected")
            stream = Stream(seed)
            return Drawing(stream.permutation(codes, count), tuple(stream.steps))
        case "assignment", {"items": items, "places": places, **rest} if not rest:
            codes, seats = _codes(items), _codes(places)
            if len(codes) > len(seats):
                raise DrawError(f"{len(codes)} cannot be placed on {len(seats)} places")
            stream = Stream(seed)
            drawn = stream.permutation(seats, len(codes))
            return Drawing(
                [[item, place] for item, place in zip(codes, drawn, strict=True)], tuple(stream.steps)
            )
        case "allocation", {
            "scripts": scripts,
            "markers": markers,
            "rounds": rounds,
            "excluded": excluded,
            **rest,
        } if not rest:
            return _Allocation(seed, scripts, markers, rounds, excluded).make()
    raise DrawError(f"{task!r:.40} with these parameters is no task of a draw")


def reserves(
    seed: str, script: str, markers: Mapping[str, str], taken: Collection[str], excluded: Collection[str]
) -> list[str]:
    """Who takes over a script when one of its markers drops out, in order.

    The order of all markers is drawn for this script from the allocation's own seed; those who are `excluded` from it, who mark
    it already (`taken`, the markers who stay) or who belong to the group of one of those are passed over. `markers` maps every marker to the group.
    """
    order = Stream(seed, f"reserve/{script}").permutation(sorted(markers))
    groups = {markers[marker] for marker in taken}
    return [
        marker
        for marker in order
        if marker not in excluded and marker not in taken and markers[marker] not in groups
    ]


class _Allocation:
    """Scripts to markers: markers of one script differ and come from different groups; loads are as even as can be.

    Scripts are taken in drawn order; each round of each goes to the least loaded admissible marker, ties in a drawn order of the
    markers. Then, without chance, chains of single transfers even out the load while one shortens the
    longest difference (optimal semi-matching, Harvey et al. 2006).
    """

    def __init__(self, seed: str, scripts: Any, markers: Any, rounds: Any, excluded: Any) -> None:
        self.stream = Stream(seed)
        self.scripts = _codes(scripts)
        self.rounds = rounds
        if isinstance(rounds, bool) or not isinstance(rounds, int) or not 1 <= rounds <= 10:
            raise DrawError("an allocation has one to ten rounds")
        try:
            self.group = {row["marker"]: row["group"] for row in markers}
            well_formed = all(set(row) == {"marker", "group"} for row in markers)
            pairs = [(script, marker) for script, marker in excluded]
        except (TypeError, KeyError, ValueError):
            raise DrawError(
                "markers are rows of marker and group, exclusions pairs of script and marker"
            ) from None
        if not well_formed or len(self.group) != len(markers):
            raise DrawError("a marker stands in the list twice, or a row has further fields")
        self.markers = _codes([row["marker"] for row in markers])
        _codes(sorted(set(self.group.values())))
        if pairs != sorted(set(pairs)) or any(
            s not in set(self.scripts) or m not in self.group for s, m in pairs
        ):
            raise DrawError("exclusions are in ascending order and name scripts and markers of this draw")
        self.excluded = set(pairs)
        self.load = dict.fromkeys(self.markers, 0)
        self.chosen: dict[str, list[str]] = {}
        self.transfers: list[str] = []

    def make(self) -> Drawing:
        order = self.stream.permutation(self.scripts)
        self.preference = self.stream.permutation(self.markers)
        for script in order:
            self.chosen[script] = self._first_choice(script)
        while self._even_out(order):
            pass
        rows = [
            {"script": script, "marker": marker, "round": place}
            for script in self.scripts
            for place, marker in enumerate(self.chosen[script], start=1)
        ]
        return Drawing(rows, tuple(self.stream.steps), tuple(self.transfers))

    def _first_choice(self, script: str) -> list[str]:
        """The least loaded admissible markers, preferring ties by drawn order; backtracks where groups run short."""

        def choose(taken: list[str]) -> list[str] | None:
            if len(taken) == self.rounds:
                return taken
            for marker in sorted(self.preference, key=self.load.__getitem__):
                if self._admissible(script, marker, taken):
                    found = choose([*taken, marker])
                    if found is not None:
                        return found
            return None

        chosen = choose([])
        if chosen is None:
            raise DrawError(f"no {self.rounds} markers of different groups may mark the script {script}")
        for marker in chosen:
            self.load[marker] += 1
        return chosen

    def _admissible(self, script: str, marker: str, others: Collection[str]) -> bool:
        return (script, marker) not in self.excluded and all(
            self.group[marker] != self.group[other] for other in others
        )

    def _even_out(self, order: Sequence[str]) -> bool:
        """Apply one chain of transfers from a marker to one whose load is lower by two or more; False if none is left."""
        for source in sorted(self.preference, key=lambda marker: -self.load[marker]):
            if self.load[source] - min(self.load.values()) < 2:
                return False
            chain = self._chain(source, order)
            if chain is not None:
                for script, giver, taker in chain:
                    row = self.chosen[script]
                    row[row.index(giver)] = taker
                    self.transfers.append(f"{script}: {giver} → {taker}")
                self.load[source] -= 1
                self.load[chain[-1][2]] += 1
                return True
        return False

    def _chain(self, source: str, order: Sequence[str]) -> list[tuple[str, str, str]] | None:
        """Shortest chain of transfers (script, giver, taker) that ends at a marker with a load lower by two or more."""
        paths: dict[str, list[tuple[str, str, str]]] = {source: []}
        queue = [source]
        for giver in queue:
            used = {script for script, _, _ in paths[giver]}
            for script in order:
                if script in used or giver not in self.chosen[script]:
                    continue
                others = [marker for marker in self.chosen[script] if marker != giver]
                for taker in self.preference:
                    if taker in paths or not self._admissible(script, taker, others):
                        continue
                    paths[taker] = [*paths[giver], (script, giver, taker)]
                    if self.load[taker] <= self.load[source] - 2:
                        return paths[taker]
                    queue.append(taker)
        return None


def _codes(value: Any) -> list[str]:
    """Ascending codes without repetition, the only order of inputs that tells nothing."""
    if not isinstance(value, list | tuple):
        raise DrawError(f"{value!r:.40} is not a list of codes")
    try:
        for code in value:
            fields.CODE.check(code)
    except fields.FieldError as error:
        raise DrawError(str(error)) from None
    if list(value) != sorted(set(value)):
        raise DrawError("the codes are not in ascending order without repetition")
    return list(value)
