"""The work of translating many scans, imported when it is run and not before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctmri_core.domain import Domain
from ctmri_core.events import CaseTold, Progress, StopSignal, Work

if TYPE_CHECKING:
    from ctmri_core.batch.run import BatchOutcome

FORMS = {
    "nii.gz": "NIfTI files (.nii.gz)", "nii": "NIfTI files (.nii)", "mha": "MetaImage files (.mha)", "nrrd": "NRRD files (.nrrd)",
    "dicom": "DICOM series", "png": "PNG slices",
}  # fmt: skip
"""What each result can be, with the words for it."""
TABLE = "translations.json"
"""What lies in a folder that holds results of a batch."""
_SETTLE_S = 10.0


@dataclass(frozen=True)
class Wanted:
    """Of a batch: `model` None chooses for each scan; `told`: what scans show that cannot say so; `how`: of an `Order`, by its
    names; `only`: names of cases, empty for all; `body_model`: outlines
    bodies, beyond which results are empty."""

    inputs: tuple[Path, ...]
    output: Path
    folders: tuple[Path, ...]
    model: Path | None = None
    told: Domain | None = None
    form: str = "nii.gz"
    deidentify: bool = False
    watch: bool = False
    all_the_same: bool = False
    only: frozenset[str] = frozenset()
    how: Mapping[str, Any] = field(default_factory=dict)
    body_model: Path | None = None


def translate_many(wanted: Wanted, stop: StopSignal) -> Work[BatchOutcome | None]:
    """See `ctmri_core.batch.run.translate_cases`."""
    yield Progress(done=0, message="starting the translation engine")
    from ctmri_core.batch.order import FORMS as KNOWN
    from ctmri_core.batch.order import BatchOrder, Order
    from ctmri_core.batch.run import translate_cases

    cores = os.cpu_count() or 1
    (form,) = (known for known in KNOWN if known == wanted.form)
    order = BatchOrder(
        wanted.inputs, wanted.output, wanted.model, wanted.folders, wanted.told, form,
        deidentify=wanted.deidentify, all_the_same=wanted.all_the_same, only=wanted.only,
        order=Order(**wanted.how, body_model=wanted.body_model, threads=cores - 1 if cores > 2 else None),
    )  # fmt: skip
    return (yield from translate_cases(order, stop, settle=_SETTLE_S if wanted.watch else None))


def scan_and_result(wanted: Wanted, case: CaseTold) -> list[Path]:
    """What is opened to see both of `case` beside each other; the result alone where the scan is gone."""
    from ctmri_core.batch.cases import scan_at

    scan = scan_at(wanted.inputs, case.place)
    return [*([scan] if scan is not None else []), wanted.output / case.output]


def read_results(folder: Path, _stop: StopSignal) -> Work[tuple[CaseTold, ...]]:
    """How the cases stand in a folder of results, none where it is no such folder. Raises `FileRefused`."""
    yield Progress(done=0, message="reading the table of results")
    from ctmri_core.batch.table import read_table, told_of

    return tuple(told_of(row) for row in read_table(folder))
