"""Opening a DICOM series takes the volume and a few slices, whatever the voxels turn out to need."""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest

from ctmri_core.events import finish
from ctmri_core.io.opening import load, preview, scan
from ctmri_core.io.series import straightened
from tests.hostile.series import stack, text, write

COUNT, SIZE = 96, (80, 80)
A_FEW = 6 + 6 * min(4, os.cpu_count() or 1)
"""float32 slices: what each of up to four threads holds while it rescales one, and what lies between reading and writing."""


def peak_bytes(work):
    tracemalloc.start()
    try:
        result = work()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def ct(**options):
    return stack(COUNT, size=SIZE, **options)


def mr_beyond_int16(number):
    """Only the pixels of one slice tell that float32 is needed."""
    slices = ct(modality="MR", PixelRepresentation=0)
    slices[number].stored = slices[number].stored.copy()
    slices[number].stored[3, 4] = 60_000
    return slices


def uneven(slices):
    for k, each in enumerate(slices):
        each.edits["ImagePositionPatient"] = text((0, 0, 2.5 * k + 0.4 * (k % 2)))
    return slices


@pytest.mark.parametrize(
    ("make", "straighten", "dtype"),
    [
        (lambda: ct(BitsStored=12, HighBit=11, values=(0, 2000)), False, np.int16),
        (lambda: ct(modality="MR", PixelRepresentation=0), False, np.int16),
        (lambda: ct(RescaleSlope="0.5"), False, np.float32),
        (lambda: mr_beyond_int16(0), False, np.float32),
        (lambda: mr_beyond_int16(COUNT // 2), False, np.float32),
        (lambda: mr_beyond_int16(COUNT - 1), False, np.float32),
        (lambda: ct(tilt=(0.1, 0.05)), False, np.int16),
        (lambda: ct(tilt=(0.1, 0.05)), True, np.int16),
        (lambda: uneven(ct()), False, np.int16),
        (lambda: uneven(mr_beyond_int16(COUNT - 2)), False, np.float32),
    ],
    ids=[
        "int16", "int16 by luck", "float32", "float32 at once", "float32 half way", "float32 in the end", "tilted",
        "straightened", "uneven", "uneven and float32",
    ],
)  # fmt: skip
def test_opening_takes_the_volume_and_a_few_slices(tmp_path, make, straighten, dtype, monkeypatch):
    """Without the look at what the voxels show, which takes a few megabytes of any volume: more than all of these."""
    monkeypatch.setattr("ctmri_core.io.opening.with_second_opinion", lambda volume: volume)
    slices = make()
    (series,) = scan(write(tmp_path, slices))
    series = straightened(series) if straighten else series
    volume, peak = peak_bytes(lambda: finish(load(series)))
    assert volume.voxels.dtype == dtype and volume.voxels.flags.c_contiguous
    assert peak - volume.voxels.nbytes < A_FEW * 4 * SIZE[0] * SIZE[1]
    if not volume.history:
        assert np.allclose(volume.voxels, [each.values() for each in slices])


def test_a_preview_takes_a_few_slices(tmp_path):
    (series,) = scan(write(tmp_path, ct()))
    first, peak = peak_bytes(lambda: preview(series))
    assert first.voxels.shape == (1, *SIZE) and peak < A_FEW * 4 * SIZE[0] * SIZE[1]
