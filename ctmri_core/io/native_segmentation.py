"""The header of a DICOM Segmentation, read inside the reader process only: it may hold thousands of nested items."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import Triple
from ctmri_core.io.dicom_elements import BIG_ENDIAN, DEFLATED, PARSE_ERRORS, whole_header
from ctmri_core.io.dicom_header import damaged, unreadable
from ctmri_core.io.dicom_syntaxes import NATIVE_SYNTAXES, syntax_name
from ctmri_core.io.native_dicom import opened

_MOST_FRAMES = 65_535
_SAME = 1e-4  # of unit vectors, and mm of pixels
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class SegmentationHeader:
    """`bits`: of a pixel, 1 or 8; `pixel_spacing`: mm from row to row and from column to column; `frames`: for each the number of
    its segment and where its first pixel lies, LPS mm; `step`: mm from plane to plane as the file says, None where it does not;
    `names`: what it calls its segments, which may be anybody's words. Pixels lie from `offset` on, `length` bytes of the
    (inflated) file.
    """

    rows: int
    columns: int
    bits: int
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, float]
    step: float | None
    frames: tuple[tuple[int, Triple], ...]
    names: tuple[tuple[int, str], ...]
    frame_of_reference: str | None
    offset: int
    length: int
    deflated: bool


def segmentation_header(path: Path) -> SegmentationHeader:
    """Raises `FileRefused` for what is no binary Segmentation that is placed in the patient."""
    try:
        with warnings.catch_warnings(), opened(path) as (stream, deflated):
            warnings.simplefilter("ignore")  # odd values in other people's files are no fault of the program
            found, header = whole_header(stream, ())
            _check_encoding(path, header, DEFLATED if deflated else found.transfer_syntax)
            groups = _groups(path, header)
            shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
            spacing, step = _measures(path, groups, shared)
            return SegmentationHeader(
                rows=int(header.Rows),
                columns=int(header.Columns),
                bits=int(header.BitsAllocated),
                orientation=_same(path, groups, shared, "PlaneOrientationSequence", "ImageOrientationPatient", 6),
                pixel_spacing=spacing,
                step=step,
                frames=tuple(_frame(path, group, shared) for group in groups),
                names=tuple(_names(header)),
                frame_of_reference=str(header.get("FrameOfReferenceUID") or "") or None,
                offset=found.offset,
                length=found.length,
                deflated=deflated,
            )
    except PARSE_ERRORS:
        raise damaged(path) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _groups(path: Path, header: Dataset) -> list[Dataset]:
    """What is said of each frame."""
    groups, count = list(header.get("PerFrameFunctionalGroupsSequence") or ()), int(header.get("NumberOfFrames") or 1)
    if not 1 <= count <= _MOST_FRAMES or count != len(groups):
        problem = f"NumberOfFrames is {count}, PerFrameFunctionalGroupsSequence describes {len(groups)}."
        raise FileRefused(path, problem, "Export it again.")
    return groups


def _check_encoding(path: Path, header: Dataset, syntax: str) -> None:
    if syntax not in NATIVE_SYNTAXES or syntax == BIG_ENDIAN:
        problem = f"is a Segmentation stored in {syntax_name(syntax)}, which cannot be read here."
        raise FileRefused(path, problem, "Export it uncompressed.")
    kind, bits = str(header.get("SegmentationType", "")), int(header.get("BitsAllocated") or 0)
    if kind != "BINARY":
        said = kind if kind in ("FRACTIONAL", "LABELMAP") else "something else"
        raise FileRefused(path, f"is a Segmentation of the type {said}; BINARY can be read.", "Export it as binary.")
    if bits not in (1, 8) or int(header.get("SamplesPerPixel") or 1) != 1:
        raise FileRefused(path, f"is a Segmentation of {bits} bits for each pixel; 1 or 8 can be read.", "Export it as binary.")


def _measures(path: Path, groups: list[Dataset], shared: Dataset) -> tuple[tuple[float, float], float | None]:
    spacing = _same(path, groups, shared, "PixelMeasuresSequence", "PixelSpacing", 2)
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        value = _value(groups[0], shared, "PixelMeasuresSequence", keyword)
        if value and 1e-4 < float(value) < 1e4:
            return (spacing[0], spacing[1]), float(value)
    return (spacing[0], spacing[1]), None


def _frame(path: Path, group: Dataset, shared: Dataset) -> tuple[int, Triple]:
    number = _value(group, shared, "SegmentIdentificationSequence", "ReferencedSegmentNumber")
    place = [float(value) for value in _value(group, shared, "PlanePositionSequence", "ImagePositionPatient") or ()]
    if number is None or len(place) != 3:
        raise FileRefused(path, "has frames that do not tell their segment and their place in the patient.", "Export it again.")
    return int(number), (place[0], place[1], place[2])


def _same(path: Path, groups: list[Dataset], shared: Dataset, macro: str, keyword: str, count: int) -> tuple[float, ...]:
    """The numbers that all frames have in common."""
    first: tuple[float, ...] = ()
    for group in groups if any(macro in group for group in groups) else groups[:1]:
        values = tuple(float(value) for value in _value(group, shared, macro, keyword) or ())
        first = first or values
        if len(values) != count or any(abs(one - other) > _SAME for one, other in zip(values, first, strict=True)):
            raise FileRefused(path, f"its frames have no {keyword} in common.", "Export it as one volume.")
    return first


def _value(group: Dataset, shared: Dataset, macro: str, keyword: str) -> Any:
    """Of one frame, else of all."""
    for holder in (group, shared):
        items = holder.get(macro)
        value = items[0].get(keyword) if items else None
        if value is not None:
            return value
    return None


def _names(header: Dataset) -> list[tuple[int, str]]:
    found = []
    for item in header.get("SegmentSequence") or ():
        text = "".join(each if each.isprintable() else " " for each in str(item.get("SegmentLabel") or ""))
        found.append((int(item.SegmentNumber), " ".join(text.split())[:_LONGEST_NAME]))
    return found
