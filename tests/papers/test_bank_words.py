"""Every message of question_banks has its Vietnamese, with the same parameters."""

from __future__ import annotations

import importlib
import pkgutil
import string

import pytest

import question_banks
from examsvc.papers import bank_words, banks
from question_banks import read_bank
from question_banks.problems import MESSAGES


def parameters(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_message_is_translated_with_its_parameters() -> None:
    for module in pkgutil.walk_packages(question_banks.__path__, "question_banks."):
        importlib.import_module(module.name)
    vietnamese = bank_words.catalogue("vi")
    assert set(vietnamese) == set(MESSAGES)
    assert len(vietnamese) > 200
    for code, template in MESSAGES.items():
        assert parameters(vietnamese[code]) == parameters(template), code
        assert vietnamese[code] != template, code


def test_messages_come_in_the_language_of_the_reader() -> None:
    result = read_bank(b'format = "examsvc-bank/1"\n[[item]]\nid = "a"\nkind = "single"\nprompt = "?"\nchoices = []\n')
    (problem,) = result.problems
    assert bank_words.say(problem, "en") == problem.message
    assert bank_words.say(problem, "vi") == "Có ít hơn hai phương án."
    assert bank_words.both(problem) == {"vi": bank_words.say(problem, "vi"), "en": problem.message}


def test_a_refused_file_is_refused_in_both_languages() -> None:
    with pytest.raises(banks.Unreadable) as caught:
        banks.read(b"\xff\xff\xff")
    reason = caught.value.params["reason"]
    assert isinstance(reason, dict)
    assert reason["en"] == str(caught.value.error)
    assert reason["vi"] != reason["en"]
