"""The demonstration: an installation with invented people, in which one competition stands at each stage."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command(epilog="Example: examsvc demo --port 8080 --language en")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("demo-installation"), show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--language", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
@click.option("--build-only", is_flag=True, help="Build the installation and do not serve it.")
def demo(folder: Path, port: int, language: str, build_only: bool) -> None:
    """Build once and serve a demonstration installation at http://127.0.0.1:PORT."""
    from examsvc.demonstration.build import ensure

    os.environ.update(
        EXAMSVC_FOLDER=str(folder),
        EXAMSVC_MODE="demo",
        EXAMSVC_BASE_URL=f"http://127.0.0.1:{port}",
        EXAMSVC_DEFAULT_LANGUAGE=language,
    )
    address = f"http://127.0.0.1:{port}"
    for line in ensure(folder, address):
        click.echo(line)
    if build_only:
        return
    click.echo(f"\nServing at {address} – stop with Ctrl+C")
    sys.stdout.flush()
    arguments = ["-m", "gunicorn", "examsvc.app:create_app()", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    arguments += ["--threads", "16", "--config", str(Path(__file__).with_name("gunicorn_settings.py")), "--log-level", "warning"]
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606
