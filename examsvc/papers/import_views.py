"""Importing a file with questions: it is looked into, shown question by question as candidates will see it, and confirmed once."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examsvc.base import access, jobs, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.papers import uploads
from examsvc.papers.blueprint import SETTERS, bp, competition, me, shown_item
from examsvc.papers.forms import KINDS, ImportForm
from examsvc.papers.upload_models import BankUpload

PAGE = 25
VERDICTS = {
    "new": N_("taken"),
    "new version": N_("new version of a question in the bank"),
    "metadata": N_("in the bank already; its details are brought up to date"),
    "unchanged": N_("in the bank already"),
    "older": N_("an older version of a question in the bank; the newer one stays"),
    "refused": N_("refused"),
}
FORMATS = {
    "native": "TOML",
    "xlsx": "XLSX",
    "csv": "CSV",
    "moodle-xml": "Moodle XML",
    "gift": "GIFT",
    "aiken": "Aiken",
    "qti3": "QTI 3.0",
    "qti2": "QTI 2.0–2.2",
}


@bp.route("/banks/import", methods=["GET", "POST"])
@access.roles(*SETTERS)
def import_page(slug: str) -> str | Response:
    """A file is handed in; what it holds is shown next."""
    form = ImportForm()
    if form.validate_on_submit():
        data = form.file.data.read()
        try:
            with web.writing() as session:
                number = uploads.hand_in(
                    session,
                    file_name=form.file.data.filename or "",
                    data=data,
                    format=form.format.data or None,
                    language=form.language.data or "vi",
                    bank_name=form.bank_name.data or "",
                    by=me(),
                    now=web.now(),
                ).id
            _look(number, len(data))
            refusal = uploads.refusal(_upload(number))
            if refusal is not None:
                _forget(number)
                raise refusal
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect(url_for("papers.upload", slug=slug, number=number))
    return render_template("papers/import.html", competition=competition(slug), form=form)


def _look(number: int, size: int) -> None:
    """A small file is looked into at once, by the same job that a worker does for a large one."""
    job = _upload(number).job_id
    if size <= uploads.AT_ONCE and job is not None:
        jobs.run(web.session(), job, web.now())


def _upload(number: int) -> BankUpload:
    """The person's own upload; those of others do not exist."""
    found = uploads.upload(web.session(), number)
    if found.by_id != me():
        raise NotFound()
    return found


def _forget(number: int) -> None:
    with web.writing() as session:
        uploads.forget(session, uploads.upload(session, number))


@bp.get("/banks/uploads/<int:number>")
@access.roles(*SETTERS)
def upload(slug: str, number: int) -> str:
    """Item by item: taken, taken with loss, refused; likenesses; each question as candidates will see it."""
    if uploads.outdated(web.session(), _upload(number)):
        with web.writing() as session:
            uploads.look_again(session, uploads.upload(session, number), now=web.now())
        _look(number, len(_upload(number).data))
    found = _upload(number)
    refusal = uploads.refusal(found)
    if found.looked_at is None or refusal is not None:
        job = web.session().get(jobs.Job, found.job_id)
        return render_template(
            "papers/upload_waits.html",
            competition=competition(slug),
            upload=found,
            refusal=web.explain(refusal) if refusal is not None else "",
            failed=job is None or job.error is not None,
        )
    overview = uploads.overview(web.session(), found)
    show = request.args.get("show", "")
    if show not in uploads.SHOWN:
        raise NotFound()
    every = {"": overview.lines, "lossy": overview.lossy, "alike": overview.alike, **overview.counts}.get(show, 0)
    pages = max(1, -(-every // PAGE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    lines = uploads.numbered(web.session(), found, show=show, offset=(page - 1) * PAGE, most=PAGE)
    media = url_for("papers.upload_medium", slug=slug, number=number, digest="0").removesuffix("0")
    return render_template(
        "papers/upload.html",
        competition=competition(slug),
        upload=found,
        overview=overview,
        verdicts=VERDICTS,
        format=FORMATS.get(found.format, found.format),
        lines=[
            (place, line, shown_item(line.item, media) if line.item is not None else None) for place, line in lines
        ],
        show=show,
        page=page,
        pages=pages,
        kinds=KINDS,
    )


@bp.get("/banks/uploads/<int:number>/media/<digest>")
@access.roles(*SETTERS)
def upload_medium(slug: str, number: int, digest: str) -> Response:
    found = uploads.medium(web.session(), _upload(number), digest)
    return web.medium(found.data, found.type)


@bp.post("/banks/uploads/<int:number>/confirm")
@access.roles(*SETTERS)
def confirm(slug: str, number: int) -> Response:
    _upload(number)
    with web.writing() as session:
        bank, overview = uploads.confirm(session, uploads.upload(session, number), by=me(), now=web.now())
        name, changed, refused = bank.name, overview.changes, overview.counts.get("refused", 0)
    if refused:
        web.say(N_("%(number)d questions were imported; %(refused)d were refused."), number=changed, refused=refused)
    else:
        web.say(N_("%(number)d questions were imported."), number=changed)
    return redirect(url_for("papers.bank", slug=slug, name=name))


@bp.post("/banks/uploads/<int:number>/forget")
@access.roles(*SETTERS)
def forget(slug: str, number: int) -> Response:
    _upload(number)
    _forget(number)
    web.say(N_("The file is forgotten; nothing was imported."))
    return redirect(url_for("papers.import_page", slug=slug))
