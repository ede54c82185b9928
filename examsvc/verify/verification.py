"""All checks of a bundle, without server or network, and what they amount to."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from examsvc.ledger.policy import Policy
from examsvc.verify import integrity
from examsvc.verify.course import course
from examsvc.verify.draws import draws
from examsvc.verify.findings import Finding, Verdict
from examsvc.verify.marking import marks
from examsvc.verify.openings import openings
from examsvc.verify.people import map_opens, nobody_vanished
from examsvc.verify.ranking import ranking
from examsvc.verify.reading import Bundle, read
from examsvc.verify.receipts import given
from examsvc.verify.results import published, release
from examsvc.verify.roles import roles
from examsvc.verify.scores import scores
from examsvc.verify.sittings import submits
from examsvc.verify.stamps import stamps
from examsvc.verify.statistics import statistics

VERIFIED, NOT_VERIFIED, UNREADABLE, NO_POLICY = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked in which edition. `status` is the exit status of `examsvc verify`."""

    digest: str
    competition: str
    kind: str
    edition: int
    posts: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def status(self) -> int:
        """0 verified, 1 not, 3 consistent but without a policy nobody vouches for the log."""
        verdicts = {finding.check: finding.verdict for finding in self.findings}
        if Verdict.FAILED in verdicts.values():
            return NOT_VERIFIED
        return VERIFIED if verdicts["V2"] is Verdict.PASSED else NO_POLICY

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "bundle": self.digest,
            "competition": self.competition,
            "kind": self.kind,
            "edition": self.edition,
            "posts": list(self.posts),
            "status": self.status,
            "checks": [
                {
                    "check": finding.check,
                    "title": finding.title,
                    "verdict": str(finding.verdict),
                    "reasons": list(finding.reasons),
                    "notes": list(finding.notes),
                }
                for finding in self.findings
            ],
        }


def verify(
    data: bytes | BinaryIO, policy: Policy | None, receipts: Sequence[bytes] = (), slips: Sequence[str] = ()
) -> Report:
    """Check a bundle, its bytes or an open file of which little is held in memory. BundleError if it cannot be read as one (exit status UNREADABLE)."""
    collecting = gc.isenabled()
    gc.disable()  # millions of values are read and none refers in a circle
    try:
        return _report(read(data), policy, receipts, slips)
    finally:
        if collecting:
            gc.enable()


def _report(bundle: Bundle, policy: Policy | None, receipts: Sequence[bytes], slips: Sequence[str]) -> Report:
    recomputed = scores(bundle)
    findings = [
        submits(bundle),  # reads the saves, and what is wrong with their form is V1's
        integrity.form(bundle),
        integrity.signature(bundle, policy),
        integrity.root(bundle),
        *course(bundle),
        openings(bundle),
        draws(bundle),
        nobody_vanished(bundle),
        marks(bundle),
        roles(bundle),
        recomputed.finding,
        ranking(bundle, recomputed.inputs),
        published(bundle),
        stamps(bundle),
        map_opens(bundle),
        statistics(bundle),
        release(bundle),
        given(bundle, policy, receipts, slips),
    ]
    findings.sort(key=lambda finding: int(finding.check[1:]))
    manifest = bundle.manifest
    return Report(
        bundle.digest,
        str(manifest["competition"]),
        str(manifest["kind"]),
        int(manifest["edition"]),
        tuple(manifest["posts"]),
        tuple(findings),
    )
