"""Folders of labelme files: what was drawn in each is the mask of the picture that it holds, or that lies beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from ctmri_core.case import Case
from ctmri_core.data.layouts.heeding import go_on
from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, Side, files, folders, shown, side_of
from ctmri_core.data.layouts.picture_files import by_patient, picture_volume
from ctmri_core.data.layouts.voc import domain_of
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.labels.label_table import LabelTable, found_table, read_table
from ctmri_core.labels.labelled_slices import GivenFile, labelme_files
from ctmri_core.labels.labelme_file import read_labelme
from ctmri_core.labels.labelme_picture import linked_picture, mask_pixels, picture_file
from ctmri_core.labels.rasterise import drawn

_TABLES = ("labels.txt", "class_names.txt")
_LOOKED_AT, _OPENED = 50, 3
_ENDS = 1 << 16
"""Bytes at either end of a file: a picture may stand before or behind the shapes."""


class Labelme:
    """As labelme saves them, all in one folder or in one for each patient.

    Labels are numbered as `labels.txt` or `class_names.txt` in the folder lists them, else by the alphabet.
    """

    name = "labelme"
    looks = "NAME.json as labelme saves them, or PATIENT/NAME.json, with the pictures in them or beside them"

    def recognises(self, folder: Path) -> bool:
        """Whether the folder, or the folder of a patient, holds such a file."""
        return any(_is_labelme(path) for place in (folder, *folders(folder)[:_LOOKED_AT]) for path in _json(place)[:_OPENED])

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:
        given = [file for file in labelme_files(folder) if _is_labelme(file.path)]
        names, pictures = _looked_at(given)
        table = _table(folder, names)
        flat = by_patient(file.path for file in given)
        for file in given:
            domain = domain_of(file.path, domains)
            if domain is None:
                continue
            *above, name = file.path.relative_to(folder).with_suffix("").parts
            side: Side = side_of(above[0]) if above else ""
            patient = (above[1:] if side else above)[:1]
            shows = shown([domain], domains, masked=True)
            identifier, who = "/".join((*above, name)), patient[0] if patient else flat[file.path]
            load = partial(_load, identifier, file.path, pictures.get(file.path), str(file.root), domain, table, options)
            yield CaseReference(identifier, load, who, side=side, domains=shows, pictures=True, labels=table.names[1:])


def _load(
    identifier: str, path: Path, _picture: Path | None, root: str, domain: Domain, table: LabelTable, options: LayoutOptions
) -> Case:  # fmt: skip
    """What is given as a path is what the case is made of (see `stamp_of`), which the rest of `root` is not."""
    file = read_labelme(path)
    with picture_file(file, Path(root)) as (picture, _):
        volume = picture_volume([picture], domain, options)
    rows, columns = volume.geometry.shape[1:]
    if volume.geometry.shape[0] != 1 or (file.size is not None and file.size != (rows, columns)):
        raise FileRefused(path, "its picture is not the one that was drawn on: their sizes differ.", "Put that picture there.")
    labels = drawn(file, (rows, columns), table, mask_pixels).classes
    return Case(identifier, {domain: volume}, labels=labels[None])


def _looked_at(given: Sequence[GivenFile]) -> tuple[set[str], dict[Path, Path]]:
    """All labels, and by file the pictures beside them. What cannot be read is told of where it is loaded."""
    names: set[str] = set()
    pictures: dict[Path, Path] = {}
    for one in given:
        go_on()
        with suppress(FileRefused):
            file = read_labelme(one.path)
            names.update(shape.label for shape in file.shapes)
            if not file.picture and (beside := linked_picture(file, one.root)) is not None:
                pictures[one.path] = beside
    return names, pictures


def _table(folder: Path, names: set[str]) -> LabelTable:
    """Which label has which number."""
    listed = next((folder / name for name in _TABLES if (folder / name).is_file()), None)
    return found_table(names) if listed is None else read_table(listed)


def _json(folder: Path) -> list[Path]:
    return [path for path in files(folder) if path.suffix.lower() == ".json"]


def _is_labelme(path: Path) -> bool:
    """By the beginning and the end of the file."""
    try:
        with path.open("rb") as handle:
            begin = handle.read(_ENDS)
            handle.seek(max(path.stat().st_size - _ENDS, 0))
            ends = begin + handle.read(_ENDS)
    except OSError:
        return False
    return begin.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"shapes"' in ends and b'"image' in ends
