"""Commands of custodians, on their own machines: a key of one's own, and one's shares opened with it.  No database.

All but ``hand-in`` need no network either: a share, or a code map, comes and goes on a stick.  ``hand-in`` speaks with the installation over HTTPS and
sends the opened share and nothing else; the key stays where it is.
"""

from __future__ import annotations

import json
import os
import secrets
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import pyrage

from examsvc.ledger import canonical, code_maps, commitments, sealing

LOCAL = ("localhost", "127.0.0.1", "::1")
SECONDS = 30
MOST_BYTES = 2**20
KEY = click.option(
    "--key", "key", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=Path("custodian.key"), show_default=True
)


@click.group()
def custodian() -> None:
    """Make a custodian's key, and open a share or a code map with it, on a machine of one's own."""


@custodian.command(epilog="Example: examsvc custodian init --key custodian.key")
@click.option("--key", "key", type=click.Path(dir_okay=False, path_type=Path), default=Path("custodian.key"), show_default=True)
def init(key: Path) -> None:
    """Make a key.  The file is the secret half and never leaves this machine; the line printed is handed in."""
    secret, recipient = sealing.new_identity()
    try:
        descriptor = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{key} exists already; a key that shares were dealt to must not be overwritten.") from None
    except OSError as error:
        raise click.ClickException(f"{key}: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"# public half: {recipient}\n{secret}\n")
    click.echo(f"The secret half is in {key}. Keep it, with a copy in a safe. Hand in this line:", err=True)
    click.echo(recipient)


@custodian.command(epilog="Example: examsvc custodian show --key custodian.key")
@KEY
def show(key: Path) -> None:
    """Print the public half of a key and its fingerprint, to compare with the transcript of the key ceremony."""
    recipient = _recipient(_identity(key))
    digits = sha256(recipient.encode("ascii")).hexdigest()[:16]
    click.echo(recipient)
    click.echo("fingerprint " + " ".join(digits[place : place + 4] for place in range(0, 16, 4)))


@custodian.command(epilog="Example: examsvc custodian check test-main-1.share.age --key custodian.key")
@click.argument("share", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@KEY
def check(share: Path, key: Path) -> None:
    """Say whether this key opens a share, and print its commitment to compare with the transcript.  Writes nothing."""
    opened = _open(share, key)
    click.echo(f"This key opens share {opened.x} of the paper {opened.paper}. Its commitment, as the transcript must say:", err=True)
    click.echo(opened.commitment)


@custodian.command("open", epilog="Example: examsvc custodian open test-main-1.share.age --key custodian.key")
@click.argument("share", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@KEY
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="The file to hand in; beside the share when left out.")
def open_share(share: Path, key: Path, output: Path | None) -> None:
    """Open a share that was dealt to this key, into a file that is handed in shortly before the bell."""
    opened = _open(share, key)
    target = output or share.with_name(share.name.removesuffix(".age").removesuffix(".share") + ".opened-share")
    try:
        target.write_bytes(opened.data)
    except OSError as error:
        raise click.ClickException(f"{target}: {error.strerror}") from None
    click.echo(f"The share of the paper {opened.paper} is open: hand in {target}, then delete it.")


@custodian.command("open-map", epilog="Example: examsvc custodian open-map heads-2026-written.closed-map --key custodian.key")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@KEY
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="The file to hand in; beside the map when left out.")
def open_map(file: Path, key: Path, output: Path | None) -> None:
    """Open a code map that was encrypted to this key, into a file that is handed in after the lock."""
    identity = _identity(key)
    try:
        closed = code_maps.read_closed(file.read_bytes())
        opened = code_maps.open_file(closed, identity)
    except OSError as error:
        raise click.ClickException(f"A file cannot be read: {error}") from None
    except code_maps.CodeMapError as error:
        raise click.ClickException(f"{file}: {error}") from None
    target = output or file.with_name(file.name.removesuffix(".closed-map") + ".opened-map")
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as written:
            written.write(opened.data)
    except OSError as error:
        raise click.ClickException(f"{target}: {error.strerror}") from None
    for part in closed.parts:
        click.echo(f"sitting {part.sitting}, part {part.part}: SHA-256 of the encrypted map {part.digest}", err=True)
    number = sum(len(part.pairs) for part in opened.parts)
    click.echo(f"The map of {number} scripts is open: hand in {target}, then delete it.")


@custodian.command("hand-in", epilog="Example: examsvc custodian hand-in https://exam.example/competitions/heads-2026 --wait")
@click.argument("address")
@KEY
@click.option("--wait", is_flag=True, help="Wait for the moment from which a paper may be opened.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificate of the hall's own authority.")
def hand_in(address: str, key: Path, wait: bool, ca: Path | None) -> None:
    """Fetch the shares dealt to this key, open them here, and hand in those whose time has come.

    ADDRESS is the competition's page.  Ends with status 1 when a share was refused or is not yet due.
    """
    identity = _identity(key)
    door = _Door(address, _recipient(identity), ca)
    while True:
        found = door.waiting()
        due = [one for one in found["shares"] if not one["delivered"] and one["from"] is not None and one["from"] <= found["now"]]
        later = [one for one in found["shares"] if not one["delivered"] and one not in due]
        for one in due:
            _hand_in_one(door, one, found["word"], identity)
        moments = [one["from"] for one in later if one["from"] is not None]
        if not (wait and moments):
            break
        click.echo(f"Waiting until {_clock(min(moments))}.", err=True)
        time.sleep(max(1, min(min(moments) - found["now"], 60)))
    for one in later:
        when = f"is opened from {_clock(one['from'])} on" if one["from"] is not None else "has no sitting planned yet"
        click.echo(f"The paper {one['paper']} {when}.", err=True)
    if not found["shares"]:
        raise click.ClickException("No paper waits for this key.")
    if later and not due:
        raise click.ClickException("Nothing was handed in: no paper that waits for this key may be opened now.")


@custodian.command(epilog="Example: examsvc custodian number order-1f2e3d4c --person 03fe9977a30e4b8c")
@click.argument("draw")
@click.option("--person", required=True, help="Your code in this competition's record, as the draw's page shows it.")
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="The file with the secret number; named after the draw when left out.")
def number(draw: str, person: str, output: Path | None) -> None:
    """Draw a secret number for a public draw.  The line printed is the commitment, handed in now; the file is handed in when asked."""
    nonce, salt = secrets.token_hex(commitments.SALT_BYTES), commitments.new_salt()
    try:
        data = canonical.encode({"v": 1, "draw": draw, "person": person, "nonce": nonce, "salt": salt.hex()})
    except canonical.CanonicalError as error:
        raise click.ClickException(str(error)) from None
    target = output or Path(f"{Path(draw).name}.secret-number")
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{target} exists already; a number that was committed to must not be overwritten.") from None
    except OSError as error:
        raise click.ClickException(f"{target}: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    click.echo(f"The secret number is in {target}. Show it to nobody before the draw asks for it. Hand in this line:", err=True)
    click.echo(commitments.commit("draw.nonce", salt, {"draw": draw, "person": person, "nonce": nonce}))


def _hand_in_one(door: _Door, one: dict[str, Any], word: dict[str, Any], identity: str) -> None:
    try:
        opened = sealing.decrypt_share(bytes.fromhex(one["share"]), identity)
    except sealing.SealingError as error:
        raise click.ClickException(f"{one['paper']}: {error}") from None
    answer = door.hand_in(one["paper"], opened.data, word, identity)
    if not answer["genuine"]:
        raise click.ClickException(f"{one['paper']}: this is not the share that was dealt. That is on record.")
    click.echo(f"Your share of the paper {one['paper']} is in.")


class _Door:
    """The installation as this command sees it: two addresses below a competition's page."""

    def __init__(self, address: str, recipient: str, ca: Path | None) -> None:
        parts = urllib.parse.urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
            raise click.ClickException("The address of the competition begins with https://")
        self._address = f"{address.rstrip('/')}/papers/keys/{recipient}"
        try:
            self._context = ssl.create_default_context(cafile=str(ca) if ca else None)
        except (ssl.SSLError, OSError) as error:
            raise click.ClickException(f"{ca}: {error}") from None

    def waiting(self) -> dict[str, Any]:
        """The shares that wait for the key, and the word for its holder."""
        return self._answer(None)

    def hand_in(self, paper: str, data: bytes, word: dict[str, Any], identity: str) -> dict[str, Any]:
        """Sends an opened share, with the word that only the holder of the key could read."""
        try:
            key = pyrage.x25519.Identity.from_str(identity)
            said = pyrage.decrypt(bytes.fromhex(word["encrypted"]), [key]).decode("ascii")
        except (pyrage.DecryptError, ValueError):
            raise click.ClickException("The installation's answer cannot be read with this key.") from None
        body = {"paper": paper, "share": data.hex(), "word": said, "expires": word["expires"], "seal": word["seal"]}
        return self._answer(body)

    def _answer(self, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if body else {})}
        sent = json.dumps(body).encode() if body else None
        address = f"{self._address}/shares" if body else self._address
        request = urllib.request.Request(address, sent, headers)  # noqa: S310 (the scheme is checked when the door is made)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS, context=self._context) as reply:  # noqa: S310
                found = json.loads(reply.read(MOST_BYTES))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                raise click.ClickException("This competition knows no such key; hand in its public half first.") from None
            raise click.ClickException(_sentence(error)) from None
        except (OSError, ValueError) as error:
            raise click.ClickException(f"The installation cannot be reached: {getattr(error, 'reason', error)}") from None
        if not isinstance(found, dict):
            raise click.ClickException("The installation's answer cannot be understood.")
        return found


def _sentence(error: urllib.error.HTTPError) -> str:
    """What the installation says about a refusal."""
    try:
        return str(json.loads(error.read(MOST_BYTES))["error"])
    except (ValueError, KeyError, TypeError):
        return f"The installation answered with status {error.code}."


def _clock(moment: int) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")


def _identity(key: Path) -> str:
    try:
        lines = [line.strip() for line in key.read_text(encoding="ascii").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"A file cannot be read: {error}") from None
    identity = next((line for line in lines if line.startswith("AGE-SECRET-KEY-")), None)
    if identity is None:
        raise click.ClickException(f"{key} holds no secret key; it was made with: examsvc custodian init")
    return identity


def _recipient(identity: str) -> str:
    try:
        return str(pyrage.x25519.Identity.from_str(identity).to_public())
    except pyrage.IdentityError:
        raise click.ClickException("The secret key in the file is damaged; use its copy.") from None


def _open(share: Path, key: Path) -> sealing.Share:
    identity = _identity(key)
    try:
        return sealing.decrypt_share(share.read_bytes(), identity)
    except OSError as error:
        raise click.ClickException(f"A file cannot be read: {error}") from None
    except sealing.SealingError as error:
        raise click.ClickException(f"{share}: {error}") from None
