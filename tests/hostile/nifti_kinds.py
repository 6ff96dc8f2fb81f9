"""Hostile NIfTI: lying headers, broken containers, detached data, strange values."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

import nibabel as nib
import numpy as np

from tests.hostile.kinds import ODD_SPACINGS, SHAPE, SPACING, VOXELS, Expectation, Kind, either, file_kind, opens, refused

AFFINE = np.diag([-SPACING[2], -SPACING[1], SPACING[0], 1.0])


def nifti(
    data: bytes | np.ndarray = VOXELS, *, order: str = "<", version: int = 1, extension: bytes = b"\0\0\0\0", **fields: Any
) -> bytes:
    """A single-file NIfTI of the common voxels; `fields` overwrite the header's, by place as in `dim_3`, unchecked."""
    template = (nib.Nifti1Header if version == 1 else nib.Nifti2Header).template_dtype
    header = np.zeros((), template.newbyteorder(order))
    array = np.asarray(data) if isinstance(data, np.ndarray) else None
    codes = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768}
    kind = array.dtype.str[1:] if array is not None else "i2"
    values: dict[str, Any] = {
        "sizeof_hdr": 348 if version == 1 else 540,
        "dim": [3, *SHAPE[::-1], 1, 1, 1, 1],
        "datatype": codes[kind], "bitpix": int(kind[1]) * 8,
        "pixdim": [1, *SPACING[::-1], 0, 0, 0, 0],
        "vox_offset": (352 if version == 1 else 544) + len(extension) - 4,
        "xyzt_units": 2, "sform_code": 1,
        "srow_x": AFFINE[0], "srow_y": AFFINE[1], "srow_z": AFFINE[2],
        "magic": b"n+1\0" if version == 1 else b"n+2\0",
    }  # fmt: skip
    if version == 2:
        values["eol_check"] = list(b"\r\n\x1a\n")
    for name, value in (values | fields).items():
        field, _, place = name.rpartition("_")
        with np.errstate(all="ignore"):
            if place.isdigit() and field in template.names:
                header[field][int(place)] = value
            else:
                header[name] = value
    content = array.astype(array.dtype.newbyteorder(order)).tobytes() if array is not None else bytes(data)
    return header.tobytes() + extension + content


def _spacings() -> Iterator[Kind]:
    for name, value in ODD_SPACINGS.items():
        for axis in (1, 3):
            yield file_kind(f"nifti_pixdim{axis}_{name}", "a.nii", nifti(**{f"pixdim_{axis}": value}), refused("pixdim"), "R6")
        row = [value if n == 0 else 0 for n in range(4)]
        expected = opens(VOXELS) if value == -1.0 else refused("sform")
        yield file_kind(f"nifti_sform_row_{name}", "a.nii", nifti(srow_x=row), expected, "" if value == -1.0 else "R6")


