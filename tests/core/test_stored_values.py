"""From stored numbers to voxels, against the plain arithmetic of numpy, and the memory that it takes."""

from __future__ import annotations

import gzip
import itertools
import tracemalloc
from fractions import Fraction
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctmri_core.errors import FileRefused
from ctmri_core.events import finish
from ctmri_core.io import stored_values
from ctmri_core.io.opening import load, open_volume, scan
from ctmri_core.io.stored_values import VoxelSink, to_voxels

TYPES = ["u1", "i1", "<i2", ">i2", "<u2", ">u2", "<i4", ">u4", "<i8", ">i8", "<u8", "<f4", ">f4", "<f8", ">f8"]
SHAPE = (3, 300, 400)  # more bytes than are converted at once, for every type


def _poured(content, sink, least=1):
    """Fills `sink` in pieces of uneven length."""
    random = np.random.default_rng(1)
    done = 0
    while done < len(content):
        room = sink.room()
        count = min(len(room), len(content) - done, int(random.integers(least, 200_000)))
        room[:count] = content[done : done + count]
        sink.filled(count)
        done += count
    return sink


@pytest.mark.parametrize("slope, intercept", [(1.0, 0.0), (1.0, -1024.0), (-3.0, 7.0), (0.5, 0.25), (400.0, 0.0)])
@pytest.mark.parametrize("dtype", TYPES)
def test_values_are_those_of_numpy(tmp_path, dtype, slope, intercept):
    random = np.random.default_rng(4)
    low, high = (0, 255) if dtype == "u1" else (-128, 127) if dtype == "i1" else (0, 9000) if "u" in dtype else (-9000, 9000)
    stored = random.integers(low, high, SHAPE).astype(dtype)
    sink = VoxelSink(tmp_path, stored.size, stored.dtype, slope, intercept)
    voxels, findings = _poured(np.frombuffer(stored.tobytes(), np.uint8), sink).result(SHAPE)
    expected = stored.astype(np.float64) * slope + intercept
    whole = stored.dtype.kind != "f" and (expected == np.rint(expected)).all() and np.abs(expected).max() < 32768
    assert voxels.dtype == (np.int16 if whole else np.float32)
    np.testing.assert_array_equal(voxels, expected.astype(np.float32))
    assert voxels.flags.c_contiguous and voxels.flags.writeable and not findings
    np.testing.assert_array_equal(to_voxels(tmp_path, stored, slope, intercept)[0], voxels)


_LIMITS = (-32769, -32768, -1, 0, 1, 32767, 32768, 65535, 2**31 - 1, 2**53 + 1, 2**64 - 1)


@settings(max_examples=250, deadline=None)
@given(
    random=st.randoms(use_true_random=False),
    dtype=st.sampled_from(TYPES),
    step=st.sampled_from([1, 1, 2, 5]),
    slope=st.sampled_from([1.0, 1.0, -1.0, 2.0, 0.5, -32768.0, 65536.0]),
    intercept=st.sampled_from([0.0, 0.0, -1024.0, 32767.0, 0.5]),
)
def test_any_numbers_cut_anywhere_are_those_of_exact_arithmetic(random, dtype, step, slope, intercept):
    kind, count, place = np.dtype(dtype), random.randint(1, 90), random.randrange(step)
    usual = [random.randint(0, 100) for _ in range(count * step)]
    for at in random.sample(range(len(usual)), min(len(usual), random.choice([0, 1, 3]))):
        limits = np.iinfo(kind) if kind.kind in "iu" else None
        value = random.choice(_LIMITS)
        usual[at] = value if limits is None else min(max(value, int(limits.min)), int(limits.max))
    stored = np.array(usual, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_values, "CHUNK", 48)
        patch.setattr(stored_values, "_PIECE", 7)
        sink = VoxelSink(Path("a"), count, kind, slope, intercept, step=step, place=place)
        raw, done = np.frombuffer(stored.tobytes(), np.uint8), 0
        while done < len(raw):
            room = sink.room()
            part = min(len(room), len(raw) - done, random.randint(1, 60))
            room[:part] = raw[done : done + part]
            sink.filled(part)
            done += part
        voxels, findings = sink.result((1, 1, count))
    wanted = stored[place::step]
    exact = [Fraction(value) * Fraction(slope) + Fraction(intercept) for value in wanted.tolist()]
    whole = kind.kind in "iu" and all(value.denominator == 1 and -32768 <= value < 32768 for value in exact)
    assert voxels.dtype == (np.int16 if whole and slope.is_integer() and intercept.is_integer() else np.float32)
    np.testing.assert_allclose(voxels.ravel(), [float(value) for value in exact], rtol=0 if whole else 2e-7, atol=0)
    assert not findings


