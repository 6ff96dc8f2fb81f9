"""NIfTI-1 and NIfTI-2 headers: where the voxels lie in the file and in the patient, every field checked before use.

Fields and their meaning: NIfTI-1 data format (Cox et al. 2004) and its 2011 successor NIfTI-2.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from ctmri_core.errors import FileRefused, GeometryMismatch
from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import Stored
from ctmri_core.io.raw_image import NO_ORIENTATION, NO_THICKNESS, RawImage
from ctmri_core.io.unpacking import inflate_head
from ctmri_core.volume import Finding

HEADER_BYTES = 544
_COMPRESSED_HEADER_BYTES = 1 << 16
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # xyzt_units: unknown (millimetres by custom), metre, mm, micrometre
_CIFTI = range(3000, 3100)  # intent codes from here on: those of the NIfTI-1 header file and of CIFTI-2
_STATISTICS = range(2, 25)
_INTENTS = {
    1002: "labels", 1004: "matrices", 1005: "matrices", 1006: "displacements", 1007: "vectors", 1008: "points",
    1009: "triangles", 1010: "quaternions", 2003: "colours", 2004: "colours",
}  # fmt: skip
_OTHER_TYPES = {
    1: "single bits", 32: "complex numbers", 128: "colour", 1536: "128-bit numbers", 1792: "complex numbers",
    2048: "complex numbers", 2304: "colour",
}  # fmt: skip
_HIGHEST_CODE = 5  # of sform_code and qform_code: some other template (NIFTI_XFORM_TEMPLATE_OTHER)
_SAME_WAY = math.cos(math.radians(45.0))  # further apart, an axis of the one may lead to another side of the patient
_CORRECT = "Correct the header and open it again."


def read_header(path: Path) -> RawImage:
    """The checked header of a .nii, .nii.gz or .hdr file. Raises `FileRefused` naming the field."""
    head, compressed = plain_head(path)
    if preflight.kind(head) != "nifti":
        raise FileRefused(path, "is no NIfTI file.", "Its header is damaged, or its name is wrong.")
    fields = _parsed(path, head)
    intent = _intent(path, fields)
    single = bytes(fields["magic"].item())[:2] == b"n+"
    data_path = path if single else data_beside(path)
    shape, volume_count = _shape(path, fields)
    if not single:
        compressed = preflight.kind(preflight.head_of(data_path)) == "gzip"
    geometry, findings = _geometry(path, fields, shape)
    slope, intercept = _scaling(path, fields)
    image = RawImage(
        stored=(Stored(data_path, "gzip" if compressed else "raw", lead=_offset(path, fields, single), padded=True),),
        dtype=_dtype(path, fields),
        geometry=geometry,
        findings=(*intent, *findings),
        mark=bytes(fields["descrip"].item()).decode("latin-1"),
        volume_count=volume_count,
        slope=slope,
        intercept=intercept,
    )
    image.check_lengths()
    return image


def plain_head(path: Path, head: bytes | None = None) -> tuple[bytes, bool]:
    """(first bytes of the file, unpacked where it is a gzip file; whether it is)."""
    head = preflight.head_of(path, _COMPRESSED_HEADER_BYTES) if head is None else head
    if preflight.kind(head) == "gzip":
        return inflate_head(head, HEADER_BYTES), True
    return head[:HEADER_BYTES], False


def _parsed(path: Path, head: bytes) -> Any:
    kind = nib.Nifti2Header if head[4:6] in (b"n+", b"ni") else nib.Nifti1Header
    size = kind.template_dtype.itemsize
    if len(head) < size:
        raise FileRefused(path, f"is incomplete: it ends within the header, after {len(head)} bytes.", "Copy or export it again.")
    return kind(head[:size], check=False)


def data_beside(path: Path) -> Path:
    """The .img, packed or not, beside a .hdr. Raises `FileRefused`."""
    stem = Path(path.name.removesuffix(".gz")).stem
    names = [stem + suffix for suffix in (".img", ".IMG", ".img.gz")]
    for name in names:
        if (path.parent / name).exists():
            return preflight.beside(path, name)
    raise FileRefused(path, "has no data file (.img) beside it.", "Put both files in one folder.")


def _intent(path: Path, fields: Any) -> tuple[Finding, ...]:
    """What the header says that the values are, where that is no picture."""
    code = int(fields["intent_code"])
    if code in _CIFTI:
        raise FileRefused(path, "is a CIFTI matrix of the brain's surface, no picture.", "Open the picture it was made from.")
    what = "a statistic" if code in _STATISTICS else _INTENTS.get(code)
    return (Finding("not_a_picture", f"The file says that its values are {what}, no picture."),) if what else ()


def _shape(path: Path, fields: Any) -> tuple[tuple[int, int, int], int]:
    dimensions = int(fields["dim"][0])
    if not 2 <= dimensions <= 7:
        raise FileRefused(path, f"dim[0] is {dimensions}; it must be from 2 to 7.", "The header is damaged.")
    sizes = [int(n) for n in fields["dim"][1 : dimensions + 1]]
    preflight.check_shape(path, sizes[:3], "dim")
    if any(n < 1 for n in sizes[3:]):
        raise FileRefused(path, f"dim has a size of {min(sizes[3:])}.", "The header is damaged.")
    i, j, k = (*sizes, 1)[:3]
    return (k, j, i), math.prod(sizes[3:])


def _offset(path: Path, fields: Any, single: bool) -> int:
    value = float(fields["vox_offset"])
    least = int(fields["sizeof_hdr"]) + 4 if single else 0
    if single and value == 0:
        value = float(least)
    if not math.isfinite(value) or not value.is_integer() or not least <= value < 2**40:
        raise FileRefused(path, f"vox_offset is {value:g}; the voxels cannot begin there.", _CORRECT)
    return int(value)


def _dtype(path: Path, fields: Any) -> np.dtype[Any]:
    code = int(fields["datatype"])
    if code in _OTHER_TYPES:
        raise FileRefused(path, f"datatype {code} means voxels of {_OTHER_TYPES[code]}.", "Export it as grey values.")
    try:
        dtype: np.dtype[Any] = fields.get_data_dtype()
    except (HeaderDataError, KeyError):
        raise FileRefused(path, f"datatype {code} is unknown.", "The header is damaged.") from None
    if dtype.itemsize == 0:
        raise FileRefused(path, f"datatype {code} is unknown.", "The header is damaged.")
    return dtype


def _scaling(path: Path, fields: Any) -> tuple[float, float]:
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    if slope == 0 or math.isnan(slope):  # the format's way to say: no scaling
        return 1.0, 0.0
    for name, value in (("scl_slope", slope), ("scl_inter", intercept)):
        if not math.isfinite(value):
            raise FileRefused(path, f"{name} is {value:g}.", _CORRECT)
    return slope, intercept


def _geometry(path: Path, fields: Any, shape: tuple[int, int, int]) -> tuple[Geometry, tuple[Finding, ...]]:
    """The sform where it has a code and is a straight grid, else the qform, else a stated guess."""
    fields = fields.copy()
    thickness = float(fields["pixdim"][3])
    flat = shape[0] == 1 and (not thickness > 0 or (int(fields["dim"][0]) == 2 and thickness == 1))  # 1 is what fills the place
    if flat:
        fields["pixdim"][3] = 1.0
    scale = _MM_PER_UNIT.get(int(fields["xyzt_units"]) & 7, 1.0)
    preflight.check_spacing(path, [float(size) * scale for size in fields["pixdim"][1:4]], "pixdim")
    if fields["pixdim"][0] == 0:  # old writers leave the sign of the third axis out; the format says to take it as +1
        fields["pixdim"][0] = 1.0
    findings = [NO_THICKNESS] if flat else []
    sform, qform = (_coded(fields, name, shape, scale) for name in ("sform", "qform"))
    if isinstance(sform, Geometry):
        findings += _conflicts(sform, qform, np.asarray(fields["pixdim"][3:0:-1], float) * scale)
        return sform, tuple(findings)
    if isinstance(qform, Geometry):
        if sform is not None:
            message = f"The file's sform is no straight grid ({sform}) and was passed over for the qform."
            findings.append(Finding("orientation_conflict", message, serious=True))
        return qform, tuple(findings)
    if sform or qform:
        name, problem = ("sform", sform) if sform else ("qform", qform)
        raise FileRefused(path, f"its {name} cannot be used: {problem}", "Resample the picture onto a straight grid.")
    guess = preflight.checked_geometry(path, shape, array_affine(fields.get_base_affine(), scale), "pixdim")
    return guess, (*findings, NO_ORIENTATION)


def _coded(fields: Any, name: str, shape: tuple[int, int, int], scale: float) -> Geometry | str | None:
    """The grid of sform or qform; what is wrong with it; None when its code is 0."""
    code = int(fields[f"{name}_code"])
    if code <= 0:
        return None
    if code > _HIGHEST_CODE:
        return f"{name}_code is {code}, which means nothing."
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # numbers near 1e300 end as infinite and are refused as such
            affine = fields.get_sform() if name == "sform" else fields.get_qform()
            return Geometry.from_affine(shape, array_affine(affine, scale))
    except (GeometryMismatch, HeaderDataError, ValueError, np.linalg.LinAlgError) as error:
        return str(error) or type(error).__name__


def array_affine(ras: FloatArray, scale: float) -> FloatArray:
    """(i, j, k) -> RAS in the file's unit becomes (k, j, i) -> LPS mm."""
    affine = (_RAS_TO_LPS @ np.asarray(ras, np.float64))[:, [2, 1, 0, 3]]
    affine[:3] *= scale
    return affine


def _conflicts(sform: Geometry, qform: Geometry | str | None, pixdim: FloatArray) -> list[Finding]:
    findings = []
    if np.abs(np.asarray(sform.spacing) / pixdim - 1).max() > 0.01:
        message = "The file gives two voxel sizes (pixdim and sform) that differ by more than 1 %; the sform is used."
        findings.append(Finding("spacing_conflict", message, serious=True))
    if isinstance(qform, Geometry) and np.sum(qform.axes * sform.axes, axis=1).min() < _SAME_WAY:
        message = "The file says in two ways how the patient lies (qform and sform), which differ; the sform is used. "
        message += "Left and right, front and back may be wrong."
        findings.append(Finding("orientation_conflict", message, serious=True))
    elif isinstance(qform, Geometry) and not qform.is_close(sform, max(sform.spacing)):
        message = "The file gives two positions in space (qform and sform); the sform is used."
        findings.append(Finding("orientation_conflict", message))
    return findings
