"""Cases to learn the outline of the body from: digital heads and trunks, and scans that anybody may use.

Digital ones are drawn as by many scanners, whole or cut off, with head rests and metal; their outline is known. That of scans is
the classical one, where it was looked at and found good. Cavities belong to the body. Heads are also written as seen from the
front or the side, as pictures of those planes are outlined too.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import free_scans
import numpy as np
from free_scans import SCANS, Scan, voxels_and_body
from numpy.typing import NDArray
from recognition_samples import Properties, as_ct, as_mr, head_labels, torso_labels
from scipy import ndimage

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.io.saving import save
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


WHAT = f"digital heads and trunks; {free_scans.WHAT}"
LICENCE = free_scans.LICENCE


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
        if (scan.domain is Domain.CT) == (modality == "ct") and scan.outlined_from < 1:
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
    values = as_mr(labels, Properties(rng), str(rng.choice(_MR)), rng, whole=True)
    return np.asarray(np.rint(values / max(float(values.max()), 1e-6) * 2000))


def _scan(folder: Path, scan: Scan) -> tuple[Array, Array]:
    voxels, inside = voxels_and_body(folder, scan, VOXEL_MM)
    first = int(len(voxels) * scan.outlined_from)
    return voxels[first:], inside[first:]
