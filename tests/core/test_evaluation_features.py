"""What networks see in slices of an evaluation: a small fixed network against the layers asked by hand, numpy and torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError
from ctmri_core.evaluation.evaluate import EvaluationOrder, evaluate
from ctmri_core.evaluation.feature_scores import evenly
from ctmri_core.evaluation.report import write_report
from ctmri_core.evaluation.results import Evaluation
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.io.saving import save
from ctmri_core.networks.inception import InceptionFeatures
from ctmri_core.networks.vgg_features import VggFeatures
from ctmri_core.volume import Volume

SLICES, EDGE, CASES = 4, 40, 3


def scan(seed: int) -> np.ndarray:
    """HU of a block with a few tissues in air."""
    random = np.random.default_rng(seed)
    hu = np.full((SLICES, EDGE, EDGE), -1000.0)
    hu[:, 6:34, 8:32] = random.choice([-80.0, 30.0, 900.0], (SLICES, 28, 24))
    return hu.round()


def answer(seed: int) -> np.ndarray:
    return (scan(seed) + np.random.default_rng(seed + 100).normal(0, 60, (SLICES, EDGE, EDGE))).round()


def save_scan(hu: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    finish(save(Volume(hu.astype(np.int16), Geometry(hu.shape, (2.0, 2.0, 2.0)), Domain.CT), path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Truths, predictions, and weights of two small networks."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("features")
    for seed in range(CASES):
        save_scan(scan(seed), folder / "truth" / f"p{seed}_ct.nii.gz")
        save_scan(answer(seed), folder / "made" / f"p{seed}_ct.nii.gz")
        save_scan(np.where(scan(seed) > -1000, 1, 0), folder / "masks" / f"p{seed}_mask.nii.gz")
    generator = torch.Generator().manual_seed(0)
    for name, network in (("vgg", VggFeatures(2)), ("inception", InceptionFeatures(4))):
        weights = network.state_dict()
        for value in weights.values():
            if value.ndim == 4:
                value.copy_(torch.randn(value.shape, generator=generator) * (2.0 / value[0].numel()) ** 0.5)
        save_file(weights, folder / f"{name}.safetensors")
    return folder


def evaluated(folder: Path, out: Path, features: str, **changes: object) -> Evaluation:
    words = {"truth": folder / "truth", "masks": folder / "masks", "feature_weights": folder / f"{features}.safetensors"}
    order = EvaluationOrder(out, predictions=(folder / "made",), features=features, **{**words, **changes})  # type: ignore[arg-type]  # by the names of an order
    found = finish(evaluate(order))
    assert found is not None
    return found


def as_seen(hu: np.ndarray, seed: int) -> torch.Tensor:
    """(slices, 3, rows, columns) by the window that conventions tell, black outside the body, as photographs are normalised."""
    grey = np.where(scan(seed) > -1000, np.clip((hu + 1000) / 2000, 0, 1), 0).astype(np.float32)
    x = torch.from_numpy(grey)[:, None].expand(-1, 3, -1, -1)
    return (x - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def layers_of(folder: Path, x: torch.Tensor) -> list[torch.Tensor]:
    network, found = VggFeatures(2), []
    network.load_state_dict(load_file(folder / "vgg.safetensors"))
    with torch.inference_mode():
        for layer in network.features:
            if isinstance(layer, nn.MaxPool2d):
                found.append(x)
            x = layer(x)
    return found


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """As its authors write it; the trace of the root by the eigenvalues of the product."""
    roots = np.sqrt(np.clip(np.linalg.eigvals(np.cov(a.T) @ np.cov(b.T)).real, 0, None))
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T)) - 2 * roots.sum())


def test_distances_of_pairs_and_sets_by_hand(folder: Path, tmp_path: Path):
    found = evaluated(folder, tmp_path, "vgg")
    true, made, apart = [], [], {}
    for seed in range(CASES):
        pair = [layers_of(folder, as_seen(hu, seed)) for hu in (scan(seed), answer(seed))]
        true.append(pair[0][-1].mean((2, 3)).numpy().astype(np.float64))
        made.append(pair[1][-1].mean((2, 3)).numpy().astype(np.float64))
        squares = [((a - b) ** 2).mean((1, 2, 3)).numpy() for a, b in zip(*pair, strict=True)]
        apart[seed + 1] = np.mean(squares, axis=0).tolist()
    for scores in found.scores:
        assert scores.slices.values["feature_distance"] == pytest.approx(apart[scores.case], rel=1e-3)
        assert scores.values["feature_distance"] == pytest.approx(np.mean(apart[scores.case]), rel=1e-3)
        assert (scores.values["perceptual_distance"] or 0) > 0
    a, b = np.concatenate(true), np.concatenate(made)
    sets = found.models[0].set_scores
    assert sets["frechet_distance"] == pytest.approx(frechet(a, b), rel=1e-3)
    width = a.shape[1]
    kernels = [(x @ y.T / width + 1) ** 3 for x, y in ((a, a), (b, b), (a, b))]
    own = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in kernels[:2]]
    assert sets["kernel_distance"] == pytest.approx(sum(own) - 2 * kernels[2].mean(), rel=1e-3, abs=1e-6)
    metric = found.metric("frechet_distance")
    assert metric is not None and metric.set_level and "VGG-19 (weights " in metric.title
    assert "−1000 to 1000 HU" in metric.convention
    assert found.summary(1, "frechet_distance") is None and found.summary(1, "perceptual_distance") is not None
    assert any("no more than the 16 features" in problem.message for problem in found.problems)
    assert metric.title in write_report(tmp_path).read_text("utf-8")


def test_inception_sees_sets_alone_and_its_features_are_kept(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found = evaluated(folder, tmp_path, "inception")
    assert set(found.models[0].set_scores) == {"frechet_distance", "kernel_distance"}
    assert found.metric("feature_distance") is None and found.metric("mae") is not None
    kept = sorted((tmp_path / "scores").glob("*-features.npy"))
    assert len(kept) == CASES and np.load(kept[0]).shape == (2, SLICES, 256)
    with monkeypatch.context() as patch:
        patch.setattr("ctmri_core.evaluation.feature_scores.InceptionPictures.vectors", lambda *_: pytest.fail("seen again"))
        assert evaluated(folder, tmp_path, "inception").models == found.models
    kept[0].unlink()
    assert evaluated(folder, tmp_path, "inception").models == found.models


def test_other_weights_are_another_measure(folder: Path, tmp_path: Path):
    one = evaluated(folder, tmp_path / "out", "vgg", metrics=("mae", "frechet_distance"))
    assert [metric.key for metric in one.metrics] == ["mae", "frechet_distance"]
    other = tmp_path / "other.safetensors"
    save_file({name: 1.5 * value for name, value in load_file(folder / "vgg.safetensors").items()}, other)
    two = evaluated(folder, tmp_path / "out", "vgg", metrics=("mae", "frechet_distance"), feature_weights=other)
    assert one.metrics[1].title != two.metrics[1].title and one.models[0].set_scores != two.models[0].set_scores


def test_what_a_network_cannot_see_is_refused(folder: Path, tmp_path: Path):
    for changes, said in (
        ({"features": "", "feature_weights": None, "metrics": ("kernel_distance",)}, "--features vgg or inception"),
        ({"features": "inception", "metrics": ("perceptual_distance",)}, "--features vgg"),
        ({"features": "", "feature_weights": folder / "vgg.safetensors"}, "Say --features"),
        ({"features": "vgg", "feature_weights": folder / "inception.safetensors"}, "does not hold the weights of VGG-19"),
    ):
        words = {"features": "vgg", **changes}
        with pytest.raises(CtmriError, match=said):
            evaluated(folder, tmp_path, **words)  # type: ignore[arg-type]  # by the names of an order


def test_long_cases_are_shown_in_part():
    assert evenly(list(range(10, 20)), 4) == [10, 13, 16, 19] and evenly([3], 4) == [3]
