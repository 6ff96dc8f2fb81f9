"""Files that hold what a run is started with, as `--save-config`, the window and every run folder write them. No torch."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from ctmri_core.errors import FileRefused
from ctmri_core.files import write_text
from ctmri_core.hints import nearest_hint
from ctmri_core.io.preflight import regular_file
from ctmri_core.training.run_plan import PARTS, RunPlan

_MOST_BYTES = 1 << 20
_WAY_OUT = "Choose a file that --save-config or the window wrote."
_TABLES = ("config", "settings", "about")


def read_settings(path: Path) -> dict[str, Any]:
    """The parts that `path` (JSON or TOML) holds, any of `PARTS`. Raises `FileRefused`."""
    if regular_file(path) > _MOST_BYTES:
        raise FileRefused(path, "is too large for settings.", _WAY_OUT)
    toml = path.suffix.lower() == ".toml"
    try:
        text = path.read_text("utf-8-sig")
        stored = tomllib.loads(text) if toml else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise FileRefused(path, f"cannot be read as {'TOML' if toml else 'JSON'}.", _WAY_OUT) from error
    if not isinstance(stored, dict) or not all(isinstance(stored.get(name, {}), dict) for name in _TABLES):
        raise FileRefused(path, "does not hold settings.", _WAY_OUT)
    for name in stored:
        if name not in PARTS:
            raise FileRefused(path, f"holds {name!r}, which is no part of a run's settings.{nearest_hint(name, PARTS)}")
    return stored


def write_settings(path: Path, plan: RunPlan) -> None:
    """Everything that was chosen, as JSON. Raises `WriteFailed`."""
    write_text(path, json.dumps(plan.stored(), indent=2))
