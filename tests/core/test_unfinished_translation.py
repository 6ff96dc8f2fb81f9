"""Stopped on the way: what is done is as it would have been, the rest is background, and the result says so."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ctmri_core.errors import WrongInput
from ctmri_core.events import Progress, Started, finish
from ctmri_core.geometry import Geometry
from ctmri_core.inference.order import Order
from ctmri_core.inference.translate import Translation, translate_as
from ctmri_core.volume import Finding, Volume
from tests.core.known_models import GRIDS, PLAN, Line, Sloped, model, scan


@pytest.fixture(autouse=True)
def reference_plan(monkeypatch, one_thread):
    monkeypatch.setattr("ctmri_core.inference.engine.choose_plan", lambda *_: PLAN)


def said_of(made: Translation) -> Finding:
    """Of being unfinished."""
    (finding,) = (each for each in made.volume.findings if each.kind == "unfinished")
    return finding


def stopped_after(slices: int, source: Volume, network: nn.Module, order: Order) -> Translation | None:
    """Asks to stop as soon as so many slices of all passes are done."""
    asked = False
    work = translate_as(source, model(network), order, lambda: asked)
    started = False
    try:
        while True:
            event = next(work)
            started = started or isinstance(event, Started)
            asked = asked or (started and isinstance(event, Progress) and event.done >= slices)
    except StopIteration as end:
        return end.value


@pytest.mark.parametrize("name", GRIDS)
def test_what_is_done_is_kept_from_the_feet_and_the_rest_is_background(name):
    source = scan(GRIDS[name])
    whole = finish(translate_as(source, model(), Order())).volume
    assert stopped_after(4, source, Line(), Order()) is None
    made = stopped_after(4, source, Line(), Order(keep_unfinished=True, doubt="mirrored"))
    assert not made.finished and made.uncertainty is None and made.draws == ()
    axes = source.geometry.axes
    axis = int(np.abs(axes[:, 2]).argmax())
    done = np.arange(source.geometry.shape[axis]) if axes[axis, 2] > 0 else np.arange(source.geometry.shape[axis])[::-1]
    upper = np.moveaxis(made.volume.voxels, axis, 0)
    assert np.array_equal(upper[done[:4]], np.moveaxis(whole.voxels, axis, 0)[done[:4]])
    assert (upper[done[4:]] == 0).all()
    finding = said_of(made)
    assert finding.kind == "unfinished" and finding.serious and f"only 4 of {len(done)} slices, from the feet" in finding.message


def test_a_stop_before_the_first_slice_keeps_nothing():
    assert finish(translate_as(scan(), model(), Order(keep_unfinished=True), lambda: True)) is None


@pytest.mark.parametrize("step", ["engine.choose_plan", "translating.doubts_before", "translating.body_mask"])
def test_a_stop_while_a_scan_is_made_ready_is_heeded_before_the_next_long_step(monkeypatch, step):
    asked: list[str] = []
    body = np.ones(scan().geometry.shape, bool)
    steps = {"engine.choose_plan": PLAN, "translating.body_mask": body, "translating.doubts_before": ()}

    def taking_long(name, answer):
        def take(*_):
            asked.append(name)
            return answer

        monkeypatch.setattr(f"ctmri_core.inference.{name}", take)

    for name, answer in steps.items():
        taking_long(name, answer)
    work = translate_as(scan(), model(), Order(doubt="mirrored", keep_unfinished=True), lambda: step in asked)
    events = []
    with pytest.raises(StopIteration) as end:
        while True:
            events.append(next(work))
    assert end.value.value is None and asked[-1] == step
    assert not any(isinstance(event, Started) for event in events)


@pytest.mark.parametrize("fusion", ["mean", "median"])
def test_planes_that_are_missing_are_told(fusion):
    source = scan()
    axial = finish(translate_as(source, model(Sloped()), Order())).volume.voxels
    made = stopped_after(12, source, Sloped(), Order(planes="three", fusion=fusion, keep_unfinished=True))
    np.testing.assert_allclose(made.volume.voxels, axial, atol=1e-3)
    assert "made of 1 of the 3 answers that were wanted." in said_of(made).message
    made = stopped_after(16, source, Sloped(), Order(planes="three", fusion=fusion, keep_unfinished=True))
    assert "1 of the 3 answers that were wanted, and of one more in some slices" in said_of(made).message
    same = np.isclose(made.volume.voxels, axial, atol=1e-3)
    assert same.all() == (fusion == "median") and same[:, 8:].all()  # coronal slices came from the front


def test_a_stop_among_the_samples_keeps_the_whole_picture_and_is_not_serious():
    source = scan()
    whole = finish(translate_as(source, model(Sloped()), Order())).volume
    made = stopped_after(30, source, Sloped(), Order(doubt="mirrored", draws=2, keep_unfinished=True))
    assert np.array_equal(made.volume.voxels, whole.voxels)
    assert not made.finished and made.uncertainty is None and made.draws == ()
    assert "after the picture was whole" in said_of(made).message and not said_of(made).serious


def test_a_stop_is_heard_before_the_next_layer():
    class Deep(nn.Module):
        """Slices of which take long."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.Conv2d(1, 1, 3, padding=1) for _ in range(50))
            self.ran = 0

        def forward(self, x):
            for layer in self.layers:
                x = torch.tanh(layer(x))
                self.ran += 1
            return x

    network = Deep()
    made = finish(translate_as(scan(), model(network), Order(keep_unfinished=True), lambda: network.ran > 70))
    assert 71 <= network.ran <= 72 and "only 2 of 12 slices" in said_of(made).message


def test_outside_of_the_given_body_everything_is_background():
    source = scan()
    body = np.zeros(source.geometry.shape, np.bool_)
    body[2:9, 3:11, 4:15] = True
    whole = finish(translate_as(source, model(), Order())).volume
    order = Order(body=body, doubt="mirrored", draws=1, planes="three")
    made = finish(translate_as(source, model(), order))
    for volume in (made.volume, *made.draws):
        np.testing.assert_allclose(volume.voxels[body], whole.voxels[body], atol=2e-3)
        assert (volume.voxels[~body] == 0).all()
    assert (made.uncertainty.values[~body] == 0).all()
    assert made.volume.synthetic.details["body"]["origin"] == "given"


@pytest.mark.parametrize("body", [np.zeros((12, 16, 20), np.bool_), np.ones((3, 3, 3), np.bool_), np.ones((12, 16, 20))])
def test_a_body_that_is_none_is_refused(body):
    with pytest.raises(WrongInput, match="mask of the body"):
        finish(translate_as(scan(), model(), Order(body=body)))


def test_slices_that_are_odd_are_named():
    source = scan(Geometry((20, 60, 60), (4, 3, 3)))
    voxels = np.where(source.voxels > -1000, np.int16(40), np.int16(-1024))
    voxels[11] = -1024
    made = finish(translate_as(Volume(voxels, source.geometry, source.domain), model(), Order())).volume
    assert made.synthetic.details["slice_flags"]["slices"] == {"11": ["no body"]}
    assert any(finding.kind == "slice_flags" and "12" in finding.message for finding in made.findings)
