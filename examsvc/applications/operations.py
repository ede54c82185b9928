"""What a candidate does with his or her application."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import operations as accounts
from examsvc.accounts import relations
from examsvc.accounts.models import Account
from examsvc.accounts.rules import RELATION_NAMES
from examsvc.applications import handing_in, notices, queries, questions, rounds, rules
from examsvc.applications.models import (
    Application,
    DeclaredRelative,
    FileVersion,
    Signature,
    Submission,
    SupplementRequest,
)
from examsvc.applications.uploads import Upload
from examsvc.base.database import advisory_lock
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition, Post
from examsvc.ledger.operations import record

YOUNGEST = 16
MOST_RELATIVES = 20


def start_application(
    session: Session,
    competition: Competition,
    post: Post,
    *,
    account_id: int,
    now: datetime,
    stream: str | None = None,
) -> Application:
    """Begins a file for a post; ``stream`` may be left out where the regulation has one way in only."""
    if post.competition_id != competition.id:
        raise NotFound()
    rounds.require_open(session, post, now)
    regulation = competitions.regulation(competition)
    if stream is None and len(regulation.admission.streams) == 1:
        stream = regulation.admission.streams[0].id
    if stream not in {one.id for one in regulation.admission.streams}:
        raise Refused(N_("Choose how you come to the competition."), field="stream")
    advisory_lock(session, f"applications of {account_id}")
    mine = queries.all_of_account(session, competition.id, account_id)
    if any(one.post_id == post.id for one in mine):
        raise Refused(N_("You have a file for this post already. Open it on your page."), field="post")
    going_on = [one for one in mine if one.withdrawn_at is None]
    most = regulation.posts.posts_per_candidate
    if len(going_on) >= most:
        raise Refused(
            N_("One person may apply for %(most)d post(s) here, and you have begun as many files. Open yours on your page."),
            most=most,
            field="post",
        )
    application = Application(
        code=secrets.token_hex(8),
        competition_id=competition.id,
        post_id=post.id,
        account_id=account_id,
        stream=stream,
        answers={},
        started_at=now,
        changed_at=now,
    )
    session.add(application)
    session.flush()
    return application


def _may_change(session: Session, application: Application, now: datetime) -> None:
    if application.withdrawn_at is not None:
        raise Refused(N_("This application was withdrawn."))
    rounds.require_open(session, application.post, now)
    application.changed_at = now


# ---------------------------------------------------------------- filling the file


def save_details(
    session: Session,
    application: Application,
    answers: Mapping[str, Any],
    *,
    now: datetime,
    today: date,
    birth_date: date | None = None,
    identity: str | None = None,
    stream: str | None = None,
) -> None:
    """Keeps the candidate's details: each answer as ``questions.read`` takes it; answers not asked are refused.

    ``identity`` is the keyed digest of the identity number.  What is left out stays as it was.
    """
    _may_change(session, application, now)
    regulation = competitions.regulation(application.competition)
    if stream is not None:
        if stream not in {one.id for one in regulation.admission.streams}:
            raise Refused(N_("Choose how you come to the competition."), field="stream")
        application.stream = stream
    asked = {one.name: one for one in questions.asked(regulation, application.stream)}
    kept = dict(application.answers)
    for name, value in answers.items():
        if name not in asked:
            raise Refused(N_("This competition does not ask for that."), field=name)
        try:
            kept[name] = questions.read(asked[name], value, regulation, today)
        except questions.AnswerError as error:
            raise Refused(str(error), field=name) from None
    for name, question in asked.items():
        if not questions.is_asked(question, kept):
            kept.pop(name, None)
    application.answers = {name: value for name, value in kept.items() if name in asked or name == "relatives"}
    if birth_date is not None:
        _keep_birth(application.account, birth_date, today)
    if identity is not None:
        accounts.set_identity(session, application.account_id, identity)
    session.flush()


def _keep_birth(account: Account, birth: date, today: date) -> None:
    try:
        questions.read_date(birth, today)
    except questions.AnswerError as error:
        raise Refused(str(error), field="birth_date") from None
    if (today.year - birth.year, today.month, today.day) < (YOUNGEST, birth.month, birth.day):
        raise Refused(N_("Check the year of your birth: this would make you younger than 16."), field="birth_date")
    account.birth_date = birth


def answer_relatives(session: Session, application: Application, *, any_close: bool, now: datetime) -> None:
    """Whether somebody close to the candidate sits on the boards or may come on them."""
    _may_change(session, application, now)
    if not any_close and any(one.taken_back_at is None for one in application.relatives):
        raise Refused(N_("You named somebody below. Take that back first, or answer yes."), field="any_close")
    application.answers = {**application.answers, "relatives": "yes" if any_close else "no"}
    session.flush()


def declare_relative(
    session: Session,
    application: Application,
    *,
    name: str,
    kind: str,
    now: datetime,
    unit: str = "",
    identity: str | None = None,
) -> DeclaredRelative:
    """The candidate names somebody close; ``kind`` is what that person is to the candidate, ``identity`` a keyed digest."""
    _may_change(session, application, now)
    if not name.strip():
        raise Refused(N_("Enter the person's name."), field="name")
    if kind not in RELATION_NAMES or kind == "self":
        raise Refused(N_("Choose the relation from the list."), field="kind")
    if sum(one.taken_back_at is None for one in application.relatives) >= MOST_RELATIVES:
        raise Refused(N_("You named as many people as fit here. Write to the office about further ones."))
    one = DeclaredRelative(
        name=name.strip(), unit=unit.strip(), kind=kind, identity_digest=identity, declared_at=now
    )
    application.relatives.append(one)
    application.answers = {**application.answers, "relatives": "yes"}
    session.flush()
    return one


def take_back_relative(session: Session, application: Application, number: int, *, now: datetime) -> None:
    """Takes back a person named by mistake; what was handed in with an earlier version stays there."""
    _may_change(session, application, now)
    found = next((one for one in application.relatives if one.id == number and one.taken_back_at is None), None)
    if found is None:
        raise NotFound()
    found.taken_back_at = now
    session.flush()


def sign(session: Session, application: Application, criterion: str, *, typed: str, now: datetime) -> None:
    """Signs a statement of the regulation by typing one's own name; signing again changes nothing."""
    _may_change(session, application, now)
    regulation = competitions.regulation(application.competition)
    found = next((one for one in rules.declarations(regulation, application.stream) if one.id == criterion), None)
    if found is None:
        raise NotFound()
    if not rules.signs(typed, application.account.name):
        raise Refused(
            N_("Type your full name as it stands in your account: %(name)s."), name=application.account.name, field=criterion
        )
    if any(one.criterion == criterion for one in application.signatures):
        return
    application.signatures.append(
        Signature(criterion=criterion, statement=found.statement.model_dump(), typed=typed.strip(), at=now)
    )
    session.flush()


