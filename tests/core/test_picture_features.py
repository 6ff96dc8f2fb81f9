"""Networks that see pictures: the published ones in shape and name, and small fixed ones of the same layers by hand."""

import importlib.util

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from ctmri_core.errors import GeometryMismatch, ModelRefused, NotComparable
from ctmri_core.metrics.feature_pairs import feature_distance, perceptual_distance
from ctmri_core.metrics.feature_sets import frechet_distance, kernel_distance
from ctmri_core.networks.inception import InceptionFeatures
from ctmri_core.networks.picture_features import InceptionPictures, VggPictures
from ctmri_core.networks.public_weights import VGG_19, fingerprint, network_from_file, network_from_torchvision
from ctmri_core.networks.vgg_features import VggFeatures


def _filled(network):
    """With fixed numbers that keep the features of the last layer apart."""
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            size = (2.0 / value[0].numel()) ** 0.5 if value.ndim == 4 else 0.1
            value.copy_(torch.randn(value.shape, generator=generator) * size + (name.endswith(("bn.weight", "running_var"))))
            if name.endswith("running_var"):
                value.abs_()
    return network.eval()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Weights of two small networks, with what public files hold besides."""
    folder = tmp_path_factory.mktemp("weights")
    vgg, inception = folder / "vgg.safetensors", folder / "inception.safetensors"
    save_file(_filled(VggFeatures(2)).state_dict() | {"classifier.0.weight": torch.zeros(1)}, vgg)
    others = {"fc.weight": torch.zeros(3, 3), "AuxLogits.conv0.conv.weight": torch.zeros(1)}
    save_file(_filled(InceptionFeatures(4)).state_dict() | others, inception)
    return vgg, inception


@pytest.fixture(scope="module")
def pictures():
    """(24, 40, 44) in [0, 1]: waves of different lengths."""
    rows, columns = np.mgrid[:40, :44]
    lengths = np.linspace(3, 12, 24)[:, None, None]
    return 0.5 + 0.5 * np.sin(rows / lengths) * np.cos(columns / (20 - lengths))


def test_inception_has_the_published_number_of_weights():
    with torch.device("meta"):
        network = InceptionFeatures()
        assert sum(value.numel() for value in network.parameters()) == 23_834_568 - 2049 * 1000  # without the classifier
        assert network.eval()(torch.zeros(1, 3, 299, 299)).shape == (1, 2048)


def test_pools_of_the_fid_leave_out_the_padding_and_take_the_largest_at_the_end():
    fid, plain = (_filled(InceptionFeatures(4, of_fid=of_fid)) for of_fid in (True, False))
    x = torch.rand(1, plain.Mixed_5b.branch1x1.conv.in_channels, 5, 5, generator=torch.Generator().manual_seed(1))
    inside = functional.avg_pool2d(x, 3, 1, 1) * 9 / functional.conv2d(torch.ones(1, 1, 5, 5), torch.ones(1, 1, 3, 3), padding=1)
    for network, pooled in ((fid, inside), (plain, functional.avg_pool2d(x, 3, 1, 1))):
        found = network.Mixed_5b(x)[:, -4:]
        assert torch.allclose(found, network.Mixed_5b.branch_pool(pooled), atol=1e-5)
    x = torch.rand(1, fid.Mixed_7c.branch1x1.conv.in_channels, 4, 4, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(fid.Mixed_7c(x)[:, -24:], fid.Mixed_7c.branch_pool(functional.max_pool2d(x, 3, 1, 1)), atol=1e-5)


def test_inception_is_that_of_torchvision():
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    from torchvision.models.inception import Inception3

    theirs = Inception3(init_weights=False).eval()
    theirs.fc = nn.Identity()
    ours = InceptionFeatures(of_fid=False).eval()
    ours.load_state_dict({name: value for name, value in theirs.state_dict().items() if not name.startswith("AuxLogits")})
    x = torch.rand(1, 3, 299, 299) * 2 - 1
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), theirs(x))


def test_vectors_and_layers_of_vgg_are_those_of_its_layers(files, pictures):
    seen = VggPictures(files[0])
    network = VggFeatures(2)
    network.load_state_dict({name: value for name, value in load_file(files[0]).items() if name.startswith("features.")})
    x = torch.from_numpy(pictures).float()[:, None].expand(-1, 3, -1, -1)
    x = (x - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    found = []
    with torch.inference_mode():
        for layer in network.features:
            if isinstance(layer, nn.MaxPool2d):
                found.append(x)
            x = layer(x)
    np.testing.assert_allclose(seen.vectors(pictures), found[-1].mean((2, 3)).numpy(), rtol=1e-4, atol=1e-6)
    for ours, theirs in zip(seen.layers(pictures[9]), found, strict=True):
        np.testing.assert_allclose(ours, theirs[9].numpy(), rtol=1e-4, atol=1e-5)


def test_vectors_of_inception_are_those_of_the_network_at_its_size(files, pictures):
    network = InceptionFeatures(4)
    network.load_state_dict({name: value for name, value in load_file(files[1]).items() if name.startswith(("Conv", "Mixed"))})
    x = functional.interpolate(torch.from_numpy(pictures[:3]).float()[:, None], (299, 299), mode="bilinear", align_corners=False)
    with torch.inference_mode():
        expected = network.eval()(2 * x.expand(-1, 3, -1, -1) - 1).numpy()
    np.testing.assert_allclose(InceptionPictures(files[1]).vectors(pictures[:3]), expected, rtol=1e-4, atol=1e-6)


def test_names_tell_the_weights_and_not_their_file(files, tmp_path):
    again = tmp_path / "other name.safetensors"
    weights = load_file(files[1])
    save_file({name: value for name, value in weights.items() if not name.endswith("num_batches_tracked")}, again)
    one, other = InceptionPictures(files[1]).name, InceptionPictures(again).name
    assert one == other and one.startswith("Inception v3 of the FID (weights ")
    weights["Conv2d_1a_3x3.bn.bias"] += 1
    save_file(weights, again)
    assert InceptionPictures(again).name != one
    assert VggPictures(files[0]).name == f"VGG-19 (weights {fingerprint(network_from_file(VGG_19, files[0]))})"


def test_distances_grow_with_what_is_done_to_the_pictures(files, pictures):
    vgg = VggPictures(files[0])
    rng = np.random.default_rng(0)
    worse = [np.clip(pictures + rng.normal(0, amount, pictures.shape), 0, 1) for amount in (0.0, 0.05, 0.4)]
    vectors = [vgg.vectors(changed) for changed in worse]
    sets = [frechet_distance(vectors[0], other) for other in vectors]
    assert sets[0] == pytest.approx(0, abs=1e-9) and sets[0] < sets[1] < sets[2]
    assert kernel_distance(vectors[0], vectors[1]) < kernel_distance(vectors[0], vectors[2])
    layers = [vgg.layers(changed[3]) for changed in worse]
    for distance in (feature_distance, perceptual_distance):
        found = [distance(layers[0], other) for other in layers]
        assert found[0] == 0 and found[0] < found[1] < found[2]


def test_pictures_that_no_network_sees_are_refused(files, pictures):
    vgg = VggPictures(files[0])
    for wrong in (255 * pictures, pictures - 0.5, np.full((1, 20, 20), np.nan)):
        with pytest.raises(NotComparable, match="go from 0 to 1"):
            vgg.vectors(wrong)
    with pytest.raises(GeometryMismatch, match="16 x 16"):
        vgg.vectors(pictures[:, :15])
    with pytest.raises(GeometryMismatch, match="rows, columns"):
        vgg.vectors(pictures[0])


def test_files_without_these_weights_are_refused(files, tmp_path):
    with pytest.raises(ModelRefused, match="no such file"):
        InceptionPictures(tmp_path / "absent.safetensors")
    with pytest.raises(ModelRefused, match=r"vgg\.safetensors does not hold the weights of Inception v3 of the FID"):
        InceptionPictures(files[0])
    with pytest.raises(ModelRefused, match="weights of VGG-19"):
        VggPictures(files[1])


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is not None, reason="torchvision is installed")
def test_without_torchvision_a_file_is_asked_for():
    with pytest.raises(ModelRefused, match="not installed"):
        network_from_torchvision(VGG_19)
    with pytest.raises(ModelRefused, match="Give a file"):
        InceptionPictures()
