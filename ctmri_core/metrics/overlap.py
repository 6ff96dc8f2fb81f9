"""How well outlines of organs in the synthetic image lie on those in the truth."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.alignment import outline_dice
from ctmri_core.metrics.checks import Mask, Values, check_pair

Labels = NDArray[np.integer[Any]]
Box = tuple[slice, ...]
_MOST_LABELS = 65535


@dataclass(frozen=True, slots=True)
class LabelOverlap:
    """`hausdorff_95` in mm, None where the synthetic image lacks the label: then `dice` is 0 and no distance exists."""

    dice: float
    hausdorff_95: float | None


def hausdorff(a: Mask, b: Mask, *, spacing: Sequence[float], percentile: float = 95.0) -> float:
    """Distance in mm that `percentile` % of one outline's surface stays within of the other's, the larger of both ways.

    Surfaces are the voxels (pixels) of an outline with a face (side) neighbour outside it or the image; distances are between
    centres, `spacing` in mm in array order. With 95 the HD95 of SynthRAD2025, with 100 the Hausdorff distance (Huttenlocher
    et al., IEEE TPAMI 15, 1993). Raises `GeometryMismatch` on unequal shapes or too few spacings, `NotComparable` when an
    outline is empty.
    """
    check_pair(a, b)
    if len(spacing) != a.ndim or not all(np.isfinite(step) and step > 0 for step in spacing):
        raise GeometryMismatch(f"Outlines of {a.ndim} dimensions need as many positive spacings, not {tuple(spacing)}.")
    if a.dtype != np.bool_ or b.dtype != np.bool_:
        raise NotComparable("Outlines must be boolean.")
    if not (a.any() and b.any()):
        raise NotComparable("An outline is empty: there is no distance to it. Its Dice overlap is 0.")
    part = _around(a | b)
    surfaces = [_surface(outline[part]) for outline in (a, b)]
    return max(
        float(np.percentile(_distances(one, spacing)[other], percentile)) for one, other in (surfaces, surfaces[::-1])
    )


def label_overlaps(
    truth: Labels, synthetic: Labels, *, spacing: Sequence[float], labels: Collection[int] | None = None
) -> dict[int, LabelOverlap]:
    """Dice and HD95 of every label that occurs in the truth but 0, of `labels` alone where given.

    As in SynthRAD2025, labels that the truth lacks are left out. Raises `GeometryMismatch` on unequal shapes or too few
    spacings, `NotComparable` when a label map is none (not whole numbers from 0 to 65535) or the truth holds none of the labels.
    """
    from scipy.ndimage import find_objects

    check_pair(truth, synthetic)
    highest = max(int(truth.max()), int(synthetic.max()))
    if any(image.dtype.kind not in "iu" or image.min() < 0 for image in (truth, synthetic)) or highest > _MOST_LABELS:
        raise NotComparable(f"Label maps hold whole numbers from 0 to {_MOST_LABELS}.")
    boxes = [find_objects(image.astype(np.int32, copy=False), highest) for image in (truth, synthetic)]
    result = {}
    for label, (box, other) in enumerate(zip(*boxes, strict=True), start=1):
        if box is not None and (labels is None or label in labels):
            part = box if other is None else _joined(box, other)
            a, b = truth[part] == label, synthetic[part] == label
            result[label] = LabelOverlap(outline_dice(a, b), None if other is None else hausdorff(a, b, spacing=spacing))
    if not result:
        raise NotComparable("The truth holds none of the labels: there is nothing to compare.")
    return result


def _joined(one: Box, other: Box) -> Box:
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True))


def _around(mask: Mask) -> Box:
    """The smallest box that holds `mask`, which is not empty."""
    result = []
    for axis in range(mask.ndim):
        places = np.flatnonzero(mask.any(tuple(n for n in range(mask.ndim) if n != axis)))
        result.append(slice(int(places[0]), int(places[-1]) + 1))
    return tuple(result)


def _surface(outline: Mask) -> Mask:
    from scipy.ndimage import binary_erosion

    surface: Mask = outline & ~binary_erosion(outline)
    return surface


def _distances(surface: Mask, spacing: Sequence[float]) -> Values:
    """To the nearest voxel of `surface`, in mm."""
    from scipy.ndimage import distance_transform_edt

    distances: Values = distance_transform_edt(~surface, sampling=tuple(spacing))
    return distances
