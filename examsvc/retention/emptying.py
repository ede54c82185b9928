"""What goes, table by table: everything of a person that a rule of the schedule is about, and what opens the log's commitments to it.

Rows that other rows rest on stay, emptied: the application with its code and candidate number, the attempt with its code and its
marks, the account with its code.  None of them says any more who that was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from examsvc.accounts import models as people
from examsvc.accounts.tries import password_subject, second_subject
from examsvc.applications import models as files
from examsvc.applications.accommodations import DECIDE as ACCOMMODATE
from examsvc.applications.models import Application
from examsvc.base.database import Base
from examsvc.base.jobs import Job
from examsvc.base.messages import KIND as MAIL
from examsvc.base.messages import Message
from examsvc.careers.models import Discipline, Service
from examsvc.competitions.models import Competition
from examsvc.ledger.bundle import RESTRICTED
from examsvc.ledger.models import FrozenBundle, LogEntry, Opening
from examsvc.marking import models as marking
from examsvc.retention.models import ErasedFile, Hold
from examsvc.retention.rules import Standing
from examsvc.retention.traces import Marks
from examsvc.sittings import models as sittings
from examsvc.sittings.arrival import try_subject

BLANK = "–"
"""What stands where a text must not be empty."""

FILE_OBJECTS = (
    "person.identity",
    "person.relation",
    "person.contact",
    "application.identity",
    "application.file",
    "application.plan",
    "application.request",
    "application.eligibility",
    "attempt.arrival",
    "appeal.file",
    "approval.summary",
    "reason",
)
"""Objects in the log that belong to a candidate's file."""
ACCOMMODATION_OBJECTS = ("application.accommodation",)
ANSWER_OBJECTS = (
    "attempt.candidate",
    "attempt.terms",
    "attempt.answers",
    "attempt.move",
    "attempt.credit",
    "attempt.grant",
    "incident.report",
    "sanction",
    "blind.pair",
    "plan.pair",
    "remark.pair",
    "score.shown",
    "hearing.candidate",
    "hearing.sheet",
    "hearing.settlement",
    "appeal.ruling",
    "remark.settlement",
)
"""Objects in the log that belong to what a candidate did in the exam, and to who that was."""
SPEAKING_OBJECTS = (
    "approval.summary",
    "reason",
    "person.relation",
    "person.contact",
    "incident.report",
    "sanction",
    "attempt.credit",
    "attempt.grant",
    "attempt.move",
    "appeal.ruling",
    "erasure.subjects",
)
"""Objects in which somebody wrote sentences, so that anybody's name may stand in them."""


@dataclass
class Tally:
    """Rows deleted or emptied, by table, and salts destroyed."""

    rows: Counter[str] = field(default_factory=Counter)
    salts: int = 0

    def add(self, model: type[Base], rows: int) -> None:
        if rows:
            self.rows[model.__tablename__] += rows


@dataclass(frozen=True)
class Work:
    """Erasing in one competition, and what was done so far."""

    session: Session
    competition: Competition
    tally: Tally
    now: datetime

    def drop(self, model: type[Base], *where: ColumnElement[bool]) -> None:
        self.tally.add(model, self.session.execute(delete(model).where(*where)).rowcount)  # type: ignore[attr-defined]

    def empty(self, model: type[Base], *where: ColumnElement[bool], **values: Any) -> None:
        done = self.session.execute(update(model).where(*where).values(**values))
        self.tally.add(model, done.rowcount)  # type: ignore[attr-defined]

    def unsay(self, marks: Marks, column: InstrumentedAttribute[Any], *where: ColumnElement[bool]) -> None:
        """Takes these marks out of one column of sentences."""
        for row in self.session.scalars(select(column.class_).where(*where, column.is_not(None))):
            value = getattr(row, column.key)
            if marks.found_in(value):
                setattr(row, column.key, marks.without(value))
                self.tally.add(type(row), 1)
        self.session.flush()

    def forget(self, types: Collection[str], matches: Callable[[Opening], bool], *where: ColumnElement[bool]) -> None:
        """Destroys salt and content of what opens the log's commitments to these objects."""
        chosen = [
            one.id
            for one in self.session.scalars(
                select(Opening).where(Opening.type.in_(types), Opening.erased_at.is_(None), *where)
            )
            if matches(one)
        ]
        for place in range(0, len(chosen), 500):
            self.session.execute(
                update(Opening)
                .where(Opening.id.in_(chosen[place : place + 500]))
                .values(content=None, salt=None, erased_at=self.now)
            )
        self.tally.salts += len(chosen)
        self.tally.add(Opening, len(chosen))

    @property
    def in_log(self) -> ColumnElement[bool]:
        """Openings of this competition's log."""
        return Opening.entry_id.in_(select(LogEntry.id).where(LogEntry.log == self.competition.slug))


