"""PNG slices against Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ctmri_core.domain import Domain
from ctmri_core.errors import AmbiguousInput, FileRefused
from ctmri_core.io.opening import open_volume, scan

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


def test_a_folder_is_a_stack_in_natural_order(tmp_path):
    for n in (1, 2, 9, 10, 11, 100):
        _save(tmp_path / f"slice{n}.png", np.full((4, 5), n, np.uint8))
    volume = open_volume(tmp_path)
    assert volume.voxels[:, 0, 0].tolist() == [1, 2, 9, 10, 11, 100]


def test_other_names_and_sizes_are_other_series(tmp_path):
    for name, shape in (("ct_axial", (4, 5)), ("ct_coronal", (4, 5)), ("a1", (4, 5)), ("a2", (4, 5)), ("a3", (6, 5))):
        _save(tmp_path / f"{name}.png", np.zeros(shape, np.uint16))
    assert sorted((len(series.files), series.shape) for series in scan(tmp_path)) == [
        (1, (1, 4, 5)), (1, (1, 4, 5)), (1, (1, 6, 5)), (2, (2, 4, 5)),
    ]  # fmt: skip
    with pytest.raises(AmbiguousInput, match=r"4 volumes.*ct_axial"):
        open_volume(tmp_path)


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
