"""What draws by steps ask of people now, and the page on which one is declared void."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from flask import redirect, render_template, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import Optional

from examsvc.accounts import approvals
from examsvc.accounts import queries as accounts
from examsvc.base import access, language, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, Refused
from examsvc.base.forms import Form, at_most, options, required
from examsvc.competitions import drawing, queries
from examsvc.competitions.blueprint import bp
from examsvc.competitions.wording_procedure import DRAWN
from examsvc.ledger import drawing as draws
from examsvc.ledger.draw_records import DrawRecord

READERS = ("council-chair", "council-secretary")
"""Who is asked to read an outside value; others may, and the first two to agree count."""
ASKERS = ("council-chair", "council-secretary", "chief-examiner")


class VoidForm(Form):
    cause = RadioField(_("Why can it not be completed?"), [required(_("Choose the cause."))])
    person = SelectField(
        _("Whose secret number is missing?"),
        [Optional()],
        description=_("Only where a number was withheld or was not the one committed to. The record names the person."),
    )
    reason = TextAreaField(
        _("What happened"),
        [required(_("Write what happened; it goes into the record.")), at_most(2000)],
        render_kw={"rows": 4},
    )


@bp.route("/competitions/<slug>/void-draw/<code>", methods=["GET", "POST"])
@access.roles(*ASKERS)
def void_draw(slug: str, code: str) -> str | Response:
    """Asks to declare a draw void; a second person approves, and a new one may be announced."""
    session = web.session()
    competition = queries.competition(session, slug)
    found = drawing.standing(session, competition, code)
    form = VoidForm()
    form.cause.choices = options((cause, gettext(text)) for cause, text in drawing.causes(found).items())
    missing = [(one, _name(session, one)) for one in drawing.at_fault(found)]
    form.person.choices = options([("", gettext("nobody")), *missing])
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                drawing.ask_void(
                    session,
                    queries.competition(session, slug),
                    code,
                    cause=form.cause.data or "",
                    person=form.person.data or None,
                    reason=form.reason.data or "",
                    by=access.actor().account_id,
                    now=web.now(),
                    language=pages.current_language(),
                )
        except Refused as refusal:
            if refusal.field is None:
                raise
            form.refuse(refusal)
        else:
            web.say(N_("Asked for. When another person has approved it, the draw is void and a new one can be announced."))
            return redirect(url_for("draws.draw", slug=slug, code=code))
    session = web.session()
    waiting = any(
        one.kind == drawing.VOID and one.arguments["draw"] == code for one in approvals.waiting(session, slug, web.now())
    )
    return render_template(
        "competitions/void_draw.html",
        competition=queries.competition(session, slug),
        found=found,
        what=DRAWN.get(found.purpose, found.purpose),
        form=form,
        waiting=waiting,
        missing=[name for _, name in missing],
    )


def _name(session: Session, code: str) -> str:
    account = accounts.by_code(session, code)
    return account.name if account is not None else code


def person_names(codes: Iterable[str]) -> str:
    """The names behind actor codes, for pages of those who lead a draw."""
    return ", ".join(_name(web.session(), code) for code in codes)


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """Secret numbers to commit to and to reveal, outside values to read, draws that can no longer be completed."""
    found: list[pages.Task] = []
    for of in queries.announced(session):
        if (slug and of.slug != slug) or not actor.roles_in(of.slug):
            continue
        for one in draws.going_on(session, of.slug):
            task = _task(actor, of.slug, one, now)
            if task is not None:
                found.append(task)
    return found


def _task(actor: Actor, slug: str, draw: DrawRecord, now: datetime) -> pages.Task | None:
    """The one thing that this draw asks of this person now; None where it asks nothing."""
    out = draw.published is not None and now >= draw.published
    mine = next((one for one in draw.participants if one.code == actor.code), None)
    what = gettext(DRAWN[draw.purpose]) if draw.purpose in DRAWN else draw.code
    when = language.moment(draw.published, web.settings().zone) if draw.published is not None else ""
    before = gettext("before %(when)s", when=when)
    address = url_for("draws.draw", slug=slug, code=draw.code)
    if mine is not None and mine.commitment is None and not out:
        return pages.Task(
            label=gettext("Commit to a secret number for the draw: %(what)s", what=what), address=address, detail=before, urgent=True
        )
    if mine is not None and mine.nonce is None and draw.fixed is not None:
        return pages.Task(label=gettext("Reveal your secret number: %(what)s", what=what), address=address, urgent=True)
    reads = any(actor.holds(role, slug) for role in READERS)
    if reads and out and draw.fixed is not None:
        return pages.Task(label=gettext("Read the outside value of the draw: %(what)s", what=what), address=address, urgent=True)
    if reads and out and draw.fixed is None:
        return pages.Task(
            label=gettext("Too late to complete the draw: %(what)s", what=what),
            address=url_for("competitions.void_draw", slug=slug, code=draw.code),
            detail=gettext("declare it void and announce a new one"),
            urgent=True,
        )
    return None
