"""NIfTI against nibabel, and what nibabel lets pass."""

from __future__ import annotations

import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.events import finish
from ctmri_core.io import raw_image
from ctmri_core.io.nifti import NIFTI_READER
from ctmri_core.io.opening import load, open_volume, preview, scan

AFFINE = np.array([[-0.5, 0, 0, 10.0], [0, -0.7, 0, 20.0], [0, 0, 2.0, -30.0], [0, 0, 0, 1.0]])


def _image(voxels, affine=AFFINE, **fields):
    image = nib.Nifti1Image(voxels, affine)
    image.header.set_sform(affine, 1)
    image.header.set_qform(affine, 1)
    for name, value in fields.items():
        image.header[name] = value
    return image


def _ramp(dtype, shape=(4, 5, 6)):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def _patched(path, image, **fields):
    """Writes `image` and then overwrites header fields that nibabel would correct."""
    nib.save(image, path)
    content = bytearray(path.read_bytes())
    header = nib.Nifti1Header(bytes(content[:348]), check=False)
    for name, (index, value) in fields.items():
        if index is None:
            header[name] = value
        else:
            header[name][index] = value
    content[:348] = header.binaryblock
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [("u1", "int16"), ("i1", "int16"), ("i2", "int16"), ("u2", "int16"), ("i4", "int16"), ("u4", "int16"), ("i8", "int16"),
     ("f4", "float32"), ("f8", "float32"), (">i2", "int16"), (">f4", "float32")],
)  # fmt: skip
def test_types_become_int16_where_that_loses_nothing(tmp_path, dtype, kept):
    path = tmp_path / "a.nii.gz"
    nib.save(nib.Nifti1Image(_ramp(dtype), AFFINE, nib.Nifti1Header(endianness=">" if ">" in dtype else "<"), dtype=dtype), path)
    volume = open_volume(path)
    assert volume.voxels.dtype == kept
    np.testing.assert_array_equal(volume.voxels, np.asanyarray(nib.load(path).dataobj).T)


@pytest.mark.parametrize(
    ("slope", "intercept", "kept"),
    [(1.0, -1024.0, "int16"), (2.0, 0.0, "int16"), (0.25, 3.5, "float32"), (400.0, 0.0, "float32"), (0.0, 5.0, "int16")],
)
def test_scaling_is_applied_as_nibabel_does(tmp_path, slope, intercept, kept):
    path = _patched(tmp_path / "a.nii", _image(_ramp("i2")), scl_slope=(None, slope), scl_inter=(None, intercept))
    volume = open_volume(path)
    assert volume.voxels.dtype == kept
    np.testing.assert_array_equal(volume.voxels, nib.load(path).get_fdata().T.astype(kept))


def test_large_values_become_float(tmp_path):
    nib.save(_image(_ramp("i4") * 1000), tmp_path / "a.nii")
    np.testing.assert_array_equal(open_volume(tmp_path / "a.nii").voxels, (_ramp("i4") * 1000).T)


def test_sform_goes_before_qform_and_a_conflict_is_told(tmp_path):
    image = _image(_ramp("i2"))
    moved = AFFINE.copy()
    moved[:3, 3] += 50
    image.header.set_qform(moved, 1)
    nib.save(image, tmp_path / "a.nii")
    volume = open_volume(tmp_path / "a.nii")
    assert volume.geometry.origin == (-10.0, -20.0, -30.0)
    assert "orientation_conflict" in {finding.kind for finding in volume.findings}


def test_a_qform_that_mirrors_the_sform_is_serious(tmp_path):
    image = _image(_ramp("i2"))
    mirrored = AFFINE.copy()
    mirrored[0] *= -1
    image.header.set_qform(mirrored, 1)
    nib.save(image, tmp_path / "a.nii")
    volume = open_volume(tmp_path / "a.nii")
    np.testing.assert_allclose(volume.geometry.affine, np.diag([-1.0, -1, 1, 1]) @ AFFINE[:, [2, 1, 0, 3]], atol=1e-6)
    assert any(finding.kind == "orientation_conflict" and finding.serious for finding in volume.findings)


@pytest.mark.parametrize("degrees", [44.999, 45.0, 45.001])
def test_two_forms_that_agree_are_no_conflict_however_oblique(tmp_path, degrees):
    def turned(angle):
        cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        return np.array([[cosine, -sine, 0, 1], [sine, cosine, 0, 2], [0, 0, 2, 3], [0, 0, 0, 1]])

    image = _image(_ramp("i2"), turned(degrees))
    image.header.set_qform(turned(degrees + 0.002), 1)
    nib.save(image, tmp_path / "a.nii")
    assert not any(finding.serious for finding in open_volume(tmp_path / "a.nii").findings)


