"""What is kept of one DICOM slice, and the refusals of files that are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_syntaxes import NATIVE_SYNTAXES
from ctmri_core.volume import LossyCompression, StoredWindow


class NotDicom(FileRefused):
    """A file of another kind."""


class EmptyFile(NotDicom):
    """A file without a single byte, of whatever kind it once was."""


class SliceRefused(FileRefused):
    """A DICOM file that is no slice to work with; `series_uid` where it says to which series it belongs, else ""."""

    def __init__(self, path: str | Path, problem: str, way_out: str = "", series_uid: str = "") -> None:
        super().__init__(path, problem, way_out)
        self.series_uid = series_uid

    def __reduce__(self) -> tuple[type[SliceRefused], tuple[str, ...]]:
        return type(self), (str(self.path), self.problem, self.way_out, self.series_uid)


def of_series(refusal: FileRefused, series_uid: str) -> SliceRefused:
    """`refusal` of a file that is known to belong to a series."""
    return SliceRefused(refusal.path, refusal.problem, refusal.way_out, series_uid)


@dataclass(frozen=True, slots=True)
class MrTiming:
    """What tells the weighting of an MR slice: times in ms, and words that may hold anything (never shown or logged)."""

    repetition: float | None
    echo: float | None
    inversion: float | None
    scanning_sequence: str
    words: str = field(repr=False)
    contrast_agent: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """What a slice says about how it came about. The texts are empty unless it is synthetic or an export of ours."""

    synthetic: bool
    phantom: bool
    derivation: str = field(repr=False)
    comments: str = field(repr=False)
    lossy: LossyCompression | None = None


@dataclass(frozen=True, slots=True)
class LookupTable:
    """What stored values stand for: `first` and everything below is `values[0]`; `values`: little-endian uint16."""

    first: int
    values: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tile:
    """Where a slice lies in a mosaic of `rows` x `columns` pixels."""

    rows: int
    columns: int
    top: int
    left: int


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How the stored values of a slice are encoded, and where they lie: `offset`, `length` in the (inflated) file.

    `length`: bytes, -1 = all that is left of an encapsulated element, its offset table included. `colour`: the photometric
    interpretation of a picture of three samples that is grey in truth, else "". `inverted`: the lowest value is meant to be
    white. `padding`: up to this stored value, nothing was measured.
    """

    transfer_syntax: str
    big_endian: bool
    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    inverted: bool
    slope: float
    intercept: float
    rescaled: bool
    rescale_type: str
    offset: int
    length: int
    floating: bool = False
    colour: str = ""
    planar: bool = False
    padding: int | None = None
    table: LookupTable | None = None
    tile: Tile | None = None

    @property
    def compressed(self) -> bool:
        return self.transfer_syntax not in NATIVE_SYNTAXES

    @property
    def wide(self) -> bool:
        """Whether the stored values need more than 16 bits."""
        return self.floating or self.bits_allocated > 16

    @property
    def samples(self) -> int:
        return 3 if self.colour else 1

    @property
    def stored_samples(self) -> int:
        """Per pixel, uncompressed: two pixels may share their colour."""
        return 2 if self.colour == "YBR_FULL_422" else self.samples


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """One greyscale slice with a place in the patient. mm, LPS; `orientation`: along a row, then down a column.

    `frame`: its number in a file of several, from 1, else 0. `stack`: which of several stacks of such a file it belongs to;
    `dimensions`: where it lies along what else the file counts (phases, directions, ...).
    `slice_step`: mm between slices as the file tells, `images_told`: how many the acquisition or series has, by the file;
    `b_value`: s/mm2, of diffusion; `patient`: equal for equal patients, a digest.
    """

    path: Path
    modality: str
    series_uid: str
    series_number: int | None
    study_uid: str
    instance_uid: str
    sop_class_uid: str
    frame_of_reference: str | None
    image_type: tuple[str, ...]
    acquisition: tuple[int | None, int | None]
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]
    thickness: float | None
    windows: tuple[StoredWindow, ...]
    timing: MrTiming
    origin: Origin
    pixels: PixelFormat
    frame: int = 0
    stack: str = field(default="", repr=False)
    dimensions: tuple[int, ...] = ()
    instance_number: int | None = None
    slice_step: float | None = None
    images_told: int | None = None
    b_value: float | None = None
    patient: bytes = field(default=b"", repr=False)
