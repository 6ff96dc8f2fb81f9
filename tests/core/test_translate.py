"""Translation: the source's own grid, the card's own scale, the same whatever the batch, and ended at any moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import psutil
import pytest
import torch
from torch import nn

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError, ModelRefused, WrongInput
from ctmri_core.events import Noted, Progress, Started, finish, from_json, never, to_json
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.inference.body_region import doubt_about_region
from ctmri_core.inference.precision import Plan
from ctmri_core.inference.translate import check_input, translate
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import LoadedModel, save_model
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import build_generator
from ctmri_core.volume import DicomSource, Finding, Synthetic, Volume

OBLIQUE = Geometry(
    (23, 5, 19),
    (1.3, 8.0, 1.9),
    (-3.0, 12.0, 40.0),
    tuple(map(tuple, np.array([[0, 0, -1], [0, -1, 0], [1, 0, 0]]) @ rigid_transform((8, -12, 5), (0, 0, 0))[:3, :3].T)),
)  # coronal, stored head first, rotated, non-square, odd


class Negative(nn.Module):
    """Stands for a trained generator: what it does is known."""

    multiple = 4

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 1, bias=False)
        self.calls: list[int] = []
        nn.init.constant_(self.layer.weight, -1.0)

    def forward(self, x):
        self.calls.append(len(x))
        return self.layer(x)


CT_TO_T1 = Direction(Domain.CT, Domain.MR_T1)


def model(direction=CT_TO_T1, **changes) -> LoadedModel:
    card = ModelCard(
        name="Negative", method="pix2pix", direction=direction, body_region="head",
        created=datetime(2026, 1, 2, tzinfo=UTC), weights_sha256="ab" * 32, **changes,
    )  # fmt: skip
    return LoadedModel(Negative().eval(), card)


def head(geometry=OBLIQUE, domain=Domain.CT, **changes) -> Volume:
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1)
    x, y, z = np.moveaxis(geometry.index_to_mm(index) - geometry.centre, -1, 0)
    values = 15 * x - 10 * y + 20 * z + 300
    return Volume(np.rint(values).astype(np.int16), geometry, domain, name="CT head.nii", **changes)


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small are slowed by a second thread, badly so on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def reference_plan(monkeypatch, request):
    """All tests but those that ask for `real_timing` run in float32, so that exact values can be compared."""
    plan = Plan("cpu", torch.float32, False, 2, 0.01)
    if "real_timing" not in request.fixturenames:
        monkeypatch.setattr("ctmri_core.inference.engine.choose_plan", lambda *_: plan)


@pytest.fixture
def real_timing():
    """Asks for the plan to be chosen by timing."""


def test_what_is_made_from_a_phantom_is_no_patient_either():
    made = finish(translate(head(phantom=True), model()))
    assert (made.phantom, made.label) == (True, "Synthetic T1 MR phantom")
    assert not finish(translate(head(), model())).phantom


def test_the_result_lies_on_the_sources_own_grid_with_the_cards_scale():
    dicom = DicomSource("1.2", "1.3", "1.4", "1.5", (), {})
    source = head(frame_of_reference="1.5", dicom=dicom, findings=(Finding("gap", "one slice is missing"),), history=("read",))
    result = finish(translate(source, model(recipe=Recipe(spacing_mm=None))))
    assert result.geometry is source.geometry
    assert result.domain is Domain.MR_T1
    assert result.voxels.dtype == np.float32
    expected = 1000 - (np.clip(source.voxels, -1024, 2000) + 1024.0) / 3024 * 1000
    np.testing.assert_allclose(result.voxels, expected, atol=0.01)
    assert (result.dicom, result.frame_of_reference, result.findings[:1]) == (dicom, "1.5", source.findings)
    assert result.name == "Synthetic T1 MR of CT head.nii"
    assert result.label == "Synthetic T1 MR"
    assert (result.synthetic.model_name, result.synthetic.model_hash) == ("Negative", "ab" * 32)
    assert result.synthetic.details["recipe"]["spacing_mm"] is None
    assert result.synthetic.details["source_history"] == ["read"]
    assert result.history == ("read", "translated CT → T1 MR by Negative (abababababab)")


@pytest.mark.parametrize("spacing", [0.7, 1.0, 1.7])
def test_resampled_slices_come_back_to_the_same_place(spacing):
    source = head()
    result = finish(translate(source, model(recipe=Recipe(spacing_mm=spacing))))
    expected = 1000 - (source.voxels + 1024.0) / 3024 * 1000
    inner = (slice(2, -2), slice(None), slice(2, -2))
    assert np.abs(result.voxels - expected)[inner].max() < 8


def test_a_scan_of_few_coarse_pixels_is_padded_to_what_networks_take():
    card = model(config={"generator": "resnet_6", "width": 4, "norm": "instance"}, recipe=Recipe(spacing_mm=15)).card
    torch.manual_seed(0)
    source = head(Geometry((2, 20, 24), (2, 2, 2)))
    result = finish(translate(source, LoadedModel(initialise_normal(build_generator(card)).eval(), card)))
    assert result.geometry is source.geometry and np.isfinite(result.voxels).all()


def test_ct_comes_back_as_whole_hu():
    source = head(domain=Domain.MR_T1)
    result = finish(translate(source, model(Direction(Domain.MR_T1, Domain.CT))))
    assert result.voxels.dtype == np.int16
    assert result.voxels.min() >= -1024
    assert result.voxels.max() <= 2000
    assert result.voxels.std() > 100


def test_a_network_that_leaves_its_range_gives_no_values_beyond_the_cards_scale():
    loaded = model(Direction(Domain.MR_T1, Domain.CT))
    nn.init.constant_(loaded.generator.layer.weight, -30.0)
    voxels = finish(translate(head(domain=Domain.MR_T1), loaded)).voxels
    assert (voxels.min(), voxels.max()) == (-1024, 2000)


def test_outside_the_networks_field_is_background():
    geometry = Geometry((3, 24, 24), (2, 2, 2))
    result = finish(translate(head(geometry), model(recipe=Recipe(spacing_mm=None, size=(16, 16)))))
    assert (result.voxels[:, :3] == 0).all()
    assert (result.voxels[:, :, 21:] == 0).all()
    assert (result.voxels[:, 6:18, 6:18] > 0).all()


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 50])
def test_the_batch_size_changes_nothing_but_rounding(batch):
    card = model(config={"generator": "resnet_6", "width": 4, "norm": "instance", "dropout": False}).card
    torch.manual_seed(1)
    loaded = LoadedModel(initialise_normal(build_generator(card)).eval(), card)
    source = head(Geometry((7, 20, 22), (2, 2, 2)))
    reference = finish(translate(source, loaded, batch=1))
    np.testing.assert_allclose(finish(translate(source, loaded, batch=batch)).voxels, reference.voxels, atol=0.05)


@pytest.mark.parametrize("batch", [1, 4, 9])
def test_a_model_that_looks_at_neighbours_sees_them_and_the_last_slice_again_at_the_ends(batch):
    class Sloped(nn.Module):
        """Tells the neighbours apart: minus four times the lowest, twice the highest, three times the slice itself."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(5, 1, 1, bias=False)
            self.layer.weight.data[:] = torch.tensor([-4.0, 0, 3, 0, 2])[None, :, None, None]

        def forward(self, x):
            return self.layer(x)

    card = model(recipe=Recipe(spacing_mm=None, multiple=1)).card
    card = card.model_copy(update={"method": "regressor", "config": {"width": 8, "context_slices": 5}})
    source = head(Geometry((9, 16, 18), (2, 2, 2)))
    result = finish(translate(source, LoadedModel(Sloped().eval(), card), batch=batch))
    unit = (source.voxels + 1024.0) / 3024 * 2 - 1
    at = [np.clip(np.arange(9) + step, 0, 8) for step in (-2, 0, 2)]
    expected = -4 * unit[at[0]] + 3 * unit[at[1]] + 2 * unit[at[2]]
    np.testing.assert_allclose(result.voxels, (expected + 1) * 500, atol=0.05)


