"""Most lines are read by a short way; whatever it takes, the long way takes too, and reads the same."""

import json
import random

import pytest

from examsvc.ledger import canonical, entries
from examsvc.verify.reading import Misfit, _saved

SAVE = {
    "attempt": "A-1",
    "slot": 1,
    "version": 2,
    "save": "0f",
    "value": {"RESPONSE": "Hà Nội"},
    "saved_at": 1_790_000_000,
    "late": False,
}


def the_long_way(data):
    value = canonical.decode(data)
    try:
        entries.check_object("attempt.save", value)
    except entries.EntryError as error:
        return Misfit(error)
    return value


def outcome(reader, data):
    try:
        value = reader(data)
    except canonical.CanonicalError:
        return "not canonical"
    return ("misfit" if isinstance(value, Misfit) else "read", value)


def nested(depth):
    value = "x"
    for _ in range(depth):
        value = [value]
    return value


def spelled(**changes):
    made = {name: value for name, value in {**SAVE, **changes}.items() if value is not ...}
    return json.dumps(made, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode(
        errors="surrogatepass"
    )


def saves():
    values = [
        None, "", "x", 0, True, -3, {}, [], {"R": "x", "S": ["a", "b"]}, {"RESPONSE": 'he said "no"'}, {"RESPONSE": "a\nb"}, {"RESPONSE": "e\u0301"}, {"RESPONSE": "\x7f"},
        {"RESPONSE": "\\"}, {"RESPONSE": '","version":9},"salt":"'}, {"R É": "x"}, 1.5, 2**53, {"RESPONSE": "🎓"}, {"RESPONSE": "\ud800"}, {"RESPONSE": "\u0301"},
    ]  # fmt: skip
    yield from (spelled(value=value) for value in values)
    yield from (spelled(value=nested(depth)) for depth in (1, 29, 30, 31, 32, 33, 40))
    yield spelled(value=[[] for _ in range(60)])
    yield spelled(value=["]" * 40, nested(31)])
    for name, others in (
        ("attempt", ["", "-A", "A-", "A" * 64, "A" * 65, "Â", 3, None, ...]),
        ("slot", [0, 1, -1, 10**15 - 1, 10**15, 2**53, "1", True, 1.5, ...]),
        ("version", [0, 10**15, 2**53 - 1, 2**53, ...]),
        ("saved_at", [0, -1, 2**53, None, ...]),
        ("late", [True, 0, "true", None, ...]),
        ("save", ["", 'a"b', "a\\b", "ô", "a" * 500, "\x7f", 3, ...]),
        ("client_time", [0, 5, -5, 2**53, "5", None]),
        ("more", [1]),
    ):
        yield from (spelled(**{name: other}) for other in others)
    plain = spelled()
    yield plain.replace(b'"value":', b'"value":1,"valuf":')
    yield plain.replace(b',"version"', b',"version":1,"version"')
    yield plain.replace(b',"version"', b' ,"version"')
    yield plain.replace(b"Th", b"\xff").replace(b"N", b"\xff")
    yield plain.replace(b'"slot":1', b'"slot":01')
    yield plain.replace(b'"late":false,', b'"late":false,"late":false,')
    yield plain + b" "
    draw = random.Random(5)
    for _ in range(3000):
        place = draw.randrange(len(plain))
        yield (
            plain[:place]
            + bytes([draw.choice(b'"\\{}[],:01ae \n\xc3')])
            + plain[place + draw.choice([0, 1]) :]
        )


def test_saves_are_read_the_same_by_both_ways():
    outcomes = {"read": 0, "misfit": 0, "not canonical": 0}
    for data in saves():
        said = outcome(_saved, data)
        assert said == outcome(the_long_way, data), data
        outcomes[said if isinstance(said, str) else said[0]] += 1
    assert min(outcomes.values()) > 20, outcomes


def test_depth_is_counted_where_brackets_are_many():
    assert canonical.decode(b"[" + b"[]," * 99 + b"[]]") == [[]] * 100
    assert canonical.decode(b'["' + b"[" * 99 + b'"]') == ["[" * 99]
    canonical.decode(b"[" * 32 + b"]" * 32)
    for deep in (
        b"[" * 33 + b"]" * 33,
        b'["' + b"]" * 40 + b'",' + b"[" * 32 + b"]" * 33,
        b"[" + b"[]," * 60 + b"[" * 32 + b"]" * 33,
    ):
        with pytest.raises(canonical.CanonicalError):
            canonical.decode(deep)