def keep_file(
    session: Session, application: Application, kind: str, upload: Upload, *, now: datetime
) -> FileVersion:
    """Keeps a checked upload as the newest version of one of the regulation's files."""
    supplement = queries.open_supplement(application, now)
    if application.withdrawn_at is not None:
        raise Refused(N_("This application was withdrawn."))
    if supplement is None or kind not in {item.get("file") for item in supplement.items}:
        supplement = None
        _may_change(session, application, now)
    regulation = competitions.regulation(application.competition)
    rule = next((one for one in rules.files_asked(regulation, application.stream) if one.id == kind), None)
    if rule is None:
        raise NotFound()
    if upload.format not in rule.formats or upload.size > rule.max_bytes:
        raise Refused(N_("This file does not fit what the regulation asks here. Choose another one."), field="file")
    advisory_lock(session, f"files of {application.id}")
    session.expire(application, ["files"])
    before = [one for one in application.files if one.kind == kind]
    current = next((one for one in before if one.taken_back_at is None), None)
    if current is not None and current.digest == upload.digest:
        return current
    if current is not None:
        current.taken_back_at = now
    version = FileVersion(
        kind=kind,
        number=max((one.number for one in before), default=0) + 1,
        name=upload.name,
        media_type=upload.media_type,
        size=upload.size,
        digest=upload.digest,
        content=upload.content,
        uploaded_at=now,
        facts=dict(upload.facts),
        supplement_id=supplement.id if supplement is not None else None,
    )
    application.files.append(version)
    application.changed_at = now
    session.flush()
    return version


def take_back_file(session: Session, application: Application, kind: str, *, now: datetime) -> None:
    """The file counts no longer; its versions stay visible to the candidate and, where handed in, to the office."""
    _may_change(session, application, now)
    current = queries.current_files(application).get(kind)
    if current is None:
        raise NotFound()
    current.taken_back_at = now
    session.flush()


# ---------------------------------------------------------------- handing in


def submit_application(session: Session, application: Application, *, now: datetime) -> str:
    """Hands the file in, or hands in a new version of it, and gives the candidate number.

    Handing in twice what has not changed is one submission.  Refused while something is missing, naming the first thing.
    """
    _may_change(session, application, now)
    advisory_lock(session, f"files of {application.id}")
    session.refresh(application)
    if application.submissions and not changed_since(application):
        assert application.candidate_number is not None
        return application.candidate_number
    lacks = queries.lacks(application)
    if lacks:
        raise Refused(
            N_("Your file is not complete: %(count)d thing(s) are missing. They are listed on your page."), count=len(lacks)
        )
    if application.candidate_number is None:
        advisory_lock(session, f"candidate numbers of {application.competition_id}")
        taken = set(
            session.scalars(
                select(Application.candidate_number).where(
                    Application.competition_id == application.competition_id,
                    Application.candidate_number.is_not(None),
                )
            )
        )
        application.candidate_number = rules.candidate_number(application.code, {one for one in taken if one})
        application.submitted_at = now
        session.flush()
    made = handing_in.keep_submission(session, application, now=now)
    notices.received(session, application, made, now)
    settle_relatives(session, application, now=now)
    assert application.candidate_number is not None
    return application.candidate_number


