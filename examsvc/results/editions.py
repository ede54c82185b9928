"""Editions of the bundle: made from the database, frozen when a result is published, given out to whom they are for.

An edition is made of the first checkpoint after the publication that enough witnesses cosigned; the same rows give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.accounts.models import ApprovalRequest
from examsvc.base.database import writing
from examsvc.base.errors import N_, Refused
from examsvc.base.language import sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger import bundle, oracles, queries, signing, witnessing
from examsvc.ledger.bundle import PUBLIC, RESTRICTED, Material, Opened, Save
from examsvc.ledger.models import FrozenBundle, HeadCounts, LogCheckpoint, LogEntry, Opening
from examsvc.ledger.operations import REGISTRY, record
from examsvc.ledger.policy import Policy
from examsvc.results import log_source
from examsvc.results import queries as results
from examsvc.results.models import Publication

RELEASE = "results.release-bundle"
AUDIENCES = {
    PUBLIC: N_("everybody"),
    RESTRICTED: N_("candidates, inspectors and those who contest the result"),
}


class NotWitnessed(RuntimeError):
    """Too few witnesses have cosigned yet; the message says of which log.  Asked again later, they may have."""


# ---------------------------------------------------------------- making


@dataclass(frozen=True)
class Basis:
    """The two cosigned checkpoints on which an edition stands, and the policy that they satisfy."""

    log: LogCheckpoint
    registry: LogCheckpoint
    policy: Policy


def basis(session: Session, slug: str, least: int) -> Basis:
    """The first checkpoints with enough cosignatures: of the log with at least so many entries, of the registry the newest.

    Raises NotWitnessed while there are none.
    """
    rules = queries.policy(session, slug)
    if rules is None:
        raise NotWitnessed(f"The log {slug} does not name its witnesses yet.")
    log = queries.witnessed(session, slug, rules, least=least)
    if log is None:
        raise NotWitnessed(f"Too few witnesses have cosigned {least} entries of the log {slug}.")
    registry = queries.witnessed(session, REGISTRY, rules, newest=True)
    if registry is None:
        raise NotWitnessed("Too few witnesses have cosigned the registry.")
    return Basis(log, registry, rules)


def material(session: Session, slug: str, on: Basis) -> Material:
    """All that an edition can hold, as the database has it now, up to the checkpoint."""
    source = oracles.competitions()
    size = on.log.size
    chains: dict[str, list[Save]] = {}
    for stored in log_source.every(session, slug):
        chains.setdefault(stored.attempt, []).append(stored.save)
    return Material(
        entries=queries.entry_bytes(session, slug, size),
        checkpoint=queries.signed_note(on.log, on.policy.witnesses.values()),
        openings=list(_openings(session, slug, size)),
        documents=list(dict.fromkeys(source.documents(session, slug))),
        outside=source.outside(session, slug),
        chains=chains,
        heads=_heads(session, slug, size),
        registry_entries=queries.entry_bytes(session, REGISTRY, on.registry.size),
        registry_checkpoint=queries.signed_note(on.registry, on.policy.witnesses.values()),
    )


def _openings(session: Session, slug: str, size: int) -> Iterator[Opened]:
    """What is still there to open commitments; two fields of one entry may hold the same one, which stands once."""
    rows = session.execute(
        select(LogEntry.position, Opening.commitment, Opening.type, Opening.salt, Opening.content)
        .join(Opening, Opening.entry_id == LogEntry.id)
        .where(LogEntry.log == slug, LogEntry.position < size, Opening.erased_at.is_(None))
        .order_by(LogEntry.position, Opening.commitment)
    )
    last: tuple[int, str] | None = None
    for position, commitment, name, salt, content in rows:
        if (position, commitment) != last:
            last = (position, commitment)
            yield Opened(position, commitment, name, bytes.fromhex(salt), content)


def _heads(session: Session, slug: str, size: int) -> dict[int, dict[str, int]]:
    rows = session.execute(
        select(LogEntry.position, HeadCounts.links)
        .join(HeadCounts, HeadCounts.entry_id == LogEntry.id)
        .where(LogEntry.log == slug, LogEntry.position < size)
    )
    return {position: dict(links) for position, links in rows}


def compose(session: Session, slug: str, kind: str, edition: Publication, on: Basis) -> bytes:
    """The bytes of an edition.

    Nothing is released to the public beyond the vocabulary: answers are personal objects, whatever the size of the cohort.
    """
    posts = sorted(edition.entries)
    return bundle.compose(material(session, slug, on), kind, posts, edition.edition)


# ---------------------------------------------------------------- freezing


def freeze(
    session: Session, publication: Publication, *, now: datetime, sender: witnessing.Send = witnessing.send
) -> list[FrozenBundle]:
    """Signs the logs, asks their witnesses, and freezes both editions of a publication.  Commits by itself.

    What is frozen already stays as it is.  Raises NotWitnessed while the quorum is not there, Unsound when a log may not be signed.
    """
    slug, number = slug_of(session, publication), publication.id
    edition, least = publication.edition, max(publication.entries.values()) + 1
    if len([one for one in queries.editions(session, slug) if one.edition == edition]) == 2:
        return [one for one in queries.editions(session, slug) if one.edition == edition]
    for log in (REGISTRY, slug):
        signing.sign_checkpoint(session, log, now=now)
        witnessing.collect(session, log, now=now, sender=sender)
    with writing(session):
        publication = session.get_one(Publication, number)
        on = basis(session, slug, least)
        posts = sorted(publication.entries)
        made = []
        for kind in (PUBLIC, RESTRICTED):
            data = compose(session, slug, kind, publication, on)
            digest = hashlib.sha256(data).hexdigest()
            one = FrozenBundle(
                log=slug,
                edition=edition,
                kind=kind,
                posts=posts,
                digest=digest,
                size=len(data),
                entries=on.log.size,
                content=data,
                made_at=now,
            )
            session.add(one)
            session.flush()
            record(
                session,
                slug,
                "bundle.frozen",
                now=now,
                posts=posts,
                edition=edition,
                kind=kind,
                digest=digest,
                size=len(data),
                entries=on.log.size,
            )
            made.append(one)
    return made


def slug_of(session: Session, publication: Publication) -> str:
    """The log of a publication's competition."""
    return str(session.get_one(Competition, publication.competition_id).slug)


