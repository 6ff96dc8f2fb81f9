"""The digital head: same bits per seed, tissues that look as they should to both scanners, and a geometry that is true."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ctmri_core.case import Case
from ctmri_core.domain import Domain
from ctmri_core.phantom import Tissue, make_head
from ctmri_core.phantom.render_mr import spin_echo, spoiled_gradient_echo
from ctmri_core.phantom.tissues import PROPERTIES, table
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.volume import Volume

MR = (Domain.MR_T1, Domain.MR_T2)


@pytest.fixture(scope="module")
def head() -> Case:
    return make_head(3, voxel_mm=2.0, lesion=True)


@pytest.fixture(scope="module")
def displaced() -> Case:
    return make_head(3, voxel_mm=2.0, displaced=True)


def inner(case: Case, tissue: Tissue, rounds: int = 1) -> np.ndarray:
    """Voxels of `tissue` away from its border, on the CT's grid."""
    chosen = case.details["tissue_map"] == tissue
    return ndimage.binary_erosion(chosen, iterations=rounds) if rounds else chosen


def mean_mr(case: Case, domain: Domain, tissue: Tissue, rounds: int = 1) -> float:
    """Median MR value where the CT's tissue map says `tissue`."""
    ct = case[Domain.CT]
    mr = case[domain]
    values = resample_array(mr.voxels.astype(np.float32), mr.geometry, ct.geometry, background=np.nan)
    return float(np.nanmedian(values[inner(case, tissue, rounds)]))


def centroid_mm(volume: Volume, near_mm: np.ndarray, chosen: np.ndarray, reach_mm: float) -> np.ndarray:
    """LPS mm of the centroid of the chosen voxels within `reach_mm` of a point."""
    index = np.argwhere(chosen)
    mm = volume.geometry.index_to_mm(index)
    return mm[np.linalg.norm(mm - near_mm, axis=1) < reach_mm].mean(0)


def eye_in_t2(case: Case, name: str, guess: np.ndarray) -> np.ndarray:
    """Centre of an eyeball as the bright T2 blob around `guess`."""
    t2 = case[Domain.MR_T2]
    return centroid_mm(t2, guess, t2.voxels > 650, 13.0)


def test_same_seed_same_bits(head: Case) -> None:
    again = make_head(3, voxel_mm=2.0, lesion=True)
    for domain in head.domains:
        assert np.array_equal(again[domain].voxels, head[domain].voxels)
        assert again[domain].geometry == head[domain].geometry
    assert np.array_equal(again.details["tissue_map"], head.details["tissue_map"])
    assert again.details["lesion"] == head.details["lesion"]


def test_seeds_differ_in_shape_and_not_only_in_noise(head: Case) -> None:
    other = make_head(4, voxel_mm=2.0)
    assert other.details["parameters"] != head.details["parameters"]
    brains = [np.count_nonzero(c.details["tissue_map"] == Tissue.WHITE_MATTER) for c in (head, other)]
    assert brains[0] != brains[1]
    assert other[Domain.CT].frame_of_reference != head[Domain.CT].frame_of_reference


@pytest.mark.parametrize("seed", [0, 1, 2, 5, 8, 13, 21, 34])
def test_every_seed_gives_a_whole_head(seed: int) -> None:
    case = make_head(seed, voxel_mm=3.0)
    labels = case.details["tissue_map"]
    spacing = case[Domain.CT].geometry.spacing
    litres = {t: np.count_nonzero(labels == t) * np.prod(spacing) / 1e6 for t in Tissue}
    brain = sum(litres[t] for t in (Tissue.GREY_MATTER, Tissue.WHITE_MATTER, Tissue.DEEP_GREY, Tissue.BRAINSTEM))
    assert 0.95 < brain < 1.75
    assert 0.005 < litres[Tissue.VENTRICLE] < 0.09
    body = case.masks["body"]
    # The head lies inside the field of view with air around; only the neck leaves it, below.
    assert not any(np.take(body, [0, -1], axis).any() for axis in (1, 2))
    assert not body[-1].any()
    assert body[0].any()
    parts, _ = ndimage.label(body)
    assert np.bincount(parts[body]).max() > 0.999 * np.count_nonzero(body)


