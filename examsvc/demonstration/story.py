"""What happened before one opens the demonstration: competitions led to each stage through the real operations."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.accounts import approvals, roles
from examsvc.accounts import operations as accounts
from examsvc.accounts import queries as accounts_of
from examsvc.accounts.passwords import hash_password
from examsvc.accounts.rules import INSTALLATION_ROLES
from examsvc.applications import operations as applications
from examsvc.applications import queries as files
from examsvc.base.database import writing
from examsvc.careers import queries as careers
from examsvc.competitions import operations as competitions
from examsvc.competitions import queries as competitions_of
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.competitions.terms import write_exact
from examsvc.demonstration import announcing, applying, custodians, drawing, organisation
from examsvc.demonstration.answers import ESSAY_TEXT, key_of, wrong_of
from examsvc.demonstration.people import CANDIDATES, STAFF, Person
from examsvc.marking import blinding, essays, hearings, locking, objective, queries
from examsvc.marking.models import Allocation, Hearing, PanelSeat, Script
from examsvc.papers import approval, banks, custody
from examsvc.papers import operations as papers
from examsvc.papers import queries as papers_of
from examsvc.papers.models import Form
from examsvc.results import computing, council, publishing
from examsvc.results import queries as results
from examsvc.sittings import arrival, ending, planning, running
from examsvc.sittings import queries as attempts
from examsvc.sittings.models import Sitting
from examsvc.sittings.saving import read_saves, save_answers
from question_banks.banks import shipped_bank

PASSWORD = "bam vao ten de dang nhap"  # noqa: S105 - invented people on the visitor's own machine
DOMAIN = "demo.example.vn"
MACHINE = "d" * 32

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class Story:
    """One competition being led by invented people; ``now`` is moved by the teller."""

    def __init__(
        self,
        session: Session,
        people: Mapping[str, int],
        slug: str,
        now: datetime,
        seed: int,
        *,
        secret: str = announcing.SECRET,
        host: str = announcing.HOST,
    ) -> None:
        self.session = session
        self.secret, self.host = secret, host
        self.people = people
        self.slug = slug
        self.now = now
        self.chance = random.Random(seed)  # noqa: S311 - an invented story, told the same way each time
        self.competition_id = 0
        self.writers: dict[str, str] = {}

    @property
    def competition(self) -> Competition:
        return self.session.get_one(Competition, self.competition_id)

    def announce(
        self, title: Mapping[str, str], regulation: Regulation, posts: Sequence[organisation.Place], exam: datetime
    ) -> None:
        """Opened, staffed and announced; ``exam`` is when its first stage is to begin."""
        with writing(self.session):
            competition = announcing.open_competition(
                self.session,
                slug=self.slug,
                title=title,
                regulation=regulation,
                officer=self.people["tochuc1"],
                second=self.people["tochuc2"],
                now=self.now,
                secret=self.secret,
                host=self.host,
            )
            self.competition_id = competition.id
            for code, place in zip("ABC", posts, strict=False):
                competitions.add_post(
                    self.session,
                    competition,
                    code=code,
                    title=place.title,
                    unit=organisation.UNITS[place.unit],
                    level=place.level,
                    position=careers.position(self.session, place.code),
                )
            for person in STAFF:
                for role in person.roles:
                    if role not in INSTALLATION_ROLES:
                        grant(
                            self.session,
                            self.people,
                            role,
                            person.handle,
                            self.slug,
                            ("tochuc1", "tochuc2"),
                            self.now,
                        )
            board = announcing.Board(
                officer=self.people["tochuc1"],
                second=self.people["tochuc2"],
                chair=self.people["chutich"],
                secretary=self.people["thuky"],
                members=[self.people[f"uyvien{number}"] for number in (1, 2, 3)],
            )
            announcing.announce(
                self.session,
                competition,
                board,
                opens=self.now + timedelta(minutes=5),
                closes=self.now + timedelta(days=30, minutes=5),
                exams=announcing.usual_exams(exam, regulation),
                now=self.now,
            )
        self.now += timedelta(minutes=5)

    def phase(self, name: str) -> None:
        with writing(self.session):
            competitions.enter_phase(
                self.session, self.competition, phase=name, by=self.people["tochuc1"], now=self.now
            )

    def apply(self, candidates: Sequence[Person], file_of: applying.FileOf = applying.written_file) -> None:
        """Each fills in a file for a post in turn and hands it in."""
        for place, person in enumerate(candidates):
            with writing(self.session):
                competition = self.competition
                post = competition.posts[place % len(competition.posts)]
                application = applications.start_application(
                    self.session,
                    competition,
                    post,
                    account_id=self.people[person.handle],
                    stream=applying.STREAM,
                    now=self.now,
                )
                applying.fill_in(
                    self.session,
                    application,
                    born=date(1978 + place % 12, 1 + place % 12, 3 + place % 25),
                    now=self.now,
                    file_of=file_of,
                )
                applications.submit_application(self.session, application, now=self.now)
            self.now += timedelta(minutes=5)

    def admit(self) -> None:
        """Applications close; two officers decide on every file, list the candidates and post the list."""
        self.phase("eligibility")
        with writing(self.session):
            officers = {"first": self.people["tochuc1"], "second": self.people["tochuc2"]}
            applying.decide_all(self.session, self.competition, now=self.now, **officers)
            applying.list_all(self.session, self.competition, now=self.now, **officers)

    def paper(self, part: str, cells: list[dict[str, Any]], seed: str) -> None:
        """Main and spare are drawn, approved by two, and sealed for the custodians."""
        setter = self.people["rade"]
        with writing(self.session):
            stored = banks.import_bank(self.session, shipped_bank("public-leadership"), by=setter, now=self.now)
            blueprint = papers.set_blueprint(
                self.session, self.competition, part=part, cells=cells, bank=stored, by=setter, now=self.now
            )
            made = papers.assemble_forms(
                self.session, self.competition, blueprint=blueprint, seed=seed, by=setter, now=self.now
            )
            forms = [form.id for form in made.values()]
        stage = competitions_of.regulation(self.competition).stage_of(part).id
        if papers_of.custodians(self.session, self.competition_id, stage) is None:
            self.name_custodians(stage)
        for number in forms:
            with writing(self.session):
                approval.ask_approval(self.session, self.session.get_one(Form, number), by=setter, now=self.now)
            self.approve("duyetde")
            custody.seal(self.session, {"form": number}, self.now)

    def name_custodians(self, stage: str) -> None:
        """The invented custodians hand in keys; chair and authority name them."""
        with writing(self.session):
            for handle, (_, recipient) in custodians.KEYS.items():
                custody.register_key(
                    self.session, self.competition, recipient=recipient, by=self.people[handle], now=self.now
                )
            custody.ask_naming(
                self.session, self.competition, stage=stage, by=self.people["chutich"], now=self.now
            )
        self.approve("thamquyen")

    def sitting(self, part: str, bell: datetime, places: int = 12) -> int:
        """Plans a sitting and has its seats drawn; its paper stays sealed."""
        with writing(self.session):
            competition = self.competition
            number = planning.schedule_sitting(
                self.session,
                competition,
                part=part,
                bell_at=bell,
                rooms=[planning.RoomPlan("Phòng 301", 6), planning.RoomPlan("Phòng 302", places)],
                candidates=files.eligible(self.session, competition.id),
                by=self.people["tochuc1"],
                now=self.now,
            ).id
        if self.session.get_one(Sitting, number).seating == "to-draw":
            with writing(self.session):
                planning.ask_seats(
                    self.session, self.session.get_one(Sitting, number), by=self.people["thuky"], now=self.now
                )
            self.approve("chutich")
        return number

    def make_ready(self, number: int) -> None:
        """Goes to the opening of the sitting's paper: two custodians open it, and the attempts are made."""
        sitting = self.session.get_one(Sitting, number)
        lead = competitions_of.regulation(self.competition).paper.opening_lead_minutes
        self.now = max(self.now, sitting.bell_at - timedelta(minutes=lead))
        form = papers_of.paper_in_force(self.session, self.competition_id, sitting.part)
        if form is None:
            raise LookupError(sitting.part)
        custodians.make_ready(self.session, number, form.id, domain=DOMAIN, now=self.now)

    def sit(self, number: int, ability: Mapping[str, float]) -> None:
        """Everybody comes, knows the share of the answers that his ability says, and submits."""
        self.make_ready(number)
        sitting = self.session.get_one(Sitting, number)
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
        """A right or a wrong answer to an objective question; an essay is written."""
        if slot.item.by_person:
            return {"RESPONSE": ESSAY_TEXT}
        return key_of(slot.item) if right else wrong_of(slot.item, self.chance)

    def exam(self, bell: datetime, ability: Mapping[str, float]) -> None:
        """Test and essay on one day; the answers marked, the scripts coded and drawn."""
        self.now = bell - timedelta(days=10)
        self.paper("test", TEST, self.slug)
        self.paper("essay", ESSAY, self.slug)
        test, essay = self.sitting("test", bell), self.sitting("essay", bell + timedelta(hours=2))
        self.sit(test, ability)
        self.sit(essay, ability)
        self.now += timedelta(days=1)
        self.score(test)
        self.code_and_draw(essay, "essay")
        self.now += timedelta(hours=3)

    def score(self, sitting: int) -> None:
        """The objective answers of a closed sitting are marked."""
        with writing(self.session):
            objective.mark_objective(self.session, self.session.get_one(Sitting, sitting), now=self.now)

    def code_and_draw(self, sitting: int, part: str) -> None:
        """Scripts are coded to the invented code custodian's key, and two people have them drawn to the markers."""
        with writing(self.session):
            custody.register_key(
                self.session,
                self.competition,
                recipient=custodians.CODER_KEY[1],
                by=self.people[custodians.CODER],
                now=self.now,
            )
            blinding.code_scripts(
                self.session, self.session.get_one(Sitting, sitting), by=self.people[custodians.CODER], now=self.now
            )
        handles = {one.code: one.application.account.email.partition("@")[0] for one in self.session.get_one(Sitting, sitting).attempts}
        self.writers |= {script: handles[attempt] for script, attempt in custodians.written_by(self.session, sitting).items()}
        with writing(self.session):
            essays.ask_allocation(
                self.session, self.competition, part=part, by=self.people["truongcham"], now=self.now
            )
        self.approve("chutich")

    def mark_scripts(self, part: str, ability: Mapping[str, float], leave: int = 0) -> None:
        """Markers hand in sheets, each with his own severity; so many scripts of each marker are left on the desk."""
        severity = {"giamkhao1": 0, "giamkhao2": -1, "giamkhao3": 1}
        for handle in severity:
            desk = queries.desk(self.session, self.competition_id, self.people[handle])
            for number in [one.id for one in desk][: len(desk) - leave]:
                self._sheet(number, severity[handle], ability)
        self._settle_rest(part, ability) if not leave else None

    def _sheet(self, number: int, severity: int, ability: Mapping[str, float]) -> None:
        allocation = self.session.get_one(Allocation, number)
        if allocation.sheets:
            return
        share = self._share(allocation.script, ability)
        given = {}
        for place, (name, most, _) in enumerate(essays.criteria_of(allocation.script)):
            wished = share * most + (Fraction(severity, 2) if place == 0 else 0) + Fraction(self.chance.randint(-1, 1), 4)
            given[name] = write_exact(min(most, max(Fraction(0), Fraction(round(wished * 4), 4))))
        with writing(self.session):
            essays.record_mark(
                self.session,
                self.session.get_one(Allocation, number),
                criteria=given,
                comment="Bài viết có cấu trúc rõ; giải pháp cần cụ thể hơn về nguồn lực." if severity < 0 else "",
                by=allocation.marker_id,
                now=self.now,
            )
        self.now += timedelta(minutes=12)

    def _share(self, script: Script, ability: Mapping[str, float]) -> Fraction:
        """The share of the marks that the invented writer of a script deserves."""
        return Fraction(round(100 * ability[self.writers[script.code]]), 100)

    def _settle_rest(self, part: str, ability: Mapping[str, float]) -> None:
        """Third marks, agreements and the chief examiner's decisions, until every script has its mark."""
        for _ in range(3):
            self.session.expire_all()
            for number in [one.id for one in queries.scripts(self.session, self.competition_id, part)]:
                script = self.session.get_one(Script, number)
                where = queries.state(self.session, script)
                if where == "third-marking":
                    third = next(one for one in queries.active_allocations(script) if not one.sheets)
                    self._sheet(third.id, 0, ability)
                elif where == "agreeing":
                    marks = [Fraction(one.sheets[-1].total) for one in queries.active_allocations(script)]
                    middle = write_exact(Fraction(round(sum(marks, Fraction(0)) / len(marks) * 4), 4))
                    for marker in [(one.id, one.marker_id) for one in queries.active_allocations(script)]:
                        with writing(self.session):
                            essays.propose_agreement(
                                self.session,
                                self.session.get_one(Allocation, marker[0]),
                                mark=middle,
                                reason="Hai giám khảo đã đối chiếu từng tiêu chí và thống nhất.",
                                by=marker[1],
                                now=self.now,
                            )
                elif where == "head":
                    with writing(self.session):
                        essays.decide(
                            self.session,
                            self.session.get_one(Script, number),
                            mark=write_exact(Fraction(round(self._share(script, ability) * 80), 4)),
                            reason="Trưởng ban chấm thi đã đọc lại toàn bài.",
                            by=self.people["truongcham"],
                            now=self.now,
                        )

    def lock(self, stage: str, *, unblind: bool = False) -> None:
        """Two people lock a stage; where scripts were coded, two have the code map opened."""
        with writing(self.session):
            locking.ask_lock(
                self.session, self.competition, stage=stage, by=self.people["truongcham"], now=self.now
            )
        self.approve("chutich")
        if unblind:
            with writing(self.session):
                locking.ask_opening(
                    self.session, self.competition, stage=stage, by=self.people[custodians.CODER], now=self.now
                )
            self.approve("chutich")
            custodians.hand_in_codes(self.session, self.competition, stage, domain=DOMAIN, now=self.now)

    def hear(self, part: str, ability: Mapping[str, float]) -> None:
        """The order is drawn, everybody is heard, each member of the panel hands in a sheet."""
        with writing(self.session):
            hearings.ask_order(
                self.session,
                self.competition,
                part=part,
                candidates=queries.reached(self.session, self.competition, part),
                by=self.people["thuky"],
                now=self.now,
            )
        self.approve("chutich")
        draw = hearings.order_draw(self.session, self.competition, part)
        if draw is not None and draw.state == "announced":
            readers = [accounts_of.account(self.session, self.people[handle]).code for handle in ("chutich", "thuky")]
            self.now = drawing.hold(self.session, self.slug, draw.code, readers=readers, now=self.now)
            self.now += timedelta(hours=14)
        for number in [one.id for one in queries.hearings(self.session, self.competition_id, part)]:
            with writing(self.session):
                hearings.begin(
                    self.session, self.session.get_one(Hearing, number), by=self.people["chutri"], now=self.now
                )
            for minutes in (5, 8, 12):
                self.now += timedelta(minutes=minutes)
                with writing(self.session):
                    hearings.next_step(
                        self.session, self.session.get_one(Hearing, number), by=self.people["chutri"], now=self.now
                    )
            hearing = self.session.get_one(Hearing, number)
            share = Fraction(round(100 * ability[hearing.application.account.email.partition("@")[0]]), 100)
            for place, seat in enumerate([one.id for one in queries.sitting_members(hearing)]):
                sheet = self.session.get_one(PanelSeat, seat)
                given = {
                    one.id: write_exact(
                        min(one.maximum, Fraction(round((share * one.maximum + Fraction(place - 2, 2)) * 2), 2))
                    )
                    for one in hearings.panel_of(sheet.hearing).criteria
                }
                with writing(self.session):
                    hearings.hand_in(
                        self.session,
                        self.session.get_one(PanelSeat, seat),
                        criteria=given,
                        comments={},
                        by=sheet.member_id,
                        now=self.now,
                    )
            self.now += timedelta(minutes=10)

    def publish(self) -> None:
        """Computed; voted on by the council; approved by the authority; published by personnel and chair."""
        self.phase("results")
        self.now += timedelta(days=2)
        with writing(self.session):
            run = computing.compute_results(self.session, self.competition, by=self.people["thuky"], now=self.now)
            posts = results.posts_of(run)
            members = [one.id for one in council.entitled(self.session, self.competition, posts, self.now)]
        meeting = council.Meeting(
            posts=tuple(posts), held_at=self.now, place="Thanh Hà", ballots=dict.fromkeys(members, "for")
        )
        pdf = council.minutes_pdf(
            self.session, self.competition, run, meeting, institution=organisation.UNIT, zone=ZONE, now=self.now
        )
        with writing(self.session):
            council.ask_vote(
                self.session, self.competition, meeting, pdf=pdf, by=self.people["thuky"], now=self.now
            )
        self.approve("chutich")
        self.now += timedelta(days=1)
        with writing(self.session):
            council.ask_approval(
                self.session,
                self.competition,
                decision_number="128/QĐ-SNV",
                decided_on=self.now.date(),
                reason="Kết quả đúng quy chế, không có kiến nghị.",
                by=self.people["chutich"],
                now=self.now,
            )
        self.approve("thamquyen")
        with writing(self.session):
            publishing.propose_publication(
                self.session, self.competition, by=self.people["tochuc1"], now=self.now
            )
        self.approve("chutich")

    def approve(self, handle: str) -> None:
        """This person approves everything that waits in the competition."""
        for request in approvals.waiting(self.session, self.slug, self.now):
            number, digest = request.id, request.digest
            with writing(self.session):
                approvals.approve(self.session, number, by=self.people[handle], digest=digest, now=self.now)


