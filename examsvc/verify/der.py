"""Just enough DER (X.690) to read a time-stamp token of RFC 3161: definite lengths, tags of one byte."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

SEQUENCE, INTEGER, OCTETS, OID, GENERALIZED_TIME, CONTEXT_0 = 0x30, 0x02, 0x04, 0x06, 0x18, 0xA0
SIGNED_DATA = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2
TST_INFO = bytes.fromhex("2a864886f70d0109100104")  # 1.2.840.113549.1.9.16.1.4
SHA_256 = bytes.fromhex("608648016503040201")  # 2.16.840.1.101.3.4.2.1


class DerError(ValueError):
    """The bytes are no such structure; the message says where reading stopped."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token states: the SHA-256 of what was stamped, and when, in seconds UTC (a fraction is cut off)."""

    imprint: bytes
    time: int


def parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, contents) of the elements that follow each other in `data`."""
    place = 0
    while place < len(data):
        header = data[place : place + 2]
        if len(header) < 2 or header[0] & 0x1F == 0x1F:
            raise DerError("an element has no readable tag and length")
        tag, size, place = header[0], header[1], place + 2
        if size > 0x80:
            count = size & 0x7F
            size, place = int.from_bytes(data[place : place + count], "big"), place + count
        elif size == 0x80:
            raise DerError("an element has no definite length")
        if place + size > len(data):
            raise DerError("an element claims more bytes than there are")
        yield tag, data[place : place + size]
        place += size


def _only(data: bytes, tag: int) -> bytes:
    found = list(parts(data))
    if len(found) != 1 or found[0][0] != tag:
        raise DerError("an element is not the one expected")
    return found[0][1]


def read_token(data: bytes) -> Stamp:
    """The stamp in a TimeStampToken (CMS SignedData over TSTInfo). DerError. The authority's signature is not verified."""
    content = list(parts(_only(data, SEQUENCE)))
    if [tag for tag, _ in content] != [OID, CONTEXT_0] or content[0][1] != SIGNED_DATA:
        raise DerError("it is not signed data")
    signed = list(parts(_only(content[1][1], SEQUENCE)))
    if len(signed) < 3 or signed[2][0] != SEQUENCE:
        raise DerError("the signed data hold nothing")
    inner = list(parts(signed[2][1]))
    if [tag for tag, _ in inner] != [OID, CONTEXT_0] or inner[0][1] != TST_INFO:
        raise DerError("what was signed is no time stamp")
    info = list(parts(_only(_only(inner[1][1], OCTETS), SEQUENCE)))
    if [tag for tag, _ in info[:5]] != [INTEGER, OID, SEQUENCE, INTEGER, GENERALIZED_TIME]:
        raise DerError("the time stamp lacks a field")
    imprint = list(parts(info[2][1]))
    if [tag for tag, _ in imprint] != [SEQUENCE, OCTETS] or next(parts(imprint[0][1])) != (OID, SHA_256):
        raise DerError("the time stamp is not over a SHA-256")
    text = info[4][1].decode("ascii", "replace")
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if (
        not text.endswith("Z")
        or len(whole) != 14
        or not whole.isdigit()
        or (fraction and not fraction.isdigit())
    ):
        raise DerError(f"{text[:30]!r} is not a time")
    try:
        moment = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise DerError(f"{text[:30]!r} is not a time") from None
    return Stamp(imprint[1][1], int(moment.timestamp()))
