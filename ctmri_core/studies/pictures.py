"""The pictures of a study as readers get them: bare int16 voxels under names drawn by chance, in a folder or in a packed file.

`items.json` lists token, shape, spacing and hash, sorted by token, so that no order tells anything. Every picture has the same
shape, and so the same size and time to load.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from ctmri_core.errors import CtmriError, FileRefused
from ctmri_core.files import write_bytes, write_failed
from ctmri_core.studies.trials import Item

FOLDER = "pictures"
_FRESH = ".pictures-anew"
ITEMS = f"{FOLDER}/items.json"
_LITTLE = np.dtype("<i2")
_LOCAL_HEAD, _LOCAL_SIZES = 30, 26
_DATE = 315532800
"""1980, as in packed files."""
_ITEMS = TypeAdapter(tuple[Item, ...])
Int16Array = NDArray[np.int16]


def write_picture(study: Path, token: str, voxels: Int16Array, spacing: tuple[float, float, float]) -> Item:
    """Writes voxels (k, j, i) below the folder `study`."""
    content = raw_of(voxels)
    path = study / name_of(token)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)
    k, j, i = voxels.shape
    return Item(token=token, shape=(k, j, i), spacing=spacing, sha256=hashlib.sha256(content).hexdigest())


def write_items(study: Path, items: Iterable[Item]) -> None:
    """Lists the pictures that were written. Raises `CtmriError` where their shapes or spacings differ."""
    listed = tuple(sorted(items, key=lambda item: item.token))
    forms = {(item.shape, item.spacing) for item in listed}
    if len(forms) > 1:
        raise CtmriError("Pictures of a study have one shape and one spacing, or these would tell them apart.")
    write_bytes(study / ITEMS, _ITEMS.dump_json(listed, indent=1))


def write_alike(study: Path, pictures: Pictures) -> None:
    """Writes all pictures once more, by the order of their tokens and with one date: when, and after which other, each was made
    tells what it is (the real one of a patient first).

    All are written before the first of the old ones goes: a file system gives the number and the place of what went to what comes
    next, and the numbers of files told the order of making that way (rank correlation 0.95). Raises `FileRefused` for one that is
    not the one that was written.
    """
    fresh = study / _FRESH
    shutil.rmtree(fresh, ignore_errors=True)  # of an opening that was cut short
    try:
        for token in sorted(pictures.items):
            path = fresh / Path(name_of(token)).name
            write_bytes(path, raw_of(pictures.voxels(token)))
            os.utime(path, (_DATE, _DATE))
        for token in sorted(pictures.items):
            _moved(fresh / Path(name_of(token)).name, study / name_of(token))
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _moved(path: Path, target: Path) -> None:
    try:
        path.replace(target)
    except OSError as error:
        raise write_failed(target, error) from error


def raw_of(voxels: Int16Array) -> bytes:
    """As they lie in the file of a picture."""
    return np.ascontiguousarray(voxels, dtype=_LITTLE).tobytes()


def name_of(token: str) -> str:
    """Of a picture, inside of the study's folder or of the packed file."""
    return f"{FOLDER}/{token}.raw"


class Pictures:
    """The pictures in the folder, or in the packed file, `place`. Raises `FileRefused` for what holds none."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._packed = _stored(place) if place.is_file() else None
        try:
            listed = _ITEMS.validate_json(self.read(ITEMS))
        except ValidationError as error:
            raise FileRefused(place, "has a damaged list of pictures.", "Ask for it once more.") from error
        self.items: Mapping[str, Item] = {item.token: item for item in listed}

    def names_in(self, folder: str) -> tuple[str, ...]:
        """Of the files in `folder` inside, without it."""
        if self._packed is not None:
            return tuple(sorted(name.removeprefix(f"{folder}/") for name in self._packed if name.startswith(f"{folder}/")))
        return tuple(sorted(path.name for path in (self.place / folder).glob("*") if path.is_file()))

    def voxels(self, token: str) -> Int16Array:
        """All voxels (k, j, i), in memory. Raises `FileRefused` where they are missing or are not those that were written."""
        item = self.items.get(token)
        if item is None:
            raise FileRefused(self.place, "lacks a picture that its order names.", "Ask for it once more.")
        raw = self.read(name_of(token))
        if hashlib.sha256(raw).hexdigest() != item.sha256:
            raise FileRefused(self.place, "holds a picture that is not the one that was written.", "Ask for it once more.")
        return np.frombuffer(raw, _LITTLE).reshape(item.shape).astype(np.int16, copy=False)

    def read(self, name: str) -> bytes:
        """The file `name` of the study, such as `study.json`, whole. Raises `FileRefused` where there is none."""
        try:
            if self._packed is None:
                return (self.place / name).read_bytes()
            offset, size = self._packed[name]
            with self.place.open("rb") as file:
                file.seek(offset)
                return file.read(size)
        except (OSError, KeyError) as error:
            raise FileRefused(self.place, f"holds no {Path(name).name}.", "Choose a reader study.") from error


def _stored(path: Path) -> dict[str, tuple[int, int]]:
    """Where the entries of a zip file that are not compressed begin, and how long they are. Raises `FileRefused` for others."""
    try:
        with zipfile.ZipFile(path) as packed, path.open("rb") as file:
            found = {}
            for entry in packed.infolist():
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise FileRefused(path, "was packed by another program.", "Ask for the file as ctmri wrote it.")
                file.seek(entry.header_offset + _LOCAL_SIZES)
                name, extra = struct.unpack("<HH", file.read(4))
                found[entry.filename] = entry.header_offset + _LOCAL_HEAD + name + extra, entry.file_size
            return found
    except (OSError, zipfile.BadZipFile, struct.error) as error:
        raise FileRefused(path, "is no packed reader study, or damaged.", "Ask for the file once more.") from error
