"""Lint of the examination: parts, hall, paper, marking, panels."""

from collections.abc import Iterator
from fractions import Fraction

from examsvc.competitions.exam_clauses import EssayPart, ObjectivePart, PanelPart, Part, PlanPart, Stage
from examsvc.competitions.lint_findings import Finding, finding
from examsvc.competitions.marking_clauses import Discrepancy, MarkingScheme, Panel
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.terms import Interval, coverage, write_exact

ALL_DURATIONS = Interval(Fraction(1), None, True, False)


def part_path(stage: Stage, part: Part) -> str:
    """Path of a part."""
    return f"stages.{stage.id}.parts.{part.id}"


def lint_parts(regulation: Regulation) -> Iterator[Finding]:
    """Pass marks, hurdles, lengths, files."""
    scored_before: str | None = None
    for stage in regulation.stages:
        for part in stage.parts:
            path = part_path(stage, part)
            if part.pass_mark is None:
                if part.hurdle:
                    yield finding("hurdle-without-pass-mark", path)
            else:
                threshold = part.pass_mark.marks(part.maximum)
                if threshold > part.maximum:
                    params = {"mark": write_exact(threshold), "maximum": write_exact(part.maximum)}
                    yield finding("pass-mark-above-maximum", path, **params)
                if not part.hurdle:
                    yield finding("pass-mark-without-hurdle", path)
            if part.hurdle and part.weight == 0 and scored_before:
                yield finding("hurdle-too-late", path, part=scored_before)
            if part.minutes is None and not isinstance(part, PlanPart):
                yield finding("minutes-missing", path)
            if part.results_at_once and not isinstance(part, ObjectivePart):
                yield finding("results-at-once-need-marking", path)
            if part.results_at_once and part.appealable:
                yield finding("results-at-once-appealable", path)
            for size in (getattr(part, "items", None), getattr(part, "tasks", None)):
                if size is not None and size.whole_numbers() is None:
                    yield finding("no-whole-number", path, range=size)
            if isinstance(part, PanelPart) and part.minutes is not None:
                needed = part.presentation_minutes + part.questions_minutes
                if needed > part.minutes:
                    yield finding("panel-minutes", path, needed=needed, minutes=part.minutes)
            yield from _file_is_closed(regulation, stage, part)
        scored = [part.id for part in stage.parts if part.weight > 0]
        scored_before = scored_before or (scored[0] if scored else None)


def _file_is_closed(regulation: Regulation, stage: Stage, part: Part) -> Iterator[Finding]:
    """A file that is marked or defended may not change after its stage has begun."""
    file_id = part.file if isinstance(part, PlanPart | PanelPart) else None
    for rule in regulation.files:
        if rule.id != file_id:
            continue
        name, _, event_stage = rule.editable_until.partition(":")
        order = [one.id for one in regulation.stages]
        later_stage = event_stage in order and order.index(event_stage) > order.index(stage.id)
        same_stage_end = event_stage == stage.id and name != "stage-opened"
        after_all = not event_stage and name.startswith(
            ("results-", "winner", "appeals-", "competition-closed")
        )
        if later_stage or same_stage_end or after_all:
            yield finding("file-open-too-long", f"files.{rule.id}", event=rule.editable_until)


def lint_hall(regulation: Regulation) -> Iterator[Finding]:
    """Late limits, sanctions, paper, witnesses."""
    found = coverage([band.duration for band in regulation.late], ALL_DURATIONS, whole_numbers=True)
    for gap in found.gaps:
        yield finding("late-gap", "late", range=gap)
    for first, second in found.overlaps:
        yield finding(
            "late-overlap", "late", first=regulation.late[first].id, second=regulation.late[second].id
        )
    for stage in regulation.stages:
        for part in stage.parts:
            if isinstance(part, ObjectivePart | EssayPart) and part.minutes is not None:
                limits = [band.minutes for band in regulation.late if part.minutes in band.duration]
                if limits and limits[0] >= part.minutes:
                    yield finding(
                        "late-exceeds-part", part_path(stage, part), minutes=part.minutes, late=limits[0]
                    )
    by_name = {sanction.id: sanction for sanction in regulation.sanctions}
    order = ("reprimand", "warning", "suspension", "cancellation")
    for name in order:
        if name not in by_name:
            yield finding("sanction-missing", "sanctions", name=name)
    deductions = [by_name[name].deduction for name in order if name in by_name]
    if deductions != sorted(deductions):
        yield finding("sanctions-not-rising", "sanctions")
    yield from _lint_remedies(regulation)
    paper = regulation.paper
    if paper.threshold > paper.custodians or (paper.custodians > 1 and paper.threshold < 2):
        yield finding("paper-threshold", "paper", threshold=paper.threshold, custodians=paper.custodians)
    elif paper.threshold == paper.custodians > 1:
        yield finding("paper-all-shares", "paper", custodians=paper.custodians)
    witnesses = regulation.witnesses
    if witnesses is not None and witnesses.quorum > len(set(witnesses.names)):
        names = len(set(witnesses.names))
        yield finding("witness-quorum", "witnesses", quorum=witnesses.quorum, names=names)