def test_a_single_slice_without_thickness_is_told(tmp_path):
    flat = sitk.GetImageFromArray(_ramp("i2", (4, 5)))
    flat.SetSpacing((0.5, 0.75))
    sitk.WriteImage(flat, str(tmp_path / "a.nii"))
    volume = open_volume(tmp_path / "a.nii")
    np.testing.assert_array_equal(volume.voxels[0], _ramp("i2", (4, 5)))
    assert volume.geometry.spacing == (1.0, 0.75, 0.5)
    assert "estimated_spacing" in {finding.kind for finding in volume.findings}
    path = _patched(tmp_path / "b.nii", _image(_ramp("i2", (4, 5, 1))), pixdim=(3, 0.0))
    volume = open_volume(path)
    assert volume.voxels.shape == (1, 5, 4)
    assert "estimated_spacing" in {finding.kind for finding in volume.findings}


def test_qform_alone_and_no_orientation_at_all(tmp_path):
    image = _image(_ramp("i2"))
    image.header.set_sform(None, 0)
    nib.save(image, tmp_path / "q.nii")
    volume = open_volume(tmp_path / "q.nii")
    np.testing.assert_allclose(volume.geometry.origin, (-10.0, -20.0, -30.0), atol=1e-5)
    assert "missing_orientation" not in {finding.kind for finding in volume.findings}
    path = _patched(tmp_path / "n.nii", _image(_ramp("i2")), sform_code=(None, 0), qform_code=(None, 0))
    finding = next(finding for finding in open_volume(path).findings if finding.kind == "missing_orientation")
    assert finding.serious


def test_a_sheared_sform_gives_way_to_the_qform_or_is_refused(tmp_path):
    path = _patched(tmp_path / "a.nii", _image(_ramp("i2")), srow_x=(1, 0.3))
    volume = open_volume(path)
    assert any(finding.serious and "sform" in finding.message for finding in volume.findings)
    np.testing.assert_allclose(volume.geometry.origin, (-10.0, -20.0, -30.0), atol=1e-5)
    path = _patched(tmp_path / "b.nii", _image(_ramp("i2")), srow_x=(1, 0.3), qform_code=(None, 0))
    with pytest.raises(FileRefused, match="sform"):
        open_volume(path)


@pytest.mark.parametrize(
    ("field", "index", "value", "word"),
    [
        ("pixdim", 1, float("nan"), "pixdim"), ("pixdim", 2, float("inf"), "pixdim"), ("pixdim", 3, 0.0, "pixdim"),
        ("pixdim", 1, -1.0, "pixdim"), ("pixdim", 1, 1e30, "pixdim"), ("pixdim", 1, 1e-30, "pixdim"),
        ("dim", 0, 9, "dim"), ("dim", 0, 1, "dim"), ("dim", 1, -4, "dim"), ("dim", 2, 0, "dim"), ("dim", 3, 3000, "promises"),
        ("vox_offset", None, float("nan"), "vox_offset"), ("vox_offset", None, 10.0, "vox_offset"),
        ("vox_offset", None, 1e9, "promises"), ("datatype", None, 999, "datatype"), ("datatype", None, 128, "type"),
        ("datatype", None, 32, "type"), ("scl_slope", None, float("inf"), "scl_slope"),
        ("srow_x", 0, float("nan"), "sform"), ("srow_x", 0, 0.0, "sform"),
    ],
)  # fmt: skip
def test_every_damaged_field_is_named(tmp_path, field, index, value, word):
    codes = {"qform_code": (None, 0)} if field.startswith("srow") else {}
    path = _patched(tmp_path / "a.nii", _image(_ramp("i2")), **{field: (index, value)}, **codes)
    with pytest.raises(FileRefused, match=word):
        open_volume(path)


def test_a_small_file_cannot_claim_the_memory(tmp_path):
    path = _patched(tmp_path / "a.nii", _image(_ramp("i2")), dim=(slice(1, 4), [30000, 30000, 30000]))
    packed = tmp_path / "b.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for claim in (path, packed):
        with pytest.raises(FileRefused, match="promises"):
            scan(claim)


def test_a_wrong_gzip_checksum_is_found(tmp_path):
    path = tmp_path / "a.nii.gz"
    nib.save(_image(np.random.default_rng(0).integers(0, 900, (9, 9, 9)).astype("i2")), path)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    nib.load(path).get_fdata()  # nibabel does not mind
    with pytest.raises(FileRefused, match="checksum"):
        open_volume(path)


