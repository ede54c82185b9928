"""What people decide before a run is the result: priority points on accepted evidence, and ties that no comparison separates."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, Terms, ask, carries_out
from examsvc.accounts.models import ApprovalRequest
from examsvc.accounts.rules import ROLE_NAMES
from examsvc.applications import queries as applications
from examsvc.applications.models import Application
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, NotAllowed, Refused
from examsvc.base.language import in_language, number, sentence
from examsvc.competitions import drawing
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.terms import write_exact
from examsvc.ledger import drawing as draws
from examsvc.ledger.draw_records import DrawRecord
from examsvc.ledger.operations import Sealed, record
from examsvc.marking.rules import decimal
from examsvc.results import queries, rules
from examsvc.results.computing import compute_results
from examsvc.results.models import PriorityGrant, ScoreRun, TieRuling

PRIORITY_STEP = "decide-eligibility"  # recognising evidence of a group is a decision on the file
TIE_STEP = "approve-results"
LOTS_STEP = "hold-draw"


def line(language: str, label: str, value: object) -> str:
    """One line of a summary that approvers read."""
    return f"{sentence(language, label)}: {value}"


# ---------------------------------------------------------------- priority points


def evidence_for(session: Session, application: Application, entries: Sequence[str]) -> dict[str, str]:
    """SHA-256 of each handed-in file that proves these entitlements, by kind; Refused where one is missing."""
    priority = competitions.regulation(application.competition).priority
    if priority is None:
        raise Refused(N_("The regulation of this competition has no priority points."))
    known = {one.id: one for one in priority.entries}
    if not entries or any(one not in known for one in entries):
        raise Refused(N_("Choose a group of the regulation's table."), field="entries")
    files = applications.handed_in_files(session, application)
    found: dict[str, str] = {}
    for one in entries:
        for kind in known[one].evidence:
            if kind not in files:
                raise Refused(
                    N_("The file has no %(file)s, which proves this group. Ask the candidate to supply it."),
                    file=kind,
                    field="entries",
                )
            found[kind] = files[kind].digest
    return found


def ask_priority(
    session: Session,
    application: Application,
    *,
    entries: Sequence[str],
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Asks to recognise priority points on the evidence in the file; a second person approves."""
    competition = application.competition
    competitions.require_running(competition, posts=[application.post.code])
    evidence = evidence_for(session, application, entries)
    _still_open(session, application)
    regulation = competitions.regulation(competition)
    points = rules.priority_points(regulation, entries)
    assert regulation.priority is not None
    labels = [one.label.in_language(language) for one in regulation.priority.entries if one.id in entries]
    return ask(
        session,
        kind="results.priority",
        entry_type="priority.granted",
        competition=competition.slug,
        lines=[
            line(language, N_("Recognise priority points of the candidate"), f"{application.candidate_number} {application.account.name}"),
            line(language, N_("Groups"), "; ".join(labels)),
            line(language, N_("Points"), number(points, language)),
            *(line(language, N_("Evidence"), f"{kind}, SHA-256 {digest}") for kind, digest in sorted(evidence.items())),
        ],
        arguments={"application": application.id, "entries": list(entries)},
        terms=competitions.approval_terms(competition, PRIORITY_STEP),
        by=by,
        now=now,
    )


def _still_open(session: Session, application: Application) -> None:
    if session.scalar(select(PriorityGrant.id).where(PriorityGrant.application_id == application.id)) is not None:
        raise Refused(N_("The priority points of this candidate are decided already."))
    if queries.latest_run(session, application.competition_id) is not None:
        raise Refused(N_("Results have been computed. Priority points are recognised before that."))


