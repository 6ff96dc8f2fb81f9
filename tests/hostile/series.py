"""Stacks of DICOM slices, written element by element: what they hold comes from numbers and from no DICOM library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.hostile.dicom_bytes import BIG_ENDIAN, EXPLICIT, UID, Value, dicom

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
PIXELS = (0.5, 0.75)
"""mm from row to row and from column to column."""
SIZE = (10, 12)
FIRST = (-20.0, -30.0, -15.0)


@dataclass
class Slice:
    """One file to be: stored values (rows, columns), elements by keyword, transfer syntax."""

    stored: NDArray[Any]
    edits: dict[str, Value]
    syntax: str = EXPLICIT
    modality: str = "CT"
    cut: int = 0
    """Bytes missing at the end of the file."""

    def content(self) -> bytes:
        bits, signed = self.edits.get("BitsAllocated", 16), self.edits.get("PixelRepresentation", 1)
        order = ">" if self.syntax == BIG_ENDIAN else "<"
        pixels = self.stored.astype(f"{order}{'i' if signed else 'u'}{int(str(bits)) // 8}").tobytes()
        content = dicom(self.edits, modality=self.modality, syntax=self.syntax, pixels=pixels)
        return content[: len(content) - self.cut]

    def values(self) -> NDArray[np.float64]:
        """What the stored values stand for."""
        slope, intercept = (
            self.edits.get(name, standard) for name, standard in (("RescaleSlope", "1"), ("RescaleIntercept", "0"))
        )
        return self.stored * float(str(slope or 1)) + float(str(intercept or 0))


def axes_of(orientation: Sequence[float]) -> NDArray[np.float64]:
    """(3, 3): normal, down a column, along a row."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    return np.stack([np.cross(row, column), column, row])


def text(numbers: Sequence[float], digits: int = 6) -> str:
    """Decimal strings."""
    return "\\".join(f"{number:.{digits}f}" for number in numbers)


def stack(
    count: int = 20,
    step: float = 2.5,
    *,
    orientation: Sequence[float] = AXIAL,
    tilt: tuple[float, float] = (0.0, 0.0),
    digits: int = 6,
    seed: int = 0,
    size: tuple[int, int] = SIZE,
    pixels: tuple[float, float] = PIXELS,
    values: tuple[int, int] = (0, 3000),
    modality: str = "CT",
    syntax: str = EXPLICIT,
    series: int = 1,
    **edits: Value,
) -> list[Slice]:
    """A clean stack along its normal. `tilt`: mm down a column and along a row per mm of height."""
    axes = axes_of(orientation)
    stored = np.random.default_rng(seed).integers(*values, (count, *size), endpoint=True)
    slices = []
    for k in range(count):
        place = np.array(FIRST) + k * step * (axes[0] + tilt[0] * axes[1] + tilt[1] * axes[2])
        fields: dict[str, Value] = {
            "SOPInstanceUID": f"{UID}.{series}.{k + 1}", "SeriesInstanceUID": f"{UID}.{series}", "SeriesNumber": str(series),
            "InstanceNumber": str(k + 1), "ImagePositionPatient": text(place, digits), "Rows": size[0], "Columns": size[1],
            "ImageOrientationPatient": text(orientation, 8), "PixelSpacing": text(pixels, 4), "SliceThickness": f"{step:g}",
        }  # fmt: skip
        slices.append(Slice(stored[k], {**fields, **edits}, syntax, modality))
    return slices


def write(folder: Path, slices: Sequence[Slice]) -> Path:
    """One file per slice, in an order that tells nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, each in zip(np.random.default_rng(3).permutation(len(slices)), slices, strict=True):
        (folder / f"IM{number:03d}").write_bytes(each.content())
    return folder
