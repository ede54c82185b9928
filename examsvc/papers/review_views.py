"""Pages of reviewers, translators and readers of versions: what becomes of a question after it was written."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from examsvc.base import access, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import Form, options
from examsvc.papers import authoring, differences, queries, translating, writing
from examsvc.papers.authoring_views import change, item_typed
from examsvc.papers.blueprint import READERS, SETTERS, bp, competition, me, reading
from examsvc.papers.forms import ReasonForm, ReviewForm
from examsvc.papers.models import ItemVersion

DECISIONS = {
    "reviewed": N_("reviewed"),
    "approved": N_("approved"),
    "returned": N_("returned to its author"),
    "retired": N_("retired"),
}


@bp.route("/banks/<name>/items/<identifier>/translate", methods=["GET", "POST"])
@access.roles(*SETTERS)
def translate(slug: str, name: str, identifier: str) -> str | Response:
    """Every text of a question, the languages side by side."""
    bank = queries.bank(web.session(), name)
    tongues = list(bank.languages)
    version = queries.versions(web.session(), bank.id, identifier)[0]
    table = writing.table_of(queries.item(version))
    form, base = Form(), request.form.get("base", version.digest)
    places = [(".".join(map(str, path)), path, texts) for path, texts in translating.texts(table, tongues)]
    if form.validate_on_submit():
        typed = {
            label: {tongue: request.form.get(f"{label}/{tongue}", texts[tongue]) for tongue in tongues}
            for label, _, texts in places
        }
        try:
            changed = translating.translated(table, lambda path, old: _tidied(typed.get(".".join(map(str, path)), old)), tongues)
            change(name, item_typed(changed, tongues), base)
            web.say(N_("The translation is stored. Another person reviews it next."))
            return redirect(url_for("papers.item", slug=slug, name=name, identifier=identifier))
        except Refused as refusal:
            form.refuse(refusal)
        places = [(label, path, typed[label]) for label, path, _ in places]
    else:
        reading(slug, "item", f"{name}/{identifier}")
    leaves = [(label, _named(table, path), texts) for label, path, texts in places]
    return render_template(
        "papers/translate.html",
        competition=competition(slug),
        bank=queries.bank(web.session(), name),
        identifier=identifier,
        places=leaves,
        tongues=tongues,
        base=base,
        form=form,
        missing=sum(1 for _, _, texts in leaves if not all(texts.values()) and any(texts.values())),
        names=differences.NAMES,
    )


def _tidied(texts: dict[str, str]) -> dict[str, str]:
    return {tongue: text.replace("\r\n", "\n").replace("\x00", "").strip() for tongue, text in texts.items()}


def _named(table: Any, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The place of a text in words: numbers become the identifiers of the entries."""
    names, here = [], table
    for step in path:
        here = here[step]
        names.append(str(here.get("id", int(step) + 1)) if isinstance(step, int) else step)
    return tuple(names)


# -------------------------------------------------------------------------------- review, versions, end


@bp.post("/banks/<name>/items/<identifier>/review")
@access.roles(*READERS)
def review(slug: str, name: str, identifier: str) -> Response:
    """A second person's decision; approval is the paper approver's."""
    form = review_form(slug)
    if not form.validate_on_submit():
        raise Refused(N_("Choose what you decide: reviewed, approved, or returned to its author."))
    if form.what.data == "approved" and not access.actor().holds("paper-approver", slug):
        raise NotFound()
    with web.writing() as session:
        authoring.review(
            session,
            queries.bank(session, name),
            identifier,
            digest=form.digest.data or "",
            what=form.what.data or "",
            comment=form.comment.data or "",
            by=me(),
            now=web.now(),
        )
    web.say(N_("Your decision is on record."))
    return redirect(url_for("papers.item", slug=slug, name=name, identifier=identifier))


def review_form(slug: str) -> ReviewForm:
    form = ReviewForm()
    allowed = [("reviewed", gettext("I have checked it: the question and its key are sound"))]
    if access.actor().holds("paper-approver", slug):
        allowed.append(("approved", gettext("I approve it for examinations")))
    allowed.append(("returned", gettext("I return it to its author")))
    form.what.choices = options(allowed)
    return form


@bp.get("/banks/<name>/items/<identifier>/differences")
@access.roles(*READERS)
def compare(slug: str, name: str, identifier: str) -> str:
    """What changed between two versions, word by word; without a choice between the newest and the one before it."""
    bank = queries.bank(web.session(), name)
    versions = queries.versions(web.session(), bank.id, identifier)
    if len(versions) < 2:
        raise NotFound()
    new = _numbered(versions, "new", len(versions))
    old = _numbered(versions, "old", max(1, new - 1))
    ordered = list(reversed(versions))
    changes = differences.changes(
        writing.table_of(queries.item(ordered[old - 1])), writing.table_of(queries.item(ordered[new - 1]))
    )
    total = len(versions)
    reading(slug, "item", f"{name}/{identifier}")
    return render_template(
        "papers/compare.html",
        competition=competition(slug),
        bank=queries.bank(web.session(), name),
        identifier=identifier,
        changes=changes,
        names=differences.NAMES,
        old=old,
        new=new,
        total=total,
    )


def _numbered(versions: list[ItemVersion], name: str, default: int) -> int:
    asked = request.args.get(name, default, type=int)
    if not 1 <= asked <= len(versions):
        raise NotFound()
    return asked


@bp.post("/banks/<name>/items/<identifier>/retire")
@access.roles(*SETTERS)
def retire(slug: str, name: str, identifier: str) -> Response:
    form = ReasonForm()
    if not form.validate_on_submit():
        raise Refused(N_("Write the reason."))
    with web.writing() as session:
        authoring.retire(
            session, queries.bank(session, name), identifier, reason=form.reason.data or "", by=me(), now=web.now()
        )
    web.say(N_("The question is retired: no new paper will draw it."))
    return redirect(url_for("papers.item", slug=slug, name=name, identifier=identifier))