def test_highly_compressible_multi_member_and_padded_gzip(tmp_path):
    image = _image(np.zeros((200, 200, 200), "u1"))
    nib.save(image, tmp_path / "a.nii")
    content = (tmp_path / "a.nii").read_bytes()
    packed = gzip.compress(content[:5000]) + gzip.compress(content[5000:]) + b"\0" * 700
    (tmp_path / "b.nii.gz").write_bytes(packed)
    assert open_volume(tmp_path / "b.nii.gz").voxels.shape == (200, 200, 200)
    (tmp_path / "d.nii.gz").write_bytes(gzip.compress(b"") + gzip.compress(content[:100]) + gzip.compress(content[100:]))
    assert open_volume(tmp_path / "d.nii.gz").voxels.shape == (200, 200, 200)
    (tmp_path / "c.nii.gz").write_bytes(packed + b"garbage")
    with pytest.raises(FileRefused):
        open_volume(tmp_path / "c.nii.gz")


def test_what_follows_the_voxels_is_passed_over_unless_it_is_more_than_a_footer(tmp_path):
    nib.save(_image(_ramp("i2")), tmp_path / "a.nii")
    content = (tmp_path / "a.nii").read_bytes()
    for rest, fine in ((4096, True), (2 << 20, False)):
        (tmp_path / "a.nii").write_bytes(content + bytes(rest))
        (tmp_path / "b.nii.gz").write_bytes(gzip.compress(content + bytes(rest)))
        for name in ("a.nii", "b.nii.gz"):
            if fine:
                np.testing.assert_array_equal(open_volume(tmp_path / name).voxels, _ramp("i2").T)
                continue
            with pytest.raises(FileRefused, match=r"header (describes|promises)"):
                open_volume(tmp_path / name)


def test_several_volumes_are_several_series(tmp_path):
    voxels = _ramp("i2", (4, 5, 6, 3))
    for name in ("a.nii", "a.nii.gz"):
        nib.save(_image(voxels), tmp_path / name)
        found = scan(tmp_path / name)
        assert [series.label[-11:] for series in found] == [f"lume {n} of 3" for n in (1, 2, 3)]
        for n, series in enumerate(found):
            volume = finish(load(series))
            np.testing.assert_array_equal(volume.voxels, voxels[..., n].T)
            assert volume.name.endswith(f"{name}, volume {n + 1} of 3")  # which of them is seen
    nib.save(_image(_ramp("u1", (2, 2, 2, 1000))), tmp_path / "many.nii")
    found = scan(tmp_path / "many.nii")
    assert len(found) == 1000
    assert finish(load(found[700])).voxels[0, 0, 1] == _ramp("u1", (2, 2, 2, 1000))[1, 0, 0, 700]
    nib.save(_image(_ramp("u1", (2, 2, 2, 10_001))), tmp_path / "many.nii")
    with pytest.raises(FileRefused, match="10001 volumes"):
        scan(tmp_path / "many.nii")


def test_a_slice_behind_much_that_is_packed_has_no_preview(tmp_path, monkeypatch):
    voxels = np.random.default_rng(1).integers(0, 900, (8, 9, 1, 6)).astype("i2")
    nib.save(_image(voxels), tmp_path / "a.nii.gz")
    monkeypatch.setitem(raw_image._PEEKED, "gzip", 352 + 3 * 8 * 9 * 2)
    found = scan(tmp_path / "a.nii.gz")
    assert [preview(series) is not None for series in found] == [True] * 3 + [False] * 3


def test_the_img_of_a_pair_opens_as_its_header(tmp_path):
    nib.save(nib.Nifti1Pair(_ramp("i2"), AFFINE), tmp_path / "a.hdr")
    assert open_volume(tmp_path / "a.img").geometry == open_volume(tmp_path / "a.hdr").geometry
    assert len(scan(tmp_path)) == 1
    (tmp_path / "a.img").unlink()
    with pytest.raises(FileRefused, match=r"a\.hdr has no data file \(\.img\)"):
        open_volume(tmp_path / "a.hdr")


def test_metres_are_converted_and_nan_is_told(tmp_path):
    voxels = _ramp("f4")
    voxels[1, 2, 3] = np.nan
    affine = AFFINE.copy()
    affine[:3] /= 1000
    image = _image(voxels, affine)
    image.header.set_xyzt_units("meter")
    path = tmp_path / "a.nii"
    nib.save(image, path)
    volume = open_volume(path)
    np.testing.assert_allclose(volume.geometry.spacing, (2.0, 0.7, 0.5), rtol=1e-5)
    assert volume.voxels[3, 2, 1] == 0
    assert "not_finite" in {finding.kind for finding in volume.findings}
    nib.save(_image(np.full((3, 3, 3), np.nan, "f4")), path)
    with pytest.raises(FileRefused, match="no finite value"):
        open_volume(path)


