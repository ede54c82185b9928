"""A question as candidates see it, in the player itself: of a bank, or of a file that is not imported yet."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flask import jsonify, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from examsvc.base import access, language, pages, web
from examsvc.base.errors import NotFound
from examsvc.papers import queries, uploads
from examsvc.papers.blueprint import READERS, SETTERS, bp, me, media_prefix, reading
from question_banks import Item
from question_banks.values import show


@bp.get("/banks/<name>/items/<identifier>/as-candidate")
@access.roles(*READERS)
def try_item(slug: str, name: str, identifier: str) -> str:
    """The newest version."""
    reading(slug, "item", f"{name}/{identifier}")
    return _page(
        _item(name, identifier),
        media_prefix(slug),
        back=url_for("papers.item", slug=slug, name=name, identifier=identifier),
        mark_url=url_for("papers.mark_item", slug=slug, name=name, identifier=identifier),
    )


@bp.post("/banks/<name>/items/<identifier>/as-candidate")
@access.roles(*READERS)
def mark_item(slug: str, name: str, identifier: str) -> Response:
    """What an answer earns; nothing is stored."""
    return _marked(_item(name, identifier))


@bp.get("/banks/uploads/<int:number>/questions/<int:place>/as-candidate")
@access.roles(*SETTERS)
def try_line(slug: str, number: int, place: int) -> str:
    return _page(
        _line(number, place),
        url_for("papers.upload_medium", slug=slug, number=number, digest="0").removesuffix("0"),
        back=url_for("papers.upload", slug=slug, number=number),
        mark_url=url_for("papers.mark_line", slug=slug, number=number, place=place),
    )


@bp.post("/banks/uploads/<int:number>/questions/<int:place>/as-candidate")
@access.roles(*SETTERS)
def mark_line(slug: str, number: int, place: int) -> Response:
    return _marked(_line(number, place))


def _item(name: str, identifier: str) -> Item:
    return queries.item(queries.versions(web.session(), queries.bank(web.session(), name).id, identifier)[0])


def _line(number: int, place: int) -> Item:
    upload = uploads.upload(web.session(), number)
    lines = uploads.lines(web.session(), upload, offset=place - 1, most=1) if place > 0 and upload.by_id == me() else []
    if not lines or lines[0].item is None:
        raise NotFound()
    return lines[0].item


def _page(item: Item, media: str, *, back: str, mark_url: str) -> str:
    tongues = list(item.languages or item.body.languages or (pages.current_language(),))
    asked = request.args.get("language", pages.current_language())
    tongue = asked if asked in tongues else tongues[0]
    return render_template(
        "papers/as_candidate.html",
        name=item.id,
        item={tongue: item.instance(0).presentation(tongue, 0, media)},
        marks=show(Fraction(item.max_score)),
        language=tongue if tongue in language.LANGUAGES else language.LANGUAGES[0],
        tongues=tongues,
        back=back,
        mark_url=mark_url,
    )


def _marked(item: Item) -> Response:
    body: Any = request.get_json(silent=True)
    value = body.get("value") if isinstance(body, dict) else None
    responses = value if isinstance(value, dict) else {}
    made = item.instance(0)
    if not made.accepts(responses):
        return jsonify(sentence=gettext("This answer cannot be read."))
    outcome = made.mark(responses)
    if outcome.score is None:
        return jsonify(sentence=gettext("People mark this question."))
    tongue = pages.current_language()
    score, most = (language.number(show(Fraction(one)), tongue) for one in (outcome.score, outcome.max_score))
    return jsonify(sentence=gettext("%(score)s of %(most)s marks", score=score, most=most))
