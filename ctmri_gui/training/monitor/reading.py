"""What the monitor reads in the background: the events of a run that is over, and sample pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import CtmriError, FileRefused
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import RunRecord

if TYPE_CHECKING:
    from types import ModuleType

Grey = NDArray[np.uint8]
_MOST_PIXELS = 64 * 2**20
_AGAIN = "The run will write new ones."


def read_run(folder: Path, stop: StopSignal) -> Work[tuple[RunRecord, RunPlan | None] | None]:
    """What the run in `folder` said; its plan, where that can be read."""
    yield Progress(done=0, message="reading the run")
    record = RunRecord.of(RunFolder(folder).read_events())
    try:
        plan = RunPlan.read(RunFolder(folder).read_config())
    except CtmriError:
        plan = None
    return None if stop() else (record, plan)


def read_sample(path: Path, folder: Path, _stop: StopSignal) -> Work[Grey]:
    """(rows, columns) of a sample picture, at `path` or, where the run's folder was moved, under its name in `folder`.

    Raises `FileRefused`, also for what is gone.
    """
    from ctmri_core.io.picture_headers import check_complete, read_header
    from ctmri_core.io.reader_process import shared_reader

    yield Progress(done=0, message="reading a picture")
    there = path if path.is_file() else RunFolder(folder).samples / path.name
    if not there.is_file():
        raise FileRefused(path, "is gone.", _AGAIN)
    header = read_header(there)
    if header.kind != "png" or header.code != "u1" or header.shape[1] * header.shape[2] > _MOST_PIXELS:
        raise FileRefused(there, "is no sample picture of a run.", _AGAIN)
    check_complete(there, header.kind)
    values, _ = shared_reader().call("ctmri_core.io.native_pictures:read_grey", there, header.kind)
    return np.ascontiguousarray(values[0], dtype=np.uint8)


def import_plots(_stop: StopSignal) -> Work[ModuleType]:
    """The module that draws curves; its library takes a second to import, which is not the window's."""
    yield Progress(done=0, message="loading the plots")
    from ctmri_gui.training.monitor import plots

    return plots
