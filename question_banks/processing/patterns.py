"""XML Schema regular expressions (XML Schema part 2, appendix F), matched in time linear in the text.

Python's own engine backtracks: a pattern from a stranger's file and an answer from a candidate could keep a server
busy for hours. Here a pattern becomes a small automaton whose states are walked together. A pattern always matches the
whole text; there are neither back references nor assertions, as in XML Schema.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

Test = Callable[[str], bool]
_MOST_STATES = 20_000


class PatternError(ValueError):
    """The pattern is not an XML Schema regular expression, or expands beyond what is matched."""


@dataclass(eq=False)
class _State:
    test: Test | None = None  # consumes one character; without a test the successors are free
    after: list["_State"] = field(default_factory=list)


@dataclass
class _Part:
    start: _State
    end: _State


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches. PatternError when the pattern is wrong."""
    part = _compile(pattern)
    current = _closure([part.start])
    for character in text:
        following = [
            after for state in current if state.test and state.test(character) for after in state.after
        ]
        current = _closure(following)
        if not current:
            return False
    return part.end in current


def _closure(states: list[_State]) -> list[_State]:
    """The states and all that can be reached from them without a character."""
    seen: dict[int, _State] = {}
    stack = list(states)
    while stack:
        state = stack.pop()
        if id(state) in seen:
            continue
        seen[id(state)] = state
        if state.test is None:
            stack.extend(state.after)
    return list(seen.values())


