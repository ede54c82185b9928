"""Commitments: the formula by hand, and that every part of it matters."""

import hashlib
import json

import pytest

from examsvc.ledger.commitments import SALT_BYTES, commit, new_salt, opens

SALT = bytes(range(32))
VALUE = {"attempt": "A7", "slot": 3, "value": "Đáp án"}


def test_the_formula_by_hand():
    text = json.dumps(VALUE, ensure_ascii=False, separators=(",", ":"))
    by_hand = hashlib.sha256(b"examsvc.v1/attempt.save\x00" + SALT + text.encode()).hexdigest()
    assert commit("attempt.save", SALT, VALUE) == by_hand


def test_it_opens_only_with_type_salt_and_object():
    commitment = commit("attempt.save", SALT, VALUE)
    assert opens(commitment, "attempt.save", SALT, VALUE)
    assert not opens(commitment, "attempt.saves", SALT, VALUE)
    assert not opens(commitment, "attempt.save", SALT, {**VALUE, "slot": 4})
    assert not opens(commitment, "attempt.save", SALT, {**VALUE, "more": None})
    assert not opens(commitment.upper(), "attempt.save", SALT, VALUE)
    for place in range(SALT_BYTES):
        changed = SALT[:place] + bytes([SALT[place] ^ 1]) + SALT[place + 1 :]
        assert not opens(commitment, "attempt.save", changed, VALUE)
    assert not opens(commitment, "attempt.save", SALT[:31], VALUE)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_salt_has_32_bytes(length):
    with pytest.raises(ValueError, match="32 bytes"):
        commit("attempt.save", bytes(length), VALUE)


def test_salts_are_fresh():
    assert len({new_salt() for _ in range(100)}) == 100
    assert len(new_salt()) == SALT_BYTES
