"""Whole competitions in memory, through the real operations: tests read as histories.

    hall = ExamHall(session)
    hall.announce()
    anna = hall.candidate("Anna", post="A")
    hall.apply_all(); hall.start_exam(); hall.answer(anna, 1, right=True); hall.end_exam(); hall.publish()
"""

from __future__ import annotations

import secrets
import sqlite3
import uuid
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from typing import Any
from unittest.mock import patch

import pyrage
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from examsvc.accounts import approvals, roles
from examsvc.accounts import operations as accounts
from examsvc.accounts.models import Account
from examsvc.applications import operations as applications
from examsvc.applications import queries as files
from examsvc.applications.models import Application
from examsvc.base import jobs
from examsvc.base.database import writing
from examsvc.competitions import operations as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.terms import write_exact
from examsvc.demonstration import announcing, applying
from examsvc.demonstration.announcing import objective_only
from examsvc.ledger import code_maps, sealing
from examsvc.marking import blinding, essays, hearings, locking, objective, opening
from examsvc.marking import queries as marks
from examsvc.marking.models import Allocation, CodeMap, Hearing, PanelSeat, Script
from examsvc.papers import approval, banks, custody
from examsvc.papers import operations as papers
from examsvc.papers import queries as papers_of
from examsvc.papers.models import Bank as StoredBank
from examsvc.papers.models import Form
from examsvc.results import computing, council, publishing
from examsvc.results import queries as results
from examsvc.results.models import Publication, ScoreRun
from examsvc.sittings import arrival, duties, ending, planning, running
from examsvc.sittings import queries as attempts
from examsvc.sittings.models import Attempt, Sitting
from examsvc.sittings.saving import read_saves, save_answers
from question_banks import Bank, ImportResult
from question_banks.banks import shipped_bank
from question_banks.model import Item

BELL = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
OPENS = BELL - timedelta(days=60) + timedelta(minutes=5)


STAFF = (
    ("Authority", "competent-authority"),
    ("Chair", "council-chair"),
    ("Secretary", "council-secretary"),
    *((f"Member{number}", "council-member") for number in (1, 2, 3)),
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
    ("Marker4", "marker"),
    ("Marker5", "marker"),
    ("PanelChair", "panel-chair"),
    *((f"Panel{number}", "panel-member") for number in range(1, 7)),
)


@lru_cache
def bank() -> Bank:
    """The bank that ships with the project, as one."""
    return shipped_bank("public-leadership")


_made: dict[int, tuple[Bank, list[banks.Row]]] = {}
"""What is stored of each question of a bank where all are new, by the bank's identity; the bank with it, so that this stays its own."""


def spread(criteria: list[tuple[str, Fraction, str]], total: int) -> dict[str, str]:
    """A total laid out over criteria, filling each in turn."""
    left, found = Fraction(total), {}
    for name, most, _ in criteria:
        found[name] = write_exact(min(left, most))
        left -= min(left, most)
    assert left == 0
    return found


class _QuickPassphrase:
    """age's passphrase mode without its second of scrypt: what is encrypted can be decrypted, and nothing else."""

    @staticmethod
    def encrypt(data: bytes, passphrase: str) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(sha256(passphrase.encode()).digest()).encrypt(nonce, data, None)

    @staticmethod
    def decrypt(data: bytes, passphrase: str) -> bytes:
        try:
            return AESGCM(sha256(passphrase.encode()).digest()).decrypt(data[:12], data[12:], None)
        except InvalidTag:
            raise pyrage.DecryptError("wrong passphrase") from None


def quick_passphrase() -> AbstractContextManager[object]:
    """Sealing and opening as they are, but for the deliberate slowness of the passphrase; tests/papers does it once in full."""
    return patch.object(pyrage, "passphrase", _QuickPassphrase)


