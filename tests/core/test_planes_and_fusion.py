"""One model along three planes, several models for one scan: what comes is numpy's mean, median and standard deviation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError, WrongInput
from ctmri_core.events import Noted, Progress, Started, finish
from ctmri_core.geometry import Geometry
from ctmri_core.inference.order import Order
from ctmri_core.inference.translate import translate, translate_as
from ctmri_core.model_file import save_model
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.volume import Volume
from tests.core.known_models import GRIDS, OWN_PIXELS, PLAN, Line, Sloped, model, nominal, scan, share_along, unit


@pytest.fixture(autouse=True)
def reference_plan(monkeypatch, one_thread):
    monkeypatch.setattr("ctmri_core.inference.engine.choose_plan", lambda *_: PLAN)


def sloped_answers(volume: Volume) -> list[np.ndarray]:
    """By positions in mm: rows go to posterior in axial slices and to the feet in others, columns to the left or posterior."""
    posterior, left, down = (share_along(volume.geometry, way) for way in ((0, 1, 0), (1, 0, 0), (0, 0, -1)))
    return [nominal(0.3 * unit(volume) + 0.2 * r + 0.1 * c) for r, c in ((posterior, left), (down, left), (down, posterior))]


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("fusion", ["mean", "median"])
def test_a_function_of_the_value_alone_is_the_same_along_all_planes(grid, fusion):
    source = scan(grid)
    made = finish(translate_as(source, model(), Order(planes="three", fusion=fusion, doubt="planes")))
    assert made.volume.geometry is source.geometry and made.volume.voxels.dtype == np.float32
    np.testing.assert_allclose(made.volume.voxels, nominal(0.1 - 0.8 * unit(source)), atol=2e-3)
    assert made.uncertainty.values.max() < 2e-3
    assert made.volume.synthetic.details["planes"] == ["axial", "coronal", "sagittal"]
    assert f"{fusion} of axial and coronal and sagittal slices" in made.volume.history[-1]


def test_slices_far_apart_come_back_to_their_place_from_all_planes():
    grid = Geometry((14, 40, 36), (6.0, 1.5, 1.5))
    k, j, i = np.meshgrid(*map(np.arange, grid.shape), indexing="ij")
    source = Volume((40 * k + 10 * j - 8 * i).astype(np.int16), grid, Domain.CT)
    made = finish(translate_as(source, model(recipe=Recipe(spacing_mm=None)), Order(planes="three"))).volume
    inner = (slice(2, -2), slice(3, -3), slice(3, -3))
    assert np.abs(made.voxels - nominal(0.1 - 0.8 * unit(source)))[inner].max() < 2


def test_pixels_of_other_planes_are_square_where_the_recipe_has_no_spacing():
    grid = OWN_PIXELS.grid_of(Geometry((20, 200, 180), (5.0, 0.9, 1.0)), plane="coronal")
    assert (grid.rows.spacing, grid.columns.spacing) == (0.9, 0.9)
    assert grid.slice_shape == (112, 200)  # 100 mm and 180 mm, in multiples of 4


@pytest.mark.parametrize("name", ["axial", "flipped", "permuted"])
@pytest.mark.parametrize(("fusion", "numpys"), [("mean", np.mean), ("median", np.median)])
def test_answers_that_depend_on_the_plane_are_fused_as_numpy_does(name, fusion, numpys):
    source = scan(GRIDS[name])
    expected = sloped_answers(source)
    made = finish(translate_as(source, model(Sloped()), Order(planes="three", fusion=fusion, doubt="planes")))
    np.testing.assert_allclose(made.volume.voxels, numpys(expected, axis=0), atol=2e-3)
    np.testing.assert_allclose(made.uncertainty.values, np.std(expected, axis=0, ddof=1), atol=2e-3)
    assert made.uncertainty.what == "standard deviation of 3 planes" and made.uncertainty.unit == "a.u."


def test_asking_how_far_planes_differ_leaves_an_axial_picture_axial():
    source = scan()
    plain = finish(translate(source, model(Sloped())))
    made = finish(translate_as(source, model(Sloped()), Order(doubt="planes")))
    assert np.array_equal(made.volume.voxels, plain.voxels)
    np.testing.assert_allclose(made.uncertainty.values, np.std(sloped_answers(source), axis=0, ddof=1), atol=2e-3)


def test_ct_of_three_planes_is_whole_hu():
    source = scan(domain=Domain.MR_T1)
    back = Direction(Domain.MR_T1, Domain.CT)
    for fusion in ("mean", "median"):
        made = finish(translate_as(source, model(direction=back), Order(planes="three", fusion=fusion))).volume
        assert made.voxels.dtype == np.int16 and made.voxels.std() > 50
        assert np.array_equal(made.voxels, finish(translate(source, model(direction=back))).voxels)


@pytest.mark.parametrize("fusion", ["mean", "median"])
@pytest.mark.parametrize("planes", ["axial", "three"])
def test_an_ensemble_is_fused_and_tells_how_far_its_models_differ(fusion, planes):
    source = scan()
    models = [model(Line(*line), name=f"Line {line}") for line in ((-0.8, 0.1), (0.5, 0.0), (0.1, -0.3))]
    answers = [nominal(a * unit(source) + b) for a, b in ((-0.8, 0.1), (0.5, 0.0), (0.1, -0.3))]
    order = Order(beside=tuple(models[1:]), fusion=fusion, doubt="auto", planes=planes)
    made = finish(translate_as(source, models[0], order))
    np.testing.assert_allclose(made.volume.voxels, getattr(np, fusion)(answers, axis=0), atol=3e-3)
    each = answers * (3 if planes == "three" else 1)
    np.testing.assert_allclose(made.uncertainty.values, np.std(each, axis=0, ddof=1), atol=3e-3)
    what = {"axial": "3 models", "three": "9 answers, of 3 models along 3 planes"}[planes]
    assert made.uncertainty.what == f"standard deviation of {what}"
    assert [each["name"] for each in made.volume.synthetic.details["models"]] == [each.card.name for each in models]
    assert made.volume.synthetic.details["fusion"] == fusion


def test_models_of_an_ensemble_are_files_as_well(tmp_path):
    from ctmri_core.networks.initialisation import initialise_normal
    from ctmri_core.registry import build_generator

    paths, single = [], []
    for n in range(2):
        card = model(name=f"Net {n}").card
        save_model(tmp_path / f"{n}.safetensors", initialise_normal(build_generator(card)).state_dict(), card)
        paths.append(tmp_path / f"{n}.safetensors")
        single.append(finish(translate(scan(), paths[-1])).voxels)
    made = finish(translate_as(scan(), paths[0], Order(beside=(paths[1],))))
    np.testing.assert_allclose(made.volume.voxels, np.mean(single, axis=0), atol=1e-3)
    assert made.uncertainty is None


def test_all_passes_count_in_progress_and_estimate():
    source, order = scan(), Order(planes="three", doubt="mirrored", samples=4)
    events = list(translate_as(source, model(), order))
    started = next(event for event in events if isinstance(event, Started))
    slices = sum(source.geometry.shape) + 3 * 12
    assert started.total == slices
    areas = (16 * 20, 12 * 20, 12 * 16)
    seconds = sum(n * 0.01 * area / areas[0] for n, area in zip((12 * 4, 16, 20), areas, strict=True))
    assert started.details["estimated_seconds"] == pytest.approx(seconds, abs=0.06)
    steps = [event for event in events[events.index(started) :] if isinstance(event, Progress)]
    assert steps[-1].done == slices and all(a.done < b.done for a, b in pairwise(steps))
    assert steps[0].message == "pass 1 of 6" and steps[-1].message == "pass 6 of 6"


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (lambda: model(direction=Direction(Domain.CT, Domain.MR_T2), name="Other"), "Known makes T1 MR, Other T2 MR"),
        (lambda: model(direction=Direction(Domain.MR_T1, Domain.CT), name="Other"), "Other takes T1 MR volumes; this one is CT"),
        (
            lambda: model(recipe=Recipe(spacing_mm=None, mr={"kind": "min_max", "nominal_high": 4095}), name="Other"),
            "Known and Other give T1 MR on different scales",
        ),
    ],
)
def test_models_that_cannot_be_fused_are_refused_in_words(second, says):
    with pytest.raises(WrongInput, match=says):
        finish(translate_as(scan(), model(), Order(beside=(second(),))))


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({"doubt": "ensemble"}, "needs two models"),
        ({"draws": 2}, "say where the uncertainty comes from"),
        ({"draws": 2, "doubt": "planes"}, "say where the uncertainty comes from"),
        ({"draws": 9, "doubt": "latent"}, "9 draws cannot be kept of 8 samples"),
        ({"samples": 1}, "2 to 64 samples"),
        ({"samples": 65}, "2 to 64 samples"),
        ({"patch": 16}, "too small; take 32"),
        ({"patch": 64, "overlap": 40}, "at most half"),
        ({"overlap": -1}, "take 0 or more"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_orders_that_make_no_sense_are_refused_in_words(wishes, says):
    with pytest.raises(CtmriError, match=says):
        Order(**wishes)


def test_a_single_slice_is_refused_along_three_planes_before_any_work():
    line = Line()
    one = Volume(np.zeros((1, 40, 40), np.int16), Geometry((1, 40, 40), (5, 2, 2)), Domain.CT)
    with pytest.raises(WrongInput, match="Coronal slices are wanted; this scan is a single axial slice"):
        finish(translate_as(one, model(line), Order(planes="three")))
    assert line.calls == []


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (Order(doubt="mirrored", samples=20), "There are 8 answers of mirrored and shifted slices"),
        (Order(fusion="median"), "there is no median to be taken"),
        (Order(doubt="mirrored", seed=3), "The seed changes nothing"),
        (Order(doubt="planes", samples=4), "every model and plane answers once"),
        (Order(planes="three", fusion="median", doubt="mirrored", samples=3), None),
    ],
)
def test_what_is_asked_for_and_changes_nothing_is_said(order, said):
    notes = [event.message for event in translate_as(scan(), model(), order) if isinstance(event, Noted)]
    telling = [note for note in notes if any(word in note for word in ("nothing", "median", "answers of", "answers once"))]
    assert len(telling) == (said is not None) and all(said in note for note in telling)


@pytest.mark.parametrize(("order", "enough", "too_little"), [(Order(), 4, 1), (Order(planes="three", fusion="median"), 16, 13)])
def test_answers_that_will_not_fit_the_memory_are_told_before_they_are_asked_for(monkeypatch, order, enough, too_little):
    source = scan()
    voxels = int(np.prod(source.geometry.shape))

    def told(free: int) -> list[Noted]:
        monkeypatch.setattr("ctmri_core.inference.translating.usable_memory", lambda _: free)
        events = list(translate_as(source, model(Sloped()), order))
        before = events[: next(n for n, event in enumerate(events) if isinstance(event, Started))]
        return [event for event in before if isinstance(event, Noted) and "of memory" in event.message]

    assert told(enough * voxels) == []
    (note,) = told(too_little * voxels)
    assert note.serious


@pytest.mark.parametrize(
    ("shape", "spacing", "three"),
    [((40, 40, 40), (1.0, 1.0, 1.0), True), ((40, 40, 40), (3.0, 1.0, 1.0), True), ((40, 80, 80), (4.0, 0.5, 0.5), False),
     ((1, 40, 40), (1.0, 1.0, 1.0), False)],
    ids=["fine", "just fine enough", "thick slices", "a single slice"],
)  # fmt: skip
def test_a_model_of_three_planes_takes_what_cannot_be_cut_along_them(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], three: bool
):
    """Along its own slices alone. Asked for by a person, three planes of it are refused as ever, or made."""
    recipe = Recipe(spacing_mm=None, planes="three")
    geometry = Geometry(shape, spacing)
    assert len(recipe.planes_for(geometry)) == (3 if three else 1)
    source = Volume(np.random.default_rng(0).integers(0, 900, shape).astype(np.int16), geometry, Domain.CT)
    made = finish(translate(source, model(recipe=recipe)))
    assert made is not None and made.geometry.shape == shape
    assert ("sagittal" in made.history[-1]) is three


@pytest.mark.parametrize("plane", ["coronal", "sagittal"])
@pytest.mark.parametrize(("count", "apart"), [(1, 1.0), (7, 6.0)], ids=["a single slice", "some, far apart"])
def test_a_model_of_three_planes_translates_slices_as_they_were_taken(plane, count, apart):
    """By positions in the picture, whose rows go to the feet; a model of axial slices refuses a single one, in words."""
    across = {"coronal": ((0, 1, 0), (0, 0, -1), (1, 0, 0)), "sagittal": ((1, 0, 0), (0, 0, -1), (0, 1, 0))}[plane]
    grid = Geometry((count, 44, 52), (apart, 1.0, 1.0), direction=across)
    source = Volume(np.random.default_rng(1).integers(-900, 900, grid.shape).astype(np.int16), grid, Domain.CT)
    recipe = Recipe(spacing_mm=None, planes="three")
    assert recipe.planes_for(grid) == (plane,)
    made = finish(translate(source, model(Sloped(), recipe=recipe)))
    down, onwards = np.meshgrid(np.linspace(0, 1, 44), np.linspace(0, 1, 52), indexing="ij")
    np.testing.assert_allclose(made.voxels, nominal(0.3 * unit(source) + 0.2 * down + 0.1 * onwards), atol=2e-3)
    if count == 1:
        with pytest.raises(WrongInput, match=f"a single {plane} slice"):
            finish(translate(source, model(Sloped())))
