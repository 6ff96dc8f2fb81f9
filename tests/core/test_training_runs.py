"""Whole runs of methods with image pools, two directions and unpaired slices: exact to resume, scored both ways."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from ctmri_core.data.preparation import PreparedData
from ctmri_core.data.prepared_slices import PreparedSlices
from ctmri_core.errors import WriteFailed
from ctmri_core.events import Health, Noted, Sample, Step, Validated, never
from ctmri_core.method import MethodCard
from ctmri_core.methods.cyclegan.card import CARD as CYCLEGAN
from ctmri_core.methods.cyclegan.card import CycleGanConfig
from ctmri_core.methods.pix2pix.card import CARD as PIX2PIX
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.model_card import read_card
from ctmri_core.model_file import load_model
from ctmri_core.preprocess.intensity import HuCurve, HuRange
from ctmri_core.training.checkpoint import load_checkpoint
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.trainer import Trainer
from ctmri_core.training.validation import measure

CYCLE = CycleGanConfig(generator="resnet_6", width=4, discriminator_width=4, receptive_field=16, pool_size=2)
PAIR = Pix2PixConfig(generator="resnet_6", width=4, discriminator_width=4, receptive_field=16)


def settings(**changes):
    base = {"iterations": 6, "batch_size": 2, "crop": 16, "precision": "32", "device": "cpu", "tensorboard": False}
    return TrainingSettings(**(base | changes))


def unpaired(data: PreparedData) -> PreparedData:
    return replace(data, train=PreparedSlices(data.train.cases, data.train.domains, paired=False))


def run(trainer: Trainer, stop=never):
    events, work = [], trainer.run(stop)
    while True:
        try:
            events.append(next(work))
        except StopIteration as ended:
            return events, ended.value


def assert_same(a: object, b: object, name: str = "state") -> None:
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), name
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), name
        for key in a:
            assert_same(a[key], b[key], f"{name}.{key}")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), name
        for n, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{name}.{n}")
    else:
        assert a == b, name


@pytest.mark.parametrize(("card", "config"), [(CYCLEGAN, CYCLE), (PIX2PIX, PAIR)], ids=["unpaired", "paired"])
def test_a_resumed_run_ends_with_the_checkpoint_of_an_uninterrupted_one(tiny_pairs, tmp_path: Path, card: MethodCard, config):
    """Optimisers, pools, mean weights, plateau, best models and random numbers, stopped within a step at several places."""
    data = unpaired(tiny_pairs()) if card.needs == "unpaired" else tiny_pairs()
    chosen = settings(schedule="plateau", patience=0, validate_every=2, ema=0.9, accumulate=2, validation_slices=2)
    run(Trainer(card, config, data, tmp_path / "whole", chosen))
    whole = load_checkpoint(tmp_path / "whole" / "checkpoints" / "latest.checkpoint")
    assert whole["plateau"]["factor"] < 1 or whole["plateau"]["waited"] == 0

    trainer = Trainer(card, config, data, tmp_path / "parts", chosen)
    for question in (4, 9, 6):
        asked = iter(range(1000))
        run(trainer, lambda asked=asked, question=question: next(asked) >= question)
        torch.rand(3)
        trainer = Trainer(card, config, data, tmp_path / "parts", chosen, resume=True)
    _, result = run(trainer)
    assert result.reason == "completed"
    parts = load_checkpoint(tmp_path / "parts" / "checkpoints" / "latest.checkpoint")
    for state in (whole, parts):
        del state["seconds"]
    assert_same(whole, parts)
    if config is CYCLE:
        assert {name.split(".")[0] for name in whole["optimisation"]["own"]["method"]} == {"pool_ct", "pool_mr_t1"}


def stored(folder: Path) -> dict:
    state = load_checkpoint(folder / "checkpoints" / "latest.checkpoint")
    del state["seconds"]
    return state


def test_a_run_that_goes_on_neither_leaves_out_a_validation_nor_counts_one_twice(tiny_pairs, tmp_path: Path):
    """Killed between its last checkpoint and its exit; and stopped at every question, those within a validation among them."""
    data, chosen = tiny_pairs(), settings(schedule="plateau", patience=1, validate_every=2, validation_slices=2, iterations=5)
    run(Trainer(PIX2PIX, PAIR, data, tmp_path / "whole", chosen))
    whole = stored(tmp_path / "whole")
    again, _ = run(Trainer(PIX2PIX, PAIR, data, tmp_path / "whole", chosen, resume=True))
    assert not any(isinstance(event, Validated) for event in again)
    assert_same(whole, stored(tmp_path / "whole"))

    within = 0
    for question in range(9, 38, 2):
        folder, asked = tmp_path / str(question), iter(range(10**6))
        events, _ = run(Trainer(PIX2PIX, PAIR, data, folder, chosen), lambda asked=asked, n=question: next(asked) >= n)
        last = [event for event in events if isinstance(event, Sample | Validated)]
        within += bool(last) and isinstance(last[-1], Sample)
        run(Trainer(PIX2PIX, PAIR, data, folder, chosen, resume=True))
        assert_same(whole, stored(folder), f"stopped at question {question}")
    assert within >= 2  # the case was met


def test_both_directions_are_scored_and_keep_their_own_best(tiny_pairs, tmp_path: Path):
    data = unpaired(tiny_pairs())
    events, result = run(Trainer(CYCLEGAN, CYCLE, data, tmp_path / "run", settings(validate_every=3, best_metric="ssim")))
    validated = [event for event in events if isinstance(event, Validated)]
    names = {f"{way}/{name}" for way, unit in (("ct_to_mr_t1", "mae_percent"), ("mr_t1_to_ct", "mae_hu"))
             for name in (unit, "psnr_db", "ssim")}  # fmt: skip
    assert [event.iteration for event in validated] == [3, 6] and all(event.metrics.keys() == names for event in validated)
    assert result.models.keys() == {"ct_to_mr_t1", "mr_t1_to_ct"}
    for way, path in result.models.items():
        assert read_card(path).metrics["ssim"] == max(event.metrics[f"{way}/ssim"] for event in validated)
    captions = [event.caption for event in events if isinstance(event, Sample)]
    assert len(captions) == 4 and all("target" in caption for caption in captions)
    told = {name for event in events if isinstance(event, Health) for name in event.signals}
    assert {"gradient_generators", "gradient_discriminators", "loss_ratio", "saturation_ct_to_mr_t1"} <= told
    assert any(name.startswith("judged_real") for name in told) and any(name.startswith("judged_synthetic") for name in told)
    steps = [event for event in events if isinstance(event, Step)]
    assert steps[-1].share == 1 and steps[-1].seconds_left == 0
    assert not any(name.startswith("judged") for event in steps for name in event.losses)


@pytest.mark.parametrize("ct", [HuRange(), HuCurve()], ids=["range", "curve"])
def test_scores_are_those_of_other_programs(tiny_pairs, tmp_path: Path, ct):
    """In nominal units: a curve that gives soft tissue most of [-1, 1] makes its errors no larger."""
    data = tiny_pairs()
    data = replace(data, recipe=data.recipe.model_copy(update={"ct": ct}))
    trainer = Trainer(CYCLEGAN, CYCLE, unpaired(data), tmp_path / "run", settings(iterations=1))
    run(trainer)
    scores = measure(
        trainer.method, data.validation, data.recipe, count=99, batch_size=3, device=torch.device("cpu"), stop=never
    )
    stored = np.concatenate([np.load(case.file) for case in data.validation.cases]).astype(np.float32)
    for direction, (seen, wanted) in zip(trainer.method.directions, ((0, 1), (1, 0)), strict=True):
        with torch.no_grad():
            synthetic = trainer.method.translate(torch.from_numpy(stored[:, seen, None]), direction)[:, 0].numpy()
        target, body = stored[:, wanted], stored[:, 2] > 0
        if direction.target == "ct" and isinstance(ct, HuCurve):
            knots = (ct.low, ct.soft_low, ct.soft_high, ct.high)
            hounsfield = [np.interp(each, (-1, -ct.share, ct.share, 1), knots) for each in (synthetic, target)]
            synthetic, target = ((each - ct.low) / (ct.high - ct.low) for each in hounsfield)
        else:
            synthetic, target = (synthetic + 1) / 2, (target + 1) / 2
        error = np.abs(synthetic - target)[body].astype(float)
        similarities = []
        for one, other, mask in zip(synthetic, target, body, strict=True):
            _, full = structural_similarity(one, other, data_range=1, full=True)
            similarities.append(full[3:-3, 3:-3][mask[3:-3, 3:-3]].mean())
        metrics = scores[direction].metrics
        name, nominal = ("mae_hu", ct.high - ct.low) if direction.target == "ct" else ("mae_percent", 100)
        assert metrics[name] == pytest.approx(error.mean() * nominal, rel=1e-5)
        assert metrics["psnr_db"] == pytest.approx(10 * np.log10(1 / np.square(error).mean()), rel=1e-5)
        assert metrics["ssim"] == pytest.approx(np.mean(similarities), abs=1e-4)


def test_without_pairs_there_are_pictures_but_no_scores(tiny_pairs, tmp_path: Path):
    data = tiny_pairs()
    one, other = data.train.cases
    singles = []
    for case, channel in ((one, 0), (other, 1)):
        stored = np.load(case.file)
        file = case.file.with_name(f"single{channel}.npy")
        np.save(file, stored[:, [channel, 2]])
        singles.append(replace(case, file=file, domains=(case.domains[channel],)))
    domains = data.train.domains
    train, none = PreparedSlices(singles, domains, paired=False), PreparedSlices([], domains)
    assert train.pairs == 0 and len(train) == 4
    alone = replace(data, train=train, validation=none)
    events, result = run(Trainer(CYCLEGAN, CYCLE, alone, tmp_path / "run", settings(iterations=2)))
    assert result.reason == "completed" and len(result.models) == 2
    assert not any(isinstance(event, Validated) for event in events)
    assert any(isinstance(event, Noted) and "no scores" in event.message for event in events)
    samples = [event for event in events if isinstance(event, Sample)]
    assert len(samples) == 2 and all(event.caption.endswith("source, synthetic") for event in samples)
    with Image.open(samples[0].path) as picture:
        assert picture.size[0] == 2 * (24 + 8)
    _, refused = run(Trainer(CYCLEGAN, CYCLE, alone, tmp_path / "other", settings(schedule="plateau")))
    assert refused.reason == "failed" and "plateau" in refused.message


def test_the_exported_model_holds_the_mean_of_the_weights(tiny_pairs, tmp_path: Path):
    trainer = Trainer(PIX2PIX, PAIR, tiny_pairs(), tmp_path / "run", settings(ema=0.99))
    _, result = run(trainer)
    generator = trainer.method.networks["generator"].eval()
    x = torch.rand(1, 1, 24, 24) * 2 - 1
    for path in (result.models["ct_to_mr_t1"], tmp_path / "run" / "models" / "pix2pix-ct_to_mr_t1-last.safetensors"):
        with torch.no_grad():
            exported, live = load_model(path).generator(x), generator(x)
        assert not torch.allclose(exported, live, atol=1e-5)
        with trainer._average.in_use(), torch.no_grad():
            torch.testing.assert_close(exported, generator(x))


def test_a_batch_that_does_not_fit_is_told_and_the_run_goes_on(tiny_pairs, tmp_path: Path, monkeypatch):
    from ctmri_core.methods.pix2pix.method import Pix2Pix

    step = Pix2Pix.training_step

    def narrow(self, batch, update):
        if batch.size > 1:
            torch.empty(2**55)
        return step(self, batch, update)

    monkeypatch.setattr(Pix2Pix, "training_step", narrow)
    events, result = run(Trainer(PIX2PIX, PAIR, tiny_pairs(), tmp_path / "run", settings(iterations=2)))
    assert result.reason == "completed" and result.iteration == 2
    notes = [event.message for event in events if isinstance(event, Noted)]
    assert len(notes) == 1 and "1 slice at a time" in notes[0]


def test_a_full_disk_at_a_model_file_ends_the_run_in_words(tiny_pairs, tmp_path: Path, monkeypatch):
    def full(*_arguments, **_named):
        raise WriteFailed("model could not be written: the disk is full. Nothing partial was left behind.")

    monkeypatch.setattr("ctmri_core.training.export.save_model", full)
    events, result = run(Trainer(PIX2PIX, PAIR, tiny_pairs(), tmp_path / "run", settings(iterations=2, checkpoint_seconds=0)))
    assert result.reason == "failed" and "disk is full" in result.message and events[-1].reason == "failed"
    assert load_checkpoint(tmp_path / "run" / "checkpoints" / "latest.checkpoint")["iteration"] >= 1
