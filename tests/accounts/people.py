"""People for tests: an office that grants roles, and one competition whose board and candidates are given here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from sqlalchemy.orm import Session

from examsvc.accounts import operations, oracles, roles
from examsvc.accounts.approvals import Terms
from examsvc.accounts.models import Account, RoleGrant
from examsvc.accounts.oracles import Board, Candidate
from examsvc.base.database import writing
from examsvc.ledger.operations import record

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
SLUG = "kỳ-thi".replace("ỳ", "y")
ROLES = ("hr-officer", "council-chair", "marker", "invigilator", "panel-member", "observer")
BOARD = Board(
    title={"vi": "Kỳ thi", "en": "The competition"},
    roles=dict.fromkeys(ROLES, 1),
    conflicts=frozenset(
        {
            frozenset(("marker", "invigilator")),
            *(frozenset(("observer", role)) for role in ROLES if role != "observer"),
        }
    ),
    grant=Terms(("hr-officer", "council-chair"), 2, timedelta(hours=48)),
    blocking=frozenset({"spouse", "parent", "child", "sibling", "parent-of-spouse", "sibling-of-spouse"}),
    declared=("superior", "rival"),
    barred=frozenset({"council-chair", "marker", "panel-member"}),
    discipline_bars=True,
    stages=("written",),
)


class People:
    """A session with two administrators, two personnel officers, and a competition that knows its candidates."""

    def __init__(self, session: Session, monkeypatch: pytest.MonkeyPatch, *, log: bool = False) -> None:
        self.session = session
        self.now = NOW
        self.candidates: list[Candidate] = []
        self.disciplined: set[int] = set()
        monkeypatch.setattr(oracles, "_boards", [lambda _s, slug: BOARD if slug == SLUG else None])
        monkeypatch.setattr(
            oracles, "_candidates", [lambda _s, slug: list(self.candidates) if slug == SLUG else []]
        )
        monkeypatch.setattr(oracles, "_discipline", [lambda _s, who, _day: who in self.disciplined])
        with writing(session):
            if log:
                for name in (SLUG, "registry"):
                    record(session, name, "log.opened", now=self.now, origin=f"exam.example/{name}", key=KEY)
            self.admins = [
                one.account_id
                for one in operations.initialise(
                    session, [("An", "an@example.vn"), ("Bình", "binh@example.vn")], now=self.now
                )
            ]
        self.officers = [self.person("Hoa"), self.person("Lan")]
        for officer in self.officers:
            self.give(officer, "hr-officer", "", proposer=self.admins[0], approver=self.admins[1])

    def person(self, name: str, digest: str | None = None) -> int:
        with writing(self.session):
            made = operations.register_account(
                self.session, email=f"{name.lower()}@example.vn", name=name, password_hash=None, now=self.now
            )
            made.identity_digest = digest
            return made.id

    def account(self, number: int) -> Account:
        return self.session.get_one(Account, number)

    def propose(self, person: int, role: str, competition: str = SLUG, proposer: int | None = None, **more) -> int:
        with writing(self.session):
            return roles.propose_role(
                self.session,
                account_id=person,
                role=role,
                competition=competition,
                by=proposer or self.officers[0],
                now=self.now,
                language="en",
                **more,
            ).id

    def approve(self, request: int, by: int | None = None) -> bool:
        with writing(self.session):
            return roles.approve_role(self.session, request_id=request, by=by or self.officers[1], now=self.now)

    def give(
        self,
        person: int,
        role: str,
        competition: str = SLUG,
        *,
        proposer: int | None = None,
        approver: int | None = None,
        **more,
    ) -> RoleGrant:
        request = self.propose(person, role, competition, proposer, **more)
        assert self.approve(request, approver)
        return next(one for one in self.account(person).grants if one.request_id == request)

    def candidate(self, name: str, digest: str | None = None) -> int:
        number = self.person(name, digest)
        self.candidates.append(Candidate(number, f"U-{number}"))
        return number


PAIRS = list(combinations(ROLES, 2))
KEY = "exam.example/log+0a1b2c3d+" + "A" * 44
