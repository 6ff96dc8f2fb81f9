"""Volumes as a folder of 16-bit PNG slices, for programs that know nothing else, and for ours: nothing is lost in HU.

Each file says in its text chunk (`png_slices`) where it belongs and whether it is synthetic; README.txt says it to people. The
pixels themselves stay as they are. The record of how the volume was made lies beside the first slice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import ctmri_core
from ctmri_core.domain import Domain
from ctmri_core.errors import Stopped, WriteFailed
from ctmri_core.events import Noted, Progress, StopSignal, Work, never
from ctmri_core.files import atomic_folder
from ctmri_core.io.png_slices import Scale, encode, slice_text
from ctmri_core.io.provenance import provenance_of, sidecar_path
from ctmri_core.io.stored_values import VoxelSink
from ctmri_core.io.value_range import finite_range
from ctmri_core.volume import Volume, Voxels

_LEVELS = 65536
_PREFERRED = {Domain.CT: -1024}  # as pairs of CT and MR slices are commonly kept


def write_png_slices(volume: Volume, folder: str | Path, *, stop: StopSignal = never) -> Work[Path]:
    """One file per slice k, `ct_0001.png`, in the new (or empty) `folder`; all of them appear or nothing.

    Whole numbers that span no more than 65536 are kept exactly. CT with fractions is rounded to whole HU; other values are
    spread over 65536 levels, which is noted and said in the files. Raises `WriteFailed`; `Stopped`.
    """
    folder = Path(folder)
    scale = scale_of(volume)
    count = volume.geometry.shape[0]
    prefix = volume.domain.value if scale.slope == 1 and scale.intercept == _PREFERRED.get(volume.domain, 0) else "slice"
    written = VoxelSink(folder, volume.voxels.size, np.dtype(np.uint16), scale.slope, scale.intercept)
    if scale.note:
        yield Noted(message=scale.note)
    with atomic_folder(folder) as temporary:
        for k, values in enumerate(volume.voxels):
            if stop():
                raise Stopped(f"Writing {folder.name} was stopped.")
            stored = _levels(values, scale)
            written.take(stored.reshape(-1))
            content = encode(stored, slice_text(volume, scale, k))
            path = temporary / f"{prefix}_{k + 1:04d}.png"
            path.write_bytes(content)
            if path.read_bytes() != content:
                raise WriteFailed(f"{path.name} was not the same when it was read back, so nothing was kept. Check the disk.")
            yield Progress(done=k + 1, total=count, unit="slices", message=f"writing {folder.name}")
        first = temporary / f"{prefix}_0001.png"
        voxels, _ = written.result(volume.geometry.shape)  # as they will be read, for the record counts with them alone
        record = provenance_of(replace(volume, voxels=voxels))
        sidecar_path(first).write_text(record.model_dump_json(indent=2), encoding="utf-8")
        (temporary / "README.txt").write_text(_readme(volume, scale), encoding="utf-8")
    return folder


def scale_of(volume: Volume) -> Scale:
    """How values become 16-bit numbers. Raises `WriteFailed` on values that are no numbers."""
    low, high = finite_range(volume)
    whole = volume.voxels.dtype == np.int16 or all(bool((values == np.rint(values)).all()) for values in volume.voxels)
    if whole or volume.domain is Domain.CT:
        intercept = min(_PREFERRED.get(volume.domain, 0), math.floor(low))
        if high - intercept >= _LEVELS - 1 and math.ceil(high) - math.floor(low) < _LEVELS:
            intercept = math.floor(low)
        if math.ceil(high) - intercept < _LEVELS:
            return Scale(1.0, float(intercept), "" if whole else "Values were rounded to whole HU.")
    if low == high:
        return Scale(1.0, low)
    slope = (high - low) / (_LEVELS - 1)
    return Scale(slope, low, f"Values were rounded to {_LEVELS} levels; the largest error is {slope / 2:.3g} {volume.unit}.")


def _levels(values: Voxels, scale: Scale) -> NDArray[np.uint16]:
    if values.dtype == np.int16 and scale.slope == 1:
        return (values.astype(np.int32) - int(scale.intercept)).astype(np.uint16)
    return np.clip(np.rint((values.astype(np.float64) - scale.intercept) / scale.slope), 0, _LEVELS - 1).astype(np.uint16)


def _readme(volume: Volume, scale: Scale) -> str:
    grid = volume.geometry
    sizes = " x ".join(f"{value:g}" for value in grid.spacing)
    facts = json.loads(slice_text(volume, scale, 0))
    lines = (
        "SYNTHETIC IMAGES, NOT FOR DIAGNOSTIC USE" if volume.synthetic is not None else "Images converted by CT-MRI Studio",
        "",
        f"{volume.label}: {' x '.join(map(str, grid.shape))} slices, rows, columns of {sizes} mm, written by CT-MRI Studio "
        f"{ctmri_core.__version__}.",
        f"16-bit grey values; value in {volume.unit} = {scale.slope!r} * stored + {scale.intercept!r}. {scale.note}".strip(),
        f"Patient coordinates in mm (x to the left, y to the back, z to the head) of the first pixel of the first slice: "
        f"{facts['origin']}",
        f"Directions from slice to slice, row to row, column to column: {facts['direction']}",
        *_terms(volume),
        'The same stands as JSON in the text chunk "CT-MRI Studio" of every picture.',
        "",
    )
    return "\n".join(lines)


def _terms(volume: Volume) -> Iterator[str]:
    """What the model learnt from, whose that is and under which licence."""
    known = volume.synthetic.details.get("training_data") if volume.synthetic is not None else None
    for data in known if isinstance(known, list | tuple) else ():
        if isinstance(data, dict):
            what, licence, credit = (" ".join(str(data.get(key) or "").split()) for key in ("what", "licence", "credit"))
            yield f"Made by a model that learnt from {what or 'data'} (licence: {licence or 'not stated'}). {credit}".strip()
