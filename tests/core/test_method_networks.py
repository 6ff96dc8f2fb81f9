"""Networks of the methods against published parameter counts, key names, sizes and properties."""

from __future__ import annotations

import re

import pytest
import torch
from monai.networks.nets import resnet34
from torch import nn
from torch.nn import functional

from ctmri_core.domain import Direction
from ctmri_core.losses.smoothness import flow_roughness
from ctmri_core.methods.aggan.card import AgganConfig
from ctmri_core.methods.aggan.method import Aggan
from ctmri_core.networks.antialiased_patchgan import AntialiasedPatchGan
from ctmri_core.networks.antialiased_resnet import AntialiasedResnetGenerator, BlurDown, BlurUp
from ctmri_core.networks.as_in_training import as_in_training
from ctmri_core.networks.attention_generators import AgganDiscriminator, AgganGenerator, AttentionGenerator
from ctmri_core.networks.conv_block import SampleLayerNorm
from ctmri_core.networks.patch_features import PatchFeatures
from ctmri_core.networks.patchgan import PatchGan
from ctmri_core.networks.plain_unet import PlainUnet
from ctmri_core.networks.registration_net import RegistrationNet, warp
from ctmri_core.networks.resnet_encoder import ResnetEncoder
from ctmri_core.networks.shared_latent import (
    DeepDiscriminator,
    PlainResidual,
    SharedLatentTranslator,
    private_decoder,
    private_encoder,
)
from ctmri_core.networks.stargan import StarganDiscriminator, StarganGenerator
from ctmri_core.networks.unet_generator import UnetGenerator
from ctmri_core.networks.unet_plus_plus import UnetPlusPlus
from ctmri_core.networks.unit import MultiScaleDiscriminator, UnitDecoder, UnitEncoder, UnitTranslator
from ctmri_core.networks.variational_resnet import LevelwiseDiscriminator, VariationalResnet
from ctmri_core.networks.vgg_features import VggFeatures


def unit(channels: int, width: int = 64) -> UnitTranslator:
    return UnitTranslator(UnitEncoder(channels, width), UnitDecoder(channels, width))


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda: unit(1), 11_127_937),
        (lambda: unit(3), 11_140_483),
        (lambda: MultiScaleDiscriminator(1), 8_265_027),
        (lambda: MultiScaleDiscriminator(3), 8_271_171),
        (lambda: AgganGenerator(3), 7_931_332),
        (lambda: AgganDiscriminator(3), 6_953_793),
        (lambda: AttentionGenerator(3), 11_822_949),
        (lambda: StarganGenerator(3, 2), 8_421_120),
        (lambda: StarganGenerator(3, 5), 8_430_528),
        (lambda: StarganDiscriminator(256, 3, 2), 44_786_624),
        (lambda: StarganDiscriminator(128, 3, 2), 44_737_472),
        (lambda: AntialiasedResnetGenerator(1), 11_365_633),
        (lambda: AntialiasedPatchGan(1), 2_762_689),
        (lambda: PatchFeatures((1, 128, 256, 256, 256)), 559_872),
        (lambda: RegistrationNet(), 2_058_018),
        (lambda: PlainUnet(), 25_046_657),
        (lambda: PatchGan(1, 64, 4, "batch", penultimate=False, bias=True), 2_764_481),
        (lambda: UnetPlusPlus(5), 26_084_881),
        (lambda: VggFeatures(), 20_024_384),
    ],
)
def test_networks_have_the_published_parameter_counts(make, count):
    with torch.device("meta"):
        assert parameters(make()) == count


