"""No high-value step by one person alone: every step of a whole competition is tried in the ways in which it must fail."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from examsvc.accounts import approvals, queries, roles
from examsvc.accounts import operations as accounts
from examsvc.accounts.models import ApprovalRequest, RoleGrant
from examsvc.applications import exporting
from examsvc.applications import queries as files
from examsvc.applications.models import Application, Submission
from examsvc.base.errors import NotAllowed, NotFound, Refused
from examsvc.competitions import operations as course
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import Approval, read_preset
from examsvc.demonstration.applying import ZONE
from examsvc.ledger import queries as ledger
from examsvc.ledger.operations import REGISTRY
from examsvc.marking.models import ObjectiveMark, Settlement, StageLock
from examsvc.papers import bank_exports, corrections
from examsvc.papers import queries as papers
from examsvc.papers.models import Bank, CustodianKey, Form
from examsvc.results import editions
from examsvc.results import queries as results
from examsvc.results.models import ScoreRun
from examsvc.retention import operations as retention
from examsvc.sittings import conduct
from examsvc.sittings.models import Incident
from tests import exam_hall
from tests.ledger.local_witnesses import install
from tests.retention.planted import led

HIGH_VALUE = {
    # roles
    "accounts.grant-role",
    "accounts.delegate-role",
    "accounts.revoke-role",
    # the competition itself
    "competitions.open",
    "competitions.pin",
    "competitions.publish-notice",
    "applications.decide",
    "applications.list",
    # papers
    "papers.custodians",
    "papers.approve",
    # marks, their moderation and their lock
    "marking.allocate",
    "marking.lock",
    "marking.unblind",
    "marking.order",
    "papers.neutralise",
    "sittings.sanction",
    # publication and export
    "results.vote",
    "results.approve",
    "results.publish",
    "results.release-bundle",
    "applications.export",
    "papers.export-bank",
    "retention.erase",
}


def newest_run(session: Session) -> ScoreRun:
    return session.scalars(select(ScoreRun).order_by(ScoreRun.id.desc()).limit(1)).one()


def computed_again(session: Session, request: ApprovalRequest, now: Any) -> None:
    run = newest_run(session)
    kept = ("competition_id", "digest", "inputs_digest", "inputs", "outcome", "commitments", "release", "at", "by_id")
    session.add(ScoreRun(number=run.number + 1, **{name: getattr(run, name) for name in kept}))


def other_title(session: Session, request: ApprovalRequest, now: Any) -> None:
    session.execute(update(Competition).values(title={"vi": "Kỳ thi khác", "en": "Another competition"}))


def witnesses_swapped(session: Session, request: ApprovalRequest, now: Any) -> None:
    (competition,) = session.scalars(select(Competition)).all()
    names = sorted(competition.witness_keys)
    turned = [*names[1:], names[0]]
    competition.witness_keys = {name: competition.witness_keys[other] for name, other in zip(names, turned, strict=True)}


def another_version(session: Session, request: ApprovalRequest, now: Any) -> None:
    number = request.arguments["files"][0]["application"]
    session.execute(update(Submission).where(Submission.application_id == number).values(version=99))


def one_withdraws(session: Session, request: ApprovalRequest, now: Any) -> None:
    listed = next(iter(request.arguments["posts"].values()))
    session.execute(update(Application).where(Application.candidate_number == listed[0]).values(withdrawn_at=now))


def another_key(session: Session, request: ApprovalRequest, now: Any) -> None:
    competition = session.scalars(select(Competition)).one()
    account, _ = request.arguments["members"][0]
    session.add(CustodianKey(competition_id=competition.id, account_id=account, recipient="age1other", at=now))


def another_paper(session: Session, request: ApprovalRequest, now: Any) -> None:
    session.execute(update(Form).where(Form.id == request.arguments["form"]).values(digest="0" * 64))


def a_marker_goes(session: Session, request: ApprovalRequest, now: Any) -> None:
    grant = session.scalars(select(RoleGrant).where(RoleGrant.role == "marker", RoleGrant.revoked_at.is_(None))).first()
    grant.revoked_at, grant.revocation = now, "ended"


def other_marks(session: Session, request: ApprovalRequest, now: Any) -> None:
    session.execute(update(ObjectiveMark).values(score="0"))
    session.execute(update(Settlement).values(mark="1"))


def locked_anew(session: Session, request: ApprovalRequest, now: Any) -> None:
    session.execute(update(StageLock).values(digest="0" * 64))


def has_the_role(session: Session, request: ApprovalRequest, now: Any) -> None:
    said = request.arguments
    session.add(
        RoleGrant(account_id=said["account"], role=said["role"], competition=request.competition, granted_at=now)
    )


def is_taken_back(session: Session, request: ApprovalRequest, now: Any) -> None:
    grant = session.get_one(RoleGrant, request.arguments["grant"])
    grant.revoked_at, grant.revocation = now, "ended"


def published_later(session: Session, request: ApprovalRequest, now: Any) -> None:
    competition = session.scalars(select(Competition)).one()
    course.set_date(session, competition, event="results-published", at=now + timedelta(days=5), by=request.asked_by_id, now=now)


def already_out(session: Session, request: ApprovalRequest, now: Any) -> None:
    said = request.arguments
    form = session.get_one(Form, said["form"])
    approved = approvals.Approved(
        request.id, request.competition, said, request.asked_by_id, request.asked_by_id, _two(session), _summary(), now
    )
    assert form.id
    corrections._neutralise(session, approved)


def given_out(session: Session, request: ApprovalRequest, now: Any) -> None:
    approved = approvals.Approved(
        request.id,
        request.competition,
        request.arguments,
        request.asked_by_id,
        request.asked_by_id,
        _two(session),
        _summary(),
        now,
    )
    editions.release(session, approved)


def another_name(session: Session, request: ApprovalRequest, now: Any) -> None:
    code, _ = request.arguments["rows"][0]
    session.scalars(select(Application).where(Application.code == code)).one().account.name = "Khác"


def retitled(session: Session, request: ApprovalRequest, now: Any) -> None:
    papers.bank(session, request.arguments["bank"]).title = {"vi": "Ngân hàng khác", "en": "Another bank"}


def _two(session: Session) -> tuple[tuple[str, Any], ...]:
    first, second = session.scalars(select(ApprovalRequest).where(ApprovalRequest.outcome == "done")).first().votes[:2]
    return ((first.by.code, first.at), (second.by.code, second.at))


def _summary() -> Any:
    from examsvc.ledger.operations import Sealed

    return Sealed({"type": "item.neutralised", "lines": ["x"]})


CHANGES: dict[str, Callable[[Session, ApprovalRequest, Any], None]] = {
    "accounts.grant-role": has_the_role,
    "accounts.delegate-role": is_taken_back,
    "accounts.revoke-role": is_taken_back,
    "competitions.pin": witnesses_swapped,
    "competitions.publish-notice": other_title,
    "applications.decide": another_version,
    "applications.list": one_withdraws,
    "papers.custodians": another_key,
    "papers.approve": another_paper,
    "marking.allocate": a_marker_goes,
    "marking.lock": other_marks,
    "marking.unblind": locked_anew,
    "papers.neutralise": already_out,
    "results.vote": computed_again,
    "results.approve": computed_again,
    "results.publish": computed_again,
    "results.release-bundle": given_out,
    "applications.export": another_name,
    "papers.export-bank": retitled,
    "retention.erase": published_later,
}
"""What can become untrue between the proposal and the last approval; the others rest on nothing that changes."""


class Prober:
    """In place of ``approvals.approve``: tries the first request of each kind in every way that must fail, then approves."""

    def __init__(self) -> None:
        self.tried: Counter[tuple[str, str]] = Counter()
        self.approve = approvals.approve

    def __call__(self, session: Session, request_id: int, *, by: int, digest: str, now: Any) -> bool:
        request = session.get_one(ApprovalRequest, request_id)
        if (request.kind, "expired") not in self.tried:
            self.probe(session, request, by, now)
        last = len(request.votes) + 1 == request.people
        if last and request.kind in CHANGES and (request.kind, "changed facts") not in self.tried:
            self.change(session, request, by, now)
        return self.approve(session, request_id, by=by, digest=digest, now=now)

    def probe(self, session: Session, request: ApprovalRequest, by: int, now: Any) -> None:
        kind, digest, number, asker = request.kind, request.digest, request.id, request.asked_by_id
        role = next(
            role
            for role in request.roles
            if {(role, request.competition), (role, "")} & queries.roles_of(session, by, now)
        )

        def refused(what: str, error: type[Refused], **changed: Any) -> None:
            said = {"by": by, "digest": digest, "now": now, **changed}
            with patch.dict(approvals._executors, {kind: never}), pytest.raises(error):
                self.approve(session, number, **said)
            self.tried[kind, what] += 1

        def never(*_: object) -> None:
            raise AssertionError(f"{kind} was carried out")

        # alone, by somebody without the role, on another summary, too late
        refused("alone", NotAllowed, by=asker)
        with aside(session):
            refused("stranger", NotAllowed, by=newcomer(session, now))
        refused("another digest", Refused, digest="0" * 64)
        refused("expired", Refused, now=request.expires_at)
        with aside(session):
            session.execute(
                update(ApprovalRequest).where(ApprovalRequest.id == number).values(lines=[*request.lines, "and more"])
            )
            refused("another summary", Refused)
        # by a delegate: until the delegation ends, and not after
        with aside(session):
            delegate = newcomer(session, now)
            session.add(
                RoleGrant(
                    account_id=delegate,
                    role=role,
                    competition=request.competition,
                    granted_at=now - timedelta(days=2),
                    until=now,
                )
            )
            session.flush()
            refused("former delegate", NotAllowed, by=delegate)
            with patch.dict(approvals._executors, {kind: lambda *_: None}):
                earlier = now - timedelta(minutes=1)
                assert self.approve(session, number, by=delegate, digest=digest, now=earlier) in (True, False)
            self.tried[kind, "delegate in time"] += 1
        session.expire_all()

    def change(self, session: Session, request: ApprovalRequest, by: int, now: Any) -> None:
        """On facts that are no longer so, the last approval carries nothing out."""
        number, digest = request.id, request.digest
        with aside(session):
            CHANGES[request.kind](session, request, now)
            session.flush()
            session.expire_all()
            with pytest.raises(Refused):
                self.approve(session, number, by=by, digest=digest, now=now)
            self.tried[request.kind, "changed facts"] += 1
        session.expire_all()


class aside:  # noqa: N801 - reads as a statement
    """What happens inside is undone."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __enter__(self) -> None:
        self.session.flush()
        self.point = self.session.begin_nested()

    def __exit__(self, *_: object) -> None:
        self.point.rollback()
        self.session.expire_all()


