"""One form for all pictures of a study, so that nothing beside the picture itself tells real from synthetic (READER_STUDY D3).

Real and synthetic pictures of a patient are sampled once each from their own grid onto one grid, cut to one body, given one
background, one range and one depth. What is left to tell them apart is what the leak audit looks for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ctmri_core.domain import Domain
from ctmri_core.errors import NotComparable
from ctmri_core.geometry import Geometry, Triple
from ctmri_core.preprocess.resample import resample_array, sample_lattice
from ctmri_core.studies.pictures import Int16Array
from ctmri_core.volume import Volume

MR_TOP = 1000
"""Of MR, whose units mean nothing: the 99.5th percentile inside the body becomes this, the 0.5th becomes 0."""
CT_RANGE = (-1000.0, 1500.0)
"""HU from air to dense bone; metal and what lies beyond is cut off in both arms."""
CT_WINDOW = (40.0, 80.0)
"""Centre and width, HU, that a study of CT opens with unless another is named: over the whole range no soft tissue shows."""
_PERCENTILES = (0.5, 99.5)
_MARGIN_MM = 8.0
Mask = NDArray[np.bool_]


class CommonForm(BaseModel):
    """`shape` (k, j, i) and `spacing` mm; k rises towards the head, j to the back, i to the patient's left. `low`, `high`: range
    of values, HU for CT; `low` outside of the body."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: Domain
    shape: tuple[int, int, int]
    spacing: Triple
    low: float
    high: float = Field(gt=0)

    def grid(self, centre: Triple) -> Geometry:
        """Around `centre` (LPS mm)."""
        half = [(n - 1) / 2 * step for n, step in zip(self.shape, self.spacing, strict=True)]
        x, y, z = centre
        return Geometry(self.shape, self.spacing, (x - half[2], y - half[1], z - half[0]))


def form_for(domain: Domain, extents: list[Triple], spacing: Triple, *, single_slice: bool) -> CommonForm:
    """Large enough for bodies of these `extents` (mm along k, j, i) and a margin. `single_slice`: one slice instead of all."""
    most = np.max(np.asarray(extents), axis=0) + 2 * _MARGIN_MM
    k, j, i = (int(np.ceil(size / step)) for size, step in zip(most, spacing, strict=True))
    low, high = CT_RANGE if domain is Domain.CT else (0.0, float(MR_TOP))
    return CommonForm(domain=domain, shape=(1 if single_slice else k, j, i), spacing=spacing, low=low, high=high)


def extent_of(body: Mask, geometry: Geometry) -> tuple[Triple, Triple]:
    """Size (mm along up, back, left) and centre (LPS mm) of the box around a body. Raises `NotComparable` for an empty one."""
    places = np.argwhere(body)
    if not len(places):
        raise NotComparable("No body is seen: there is nothing to show.")
    ends = np.array([places.min(axis=0), places.max(axis=0)], float)
    corners = np.array([[ends[a, 0], ends[b, 1], ends[c, 2]] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    points = np.array([geometry.index_to_mm(corner) for corner in corners])
    low, high = points.min(axis=0), points.max(axis=0)
    x, y, z = (float(middle) for middle in (low + high) / 2)
    dx, dy, dz = (float(size) for size in high - low)
    return (dz, dy, dx), (x, y, z)


def in_common_form(volume: Volume, body: Mask, on: Geometry, form: CommonForm, centre: Triple) -> Int16Array:
    """`volume` as it is shown, (k, j, i). `body`: of the patient, on the grid `on`; the same for all of his pictures."""
    grid = form.grid(centre)
    inside: NDArray[Any] = resample_array(body, on, grid, order=0)
    values = sample_lattice(volume, grid)
    if form.domain is not Domain.CT:
        values = _scaled(values, inside)
    values = np.where(inside & np.isfinite(values), values, form.low)
    return np.clip(np.rint(values), form.low, form.high).astype(np.int16)


def _scaled(values: NDArray[np.float32], inside: Mask) -> NDArray[np.float32]:
    """MR on the common scale; its own percentiles inside the body, so that neither a scanner's nor a model's scale shows."""
    within = values[inside & np.isfinite(values)]
    if not within.size:
        return values
    low, high = np.percentile(within, _PERCENTILES)
    scaled: NDArray[np.float32] = (values - np.float32(low)) * np.float32(MR_TOP / max(float(high - low), 1e-6))
    return scaled
