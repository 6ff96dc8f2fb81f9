"""What several models made of one source: the same figures as of each alone, with nothing sampled twice, and of two models."""

from dataclasses import replace

import numpy as np
import pytest

from ctmri_core.comparison import Comparison, ModelComparison, sampled_pair, volume_scores_of
from ctmri_core.domain import Domain
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.resample import resample_to
from ctmri_core.volume import Synthetic

K = 30


@pytest.fixture(scope="module")
def head():
    return make_head(3, voxel_mm=4.0)


@pytest.fixture(scope="module")
def volumes(head):
    """(source, truth on a tilted grid, what three models made)."""
    source, rng = head[Domain.MR_T1], np.random.default_rng(1)
    tilted = Geometry.from_affine(source.geometry.shape, rigid_transform((2, 1, 2), (1, 1, 0)) @ source.geometry.affine)
    ct = resample_to(head[Domain.CT], source.geometry)
    made = [
        replace(ct, voxels=np.float32(ct.voxels + rng.normal(0, spread, ct.voxels.shape)), synthetic=Synthetic(name, "ab"))
        for name, spread in (("one", 20), ("two", 90), ("three", 300))
    ]
    return source, resample_to(head[Domain.CT], tilted), made


def test_comparisons_beside_each_other_have_the_figures_of_each_alone_and_sample_the_truth_once(volumes, monkeypatch):
    source, truth, made = volumes
    alone = [Comparison(source, one, truth) for one in made]
    first = Comparison(source, made[0], truth)
    together = [first, *(Comparison(source, one, truth, beside=first) for one in made[1:])]
    assert [one.verdict for one in together] == [one.verdict for one in alone] and alone[0].verdict.comparable
    sampled = []
    really = sampled_pair.sample_lattice
    monkeypatch.setattr(sampled_pair, "sample_lattice", lambda volume, *rest: sampled.append(volume) or really(volume, *rest))
    lattice = truth.geometry
    found = [one.scores(K, lattice) for one in together]
    assert sum(volume is truth for volume in sampled) == 1 and len(sampled) == 4
    assert found == [one.scores(K, lattice) for one in alone]
    assert found[0].ssim > found[1].ssim > found[2].ssim
    sampled.clear()
    assert finish(volume_scores_of(together)) == tuple(finish(one.volume_scores()) for one in alone)
    blocks = sum(volume is made[0] for volume in sampled) // 2
    assert sum(volume is truth for volume in sampled) == blocks * (1 + 3), "once for all together, and once for each alone"


def test_another_truth_or_source_is_looked_at_anew(volumes):
    source, truth, made = volumes
    first = Comparison(source, made[0], truth)
    elsewhere = replace(truth, geometry=replace(truth.geometry, origin=(500.0, 0.0, 0.0)))
    assert not Comparison(source, made[1], elsewhere, beside=first).verdict.comparable


def test_models_are_compared_with_each_other_in_the_body_of_the_source(volumes):
    source, _, made = volumes
    near, far = ModelComparison(source, made[0], made[1]), ModelComparison(source, made[0], made[2])
    assert near.verdict.comparable and near.verdict.outline_dice is None
    assert near.scores(K).psnr > far.scores(K).psnr and near.scores(K).convention.startswith("body only")
    same = ModelComparison(source, made[0], replace(made[0]))
    assert same.scores(K).ssim == pytest.approx(1) and same.scores(K).psnr == np.inf and same.scores(K).mae == 0
    other_kind = replace(made[1], domain=Domain.MR_T2)
    assert "T2 MR" in ModelComparison(source, made[0], other_kind).verdict.message
    moved = replace(made[1], geometry=replace(made[1].geometry, origin=(9.0, 0.0, 0.0)))
    assert "grid" in ModelComparison(source, made[0], moved).verdict.message
    assert ModelComparison(source, made[0], moved).scores(K) is None
    assert finish(volume_scores_of([near, ModelComparison(source, made[0], moved)]))[1] is None
    assert finish(volume_scores_of([])) == ()
