"""Joint marking before the rest: all markers mark the same few scripts, compare, and the record keeps what it showed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.base.errors import N_, Refused
from examsvc.competitions.models import Competition
from examsvc.competitions.terms import write_exact
from examsvc.ledger.operations import Sealed, record
from examsvc.marking import queries, rules, scope
from examsvc.marking.models import Calibration, Script


def joint_scripts(session: Session, competition: Competition, part: str, now: datetime) -> list[Script]:
    """The scripts that are marked jointly: as many as the regulation says, the first by code, which is random.

    A script whose writer is close to any marker is not among them.
    """
    number = scope.scheme(competition, part).joint_scripts
    markers = {one.id for one in accounts.holders(session, "marker", competition.slug, now)}
    found: list[Script] = []
    for script in queries.scripts(session, competition.id, part):
        if len(found) == number:
            break
        if not markers & queries.close_to(session, script):
            found.append(script)
    return found


def held(session: Session, competition_id: int, part: str) -> list[Calibration]:
    """Joint markings of a part, the oldest first."""
    return list(
        session.scalars(
            select(Calibration)
            .where(Calibration.competition_id == competition_id, Calibration.part == part)
            .order_by(Calibration.id)
        )
    )


def hold(
    session: Session,
    competition: Competition,
    *,
    part: str,
    marks: Mapping[int, Mapping[str, str]],
    by: int,
    now: datetime,
) -> Calibration:
    """Puts a joint marking on record.  ``marks`` maps a marker's account to the mark of each joint script, by script code.

    A marker without any mark did not take part; whoever took part has marked every script.  These marks calibrate and count for
    nobody.
    """
    scope.require_open(session, competition, part)
    scheme = scope.scheme(competition, part)
    scripts = joint_scripts(session, competition, part, now)
    if not scripts:
        raise Refused(N_("There is no script to mark together."))
    markers = {one.id: one for one in accounts.holders(session, "marker", competition.slug, now)}
    given: dict[int, dict[str, Fraction]] = {}
    for number, typed in marks.items():
        if number not in markers or not any(text.strip() for text in typed.values()):
            continue
        name = markers[number].name
        given[number] = {
            script.code: rules.read_mark(
                typed.get(script.code, ""),
                Fraction(script.maximum),
                scheme.mark_step,
                what=f"{name}, {script.code}",
                field=f"mark-{number}-{script.code}",
            )
            for script in scripts
        }
    if len(given) < 2:
        raise Refused(N_("At least two markers mark together. Enter the marks of everybody who took part."))
    made = Calibration(
        competition_id=competition.id,
        part=part,
        marks={
            script.code: {markers[number].code: write_exact(of[script.code]) for number, of in given.items()}
            for script in scripts
        },
        held_at=now,
        by_id=by,
    )
    session.add(made)
    session.flush()
    record(
        session,
        competition.slug,
        "calibration.held",
        now=now,
        by=scope.actor(session, by),
        **scope.of_part(competition, part, [script.post for script in scripts]),
        scripts=len(scripts),
        markers=sorted(markers[number].code for number in given),
        result=Sealed(
            {
                "results": [
                    {
                        "script": script.code,
                        "marks": [
                            {"marker": markers[number].code, "mark": rules.decimal(of[script.code])}
                            for number, of in sorted(given.items(), key=lambda pair: markers[pair[0]].code)
                        ],
                    }
                    for script in scripts
                ]
            }
        ),
    )
    return made
