"""Pages of authors: write a question in fields or as TOML, see it, have it reviewed, translate it, compare its versions, retire it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from examsvc.base import access, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import Form, options
from examsvc.papers import authoring, differences, queries, writing
from examsvc.papers.blueprint import READERS, SETTERS, bp, competition, me, media_prefix, reading, shown_item
from examsvc.papers.forms import KINDS, LEVELS, BankForm, ReasonForm, ReviewForm
from examsvc.papers.models import Bank, ItemVersion
from question_banks import Item, ItemError

EXTRA_ROWS = 3
DECISIONS = {
    "reviewed": N_("reviewed"),
    "approved": N_("approved"),
    "returned": N_("returned to its author"),
    "retired": N_("retired"),
}


@bp.route("/banks/new", methods=["GET", "POST"])
@access.roles(*SETTERS)
def new_bank(slug: str) -> str | Response:
    """An empty bank in both languages."""
    form = BankForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                name = authoring.make_bank(
                    session,
                    name=form.name.data or "",
                    title={"vi": form.title_vi.data or "", "en": form.title_en.data or ""},
                    languages=("vi", "en"),
                    by=me(),
                    now=web.now(),
                ).name
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The bank is made. Write its first question."))
            return redirect(url_for("papers.write", slug=slug, name=name))
    return render_template("papers/new_bank.html", competition=competition(slug), form=form)


@bp.route("/banks/<name>/write", methods=["GET", "POST"])
@access.roles(*SETTERS)
def write(slug: str, name: str) -> str | Response:
    """A new question: first its kind, then its fields."""
    bank = queries.bank(web.session(), name)
    kind = request.values.get("kind", "")
    if kind not in writing.KINDS:
        return render_template("papers/write_kind.html", competition=competition(slug), bank=bank, kinds=_kinds())
    table = writing.blank(kind, request.form.get("id", "").strip())
    if request.method == "GET":
        return _page(slug, bank, kind, writing.typed(table, bank.languages), Form(formdata=None))
    return _submitted(slug, bank, kind, table, None, lambda item, _base: _write(name, item))


def _write(name: str, item: Item) -> str:
    with web.writing() as session:
        return authoring.write_question(session, queries.bank(session, name), item, by=me(), now=web.now()).identifier


def _change(name: str, item: Item, base: str) -> str:
    with web.writing() as session:
        return authoring.change_question(
            session, queries.bank(session, name), item, base=base, by=me(), now=web.now()
        ).identifier


@bp.route("/banks/<name>/items/<identifier>/edit", methods=["GET", "POST"])
@access.roles(*SETTERS)
def edit(slug: str, name: str, identifier: str) -> str | Response:
    """The fields of the newest version; a question that has more than its form shows goes to the TOML page."""
    bank = queries.bank(web.session(), name)
    version = queries.versions(web.session(), bank.id, identifier)[0]
    table = writing.table_of(queries.item(version))
    if not writing.suits(table, bank.languages):
        return redirect(url_for("papers.edit_text", slug=slug, name=name, identifier=identifier))
    if request.method == "GET":
        digest = version.digest
        reading(slug, "item", f"{name}/{identifier}")
        bank = queries.bank(web.session(), name)
        return _page(slug, bank, version.kind, writing.typed(table, bank.languages), Form(formdata=None), identifier, digest)
    return _submitted(slug, bank, version.kind, table, identifier, lambda item, base: _change(name, item, base))


def _submitted(
    slug: str, bank: Bank, kind: str, table: writing.Table, identifier: str | None, store: Callable[[Item, str], str]
) -> str | Response:
    """What was typed: shown with more rows, shown as candidates will see it, or stored."""
    form = Form()
    values = {key: value for key, value in request.form.items() if key != "csrf_token"}
    base = values.get("base", "")
    languages, name = list(bank.languages), bank.name
    shown = None
    if not form.validate_on_submit() or "more" in values:
        return _page(slug, bank, kind, values, form, identifier, base, extra=EXTRA_ROWS)
    try:
        if identifier is None:
            authoring.check_identifier(web.session(), bank, str(table["id"]))
        item = _item(writing.read(kind, values, table, languages), languages)
        if "store" in values:
            stored = store(item, base)
            web.say(N_("The question is stored. Another person reviews it next."))
            return redirect(url_for("papers.item", slug=slug, name=name, identifier=stored))
        shown = _shown(slug, bank, item)
    except Refused as refusal:
        form.refuse(refusal)
    return _page(slug, queries.bank(web.session(), name), kind, values, form, identifier, base, shown=shown)


def _item(table: writing.Table, languages: list[str]) -> Item:
    try:
        return writing.item_of(table, languages[0])
    except ItemError as error:
        raise authoring.NoQuestion(error) from None


def _shown(slug: str, bank: Bank, item: Item) -> dict[str, Any]:
    return {
        "question": shown_item(item, media_prefix(slug)),
        "remarks": authoring.remarks(web.session(), bank, item),
    }


def _page(
    slug: str,
    bank: Bank,
    kind: str,
    values: dict[str, str],
    form: Form,
    identifier: str | None = None,
    base: str = "",
    extra: int = 0,
    shown: dict[str, Any] | None = None,
) -> str:
    rows = {
        one.key: max(_filled(values, one.key) + extra, one.first if identifier is None else 0)
        for one in writing.entries(kind)
        if isinstance(one, writing.Rows)
    }
    everything = queries.current_items(web.session(), bank.id)
    return render_template(
        "papers/write.html",
        competition=competition(slug),
        bank=bank,
        kind=kind,
        kind_name=KINDS[kind],
        entries=writing.entries(kind),
        values=values,
        rows={key: min(number, writing.MOST_ROWS) for key, number in rows.items()},
        tongues=bank.languages,
        identifier=identifier,
        base=base,
        form=form,
        shown=shown,
        levels=LEVELS,
        topics=queries.topic_counts(everything),
    )


def _filled(values: dict[str, str], key: str) -> int:
    places = [int(parts[1]) for name, value in values.items() if (parts := name.split("."))[0] == key and len(parts) > 2 and parts[1].isdigit() and value]
    return max(places, default=-1) + 1


def _kinds() -> dict[str, Any]:
    return {kind: KINDS[kind] for kind in writing.KINDS}


@bp.route("/banks/<name>/items/<identifier>/edit/text", methods=["GET", "POST"])
@access.roles(*SETTERS)
def edit_text(slug: str, name: str, identifier: str) -> str | Response:
    """The newest version as TOML: every kind of question, and everything that a form does not show."""
    bank = queries.bank(web.session(), name)
    version = queries.versions(web.session(), bank.id, identifier)[0]
    form = Form()
    text, base, shown = request.form.get("toml", ""), request.form.get("base", ""), None
    if request.method == "GET":
        text, base = writing.as_toml(writing.table_of(queries.item(version))), version.digest
        reading(slug, "item", f"{name}/{identifier}")
    elif form.validate_on_submit():
        try:
            item = _item({**writing.read_toml(text), "id": identifier}, list(bank.languages))
            if "store" in request.form:
                _change(name, item, base)
                web.say(N_("The question is stored. Another person reviews it next."))
                return redirect(url_for("papers.item", slug=slug, name=name, identifier=identifier))
            shown = _shown(slug, bank, item)
        except Refused as refusal:
            form.refuse(refusal)
    bank = queries.bank(web.session(), name)
    version = queries.versions(web.session(), bank.id, identifier)[0]
    return render_template(
        "papers/edit_text.html",
        competition=competition(slug),
        bank=bank,
        identifier=identifier,
        toml=text,
        base=base,
        form=form,
        shown=shown,
        has_form=writing.suits(writing.table_of(queries.item(version)), bank.languages),
    )


@bp.route("/banks/<name>/items/<identifier>/translate", methods=["GET", "POST"])
@access.roles(*SETTERS)
def translate(slug: str, name: str, identifier: str) -> str | Response:
    """Every text of a question, the languages side by side."""
    bank = queries.bank(web.session(), name)
    tongues = list(bank.languages)
    version = queries.versions(web.session(), bank.id, identifier)[0]
    table = writing.table_of(queries.item(version))
    form, base = Form(), request.form.get("base", version.digest)
    places = [(".".join(map(str, path)), path, texts) for path, texts in writing.texts(table, tongues)]
    if form.validate_on_submit():
        typed = {
            label: {tongue: request.form.get(f"{label}/{tongue}", texts[tongue]) for tongue in tongues}
            for label, _, texts in places
        }
        try:
            changed = writing.translated(table, lambda path, old: _tidied(typed.get(".".join(map(str, path)), old)), tongues)
            _change(name, _item(changed, tongues), base)
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
