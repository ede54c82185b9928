"""The vocabulary is closed, consistent in itself, and the same in code and on the page."""

import re
from itertools import pairwise
from pathlib import Path

import entries_page
import pytest

from examsvc.ledger import entries
from examsvc.ledger.definitions import ALL_STAGES, THINGS, Lock, Log, Scope
from examsvc.ledger.entries import EntryError

PAGE = Path(__file__).parents[2] / "docs" / "formats" / "entries.md"


def test_the_page_is_what_the_code_says():
    assert PAGE.read_text("utf-8") == entries_page.page(), (
        "run: python tests/ledger/entries_page.py > docs/formats/entries.md"
    )


def test_the_page_names_every_type_and_field_once():
    """Read back without the page's own writer: headings and tables against the definitions."""
    text = PAGE.read_text("utf-8")
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    titles = [section.partition("\n")[0] for section in sections]
    assert len(set(titles)) == len(titles)
    assert {t for t in titles if not t.startswith("object")} == set(entries.TYPES)
    assert {t.removeprefix("object ").strip("`") for t in titles if t.startswith("object")} == set(
        entries.OBJECTS
    )
    for section in sections:
        title, _, rest = section.partition("\n")
        rest = rest.partition("\n## ")[0]
        rows = re.findall(r"^\| `(\w+)` \| ", rest, flags=re.MULTILINE)
        if title.startswith("object"):
            definition = entries.OBJECTS[title.removeprefix("object ").strip("`")]
            assert rows == [field.name for field in definition.fields], title
        else:
            word = entries.TYPES[title]
            assert rows == [field.name for field in word.fields], title
            assert f"approvers: {word.approvers}" in rest
            assert f"number: {word.number_in_words} ·" in rest


def test_names_are_unique_and_every_reference_exists():
    words = [word for part in entries.PARTS for word in part.ENTRIES]
    assert len({word.name for word in words}) == len(words) >= 110
    objects = [word for part in entries.PARTS for word in part.OBJECTS]
    assert len({word.name for word in objects}) == len(objects) >= 50
    used = {"attempt.save", "approval.summary"}
    for word in words:
        for name in (*word.after, *word.before, *word.orders, *(word.within or ())):
            assert name in entries.TYPES, (word.name, name)
        for field in word.body:
            used.update(field.kind.objects)
    assert used == set(entries.OBJECTS), "an object nobody commits to, or a commitment to an unknown object"


def test_entries_have_no_room_for_text():
    for word in entries.TYPES.values():
        for field in word.body:
            assert field.kind.where == "entry", (word.name, field.name)


def test_number_fields_are_in_the_body_and_required():
    for word in entries.TYPES.values():
        own = {field.name: field for field in word.body}
        assert len(own) == len(word.body), f"{word.name} has a field twice"
        for name in word.number or ():
            assert not own[name].optional, (word.name, name)


def test_what_follows_a_lock_is_approved_by_two_or_changes_no_mark():
    late = [w for w in entries.TYPES.values() if w.scope is Scope.STAGE and w.lock is not Lock.CLOSED]
    assert {w.name for w in late if w.lock is Lock.FREE} == {"incident.recorded", "marks.locked"}
    for word in late:
        if word.lock is Lock.APPROVED and word.approvers < 2:
            assert word.orders, word.name


def test_order_names_only_types_that_can_stand_in_the_same_log_and_kind():
    for word in entries.TYPES.values():
        for name in (*word.after, *(word.within or ())):
            other = entries.TYPES[name]
            assert word.log <= other.log, (word.name, name)
        for name in word.before:
            assert entries.TYPES[name].log & word.log, (word.name, name)


def test_after_has_no_cycle():
    def walk(name, path):
        assert name not in path, [*path, name]
        for other in entries.TYPES[name].after:
            walk(other, (*path, name))

    for name in entries.TYPES:
        walk(name, ())


def test_the_chain_of_order_that_a_blind_stage_must_keep():
    """V5: each link follows the one before, directly or through others."""
    chain = [
        "regulation.pinned",
        "applications.opened",
        "applications.closed",
        "paper.sealed",
        "sitting.started",
        "attempt.submitted",
        "sitting.closed",
        "blind.map",
        "scripts.allocated",
        "mark.recorded",
        "marks.locked",
        "blind.open",
        "results.computed",
        "results.approved",
        "results.published",
    ]

    def follows(name, wanted, seen=frozenset()):
        word = entries.TYPES[name]
        earlier = {*word.after, *(word.within or ())[:1]}
        return wanted in earlier or any(
            follows(o, wanted, seen | {name}) for o in earlier if o not in seen and o != name
        )

    for before, after in pairwise(chain):
        # submits come before the close by their window, marks before the lock by the lock
        if (before, after) == ("attempt.submitted", "sitting.closed"):
            assert entries.TYPES[before].within == ("sitting.started", "sitting.closed")
        elif (before, after) == ("mark.recorded", "marks.locked"):
            assert entries.TYPES[before].lock is Lock.CLOSED
        else:
            assert follows(after, before), (before, after)


def test_registry_and_competition_logs_both_begin():
    assert entries.TYPES["log.opened"].log == frozenset(Log)
    assert {w.name for w in entries.TYPES.values() if w.log == frozenset({Log.REGISTRY})} == {
        "competition.opened",
        "competition.cancelled",
        "competition.concluded",
        "release.installed",
    }


def test_kinds_only_matter_where_there_is_a_stage():
    for word in entries.TYPES.values():
        if word.scope is not Scope.STAGE:
            assert word.kinds == ALL_STAGES, word.name
    assert len(set(THINGS)) == len(THINGS)


@pytest.mark.parametrize("name", ["", "results", "attempt.submitted ", "Attempt.submitted", "x"])
def test_unknown_types_are_refused(name):
    with pytest.raises(EntryError, match="not an entry type"):
        entries.check_body(name, {})
    with pytest.raises(EntryError, match="not a committed object"):
        entries.check_object(name, {})
