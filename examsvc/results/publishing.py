"""Publication: what the regulation lets the public see, frozen under a digest, proposed by one and approved by another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, ask, carries_out
from examsvc.accounts.models import ApprovalRequest
from examsvc.base import messages
from examsvc.base.errors import N_, Refused
from examsvc.base.language import both
from examsvc.competitions import operations as course
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.result_clauses import Publication as PublicationRule
from examsvc.ledger import canonical
from examsvc.ledger.operations import record
from examsvc.marking import scope
from examsvc.results import editions, queries
from examsvc.results.computing import candidates, digest_of
from examsvc.results.deciding import line
from examsvc.results.models import Publication, ScoreRun

CAUSES = {
    "first": N_("First publication"),
    "appeal": N_("After an appeal"),
    "correction": N_("Correction"),
    "withdrawal": N_("Result withdrawn"),
}


def public_content(
    competition: Competition, run: ScoreRun, names: Mapping[str, str], rule: PublicationRule
) -> dict[str, Any]:
    """What the public sees of a run: winners and others each by name, by number or not at all, with the marks that the
    regulation lets be seen.  Of whoever is not shown nothing stands here, only how many there were."""
    posts = []
    for post in competition.posts:
        of_post = [row for row in run.outcome["rows"] if row["post"] == post.code]
        posts.append(
            {
                "post": post.code,
                "title": dict(post.title),
                "unit": dict(post.unit),
                "vacancies": post.vacancies,
                "candidates": len(of_post),
                "rows": [row for row in (_public_row(one, rule, names) for one in of_post) if row is not None],
            }
        )
    return {
        "competition": competition.slug,
        "title": dict(competition.title),
        "regulation": competition.regulation_document.digest,
        "run": run.number,
        "posts": posts,
    }


def _public_row(row: Mapping[str, Any], rule: PublicationRule, names: Mapping[str, str]) -> dict[str, Any] | None:
    winner = row["outcome"] == "chosen"
    shown = rule.winners if winner else rule.others
    if shown == "nothing":
        return None
    marks = rule.winner_marks if winner else rule.other_marks
    found: dict[str, Any] = {"rank": row["rank"], "outcome": row["outcome"]}
    found |= {"name": names[row["number"]]} if shown == "name" else {"number": row["number"]}
    if marks in ("total", "parts") and row["total"] is not None:
        found["total"] = row["total"]
    if marks == "parts":
        found["parts"] = dict(row["parts"])
    return found


def approved_run(session: Session, competition: Competition) -> ScoreRun:
    """The newest run, which the competent authority approved; Refused otherwise."""
    run = queries.latest_run(session, competition.id)
    if run is None:
        raise Refused(N_("No results have been computed yet."))
    if queries.approval(session, run.id) is None:
        raise Refused(N_("The competent authority has not approved these results yet."))
    return run


def content_of(session: Session, competition: Competition, run: ScoreRun) -> dict[str, Any]:
    """What would be published of a run now."""
    names = {one.candidate_number or "": one.account.name for one in candidates(session, competition)}
    return public_content(competition, run, names, competitions.regulation(competition).publication)


def propose_publication(
    session: Session, competition: Competition, *, cause: str = "first", by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Proposes to publish the approved run as the regulation allows; another person approves, and it is out."""
    competitions.require_running(competition)
    run = approved_run(session, competition)
    _may_publish(session, competition, run, cause, now)
    content = content_of(session, competition, run)
    shown = [
        f"{post['post']}: " + (", ".join(str(row.get("name") or row.get("number")) for row in post["rows"]) or "–")
        for post in content["posts"]
    ]
    rule = competitions.regulation(competition).publication
    return ask(
        session,
        kind="results.publish",
        entry_type="results.published",
        competition=competition.slug,
        lines=[
            line(language, N_("Publish the result, edition"), _next_edition(session, competition)),
            line(language, N_("Score run"), f"{run.number}, SHA-256 {run.digest}"),
            *(line(language, N_("Shown"), one) for one in shown),
            line(language, N_("The regulation shows"), f"{rule.winners}, {rule.winner_marks}; {rule.others}, {rule.other_marks}"),
            line(language, N_("Digest of what is published"), f"SHA-256 {digest_of(content)}"),
        ],
        arguments={"run": run.number, "digest": digest_of(content), "cause": cause},
        terms=competitions.approval_terms(competition, "publish-results"),
        by=by,
        now=now,
    )


