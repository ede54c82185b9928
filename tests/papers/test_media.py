"""Pictures, sounds and films of a paper reach those who sit it, in ranges, from the bell on, and nobody else."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examsvc.base.database import make_engine
from question_banks import read_bank
from tests import exam_hall
from tests.exam_hall import BELL, ExamHall
from tests.player.pictured import picture, sound
from tests.sittings.exam_day import Browser, Day

SOUND, MAP, OTHER = sound(1.5), picture(300, 240), picture(30, 24)
FILES = {"sound": ("audio/wav", SOUND), "map": ("image/png", MAP), "other": ("image/png", OTHER)}
KEYS = {name: sha256(data).hexdigest() for name, (_, data) in FILES.items()}


def bank() -> str:
    """Ten questions of a paper, of which one is listened to and one shows a picture; an eleventh, of another topic, shows another."""
    lines = ['format = "examsvc-bank/1"', 'id = "heard"', 'languages = ["vi", "en"]']
    lines.append(
        f"""
[[item]]
id = "listen"
kind = "composite"
topic = "asked"
marks = "1"
prompt = {{ vi = "Nghe bài phát biểu rồi trả lời.", en = "Listen to the speech, then answer." }}
interaction = [
  {{ response = "PLAYED", kind = "media", picture = {{ media = "media/{KEYS["sound"]}", alternative = {{ vi = "Bài phát biểu", en = "Speech" }} }}, max_choices = 2 }},
  {{ response = "RESPONSE", kind = "slider", lower = 0, upper = 10, step = 1 }},
]
response = [
  {{ id = "PLAYED", base = "integer", cardinality = "single" }},
  {{ id = "RESPONSE", base = "integer", cardinality = "single", correct = ["7"] }},
]
rule = [{{ response = "RESPONSE", method = "all-or-nothing" }}]"""
    )
    for number in range(10):
        shown = {8: "map", 9: "other"}.get(number, "")
        image = f"![x](media/{KEYS[shown]}) " if shown else ""
        topic = "kept-back" if number == 9 else "asked"
        lines.append(
            f"""
[[item]]
id = "q{number}"
kind = "true-false"
topic = "{topic}"
prompt = {{ vi = "{image}Khẳng định thứ {number} {"ấ" * (number + 1)} là đúng.", en = "{image}Statement {number} {"z" * (number + 1)} holds." }}
answer = {"true" if number % 2 else "false"}"""
        )
    for name, (kind, data) in FILES.items():
        lines.append(
            f'\n[[media]]\ndigest = "{KEYS[name]}"\ntype = "{kind}"\nname = "{name}"\ndata = "{base64.b64encode(data).decode()}"'
        )
    return "\n".join(lines) + "\n"


@dataclass
class Heard:
    day: Day
    seats: dict[str, FlaskClient]

    def get(self, who: str, whose: str, name: str, **headers: str):
        address = f"/attempts/{self.day.codes[whose]}/media/{KEYS.get(name, name)}"
        return self.seats[who].get(address, headers={"Accept": "*/*", **headers})


@pytest.fixture
def heard(tmp_path: Path, any_address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """Two candidates sit at their machines ten minutes before the bell."""
    found = read_bank(bank().encode(), "native")
    assert not found.problems, found.problems
    monkeypatch.setattr(exam_hall, "bank", lambda: found.bank)
    engine = make_engine(any_address)
    with Session(engine) as session:
        hall = ExamHall(session)
        for phase in ("announced", "applications"):
            hall.phase(phase)
        for name in ("An", "Bình"):
            hall.candidate(name)
        form = hall.paper(cells=[{"count": 10, "marks": "4", "topics": ["asked"]}])
        hall.sitting_id = hall.sitting(form)
        hall.now = BELL - timedelta(minutes=10)
        day = Day(tmp_path, any_address, engine, hall)
        yield Heard(day, {name: Browser(day, name).client for name in ("An", "Bình")})
        day.close()


def test_a_recording_is_heard_by_who_sits_the_paper_and_by_nobody_else(heard: Heard) -> None:
    assert heard.get("An", "An", "sound").status_code == 404, "nothing before the bell"
    heard.day.ring(seconds=1)
    whole = heard.get("An", "An", "sound")
    assert (whole.status_code, whole.data, whole.mimetype) == (200, SOUND, "audio/wav")
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Cache-Control"].startswith("private")
    part = heard.get("An", "An", "sound", Range="bytes=1000-1999")
    assert (part.status_code, part.data) == (206, SOUND[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(SOUND)}"
    assert heard.get("An", "An", "sound", Range=f"bytes={len(SOUND)}-").status_code == 416
    assert heard.get("An", "An", "map").data == MAP

    assert heard.get("An", "Bình", "sound").status_code == 404, "the attempt of another"
    assert heard.get("Bình", "Bình", "sound").data == SOUND
    for name in ("other", "0" * 64, "../../etc/passwd", "x.png", ""):
        assert heard.get("An", "An", name).status_code == 404, f"not of this paper: {name}"
    for person in ("Setter", "Chair", "Hall", "Invigilator", "An"):
        heard.seats[person] = heard.day.staff(person)
        assert heard.get(person, "An", "sound").status_code in (401, 404), person
    heard.seats["nobody"] = heard.day.world.client()
    assert heard.get("nobody", "An", "sound").status_code in (302, 401)


def test_the_address_of_a_recording_in_the_paper_is_where_it_is_heard(heard: Heard) -> None:
    heard.day.ring(seconds=1)
    base = f"/attempts/{heard.day.codes['An']}"
    slots = heard.seats["An"].get(f"{base}/paper").json["parts"][0]["slots"]
    (place,) = [
        one["picture"]["src"] for slot in slots for one in slot["item"]["vi"]["interactions"] if one["kind"] == "media"
    ]
    assert heard.seats["An"].get(place).data == SOUND
    assert len({slot["slot"] for slot in slots}) == 10
