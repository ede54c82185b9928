"""A question as candidates see it: in the player's own page, by the player's own modules, with the marks of an answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from examsvc.papers.models import Reading
from tests.papers.test_banks import TWO
from tests.papers.test_pages import PAPERS, Office, hand_in, office, prepared  # noqa: F401
from tests.screens import OVERFLOW, served, sit_down


@pytest.mark.browser
def test_an_author_tries_a_question_of_a_file_and_of_the_bank(office: Office, page: Page) -> None:  # noqa: F811
    where = hand_in(office, TWO.encode()).split("/papers")[1]
    wrong: list[str] = []
    page.on("response", lambda reply: wrong.append(reply.url) if reply.status >= 400 and "favicon" not in reply.url else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    with served(office.world) as address:
        sit_down(office.world, page, address, office.hall.people["Setter"], "vi")
        page.goto(f"{address}{PAPERS}{where}")
        page.click("text=Làm thử trên trang làm bài thi >> nth=0")
        page.click('.option:has-text("Hà Nội")')
        page.click("#mark")
        expect(page.locator("#earned")).to_have_text("1 trên 1 điểm")
        page.keyboard.press("Escape")
        page.click('.option:has-text("Huế")')
        page.click("#mark")
        expect(page.locator("#earned")).to_have_text("0 trên 1 điểm")
        page.click("text=Xoá câu trả lời")
        assert page.query_selector(".option input:checked") is None
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate(OVERFLOW) == 0
        office.post("Setter", f"{where}/confirm")
        sit_down(office.world, page, address, office.hall.people["Approver"], "en")
        page.goto(f"{address}{PAPERS}/banks/two/items/two/as-candidate")
        page.keyboard.press("a")
        assert page.is_checked(".option input >> nth=0")
        page.click("#mark")
        expect(page.locator("#earned")).to_have_text("1 of 1 marks")
        page.goto(f"{address}{PAPERS}/banks/two/items/two/as-candidate?language=vi")
        assert "Nước sôi" in page.inner_text(".prompt")
    assert wrong == []


def test_who_tries_and_what_no_answer_is(office: Office) -> None:  # noqa: F811
    where = hand_in(office, TWO.encode()).split("/papers")[1]
    line, item = f"{where}/questions/1/as-candidate", "/banks/two/items/one/as-candidate"
    assert "data-item" in office.get("Setter", line)
    for place in (0, 3, 999):
        office.get("Setter", f"{where}/questions/{place}/as-candidate", 404)
    office.post("Setter", f"{where}/confirm")
    for person, path, status in (("Approver", item, 200), ("Chair", item, 403), ("An", item, 404), ("Marker1", item, 403)):
        assert office.browser(person).get(PAPERS + path).status_code in (status, 403, 404)
        assert (office.browser(person).get(PAPERS + path).status_code == 200) == (status == 200), person
        assert (office.browser(person).post(PAPERS + path, json={"value": {}}).status_code == 200) == (status == 200), person
    for value in (None, [], 7, "x", {"RESPONSE": 5}, {"NOBODY": "A"}, {"RESPONSE": ["A"] * 50}):
        reply = office.browser("Setter").post(PAPERS + item, json={"value": value})
        assert reply.json["sentence"] in ("0 of 1 marks", "This answer cannot be read."), value
    assert office.browser("Setter").post(PAPERS + item, data="{", content_type="application/json").status_code == 200
    assert office.session.query(Reading).filter(Reading.thing == "two/one").count() >= 1
