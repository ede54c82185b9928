"""The bundle: everything a stranger needs to check a competition, in one file with one spelling (docs/formats/bundle.md).

A ZIP archive whose bytes follow from its contents: members stored, in ascending order of their names after
the manifest, with one fixed date. A reader packs what it read again and compares, so no byte can hide anything.
"""

import hashlib
import io
import re
import struct
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from examsvc.ledger import canonical, entries
from examsvc.ledger.definitions import Opening

FORMAT = "examsvc.bundle.v1"
MANIFEST = "manifest.json"
PUBLIC, RESTRICTED = "public", "restricted"
MAX_BYTES = 2**31 - 1
MAX_FILES = 100_000

_DATE = (1980, 1, 1, 0, 0, 0)
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*)*")


class BundleError(ValueError):
    """The file is not a bundle, or the material does not make one; the message says why."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The opening of one commitment: salt and object, with the index of the entry that holds it."""

    entry: int
    commitment: str
    object: str
    salt: bytes
    value: Any


@dataclass(frozen=True, slots=True)
class Save:
    """One link of an attempt's chain; salt and value are None where the save is not opened or was erased."""

    commitment: str
    salt: bytes | None = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Material:
    """What a bundle is made of; `compose` leaves out what the edition must not hold.

    `documents` are files whose SHA-256 stands in an entry (regulation, notices, sealed papers, policy …), `outside` the
    outside values by draw as published, `chains` the saves of each attempt, `heads` the number of saves of
    each open attempt at each `sitting.heads` entry.
    """

    entries: Sequence[bytes]
    checkpoint: bytes
    openings: Iterable[Opened]
    documents: Iterable[bytes] = ()
    outside: Mapping[str, bytes] = field(default_factory=dict)
    chains: Mapping[str, Sequence[Save]] = field(default_factory=dict)
    heads: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    registry_entries: Sequence[bytes] = ()
    registry_checkpoint: bytes | None = None


def compose(
    material: Material, kind: str, posts: Sequence[str], edition: int, released: Collection[str] = ()
) -> bytes:
    """The bytes of an edition, the same for the same material whenever and wherever they are made.

    `kind` is PUBLIC or RESTRICTED. `released` names objects that the regulation releases to the public edition although the vocabulary calls
    them restricted; personal ones are refused. Openings for the person concerned only are in no edition.
    """
    if kind not in (PUBLIC, RESTRICTED):
        raise BundleError(f"{kind!r} is neither public nor restricted")
    for name in released:
        if entries.object_type(name).personal:
            raise BundleError(f"{name} is personal; no regulation releases it to the public edition")
    shown = {Opening.PUBLIC} if kind == PUBLIC else {Opening.PUBLIC, Opening.RESTRICTED}
    openings = [
        item
        for item in material.openings
        if entries.object_type(item.object).opening in shown or item.object in released
    ]
    first = entries.read_entry(material.entries[0]) if material.entries else None
    if first is None or first.type != "log.opened":
        raise BundleError("a log begins with log.opened")
    files = {
        "log/checkpoint": material.checkpoint,
        "log/entries.jsonl": _lines(material.entries),
        "openings.jsonl": _lines(
            _opening_line(item) for item in sorted(openings, key=lambda item: (item.entry, item.commitment))
        ),
    }
    files |= {f"documents/{hashlib.sha256(data).hexdigest()}": data for data in material.documents}
    files |= {f"outside/{draw}": data for draw, data in material.outside.items()}
    if material.registry_checkpoint is not None:
        files["registry/checkpoint"] = material.registry_checkpoint
        files["registry/entries.jsonl"] = _lines(material.registry_entries)
    if kind == RESTRICTED:
        files["saves.jsonl"] = _lines(
            _save_line(attempt, place, save)
            for attempt, saves in sorted(material.chains.items())
            for place, save in enumerate(saves, start=1)
        )
        files["heads.jsonl"] = _lines(
            canonical.encode(
                {"n": index, "links": [[attempt, links] for attempt, links in sorted(counts.items())]}
            )
            for index, counts in sorted(material.heads.items())
        )
    manifest = {
        "format": FORMAT,
        "competition": first.competition,
        "origin": first.body["origin"],
        "kind": kind,
        "posts": sorted(posts),
        "edition": edition,
        "size": len(material.entries),
        "files": {
            name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(files.items())
        },
    }
    return pack({MANIFEST: canonical.encode(manifest), **files})


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive of these files; the bytes depend on names and contents alone."""
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_BYTES:
        raise BundleError(f"a bundle has at most {MAX_FILES} files and {MAX_BYTES} bytes")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name in sorted(files, key=lambda name: (name != MANIFEST, name)):
            if _NAME.fullmatch(name) is None:
                raise BundleError(f"{name!r} cannot name a file in a bundle")
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, files[name], zipfile.ZIP_STORED)
    return out.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of a bundle, manifest included; BundleError for any archive that `pack` would not have written."""
    if len(data) > MAX_BYTES + 200 * MAX_FILES:
        raise BundleError(f"the file has {len(data)} bytes; that is more than a bundle can have")
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_FILES:
                raise BundleError(f"the archive has {len(members)} files; at most {MAX_FILES} are read")
            for member in members:
                if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
                    raise BundleError(f"{member.filename!r:.80} is compressed; files in a bundle are stored")
                if member.file_size > len(data):
                    raise BundleError(f"{member.filename!r:.80} claims more bytes than the archive has")
                if member.filename in files:
                    raise BundleError(f"{member.filename!r:.80} is in the archive twice")
                files[member.filename] = archive.read(member)
    except BundleError:
        raise
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
        OSError,
        struct.error,
    ) as error:
        raise BundleError(f"the file is not a readable ZIP archive: {error}") from None
    if MANIFEST not in files:
        raise BundleError("the archive has no manifest")
    if pack(files) != data:
        raise BundleError("the archive is not in the one form a bundle has")
    return files


def split_lines(data: bytes) -> list[bytes]:
    """The lines of a .jsonl file, each of which ends in one newline."""
    if not data:
        return []
    if not data.endswith(b"\n"):
        raise BundleError("the last line does not end in a newline")
    return data[:-1].split(b"\n")


def _lines(items: Iterable[bytes]) -> bytes:
    return b"".join(item + b"\n" for item in items)


def _opening_line(item: Opened) -> bytes:
    return canonical.encode(
        {
            "n": item.entry,
            "c": item.commitment,
            "name": item.object,
            "salt": item.salt.hex(),
            "object": item.value,
        }
    )


def _save_line(attempt: str, place: int, save: Save) -> bytes:
    line: dict[str, Any] = {"attempt": attempt, "i": place, "c": save.commitment}
    if save.salt is not None:
        line |= {"salt": save.salt.hex(), "object": save.value}
    return canonical.encode(line)
