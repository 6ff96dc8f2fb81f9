"""Reading the pictures (PNG, JPEG, TIFF) of a case: slices without millimetres, as upright axial ones.

What pictures cannot say is said once of the whole collection and not again of every case, so the readers' findings about missing
sizes and directions are left out here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.case import Case
from ctmri_core.data.label_values import label_numbers
from ctmri_core.data.layouts.layout import LayoutOptions, files
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, WrongInput
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.io.picture_headers import SUFFIXES
from ctmri_core.io.picture_stacks import last_number, natural, without_number
from ctmri_core.io.pictures import PICTURE_READER
from ctmri_core.volume import Volume

_SAID_ONCE = {"missing_orientation", "estimated_spacing", "single_slice", "hounsfield_offset", "gap", "guessed_domain"}
WINDOWED = "grey levels read as a CT window"
"""In the history of a CT whose pictures held no HU."""
_EIGHT_BITS = 255.0
_LEAST_SPREAD = 16384.0  # as the highest level of a picture whose levels are spread over 16 bits
_BETWEEN_MM = 8.0
"""Between pictures of a stack: so far that no mask is smoothed across, for nobody says how far they are apart."""


def is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def pictures(folder: Path) -> list[Path]:
    """The pictures in `folder`, `2.png` before `10.png`."""
    return sorted((path for path in files(folder) if is_picture(path)), key=lambda path: natural(path.name))


def load_pictures(
    identifier: str, places: Mapping[Domain, Sequence[Path]], options: LayoutOptions,
    mask: Sequence[Path] = (), centre: str = "", *, labelled: bool = False,
) -> Case:  # fmt: skip
    """A case of as many pictures of each domain; the n-th ones show the same slice. `labelled`: the mask is to be learnt from.

    Raises `FileRefused`.
    """
    volumes = {domain: picture_volume(paths, domain, options) for domain, paths in places.items()}
    if not mask:
        return Case(identifier, volumes, centre=centre)
    drawn = picture_volume(mask, Domain.UNKNOWN, options).voxels
    labels = read_labels(mask[0], drawn) if labelled else None
    return Case(identifier, volumes, {"body": drawn > 0}, centre=centre, labels=labels)


def read_labels(path: Path, values: NDArray[Any]) -> NDArray[np.uint8]:
    """What the mask in the file `path` holds, as numbers of labels. Raises `FileRefused`."""
    try:
        return label_numbers(values)
    except WrongInput as error:
        raise FileRefused(path, f"cannot be learnt from. {error}", "Export it anew as a map of labels.") from error


def picture_volume(paths: Sequence[Path], domain: Domain, options: LayoutOptions) -> Volume:
    """The pictures as axial slices; 8-bit CT becomes HU by the window of `options`. Raises `FileRefused`."""
    series = PICTURE_READER.scan_files(paths[0].parent, paths)
    if len(series) != 1 or len(series[0].files) != len(paths):
        problem = "is not like the pictures beside it: they differ in size, depth or name."
        raise FileRefused(paths[-1] if len(paths) > 1 else paths[0], problem, "Export them alike.")
    volume = finish(PICTURE_READER.load(series[0], never))
    in_hu = any(finding.kind == "hounsfield_offset" for finding in volume.findings)
    kept = tuple(finding for finding in volume.findings if finding.kind not in _SAID_ONCE)
    geometry = Geometry(volume.geometry.shape, (_BETWEEN_MM, options.pixel_mm, options.pixel_mm))
    volume = replace(volume, geometry=geometry, domain=domain, findings=kept, files=tuple(paths))
    if domain is not Domain.CT or in_hu:
        return volume
    if _EIGHT_BITS < (high := float(volume.voxels.max())) < _LEAST_SPREAD and float(volume.voxels.min()) >= 0:
        problem = f"is a CT of more than 8 bits that goes up to {high:g} only: no one says whether these are HU."
        raise FileRefused(paths[0], problem, "Name 16-bit PNG that hold HU + 1024 ct_..., or export a window as 8 bits.")
    return _in_hounsfield_units(volume, options)


def _in_hounsfield_units(volume: Volume, options: LayoutOptions) -> Volume:
    """Grey levels as the HU that the window says, black as air (that and more it may be); levels that are HU already stay."""
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    if low < 0:
        return volume
    top = _EIGHT_BITS if high <= _EIGHT_BITS else 65535.0
    width = options.ct_window_high - options.ct_window_low
    voxels = (volume.voxels.astype(np.float32) * np.float32(width / top)) + np.float32(options.ct_window_low)
    voxels[volume.voxels == 0] = volume.background
    findings = tuple(finding for finding in volume.findings if finding.kind != "not_hounsfield")
    return volume.with_history(WINDOWED, voxels=voxels, findings=findings)


def parts(volume: Volume, columns: slice) -> Volume:
    """Some columns of every slice, as a volume of its own."""
    first, last, _ = columns.indices(volume.geometry.shape[2])
    shape = (*volume.geometry.shape[:2], last - first)
    voxels = volume.voxels[:, :, columns].copy()
    return replace(volume, voxels=voxels, geometry=Geometry(shape, volume.geometry.spacing))


def by_patient(paths: Iterable[Path]) -> dict[Path, str]:
    """Which patient each picture of a flat folder is of, as far as names tell: `1BA001_045.png` is of `1BA001`.

    Names that tell nothing of the kind make every picture a patient of its own.
    """
    paths = list(paths)
    families = {path: _family(path.stem) for path in paths}
    counts = Counter(family for family in families.values() if family)
    if len(counts) >= 2 and sum(count > 1 for count in counts.values()) >= len(counts) / 2:
        return {path: families[path] or path.stem for path in paths}
    return {path: path.stem for path in paths}


def _family(stem: str) -> str:
    """What comes before the number of the slice, if there is a number in it too: a name such as `ct12` tells no patient."""
    if last_number(stem) is None:
        return ""
    before = without_number(stem).partition("#")[0].rstrip("_- .").lower()
    return before if re.search(r"[0-9]", before) else ""
