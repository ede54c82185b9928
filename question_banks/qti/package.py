"""QTI packages: a ZIP with a manifest (IMS Content Packaging 1.1), or a single item file."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from lxml import etree

from question_banks import losses
from question_banks.archives import Archive, pack
from question_banks.intake import Build, Notes, collect
from question_banks.limits import LIMITS, Limits
from question_banks.linting import item_media
from question_banks.markup import NO_TEXT
from question_banks.model import Bank, Item, Media
from question_banks.moodle.labels import metadata_of, tags_of
from question_banks.papers import Test
from question_banks.problems import BankError, ItemError, ProblemLog, declare
from question_banks.qti.elements import name
from question_banks.qti.items import ItemReader
from question_banks.qti.tests import read_test
from question_banks.qti.writing import ItemWriter, Version
from question_banks.sources import child, children, content, local, parse_xml

declare(
    {
        "package-no-manifest": "The package has no imsmanifest.xml; its item files were read without it.",
        "package-lies": "The manifest names {name}, which is not in the package.",
        "package-unlisted": "The manifest does not name the item file {name}; it was not read.",
        "package-path": "The manifest names the path {name}, which points outside the package.",
        "package-test": "The test {name} cannot be read: {reason}",
    }
)

MANIFEST = "imsmanifest.xml"
_ITEM_TYPE = re.compile(r"imsqti_item_xmlv\d+p\d+\Z|imsqti_xmlv1p1\Z|imsqti_item_")
_TEST_TYPE = re.compile(r"imsqti_(?:assessment|test)_?")


def read_qti(data: bytes, file: str, log: ProblemLog, limits: Limits, language: str = "vi") -> Bank:
    """The items of a package or of one item file, and its tests."""
    if not data.startswith(b"PK"):
        return _bank(collect(_single(data, file, limits), log, limits, language), file, language)
    archive = Archive(data, file, limits)
    manifest = _manifest(archive)
    if manifest is None:
        log.lossy("package-no-manifest")
        entries = _unlisted(
            archive, [path for path in archive.names if path.lower().endswith(".xml")], limits
        )
        return _bank(collect(entries, log, limits, language), file, language)
    folder = posixpath.dirname(manifest)
    root = parse_xml(archive.read(manifest), manifest, limits)
    resources = list(_resources(root, folder, log, archive))
    items = [entry for entry in resources if entry[1] == "item"]
    known = {path for path, _, _ in resources}
    for path in archive.names:
        if (
            path not in known
            and path != manifest
            and path.lower().endswith(".xml")
            and _looks_like_item(archive, path)
        ):
            log.lossy("package-unlisted", "", path, name=path)
    bank = _bank(collect(_listed(archive, items, limits), log, limits, language), file, language)
    return replace(bank, tests=tuple(_tests(archive, resources, log, limits)))


def _bank(found: tuple[tuple[Item, ...], dict[str, Media]], file: str, language: str) -> Bank:
    items, media = found
    languages = list(
        dict.fromkeys(name for item in items for _, text in item.texts() for name in text.languages)
    )
    return Bank("qti", NO_TEXT, tuple(languages or [language]), "", items, media)


def _manifest(archive: Archive) -> str | None:
    """The manifest's path: at the top, or in the one folder that everything is in."""
    if MANIFEST in archive:
        return MANIFEST
    found = [path for path in archive.names if posixpath.basename(path) == MANIFEST]
    return found[0] if len(found) == 1 else None


def _single(data: bytes, file: str, limits: Limits) -> Iterator[tuple[str, str, Build]]:
    root = parse_xml(data, file, limits)
    identifier = root.get("identifier") or "item"

    def missing(path: str) -> bytes:
        raise BankError("zip-missing", name=path)

    yield identifier, f"line {root.sourceline}", lambda notes: ItemReader(root, notes, missing).item()


def _looks_like_item(archive: Archive, path: str) -> bool:
    try:
        head = archive.read(path)[:4000]
    except BankError:
        return False
    return b"assessmentItem" in head or b"qti-assessment-item" in head


def _unlisted(archive: Archive, paths: list[str], limits: Limits) -> Iterator[tuple[str, str, Build]]:
    for path in paths:
        if _looks_like_item(archive, path):
            yield posixpath.basename(path), path, _builder(archive, path, limits, ())


