"""Hostile FreeSurfer (MGH, MGZ) and Analyze 7.5 volumes."""

from __future__ import annotations

import gzip
import pickle
import struct
from collections.abc import Iterator
from typing import Any

import nibabel as nib
import numpy as np

from tests.hostile.kinds import ODD_SPACINGS, SHAPE, SPACING, VOXELS, Expectation, Kind, either, file_kind, opens, refused

_TYPES = {"u1": 0, "i4": 1, "f4": 3, "i2": 4}


def mgh(voxels: np.ndarray = VOXELS, **fields: Any) -> bytes:
    """An .mgh of the common voxels, big endian as the format is; `fields` overwrite the header's."""
    values = {
        "version": 1, "dims": [*SHAPE[::-1], 1], "type": _TYPES[voxels.dtype.str[1:]], "dof": 0, "good": 1,
        "spacing": SPACING[::-1], "directions": [-1, 0, 0, 0, -1, 0, 0, 0, 1], "centre": [0, 0, 0],
    } | fields  # fmt: skip
    with np.errstate(over="ignore"):
        real = np.array([*values["spacing"], *values["directions"], *values["centre"]]).astype(">f4").tobytes()
    whole = struct.pack(">7i", values["version"], *values["dims"], values["type"], values["dof"])
    head = whole + struct.pack(">h", values["good"]) + real
    return head + bytes(284 - len(head)) + voxels.astype(voxels.dtype.newbyteorder(">")).tobytes()


def mgz(**fields: Any) -> bytes:
    return gzip.compress(mgh(**fields), mtime=0)


_MGH_FIELDS: dict[str, tuple[dict[str, Any], Expectation]] = {
    "version_two": ({"version": 2}, refused()),
    "version_negative": ({"version": -1}, refused()),
    "size_zero": ({"dims": [10, 0, 6, 1]}, refused()),
    "size_negative": ({"dims": [10, -12, 6, 1]}, refused()),
    "size_2_31": ({"dims": [2**31 - 1] * 4}, refused()),
    "frames_2_31": ({"dims": [10, 12, 6, 2**31 - 1]}, refused()),
    "frames_zero": ({"dims": [10, 12, 6, 0]}, refused()),
    "one_slice_too_many": ({"dims": [10, 12, 7, 1]}, refused()),
    "type_unknown": ({"type": 99}, refused()),
    "type_negative": ({"type": -4}, refused()),
    "directions_nan": ({"directions": [float("nan")] * 9}, refused()),
    "directions_zero": ({"directions": [0] * 9}, refused()),
    "directions_sheared": ({"directions": [1, 1, 0, 0, 1, 0, 0, 0, 1]}, refused()),
    "centre_inf": ({"centre": [float("inf"), 0, 0]}, refused()),
    "not_good": ({"good": 0}, either()),
}


def _mgh_kinds() -> Iterator[Kind]:
    packed, plain = mgz(), mgh()
    for name, (fields, expected) in _MGH_FIELDS.items():
        yield file_kind(f"mgz_{name}", "a.mgz", mgz(**fields), expected)
    for name, value in ODD_SPACINGS.items():
        yield file_kind(f"mgz_spacing_{name}", "a.mgz", mgz(spacing=[1.25, value, 2]), refused("spacing"), "R6")
    for name, file_name, content, expected in (
        ("mgz_fine", "a.mgz", packed, opens()),
        ("mgh_fine", "a.mgh", plain, opens()),
        ("mgh_called_mgz", "a.mgz", plain, opens()),
        ("mgz_called_mgh", "a.mgh", packed, opens()),
        ("mgh_short", "a.mgh", plain[:-1], refused()),
        ("mgh_header_only", "a.mgh", plain[:284], refused()),
        ("mgh_in_header", "a.mgh", plain[:100], refused()),
        ("mgh_footer_garbage", "a.mgh", plain + b"\xff" * 500, either()),
        ("mgz_checksum", "a.mgz", packed[:-8] + bytes(4) + packed[-4:], refused()),
        ("mgz_half", "a.mgz", packed[: len(packed) // 2], refused()),
        ("mgz_bomb", "a.mgz", gzip.compress(mgh() + bytes(64 << 20)), refused()),
        ("pickle_called_mgz", "a.mgz", pickle.dumps({"x": np.arange(5)}), refused()),
        ("packed_pickle_called_mgz", "a.mgz", gzip.compress(pickle.dumps([1, 2])), refused()),
        ("mgh_little_endian", "a.mgh", b"".join(plain[n : n + 4][::-1] for n in range(0, 284, 4)) + plain[284:], refused()),
    ):
        yield file_kind(name, file_name, content, expected)


def analyze(**fields: Any) -> bytes:
    """The .hdr of an Analyze 7.5 pair of the common voxels; `fields` overwrite, by place as in `dim_3`."""
    template = nib.AnalyzeHeader.template_dtype
    header = np.zeros((), template)
    values: dict[str, Any] = {
        "sizeof_hdr": 348, "extents": 16384, "regular": b"r", "dim": [4, *SHAPE[::-1], 1, 0, 0, 0], "datatype": 4, "bitpix": 16,
        "pixdim": [0, *SPACING[::-1], 0, 0, 0, 0],
    }  # fmt: skip
    for name, value in (values | fields).items():
        field, _, place = name.rpartition("_")
        with np.errstate(all="ignore"):
            if place.isdigit() and field in template.names:
                header[field][int(place)] = value
            else:
                header[name] = value
    return header.tobytes()


def _analyze_kinds() -> Iterator[Kind]:
    raw = VOXELS.tobytes()
    cases: dict[str, tuple[dict[str, Any], Expectation]] = {
        "fine": ({}, opens(VOXELS, "missing_orientation")),
        "size_zero": ({"dim_1": 0}, refused("dim")),
        "size_negative": ({"dim_2": -4}, refused("dim")),
        "size_largest": ({"dim": [4, 32767, 32767, 32767, 1, 0, 0, 0]}, refused()),
        "datatype_unknown": ({"datatype": 77}, refused("datatype")),
        "offset_nan": ({"vox_offset": float("nan")}, refused("vox_offset")),
        "offset_beyond": ({"vox_offset": 1e8}, refused()),
        "dim0_lies": ({"dim_0": 30000}, refused("dim")),
    } | {f"spacing_{name}": ({"pixdim_2": value}, refused("pixdim")) for name, value in ODD_SPACINGS.items()}
    for name, (fields, expected) in cases.items():
        row = "R6" if name.startswith("spacing_") else ""
        yield file_kind(f"analyze_{name}", "a.hdr", analyze(**fields), expected, row, **{"a.img": raw})
    yield file_kind("analyze_short", "a.hdr", analyze(), refused("incomplete"), **{"a.img": raw[:-2]})
    yield file_kind("analyze_alone", "a.hdr", analyze(), refused("data file"))
    yield file_kind("analyze_cut", "a.hdr", analyze()[:200], refused(), **{"a.img": raw})


def kinds() -> Iterator[Kind]:
    yield from _mgh_kinds()
    yield from _analyze_kinds()
