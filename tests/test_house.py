"""Promises of the house that no single room can test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from examsvc.settings import Settings
from examsvc.translations import compile as translations

ROOT = Path(__file__).parents[1]
ROOMS = sorted(path.parent.name for path in ROOT.glob("examsvc/*/views.py"))


def imports(path: Path) -> list[str]:
    """Modules that a file imports, anywhere in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            found += [f"{node.module}.{name.name}" for name in node.names]
    return found


def test_nobody_imports_another_rooms_views_or_forms() -> None:
    files = [path for room in ROOMS for path in sorted((ROOT / "examsvc" / room).rglob("*.py"))]
    assert len(files) > 40
    for path in files:
        room = path.relative_to(ROOT / "examsvc").parts[0]
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "examsvc" and len(parts) > 2 and parts[1] in ROOMS and parts[1] != room:
                assert not parts[2].endswith(("views", "forms")), f"{path.name} of {room} imports {name}"


WEB = ("flask", "flask_babel", "flask_wtf", "flask_sqlalchemy", "wtforms", "jinja2", "werkzeug")
PAGES = {
    "base.access", "base.forms", "base.pages", "base.web", "accounts.browser", "sittings.protocol", "papers.tasks",
    "papers.custody_tasks",
}  # fmt: skip
"""Modules beside views, forms and blueprints that answer a browser."""


def of_the_web(name: str) -> bool:
    """Whether a module of the application (room.module) belongs to its pages."""
    return name in PAGES or name.endswith(("views", "forms", "blueprint"))


def test_whatever_is_not_a_page_knows_nothing_of_the_web() -> None:
    """Rules, queries and operations run without Flask, also from a command or a test: neither they nor what they import know it."""
    looked = 0
    for path in sorted((ROOT / "examsvc").glob("*/**/*.py")):
        name = ".".join(path.relative_to(ROOT / "examsvc").with_suffix("").parts)
        if of_the_web(name) or name.split(".")[0] in ("commands", "migrations", "translations"):
            continue
        looked += 1
        for imported in imports(path):
            assert imported.split(".")[0] not in WEB, f"{name} imports {imported}"
            assert imported != "examsvc.app", name
            assert not (imported.startswith("examsvc.") and of_the_web(imported.removeprefix("examsvc."))), f"{name} imports {imported}"
    assert looked > 150


UNTRANSLATED: set[str] = set()
"""Rooms whose Vietnamese is not complete yet; a room that has become complete must leave this set."""


def test_every_sentence_has_its_vietnamese() -> None:
    assert len(translations.used()) > 500
    missing = {where.partition("/")[0]: sentence for sentence, _, where in translations.missing().values()}
    assert set(missing) == UNTRANSLATED, missing


def test_no_catalogue_translates_what_nobody_says() -> None:
    used = set(translations.used())
    for path, catalogue in translations.catalogues():
        if path.name == "wtforms.po":
            continue
        ids = {message.id[0] if isinstance(message.id, (list, tuple)) else message.id for message in catalogue if message.id}
        assert sorted(ids - used) == [], path.name


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert f"| `EXAMSVC_{name.upper()}` |" in page
        assert field.description
        assert field.description in page


def test_production_refuses_what_is_unsafe() -> None:
    with pytest.raises(ValueError, match="https://"):
        Settings(mode="production", base_url="http://example.vn")
    with pytest.raises(ValueError, match="32 characters"):
        Settings(mode="production", base_url="https://example.vn", secret_key="short")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="time zone"):
        Settings(mode="demo", time_zone="Asia/Hanoi")


def test_migrations_make_what_the_models_say(tmp_path: Path) -> None:
    from examsvc.base.database import make_engine
    from examsvc.migrations import apply

    engine = make_engine(f"sqlite:///{tmp_path / 'm.sqlite'}")
    apply.upgrade(engine)
    assert apply.missing(engine) == []
    assert apply.differences(engine) == []
    engine.dispose()