def test_ct_numbers_follow_the_map(head: Case) -> None:
    ct = head[Domain.CT].voxels
    assert ct.dtype == np.int16
    expected = {
        Tissue.WHITE_MATTER: (22, 36),
        Tissue.VENTRICLE: (0, 16),
        Tissue.FAT: (-110, -75),
        Tissue.MUSCLE: (45, 70),
        Tissue.VITREOUS: (0, 25),
        Tissue.DIPLOE: (450, 1200),
        Tissue.BRAINSTEM: (22, 40),
        Tissue.AIR: (-1000, -900),
    }
    for tissue, (low, high) in expected.items():
        assert low < np.median(ct[inner(head, tissue)]) < high, tissue
    bone = ct[head.details["tissue_map"] == Tissue.CORTICAL_BONE]
    assert np.percentile(bone, 90) > 900
    assert ct.max() > 1500
    assert ct.max() <= 3071
    assert ct.min() >= -1024


def test_outside_is_air_and_the_table_is_only_in_the_ct(head: Case) -> None:
    ct, body = head[Domain.CT].voxels, ndimage.binary_dilation(head.masks["body"], iterations=3)
    bare = make_head(3, voxel_mm=2.0, lesion=True, table=False)
    outside = ~body
    assert np.median(ct[outside]) == pytest.approx(-1000, abs=3)
    assert (ct[outside] > -500).sum() > 500
    assert not (bare[Domain.CT].voxels[outside] > -900).any()
    for domain in MR:
        assert np.array_equal(bare[domain].voxels, head[domain].voxels)
        background = head[domain].voxels[-1]
        assert 0 < background.mean() < 0.06 * np.percentile(head[domain].voxels, 99)


def test_t1_contrast(head: Case) -> None:
    tissues = (Tissue.WHITE_MATTER, Tissue.DEEP_GREY, Tissue.VENTRICLE, Tissue.FAT)
    white, grey, fluid, fat = (mean_mr(head, Domain.MR_T1, tissue) for tissue in tissues)
    bone = mean_mr(head, Domain.MR_T1, Tissue.DENSE_BONE, 0)
    cortex = mean_mr(head, Domain.MR_T1, Tissue.GREY_MATTER, 0)
    assert fat > white > grey > cortex > fluid > bone


def test_t2_contrast(head: Case) -> None:
    tissues = (Tissue.VENTRICLE, Tissue.GREY_MATTER, Tissue.WHITE_MATTER, Tissue.MUSCLE)
    fluid, grey, white, muscle = (mean_mr(head, Domain.MR_T2, tissue) for tissue in tissues)
    bone = mean_mr(head, Domain.MR_T2, Tissue.DENSE_BONE, 0)
    assert fluid > 2 * white
    assert fluid > grey > white > muscle
    assert bone < 0.8 * white


def test_geometries_differ_and_space_is_shared(head: Case) -> None:
    grids = [head[domain].geometry for domain in head.domains]
    assert len({g.shape for g in grids}) == len({g.spacing for g in grids}) == 3
    for grid in grids[1:]:
        angle = np.rad2deg(np.arccos(abs(grid.axes[0] @ grids[0].axes[0])))
        assert 0.1 < angle < 12
    assert len({head[d].frame_of_reference for d in head.domains}) == 1
    assert head[Domain.CT].frame_of_reference.startswith("2.25.")
    assert len(head[Domain.CT].frame_of_reference) <= 64
    assert not head.alignment


@pytest.mark.parametrize("name", ["left_eye", "right_eye"])
def test_eyes_lie_at_the_same_place_in_ct_map_and_mr(head: Case, name: str) -> None:
    said = np.asarray(head.details["landmarks"][name])
    in_map = centroid_mm(head[Domain.CT], said, head.details["tissue_map"] == Tissue.VITREOUS, 13.0)
    assert np.linalg.norm(in_map - said) < 2.0
    assert np.linalg.norm(eye_in_t2(head, name, said) - in_map) < 1.5
    left, right = (head.details["landmarks"][f"{side}_eye"] for side in ("left", "right"))
    assert left[0] > right[0]  # LPS: x grows to the patient's left


def test_ventricles_of_the_ct_are_brightest_in_t2_without_any_shift(head: Case) -> None:
    t2 = head[Domain.MR_T2]
    mm = head[Domain.CT].geometry.index_to_mm(np.argwhere(head.details["tissue_map"] == Tissue.VENTRICLE))
    steps = np.arange(-4, 5, 2.0)

    def brightness(shift: tuple[float, float, float]) -> float:
        at = t2.geometry.mm_to_index(mm + shift).T
        return float(ndimage.map_coordinates(t2.voxels.astype(np.float32), at, order=1).mean())

    best = max(((x, y, z) for x in steps for y in steps for z in steps), key=brightness)
    assert best == (0, 0, 0)