def test_a_model_file_does_as_well_as_a_loaded_model(tmp_path):
    card = model(config={"generator": "resnet_6", "width": 4, "norm": "instance", "dropout": False}).card
    generator = initialise_normal(build_generator(card)).eval()
    save_model(tmp_path / "m.safetensors", generator.state_dict(), card)
    source = head(Geometry((2, 20, 20), (2, 2, 2)))
    by_file = finish(translate(source, tmp_path / "m.safetensors"))
    assert np.array_equal(by_file.voxels, finish(translate(source, LoadedModel(generator, card))).voxels)


def test_events_tell_what_happens_and_go_through_json():
    source = head(Geometry((5, 16, 16), (2, 2, 2)))
    events = list(translate(source, model()))
    assert all(from_json(to_json(event)) == event for event in events)
    started = next(event for event in events if isinstance(event, Started))
    assert started.total == 5
    assert started.details["device"] == "cpu"
    assert started.details["precision"] == "float32"
    assert started.details["estimated_seconds"] > 0
    steps = [event for event in events[events.index(started) :] if isinstance(event, Progress)]
    assert [step.done for step in steps] == [2, 4, 5]
    assert all(step.rate > 0 for step in steps)
    assert steps[0].seconds_left is None
    assert steps[-1].seconds_left == 0


