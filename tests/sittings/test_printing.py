"""What is printed for exam day: each sheet has what it is for and nothing else."""

from __future__ import annotations

import io

from pypdf import PdfReader

from tests.sittings.exam_day import Day


def text_of(content: bytes) -> str:
    return " ".join(" ".join((page.extract_text() or "").split()) for page in PdfReader(io.BytesIO(content)).pages)


def fetched(day: Day, person: str, path: str, language: str = "vi") -> tuple[int, str]:
    reply = day.staff(person, language).get(path)
    if reply.status_code != 200:
        return reply.status_code, ""
    assert reply.mimetype == "application/pdf"
    return 200, text_of(reply.data)


def test_the_list_of_a_room_names_everybody_in_it_with_places_to_sign(day: Day) -> None:
    status, text = fetched(day, "Invigilator", day.path("/rooms/room-1/list.pdf"))
    assert status == 200
    for name in ("An", "Bình"):
        assert name in text
        assert day.hall.number(name) in text
    assert "Ký khi vào" in text
    assert "08:00, 21/11/2026" in text


def test_the_plan_for_the_door_shows_numbers_and_no_names(day: Day) -> None:
    status, text = fetched(day, "Invigilator", day.path("/rooms/room-1/door.pdf"))
    assert status == 200
    for name in ("An", "Bình"):
        assert day.hall.number(name) in text
    assert "Bình" not in text


def test_a_candidate_prints_his_own_summons_and_nobody_elses(day: Day) -> None:
    status, text = fetched(day, "An", f"/competitions/mot/my-exam/{day.sitting}/summons.pdf")
    assert status == 200
    assert "Giấy triệu tập dự thi" in text
    assert (day.hall.number("An") in text, day.hall.number("Bình") in text) == (True, False)
    status, text = fetched(day, "Bình", f"/competitions/mot/my-exam/{day.sitting}/summons.pdf", "en")
    assert "Summons to the exam" in text
    assert "25" in text, "with the five minutes more"
    assert fetched(day, "Hall", f"/competitions/mot/my-exam/{day.sitting}/summons.pdf")[0] == 404
    assert fetched(day, "An", "/competitions/mot/my-exam/none/summons.pdf")[0] == 404


def test_the_office_prints_all_summonses_and_a_marker_none(day: Day) -> None:
    status, text = fetched(day, "Office", day.path("/summonses.pdf"))
    assert status == 200
    assert text.count("Giấy triệu tập dự thi") >= 2
    for person in ("Marker1", "Setter", "An"):
        for path in ("/summonses.pdf", "/rooms/room-1/list.pdf", "/rooms/room-1/door.pdf"):
            assert day.staff(person).get(day.path(path)).status_code in (403, 404)
    assert fetched(day, "Invigilator", day.path("/rooms/room-9/list.pdf"))[0] == 404
