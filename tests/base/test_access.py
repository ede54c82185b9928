"""Deny by default: a view that does not say who may enter keeps the application from starting."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Blueprint, Flask

from examsvc.app import create_app
from examsvc.base import access
from examsvc.base.access import Actor
from examsvc.settings import Settings


def an_app(bp: Blueprint) -> Flask:
    app = Flask("tests")
    app.register_blueprint(bp)
    return app


def test_a_view_without_a_rule_stops_the_start() -> None:
    bp = Blueprint("room", "tests")
    bp.add_url_rule("/open", "open", access.public(lambda: "x"))
    access.require_rules(an_app(bp))
    bp = Blueprint("room", "tests")
    bp.add_url_rule("/open", "open", access.public(lambda: "x"))
    bp.add_url_rule("/forgotten", "forgotten", lambda: "x")
    with pytest.raises(RuntimeError, match=r"without a declared access rule: room\.forgotten$"):
        access.require_rules(an_app(bp))


def test_a_rule_names_a_role() -> None:
    with pytest.raises(ValueError, match="at least one role"):
        access.roles()


def test_every_view_of_the_application_has_one_of_four_rules(tmp_path: Path, any_address: str) -> None:
    app = create_app(Settings(mode="test", folder=tmp_path, database_url=any_address))
    rules = {
        rule.endpoint: access.rule_of(app, rule.endpoint)
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.endswith("static")
    }
    assert len(rules) > 150
    assert None not in rules.values()
    # what a stranger may send is on this list, and whoever makes it longer thinks of it twice
    sent = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert {name for name in sent if (found := rules.get(name)) is not None and found.public} == {
        "accounts.forgotten", "accounts.recovery_code", "accounts.register", "accounts.second_step", "accounts.set_up",
        "accounts.sign_in", "accounts.sign_out", "ledger.check", "practice.signin", "sittings.sign_in_again", "sittings.sit",
        "papers.take_share",  # the holder of a key shows it by opening a fresh word
    }  # fmt: skip


def test_roles_of_the_installation_hold_in_competitions_but_where_a_relation_keeps_them_out() -> None:
    actor = Actor(1, "c", "An", frozenset({("hr-officer", ""), ("marker", "mot")}), excluded=frozenset({("hr-officer", "hai")}))
    assert actor.holds("hr-officer", "mot")
    assert not actor.holds("hr-officer", "hai")
    assert actor.holds("marker", "mot")
    assert not actor.holds("marker", "hai")
    assert not actor.holds("marker")
    assert actor.roles_in("mot") == ("hr-officer", "marker")
    assert actor.roles_in("hai") == ()
