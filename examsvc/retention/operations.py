"""Holding erasure back, ordering it by two, and carrying it out: everything of this stands in the log."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, Terms, ask, carries_out, line
from examsvc.accounts.models import ApprovalRequest
from examsvc.applications.models import Application
from examsvc.base import jobs
from examsvc.base.database import is_postgres, writing
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import day, in_language, sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import Retention
from examsvc.competitions.wording_procedure import DATA, THEN
from examsvc.ledger.models import Opening
from examsvc.ledger.operations import Sealed, record
from examsvc.retention import emptying, queries, rules, traces
from examsvc.retention.models import ErasedFile, Erasure, ErasureOrder, Hold

ORDER = "retention.erase"
JOB = "retention.erase"
STEP = "erase"
CAUSES = {
    "complaint": N_("a complaint, appeal or denunciation that is not decided"),
    "archive": N_("a duty to keep it for the archive"),
    "proceedings": N_("proceedings before a court or an inspectorate"),
    "window": N_("the time to contest the result is not over"),
    "reserve": N_("a place on the reserve list"),
}
MOST_AT_ONCE = 200
"""People erased in one transaction; the rest follows in the next."""


# ---------------------------------------------------------------- holds


def hold_back(
    session: Session,
    competition: Competition,
    application: Application | None,
    *,
    cause: str,
    reason: str,
    until: date | None,
    by: int,
    now: datetime,
    zone: ZoneInfo,
) -> Hold:
    """Puts the erasure of one candidate's data off, or (without an application) of everybody's.  One person may do it at
    once: to keep longer does no harm that cannot be undone."""
    if cause not in rules.HOLDS:
        raise Refused(N_("Choose why the data are kept."), field="cause")
    if not reason.strip():
        raise Refused(N_("Write the reason: which complaint, which duty, which file number."), field="reason")
    if until is not None and until < now.astimezone(zone).date():
        raise Refused(N_("The end lies in the past. Choose a later day."), field="until")
    if application is not None and application.competition_id != competition.id:
        raise NotFound()
    code = secrets.token_hex(8)
    made = Hold(
        competition_id=competition.id,
        application_id=application.id if application is not None else None,
        code=code,
        cause=cause,
        reason=reason.strip(),
        until=until,
        set_at=now,
        set_by_id=by,
    )
    session.add(made)
    session.flush()
    concerned = [application.code] if application is not None else _codes(session, competition) or [competition.slug]
    record(
        session,
        competition.slug,
        "erasure.held",
        now=now,
        by=accounts.account(session, by).code,
        hold=code,
        cause=cause,
        subjects=Sealed({"clause": cause, "subjects": concerned}),
    )
    return made


def _codes(session: Session, competition: Competition) -> list[str]:
    chosen = select(Application.code).where(Application.competition_id == competition.id).order_by(Application.code)
    return list(session.scalars(chosen))


def release(session: Session, held: Hold, *, by: int, now: datetime) -> None:
    """The cause is gone: from now on the schedule runs again for whom it held."""
    if held.released_at is not None:
        raise Refused(N_("This was released already."))
    held.released_at, held.released_by_id = now, by
    session.flush()
    competition = session.get_one(Competition, held.competition_id)
    record(
        session, competition.slug, "erasure.released", now=now, by=accounts.account(session, by).code, hold=held.code
    )


# ---------------------------------------------------------------- ordering


def terms(competition: Competition) -> Terms:
    """Who approves an erasure."""
    return competitions.approval_terms(competition, STEP)


def ask_erasure(
    session: Session,
    competition: Competition,
    rule_id: str,
    *,
    zone: ZoneInfo,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Proposes to erase, when it is time, the data of everybody whom this rule concerns and who is not ordered yet; another
    person approves.  It can be ordered before the day has come; those held back are among them and wait."""
    plan = _plan(session, competition, rule_id, zone=zone, now=now)
    wanted = _to_order(session, competition, plan)
    if plan.deadline is None or plan.deadline.day is None or plan.deadline.forecast:
        raise Refused(N_("The day from which this schedule counts has not come yet."))
    if not wanted:
        raise Refused(N_("Nobody is left whose erasure is not ordered."))
    return ask(
        session,
        kind=ORDER,
        entry_type="erasure.done",
        competition=competition.slug,
        lines=summary(competition, plan.rule, plan.deadline.day, wanted, language),
        arguments={"rule": rule_id, "due": plan.deadline.day.isoformat(), "subjects": sorted(wanted)},
        terms=terms(competition),
        by=by,
        now=now,
    )


