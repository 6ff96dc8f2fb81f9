"""The scores of one answer to one case: pure, so that it may run in another process."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ctmri_core.domain import Domain
from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.evaluation.calibration import agreement, calibration
from ctmri_core.evaluation.measure_words import OF_LABELS
from ctmri_core.evaluation.prepared_images import PreparedImages, prepared
from ctmri_core.evaluation.results import CaseScores, LabelScore, Problem, SliceScores
from ctmri_core.evaluation.shown_metrics import CYCLE_PEAK, THINNEST, cycle_metrics, has_slices, is_of_slices
from ctmri_core.evaluation.slice_pictures import PictureFacts, write_slice
from ctmri_core.geometry import Geometry
from ctmri_core.metrics.catalogue import METRICS
from ctmri_core.metrics.errors import mae
from ctmri_core.metrics.overlap import hausdorff, label_overlaps
from ctmri_core.metrics.tissue import BONE_HU
from ctmri_core.preprocess.slice_grid import slice_order

Voxels = NDArray[np.number[Any]]
Mask = NDArray[np.bool_]
_FEWEST_PIXELS, _LEAST_SHARE = 200, 0.1
_SPANS = {True: (-1000.0, 2000.0, 500.0), False: (0.0, 100.0, 50.0)}  # CT, MR: lowest and highest mean, largest difference


@dataclass(frozen=True, eq=False)
class ScoringJob:
    """Truth and answer on one grid, and where they count. `spread`: of the answer, in its unit, as an uncertainty map tells it.

    `returned`: what came back of the source, inside `source_mask`. `labels`, `own_labels`: label maps of truth and answer.
    `picture`: beginning of the names of the worst slice's pictures, None for none.
    """

    truth: Voxels = field(repr=False)
    synthetic: Voxels = field(repr=False)
    mask: Mask = field(repr=False)
    geometry: Geometry
    target: Domain
    metrics: tuple[str, ...]
    source: Voxels | None = field(default=None, repr=False)
    source_domain: Domain = Domain.UNKNOWN
    spread: NDArray[np.float32] | None = field(default=None, repr=False)
    returned: Voxels | None = field(default=None, repr=False)
    source_mask: Mask | None = field(default=None, repr=False)
    labels: NDArray[Any] | None = field(default=None, repr=False)
    own_labels: NDArray[Any] | None = field(default=None, repr=False)
    picture: Path | None = None


class Scored(BaseModel):
    """What came of a job. `scores`: with numbers of model and case still to be filled in, as in `problems`, which were found on
    the way. `trained_on`: whether the model learnt from the case, None where nobody can tell; `given`: whether the mask was;
    `seen`: slices whose features lie beside.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    scores: CaseScores
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    voxels: int
    slice_axis: int
    picture: PictureFacts | None = None
    problems: tuple[Problem, ...] = ()
    trained_on: bool | None = None
    given: bool = False
    seen: int = 0


def score(job: ScoringJob) -> Scored:
    """Everything of one answer. Numbers that a measure does not give are None. Raises `WriteFailed` for its pictures."""
    images = prepared(job.truth, job.synthetic, job.mask, job.target)
    axis = slice_order(job.geometry)[0][0]
    ks = slices_of(job.mask, axis)
    slices = _slice_scores(images, job.metrics, ks, axis)
    errors = _errors_of(images, ks, axis)
    worst = ks[int(np.argmax(errors))]
    apart = (images.synthetic - images.truth)[job.mask]
    low, high, difference = _SPANS[images.is_ct]
    cycle, cycle_slices = _cycle(job, axis)
    scores = CaseScores(
        model=1, case=1, values=_values(job, images, slices), slices=slices, cycle=cycle, cycle_slices=cycle_slices,
        labels=tuple(_labels(job, images)), worst_slice=worst,
        calibration=None if job.spread is None else calibration(_unit_factor(images) * job.spread[job.mask], apart),
        agreement=agreement(images.truth[job.mask], images.synthetic[job.mask], low, high, difference),
    )  # fmt: skip
    shown = None
    if job.picture is not None:
        shown = write_slice(job.picture, images, job.source, job.source_domain, job.geometry, worst, max(errors))
    voxels = int(np.count_nonzero(job.mask))
    return Scored(
        scores=scores, shape=job.geometry.shape, spacing=job.geometry.spacing, voxels=voxels, slice_axis=axis, picture=shown
    )  # fmt: skip


