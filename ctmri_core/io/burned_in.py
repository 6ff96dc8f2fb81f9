"""The word SYNTHETIC in a corner of every slice, for whoever wants it where nothing but pixels is looked at.

Letters in the highest value of the volume on a field of its lowest, so that they are read in any window that shows anything. All
other values stay as they are; in that corner nothing can be measured any more, which goes with the volume as a finding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import WriteFailed
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.volume import Finding, Volume

BURNED_IN = "burned_in_mark"
_FINDING = Finding(
    BURNED_IN, "The word SYNTHETIC is burned into a corner of every slice: values there are not those of the image."
)
_LETTERS = {
    "S": ("01111", "10000", "10000", "01110", "00001", "00001", "11110"),
    "Y": ("10001", "10001", "01010", "00100", "00100", "00100", "00100"),
    "N": ("10001", "11001", "11001", "10101", "10011", "10011", "10001"),
    "T": ("11111", "00100", "00100", "00100", "00100", "00100", "00100"),
    "H": ("10001", "10001", "10001", "11111", "10001", "10001", "10001"),
    "E": ("11111", "10000", "10000", "11110", "10000", "10000", "11111"),
    "I": ("01110", "00100", "00100", "00100", "00100", "00100", "01110"),
    "C": ("01111", "10000", "10000", "10000", "10000", "10000", "01111"),
}
_WORDS = ("SYNTHETIC", "SYN\nTHE\nTIC")
"""In one line, or in three where a slice is too narrow for that."""
_SHARE = 0.3
"""Of a slice's width that the word takes where whole pixels allow it."""
_CELL_MM = 4.0
_Bits = NDArray[np.bool_]


def with_mark(volume: Volume, *, as_seen: bool = True) -> Volume:
    """A copy of `volume` with the word in every slice k, in the corner where least body is.

    `as_seen`: turned so that it reads well where axes are shown as is usual for the body (files without pixels' order of their
    own); else along rows and columns as they are stored (DICOM, pictures). Raises `WriteFailed` for an acquired volume, and for
    slices that are too small.
    """
    if volume.synthetic is None:
        raise WriteFailed("This image was not made by a model, so SYNTHETIC is not burned into it.")
    if any(finding.kind == BURNED_IN for finding in volume.findings):
        return volume
    bits = _fitting(volume.geometry.shape[1:])
    if as_seen:
        bits = _turned(bits, volume.geometry)
    rows, columns = _corner(volume, bits.shape)
    voxels = volume.voxels.copy()
    low, high = voxels.min(), voxels.max()
    if low == high:
        low, high = (voxels.dtype.type(value) for value in (volume.background, volume.background + 1000))
    voxels[:, rows, columns] = np.where(bits, high, low)
    findings = (*volume.findings, _FINDING)
    return volume.with_history("the word SYNTHETIC burned into a corner of every slice", voxels=voxels, findings=findings)


def _fitting(shape: tuple[int, ...]) -> _Bits:
    """(rows, columns), with an edge of one pixel."""
    for word in _WORDS:
        bits = _drawn(word)
        times = min(max(1, int(_SHARE * shape[1] / bits.shape[1])), shape[0] // (2 * bits.shape[0]))
        if times >= 1 and times * bits.shape[1] <= shape[1]:
            return np.kron(bits, np.ones((times, times), np.bool_))
    size = f"{shape[0]} x {shape[1]}"
    raise WriteFailed(f"Slices of {size} pixels are too small for the word SYNTHETIC. Save without burning it in.")


def _drawn(word: str) -> _Bits:
    lines = [np.hstack([_letter(letter) for letter in line])[:, :-1] for line in word.split("\n")]
    return np.pad(np.vstack([np.pad(line, ((0, 1), (0, 0))) for line in lines])[:-1], 2)


def _letter(letter: str) -> _Bits:
    """With a gap behind it."""
    return np.array([[sign == "1" for sign in f"{row}0"] for row in _LETTERS[letter]])


def _turned(bits: _Bits, geometry: Geometry) -> _Bits:
    """Rows are shown to the back or to the feet, columns to the patient's left or to the back."""
    for axis, way in ((0, 1), (1, 2)):
        along = geometry.axes[way]
        main = int(np.abs(along).argmax())
        if (along[main] < 0) != (main == 2):
            bits = np.flip(bits, axis)
    return bits


def _corner(volume: Volume, size: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the first of four corners that covers least of the body."""
    mask, grid = coarse_body_mask(volume, _CELL_MM)
    cover = np.asarray(mask.any(0))
    steps = [coarse / fine for coarse, fine in zip(grid.spacing[1:], volume.geometry.spacing[1:], strict=True)]
    shape = volume.geometry.shape[1:]
    ways = [[slice(0, edge), slice(whole - edge, whole)] for edge, whole in zip(size, shape, strict=True)]
    corners = [(rows, columns) for rows in ways[0] for columns in ways[1]]

    def covered(corner: tuple[slice, slice]) -> float:
        cells = tuple(slice(int(each.start / step), max(int(np.ceil(each.stop / step)), int(each.start / step) + 1))
                      for each, step in zip(corner, steps, strict=True))  # fmt: skip
        part = cover[cells]
        return float(part.mean()) if part.size else 0.0

    return min(corners, key=covered)
