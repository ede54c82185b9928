"""Is an uploaded file what it claims to be, and harmless to whoever opens it?

The content decides, never the name and never what the browser said.  Refused, each with one sentence that says what to do: another
format than asked, a file that is two formats at once, encrypted files, scripts and programs inside, attached files, content loaded
from elsewhere, archives that swell, pictures too large to open, damaged and empty files.

:func:`check` parses in this process; pages call :func:`check_apart`, which does it in a process of its own with limits on
memory and time, so that a parser's weakness harms nobody else.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from typing import Any

import docx
import filetype
import pypdf
from PIL import Image
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject

from examsvc.base.errors import N_, Refused

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "jpeg": "image/jpeg",
    "png": "image/png",
}
EXTENSIONS = {"pdf": ".pdf", "docx": ".docx", "jpeg": ".jpg", "png": ".png"}
FORMAT_NAMES = {"pdf": "PDF", "docx": "Word (DOCX)", "jpeg": "JPEG", "png": "PNG"}

MOST_PIXELS = 40_000_000
LONGEST_SIDE = 20_000
MOST_PAGES = 2_000
MOST_OBJECTS = 200_000
MOST_PARTS = 2_000
MOST_UNPACKED = 200 * 1024 * 1024
MOST_SWELLING = 200
"""How many times its packed size a part of a DOCX may have; text packs about 20 times, a bomb 1,000 times."""
SECONDS = 30
MEMORY = 1024 * 1024 * 1024
LONGEST_NAME = 120
_ENDINGS = re.compile(r"(\.(pdf|docx?|jpe?g|png|exe|html?))+$", re.IGNORECASE)


@dataclass(frozen=True)
class Upload:
    """A checked file, ready to be kept."""

    name: str
    format: str
    media_type: str
    size: int
    digest: str
    content: bytes = field(repr=False)
    facts: dict[str, Any] = field(default_factory=dict)
    """What was seen: pages of a PDF, pixels of a picture, paragraphs and words of a DOCX."""


def clean_name(name: str, format: str) -> str:
    """A file name that is safe to show and to offer: no folders, control or direction characters, in NFC, with the extension of
    what the file really is."""
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    base = "".join(c if c not in '<>:"|?*%;' else "-" for c in base if unicodedata.category(c)[0] != "C" or c == " ")
    base = " ".join(base.split())
    stem = _ENDINGS.sub("", re.sub(r"\.[A-Za-z0-9]{1,5}$", "", base)).strip(" .")
    while len(stem.encode()) > LONGEST_NAME:
        stem = stem[:-1]
    return (stem.rstrip(" .") or "file") + EXTENSIONS[format]


def check(content: bytes, name: str, formats: Collection[str], max_bytes: int) -> Upload:
    """The upload as it may be kept.  Refused on the field ``file`` with the reason otherwise."""
    _size(content, max_bytes)
    found = _format(content)
    if found is None or found not in formats:
        raise _refusal(
            N_("This is %(found)s. Hand in %(wanted)s."),
            found=FORMAT_NAMES.get(found or "", "") or _what(content),
            wanted=" / ".join(FORMAT_NAMES[one] for one in formats),
        )
    facts = _CHECKS[found](content)
    return Upload(
        name=clean_name(name, found),
        format=found,
        media_type=MEDIA_TYPES[found],
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        content=content,
        facts=facts,
    )


def _refusal(sentence: str, **params: object) -> Refused:
    return Refused(sentence, field="file", **params)


def _size(content: bytes, max_bytes: int) -> None:
    if not content:
        raise _refusal(N_("The file is empty. Choose the right file."))
    if len(content) > max_bytes:
        raise _refusal(
            N_("The file has %(size)s MB; at most %(most)s MB are accepted. Save it smaller, for example with scans at 150 dpi."),
            size=f"{len(content) / 1048576:.1f}",
            most=f"{max_bytes / 1048576:.0f}",
        )


def _format(content: bytes) -> str | None:
    if content.startswith(b"%PDF-"):
        return "pdf"
    if content.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return "docx" if "word/document.xml" in archive.namelist() else None
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            return None
    kind = filetype.guess(content)
    return {"image/jpeg": "jpeg", "image/png": "png"}.get(kind.mime) if kind is not None else None


def _what(content: bytes) -> str:
    """Words for what the content is, where it is none of the accepted formats."""
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return N_("an old Office file (DOC, XLS)")
    kind = filetype.guess(content)
    return kind.extension.upper() if kind is not None else N_("a file of no known format")


def _no_second_format(content: bytes) -> None:
    """A file that begins as one format and is read as an archive by another program."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        raise _refusal(N_("This file is two formats at once. Save it again from the program in which it was made."))


