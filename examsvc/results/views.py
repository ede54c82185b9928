"""The public result in its editions, each candidate's own result, and what each role should do now."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from flask import Flask, g, render_template, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.accounts.rules import INSTALLATION_ROLES
from examsvc.applications import queries as applications
from examsvc.applications.models import Application
from examsvc.base import access, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound
from examsvc.base.language import day, in_language
from examsvc.base.pages import current_language
from examsvc.competitions import oracles
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.marking import objective
from examsvc.marking import queries as marking
from examsvc.results import board_views, derivation, feedback, printing, publishing, queries
from examsvc.results.blueprint import bp
from examsvc.results.council import OUTCOME_NAMES
from examsvc.results.models import Publication
from examsvc.settings import Settings
from examsvc.sittings import queries as sittings
from examsvc.sittings.models import Attempt

MAY_SEE_WITHHELD = (*board_views.BOARD, "hr-officer")


# ---------------------------------------------------------------- everybody


def _public(slug: str) -> Competition:
    """A competition whose result this reader may see: withheld ones only for those who decide on them."""
    competition = competitions.competition(web.session(), slug)
    if not competitions.is_public(competition):
        actor: Actor | None = g.get("actor")
        if actor is None or not any(actor.holds(role, slug) for role in MAY_SEE_WITHHELD):
            raise NotFound()
    return competition


def _edition(competition: Competition, number: int | None = None) -> Publication:
    found = (
        queries.published(web.session(), competition.id)
        if number is None
        else queries.edition(web.session(), competition.id, number)
    )
    if found is None:
        raise NotFound()
    return found


def _until(competition: Competition) -> dict[str, str | None]:
    """Until when each way to contest is open, in words."""
    deadlines = queries.appeal_deadlines(web.session(), competition, zone=web.settings().zone, now=web.now())
    return {
        channel: day(found.day) if found is not None and found.day is not None else None
        for channel, found in deadlines.items()
    }


@bp.get("/competitions/<slug>/results")
@bp.get("/competitions/<slug>/results/editions/<int:number>")
@access.public
def public(slug: str, number: int | None = None) -> str:
    """The published ranking, the rules behind it, and how a stranger checks it."""
    competition = _public(slug)
    edition = _edition(competition, number)
    regulation, language = competitions.regulation(competition), current_language()
    return render_template(
        "results/public.html",
        competition=competition,
        edition=edition,
        newest=_edition(competition),
        editions=queries.editions(web.session(), competition.id),
        content=edition.content,
        regulation=regulation,
        head=printing.headings(edition.content, regulation, language),
        posts=[
            {
                "post": post,
                "rows": [(row, printing.cells(row, edition.content, regulation, language)) for row in post["rows"]],
                "omitted": printing.omitted(post, language),
            }
            for post in edition.content["posts"]
        ],
        appeals=printing.appeal_lines(regulation, _until(competition), language),
        approval=queries.approval(web.session(), edition.run_id),
        causes=publishing.CAUSES,
        size=len(publishing.canonical_bytes(edition)),
    )


@bp.get("/competitions/<slug>/results/editions/<int:number>.json")
@access.public
def data(slug: str, number: int) -> Response:
    """The exact bytes over which the digest is."""
    found = _edition(_public(slug), number)
    return _download(publishing.canonical_bytes(found), "application/json", f"result-{slug}-{number}.json")


@bp.get("/competitions/<slug>/results/editions/<int:number>.pdf")
@access.public
def paper(slug: str, number: int) -> Response:
    competition = _public(slug)
    found = _edition(competition, number)
    regulation, language, settings = competitions.regulation(competition), current_language(), web.settings()
    made = printing.pdf(
        printing.frozen(found.content),
        regulation,
        digest=found.digest,
        edition=found.edition,
        language=language,
        institution=in_language({"vi": settings.institution_vi, "en": settings.institution_en}, language),
        moment=found.published_at.astimezone(settings.zone),
        appeals=tuple(printing.appeal_lines(regulation, _until(competition), language)),
    )
    return _download(made, "application/pdf", f"result-{slug}-{number}.pdf", "inline")


@bp.get("/competitions/<slug>/results/editions/<int:number>.xlsx")
@access.public
def sheet(slug: str, number: int) -> Response:
    competition = _public(slug)
    found = _edition(competition, number)
    made = printing.xlsx(
        found.content,
        competitions.regulation(competition),
        digest=found.digest,
        language=current_language(),
        moment=found.published_at,
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _download(made, kind, f"result-{slug}-{number}.xlsx")


def _download(content: bytes, kind: str, name: str, way: str = "attachment") -> Response:
    return Response(
        content,
        mimetype=kind,
        headers={"Content-Disposition": f'{way}; filename="{name}"', "Cache-Control": "no-store"},
    )


# ---------------------------------------------------------------- one's own


def _own(session: Session, competition: Competition, account_id: int) -> list[Application]:
    """The reader's own files with a candidate number."""
    return [
        one
        for one in applications.all_of_account(session, competition.id, account_id)
        if one.candidate_number is not None and one.withdrawn_at is None
    ]


