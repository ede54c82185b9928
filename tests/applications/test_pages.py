"""The pages: a candidate's way through, what strangers get, hostile uploads, and the office."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from examsvc.accounts import approvals
from examsvc.accounts.models import ApprovalRequest
from examsvc.applications import queries
from examsvc.applications.models import AccommodationRequest, Application
from examsvc.base.database import writing
from tests.applications import files
from tests.applications.conftest import BureauOf
from tests.applications.hall import Bureau
from tests.web import World, world

HOME = "/competitions/mot"


class Office:
    """A bureau and the application that serves it."""

    def __init__(self, hall: Bureau, made: World) -> None:
        self.hall, self.web = hall, made

    def client(self, who: str | int) -> FlaskClient:
        self.web.now = self.hall.now
        made = self.web.client(self.hall.people[who] if isinstance(who, str) else who)
        made.get("/language/en")
        return made

    def application(self, name: str) -> Application:
        self.hall.session.rollback()
        self.hall.session.expire_all()
        return self.hall.application(name)

    def address(self, name: str, page: str = "") -> str:
        return f"{HOME}/applications/{self.application(name).code}{page}"


@pytest.fixture
def office(bureau: BureauOf, tmp_path: Path) -> Callable[..., Office]:
    def make(preset: str = "", posts: str = "A") -> Office:
        hall = bureau(preset, posts)
        made = world(tmp_path, f"sqlite:///{tmp_path / 'bureau.sqlite'}", hall.now)
        return Office(hall, made)

    return make


def text(response: TestResponse, status: int = 200) -> str:
    assert response.status_code == status, response.get_data(as_text=True)[-3000:]
    return response.get_data(as_text=True)


def sent(content: bytes, name: str = "tệp.pdf") -> dict[str, object]:
    return {"file": (io.BytesIO(content), name)}


def large(size: int) -> dict[str, object]:
    """The body of an upload of that size, written by hand: the test client would leave its own temporary file open."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    body = head + b"%PDF-" + b"0" * (size - 5) + b"\r\n--x--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=x"}


def test_a_candidate_goes_the_whole_way(office: Callable[..., Office]) -> None:
    made = office()
    hall = made.hall
    with hall.write():
        hall.person("An Nguyễn")
    browser = made.client("An Nguyễn")
    page = text(browser.get(f"{HOME}/apply"))
    assert "Head of division A" in page
    assert "Choose the post" in text(browser.post(f"{HOME}/apply", data={"stream": "planned-here"}))
    response = browser.post(f"{HOME}/apply", data={"post": "A", "stream": "planned-here"})
    assert response.status_code == 302
    home = response.location
    page = text(browser.get(home))
    assert page.count("Not started") == 5
    assert "What is missing" in page

    details = f"{home}/details"
    page = text(browser.post(details, data={"birth_date": "31/02/1984"}))
    assert "Enter a date that exists" in page
    assert "number of your identity document" in page
    page = text(browser.post(details, data={"birth_date": "17/05/2020", "identity": "012345678901"}))
    assert "younger than 16" in page
    answers = {
        "birth_date": "17/05/1984",
        "identity": "0123 4567 8901",
        "q_level": "deputy-division-head",
        "q_post": "Phó trưởng phòng",
        "q_unit": "Sở Một",
        "q_post_since": "01.03.2020",
        "q_field_since": "2010-09-01",
        "q_disciplined": "no",
        "q_disciplined_on": "01/01/2001",
    }
    assert "lies in the future" in text(browser.post(details, data=answers | {"q_post_since": "01/03/2030"}))
    assert browser.post(details, data=answers).status_code == 302
    browser.post(f"{home}/relatives", data={"any_close": "no"})
    page = text(browser.post(f"{home}/declarations", data={"criterion": "commitment", "commitment-typed": "Bình"}))
    assert "Type your full name" in page
    assert browser.post(
        f"{home}/declarations", data={"criterion": "commitment", "commitment-typed": "an nguyễn"}
    ).status_code == 302  # fmt: skip
    for kind in ("curriculum-vitae", "planning-decision", "action-plan", "commitment"):
        assert browser.post(f"{home}/files/{kind}", data=sent(files.pdf(), f"{kind}.docx")).status_code == 302
    page = text(browser.get(home))
    assert "What is missing" not in page
    page = text(browser.get(f"{home}/check"))
    assert "17/05/1984" in page
    assert "01/03/2020" in page
    assert "Deputy head of division" in page
    assert "012345678901" not in page
    assert "01/01/2001" not in page, "the date of a discipline that there never was is not kept"
    response = browser.post(f"{home}/check")
    assert response.location.endswith("/receipts/1")
    page = text(browser.get(response.location))
    application = hall.session.query(Application).one()
    assert application.candidate_number in page
    assert application.submissions[0].commitment in page
    receipt = json.loads(text(browser.get(f"{home}/receipts/1.json")))
    assert receipt["commitment"] == application.submissions[0].commitment
    again = browser.post(f"{home}/check")
    assert again.location.endswith("/receipts/1"), "handing in twice is one submission"
    assert "nothing changed since" in text(browser.get(f"{home}/check"))
    page = text(browser.post(f"{home}/withdraw", data={}))
    assert "Choose yes or no" in page
    browser.post(f"{home}/withdraw", data={"sure": "no"})
    hall.session.rollback()
    hall.session.refresh(application)
    assert application.withdrawn_at is None
    browser.post(f"{home}/withdraw", data={"sure": "yes"})
    hall.session.rollback()
    hall.session.refresh(application)
    assert application.withdrawn_at is not None
    assert "You withdrew" in text(browser.get(home))


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"MZ\x90\0" + b"\0" * 900, "cv.pdf", "This is EXE"),
        (files.pdf() + files.archive(), "cv.pdf", "two formats"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "cv.png", "no known format"),
    ],
)
def test_hostile_uploads(office: Callable[..., Office], content: bytes, name: str, sentence: str) -> None:
    made = office()
    made.hall.begin("An")
    browser = made.client("An")
    page = text(browser.post(made.address("An", "/files/curriculum-vitae"), data=sent(content, name)))
    assert sentence in page
    assert 'aria-invalid="true"' in page
    assert made.application("An").files == []