def test_displaced_mr_comes_back_through_the_recorded_transform(head: Case, displaced: Case) -> None:
    to_ct = displaced.alignment[Domain.MR_T2]
    assert np.allclose(to_ct[:3, :3] @ to_ct[:3, :3].T, np.eye(3))
    assert np.linalg.norm(to_ct[:3, 3]) > 1
    assert displaced[Domain.MR_T1].frame_of_reference != displaced[Domain.CT].frame_of_reference
    assert np.array_equal(displaced[Domain.CT].geometry.affine, head[Domain.CT].geometry.affine)
    for name in ("left_eye", "right_eye"):
        in_ct = np.asarray(displaced.details["landmarks"][name])
        in_mr_space = np.linalg.inv(to_ct) @ (*in_ct, 1.0)
        seen = eye_in_t2(displaced, name, in_mr_space[:3])
        assert np.linalg.norm((to_ct @ (*seen, 1.0))[:3] - in_ct) < 2.0
        assert np.linalg.norm(seen - in_ct) > 3.0


def test_a_lesion_is_where_the_record_says(head: Case, displaced: Case) -> None:
    assert displaced.details["lesion"] is None
    record = head.details["lesion"]
    chosen = head.details["tissue_map"] == Tissue.LESION
    ct = head[Domain.CT]
    centre = ct.geometry.index_to_mm(np.argwhere(chosen)).mean(0)
    assert np.linalg.norm(centre - record["centre_mm"]) < 1.0
    volume = np.count_nonzero(chosen) * np.prod(ct.geometry.spacing)
    assert volume == pytest.approx(4 / 3 * np.pi * record["radius_mm"] ** 3, rel=0.25)
    assert mean_mr(head, Domain.MR_T2, Tissue.LESION) > 1.3 * mean_mr(head, Domain.MR_T2, Tissue.WHITE_MATTER)
    assert mean_mr(head, Domain.MR_T1, Tissue.LESION) < 0.8 * mean_mr(head, Domain.MR_T1, Tissue.WHITE_MATTER)


def test_signal_equations_against_numbers_worked_out_by_hand() -> None:
    # TR = T1 ln 2 makes E1 one half; 60 degrees has cosine one half: S = PD sin 60 * 0.5 / 0.75.
    t1 = np.array([100.0 / np.log(2)])
    assert spoiled_gradient_echo(t1, np.array([0.9]), 100.0, 60.0)[0] == pytest.approx(0.9 * np.sqrt(3) / 2 * 2 / 3)
    # At the Ernst angle arccos(E1) the signal is largest.
    ernst = np.rad2deg(np.arccos(0.5))
    around = [spoiled_gradient_echo(t1, np.array([1.0]), 100.0, a)[0] for a in (ernst - 1, ernst, ernst + 1)]
    assert max(around) == around[1]
    # TR = 2 T1 ln 2 leaves a quarter unrecovered; TE = T2 ln 2 halves what there is.
    signal = spin_echo(np.array([500.0]), np.array([80.0]), np.array([0.8]), 1000 * np.log(2), 80 * np.log(2))
    assert signal[0] == pytest.approx(0.8 * 0.75 * 0.5)


def test_every_tissue_has_properties_and_a_name(head: Case) -> None:
    assert set(PROPERTIES) == set(Tissue)
    assert table("hu").shape == (len(Tissue),)
    assert set(np.unique(head.details["tissue_map"])) <= set(head.details["tissues"])


def test_a_phantom_never_passes_for_a_patient(head: Case) -> None:
    assert head.identifier == "phantom-0003"
    for domain in head.domains:
        assert head[domain].name.startswith("Phantom 3 ")
        assert "digital phantom, seed 3" in head[domain].history
        assert head[domain].phantom
        assert "phantom" in head[domain].label
        assert head[domain].synthetic is None
        assert head[domain].dicom is None


@pytest.mark.parametrize(("seed", "voxel_mm"), [(-1, 1.0), (0, 0.2), (0, 9.0)])
def test_impossible_orders_are_refused(seed: int, voxel_mm: float) -> None:
    with pytest.raises(ValueError, match="seed of 0 or more"):
        make_head(seed, voxel_mm=voxel_mm)
