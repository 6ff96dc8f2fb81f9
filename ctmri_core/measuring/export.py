"""Measurements as CSV and JSON: numbers with units, places in LPS mm, how values were taken; nothing of the patient."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctmri_core
from ctmri_core.files import write_text
from ctmri_core.measuring.shapes import Shape
from ctmri_core.measuring.statistics import Statistics
from ctmri_core.volume import Volume

CONVENTIONS = {
    "coordinates": "LPS mm: x to the patient's left, y to posterior, z to superior",
    "length_mm": "straight distance of both ends in space",
    "angle_deg": "between both arms, 0 to 180 degrees",
    "area_mm2": "of the drawn outline, not of the voxels in it",
    "voxels": "values of the file's own voxels whose centres lie inside the region, on the volume's own slice on that plane",
    "trilinear samples": "no slice of the volume lies on that plane: the volume interpolated at those points of the lattice on "
    "which the region was drawn that lie inside it",
    "sd": "standard deviation, n - 1",
    "missing": "points inside the region at which the volume has no value; they do not count",
}
_SPREADSHEET_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "name", "kind", "length_mm", "angle_deg", "area_mm2", "volume", "image", "unit", "mean", "sd", "min", "max", "count",
    "missing", "sampling", "notice", "points_lps_mm", "normal_lps", "lattice_mm",
)  # fmt: skip


@dataclass(frozen=True)
class Measurement:
    """`name`: as the user sees it. `drawn_on`: the key of the volume it was drawn on."""

    name: str
    shape: Shape
    drawn_on: str = ""


@dataclass(frozen=True)
class Measured:
    """A measurement with the numbers under it by key of the volume; None where a volume has none there."""

    measurement: Measurement
    statistics: Mapping[str, Statistics | None]


def write_measurements(path: Path, measured: Sequence[Measured], volumes: Mapping[str, Volume]) -> None:
    """JSON or CSV by the suffix, atomically. Raises `WriteFailed` as `ctmri_core.files` does, `ValueError` for another suffix."""
    formats = {".json": measurements_json, ".csv": measurements_csv}
    if path.suffix.lower() not in formats:
        raise ValueError(f"Measurements are written as .csv or .json, not as {path.suffix!r}.")
    write_text(path, formats[path.suffix.lower()](measured, volumes))


def measurements_json(measured: Iterable[Measured], volumes: Mapping[str, Volume]) -> str:
    """An object with `conventions`, `volumes` and `measurements`; numbers that there are not are null."""
    content = {
        "format": "ctmri measurements",
        "version": 1,
        "made_with": f"CT-MRI Studio {ctmri_core.__version__}",
        "conventions": CONVENTIONS,
        "volumes": [{"volume": key, **_facts(volume)} for key, volume in volumes.items()],
        "measurements": [_as_object(one) for one in measured],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def measurements_csv(measured: Iterable[Measured], volumes: Mapping[str, Volume]) -> str:
    """A row for each volume under a region and for each other measurement. UTF-8 with the mark by which spreadsheets know it."""
    text = io.StringIO()
    table = csv.DictWriter(text, _COLUMNS, restval="", lineterminator="\r\n")
    table.writeheader()
    for one in measured:
        for row in _rows(one, volumes):
            table.writerow({name: "" if value is None else value for name, value in row.items()})
    return "\ufeff" + text.getvalue()


def _rows(one: Measured, volumes: Mapping[str, Volume]) -> Iterator[dict[str, Any]]:
    facts = _drawn(one.measurement)
    facts["name"] = f"'{facts['name']}" if facts["name"].startswith(_SPREADSHEET_FORMULA) else facts["name"]
    for column in ("points_lps_mm", "normal_lps", "lattice_mm"):
        facts[column] = json.dumps(facts[column])
    if not one.statistics:
        yield facts
    for key, statistics in one.statistics.items():
        about = _facts(volumes[key])
        yield {**facts, "volume": key, **{name: about[name] for name in ("image", "unit", "notice")}, **_numbers(statistics)}


def _as_object(one: Measured) -> dict[str, Any]:
    drawn = {name: value for name, value in _drawn(one.measurement).items() if value is not None}
    return {**drawn, "values": [{"volume": key, **_numbers(found)} for key, found in one.statistics.items()]}


def _drawn(measurement: Measurement) -> dict[str, Any]:
    shape = measurement.shape
    return {
        "name": measurement.name,
        "kind": shape.kind.value,
        "length_mm": _finite(shape.length_mm, 4),
        "angle_deg": _finite(shape.angle_degrees, 4),
        "area_mm2": _finite(shape.area_mm2, 4),
        "points_lps_mm": [[round(value, 4) for value in point] for point in shape.points],
        "normal_lps": [round(float(value), 7) for value in shape.normal],
        "lattice_mm": [round(step, 7) for step in shape.lattice.spacing[1:]],
    }


def _numbers(statistics: Statistics | None) -> dict[str, Any]:
    if statistics is None:
        return {"count": 0}
    return {
        "mean": _finite(statistics.mean, 6),
        "sd": _finite(statistics.sd, 6),
        "min": _finite(statistics.minimum, 6),
        "max": _finite(statistics.maximum, 6),
        "count": statistics.count,
        "missing": statistics.missing,
        "sampling": statistics.sampling.value,
    }


def _facts(volume: Volume) -> dict[str, Any]:
    """`notice`: what must be known before the numbers are trusted."""
    notices = [ctmri_core.NOT_FOR_DIAGNOSIS] if volume.synthetic is not None else []
    notices += [f"measurements are doubtful: {finding.kind}" for finding in volume.findings if finding.serious]
    return {"image": volume.label, "unit": volume.unit, "notice": "; ".join(notices)}


def _finite(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)
