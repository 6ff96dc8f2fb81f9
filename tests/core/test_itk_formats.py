"""MetaImage and NRRD headers: agreement with ITK, and headers that crash it or that it takes for something else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from ctmri_core.errors import FileRefused
from ctmri_core.io.opening import open_volume

VOXELS = np.arange(60).reshape(3, 4, 5)


def _written(path, dtype=np.int16, compressed=False):
    image = sitk.GetImageFromArray(VOXELS.astype(dtype))
    image.SetSpacing((0.5, 0.7, 2.0))
    image.SetOrigin((1.0, 2.0, 3.0))
    sitk.WriteImage(image, str(path), compressed)
    return path


@pytest.mark.parametrize(
    ("dtype", "suffix", "compressed"),
    list(itertools.product(("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"), (".mha", ".nrrd"), (False, True))),
)
def test_every_type_of_grey_values(tmp_path, dtype, suffix, compressed):
    volume = open_volume(_written(tmp_path / f"a{suffix}", dtype, compressed))
    assert volume.voxels.dtype == (np.float32 if dtype[0] == "f" else np.int16)
    np.testing.assert_array_equal(volume.voxels, VOXELS)
    assert volume.geometry.spacing == (2.0, 0.7, 0.5)
    assert volume.geometry.origin == (1.0, 2.0, 3.0)


def _edited(path, old: bytes, new: bytes):
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (b"NDims = 3", b"NDims = -1", "NDims"), (b"NDims = 3", b"NDims = 999999999", "NDims"),
        (b"NDims = 3", b"NDims = x", "NDims"),
        (b"NDims = 3", b"NDims = 5", "NDims"), (b"NDims = 3", b"NDims = 4", "DimSize"),
        (b"DimSize = 5 4 3", b"DimSize = 5 4 -3", "DimSize"),
        (b"DimSize = 5 4 3", b"DimSize = 5 4", "DimSize"), (b"DimSize = 5 4 3", b"DimSize = 5 4 3000", "promises"),
        (b"DimSize = 5 4 3", b"DimSize = 60000 60000 60000", "promises"), (b"DimSize = 5 4 3", b"DimSize = 5 4 2", "describes"),
        (b"DimSize = 5 4 3", b"DimSize = 5 4 1e400", "DimSize"),
        (b"ElementSpacing = 0.5", b"ElementSpacing = nan", "ElementSpacing"),
        (b"ElementSpacing = 0.5", b"ElementSpacing = 0", "ElementSpacing"),
        (b"ElementSpacing = 0.5", b"ElementSpacing = -1", "ElementSpacing"),
        (b"ElementSpacing = 0.5", b"ElementSpacing = 1e30", "ElementSpacing"), (b"Offset = 1", b"Offset = inf", "Offset"),
        (b"TransformMatrix = 1 0 0", b"TransformMatrix = 1 1 0", "TransformMatrix"),
        (b"TransformMatrix = 1 0 0", b"TransformMatrix = 0 0 0", "TransformMatrix"),
        (b"MET_SHORT", b"MET_ASCII_CHAR", "ElementType"), (b"MET_SHORT", b"MET_%s%n", "ElementType"),
        (b"ElementDataFile = LOCAL", b"ElementDataFile = %s%s%n", "plain name"),
        (b"ElementDataFile = LOCAL", b"ElementDataFile = ../../etc/passwd", "plain name"),
        (b"ElementDataFile = LOCAL", b"ElementDataFile = LIST", "line"),
        (b"ElementDataFile = LOCAL", b"ElementDataFile = gone.raw", "does not exist"),
        (b"ElementDataFile = LOCAL\n", b"", "header"), (b"BinaryData = True", b"BinaryData = False", "no number"),
        (b"ObjectType = Image", b"ObjectType = Tube", "ObjectType"),
        (b"BinaryData = True", b"ElementNumberOfChannels = 3", "channels"),
        (b"CompressedData = False", b"CompressedData = True", "compressed"),
        (b"BinaryData = True", b"HeaderSize = -7", "HeaderSize"), (b"BinaryData = True", b"X" * 70_000, "line"),
    ],
)  # fmt: skip
def test_hostile_meta_image_headers_are_refused_by_key(tmp_path, old, new, word):
    with pytest.raises(FileRefused, match=word):
        open_volume(_edited(_written(tmp_path / "a.mha"), old, new))


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (b"dimension: 3", b"dimension: 99", "dimension"), (b"dimension: 3", b"dimension: -3", "dimension"),
        (b"sizes: 5 4 3", b"sizes: 5 4 0", "sizes"), (b"sizes: 5 4 3", b"sizes: 60000 60000 60000", "promises"),
        (b"sizes: 5 4 3", b"sizes: 5 4 2", "describes"), (b"type: short", b"type: block", "type"),
        (b"encoding: raw", b"encoding: zrl", "encoding"), (b"encoding: raw", b"encoding: hex", "hexadecimal"),
        (b"endian: little", b"endian: middle", "endian"),
        (b"(0.5,0,0)", b"(nan,0,0)", "space directions"), (b"(0.5,0,0)", b"(0,0,0)", "space directions"),
        (b"(0.5,0,0)", b"none", "space directions"), (b"(0.5,0,0)", b"(0.5,0.2,0)", "space directions"),
        (b"space origin: (1,2,3)", b"space origin: (1,2)", "space origin"),
        (b"kinds: domain", b"kinds: vector", "kinds"), (b"kinds: ", b"byte skip: -2\nkinds: ", "byte skip"),
        (b"kinds: ", b'space units: "m" "m" "m"\nkinds: ', "space units"),
        (b"kinds: ", b"data file: LIST\nkinds: ", "line"),
        (b"kinds: ", b"data file: q.%d 1 93 1\nkinds: ", "does not exist"),
        (b"kinds: ", b"data file: ../a.raw\nkinds: ", "plain name"), (b"kinds: ", b"no colon here\nkinds: ", "neither field"),
        (b"kinds: ", b"content: " + b"A" * 70_000 + b"\nkinds: ", "line"), (b"encoding: raw", b"encoding: gzip", "compressed"),
    ],
)  # fmt: skip
def test_hostile_nrrd_headers_are_refused_by_field(tmp_path, old, new, word):
    with pytest.raises(FileRefused, match=word):
        open_volume(_edited(_written(tmp_path / "a.nrrd"), old, new))


def test_nrrd_spaces_become_lps(tmp_path):
    expected = open_volume(_written(tmp_path / "lps.nrrd")).geometry
    for space, signs in (("right-anterior-superior", (-1, -1, 1)), ("LAS", (1, -1, 1))):
        path = _edited(_written(tmp_path / f"{space}.nrrd"), b"left-posterior-superior", space.encode())
        volume = open_volume(path)
        np.testing.assert_allclose(volume.geometry.corners, expected.corners * signs)
        assert not any(finding.kind == "missing_orientation" for finding in volume.findings)


def test_missing_geometry_is_told(tmp_path):
    path = tmp_path / "a.mha"
    header = b"NDims = 3\nDimSize = 5 4 3\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    path.write_bytes(header + VOXELS.astype("<i2").tobytes())
    assert {"estimated_spacing", "missing_orientation"} <= {finding.kind for finding in open_volume(path).findings}
    path = tmp_path / "b.nrrd"
    header = b"NRRD0004\ntype: short\ndimension: 3\nsizes: 5 4 3\nendian: big\nencoding: raw\n\n"
    path.write_bytes(header + VOXELS.astype(">i2").tobytes())
    volume = open_volume(path)
    np.testing.assert_array_equal(volume.voxels, VOXELS)
    assert {"estimated_spacing", "missing_orientation"} <= {finding.kind for finding in volume.findings}


def test_header_size_minus_one_counts_from_the_end(tmp_path):
    (tmp_path / "a.dat").write_bytes(b"some other header" + VOXELS.astype(">i2").tobytes())
    header = "NDims = 3\nDimSize = 5 4 3\nElementSpacing = 1 1 1\nElementType = MET_SHORT\nElementByteOrderMSB = True\n"
    (tmp_path / "a.mhd").write_text(header + "HeaderSize = -1\nElementDataFile = a.dat\n")
    np.testing.assert_array_equal(open_volume(tmp_path / "a.mhd").voxels, VOXELS)


@pytest.mark.shared_data
def test_real_slices(shared_data):
    path = shared_data / "odd_files" / "itkelastix_2d_head_ct" / "CT_2D_head_fixed.mha"
    volume = open_volume(path)
    np.testing.assert_array_equal(volume.voxels[0], sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
    assert {"estimated_spacing", "missing_orientation"} <= {finding.kind for finding in volume.findings}
    path = shared_data / "odd_files" / "vtk_headsq" / "quarter.nhdr"
    volume = open_volume(path)
    slices = [np.fromfile(path.with_name(f"quarter.{n}"), "<i2") for n in range(1, 94)]  # ITK refuses this header
    np.testing.assert_array_equal(volume.voxels, np.reshape(slices, (93, 64, 64)))
    assert volume.geometry.spacing == (1.5, 3.2, 3.2)
    assert "missing_orientation" in {finding.kind for finding in volume.findings}
