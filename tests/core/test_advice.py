"""What is said of how training goes: of made-up signs, of sound ones nothing, and of runs that are broken indeed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from ctmri_core.cli.main import parser
from ctmri_core.domain import Direction
from ctmri_core.events import Noted
from ctmri_core.method import MethodConfig
from ctmri_core.methods.pix2pix.card import CARD, Pix2PixConfig
from ctmri_core.registry import method_cards
from ctmri_core.training.advice import Advice
from ctmri_core.training.health import variety
from ctmri_core.training.optimisation import Optimisation, StepReport
from ctmri_core.training.scores import Scores
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.trainer import Trainer

WAY = Direction.parse("ct_to_mr_t1")
Signal = Callable[[int], float]


def sound(random: np.random.Generator, steps: int) -> Iterator[dict[str, float]]:
    """The signs of a CycleGAN on 20 real brains, as measured: level, slow change and noise."""
    for step in range(steps):
        fall = 0.4 + 0.6 * np.exp(-step / 300) * (1 - 0.3 * step / steps)
        yield {
            "cycle": 3.0 * fall * random.lognormal(0, 0.3), "gan": random.uniform(0.3, 0.6),
            "judges": (0.45 + 0.4 * np.exp(-step / 30)) * random.lognormal(0, 0.2),
            "real": 0.2 * min(step / 50, 1) + 0.4 + random.normal(0, 0.1), "synthetic": 0.4 + random.normal(0, 0.1),
            "generators": 60 * fall * random.lognormal(0, 0.6), "discriminators": 13 * random.lognormal(0, 0.5),
        }  # fmt: skip


def heard(steps: int, config: MethodConfig | None = None, **instead: Signal) -> list[tuple[int, Noted]]:
    """What is said of sound signs with some others `instead`, each a function of the step; and after which steps."""
    advice, notes = Advice(config or Pix2PixConfig()), []
    for number, signs in enumerate(sound(np.random.default_rng(0), steps), 1):
        signs |= {name: signal(number) for name, signal in instead.items()}
        report = StepReport(
            {"cycle_ct": signs["cycle"], "gan_ct": signs["gan"], "discriminators": signs["judges"],
             "judged_real_ct": signs["real"], "judged_synthetic_ct": signs["synthetic"]},
            {"generators": signs["cycle"] + signs["gan"], "discriminators": signs["judges"]},
            {"generators": signs["generators"], "discriminators": signs["discriminators"]},
        )  # fmt: skip
        notes += [(number, note) for note in advice.of_step(number, report)]
    return notes


def test_nothing_is_said_of_a_sound_run():
    assert heard(6000) == []


def test_a_discriminator_that_wins_is_told_of_once_and_again_after_it_had_passed():
    """It wins from step 300 to 900, and again from 1500."""
    notes = heard(2500, judges=lambda step: 0.01 if 300 <= step < 900 or step >= 1500 else 0.5)
    assert [note.serious for _, note in notes] == [True, True]
    (first, note), (second, _) = notes
    assert 500 <= first < 700 and 1700 <= second < 1900
    assert "discriminator" in note.message and "--generator-steps 2" in note.message and "--learning-rate 0.0001" in note.message


def test_a_short_win_is_none():
    assert heard(1500, judges=lambda step: 0.01 if step % 300 < 150 else 0.5) == []


def test_gradients_that_vanish_are_a_win_too():
    [(_, note)] = heard(1000, generators=lambda step: 50.0 if step < 300 else 1e-3)
    assert "discriminator" in note.message


def test_a_critic_s_loss_is_a_distance():
    """Of Wasserstein's kind: from the gradient penalty at first to about zero, where it stays."""
    stargan = method_cards()["stargan"].config()
    assert heard(3000, stargan, judges=lambda step: 10.0 if step < 20 else 0.05) == []
    assert heard(3000, judges=lambda step: 10.0 if step < 20 else -0.5) == []


def test_a_discriminator_that_is_blind_is_told_of_when_it_had_time_to_learn():
    notes = heard(2000, real=lambda step: 0.5, synthetic=lambda step: 0.495)
    [(step, note)] = notes
    assert step == 500 and not note.serious and "CT" in note.message and "--discriminator-width 128" in note.message


def test_gradients_that_explode_are_told_of_and_a_single_one_is_not():
    [(step, note)] = heard(1200, generators=lambda step: 40.0 if step < 800 else 40.0 * 2 ** ((step - 800) / 10))
    assert 840 < step < 880 and "generators" in note.message and "--clip-norm 1" in note.message
    assert heard(1200, generators=lambda step: 1e6 if step == 700 else 40.0) == []


def test_losses_that_stand_still_are_told_of():
    [(step, note)] = heard(8000, cycle=lambda step: 2.0 + 0.1 * np.sin(step))
    assert 2100 <= step <= 2500 and "hardly moved" in note.message and not note.serious
    assert heard(8000, cycle=lambda step: 2.0 - step / 8000) == []
    notes = heard(9000, cycle=lambda step: 2.0 if step < 4000 else 1.0)
    assert len(notes) == 2, "it had moved in between"


