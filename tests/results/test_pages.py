"""The pages of results: who may enter, what they say, what bad input gets, and that nobody sees another's result."""

from __future__ import annotations

import hashlib
import io
import json
import re
from datetime import timedelta

import openpyxl
import pypdf
import pytest
from sqlalchemy import select

from examsvc.accounts.models import Account
from examsvc.applications.models import Application
from examsvc.base.database import writing
from examsvc.competitions.models import Competition
from examsvc.results import printing, queries
from examsvc.results.models import Minutes
from tests.results.conftest import Board

REVIEW = "/competitions/mot/results/review"
BOARD_PAGES = (REVIEW, "/competitions/mot/results/vote", "/competitions/mot/results/approval", "/competitions/mot/results/publication")


def numbers(board: Board) -> dict[str, str]:
    with board.session() as session:
        return {one.account.name: one.candidate_number or "" for one in session.scalars(select(Application))}


def compute(board: Board) -> None:
    assert board.as_("Secretary").post("/competitions/mot/results/compute").status_code == 302


def vote(board: Board, **changes: str) -> str:
    """The secretary enters a meeting in which everybody is for it; the page that answers."""
    secretary = board.as_("Secretary")
    page = secretary.get("/competitions/mot/results/vote").text
    data = dict.fromkeys(re.findall(r'name="(ballot-\d+)"', page), "for")
    held = (board.now - timedelta(hours=1)).astimezone(board.settings.zone).strftime("%Y-%m-%dT%H:%M")
    data |= {"posts": "A", "held_at": held, "place": "Hà Nội", "remarks": "không"} | changes
    return secretary.post("/competitions/mot/results/vote", data=data, follow_redirects=True).text


def publish(board: Board) -> None:
    compute(board)
    vote(board)
    assert board.approve("Chair") == 1
    data = {"decision_number": "12/QĐ", "decided_on": "2026-11-21", "reason": "đúng quy chế"}
    assert board.as_("Chair").post("/competitions/mot/results/approval", data=data).status_code == 302
    assert board.approve("Authority") == 1
    assert board.as_("Office").post("/competitions/mot/results/publication").status_code == 302
    assert board.approve("Chair") == 1


def test_who_may_enter(board: Board) -> None:
    compute(board)
    expected = {
        "Chair": (200, 403, 200, 200),
        "Authority": (200, 403, 200, 403),
        "Secretary": (200, 200, 403, 403),
        "Chief": (200, 403, 403, 403),
        "Office": (403, 403, 403, 200),
        "Marker1": (403, 403, 403, 403),
        "An": (404, 404, 404, 404),
    }
    for person, wanted in expected.items():
        client = board.as_(person)
        assert tuple(client.get(page).status_code for page in BOARD_PAGES) == wanted, person
    assert board.client().get(REVIEW).status_code == 302
    assert board.client().get("/competitions/mot/results").status_code == 404
    assert board.as_("Chief").post("/competitions/mot/results/compute").status_code == 403


def test_the_review_shows_each_number_with_its_derivation_and_no_names(board: Board) -> None:
    assert "Compute the results" in board.as_("Secretary").get(REVIEW).text
    compute(board)
    page = board.as_("Chair").get(REVIEW).text
    for text in (
        "Two markers marked it without knowing of each other: 15; 16. The mark is their mean.",
        "Computer test: 36 × weight 1 = 36.",
        "Added up: 84.45.",
        "At least 20 is needed: 8 is not enough, and the competition ends here.",
        "cannot tell that candidate apart",
        "computed again just now: the same",
    ):
        assert text in page, text
    assert "Bình" not in page
    assert page.count("<svg") == page.count("The numbers as a table")
    assert page.count("<svg") >= 8
    assert "style=" not in page


def test_the_review_names_what_changes_a_decision_before_what_is_only_known(board: Board) -> None:
    compute(board)
    page = board.as_("Chair").get(REVIEW).text
    weights = ("Decide first", "May change the decision", "Look at it", "What else is known")
    places = [page.index(text) for text in weights if text in page]
    assert "What else is known" in page
    assert places == sorted(places)
    assert "share a rank" in page[places[-1] :], "equals whom nothing depends on are no decision"


