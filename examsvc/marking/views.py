"""The pages of marking: the desk, the chief examiner's view, the panel."""

from __future__ import annotations

from flask import Flask

from examsvc.base import pages
from examsvc.marking import chief_views, code_views, desk_views, item_scores, panel_views
from examsvc.settings import Settings

SOURCES = (item_scores.scores,)
"""Answers to other rooms' questions, registered when imported."""


def register_room(app: Flask, settings: Settings) -> None:
    for module in (desk_views, chief_views, panel_views, code_views):
        app.register_blueprint(module.bp)
        pages.tasks_from(module.tasks)