@lru_cache(maxsize=256)
def _compile(pattern: str) -> _Part:
    if len(pattern) > 5_000:
        raise PatternError("The pattern is too long.")
    parser = _Parser(pattern)
    try:
        part = parser.alternatives()
    except RecursionError:
        raise PatternError("The pattern is nested too deeply.") from None
    if parser.at < len(pattern):
        raise PatternError(f"The pattern has an unexpected {pattern[parser.at]!r}.")
    return part


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.states = 0
        self.depth = 0

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self) -> str:
        if self.at >= len(self.pattern):
            raise PatternError("The pattern ends too early.")
        self.at += 1
        return self.pattern[self.at - 1]

    def state(self, test: Test | None = None) -> _State:
        self.states += 1
        if self.states > _MOST_STATES:
            raise PatternError("The pattern expands to too many states.")
        return _State(test)

    def empty(self) -> _Part:
        state = self.state()
        return _Part(state, state)

    def join(self, parts: list[_Part]) -> _Part:
        if not parts:
            return self.empty()
        for one, other in pairwise(parts):
            one.end.after.append(other.start)
        return _Part(parts[0].start, parts[-1].end)

    def alternatives(self) -> _Part:
        self.depth += 1
        if self.depth > 50:
            raise PatternError("The pattern is nested too deeply.")
        branches = [self.branch()]
        while self.peek() == "|":
            self.take()
            branches.append(self.branch())
        self.depth -= 1
        if len(branches) == 1:
            return branches[0]
        start, end = self.state(), self.state()
        for branch in branches:
            start.after.append(branch.start)
            branch.end.after.append(end)
        return _Part(start, end)

    def branch(self) -> _Part:
        parts = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.piece())
        return self.join(parts)

    def piece(self) -> _Part:
        begin = self.at
        atom = self.atom()
        end = self.at
        least, most = self.quantity()
        if (least, most) == (1, 1):
            return atom
        parts = []
        for number in range(max(least, most or 0, 1)):
            part = atom if number == 0 else self.again(begin, end)
            if number >= least:
                part = self.optional(part)
            parts.append(part)
        if most is None:
            last = parts[-1]
            loop = self.state()
            last.end.after.append(loop)
            loop.after.append(last.start)
            parts[-1] = _Part(last.start, loop)
        return self.join(parts) if most != 0 else self.empty()

    def again(self, begin: int, end: int) -> _Part:
        """Another copy of what stands between two places of the pattern."""
        after = self.at
        self.at = begin
        part = self.atom()
        if self.at != end:
            raise PatternError("The pattern cannot be read.")
        self.at = after
        return part

    def optional(self, part: _Part) -> _Part:
        start, end = self.state(), self.state()
        start.after += [part.start, end]
        part.end.after.append(end)
        return _Part(start, end)

    def quantity(self) -> tuple[int, int | None]:
        sign = self.peek()
        if sign in ("?", "*", "+") and sign:
            self.take()
            return {"?": (0, 1), "*": (0, None), "+": (1, None)}[sign]
        if sign != "{":
            return (1, 1)
        end = self.pattern.find("}", self.at)
        inner = self.pattern[self.at + 1 : end] if end >= 0 else ""
        low, comma, high = inner.partition(",")
        if not low.isascii() or not low.isdigit() or (high and not (high.isascii() and high.isdigit())):
            raise PatternError("The pattern has a wrong number of repetitions.")
        self.at = end + 1
        least = int(low)
        most = int(high) if high else None if comma else least
        if least > 1_000 or (most is not None and (most > 1_000 or most < least)):
            raise PatternError("The pattern repeats too often.")
        return (least, most)

    def atom(self) -> _Part:
        sign = self.take()
        if sign == "(":
            inner = self.alternatives()
            if self.take() != ")":
                raise PatternError("The pattern lacks a closing bracket.")
            return inner
        if sign == "[":
            return self.single(self.group())
        if sign == ".":
            return self.single(lambda c: c not in "\n\r")
        if sign == "\\":
            return self.single(self.escape())
        if sign in "?*+{}])":
            raise PatternError(f"The pattern has an unexpected {sign!r}.")
        return self.single(lambda c: c == sign)

    def single(self, test: Test) -> _Part:
        start, end = self.state(test), self.state()
        start.after.append(end)
        return _Part(start, end)

    def escape(self) -> Test:
        sign = self.take()
        if sign in "nrt":
            wanted = {"n": "\n", "r": "\r", "t": "\t"}[sign]
            return lambda c: c == wanted
        if sign in "pP":
            return self.category(sign == "p")
        classes: dict[str, Test] = {
            "d": lambda c: unicodedata.category(c) == "Nd",
            "s": lambda c: c in " \t\n\r",
            "w": lambda c: unicodedata.category(c)[0] not in "PZC",
            "i": lambda c: c.isalpha() or c in "_:",
            "c": lambda c: c.isalnum() or c in "_:.-·" or unicodedata.category(c)[0] == "M",
        }
        if sign.lower() in classes:
            inner = classes[sign.lower()]
            return inner if sign.islower() else lambda c: not inner(c)
        if sign in "\\|.?*+(){}-[]^$/":
            return lambda c: c == sign
        raise PatternError(f"The pattern has an unknown escape \\{sign}.")

    def category(self, positive: bool) -> Test:
        end = self.pattern.find("}", self.at)
        name = self.pattern[self.at + 1 : end] if self.peek() == "{" and end >= 0 else ""
        self.at = end + 1
        if not name or len(name) > 2 or name[0] not in "LMNPZSC":
            raise PatternError("The pattern has an unknown kind of characters.")
        return lambda c: unicodedata.category(c).startswith(name) == positive

    def group(self) -> Test:
        """The inside of [...], up to its closing bracket, with subtraction [a-z-[aeiou]]."""
        self.depth += 1
        if self.depth > 50:
            raise PatternError("The pattern is nested too deeply.")
        positive = True
        if self.peek() == "^":
            self.take()
            positive = False
        tests: list[Test] = []
        minus: Test | None = None
        while self.peek() != "]" or not tests:
            if self.pattern.startswith("-[", self.at):
                self.at += 2
                minus = self.group()
                break
            tests.append(self.member())
        if self.take() != "]":
            raise PatternError("The pattern lacks a closing square bracket.")
        self.depth -= 1
        taken = minus
        return lambda c: any(test(c) for test in tests) == positive and not (taken is not None and taken(c))

    def member(self) -> Test:
        sign = self.take()
        if sign == "\\":
            escaped = self.peek()
            test = self.escape()
            if escaped not in "nrt\\|.?*+(){}-[]^$/":
                return test
            sign = {"n": "\n", "r": "\r", "t": "\t"}.get(escaped, escaped)
        following = self.pattern[self.at : self.at + 2]
        if following[:1] == "-" and following[1:] not in ("", "]", "["):
            self.take()
            last = self.take()
            if last == "\\":
                last = self.take()
                last = {"n": "\n", "r": "\r", "t": "\t"}.get(last, last)
            if last < sign:
                raise PatternError("The pattern has a range that runs backwards.")
            return lambda c: sign <= c <= last
        return lambda c: c == sign
