"""An exam day over HTTP: the application, its people, and browsers that speak the player's protocol."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from examsvc.base import jobs
from examsvc.sittings import queries
from examsvc.sittings.models import Attempt, Sitting
from tests.exam_hall import BELL, ExamHall
from tests.web import World, world


class Day:
    """The arranged sitting of tests/sittings/conftest.py: ten minutes before the bell, nobody is checked in."""

    def __init__(self, tmp_path: Path, address: str, engine: Engine, hall: ExamHall) -> None:
        self.engine, self.session, self.hall = engine, hall.session, hall
        self.world: World = world(tmp_path, address, hall.now)
        self.sitting = self.session.get_one(Sitting, hall.sitting_id).code
        self.slips: dict[str, str] = {}
        self.codes = {name: self.hall.attempt(name).code for name in ("An", "Bình")}

    def close(self) -> None:
        self.session.close()
        self.engine.dispose()

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """A session that sees what is committed now."""
        self.session.rollback()
        self.session.expire_all()
        yield self.session

    def staff(self, name: str, language: str = "en") -> FlaskClient:
        """A browser in which this person is signed in and reads that language."""
        client = self.world.client(self.hall.people[name])
        client.get(f"/language/{language}")
        return client

    def attempt(self, name: str) -> Attempt:
        with self.looking() as session:
            return queries.attempt(session, self.codes[name])

    def path(self, rest: str) -> str:
        return f"/competitions/mot/sittings/{self.sitting}{rest}"

    def slip(self, name: str, by: str = "Invigilator") -> str:
        """Checks the candidate in at the door; the code on the slip."""
        page = self.staff(by).post(
            self.path(f"/attempts/{self.codes[name]}/check-in"),
            data={"document": "citizen-card", "photograph_agrees": "y"},
        )
        assert page.status_code == 200, page.text
        shown = page.text.partition('class="large digest">')[2].partition("<")[0]
        return shown.replace(" ", "")

    def enter(self, name: str, code: str, client: FlaskClient | None = None) -> tuple[FlaskClient, Any]:
        """Types number and code at a machine of the hall; the machine and what it was answered."""
        client = client or self.world.client()
        form = {"candidate_number": self.hall.number(name), "code": code}
        return client, client.post("/competitions/mot/sit", data=form)

    def sit(self, name: str) -> FlaskClient:
        """Checked in, signed in at a machine of the hall; ``slips`` keeps the code."""
        self.slips[name] = self.slip(name)
        client, reply = self.enter(name, self.slips[name])
        assert reply.status_code == 302, reply.text
        assert reply.headers["location"].endswith(f"/attempts/{self.codes[name]}")
        return client

    def ring(self, **later: float) -> None:
        """Time goes to the bell and so much further; the duties do their work."""
        self.world.now = BELL
        with self.looking() as session:
            jobs.work(session, self.world.now)
        self.world.later(**later)

    def work(self) -> None:
        with self.looking() as session:
            jobs.work(session, self.world.now)

    def approve(self, by: str) -> int:
        self.hall.now = self.world.now
        with self.looking():
            return self.hall.approve_all(by)


class Browser:
    """One page of the player: keeps its lease and versions."""

    def __init__(self, day: Day, name: str, client: FlaskClient | None = None, machine: str | None = None) -> None:
        self.day, self.name = day, name
        self.client = client or day.sit(name)
        self.base = f"/attempts/{day.codes[name]}"
        self.machine = machine or uuid.uuid4().hex
        self.lease = ""

    @property
    def singles(self) -> list[int]:
        """Numbers of the questions with one choice; each candidate has an order of his own."""
        return [one.number for one in queries.slots(self.day.session, self.day.attempt(self.name)) if one.item.kind == "single"]

    @property
    def first(self) -> int:
        return self.singles[0]

    @property
    def second(self) -> int:
        return self.singles[1]

    def take_lease(self) -> Any:
        reply = self.client.post(f"{self.base}/lease", json={"machine": self.machine, "take_over": False})
        self.lease = reply.json.get("lease", "")
        return reply

    def state(self, query: str = "") -> Any:
        headers = {"X-Exam-Lease": self.lease} if self.lease else {}
        reply = self.client.get(f"{self.base}/state{query}", headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.json

    def paper(self) -> Any:
        return self.client.get(f"{self.base}/paper")

    def tokens(self, slot: int) -> list[str]:
        """The options of a question with one interaction, as the paper shows them."""
        shown = self.paper().json["parts"][0]["slots"][slot - 1]["item"]["vi"]["interactions"][0]
        return [choice["id"] for choice in shown["choices"]]

    def save(self, slot: int, value: object, base: int = 0, **more: Any) -> Any:
        save = {"save_id": str(uuid.uuid4()), "slot": slot, "base_version": base, "value": value}
        return self.client.post(f"{self.base}/saves", json={"lease": self.lease, "saves": [save], **more})

    def submit(self, versions: dict[int, int] | None = None) -> Any:
        if versions is None:
            versions = {one["slot"]: one["version"] for one in self.state()["slots"]}
        body = {"lease": self.lease, "submit_id": str(uuid.uuid4()), "versions": versions}
        return self.client.post(f"{self.base}/submit", json=body)
