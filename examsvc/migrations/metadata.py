"""Every table of every room, for migrations and for tests that make a database at once."""

from __future__ import annotations

import importlib
from pathlib import Path

from examsvc.base.database import Base

for _models in sorted(Path(__file__).parent.parent.glob("*/*models.py")):
    importlib.import_module(f"examsvc.{_models.parent.name}.{_models.stem}")
for _name in ("base.jobs", "base.messages", "ledger.defences"):  # the last one puts triggers up with the tables
    importlib.import_module(f"examsvc.{_name}")

metadata = Base.metadata
