"""What provability costs: python benchmarks/ledger.py [--saves 2000] [--entries 5000]

An answer's share: processor time of a save through the real operation on SQLite (chained, in its own committed transaction), and of
its salt, commitment and link alone.  The record's: entries appended in one transaction, looked at by the signer, signed, cosigned by three
witnesses on disk.  Processor time, since other work may share the machine; the wait for the disk is beside it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from sqlalchemy.orm import Session  # noqa: E402

from examsvc.base.database import make_engine, writing  # noqa: E402
from examsvc.ledger import chains, commitments, queries, signing, witnessing  # noqa: E402
from examsvc.ledger.operations import REGISTRY, record_heads  # noqa: E402
from examsvc.migrations.metadata import metadata  # noqa: E402
from examsvc.papers import vault  # noqa: E402
from examsvc.sittings import scope  # noqa: E402
from examsvc.sittings.models import Sitting  # noqa: E402
from tests.exam_hall import ExamHall  # noqa: E402
from tests.ledger.local_witnesses import install  # noqa: E402


def saves(hall: ExamHall, number: int) -> tuple[float, float]:
    """(processor, elapsed) milliseconds of one save."""
    lease = hall.lease("An")
    value = hall.right_value("An", 1)
    cpu, clock = time.process_time(), time.perf_counter()
    for base in range(number):
        hall.save("An", 1, value, lease=lease, base=base)
    return (time.process_time() - cpu) / number * 1000, (time.perf_counter() - clock) / number * 1000


def links(number: int) -> float:
    """Milliseconds of processor time of salt, commitment and link of one save."""
    head = chains.start("mot", "add81734622b")
    cpu = time.process_time()
    for version in range(number):
        value = {
            "attempt": "add81734622b", "slot": 1, "version": version + 1, "save": "0f5a7a52-21b4-4f0c-9d1e-3f5f6f0f1a11",
            "value": {"RESPONSE": "choice-2"}, "saved_at": 1_790_000_000, "late": False,
        }  # fmt: skip
        head = chains.extend(head, commitments.commit("attempt.save", commitments.new_salt(), value))
    return (time.process_time() - cpu) / number * 1000


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--saves", type=int, default=2000)
    options.add_argument("--entries", type=int, default=5_000)
    chosen = options.parse_args()
    vault.use(["11" * 32])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = make_engine(f"sqlite:///{folder / 'b.sqlite'}")
        metadata.create_all(engine)
        with Session(engine) as session:
            hall = ExamHall(session)
            hall.phase("announced")
            hall.phase("applications")
            hall.candidate("An")
            hall.candidate("Binh")
            sitting = hall.sitting(hall.paper())
            hall.check_in("An")
            hall.bell(sitting)
            hall.later(minutes=1)
            each, elapsed = saves(hall, chosen.saves)
            link = links(chosen.saves)
            print(f"one save: {each:.2f} ms processor, {elapsed:.2f} ms elapsed; its salt, commitment and link: {link:.3f} ms = {link / each:.1%}")
            install(folder, *(queries.current_key(session, log)[1] for log in (REGISTRY, "mot")))
            attempt = hall.attempt("An")
            heads = [chains.Head(attempt.code, attempt.links, attempt.chain_head)]
            fields = scope.of_sitting(session.get_one(Sitting, sitting))
            cpu, clock = time.process_time(), time.perf_counter()
            with writing(session):
                for _ in range(chosen.entries):
                    record_heads(session, "mot", heads, now=hall.now, **fields)
            print(f"one entry appended: {(time.process_time() - cpu) / chosen.entries * 1000:.2f} ms processor, {(time.perf_counter() - clock) / chosen.entries * 1000:.2f} ms elapsed")
            signing.forget()
            cpu = time.process_time()
            point = signing.sign_checkpoint(session, "mot", now=hall.now)
            first = time.process_time() - cpu
            with writing(session):
                record_heads(session, "mot", heads, now=hall.now, **fields)
            cpu = time.process_time()
            signing.sign_checkpoint(session, "mot", now=hall.now)
            print(f"looked at and signed, {point.size} entries and {chosen.saves} saves: {first:.2f} s at first, {(time.process_time() - cpu) * 1000:.1f} ms for one entry more")
            clock = time.perf_counter()
            asked = witnessing.collect(session, "mot", now=hall.now)
            assert all(one.line for one in asked)
            print(f"cosigned by three witnesses on disk: {(time.perf_counter() - clock) * 1000:.0f} ms elapsed")
        engine.dispose()


if __name__ == "__main__":
    main()
