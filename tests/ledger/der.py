"""A time-stamp token of RFC 3161 as an authority builds one, unsigned: for logs whose stamps are looked at, not verified."""

from datetime import UTC, datetime

SIGNED_DATA, TST_INFO = "2a864886f70d010702", "2a864886f70d0109100104"
SHA_256, POLICY = "608648016503040201", "2a0304"


def element(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    length = (
        bytes([size])
        if size < 128
        else bytes([0x80 + (size.bit_length() + 7) // 8]) + size.to_bytes((size.bit_length() + 7) // 8, "big")
    )
    return bytes([tag]) + length + content


def oid(text: str) -> bytes:
    return element(0x06, bytes.fromhex(text))


def token(imprint: bytes, time: int) -> bytes:
    """A TimeStampToken over a SHA-256, given at a time in seconds UTC."""
    moment = datetime.fromtimestamp(time, UTC).strftime("%Y%m%d%H%M%SZ").encode()
    algorithm = element(0x30, oid(SHA_256), element(0x05))
    info = element(
        0x30,
        element(0x02, b"\x01"),
        oid(POLICY),
        element(0x30, algorithm, element(0x04, imprint)),
        element(0x02, b"\x2a"),
        element(0x18, moment),
    )
    content = element(0x30, oid(TST_INFO), element(0xA0, element(0x04, info)))
    signed = element(0x30, element(0x02, b"\x03"), element(0x31, algorithm), content, element(0x31))
    return element(0x30, oid(SIGNED_DATA), element(0xA0, signed))