_HEADERS: dict[str, tuple[dict[str, Any], Expectation]] = {
    "dim0_zero": ({"dim_0": 0}, refused("dim[0]")),
    "dim0_negative": ({"dim_0": -1}, refused("dim[0]")),
    "dim0_eight": ({"dim_0": 8}, refused("dim[0]")),
    "dim0_big_endian_lie": ({"dim_0": 768}, refused()),
    "dim_zero": ({"dim_2": 0}, refused("dim")),
    "dim_negative": ({"dim_3": -6}, refused("dim")),
    "dim_largest": ({"dim": [3, 32767, 32767, 32767, 1, 1, 1, 1]}, refused("promises")),
    "dim_fourth_zero": ({"dim": [4, 10, 12, 6, 0, 1, 1, 1]}, refused("dim")),
    "dim_fourth_negative": ({"dim": [4, 10, 12, 6, -3, 1, 1, 1]}, refused("dim")),
    "dim_seven_times_largest": ({"dim": [7, *[32767] * 7]}, refused()),
    "one_slice_too_many": ({"dim_3": 7}, refused("incomplete")),
    "datatype_unknown": ({"datatype": 3}, refused("datatype")),
    "datatype_negative": ({"datatype": -1}, refused("datatype")),
    "datatype_rgb": ({"datatype": 128, "bitpix": 24}, refused()),
    "datatype_complex": ({"datatype": 32, "bitpix": 64}, refused()),
    "datatype_bits": ({"datatype": 1, "bitpix": 1}, refused()),
    "datatype_ends_list": ({"datatype": 255, "bitpix": 0}, refused("datatype")),
    "datatype_float128": ({"datatype": 1536, "bitpix": 128}, refused()),
    "bitpix_lies": ({"bitpix": 8}, either()),
    "vox_offset_nan": ({"vox_offset": np.nan}, refused("vox_offset")),
    "vox_offset_inf": ({"vox_offset": np.inf}, refused("vox_offset")),
    "vox_offset_negative": ({"vox_offset": -352}, refused("vox_offset")),
    "vox_offset_in_header": ({"vox_offset": 100}, refused("vox_offset")),
    "vox_offset_beyond": ({"vox_offset": 1e9}, refused()),
    "vox_offset_huge": ({"vox_offset": 3e38}, refused("vox_offset")),
    "vox_offset_fraction": ({"vox_offset": 352.5}, refused("vox_offset")),
    "slope_nan": ({"scl_slope": np.nan, "scl_inter": 5}, opens()),
    "slope_inf": ({"scl_slope": np.inf}, refused("scl_slope")),
    "intercept_nan": ({"scl_slope": 1, "scl_inter": np.nan}, refused("scl_inter")),
    "intercept_inf": ({"scl_slope": 2, "scl_inter": np.inf}, refused("scl_inter")),
    "slope_overflows": ({"scl_slope": 3e38}, either(None)),
    "slope_tiny": ({"scl_slope": 1e-45}, opens(None)),
    "sform_nan": ({"srow_y": [np.nan] * 4}, refused("sform")),
    "sform_origin_inf": ({"srow_y": [0, -1.5, 0, np.inf]}, refused("sform")),
    "sform_singular": ({"srow_y": [0, 0, 0, 0]}, refused("sform")),
    "sform_sheared": ({"srow_y": [1, -1.5, 0, 0]}, refused("sform")),
    "sform_huge_origin": ({"srow_y": [0, -1.5, 0, 1e30]}, either()),
    "sform_code_unknown": ({"sform_code": 77}, refused("sform_code")),
    "sform_code_negative": ({"sform_code": -5}, opens(VOXELS, "missing_orientation")),
    "qform_quaternion_too_long": ({"sform_code": 0, "qform_code": 1, "quatern_b": 5}, refused("qform")),
    "qform_nan": ({"sform_code": 0, "qform_code": 1, "quatern_c": np.nan}, refused("qform")),
    "qform_qfac_seven": ({"sform_code": 0, "qform_code": 1, "pixdim_0": 7}, either()),
    "qform_and_sform_apart": ({"qform_code": 1, "qoffset_x": 500}, opens(VOXELS, "orientation_conflict")),
    "no_orientation": ({"sform_code": 0}, opens(VOXELS, "missing_orientation")),
    "spacing_conflict": ({"pixdim_3": 4.0}, opens(VOXELS, "spacing_conflict")),
    "units_unknown": ({"xyzt_units": 255}, either()),
    "units_metres": ({"xyzt_units": 1}, either()),
    "sizeof_hdr_zero": ({"sizeof_hdr": 0}, either()),
    "sizeof_hdr_negative": ({"sizeof_hdr": -348}, either()),
    "magic_pair_without_img": ({"magic": b"ni1\0"}, refused("data file")),
    "description_garbage": ({"descrip": bytes(range(128, 208))}, opens()),
    "intent_vectors": ({"intent_code": 1007}, either()),
}  # fmt: skip


def _containers() -> Iterator[Kind]:
    plain = nifti()
    packed = gzip.compress(plain, mtime=0)
    half = len(packed) // 2
    zeros = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = zeros.compress(nifti(b"")) + b"".join(zeros.compress(bytes(1 << 20)) for _ in range(64)) + zeros.flush()
    claim = gzip.compress(nifti(b"\0" * 100, dim=[3, 2000, 2000, 2000, 1, 1, 1, 1]), mtime=0)
    yield from (
        file_kind(f"gzip_{name}", "a.nii.gz", content, expected)
        for name, content, expected in (
            ("fine", packed, opens()),
            ("not_packed_at_all", plain, opens()),
            ("crc_wrong", packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:], refused("damaged")),
            ("length_wrong", packed[:-1] + bytes([packed[-1] ^ 1]), refused("damaged")),
            ("without_trailer", packed[:-8], refused("incomplete")),
            ("half_a_trailer", packed[:-3], refused("incomplete")),
            ("half", packed[:half], refused()),
            ("one_bit", packed[:half] + bytes([packed[half] ^ 16]) + packed[half + 1 :], refused("damaged")),
            ("zeros_after", packed + bytes(512), opens()),
            ("text_after", packed + b"and now something else", either()),
            ("two_members", gzip.compress(plain[:700]) + gzip.compress(plain[700:]), opens()),
            ("second_member_broken", gzip.compress(plain[:700]) + gzip.compress(plain[700:])[:-9], refused()),
            ("twice", gzip.compress(packed), either()),
            ("reserved_flags", packed[:3] + b"\xe0" + packed[4:], refused()),
            ("name_without_end", packed[:3] + b"\x08" + b"n" * 5000, refused()),
            ("bomb", bomb, refused("promises")),
            ("claims_16_gb", claim, refused()),
            ("header_only", gzip.compress(plain[:352]), refused()),
            ("empty_content", gzip.compress(b""), refused()),
            ("magic_only", b"\x1f\x8b", refused()),
        )
    )


