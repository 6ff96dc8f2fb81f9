"""The DICOM attributes that sorting, judging and decoding a slice need, as numbers and texts from raw bytes."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from pydicom.datadict import tag_for_keyword

_KEYWORDS = (
    "ImageType", "SOPClassUID", "SOPInstanceUID", "Modality", "SeriesDescription", "ContrastBolusAgent", "ScanningSequence",
    "SequenceName", "SliceThickness", "RepetitionTime", "EchoTime", "InversionTime", "ProtocolName", "StudyInstanceUID",
    "SeriesInstanceUID", "SeriesNumber", "AcquisitionNumber", "ImagePositionPatient", "ImageOrientationPatient",
    "FrameOfReferenceUID", "TemporalPositionIdentifier", "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames",
    "Rows", "Columns", "PixelSpacing", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "WindowCenter",
    "WindowWidth", "RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence", "SyntheticData",
    "DerivationDescription", "ImageComments", "QualityControlSubject", "LossyImageCompression", "LossyImageCompressionRatio",
    "LossyImageCompressionMethod", "PlanarConfiguration", "PixelPaddingValue", "PixelPaddingRangeLimit", "SpacingBetweenSlices",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "GridFrameOffsetVector", "DoseGridScaling",
    "PulseSequenceName", "EchoPulseSequence", "AcquisitionContrast", "InstanceNumber", "ImagesInAcquisition",
    "NumberOfSeriesRelatedInstances", "PatientID", "PatientName", "DiffusionBValue",
    "WindowCenterWidthExplanation",
)  # fmt: skip
_SHORTS = {
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel", "PlanarConfiguration",
    "PixelPaddingValue", "PixelPaddingRangeLimit",
}  # fmt: skip
_DOUBLES = {"DiffusionBValue"}
_DOUBLE = {"big": ">d", "little": "<d"}
_MOST_TOLD = 8
TAG_OF = {keyword: tag_for_keyword(keyword) or 0 for keyword in _KEYWORDS}
WANTED_TAGS = frozenset(TAG_OF.values())


class Fields:
    """Values of elements from their raw bytes: missing or unusable ones are None, empty text or no numbers."""

    def __init__(self, values: Mapping[int, bytes], byte_order: Literal["little", "big"]) -> None:
        self._values, self._byte_order = values, byte_order

    def overlaid(self, texts: Mapping[str, str]) -> Fields:
        """These values with those of `texts`, by keyword, above them: none of them a short."""
        above = {TAG_OF[keyword]: self._raw(keyword, text) for keyword, text in texts.items()}
        return Fields({**self._values, **above}, self._byte_order)

    def _raw(self, keyword: str, text: str) -> bytes:
        if keyword not in _DOUBLES:
            return text.encode("latin-1", "replace")
        numbers = _numbers(text.encode("latin-1", "replace"))
        return struct.pack(_DOUBLE[self._byte_order], numbers[0]) if numbers else b""

    def has(self, keyword: str) -> bool:
        return TAG_OF[keyword] in self._values

    def text(self, keyword: str) -> str:
        return self._values.get(TAG_OF[keyword], b"").decode("latin-1").strip(" \0")

    def texts(self, keyword: str) -> tuple[str, ...]:
        """The parts of a code, in capitals."""
        return tuple(part.strip().upper() for part in self.text(keyword).split("\\"))

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Decimal strings; none at all when one of them is no finite number."""
        raw = self._values.get(TAG_OF[keyword])
        return _numbers(raw) if raw else ()

    def double(self, keyword: str) -> float | None:
        """A binary number of 64 bit; None where it is none or not finite."""
        value = self._values.get(TAG_OF[keyword], b"")
        if len(value) != 8:
            return None
        number = float(struct.unpack(_DOUBLE[self._byte_order], value)[0])
        return number if math.isfinite(number) else None

    def told(self, keyword: str) -> str:
        """For messages: the numbers, usable or not, never any other text."""
        text = self.text(keyword)
        try:
            parts = text.split("\\")
            more = f" and {len(parts) - _MOST_TOLD} more" if len(parts) > _MOST_TOLD else ""
            return ", ".join(f"{float(part):g}" for part in parts[:_MOST_TOLD]) + more if text else "missing"
        except ValueError:
            return "no number"

    def number(self, keyword: str) -> float | None:
        return next(iter(self.numbers(keyword)), None)

    def integer(self, keyword: str, *, signed: bool = False) -> int | None:
        """A short or an integer string, by what the keyword is."""
        if keyword in _SHORTS:
            value = self._values.get(TAG_OF[keyword], b"")
            return int.from_bytes(value[:2], self._byte_order, signed=signed) if len(value) >= 2 else None
        number = self.number(keyword)
        return None if number is None else int(number)


@lru_cache(256)  # the slices of a series say mostly the same
def _numbers(raw: bytes) -> tuple[float, ...]:
    text = raw.decode("latin-1").strip(" \0")
    if not text or "_" in text or not text.isascii():  # `1_0` is a number to Python alone
        return ()
    try:
        values = tuple(map(float, text.split("\\")))
    except ValueError:
        return ()
    return values if all(map(math.isfinite, values)) else ()
