"""Files for tests: good ones, and hostile ones made by hand."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import docx
import pypdf
from PIL import Image
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

DOCX = "word/document.xml"


def pdf(pages: int = 1, **changes: object) -> bytes:
    """A PDF; ``script``, ``launch``, ``attached``, ``password``, ``form`` put something into it that is refused."""
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if changes.get("script"):
        scripts = DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("1")})
        named = ArrayObject([TextStringObject("a"), writer._add_object(scripts)])
        names = DictionaryObject({NameObject("/JavaScript"): DictionaryObject({NameObject("/Names"): named})})
        writer.root_object[NameObject("/Names")] = writer._add_object(names)
    if changes.get("attached"):
        writer.add_attachment("secret.txt", b"hidden")
    if changes.get("launch"):
        action = DictionaryObject({NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("cmd.exe")})
        writer.root_object[NameObject("/OpenAction")] = writer._add_object(action)
    if changes.get("annotation"):
        action = DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("1")})
        note = DictionaryObject({NameObject("/Subtype"): NameObject("/Link"), NameObject("/A"): action})
        writer.pages[0][NameObject("/Annots")] = ArrayObject([writer._add_object(note)])
    if changes.get("form"):
        writer.root_object[NameObject("/AcroForm")] = DictionaryObject({NameObject("/XFA"): TextStringObject("<x/>")})
    if changes.get("password"):
        writer.encrypt("secret")
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def word(text: str = "Chương trình hành động hai năm.") -> bytes:
    document = docx.Document()
    document.add_paragraph(text)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def rezipped(
    data: bytes,
    *,
    change: dict[str, bytes] | None = None,
    add: dict[str, bytes] | None = None,
    first: dict[str, bytes] | None = None,
) -> bytes:
    """The same DOCX with parts changed or added."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in (first or {}).items():
            new.writestr(name, content)
        for part in old.infolist():
            new.writestr(part.filename, (change or {}).get(part.filename, old.read(part)))
        for name, content in (add or {}).items():
            new.writestr(name, content)
    return target.getvalue()


def part(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def picture(format: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(target, format)
    return target.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A small PNG that says it is very large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def archive(name: str = "a.txt", content: bytes = b"x") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr(name, content)
    return target.getvalue()
