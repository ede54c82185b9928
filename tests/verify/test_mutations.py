"""Blind changes of a bundle's files: whoever does not hold the keys is found, and the verifier never breaks down."""

import hashlib
import json
import random

import pytest
from hall import POLICY, POSTS, material
from hall_course import competition

from examsvc.ledger import canonical
from examsvc.ledger.bundle import PUBLIC, RESTRICTED, BundleError, compose, pack, split_lines, unpack
from examsvc.verify.verification import NOT_VERIFIED, verify

HALL = competition(seed=3, candidates=1)
DATA = {kind: compose(material(HALL), kind, POSTS, 1) for kind in (PUBLIC, RESTRICTED)}


def refitted(content):
    manifest = canonical.decode(content["manifest.json"])
    files = {name: data for name, data in content.items() if name != "manifest.json"}
    manifest["files"] = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in sorted(files.items())
    }
    return pack({"manifest.json": canonical.encode(manifest), **files})


def found(data):
    try:
        return verify(data, POLICY).status == NOT_VERIFIED
    except BundleError:
        return True


@pytest.mark.parametrize("kind", [PUBLIC, RESTRICTED])
def test_random_bytes_of_every_file(kind):
    draw = random.Random(11)
    content = unpack(DATA[kind])
    tried = 0
    for name, data in content.items():
        if name == "manifest.json":
            continue
        for _ in range(4):
            place = draw.randrange(len(data))
            byte = draw.choice([b for b in b'0123456789abcdef",:{}[] \n\x00\xff' if b != data[place]])
            changed = data[:place] + bytes([byte]) + data[place + 1 :]
            tried += 1
            assert found(refitted({**content, name: changed})), (name, place, byte)
    assert tried == 4 * (len(content) - 1)


def mutate(value, draw):
    """One value somewhere inside changed, as JSON."""
    if isinstance(value, dict) and value:
        key = draw.choice(sorted(value))
        return {**value, key: mutate(value[key], draw)}
    if isinstance(value, list) and value:
        place = draw.randrange(len(value))
        return [*value[:place], mutate(value[place], draw), *value[place + 1 :]]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + draw.choice([-1, 1, 1000])
    if isinstance(value, str):
        return draw.choice([value + "x", value[:-1], "", value[::-1] + "1", value.swapcase() + "0"])
    return 1 if value is None else None


@pytest.mark.parametrize("name", ["log/entries.jsonl", "openings.jsonl", "saves.jsonl", "heads.jsonl"])
def test_random_values_of_every_kind_of_line(name):
    draw = random.Random(13)
    content = unpack(DATA[RESTRICTED])
    lines = split_lines(content[name])
    tried = 0
    for place in draw.sample(range(len(lines)), min(40, len(lines))):
        value = mutate(json.loads(lines[place]), draw)
        try:
            new = canonical.encode(value)
        except canonical.CanonicalError:
            continue
        assert new != lines[place]
        tried += 1
        changed = b"".join(line + b"\n" for line in [*lines[:place], new, *lines[place + 1 :]])
        assert found(refitted({**content, name: changed})), (name, place, new)
    assert tried >= min(30, len(lines))


@pytest.mark.parametrize("name", ["log/entries.jsonl", "openings.jsonl", "saves.jsonl"])
def test_lines_dropped_doubled_and_exchanged(name):
    draw = random.Random(17)
    content = unpack(DATA[RESTRICTED])
    lines = split_lines(content[name])
    tried = 0
    for place in draw.sample(range(len(lines) - 1), min(10, len(lines) - 1)):
        for new in (
            [*lines[:place], *lines[place + 1 :]],
            [*lines[: place + 1], *lines[place:]],
            [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]],
        ):
            tried += 1
            assert found(refitted({**content, name: b"".join(line + b"\n" for line in new)})), (name, place)
    assert tried > 6


def test_the_manifest_is_held_to_what_it_says():
    content = unpack(DATA[PUBLIC])
    manifest = canonical.decode(content["manifest.json"])
    tried = 0
    for name, values in (
        ("format", ["examsvc.bundle.v2", ""]),
        ("competition", ["other", 5]),
        ("origin", ["exam.example/other", ""]),
        ("kind", ["restricted", "secret"]),
        ("posts", [["P1", "P3"], [], ["P2", "P1"], "P1"]),
        ("edition", [2, 0, "1"]),
        ("size", [5, -1]),
        ("files", [{}, [], {**manifest["files"], "more": {"size": 0, "sha256": "ab" * 32}}]),
        ("extra", [1]),
    ):
        for value in values:
            tried += 1
            changed = canonical.encode({**manifest, name: value})
            assert found(pack({**content, "manifest.json": changed})), (name, value)
    for text in (b"", b"[]", b"{}", content["manifest.json"] + b"\n"):
        assert found(pack({**content, "manifest.json": text}))
    assert tried == 21
