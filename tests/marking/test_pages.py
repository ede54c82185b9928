"""The pages of marking: who may enter, what a marker sees and does not see, drafts, guides, replacements."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from examsvc.applications.models import Application
from examsvc.base.database import writing
from examsvc.marking import essays, queries
from examsvc.marking.models import Allocation, Script, Sheet
from examsvc.sittings.models import Attempt
from tests.exam_hall import read_maps, spread
from tests.marking.conftest import Office

DESK = "/competitions/mot/marking/desk/"
CHIEF = "/competitions/mot/marking/"


def holder(office: Office, name: str, round_: int) -> tuple[str, str]:
    """(name of the marker, code of the script) of a person's script in a round: what no page tells."""
    with office.session() as session:
        known = read_maps(session, office.hall.keys["Coder"])
        mine = set(session.scalars(select(Attempt.code).where(Attempt.application_id == office.hall.applications[name])))
        one = session.scalars(
            select(Allocation)
            .join(Script)
            .where(Allocation.round == round_, Allocation.replaced_at.is_(None))
            .where(Script.code.in_([code for code, attempt in known.items() if attempt in mine]))
        ).one()
        return one.marker.name, one.script.code


def sheet(office: Office, code: str, total: int) -> dict[str, str]:
    """The form of a sheet with this total, and a comment to look for."""
    with office.session() as session:
        script = session.scalars(select(Script).where(Script.code == code)).one()
        return spread(essays.criteria_of(script), total) | {"comment": "rõ ràng"}


def test_who_may_enter(office: Office) -> None:
    marker, code = holder(office, "An", 1)
    stranger = next(one for one in ("Marker1", "Marker2", "Marker3", "Marker4", "Marker5") if not _holds(office, one, code))
    for address in (DESK, DESK + code, CHIEF, CHIEF + "groups", CHIEF + "parts/essay", CHIEF + "scripts/" + code):
        assert office.client().get(address).status_code in (302, 401), address
        assert office.as_("An").get(address).status_code in (403, 404), address
        assert office.as_("Coder").get(address).status_code == (200 if address == CHIEF else 403), address
    assert office.as_(marker).get(DESK + code).status_code == 200
    for action in ("", "/draft", "/recognised", "/agreement"):
        way = office.as_(stranger)
        found = way.get(DESK + code) if not action else way.post(DESK + code + action)
        assert found.status_code == 404, action
    assert office.as_(marker).get(CHIEF + "parts/essay").status_code == 403
    assert office.as_(marker).get(CHIEF + "parts/essay/guide").status_code == 200
    assert office.as_("Chief").get(CHIEF + "parts/test").status_code == 404
    assert office.as_("Chief").post(CHIEF + "allocations/999/replace").status_code == 404


def _holds(office: Office, person: str, code: str) -> bool:
    with office.session() as session:
        return any(
            one.script.code == code
            for one in queries.desk(session, office.hall.competition_id, office.hall.people[person])
        )


def test_a_marker_sees_the_text_and_nothing_that_tells_whose_it_is(office: Office) -> None:
    """Names, numbers, attempts and other marks appear on none of the marker's pages, and in none of the chief's."""
    marker, code = holder(office, "An", 1)
    other, _ = holder(office, "An", 2)
    assert office.as_(other).post(DESK + code, data=sheet(office, code, 15)).status_code == 302
    with office.session() as session:
        applications = session.scalars(select(Application)).all()
        with writing(session):
            for place, one in enumerate(applications):
                one.candidate_number = f"{81002003 + place}"  # of three digits one stands somewhere in a page by chance
        secrets = [said for one in applications for said in (one.candidate_number, one.code)]
        for attempt in session.scalars(select(Attempt)):
            secrets += [attempt.code, attempt.application.account.code, attempt.application.account.email]
    for person, address in (
        (marker, DESK),
        (marker, DESK + code),
        ("Chief", CHIEF),
        ("Chief", CHIEF + "parts/essay"),
        ("Chief", CHIEF + "scripts/" + code),
    ):
        page = office.as_(person).get(address).text
        assert not [one for one in secrets if one in page], address
    page = office.as_(marker).get(DESK + code).text
    assert "Bài của An" in page, "the text itself"
    assert "rõ ràng" not in page, "nothing of the other marker"


def test_handing_in_leads_to_the_next_script_and_at_last_back_to_the_desk(office: Office) -> None:
    marker, _ = holder(office, "An", 1)
    browser = office.as_(marker)
    with office.session() as session:
        codes = [one.script.code for one in queries.desk(session, office.hall.competition_id, office.hall.people[marker])]
    assert codes
    where = DESK + codes[0]
    for _ in codes:
        reply = browser.post(where, data=sheet(office, where.rpartition("/")[2], 12))
        assert reply.status_code == 302
        where = reply.headers["Location"]
    assert where == DESK
    assert f"{len(codes)} of {len(codes)} scripts marked" in browser.get(DESK).text


