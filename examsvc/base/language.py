"""Languages of pages and of data: Vietnamese first, English complete.

Texts of data (titles of posts, names of parts, questions) are mappings from language to text, ``{"vi": ..., "en": ...}``.
"""

from __future__ import annotations

import gettext
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from examsvc.base.errors import Refused

LANGUAGES = ("vi", "en")
LANGUAGE_NAMES = {"vi": "Tiếng Việt", "en": "English"}


def in_language(texts: Mapping[str, str] | str | None, language: str) -> str:
    """The text in that language, otherwise in the first language that has one, otherwise empty."""
    if texts is None:
        return ""
    if isinstance(texts, str):
        return texts
    for candidate in (language, *LANGUAGES):
        if texts.get(candidate):
            return texts[candidate]
    return next((text for text in texts.values() if text), "")


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()  # the sentences in the code are the English ones
    folder = Path(__file__).parent.parent / "translations"
    try:
        return gettext.translation("messages", folder, languages=[language])
    except FileNotFoundError:
        raise Refused(
            "The catalogue of %(language)s is not compiled. Install the project anew, or run: python -m examsvc.translations.compile",
            language=LANGUAGE_NAMES[language],
        ) from None


def require_catalogues() -> None:
    """Raises Refused where a language would silently speak English."""
    for one in LANGUAGES:
        _catalogue(one)


def sentence(language: str, text: str, **params: object) -> str:
    """A sentence of the program (marked with ``N_``) in that language, where no page is at hand: in messages, in summaries."""
    translated = _catalogue(language).gettext(text)
    return translated % params if params else translated


def both(text: str, **params: object) -> dict[str, str]:
    """A sentence of the program in every language; a parameter that is a mapping is taken in each language."""
    return {
        one: sentence(one, text, **{k: in_language(v, one) if isinstance(v, Mapping) else v for k, v in params.items()})
        for one in LANGUAGES
    }


def nfc(text: str) -> str:
    """Text in Unicode's composed form: done once, at the door, since NFC and NFD of one word hash differently."""
    return unicodedata.normalize("NFC", text)


def sorting_name(full_name: str) -> tuple[str, str]:
    """Key that sorts Vietnamese names as lists do: by given name (the last word), then by the rest.

    Letters compare in the order of the Vietnamese alphabet (a ă â ... d đ ... o ô ơ ... u ư), tones after letters in
    the order level, falling, asking, tumbling, sharp, heavy.
    """
    words = nfc(full_name).casefold().split()
    if not words:
        return ("", "")
    return (_collated(words[-1]), " ".join(_collated(word) for word in words[:-1]))


_ALPHABET = {letter: chr(0x100 + place) for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_TONES = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}


def _collated(word: str) -> str:
    letters, tones = [], []
    for character in word:
        parts = unicodedata.normalize("NFD", character)
        tone = "".join(_TONES[p] for p in parts if p in _TONES)
        base = unicodedata.normalize("NFC", "".join(p for p in parts if p not in _TONES))
        letters.append(_ALPHABET.get(base, base))
        tones.append(tone or "0")
    return "".join(letters) + "\x00" + "".join(tones)


def number(value: Decimal | Fraction | int | str, language: str) -> str:
    """A mark as a reader writes it: decimals with a comma in Vietnamese; a fraction that does not end is written a/b."""
    if isinstance(value, Fraction):
        text = _decimal_text(value)
    else:
        text = str(value)
    return text.replace(".", ",") if language == "vi" else text


def _decimal_text(value: Fraction) -> str:
    denominator = value.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    if denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    return format((Decimal(value.numerator) / Decimal(value.denominator)).normalize(), "f")


def day(value: date | datetime, zone: ZoneInfo | None = None) -> str:
    """21/11/2026, in the institution's zone."""
    if isinstance(value, datetime) and zone is not None:
        value = value.astimezone(zone)
    return value.strftime("%d/%m/%Y")


def moment(value: datetime, zone: ZoneInfo) -> str:
    """10:32, 21/11/2026, in the institution's zone, 24 hours."""
    return value.astimezone(zone).strftime("%H:%M, %d/%m/%Y")


def clock_time(value: datetime, zone: ZoneInfo) -> str:
    """10:32:07, in the institution's zone."""
    return value.astimezone(zone).strftime("%H:%M:%S")
