"""Pictures against Pillow and tifffile as writers."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps, PngImagePlugin

from ctmri_core.domain import Domain
from ctmri_core.errors import AmbiguousInput, FileRefused
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.io import png_slices
from ctmri_core.io.opening import load, open_volume, preview, scan
from ctmri_core.io.series import with_spacing
from ctmri_core.volume import Synthetic, Volume

GREY = np.arange(63).reshape(7, 9)


def _save(path, array, mode=None):
    picture = Image.fromarray(array)
    (picture if mode is None else picture.convert(mode)).save(path)
    return path


def _kinds(volume):
    return {finding.kind for finding in volume.findings}


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
def test_eight_bits_in_every_dress(tmp_path, mode):
    volume = open_volume(_save(tmp_path / "t1.png", GREY.astype(np.uint8), mode))
    assert volume.domain is Domain.MR_T1
    assert volume.voxels.shape == (1, 7, 9)
    assert _kinds(volume) == {"estimated_spacing", "missing_orientation"}
    if mode != "P":  # a palette is Pillow's own choice
        np.testing.assert_array_equal(volume.voxels[0], GREY)


def test_sixteen_bits_keep_every_value(tmp_path):
    values = (GREY * 1000).astype(np.uint16)
    volume = open_volume(_save(tmp_path / "mr.png", values))
    assert volume.voxels.dtype == np.float32  # 62000 does not fit int16
    np.testing.assert_array_equal(volume.voxels[0], values)


def test_only_sixteen_bit_ct_is_read_as_hounsfield_and_it_says_so(tmp_path):
    volume = open_volume(_save(tmp_path / "ct_axial.png", (GREY * 20).astype(np.uint16)))
    np.testing.assert_array_equal(volume.voxels[0], GREY * 20 - 1024)
    assert volume.domain is Domain.CT
    assert "hounsfield_offset" in _kinds(volume)
    volume = open_volume(_save(tmp_path / "ct_windowed.png", GREY.astype(np.uint8)))
    np.testing.assert_array_equal(volume.voxels[0], GREY)
    assert "not_hounsfield" in _kinds(volume)


def test_sixteen_bits_that_are_no_hounsfield_units_are_told(tmp_path):
    volume = open_volume(_save(tmp_path / "ct_stretched.png", (GREY * 1000).astype(np.uint16)))
    assert any(finding.kind == "not_hounsfield" and finding.serious for finding in volume.findings)
    volume = open_volume(_save(tmp_path / "ct_mask.png", (GREY > 30).astype(np.uint16)))
    np.testing.assert_array_equal(volume.voxels[0], GREY > 30)
    assert "hounsfield_offset" not in _kinds(volume)


def test_a_folder_is_a_stack_in_natural_order(tmp_path):
    for n in (1, 2, 9, 10, 11, 100):
        _save(tmp_path / f"slice{n}.png", np.full((4, 5), n, np.uint8))
    (tmp_path / "slice11.png").rename(tmp_path / "SLICE11.PNG")
    volume = open_volume(tmp_path)
    assert volume.voxels[:, 0, 0].tolist() == [1, 2, 9, 10, 11, 100]
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_suffix(""))
    assert open_volume(tmp_path).voxels[:, 0, 0].tolist() == [1, 2, 9, 10, 11, 100]


def test_other_names_and_sizes_are_other_series(tmp_path):
    for name, shape in (("ct_axial", (4, 5)), ("ct_coronal", (4, 5)), ("a1", (4, 5)), ("a2", (4, 5)), ("a3", (6, 5))):
        _save(tmp_path / f"{name}.png", np.zeros(shape, np.uint16))
    assert sorted((len(series.files), series.shape) for series in scan(tmp_path)) == [
        (1, (1, 4, 5)), (1, (1, 4, 5)), (1, (1, 6, 5)), (2, (2, 4, 5)),
    ]  # fmt: skip
    with pytest.raises(AmbiguousInput, match=r"4 volumes.*ct_axial"):
        open_volume(tmp_path)


def test_the_number_of_a_weighting_is_none_of_a_slice(tmp_path):
    for name in ("t1_axial", "t2_axial", "T1w", "T2w", "slice_2_t1", "slice_10_t1"):
        _save(tmp_path / f"{name}.png", np.zeros((4, 5), np.uint8))
    assert sorted(series.shape[0] for series in scan(tmp_path)) == [1, 1, 1, 1, 2]


@pytest.mark.parametrize(
    ("numbers", "places"),
    [
        ([1, 2, 3], None), ([8, 9, 10, 11], None), ([5, 10, 15], None), ([7], None), ([1, 2, 4, 5], "2 and 4"),
        ([1, 3], "1 and 3"), ([10, 20, 40, 50, 70], "20 and 40, 50 and 70"), ([0, 1, 1000], "1 and 1000"),
    ],
)  # fmt: skip
def test_a_number_that_is_left_out_is_told(tmp_path, numbers, places):
    for n in numbers:
        _save(tmp_path / f"Doe_{n}.png", np.full((4, 5), 7, np.uint8))
    (series,) = scan(tmp_path)
    gaps = [finding for finding in open_volume(tmp_path).findings if finding.kind == "gap"]
    assert gaps == [finding for finding in series.findings if finding.kind == "gap"]
    assert [finding.serious for finding in gaps] == ([] if places is None else [True])
    assert all(f"between {places}:" in finding.message for finding in gaps)


def test_one_number_twice_is_told(tmp_path):
    for name in ("1", "2", "02", "3"):
        _save(tmp_path / f"{name}.png", np.full((4, 5), 7, np.uint8))
    assert "gap" in _kinds(open_volume(tmp_path))


def test_a_coronal_picture_lies_as_its_name_says(tmp_path):
    volume = open_volume(_save(tmp_path / "mr_coronal.png", GREY.astype(np.uint8)))
    assert volume.geometry.orientation == "PIL"  # coronal: rows go down, columns to the left


def test_colour_and_bombs_are_refused(tmp_path):
    colour = np.zeros((4, 5, 3), np.uint8)
    colour[..., 0] = 200
    with pytest.raises(FileRefused, match="colour"):
        open_volume(_save(tmp_path / "a.png", colour))
    content = bytearray(_save(tmp_path / "b.png", GREY.astype(np.uint8)).read_bytes())
    content[16:24] = (60000).to_bytes(4, "big") * 2
    (tmp_path / "b.png").write_bytes(content)
    with pytest.raises(FileRefused, match="promises"):
        scan(tmp_path / "b.png")


STACK = np.random.default_rng(3).integers(0, 60000, (5, 7, 9))


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize(
    "options",
    [
        {}, {"bigtiff": True}, {"rowsperstrip": 2}, {"tile": (16, 16)}, {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
    ],
    ids=str,
)  # fmt: skip
def test_tiff_of_every_type_and_order(tmp_path, dtype, options):
    stored = STACK.astype(dtype)
    if stored.dtype.kind == "f" or stored.itemsize == 8:
        options = {name: value for name, value in options.items() if name != "predictor"}  # the writer lacks it; see below
    for byteorder in "<>":
        tifffile.imwrite(tmp_path / "t1.tif", stored, byteorder=byteorder, photometric="minisblack", **options)
        volume = open_volume(tmp_path / "t1.tif")
        np.testing.assert_array_equal(volume.voxels, stored)
    (series,) = scan(tmp_path / "t1.tif")
    assert (series.shape, series.plane, series.domain) == ((5, 7, 9), "axial", Domain.MR_T1)
    middle = preview(series)
    np.testing.assert_array_equal(middle.voxels[0], stored[2])
    np.testing.assert_allclose(middle.geometry.origin, volume.geometry.index_to_mm((2, 0, 0)))


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_tiff_as_pillow_packs_it(tmp_path, compression):
    pages = [Image.fromarray(plane.astype(np.uint16)) for plane in STACK]
    pages[0].save(tmp_path / "a.tiff", save_all=True, append_images=pages[1:], compression=compression)
    np.testing.assert_array_equal(open_volume(tmp_path / "a.tiff").voxels, STACK)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize(("dtype", "predictor"), [(np.float32, 3), (np.uint16, 2), (np.uint8, 2)])
def test_tiff_with_predictors_of_libtiff(tmp_path, compression, dtype, predictor):
    values = STACK[0].astype(dtype)
    Image.fromarray(values).save(tmp_path / "a.tif", compression=compression, tiffinfo={317: predictor})
    with tifffile.TiffFile(tmp_path / "a.tif") as written:
        assert written.pages[0].predictor == predictor
    np.testing.assert_array_equal(open_volume(tmp_path / "a.tif").voxels[0], values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_zero_is_turned_round(tmp_path, dtype):
    stored = (GREY * 3).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="miniswhite")
    np.testing.assert_array_equal(open_volume(tmp_path / "a.tif").voxels[0], np.iinfo(dtype).max - stored.astype(int))


def test_a_float_picture_with_holes_says_so(tmp_path):
    values = GREY.astype(np.float32) / 7
    values[2, 3] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", values)
    volume = open_volume(tmp_path / "a.tif")
    assert "not_finite" in _kinds(volume)
    assert volume.voxels[0, 2, 3] == values[0, 0]


def test_imagej_says_millimetres_and_hounsfield_units(tmp_path):
    stored = (STACK % 2000).astype(np.uint16)
    metadata = {"axes": "ZYX", "spacing": 2.5, "unit": "mm", "cf": 0, "c0": -1024, "c1": 1}
    tifffile.imwrite(tmp_path / "ct.tif", stored, imagej=True, resolution=(2.0, 1.25), metadata=metadata)
    volume = open_volume(tmp_path / "ct.tif")
    assert volume.geometry.spacing == pytest.approx((2.5, 0.8, 0.5))
    np.testing.assert_array_equal(volume.voxels, stored.astype(int) - 1024)
    assert "estimated_spacing" not in _kinds(volume)
    tifffile.imwrite(tmp_path / "b.tif", stored, imagej=True, resolution=(2.0, 1.25), metadata=metadata | {"unit": "inch"})
    assert open_volume(tmp_path / "b.tif").geometry.spacing == (1.0, 1.0, 1.0)
    tifffile.imwrite(tmp_path / "c.tif", stored, imagej=True, resolution=(2.0, 1.25), metadata=metadata | {"spacing": -2.5})
    volume = open_volume(tmp_path / "c.tif")
    assert volume.geometry.spacing == pytest.approx((1.0, 0.8, 0.5))
    assert "estimated_spacing" in _kinds(volume)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "1", "LA"])
def test_tiff_in_every_dress(tmp_path, mode):
    grey = Image.fromarray(GREY.astype(np.uint8))
    (grey.convert(mode) if mode != "P" else grey.convert("RGB").quantize(256)).save(tmp_path / "a.tif")
    expected = np.asarray(grey.convert("1").convert("L")) if mode == "1" else GREY
    np.testing.assert_array_equal(open_volume(tmp_path / "a.tif").voxels[0], expected)
    colour = np.zeros((4, 5, 3), np.uint8)
    colour[0, 0, 0] = 1
    if mode == "RGB":
        with pytest.raises(FileRefused, match="colour"):
            open_volume(_save(tmp_path / "b.tif", colour))


def test_several_channels_or_sizes_in_one_tiff_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2, 3, 8, 8), np.uint8), imagej=True, metadata={"axes": "ZCYX"})
    with pytest.raises(FileRefused, match="several channels or time points"):
        scan(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((4, 8, 8), np.uint8), imagej=True, metadata={"axes": "TYX"})
    (told,) = (finding for finding in open_volume(tmp_path / "c.tif").findings if finding.kind == "pages")
    assert "time points" in told.message
    assert told.serious
    with tifffile.TiffWriter(tmp_path / "b.tif") as writer:
        writer.write(np.zeros((8, 8), np.uint8))
        writer.write(np.zeros((8, 9), np.uint8))
    with pytest.raises(FileRefused, match="different sizes"):
        scan(tmp_path / "b.tif")


def test_a_small_copy_in_a_tiff_is_no_slice(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(np.zeros((4, 4), np.uint8), subfiletype=1)
        writer.write(GREY.astype(np.uint8))
    np.testing.assert_array_equal(open_volume(tmp_path / "a.tif").voxels[0], GREY)


def test_every_piece_of_a_tiff_must_be_in_the_file(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK.astype(np.uint16), rowsperstrip=2, compression="zlib", photometric="minisblack")
    whole = path.read_bytes()
    for cut in np.linspace(1, len(whole) - 1, 40).astype(int):
        path.write_bytes(whole[:cut])
        with pytest.raises(FileRefused):
            open_volume(path)


@pytest.mark.parametrize(("strip", "palette", "words"), [(10_000, 1, "its pages share"), (10, 2500, "parts of its header share")])
def test_pages_that_share_their_bytes_are_refused(tmp_path, strip, palette, words):
    """As small files claim to be large ones: a thousand pages of the same strip or the same palette."""
    side = int(strip**0.5)
    entries = (
        (256, 1, side), (257, 1, side), (258, 1, 8), (259, 1, 1), (262, 1, 1), (273, 1, 8), (277, 1, 1), (278, 1, side),
        (279, 1, strip), (320, palette, 8),
    )  # fmt: skip
    listed = b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, count, value in entries)
    length = 2 + len(listed) + 4
    start = 8 + 10_000
    pages = [struct.pack("<H", len(entries)) + listed + struct.pack("<I", start + (n + 1) * length) for n in range(999)]
    last = struct.pack("<H", len(entries)) + listed + bytes(4)
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", start) + bytes(10_000) + b"".join(pages) + last)
    with pytest.raises(FileRefused, match=f"{words} their bytes"):
        scan(tmp_path / "a.tif")


def test_pages_that_run_in_a_circle_end(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY.astype(np.uint8), byteorder="<", metadata=None)
    content = bytearray(path.read_bytes())
    start = int.from_bytes(content[4:8], "little")
    end = start + 2 + 12 * int.from_bytes(content[start : start + 2], "little")
    content[end : end + 4] = start.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="circle"):
        scan(path)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}])
def test_jpeg_is_read_as_the_decoder_gives_it_and_is_called_lossy(tmp_path, options):
    for mode in ("L", "RGB"):
        path = tmp_path / "mr.jpg"
        Image.fromarray((GREY * 4).astype(np.uint8)).convert(mode).save(path, **options)
        volume = open_volume(path)
        np.testing.assert_array_equal(volume.voxels[0], np.asarray(Image.open(path).convert("L")))
        assert {"lossy", "estimated_spacing", "missing_orientation"} <= _kinds(volume)


def test_colour_in_jpeg_is_refused_beyond_the_noise_of_compression(tmp_path):
    noise = np.random.default_rng(1).integers(-2, 3, (32, 32, 3))
    Image.fromarray((120 + noise).astype(np.uint8)).save(tmp_path / "a.jpg", quality=95)
    assert abs(open_volume(tmp_path / "a.jpg").voxels.mean() - 120) < 2
    colour = np.full((32, 32, 3), 120, np.uint8)
    colour[:8, :8, 0] = 160
    Image.fromarray(colour).save(tmp_path / "b.jpg", quality=95)
    with pytest.raises(FileRefused, match="colour"):
        open_volume(tmp_path / "b.jpg")


def test_a_jpeg_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(STACK[0].astype(np.uint8)).resize((64, 64)).save(path)
    whole = path.read_bytes()
    for cut in np.linspace(3, len(whole) - 1, 40).astype(int):
        path.write_bytes(whole[:cut])
        with pytest.raises(FileRefused):
            open_volume(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_pictures_stand_as_they_ask_to_be_shown(tmp_path, suffix, orientation):
    path = tmp_path / f"a{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    smooth = np.add.outer(np.arange(24) * 5, np.arange(40) * 2).astype(np.uint8)
    Image.fromarray(smooth).save(path, exif=exif)
    (series,) = scan(path)
    volume = finish(load(series))
    stored = Image.fromarray(smooth) if suffix == ".tif" else Image.open(path).copy()  # Pillow 13 muddles the rows of turned TIFF
    stored.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(stored))
    np.testing.assert_array_equal(volume.voxels[0], expected)
    assert series.shape == volume.geometry.shape
    assert ("turned" in _kinds(volume)) == (orientation != 1)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_transparent_parts_are_nothing_and_it_is_said(tmp_path, mode):
    picture = Image.fromarray((GREY + 50).astype(np.uint8)).convert("RGBA")
    alpha = np.full(GREY.shape, 255, np.uint8)
    alpha[:2] = 0
    picture.putalpha(Image.fromarray(alpha))
    if mode == "P":
        picture = Image.fromarray((GREY + 50).astype(np.uint8)).convert("P")
        picture.info["transparency"] = int(np.asarray(picture)[0, 0])
    else:
        picture = picture.convert(mode)
    picture.save(tmp_path / "a.png")
    volume = open_volume(tmp_path / "a.png")
    assert "transparent" in _kinds(volume)
    assert (volume.voxels[0] == 0).sum() == (1 if mode == "P" else 18)
    if mode != "P":
        np.testing.assert_array_equal(volume.voxels[0, 2:], GREY[2:] + 50)
        alpha[:2] = 100
        picture.putalpha(Image.fromarray(alpha))
        picture.save(tmp_path / "a.png")
        with pytest.raises(FileRefused, match="half transparent"):
            open_volume(tmp_path / "a.png")


def test_kinds_in_one_folder_are_stacks_of_their_own(tmp_path):
    for n in range(3):
        for suffix in (".png", ".jpg", ".tif"):
            _save(tmp_path / f"a{n}{suffix}", np.full((4, 5), n, np.uint8))
    tifffile.imwrite(tmp_path / "pages9.tif", np.zeros((6, 4, 5), np.uint8), photometric="minisblack")
    assert sorted(series.shape[0] for series in scan(tmp_path)) == [3, 3, 3, 6]


def test_a_picture_that_cannot_be_read_is_missing_from_its_stack(tmp_path):
    for n in range(5):
        _save(tmp_path / f"a{n}.png", np.full((4, 5), n, np.uint8))
    (tmp_path / "a2.png").write_bytes(b"")
    volume = open_volume(tmp_path)
    assert volume.voxels[:, 0, 0].tolist() == [0, 1, 3, 4]
    assert {"left_out", "gap"} <= {finding.kind for finding in volume.findings if finding.serious}


def test_one_picture_of_a_stack_says_that_there_are_more(tmp_path):
    for n in range(3):
        _save(tmp_path / f"a{n}.png", np.full((4, 5), n, np.uint8))
    volume = open_volume(tmp_path / "a1.png")
    assert volume.voxels[:, 0, 0].tolist() == [1]
    assert "single_slice" in _kinds(volume)


def test_the_voxel_size_is_asked_for_and_can_be_given(tmp_path):
    picture = PngImagePlugin.PngInfo()
    Image.fromarray(GREY.astype(np.uint8)).save(tmp_path / "a.png", dpi=(72, 72), pnginfo=picture)
    (series,) = scan(tmp_path / "a.png")
    assert series.has("estimated_spacing")
    assert series.spacing == (1.0, 1.0, 1.0)  # dots per inch speak of paper
    for volume in (finish(load(with_spacing(series, (4.0, 0.5, 0.25)))), preview(with_spacing(series, (4.0, 0.5, 0.25)))):
        assert volume.geometry.spacing == (4.0, 0.5, 0.25)
        assert "estimated_spacing" not in _kinds(volume)


def _own(folder, count=12, *, slope=1.0, intercept=-1024.0, synthetic=False):
    """Slices as this program writes them, with names of another order than that of k."""
    axes = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
    grid = Geometry((count, 7, 9), (2.5, 0.5, 0.75), (-10.0, 20.0, 30.5), axes)
    stored = np.random.default_rng(5).integers(0, 4000, grid.shape).astype(np.uint16)
    volume = Volume(np.zeros(grid.shape, np.int16), grid, Domain.CT)
    for k, plane in enumerate(stored):
        text = png_slices.slice_text(volume, png_slices.Scale(slope, intercept), k)
        (folder / f"s{count - k}.png").write_bytes(png_slices.encode(plane, text))
    return grid, stored


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, -1024.0), (0.25, 3.5)])
def test_slices_of_our_own_come_back_exactly(tmp_path, slope, intercept):
    grid, stored = _own(tmp_path, slope=slope, intercept=intercept)
    (series,) = scan(tmp_path)
    volume = finish(load(series))
    assert volume.geometry == grid
    np.testing.assert_array_equal(volume.voxels, stored * slope + intercept)
    assert (series.domain, series.plane, series.has("estimated_spacing")) == (Domain.CT, grid.plane, False)
    assert not volume.findings
    (alone,) = scan(tmp_path / "s5.png")
    one = finish(load(alone))
    np.testing.assert_allclose(one.geometry.origin, grid.index_to_mm((7, 0, 0)))
    np.testing.assert_array_equal(one.voxels[0], stored[7] * slope + intercept)


def test_slices_of_our_own_must_be_complete(tmp_path):
    _own(tmp_path)
    (tmp_path / "s1.png").unlink()
    assert any(finding.kind == "part" and finding.serious for finding in open_volume(tmp_path).findings)
    (tmp_path / "s6.png").unlink()
    with pytest.raises(FileRefused, match="missing or doubled"):
        open_volume(tmp_path)


@pytest.mark.parametrize(
    "edit", [lambda stored: stored[:, 1:], lambda stored: stored.repeat(2, 0), lambda stored: stored.astype(np.uint8)]
)
def test_slices_of_our_own_that_were_edited_lose_their_place_and_keep_their_mark(tmp_path, edit):
    made = Synthetic("model", "0" * 64, {"seed": 1})
    volume = Volume(np.zeros((1, 7, 9), np.int16), Geometry((1, 7, 9), (2.5, 0.5, 0.75)), Domain.MR_T1, synthetic=made)
    path = tmp_path / "slice_0001.png"
    path.write_bytes(png_slices.encode(GREY.astype(np.uint16), png_slices.slice_text(volume, png_slices.Scale(0.5, 3.0), 0)))
    with Image.open(path) as picture:
        texts = PngImagePlugin.PngInfo()
        texts.add_text(png_slices.KEYWORD, picture.text[png_slices.KEYWORD])
        stored = edit(np.asarray(picture))
        Image.fromarray(stored).save(path, pnginfo=texts)
    (series,) = scan(path)
    edited = finish(load(series))
    assert series.synthetic and edited.synthetic is not None
    assert {"edited", "estimated_spacing", "missing_orientation"} <= {said.kind for said in edited.findings if said.serious}
    np.testing.assert_array_equal(edited.voxels[0], stored)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[" * 5000, "null", '{"k": 1e400}',
     '{"version": 1, "mark": "x", "k": 0, "count": 1, "slope": NaN, "intercept": 0}'],
)  # fmt: skip
def test_a_record_that_is_none_is_passed_over(tmp_path, text):
    (tmp_path / "a.png").write_bytes(png_slices.encode(GREY.astype(np.uint16), text))
    np.testing.assert_array_equal(open_volume(tmp_path / "a.png").voxels[0], GREY)
    assert scan(tmp_path / "a.png")[0].has("estimated_spacing")


@pytest.mark.shared_data
def test_real_slices(shared_data):
    folder = shared_data / "synthrad_brain_slices" / "1BA001"
    volume = open_volume(folder / "ct_axial.png")
    np.testing.assert_array_equal(volume.voxels[0], np.asarray(Image.open(folder / "ct_axial.png")).astype(int) - 1024)
    assert volume.domain is Domain.CT
    assert open_volume(folder / "mr_t1_sagittal.png").geometry.orientation == "LIP"
    found = scan(folder)
    assert len(found) == 9
    stack = shared_data / "windowed_brain_slices" / "patient_06" / "ct"
    volume = open_volume(stack)
    assert volume.domain is Domain.CT
    assert "not_hounsfield" in _kinds(volume)