@dataclass(frozen=True)
class Task(Work):
    """The same for one application whose data go now."""

    application: Application


def begin(work: Work, application: Application) -> Task:
    return Task(work.session, work.competition, work.tally, work.now, application)


def copies(work: Work) -> None:
    """Restricted editions hold what is erased now: their bytes go, digest and entry stay; they can be made again without it."""
    kept = FrozenBundle.erased_at.is_(None)
    restricted = FrozenBundle.kind == RESTRICTED
    log = FrozenBundle.log == work.competition.slug
    work.empty(FrozenBundle, log, restricted, kept, content=None, erased_at=work.now)


# ---------------------------------------------------------------- the file


def file(task: Task, standing: Standing) -> str | None:
    """The candidate's file, what was written to and about the person, and the account where nothing else needs it.

    Returns why the account stays: "role", "application", "personnel" (the office's own service record) or "winner"; None when it is
    emptied too.
    """
    application, account = task.application, task.application.account
    of_file = files.FileVersion.application_id == application.id
    task.drop(files.FileVersion, of_file)
    task.drop(files.Signature, files.Signature.application_id == application.id)
    task.drop(files.DeclaredRelative, files.DeclaredRelative.application_id == application.id)
    task.empty(
        files.Submission,
        files.Submission.application_id == application.id,
        content={},
        file_ids=[],
        supplement_id=None,
    )
    task.drop(files.SupplementRequest, files.SupplementRequest.application_id == application.id)
    finding = files.EligibilityFinding
    task.drop(finding, finding.application_id == application.id, finding.criterion != "")
    task.empty(finding, finding.application_id == application.id, reason=BLANK, evidence=None)
    task.empty(Application, Application.id == application.id, answers={})
    task.empty(Hold, Hold.application_id == application.id, reason=BLANK)
    task.drop(
        sittings.PracticeAttempt,
        sittings.PracticeAttempt.account_id == account.id,
        sittings.PracticeAttempt.competition_id == task.competition.id,
    )
    _hall(task)
    slug = task.competition.slug
    _letters(task, or_(Message.account_id == account.id, Message.email == account.email), Message.competition == slug)
    kept = keeps_account(task.session, application, standing)
    _log(task, everywhere=kept is None)
    if kept is None:
        _account(task)
    return kept


def _hall(task: Task) -> None:
    """One-time codes, sessions and machines of exam day; room staff's names for places stay."""
    attempt = sittings.Attempt
    mine = attempt.application_id == task.application.id
    codes = list(task.session.scalars(select(attempt.code).where(mine)))
    task.empty(attempt, mine, code_hash=None, code_place=None, machine=None, lease=None)
    task.drop(people.SignInSession, people.SignInSession.subject.in_(codes))
    task.drop(
        people.SignInTry,
        people.SignInTry.subject == try_subject(task.competition, task.application.candidate_number or "\0"),
    )


def _letters(task: Task, *where: ColumnElement[bool]) -> None:
    """Messages and what stands in the queue of the mail server."""
    numbers = list(task.session.scalars(select(Message.id).where(*where)))
    for place in range(0, len(numbers), 500):
        chosen = numbers[place : place + 500]
        task.drop(Job, Job.kind == MAIL, Job.arguments["message"].as_integer().in_(chosen))
        task.drop(Message, Message.id.in_(chosen))


