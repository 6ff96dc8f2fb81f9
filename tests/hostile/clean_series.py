"""Clean DICOM series of many sorts, each with its truth."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.hostile.dicom_bytes import BIG_ENDIAN, IMPLICIT, UID
from tests.hostile.series import AXIAL, CORONAL, FIRST, SAGITTAL, Slice, axes_of, stack


@dataclass(frozen=True)
class Truth:
    """What must come out: values (k, j, i), LPS mm of the first voxel of the first and last slice, mm between voxels."""

    voxels: NDArray[np.float64]
    ends: NDArray[np.float64]
    spacing: tuple[float, float, float]
    tolerance: float
    localizer: bool = False


@dataclass
class Clean:
    name: str
    slices: list[Slice] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)


def clean_series(count: int = 60, seed: int = 0) -> Iterator[Clean]:
    """Different every time, the same for the same seed: every sort below in turn, with orientation, size and step by chance."""
    random = np.random.default_rng(seed)
    for n in range(count):
        sort = _SORTS[n % len(_SORTS)]
        yield sort(f"{n}_{sort.__name__.strip('_')}", random)


def _any_orientation(random: np.random.Generator) -> tuple[float, ...]:
    """One of the three planes, turned about by up to 40 degrees half of the time, columns or rows reversed now and then."""
    axes = axes_of((AXIAL, CORONAL, SAGITTAL)[random.integers(3)])
    if random.random() < 0.5:
        angles = np.deg2rad(random.uniform(-40, 40, 3))
        for a, (i, j) in zip(angles, ((0, 1), (1, 2), (0, 2)), strict=True):
            turn = np.eye(3)
            turn[[i, i, j, j], [i, j, i, j]] = np.cos(a), -np.sin(a), np.sin(a), np.cos(a)
            axes = axes @ turn
    signs = random.choice([-1, 1], 2)
    return tuple(float(value) for value in (*(axes[2] * signs[0]), *(axes[1] * signs[1])))


def _add(clean: Clean, random: np.random.Generator, *, scale: Any = None, localizer: bool = False, **options: Any) -> list[Slice]:
    """A stack of `options`, others by chance, and its truth. `scale`: (slope, intercept) of each slice, by default plain."""
    count = options.pop("count", int(random.integers(3, 14)))
    step = options.pop("step", float(np.round(random.uniform(0.3, 10), 2)))
    digits = options.setdefault("digits", 6)
    options.setdefault("orientation", _any_orientation(random))
    options.setdefault("pixels", tuple(np.round(random.uniform(0.3, 1.2, 2), 3).tolist()))
    options.setdefault("size", tuple(random.integers(4, 12, 2).tolist()))
    options.setdefault("seed", int(random.integers(1 << 30)))
    slices = stack(count, step, **options)
    intercept = -1024 if options.get("modality", "CT") == "CT" else 0
    scales = [(1.0, float(intercept))] * count if scale is None else scale
    for each, (slope, offset) in zip(slices, scales, strict=True):
        each.edits |= {"RescaleSlope": f"{slope:.10g}", "RescaleIntercept": f"{offset:.10g}"}
    axes = axes_of(options["orientation"])
    first = np.array(FIRST)
    voxels = np.stack([each.values() for each in slices])
    ends = np.stack([first, first + (count - 1) * step * axes[0]])
    spacing = (step if count > 1 else float(str(slices[0].edits["SliceThickness"])), *options["pixels"])
    clean.slices += slices
    clean.truths.append(Truth(voxels, ends, spacing, 0.25 if digits == 1 else 2e-3, localizer))
    return slices


def _plain_ct(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    _add(clean, random)
    return clean


def _axial_ct_of_rounded_heights(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    _add(clean, random, count=12, step=float(random.choice([0.625, 1.25, 0.33, 3.75])), digits=1, orientation=AXIAL)
    return clean


def _oblique_of_rounded_places(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    _add(clean, random, count=9, digits=1, modality="MR")
    return clean


def _two_dimensional_mr(name: str, random: np.random.Generator) -> Clean:
    """Slices with gaps between them, which SpacingBetweenSlices tells."""
    clean = Clean(name)
    thickness = float(np.round(random.uniform(3, 6), 1))
    step = round(thickness * float(random.uniform(1.1, 1.6)), 3)
    _add(clean, random, step=step, modality="MR", SliceThickness=f"{thickness:g}", SpacingBetweenSlices=f"{step:g}")
    return clean


def _mr_whose_step_tells_the_gap(name: str, random: np.random.Generator) -> Clean:
    """Some write the gap between slices into SpacingBetweenSlices."""
    clean = Clean(name)
    _add(clean, random, step=6.0, modality="MR", SliceThickness="5", SpacingBetweenSlices="1")
    return clean


def _numbered_from_above(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    slices = _add(clean, random)
    for n, each in enumerate(reversed(slices), 1):
        each.edits["InstanceNumber"] = str(n)
    return clean


def _big_endian(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    _add(clean, random, syntax=BIG_ENDIAN)
    return clean


def _implicit(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    _add(clean, random, syntax=IMPLICIT)
    return clean


def _unsigned_of_12_bits(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    _add(clean, random, values=(0, 4095), PixelRepresentation=0, BitsStored=12, HighBit=11)
    return clean


def _signed_below_zero(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    count = int(random.integers(3, 9))
    _add(clean, random, count=count, values=(-1024, 3071), scale=[(1.0, 0.0)] * count, RescaleType="HU")
    return clean


def _unsigned_beyond_int16(name: str, random: np.random.Generator) -> Clean:
    """The values need float32, which only the pixels tell."""
    clean = Clean(name)
    _add(clean, random, values=(0, 65535), modality="MR", PixelRepresentation=0)
    return clean


def _mr_of_many_scales(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    count = int(random.integers(4, 10))
    _add(
        clean, random, count=count, modality="MR", scale=[(float(np.round(random.uniform(0.1, 3), 4)), 0.0) for _ in range(count)]
    )
    return clean


def _echoes_in_one_folder(name: str, random: np.random.Generator) -> Clean:
    """Two echoes of one series at the same places, numbered in turn."""
    clean = Clean(name)
    options = {
        "count": 6,
        "step": 3.0,
        "modality": "MR",
        "orientation": _any_orientation(random),
        "size": (7, 5),
        "pixels": (0.9, 0.8),
    }
    for n, echo in enumerate((12, 95)):
        for k, each in enumerate(_add(clean, random, **options, EchoTime=str(echo))):
            each.edits |= {"InstanceNumber": str(2 * k + n + 1), "SOPInstanceUID": f"{UID}.5.{n}.{k}"}
    return clean


def _phases_in_one_folder(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    for n in range(3):
        for k, each in enumerate(_add(clean, random, count=4, step=5.0, orientation=AXIAL, size=(6, 6), pixels=(1.0, 1.0))):
            each.edits |= {
                "TemporalPositionIdentifier": str(n + 1),
                "InstanceNumber": str(4 * n + k + 1),
                "SOPInstanceUID": f"{UID}.6.{n}.{k}",
            }
    return clean


def _b_values_in_one_folder(name: str, random: np.random.Generator) -> Clean:
    """Diffusion weightings of the same places, which numbers do not tell apart."""
    clean = Clean(name)
    numbers = random.permutation(12).tolist()
    for n, weighting in enumerate((0.0, 500.0, 1000.0)):
        options = {"count": 4, "step": 5.0, "orientation": AXIAL, "size": (6, 6), "pixels": (1.0, 1.0), "modality": "MR"}
        for k, each in enumerate(_add(clean, random, **options)):
            each.edits |= {
                "DiffusionBValue": struct.pack("<d", weighting),
                "InstanceNumber": str(numbers.pop() + 1),
                "SOPInstanceUID": f"{UID}.7.{n}.{k}",
            }
    return clean


def _derived_from_a_larger_acquisition(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    _add(clean, random, count=6, orientation=CORONAL, ImageType="DERIVED\\SECONDARY\\REFORMATTED", ImagesInAcquisition="400")
    return clean


def _a_later_phase_numbered_on(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    for n, each in enumerate(_add(clean, random, count=6)):
        each.edits["InstanceNumber"] = str(101 + n)
    return clean


def _one_slice(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    _add(clean, random, count=1)
    return clean


def _two_slices(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    _add(clean, random, count=2)
    return clean


def _localizer_beside(name: str, random: np.random.Generator) -> Clean:
    """A scout of another series, and three planes of a third."""
    clean = Clean(name)
    _add(clean, random, count=8)
    _add(clean, random, count=1, series=2, localizer=True, orientation=CORONAL, ImageType="ORIGINAL\\PRIMARY\\LOCALIZER")
    for plane in (AXIAL, CORONAL, SAGITTAL):
        _add(clean, random, count=1, series=3, localizer=True, orientation=plane, modality="MR", size=(8, 8), pixels=(2.0, 2.0))
    for n, each in enumerate(clean.slices[-3:]):
        each.edits |= {"SOPInstanceUID": f"{UID}.3.{n + 1}", "InstanceNumber": str(n + 1)}
    return clean


def _told_in_full(name: str, random: np.random.Generator) -> Clean:
    """As many images as the header tells of, and numbers from 0."""
    clean = Clean(name)
    for n, each in enumerate(_add(clean, random, count=7, ImagesInAcquisition="7", NumberOfSeriesRelatedInstances="7")):
        each.edits["InstanceNumber"] = str(n)
    return clean


def _frame_said_by_some(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    _add(clean, random, count=7)[3].edits["FrameOfReferenceUID"] = None
    return clean


def _drifting_by_less_than_half_a_pixel(name: str, random: np.random.Generator) -> Clean:
    clean = Clean(name)
    _add(clean, random, count=9, step=3.0, pixels=(0.9, 0.9), tilt=(0.012, 0.0), orientation=AXIAL)
    truth = clean.truths[0]
    clean.truths[0] = Truth(truth.voxels, truth.ends, truth.spacing, 0.45)
    return clean


_SORTS: tuple[Callable[[str, np.random.Generator], Clean], ...] = (
    _plain_ct, _axial_ct_of_rounded_heights, _oblique_of_rounded_places, _two_dimensional_mr, _mr_whose_step_tells_the_gap,
    _numbered_from_above, _big_endian, _implicit, _unsigned_of_12_bits, _signed_below_zero, _unsigned_beyond_int16,
    _mr_of_many_scales, _echoes_in_one_folder, _phases_in_one_folder, _b_values_in_one_folder,
    _derived_from_a_larger_acquisition, _a_later_phase_numbered_on, _one_slice, _two_slices, _localizer_beside, _told_in_full,
    _frame_said_by_some, _drifting_by_less_than_half_a_pixel,
)  # fmt: skip
