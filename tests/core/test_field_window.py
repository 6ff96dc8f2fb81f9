"""Wide slices: a model that norms over whole slices is shown as much of them as it learnt from."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
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
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.volume import Volume

PAIR = (Domain.CT, Domain.MR_T1)
MM = 4.0
HEAD = (56, 44)
"""Rows and columns of the field that was learnt from."""
FIELD = (HEAD[0] * MM, HEAD[1] * MM)
COUNT = 9
SLICES = slice(None)


def head(shoulders: int = 0) -> np.ndarray:
    """HU (n, rows, columns), feet first: an ellipse of 44 x 36 pixels with a skull, in the middle of `HEAD`; below it
    `shoulders` slices that are 70 pixels broad, in the middle of rows of 80."""
    rows, columns = (np.arange(n) - (n - 1) / 2 for n in (HEAD[0], 80))
    radius = np.hypot(rows[:, None] / 22, columns / 18)
    plane = np.select([radius < 0.8, radius < 0.9, radius < 1.0], [35, 900, -60], -1000)
    voxels = np.repeat(plane[None], COUNT, 0) + np.where(plane > -1000, 5, 0) * np.arange(COUNT)[:, None, None]
    broad = np.hypot(rows[:, None] / 18, columns / 35) < 1
    voxels[:shoulders, broad] = 40
    return voxels.astype(np.int16)


def padded(voxels: np.ndarray, top: int = 0, left: int = 0, size: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Air around."""
    result = np.full((len(voxels), *size), -1000, np.int16)
    result[:, top : top + voxels.shape[1], left : left + voxels.shape[2]] = voxels
    return result


def narrow(voxels: np.ndarray) -> np.ndarray:
    return voxels[:, :, 18:62]


def scan(voxels: np.ndarray, domain: Domain = Domain.CT) -> Volume:
    return Volume(np.ascontiguousarray(voxels), Geometry(voxels.shape, (5.0, MM, MM)), domain)


