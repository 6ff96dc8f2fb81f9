"""Losses against their formulas worked out in NumPy."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file, save_file
from skimage.metrics import structural_similarity

from ctmri_core.errors import ModelRefused
from ctmri_core.losses.adversarial import adversarial_loss, discriminator_loss
from ctmri_core.losses.contrastive import patch_nce
from ctmri_core.losses.features import FeatureDistance
from ctmri_core.losses.gradient_penalty import gradient_penalty
from ctmri_core.losses.image_pool import ImagePool
from ctmri_core.losses.latent import gaussian_kl, unit_variance_kl
from ctmri_core.losses.pixelwise import edge_loss, l1_loss, l2_loss
from ctmri_core.losses.smoothness import flow_roughness, total_variation
from ctmri_core.losses.structural import ssim_loss
from ctmri_core.networks.patchgan import PatchGan
from ctmri_core.networks.stargan import StarganDiscriminator
from ctmri_core.networks.vgg_features import VggFeatures
from ctmri_core.translators import bare

LOGITS = torch.tensor([[-3.0, 0.0], [0.5, 40.0]], dtype=torch.float64)


@pytest.mark.parametrize("real", [True, False])
def test_vanilla_is_the_negative_log_likelihood(real: bool):
    z = LOGITS.numpy()
    expected = np.logaddexp(0, -z if real else z).mean()  # -log sigmoid(z), -log(1 - sigmoid(z))
    assert adversarial_loss(LOGITS, real=real, kind="vanilla").item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("real", [True, False])
def test_least_squares(real: bool):
    expected = ((LOGITS.numpy() - real) ** 2).mean()
    assert adversarial_loss(LOGITS, real=real, kind="lsgan").item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["vanilla", "lsgan"])
def test_a_discriminator_that_is_right_has_almost_no_loss_and_learns_at_half_speed(kind):
    sure = torch.full((1, 1, 3, 3), 30.0 if kind == "vanilla" else 1.0)
    wrong = -sure if kind == "vanilla" else torch.zeros_like(sure)
    assert discriminator_loss(sure, wrong, kind).item() == pytest.approx(0, abs=1e-9)
    unsure = torch.zeros(1, 1, 3, 3)
    separate = sum(adversarial_loss(unsure, real=real, kind=kind).item() for real in (True, False))
    assert discriminator_loss(unsure, unsure, kind).item() == pytest.approx(separate / 2)


def test_l1_is_numpys_and_a_mask_is_a_weighted_mean():
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 2, 1, 5, 5))
    mask = random.random((2, 1, 5, 5)) > 0.6
    tensors = [torch.from_numpy(x) for x in (a, b)]
    assert l1_loss(*tensors).item() == pytest.approx(np.abs(a - b).mean())
    assert l1_loss(*tensors, torch.from_numpy(mask)).item() == pytest.approx(np.abs(a - b)[mask].mean())
    assert l1_loss(*tensors, torch.zeros(2, 1, 5, 5)).item() == 0


def test_ssim_loss_is_one_minus_scikit_images_ssim():
    one, other = np.random.default_rng(0).uniform(-1, 1, (2, 1, 1, 40, 36))
    other = 0.7 * one + 0.3 * other
    settings = {"data_range": 2.0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "full": True}
    _, everywhere = structural_similarity(one[0, 0], other[0, 0], **settings)
    loss = ssim_loss(torch.from_numpy(one), torch.from_numpy(other), data_range=2.0)
    assert float(loss) == pytest.approx(1 - everywhere[5:-5, 5:-5].mean(), abs=1e-5)


def test_the_gradient_penalty_of_a_linear_judge_is_known():
    torch.manual_seed(0)
    direction = torch.randn(1, 2, 4, 4)
    real, synthetic = torch.randn(2, 3, 2, 4, 4)
    penalty = gradient_penalty(lambda x: (x * direction).sum((1, 2, 3)), real, synthetic)
    assert float(penalty) == pytest.approx((float(direction.norm()) - 1) ** 2, rel=1e-5)


@pytest.mark.parametrize("make", [lambda: StarganDiscriminator(32, 1, 2, 8, 3), lambda: PatchGan(1, 8, 2, "batch")])
def test_the_gradient_penalty_is_taken_in_float32_of_networks_that_are_trained_in_bfloat16(make):
    def judge(network):
        return lambda x: network(x)[0] if isinstance(network, StarganDiscriminator) else network(x)

    torch.manual_seed(0)
    network = make()
    real, synthetic = torch.rand(2, 3, 1, 32, 32) * 2 - 1
    torch.manual_seed(1)
    expected = gradient_penalty(judge(network), real, synthetic)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    wrapped = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed").setup_module(network)
    torch.manual_seed(1)
    penalty = gradient_penalty(judge(bare(wrapped)), real, synthetic)
    assert torch.equal(penalty, expected) and bare(network) is network
    gradients = torch.autograd.grad(penalty, list(network.parameters()), allow_unused=True)
    assert sum(float(gradient.abs().sum()) for gradient in gradients if gradient is not None) > 0


@pytest.fixture(scope="module")
def small_vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layers and names of VGG-19, two channels wide at first, with fixed random weights: it recognises nothing."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vgg") / "small.safetensors"
    others = {"classifier.0.weight": torch.zeros(1)}  # public files hold these as well
    save_file(VggFeatures(2).state_dict() | others, path)
    return path


def test_the_distance_of_features_is_that_of_the_layers_by_hand(small_vgg: Path):
    one, other = torch.rand(2, 1, 1, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    distance = FeatureDistance(small_vgg)
    assert float(distance(one, one)) == 0
    network = VggFeatures(2)
    network.load_state_dict({name: value for name, value in load_file(small_vgg).items() if name.startswith("features.")})
    seen = []
    for picture in (one, other):
        rgb = ((picture + 1) / 2).expand(-1, 3, -1, -1)
        x = (rgb - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[:, None, None]
        found = []
        for layer in network.features:  # before each halving and at the end
            if isinstance(layer, torch.nn.MaxPool2d):
                found.append(x)
            x = layer(x)
        seen.append(found)
    expected = np.mean([float((a - b).detach().square().mean()) for a, b in zip(*seen, strict=True)])
    assert len(seen[0]) == 5 and float(distance(one, other)) == pytest.approx(expected, rel=1e-4)
    learning = other.clone().requires_grad_()
    distance(learning, one).backward()
    assert float(learning.grad.abs().sum()) > 0


def test_files_that_hold_no_features_are_refused(small_vgg: Path, tmp_path: Path):
    with pytest.raises(ModelRefused, match="no such file"):
        FeatureDistance(tmp_path / "absent.safetensors")
    weights = load_file(small_vgg)
    changes = (
        {}, {"features.2.weight": torch.zeros(3)}, {"features.0.bias": torch.full((2,), torch.nan)},
        {"features.0.weight": torch.tensor(1.0)}, {"features.0.weight": torch.zeros(0, 3, 3, 3)},
        {"features.0.weight": torch.zeros(200_000, 3, 3, 3)},  # whose other layers would take 2 TB
        {"features.0.bias": torch.zeros(2, dtype=torch.int32)}, {"features.0.bias": torch.zeros(2, dtype=torch.complex64)},
        {"features.36.weight": torch.zeros(1)},
    )  # fmt: skip
    for number, change in enumerate(changes):
        path = tmp_path / f"{number}.safetensors"
        save_file((weights | change) if change else {"a": torch.zeros(1)}, path)
        with pytest.raises(ModelRefused, match=rf"{number}\.safetensors"):
            FeatureDistance(path)
    (tmp_path / "pickle.safetensors").write_bytes(b"PK\3\4")
    with pytest.raises(ModelRefused, match="VGG-19"):
        FeatureDistance(tmp_path / "pickle.safetensors")


def test_features_of_half_precision_are_taken_and_no_random_number_is_spent(small_vgg: Path, tmp_path: Path):
    save_file({name: value.half() for name, value in load_file(small_vgg).items()}, tmp_path / "half.safetensors")
    one, other = torch.rand(2, 1, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    state = torch.get_rng_state()
    halves = FeatureDistance(tmp_path / "half.safetensors")
    assert torch.equal(torch.get_rng_state(), state)
    (tmp_path / "half.safetensors").write_bytes(b"")  # a run goes on when the file does not
    assert float(halves(one, other)) == pytest.approx(float(FeatureDistance(small_vgg)(one, other)), rel=0.01)


def test_the_kl_of_a_gaussian_is_that_of_torch():
    mean, log_variance = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    normal = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).mean()
    assert float(gaussian_kl(mean, log_variance)) == pytest.approx(float(expected), rel=1e-5)
    unit = torch.distributions.kl_divergence(torch.distributions.Normal(mean, 1.0), torch.distributions.Normal(0.0, 1.0)).mean()
    assert float(unit_variance_kl(mean)) == pytest.approx(2 * float(unit), rel=1e-5)


def test_a_ramp_has_a_known_variation_and_roughness():
    ramp = torch.arange(5.0).expand(2, 1, 4, 5)
    assert float(total_variation(ramp)) == 4 * 4  # four rows of four steps, per sample
    assert float(flow_roughness(ramp)) == 1.0


def test_patches_that_know_their_place_cost_less():
    keys = torch.nn.functional.normalize(torch.randn(1, 20, 64, generator=torch.Generator().manual_seed(0)), dim=2)
    assert float(patch_nce(keys, keys)) < 0.01
    assert float(patch_nce(keys.roll(1, 1), keys)) > 5
    assert float(patch_nce(torch.ones_like(keys) / 8, torch.ones_like(keys) / 8)) == pytest.approx(np.log(20), rel=1e-5)


def test_a_pool_returns_old_pictures_half_of_the_time_and_its_state_comes_back():
    torch.manual_seed(0)
    pool = ImagePool(4)
    first = torch.arange(4.0).reshape(4, 1, 1, 1)
    assert torch.equal(pool.exchange(first), first)
    answers = torch.cat([pool.exchange(torch.full((1, 1, 1, 1), 100.0 + n)) for n in range(400)])
    new = torch.arange(100.0, 500.0).reshape(answers.shape)
    assert 0.4 < float((answers == new).float().mean()) < 0.6
    other = ImagePool(4)
    other.load_state_dict("pool", pool.state_dict("pool"), torch.device("cpu"))
    torch.manual_seed(1)
    expected = pool.exchange(first)
    torch.manual_seed(1)
    assert torch.equal(other.exchange(first), expected)
    nothing = ImagePool(0)
    assert torch.equal(nothing.exchange(first), first) and nothing.state_dict("pool") == {}


def test_l2_is_numpys_and_a_mask_is_a_weighted_mean():
    a, b = np.random.default_rng(0).normal(size=(2, 2, 1, 5, 5))
    mask = np.random.default_rng(1).random((2, 1, 5, 5)) > 0.6
    tensors = [torch.from_numpy(x) for x in (a, b)]
    assert l2_loss(*tensors).item() == pytest.approx(((a - b) ** 2).mean())
    assert l2_loss(*tensors, torch.from_numpy(mask).double()).item() == pytest.approx(((a - b) ** 2)[mask].mean())
    assert l2_loss(*tensors, torch.zeros(2, 1, 5, 5, dtype=torch.float64)).item() == 0


def test_steps_between_neighbours_against_differences_in_numpy():
    a, b = np.random.default_rng(0).normal(size=(2, 2, 1, 6, 7))
    tensors = [torch.from_numpy(x) for x in (a, b)]
    expected = sum(np.abs(np.diff(a, axis=axis) - np.diff(b, axis=axis)).mean() for axis in (2, 3))
    assert edge_loss(*tensors).item() == pytest.approx(expected)
    assert edge_loss(tensors[0], tensors[0] + 5.0).item() == pytest.approx(0, abs=1e-12), "a constant has no edges"
    weight = torch.zeros(2, 1, 6, 7, dtype=torch.float64)
    weight[:, :, 1:4, 2:6] = 1
    inside = [tensor[:, :, 1:4, 2:6] for tensor in tensors]
    assert edge_loss(*tensors, weight).item() == pytest.approx(edge_loss(*inside).item())
    assert edge_loss(*tensors, torch.zeros_like(weight)).item() == 0


def test_weighted_structure_counts_windows_by_their_middle():
    a, b = torch.rand(2, 1, 1, 24, 24, dtype=torch.float64)
    one, half = torch.ones_like(a), torch.zeros_like(a)
    half[..., :12] = 1
    whole = ssim_loss(a, b, data_range=1.0).item()
    assert ssim_loss(a, b, data_range=1.0, weight=one).item() == pytest.approx(whole)
    left, right = (ssim_loss(a, b, data_range=1.0, weight=each).item() for each in (half, 1 - half))
    assert (left + right) / 2 == pytest.approx(whole), "each half has as many windows"
    cut = ssim_loss(a[..., :17], b[..., :17], data_range=1.0).item()  # windows around columns 5 to 11
    assert left == pytest.approx(cut)
    assert ssim_loss(a, b, data_range=1.0, weight=torch.zeros_like(a)).item() == 0