def _may_publish(session: Session, competition: Competition, run: ScoreRun, cause: str, now: datetime) -> None:
    event = competitions.regulation(competition).publication.reference_event
    happened = competitions.date_of(competition, event)
    if happened is None or happened > now:
        raise Refused(N_("The regulation lets results be published only after the event %(event)s."), event=event)
    newest = queries.published(session, competition.id)
    if newest is not None and newest.run_id == run.id and newest.content == content_of(session, competition, run):
        raise Refused(N_("Exactly this result is published already."))
    editions.previous_digest(session, competition)  # refused as long as the edition before has no bundle
    if cause not in CAUSES or (cause == "first") != (newest is None):
        raise Refused(N_("Say why there is a new edition."), field="cause")


def _next_edition(session: Session, competition: Competition) -> int:
    return 1 + int(session.scalar(select(func.max(Publication.edition)).where(Publication.competition_id == competition.id)) or 0)


@carries_out("results.publish")
def publish(session: Session, approved: Approved) -> None:
    """The result is out, frozen as its approvers read it; the list is posted, and every candidate told."""
    competition = competitions.competition(session, approved.competition)
    competitions.require_running(competition)
    run = approved_run(session, competition)
    cause = str(approved.arguments["cause"])
    _may_publish(session, competition, run, cause, approved.now)
    content = content_of(session, competition, run)
    digest = digest_of(content)
    if run.number != approved.arguments["run"] or digest != approved.arguments["digest"]:
        raise Refused(N_("What would be published has changed since it was proposed. Propose it again."))
    by = scope.signer(session, approved, "hr-officer") or accounts.account(session, approved.asked_by).code
    edition = _next_edition(session, competition)
    previous = editions.previous_digest(session, competition)
    entries = {}
    for post, commitment in sorted(run.commitments.items()):
        entry = record(
            session,
            competition.slug,
            "results.published",
            now=approved.now,
            by=by,
            approvals=approved.approvals,
            summary=approved.summary,
            posts=[post],
            edition=edition,
            run=run.number,
            ranking=commitment,
            previous=previous,
            cause=cause,
        )
        entries[post] = entry.position
        rows = next(one["rows"] for one in content["posts"] if one["post"] == post)
        record(
            session, competition.slug, "list.posted", now=approved.now, by=by, posts=[post], list="results", digest=digest, count=len(rows)
        )
    session.add(
        Publication(
            competition_id=competition.id,
            edition=edition,
            run_id=run.id,
            cause=cause,
            content=content,
            digest=digest,
            entries=entries,
            request_id=approved.request_id,
            published_at=approved.now,
        )
    )
    session.flush()
    course.set_date(session, competition, event="results-published", at=approved.now, by=approved.last_by, now=approved.now)
    _tell(session, competition, approved.now)


def _tell(session: Session, competition: Competition, now: datetime) -> None:
    for one in candidates(session, competition):
        messages.send(
            session,
            account_id=one.account_id,
            competition=competition.slug,
            subject=both(N_("The result is published")),
            body=both(
                N_(
                    "The result of %(title)s is published. Your own result, and how each of its numbers came about, stands on your page"
                    " of the competition. There you also find until when you may contest it."
                ),
                title=competition.title,
            ),
            now=now,
        )


def canonical_bytes(publication: Publication) -> bytes:
    """The bytes over which the edition's digest is: what a stranger downloads and hashes."""
    return canonical.encode(publication.content)

