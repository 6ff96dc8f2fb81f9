"""Tables that stored values are mapped through: to modality values, or to the colours of a palette that is grey in truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_pixel_format import PALETTE, colour_picture
from ctmri_core.io.dicom_slice import LookupTable

_PALETTES = ("Red", "Green", "Blue")


def lookup_table(path: Path, header: Dataset) -> LookupTable | None:
    """The table of a header, None where it has none. Raises `FileRefused`."""
    signed = header.get("PixelRepresentation") == 1
    if header.get("PhotometricInterpretation") == PALETTE:
        tables = [_table(path, header, f"{name}PaletteColorLookupTable", signed) for name in _PALETTES]
        if tables[1:] != tables[:1] * 2:
            raise colour_picture(path, PALETTE)
        return tables[0]
    if not header.get("ModalityLUTSequence"):
        return None
    return _table(path, header.ModalityLUTSequence[0], "LUT", signed)


def _table(path: Path, holder: Dataset, name: str, signed: bool) -> LookupTable:
    descriptor, data = holder.get(f"{name}Descriptor"), holder.get(f"{name}Data")
    if descriptor is None or len(descriptor) != 3 or data is None:
        raise FileRefused(path, f"its lookup table ({name}Descriptor, {name}Data) is incomplete.", "Export it rescaled.")
    count, first, bits = (int(value) for value in descriptor)
    count = count or 1 << 16
    values = _entries(data, count, bits)
    if values is None or count < 0:
        raise FileRefused(path, f"{name}Data does not hold the {count} entries that are promised.", "Export it rescaled.")
    return LookupTable(first - (1 << 16) if signed and first >= 1 << 15 else first, values.astype("<u2").tobytes())


def _entries(data: Any, count: int, bits: int) -> NDArray[Any] | None:
    """Entries as numbers, or as bytes of one or two each."""
    if not isinstance(data, bytes):
        values = np.atleast_1d(np.asarray(data, np.int64))
        return values[:count] if len(values) >= count else None
    packed = bits == 8 and len(data) < 2 * count
    values = np.frombuffer(data[: len(data) // 2 * 2] if not packed else data, np.uint8 if packed else "<u2")
    return values[:count] if len(values) >= count else None
