"""What deploy/ ships: an authority that browsers would believe for its own names only, units that call commands that exist, and a way to
install the project that leaves nothing out."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from examsvc.base import language
from examsvc.base.errors import Refused
from examsvc.cli import COMMANDS
from examsvc.ledger import release
from examsvc.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CATALOGUE = "examsvc/translations/vi/LC_MESSAGES/messages.mo"


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


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(what version control holds of the packages, what pip puts in place of it), without a compiled catalogue lying about."""
    source, made, target = (tmp_path_factory.mktemp(name) for name in ("source", "wheel", "installed"))
    for package in release.PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("*.mo", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, source)
    building = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(made)]
    subprocess.run(building, cwd=source, check=True, capture_output=True)
    (wheel,) = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return source, target


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix() for package in release.PACKAGES for path in (folder / package).rglob("*") if path.is_file()
    }


def test_what_is_installed_is_whole(installed: tuple[Path, Path]) -> None:
    source, target = installed
    assert CATALOGUE in files(target)
    assert files(target) - {CATALOGUE} == files(source) - {CATALOGUE}
    assert len(files(target)) > 500


INSIDE = """
import json, sys
from examsvc.app import create_app
from examsvc.base import language
from examsvc.ledger import release
page = create_app().test_client().get("/", base_url="https://localhost")
print(json.dumps({"file": release.__file__, "digest": release.software()[1], "status": page.status_code, "page": page.text,
    "sentence": language.sentence("vi", "There is no such page.")}))
"""


def test_what_is_installed_runs_and_speaks_vietnamese(installed: tuple[Path, Path], tmp_path: Path) -> None:
    _, target = installed
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EXAMSVC_")}
    environment = {**kept, "PYTHONPATH": str(target), "EXAMSVC_FOLDER": str(tmp_path / "kept"), "PYTHONDONTWRITEBYTECODE": "1"}
    people = ["--first", "Lý Quốc Hưng <hung@example.vn>", "--second", "Mạc Thu Hà <ha@example.vn>"]
    beginning = [sys.executable, "-m", "examsvc.cli", "init", *people]
    subprocess.run(beginning, cwd=tmp_path, env=environment, check=True, capture_output=True)
    run = subprocess.run([sys.executable, "-c", INSIDE], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    found = json.loads(run.stdout.splitlines()[-1])
    assert Path(found["file"]).is_relative_to(target)
    assert (found["status"], found["sentence"]) == (200, "Không có trang này.")
    assert '<html lang="vi"' in found["page"]
    assert "Đăng nhập" in found["page"]
    assert found["digest"] == release.software()[1], "the registry names the same software, installed or served from its sources"


def test_without_its_catalogue_it_says_so_instead_of_speaking_english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(language, "__file__", str(tmp_path / "examsvc" / "base" / "language.py"))
    language._catalogue.cache_clear()
    try:
        with pytest.raises(Refused, match=r"The catalogue of Tiếng Việt is not compiled. Install the project anew, or run"):
            language.require_catalogues()
        assert language.sentence("en", "There is no such page.") == "There is no such page."
    finally:
        language._catalogue.cache_clear()
