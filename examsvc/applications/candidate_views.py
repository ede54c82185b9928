"""The candidate's pages: beginning a file, filling it in, handing it in, and what comes after."""

from __future__ import annotations

from typing import Any

from flask import jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from examsvc.accounts import queries as accounts
from examsvc.accounts.identity import identity_digest
from examsvc.applications import accommodations, handing_in, operations, queries, questions, rules
from examsvc.applications.blueprint import bp, download
from examsvc.applications.forms import (
    AnswerForm,
    RelativeForm,
    RelativesForm,
    SignForm,
    StartForm,
    SubmitForm,
    UploadForm,
    WithdrawForm,
    details_form,
    field_name,
    read_details,
)
from examsvc.applications.models import Application, FileVersion
from examsvc.applications.uploads import FORMAT_NAMES, MEDIA_TYPES, Upload, check_apart
from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import Form, options
from examsvc.competitions import queries as competitions
from examsvc.competitions.entry_clauses import FileRule
from examsvc.competitions.models import Competition
from examsvc.ledger.receipts import slip


def _competition(slug: str) -> Competition:
    found = competitions.competition(web.session(), slug)
    if not competitions.is_public(found):
        raise NotFound()
    return found


def own(slug: str, code: str) -> Application:
    """The signed-in person's file of this code; NotFound for anybody else's."""
    found = queries.by_code(web.session(), _competition(slug).id, code)
    if found.account_id != access.actor().account_id:
        raise NotFound()
    return found


def anew(application: Application) -> Application:
    """The same file, read anew inside the writing transaction."""
    return queries.application(web.session(), application.id)


def page_of(template: str, application: Application, **more: Any) -> str:
    regulation = competitions.regulation(application.competition)
    return render_template(
        f"applications/{template}.html",
        competition=application.competition,
        application=application,
        regulation=regulation,
        open=queries.takes_applications(web.session(), application.post, web.now())
        and application.withdrawn_at is None,
        closes=queries.closes(web.session(), application.post),
        **more,
    )


def to_overview(application: Application) -> Response:
    return redirect(url_for("applications.overview", slug=application.competition.slug, code=application.code))


