"""Pages of the room papers."""

from __future__ import annotations

from flask import Flask

from examsvc.base import pages
from examsvc.papers import (
    authoring_views,
    bank_views,
    blueprint_views,
    corrections,
    custody_views,
    fault_views,
    import_views,
    paper_views,
    print_views,
    review_views,
    tasks,
    trying_views,
    vault,
)
from examsvc.papers.blueprint import bp
from examsvc.settings import Settings

MODULES = (
    authoring_views,
    bank_views,
    blueprint_views,
    corrections,
    custody_views,
    fault_views,
    import_views,
    paper_views,
    print_views,
    review_views,
    trying_views,
)
"""Imported, so that their views, approvals and jobs are known."""


def register_room(app: Flask, settings: Settings) -> None:
    vault.use(settings.bank_keys())
    app.register_blueprint(bp)
    pages.tasks_from(tasks.tasks)
