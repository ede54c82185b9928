"""A competition from its opening to its published notice, by people who do every step as they would on the pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.accounts.models import ApprovalRequest
from examsvc.competitions import announcing, notice_document, operations, preparing, queries
from examsvc.competitions.models import Competition
from examsvc.competitions.preparing import Member
from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.ledger import keys
from examsvc.ledger.notes import COSIGNATURE, SignerKey
from examsvc.ledger.operations import REGISTRY

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SECRET = sha256(b"the log keys of invented competitions").hexdigest()
HOST = "demo.example.vn"
TEXTS: Mapping[str, dict[str, str]] = {
    "subjects": {
        "vi": "Chủ trương, chính sách về cải cách hành chính; chức năng, nhiệm vụ của đơn vị; kỹ năng lãnh đạo, quản lý. Đề án trình bày chương trình hành động 3 năm ở chức danh dự tuyển.",
        "en": "Policy on administrative reform; functions and duties of the unit; leadership and management. The plan sets out three years of action in the post.",
    },
    "place": {
        "vi": "Trung tâm Hội nghị tỉnh Thanh Hà, số 1 đường Hòa Bình. Phòng thi và số báo danh niêm yết trước ngày thi.",
        "en": "Conference Centre of Thanh Ha, 1 Hoa Binh Street. Rooms and seats are posted before the day.",
    },
    "handing-in": {
        "vi": "Nộp hồ sơ trên hệ thống này, trước khi hết hạn. Không nhận bản giấy.",
        "en": "Hand the file in on this system before the time is over. Paper is not taken.",
    },
    "contact": {
        "vi": "Phòng Tổ chức cán bộ, điện thoại 0200 000 000, thư điện tử tochuc@demo.example.vn.",
        "en": "Personnel Division, telephone 0200 000 000, e-mail tochuc@demo.example.vn.",
    },
    "privacy": {
        "vi": "Dữ liệu cá nhân chỉ dùng cho kỳ thi này. Thí sinh được xem, đề nghị sửa dữ liệu của mình tại Phòng Tổ chức cán bộ.",
        "en": "Personal data serve this competition only. Candidates may see and correct their own at the Personnel Division.",
    },
    "posted": {
        "vi": "Báo Thanh Hà; bảng tin tại trụ sở, số 1 đường Hòa Bình.",
        "en": "The newspaper Thanh Hà; the notice board at 1 Hoa Binh Street.",
    },
}


@dataclass(frozen=True)
class Board:
    """Accounts of those who announce: two personnel officers, the chair, the secretary and the members of the council."""

    officer: int
    second: int
    chair: int
    secretary: int
    members: Sequence[int]


@lru_cache
def objective_only() -> Regulation:
    """The demonstration regulation with nothing but its computer test, and nothing that speaks of the other parts."""
    tree = json.loads(read_preset("demo").canonical_bytes())
    tree["stages"] = [stage for stage in tree["stages"] if stage["id"] in ("eligibility", "written")]
    tree["stages"][1]["parts"] = [part for part in tree["stages"][1]["parts"] if part["id"] == "test"]
    tree["ties"]["steps"] = [step for step in tree["ties"]["steps"] if step["by"] == "role-decides"]
    tree["total"] |= {"maximum": "40", "unequal_weights_reason": None}
    tree["appeals"] = [one for one in tree["appeals"] if one["id"] != "re-mark"]
    tree["marking"], tree["panels"] = [], []
    for rule in tree["calendar"]["deadlines"]:
        if rule["base"] == "marks-locked:defence":
            rule["base"] = "marks-locked:written"
    return Regulation.model_validate_json(json.dumps(tree))


def witness(name: str) -> str:
    """The verifier key of an invented witness."""
    return SignerKey(f"witness.example/{name}", COSIGNATURE, sha256(name.encode()).digest()).verifier.text


def open_competition(
    session: Session,
    *,
    slug: str,
    title: Mapping[str, str],
    regulation: Regulation,
    officer: int,
    second: int,
    now: datetime,
    secret: str = SECRET,
    host: str = HOST,
) -> Competition:
    """Proposed by one officer and approved by another; its log begins."""
    document = operations.add_regulation(session, regulation, by=officer, now=now)
    request = operations.propose_competition(
        session,
        slug=slug,
        title=title,
        regulation=document,
        identity=keys.identity(secret, host, slug),
        registry=keys.identity(secret, host, REGISTRY),
        by=officer,
        now=now,
    )
    _approve(session, request, second, now)
    return queries.competition(session, slug)


def announce(
    session: Session,
    competition: Competition,
    board: Board,
    *,
    opens: datetime,
    closes: datetime,
    exams: Sequence[datetime],
    now: datetime,
) -> None:
    """Council, clauses, dates, witnesses, pinning and notice, each as the regulation asks; ``exams`` are the stages' beginnings."""
    rules = queries.regulation(competition)
    seats = [Member(board.chair, "chair"), Member(board.secretary, "secretary")]
    seats += [Member(one, "member") for one in board.members]
    request = preparing.propose_council(
        session, competition, seats, number="15/QĐ-SNV", decided_on=now.date(), by=board.officer, now=now
    )
    _approve(session, request, board.second, now)
    waiting = queries.open_clauses(session, competition, now.date())
    operations.confirm_clauses(
        session, competition, {(one.path, one.digest) for one in waiting}, by=board.secretary, now=now
    )
    stages = notice_document.examined(rules)
    dates: dict[str, datetime | None] = {"applications-opened": opens, "applications-closed": closes}
    dates |= {f"exam-started:{stage}": at for stage, at in zip(stages, exams, strict=False)}
    preparing.plan_dates(session, competition, dates, zone=ZONE, by=board.officer, now=now)
    if rules.witnesses is not None:
        preparing.set_witness_keys(session, competition, {name: witness(name) for name in rules.witnesses.names})
    _approve(session, announcing.propose_pin(session, competition, by=board.officer, now=now), board.chair, now)
    announcing.save_notice_texts(session, competition, TEXTS, by=board.officer, now=now)
    request = announcing.propose_notice(session, competition, zone=ZONE, by=board.officer, now=now)
    _approve(session, request, board.chair, now)


def usual_exams(first: datetime, regulation: Regulation) -> list[datetime]:
    """The beginning of each stage of an exam, four days after the one before."""
    return [first + place * timedelta(days=4) for place in range(len(notice_document.examined(regulation)))]


def _approve(session: Session, request: ApprovalRequest, by: int, now: datetime) -> None:
    approvals.approve(session, request.id, by=by, digest=request.digest, now=now)
