"""The vocabulary as docs/formats/entries.md states it, for the second verifier, which is written from the documents alone.

python tests/verify/document.py > examsvc/verify/second/vocabulary.json
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[2] / "docs" / "formats" / "entries.md"
OPENINGS = {"with the public": "public", "with the restricted": "restricted", "by the person": "subject"}
LOCKS = {"never": "never", "approved by two": "approved", "yes": "free"}


def _names(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def _start(text: str, words: dict[str, str]) -> str:
    return next(word for start, word in words.items() if text.startswith(start))


def _fields(lines: list[str]) -> list[list[Any]]:
    rows = [re.split(r"(?<!\\)\|", line)[1:3] for line in lines if line.startswith("| `")]
    return [
        [
            _names(name)[0],
            kind.strip().removesuffix(", optional").replace("\\|", "|"),
            kind.strip().endswith(", optional"),
        ]
        for name, kind in rows
    ]


def _entry(lines: list[str]) -> dict[str, Any]:
    facts = next(line for line in lines if line.startswith("- number: "))[2:].split(" · ")
    said = {fact.partition(": ")[0]: fact.partition(": ")[2] for fact in facts}
    rules = {"after": [], "not after": [], "within": [], "under": []}
    for line in lines:
        for rule in rules:
            if line.startswith(f"- {rule} `"):
                rules[rule] = _names(line)
    kinds = next(
        (
            line.partition(": ")[2].split(", ")
            for line in lines
            if line.startswith("- in stages with parts: ")
        ),
        None,
    )
    lock = next(
        (_start(line.partition(": ")[2], LOCKS) for line in lines if line.startswith("- after the lock: ")),
        "free",
    )
    number = said["number"]
    return {
        "log": ["competition", "registry"] if "in both logs" in said else ["registry"] if "in the registry log" in said else ["competition"],
        "scope": said["scope"],
        "number": None if number == "any" else number.removeprefix("once").removeprefix(" per ").split(" and ") if number != "once" else [],
        "approvers": int(said["approvers"]),
        "required": "required" in said,
        "after": rules["after"],
        "before": rules["not after"],
        "within": rules["within"],
        "under": rules["under"],
        "kinds": kinds,
        "lock": lock,
        "fields": _fields(lines),
    }  # fmt: skip


def _object(lines: list[str]) -> dict[str, Any]:
    opened, personal = next(line for line in lines if line.startswith("- opened "))[9:].split(" · ")
    return {
        "opening": _start(opened, OPENINGS),
        "personal": personal.startswith("personal"),
        "fields": _fields(lines),
    }


def vocabulary(text: str) -> dict[str, Any]:
    """{"things": [...], "types": {...}, "objects": {...}}."""
    things = _names(next(line for line in text.split("\n") if "Codes of things (" in line).partition("(")[2])
    types, objects = {}, {}
    for section in re.split(r"^### ", text, flags=re.M)[1:]:
        head, *lines = section.split("\n## ")[0].split("\n")
        if head.startswith("object `"):
            objects[_names(head)[0]] = _object(lines)
        else:
            types[head] = _entry(lines)
    return {"objects": objects, "things": things, "types": types}


def data() -> str:
    """One line for each type and object, so that a change shows."""
    made = vocabulary(DOCUMENT.read_text())

    def rows(part: dict[str, Any]) -> str:
        return ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in part.items())

    return (
        '{"things": ' + json.dumps(made["things"])
        + ',\n"types": {\n' + rows(made["types"]) + '\n},\n"objects": {\n' + rows(made["objects"]) + "\n}}\n"
    )  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(data())
