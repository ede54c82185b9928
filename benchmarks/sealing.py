"""Who opens a sealed paper: python benchmarks/sealing.py [--most 6] [--seed 20261121] [--full]

For every k and n with 2 <= k < n <= most, one paper is sealed for n custodians, each with a key of his own, and every subset of the shares is
handed in: those with k or more must open it, all others must be refused, and where somebody leaves that refusal out of the program the
secret that fewer shares give must not decrypt the file either.  Then, in every subset that would open it, one share after the other is
spoiled in a byte that the seed chooses: the opening must be refused and name that custodian alone.  Last, every ordered pair of custodians:
nobody's key opens another's share.

age hardens the passphrase for about a second each time.  In the sweep that is left out (the same secret, encrypted without scrypt); it is as it
is in the one paper of 2 of 3 at the end, and everywhere with --full.
What is counted does not depend on the keys, which are fresh in every run.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from Crypto.Protocol.SecretSharing import Shamir  # noqa: E402

from examsvc.ledger import sealing  # noqa: E402
from tests.exam_hall import quick_passphrase  # noqa: E402


@dataclass
class Count:
    """What came out for one k of n."""

    opened: int = 0
    refused: int = 0
    attributed: int = 0
    foreign: int = 0
    wrong: int = 0


def contents(paper: str) -> dict[str, object]:
    key = {"paper": paper, "version": 1, "answers": [{"item": "ab" * 32, "key": "b", "marks": "10"}]}
    form = {"paper": paper, "form": "F1", "items": [{"slot": 1, "item": "ab" * 32, "marks": "10", "content": "Câu 1"}]}
    return sealing.paper_contents(paper, [(bytes(32), form)], (bytes(32), key))


def forced(sealed: sealing.SealedPaper, shares: Sequence[sealing.Share]) -> bool:
    """Whether the secret that these shares give decrypts the file, without asking how many they are."""
    secret = Shamir.combine([(share.x, share.share) for share in shares])
    try:
        return bool(sealing.pyrage.passphrase.decrypt(sealed.ciphertext, secret.hex()))
    except sealing.pyrage.DecryptError:
        return False


def sweep(threshold: int, number: int, rng: random.Random) -> Count:
    """Every subset of the shares of one paper, and every share of every opening subset spoiled in turn."""
    keys = {f"P-{place}": sealing.new_identity() for place in range(1, number + 1)}
    paper = contents("T1")
    sealed = sealing.seal("T1", paper, {who: pair[1] for who, pair in keys.items()}, threshold)
    shares = [sealing.decrypt_share(one.ciphertext, keys[one.custodian][0]) for one in sealed.shares]
    found = Count()
    for size in range(number + 1):
        for subset in combinations(shares, size):
            try:
                right = sealing.open_paper(sealed, sealed.digest, subset) == paper
                found.opened += 1
                found.wrong += not right or size < threshold
            except sealing.SealingError:
                found.refused += 1
                found.wrong += size >= threshold or bool(subset and forced(sealed, subset))
            if size < threshold:
                continue
            for place, share in enumerate(subset):
                byte = rng.randrange(sealing.SECRET_BYTES)
                data = bytearray(share.share)
                data[byte] ^= rng.randrange(1, 256)
                handed = [*subset[:place], replace(share, share=bytes(data)), *subset[place + 1 :]]
                try:
                    sealing.open_paper(sealed, sealed.digest, handed)
                    found.wrong += 1
                except sealing.BadShareError as error:
                    found.attributed += 1
                    found.wrong += error.custodians != (share.custodian,)
    for one in sealed.shares:
        for who, (identity, _) in keys.items():
            if who != one.custodian:
                try:
                    sealing.decrypt_share(one.ciphertext, identity)
                    found.wrong += 1
                except sealing.SealingError:
                    found.foreign += 1
    return found


def refused_dealings(most: int) -> int:
    """k of n that are refused before anything is dealt: one custodian alone, all of all, more than there are."""
    refused = 0
    for number in range(1, most + 1):
        recipients = {f"P-{place}": f"age1-{place}" for place in range(number)}
        for threshold in range(number + 2):
            if not 2 <= threshold < number:
                try:
                    sealing.seal("T1", {}, recipients, threshold)
                except sealing.SealingError as error:
                    refused += "is not possible" in str(error)
    return refused


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--most", type=int, default=6)
    options.add_argument("--seed", type=int, default=20261121)
    options.add_argument("--full", action="store_true")
    chosen = options.parse_args()
    rng = random.Random(chosen.seed)
    print(f"python benchmarks/sealing.py --most {chosen.most} --seed {chosen.seed}{' --full' if chosen.full else ''}")
    print(f"{'k of n':<8}{'opened':>8}{'refused':>9}{'spoiled, named':>16}{'foreign keys':>14}{'wrong':>7}")
    total = Count()
    for number in range(3, chosen.most + 1):
        for threshold in range(2, number):
            with nullcontext() if chosen.full else quick_passphrase():
                one = sweep(threshold, number, rng)
            print(f"{f'{threshold} of {number}':<8}{one.opened:>8}{one.refused:>9}{one.attributed:>16}{one.foreign:>14}{one.wrong:>7}")
            for name in vars(total):
                setattr(total, name, getattr(total, name) + getattr(one, name))
    print(f"{'all':<8}{total.opened:>8}{total.refused:>9}{total.attributed:>16}{total.foreign:>14}{total.wrong:>7}")
    print(f"dealings refused beforehand (one alone, all of all, more than there are): {refused_dealings(chosen.most)}")
    start = time.perf_counter()
    whole = sweep(2, 3, rng)
    print(
        f"2 of 3 with age's hardening as it is: {whole.opened} opened, {whole.refused} refused, {whole.attributed} spoiled and named,"
        f" {whole.wrong} wrong; {(time.perf_counter() - start) / (whole.opened + 1):.1f} s for each sealing or opening"
    )
    if total.wrong or whole.wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
