"""Canonical bytes: what is written, what is refused; rfc8785 is the oracle."""

import json
import unicodedata

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.ledger import canonical
from examsvc.ledger.canonical import CanonicalError, decode, encode

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8).map(
    lambda text: unicodedata.normalize("NFC", text)
)
keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6)
scalars = st.none() | st.booleans() | st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(values)
def test_the_bytes_are_those_of_rfc_8785_and_come_back(value):
    data = encode(value)
    assert data == rfc8785.dumps(value)
    assert decode(data) == value


@pytest.mark.parametrize(
    ("value", "data"),
    [
        # RFC 8785 §3.2.3 sorts by UTF-16 units; within printable ASCII that is the order of bytes
        ({"b": 1, "a": 2, "B": 3, "1": 4, "": 5}, b'{"":5,"1":4,"B":3,"a":2,"b":1}'),
        ('\x00\x08\x09\x0a\x0c\x0d\x1f"\\/\x7f', b'"\\u0000\\b\\t\\n\\f\\r\\u001f\\"\\\\/\x7f"'),
        ("Nguyễn", '"Nguyễn"'.encode()),
        ("\u2028𝄞", '"\u2028𝄞"'.encode()),
        ([True, False, None, -5, 0, []], b"[true,false,null,-5,0,[]]"),
        (2**53 - 1, b"9007199254740991"),
    ],
)
def test_hand_written_bytes(value, data):
    assert encode(value) == data
    assert decode(data) == value


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        unicodedata.normalize("NFD", "ễ"),
        {"k": unicodedata.normalize("NFD", "ễ")},
        {"ễ": 1},
        {"a\n": 1},
        {1: 2},
        "\ud800",
        b"bytes",
        {1, 2},
        object(),
        [[1, [2.5]]],
    ],
)
def test_values_outside_the_profile_are_refused(value):
    with pytest.raises(CanonicalError):
        encode(value)


REFUSED = [
    b"",
    b" 1",
    b"1 ",
    b"1\n",
    b"-0",
    b"1.0",
    b"1e2",
    b"01",
    b"9007199254740992",
    b"9" * 5000,
    b"NaN",
    b"Infinity",
    b'{"a":1,"a":2}',
    b'{"b":1,"a":2}',
    b'{"a": 1}',
    b'"\\u0041"',
    b'"\\/"',
    b'"\\u000A"',
    b'"\\u000a"',
    '"Nguyễn"'.encode("utf-16"),
    ('"' + unicodedata.normalize("NFD", "ễ") + '"').encode(),
    b'"\\ud800"',
    b'"\xff"',
    b"\xef\xbb\xbf1",
    b"[1,]",
    b'{"a":1,}',
    b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b"[" * 40 + b"]" * 40,
    b"{'a':1}",
    b"true false",
]


@pytest.mark.parametrize("data", REFUSED)
def test_other_spellings_are_refused(data):
    with pytest.raises(CanonicalError):
        decode(data)


def test_depth_is_bounded_on_both_sides():
    value = 0
    for _ in range(canonical.MAX_DEPTH):
        value = [value]
    assert decode(encode(value)) == value
    with pytest.raises(CanonicalError, match="nested"):
        encode([value])


def test_size_is_bounded():
    assert decode(b"[1,2]", max_bytes=5) == [1, 2]
    with pytest.raises(CanonicalError, match="at most 4"):
        decode(b"[1,2]", max_bytes=4)


def test_every_single_byte_change_is_refused_or_is_another_value():
    value = {"v": 1, "by": "P-7", "t": 1_790_000_000, "body": {"posts": ["a", "b"], "x": None}}
    data = encode(value)
    tried = 0
    for place in range(len(data)):
        for byte in range(256):
            if byte == data[place]:
                continue
            tried += 1
            changed = data[:place] + bytes([byte]) + data[place + 1 :]
            try:
                found = decode(changed)
            except CanonicalError:
                continue
            assert found != value
            assert json.loads(changed) == found
    assert tried == 255 * len(data)
