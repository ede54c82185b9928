"""The published set of bad bundles, each made from a seed, with the checks that must fail: for anybody who writes a verifier.

    python tests/verify/bad.py FOLDER      writes the bundles, the policy, two good bundles and manifest.json

bad.json beside this file holds the same manifest: name, SHA-256 of the bundle, the checks that fail ("unreadable" where it is no bundle).
"""

import hashlib
import json
import random
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1] / "ledger"), str(Path(__file__).parent)]

from hall import POLICY_TEXT, material
from hall_course import competition
from mutating import (
    SMALL,
    checked,
    insider_saves,
    insider_values,
    outsider_bytes,
    outsider_values,
    small,
    structural,
)

from examsvc.ledger.bundle import PUBLIC, compose

SEED = 3
MANIFEST = Path(__file__).with_name("bad.json")


def changes() -> Iterator[tuple[str, bytes]]:
    """(name, bundle): of each kind of change some, the first of each column; good ones among them are left out by `bad`."""
    content, other = small(SEED), small(SEED + 1)
    per: dict[str, int] = {}

    def few(kind: str, most: int) -> bool:
        per[kind] = per.get(kind, 0) + 1
        return per[kind] <= most

    for name, data, _ in outsider_values(content, random.Random(SEED), 1):
        if few(name.split()[0], 6) and few(name, 1):
            yield f"value {name}", data
    for name, data, what in outsider_bytes(content, random.Random(SEED), 1):
        if few(name, 1):
            yield f"{name} {what[0] if isinstance(what, tuple) else ''}".strip(), data
    for name, data, reason, what in structural(content, other, random.Random(SEED)):
        where = what[0] if isinstance(what, tuple) else what
        if reason is None and few(f"{name} {where}", 1):
            yield f"{name} {str(where or '')[:40]}".strip(), data
    for name, world, _, _ in insider_values(SEED, random.Random(SEED), 1):
        if few(f"insider {name}", 1):
            yield f"insider {name}", world.bundle()
    for name, world, _, _ in insider_saves(SEED):
        if few(f"insider {name}", 1):
            yield f"insider {name}", world.bundle()
    for name, world, _, _ in insider_values(SEED, random.Random(SEED), 1):
        if name.startswith(("results.ranking", "draw.", "allocation")) and few(f"public {name}", 1):
            yield f"public insider {name}", world.bundle(PUBLIC)


@cache
def bad() -> dict[str, tuple[bytes, list[str]]]:
    """Name → (bundle, checks that fail)."""
    found = {}
    for name, data in changes():
        checks = checked(data)
        if checks:
            found[name] = (data, sorted(checks, key=lambda check: (len(check), check)))
    return found


def manifest(made: dict[str, tuple[bytes, list[str]]]) -> list[dict]:
    """What is published of each."""
    return [
        {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "fails": checks}
        for name, (data, checks) in made.items()
    ]


def write(folder: Path) -> None:
    """The whole set as files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = bad()
    lines = manifest(made)
    for number, (data, _) in enumerate(made.values(), start=1):
        (folder / f"{number:03}.zip").write_bytes(data)
        lines[number - 1]["file"] = f"{number:03}.zip"
    hall = competition(SEED, 2, scenario=SMALL)
    for kind in ("public", "restricted"):
        (folder / f"good-{kind}.zip").write_bytes(compose(material(hall), kind, hall.posts, 1))
    (folder / "policy").write_bytes(POLICY_TEXT)
    (folder / "manifest.json").write_text(json.dumps(lines, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        write(Path(sys.argv[1]))
    else:
        rows = ",\n".join(json.dumps(one) for one in manifest(bad()))
        MANIFEST.write_text(f"[\n{rows}\n]\n")
