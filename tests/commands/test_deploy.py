"""What deploy/ ships: an authority that browsers would believe for its own names only, and units that call commands that exist."""

from __future__ import annotations

import re
import socket
import ssl
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from examsvc.cli import COMMANDS
from examsvc.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"


def authority(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DEPLOY / "hall_authority.py"), *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority") / "hall"
    assert authority("authority", "--folder", str(folder), "--name", "hall.test").returncode == 0
    return folder


def shake_hands(folder: Path, name: str) -> str | None:
    """Why a client that trusts the authority refuses the server under that name; None when it does not."""
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(folder / "server.pem", folder / "server.key")
    there = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            here.wrap_socket(ours, server_side=True).close()
        except (ssl.SSLError, OSError):
            ours.close()

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        there.wrap_socket(theirs, server_hostname=name).close()
        return None
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    finally:
        theirs.close()
        serving.join(10)


def test_a_server_of_the_hall_is_believed_under_its_names(hall: Path, tmp_path: Path) -> None:
    folder = _another(hall, tmp_path)
    assert authority("server", "--folder", str(folder), "--name", "hall.test", "--address", "10.0.0.1").returncode == 0
    assert stat.S_IMODE((folder / "server.key").stat().st_mode) == 0o600
    assert shake_hands(folder, "hall.test") is None
    assert shake_hands(folder, "10.0.0.1") is None
    assert "match" in (shake_hands(folder, "bank.example") or "")
    again = authority("server", "--folder", str(folder), "--name", "hall.test")
    assert again.returncode == 1
    assert "exists already" in again.stderr


@pytest.mark.parametrize("names", [["--name", "bank.example"], ["--name", "hall.test", "--address", "203.0.113.5"]])
def test_the_authority_is_worth_nothing_outside_its_hall(hall: Path, tmp_path: Path, names: list[str]) -> None:
    folder = _another(hall, tmp_path)
    assert authority("server", "--folder", str(folder), *names).returncode == 0
    assert "permitted subtree violation" in (shake_hands(folder, names[1]) or "")


def _another(hall: Path, folder: Path) -> Path:
    for name in ("authority.pem", "authority.key"):
        (folder / name).write_bytes((hall / name).read_bytes())
    return folder


def test_units_call_commands_that_exist_and_settings_that_are_read() -> None:
    units = sorted(DEPLOY.glob("*.service"))
    assert len(units) == 3
    for unit in units:
        (called,) = re.findall(r"^ExecStart=/opt/examsvc/bin/examsvc (\S+)", unit.read_text(), re.MULTILINE)
        assert called in COMMANDS
    named = re.findall(r"EXAMSVC_([A-Z_]+)", (DEPLOY / "examsvc.env").read_text(encoding="utf-8"))
    assert len(named) > 5
    assert {name.lower() for name in named} <= set(Settings.model_fields)
