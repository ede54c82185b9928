"""Lint of entering and procedure: admission, events, deadlines, appeals, interventions, retention."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from examsvc.competitions.calendar import deadline_rules, forecast_cycle
from examsvc.competitions.entry_clauses import DateCriterion, DocumentCriterion, LadderCriterion
from examsvc.competitions.exam_clauses import ObjectivePart, PanelPart
from examsvc.competitions.lint_findings import Finding, finding
from examsvc.competitions.procedure_clauses import (
    CHANNEL_EVENTS,
    COMPETITION_EVENTS,
    STAGE_EVENTS,
    DeadlineRule,
)
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.terms import Interval, Model, coverage, path_key

ANY_NUMBER = Interval(Fraction(0), None, True, False)
DAYS_IN_LONGEST_MONTH = 31
DAYS_IN_SHORTEST_MONTH = 28


def lint_admission(regulation: Regulation) -> Iterator[Finding]:
    """Streams, criteria, ladder."""
    if not regulation.admission.streams:
        yield finding("no-stream", "admission.streams")
    order = {level.id: rank for rank, level in enumerate(regulation.posts.levels)}
    for criterion in regulation.admission.criteria:
        path = f"admission.criteria.{criterion.id}"
        proved = criterion.evidence or criterion.needs_a_person or isinstance(criterion, DocumentCriterion)
        if not proved:
            yield finding("criterion-without-evidence", path)
        if (
            isinstance(criterion, DateCriterion)
            and criterion.measure == "age"
            and criterion.for_sex != "everyone"
        ):
            yield finding("age-limit-by-sex", path)
        if isinstance(criterion, LadderCriterion):
            for rule in criterion.rules:
                for tried in rule.may_try:
                    if rule.holds in order and tried in order and order[tried] <= order[rule.holds]:
                        yield finding("ladder-downwards", path, holds=rule.holds, may_try=tried)
    if regulation.admission.criteria and not any(stage.kind == "eligibility" for stage in regulation.stages):
        yield finding("no-eligibility-stage", "stages")


def known_events(regulation: Regulation) -> frozenset[str]:
    """Every event that a rule may refer to."""
    return frozenset(
        [
            *COMPETITION_EVENTS,
            *(f"{name}:{stage.id}" for name in STAGE_EVENTS for stage in regulation.stages),
            *(f"{name}:{channel.id}" for name in CHANNEL_EVENTS for channel in regulation.appeals),
            *(rule.event for rule in regulation.calendar.deadlines if ":" not in rule.event),
        ]
    )


EVENT_FIELDS = ("event", "base", "after", "on", "editable_until", "frozen_from", "reference_event")


def event_uses(model: Model, path: str = "") -> Iterator[tuple[str, str]]:
    """Every event that a clause names, with the path of the field."""
    for name in type(model).model_fields:
        value: Any = getattr(model, name)
        below = f"{path}.{name}" if path else name
        if name in EVENT_FIELDS and isinstance(value, str):
            yield below, value
        elif isinstance(value, Model):
            yield from event_uses(value, below)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, Model):
                    yield from event_uses(item, f"{below}.{path_key(item) or index}")


def lint_calendar(regulation: Regulation) -> Iterator[Finding]:
    """Events, bands by size, circles and contradictions."""
    known = known_events(regulation)
    for path, event in event_uses(regulation):
        if event not in known:
            yield finding("unknown-event", path, event=event)
    for rule in regulation.calendar.deadlines:
        if rule.by_applicants:
            bands = [band.applicants for band in rule.by_applicants]
            found = coverage(bands, ANY_NUMBER, whole_numbers=True)
            path = f"calendar.deadlines.{rule.id}"
            for gap in found.gaps:
                yield finding("size-gap", path, range=gap)
            for first, second in found.overlaps:
                yield finding("size-overlap", path, first=bands[first], second=bands[second])
    rules = deadline_rules(regulation)
    if circle := forecast_cycle(rules):
        yield finding("deadline-cycle", "calendar.deadlines", events=", ".join(circle))
    elif contradiction := contradicting(rules):
        yield finding("deadline-contradiction", "calendar.deadlines", rules=", ".join(contradiction))
    if any(rule.unit == "working-days" for rule in rules) and not regulation.calendar.years:
        yield finding("no-holidays", "calendar.years")
    if len(set(regulation.calendar.weekend)) == 7:
        yield finding("no-working-day", "calendar.weekend")


def contradicting(rules: tuple[DeadlineRule, ...]) -> tuple[str, ...]:
    """Ids of rules that no dates can all keep; empty where none are found.

    Each rule bounds the days between two events; the bounds are met by some dates if and only if the graph of bounds has no
    cycle of negative length (Bellman and Ford). Bounds are taken so loosely that holidays, time zones and sizes cannot raise
    a false alarm: a month has 28 to 31 days, upper bounds in working days are left out.
    """
    edges: list[
        tuple[str, str, Fraction, str]
    ] = []  # event `to` comes at most `length` days after event `from`
    for rule in rules:
        offsets = [rule.offset] if rule.offset is not None else [band.offset for band in rule.by_applicants]
        least, most = (
            _days(rule.unit, min(offsets), shortest=True),
            _days(rule.unit, max(offsets), shortest=False),
        )
        is_upper = (rule.bound == "at-latest") == (rule.direction == "after")
        first, second = (rule.base, rule.event) if rule.direction == "after" else (rule.event, rule.base)
        if is_upper:
            if most is not None:
                edges.append((first, second, most, rule.id))
        elif least is not None:
            edges.append((second, first, -least, rule.id))
    distance = {event: Fraction(0) for edge in edges for event in edge[:2]}
    via: Mapping[str, tuple[str, str]] = {}
    last = None
    for _ in distance:
        last = None
        for start, end, length, rule_id in edges:
            if distance[start] + length < distance[end]:
                distance[end] = distance[start] + length
                via = {**via, end: (start, rule_id)}
                last = end
    if last is None:
        return ()
    for _ in distance:
        last = via[last][0]
    ids, event = [], last
    while True:
        event, rule_id = via[event]
        ids.append(rule_id)
        if event == last:
            return tuple(sorted(set(ids)))


def _days(unit: str, length: int, *, shortest: bool) -> Fraction | None:
    """Bound in days of a length; None where no upper bound exists. A day of slack absorbs ends of days and zones."""
    if unit == "hours":
        days = Fraction(length, 24)
    elif unit == "months":
        days = Fraction(length * (DAYS_IN_SHORTEST_MONTH if shortest else DAYS_IN_LONGEST_MONTH))
    elif unit == "working-days" and not shortest:
        return None
    else:
        days = Fraction(length)
    return days - 1 if shortest else days + 1


def lint_appeals(regulation: Regulation) -> Iterator[Finding]:
    """Channels against parts."""
    parts = {part.id: part for part in regulation.parts}
    covered: set[str] = set()
    for channel in regulation.appeals:
        path = f"appeals.{channel.id}"
        if (channel.kind == "re-mark") != (channel.re_mark is not None):
            yield finding("re-mark-rule", path)
        if channel.kind in ("re-mark", "question-complaint") and not channel.parts:
            yield finding("appeal-without-part", path)
        for name in channel.parts:
            part = parts.get(name)
            if part is None:
                continue  # reported as an unknown reference
            if channel.kind == "re-mark":
                covered.add(name)
                if not part.appealable:
                    yield finding("appeal-not-allowed", path, part=name)
            if channel.kind == "question-complaint" and not isinstance(part, ObjectivePart):
                yield finding("question-complaint-part", path, part=name)
    for stage in regulation.stages:
        for part in stage.parts:
            if part.appealable and part.id not in covered:
                yield finding("appeal-without-channel", f"stages.{stage.id}.parts.{part.id}")


def lint_draws(regulation: Regulation) -> Iterator[Finding]:
    """A rule for everything that is drawn, people who can act, a zone that exists."""
    kinds = {part.kind for part in regulation.parts}
    drawn = {
        "assembly": bool(kinds & {"objective", "essay"}),
        "seats": bool(kinds & {"objective", "essay"}),
        "allocation": bool(kinds & {"essay", "plan"}),
        "order": any(isinstance(part, PanelPart) for part in regulation.parts),
        "lots": any(step.by == "lots" for step in regulation.ties.steps),
    }
    for purpose, needed in drawn.items():
        if needed and regulation.draw(purpose) is None:
            yield finding("draw-missing", "draws", purpose=purpose)
    for rule in regulation.draws:
        path = f"draws.{rule.id}"
        if rule.method == "server":
            yield finding("draw-by-server", path)
        if rule.outside is not None and rule.outside.known_zone is None:
            yield finding("draw-zone", f"{path}.outside.zone", zone=rule.outside.zone)
        if rule.id == "assembly" and rule.method == "steps" and rule.participants != ("custodian",):
            yield finding("draw-participants", path)


def lint_course(regulation: Regulation) -> Iterator[Finding]:
    """Interventions and retention that every competition may need."""
    for kind in ("postpone", "suspend", "resume", "annul", "correct"):
        if regulation.intervention(kind) is None:
            yield finding("intervention-missing", "interventions", kind=kind)
    kept = {rule.data for rule in regulation.retention}
    for data in ("papers", "answers", "results", "files-of-unsuccessful"):
        if data not in kept:
            yield finding("retention-missing", "retention", data=data)
