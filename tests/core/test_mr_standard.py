"""MR on a standard scale and with a contrast of its own: against the published steps by hand, another library, and properties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from skimage.exposure import adjust_gamma, match_histograms

from ctmri_core.cli.main import main
from ctmri_core.data.dataset import DatasetFolder
from ctmri_core.data.recipe_flags import RecipeChoices
from ctmri_core.domain import Domain
from ctmri_core.errors import WrongInput
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.mr_standard import Contrast, GammaScale, HistogramMatch, MrWindow, NyulScale, unmeasured
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.volume import Volume

SHAPE = (12, 24, 20)
EVERYWHERE = np.ones(SHAPE, np.bool_)


def scan(seed: int, gain: float = 1.0, power: float = 1.0) -> Volume:
    """Tissue of three brightnesses, in the units of one scanner."""
    rng = np.random.default_rng(seed)
    tissue = rng.choice([0.2, 0.5, 0.8], SHAPE, p=[0.3, 0.5, 0.2]) + rng.normal(0, 0.05, SHAPE)
    values = (gain * np.clip(tissue, 0.01, None) ** power).astype(np.float32)
    return Volume(values, Geometry(SHAPE, (2.0, 1.0, 1.0)), Domain.MR_T1)


def learnt(step: NyulScale | HistogramMatch, *volumes: Volume) -> NyulScale | HistogramMatch:
    return step.learnt([step.landmarks(volume, EVERYWHERE) for volume in volumes])


def test_landmarks_are_learnt_and_used_as_published():
    """By hand: percentiles of each scan stretched onto one range, averaged; a scan's own go onto those, linear between."""
    scans = [scan(seed, gain) for seed, gain in enumerate((100.0, 700.0, 35.0))]
    step = learnt(NyulScale(low=1, high=99), *scans)
    places = [1, *range(10, 100, 10), 99]
    stretched = []
    for volume in scans:
        own = np.percentile(volume.voxels, places)
        stretched.append((own - own[0]) / (own[-1] - own[0]))
    standard = np.mean(stretched, 0)
    np.testing.assert_allclose(step.standard, standard, atol=1e-5)
    new = scan(9, 5000.0)
    own, unit = np.percentile(new.voxels, places), step.scale_of(new, EVERYWHERE).to_unit(new.voxels)
    np.testing.assert_allclose((unit + 1) / 2, np.interp(new.voxels, own, standard), atol=1e-4)


def test_scanners_agree_afterwards():
    """The same head from scanners with other gains and contrasts."""
    step = learnt(NyulScale(), scan(1), scan(2))
    one, other = scan(5, 1.0), scan(5, 900.0, 1.4)
    units = [step.scale_of(volume, EVERYWHERE).to_unit(volume.voxels) for volume in (one, other)]
    assert np.abs(units[0] - units[1]).max() < 0.12
    assert np.abs(units[0] - units[1]).mean() < 0.02


def test_a_histogram_is_matched_as_another_library_does():
    reference, new = scan(1, 100.0), scan(2, 3000.0, 1.5)
    step = learnt(HistogramMatch(low=0, high=100), reference)
    unit = step.scale_of(new, EVERYWHERE).to_unit(new.voxels)
    low, high = float(reference.voxels.min()), float(reference.voxels.max())
    expected = match_histograms(new.voxels, reference.voxels)
    assert np.abs((unit + 1) / 2 * (high - low) + low - expected).mean() < 0.005 * (high - low)