@carries_out("results.priority")
def grant_priority(session: Session, approved: Approved) -> None:
    """Priority points are recognised."""
    application = applications.application(session, int(approved.arguments["application"]))
    entries = [str(one) for one in approved.arguments["entries"]]
    _still_open(session, application)
    evidence = evidence_for(session, application, entries)
    points = rules.priority_points(competitions.regulation(application.competition), entries)
    session.add(
        PriorityGrant(
            application_id=application.id,
            entries=entries,
            points=write_exact(points),
            evidence=evidence,
            request_id=approved.request_id,
            at=approved.now,
        )
    )
    session.flush()
    record(
        session,
        application.competition.slug,
        "priority.granted",
        now=approved.now,
        by=accounts.account(session, approved.asked_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        posts=[application.post.code],
        application=application.code,
        priority=Sealed(
            {
                "candidate": application.candidate_number,
                "category": ".".join(entries)[:64].rstrip(".-"),
                "points": decimal(points),
                "evidence": " ".join(evidence[kind] for kind in sorted(evidence)) or "-",
            },
            subject=application.account.code,
        ),
    )


# ---------------------------------------------------------------- ties


def open_tie(run: ScoreRun, post: str, numbers: Sequence[str]) -> dict[str, Any]:
    """The open tie of exactly these candidates; Refused where the run has none."""
    for tie in queries.ties_to_decide(run):
        if tie["post"] == post and set(tie["numbers"]) == set(numbers):
            return tie
    raise Refused(N_("These candidates are not in an open tie of the newest run. Reload the page."))


def tie_role(run: ScoreRun, tie: dict[str, Any]) -> str:
    """The role that decides a tie: the one the regulation names; where it names none, the one that approves the results."""
    if tie["by"] == "nobody":
        return competitions.regulation(run.competition).council.approves
    return str(tie["by"])


def ask_tie_decision(
    session: Session,
    competition: Competition,
    *,
    post: str,
    order: Sequence[str],
    reason: str,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """The role that the regulation names orders candidates who are equal in everything else, best first, with a reason; a
    second person approves, and the results are computed again with it."""
    run = _newest(session, competition)
    if len(set(order)) != len(order):
        raise Refused(N_("Give each candidate a place of his own."), field="order")
    tie = open_tie(run, post, order)
    role = tie_role(run, tie)
    if role == "lots":
        raise Refused(N_("The regulation leaves this tie to lots."))
    held = accounts.roles_of(session, by, now)
    if (role, competition.slug) not in held and (role, "") not in held:
        raise NotAllowed(N_("The regulation leaves this tie to another role."))
    if not reason.strip():
        raise Refused(N_("Write the reason for this order."), field="reason")
    terms = competitions.approval_terms(competition, TIE_STEP)
    return ask(
        session,
        kind="results.tie",
        entry_type="tie.decided",
        competition=competition.slug,
        lines=[
            line(language, N_("Decide the tie for the post"), f"{post} ({_title(competition, post, language)})"),
            line(language, N_("Order, best first"), ", ".join(order)),
            line(language, N_("Reason"), reason.strip()),
            line(language, N_("Score run"), f"{run.number}, SHA-256 {run.digest}"),
        ],
        arguments={"run": run.number, "post": post, "order": list(order), "reason": reason.strip(), "role": role},
        terms=Terms(tuple(dict.fromkeys((role, *terms.roles))), terms.people, terms.expires),
        by=by,
        now=now,
    )


@carries_out("results.tie")
def decide_tie(session: Session, approved: Approved) -> None:
    """A person's order of candidates who were equal; a new run follows."""
    competition = competitions.competition(session, approved.competition)
    run = _newest(session, competition)
    order = [str(one) for one in approved.arguments["order"]]
    post, role = str(approved.arguments["post"]), str(approved.arguments["role"])
    open_tie(run, post, order)
    _rule(session, run, approved, post=post, order=order, role=role, reason=str(approved.arguments["reason"]), draw=None)


def ask_lots(
    session: Session, competition: Competition, *, post: str, numbers: Sequence[str], by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Asks to draw lots for an open tie, where the regulation says so; a second person approves, and the draw is held or announced."""
    run = _newest(session, competition)
    tie = open_tie(run, post, numbers)
    if tie_role(run, tie) != "lots":
        raise Refused(N_("The regulation leaves this tie to a person, not to lots."))
    drawing.require_free(session, competition, "lots", _lot(post, tie["numbers"]))
    how, given = drawing.terms(session, competition, "lots", now=now, language=language)
    return ask(
        session,
        kind="results.lots",
        entry_type="draw.announced",
        competition=competition.slug,
        lines=[
            line(language, N_("Draw lots for the post"), f"{post} ({_title(competition, post, language)})"),
            line(language, N_("Between the candidates"), ", ".join(tie["numbers"])),
            line(language, N_("Score run"), f"{run.number}, SHA-256 {run.digest}"),
            *how,
        ],
        arguments={"run": run.number, "post": post, "numbers": list(tie["numbers"]), **given},
        terms=competitions.approval_terms(competition, LOTS_STEP),
        by=by,
        now=now,
    )


@carries_out("results.lots")
def draw_lots(session: Session, approved: Approved) -> None:
    """Lots, drawn so that anybody can replay them; a new run follows when they are drawn."""
    competition = competitions.competition(session, approved.competition)
    run = _newest(session, competition)
    post = str(approved.arguments["post"])
    tie = open_tie(run, post, approved.arguments["numbers"])
    numbers = sorted(tie["numbers"])
    drawing.hold(
        session,
        competition,
        approved,
        purpose="lots",
        posts=[post],
        stage=None,
        about=draws.About(
            _lot(post, numbers),
            {
                "competition": competition.id,
                "post": post,
                "approvals": [[code, seconds(at)] for code, at in approved.approvals],
                "summary": dict(approved.summary.content),
            },
            "permutation",
            {"items": numbers},
        ),
    )


def _lot(post: str, numbers: Sequence[str]) -> str:
    """How a draw names a tie: its post and its candidates, in few letters."""
    return f"{post}/{hashlib.sha256(' '.join(sorted(numbers)).encode()).hexdigest()[:16]}"


def lots_draw(session: Session, competition: Competition, post: str, numbers: Sequence[str]) -> DrawRecord | None:
    """The newest draw of lots between these candidates, as the log tells it."""
    return draws.newest(session, competition.slug, "lots", _lot(post, numbers))


@draws.when_drawn("lots")
def _break_tie(session: Session, log: str, held: draws.Held, now: datetime) -> None:
    """The tie is decided as the lots fell, by those who approved the draw; nothing follows where it is open no more."""
    competition = session.get_one(Competition, int(held.arguments["competition"]))
    run = queries.latest_run(session, competition.id)
    post, order = str(held.arguments["post"]), [str(one) for one in held.result]
    if run is None or queries.approval(session, run.id) is not None:
        return
    if not any(tie["post"] == post and set(tie["numbers"]) == set(order) for tie in queries.ties_to_decide(run)):
        return
    approved = Approved(
        request_id=0,
        competition=competition.slug,
        arguments=held.arguments,
        asked_by=int(held.arguments["by"]),
        last_by=int(held.arguments["by"]),
        approvals=tuple((str(code), datetime.fromtimestamp(at, now.tzinfo)) for code, at in held.arguments["approvals"]),
        summary=Sealed(held.arguments["summary"]),
        now=now,
    )
    reason = sentence("vi", N_("Drawn by lot (%(draw)s)"), draw=held.code)
    _rule(session, run, approved, post=post, order=order, role="lots", reason=reason, draw=held.code)


def _rule(
    session: Session,
    run: ScoreRun,
    approved: Approved,
    *,
    post: str,
    order: list[str],
    role: str,
    reason: str,
    draw: str | None,
) -> None:
    session.add(
        TieRuling(
            run_id=run.id, post=post, order=order, role=role, reason=reason, draw=draw, by_id=approved.asked_by, at=approved.now
        )
    )
    session.flush()
    place = next(
        (i for i, step in enumerate(competitions.regulation(run.competition).ties.steps) if step.by in ("lots", "role-decides")), None
    )
    record(
        session,
        run.competition.slug,
        "tie.decided",
        now=approved.now,
        by=accounts.account(session, approved.asked_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        posts=[post],
        run=run.number,
        tie=Sealed(
            {
                "post": post,
                "candidates": sorted(order),
                "order": order,
                "rule": f"ties.steps.{place}" if place is not None else "council.approves",
                "reason": reason,
            }
        ),
        draw=draw,
    )
    compute_results(session, run.competition, by=approved.asked_by, now=approved.now)


def _newest(session: Session, competition: Competition) -> ScoreRun:
    competitions.require_running(competition)
    run = queries.latest_run(session, competition.id)
    if run is None:
        raise Refused(N_("No results have been computed yet."))
    if queries.approval(session, run.id) is not None:
        raise Refused(N_("These results are approved. They change only by a correction or an appeal."))
    return run


def _title(competition: Competition, post: str, language: str) -> str:
    return next((in_language(one.title, language) for one in competition.posts if one.code == post), post)


def role_name(role: str, language: str) -> str:
    """A role's name for a page or a summary."""
    return sentence(language, ROLE_NAMES.get(role, role))

