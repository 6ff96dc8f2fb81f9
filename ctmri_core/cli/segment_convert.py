"""Converts labels: labelme JSON, palette pictures or label volumes into masks, a VOC layout, labelme, NIfTI or DICOM.

Files that are wrong are named and passed over; then the exit status is 1. Numbers of labels follow --labels, else the alphabet,
and stand in class_names.txt. What is marked __ignore__ is 255.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.errors import WrongInput
from ctmri_core.events import Finished, StopSignal, Work

if TYPE_CHECKING:
    from ctmri_core.labels.convert import Converted, LabelOrder
    from ctmri_core.labels.label_table import LabelTable

_FORMS = ("masks", "voc", "labelme", "nifti", "seg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = "labelme files or folders of them; palette pictures; label volumes (NIfTI, MHA, NRRD)"
    parser.add_argument("inputs", type=given_path, nargs="+", metavar="INPUT", help=what)
    parser.add_argument("--output", type=given_path, required=True, metavar="DIR", help="new folder")
    parser.add_argument("--to", choices=_FORMS, default="masks", help="what is written (default: masks, palette PNG)")
    parser.add_argument(
        "--labels", metavar="FILE|A,B", help="names of the labels from number 1 on: a file with one in each line, or a list"
    )
    parser.add_argument("--scan", type=given_path, metavar="SCAN", help="what labels without pictures were drawn on")
    parser.add_argument(
        "--shapes", choices=("polygon", "mask"), default="polygon", help="how labelme is to have them (both are exact)"
    )
    parser.add_argument(
        "--pictures", choices=("png", "jpeg"), default="png", help="of a VOC layout: PNGImages, exact, or JPEGImages"
    )
    split = parser.add_argument_group("split of a VOC layout, by patient (a folder, or a name before its last number)")
    split.add_argument("--validation-share", type=_share, metavar="X", default=0.2, help="of the patients (default: 0.2)")
    split.add_argument("--test-share", type=_share, metavar="X", default=0.0, help="of the patients (default: 0)")
    split.add_argument("--seed", type=int, default=0, metavar="N", help="of the choice by chance (default: 0)")
    split.add_argument("--each-its-own", action="store_true", help="every picture shows another patient")
    parser.add_argument("--deidentify", action="store_true", help="DICOM under a pseudonym, without references to the scan")
    parser.add_argument("--pseudonym", default="", metavar="NAME", help="--deidentify under NAME")
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")


def run(arguments: argparse.Namespace) -> int:
    return run_work(lambda stop: _work(arguments, stop), Terminal(as_json=arguments.json)).status


def _work(arguments: argparse.Namespace, stop: StopSignal) -> Work[Converted | None]:
    from ctmri_core.labels.convert import convert_labels

    done = yield from convert_labels(_order(arguments), stop)
    if done is None:
        return None
    wrong = len(done.refused)
    if wrong:
        files = "1 file was wrong and is" if wrong == 1 else f"{wrong} files were wrong and are"
        yield Finished(reason="failed", message=f"{done.written} written to {arguments.output.name}; {files} not among them.")
    else:
        yield Finished(reason="completed", paths={arguments.to: str(arguments.output)})
    return done


def _order(arguments: argparse.Namespace) -> LabelOrder:
    from ctmri_core.io.deidentify import check_pseudonym
    from ctmri_core.labels.convert import LabelOrder

    check_pseudonym(arguments.pseudonym)
    return LabelOrder(
        inputs=tuple(arguments.inputs), output=arguments.output, form=arguments.to, table=_table(arguments.labels),
        scan=arguments.scan, shapes=arguments.shapes, pictures=arguments.pictures,
        sides_of=lambda patients: _sides(arguments, patients), deidentify=arguments.deidentify, pseudonym=arguments.pseudonym,
    )  # fmt: skip


def _table(given: str | None) -> LabelTable | None:
    from ctmri_core.labels.label_table import given_table, read_table

    if given is None:
        return None
    if Path(given).is_file():
        return read_table(Path(given))
    names = [name.strip() for name in given.split(",")]
    if not all(name and name.isprintable() for name in names) or given.endswith(".txt"):
        raise WrongInput(f"--labels {given}: it is neither a file that is there nor a list of names such as body,bone.")
    return given_table(names)


def _sides(arguments: argparse.Namespace, patients: Mapping[str, str]) -> Mapping[str, str]:
    """By name of picture; those of one patient are on one side."""
    from ctmri_core.case import Case
    from ctmri_core.data.layouts.layout import CaseReference
    from ctmri_core.data.split import SplitPlan, split_cases

    def unread() -> Case:
        raise AssertionError("a split reads no pictures")

    whose = {name: name if arguments.each_its_own else patient for name, patient in patients.items()}
    cases = [CaseReference(name, unread, patient=f"patient {patient}") for name, patient in whose.items()]
    plan = SplitPlan(validation_share=arguments.validation_share, test_share=arguments.test_share, seed=arguments.seed)
    sides = split_cases(cases, plan)
    return {name: sides[f"patient {patient}"] for name, patient in whose.items()}


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share from 0 to less than 1")
    return value
