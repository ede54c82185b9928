"""The second verifier as one HTML file: markup, style, vocabulary and scripts of this folder put together.

It is written from docs/formats/bundle.md and the documents it refers to, in another language than the first one, and shares no
code with it. The file needs no network: its own policy forbids every request.
"""

import base64
from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent
SCRIPTS = (
    "bytes", "ed25519", "canonical", "archive", "notes", "vocabulary", "bundle", "integrity", "course", "openings", "draws",
    "sittings", "marking", "people", "decimals", "toml", "native", "earning", "scores", "ranking", "results", "stamps", "verify",
)  # fmt: skip
"""In the order in which one needs the other."""


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def engine() -> str:
    """The checks alone, as one function body that returns what a test calls."""
    vocabulary = _text("vocabulary.json").strip()
    scripts = "\n".join(_text(f"{name}.js") for name in SCRIPTS)
    return f"'use strict';\nconst VOCABULARY = {vocabulary};\n{scripts}"


def _script() -> str:
    return f"(() => {{\n{engine()}\n{_text('words.js')}\n{_text('interface.js')}\n}})();\n"


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def policy() -> str:
    """The content security policy of the page: its own script and style, and not one request."""
    return (
        f"default-src 'none'; script-src {_source(_script())}; style-src {_source(_text('style.css'))};"
        " base-uri 'none'; form-action 'none'"
    )


@cache
def page() -> bytes:
    """The file."""
    html = _text("page.html")
    for name, text in (("policy", policy()), ("style", _text("style.css")), ("script", _script())):
        html = html.replace("{{ " + name + " }}", text)
    return html.encode()
