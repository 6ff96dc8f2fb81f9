"""Files of formats that few libraries write: written by nibabel, by SciPy or by hand, all to be read back by nibabel."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.parrec import PARRECHeader, image_def_dtds
from scipy.io import netcdf_file

from ctmri_core.geometry import Geometry

NAME = "Kopf größe 頭 1"
_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
Writer = Callable[[Path, np.ndarray, Geometry], Path]


def ras_affine(geometry: Geometry) -> np.ndarray:
    """(4, 4): (i, j, k) -> RAS mm."""
    return _TO_RAS @ geometry.affine[:, [2, 1, 0, 3]]


def geometry_of(image: Any, *, c_order: bool = False) -> Geometry:
    """The grid that nibabel gives; `c_order` for MINC, whose axes are (k, j, i)."""
    if c_order:
        return Geometry.from_affine(image.shape, _TO_RAS @ image.affine)
    affine, shape = (
        (image.get_affine(), image.get_data_shape()) if isinstance(image, PARRECHeader) else (image.affine, image.shape)
    )
    return Geometry.from_affine([int(n) for n in shape[2::-1]], _TO_RAS @ affine[:, [2, 1, 0, 3]])


def read_nibabel(path: Path) -> tuple[np.ndarray, Geometry]:
    image = nib.load(path)
    values = np.asanyarray(image.dataobj).reshape(image.shape[:3])
    return _as_kept(values.T), geometry_of(image)


def read_mgh(path: Path) -> tuple[np.ndarray, Geometry]:
    content = path.read_bytes()
    image = nib.MGHImage.from_bytes(gzip.decompress(content) if path.suffix == ".mgz" else content)
    return np.asanyarray(image.dataobj).T, geometry_of(image)


def read_par_rec(path: Path) -> tuple[np.ndarray, Geometry]:
    with path.open() as file:
        header = PARRECHeader.from_fileobj(file)
    values = np.fromfile(path.with_suffix(".REC"), "<u2").reshape(header.get_data_shape()[::-1])
    slope, intercept = (numbers.ravel()[:, None, None] for numbers in header.get_data_scaling())
    return (values * slope + intercept).astype(np.float32), geometry_of(header)


def read_minc(path: Path) -> tuple[np.ndarray, Geometry]:
    image = nib.load(path)
    return _as_kept(np.asanyarray(image.dataobj)), geometry_of(image, c_order=True)


def _as_kept(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32) if values.dtype.kind == "f" else values


def write_nibabel(suffix: str, kind: type) -> Writer:
    def write(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
        path = folder / f"{NAME}{suffix}"
        nib.save(kind(voxels.T, ras_affine(geometry)), path)
        return path

    return write


def write_analyze(byte_order: str) -> Writer:
    def write(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
        path = folder / f"{NAME}.hdr"
        header = nib.AnalyzeHeader(endianness=byte_order)
        header.set_data_dtype(voxels.dtype)
        image = nib.AnalyzeImage(voxels.T, None, header)
        image.header.set_zooms(geometry.spacing[::-1])
        nib.save(image, path)
        return path

    return write


def write_afni(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
    path = folder / f"{NAME}+orig.HEAD"
    k, j, i = voxels.shape
    attributes = {
        "DATASET_RANK": [3, 1], "DATASET_DIMENSIONS": [i, j, k], "BRICK_TYPES": [1], "BRICK_FLOAT_FACS": [0.0],
        "DELTA": list(geometry.spacing[::-1]), "IJK_TO_DICOM_REAL": geometry.affine[:3, [2, 1, 0, 3]].ravel().tolist(),
        "BYTEORDER_STRING": "LSB_FIRST~",
    }  # fmt: skip
    path.write_text("".join(_attribute(name, value) for name, value in attributes.items()))
    path.with_suffix(".BRIK").write_bytes(voxels.astype("<i2").tobytes())
    return path


def _attribute(name: str, value: list[int] | list[float] | str) -> str:
    kind = "string" if isinstance(value, str) else "integer" if isinstance(value[0], int) else "float"
    text = f"'{value}" if isinstance(value, str) else " " + " ".join(f"{number:.12g}" for number in value)
    return f"\ntype = {kind}-attribute\nname = {name}\ncount = {len(value)}\n{text}\n"


def write_minc(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
    path = folder / f"{NAME}.mnc"
    axes = geometry.axes * (-1, -1, 1)
    starts = axes @ (np.asarray(geometry.origin) * (-1, -1, 1))
    with netcdf_file(path, "w") as file:
        for name, size, step, start, axis in zip("zyx", voxels.shape, geometry.spacing, starts, axes, strict=True):
            file.createDimension(f"{name}space", size)
            dimension = file.createVariable(f"{name}space", "i", ())
            dimension.step, dimension.start, dimension.direction_cosines = step, start, axis
            dimension.spacing = b"regular__"
            dimension[()] = 0
        image = file.createVariable("image", "h", ("zspace", "yspace", "xspace"))
        image.signtype, image.valid_range = b"signed__", np.array([-32768.0, 32767.0])
        image[:] = voxels
        for name, value in (("image-min", -32768.0), ("image-max", 32767.0)):
            file.createVariable(name, "d", ())[()] = value
    return path


def write_par_rec(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
    """The format knows no negative numbers: they come out of the intercept."""
    path = folder / f"{NAME}.PAR"
    general = {
        "Max. number of slices/locations": len(voxels), "Max. number of dynamics": 1, "Max. number of echoes": 1,
        "Repetition time [ms]": 500.0, "Angulation midslice(ap,fh,rl)[degr]": "10 0 5",
        "Off Centre midslice(ap,fh,rl) [mm]": "3 4 5", "Dynamic scan      <0=no 1=yes> ?": 0,
        "Diffusion         <0=no 1=yes> ?": 0, "Max. number of diffusion values": 1, "Max. number of gradient orients": 1,
    }  # fmt: skip
    lines = ["# CLINICAL TRYOUT             Research image export tool     V4.2", "#"]
    lines += [f".    {key} :   {value}" for key, value in general.items()]
    lines += ["#", *(_par_line(k, voxels.shape, geometry) for k in range(len(voxels))), ""]
    path.write_text("\n".join([*lines, "# === END OF DATA DESCRIPTION FILE ====", ""]))
    path.with_suffix(".REC").write_bytes((voxels + 2000).astype("<u2").tobytes())
    return path


def _par_line(k: int, shape: tuple[int, ...], geometry: Geometry) -> str:
    known = {
        "slice number": k + 1, "echo number": 1, "dynamic scan number": 1, "index in REC file": k, "image pixel size": 16,
        "recon resolution": f"{shape[2]} {shape[1]}", "rescale intercept": -2000.0, "rescale slope": 1.0, "scale slope": 1.0,
        "slice thickness": geometry.spacing[0], "slice gap": 0.0, "slice orientation": 1,
        "pixel spacing": f"{geometry.spacing[2]} {geometry.spacing[1]}", "diffusion b value number": 1,
        "gradient orientation number": 1, "label type": 1,
    }  # fmt: skip
    words = []
    for name, kind, *shape_of in image_def_dtds["V4.2"]:
        empty = " ".join(["0" if kind in (int, "S30") else "0.0"] * int(np.prod(shape_of or [1])))
        words.append(str(known.get(name, empty)))
    return "  ".join(words)


def write_meta_image(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
    spacing = " ".join(f"{size:g}" for size in geometry.spacing[::-1])
    size = " ".join(str(n) for n in voxels.shape[::-1])
    path = folder / f"{NAME}.mha"
    header = f"NDims = 3\nDimSize = {size}\nElementSpacing = {spacing}\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    path.write_bytes(header.encode() + voxels.astype("<i2").tobytes())
    return path


def write_nrrd(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
    spacing = " ".join(f"{size:g}" for size in geometry.spacing[::-1])
    size = " ".join(str(n) for n in voxels.shape[::-1])
    path = folder / f"{NAME}.nrrd"
    header = f"NRRD0004\ntype: short\ndimension: 3\nsizes: {size}\nspacings: {spacing}\nendian: little\nencoding: raw\n\n"
    path.write_bytes(header.encode() + voxels.astype("<i2").tobytes())
    return path
