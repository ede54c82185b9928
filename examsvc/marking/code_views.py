"""The code custodian's pages: a key before the coding, and the code map handed in after the lock."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask import Response as FlaskResponse
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.accounts import queries as accounts
from examsvc.base import access, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.exam_clauses import Stage
from examsvc.competitions.models import Competition
from examsvc.marking import opening, queries
from examsvc.marking.forms import CodeKeyForm, MapForm
from examsvc.papers import ceremony, custody
from examsvc.papers import queries as papers
from examsvc.sittings import queries as sittings
from examsvc.sittings.models import Sitting

bp = Blueprint("codes", __name__, template_folder="templates", url_prefix="/competitions/<slug>/marking/codes")


@bp.route("/", methods=["GET", "POST"])
@access.roles("code-custodian", "chief-examiner", "council-chair", "council-secretary", "supervisor")
def index(slug: str) -> str | Response:
    """Who holds the keys of the code map, and where the map of each stage stands; a code custodian hands in his own key."""
    form = CodeKeyForm()
    mine = access.actor().holds("code-custodian", slug)
    if form.validate_on_submit():
        if not mine:
            raise Refused(N_("Only a code custodian hands in a key here."))
        try:
            with web.writing() as session:
                custody.register_key(
                    session,
                    competitions.competition(session, slug),
                    recipient=form.recipient.data or "",
                    by=access.actor().account_id,
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Your key is in. Keep its secret half safe, with a copy in a safe place; without it the code map cannot be opened."))
            return redirect(url_for("codes.index", slug=slug))
    session, competition = web.session(), competitions.competition(web.session(), slug)
    holders = [
        (one, papers.custodian_key(session, competition.id, one.id))
        for one in accounts.holders(session, "code-custodian", slug, web.now())
    ]
    return render_template(
        "marking/codes.html",
        competition=competition,
        form=form,
        holders=holders,
        ready=sum(1 for _, key in holders if key is not None),
        fingerprint=ceremony.fingerprint,
        mine=mine,
        keyed=any(one.id == access.actor().account_id and key is not None for one, key in holders),
        stages=[
            {
                "stage": stage,
                "uncoded": uncoded(session, competition, stage),
                "maps": queries.maps_of_stage(session, competition, stage.id),
                "lock": queries.lock(session, competition.id, stage.id),
            }
            for stage in blind_stages(competition)
        ],
    )


@bp.route("/<stage>", methods=["GET", "POST"])
@access.roles("code-custodian")
def hand_in(slug: str, stage: str) -> str | Response:
    """The encrypted map is taken away, opened on the custodian's own machine, and handed in."""
    competition = competitions.competition(web.session(), slug)
    label = _label(competition, stage)
    form = MapForm()
    if form.validate_on_submit():
        try:
            data: bytes = form.map.data.read(current_app.config["MAX_CONTENT_LENGTH"])
            with web.writing() as session:
                number = opening.hand_in(
                    session,
                    competitions.competition(session, slug),
                    stage=stage,
                    data=data,
                    by=access.actor().account_id,
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The code map is open: %(number)d scripts have their writers back."), number=number)
            return redirect(url_for("codes.index", slug=slug))
    session, competition = web.session(), competitions.competition(web.session(), slug)
    lock = queries.lock(session, competition.id, stage)
    maps = queries.closed_maps(session, competition, stage)
    own = accounts.account(session, access.actor().account_id).code
    return render_template(
        "marking/code_map.html",
        competition=competition,
        stage=stage,
        label=label,
        lock=lock,
        maps=maps,
        file=_name(competition, stage),
        able=all(own in one.recipients for one in maps),
        form=form,
    )


@bp.get("/<stage>/map")
@access.roles("code-custodian")
def closed_map(slug: str, stage: str) -> Response:
    """The encrypted map of a stage, once two people have approved its opening."""
    competition = competitions.competition(web.session(), slug)
    _label(competition, stage)
    data = opening.closed_file(web.session(), competition, stage).data
    headers = {
        "Content-Disposition": f'attachment; filename="{_name(competition, stage)}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return FlaskResponse(data, mimetype="application/octet-stream", headers=headers)


def _name(competition: Competition, stage: str) -> str:
    return f"{competition.slug}-{stage}.closed-map"


def blind_stages(competition: Competition) -> list[Stage]:
    """The stages of a competition in which essays are marked."""
    return [
        one for one in competitions.regulation(competition).stages if any(part.kind == "essay" for part in one.parts)
    ]


def _label(competition: Competition, stage: str) -> dict[str, str]:
    """The name of a stage with essays; NotFound for any other."""
    for one in blind_stages(competition):
        if one.id == stage:
            return one.label.model_dump()
    raise NotFound()


def uncoded(session: Session, competition: Competition, stage: Stage) -> list[Sitting]:
    """Closed sittings of a stage whose essays have no codes yet."""
    parts = {part.id for part in stage.parts if part.kind == "essay"}
    closed = [one for one in sittings.sittings_of(session, competition.id) if one.part in parts and one.closed_at is not None]
    coded = {one.sitting_id for one in queries.code_maps(session, [one.id for one in closed])}
    return [one for one in closed if one.id not in coded]


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """A code custodian's: a key, the coding, the request to open, and the map."""
    found: list[pages.Task] = []
    for role, name in sorted(actor.roles):
        if role != "code-custodian" or not name or (slug and slug != name):
            continue
        competition = competitions.competition(session, name)
        stages = blind_stages(competition)
        waiting = [one for stage in stages for one in uncoded(session, competition, stage)]
        maps = [one for stage in stages for one in queries.maps_of_stage(session, competition, stage.id)]
        here = url_for("codes.index", slug=name)
        if stages and (waiting or not maps) and papers.custodian_key(session, competition.id, actor.account_id) is None:
            detail = gettext("without it no script can be coded") if waiting else ""
            found.append(
                pages.Task(gettext("Hand in the public half of your key"), here, detail=detail, urgent=bool(waiting))
            )
        elif waiting:
            found.append(pages.Task(gettext("Code the scripts"), here, urgent=True))
        for stage in stages:
            lock = queries.lock(session, competition.id, stage.id)
            if lock is None or lock.opened_at is not None or not queries.closed_maps(session, competition, stage.id):
                continue
            if lock.opening_id is None:
                found.append(pages.Task(gettext("Ask to open the code map"), here, urgent=True))
            else:
                address = url_for("codes.hand_in", slug=name, stage=stage.id)
                found.append(pages.Task(gettext("Hand in the code map"), address, urgent=True))
    return found
