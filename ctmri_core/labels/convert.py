"""Turns labels of one format into another, many files at a time: those that are wrong are named, the rest go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ctmri_core.errors import CtmriError, FileRefused, Stopped, WrongInput, shown_name
from ctmri_core.events import CaseTold, Noted, Progress, StopSignal, Work
from ctmri_core.files import atomic_folder
from ctmri_core.io.opening import load, sole_series
from ctmri_core.io.saving import save
from ctmri_core.labels.dicom_seg import write_dicom_seg
from ctmri_core.labels.label_table import BACKGROUND, IGNORE, UNDECIDED, LabelTable, found_table, read_table
from ctmri_core.labels.label_volume import Labels, label_volume, on_scan, read_labels
from ctmri_core.labels.labelled_slices import (
    GivenFile,
    LabelledSlice,
    labelme_files,
    labelme_slices,
    stacked,
    unique_names,
    volume_slices,
    with_own_picture,
)
from ctmri_core.labels.labelme_file import NoLabelme, label_names
from ctmri_core.labels.labelme_writing import ShapeKind
from ctmri_core.labels.layouts import CLASS_NAMES, MASKS, PictureKind, write_labelme, write_lists, write_mask, write_voc
from ctmri_core.preprocess.shown_slices import AS_STORED, Turn, turn_of
from ctmri_core.volume import Volume

Form = Literal["masks", "voc", "labelme", "nifti", "seg"]
SidesOf = Callable[[Mapping[str, str]], Mapping[str, str]]
"""Patients by name of picture -> sides (`train`, `validation`, `test`) by name of picture."""


@dataclass(frozen=True)
class LabelOrder:
    """`table`: None for one of what is found; `scan`: what labels were drawn on, where they do not say; `sides_of`: who splits a
    VOC layout, None for nobody. `deidentify`, `pseudonym`: of a DICOM Segmentation."""

    inputs: tuple[Path, ...]
    output: Path
    form: Form
    table: LabelTable | None = None
    scan: Path | None = None
    shapes: ShapeKind = "polygon"
    pictures: PictureKind = "png"
    sides_of: SidesOf | None = None
    deidentify: bool = False
    pseudonym: str = ""


@dataclass(frozen=True)
class Converted:
    """How many pictures or volumes were written, and what was wrong with the files that were not."""

    written: int
    refused: tuple[CtmriError, ...]


@dataclass(frozen=True)
class _Given:
    """What the inputs are: `drawings` of labelme, and volumes of labels, with their names."""

    drawings: tuple[GivenFile, ...]
    volumes: tuple[tuple[str, Path, Volume, Labels], ...]
    names: tuple[str, ...]
    refused: tuple[CtmriError, ...]


def convert_labels(order: LabelOrder, stop: StopSignal) -> Work[Converted | None]:
    """Writes the new folder `order.output`, whole or not at all; None when stopped.

    Raises `FileRefused` where no input can be used, `WrongInput` where a scan is missing, `WriteFailed`.
    """
    if order.form == "seg" and order.scan is None:
        raise WrongInput(_NO_SCAN.format("seg"))
    try:
        scan = None
        if order.scan is not None:
            scan = yield from load(sole_series(order.scan), stop)
            if scan is None:
                return None
        given = yield from _looked_at(order, stop)
        if order.form == "labelme" and scan is None and any(len(labels) > 1 for *_, labels in given.volumes):
            raise WrongInput(_NO_SCAN.format("labelme"))
        table = order.table or _table_of(given)
        with atomic_folder(order.output) as folder:
            write = _as_volumes if order.form in ("nifti", "seg") else _as_pictures
            done = yield from write(order, given, table, scan, folder, stop)
            if not done.written:
                raise WrongInput(_NOTHING) if done.refused else FileRefused(order.inputs[0], "holds no labels.")
            (folder / CLASS_NAMES).write_text(table.text, encoding="utf-8")
        return done
    except Stopped:
        return None


def _looked_at(order: LabelOrder, stop: StopSignal) -> Work[_Given]:
    """Reads what is drawn for its labels' names, and label volumes whole."""
    drawings: list[GivenFile] = []
    volumes: list[tuple[str, Path, Volume, Labels]] = []
    names: dict[str, None] = {}
    refused: list[CtmriError] = []
    for given in order.inputs:
        files = labelme_files(given) if given.is_dir() or given.suffix.lower() == ".json" else ()
        for number, file in enumerate(files):
            _check(stop)
            try:
                names |= dict.fromkeys(label_names(file.path))
                drawings.append(file)
            except NoLabelme as refusal:
                if given.is_dir():
                    yield Noted(message=f"{refusal} It is passed over.")
                else:
                    refused.append((yield from _refused(refusal)))
            except FileRefused as refusal:
                refused.append((yield from _refused(refusal)))
            yield Progress(done=number + 1, total=len(files), unit="files", message="looking at what was drawn")
        for path in () if files else _label_files(given, order.form):
            _check(stop)
            try:
                read = yield from read_labels(path, stop)
                if read is None:
                    raise Stopped("Stopped.")
                volumes.append((path.name.split(".")[0] or "labels", path, _with_names(read[0], path), read[1]))
            except FileRefused as refusal:
                refused.append((yield from _refused(refusal)))
    if not drawings and not volumes and refused:
        raise WrongInput(_NOTHING)
    return _Given(tuple(drawings), tuple(volumes), tuple(names), tuple(refused))


