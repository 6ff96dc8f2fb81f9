"""The worst slice of a case as four small grey pictures: source, synthetic, truth and their difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict

from ctmri_core.domain import Domain
from ctmri_core.evaluation.prepared_images import PreparedImages
from ctmri_core.files import atomic_file
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.slice_grid import slice_order

PARTS = ("source", "synthetic", "truth", "difference")
_CT_WINDOW = (-200.0, 600.0)  # HU: soft tissue in greys and bone not all white
_LARGEST_ERROR = {True: 500.0, False: 50.0}  # white in the picture of differences: HU of CT, % of the range of MR


class PictureFacts(BaseModel):
    """What was written; see `CasePicture`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    k: int
    error: float
    parts: tuple[str, ...]
    source_window: tuple[float, float] | None
    target_window: tuple[float, float]
    difference: float
    aspect: float


def write_slice(
    stem: Path, images: PreparedImages, source: NDArray[Any] | None, source_domain: Domain, geometry: Geometry, k: int,
    error: float,
) -> PictureFacts:  # fmt: skip
    """Private PNGs, `STEM-synthetic.png` and so on, rows to posterior, columns to the patient's left. Raises `WriteFailed`."""
    order, flips = slice_order(geometry)
    target = _CT_WINDOW if images.is_ct else (0.0, images.data_range)
    largest = _LARGEST_ERROR[images.is_ct]
    panes = {
        "synthetic": _grey(images.synthetic, target, order, flips, k),
        "truth": _grey(images.truth, target, order, flips, k),
        "difference": _grey(np.where(images.mask, np.abs(images.synthetic - images.truth), 0), (0, largest), order, flips, k),
    }
    window = None
    if source is not None:
        window = _window(source, source_domain)
        panes["source"] = _grey(source, window, order, flips, k)
    for part, pane in panes.items():
        with atomic_file(picture_path(stem, part), private=True) as temporary:
            Image.fromarray(pane).save(temporary)
    spacing = geometry.permuted(order, flips).spacing
    parts = tuple(part for part in PARTS if part in panes)
    return PictureFacts(
        k=k, error=error, parts=parts, source_window=window, target_window=target, difference=largest,
        aspect=spacing[1] / spacing[2],
    )  # fmt: skip


def picture_path(stem: Path, part: str) -> Path:
    return stem.with_name(f"{stem.name}-{part}.png")


def _window(source: NDArray[Any], domain: Domain) -> tuple[float, float]:
    if domain is Domain.CT:
        return _CT_WINDOW
    low, high = (float(value) for value in np.nanpercentile(source, (0.5, 99.5)))
    return low, max(high, low + 1e-6 * max(1.0, abs(low)))


def upright(values: NDArray[Any], order: tuple[int, ...], flips: tuple[bool, ...], k: int) -> NDArray[Any]:
    """Slice `k` along `order[0]`, rows to posterior, columns to the patient's left. `order`, `flips`: `slice_order`."""
    plane = np.take(values, k, axis=order[0])
    rows, columns = (axis - (axis > order[0]) for axis in order[1:])
    result: NDArray[Any] = plane.transpose(rows, columns)[:: -1 if flips[1] else 1, :: -1 if flips[2] else 1]
    return result


def _grey(
    values: NDArray[Any], window: tuple[float, float], order: tuple[int, ...], flips: tuple[bool, ...], k: int
) -> NDArray[np.uint8]:
    low, high = window
    plane = upright(values, order, flips, k)
    shares = np.clip(np.nan_to_num((plane.astype(np.float32) - low) / (high - low)), 0, 1)
    result: NDArray[np.uint8] = np.ascontiguousarray((shares * 255).round().astype(np.uint8))
    return result
