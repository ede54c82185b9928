"""How every number of a result came about, in words: for the board in the table of ranks, for each candidate on his own page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from examsvc.base.errors import N_
from examsvc.base.language import number, sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.terms import read_exact, write_exact
from examsvc.marking import queries as marking
from examsvc.marking.models import Script

TIE_NAMES = {
    "part-mark": N_("the higher mark in %(part)s"),
    "total-without-priority": N_("the higher total without priority points"),
    "women-first": N_("women first"),
    "ethnic-minority-first": N_("members of ethnic minorities first"),
    "older-first": N_("the older first"),
    "longer-service-first": N_("longer service first"),
}
MANNERS = {
    "single": N_("One marker marked it: %(marks)s."),
    "mean": N_("Two markers marked it without knowing of each other: %(marks)s. The mark is their mean."),
    "agreed": N_("Two markers marked it without knowing of each other: %(marks)s. They then settled on one mark, with a record."),
    "third": N_("The marks lay so far apart that another marker marked it too: %(marks)s. The regulation's rule for three marks gave the mark."),
    "decided": N_("The marks lay far apart: %(marks)s. The regulation leaves the mark to the head of the marking, who gave the reason in writing."),
}
COMBINED = {
    "mean": N_("The mark is the mean."),
    "trimmed-mean": N_("The mark is the mean without the highest and the lowest, as the regulation says."),
    "median": N_("The mark is the middle one."),
}


@dataclass(frozen=True)
class Section:
    """One number and the sentences that lead to it; ``part`` None: the total."""

    part: str | None
    title: str
    shown: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Derivation:
    """Every part that has a mark or decided something, the total, and what follows."""

    parts: tuple[Section, ...]
    total: Section | None
    after: tuple[str, ...]

    def part(self, name: str) -> Section | None:
        return next((one for one in self.parts if one.part == name), None)


def shown(value: Fraction | str | None, language: str) -> str:
    """An exact number for a reader; one whose decimals do not end is cut to four and marked as such."""
    if value is None:
        return "–"
    exact = read_exact(value) if isinstance(value, str) else value
    text = write_exact(exact)
    if "/" in text:
        ten = exact * 10_000
        whole = (2 * ten.numerator + ten.denominator) // (2 * ten.denominator)
        return "≈ " + number(f"{whole // 10_000}.{whole % 10_000:04d}", language)
    return number(text, language)


def derivation(
    regulation: Regulation, row: Mapping[str, Any], language: str, origins: Mapping[str, Sequence[str]] | None = None
) -> Derivation:
    """The lines of a row in words.  ``origins`` are sentences on where the mark of a part came from, by part."""
    lines: dict[str | None, list[str]] = {part.id: list((origins or {}).get(part.id, ())) for part in regulation.parts}
    lines[None] = []
    after: list[str] = []
    touched: set[str | None] = set()
    for step in row["steps"]:
        text = _line(regulation, row, step, language)
        if text is None:
            continue
        place = step["part"] if step["code"] not in ("weighted", "tie-broken") and step["detail"] != "weighted-part" else None
        if step["code"] in ("cut-passed", "cut-missed", "tie-broken", "tie-decided", "annulled"):
            after.append(text)
        else:
            lines[place].append(text)
            touched.add(place)
    parts = tuple(
        Section(part.id, part.label.in_language(language), shown(row["parts"].get(part.id), language), tuple(lines[part.id]))
        for part in regulation.parts
        if part.id in touched
    )
    total = None
    if row["total"] is not None:
        total = Section(None, sentence(language, N_("Total")), shown(row["total"], language), tuple(lines[None]))
    return Derivation(parts, total, (*after, outcome_sentence(regulation, row, language)))


def _line(regulation: Regulation, row: Mapping[str, Any], step: Mapping[str, Any], language: str) -> str | None:
    """One step as a sentence; None where it says nothing to a reader."""

    def say(text: str, **params: object) -> str:
        return sentence(language, text, **params)

    value, result = shown(step["value"], language), shown(step["result"], language)
    label = regulation.part(step["part"]).label.in_language(language) if step["part"] else say(N_("the total"))
    match step["code"]:
        case "mark":
            return say(N_("Mark: %(mark)s of %(maximum)s."), mark=result, maximum=value)
        case "deduction":
            percent = shown(read_exact(step["value"]) * 100, language)
            return say(N_("A sanction in the hall takes away %(percent)s %% of this mark; %(mark)s is left."), percent=percent, mark=result)
        case "rounded" if step["detail"] == "weighted-part":
            return say(N_("%(part)s, rounded as the regulation says: %(after)s."), part=label, after=result)
        case "rounded":
            return say(N_("Rounded as the regulation says: %(before)s becomes %(after)s."), before=value, after=result)
        case "annulled":
            return say(N_("The result was annulled."))
        case "absent":
            return say(N_("Absent: this part was not sat."))
        case "not-marked":
            return say(N_("This part has no mark."))
        case "pass-met" | "pass-missed":
            return _passing(regulation, step, language)
        case "priority":
            return _priority(regulation, step, language)
        case "weighted":
            return _weighted(regulation, row, step, language)
        case "sum":
            return say(N_("Added up: %(sum)s."), sum=result)
        case "cut-passed" | "cut-missed":
            stage = regulation.stage(step["detail"]).label.in_language(language)
            text = (
                N_("%(stage)s: %(own)s points; whoever had %(last)s or more goes on.")
                if step["code"] == "cut-passed"
                else N_("%(stage)s: %(own)s points; there was room only for those with %(last)s or more, or who stood better among equals.")
            )
            return say(text, stage=stage, own=result, last=value)
        case "tie-broken":
            name = say(TIE_NAMES[step["detail"]], part=label)
            return say(N_("Equal totals were separated by: %(rule)s."), rule=name)
        case "tie-decided":
            return say(N_("Candidates equal in everything else were ordered by decision: %(reason)s"), reason=step["detail"])
    return None


def _passing(regulation: Regulation, step: Mapping[str, Any], language: str) -> str:
    rule = regulation.part(step["part"]).pass_mark if step["part"] else regulation.total.pass_mark
    at_least = rule is None or rule.boundary == "at-least"
    least, own = shown(step["value"], language), shown(step["result"], language)
    hurdle = step["part"] is None or regulation.part(step["part"]).hurdle
    if step["code"] == "pass-met":
        text = (
            N_("At least %(least)s is needed: passed with %(own)s.")
            if at_least
            else N_("More than %(least)s is needed: passed with %(own)s.")
        )
    elif hurdle:
        text = (
            N_("At least %(least)s is needed: %(own)s is not enough, and the competition ends here.")
            if at_least
            else N_("More than %(least)s is needed: %(own)s is not enough, and the competition ends here.")
        )
    else:
        text = (
            N_("At least %(least)s would pass this part: %(own)s does not. The other parts may make up for it.")
            if at_least
            else N_("More than %(least)s would pass this part: %(own)s does not. The other parts may make up for it.")
        )
    return sentence(language, text, least=least, own=own)


def _priority(regulation: Regulation, step: Mapping[str, Any], language: str) -> str:
    wanted = str(step["detail"]).split(", ")
    entries = regulation.priority.entries if regulation.priority else ()
    groups = "; ".join(one.label.in_language(language) for one in entries if one.id in wanted)
    return sentence(
        language,
        N_("Priority points (%(groups)s): + %(points)s makes %(result)s."),
        groups=groups,
        points=shown(step["value"], language),
        result=shown(step["result"], language),
    )


def _weighted(regulation: Regulation, row: Mapping[str, Any], step: Mapping[str, Any], language: str) -> str:
    part = regulation.part(step["part"])
    mark = shown(row["parts"][part.id], language)
    result = shown(step["result"], language)
    label = part.label.in_language(language)
    if regulation.total.basis == "shares":
        return sentence(
            language,
            N_("%(part)s: %(mark)s of %(maximum)s, worth %(weight)s of a total of %(total)s = %(result)s."),
            part=label,
            mark=mark,
            maximum=shown(part.maximum, language),
            weight=shown(part.weight, language),
            total=shown(regulation.total.maximum, language),
            result=result,
        )
    return sentence(
        language,
        N_("%(part)s: %(mark)s × weight %(weight)s = %(result)s."),
        part=label,
        mark=mark,
        weight=shown(part.weight, language),
        result=result,
    )


def outcome_sentence(regulation: Regulation, row: Mapping[str, Any], language: str) -> str:
    """What the result means, in one sentence."""

    def say(text: str, **params: object) -> str:
        return sentence(language, text, **params)

    match row["outcome"]:
        case "chosen" if regulation.selection.ballot_decides:
            return say(N_("Rank %(rank)d: on the list for the ballot, which decides."), rank=row["rank"])
        case "chosen":
            return say(N_("Rank %(rank)d: chosen."), rank=row["rank"])
        case "reserve":
            return say(
                N_("Rank %(rank)d: on the reserve list, valid for %(months)d months."),
                rank=row["rank"],
                months=regulation.selection.reserve_months,
            )
        case "passed":
            return say(N_("Rank %(rank)d: passed, but there are not enough places."), rank=row["rank"])
        case "below-cut":
            return say(N_("Passed this stage, but not among those who go on."))
        case "failed":
            return say(N_("Not passed."))
        case "absent":
            return say(N_("Not ranked, since a part was not sat."))
        case "annulled":
            return say(N_("Not ranked."))
    return say(N_("Not ranked, since a mark is missing."))


# ---------------------------------------------------------------- where a mark came from


def origins(session: Session, competition: Competition, candidate: str, language: str) -> dict[str, list[str]]:
    """How the marks of each part came about, by part: independent marks and the rule that settled them, nobody named."""
    regulation = competitions.regulation(competition)
    found: dict[str, list[str]] = {}
    for part in regulation.parts:
        if part.kind == "objective":
            found[part.id] = [sentence(language, N_("The answers were marked by the computer, the same way for everybody."))]
        elif part.kind in ("essay", "plan"):
            mine = [
                one
                for one in marking.scripts(session, competition.id, part.id)
                if one.attempt is not None and one.application.candidate_number == candidate and one.settlement is not None
            ]
            found[part.id] = [_script(one, place, len(mine), language) for place, one in enumerate(mine, 1)]
        else:
            found[part.id] = _hearing(session, competition, regulation, part.id, candidate, language)
    return found


def _script(script: Script, place: int, of: int, language: str) -> str:
    settled = script.settlement
    assert settled is not None
    marks = [one.sheet.total for one in marking.active_allocations(script) if one.sheet is not None]
    text = sentence(language, MANNERS[settled.manner], marks=listed(marks, language))
    if of > 1:
        return sentence(language, N_("Task %(place)d: %(mark)s."), place=place, mark=shown(settled.mark, language)) + " " + text
    return text


def _hearing(
    session: Session, competition: Competition, regulation: Regulation, part: str, candidate: str, language: str
) -> list[str]:
    rule = regulation.part(part)
    panel = regulation.panel_of(rule)  # type: ignore[arg-type]
    for one in marking.hearings(session, competition.id, part):
        if one.application.candidate_number != candidate or not one.settlements:
            continue
        given = sorted((read_exact(seat.sheets[-1].total) for seat in marking.sitting_members(one) if seat.sheets), reverse=True)
        lines = [
            sentence(
                language,
                N_("%(members)d members of the panel marked it, each before seeing the others' marks: %(marks)s."),
                members=len(given),
                marks=listed([write_exact(mark) for mark in given], language),
            )
        ]
        return [*lines, sentence(language, COMBINED[panel.combine])]
    return []


def listed(marks: Sequence[str], language: str) -> str:
    """Marks one after the other; semicolons, since decimals have a comma in Vietnamese."""
    return "; ".join(shown(mark, language) for mark in marks)
