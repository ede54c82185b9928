"""Refusals: what a person sees when an operation cannot be done.

Rules and operations raise :class:`Refused` with an English sentence that is at the same time the key of its translation;
pages translate it, commands print it.  ``N_`` marks such sentences for the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping


def N_(sentence: str) -> str:  # noqa: N802 - the customary gettext marker
    """Marks a sentence for translation where it is written, and returns it unchanged."""
    return sentence


def _in_english(value: object) -> object:
    if isinstance(value, tuple):
        return ", ".join(str(_in_english(one)) for one in value)
    return value.get("en") or next(iter(value.values()), "") if isinstance(value, Mapping) else value


class Refused(Exception):
    """An operation that was not done, and why, in one sentence that says what to do.

    Nothing was stored when this is raised: the transaction is rolled back by whoever opened it.
    ``field`` names the form field to which the sentence belongs, when there is one.  A parameter that is itself a marked
    sentence (a role's name), or a tuple of such, is translated with it; of a text by language the reader's is taken.
    """

    status = 409

    def __init__(self, sentence: str, *, field: str | None = None, **params: object) -> None:
        plain = {name: _in_english(value) for name, value in params.items()}
        super().__init__(sentence % plain if plain else sentence)
        self.sentence = sentence
        self.params = params
        self.field = field


class NotFound(Refused):
    """What is asked for does not exist, or not for this person: the two are never told apart."""

    status = 404

    def __init__(self, sentence: str = N_("There is no such page.")) -> None:
        super().__init__(sentence)


class NotAllowed(Refused):
    """The person is known but may not do this."""

    status = 403

    def __init__(
        self, sentence: str = N_("Your role does not allow this. Ask the person who grants roles.")
    ) -> None:
        super().__init__(sentence)