@pytest.mark.parametrize(
    ("make", "count", "patterns"),
    [
        (
            lambda: unit(1), 48,
            r"enc\.model\.[012]\.conv\.\w+|enc\.model\.3\.model\.[0-3]\.model\.[01]\.conv\.\w+|"
            r"dec\.model\.0\.model\.[0-3]\.model\.[01]\.conv\.\w+|dec\.model\.[24]\.(conv\.\w+|norm\.(gamma|beta))|"
            r"dec\.model\.5\.conv\.\w+",
        ),
        (lambda: MultiScaleDiscriminator(1), 30, r"cnns\.[012]\.([0-3]\.conv|4)\.\w+"),
        (
            lambda: AgganGenerator(3), 135,
            r"model\.(1|2|4|5|7|8|17|18|20|22|25|26|28|30|33)\.\w+|model\.1[0-5]\.conv_block\.[1256]\.\w+",
        ),
        (lambda: AgganDiscriminator(3), 32, r"conv_tower\.\d+\.\w+"),
        (
            lambda: AttentionGenerator(3), 54,
            r"conv[123]\.\w+|resnet_blocks\.[0-8]\.conv[12]\.\w+|deconv[123]_(content|attention)\.\w+",
        ),
        (
            lambda: AntialiasedResnetGenerator(1), 52,
            r"model\.(1|4|8|22|26|30)\.\w+|model\.(1[2-9]|20)\.conv_block\.[15]\.\w+|model\.(7|11|21|25)\.filt",
        ),
        (lambda: AntialiasedPatchGan(1), 13, r"model\.(0|3|7|11|14)\.(weight|bias)|model\.(2|6|10)\.filt"),
        (lambda: StarganGenerator(3, 2), 52, r"main\.\d+\.(weight|bias)|main\.(9|1[0-4])\.main\.[0134]\.(weight|bias)"),
        (lambda: StarganDiscriminator(128), 14, r"main\.(0|2|4|6|8|10)\.\w+|conv[12]\.weight"),
        (lambda: PlainUnet(), 65, r"(enc[1-4]|bottleneck|dec[1-4]|final_upsample)\.[01]\.\w+"),
        (lambda: UnetPlusPlus(5), 350, r"encoder\..*|decoder\.blocks\.x_\d_\d\.conv[12]\.[01]\.\w+|segmentation_head\.0\.\w+"),
    ],
)  # fmt: skip
def test_keys_are_those_of_the_public_checkpoints(make, count, patterns):
    with torch.device("meta"):
        keys = list(make().state_dict())
    assert len(keys) == count
    assert [key for key in keys if not re.fullmatch(patterns, key)] == []


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda: unit(1, 8), 36),
        (lambda: AgganGenerator(1, 8, bounded=True), 36),
        (lambda: AttentionGenerator(1, 8), 36),
        (lambda: AntialiasedResnetGenerator(1, width=8), 36),
        (lambda: PlainUnet(8), 64),
        (lambda: VariationalResnet(1, 8), 36),
    ],
)
def test_generators_keep_size_and_range(make, size):
    torch.manual_seed(0)
    x = torch.rand(2, 1, size, size) * 2 - 1
    y = make()(x).detach()
    assert y.shape == x.shape and float(y.abs().max()) <= 1


def test_the_shared_latent_of_unit_is_halved_twice_and_judged_once():
    torch.manual_seed(0)
    encoder, decoder = private_encoder(1, 8), private_decoder(1, 8)
    x = torch.rand(1, 1, 64, 48) * 2 - 1
    latent = encoder(x)
    assert latent.shape == (1, 32, 16, 12)
    y = SharedLatentTranslator(encoder, PlainResidual(32), PlainResidual(32), decoder)(x).detach()
    assert y.shape == x.shape and float(y.abs().max()) <= 1
    assert [tuple(logits.shape) for logits in DeepDiscriminator(1, 2)(torch.zeros(1, 1, 256, 256))] == [(1, 1, 4, 4)]


def test_what_translates_as_in_training_uses_each_pictures_own_statistics():
    torch.manual_seed(0)
    plain = UnetGenerator(1, width=4, downs=5, dropout=False)
    network = as_in_training(UnetGenerator(1, width=4, downs=5, dropout=False))
    network.load_state_dict(plain.state_dict())
    pictures = torch.rand(3, 1, 64, 64) * 2 - 1
    assert torch.equal(plain(pictures), network(pictures))  # while training they are alike
    with torch.no_grad():
        alone = torch.cat([plain(picture[None]) for picture in pictures])  # still in training mode, one by one
        torch.testing.assert_close(network.eval()(pictures), alone)
        assert float((plain.eval()(pictures) - alone).abs().mean()) > 1e-3


