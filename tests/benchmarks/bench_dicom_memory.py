"""How much memory opening a volume takes, against the volume itself and against nibabel converting to the same numbers.

Python's own count of allocations (tracemalloc), whose peak does not depend on the machine. Measured for 256 x 256 x 120 voxels:
every kind takes the volume and 0.6 to 3.3 MiB, where holding the stored numbers and the voxels took up to 3.2 times the volume.
"""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from ctmri_core.io.opening import open_volume

SHAPE = (120, 256, 256)


def files(folder: Path) -> Iterator[Path]:
    values = np.random.default_rng(0).integers(-1000, 1500, SHAPE).astype(np.int16)
    kinds = {
        "int16": values, "uint16": (values + 1000).astype(np.uint16), "uint8": (values % 256).astype(np.uint8),
        "int32": values.astype(np.int32), "uint16 beyond int16": ((values + 1000.0) * 20).astype(np.uint16),
        "float32": values.astype(np.float32), "float64": values.astype(np.float64),
    }  # fmt: skip
    for name, stored in kinds.items():
        yield _nifti(folder / f"{name}.nii", stored)
    yield _nifti(folder / "int16 scaled to whole numbers.nii", values, 1.0, -24.0)
    yield _nifti(folder / "int16 scaled to fractions.nii", values, 0.5, 3.3)
    yield _nifti(folder / "int16 packed.nii.gz", values // 50)
    yield _nifti(folder / "float64 packed.nii.gz", (values // 50).astype(np.float64))
    for name in ("packed.mha", "packed.nrrd"):
        sitk.WriteImage(sitk.GetImageFromArray(values // 50), str(folder / name), useCompression=True, compressionLevel=1)
        yield folder / name


def _nifti(path: Path, stored: np.ndarray, slope: float = 1.0, intercept: float = 0.0) -> Path:
    image = nib.Nifti1Image(stored.T, np.eye(4), dtype=stored.dtype)
    image.header.set_slope_inter(slope, intercept)
    content = nib.Nifti1Image(stored.T, np.eye(4), image.header, dtype=stored.dtype)
    content.header.set_slope_inter(slope, intercept)
    nib.save(content, path)
    return path


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    kept = work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del kept
    return peak


def with_nibabel(path: Path, dtype: np.dtype) -> np.ndarray:
    return np.ascontiguousarray(np.asanyarray(nib.load(path, mmap=False).dataobj).T, dtype)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for path in files(Path(name)):
            voxels = open_volume(path).voxels  # imports and caches are not what is measured
            volume, slice_ = voxels.nbytes, voxels[0].nbytes
            ours = peak_bytes(lambda path=path: open_volume(path))
            line = f"{path.name:34} volume {volume / 2**20:5.1f} MiB, ours + {(ours - volume) / 2**20:4.1f} MiB"
            line += f" ({(ours - volume) / slice_:4.1f} slices), ours / volume = {ours / volume:.2f}"
            if ".nii" in path.name:
                dtype = voxels.dtype
                line += f", nibabel / volume = {peak_bytes(lambda path=path, dtype=dtype: with_nibabel(path, dtype)) / volume:.2f}"
            print(line)
