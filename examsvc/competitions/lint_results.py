"""Lint of results: weights, priority points, ties, selection, publication."""

from collections.abc import Iterator
from fractions import Fraction

from examsvc.competitions.lint_findings import Finding, finding
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.terms import write_exact

PERSONAL = ("women-first", "ethnic-minority-first", "older-first")


def lint_total(regulation: Regulation) -> Iterator[Finding]:
    """Weights against the total's maximum, reasons for unequal weights."""
    total = regulation.total
    counting = [part for part in regulation.parts if part.weight > 0]
    if not counting:
        yield finding("no-weight", "total")
        return
    if total.basis == "marks":
        reached = sum((part.weight * part.maximum for part in counting), Fraction(0))
    else:
        reached = sum((part.weight for part in counting), Fraction(0)) * total.maximum
    if reached != total.maximum:
        params = {"sum": write_exact(reached), "maximum": write_exact(total.maximum)}
        yield finding("weights-sum", "total", **params)
    if total.pass_mark is not None and total.pass_mark.marks(total.maximum) > total.maximum:
        mark = write_exact(total.pass_mark.marks(total.maximum))
        yield finding("pass-mark-above-maximum", "total", mark=mark, maximum=write_exact(total.maximum))
    shares = {part.weight * (part.maximum if total.basis == "marks" else 1) for part in counting}
    if len(shares) > 1 and total.unequal_weights_reason is None:
        yield finding("unequal-weights", "total")


def lint_priority(regulation: Regulation) -> Iterator[Finding]:
    """Order and evidence of priority points."""
    priority = regulation.priority
    if priority is None:
        return
    if not priority.after_pass_check:
        yield finding("priority-before-pass-check", "priority")
    for entry in priority.entries:
        if not entry.evidence:
            yield finding("priority-without-evidence", f"priority.entries.{entry.id}")


def lint_ties(regulation: Regulation) -> Iterator[Finding]:
    """The list of tie-breaks must end with a decision and hold nothing after it."""
    steps = regulation.ties.steps
    if not steps:
        yield finding("ties-empty", "ties")
    final = [step.by in ("lots", "role-decides") for step in steps]
    if final and not final[-1]:
        yield finding("ties-not-final", "ties")
    for number, step in enumerate(steps):
        path = f"ties.steps.{number}"
        if any(final[:number]) or step in steps[:number]:
            yield finding("ties-unreachable", path)
        if (step.by == "part-mark") != (step.part is not None):
            yield finding("ties-incomplete", path, by=step.by, field="part")
        if (step.by == "role-decides") != (step.role is not None):
            yield finding("ties-incomplete", path, by=step.by, field="role")
        if step.by in PERSONAL:
            yield finding("ties-personal", path, by=step.by)


def lint_selection(regulation: Regulation) -> Iterator[Finding]:
    """Reserve list, ballot, publication."""
    selection, publication = regulation.selection, regulation.publication
    has_list = (
        selection.winners == "reserve-list" or selection.reserve_places_per_post or selection.reserve_months
    )
    if has_list and not (selection.reserve_places_per_post and selection.reserve_months):
        yield finding("reserve-incomplete", "selection")
    if selection.ballot_decides != (regulation.posts.elected_titles == "feeds-ballot"):
        yield finding("ballot-mismatch", "selection")
    if publication.others == "name":
        yield finding("unsuccessful-named", "publication")
    if not publication.channels:
        yield finding("publication-without-channel", "publication")
