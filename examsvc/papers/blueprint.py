"""The room's Flask blueprint and what its view modules share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, url_for

from examsvc.base import access, pages, web
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.papers import bank_words, operations, queries
from examsvc.papers.models import Form, ItemVersion
from examsvc.papers.preview import Preview, key, preview

bp = Blueprint("papers", __name__, template_folder="templates", url_prefix="/competitions/<slug>/papers")


@bp.context_processor
def _words() -> dict[str, Any]:
    """What question_banks has to say, in the reader's language."""
    tongue = pages.current_language()
    return {"say": lambda one: bank_words.say(one, tongue), "where": lambda place: bank_words.where(place, tongue)}


SETTERS = ("question-setter",)
READERS = ("question-setter", "paper-approver")
"""Who may see questions and keys before the sitting.  Custodians, chair and hall never do."""
OFFICE = ("council-chair", "council-secretary")


def competition(slug: str) -> Competition:
    return competitions.competition(web.session(), slug)


def me() -> int:
    return access.actor().account_id


def form_of(slug: str, code: str) -> Form:
    return queries.form_of(web.session(), competition(slug).id, code)


def media_prefix(slug: str) -> str:
    """What stands before a picture's digest in its address."""
    return url_for("papers.medium", slug=slug, digest="0").removesuffix("0")


def reading(slug: str, what: str, thing: str) -> None:
    """Puts on record that this person now reads questions, keys or a printed paper."""
    with web.writing() as session:
        operations.note_reading(session, slug, what=what, thing=thing, by=me(), now=web.now())


def shown(version: ItemVersion, media: str) -> dict[str, Any]:
    """An item as pages show it to those who may see the key: every language, the one of the page first."""
    item = queries.item(version)
    return shown_item(item, media)


def shown_item(item: Any, media: str) -> dict[str, Any]:
    here = pages.current_language()
    languages = sorted(item.languages or item.body.languages or (here,), key=lambda one: one != here)
    previews: list[Preview] = [preview(item, language, media) for language in languages]
    return {
        "item": item,
        "previews": previews,
        "key": key(item, languages[0]),
        "language": languages[0],
        "explanation": item.explanation.html(languages[0]) if item.explanation else "",
        "guide": item.guide.html(languages[0]) if item.guide else "",
        "rubric": [
            (one.title.plain(languages[0]), one.marks, [(level.marks, level.text.plain(languages[0])) for level in one.levels])
            for one in item.rubric
        ],
    }