@bp.get("/competitions/<slug>/my-result")
@access.signed_in
def mine(slug: str) -> str:
    """How every number of one's own result came about; of nobody else's.  404 for whoever is no candidate here."""
    competition = competitions.competition(web.session(), slug)
    own = _own(web.session(), competition, access.actor().account_id)
    if not own:
        raise NotFound()
    edition = queries.published(web.session(), competition.id)
    numbers = [one.candidate_number or "" for one in own]
    scores = _scores_at_once(competition, [one.id for one in own]) if edition is None else []
    regulation, language = competitions.regulation(competition), current_language()
    results: list[dict[str, Any]] = []
    for number in numbers if edition is not None else []:
        assert edition is not None
        row = queries.row_of(edition.run, number)
        if row is None:
            continue
        tell = regulation.publication.private_feedback
        origin = derivation.origins(web.session(), competition, number, language) if tell else None
        results.append(
            {
                "row": row,
                "post": next(one for one in competition.posts if one.code == row["post"]),
                "derivation": derivation.derivation(regulation, row, language, origin),
                "outcome": derivation.outcome_sentence(regulation, row, language),
                "tell": tell,
                "feedback": feedback.feedback(web.session(), competition, number) if tell else {},
                "of": sum(1 for one in edition.run.outcome["rows"] if one["post"] == row["post"] and one["rank"] is not None),
            }
        )
    return render_template(
        "results/mine.html",
        competition=competition,
        regulation=regulation,
        edition=edition,
        results=results,
        scores=scores,
        hearings=_hearings(competition, own) if edition is None else [],
        outcomes=OUTCOME_NAMES,
        appeals=_my_appeals(competition, [row["row"] for row in results]) if edition is not None else (),
        shown=lambda value: derivation.shown(value, language),
        digest=hashlib.sha256(publishing.canonical_bytes(edition)).hexdigest() if edition is not None else None,
    )


def _scores_at_once(competition: Competition, own: list[int]) -> list[dict[str, Any]]:
    """Scores of the parts that the regulation shows at once, for attempts that have ended; marked now where they are not yet."""
    regulation, found = competitions.regulation(competition), []
    attempts = [
        one
        for one in sittings.attempts_of_account(web.session(), access.actor().account_id)
        if one.application_id in own
        and one.state in ("submitted", "closed")
        and regulation.part(one.sitting.part).results_at_once
    ]
    for attempt in attempts:
        score = marking.objective_total(web.session(), attempt.id)
        if score is None:
            number = attempt.id
            with web.writing() as session:
                score = objective.show_score(session, session.get_one(Attempt, number), now=web.now())
        part = regulation.part(web.session().get_one(Attempt, attempt.id).sitting.part)
        if score is not None:
            met = part.pass_mark.met(score, part.maximum) if part.pass_mark is not None else None
            found.append({"part": part, "score": score, "met": met})
    return found


def _hearings(competition: Competition, own: list[Application]) -> list[dict[str, Any]]:
    """The reader's own hearings in the drawn order, as long as no result is published."""
    found = []
    for part in competitions.regulation(competition).parts:
        listed = marking.hearings(web.session(), competition.id, part.id)
        found += [
            {"part": part, "place": one.place, "of": len(listed), "over": one.state not in ("listed", "running")}
            for one in listed
            if one.application_id in {mine.id for mine in own}
        ]
    return found


def _my_appeals(competition: Competition, rows: list[Any]) -> list[tuple[Any, str]]:
    """Ways to contest with their deadline; a re-mark only where a part that the candidate has a mark in allows it."""
    regulation = competitions.regulation(competition)
    marked = {part for row in rows for part in row["parts"]}
    lines = dict(
        zip(
            [one.id for one in regulation.appeals],
            printing.appeal_lines(regulation, _until(competition), current_language()),
            strict=True,
        )
    )
    return [
        (channel, lines[channel.id][1])
        for channel in regulation.appeals
        if not channel.parts or marked & set(channel.parts)
    ]