def read_upload(form: Form, formats: tuple[str, ...], most: int) -> Upload:
    """The upload of this request, checked apart; Refused on the field otherwise."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Refused(N_("Choose a file."), field="file")
    limit = min(most, web.settings().upload_limit_mb * 1024 * 1024)
    content = sent.stream.read(limit + 1)
    return check_apart(content, sent.filename, formats, limit)


def accepted(formats: tuple[str, ...]) -> str:
    """For the file chooser."""
    return ",".join(MEDIA_TYPES[one] for one in formats)


# ---------------------------------------------------------------- beginning


@bp.route("/apply", methods=["GET", "POST"])
@access.signed_in
def apply(slug: str) -> str | Response:
    competition = _competition(slug)
    regulation = competitions.regulation(competition)
    session, now, me = web.session(), web.now(), access.actor().account_id
    mine = queries.all_of_account(session, competition.id, me)
    taken = {one.post_id for one in mine}
    posts = [
        post
        for post in competition.posts
        if post.id not in taken and queries.takes_applications(session, post, now)
    ]
    form = StartForm()
    form.post.choices = options(
        (post.code, f"{pages.in_reader_language(post.title)} – {pages.in_reader_language(post.unit)}") for post in posts
    )
    streams = [(one.id, pages.in_reader_language(one.label.model_dump())) for one in regulation.admission.streams]
    form.stream.choices = options(streams)
    if len(streams) == 1:
        form.stream.data = streams[0][0]
        form.stream.validators = []
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                competition = competitions.competition(session, slug)
                made = operations.start_application(
                    session,
                    competition,
                    competitions.post(session, competition.id, form.post.data),
                    account_id=me,
                    stream=form.stream.data or streams[0][0],
                    now=now,
                )
                code = made.code
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for("applications.overview", slug=slug, code=code))
    going_on = [one for one in mine if one.withdrawn_at is None]
    return render_template(
        "applications/apply.html",
        competition=competition,
        regulation=regulation,
        form=form,
        posts=posts,
        mine=mine,
        may_begin=bool(posts) and len(going_on) < regulation.posts.posts_per_candidate,
        closes={post.id: queries.closes(session, post) for post in posts},
    )


@bp.get("/applications/<code>")
@access.signed_in
def overview(slug: str, code: str) -> str:
    application = own(slug, code)
    regulation = competitions.regulation(application.competition)
    asked = queries.accommodation(application)
    progress: rules.State = "not-started" if asked is None else ("done" if asked.decisions else "in-progress")
    supplement = queries.open_supplement(application, web.now())
    return page_of(
        "overview",
        application,
        sections=rules.sections(regulation, queries.state(application), accommodation=progress),
        lacks=queries.lacks(application),
        changed=bool(application.submissions) and operations.changed_since(application),
        verdict=queries.decision(application),
        supplement=supplement,
        accommodation=asked,
    )


# ---------------------------------------------------------------- details


@bp.route("/applications/<code>/details", methods=["GET", "POST"])
@access.signed_in
def details(slug: str, code: str) -> str | Response:
    application = own(slug, code)
    regulation = competitions.regulation(application.competition)
    account = accounts.account(web.session(), application.account_id)
    asked = questions.asked(regulation, application.stream)
    form = details_form(
        regulation,
        asked,
        answers=application.answers,
        birth_date=account.birth_date,
        identity_known=account.identity_digest is not None,
    )
    today = web.now().astimezone(web.settings().zone).date()
    if form.validate_on_submit():
        try:
            number = form["identity"].data
            digest = identity_digest(number, web.settings().people_key()) if number else None
            with web.writing() as session:
                operations.save_details(
                    session,
                    anew(application),
                    read_details(form, asked),
                    birth_date=form["birth_date"].data,
                    identity=digest,
                    now=web.now(),
                    today=today,
                )
        except Refused as refusal:
            refusal.field = next(
                (field_name(one) for one in asked if one.name == refusal.field), refusal.field
            )
            form.refuse(refusal)
        else:
            web.say(N_("Your details are kept."))
            return to_overview(application)
    return page_of(
        "details",
        application,
        form=form,
        asked=[(one, form[field_name(one)]) for one in asked],
        clauses={one.id: one.label for one in regulation.admission.criteria},
    )


# ---------------------------------------------------------------- relatives and declarations


@bp.route("/applications/<code>/relatives", methods=["GET", "POST"])
@access.signed_in
def relatives(slug: str, code: str) -> str | Response:
    application = own(slug, code)
    form = RelativesForm(any_close=application.answers.get("relatives"))
    if form.validate_on_submit():
        close = form.any_close.data == "yes"
        try:
            with web.writing() as session:
                operations.answer_relatives(session, anew(application), any_close=close, now=web.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            if close and not any(one.taken_back_at is None for one in application.relatives):
                return redirect(url_for("applications.relatives", slug=slug, code=code, _anchor="name-somebody"))
            web.say(N_("Your answer is kept."))
            return to_overview(application)
    return page_of("relatives", application, form=form, relative=RelativeForm(formdata=None))


@bp.post("/applications/<code>/relatives/add")
@access.signed_in
def add_relative(slug: str, code: str) -> str | Response:
    application = own(slug, code)
    form = RelativeForm()
    if form.validate_on_submit():
        try:
            digest = identity_digest(form.identity.data, web.settings().people_key()) if form.identity.data else None
            with web.writing() as session:
                operations.declare_relative(
                    session,
                    anew(application),
                    name=form.name.data or "",
                    kind=form.kind.data,
                    unit=form.unit.data or "",
                    identity=digest,
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Named. You may name further people."))
            return redirect(url_for("applications.relatives", slug=slug, code=code))
    shown = RelativesForm(formdata=None, any_close="yes")
    return page_of("relatives", application, form=shown, relative=form)


@bp.post("/applications/<code>/relatives/<int:number>/take-back")
@access.signed_in
def take_back_relative(slug: str, code: str, number: int) -> Response:
    application = own(slug, code)
    with web.writing() as session:
        operations.take_back_relative(session, anew(application), number, now=web.now())
    return redirect(url_for("applications.relatives", slug=slug, code=code))


@bp.route("/applications/<code>/declarations", methods=["GET", "POST"])
@access.signed_in
def declarations(slug: str, code: str) -> str | Response:
    application = own(slug, code)
    regulation = competitions.regulation(application.competition)
    wanted = rules.declarations(regulation, application.stream)
    sent = request.form.get("criterion", "")
    forms = {one.id: SignForm(formdata=None, criterion=one.id, prefix=f"{one.id}-") for one in wanted}
    if request.method == "POST":
        if sent not in forms:
            raise NotFound()
        form = SignForm(prefix=f"{sent}-")
        forms[sent] = form
        if form.validate():
            try:
                with web.writing() as session:
                    operations.sign(session, anew(application), sent, typed=form.typed.data or "", now=web.now())
            except Refused as refusal:
                refusal.field = "typed"
                form.refuse(refusal)
            else:
                web.say(N_("Signed."))
                return redirect(url_for("applications.declarations", slug=slug, code=code))
    signed = {one.criterion: one for one in application.signatures}
    return page_of(
        "declarations",
        application,
        wanted=[(one, forms[one.id]) for one in wanted],
        signed=signed,
        problems=next((form for form in forms.values() if form.errors or form.form_errors), None),
    )


# ---------------------------------------------------------------- files


def _rule(application: Application, kind: str) -> FileRule:
    regulation = competitions.regulation(application.competition)
    found = next((one for one in rules.files_asked(regulation, application.stream) if one.id == kind), None)
    if found is None:
        raise NotFound()
    return found


def _versions(application: Application, kind: str) -> list[FileVersion]:
    return [one for one in reversed(application.files) if one.kind == kind]


@bp.get("/applications/<code>/files")
@access.signed_in
def files(slug: str, code: str) -> str:
    application = own(slug, code)
    regulation = competitions.regulation(application.competition)
    return page_of(
        "files",
        application,
        asked=rules.files_asked(regulation, application.stream),
        needed=rules.required_files(regulation, application.stream, application.answers),
        current=queries.current_files(application),
        versions={kind.id: _versions(application, kind.id) for kind in regulation.files},
        formats=FORMAT_NAMES,
    )


@bp.route("/applications/<code>/files/<kind>", methods=["GET", "POST"])
@access.signed_in
def upload(slug: str, code: str, kind: str) -> str | Response:
    application = own(slug, code)
    rule = _rule(application, kind)
    form = UploadForm()
    supplement = queries.open_supplement(application, web.now())
    if form.validate_on_submit():
        try:
            checked = read_upload(form, rule.formats, rule.max_bytes)
            with web.writing() as session:
                operations.keep_file(session, anew(application), kind, checked, now=web.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The file was checked and kept: %(name)s"), name=checked.name)
            if supplement is not None:
                return redirect(url_for("applications.supplement", slug=slug, code=code, number=supplement.id))
            return redirect(url_for("applications.files", slug=slug, code=code))
    return page_of(
        "upload",
        application,
        form=form,
        rule=rule,
        versions=_versions(application, kind),
        accept=accepted(rule.formats),
        formats=[FORMAT_NAMES[one] for one in rule.formats],
        most=min(rule.max_bytes // 1048576, web.settings().upload_limit_mb),
        supplement=supplement,
        required=kind in rules.required_files(competitions.regulation(application.competition), application.stream, application.answers),
    )


@bp.post("/applications/<code>/files/<kind>/take-back")
@access.signed_in
def take_back(slug: str, code: str, kind: str) -> Response:
    application = own(slug, code)
    _rule(application, kind)
    with web.writing() as session:
        operations.take_back_file(session, anew(application), kind, now=web.now())
    web.say(N_("The file counts no longer. Its versions are kept until applications close."))
    return redirect(url_for("applications.files", slug=slug, code=code))


@bp.get("/applications/<code>/versions/<int:number>")
@access.signed_in
def version(slug: str, code: str, number: int) -> Response:
    return download(queries.file_version(own(slug, code), number))


# ---------------------------------------------------------------- handing in


@bp.route("/applications/<code>/check", methods=["GET", "POST"])
@access.signed_in
def check(slug: str, code: str) -> str | Response:
    """Everything once more, to read before handing it in."""
    application = own(slug, code)
    form = SubmitForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                found = anew(application)
                operations.submit_application(session, found, now=web.now())
                newest = found.submissions[-1].version
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for("applications.receipt", slug=slug, code=code, number=newest))
    regulation = competitions.regulation(application.competition)
    asked = questions.asked(regulation, application.stream)
    return page_of(
        "check",
        application,
        form=form,
        lacks=queries.lacks(application),
        answers=[
            (one, answer_text(application, one)) for one in asked if questions.is_asked(one, application.answers)
        ],
        current=queries.current_files(application),
        changed=not application.submissions or operations.changed_since(application),
        accommodation=queries.accommodation(application),
        measures=accommodations.MEASURES,
    )


def answer_text(application: Application, question: questions.Question) -> str:
    """An answer as a person reads it."""
    value = application.answers.get(question.name)
    regulation = competitions.regulation(application.competition)
    if value in (None, "", []):
        return ""
    if question.kind == "date":
        return str(questions.read_date(value, questions.EARLIEST_BIRTH, future=True).strftime("%d/%m/%Y"))
    if question.kind == "level":
        labels = {one.id: pages.in_reader_language(one.label.model_dump()) for one in regulation.posts.levels}
        return str(labels.get(value, gettext("I hold no leadership post")))
    if question.kind == "priority":
        entries = regulation.priority.entries if regulation.priority else ()
        return "; ".join(pages.in_reader_language(one.label.model_dump()) for one in entries if one.id in value)
    words = {"woman": gettext("Woman"), "man": gettext("Man"), "yes": gettext("Yes"), "no": gettext("No")}
    return str(words.get(value, value)) if question.kind in ("sex", "yes-no") else str(value)


@bp.get("/applications/<code>/receipts/<int:number>")
@access.signed_in
def receipt(slug: str, code: str, number: int) -> str:
    application = own(slug, code)
    submission = queries.submission(application, number)
    found = handing_in.receipt(web.session(), submission)
    return page_of("receipt", application, submission=submission, receipt=found, slip=slip(bytes.fromhex(found["leaf"])))


@bp.get("/applications/<code>/receipts/<int:number>.json")
@access.signed_in
def receipt_file(slug: str, code: str, number: int) -> Response:
    application = own(slug, code)
    response = jsonify(handing_in.receipt(web.session(), queries.submission(application, number)))
    name = f"receipt-{application.candidate_number}-{number}.json"
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    return response


@bp.route("/applications/<code>/withdraw", methods=["GET", "POST"])
@access.signed_in
def withdraw(slug: str, code: str) -> str | Response:
    application = own(slug, code)
    form = WithdrawForm()
    if form.validate_on_submit():
        if form.sure.data == "yes":
            with web.writing() as session:
                operations.withdraw_application(session, anew(application), now=web.now())
            web.say(N_("Your application is withdrawn."))
        return to_overview(application)
    return page_of("withdraw", application, form=form)


@bp.route("/applications/<code>/supplements/<int:number>", methods=["GET", "POST"])
@access.signed_in
def supplement(slug: str, code: str, number: int) -> str | Response:
    application = own(slug, code)
    found = next((one for one in application.supplements if one.id == number), None)
    if found is None:
        raise NotFound()
    form = AnswerForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                again = anew(application)
                asked = next(one for one in again.supplements if one.id == number)
                operations.hand_in_supplement(session, again, asked, answer=form.answer.data or "", now=web.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The supplement was handed in."))
            return redirect(url_for("applications.supplement", slug=slug, code=code, number=number))
    regulation = competitions.regulation(application.competition)
    return page_of(
        "supplement",
        application,
        form=form,
        request_=found,
        labels={rule.id: rule.label for rule in regulation.files},
        uploaded={one.kind: one for one in application.files if one.supplement_id == number and one.taken_back_at is None},
        lapsed=found.answered_at is None and web.now() >= found.deadline,
    )