def test_uploads_too_large_or_missing(office: Callable[..., Office]) -> None:
    made = office()
    made.hall.begin("An")
    browser = made.client("An")
    address = made.address("An", "/files/action-plan")
    assert "Choose a file" in text(browser.post(address, data={}))
    page = text(browser.post(address, **large(21 * 1024 * 1024)), 413)
    assert "too large" in page
    page = text(browser.post(address, **large(20 * 1024 * 1024 + 1)))
    assert "20.0 MB; at most 20 MB" in page
    assert made.application("An").files == []
    text(browser.get(made.address("An", "/files/passwords")), 404)


def test_a_stored_file_goes_out_as_a_harmless_download(office: Callable[..., Office]) -> None:
    made = office()
    made.hall.begin("An")
    browser = made.client("An")
    content = files.pdf(2)
    browser.post(made.address("An", "/files/action-plan"), data=sent(content, "..\\..\\Đề án “2026”.pdf"))
    version = made.application("An").files[0]
    response = browser.get(made.address("An", f"/versions/{version.id}"))
    assert response.data == content
    headers = response.headers
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"].startswith("attachment; filename=")
    assert "filename*=UTF-8''%C4%90%E1%BB%81%20%C3%A1n" in headers["Content-Disposition"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in headers["Cache-Control"]


def test_nobody_sees_another_ones_file(office: Callable[..., Office]) -> None:
    made = office()
    hall = made.hall
    hall.apply("An")
    hall.apply("Bình")
    hall.begin("Chi")
    version = made.application("An").files[0].id
    pages = [
        "",
        "/details",
        "/relatives",
        "/declarations",
        "/files",
        "/files/action-plan",
        f"/versions/{version}",
        "/check",
        "/receipts/1",
        "/receipts/1.json",
        "/withdraw",
        "/arrangements",
    ]
    stranger = made.client("Bình")
    for page in pages:
        assert stranger.get(made.address("An", page)).status_code == 404, page
    assert stranger.get(made.address("Bình", f"/versions/{version}")).status_code == 404
    for page in ("/check", "/withdraw", "/details", "/files/action-plan"):
        assert stranger.post(made.address("An", page), data={"sure": "yes"}).status_code == 404, page
    assert made.application("An").withdrawn_at is None
    anyone = made.web.client()
    for page in pages:
        assert anyone.get(made.address("An", page)).status_code == 302, page
    for address in ("/files", "/candidate-lists", "/arrangements", f"/files/{made.application('An').code}"):
        assert stranger.get(HOME + address).status_code == 404, address
        for role in ("Marker1", "Setter", "Invigilator", "Panel1"):
            assert made.client(role).get(HOME + address).status_code == 403, (role, address)
    draft = made.client(hall.office).get(f"{HOME}/files/{made.application('Chi').code}")
    assert draft.status_code == 404, "a draft is nobody's but the candidate's"


def test_time_is_over_on_every_page(office: Callable[..., Office]) -> None:
    made = office()
    hall = made.hall
    hall.begin("An")
    hall.fill("An")
    hall.now = hall.closing
    browser = made.client("An")
    for page in ("", "/details", "/relatives", "/declarations", "/files", "/files/action-plan", "/check"):
        body = text(browser.get(made.address("An", page)))
        assert 'type="submit">Upload' not in body
        assert "Hand in</button>" not in body
    page = text(browser.post(made.address("An", "/check")))
    assert "time for applications is over" in page
    page = text(browser.post(made.address("An", "/files/action-plan"), data=sent(files.pdf(3))))
    assert "time for applications is over" in page
    assert "No applications are taken" in text(made.client("Chair").get(f"{HOME}/apply"))


def test_confidential_requests(office: Callable[..., Office]) -> None:
    made = office("demo", "AB")
    hall = made.hall
    hall.apply("An")
    browser = made.client("An")
    address = made.address("An", "/arrangements")
    assert "at least one arrangement" in text(browser.post(address, data={"explanation": "x"}))
    secret = "Thoái hóa võng mạc"
    browser.post(address, data={"measures": ["extra-minutes", "large-print"], "explanation": secret})
    assert "This is EXE" in text(browser.post(f"{address}/evidence", data=sent(b"MZ\x90\0" + b"\0" * 900)))
    browser.post(f"{address}/evidence", data=sent(files.picture("JPEG"), "giấy.jpg"))
    hall.session.rollback()
    request = hall.session.query(AccommodationRequest).one()
    evidence = request.evidence[0]
    assert browser.get(f"{address}/{request.id}/evidence/{evidence.id}").mimetype == "image/jpeg"
    office_page = f"{HOME}/arrangements/{request.id}"
    for role in ("Marker1", "Chief", "Coder", "Panel1", "PanelChair", "Invigilator", "Hall", "Setter"):
        client = made.client(role)
        for page in (f"{HOME}/arrangements", office_page, f"{office_page}/evidence/{evidence.id}"):
            assert client.get(page).status_code == 403, (role, page)
    officer = made.client(hall.office)
    assert secret in text(officer.get(office_page))
    assert "Enter 0 to 10 minutes" in text(
        officer.post(office_page, data={"measures": ["extra-minutes"], "extra_0": "11", "reason": "x"})
    )
    response = officer.post(
        office_page, data={"measures": ["extra-minutes"], "extra_0": "5", "extra_1": "15", "reason": "Có giấy xác nhận."}
    )
    assert response.status_code == 302
    approve(made, hall.second)
    assert "Có giấy xác nhận." in text(browser.get(address))
    hall.session.rollback()
    assert queries.arrangements(hall.session, hall.competition_id)[hall.applications["An"]].extra == {"test": 5, "essay": 15}


def approve(made: Office, who: int) -> None:
    """The second person finds the step in the list of approvals and approves it."""
    client = made.client(who)
    page = text(client.get("/account/approvals"))
    number = re.search(r"/account/approvals/(\d+)", page)
    assert number is not None
    shown = text(client.get(f"/account/approvals/{number[1]}"))
    digest = re.search(r'name="digest" type="hidden" value="(\w+)"', shown)
    assert digest is not None, shown
    assert client.post(f"/account/approvals/{number[1]}/approve", data={"digest": digest[1]}).status_code == 302


def test_no_module_of_marking_knows_of_arrangements() -> None:
    folder = Path(__file__).parents[2] / "examsvc" / "marking"
    sources = [path.read_text() for path in folder.rglob("*") if path.suffix in (".py", ".html", ".typ")]
    assert len(sources) > 5
    assert not [one for one in sources if "accommodation" in one.lower() or "arrangements" in one.lower()]


def test_the_office_decides(office: Callable[..., Office]) -> None:
    made = office()
    hall = made.hall
    hall.apply("An")
    hall.apply("Bình")
    officer = made.client(hall.office)
    page = text(officer.get(f"{HOME}/files"))
    assert "Applications are still open" in page
    assert page.index(">An<") < page.index(">Bình<")
    hall.close_applications()
    officer = made.client(hall.office)
    code = made.application("An").code
    page = text(officer.get(f"{HOME}/files/{code}"))
    assert "The next step of the ladder." in page
    assert page.count("A person must look") == 3
    for criterion in ("ladder", "standards", "discipline"):
        address = f"{HOME}/files/{code}/criteria/{criterion}"
        assert "Choose whether the criterion is met" in text(officer.post(address, data={}))
        assert officer.post(address, data={f"{criterion}-met": "yes"}).status_code == 302
    assert "why the criterion is not met" in text(
        officer.post(f"{HOME}/files/{code}/criteria/ladder", data={"ladder-met": "no"})
    )
    assert officer.post(f"{HOME}/files/{code}/criteria/luck", data={"luck-met": "yes"}).status_code == 404
    page = text(officer.get(f"{HOME}/files"))
    assert page.count('type="checkbox" name="file"') == 1, "only the file on which every criterion is met"
    assert officer.post(f"{HOME}/files/decisions", data={"file": [code]}).status_code == 302
    assert "Waits for a second person" in text(officer.get(f"{HOME}/files"))
    approve(made, hall.second)
    assert "You are admitted" in text(made.client("An").get(made.address("An")))
    other = made.application("Bình").code
    response = officer.post(
        f"{HOME}/files/{other}/supplement", data={"text": "Thiếu trang 2\nThiếu dấu", "files": ["curriculum-vitae"]}
    )
    assert response.status_code == 302
    candidate = made.client("Bình")
    page = text(candidate.get(made.address("Bình")))
    assert "Something is missing" in page
    supplement = made.application("Bình").supplements[0]
    page = text(candidate.get(made.address("Bình", f"/supplements/{supplement.id}")))
    assert "Thiếu dấu" in page
    candidate.post(made.address("Bình", "/files/curriculum-vitae"), data=sent(files.pdf(3)))
    candidate.post(made.address("Bình", f"/supplements/{supplement.id}"), data={"answer": "Đã nộp."})
    assert "Supplement handed in" in text(officer.get(f"{HOME}/files"))


def test_filters_and_the_spreadsheet(office: Callable[..., Office]) -> None:
    made = office("demo", "AB")
    hall = made.hall
    for name, post in (("=HYPERLINK(1)", "A"), ("@Ân", "B"), ("Bình", "B")):
        hall.apply(name, post)
    officer = made.client(hall.office)
    assert "Bình" not in text(officer.get(f"{HOME}/files?post=A"))
    assert "@Ân" in text(officer.get(f"{HOME}/files?search=ân"))
    assert "No file fits" in text(officer.get(f"{HOME}/files?state=refused"))

    def taken_out(query: str) -> object:
        """Proposed by one officer, approved by another, fetched by the first and by nobody else."""
        number = int(officer.post(f"{HOME}/files/export{query}").headers["Location"].rsplit("/", 1)[1])
        assert officer.get(f"{HOME}/files-{number}.xlsx").status_code == 404, "not before the second person"
        with made.web.session() as session, writing(session):
            digest = session.get_one(ApprovalRequest, number).digest
            assert approvals.approve(session, number, by=hall.second, digest=digest, now=hall.now)
        assert f"files-{number}.xlsx" in officer.get(f"{HOME}/files").get_data(as_text=True)
        assert made.client(hall.second).get(f"{HOME}/files-{number}.xlsx").status_code == 404
        return openpyxl.load_workbook(io.BytesIO(officer.get(f"{HOME}/files-{number}.xlsx").data)).active

    rows = list(taken_out("?post=B").iter_rows(min_row=2))
    assert {row[1].value for row in rows} == {"@Ân", "Bình"}
    whole = taken_out("")
    cells = [cell for row in whole.iter_rows() for cell in row]
    assert all(cell.data_type in ("s", "n") for cell in cells)
    assert "=HYPERLINK(1)" in [cell.value for cell in cells]
    assert made.client("Secretary").post(f"{HOME}/files/export").status_code == 403
    assert officer.post(f"{HOME}/files/export?state=refused").status_code == 409, "an empty list is no file"


def test_lists_and_too_few(office: Callable[..., Office]) -> None:
    made = office()
    hall = made.hall
    hall.apply("An")
    hall.close_applications()
    hall.decide("An")
    assert made.web.client().get(f"{HOME}/candidates").status_code == 404
    page = text(made.client("Authority").get(f"{HOME}/candidate-lists"))
    assert "Too few candidates" in page
    assert "Decide how it goes on" in page
    assert "Decide how it goes on" not in text(made.client(hall.office).get(f"{HOME}/candidate-lists"))
    address = f"{HOME}/candidate-lists/A/too-few"
    authority = made.client("Authority")
    assert "Choose how it goes on" in text(authority.post(address, data={}))
    day = (hall.now + timedelta(days=10)).strftime("%d/%m/%Y")
    data = {
        "outcome": "extend",
        "reason": "Chỉ một người.",
        "announcement_vi": "Gia hạn nhận hồ sơ.",
        "announcement_en": "Applications are taken again.",
        "number": "12/QĐ",
        "decided_on": hall.now.strftime("%d/%m/%Y"),
    }
    assert "must lie ahead" in text(authority.post(address, data=data))
    assert authority.post(address, data=data | {"until": day}).status_code == 302
    approve(made, hall.people["Chair"])
    assert "Applications are taken again." in text(made.client("Secretary").get(f"{HOME}/candidate-lists"))
    hall.session.rollback()
    hall.session.expire_all()
    hall.later(days=1)
    hall.apply("Bình")
    hall.now = queries.closes(hall.session, hall.post())
    hall.decide("Bình")
    officer = made.client(hall.office)
    assert officer.post(f"{HOME}/candidate-lists/propose").status_code == 302
    approve(made, hall.second)
    assert officer.post(f"{HOME}/candidate-lists/post", data={"kind": "admitted"}).status_code == 302
    page = text(made.web.client().get(f"{HOME}/candidates"))
    assert made.hall.number("An") in page
    assert ">An<" not in page
