"""Pages of authors: write or change a question in fields or as TOML, and see it as candidates will."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examsvc.base import access, web
from examsvc.base.errors import N_, Refused
from examsvc.base.forms import Form
from examsvc.papers import authoring, queries, writing, writing_examples
from examsvc.papers.blueprint import SETTERS, bp, competition, me, media_prefix, reading, shown_item
from examsvc.papers.forms import KINDS, LEVELS, BankForm, PictureForm
from examsvc.papers.models import Bank
from question_banks import Item, ItemError

EXTRA_ROWS = 3
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
        return render_template("papers/write_kind.html", competition=competition(slug), bank=bank, kinds=_kinds(), examples=writing_examples.EXAMPLES)
    table = writing.blank(kind, request.form.get("id", "").strip())
    if request.method == "GET":
        return _page(slug, bank, kind, writing.typed(table, bank.languages), Form(formdata=None))
    return _submitted(slug, bank, kind, table, None, lambda item, _base: _write(name, item))


def _write(name: str, item: Item) -> str:
    with web.writing() as session:
        return authoring.write_question(session, queries.bank(session, name), item, by=me(), now=web.now()).identifier


def change(name: str, item: Item, base: str) -> str:
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
    return _submitted(slug, bank, version.kind, table, identifier, lambda item, base: change(name, item, base))


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
        item = item_typed(writing.read(kind, values, table, languages), languages)
        if "store" in values:
            stored = store(item, base)
            web.say(N_("The question is stored. Another person reviews it next."))
            return redirect(url_for("papers.item", slug=slug, name=name, identifier=stored))
        shown = _shown(slug, bank, item)
    except Refused as refusal:
        form.refuse(refusal)
    return _page(slug, queries.bank(web.session(), name), kind, values, form, identifier, base, shown=shown)


def item_typed(table: writing.Table, languages: list[str]) -> Item:
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


@bp.route("/banks/<name>/write/text", methods=["GET", "POST"])
@access.roles(*SETTERS)
def write_text(slug: str, name: str) -> str | Response:
    """A new question as TOML, begun from an example of its kind: for the kinds that no form shows."""
    bank = queries.bank(web.session(), name)
    example = writing_examples.EXAMPLES.get(request.args.get("kind", ""))
    text, identifier = request.form.get("toml", example.toml if example else ""), request.form.get("id", "").strip()
    form, shown, names = Form(), None, (bank.name, list(bank.languages))
    if form.validate_on_submit():
        try:
            item = item_typed({**writing.read_toml(text), "id": authoring.check_identifier(web.session(), bank, identifier)}, names[1])
            if "store" in request.form:
                stored = _write(name, item)
                web.say(N_("The question is stored. Another person reviews it next."))
                return redirect(url_for("papers.item", slug=slug, name=name, identifier=stored))
            shown = _shown(slug, bank, item)
        except Refused as refusal:
            form.refuse(refusal)
    return render_template(
        "papers/edit_text.html",
        competition=competition(slug),
        bank=queries.bank(web.session(), name),
        identifier=None,
        typed=identifier,
        toml=text,
        base="",
        form=form,
        shown=shown,
        has_form=False,
        example=example,
    )


@bp.route("/banks/<name>/pictures", methods=["GET", "POST"])
@access.roles(*SETTERS)
def pictures(slug: str, name: str) -> str:
    """A picture, sound or film is handed in; what is written into a question to show it stands on the page."""
    form, kept = PictureForm(), None
    if form.validate_on_submit():
        data = form.file.data.read()
        try:
            with web.writing() as session:
                queries.bank(session, name)
                made = authoring.keep_medium(session, name=form.file.data.filename or "", data=data)
                kept = {"digest": made.digest, "type": made.type, "name": made.name}
        except Refused as refusal:
            form.refuse(refusal)
    return render_template(
        "papers/pictures.html",
        competition=competition(slug),
        bank=queries.bank(web.session(), name),
        form=form,
        kept=kept,
        media=media_prefix(slug),
    )


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
            item = item_typed({**writing.read_toml(text), "id": identifier}, list(bank.languages))
            if "store" in request.form:
                change(name, item, base)
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
        typed=identifier,
        toml=text,
        base=base,
        form=form,
        shown=shown,
        example=None,
        has_form=writing.suits(writing.table_of(queries.item(version)), bank.languages),
    )
