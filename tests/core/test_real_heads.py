"""The experiment on real heads: its lists and settings hold together, and its smallest slice runs from pictures to scores."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import nibabel
import numpy as np
import pytest
import torch
from PIL import Image

from ctmri_core.cli.main import main
from ctmri_core.config_flags import validated
from ctmri_core.domain import Direction, Domain
from ctmri_core.model_card import read_card
from ctmri_core.model_file import load_model, save_model
from ctmri_core.registry import method_cards
from ctmri_core.resources_folder import noncommercial_folder
from ctmri_core.training.settings import settings_for
from ctmri_core.training.settings_file import read_settings

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
KEPT = BENCHMARKS / "real_heads"
METHODS = sorted(path.stem for path in KEPT.glob("*.toml"))


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """They import each other as scripts do."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    for name in [name for name in sys.modules if name.startswith("real_heads")]:
        del sys.modules[name]


@pytest.fixture
def subjects(scripts: None) -> ModuleType:
    import real_heads_subjects

    return real_heads_subjects


def lists(name: str) -> dict[str, list[str]]:
    return json.loads((KEPT / f"{name}.json").read_text())


def flips(picture: np.ndarray) -> list[np.ndarray]:
    """A file's axes may run either way."""
    return [picture[::one, ::other] for one in (1, -1) for other in (1, -1)]


def test_every_translation_method_has_settings_that_it_takes():
    assert {card.name for card in method_cards().values() if not card.outlines} == set(METHODS)
    for name in METHODS:
        card, stored = method_cards()[name], read_settings(KEPT / f"{name}.toml")
        assert stored["method"] == name
        config = validated(card.config, stored["config"])
        settings_for(card, stored["settings"])
        config.for_crop(128)


@pytest.mark.parametrize("path", sorted((KEPT / "pushed").glob("*.toml")), ids=lambda path: path.stem)
def test_the_pushed_recipes_are_taken_as_they_are_told(path: Path):
    stored = read_settings(path)
    card = method_cards()[stored["method"]]
    config = validated(card.config, stored["config"])
    config.for_crop(settings_for(card, stored["settings"]).crop)


@pytest.mark.parametrize(
    ("model", "recipe"), [("heads_mr_t1_to_ct", "mr_t1_to_ct_bent"), ("heads_ct_to_mr_t1", "ct_to_mr_t1_deeper")]
)
def test_the_models_that_ship_were_learnt_by_the_recipes_that_are_kept(model: str, recipe: str):
    """What a card tells of its training is what the recipe's file says."""
    path = noncommercial_folder() / f"{model}.safetensors"
    if not path.exists():
        pytest.skip("everything works without these models")
    told = read_card(path)
    stored = read_settings(KEPT / "pushed" / f"{recipe}.toml")
    assert stored["method"] == told.method
    assert stored["config"].items() <= told.config.items()
    assert stored["settings"].items() <= told.training.items()


def test_nobody_teaches_and_validates_and_every_centre_does_both():
    split, plain = lists("split"), lists("split_unenhanced")
    assert (len(split["train"]), len(split["validation"])) == (120, 30)
    assert not set(split["train"]) & set(split["validation"])
    assert {centre: sum(key[2] == centre for key in split["validation"]) for centre in "ABC"} == dict.fromkeys("ABC", 10)
    with (KEPT / "contrast.csv").open() as handle:
        labels = {row["subject"]: row["contrast"] for row in csv.DictReader(handle)}
    assert set(labels) == {*split["train"], *split["validation"]}
    for side, keys in plain.items():
        assert keys == [key for key in split[side] if labels[key] == "unenhanced"]
        share = len(keys) / len(split[side])
        assert share == pytest.approx(sum(label == "unenhanced" for label in labels.values()) / 150, abs=0.05)


