"""V1 form, V2 signature and witnesses, V3 root: that this is the log, whole and unchanged."""

from collections.abc import Iterator, Sequence

from examsvc.ledger import checkpoints, entries, merkle
from examsvc.ledger.checkpoints import CheckpointError
from examsvc.ledger.entries import Entry
from examsvc.ledger.policy import Policy, PolicyError
from examsvc.verify.findings import Finding, conclude, not_checkable
from examsvc.verify.reading import Bundle


def form(read: Bundle) -> Finding:
    """V1: every file listed, canonical, in its place."""
    return conclude("V1", "every file is listed, canonical and in its place", read.problems)


def signature(read: Bundle, policy: Policy | None) -> Finding:
    """V2: the log's signature and the witnesses' quorum, after a policy from outside the bundle."""
    title = "the log signed, and enough witnesses cosigned"
    if policy is None:
        return not_checkable(
            "V2", title, "no policy was given: whose log this is, and who witnessed it, is unchecked"
        )
    reasons = list(_signed(read.checkpoint, policy, read.entries, str(read.manifest["origin"]), "log"))
    if read.registry_checkpoint is not None and not reasons:
        reasons += _signed(read.registry_checkpoint, policy, read.registry, None, "registry log")
    notes = []
    if not reasons:
        signed = policy.verify(read.checkpoint)
        notes = [
            f"cosigned by {key.name} at {time}"
            for key, time in sorted(signed.cosigned.items(), key=lambda item: item[1])
        ]
    return conclude("V2", title, reasons, notes)


def _signed(
    data: bytes, policy: Policy, log: Sequence[Entry | None], origin: str | None, what: str
) -> Iterator[str]:
    try:
        signed = policy.verify(data)
    except (CheckpointError, PolicyError) as error:
        yield f"{what}: {error}"
        return
    checkpoint = signed.checkpoint
    if origin is not None and checkpoint.origin != origin:
        yield f"the {what}'s checkpoint is for {checkpoint.origin}, the manifest for {origin}"
    opened = log[0] if log else None
    if opened is None or opened.type != "log.opened" or opened.body["origin"] != checkpoint.origin:
        yield f"the first entry of the {what} does not open the log {checkpoint.origin}"
        return
    key = opened.body["key"]
    for entry in log:
        if entry is not None and entry.type == "key.rotated" and entry.body["origin"] == checkpoint.origin:
            if entry.body["old"] != key:
                yield f"the {what}'s entry {entry.index} replaces a key the log did not have"
            key = entry.body["new"]
    signers = {(item.name, item.id) for item in signed.note.signatures}
    if not any(known.text == key and (known.name, known.id) in signers for known in policy.logs):
        yield f"the key that signed the {what}'s checkpoint is not the one the log itself names"


def root(read: Bundle) -> Finding:
    """V3: the checkpoint's root recomputed from all entries, which count from 0 without a gap."""
    reasons = list(_root(read.raw_entries, read.entries, read.checkpoint, "log"))
    for entry in read.entries:
        if entry is not None and entry.competition != read.manifest["competition"]:
            reasons.append(f"entry {entry.index} belongs to another competition, {entry.competition}")
            break
    if read.registry_checkpoint is not None:
        reasons += _root(read.raw_registry, read.registry, read.registry_checkpoint, "registry log")
    return conclude(
        "V3", "the entries are those of the checkpoint", reasons, [f"{len(read.raw_entries)} entries"]
    )


def _root(raw: Sequence[bytes], log: Sequence[Entry | None], checkpoint: bytes, what: str) -> Iterator[str]:
    try:
        point, _ = checkpoints.parse(checkpoint)
    except CheckpointError as error:
        yield f"the {what}'s checkpoint is malformed: {error}"
        return
    if point.size != len(raw):
        yield f"the {what}'s checkpoint counts {point.size} entries, the bundle has {len(raw)}"
    elif merkle.root_of(entries.leaf_hash(data) for data in raw) != point.root:
        yield f"the {what}'s entries have another root than its checkpoint"
    for place, entry in enumerate(log):
        if entry is not None and entry.index != place:
            yield f"the {what}'s entry at place {place} says it is entry {entry.index}"
            return
