"""V12: nobody held, or acted in, two roles at one time that the regulation keeps apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from examsvc.ledger import canonical
from examsvc.ledger.entries import Entry
from examsvc.verify.findings import Finding, conclude
from examsvc.verify.reading import Bundle

TITLE = "nobody held conflicting roles, and who marked or kept shares held the role for it"

# entry type → the field that names the person, and the roles one of which the act needs
ACTS = {
    "mark.recorded": ("marker", frozenset({"marker"})),
    "remark.recorded": ("marker", frozenset({"re-marker"})),
    "hearing.marked": ("member", frozenset({"panel-member", "panel-chair"})),
    "paper.share_delivered": ("custodian", frozenset({"custodian"})),
}


@dataclass(frozen=True, slots=True)
class Tenure:
    """A role somebody held from entry `start` until entry `end` (None: to the end) or until a time."""

    person: str
    role: str
    start: Entry
    end: int | None
    until: int | None

    def holds_at(self, entry: Entry) -> bool:
        """Whether the role was held when `entry` was made."""
        return (
            self.start.index <= entry.index
            and (self.end is None or entry.index < self.end)
            and (self.until is None or entry.time <= self.until)
        )


def roles(read: Bundle) -> Finding:
    """V12. Roles are those granted and delegated in this log; the matrix is the pinned regulation's."""
    matrix = _matrix(read)
    if matrix is None:
        return conclude(
            "V12", TITLE, ["the pinned regulation is not in the bundle, or says nothing of role conflicts"]
        )
    held = _tenures(read)
    reasons = [*_conflicts(held, *matrix), *_acts(read, held), *_strangers(read), *_candidates(read)]
    return conclude("V12", TITLE, reasons, [f"{len(held)} roles held"])


def _matrix(read: Bundle) -> tuple[list[set[str]], set[str]] | None:
    pinned = read.of("regulation.pinned")
    try:
        conflicts: Any = canonical.decode(read.documents[pinned[0].body["digest"]])["conflicts"]
        return [set(group) for group in conflicts["groups"]], set(conflicts["alone"])
    except (IndexError, KeyError, TypeError, canonical.CanonicalError):
        return None


def _tenures(read: Bundle) -> list[Tenure]:
    found = []
    for entry in read.of("role.granted", "role.delegated"):
        person = entry.body["to"] if entry.type == "role.delegated" else entry.body["person"]
        role = entry.body["role"]
        end = next(
            (
                other.index
                for other in read.of("role.revoked")
                if other.index > entry.index and (other.body["person"], other.body["role"]) == (person, role)
            ),
            None,
        )
        found.append(Tenure(person, role, entry, end, entry.body.get("until")))
    for entry in read.of("administrators.first"):
        found += [
            Tenure(person, "system-administrator", entry, None, None) for person in entry.body["persons"]
        ]
    return found


def _conflicts(held: list[Tenure], groups: list[set[str]], alone: set[str]) -> Iterator[str]:
    by_person: dict[str, list[Tenure]] = {}
    for tenure in sorted(held, key=lambda tenure: tenure.start.index):
        for other in by_person.setdefault(tenure.person, []):
            apart = {tenure.role, other.role}
            together = any(apart <= group for group in groups) or bool(apart & alone)
            if len(apart) == 2 and together and other.holds_at(tenure.start):
                yield f"entry {tenure.start.index}: {tenure.person} became {tenure.role} while being {other.role}"
        by_person[tenure.person].append(tenure)


def _acts(read: Bundle, held: list[Tenure]) -> Iterator[str]:
    by_person: dict[str, list[Tenure]] = {}
    for tenure in held:
        by_person.setdefault(tenure.person, []).append(tenure)
    for type, (name, wanted) in ACTS.items():
        for entry in read.of(type):
            person = entry.body[name]
            if not any(
                tenure.role in wanted and tenure.holds_at(entry) for tenure in by_person.get(person, ())
            ):
                yield f"entry {entry.index}: {person} acted as {' or '.join(sorted(wanted))} without that role"


def _strangers(read: Bundle) -> Iterator[str]:
    enrolled = {entry.body["person"]: entry.index for entry in reversed(read.of("person.enrolled"))}
    for entry in read.entries:
        if entry is not None:
            for approval in entry.body.get("approvals", ()):
                if enrolled.get(approval["by"], entry.index) >= entry.index:
                    yield f"entry {entry.index}: {approval['by']} approved before being enrolled"


def _candidates(read: Bundle) -> Iterator[str]:
    """Restricted edition: nobody with a role is a candidate."""
    numbers = {}
    for entry in read.of("person.enrolled"):
        value = read.opened(entry.body["identity"])
        if value is not None and "identity" in value:
            numbers[value["identity"]] = entry.body["person"]
    for entry in read.of("application.submitted"):
        value = read.opened(entry.body["identity"])
        if value is not None and value["identity"] in numbers:
            yield f"entry {entry.index}: the candidate is {numbers[value['identity']]}, who holds an office here"
