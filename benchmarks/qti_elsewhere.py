"""Gives the QTI 3 packages that we write to another implementation, in Chromium, and compares every score.

    npm install --prefix FOLDER --ignore-scripts @citolab/qti-components@7.27.4
    python -m benchmarks.qti_elsewhere FOLDER/node_modules/@citolab/qti-components/cdn/index.js

The items are those of tests/question_banks: one for each interaction, and one for each expression of response
processing, as `write_bank(..., "qti3")` writes them. The other player reads each, is told the response and works out
SCORE by its own response processing. A difference is not yet a fault: either side may have misread the standard, or
the other may lack what it does not name. What an examiner has to mark has no score here and 0 there, and is left out.
"""

import io
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, sync_playwright

from question_banks import read_bank, write_bank
from tests.conftest import QUIET
from tests.question_banks import test_interactions, test_operators_in_items
from tests.question_banks.qti_files import PNG, package

ORIGIN = "http://player.test/"
SHOW = """async ([xml, cases]) => {
  const item = await new Promise((resolve, reject) => {
    const holder = document.createElement("div"), frame = document.createElement("qti-item");
    frame.append(holder);
    document.body.replaceChildren(frame);
    holder.append(window.transform().parse(xml).htmlDoc());
    const found = document.querySelector("qti-assessment-item");
    found ? setTimeout(() => resolve(found), 150) : reject("there is no item");
  });
  return cases.map((given) => {
    item.resetResponses();
    for (const [name, value] of Object.entries(given)) if (value !== null) item.updateResponseVariable(name, value);
    try { item.processResponse(); } catch (fault) { return String(fault); }
    const outcome = item.getOutcome("SCORE");
    return outcome ? outcome.value : "no SCORE";
  });
}"""


def written(source: bytes) -> str:
    """The item as our QTI 3 package holds it."""
    bank = read_bank(package({"items/one.xml": source}, {"media/map.png": PNG})).bank
    with zipfile.ZipFile(io.BytesIO(write_bank(bank, "qti3").data)) as archive:
        (name,) = [entry for entry in archive.namelist() if entry.startswith("items/")]
        return archive.read(name).decode()


def plain(value: Any) -> Any:
    """A response as the other player takes it: texts, lists of texts, null."""
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return value if value is None or isinstance(value, bool) else str(value)


def cases() -> Iterator[tuple[str, str, list[tuple[dict[str, Any], float]]]]:
    """(name, item, [(responses, our score)])."""
    for name, (_, source, marks) in test_interactions.CASES.items():
        expected = [
            ({"RESPONSE": plain(given)}, float(score)) for given, score in marks.items() if score is not None
        ]
        if expected:
            yield f"interaction: {name}", written(source), expected
    for name, (_, _, _, right, wrong) in test_operators_in_items.CASES.items():
        pairs = [(right, right, 2.0), (right, wrong, 1.0), (wrong, wrong, 0.0), (None, None, 0.0)]
        yield (
            f"expression: {name}",
            written(test_operators_in_items.made(name)),
            [({"A": plain(one), "B": plain(other)}, score) for one, other, score in pairs],
        )


def number(found: Any) -> float | str:
    """A score of the other player; one that was never set is its default, 0."""
    try:
        return 0.0 if found is None else float(found)
    except (TypeError, ValueError):
        return str(found)


def serve(page: Page, player: str) -> None:
    """An empty page with the player; nothing is fetched from anywhere."""
    name = re.search(r"(\w+) as qtiTransformItem\b", player)
    if name is None:
        sys.exit("This file does not export qtiTransformItem: give cdn/index.js of @citolab/qti-components.")

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        if path == "player.js":
            route.fulfill(body=player, content_type="text/javascript")
        elif path:
            route.fulfill(body=PNG, content_type="image/png")
        else:
            route.fulfill(body="<!doctype html><body></body>", content_type="text/html")

    page.route("**/*", answer)
    page.goto(ORIGIN)
    loader = f"import {{qtiTransformItem}} from '{ORIGIN}player.js'; window.transform = qtiTransformItem;"
    page.add_script_tag(content=loader, type="module")
    page.wait_for_function("window.transform")


def main(player: Path) -> None:
    equal = items = 0
    different: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET.split())
        page = browser.new_page()
        serve(page, player.read_text())
        for name, xml, expected in cases():
            items += 1
            found = page.evaluate(SHOW, [xml, [given for given, _ in expected]])
            for (given, ours), theirs in zip(expected, map(number, found), strict=True):
                if theirs == ours:
                    equal += 1
                else:
                    different.append(f"{name}: {given}: ours {ours:g}, theirs {theirs}")
        browser.close()
    print(
        f"{items} items, {equal + len(different)} responses: {equal} equal scores, {len(different)} different"
    )
    print("\n".join(different))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