def test_labels_and_lists_are_what_the_rule_makes_of_the_data(subjects: ModuleType, shared_data: Path):
    """Of every 19th subject; the split follows from all labels."""
    with (KEPT / "contrast.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    for row in rows[::19]:
        ratio = subjects.vessel_ratio(shared_data / "synthrad_brain_slices" / row["subject"])
        assert f"{ratio:.2f}" == row["vessel_ratio"]
        assert subjects.label_of(ratio) == row["contrast"]
    assert subjects.split_of({row["subject"]: row["contrast"] for row in rows}) == lists("split")


def test_the_smallest_slice_of_it_runs_from_pictures_to_scores(
    scripts: None, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Two heads teach a tiny network for some steps, a third is translated: better than air everywhere."""
    import real_heads_card
    import real_heads_scores

    heads = ("1BA001", "1BB002", "1BC001")
    data = tmp_path / "heads"
    for head in heads:
        (data / head).mkdir(parents=True)
        for picture in (shared_data / "synthrad_brain_slices" / head).glob("*.png"):
            (data / head / picture.name).symlink_to(picture)
    (tmp_path / "split.json").write_text(json.dumps({"train": heads[:2], "validation": heads[2:]}))
    flags = ["--mr-scaling", "interior", "--three-planes", "--spacing-mm", "2", "--no-check"]
    place = ["--out", str(tmp_path / "prepared"), "--split", str(tmp_path / "split.json")]
    assert main(["prepare", str(data), *place, *flags]) == 0
    asked = ["--config", str(KEPT / "regressor.toml"), "--data", str(tmp_path / "prepared"), "--direction", "mr_t1_to_ct"]
    small = ["--width", "8", "--blocks", "1", "--batch-size", "2", "--crop", "64", "--iterations", "40", "--no-tensorboard"]
    assert main(["train", "regressor", "--run", str(tmp_path / "run"), *asked, *small, "--validate-every", "40"]) == 0
    capsys.readouterr()
    model = tmp_path / "run" / "models" / "regressor-mr_t1_to_ct.safetensors"
    found = real_heads_scores.whole_pictures(model, data, heads[2:], Direction.parse("mr_t1_to_ct"))
    assert [each.plane for each in found] == ["axial", "coronal", "sagittal"]
    for each in found:
        assert each.centre == "C"
        assert 0 < each.error < 600, "air everywhere is some 700 HU off"
        assert 0 < each.mse < 1
        assert min(each.ssim, each.wide, each.masked) >= -1 and max(each.ssim, each.wide, each.cleared) < 1
    card = real_heads_card.described(read_card(model), found, heads[:2])
    mean = np.mean([each.error for each in found])
    assert card.metrics["mae_hu"] == card.metrics["mae_hu_centre_C"] == pytest.approx(mean, abs=1e-4)
    assert f"(by hospital C {card.metrics['mae_hu']:.0f}; axial" in card.limitations
    assert "of 2 heads (by hospital A 1, B 1)" in card.limitations
    assert card.takes(Domain.MR_T1_GD) and not card.takes(Domain.MR_T2) and card.weights_sha256 == read_card(model).weights_sha256
    real, inside = (np.asarray(Image.open(data / heads[2] / f"{name}_axial.png")) for name in ("ct", "mask"))
    arguments = ["translate", str(data / heads[2] / "mr_t1_axial.png"), "--model", str(model), "--precision", "float32"]
    assert main([*arguments, "--modality", "mr_t1", "--output", str(tmp_path / "made.nii.gz")]) == 0
    capsys.readouterr()
    made = np.asarray(nibabel.load(tmp_path / "made.nii.gz").dataobj)[:, :, 0].T
    errors = [np.abs(seen - (real.astype(float) - 1024))[inside > 0].mean() for seen in flips(made)]
    assert min(errors) == pytest.approx(found[0].error, rel=1e-4), "as the command line translates, against Pillow and nibabel"


def test_what_differs_from_slice_to_slice_alone_is_rough_across_and_what_differs_everywhere_is_not(scripts: None):
    from real_heads_jitter import roughness

    noise, steps = np.random.default_rng(0).normal(size=(24, 24, 24)), np.random.default_rng(1).normal(size=(24, 1, 1))
    inside = np.ones(noise.shape, bool)
    assert roughness(noise, inside, (1, 1, 1)) == pytest.approx(1, abs=0.03)
    assert roughness(0.01 * noise + steps, inside, (1, 1, 1)) > 20
    assert roughness(noise, inside, (2, 1, 1)) == pytest.approx(0.25, abs=0.01)


def test_deeper_answers_alike_and_the_mean_of_two_is_theirs(scripts: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import real_heads_deeper
    import real_heads_mean

    def called(script: ModuleType, *words: object) -> None:
        monkeypatch.setattr(sys, "argv", [script.__name__, *map(str, words)])
        script.main()

    one = noncommercial_folder() / "heads_mr_t1_to_ct.safetensors"
    if not one.exists():
        pytest.skip("everything works without these models")
    model, moved = load_model(one), tmp_path / "moved.safetensors"
    save_model(moved, {name: value + 1 for name, value in model.generator.state_dict().items()}, model.card)
    called(real_heads_mean, one, moved, tmp_path / "mean.safetensors")
    mean = load_model(tmp_path / "mean.safetensors")
    for name, value in mean.generator.state_dict().items():
        expected = model.generator.state_dict()[name] + (0.5 if value.is_floating_point() else 0)
        assert torch.allclose(value, expected, atol=1e-3), name
    assert mean.card.training["averaged_with"]["weights_sha256"] == read_card(moved).weights_sha256
    called(real_heads_deeper, one, tmp_path / "deeper.safetensors", "--blocks", "4")
    deeper = load_model(tmp_path / "deeper.safetensors")
    slices = torch.rand(1, 1, 96, 64) * 2 - 1
    with torch.inference_mode():
        assert torch.allclose(deeper.generator(slices), model.generator(slices), atol=1e-5)
    count, before = (sum(each.numel() for each in net.parameters()) for net in (deeper.generator, model.generator))
    assert count > before
    for refused in ((real_heads_mean, one, tmp_path / "deeper.safetensors"), (real_heads_deeper, one)):
        with pytest.raises(SystemExit):
            called(*refused, tmp_path / "none.safetensors")
    assert not (tmp_path / "none.safetensors").exists()
