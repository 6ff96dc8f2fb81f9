"""What a reader finds in a file or folder before loading it, and what every reader must be able to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ctmri_core.domain import Domain
from ctmri_core.events import StopSignal, Work
from ctmri_core.geometry import Triple
from ctmri_core.volume import Finding, Volume

REFUSED = "refused"
"""The kind of finding that says why a series cannot be loaded."""


@dataclass(frozen=True)
class Series:
    """One loadable volume inside `path`. Light: headers only, no voxels; hashable and picklable.

    `path`: the file or folder that was scanned. `format_name`: the `name` of the reader that can load it.
    `label`: what the user may see (domain, slice count, file name), never patient attributes or free text.
    `files`: the files of the volume, in slice order where the format has one.
    `shape`, `spacing`: along (k, j, i), mm; None where only loading can tell. `localizer`: a scout, not a volume to work on.
    `synthetic`: made by a model, as the mark in the file says, and the label with it.
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
    findings: tuple[Finding, ...] = ()
    details: Any = field(default=None, repr=False, compare=False)

    @property
    def refusal(self) -> str | None:
        """Why this series cannot be loaded, where that is known already: the message of its finding `refused`."""
        return next((finding.message for finding in self.findings if finding.kind == REFUSED), None)


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
        """Reads one series that this reader's `scan` returned. Raises `FileRefused`."""
        ...
