"""How MetaImage and NRRD store voxels beside one raw block: lists, patterns, text, packing, several volumes, spaces."""

from __future__ import annotations

import bz2
import gzip
import itertools
import zlib

import numpy as np
import pytest
import SimpleITK as sitk

from ctmri_core.errors import FileRefused
from ctmri_core.events import finish
from ctmri_core.io.opening import load, open_volume, preview, scan

VOXELS = np.random.default_rng(8).integers(-900, 900, (4, 3, 5)).astype("<i2")
RAW = VOXELS.tobytes()


def _meta(folder, extra="", data="LOCAL", content=RAW, sizes="5 3 4", dims=3, name="a.mha", element="MET_SHORT"):
    path = folder / name
    spacing = "" if "Spacing" in extra or "ElementSize" in extra else f"ElementSpacing = {'2 ' * dims}\n"
    header = f"ObjectType = Image\nNDims = {dims}\n{extra}{spacing}DimSize = {sizes}\nElementType = {element}\n"
    path.write_bytes(f"{header}ElementDataFile = {data}\n".encode() + content)
    return path


def _nrrd(folder, extra="", content=RAW, sizes="5 3 4", dims=3, name="a.nrrd", encoding="raw", number="short"):
    path = folder / name
    header = f"NRRD0005\n# a comment\ntype: {number}\ndimension: {dims}\nsizes: {sizes}\nencoding: {encoding}\n"
    path.write_bytes(f"{header}endian: little\n{extra}\n".encode() + content)
    return path


def _same_as_itk(path):
    volume, image = open_volume(path), sitk.ReadImage(str(path))
    np.testing.assert_array_equal(volume.voxels, sitk.GetArrayFromImage(image))
    for corner in itertools.product(*((0, n - 1) for n in volume.voxels.shape)):
        there = image.TransformIndexToPhysicalPoint([int(n) for n in corner[::-1]])
        np.testing.assert_allclose(volume.geometry.index_to_mm(corner), there, atol=1e-6)
    return volume


_TURNED = "0 1 0 -1 0 0 0 0 1"


@pytest.mark.parametrize("extra", ["TransformMatrix", "Rotation", "Orientation"])
@pytest.mark.parametrize("origin", ["Offset", "Position", "Origin"])
def test_synonyms_of_meta_image_mean_what_itk_takes_them_for(tmp_path, extra, origin):
    header = f"{extra} = {_TURNED}\n{origin} = 3 -4 5\nElementSize = 1 2 3\nElementSpacing = 0.5 2 3\n"
    volume = _same_as_itk(_meta(tmp_path, header))
    assert volume.geometry.spacing == (3.0, 2.0, 0.5)
    assert "missing_orientation" not in {finding.kind for finding in volume.findings}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("order", [1, -1])
def test_of_two_byte_orders_the_one_counts_that_itk_takes(tmp_path, first, order):
    lines = [f"BinaryDataByteOrderMSB = {first}\n", f"ElementByteOrderMSB = {not first}\n"][::order]
    _same_as_itk(_meta(tmp_path, "".join(lines)))


def test_the_anatomical_orientation_of_meta_image_moves_nothing(tmp_path):
    volume = _same_as_itk(_meta(tmp_path, "AnatomicalOrientation = RAI\nOffset = 1 2 3\n"))
    assert "missing_orientation" in {finding.kind for finding in volume.findings}


@pytest.mark.parametrize("key", ["ElementByteOrderMSB", "BinaryDataByteOrderMSB"])
def test_big_endian_meta_image(tmp_path, key):
    _same_as_itk(_meta(tmp_path, f"{key} = True\n", content=VOXELS.astype(">i2").tobytes()))


