"""Receipts checked step by step in words, on a page and offline alike.

Pure: whoever has the log beside the receipt passes a way to look entries up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from examsvc.base.errors import N_
from examsvc.ledger import checkpoints, entries, merkle, receipts
from examsvc.ledger.checkpoints import CheckpointError
from examsvc.ledger.entries import EntryError
from examsvc.ledger.merkle import ProofError
from examsvc.ledger.policy import Policy, PolicyError
from examsvc.ledger.receipts import Receipt, ReceiptError


@dataclass(frozen=True)
class Step:
    """One thing that was looked at: a marked sentence with its parameters, and whether it holds (None: it could not be looked at).

    ``detail`` are words of the formats, in English, for whoever looks further.
    """

    sentence: str
    holds: bool | None
    params: Mapping[str, object] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True)
class Checked:
    """What came of checking a receipt; ``entry`` where it could be read as one."""

    steps: tuple[Step, ...]
    entry: entries.Entry | None = None
    slip: str = ""

    @property
    def good(self) -> bool:
        """Every step that could be looked at holds."""
        return all(step.holds is not False for step in self.steps)


EntryAt = Callable[[int], bytes | None]
"""Index → the bytes of the entry as the log has it now, None past its end."""


def check(data: bytes, policy: Policy | None, entry_at: EntryAt | None = None) -> Checked:
    """Looks a receipt file through: its form, who signed, the proof, and the log as it stands where ``entry_at`` is given."""
    try:
        receipt = receipts.read_receipt(data)
        entry = entries.read_entry(receipt.entry)
        if entry.index != receipt.proof.index or entry.type != "attempt.submitted":
            raise ReceiptError("its entry is no hand-in, or says another index than its proof")
    except (ReceiptError, EntryError, CheckpointError) as error:
        return Checked((Step(N_("This is no receipt, or it was damaged."), False, detail=str(error)),))
    handed_in = datetime.fromtimestamp(entry.time, UTC)
    steps = [
        Step(
            N_("It is a receipt for attempt %(attempt)s, handed in on %(when)s, entry %(index)d of the record %(log)s."),
            True,
            {
                "attempt": entry.body["attempt"],
                "when": handed_in,
                "index": entry.index,
                "log": entry.competition,
            },
        )
    ]
    steps += _proof(receipt, policy)
    if entry_at is not None:
        steps.append(_standing(receipt, entry.index, entry_at))
    return Checked(tuple(steps), entry, receipt.slip)


def _proof(receipt: Receipt, policy: Policy | None) -> list[Step]:
    leaf = entries.leaf_hash(receipt.entry)
    point, _ = checkpoints.parse(receipt.proof.checkpoint)
    signed: list[Step]
    if policy is None:
        signed = [Step(N_("Who signed it was not looked at: no policy of witnesses was given."), None)]
    else:
        try:
            verified = policy.verify(receipt.proof.checkpoint)
            names = sorted(key.name for key in verified.cosigned)
            signed = [Step(N_("The record's own key signed it."), True)]
            if names:
                signed.append(
                    Step(N_("These witnesses saw it and signed: %(names)s."), True, {"names": ", ".join(names)})
                )
            else:
                signed.append(Step(N_("The regulation of this competition has no witnesses."), True))
        except (CheckpointError, PolicyError) as error:
            signed = [
                Step(N_("It is not signed by the record and by enough of its witnesses."), False, detail=str(error))
            ]
    try:
        merkle.verify_inclusion(leaf, receipt.proof.index, point.size, receipt.proof.path, point.root)
        return [
            *signed,
            Step(N_("The entry is part of the %(size)d entries that were signed."), True, {"size": point.size}),
        ]
    except ProofError as error:
        return [*signed, Step(N_("The entry is not part of what was signed."), False, detail=str(error))]


def _standing(receipt: Receipt, index: int, entry_at: EntryAt) -> Step:
    now = entry_at(index)
    if now == receipt.entry:
        return Step(N_("The record has exactly this entry today."), True)
    return Step(
        N_("The record has another entry in this place today. Keep the receipt: together with the record it proves the change."),
        False,
        detail="missing" if now is None else f"leaf {merkle.leaf_hash(now).hex()}",
    )
