"""Where uncertainty comes from: known networks have a known spread, draws depend on the seed alone, and the picture stays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.inference.order import Order
from ctmri_core.inference.sampling import Variation, ways_of
from ctmri_core.inference.translate import translate, translate_as
from ctmri_core.model_file import LoadedModel
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import build_generator
from ctmri_core.volume import Volume
from tests.core.known_models import GRIDS, PLAN, Line, Sloped, model, nominal, scan, unit

PLACES = [(shift, mirrored) for shift in ((0, 0), (1, 2), (3, 1), (2, 3)) for mirrored in (False, True)]


@pytest.fixture(autouse=True)
def reference_plan(monkeypatch, one_thread):
    monkeypatch.setattr("ctmri_core.inference.engine.choose_plan", lambda *_: PLAN)


class Dropping(nn.Module):
    """x where nothing is dropped, which at rest is everywhere."""

    def __init__(self, share: float = 0.25) -> None:
        super().__init__()
        self.layer, self.drop = nn.Conv2d(1, 1, 1, bias=False), nn.Dropout(share)
        self.layer.weight.data.fill_(0.5)

    def forward(self, x):
        return self.drop(self.layer(x))


class Latent(nn.Module):
    """x / 2, whose latent has a deviation of 0.04."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 1, bias=False)
        self.layer.weight.data.fill_(0.5)

    def forward(self, x):
        return self.layer(x)

    def with_noise(self, noise):
        return [self.layer.register_forward_hook(lambda _layer, _given, mean: mean + 0.04 * noise(mean))]


