"""The frames of one DICOM file as slices: each is described as the single-frame header would describe it that it could have had.

Enhanced and legacy converted objects say what all frames share and what each has of its own in functional groups (PS3.3,
C.7.6.16); radiotherapy doses place their frames by offsets from the first (C.8.8.3).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_elements import Elements
from ctmri_core.io.dicom_encapsulated import frame_ranges
from ctmri_core.io.dicom_header import build_header, require_picture
from ctmri_core.io.dicom_slice import LookupTable, SliceHeader
from ctmri_core.io.series_judgement import slice_axes

GROUP_KEYWORDS = (
    "NumberOfFrames", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "DimensionIndexSequence",
    "ContrastBolusAgentSequence", "GridFrameOffsetVector", "ImagePositionPatient", "ImageOrientationPatient",
)  # fmt: skip
"""What `frame_headers` looks at in a header, beside the elements it is given."""
_CONVERTED = ("ImageType", "EchoTime", "RepetitionTime", "InversionTime", "ScanningSequence", "SequenceName", "AcquisitionNumber")
_MACROS: Mapping[str, Sequence[str]] = {
    "UnassignedSharedConvertedAttributesSequence": _CONVERTED,
    "UnassignedPerFrameConvertedAttributesSequence": _CONVERTED,
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation"),
    "FrameContentSequence": ("FrameAcquisitionNumber", "TemporalPositionIndex", "StackID", "DimensionIndexValues"),
    "MREchoSequence": ("EffectiveEchoTime",),
    "MRTimingAndRelatedParametersSequence": ("RepetitionTime",),
    "MRModifierSequence": ("InversionTimes",),
    "MRDiffusionSequence": ("DiffusionBValue",),
    "MRImageFrameTypeSequence": ("FrameType",),
    "CTImageFrameTypeSequence": ("FrameType",),
    "PETFrameTypeSequence": ("FrameType",),
}
_CLASSIC_NAMES = {
    "FrameType": "ImageType", "EffectiveEchoTime": "EchoTime", "InversionTimes": "InversionTime",
    "FrameAcquisitionNumber": "AcquisitionNumber", "TemporalPositionIndex": "TemporalPositionIdentifier",
}  # fmt: skip
_TAGS = {
    tag_for_keyword(macro) or 0: [(tag_for_keyword(keyword) or 0, _CLASSIC_NAMES.get(keyword, keyword)) for keyword in keywords]
    for macro, keywords in _MACROS.items()
}
_TEXT_VRS = {"DS", "CS", "IS", "LO", "SH"}
_PLACES = {0x00209057, 0x00200032, 0x00201041, 0x00209301, 0x00209056}
"""Dimensions that count places: InStackPositionNumber, ImagePositionPatient, SliceLocation, ImagePositionVolume, StackID."""
_MOST_FRAMES = 65_535
_WAY_OUT = "Export the series as single-frame (classic) DICOM."


def frame_headers(
    path: Path, found: Elements, header: Dataset, stream: BinaryIO, table: LookupTable | None
) -> tuple[SliceHeader, ...]:
    """The frames of a file, in its order. `header`: with `GROUP_KEYWORDS`. Raises `FileRefused` and `PARSE_ERRORS`."""
    require_picture(path, found)
    count = int(header.get("NumberOfFrames") or 1)
    if not 1 <= count <= _MOST_FRAMES:
        raise FileRefused(path, f"NumberOfFrames is {count}; 1 to {_MOST_FRAMES} can be read.", "Export it again.")
    frames = list(_frames(path, header, count))
    shared = {"ContrastBolusAgent": "yes"} if header.get("ContrastBolusAgentSequence") else {}
    headers = [build_header(path, found, shared | texts, table) for texts, _, _ in frames]
    stacks = Counter(stack for _, stack, _ in frames)
    told_apart = len(stacks) > 1 and min(stacks.values()) > 1  # some give each frame a stack of its own
    parts = _parts(path, found, stream, headers[0], count)
    return tuple(
        replace(
            each,
            frame=n,
            stack=stack if told_apart else "",
            dimensions=dimensions,
            pixels=replace(each.pixels, offset=offset, length=length),
        )
        for n, (each, (_, stack, dimensions), (offset, length)) in enumerate(zip(headers, frames, parts, strict=True), 1)
    )


def _frames(path: Path, header: Dataset, count: int) -> Iterator[tuple[dict[str, str], str, tuple[int, ...]]]:
    """For each frame: what it says by classic keyword, its stack, where it lies along the other dimensions."""
    if "GridFrameOffsetVector" in header:
        yield from ((texts, "", ()) for texts in _dose_frames(path, header, count))
        return
    groups = header.get("PerFrameFunctionalGroupsSequence") or []
    if count > 1 and not groups:
        problem = f"holds {count} frames without a position for each (PerFrameFunctionalGroupsSequence)."
        raise FileRefused(path, problem, _WAY_OUT)
    if groups and len(groups) != count:
        problem = f"NumberOfFrames is {count}, PerFrameFunctionalGroupsSequence describes {len(groups)}."
        raise FileRefused(path, problem, "Export it again.")
    shared = _texts((header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0])
    counted = _counted_dimensions(header)
    for group in groups or [Dataset()]:
        texts = shared | _texts(group)
        stack, indices = texts.pop("StackID", ""), [each for each in texts.pop("DimensionIndexValues", "").split("\\") if each]
        dimensions = tuple(int(indices[n]) for n in counted) if len(indices) > max(counted, default=-1) else ()
        yield texts, stack, dimensions


def _counted_dimensions(header: Dataset) -> list[int]:
    """Which of the dimension indices count something else than places."""
    indices = header.get("DimensionIndexSequence") or []
    return [n for n, index in enumerate(indices) if int(index.get("DimensionIndexPointer") or 0) not in _PLACES]


def _texts(group: Dataset) -> dict[str, str]:
    """What `_MACROS` names and a group has; only that is parsed, for a file may have ten thousand groups."""
    texts, present = {}, group.keys()
    for tag, leaves in _TAGS.items():
        items: Sequence[Dataset] = group[tag].value if tag in present else ()
        for leaf, name in leaves if items else ():
            element = items[0].get_item(leaf)
            if element is not None and (text := _text(items[0], element)):
                texts[name] = text
    return texts


def _text(holder: Dataset, element: DataElement | RawDataElement) -> str:
    if isinstance(element.value, bytes) and element.VR in _TEXT_VRS:
        return element.value.decode("latin-1").strip(" \0")
    return "\\".join(str(value) for value in _values(holder[element.tag].value))


def _values(value: Any) -> Sequence[Any]:
    if value is None or value == "":
        return ()
    return value if isinstance(value, MultiValue | list) else (value,)


def _dose_frames(path: Path, header: Dataset, count: int) -> Iterator[dict[str, str]]:
    """Offsets are distances from the first frame along the normal or, where they do not begin with 0, places along z."""
    offsets = [float(value) for value in _values(header.GridFrameOffsetVector)]
    position = [float(value) for value in _values(header.get("ImagePositionPatient"))]
    orientation = [float(value) for value in _values(header.get("ImageOrientationPatient"))]
    if len(offsets) != count or len(position) != 3 or len(orientation) != 6:
        problem = f"holds {count} frames that GridFrameOffsetVector and ImagePositionPatient do not place."
        raise FileRefused(path, problem, "Export it again.")
    normal = slice_axes(path, orientation)[0]
    if offsets[0] != 0:
        normal = normal * math.copysign(1, normal[2])
    for offset in offsets:
        place = [value + (offset - offsets[0]) * along for value, along in zip(position, normal.tolist(), strict=True)]
        yield {"ImagePositionPatient": "\\".join(repr(value) for value in place)}


def _parts(path: Path, found: Elements, stream: BinaryIO, first: SliceHeader, count: int) -> Sequence[tuple[int, int]]:
    """(offset, length) of each frame's pixels; uncompressed frames that are not there in full are shorter than they should be."""
    pixels = first.pixels
    if pixels.compressed:
        return frame_ranges(path, stream, found.offset, count)
    size = pixels.rows * pixels.columns * pixels.stored_samples * pixels.bits_allocated // 8
    present = found.length if found.length >= 0 else size * count
    return [(found.offset + n * size, min(size, max(0, present - n * size))) for n in range(count)]
