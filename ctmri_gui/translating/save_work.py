"""Saving a volume, with its maps and draws where they are wanted, as a job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.volume import Volume
from ctmri_gui.translating.made import Beside


def paths_beside(target: Path, beside: Sequence[Beside]) -> tuple[Path, ...]:
    """Where each is written."""
    if not beside:
        return ()
    from ctmri_core.io.saving_together import path_beside

    return tuple(path_beside(target, one.word, is_map=one.is_map) for one in beside)


def save_with(
    volume: Volume, target: Path, source: Volume | None, beside: Sequence[Beside], slices: Literal["dicom", "png"],
    deidentify: bool, burn_in: bool, stop: StopSignal,
) -> Work[Path | None]:  # fmt: skip
    """Writes a file (by its suffix) or `slices` into the folder `target`, and `beside` next to it: all of it appears, or nothing
    does. None when it was stopped; raises `WriteFailed`.

    Whoever asks for it has asked the user before a file is replaced. `deidentify`: without the patient's data; `burn_in`: with
    the word SYNTHETIC in every slice.
    """
    from ctmri_core.io.saving_together import save_together

    yield Progress(done=0, message="writing")
    outputs = [(volume, target), *zip((one.volume for one in beside), paths_beside(target, beside), strict=True)]
    done = yield from save_together(
        outputs, source=source, slices=slices, deidentify=deidentify, burn_in=burn_in, stop=stop
    )  # fmt: skip
    return target if done else None
