"""PAR/REC and MINC 1 through nibabel. Runs in the reader process only."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from nibabel.externals.netcdf import netcdf_file
from nibabel.filebasedimages import ImageFileError
from nibabel.minc1 import Minc1File, MincError
from nibabel.parrec import PARRECError, PARRECHeader, parse_PAR_header
from nibabel.spatialimages import HeaderDataError

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import FloatArray
from ctmri_core.io import preflight
from ctmri_core.io.stored_values import VoxelSink
from ctmri_core.volume import Finding, Voxels

_PARSE_ERRORS = (
    PARRECError, MincError, HeaderDataError, ImageFileError, ValueError, TypeError, LookupError,
    AttributeError, ArithmeticError, AssertionError, OSError, EOFError, NotImplementedError,
)  # fmt: skip
"""What nibabel raises on damaged files, as trials with them showed; running out of memory is told elsewhere."""
_SPACE = ("xspace", "yspace", "zspace")


class ForeignHeader(NamedTuple):
    """`shape`: (k, j, i) of one of `volume_count` volumes; `affine`: (4, 4) (k, j, i) -> RAS mm; `sizes`: of a voxel in mm,
    as the header gives them; `sized`: whether it does; `stored_bytes`: of all voxels in the data file.
    """

    shape: tuple[int, int, int]
    volume_count: int
    affine: FloatArray
    sizes: tuple[float, ...]
    sized: bool
    stored_bytes: int


def par_rec_header(path: Path) -> ForeignHeader:
    """Raises `FileRefused`."""
    try:
        header = _parsed_par(path)
        i, j, k, *counts = (int(n) for n in header.get_data_shape())
        stored = math.prod(int(n) for n in header.get_rec_shape()) * header.get_data_dtype().itemsize
        affine = np.asarray(header.get_affine(), np.float64)[:, [2, 1, 0, 3]]
        sizes = tuple(float(size) for size in header.get_zooms()[:3])
        return ForeignHeader((k, j, i), counts[0] if counts else 1, affine, sizes, True, stored)
    except _PARSE_ERRORS as error:
        raise _refused(path, error) from None


def par_rec_voxels(path: Path, rec: Path, index: int) -> tuple[Voxels, tuple[Finding, ...]]:
    """Volume `index`, values as the console showed them (rescale slope and intercept of each slice). Raises `FileRefused`."""
    try:
        header = _parsed_par(path)
        i, j, k = (int(n) for n in header.get_data_shape()[:3])
        stored = np.memmap(rec, header.get_data_dtype(), "r", shape=header.get_rec_shape(), order="F")
        numbers = (header.get_sorted_slice_indices(), *header.get_data_scaling("dv"))
        places, slopes, intercepts = (each.reshape((k, -1), order="F")[:, index] for each in numbers)
        if np.ptp(slopes) == 0 and np.ptp(intercepts) == 0:
            planes = (stored[..., place].T for place in places)
            return _filled(path, (k, j, i), planes, stored.dtype, float(slopes[0]), float(intercepts[0]))
        scaled = (stored[..., place].T * slope + shift for place, slope, shift in zip(places, slopes, intercepts, strict=True))
        return _filled(path, (k, j, i), scaled, np.dtype(np.float64))
    except _PARSE_ERRORS as error:
        raise _refused(path, error) from None


def minc_header(path: Path) -> ForeignHeader:
    """Raises `FileRefused`."""
    try:
        return _minc_header(path, _mapped_minc(path))
    except _PARSE_ERRORS as error:
        raise _refused(path, error) from None


def minc_voxels(path: Path, index: int) -> tuple[Voxels, tuple[Finding, ...]]:
    """Volume `index` in the order in which it is stored. Raises `FileRefused`."""
    try:
        content = _mapped_minc(path)
        header, stored = _minc_header(path, content), Minc1File(content)
        before = (index,) if len(stored.get_data_shape()) > 3 else ()
        planes = (stored.get_scaled_data((*before, k)) for k in range(header.shape[0]))
        dtype = np.dtype(stored.get_data_dtype())
        return _filled(path, header.shape, planes, dtype if dtype.kind == "f" else np.dtype(np.float64))
    except _PARSE_ERRORS as error:
        raise _refused(path, error) from None


def _filled(
    path: Path, shape: tuple[int, int, int], planes: Iterable[Any], dtype: np.dtype[Any], slope: float = 1.0, shift: float = 0.0
) -> tuple[Voxels, tuple[Finding, ...]]:
    """Slice by slice, so that no second copy of the volume is needed."""
    sink = VoxelSink(path, math.prod(shape), dtype, slope, shift)
    for plane in planes:
        sink.take(np.asarray(plane).reshape(-1))
    return sink.result(shape)


def _parsed_par(path: Path) -> Any:
    """nibabel's header, once it has been seen that what nibabel takes for granted is so."""
    with path.open(encoding="latin-1") as text, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        general, slices = parse_PAR_header(text)
        for name in ("pixel spacing", "slice thickness"):
            preflight.check_spacing(path, slices[name].ravel().tolist(), name)
        if not np.array_equal(slices["index in REC file"], np.arange(len(slices))):
            raise PARRECError("slices in another order than their lines")
        return PARRECHeader(general, slices)


def _mapped_minc(path: Path) -> Any:
    return netcdf_file(str(path), mmap=True)


def _minc_header(path: Path, content: Any) -> ForeignHeader:
    axes = tuple(content.variables["image"].dimensions)
    stored = Minc1File(content)
    if sorted(axes[-3:]) != sorted(_SPACE) or len(axes) > 4 or (len(axes) == 4 and axes[0] != "time"):
        raise FileRefused(path, "has other axes than three of space, or time before them.", "Convert one volume to NIfTI.")
    shape = [int(n) for n in stored.get_data_shape()]
    k, j, i = shape[-3:]
    return ForeignHeader(
        shape=(k, j, i),
        volume_count=shape[0] if len(shape) > 3 else 1,
        affine=np.asarray(stored.get_affine(), np.float64),
        sizes=tuple(float(size) for size in stored.get_zooms()[-3:]),
        sized=all(hasattr(content.variables[name], "step") for name in _SPACE),
        stored_bytes=math.prod(shape) * stored.get_data_dtype().itemsize,
    )


def _refused(path: Path, error: BaseException) -> FileRefused:
    if isinstance(error, FileRefused):
        return error
    told = isinstance(error, PARRECError | MincError)
    problem = "describes its slices in a way that does not fit together." if told else "is damaged or incomplete."
    return FileRefused(path, problem, "Copy or export it again, or convert it to NIfTI.")