def test_dropout_that_lasts_follows_from_its_seed_alone():
    torch.manual_seed(0)
    plain = UnetGenerator(1, width=4, downs=6).eval()
    lasting = as_in_training(UnetGenerator(1, width=4, downs=6))
    lasting.load_state_dict(plain.state_dict())
    lasting.eval()
    pictures = torch.rand(3, 1, 64, 64) * 2 - 1
    state = torch.get_rng_state()
    with torch.no_grad():
        together = lasting(pictures)
        alone = torch.cat([lasting(picture[None]) for picture in pictures])
        assert torch.equal(torch.get_rng_state(), state)  # nobody's random numbers are used
        torch.testing.assert_close(together, alone)
        without = as_in_training(UnetGenerator(1, width=4, downs=6, dropout=False)).eval()
        without.load_state_dict(plain.state_dict())
        assert not torch.equal(together, without(pictures))


def test_dropout_that_lasts_drops_the_share_it_should_and_keeps_the_mean():
    layers = as_in_training(nn.Sequential(nn.Dropout(0.3), nn.Dropout(0.3))).eval()
    x = torch.ones(1, 64, 32, 32)
    first, second = (layer(x) for layer in layers)
    assert abs(float((first == 0).float().mean()) - 0.3) < 0.01 and abs(float(first.mean()) - 1) < 0.01
    assert not torch.equal(first, second)


def test_layer_norm_of_a_sample_is_taken_in_float32():
    torch.manual_seed(0)
    x = torch.randn(2, 8, 64, 64) + 30
    norm = SampleLayerNorm(8).requires_grad_(False)
    short = norm(x.bfloat16()).float()
    assert norm(x.bfloat16()).dtype == torch.bfloat16
    assert float((short - norm(x.bfloat16().float())).abs().max()) < 0.02


def test_the_multi_scale_judge_sees_half_the_size_each_time():
    with torch.device("meta"):
        sizes = [logits.shape[-1] for logits in MultiScaleDiscriminator(1)(torch.zeros(1, 1, 256, 256))]
    assert sizes == [16, 8, 4]


def test_attention_maps_add_to_one_and_the_last_one_keeps_the_input():
    torch.manual_seed(1)
    network = AttentionGenerator(1, 8)
    x = torch.rand(1, 1, 16, 16) * 2 - 1
    _, attention = network.attend(x)
    torch.testing.assert_close(attention.sum(1), torch.ones(1, 16, 16))
    with torch.no_grad():
        network.deconv3_attention.weight.zero_()
        network.deconv3_attention.bias.fill_(-50.0)
        network.deconv3_attention.bias[-1] = 50.0
    torch.testing.assert_close(network(x), x)


def test_blur_keeps_constants_and_linear_ramps_inside():
    ramp = torch.arange(16.0).expand(1, 2, 16, 16)
    down, up = BlurDown(2)(ramp), BlurUp(2)(ramp)
    assert down.shape == (1, 2, 8, 8) and up.shape == (1, 2, 32, 32)
    torch.testing.assert_close(down[..., 1:-1], ramp[..., :8, 2:-2:2])
    expected = functional.interpolate(ramp, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(up, expected)  # [1, 3, 3, 1] is bilinear interpolation at pixel centres
    torch.testing.assert_close(BlurDown(2)(torch.ones(1, 2, 8, 8)), torch.ones(1, 2, 4, 4))


@pytest.mark.parametrize(("layers", "field"), [(1, 18), (2, 40), (3, 84), (4, 172)])
def test_the_judge_that_blurs_says_as_much_as_the_plain_one_of_patches_a_fifth_larger(layers, field):
    judge = AntialiasedPatchGan(1, 2, layers)
    for place, layer in enumerate(judge.model):
        if isinstance(layer, nn.InstanceNorm2d):
            judge.model[place] = nn.Identity()  # it would let every judgement see the whole picture
        elif isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 0.01)
    x = torch.ones(1, 1, 256, 256, requires_grad=True)
    said = judge(x)
    assert said.shape == PatchGan(1, 2, layers)(x).shape
    middle = said.shape[2] // 2
    (gradient,) = torch.autograd.grad(said[0, 0, middle, middle], x)
    assert int((gradient[0, 0].sum(0) != 0).sum()) == field


def test_a_stargan_changes_with_the_wanted_domain():
    torch.manual_seed(0)
    network = StarganGenerator(1, 2, 8)
    x = torch.rand(1, 1, 16, 16)
    one, other = (network(x, torch.tensor([target])) for target in ([1.0, 0.0], [0.0, 1.0]))
    assert float((one - other).detach().abs().mean()) > 1e-4


