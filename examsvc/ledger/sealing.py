"""Sealed papers: k of n custodians open what nobody else can read, and a bad share is traced to its custodian.

A sealed paper is the canonical JSON of its contents (forms, key, guide with their salts), age-encrypted under a passphrase: 16 random
bytes in hexadecimal. This secret is split by Shamir's scheme over GF(2^128); each share is committed to in the log
(object paper.share) and age-encrypted to its custodian's own X25519 key. The secret exists only while sealing and
while opening.

A quorum that opens early cannot be detected; late assembly from a public draw lowers what it gains.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pyrage
from Crypto.Protocol.SecretSharing import Shamir

from examsvc.ledger import canonical, commitments

SECRET_BYTES = 16
LEAST_THRESHOLD = 2
MOST_CUSTODIANS = 12
PATIENCE, PAUSE = 60, 0.5
"""How often, and how many seconds apart, a busy machine tries to open a paper."""
_HEX16 = re.compile(r"[0-9a-f]{32}")
_HEX32 = re.compile(r"[0-9a-f]{64}")


class SealingError(ValueError):
    """A paper cannot be sealed or opened; the message says why and what to do."""


class BusyError(SealingError):
    """This machine is too slow at the moment to harden a passphrase; the paper may be good, and opens later or elsewhere."""


class BadShareError(SealingError):
    """Shares were handed in that are not those dealt; `custodians` handed them in."""

    def __init__(self, custodians: tuple[str, ...]) -> None:
        self.custodians = custodians
        super().__init__(
            f"the share of {', '.join(custodians)} is not the one that was dealt; ask another custodian"
        )


@dataclass(frozen=True, slots=True)
class Share:
    """One custodian's share with the salt of its commitment. Its repr shows neither."""

    paper: str
    custodian: str
    x: int
    share: bytes
    salt: bytes

    def __repr__(self) -> str:
        return f"Share({self.paper!r}, {self.custodian!r}, {self.x})"

    @property
    def object(self) -> dict[str, Any]:
        """The committed object paper.share."""
        return {"paper": self.paper, "custodian": self.custodian, "x": self.x, "share": self.share.hex()}

    @property
    def commitment(self) -> str:
        """Commitment to the share, as it stands in paper.sealed."""
        return commitments.commit("paper.share", self.salt, self.object)

    @property
    def data(self) -> bytes:
        """What is encrypted to the custodian, and what the custodian hands in."""
        return canonical.encode({"v": 1, "salt": self.salt.hex(), **self.object})


@dataclass(frozen=True, slots=True)
class DealtShare:
    """A share as the server keeps it: commitment and a ciphertext that only its custodian reads."""

    custodian: str
    x: int
    commitment: str
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class SealedPaper:
    """A sealed paper as the server keeps it; nothing in it opens without `threshold` custodians."""

    paper: str
    threshold: int
    ciphertext: bytes
    shares: tuple[DealtShare, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the ciphertext, as it stands in paper.sealed."""
        return hashlib.sha256(self.ciphertext).hexdigest()


def new_identity() -> tuple[str, str]:
    """A fresh age key pair for a custodian's own machine: (secret identity, public recipient)."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def seal(
    paper: str,
    contents: object,
    custodians: Mapping[str, str],
    threshold: int,
    *,
    secret: bytes | None = None,
) -> SealedPaper:
    """Seal `contents` so that any `threshold` of the custodians (actor code → age recipient) open it and fewer do not.

    At least 2 of 3, never all of all: one lost key must not void a paper. `secret` is drawn here unless a test gives it. Takes
    about a second: the passphrase is hardened by scrypt. Raises SealingError.
    """
    if not LEAST_THRESHOLD <= threshold < len(custodians) <= MOST_CUSTODIANS:
        raise SealingError(
            f"{threshold} of {len(custodians)} custodians is not possible: at least 2, fewer than all, "
            f"at most {MOST_CUSTODIANS} in all"
        )
    recipients = {custodian: _recipient(text) for custodian, text in sorted(custodians.items())}
    if len(set(custodians.values())) != len(custodians):
        raise SealingError("two custodians have the same key")
    plaintext = canonical.encode(contents)
    secret = secrets.token_bytes(SECRET_BYTES) if secret is None else secret
    points = Shamir.split(threshold, len(recipients), secret)
    for subset in combinations(points, threshold):
        if Shamir.combine(list(subset)) != secret:
            raise SealingError("the secret was not split rightly; seal again")
    dealt = []
    for (custodian, recipient), (x, share) in zip(recipients.items(), points, strict=True):
        own = Share(paper, custodian, x, share, commitments.new_salt())
        dealt.append(DealtShare(custodian, x, own.commitment, pyrage.encrypt(own.data, [recipient])))
    return SealedPaper(paper, threshold, pyrage.passphrase.encrypt(plaintext, secret.hex()), tuple(dealt))


def decrypt_share(ciphertext: bytes, identity: str) -> Share:
    """On the custodian's machine: the share that was dealt. Raises SealingError if it is not for this key."""
    try:
        key = pyrage.x25519.Identity.from_str(identity)
    except pyrage.IdentityError:
        raise SealingError("this is not an age identity (AGE-SECRET-KEY-1…)") from None
    try:
        data = pyrage.decrypt(ciphertext, [key])
    except pyrage.DecryptError:
        raise SealingError("this share was not dealt to this key") from None
    return read_share(data)


