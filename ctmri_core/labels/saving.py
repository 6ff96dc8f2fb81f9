"""Labels that lie over a scan, saved as a DICOM Segmentation or as labelme files, by the suffix of the file's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import WriteFailed
from ctmri_core.events import Noted, Progress, StopSignal, Work
from ctmri_core.files import atomic_folder, write_text
from ctmri_core.geometry import Geometry
from ctmri_core.labels.dicom_seg import DrawnBy, write_dicom_seg
from ctmri_core.labels.label_table import BACKGROUND, LabelTable
from ctmri_core.labels.label_volume import picture_of_slice, shown_slices
from ctmri_core.labels.labelme_writing import labelme_json
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.preprocess.shown_slices import turn_of
from ctmri_core.volume import Volume

Labels = NDArray[np.uint8]
_OTHER_VOXELS = "The mask does not have the voxels of the scan: every voxel of the scan was given the nearest label."


def save_labels(
    labels: Labels, geometry: Geometry, names: Mapping[int, str], scan: Volume, target: Path, drawn_by: DrawnBy, stop: StopSignal
) -> Work[Path | None]:
    """`labels`: (k, j, i) on `geometry`, 0 and the numbers in `names`. `.dcm`: a DICOM Segmentation over `scan`; `.json`: labelme
    with its pictures, of several slices in a folder of that name without the suffix, turned as the viewer shows them.

    Returns what was written, None when stopped. Raises `WriteFailed`.
    """
    if not geometry.is_close(scan.geometry):
        labels = resample_array(labels, geometry, scan.geometry, order=0)
        yield Noted(message=_OTHER_VOXELS)
    if target.suffix.lower() == ".dcm":
        yield Progress(done=0, message=f"writing {target.name}")
        return None if stop() else write_dicom_seg(labels, scan, target, names, drawn_by=drawn_by)
    return (yield from _save_labelme(labels, names, scan, target, stop))


def _save_labelme(labels: Labels, names: Mapping[int, str], scan: Volume, target: Path, stop: StopSignal) -> Work[Path | None]:
    table = LabelTable((BACKGROUND, *(names.get(value, f"label_{value}") for value in range(1, max(names, default=0) + 1))))
    limits, count, turn = shown_slices(scan), len(labels), turn_of(scan.geometry)

    def text(k: int, name: str) -> str:
        drawn, picture = (turn.arranged(plane) for plane in (labels[k], picture_of_slice(scan, k, limits)))
        return labelme_json(np.ascontiguousarray(drawn), table, np.ascontiguousarray(picture), f"{name}.png")

    if count == 1:
        yield Progress(done=0, message=f"writing {target.name}")
        write_text(target, text(0, target.stem))
        return target
    folder = target.with_suffix("")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WriteFailed(f"{folder.name} is there already; the labelme files of all slices need a new folder of that name.")
    with atomic_folder(folder) as temporary:
        for k in range(count):
            if stop():
                return None
            name = f"{target.stem}_{k + 1:04d}"
            (temporary / f"{name}.json").write_text(text(k, name), encoding="utf-8")
            yield Progress(done=k + 1, total=count, unit="slices", message=f"writing {folder.name}")
    return folder
