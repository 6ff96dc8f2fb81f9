"""The part of a DICOM header that sorting, judging and decoding a slice need, read quickly and without trust.

The few values wanted are taken from their raw bytes, so a strange value elsewhere in the header costs nothing. Files that hold
several slices, map their values through tables or are deflated (a small one can claim gigabytes) are read as a whole, and in
the reader process only.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from hashlib import blake2b
from itertools import chain, repeat
from pathlib import Path

from pydicom.filereader import read_file_meta_info

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_elements import (
    DEFLATED,
    PARSE_ERRORS,
    CountedFile,
    Elements,
    elements,
    looks_like_dicom,
    quick_elements,
)
from ctmri_core.io.dicom_fields import TAG_OF, WANTED_TAGS, Fields
from ctmri_core.io.dicom_pixel_format import PALETTE, modality_of, pixel_format
from ctmri_core.io.dicom_slice import EmptyFile, LookupTable, MrTiming, NotDicom, Origin, SliceHeader, of_series
from ctmri_core.io.dicom_syntaxes import ALWAYS_LOSSY_SYNTAXES, LOSSY_SYNTAXES, standard_name
from ctmri_core.io.synthetic_mark import CONVERTED
from ctmri_core.io.window_names import names_a_window
from ctmri_core.volume import LossyCompression, StoredWindow

FIRST_READ = 16 << 10
_MOST_READS = 200_000  # a second; the headers of slices have some hundred elements
_FARTHEST_MM = 1e6
_SPECIAL_TAGS = frozenset(
    TAG_OF[name] for name in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence", "ModalityLUTSequence")
)
_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"

Headers = tuple[SliceHeader, ...]


def read_headers(path: Path, read_whole: Callable[[Path], Headers], first_read: int = FIRST_READ) -> Headers:
    """The slices in `path`. `read_whole` reads a file with more than one plain slice elsewhere; `first_read`: bytes that likely
    hold the header.

    Raises `NotDicom` for other files, `SliceRefused` when it is no image slice that can be placed in the patient, and
    `FileRefused` when it cannot be read.
    """
    try:
        found = _found(path, first_read)
    except PARSE_ERRORS:
        raise damaged(path) from None
    except OSError as error:
        raise unreadable(path, error) from None
    return read_whole(path) if found is None else (build_header(path, found),)


def _found(path: Path, first_read: int) -> Elements | None:
    """None when the file has to be read as a whole."""
    with path.open("rb") as handle:
        start = handle.read(first_read)
        if not start:
            raise EmptyFile(path, "is empty (0 bytes).", "Copy or export it again.")
        if not looks_like_dicom(start):
            raise NotDicom(path, "is no DICOM file.", "Choose the images of a CT or MR series.")
        if DEFLATED.encode() in start:
            return None
    found = quick_elements(start, WANTED_TAGS) or _beginning(start)
    if found is not None and (found.pixel_keyword or _is_special(found)):
        return None if _is_special(found) else found
    if len(start) < first_read and found is None:
        raise damaged(path)
    if found is not None and not found.pixel_keyword and len(start) == first_read:
        if read_file_meta_info(path).get("TransferSyntaxUID") == DEFLATED:
            return None
        with CountedFile(path, _MOST_READS) as counted:
            found = elements(counted, WANTED_TAGS)
    return None if found is None or _is_special(found) else found


def _beginning(start: bytes) -> Elements | None:
    """What the beginning of a file tells; nothing where it was cut off in a place that pydicom minds."""
    try:
        return elements(io.BytesIO(start), WANTED_TAGS)
    except (*PARSE_ERRORS, OSError):  # its own errors: there is no file here
        return None


def _is_special(found: Elements) -> bool:
    """Whether there is more to this file than one slice whose values are stored as they are."""
    values = found.values
    return (
        not _SPECIAL_TAGS.isdisjoint(values)
        or values.get(TAG_OF["NumberOfFrames"], b"").strip(b" \0") not in (b"", b"1")
        or values.get(TAG_OF["PhotometricInterpretation"], b"").startswith(PALETTE.encode())
        or b"MOSAIC" in values.get(TAG_OF["ImageType"], b"")
    )


def damaged(path: Path) -> FileRefused:
    return FileRefused(path, "its DICOM header is damaged.", "Copy or export it again.")


def unreadable(path: Path, error: OSError) -> FileRefused:
    if error.errno is None:  # pydicom's own, for an element that leads out of the file
        return damaged(path)
    return FileRefused(path, f"cannot be read: {error.strerror}.", "Copy it to this computer and try again.")


def _fields(found: Elements) -> Fields:
    return Fields(found.values, "big" if found.big_endian else "little")


def build_header(
    path: Path, found: Elements, texts: Mapping[str, str] | None = None, table: LookupTable | None = None
) -> SliceHeader:
    """Checks what was found. `texts`: by keyword, what a frame of the file says in place of the file. Raises `SliceRefused`
    naming field and value.
    """
    fields = _fields(found)
    try:
        return _checked_header(path, fields.overlaid(texts) if texts else fields, found, table)
    except FileRefused as refusal:
        raise of_series(refusal, series_uid_of(found)) from None


def series_uid_of(found: Elements) -> str:
    """ "" where it says none."""
    return _fields(found).text("SeriesInstanceUID")


def _checked_header(path: Path, fields: Fields, found: Elements, table: LookupTable | None) -> SliceHeader:
    position, orientation = _place(path, fields, found)
    spacing = fields.numbers("PixelSpacing")
    pixels = pixel_format(path, fields, found, table)
    if len(spacing) != 2 or not all(1e-4 < value < 1e4 for value in spacing):
        problem = f"PixelSpacing is {fields.told('PixelSpacing')}; two sizes in mm are needed."
        raise FileRefused(path, problem, "Export it again.")
    return SliceHeader(
        path=path,
        modality=modality_of(fields),
        series_uid=fields.text("SeriesInstanceUID"),
        series_number=fields.integer("SeriesNumber"),
        study_uid=fields.text("StudyInstanceUID"),
        instance_uid=fields.text("SOPInstanceUID"),
        sop_class_uid=fields.text("SOPClassUID"),
        frame_of_reference=fields.text("FrameOfReferenceUID") or None,
        image_type=fields.texts("ImageType"),
        acquisition=(fields.integer("AcquisitionNumber"), fields.integer("TemporalPositionIdentifier")),
        position=position,
        orientation=orientation,
        pixel_spacing=spacing,
        thickness=fields.number("SliceThickness"),
        windows=_windows(fields),
        timing=_timing(fields),
        origin=_origin(fields, pixels.transfer_syntax),
        pixels=pixels,
        instance_number=fields.integer("InstanceNumber"),
        slice_step=fields.number("SpacingBetweenSlices"),
        images_told=_images_told(fields),
        b_value=fields.double("DiffusionBValue"),
        patient=_patient(fields),
    )


def _windows(fields: Fields) -> tuple[StoredWindow, ...]:
    """Those that can be shown, in the order of the file. Explanations are kept where all their words are those of windows: any
    other text may tell of the patient."""
    explanations = [part.strip() for part in fields.text("WindowCenterWidthExplanation").split("\\")]
    pairs = zip(fields.numbers("WindowCenter"), fields.numbers("WindowWidth"), strict=False)
    names = (name if names_a_window(name) else "" for name in chain(explanations, repeat("")))
    return tuple(StoredWindow(centre, width, name) for (centre, width), name in zip(pairs, names, strict=False) if width > 0)


def _images_told(fields: Fields) -> int | None:
    """What is derived inherits the count of the acquisition, which is none of its own images."""
    acquired = None if "DERIVED" in fields.texts("ImageType") else fields.integer("ImagesInAcquisition")
    return fields.integer("NumberOfSeriesRelatedInstances") or acquired


def _patient(fields: Fields) -> bytes:
    """Tells patients apart without holding who they are; the same in every process."""
    identity = fields.text("PatientID") or fields.text("PatientName")
    return blake2b(identity.encode(), digest_size=8).digest() if identity else b""


def require_picture(path: Path, found: Elements) -> str:
    """The kind of data by its standard name, "" where unknown. Raises `FileRefused` when these are no pictures."""
    uid = _fields(found).text("SOPClassUID")
    kind = standard_name(uid).removesuffix(" Storage")
    if not found.pixel_keyword:
        problem = f"holds data of the kind {kind}, without any pixels." if kind else "holds no DICOM image."
        raise FileRefused(path, problem, "Choose the images of a CT or MR series.")
    if uid == _SEGMENTATION:
        raise FileRefused(path, "holds a Segmentation, no picture.", "Open it by itself, over the images that it was drawn on.")
    return kind


def _place(path: Path, fields: Fields, found: Elements) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(position, orientation). Raises `FileRefused` that says what a file without a place in the patient is."""
    kind = require_picture(path, found)
    position, orientation = fields.numbers("ImagePositionPatient"), fields.numbers("ImageOrientationPatient")
    if len(position) == 3 and len(orientation) == 6 and max(map(abs, position)) < _FARTHEST_MM:
        return position, orientation
    place, turn = "ImagePositionPatient", "ImageOrientationPatient"
    if fields.text(place) and fields.text(turn):
        problem = f"cannot be placed in the patient: {place} is {fields.told(place)}, {turn} is {fields.told(turn)}."
        raise FileRefused(path, problem, "Export it again.")
    what = f"holds data of the kind {kind}, which" if kind else "holds a picture that"
    problem = f"{what} has no position and orientation in the patient (ImagePositionPatient, ImageOrientationPatient)."
    raise FileRefused(path, problem, "Choose the original CT or MR slices.")