@pytest.mark.parametrize("place", [0, 1, 123_456, 262_144, 359_999])
def test_one_value_that_does_not_fit_widens_all(tmp_path, place):
    stored = np.arange(360_000).reshape(SHAPE).astype(np.uint16) % 32768
    stored.reshape(-1)[place] = 65_535
    sink = VoxelSink(tmp_path, stored.size, stored.dtype)
    voxels, _ = _poured(stored.reshape(-1).view(np.uint8), sink).result(SHAPE)
    assert voxels.dtype == np.float32
    np.testing.assert_array_equal(voxels, stored.astype(np.float32))


@pytest.mark.parametrize("place", range(3))
def test_alternating_volumes_are_told_apart(tmp_path, place):
    stored = np.random.default_rng(5).integers(-500, 500, (*SHAPE, 3)).astype(">i2")
    sink = VoxelSink(tmp_path, stored[..., 0].size, stored.dtype, step=3, place=place)
    voxels, _ = _poured(np.frombuffer(stored.tobytes(), np.uint8), sink).result(SHAPE)
    np.testing.assert_array_equal(voxels, stored[..., place])


def test_what_is_not_finite_becomes_the_lowest_value_wherever_it_lies(tmp_path):
    stored = np.random.default_rng(6).normal(0, 50, SHAPE)
    stored[1, 5, 7], stored[0, 0, 0], stored[2, 299, 399], stored[2, 0, 0] = np.nan, np.inf, -np.inf, 1e300
    voxels, (finding,) = to_voxels(tmp_path, stored)
    finite = np.isfinite(stored.astype(np.float64)) & (np.abs(stored) < 1e38)
    lowest = stored[finite].astype(np.float32).min()
    np.testing.assert_array_equal(voxels, np.where(finite, stored.clip(-1e38, 1e38), lowest).astype(np.float32))
    assert finding.serious
    whole_overflow = np.full((2, 3, 4), 2, np.int16)
    with pytest.raises(FileRefused, match="no finite value"):
        to_voxels(tmp_path, whole_overflow, 1e300, 0.5)


def test_half_filled_voxels_never_come_out(tmp_path):
    sink = VoxelSink(tmp_path, 10, np.dtype(np.int16))
    sink.room()[:4] = 1
    sink.filled(4)
    with pytest.raises(ValueError, match="of 10"):
        sink.result((1, 2, 5))


KINDS = {
    "int16": ("<i2", 1.0, 0.0), "big endian": (">i2", 1.0, 0.0), "uint16": ("<u2", 1.0, 0.0), "uint8": ("u1", 1.0, 0.0),
    "int32": ("<i4", 1.0, 0.0), "float32": ("<f4", 1.0, 0.0), "float64": ("<f8", 1.0, 0.0), "CT in uint16": ("<u2", 1.0, -1024.0),
    "fractions": ("<i2", 0.5, 3.3), "beyond int16": ("<u2", 20.0, 0.0),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "packed"), list(itertools.product(KINDS, (False, True))))
def test_opening_takes_the_volume_and_little_more(tmp_path, kind, packed):
    dtype, slope, intercept = KINDS[kind]
    shape = (48, 256, 256)
    header = nib.Nifti1Header(endianness=">" if dtype[0] == ">" else "<")
    header.set_data_dtype(dtype)
    header.set_data_shape(shape[::-1])
    header["scl_slope"], header["scl_inter"], header["magic"], header["vox_offset"] = slope, intercept, b"n+1", 352
    header.set_sform(np.eye(4), 1)
    plane = np.add.outer(np.arange(256), np.arange(256)).astype(dtype)
    content = header.binaryblock + bytes(4) + plane.tobytes() * shape[0]
    path = tmp_path / ("a.nii.gz" if packed else "a.nii")
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    open_volume(path)
    (series,) = scan(path)
    tracemalloc.start()
    volume = finish(load(series))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < volume.voxels.nbytes + (4 << 20)  # a block of a megabyte, and the sample from which the domain is guessed
    np.testing.assert_allclose(volume.voxels[17], plane.astype(np.float64) * slope + intercept, rtol=1e-6)