@pytest.mark.parametrize(
    ("name", "values", "domain", "kinds"),
    [
        ("head_ct.nii", "hu", Domain.CT, set()),
        ("scan.nii", "hu", Domain.CT, {"guessed_domain"}),
        ("scan.nii", "padded hu", Domain.CT, {"guessed_domain"}),
        ("scan.nii", "phase", Domain.UNKNOWN, {"guessed_domain"}),
        ("scan.nii", "difference", Domain.UNKNOWN, {"guessed_domain"}),
        ("head_ct.nii", "positive", Domain.CT, {"not_hounsfield"}),
        ("sub-01_T2w.nii", "positive", Domain.MR_T2, set()),
        ("mr_t2_on_ct_grid.nii", "positive", Domain.MR_T2, set()),
        ("flair.nii", "positive", Domain.MR_FLAIR, set()),
        ("scan.nii", "positive", Domain.MR, {"guessed_domain"}),
        ("t1_brain.nii", "hu", Domain.MR_T1, {"guessed_domain"}),
        ("brain_mask.nii", "mask", Domain.UNKNOWN, {"guessed_domain"}),
        ("ct_seg.nii", "mask", Domain.UNKNOWN, {"guessed_domain"}),
    ],
)
def test_the_domain_is_guessed_and_said(tmp_path, name, values, domain, kinds):
    random = np.random.default_rng(3)
    made = {
        "hu": np.where(random.random((20, 20, 20)) < 0.5, -1000, random.integers(-50, 80, (20, 20, 20))),
        "padded hu": np.where(random.random((20, 20, 20)) < 0.5, -3024, random.integers(-50, 80, (20, 20, 20))),
        "phase": random.integers(-4096, 4096, (20, 20, 20)),
        "difference": random.normal(0, 600, (20, 20, 20)),
        "positive": random.integers(0, 900, (20, 20, 20)),
        "mask": random.integers(0, 2, (20, 20, 20)),
    }[values]
    nib.save(_image(made.astype("i2")), tmp_path / name)
    volume = open_volume(tmp_path / name)
    assert volume.domain is domain
    assert {finding.kind for finding in volume.findings} == kinds


REAL = [
    "visible_female_head_ct/head_ct.nii.gz", "studyforrest_t1/t1w_from_dicom.nii.gz", "porcine_ct_t2/ct.nii.gz",
    "porcine_ct_t2/mr_t2.nii.gz", "totalsegmentator_examples/example_ct.nii.gz", "totalsegmentator_examples/example_mr_sm.nii.gz",
    *(f"odd_files/nifti_orientations/{name}.nii.gz" for name in ("AIL", "LAS", "LPS", "PIR", "RAS", "SRP", "minimal")),
    "odd_files/nibabel_tests/tests/data/anatomical.nii", "odd_files/nibabel_tests/tests/data/reoriented_anat_moved.nii",
]  # fmt: skip


@pytest.mark.shared_data
@pytest.mark.parametrize("name", REAL)
def test_real_files_agree_with_nibabel(shared_data, name):
    volume = open_volume(shared_data / name)
    image = nib.load(shared_data / name)
    assert np.array_equal(volume.voxels, np.asanyarray(image.dataobj).T.astype(volume.voxels.dtype))
    expected = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine[:, [2, 1, 0, 3]]
    np.testing.assert_allclose(volume.geometry.affine, expected, atol=1e-9)
    assert volume.geometry.orientation == "".join(nib.aff2axcodes(image.affine)[::-1])


@pytest.mark.shared_data
def test_real_odd_files_are_refused_in_words(shared_data):
    folder = shared_data / "odd_files" / "nibabel_tests" / "tests" / "data"
    for name, word in (("analyze.hdr", "img"), ("nifti1.hdr", "img"), ("row_major.dconn.nii", "CIFTI")):
        with pytest.raises(FileRefused, match=word):
            open_volume(folder / name)
    assert len(NIFTI_READER.scan(folder / "functional.nii")) == 20


def test_numbers_that_overflow_are_refused(tmp_path):
    path = tmp_path / "a.nii"
    image = nib.Nifti2Image(_ramp("i2"), AFFINE)
    nib.save(image, path)
    content = bytearray(path.read_bytes())
    header = nib.Nifti2Header(bytes(content[:540]), check=False)
    header["srow_x"][0], header["qform_code"] = 1e300, 0
    content[:540] = header.binaryblock
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="sform"):
        open_volume(path)
