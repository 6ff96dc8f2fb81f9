"""What single volume formats can hold beyond the contract: odd headers, several volumes, voxel sizes that are none."""

from __future__ import annotations

import gc
import gzip
import itertools
import struct
import tracemalloc
import warnings
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from nibabel.parrec import PARRECHeader

from ctmri_core.errors import FileRefused
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.io import native_nibabel
from ctmri_core.io.opening import load, open_volume, preview, scan
from tests.contracts import volume_samples as samples

VOXELS = np.random.default_rng(3).integers(-500, 900, (3, 4, 5)).astype(np.int16)
GRID = Geometry(VOXELS.shape, (2.0, 0.75, 0.5), (1.0, 2.0, 3.0))


def _kinds(path):
    return {finding.kind for finding in open_volume(path).findings}


# NIfTI


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_all_48_orientations_lie_where_nibabel_puts_them(tmp_path, order, signs):
    affine = np.zeros((4, 4))
    for column, (row, sign) in enumerate(zip(order, signs, strict=True)):
        affine[row, column] = sign * (0.5, 0.75, 2.0)[column]
    affine[:, 3] = (11, -7, 3, 1)
    path = tmp_path / "a.nii"
    nib.save(nib.Nifti1Image(VOXELS.T, affine), path)
    (series,), image = scan(path), nib.load(path)
    volume, one = finish(load(series)), preview(series)
    np.testing.assert_allclose(volume.geometry.affine, np.diag([-1, -1, 1, 1]) @ image.affine[:, [2, 1, 0, 3]], atol=1e-6)
    assert volume.geometry.orientation == "".join(nib.aff2axcodes(image.affine)[::-1])
    assert series.plane == ("sagittal", "coronal", "axial")[order[2]]
    np.testing.assert_array_equal(volume.voxels, VOXELS)
    np.testing.assert_array_equal(one.voxels[0], VOXELS[1])
    np.testing.assert_allclose(one.geometry.corners[0], volume.geometry.index_to_mm((1, 0, 0)), atol=1e-5)


def _nifti(path, shape, dtype="i2", **fields):
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    image = nib.Nifti1Image(values, np.diag([0.5, 0.75, 2, 1]), dtype=values.dtype)
    for name, value in fields.items():
        image.header[name] = value
    nib.save(image, path)
    return values


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.img"])
def test_every_volume_of_five_axes_can_be_chosen(tmp_path, name):
    shape = (4, 5, 3, 2, 3)
    values = np.arange(np.prod(shape)).reshape(shape).astype("i2")
    kind = nib.Nifti1Pair if name.endswith(".img") else nib.Nifti1Image
    nib.save(kind(values, np.eye(4)), tmp_path / name)
    found = scan(tmp_path / name)
    assert len(found) == 6
    for number, series in enumerate(found):
        expected = values.reshape(*shape[:3], 6, order="F")[..., number].T
        np.testing.assert_array_equal(finish(load(series)).voxels, expected)
        np.testing.assert_array_equal(preview(series).voxels[0], expected[1])


def test_intents_are_told_and_extensions_passed_over(tmp_path):
    path = tmp_path / "a.nii"
    values = _nifti(path, (4, 5, 3), intent_code=5)
    image = nib.load(path)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Name of a patient" * 9))
    nib.save(nib.Nifti1Image(values, image.affine, image.header), tmp_path / "b.nii")
    volume = open_volume(tmp_path / "b.nii")
    np.testing.assert_array_equal(volume.voxels, values.T)
    assert "not_a_picture" in {finding.kind for finding in volume.findings}
    assert "Name of" not in str(volume)


