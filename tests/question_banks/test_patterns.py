"""XML Schema regular expressions against Python's, where both mean the same; and patterns made to hang."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from question_banks.processing.patterns import PatternError, matches

ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "(a|b)", "(ab)"])
PIECES = st.tuples(ATOMS, st.sampled_from(["", "", "?", "*", "+", "{2}", "{1,3}", "{0,1}", "{2,}"])).map(
    "".join
)
PATTERNS = st.lists(PIECES, max_size=5).map("".join)


@settings(max_examples=300, deadline=None)
@given(PATTERNS, st.text("abc", max_size=8))
def test_same_as_python_on_the_common_part(pattern: str, text: str) -> None:
    assert matches(pattern, text) == bool(re.fullmatch(pattern, text))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\p{Lu}\p{Ll}*", "Đà", True),
        (r"\P{L}+", "12!", True),
        (r"[a-z-[aeiou]]+", "bcd", True),
        (r"[a-z-[aeiou]]+", "bad", False),
        (r"\i\c*", "a-1", True),
        (r"\i\c*", "1a", False),
        (r"a|b|", "", True),
        (r"\d{3}-\d{4}", "555-1234", True),
        ("^a$", "a", False),  # neither is an anchor in XML Schema
        ("^a$", "^a$", True),
    ],
)
def test_what_python_writes_otherwise(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "[",
        "*",
        "a**",
        "a{",
        "a{2,1}",
        "\\q",
        "\\p{X}",
        "(" * 200,
        "((a{1000}){1000})",
        "[z-a]",
        "a" * 6000,
    ],
)
def test_wrong_patterns(pattern: str) -> None:
    with pytest.raises(PatternError):
        matches(pattern, "a")


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*.*.*)*b", "(a?){30}a{30}b"])
def test_no_pattern_hangs(pattern: str) -> None:
    start = time.process_time()
    assert not matches(pattern, "a" * 300)
    assert time.process_time() - start < 5  # backtracking would take longer than the universe has