def grant(session: Session, people: Mapping[str, int], role: str, receiver: str, slug: str, by: tuple[str, str], now: datetime) -> None:
    """A role proposed by the first and approved by the second."""
    request = roles.propose_role(
        session, account_id=people[receiver], role=role, competition=slug, by=people[by[0]], now=now
    )
    roles.approve_role(session, request_id=request.id, by=people[by[1]], now=now)


def enrol(session: Session, now: datetime) -> dict[str, int]:
    """Accounts of all invented people, by handle; two administrators first, then the personnel office."""
    hashed = hash_password(PASSWORD)
    people: dict[str, int] = {}
    with writing(session):
        first = accounts.initialise(
            session, [(one.name, f"{one.handle}@{DOMAIN}") for one in STAFF[:2]], now=now
        )
        for person, made in zip(STAFF[:2], first, strict=True):
            people[person.handle] = made.account_id
            accounts.set_password(session, made.account_id, password_hash=hashed, now=now)
        for person in (*STAFF[2:], *CANDIDATES):
            people[person.handle] = accounts.register_account(
                session, email=f"{person.handle}@{DOMAIN}", name=person.name, password_hash=hashed, now=now
            ).id
    with writing(session):
        for officer in ("tochuc1", "tochuc2"):
            grant(session, people, "hr-officer", officer, "", ("quantri1", "quantri2"), now)
    return people


