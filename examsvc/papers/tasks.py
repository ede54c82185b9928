"""What papers ask of each person now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from examsvc.base import language, pages, web
from examsvc.base.access import Actor
from examsvc.competitions import queries as competitions
from examsvc.papers import approval, custody, queries
from examsvc.papers.blueprint import READERS, SETTERS


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """What papers ask of this person now."""
    found: list[pages.Task] = []
    for of in competitions.announced(session):
        if slug and of.slug != slug:
            continue
        roles = {role for role in (*READERS, "council-chair", "custodian") if actor.holds(role, of.slug)}
        if roles and competitions.phase_kind(of) in OVER:
            continue
        if roles & set(SETTERS):
            found += _setter_tasks(session, of)
        if roles & set(READERS):
            found += _reviewer_tasks(session, of, actor.account_id)
        if "custodian" in roles and queries.custodian_key(session, of.id, actor.account_id) is None:
            found.append(_task(of.slug, gettext("Hand in the public half of your key"), "papers.custodians"))
        if "council-chair" in roles:
            for stage in {competitions.regulation(of).stage_of(part.id).id for part in queries.seated_parts(of)}:
                if approval.unsealed(session, of, stage) and queries.custodians(session, of.id, stage) is None:
                    found.append(_task(of.slug, gettext("Name the custodians of the papers"), "papers.custodians"))
        if "custodian" in roles:
            found += _custodian_tasks(session, of, actor.account_id, now)
    return found


OVER = ("results", "appeals", "final")


def _task(slug: str, label: str, endpoint: str, *, detail: str = "", urgent: bool = False, **values: Any) -> pages.Task:
    return pages.Task(label=label, address=url_for(endpoint, slug=slug, **values), detail=detail, urgent=urgent)


def _setter_tasks(session: Session, of: Any) -> list[pages.Task]:
    found = []
    for part in queries.seated_parts(of):
        name = pages.in_reader_language(part.label.model_dump())
        papers = queries.papers_in_force(session, of.id, part.id)
        if not queries.blueprints(session, of.id, part.id):
            found.append(_task(of.slug, gettext("Make the blueprint: %(part)s", part=name), "papers.blueprint", part=part.id))
        elif not papers:
            found.append(_task(of.slug, gettext("Draw the paper: %(part)s", part=name), "papers.index"))
        for paper in papers:
            if paper.state == "draft":
                label = gettext("Read the drawn paper and ask for its approval: %(part)s", part=name)
                found.append(_task(of.slug, label, "papers.form", code=paper.code))
    return found


def _reviewer_tasks(session: Session, of: Any, account_id: int) -> list[pages.Task]:
    """Drafts that another person wrote or brought in, in the banks from which papers of this competition are still drawn."""
    banks = {}
    for part in queries.seated_parts(of):
        papers = queries.papers_in_force(session, of.id, part.id)
        versions = queries.blueprints(session, of.id, part.id)
        if versions and (not papers or any(paper.state == "draft" for paper in papers)):
            banks[versions[0].bank.name] = versions[0].bank_id
    return [
        _task(
            of.slug,
            ngettext("Review %(num)d question: %(bank)s", "Review %(num)d questions: %(bank)s", waiting, bank=name),
            "papers.bank",
            name=name,
            status="draft",
        )
        for name, bank_id in sorted(banks.items())
        if (waiting := queries.waiting_for_review(session, bank_id, account_id))
    ]


def _custodian_tasks(session: Session, of: Any, account_id: int, now: datetime) -> list[pages.Task]:
    found = []
    every = [(part, form) for part in queries.seated_parts(of) for form in queries.papers_in_force(session, of.id, part.id)]
    for part, form in every:
        if form.state != "sealed" or form.seal is None:
            continue
        share = next((one for one in form.seal.shares if one.account_id == account_id), None)
        moment = custody.opens_at(session, form)
        if share is None or share.delivered_at is not None or moment is None:
            continue
        found.append(
            _task(
                of.slug,
                gettext("Open the paper: %(part)s", part=pages.in_reader_language(part.label.model_dump())),
                "papers.share",
                code=form.code,
                urgent=now >= moment,
                detail=gettext("from %(when)s on", when=language.moment(moment, web.settings().zone)),
            )
        )
    return found
