"""Where the finding of a diagnostic task is, case by case: from a list that people write, or from label maps.

A list is CSV with the columns `case`, `x`, `y`, `z` (LPS mm) and `radius` (mm, within which a mark counts as on it); several rows
for several places, one row without numbers for a case without the finding. A case that is not in it is not shown.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from ctmri_core.errors import FileRefused
from ctmri_core.evaluation.cases import Placed
from ctmri_core.geometry import Geometry, Triple
from ctmri_core.studies.truth import Reference

_COLUMNS = ("case", "x", "y", "z", "radius")
_WAY_OUT = "Write the columns case, x, y, z, radius: LPS mm; leave the numbers empty for a case without the finding."
_RADIUS_MM = 10.0
_FAR_MM = 1000.0
_MOST_BYTES = 16 << 20
_REACH_MM = 3.0
"""Beyond the edge of a label a mark still counts as on it: nobody clicks on the very middle."""


@dataclass(frozen=True)
class Lesion:
    """`place`: LPS mm; `radius`: mm within which a mark counts as on it."""

    place: Triple
    radius: float


Lesions = Mapping[str, tuple[Lesion, ...]]
"""By the name of a case in small letters; empty where it was looked at and has none."""


def read_references(path: Path) -> Lesions:
    """Raises `FileRefused` naming the row that is wrong."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise FileRefused(path, "is too large for a list of findings.", _WAY_OUT)
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileRefused(path, "cannot be read as a table.", _WAY_OUT) from error
    if not rows or not set(_COLUMNS[:4]) <= set(rows[0]):
        raise FileRefused(path, "holds no findings, or lacks a column.", _WAY_OUT)
    found: dict[str, tuple[Lesion, ...]] = {}
    without: set[str] = set()
    for number, row in enumerate(rows, 2):
        name = (row["case"] or "").strip().lower()
        given = [(row.get(key) or "").strip() for key in _COLUMNS[1:]]
        if not name:
            raise FileRefused(path, f"row {number} names no case.", _WAY_OUT)
        if not any(given):
            without.add(name)
            found.setdefault(name, ())
        else:
            found[name] = (*found.get(name, ()), _lesion(path, number, given))
    both = [name for name in without if found[name]]
    if both:
        raise FileRefused(path, "says of one case that it has the finding and that it has not.", _WAY_OUT)
    return found


def lesions_in(labels: Placed) -> tuple[Lesion, ...]:
    """The connected parts of a label map's values above 0, each with the sphere around its middle that holds it."""
    parts, count = ndimage.label(labels.values > 0)
    found = []
    for part, box in enumerate(ndimage.find_objects(parts), 1):
        places = np.argwhere(parts[box] == part) + [edge.start for edge in box]
        mm = labels.geometry.index_to_mm(places.astype(float))
        x, y, z = (float(value) for value in mm.mean(axis=0))
        radius = float(np.linalg.norm(mm - (x, y, z), axis=1).max())
        found.append(Lesion((x, y, z), radius + _REACH_MM))
    assert len(found) == count
    return tuple(found)


def reference_of(lesions: Sequence[Lesion], grid: Geometry) -> Reference:
    """Of a picture on `grid`, whose axes are the patient's: the lesions that it shows, mm as of a `Mark`."""
    places, radius = [], 0.0
    reach = [(count - 1) * step for count, step in zip(grid.shape, grid.spacing, strict=True)]
    for lesion in lesions:
        x, y, z = (mm - start for mm, start in zip(lesion.place, grid.origin, strict=True))
        place = (z, y, x)
        if all(-lesion.radius <= mm <= most + lesion.radius for mm, most in zip(place, reach, strict=True)):
            places.append(place)
            radius = max(radius, lesion.radius)
    return Reference(present=True, places=tuple(places), radius=radius) if places else Reference(present=False)


def _lesion(path: Path, number: int, given: Sequence[str]) -> Lesion:
    try:
        x, y, z = (float(word) for word in given[:3])
        radius = float(given[3]) if given[3] else _RADIUS_MM
    except ValueError as error:
        raise FileRefused(path, f"row {number} has a place that is not three numbers and a radius.", _WAY_OUT) from error
    if not all(math.isfinite(mm) and abs(mm) <= _FAR_MM for mm in (x, y, z)) or not 0 < radius <= _FAR_MM:
        raise FileRefused(path, f"row {number} has a place or a radius that no head has.", _WAY_OUT)
    return Lesion((x, y, z), radius)
