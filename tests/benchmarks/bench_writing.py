"""Writing 234 slices of 512 x 512, checked, against other libraries that write them unchecked: seconds and ratios of one run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk

from ctmri_core.domain import Domain
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.io.saving import save
from ctmri_core.volume import Synthetic, Volume

SHAPE = (234, 512, 512)


def _volume() -> Volume:
    k, j, i = np.ogrid[-1 : 1 : SHAPE[0] * 1j, -1:1:512j, -1:1:512j]
    inside = k**2 + j**2 + i**2 < 0.7
    noise = np.random.default_rng(0).normal(40, 12, SHAPE)
    voxels = np.where(inside, noise, -1000).astype(np.int16)
    return Volume(voxels, Geometry(SHAPE, (1.0, 0.9, 0.9)), Domain.CT, synthetic=Synthetic("demo", "ab" * 32))


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _rewrite(folder: Path, target: Path) -> None:
    """What pydicom alone takes to write the same slices."""
    target.mkdir()
    for path in folder.iterdir():
        pydicom.dcmwrite(target / path.name, pydicom.dcmread(path), enforce_file_format=True)


def main() -> None:
    volume = _volume()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image = sitk.GetImageFromArray(volume.voxels)
        others: dict[str, tuple[str, Callable[[], object]]] = {
            "a.nii.gz": ("nibabel", lambda: nib.save(nib.Nifti1Image(volume.voxels.T, np.eye(4)), folder / "b.nii.gz")),
            "a.mha": ("SimpleITK", lambda: sitk.WriteImage(image, str(folder / "b.mha"), useCompression=True)),
            "a.nrrd": ("SimpleITK", lambda: sitk.WriteImage(image, str(folder / "b.nrrd"), useCompression=True)),
            "series": ("pydicom", lambda: _rewrite(folder / "series", folder / "b")),
        }
        for target, (library, other) in others.items():
            ours = _seconds(lambda target=target: finish(save(volume, folder / target)))
            theirs = _seconds(other)
            print(f"{target}: {ours:.2f} s, written and checked; {library} {theirs:.2f} s unchecked; ratio {ours / theirs:.2f}")
        pictures = _seconds(lambda: finish(save(volume, folder / "pictures", slices="png")))
        print(f"pictures: {pictures:.2f} s")


if __name__ == "__main__":
    main()
