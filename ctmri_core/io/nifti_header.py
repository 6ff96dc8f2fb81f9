"""NIfTI-1 and NIfTI-2 headers: where the voxels lie in the file and in the patient, every field checked before use.

Fields and their meaning: NIfTI-1 data format (Cox et al. 2004) and its 2011 successor NIfTI-2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from ctmri_core.errors import FileRefused, GeometryMismatch
from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import inflate_head
from ctmri_core.volume import Finding

HEADER_BYTES = 544
_COMPRESSED_HEADER_BYTES = 1 << 16
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # xyzt_units: unknown (millimetres by custom), metre, mm, micrometre
_CORRECT = "Correct the header and open it again."


@dataclass(frozen=True)
class NiftiHeader:
    """What loading needs. `volume_count`: volumes of `geometry.shape` behind each other; `offset`: of the first, in bytes."""

    data_path: Path
    compressed: bool
    offset: int
    dtype: np.dtype[Any]
    volume_count: int
    slope: float
    intercept: float
    geometry: Geometry
    description: str
    findings: tuple[Finding, ...]

    @property
    def volume_bytes(self) -> int:
        return math.prod(self.geometry.shape) * self.dtype.itemsize

    @property
    def total_bytes(self) -> int:
        """Of the unpacked data file, at least."""
        return self.offset + self.volume_count * self.volume_bytes


def read_header(path: Path) -> NiftiHeader:
    """The checked header of a .nii, .nii.gz or .hdr file. Raises `FileRefused` naming the field."""
    head, compressed = plain_head(path)
    found = preflight.kind(head)
    if found == "analyze":
        raise FileRefused(path, "is an Analyze 7.5 file, which does not say left from right.", "Convert it to NIfTI.")
    if found != "nifti":
        raise FileRefused(path, "is no NIfTI file.", "Its header is damaged, or its name is wrong.")
    fields = _parsed(path, head)
    data_path, single = _data_file(path, fields)
    shape, volume_count = _shape(path, fields)
    if data_path != path:
        compressed = preflight.kind(preflight.head_of(data_path)) == "gzip"
    geometry, findings = _geometry(path, fields, shape)
    header = NiftiHeader(
        data_path=data_path,
        compressed=compressed,
        offset=_offset(path, fields, single),
        dtype=_dtype(path, fields),
        volume_count=volume_count,
        **_scaling(path, fields),
        geometry=geometry,
        description=bytes(fields["descrip"].item()).decode("latin-1"),
        findings=findings,
    )
    present = preflight.regular_file(data_path)
    ratio = preflight.DEFLATE_LIMIT if compressed else 1
    if header.total_bytes > present * ratio:
        problem = f"is incomplete: the header promises {header.total_bytes} bytes, the file holds {present}."
        raise FileRefused(data_path, problem, "Copy or export it again.")
    return header


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


def _data_file(path: Path, fields: Any) -> tuple[Path, bool]:
    """(the file with the voxels, whether it is the header's own)."""
    if bytes(fields["magic"].item())[:2] == b"n+":
        return path, True
    stem = Path(path.name.removesuffix(".gz")).stem
    names = [stem + suffix for suffix in (".img", ".IMG", ".img.gz")]
    for name in names:
        if (path.parent / name).exists():
            return preflight.beside(path, name), False
    raise FileRefused(path, f"has no data file {names[0]} beside it.", "Put both files in one folder.")


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
    try:
        dtype: np.dtype[Any] = fields.get_data_dtype()
    except (HeaderDataError, KeyError):
        raise FileRefused(path, f"datatype {int(fields['datatype'])} is unknown.", "The header is damaged.") from None
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        problem = f"its voxels are of type {fields['datatype']} (colour, complex or single bits)."
        raise FileRefused(path, problem, "Export it as grey values.")
    return dtype


def _scaling(path: Path, fields: Any) -> dict[str, float]:
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    if slope == 0 or math.isnan(slope):  # the format's way to say: no scaling
        return {"slope": 1.0, "intercept": 0.0}
    for name, value in (("scl_slope", slope), ("scl_inter", intercept)):
        if not math.isfinite(value):
            raise FileRefused(path, f"{name} is {value:g}.", _CORRECT)
    return {"slope": slope, "intercept": intercept}


def _geometry(path: Path, fields: Any, shape: tuple[int, int, int]) -> tuple[Geometry, tuple[Finding, ...]]:
    """The sform where it has a code and is a straight grid, else the qform, else a stated guess."""
    fields = fields.copy()
    flat = int(fields["dim"][0]) == 2 and not fields["pixdim"][3] > 0
    if flat:
        fields["pixdim"][3] = 1.0
    scale = _MM_PER_UNIT.get(int(fields["xyzt_units"]) & 7, 1.0)
    preflight.check_spacing(path, [float(size) * scale for size in fields["pixdim"][1:4]], "pixdim")
    if fields["pixdim"][0] == 0:  # old writers leave the sign of the third axis out; the format says to take it as +1
        fields["pixdim"][0] = 1.0
    findings = [Finding("estimated_spacing", "A single slice without thickness; 1 mm is assumed.")] if flat else []
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
    message = "The file does not say how the patient lies: left and right, front and back are a guess."
    guess = preflight.checked_geometry(path, shape, _array_affine(fields.get_base_affine(), scale), "pixdim")
    return guess, (*findings, Finding("missing_orientation", message, serious=True))


def _coded(fields: Any, name: str, shape: tuple[int, int, int], scale: float) -> Geometry | str | None:
    """The grid of sform or qform; what is wrong with it; None when its code is 0."""
    if int(fields[f"{name}_code"]) <= 0:
        return None
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # numbers near 1e300 end as infinite and are refused as such
            affine = fields.get_sform() if name == "sform" else fields.get_qform()
            return Geometry.from_affine(shape, _array_affine(affine, scale))
    except (GeometryMismatch, HeaderDataError, ValueError, np.linalg.LinAlgError) as error:
        return str(error) or type(error).__name__


def _array_affine(ras: FloatArray, scale: float) -> FloatArray:
    """(i, j, k) -> RAS in the file's unit becomes (k, j, i) -> LPS mm."""
    affine = (_RAS_TO_LPS @ np.asarray(ras, np.float64))[:, [2, 1, 0, 3]]
    affine[:3] *= scale
    return affine


def _conflicts(sform: Geometry, qform: Geometry | str | None, pixdim: FloatArray) -> list[Finding]:
    findings = []
    if np.abs(np.asarray(sform.spacing) / pixdim - 1).max() > 0.01:
        message = "The file gives two voxel sizes (pixdim and sform) that differ by more than 1 %; the sform is used."
        findings.append(Finding("spacing_conflict", message, serious=True))
    if isinstance(qform, Geometry) and not qform.is_close(sform, max(sform.spacing)):
        message = "The file gives two positions in space (qform and sform); the sform is used."
        findings.append(Finding("orientation_conflict", message))
    return findings
