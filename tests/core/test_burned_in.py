"""The word burned into pictures: readable in any window, nowhere else, and said wherever the picture goes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
import pytest

from ctmri_core.cli import main
from ctmri_core.domain import Domain
from ctmri_core.errors import WriteFailed
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.io.burned_in import BURNED_IN, with_mark
from ctmri_core.io.export_rules import missing_marks
from ctmri_core.io.opening import open_volume
from ctmri_core.io.saving import save
from ctmri_core.volume import Synthetic, Volume

GRID = Geometry((4, 96, 128), (3.0, 1.0, 1.0), (-64, -48, 0))
WIDE, NARROW = (11, 57), (27, 21)


def made(grid=GRID, domain=Domain.CT, body=(slice(20, 80), slice(30, 100))) -> Volume:
    voxels = np.full(grid.shape, -1000 if domain is Domain.CT else 0, np.int16)
    voxels[(slice(None), *body)] = np.random.default_rng(1).integers(20, 60, voxels[(slice(None), *body)].shape)
    return Volume(voxels, grid, domain, synthetic=Synthetic("demo", "ab" * 32))


def field_of(volume, marked):
    """(rows, columns) of what changed, and the picture there."""
    changed = np.argwhere((volume.voxels != marked.voxels).any(0))
    (top, left), (bottom, right) = changed.min(0), changed.max(0) + 1
    return (top, left), marked.voxels[0, top:bottom, left:right]


def test_only_a_corner_beside_the_body_changes_and_the_range_of_values_stays():
    volume = made()
    marked = with_mark(volume)
    (top, _), letters = field_of(volume, marked)
    assert letters.shape[0] <= WIDE[0] and letters.shape[1] <= WIDE[1] and (top < 11 or top >= 85)
    assert set(np.unique(letters)) <= {volume.voxels.min(), volume.voxels.max()}
    assert (marked.voxels.min(), marked.voxels.max()) == (volume.voxels.min(), volume.voxels.max())
    assert (marked.voxels != volume.voxels).mean() < 0.1 and (marked.voxels == marked.voxels[0]).any()
    assert (volume.voxels[:, 20:80, 30:100] == marked.voxels[:, 20:80, 30:100]).all()
    assert marked.history[-1].startswith("the word SYNTHETIC") and [one.kind for one in marked.findings] == [BURNED_IN]
    assert with_mark(marked) is marked


def test_the_corner_with_least_body_is_taken():
    for body, wanted in (
        ((slice(0, 80), slice(0, 128)), "bottom"), ((slice(16, 96), slice(0, 128)), "top"),
        ((slice(0, 96), slice(0, 68)), "right"), ((slice(0, 96), slice(60, 128)), "left"),
    ):  # fmt: skip
        volume = made(body=body)
        (top, left), _ = field_of(volume, with_mark(volume))
        assert {"bottom": top >= 80, "top": top < 16, "right": left >= 68, "left": left < 60}[wanted], (wanted, top, left)


@pytest.mark.parametrize("flip", [0, 1, 2])
def test_it_reads_well_where_slices_are_shown_as_is_usual_for_bodies(flip):
    """Rows shown to the back, columns to the left of the patient: in a file whose axes run otherwise the letters do too."""
    straight = with_mark(made())
    direction = [list(axis) for axis in GRID.direction]
    direction[flip] = [-value for value in direction[flip]]
    turned = replace(GRID, direction=tuple(map(tuple, direction)))
    volume = made(turned)
    letters = field_of(volume, with_mark(volume))[1]
    expected = field_of(made(), straight)[1]
    if flip:
        expected = np.flip(expected, flip - 1)
        np.testing.assert_array_equal(field_of(volume, with_mark(volume, as_seen=False))[1], np.flip(expected, flip - 1))
    np.testing.assert_array_equal(letters, expected)


def test_narrow_slices_take_three_lines_wide_ones_larger_letters_and_tiny_ones_none():
    narrow = made(Geometry((2, 60, 40), (1, 1, 1)), body=(slice(30, 50), slice(5, 35)))
    assert field_of(narrow, with_mark(narrow))[1].shape[1] <= NARROW[1]
    wide = made(Geometry((1, 512, 512), (1, 1, 1)), body=(slice(200, 300), slice(200, 300)))
    assert field_of(wide, with_mark(wide))[1].shape[1] > 1.8 * (WIDE[1] - 4)
    with pytest.raises(WriteFailed, match="too small"):
        with_mark(made(Geometry((2, 24, 24), (1, 1, 1)), body=(slice(5, 9), slice(5, 9))))


def test_a_scan_is_never_marked(tmp_path):
    with pytest.raises(WriteFailed, match="not made by a model"):
        finish(save(replace(made(), synthetic=None), tmp_path / "a.nii.gz", burn_in=True))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.nii.gz", "a.mha", "a.nrrd", "png", "series"])
@pytest.mark.parametrize("deidentify", [False, True])
def test_it_is_said_wherever_it_goes(tmp_path, name, deidentify):
    volume = made()
    finish(save(volume, tmp_path / name, burn_in=True, deidentify=deidentify, slices="png" if name == "png" else "dicom"))
    again = open_volume(tmp_path / name)
    assert BURNED_IN in [finding.kind for finding in again.findings] and again.synthetic is not None
    assert (again.voxels == with_mark(volume, as_seen="." in name).voxels).all()
    if name == "series":
        path = tmp_path / name / "IMG00001.dcm"
        slice_ = pydicom.dcmread(path)
        assert slice_.BurnedInAnnotation == "YES" and slice_.RecognizableVisualFeatures == "YES"
        assert missing_marks(path, deidentified=deidentify) == ()


def test_the_command_line_marks_on_request_alone(tmp_path):
    finish(save(made(), tmp_path / "in.nii.gz"))
    words = ["convert", str(tmp_path / "in.nii.gz"), "--output"]
    assert main([*words, str(tmp_path / "a.nii.gz")]) == 0 and main([*words, str(tmp_path / "b.nii.gz"), "--burn-in"]) == 0
    plain, marked = open_volume(tmp_path / "a.nii.gz"), open_volume(tmp_path / "b.nii.gz")
    assert (plain.voxels == made().voxels).all() and (marked.voxels == with_mark(made()).voxels).all()
