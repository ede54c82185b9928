"""Pages of late assembly: the public draw from which the papers of a part get their seed."""

from __future__ import annotations

from datetime import datetime

from flask import redirect, render_template, url_for
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response
from wtforms import DateTimeLocalField, StringField

from examsvc.accounts import approvals
from examsvc.base import access, pages, web
from examsvc.base.errors import N_, Refused
from examsvc.base.forms import Form, at_most, required
from examsvc.competitions import queries as competitions
from examsvc.papers import ceremony_draws, queries
from examsvc.papers.blueprint import OFFICE, READERS, bp, competition, me


class DrawForm(Form):
    source = StringField(
        _("Outside value"),
        [required(_("Say which outside value counts, so that everybody reads the same one.")), at_most(300)],
        description=_("For example the first prize of a lottery on a named day. Whoever reads this sentence must find exactly one value."),
    )
    published = DateTimeLocalField(
        _("When it is published"),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[required(_("Enter day and time."))],
        description=_("In the institution's time zone. Everything else must be fixed before."),
    )


@bp.route("/parts/<part>/draw", methods=["GET", "POST"])
@access.roles("custodian", "competent-authority", *OFFICE, *READERS)
def assembly_draw(slug: str, part: str) -> str | Response:
    """How far the draw of a part's papers is; chair and secretary ask for it."""
    of = competition(slug)
    label = queries.seated_part(of, part).label
    actor, form = access.actor(), DrawForm()
    asks = any(actor.holds(role, slug) for role in OFFICE)
    if form.validate_on_submit():
        if not asks:
            raise Refused(N_("Chair and secretary of the council ask for this draw."))
        try:
            with web.writing() as session:
                ceremony_draws.ask_draw(
                    session,
                    competitions.competition(session, slug),
                    part=part,
                    source=form.source.data or "",
                    published=_moment(form.published.data),
                    by=me(),
                    now=web.now(),
                    language=pages.current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The draw is asked for. When another person has approved it, it is announced."))
            return redirect(url_for("papers.assembly_draw", slug=slug, part=part))
    of, session = competition(slug), web.session()
    waiting = [one for one in approvals.waiting(session, slug, web.now()) if one.kind == ceremony_draws.KIND]
    return render_template(
        "papers/assembly_draw.html",
        competition=of,
        part=part,
        label=label,
        form=form,
        asks=asks,
        waiting=any(one.arguments["part"] == part for one in waiting),
        found=ceremony_draws.record(session, of, part),
        seed=ceremony_draws.seed(session, of, part) if queries.blueprints(session, of.id, part) else None,
        fixes=any(actor.holds(role, slug) for role in ("council-secretary", "question-setter")),
        pool=len(ceremony_draws.pool(session, of, part)) if queries.blueprints(session, of.id, part) else None,
    )


@bp.post("/parts/<part>/draw/pool")
@access.roles("council-secretary", "question-setter")
def fix_pool(slug: str, part: str) -> Response:
    with web.writing() as session:
        number = ceremony_draws.fix_pool(session, competitions.competition(session, slug), part=part, by=me(), now=web.now())
    web.say(N_("The pool of %(number)d questions is fixed. Now the custodians reveal their numbers."), number=number)
    return redirect(url_for("papers.assembly_draw", slug=slug, part=part))


def _moment(given: datetime | None) -> datetime:
    """A local time as typed, in the institution's time zone."""
    assert given is not None
    return given.replace(tzinfo=web.settings().zone)
