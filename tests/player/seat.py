"""A candidate before the player, in a browser profile of his own: what he sees and does, in words of the tests."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from tests.player.hall import Attempt, Hall

PATIENCE = 8.0  # seconds until a test gives up waiting
NETWORK = re.compile("Failed to load resource|net::ERR")  # what the browser itself reports of failures that tests cause


class Seat:
    def __init__(
        self,
        browser: Any,
        hall: Hall,
        attempt: Attempt,
        *,
        context: Any = None,
        language: str = "vi",
        width: int = 1280,
        height: int = 800,
        fake_clock: bool = False,
    ) -> None:
        self.hall, self.attempt, self.language = hall, attempt, language
        self._own = context is None
        self.context = context or browser.new_context(viewport={"width": width, "height": height}, locale="vi-VN")
        self.page = self.context.new_page()
        if not self._own:
            self.page.set_viewport_size({"width": width, "height": height})
        self.page.set_default_timeout(PATIENCE * 1000)
        if fake_clock:
            self.page.clock.install()
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        self.accept_leaving = True
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dialog)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and not NETWORK.search(message.text):
            self.complaints.append(message.text)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.type)
        if self.accept_leaving:
            dialog.accept()
        else:
            dialog.dismiss()

    @property
    def address(self) -> str:
        return f"{self.hall.address}/sit/{self.attempt.code}?language={self.language}"

    def open(self) -> None:
        self.page.goto(self.address)

    def leave(self) -> None:
        self.page.close()
        if self._own:
            self.context.close()

    # ---- seeing ----

    def wait_for_screen(self, name: str) -> None:
        self.page.wait_for_selector(f'#player[data-screen="{name}"]')

    def wait_until(self, condition: Callable[[], object], what: str = "the condition") -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come about; the page says: {self.text('#player')}")
            self.page.wait_for_timeout(20)

    def text(self, selector: str) -> str:
        return " ".join(self.page.inner_text(selector).split())

    @property
    def save_state(self) -> str:
        return str(self.page.get_attribute(".bar-save", "data-state"))

    def wait_saved(self) -> None:
        self.wait_until(lambda: self.save_state == "saved", "'saved'")

    @property
    def banners(self) -> list[str]:
        return [str(node.get_attribute("data-key")) for node in self.page.query_selector_all(".banner")]

    @property
    def receipt_code(self) -> str:
        """The code on the receipt, without what only groups it."""
        return re.sub(r"[\s-]", "", self.text(".receipt-code"))

    # ---- doing ----

    def go(self, number: int) -> None:
        if not self.page.is_visible("#palette"):
            self.page.click(".palette-toggle")
        self.page.click(f"#palette .number >> nth={number - 1}")
        self.page.wait_for_selector("#palette .number[aria-current]", state="attached")

    def choose(self, text: str) -> None:
        self.page.click(f'.option:has-text("{text}")')

    def write(self, text: str) -> None:
        self.page.fill("textarea.essay", text)

    def token(self, slot: int, text: str, response: str = "RESPONSE", part: str = "choices") -> str:
        """The identifier that a choice has in this attempt."""
        for piece in self.attempt.parts:
            for entry in piece["slots"]:
                if entry["slot"] == slot:
                    for interaction in entry["item"]["vi"]["interactions"]:
                        if interaction["id"] == response:
                            return next(str(c["id"]) for c in interaction[part] if text in c["html"])
        raise LookupError(text)

    def evaluate(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    def advance(self, seconds: float) -> None:
        """The hall's and the page's clock together; needs fake_clock."""
        self.attempt.ahead += seconds
        self.page.clock.fast_forward(int(seconds * 1000))

    def advance_to_the_last(self, seconds: float) -> None:
        """So many seconds are left, whatever the machine took until here."""
        self.advance(max(0.0, self.attempt.deadline - self.attempt.now - seconds))

    def stored(self, slot: int) -> Any:
        return self.attempt.value(slot)

    def wait_stored(self, slot: int, value: Any) -> None:
        self.wait_until(lambda: self.attempt.value(slot) == value, f"slot {slot} = {value!r}")

    def cut(self) -> None:
        """The network goes, with the browser noticing it."""
        self.attempt.cut = True
        self.context.set_offline(True)

    def mend(self) -> None:
        self.attempt.cut = False
        self.context.set_offline(False)

    def said(self) -> list[str]:
        """What the live regions were made to say since `listen`."""
        return list(self.page.evaluate("window.__said"))

    def listen(self) -> None:
        self.page.evaluate(
            """() => {
              window.__said = [];
              const note = (region) => region.textContent && window.__said.push(region.textContent);
              for (const region of document.querySelectorAll("[aria-live=polite], [aria-live=assertive]")) {
                new MutationObserver(() => note(region)).observe(region, { childList: true, subtree: true, characterData: true });
              }
            }"""
        )
