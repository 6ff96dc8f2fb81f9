"""How far pictures lie beside each other is measured, and what cannot be measured is not made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ctmri_core.alignment import alignment_of, looks_mirrored, mirrored
from ctmri_core.case import Case
from ctmri_core.data.case_check import check_case
from ctmri_core.data.case_sources import find_cases
from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.io.opening import open_volume
from ctmri_core.phantom import make_head
from ctmri_core.volume import Volume


@pytest.fixture(scope="module")
def head() -> Case:
    return make_head(5, voxel_mm=3.0)


def moved(volume: Volume, degrees: tuple[float, float, float], millimetres: tuple[float, float, float]) -> Volume:
    move = rigid_transform(degrees, millimetres, tuple(volume.geometry.centre))
    return replace(volume, geometry=Geometry.from_affine(volume.geometry.shape, move @ volume.geometry.affine))


def slab(volume: Volume, first: int, count: int) -> Volume:
    rows, columns = volume.geometry.shape[1:]
    voxels = volume.voxels[first : first + count].copy()
    return replace(volume, voxels=voxels, geometry=volume.geometry.cropped((first, 0, 0), (count, rows, columns)))


@pytest.mark.parametrize("millimetres", [(4.0, 0.0, 0.0), (0.0, -6.0, 0.0), (0.0, 8.0, 8.0)])
def test_a_displacement_is_found_and_measured(head: Case, millimetres: tuple[float, float, float]):
    found = alignment_of(head[Domain.CT], moved(head[Domain.MR_T1], (0, 0, 0), millimetres))
    assert found.state == "not aligned" and found.displacement_mm == pytest.approx(np.linalg.norm(millimetres), abs=1.6)
    assert f"about {found.displacement_mm:.0f} mm beside each other" in found.numbers


def test_one_millimetre_is_no_displacement(head: Case):
    found = alignment_of(head[Domain.CT], moved(head[Domain.MR_T1], (0, 0, 0.5), (1, 0, 0)))
    assert found.good and found.displacement_mm == 0 and "beside" not in found.numbers


def test_a_thin_slab_that_lies_right_is_aligned_and_one_that_does_not_is_not(head: Case):
    ct = slab(head[Domain.CT], 30, 7)
    assert alignment_of(ct, head[Domain.MR_T1]).good and alignment_of(ct, slab(head[Domain.MR_T1], 30, 7)).good
    assert not alignment_of(ct, moved(head[Domain.MR_T1], (0, 0, 0), (8, 0, 0))).good


def test_one_slice_beside_a_whole_head_is_judged_where_it_lies(head: Case):
    ct = head[Domain.CT]
    for first in (ct.geometry.shape[0] // 2, ct.geometry.shape[0] // 2 + 1):  # on a cell's middle or beside it
        one = slab(head[Domain.MR_T1], first, 1)
        assert alignment_of(ct, one).good
        found = alignment_of(ct, moved(one, (0, 0, 0), (8, 0, 0)))
        assert found.state == "not aligned" and found.displacement_mm == pytest.approx(8, abs=3)
        assert alignment_of(ct, moved(one, (0, 0, 0), (0, 0, 400))).state == "no overlap"


def test_a_mirrored_picture_is_recognised(head: Case):
    ct, t1, t2 = (head[domain] for domain in (Domain.CT, Domain.MR_T1, Domain.MR_T2))
    assert not looks_mirrored(ct, t1, alignment_of(ct, t1))
    exchanged = replace(t1, voxels=t1.voxels[:, :, ::-1].copy())
    assert looks_mirrored(t2, exchanged, alignment_of(t2, exchanged))
    pair = replace(head, volumes={Domain.CT: ct, Domain.MR_T1: exchanged})
    kinds = {problem.kind for problem in check_case(pair, (Domain.CT, Domain.MR_T1), 1, paired=True).problems}
    assert kinds in ({"misaligned"}, {"mirrored"})
    corner = mirrored(t1).geometry.index_to_mm((0, 0, 0))
    expected = t1.geometry.index_to_mm((0, 0, 0))
    expected[0] = 2 * t1.geometry.centre[0] - expected[0]
    np.testing.assert_allclose(corner, expected)


@pytest.mark.shared_data
def test_pictures_whose_ct_is_a_window_and_whose_pixels_are_not_known_are_judged_all_the_same(shared_data: Path):
    cases = find_cases(shared_data / "windowed_brain_slices", (Domain.CT, Domain.MR_T1)).cases
    for reference in cases[1:4:2]:
        case = reference.load()
        ct, t1 = case[Domain.CT], case[Domain.MR_T1]
        assert alignment_of(ct, t1).good
        assert not alignment_of(ct, moved(t1, (0, 0, 0), (40, 0, 0))).good  # of a head of some 450 pixels


@pytest.mark.shared_data
def test_the_excerpt_of_the_pork_phantom_is_aligned(shared_data: Path):
    folder = shared_data / "porcine_ct_t2"
    ct = slab(replace(open_volume(folder / "ct.nii.gz"), domain=Domain.CT), 60, 16)
    t2 = slab(replace(open_volume(folder / "mr_t2_on_ct_grid.nii.gz"), domain=Domain.MR_T2), 60, 16)
    assert alignment_of(ct, t2).good
    assert not alignment_of(ct, moved(t2, (0, 0, 0), (0, 6, 0))).good