# ---------------------------------------------------------------- what to do now


def _places(session: Session, actor: Actor, slug: str) -> list[Competition]:
    """Competitions in which this person has a role, or the one asked about."""
    names = {place for _, place in actor.roles if place}
    if any(not place and role in INSTALLATION_ROLES for role, place in actor.roles):
        names |= {one.slug for one in competitions.announced(session)}
    return [competitions.competition(session, one) for one in sorted(names) if not slug or one == slug]


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    found: list[pages.Task] = []
    for competition in _places(session, actor, slug):
        found += _staff_tasks(session, actor, competition)
    for competition in competitions.announced(session):
        if not slug or slug == competition.slug:
            found += _candidate_tasks(session, actor, competition)
    return found


def _staff_tasks(session: Session, actor: Actor, competition: Competition) -> list[pages.Task]:
    place = competition.slug

    def holds(*roles: str) -> bool:
        return any(actor.holds(role, place) for role in roles)

    def task(label: str, endpoint: str, *, urgent: bool = True) -> pages.Task:
        title = in_language(competition.title, current_language())
        return pages.Task(label, url_for(f"results.{endpoint}", slug=place), detail=title, urgent=urgent)

    run = queries.latest_run(session, competition.id)
    if run is None:
        regulation = competitions.regulation(competition)
        found = []
        if regulation.priority is not None and holds(*board_views.PRIORITY):
            granted = queries.granted_priorities(session, competition.id)
            if any(
                applications.claimed_priority(one) and one.id not in granted
                for one in applications.eligible(session, competition.id)
            ):
                found.append(task(gettext("Decide on priority points"), "priorities"))
        locked = [
            marking.lock(session, competition.id, stage.id) for stage in regulation.stages if stage.kind == "examination"
        ]
        if all(locked) and holds(*board_views.COMPUTE):
            found.append(task(gettext("Compute the results"), "review"))
        return found
    if queries.ties_to_decide(run):
        return [task(gettext("A tie must be decided"), "review")] if holds(*board_views.BOARD) else []
    if queries.approval(session, run.id) is None:
        if not queries.adopted_posts(session, run.id) >= set(queries.posts_of(run)):
            if holds("council-secretary"):
                return [task(gettext("Record the council's vote on the results"), "vote")]
        elif holds("council-chair", "competent-authority"):
            return [task(gettext("Approve the results"), "approval")]
    else:
        edition = queries.published(session, competition.id)
        if edition is None or edition.run_id != run.id:
            if holds("hr-officer", "council-chair"):
                return [task(gettext("Publish the results"), "publication")]
        else:
            return []
    return [task(gettext("Review the results"), "review", urgent=False)] if holds(*board_views.BOARD) else []


def _candidate_tasks(session: Session, actor: Actor, competition: Competition) -> list[pages.Task]:
    own = _own(session, competition, actor.account_id)
    if not own:
        return []
    title = in_language(competition.title, current_language())
    address = url_for("results.mine", slug=competition.slug)
    if queries.published(session, competition.id) is not None:
        return [pages.Task(gettext("See your result and how it came about"), address, detail=title)]
    regulation = competitions.regulation(competition)
    mine = {one.id for one in own}
    found = []
    if any(
        one.application_id in mine and one.state in ("submitted", "closed") and regulation.part(one.sitting.part).results_at_once
        for one in sittings.attempts_of_account(session, actor.account_id)
    ):
        found.append(pages.Task(gettext("See your score of the computer test"), address, detail=title))
    for part in regulation.parts:
        if any(
            one.application_id in mine and one.state == "listed"
            for one in marking.hearings(session, competition.id, part.id)
        ):
            found.append(pages.Task(gettext("See your place in the order of the hearings"), address, detail=title))
    return found


def links(session: Session, competition: Competition, now: datetime) -> list[oracles.Link]:
    """The published result, for everybody who reads the notice."""
    if queries.published(session, competition.id) is None:
        return []
    return [oracles.Link(N_("Result of the competition"), "results.public", main=True)]


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    pages.tasks_from(tasks)
    oracles.links_from(links)
    oracles.facts_from(queries.facts_for_phases)

