"""Every sentence of the ground, of accounts and of careers has its Vietnamese, forms' own sentences included."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import wtforms

from examsvc.base import language
from examsvc.translations.compile import merged, missing, used


def test_no_sentence_of_these_rooms_lacks_vietnamese() -> None:
    without = missing()
    every = used()
    for room in ("base", "accounts", "careers"):
        assert len([one for one in every.values() if one[2].startswith(f"{room}/")]) > 20
        assert [one[0] for one in without.values() if one[2].startswith(f"{room}/")] == []


def test_the_sentences_of_wtforms_have_vietnamese() -> None:
    known = merged()
    sources = [path.read_text(encoding="utf-8") for path in Path(wtforms.__file__).parent.rglob("*.py")]
    asked = {found for source in sources for found in re.findall(r'gettext\(\s*"([^"]+)"', source)}
    assert len(asked) > 25
    assert sorted(sentence for sentence in asked if known.get(sentence) is None) == []


def test_a_message_is_written_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    import gettext

    class Known(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return {"Role: %(role)s.": "Vai trò: %(role)s.", "Marker": "Người chấm thi"}.get(message, message)

    monkeypatch.setattr(
        language, "_catalogue", lambda code: Known() if code == "vi" else gettext.NullTranslations()
    )
    assert language.both("Role: %(role)s.", role=language.both("Marker")) == {
        "vi": "Vai trò: Người chấm thi.",
        "en": "Role: Marker.",
    }