def unchecked(whether: bool) -> AbstractContextManager[object]:
    """Lets a test put essays into an objective part, so that one attempt holds every kind of answer."""
    if not whether:
        return nullcontext()
    stack = ExitStack()
    stack.enter_context(patch.object(papers_of, "stock", lambda session, bank_id, part: papers_of.current_items(session, bank_id)))
    stack.enter_context(patch.object(approval.paper_lint, "blocking", lambda found: []))
    return stack


def right_answer(item: Item) -> dict[str, Any]:
    for choice in [one.id for one in item.interactions[0].choices] or ["true", "false"]:
        outcome = item.mark({"RESPONSE": choice})
        if outcome.score == outcome.max_score:
            return {"RESPONSE": choice}
    raise LookupError(item.id)


def read_maps(session: Session, identity: str) -> dict[str, str]:
    """The attempt code of each script code in the closed code maps of a database, read with a code custodian's secret key."""
    found = {}
    for one in session.scalars(select(CodeMap).where(CodeMap.ciphertext.is_not(None))):
        part = code_maps.ClosedPart(one.sitting.code, one.part, one.ciphertext)
        (opened,) = code_maps.open_file(code_maps.ClosedFile("", "", (part,)), identity).parts
        found |= {pair.script: pair.attempt for pair in opened.pairs}
    return found


_begun: dict[tuple[str, str], tuple[sqlite3.Connection, dict[str, Any]]] = {}
"""Databases of competitions as they were when everybody had the role, by regulation and posts."""


