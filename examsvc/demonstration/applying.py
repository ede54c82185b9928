"""How invented people fill in an application: every question answered, every file a real PDF, nothing skipped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.applications import lists, office, operations, queries, questions, rules
from examsvc.applications.models import Application
from examsvc.applications.uploads import Upload, check
from examsvc.base import documents
from examsvc.competitions import queries as competitions
from examsvc.competitions.entry_clauses import FileRule
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import Regulation

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
STREAM = "planned-here"
"""How invented candidates come to a competition under the demonstration regulation."""
FileOf = Callable[[Application, FileRule], Upload]


def fill_in(session: Session, application: Application, *, born: date, now: datetime, file_of: FileOf | None = None) -> None:
    """Completes the file as a candidate would: details, relatives, signatures, every required file."""
    regulation = competitions.regulation(application.competition)
    today = now.astimezone(ZONE).date()
    answers = {
        one.name: _answer(one, regulation, application, today) for one in questions.asked(regulation, application.stream)
    }
    operations.save_details(
        session,
        application,
        {name: value for name, value in answers.items() if value is not None},
        birth_date=born,
        identity=hashlib.sha256(f"invented identity {application.account.email}".encode()).hexdigest(),
        now=now,
        today=today,
    )
    operations.answer_relatives(session, application, any_close=False, now=now)
    for one in rules.declarations(regulation, application.stream):
        operations.sign(session, application, one.id, typed=application.account.name, now=now)
    needed = rules.required_files(regulation, application.stream, application.answers)
    for rule in rules.files_asked(regulation, application.stream):
        if rule.id in needed:
            operations.keep_file(session, application, rule.id, (file_of or plain_file)(application, rule), now=now)


def _answer(question: questions.Question, regulation: Regulation, application: Application, today: date) -> object:
    """An answer with which an invented candidate meets the criteria."""
    if question.kind == "level":
        levels = [level.id for level in regulation.posts.levels]
        place = levels.index(application.post.level) if application.post.level in levels else 0
        return levels[place - 1] if place else questions.NO_LEVEL
    if question.name == "retires_on":
        return (today + timedelta(days=12 * 365)).isoformat()
    if question.kind == "date":
        return (today - timedelta(days=6 * 365)).isoformat() if question.name != "disciplined_on" else None
    if question.name == "disciplined":
        return "no"
    if question.name == "unit":
        return str(application.post.unit["vi"])
    return {"sex": "woman", "number": "10", "text": "Phó trưởng phòng"}.get(question.kind)


def plain_file(application: Application, rule: FileRule) -> Upload:
    """The same short PDF for everybody: for tests and rehearsals."""
    return _plain(rule.id, rule.label.vi)


@lru_cache(maxsize=32)
def _plain(kind: str, title: str) -> Upload:
    return check(_pdf(title, {"facts": [], "sections": [], "signed": kind}, date(2026, 1, 5)), f"{kind}.pdf", ["pdf"], 10**7)


def written_file(application: Application, rule: FileRule) -> Upload:
    """A PDF in the person's name: a short curriculum vitae, an action plan, a decision, a signed commitment."""
    return _written(
        rule.purpose,
        rule.label.vi,
        application.account.name,
        application.post.title["vi"],
        application.post.unit["vi"],
        application.started_at.astimezone(ZONE).date(),
    )


@lru_cache(maxsize=512)
def _written(purpose: str, title: str, name: str, post: str, unit: str, day: date) -> Upload:
    facts = [["Họ và tên", name], ["Chức danh dự thi", post], ["Đơn vị", unit]]
    sections = [
        {"title": heading, "paragraphs": [text.format(post=post, unit=unit) for text in texts]}
        for heading, texts in _TEXTS.get(purpose, _TEXTS["evidence"])
    ]
    data = {"facts": facts, "sections": sections, "signed": name}
    return check(_pdf(title, data, day), f"{title} – {name}.pdf", ["pdf"], 10**7)


def _pdf(title: str, data: dict[str, object], day: date) -> bytes:
    return documents.pdf(
        "demonstration",
        "file",
        data,
        title=title,
        language="vi",
        institution="Hồ sơ minh họa",
        moment=datetime(day.year, day.month, day.day, 9, tzinfo=ZONE),
        letterhead="plain",
    )


_TEXTS: dict[str, list[tuple[str, list[str]]]] = {
    "action-plan": [
        ("1. Hiện trạng", ["Nêu công việc của {unit}, điểm mạnh, điểm yếu và số liệu của ba năm gần nhất."]),
        (
            "2. Mục tiêu hai năm",
            ["Rút ngắn thời gian xử lý hồ sơ, giao việc theo sản phẩm và công khai tiến độ hằng tháng."],
        ),
        (
            "3. Giải pháp",
            [
                "Phân công rõ người, rõ việc, rõ thời hạn; {post} họp giao ban ngắn mỗi tuần.",
                "Bồi dưỡng tại chỗ cho công chức mới, luân phiên vị trí có rủi ro.",
            ],
        ),
        ("4. Cam kết", ["Chịu trách nhiệm về kết quả; báo cáo giữa kỳ sau mười hai tháng."]),
    ],
    "commitment": [("Cam kết trách nhiệm", ["Tôi cam kết thực hiện chương trình hành động và chịu trách nhiệm về kết quả."])],
    "application": [
        ("Quá trình công tác", ["Từ năm 2010: chuyên viên, phó trưởng phòng; hoàn thành tốt nhiệm vụ các năm gần đây."]),
        ("Đào tạo, bồi dưỡng", ["Đại học chuyên ngành phù hợp; bồi dưỡng lãnh đạo cấp phòng."]),
    ],
    "evidence": [("Nội dung", ["Văn bản minh họa, không có giá trị pháp lý."])],
}


# ---------------------------------------------------------------- the office's side


def decide_all(session: Session, competition: Competition, *, first: int, second: int, now: datetime) -> None:
    """Two officers look at every open file, find every criterion met that a person must look at, and admit the candidate."""
    proposals = []
    for application in queries.undecided(session, competition.id):
        for one in queries.criteria(session, application, ZONE):
            if one.outcome is None:
                office.record_finding(
                    session, application, one.assessment.criterion, met=True, reason=None, by=first, now=now, zone=ZONE
                )
        proposals.append(office.proposal(session, application, eligible=True, reason=None, zone=ZONE))
    for start in range(0, len(proposals), office.MOST_AT_ONCE):
        request = office.propose_decisions(
            session, competition, proposals[start : start + office.MOST_AT_ONCE], by=first, now=now
        )
        approvals.approve(session, request.id, by=second, digest=request.digest, now=now)


def list_all(session: Session, competition: Competition, *, first: int, second: int, now: datetime) -> None:
    """Two officers approve the lists of candidates, and one posts them."""
    request = lists.propose_lists(session, competition, by=first, now=now)
    approvals.approve(session, request.id, by=second, digest=request.digest, now=now)
    lists.post_lists(session, competition, kind="admitted", by=first, now=now)
