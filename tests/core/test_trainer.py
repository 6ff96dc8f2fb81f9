"""The trainer: what it says, that a run can be cut anywhere, and that failure keeps the last good state."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ctmri_core.data.augmentation import Augmentation
from ctmri_core.data.prepared_slices import PreparedSlices
from ctmri_core.domain import Domain
from ctmri_core.errors import WriteFailed
from ctmri_core.events import CheckpointSaved, Finished, Sample, Started, Step, Validated, from_json, never
from ctmri_core.methods.pix2pix.card import CARD, Pix2PixConfig
from ctmri_core.methods.pix2pix.method import Pix2Pix
from ctmri_core.model_card import list_models, read_card
from ctmri_core.model_file import load_model
from ctmri_core.training.checkpoint import load_checkpoint
from ctmri_core.training.optimisation import Optimisation, StepReport, _Turn
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.trainer import Trainer
from tests.teaching.tiny_runs import TINY, run, settings


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": tensor.clone()
        for name, network in trainer.method.networks.items()
        for key, tensor in network.state_dict().items()
    }


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    for key in a:
        assert torch.equal(a[key], b[key]), key


def test_a_run_tells_what_happened_and_leaves_usable_files(tiny_pairs, tmp_path: Path):
    data = tiny_pairs()
    events, result = run(Trainer(CARD, TINY, data, tmp_path / "run", settings(validate_every=3, tensorboard=True)))

    assert [type(event) for event in events].count(Finished) == 1
    assert isinstance(events[0], Started) and events[0].total == 6
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed"
    steps = [event for event in events if isinstance(event, Step)]
    assert steps[0].iteration == 1 and steps[-1].iteration == 6 and steps[-1].losses.keys() == {"discriminator", "gan", "l1"}
    assert [event.iteration for event in events if isinstance(event, Validated)] == [3, 6]
    assert any(isinstance(event, CheckpointSaved) for event in events)
    picture = next(event for event in events if isinstance(event, Sample))
    with Image.open(picture.path) as image:
        assert image.size[0] == 3 * (24 + 8)

    told = [from_json(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    assert told == events
    assert json.loads((tmp_path / "run" / "config.json").read_text())["method"] == "pix2pix"
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    entries = list_models([tmp_path / "run" / "models"])
    assert len(entries) == 2 and all(entry.card and entry.card.recipe == data.recipe for entry in entries)
    card = read_card(result.models["ct_to_mr_t1"])
    assert card.metrics == result.metrics and card.training_data == (data.facts,)
    assert {entry.card.name for entry in entries if entry.card} == {"pix2pix CT → T1 MR", "pix2pix CT → T1 MR (last step)"}


def test_the_card_tells_how_it_was_trained_and_nothing_of_the_machine(tiny_pairs, tmp_path: Path):
    chosen = settings(turn=5.0, mr_noise=0.1, ema=0.9, validate_every=4, best_metric="ssim", validation_slices=2)
    data = tiny_pairs()
    run(Trainer(CARD, TINY, data, tmp_path / "run", chosen))
    best, last = (
        read_card(tmp_path / "run" / "models" / f"pix2pix-ct_to_mr_t1{suffix}.safetensors").training for suffix in ("", "-last")
    )
    assert last["steps"] == 6 and last["kept"] == "the last step" and best["kept"] == "the best ssim in validation"
    assert best["steps"] in (4, 6) and best["passes"] == best["steps"] / data.train.steps_per_epoch(chosen.batch_size)
    wanted = {"turn": 5.0, "zoom": 0.0, "mr_noise": 0.1, "flip": True, "ema": 0.9, "precision": "32", "validation_slices": 2}
    assert wanted.items() <= best.items() and best["slices"] == len(data.train)
    assert not {"device", "devices", "until", "minutes", "spacing_mm"} & best.keys()


def test_the_exported_model_translates_as_the_trained_method_does(tiny_pairs, tmp_path: Path):
    trainer = Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", settings())
    run(trainer)
    last = load_model(tmp_path / "run" / "models" / "pix2pix-ct_to_mr_t1-last.safetensors")
    x = torch.rand(1, 1, 24, 24) * 2 - 1
    trainer.method.networks["generator"].eval()
    with torch.no_grad():
        torch.testing.assert_close(last.generator(x), trainer.method.translate(x, trainer.data.direction))


@pytest.mark.parametrize("precision", ["32", "bf16-mixed"])
def test_a_resumed_run_has_the_weights_of_an_uninterrupted_one(tiny_pairs, tmp_path: Path, precision: str):
    data = tiny_pairs()
    whole = Trainer(CARD, TINY, data, tmp_path / "whole", settings(precision=precision))
    run(whole)

    asked = []
    first = Trainer(CARD, TINY, data, tmp_path / "parts", settings(precision=precision))
    _, result = run(first, lambda: first.iteration >= 3 or bool(asked))
    assert result.reason == "stopped" and result.iteration == 3
    torch.rand(7)  # someone else draws random numbers meanwhile
    second = Trainer(CARD, TINY, data, tmp_path / "parts", settings(precision=precision), resume=True)
    _, result = run(second)
    assert result.reason == "completed" and result.iteration == 6
    assert_same(weights(whole), weights(second))
    logged = [from_json(line) for line in (tmp_path / "parts" / "events.jsonl").read_text().splitlines()]
    iterations = [event.iteration for event in logged if isinstance(event, Step)]
    assert iterations == sorted(set(iterations)) and iterations[0] == 1 and iterations[-1] == 6
    assert sum(isinstance(event, Finished) for event in logged) == 1


def test_a_run_that_goes_on_forgets_what_came_after_its_checkpoint(tmp_path: Path):
    folder = RunFolder(tmp_path)
    late = [
        Step(iteration=4, epoch=0, losses={}, learning_rate=1, seconds=1), Validated(iteration=4, metrics={}),
        Sample(iteration=4, path="4.png"), CheckpointSaved(iteration=4, path="late"), Finished(reason="stopped"),
    ]  # fmt: skip
    early = [event.model_copy(update={"iteration": 3}) for event in late[:-1]]
    for event in [*early, *late]:
        folder.log(event)
    folder.rewind(3)
    assert folder.read_events() == early


@pytest.mark.parametrize("question", [11, 13, 14, 15])
def test_a_step_that_is_abandoned_leaves_no_trace(tiny_pairs, tmp_path: Path, question: int):
    """`stop` is asked at several places of a step, between the two updates as well; wherever it says yes, resuming is exact."""
    data = tiny_pairs()
    whole = Trainer(CARD, TINY, data, tmp_path / "whole", settings())
    run(whole)

    asked = iter(range(10**6))
    _, result = run(Trainer(CARD, TINY, data, tmp_path / "parts", settings()), lambda: next(asked) >= question)
    assert result.reason == "stopped" and 0 < result.iteration < 6
    resumed = Trainer(CARD, TINY, data, tmp_path / "parts", settings(), resume=True)
    run(resumed)
    assert_same(weights(whole), weights(resumed))


def test_training_does_not_depend_on_or_touch_the_random_numbers_outside(tiny_pairs, tmp_path: Path):
    data = tiny_pairs()
    trainers = [Trainer(CARD, TINY, data, tmp_path / name, settings(iterations=2)) for name in ("a", "b")]
    torch.manual_seed(1)
    run(trainers[0])
    drawn = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(3))
    torch.manual_seed(2)
    run(trainers[1])
    assert_same(weights(trainers[0]), weights(trainers[1]))


def test_a_loss_that_is_not_finite_keeps_the_last_good_state(tiny_pairs, tmp_path: Path, monkeypatch):
    trainer = Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", settings(iterations=50))
    kept, step = {}, Pix2Pix.training_step

    def poisoned(self, batch, update):
        if trainer.iteration == 2:
            kept.update(weights(trainer))
            batch[Domain.MR_T1][0, 0, 3, 3] = float("nan")
        return step(self, batch, update)

    monkeypatch.setattr(Pix2Pix, "training_step", poisoned)
    events, result = run(trainer)
    assert result.reason == "failed" and result.iteration == 2
    assert "nan" in result.message and "kept" in result.message
    assert isinstance(events[-1], Finished) and events[-1].reason == "failed"
    assert_same(kept, weights(trainer))
    stored = load_checkpoint(tmp_path / "run" / "checkpoints" / "latest.checkpoint")
    networks = stored["optimisation"]["networks"]
    assert stored["iteration"] == 2 and all(torch.isfinite(t).all() for net in networks.values() for t in net.values())


def test_too_little_memory_is_said_with_a_way_out_and_keeps_the_state(tiny_pairs, tmp_path: Path, monkeypatch):
    trainer = Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", settings())
    step = Optimisation.step

    def greedy(self, parts, stop):
        if trainer.iteration == 2:
            torch.empty(2**55)  # torch's own words when memory is short
        return step(self, parts, stop)

    monkeypatch.setattr(Optimisation, "step", greedy)
    _, result = run(trainer)
    assert result.reason == "failed" and "--batch-size" in result.message
    assert load_checkpoint(tmp_path / "run" / "checkpoints" / "latest.checkpoint")["iteration"] == 2


def test_a_full_disk_ends_the_run_with_an_event(tiny_pairs, tmp_path: Path, monkeypatch):
    def full(*_arguments):
        raise WriteFailed("latest.checkpoint could not be written: the disk is full. Nothing partial was left behind.")

    monkeypatch.setattr("ctmri_core.training.trainer.save_checkpoint", full)
    events, result = run(Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", settings(iterations=1)))
    assert result.reason == "failed" and "disk is full" in result.message
    assert [type(event) for event in events].count(Finished) == 1


def test_a_bug_passes_through(tiny_pairs, tmp_path: Path, monkeypatch):
    def broken(*_arguments):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Optimisation, "step", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        run(Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", settings()))


def test_only_the_optimised_group_collects_gradients(tiny_pairs, tmp_path: Path):
    trainer = Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", settings(iterations=1))
    run(trainer)
    discriminator = trainer.method.networks["discriminator"]
    before = [parameter.grad.clone() for parameter in discriminator.parameters()]
    batch = trainer.data.train.training_batch(0, 2, Augmentation(16), 0)
    terms = trainer.method._generator_terms(batch, trainer.method.networks["generator"](batch[Domain.CT]))
    trainer.optimisation._update(_Turn(never), StepReport({}), "generator", terms["gan"])
    assert all(torch.equal(old, new.grad) for old, new in zip(before, discriminator.parameters(), strict=True))


def test_a_folder_holds_one_run(tiny_pairs, tmp_path: Path):
    data = tiny_pairs()
    run(Trainer(CARD, TINY, data, tmp_path / "run", settings(iterations=1)))
    _, again = run(Trainer(CARD, TINY, data, tmp_path / "run", settings(iterations=1)))
    assert again.reason == "failed" and "holds a run already" in again.message
    other = TINY.model_copy(update={"width": 8})
    _, mixed = run(Trainer(CARD, other, data, tmp_path / "run", settings(), resume=True))
    assert mixed.reason == "failed" and "another config" in mixed.message
    _, none = run(Trainer(CARD, TINY, data, tmp_path / "elsewhere", settings(), resume=True))
    assert none.reason == "failed" and "latest.checkpoint" in none.message


def test_what_does_not_fit_is_said_before_training(tiny_pairs, tmp_path: Path):
    unet = Pix2PixConfig(width=4)
    _, result = run(Trainer(CARD, unet, tiny_pairs(), tmp_path / "run", settings()))
    assert result.reason == "failed" and "--crop 16" in result.message and "256" in result.message
    if not torch.cuda.is_available():
        _, result = run(Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", settings(device="cuda")))
        assert result.reason == "failed" and "--device" in result.message


def test_training_ends_when_the_time_is_up(tiny_pairs, tmp_path: Path):
    timed = settings(iterations=None, minutes=0.01)
    events, result = run(Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", timed))
    assert result.reason == "completed" and result.iteration >= 1
    rates = [event.learning_rate for event in events if isinstance(event, Step)]
    assert rates[-1] <= rates[0]


def test_without_validation_cases_the_last_model_is_the_model(tiny_pairs, tmp_path: Path):
    whole = tiny_pairs()
    none = PreparedSlices([], whole.train.domains)
    data = type(whole)(whole.spec, whole.direction, whole.recipe, whole.train, none, whole.facts)
    events, result = run(Trainer(CARD, TINY, data, tmp_path / "run", settings(iterations=2)))
    assert result.reason == "completed" and not any(isinstance(event, Validated) for event in events)
    assert result.models["ct_to_mr_t1"].exists()


@pytest.mark.parametrize(("norm", "lambda_gan"), [("batch", 1.0), ("instance", 1.0), ("batch", 0.0)])
def test_pix2pix_learns(tiny_pairs, tmp_path: Path, norm: str, lambda_gan: float):
    """Margin: the L1 loss falls below half, and the error on an unseen case is below half that of the identity."""
    data = tiny_pairs(cases=4, slices=6)
    longer = settings(iterations=60, validate_every=60, schedule="constant", crop=24, batch_size=4)
    changes = {"width": 8, "learning_rate": 2e-3, "norm": norm, "dropout": False, "lambda_gan": lambda_gan}
    events, result = run(Trainer(CARD, TINY.model_copy(update=changes), data, tmp_path / "run", longer))
    losses = [event.losses["l1"] for event in events if isinstance(event, Step)]
    assert losses[-1] < 0.5 * losses[0]
    source, target, mask = (np.concatenate([np.load(f)[:, n] for f in data.validation.files]).astype(float) for n in range(3))
    identity = 100 * np.abs(source - target)[mask > 0].mean() / 2
    assert result.metrics["mae_percent"] < 0.5 * identity