def test_warping_by_whole_pixels_moves_the_picture():
    picture = torch.rand(1, 1, 8, 9)
    flow = torch.zeros(1, 2, 8, 9)
    flow[:, 0], flow[:, 1] = 2, -1  # each pixel looks two rows down and one column to the left
    moved = warp(picture, flow)
    torch.testing.assert_close(moved[:, :, :6, 1:], picture[:, :, 2:, :-1], atol=1e-5, rtol=1e-5)


def test_the_registration_begins_near_rest_for_any_size():
    torch.manual_seed(0)
    x = torch.rand(1, 1, 50, 36)
    flow = RegistrationNet(width=8)(x, 1 - x)
    assert flow.shape == (1, 2, 50, 36) and float(flow.detach().abs().max()) < 0.05


def test_the_registration_finds_a_known_displacement():
    torch.manual_seed(0)
    picture = functional.interpolate(torch.rand(1, 1, 8, 8), (40, 40), mode="bicubic", align_corners=False)
    moving, fixed = (each[..., 4:36, 4:36] for each in (picture, picture.roll((2, -3), (2, 3))))
    network = RegistrationNet(width=8, levels=3)
    adam = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(60):
        flow = network(moving, fixed)
        off = (warp(moving, flow) - fixed).abs().mean()
        adam.zero_grad()
        (20 * off + 10 * flow_roughness(flow)).backward()
        adam.step()
    found = flow.detach()[0, :, 8:24, 8:24].mean((1, 2))
    torch.testing.assert_close(found, torch.tensor([-2.0, 3.0]), atol=0.3, rtol=0)
    assert float(off.detach()) < 0.2 * float((moving - fixed).abs().mean())


def test_the_residual_encoder_is_monais():
    torch.manual_seed(0)
    own = ResnetEncoder(5, 64)
    other = resnet34(
        spatial_dims=2, n_input_channels=5, conv1_t_stride=2, shortcut_type="B", bias_downsample=False, feed_forward=False
    )
    other.load_state_dict(own.state_dict())
    deep: list[torch.Tensor] = []
    for number in range(1, 5):
        other.get_submodule(f"layer{number}").register_forward_hook(lambda _, __, result: deep.append(result))
    with torch.no_grad():
        x = torch.rand(1, 5, 64, 64)
        other(x)
        for one, wanted in zip(own(x)[1:], deep, strict=True):
            torch.testing.assert_close(one, wanted)


@pytest.mark.parametrize("faithful", [False, True])
def test_aggan_judges_patches_unless_faithful(faithful):
    config = AgganConfig(width=4, discriminator_width=8, blocks=1, receptive_field=34, faithful=faithful)
    method = Aggan(config, Direction.parse("ct_to_mr_t1"))
    judged = method.networks["judge_ct"](torch.rand(2, 1, 96, 96))
    assert judged.shape == ((2, 1, 1, 1) if faithful else (2, 1, 22, 22))
    norms = {type(part) for network in method.networks.values() for part in network.modules() if "Norm" in type(part).__name__}
    assert norms == {torch.nn.BatchNorm2d if faithful else torch.nn.InstanceNorm2d}


def test_levels_learn_from_their_own_heads_alone():
    torch.manual_seed(0)
    judge = LevelwiseDiscriminator(1, 4, 3)
    logits = judge(torch.rand(1, 1, 32, 32), isolated=True)
    gradients = torch.autograd.grad(logits[-1].sum(), list(judge.trunk.parameters()), allow_unused=True)
    by_level = [sum(gradient is not None for gradient in gradients[2 * level : 2 * level + 2]) for level in range(3)]
    assert by_level == [0, 0, 2]
    through = torch.autograd.grad(judge(torch.rand(1, 1, 32, 32))[-1].sum(), list(judge.trunk.parameters()))
    assert all(float(gradient.abs().sum()) > 0 for gradient in through)


def test_patch_features_are_unit_vectors_at_the_same_places():
    torch.manual_seed(0)
    features = [torch.rand(2, 3, 8, 8), torch.rand(2, 5, 4, 4)]
    network = PatchFeatures((3, 5), 7)
    vectors, places = network(features, 10)
    assert [tuple(vector.shape) for vector in vectors] == [(2, 10, 7), (2, 10, 7)]
    torch.testing.assert_close(vectors[0].detach().norm(dim=2), torch.ones(2, 10))
    again, _ = network(features, 10, places)
    torch.testing.assert_close(again[1], vectors[1])