@pytest.mark.parametrize(("dtype", "word"), [(np.complex64, "complex"), ([("R", "u1"), ("G", "u1"), ("B", "u1")], "colour")])
def test_colour_and_complex_numbers_are_refused_in_words(tmp_path, dtype, word):
    nib.save(nib.Nifti1Image(np.zeros((3, 4, 5), dtype), np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(FileRefused, match=f"datatype.*{word}"):
        open_volume(tmp_path / "a.nii")


def test_a_packed_header_with_a_packed_data_file(tmp_path):
    nib.save(nib.Nifti1Pair(VOXELS.T, np.eye(4)), tmp_path / "a.hdr")
    for name in ("a.hdr", "a.img"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        (tmp_path / name).unlink()
    for name in ("a.hdr.gz", "a.img.gz"):
        np.testing.assert_array_equal(open_volume(tmp_path / name).voxels, VOXELS)
    assert len(scan(tmp_path)) == 1


# Analyze


def test_analyze_says_that_it_does_not_say_left_from_right(tmp_path):
    path = samples.write_analyze("<")(tmp_path, VOXELS, GRID)
    volume = open_volume(path)
    assert any(finding.kind == "missing_orientation" and finding.serious for finding in volume.findings)
    assert open_volume(path.with_suffix(".img")).geometry == volume.geometry
    packed = gzip.compress(path.with_suffix(".img").read_bytes())
    path.with_suffix(".img").unlink()
    path.with_suffix(".img.gz").write_bytes(packed)
    np.testing.assert_array_equal(open_volume(path).voxels, VOXELS)


def test_the_scale_and_origin_of_spm_are_used(tmp_path):
    path = tmp_path / "a.hdr"
    image = nib.Spm99AnalyzeImage(VOXELS.T, samples.ras_affine(GRID))
    image.header["origin"][:3] = (2, 3, 1)
    nib.save(image, path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<f", content, 112, 0.25)
    path.write_bytes(content)
    (tmp_path / "a.mat").unlink(missing_ok=True)
    volume = open_volume(path)
    values, grid = samples.read_nibabel(path)
    np.testing.assert_array_equal(volume.voxels, values)
    assert volume.geometry.is_close(grid, 1e-4)
    assert "scaled" in _kinds(path)
    for slope, intercept in ((1.0, 5.0), (0.5, 3.0), (0.0, 7.0)):  # SPM2 has an intercept, too
        struct.pack_into("<ff", content, 112, slope, intercept)
        path.write_bytes(content)
        np.testing.assert_array_equal(open_volume(path).voxels, np.asanyarray(nib.Spm2AnalyzeImage.load(path).dataobj).T)
    (tmp_path / "a.mat").write_bytes(b"MATLAB")
    assert "orientation_conflict" in _kinds(path)


# FreeSurfer


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
def test_frames_of_mgh_and_every_type(tmp_path, dtype):
    values = np.random.default_rng(2).integers(0, 200, (5, 4, 3, 2)).astype(dtype)
    for name in ("a.mgh", "a.mgz"):
        nib.save(nib.MGHImage(values, samples.ras_affine(GRID)), tmp_path / name)
        for frame, series in enumerate(scan(tmp_path / name)):
            volume = finish(load(series))
            np.testing.assert_array_equal(volume.voxels, values[..., frame].T)
            assert volume.geometry.is_close(GRID, 1e-4)
            np.testing.assert_array_equal(preview(series).voxels[0], volume.voxels[1])


def test_mgh_without_coordinates_lies_as_freesurfer_lays_it(tmp_path):
    path = tmp_path / "a.mgh"
    nib.save(nib.MGHImage(VOXELS.T, samples.ras_affine(GRID)), path)
    content = bytearray(path.read_bytes())
    struct.pack_into(">h", content, 28, 0)
    path.write_bytes(content)
    volume = open_volume(path)
    assert volume.geometry.orientation == "AIL"  # coronal slices from back to front, rows down, columns to the left
    assert volume.geometry.spacing == (1.0, 1.0, 1.0)
    np.testing.assert_allclose(volume.geometry.index_to_mm(np.array(VOXELS.shape) / 2), 0, atol=1e-6)
    assert {"missing_orientation", "estimated_spacing"} <= {finding.kind for finding in volume.findings}


def test_mgh_of_unsigned_shorts_and_a_footer(tmp_path):
    path = tmp_path / "a.mgh"
    nib.save(nib.MGHImage(VOXELS.T, samples.ras_affine(GRID)), path)
    content = bytearray(path.read_bytes())
    struct.pack_into(">i", content, 20, 10)
    values = VOXELS.astype(np.int32) + 40_000
    content[284 : 284 + VOXELS.nbytes] = values.astype(">u2").tobytes()
    path.write_bytes(gzip.compress(content + b"a command line" * 90))
    path = path.rename(path.with_suffix(".mgz"))
    np.testing.assert_array_equal(open_volume(path).voxels, values)


@pytest.mark.parametrize(("place", "value", "word"), [(0, 2, "version"), (20, 7, "type"), (16, 0, "nframes"), (4, -3, "width")])
def test_damaged_mgh_headers_are_refused_by_field(tmp_path, place, value, word):
    path = tmp_path / "a.mgh"
    nib.save(nib.MGHImage(VOXELS.T, np.eye(4)), path)
    content = bytearray(path.read_bytes())
    struct.pack_into(">i", content, place, value)
    path.write_bytes(content)
    with pytest.raises(FileRefused, match=word):
        open_volume(path)


# AFNI, MINC, PAR/REC


def test_afni_factors_of_each_volume_and_packed_bricks(tmp_path):
    path = samples.write_afni(tmp_path, VOXELS, GRID)
    text = path.read_text().replace("count = 2\n 3 1", "count = 2\n 3 2")
    text = text.replace("TYPES\ncount = 1\n 1", "TYPES\ncount = 2\n 1 1")
    path.write_text(text.replace("FACS\ncount = 1\n 0", "FACS\ncount = 2\n 0 0.5"))
    brick = path.with_suffix(".BRIK")
    content = brick.read_bytes() + (VOXELS + 1).astype("<i2").tobytes()
    brick.unlink()
    brick.with_name(brick.name + ".gz").write_bytes(gzip.compress(content))
    first, second = (finish(load(series)) for series in scan(path))
    np.testing.assert_array_equal(first.voxels, VOXELS)
    np.testing.assert_array_equal(second.voxels, ((VOXELS + 1) * 0.5).astype(np.float32))
    theirs = nib.load(path)
    np.testing.assert_array_equal(second.voxels, np.asanyarray(theirs.dataobj)[..., 1].T.astype(np.float32))
    assert len(scan(tmp_path)) == 2
    path.write_text("\n".join(line for line in path.read_text().split("\n") if "FLOAT" not in line))
    assert any(finding.kind == "not_scaled" and finding.serious for finding in scan(path)[0].findings)


@pytest.mark.parametrize("factor", [0.0, 0.25])
@pytest.mark.parametrize("order", ["LSB_FIRST", "MSB_FIRST"])
@pytest.mark.parametrize(("code", "dtype"), [(0, "u1"), (1, "i2"), (3, "f4")])
def test_every_type_of_afni_means_what_nibabel_takes_it_for(tmp_path, code, dtype, order, factor):
    path = samples.write_afni(tmp_path, VOXELS, GRID)
    text = path.read_text().replace("TYPES\ncount = 1\n 1", f"TYPES\ncount = 1\n {code}").replace("LSB_FIRST", order)
    path.write_text(text.replace("FACS\ncount = 1\n 0", f"FACS\ncount = 1\n {factor}"))
    values = np.abs(VOXELS % 256).astype(f"{'<' if order[0] == 'L' else '>'}{dtype}")
    path.with_suffix(".BRIK").write_bytes(values.tobytes())
    volume, (theirs, grid) = open_volume(path), samples.read_nibabel(path)
    np.testing.assert_array_equal(volume.voxels, theirs)
    assert volume.geometry.is_close(grid, 1e-5)
    for unknown in (2, 4, 5):
        path.write_text(text.replace(f"TYPES\ncount = 1\n {code}", f"TYPES\ncount = 1\n {unknown}"))
        with pytest.raises(FileRefused, match=f"BRICK_TYPES is {unknown}"):
            scan(path)


@pytest.mark.parametrize("filling", ["\n" * 900_000, "type = a\nname = b\n" * 40_000, "count = " + "9" * 90_000 + "\n"])
def test_long_afni_headers_are_read_in_one_go(tmp_path, filling):
    path = samples.write_afni(tmp_path, VOXELS, GRID)
    path.write_text(path.read_text() + "type = string-attribute\nname = NOTE\ncount = 1\n'a" + filling + "\n")
    np.testing.assert_array_equal(open_volume(path).voxels, VOXELS)


def test_slices_of_par_and_minc_with_scales_of_their_own(tmp_path):
    path = samples.write_par_rec(tmp_path, VOXELS, GRID)
    assert open_volume(path).voxels.dtype == np.int16
    head, table = path.read_text().split("-2000.0", 1)
    path.write_text(f"{head}-1000.0{table}")
    volume, (theirs, grid) = open_volume(path), samples.read_par_rec(path)
    assert theirs[0].mean() - theirs[1].mean() > 500
    np.testing.assert_array_equal(volume.voxels, theirs)
    assert volume.geometry.is_close(grid, 1e-4)


def test_par_and_minc_take_the_volume_and_a_few_slices(tmp_path):
    voxels = np.random.default_rng(4).integers(-500, 900, (48, 96, 96)).astype(np.int16)
    par = samples.write_par_rec(tmp_path, voxels, replace(GRID, shape=voxels.shape))
    minc = samples.write_minc(tmp_path, voxels, replace(GRID, shape=voxels.shape))
    for read in (
        lambda: native_nibabel.par_rec_voxels(par, par.with_suffix(".REC"), 0),
        lambda: native_nibabel.minc_voxels(minc, 0),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the parser of MINC leaves the file mapped until it is collected
            read()
            tracemalloc.start()
            found, _ = read()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            gc.collect()
        np.testing.assert_allclose(found, voxels, atol=0.01)
        assert peak < found.nbytes + 6 * 8 * voxels[0].size


def test_a_par_whose_slices_lie_in_another_order_is_refused(tmp_path):
    path = samples.write_par_rec(tmp_path, VOXELS, GRID)
    path.write_text(path.read_text().replace("#\n.", "#\n.    Patient name :   Müller\n.", 1), "latin-1")
    assert "ller" not in str(open_volume(path.with_suffix(".REC")))
    path.write_text(path.read_text("latin-1"))
    path.write_text(path.read_text().replace("0  1  16  0", "0  2  16  0"))
    with path.open() as file:
        assert list(PARRECHeader.from_fileobj(file).image_defs["index in REC file"]) == [0, 2, 2]
    with pytest.raises(FileRefused, match="does not fit together"):
        open_volume(path)


def test_files_of_other_programs_that_are_called_par_are_no_volumes(tmp_path):
    samples.write_nrrd(tmp_path, VOXELS, GRID)
    (tmp_path / "func_mcf.par").write_text("0.01 -0.002 0.003  0.1 0.2 0.3\n" * 90)
    (series,) = scan(tmp_path)
    assert "passed_over" not in {finding.kind for finding in series.findings}
    with pytest.raises(FileRefused, match="not what its name says"):
        scan(tmp_path / "func_mcf.par")


def test_par_and_afni_without_their_data_are_refused(tmp_path):
    for write, suffix in ((samples.write_par_rec, ".REC"), (samples.write_afni, ".BRIK")):
        path = write(tmp_path, VOXELS, GRID)
        path.with_suffix(suffix).unlink()
        with pytest.raises(FileRefused, match=suffix[1:]):
            scan(path)


def test_minc_2_is_refused_in_words(tmp_path):
    (tmp_path / "a.mnc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(900))
    with pytest.raises(FileRefused, match=r"MINC 2.*Convert"):
        scan(tmp_path / "a.mnc")


# Voxel sizes that are none


def _in_place(place, code):
    def change(content, value):
        changed = bytearray(content)
        struct.pack_into(code, changed, place, value)
        return bytes(changed)

    return change


def _word(old):
    def change(content, value):
        text = old.replace(b"@", b"0.5", 1)
        assert text in content
        return content.replace(text, old.replace(b"@", repr(value).encode(), 1))

    return change


def _nibabel(suffix, kind):
    return samples.write_nibabel(suffix, kind)


SIZES = {
    "nifti": (_nibabel(".nii", nib.Nifti1Image), _in_place(80, "<f"), "pixdim"),
    "nifti pair": (_nibabel(".hdr", nib.Nifti1Pair), _in_place(80, "<f"), "pixdim"),
    "nifti 2": (_nibabel(".nii", nib.Nifti2Image), _in_place(112, "<d"), "pixdim"),
    "analyze": (samples.write_analyze("<"), _in_place(80, "<f"), "pixdim"),
    "analyze big endian": (samples.write_analyze(">"), _in_place(80, ">f"), "pixdim"),
    "mgh": (_nibabel(".mgh", nib.MGHImage), _in_place(30, ">f"), "spacing"),
    "afni": (samples.write_afni, _word(b"\n @ 0.75 2\n"), "DELTA"),
    "minc": (samples.write_minc, None, "step"),
    "par rec": (samples.write_par_rec, _word(b"  @ 0.75  "), "pixel spacing"),
    "mha": (samples.write_meta_image, _word(b"ElementSpacing = @ "), "ElementSpacing"),
    "nrrd": (samples.write_nrrd, _word(b"spacings: @ "), "spacings"),
}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -0.5, 1e30, 1e-30])
@pytest.mark.parametrize("kind", SIZES)
def test_voxel_sizes_that_are_none_are_refused_by_field(tmp_path, kind, value):
    write, change, word = SIZES[kind]
    if kind == "minc":
        if value < 0:
            return  # a step may lead backwards
        path = write(tmp_path, VOXELS, replace(GRID, spacing=(2.0, 0.75, 0.57)))
        content = path.read_bytes()
        assert content.count(struct.pack(">f", 0.57)) == 1
        path.write_bytes(content.replace(struct.pack(">f", 0.57), struct.pack(">f", value)))
    elif kind == "afni" and value < 0:
        return  # as there
    else:
        path = write(tmp_path, VOXELS, GRID)
        path.write_bytes(change(path.read_bytes(), value))
    with pytest.raises(FileRefused, match=word):
        open_volume(path)
