"""What a network is shown in training and in use: the same values, and neighbours as far apart."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ctmri_core.data.case_sources import CaseSource
from ctmri_core.data.dataset import DatasetFolder
from ctmri_core.data.layouts.layout import CaseReference
from ctmri_core.data.preparation import open_dataset, prepare_dataset
from ctmri_core.data.split import SplitPlan
from ctmri_core.domain import Direction, Domain
from ctmri_core.events import Noted, finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.inference.translate import translate
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import LoadedModel
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.bias_field import BiasField
from ctmri_core.preprocess.intensity import HuCurve, HuRange, MinMaxRange, ZScore
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.preprocess.slice_context import neighbours, stride_for
from ctmri_core.volume import Volume

PAIR = (Domain.CT, Domain.MR_T1)
HALF_PRECISION = 2.0**-12
"""float16's largest error between 0.5 and 1."""


@pytest.fixture(scope="module")
def head():
    return make_head(2, voxel_mm=4.0)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(spacing_mm=3.0, ct=HuRange(low=-200, high=300), mr=ZScore(), multiple=32),
        Recipe(spacing_mm=4.0, ct=HuCurve(), mr=MinMaxRange(), only_body=True),
        Recipe(spacing_mm=4.0, size=(40, 64), bias_field=BiasField(cell_mm=12, iterations=5, levels=1)),
    ],
)
@pytest.mark.parametrize("way", ["ct_to_mr_t1", "mr_t1_to_ct"])
def test_a_scan_is_shown_in_use_as_it_was_in_training(head, recipe, way, tmp_path: Path):
    """Every step of the recipe, either kind as the source, with neighbours: equal but for the rounding of the cache."""
    direction = Direction.parse(way)
    pair = (direction.source, direction.target)  # the first is laid on no other grid
    cases = CaseSource("x", "y", True, (CaseReference("a", partial(lambda case: case, head)),))
    plan = SplitPlan(validation_share=0)
    assert finish(prepare_dataset(cases, pair, recipe, tmp_path, plan, never, made_from={"data": "x"})) is not None
    if direction.target is Domain.CT and isinstance(recipe.ct, HuCurve):
        return  # refused: no target is on a curve
    data = open_dataset(DatasetFolder(tmp_path), "", direction, context=3)
    used = data.recipe.forward(head[direction.source]).slices
    found = 0
    for place in data.train._complete[::5]:
        seen = data.train.planes(place, pair).astype(np.float32)
        errors = np.abs(used - seen[0]).max((1, 2))
        k = int(errors.argmin())
        assert errors[k] <= HALF_PRECISION
        expected = used[neighbours(k, k + 1, 3, len(used))[0]]
        assert np.abs(seen[3:] - expected).max() <= HALF_PRECISION
        found += 1
    assert found > 3


@given(wanted=st.floats(0.5, 10), own=st.floats(0.2, 10))
def test_neighbours_are_as_far_apart_as_can_be_had(wanted: float, own: float):
    stride = stride_for(wanted, own)
    assert stride >= 1 and all(abs(stride * own - wanted) <= abs(n * own - wanted) + 1e-9 for n in range(1, 60))
    assert stride_for(None, own) == stride_for(wanted, None) == 1


class Sloped(nn.Module):
    """Minus four times the lowest of five slices, three times the middle one, twice the highest."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(5, 1, 1, bias=False)
        self.layer.weight.data[:] = torch.tensor([-4.0, 0, 3, 0, 2])[None, :, None, None]

    def forward(self, x):
        return self.layer(x)


def sloped(recipe: Recipe) -> LoadedModel:
    card = ModelCard(
        name="Sloped", method="regressor", direction=Direction(*PAIR), body_region="any", recipe=recipe,
        config={"width": 8, "context_slices": 5}, created=datetime(2026, 1, 2, tzinfo=UTC), weights_sha256="ab" * 32,
    )  # fmt: skip
    return LoadedModel(Sloped().eval(), card)


def box(geometry: Geometry, edge: int) -> Volume:
    """A square of tissue of `edge` pixels in air, another in every slice."""
    voxels = np.full(geometry.shape, -1000, np.int16)
    first = [(n - edge) // 2 for n in geometry.shape[1:]]
    for k in range(len(voxels)):
        voxels[k, first[0] : first[0] + edge, first[1] : first[1] + edge] = 20 + 10 * k
    return Volume(voxels, geometry, Domain.CT)


@pytest.mark.parametrize(("wanted", "stride"), [(4.0, 2), (2.0, 1), (None, 1), (1.5, 1)])
@pytest.mark.parametrize("batch", [1, 4])
def test_finer_slices_are_skipped_in_use(wanted, stride, batch):
    source = box(Geometry((11, 24, 24), (2, 2, 2)), 20)
    result = finish(translate(source, sloped(Recipe(spacing_mm=None, multiple=1, slice_mm=wanted)), batch=batch))
    unit = (source.voxels + 1024.0) / 3024 * 2 - 1
    at = [np.clip(np.arange(11) + step, 0, 10) for step in (-2 * stride, 0, 2 * stride)]
    expected = (-4 * unit[at[0]] + 3 * unit[at[1]] + 2 * unit[at[2]] + 1) * 500
    np.testing.assert_allclose(result.voxels, expected, atol=0.05)
    assert not [finding for finding in result.findings if finding.kind == "slice_distance"]


@pytest.mark.parametrize(
    ("shape", "between", "said", "serious"),
    [
        ((5, 24, 24), 5.0, "slices 3 mm apart .* those of this scan are 5 mm", False),
        ((5, 24, 24), 10.0, "slices 3 mm apart .* those of this scan are 10 mm", True),
        ((1, 24, 24), 3.0, "has one, .* 5 times", True),
    ],
)
def test_slices_too_far_apart_and_single_ones_are_told(shape, between, said, serious):
    source, model = box(Geometry(shape, (between, 2, 2)), 20), sloped(Recipe(spacing_mm=None, multiple=1, slice_mm=3.0))
    events = list(translate(source, model))
    assert [event.serious for event in events if isinstance(event, Noted)] == [serious]
    [finding] = [finding for finding in finish(translate(source, model)).findings if finding.kind == "slice_distance"]
    assert finding.serious == serious and re.search(said, finding.message)


@pytest.mark.parametrize(("edge", "cut"), [(20, False), (44, True)])
def test_a_body_larger_than_the_model_sees_is_told_and_air_is_not(edge, cut):
    source = box(Geometry((4, 60, 60), (3, 2, 2)), edge)
    result = finish(translate(source, sloped(Recipe(spacing_mm=2.0, size=(32, 64), slice_mm=3.0))))
    assert ("cropped" in [finding.kind for finding in result.findings]) is cut
