"""Whether the files that a case is read from are those that it was prepared from: by name, size and time, none is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ctmri_core.data.layouts.layout import CaseReference
from ctmri_core.domain import Domain

_NAMES_OTHERS = (".mhd", ".nhdr", ".hdr", ".ascii")
"""Headers of voxels that lie in a file beside them."""


def stamp_of(reference: CaseReference) -> str:
    """16 hexadecimal digits that change when a file does, comes or goes; of no file for cases that are made on the spot.

    So do the names of labels, whose numbers follow from all files together. The files are the paths among what `reference.load`
    is given, all that is in them where they are folders.
    """
    given = (reference.load.args, reference.load.keywords) if isinstance(reference.load, partial) else ()
    digest = hashlib.blake2b("\0".join(reference.labels).encode(errors="surrogateescape"), digest_size=8)
    for place in _paths(given):
        for path in sorted(_files(place)):
            try:
                status = path.stat()
            except OSError:  # loading will say it
                continue
            digest.update(f"{path.name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def place_of(reference: CaseReference, domain: Domain) -> Path | None:
    """The file or folder, absolute, that `domain` of a case is read from; None where it is no single one, or made on the spot."""
    given = (*reference.load.args, *reference.load.keywords.values()) if isinstance(reference.load, partial) else ()
    named = next((each[domain] for each in given if isinstance(each, Mapping) and domain in each), ())
    places = tuple(_paths(named))
    return places[0].absolute() if len(places) == 1 else None


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.items():
            yield from _paths(entry)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _paths(part)


def _files(place: Path) -> Iterator[Path]:
    if place.is_dir():
        yield from (path for path in place.rglob("*") if path.is_file())
    elif place.suffix.lower() in _NAMES_OTHERS:
        yield from (path for path in place.parent.iterdir() if path.is_file())
    else:
        yield place
