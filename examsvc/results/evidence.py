"""What the board's review and a candidate's feedback rest on, read from answers, sheets and the hall's records."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.applications.models import Application
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.terms import read_exact
from examsvc.marking import queries as marking
from examsvc.marking.models import ObjectiveMark
from examsvc.results import rules
from examsvc.results.appraisal import Evidence, Marking, Standing, Test
from examsvc.results.models import ScoreRun
from examsvc.sittings import queries as sittings
from examsvc.sittings.models import Attempt, Sitting


def gather(session: Session, competition: Competition, run: ScoreRun) -> Evidence:
    """Everything that the review of a run looks at."""
    regulation = competitions.regulation(competition)
    parts = tuple(part.id for part in regulation.parts if part.weight)
    factors = tuple(float(rules.contribution(regulation, part, Fraction(1))) for part in parts)
    planned = sittings.sittings_of(session, competition.id)
    late = [one for sitting in planned for one in sittings.attempts_with_late_answers(session, sitting.id)]
    decisions = [sittings.late_decision(session, one.id) for one in late]
    entrants = run.inputs["entrants"]
    return Evidence(
        parts=parts,
        factors=factors,
        places=tuple((post.code, post.vacancies) for post in competition.posts if post.code in run.commitments),
        standings=tuple(
            Standing(
                row["number"],
                row["post"],
                row["rank"],
                float(read_exact(row["total"])),
                tuple(float(read_exact(value)) for value in contributions(regulation, row).values()),
                row["outcome"] == "chosen",
            )
            for row in run.outcome["rows"]
            if row["rank"] is not None
        ),
        tests=tuple(test(session, competition, part.id) for part in regulation.parts if part.kind == "objective"),
        markings=tuple(
            scripts(session, competition, part.id, part.maximum)
            if part.kind in ("essay", "plan")
            else hearings(session, competition, part.id, part.maximum)
            for part in regulation.parts
            if part.kind != "objective"
        ),
        open_ties=tuple((tie["post"], tuple(tie["numbers"]), tie["by"], tie["needed"]) for tie in run.outcome["open_ties"]),
        annulled=tuple(
            one["number"] for one in entrants if one["excluded"] or any(s["annuls"] for s in one["sanctions"])
        ),
        deducted=tuple(
            one["number"]
            for one in entrants
            if any(not s["annuls"] and read_exact(s["deduction"]) for s in one["sanctions"])
        ),
        undecided_late=sum(1 for one in decisions if one is None),
        counted_late=sum(1 for one in decisions if one is not None and one.outcome == "counted"),
        incidents=sum(len(sittings.incidents(session, sitting.id)) for sitting in planned),
        outages=sum(len(sittings.outages(session, one.id)) for sitting in planned for one in sitting.attempts),
    )


def contributions(regulation: Regulation, row: Mapping[str, Any]) -> dict[str, str]:
    """What each part that weighs gave to the total of a row, as exact text, after any rounding of the part's contribution."""
    found = {part.id: "0" for part in regulation.parts if part.weight}
    for step in row["steps"]:
        if step["code"] == "weighted" or (step["code"] == "rounded" and step["detail"] == "weighted-part"):
            found[step["part"]] = step["result"]
    return found


def test(session: Session, competition: Competition, part: str) -> Test:
    """Marks of every question of a computer test by candidate, in the order of the form."""
    rows = session.execute(
        select(Application.candidate_number, ObjectiveMark.form_slot, ObjectiveMark.score, ObjectiveMark.max_score, Attempt.id)
        .join(Attempt, Attempt.id == ObjectiveMark.attempt_id)
        .join(Sitting, Sitting.id == Attempt.sitting_id)
        .join(Application, Application.id == Attempt.application_id)
        .where(
            Sitting.competition_id == competition.id,
            Sitting.part == part,
            Attempt.state.in_(("submitted", "closed")),
            ObjectiveMark.run == marking.newest_run(),
        )
        .order_by(Application.candidate_number, ObjectiveMark.form_slot)
    ).all()
    topics: dict[int, str] = {}
    if rows:
        attempt = session.get_one(Attempt, rows[0][4])
        topics = {slot.form_slot: slot.item.metadata.topic for slot in sittings.slots(session, attempt)}
    places = sorted({row[1] for row in rows})
    maximum = {row[1]: float(read_exact(row[3])) for row in rows}
    by_candidate: dict[str, dict[int, float]] = {}
    for number, place, score, _, _ in rows:
        by_candidate.setdefault(number or "", {})[place] = float(read_exact(score))
    return Test(
        part=part,
        items=tuple(str(place) for place in places),
        topics=tuple(topics.get(place, "") for place in places),
        maximum=tuple(maximum[place] for place in places),
        rows=tuple((number, tuple(of.get(place) for place in places)) for number, of in by_candidate.items()),
    )


def scripts(session: Session, competition: Competition, part: str, maximum: Fraction) -> Marking:
    """Every independent mark of the scripts of a part, by candidate; several tasks of one candidate are added up where the same
    marker marked them all."""
    marks: dict[str, dict[str, list[float]]] = {}
    tasks: dict[str, int] = {}
    for script in marking.scripts(session, competition.id, part):
        number = script.application.candidate_number or ""
        tasks[number] = tasks.get(number, 0) + 1
        for one in marking.active_allocations(script):
            if one.sheet is not None:
                marks.setdefault(number, {}).setdefault(one.marker.code, []).append(
                    float(read_exact(one.sheet.total))
                )
    codes = sorted({code for of in marks.values() for code in of})
    return Marking(
        part=part,
        maximum=float(maximum),
        markers=_names(session, codes),
        rows=tuple(
            (
                number,
                tuple(sum(of[code]) if len(of.get(code, ())) == tasks[number] else None for code in codes),
            )
            for number, of in sorted(marks.items())
        ),
        together=False,
    )


def hearings(session: Session, competition: Competition, part: str, maximum: Fraction) -> Marking:
    """Every member's mark of the hearings of a part, by candidate, and who was far from the others."""
    heard = [one for one in marking.hearings(session, competition.id, part) if one.settlements]
    marks = {
        one.application.candidate_number or "": {
            seat.member.code: float(read_exact(seat.sheets[-1].total))
            for seat in marking.sitting_members(one)
            if seat.sheets
        }
        for one in heard
    }
    codes = sorted({code for of in marks.values() for code in of})
    names = dict(zip(codes, _names(session, codes), strict=True))
    return Marking(
        part=part,
        maximum=float(maximum),
        markers=tuple(names[code] for code in codes),
        rows=tuple((number, tuple(of.get(code) for code in codes)) for number, of in sorted(marks.items())),
        together=True,
        outliers=tuple(
            (one.application.candidate_number or "", names.get(code, code))
            for one in heard
            for code in one.settlements[-1].details.get("outliers", ())
        ),
    )


def _names(session: Session, codes: list[str]) -> tuple[str, ...]:
    """Names of people by code, told apart where two have the same."""
    found = [accounts.by_code(session, code) for code in codes]
    plain = [one.name if one is not None else code for one, code in zip(found, codes, strict=True)]
    return tuple(name if plain.count(name) == 1 else f"{name} ({code})" for name, code in zip(plain, codes, strict=True))
