"""Lint of people: roles that clauses name, enough people, approvals, votes, composition."""

from collections.abc import Iterator
from fractions import Fraction

from examsvc.competitions.board_clauses import STANDARD_ROLES
from examsvc.competitions.exam_clauses import EssayPart, ObjectivePart, PanelPart, PlanPart
from examsvc.competitions.lint_findings import Finding, finding
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.staffing import least_staff
from examsvc.competitions.terms import Interval, coverage

SHARES = Interval(Fraction(0), Fraction(1), True, True)


def lint_roles(regulation: Regulation) -> Iterator[Finding]:
    """Names of roles wherever a clause uses one, and roles without a meaning."""
    defined = {role.id for role in regulation.roles}
    for path, name in role_uses(regulation):
        if name not in defined:
            yield finding("unknown-role", path, name=name)
    for role in regulation.roles:
        if role.id not in STANDARD_ROLES:
            yield finding("role-without-rights", f"roles.{role.id}")


def role_uses(regulation: Regulation) -> Iterator[tuple[str, str]]:
    """Every role that a clause names, with the path."""
    for number, group in enumerate(regulation.conflicts.groups):
        for name in group:
            yield f"conflicts.groups.{number}", name
    for name in regulation.conflicts.alone:
        yield "conflicts.alone", name
    for approval in regulation.approvals:
        for name in approval.roles:
            yield f"approvals.{approval.step}", name
    for name in regulation.relations.roles:
        yield "relations.roles", name
    yield "admission.minimum_candidates.decided_by", regulation.admission.minimum_candidates.decided_by
    yield "admission.accommodations.decided_by", regulation.admission.accommodations.decided_by
    for remedy in regulation.remedies:
        yield f"remedies.{remedy.id}.decided_by", remedy.decided_by
    yield "sitting.late_exception_by", regulation.sitting.late_exception_by
    yield "council.recommends", regulation.council.recommends
    yield "council.approves", regulation.council.approves
    for sanction in regulation.sanctions:
        yield f"sanctions.{sanction.id}.decided_by", sanction.decided_by
    for scheme in regulation.marking:
        if scheme.discrepancy is not None:
            yield f"marking.{scheme.id}.discrepancy.head", scheme.discrepancy.head
    for number, step in enumerate(regulation.ties.steps):
        if step.role is not None:
            yield f"ties.steps.{number}.role", step.role
    for channel in regulation.appeals:
        yield f"appeals.{channel.id}.decided_by", channel.decided_by
    for rule in regulation.draws:
        for name in rule.participants:
            yield f"draws.{rule.id}", name
    for intervention in regulation.interventions:
        yield f"interventions.{intervention.kind}.decided_by", intervention.decided_by


def lint_staffing(regulation: Regulation, people: int | None) -> Iterator[Finding]:
    """Each role against what its work needs, and the head-count against the role matrix."""
    counts = {role.id: role.people for role in regulation.roles}
    for role, needed, reason in role_needs(regulation):
        if role in counts and counts[role] < needed:
            yield finding(
                "too-few-in-role", f"roles.{role}", people=counts[role], needed=needed, reason=reason
            )
        elif role not in counts:
            yield finding("unknown-role", reason, name=role)
    for approval in regulation.approvals:
        available = sum(counts.get(role, 0) for role in set(approval.roles))
        if available < approval.people:
            path = f"approvals.{approval.step}"
            yield finding("approval-unreachable", path, people=approval.people, available=available)
    if people is not None:
        staffing = least_staff(counts, regulation.conflicts.pairs(counts))
        if people < staffing.at_least:
            roles = ", ".join(staffing.bottleneck)
            yield finding("too-few-people", "roles", people=people, needed=staffing.at_least, roles=roles)
        elif people < staffing.sufficient:
            params = {"people": people, "low": staffing.at_least, "high": staffing.sufficient}
            yield finding("staffing-undecided", "roles", **params)


def role_needs(regulation: Regulation) -> Iterator[tuple[str, int, str]]:
    """Role, least number of people, and the path of the clause that needs them."""
    parts = regulation.parts
    for scheme in regulation.marking:
        if any(isinstance(part, EssayPart | PlanPart) and part.marking == scheme.id for part in parts):
            policy = scheme.discrepancy
            third = policy is not None and any("third-mark" in (b.action, b.failing) for b in policy.bands)
            yield "marker", scheme.markers + third, f"marking.{scheme.id}"
    for panel in regulation.panels:
        if any(isinstance(part, PanelPart) and part.panel == panel.id for part in parts):
            yield "panel-member", panel.members, f"panels.{panel.id}"
    if any(isinstance(part, ObjectivePart | EssayPart) for part in parts):
        yield "invigilator", 1, "sitting"
        yield "custodian", regulation.paper.custodians, "paper"
    for channel in regulation.appeals:
        if channel.re_mark is not None and "re-marker" in {role.id for role in regulation.roles}:
            yield "re-marker", channel.re_mark.markers, f"appeals.{channel.id}"


def lint_council(regulation: Regulation) -> Iterator[Finding]:
    """Votes and composition."""
    for vote in regulation.votes:
        bands = [band.share for band in vote.outcomes]
        found = coverage(bands, SHARES)
        for gap in found.gaps:
            yield finding("vote-gap", f"votes.{vote.id}", range=gap)
        for first, second in found.overlaps:
            yield finding("vote-overlap", f"votes.{vote.id}", first=bands[first], second=bands[second])
    council = regulation.council
    for size in council.sizes:
        for quota in council.quotas:
            if not any(Fraction(number, size) in quota.share for number in range(size + 1)):
                params = {"size": size, "group": quota.group, "share": quota.share}
                yield finding("quota-unreachable", "council", **params)
    if council.recommends == council.approves:
        yield finding("same-authority", "council")
    if not regulation.relations.blocking and not regulation.relations.declared:
        yield finding("relations-empty", "relations")
