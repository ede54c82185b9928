"""The invented department behind the competitions: its units, its posts, the standard of a title, and who served where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from examsvc.careers import operations
from examsvc.careers.models import Position, Unit
from examsvc.demonstration.people import CANDIDATES, Person

UNIT = {"vi": "Sở Nội vụ tỉnh Thanh Hà (tưởng tượng)", "en": "Department of Home Affairs, Thanh Ha (invented)"}
CENTRE = {"vi": "Trung tâm Phục vụ hành chính công", "en": "Public Service Centre"}
ARCHIVES = {"vi": "Chi cục Văn thư – Lưu trữ", "en": "Records and Archives Office"}
UNITS = {"SNV": UNIT, "TTHCC": CENTRE, "CCVTLT": ARCHIVES}
FOUNDED = date(2008, 4, 1)


@dataclass(frozen=True)
class Place:
    """A post of the department: its code and title, the unit, the level as the demonstration's regulation names it."""

    code: str
    vi: str
    en: str
    unit: str = "SNV"
    level: str = "division-head"

    @property
    def title(self) -> dict[str, str]:
        return {"vi": self.vi, "en": self.en}


FIRST = (
    Place("TP-KHTH", "Trưởng phòng Kế hoạch – Tổng hợp", "Head of the Planning and Coordination Division"),
    Place("TP-CDS", "Trưởng phòng Chuyển đổi số", "Head of the Digital Transformation Division"),
    Place("TP-DVC", "Trưởng phòng Quản lý dịch vụ công", "Head of the Public Services Division"),
)
SECOND = (
    Place("TP-CCHC", "Trưởng phòng Cải cách hành chính", "Head of the Administrative Reform Division"),
    Place("TP-XDCQ", "Trưởng phòng Xây dựng chính quyền", "Head of the Local Government Division"),
    Place("TP-TDKT", "Trưởng phòng Thi đua – Khen thưởng", "Head of the Emulation and Awards Division"),
)
DEPUTIES = (
    Place("PGD-TN", "Phó Giám đốc phụ trách tiếp nhận hồ sơ", "Deputy director for reception", "TTHCC", "deputy-division-head"),
    Place("PGD-CN", "Phó Giám đốc phụ trách công nghệ", "Deputy director for technology", "TTHCC", "deputy-division-head"),
)
ARCHIVIST = (Place("CCT-VTLT", "Chi cục trưởng", "Head of the office", "CCVTLT"),)

STANDARD = (
    {"vi": "Tốt nghiệp đại học trở lên, chuyên ngành phù hợp", "en": "A university degree in a suitable field"},
    {"vi": "Bồi dưỡng lãnh đạo, quản lý cấp phòng", "en": "Training for heads of division"},
    {"vi": "Ít nhất 5 năm công tác trong lĩnh vực", "en": "At least five years of work in the field"},
)


def found(session: Session, people: Mapping[str, int], *, now: datetime) -> dict[str, Position]:
    """Units, posts, standard and service records; the posts by code.

    Every candidate's record is confirmed but one, which waits for the office.
    """
    department = operations.add_unit(session, code="SNV", name=UNIT, tier="province", begins_on=FOUNDED)
    units: dict[str, Unit] = {"SNV": department}
    for code in ("TTHCC", "CCVTLT"):
        units[code] = operations.add_unit(
            session, code=code, name=UNITS[code], tier="province", parent=department, begins_on=FOUNDED
        )
    standard = operations.add_standard(
        session,
        code="TC-CAP-PHONG",
        name={"vi": "Tiêu chuẩn chức danh cấp phòng (tưởng tượng)", "en": "Standard of heads of division (invented)"},
        source="Quyết định số 07/QĐ-SNV (tưởng tượng)",
        criteria=STANDARD,
        begins_on=FOUNDED,
    )
    posts = {
        place.code: operations.add_position(
            session,
            units[place.unit],
            code=place.code,
            title=place.title,
            level=place.level,
            begins_on=FOUNDED,
            standard=standard,
        )
        for place in (*FIRST, *SECOND, *DEPUTIES, *ARCHIVIST)
    }
    _serve(session, people, CANDIDATES, now)
    return posts


def _serve(session: Session, people: Mapping[str, int], candidates: Sequence[Person], now: datetime) -> None:
    today = now.date()
    for number, person in enumerate(candidates):
        joined = date(2010 + number % 4, 9, 1)
        promoted = today - timedelta(days=6 * 365 + 30 * number)
        for title, begins, ends in (("Chuyên viên", joined, promoted), ("Phó trưởng phòng", promoted, None)):
            noted = operations.note_service(
                session,
                account_id=people[person.handle],
                title=title,
                unit=UNIT["vi"],
                begins_on=begins,
                ends_on=ends,
                level="deputy-division-head" if ends is None else "",
                by=people[person.handle],
                now=now,
            )
            if number or ends:
                operations.confirm_service(session, noted, by=people["tochuc1"], now=now)
