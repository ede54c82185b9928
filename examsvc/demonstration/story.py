"""What happened before one opens the demonstration: competitions led to each stage through the real operations."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from examsvc.accounts import operations as accounts
from examsvc.accounts import roles
from examsvc.accounts.models import Account
from examsvc.accounts.passwords import hash_password
from examsvc.accounts.rules import INSTALLATION_ROLES
from examsvc.applications import operations as applications
from examsvc.applications import queries as files
from examsvc.base.database import writing
from examsvc.competitions import operations as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.demonstration.people import CANDIDATES, STAFF, Person
from examsvc.marking import operations as marking
from examsvc.papers import operations as papers
from examsvc.papers.models import Form
from examsvc.results import operations as results
from examsvc.sittings import arrival, ending, planning, running
from examsvc.sittings import queries as attempts
from examsvc.sittings.models import Sitting
from examsvc.sittings.saving import read_saves, save_answers
from question_banks.banks import shipped_bank

PASSWORD = "bam vao ten de dang nhap"  # noqa: S105 - invented people on the visitor's own machine
DOMAIN = "demo.example.vn"
MACHINE = "d" * 32

POSTS = (
    ("A", {"vi": "Trưởng phòng Kế hoạch – Tổng hợp", "en": "Head of the Planning and Coordination Division"}),
    ("B", {"vi": "Trưởng phòng Chuyển đổi số", "en": "Head of the Digital Transformation Division"}),
    ("C", {"vi": "Trưởng phòng Quản lý dịch vụ công", "en": "Head of the Public Services Division"}),
)
UNIT = {"vi": "Sở Nội vụ tỉnh Thanh Hà (tưởng tượng)", "en": "Department of Home Affairs, Thanh Ha (invented)"}


def objective_only(regulation: Regulation) -> Regulation:
    """The regulation with nothing but its computer test."""
    tree = json.loads(regulation.canonical_bytes())
    tree["stages"] = [
        {**stage, "parts": [part for part in stage["parts"] if part["kind"] == "objective"]}
        for stage in tree["stages"]
        if stage["kind"] == "eligibility" or any(part["kind"] == "objective" for part in stage["parts"])
    ]
    tree["ties"]["steps"] = [step for step in tree["ties"]["steps"] if step["by"] != "part-mark"]
    return Regulation.model_validate_json(json.dumps(tree))


class Story:
    """One competition being led by invented people; ``now`` is moved by the teller."""

    def __init__(self, session: Session, people: Mapping[str, int], slug: str, now: datetime, seed: int) -> None:
        self.session = session
        self.people = people
        self.slug = slug
        self.now = now
        self.chance = random.Random(seed)  # noqa: S311 - an invented story, told the same way each time
        self.competition_id = 0

    @property
    def competition(self) -> Competition:
        return self.session.get_one(Competition, self.competition_id)

    def announce(self, title: Mapping[str, str], regulation: Regulation, posts: int) -> None:
        officer = self.people["tochuc1"]
        with writing(self.session):
            document = competitions.add_regulation(self.session, regulation, by=officer, now=self.now)
            competition = competitions.create_competition(
                self.session, slug=self.slug, title=title, regulation=document, by=officer, now=self.now
            )
            self.competition_id = competition.id
            for code, name in POSTS[:posts]:
                competitions.add_post(
                    self.session, competition, code=code, title=name, unit=UNIT, level="division-head"
                )
            for person in STAFF:
                for role in person.roles:
                    if role not in INSTALLATION_ROLES:
                        give_role(self.session, self.people, person.handle, role, self.slug, self.now)
            competitions.enter_phase(self.session, competition, phase="announced", by=officer, now=self.now)

    def phase(self, name: str) -> None:
        with writing(self.session):
            competitions.enter_phase(
                self.session, self.competition, phase=name, by=self.people["tochuc1"], now=self.now
            )

    def apply(self, candidates: Sequence[Person]) -> None:
        """Each applies for a post in turn and is found eligible."""
        for place, person in enumerate(candidates):
            with writing(self.session):
                competition = self.competition
                post = competition.posts[place % len(competition.posts)]
                application = applications.start_application(
                    self.session, competition, post, account_id=self.people[person.handle], now=self.now
                )
                applications.submit_application(self.session, application, now=self.now)
                applications.decide_eligibility(
                    self.session, application, eligible=True, reason=None, by=self.people["tochuc1"], now=self.now
                )
            self.now += timedelta(minutes=5)

    def paper(self, part: str, cells: list[dict[str, Any]], seed: str) -> None:
        with writing(self.session):
            stored = papers.import_bank(self.session, shipped_bank("public-leadership"), by=self.people["rade"], now=self.now)
            blueprint = papers.set_blueprint(
                self.session, self.competition, part=part, cells=cells, by=self.people["rade"], now=self.now
            )
            for role in ("main", "spare"):
                form = papers.assemble_form(
                    self.session,
                    self.competition,
                    blueprint=blueprint,
                    bank=stored,
                    role=role,
                    seed=f"{seed}-{role}",
                    by=self.people["rade"],
                    now=self.now,
                )
                for approver in ("duyetde", "chutich"):
                    papers.approve_form(self.session, form, by=self.people[approver], now=self.now)

    def sitting(self, part: str, bell: datetime, places: int = 12) -> int:
        with writing(self.session):
            competition = self.competition
            sitting = planning.schedule_sitting(
                self.session,
                competition,
                part=part,
                bell_at=bell,
                rooms=[planning.RoomPlan("Phòng 301", 6), planning.RoomPlan("Phòng 302", places)],
                candidates=files.eligible(self.session, competition.id),
                by=self.people["tochuc1"],
                now=self.now,
            )
            form = next(
                form
                for form in self.session.query(Form).filter_by(competition_id=competition.id, part=part, role="main")
            )
            planning.prepare_attempts(self.session, sitting, form=form, now=self.now)
            return sitting.id

    def sit(self, number: int, ability: Mapping[str, float]) -> None:
        """Everybody comes, knows the share of the answers that his ability says, and submits."""
        sitting = self.session.get_one(Sitting, number)
        self.now = sitting.bell_at - timedelta(minutes=20)
        codes = [attempt.code for attempt in sitting.attempts]
        for code in codes:
            with writing(self.session):
                arrival.check_in(
                    self.session,
                    attempts.attempt(self.session, code),
                    code_hash="-",
                    document="citizen-card",
                    photograph_agrees=True,
                    by=self.people["giamthi1"],
                    now=self.now,
                )
        self.now = self.session.get_one(Sitting, number).bell_at
        with writing(self.session):
            running.start_sitting(self.session, self.session.get_one(Sitting, number), now=self.now)
        for code in codes:
            self._write(code, ability)
        with writing(self.session):
            self.now += timedelta(minutes=2)
            ending.close_sitting(self.session, self.session.get_one(Sitting, number), now=self.now)

    def _write(self, code: str, ability: Mapping[str, float]) -> None:
        with writing(self.session):
            attempt = attempts.attempt(self.session, code)
            lease = running.take_lease(self.session, attempt, machine=MACHINE, now=self.now)
            handle = attempt.application.account.email.partition("@")[0]
            every = attempts.slots(self.session, attempt)
            known = set(self.chance.sample(range(1, len(every) + 1), round(ability[handle] * len(every))))
            saves = [
                {
                    "save_id": str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
                    "slot": slot.number,
                    "base_version": 0,
                    "value": self._answer(slot, slot.number in known),
                }
                for slot in every
            ]
            for start in range(0, len(saves), 20):
                save_answers(
                    self.session, attempt, lease=lease, saves=read_saves(saves[start : start + 20]), now=self.now
                )
                self.now += timedelta(seconds=20)
        with writing(self.session):
            attempt = attempts.attempt(self.session, code)
            versions = {s: save.version for s, save in attempts.newest_saves(self.session, attempt.id).items()}
            ending.submit_attempt(
                self.session, attempt, lease=lease, versions=versions, submit_id=str(uuid.uuid4()), now=self.now
            )

    def _answer(self, slot: attempts.Slot, right: bool) -> dict[str, Any]:
        """A right or a wrong answer to a question with one choice."""
        options: list[Any] = [choice.id for choice in slot.item.interactions[0].choices] or ["true", "false"]
        best = [one for one in options if slot.item.mark({"RESPONSE": one}).score == slot.item.max_score]
        others = [one for one in options if one not in best]
        return {"RESPONSE": best[0] if right and best else self.chance.choice(others or options)}

    def mark_and_publish(self, sitting: int) -> None:
        with writing(self.session):
            marking.mark_objective(self.session, self.session.get_one(Sitting, sitting), now=self.now)
            marking.lock_marks(
                self.session,
                self.competition,
                part=self.session.get_one(Sitting, sitting).part,
                proposed_by=self.people["truongcham"],
                approved_by=self.people["chutich"],
                now=self.now,
            )
        self.phase("results")
        self.now += timedelta(days=2)
        with writing(self.session):
            run = results.compute_results(self.session, self.competition, by=self.people["thuky"], now=self.now)
            edition = results.propose_publication(
                self.session, self.competition, run, by=self.people["tochuc1"], now=self.now
            )
            results.publish(self.session, edition, by=self.people["chutich"], now=self.now)


def give_role(
    session: Session, people: Mapping[str, int], handle: str, role: str, competition: str, now: datetime
) -> None:
    """Proposed by one, approved by another: personnel officers in a competition, administrators for the installation."""
    proposer, approver = ("tochuc1", "tochuc2") if competition else ("quantri1", "quantri2")
    request = roles.propose_role(
        session, account_id=people[handle], role=role, competition=competition, by=people[proposer], now=now
    )
    roles.approve_role(session, request_id=request.id, by=people[approver], now=now)


def enrol(session: Session, now: datetime) -> dict[str, int]:
    """Accounts of all invented people, by handle; the first two administrators appoint the personnel officers."""
    hashed = hash_password(PASSWORD)
    people: dict[str, int] = {}
    with writing(session):
        first = [person for person in STAFF if "system-administrator" in person.roles]
        made = accounts.initialise(session, [(one.name, f"{one.handle}@{DOMAIN}") for one in first], now=now)
        for person, administrator in zip(first, made, strict=True):
            session.get_one(Account, administrator.account_id).password_hash = hashed
            people[person.handle] = administrator.account_id
        for person in (*STAFF, *CANDIDATES):
            if person not in first:
                people[person.handle] = accounts.register_account(
                    session, email=f"{person.handle}@{DOMAIN}", name=person.name, password_hash=hashed, now=now
                ).id
        for person in STAFF:
            if "hr-officer" in person.roles:
                give_role(session, people, person.handle, "hr-officer", "", now)
    return people


def tell(session: Session, now: datetime) -> dict[str, int]:
    """Everything up to ``now``; returns the people by handle."""
    people = enrol(session, now - timedelta(days=120))
    regulation = objective_only(read_preset("demo"))
    cells = [{"count": 20, "marks": "2", "kinds": ["single", "true-false"]}]
    order = random.Random(7).sample(range(len(CANDIDATES)), len(CANDIDATES))  # noqa: S311
    ability = {person.handle: 0.4 + 0.05 * place for person, place in zip(CANDIDATES, order, strict=True)}

    published = Story(session, people, "truong-phong-2026-1", now - timedelta(days=90), seed=1)
    published.announce(
        {"vi": "Thi tuyển chức danh Trưởng phòng, đợt 1 năm 2026", "en": "Competition for heads of division, first round of 2026"},
        regulation,
        posts=1,
    )
    published.phase("applications")
    published.apply(CANDIDATES[:6])
    published.phase("exam")
    published.paper("test", cells, "dot-1")
    sitting = published.sitting("test", now - timedelta(days=20))
    published.sit(sitting, ability)
    published.mark_and_publish(sitting)

    ready = Story(session, people, "truong-phong-2026-2", now - timedelta(days=60), seed=2)
    ready.announce(
        {"vi": "Thi tuyển chức danh Trưởng phòng, đợt 2 năm 2026", "en": "Competition for heads of division, second round of 2026"},
        regulation,
        posts=3,
    )
    ready.phase("applications")
    ready.apply(CANDIDATES)
    ready.phase("exam")
    ready.now = now
    ready.paper("test", cells, "dot-2")
    ready.sitting("test", now + timedelta(minutes=2))
    return people


