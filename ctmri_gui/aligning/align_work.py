"""The work of aligning, as jobs: generators of events that can be stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ctmri_core.errors import WrongInput
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_gui.aligning.proposal import Proposal
from ctmri_gui.jobs import work

if TYPE_CHECKING:
    from ctmri_core.aligning.kinds import Kind
    from ctmri_core.preprocess.spatial_transform import SpatialTransform
    from ctmri_core.volume import Volume


def found(source: Volume, truth: Volume, original: Volume, kind: Kind, stop: StopSignal) -> Work[Proposal | None]:
    """Where registration puts the truth. Raises `WrongInput` where it failed."""
    from ctmri_core.aligning.align import align

    aligned = yield from align(source, original, kind, stop)
    if aligned is None:
        return None
    if aligned.problem:
        raise WrongInput(f"The ground truth could not be aligned, and stays where it was. {aligned.problem}")
    return (yield from _shown(source, truth, original, aligned.transform, aligned.how, aligned.after.numbers, stop))


def loaded(path: Path, source: Volume, truth: Volume, original: Volume, stop: StopSignal) -> Work[Proposal | None]:
    """Where the transform of a file puts it. Raises `FileRefused`."""
    from ctmri_core.aligning.align import judged_as_given
    from ctmri_core.io.transform_file import read_transform

    yield Progress(done=0, message="reading the transform")
    transform = read_transform(path)
    _, after = judged_as_given(source, original, transform)
    how = f"transform from a file ({after.numbers})"
    return (yield from _shown(source, truth, original, transform, how, after.numbers, stop))


def as_it_lies(source: Volume, truth: Volume, original: Volume, stop: StopSignal) -> Work[Proposal | None]:
    """As the file says, to be moved by hand; with its middle on that of the source where nothing of it would be seen."""
    from ctmri_core.alignment import alignment_of
    from ctmri_core.preprocess.spatial_transform import SpatialTransform

    yield Progress(done=0, message="looking where it lies")
    matrix, how = np.eye(4), ""
    if alignment_of(source, original).state == "no overlap":
        matrix[:3, 3], how = original.geometry.centre - source.geometry.centre, "middles laid on each other"
    return (yield from _shown(source, truth, original, SpatialTransform(matrix), how, "", stop))


def written(path: Path, transform: SpatialTransform, _stop: StopSignal) -> Work[Path]:
    """Raises `WriteFailed`."""
    from ctmri_core.io.transform_file import write_transform

    yield Progress(done=0, message="writing")
    write_transform(path, transform)
    return path


def _shown(
    source: Volume, truth: Volume, original: Volume, transform: SpatialTransform, how: str, numbers: str, stop: StopSignal
) -> Work[Proposal | None]:
    from ctmri_core.aligning.placed import placed

    there = placed(original, source, transform, how or "laid by hand")
    yield from work.look_at(there, stop)
    return None if stop() else Proposal(source, truth, original, transform, there, how, numbers)
