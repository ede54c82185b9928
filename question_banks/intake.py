"""Shared by all readers of other systems' files: texts, media, identifiers, and what happens to a bad item."""

import re
import unicodedata
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from itertools import count

import filetype

from question_banks import markup, soundness
from question_banks.conversion import markdown_of_html
from question_banks.fields import LONGEST_IDENTIFIER
from question_banks.limits import LIMITS, Limits
from question_banks.markup import MEDIA, Text, markdown_of_plain, normal
from question_banks.model import Item, Media
from question_banks.problems import BankError, ItemError, ProblemLog, declare

declare(
    {
        "remote-reference": "The item refers to {address}, which is not in the file. Put the picture into the file.",
        "active-content": "Elements that do not belong into an examination were taken out: {names}.",
        "links-removed": "Links were taken out; their words stay.",
        "styling-removed": "Colours, fonts and other styling were taken out.",
        "identifier-made": "The item is filed under the new identifier {id}; its own was {name}.",
        "reader-failed": "The item cannot be read: {reason}.",
        "items-beyond-limit": "The file has more than {most} questions; the rest was not read.",
        "media-type-refused": "The file {name} is of the type {type}, which is neither picture, sound nor film.",
        "raw-html-in-markdown": "HTML inside a Markdown text is shown as text.",
    }
)

_STYLED = re.compile(r"<[^<>]*\sstyle\s*=|<\s*(?:font|center|basefont)\b", re.IGNORECASE)
_MULTILANG = re.compile(
    r"<(span|lang)\b(?=[^<>]*\blang\s*=\s*[\"']?([A-Za-z_-]{2,12})[\"']?)(?=[^<>]*(?:multilang|<lang))[^<>]*>(.*?)</\1>",
    re.DOTALL | re.IGNORECASE,
)
_MEDIA_TYPES = re.compile(r"(image/(png|jpeg|gif|webp|bmp|avif)|audio/[\w.+-]+|video/[\w.+-]+)\Z")


@dataclass
class Notes:
    """What of one item was lost while it was read; reported only when the item is taken."""

    language: str
    limits: Limits = LIMITS

    def __post_init__(self) -> None:
        self.lost: list[tuple[str, dict[str, object]]] = []
        self.media: dict[str, Media] = {}
        self.names: dict[str, str] = {}  # address in the source → key of the medium

    def lose(self, code: str, **parameters: object) -> None:
        self.lost.append((code, parameters))

    def medium(self, address: str, name: str, data: bytes) -> str:
        """Takes a file of the source; the key under which texts find it."""
        medium = take_medium(name, data, self.limits)
        self.media[medium.key] = medium
        self.names[address] = medium.key
        return medium.key

    def plain(self, text: str) -> Text:
        """Text without markup."""
        self._bounded(text)
        return Text.of({self.language: markdown_of_plain(normal(text))})

    def markdown(self, text: str) -> Text:
        self._bounded(text)
        if re.search(r"<[A-Za-z/]", text):
            self.lose("raw-html-in-markdown")
        source = self._addresses(text)
        for address in re.findall(r"!\[[^\]]*\]\(\s*<?([^)\s>]+)", source):
            if not MEDIA.match(address):
                raise ItemError("remote-reference", address=address)
        return Text.of({self.language: normal(source)})

    def html(self, html: str) -> Text:
        """HTML, as Markdown where that shows the same; several languages where the multilang filter's spans are."""
        self._bounded(html)
        html = normal(self._addresses(html))
        if "<" in html:
            for address in markup.sources(html):
                if not MEDIA.match(address):
                    raise ItemError("remote-reference", address=address)
            if names := markup.active(html):
                self.lose("active-content", names=", ".join(names))
            if markup.links(html):
                self.lose("links-removed")
            if _STYLED.search(html):
                self.lose("styling-removed")
            if "multilang" in html and (found := _languages(html)):
                return self._several(found)
        return self._several({self.language: html})

    def _several(self, by_language: dict[str, str]) -> Text:
        sources = {language: markdown_of_html(html) for language, html in by_language.items()}
        if all(source is not None for source in sources.values()):
            return Text.of({language: source or "" for language, source in sources.items()})
        return Text.of({language: markup.clean(html) for language, html in by_language.items()}, "html")

    def _addresses(self, text: str) -> str:
        for address, key in self.names.items():
            if address in text:
                text = text.replace(address, key)
        return text

    def _bounded(self, text: str) -> None:
        if len(text) > self.limits.characters:
            raise ItemError("text-too-long", most=self.limits.characters)


def _languages(html: str) -> dict[str, str]:
    """The languages of Moodle's multilang spans, common text around them repeated in each."""
    names = list(dict.fromkeys(found[1].lower().replace("_", "-") for found in _MULTILANG.findall(html)))
    result = {}
    for name in names[:10]:
        result[name] = _MULTILANG.sub(
            lambda found: found[3] if found[2].lower().replace("_", "-") == name else "",  # noqa: B023
            html,
        ).strip()
    return result


def take_medium(name: str, data: bytes, limits: Limits) -> Media:
    """A picture, sound or film, recognised by its content; ItemError for anything else (SVG can hold scripts)."""
    if len(data) > limits.media_size:
        raise ItemError("media-too-large", name=name, size=len(data), most=limits.media_size)
    kind = filetype.guess(data[:8192])
    media_type = kind.mime if kind is not None else "unknown"
    if not _MEDIA_TYPES.match(media_type):
        raise ItemError("media-type-refused", name=name, type=media_type)
    return Media(data, media_type, normal(name)[:200])


def slug(name: str, length: int = 60) -> str:
    """An identifier after a name: lower-case ASCII letters, digits, '.', '_' and '-'; "" when nothing is left."""
    plain = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    plain = plain.encode("ascii", "ignore").decode().strip()
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")
    return plain[:length].strip("-._")


Build = Callable[[Notes], Item]


def collect(
    entries: Iterable[tuple[str, str, Build]], log: ProblemLog, limits: Limits, language: str
) -> tuple[tuple[Item, ...], dict[str, Media]]:
    """Items and media of (name, where, build): one that cannot be built is reported and the next is tried.

    Identifiers are made unique: two questions of one name are two items.
    """
    items: dict[str, Item] = {}
    media: dict[str, Media] = {}
    for number, (name, where, build) in enumerate(entries):
        if number >= limits.items:
            log.refused("items-beyond-limit", "", where, most=limits.items)
            break
        notes = Notes(language, limits)
        try:
            item = build(notes)
            soundness.check(item, limits)
        except ItemError as error:
            log.refusal(name, where, error)
            continue
        except BankError as error:
            log.refused("reader-failed", name, where, reason=error.message)
            continue
        except RecursionError:
            log.refused("reader-failed", name, where, reason="it is nested too deeply")
            continue
        identifier = free(item.id or f"q{number + 1:04d}", items)
        if identifier != item.id:
            if item.id:
                notes.lose("identifier-made", id=identifier, name=item.id)
            item = replace(item, id=identifier)
        items[identifier] = item
        media |= notes.media
        for code, parameters in notes.lost:
            log.lossy(code, identifier, where, **parameters)
    return tuple(items.values()), media


def free(wanted: str, taken: Container[str]) -> str:
    """`wanted`, or with the first number behind it that makes it new; never longer than an identifier may be."""
    made = wanted
    for number in count(2):
        if made not in taken:
            break
        ending = f"-{number}"
        made = wanted[: LONGEST_IDENTIFIER - len(ending)] + ending
    return made
