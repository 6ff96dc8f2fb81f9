"""The part of a DICOM header that sorting, judging and decoding a slice need, read quickly and without trust.

The few values wanted are taken from their raw bytes, so a strange value elsewhere in the header costs nothing. Deflated files
are inflated in the reader process only (a small one can claim gigabytes).
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Literal

from pydicom.datadict import tag_for_keyword
from pydicom.filereader import read_file_meta_info

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_elements import DEFLATED, PARSE_ERRORS, Elements, elements, looks_like_dicom, quick_elements
from ctmri_core.io.dicom_slice import (
    ALWAYS_LOSSY_SYNTAXES,
    LOSSY_SYNTAXES,
    EmptyFile,
    MrTiming,
    NotDicom,
    Origin,
    PixelFormat,
    SliceHeader,
    SliceRefused,
)
from ctmri_core.volume import LossyCompression

FIRST_READ = 16 << 10
_FARTHEST_MM = 1e6
_KEYWORDS = (
    "ImageType", "SOPClassUID", "SOPInstanceUID", "Modality", "SeriesDescription", "ContrastBolusAgent", "ScanningSequence",
    "SequenceName", "SliceThickness", "RepetitionTime", "EchoTime", "InversionTime", "ProtocolName", "StudyInstanceUID",
    "SeriesInstanceUID", "SeriesNumber", "AcquisitionNumber", "ImagePositionPatient", "ImageOrientationPatient",
    "FrameOfReferenceUID", "TemporalPositionIdentifier", "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames",
    "Rows", "Columns", "PixelSpacing", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "WindowCenter",
    "WindowWidth", "RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence", "SyntheticData",
    "DerivationDescription", "ImageComments", "QualityControlSubject", "LossyImageCompression", "LossyImageCompressionRatio",
    "LossyImageCompressionMethod", "InstanceNumber", "SpacingBetweenSlices", "ImagesInAcquisition",
    "NumberOfSeriesRelatedInstances", "PatientID", "PatientName",
)  # fmt: skip
_TAG_OF = {keyword: tag_for_keyword(keyword) or 0 for keyword in _KEYWORDS}
_TAGS = frozenset(_TAG_OF.values())


def read_header(path: Path, inflate_header: Callable[[Path], SliceHeader], first_read: int = FIRST_READ) -> SliceHeader:
    """The header of `path`. `inflate_header` reads a deflated file elsewhere; `first_read`: bytes that likely hold the header.

    Raises `NotDicom` for other files, `SliceRefused` when it is no image slice that can be placed in the patient, and
    `FileRefused` when it cannot be read.
    """
    try:
        with path.open("rb") as handle:
            start = handle.read(first_read)
            if not start:
                raise EmptyFile(path, "is empty (0 bytes).", "Copy or export it again.")
            if not looks_like_dicom(start):
                raise NotDicom(path, "is no DICOM file.", "Choose the images of a CT or MR series.")
            if DEFLATED.encode() in start:
                return inflate_header(path)
            found = quick_elements(start, _TAGS) or elements(io.BytesIO(start), _TAGS)
            if not found.pixel_keyword and len(start) == first_read:
                if read_file_meta_info(path).get("TransferSyntaxUID") == DEFLATED:
                    return inflate_header(path)
                handle.seek(0)
                found = elements(handle, _TAGS)
    except PARSE_ERRORS:
        raise _damaged(path) from None
    except OSError as error:
        if error.errno is None:  # pydicom's own, for an element that leads out of the file
            raise _damaged(path) from None
        raise FileRefused(path, f"cannot be read: {error.strerror}.", "Copy it to this computer and try again.") from None
    return build_header(path, found)


def _damaged(path: Path) -> FileRefused:
    return FileRefused(path, "its DICOM header is damaged.", "Copy or export it again.")


def parse_inflated(path: Path, stream: BinaryIO) -> SliceHeader:
    """The header of an inflated file. Raises as `read_header` does, and `PARSE_ERRORS`."""
    header = build_header(path, elements(stream, _TAGS))
    return replace(header, pixels=replace(header.pixels, transfer_syntax=DEFLATED))


def build_header(path: Path, found: Elements) -> SliceHeader:
    """Checks what was found. Raises `SliceRefused` naming field and value."""
    fields = _Fields(found.values, "big" if found.big_endian else "little")
    try:
        return _checked_header(path, fields, found)
    except FileRefused as refusal:
        raise SliceRefused(path, refusal.problem, refusal.way_out, fields.text("SeriesInstanceUID")) from None


def _checked_header(path: Path, fields: _Fields, found: Elements) -> SliceHeader:
    if not found.pixel_keyword:
        raise FileRefused(path, "holds no DICOM image.", "Choose the images of a CT or MR series.")
    pixels = _pixel_format(path, fields, found)
    position, orientation = fields.numbers("ImagePositionPatient"), fields.numbers("ImageOrientationPatient")
    spacing = fields.numbers("PixelSpacing")
    if len(position) != 3 or len(orientation) != 6 or max(map(abs, position)) > _FARTHEST_MM:
        place, turn = "ImagePositionPatient", "ImageOrientationPatient"
        said = f"{place} is {fields.told(place)}, {turn} is {fields.told(turn)}"
        problem = f"has no position and orientation in the patient ({said})."
        raise FileRefused(path, problem, "Choose the original CT or MR slices.")
    if len(spacing) != 2 or not all(1e-4 < value < 1e4 for value in spacing):
        problem = f"PixelSpacing is {fields.told('PixelSpacing')}; two sizes in mm are needed."
        raise FileRefused(path, problem, "Export it again.")
    centre, width = fields.number("WindowCenter"), fields.number("WindowWidth")
    return SliceHeader(
        path=path,
        modality=fields.text("Modality"),
        series_uid=fields.text("SeriesInstanceUID"),
        series_number=fields.integer("SeriesNumber"),
        study_uid=fields.text("StudyInstanceUID"),
        instance_uid=fields.text("SOPInstanceUID"),
        sop_class_uid=fields.text("SOPClassUID"),
        frame_of_reference=fields.text("FrameOfReferenceUID") or None,
        image_type=tuple(part.strip().upper() for part in fields.text("ImageType").split("\\")),
        acquisition=(fields.integer("AcquisitionNumber"), fields.integer("TemporalPositionIdentifier")),
        position=position,
        orientation=orientation,
        pixel_spacing=spacing,
        thickness=fields.number("SliceThickness"),
        window=(centre, width) if centre is not None and width is not None and width > 0 else None,
        timing=_timing(fields),
        origin=_origin(fields, pixels.transfer_syntax),
        pixels=pixels,
        instance_number=fields.integer("InstanceNumber"),
        slice_step=fields.number("SpacingBetweenSlices"),
        images_told=fields.integer("NumberOfSeriesRelatedInstances") or fields.integer("ImagesInAcquisition"),
        patient=_patient(fields),
    )


def _patient(fields: _Fields) -> bytes:
    """Tells patients apart without holding who they are; the same in every process."""
    identity = fields.text("PatientID") or fields.text("PatientName")
    return blake2b(identity.encode(), digest_size=8).digest() if identity else b""


def _origin(fields: _Fields, transfer_syntax: str) -> Origin:
    synthetic = fields.text("SyntheticData") == "YES"
    return Origin(
        synthetic=synthetic,
        phantom=fields.text("QualityControlSubject") == "YES",
        derivation=fields.text("DerivationDescription") if synthetic else "",
        comments=fields.text("ImageComments") if synthetic else "",
        lossy=_lossy(fields, transfer_syntax),
    )


def _lossy(fields: _Fields, transfer_syntax: str) -> LossyCompression | None:
    """By what the header says, and by the transfer syntax where the header says nothing or it leaves no choice."""
    said, method = fields.text("LossyImageCompression"), LOSSY_SYNTAXES.get(transfer_syntax, "")
    if said != "01" and (not method or (said == "00" and transfer_syntax not in ALWAYS_LOSSY_SYNTAXES)):
        return None
    ratios = tuple(f"{value:g}" for value in fields.numbers("LossyImageCompressionRatio"))
    methods = tuple(part.strip() for part in fields.text("LossyImageCompressionMethod").split("\\") if part.strip())
    return LossyCompression(ratios, methods or ((method,) if method else ()))


def _timing(fields: _Fields) -> MrTiming:
    words = " ".join(fields.text(keyword) for keyword in ("SeriesDescription", "ProtocolName", "SequenceName"))
    return MrTiming(
        repetition=fields.number("RepetitionTime"),
        echo=fields.number("EchoTime"),
        inversion=fields.number("InversionTime"),
        scanning_sequence=fields.text("ScanningSequence").upper(),
        words=words.lower(),
        contrast_agent=fields.text("ContrastBolusAgent").lower() not in ("", "none", "no", "n", "0"),
    )


def _pixel_format(path: Path, fields: _Fields, found: Elements) -> PixelFormat:
    colour, frames = fields.text("PhotometricInterpretation"), fields.integer("NumberOfFrames")
    if fields.integer("SamplesPerPixel") not in (None, 1) or colour not in ("", "MONOCHROME1", "MONOCHROME2"):
        raise FileRefused(path, f"is a colour picture ({colour or 'several samples per pixel'}).", "Choose the greyscale slices.")
    if frames is not None and frames != 1:
        problem = f"is a multi-frame file ({frames} frames), which cannot be read yet."
        raise FileRefused(path, problem, "Export the series as single-frame (classic) DICOM.")
    rows, columns = fields.integer("Rows") or 0, fields.integer("Columns") or 0
    bits_allocated = fields.integer("BitsAllocated") or 0
    bits_stored = fields.integer("BitsStored") or bits_allocated
    high_bit = fields.integer("HighBit")
    if rows < 1 or columns < 1:
        raise FileRefused(path, f"Rows and Columns are {rows} and {columns}.", "Export it again.")
    if found.pixel_keyword != "PixelData" or bits_allocated not in (8, 16):
        problem = f"stores {bits_allocated}-bit {found.pixel_keyword}; 8 and 16 bit can be read."
        raise FileRefused(path, problem, "Export it as 16 bit.")
    if bits_allocated == 8 and found.big_endian:
        raise FileRefused(path, "stores 8-bit values as big endian, in either of two byte orders.", "Export it as little endian.")
    if not 1 <= bits_stored <= bits_allocated or not bits_stored - 1 <= (high_bit or bits_stored - 1) < bits_allocated:
        raise FileRefused(path, f"BitsStored {bits_stored} and HighBit {high_bit} do not fit together.", "Export it again.")
    if fields.has("ModalityLUTSequence"):
        raise FileRefused(path, "maps its values through a ModalityLUTSequence, which is not supported.", "Export it rescaled.")
    slope, intercept = fields.number("RescaleSlope"), fields.number("RescaleIntercept")
    if slope == 0:
        raise FileRefused(path, "RescaleSlope is 0.", "Export it again.")
    return PixelFormat(
        transfer_syntax=found.transfer_syntax,
        big_endian=found.big_endian,
        rows=rows,
        columns=columns,
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=bits_stored - 1 if high_bit is None else high_bit,
        signed=fields.integer("PixelRepresentation") == 1,
        inverted=colour == "MONOCHROME1",
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
        rescaled=slope is not None and intercept is not None,
        rescale_type=fields.text("RescaleType"),
        offset=found.offset,
        length=found.length,
    )


class _Fields:
    """Values of elements from their raw bytes: missing or unusable ones are None, empty text or no numbers."""

    def __init__(self, values: Mapping[int, bytes], byte_order: Literal["little", "big"]) -> None:
        self._values, self._byte_order = values, byte_order

    def has(self, keyword: str) -> bool:
        return _TAG_OF[keyword] in self._values

    def text(self, keyword: str) -> str:
        return self._values.get(_TAG_OF[keyword], b"").decode("latin-1").strip(" \0")

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Decimal strings; none at all when one of them is no finite number."""
        try:
            values = tuple(float(part) for part in self.text(keyword).split("\\"))
        except ValueError:
            return ()
        return values if all(map(math.isfinite, values)) else ()

    def told(self, keyword: str) -> str:
        """For messages: numbers that cannot be used, never any other text."""
        text = self.text(keyword)
        try:
            return ", ".join(f"{float(part):g}" for part in text.split("\\")) if text else "missing"
        except ValueError:
            return "no number"

    def number(self, keyword: str) -> float | None:
        return next(iter(self.numbers(keyword)), None)

    def integer(self, keyword: str) -> int | None:
        """An unsigned short or an integer string, by what the keyword is."""
        if keyword in _SHORTS:
            value = self._values.get(_TAG_OF[keyword], b"")
            return int.from_bytes(value[:2], self._byte_order) if len(value) >= 2 else None
        number = self.number(keyword)
        return None if number is None else int(number)


_SHORTS = {"Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"}