def newcomer(session: Session, now: Any) -> int:
    return accounts.register_account(
        session, email=f"moi{secrets.token_hex(4)}@example.vn", name="Mới", password_hash=None, now=now
    ).id


def test_no_high_value_step_is_one_persons(
    any_session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, prober = any_session, Prober()
    monkeypatch.setattr(exam_hall, "_begun", {})
    monkeypatch.setattr(approvals, "approve", prober)
    hall = led(session)

    def approve(by: int) -> None:
        number, digest = waiting(session, hall.now)
        with hall.write():
            approvals.approve(session, number, by=by, digest=digest, now=hall.now)

    # one more of each kind that an ordinary competition does without
    with hall.write():
        incident = session.scalars(select(Incident)).one()
        conduct.ask_sanction(
            session, incident, sanction=hall.regulation.sanctions[0].id, reason="nói chuyện", by=hall.people["Hall"], now=hall.now
        )
    approve(hall.people["Chair"])
    with hall.write():
        grant = queries.active_grants(session, hall.people["Chair"], hall.now)[0]
        asked = roles.propose_delegation(
            session, grant, to=newcomer(session, hall.now), until=hall.now + timedelta(days=3), by=grant.account_id, now=hall.now
        )
        assert any("Khóa điểm" in one or "khóa điểm" in one.lower() for one in asked.lines), "which steps it is about"
    approve(hall.office)
    approve_again = [one.id for one in approvals.waiting(session, "mot", hall.now)]
    assert len(approve_again) == 1, "one officer alone does not delegate"
    approve(hall.second)
    with hall.write():
        (made,) = session.scalars(select(RoleGrant).where(RoleGrant.delegated_from_id.is_not(None))).all()
        assert made.until is not None
        roles.propose_revocation(session, made, reason="ended", by=hall.office, now=hall.now)
    approve(hall.second)
    with hall.write():
        form = session.get_one(Form, next(iter(hall.forms.values())))
        corrections.ask_neutralisation(session, form, number=1, reason="sai", by=hall.people["Chief"], now=hall.now)
    approve(hall.people["Chair"])
    install(tmp_path, *(ledger.current_key(session, log)[1] for log in (REGISTRY, "mot")))
    edition = results.published(session, hall.competition_id)
    editions.freeze(session, edition, now=hall.now)
    with hall.write():
        editions.ask_release(session, hall.competition, edition=1, kind="restricted", by=hall.office, now=hall.now)
    approve(hall.people["Chair"])
    with hall.write():
        listed = [(one.code, "Eligible") for one in files.eligible(session, hall.competition_id)]
        asked = exporting.ask_export(session, hall.competition, listed, zone=ZONE, by=hall.office, now=hall.now)
        number = asked.id
        with pytest.raises(NotFound):
            exporting.fetch(session, hall.competition, number, by=hall.office, now=hall.now)
    approve(hall.second)
    assert exporting.fetch(session, hall.competition, number, by=hall.office, now=hall.now)
    for who, when in ((hall.second, hall.now), (hall.office, hall.now + timedelta(hours=25))):
        with pytest.raises(NotFound):
            exporting.fetch(session, hall.competition, number, by=who, now=when)
    drafted = bank_exports.draft(session, hall.competition, session.scalars(select(Bank)).first(), "native")
    session.rollback()
    with hall.write():
        bank_exports.ask_export(session, hall.competition, drafted, by=hall.people["Setter"], now=hall.now)
    approve(hall.people["Approver"])
    with hall.write():
        retention.ask_erasure(
            session, hall.competition, "files-of-unsuccessful", zone=ZONE, by=hall.office, now=hall.now
        )
    approve(hall.second)

    seen = {kind for kind, _ in prober.tried}
    assert seen >= HIGH_VALUE, HIGH_VALUE - seen
    for what in ("alone", "stranger", "another digest", "another summary", "expired", "former delegate", "delegate in time"):
        assert {kind for kind, way in prober.tried if way == what} == seen, what
    assert {kind for kind, way in prober.tried if way == "changed facts"} == set(CHANGES)
    delegated = list(ledger.of_type(session, "mot", "role.delegated"))
    assert [(one.body["role"], len(one.body["approvals"])) for one in delegated] == [("council-chair", 2)]


def waiting(session: Session, now: Any) -> tuple[int, str]:
    (request,) = [
        one
        for one in session.scalars(select(ApprovalRequest).where(ApprovalRequest.outcome.is_(None)))
        if one.expires_at > now
    ]
    return request.id, request.digest


def test_the_regulation_sets_how_long_an_approval_waits() -> None:
    """Days for the council, minutes in a running exam; one of the two, and the bytes of a regulation without minutes are as ever."""
    rules = read_preset("demo")
    assert rules.approval("approve-results").expires == timedelta(days=10)
    assert rules.approval("open-spare-paper").expires == timedelta(hours=2)
    assert b"expires_minutes" not in rules.canonical_bytes()
    told = {"step": "open-spare-paper", "roles": ("custodian",), "people": 2, "source": "x", "verified": False}
    assert Approval.model_validate({**told, "expires_minutes": 10}).expires == timedelta(minutes=10)
    tried = 0
    for wrong in ({}, {"expires_minutes": 10, "expires_hours": 1}, {"expires_minutes": 0}):
        with pytest.raises(ValueError, match="expires_"):
            Approval.model_validate({**told, **wrong})
        tried += 1
    assert tried == 3
