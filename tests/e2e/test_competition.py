"""A whole competition in the browser: from a stranger who reads the notice to the candidate who sees how the result came about.

One candidate and everybody who decides about her go through pages; the other two candidates are brought along by operations.
Every page on the way is held to axe in Vietnamese and in English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from examsvc.base import documents
from examsvc.competitions.regulation import read_preset
from examsvc.demonstration import applying
from examsvc.demonstration.answers import key_of
from examsvc.ledger import sealing
from examsvc.marking import queries as marks
from examsvc.papers import queries as papers
from examsvc.sittings import arrival
from examsvc.sittings import queries as attempts
from examsvc.sittings.models import Save, Sitting
from tests.e2e.conftest import Live
from tests.e2e.screen import Looked, Screen, faults, vietnamese
from tests.exam_hall import BELL, OPENS, ExamHall, quick_passphrase

pytestmark = pytest.mark.browser

AN = "Nguyễn Thị Thúy An"
OTHERS = ("Bình", "Chi")
PASSWORD = "mười hai con giáp"
HERE = "/competitions/mot"
ESSAY = "Thưa Hội đồng, tôi xin trình bày ba giải pháp về cải cách thủ tục hành chính. " * 20


class Story:
    """The hall, the served application, and a browser for whoever acts next."""

    def __init__(self, live: Live, browser: Browser) -> None:
        self.live, self.browser = live, browser
        self.looked = Looked(browser, live)
        self.hall = ExamHall(live.opened(), read_preset("demo"))
        self.hall.phase("announced")

    @contextmanager
    def seat(self, person: str | int | None = None, width: int = 1280) -> Iterator[Screen]:
        """A browser in which this person is signed in; closed at the end of the scene."""
        self.hall.session.rollback()
        account = self.hall.people[person] if isinstance(person, str) else person
        screen = Screen(self.browser, self.live, self.looked, account, width)
        try:
            yield screen
        except Exception as error:
            error.add_note(f"{person} stood at {screen.page.url}:\n{screen.text}")
            error.add_note("Found on the way:\n" + "\n".join(self.looked.faults))
            raise
        finally:
            screen.close()

    @contextmanager
    def behind(self) -> Iterator[ExamHall]:
        """The hall, for what happens elsewhere meanwhile."""
        self.hall.now = self.live.moment()
        self.hall.session.rollback()
        yield self.hall
        self.hall.session.rollback()
        if self.hall.now > self.live.moment():
            self.live.set_clock(self.hall.now)

    def clock(self, moment: datetime) -> None:
        self.live.set_clock(moment)

    def approve(self, *people: str) -> None:
        """These read the summary of what waits for them and approve it."""
        for person in people:
            with self.seat(person) as screen:
                screen.approve()

    @property
    def number(self) -> str:
        return self.hall.number(AN)


@pytest.fixture
def story(live: Live, browser: Browser) -> Iterator[Story]:
    with quick_passphrase():
        made = Story(live, browser)
        yield made
        made.looked.close()


def test_a_whole_competition(story: Story) -> None:
    a_candidate_registers_and_applies(story)
    the_office_decides_on_the_files(story)
    the_papers_are_drawn_approved_and_sealed(story)
    the_custodians_open_the_paper(story)
    code = the_invigilator_checks_in(story)
    the_test_survives_a_cut_network_and_a_reload(story, code)
    the_essay_is_written(story)
    two_markers_differ_and_a_third_decides(story)
    the_written_marks_are_locked(story)
    the_panel_hears_the_plans(story)
    the_board_votes_and_the_authority_approves(story)
    the_office_publishes(story)
    anybody_reads_the_ranking_and_the_candidate_every_number(story)
    assert not story.looked.faults, "\n".join(story.looked.faults)


# ---------------------------------------------------------------- applications

FILES = {
    "curriculum-vitae": "so-yeu-ly-lich",
    "planning-decision": "quyet-dinh-quy-hoach",
    "action-plan": "de-an",
    "commitment": "cam-ket",
}


def pdf(name: str) -> dict[str, object]:
    """A real PDF, as a candidate's office would make it."""
    data = {"facts": [["Họ và tên", AN]], "sections": [{"title": name, "paragraphs": ["Ba năm, ba việc."]}], "signed": AN}
    content = documents.pdf(
        "demonstration", "file", data, title=name, language="vi", institution="", moment=OPENS, letterhead="plain"
    )
    return {"name": f"{name}.pdf", "mimeType": "application/pdf", "buffer": content}


