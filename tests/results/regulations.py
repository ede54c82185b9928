"""Regulations and fields of candidates as hypothesis draws them: the demonstration regulation with other numbers in it."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.results.rules import Entrant, Person, TieDecision

SOURCE = {"source": "Drawn for a test", "verified": False, "unverified_fields": []}
LABEL = {"vi": "x", "en": "x"}
MODES = ("half-up", "half-even", "down", "up")
COMPARED = ("total-without-priority", "women-first", "ethnic-minority-first", "older-first", "longer-service-first")


@lru_cache
def demo() -> str:
    return read_preset("demo").canonical_bytes().decode()


def changed(**clauses: Any) -> Regulation:
    """The demonstration regulation with these clauses in place of its own."""
    return Regulation.model_validate_json(json.dumps({**json.loads(demo()), **clauses}))


def part(name: str, **own: Any) -> dict[str, Any]:
    """A computer test with these numbers."""
    template = next(p for stage in json.loads(demo())["stages"] for p in stage["parts"] if p["id"] == "test")
    return {**template, "id": name, **own}


def stage(name: str, parts: list[dict[str, Any]], **own: Any) -> dict[str, Any]:
    template = next(one for one in json.loads(demo())["stages"] if one["id"] == "written")
    return {**template, "id": name, "parts": parts, **own}


numbers = st.sampled_from(("1", "2", "0.5", "1/3", "1.5"))


@st.composite
def pass_marks(draw: st.DrawFn, maximum: int) -> dict[str, str] | None:
    if draw(st.booleans()):
        return None
    boundary = draw(st.sampled_from(("at-least", "more-than")))
    if draw(st.booleans()):
        return {"at": draw(st.sampled_from(("1/2", "1/3", "0.25"))), "of": "maximum", "boundary": boundary}
    return {"at": str(draw(st.integers(0, maximum))), "of": "marks", "boundary": boundary}


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    """A whole regulation as JSON: one to three stages, any weights, hurdles, cuts, priority, rounding, ties and selection."""
    tree = json.loads(demo())
    names = iter("abcdef")
    stages = [one for one in tree["stages"] if one["kind"] == "eligibility"]
    for number in range(draw(st.integers(1, 3))):
        parts = []
        for _ in range(draw(st.integers(1, 2))):
            maximum = draw(st.sampled_from((4, 6, 10)))
            parts.append(
                part(
                    next(names),
                    maximum=str(maximum),
                    weight=draw(st.one_of(st.just("0"), numbers, numbers)),
                    hurdle=draw(st.booleans()),
                    pass_mark=draw(pass_marks(maximum)),
                )
            )
        cuts = draw(st.booleans())
        stages.append(
            stage(
                f"stage-{number}",
                parts,
                places_per_post=draw(st.integers(1, 4)) if cuts else None,
                ties_at_the_cut=draw(st.sampled_from(("all-go-on", "tie-breaks"))) if cuts else None,
            )
        )
    ids = [p["id"] for one in stages for p in one["parts"]]
    tree["stages"] = stages
    tree["total"] = {
        **tree["total"],
        "basis": draw(st.sampled_from(("marks", "shares"))),
        "maximum": "100",
        "pass_mark": draw(pass_marks(20)),
    }
    places = draw(st.lists(st.sampled_from(("part-mark", "weighted-part", "total")), unique=True))
    tree["rounding"] = {
        **SOURCE,
        "points": [
            {"at": place, "decimals": draw(st.integers(0, 2)), "mode": draw(st.sampled_from(MODES))} for place in places
        ],
    }
    tree["priority"] = draw(st.one_of(st.none(), priorities(ids)))
    tree["ties"] = {**SOURCE, "steps": draw(tie_breaks(ids))}
    reserve = draw(st.integers(0, 3))
    tree["selection"] = {
        **tree["selection"],
        "winners": draw(st.sampled_from(("highest-total", "reserve-list"))),
        "next_in_line": draw(st.booleans()),
        "reserve_places_per_post": reserve,
        "reserve_months": 12 if reserve else 0,
    }
    return tree


@st.composite
def priorities(draw: st.DrawFn, parts: list[str]) -> dict[str, Any]:
    return {
        **SOURCE,
        "entries": [
            {"id": "hero", "label": LABEL, "points": draw(numbers), "evidence": []},
            {"id": "service", "label": LABEL, "points": draw(numbers), "evidence": []},
        ],
        "combine": draw(st.sampled_from(("highest", "sum"))),
        "added_to": draw(st.one_of(st.none(), st.sampled_from(parts))),
        "after_pass_check": draw(st.booleans()),
    }


@st.composite
def tie_breaks(draw: st.DrawFn, parts: list[str]) -> list[dict[str, Any]]:
    steps = [
        {"by": by, "part": None, "role": None}
        for by in draw(st.lists(st.sampled_from(COMPARED), unique=True, max_size=3))
    ]
    steps += [
        {"by": "part-mark", "part": name, "role": None}
        for name in draw(st.lists(st.sampled_from(parts), unique=True, max_size=2))
    ]
    steps = draw(st.permutations(steps))
    last = draw(st.sampled_from(("lots", "role-decides", "nothing")))
    if last != "nothing":
        steps = [*steps, {"by": last, "part": None, "role": "council-chair" if last == "role-decides" else None}]
    return steps


people = st.builds(
    Person,
    woman=st.one_of(st.none(), st.booleans()),
    ethnic_minority=st.one_of(st.none(), st.booleans()),
    born=st.one_of(st.none(), st.sampled_from((date(1970, 1, 1), date(1980, 5, 5)))),
    in_service_since=st.one_of(st.none(), st.sampled_from((date(2001, 9, 1), date(2015, 3, 1)))),
)


@st.composite
def fields(draw: st.DrawFn, tree: dict[str, Any]) -> list[Entrant]:
    """Up to nine candidates for two posts with coarse marks, so that ties, cuts and boundaries are met often."""
    parts = [p for one in tree["stages"] for p in one["parts"]]
    found = []
    for place in range(draw(st.integers(1, 9))):
        marks: dict[str, Fraction] = {}
        absent: set[str] = set()
        for one in parts:
            state = draw(st.sampled_from(("marked",) * 8 + ("absent", "missing")))
            if state == "absent":
                absent.add(one["id"])
            elif state == "marked":
                top = 3 * int(one["maximum"])
                marks[one["id"]] = Fraction(draw(st.integers(top // 2, top)), 3)
        sanctioned = draw(st.sampled_from((None,) * 6 + tuple(p["id"] for p in parts)))
        found.append(
            Entrant(
                number=f"{place + 1:03}",
                post=draw(st.sampled_from("AAB")),
                marks=marks,
                absent=frozenset(absent),
                deductions={sanctioned: draw(st.sampled_from((Fraction(1, 4), Fraction(1))))} if sanctioned else {},
                annulled=draw(st.integers(0, 19)) == 0,
                priorities=draw(
                    st.sampled_from(((), (), ("hero",), ("hero", "service")))
                    if tree["priority"] is not None
                    else st.just(())
                ),
                person=draw(people),
            )
        )
    return found


@st.composite
def competitions(draw: st.DrawFn) -> tuple[dict[str, Any], list[Entrant], dict[str, int], list[TieDecision]]:
    """(regulation as JSON, candidates, vacancies, decisions on ties that may or may not be needed)."""
    tree = draw(trees())
    entrants = draw(fields(tree))
    everybody = [one.number for one in entrants]
    decisions = [
        TieDecision(tuple(draw(st.permutations(everybody))), "reason", "council-chair")
        for _ in range(draw(st.sampled_from((0, 1, 1, 2))))
    ]
    return tree, entrants, {"A": draw(st.integers(1, 3)), "B": 1}, decisions