def test_memory_is_told_before_and_a_batch_that_does_not_fit_is_made_smaller(monkeypatch):
    free = psutil.virtual_memory().available
    source = head(Geometry((5, 16, 16), (2, 2, 2)))
    notes, started = {}, {}
    for share, batch in ((10**6, None), (2, 4), (0.5, None)):
        plan = Plan("cpu", torch.float32, False, 2, 0.01, int(free / share))
        monkeypatch.setattr("ctmri_core.inference.engine.choose_plan", lambda *_, plan=plan: plan)
        events = list(translate(source, model(), batch=batch))
        notes[share] = [(event.message, event.serious) for event in events if isinstance(event, Noted)]
        started[share] = next(event for event in events if isinstance(event, Started)).details
    assert notes[10**6] == [] and started[10**6]["batch"] == 2
    assert notes[2] == [("No more than 1 slice at a time fits the memory that is free.", False)] and started[2]["batch"] == 1
    assert started[2]["estimated_memory_mb"] == round(int(free / 2) / 1e6)
    ((message, serious),) = notes[0.5]
    assert serious and message.startswith("One slice of 32 x 32 pixels takes about ") and started[0.5]["batch"] == 1


def test_wrong_contrast_is_refused_with_both_labels_before_any_work():
    with pytest.raises(WrongInput, match=r"takes CT volumes; this one is T2 MR"):
        finish(translate(head(domain=Domain.MR_T2), model()))
    with pytest.raises(WrongInput, match="unknown kind"):
        finish(translate(head(domain=Domain.UNKNOWN), model()))


def test_a_sagittal_slice_is_refused_before_any_work():
    sagittal = Geometry((1, 40, 48), (1, 1, 1), direction=((1, 0, 0), (0, 0, -1), (0, 1, 0)))
    with pytest.raises(WrongInput, match="a single sagittal slice"):
        check_input(head(sagittal), model().card)


def test_an_mr_of_unknown_weighting_is_taken_and_said():
    events = list(translate(head(domain=Domain.MR), model(Direction(Domain.MR_T1, Domain.CT))))
    assert any(isinstance(event, Noted) and "T1 MR" in event.message for event in events)


def test_what_weakens_the_result_is_said():
    source = head(synthetic=Synthetic("Other", "cd" * 32))
    work = translate(source, model(demo=True))
    assert any(isinstance(event, Noted) and event.serious and "itself synthetic" in event.message for event in work)
    assert [finding.kind for finding in finish(translate(source, model(demo=True))).findings] == ["demo_model", "ill_posed"]


def test_what_a_ct_cannot_tell_of_soft_tissue_is_said_of_every_mr_made_of_one_and_of_nothing_else():
    for way, source in ((CT_TO_T1, Domain.CT), (Direction(Domain.MR_T1, Domain.CT), Domain.MR_T1)):
        made = finish(translate(head(domain=source), model(way)))
        assert [finding.kind for finding in made.findings] == (["ill_posed"] if source is Domain.CT else [])


