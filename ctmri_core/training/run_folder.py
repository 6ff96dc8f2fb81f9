"""The folder of a run: its settings, what happened, checkpoints, sample pictures, models."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from ctmri_core.domain import Direction
from ctmri_core.errors import FileRefused, TrainingFailed, shown_name
from ctmri_core.events import CheckpointSaved, Event, Finished, Health, Paused, Sample, Step, Validated, from_json, to_json
from ctmri_core.files import atomic_file, write_failed, write_text
from ctmri_core.method import MethodCard, MethodConfig
from ctmri_core.training.settings import ModelDescription, TrainingSettings


class RunFolder:
    """`config.json`, `events.jsonl`, `checkpoints/`, `samples/`, `models/`, `prepared/` and `tensorboard/` of one run; with
    a verdict, `verdict.json` and `verdict/`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.events = self.path / "events.jsonl"
        self.checkpoint = self.path / "checkpoints" / "latest.checkpoint"
        self.samples = self.path / "samples"
        self.models = self.path / "models"
        self.prepared = self.path / "prepared"
        self.tensorboard = self.path / "tensorboard"
        self.verdict = self.path / "verdict.json"
        self.verdict_pictures = self.path / "verdict"

    def check_free(self) -> None:
        """Raises `TrainingFailed` where a new run would destroy one that can be resumed, or lie among other things."""
        name = shown_name(self.path)
        if self.path.exists() and not self.path.is_dir():
            raise TrainingFailed(f"{name} is a file. Name a folder for the run.")
        self.check_no_run()
        begun = any(part.exists() for part in (self.config, self.events, self.prepared))
        if self.path.exists() and not begun and any(not path.name.startswith(".") for path in self.path.iterdir()):
            raise TrainingFailed(f"{name} is no run, and not empty. Name a new folder for the run.")

    def check_no_run(self) -> None:
        """Raises `TrainingFailed` where a run can be resumed."""
        if self.checkpoint.exists():
            raise TrainingFailed(f"{shown_name(self.path)} holds a run already. Resume it, or choose another folder.")

    def write_config(self, config: dict[str, Any]) -> None:
        """Everything that the run was started with. Raises `WriteFailed`."""
        write_text(self.config, json.dumps(config, indent=2))

    def read_config(self) -> dict[str, Any]:
        """Raises `FileRefused` when there is none that can be read."""
        if not self.config.exists():
            raise FileRefused(self.path, "holds no run.", "Choose the folder of a run of this program, or start one there.")
        try:
            config = json.loads(self.config.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise FileRefused(self.config, "cannot be read.", "Choose the folder of a run of this program.") from error
        if not isinstance(config, dict):
            raise FileRefused(self.config, "holds no settings of a run.", "Choose the folder of a run of this program.")
        return config

    def log(self, event: Event) -> None:
        """Appends one line to `events.jsonl`. Raises `WriteFailed`."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with self.events.open("a+b") as handle:
                handle.write(_line_end(handle) + to_json(event).encode() + b"\n")
        except OSError as error:
            raise write_failed(self.events, error) from error

    def read_events(self) -> list[Event]:
        """All events so far; a line cut short by the end of the process is left out."""
        if not self.events.exists():
            return []
        with self.events.open("rb") as handle:
            return [event for line in handle if (event := _event(line)) is not None]

    def rewind(self, iteration: int) -> None:
        """Forgets what happened after `iteration`, and that the run ended: it goes on from there. Raises `WriteFailed`."""
        with atomic_file(self.events) as temporary, temporary.open("wb") as kept:
            if self.events.exists():
                with self.events.open("rb") as handle:
                    for line in handle:  # a week's run has said more than should be in memory at once
                        event = _event(line)
                        if event is not None and not _is_later(event, iteration):
                            kept.write(line.rstrip(b"\n") + b"\n")


def run_config(
    card: MethodCard, config: MethodConfig, data: str, direction: Direction, settings: TrainingSettings, about: ModelDescription
) -> dict[str, Any]:
    """What `config.json` holds: enough to start the same run again."""
    return {
        "method": card.name, "config": config.model_dump(mode="json"), "data": data, "direction": direction.name,
        "settings": settings.model_dump(mode="json"), "about": about.model_dump(mode="json"),
    }  # fmt: skip


def _line_end(handle: IO[bytes]) -> bytes:
    """What is missing of the last line: a process that was killed may have left half of one."""
    if not handle.seek(0, os.SEEK_END):
        return b""
    handle.seek(-1, os.SEEK_END)
    return b"" if handle.read(1) == b"\n" else b"\n"


def _event(line: bytes) -> Event | None:
    """None for a line that was cut short."""
    try:
        return from_json(line)
    except ValidationError:
        return None


def _is_later(event: Event, iteration: int) -> bool:
    if isinstance(event, Step | Health | Validated | Sample | CheckpointSaved | Paused):
        return event.iteration > iteration
    return isinstance(event, Finished)