def _label_files(given: Path, form: Form) -> tuple[Path, ...]:
    """Where pictures are wanted, each of those in a folder (of a VOC layout, its masks); else what it is as a whole."""
    if not given.is_dir() or form in ("nifti", "seg"):
        return (given,)
    place = given / MASKS if (given / MASKS).is_dir() else given
    return tuple(sorted(path for path in place.iterdir() if path.suffix.lower() == ".png" and path.is_file())) or (given,)


def _with_names(volume: Volume, path: Path) -> Volume:
    """What a list beside the file, or beside the folder of masks, calls its numbers. Raises `FileRefused` where that is wrong."""
    folder = path.parent.parent if path.parent.name == MASKS else path.parent
    listed = folder / CLASS_NAMES
    if volume.label_names or not listed.is_file():
        return volume
    return replace(volume, label_names=tuple(enumerate(read_table(listed).names))[1:])


def _table_of(given: _Given) -> LabelTable:
    """Of names where there are any; numbers of volumes are called by themselves."""
    highest = max((int(labels[labels != UNDECIDED].max(initial=0)) for *_, labels in given.volumes), default=0)
    if given.names or not highest:
        return found_table(given.names)
    names = _told_names(given)
    return LabelTable((BACKGROUND, *(names.get(number, f"label_{number}") for number in range(1, highest + 1))))


def _told_names(given: _Given) -> dict[int, str]:
    """What the files call their numbers; nothing where two do not mean the same."""
    told = {pair for _, _, volume, _ in given.volumes for pair in volume.label_names if pair[1] not in ("", BACKGROUND, IGNORE)}
    names = dict(told)
    return names if len(told) == len(names) == len(set(names.values())) else {}


def _as_pictures(
    order: LabelOrder, given: _Given, table: LabelTable, scan: Volume | None, folder: Path, stop: StopSignal
) -> Work[Converted]:
    slices, refused = labelme_slices(given.drawings), list(given.refused)
    names = unique_names(name for name, *_ in given.volumes)
    for name, (_, path, volume, labels) in zip(names, given.volumes, strict=True):
        try:
            placed = labels if scan is None else (yield from on_scan(volume, labels, scan))
            made = volume_slices(name, path, placed, scan, _turn(order.form, scan))
            slices += made if scan is not None else [with_own_picture(one, labels.shape[1:]) for one in made]
        except WrongInput as error:
            refused.append((yield from _refused(FileRefused(path, str(error)))))
    patients: dict[str, str] = {}
    for number, one in enumerate(slices, 1):
        _check(stop)
        try:
            _write_one(order, folder, one, table)
            patients[one.name] = one.patient
        except FileRefused as refusal:
            refused.append((yield from _refused(refusal)))
        yield Progress(done=number, total=len(slices), unit="pictures", message=f"writing {order.output.name}")
    if order.form == "voc" and patients:
        if order.sides_of is not None and len(set(patients.values())) < 2:
            yield Noted(message=_ONE_PATIENT, serious=True)
        write_lists(folder, dict.fromkeys(patients, "train") if order.sides_of is None else order.sides_of(patients))
    return Converted(len(patients), tuple(refused))


