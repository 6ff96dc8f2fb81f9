"""How rough a translated volume is from slice to slice: axial slices alone beside three planes fused.

    python tests/benchmarks/real_heads_jitter.py MODEL VOLUME

Inside the body, the mean absolute second difference across axial slices over the same within them (rows and columns): 1 is as
smooth across as within. The source's own stands beside it, as scans with thick slices are rougher across by themselves.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.events import finish
from ctmri_core.inference.order import Order, Planes
from ctmri_core.inference.translate import translate_as
from ctmri_core.io.opening import open_volume
from ctmri_core.model_file import load_model
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.slice_grid import plane_order


def roughness(voxels: NDArray[Any], inside: NDArray[np.bool_], spacing: tuple[float, ...]) -> float:
    """Across axis 0 over the mean of axes 1 and 2, of bends per mm squared."""
    bends = []
    for axis in range(3):
        moved, within = np.moveaxis(voxels.astype(np.float32), axis, 0), np.moveaxis(inside, axis, 0)
        bend = np.abs(moved[2:] - 2 * moved[1:-1] + moved[:-2])
        bends.append(float(bend[within[2:] & within[1:-1] & within[:-2]].mean()) / spacing[axis] ** 2)
    return bends[0] / (0.5 * (bends[1] + bends[2]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("volume", type=Path)
    options = parser.parse_args()
    model, source = load_model(options.model), open_volume(options.volume)
    order = plane_order(source.geometry, "axial")[0]
    inside = body_mask(source).transpose(order)
    spacing = tuple(source.geometry.spacing[axis] for axis in order)
    print(f"source: {roughness(source.voxels.transpose(order), inside, spacing):.2f}")
    ways: tuple[Planes, ...] = ("axial", "three")
    for planes in ways:
        begun = time.perf_counter()
        made = finish(translate_as(source, model, Order(planes=planes)))
        assert made is not None
        rough = roughness(made.volume.voxels.transpose(order), inside, spacing)
        print(f"{planes}: {rough:.2f} ({time.perf_counter() - begun:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