@pytest.mark.parametrize(("element", "dtype"), [("MET_SHORT", "i2"), ("MET_FLOAT", "f4"), ("MET_UCHAR", "u1")])
def test_meta_image_as_text(tmp_path, element, dtype):
    values = (VOXELS / 8 if dtype == "f4" else VOXELS % 200).astype(dtype)
    text = "".join(" ".join(f"{value:.10g}" for value in row) + " \n" for row in values.reshape(-1, 5))
    volume = _same_as_itk(_meta(tmp_path, "BinaryData = False\n", content=text.encode(), element=element))
    np.testing.assert_array_equal(volume.voxels, values)
    assert "perhaps_cut" not in {finding.kind for finding in volume.findings}
    cut_number = open_volume(_meta(tmp_path, "BinaryData = False\n", content=text.rstrip()[:-1].encode(), element=element))
    assert "perhaps_cut" in {finding.kind for finding in cut_number.findings if finding.serious}
    for cut in (3, len(text) // 2, len(text) - 9):
        with pytest.raises(FileRefused, match="incomplete"):
            open_volume(_meta(tmp_path, "BinaryData = False\n", content=text[:cut].encode(), element=element))
    with pytest.raises(FileRefused, match="no number"):
        damaged = text.replace(" ", " 1e999999x ", 1).encode()
        open_volume(_meta(tmp_path, "BinaryData = False\n", content=damaged, element=element))


def test_a_linear_function_of_meta_image_is_applied_and_told(tmp_path):
    volume = open_volume(_meta(tmp_path, "ElementToIntensityFunctionSlope = 2\nElementToIntensityFunctionOffset = -5\n"))
    np.testing.assert_array_equal(volume.voxels, VOXELS * 2 - 5)
    assert "scaled" in {finding.kind for finding in volume.findings}
    with pytest.raises(FileRefused, match="ElementToIntensityFunctionSlope"):
        open_volume(_meta(tmp_path, "ElementToIntensityFunctionSlope = 0\n"))


def _slices(folder, names, content=RAW):
    share = len(content) // len(names)
    for number, name in enumerate(names):
        (folder / name).write_bytes(content[number * share : (number + 1) * share])


@pytest.mark.parametrize(
    ("data", "names"),
    [("LIST\nx.raw\nb.raw\nc.raw\na.raw\n", ["x.raw", "b.raw", "c.raw", "a.raw"]),
     ("LIST 2D\nx 1.raw\nb.raw\n", ["x 1.raw", "b.raw"]),
     ("s%d.raw 9 12 1", ["s9.raw", "s10.raw", "s11.raw", "s12.raw"]),
     ("s%03d.raw 0 6 2", ["s000.raw", "s002.raw", "s004.raw", "s006.raw"])],
)  # fmt: skip
def test_slices_in_files_of_their_own(tmp_path, data, names):
    _slices(tmp_path, names)
    header = _meta(tmp_path, data=data, content=b"", name="a.mhd")
    series = scan(header)[0]
    np.testing.assert_array_equal(finish(load(series)).voxels, VOXELS)
    np.testing.assert_array_equal(preview(series).voxels[0], VOXELS[2])
    assert [file.name for file in series.files[1:]] == names
    field = data.replace("s%d", "./s%d")
    path = _nrrd(tmp_path, f"data file: {field}\n", content=b"", name="a.nhdr")
    np.testing.assert_array_equal(open_volume(path).voxels, VOXELS)
    (tmp_path / names[-1]).write_bytes(RAW[:10])
    for damaged in (header, path):
        with pytest.raises(FileRefused, match=names[-1].replace(".", r"\.") + r" is incomplete"):
            scan(damaged)
    (tmp_path / names[-1]).unlink()
    for damaged in (header, path):
        with pytest.raises(FileRefused, match="does not exist"):
            scan(damaged)


@pytest.mark.parametrize(
    "data",
    ["s%d.raw 4 1 1", "s%d.raw 1 4 0", "s%d.raw 0 99999999 1", "s%n.raw 1 4 1", "s%d%d 1 4 1", "%99999999d 1 4 1",
     "LIST\n../b.raw\n", "LIST\n/etc/hostname\n", "LIST\n\n"],
)  # fmt: skip
def test_lists_and_patterns_lead_nowhere_else(tmp_path, data):
    (tmp_path / "inside").mkdir()
    (tmp_path / "b.raw").write_bytes(RAW)
    with pytest.raises(FileRefused):
        scan(_meta(tmp_path / "inside", data=data, content=b"", name="a.mhd"))
    with pytest.raises(FileRefused):
        scan(_nrrd(tmp_path / "inside", f"data file: {data}\n", content=b"", name="a.nhdr"))


def test_volumes_of_a_fourth_axis(tmp_path):
    values = np.random.default_rng(1).integers(-9, 999, (6, *VOXELS.shape)).astype("<i2")
    extra = "TransformMatrix = 0 1 0 0 -1 0 0 0 0 0 1 0 0 0 0 1\nOffset = 1 2 3 0\n"
    meta = _meta(tmp_path, extra, content=values.tobytes(), sizes="5 3 4 6", dims=4)
    late = _nrrd(tmp_path, "spacings: 1 2 3 nan\n", values.tobytes(), "5 3 4 6", 4, "late.nrrd")
    directions = "space directions: {0}(1,0,0) (0,1,0) (0,0,2){1}\nspace: right-anterior-superior\n"
    turns = np.ascontiguousarray(np.moveaxis(values, 0, -1))
    kinds = "kinds: list domain domain domain\n"
    early = _nrrd(tmp_path, directions.format("none ", "") + kinds, turns.tobytes(), "6 5 3 4", 4, "early.nrrd")
    packed = _nrrd(tmp_path, directions.format("", " none"), gzip.compress(values.tobytes()), "5 3 4 6", 4, "p.nrrd", "gzip")
    for path in (meta, late, early, packed):
        found = scan(path)
        assert len(found) == 6
        for number, series in enumerate(found):
            np.testing.assert_array_equal(finish(load(series)).voxels, values[number])
            np.testing.assert_array_equal(preview(series).voxels[0], values[number, 2])
    assert scan(early)[0].spacing == (2.0, 1.0, 1.0)
    with pytest.raises(FileRefused, match="axis 2"):
        scan(_nrrd(tmp_path, "kinds: domain list domain domain\n", turns.tobytes(), "5 6 3 4", 4, "middle.nrrd"))


@pytest.mark.parametrize("encoding", ["raw", "gzip", "gz", "bzip2", "bz2", "ascii", "txt", "hex"])
def test_every_encoding_of_nrrd(tmp_path, encoding):
    text = " ".join(map(str, VOXELS.ravel())).encode()
    pack = {"g": gzip.compress, "b": bz2.compress, "h": lambda raw: b"\n".join(raw.hex(" ", 9).encode().split())}
    content = RAW if encoding == "raw" else text if encoding in ("ascii", "txt") else pack[encoding[0]](RAW)
    path = _nrrd(tmp_path, content=content, encoding=encoding)
    if encoding not in ("bz2", "gz", "bzip2"):  # ITK reads these, too, but not this build
        np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), VOXELS)
    np.testing.assert_array_equal(open_volume(path).voxels, VOXELS)
    for cut in (1, len(content) // 3, len(content) - 8):
        with pytest.raises(FileRefused, match=r"incomplete|damaged"):
            open_volume(_nrrd(tmp_path, content=content[:cut], encoding=encoding))


@pytest.mark.parametrize("sizes", ["5 3 3", "4 3 4"])
def test_sizes_that_leave_voxels_over_are_refused_however_they_are_packed(tmp_path, sizes):
    text = " ".join(map(str, VOXELS.ravel())).encode()
    packed = {"gzip": gzip.compress(RAW), "bzip2": bz2.compress(RAW), "ascii": text, "hex": RAW.hex().encode()}
    for encoding, content in packed.items():
        with pytest.raises(FileRefused, match="more than the"):
            open_volume(_nrrd(tmp_path, content=content, sizes=sizes, encoding=encoding))
    with pytest.raises(FileRefused, match="more than the"):
        open_volume(_meta(tmp_path, "CompressedData = True\n", content=zlib.compress(RAW), sizes=sizes))


def test_a_key_of_nrrd_is_no_field_and_units_are_millimetres(tmp_path):
    volume = _same_as_itk(_nrrd(tmp_path, 'spacings: 1 2 3\nspacings:=9 9 9\nunits: "mm" "" "mm"\nspacing:=4\n'))
    assert volume.geometry.spacing == (3.0, 2.0, 1.0)
    with pytest.raises(FileRefused, match="units are 'cm', not mm"):
        open_volume(_nrrd(tmp_path, 'spacings: 1 2 3\nunits: "cm" "mm" "mm"\n'))
    frames = np.repeat(VOXELS[None], 2, axis=0).tobytes()
    index = f"axis 0 index values:={' '.join(map(str, range(2000)))}\n"  # as 3D Slicer writes it of a sequence
    assert len(index) > 8000
    timed = _nrrd(tmp_path, index + 'spacings: 1 2 3 9\nunits: "mm" "mm" "mm" "s"\n', frames, "5 3 4 2", 4)
    assert [series.spacing for series in scan(timed)] == [(3.0, 2.0, 1.0)] * 2


@pytest.mark.parametrize("name", ["a.mha", "a.mhd", "a.nrrd", "a.nhdr", "a.nii.gz"])
def test_volumes_that_itk_wrote_along_a_fourth_axis_lie_where_it_puts_them(tmp_path, name):
    values = np.random.default_rng(2).integers(-500, 900, (3, *VOXELS.shape)).astype("<i2")
    image = sitk.GetImageFromArray(values, isVector=False)
    image.SetSpacing((0.5, 0.75, 2, 1.5))
    image.SetOrigin((1, 2, 3, 4))
    image.SetDirection((0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1))
    sitk.WriteImage(image, str(tmp_path / name), True)
    found = scan(tmp_path / name)
    assert len(found) == 3
    for series, expected in zip(found, values, strict=True):
        volume = finish(load(series))
        np.testing.assert_array_equal(volume.voxels, expected)
        for k, j, i in itertools.product((0, 3), (0, 2), (0, 4)):
            there = image.TransformIndexToPhysicalPoint((i, j, k, 0))[:3]
            np.testing.assert_allclose(volume.geometry.index_to_mm((k, j, i)), there, atol=1e-5)


def test_axes_of_space_that_lead_along_time_are_refused(tmp_path):
    extra = "space dimension: 4\nspace directions: (1,0,0,0.5) (0,1,0,0) (0,0,1,0) (0,0,0,1)\n"
    with pytest.raises(FileRefused, match="along the fourth axis"):
        scan(_nrrd(tmp_path, extra, RAW * 2, "5 3 4 2", 4))


def test_lines_and_bytes_are_passed_over(tmp_path):
    (tmp_path / "a.dat").write_bytes(b"two\nlines\nand" + RAW)
    for extra in ("line skip: 2\nbyte skip: 3\n", "byte skip: -1\n"):
        path = _nrrd(tmp_path, f"{extra}data file: a.dat\n", b"", name="a.nhdr")
        np.testing.assert_array_equal(open_volume(path).voxels, VOXELS)
    (tmp_path / "a.gz").write_bytes(b"one line\n" + gzip.compress(b"abc" + RAW))
    path = _nrrd(tmp_path, "line skip: 1\nbyte skip: 3\ndata file: a.gz\n", b"", name="a.nhdr", encoding="gzip")
    np.testing.assert_array_equal(open_volume(path).voxels, VOXELS)


@pytest.mark.parametrize(
    ("space", "told"),
    [("left-posterior-superior", False), ("RAS", False), ("left-anterior-superior", False), ("scanner-xyz", True),
     ("3D-left-handed", True)],
)  # fmt: skip
def test_spaces_and_permuted_axes_lie_where_itk_puts_them(tmp_path, space, told):
    extra = f"space: {space}\nspace directions: (0,0,-2) (0.5,0,0) (0,3,0)\nspace origin: (7,8,9)\nkinds: domain domain domain\n"
    path = _nrrd(tmp_path, extra + 'space units: "mm" "mm" "mm"\ncenterings: cell cell cell\nold min: 1\nkey:=value\n')
    volume = open_volume(path) if told else _same_as_itk(path)
    assert volume.geometry.spacing == (3.0, 0.5, 2.0)
    assert told == ("missing_orientation" in {finding.kind for finding in volume.findings})


def test_a_single_slice_in_space(tmp_path):
    extra = "space: left-posterior-superior\nspace directions: (0,0.5,0) (0,0,-0.5)\nspace origin: (7,8,9)\n"
    path = _nrrd(tmp_path, extra, RAW[:30], "5 3", 2)
    volume = open_volume(path)
    assert volume.geometry.plane == "sagittal" and volume.geometry.spacing == (1.0, 0.5, 0.5)
    assert "estimated_spacing" in {finding.kind for finding in volume.findings}


@pytest.mark.parametrize(
    ("extra", "word"),
    [("space: left-posterior-superior-time\n", "space is"), ("space: MNI\n", "space is"),
     ("space dimension: 5\nspace origin: (1)\n", "space dimension"),
     ("kinds: RGB-color domain domain\n", "kinds"), ("spacings: nan 1 1\n", "spacings"), ("spacings: 1 1\n", "spacings"),
     ("line skip: -1\n", "line skip"), ("line skip: 900\n", "fewer lines")],
)  # fmt: skip
def test_what_nrrd_cannot_mean_is_refused_by_field(tmp_path, extra, word):
    with pytest.raises(FileRefused, match=word):
        open_volume(_nrrd(tmp_path, extra))


def test_a_detached_header_that_ends_within_a_number_is_refused(tmp_path):
    (tmp_path / "a.raw").write_bytes(RAW)
    path = _nrrd(tmp_path, "data file: a.raw\nspacings: 1 1 2.5\n", b"", name="a.nhdr")
    path.write_bytes(path.read_bytes().rstrip(b"\n")[:-2])
    with pytest.raises(FileRefused, match="no end"):
        open_volume(path)