TEST = [{"count": 20, "marks": "2", "kinds": ["single", "true-false", "multiple", "numeric"]}]
ESSAY = [{"count": 1, "marks": "20", "kinds": ["essay"]}]


def tell(
    session: Session, now: datetime, *, secret: str = announcing.SECRET, host: str = announcing.HOST
) -> dict[str, int]:
    """Everything up to ``now``; returns the people by handle.  ``secret`` and ``host`` are the installation's, for its logs."""
    people = enrol(session, now - timedelta(days=150))
    with writing(session):
        organisation.found(session, people, now=now - timedelta(days=149))
    regulation = read_preset("demo")
    order = random.Random(7).sample(range(len(CANDIDATES)), len(CANDIDATES))  # noqa: S311
    ability = {person.handle: 0.55 + 0.035 * place for person, place in zip(CANDIDATES, order, strict=True)}

    published = Story(session, people, "truong-phong-2026-1", now - timedelta(days=120), seed=1, secret=secret, host=host)
    published.announce(
        {"vi": "Thi tuyển chức danh Trưởng phòng, đợt 1 năm 2026", "en": "Competition for heads of division, first round of 2026"},
        drawing.order_by_steps(regulation),
        posts=organisation.FIRST,
        exam=now - timedelta(days=40),
    )
    published.phase("applications")
    published.apply(CANDIDATES)
    published.now += timedelta(days=31)
    published.admit()
    published.phase("exam")
    published.exam(now - timedelta(days=40), ability)
    published.mark_scripts("essay", ability)
    published.lock("written", unblind=True)
    published.now += timedelta(days=3)
    published.hear("plan-defence", ability)
    published.lock("defence")
    published.publish()

    marking = Story(session, people, "pho-giam-doc-2026", now - timedelta(days=70), seed=3, secret=secret, host=host)
    marking.announce(
        {"vi": "Thi tuyển chức danh Phó Giám đốc Trung tâm Phục vụ hành chính công", "en": "Competition for a deputy director of the Public Service Centre"},
        regulation,
        posts=organisation.DEPUTIES,
        exam=now - timedelta(days=3),
    )
    marking.phase("applications")
    marking.apply(CANDIDATES[:8])
    marking.now += timedelta(days=31)
    marking.admit()
    marking.phase("exam")
    marking.exam(now - timedelta(days=3), ability)
    marking.mark_scripts("essay", ability, leave=3)

    ready = Story(session, people, "truong-phong-2026-2", now - timedelta(days=60), seed=2, secret=secret, host=host)
    ready.announce(
        {"vi": "Thi tuyển chức danh Trưởng phòng, đợt 2 năm 2026", "en": "Competition for heads of division, second round of 2026"},
        regulation,
        posts=organisation.SECOND,
        exam=now + timedelta(minutes=2),
    )
    ready.phase("applications")
    ready.apply(CANDIDATES)
    ready.admit()
    ready.phase("exam")
    ready.now = now
    ready.paper("test", TEST, "dot-2")
    ready.paper("essay", ESSAY, "dot-2")
    ready.make_ready(ready.sitting("test", now + timedelta(minutes=2)))
    ready.sitting("essay", now + timedelta(minutes=40))

    open_now = Story(session, people, "chi-cuc-truong-2026", now - timedelta(days=12), seed=4, secret=secret, host=host)
    open_now.announce(
        {"vi": "Thi tuyển chức danh Chi cục trưởng Chi cục Văn thư – Lưu trữ", "en": "Competition for the head of the Records and Archives Office"},
        regulation,
        posts=organisation.ARCHIVIST,
        exam=now + timedelta(days=40),
    )
    open_now.phase("applications")
    return people
