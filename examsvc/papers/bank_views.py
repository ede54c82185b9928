"""Question banks: what a bank holds, one item with its versions and past use, the way out."""

from __future__ import annotations

from typing import Any

from flask import Response as FlaskResponse
from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound
from examsvc.base.forms import options
from examsvc.papers import authoring, bank_exports, banks, operations, queries, statistics
from examsvc.papers.blueprint import (
    READERS,
    SETTERS,
    bp,
    competition,
    me,
    media_prefix,
    reading,
    shown,
)
from examsvc.papers.forms import (
    KINDS,
    LEVELS,
    STATUSES,
    ReasonForm,
    SearchForm,
    ShippedForm,
    label,
)
from examsvc.papers.queries import Search
from examsvc.papers.review_views import DECISIONS, review_form
from question_banks.banks import shipped, shipped_bank
from question_banks.reading import SUFFIXES

PAGE = 50


@bp.get("/banks")
@access.roles(*READERS)
def all_banks(slug: str) -> str:
    found = queries.banks(web.session())
    form = ShippedForm()
    form.shipped.choices = options((name, name) for name in shipped())
    return render_template(
        "papers/banks.html",
        competition=competition(slug),
        banks=found,
        sizes=queries.bank_sizes(web.session()),
        setter=any(access.actor().holds(role, slug) for role in SETTERS),
        shipped=form,
    )


@bp.post("/banks/shipped")
@access.roles(*SETTERS)
def import_shipped(slug: str) -> Response:
    form = ShippedForm()
    name = form.shipped.data or ""
    if name not in shipped():
        raise NotFound()
    document = shipped_bank(name)
    with web.writing() as session:
        banks.import_bank(session, document, by=me(), now=web.now())
    web.say(N_("The bank %(name)s is in the system."), name=name)
    return redirect(url_for("papers.bank", slug=slug, name=name))


@bp.get("/banks/<name>")
@access.roles(*READERS)
def bank(slug: str, name: str) -> str:
    """The questions of a bank, by words, topic, level, kind and state."""
    found = queries.bank(web.session(), name)
    everything = queries.current_items(web.session(), found.id, retired=True)
    form = SearchForm(request.args)
    any_ = gettext("any")
    form.topic.choices = options(
        [("", any_), *((topic, f"{topic} ({count})") for topic, count in queries.topic_counts(everything).items())]
    )
    form.level.choices = options([("", any_), *LEVELS.items()])
    kinds = sorted({version.kind for version in everything})
    form.kind.choices = options([("", any_), *((kind, label(KINDS, kind)) for kind in kinds)])
    form.status.choices = options([("", gettext("in use")), *STATUSES.items()])
    search = Search(
        form.words.data or "", form.topic.data or "", form.level.data or "", form.kind.data or "", form.status.data or ""
    )
    hits = [version for version in everything if search.finds(version)]
    page = max(1, request.args.get("page", 1, type=int))
    chosen = hits[(page - 1) * PAGE : page * PAGE]
    bank_id = found.id
    reading(slug, "bank", f"{name} · {page}")
    return render_template(
        "papers/bank.html",
        competition=competition(slug),
        bank=queries.bank(web.session(), name),
        form=form,
        rows=[(version, queries.item(version)) for version in chosen],
        uses=queries.earlier_uses(web.session(), bank_id),
        past=statistics.difficulties(web.session(), bank_id),
        hits=len(hits),
        page=page,
        pages=-(-len(hits) // PAGE),
        asked={key: value for key, value in request.args.items() if key != "page"},
        kinds=KINDS,
        levels=LEVELS,
        statuses=STATUSES,
        formats=SUFFIXES,
        setter=any(access.actor().holds(role, slug) for role in SETTERS),
        exports=[
            one for one in bank_exports.ready(web.session(), competition(slug), me(), web.now()) if one.arguments["bank"] == name
        ],
    )


@bp.get("/banks/<name>/items/<identifier>")
@access.roles(*READERS)
def item(slug: str, name: str, identifier: str) -> str:
    """One question as candidates see it, its key, its versions, and where it was used."""
    found = queries.bank(web.session(), name)
    versions = queries.versions(web.session(), found.id, identifier)
    asked = request.args.get("version", "")
    version = next((one for one in versions if one.digest == asked), versions[0])
    number, bank_id = version.id, found.id
    reading(slug, "item", f"{name}/{identifier}")
    versions = queries.versions(web.session(), bank_id, identifier)
    version = next(one for one in versions if one.id == number)
    newest = version.id == versions[0].id
    review = review_form(slug)
    review.digest.data = version.digest
    return render_template(
        "papers/item.html",
        competition=competition(slug),
        bank=queries.bank(web.session(), name),
        version=version,
        versions=versions,
        uses=statistics.of_item(web.session(), identifier, bank_id),
        shown=shown(version, media_prefix(slug)),
        remarks=authoring.remarks(web.session(), version.bank, queries.item(version)),
        review=review if newest and authoring.may_review(version, me()) else None,
        own=newest and version.added_by_id == me(),
        decisions=DECISIONS,
        retire=ReasonForm(formdata=None),
        kinds=KINDS,
        levels=LEVELS,
        statuses=STATUSES,
        setter=any(access.actor().holds(role, slug) for role in SETTERS),
    )


@bp.get("/media/<digest>")
@access.roles(*READERS)
def medium(slug: str, digest: str) -> Response:
    found = queries.medium(web.session(), digest)
    return web.medium(found.data, found.type)


@bp.post("/banks/<name>/export")
@access.roles(*SETTERS)
def ask_export(slug: str, name: str) -> Response:
    """Proposes to take the bank out of the system as a file; a second person approves."""
    drafted = bank_exports.draft(
        web.session(), competition(slug), queries.bank(web.session(), name), request.form.get("format", "")
    )
    with web.writing() as session:
        asked = bank_exports.ask_export(
            session, competition(slug), drafted, by=me(), now=web.now(), language=pages.current_language()
        )
        number = asked.id
    web.say(N_("Proposed. When a second person has approved it, you find the file with the bank for a day."))
    return redirect(url_for("accounts.approval", number=number))


@bp.get("/banks/export-<int:number>")
@access.roles(*SETTERS)
def export(slug: str, number: int) -> Response:
    """The approved file, for whoever asked for it."""
    name, format, data = bank_exports.fetch(web.session(), competition(slug), number, by=me(), now=web.now())
    with web.writing() as session:
        operations.note_reading(session, slug, what="export", thing=f"{name}, {format}", by=me(), now=web.now())
    headers: dict[str, Any] = {"Content-Disposition": f'attachment; filename="{name}{SUFFIXES[format]}"'}
    return FlaskResponse(data, mimetype="application/octet-stream", headers=headers)
