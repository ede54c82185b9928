"""Which logs are trusted and how many witnesses must have cosigned (c2sp.org/tlog-policy).

    log <verifier key> [<url>]
    witness <name> <verifier key> [<url>]
    group <name> all|any|<k> <member>…
    quorum <name>|none

A verifier gets its policy from outside the bundle: a forged bundle would bring its own.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from examsvc.ledger import checkpoints, notes
from examsvc.ledger.notes import NoteError, VerifierKey

MAX_BYTES = 64 * 1024
NONE = "none"

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SPACES = re.compile(r"[ \t]+")
_COUNT = re.compile(r"[1-9][0-9]{0,3}")


class PolicyError(ValueError):
    """The policy file is malformed, or a checkpoint does not satisfy it."""


@dataclass(frozen=True, slots=True)
class Group:
    """`threshold` of the members must have witnessed; members are witnesses or groups defined before."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as read; `urls` maps the verifier key text of a log or witness to the address beside it, if any."""

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey]
    groups: Mapping[str, Group]
    quorum: str
    urls: Mapping[str, str]

    def satisfied_by(self, cosigners: Iterable[VerifierKey]) -> bool:
        """Whether these witnesses' valid cosignatures make up the quorum."""
        keys = set(cosigners)

        def witnessed(name: str) -> bool:
            if name in self.witnesses:
                return self.witnesses[name] in keys
            group = self.groups[name]
            return sum(witnessed(member) for member in group.members) >= group.threshold

        return self.quorum == NONE or witnessed(self.quorum)

    def verify(self, data: bytes, *, strangers: bool = False) -> checkpoints.Signed:
        """Verify a checkpoint: log, cosignatures and quorum. Raises PolicyError or CheckpointError."""
        signed = checkpoints.verify(data, self.logs, self.witnesses.values(), strangers=strangers)
        if not self.satisfied_by(signed.cosigned):
            names = ", ".join(sorted(key.name for key in signed.cosigned)) or "nobody"
            raise PolicyError(f"the checkpoint is cosigned by {names}; that is not the quorum {self.quorum}")
        return signed


def read_policy(data: bytes) -> Policy:
    """The policy in `data`; PolicyError with the number of the line that is wrong."""
    if len(data) > MAX_BYTES:
        raise PolicyError(f"the policy has {len(data)} bytes; at most {MAX_BYTES} are read")
    text = data.decode("latin-1")  # octets above 127 are opaque
    if _FORBIDDEN.search(text):
        raise PolicyError("the policy holds a control character")
    if text and not text.endswith("\n"):
        raise PolicyError("the last line of the policy does not end in a newline")
    reader = _Reader()
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        words = [word for word in _SPACES.split(line) if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            reader.read(words)
        except (PolicyError, NoteError) as error:
            raise PolicyError(f"line {number}: {error}") from None
    if reader.quorum is None:
        raise PolicyError("the policy has no quorum line")
    return Policy(
        tuple(reader.logs),
        MappingProxyType(reader.witnesses),
        MappingProxyType(reader.groups),
        reader.quorum,
        MappingProxyType(reader.urls),
    )


class _Reader:
    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self.urls: dict[str, str] = {}
        self._members: set[str] = set()

    def read(self, words: list[str]) -> None:
        keyword, *rest = words
        if keyword == "log" and len(rest) in (1, 2):
            key = self._key(rest[0], notes.ED25519, self.logs)
            self.logs.append(key)
            self._url(key, rest[1:])
        elif keyword == "witness" and len(rest) in (2, 3):
            self._new_name(rest[0])
            key = self._key(rest[1], notes.COSIGNATURE, self.witnesses.values())
            self.witnesses[rest[0]] = key
            self._url(key, rest[2:])
        elif keyword == "group" and len(rest) >= 3:
            self._group(*rest)
        elif keyword == "quorum" and len(rest) == 1:
            if self.quorum is not None:
                raise PolicyError("a second quorum line")
            if rest[0] != NONE and not self._defined(rest[0]):
                raise PolicyError(f"the quorum {rest[0]} is not defined before")
            self.quorum = rest[0]
        else:
            raise PolicyError(f"{' '.join(words)[:60]!r} is no line of a policy")

    def _group(self, name: str, threshold: str, *members: str) -> None:
        self._new_name(name)
        for member in members:
            if not self._defined(member):
                raise PolicyError(f"the member {member} is not defined before")
            if member in self._members:
                raise PolicyError(f"{member} is a member twice")
            self._members.add(member)
        if threshold in ("any", "all"):
            count = 1 if threshold == "any" else len(members)
        elif _COUNT.fullmatch(threshold) and int(threshold) <= len(members):
            count = int(threshold)
        else:
            raise PolicyError(f"{threshold} is neither all, any nor a number up to {len(members)}")
        self.groups[name] = Group(count, members)

    def _defined(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups

    def _new_name(self, name: str) -> None:
        if name == NONE or self._defined(name):
            raise PolicyError(f"the name {name} is taken")

    def _url(self, key: VerifierKey, url: list[str]) -> None:
        if url:
            self.urls[key.text] = url[0]

    @staticmethod
    def _key(word: str, algorithm: int, others: Iterable[VerifierKey]) -> VerifierKey:
        try:
            text = word.encode("latin-1").decode("utf-8")
        except UnicodeDecodeError:
            raise PolicyError("the name of a key is not UTF-8") from None
        key = notes.read_key(text)
        if key.algorithm != algorithm:
            raise PolicyError(f"the key of {key.name} is of type {key.algorithm}, not {algorithm}")
        if any(other.public == key.public for other in others):
            raise PolicyError(f"the key of {key.name} stands here twice")
        return key