def _turn(form: Form, scan: Volume | None) -> Turn:
    """What people draw on lies as the viewer shows it; what programs read, as the scan's other pictures: as it is stored."""
    return turn_of(scan.geometry) if form == "labelme" and scan is not None else AS_STORED


_NO_SCAN = "For {} the scan that the labels lie on is needed. Name it with --scan."
_NOTHING = "Nothing is written: no file could be used."
_IN_ORDER = "The drawings in the order of their names are taken for the slices of the scan, from the first on"
_TURNED = ", and to lie as the viewer shows these, which the scan's file holds in another order of rows or columns"
_ONE_PATIENT = (
    "All pictures seem to be of one patient, so all are for training: what is measured on a patient that was learnt from is "
    "worth nothing. Put those of each patient into a folder of its own."
)


def _write_one(order: LabelOrder, folder: Path, one: LabelledSlice, table: LabelTable) -> None:
    if order.form == "masks":
        write_mask(folder, one, table)
    elif order.form == "voc":
        write_voc(folder, one, table, order.pictures)
    else:
        write_labelme(folder, one, table, order.shapes)


def _as_volumes(
    order: LabelOrder, given: _Given, table: LabelTable, scan: Volume | None, folder: Path, stop: StopSignal
) -> Work[Converted]:
    refused, written = list(given.refused), 0
    if given.drawings and scan is None:
        raise WrongInput("labelme files do not tell where their pictures lie. Name the scan with --scan.")
    names = unique_names([*(name for name, *_ in given.volumes), *(["labels"] if given.drawings else [])])
    for number, name in enumerate(names):
        _check(stop)
        try:
            labels, under = yield from _placed(given, number, table, scan)
            if order.form == "seg":
                called = {value: table.name(value) for value in range(1, len(table.names))}
                drawn_by: Literal["MANUAL", "SEMIAUTOMATIC"] = "SEMIAUTOMATIC" if number < len(given.volumes) else "MANUAL"
                write_dicom_seg(
                    labels, under, folder / f"{name}.dcm", called,
                    drawn_by=drawn_by, deidentify=order.deidentify, pseudonym=order.pseudonym,
                )  # fmt: skip
            elif (yield from save(label_volume(labels, under), folder / f"{name}.nii.gz", stop=stop)) is None:
                raise Stopped("Stopped.")
            written += 1
        except FileRefused as refusal:
            refused.append((yield from _refused(refusal)))
    return Converted(written, tuple(refused))


def _placed(given: _Given, number: int, table: LabelTable, scan: Volume | None) -> Work[tuple[Labels, Volume]]:
    """The labels of the volume at a place, or behind the last of all that was drawn, and what they lie on."""
    if number == len(given.volumes):
        assert scan is not None
        yield Noted(message=f"{_IN_ORDER}{_TURNED if turn_of(scan.geometry) else ''}.")
        return stacked(labelme_slices(given.drawings), table, scan), scan
    _, path, volume, labels = given.volumes[number]
    if scan is None:
        return labels, volume
    try:
        return (yield from on_scan(volume, labels, scan)), scan
    except WrongInput as error:
        raise FileRefused(path, str(error)) from error


def _refused(refusal: FileRefused) -> Work[FileRefused]:
    yield CaseTold(name=shown_name(refusal.path), status="wrong", reason=f"{refusal.problem} {refusal.way_out}".strip())
    return refusal


def _check(stop: StopSignal) -> None:
    if stop():
        raise Stopped("Stopped.")

