"""FreeSurfer volumes: .mgh, and .mgz or .mgh.gz packed with gzip. Big endian; the affine is built about the middle voxel.

Layout as FreeSurfer documents it for version 1: a header of 284 bytes, then the voxels, then an optional footer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import Stored
from ctmri_core.io.nifti_header import array_affine, plain_head
from ctmri_core.io.raw_image import NO_ORIENTATION, NO_SPACING, RawImage, RawImageReader

_HEADER_BYTES = 284
_HEADER = np.dtype([
    ("version", ">i4"), ("dims", ">i4", 4), ("type", ">i4"), ("dof", ">i4"), ("good_ras", ">i2"),
    ("spacing", ">f4", 3), ("axes", ">f4", (3, 3)), ("centre", ">f4", 3),
])  # fmt: skip
_TYPES = {0: "u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}
_SUFFIXES = (".mgh", ".mgz", ".mgh.gz")
_DEFAULT_AXES = ((-1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))


def read_mgh(path: Path) -> RawImage:
    """The checked header. Raises `FileRefused` naming the field."""
    head, packed = plain_head(path)
    if packed and not head:
        raise FileRefused(path, "is damaged: it cannot be unpacked.", "Copy or export it again.")
    if len(head) < _HEADER_BYTES:
        problem = f"is incomplete: it ends within the header, after {len(head)} bytes."
        raise FileRefused(path, problem, "Copy or export it again.")
    fields = np.frombuffer(head, _HEADER, 1)[0]
    if int(fields["version"]) != 1:
        raise FileRefused(path, f"version is {int(fields['version'])}; FreeSurfer volumes have 1.", "The header is damaged.")
    code = int(fields["type"])
    if code not in _TYPES:
        raise FileRefused(path, f"type is {code}, no type of grey values.", "Export it as grey values.")
    i, j, k, frames = (int(n) for n in fields["dims"])
    preflight.check_shape(path, (i, j, k), "its width, height or depth")
    if frames < 1:
        raise FileRefused(path, f"nframes is {frames}.", "The header is damaged.")
    placed = int(fields["good_ras"]) > 0
    image = RawImage(
        stored=(Stored(path, "gzip" if packed else "raw", lead=_HEADER_BYTES, padded=True),),
        dtype=np.dtype(_TYPES[code]),
        geometry=preflight.checked_geometry(path, (k, j, i), _affine(path, fields, placed), "its direction cosines"),
        findings=() if placed else (NO_SPACING, NO_ORIENTATION),
        volume_count=frames,
    )
    image.check_lengths()
    return image


def _affine(path: Path, fields: np.void, placed: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(4, 4) (k, j, i) -> LPS mm. Without coordinates FreeSurfer assumes coronal slices of 1 mm voxels about the origin."""
    spacing = np.asarray(fields["spacing"] if placed else (1.0, 1.0, 1.0), np.float64)
    preflight.check_spacing(path, spacing.tolist(), "spacing")
    axes = np.asarray(fields["axes"] if placed else _DEFAULT_AXES, np.float64)
    centre = np.asarray(fields["centre"] if placed else (0.0, 0.0, 0.0), np.float64)
    ras = np.eye(4)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused with the geometry
        ras[:3, :3] = axes.T * spacing
        ras[:3, 3] = centre - ras[:3, :3] @ (np.asarray(fields["dims"][:3], np.float64) / 2)
        return array_affine(ras, 1.0)


def _is_mgh(path: Path, head: bytes) -> bool:  # noqa: ARG001  # the mark is too short to tell by
    return path.name.lower().endswith(_SUFFIXES)


MGH_READER = RawImageReader("FreeSurfer", _is_mgh, read_mgh)