def slices_of(mask: Mask, axis: int) -> list[int]:
    """Indices along `axis` of slices with enough of the mask for numbers: 200 pixels and a tenth of the fullest one; where there
    is none such, of all with any."""
    counts = mask.sum(tuple(other for other in range(3) if other != axis))
    enough = np.flatnonzero((counts >= _FEWEST_PIXELS) & (counts >= _LEAST_SHARE * counts.max()))
    found: list[int] = (enough if len(enough) else np.flatnonzero(counts)).tolist()
    return found


def _values(job: ScoringJob, images: PreparedImages, slices: SliceScores) -> dict[str, float | None]:
    values: dict[str, float | None] = {}
    for key in job.metrics:
        if key in OF_LABELS or METRICS[key].takes != "images":
            continue
        if is_of_slices(key):
            there = [value for value in slices.values[key] if value is not None]
            values[key] = float(np.mean(there)) if there else None
        else:
            values[key] = _measured(key, images, (...,))
    return values


def _slice_scores(images: PreparedImages, metrics: Sequence[str], ks: Sequence[int], axis: int) -> SliceScores:
    keys = [key for key in metrics if has_slices(key)]
    values = {key: tuple(_measured(key, images, _at(k, axis)) for k in ks) for key in keys}
    return SliceScores(k=tuple(ks), values={key: tuple(map(_rounded, column)) for key, column in values.items()})


def _measured(key: str, images: PreparedImages, part: tuple[Any, ...]) -> float | None:
    metric = METRICS[key]
    mask = images.mask[part]
    if metric.dimensions == (3,) and min(mask.shape) < THINNEST:  # padding would make a volume of a slice
        return None
    pair = images.structure(part) if is_of_slices(key) else (images.truth[part], images.synthetic[part])
    try:
        value = metric.of_images(pair[0], pair[1], mask=mask, data_range=images.data_range)
    except (NotComparable, GeometryMismatch):
        return None
    return None if math.isnan(value) else value


def _errors_of(images: PreparedImages, ks: Sequence[int], axis: int) -> list[float]:
    return [mae(images.truth[at], images.synthetic[at], images.mask[at]) for k in ks for at in [_at(k, axis)]]


def _unit_factor(images: PreparedImages) -> float:
    """From the unit of the answer's voxels to that of errors."""
    if images.spans is None:
        return 1.0
    low, high = images.spans[1]
    return images.data_range / (high - low)


def _cycle(job: ScoringJob, axis: int) -> tuple[dict[str, float | None], SliceScores]:
    """Of the source and what came back: as a volume or the mean of slices, and of the best slice."""
    if job.returned is None or job.source is None or job.source_mask is None or not job.source_mask.any():
        return {}, SliceScores()
    images = prepared(job.source, job.returned, job.source_mask, job.source_domain)
    keys = cycle_metrics(job.source_domain)
    slices = _slice_scores(images, keys, slices_of(job.source_mask, axis), axis)
    values: dict[str, float | None] = {}
    for key in keys:
        there = [value for value in slices.values[key] if value is not None]
        values[key] = (float(np.mean(there)) if there else None) if is_of_slices(key) else _measured(key, images, (...,))
        if key != "mae":
            values[key + CYCLE_PEAK] = max(there) if there else None
    return values, slices


def _labels(job: ScoringJob, images: PreparedImages) -> Iterator[LabelScore]:
    """Bone of CT by its HU, and what label maps hold."""
    if images.is_ct:
        truth, synthetic = ((image >= BONE_HU) & job.mask for image in (images.truth, images.synthetic))
        if truth.any():
            overlap = 2 * int((truth & synthetic).sum()) / (int(truth.sum()) + int(synthetic.sum()))
            distance = hausdorff(truth, synthetic, spacing=job.geometry.spacing) if synthetic.any() else None
            counted_already = "bone_dice" in job.metrics  # two of one number would be two tests
            yield LabelScore(label="bone", dice=None if counted_already else overlap, hausdorff_95=distance)
    if job.labels is None:
        return
    overlaps = {}
    if job.own_labels is not None and job.labels.any():
        overlaps = label_overlaps(job.labels, job.own_labels, spacing=job.geometry.spacing)
    for label in np.unique(job.labels[job.labels > 0]).tolist():
        inside = (job.labels == label) & job.mask
        error = mae(images.truth, images.synthetic, inside) if inside.any() else None
        found = overlaps.get(label)
        dice, distance = (found.dice, found.hausdorff_95) if found else (None, None)
        yield LabelScore(label=str(label), dice=dice, hausdorff_95=distance, mae=error)


def _at(k: int, axis: int) -> tuple[Any, ...]:
    return (*([slice(None)] * axis), k)


def _rounded(value: float | None) -> float | None:
    """Six figures: more would only make files longer."""
    return value if value is None or not math.isfinite(value) else float(f"{value:.6g}")
