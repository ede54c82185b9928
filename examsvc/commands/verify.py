"""The verifier on the command line: a bundle, or a receipt by itself, on any computer, without a network or a database."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from examsvc.base.errors import N_
from examsvc.base.language import LANGUAGES, sentence
from examsvc.ledger import bundle, receipt_checks
from examsvc.ledger.policy import Policy, PolicyError, read_policy
from examsvc.ledger.receipt_checks import Checked
from examsvc.verify.findings import Verdict
from examsvc.verify.verification import NO_POLICY, NOT_VERIFIED, UNREADABLE, VERIFIED, Report

CHECKS = {
    "V1": N_("The bundle holds every file it lists, nothing else, in the one form it may have."),
    "V2": N_("The record's own key signed, and enough of its witnesses."),
    "V3": N_("These are all the entries that were signed, unchanged and in their places."),
    "V4": N_("Every entry is of a known kind; none stands too often, none is missing."),
    "V5": N_("Everything happened in the order that the rules ask for."),
    "V6": N_("Regulation, papers and all opened objects are what was committed to before."),
    "V7": N_("Every draw comes out the same when it is repeated, and was followed."),
    "V8": N_("Everybody who was checked in has one set of answers that counts, made of saves in time."),
    "V9": N_("Nobody vanished and nobody appeared between the list, the sitting, the marks and the ranking."),
    "V10": N_("Every mark was given by the one it was allocated to, and none is missing."),
    "V11": N_("After the marks were locked nothing changed but what two people approved."),
    "V12": N_("Nobody held roles that exclude each other; who acted had the role for it."),
    "V13": N_("Scores computed again from answers, keys and sheets are those of the ranking."),
    "V14": N_("The ranking computed again by the regulation's rules is the same, ties included."),
    "V15": N_("The published ranking is the one that was computed and approved."),
    "V16": N_("Time stamps of outside authorities fit the order."),
    "V17": N_("The code map opens, and every person is one person."),
    "V18": N_("Every receipt given belongs to this record."),
    "V19": N_("Markers, panels and rooms in numbers, for information."),
    "V20": N_("The software that computed the results is named in the installation's record."),
}
VERDICTS = {
    Verdict.PASSED: N_("passed"),
    Verdict.FAILED: N_("FAILED"),
    Verdict.NOT_CHECKABLE: N_("not checkable"),
}
KINDS = {bundle.PUBLIC: N_("public edition"), bundle.RESTRICTED: N_("restricted edition")}
CONCLUSIONS = {
    VERIFIED: N_("Verified: nothing contradicts this result."),
    NOT_VERIFIED: N_("NOT verified. These checks failed: %(checks)s."),
    NO_POLICY: N_("Consistent in itself, but nobody vouches for whose record it is: give the policy with --policy."),
}


def _default_language() -> str:
    chosen = os.environ.get("EXAMSVC_DEFAULT_LANGUAGE", LANGUAGES[0])
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


@click.command(
    epilog="Example: examsvc verify bundle.zip --policy truong-phong-2026.policy --receipt mine.tlog-proof --language en"
)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--policy", "policy_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Keys and quorum (c2sp.org/tlog-policy), from somebody you trust.")
@click.option("--receipt", "receipt_files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A receipt file; may be repeated.")
@click.option("--slip", "slips", multiple=True, help="The twenty characters of a slip; may be repeated.")
@click.option("--page", "page_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the second verifier there: one page for any browser, without a network.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--language", type=click.Choice(LANGUAGES), default=_default_language, help="Of what is printed.")
def verify(
    file: Path | None,
    policy_file: Path | None,
    receipt_files: tuple[Path, ...],
    slips: tuple[str, ...],
    page_file: Path | None,
    as_json: bool,
    language: str,
) -> None:
    """Verify a bundle FILE, or receipts alone; with --page, write the second verifier to a file.

    Exit status 0: verified; 1: not verified; 2: cannot be read; 3: consistent, but without a policy nobody vouches for it.
    """
    if page_file is not None:
        from examsvc.verify.second.page import page

        page_file.write_bytes(page())
        if file is None:
            return
    try:
        policy = read_policy(policy_file.read_bytes()) if policy_file is not None else None
        receipts = [path.read_bytes() for path in receipt_files]
    except (OSError, PolicyError) as error:
        click.echo(f"{policy_file}: {error}" if isinstance(error, PolicyError) else str(error), err=True)
        sys.exit(UNREADABLE)
    if file is None:
        if not receipts or slips:
            raise click.UsageError("Name a bundle, or receipts with --receipt; a slip is checked against a bundle.")
        sys.exit(_receipts(receipt_files, receipts, policy, as_json, language))
    sys.exit(_bundle(file, policy, receipts, slips, as_json, language))


def _bundle(
    file: Path, policy: Policy | None, receipts: list[bytes], slips: tuple[str, ...], as_json: bool, language: str
) -> int:
    from examsvc.verify.verification import verify as verify_bundle

    try:
        with file.open("rb") as data:
            report = verify_bundle(data, policy, receipts, slips)
    except bundle.BundleError as error:
        if as_json:
            click.echo(json.dumps({"status": UNREADABLE, "error": str(error)}))
        else:
            click.echo(f"{sentence(language, N_('This file cannot be read as a bundle.'))} ({error})", err=True)
        return UNREADABLE
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        for line in lines(report, language):
            click.echo(line)
    return report.status


def lines(report: Report, language: str) -> list[str]:
    """A report as lines of text; reasons and notes are in the formats' own English."""
    kind = sentence(language, KINDS[report.kind])
    head = sentence(language, N_("Competition %(competition)s, posts %(posts)s: %(kind)s number %(edition)d"),
        competition=report.competition, posts=", ".join(report.posts), kind=kind, edition=report.edition)  # fmt: skip
    verdicts = {one: sentence(language, text) for one, text in VERDICTS.items()}
    width = max(map(len, verdicts.values())) + 2
    text = [head, f"SHA-256 {report.digest}", ""]
    for finding in report.findings:
        words = sentence(language, CHECKS.get(finding.check, finding.title))
        text.append(f"{verdicts[finding.verdict]:{width}}{finding.check:<5}{words}")
        text += [" " * (width + 5) + line for line in (*finding.reasons, *finding.notes)]
    failed = ", ".join(one.check for one in report.findings if one.verdict is Verdict.FAILED)
    conclusion = sentence(language, CONCLUSIONS[report.status])
    return [*text, "", conclusion % {"checks": failed} if failed else conclusion]


