"""Grey pictures of slices, alone and held against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from ctmri_gui.preparing.pair_work import Planes

Grey = NDArray[np.uint8]
WAYS = {"checkerboard": "Checkerboard", "difference": "Difference", "blend": "One over the other"}
_FIELDS = 8  # along the longer side
_MOST_ANISOTROPY = 1.01


def held_together(first: Grey, other: Grey, way: str) -> Grey:
    """Both in one picture, by a key of `WAYS`."""
    if way == "difference":
        return np.asarray(np.abs(first.astype(np.int16) - other), np.uint8)
    if way == "blend":
        return np.asarray((first.astype(np.uint16) + other) // 2, np.uint8)
    edge = max(2, max(first.shape) // _FIELDS)
    rows, columns = np.indices(first.shape)
    board: Grey = np.where((rows // edge + columns // edge) % 2 == 0, first, other)
    return board


def picture(grey: NDArray[Any], pixel_mm: tuple[float, float] = (1.0, 1.0)) -> QImage:
    """As it lies in the patient: pixels that are not square are stretched."""
    rows, columns = grey.shape
    content = np.ascontiguousarray(grey)
    made = QImage(content.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
    ratio = pixel_mm[0] / pixel_mm[1]
    if 1 / _MOST_ANISOTROPY < ratio < _MOST_ANISOTROPY:
        return made
    wide, high = (columns, max(round(rows * ratio), 1)) if ratio > 1 else (max(round(columns / ratio), 1), rows)
    return made.scaled(wide, high, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)


def four(planes: Planes, way: str) -> tuple[QImage, QImage, QImage, QImage]:
    """The first picture, the other where it is laid, both held together before and after."""
    before, after = (held_together(planes.first, other, way) for other in (planes.before, planes.after))
    first, laid, apart, together = (picture(grey, planes.pixel_mm) for grey in (planes.first, planes.after, before, after))
    return first, laid, apart, together
