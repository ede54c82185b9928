"""An insider with the log's key rewrites an answer, alone or with witnesses: what finds it, with a receipt or slip in a candidate's hand and without."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from forgery import World
from hall import LOG_KEY, POLICY, WITNESSES, Hall, checkpoint_of
from hall_course import competition

from examsvc.ledger import checkpoints, entries, receipts, witness
from examsvc.ledger.bundle import RESTRICTED, compose
from examsvc.ledger.checkpoints import Checkpoint
from examsvc.ledger.merkle import Tree
from examsvc.ledger.receipts import Proof, Receipt
from examsvc.ledger.witness import Request, State
from examsvc.verify.findings import Verdict
from examsvc.verify.verification import verify

SEED = 7
NOW = 1_800_000_000
NEW = {"RESPONSE": "Bài được viết lại sau giờ thi."}
LOOKS = {
    "before": "before the first entry that changes",
    "between": "after the submission",
    "end": "at the end of the honest log",
}
"""What the honest witnesses had last seen when the insider began."""


def rewritten(hall: Hall, thorough: bool) -> tuple[World, str]:
    """The world with one essay changed: in the answers alone, or with saves, chain, heads and everything that follows."""
    world = World.of(hall)
    frame = world.find("attempt.submitted")
    attempt, answers = frame["body"]["attempt"], frame["body"]["answers"]
    value = {**world.opening(answers).value}
    value["answers"] = [dict(row) for row in value["answers"]]
    value["answers"][1]["value"] = NEW
    if thorough:
        world.resave(attempt, lambda values: [*values[:-1], {**values[-1], "value": NEW}])
    world.reopen(answers, value)
    return world, attempt


def submission(hall: Hall, attempt: str) -> int:
    """Index of the attempt's `attempt.submitted` in the honest log."""
    read = map(entries.read_entry, hall.data)
    return next(e.index for e in read if e.type == "attempt.submitted" and e.body["attempt"] == attempt)


def receipt_of(hall: Hall, attempt: str, size: int) -> bytes:
    """The candidate's receipt, with the checkpoint of the first `size` entries."""
    index = submission(hall, attempt)
    tree = Tree(map(entries.leaf_hash, hall.data[:size]))
    salt = next(o.salt for o in hall.openings if o.entry == index and o.object == "attempt.answers")
    proof = Proof(index, tree.inclusion_proof(index), checkpoint_of(hall.data[:size], LOG_KEY, WITNESSES))
    return Receipt(hall.data[index], salt, proof).data


def seen(hall: Hall, world: World, attempt: str, look: str) -> int:
    """Entries in the checkpoint that the honest witnesses cosigned last."""
    if look == "before":
        return next(
            n for n, (old, new) in enumerate(zip(hall.data, world.entries, strict=True)) if old != new
        )
    return submission(hall, attempt) + 1 if look == "between" else len(hall.data)


def offers(old: Tree, new: Tree, size: int) -> Iterator[tuple[int, Sequence[bytes]]]:
    """(size said to be the old one, proof) of everything that an insider who knows both histories may send to a witness that saw `size` entries."""
    yield size, new.consistency_proof(size)
    yield size, old.consistency_proof(size)
    yield size, ()
    yield 0, ()
    yield size - 1, new.consistency_proof(size - 1)
    yield len(new), ()


def cosigned(world: World, hall: Hall, colluding: int, size: int) -> bytes:
    """The rewritten log's checkpoint: colluding witnesses forget what they saw, honest ones hold every request against it."""
    old, new = Tree(map(entries.leaf_hash, hall.data)), Tree(map(entries.leaf_hash, world.entries))
    point = Checkpoint(LOG_KEY.name, len(new), new.root())
    note = checkpoints.sign(point, LOG_KEY)
    for number, signer in enumerate(WITNESSES):
        if number < colluding:
            asked = [(0, ())]
            state = witness.NOTHING
        else:
            asked = list(offers(old, new, size))
            state = State(size, old.root(size))
        for start, proof in asked:
            request = Request(start, tuple(proof), note.data).data
            answer = witness.answer(
                request, {LOG_KEY.name: [LOG_KEY.verifier]}, {LOG_KEY.name: state}, [signer], NOW
            )
            if answer.status == 200:
                note = witness.accept(note, answer.body, [signer.verifier])
                break
    return note.data


def found(
    world: World, hall: Hall, checkpoint: bytes, files: Sequence[bytes] = (), slips: Sequence[str] = ()
) -> list[str]:
    made = replace(world.material(), checkpoint=checkpoint)
    report = verify(compose(made, RESTRICTED, hall.posts, 1), POLICY, files, slips)
    return sorted((f.check for f in report.findings if f.verdict is Verdict.FAILED), key=lambda c: int(c[1:]))


def rewritten_with_everybody() -> tuple[bytes, bytes, str]:
    """(bundle, receipt, slip): a history rewritten with the log's key and every witness, and what one candidate holds."""
    hall = competition(SEED, 2)
    world, attempt = rewritten(hall, True)
    slip = receipts.slip(entries.leaf_hash(hall.data[submission(hall, attempt)]))
    made = replace(world.material(), checkpoint=cosigned(world, hall, len(WITNESSES), len(hall.data)))
    return compose(made, RESTRICTED, hall.posts, 1), receipt_of(hall, attempt, len(hall.data)), slip


def cases() -> Iterator[tuple[bool, str, int, str, list[str]]]:
    """(thorough, what honest witnesses saw last, colluding, what a candidate holds, checks that fail)."""
    hall = competition(SEED, 2)
    untouched = World.of(hall)
    assert not found(untouched, hall, cosigned(untouched, hall, 0, len(hall.data)))
    for thorough in (False, True):
        world, attempt = rewritten(hall, thorough)
        slip = receipts.slip(entries.leaf_hash(hall.data[submission(hall, attempt)]))
        for look in LOOKS:
            size = seen(hall, world, attempt, look)
            for colluding in range(4):
                checkpoint = cosigned(world, hall, colluding, size)
                yield thorough, look, colluding, "nothing", found(world, hall, checkpoint)
                yield thorough, look, colluding, "slip", found(world, hall, checkpoint, slips=[slip])
                if look != "before":  # a receipt has a checkpoint that the witnesses signed
                    receipt = receipt_of(hall, attempt, size)
                    yield thorough, look, colluding, "receipt", found(world, hall, checkpoint, [receipt])


def matrix() -> Iterator[str]:
    """The table as lines."""
    yield "| what is rewritten | what honest witnesses saw last | witnesses that collude (quorum 2 of 3) | no receipt | one slip | one receipt |"
    yield "|---|---|---|---|---|---|"
    rows: dict = {}
    for thorough, look, colluding, held, checks in cases():
        rows.setdefault((thorough, look, colluding), {})[held] = ", ".join(checks) or "not found"
    for (thorough, look, colluding), cells in rows.items():
        what = "answers, saves, chain, heads" if thorough else "the answers alone"
        last = cells.get("receipt", "there is none yet")
        yield f"| {what} | {LOOKS[look]} | {colluding} | {cells['nothing']} | {cells['slip']} | {last} |"
