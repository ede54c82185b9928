"""The second verifier in a browser: the page as a file, many bundles in one load, what it says beside what the first one says."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path

from hall import POLICY_TEXT
from playwright.sync_api import Page

from examsvc.verify.second import page as source

BATCH = 40
_VERIFY = """([policy, bundles]) => {
  const bytes = text => Uint8Array.from(atob(text), one => one.charCodeAt(0));
  return bundles.map(text => {
    const { status, findings } = examsvc.verify(bytes(text), policy && bytes(policy));
    return [status, Object.fromEntries(findings.map(one => [one.check, one.verdict])), findings.flatMap(one => one.verdict === 'failed' ? one.reasons.map(why => one.check + ' ' + why.en) : [])];
  });
}"""


def open_page(page: Page, folder: Path, language: str = "en") -> None:
    """The page as somebody has kept it: a file, without a server."""
    file = folder / "verifier.html"
    file.write_bytes(source.page())
    page.goto(f"{file.as_uri()}#{language}")


def reports(
    page: Page, bundles: Iterable[bytes], policy: bytes | None = POLICY_TEXT
) -> Iterator[tuple[int, dict[str, str], list[str]]]:
    """(status, verdict of each check, reasons of those that fail) of each bundle; `page` shows the verifier."""
    encoded = [base64.b64encode(data).decode() for data in bundles]
    key = base64.b64encode(policy).decode() if policy else None
    for start in range(0, len(encoded), BATCH):
        yield from page.evaluate(_VERIFY, [key, encoded[start : start + BATCH]])


def failing(status: int, verdicts: dict[str, str]) -> list[str]:
    """As the published manifest says it."""
    return (
        ["unreadable"]
        if status == 2
        else [check for check, verdict in verdicts.items() if verdict == "failed"]
    )


def disagreements(page: Page, made: dict[str, tuple[bytes, list[str]]]) -> list[str]:
    """Where the page names other checks than the first verifier, or finds nothing; `made`: name → (bundle, checks that fail)."""
    found = []
    second = reports(page, (data for data, _ in made.values()))
    for (name, (_, checks)), (status, verdicts, reasons) in zip(made.items(), second, strict=True):
        done = [check for check in checks if verdicts.get(check) != "not done"]
        if (said := failing(status, verdicts)) != done or (checks and not said):
            found.append(f"{name}: {', '.join(checks)} but here {', '.join(said)}; {'; '.join(reasons[:4])}")
    return found
