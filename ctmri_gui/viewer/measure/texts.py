"""Measurements in words, as they stand beside shapes and in the list."""

from __future__ import annotations

import math

from ctmri_core.measuring.shapes import Shape
from ctmri_core.measuring.statistics import Sampling, Statistics
from ctmri_gui.viewer.readout import number_text

PENDING, NOTHING = "…", "no value here"
LEGEND = "≈ sampled (trilinear): no slice of that image lies on the plane of the region. Else the file's own voxels."


def size_text(shape: Shape) -> str:
    """`23.4 mm`, `45.2°` or `123 mm²`."""
    if shape.length_mm is not None:
        return f"{shape.length_mm:.1f} mm"
    if shape.angle_degrees is not None:
        return "–" if math.isnan(shape.angle_degrees) else f"{shape.angle_degrees:.1f}°"
    area = shape.area_mm2 or 0.0
    return f"{area:.{0 if area >= 100 else 1}f} mm²"


def mean_text(found: Statistics | None, unit: str) -> str:
    """`≈ 43.1 ± 12.0 HU`: the sign stands before sampled values."""
    if found is None:
        return NOTHING
    digits = _digits(max(abs(found.mean), found.sd if found.count > 1 else 0.0))
    spread = f" ± {found.sd:.{digits}f}" if found.count > 1 else ""
    return f"{'≈ ' if found.sampling is Sampling.SAMPLES else ''}{found.mean:.{digits}f}{spread} {unit}"


def range_text(found: Statistics) -> str:
    """`−20 … 90`, in the unit that stands behind the mean."""
    return f"{number_text(found.minimum)} … {number_text(found.maximum)}"


def count_text(found: Statistics) -> str:
    """`143 voxels`; `120 of 143 voxels` where the image does not reach the others."""
    what = "voxel" if found.sampling is Sampling.VOXELS else "sample"
    share = f" of {found.count + found.missing}" if found.missing else ""
    return f"{found.count}{share} {what}{'' if found.count + found.missing == 1 else 's'}"


def _digits(size: float) -> int:
    """One decimal for what is measured in tens, more for what is small."""
    return 1 if size >= 10 or size == 0 else 2 if size >= 1 else 4
