"""What single methods offer beside their defaults."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ctmri_core.config_flags import validated
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError, TrainingFailed
from ctmri_core.events import finish, never
from ctmri_core.method import SliceBatch, least_for_patches
from ctmri_core.methods.aggan.card import AgganConfig
from ctmri_core.methods.aggan.method import Aggan
from ctmri_core.methods.cut.card import CutConfig
from ctmri_core.methods.cut.method import Cut
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.methods.pix2pix.method import Pix2Pix
from ctmri_core.methods.regressor.card import RegressorConfig
from ctmri_core.methods.regressor.method import Regressor
from ctmri_core.methods.stargan.card import StarGanConfig
from ctmri_core.methods.stargan.method import StarGan
from ctmri_core.methods.unit.card import UnitConfig
from ctmri_core.methods.unit.method import Unit
from ctmri_core.model_file import load_model
from ctmri_core.networks.patchgan import DISCRIMINATOR_LAYERS, PatchGan
from ctmri_core.networks.vgg_features import VggFeatures
from ctmri_core.registry import load_method, method_cards
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.train import train

CT, T1, T2 = Domain.CT, Domain.MR_T1, Domain.MR_T2
DIRECTION = Direction(CT, T1)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def batch(size: int = 32, count: int = 1, domains=(CT, T1), **changes) -> SliceBatch:
    torch.manual_seed(1)
    pictures = {domain: torch.rand(count, 1, size, size) * 2 - 1 for domain in domains}
    return SliceBatch(pictures, {domain: (picture > 0).float() for domain, picture in pictures.items()}, **changes)


class Told:
    """Remembers which group was to move, in order, and moves none."""

    def __init__(self) -> None:
        self.groups: list[str] = []

    def __call__(self, group: str, loss: Tensor) -> None:
        assert torch.isfinite(loss) and loss.requires_grad
        self.groups.append(group)


def stargan(**changes) -> StarGan:
    torch.manual_seed(0)
    config = StarGanConfig(**({"width": 4, "discriminator_width": 4, "discriminator_layers": 3, "blocks": 1} | changes))
    return StarGan(config.for_crop(32), DIRECTION)


def test_a_stargan_learns_as_many_contrasts_as_are_named():
    method = stargan(domains="mr_t2,ct,mr_t1")
    assert method.config.domains_of(DIRECTION) == (CT, T1, T2)
    assert method.directions[0] == DIRECTION
    assert set(method.directions) == {Direction(*pair) for pair in permutations((CT, T1, T2), 2)}
    generator = method.generator(Direction(T2, CT))
    built = StarGan.build_generator(method.config, Direction(T2, CT))
    built.load_state_dict(generator.state_dict())
    x = batch()[CT]
    torch.testing.assert_close(built(x), method.translate(x, Direction(T1, CT)))  # it is told the target alone
    assert float((method.translate(x, Direction(CT, T2)) - method.translate(x, DIRECTION)).detach().abs().mean()) > 0
    losses = method.training_step(batch(domains=(CT, T1, T2), step=4), Told())
    assert {"class_real", "class_synthetic", "reconstruction", "penalty"} <= losses.keys()


@pytest.mark.parametrize(
    ("text", "says"),
    [("ct,mrt1", "Did you mean mr_t1"), ("ct", "at least two"), ("ct,ct", "each once"), ("ct,unknown", "is no contrast")],
)
def test_contrasts_that_make_no_sense_are_refused(text, says):
    with pytest.raises(CtmriError, match=f"--domains .*{says}"):
        validated(StarGanConfig, {"domains": text})


def test_a_direction_beside_the_named_contrasts_and_another_crop_are_refused():
    config = StarGanConfig(domains="ct,mr_t2")
    with pytest.raises(TrainingFailed, match="mr_t1, which --domains ct,mr_t2 lacks"):
        config.domains_of(DIRECTION)
    fitted = config.for_crop(128)
    assert fitted.picture_size == 128 and fitted.for_crop(128) == fitted
    with pytest.raises(TrainingFailed, match="--picture-size 128 is not --crop 256"):
        fitted.for_crop(256)


def test_a_stargan_never_asks_for_a_pictures_own_contrast_unless_faithful():
    torch.manual_seed(0)
    own = torch.arange(3).repeat(50)
    wanted = stargan(domains="ct,mr_t1,mr_t2")._wanted(own)
    assert bool((wanted != own).all()) and set(wanted.tolist()) == {0, 1, 2}
    shuffled = stargan(faithful=True)._wanted(own[:1])
    assert torch.equal(shuffled, own[:1])  # what the authors' code does with a single picture: nothing


def test_the_generator_of_a_stargan_moves_once_in_so_many_steps():
    method = stargan(critic_steps=3)
    moved = []
    for step in range(6):
        told = Told()
        method.training_step(batch(step=step), told)
        moved.append(told.groups)
    critic, both = ["discriminator"], ["discriminator", "generator"]
    assert moved == [critic, critic, both, critic, critic, both]


@pytest.mark.parametrize(
    ("faithful", "growth"),
    [(True, {10: 50, 20: 50}), (False, {10: 50 ** (1 / 11), 14: 50 ** (5 / 11), 19: 50 ** (10 / 11), 20: 50})],
)
def test_the_curriculum_of_aggan_follows_epochs(faithful: bool, growth: dict[int, float]):
    config = AgganConfig(width=4, discriminator_width=4, blocks=1, curriculum_epochs=10, faithful=faithful)
    shares = {}
    for epoch in (0, 9, *growth):
        torch.manual_seed(0)
        method = Aggan(config, DIRECTION)
        shares[epoch] = float(method.training_step(batch(96, epoch=epoch), Told())["cycle_ct"])
    assert shares[0] == shares[9]
    for epoch, times in growth.items():
        assert shares[epoch] == pytest.approx(times * shares[0], rel=1e-4)


def test_the_faithful_aggan_has_a_pixel_loss_and_unbounded_contents():
    method = Aggan(AgganConfig(width=4, discriminator_width=4, blocks=1, faithful=True), DIRECTION)
    assert "pixel_ct" in method.training_step(batch(96), Told())
    with torch.no_grad():
        for parameter in method.networks["to_mr_t1"].parameters():
            parameter.mul_(50)
        assert float(method.translate(batch(96)[CT], DIRECTION).abs().max()) > 1


@pytest.mark.parametrize("way", [DIRECTION, DIRECTION.reverse])
def test_both_domains_pass_through_the_shared_latent_of_unit(way):
    torch.manual_seed(0)
    method = Unit(UnitConfig(share_latent=True, width=4, discriminator_width=4, blocks=2), DIRECTION)
    assert set(method.networks) - {"shared_encoder", "shared_decoder"} == {
        f"{what}_{domain}" for what in ("encode", "decode", "judge") for domain in (CT, T1)
    }
    x = batch()[way.source]
    before = method.translate(x, way)
    built = Unit.build_generator(method.config, way)
    built.load_state_dict(method.generator(way).state_dict())
    torch.testing.assert_close(built(x), before)
    with torch.no_grad():
        method.networks["shared_decoder"].model[3].bias += 5  # instance norm behind it takes this away again
        method.networks["shared_encoder"].model[3].weight.mul_(-1)
    assert float((method.translate(x, way) - before).detach().abs().mean()) > 0


def test_pix2pix_moves_its_generator_as_often_as_asked_and_with_all_options(tmp_path: Path):
    save_file(VggFeatures(2).state_dict(), tmp_path / "vgg.safetensors")
    config = Pix2PixConfig(
        generator="plain_unet", width=4, discriminator_width=4, patch_grid=15, generator_steps=3, lambda_penalty=9,
        lambda_features=9, features_file=str(tmp_path / "vgg.safetensors"), body_only=True,
    )  # fmt: skip
    method, told = Pix2Pix(config, DIRECTION), Told()
    losses = method.training_step(batch(64), told)
    for step in (1, 2, 3):
        method.training_step(batch(64, step=step), told)
    assert told.groups == ["discriminator", *["generator"] * 3, "discriminator", "generator"]
    assert {"l1", "gan", "features", "discriminator"} <= losses.keys()
    assert config.told()["features_file"] == "vgg.safetensors"  # and no folder of this machine
    assert Pix2PixConfig.model_validate(config.told()).lambda_features == 9
    with torch.device("meta"):
        assert method.networks["discriminator"].to("meta")(torch.zeros(1, 2, 256, 256)).shape == (1, 1, 15, 15)


def test_the_body_alone_counts_where_asked():
    config = Pix2PixConfig(generator="resnet_6", width=4, discriminator_width=4, lambda_gan=0, body_only=True, norm="instance")
    torch.manual_seed(0)
    method = Pix2Pix(config, DIRECTION)
    given = batch()
    outside = given[T1] + 0.5 * (given.masks[T1] == 0)
    changed = SliceBatch({CT: given[CT], T1: outside}, given.masks)
    torch.manual_seed(2)
    loss = method.training_step(given, Told())["l1"]
    torch.manual_seed(2)
    assert torch.equal(method.training_step(changed, Told())["l1"], loss)


def test_fast_cut_mirrors_half_of_the_sources_and_compares_them_in_place():
    torch.manual_seed(0)
    config = CutConfig(width=4, discriminator_width=4, blocks=6, receptive_field=16, patches=16, feature_size=16, identity=False)
    method = Cut(config.model_copy(update={"flip_equivariance": True}), DIRECTION)
    source = batch()[CT]
    with torch.no_grad():
        for parameter in method.networks["generator"].parameters():
            if parameter.ndim == 4:  # kernels that are their own mirror images: mirrored pictures have mirrored features
                parameter.copy_((parameter + parameter.flip(3)) / 2)
        costs = []
        for mirrored in (True, False):
            torch.manual_seed(3)
            costs.append(float(method._nce(source, source.flip(3), mirrored=mirrored)))
    assert costs[0] < 0.7 * costs[1]
    assert "nce_identity" not in method.training_step(batch(), Told())


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "ssim_cyclegan", "attention_gan"])
def test_patches_are_chosen_by_field_or_by_grid(name: str):
    config_type = method_cards()[name].config
    channels = 2 if name == "pix2pix" else 1
    for settings, across in (({"receptive_field": 34}, 62), ({"receptive_field": 142}, 14), ({"patch_grid": 15}, 15)):
        config = config_type(width=4, discriminator_width=4, **settings)
        with torch.device("meta"):
            method = load_method(name)(config, DIRECTION)
            judge = next(network for key, network in method.networks.items() if key.startswith(("judge", "discriminator")))
            assert judge.to("meta")(torch.zeros(1, channels, 256, 256)).shape == (1, 1, across, across)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"lambda_features": 1.0}, "--lambda-features needs --features-file"),
        ({"features_file": "vgg.safetensors"}, "does nothing without --lambda-features"),
        ({"lambda_penalty": 1.0, "lambda_gan": 0.0}, "--lambda-gan 0 has none"),
    ],
)
def test_options_of_pix2pix_that_would_do_nothing_are_refused(settings, says):
    with pytest.raises(CtmriError, match=says):
        validated(Pix2PixConfig, settings)


def test_features_can_be_taken_of_the_least_crop(tmp_path: Path):
    save_file(VggFeatures(1).state_dict(), tmp_path / "vgg.safetensors")
    config = Pix2PixConfig(
        generator="resnet_6", width=4, lambda_gan=0, norm="instance", lambda_features=1,
        features_file=str(tmp_path / "vgg.safetensors"),
    )  # fmt: skip
    assert config.least_crop == 16
    assert torch.isfinite(Pix2Pix(config, DIRECTION).training_step(batch(16), Told())["features"])


@pytest.mark.parametrize(("field", "layers"), DISCRIMINATOR_LAYERS.items())
def test_the_least_picture_of_a_patch_discriminator_has_one_judgement(field, layers):
    edge = least_for_patches(field)
    assert PatchGan(1, 2, layers)(torch.rand(1, 1, edge, edge)).shape == (1, 1, 1, 1)
    with pytest.raises((ValueError, RuntimeError)):
        PatchGan(1, 2, layers)(torch.rand(1, 1, edge - 1, edge - 1))


def test_crops_that_networks_do_not_take_are_refused_in_words():
    with pytest.raises(TrainingFailed, match=r"--crop 64: .* 96 pixels or more, in multiples of 4\."):
        AgganConfig(faithful=True).for_crop(64)
    with pytest.raises(TrainingFailed, match="256 pixels or more, in multiples of 256"):
        Pix2PixConfig().for_crop(300)
    with pytest.raises(TrainingFailed, match="64 pixels or more, in multiples of 32"):
        RegressorConfig().for_crop(32)


@pytest.mark.parametrize("network", ["unet", "unet_plus_plus"])
def test_a_regressor_begins_where_its_output_has_a_slope(network):
    """Behind a hyperbolic tangent nothing is learnt of pixels that begin at its ends."""
    config = RegressorConfig(network=network, width=16, context_slices=1)
    torch.manual_seed(0)
    begun = Regressor(config, DIRECTION).networks["generator"].train()
    made = begun(torch.rand(2, 1, config.least_crop, config.least_crop) * 2 - 1)
    assert (made.abs() > 0.95).float().mean() < 0.1 and made.std() > 0.05


def test_three_contrasts_are_trained_from_heads_and_exported_by_direction(tmp_path: Path):
    config = StarGanConfig(domains="ct,mr_t1,mr_t2", width=4, discriminator_width=4, discriminator_layers=3, blocks=1)
    settings = TrainingSettings(
        iterations=2, crop=32, spacing_mm=4.0, precision="32", device="cpu", tensorboard=False, validation_share=0.5,
        validation_slices=1,
    )  # fmt: skip
    result = finish(train("stargan", config, "phantom:2", DIRECTION, tmp_path / "run", settings, stop=never))
    assert result.reason == "completed", result.message
    assert len(result.models) == 6 and "mr_t2_to_ct" in result.models
    card = load_model(result.models["mr_t1_to_mr_t2"]).card
    assert card.config["domains"] == "ct,mr_t1,mr_t2" and card.config["picture_size"] == 32
    assert "mae_percent" in card.metrics, "every direction is scored where patients show all contrasts"
    assert len(list((tmp_path / "run" / "samples").iterdir())) == 6
