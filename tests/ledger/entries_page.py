"""Writes docs/formats/entries.md from the vocabulary:  python tests/ledger/entries_page.py > docs/formats/entries.md

The words of the page's first part stand here; the tables are what `examsvc.ledger.entries` says.
"""

import sys

from examsvc.ledger import entries
from examsvc.ledger.definitions import ALL_STAGES, THINGS, EntryType, Lock, Log, ObjectType, Opening, Scope
from examsvc.ledger.fields import MAX_LISTED, Field

PARTS = {
    "installation": "The installation",
    "people": "People and roles",
    "course": "Rules and course",
    "applications": "Applications",
    "draws": "Public draws",
    "papers": "Papers",
    "sittings": "Sittings",
    "marking": "Marking",
    "defence": "Defence and hearings",
    "results": "Results",
    "appeals": "Appeals",
}

OPENINGS = {
    Opening.PUBLIC: "with the public edition of the bundle",
    Opening.RESTRICTED: "with the restricted edition only",
    Opening.SUBJECT: "by the person concerned and lawful inspection; in no bundle",
}

LOCKS = {
    Lock.CLOSED: "never",
    Lock.APPROVED: "approved by two, or under an order approved by two",
    Lock.FREE: "yes, it changes no mark and no rank",
}

HEAD = f"""# Log entries

This page fixes, before the first table is made, what the logs of examsvc may hold. It is written from the same
definitions the software checks every entry against (`examsvc/ledger/vocabulary/`), and a test keeps the two equal.
An entry of a type that is not on this page is a verification error.

## Bytes

```
entry      = JCS({{"v":1, "n":index, "x":competition, "type":…, "t":UTC seconds, "by":actor code, "body":{{…}}}})
commitment = SHA-256("examsvc.v1/" + name of the object + 0x00 + salt + JCS(object))
leaf       = SHA-256(0x00 + entry)
```

- JCS is RFC 8785 over restricted JSON: objects, arrays, strings in Unicode form NFC, booleans, null, and integers of magnitude below 2^53.
  There are no floats: marks are decimal strings, times integer seconds UTC. Object keys are printable ASCII. Nesting
  is at most 32 deep. Binary is lowercase hexadecimal. A reader parses strictly (no key twice) and requires that encoding again gives the same bytes.
- An entry has at most {entries.MAX_ENTRY_BYTES:,} bytes and a list in it at most {MAX_LISTED} members; longer lists go in parts.
- `n` counts from 0 without a gap. `t` never decreases. `x` is the code of the competition, in the registry log the code of the installation. `by` is the actor's code in this log: a
  code introduced by `person.enrolled`, the code of an application or an attempt for what a candidate does, or `system`.
- Entries hold codes, integers, commitments and digests, never personal data and never free text. A **code** is 1 to 64 ASCII letters, digits
  and `.`, `_`, `-` inside. Codes of persons, applications, attempts, scripts and hearings are drawn at random. A
  **digest** is a SHA-256 of bytes that nobody can guess their way to or that are public anyway.

## Salts and openings

Every commitment has its own salt: 32 bytes from the operating system's generator, never used for a second commitment, not even of
the same object. Salt and object (the *opening*) are kept apart from the log, in the transaction that
appends the entry. Where an object is personal, erasure deletes salt and object:
the entry stays, verifies, and says nothing any more. Each object below says who gets its opening. A regulation may release to the public edition what stands here as
restricted and is not personal. The opening of `attempt.answers` is also in the candidate's receipt. What opens the pairs of `blind.map` is until
`blind.open` with the code custodians alone: [code-map.md](code-map.md).

## Number, scope and order

- **Scope.** An entry is about the whole log, about the posts in its `posts`, or about a stage of these posts (`stage`, `posts`). Every rule below is applied post by post and
  stage by stage, as the regulation of the competition declares them.
- **Kinds.** A stage of the regulation has parts of one or more kinds: *objective* (sat, marked by the machine), *written* (sat, marked by people), *plan* (handed in
  with the application, marked by people), *defence* (heard by a panel: defences, interviews, simulations). Some types occur only in stages with certain kinds of parts.
- **Number.** *Once* means at most once in each unit of the scope; *once per attempt and lease* at most once for these values, and so on.
  Codes of things ({", ".join(f"`{name}`" for name in THINGS)}) are unique in the log; other numbers count within a post or stage.
- **Required.** A verified result needs at least one such entry in each unit of the scope where it occurs.
- **After, not after, within.** An entry needs an earlier one of each type under *after* for the same posts, stage and things (those that entries of both types always name); it must not follow one under *not
  after*; *within A … B* means that more entries A than B came before it. A type that does not occur in a stage
  asks nothing there. Where an entry about posts follows types about stages, it follows them in each stage it names in `stages`, or else in each declared stage that was not omitted.
- **Lock.** After `marks.locked` and until `marks.reopened` nothing enters a stage but the types that say so. After a reopening only new attempts, scripts and hearings enter; what was locked stays as it is.
- **Annulment.** `decision.annulled` for a stage, a post or the competition begins numbers and order anew there; the
  annulled entries stay and codes of things stay taken. What is held in place of an annulled sitting or part has codes of its own.
- **Approvers.** `approvals` lists who approved, at least as many different people as stated here (a regulation may ask for
  more), each for the very same summary, to which `summary` commits. `under` is the index of the entry that ordered this one.
- **By** names the usual role; the regulation's role matrix decides. `system` acts for the clock.

## Which check reads what

| check | entries it reads |
|---|---|
| V1 canonical, V3 root | all |
| V2 signature and witnesses | `log.opened`, `key.rotated`, `witnesses.named`, `witnesses.changed`; the policy itself comes from outside |
| V4 types and numbers, V5 order, V11 locks | all, by the rules of this page; declared stages from the document that `regulation.pinned` names |
| V6 rules, forms, keys | `regulation.pinned`, `notice.*`, `paper.approved`, `paper.sealed`, `paper.opened`, `key.corrected`, `guide.set` |
| V7 draws | `draw.*` and the entries that name a `draw` |
| V8 submits | `attempt.checked_in`, `attempt.submitted`, `attempt.late_decided`, `attempt.granted`, `attempt.credited`, `room.*`, `sitting.heads` |
| V9 nobody vanished | `candidates.listed`, `attempt.*`, `sitting.*`, `blind.map`, `blind.open`, `hearing.*`, `results.*` |
| V10 marks | `scripts.allocated`, `script.reallocated`, `mark.*`, `hearing.marked`, `hearing.settled`, `remark.*` |
| V12 roles | `person.enrolled`, `role.*`, `recusal.recorded`, `relation.declared`, the actors and approvers of all |
| V13 scores, V14 ranking, V15 published ranking | `responses.scored`, `mark.settled`, `hearing.settled`, `remark.settled`, `item.neutralised`, `key.corrected`, `sanction.*`, `priority.granted`, `tie.decided`, `results.*` |
| V16 time stamps | `time.stamped` |
| V17 the map opens | `blind.map`, `plans.map`, `attempt.prepared`, `candidates.listed`, `application.submitted` |
| V18 receipts | `attempt.submitted` |
| V19 statistics | `mark.recorded`, `hearing.marked`, `sitting.heads` |
| V20 release | `release.installed`, `results.computed` |

The chain over an attempt's saves, the Merkle root in `sitting.heads` and the method of draws are in [log.md](log.md); receipts in [receipt.md](receipt.md).
"""


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