def changed_since(application: Application) -> bool:
    """Whether the file differs from what was handed in last."""
    newest = application.submissions[-1]
    files = sorted(one.id for one in queries.current_files(application).values())
    if files != sorted(newest.file_ids):
        return True
    content = newest.content
    birth = application.account.birth_date
    now = {
        "born": birth.isoformat() if birth is not None else None,
        "stream": application.stream,
        "answers": {key: value for key, value in application.answers.items() if value not in (None, "")},
        "signatures": [one.criterion for one in application.signatures],
        "relatives": [[one.name, one.unit, one.kind] for one in application.relatives if one.taken_back_at is None],
    }
    before = {
        "born": content["born"],
        "stream": content["stream"],
        "answers": content["answers"],
        "signatures": [one["criterion"] for one in content["signatures"]],
        "relatives": [[one["name"], one["unit"], one["kind"]] for one in content["relatives"]],
    }
    return now != before


def withdraw_application(session: Session, application: Application, *, now: datetime) -> None:
    """The candidate takes no further part for this post; final."""
    if application.withdrawn_at is not None:
        return
    rounds.settle(session, application.competition, now)
    application.withdrawn_at = now
    session.flush()
    if application.submissions:
        record(
            session,
            application.competition.slug,
            "application.withdrawn",
            now=now,
            by=application.code,
            posts=[application.post.code],
            application=application.code,
        )
        notices.withdrawn(session, application, now)


def hand_in_supplement(
    session: Session, application: Application, request: SupplementRequest, *, answer: str, now: datetime
) -> Submission:
    """Hands in what personnel asked for; before the deadline, once."""
    if application.withdrawn_at is not None:
        raise Refused(N_("This application was withdrawn."))
    advisory_lock(session, f"files of {application.id}")
    session.refresh(request)
    if request.answered_at is not None:
        return next(one for one in application.submissions if one.supplement_id == request.id)
    if now >= request.deadline:
        raise Refused(N_("The time for this supplement is over. Your file was kept as it is."))
    uploaded = {one.kind for one in application.files if one.supplement_id == request.id and one.taken_back_at is None}
    lacking = [item for item in request.items if item.get("file") and item["file"] not in uploaded]
    if lacking:
        raise Refused(N_("Upload every file that was asked for first."), field="file")
    if not uploaded and not answer.strip():
        raise Refused(N_("Write your answer to what was asked."), field="answer")
    request.answered_at, request.answer = now, answer.strip() or None
    session.flush()
    return handing_in.keep_submission(session, application, now=now, supplement=request)


# ---------------------------------------------------------------- relatives

_INVERSE = {
    "spouse": "spouse",
    "parent": "child",
    "child": "parent",
    "adopted-child": "parent",
    "sibling": "sibling",
    "superior": "subordinate",
    "subordinate": "superior",
    "rival": "rival",
    "business-partner": "business-partner",
    "other-close-tie": "other-close-tie",
}
"""What the candidate is to somebody who is … to the candidate, where that can be said without knowing an account."""


def settle_relatives(session: Session, application: Application, *, now: datetime) -> None:
    """Enters the ties that the candidate declared and looks anew at everybody who holds a role in this competition."""
    for one in application.relatives:
        if one.taken_back_at is None:
            _note(session, application, one, now)
    relations.check_candidate(session, application.competition.slug, application.account_id, now=now)


def _note(session: Session, application: Application, one: DeclaredRelative, now: datetime) -> None:
    known = one.account_id
    if known is None and one.identity_digest is not None:
        known = session.scalar(select(Account.id).where(Account.identity_digest == one.identity_digest))
    if known is not None and known != application.account_id:
        relations.note_relation(
            session,
            person_id=known,
            kind=one.kind,
            other_id=application.account_id,
            declared_by=application.account_id,
            now=now,
        )
    elif one.identity_digest is not None and one.kind in _INVERSE:
        if one.identity_digest == application.account.identity_digest:
            return
        relations.note_relation(
            session,
            person_id=application.account_id,
            kind=_INVERSE[one.kind],
            other_digest=one.identity_digest,
            other_name=one.name,
            declared_by=application.account_id,
            now=now,
        )
