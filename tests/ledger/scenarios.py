"""Competitions of varied regulation, size and incidents: everything follows from a seed."""

import random
from typing import Any

from hall import PLAIN, Scenario, plain, regulated

INCIDENTS = (
    "blank", "deadline", "late", "credit", "pause", "sanction", "cancel", "lifted", "resit", "spare", "void-draw",
    "server-draw", "corrected", "reallocated", "substituted", "hearing-absent", "key", "faulty", "priority", "excluded",
    "remark", "erasure", "stamp", "tie-decisions",
)  # fmt: skip

BANDS = [
    {"difference": "[0, 8)", "action": "mean", "failing": None},
    {"difference": "[8, 12]", "action": "agree-with-record", "failing": "head-decides"},
    {"difference": "(12, 80]", "action": "third-mark", "failing": None},
]
THREE = [
    {"rule": "equal-pair", "spread": None},
    {"rule": "mean-of-three", "spread": "[0, 20]"},
    {"rule": "third-final", "spread": "(20, 40]"},
    {"rule": "head-decides", "spread": None},
]
PRIORITY = {
    "source": "Invented", "verified": False, "unverified_fields": [],
    "entries": [
        {"id": "veteran", "label": {"vi": "Cựu chiến binh", "en": "Veteran"}, "points": "5", "evidence": []},
        {"id": "minority", "label": {"vi": "Dân tộc", "en": "Minority"}, "points": "2.5", "evidence": []},
    ],
    "combine": "highest",
}  # fmt: skip


def vary(tree: dict[str, Any], draw: random.Random) -> None:
    """Other clauses than PLAIN's, each with some probability."""
    plain(tree)
    test, essay = tree["stages"][1]["parts"]
    (defence,) = tree["stages"][2]["parts"]

    def half() -> bool:
        return draw.random() < 0.5

    pass_mark = {
        "at": draw.choice(["0.25", "0.5"]),
        "of": "maximum",
        "boundary": draw.choice(["at-least", "more-than"]),
    }
    for part in (test, essay, defence):
        if draw.random() < 0.4:
            part |= {"pass_mark": pass_mark, "hurdle": half()}
        part["weight"] = draw.choice(["1", "1.5", "0.3", "2/3"])
    if draw.random() < 0.2:
        test["weight"] = "0"
    test["neutralised_item"] = draw.choice(["redistribute", "full-marks", "drop"])
    test["maximum"] = draw.choice(["20", "40"])
    essay["maximum"] = draw.choice(["80", "20"])
    if half():
        scale = 1 if essay["maximum"] == "80" else 4
        bands = [dict(band) for band in BANDS]
        if scale == 4:
            for band, text in zip(bands, ("[0, 2)", "[2, 3]", "(3, 20]"), strict=True):
                band["difference"] = text
        three = [dict(step) for step in THREE]
        if scale == 4:
            three[1]["spread"], three[2]["spread"] = "[0, 5]", "(5, 10]"
        policy = {
            "source": "Invented", "verified": False, "unverified_fields": [],
            "unit": "marks", "bands": bands, "three_marks": three, "head": "chief-examiner",
        }  # fmt: skip
        tree["marking"][0]["discrepancy"] = policy
    panel = tree["panels"][0]
    panel["combine"] = draw.choice(["mean", "median", "trimmed-mean"])
    panel["members"] = draw.choice([3, 4, 5]) if panel["combine"] != "trimmed-mean" else draw.choice([4, 5])
    if panel["combine"] == "trimmed-mean":
        panel |= {"drop_highest": 1, "drop_lowest": draw.choice([0, 1])}
    if draw.random() < 0.3:
        panel["outlier"] = {"distance": "15", "action": draw.choice(["report", "exclude"])}
    points = []
    for place in ("marker-mark", "agreed-mark", "panel-mark", "part-mark", "weighted-part", "total"):
        if draw.random() < (0.8 if place == "total" else 0.3):
            mode = draw.choice(["half-up", "half-even", "down", "up"])
            points.append({"at": place, "decimals": draw.choice([0, 1, 2]), "mode": mode})
    tree["rounding"]["points"] = points
    tree["total"] |= {"basis": draw.choice(["marks", "shares"]), "maximum": draw.choice(["100", "200"])}
    if draw.random() < 0.3:
        tree["total"]["pass_mark"] = {"at": "0.4", "of": "maximum", "boundary": "at-least"}
    steps = [
        {"by": "part-mark", "part": "plan-defence", "role": None},
        {"by": "part-mark", "part": "essay", "role": None},
        {"by": "total-without-priority", "part": None, "role": None},
        {"by": "older-first", "part": None, "role": None},
    ]
    last = draw.choice(
        [
            {"by": "lots", "part": None, "role": None},
            {"by": "role-decides", "part": None, "role": "council-chair"},
        ]
    )
    tree["ties"]["steps"] = [*draw.sample(steps, draw.randrange(0, 4)), last]
    tree["selection"] |= {
        "winners": draw.choice(["highest-total", "highest-total", "reserve-list"]),
        "reserve_places_per_post": draw.choice([0, 1, 2]),
        "next_in_line": half(),
    }
    if draw.random() < 0.3:
        tree["priority"] = {
            **PRIORITY,
            "added_to": draw.choice([None, "essay", "test"]),
            "after_pass_check": half(),
        }
    if draw.random() < 0.25:
        tree["stages"][1] |= {
            "places_per_post": draw.choice([1, 2, 3]),
            "ties_at_the_cut": draw.choice(["all-go-on", "tie-breaks"]),
        }


def scenario(seed: int) -> tuple[int, Scenario]:
    """(candidates for each post, scenario) of this seed."""
    draw = random.Random(f"scenario {seed}")
    regulation = PLAIN if seed % 10 == 0 else regulated(lambda tree: vary(tree, draw))
    posts = tuple(f"P{n}" for n in range(1, draw.choice([1, 2, 2, 3]) + 1))
    members = regulation.panels[0].members
    share = draw.choice([0.0, 0.1, 0.3, 0.6])
    chosen = frozenset(name for name in INCIDENTS if draw.random() < share)
    made = Scenario(
        regulation,
        posts,
        {post: draw.choice([1, 1, 2]) for post in posts},
        max(members + draw.choice([0, 1]), draw.choice([4, 5, 6])),
        draw.choice([1, 2, 4, 5]),
        draw.choice([1, 1, 2]),
        draw.choice([2, 10, 40]),
        incidents=chosen,
    )
    return draw.choice([1, 1, 2, 3, 4, 6, 9]), made
