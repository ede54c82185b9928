"""Numbers of identity documents: kept only as a keyed digest, by which a person is recognised and nothing is read back."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from examsvc.base.errors import N_, Refused


def clean_number(number: str) -> str:
    """The number as it is compared: letters and digits only, in capitals, so that spaces and dots make no difference."""
    cleaned = "".join(c for c in unicodedata.normalize("NFKC", number).upper() if c.isalnum())
    if not 6 <= len(cleaned) <= 20 or not cleaned.isascii():
        raise Refused(
            N_("Enter the number of the identity document: 6 to 20 letters and digits, as printed on it."), field="identity"
        )
    return cleaned


def identity_digest(number: str, key: str) -> str:
    """HMAC-SHA-256 of the number under the installation's people key.

    A plain hash of twelve digits falls to guessing in minutes; the key stands apart from the database.
    """
    return hmac.new(bytes.fromhex(key), b"identity\0" + clean_number(number).encode(), hashlib.sha256).hexdigest()
