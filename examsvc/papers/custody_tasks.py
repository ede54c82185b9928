"""What rehearsals ask of custodians and chair now."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from examsvc.base import language, pages, web
from examsvc.base.access import Actor
from examsvc.competitions import queries as competitions
from examsvc.papers import ceremony, custody_rehearsal
from examsvc.papers.tasks import OVER


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """Rehearsals to hold and shares of dummies to hand in."""
    found: list[pages.Task] = []
    for of in competitions.announced(session):
        if (slug and of.slug != slug) or competitions.phase_kind(of) in OVER:
            continue
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
