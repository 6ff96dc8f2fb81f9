"""How far a source comes back: nothing for exact inverses, a known difference for others, through whatever grid."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import WrongInput
from ctmri_core.events import Noted, Progress, Started, finish
from ctmri_core.geometry import Geometry
from ctmri_core.inference.order import Order
from ctmri_core.inference.translate import translate_as
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.volume import Finding, Volume
from tests.core.known_models import GRIDS, PLAN, Line, model, scan

THERE, BACK = Direction(Domain.CT, Domain.MR_T1), Direction(Domain.MR_T1, Domain.CT)


@pytest.fixture(autouse=True)
def reference_plan(monkeypatch, one_thread):
    for module in ("engine", "cycle"):
        monkeypatch.setattr(f"ctmri_core.inference.{module}.choose_plan", lambda *_: PLAN)


def pair(there: Direction, slope: float = -1.0, offset: float = 0.0, recipe: Recipe | None = None):
    """-x, and slope x + offset for the way back."""
    recipe = recipe or Recipe(spacing_mm=None)
    return model(Line(-1.0, 0.0), there, recipe), model(Line(slope, offset), there.reverse, recipe, name="Back")


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("direction", [THERE, BACK], ids=["CT", "MR"])
def test_exact_inverses_bring_everything_back(grid, direction):
    there, back = pair(direction)
    made = finish(translate_as(scan(grid, direction.source), there, Order(back=back)))
    unit = 3024 if direction is THERE else 1000
    rounding = 0.01 if direction is THERE else 0.5 / 3024 * 1000 + 0.01  # whole HU in between
    assert made.cycle.values.max() < rounding < 0.001 * unit
    assert made.cycle.unit == ("HU" if direction is THERE else "a.u.")
    assert made.volume.synthetic.details["cycle"]["mean"] == made.cycle.summary["mean"]


def test_what_does_not_come_back_is_told_in_the_sources_unit():
    source = scan()
    there, back = pair(THERE, offset=0.1)
    made = finish(translate_as(source, there, Order(back=back)))
    expected = np.minimum(0.1 * 1512, 2000 - source.voxels)
    np.testing.assert_allclose(made.cycle.values, expected, atol=0.05)
    assert made.cycle.what == "difference to what Back translates back"
    assert np.array_equal(made.volume.voxels, finish(translate_as(source, there, Order())).volume.voxels)


@pytest.mark.parametrize("spacing", [1.0, 2.5])
def test_the_way_through_another_grid_is_no_error_of_the_models(spacing):
    grid = Geometry((6, 40, 44), (5, 1.7, 1.7))
    k, j, i = np.meshgrid(*map(np.arange, grid.shape), indexing="ij")
    source = Volume((60 * k + 12 * j - 9 * i).astype(np.int16), grid, Domain.CT)
    there, back = pair(THERE, recipe=Recipe(spacing_mm=spacing))
    made = finish(translate_as(source, there, Order(back=back)))
    assert made.cycle.values[:, 4:-4, 4:-4].max() < 1.0


def test_an_mr_is_held_against_what_the_first_model_was_shown():
    """Values beyond the percentiles are clipped for the network; that is no error of the cycle."""
    source = scan(domain=Domain.MR_T1)
    voxels = source.voxels.copy()
    voxels[5, 8, 10] = 30000
    there, back = pair(BACK)
    made = finish(translate_as(replace(source, voxels=voxels), there, Order(back=back)))
    assert made.cycle.values.max() < 0.2


def test_the_way_back_is_part_of_the_estimate_and_of_progress_and_says_no_doubts():
    source = scan()
    there, back = pair(THERE)
    events = list(translate_as(source, there, Order(back=back)))
    (started,) = (event for event in events if isinstance(event, Started))
    assert started.total == 24 and started.details["passes"] == 2
    assert started.details["estimated_seconds"] == pytest.approx(0.24, abs=0.06)
    steps = [event for event in events[events.index(started) :] if isinstance(event, Progress)]
    assert all(a.done <= b.done for a, b in pairwise(steps)) and steps[-1].done == 24
    assert steps[-1].message == "translating back"
    assert not any(isinstance(event, Noted) and "synthetic" in event.message for event in events)


@pytest.mark.parametrize(
    ("back", "says"),
    [
        (lambda: model(direction=THERE, name="Back"), "Back translates CT → T1 MR; .* take a model for T1 MR → CT"),
        (lambda: model(direction=Direction(Domain.MR_T2, Domain.CT), name="Back"), "take a model for T1 MR → CT"),
        (
            lambda: model(direction=BACK, recipe=Recipe(mr={"kind": "z_score", "nominal_high": 255}), name="Back"),
            "use different scales",
        ),
    ],
)
def test_models_that_lead_elsewhere_are_refused_before_any_work(back, says):
    line = Line()
    with pytest.raises(WrongInput, match=says):
        finish(translate_as(scan(), model(line), Order(back=back())))
    assert line.calls == []


@pytest.mark.parametrize("keep", [True, False])
def test_a_stop_on_the_way_back_keeps_the_whole_picture_if_wanted(keep):
    source = scan()
    there, back = pair(THERE)
    order = Order(back=back, keep_unfinished=keep)
    made = finish(translate_as(source, there, order, stop=lambda: len(back.generator.calls) > 1))
    if not keep:
        assert made is None
        return
    assert made.cycle is None and not made.finished
    assert np.array_equal(made.volume.voxels, finish(translate_as(source, there, Order())).volume.voxels)
    assert made.volume.findings[-1] == Finding(
        "unfinished", "Translating was stopped after the picture was whole, before all that was to be told of it was known."
    )
