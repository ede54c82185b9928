"""Seats that were drawn and then given otherwise: both verifiers find it."""

import json

import hall_course
import pytest
from forgery import World
from hall import Hall, material
from second import failing, open_page, reports
from test_attacks import failed

from examsvc.ledger.bundle import RESTRICTED, compose

DRAW = "D-seats"


@pytest.fixture
def hall(monkeypatch):
    """A competition whose seats in the first sitting are drawn."""
    hold, commit, add = hall_course.hold, Hall.commit, Hall.add
    drawn = {}

    def drawn_first(hall, sitting, used, people, *rest):
        items = sorted(candidate for _, candidate in people)
        places = [f"R1.{n}" for n in range(1, len(items) + 1)]
        drawn.update(hall.draw(DRAW, "seats", "assignment", {"items": items, "places": places}))
        hold(hall, sitting, used, people, *rest)

    def seated(self, name, value, subject=None):
        if name == "sitting.plan":
            seats = [
                {**seat, "seat": drawn[seat["candidate"]].removeprefix("R1.")} for seat in value["seats"]
            ]
            value = {**value, "seats": seats}
        return commit(self, name, value, subject)

    def named(self, type, by="system", **body):
        return add(self, type, by, **body, **({"draw": DRAW} if type == "sitting.scheduled" else {}))

    monkeypatch.setattr(hall_course, "hold", drawn_first)
    monkeypatch.setattr(Hall, "commit", seated)
    monkeypatch.setattr(Hall, "add", named)
    return hall_course.competition(4, 3)


def moved(hall, change):
    """The restricted edition with other seats, signed anew by everybody."""
    world = World.of(hall)
    plan = world.find("sitting.scheduled")["body"]["plan"]
    value = json.loads(json.dumps(world.opening(plan).value))
    change(value["seats"])
    world.reopen(plan, value)
    return world.bundle()


@pytest.mark.browser
def test_seats_given_otherwise_than_drawn(hall, page, tmp_path):
    def exchanged(seats):
        seats[0]["seat"], seats[1]["seat"] = seats[1]["seat"], seats[0]["seat"]

    bundles = [
        moved(hall, exchanged),
        moved(hall, lambda seats: seats[2].update(room="R2")),
        moved(hall, lambda seats: seats[0].update(candidate="P9-001")),
    ]
    assert failed(compose(material(hall), RESTRICTED, hall.posts, 1)) == set()
    assert [failed(data) for data in bundles] == [{"V7"}] * 3
    open_page(page, tmp_path)
    honest, *others = reports(page, [compose(material(hall), RESTRICTED, hall.posts, 1), *bundles])
    assert honest[0] == 0, honest[2]
    assert [failing(status, verdicts) for status, verdicts, _ in others] == [["V7"]] * 3
