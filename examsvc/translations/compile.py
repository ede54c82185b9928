"""Compiles the Vietnamese catalogue: one .po file per room in ``vi/``, one messages.mo for the program.

English needs no catalogue: the sentences in the code are the English ones.  Run as ``python -m examsvc.translations.compile``;
with ``--missing`` it prints sentences that no catalogue has, as .po entries ready to be filled in.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent
PACKAGE = FOLDER.parent
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
}
METHODS = [("**.html", "jinja2.ext.babel_extract")]
OPTIONS = {"**.html": {"extensions": "jinja2.ext.do", "silent": "false"}}


class TranslationError(Exception):
    """The catalogues contradict each other or their own sentences."""


def used() -> dict[str, tuple[str, str | None, str]]:
    """Every sentence of the program: key → (sentence, plural or None, where it is used first)."""
    found: dict[str, tuple[str, str | None, str]] = {}
    templates = extract_from_dir(str(PACKAGE), method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS)
    in_templates = ((f"{file}:{line}", message) for file, line, message, _comments, _context in templates)
    for where, message in (*in_templates, *_in_code()):
        sentence, plural = (message[0], message[1]) if isinstance(message, tuple) else (message, None)
        if sentence:
            found.setdefault(sentence, (sentence, plural, where))
    return found


def _in_code() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Marked sentences of the modules, by their syntax: those inside an f-string, too, which reading tokens would miss."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.func if isinstance(node, ast.Call) else None
            if not isinstance(name, ast.Name) or name.id not in KEYWORDS or not isinstance(node, ast.Call):
                continue
            wanted = node.args[: 2 if name.id == "ngettext" else 1]
            texts = tuple(one.value for one in wanted if isinstance(one, ast.Constant) and isinstance(one.value, str))
            if texts and len(texts) == len(wanted):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", texts if len(texts) == 2 else texts[0]


def catalogues() -> Iterator[tuple[Path, Catalog]]:
    for path in sorted((FOLDER / "vi").glob("*.po")):
        with path.open("rb") as file:
            yield path, read_po(file, locale="vi", abort_invalid=True)


def merged() -> Catalog:
    """One catalogue of all rooms.  TranslationError when two rooms translate one sentence differently."""
    whole = Catalog(locale="vi")
    origin: dict[object, Path] = {}
    for path, catalogue in catalogues():
        for message in catalogue:
            if not message.id or not message.string:
                continue
            key = message.id[0] if isinstance(message.id, (list, tuple)) else message.id
            known = whole.get(key)
            if known is not None and known.string != message.string:
                raise TranslationError(f"{path.name} and {origin[key].name} translate {key!r} differently")
            check_placeholders(path, message)
            whole.add(message.id, message.string)
            origin[key] = path
    return whole


_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%|%(?!\()")


def check_placeholders(path: Path, message: Message) -> None:
    """The translation must take the parameters of the sentence, no others."""
    ids = message.id if isinstance(message.id, (list, tuple)) else [message.id]
    strings = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    asked = {name for one in ids for name in _PLACEHOLDER.findall(str(one))}
    for string in strings:
        extra = set(_PLACEHOLDER.findall(str(string))) - asked
        if extra - {""}:
            raise TranslationError(f"{path.name}: {ids[0]!r} is translated with unknown parameters {sorted(extra)}")


def compile_all() -> Path:
    target = FOLDER / "vi" / "LC_MESSAGES" / "messages.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(f".{os.getpid()}")
    with half.open("wb") as file:
        write_mo(file, merged())
    half.replace(target)  # whoever reads at this moment finds the old one or the new one
    return target


def missing() -> dict[str, tuple[str, str | None, str]]:
    known = merged()
    return {key: value for key, value in used().items() if known.get(key) is None}


def main() -> None:
    compile_all()
    if "--missing" in sys.argv:
        for sentence, plural, where in missing().values():
            quoted = sentence.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            lines = [f"#: {where}", f'msgid "{quoted}"']
            lines += [f'msgid_plural "{plural}"', 'msgstr[0] ""'] if plural else ['msgstr ""']
            sys.stdout.write("\n".join(lines) + "\n\n")


if __name__ == "__main__":
    main()
