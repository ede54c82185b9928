"""How a person signs in: second factor, password, sessions; and how somebody who cannot sign in begins anew."""

from __future__ import annotations

from collections.abc import Sequence

import segno
from flask import redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from examsvc.accounts import factors, operations, queries, recovery, tries
from examsvc.accounts.blueprint import bp
from examsvc.accounts.browser import enter, is_fresh, open_in_browser, present_sign_in
from examsvc.accounts.forms import (
    ChangePasswordForm,
    ChoosePasswordForm,
    CodeForm,
    ForgottenForm,
    IdentityForm,
    RecoveryCodeForm,
)
from examsvc.accounts.identity import identity_digest
from examsvc.accounts.models import SecondFactor
from examsvc.accounts.passwords import hash_password, matches
from examsvc.base import access, language, messages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.pages import current_language, safe_target


def show_code(account_id: int, code: str) -> bool:
    """Counts a try, compares, and uses a right code up; Refused when there were too many tries."""
    subject = tries.second_subject(account_id)
    with web.writing() as session:
        tries.begin(session, subject, web.now(), for_good=True)
    shown = factors.recognise(
        queries.factors(web.session(), account_id), code, key=web.settings().people_key(), now=web.now()
    )
    if shown is None:
        return False
    with web.writing() as session:
        if not factors.use(session, shown, web.now()):
            return False
        tries.forget(session, subject)
    return True


def next_number(held: Sequence[SecondFactor]) -> int | None:
    """Which code of a printed list is asked."""
    for factor in held:
        code = factors.next_code(factor) if factor.kind == "printed" else None
        if code is not None:
            return code.number
    return None


def _fresh_or_again() -> Response | None:
    """Leads to signing in once more before the means of signing in are changed."""
    if is_fresh():
        return None
    web.say(N_("For this step, sign in once more: nobody else at your desk should be able to do it."))
    return redirect(url_for("accounts.sign_in", next=request.path))


# ---------------------------------------------------------------- second factor


@bp.get("/account/second-factor")
@access.signed_in
def second_factor() -> str:
    actor = access.actor()
    held = queries.factors(web.session(), actor.account_id)
    left = {factor.id: sum(code.used_at is None for code in factor.codes) for factor in held if factor.kind == "printed"}
    return render_template("accounts/second_factor.html", factors=held, left=left, fresh=is_fresh())


@bp.post("/account/second-factor/app")
@access.signed_in
def begin_app() -> Response:
    again = _fresh_or_again()
    if again is not None:
        return again
    with web.writing() as session:
        factors.begin_app(session, access.actor().account_id, key=web.settings().people_key(), now=web.now())
    return redirect(url_for("accounts.confirm_app", next=safe_target(request.args.get("next"))))


@bp.route("/account/second-factor/app/code", methods=["GET", "POST"])
@access.signed_in
def confirm_app() -> str | Response:
    factor = factors.begun(web.session(), access.actor().account_id, "app")
    form = CodeForm()
    if form.validate_on_submit():
        done = _confirm("app", form)
        if done is not None:
            return done
        factor = factors.begun(web.session(), access.actor().account_id, "app")
    settings = web.settings()
    key = settings.people_key()
    account = queries.account(web.session(), access.actor().account_id)
    address = factors.app_address(
        factor,
        key,
        email=account.email,
        issuer=language.in_language({"vi": settings.institution_vi, "en": settings.institution_en}, current_language()),
    )
    secret = factors.secret(factor, key)
    qr = segno.make(address, error="m").svg_inline(scale=5, border=4, light="#ffffff", omitsize=False)
    return render_template(
        "accounts/confirm_app.html",
        form=form,
        qr=Markup(qr),  # noqa: S704 - made by segno from our own address; holds rectangles only
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    )


@bp.post("/account/second-factor/printed")
@access.signed_in
def begin_printed() -> str | Response:
    again = _fresh_or_again()
    if again is not None:
        return again
    codes, hashes = factors.printed_list()
    with web.writing() as session:
        factors.begin_printed(session, access.actor().account_id, hashes=hashes, now=web.now())
    return render_template("accounts/printed_codes.html", codes=codes, form=CodeForm(formdata=None))


@bp.route("/account/second-factor/printed/code", methods=["GET", "POST"])
@access.signed_in
def confirm_printed() -> str | Response:
    factors.begun(web.session(), access.actor().account_id, "printed")
    form = CodeForm()
    if form.validate_on_submit():
        done = _confirm("printed", form)
        if done is not None:
            return done
    return render_template("accounts/printed_codes.html", codes=None, form=form)


def _confirm(kind: str, form: CodeForm) -> Response | None:
    """Brings the factor into force; the session goes on under a new cookie, with the second factor shown."""
    account_id = access.actor().account_id
    subject = tries.second_subject(account_id)
    try:
        with web.writing() as session:
            tries.begin(session, subject, web.now())
        factor = factors.begun(web.session(), account_id, kind)
        shown = factors.recognise([factor], form.code.data or "", key=web.settings().people_key(), now=web.now())
        with web.writing() as session:
            factors.confirm(session, factors.begun(session, account_id, kind), shown, now=web.now())
            tries.forget(session, subject)
            found = present_sign_in()
            operations.revoke_sessions(session, account_id, now=web.now(), but=found.id if found else None)
    except Refused as refusal:
        form.refuse(refusal)
        return None
    web.say(N_("Your second factor is set up. You will be asked for it each time you sign in."))
    target = safe_target(request.args.get("next")) or url_for("accounts.home")
    return open_in_browser(redirect(target), account_id, second_factor=True)


