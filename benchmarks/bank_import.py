"""How long a request, a worker and a transaction take over a file of ten thousand questions, and a draw from such a bank.

python -m benchmarks.bank_import [--questions 10000]
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from examsvc.accounts import operations as accounts
from examsvc.base import jobs
from examsvc.base.database import make_engine, writing
from examsvc.migrations.metadata import metadata
from examsvc.papers import assembly, queries, statistics, uploads, vault
from examsvc.papers.rules import Cell, Demands
from examsvc.papers.upload_models import BankUpload

NOW = datetime(2026, 1, 1, tzinfo=UTC)
T = TypeVar("T")


def gift(questions: int) -> bytes:
    """Single-choice questions of about fifty words each, no two alike."""
    lot = random.Random(1)
    words = [f"w{number}" for number in range(3000)]

    def some(many: int) -> str:
        return " ".join(lot.choice(words) for _ in range(many))

    return "".join(
        f"::q{number}:: {some(25)}? {{={some(6)} ~{some(6)} ~{some(6)} ~{some(6)}}}\n\n" for number in range(questions)
    ).encode()


def timed(what: str, work: Callable[[], T]) -> T:
    start = time.perf_counter()
    done = work()
    print(f"{what:<40} {time.perf_counter() - start:7.2f} s")
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=10_000)
    data = gift(parser.parse_args().questions)
    vault.use(["7e" * 32])
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'bank.sqlite'}")
        metadata.create_all(engine)
        with Session(engine) as session:
            with writing(session):
                by = accounts.register_account(session, email="s@example.vn", name="S", password_hash=None, now=NOW).id

            def handed_in(file: bytes) -> int:
                with writing(session):
                    return uploads.hand_in(
                        session, file_name="f", data=file, format="gift", language="vi", bank_name="big", by=by, now=NOW
                    ).id

            def confirmed(number: int) -> None:
                with writing(session):
                    uploads.confirm(session, session.get_one(BankUpload, number), by=by, now=NOW)

            for file, which in ((data, "first"), (data.replace(b"w17 ", b"w18 "), "again")):
                number = timed(f"{which}: hand in (request)", lambda file=file: handed_in(file))
                timed(f"{which}: look into (worker)", lambda: jobs.run_due(session, NOW))
                upload = session.get_one(BankUpload, number)
                timed(f"{which}: a page of 25 (request)", lambda upload=upload: uploads.lines(session, upload, offset=5000, most=25))
                timed(f"{which}: confirm (one transaction)", lambda number=number: confirmed(number))
            versions = queries.current_items(session, queries.bank(session, "big").id)
            stock = timed("questions as blueprints see them", lambda: statistics.candidates(session, versions))
            timed("draw 40 by lot", lambda: assembly.choose(stock, [Cell(40, "1")], "x"))
            lines = [Cell(20, "1"), Cell(20, "1", kinds=("single",))]
            timed("draw 40 in two lines, bounded words", lambda: assembly.choose(stock, lines, "x", demands=Demands(words=(1500, 2600))))
        engine.dispose()


if __name__ == "__main__":
    main()