def keeps_account(session: Session, application: Application, standing: Standing) -> str | None:
    """Why the account outlives this application: what else the person is here."""
    account = application.account
    if standing == "chosen":
        return "winner"
    if session.scalar(
        select(people.RoleGrant.id).where(people.RoleGrant.account_id == account.id).limit(1)
    ):
        return "role"
    gone = select(ErasedFile.application_id).where(ErasedFile.application_id == Application.id)
    others = select(Application.id).where(
        Application.account_id == account.id, Application.id != application.id, ~gone.exists()
    )
    if session.scalar(others.limit(1)):
        return "application"
    for model in (Service, Discipline):
        if session.scalar(select(model.id).where(model.account_id == account.id).limit(1)):
            return "personnel"
    return None


def _account(task: Task) -> None:
    """Name, address, identity and every way to sign in; the random code stays, since the log speaks of it."""
    account = task.application.account
    number, address = account.id, account.email
    factors = select(people.SecondFactor.id).where(people.SecondFactor.account_id == number)
    recoveries = select(people.Recovery.id).where(people.Recovery.account_id == number)
    task.drop(people.PrintedCode, people.PrintedCode.factor_id.in_(factors))
    task.drop(people.SecondFactor, people.SecondFactor.account_id == number)
    task.drop(people.PasswordLink, people.PasswordLink.account_id == number)
    task.drop(people.RecoveryPart, people.RecoveryPart.recovery_id.in_(recoveries))
    task.drop(people.Recovery, people.Recovery.account_id == number)
    task.drop(people.SignInSession, people.SignInSession.account_id == number)
    task.drop(people.SignInTry, people.SignInTry.subject.in_((password_subject(address), second_subject(number))))
    task.empty(people.Relation, people.Relation.other_id == number, other_name=None, other_digest=None)
    if account.identity_digest is not None:
        relation = people.Relation
        task.empty(
            relation,
            relation.other_digest == account.identity_digest,
            relation.person_id != number,
            other_id=number,
            other_digest=None,
            other_name=None,
        )
        relative = files.DeclaredRelative
        task.empty(relative, relative.identity_digest == account.identity_digest, identity_digest=None)
    _letters(task, or_(Message.account_id == number, Message.email == address))
    task.drop(sittings.PracticeAttempt, sittings.PracticeAttempt.account_id == number)
    task.empty(
        people.Account,
        people.Account.id == number,
        name=BLANK,
        email=f"{account.code}@erased.invalid",
        password_hash=None,
        birth_date=None,
        identity_digest=None,
        disabled_at=func.coalesce(people.Account.disabled_at, task.now),
    )
    task.session.expire(account)


def _log(task: Task, *, everywhere: bool) -> None:
    """What opens commitments to the file: in this log, or in every one where the account goes too."""
    of_person = Opening.subject == task.application.account.code
    task.forget(FILE_OBJECTS, lambda one: True, of_person, *(() if everywhere else (task.in_log,)))
    task.forget(
        ("erasure.subjects",),
        lambda one: one.content is not None and one.content["subjects"] == [task.application.code],
        task.in_log,
    )


# ---------------------------------------------------------------- sentences about people


def sentences(work: Work, here: Marks, everywhere: Marks) -> None:
    """What the office wrote about people in its own words: the marks that lead to them are taken out, the rest stays.

    ``here`` are marks of all who are erased now, looked for in this competition; ``everywhere`` those of whom nothing else
    remains in the installation.
    """
    for marks, everything in ((here, False), (everywhere, True)):
        if marks.strings:
            _log_speaks(work, marks, everything=everything)
            _requests_and_letters(work, marks, everything=everything)
    if here.strings:
        _about_people(work, here)
        _hall_and_desk(work, here)
    if everywhere.strings:
        work.unsay(everywhere, people.Relation.other_name)
        work.unsay(everywhere, Job.error, Job.kind == MAIL)


def _log_speaks(work: Work, marks: Marks, *, everything: bool) -> None:
    where = () if everything else (work.in_log,)
    work.forget(SPEAKING_OBJECTS, lambda one: marks.found_in(one.content), *where)


def _requests_and_letters(work: Work, marks: Marks, *, everything: bool) -> None:
    request, slug = people.ApprovalRequest, work.competition.slug
    of_competition = () if everything else (request.competition == slug,)
    for column in (request.lines, request.arguments, request.reason):
        work.unsay(marks, column, *of_competition)
    of_letter = () if everything else (Message.competition == slug,)
    for letter in (Message.subject, Message.body):
        work.unsay(marks, letter, *of_letter)