def _origin(fields: Fields, transfer_syntax: str) -> Origin:
    synthetic = fields.text("SyntheticData") == "YES"
    derivation = fields.text("DerivationDescription")
    told = synthetic or derivation.startswith(CONVERTED)
    return Origin(
        synthetic=synthetic,
        phantom=fields.text("QualityControlSubject") == "YES",
        derivation=derivation if told else "",
        comments=fields.text("ImageComments") if told else "",
        lossy=_lossy(fields, transfer_syntax),
    )


def _lossy(fields: Fields, transfer_syntax: str) -> LossyCompression | None:
    """By what the header says, and by the transfer syntax where the header says nothing or it leaves no choice."""
    said, method = fields.text("LossyImageCompression"), LOSSY_SYNTAXES.get(transfer_syntax, "")
    if said != "01" and (not method or (said == "00" and transfer_syntax not in ALWAYS_LOSSY_SYNTAXES)):
        return None
    ratios = tuple(f"{value:g}" for value in fields.numbers("LossyImageCompressionRatio"))
    methods = tuple(part.strip() for part in fields.text("LossyImageCompressionMethod").split("\\") if part.strip())
    return LossyCompression(ratios, methods or ((method,) if method else ()))


_PULSE_SEQUENCES = {"SPIN": "SE", "GRADIENT": "GR"}
_CONTRASTS = {"FLUID_ATTENUATED": "flair", "PROTON_DENSITY": "pd", "T1": "t1", "T2": "t2", "T2_STAR": "t2 star"}
"""Enumerated values of enhanced MR objects (PS3.3, C.8.13.1) in the words of classic ones."""


def _timing(fields: Fields) -> MrTiming:
    names = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName")
    contrast = fields.text("AcquisitionContrast").upper()
    words = " ".join((*(fields.text(keyword) for keyword in names), _CONTRASTS.get(contrast, contrast.lower())))
    scanning = fields.text("ScanningSequence") or _PULSE_SEQUENCES.get(fields.text("EchoPulseSequence"), "")
    return MrTiming(
        repetition=fields.number("RepetitionTime"),
        echo=fields.number("EchoTime"),
        inversion=fields.number("InversionTime"),
        scanning_sequence=scanning.upper(),
        words=words.lower(),
        contrast_agent=fields.text("ContrastBolusAgent").lower() not in ("", "none", "no", "n", "0"),
    )
