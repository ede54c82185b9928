"""Three witnesses in folders of their own, with the keys of the demonstration, and an installation that knows where they are."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from examsvc.demonstration.announcing import SECRET
from examsvc.ledger import signing, witness_store
from examsvc.ledger.notes import read_signer
from examsvc.ledger.witness_store import Store

NAMES = ("inspectorate", "university", "press")


def install(folder: Path, *logs: str, names: tuple[str, ...] = NAMES, secret: str = SECRET) -> dict[str, Store]:
    """Makes the witnesses, lets them follow the logs with these verifier keys, and tells the signer where they are."""
    stores = {}
    for name in names:
        stores[name] = witness_store.create(folder / name, f"witness.example/{name}", sha256(name.encode()).digest())
        for key in logs:
            stores[name].follow(key)
    signing.forget()
    signing.configure(
        signing.Installation(secret, folder, lambda name: f"folder:{folder / name.rpartition('/')[2]}")
    )
    return stores


def key_of(name: str, folder: Path) -> str:
    """Verifier key of a witness, as its folder has it."""
    return read_signer((folder / name / "key").read_text().strip()).verifier.text