def a_candidate_registers_and_applies(story: Story) -> None:
    story.clock(OPENS + timedelta(days=1))
    with story.behind() as hall:
        hall.phase("applications")
        for name in OTHERS:
            hall.candidate(name)
    with story.seat(width=390) as screen:
        screen.go("/").open("Kỳ thi một").follow("Apply").follow("Register as a candidate")
        screen.fill(name=AN, email="thuyan@example.vn", password=PASSWORD).press("Make the account")
        screen.fill(post="A", stream="planned-here").press("Begin the file").reads("What is missing")
        home = urlsplit(screen.page.url).path
        screen.follow("Your details").fill(birth_date="31/02/1984").press("Keep my details", refused=True)
        screen.fill(birth_date="17/05/1984", identity="012345678901", **ANSWERS).press("Keep my details")
        screen.go(f"{home}/relatives").fill(any_close="no").press("Keep my answer")
        screen.go(f"{home}/declarations").fill(**{"commitment-typed": AN}).press("Sign")
        screen.go(f"{home}/files/action-plan")
        screen.upload({"name": "de-an.pdf", "mimeType": "application/pdf", "buffer": b"MZ" + b"0" * 4000})
        screen.press("Upload", refused=True)
        for kind, name in FILES.items():
            screen.go(f"{home}/files/{kind}").upload(pdf(name)).press("Upload").sees(f"{name}.pdf")
        screen.go(home).follow("Check everything and hand it in").sees("17/05/1984").press("Hand in")
        screen.reads("Your application is handed in")
        with story.behind() as hall:
            hall.know(AN)
        screen.sees(story.number)


ANSWERS = {
    "q_level": "deputy-division-head",
    "q_post": "Phó trưởng phòng",
    "q_unit": "Sở Một",
    "q_post_since": "01/03/2020",
    "q_field_since": "01/09/2010",
    "q_disciplined": "no",
}


def the_office_decides_on_the_files(story: Story) -> None:
    story.clock(BELL - timedelta(days=30) + timedelta(hours=1))
    with story.seat("Office") as screen:
        screen.go(f"{HERE}/course").press("Begin this phase")
        screen.home().go(f"{HERE}/files").open(AN).press("I looked at every open criterion: all are met")
        screen.fill(eligible="yes").press("Propose the decision")
    story.approve("Second")
    with story.behind() as hall:
        officers = {"first": hall.office, "second": hall.second}
        with hall.write():
            applying.decide_all(hall.session, hall.competition, now=hall.now, **officers)
    with story.seat("Office") as screen:
        screen.go(f"{HERE}/candidate-lists").press("Propose the lists for approval")
    story.approve("Second")
    with story.seat("Office") as screen:
        screen.go(f"{HERE}/candidate-lists").press("Post the admitted")
    with story.seat() as screen:
        screen.go(HERE).follow("Lists of candidates").sees(story.number).does_not_see(AN)


# ---------------------------------------------------------------- paper and sitting


def the_papers_are_drawn_approved_and_sealed(story: Story) -> None:
    with story.seat("Setter") as screen:
        screen.home().go(f"{HERE}/papers/banks").fill(shipped="public-leadership").press("Take the bank")
        screen.go(f"{HERE}/papers/parts/test/blueprint")
        screen.fill(**{"count-0": "20", "marks-0": "2", "kinds-0": "single"}).press("Save the blueprint")
        screen.go(f"{HERE}/papers/").fill(seed="7").press("Draw")
        screen.press("I have read the paper and approve it")
        screen.go(f"{HERE}/papers/").open("test-spare").press("I have read the paper and approve it")
    story.approve("Approver", "Approver")
    with story.behind() as hall:
        hall.paper("essay", [{"count": 1, "marks": "20", "kinds": ["essay"]}], spare=True)
    story.live.work()
    with story.seat("Office") as screen:
        screen.go(f"{HERE}/sittings/").follow("Plan a sitting")
        screen.fill(part="test", bell="2026-11-21T08:00", rooms="Phòng 101; 40").press("Plan the sitting")
    with story.seat("Secretary") as screen:
        screen.home().go(f"{HERE}/sittings/test-1").press("Ask to draw the seats")
    story.approve("Chair")
    with story.seat() as screen:
        screen.go(f"{HERE}/draws").reads("Who sits where")


