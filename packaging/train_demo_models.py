#!/usr/bin/env python3
"""Trains the two demonstration models that ship in resources/models, on digital phantoms alone.

    .venv/bin/python packaging/train_demo_models.py [--minutes 18] [--heads 24] [--out DIR]

About half an hour each on two cores. The result is written over the shipped models only with --install.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ctmri_core.cli.terminal import Terminal, run
from ctmri_core.domain import Direction
from ctmri_core.events import StopSignal, Work
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.model_file import load_model, save_model
from ctmri_core.resources_folder import resources_folder
from ctmri_core.training.settings import ModelDescription, TrainingSettings
from ctmri_core.training.train import train
from ctmri_core.training.trainer import RunResult

NAMES = {"ct_to_mr_t1": "Phantom CT to T1 MR", "mr_t1_to_ct": "Phantom T1 MR to CT"}
LIMITATIONS = (
    "Learned from digital phantoms only and has never seen a patient. On real scans the result is a picture of how the program"
    " works, not of anatomy: contrasts, pathology, metal, contrast agent and other body parts are unknown to it."
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=18.0, help="for each direction")
    parser.add_argument("--heads", type=int, default=24, help="phantom heads, seeds 0 and up")
    parser.add_argument("--directions", nargs="+", choices=list(NAMES), default=list(NAMES))
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="where the runs are kept")
    parser.add_argument("--install", action="store_true", help="replace the shipped models by the result")
    arguments = parser.parse_args()
    config = Pix2PixConfig(
        generator="unet_256", width=20, norm="instance", dropout=False, discriminator_width=16, receptive_field=34,
        gan_loss="lsgan", learning_rate=3e-4, lambda_l1=200.0,
    )  # fmt: skip
    settings = TrainingSettings(minutes=arguments.minutes, batch_size=1, validate_every=1500, constant_share=0.4)
    for name in arguments.directions:
        outcome = run(lambda stop: _work(name, arguments, config, settings, stop), Terminal(as_json=False))  # noqa: B023  # run at once
        if outcome.status != 0 or outcome.result is None:
            return outcome.status
        if arguments.install:
            model, card = load_model(outcome.result.models[name])
            shipped = resources_folder() / "models" / f"phantom_{name}.safetensors"
            save_model(shipped, model.state_dict(), card, stored_as="float16")
    return 0


def _work(
    name: str, arguments: argparse.Namespace, config: Pix2PixConfig, settings: TrainingSettings, stop: StopSignal
) -> Work[RunResult]:
    about = ModelDescription(name=NAMES[name], body_region="head", limitations=LIMITATIONS, demo=True)
    data, folder = f"phantom:{arguments.heads}", arguments.out / name
    return train("pix2pix", config, data, Direction.parse(name), folder, settings, stop=stop, about=about)


if __name__ == "__main__":
    sys.exit(main())
