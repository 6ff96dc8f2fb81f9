"""Planes and volumes against SimpleITK and SciPy on one thread; outlines and live scores as absolute times.

Processor time, so that whatever else runs on the machine does not enter.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import map_coordinates

from ctmri_core.comparison import Comparison
from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.resample import resample_to, sample_plane
from ctmri_core.volume import Synthetic, Volume


def _milliseconds(work: Callable[[], object], repeats: int) -> float:
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1e3 * float(np.median(times))


def _head(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Volume:
    k, j, i = np.meshgrid(*[np.linspace(-1, 1, n, dtype=np.float32) for n in shape], indexing="ij")
    radius = np.sqrt((k / 0.9) ** 2 + (j / 0.7) ** 2 + (i / 0.6) ** 2)
    hu = np.where(radius < 0.9, 40 + 30 * np.sin(9 * i) * np.cos(7 * j + 5 * k), np.where(radius < 1, 900, -1000))
    noise = np.random.default_rng(0).normal(0, 15, shape)
    return Volume((hu + noise).astype(np.int16), Geometry(shape, spacing), Domain.CT)


def _planes(volume: Volume) -> dict[str, Geometry]:
    centre = volume.geometry.centre
    half = 0.8 * 255.5
    turned = (rigid_transform((10, 20, 30), (0, 0, 0))[:3, :3] @ volume.geometry.axes.T).T
    oblique = Geometry(
        (1, 512, 512), (1, 0.8, 0.8), tuple(centre - half * (turned[1] + turned[2])), tuple(map(tuple, turned))
    )
    parallel = Geometry((1, 512, 512), (1, 0.75, 0.75), tuple(centre - [0.75 * 255.5, 0.75 * 255.5, 0.4]))
    stored = volume.geometry.cropped((9, 0, 0), (1, 512, 512))
    return {"oblique": oblique, "parallel, other spacing": parallel, "stored slice": stored}


def _planes_against_others(volume: Volume) -> None:
    image = sitk.GetImageFromArray(volume.voxels)
    for setter, value in zip((image.SetSpacing, image.SetOrigin, image.SetDirection), volume.geometry.to_itk(), strict=True):
        setter(value)
    for name, plane in _planes(volume).items():
        spacing, origin, direction = plane.to_itk()
        index = volume.geometry.mm_to_index(plane.index_to_mm(np.stack(np.indices(plane.shape), -1))).reshape(-1, 3).T

        def itk(grid: Geometry = plane, where: tuple = (origin, spacing, direction)) -> object:
            return sitk.Resample(image, grid.shape[::-1], sitk.Transform(), sitk.sitkLinear, *where, -1024.0, sitk.sitkFloat32)

        ours = _milliseconds(lambda plane=plane: sample_plane(volume, plane), 30)
        theirs = _milliseconds(itk, 10)
        scipy = _milliseconds(lambda index=index: map_coordinates(volume.voxels, index, np.float32, order=1, cval=-1024), 3)
        print(
            f"{name:24}  ours {ours:6.2f} ms  SimpleITK {theirs:6.2f} ms (ratio {theirs / ours:5.1f})  "
            f"SciPy {scipy:6.1f} ms (ratio {scipy / ours:5.1f})"
        )


def _outline_and_scores() -> None:
    # What is found out about a volume is remembered with it: a copy is a volume never seen before.
    ct = _head((160, 256, 256), (1.0, 0.9, 0.9))
    print(f"body mask 160 x 256 x 256: {_milliseconds(lambda: body_mask(replace(ct)), 3):.0f} ms")
    large = _head((160, 512, 512), (1.2, 0.5, 0.5))
    shape = (120, 240, 240)
    grid = Geometry.from_affine(shape, rigid_transform((3, 2, 1), (2, 1, 0)) @ Geometry(shape, (1.5, 1, 1)).affine)
    truth = replace(resample_to(large, grid), domain=Domain.MR_T1)
    synthetic = replace(large, domain=Domain.MR_T1, synthetic=Synthetic("benchmark", "0"))
    print(f"verdict: {_milliseconds(lambda: Comparison(replace(large), synthetic, replace(truth)), 3):.0f} ms")
    comparison = Comparison(large, synthetic, truth)
    print(f"scores of one 512 x 512 slice: {_milliseconds(lambda: comparison.scores(80), 30):.1f} ms")


def main() -> None:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    _planes_against_others(_head((200, 512, 512), (1.5, 0.8, 0.8)))
    _outline_and_scores()


if __name__ == "__main__":
    main()