def _receipts(
    paths: tuple[Path, ...], files: list[bytes], policy: Policy | None, as_json: bool, language: str
) -> int:
    """Receipts by themselves: who signed, and whether their entries are part of what was signed."""
    checked = [receipt_checks.check(data, policy) for data in files]
    if as_json:
        rows = [_receipt_json(path, one) for path, one in zip(paths, checked, strict=True)]
        click.echo(json.dumps({"status": _status(checked, policy), "receipts": rows}, ensure_ascii=False))
        return _status(checked, policy)
    marks = {True: N_("holds"), False: N_("FAILS"), None: N_("not looked at")}
    for path, one in zip(paths, checked, strict=True):
        click.echo(f"{path}  {one.slip}")
        for step in one.steps:
            shown = {name: _shown(value) for name, value in step.params.items()}
            mark = sentence(language, marks[step.holds])
            detail = f" ({step.detail})" if step.detail else ""
            click.echo(f"  {mark}: {sentence(language, step.sentence, **shown)}{detail}")
    status = _status(checked, policy)
    closing = {
        VERIFIED: N_("The receipts are genuine. With a bundle of the competition it is also checked that its record still has them."),
        NOT_VERIFIED: N_("At least one receipt does not hold."),
        UNREADABLE: N_("This is no receipt, or it was damaged."),
        NO_POLICY: N_("Consistent in itself, but nobody vouches for whose record it is: give the policy with --policy."),
    }
    click.echo(sentence(language, closing[status]))
    return status


def _shown(value: object) -> object:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if isinstance(value, datetime) else value


def _receipt_json(path: Path, one: Checked) -> dict[str, object]:
    steps = [{"sentence": sentence("en", s.sentence, **{k: _shown(v) for k, v in s.params.items()}), "holds": s.holds, "detail": s.detail} for s in one.steps]  # fmt: skip
    return {"file": str(path), "slip": one.slip, "good": one.good, "steps": steps}


def _status(checked: list[Checked], policy: Policy | None) -> int:
    if any(one.entry is None for one in checked):
        return UNREADABLE
    if not all(one.good for one in checked):
        return NOT_VERIFIED
    return VERIFIED if policy is not None else NO_POLICY
