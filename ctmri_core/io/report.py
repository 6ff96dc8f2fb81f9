"""What a person is told about a series and its volume. No patient data."""

from __future__ import annotations

from typing import Any

from ctmri_core.io.series import PICTURES, Series
from ctmri_core.volume import Finding, Volume


def describe(series: Series, volume: Volume | None = None) -> dict[str, Any]:
    """Facts in plain types, fit for JSON. With `volume`, its domain, geometry, values and findings go first.

    Keys: file, format, label, modality, files, slices_rows_columns, spacing_mm, plane, localizer, beside_a_scan (of pictures),
    synthetic, findings; with `volume` also orientation (where k, j and i grow), origin_mm, extent_mm, values, unit, stored_as,
    phantom, and the model in synthetic.
    """
    shape = volume.geometry.shape if volume else series.shape
    spacing = volume.geometry.spacing if volume else series.spacing
    report: dict[str, Any] = {
        "file": series.path.name,
        "format": series.format_name,
        "label": series.label,
        "modality": (volume.domain if volume else series.domain).label,
        "files": len(series.files),
        "slices_rows_columns": list(shape) if shape else [],
        "spacing_mm": [round(value, 6) for value in spacing] if spacing else [],
        "plane": volume.geometry.plane if volume else series.plane,
        "localizer": series.localizer and series.format_name != PICTURES,
        "beside_a_scan": series.localizer and series.format_name == PICTURES,
        "synthetic": "yes; not for diagnosis" if series.synthetic else "no",
    }
    if volume:
        report |= _of_volume(volume)
    report["findings"] = [_of_finding(finding) for finding in (volume.findings if volume else series.findings)]
    return report


def _of_volume(volume: Volume) -> dict[str, Any]:
    made = volume.synthetic
    return {
        "orientation": volume.geometry.orientation,
        "origin_mm": [round(value, 4) for value in volume.geometry.origin],
        "extent_mm": [round(value, 3) for value in volume.geometry.extent],
        "values": [float(volume.voxels.min()), float(volume.voxels.max())],
        "unit": volume.unit,
        "stored_as": str(volume.voxels.dtype),
        "phantom": "yes, no patient" if volume.phantom else "no",
        "synthetic": f"yes, by {made.model_name}; not for diagnosis" if made else "no",
    }


def _of_finding(finding: Finding) -> dict[str, str]:
    return {"kind": finding.kind, "weight": "serious" if finding.serious else "note", "message": finding.message}