def read_share(data: bytes) -> Share:
    """A share as a custodian hands it in, read strictly."""
    try:
        value = canonical.decode(data, max_bytes=4096)
    except canonical.CanonicalError as error:
        raise SealingError(f"this is not a share: {error}") from None
    if not isinstance(value, dict) or value.keys() != {"v", "salt", "paper", "custodian", "x", "share"}:
        raise SealingError("this is not a share")
    paper, custodian, x = value["paper"], value["custodian"], value["x"]
    if value["v"] != 1 or not isinstance(paper, str) or not isinstance(custodian, str) or type(x) is not int:
        raise SealingError("this is not a share")
    for name, pattern in (("share", _HEX16), ("salt", _HEX32)):
        if not isinstance(value[name], str) or pattern.fullmatch(value[name]) is None:
            raise SealingError("this is not a share")
    return Share(paper, custodian, x, bytes.fromhex(value["share"]), bytes.fromhex(value["salt"]))


def genuine(share: Share, dealt: Iterable[DealtShare]) -> bool:
    """Whether a share handed in is the one dealt to this custodian."""
    return any(
        (item.custodian, item.x) == (share.custodian, share.x)
        and commitments.opens(item.commitment, "paper.share", share.salt, share.object)
        for item in dealt
    )


def open_paper(sealed: SealedPaper, digest: str, shares: Iterable[Share]) -> Any:
    """The contents, from `threshold` shares or more; `digest` is the ciphertext's in the log.

    Raises BadShareError naming everybody whose share is not the one dealt, SealingError if the ciphertext is another, the
    shares are too few, or they do not open it.
    """
    if sealed.digest != digest:
        raise SealingError("the sealed file is not the one in the log; use the spare paper and report it")
    given = list(shares)
    bad = tuple(
        sorted(
            {
                share.custodian
                for share in given
                if share.paper != sealed.paper or not genuine(share, sealed.shares)
            }
        )
    )
    if bad:
        raise BadShareError(bad)
    distinct = {share.x: share for share in given}
    if len(distinct) < sealed.threshold:
        raise SealingError(
            f"{len(distinct)} shares of {sealed.threshold} that are needed have been handed in"
        )
    points = [(share.x, share.share) for share in list(distinct.values())[: sealed.threshold]]
    try:
        plaintext = _decrypt(sealed.ciphertext, Shamir.combine(points).hex())
    except pyrage.DecryptError:
        raise SealingError(
            "genuine shares do not open the paper: it was sealed wrongly; use the spare"
        ) from None
    return canonical.decode(plaintext)


def _decrypt(ciphertext: bytes, passphrase: str) -> bytes:
    """age's passphrase mode.  It measures this machine and refuses a file that seems to take too long; on a server that is busy at
    this moment, the same file seems so that opened before: that refusal is no verdict on the paper, and is waited out.
    """
    for _ in range(PATIENCE):
        try:
            return bytes(pyrage.passphrase.decrypt(ciphertext, passphrase))
        except pyrage.DecryptError as error:
            if "xcessive work" not in str(error):
                raise
            time.sleep(PAUSE)
    raise BusyError("this machine is too slow or too busy to open the paper now; open it again, or on a faster one")


def paper_contents(
    paper: str,
    forms: Iterable[tuple[bytes, object]],
    key: tuple[bytes, object],
    guide: tuple[bytes, object] | None = None,
    media: Iterable[bytes] = (),
) -> dict[str, Any]:
    """What is sealed: forms, key and guide as pairs of salt and committed object, and files that forms name by SHA-256."""

    def opening(pair: tuple[bytes, object]) -> dict[str, Any]:
        return {"salt": pair[0].hex(), "object": pair[1]}

    contents: dict[str, Any] = {
        "v": 1,
        "paper": paper,
        "forms": [opening(pair) for pair in forms],
        "key": opening(key),
        "media": {hashlib.sha256(data).hexdigest(): data.hex() for data in media},
    }
    if guide is not None:
        contents["guide"] = opening(guide)
    return contents


def check_contents(contents: Any, sealed: Mapping[str, Any]) -> None:
    """Raise SealingError unless opened contents are what the body of `paper.sealed` committed to."""
    try:
        openings = [
            ("paper.form", item, commitment)
            for item, commitment in zip(contents["forms"], sealed["forms"], strict=True)
        ]
        openings.append(("paper.key", contents["key"], sealed["key"]))
        if ("guide" in contents) != ("guide" in sealed):
            raise SealingError("the paper has a guide where the log has none, or the reverse")
        if "guide" in sealed:
            openings.append(("paper.guide", contents["guide"], sealed["guide"]))
        for name, item, commitment in openings:
            if not commitments.opens(commitment, name, bytes.fromhex(item["salt"]), item["object"]):
                raise SealingError(f"the paper's {name.partition('.')[2]} is not the one committed to before")
            if name != "paper.guide" and item["object"]["paper"] != sealed["paper"]:
                raise SealingError("the contents belong to another paper")
        for digest, data in contents["media"].items():
            if hashlib.sha256(bytes.fromhex(data)).hexdigest() != digest:
                raise SealingError("a file in the paper is not the one its form names")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, SealingError):
            raise
        raise SealingError("the opened file is not a paper") from None


def rehearsal(paper: str) -> dict[str, Any]:
    """Contents of a dummy paper for a rehearsal opening: no form, nothing to leak."""
    return paper_contents(
        paper, [], (bytes(commitments.SALT_BYTES), {"paper": paper, "version": 1, "answers": []})
    )


def _recipient(text: str) -> Any:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise SealingError(f"{text[:20]!r} is not an age recipient (age1…)") from None
