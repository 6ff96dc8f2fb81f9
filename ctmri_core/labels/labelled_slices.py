"""Labelled pictures one by one, wherever they come from: labelme files, or the slices of a label volume."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import FileRefused
from ctmri_core.io.pictures import read_picture
from ctmri_core.labels.label_table import UNDECIDED, LabelTable
from ctmri_core.labels.label_volume import picture_of_slice, shown_slices
from ctmri_core.labels.labelme_file import read_labelme
from ctmri_core.labels.labelme_picture import mask_pixels, picture_of, size_of
from ctmri_core.labels.rasterise import Drawn, drawn
from ctmri_core.preprocess.shown_slices import Turn, turn_of
from ctmri_core.volume import Volume

_VOC_PICTURES = (("PNGImages", ".png"), ("JPEGImages", ".jpg"), ("JPEGImages", ".jpeg"))


@dataclass(frozen=True)
class LabelledSlice:
    """`name`: of what is written for it, without suffix; `patient`: whom it shows, as far as names tell, else empty; `labels` and
    `picture` read it, and may raise `FileRefused`. `picture` is None where there is none."""

    name: str
    patient: str
    path: Path = field(repr=False)
    labels: Callable[[LabelTable], Drawn] = field(repr=False)
    picture: Callable[[], NDArray[Any]] | None = field(repr=False)


@dataclass(frozen=True)
class GivenFile:
    """A labelme file, and the folder that the user gave, within which its picture is looked for."""

    path: Path
    root: Path


def labelme_files(given: Path, *, deep: bool = True) -> tuple[GivenFile, ...]:
    """A JSON file itself, or all that lie in a folder (and, where `deep`, in those within), in natural order. Links out of it are
    not followed."""
    if not given.is_dir():
        return (GivenFile(given, given.parent),)
    home = given.resolve()
    there = given.rglob("*") if deep else given.iterdir()
    found = [path for path in there if path.suffix.lower() == ".json" and path.is_file()]
    inside = [path for path in found if path.resolve().is_relative_to(home) and not path.name.startswith(".")]
    return tuple(GivenFile(path, given) for path in sorted(inside, key=_natural))


def labelme_slices(files: Sequence[GivenFile]) -> list[LabelledSlice]:
    """Named by their place below the folder, each name once."""
    names = unique_names("_".join(file.path.relative_to(file.root).with_suffix("").parts) for file in files)
    return [
        LabelledSlice(name, patient_of(file), file.path, _labels_reader(file), _picture_reader(file))
        for name, file in zip(names, files, strict=True)
    ]


def volume_slices(name: str, path: Path, labels: NDArray[np.uint8], scan: Volume | None, turn: Turn) -> list[LabelledSlice]:
    """Of a label volume, with pictures of `scan`, on whose grid it lies, turned. Every label is one object. A single picture
    keeps its name, which tells the patient as those of labelme files do."""
    single = len(labels) == 1
    limits = shown_slices(scan) if scan is not None else (0.0, 1.0)

    def of(k: int) -> LabelledSlice:
        def picture() -> NDArray[Any]:
            assert scan is not None
            return np.ascontiguousarray(turn.arranged(picture_of_slice(scan, k, limits)))

        def drawn_there(_table: LabelTable) -> Drawn:
            return _as_drawn(np.ascontiguousarray(turn.arranged(labels[k])))

        called, patient = (name, _before_number(name) or name) if single else (f"{name}_{k + 1:04d}", name)
        return LabelledSlice(called, patient, path, drawn_there, picture if scan is not None else None)

    return [of(k) for k in range(len(labels))]


def patient_of(file: GivenFile) -> str:
    """The first folder below the one that was given, else what stands before the last number of the name; empty where neither
    says anything."""
    parts = file.path.relative_to(file.root).parts
    return parts[0] if len(parts) > 1 else _before_number(file.path.stem)


def with_own_picture(one: LabelledSlice, size: tuple[int, ...]) -> LabelledSlice:
    """With the picture of a VOC layout that lies beside the mask of (rows, columns) `size`, where there is one. Reading it raises
    `FileRefused` where it has another size."""
    places = (one.path.parent.parent / place / f"{one.path.stem}{suffix}" for place, suffix in _VOC_PICTURES)
    found = next((path for path in places if path.is_file()), None)
    return one if found is None else replace(one, picture=lambda: _of_size(found, size))


def _of_size(path: Path, size: tuple[int, ...]) -> NDArray[Any]:
    picture = read_picture(path)
    if picture.shape[:2] != size:
        (rows, columns), (there, across) = size, picture.shape[:2]
        problem = f"has {across} x {there} pixels, its mask {columns} x {rows}."
        raise FileRefused(path, problem, "Put the picture there that the mask was drawn on.")
    return picture


def _before_number(name: str) -> str:
    return re.sub(r"[\W_]*\d+$", "", name)


def unique_names(names: Iterable[str]) -> list[str]:
    """In their order; those that were there before get a number. Capitals do not tell names apart on every disk."""
    taken: set[str] = set()
    result = []
    for name in names:
        number, free = 1, name
        while free.casefold() in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(free.casefold())
        result.append(free)
    return result


def _labels_reader(given: GivenFile) -> Callable[[LabelTable], Drawn]:
    def read(table: LabelTable) -> Drawn:
        file = read_labelme(given.path)
        return drawn(file, size_of(file, given.root), table, mask_pixels)

    return read


def _picture_reader(given: GivenFile) -> Callable[[], NDArray[Any]]:
    return lambda: picture_of(read_labelme(given.path), given.root)


def _as_drawn(labels: NDArray[np.uint8]) -> Drawn:
    objects = labels.astype(np.int32)
    there = [value for value in np.unique(labels).tolist() if value not in (0, UNDECIDED)]
    for number, value in enumerate(there, 1):
        objects[labels == value] = number
    return Drawn(labels, objects, len(there))


def _natural(path: Path) -> list[tuple[int, str]]:
    """`2` before `10`, folder by folder."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdecimal() and len(part) < 18 else (0, part) for part in parts]


def stacked(slices: Sequence[LabelledSlice], table: LabelTable, scan: Volume) -> NDArray[np.uint8]:
    """(k, j, i) on the slices of `scan`, of which there must be as many, in order, turned as the viewer shows them. Raises
    `FileRefused` for another count or size."""
    if len(slices) != scan.geometry.shape[0]:
        problem = f"is the first of {len(slices)} labelled pictures, the scan has {scan.geometry.shape[0]} slices."
        raise FileRefused(slices[0].path, problem, "Give one labelled picture for every slice.")
    result, turn = np.empty(scan.geometry.shape, np.uint8), turn_of(scan.geometry)
    for k, one in enumerate(slices):
        labels, size = one.labels(table).classes, turn.arranged(result[k]).shape
        if labels.shape != size:
            there, wanted = (f"{columns} x {rows}" for rows, columns in (labels.shape, size))
            problem = f"was drawn on {there} pixels, the slices of the scan have {wanted}."
            raise FileRefused(one.path, problem, "Give the scan whose slices they are.")
        result[k] = turn.stored(labels)
    return result
