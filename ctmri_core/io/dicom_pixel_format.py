"""How a DICOM header says its pixels are encoded, checked against what can be read."""

from __future__ import annotations

import math
from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_elements import Elements
from ctmri_core.io.dicom_fields import Fields
from ctmri_core.io.dicom_slice import LookupTable, PixelFormat
from ctmri_core.io.dicom_syntaxes import NATIVE_SYNTAXES, READABLE_SYNTAXES, standard_name, syntax_name

GREY = ("", "MONOCHROME1", "MONOCHROME2")
PALETTE = "PALETTE COLOR"
_THREE_SAMPLES = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"}
_UNCOMPRESSED_COLOURS = {"RGB", "YBR_FULL", "YBR_FULL_422"}
_AIR = -1024  # HU
_LARGEST_SCALE = 1e30  # times the largest stored value it is still a number of 32 bit
_FLOAT_BITS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}


def pixel_format(path: Path, fields: Fields, found: Elements, table: LookupTable | None = None) -> PixelFormat:
    """`table`: what the stored values are mapped through, where the header has such a table. Raises `FileRefused`."""
    if found.transfer_syntax not in READABLE_SYNTAXES:
        name = syntax_name(found.transfer_syntax)
        raise FileRefused(path, f"is stored in {name}, which cannot be read here.", "Export it uncompressed.")
    colour = _colour(path, fields, found, table)
    rows, columns = fields.integer("Rows") or 0, fields.integer("Columns") or 0
    if rows < 1 or columns < 1:
        raise FileRefused(path, f"Rows and Columns are {rows} and {columns}.", "Export it again.")
    bits_allocated, bits_stored, high_bit = _bits(path, fields, found)
    if fields.has("ModalityLUTSequence") and table is None:
        raise FileRefused(path, "its ModalityLUTSequence cannot be used.", "Export it rescaled.")
    signed = fields.integer("PixelRepresentation") == 1
    slope, intercept = _scaling(path, fields, plain=table is None and not colour)
    return PixelFormat(
        transfer_syntax=found.transfer_syntax,
        big_endian=found.big_endian,
        rows=rows,
        columns=columns,
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=high_bit,
        signed=signed,
        inverted=fields.text("PhotometricInterpretation") == "MONOCHROME1",
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
        rescaled=(slope is not None and intercept is not None) or fields.has("ModalityLUTSequence"),
        rescale_type=fields.text("RescaleType"),
        offset=found.offset,
        length=found.length,
        floating=found.pixel_keyword != "PixelData",
        colour=colour,
        planar=fields.integer("PlanarConfiguration") == 1,
        padding=_padding(fields, signed, 1.0 if slope is None else slope, 0.0 if intercept is None else intercept),
        table=table,
    )


def modality_of(fields: Fields) -> str:
    """What the file says or, where it says nothing, what its kind of data implies."""
    words = standard_name(fields.text("SOPClassUID")).split() if not fields.text("Modality") else []
    return fields.text("Modality") or next((word for word in words if word in ("CT", "MR")), "")


def _colour(path: Path, fields: Fields, found: Elements, table: LookupTable | None) -> str:
    """The colour model of a picture of three samples, "" of a grey one; whether it is grey in truth its pixels say."""
    model, samples = fields.text("PhotometricInterpretation"), fields.integer("SamplesPerPixel") or 1
    if samples == 1 and (model in GREY or (model == PALETTE and table is not None)):
        return ""
    known = _THREE_SAMPLES if found.transfer_syntax not in NATIVE_SYNTAXES else _UNCOMPRESSED_COLOURS
    if samples == 3 and model in known and fields.integer("BitsAllocated") == 8 and not found.big_endian:
        return model
    raise colour_picture(path, model if model in _THREE_SAMPLES | {PALETTE} else "")


def colour_picture(path: Path, model: str) -> FileRefused:
    """The refusal of a picture in colour; `model`: a photometric interpretation of the standard, or ""."""
    return FileRefused(path, f"is a colour picture ({model or 'several samples per pixel'}).", "Choose the greyscale slices.")


def _bits(path: Path, fields: Fields, found: Elements) -> tuple[int, int, int]:
    """(allocated, stored, highest)."""
    allocated = fields.integer("BitsAllocated") or _FLOAT_BITS.get(found.pixel_keyword, 0)
    stored = fields.integer("BitsStored") or allocated
    high = fields.integer("HighBit")
    if found.pixel_keyword in _FLOAT_BITS:
        plain = found.transfer_syntax in NATIVE_SYNTAXES and fields.text("PhotometricInterpretation") != "MONOCHROME1"
        if allocated != _FLOAT_BITS[found.pixel_keyword] or not plain:
            raise FileRefused(path, f"stores {allocated}-bit {found.pixel_keyword}.", "Export it as 16 bit.")
        return allocated, allocated, allocated - 1
    if allocated not in (8, 16, 32):
        raise FileRefused(path, f"stores {allocated}-bit PixelData; 8, 16 and 32 bit can be read.", "Export it as 16 bit.")
    if allocated == 8 and found.big_endian:
        raise FileRefused(path, "stores 8-bit values as big endian, in either of two byte orders.", "Export it as little endian.")
    if not 1 <= stored <= allocated or not stored - 1 <= (high or stored - 1) < allocated:
        raise FileRefused(path, f"BitsStored {stored} and HighBit {high} do not fit together.", "Export it again.")
    return allocated, stored, stored - 1 if high is None else high


def _scaling(path: Path, fields: Fields, *, plain: bool) -> tuple[float | None, float | None]:
    """(slope, intercept), None where missing; values that went through a table or were colours are not rescaled again."""
    if not plain:
        return None, None
    slope, intercept = fields.number("RescaleSlope"), fields.number("RescaleIntercept")
    if slope == 0:
        raise FileRefused(path, "RescaleSlope is 0.", "Export it again.")
    if max(abs(slope or 0), abs(intercept or 0)) > _LARGEST_SCALE:
        raise FileRefused(path, f"RescaleSlope {slope} and RescaleIntercept {intercept} are no scaling.", "Export it again.")
    return fields.number("DoseGridScaling") or None if slope is None else slope, intercept


def _padding(fields: Fields, signed: bool, slope: float, intercept: float) -> int | None:
    """The highest stored value that is nearer to the padding of a CT than to air, where the padding lies below air.

    A value that tissue may have is never taken for padding. Lossy compression blurs it, hence nearness and not equality.
    """
    value = fields.integer("PixelPaddingValue", signed=signed)
    if value is None or modality_of(fields) != "CT" or slope <= 0:
        return None
    limit = fields.integer("PixelPaddingRangeLimit", signed=signed)
    highest = (value if limit is None else max(value, limit)) * slope + intercept
    return math.floor(((highest + _AIR) / 2 - intercept) / slope) if highest < _AIR else None
