"""Opening a competition, its regulation and posts, and entering its phases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from examsvc.accounts import approvals, enrolment
from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, Terms
from examsvc.accounts.models import ApprovalRequest
from examsvc.base.errors import N_, Refused
from examsvc.base.language import LANGUAGES, in_language, sentence
from examsvc.careers.models import Position
from examsvc.competitions import oracles, phases, queries
from examsvc.competitions.models import (
    ClauseConfirmation,
    Competition,
    DateRecord,
    PhaseRecord,
    Post,
    RegulationDocument,
)
from examsvc.competitions.phases import Phase
from examsvc.competitions.regulation import Regulation, RegulationError, read_toml
from examsvc.ledger import operations as ledger
from examsvc.ledger.keys import Identity

OPEN = "competitions.open"
OPENERS = Terms(("hr-officer", "system-administrator"), 2, timedelta(days=7))
"""Who opens a competition: officers and administrators of the whole installation, two of them."""
RESERVED = frozenset({ledger.REGISTRY, "new"})
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,18}[A-Za-z0-9])?")


# ---------------------------------------------------------------- opening


def read_regulation(toml: bytes) -> Regulation:
    """The regulation in a TOML document; Refused with the first problem and the number of the others."""
    try:
        return read_toml(toml)
    except RegulationError as error:
        first, *others = error.problems
        raise Refused(
            N_("The regulation cannot be used: %(problem)s (and %(others)d further problems)"),
            problem=first.message,
            others=len(others),
            field="regulation",
        ) from None


def add_regulation(
    session: Session, regulation: Regulation, *, by: int, now: datetime, toml: str | None = None
) -> RegulationDocument:
    """Stores a regulation under its digest; the same document twice is one row."""
    digest = regulation.digest()
    found = session.scalar(select(RegulationDocument).where(RegulationDocument.digest == digest))
    if found is None:
        found = RegulationDocument(
            digest=digest,
            canonical=regulation.canonical_bytes().decode(),
            toml=toml,
            title=regulation.title.model_dump(),
            added_at=now,
            added_by_id=by,
        )
        session.add(found)
        session.flush()
    return found


def propose_competition(
    session: Session,
    *,
    slug: str,
    title: Mapping[str, str],
    regulation: RegulationDocument,
    identity: Identity,
    registry: Identity,
    by: int,
    now: datetime,
    classified: bool = False,
    language: str = "vi",
) -> ApprovalRequest:
    """Proposes to open a competition under a regulation; it exists once another officer has approved.

    ``identity`` and ``registry`` are those of the log that begins with it and of the installation's own.
    """
    _check_new(session, slug, title)
    for waiting in approvals.waiting(session, "", now):
        if waiting.kind == OPEN and waiting.arguments["slug"] == slug:
            raise Refused(N_("A competition with this address waits for its approval already."), field="slug")
    withheld = classified or _regulation(regulation).disclosure.withhold_until_release
    lines = [
        f"{sentence(language, N_('Open the competition'))}: {in_language(title, language)}",
        f"{sentence(language, N_('Address'))}: {slug}",
        f"{sentence(language, N_('Regulation'))}: {in_language(regulation.title, language)}",
        f"{sentence(language, N_('Fingerprint of the regulation'))}: {regulation.digest}",
        f"{sentence(language, N_('Key of its log'))}: {identity.key}",
    ]
    if withheld:
        lines.append(sentence(language, N_("Public pages are withheld until the competent authority releases them.")))
    return approvals.ask(
        session,
        kind=OPEN,
        entry_type="competition.opened",
        competition="",
        lines=lines,
        arguments={
            "slug": slug,
            "title": dict(title),
            "regulation": regulation.digest,
            "classified": withheld,
            "identity": [identity.origin, identity.key],
            "registry": [registry.origin, registry.key],
        },
        terms=OPENERS,
        by=by,
        now=now,
    )


@approvals.carries_out(OPEN)
def open_competition(session: Session, approved: Approved) -> None:
    """Makes the competition, and with it its log: the registry says so before anything else happens in it."""
    arguments = approved.arguments
    document = session.scalars(
        select(RegulationDocument).where(RegulationDocument.digest == arguments["regulation"])
    ).one()
    create_competition(
        session,
        slug=arguments["slug"],
        title=arguments["title"],
        regulation=document,
        by=approved.asked_by,
        now=approved.now,
        classified=arguments["classified"],
    )
    identity, registry = Identity(*arguments["identity"]), Identity(*arguments["registry"])
    if ledger.open_log(session, ledger.REGISTRY, registry, now=approved.now) is not None:
        enrolment.enter_people(session, ledger.REGISTRY, approved.now)
    ledger.record(
        session,
        ledger.REGISTRY,
        "competition.opened",
        now=approved.now,
        by=accounts.account(session, approved.asked_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        competition=arguments["slug"],
        origin=identity.origin,
        key=identity.key,
        classified=arguments["classified"],
    )
    ledger.open_log(session, arguments["slug"], identity, now=approved.now, registry=registry)
    enrolment.enter_people(session, arguments["slug"], approved.now)


def create_competition(
    session: Session,
    *,
    slug: str,
    title: Mapping[str, str],
    regulation: RegulationDocument,
    by: int,
    now: datetime,
    classified: bool = False,
) -> Competition:
    """The row alone; whoever is to stand by it uses ``propose_competition``."""
    _check_new(session, slug, title)
    competition = Competition(
        slug=slug,
        title=dict(title),
        regulation_id=regulation.id,
        created_at=now,
        created_by_id=by,
        classified=classified,
    )
    session.add(competition)
    session.flush()
    return competition


def _check_new(session: Session, slug: str, title: Mapping[str, str]) -> None:
    if not _SLUG.fullmatch(slug) or len(slug) > 60 or slug in RESERVED:
        raise Refused(
            N_("Use lower-case letters without accents, digits and single hyphens for the address, such as truong-phong-2026."),
            field="slug",
        )
    if session.scalar(select(Competition.id).where(Competition.slug == slug)) is not None:
        raise Refused(N_("There is already a competition with this address. Choose another one."), field="slug")
    for language in LANGUAGES:
        if not title.get(language, "").strip():
            raise Refused(N_("Write the title in both languages."), field=f"title_{language}")


def _regulation(document: RegulationDocument) -> Regulation:
    return queries.parsed(document.digest, document.canonical)


# ---------------------------------------------------------------- before the regulation is pinned


def require_unpinned(competition: Competition) -> None:
    """Refuses what may only be done while the competition is being set up."""
    if competition.pinned_at is not None:
        raise Refused(N_("The regulation is pinned. What it fixes does not change any more in this competition."))


def change_regulation(
    session: Session, competition: Competition, regulation: RegulationDocument, *, now: datetime
) -> None:
    """Sets the competition under another regulation; confirmations of clauses that are the same in both stand."""
    require_unpinned(competition)
    competition.regulation_id = regulation.id
    session.flush()
    session.expire(competition, ["regulation_document"])


def confirm_clause(
    session: Session, competition: Competition, *, path: str, digest: str, by: int, now: datetime
) -> None:
    """A person stands for one clause with exactly this content."""
    require_unpinned(competition)
    _confirm(session, competition, {(path, digest)}, by=by, now=now)


def confirm_clauses(
    session: Session, competition: Competition, clauses: set[tuple[str, str]], *, by: int, now: datetime
) -> None:
    """The same for several clauses that the person has read, each by its path and digest."""
    require_unpinned(competition)
    _confirm(session, competition, clauses, by=by, now=now)


def _confirm(
    session: Session, competition: Competition, clauses: set[tuple[str, str]], *, by: int, now: datetime
) -> None:
    waiting = {(one.path, one.digest) for one in queries.open_clauses(session, competition, now.date())}
    given = {(one.path, one.digest) for one in queries.confirmations(session, competition.id)}
    if clauses - waiting - given:
        raise Refused(N_("The clause has changed since you read it. Read it again, then confirm."))
    if confirmed := sorted(clauses & waiting):
        head = {"competition_id": competition.id, "by_id": by, "at": now}
        session.execute(insert(ClauseConfirmation), [head | {"path": path, "digest": digest} for path, digest in confirmed])


def add_post(
    session: Session,
    competition: Competition,
    *,
    code: str,
    title: Mapping[str, str],
    unit: Mapping[str, str],
    level: str,
    vacancies: int = 1,
    position: Position | None = None,
) -> Post:
    """Puts a post to competition, from the list of positions or typed; only before the regulation is pinned."""
    require_unpinned(competition)
    rules = queries.regulation(competition).posts
    if not _CODE.fullmatch(code):
        raise Refused(
            N_("Use 1 to 20 letters, digits, dots, dashes and underscores for the code, without accents."), field="code"
        )
    if any(one.code == code for one in competition.posts):
        raise Refused(N_("Another post of this competition has this code. Choose another one."), field="code")
    if level not in {one.id for one in rules.levels}:
        raise Refused(N_("The regulation has no such level. Choose one of its levels."), field="level")
    if position is not None and position.elected and rules.elected_titles == "excluded":
        raise Refused(
            N_("This is an elected title; the regulation leaves those to election. Choose another post."), field="position"
        )
    if position is not None and vacancies > position.places:
        raise Refused(
            N_("The list of positions has %(places)d places for this post. Lower the number of vacancies."),
            places=position.places,
            field="vacancies",
        )
    if vacancies < 1:
        raise Refused(N_("A post needs at least one vacancy."), field="vacancies")
    post = Post(
        competition_id=competition.id,
        code=code,
        title=dict(title),
        unit=dict(unit),
        level=level,
        vacancies=vacancies,
        position_id=position.id if position else None,
    )
    session.add(post)
    session.flush()
    session.expire(competition, ["posts"])
    return post


def remove_post(session: Session, competition: Competition, post: Post) -> None:
    """Takes a post out while the competition is being set up."""
    require_unpinned(competition)
    session.delete(post)
    session.flush()
    session.expire(competition, ["posts"])


# ---------------------------------------------------------------- phases and dates


def set_date(
    session: Session,
    competition: Competition,
    *,
    event: str,
    at: datetime | None,
    by: int | None,
    now: datetime,
    decision: int | None = None,
) -> None:
    """Writes down when an event happens or happened; ``preparing.plan_dates`` checks planned ones first."""
    session.add(
        DateRecord(competition_id=competition.id, event=event, at=at, set_at=now, by_id=by, decision_id=decision)
    )
    session.flush()
    session.expire(competition, ["dates"])


def enter_phase(
    session: Session,
    competition: Competition,
    *,
    phase: str,
    by: int | None,
    now: datetime,
    decision: int | None = None,
) -> None:
    """Goes into a phase, named by its id ("exam:written") or by its kind, which means the next one of that kind.

    It looks at no facts: ``course.advance`` does, and calls this.  LookupError for a phase that the regulation does not have.
    """
    regulation = queries.regulation(competition)
    entered = _phase(regulation, queries.phase(competition), phase)
    if queries.phase(competition) == entered.id and decision is None:
        return
    queries.require_running(competition)
    session.add(
        PhaseRecord(
            competition_id=competition.id, phase=entered.id, entered_at=now, by_id=by, decision_id=decision
        )
    )
    session.flush()
    session.expire(competition, ["phases"])
    oracles.tell_entered(session, competition, entered, now)


def _phase(regulation: Regulation, present: str, name: str) -> Phase:
    order = phases.phases(regulation)
    here = next(place for place, one in enumerate(order) if one.id == present)
    for one in (*order[here:], *order[:here]):
        if name in (one.id, one.kind):
            return one
    raise LookupError(f"the regulation {regulation.id} has no phase {name}")


def as_public(competition: Competition) -> dict[str, Any]:
    """What the public page shows of a competition."""
    return {"slug": competition.slug, "title": competition.title, "phase": queries.phase(competition)}