@pytest.mark.parametrize("step", [NyulScale(), HistogramMatch(), Contrast(gamma=0.5), MrWindow(low=100, high=900, gamma=2.0)])
def test_every_scale_is_monotone_in_range_and_can_be_undone(step: NyulScale):
    new = scan(4, 1000.0)
    step = learnt(step, scan(1), scan(2)) if isinstance(step, NyulScale | HistogramMatch) else step
    scale = step.scale_of(new, EVERYWHERE)
    values = np.linspace(-500, 3000, 5001).astype(np.float32)
    unit = scale.to_unit(values)
    assert unit.min() == -1 and unit.max() == pytest.approx(1, abs=1e-6)
    assert (np.diff(unit) >= 0).all()
    inside = (values > scale.low) & (values < scale.high)
    np.testing.assert_allclose(scale.from_unit(unit)[inside], values[inside], atol=0.5)
    assert (np.diff(unit[inside]) > 0).all()
    assert scale.to_unit(np.array([np.nan], np.float32))[0] == -1
    assert Recipe.model_validate_json(Recipe(mr=step).model_dump_json()).mr == step


def test_gamma_is_that_of_another_library():
    values = np.linspace(0, 1, 50).astype(np.float32)
    np.testing.assert_allclose((GammaScale(0, 1, 0.6).to_unit(values) + 1) / 2, adjust_gamma(values, 0.6), atol=1e-6)
    nominal = Contrast(gamma=0.6).nominal
    np.testing.assert_allclose(nominal.to_unit(nominal.from_unit(2 * values - 1)), 2 * values - 1, atol=1e-5)
    again = unmeasured(Contrast(gamma=0.6)).scale_of(scan(1))
    np.testing.assert_allclose(again.to_unit(nominal.from_unit(2 * values - 1)), 2 * values - 1, atol=1e-5)


@pytest.mark.parametrize("kind", [NyulScale, HistogramMatch])
def test_scans_of_few_values_are_no_trouble(kind: type[NyulScale]):
    step = learnt(kind(), scan(1))
    flat = Volume(np.full(SHAPE, 7, np.float32), Geometry(SHAPE, (1.0, 1.0, 1.0)), Domain.MR_T1)
    assert np.isfinite(step.scale_of(flat, EVERYWHERE).to_unit(flat.voxels)).all()
    two = Volume((np.indices(SHAPE)[2] % 2).astype(np.float32), flat.geometry, Domain.MR_T1)
    unit = step.scale_of(two, EVERYWHERE).to_unit(two.voxels)
    assert unit[two.voxels == 0].max() < unit[two.voxels == 1].min()
    with pytest.raises(WrongInput, match="different values"):
        learnt(kind(), flat)
    with pytest.raises(WrongInput, match="not learnt"):
        kind().scale_of(two, EVERYWHERE)


@pytest.mark.parametrize("wrong", [(0.0, 1.0), (0.0, *[0.5] * 9, 1.0), (0.1, *np.linspace(0.2, 0.9, 9), 1.0)])
def test_landmarks_that_do_not_rise_are_refused(wrong: tuple[float, ...]):
    with pytest.raises(ValidationError):
        NyulScale(standard=wrong)


def test_flags_lead_to_steps_of_the_recipe():
    assert RecipeChoices(mr_scaling="contrast", mr_gamma=0.7, mr_high_percentile=99).recipe().mr == Contrast(high=99, gamma=0.7)
    assert RecipeChoices(mr_scaling="window", mr_window_high=600).recipe().mr == MrWindow(high=600)
    with pytest.raises(ValidationError, match="mr-window-high"):
        RecipeChoices(mr_window_low=10, mr_window_high=5)


def test_preparation_learns_from_the_training_cases_and_keeps_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = ["prepare", "phantom:4", "--out", str(tmp_path / "data"), "--spacing-mm", "4", "--mr-scaling", "nyul"]
    assert main(words) == 0
    first = DatasetFolder(tmp_path / "data").read()
    assert isinstance(first.recipe.mr, NyulScale) and len(first.recipe.mr.standard) == 11
    capsys.readouterr()
    assert main(words) == 0  # goes on with what is there, and learns nothing anew
    assert "learning the scale" not in capsys.readouterr().err
    assert DatasetFolder(tmp_path / "data").read().recipe == first.recipe
    assert main([*words[:4], "--domains", "mr_t1,mr_t2", *words[4:]]) == 1
    assert "one kind of MR" in capsys.readouterr().err
