"""A small round lesion in the white matter of one hemisphere."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from ctmri_core.phantom.canvas import Canvas
from ctmri_core.phantom.noise import Generator
from ctmri_core.phantom.tissues import Tissue


def paint_lesion(canvas: Canvas, rng: Generator) -> dict[str, Any]:
    """Paints the lesion; returns `centre_mm` (LPS in patient space), `radius_mm` and `tissue`.

    The centre is drawn among white-matter nodes with white matter all around, at cerebral level.
    """
    radius = float(rng.uniform(4.5, 8.0))
    stride = max(1, round(4 / canvas.step))
    white = (canvas.labels == Tissue.WHITE_MATTER) & (canvas.z > 8) & (np.abs(canvas.x) > 12)
    share = ndimage.uniform_filter(white[::stride, ::stride, ::stride].astype(np.float32), 3)
    candidates = np.argwhere(share > 0.8 * share.max()) * stride
    centre = candidates[rng.integers(len(candidates))].astype(np.float64)
    reach = int(np.ceil(radius / canvas.step)) + 1
    low, high = centre.astype(int) - reach, centre.astype(int) + reach + 1
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    offsets = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), -1) * canvas.step
    canvas.labels[box][(offsets**2).sum(-1) <= radius**2] = Tissue.LESION
    mm = canvas.geometry.index_to_mm(centre)
    return {"centre_mm": tuple(map(float, mm)), "radius_mm": radius, "tissue": "lesion"}