def _about_people(work: Work, marks: Marks) -> None:
    slug = work.competition.slug
    work.unsay(marks, people.Recusal.reason, people.Recusal.competition == slug)
    work.unsay(marks, people.Declaration.statement, people.Declaration.competition == slug)
    work.unsay(marks, people.GrantSuspension.lift_reason, people.GrantSuspension.competition == slug)


def _hall_and_desk(work: Work, marks: Marks) -> None:
    number = work.competition.id
    in_sitting = select(sittings.Sitting.id).where(sittings.Sitting.competition_id == number)
    attempts = select(sittings.Attempt.id).where(sittings.Attempt.sitting_id.in_(in_sitting))
    rooms = select(sittings.Room.id).where(sittings.Room.sitting_id.in_(in_sitting))
    scripts = select(marking.Script.id).where(marking.Script.competition_id == number)
    allocations = select(marking.Allocation.id).where(marking.Allocation.script_id.in_(scripts))
    hearings = select(marking.Hearing.id).where(marking.Hearing.competition_id == number)
    seats = select(marking.PanelSeat.id).where(marking.PanelSeat.hearing_id.in_(hearings))
    places: tuple[tuple[InstrumentedAttribute[Any], ColumnElement[bool]], ...] = (
        (sittings.Incident.description, sittings.Incident.sitting_id.in_(in_sitting)),
        (sittings.Incident.signed, sittings.Incident.sitting_id.in_(in_sitting)),
        (sittings.SanctionRecord.reason, sittings.SanctionRecord.attempt_id.in_(attempts)),
        (sittings.SanctionRecord.lifted_reason, sittings.SanctionRecord.attempt_id.in_(attempts)),
        (sittings.Credit.reason, sittings.Credit.attempt_id.in_(attempts)),
        (sittings.LateDecision.reason, sittings.LateDecision.attempt_id.in_(attempts)),
        (sittings.SecondAttempt.reason, sittings.SecondAttempt.previous_id.in_(attempts)),
        (sittings.Pause.reason, or_(sittings.Pause.attempt_id.in_(attempts), sittings.Pause.room_id.in_(rooms))),
        (sittings.RoomNotice.content, sittings.RoomNotice.sitting_id.in_(in_sitting)),
        (marking.Allocation.draft, marking.Allocation.script_id.in_(scripts)),
        (marking.Sheet.comment, marking.Sheet.allocation_id.in_(allocations)),
        (marking.Sheet.reason, marking.Sheet.allocation_id.in_(allocations)),
        (marking.Agreement.reason, marking.Agreement.script_id.in_(scripts)),
        (marking.Settlement.reason, marking.Settlement.script_id.in_(scripts)),
        (marking.PanelSeat.reason, marking.PanelSeat.hearing_id.in_(hearings)),
        (marking.PanelSeat.draft, marking.PanelSeat.hearing_id.in_(hearings)),
        (marking.PanelSheet.comments, marking.PanelSheet.seat_id.in_(seats)),
        (marking.PanelSheet.explanation, marking.PanelSheet.seat_id.in_(seats)),
        (marking.HearingSettlement.reason, marking.HearingSettlement.hearing_id.in_(hearings)),
        (Hold.reason, Hold.competition_id == number),
    )
    for column, where in places:
        work.unsay(marks, column, where)


# ---------------------------------------------------------------- accommodations


def accommodations(task: Task) -> None:
    """What the candidate asked for because of health, its evidence, and what was granted."""
    request = files.AccommodationRequest
    mine = request.application_id == task.application.id
    numbers = select(request.id).where(mine)
    task.drop(files.AccommodationEvidence, files.AccommodationEvidence.request_id.in_(numbers))
    task.drop(files.AccommodationDecision, files.AccommodationDecision.request_id.in_(numbers))
    own = {one for one, in task.session.execute(numbers)}
    task.drop(request, mine)
    task.empty(sittings.Seat, sittings.Seat.application_id == task.application.id, arrangements=None)
    task.forget(ACCOMMODATION_OBJECTS, lambda one: True, Opening.subject == task.application.account.code, task.in_log)
    asked = people.ApprovalRequest
    for one in task.session.scalars(
        select(asked).where(asked.competition == task.competition.slug, asked.kind == ACCOMMODATE)
    ):
        if one.arguments.get("request") in own:
            one.lines, one.arguments, one.reason = [BLANK], {}, None
            task.tally.add(asked, 1)
    task.session.flush()


