"""Compiles the catalogue whenever the project is installed or packed: what is installed speaks Vietnamese, without a step to forget.

Only hatchling loads this file (``tool.hatch.build.hooks.custom`` in pyproject.toml); the program itself never does.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Catalogue(BuildHookInterface):
    """Puts ``messages.mo``, which no version control holds, into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sys.path.insert(0, self.root)
        try:
            from examsvc.translations.compile import compile_all
        finally:
            sys.path.remove(self.root)
        build_data["artifacts"].append(compile_all().relative_to(Path(self.root)).as_posix())