def _field_rows(own: tuple[Field, ...]) -> list[str]:
    rows = ["| field | kind | |", "|---|---|---|"]
    for field in own:
        kind = _escape(field.kind.name) + (", optional" if field.optional else "")
        rows.append(f"| `{field.name}` | {kind} | {_escape(field.note)} |")
    return rows


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def entry_section(word: EntryType) -> str:
    """The section of one entry type."""
    facts = [f"number: {word.number_in_words}", f"scope: {word.scope}"]
    if word.log == frozenset(Log):
        facts.append("in both logs")
    elif Log.REGISTRY in word.log:
        facts.append("in the registry log")
    facts.append(f"by: {word.by}")
    facts.append(f"approvers: {word.approvers}")
    if word.required:
        facts.append("required")
    lines = [f"### {word.name}", "", word.when, "", "- " + " · ".join(facts)]
    if word.after:
        lines.append(f"- after {_names(word.after)}")
    if word.before:
        lines.append(f"- not after {_names(word.before)}")
    if word.within:
        lines.append(f"- within `{word.within[0]}` … `{word.within[1]}`")
    if word.orders:
        lines.append(f"- under {_names(word.orders)}")
    if word.scope is Scope.STAGE:
        if word.kinds != ALL_STAGES:
            lines.append("- in stages with parts: " + ", ".join(sorted(word.kinds)))
        lines.append(f"- after the lock: {LOCKS[word.lock]}")
    if word.fields:
        lines += ["", *_field_rows(word.fields)]
    return "\n".join(lines) + "\n"


def object_section(word: ObjectType) -> str:
    """The section of one committed object."""
    personal = "personal, erasable" if word.personal else "not personal"
    lines = [f"### object `{word.name}`", "", word.note, ""]
    lines += [f"- opened {OPENINGS[word.opening]} · {personal}", "", *_field_rows(word.fields)]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page."""
    sections = [HEAD, "## All types\n"]
    rows = ["| type | number | scope | approvers | commits to |", "|---|---|---|---|---|"]
    for word in entries.TYPES.values():
        objects = ", ".join(f"`{name}`" for name in commitments_in(word)) or "–"
        rows.append(
            f"| [{word.name}](#{word.name.replace('.', '')}) | {word.number_in_words} | {word.scope} | {word.approvers} | {objects} |"
        )
    sections.append("\n".join(rows) + "\n")
    for part in entries.PARTS:
        sections.append(f"## {PARTS[part.__name__.rpartition('.')[2]]}\n")
        sections += [entry_section(word) for word in part.ENTRIES]
        sections += [object_section(word) for word in part.OBJECTS]
    return "\n".join(sections)


def commitments_in(word: EntryType) -> list[str]:
    """Names of the objects that a body of this type commits to, the approvers' summary aside."""
    names: list[str] = []
    for field in word.fields:
        for name in field.kind.objects:
            if name not in names:
                names.append(name)
    return names


if __name__ == "__main__":
    sys.stdout.write(page())
