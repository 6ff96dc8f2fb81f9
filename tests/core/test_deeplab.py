"""DeepLabV3+: its published sizes and keys, its losses against worked figures, weights of others, and masks to learn from."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ctmri_core.case import Case
from ctmri_core.data.label_values import given_labels, label_numbers, prepared_labels
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError, ModelRefused, WrongInput
from ctmri_core.geometry import Geometry
from ctmri_core.losses.overlap import UNDECIDED, cross_entropy, dice_loss
from ctmri_core.methods.deeplab_v3_plus.card import CARD, DeepLabConfig
from ctmri_core.methods.deeplab_v3_plus.method import DeepLabV3Plus
from ctmri_core.networks.deeplab import DeepLab
from ctmri_core.preprocess.slice_grid import SliceGrid
from ctmri_core.training.overlap_sums import OverlapSums, found_labels
from ctmri_core.training.public_start import start_with_public_weights
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.volume import Volume

WAY = Direction(Domain.CT, Domain.MASK)


@pytest.mark.parametrize(
    ("backbone", "separable", "count"),
    [
        ("resnet_50", False, 39_756_962), ("mobilenet_v2", False, 5_220_834), ("resnet_34", True, 22_437_714),
        ("resnet_50", True, 26_677_842), ("mobilenet_v2", True, 4_378_770),
    ],
)  # fmt: skip
def test_it_has_the_parameters_of_public_implementations(backbone, separable, count):
    with torch.device("meta"):
        network = DeepLab(3, 2, backbone, separable=separable)
    assert sum(each.numel() for each in network.parameters()) == count


def test_its_keys_are_those_of_the_best_known_public_code():
    with torch.device("meta"):
        keys = set(DeepLab(3, 2, "resnet_50").state_dict())
    assert {
        "backbone.conv1.weight", "backbone.layer4.2.bn3.running_var", "backbone.layer1.0.downsample.1.bias",
        "classifier.project.0.weight", "classifier.aspp.convs.0.0.weight", "classifier.aspp.convs.3.1.weight",
        "classifier.aspp.convs.4.1.weight", "classifier.aspp.convs.4.2.bias", "classifier.aspp.project.0.weight",
        "classifier.classifier.0.weight", "classifier.classifier.3.bias",
    } <= keys  # fmt: skip


@pytest.mark.parametrize("backbone", ["resnet_34", "resnet_50", "mobilenet_v2"])
@pytest.mark.parametrize("stride", [8, 16])
def test_the_encoder_stops_at_the_output_stride_and_answers_have_the_size_of_pictures(backbone, stride):
    network = DeepLab(1, 4, backbone, output_stride=stride, width=8).eval()
    x = torch.rand(2, 1, 48, 64) * 2 - 1
    with torch.no_grad():
        features, answer, logits = network.backbone(x), network(x), network(x, logits=True)
    assert features[-1].shape[2:] == (48 // stride, 64 // stride)
    assert answer.shape == (2, 3, 48, 64) and logits.shape == (2, 4, 48, 64)
    assert torch.allclose((answer + 1) / 2, logits.softmax(1)[:, 1:], atol=1e-6)


@pytest.mark.parametrize("backbone", ["resnet_34", "resnet_50", "mobilenet_v2"])
def test_dilation_keeps_the_field_of_view_of_strides(backbone):
    """With the stride gone, every other value of a dilated layer is what the strided one would have given."""
    torch.manual_seed(0)
    plain, dilated = (DeepLab(1, 2, backbone, output_stride=stride, width=8).backbone.eval() for stride in (16, 8))
    dilated.load_state_dict(plain.state_dict())
    with torch.no_grad():
        x = torch.rand(1, 1, 64, 64)
        one, other = plain(x)[-1], dilated(x)[-1]
    assert one.shape[-1] * 2 == other.shape[-1]
    assert torch.allclose(one, other[..., ::2, ::2], atol=1e-4)


def test_the_losses_are_those_of_worked_examples():
    labels = torch.tensor([[[1, 0], [1, UNDECIDED]]])
    even = torch.zeros(1, 2, 2, 2)
    assert cross_entropy(even, labels).item() == pytest.approx(np.log(2))
    # of three counted pixels, half a share each: 2 * (0.5 + 0.5) + 1 over 3 * 0.25 + 2 + 1
    assert dice_loss(even, labels).item() == pytest.approx(1 - 3 / 3.75)
    right = torch.stack([1 - labels.clamp(max=1), labels.clamp(max=1)], 1) * 40.0
    assert cross_entropy(right, labels).item() < 1e-6 and dice_loss(right, labels).item() < 1e-6
    nothing = torch.full_like(labels, UNDECIDED)
    assert cross_entropy(even, nothing).item() == 0 and torch.isfinite(dice_loss(even, nothing))


def test_overlap_is_counted_over_all_slices_and_undecided_pixels_do_not_count():
    drawn = np.array([[1, 1, 0, 0], [2, 2, 2, UNDECIDED]], np.float32)[None, None]
    sure = np.full((1, 2, 2, 4), -1.0, np.float32)
    sure[0, 0, 0, 1:3] = 1.0  # of label 1 one of two, and one too many
    sure[0, 1, 1] = 1.0  # of label 2 all, and what is left open
    sums = OverlapSums()
    for _ in range(2):
        sums.add(sure, drawn, drawn > 0)
    metrics = sums.scores(WAY).metrics
    assert metrics["label_1_dice"] == 0.5 and metrics["label_2_dice"] == 1.0
    assert metrics["dice"] == 0.75 and metrics["iou"] == pytest.approx((1 / 3 + 1) / 2)


def test_the_surest_label_wins_over_what_is_left_for_the_background():
    shares = np.array([[0.3, 0.3], [0.45, 0.1], [0.2, 0.6]], np.float32)  # by pixel, of two labels
    found = found_labels((2 * shares.T[None, :, None] - 1).astype(np.float32))
    assert found.tolist() == [[[0, 0, 2]]]
    assert found_labels(np.full((1, 1, 1, 1), np.nan, np.float32)).item() == 0


def test_masks_are_numbers_of_labels():
    assert label_numbers(np.array([0, 255], np.uint8)).tolist() == [0, 1]
    assert label_numbers(np.array([0.0, 1.0])).tolist() == [0, 1]
    assert label_numbers(np.array([0, 2, 255])).tolist() == [0, 2, 255]
    for wrong in ([0.5], [-1], [256], [np.nan]):
        with pytest.raises(WrongInput, match="whole numbers"):
            label_numbers(np.array(wrong))


def test_labels_are_laid_on_the_prepared_grid_and_none_is_invented_between_two():
    labels = np.zeros((2, 40, 40), np.uint8)
    labels[:, 5:20, 5:35], labels[:, 20:35, 5:35] = 1, 3
    geometry = Geometry(labels.shape, (5.0, 1.0, 1.0))
    coarse = prepared_labels(labels, SliceGrid.plan(geometry, 1.6, None, 4))
    assert set(np.unique(coarse)) == {0, 1, 3}
    assert (coarse > 0).mean() * coarse[0].size * 1.6**2 == pytest.approx(900, rel=0.06)
    case = Case("one", {Domain.CT: Volume(labels.astype(np.int16), geometry, Domain.CT)}, labels=labels)
    assert given_labels(case, Domain.CT, together=False) is labels


def test_more_labels_than_have_names_are_refused_and_one_name_stands_for_all():
    method = DeepLabV3Plus(DeepLabConfig(width=8, labels="liver, spleen"), WAY)
    assert DeepLabConfig(labels="liver, spleen").label_names == ("liver", "spleen")
    picture = torch.zeros(1, 1, 32, 32)
    from ctmri_core.method import SliceBatch

    batch = SliceBatch({Domain.CT: picture, Domain.MASK: picture + 3}, {Domain.CT: picture})
    with pytest.raises(CtmriError, match="hold a label 3, and --labels names 2"):
        method.training_step(batch, lambda *_: None)
    one = DeepLabV3Plus(DeepLabConfig(width=8), WAY)
    assert one._labels(batch).unique().tolist() == [1]


@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_an_encoder_starts_with_public_weights_and_grey_stands_for_three_equal_colours(tmp_path, kind):
    torch.manual_seed(1)
    with torch.device("meta"):
        layout = DeepLab(3, 2, "resnet_34").backbone.state_dict()
    weights = {name: torch.rand(each.shape) if each.is_floating_point() else torch.tensor(0) for name, each in layout.items()}
    weights["fc.weight"] = torch.rand(10, 512)
    path = tmp_path / f"resnet34.{kind}"
    save_file(weights, path) if kind == "safetensors" else torch.save(weights, path)
    config = DeepLabConfig(backbone="resnet_34", backbone_file=str(path))
    method = DeepLabV3Plus(config, WAY)
    (note,) = start_with_public_weights(config, method, WAY)
    assert "resnet34" in note.message
    encoder = method.networks["generator"].backbone
    assert torch.equal(encoder.layer4[2].conv2.weight, weights["layer4.2.conv2.weight"])
    grey = torch.rand(1, 1, 32, 32) * 2 - 1
    deviation = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    photograph = ((grey + 1) / 2).expand(-1, 3, -1, -1)
    wanted, other = (
        torch.nn.functional.conv2d((each - mean) / deviation, weights["conv1.weight"], stride=2)
        for each in (photograph, photograph * 0)
    )  # fmt: skip
    with torch.no_grad():
        made = torch.nn.functional.conv2d(grey, encoder.conv1.weight, stride=2)
        black = torch.nn.functional.conv2d(grey * 0 - 1, encoder.conv1.weight, stride=2)
    assert torch.allclose(made - black, wanted - other, atol=1e-3)  # but for one constant a channel, the same
    assert json.loads(json.dumps(config.told()))["backbone_file"] == path.name


def test_weights_of_another_encoder_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    with torch.device("meta"):
        layout = DeepLab(3, 2, "resnet_34").backbone.state_dict()
    save_file({name: torch.zeros(each.shape) for name, each in layout.items()}, path)
    config = DeepLabConfig(backbone="mobilenet_v2", backbone_file=str(path))
    with pytest.raises(ModelRefused, match="lacks"):
        start_with_public_weights(config, DeepLabV3Plus(config, WAY), WAY)
    missing = config.model_copy(update={"backbone_file": str(tmp_path / "none.pth")})
    with pytest.raises(CtmriError, match=r"none\.pth: there is no such file"):
        start_with_public_weights(missing, DeepLabV3Plus(missing, WAY), WAY)


def test_a_run_that_outlines_is_judged_by_overlap_and_leads_to_masks_alone():
    plan = RunPlan.made(CARD, "prepared", WAY)
    assert plan.settings.best_metric == "dice"
    with pytest.raises(CtmriError, match="judged by dice, iou"):
        RunPlan.made(CARD, "prepared", WAY, settings={"best_metric": "mae"})
    with pytest.raises(CtmriError, match="learns to outline"):
        RunPlan.made(CARD, "prepared", Direction(Domain.CT, Domain.MR_T1))