# ---------------------------------------------------------------- answers


def answers(task: Task) -> None:
    """What was written in the exam, what was said about it, and what in the log leads from it to the candidate.

    Marks stay under attempt codes, script codes and candidate numbers: they are the result, which has a rule of its own.
    """
    attempt, script, hearing = sittings.Attempt, marking.Script, marking.Hearing
    number = task.application.id
    attempts = select(attempt.id).where(attempt.application_id == number)
    scripts = _scripts(task)
    allocations = select(marking.Allocation.id).where(marking.Allocation.script_id.in_(scripts))
    hearings = select(hearing.id).where(hearing.application_id == number)
    seats = select(marking.PanelSeat.id).where(marking.PanelSeat.hearing_id.in_(hearings))
    codes = {
        *task.session.scalars(select(attempt.code).where(attempt.application_id == number)),
        *task.session.scalars(select(script.code).where(script.id.in_(scripts))),
        *task.session.scalars(select(hearing.code).where(hearing.application_id == number)),
    }
    save = sittings.Save
    task.empty(
        save,
        save.attempt_id.in_(attempts),
        save.erased_at.is_(None),
        value=None,
        digest=None,
        client_time=None,
        salt=None,
        erased_at=task.now,
    )
    task.empty(attempt, attempt.application_id == number, receipt=None)
    task.empty(script, script.id.in_(scripts), content="")
    task.empty(marking.Allocation, marking.Allocation.script_id.in_(scripts), draft=None)
    task.empty(marking.Sheet, marking.Sheet.allocation_id.in_(allocations), comment="", reason=None)
    task.empty(marking.Agreement, marking.Agreement.script_id.in_(scripts), reason=BLANK)
    task.empty(marking.Settlement, marking.Settlement.script_id.in_(scripts), reason=None)
    task.empty(marking.PanelSeat, marking.PanelSeat.hearing_id.in_(hearings), draft=None)
    task.empty(marking.PanelSheet, marking.PanelSheet.seat_id.in_(seats), comments={}, explanation=None)
    task.empty(marking.HearingSettlement, marking.HearingSettlement.hearing_id.in_(hearings), reason=None)
    task.empty(sittings.Incident, sittings.Incident.attempt_id.in_(attempts), description=BLANK, signed=[])
    for model in (sittings.SanctionRecord, sittings.Credit, sittings.LateDecision):
        task.empty(model, model.attempt_id.in_(attempts), reason=BLANK)
    task.empty(sittings.SanctionRecord, sittings.SanctionRecord.attempt_id.in_(attempts), lifted_reason=None)
    task.empty(sittings.SecondAttempt, sittings.SecondAttempt.previous_id.in_(attempts), reason=BLANK)
    subject, candidate = task.application.account.code, task.application.candidate_number

    def concerns(one: Opening) -> bool:
        said = one.content or {}
        named = {said.get(name) for name in ("attempt", "script", "hearing", "old")} & codes
        return one.subject == subject or bool(named) or (candidate is not None and said.get("candidate") == candidate)

    task.forget(ANSWER_OBJECTS, concerns, task.in_log)


def _scripts(task: Task) -> list[int]:
    """The scripts of the application.  While their code map is closed nobody knows which they are: then they are found by their text,
    which is that of an answer."""
    script, save = marking.Script, sittings.Save
    attempts = select(sittings.Attempt.id).where(sittings.Attempt.application_id == task.application.id)
    found = set(task.session.scalars(select(script.id).where(script.attempt_id.in_(attempts))))
    values = task.session.scalars(select(save.value).where(save.attempt_id.in_(attempts), save.value.is_not(None)))
    texts = {str(value.get("RESPONSE", "")) for value in values if value} - {""}
    blind = select(script.id, script.content).where(
        script.competition_id == task.competition.id, script.attempt_id.is_(None), script.content != ""
    )
    found |= {number for number, content in task.session.execute(blind) if content in texts}
    return sorted(found)
