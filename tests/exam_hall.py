"""Whole competitions in memory, through the real operations: tests read as histories.

    hall = ExamHall(session)
    hall.announce()
    anna = hall.candidate("Anna", post="A")
    hall.apply_all(); hall.start_exam(); hall.answer(anna, 1, right=True); hall.end_exam(); hall.publish()
"""

from __future__ import annotations

import json
import uuid
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from examsvc.accounts import approvals, roles
from examsvc.accounts import operations as accounts
from examsvc.accounts.models import Account
from examsvc.applications import operations as applications
from examsvc.applications.models import Application
from examsvc.base.database import writing
from examsvc.competitions import operations as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.marking import blinding, essays, hearings, locking, objective
from examsvc.marking import queries as marks
from examsvc.papers import operations as papers
from examsvc.papers.models import Form
from examsvc.results import operations as results
from examsvc.results.models import Publication, ScoreRun
from examsvc.sittings import arrival, duties, ending, planning, running
from examsvc.sittings import queries as attempts
from examsvc.sittings.models import Attempt, Sitting
from examsvc.sittings.saving import read_saves, save_answers
from question_banks import Bank
from question_banks.banks import shipped_bank

BELL = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


STAFF = (
    ("Authority", "competent-authority"),
    ("Chair", "council-chair"),
    ("Secretary", "council-secretary"),
    ("Setter", "question-setter"),
    ("Approver", "paper-approver"),
    ("Custodian1", "custodian"),
    ("Custodian2", "custodian"),
    ("Custodian3", "custodian"),
    ("Hall", "chief-invigilator"),
    ("Invigilator", "invigilator"),
    ("Coder", "code-custodian"),
    ("Chief", "chief-examiner"),
    ("Marker1", "marker"),
    ("Marker2", "marker"),
    ("Marker3", "marker"),
    ("PanelChair", "panel-chair"),
    *((f"Panel{number}", "panel-member") for number in range(1, 7)),
)


@lru_cache
def objective_only() -> Regulation:
    """The demonstration regulation with nothing but its computer test."""
    tree = json.loads(read_preset("demo").canonical_bytes())
    stages = [stage for stage in tree["stages"] if stage["id"] in ("eligibility", "written")]
    stages[1]["parts"] = [part for part in stages[1]["parts"] if part["id"] == "test"]
    tree["stages"] = stages
    tree["ties"]["steps"] = [step for step in tree["ties"]["steps"] if step["by"] == "role-decides"]
    return Regulation.model_validate_json(json.dumps(tree))


@lru_cache
def bank() -> Bank:
    """The bank that ships with the project, as one."""
    return shipped_bank("public-leadership")