def summary(competition: Competition, rule: Retention, due: date, wanted: Iterable[int], language: str) -> list[str]:
    """What both people read: what, of how many, from which day, under which clause.  No name stands in it."""
    return [
        line(language, N_("Erase in"), in_language(competition.title, language)),
        line(language, N_("What"), sentence(language, DATA[rule.data])),
        line(language, N_("Of how many people"), str(len(set(wanted)))),
        line(language, N_("Not before"), day(due)),
        line(language, N_("Then"), sentence(language, THEN[rule.then])),
        line(language, N_("Clause"), f"{rule.id}, {rule.source}"),
    ]


def _plan(
    session: Session, competition: Competition, rule_id: str, *, zone: ZoneInfo, now: datetime
) -> queries.Plan:
    found = next((one for one in queries.plans(session, competition, zone=zone, now=now) if one.rule.id == rule_id), None)
    if found is None:
        raise NotFound()
    return found


def _to_order(session: Session, competition: Competition, plan: queries.Plan) -> set[int]:
    """Whom the rule concerns and nobody ordered yet."""
    ordered = queries.ordered_applications(session, competition.id).get(plan.rule.id, set())
    return {
        row.application.id
        for row in plan.rows
        if row.application.id not in ordered and row.outlook.state in ("held", "waiting", "unordered")
    }


@carries_out(ORDER)
def order(session: Session, approved: Approved) -> None:
    """The order stands; the job carries it out when it is time.  Refused when whom or when it concerns has changed since."""
    competition = competitions.competition(session, approved.competition)
    plan = _plan(session, competition, str(approved.arguments["rule"]), zone=_zone(), now=approved.now)
    due = plan.deadline.day.isoformat() if plan.deadline is not None and plan.deadline.day is not None else None
    wanted = sorted(_to_order(session, competition, plan))
    if due != approved.arguments["due"] or wanted != approved.arguments["subjects"]:
        raise Refused(N_("Whom it concerns, or the day, has changed since it was proposed. Propose it again."))
    session.add(
        ErasureOrder(
            competition_id=competition.id,
            rule=plan.rule.id,
            applications=wanted,
            due_on=date.fromisoformat(due or ""),
            request_id=approved.request_id,
            at=approved.now,
        )
    )
    session.flush()
    jobs.ask_for(session, JOB, approved.now, competition=competition.id)


# ---------------------------------------------------------------- carrying out


_zones: list[ZoneInfo] = []


def configure(zone: ZoneInfo) -> None:
    """In whose days the schedule counts: the institution's."""
    _zones[:] = [zone]


def _zone() -> ZoneInfo:
    return _zones[0] if _zones else ZoneInfo("Asia/Ho_Chi_Minh")


def ask_daily(session: Session, now: datetime) -> None:
    """Every day, a job for each competition in which something is ordered that is not done yet."""
    for number in list(session.scalars(select(ErasureOrder.competition_id).distinct())):
        competition = session.get_one(Competition, number)
        open_ = [
            plan
            for plan in queries.plans(session, competition, zone=_zone(), now=now)
            if plan.count("due") or any(one.rewritten_at is None for one in queries.erasures(session, number))
        ]
        if open_:
            with writing(session):
                jobs.ask_for(session, JOB, now, competition=number)


@jobs.handles(JOB)
def do_job(session: Session, arguments: dict[str, int], now: datetime) -> None:
    """Erases what is due in one competition; safe to repeat."""
    erase_due(session, session.get_one(Competition, arguments["competition"]), zone=_zone(), now=now)


