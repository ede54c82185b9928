"""What rehearsals and draws of papers ask of custodians, chair, secretary and setter now."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from examsvc.base import language, pages, web
from examsvc.base.access import Actor
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.papers import ceremony, ceremony_draws, custody_rehearsal, queries
from examsvc.papers.tasks import OVER


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """Rehearsals to hold, shares of dummies to hand in, draws of papers to announce and pools to fix; numbers have tasks of their own."""
    found: list[pages.Task] = []
    for of in competitions.announced(session):
        if (slug and of.slug != slug) or competitions.phase_kind(of) in OVER:
            continue
        if ceremony_draws.by_draw(of):
            found += _draws(session, actor, of)
        chair, custodian = actor.holds("council-chair", of.slug), actor.holds("custodian", of.slug)
        if not chair and not custodian:
            continue
        if custodian:
            for one in custody_rehearsal.rehearsals(session, of.id):
                mine = [share for share in one.shares if share.account_id == actor.account_id and share.delivered_at is None]
                if one.ended_at is None and mine:
                    address = url_for("papers.rehearsal", slug=of.slug, code=one.code)
                    found.append(pages.Task(label=gettext("Rehearse: hand in your share of the dummy paper"), address=address))
        for stage, _ in ceremony.stages(of) if chair else []:
            due = custody_rehearsal.due_at(session, of, stage)
            going_on = any(one.ended_at is None for one in custody_rehearsal.rehearsals(session, of.id, stage))
            if due is not None and not going_on:
                found.append(
                    pages.Task(
                        label=gettext("Have the custodians rehearse the opening"),
                        address=url_for("papers.custodians", slug=of.slug),
                        detail=gettext("to be held by %(when)s", when=language.moment(due, web.settings().zone)),
                        urgent=now >= due,
                    )
                )
    return found


def _draws(session: Session, actor: Actor, of: Competition) -> list[pages.Task]:
    """Where the regulation has papers drawn in public: to announce the draw of each part, and to fix its pool."""
    found = []
    leads = any(actor.holds(role, of.slug) for role in ("council-chair", "council-secretary"))
    fixes = any(actor.holds(role, of.slug) for role in ("council-secretary", "question-setter"))
    for part in queries.seated_parts(of) if leads or fixes else []:
        draw = ceremony_draws.record(session, of, part.id)
        named = queries.custodians(session, of.id, competitions.regulation(of).stage_of(part.id).id) is not None
        label = pages.in_reader_language(part.label.model_dump())
        address = url_for("papers.assembly_draw", slug=of.slug, part=part.id)
        if leads and named and (draw is None or draw.state == "void"):
            found.append(pages.Task(label=gettext("Have the draw of the papers announced: %(part)s", part=label), address=address))
        elif fixes and draw is not None and draw.state == "committed":
            found.append(pages.Task(label=gettext("Fix the pool of questions: %(part)s", part=label), address=address, urgent=True))
    return found