# ---------------------------------------------------------------- password, identity, sessions


@bp.route("/account/password", methods=["GET", "POST"])
@access.signed_in
def change_password() -> str | Response:
    form = ChangePasswordForm()
    if form.validate_on_submit():
        actor = access.actor()
        account = queries.account(web.session(), actor.account_id)
        stored, subject = account.password_hash, tries.password_subject(account.email)
        try:
            with web.writing() as session:
                tries.begin(session, subject, web.now())
            if not matches(stored, form.present.data or ""):
                raise Refused(N_("The present password is not right."), field="present")
        except Refused as refusal:
            form.refuse(refusal)
        else:
            hashed = hash_password(form.password.data or "")
            with web.writing() as session:
                operations.set_password(session, actor.account_id, password_hash=hashed, now=web.now())
            web.say(N_("Your password is changed. Everywhere else you are signed out."))
            return open_in_browser(
                redirect(url_for("accounts.home")), actor.account_id, second_factor=actor.second_factor
            )
    return render_template("accounts/password.html", form=form)


@bp.route("/account/identity", methods=["GET", "POST"])
@access.signed_in
def identity() -> str | Response:
    form = IdentityForm()
    account = queries.account(web.session(), access.actor().account_id)
    known = account.identity_digest is not None
    if form.validate_on_submit() and not known:
        try:
            digest = identity_digest(form.identity.data or "", web.settings().people_key())
            with web.writing() as session:
                operations.set_identity(session, access.actor().account_id, digest)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Your identity number is noted; it is not stored readably."))
            return redirect(safe_target(request.args.get("next")) or url_for("accounts.home"))
    return render_template("accounts/identity.html", form=form, known=known)


@bp.get("/account/sessions")
@access.signed_in
def sessions() -> str:
    found = present_sign_in()
    return render_template(
        "accounts/sessions.html",
        sessions=queries.open_sessions(web.session(), access.actor().account_id, web.now()),
        present=found.id if found else 0,
    )


@bp.post("/account/sessions/<int:number>/end")
@access.signed_in
def end_session(number: int) -> Response:
    with web.writing() as session:
        operations.revoke_session(session, number, account_id=access.actor().account_id, now=web.now())
    web.say(N_("That session is ended."))
    return redirect(url_for("accounts.sessions"))


@bp.post("/account/sessions/end")
@access.signed_in
def end_other_sessions() -> Response:
    found = present_sign_in()
    with web.writing() as session:
        operations.revoke_sessions(
            session, access.actor().account_id, now=web.now(), but=found.id if found else None
        )
    web.say(N_("You are signed out everywhere else."))
    return redirect(url_for("accounts.sessions"))


# ---------------------------------------------------------------- beginning anew


@bp.route("/account/forgotten", methods=["GET", "POST"])
@access.public
def forgotten() -> str | Response:
    form = ForgottenForm()
    if not messages.may_be_mailed():
        form.manner.choices = [choice for choice in form.manner.choices if choice.value == "person"]
    if form.validate_on_submit():
        with web.writing() as session:
            recovery.ask(
                session,
                email=form.email.data or "",
                manner=form.manner.data or "person",
                factor_lost=bool(form.factor_lost.data),
                base_url=web.settings().base_url,
                now=web.now(),
                language=web.settings().default_language,
            )
        return render_template("accounts/forgotten_sent.html", manner=form.manner.data)
    return render_template("accounts/forgotten.html", form=form)


@bp.route("/account/recovery", methods=["GET", "POST"])
@access.public
def recovery_code() -> str | Response:
    """Somebody came in person and has both halves of the code."""
    form = RecoveryCodeForm()
    if form.validate_on_submit():
        email = form.email.data or ""
        subject = "recovery" + tries.password_subject(email).removeprefix("password")
        try:
            with web.writing() as session:
                tries.begin(session, subject, web.now())
            found = recovery.recognise(
                web.session(), email=email, codes=(form.first.data or "", form.second.data or ""), now=web.now()
            )
            number = found.id if found is not None else None
            if number is None:
                raise Refused(N_("The address or one half of the code is not right, or the time for it is over."))
            with web.writing() as session:
                token = recovery.use(session, number, now=web.now())
                tries.forget(session, subject)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for("accounts.set_up", token=token))
    return render_template("accounts/recovery_code.html", form=form)


@bp.route("/account/set-up/<token>", methods=["GET", "POST"])
@access.public
def set_up(token: str) -> str | Response:
    """Choosing a password by a link that works once."""
    found = operations.find_link(web.session(), token, web.now())
    form = ChoosePasswordForm()
    name, email = found.account.name, found.account.email
    if form.validate_on_submit():
        hashed = hash_password(form.password.data or "")
        with web.writing() as session:
            account_id = operations.use_link(session, token, password_hash=hashed, now=web.now())
        web.say(N_("Your password is set."))
        return enter(account_id, url_for("accounts.home"))
    return render_template("accounts/set_up.html", form=form, name=name, email=email)


@bp.post("/account/recoveries/<int:number>/part")
@access.signed_in
def recovery_part(number: int) -> str:
    """Shows one approver his or her half of a code, once."""
    actor = access.actor()
    found = recovery.of_request(web.session(), number)
    if found is None or not actor.second_factor:
        raise NotFound()
    code = factors.new_code()
    hashed = hash_password(factors.clean_code(code))
    with web.writing() as session:
        again = recovery.of_request(session, number)
        if again is None:
            raise NotFound()
        recovery.show_part(session, again, by=actor.account_id, code_hash=hashed, now=web.now())
        name = again.account.name
    return render_template("accounts/recovery_part.html", code=code, name=name)
