"""What a reader finds in a file or folder before loading it, and what every reader must be able to do."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, printable
from ctmri_core.events import StopSignal, Work
from ctmri_core.geometry import Triple
from ctmri_core.volume import Finding, Volume

PICTURES = "pictures"
"""The format of pictures; those that lie beside a scan count as `localizer`."""
REFUSED = "refused"
"""The kind of finding that says why a series cannot be loaded."""
TILT = "tilt"
"""The kind of finding of a series whose slices are displaced evenly, which `straightened` asks to mend."""
ESTIMATED_SPACING = "estimated_spacing"
"""The kind of finding of a series whose file gives no voxel size, or not all of it; `with_spacing` gives it."""


@dataclass(frozen=True)
class Series:
    """One loadable volume inside `path`. Light: headers only, no voxels; hashable and picklable.

    `path`: the file or folder that was scanned. `format_name`: the `name` of the reader that can load it.
    `label`: what the user may see (domain, slice count, file name), never patient attributes or free text.
    `files`: the files of the volume, in slice order where the format has one.
    `shape`, `spacing`: along (k, j, i), mm; None where only loading can tell. `localizer`: a scout, not a volume to work on.
    `synthetic`: made by a model, as the mark in the file says, and the label with it.
    `plane`: in words such as `axial`, empty where not known. `given_spacing`: along (k, j, i), mm, what the user says in place of
    what the file lacks. `straighten`: the user asks for slices displaced by a tilted gantry to be shifted onto a straight grid.
    `findings`: what is already known to be odd. `details`: whatever the reader wants to find again in `load`; it must be
    picklable, takes no part in equality, and is shown to nobody.
    """

    path: Path
    format_name: str
    domain: Domain
    label: str
    files: tuple[Path, ...]
    shape: tuple[int, int, int] | None = None
    spacing: Triple | None = None
    localizer: bool = False
    synthetic: bool = False
    plane: str = ""
    given_spacing: Triple | None = None
    straighten: bool = False
    findings: tuple[Finding, ...] = ()
    details: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", printable(self.label))  # it holds names of files, and those may hold anything

    @property
    def refusal(self) -> str | None:
        """Why this series cannot be loaded, where that is known already: the message of its finding `refused`."""
        return next((finding.message for finding in self.findings if finding.kind == REFUSED), None)

    def has(self, kind: str) -> bool:
        """Whether there is a finding of this kind."""
        return any(finding.kind == kind for finding in self.findings)


def with_spacing(series: Series, spacing: Triple) -> Series:
    """`series` with the voxel size that the user gives, along (k, j, i) in mm. Raises `FileRefused` when it is none."""
    if not all(math.isfinite(value) and 1e-4 < value < 1e4 for value in spacing):
        sizes = " x ".join(f"{value:g}" for value in spacing)
        raise FileRefused(series.path, f"cannot have voxels of {sizes} mm.", "Give three positive numbers of millimetres.")
    said = Finding("given_spacing", "The voxel size was given by the user, not by the file.")
    known = tuple(finding for finding in series.findings if finding.kind not in (ESTIMATED_SPACING, said.kind))
    return replace(series, spacing=spacing, given_spacing=spacing, findings=(*known, said))


def straightened(series: Series) -> Series:
    """`series` with the wish that its tilt be corrected when it is loaded, and what is to be said of it then."""
    message = (
        "Gantry tilt corrected: the slices are shifted onto a straight grid, so they are in place and measurements hold. Beside a"
        " shifted slice is background."
    )
    findings = tuple(Finding(TILT, message) if finding.kind == TILT else finding for finding in series.findings)
    return replace(series, straighten=True, findings=findings)


class Reader(Protocol):
    """One file format."""

    @property
    def name(self) -> str:
        """As people call the format: `DICOM`, `NIfTI`."""
        ...

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether `path` is of this format; `head` holds the first bytes of a file and is empty for a folder."""
        ...

    def scan(self, path: Path) -> tuple[Series, ...]:
        """The volumes in `path`, best first. Raises `FileRefused` when there is none that can be used."""
        ...

    def load(self, series: Series, stop: StopSignal) -> Work[Volume]:
        """Reads one series that this reader's `scan` returned, `straighten` heeded. Raises `FileRefused`."""
        ...

    def preview(self, series: Series) -> Volume | None:
        """One slice from the middle of the volume, in its place on a grid of its own; None where it costs as much as loading.

        For showing only: what `load` proves may be unproved here. Raises `FileRefused`.
        """
        ...
