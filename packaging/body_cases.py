"""Cases to learn the outline of the body from: digital heads and trunks, and scans that anybody may use.

Digital ones are drawn as by many scanners, whole or cut off, with head rests and metal; their outline is known. That of scans is
the classical one, where it was looked at and found good. Cavities belong to the body. Heads are also written as seen from the
front or the side, as pictures of those planes are outlined too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from recognition_samples import Properties, as_ct, as_mr, head_labels, torso_labels
from scipy import ndimage

from ctmri_core.domain import Domain
from ctmri_core.events import never
from ctmri_core.geometry import Geometry
from ctmri_core.io.opening import load, sole_series
from ctmri_core.io.saving import save
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.resample import resample_array, resample_to
from ctmri_core.volume import Volume

Array = NDArray[Any]
Random = np.random.Generator
VOXEL_MM = 1.5
VALIDATION_HEADS = 1000
"""Seeds of the heads that choose the best weights begin here."""
_EVERY = 4
"""Which slices are kept; neighbours tell little."""
_MR = ("mr_t1", "mr_t1", "mr_t2", "mr_flair", "pd")
_TRUNK_SLICES, _TRUNK_PIXELS = 24, 192


@dataclass(frozen=True)
class Scan:
    """A scan under a free licence: `file` below the data folder; `first`: share of its slices, from the feet, that is left out,
    where the classical outline fails (a defaced mouth)."""

    name: str
    file: str
    domain: Domain
    first: float = 0.0


SCANS = (
    Scan("visible_female", "visible_female_head_ct/head_ct.nii.gz", Domain.CT),
    Scan("pork_ct", "porcine_ct_t2/ct.nii.gz", Domain.CT),
    Scan("trunk_ct", "totalsegmentator_examples/example_ct.nii.gz", Domain.CT),
    Scan("pork_mr", "porcine_ct_t2/mr_t2.nii.gz", Domain.MR),
    Scan("studyforrest", "studyforrest_t1/t1w_from_dicom.nii.gz", Domain.MR, 0.4),
    Scan("trunk_mr", "totalsegmentator_examples/example_mr_sm.nii.gz", Domain.MR),
)
WHAT = "digital heads and trunks; Visible Female, MRI-DIR pork, studyforrest, TotalSegmentator examples"
LICENCE = "Apache-2.0; PDDL 1.0; CC BY 4.0 (doi 10.7937/K9/TCIA.2018.3f08iejt); NLM, public use with credit"


def write_cases(folder: Path, scans: Path, modality: str, heads: int, trunks: int, validation: int) -> dict[str, list[str]]:
    """PATIENT/ct.nii.gz (or mr.nii.gz) with mask.nii.gz; gives the names by side."""
    sides: dict[str, list[str]] = {"train": [], "validation": []}
    seeds = [(seed, "train") for seed in range(heads)]
    seeds += [(VALIDATION_HEADS + seed, "validation") for seed in range(validation)]
    for seed, side in seeds:
        rng = np.random.default_rng([seed, modality == "ct"])
        sides[side] += _written(folder, f"head_{seed:04d}", modality, partial(_head, seed, modality, rng), rng)
    for seed in range(trunks):
        rng = np.random.default_rng([seed, 77, modality == "ct"])
        sides["train"] += _written(folder, f"trunk_{seed:04d}", modality, partial(_trunk, modality, rng), rng, around=False)
    for scan in SCANS:
        if (scan.domain is Domain.CT) == (modality == "ct"):
            rng = np.random.default_rng([len(scan.name), 5])
            sides["train"] += _written(folder, scan.name, modality, partial(_scan, scans, scan), rng)
    return sides


def _written(folder: Path, name: str, modality: str, make: Any, rng: Random, *, around: bool = True) -> list[str]:
    """Axial, and from in front or from the side."""
    planes = ["axial", str(rng.choice(["coronal", "sagittal"]))] if around else ["axial"]
    names = [f"{name}_{plane}" for plane in planes]
    if all((folder / each / "mask.nii.gz").exists() for each in names):
        return names
    voxels, body = make()
    for plane, each in zip(planes, names, strict=True):
        _write(folder / each, modality, *(_seen(part, plane) for part in (voxels, body)))
    return names


def _seen(voxels: Array, plane: str) -> Array:
    """Slices of that plane, the head upwards, as pictures of it are kept; from the axial ones, feet first."""
    axis = {"axial": 0, "coronal": 1, "sagittal": 2}[plane]
    turned = np.moveaxis(voxels, axis, 0)
    return turned if plane == "axial" else turned[:, ::-1]


def _write(folder: Path, modality: str, voxels: Array, body: Array) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept = [slice(None)] * 3
    step = _EVERY if len(voxels) > 2 * _TRUNK_SLICES else 1
    kept[0] = slice(step // 2, None, step)
    domain = Domain.CT if modality == "ct" else Domain.MR
    for name, part, kind in ((modality, voxels, domain), ("mask", body, Domain.UNKNOWN)):
        chosen = np.ascontiguousarray(part[tuple(kept)].astype(np.int16))
        grid = Geometry(chosen.shape, (VOXEL_MM * step, VOXEL_MM, VOXEL_MM))
        for _ in save(Volume(chosen, grid, kind), folder / f"{name}.nii.gz"):
            pass


def _head(seed: int, modality: str, rng: Random) -> tuple[Array, Array]:
    labels = _framed(head_labels(seed, VOXEL_MM), rng)
    return _drawn(labels, modality, rng, head=True), labels > 0


def _framed(labels: Array, rng: Random) -> Array:
    """Cut off at some sides, as faces and necks are, and with air at others."""
    pieces = []
    for size, share in zip(labels.shape, (0.35, 0.3, 0.1), strict=True):
        first = int(size * rng.uniform(0, share)) if rng.random() < 0.4 else 0
        last = int(size * rng.uniform(0, 0.1)) if rng.random() < 0.25 else 0
        pieces.append(slice(first, size - last))
    cut = labels[tuple(pieces)]
    margins = [(0, 0)] + [tuple(int(max(0, n)) for n in rng.normal(4, 14, 2)) for _ in range(2)]
    return np.pad(cut, margins)


def _trunk(modality: str, rng: Random) -> tuple[Array, Array]:
    """Slices of as many people, with air around or cut off."""
    planes, bodies = [], []
    for _ in range(_TRUNK_SLICES):
        labels = torso_labels(rng)
        turned = np.rot90(labels, int(rng.choice(4, p=(0.7, 0.1, 0.1, 0.1))), (1, 2))
        sized = ndimage.zoom(turned[0], rng.uniform(0.9, 1.9), order=0)
        labels = _of_size(sized, rng)[None]
        planes.append(_drawn(labels, modality, rng, head=False)[0])
        bodies.append(labels[0] > 0)
    return np.stack(planes), np.stack(bodies)


def _of_size(plane: Array, rng: Random) -> Array:
    for axis in (0, 1):
        spare = _TRUNK_PIXELS - plane.shape[axis]
        if spare >= 0:
            before = int(rng.integers(0, spare + 1))
            width = [(0, 0), (0, 0)]
            width[axis] = (before, spare - before)
            plane = np.pad(plane, width)
        else:
            first = int(rng.integers(0, 1 - spare))
            plane = plane.take(range(first, first + _TRUNK_PIXELS), axis)
    return plane


def _drawn(labels: Array, modality: str, rng: Random, *, head: bool) -> Array:
    """HU, or magnitudes of arbitrary scale."""
    if modality == "ct":
        return np.rint(as_ct(labels, Properties(rng), rng, head=head))
    values = as_mr(labels, Properties(rng), str(rng.choice(_MR)), rng)
    return np.asarray(np.rint(values / max(float(values.max()), 1e-6) * 2000))


def _scan(folder: Path, scan: Scan) -> tuple[Array, Array]:
    """On voxels of the same size, feet first, rows to posterior, columns to the left."""
    volume = _loaded(folder / scan.file)
    low, high = volume.geometry.corners.min(0), volume.geometry.corners.max(0)
    k, j, i = (int((high[axis] - low[axis]) / VOXEL_MM) + 1 for axis in (2, 1, 0))
    grid = Geometry((k, j, i), (VOXEL_MM, VOXEL_MM, VOXEL_MM), (low[0], low[1], low[2]))
    voxels = resample_to(volume, grid).voxels
    inside = resample_array(body_mask(volume), volume.geometry, grid)
    first = int(len(voxels) * scan.first)
    return voxels[first:], inside[first:]


def _loaded(path: Path) -> Volume:
    work: Iterator[object] = load(sole_series(path, None), never)
    while True:
        try:
            next(work)
        except StopIteration as end:
            volume: Volume = end.value
            return volume