def waiting(session: Session) -> list[Publication]:
    """Published editions whose bundles are not frozen yet, oldest first."""
    frozen = {(one.log, one.edition) for one in session.scalars(select(FrozenBundle))}
    return [
        one
        for one in session.scalars(select(Publication).order_by(Publication.id))
        if (slug_of(session, one), one.edition) not in frozen
    ]


def freeze_all(session: Session, now: datetime, sender: witnessing.Send = witnessing.send) -> int:
    """A duty: freezes what was published and not frozen; what lacks witnesses waits for the next time.  The number frozen."""
    done = 0
    for number in [one.id for one in waiting(session)]:
        try:
            done += len(freeze(session, session.get_one(Publication, number), now=now, sender=sender))
        except NotWitnessed:
            session.rollback()
    return done


# ---------------------------------------------------------------- giving out


def is_released(session: Session, one: FrozenBundle) -> bool:
    """Whether an edition may be given out: the public one of a competition that is not withheld at once, others by a decision."""
    competition = competitions.competition(session, one.log)
    if one.kind == PUBLIC and (not competition.classified or competition.released_at is not None):
        return True
    return any(
        (entry.body["edition"], entry.body["kind"]) == (one.edition, one.kind)
        for entry in queries.of_type(session, one.log, "bundle.released")
    )


def data_of(session: Session, one: FrozenBundle) -> bytes:
    """The bytes of an edition as they were frozen; where data were erased since, made again of what is left.

    Such a copy stands on a later checkpoint, in which the log says that data were erased; it verifies like the first, and what it
    can no longer prove it says.  Raises NotWitnessed while too few witnesses have cosigned that checkpoint.
    """
    if one.content is not None:
        return one.content
    competition = competitions.competition(session, one.log)
    edition = results.edition(session, competition.id, one.edition)
    erased = list(queries.of_type(session, one.log, "erasure.done"))
    if edition is None or not erased:
        raise LookupError(f"the edition {one.edition} of {one.log} was emptied, and the log knows of no erasure")
    return compose(session, one.log, one.kind, edition, basis(session, one.log, erased[-1].index + 1))


def ask_release(
    session: Session,
    competition: Competition,
    *,
    edition: int,
    kind: str,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Proposes to give an edition out to those who are entitled to it; another person approves."""
    one = queries.frozen(session, competition.slug, edition, kind)
    if one is None:
        raise Refused(N_("This edition of the bundle is not made yet. Wait for the witnesses."))
    if is_released(session, one):
        raise Refused(N_("This edition of the bundle is given out already."))
    return ask(
        session,
        kind=RELEASE,
        entry_type="bundle.released",
        competition=competition.slug,
        lines=[
            line(language, N_("Give out the bundle, edition"), f"{edition}"),
            line(language, N_("For whom"), sentence(language, AUDIENCES[kind])),
            line(language, N_("Digest of the bundle"), f"SHA-256 {one.digest}"),
        ],
        arguments={"edition": edition, "kind": kind, "digest": one.digest},
        terms=competitions.approval_terms(competition, "publish-results"),
        by=by,
        now=now,
    )


@carries_out(RELEASE)
def release(session: Session, approved: Approved) -> None:
    """The edition is given out; the log says who decided so."""
    competition = competitions.competition(session, approved.competition)
    edition, kind = int(approved.arguments["edition"]), str(approved.arguments["kind"])
    one = queries.frozen(session, competition.slug, edition, kind)
    if one is None or one.digest != approved.arguments["digest"]:
        raise Refused(N_("This edition of the bundle is not made yet. Wait for the witnesses."))
    if is_released(session, one):
        raise Refused(N_("This edition of the bundle is given out already."))
    record(
        session,
        competition.slug,
        "bundle.released",
        now=approved.now,
        by=accounts.account(session, approved.last_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        posts=one.posts,
        edition=edition,
        kind=kind,
        digest=one.digest,
    )


def previous_digest(session: Session, competition: Competition) -> str | None:
    """What the next publication names as the edition before: the digest of its public bundle; None for the first.

    Refused while that bundle is not frozen: the chain of editions has no gap.
    """
    newest = results.published(session, competition.id)
    if newest is None:
        return None
    one = queries.frozen(session, competition.slug, newest.edition)
    if one is None:
        raise Refused(N_("The bundle of the edition before is not made yet: its witnesses have not signed. Publish after that."))
    return one.digest
