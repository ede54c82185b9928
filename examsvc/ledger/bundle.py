"""The bundle: everything a stranger needs to check a competition, in one file with one spelling (docs/formats/bundle.md).

A ZIP archive whose bytes follow from its contents: members stored, in ascending order of their names after
the manifest, with one fixed date. A reader packs what it read again and compares, so no byte can hide anything.
"""

import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from examsvc.ledger import canonical, entries
from examsvc.ledger.definitions import Opening

FORMAT = "examsvc.bundle.v1"
MANIFEST = "manifest.json"
PUBLIC, RESTRICTED = "public", "restricted"
MAX_BYTES = 2**31 - 1
MAX_FILES = 100_000

_DATE = (1980, 1, 1, 0, 0, 0)
_DOS_DATE = 1 << 5 | 1
_MODE = 0o100644 << 16
_BLOCK = 1 << 20
# the records of a ZIP archive (APPNOTE 4.3.7, 4.3.12, 4.3.16)
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_END = struct.Struct("<4s4H2LH")
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


def _place(name: str) -> tuple[bool, str]:
    return (name != MANIFEST, name)


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive of these files; the bytes depend on names and contents alone."""
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_BYTES:
        raise BundleError(f"a bundle has at most {MAX_FILES} files and {MAX_BYTES} bytes")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name in sorted(files, key=_place):
            if _NAME.fullmatch(name) is None:
                raise BundleError(f"{name!r} cannot name a file in a bundle")
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system = 3
            info.external_attr = _MODE
            archive.writestr(info, files[name], zipfile.ZIP_STORED)
    return out.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of a bundle, manifest included; BundleError for any archive that `pack` would not have written."""
    archive = Archive(io.BytesIO(data))
    return {name: archive.read(name) for name in archive.members}


@dataclass(frozen=True, slots=True)
class Member:
    """Where a file of the archive stands, and its SHA-256 in hexadecimal."""

    offset: int
    size: int
    digest: str


class Archive:
    """A bundle in an open file, read once from end to end; afterwards its files are at hand without being held in memory.

    Every byte that is not a file's content is compared with the one that `pack` writes there. `digest` is the SHA-256 of the whole.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.members: dict[str, Member] = {}
        self._whole = hashlib.sha256()
        size = file.seek(0, io.SEEK_END)
        if size > MAX_BYTES + 200 * MAX_FILES:
            raise BundleError(f"the file has {size} bytes; that is more than a bundle can have")
        names = self._directory(size)
        file.seek(0)
        expected = io.BytesIO()
        for name, content in names:
            self._member(name, content, expected)
        directory = expected.getvalue()
        start = sum(30 + len(name) + content for name, content in names)
        end = _END.pack(b"PK\5\6", 0, 0, len(names), len(names), len(directory), start, 0)
        if self._take(len(directory) + len(end)) != directory + end or file.read(1):
            raise BundleError("the archive is not in the one form a bundle has")
        self.digest = self._whole.hexdigest()

    def _take(self, size: int) -> bytes:
        data = self._file.read(size)
        self._whole.update(data)
        return data

    def _directory(self, size: int) -> list[tuple[str, int]]:
        """(name, size) of each member as the directory has them; all else is checked against what should stand there."""
        self._file.seek(max(0, size - _END.size))
        last = self._file.read(_END.size)
        if len(last) != _END.size or last[:4] != b"PK\5\6":
            raise BundleError("the file is not a readable ZIP archive")
        _, _, _, _, count, length, start, _ = _END.unpack(last)
        if count > MAX_FILES or start + length + _END.size != size:
            raise BundleError("the archive is not in the one form a bundle has")
        self._file.seek(start)
        data, place = self._file.read(length), 0
        found: list[tuple[str, int]] = []
        while place + _CENTRAL.size <= len(data):
            fields = _CENTRAL.unpack_from(data, place)
            name = data[place + _CENTRAL.size : place + _CENTRAL.size + fields[12]].decode("ascii", "replace")
            if _NAME.fullmatch(name) is None:
                raise BundleError(f"{name!r:.80} cannot name a file in a bundle")
            if fields[6] != 0 or fields[10] != fields[11]:
                raise BundleError(f"{name!r:.80} is compressed; files in a bundle are stored")
            found.append((name, fields[11]))
            place += _CENTRAL.size + fields[12]
        names = [name for name, _ in found]
        if MANIFEST not in names:
            raise BundleError("the archive has no manifest")
        if len(set(names)) != len(names):
            raise BundleError("a file is in the archive twice")
        if names != sorted(names, key=_place) or len(found) != count:
            raise BundleError("the archive is not in the one form a bundle has")
        return found

    def _member(self, name: str, size: int, directory: BinaryIO) -> None:
        text, before = name.encode(), self._file.tell()
        header = self._take(_LOCAL.size + len(text))
        crc, digest, left = 0, hashlib.sha256(), size
        while left:
            block = self._take(min(left, _BLOCK))
            if not block:
                raise BundleError(f"{name!r:.80} claims more bytes than the archive has")
            crc, left = zlib.crc32(block, crc), left - len(block)
            digest.update(block)
        about = (0, 0, 0, _DOS_DATE, crc, size, size, len(text))
        if header != _LOCAL.pack(b"PK\3\4", 20, 0, *about, 0) + text:
            raise BundleError("the archive is not in the one form a bundle has")
        directory.write(_CENTRAL.pack(b"PK\1\2", 20, 3, 20, 0, *about, 0, 0, 0, 0, _MODE, before) + text)
        self.members[name] = Member(before + len(header), size, digest.hexdigest())

    def read(self, name: str) -> bytes:
        """The content of a file."""
        member = self.members[name]
        self._file.seek(member.offset)
        return self._file.read(member.size)

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a .jsonl file, one after the other, each of which must end in one newline."""
        member = self.members[name]
        left, rest = member.size, b""
        while left:
            self._file.seek(member.offset + member.size - left)
            block = self._file.read(min(left, _BLOCK))
            left -= len(block)
            first, *others = block.split(b"\n")
            if not others:
                rest += first
                continue
            yield rest + first
            yield from others[:-1]
            rest = others[-1]
        if rest:
            raise BundleError("the last line does not end in a newline")


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
