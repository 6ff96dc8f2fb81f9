"""What is kept of one DICOM slice, and the refusals of files that are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_elements import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT
from ctmri_core.volume import LossyCompression

NATIVE_SYNTAXES = {IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED}
ALWAYS_LOSSY_SYNTAXES = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}
LOSSY_SYNTAXES = {
    **dict.fromkeys(ALWAYS_LOSSY_SYNTAXES, "ISO_10918_1"),
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
    "1.2.840.10008.1.2.4.91": "ISO_15444_1",
    "1.2.840.10008.1.2.4.203": "ISO_15444_15",
}
"""Transfer syntaxes that may lose something, with the term of LossyImageCompressionMethod (PS3.3, C.7.6.1.1.5.1)."""


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
    """What a slice says about how it came about. The texts are empty unless it is synthetic."""

    synthetic: bool
    phantom: bool
    derivation: str = field(repr=False)
    comments: str = field(repr=False)
    lossy: LossyCompression | None = None


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How the stored values of a slice are encoded, and where they lie: `offset`, `length` in the (inflated) file."""

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

    @property
    def compressed(self) -> bool:
        return self.transfer_syntax not in NATIVE_SYNTAXES


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """One single-frame greyscale slice with a place in the patient. mm, LPS; `orientation`: along a row, then down a column.

    `slice_step`: mm between slices as the file tells, `images_told`: how many the acquisition or series has, by the file;
    `patient`: equal for equal patients, a digest.
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
    window: tuple[float, float] | None
    timing: MrTiming
    origin: Origin
    pixels: PixelFormat
    instance_number: int | None = None
    slice_step: float | None = None
    images_told: int | None = None
    patient: bytes = field(default=b"", repr=False)