def test_computing_twice_says_that_nothing_has_changed(board: Board) -> None:
    compute(board)
    answer = board.as_("Secretary").post("/competitions/mot/results/compute", follow_redirects=True).text
    assert "Nothing has changed since score run 1" in answer


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"held_at": "yesterday"}, "Not a valid datetime value"),
        ({"held_at": ""}, "Enter day and time of the meeting."),
        ({"held_at": "2031-01-01T10:00"}, "The meeting lies in the future."),
        ({"posts": "Z"}, "Choose at least one post"),
        ({"place": "x" * 200}, "at most 120"),
    ],
)
def test_a_vote_that_cannot_be(board: Board, changes: dict[str, str], sentence: str) -> None:
    compute(board)
    assert sentence in vote(board, **changes)
    assert board.approve("Chair") == 0


def test_a_vote_with_a_member_left_out_or_without_quorum(board: Board) -> None:
    compute(board)
    page = board.as_("Secretary").get("/competitions/mot/results/vote").text
    ballots = re.findall(r'name="(ballot-\d+)"', page)
    assert "Enter how each member voted" in vote(board, **{ballots[0]: "perhaps"})
    assert "There is no quorum" in vote(board, **dict.fromkeys(ballots, "absent"))
    assert board.approve("Chair") == 0


def test_minutes_are_printed_with_everybody_and_their_digest_is_filed(board: Board) -> None:
    compute(board)
    vote(board)
    with board.session() as session:
        (filed,) = session.scalars(select(Minutes))
        number, digest = filed.id, filed.digest
    made = board.as_("Chair").get(f"/competitions/mot/results/minutes/{number}.pdf")
    assert made.mimetype == "application/pdf"
    assert hashlib.sha256(made.data).hexdigest() == digest
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made.data)).pages)
    for wanted in ("Chair", "Secretary", "84.45", numbers(board)["An"]):
        assert wanted in text
    assert board.as_("An").get(f"/competitions/mot/results/minutes/{number}.pdf").status_code == 404
    assert board.as_("Chair").get("/competitions/mot/results/minutes/999.pdf").status_code == 404


def test_the_public_page_shows_the_winner_and_how_to_check(board: Board) -> None:
    publish(board)
    reader = board.client()
    page = re.sub(r"\b[0-9a-f]{64}\b", "digest", text := reader.get("/competitions/mot/results").text)
    known = numbers(board)
    assert "An" in page
    for other in ("Bình", "Chi", "Hoa"):
        assert not re.search(rf"\b{other}\b", page)
        assert known[other] not in page
    assert "7 candidates took part" in page
    assert "06/12/2026" in page, "re-marking closes fifteen days after the publication"
    data = reader.get("/competitions/mot/results/editions/1.json")
    digest = hashlib.sha256(data.data).hexdigest()
    assert digest in text
    assert f"({len(data.data)} bytes)" in page
    assert json.loads(data.data)["posts"][0]["rows"] == [{"name": "An", "outcome": "chosen", "rank": 1, "total": "84.45"}]
    for missing in ("/competitions/mot/results/editions/2", "/competitions/mot/results/editions/2.json"):
        assert reader.get(missing).status_code == 404


def test_paper_and_spreadsheet_say_the_same_and_are_the_same_each_time(board: Board) -> None:
    publish(board)
    reader = board.client()
    printed = reader.get("/competitions/mot/results/editions/1.pdf").data
    printing.pdf.cache_clear()
    assert reader.get("/competitions/mot/results/editions/1.pdf").data == printed
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed)).pages)
    assert "84.45" in text
    sheet = reader.get("/competitions/mot/results/editions/1.xlsx").data
    assert reader.get("/competitions/mot/results/editions/1.xlsx").data == sheet
    cells = [cell.value for row in openpyxl.load_workbook(io.BytesIO(sheet)).active.iter_rows() for cell in row if cell.value]
    assert {"An", "84.45", "Chosen"} <= set(cells)


