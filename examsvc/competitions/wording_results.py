"""Clauses on rounding, total, priority, ties, selection and publication, in words."""

from __future__ import annotations

from examsvc.base.errors import N_
from examsvc.competitions.result_clauses import (
    Disclosure,
    Priority,
    Publication,
    Rounding,
    Selection,
    Ties,
    Total,
)
from examsvc.competitions.wording import Words
from examsvc.competitions.wording_entry import CHANNELS

PLACES = {
    "marker-mark": N_("a marker's own mark"),
    "agreed-mark": N_("the mark settled between markers"),
    "panel-mark": N_("the mark of a panel"),
    "part-mark": N_("the mark of a part, after deductions"),
    "weighted-part": N_("the weighted mark of a part"),
    "total": N_("the total"),
}
MODES = {
    "half-up": N_("a half goes up"),
    "half-even": N_("a half goes to the even neighbour"),
    "down": N_("always down"),
    "up": N_("always up"),
}
TIES = {
    "part-mark": N_("the higher mark in: %(part)s"),
    "total-without-priority": N_("the higher total without priority points"),
    "women-first": N_("women first"),
    "ethnic-minority-first": N_("members of an ethnic minority first"),
    "older-first": N_("the older first"),
    "longer-service-first": N_("the longer service first"),
    "lots": N_("a public draw by lot"),
    "role-decides": N_("%(role)s decides with a written reason"),
}
FALSE = {
    "result-cancelled": N_("the result is cancelled"),
    "published": N_("it is made public"),
    "banned-from-next-period": N_("the person may not enter the next competition"),
}
SHOWN = {"name": N_("by name"), "number": N_("by candidate number")}
MARKS = {"parts": N_("the marks of the parts and the total"), "total": N_("the total"), "nothing": N_("no marks")}


def rounding(words: Words, clause: Rounding) -> list[str]:
    lines = [
        words.say(
            N_("Rounded to %(decimals)s decimals, %(mode)s: %(place)s."),
            decimals=point.decimals,
            mode=words.say(MODES[point.mode]),
            place=words.say(PLACES[point.at]),
        )
        for point in clause.points
    ]
    return [*lines, words.say(N_("Everything else is computed exactly."))]


def total(words: Words, clause: Total) -> list[str]:
    counted = [part for part in words.regulation.parts if part.weight]
    if clause.basis == "marks":
        formula = " + ".join(
            words.label(part.label) if part.weight == 1 else f"{words.number(part.weight)} × {words.label(part.label)}"
            for part in counted
        )
        lines = [words.say(N_("Total = %(formula)s."), formula=formula)]
    else:
        formula = " + ".join(
            f"{words.number(part.weight)} × {words.label(part.label)} / {words.number(part.maximum)}" for part in counted
        )
        lines = [
            words.say(N_("Total = %(maximum)s × (%(formula)s)."), maximum=words.number(clause.maximum), formula=formula)
        ]
    lines.append(words.say(N_("Greatest total without priority points: %(maximum)s."), maximum=clause.maximum))
    if clause.pass_mark is not None:
        lines.append(
            words.say(N_("The total must be %(mark)s."), mark=words.pass_mark(clause.pass_mark, clause.maximum))
        )
    if clause.unequal_weights_reason is not None:
        lines.append(words.say(N_("Why the parts weigh differently: %(reason)s."), reason=words.label(clause.unequal_weights_reason).rstrip(".")))
    return lines


def priority(words: Words, clause: Priority) -> list[str]:
    lines = []
    for entry in clause.entries:
        line = words.say(N_("%(group)s: %(points)s points."), group=words.label(entry.label), points=entry.points)
        if entry.evidence:
            line += " " + words.say(N_("To be proved by: %(files)s."), files=words.names("file", entry.evidence))
        lines.append(line)
    return [
        *lines,
        words.say(N_("Of several entitlements only the highest counts."))
        if clause.combine == "highest"
        else words.say(N_("Several entitlements are added up.")),
        words.say(N_("The points are added to: %(part)s."), part=words.named("part", clause.added_to))
        if clause.added_to is not None
        else words.say(N_("The points are added to the total.")),
        words.say(N_("They are added after the pass marks were checked without them."))
        if clause.after_pass_check
        else words.say(N_("They count when the pass marks are checked.")),
    ]


def ties(words: Words, clause: Ties) -> list[str]:
    return [
        words.say(
            N_("Between equals, step %(number)s: %(rule)s."),
            number=number,
            rule=words.say(
                TIES[step.by],
                part=words.named("part", step.part or ""),
                role=words.named("role", step.role or ""),
            ),
        )
        for number, step in enumerate(clause.steps, start=1)
    ]


def selection(words: Words, clause: Selection) -> list[str]:
    lines = [
        words.say(N_("Chosen are those with the highest totals, as many as a post has vacancies."))
        if clause.winners == "highest-total"
        else words.say(N_("Those who pass form a list from which the authorities recruit.")),
        words.say(N_("The exam feeds the list of candidates; a ballot decides."))
        if clause.ballot_decides
        else words.say(N_("There is no ballot after the exam.")),
    ]
    if clause.reserve_places_per_post:
        lines.append(
            words.say(
                N_("A reserve list has %(places)s places for each post and is valid for %(months)s months."),
                places=clause.reserve_places_per_post,
                months=clause.reserve_months,
            )
        )
    else:
        lines.append(words.say(N_("There is no reserve list.")))
    lines.append(
        words.say(N_("Results count in later competitions."))
        if clause.carry_over
        else words.say(N_("Results do not count in later competitions."))
    )
    lines.append(
        words.say(N_("When a winner drops out, the next candidate may take the place."))
        if clause.next_in_line
        else words.say(N_("When a winner drops out, nobody takes the place."))
    )
    if clause.false_declaration:
        lines.append(
            words.say(N_("After a false declaration: %(effects)s."), effects=words.choices(FALSE, clause.false_declaration))
        )
    return lines


def publication(words: Words, clause: Publication) -> list[str]:
    return [
        words.say(N_("Nothing is published about the winners."))
        if clause.winners == "nothing"
        else words.say(
            N_("Winners are published %(how)s, with %(marks)s."),
            how=words.say(SHOWN[clause.winners]),
            marks=words.say(MARKS[clause.winner_marks]),
        ),
        words.say(N_("Nothing is published about those who were not chosen."))
        if clause.others == "nothing"
        else words.say(
            N_("Those who were not chosen are published %(how)s, with %(marks)s."),
            how=words.say(SHOWN[clause.others]),
            marks=words.say(MARKS[clause.other_marks]),
        ),
        words.say(N_("Results appear on: %(channels)s."), channels=words.choices(CHANNELS, clause.channels)),
        words.say(N_("Not before: %(event)s."), event=words.event(clause.reference_event)),
        words.say(N_("Each candidate sees how every number of the own result came about."))
        if clause.private_feedback
        else words.say(N_("Candidates get no derivation of their results.")),
    ]


def disclosure(words: Words, clause: Disclosure) -> list[str]:
    lines = [
        words.say(
            N_("Answers are part of the public record only where at least %(count)s candidates sat the part."),
            count=clause.responses_cohort,
        ),
        words.say(
            N_("Statistics of a group are shown only for at least %(count)s people."), count=clause.statistics_cohort
        ),
    ]
    if clause.withhold_until_release:
        lines.append(words.say(N_("Public pages are withheld until the competent authority releases them.")))
    return lines
