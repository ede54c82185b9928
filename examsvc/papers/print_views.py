"""Papers as PDF: the paper itself, large print, key and marking guide."""

from __future__ import annotations

from flask import Response as FlaskResponse
from flask import request
from werkzeug.wrappers import Response

from examsvc.base import access, web
from examsvc.base.errors import NotFound
from examsvc.competitions import queries as competitions
from examsvc.papers import printing, queries
from examsvc.papers.blueprint import READERS, bp, form_of, reading
from examsvc.papers.models import Form, MediaFile


@bp.get("/forms/<code>/paper.pdf")
@access.roles(*READERS, "chief-invigilator")
def paper_pdf(slug: str, code: str) -> Response:
    """For setters and approvers at any time that the questions are at hand; for the hall once the custodians have opened it."""
    found = form_of(slug, code)
    reader = any(access.actor().holds(role, slug) for role in READERS)
    if not found.slots or (not reader and found.opened_at is None):
        raise NotFound()
    tongue = _tongue(found)
    large = request.args.get("large") == "1"
    reading(slug, "print", f"{code}, {tongue}")
    found = form_of(slug, code)
    data = printing.paper_pdf(
        found,
        queries.seated_part(found.competition, found.part),
        queries.questions(found),
        tongue,
        media=_media(found),
        institution=_institution(tongue),
        moment=(found.approved_at or found.made_at).astimezone(web.settings().zone),
        large=large,
        draft=found.state == "draft",
    )
    return _pdf(data, f"{code}{'-large' if large else ''}-{tongue}.pdf")


@bp.get("/forms/<code>/guide.pdf")
@access.roles(*READERS)
def guide_pdf(slug: str, code: str) -> Response:
    """Key and marking guide."""
    found = form_of(slug, code)
    if not found.slots:
        raise NotFound()
    tongue = _tongue(found)
    reading(slug, "guide", f"{code}, {tongue}")
    found = form_of(slug, code)
    data = printing.guide_pdf(
        found,
        queries.seated_part(found.competition, found.part),
        queries.questions(found),
        tongue,
        institution=_institution(tongue),
        moment=(found.approved_at or found.made_at).astimezone(web.settings().zone),
    )
    return _pdf(data, f"{code}-guide-{tongue}.pdf")


def _tongue(found: Form) -> str:
    asked = request.args.get("language", "")
    languages = competitions.regulation(found.competition).languages
    return asked if asked in languages else languages[0]


def _institution(tongue: str) -> str:
    settings = web.settings()
    return settings.institution_vi if tongue == "vi" else settings.institution_en


def _media(found: Form) -> dict[str, MediaFile]:
    digests = {digest for slot in found.slots for digest in slot.item_version.media}
    return {digest: queries.medium(web.session(), digest) for digest in sorted(digests)}


def _pdf(data: bytes, name: str) -> Response:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": f'inline; filename="{name}"',
    }
    return FlaskResponse(data, mimetype="application/pdf", headers=headers)