@pytest.mark.parametrize("name", ['=HYPERLINK("http://evil")', "+1+1", "-2", "@SUM(A1)", "\t=1", "＝1+1"])
def test_a_name_never_becomes_a_formula(board: Board, name: str) -> None:
    with board.session() as session, writing(session):
        session.get_one(Account, board.people["An"]).name = name
    publish(board)
    with board.session() as session:
        edition = queries.published(session, session.scalars(select(Competition.id)).one())
        assert edition is not None
        assert edition.content["posts"][0]["rows"][0]["name"] == name
    sheet = board.client().get("/competitions/mot/results/editions/1.xlsx").data
    book = openpyxl.load_workbook(io.BytesIO(sheet))
    found = [cell for row in book.active.iter_rows() for cell in row if cell.value and str(cell.value).endswith(name)]
    assert [(cell.data_type, cell.value) for cell in found] == [("s", f"'{name}")]
    with io.BytesIO(sheet) as file:
        import zipfile

        xml = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml


def test_each_candidate_sees_the_own_result_and_no_other(board: Board) -> None:
    before = board.as_("An").get("/competitions/mot/my-result").text
    assert "36 of 40 marks" in before, "the regulation shows the test at once"
    assert "not published yet" in before
    publish(board)
    known = numbers(board)
    pages = {name: board.as_(name).get("/competitions/mot/my-result") for name in ("An", "Bình", "Hoa")}
    assert all(page.status_code == 200 for page in pages.values())
    for name, page in pages.items():
        assert known[name] in page.text
        for other in set(known) - {name}:
            assert f">{known[other]}<" not in page.text
            assert known[other] not in re.sub(r"[0-9a-f]{64}", "", page.text)
    assert "Rank 1: chosen." in pages["An"].text
    assert "You are number 3 of 6" in pages["Bình"].text
    assert "8 is not enough, and the competition ends here." in pages["Hoa"].text
    assert "5 members of the panel marked it, each before seeing the others" in pages["An"].text
    for marker in ("Marker1", "Marker2", "Marker3", "Panel1", "PanelChair"):
        assert marker not in pages["An"].text
    for stranger in ("Chair", "Office", "Marker1"):
        assert board.as_(stranger).get("/competitions/mot/my-result").status_code == 404
    assert board.client().get("/competitions/mot/my-result").status_code == 302


def test_the_own_page_speaks_both_languages(board: Board) -> None:
    publish(board)
    client = board.as_("An")
    client.get("/language/vi")
    page = client.get("/competitions/mot/my-result").text
    assert "Hạng 1: trúng tuyển." in page
    assert "Bài viết: 15,5 × hệ số 1,5 = 23,25." in page
    assert "Added up" not in page


def test_tasks_lead_each_role_to_its_step(board: Board) -> None:
    def told(person: str) -> str:
        return board.as_(person).get("/account/").text

    assert "Compute the results" in told("Secretary")
    assert "See your score of the computer test" in told("An")
    compute(board)
    assert "Record the council&#39;s vote on the results" in told("Secretary")
    assert "Review the results" in told("Chief")
    vote(board)
    board.approve("Chair")
    assert "Approve the results" in told("Authority")
    data = {"decision_number": "12/QĐ", "decided_on": "2026-11-21", "reason": "x"}
    board.as_("Chair").post("/competitions/mot/results/approval", data=data)
    board.approve("Authority")
    assert "Publish the results" in told("Office")
    board.as_("Office").post("/competitions/mot/results/publication")
    board.approve("Chair")
    assert "Publish the results" not in told("Office")
    assert "See your result and how it came about" in told("An")


def test_a_classified_result_waits_for_its_release(board: Board) -> None:
    publish(board)
    with board.session() as session, writing(session):
        session.scalars(select(Competition)).one().classified = True
    for address in ("", "/editions/1.json", "/editions/1.pdf", "/editions/1.xlsx"):
        assert board.client().get(f"/competitions/mot/results{address}").status_code == 404
        assert board.as_("Marker1").get(f"/competitions/mot/results{address}").status_code == 404
    assert board.as_("Chair").get("/competitions/mot/results").status_code == 200
    with board.session() as session, writing(session):
        session.scalars(select(Competition)).one().released_at = board.now
    assert board.client().get("/competitions/mot/results").status_code == 200


def test_there_are_no_priority_points_where_the_regulation_has_none(board: Board) -> None:
    assert board.as_("Office").get("/competitions/mot/results/priorities").status_code == 404
