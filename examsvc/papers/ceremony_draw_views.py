"""Pages of late assembly: the public draw from which the papers of a part get their seed."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examsvc.accounts import approvals
from examsvc.base import access, pages, web
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.regulation_text import clause_text
from examsvc.competitions.wording import Words
from examsvc.papers import ceremony_draws, queries
from examsvc.papers.blueprint import OFFICE, READERS, bp, competition, me


@bp.route("/parts/<part>/draw", methods=["GET", "POST"])
@access.roles("custodian", "competent-authority", *OFFICE, *READERS)
def assembly_draw(slug: str, part: str) -> str | Response:
    """How far the draw of a part's papers is; chair and secretary ask for it."""
    of = competition(slug)
    label = queries.seated_part(of, part).label
    actor = access.actor()
    asks = any(actor.holds(role, slug) for role in OFFICE)
    if request.method == "POST":
        if not asks:
            raise Refused(N_("Chair and secretary of the council ask for this draw."))
        with web.writing() as session:
            ceremony_draws.ask_draw(
                session,
                competitions.competition(session, slug),
                part=part,
                by=me(),
                now=web.now(),
                language=pages.current_language(),
            )
        web.say(N_("The draw is asked for. When another person has approved it, it is announced."))
        return redirect(url_for("papers.assembly_draw", slug=slug, part=part))
    session = web.session()
    waiting = [one for one in approvals.waiting(session, slug, web.now()) if one.kind == ceremony_draws.KIND]
    rule = competitions.regulation(of).draw("assembly")
    return render_template(
        "papers/assembly_draw.html",
        competition=of,
        part=part,
        label=label,
        rule=clause_text(Words(pages.current_language(), competitions.regulation(of)), "draws.assembly", rule) if rule else None,
        by_draw=ceremony_draws.by_draw(of),
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
