"""What the pages about runs read and compute in the background."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import FileRefused
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_record import RunRecord
from ctmri_core.training.runs import RunSummary
from ctmri_core.training.verdict import Verdict, read_verdict
from ctmri_gui.training.history.verdict_rows import VerdictTable, table_of

Colour = NDArray[np.uint8]
_MOST_PIXELS = 64 * 2**20
_JUDGE_AGAIN = "Ask for the verdict again."


@dataclass(frozen=True)
class Judged:
    """A verdict with a table for each of its directions."""

    verdict: Verdict
    tables: tuple[VerdictTable, ...]


def judge(folder: Path, anew: bool, stop: StopSignal) -> Work[Judged | None]:
    """The verdict on the run in `folder`: the one there is unless it is wanted `anew`, or a new one."""
    yield Progress(done=0, message="looking for a verdict")
    verdict = None
    with suppress(FileRefused):  # a damaged one is made anew
        verdict = None if anew else read_verdict(folder)
    if verdict is None:
        from ctmri_core.training.beside_others import leaving_room
        from ctmri_core.training.verdict import judge as judged

        with leaving_room():
            verdict = yield from judged(folder, stop)
    return None if verdict is None else Judged(verdict, tuple(map(table_of, verdict.directions)))


def read_case(path: Path, _stop: StopSignal) -> Work[Colour]:
    """(rows, columns, 3) of a picture of a verdict. Raises `FileRefused`."""
    from ctmri_core.io.picture_headers import check_complete, read_header
    from ctmri_core.io.reader_process import shared_reader

    yield Progress(done=0, message="reading a picture")
    if not path.is_file():
        raise FileRefused(path, "is gone.", _JUDGE_AGAIN)
    header = read_header(path)
    if header.kind != "png" or header.shape[1] * header.shape[2] > _MOST_PIXELS:
        raise FileRefused(path, "is no picture of a verdict.", _JUDGE_AGAIN)
    check_complete(path, header.kind)
    return np.ascontiguousarray(shared_reader().call("ctmri_core.io.native_pictures:read_colour", path, header.kind))


def read_records(runs: Sequence[RunSummary], stop: StopSignal) -> Work[tuple[RunRecord, ...] | None]:
    """What each of `runs` has said."""
    records = []
    for number, run in enumerate(runs):
        yield Progress(done=number, total=len(runs), unit="runs", message="reading runs")
        if stop():
            return None
        records.append(RunRecord.of(RunFolder(run.folder).read_events()))
    return tuple(records)
