"""Label maps as volumes: read from whatever opens, laid on the scan that they were drawn on, written as NIfTI."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, WrongInput
from ctmri_core.events import Noted, StopSignal, Work
from ctmri_core.io.opening import load, sole_series
from ctmri_core.io.series import ESTIMATED_SPACING
from ctmri_core.labels.label_table import UNDECIDED
from ctmri_core.preprocess.given_body import same_voxels
from ctmri_core.preprocess.mr_range import body_range
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.preprocess.shown_slices import turn_of
from ctmri_core.volume import Volume

Labels = NDArray[np.uint8]
_CT_WINDOW = (40.0, 400.0)
_IN_ORDER = "Pictures do not tell their place: the first is taken for the first slice of the scan, and so on"
_STORED = ", rows and columns as the scan's file holds them, which is not how the viewer shows them"


def read_labels(path: Path, stop: StopSignal) -> Work[tuple[Volume, Labels] | None]:
    """The volume in a file or folder, and its labels. Raises `FileRefused` where it is no label map."""
    volume = yield from load(sole_series(path), stop)
    if volume is None:
        return None
    try:
        return volume, labels_in(volume)
    except WrongInput as error:
        raise FileRefused(path, str(error), "Choose a mask or a label map.") from error


def labels_in(volume: Volume) -> Labels:
    """(k, j, i) uint8. 0 and 255 alone are a mask, 0 and 1; with other numbers 255 is what was left open.

    Raises `WrongInput` for values that are no whole numbers from 0 to 255.
    """
    found: set[float] = set()
    for plane in volume.voxels:
        values = np.unique(plane)
        if not np.isfinite(values).all() or (values != np.rint(values)).any() or values[0] < 0 or values[-1] > UNDECIDED:
            raise WrongInput("holds values that are no whole numbers from 0 to 255, so it is no map of labels.")
        found.update(values.tolist())
    if found <= {0.0, float(UNDECIDED)}:
        return np.equal(volume.voxels, UNDECIDED).view(np.uint8)
    return volume.voxels.astype(np.uint8)


def on_scan(volume: Volume, labels: Labels, scan: Volume) -> Work[Labels]:
    """`labels`, those in `volume`, in the order of the voxels of `scan`. Pictures, which tell no place, lie on its slices one by
    one, which is said. Raises `WrongInput` where the voxels are others."""
    if any(finding.kind == ESTIMATED_SPACING for finding in volume.findings) and labels.shape == scan.geometry.shape:
        yield Noted(message=f"{_IN_ORDER}{_STORED if turn_of(scan.geometry) else ''}.")
        return labels
    if not same_voxels(volume.geometry, scan.geometry):
        sizes = " and ".join(" x ".join(map(str, shape)) for shape in (labels.shape, scan.geometry.shape))
        problem = f"The labels do not have the voxels of the scan ({sizes} slices, rows, columns)."
        raise WrongInput(f"{problem} Give the scan that they are of.")
    if labels.shape == scan.geometry.shape and volume.geometry.is_close(scan.geometry, 0.02 * min(scan.geometry.spacing)):
        return labels
    return resample_array(labels, volume.geometry, scan.geometry, order=0)


def label_volume(labels: Labels, scan: Volume) -> Volume:
    """int16 on the grid of `scan`, to be saved; without its patient data."""
    return Volume(
        labels.astype(np.int16), scan.geometry, Domain.UNKNOWN, "Labels",
        frame_of_reference=scan.frame_of_reference, history=("labels drawn on a scan",),
    )  # fmt: skip


def shown_slices(scan: Volume) -> tuple[float, float]:
    """(low, high): what is black and white in 8-bit pictures of `scan`. Whole values from 0 to 255 stay what they are."""
    low, high = float(scan.voxels.min()), float(scan.voxels.max())
    if scan.domain is not Domain.CT and scan.voxels.dtype == np.int16 and low >= 0 and high <= 255:
        return 0.0, 255.0
    if scan.window is not None or scan.domain is Domain.CT:
        centre, width = scan.window or _CT_WINDOW
        return centre - width / 2, centre + width / 2
    low, high = body_range(scan)
    return low, max(high, low + 1e-6)


def picture_of_slice(scan: Volume, k: int, limits: tuple[float, float]) -> Labels:
    """(rows, columns) 8-bit grey of slice `k`, as it is stored."""
    low, high = limits
    shares = (np.nan_to_num(scan.voxels[k].astype(np.float32), nan=scan.background) - low) / (high - low)
    grey: Labels = np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)
    return grey
