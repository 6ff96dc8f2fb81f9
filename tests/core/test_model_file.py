"""Model files: a round trip, and every kind of damage refused with its key named."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import torch

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import ModelRefused, WriteFailed
from ctmri_core.model_card import CARD_KEY, ModelCard, read_card
from ctmri_core.model_file import load_model, save_model
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import build_generator

CARD = ModelCard(
    name="Tiny",
    method="pix2pix",
    config={"generator": "resnet_6", "width": 4, "norm": "instance", "dropout": False},
    direction=Direction(Domain.CT, Domain.MR_T1),
    body_region="head",
    created=datetime(2026, 1, 2, tzinfo=UTC),
)


def tiny(card=CARD):
    torch.manual_seed(0)
    return initialise_normal(build_generator(card)).eval()


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_model(path, tiny().state_dict(), CARD)
    return path


def rewrite(path, change_header=lambda header: None, change_data=lambda data: None):
    """Edits header and weights of a model file in place, keeping it a well-formed container."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    change_header(header)
    change_data(data)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_a_model_comes_back_as_it_was(saved):
    generator, card = load_model(saved)
    x = torch.rand(1, 1, 32, 32) * 2 - 1
    assert torch.equal(generator(x), tiny()(x))
    assert not generator.training
    assert card == CARD.model_copy(update={"weights_sha256": card.weights_sha256})
    assert len(card.weights_sha256) == 64
    assert read_card(saved) == card


@pytest.mark.parametrize("stored_as", ["float16", "bfloat16"])
def test_small_storage_is_half_the_size_and_nearly_the_same(saved, tmp_path, stored_as):
    small = tmp_path / "small.safetensors"
    save_model(small, tiny().state_dict(), CARD, stored_as=stored_as)
    assert small.stat().st_size < 0.65 * saved.stat().st_size
    weights, exact = load_model(small).generator.state_dict(), tiny().state_dict()
    assert all(weight.dtype == torch.float32 for weight in weights.values())
    for name, weight in weights.items():
        torch.testing.assert_close(weight, exact[name], rtol=0.005, atol=1e-6)


def test_batch_norm_statistics_survive(tmp_path):
    card = CARD.model_copy(update={"config": {"generator": "resnet_6", "width": 4}})
    generator = tiny(card).train()
    generator(torch.randn(2, 1, 16, 16) * 300)
    save_model(tmp_path / "bn.safetensors", generator.state_dict(), card, stored_as="float16")
    loaded = load_model(tmp_path / "bn.safetensors").generator.state_dict()
    for name, value in generator.state_dict().items():
        if "running" in name or "num_batches" in name:
            assert torch.equal(loaded[name], value)


def test_the_hash_depends_on_weights_and_names_only(tmp_path):
    state = tiny().state_dict()
    first = save_model(tmp_path / "a.safetensors", state, CARD).weights_sha256
    again = save_model(tmp_path / "b.safetensors", state, CARD.model_copy(update={"name": "Other"})).weights_sha256
    state["model.1.weight"] = state["model.1.weight"] * 1.001
    assert first == again != save_model(tmp_path / "c.safetensors", state, CARD).weights_sha256


def test_every_single_flipped_byte_of_the_weights_is_noticed(saved):
    content = saved.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    for position in range(begin, len(content), max(1, (len(content) - begin) // 12)):
        damaged = bytearray(content)
        damaged[position] ^= 16
        saved.write_bytes(damaged)
        with pytest.raises(ModelRefused, match="hash"):
            load_model(saved)


def test_truncation_anywhere_is_noticed(saved):
    content = saved.read_bytes()
    for length in range(0, len(content), len(content) // 40):
        saved.write_bytes(content[:length])
        with pytest.raises(ModelRefused, match=r"tiny\.safetensors"):
            load_model(saved)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda state: state.pop("model.4.bias"), "lacks tensor 'model.4.bias'"),
        (lambda state: state.update({"extra": torch.zeros(2)}), "unknown tensor 'extra'"),
        (lambda state: state.update({"model.1.weight": torch.zeros(4, 1, 7, 6)}), "'model.1.weight' has the shape"),
        (lambda state: state.update({"model.4.bias": torch.zeros(8, dtype=torch.int64)}), "'model.4.bias' has the type"),
    ],
)
def test_weights_of_another_architecture_are_refused_by_key(tmp_path, change, says):
    state = dict(tiny().state_dict())
    change(state)
    save_model(tmp_path / "m.safetensors", state, CARD)
    with pytest.raises(ModelRefused, match=says):
        load_model(tmp_path / "m.safetensors")


def test_weights_that_are_no_numbers_are_neither_written_nor_read(tmp_path, saved, monkeypatch):
    state = tiny().state_dict()
    state["model.4.bias"][3] = float("nan")
    with pytest.raises(ModelRefused, match=r"model\.4\.bias"):
        save_model(tmp_path / "nan.safetensors", state, CARD)
    assert not (tmp_path / "nan.safetensors").exists()
    with monkeypatch.context() as patch:
        patch.setattr(torch, "isfinite", lambda tensor: torch.ones(1, dtype=torch.bool))
        save_model(tmp_path / "nan.safetensors", state, CARD)
    with pytest.raises(ModelRefused, match=r"'model\.4\.bias' holds values that are no numbers"):
        load_model(tmp_path / "nan.safetensors")


def test_swapped_names_and_edited_cards_are_noticed(saved):
    def swap(header):
        first, second = "model.10.conv_block.1.weight", "model.11.conv_block.1.weight"
        header[first], header[second] = header[second], header[first]

    rewrite(saved, swap)
    with pytest.raises(ModelRefused, match="hash"):
        load_model(saved)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"method": "no_such_method"}, "no_such_method"),
        ({"config": {"width": 10**9}}, "width"),
        ({"config": {"surprise": 1}}, "surprise"),
        ({"config": {"generator": "resnet_6", "width": 64}}, "shape|lacks|unknown"),
    ],
)
def test_cards_that_do_not_fit_are_refused_before_allocation(saved, change, says):
    def edit(header):
        card = {**json.loads(header["__metadata__"][CARD_KEY]), **change}
        header["__metadata__"][CARD_KEY] = json.dumps(card)

    rewrite(saved, edit)
    with pytest.raises(ModelRefused, match=says):
        load_model(saved)


@pytest.mark.parametrize(
    ("recipe", "says"),
    [({"multiple": 4}, "recipe.multiple is 4"), ({"multiple": 1}, "recipe.multiple is 1"), ({"size": (256, 300)}, "256 x 300")],
)
def test_a_recipe_whose_slices_the_network_cannot_take_is_refused(tmp_path, recipe, says):
    config = {"generator": "unet_256", "width": 4, "norm": "instance", "dropout": False}
    card = CARD.model_copy(update={"config": config, "recipe": Recipe(**recipe)})
    path = tmp_path / "unet.safetensors"
    save_model(path, tiny(card).state_dict(), card)
    with pytest.raises(ModelRefused, match=rf"unet\.safetensors: .*{says}.* multiples of 256"):
        load_model(path)
    fitting = card.model_copy(update={"recipe": Recipe(multiple=512)})
    save_model(path, tiny(card).state_dict(), fitting)
    assert load_model(path).card.recipe.multiple == 512


def test_a_refused_write_leaves_the_old_file(saved, monkeypatch):
    before = saved.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WriteFailed, match="disk is full"):
        save_model(saved, tiny().state_dict(), CARD)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]