class ExamHall:
    """One competition with its people; time stands still until a test moves it."""

    def __init__(self, session: Session, regulation: Regulation | None = None, *, posts: str = "A") -> None:
        self.session = session
        self.now = BELL - timedelta(days=60)
        self.regulation = regulation or objective_only()
        self.people: dict[str, int] = {}
        self.sitting_id = self.bank_id = 0
        self.forms: dict[int, int] = {}
        self.keys: dict[str, str] = {}
        self.applications: dict[str, int] = {}
        self._attempts: dict[tuple[str, int], str] = {}
        self._scripts: dict[str, int] = {}
        key = (self.regulation.digest(), posts)
        if not self._recall(key):
            self._found(posts)
            self.staff()
            self._remember(key)

    def _recall(self, key: tuple[str, str]) -> bool:
        """Takes the beginning of an earlier competition of this process under the same regulation, if this database is an empty
        SQLite one that nobody migrated: the same operations have made it, and they are what takes longest."""
        connection = self.session.connection()
        empty = connection.dialect.name == "sqlite" and not self._migrated() and not any(
            connection.execute(text(f"SELECT 1 FROM {table} LIMIT 1")).first() for table in ("accounts", "log_entries")
        )
        self.session.rollback()
        if not empty or key not in _begun:
            return False
        beginning, known = _begun[key]
        raw = self.session.get_bind().raw_connection()
        beginning.backup(raw.driver_connection)
        raw.close()
        self.people = dict(known["people"])
        self.office, self.second, self.third, self.competition_id = known["ids"]
        return True

    def _migrated(self) -> bool:
        """Whether the database knows its version, which a copy over it would take away."""
        return inspect(self.session.connection()).has_table("alembic_version")

    def _remember(self, key: tuple[str, str]) -> None:
        """Keeps what the first operations made, for the next hall."""
        bind = self.session.get_bind()
        if key in _begun or bind.dialect.name != "sqlite" or self._migrated() or self.session.connection().execute(text("SELECT count(*) FROM competitions")).scalar() != 1:
            return
        self.session.rollback()
        raw, beginning = bind.raw_connection(), sqlite3.connect(":memory:", check_same_thread=False)
        raw.driver_connection.backup(beginning)
        raw.close()
        ids = (self.office, self.second, self.third, self.competition_id)
        _begun[key] = (beginning, {"people": dict(self.people), "ids": ids})

    def _found(self, posts: str) -> None:
        """The first administrators, the office, and the competition with its posts."""
        session = self.session
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
            competition = announcing.open_competition(
                session,
                slug="mot",
                title={"vi": "Kỳ thi một", "en": "Competition one"},
                regulation=self.regulation,
                officer=self.office,
                second=self.second,
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

    def staff(self) -> None:
        """Everybody who acts, each role proposed by one officer and approved by another."""
        with writing(self.session):
            for person in dict.fromkeys(name for name, _ in STAFF):
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

    def work(self) -> None:
        """A worker's round at this moment, with the duties of sittings alone: whichever application an earlier test made, its
        ledger would sign with another key than the one under which this competition began."""
        with patch.object(jobs, "_duties", {}):
            duties.register()
            jobs.work(self.session, self.now)
        self.session.expire_all()

    def phase(self, name: str) -> None:
        """Into a phase: the announcement with all that it needs, any other one without looking at facts."""
        if name == "announced":
            self.announce()
            return
        if name == "applications":
            self.now = max(self.now, OPENS)
        with writing(self.session):
            competitions.enter_phase(self.session, self.competition, phase=name, by=self.office, now=self.now)

    def announce(self) -> None:
        """Council, confirmed clauses, dates, pinned regulation and published notice."""
        board = announcing.Board(
            officer=self.office,
            second=self.second,
            chair=self.people["Chair"],
            secretary=self.people["Secretary"],
            members=[self.people[f"Member{number}"] for number in (1, 2, 3)],
        )
        with writing(self.session):
            announcing.announce(
                self.session,
                self.competition,
                board,
                opens=OPENS,
                closes=BELL - timedelta(days=30),
                exams=announcing.usual_exams(BELL, self.regulation),
                now=self.now,
            )

    def candidate(self, name: str, post: str = "A") -> str:
        """Registers, fills in a whole file and hands it in; returns the name as the handle."""
        with writing(self.session):
            account = self.person(name)
            competition = self.competition
            chosen = next(p for p in competition.posts if p.code == post)
            stream = self.regulation.admission.streams[0].id
            application = applications.start_application(
                self.session, competition, chosen, account_id=account.id, stream=stream, now=self.now
            )
            applying.fill_in(self.session, application, born=date(1984, 5, 17), now=self.now)
            applications.submit_application(self.session, application, now=self.now)
            self.applications[name] = application.id
        return name

    def know(self, name: str) -> None:
        """A candidate who registered and applied by herself, through the pages: found by the name."""
        found = self.session.scalars(select(Application).join(Application.account).where(Account.name == name)).one()
        self.applications[name], self.people[name] = found.id, found.account_id

    def admit(self) -> None:
        """Ends the time for applications; two officers admit everybody who is not decided yet, and list them."""
        with writing(self.session):
            competition = self.competition
            if competition.phases[-1].phase == "applications":
                competitions.enter_phase(
                    self.session, competition, phase="eligibility", by=self.office, now=self.now
                )
            if files.undecided(self.session, competition.id):
                officers = {"first": self.office, "second": self.second}
                applying.decide_all(self.session, competition, now=self.now, **officers)
                applying.list_all(self.session, competition, now=self.now, **officers)

    def number(self, name: str) -> str:
        """The candidate number."""
        return self.application(name).candidate_number or ""

    def application(self, name: str) -> Application:
        return self.session.get_one(Application, self.applications[name])

    # ---------------------------------------------------------------- paper and sitting

    def paper(
        self, part: str = "test", cells: list[dict[str, Any]] | None = None, *, spare: bool = False, mixed: bool = False
    ) -> int:
        """A paper drawn, approved by two and sealed for three custodians; with ``mixed`` essays may stand among objective items."""
        self.admit()
        stage = self.regulation.stage_of(part).id
        with writing(self.session), unchecked(mixed):
            stored = self.session.get(StoredBank, self.bank_id) or self._import_bank()
            self.bank_id = stored.id
            blueprint = papers.set_blueprint(
                self.session,
                self.competition,
                part=part,
                cells=cells or [{"count": 10, "marks": "4", "kinds": ["single", "true-false"]}],
                bank=stored,
                by=self.people["Setter"],
                now=self.now,
            )
            made = papers.assemble_forms(
                self.session,
                self.competition,
                blueprint=blueprint,
                seed="seed",
                roles=("main", "spare") if spare else ("main",),
                by=self.people["Setter"],
                now=self.now,
            )
            numbers = {role: form.id for role, form in made.items()}
        self.name_custodians(stage)
        for number in numbers.values():
            with writing(self.session), unchecked(mixed):
                form = self.session.get_one(Form, number)
                request = approval.ask_approval(self.session, form, by=self.people["Setter"], now=self.now)
                request_id, digest = request.id, request.digest
            with writing(self.session):
                assert approvals.approve(
                    self.session, request_id, by=self.people["Approver"], digest=digest, now=self.now
                )
            with quick_passphrase():
                custody.seal(self.session, {"form": number}, self.now)
            assert self.session.get_one(Form, number).state == "sealed"
        return numbers["main"]

    def _import_bank(self) -> StoredBank:
        """The shipped bank; what is stored of each question is made once in a process, as a confirmed file's is before its transaction."""
        document = bank()
        examination = banks.examine(self.session, ImportResult(document, (), "native"))
        if any(line.verdict != "new" for line in examination.lines):
            return banks.store(self.session, examination, by=self.people["Setter"], now=self.now)
        if id(document) not in _made:
            _made[id(document)] = document, banks.rows(examination)
        return banks.store(self.session, examination, by=self.people["Setter"], now=self.now, prepared=_made[id(document)][1])

    def name_custodians(self, stage: str) -> None:
        """Three custodians with keys of their own, named by chair and authority."""
        if papers_of.custodians(self.session, self.competition_id, stage) is not None:
            return
        with writing(self.session):
            for person in ("Custodian1", "Custodian2", "Custodian3"):
                if person not in self.keys:
                    self.keys[person], recipient = sealing.new_identity()
                    custody.register_key(
                        self.session, self.competition, recipient=recipient, by=self.people[person], now=self.now
                    )
            request = custody.ask_naming(
                self.session, self.competition, stage=stage, by=self.people["Chair"], now=self.now
            )
            number, digest = request.id, request.digest
        with writing(self.session):
            assert approvals.approve(
                self.session, number, by=self.people["Authority"], digest=digest, now=self.now
            )

    def open_paper(self, form_id: int, *people: str) -> None:
        """Custodians decrypt their shares on their own machines and hand them in; the paper opens."""
        for person in people or ("Custodian1", "Custodian2"):
            with writing(self.session):
                form = self.session.get_one(Form, form_id)
                dealt = custody.share_of(form, self.people[person])
                share = sealing.decrypt_share(dealt.ciphertext, self.keys[person])
                assert custody.deliver_share(
                    self.session, form, data=share.data, by=self.people[person], now=self.now
                )
        with quick_passphrase():
            custody.open_form(self.session, {"form": form_id}, self.now)

    def sitting(
        self, form_id: int, part: str = "test", extra: dict[str, int] | None = None, bell: datetime = BELL
    ) -> int:
        """Plans a sitting.  Unless an earlier one still runs, time goes to the opening of the paper, and the attempts are made;
        otherwise that is done by whatever next happens in the sitting."""
        self.admit()
        with writing(self.session):
            sitting = planning.schedule_sitting(
                self.session,
                self.competition,
                part=part,
                bell_at=bell,
                rooms=[planning.RoomPlan("Phòng 101", 4), planning.RoomPlan("Phòng 102", 40)],
                candidates=[self.application(name) for name in self.applications],
                arrangements={
                    self.applications[name]: planning.Arrangement(extra_minutes=minutes)
                    for name, minutes in (extra or {}).items()
                },
                by=self.office,
                now=self.now,
            )
            number = sitting.id
        self.draw_seats(number)
        self.forms[number] = form_id
        if all(self.session.get_one(Sitting, one).closed_at for one in self.forms if one != number):
            self.make_ready(number)
        return number

    def draw_seats(self, sitting_id: int) -> None:
        """Where the regulation has seats drawn: the secretary asks, the chair approves, the server draws."""
        if self.session.get_one(Sitting, sitting_id).seating != "to-draw":
            return
        with writing(self.session):
            request = planning.ask_seats(
                self.session, self.session.get_one(Sitting, sitting_id), by=self.people["Secretary"], now=self.now
            )
            number, digest = request.id, request.digest
        with writing(self.session):
            assert approvals.approve(self.session, number, by=self.people["Chair"], digest=digest, now=self.now)

    def make_ready(self, sitting_id: int) -> None:
        """Time goes to the opening of the paper; it is opened and the attempts are made."""
        sitting = self.session.get_one(Sitting, sitting_id)
        if sitting.prepared_at is not None or sitting_id not in self.forms:
            return
        lead = timedelta(minutes=self.regulation.paper.opening_lead_minutes)
        self.now = max(self.now, sitting.bell_at - lead)
        if self.session.get_one(Form, self.forms[sitting_id]).state == "sealed":
            self.open_paper(self.forms[sitting_id])
        with writing(self.session):
            planning.prepare_attempts(
                self.session,
                self.session.get_one(Sitting, sitting_id),
                form=self.session.get_one(Form, self.forms[sitting_id]),
                now=self.now,
            )

    def bell(self, sitting_id: int) -> None:
        """Time goes to the bell, and it rings."""
        self.make_ready(sitting_id)
        sitting = self.session.get_one(Sitting, sitting_id)
        self.now = max(self.now, sitting.bell_at)
        with writing(self.session):
            running.start_sitting(self.session, self.session.get_one(Sitting, sitting_id), now=self.now)

    def attempt(self, name: str, sitting_id: int | None = None) -> Attempt:
        """The person's attempt in this sitting, or in the one that was worked on last."""
        chosen = sitting_id or self.sitting_id
        if (name, chosen) not in self._attempts:
            found = attempts.attempts_of_account(self.session, self.application(name).account_id)
            mine = next((one for one in reversed(found) if one.sitting_id == chosen), found[-1])
            if mine.sitting_id != chosen:
                return mine
            self._attempts[name, chosen] = mine.code
        return attempts.attempt(self.session, self._attempts[name, chosen])

    def check_in(self, name: str, sitting_id: int | None = None, *, code_hash: str = "x") -> None:
        if sitting_id is not None:
            self.make_ready(sitting_id)
        with writing(self.session):
            attempt = self.attempt(name, sitting_id)
            arrival.check_in(
                self.session,
                attempt,
                code_hash=code_hash,
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
            ).replies[0]

    def save_many(self, name: str, saves: list[tuple[int, object, int]], *, lease: str) -> list[dict]:
        """Several saves in one request: (slot, value, base version)."""
        with writing(self.session):
            body = [
                {"save_id": str(uuid.uuid4()), "slot": slot, "base_version": base, "value": value}
                for slot, value, base in saves
            ]
            return save_answers(
                self.session, self.attempt(name), lease=lease, saves=read_saves(body), now=self.now
            ).replies

    def write(self) -> AbstractContextManager[Session]:
        """A writing transaction, for a step that has no verb of its own here."""
        return writing(self.session)

    def right_value(self, name: str, slot: int) -> dict[str, Any]:
        """A value that earns full marks, found by trying the answers of the item's own rules."""
        return right_answer({s.number: s.item for s in attempts.slots(self.session, self.attempt(name))}[slot])

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

    def write_all(self, names: list[str], sitting_id: int, right: dict[str, int] | None = None) -> None:
        """Everybody is checked in, answers (so many right objective answers, every essay) and submits."""
        self.sitting_id = sitting_id
        bell = self.session.get_one(Sitting, sitting_id).bell_at
        self.now = max(self.now, bell - timedelta(minutes=10))
        for name in names:
            self.check_in(name, sitting_id)
        self.bell(sitting_id)
        self.later(minutes=1)
        for name in names:
            lease = self.lease(name)
            left = (right or {}).get(name, 0)
            answers: list[tuple[int, object, int]] = []
            for slot in attempts.slots(self.session, self.attempt(name)):
                if slot.item.by_person:
                    answers.append((slot.number, {"RESPONSE": f"Bài của {name}: " + "kế hoạch " * 320}, 0))
                elif left > 0:
                    answers.append((slot.number, right_answer(slot.item), 0))
                    left -= 1
            if answers:
                self.save_many(name, answers, lease=lease)
            self.submit(name, lease)
        assert self.close(sitting_id)

    def code_and_draw(self, sitting_id: int, part: str = "essay") -> None:
        """The code custodian hands in a key and codes the scripts; two people have them drawn to the markers."""
        self.code_key()
        with writing(self.session):
            blinding.code_scripts(
                self.session, self.session.get_one(Sitting, sitting_id), by=self.people["Coder"], now=self.now
            )
        with writing(self.session):
            essays.ask_allocation(self.session, self.competition, part=part, by=self.people["Chief"], now=self.now)
        assert self.approve_all("Chair") == 1

    def code_key(self, person: str = "Coder") -> None:
        """A code custodian makes a key on a machine of his own and hands in its public half."""
        if person in self.keys:
            return
        self.keys[person], recipient = sealing.new_identity()
        with writing(self.session):
            custody.register_key(self.session, self.competition, recipient=recipient, by=self.people[person], now=self.now)

    def script_of(self, name: str) -> Script:
        """The script of a person: what nobody knows before the lock but whoever has the code custodian's secret key, as this hall has."""
        if name not in self._scripts:
            scripts = marks.scripts(self.session, self.competition_id, "essay")
            known = {one.code: one.attempt.code for one in scripts if one.attempt is not None}
            known |= read_maps(self.session, self.keys["Coder"])
            mine = {one.code for one in self.session.scalars(select(Attempt).where(Attempt.application_id == self.applications[name]))}
            self._scripts[name] = next(one.id for one in scripts if known.get(one.code) in mine)
        return self.session.get_one(Script, self._scripts[name])

    def mark_script(self, name: str, *given: int, first: int = 1) -> str:
        """The markers of a script hand in these marks, round by round; returns where the script stands."""
        for round_, total in enumerate(given, start=first):
            script = self.script_of(name)
            allocation = next(a for a in marks.active_allocations(script) if a.round == round_)
            with writing(self.session):
                essays.record_mark(
                    self.session,
                    self.session.get_one(Allocation, allocation.id),
                    criteria=spread(essays.criteria_of(script), total),
                    comment="",
                    by=allocation.marker_id,
                    now=self.now,
                )
            self.session.expire_all()
        return marks.state(self.session, self.script_of(name))

    def hear(self, totals: dict[str, list[int]], part: str = "plan-defence") -> None:
        """Draws the order, hears everybody, and each member hands in a sheet with this total."""
        with writing(self.session):
            hearings.ask_order(
                self.session,
                self.competition,
                part=part,
                candidates=marks.reached(self.session, self.competition, part),
                by=self.people["Secretary"],
                now=self.now,
            )
        assert self.approve_all("Chair") == 1
        for name in self._in_drawn_order(part):
            self.hear_one(name, totals[name], part)

    def _in_drawn_order(self, part: str) -> list[str]:
        names = {number: name for name, number in self.applications.items()}
        return [names[one.application_id] for one in marks.hearings(self.session, self.competition_id, part)]

    def hearing(self, name: str, part: str = "plan-defence") -> Hearing:
        found = marks.hearings(self.session, self.competition_id, part)
        return next(one for one in found if one.application_id == self.applications[name])

    def hear_one(self, name: str, totals: list[int], part: str = "plan-defence") -> None:
        """One candidate is heard, and each member hands in a sheet with this total."""
        number, chair = self.hearing(name, part).id, self.people["PanelChair"]
        with writing(self.session):
            hearings.begin(self.session, self.session.get_one(Hearing, number), by=chair, now=self.now)
        for _ in range(3):
            self.later(minutes=6)
            with writing(self.session):
                hearings.next_step(self.session, self.session.get_one(Hearing, number), by=chair, now=self.now)
        seats = [seat.id for seat in marks.sitting_members(self.session.get_one(Hearing, number))]
        for seat_id, total in zip(seats, totals, strict=True):
            with writing(self.session):
                seat = self.session.get_one(PanelSeat, seat_id)
                rows = [(one.id, one.maximum, one.id) for one in hearings.panel_of(seat.hearing).criteria]
                hearings.hand_in(
                    self.session, seat, criteria=spread(rows, total), comments={}, by=seat.member_id, now=self.now
                )

    def lock(self, stage: str) -> None:
        with writing(self.session):
            locking.ask_lock(
                self.session, self.competition, stage=stage, by=self.people["Chief"], now=self.now
            )
        assert self.approve_all("Chair") == 1

    def unblind(self, stage: str) -> None:
        """Two approve the opening of the code map; its custodian opens it on his own machine and hands it in."""
        with writing(self.session):
            locking.ask_opening(
                self.session, self.competition, stage=stage, by=self.people["Coder"], now=self.now
            )
        assert self.approve_all("Chair") == 1
        self.hand_in_map(stage, self.opened_map(stage))

    def opened_map(self, stage: str, person: str = "Coder") -> bytes:
        """The map as the custodian's own machine opens it."""
        closed = opening.closed_file(self.session, self.competition, stage).data
        return code_maps.open_file(code_maps.read_closed(closed), self.keys[person]).data

    def hand_in_map(self, stage: str, data: bytes, person: str = "Coder") -> int:
        with writing(self.session):
            return opening.hand_in(
                self.session, self.competition, stage=stage, data=data, by=self.people[person], now=self.now
            )

    def compute(self) -> ScoreRun:
        with writing(self.session):
            return computing.compute_results(self.session, self.competition, by=self.office, now=self.now)

    def recommend(self, against: int = 0, pdf: bytes = b"minutes") -> None:
        """The council votes on the newest run, so many of its members against; secretary and chair sign the minutes."""
        with writing(self.session):
            run = council.ready(self.session, self.competition)
            posts = tuple(results.posts_of(run))
            members = council.entitled(self.session, self.competition, posts, self.now)
            meeting = council.Meeting(
                posts=posts,
                held_at=self.now,
                place="Hà Nội",
                ballots={
                    one.id: "against" if place >= len(members) - against else "for" for place, one in enumerate(members)
                },
            )
            council.ask_vote(
                self.session, self.competition, meeting, pdf=pdf, by=self.people["Secretary"], now=self.now
            )
        assert self.approve_all("Chair") == 1

    def approve_results(self) -> None:
        """The chair asks, the competent authority approves."""
        with writing(self.session):
            council.ask_approval(
                self.session,
                self.competition,
                decision_number="12/QĐ",
                decided_on=self.now.date(),
                reason="đúng quy chế",
                by=self.people["Chair"],
                now=self.now,
            )
        assert self.approve_all("Authority") == 1

    def publish(self) -> Publication:
        """Computes, votes, approves, publishes."""
        self.compute()
        self.recommend()
        self.approve_results()
        with writing(self.session):
            publishing.propose_publication(self.session, self.competition, by=self.office, now=self.now)
        assert self.approve_all("Chair") == 1
        found = results.published(self.session, self.competition_id)
        assert found is not None
        return found
