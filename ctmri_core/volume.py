"""Voxels on a geometry, with what they are and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.errors import GeometryMismatch
from ctmri_core.geometry import Geometry, Triple

Voxels = NDArray[np.int16] | NDArray[np.float32]


@dataclass(frozen=True)
class Finding:
    """Something a person should know about a volume before trusting it: shown as a banner.

    `kind`: short stable word (`gap`, `tilt`, `uneven_spacing`, `duplicate`, `missing_orientation`, `estimated_spacing`);
    `message`: what it means for picture and measurement; `serious`: whether measurements are wrong because of it; `told`: whether
    this is what a file says of itself, which may be any text.
    """

    kind: str
    message: str
    serious: bool = False
    told: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class LossyCompression:
    """That voxels have been through lossy compression, which they bear for good: DICOM decimal strings and defined terms, one
    of each per compression, as far as they are known.
    """

    ratios: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


@dataclass(frozen=True)
class DicomSource:
    """What a derived DICOM series must carry over from its source. Holds patient data: never logged, never in a repr.

    `patient_and_study`: allow-listed attributes of the patient, general study and frame-of-reference modules as DICOM
    JSON; `instance_uids`: SOP instance UIDs in slice order of the volume (k = 0 first); `frames`: which frame of its
    instance each slice is, from 1, empty where an instance holds one slice; `positions`: LPS mm of the first voxel of each slice
    where a tilted series was left as it is, so that its slices lie beside the volume's grid, else empty; `lossy`: None when no
    slice was; `thickness`: mm, of all slices, which may overlap or leave gaps; None where it is unknown or varies.
    """

    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    sop_class_uid: str
    frame_of_reference_uid: str | None = field(repr=False)
    instance_uids: tuple[str, ...] = field(repr=False)
    patient_and_study: dict[str, Any] = field(repr=False)
    frames: tuple[int, ...] = ()
    positions: tuple[Triple, ...] = ()
    lossy: LossyCompression | None = None
    thickness: float | None = None

    def term(self, tag: str) -> str:
        """The text of an attribute that holds exactly one, such as `00180015`; empty where it does not."""
        value = self.patient_and_study.get(tag, {}).get("Value")
        return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else ""


@dataclass(frozen=True)
class Synthetic:
    """How a synthetic volume was made: name and hash of the model, and the recorded steps. `told`: as of a `Finding`."""

    model_name: str
    model_hash: str
    details: dict[str, Any] = field(default_factory=dict)
    told: bool = field(default=False, compare=False)


def kind_label(domain: Domain, *, synthetic: bool, phantom: bool) -> str:
    """How the label of a volume begins: `CT`, `Synthetic T1 MR`, `CT phantom`, `Unknown kind`."""
    text = f"{'Synthetic ' if synthetic else ''}{domain.label}{' phantom' if phantom else ''}"
    return text[0].upper() + text[1:]


class StoredWindow(NamedTuple):
    """A window that a file offers, in the unit of its voxels; `explanation`: short words of the scanner, or empty."""

    centre: float
    width: float
    explanation: str = ""


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels of one patient on one grid.

    `voxels`: int16 or float32, C-contiguous, (k, j, i), HU for CT, arbitrary units for MR; treated as read-only.
    `name`: what the user may see: a label made from domain and file name, never from patient attributes.
    `window`: (centre, width) stored in the file, if any; `windows`: all of them.
    `synthetic`: set exactly when the voxels were made by a model.
    `history`: what was done to the voxels, in order, in words; like the messages of `findings` it is written into files, so
    neither holds a file name, which may be the name of a patient. `phantom`: nobody's scan, but that of a phantom.
    `path`: the file or folder that was opened; `files`: those it was read from, in the order of k where each holds a slice.
    `label_names`: of a map of labels, what its file calls its values: anybody's words, never on pictures, in logs or messages.
    Raises `GeometryMismatch` when array and grid differ.
    """

    voxels: Voxels = field(repr=False)
    geometry: Geometry
    domain: Domain
    name: str = ""
    window: tuple[float, float] | None = None
    windows: tuple[StoredWindow, ...] = ()
    frame_of_reference: str | None = field(default=None, repr=False)
    findings: tuple[Finding, ...] = ()
    history: tuple[str, ...] = ()
    synthetic: Synthetic | None = None
    phantom: bool = False
    path: Path | None = field(default=None, repr=False)
    files: tuple[Path, ...] = field(default=(), repr=False)
    dicom: DicomSource | None = field(default=None, repr=False)
    label_names: tuple[tuple[int, str], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.voxels.shape != self.geometry.shape:
            raise GeometryMismatch(f"The array is {self.voxels.shape}, the grid {self.geometry.shape}.")
        if self.voxels.dtype not in (np.int16, np.float32):
            raise GeometryMismatch(f"Voxels must be int16 or float32, not {self.voxels.dtype}.")

    @property
    def unit(self) -> str:
        return self.domain.unit

    @property
    def background(self) -> float:
        """The value of nothing: -1024 HU (air) for CT, 0 for MR."""
        return -1024.0 if self.domain is Domain.CT else 0.0

    @property
    def label(self) -> str:
        """`CT`, `Synthetic T1 MR`, `CT phantom`."""
        return kind_label(self.domain, synthetic=self.synthetic is not None, phantom=self.phantom)

    def with_history(self, step: str, **changes: Any) -> Volume:
        """A copy with fields replaced and `step` appended to the history."""
        return replace(self, history=(*self.history, step), **changes)


Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def once_per_volume(
    function: Callable[Concatenate[Volume, Arguments], Result],
) -> Callable[Concatenate[Volume, Arguments], Result]:
    """Remembers what `function` found out about a volume for as long as the volume lives.

    Volumes never change, so nothing is looked for twice: what a job worked out is at hand on the interface thread. The
    result is shared by all callers, who treat it as read-only.
    """
    found: WeakKeyDictionary[Volume, dict[Hashable, Result]] = WeakKeyDictionary()

    @wraps(function)
    def remembered(volume: Volume, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        known = found.setdefault(volume, {})
        key = (args, tuple(sorted(kwargs.items())))
        if key not in known:
            known[key] = function(volume, *args, **kwargs)
        return known[key]

    return remembered
