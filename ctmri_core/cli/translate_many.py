"""`ctmri translate` of many scans: a folder into a folder, with a table; stopped and taken up again at any time."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.cli.input_choices import positive
from ctmri_core.cli.terminal import Terminal
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.errors import CtmriError
from ctmri_core.events import Finished, StopSignal, Work
from ctmri_core.resources_folder import model_folders

if TYPE_CHECKING:
    from ctmri_core.batch.order import BatchOrder
    from ctmri_core.batch.run import BatchOutcome

_SETTLE_S = 10.0
_FORMS = ("nii.gz", "nii", "mha", "nrrd", "dicom", "png")
_STATE = "translations.json"
_STOPPED = "Stopped. What is done is kept; the same command goes on with the rest."


def add_many_arguments(parser: argparse.ArgumentParser) -> None:
    many = parser.add_argument_group(
        "many scans", "Where INPUT holds several and OUT is a folder, each is translated into it, with a table translations.csv."
        " The same command once more goes on: what is done is passed over, what failed is tried again.",
    )  # fmt: skip
    many.add_argument("--many", action="store_true", help="into a folder with a table, although INPUT may hold a single scan")
    many.add_argument("--format", choices=_FORMS, help="of each result: files, or folders of slices (default: nii.gz)")
    many.add_argument("--all-the-same", action="store_true", help="translate what would be put aside to be asked about")
    many.add_argument(
        "--devices", type=positive, default=1, metavar="N",
        help="processes that share the scans, each on a graphics card of its own; start the same command on further machines,"
        " or by torchrun or srun, and they share them too",
    )  # fmt: skip
    many.add_argument("--watch", action="store_true", help="translate what arrives in INPUT once it is complete, until Ctrl+C")
    many.add_argument(
        "--settle", type=_seconds, default=_SETTLE_S, metavar="S",
        help=f"with --watch: files that have not changed for S seconds are complete (default: {_SETTLE_S:g})",
    )  # fmt: skip


def is_wanted(arguments: argparse.Namespace) -> bool:
    """Whether many scans are meant by the words alone, or by a table that is in OUT already."""
    asked = arguments.many or arguments.watch or arguments.devices > 1 or arguments.format or arguments.all_the_same
    return bool(asked) or (arguments.output / _STATE).is_file()


def may_be(arguments: argparse.Namespace) -> bool:
    """Whether INPUT, which holds several scans, is to be translated whole: OUT is no file."""
    return arguments.series is None and (arguments.output.is_dir() or not arguments.output.suffix)


def run(arguments: argparse.Namespace) -> int:
    """The exit status: 0 when every scan has its result, 1 when some failed or have to be asked about, 130 when stopped."""
    from ctmri_core.batch.sharing import helpers, own_place

    place = own_place()
    with ExitStack() as stack:
        out, err = sys.stdout, sys.stderr
        if not place.first:  # the first one tells how all goes
            nowhere = stack.enter_context(Path(os.devnull).open("w"))
            out = err = nowhere
        if place.count == 1 and arguments.devices > 1:
            stack.enter_context(helpers(arguments.devices - 1, sys.argv[1:]))
        terminal = Terminal(as_json=arguments.json, out=out, err=err)
        return run_work(lambda stop: work(arguments, stop), terminal).status


def work(arguments: argparse.Namespace, stop: StopSignal) -> Work[BatchOutcome | None]:
    """Ends with `Finished`. Raises what `translate_cases` does, and `CtmriError` for words that do not go together."""
    from ctmri_core.batch.run import translate_cases
    from ctmri_core.batch.sharing import own_place

    order = _order(arguments)
    place, settle = own_place(), arguments.settle if arguments.watch else None
    outcome = yield from translate_cases(order, stop, place=place, settle=settle)
    if outcome is None:
        yield Finished(reason="stopped", message=_STOPPED)
    elif outcome.complete or not place.first:
        yield Finished(reason="completed", message=outcome.words, paths={"table": str(outcome.table)})
    else:
        yield Finished(reason="failed", message=f"{outcome.words}. {outcome.table} says why.")
    return outcome


def _order(arguments: argparse.Namespace) -> BatchOrder:
    from ctmri_core.batch.order import BatchOrder
    from ctmri_core.cli.order_flags import only_for_one_scan, order_of
    from ctmri_core.model_card import find_model

    alone = {
        "--series": arguments.series is not None, "--overwrite": arguments.overwrite, "--strict": arguments.strict,
        "--pseudonym": bool(arguments.pseudonym),  # several patients would become one
        "--body": arguments.body is not None, **only_for_one_scan(arguments),
    }  # fmt: skip
    given = [flag for flag, there in alone.items() if there]
    if given:
        raise CtmriError(f"{given[0]} is for a single scan. Leave it out to translate many.")
    if not may_be(arguments):
        raise CtmriError(f"{arguments.output.name} names a file; many scans need a folder as --output.")
    if arguments.slices and arguments.format not in (None, arguments.slices):
        raise CtmriError(f"--slices {arguments.slices} and --format {arguments.format} do not go together. Leave one out.")
    folders = model_folders()
    return BatchOrder(
        inputs=(arguments.input,),
        output=arguments.output,
        model=find_model(arguments.model, folders) if arguments.model else None,
        folders=folders,
        told=arguments.modality,
        form=arguments.format or arguments.slices or "nii.gz",
        deidentify=arguments.deidentify,
        burn_in=arguments.burn_in,
        all_the_same=arguments.all_the_same,
        spacing=arguments.spacing,
        straighten=arguments.correct_tilt,
        order=order_of(arguments),
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to 3600")
    return value
