"""Flags that say how to translate: along which planes, by which models, how sure, and with what of this machine."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.cli.input_choices import device, positive, whole
from ctmri_core.errors import CtmriError

if TYPE_CHECKING:
    from ctmri_core.inference.order import Order

_WAYS = ("auto", "mirrored", "planes", "dropout", "latent", "ensemble")
_AUTO = "auto"


def add_order_arguments(parser: argparse.ArgumentParser) -> None:
    """For `order_of`, `with_way_back` and `files_beside`."""
    picture = parser.add_argument_group("the picture")
    picture.add_argument(
        "--planes", choices=("axial", "three"),
        help="three: translate along axial, coronal and sagittal slices and fuse what comes (default: as the model was made for)",
    )  # fmt: skip
    picture.add_argument("--with", dest="beside", action="append", default=[], metavar="MODEL", help=(
        "a further model for the same direction, whose answer is fused with the first one's; may be given several times"
    ))  # fmt: skip
    picture.add_argument("--fuse", choices=("mean", "median"), default="mean", help="how answers become one (default: mean)")
    picture.add_argument(
        "--keep-unfinished", action="store_true", help="when stopped, write what is done; the result says what is missing"
    )
    picture.add_argument(
        "--body-model", metavar="MODEL", help="a model that outlines the body; what is outside of it is left out, as with --body"
    )
    sure = parser.add_argument_group(
        "how sure", "What the model answers when it is asked otherwise. The picture stays as it is; maps of it and other answers"
        " are written beside OUT. How far one model's answers differ is not how far they are wrong.",
    )  # fmt: skip
    sure.add_argument("--uncertainty", choices=_WAYS, metavar="WAY", help=(
        "write OUT_uncertainty, the standard deviation of several answers for every voxel: mirrored (and shifted slices), planes"
        " (axial, coronal, sagittal), dropout (left on), latent (samples of it: UNIT, VAE-CycleGAN), ensemble (of all models), or"
        " auto (what tells most of what there is)"
    ))  # fmt: skip
    sure.add_argument("--samples", type=positive, metavar="N", help="of so many answers (default: 8)")
    sure.add_argument("--draws", type=positive, metavar="N", help="write N of the answers as OUT_draw1, OUT_draw2, ...")
    sure.add_argument("--seed", type=whole, metavar="N", help="of dropout and latents (default: 0)")
    sure.add_argument("--back", metavar="MODEL", help=(
        "write OUT_cycle, the difference to INPUT of what this model for the reverse direction translates back; auto: the one of"
        " the same run, else the best there is"
    ))  # fmt: skip
    machine = parser.add_argument_group("this machine", "Chosen by a short timing and by the memory that is free.")
    machine.add_argument("--device", type=device, default=_AUTO, metavar="DEVICE", help="auto, cpu, cuda, or one card: cuda:1")
    machine.add_argument(
        "--precision", choices=(_AUTO, "float32", "bfloat16", "float16"), default=_AUTO, help="of the network's numbers"
    )
    machine.add_argument("--batch", type=positive, metavar="N", help="slices at a time")
    machine.add_argument("--patch", type=positive, metavar="N", help="translate slices in squares of N pixels (default: whole)")
    machine.add_argument("--overlap", type=whole, metavar="N", help="pixels by which they overlap (default: up to 32)")


def order_of(arguments: argparse.Namespace) -> Order:
    """How to translate, as the flags say, but for --back. Raises `CtmriError` when they do not go together."""
    from ctmri_core.inference.order import Order
    from ctmri_core.model_card import find_model
    from ctmri_core.resources_folder import model_folders

    asked, draws = arguments.uncertainty is not None, arguments.draws or 0
    for flag, given in (("--samples", arguments.samples), ("--seed", arguments.seed)):
        if given is not None and not asked and not draws:
            raise CtmriError(f"{flag} goes with --uncertainty or --draws. Say which, or leave it out.")
    if arguments.overlap is not None and arguments.patch is None:
        raise CtmriError("--overlap goes with --patch. Say how large patches are, or leave it out.")
    if arguments.body_model and getattr(arguments, "body", None) is not None:
        raise CtmriError("--body and --body-model both say where the body is. Leave one of them out.")
    folders = model_folders()
    return Order(
        device=arguments.device,
        precision=arguments.precision,
        batch=arguments.batch,
        patch=arguments.patch,
        overlap=arguments.overlap,
        planes=arguments.planes,
        fusion=arguments.fuse,
        beside=tuple(find_model(name, folders) for name in arguments.beside),
        body_model=find_model(arguments.body_model, folders) if arguments.body_model else None,
        doubt=arguments.uncertainty or ("auto" if draws else "none"),
        samples=arguments.samples or max(8, draws),
        draws=draws,
        seed=arguments.seed or 0,
        keep_unfinished=arguments.keep_unfinished,
    )


def with_way_back(order: Order, arguments: argparse.Namespace, model: Path) -> Order:
    """`order` with the model that --back names. Raises `ModelRefused`."""
    from ctmri_core.model_card import find_model, model_back
    from ctmri_core.resources_folder import model_folders

    if arguments.back is None:
        return order
    folders = model_folders()
    return replace(order, back=model_back(model, folders) if arguments.back == _AUTO else find_model(arguments.back, folders))


def files_beside(arguments: argparse.Namespace) -> list[tuple[str, Path]]:
    """(word, path) of all that will be written beside OUT: `uncertainty`, `cycle`, `draw1`, ..."""
    from ctmri_core.io.saving_together import path_beside

    maps = [word for word, asked in (("uncertainty", arguments.uncertainty), ("cycle", arguments.back)) if asked is not None]
    found = [(word, path_beside(arguments.output, word, is_map=True)) for word in maps]
    draws = [f"draw{number}" for number in range(1, (arguments.draws or 0) + 1)]
    return found + [(word, path_beside(arguments.output, word)) for word in draws]


def only_for_one_scan(arguments: argparse.Namespace) -> dict[str, bool]:
    """By flag: whether something was asked for that is written beside the result of one scan."""
    return {
        "--uncertainty": arguments.uncertainty is not None, "--draws": arguments.draws is not None,
        "--back": arguments.back is not None, "--keep-unfinished": arguments.keep_unfinished,
    }  # fmt: skip