def _resources(
    root: etree._Element, folder: str, log: ProblemLog, archive: Archive
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(path, "item" | "test" | "other", keywords) of the manifest's resources that are in the package."""
    for holder in children(root, "resources"):
        for resource in children(holder, "resource"):
            type, href = resource.get("type", ""), resource.get("href", "")
            kind = "item" if _ITEM_TYPE.match(type) else "test" if _TEST_TYPE.match(type) else "other"
            if not href:
                continue
            base = resource.get("{http://www.w3.org/XML/1998/namespace}base", "")
            path = posixpath.normpath(posixpath.join(folder, base, unquote(href)))
            if re.match(r"[a-z]+:", href) or path.startswith(("..", "/")):
                log.refused("package-path", resource.get("identifier", ""), MANIFEST, name=href)
            elif path not in archive:
                if kind != "other":
                    log.refused(
                        "package-lies",
                        resource.get("identifier", ""),
                        f"{MANIFEST} line {resource.sourceline}",
                        name=href,
                    )
            else:
                yield path, kind, tuple(_keywords(resource))


def _keywords(resource: etree._Element) -> Iterator[str]:
    metadata = child(resource, "metadata")
    for element in metadata.iter() if metadata is not None else ():
        if isinstance(element.tag, str) and local(element) == "keyword":
            yield " ".join(content(element).split())


def _listed(
    archive: Archive, items: list[tuple[str, str, tuple[str, ...]]], limits: Limits
) -> Iterator[tuple[str, str, Build]]:
    for path, _, keywords in items:
        yield posixpath.basename(path), path, _builder(archive, path, limits, keywords)


def _builder(archive: Archive, path: str, limits: Limits, keywords: tuple[str, ...]) -> Build:
    def build(notes: Notes) -> Item:
        root = parse_xml(archive.read(path, limits.item_size), path, limits)
        reader = ItemReader(
            root, notes, lambda wanted: archive.read(wanted, limits.media_size), posixpath.dirname(path)
        )
        item = reader.item()
        topic = next((word[6:] for word in keywords if word.startswith("topic:")), "")
        tags = [word for word in keywords if not word.startswith("topic:")]
        return replace(item, metadata=metadata_of(tags, topic, item.metadata.title)) if keywords else item

    return build


def _tests(
    archive: Archive, resources: list[tuple[str, str, tuple[str, ...]]], log: ProblemLog, limits: Limits
) -> Iterator[Test]:
    for path, kind, _ in resources:
        if kind == "test":
            try:
                root = parse_xml(archive.read(path, limits.item_size), path, limits)
                if name(root) == "assessment-test":
                    yield read_test(root, limits)
            except (BankError, ItemError, RecursionError) as error:
                log.refused("package-test", posixpath.basename(path), path, name=path, reason=str(error))


# Writing


def write_qti3(bank: Bank, log: ProblemLog, language: str = "") -> bytes:
    """A QTI 3.0 package in one language."""
    return _write(bank, log, language or bank.languages[0], 3)


def write_qti2(bank: Bank, log: ProblemLog, language: str = "") -> bytes:
    """A QTI 2.2 package in one language."""
    return _write(bank, log, language or bank.languages[0], 2)


_PACKAGE = {
    3: ("http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1", "QTI Package", "3.0.0", "imsqti_item_xmlv3p0"),
    2: ("http://www.imsglobal.org/xsd/imscp_v1p1", "QTIv2.2 Package", "1.0.0", "imsqti_item_xmlv2p2"),
}
_LOM = "http://ltsc.ieee.org/xsd/LOM"
_EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "audio/mpeg": "mp3",
}


def _write(bank: Bank, log: ProblemLog, language: str, version: Version) -> bytes:
    members: dict[str, bytes] = {}
    paths = {key: f"media/{key[6:22]}.{_extension(medium)}" for key, medium in bank.media.items()}
    listed: list[tuple[Item, str, list[str]]] = []
    for number, item in enumerate(bank.items, 1):
        files = {key: f"../{path}" for key, path in paths.items() if key in item_media(item)}
        try:
            tree = ItemWriter(bank, item, language, version, files).tree()
        except ItemError as error:
            log.refusal(item.id, "", error)
            continue
        path = f"items/{number:05d}.xml"
        members[path] = etree.tostring(tree, encoding="utf-8", xml_declaration=True)
        listed.append((item, path, [paths[key] for key in files]))
    used = {path for _, _, files in listed for path in files}
    members |= {path: bank.media[key].data for key, path in paths.items() if path in used}
    data = pack({MANIFEST: _manifest_of(bank, listed, version), **members})
    if listed:
        losses.report(
            bank,
            [item.id for item, _, _ in listed],
            lambda found: read_qti(data, "", found, LIMITS, language),
            log,
        )
    return data


def _extension(medium: Media) -> str:
    return _EXTENSIONS.get(medium.type, re.sub(r"\W", "", medium.type.rpartition("/")[2]) or "bin")


def _manifest_of(bank: Bank, listed: list[tuple[Item, str, list[str]]], version: Version) -> bytes:
    namespace, schema, schema_version, type = _PACKAGE[version]
    root = etree.Element(
        f"{{{namespace}}}manifest",
        nsmap={None: namespace, "lom": _LOM},
        identifier=f"MANIFEST-{re.sub(r'[^A-Za-z0-9._-]', '-', bank.id)}",
    )

    def make(name: str, parent: etree._Element, text: str = "", **attributes: str) -> etree._Element:
        element = etree.SubElement(
            parent, name if name.startswith("{") else f"{{{namespace}}}{name}", attributes
        )
        element.text = text or None
        return element

    metadata = make("metadata", root)
    make("schema", metadata, schema)
    make("schemaversion", metadata, schema_version)
    make("organizations", root)
    resources = make("resources", root)
    for number, (item, path, files) in enumerate(listed, 1):
        resource = make("resource", resources, identifier=f"RES-{number:05d}", type=type, href=path)
        keywords = tags_of(item.metadata) + ([f"topic:{item.metadata.topic}"] if item.metadata.topic else [])
        if keywords:
            lom = make(f"{{{_LOM}}}general", make(f"{{{_LOM}}}lom", make("metadata", resource)))
            for keyword in keywords:
                make(f"{{{_LOM}}}string", make(f"{{{_LOM}}}keyword", lom), keyword)
        for member in [path, *files]:
            make("file", resource, href=member)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
