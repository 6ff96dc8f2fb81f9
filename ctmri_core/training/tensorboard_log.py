"""The run's events as TensorBoard sees them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ctmri_core.events import Event, Health, Sample, Step, Validated
from ctmri_core.files import write_failed

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoardLog:
    """Losses, learning rate, metrics, signs of health and sample pictures. The writer is loaded with the first of them."""

    def __init__(self, folder: Path, first_step: int) -> None:
        self._folder = folder
        self._first_step = first_step
        self._writer: SummaryWriter | None = None

    def hear(self, event: Event) -> None:
        """Logs what belongs into a curve or a picture; ignores the rest. Raises `WriteFailed`, of what was heard before too."""
        try:
            self._add(event)
        except OSError as error:
            raise write_failed(self._folder, error) from error

    def _add(self, event: Event) -> None:
        match event:
            case Step():
                scalars = {f"loss/{name}": value for name, value in event.losses.items()}
                self._scalars({**scalars, "learning_rate": event.learning_rate}, event.iteration)
            case Health():
                self._scalars({f"health/{name}": value for name, value in event.signals.items()}, event.iteration)
            case Validated():
                self._scalars({f"validation/{name}": value for name, value in event.metrics.items()}, event.iteration)
            case Sample():
                with Image.open(event.path) as picture:
                    shown = event.caption.partition(":")[0] or "sample"
                    self._open().add_image(shown, np.asarray(picture.convert("L")), event.iteration, dataformats="HW")
            case _:
                pass

    def close(self) -> None:
        """Writes what is left. Safe to call twice. Raises `WriteFailed`."""
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except OSError as error:
                raise write_failed(self._folder, error) from error

    def _scalars(self, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self._open().add_scalar(name, value, step)

    def _open(self) -> SummaryWriter:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._folder), purge_step=self._first_step)
        return self._writer
