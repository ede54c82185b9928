"""V18: every receipt given is in this log."""

from collections.abc import Iterator, Sequence

from examsvc.ledger import entries, receipts
from examsvc.ledger.checkpoints import CheckpointError
from examsvc.ledger.entries import EntryError
from examsvc.ledger.merkle import ProofError
from examsvc.ledger.policy import Policy, PolicyError
from examsvc.ledger.receipts import Receipt, ReceiptError
from examsvc.verify.findings import Finding, conclude, not_checkable
from examsvc.verify.reading import Bundle

TITLE = "every receipt given is in this log"


def given(read: Bundle, policy: Policy | None, files: Sequence[bytes], slips: Sequence[str] = ()) -> Finding:
    """V18 for receipt files and typed slips. Without a policy a receipt is only compared with the bundle's entries."""
    if not files and not slips:
        return not_checkable("V18", TITLE, "no receipt was given")
    reasons = [
        f"receipt {place}: {reason}"
        for place, data in enumerate(files, start=1)
        for reason in _file(read, policy, data)
    ]
    known = {receipts.slip(entries.leaf_hash(data)) for data in _submits(read)}
    for text in slips:
        try:
            if receipts.read_slip(text) not in known:
                reasons.append(f"the slip {text} belongs to no attempt in this log")
        except ReceiptError as error:
            reasons.append(f"the slip {text}: {error}")
    return conclude("V18", TITLE, reasons, [f"{len(files)} receipts and {len(slips)} slips given"])


def _submits(read: Bundle) -> Iterator[bytes]:
    for raw, entry in zip(read.raw_entries, read.entries, strict=True):
        if entry is not None and entry.type == "attempt.submitted":
            yield raw


def _file(read: Bundle, policy: Policy | None, data: bytes) -> Iterator[str]:
    try:
        receipt: Receipt = receipts.read_receipt(data)
        entry = entries.read_entry(receipt.entry)
        if policy is not None:
            _, signed = receipt.verify(policy)
            if signed.checkpoint.origin != read.manifest["origin"]:
                yield f"it is for the log {signed.checkpoint.origin}, the bundle for {read.manifest['origin']}"
                return
    except (ReceiptError, EntryError, CheckpointError, PolicyError, ProofError) as error:
        yield f"it proves nothing: {error}"
        return
    if entry.type != "attempt.submitted" or entry.competition != read.manifest["competition"]:
        yield "it is not for a submitted attempt of this competition"
    elif entry.index >= len(read.raw_entries) or read.raw_entries[entry.index] != receipt.entry:
        yield (
            f"its entry {entry.index} is not in the bundle's log"
            + (
                ", although log and witnesses signed for it: the log was rewritten"
                if policy is not None
                else ""
            )
        )
