"""The picture that a labelme file belongs to, and the masks that it carries: embedded as PNG or JPEG, or a file of its own.

A linked picture is looked for where the file says, with names from Windows read anywhere; but never outside of the folder that
the user gave: what lies beyond (a drive, an absolute path, too many `..`) is looked for by its plain name beside the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight
from ctmri_core.io.picture_headers import read_header
from ctmri_core.io.pictures import read_picture
from ctmri_core.io.private_folders import discard, private_folder
from ctmri_core.labels.labelme_file import LabelmeFile

_NO_PICTURE = "Put it beside the file, or name the folder that holds both."
_LONGEST = 4096


def picture_of(file: LabelmeFile, root: Path) -> NDArray[Any]:
    """(rows, columns) grey of 8 or 16 bits, or (rows, columns, 3) uint8; upright, as labelme shows it.

    `root`: the folder that the user gave. Raises `FileRefused` where there is none, it is damaged, or of another size than the
    file says.
    """
    with picture_file(file, root) as (picture, where):
        try:
            values = read_picture(picture)
        except FileRefused as refusal:
            raise FileRefused(file.path, f"{where}: the picture {refusal.problem}", refusal.way_out) from refusal
    _check_size(file, (values.shape[0], values.shape[1]))
    return values


def size_of(file: LabelmeFile, root: Path) -> tuple[int, int]:
    """(rows, columns): of the picture where it is there, else as the file says. Raises `FileRefused` where both differ, or
    neither is there."""
    if file.size is not None and not file.picture and linked_picture(file, root) is None:
        return file.size
    with picture_file(file, root) as (picture, where):
        try:
            _, rows, columns = read_header(picture).upright
        except FileRefused as refusal:
            raise FileRefused(file.path, f"{where}: the picture {refusal.problem}", refusal.way_out) from refusal
    _check_size(file, (rows, columns))
    return rows, columns


def mask_pixels(path: Path, where: str, png: bytes) -> NDArray[np.bool_]:
    """(rows, columns) of a PNG embedded in the field `where` of `path`: True where it is not 0. Raises `FileRefused`."""
    with _on_disk(path, where, png) as picture:
        try:
            values = read_picture(picture)
        except FileRefused as refusal:
            raise FileRefused(path, f"{where}: the picture {refusal.problem}", refusal.way_out) from refusal
    inside: NDArray[np.bool_] = np.not_equal(values if values.ndim == 2 else values.max(-1), 0)
    return inside


def linked_picture(file: LabelmeFile, root: Path) -> Path | None:
    """The picture's own file; None where it is not to be found within `root` or the file's own folder."""
    named = PureWindowsPath(file.picture_path)  # both kinds of slashes are its separators
    if not named.name or len(file.picture_path) > _LONGEST or not file.picture_path.isprintable():
        return None
    folder, inside = file.path.parent, [place.resolve() for place in (root, file.path.parent)]
    places = [folder.joinpath(*named.parts)] if not named.drive and not named.root else []
    for place in (*places, folder / named.name):
        try:
            real = place.resolve()
            if real.is_file() and any(real.is_relative_to(home) for home in inside):
                return place
        except (OSError, ValueError, RuntimeError):  # a name that is too long, a loop of links
            continue
    return None


@contextmanager
def picture_file(file: LabelmeFile, root: Path) -> Iterator[tuple[Path, str]]:
    """The file that holds the picture, and the field that names it. Raises `FileRefused` where there is none."""
    if file.picture:
        with _on_disk(file.path, "imageData", file.picture) as picture:
            yield picture, "imageData"
        return
    linked = linked_picture(file, root)
    if linked is None:
        raise FileRefused(file.path, "its picture (imagePath) is not there, and none is embedded (imageData).", _NO_PICTURE)
    yield linked, "imagePath"


@contextmanager
def _on_disk(path: Path, where: str, content: bytes) -> Iterator[Path]:
    """Where only its reader finds it: pictures are decoded from files, by another process."""
    if preflight.kind(content[: preflight.HEAD_BYTES]) not in ("png", "jpeg"):
        raise FileRefused(path, f"{where} holds no PNG or JPEG picture.", "Save it again in labelme.")
    folder = private_folder()
    try:
        picture = folder / ("ct_picture.png" if path.name.lower().startswith("ct_") else "picture")  # the rest may name a patient
        picture.write_bytes(content)
        yield picture
    finally:
        discard(folder)


def _check_size(file: LabelmeFile, size: tuple[int, int]) -> None:
    if file.size is not None and file.size != size:
        (rows, columns), (rows_there, columns_there) = file.size, size
        problem = f"was drawn on {columns} x {rows} pixels, but its picture has {columns_there} x {rows_there}."
        raise FileRefused(file.path, problem, "Put the picture there that was drawn on.")
