"""Lays a scan on another one of the same patient by registration, or by a transform that is known already."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.aligning.kinds import KINDS
from ctmri_core.cli.input_choices import add_input_arguments, chosen_series
from ctmri_core.cli.kind_choice import add_kind_argument, as_told
from ctmri_core.cli.output_choices import add_output_arguments, check_output, noted, saved
from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.errors import WriteFailed, WrongInput
from ctmri_core.events import Noted, StopSignal, Work

if TYPE_CHECKING:
    from ctmri_core.preprocess.spatial_transform import SpatialTransform
    from ctmri_core.volume import Volume

_FURTHER_ON = "Pictures of one patient and one part of the body can be registered; to lay them by hand, use --apply."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_input_arguments(parser)
    add_kind_argument(parser)
    parser.add_argument("--to", type=given_path, required=True, metavar="FIXED", help="what INPUT is laid on; it stays as it is")
    parser.add_argument("--transform", choices=KINDS, default="rigid", help="what may change (default: rigid, place only)")
    parser.add_argument("--keep-voxels", action="store_true", help="move the grid of INPUT, resample nothing (rigid only)")
    parser.add_argument("--save-transform", type=given_path, metavar="T.tfm", help="write ITK's transform from FIXED to INPUT")
    parser.add_argument("--apply", type=given_path, metavar="T.tfm", help="use this transform instead of looking for one")
    add_output_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    outcome = run_work(lambda stop: _work(arguments, stop), Terminal(as_json=arguments.json))
    return outcome.status


def _work(arguments: argparse.Namespace, stop: StopSignal) -> Work[Path | None]:
    from ctmri_core.aligning.placed import placed
    from ctmri_core.io.opening import load, sole_series
    from ctmri_core.io.transform_file import write_transform

    beside = [arguments.save_transform] if arguments.save_transform else []
    _check_transform_name(arguments.save_transform, arguments.overwrite)
    sources = [path for path in (arguments.input, arguments.to, arguments.apply) if path is not None]
    check_output(arguments, sources)
    series, onto = chosen_series(arguments), sole_series(arguments.to)
    check_output(arguments, (*series.files, *onto.files))
    moving = yield from load(series, stop)
    fixed = None if moving is None else (yield from load(onto, stop))
    if moving is None or fixed is None:
        return None
    moving = as_told(moving, arguments.modality)
    yield from noted(moving.findings)
    found = yield from (_given(arguments, fixed, moving) if arguments.apply else _looked_for(arguments, fixed, moving, stop))
    if found is None:
        return None
    transform, how = found
    result = placed(moving, fixed, transform, how, on_grid=not arguments.keep_voxels)
    yield Noted(message=result.findings[-1].message)
    for path in beside:
        write_transform(path, transform)
    return (yield from saved(arguments, result, "aligned", stop))


def _looked_for(
    arguments: argparse.Namespace, fixed: Volume, moving: Volume, stop: StopSignal
) -> Work[tuple[SpatialTransform, str] | None]:
    from ctmri_core.aligning.align import align

    if arguments.keep_voxels and arguments.transform != "rigid":
        raise WrongInput(f"--keep-voxels: {arguments.transform} changes shapes, which takes new voxels. Leave one out.")
    found = yield from align(fixed, moving, arguments.transform, stop)
    if found is None:
        return None
    if found.problem:
        raise WrongInput(f"The registration failed, so nothing was written. {found.problem} {_FURTHER_ON}")
    return found.transform, found.how


def _given(
    arguments: argparse.Namespace, fixed: Volume, moving: Volume
) -> Work[tuple[SpatialTransform, str] | None]:  # fmt: skip
    from ctmri_core.aligning.align import judged_as_given
    from ctmri_core.io.transform_file import read_transform

    transform = read_transform(arguments.apply)
    if arguments.keep_voxels and not transform.rigid:
        raise WrongInput("--keep-voxels: this transform changes shapes, which takes new voxels. Leave one out.")
    _, after = judged_as_given(fixed, moving, transform)
    if not after.good:
        yield Noted(message=f"With this transform the pictures do not lie on each other ({after.numbers}).", serious=True)
    return transform, f"transform from a file ({after.numbers})"


def _check_transform_name(path: Path | None, overwrite: bool) -> None:
    if path is None:
        return
    if path.suffix.lower() not in (".tfm", ".txt"):
        raise WriteFailed(f"{path.name}: a transform is written as .tfm.")
    if path.exists() and not overwrite:
        raise WriteFailed(f"{path.name} exists already. Name another file, or allow it with --overwrite.")