def erase_due(session: Session, competition: Competition, *, zone: ZoneInfo, now: datetime) -> list[Erasure]:
    """Erases everything that is due, ordered and not held; commits by itself, so many people at a time.

    Afterwards the whole database is searched for what leads to the people erased, and on SQLite the file is written anew, so that
    nothing is left in its free pages.
    """
    done: list[tuple[int, traces.Marks]] = []
    number = competition.id
    for plan in queries.plans(session, competition, zone=zone, now=now):
        while True:
            with writing(session):
                step = _erase_some(session, session.get_one(Competition, number), plan.rule.id, zone=zone, now=now)
            if step is None:
                break
            done.append(step)
    for erasure_id, marks in done:
        session.rollback()
        found = traces.search(session, marks)
        with writing(session):
            session.execute(update(Erasure).where(Erasure.id == erasure_id).values(traces=found))
    waiting = [one.id for one in queries.erasures(session, number) if one.rewritten_at is None]
    if waiting and rewrite(session):
        with writing(session):
            session.execute(update(Erasure).where(Erasure.id.in_(waiting)).values(rewritten_at=now))
    return [session.get_one(Erasure, erasure_id) for erasure_id, _ in done]


def _erase_some(
    session: Session, competition: Competition, rule_id: str, *, zone: ZoneInfo, now: datetime
) -> tuple[int, traces.Marks] | None:
    """One transaction: people of one standing under one order; None when nobody is due.

    Who is due is looked up under the lock, so that a hold entered a moment ago still holds.
    """
    plan = _plan(session, competition, rule_id, zone=zone, now=now)
    due = [row for row in plan.rows if row.outlook.state == "due"]
    if not due:
        return None
    ordered = next(
        one
        for one in queries.orders(session, competition.id)
        if one.rule == rule_id and due[0].application.id in one.applications
    )
    kind = rules.category([due[0].standing])
    chosen = [
        row
        for row in due
        if row.application.id in ordered.applications and rules.category([row.standing]) == kind
    ][:MOST_AT_ONCE]
    work = emptying.Work(session, competition, emptying.Tally(), now)
    here, gone, made = traces.NOTHING, traces.NOTHING, []
    codes = [row.application.code for row in chosen]
    for row in chosen:
        task = emptying.begin(work, row.application)
        kept = None
        if plan.rule.data == "accommodations":
            emptying.accommodations(task)
        elif plan.rule.data == "answers":
            emptying.answers(task)
        else:
            found = traces.marks_of(session, row.application)
            kept = emptying.file(task, row.standing)
            here |= found
            gone |= found if kept is None else traces.NOTHING
        made.append(ErasedFile(application_id=row.application.id, rule=rule_id, account_kept=kept))
    session.expire_all()
    emptying.sentences(work, here, gone)
    emptying.copies(work)
    approvals = [(vote.by.code, vote.at) for vote in ordered.request.votes]
    entry = record(
        session,
        competition.slug,
        "erasure.done",
        now=now,
        approvals=approvals,
        summary=Sealed({"type": ordered.request.entry_type, "lines": list(ordered.request.lines)}),
        category=kind,
        subjects=Sealed({"clause": rule_id, "subjects": codes}),
        count=len(codes),
        keys=work.tally.salts + 1,
    )
    session.execute(
        update(Opening)
        .where(Opening.entry_id == entry.id, Opening.type == "erasure.subjects")
        .values(content=None, salt=None, erased_at=now)
    )
    erasure = Erasure(
        order_id=ordered.id,
        at=now,
        people=len(codes),
        counts=dict(work.tally.rows),
        traces=[],
        entries=[entry.position],
        files=made,
    )
    session.add(erasure)
    session.flush()
    return erasure.id, gone


def rewrite(session: Session) -> bool:
    """Writes an SQLite file anew and empties its journal; False when readers were in the way, and it is tried again.

    A PostgreSQL server does that by itself (autovacuum), and its owner may hasten it (VACUUM FULL).
    """
    if is_postgres(session):
        return True
    session.rollback()
    bind = session.get_bind()
    connection = bind.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()
    return bool(busy is not None and busy[0] == 0)
