"""A competition at the stage of applications, with people who hold roles, for tests of this room."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.applications import lists, office, operations, queries
from examsvc.applications.models import Application
from examsvc.applications.uploads import Upload, check
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Post
from examsvc.competitions.regulation import Regulation
from examsvc.demonstration import applying
from examsvc.ledger import order
from examsvc.ledger.entries import Entry, read_entry
from examsvc.ledger.models import LogEntry
from tests.applications import files
from tests.exam_hall import ExamHall

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
BORN = date(1984, 5, 17)


class Bureau(ExamHall):
    """Applications are open."""

    def __init__(self, session: Session, regulation: Regulation | None = None, *, posts: str = "A") -> None:
        super().__init__(session, regulation, posts=posts)
        self.phase("announced")
        self.phase("applications")

    def post(self, code: str = "A") -> Post:
        return next(one for one in self.competition.posts if one.code == code)

    @property
    def closing(self) -> datetime:
        found = queries.closes(self.session, self.post())
        assert found is not None
        return found

    def begin(self, name: str, post: str = "A", stream: str = "planned-here") -> Application:
        """Somebody begins a file and leaves it empty."""
        with self.write():
            account = self.people.get(name) or self.person(name).id
            made = operations.start_application(
                self.session, self.competition, self.post(post), account_id=account, stream=stream, now=self.now
            )
            self.applications[name] = made.id
        return self.application(name)

    def fill(self, name: str) -> Application:
        with self.write():
            applying.fill_in(self.session, self.application(name), born=BORN, now=self.now)
        return self.application(name)

    def submit(self, name: str) -> str:  # type: ignore[override]
        with self.write():
            return operations.submit_application(self.session, self.application(name), now=self.now)

    def apply(self, name: str, post: str = "A") -> Application:
        self.begin(name, post)
        self.fill(name)
        self.submit(name)
        return self.application(name)

    def close_applications(self) -> None:
        self.now = self.closing
        self.phase("eligibility")

    def find_all(self, name: str) -> None:
        """The officer finds every criterion met that a person must look at."""
        with self.write():
            application = self.application(name)
            for one in queries.criteria(self.session, application, ZONE):
                if one.outcome is None:
                    office.record_finding(
                        self.session,
                        application,
                        one.assessment.criterion,
                        met=True,
                        reason=None,
                        by=self.office,
                        now=self.now,
                        zone=ZONE,
                    )

    def propose(self, name: str, *, eligible: bool = True, reason: str | None = None) -> approvals.ApprovalRequest:
        with self.write():
            application = self.application(name)
            proposal = office.proposal(self.session, application, eligible=eligible, reason=reason, zone=ZONE)
            return office.propose_decisions(self.session, self.competition, [proposal], by=self.office, now=self.now)

    def approve(self, request: approvals.ApprovalRequest, by: int | None = None) -> bool:
        with self.write():
            found = self.session.get_one(approvals.ApprovalRequest, request.id)
            return approvals.approve(
                self.session, found.id, by=by or self.second, digest=found.digest, now=self.now
            )

    def decide(self, name: str, *, eligible: bool = True, reason: str | None = None) -> None:
        self.find_all(name)
        assert self.approve(self.propose(name, eligible=eligible, reason=reason))

    def list_candidates(self) -> None:
        with self.write():
            request = lists.propose_lists(self.session, self.competition, by=self.office, now=self.now)
        assert self.approve(request)

    # ---------------------------------------------------------------- looking

    def entries(self) -> list[Entry]:
        rows = self.session.scalars(select(LogEntry).where(LogEntry.log == "mot").order_by(LogEntry.position))
        return [read_entry(row.entry) for row in rows]

    def types(self, prefix: str = "") -> list[str]:
        return [one.type for one in self.entries() if one.type.startswith(prefix)]

    def problems(self) -> list[order.Problem]:
        """What the rules of order find wrong in the whole log."""
        import json

        regulation = competitions.regulation(self.competition)
        stages = order.declared_stages(json.loads(regulation.canonical_bytes()))
        history = order.History("competition", {post.code: stages for post in self.competition.posts})  # type: ignore[arg-type]
        return [problem for entry in self.entries() for problem in history.append(entry)]


def upload(content: bytes | None = None, name: str = "tệp.pdf") -> Upload:
    """A checked PDF of one page more each time it is asked for another content."""
    return check(content if content is not None else files.pdf(), name, ("pdf", "docx", "jpeg", "png"), 10**8)