def the_custodians_open_the_paper(story: Story) -> None:
    story.clock(BELL - timedelta(minutes=10))
    for person in ("Custodian1", "Custodian3"):
        with story.seat(person) as screen:
            screen.home().go(f"{HERE}/papers/forms/test-main-1/share")
            sealed = screen.context.request.get(f"{HERE}/papers/forms/test-main-1/share.age").body()
            opened = sealing.decrypt_share(sealed, story.hall.keys[person]).data
            screen.upload({"name": "share", "mimeType": "application/octet-stream", "buffer": opened})
            screen.press("Hand in the share")
    with story.seat("Custodian2") as screen:
        screen.go(f"{HERE}/papers/forms/test-main-1/share").reads("The paper is open.")
    story.live.work()


def the_invigilator_checks_in(story: Story) -> str:
    """The code on the slip."""
    with story.behind() as hall:
        sitting = hall.session.scalars(select(Sitting)).one()
        hall.sitting_id, here = sitting.id, f"{HERE}/sittings/{sitting.code}"
        room, ready = sitting.rooms[0].code, sitting.prepared_at is not None
    if not ready:
        with story.seat("Office") as screen:
            screen.go(here).press("Make the attempts ready")
    with story.seat("Invigilator") as screen:
        screen.home().go(f"{here}/rooms/{room}")
        screen.page.locator("tr", has_text=AN).get_by_role("link", name=vietnamese("Check in")).click()
        screen.look().press("Check in and print the slip", refused=True)
        screen.fill(document="citizen-card", photograph_agrees="y").press("Check in and print the slip")
        slip = screen.page.locator(".slip .digest").inner_text().replace(" ", "")
    with story.behind() as hall:
        for name in OTHERS:
            hall.check_in(name)
    return slip


def the_test_survives_a_cut_network_and_a_reload(story: Story, code: str) -> None:
    story.clock(BELL - timedelta(seconds=4))
    with story.seat() as screen:
        page = enter(story, screen, code)
        story.clock(BELL)
        story.live.work()
        options = page.locator("#player input[type=radio]")
        expect(options.first).to_be_visible(timeout=60_000)
        player_is_sound(screen)
        answer_rightly(story, screen, range(1, 4))
        saved(screen)

        screen.context.set_offline(True)
        answer_rightly(story, screen, range(4, 7))
        expect(page.get_by_text("Không có mạng").first).to_be_visible(timeout=60_000)
        assert len(stored(story)) == 3
        screen.context.set_offline(False)
        page.reload()
        expect(options.first).to_be_visible(timeout=60_000)
        answer_rightly(story, screen, range(7, 16))
        saved(screen)
        assert len(stored(story)) == 15, "what was written without network arrived after the reload"
        submit(screen)
        with story.behind() as hall:
            receipt = hall.attempt(AN).receipt
        assert receipt["answered"] == 15
        assert receipt["code"] in screen.page.locator(".receipt-code").inner_text().translate(UNGROUPED)
    with story.behind() as hall:
        for name, right in zip(OTHERS, (12, 16), strict=True):
            lease = hall.lease(name)
            for slot in range(1, right + 1):
                hall.save(name, slot, hall.right_value(name, slot), lease=lease)
            hall.submit(name, lease)
    story.live.work()


UNGROUPED = str.maketrans("", "", " -\n\u00a0")


def enter(story: Story, screen: Screen, code: str) -> Page:
    """Number and code of the slip, on a machine of the hall."""
    screen.go(f"{HERE}/sit").fill(candidate_number=story.number, code=code)
    screen.page.click("main form button[type=submit]")
    expect(screen.page.locator("#player")).to_be_visible()
    return screen.page


def player_is_sound(screen: Screen) -> None:
    """axe in both languages, switched in the player itself."""
    for language in ("vi", "en"):
        expect(screen.page.locator("html")).to_have_attribute("lang", language)
        screen.looked.faults += [f"player {language} {one}" for one in faults(screen.page)]
        screen.page.click('[data-tool="language"]')


