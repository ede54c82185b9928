"""Commands of custodians, on their own machines: a key of one's own, and one's share opened with it.  No database, no network."""

from __future__ import annotations

import os
from pathlib import Path

import click

from examsvc.ledger import sealing


@click.group()
def custodian() -> None:
    """Make a custodian's key, and open a share with it, on a machine of one's own."""


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


@custodian.command("open", epilog="Example: examsvc custodian open test-main-1.share.age --key custodian.key")
@click.argument("share", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "key", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=Path("custodian.key"), show_default=True)
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="The file to hand in; beside the share when left out.")
def open_share(share: Path, key: Path, output: Path | None) -> None:
    """Open a share that was dealt to this key, into a file that is handed in shortly before the bell."""
    try:
        lines = [line.strip() for line in key.read_text(encoding="ascii").splitlines()]
        data = share.read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"A file cannot be read: {error}") from None
    identity = next((line for line in lines if line.startswith("AGE-SECRET-KEY-")), None)
    if identity is None:
        raise click.ClickException(f"{key} holds no secret key; it was made with: examsvc custodian init")
    try:
        opened = sealing.decrypt_share(data, identity)
    except sealing.SealingError as error:
        raise click.ClickException(f"{share}: {error}") from None
    target = output or share.with_name(share.name.removesuffix(".age").removesuffix(".share") + ".opened-share")
    target.write_bytes(opened.data)
    click.echo(f"The share of the paper {opened.paper} is open: hand in {target}, then delete it.")
