"""The board's side: compute, review, decide ties, vote, approve, and propose the publication."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from examsvc.accounts.rules import ROLE_NAMES
from examsvc.applications import queries as applications
from examsvc.base import access, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.pages import current_language
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.terms import read_exact
from examsvc.results import (
    appraisal,
    computing,
    council,
    deciding,
    derivation,
    evidence,
    figures,
    publishing,
    queries,
    votes,
)
from examsvc.results.blueprint import bp
from examsvc.results.forms import ApprovalForm, CauseForm, ReasonForm, VoteForm
from examsvc.results.models import ScoreRun
from examsvc.results.wording import VERDICTS, say

BOARD = ("council-chair", "council-member", "council-secretary", "chief-examiner", "supervisor", "competent-authority")
COMPUTE = ("council-secretary", "council-chair")
PRIORITY = ("hr-officer", "council-secretary", "council-chair")


def _competition(slug: str) -> Competition:
    return competitions.competition(web.session(), slug)


def _run(competition: Competition, number: int | None = None) -> ScoreRun:
    found = (
        queries.latest_run(web.session(), competition.id)
        if number is None
        else queries.run(web.session(), competition.id, number)
    )
    if found is None:
        raise NotFound()
    return found


@bp.post("/competitions/<slug>/results/compute")
@access.roles(*COMPUTE)
def compute(slug: str) -> Response:
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        before = queries.latest_run(session, competition.id)
        known = before.number if before is not None else 0
        number = computing.compute_results(
            session, competition, by=access.actor().account_id, now=web.now()
        ).number
    if number == known:
        web.say(N_("Nothing has changed since score run %(number)d, so it stands."), number=number)
    else:
        web.say(N_("Score run %(number)d is computed."), number=number)
    return redirect(url_for("results.review", slug=slug))


@bp.get("/competitions/<slug>/results/review")
@bp.get("/competitions/<slug>/results/review/<int:number>")
@access.roles(*BOARD)
def review(slug: str, number: int | None = None) -> str:
    """The ranking with the derivation of each number, and beside it what the board should worry about."""
    session, competition, language = web.session(), _competition(slug), current_language()
    regulation = competitions.regulation(competition)
    newest = queries.latest_run(session, competition.id)
    if newest is None:
        if number is not None:
            raise NotFound()
        return render_template(
            "results/not_computed.html", competition=competition, may_compute=_holds(slug, *COMPUTE), waits=_waits(competition)
        )
    run = newest if number is None else _run(competition, number)
    known = evidence.gather(session, competition, run)
    appraised = appraisal.appraise(known)
    roles = {role: str(gettext(name)) for role, name in ROLE_NAMES.items()} | {
        "lots": gettext("by lot"),
        "nobody": str(gettext(ROLE_NAMES.get(regulation.council.approves, regulation.council.approves))),
    }
    artist = figures.Illustrator(regulation, language)
    found = figures.concerns(appraised, regulation, language, roles)
    return render_template(
        "results/review.html",
        competition=competition,
        regulation=regulation,
        run=run,
        newest=newest,
        runs=queries.runs(session, competition.id),
        posts=[_post_rows(competition, run, code) for code in queries.posts_of(run)],
        outcomes=council.OUTCOME_NAMES,
        agrees=computing.agrees(run),
        urgent=[one for one in found if one[0] != "know"],
        known=[one for one in found if one[0] == "know"],
        figures=_figures(artist, known, appraised),
        agreements={f"marking-{one.part}": artist.agreement(one) for one in appraised.agreements},
        effects=[(post.post, part, effect) for post in appraised.posts for part, effect in post.effects],
        artist=artist,
        verdict=lambda one: say(language, VERDICTS, one.code, one.names, one.numbers),
        ties=[tie | {"role": roles.get(tie["by"], tie["by"]), "lots": tie["by"] == "lots"} for tie in queries.ties_to_decide(run)],
        may_decide=[tie["post"] for tie in queries.ties_to_decide(run) if run is newest and _may_decide(slug, run, tie)],
        rulings=computing.rulings_of(session, run),
        votes=queries.votes(session, run.id),
        recommended=queries.adopted_posts(session, run.id) >= set(queries.posts_of(run)),
        approval=queries.approval(session, run.id),
        published=queries.published(session, competition.id),
        may={
            "compute": _holds(slug, *COMPUTE),
            "vote": _holds(slug, "council-secretary"),
            "approve": _holds(slug, "council-chair", "competent-authority"),
            "publish": _holds(slug, "hr-officer", "council-chair"),
        },
    )


def _holds(slug: str, *roles: str) -> bool:
    return any(access.actor().holds(role, slug) for role in roles)


def _may_decide(slug: str, run: ScoreRun, tie: dict[str, Any]) -> bool:
    role = deciding.tie_role(run, tie)
    return _holds(slug, "council-secretary", "council-chair", "chief-examiner") if role == "lots" else _holds(slug, role)


def _waits(competition: Competition) -> str | None:
    """Why nothing can be computed yet, in one sentence; None where it can."""
    try:
        computing.stages_held(web.session(), competition)
    except Refused as refusal:
        return web.explain(refusal)
    return None


def _post_rows(competition: Competition, run: ScoreRun, code: str) -> dict[str, Any]:
    regulation, language = competitions.regulation(competition), current_language()
    post = next(one for one in competition.posts if one.code == code)
    rows = []
    for row in run.outcome["rows"]:
        if row["post"] == code:
            origin = derivation.origins(web.session(), competition, row["number"], language)
            rows.append({"row": row, "derivation": derivation.derivation(regulation, row, language, origin)})
    return {"post": post, "rows": rows}


def _figures(
    artist: figures.Illustrator, known: appraisal.Evidence, appraised: appraisal.Appraisal
) -> dict[str, list[tuple[str, list[figures.Figure]]]]:
    """Figures under their anchors: by post, by part marked by people, by test."""
    chosen = frozenset(one.number for one in known.standings if one.chosen)

    def there(*found: figures.Figure | None) -> list[figures.Figure]:
        return [one for one in found if one is not None]

    posts = [
        (f"order-{quality.post}", there(artist.order(known, quality), artist.composition(known, quality.post)))
        for quality in appraised.posts
    ]
    tests = []
    for test, quality in zip(known.tests, appraised.tests, strict=True):
        marks = [(number, sum(one or 0 for one in row)) for number, row in test.rows]
        tests.append(
            (f"items-{test.part}", [*there(artist.spread(test.part, marks, chosen)), *artist.items(test, quality)])
        )
    markings = []
    for marking, agreement in zip(known.markings, appraised.agreements, strict=True):
        means = [
            (number, sum(there_) / len(there_))
            for number, row in marking.rows
            if (there_ := [one for one in row if one is not None])
        ]
        markings.append(
            (
                f"marking-{marking.part}",
                there(
                    artist.spread(marking.part, means, chosen),
                    artist.double_marks(marking),
                    artist.severity(agreement),
                ),
            )
        )
    return {"posts": posts, "markings": markings, "tests": tests}


# ---------------------------------------------------------------- ties


@bp.route("/competitions/<slug>/results/ties/<post>", methods=["GET", "POST"])
@access.roles(*BOARD, "hr-officer")
def tie(slug: str, post: str) -> str | Response:
    """The role that the regulation names orders those whom nothing separates."""
    competition = _competition(slug)
    run = _run(competition)
    open_ties = [one for one in queries.ties_to_decide(run) if one["post"] == post]
    wanted = request.args.get("candidates", "").split(",")
    found = next((one for one in open_ties if set(one["numbers"]) == set(wanted)), open_ties[0] if open_ties else None)
    if found is None or not _may_decide(slug, run, found):
        raise NotFound()
    lots = deciding.tie_role(run, found) == "lots"
    form = ReasonForm()
    places = {number: request.form.get(f"place-{number}", "").strip() for number in found["numbers"]}
    if (lots and request.method == "POST") or (not lots and form.validate_on_submit()):
        try:
            with web.writing() as session:
                competition = competitions.competition(session, slug)
                by, now, language = access.actor().account_id, web.now(), current_language()
                if lots:
                    deciding.ask_lots(
                        session, competition, post=post, numbers=found["numbers"], by=by, now=now, language=language
                    )
                else:
                    deciding.ask_tie_decision(
                        session,
                        competition,
                        post=post,
                        order=_order(places),
                        reason=form.reason.data or "",
                        by=by,
                        now=now,
                        language=language,
                    )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("This waits for a second approval; then the results are computed again with it."))
            return redirect(url_for("results.review", slug=slug))
    rows = [row for row in run.outcome["rows"] if row["number"] in found["numbers"]]
    language, regulation = current_language(), competitions.regulation(competition)
    return render_template(
        "results/tie.html",
        competition=competition,
        post=next(one for one in competition.posts if one.code == post),
        tie=found,
        lots=lots,
        draw=deciding.lots_draw(web.session(), competition, post, found["numbers"]) if lots else None,
        form=form,
        places=places,
        rows=[(row, derivation.derivation(regulation, row, language)) for row in rows],
    )


def _order(places: dict[str, str]) -> list[str]:
    """Candidates by the places typed for them; Refused unless these are 1, 2, 3 …"""
    if sorted(places.values()) != [str(one) for one in range(1, len(places) + 1)]:
        raise Refused(N_("Give each candidate a place of his own: 1 for the best, then 2 and so on."))
    return sorted(places, key=lambda number: int(places[number]))


# ---------------------------------------------------------------- vote and approval


@bp.route("/competitions/<slug>/results/vote", methods=["GET", "POST"])
@access.roles("council-secretary")
def vote(slug: str) -> str | Response:
    """The secretary enters who was there and how they voted; the chair approves it."""
    competition, now, language = _competition(slug), web.now(), current_language()
    run = _run(competition)
    regulation = competitions.regulation(competition)
    rule = regulation.vote(regulation.council.vote)
    posts = queries.posts_of(run)
    form = VoteForm()
    chosen = [one for one in posts if one in request.form.getlist("posts")] if request.method == "POST" else posts
    members = queries.voters(web.session(), competition, now)
    voting = {one.id for one in council.entitled(web.session(), competition, chosen, now)}
    ballots = {one.id: request.form.get(f"ballot-{one.id}", "") for one in members}
    if form.validate_on_submit():
        try:
            known = ("present", "absent") if rule.secret else votes.BALLOTS
            missing = [one.name for one in members if one.id in voting and ballots[one.id] not in known]
            if missing:
                raise Refused(N_("Enter how each member voted: %(names)s."), names=", ".join(missing))
            assert form.held_at.data is not None
            meeting = council.Meeting(
                posts=tuple(chosen),
                held_at=form.held_at.data.replace(tzinfo=web.settings().zone).astimezone(UTC),
                place=form.place.data or "",
                ballots={one: ballots[one] for one in voting},
                counts=(form.votes_for.data or 0, form.votes_against.data or 0, form.abstained.data or 0)
                if rule.secret
                else None,
                chair_side=form.chair_side.data or None,
                remarks=form.remarks.data or "",
            )
            pdf = council.minutes_pdf(
                web.session(),
                competition,
                council.ready(web.session(), competition),
                meeting,
                institution=_institution(),
                zone=web.settings().zone,
                now=now,
                language=language,
            )
            with web.writing() as session:
                council.ask_vote(
                    session,
                    competitions.competition(session, slug),
                    meeting,
                    pdf=pdf,
                    by=access.actor().account_id,
                    now=now,
                    language=language,
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Vote and minutes wait for the chair's approval."))
            return redirect(url_for("results.review", slug=slug))
    return render_template(
        "results/vote.html",
        competition=competition,
        run=run,
        form=form,
        rule=rule,
        posts=[one for one in competition.posts if one.code in posts],
        chosen=chosen,
        members=members,
        voting=voting,
        ballots=ballots,
        names=council.BALLOT_NAMES,
        choices=("present", "absent") if rule.secret else votes.BALLOTS,
        decides=any(band.outcome == votes.CHAIR_SIDE for band in rule.outcomes),
    )


def _institution() -> dict[str, str]:
    settings = web.settings()
    return {"vi": settings.institution_vi, "en": settings.institution_en}


@bp.get("/competitions/<slug>/results/minutes/<int:number>.pdf")
@access.roles(*BOARD, "hr-officer")
def minutes(slug: str, number: int) -> Response:
    """The minutes as they were filed."""
    found = queries.minutes(web.session(), _competition(slug).id, number)
    if found is None:
        raise NotFound()
    return Response(
        found.content,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'inline; filename="minutes-{slug}-{number}.pdf"'},
    )


@bp.route("/competitions/<slug>/results/approval", methods=["GET", "POST"])
@access.roles("council-chair", "competent-authority")
def approval(slug: str) -> str | Response:
    """The competent authority's decision: asked for by one, approved by another."""
    competition = _competition(slug)
    run = _run(competition)
    form = ApprovalForm()
    if form.validate_on_submit():
        assert form.decided_on.data is not None
        try:
            with web.writing() as session:
                council.ask_approval(
                    session,
                    competitions.competition(session, slug),
                    decision_number=form.decision_number.data or "",
                    decided_on=form.decided_on.data,
                    reason=form.reason.data or "",
                    by=access.actor().account_id,
                    now=web.now(),
                    language=current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The approval waits for its second person."))
            return redirect(url_for("results.review", slug=slug))
    return render_template(
        "results/approval.html", competition=competition, run=run, form=form, votes=queries.votes(web.session(), run.id)
    )


@bp.route("/competitions/<slug>/results/publication", methods=["GET", "POST"])
@access.roles("hr-officer", "council-chair")
def publication(slug: str) -> str | Response:
    """What would be published, exactly, and the proposal to do so."""
    competition = _competition(slug)
    newest = queries.published(web.session(), competition.id)
    form = CauseForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                publishing.propose_publication(
                    session,
                    competitions.competition(session, slug),
                    cause=(form.cause.data or "") if newest is not None else "first",
                    by=access.actor().account_id,
                    now=web.now(),
                    language=current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The publication waits for its second approval; then it is out at once."))
            return redirect(url_for("results.publication", slug=slug))
    content, refused = None, None
    try:
        run = publishing.approved_run(web.session(), competition)
        content = publishing.content_of(web.session(), competition, run)
    except Refused as refusal:
        refused = web.explain(refusal)
    return render_template(
        "results/publication.html",
        competition=competition,
        regulation=competitions.regulation(competition),
        content=content,
        refused=refused,
        form=form,
        newest=newest,
        outcomes=council.OUTCOME_NAMES,
    )


# ---------------------------------------------------------------- priority points


@bp.get("/competitions/<slug>/results/priorities")
@access.roles(*PRIORITY)
def priorities(slug: str) -> str:
    """Who claims priority points, with which evidence, and what was recognised."""
    competition = _competition(slug)
    rule = competitions.regulation(competition).priority
    if rule is None:
        raise NotFound()
    granted = queries.granted_priorities(web.session(), competition.id)
    rows = []
    for one in applications.eligible(web.session(), competition.id):
        claimed = applications.claimed_priority(one)
        if not claimed and one.id not in granted:
            continue
        files = applications.handed_in_files(web.session(), one)
        entries = [entry for entry in rule.entries if entry.id in claimed]
        rows.append(
            {
                "application": one,
                "entries": entries,
                "missing": sorted({kind for entry in entries for kind in entry.evidence if kind not in files}),
                "granted": granted.get(one.id),
            }
        )
    return render_template(
        "results/priorities.html",
        competition=competition,
        regulation=competitions.regulation(competition),
        rows=rows,
        exact=read_exact,
        computed=queries.latest_run(web.session(), competition.id) is not None,
    )


@bp.post("/competitions/<slug>/results/priorities/<code>")
@access.roles(*PRIORITY)
def recognise(slug: str, code: str) -> Response:
    """Asks to recognise the groups that were ticked."""
    with web.writing() as session:
        application = applications.by_code(session, competitions.competition(session, slug).id, code)
        deciding.ask_priority(
            session,
            application,
            entries=request.form.getlist("entries"),
            by=access.actor().account_id,
            now=web.now(),
            language=current_language(),
        )
    web.say(N_("The priority points wait for a second approval."))
    return redirect(url_for("results.priorities", slug=slug))
