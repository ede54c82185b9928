"""Every sentence of the player stands in both catalogues, none in the code; the page keeps to itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PLAYER = Path(__file__).parents[2] / "examsvc" / "static" / "player"
MODULES = [path for path in sorted(PLAYER.rglob("*.js")) if path.parent.name != "texts"]
ENTRY = re.compile(r'^  (?:"([\w.]+)"|(\w+)):', re.MULTILINE)
STATES = ["saved", "waiting", "offline"]


def catalogue(language):
    source = (PLAYER / "texts" / f"{language}.js").read_text()
    entries = list(ENTRY.finditer(source))
    keys = [entry[1] or entry[2] for entry in entries]
    assert len(keys) == len(set(keys))
    ends = [entry.start() for entry in entries[1:]] + [len(source)]
    return {key: source[entry.end() : end] for key, entry, end in zip(keys, entries, ends, strict=True)}


def used():
    """Keys and beginnings of keys that the code asks for."""
    whole, stems = set(), set()
    for path in MODULES:
        source = path.read_text()
        for call in re.findall(r"\bt\(([^()]*(?:\([^()]*\))?[^()]*)", source):
            whole |= set(re.findall(r'"([a-z][\w.]*)"', call))
        whole |= set(re.findall(r'"(help\.\w+)"\]', source))
        whole |= {f"amiss.{key}" for key in re.findall(r'(?<![.\w])add\(([^,]+),', source) for key in re.findall(r'"(\w+)"', key)}
        stems |= set(re.findall(r"\bt\(`([\w.]+)\$\{", source))
    return whole, stems


def test_both_languages_have_the_same_sentences_with_the_same_parameters():
    vi, en = catalogue("vi"), catalogue("en")
    assert list(vi) == list(en)
    assert len(vi) > 200
    for key in vi:
        assert set(re.findall(r"\{(\w+)\}", vi[key])) == set(re.findall(r"\{(\w+)\}", en[key])), key


def test_every_sentence_asked_for_exists_and_every_sentence_is_asked_for():
    whole, stems = used()
    keys = set(catalogue("vi"))
    asked = {key for key in whole if "." in key or key in keys}
    assert asked - keys == set()
    unused = {key for key in keys - whole if not any(key.startswith(stem) for stem in stems)}
    assert unused == set()


def test_the_state_of_saving_has_exactly_three_values():
    keys = [key for key in catalogue("vi") if re.fullmatch(r"save\.(?!waiting_count)\w+", key)]
    assert keys == [f"save.{state}" for state in STATES]
    returned = re.findall(r'return \{ state: "(\w+)"', (PLAYER / "app.js").read_text())
    assert sorted(returned) == sorted(STATES)


def test_no_sentence_stands_in_the_code():
    """Words between quotes with a space and letters beyond ASCII, or English prose, belong into the catalogues."""
    assert len(MODULES) > 25
    for path in MODULES:
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)
        for text in re.findall(r'"([^"\n]*)"', code):
            if path.name == "machine-check.js" and text == "Đề án đổi mới":
                continue  # what is to be typed is no sentence to the reader
            assert text == "Tiếng Việt" or not re.search(r"[À-ỹ]", text), (path.name, text)


def test_the_player_never_navigates_and_asks_nobody_else():
    for path in MODULES:
        source = path.read_text().replace('"http://www.w3.org/2000/svg"', "")  # a name, which nobody fetches
        for forbidden in (r"location\.(?:href|assign|replace|reload)", r"window\.open", r"\.submit\(\)", r"https?://", r"\beval\b", r"new Function", r"setAttribute\(\"style", r"alert\(", r"confirm\(\"", r"Math\.random\(\)"):
            assert not re.search(forbidden, source), (path.name, forbidden)


@pytest.mark.browser
def test_every_module_is_loaded_by_the_page_or_by_the_check(sit, hall):
    loaded = set()
    seat = sit(wait=None)
    seat.page.on("response", lambda reply: loaded.add(reply.url.split("/static/player/")[-1]) if reply.url.endswith(".js") else None)
    seat.open()
    seat.wait_for_screen("exam")
    seat.page.goto(f"{hall.address}/check/{seat.attempt.code}")
    seat.page.wait_for_selector(".verdict[data-state]")
    authors = {"try.js"}  # the page on which authors try a question: tests/papers/test_trying.py
    assert loaded == {str(path.relative_to(PLAYER)) for path in PLAYER.rglob("*.js")} - authors