def _lint_remedies(regulation: Regulation) -> Iterator[Finding]:
    """For each cause that is foreseen, every loss from one minute on has one remedy; outages must be foreseen."""
    for cause in sorted(
        {"server-outage", "machine-failure"} | {remedy.cause for remedy in regulation.remedies}
    ):
        remedies = [remedy for remedy in regulation.remedies if remedy.cause == cause]
        found = coverage([remedy.lost for remedy in remedies], ALL_DURATIONS, whole_numbers=True)
        for gap in found.gaps:
            yield finding("remedy-missing", "remedies", range=gap, cause=cause)
        for first, second in found.overlaps:
            yield finding("remedy-overlap", "remedies", first=remedies[first].id, second=remedies[second].id)


def lint_marking(regulation: Regulation) -> Iterator[Finding]:
    """Discrepancy bands, third marks, steps of marks."""
    for scheme in regulation.marking:
        path = f"marking.{scheme.id}"
        maxima = {
            part.maximum
            for part in regulation.parts
            if isinstance(part, EssayPart | PlanPart) and part.marking == scheme.id
        }
        for maximum in sorted(maxima):
            if maximum % scheme.mark_step:
                params = {"maximum": write_exact(maximum), "step": write_exact(scheme.mark_step)}
                yield finding("mark-step", path, **params)
        yield from _lint_discrepancy(scheme, path, maxima)


def _lint_discrepancy(scheme: MarkingScheme, path: str, maxima: set[Fraction]) -> Iterator[Finding]:
    policy = scheme.discrepancy
    if policy is None:
        if scheme.markers > 1:
            yield finding("discrepancy-missing", path)
        return
    path += ".discrepancy"
    if scheme.markers == 1:
        yield finding("discrepancy-needless", path)
    greatest = Fraction(1) if policy.unit == "share" else max(maxima, default=None)
    if greatest is not None:
        found = coverage(
            [band.difference for band in policy.bands], Interval(Fraction(0), greatest, True, True)
        )
        for gap in found.gaps:
            yield finding("discrepancy-gap", path, range=gap)
        for first, second in found.overlaps:
            params = {"first": policy.bands[first].difference, "second": policy.bands[second].difference}
            yield finding("discrepancy-overlap", path, **params)
        for band in policy.bands:
            lower = band.difference.lower
            if lower > greatest or (lower == greatest and not band.difference.lower_closed):
                maximum = write_exact(greatest)
                yield finding("discrepancy-beyond-maximum", path, range=band.difference, maximum=maximum)
    for number, band in enumerate(policy.bands):
        if band.action in ("agree", "agree-with-record") and band.failing is None:
            yield finding("agreement-without-fallback", f"{path}.bands.{number}")
    yield from _lint_three_marks(policy, path)


def _lint_three_marks(policy: Discrepancy, path: str) -> Iterator[Finding]:
    asked = any("third-mark" in (band.action, band.failing) for band in policy.bands)
    if asked and not policy.three_marks:
        yield finding("third-mark-unsettled", path)
    always = [step.spread is None and step.rule != "equal-pair" for step in policy.three_marks]
    if always and not always[-1]:
        yield finding("three-marks-not-final", path)
    if any(always[:-1]):
        yield finding("three-marks-unreachable", f"{path}.three_marks.{always.index(True) + 1}")


def lint_panels(regulation: Regulation) -> Iterator[Finding]:
    """Size, combination, criteria."""
    for panel in regulation.panels:
        path = f"panels.{panel.id}"
        dropped = panel.drop_highest + panel.drop_lowest
        if panel.combine == "trimmed-mean":
            if not dropped:
                yield finding("trim-without-drop", path)
            elif dropped >= panel.members:
                yield finding("panel-too-small", path, members=panel.members, dropped=dropped)
        elif dropped:
            yield finding("drop-ignored", path)
        if panel.external_members > panel.members:
            yield finding("panel-externals", path, external=panel.external_members, members=panel.members)
        if not panel.independent_entry and panel.members > 1:
            yield finding("panel-open-entry", path)
        if not panel.substitutes:
            yield finding("no-substitutes", path)
        yield from _lint_sheet(regulation, panel, path)


def _lint_sheet(regulation: Regulation, panel: Panel, path: str) -> Iterator[Finding]:
    parts = [part for part in regulation.parts if isinstance(part, PanelPart) and part.panel == panel.id]
    total = sum((criterion.maximum for criterion in panel.criteria), Fraction(0))
    for part in parts:
        if panel.criteria and total != part.maximum:
            params = {"sum": write_exact(total), "part": part.id, "maximum": write_exact(part.maximum)}
            yield finding("criteria-sum", path, **params)
    maxima = {criterion.maximum for criterion in panel.criteria} or {part.maximum for part in parts}
    for maximum in sorted(maxima):
        if maximum % panel.mark_step:
            params = {"maximum": write_exact(maximum), "step": write_exact(panel.mark_step)}
            yield finding("mark-step", path, **params)
    for criterion in panel.criteria:
        below = f"{path}.criteria.{criterion.id}"
        if (
            criterion.pass_mark is not None
            and criterion.pass_mark.marks(criterion.maximum) > criterion.maximum
        ):
            mark = write_exact(criterion.pass_mark.marks(criterion.maximum))
            yield finding("pass-mark-above-maximum", below, mark=mark, maximum=write_exact(criterion.maximum))
        anchors = [anchor.marks for anchor in criterion.anchors]
        whole = Interval(Fraction(0), criterion.maximum, True, True)
        for first, second in coverage(anchors, whole).overlaps:
            yield finding("anchors-overlap", below, first=anchors[first], second=anchors[second])
