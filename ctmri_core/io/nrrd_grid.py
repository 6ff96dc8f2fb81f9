"""Where the voxels of an NRRD lie: which axis counts volumes, and the grid of the others."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import Geometry
from ctmri_core.io import preflight
from ctmri_core.io.raw_image import NO_ORIENTATION, NO_SPACING, NO_THICKNESS
from ctmri_core.io.text_headers import numbers, whole_numbers
from ctmri_core.volume import Finding

Fields = dict[str, str]

_TO_LPS = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_NO_PATIENT = ("scanner-xyz", "3d-right-handed", "3d-left-handed")
_SPACES = (*_TO_LPS, *_NO_PATIENT)
_PLAIN_KINDS = ("domain", "space", "???", "none")
_COUNTING_KINDS = ("list", "time", "point", "scalar", "stub")
_MILLIMETRES = {"mm", "millimeter", "millimeters", "millimetre", "???", ""}
_UNIT = re.compile(r'"([^"]*)"|([^"\s]+)')
_VECTOR = re.compile(r"\(([^()]*)\)|none")


def list_axis(path: Path, fields: Fields, dimensions: int) -> int | None:
    """The axis along which volumes are counted: the one of a kind that says so or without direction, else a fourth one."""
    kinds = fields.get("kinds", "").lower().split()
    if any(kind not in _PLAIN_KINDS + _COUNTING_KINDS for kind in kinds) or (kinds and len(kinds) != dimensions):
        raise FileRefused(path, f"kinds is {fields['kinds'][:40]!r}, no plain volume.", "Export it as grey values.")
    directions = [match.group(0) for match in _VECTOR.finditer(fields.get("spacedirections", "").lower())]
    counting = {n for n, kind in enumerate(kinds) if kind in _COUNTING_KINDS} | {
        n for n, direction in enumerate(directions) if direction == "none"
    }
    if any(kinds[n : n + 1] in (["domain"], ["space"]) for n in counting):
        raise FileRefused(path, "has an axis in space without space directions.", "The header is damaged.")
    if not counting and dimensions == 4:
        counting = {3}
    if not counting:
        return None
    axis = counting.pop()
    if counting or dimensions == 2:
        raise FileRefused(path, "has space directions or kinds of fewer than two axes in space.", "Save one volume alone.")
    if axis not in (0, dimensions - 1) or axis >= dimensions:
        raise FileRefused(path, f"counts its volumes along axis {axis + 1}, between those of space.", "Save one volume alone.")
    return axis


def grid_of(path: Path, fields: Fields, sizes: list[int], among: int | None) -> tuple[Geometry, tuple[Finding, ...]]:
    """The grid of the axes but `among`, and what is not known of it."""
    spatial = [n for n in range(len(sizes)) if n != among]
    if len(spatial) > 3:
        raise FileRefused(path, "has four axes in space.", "Save one volume alone.")
    space = fields.get("space", "").lower()
    if space and space not in _SPACES:
        raise FileRefused(path, f"space is {space[:40]!r}, which cannot be read.", "Save one volume alone.")
    _check_units(path, fields, len(sizes), spatial)
    flat = len(spatial) == 2
    columns, findings = _columns(path, fields, len(sizes), spatial)
    affine = np.eye(4)
    affine[:3, :3] = columns[:, ::-1]
    if "spaceorigin" in fields:
        (origin,) = _vectors(path, "space origin", fields["spaceorigin"], 1, _space_dimension(path, fields, len(spatial)))
        affine[: len((origin or [])[:3]), 3] = (origin or [0.0])[:3]
    signs = _TO_LPS.get(space)
    if signs is None or "spacedirections" not in fields:
        findings.append(NO_ORIENTATION)
    affine[:3] *= np.array(signs or (1, 1, 1), float)[:, None]
    i, j, k = [*(sizes[n] for n in spatial), 1][:3]
    geometry = preflight.checked_geometry(path, (k, j, i), affine, "space directions")
    return geometry, (*((NO_THICKNESS,) if flat else ()), *findings)


def _check_units(path: Path, fields: Fields, dimensions: int, spatial: list[int]) -> None:
    """Space directions have units of their own, else each axis has one."""
    field = "spaceunits" if "spacedirections" in fields else "units"
    words = [quoted or plain for quoted, plain in _UNIT.findall(fields.get(field, "").lower())]
    ours = words[: len(spatial)] if field == "spaceunits" or len(words) != dimensions else [words[axis] for axis in spatial]
    other = {word.strip() for word in ours} - _MILLIMETRES
    if other:
        name = "space units" if field == "spaceunits" else field
        raise FileRefused(path, f"{name} are {min(other)[:20]!r}, not mm.", "Export it in millimetres.")


def _columns(
    path: Path, fields: Fields, dimensions: int, spatial: list[int]
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], list[Finding]]:
    """(3, 3): where i, j and k lead, as columns; a single slice gets 1 mm along its normal."""
    columns = np.eye(3)
    if "spacedirections" in fields:
        length = _space_dimension(path, fields, len(spatial))
        vectors = _vectors(path, "space directions", fields["spacedirections"], dimensions, length)
        for column, axis in enumerate(spatial):
            step = vectors[axis] or [0.0]
            if any(step[3:]):
                raise FileRefused(path, "has axes of space that lead along the fourth axis.", "Save one volume alone.")
            columns[: min(length, 3), column] = step[:3]
        if length == 3 and len(spatial) == 2:
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # refused with the geometry
                normal = np.cross(columns[:, 0], columns[:, 1])
                columns[:, 2] = normal / np.linalg.norm(normal)
        return columns, []
    if "spacings" in fields:
        words = fields["spacings"].split()
        if len(words) != dimensions:
            problem = f"spacings is {fields['spacings'][:40]!r}; {dimensions} are needed."
            raise FileRefused(path, problem, "The header is damaged.")
        spacing = [_spacing(path, words[axis]) for axis in spatial]
        columns[range(len(spatial)), range(len(spatial))] = spacing
        return columns, []
    return columns, [NO_SPACING]


def _spacing(path: Path, word: str) -> float:
    (value,) = numbers(path, "spacings", word, 1)
    preflight.check_spacing(path, [value], "spacings")
    return value


def _space_dimension(path: Path, fields: Fields, count: int) -> int:
    """How many numbers a vector in space has."""
    if "space" in fields:
        return 3
    (length,) = whole_numbers(path, "space dimension", fields.get("spacedimension", str(count)), 1)
    if length not in (2, 3, 4) or length < count:  # 4: ITK takes the axis that counts volumes for one of space, too
        raise FileRefused(path, f"space dimension is {length}; it must be from 2 to 4.", "Save one volume alone.")
    return length


def _vectors(path: Path, field: str, text: str, count: int, length: int) -> list[list[float] | None]:
    found = list(_VECTOR.finditer(text.lower()))
    if len(found) != count:
        raise FileRefused(path, f"{field} is {text[:40]!r}; {count} vectors are needed.", "The header is damaged.")
    inner = [match.group(1) for match in found]
    return [None if words is None else numbers(path, field, words.replace(",", " "), length) for words in inner]