def _values() -> Iterator[Kind]:
    real = VOXELS.astype(np.float32)
    some = real.copy()
    some[0, 0, :3] = [np.nan, np.inf, -np.inf]
    shown = np.where(np.isfinite(some), some, some[np.isfinite(some)].min())
    yield file_kind("nifti_all_nan", "a.nii", nifti(np.full(SHAPE, np.nan, np.float32)), refused("finite"))
    yield file_kind("nifti_all_inf", "a.nii", nifti(np.full(SHAPE, np.inf, np.float64)), refused("finite"))
    yield file_kind("nifti_some_nan", "a.nii", nifti(some), opens(shown, "not_finite"))
    yield file_kind("nifti_doubles_beyond_float", "a.nii", nifti(np.full(SHAPE, 1e300)), refused("finite"))
    for kind in ("u1", "i1", "i4", "u2", "u4", "f4", "f8"):
        values = np.abs(VOXELS) % 100
        yield file_kind(f"nifti_of_{kind}", "a.nii", nifti(values.astype(kind)), opens(values))
        yield file_kind(f"nifti_big_endian_{kind}", "a.nii", nifti(values.astype(kind), order=">"), opens(values))
    yield file_kind("nifti_big_endian", "a.nii", nifti(order=">"), opens())
    yield file_kind("nifti_2", "a.nii", nifti(version=2), opens())
    yield file_kind("nifti_2_sizes_2_63", "a.nii", nifti(version=2, dim=[3, 2**62, 2, 2**62, 1, 1, 1, 1]), refused("dim"))
    yield file_kind("nifti_2_negative_size", "a.nii", nifti(version=2, dim_1=-(2**63)), refused("dim"))
    yield file_kind("nifti_2_offset_2_63", "a.nii", nifti(version=2, vox_offset=2**63 - 1), refused("vox_offset"))
    yield file_kind("nifti_2_magic_by_text_mode", "a.nii", nifti(version=2, eol_check=list(b"\n\x1a\n\0")), refused())


def _layout() -> Iterator[Kind]:
    plain = nifti()
    header, voxels = plain[:348], plain[352:]
    pair = nifti(vox_offset=0, magic=b"ni1\0")[:348]
    for name, size in (("fine", b"\x20\0\0\0"), ("longer_than_file", b"\xf0\xff\xff\x7f"), ("negative", b"\xf0\xff\xff\xff")):
        extension = b"\1\0\0\0" + size + b"\6\0\0\0" + bytes(24)
        yield file_kind(f"nifti_extension_{name}", "a.nii", nifti(extension=extension), opens())
    yield file_kind("nifti_without_extension_flag", "a.nii", header + voxels, refused())
    for count in (4, 100, 343, 347, 348, 351, 352, 353, len(plain) - 1):
        yield file_kind(f"nifti_ends_after_{count}", "a.nii", plain[:count], refused())
    yield file_kind("nifti_rest_behind", "a.nii", plain + bytes(4096), either())
    yield file_kind("nifti_pair", "a.hdr", pair, opens(), **{"a.img": voxels})
    yield file_kind("nifti_pair_by_img", "a.img", voxels, opens(), **{"a.hdr": pair})
    yield file_kind("nifti_pair_short", "a.hdr", pair, refused("incomplete"), **{"a.img": voxels[:-1]})
    yield file_kind("nifti_pair_alone", "a.hdr", pair, refused("data file"))
    yield file_kind("nifti_pair_empty_data", "a.hdr", pair, refused("empty"), **{"a.img": b""})
    yield file_kind("nifti_pair_packed", "a.hdr", pair, opens(), **{"a.img.gz": gzip.compress(voxels)})
    yield file_kind("nifti_named_dcm", "a.dcm", plain, opens())
    yield file_kind("nifti_without_suffix", "a", plain, opens())
    yield file_kind("nifti_named_mha", "a.mha", plain, opens())


def kinds() -> Iterator[Kind]:
    yield from _spacings()
    yield from (file_kind(f"nifti_{name}", "a.nii", nifti(**fields), expected) for name, (fields, expected) in _HEADERS.items())
    yield from _containers()
    yield from _values()
    yield from _layout()