class Circular(nn.Module):
    """Sees no edges, and left as right: mirrored and shifted pictures give mirrored and shifted answers."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
        kernel = torch.tensor([[0.02, 0.1, 0.02], [0.05, 0.3, 0.05], [0.1, 0.2, 0.1]])
        self.layer.weight.data[:] = kernel

    def forward(self, x):
        return self.layer(x)


@pytest.mark.parametrize("network", [Line, Circular])
@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_networks_that_take_mirrored_slices_alike_are_sure(network, grid):
    made = finish(translate_as(scan(grid), model(network()), Order(doubt="mirrored")))
    assert made.uncertainty.values.max() < 1e-3
    assert made.uncertainty.what == "standard deviation of 8 mirrored and shifted slices"


@pytest.mark.parametrize("samples", [2, 5, 8])
def test_networks_that_know_where_they_are_have_a_known_spread(samples):
    source = scan()
    rows, columns = (np.arange(n) / (n - 1) for n in source.geometry.shape[1:])
    slope = 0.2 * rows[:, None] + 0.1 * columns
    answers = []
    for (down, right), mirrored in PLACES[:samples]:
        there = slope[:, ::-1] if mirrored else slope
        answers.append(nominal(0.3 * unit(source) + np.roll(there, (-down, -right), (0, 1))))
    made = finish(translate_as(source, model(Sloped()), Order(doubt="mirrored", samples=samples, draws=1)))
    np.testing.assert_allclose(made.uncertainty.values, np.std(answers, axis=0, ddof=1), atol=2e-3)
    np.testing.assert_allclose(made.volume.voxels, answers[0], atol=2e-3)
    np.testing.assert_allclose(made.draws[0].voxels, answers[1], atol=2e-3)


def grey(value: int = 1000, slices: int = 6) -> Volume:
    grid = Geometry((slices, 40, 44), (2, 2, 2))
    return Volume(np.full(grid.shape, value, np.int16), grid, Domain.CT)


def test_dropout_has_the_spread_that_its_share_says():
    source, share = grey(), 0.25
    x = 0.5 * unit(source)[0, 0, 0]
    made = finish(translate_as(source, model(Dropping(share)), Order(doubt="dropout", samples=64, draws=64)))
    variance = float(np.mean(np.square(made.uncertainty.values[0] / 500)))
    assert variance == pytest.approx(x**2 * share / (1 - share), rel=0.02)
    answers = np.stack([each.voxels[0] for each in made.draws]) / 500 - 1
    np.testing.assert_allclose(np.unique(answers.round(4)), [0, round(x / (1 - share), 4)], atol=1e-4)
    assert np.mean(answers) == pytest.approx(x, rel=0.01)
    np.testing.assert_allclose(made.uncertainty.values[0] / 500, answers.std(0, ddof=1), atol=1e-5)
    assert np.array_equal(made.volume.voxels, finish(translate(source, model(Dropping(share)))).voxels)


def test_samples_of_a_latent_have_its_deviation():
    source = grey()
    made = finish(translate_as(source, model(Latent()), Order(doubt="latent", samples=64, draws=64)))
    assert float(np.sqrt(np.mean(np.square(made.uncertainty.values[0])))) == pytest.approx(0.04 * 500, rel=0.02)
    answers = np.stack([each.voxels[0] for each in made.draws])
    assert answers.mean() == pytest.approx(made.volume.voxels[0, 0, 0], abs=0.3)
    assert len({each.tobytes() for each in answers}) == 64


@pytest.mark.parametrize(("network", "way"), [(Dropping, "dropout"), (Latent, "latent")])
def test_draws_hang_on_the_seed_alone(network, way):
    loaded = model(network())

    def draws(seed: int, batch: int) -> list[np.ndarray]:
        order = Order(doubt=way, samples=3, draws=2, seed=seed, batch=batch)
        return [each.voxels for each in finish(translate_as(grey(), loaded, order)).draws]

    first, second = draws(5, 1)
    for batch in (2, 5):
        assert all(np.array_equal(a, b) for a, b in zip(draws(5, batch), (first, second), strict=True))
    assert not np.array_equal(first, second) and not np.array_equal(draws(6, 2)[0], first)
    assert all(np.array_equal(first[0], other) for other in first)  # alike slices answer alike: one draw for the whole volume
    torch.manual_seed(99)  # nothing hangs on the program's own chance, and nothing moves it
    before = torch.get_rng_state()
    assert np.array_equal(draws(5, 2)[0], first) and torch.equal(torch.get_rng_state(), before)


def test_no_hook_stays_behind():
    for network, way in ((Dropping(), "dropout"), (Latent(), "latent")):
        with Variation(way, 1).applied(network):
            assert any(module._forward_hooks for module in network.modules())
        assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(("network", "way"), [(Line, "dropout"), (Line, "latent"), (Dropping, "latent")])
def test_what_a_model_has_not_is_refused_in_words(network, way):
    with pytest.raises(CtmriError, match=f"Known has no {way} to ask for other answers; it has: "):
        finish(translate_as(scan(), model(network()), Order(doubt=way)))


def test_mirrored_slices_give_seven_draws_at_most():
    with pytest.raises(CtmriError, match="at most 7 draws beside the picture, not 8"):
        finish(translate_as(scan(), model(), Order(doubt="mirrored", draws=8)))


def test_a_draw_says_that_it_is_one():
    made = finish(translate_as(scan(), model(Latent()), Order(doubt="auto", samples=2, draws=2, seed=7)))
    assert [each.synthetic.details["draw"] for each in made.draws] == [1, 2]
    assert made.draws[1].name.endswith(", draw 2") and made.draws[1].history[-1].endswith(", draw 2")
    assert made.volume.synthetic.details["seed"] == 7
    assert made.volume.synthetic.details["asked"] == {"doubt": "auto", "samples": 2, "draws": 2, "seed": 7}


METHODS = {
    "UNIT": ("unit", {"width": 4, "blocks": 1}, "latent"),
    "UNIT, shared latent": ("unit", {"width": 4, "blocks": 1, "share_latent": True}, "latent"),
    "VAE-CycleGAN": ("vae_cyclegan", {"width": 4, "blocks": 1, "latent": 4}, "latent"),
    "pix2pix": ("pix2pix", {"generator": "resnet_6", "width": 4}, "dropout"),
    "pix2pix as in the paper": ("pix2pix", {"generator": "resnet_6", "width": 4, "faithful": True}, "dropout"),
    "CycleGAN": ("cyclegan", {"generator": "resnet_6", "width": 4}, "mirrored"),
}


@pytest.mark.parametrize(("method", "config", "way"), METHODS.values(), ids=METHODS)
def test_networks_of_the_methods_answer_otherwise_each_in_its_way(method, config, way):
    card = model(method=method, config=config).card
    torch.manual_seed(2)
    loaded = LoadedModel(initialise_normal(build_generator(card)).eval(), card)
    assert ways_of(loaded.generator)[0] == way
    plain = finish(translate(scan(), loaded))
    made = finish(translate_as(scan(), loaded, Order(doubt="auto", samples=3, draws=2)))
    assert np.array_equal(made.volume.voxels, plain.voxels)
    assert np.isfinite(made.uncertainty.values).all() and made.uncertainty.summary["mean"] > 0
    assert all(not np.array_equal(each.voxels, plain.voxels) for each in made.draws)
    assert made.volume.synthetic.details["uncertainty"]["mean"] == made.uncertainty.summary["mean"]


def test_an_onnx_model_can_be_asked_with_mirrored_slices_and_along_planes(tmp_path):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from ctmri_core.exchange.importing import import_model
    from ctmri_core.model_file import load_model

    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, "h", "w"]) for name in ("picture", "answer")]
    half = numpy_helper.from_array(np.float32(0.5), "half")
    graph = helper.make_graph([helper.make_node("Mul", ["picture", "half"], ["answer"])], "g", ports[:1], ports[1:], [half])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    told = {
        "name": "Half", "direction": "ct_to_mr_t1", "body_region": "head", "licence": "none", "input_range": [-1, 1],
        "output_range": [-1, 1], "recipe": Recipe(spacing_mm=None).model_dump(mode="json"),
    }  # fmt: skip
    loaded = load_model(finish(import_model(tmp_path / "m.onnx", told, tmp_path)))
    assert ways_of(loaded.generator) == ("mirrored",)
    source = scan()
    for order in (Order(doubt="auto", samples=3, draws=1), Order(doubt="planes", planes="three")):
        made = finish(translate_as(source, loaded, order))
        np.testing.assert_allclose(made.volume.voxels, nominal(0.5 * unit(source)), atol=2e-3)
        assert made.uncertainty.values.max() < 2e-3


def test_the_summary_is_that_of_the_body_and_names_the_worst_slice_from_the_feet():
    source = scan(GRIDS["flipped"])  # stored head first
    body = np.zeros(source.geometry.shape, np.bool_)
    body[3:9, 4:12, 5:15] = True
    made = finish(translate_as(source, model(Sloped()), Order(doubt="mirrored", body=body)))
    values, told = made.uncertainty.values, made.uncertainty.summary
    assert (values[~body] == 0).all()
    assert told["mean"] == pytest.approx(values[body].mean(), rel=1e-5)
    assert told["p95"] == pytest.approx(np.percentile(values[body], 95), rel=1e-5)
    means = [values[k][body[k]].mean() if body[k].any() else -1 for k in range(12)]
    assert told["worst_slice"] == 11 - int(np.argmax(means)) and told["worst_slice_mean"] == pytest.approx(max(means), rel=1e-5)
    assert made.uncertainty.sentence.endswith(f"most in slice {told['worst_slice'] + 1} from the feet.")
    assert made.uncertainty.sentence.startswith("Uncertainty (standard deviation of 8 mirrored and shifted slices): ")


def test_a_map_as_a_volume_is_no_picture():
    made = finish(translate_as(scan(), model(Sloped()), Order(doubt="mirrored")))
    volume = made.uncertainty.as_volume(made.volume)
    assert volume.domain is Domain.UNKNOWN and volume.synthetic is not None and volume.geometry is made.volume.geometry
    (finding,) = volume.findings
    assert finding.kind == "value_map" and "no picture of a patient" in finding.message
    assert volume.history[-1] == "uncertainty: standard deviation of 8 mirrored and shifted slices, in a.u."