# ---------------------------------------------------------------- PDF

_ACTIONS = frozenset({"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/GoToR", "/Rendition", "/Movie", "/Sound"})
_SCRIPT_KEYS = frozenset({"/JS", "/JavaScript", "/XFA"})
_ATTACHED_KEYS = frozenset({"/EmbeddedFiles", "/EmbeddedFile", "/EF"})
_ATTACHED_SUBTYPES = frozenset({"/FileAttachment", "/RichMedia", "/Movie", "/Screen", "/3D", "/Sound"})


def _pdf(content: bytes) -> dict[str, Any]:
    _no_second_format(content)
    if b"%%EOF" not in content:
        raise _refusal(N_("The PDF is damaged or cut off. Save it again and check that it opens."))
    try:
        reader = pypdf.PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            raise _refusal(N_("The PDF is protected by a password or by rights. Save it without protection."))
        pages = len(reader.pages)
        if pages == 0:
            raise _refusal(N_("The PDF has no pages. Choose the right file."))
        if pages > MOST_PAGES:
            raise _refusal(N_("The PDF has %(pages)d pages; at most %(most)d are accepted."), pages=pages, most=MOST_PAGES)
        _walk(reader)
    except Refused:
        raise
    except Exception as error:  # a parser fed with anything raises anything
        raise _refusal(N_("The PDF is damaged or cut off. Save it again and check that it opens.")) from error
    return {"pages": pages}


def _walk(reader: pypdf.PdfReader) -> None:
    """Looks at every object that can be reached, without following the same one twice."""
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [reader.trailer]
    looked = 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, IndirectObject):
            key = (one.idnum, one.generation)
            if key in seen:
                continue
            seen.add(key)
            one = one.get_object()
        looked += 1
        if looked > MOST_OBJECTS:
            raise _refusal(N_("The PDF is too complicated to be checked. Print it to a new PDF and hand in that one."))
        if isinstance(one, ArrayObject):
            waiting.extend(list.__iter__(one))
        elif isinstance(one, DictionaryObject):
            _look(one)
            waiting.extend(dict.values(one))


def _look(found: DictionaryObject) -> None:
    keys = set(found)
    if keys & _SCRIPT_KEYS or _name(found, "/S") in _ACTIONS:
        raise _refusal(N_("The PDF holds a program (a script or an action). Print it to a new PDF and hand in that one."))
    if keys & _ATTACHED_KEYS or _name(found, "/Subtype") in _ATTACHED_SUBTYPES:
        raise _refusal(N_("The PDF has other files or media inside. Hand them in by themselves, and this one without them."))


def _name(found: DictionaryObject, key: str) -> str | None:
    value = found.get(key)
    if isinstance(value, IndirectObject):
        value = value.get_object()
    return str(value) if isinstance(value, NameObject) else None


# ---------------------------------------------------------------- DOCX

_MACROS = re.compile(r"vbaproject|macrosheet|vbadata|activex", re.IGNORECASE)
_EXTERNAL = re.compile(rb"<Relationship\b[^>]*\bTargetMode\s*=\s*[\"']External[\"'][^>]*>", re.IGNORECASE)
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def _docx(content: bytes) -> dict[str, Any]:
    if b"%PDF-" in content[:1024]:
        raise _refusal(N_("This file is two formats at once. Save it again from the program in which it was made."))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _unpacks_safely(archive)
            _no_programs(archive)
        document = docx.Document(io.BytesIO(content))
        texts = [paragraph.text for paragraph in document.paragraphs]
        words = sum(len(text.split()) for text in texts)
        tables = len(document.tables)
        pictures = len(document.inline_shapes)
    except Refused:
        raise
    except Exception as error:  # a parser fed with anything raises anything
        raise _refusal(N_("The Word file is damaged. Open it, save it again as DOCX and hand in that one.")) from error
    if not words and not tables and not pictures:
        raise _refusal(N_("The Word file has no text. Choose the right file."))
    return {"words": words, "paragraphs": sum(1 for text in texts if text.strip()), "tables": tables, "pictures": pictures}


