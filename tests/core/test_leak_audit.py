"""The leak audit: it finds what was planted, names it, and is silent where nothing is to be found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import mannwhitneyu

from ctmri_core.studies import leak_audit
from ctmri_core.studies.leak_audit import LeakAudit, audit, features_of

SPACING = (4.0, 1.0, 1.0)
PATIENTS = 24


def head(chance, smooth=1.0):
    """A round head in air, different for every patient."""
    j, i = np.mgrid[-1:1:36j, -1:1:36j]
    radius = chance.uniform(0.5, 0.8)
    inside = (j**2 + i**2 < radius**2)[None].repeat(4, axis=0)
    tissue = 40 + 300 * gaussian_filter(chance.normal(size=inside.shape), (0, smooth, smooth)) + chance.normal(0, 5, inside.shape)
    return np.where(inside, tissue, -1024).round().astype(np.int16)


def study(plant, seed=0):
    """Two exchangeable pictures of each patient, the second of which `plant` changes."""
    chance = np.random.default_rng(seed)
    features, synthetic, patients = [], [], []
    for patient in range(PATIENTS):
        for arm in (False, True):
            voxels = head(chance)
            features.append(features_of(plant(voxels) if arm else voxels, SPACING))
            synthetic.append(arm)
            patients.append(str(patient))
    return features, synthetic, patients


def by_one_hu(voxels):
    return np.where(voxels == -1024, -1023, voxels).astype(np.int16)


def smoothed(voxels):
    return np.where(voxels == -1024, -1024, gaussian_filter(voxels.astype(np.float32), (0, 0.6, 0.6))).astype(np.int16)


def clipped(voxels):
    return np.minimum(voxels, 150)


def smaller(voxels):
    moved = voxels.copy()
    moved[:, :9] = -1024
    return moved


@pytest.mark.parametrize(
    ("plant", "telling"),
    [(by_one_hu, {"background", "lowest"}), (smoothed, {"noise", "fine", "sharpness"}), (clipped, {"highest", "values"}),
     (smaller, {"depth", "background_share"})],
)  # fmt: skip
def test_a_planted_cue_is_found_and_named(plant, telling):
    found = audit(*study(plant))
    assert found.verdict == "blocks" and found.area > 0.75 and found.p < 0.01 and found.low <= found.area <= found.high
    assert found.features[0].key in telling and found.features[0].title in found.words
    assert found.pictures == 2 * PATIENTS and LeakAudit.model_validate_json(found.model_dump_json()) == found


def test_exchangeable_halves_are_silent():
    found = [audit(*study(lambda voxels: voxels, seed)) for seed in range(10)]
    assert sum(one.verdict != "clear" for one in found) <= 1
    assert 0.4 < np.mean([one.area for one in found]) < 0.6
    assert np.mean([one.p for one in found]) > 0.3


def test_unpaired_arms_are_audited_between_patients():
    features, synthetic, _ = study(by_one_hu)
    assert audit(features, synthetic, [str(number) for number in range(len(features))]).verdict == "blocks"


def test_the_number_of_slices_is_a_cue_as_any_other():
    features, synthetic, patients = study(lambda voxels: voxels)
    for number, (row, arm) in enumerate(zip(features, synthetic, strict=True)):
        row["slices"] = 120.0 + 15 * arm + number % 7
    found = audit(features, synthetic, patients)
    assert found.verdict == "blocks" and found.features[0].key == "slices"


def test_with_few_patients_nothing_is_said():
    features, synthetic, patients = study(by_one_hu)
    found = audit(features[:18], synthetic[:18], patients[:18])
    assert found.verdict == "too few" and found.area is None and "9 patients are too few" in found.words
    assert audit(features, [True] * len(features), patients).verdict == "too few"


def test_areas_are_those_of_mann_and_whitney():
    chance = np.random.default_rng(5)
    scores, arm = chance.integers(0, 9, 70).astype(float), chance.random(70) < 0.4
    expected = mannwhitneyu(scores[arm], scores[~arm]).statistic / (arm.sum() * (~arm).sum())
    assert leak_audit._area(scores, arm) == pytest.approx(expected, abs=1e-12)


def test_features_are_what_they_are_called():
    voxels = np.full((3, 20, 30), -1024, np.int16)
    voxels[1:, 5:15, 4:24] = np.arange(20, dtype=np.int16)  # a ramp: no bend, one step between neighbours
    found = features_of(voxels, (2.0, 0.5, 1.5))
    assert (found["height"], found["depth"], found["width"]) == (4.0, 5.0, 30.0)
    assert (found["lowest"], found["highest"], found["background"], found["slices"]) == (-1024, 19, -1024, 3)
    assert found["background_share"] == pytest.approx(1 - 400 / 1800) and found["values"] == 21