def answer_rightly(story: Story, screen: Screen, numbers: range) -> None:
    """Chooses the right option of these questions, found by its text."""
    story.hall.session.rollback()
    items = {one.number: one.item for one in attempts.slots(story.hall.session, story.hall.attempt(AN))}
    for number in numbers:
        screen.page.click(f"#palette .number >> nth={number - 1}")
        right = key_of(items[number])["RESPONSE"]
        text = next(one.text.plain("vi") for one in items[number].interactions[0].choices if one.id == right)
        chosen = [one for one in screen.page.locator("#player .option").all() if shown(one).endswith(text)]
        assert len(chosen) == 1, (text, len(chosen))
        chosen[0].click()


def shown(option: Locator) -> str:
    return " ".join(option.inner_text().split())


def saved(screen: Screen) -> None:
    """The player says so, which it does only on the server's word."""
    expect(screen.page.locator(".bar-save")).to_have_attribute("data-state", "saved", timeout=60_000)


def stored(story: Story) -> dict[int, Save]:
    story.hall.session.rollback()
    return attempts.newest_saves(story.hall.session, story.hall.attempt(AN).id)


def submit(screen: Screen) -> None:
    """The list of what is blank, the question whether one is sure, the receipt."""
    screen.page.click("#palette .submit")
    screen.page.click(".submit-dialog .main")
    screen.page.click(".submit-dialog .main")
    expect(screen.page.locator(".receipt-code")).to_be_visible(timeout=60_000)
    screen.looked.faults += [f"receipt {one}" for one in faults(screen.page)]


def the_essay_is_written(story: Story) -> None:
    bell = BELL + timedelta(hours=2)
    code = arrival.new_code()
    with story.behind() as hall:
        form = papers.paper_in_force(hall.session, hall.competition_id, "essay")
        hall.sitting_id = hall.sitting(form.id, "essay", bell=bell)
        hall.make_ready(hall.sitting_id)
        for name in (AN, *OTHERS):
            hall.check_in(name, code_hash=arrival.hash_code(code))
    story.clock(bell - timedelta(seconds=4))
    with story.seat() as screen:
        page = enter(story, screen, code)
        story.clock(bell)
        story.live.work()
        essay = page.locator("textarea.essay")
        essay.fill(ESSAY, timeout=60_000)
        player_is_sound(screen)
        saved(screen)
        screen.context.set_offline(True)
        essay.fill(ESSAY + "Hết.")
        expect(page.get_by_text("Không có mạng").first).to_be_visible(timeout=60_000)
        screen.context.set_offline(False)
        page.reload()
        expect(essay).to_have_value(ESSAY + "Hết.", timeout=60_000)
        saved(screen)
        assert stored(story)[1].value["RESPONSE"].endswith("Hết.")
        submit(screen)
    with story.behind() as hall:
        for name in OTHERS:
            lease = hall.lease(name)
            hall.save(name, 1, {"RESPONSE": f"Bài của {name}: " + ESSAY}, lease=lease)
            hall.submit(name, lease)
        hall.close(hall.sitting_id)
    story.live.work()


# ---------------------------------------------------------------- marking


def two_markers_differ_and_a_third_decides(story: Story) -> None:
    with story.seat("Chief") as screen:
        screen.home().go(f"{HERE}/marking/")
    with story.behind() as hall:
        codes = {one.part: one.code for one in hall.session.scalars(select(Sitting))}
    with story.seat("Chief") as screen:
        screen.go(f"{HERE}/marking/").press("Mark the answers of %(code)s", code=codes["test"])
    with story.behind() as hall:
        hall.keys["Coder"], recipient = sealing.new_identity()
    with story.seat("Coder") as screen:
        screen.home().follow("Hand in the public half of your key").fill(recipient=recipient).press("Hand in the key")
        screen.press("Code the scripts of %(code)s", code=codes["essay"])
    with story.seat("Chief") as screen:
        screen.go(f"{HERE}/marking/").press("Ask for the draw to the markers")
    story.approve("Chair")
    with story.behind() as hall:
        for name, total in zip(OTHERS, (14, 12), strict=True):
            hall.mark_script(name, total, total)
        script = hall.script_of(AN)
        code, drawn = script.code, {one.round: one.marker.name for one in marks.active_allocations(script)}
    mark(story, drawn[1], code, 12)
    mark(story, drawn[2], code, 17)
    with story.behind() as hall:
        script = hall.script_of(AN)
        assert marks.state(hall.session, script) == "third-marking"
        third = next(one.marker.name for one in marks.active_allocations(script) if one.round == 3)
    assert third not in drawn.values()
    mark(story, third, code, 16)
    with story.behind() as hall:
        assert marks.state(hall.session, hall.script_of(AN)) == "settled"


