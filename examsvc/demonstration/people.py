"""The invented people of the demonstration.  Any likeness is chance; every page of a demonstration says so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """One invented person: the handle is the local part of an invented e-mail address."""

    handle: str
    name: str
    roles: tuple[str, ...] = ()


STAFF = (
    Person("quantri1", "Lý Quốc Hưng", ("system-administrator",)),
    Person("quantri2", "Mạc Thị Thu Hà", ("system-administrator",)),
    Person("thamquyen", "Trịnh Văn Khải", ("competent-authority",)),
    Person("chutich", "Vũ Đức Thành", ("council-chair",)),
    Person("thuky", "Ngô Thị Minh Nguyệt", ("council-secretary",)),
    Person("uyvien1", "Đỗ Hoàng Long", ("council-member",)),
    Person("uyvien2", "Phan Thị Kim Oanh", ("council-member",)),
    Person("uyvien3", "Hồ Quang Vinh", ("council-member",)),
    Person("tochuc1", "Bùi Thị Lan Hương", ("hr-officer",)),
    Person("tochuc2", "Dương Văn Tuấn", ("hr-officer",)),
    Person("rade", "Cao Xuân Bách", ("question-setter",)),
    Person("duyetde", "Tạ Thị Hồng Vân", ("paper-approver",)),
    Person("giukhoa1", "Kiều Anh Dũng", ("custodian",)),
    Person("giukhoa2", "Lưu Thị Bích Ngọc", ("custodian",)),
    Person("giukhoa3", "Thái Văn Sơn", ("custodian",)),
    Person("truongcoithi", "Quách Văn Định", ("chief-invigilator",)),
    Person("giamthi1", "La Thị Mai", ("invigilator",)),
    Person("giamthi2", "Chu Minh Quân", ("invigilator",)),
    Person("giuphach", "Từ Thị Thanh Tâm", ("code-custodian",)),
    Person("truongcham", "Đoàn Hữu Phước", ("chief-examiner",)),
    Person("giamkhao1", "Hà Thị Tuyết", ("marker",)),
    Person("giamkhao2", "Lâm Gia Huy", ("marker",)),
    Person("giamkhao3", "Vương Thị Ngân", ("marker",)),
    Person("phuckhao1", "Triệu Văn Nam", ("re-marker",)),
    Person("phuckhao2", "Âu Thị Hiền", ("re-marker",)),
    Person("chutri", "Nghiêm Xuân Trường", ("panel-chair",)),
    Person("giamkhaodean1", "Tống Thị Yến", ("panel-member",)),
    Person("giamkhaodean2", "Mai Văn Lực", ("panel-member",)),
    Person("giamkhaodean3", "Đặng Thị Thùy", ("panel-member",)),
    Person("giamkhaodean4", "Lê Công Danh", ("panel-member",)),
    Person("giamkhaodean5", "Hoàng Thị Diệp", ("panel-member",)),
    Person("giamkhaodean6", "Nông Văn Cường", ("panel-member",)),
    Person("giamsat", "Phùng Thị Hạnh", ("supervisor",)),
)

CANDIDATES = (
    Person("an", "Nguyễn Thị Thúy An"),
    Person("binh", "Trần Văn Bình"),
    Person("chau", "Lê Thị Minh Châu"),
    Person("dung", "Phạm Tiến Dũng"),
    Person("giang", "Hoàng Hương Giang"),
    Person("hai", "Phan Thanh Hải"),
    Person("hoa", "Vũ Thị Hòa"),
    Person("khanh", "Đặng Quốc Khánh"),
    Person("linh", "Bùi Khánh Linh"),
    Person("nam", "Đỗ Hoài Nam"),
    Person("oanh", "Hồ Thị Kiều Oanh"),
    Person("phuc", "Ngô Hồng Phúc"),
)
