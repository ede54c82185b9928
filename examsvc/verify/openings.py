"""V6: regulation, forms, keys and every other opened object are what the log committed to."""

from collections.abc import Iterator
from functools import cache

from examsvc.ledger import entries
from examsvc.ledger.definitions import Opening
from examsvc.verify.findings import Finding, conclude
from examsvc.verify.reading import Bundle

TITLE = "regulation, papers and all opened objects match their commitments"


def openings(read: Bundle) -> Finding:
    """V6. Personal objects may be missing where the log says that data were erased; the others of this edition may not."""
    committed = {
        (entry.index, commitment): name
        for entry in read.entries
        if entry is not None
        for name, commitment in entry.commitments
    }
    reasons = [*read.opening_problems, *_misplaced(read), *_foreign(read), *_documents(read), *_papers(read)]
    opened = {item.commitment for item in read.openings}  # a later entry may repeat a commitment
    absent = [(key, name) for key, name in committed.items() if key[1] not in opened and _shown(read, name)]
    reasons += [
        f"entry {key[0]}: the object {name} is not in the bundle"
        for key, name in absent
        if not entries.object_type(name).personal
    ]
    gone = sum(entries.object_type(name).personal for _, name in absent)
    notes = [f"{len(opened)} objects opened"]
    if gone and not read.of("erasure.done"):
        reasons.append(f"{gone} personal objects are not in the bundle, and the log knows of no erasure")
    elif gone:
        notes.append(f"{gone} personal objects are not in the bundle; the log says that data were erased")
    return conclude("V6", TITLE, reasons, notes)


def _shown(read: Bundle, name: str) -> bool:
    opening = entries.object_type(name).opening
    return opening is Opening.PUBLIC or (read.restricted and opening is Opening.RESTRICTED)


def _misplaced(read: Bundle) -> Iterator[str]:
    for item in read.openings:
        definition = entries.OBJECTS.get(item.object)
        if definition is not None and definition.personal and not _shown(read, item.object):
            yield f"entry {item.entry}: the object {item.object} is personal and does not belong in this edition"


def _foreign(read: Bundle) -> Iterator[str]:
    """An object says the same as the entry that commits to it, in every field that both have under one name."""
    for entry in read.entries:
        if entry is None:
            continue
        for name, commitment in entry.commitments:
            value = read.opened(commitment)
            if value is None:
                continue
            odd = [field for field in _shared(entry.type, name) if value.get(field) != entry.body.get(field)]
            if odd:
                yield f"entry {entry.index}: the object {name} speaks of another {', '.join(odd)}"


@cache
def _shared(type: str, name: str) -> tuple[str, ...]:
    """The fields that an entry and its object have under one name and of one kind; an outcome whatever its kind."""
    kinds = {field.name: field.kind.name for field in entries.TYPES[type].body if not field.kind.objects}
    return tuple(
        field.name
        for field in entries.OBJECTS[name].fields
        if field.name in kinds and (kinds[field.name] == field.kind.name or field.name == "outcome")
    )


def _documents(read: Bundle) -> Iterator[str]:
    named = {
        value
        for entry in read.entries
        if entry is not None
        for name, value in entry.body.items()
        if name in ("digest", "policy", "ciphertext", "sealed", "token", "previous")
    }
    for digest in read.documents:
        if digest not in named:
            yield f"no entry names the document {digest[:16]}…"
    for entry in read.of("regulation.pinned"):
        if entry.body["digest"] not in read.documents:
            yield "the pinned regulation is not in the bundle"


def _papers(read: Bundle) -> Iterator[str]:
    approved = {entry.body["paper"]: entry.body["forms"] for entry in read.of("paper.approved")}
    named: dict[str | None, set[str]] = {}
    for entry in read.of("custodians.named"):
        value = read.opened(entry.body["custodians"])
        if value is not None:
            named[entry.stage] = {row["custodian"] for row in value["custodians"]}
    for entry in read.of("paper.sealed"):
        paper = entry.body["paper"]
        where = f"entry {entry.index}: the paper {paper}"
        if approved.get(paper) != entry.body["forms"]:
            yield f"{where} was sealed with other forms than were approved"
        for name, commitment in entry.commitments:
            value = read.opened(commitment)
            if (
                name in ("paper.form", "paper.key", "paper.share")
                and value is not None
                and value.get("paper") != paper
            ):
                yield f"{where} holds a {name.partition('.')[2]} of another paper"
        if (
            entry.stage in named
            and {share["custodian"] for share in entry.body["shares"]} != named[entry.stage]
        ):
            yield f"{where} has shares for others than the custodians named"
        listed = [(share["custodian"], share["x"], share["share"]) for share in entry.body["shares"]]
        threshold = entry.body["threshold"]
        alone = threshold == len(listed) == 1  # one keeper, where the regulation wants no more
        if len({x for _, x, _ in listed}) != len(listed) or not (alone or 2 <= threshold < len(listed)):
            yield f"{where}: {entry.body['threshold']} of {len(listed)} shares is no safe seal"
    for entry in read.of("paper.share_delivered"):
        sealed = next((e for e in read.of("paper.sealed") if e.body["paper"] == entry.body["paper"]), None)
        if sealed is not None and not any(
            (share["custodian"], share["x"]) == (entry.body["custodian"], entry.body["x"])
            for share in sealed.body["shares"]
        ):
            yield f"entry {entry.index}: {entry.body['custodian']} never had a share {entry.body['x']}"
    for entry in read.of("paper.opened"):
        paper = entry.body["paper"]
        given = {
            e.body["custodian"]
            for e in read.of("paper.share_delivered")
            if e.body["paper"] == paper and e.body["genuine"] and e.index < entry.index
        }
        sealed = next((e for e in read.of("paper.sealed") if e.body["paper"] == paper), None)
        if sealed is not None and not (
            set(entry.body["custodians"]) <= given
            and len(entry.body["custodians"]) >= sealed.body["threshold"]
        ):
            yield f"entry {entry.index}: the paper {paper} was opened without enough genuine shares"