def test_a_kind_that_a_card_names_beside_its_source_is_taken_and_no_other():
    way, enhanced = Direction(Domain.MR_T1, Domain.CT), head(domain=Domain.MR_T1_GD)
    with pytest.raises(WrongInput, match="takes T1 MR volumes"):
        check_input(enhanced, model(way).card)
    both = model(way, also_takes=(Domain.MR_T1_GD,))
    assert finish(translate(enhanced, both)).domain is Domain.CT
    with pytest.raises(WrongInput, match="takes T1 MR volumes"):
        check_input(head(domain=Domain.MR_T2), both.card)


def bodies(width_mm: float) -> Volume:
    """An elliptic trunk, stored coronal, of which the uppermost quarter is far broader than the rest."""
    geometry = Geometry((40, 24, 60), (8, 8, 8), direction=((0, 1, 0), (0, 0, -1), (1, 0, 0)))
    y, _, x = np.meshgrid(*[(np.arange(n) - (n - 1) / 2) * 8.0 for n in geometry.shape], indexing="ij")
    half = np.full((1, 24, 1), width_mm / 2)
    half[:, 18:] = 200.0
    return Volume(np.where((x / half) ** 2 + (y / 90) ** 2 < 1, 40, -1000).astype(np.int16), geometry, Domain.CT)


def test_a_trunk_given_to_a_model_for_heads_is_said_before_and_on_the_result():
    events = translate(bodies(340), model())
    notes = [event for event in events if isinstance(event, Noted)]
    assert [note.serious for note in notes] == [True]
    assert "made for heads; this scan looks larger than a head: about 3" in notes[0].message
    result = finish(translate(bodies(340), model()))
    assert [(finding.kind, finding.serious) for finding in result.findings] == [("not_a_head", True), ("ill_posed", False)]


def test_shoulders_below_a_head_and_models_for_trunks_raise_no_doubt():
    assert doubt_about_region(bodies(160), model().card) is None
    assert doubt_about_region(bodies(340), model().card.model_copy(update={"body_region": "abdomen"})) is None
    assert doubt_about_region(replace(head(), voxels=np.full(OBLIQUE.shape, -1000, np.int16)), model().card) is None


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "doubted"),
    [("totalsegmentator_examples/example_ct_sm.nii.gz", True), ("visible_female_head_ct/head_ct.nii.gz", False)],
)
def test_real_trunks_and_heads_are_told_apart(shared_data, name, doubted):
    from ctmri_core.io.opening import open_volume

    found = sorted((shared_data / name.split("/")[0]).rglob(name.split("/")[1]))
    assert (doubt_about_region(open_volume(found[0]), model().card) is not None) is doubted


@pytest.mark.parametrize("asked", range(0, 12))
def test_a_stop_at_any_question_ends_the_work(asked):
    questions = iter(range(10_000))
    loaded = model()
    source = head(Geometry((9, 16, 16), (2, 2, 2)))
    result = finish(translate(source, loaded, batch=2, stop=lambda: next(questions) >= asked))
    assert result is None
    assert len(loaded.generator.calls) <= asked


def test_hooks_for_stopping_do_not_stay():
    loaded = model()
    finish(translate(head(Geometry((2, 16, 16), (2, 2, 2))), loaded, stop=never))
    assert not loaded.generator.layer._forward_pre_hooks


def test_weights_that_overflow_are_said_in_words():
    loaded = model()
    nn.init.constant_(loaded.generator.layer.weight, float("inf"))
    with pytest.raises(ModelRefused, match="no numbers"):
        finish(translate(head(), loaded))


@pytest.mark.parametrize(("device", "says"), [("toaster", "no device"), ("meta", "not supported")])
def test_devices_that_are_not_there(device, says):
    with pytest.raises(CtmriError, match=says):
        finish(translate(head(), model(), device=device))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has one")
def test_cuda_that_is_not_there():
    with pytest.raises(CtmriError, match="choose cpu"):
        finish(translate(head(), model(), device="cuda"))


def test_threads_are_limited_while_it_runs_and_put_back():
    torch.set_num_threads(2)
    work = translate(head(), model(), threads=1)
    assert torch.get_num_threads() == 2
    next(work)
    assert torch.get_num_threads() == 1
    work.close()
    assert torch.get_num_threads() == 2


def test_with_the_plan_of_this_machine(real_timing):
    result = finish(translate(head(Geometry((3, 40, 40), (2, 2, 2))), model()))
    assert np.isfinite(result.voxels).all()
