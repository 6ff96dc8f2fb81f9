"""Aligning: one way for window, command line and preparation; what failed is recognised; transforms are ITK's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from ctmri_core.aligning.align import Aligned, _fits_exchanged, align, judged
from ctmri_core.aligning.by_hand import Nudge
from ctmri_core.aligning.placed import placed
from ctmri_core.alignment import alignment_of, mirrored
from ctmri_core.case import Case
from ctmri_core.cli.main import main
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.io.opening import open_volume
from ctmri_core.io.provenance import read_sidecar
from ctmri_core.io.saving import save
from ctmri_core.io.transform_file import read_transform, write_transform
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.elastic_registration import elastic_from
from ctmri_core.preprocess.registration import affine_from
from ctmri_core.preprocess.spatial_transform import SpatialTransform, Spline, itk_transform
from ctmri_core.volume import Volume


@pytest.fixture(scope="module")
def head() -> Case:
    return make_head(3, voxel_mm=4.0)


@pytest.fixture(scope="module")
def displaced(head: Case) -> tuple[Volume, np.ndarray]:
    """The MR turned and moved, and the matrix that did it."""
    mr = head[Domain.MR_T1]
    matrix = rigid_transform((4.0, -6.0, 9.0), (15.0, -9.0, 20.0), tuple(mr.geometry.centre))
    return replace(mr, geometry=Geometry.from_affine(mr.geometry.shape, matrix @ mr.geometry.affine)), matrix


def spline(amount: float) -> Spline:
    grid = Geometry((5, 5, 5), (60.0, 60.0, 60.0), (-120.0, -120.0, -120.0))
    return Spline(grid, np.random.default_rng(1).normal(0, amount, (3, 5, 5, 5)))


@pytest.fixture(scope="module")
def found(head: Case, displaced: tuple[Volume, np.ndarray]) -> Aligned:
    result = finish(align(head[Domain.CT], displaced[0], "rigid", never))
    assert result is not None
    return result


def test_a_moved_truth_is_laid_back_and_says_so(head: Case, displaced: tuple[Volume, np.ndarray], found: Aligned):
    moving, matrix = displaced
    assert not found.problem and found.after.good and not found.before.good
    there = placed(moving, head[Domain.CT], found.transform, found.how)
    corners = np.c_[moving.geometry.corners, np.ones(8)] @ np.linalg.inv(matrix).T
    assert np.abs(there.geometry.corners - corners[:, :3]).max() < 3.0
    assert there.voxels is moving.voxels and there.frame_of_reference == head[Domain.CT].frame_of_reference
    assert "rigid registration" in there.history[-1] and "LPS matrix" in there.history[-1]
    assert [each.kind for each in there.findings][-1] == "registered"
    assert alignment_of(head[Domain.CT], there).good


def test_a_mirrored_truth_is_recognised(head: Case):
    """Of heads alike on both sides nobody can tell; this one has a large bright part on one side in both pictures."""
    fixed, moving = (_lopsided(head[domain]) for domain in (Domain.CT, Domain.MR_T1))
    exchanged = mirrored(moving)
    before = alignment_of(fixed, exchanged)
    result = judged("rigid", fixed, exchanged, SpatialTransform(np.eye(4)), before, 0.5, 0.9)
    assert finish(_fits_exchanged(fixed, exchanged, result, never))


def _lopsided(volume: Volume) -> Volume:
    """Without the back of one side."""
    voxels = volume.voxels.copy()
    k, j, i = voxels.shape
    voxels[: k // 2, j // 2 :, : i // 2] = volume.background
    return replace(volume, voxels=voxels)


def whole(head: Case, displaced: tuple[Volume, np.ndarray]) -> tuple[Volume, Volume, SpatialTransform]:
    """CT, the displaced MR, and the transform that is right."""
    moving, matrix = displaced
    return head[Domain.CT], moving, SpatialTransform(matrix)


def part(volume: Volume, start: float, end: float) -> Volume:
    """Some of the slices."""
    k, j, i = volume.geometry.shape
    low, high = int(start * k), int(end * k)
    grid = volume.geometry.cropped((low, 0, 0), (high - low, j, i))
    return replace(volume, voxels=volume.voxels[low:high].copy(), geometry=grid)


def test_what_is_right_is_believed_and_what_is_wrong_is_not(head: Case, displaced: tuple[Volume, np.ndarray]):
    ct, moving, right = whole(head, displaced)
    before = alignment_of(ct, moving)
    assert not judged("rigid", ct, moving, right, before, 0.8, 0.95).problem
    beside = SpatialTransform(right.matrix @ rigid_transform((0, 0, 0), (0, 25, 0)))
    assert "do not lie on each other" in judged("rigid", ct, moving, beside, before, 0.8, 0.95).problem
    far = SpatialTransform(right.matrix @ rigid_transform((0, 0, 0), (900, 0, 0)))
    assert "no part of the body in common" in judged("rigid", ct, moving, far, before, 0.8, 0.95).problem
    smaller = SpatialTransform(right.matrix @ np.diag([0.8, 0.8, 0.8, 1]))
    assert "change its size" in judged("affine", ct, moving, smaller, before, 0.8, 0.95).problem
    folded = SpatialTransform(right.matrix, spline(40.0))
    assert "would be bent" in judged("bspline", ct, moving, folded, before, 0.8, 0.95).problem


def test_cropped_pictures_are_believed_while_enough_is_seen_in_both(head: Case, displaced: tuple[Volume, np.ndarray]):
    ct, moving, right = whole(head, displaced)
    half = part(moving, 0.4, 1.0)
    assert not judged("rigid", ct, half, right, alignment_of(ct, half), 0.8, 0.95).problem
    few = part(moving, 0.5, 0.6)
    assert "too little to be sure" in judged("rigid", ct, few, right, alignment_of(ct, few), 0.8, 0.95).problem
    top, bottom = part(moving, 0.55, 1.0), part(ct, 0.0, 0.6)
    assert judged("rigid", bottom, top, right, alignment_of(bottom, top), 0.8, 0.95).problem


def test_a_registration_that_makes_it_worse_is_refused(head: Case):
    ct, mr = head[Domain.CT], head[Domain.MR_T1]
    beside = SpatialTransform(rigid_transform((0, 0, 0), (2.0, 2.0, 0)))
    problem = judged("rigid", ct, mr, beside, alignment_of(ct, mr), 0.8, 0.95).problem
    assert "lay better before" in problem or "do not lie" in problem


def test_affine_and_elastic_registration_begin_where_the_rigid_one_ended(head: Case, found: Aligned, displaced: tuple):
    ct, moving = head[Domain.CT], displaced[0]
    _, matrix = affine_from(ct, moving, found.transform.backward)
    affine = SpatialTransform(np.linalg.inv(matrix))
    assert max(abs(1 - factor) for factor in affine.stretches) < 0.08
    told = judged("affine", ct, moving, affine, found.before, 0.8, 0.95, rigid=found).problem
    assert told == "" or told.startswith("They lay better before")  # of a head without any stretch the rigid place is the best
    _, elastic = elastic_from(ct, moving, affine.matrix, never)
    assert elastic.spline is not None and not elastic.rigid
    there = placed(moving, ct, elastic, "elastic")
    assert there.geometry is ct.geometry and there.voxels.dtype == moving.voxels.dtype and "B-spline" in there.history[-1]
    bent = judged("bspline", ct, moving, elastic, found.before, 0.8, 0.95, rigid=found)
    assert bent.problem == "" or bent.problem.startswith(("They lay better before", "The body would be bent"))
    _, stopped = elastic_from(ct, moving, affine.matrix, lambda: True)
    assert stopped.spline is not None and not stopped.spline.coefficients.any()


@pytest.mark.parametrize("bent", [None, 4.0])
def test_transforms_are_those_of_itk(tmp_path: Path, bent: float | None):
    given = SpatialTransform(rigid_transform((10, 20, -30), (4, 5, 6)), None if bent is None else spline(bent))
    path = tmp_path / "t.tfm"
    write_transform(path, given)
    other, again, points = sitk.ReadTransform(str(path)), read_transform(path), np.random.default_rng(2).uniform(-90, 90, (20, 3))
    for point in points.tolist():
        expected = itk_transform(given).TransformPoint(point)
        np.testing.assert_allclose(other.TransformPoint(point), expected, atol=1e-9)
        np.testing.assert_allclose(itk_transform(again).TransformPoint(point), expected, atol=1e-9)
    assert again.rigid is (bent is None)


@pytest.mark.parametrize("kind", ["euler", "zyx", "versor", "similarity", "affine", "translation", "composite"])
def test_kinds_that_others_write_are_read(tmp_path: Path, kind: str):
    euler = sitk.Euler3DTransform((3, 4, 5), 0.1, -0.2, 0.3, (7, 8, 9))
    euler.SetComputeZYX(kind == "zyx")
    made = {
        "versor": sitk.VersorRigid3DTransform((0.1, 0.2, 0.3), 0.4, (1, 2, 3), (4, 5, 6)),
        "similarity": sitk.Similarity3DTransform(1.05, (0, 0, 1), 0.2, (1, 2, 3), (4, 5, 6)),
        "affine": sitk.AffineTransform((1.1, 0, 0, 0.1, 0.9, 0, 0, 0, 1), (1, 2, 3), (4, 5, 6)),
        "translation": sitk.TranslationTransform(3, (1, 2, 3)),
        "composite": sitk.CompositeTransform([euler, sitk.TranslationTransform(3, (1, 2, 3))]),
    }.get(kind, euler)
    path = tmp_path / "t.tfm"
    sitk.WriteTransform(made, str(path))
    matrix = read_transform(path).matrix
    for point in ((0.0, 0.0, 0.0), (10.0, -20.0, 30.0)):
        np.testing.assert_allclose(matrix @ (*point, 1.0), (*made.TransformPoint(point), 1.0), atol=1e-9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not begin"),
        ("#Insight Transform File V1.0\nTransform: WarpTransform_double_3_3\n", "not known"),
        ("#Insight Transform File V1.0\nTransform: TranslationTransform_double_3_3\nParameters: 1 2\n", "do not go together"),
        ("#Insight Transform File V1.0\nTransform: TranslationTransform_double_3_3\nParameters: 1 nan 2\n", "not finite"),
        ("#Insight Transform File V1.0\nTransform: TranslationTransform_double_3_3\nParameters: 1 x 2\n", "no numbers"),
        (
            "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: -1 0 0 0 1 0 0 0 1 0 0 0\n",
            "exchanges left and right",
        ),
    ],
)
def test_other_files_are_refused_in_words(tmp_path: Path, text: str, said: str):
    path = tmp_path / "t.tfm"
    path.write_text(text)
    with pytest.raises(FileRefused, match=said):
        read_transform(path)


def test_what_is_bent_is_resampled_as_itk_does(head: Case):
    mr, ct = head[Domain.MR_T1], head[Domain.CT]
    transform = SpatialTransform(rigid_transform((2, 3, -4), (3, 2, 1)), spline(3.0))
    there = placed(mr, ct, transform, "test")
    image = sitk.GetImageFromArray(mr.voxels.astype(np.float64))
    spacing, origin, direction = mr.geometry.to_itk()
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    spacing, origin, direction = ct.geometry.to_itk()
    size, itk = ct.geometry.shape[::-1], itk_transform(transform)
    out = sitk.Resample(image, size, itk, sitk.sitkLinear, origin, spacing, direction, 0.0)
    np.testing.assert_allclose(there.voxels, sitk.GetArrayFromImage(out), atol=0.51)
    field, jacobian = transform.field(ct.geometry)
    assert np.abs(field).max() < 12 and jacobian.min() > 0.3


def test_a_nudge_moves_and_turns_about_the_middle(head: Case):
    mr, ct = head[Domain.MR_T1], head[Domain.CT]
    base = SpatialTransform(np.eye(4))
    nudge = Nudge((3.0, 0.0, -2.0), (0.0, 0.0, 10.0))
    there = placed(mr, ct, nudge.on(base, mr.geometry.centre), f"laid {nudge}")
    np.testing.assert_allclose(there.geometry.centre, mr.geometry.centre + np.array([3.0, 0.0, -2.0]), atol=1e-6)
    assert "3.0 mm towards left, 2.0 mm towards feet, turned 10.0 degrees about feet-head" in there.history[-1]


def test_the_command_line_aligns_keeps_the_transform_and_applies_it(head: Case, displaced: tuple, tmp_path: Path):
    moving, _ = displaced
    fixed_path, moving_path = tmp_path / "ct.nii.gz", tmp_path / "mr_t1.nii.gz"
    finish(save(head[Domain.CT], fixed_path))
    finish(save(moving, moving_path))
    out, kept, transform = (tmp_path / name for name in ("out.nii.gz", "kept.nii.gz", "t.tfm"))
    common = ["align", str(moving_path), "--to", str(fixed_path)]
    assert main([*common, "--output", str(out), "--save-transform", str(transform)]) == 0
    assert main([*common, "--output", str(kept), "--apply", str(transform), "--keep-voxels"]) == 0
    first, second = (nibabel.load(path) for path in (out, kept))
    expected = placed(moving, head[Domain.CT], read_transform(transform), "test", on_grid=True)
    # text rounds the transform in its last digit, which may turn a value that lies half way between two
    np.testing.assert_allclose(np.asanyarray(first.dataobj), expected.voxels.transpose(2, 1, 0), atol=1)
    np.testing.assert_array_equal(np.asanyarray(second.dataobj), moving.voxels.transpose(2, 1, 0))
    assert alignment_of(head[Domain.CT], open_volume(kept)).good
    record = read_sidecar(out)
    assert record is not None and any("rigid registration" in step for step in record.history)
    assert any(each.kind == "registered" for each in open_volume(out).findings)


def test_the_command_line_writes_nothing_that_failed(head: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for volume, name in ((head[Domain.CT], "ct.nii.gz"), (part(head[Domain.MR_T1], 0.5, 0.56), "mr_t1.nii.gz")):
        finish(save(volume, tmp_path / name))
    fixed, moving, out = (str(tmp_path / name) for name in ("ct.nii.gz", "mr_t1.nii.gz", "out.nii.gz"))
    assert main(["align", moving, "--to", fixed, "--output", out, "--save-transform", str(tmp_path / "t.tfm")]) == 1
    said = capsys.readouterr().err
    assert "nothing was written" in said and "too few slices" in said
    assert not (tmp_path / "out.nii.gz").exists() and not (tmp_path / "t.tfm").exists()