def mark(story: Story, marker: str, script: str, total: int) -> None:
    """One marker reads one script, who sees neither name nor number nor another mark."""
    with story.seat(marker) as screen:
        screen.home().go(f"{HERE}/marking/desk/").does_not_see(AN).open(script)
        assert "Thưa Hội đồng" in screen.text
        for hidden in (AN, story.number, "Marker"):
            screen.does_not_see(hidden)
        fill_sheet(screen, total)
        screen.press("Hand in and go to the next script")


def fill_sheet(screen: Screen, total: int) -> None:
    """Lays a total over the criteria of the sheet, filling each in turn."""
    for field in screen.page.locator("#sheet .points").all():
        most = int(float(field.locator("span").inner_text().strip("/ ").replace(",", ".")))
        field.locator("input").fill(str(min(most, total)))
        total -= min(most, total)
    assert total == 0


def lock(story: Story) -> None:
    with story.seat("Chief") as screen:
        screen.go(f"{HERE}/marking/").press("Ask to lock the marks of this stage")
    story.approve("Chair")


def the_written_marks_are_locked(story: Story) -> None:
    lock(story)
    with story.seat("Coder") as screen:
        screen.home().follow("Ask to open the code map").press("Ask to open the code map")
    story.approve("Chair")
    with story.behind() as hall:
        opened = hall.opened_map("written")
    with story.seat("Coder") as screen:
        screen.home().follow("Hand in the code map")
        screen.upload({"name": "mot-written.opened-map", "mimeType": "application/octet-stream", "buffer": opened})
        screen.press("Hand in the code map")


def the_panel_hears_the_plans(story: Story) -> None:
    story.clock(BELL + timedelta(days=4))
    with story.seat("Secretary") as screen:
        screen.home().go(f"{HERE}/hearings/").press("Ask for the draw of the order")
    story.approve("Chair")
    with story.seat("PanelChair") as screen:
        screen.home().go(f"{HERE}/hearings/").open(AN).press("Begin")
        screen.press("On to the presentation").press("On to the questions").press("End the hearing")
        here = urlsplit(screen.page.url).path
    with story.behind() as hall:
        panel = [seat.member.name for seat in marks.sitting_members(hall.hearing(AN))]
    assert len(panel) == 5
    for member, total in zip(panel, (70, 76, 80, 78, 74), strict=True):
        with story.seat(member) as screen:
            screen.home().go(here).follow("Your sheet")
            fill_sheet(screen, total)
            screen.press("Hand in the sheet")
    with story.behind() as hall:
        for name, totals in zip(OTHERS, ([60, 62, 64, 66, 68], [80, 82, 84, 86, 88]), strict=True):
            hall.hear_one(name, totals)
    lock(story)


# ---------------------------------------------------------------- results


def the_board_votes_and_the_authority_approves(story: Story) -> None:
    with story.seat("Secretary") as screen:
        screen.home().go(f"{HERE}/results/review").press("Compute the results")
        screen.go(f"{HERE}/results/vote").fill(held_at="2026-11-25T08:30", place="Hà Nội")
        for row in screen.page.locator("table.ballots tbody tr").all():
            row.locator("input[value=for]").check()
        screen.press("Ask for the chair's approval")
    story.approve("Chair")
    with story.seat("Chair") as screen:
        screen.home().go(f"{HERE}/results/review")
        screen.go(f"{HERE}/results/approval")
        screen.fill(decision_number="12/QĐ-SNV", decided_on="2026-11-25", reason="Kết quả đúng quy chế.")
        screen.press("Ask for the second approval")
    story.approve("Authority")


def the_office_publishes(story: Story) -> None:
    with story.seat("Office") as screen:
        screen.home().go(f"{HERE}/results/publication").press("Propose the publication")
    story.approve("Chair")


def anybody_reads_the_ranking_and_the_candidate_every_number(story: Story) -> None:
    with story.seat(width=390) as screen:
        screen.go(HERE).follow("Result of the competition").sees(AN).sees("75,3")
        for name in OTHERS:  # three digits, which may well stand inside a digest
            assert re.search(rf"\b{story.hall.number(name)}\b", screen.text) is None
    with story.seat(AN) as screen:
        screen.home().go(f"{HERE}/my-result")
        for number in ("30", "12", "17", "16", "15", "76", "75,3"):
            screen.sees(number)
