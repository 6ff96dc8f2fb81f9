#!/usr/bin/env python3
"""Trains the two small networks that outline the body, of CT and of MR, on data that anybody may use.

    .venv/bin/python packaging/train_body_models.py --scans DIR [--modality ct mr] [--minutes 40] [--out DIR] [--install]

`--scans`: a folder with the sets that packaging/body_cases.py names. Every step is skipped that was done before; a run that was
stopped goes on. With --install the result replaces resources/models/body_*.safetensors.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from body_cases import LICENCE, VOXEL_MM, WHAT, write_cases

from ctmri_core.cli import main as ctmri
from ctmri_core.files import write_text
from ctmri_core.model_file import load_model, save_model
from ctmri_core.resources_folder import resources_folder

NAMES = {"ct": "Outline of the body in CT", "mr": "Outline of the body in MR"}
LIMITATIONS = (
    "Learnt from digital heads and trunks, drawn as by many scanners, and from a few public scans with their classical outlines."
    " Heads foremost; cavities count as body. Thin ears, tubes and what touches the body may be outlined wrongly: look at it."
    " Credits: Visible Human Project (NLM); MRI-DIR (Ger et al. 2018, TCIA); studyforrest.org; TotalSegmentator."
)
_SETTINGS = (
    "--width", "32", "--batch-size", "8", "--crop", "176", "--turn", "15", "--zoom", "0.3", "--learning-rate", "0.002",
    "--validate-every", "250", "--validation-slices", "96", "--ema", "0.99",
)  # fmt: skip
_MR_SETTINGS = ("--mr-contrast", "0.4", "--mr-gain", "0.3", "--mr-noise", "0.03")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=Path, required=True)
    parser.add_argument("--modality", nargs="+", choices=list(NAMES), default=list(NAMES))
    parser.add_argument("--heads", type=int, default=40, help="digital heads to learn from")
    parser.add_argument("--trunks", type=int, default=8, help="stacks of digital trunks to learn from")
    parser.add_argument("--validation", type=int, default=8, help="other digital heads, which choose the best weights")
    parser.add_argument("--minutes", type=float, default=40.0, help="for each modality")
    parser.add_argument("--out", type=Path, default=Path("runs/body"))
    parser.add_argument("--start-from", type=Path, help="model file to go on from")
    parser.add_argument("--install", action="store_true", help="replace the shipped models by the result")
    arguments = parser.parse_args()
    for modality in arguments.modality:
        status = _train(modality, arguments)
        if status:
            return status
        if arguments.install:
            _install(modality, arguments.out / modality)
    return 0


def _train(modality: str, arguments: argparse.Namespace) -> int:
    folder: Path = arguments.out / modality
    cases, split, prepared, run = (folder / name for name in ("cases", "split.json", "prepared", "run"))
    sides = write_cases(cases, arguments.scans, modality, arguments.heads, arguments.trunks, arguments.validation)
    write_text(split, json.dumps(sides))
    status = ctmri([
        "prepare", str(cases), "--out", str(prepared), "--layout", "patients", "--domains", f"{modality},mask",
        "--split", str(split), "--spacing-mm", str(VOXEL_MM), "--no-check", "--what", WHAT, "--licence", LICENCE,
    ])  # fmt: skip
    if status:
        return status
    if run.exists():
        return ctmri(["train", "deeplab_v3_plus", "--run", str(run), "--resume"])
    varied: tuple[str, ...] = _MR_SETTINGS if modality == "mr" else ()
    if arguments.start_from is not None:
        varied += ("--start-from", str(arguments.start_from))
    return ctmri([
        "train", "deeplab_v3_plus", "--data", str(prepared), "--direction", f"{modality}_to_mask", "--run", str(run),
        "--minutes", str(arguments.minutes), *_SETTINGS, *varied, "--name", NAMES[modality], "--body-region", "head, trunk",
        "--limitations", LIMITATIONS,
    ])  # fmt: skip


def _install(modality: str, folder: Path) -> None:
    """In half precision, which changes no outline that is seen. Slices are shown whole: trunks were among those learnt from."""
    model, card = load_model(folder / "run" / "models" / f"deeplab_v3_plus-{modality}_to_mask.safetensors")
    card = card.model_copy(update={"recipe": card.recipe.model_copy(update={"field_mm": None})})
    target = resources_folder() / "models" / f"body_{modality}.safetensors"
    save_model(target, model.state_dict(), card, stored_as="float16")
    print(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB, {card.metrics}")


if __name__ == "__main__":
    sys.exit(main())
