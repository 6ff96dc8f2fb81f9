"""Flags about the output that several commands share, and what is said of what they write."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.cli.terminal import given_path
from ctmri_core.errors import WriteFailed
from ctmri_core.events import Finished, Noted, StopSignal, Work

if TYPE_CHECKING:
    from ctmri_core.volume import Finding, Volume


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """--output with --slices, --deidentify, --pseudonym, --burn-in, --overwrite and --json, for `saved`."""
    parser.add_argument(
        "--output", type=given_path, required=True, metavar="OUT", help="file (by its suffix) or new folder (slices)"
    )
    parser.add_argument("--slices", choices=("dicom", "png"), help="what a folder is to hold (default: dicom)")
    parser.add_argument(
        "--deidentify", action="store_true", help="under a pseudonym, without dates and identifiers; burned-in text stays"
    )
    parser.add_argument(
        "--pseudonym", type=_pseudonym, default="", metavar="NAME",
        help="--deidentify under NAME, by which several runs of one patient meet (default: a new one for each run)",
    )  # fmt: skip
    parser.add_argument("--burn-in", action="store_true", help="the word SYNTHETIC in a corner of every slice of a model's image")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT where it is a file that exists (never INPUT)")
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")


def check_output(arguments: argparse.Namespace, sources: Iterable[Path], beside: Iterable[Path] = ()) -> None:
    """Raises `WriteFailed` before any work when --output, or what goes `beside` it, cannot or must not be written.

    `sources`: what must outlive it.
    """
    from ctmri_core.io.saving import check_target

    sources = tuple(sources)
    for target in (arguments.output, *beside):
        check_target(target, sources=sources, overwrite=arguments.overwrite)
    if arguments.slices and arguments.output.suffix and not arguments.output.is_dir():
        raise WriteFailed(f"--slices {arguments.slices} needs a folder, but {arguments.output.name} names a file. Leave one out.")


def saved(
    arguments: argparse.Namespace, volume: Volume, name: str, stop: StopSignal, source: Volume | None = None,
    beside: Sequence[tuple[str, Path, Volume]] = (), stopped: str = "",
) -> Work[Path | None]:  # fmt: skip
    """Writes `volume` as the flags say, with the reminder that goes with a head; `name` is what the path is called at the end.

    `beside`: names, paths and volumes of what appears together with it; `stopped`: why it is not all that was wanted.
    """
    from ctmri_core.io.face import face_reminder
    from ctmri_core.io.saving_together import save_together

    target: Path = arguments.output
    written = yield from save_together(
        [(volume, target), *((other, path) for _, path, other in beside)],
        source=source,
        overwrite=arguments.overwrite,
        slices=arguments.slices or "dicom",
        deidentify=arguments.deidentify,
        pseudonym=arguments.pseudonym,
        burn_in=arguments.burn_in,
        stop=stop,
    )
    if not written:
        return None
    reminder = face_reminder(volume)
    if reminder:
        yield Noted(message=reminder)
    paths = {name: str(target)} | {word: str(path) for word, path, _ in beside}
    yield Finished(reason="stopped" if stopped else "completed", message=stopped, paths=paths)
    return target


def _pseudonym(text: str) -> str:
    from ctmri_core.io.deidentify import check_pseudonym

    try:
        check_pseudonym(text)
    except WriteFailed as refusal:
        raise argparse.ArgumentTypeError(str(refusal)) from None
    return text


def noted(findings: Iterable[Finding]) -> Iterator[Noted]:
    """What is known about a volume, as events."""
    for finding in findings:
        yield Noted(message=finding.message, serious=finding.serious)
