"""A report as lines of text, for a terminal or a page."""

from examsvc.verify.findings import Verdict
from examsvc.verify.verification import NO_POLICY, VERIFIED, Report

_WIDTH = len(Verdict.NOT_CHECKABLE) + 2


def lines(report: Report) -> list[str]:
    """One line for each check, its reasons and notes below it, the conclusion last."""
    posts = ", ".join(report.posts)
    text = [
        f"{report.kind} edition {report.edition} of {report.competition}, posts {posts}",
        f"SHA-256 {report.digest}",
        "",
    ]
    for finding in report.findings:
        text.append(f"{finding.verdict:{_WIDTH}}{finding.check:<5}{finding.title}")
        text += [" " * _WIDTH + line for line in (*finding.reasons, *finding.notes)]
    return [*text, "", conclusion(report)]


def conclusion(report: Report) -> str:
    """The verdict in one sentence."""
    if report.status == VERIFIED:
        return "Verified."
    if report.status == NO_POLICY:
        return "Consistent in itself, but without a policy nobody vouches for whose log this is; give one with --policy."
    failed = ", ".join(finding.check for finding in report.findings if finding.verdict is Verdict.FAILED)
    return f"Not verified: {failed}."
