"""The ranking once more, written from the words of docs/formats/regulation.md and in no hurry: one candidate at a time, each
compared with each other, with its own rounding.  It shares no line with examsvc.results.rules.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any


def rounded(tree: dict[str, Any], place: str, number: Fraction) -> Fraction:
    point = next((one for one in tree["rounding"]["points"] if one["at"] == place), None)
    if point is None:
        return number
    scale = 10 ** point["decimals"]
    top, bottom = number.numerator * scale, number.denominator
    whole, rest = top // bottom, top % bottom
    up = {
        "down": False,
        "up": rest != 0,
        "half-up": 2 * rest >= bottom,
        "half-even": 2 * rest > bottom or (2 * rest == bottom and whole % 2 == 1),
    }[point["mode"]]
    return Fraction(whole + (1 if up else 0), scale)


def passes(rule: dict[str, Any] | None, number: Fraction, maximum: Fraction) -> bool:
    if rule is None:
        return True
    least = Fraction(rule["at"]) * (maximum if rule["of"] == "maximum" else 1)
    return number >= least if rule["boundary"] == "at-least" else number > least


def points_of(tree: dict[str, Any], entitlements: tuple[str, ...]) -> Fraction:
    priority = tree["priority"]
    if priority is None or not entitlements:
        return Fraction(0)
    values = [Fraction(one["points"]) for one in priority["entries"] if one["id"] in entitlements]
    return max(values) if priority["combine"] == "highest" else sum(values, Fraction(0))


class Sheet:
    """All that is known of one candidate, filled in stage by stage."""

    def __init__(self, tree: dict[str, Any], entrant: Any) -> None:
        self.tree, self.entrant = tree, entrant
        self.marks: dict[str, Fraction] = {}
        self.plain: dict[str, Fraction] = {}
        self.total: Fraction | None = None
        self.without = Fraction(0)
        self.points = points_of(tree, entrant.priorities)
        self.end = "annulled" if entrant.annulled else ""
        for stage in tree["stages"]:
            for part in stage["parts"]:
                if part["id"] in entrant.marks:
                    left = entrant.marks[part["id"]] * (1 - entrant.deductions.get(part["id"], Fraction(0)))
                    self.marks[part["id"]] = self.plain[part["id"]] = rounded(tree, "part-mark", left)

    def go_through(self, stage: dict[str, Any]) -> None:
        if self.end:
            return
        if {part["id"] for part in stage["parts"]} & set(self.entrant.absent):
            self.end = "absent"
            return
        for part in stage["parts"]:
            name = part["id"]
            if name not in self.marks:
                self.end = "incomplete"
                return
            priority = self.tree["priority"]
            with_points = self.marks[name]
            if priority is not None and priority["added_to"] == name:
                with_points += self.points
            before = priority is None or priority["after_pass_check"]
            if not before:
                self.marks[name] = with_points
            looked_at = self.marks[name]
            if part["hurdle"] and not passes(part["pass_mark"], looked_at, Fraction(part["maximum"])):
                self.end = "failed"
                return
            self.marks[name] = with_points

    def worth(self, part: dict[str, Any], mark: Fraction) -> Fraction:
        value = Fraction(part["weight"]) * mark
        if self.tree["total"]["basis"] == "shares":
            value = Fraction(self.tree["total"]["maximum"]) * Fraction(part["weight"]) * mark / Fraction(part["maximum"])
        return rounded(self.tree, "weighted-part", value)

    def stage_sum(self, stage: dict[str, Any]) -> Fraction:
        if any(Fraction(part["weight"]) for part in stage["parts"]):
            return sum(
                (self.worth(part, self.marks[part["id"]]) for part in stage["parts"] if Fraction(part["weight"])), Fraction(0)
            )
        return sum((self.marks[part["id"]] for part in stage["parts"]), Fraction(0))

    def add_up(self) -> None:
        parts = [part for stage in self.tree["stages"] for part in stage["parts"] if Fraction(part["weight"])]
        total = sum((self.worth(part, self.marks[part["id"]]) for part in parts), Fraction(0))
        plain = sum((self.worth(part, self.plain[part["id"]]) for part in parts), Fraction(0))
        self.without = rounded(self.tree, "total", plain)
        priority = self.tree["priority"]
        to_total = priority is not None and priority["added_to"] is None
        looked_at = total + self.points if to_total and not priority["after_pass_check"] else total
        maximum = Fraction(self.tree["total"]["maximum"])
        if not passes(self.tree["total"]["pass_mark"], rounded(self.tree, "total", looked_at), maximum):
            self.end = "failed"
            self.total = rounded(self.tree, "total", looked_at)
            return
        self.total = rounded(self.tree, "total", total + self.points if to_total else total)


def fact(step: dict[str, Any], sheet: Sheet) -> tuple[int, Any]:
    """How good a candidate is in one tie-break; greater is better."""
    person = sheet.entrant.person
    match step["by"]:
        case "part-mark":
            return (1, sheet.marks[step["part"]]) if step["part"] in sheet.marks else (0, 0)
        case "total-without-priority":
            return (1, sheet.without)
        case "women-first":
            return (1, 0) if person.woman else (0, 0)
        case "ethnic-minority-first":
            return (1, 0) if person.ethnic_minority else (0, 0)
        case "older-first":
            return (1, -person.born.toordinal()) if person.born else (0, 0)
        case "longer-service-first":
            return (1, -person.in_service_since.toordinal()) if person.in_service_since else (0, 0)
    raise AssertionError(step)


def cut(tree: dict[str, Any], stage: dict[str, Any], sheets: list[Sheet]) -> None:
    if stage["places_per_post"] is None:
        return
    known = [part["id"] for one in tree["stages"][: tree["stages"].index(stage) + 1] for part in one["parts"]]
    steps = []
    if stage["ties_at_the_cut"] == "tie-breaks":
        for step in tree["ties"]["steps"]:
            if step["by"] in ("lots", "role-decides"):
                break
            if step["by"] == "total-without-priority" or (step["by"] == "part-mark" and step["part"] not in known):
                continue
            steps.append(step)
    running = [one for one in sheets if not one.end]
    keys = {id(one): (one.stage_sum(stage), *(fact(step, one) for step in steps)) for one in running}
    for one in running:
        better = [
            other
            for other in running
            if other.entrant.post == one.entrant.post and keys[id(other)] > keys[id(one)]
        ]
        if len(better) >= stage["places_per_post"]:
            one.end = "below-cut"


def better(tree: dict[str, Any], a: Sheet, b: Sheet, ranked: list[Sheet], decisions: list[Any]) -> int | str:
    """1 where a stands above b, -1 where below; who must decide where nothing separates them."""
    if a.total != b.total:
        return 1 if a.total > b.total else -1
    level = [one for one in ranked if one.total == a.total]
    who = "nobody"
    for step in tree["ties"]["steps"]:
        if step["by"] in ("lots", "role-decides"):
            who = step["role"] or "lots"
            break
        if fact(step, a) != fact(step, b):
            return 1 if fact(step, a) > fact(step, b) else -1
        level = [one for one in level if fact(step, one) == fact(step, a)]
    numbers = {one.entrant.number for one in level}
    fitting = [decision.order for decision in decisions if numbers.issubset(decision.order)]
    if not fitting:
        return who
    order = fitting[-1]
    return 1 if order.index(a.entrant.number) < order.index(b.entrant.number) else -1


def rank(tree: dict[str, Any], entrants: list[Any], vacancies: dict[str, int], decisions: list[Any]) -> dict[str, dict[str, Any]]:
    """By candidate number: outcome, rank, total, part marks; "open" names who must still decide a tie."""
    sheets = [Sheet(tree, entrant) for entrant in entrants]
    for stage in tree["stages"]:
        if stage["kind"] == "examination":
            for sheet in sheets:
                sheet.go_through(stage)
            cut(tree, stage, sheets)
    for sheet in sheets:
        if not sheet.end:
            sheet.add_up()
    result = {}
    for sheet in sheets:
        row: dict[str, Any] = {
            "outcome": sheet.end,
            "rank": None,
            "total": sheet.total,
            "parts": sheet.marks,
            "open": None,
            "needed": False,
        }
        result[sheet.entrant.number] = row
        if sheet.end:
            continue
        field = [one for one in sheets if not one.end and one.entrant.post == sheet.entrant.post]
        compared = {id(o): better(tree, sheet, o, field, decisions) for o in field if o is not sheet}
        above = sum(1 for value in compared.values() if value == -1)
        level = [value for value in compared.values() if isinstance(value, str)]
        row["rank"] = above + 1
        row["open"] = level[0] if level else None
        last = above + 1 + len(level)
        winners = vacancies[sheet.entrant.post] if tree["selection"]["winners"] == "highest-total" else 0
        places = winners + tree["selection"]["reserve_places_per_post"]
        row["outcome"] = (
            "chosen" if last <= winners else "reserve" if above >= winners and last <= places else "passed"
        )
        there = {
            "chosen" if place <= winners else "reserve" if place <= places else "passed" for place in range(above + 1, last + 1)
        }
        in_line = tree["selection"]["next_in_line"] and there == {"passed"}
        row["needed"] = bool(level) and (len(there) > 1 or there == {"reserve"} or in_line)
    return result
