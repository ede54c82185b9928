"""The pages of the lists of candidates: proposed, posted, read by everybody, and what is decided when there are too few."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from examsvc.accounts import approvals
from examsvc.applications import lists, queries
from examsvc.applications.blueprint import DECIDERS, OFFICE, READERS, bp
from examsvc.applications.forms import ShortageForm, end_of
from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import options
from examsvc.competitions import decisions
from examsvc.competitions import queries as competitions


@bp.get("/candidate-lists")
@access.roles(*READERS)
def candidate_lists(slug: str) -> str:
    session = web.session()
    competition = competitions.competition(session, slug)
    gone = queries.cancelled_posts(session, competition.id)
    rule = competitions.regulation(competition).admission.minimum_candidates
    actor = access.actor()
    admitted = queries.by_name(queries.eligible(session, competition.id))
    return render_template(
        "applications/candidate_lists.html",
        competition=competition,
        posts=[
            {
                "post": post,
                "cancelled": post.id in gone,
                "admitted": lists.admitted(session, post),
                "people": [one for one in admitted if one.post_id == post.id],
                "refused": lists.refused(session, post),
                "list": queries.newest_list(session, post.id),
                "rounds": queries.rounds(session, post.id),
            }
            for post in competition.posts
        ],
        undecided=len(queries.undecided(session, competition.id)),
        short=queries.short_posts(session, competition),
        decisions=[one for one in competition.decisions if one.subject["level"] == "post"],
        rule=rule,
        waiting=[
            one
            for one in approvals.waiting(session, slug, web.now())
            if one.kind in (lists.LIST, decisions.DECIDE)
        ],
        posted=queries.posted(session, competition.id),
        acts=any(actor.holds(role, slug) for role in OFFICE),
        decides=actor.holds(rule.decided_by, slug),
    )


@bp.post("/candidate-lists/propose")
@access.roles(*OFFICE)
def propose_lists(slug: str) -> Response:
    with web.writing() as session:
        lists.propose_lists(
            session,
            competitions.competition(session, slug),
            by=access.actor().account_id,
            now=web.now(),
            language=pages.current_language(),
        )
    web.say(N_("Proposed. A second person finds it under “Approvals”."))
    return redirect(url_for("applications.candidate_lists", slug=slug))


@bp.post("/candidate-lists/post")
@access.roles(*OFFICE)
def post_lists(slug: str) -> Response:
    kind = request.form.get("kind", "")
    if kind not in ("admitted", "refused"):
        raise NotFound()
    with web.writing() as session:
        lists.post_lists(session, competitions.competition(session, slug), kind=kind, by=access.actor().account_id, now=web.now())
    web.say(N_("The list is posted. Everybody can read it on the public page."))
    return redirect(url_for("applications.candidate_lists", slug=slug))


@bp.get("/candidates")
@access.public
def public_lists(slug: str) -> str:
    """What was posted: numbers only."""
    competition = competitions.competition(web.session(), slug)
    found = queries.posted(web.session(), competition.id)
    if not competitions.is_public(competition) or not found:
        raise NotFound()
    return render_template("applications/public_lists.html", competition=competition, posted=found)


@bp.route("/candidate-lists/<post>/too-few", methods=["GET", "POST"])
@access.roles(*DECIDERS)
def shortage(slug: str, post: str) -> str | Response:
    competition = competitions.competition(web.session(), slug)
    found = competitions.post(web.session(), competition.id, post)
    rule = competitions.regulation(competition).admission.minimum_candidates
    zone = web.settings().zone
    form = ShortageForm(data={"decided_on": web.now().astimezone(zone).date()})
    words = {
        "extend": gettext("Take applications for this post again"),
        "cancel": gettext("Cancel the competition for this post"),
        "proceed-with-reason": gettext("Go on with fewer candidates"),
    }
    form.outcome.choices = options((one, words[one]) for one in rule.below)
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                competition = competitions.competition(session, slug)
                lists.propose_shortage(
                    session,
                    competitions.post(session, competition.id, post),
                    outcome=form.outcome.data,
                    reason=form.reason.data or "",
                    announcement={"vi": form.announcement_vi.data or "", "en": form.announcement_en.data or ""},
                    until=end_of(form.until.data, zone),
                    number=form.number.data or "",
                    decided_on=form.decided_on.data or web.now().astimezone(zone).date(),
                    zone=zone,
                    by=access.actor().account_id,
                    now=web.now(),
                    language=pages.current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Proposed. A second person finds it under “Approvals”."))
            return redirect(url_for("applications.candidate_lists", slug=slug))
    return render_template(
        "applications/shortage.html",
        competition=competition,
        post=found,
        form=form,
        rule=rule,
        count=queries.eligible_by_post(web.session(), competition).get(post, 0),
        short=post in queries.short_posts(web.session(), competition),
    )
