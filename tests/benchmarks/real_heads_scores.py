"""How a model does on whole pictures of the public brain slices, background and table included, as student projects count.

    python tests/benchmarks/real_heads_scores.py MODEL [--data DIR] [--split FILE] [--side validation]

Prints the means and the worst slices. For CT: -1000 to 1000 HU onto [-1, 1], mean squared error of that, and SSIM of each
slice (uniform window of 7) with the range of the real slice as data range: what a published 0.0080 and 0.918 were counted by,
there on slices of patients seen in training. For MR the same of the range from the 0.5th to the 99.5th percentile inside the
mask, of each picture its own. Models are run as the program runs them, on one slice at a time. `cleared`: what lies outside
the mask is black in both.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from real_heads_subjects import KEPT, default_data

from ctmri_core.data.layouts.layout import LayoutOptions
from ctmri_core.data.layouts.picture_files import picture_volume
from ctmri_core.domain import Direction, Domain
from ctmri_core.events import finish
from ctmri_core.inference.order import Order
from ctmri_core.inference.translate import translate_as
from ctmri_core.metrics.psnr import psnr
from ctmri_core.metrics.ssim import ssim
from ctmri_core.model_card import read_card
from ctmri_core.model_file import LoadedModel, load_model

PLANES = ("axial", "coronal", "sagittal")
WIDE = 4024.0
"""Data range of the SynthRAD challenges, from -1024 to 3000 HU."""


@dataclass(frozen=True)
class WholeSlice:
    """Of one slice. `error`: mean absolute error inside the mask, HU or % of range; `wide`: SSIM of HU at the challenges' range,
    `psnr` inside the mask at the same."""

    subject: str
    plane: str
    error: float
    ssim: float
    mse: float
    cleared: float
    wide: float
    masked: float
    psnr: float
    seconds: float

    @property
    def centre(self) -> str:
        return self.subject[2]


def split_of(direction: Direction) -> Path:
    """The file that says who teaches and who validates: into MR those without contrast agent alone."""
    return KEPT / ("split.json" if direction.target is Domain.CT else "split_unenhanced.json")


def whole_pictures(model: Path, data: Path, subjects: Sequence[str], direction: Direction) -> list[WholeSlice]:
    """Of every slice of the subjects."""
    loaded = load_model(model)
    return [_scored(loaded, data / subject, plane, direction) for subject in subjects for plane in PLANES]


def _scored(model: LoadedModel, folder: Path, plane: str, direction: Direction) -> WholeSlice:
    source, truth = (
        picture_volume([folder / f"{domain.value}_{plane}.png"], domain, LayoutOptions())
        for domain in (direction.source, direction.target)
    )
    inside = picture_volume([folder / f"mask_{plane}.png"], Domain.UNKNOWN, LayoutOptions()).voxels[0] > 0
    begun = time.perf_counter()
    made = finish(translate_as(source, model, Order(precision="float32")))
    seconds = time.perf_counter() - begun
    assert made is not None
    real, ours = truth.voxels[0].astype(np.float32), made.volume.voxels[0].astype(np.float32)
    is_ct = direction.target is Domain.CT
    a, b = (_in_range(picture, (-1000.0, 1000.0) if is_ct else _span(picture[inside])) for picture in (real, ours))
    span = float(a.max() - a.min())
    dark = [np.where(inside, picture, np.float32(-1)) for picture in (a, b)]
    error = float(np.abs(real - ours)[inside].mean()) if is_ct else 50 * float(np.abs(a - b)[inside].mean())
    hu = [np.clip(picture + 1024, 0, WIDE) for picture in (real, ours)] if is_ct else [50 * (each + 1) for each in (a, b)]
    top = WIDE if is_ct else 100.0
    return WholeSlice(
        folder.name, plane, error, ssim(a + 1, b + 1, data_range=span), float(((a - b) ** 2).mean()),
        ssim(dark[0] + 1, dark[1] + 1, data_range=span), ssim(hu[0], hu[1], data_range=top),
        ssim(hu[0], hu[1], data_range=top, mask=inside), psnr(hu[0], hu[1], data_range=top, mask=inside), seconds,
    )  # fmt: skip


def _span(values: NDArray[np.float32]) -> tuple[float, float]:
    low, high = (float(value) for value in np.percentile(values, (0.5, 99.5)))
    return low, max(high, low + 1e-6)


def _in_range(picture: NDArray[np.float32], span: tuple[float, float]) -> NDArray[np.float32]:
    low, high = span
    result: NDArray[np.float32] = (np.clip((picture - low) / (high - low), 0, 1) * 2 - 1).astype(np.float32)
    return result


def mean_of(slices: Iterable[WholeSlice], name: str) -> float:
    """Over slices."""
    return float(np.mean([getattr(each, name) for each in slices]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, default=default_data())
    parser.add_argument("--split", type=Path, help="default: the one that the model's direction was learnt by")
    parser.add_argument("--side", choices=("train", "validation"), default="validation")
    options = parser.parse_args()
    direction = read_card(options.model).direction
    subjects = json.loads((options.split or split_of(direction)).read_text())[options.side]
    slices = whole_pictures(options.model, options.data, subjects, direction)
    groups = {"all": slices, **{f"centre {centre}": [each for each in slices if each.centre == centre] for centre in "ABC"}}
    groups |= {plane: [each for each in slices if each.plane == plane] for plane in PLANES}
    names = ("error", "psnr", "masked", "wide", "ssim", "mse", "cleared", "seconds")
    print("group", *names, sep="\t")
    for group, own in groups.items():
        if own:
            print(group, *(f"{mean_of(own, name):.4g}" for name in names), sep="\t")
    for each in sorted(slices, key=lambda each: -each.error)[:8]:
        print("worst", each.subject, each.plane, f"{each.error:.1f}", sep="\t")


if __name__ == "__main__":
    main()