def _unpacks_safely(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    names = [part.filename for part in parts]
    strange = len(set(names)) != len(names) or any(
        name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or "\0" in name for name in names
    )
    if strange or len(parts) > MOST_PARTS:
        raise _refusal(N_("The Word file is not made as Word makes it. Open it, save it again as DOCX and hand in that one."))
    if any(part.flag_bits & 0x1 for part in parts):
        raise _refusal(N_("The Word file is protected by a password. Save it without protection."))
    swollen = any(part.file_size > 1_000_000 and part.file_size > MOST_SWELLING * max(part.compress_size, 1) for part in parts)
    if swollen or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise _refusal(N_("The Word file unpacks to more than can be opened safely. Make its pictures smaller and save it again."))


def _no_programs(archive: zipfile.ZipFile) -> None:
    for part in archive.infolist():
        name = part.filename
        if _MACROS.search(name) or (name.startswith("word/embeddings/") and not name.endswith((".xlsx", ".docx", ".pptx"))):
            raise _refusal(N_("The Word file holds macros or other programs. Save it as a plain DOCX without them."))
        if not name.endswith((".xml", ".rels")):
            continue
        data = archive.read(part)
        # entities can make a small part swell or read other files; a UTF-16 part hides the word behind zero bytes
        if b"<!DOCTYPE" in data.replace(b"\0", b"").upper():
            raise _refusal(N_("The Word file is not made as Word makes it. Open it, save it again as DOCX and hand in that one."))
        if name.endswith(".rels"):
            for found in _EXTERNAL.findall(data):
                if b"/hyperlink" not in found:
                    raise _refusal(
                        N_("The Word file loads content from elsewhere (a template, a picture or an object). Put it into the file itself.")
                    )
        if name == "[Content_Types].xml" and (b"macroEnabled" in data or _MAIN.encode() not in data):
            raise _refusal(N_("The Word file holds macros or other programs. Save it as a plain DOCX without them."))


# ---------------------------------------------------------------- pictures


def _picture(format: str) -> Callable[[bytes], dict[str, Any]]:
    def look(content: bytes) -> dict[str, Any]:
        _no_second_format(content)
        if b"%PDF-" in content[:1024]:
            raise _refusal(N_("This file is two formats at once. Save it again from the program in which it was made."))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(io.BytesIO(content), formats=[format]) as picture:
                    width, height = picture.size
                    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
                        raise Image.DecompressionBombError
                    picture.verify()
                with Image.open(io.BytesIO(content), formats=[format]) as picture:
                    picture.load()  # verify() does not look at the pixels
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise _refusal(
                N_("The picture has too many pixels; at most 40 million are accepted. Scan it at a lower resolution.")
            ) from None
        except Exception as error:  # a decoder fed with anything raises anything
            raise _refusal(N_("The picture is damaged or cut off. Save it again and check that it opens.")) from error
        return {"width": width, "height": height}

    return look


_CHECKS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    "pdf": _pdf,
    "docx": _docx,
    "jpeg": _picture("JPEG"),
    "png": _picture("PNG"),
}


# ---------------------------------------------------------------- in a process of its own


def check_apart(content: bytes, name: str, formats: Collection[str], max_bytes: int) -> Upload:
    """As :func:`check`, in a process with 1 GiB of memory and 30 seconds; call it outside any transaction."""
    _size(content, max_bytes)
    asked = json.dumps({"formats": list(formats), "max_bytes": max_bytes, "name": name})
    try:
        done = subprocess.run(  # noqa: S603 - our own module, and the file only on standard input
            [sys.executable, "-I", "-c", _CHILD, asked],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        answer = None
    if answer is None:
        raise _refusal(N_("The file could not be checked within the limits of time and memory. Save it simpler and smaller."))
    if "sentence" in answer:
        raise _refusal(answer["sentence"], **answer["params"])
    return Upload(content=content, **answer)


def _answer(asked: str) -> None:
    """The child's side: the file on standard input, the answer as JSON on standard output."""
    _limit()
    wanted = json.loads(asked)
    try:
        found = asdict(check(sys.stdin.buffer.read(), wanted["name"], wanted["formats"], wanted["max_bytes"]))
        del found["content"]
    except Refused as refusal:
        found = {"sentence": refusal.sentence, "params": refusal.params}
    sys.stdout.write(json.dumps(found))


def _limit() -> None:
    try:
        import resource
    except ImportError:  # no such limits on this system; the parent's time limit stays
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


_CHILD = "import sys; from examsvc.applications.uploads import _answer; _answer(sys.argv[1])"