def test_a_draft_is_kept_while_it_is_typed_and_nobody_else_sees_it(office: Office) -> None:
    marker, code = holder(office, "Bình", 1)
    other, _ = holder(office, "Bình", 2)
    names = list(sheet(office, code, 12))
    reply = office.as_(marker).post(DESK + code + "/draft", data={names[0]: "3,5", "comment": "đang đọc dở"})
    assert re.fullmatch(r"\d\d:\d\d:\d\d", reply.json["kept_at"])
    assert "đang đọc dở" in office.as_(marker).get(DESK + code).text
    assert "đang đọc dở" not in office.as_(other).get(DESK + code).text
    assert "đang đọc dở" not in office.as_("Chief").get(CHIEF + "scripts/" + code).text
    with office.session() as session:
        assert session.scalars(select(Sheet)).all() == []


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("", "Give a mark for"), ("x", "Enter a number for"), ("999", "the mark lies between 0 and"), ("0.1", "steps of 0.25")],
)
def test_a_sheet_that_cannot_be_keeps_what_was_typed(office: Office, typed: str, sentence: str) -> None:
    marker, code = holder(office, "An", 1)
    given = sheet(office, code, 12)
    given[next(iter(given))] = typed
    page = office.as_(marker).post(DESK + code, data=given)
    assert page.status_code == 200
    assert sentence in page.text
    assert "rõ ràng" in page.text
    assert 'aria-invalid="true"' in page.text


def test_a_recognised_script_is_given_back_replaced_and_gone(office: Office) -> None:
    marker, code = holder(office, "An", 1)
    assert office.as_(marker).post(DESK + code + "/recognised").status_code == 302
    assert office.as_(marker).get(DESK + code).status_code == 404
    chief = office.as_("Chief")
    assert "1 scripts wait for you" in chief.get("/account/").text
    page = chief.get(CHIEF + "scripts/" + code).text
    (address,) = re.findall(r'action="([^"]+/replace)" class="inline"', page)
    assert chief.post(address, data={"cause": "recognised"}).status_code == 302
    assert office.approve("Chair") == 1
    assert holder(office, "An", 1)[0] != marker
    assert "replaced on" in chief.get(CHIEF + "scripts/" + code).text


def test_a_guide_is_changed_on_its_page_and_the_marker_reads_why(office: Office) -> None:
    marker, code = holder(office, "An", 1)
    office.as_(marker).post(DESK + code, data=sheet(office, code, 15))
    chief = office.as_("Chief")
    (address,) = re.findall(r'href="([^"]+/guide/[0-9a-f]{64})"', chief.get(CHIEF + "parts/essay/guide").text)
    assert "1 mark was given by the guide as it stands" in chief.get(address).text
    refused = chief.post(address, data={"vi": "", "en": "new", "reason": "x"})
    assert "Write the guide." in refused.text
    data = {"vi": "Chấp nhận **hai** cách.", "en": "Accept **two** ways.", "reason": "two ways are right"}
    assert chief.post(address, data=data).status_code == 302
    assert "Accept" not in office.as_(marker).get(CHIEF + "parts/essay/guide").text, "it waits for the second person"
    assert office.approve("Chair") == 1
    assert "Accept <strong>two</strong> ways" in office.as_(marker).get(CHIEF + "parts/essay/guide").text
    desk = office.as_(marker).get(DESK).text
    assert "Mark again: the guide changed" in desk
    page = office.as_(marker).get(DESK + code).text
    assert "two ways are right" in page
    assert "rõ ràng" in page, "the mark is back as it was given"
    assert office.as_(marker).post(DESK + code, data=sheet(office, code, 16)).status_code == 302
    with office.session() as session:
        assert [(one.version, one.guide) for one in session.scalars(select(Sheet).order_by(Sheet.id))] == [(1, 1), (2, 2)]


def test_groups_are_entered_and_bad_names_refused(office: Office) -> None:
    chief = office.as_("Chief")
    page = chief.get(CHIEF + "groups").text
    assert "5 markers have no group yet." in page
    marker = office.hall.people["Marker1"]
    assert "drawn already" in chief.post(CHIEF + "groups", data={f"group-{marker}": "A"}).text


def test_the_chief_puts_a_joint_marking_on_record_and_markers_read_along(office: Office) -> None:
    address = CHIEF + "parts/essay/joint"
    chief, marker = office.as_("Chief"), office.as_("Marker1")
    page = chief.get(address).text
    fields = re.findall(r'name="(mark-\d+-[A-Z0-9]+)"', page)
    assert len(fields) == 5 * 3
    assert "Put a joint marking on record" not in marker.get(address).text
    assert marker.post(address, data=dict.fromkeys(fields, "12")).status_code == 404
    wrong = chief.post(address, data=dict.fromkeys(fields, "12") | {fields[-1]: "21"})
    assert "the mark lies between 0 and 20" in wrong.text
    assert 'value="21"' in wrong.text, "nothing typed is lost"
    assert chief.post(address, data=dict.fromkeys(fields, "12")).status_code == 302
    assert "Held on" in marker.get(address).text
    assert "The joint marking was held." in chief.get(CHIEF).text
