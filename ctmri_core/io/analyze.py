"""Analyze 7.5: .hdr with .img or .img.gz, either byte order, with the scale and origin that SPM99 and SPM2 put into spare fields.

Fields: the Mayo Clinic's ANALYZE header; use of `funused1` and `originator`: SPM. The format does not say left from right. As in
SPM and nibabel, columns are taken to run to the patient's left, rows to the front and slices to the head; `orient` is ignored.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
from nibabel.spm2analyze import Spm2AnalyzeHeader

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import Stored
from ctmri_core.io.nifti_header import array_affine, data_beside, plain_head
from ctmri_core.io.raw_image import NO_THICKNESS, RawImage, RawImageReader
from ctmri_core.volume import Finding

_CORRECT = "Correct the header and open it again."
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 130: "i1", 132: "u2", 136: "u4", 256: "i1", 512: "u2", 768: "u4"}
_NO_SIDES = Finding(
    "missing_orientation",
    "The Analyze format does not say left from right: left and right, front and back are a guess.",
    serious=True,
)
_OTHER_POSITION = Finding(
    "orientation_conflict", "A .mat file beside this one says how the patient lies; it is not read.", serious=True
)


def read_analyze(path: Path) -> RawImage:
    """The checked header. Raises `FileRefused` naming the field."""
    head, _ = plain_head(path)
    fields = Spm2AnalyzeHeader(head[: Spm2AnalyzeHeader.sizeof_hdr], check=False)
    dimensions = int(fields["dim"][0])
    if not 2 <= dimensions <= 7:
        raise FileRefused(path, f"dim[0] is {dimensions}; it must be from 2 to 7.", "The header is damaged.")
    i, j, k, *further = (int(n) for n in fields["dim"][1:8])
    flat = dimensions == 2 or (k == 1 and not fields["pixdim"][3] > 0)
    preflight.check_shape(path, (i, j) if dimensions == 2 else (i, j, k), "dim")
    if flat:
        k, fields["dim"][3], fields["pixdim"][3] = 1, 1, 1.0
    spacing = [float(size) for size in fields["pixdim"][1:4]]
    preflight.check_spacing(path, spacing, "pixdim")
    data = data_beside(path)
    slope, intercept, scaled = _scale(fields)
    image = RawImage(
        stored=(Stored(data, _packing(data), lead=_offset(path, fields), padded=True),),
        dtype=_dtype(path, fields),
        geometry=preflight.checked_geometry(path, (k, j, i), array_affine(fields.get_origin_affine(), 1.0), "pixdim"),
        findings=(*((NO_THICKNESS,) if flat else ()), _NO_SIDES, *scaled, *_elsewhere(path)),
        volume_count=math.prod(max(1, n) for n in further[: max(0, dimensions - 3)]),  # some writers leave a size of 0
        slope=slope,
        intercept=intercept,
    )
    image.check_lengths()
    return image


def _packing(data: Path) -> Literal["gzip", "raw"]:
    return "gzip" if preflight.kind(preflight.head_of(data)) == "gzip" else "raw"


def _dtype(path: Path, fields: Any) -> np.dtype[Any]:
    code = int(fields["datatype"])
    if code not in _TYPES:
        raise FileRefused(path, f"datatype {code} is no type of grey values.", "Export it as grey values.")
    return np.dtype(_TYPES[code]).newbyteorder(fields.endianness)


def _offset(path: Path, fields: Any) -> int:
    value = float(fields["vox_offset"])
    if not value.is_integer() or not 0 <= value < 2**40:
        raise FileRefused(path, f"vox_offset is {value:g}; the voxels cannot begin there.", _CORRECT)
    return int(value)


def _scale(fields: Any) -> tuple[float, float, tuple[Finding, ...]]:
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    intercept = intercept if math.isfinite(intercept) else 0.0
    if not math.isfinite(slope) or slope == 0 or (slope, intercept) == (1.0, 0.0):
        return 1.0, 0.0, ()
    message = f"The stored values are scaled as SPM writes it into spare fields (times {slope:g}, plus {intercept:g})."
    return slope, intercept, (Finding("scaled", message),)


def _elsewhere(path: Path) -> tuple[Finding, ...]:
    mat = path.with_name(Path(path.name.removesuffix(".gz")).stem + ".mat")
    return (_OTHER_POSITION,) if mat.exists() else ()


def _is_analyze(path: Path, head: bytes) -> bool:
    return preflight.kind(plain_head(path, head)[0]) == "analyze"


ANALYZE_READER = RawImageReader("Analyze", _is_analyze, read_analyze)