def test_infinite_gradients_of_float16_are_not_counted():
    assert heard(1000, generators=lambda step: float("inf") if step < 200 or step % 3 == 0 else 40.0) == []


def test_pictures_that_are_all_black_no_numbers_or_alike():
    advice = Advice(Pix2PixConfig())

    def said(saturation: float, metric: float = 5.0) -> list[str]:
        return [note.message for note in advice.of_validation({WAY: Scores({"mae_percent": metric}, saturation)})]

    assert said(0.2) == []
    [message] = said(0.7)
    assert "70%" in message and "T1 MR" in message
    assert said(0.8) == said(0.3) == [] and len(said(0.6)) == 1
    [message] = said(0.0, float("nan"))
    assert "no numbers" in message and said(0.0, float("nan")) == []

    def alike(iteration: int, found: float) -> list[str]:
        return [note.message for note in advice.of_pictures(iteration, WAY, found)]

    assert alike(100, 0.0) == [] and alike(600, 0.5) == []
    [message] = alike(600, 0.05)
    assert "the same" in message and "--lambda-gan 0.5" in message
    assert alike(700, 0.05) == alike(800, 0.15) == alike(900, 0.05) == alike(1000, 0.6) == [] and len(alike(1100, 0.0)) == 1


@pytest.mark.parametrize("name", sorted(method_cards()))
def test_settings_that_are_named_are_settings_of_the_method(name: str):
    """The command line is the judge: every flag is taken, with its value."""
    config = method_cards()[name].config()
    messages = [note.message for found in (
        heard(600, config, judges=lambda step: 0.5 if step < 50 else 0.001),
        heard(600, config, real=lambda step: 0.5, synthetic=lambda step: 0.5),
        heard(300, config, generators=lambda step: 1.0 if step < 200 else 1e6),
    ) for _, note in found]  # fmt: skip
    messages += [note.message for note in Advice(config).of_pictures(1000, WAY, 0.0)]
    assert len(messages) >= 3
    for message in messages:
        named = message.partition("new run with ")[2].strip(".").replace(" or ", " ").replace(",", "").split()
        assert named and named[0].startswith("--")
        parser().parse_args(["train", name, "--data", "phantom:1", "--run", "r", *named])


def test_variety_is_what_pictures_differ_by():
    random = torch.Generator().manual_seed(0)
    sources = [torch.rand(size, generator=random) for size in ((30, 40), (32, 40), (30, 44))]
    bodies = [torch.ones_like(source) for source in sources]
    assert variety(sources, sources, bodies) == pytest.approx(1)
    assert variety(sources, [0.25 * source for source in sources], bodies) == pytest.approx(0.25)
    assert variety(sources, [torch.full_like(source, 0.3) for source in sources], bodies) == 0
    assert variety([torch.zeros(30, 40)] * 3, [torch.rand(30, 40)] * 3, [torch.ones(30, 40)] * 3) is None
    assert variety(sources, sources, [torch.zeros_like(source) for source in sources]) is None


@pytest.mark.parametrize("broken", [False, True])
def test_a_discriminator_with_a_rate_far_too_high_is_told_of(tiny_pairs, tmp_path: Path, monkeypatch, broken: bool):
    """The trainer itself; a generator ten times slower and a discriminator ten times faster than they should be."""
    monkeypatch.setattr("ctmri_core.training.advice._LASTING", 40)
    usual = Optimisation.set_rate

    def uneven(optimisation: Optimisation, factor: float) -> None:
        usual(optimisation, factor)
        for group, optimiser in optimisation._plain.items():
            for parameters in optimiser.param_groups:
                parameters["lr"] *= 10 if group == "discriminator" else 0.1

    if broken:
        monkeypatch.setattr(Optimisation, "set_rate", uneven)
    config = Pix2PixConfig(
        generator="resnet_6", width=4, discriminator_width=16, receptive_field=16, gan_loss="lsgan", norm="instance"
    )
    settings = TrainingSettings(
        iterations=160, batch_size=2, crop=16, precision="32", device="cpu", tensorboard=False, validate_every=1000
    )
    notes = [event for event in Trainer(CARD, config, tiny_pairs(), tmp_path, settings).run() if isinstance(event, Noted)]
    assert ["almost without error" in note.message for note in notes] == [True] * broken


def test_a_generator_that_paints_one_picture_is_told_of(tiny_pairs, tmp_path: Path, monkeypatch):
    """Its last layer's weights are gone: what is left is a constant."""
    monkeypatch.setattr("ctmri_core.training.advice._SETTLED", 1)
    config = Pix2PixConfig(generator="resnet_6", width=4, discriminator_width=4, receptive_field=16)
    settings = TrainingSettings(iterations=1, batch_size=2, crop=16, precision="32", device="cpu", tensorboard=False)
    trainer = Trainer(CARD, config, tiny_pairs(), tmp_path, settings)
    notes = []
    for event in trainer.run():
        notes += [event.message] if isinstance(event, Noted) else []
        if event.kind == "step":
            with torch.no_grad():
                last = [weight for weight in trainer.method.networks["generator"].parameters() if weight.dim() == 4][-1]
                last.zero_()
    assert len(notes) == 1 and "one picture" in notes[0]
