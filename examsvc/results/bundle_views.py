"""The page of a competition's bundles: how a stranger verifies the result, and who may have which edition."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, g, redirect, render_template, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.base import access, jobs, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import in_language
from examsvc.base.pages import current_language
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger import oracles, queries
from examsvc.ledger.bundle import PUBLIC, RESTRICTED
from examsvc.ledger.models import FrozenBundle
from examsvc.results import editions
from examsvc.results import queries as results
from examsvc.settings import Settings

bp = Blueprint("bundles", __name__, template_folder="templates")
MAY_RELEASE = ("council-chair", "competent-authority", "hr-officer")


def _competition(slug: str) -> Competition:
    """A competition whose record this reader may see; withheld ones only for those who may inspect them."""
    found = competitions.competition(web.session(), slug)
    if not competitions.is_public(found) and not _may_inspect(slug):
        raise NotFound()
    return found


def _may_inspect(slug: str) -> bool:
    actor: Actor | None = g.get("actor")
    return (
        actor is not None
        and actor.attempt is None
        and oracles.competitions().may_inspect(web.session(), slug, actor)
    )


def _may_fetch(one: FrozenBundle, inspects: bool) -> bool:
    """The public edition is everybody's, the restricted one theirs who are entitled to it; each once it is given out."""
    return (one.kind == PUBLIC or inspects) and editions.is_released(web.session(), one)


@bp.get("/competitions/<slug>/bundle")
@access.public
def page(slug: str) -> str:
    """All editions with their digests, and how to verify one in three steps."""
    competition, inspects, session = _competition(slug), _may_inspect(slug), web.session()
    actor: Actor | None = g.get("actor")
    releases = actor is not None and any(actor.holds(role, slug) for role in MAY_RELEASE)
    rows: list[dict[str, Any]] = [
        {
            "bundle": one,
            "audience": editions.AUDIENCES[one.kind],
            "may_fetch": _may_fetch(one, inspects),
            "released": editions.is_released(session, one),
        }
        for one in queries.editions(session, slug)
        if one.kind == PUBLIC or inspects or releases
    ]
    published = results.published(session, competition.id)
    return render_template(
        "results/bundle.html",
        competition=competition,
        rows=rows,
        newest=next((row for row in reversed(rows) if row["bundle"].kind == PUBLIC), None),
        published=published,
        waiting=published is not None and queries.frozen(session, slug, published.edition) is None,
        may_release=releases,
    )


@bp.get("/competitions/<slug>/bundle/<int:edition>-<any(public, restricted):kind>.zip")
@access.public
def fetch(slug: str, edition: int, kind: str) -> Response:
    """The bytes of an edition, as they were frozen, or made again without what was erased since."""
    _competition(slug)
    one = queries.frozen(web.session(), slug, edition, kind)
    if one is None or not _may_fetch(one, _may_inspect(slug)):
        raise NotFound()
    name = f"{slug}-{edition}-{kind}.zip"
    try:
        data = editions.data_of(web.session(), one)
    except editions.NotWitnessed:
        raise Refused(N_("Data were erased a moment ago. The bundle without them follows when enough witnesses have signed.")) from None
    return Response(data, mimetype="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@bp.post("/competitions/<slug>/bundle/<int:edition>-<any(public, restricted):kind>/release")
@access.roles(*MAY_RELEASE)
def release(slug: str, edition: int, kind: str) -> Response:
    """Proposes to give an edition out; another person approves."""
    with web.writing() as session:
        editions.ask_release(
            session,
            competitions.competition(session, slug),
            edition=edition,
            kind=kind,
            by=access.actor().account_id,
            now=web.now(),
            language=current_language(),
        )
    web.say(N_("Proposed. It is given out as soon as another person has approved."))
    return redirect(url_for("bundles.page", slug=slug))


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """Whoever may give out the restricted edition is reminded of it once it is made."""
    found = []
    for one in competitions.announced(session):
        if (slug and one.slug != slug) or not any(actor.holds(role, one.slug) for role in MAY_RELEASE):
            continue
        newest = queries.frozen(session, one.slug, kind=RESTRICTED)
        if newest is not None and not editions.is_released(session, newest):
            label = gettext("Give out the restricted bundle to those entitled to it")
            title = in_language(one.title, current_language())
            found.append(pages.Task(label, url_for("bundles.page", slug=one.slug), detail=title))
    return found


def freeze_bundles(session: Session, now: datetime) -> None:
    """Freezes the bundles of what was published, as soon as the witnesses have signed."""
    editions.freeze_all(session, now)


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    pages.tasks_from(tasks)
    jobs.every(timedelta(seconds=30))(freeze_bundles)
