"""Model files of other programs: looked into, asked about, and added."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from ctmri_gui.jobs import work
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.models.library import Library

if TYPE_CHECKING:
    from ctmri_core.exchange.found_model import FoundModel

SUFFIXES = (".pth", ".pt", ".ckpt", ".onnx", ".pkl", ".pickle")
"""How files are called that are looked into; what they hold is told by their contents."""


def is_of_others(path: Path) -> bool:
    """Whether a dropped file is to be looked into as another program's model."""
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


class Importing(QObject):
    """`cardNeeded` tells what was found and what is known of it already; it is answered by `take`, or not at all."""

    cardNeeded = Signal(object, object)  # FoundModel, dict[str, Any]

    def __init__(self, jobs: Jobs, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._library = jobs, library

    def look_at(self, path: Path) -> None:
        """Looks into the file at `path`, then asks for its card."""
        begin = partial(work.look_at_model, path)
        self._jobs.run(f"Look into {path.name}", begin, on_result=lambda answer: self.cardNeeded.emit(*answer))

    def take(self, found: FoundModel, table: Mapping[str, Any]) -> None:
        """Makes a model file of it, with `table` as its card, and chooses that."""
        begin = partial(work.import_model, found.path, dict(table), self._library.own_folder)
        self._jobs.run(f"Add model {found.path.name}", begin, on_result=self._library.take_added)