def normed(field_mm: tuple[float, float] | None = FIELD, context: int = 1, **changes) -> LoadedModel:
    """What instance norm gives depends on all of the slice."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = nn.Sequential(
            nn.Conv2d(context, 6, 3, padding=1), nn.InstanceNorm2d(6), nn.ReLU(), nn.Conv2d(6, 1, 3, padding=1), nn.Tanh()
        )
    card = ModelCard(
        name="Normed", method="regressor", direction=Direction(*PAIR), body_region="any",
        recipe=Recipe(**{"spacing_mm": MM, "field_mm": field_mm, **changes}),
        config={"width": 8, "context_slices": context}, created=datetime(2026, 1, 2, tzinfo=UTC), weights_sha256="ab" * 32,
    )  # fmt: skip
    return LoadedModel(network.eval().requires_grad_(False), card)


def translated(volume: Volume, model: LoadedModel, **options) -> Volume:
    result = finish(translate(volume, model, device="cpu", **options))
    assert result is not None and result.geometry is volume.geometry
    return result


def kinds(volume: Volume) -> list[tuple[str, bool]]:
    """All but what is said of every MR made of a CT."""
    return [(finding.kind, finding.serious) for finding in volume.findings if finding.kind != "ill_posed"]


@pytest.mark.parametrize(("top", "left"), [(0, 0), (30, 71), (84, 76)])
def test_air_around_a_head_changes_nothing(top, left):
    bare = narrow(head())
    alone = translated(scan(bare), normed())
    assert kinds(alone) == []
    wide = scan(padded(bare, top, left, (140, 120)))
    events = list(translate(wide, normed()))
    assert [event.serious for event in events if isinstance(event, Noted)] == [False]
    result = translated(wide, normed())
    place = (SLICES, slice(top, top + HEAD[0]), slice(left, left + HEAD[1]))
    np.testing.assert_allclose(result.voxels[place], alone.voxels, atol=1e-3)
    outside = np.ones(wide.geometry.shape, bool)
    outside[place] = False
    assert (result.voxels[outside] == 0).all()
    assert kinds(result) == [("window", False)]
    without = translated(wide, normed(None))  # as it was, and is for models that do not know
    assert np.abs(without.voxels[place] - alone.voxels).mean() > 20 and kinds(without) == []


@pytest.mark.parametrize("flips", [(True, False, False), (False, True, False), (False, False, True), (True, True, True)])
def test_the_window_lies_about_the_body_however_voxels_are_stored(flips):
    wide = scan(padded(head(3), 5, 30, (101, 151)))
    expected = translated(wide, normed()).voxels
    order = (1, 2, 0)
    stored = wide.voxels.transpose(order)[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    turned = Volume(np.ascontiguousarray(stored), wide.geometry.permuted(order, flips), Domain.CT)
    back = translated(turned, normed()).voxels[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    np.testing.assert_allclose(back.transpose(np.argsort(order)), expected, atol=1e-3)


@pytest.mark.parametrize("context", [1, 3])
@pytest.mark.parametrize("batch", [1, 4])
def test_above_shoulders_a_head_is_shown_as_it_was_learnt_and_shoulders_are_not_cut(batch, context):
    wide = scan(padded(head(2), 40, 30, (140, 140)))
    result = translated(wide, normed(context=context), batch=batch)
    clear = slice(2 + context // 2, None)  # of neighbours with shoulders
    alone = translated(scan(narrow(head())), normed(context=context))
    np.testing.assert_allclose(result.voxels[clear, 40:96, 48:92], alone.voxels[clear], atol=1e-3)
    assert (result.voxels[:2, 60:76, 36:105] > 0).all()
    assert kinds(result) == [("large_body", True), ("window", False), ("slice_flags", False)]
    assert "in 2 of 9 slices" in result.findings[0].message and "280 x 1" in result.findings[0].message


def test_a_table_does_not_matter_where_the_body_alone_is_shown():
    bare = narrow(head())
    wide = padded(bare, 30, 50, (140, 140))
    wide[:, 95:98, 20:120] = 200  # a table, inside the window and beyond
    result = translated(scan(wide), normed(only_body=True))
    alone = translated(scan(bare), normed(only_body=True))
    np.testing.assert_allclose(result.voxels[:, 30:84, 50:94], alone.voxels[:, :54], atol=1e-3)


@pytest.mark.parametrize("field", [FIELD, (FIELD[0] * 0.85, FIELD[1] * 0.85), (FIELD[0] * 1.4, FIELD[1] * 1.4)])
def test_slices_about_as_wide_as_those_learnt_from_are_shown_as_they_are(field):
    source = scan(narrow(head()))
    result = translated(source, normed(field))
    assert kinds(result) == [] and (result.voxels == translated(source, normed(None)).voxels).all()


def test_slices_much_smaller_than_those_learnt_from_are_told():
    source = scan(narrow(head()))
    for times, serious in ((2, False), (3.2, True)):
        result = translated(source, normed((FIELD[0] * times, FIELD[1])))
        assert kinds(result) == [("small_field", serious)] and "only 176 x 224 mm" in result.findings[0].message
        assert (result.voxels == translated(source, normed(None)).voxels).all()


def test_air_alone_and_a_fixed_size_are_left_as_they_are():
    air = scan(padded(narrow(head()) * 0 - 1000, 30, 71, (140, 120)))
    assert (translated(air, normed()).voxels == translated(air, normed(None)).voxels).all()
    wide = scan(padded(narrow(head()), 42, 38, (140, 120)))
    fixed = translated(wide, normed(size=(56, 44)))
    assert kinds(fixed) == [] and (fixed.voxels == translated(wide, normed(None, size=(56, 44))).voxels).all()


@pytest.mark.parametrize(("recipe", "known"), [(Recipe(spacing_mm=MM), True), (Recipe(spacing_mm=MM, size=(64, 64)), False),
                                               (Recipe(spacing_mm=None), False)])  # fmt: skip
def test_models_know_the_field_of_the_cases_that_they_learnt_from(recipe, known, tmp_path: Path):
    cases = [make_head(seed, voxel_mm=MM) for seed in (1, 2)]
    references = tuple(CaseReference(str(n), partial(lambda case: case, case)) for n, case in enumerate(cases))
    plan, source = SplitPlan(validation_share=0), CaseSource("x", "y", True, references)
    assert finish(prepare_dataset(source, PAIR, recipe, tmp_path, plan, never, made_from={"data": "x"})) is not None
    field = open_dataset(DatasetFolder(tmp_path), "", Direction(*PAIR), multiple=32).recipe.field_mm
    if not known:
        assert field is None
        return
    extents = [case[Domain.CT].geometry.extent for case in cases]
    assert field == pytest.approx([np.mean([each[1] for each in extents]), np.mean([each[2] for each in extents])], abs=4 * MM)
