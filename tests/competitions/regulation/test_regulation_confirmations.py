from datetime import UTC, date, datetime

from regulation_documents import at, edited, read_tree, tree_of

from examsvc.competitions.confirmations import (
    Confirmation,
    clause_digest,
    clauses_to_confirm,
    missing_confirmations,
)
from examsvc.competitions.regulation import clauses, preset_names, read_preset

TODAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def confirmed(open_clauses, person="chair"):
    return [Confirmation(one.path, one.digest, person, NOON) for one in open_clauses]


def all_verified(tree):
    def visit(node):
        if isinstance(node, dict):
            if "verified" in node:
                node["verified"] = True
                node.pop("unverified_fields", None)
            for value in node.values():
                visit(value)
        elif isinstance(node, list):
            for value in node:
                visit(value)

    visit(tree)


def test_unverified_clauses_are_listed_one_by_one():
    regulation = read_preset("vn-decree-170-2025")
    listed = clauses_to_confirm(regulation, TODAY)
    expected = {path for path, c in clauses(regulation) if not c.verified or c.unverified_fields}
    assert {one.path for one in listed} == expected
    assert len(listed) == 92
    by_path = {one.path: one for one in listed}
    assert by_path["priority"].fields == ("combine", "added_to", "after_pass_check")
    assert by_path["late.middle"].fields == ()
    assert "late.short" not in by_path
    assert "transition" not in by_path


def test_a_rule_that_is_not_in_force_needs_every_clause_confirmed():
    regulation = read_preset("vn-decree-115-2020")
    everything = [path for path, _ in clauses(regulation)]
    assert [one.path for one in clauses_to_confirm(regulation, TODAY)] == everything
    while_in_force = clauses_to_confirm(regulation, date(2022, 1, 1))
    assert 0 < len(while_in_force) < len(everything)
    reasons = {one.path: one.reason for one in clauses_to_confirm(regulation, TODAY)}
    assert reasons["ties"] == "not-in-force"
    assert reasons["publication"] == "unverified"


def test_a_fully_verified_rule_in_force_needs_none():
    regulation = read_tree(edited("demo", all_verified))
    assert clauses_to_confirm(regulation, TODAY) == ()
    assert len(clauses_to_confirm(regulation, date(2024, 12, 31))) == len(list(clauses(regulation)))


def test_confirmations_count_one_by_one():
    for name in preset_names():
        regulation = read_preset(name)
        needed = clauses_to_confirm(regulation, TODAY)
        given = confirmed(needed)
        assert missing_confirmations(regulation, given, TODAY) == ()
        assert missing_confirmations(regulation, given[1:], TODAY) == needed[:1]
        assert missing_confirmations(regulation, [], TODAY) == needed
        assert missing_confirmations(regulation, confirmed(needed, person=" "), TODAY) == needed


def test_an_edited_clause_needs_a_new_confirmation_and_only_that_one():
    given = confirmed(clauses_to_confirm(read_preset("demo"), TODAY))

    def edit(tree):
        at(tree, "stages.written.parts.essay")["minutes"] = 45

    changed = read_tree(edited("demo", edit))
    assert [one.path for one in missing_confirmations(changed, given, TODAY)] == ["stages.written.parts.essay"]


def test_an_added_clause_changes_the_one_that_holds_it():
    given = confirmed(clauses_to_confirm(read_preset("demo"), TODAY))

    def edit(tree):
        parts = at(tree, "stages.written.parts")
        parts.append(at(tree_of("demo"), "stages.written.parts.test") | {"id": "second-test"})

    missing = missing_confirmations(read_tree(edited("demo", edit)), given, TODAY)
    assert [one.path for one in missing] == ["stages.written", "stages.written.parts.second-test"]


def test_digests_of_clauses_differ():
    found = {clause_digest(clause) for _, clause in clauses(read_preset("demo"))}
    assert len(found) == 119
    assert all(len(digest) == 64 for digest in found)