class ExamHall:
    """One competition with its people; time stands still until a test moves it."""

    def __init__(self, session: Session, regulation: Regulation | None = None, *, posts: str = "A") -> None:
        duties.register()
        self.session = session
        self.now = BELL - timedelta(days=60)
        self.regulation = regulation or objective_only()
        self.people: dict[str, int] = {}
        self.sitting_id = 0
        self.applications: dict[str, int] = {}
        with writing(session):
            first, other = accounts.initialise(
                session, [("Admin", "admin@example.vn"), ("Root", "root@example.vn")], now=self.now
            )
            self.office = self.person("Office").id
            self.second = self.person("Second").id
            self.third = self.person("Third").id
            for account in (self.office, self.second):
                request = roles.propose_role(
                    session, account_id=account, role="hr-officer", competition="", by=first.account_id, now=self.now
                )
                roles.approve_role(session, request_id=request.id, by=other.account_id, now=self.now)
            document = competitions.add_regulation(session, self.regulation, by=self.office, now=self.now)
            competition = competitions.create_competition(
                session,
                slug="mot",
                title={"vi": "Kỳ thi một", "en": "Competition one"},
                regulation=document,
                by=self.office,
                now=self.now,
            )
            for code in posts:
                competitions.add_post(
                    session,
                    competition,
                    code=code,
                    title={"vi": f"Trưởng phòng {code}", "en": f"Head of division {code}"},
                    unit={"vi": "Sở Một", "en": "Department One"},
                    level="division-head",
                )
            self.competition_id = competition.id
        self.staff()

    def staff(self) -> None:
        """Everybody who acts, each role proposed by one officer and approved by another."""
        with writing(self.session):
            for person, role in STAFF:
                if person not in self.people:
                    self.person(person)
            for person, role in STAFF:
                request = roles.propose_role(
                    self.session,
                    account_id=self.people[person],
                    role=role,
                    competition="mot",
                    by=self.office,
                    now=self.now,
                )
                roles.approve_role(self.session, request_id=request.id, by=self.second, now=self.now)

    @property
    def competition(self) -> Competition:
        return self.session.get_one(Competition, self.competition_id)

    def person(self, name: str) -> Account:
        account = accounts.register_account(
            self.session,
            email=f"{name.lower()}@example.vn",
            name=name,
            password_hash=None,
            now=self.now,
        )
        self.people[name] = account.id
        return account

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def phase(self, name: str) -> None:
        with writing(self.session):
            competitions.enter_phase(self.session, self.competition, phase=name, by=self.office, now=self.now)

    def candidate(self, name: str, post: str = "A") -> str:
        """Registers, applies, is found eligible; returns the name as the handle."""
        with writing(self.session):
            account = self.person(name)
            competition = self.competition
            chosen = next(p for p in competition.posts if p.code == post)
            application = applications.start_application(
                self.session, competition, chosen, account_id=account.id, now=self.now
            )
            applications.submit_application(self.session, application, now=self.now)
            applications.decide_eligibility(
                self.session, application, eligible=True, reason=None, by=self.office, now=self.now
            )
            self.applications[name] = application.id
        return name

    def application(self, name: str) -> Application:
        return self.session.get_one(Application, self.applications[name])

    # ---------------------------------------------------------------- paper and sitting

    def paper(self, part: str = "test", cells: list[dict[str, Any]] | None = None) -> int:
        with writing(self.session):
            stored = papers.import_bank(self.session, bank(), by=self.office, now=self.now)
            blueprint = papers.set_blueprint(
                self.session,
                self.competition,
                part=part,
                cells=cells or [{"count": 10, "marks": "4", "kinds": ["single", "true-false"]}],
                by=self.office,
                now=self.now,
            )
            form = papers.assemble_form(
                self.session,
                self.competition,
                blueprint=blueprint,
                bank=stored,
                role="main",
                seed="seed",
                by=self.office,
                now=self.now,
            )
            for approver in (self.second, self.third):
                papers.approve_form(self.session, form, by=approver, now=self.now)
            return form.id

    def sitting(self, form_id: int, part: str = "test", extra: dict[str, int] | None = None) -> int:
        with writing(self.session):
            sitting = planning.schedule_sitting(
                self.session,
                self.competition,
                part=part,
                bell_at=BELL,
                rooms=[planning.RoomPlan("Phòng 101", 4), planning.RoomPlan("Phòng 102", 40)],
                candidates=[self.application(name) for name in self.applications],
                arrangements={
                    self.applications[name]: planning.Arrangement(extra_minutes=minutes)
                    for name, minutes in (extra or {}).items()
                },
                by=self.office,
                now=self.now,
            )
            planning.prepare_attempts(self.session, sitting, form=self.session.get_one(Form, form_id), now=self.now)
            return sitting.id

    def bell(self, sitting_id: int) -> None:
        """Time goes to the bell, and it rings."""
        sitting = self.session.get_one(Sitting, sitting_id)
        self.now = max(self.now, sitting.bell_at)
        with writing(self.session):
            running.start_sitting(self.session, self.session.get_one(Sitting, sitting_id), now=self.now)

    def attempt(self, name: str) -> Attempt:
        found = attempts.attempts_of_account(self.session, self.application(name).account_id)
        return found[-1]

    def check_in(self, name: str) -> None:
        with writing(self.session):
            attempt = self.attempt(name)
            arrival.check_in(
                self.session,
                attempt,
                code_hash="x",
                document="CCCD",
                photograph_agrees=True,
                by=self.office,
                now=self.now,
            )

    def lease(self, name: str, machine: str = "m" * 32) -> str:
        with writing(self.session):
            return running.take_lease(self.session, self.attempt(name), machine=machine, now=self.now)

    def save(self, name: str, slot: int, value: object, *, lease: str, base: int = 0, save_id: str | None = None) -> dict:
        with writing(self.session):
            body = [{"save_id": save_id or str(uuid.uuid4()), "slot": slot, "base_version": base, "value": value}]
            return save_answers(
                self.session, self.attempt(name), lease=lease, saves=read_saves(body), now=self.now
            )[0]

    def save_many(self, name: str, saves: list[tuple[int, object, int]], *, lease: str) -> list[dict]:
        """Several saves in one request: (slot, value, base version)."""
        with writing(self.session):
            body = [
                {"save_id": str(uuid.uuid4()), "slot": slot, "base_version": base, "value": value}
                for slot, value, base in saves
            ]
            return save_answers(
                self.session, self.attempt(name), lease=lease, saves=read_saves(body), now=self.now
            )

    def write(self) -> AbstractContextManager[Session]:
        """A writing transaction, for a step that has no verb of its own here."""
        return writing(self.session)

    def right_value(self, name: str, slot: int) -> dict[str, Any]:
        """A value that earns full marks, found by trying the answers of the item's own rules."""
        item = {s.number: s.item for s in attempts.slots(self.session, self.attempt(name))}[slot]
        for choice in ("A", "B", "C", "D", "E", True, False):
            outcome = item.mark({"RESPONSE": choice})
            if outcome.score == outcome.max_score:
                return {"RESPONSE": choice}
        raise LookupError(item.id)

    def submit(self, name: str, lease: str) -> dict[str, Any]:
        with writing(self.session):
            attempt = self.attempt(name)
            newest = attempts.newest_saves(self.session, attempt.id)
            versions = {
                slot.number: newest[slot.number].version if slot.number in newest else 0
                for slot in attempts.slots(self.session, attempt)
            }
            return ending.submit_attempt(
                self.session, attempt, lease=lease, versions=versions, submit_id=str(uuid.uuid4()), now=self.now
            )

    def close(self, sitting_id: int) -> bool:
        with writing(self.session):
            return ending.close_sitting(self.session, self.session.get_one(Sitting, sitting_id), now=self.now)

    # ---------------------------------------------------------------- marks and results

    def approve_all(self, by: str) -> int:
        """Everything that waits for an approval gets this person's; how many steps that carried out."""
        done = 0
        for request in approvals.waiting(self.session, "mot", self.now):
            number, digest = request.id, request.digest
            with writing(self.session):
                done += approvals.approve(self.session, number, by=self.people[by], digest=digest, now=self.now)
        return done

    def mark(self, sitting_id: int) -> dict[str, Fraction]:
        """Objective answers are marked and the stage is locked by two; the marks by candidate number."""
        with writing(self.session):
            objective.mark_objective(self.session, self.session.get_one(Sitting, sitting_id), now=self.now)
        found = marks.part_marks(self.session, self.competition, "test")
        self.lock("written")
        return found

    def lock(self, stage: str) -> None:
        with writing(self.session):
            locking.ask_lock(
                self.session, self.competition, stage=stage, by=self.people["Chief"], now=self.now
            )
        assert self.approve_all("Chair") == 1

    def unblind(self, stage: str) -> None:
        with writing(self.session):
            locking.ask_opening(
                self.session, self.competition, stage=stage, by=self.people["Coder"], now=self.now
            )
        assert self.approve_all("Chair") == 1

    def publish(self) -> Publication:
        with writing(self.session):
            run: ScoreRun = results.compute_results(self.session, self.competition, by=self.office, now=self.now)
            publication = results.propose_publication(
                self.session, self.competition, run, by=self.office, now=self.now
            )
            results.publish(self.session, publication, by=self.second, now=self.now)
            return publication
